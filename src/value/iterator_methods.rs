//! Methods of the built-in iterators.

use super::iterator::IterState;
use super::{Iter, List, Res, Value, View};
use crate::call::{Call, Native};
use crate::eval::Exc;

pub const ITERATOR: &[Native] = crate::rows![OWN, super::reduce::ITERATOR];

const OWN: &[Native] = &[
    Native {
        name: "__iter__",
        params: "self, /",
        run: |call| Ok(call.arg(0).clone()),
        doc: "The iterator itself.",
    },
    Native {
        name: "__next__",
        params: "self, /",
        run: next,
        doc: "The next item. StopIteration at the end.",
    },
    Native {
        name: "__length_hint__",
        params: "self, /",
        run: length_hint,
        doc: "About how many items are left.",
    },
];

fn next(call: &mut Call) -> Res {
    call.this::<Iter>()?;
    match call.vm.next(call.receiver())? {
        Some(item) => Ok(item),
        None => Err(call.vm.error_with(Exc::StopIteration, Vec::new())),
    }
}

/// How many items of a set's table come from a slot on.
fn left_in(items: &super::set::Items, slot: usize) -> usize {
    (slot..items.slots()).filter(|&slot| items.slot(slot).is_some()).count()
}

/// How many items an iterator by index has left: all from the end, or what the length says.
fn length_hint_of_items(call: &mut Call, object: &Value, index: i64, step: i64) -> Res {
    if step < 0 {
        let len = call.vm.len(object)? as i64;
        return Ok(Value::int(if index < len { index + 1 } else { 0 }));
    }
    if call.vm.special_method(object, "__len__")?.is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let len = call.vm.len(object)? as i64;
    Ok(Value::int((len - index).max(0)))
}

fn length_hint(call: &mut Call) -> Res {
    let left = match &*call.this::<Iter>()?.state.borrow() {
        IterState::List { list, index } => list.get::<List>().map_or(0, |l| l.len().saturating_sub(*index)),
        IterState::ListReversed { left, .. } => *left,
        IterState::Tuple { tuple, index } => match tuple.view() {
            View::Tuple(tuple) => tuple.len().saturating_sub(*index),
            _ => 0,
        },
        IterState::Str { text, offset } => text.as_str().map_or(0, |s| s[*offset..].chars().count()),
        IterState::Bytes { bytes, index } => match bytes.view() {
            View::Bytes(bytes) => bytes.data().len().saturating_sub(*index),
            View::ByteArray(bytes) => bytes.data.borrow().len().saturating_sub(*index),
            _ => 0,
        },
        IterState::Range { left, .. } => *left as usize,
        IterState::Dict { dict, len, left, .. } if dict.len() == *len => *left,
        IterState::Dict { .. } => 0,
        IterState::Set { set, slot, len } => match set.view() {
            View::Set(set) if set.len() == *len => left_in(&set.borrow(), *slot),
            View::FrozenSet(set) => left_in(&set.items, *slot),
            _ => 0,
        },
        IterState::BigRange { left, .. } => match usize::try_from(left) {
            Ok(left) => left,
            Err(_) => {
                return Err(call.vm.overflow_error("Python int too large to convert to C ssize_t"));
            }
        },
        IterState::Items { object, index, step } => {
            let (object, index, step) = (object.clone(), *index, *step);
            return length_hint_of_items(call, &object, index, step);
        }
        _ => 0,
    };
    Ok(Value::size(left))
}
