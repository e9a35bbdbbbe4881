//! Iterators over built-in things: the state between two `next()` calls.
//!
//! How each kind advances is in `eval/iterate.rs`; kinds that call script functions are here too, since
//! their state is as plain as the others'.

use super::{Dict, Heap, Ref, Tag, Value, View, dict::ViewKind};
use num_bigint::BigInt;
use std::cell::RefCell;

pub struct Iter {
    pub state: RefCell<IterState>,
}

/// The state of an iterator of a native module, with all it can do.
pub trait Tool {
    fn type_name(&self) -> &'static str;
    /// The next item, nothing at the end.
    fn next(&mut self, vm: &mut crate::eval::Vm) -> super::Res<Option<Value>>;
    fn trace(&self, visit: &mut dyn FnMut(&Value));

    /// What its text shows between brackets.
    fn shown(&self) -> Vec<Value> {
        Vec::new()
    }

    /// How many items are left, if that is known.
    fn left(&self) -> Option<i64> {
        None
    }

    /// How to make an iterator of a class that goes on from here; nothing if that cannot be said.
    fn reduce(&self, _vm: &mut crate::eval::Vm, _class: &Value) -> super::Res<Option<Value>> {
        Ok(None)
    }

    /// Takes over a state that `reduce` told.
    fn set_state(&mut self, vm: &mut crate::eval::Vm, _state: &Value) -> super::Res<()> {
        let name = self.type_name();
        Err(vm.error(
            crate::eval::Exc::AttributeError,
            format!("'itertools.{name}' object has no attribute '__setstate__'"),
        ))
    }

    /// Another iterator over the same items, of those that can be told apart.
    fn twin(&self) -> Option<Box<dyn Tool>> {
        None
    }

    /// What a `groupby` and its runs share.
    fn shared(&self) -> Option<Value> {
        None
    }

    /// Whether the state is still of use when there are no more items.
    fn is_kept_at_end(&self) -> bool {
        false
    }
}

pub enum IterState {
    /// Ended; every further `next()` ends too.
    Done,
    List {
        list: Value,
        index: usize,
    },
    ListReversed {
        list: Value,
        left: usize,
    },
    /// Tuples, strings, bytes: anything indexed whose length cannot change.
    Tuple {
        tuple: Value,
        index: usize,
    },
    Str {
        text: Value,
        offset: usize,
    },
    Bytes {
        bytes: Value,
        index: usize,
    },
    Range {
        next: i64,
        left: u64,
        step: i64,
    },
    BigRange {
        next: BigInt,
        left: BigInt,
        step: BigInt,
    },
    Dict {
        dict: Ref<Dict>,
        kind: ViewKind,
        slot: usize,
        /// Size of the dict, which must not change.
        len: usize,
        /// Items still to come.
        left: usize,
        reversed: bool,
    },
    Set {
        set: Value,
        slot: usize,
        len: usize,
    },
    /// Objects with `__getitem__` and no `__iter__`, and `reversed()` of sequences by index.
    Items {
        object: Value,
        index: i64,
        step: i64,
    },
    Enumerate {
        inner: Value,
        count: Value,
    },
    Zip {
        inner: Vec<Value>,
        strict: bool,
    },
    Map {
        function: Value,
        inner: Vec<Value>,
    },
    Filter {
        function: Value,
        inner: Value,
    },
    /// `iter(function, sentinel)`
    Calls {
        function: Value,
        sentinel: Value,
    },
    /// An iterator of `itertools`.
    Tool(Box<dyn Tool>),
    /// A tool that has ended.
    Ended(&'static str),
}

impl Iter {
    pub fn new(state: IterState) -> Ref<Iter> {
        Ref::new(Iter { state: RefCell::new(state) })
    }

    /// The name and what its text shows between brackets, if it shows anything.
    pub fn shown(&self) -> (&'static str, Vec<Value>) {
        match &*self.state.borrow() {
            IterState::Tool(tool) => (tool.type_name(), tool.shown()),
            _ => ("iterator", Vec::new()),
        }
    }

    /// Name of the iterator's type, as Python calls it.
    pub fn type_name(&self) -> &'static str {
        self.state.borrow().type_name()
    }
}

