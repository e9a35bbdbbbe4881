//! Rows of special methods that several built-in types share: `__len__`, `__add__`, `__setitem__`, ...
//!
//! The evaluator does these things to built-in values directly. The rows are for scripts that name them,
//! above all `super().__setitem__(key, value)` in a class derived from `dict`. Each takes the built-in value
//! out of its receiver first, so that a row found on a derived class never finds itself again.

use super::{Int, Res, Tag, Value};
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::eval::code::{BinaryOp, UnaryOp};

/// Powers of numbers that know no modulus.
pub const POWER: Native = Native {
    name: "__pow__",
    params: "self, exponent, modulus=None, /",
    run: |call| power(call, false),
    doc: "`self ** exponent`.",
};
pub const REFLECTED_POWER: Native = Native {
    name: "__rpow__",
    params: "self, base, modulus=None, /",
    run: |call| power(call, true),
    doc: "`base ** self`.",
};

/// What has items: `len`, `in`, `for`.
pub const CONTAINER: &[Native] = &[
    Native { name: "__len__", params: "self, /", run: len, doc: "`len(self)`." },
    Native { name: "__contains__", params: "self, item, /", run: contains, doc: "`item in self`." },
    Native { name: "__iter__", params: "self, /", run: iter, doc: "`iter(self)`." },
];

/// What can be subscripted.
pub const INDEXED: &[Native] =
    &[Native { name: "__getitem__", params: "self, key, /", run: get_item, doc: "`self[key]`." }];

/// What stores under subscripts.
pub const CHANGEABLE: &[Native] = &[
    Native { name: "__setitem__", params: "self, key, value, /", run: set_item, doc: "`self[key] = value`." },
    Native { name: "__delitem__", params: "self, key, /", run: delete_item, doc: "`del self[key]`." },
];

/// `reversed(self)` of what remembers an order.
pub const REVERSIBLE: &[Native] = &[Native {
    name: "__reversed__",
    params: "self, /",
    run: reversed,
    doc: "An iterator over the items from the last to the first.",
}];

/// Rows for binary operators with their reflected form.
macro_rules! binary_rows {
    ($($op:ident $name:literal $reflected:literal $symbol:literal,)*) => {
        &[$(
            Native {
                name: $name,
                params: "self, value, /",
                run: |call| forward(call, BinaryOp::$op),
                doc: concat!("`self ", $symbol, " value`."),
            },
            Native {
                name: $reflected,
                params: "self, value, /",
                run: |call| reflected(call, BinaryOp::$op),
                doc: concat!("`value ", $symbol, " self`."),
            },
        )*]
    };
}

/// Operators of all numbers.
pub const ARITHMETIC: &[Native] = binary_rows! {
    Add "__add__" "__radd__" "+",
    Sub "__sub__" "__rsub__" "-",
    Mul "__mul__" "__rmul__" "*",
    Div "__truediv__" "__rtruediv__" "/",
};

/// Operators of numbers with an order.
pub const DIVISION: &[Native] = binary_rows! {
    FloorDiv "__floordiv__" "__rfloordiv__" "//",
    Mod "__mod__" "__rmod__" "%",
};

/// Operators on the bits of ints.
pub const SHIFTS: &[Native] = binary_rows! {
    LShift "__lshift__" "__rlshift__" "<<",
    RShift "__rshift__" "__rrshift__" ">>",
};

/// Operators that ints and bools read bit by bit and sets as sets.
pub const BITWISE: &[Native] = binary_rows! {
    BitAnd "__and__" "__rand__" "&",
    BitOr "__or__" "__ror__" "|",
    BitXor "__xor__" "__rxor__" "^",
};

/// Difference, of sets.
pub const DIFFERENCE: &[Native] = binary_rows! {
    Sub "__sub__" "__rsub__" "-",
};

/// Union, of dicts.
pub const UNION: &[Native] = binary_rows! {
    BitOr "__or__" "__ror__" "|",
};

/// `+` and `*` of sequences.
pub const SEQUENCE: &[Native] = &[
    Native {
        name: "__add__",
        params: "self, value, /",
        run: |call| forward(call, BinaryOp::Add),
        doc: "`self + value`.",
    },
    Native {
        name: "__mul__",
        params: "self, value, /",
        run: |call| forward(call, BinaryOp::Mul),
        doc: "`self * value`.",
    },
    Native {
        name: "__rmul__",
        params: "self, value, /",
        run: |call| forward(call, BinaryOp::Mul),
        doc: "`value * self`.",
    },
];

/// Rows for operators that change the left side.
macro_rules! in_place_rows {
    ($($op:ident $name:literal $symbol:literal,)*) => {
        &[$(Native {
            name: $name,
            params: "self, value, /",
            run: |call| in_place(call, BinaryOp::$op),
            doc: concat!("`self ", $symbol, " value`, in place."),
        },)*]
    };
}

