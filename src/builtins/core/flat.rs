//! ZPy's own global functions on containers: the functional spelling of methods.

use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::value::{Int, Ref, Res, Slice, Str, Tag, Value};

pub static ROWS: &[Native] = &[
    Native { name: "append", params: "object, value", run: append, doc: "`object.append(value)`." },
    Native {
        name: "insert",
        params: "object, index, value",
        run: insert,
        doc: "`object.insert(index, value)`: negative indexes count from the end, indexes outside are clamped.",
    },
    Native {
        name: "pop",
        params: "object, *args",
        run: pop,
        doc: "`object.pop(...)`: the last item of a list, or the one at an index; the value of a key of a dict.",
    },
    Native {
        name: "delete",
        params: "object, key",
        run: delete,
        doc: "`del object[key]`: IndexError or KeyError if there is none.",
    },
    Native {
        name: "keys",
        params: "object",
        run: keys,
        doc: "A new list of the keys of a mapping, in its order.",
    },
    Native {
        name: "values",
        params: "object",
        run: values,
        doc: "A new list of the values of a mapping, in the order of its keys.",
    },
];

/// `__new__` of `slice`: ZPy's function on a sequence, else Python's slice object.
pub fn slice(call: &mut Call) -> Res {
    let args = call.rest();
    let is_bound = |value: &Value| value.is_none() || Int::of(value).is_some();
    if let [sequence, bounds @ ..] = args
        && bounds.iter().all(is_bound)
        && is_sequence(call.vm, sequence)?
    {
        let [start, end] = bounds else {
            let given = args.len();
            return Err(call
                .vm
                .type_error(format!("slice() of a sequence takes 3 arguments ({given} given)")));
        };
        let slice = Ref::new(Slice { start: start.clone(), stop: end.clone(), step: Value::NONE });
        return call.vm.get_item(sequence, &slice.into());
    }
    let none = Value::NONE;
    let (start, stop, step) = match args {
        [stop] => (&none, stop, &none),
        [start, stop] => (start, stop, &none),
        [start, stop, step] => (start, stop, step),
        [] => return Err(call.vm.type_error("slice expected at least 1 argument, got 0")),
        _ => {
            let given = args.len();
            return Err(call.vm.type_error(format!("slice expected at most 3 arguments, got {given}")));
        }
    };
    Ok(Ref::new(Slice { start: start.clone(), stop: stop.clone(), step: step.clone() }).into())
}

fn is_sequence(vm: &mut Vm, value: &Value) -> Res<bool> {
    Ok(match Vm::unwrap_native(value).tag() {
        Tag::Str | Tag::List | Tag::Tuple | Tag::Range | Tag::Bytes | Tag::ByteArray => true,
        Tag::Instance => vm.special_method(value, "__getitem__")?.is_some(),
        _ => false,
    })
}

fn append(call: &mut Call) -> Res {
    call.vm.call_method(call.arg(0), "append", &[call.arg(1).clone()])
}

fn insert(call: &mut Call) -> Res {
    call.vm.call_method(call.arg(0), "insert", &[call.arg(1).clone(), call.arg(2).clone()])
}

fn pop(call: &mut Call) -> Res {
    let args = call.rest();
    call.vm.call_method(call.arg(0), "pop", args)
}

fn delete(call: &mut Call) -> Res {
    call.vm.delete_item(call.arg(0), call.arg(1))?;
    Ok(Value::NONE)
}

fn keys(call: &mut Call) -> Res {
    listed(call, "keys")
}

fn values(call: &mut Call) -> Res {
    listed(call, "values")
}

fn listed(call: &mut Call, method: &str) -> Res {
    let method = call.vm.get_attribute(call.arg(0), &Str::new(method))?;
    let view = call.vm.call(&method, &[])?;
    Ok(Value::list(call.vm.collect(&view)?))
}