impl IterState {
    /// Name of the iterator's type, as Python calls it.
    pub fn type_name(&self) -> &'static str {
        match self {
            IterState::Done => "iterator",
            IterState::List { .. } => "list_iterator",
            IterState::ListReversed { .. } => "list_reverseiterator",
            IterState::Tuple { .. } => "tuple_iterator",
            IterState::Str { .. } => "str_iterator",
            IterState::Bytes { bytes, .. } if bytes.is::<super::ByteArray>() => "bytearray_iterator",
            IterState::Bytes { .. } => "bytes_iterator",
            IterState::Range { .. } => "range_iterator",
            IterState::BigRange { .. } => "longrange_iterator",
            IterState::Dict { kind, reversed, .. } => match (kind, reversed) {
                (ViewKind::Keys, false) => "dict_keyiterator",
                (ViewKind::Values, false) => "dict_valueiterator",
                (ViewKind::Items, false) => "dict_itemiterator",
                (ViewKind::Keys, true) => "dict_reversekeyiterator",
                (ViewKind::Values, true) => "dict_reversevalueiterator",
                (ViewKind::Items, true) => "dict_reverseitemiterator",
            },
            IterState::Set { .. } => "set_iterator",
            IterState::Items { step, .. } => {
                if *step < 0 {
                    "reversed"
                } else {
                    "iterator"
                }
            }
            IterState::Enumerate { .. } => "enumerate",
            IterState::Zip { .. } => "zip",
            IterState::Map { .. } => "map",
            IterState::Filter { .. } => "filter",
            IterState::Calls { .. } => "callable_iterator",
            IterState::Tool(tool) => tool.type_name(),
            IterState::Ended(name) => name,
        }
    }
}

/// The state of `reversed(value)` for built-in values that have an order.
pub fn reversed_state(value: &Value) -> Option<IterState> {
    Some(match value.view() {
        View::List(list) => IterState::ListReversed { list: value.clone(), left: list.len() },
        View::Range(range) => match (&range.big, range.len()) {
            (None, Some(0)) => IterState::Done,
            (None, Some(len)) => IterState::Range {
                next: range.last_small(len),
                left: len as u64,
                step: range.step.wrapping_neg(),
            },
            (Some(big), _) => {
                let left = big.len();
                let next = &big.start + &big.step * (&left - 1);
                IterState::BigRange { next, left, step: -&big.step }
            }
            (None, None) => return None,
        },
        View::Dict(_) => reversed_dict(value.get_ref::<Dict>()?, ViewKind::Keys),
        View::DictView(view) => reversed_dict(view.dict.clone(), view.kind),
        View::Tuple(tuple) => from_end(value, tuple.len()),
        View::MemoryView(view) => from_end(value, view.len()),
        View::Str(text) => from_end(value, text.len()),
        View::Bytes(bytes) => from_end(value, bytes.data().len()),
        View::ByteArray(bytes) => from_end(value, bytes.data.borrow().len()),
        _ => return None,
    })
}

fn reversed_dict(dict: Ref<Dict>, kind: ViewKind) -> IterState {
    let (slot, len) = (dict.borrow().slots(), dict.len());
    IterState::Dict { dict, kind, slot, len, left: len, reversed: true }
}

fn from_end(value: &Value, len: usize) -> IterState {
    IterState::Items { object: value.clone(), index: len as i64 - 1, step: -1 }
}

impl Heap for Iter {
    const TAG: Tag = Tag::Iter;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        match &*self.state.borrow() {
            IterState::Done | IterState::Ended(_) | IterState::Range { .. } | IterState::BigRange { .. } => {}
            IterState::Tool(tool) => tool.trace(visit),
            IterState::List { list: value, .. }
            | IterState::ListReversed { list: value, .. }
            | IterState::Tuple { tuple: value, .. }
            | IterState::Str { text: value, .. }
            | IterState::Bytes { bytes: value, .. }
            | IterState::Set { set: value, .. }
            | IterState::Items { object: value, .. } => visit(value),
            IterState::Dict { dict, .. } => visit(&dict.clone().into()),
            IterState::Enumerate { inner: a, count: b }
            | IterState::Filter { function: a, inner: b }
            | IterState::Calls { function: a, sentinel: b } => {
                visit(a);
                visit(b);
            }
            IterState::Zip { inner, .. } => inner.iter().for_each(visit),
            IterState::Map { function, inner } => {
                visit(function);
                inner.iter().for_each(visit);
            }
        }
    }
}