/// In-place operators of lists.
pub const SEQUENCE_IN_PLACE: &[Native] = in_place_rows! {
    Add "__iadd__" "+=",
    Mul "__imul__" "*=",
};

/// In-place operators of sets.
pub const SET_IN_PLACE: &[Native] = in_place_rows! {
    BitAnd "__iand__" "&=",
    BitOr "__ior__" "|=",
    BitXor "__ixor__" "^=",
    Sub "__isub__" "-=",
};

/// In-place union of dicts.
pub const UNION_IN_PLACE: &[Native] = in_place_rows! {
    BitOr "__ior__" "|=",
};

/// Rows for `+x`, `-x`, truth.
pub const UNARY: &[Native] = &[
    Native { name: "__neg__", params: "self, /", run: |call| unary(call, UnaryOp::Minus), doc: "`-self`." },
    Native { name: "__pos__", params: "self, /", run: |call| unary(call, UnaryOp::Plus), doc: "`+self`." },
    Native { name: "__bool__", params: "self, /", run: truth, doc: "Whether it counts as true." },
];

fn len(call: &mut Call) -> Res {
    let this = call.inner()?;
    Ok(Value::size(call.vm.len(this)?))
}

fn contains(call: &mut Call) -> Res {
    let this = call.inner()?;
    Ok(Value::bool(call.vm.contains(this, call.arg(1))?))
}

fn iter(call: &mut Call) -> Res {
    let this = call.inner()?;
    call.vm.iter(this)
}

fn get_item(call: &mut Call) -> Res {
    let this = call.inner()?;
    call.vm.native_item(call.arg(0), this, call.arg(1))
}

fn set_item(call: &mut Call) -> Res {
    let this = call.inner()?;
    call.vm.set_item(this, call.arg(1).clone(), call.arg(2).clone())?;
    Ok(Value::NONE)
}

fn delete_item(call: &mut Call) -> Res {
    let this = call.inner()?;
    call.vm.delete_item(this, call.arg(1))?;
    Ok(Value::NONE)
}

fn reversed(call: &mut Call) -> Res {
    let this = call.inner()?;
    match super::iterator::reversed_state(this) {
        Some(state) => Ok(super::Iter::new(state).into()),
        None => {
            let name = call.vm.type_name(this);
            Err(call.vm.type_error(format!("'{name}' object is not reversible")))
        }
    }
}

/// Whether the methods of the receiver's type know the other operand: those of ints know only ints.
pub fn knows(this: &Value, other: &Value) -> bool {
    Int::of(this).is_none() || Int::of(other).is_some()
}

fn power(call: &mut Call, is_reflected: bool) -> Res {
    let (this, other) = (call.inner()?, Vm::unwrap_native(call.arg(1)));
    if call.opt_not_none(2).is_some() {
        return Err(match this.tag() {
            Tag::Complex => call.vm.value_error("complex modulo"),
            _ => call.vm.type_error("pow() 3rd argument not allowed unless all arguments are integers"),
        });
    }
    let (base, exponent) = if is_reflected { (other, this) } else { (this, other) };
    let result = call.vm.binary_builtin(BinaryOp::Pow, base, exponent)?;
    Ok(result.unwrap_or(Value::NOT_IMPLEMENTED))
}

fn forward(call: &mut Call, op: BinaryOp) -> Res {
    let left = call.inner()?;
    let right = Vm::unwrap_native(call.arg(1));
    if op == BinaryOp::Mul
        && let Some(repeated) = call.vm.repeat_by_index(left, right)?
    {
        return Ok(repeated);
    }
    if !knows(left, right) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    Ok(call.vm.binary_builtin(op, left, right)?.unwrap_or(Value::NOT_IMPLEMENTED))
}

fn reflected(call: &mut Call, op: BinaryOp) -> Res {
    let right = call.inner()?;
    let left = Vm::unwrap_native(call.arg(1));
    if !knows(right, left) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    Ok(call.vm.binary_builtin(op, left, right)?.unwrap_or(Value::NOT_IMPLEMENTED))
}

fn in_place(call: &mut Call, op: BinaryOp) -> Res {
    let this = call.inner()?;
    call.vm.inplace(op, this, Vm::unwrap_native(call.arg(1)))?;
    Ok(call.arg(0).clone())
}

pub fn unary(call: &mut Call, op: UnaryOp) -> Res {
    let this = call.inner()?;
    call.vm.unary(op, this)
}

fn truth(call: &mut Call) -> Res {
    let this = call.inner()?;
    Ok(Value::bool(call.vm.truth(this)?))
}

/// The receiver itself, as a plain value of its built-in type.
pub fn itself(call: &mut Call) -> Res {
    let this = call.inner()?;
    match Int::of(this) {
        Some(int) => Ok(int.to_value()),
        None => Ok(this.clone()),
    }
}
