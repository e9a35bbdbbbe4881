//! What iterators say they are made of, and how they go to a place.
//!
//! An iterator over a value is made anew by `iter(value)` and a place in it; where the place means nothing outside of
//! this process, as in a dict, by the items that are left. One that has ended is made of something empty.

use super::iterator::IterState;
use super::reduce::builtin;
use super::{Iter, List, Range, Res, Tuple, Value, View};
use crate::call::Call;
use crate::eval::Vm;

/// `function(*args)`
pub fn made(function: Value, args: Vec<Value>) -> Value {
    Value::tuple(vec![function, Value::tuple(args)])
}

/// `function(*args)`, then `__setstate__(state)`.
pub fn made_with(function: Value, args: Vec<Value>, state: Value) -> Value {
    Value::tuple(vec![function, Value::tuple(args), state])
}

/// An iterator over nothing.
pub fn nothing() -> Value {
    Iter::new(IterState::Tuple { tuple: Value::tuple(vec![]), index: 0 }).into()
}

/// `__reduce__`
pub fn reduce(call: &mut Call) -> Res {
    let class = call.vm.type_of(call.arg(0)).into();
    let iter = call.this::<Iter>()?;
    let vm = &mut *call.vm;
    if let IterState::Tool(tool) = &*iter.state.borrow() {
        return match tool.reduce(vm, &class)? {
            Some(reduced) => Ok(reduced),
            None => Err(vm.type_error(format!("cannot pickle 'itertools.{}' object", tool.type_name()))),
        };
    }
    let remade = |vm: &mut Vm| builtin(vm, "iter");
    Ok(match &*iter.state.borrow() {
        IterState::List { list, index } => made_with(remade(vm), vec![list.clone()], Value::size(*index)),
        IterState::ListReversed { list, left } => {
            made_with(builtin(vm, "reversed"), vec![list.clone()], Value::int(*left as i64 - 1))
        }
        IterState::Tuple { tuple, index } => made_with(remade(vm), vec![tuple.clone()], Value::size(*index)),
        IterState::Bytes { bytes, index } => made_with(remade(vm), vec![bytes.clone()], Value::size(*index)),
        IterState::Str { text, offset } => {
            let index =
                text.as_str().and_then(|text| text.get(..*offset)).map_or(0, |past| past.chars().count());
            made_with(remade(vm), vec![text.clone()], Value::size(index))
        }
        IterState::Range { next, left, step } => {
            let stop = *next as i128 + *step as i128 * *left as i128;
            // Where that is beyond 64 bits the number after the last one says the same.
            let stop = i64::try_from(stop).unwrap_or_else(|_| {
                let last = stop - *step as i128;
                last.saturating_add(step.signum() as i128).clamp(i64::MIN as i128, i64::MAX as i128) as i64
            });
            made_with(remade(vm), vec![Range::new(*next, stop, *step).into()], Value::int(0))
        }
        IterState::BigRange { next, left, step } => {
            // A state of 0 goes nowhere; Python's iterators have one.
            let ends = [next.clone(), next + step * left, step.clone()].map(Value::big);
            let range = builtin(vm, "range");
            let range = vm.call(&range, &ends)?;
            made_with(remade(vm), vec![range], Value::int(0))
        }
        IterState::Dict { .. } => made(remade(vm), vec![Value::list(rest_of_dict(iter))]),
        IterState::Set { .. } => made(remade(vm), vec![Value::list(rest_of_set(iter))]),
        IterState::Items { index, step, .. } if *index < 0 && *step < 0 => {
            made(builtin(vm, "reversed"), vec![Value::tuple(vec![])])
        }
        IterState::Items { object, index, step } => {
            let function = if *step < 0 { builtin(vm, "reversed") } else { remade(vm) };
            made_with(function, vec![object.clone()], Value::int(*index))
        }
        IterState::Enumerate { inner, count } => made(class, vec![inner.clone(), count.clone()]),
        IterState::Zip { inner, strict: false } => made(class, inner.clone()),
        IterState::Zip { inner, strict: true } => made_with(class, inner.clone(), Value::TRUE),
        IterState::Map { function, inner } => {
            let mut args = vec![function.clone()];
            args.extend(inner.iter().cloned());
            made(class, args)
        }
        IterState::Filter { function, inner } => made(class, vec![function.clone(), inner.clone()]),
        IterState::Calls { function, sentinel } => made(remade(vm), vec![function.clone(), sentinel.clone()]),
        IterState::Ended(name) => ended(vm, name, class),
        IterState::Done | IterState::Tool(_) => made(remade(vm), vec![Value::tuple(vec![])]),
    })
}

