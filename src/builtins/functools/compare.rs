//! `cmp_to_key`: keys for sorting from a function that compares.

use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::eval::code::CompareOp;
use crate::value::{Foreign, Ref, Res, Value};
use std::cell::RefCell;
use std::rc::Rc;

/// Type name of the foreign objects.
pub const TYPE_NAME: &str = "KeyWrapper";

pub static ROWS: &[Native] = &[
    Native { name: "__call__", params: "self, /, obj", run: make, doc: "The key of an object." },
    Native { name: ".obj", params: "self", run: object, doc: "The object whose key it is." },
    Native {
        name: "__eq__",
        params: "self, other, /",
        run: |call| compare(call, CompareOp::Eq),
        doc: "`self == other`.",
    },
    Native {
        name: "__lt__",
        params: "self, other, /",
        run: |call| compare(call, CompareOp::Lt),
        doc: "`self < other`.",
    },
    Native {
        name: "__le__",
        params: "self, other, /",
        run: |call| compare(call, CompareOp::LtE),
        doc: "`self <= other`.",
    },
    Native {
        name: "__gt__",
        params: "self, other, /",
        run: |call| compare(call, CompareOp::Gt),
        doc: "`self > other`.",
    },
    Native {
        name: "__ge__",
        params: "self, other, /",
        run: |call| compare(call, CompareOp::GtE),
        doc: "`self >= other`.",
    },
];

/// A function that compares, and the object whose key it is, if it is a key already.
struct Key {
    function: Value,
    object: Option<Value>,
}

fn value(function: Value, object: Option<Value>) -> Value {
    let data = RefCell::new(Box::new(Rc::new(Key { function, object })) as Box<dyn std::any::Any>);
    Ref::new(Foreign { type_name: TYPE_NAME, data }).into()
}

fn of(value: &Value) -> Option<Rc<Key>> {
    let object = value.get::<Foreign>().filter(|object| object.type_name == TYPE_NAME)?;
    object.data.borrow().downcast_ref::<Rc<Key>>().cloned()
}

fn this(call: &mut Call) -> Res<Rc<Key>> {
    of(call.arg(0)).ok_or_else(|| call.wrong_type(0, "a key"))
}

pub fn cmp_to_key(call: &mut Call) -> Res {
    Ok(value(call.arg(0).clone(), None))
}

fn make(call: &mut Call) -> Res {
    let key = this(call)?;
    Ok(value(key.function.clone(), Some(call.arg(1).clone())))
}

fn object(call: &mut Call) -> Res {
    let key = this(call)?;
    key.object.clone().ok_or_else(|| call.vm.no_attribute(call.arg(0), &crate::value::Str::new("obj")))
}

/// How two keys compare, if the values are keys: what operators ask first, because sorting asks often.
pub fn compare_keys(vm: &mut Vm, op: CompareOp, left: &Value, right: &Value) -> Option<Res> {
    let (left, right) = (of(left)?, of(right)?);
    let (Some(a), Some(b)) = (&left.object, &right.object) else { return None };
    Some(match vm.call(&left.function, &[a.clone(), b.clone()]) {
        Ok(order) => vm.compare_value(op, &order, &Value::int(0)),
        Err(raised) => Err(raised),
    })
}

fn compare(call: &mut Call, op: CompareOp) -> Res {
    this(call)?;
    if of(call.arg(1)).is_none() {
        return Err(call.vm.type_error("other argument must be K instance"));
    }
    match compare_keys(call.vm, op, call.arg(0), call.arg(1)) {
        Some(answer) => answer,
        None => Err(call.vm.error(crate::eval::Exc::AttributeError, "object")),
    }
}
