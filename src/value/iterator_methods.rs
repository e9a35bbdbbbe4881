//! Methods of the built-in iterators.

use super::iterator::IterState;
use super::{Iter, List, Res, Value, View};
use crate::call::{Call, Native};
use crate::eval::Exc;

pub const ITERATOR: &[Native] = &[
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
    match call.vm.next(call.arg(0))? {
        Some(item) => Ok(item),
        None => Err(call.vm.error_with(Exc::StopIteration, Vec::new())),
    }
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
        IterState::Dict { left, .. } => *left,
        _ => 0,
    };
    Ok(Value::size(left))
}
