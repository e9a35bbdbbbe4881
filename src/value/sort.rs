//! Sorting: `list.sort` and `sorted`.
//!
//! A stable merge sort over natural runs, as CPython's without its galloping mode. Comparisons may run script
//! code, fail, and contradict each other; whatever they answer, the result is some order of the items. Keys
//! that are all ints, all floats or all strings are compared without the interpreter.

use super::{Res, Str, Tag, Value};
use crate::eval::Vm;
use std::cmp::Ordering;

/// Runs shorter than this are extended by insertion.
const MIN_RUN: usize = 32;

impl Vm {
    /// The values in ascending order of their keys (of themselves without `key`), descending if `reverse`.
    /// Values with equal keys stay in order either way.
    ///
    /// # Errors
    /// Whatever `key` and the comparisons raise.
    pub fn sort_values(
        &mut self,
        mut values: Vec<Value>,
        key: Option<&Value>,
        reverse: bool,
    ) -> Res<Vec<Value>> {
        sort_in_place(self, &mut values, key, reverse)?;
        Ok(values)
    }
}

/// As [`Vm::sort_values`]; after an error all values are still there, in some order.
pub fn sort_in_place(vm: &mut Vm, values: &mut Vec<Value>, key: Option<&Value>, reverse: bool) -> Res<()> {
    let Some(key) = key else {
        if !sort_plain(values, reverse) {
            let order = order_of(vm, values, reverse)?;
            arrange(values, &order);
        }
        return Ok(());
    };
    let mut keys = Vec::with_capacity(values.len());
    for value in values.iter() {
        keys.push(vm.call(key, std::slice::from_ref(value))?);
    }
    let order = order_of(vm, &keys, reverse)?;
    arrange(values, &order);
    Ok(())
}

/// Kinds of keys that compare without the interpreter.
#[derive(Clone, Copy, PartialEq)]
enum Plain {
    Ints,
    Floats,
    Texts,
}

fn plain_kind(keys: &[Value]) -> Option<Plain> {
    let kind = match keys.first()?.tag() {
        Tag::Int => Plain::Ints,
        Tag::Float => Plain::Floats,
        Tag::Str => Plain::Texts,
        _ => return None,
    };
    let fits = |key: &Value| match kind {
        Plain::Ints => key.tag() == Tag::Int,
        Plain::Floats => key.as_float().is_some_and(|f| !f.is_nan()),
        Plain::Texts => key.is::<Str>(),
    };
    keys.iter().all(fits).then_some(kind)
}

fn compare_plain(kind: Plain, a: &Value, b: &Value) -> Ordering {
    match kind {
        Plain::Ints => a.as_int().cmp(&b.as_int()),
        Plain::Floats => a.as_float().partial_cmp(&b.as_float()).unwrap_or(Ordering::Equal),
        Plain::Texts => match (a.get::<Str>(), b.get::<Str>()) {
            (Some(a), Some(b)) => a.order(b),
            _ => Ordering::Equal,
        },
    }
}

/// Sorts values that are their own plain keys; whether they were.
fn sort_plain(values: &mut [Value], reverse: bool) -> bool {
    let Some(kind) = plain_kind(values) else { return values.len() < 2 };
    match reverse {
        false => values.sort_by(|a, b| compare_plain(kind, a, b)),
        true => values.sort_by(|a, b| compare_plain(kind, b, a)),
    }
    true
}

/// Positions of the keys in sorted order.
fn order_of(vm: &mut Vm, keys: &[Value], reverse: bool) -> Res<Vec<usize>> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    if let Some(kind) = plain_kind(keys) {
        match reverse {
            false => order.sort_by(|&a, &b| compare_plain(kind, &keys[a], &keys[b])),
            true => order.sort_by(|&a, &b| compare_plain(kind, &keys[b], &keys[a])),
        }
        return Ok(order);
    }
    let mut less = |a: usize, b: usize| match reverse {
        false => vm.less_than(&keys[a], &keys[b]),
        true => vm.less_than(&keys[b], &keys[a]),
    };
    merge_sort(&mut order, &mut less)?;
    Ok(order)
}

/// Puts the values into the given order of their positions.
fn arrange(values: &mut Vec<Value>, order: &[usize]) {
    let mut old = std::mem::take(values);
    values.extend(order.iter().map(|&at| old[at].take()));
}

type Less<'a> = dyn FnMut(usize, usize) -> Res<bool> + 'a;

/// Sorts runs of at least `MIN_RUN` and merges neighbours of similar length.
fn merge_sort(order: &mut [usize], less: &mut Less) -> Res<()> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let mut start = 0;
    while start < order.len() {
        let mut end = natural_run(order, start, less)?;
        let wanted = (start + MIN_RUN).min(order.len());
        if end < wanted {
            insert_rest(&mut order[start..wanted], end - start, less)?;
            end = wanted;
        }
        runs.push((start, end));
        while let [.., (first, middle), (_, last)] = runs[..]
            && middle - first <= last - middle
        {
            merge_last(order, &mut runs, less)?;
        }
        start = end;
    }
    while runs.len() > 1 {
        merge_last(order, &mut runs, less)?;
    }
    Ok(())
}

/// End of the run that starts at `start`; a strictly descending one is turned round.
fn natural_run(order: &mut [usize], start: usize, less: &mut Less) -> Res<usize> {
    let mut end = start + 1;
    if end >= order.len() {
        return Ok(order.len());
    }
    let is_descending = less(order[end], order[start])?;
    end += 1;
    while end < order.len() && less(order[end], order[end - 1])? == is_descending {
        end += 1;
    }
    if is_descending {
        order[start..end].reverse();
    }
    Ok(end)
}

/// Inserts the items from `sorted` on, each after its equals.
fn insert_rest(run: &mut [usize], sorted: usize, less: &mut Less) -> Res<()> {
    for next in sorted..run.len() {
        let (mut low, mut high) = (0, next);
        while low < high {
            let middle = low + (high - low) / 2;
            if less(run[next], run[middle])? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        run[low..=next].rotate_right(1);
    }
    Ok(())
}

/// Merges the last two runs.
fn merge_last(order: &mut [usize], runs: &mut Vec<(usize, usize)>, less: &mut Less) -> Res<()> {
    let (Some((middle, end)), Some((start, _))) = (runs.pop(), runs.pop()) else { return Ok(()) };
    let left = order[start..middle].to_vec();
    let (mut from_left, mut from_right, mut to) = (0, middle, start);
    while from_left < left.len() && from_right < end {
        if less(order[from_right], left[from_left])? {
            order[to] = order[from_right];
            from_right += 1;
        } else {
            order[to] = left[from_left];
            from_left += 1;
        }
        to += 1;
    }
    order[to..to + left.len() - from_left].copy_from_slice(&left[from_left..]);
    runs.push((start, end));
    Ok(())
}
