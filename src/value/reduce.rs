//! How built-in containers and iterators say what they are made of: `__reduce__`, and `__setstate__` of
//! iterators, which moves them to a place. `copy` and `pickle` ask for it.

use super::iterator::IterState;
use super::{BigInt, Int, Iter, List, Range, Ref, Res, Slice, Value, View};
use crate::call::{Call, Native};
use crate::eval::Vm;
use num_traits::{Signed, Zero};

pub const ITERATOR: &[Native] = &[
    Native {
        name: "__reduce__",
        params: "self, /",
        run: iterator,
        doc: "How to make the iterator anew: a function, its arguments, and how far it is.",
    },
    Native {
        name: "__setstate__",
        params: "self, state, /",
        run: move_iterator,
        doc: "Moves the iterator to a place, as `__reduce__` gives it.",
    },
];

pub const SET: Native = Native {
    name: "__reduce__",
    params: "self, /",
    run: set,
    doc: "How to make the set anew: its class, a list of the items, and the attributes.",
};

pub const RANGE: Native = Native {
    name: "__reduce__",
    params: "self, /",
    run: range,
    doc: "How to make the range anew: its class and arguments.",
};

pub const SLICE: Native = Native {
    name: "__reduce__",
    params: "self, /",
    run: slice,
    doc: "How to make the slice anew: its class and arguments.",
};

pub const BYTEARRAY: &[Native] = &[
    Native {
        name: "__reduce__",
        params: "self, /",
        run: |call| bytearray(call, 2),
        doc: "How to make the array anew: its class, the bytes as text, and the attributes.",
    },
    Native {
        name: "__reduce_ex__",
        params: "self, protocol=0, /",
        run: |call| {
            let protocol = call.int_or(1, 0)?;
            bytearray(call, protocol)
        },
        doc: "As `__reduce__`; protocols from 3 on know bytes.",
    },
];

/// `(class, args, attributes)` of the receiver.
fn of_class(call: &mut Call, args: Vec<Value>) -> Res {
    let class = call.vm.type_of(call.arg(0));
    let state = call.vm.call_method(call.arg(0), "__getstate__", &[])?;
    Ok(Value::tuple(vec![class.into(), Value::tuple(args), state]))
}

fn set(call: &mut Call) -> Res {
    let items = call.vm.collect(call.receiver())?;
    of_class(call, vec![Value::list(items)])
}

fn range(call: &mut Call) -> Res {
    let range = call.this::<Range>()?;
    let args = vec![range.start_value(), range.stop_value(), range.step_value()];
    let class = call.vm.type_of(call.arg(0));
    Ok(Value::tuple(vec![class.into(), Value::tuple(args)]))
}

fn slice(call: &mut Call) -> Res {
    let slice = call.this::<Slice>()?;
    let args = vec![slice.start.clone(), slice.stop.clone(), slice.step.clone()];
    let class = call.vm.type_of(call.arg(0));
    Ok(Value::tuple(vec![class.into(), Value::tuple(args)]))
}

fn bytearray(call: &mut Call, protocol: i64) -> Res {
    let data = call.bytes(0)?.into_owned();
    let args = match (data.is_empty(), protocol < 3) {
        (true, _) => Vec::new(),
        (false, true) => {
            let text: String = data.iter().map(|&byte| byte as char).collect();
            vec![Value::str(text), Value::str("latin-1")]
        }
        (false, false) => vec![Value::bytes(data)],
    };
    of_class(call, args)
}

/// A global function or class.
fn builtin(vm: &mut Vm, name: &str) -> Value {
    vm.ensure_builtin(name);
    vm.builtins.get_text(name).unwrap_or(Value::NONE)
}

fn iterator(call: &mut Call) -> Res {
    let iter = call.receiver().get_ref::<Iter>();
    let Some(iter) = iter else { return Err(call.wrong_receiver(super::Tag::Iter)) };
    let (function, args, state) = match parts(call.vm, &iter)? {
        Some(parts) => parts,
        None => {
            let name = iter.type_name();
            return Err(call.vm.type_error(format!("cannot pickle '{name}' object")));
        }
    };
    // That of a derived class is made by its class.
    let function = match call.arg(0).tag() {
        super::Tag::Instance => call.vm.type_of(call.arg(0)).into(),
        _ => builtin(call.vm, function),
    };
    let mut reduced = vec![function, Value::tuple(args)];
    reduced.extend(state);
    Ok(Value::tuple(reduced))
}

