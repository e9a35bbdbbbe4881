//! The special methods of `str`, for scripts that name them (`str.__add__`, `super().__format__`).
//!
//! Operators on plain strings never come here. For classes derived from `str` the evaluator finds these rows
//! like any other method, so each works on the built-in value inside and not on the instance again.

use super::Str;
use super::methods::made;
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::eval::code::{BinaryOp, CompareOp};
use crate::value::{Res, Tag, Value};

pub const ROWS: &[Native] = &[
    Native { name: "__len__", params: "self, /", doc: "The number of characters.", run: len },
    Native { name: "__getitem__", params: "self, key, /", doc: "`self[key]`.", run: getitem },
    Native { name: "__contains__", params: "self, key, /", doc: "`key in self`.", run: contains },
    Native { name: "__iter__", params: "self, /", doc: "An iterator over the characters.", run: iter },
    Native { name: "__hash__", params: "self, /", doc: "The hash of the text.", run: hash },
    Native { name: "__str__", params: "self, /", doc: "The text as a plain string.", run: str },
    Native { name: "__repr__", params: "self, /", doc: "The text as written in a program.", run: repr },
    Native {
        name: "__format__",
        params: "self, format_spec, /",
        doc: "`format(self, format_spec)`.",
        run: format,
    },
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
        doc: "The arguments that make this string again, as copying asks for them.",
        run: getnewargs,
    },
];

fn len(call: &mut Call) -> Res {
    Ok(Value::size(call.this::<Str>()?.len()))
}

fn getitem(call: &mut Call) -> Res {
    call.this::<Str>()?;
    call.vm.get_item(call.receiver(), call.arg(1))
}

fn contains(call: &mut Call) -> Res {
    call.this::<Str>()?;
    Ok(Value::bool(call.vm.contains(call.receiver(), call.arg(1))?))
}

fn iter(call: &mut Call) -> Res {
    call.this::<Str>()?;
    call.vm.iter(call.receiver())
}

fn hash(call: &mut Call) -> Res {
    Ok(Value::int(call.this::<Str>()?.hash() as i64))
}

fn str(call: &mut Call) -> Res {
    call.this::<Str>()?;
    Ok(call.receiver().clone())
}

fn repr(call: &mut Call) -> Res {
    Ok(made(crate::text::repr_str(call.this::<Str>()?.as_str())))
}

fn format(call: &mut Call) -> Res {
    call.this::<Str>()?;
    let spec = call.str(1)?;
    let mut out = String::new();
    if spec.is_empty() {
        call.vm.write_str(call.arg(0), &mut out)?;
    } else {
        call.vm.format_builtin(call.receiver(), spec, &mut out)?;
    }
    Ok(made(out))
}

fn add(call: &mut Call) -> Res {
    call.this::<Str>()?;
    concatenated(call)
}

/// `self + value` for the sequences of this module's neighbours too. An object of a script's class gets its
/// chance with `__radd__` before there is an error.
pub fn concatenated(call: &mut Call) -> Res {
    let (left, right) = (call.receiver(), Vm::unwrap_native(call.arg(1)));
    if let Some(sum) = call.vm.binary_builtin(BinaryOp::Add, left, right)? {
        return Ok(sum);
    }
    if call.arg(1).tag() == Tag::Instance {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    call.vm.binary(BinaryOp::Add, left, right)
}

fn mul(call: &mut Call) -> Res {
    call.this::<Str>()?;
    repeated(call)
}

/// `self * value` for any sequence.
pub fn repeated(call: &mut Call) -> Res {
    let value = call.arg(1);
    if value.tag() == Tag::Instance && crate::value::Int::of(value).is_none() {
        let Some(_) = call.vm.special_method(value, "__index__")? else { return Ok(Value::NOT_IMPLEMENTED) };
    }
    let count = call.vm.to_int_value(value)?;
    call.vm.binary(BinaryOp::Mul, call.receiver(), &count)
}

fn modulo(call: &mut Call) -> Res {
    let template = call.this::<Str>()?.as_str();
    call.vm.percent_format(template, call.arg(1))
}

fn reflected_modulo(call: &mut Call) -> Res {
    call.this::<Str>()?;
    match Vm::unwrap_native(call.arg(1)).as_str() {
        Some(template) => call.vm.percent_format(template, call.arg(0)),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn compared(call: &mut Call, op: CompareOp) -> Res {
    call.this::<Str>()?;
    let other = Vm::unwrap_native(call.arg(1));
    if !other.is::<Str>() {
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
    call.this::<Str>()?;
    Ok(Value::tuple(vec![call.receiver().clone()]))
}
