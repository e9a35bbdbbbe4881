//! `mappingproxy`: a view of a mapping that changes nothing. `__dict__` of a class is one.
//!
//! Whatever it is asked, it asks the mapping behind it, so it shows what becomes of that.

use super::{Heap, Ref, Res, Tag, Value};
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::eval::code::{BinaryOp, CompareOp};

pub struct MappingProxy {
    pub mapping: Value,
}

impl Heap for MappingProxy {
    const TAG: Tag = Tag::MappingProxy;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.mapping);
    }
}

/// A view of a mapping.
pub fn of(mapping: Value) -> Value {
    Ref::new(MappingProxy { mapping }).into()
}

pub static ROWS: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, mapping",
        run: new,
        doc: "A view of a mapping that changes nothing. TypeError for what is no mapping.",
    },
    Native { name: "__getitem__", params: "self, key, /", run: get_item, doc: "`self[key]`." },
    Native { name: "__contains__", params: "self, key, /", run: contains, doc: "`key in self`." },
    Native { name: "__len__", params: "self, /", run: len, doc: "The number of keys." },
    Native { name: "__iter__", params: "self, /", run: iter, doc: "An iterator over the keys." },
    Native {
        name: "__reversed__",
        params: "self, /",
        run: |call| asked(call, "__reversed__"),
        doc: "The keys from the newest on.",
    },
    Native {
        name: "get",
        params: "self, key, default=None, /",
        run: get,
        doc: "The value of a key, or the default if there is none.",
    },
    Native {
        name: "keys",
        params: "self, /",
        run: |call| asked(call, "keys"),
        doc: "A live view of the keys.",
    },
    Native {
        name: "values",
        params: "self, /",
        run: |call| asked(call, "values"),
        doc: "A live view of the values.",
    },
    Native {
        name: "items",
        params: "self, /",
        run: |call| asked(call, "items"),
        doc: "A live view of the entries as pairs.",
    },
    Native {
        name: "copy",
        params: "self, /",
        run: |call| asked(call, "copy"),
        doc: "A copy of the mapping.",
    },
    Native { name: "__or__", params: "self, value, /", run: or, doc: "`self | value`." },
    Native { name: "__ror__", params: "self, value, /", run: reflected_or, doc: "`value | self`." },
    Native { name: "__ior__", params: "self, value, /", run: in_place_or, doc: "Always a TypeError." },
    Native { name: "__hash__", params: "self, /", run: hash, doc: "The hash of the mapping." },
    Native { name: "__str__", params: "self, /", run: str, doc: "The mapping as text." },
    Native {
        name: "__repr__",
        params: "self, /",
        run: repr,
        doc: "The mapping, as that of a `mappingproxy`.",
    },
    Native {
        name: "__eq__",
        params: "self, value, /",
        run: |call| compared(call, CompareOp::Eq),
        doc: "`self == value`.",
    },
    Native {
        name: "__ne__",
        params: "self, value, /",
        run: |call| compared(call, CompareOp::NotEq),
        doc: "`self != value`.",
    },
    Native {
        name: "__lt__",
        params: "self, value, /",
        run: |call| compared(call, CompareOp::Lt),
        doc: "`self < value`.",
    },
    Native {
        name: "__le__",
        params: "self, value, /",
        run: |call| compared(call, CompareOp::LtE),
        doc: "`self <= value`.",
    },
    Native {
        name: "__gt__",
        params: "self, value, /",
        run: |call| compared(call, CompareOp::Gt),
        doc: "`self > value`.",
    },
    Native {
        name: "__ge__",
        params: "self, value, /",
        run: |call| compared(call, CompareOp::GtE),
        doc: "`self >= value`.",
    },
];

fn new(call: &mut Call) -> Res {
    let mapping = call.arg(1);
    let is_sequence = matches!(Vm::unwrap_native(mapping).tag(), Tag::List | Tag::Tuple);
    if is_sequence || call.vm.special_method(mapping, "__getitem__")?.is_none() {
        let got = call.vm.type_name(mapping);
        return Err(call.vm.type_error(format!("mappingproxy() argument must be a mapping, not {got}")));
    }
    Ok(of(mapping.clone()))
}

/// The mapping behind the receiver.
fn mapping<'a>(call: &mut Call<'a>) -> Res<&'a Value> {
    Ok(&call.this::<MappingProxy>()?.mapping)
}

/// What a method of the mapping gives.
fn asked(call: &mut Call, name: &str) -> Res {
    let mapping = mapping(call)?;
    call.vm.call_method(mapping, name, &[])
}

fn get_item(call: &mut Call) -> Res {
    let mapping = mapping(call)?;
    call.vm.get_item(mapping, call.arg(1))
}

fn contains(call: &mut Call) -> Res {
    let mapping = mapping(call)?;
    Ok(Value::bool(call.vm.contains(mapping, call.arg(1))?))
}

fn len(call: &mut Call) -> Res {
    let mapping = mapping(call)?;
    Ok(Value::size(call.vm.len(mapping)?))
}

fn iter(call: &mut Call) -> Res {
    let mapping = mapping(call)?;
    call.vm.iter(mapping)
}

fn get(call: &mut Call) -> Res {
    let mapping = mapping(call)?;
    let default = call.opt(2).cloned().unwrap_or(Value::NONE);
    call.vm.call_method(mapping, "get", &[call.arg(1).clone(), default])
}

/// The mapping behind a proxy; other values stay.
fn behind(value: &Value) -> &Value {
    value.get::<MappingProxy>().map_or(value, |proxy| &proxy.mapping)
}

fn or(call: &mut Call) -> Res {
    let mapping = mapping(call)?;
    call.vm.binary(BinaryOp::BitOr, mapping, behind(call.arg(1)))
}

fn reflected_or(call: &mut Call) -> Res {
    let mapping = mapping(call)?;
    call.vm.binary(BinaryOp::BitOr, behind(call.arg(1)), mapping)
}

fn in_place_or(call: &mut Call) -> Res {
    mapping(call)?;
    Err(call.vm.type_error("'|=' is not supported by mappingproxy; use '|' instead"))
}

fn hash(call: &mut Call) -> Res {
    let mapping = mapping(call)?;
    Ok(Value::int(call.vm.hash(mapping)? as i64))
}

fn str(call: &mut Call) -> Res {
    let mapping = mapping(call)?;
    Ok(Value::str(call.vm.str_of(mapping)?))
}

fn repr(call: &mut Call) -> Res {
    let mapping = mapping(call)?;
    let shown = call.vm.repr_of(mapping)?;
    Ok(Value::str(format!("mappingproxy({shown})")))
}

fn compared(call: &mut Call, op: CompareOp) -> Res {
    let mapping = mapping(call)?;
    call.vm.compare_value(op, mapping, call.arg(1))
}
