//! `_functools`: the parts of `functools` that are worth being fast.
//!
//! The classes `partial` and `_lru_cache_wrapper` are written in ZPy (`stdlib/functools.zpy`); `install` gives them the
//! rows that calls run through. Their objects carry a native value: `partial::Partial`, `lru::Cache`.

mod compare;
mod lru;
mod partial;

pub use compare::{ROWS as KEY_ROWS, TYPE_NAME as KEY_TYPE, compare_keys};

use crate::call::{Call, Native, NativeModule};
use crate::eval::Exc;
use crate::eval::pour::add_rows;
use crate::value::{Foreign, Instance, Ref, Res, Type, Value};
use std::any::Any;
use std::cell::RefCell;

pub static MODULE: NativeModule = NativeModule {
    name: "_functools",
    doc: "Fast parts; `functools` is the module to import.",
    functions: &[
        Native {
            name: "install",
            params: "partial, wrapper, /",
            run: install,
            doc: "Gives the classes of partial functions and of caches their native methods.",
        },
        Native {
            name: "cmp_to_key",
            params: "mycmp",
            run: compare::cmp_to_key,
            doc: "A key for sorting from a function that compares: negative, zero or positive.",
        },
        Native {
            name: "reduce",
            params: "function, iterable, initial=None, /",
            run: reduce,
            doc: "Combines the items from left to right into one value. TypeError if there are none and no `initial`.",
        },
    ],
    constants: &[],
};

fn install(call: &mut Call) -> Res {
    for (index, rows) in [partial::ROWS, lru::ROWS].into_iter().enumerate() {
        let Some(class) = call.arg(index).get_ref::<Type>() else {
            return Err(call.wrong_type(index, "a class"));
        };
        add_rows(&class, rows);
    }
    Ok(Value::NONE)
}

/// Puts a native value into an object of one of the classes.
fn fill(object: &Value, type_name: &'static str, data: impl Any) {
    let data = RefCell::new(Box::new(data) as Box<dyn Any>);
    let native: Value = Ref::new(Foreign { type_name, data }).into();
    if let Some(instance) = object.get::<Instance>() {
        let old = instance.native.replace(native);
        drop(old);
    }
}

/// Runs a step on the native value of an object.
fn with<T: 'static, R>(object: &Value, step: impl FnOnce(&mut T) -> R) -> Option<R> {
    let native = object.get::<Instance>()?.native()?;
    let mut data = native.get::<Foreign>()?.data.try_borrow_mut().ok()?;
    data.downcast_mut::<T>().map(step)
}

/// Calls `visit` with each value that the native value of a partial function or a cache holds.
pub fn trace(data: &dyn Any, visit: &mut dyn FnMut(&Value)) {
    if let Some(partial) = data.downcast_ref::<partial::Partial>() {
        partial.trace(visit);
    } else if let Some(cache) = data.downcast_ref::<lru::Cache>() {
        cache.trace(visit);
    }
}

/// Takes out what such a value holds, as the collector of cycles does.
pub fn take(data: &mut dyn Any) -> Vec<Value> {
    if let Some(partial) = data.downcast_mut::<partial::Partial>() {
        partial.take()
    } else if let Some(cache) = data.downcast_mut::<lru::Cache>() {
        cache.take()
    } else {
        Vec::new()
    }
}

/// All rows, for tests.
#[cfg(test)]
pub fn tables() -> [(&'static str, &'static [Native]); 3] {
    [("partial", partial::ROWS), ("_lru_cache_wrapper", lru::ROWS), (KEY_TYPE, KEY_ROWS)]
}

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
