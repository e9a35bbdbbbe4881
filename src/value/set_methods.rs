//! Methods of sets and frozen sets.
//!
//! Methods take any iterables; the operators (rows in `special_rows.rs`) want sets on both sides. A result
//! is a set if the receiver is one, else a frozen set.

use super::set::Items;
use super::special_rows::{BITWISE, CONTAINER, DIFFERENCE, SET_IN_PLACE};
use super::{FrozenSet, Res, Set, Tag, Value};
use crate::call::{Call, Native};
use crate::eval::code::BinaryOp;

pub const SET: &[Native] = crate::rows![CHANGING, COMMON, CONTAINER, BITWISE, DIFFERENCE, SET_IN_PLACE];
pub const FROZENSET: &[Native] = crate::rows![&[FROZEN_NEW], COMMON, CONTAINER, BITWISE, DIFFERENCE];

const COMMON: &[Native] = &[
    super::reduce::SET,
    Native { name: "copy", params: "self, /", run: copy, doc: "A set with the same items." },
    Native {
        name: "union",
        params: "self, /, *others",
        run: union,
        doc: "The items of the set and of all others.",
    },
    Native {
        name: "intersection",
        params: "self, /, *others",
        run: intersection,
        doc: "The items that are in the set and in all others.",
    },
    Native {
        name: "difference",
        params: "self, /, *others",
        run: difference,
        doc: "The items of the set that are in none of the others.",
    },
    Native {
        name: "symmetric_difference",
        params: "self, other, /",
        run: symmetric_difference,
        doc: "The items that are in exactly one of the two.",
    },
    Native {
        name: "isdisjoint",
        params: "self, other, /",
        run: is_disjoint,
        doc: "Whether the two have no item in common.",
    },
    Native {
        name: "issubset",
        params: "self, other, /",
        run: is_subset,
        doc: "Whether the other has every item.",
    },
    Native {
        name: "issuperset",
        params: "self, other, /",
        run: is_superset,
        doc: "Whether the set has every item of the other.",
    },
];

const FROZEN_NEW: Native = Native {
    name: "__new__",
    params: "cls, iterable=(), /",
    run: new_frozen,
    doc: "A set that never changes, with the items of an iterable.",
};

const CHANGING: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, iterable=(), /",
        run: new,
        doc: "A new set with the items of an iterable.",
    },
    Native {
        name: "__init__",
        params: "self, iterable=(), /",
        run: init,
        doc: "Replaces all items by those of an iterable.",
    },
    Native { name: "add", params: "self, item, /", run: add, doc: "Puts an item in." },
    Native { name: "clear", params: "self, /", run: clear, doc: "Removes all items." },
    Native { name: "discard", params: "self, item, /", run: discard, doc: "Takes an item out if it is in." },
    Native {
        name: "remove",
        params: "self, item, /",
        run: remove,
        doc: "Takes an item out. KeyError if it is not in.",
    },
    Native {
        name: "pop",
        params: "self, /",
        run: pop,
        doc: "Takes out any item. KeyError if there is none.",
    },
    Native {
        name: "update",
        params: "self, /, *others",
        run: update,
        doc: "Puts in the items of all others.",
    },
    Native {
        name: "intersection_update",
        params: "self, /, *others",
        run: intersection_update,
        doc: "Keeps only what is in all others.",
    },
    Native {
        name: "difference_update",
        params: "self, /, *others",
        run: difference_update,
        doc: "Takes out the items of all others.",
    },
    Native {
        name: "symmetric_difference_update",
        params: "self, other, /",
        run: symmetric_difference_update,
        doc: "Takes out what is in both and puts in what is only in the other.",
    },
];

fn new(call: &mut Call) -> Res {
    // An object of a derived class starts empty and is filled by `__init__`.
    if call.class()?.flags.is_user || call.opt(1).is_none() {
        return Ok(Set::new(Items::default()).into());
    }
    Ok(Set::new(call.vm.items_of(call.arg(1))?).into())
}

fn init(call: &mut Call) -> Res {
    let items = match call.opt(1) {
        Some(given) => call.vm.items_of(given)?,
        None => Items::default(),
    };
    replace(call, items)
}

fn new_frozen(call: &mut Call) -> Res {
    match call.opt(1) {
        None => Ok(FrozenSet::new(Items::default()).into()),
        Some(given) if given.is::<FrozenSet>() => Ok(given.clone()),
        Some(given) => Ok(FrozenSet::new(call.vm.items_of(given)?).into()),
    }
}

/// Gives the set other items.
fn replace(call: &mut Call, items: Items) -> Res {
    let old = std::mem::replace(&mut *call.this::<Set>()?.borrow_mut(), items);
    drop(old); // after the borrow: destructors may run script code
    Ok(Value::NONE)
}

