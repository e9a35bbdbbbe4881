//! Sorting values: stable, with a key function, and safe whatever a comparison does.

use super::Vm;
use crate::value::{Res, Tag, Value};
use std::cmp::Ordering;

impl Vm {
    /// The items in ascending order of `key(item)`, or descending with `reverse`; equal ones keep their
    /// order either way.
    ///
    /// # Errors
    /// What the key function or a comparison raises.
    pub fn sort_values(&mut self, items: Vec<Value>, key: Option<&Value>, reverse: bool) -> Res<Vec<Value>> {
        let mut pairs = Vec::with_capacity(items.len());
        for item in items {
            let rank = match key {
                Some(key) => self.call(key, std::slice::from_ref(&item))?,
                None => Value::UNBOUND,
            };
            pairs.push((rank, item));
        }
        let has_key = key.is_some();
        let rank = |pair: &(Value, Value)| if has_key { pair.0.clone() } else { pair.1.clone() };
        let ranks: Vec<Value> = pairs.iter().map(rank).collect();
        let mut order: Vec<u32> = (0..ranks.len() as u32).collect();
        if reverse {
            order.reverse();
        }
        match plain_order(&ranks) {
            Some(compare) => order.sort_by(|&a, &b| compare(&ranks[a as usize], &ranks[b as usize])),
            None => {
                let mut spare = order.clone();
                self.merge_sort(&ranks, &mut order, &mut spare)?;
            }
        }
        if reverse {
            order.reverse();
        }
        let mut items: Vec<Value> = pairs.into_iter().map(|(_, item)| item).collect();
        Ok(order.into_iter().map(|i| items[i as usize].take()).collect())
    }

    /// Merge sort: unlike the sorts of the standard library it accepts any answers of a comparison.
    fn merge_sort(&mut self, ranks: &[Value], order: &mut [u32], spare: &mut [u32]) -> Res<()> {
        if order.len() <= 1 {
            return Ok(());
        }
        let middle = order.len() / 2;
        self.merge_sort(ranks, &mut order[..middle], &mut spare[..middle])?;
        self.merge_sort(ranks, &mut order[middle..], &mut spare[middle..])?;
        let less = |vm: &mut Vm, a: u32, b: u32| vm.less_than(&ranks[a as usize], &ranks[b as usize]);
        if !less(self, order[middle], order[middle - 1])? {
            return Ok(());
        }
        spare.copy_from_slice(order);
        let (mut left, mut right) = (0, middle);
        for slot in order.iter_mut() {
            let takes_right = left == middle || right < spare.len() && less(self, spare[right], spare[left])?;
            let from = if takes_right { &mut right } else { &mut left };
            *slot = spare[*from];
            *from += 1;
        }
        Ok(())
    }
}

/// How to compare when all values are small ints, or all strings, or all floats without NaN.
fn plain_order(ranks: &[Value]) -> Option<fn(&Value, &Value) -> Ordering> {
    let tag = ranks.first()?.tag();
    if ranks.iter().any(|rank| rank.tag() != tag) {
        return None;
    }
    match tag {
        Tag::Int => Some(|a, b| a.as_int().cmp(&b.as_int())),
        Tag::Str => Some(|a, b| a.as_str().cmp(&b.as_str())),
        Tag::Float if ranks.iter().all(|r| r.as_float().is_some_and(|f| !f.is_nan())) => {
            Some(|a, b| a.as_float().partial_cmp(&b.as_float()).unwrap_or(Ordering::Equal))
        }
        _ => None,
    }
}
