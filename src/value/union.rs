//! `int | str`: a union of types, for `isinstance` and annotations.

use super::{Foreign, Ref, Res, Str, Tag, Type, Value, View, generic_alias};
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::eval::code::BinaryOp;
use std::cell::RefCell;

/// Python's name of the type of unions.
pub const TYPE_NAME: &str = "UnionType";

pub const UNION: &[Native] = &[
    Native { name: ".__args__", params: "self", run: args, doc: "The types, as a tuple." },
    Native {
        name: "__or__",
        params: "self, other, /",
        run: |call| unite(call.vm, call.arg(0), call.arg(1)),
        doc: "`self | other`.",
    },
    Native {
        name: "__ror__",
        params: "self, other, /",
        run: |call| unite(call.vm, call.arg(1), call.arg(0)),
        doc: "`other | self`.",
    },
    Native {
        name: "__eq__",
        params: "self, other, /",
        run: equals,
        doc: "Whether both have the same types.",
    },
    Native {
        name: ".__parameters__",
        params: "self",
        run: |call| {
            let members = this(call);
            Ok(Value::tuple(generic_alias::variables(call.vm, &members)?))
        },
        doc: "Type variables among the types.",
    },
    Native {
        name: "__getitem__",
        params: "self, key, /",
        run: substitute,
        doc: "The union with types in the place of its type variables.",
    },
    Native { name: "__copy__", params: "self, /", run: same, doc: "The union itself." },
    Native { name: "__deepcopy__", params: "self, memo, /", run: same, doc: "The union itself." },
    Native { name: "__hash__", params: "self, /", run: hash, doc: "`hash(self)`." },
    Native { name: "__repr__", params: "self, /", run: repr, doc: "`repr(self)`." },
    Native {
        name: "__instancecheck__",
        params: "self, instance, /",
        run: instance_check,
        doc: "`isinstance(instance, self)`.",
    },
    Native {
        name: "__subclasscheck__",
        params: "self, subclass, /",
        run: subclass_check,
        doc: "`issubclass(subclass, self)`.",
    },
];

/// The types of a union; `None` if the value is none.
pub fn members(value: &Value) -> Option<Vec<Value>> {
    match value.view() {
        View::Foreign(object) if object.type_name == TYPE_NAME => {
            object.data.borrow().downcast_ref::<Vec<Value>>().cloned()
        }
        _ => None,
    }
}

/// `left | right` where one side is a type or a union.
pub fn unite(vm: &mut Vm, left: &Value, right: &Value) -> Res {
    let mut all: Vec<Value> = Vec::new();
    for side in [left, right] {
        let more = match side.view() {
            View::Type(_) => vec![side.clone()],
            _ if super::generic_alias::parts(side).is_some() => vec![side.clone()],
            // `none` stands for its type.
            View::None => vec![vm.type_of(side).into()],
            _ => match members(side) {
                Some(more) => more,
                None => return Ok(Value::NOT_IMPLEMENTED),
            },
        };
        for member in more {
            let mut is_known = false;
            for known in &all {
                is_known = is_known || same_type(vm, known, &member)?;
            }
            if !is_known {
                all.push(member);
            }
        }
    }
    if let [only] = &all[..] {
        return Ok(only.clone());
    }
    Ok(Ref::new(Foreign { type_name: TYPE_NAME, data: RefCell::new(Box::new(all)) }).into())
}

fn this(call: &Call) -> Vec<Value> {
    members(call.arg(0)).unwrap_or_default()
}

fn args(call: &mut Call) -> Res {
    Ok(Value::tuple(this(call)))
}

fn same(call: &mut Call) -> Res {
    Ok(call.arg(0).clone())
}

/// Whether two members of unions are the same: a type and an alias never are.
fn same_type(vm: &mut Vm, left: &Value, right: &Value) -> Res<bool> {
    Ok(left.same(right) || left.tag() == right.tag() && !left.is::<Type>() && vm.equals(left, right)?)
}

fn substitute(call: &mut Call) -> Res {
    let filled = generic_alias::fill_in(call.vm, call.arg(0), &this(call), call.arg(1))?;
    let mut filled = filled.into_iter();
    let mut union = filled.next().unwrap_or_default();
    for member in filled {
        union = call.vm.binary(BinaryOp::BitOr, &union, &member)?;
    }
    Ok(union)
}

/// The members as a set, which unions of `typing` compare by, too.
fn member_set(call: &mut Call, members: Vec<Value>) -> Res {
    let set = call.vm.set_from(members)?;
    let class = call.vm.types.of_tag(Tag::FrozenSet).clone();
    call.vm.call(&class.into(), &[set.into()])
}

fn equals(call: &mut Call) -> Res {
    let Some(other) = members(call.arg(1)) else { return Ok(Value::NOT_IMPLEMENTED) };
    let this = this(call);
    if this.len() != other.len() {
        return Ok(Value::FALSE);
    }
    for member in &this {
        let mut is_there = false;
        for candidate in &other {
            is_there = is_there || same_type(call.vm, member, candidate)?;
        }
        if !is_there {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

fn hash(call: &mut Call) -> Res {
    let set = member_set(call, this(call))?;
    Ok(Value::int(call.vm.hash(&set)? as i64))
}

fn repr(call: &mut Call) -> Res {
    let mut shown = Vec::new();
    for member in this(call) {
        shown.push(match member.get::<Type>() {
            Some(class) => class.display_name(),
            None => call.vm.repr_of(&member)?,
        });
    }
    Ok(Value::str(shown.join(" | ")))
}

/// Asks every type of the union.
fn any(call: &mut Call, method: &str) -> Res {
    for member in this(call) {
        let check = call.vm.get_attribute(&call.vm.type_of(&member).into(), &Str::new(method))?;
        let answer = call.vm.call(&check, &[member, call.arg(1).clone()])?;
        if call.vm.truth(&answer)? {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

fn instance_check(call: &mut Call) -> Res {
    any(call, "__instancecheck__")
}

fn subclass_check(call: &mut Call) -> Res {
    any(call, "__subclasscheck__")
}