/// The items of the receiver, copied.
fn own_items(call: &mut Call) -> Res<Items> {
    let this = call.inner()?;
    call.vm.items_of(this)
}

/// A set of the receiver's kind.
fn alike(call: &mut Call, items: Items) -> Res {
    let is_frozen = call.inner()?.tag() == Tag::FrozenSet;
    Ok(if is_frozen { FrozenSet::new(items).into() } else { Set::new(items).into() })
}

fn copy(call: &mut Call) -> Res {
    let this = call.inner()?;
    if this.is::<FrozenSet>() {
        return Ok(this.clone());
    }
    let items = own_items(call)?;
    alike(call, items)
}

fn union(call: &mut Call) -> Res {
    let mut items = own_items(call)?;
    for other in call.rest() {
        for item in call.vm.collect(other)? {
            call.vm.items_add(&mut items, item)?;
        }
    }
    alike(call, items)
}

/// Applies an operation of two sets to the receiver and all other arguments in turn.
fn fold(call: &mut Call, op: BinaryOp) -> Res<Items> {
    let mut result: Value = Set::new(own_items(call)?).into();
    for other in call.rest() {
        let items = call.vm.set_operation(op, &result, other)?;
        result = Set::new(items).into();
    }
    call.vm.items_of(&result)
}

fn intersection(call: &mut Call) -> Res {
    let items = fold(call, BinaryOp::BitAnd)?;
    alike(call, items)
}

fn difference(call: &mut Call) -> Res {
    let items = fold(call, BinaryOp::Sub)?;
    alike(call, items)
}

fn symmetric_difference(call: &mut Call) -> Res {
    let this = call.inner()?;
    let items = call.vm.set_operation(BinaryOp::BitXor, this, call.arg(1))?;
    alike(call, items)
}

fn is_disjoint(call: &mut Call) -> Res {
    let this = own_items(call)?;
    for item in call.items(1)? {
        let hash = call.vm.hash(&item)?;
        if call.vm.items_contain(&this, &item, hash)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

fn is_subset(call: &mut Call) -> Res {
    let this = own_items(call)?;
    let other = call.vm.items_of(call.arg(1))?;
    Ok(Value::bool(call.vm.is_subset(&this, &other)?))
}

fn is_superset(call: &mut Call) -> Res {
    let this = own_items(call)?;
    let other = call.vm.items_of(call.arg(1))?;
    Ok(Value::bool(call.vm.is_subset(&other, &this)?))
}

fn add(call: &mut Call) -> Res {
    let set = call.this::<Set>()?;
    call.vm.set_add(set, call.arg(1).clone())?;
    Ok(Value::NONE)
}

fn clear(call: &mut Call) -> Res {
    let old = call.this::<Set>()?.borrow_mut().clear();
    drop(old); // after the borrow: destructors may run script code
    Ok(Value::NONE)
}

/// Takes an item out; whether it was in.
fn take_out(call: &mut Call, set: &Set, item: &Value) -> Res<bool> {
    let (key, hash) = call.vm.set_key(item)?;
    let Some(slot) = call.vm.set_find(set, &key, hash)? else { return Ok(false) };
    let gone = set.borrow_mut().remove_at(slot);
    drop(gone);
    Ok(true)
}

fn discard(call: &mut Call) -> Res {
    let set = call.this::<Set>()?;
    take_out(call, set, call.arg(1))?;
    Ok(Value::NONE)
}

fn remove(call: &mut Call) -> Res {
    let set = call.this::<Set>()?;
    if take_out(call, set, call.arg(1))? {
        return Ok(Value::NONE);
    }
    Err(call.vm.key_error(call.arg(1).clone()))
}

fn pop(call: &mut Call) -> Res {
    let popped = call.this::<Set>()?.borrow_mut().pop();
    popped.ok_or_else(|| call.vm.key_error(Value::str("pop from an empty set")))
}

fn update(call: &mut Call) -> Res {
    let set = call.this::<Set>()?;
    for other in call.rest() {
        for item in call.vm.collect(other)? {
            call.vm.set_add(set, item)?;
        }
    }
    Ok(Value::NONE)
}

fn intersection_update(call: &mut Call) -> Res {
    let items = fold(call, BinaryOp::BitAnd)?;
    replace(call, items)
}

fn difference_update(call: &mut Call) -> Res {
    let set = call.this::<Set>()?;
    for other in call.rest() {
        for item in call.vm.collect(other)? {
            take_out(call, set, &item)?;
        }
    }
    Ok(Value::NONE)
}

fn symmetric_difference_update(call: &mut Call) -> Res {
    let this = call.inner()?;
    let items = call.vm.set_operation(BinaryOp::BitXor, this, call.arg(1))?;
    replace(call, items)
}