/// An iterator of that kind over nothing.
fn ended(vm: &mut Vm, name: &str, class: Value) -> Value {
    let truth = |vm: &mut Vm| builtin(vm, "bool");
    match name {
        "zip" | "chain" | "zip_longest" => made(class, vec![]),
        "enumerate" | "accumulate" | "groupby" | "cycle" => made(class, vec![nothing()]),
        "islice" => made_with(class, vec![nothing(), Value::int(0)], Value::int(0)),
        "compress" => made(class, vec![nothing(), nothing()]),
        "map" | "filter" | "takewhile" | "dropwhile" | "filterfalse" | "starmap" => {
            made(class, vec![truth(vm), nothing()])
        }
        "product" => made(class, vec![Value::tuple(vec![])]),
        "permutations" | "combinations" | "combinations_with_replacement" => {
            made(class, vec![Value::tuple(vec![]), Value::int(1)])
        }
        "list_iterator" | "list_reverseiterator" | "set_iterator" => {
            made(builtin(vm, "iter"), vec![Value::list(vec![])])
        }
        name if name.starts_with("dict_") => made(builtin(vm, "iter"), vec![Value::list(vec![])]),
        "str_iterator" => made(builtin(vm, "iter"), vec![Value::str("")]),
        "reversed" => made(builtin(vm, "reversed"), vec![Value::tuple(vec![])]),
        _ => made(builtin(vm, "iter"), vec![Value::tuple(vec![])]),
    }
}

fn rest_of_dict(iter: &Iter) -> Vec<Value> {
    use super::dict::ViewKind;
    let IterState::Dict { dict, kind, slot, reversed, .. } = &*iter.state.borrow() else { return Vec::new() };
    let map = dict.borrow();
    let slots: Vec<usize> = match reversed {
        true => (0..*slot).rev().collect(),
        false => (*slot..map.slots()).collect(),
    };
    let entries = slots.into_iter().filter_map(|slot| map.entry(slot));
    let item = |entry: &super::dict::Entry| match kind {
        ViewKind::Keys => entry.key.clone(),
        ViewKind::Values => entry.value.clone(),
        ViewKind::Items => Value::tuple(vec![entry.key.clone(), entry.value.clone()]),
    };
    entries.map(item).collect()
}

fn rest_of_set(iter: &Iter) -> Vec<Value> {
    let IterState::Set { set, slot, .. } = &*iter.state.borrow() else { return Vec::new() };
    let rest = |items: &super::set::Items| -> Vec<Value> {
        (*slot..items.slots()).filter_map(|slot| items.slot(slot)).map(|(item, _)| item.clone()).collect()
    };
    match set.view() {
        View::Set(set) => rest(&set.borrow()),
        View::FrozenSet(set) => rest(&set.items),
        _ => Vec::new(),
    }
}

/// `__setstate__`
pub fn set_state(call: &mut Call) -> Res {
    let state = call.arg(1).clone();
    let iter = call.this::<Iter>()?;
    if matches!(&*iter.state.borrow(), IterState::Tool(_)) {
        let name = iter.type_name();
        let IterState::Tool(mut tool) = iter.state.replace(IterState::Ended(name)) else {
            return Ok(Value::NONE);
        };
        let result = tool.set_state(call.vm, &state);
        let placeholder = iter.state.replace(IterState::Tool(tool));
        drop(placeholder);
        return result.map(|()| Value::NONE);
    }
    if matches!(&*iter.state.borrow(), IterState::Zip { .. }) {
        let is_strict = call.vm.truth(&state)?;
        if let IterState::Zip { strict, .. } = &mut *iter.state.borrow_mut() {
            *strict = is_strict;
        }
        return Ok(Value::NONE);
    }
    let index = call.int_clamped(1)?;
    go_to(iter, index);
    Ok(Value::NONE)
}

/// Goes to a place that is counted from the beginning.
fn go_to(iter: &Iter, place: i64) {
    let within = |len: usize| place.clamp(0, len as i64) as usize;
    let from_end = |len: usize| place.clamp(-1, len as i64 - 1);
    let length = |value: &Value| match value.view() {
        View::List(list) => Some(list.len()),
        View::Tuple(tuple) => Some(Tuple::len(tuple)),
        View::Str(text) => Some(text.len()),
        View::Bytes(bytes) => Some(bytes.data().len()),
        View::ByteArray(bytes) => Some(bytes.data.borrow().len()),
        _ => None,
    };
    match &mut *iter.state.borrow_mut() {
        IterState::List { list, index } => *index = within(list.get::<List>().map_or(0, List::len)),
        IterState::ListReversed { list, left } => {
            *left = (from_end(list.get::<List>().map_or(0, List::len)) + 1) as usize;
        }
        IterState::Tuple { tuple: value, index } | IterState::Bytes { bytes: value, index } => {
            *index = within(length(value).unwrap_or(0));
        }
        IterState::Str { text, offset } => {
            let text = text.as_str().unwrap_or_default();
            let place = place.max(0) as usize;
            *offset = text.char_indices().nth(place).map_or(text.len(), |(at, _)| at);
        }
        IterState::Range { next, left, step } => {
            let past = place.clamp(0, i64::try_from(*left).unwrap_or(i64::MAX));
            *next = next.wrapping_add(step.wrapping_mul(past));
            *left -= past as u64;
        }
        IterState::BigRange { next, left, step } => {
            let past = num_bigint::BigInt::from(place.max(0)).min(left.clone());
            *next += &*step * &past;
            *left -= past;
        }
        IterState::Items { object, index, step } => {
            *index = match (*step < 0, length(object)) {
                (true, Some(len)) => from_end(len),
                (true, None) => place.max(-1),
                (false, _) => place.max(0),
            };
        }
        _ => {}
    }
}