/// Name of the function that makes the iterator, its arguments, and the state; nothing for those of modules.
type Parts = Option<(&'static str, Vec<Value>, Option<Value>)>;

fn parts(vm: &mut Vm, iter: &Ref<Iter>) -> Res<Parts> {
    let place = |function, object: &Value, index: usize| {
        Some((function, vec![object.clone()], Some(Value::size(index))))
    };
    let parts = match &*iter.state.borrow() {
        IterState::Done => Some(("iter", vec![Value::list(Vec::new())], None)),
        IterState::List { list, index } => place("iter", list, *index),
        IterState::Tuple { tuple, index } => place("iter", tuple, *index),
        IterState::Bytes { bytes, index } => place("iter", bytes, *index),
        IterState::Str { text, offset } => {
            let index = text.as_str().map_or(0, |text| text[..*offset].chars().count());
            place("iter", text, index)
        }
        IterState::ListReversed { list, left } => {
            Some(("reversed", vec![list.clone()], Some(Value::int(*left as i64 - 1))))
        }
        IterState::Items { object, index, step } => {
            let function = if *step < 0 { "reversed" } else { "iter" };
            Some((function, vec![object.clone()], Some(Value::int(*index))))
        }
        IterState::Range { next, left, step } => {
            rest_of_range(&BigInt::from(*next), &BigInt::from(*left), &BigInt::from(*step))
        }
        IterState::BigRange { next, left, step } => rest_of_range(next, left, step),
        IterState::Enumerate { inner, count } => {
            Some(("enumerate", vec![inner.clone(), count.clone()], None))
        }
        IterState::Zip { inner, strict } => Some(("zip", inner.clone(), strict.then_some(Value::TRUE))),
        IterState::Map { function, inner } => {
            Some(("map", std::iter::once(function).chain(inner).cloned().collect(), None))
        }
        IterState::Filter { function, inner } => {
            Some(("filter", vec![function.clone(), inner.clone()], None))
        }
        IterState::Calls { function, sentinel } => {
            Some(("iter", vec![function.clone(), sentinel.clone()], None))
        }
        IterState::Dict { .. } | IterState::Set { .. } | IterState::Tool(_) | IterState::Ended(_) => None,
    };
    if parts.is_some() || !matches!(&*iter.state.borrow(), IterState::Dict { .. } | IterState::Set { .. }) {
        return Ok(parts);
    }
    Ok(Some(("iter", vec![Value::list(rest_of(vm, iter)?)], None)))
}

fn rest_of_range(next: &BigInt, left: &BigInt, step: &BigInt) -> Parts {
    // Just behind the last item, so that bounds that fit 64 bits stay so.
    let stop = if left.is_zero() { next.clone() } else { next + step * (left - 1) + step.signum() };
    let [start, stop, step] = [next.clone(), stop, step.clone()].map(Value::big);
    let range = super::range_methods::make_range(&start, &stop, &step);
    Some(("iter", vec![range], Some(Value::NONE)))
}

/// The items that an iterator of a dict or set still has, which it keeps.
fn rest_of(vm: &mut Vm, iter: &Ref<Iter>) -> Res<Vec<Value>> {
    let copy = match &*iter.state.borrow() {
        IterState::Dict { dict, kind, slot, len, left, reversed } => IterState::Dict {
            dict: dict.clone(),
            kind: *kind,
            slot: *slot,
            len: *len,
            left: *left,
            reversed: *reversed,
        },
        IterState::Set { set, slot, len } => IterState::Set { set: set.clone(), slot: *slot, len: *len },
        _ => IterState::Done,
    };
    vm.collect(&Iter::new(copy).into())
}

fn move_iterator(call: &mut Call) -> Res {
    let state = call.arg(1);
    let iter = call.this::<Iter>()?;
    if let IterState::Zip { strict, .. } = &mut *iter.state.borrow_mut() {
        *strict = state.as_bool().unwrap_or(true);
        return Ok(Value::NONE);
    }
    if state.is_none() {
        return Ok(Value::NONE);
    }
    let number = call.vm.to_int_value(state)?;
    let big = Int::of(&number).map(|int| int.to_big().into_owned()).unwrap_or_default();
    let to = call.int_clamped(1)?;
    let forward = usize::try_from(to).unwrap_or(0);
    match &mut *iter.state.borrow_mut() {
        IterState::List { index, .. } => *index = forward,
        IterState::Tuple { tuple, index } => {
            let len = match tuple.view() {
                View::Tuple(tuple) => tuple.len(),
                _ => usize::MAX,
            };
            *index = forward.min(len);
        }
        IterState::Bytes { index, .. } => *index = forward,
        IterState::Str { text, offset } => {
            let text = text.as_str().unwrap_or_default();
            *offset = text.char_indices().nth(forward).map_or(text.len(), |(at, _)| at);
        }
        IterState::ListReversed { list, left } => {
            let len = list.get::<List>().map_or(0, List::len);
            *left = usize::try_from(to.saturating_add(1)).unwrap_or(0).min(len);
        }
        IterState::Items { index, step, .. } if *step > 0 => *index = to.max(0),
        IterState::Items { index, .. } => *index = to.max(-1),
        IterState::Range { next, left, step } => {
            let steps = u64::try_from(to).unwrap_or(0).min(*left);
            *next = (*next as i128 + *step as i128 * steps as i128) as i64;
            *left -= steps;
        }
        IterState::BigRange { next, left, step } => {
            let steps = big.clamp(BigInt::zero(), left.clone());
            *next += &*step * &steps;
            *left -= steps;
        }
        _ => {}
    }
    Ok(Value::NONE)
}
