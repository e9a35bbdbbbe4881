//! The special methods of `bytes` and `bytearray`, for scripts that name them. See the same file of `str`.

use super::methods::{contents, made, receiver};
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::eval::code::CompareOp;
use crate::value::str::methods::made as text_made;
use crate::value::str::special::{concatenated, repeated};
use crate::value::{ByteArray, Res, Value};

pub const ROWS: &[Native] = &[
    Native { name: "__len__", params: "self, /", doc: "The number of bytes.", run: len },
    Native { name: "__getitem__", params: "self, key, /", doc: "`self[key]`.", run: getitem },
    Native { name: "__contains__", params: "self, key, /", doc: "`key in self`.", run: contains },
    Native { name: "__iter__", params: "self, /", doc: "An iterator over the bytes as ints.", run: iter },
    Native { name: "__hash__", params: "self, /", doc: "The hash of the data.", run: hash },
    Native { name: "__bytes__", params: "self, /", doc: "The data as plain bytes.", run: bytes },
    Native { name: "__str__", params: "self, /", doc: "The data as written in a program.", run: repr },
    Native { name: "__repr__", params: "self, /", doc: "The data as written in a program.", run: repr },
    Native { name: "__add__", params: "self, value, /", doc: "`self + value`.", run: add },
    Native { name: "__mul__", params: "self, value, /", doc: "`self * value`.", run: mul },
    Native { name: "__rmul__", params: "self, value, /", doc: "`value * self`.", run: mul },
    Native { name: "__mod__", params: "self, value, /", doc: "`self % value`.", run: modulo },
    Native { name: "__rmod__", params: "self, value, /", doc: "`value % self`.", run: reflected_modulo },
    Native { name: "__eq__", params: "self, value, /", doc: "`self == value`.", run: eq },
    Native { name: "__ne__", params: "self, value, /", doc: "`self != value`.", run: ne },
    Native { name: "__lt__", params: "self, value, /", doc: "`self < value`.", run: lt },
    Native { name: "__le__", params: "self, value, /", doc: "`self <= value`.", run: le },
    Native { name: "__gt__", params: "self, value, /", doc: "`self > value`.", run: gt },
    Native { name: "__ge__", params: "self, value, /", doc: "`self >= value`.", run: ge },
    Native {
        name: "__getnewargs__",
        params: "self, /",
        doc: "The arguments that make this object again, as copying asks for them.",
        run: getnewargs,
    },
];

fn len(call: &mut Call) -> Res {
    receiver(call)?;
    Ok(Value::size(call.vm.len(call.receiver())?))
}

fn getitem(call: &mut Call) -> Res {
    receiver(call)?;
    call.vm.get_item(call.receiver(), call.arg(1))
}

fn contains(call: &mut Call) -> Res {
    receiver(call)?;
    Ok(Value::bool(call.vm.contains(call.receiver(), call.arg(1))?))
}

fn iter(call: &mut Call) -> Res {
    receiver(call)?;
    call.vm.iter(call.receiver())
}

fn hash(call: &mut Call) -> Res {
    receiver(call)?;
    Ok(Value::int(call.vm.hash(call.receiver())? as i64))
}

fn bytes(call: &mut Call) -> Res {
    Ok(Value::bytes(receiver(call)?))
}

fn repr(call: &mut Call) -> Res {
    receiver(call)?;
    let shown = call.vm.repr_of(call.receiver())?;
    // Arrays show their class.
    match shown.strip_prefix("bytearray") {
        Some(rest) => Ok(text_made(call.vm.type_name(call.arg(0)) + rest)),
        None => Ok(text_made(shown)),
    }
}

fn add(call: &mut Call) -> Res {
    receiver(call)?;
    concatenated(call)
}

fn mul(call: &mut Call) -> Res {
    receiver(call)?;
    repeated(call)
}

fn modulo(call: &mut Call) -> Res {
    receiver(call)?;
    call.vm.percent_format_bytes(call.receiver(), call.arg(1))
}

fn reflected_modulo(call: &mut Call) -> Res {
    receiver(call)?;
    let template = Vm::unwrap_native(call.arg(1));
    match contents(template) {
        Some(_) => call.vm.percent_format_bytes(template, call.arg(0)),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn compared(call: &mut Call, op: CompareOp) -> Res {
    receiver(call)?;
    let other = Vm::unwrap_native(call.arg(1));
    if contents(other).is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    Ok(Value::bool(call.vm.compare_native(op, call.receiver(), other)?))
}

fn eq(call: &mut Call) -> Res {
    compared(call, CompareOp::Eq)
}

fn ne(call: &mut Call) -> Res {
    compared(call, CompareOp::NotEq)
}

fn lt(call: &mut Call) -> Res {
    compared(call, CompareOp::Lt)
}

fn le(call: &mut Call) -> Res {
    compared(call, CompareOp::LtE)
}

fn gt(call: &mut Call) -> Res {
    compared(call, CompareOp::Gt)
}

fn ge(call: &mut Call) -> Res {
    compared(call, CompareOp::GtE)
}

fn getnewargs(call: &mut Call) -> Res {
    let data = receiver(call)?;
    let plain = if call.receiver().is::<ByteArray>() { Value::bytes(data) } else { made(call, data) };
    Ok(Value::tuple(vec![plain]))
}
