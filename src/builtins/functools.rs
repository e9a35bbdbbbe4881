//! `_functools`: the parts of `functools` that are worth being fast.

use crate::call::{Call, Native, NativeModule};
use crate::eval::Exc;
use crate::value::Res;

pub static MODULE: NativeModule = NativeModule {
    name: "_functools",
    doc: "Fast parts; `functools` is the module to import.",
    functions: &[Native {
        name: "reduce",
        params: "function, iterable, initial=None, /",
        run: reduce,
        doc: "Combines the items from left to right into one value. TypeError if there are none and no `initial`.",
    }],
    constants: &[],
};

fn reduce(call: &mut Call) -> Res {
    let (function, iterable) = (call.arg(0), call.arg(1));
    let items = match call.vm.iter(iterable) {
        Ok(items) => items,
        Err(raised) => {
            if !call.vm.is_not_iterable(iterable) {
                return Err(raised);
            }
            call.vm.take_raised();
            return Err(call.vm.error(Exc::TypeError, "reduce() arg 2 must support iteration"));
        }
    };
    let mut result = match call.opt(2) {
        Some(initial) => initial.clone(),
        None => match call.vm.next(&items)? {
            Some(first) => first,
            None => return Err(call.vm.type_error("reduce() of empty iterable with no initial value")),
        },
    };
    while let Some(item) = call.vm.next(&items)? {
        result = call.vm.call(function, &[result, item])?;
    }
    Ok(result)
}
