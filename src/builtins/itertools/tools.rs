//! What the iterators of `itertools` keep between two items, and how each makes the next.
//!
//! While a tool makes an item its iterator holds nothing, so a script that asks the same iterator again from
//! inside finds it at its end instead of in a half-changed state.

use crate::eval::Vm;
use crate::eval::code::BinaryOp;
use crate::value::iterator::{IterState, Tool};
use crate::value::iterator_reduce::{made, made_with, nothing};
use crate::value::{Iter, List, Res, Tag, Tuple, Value};

/// What the next step gives.
type Item = Res<Option<Value>>;
/// Tells the collector of a value.
type Visit<'a> = &'a mut dyn FnMut(&Value);

/// What `reduce` gives.
type Reduced = Res<Option<Value>>;

/// The items of a state that must be a tuple of so many.
fn state_parts(vm: &mut Vm, state: &Value, least: usize, most: usize) -> Res<Vec<Value>> {
    let Some(parts) = Vm::unwrap_native(state).get::<Tuple>() else {
        return Err(vm.type_error("state is not a tuple"));
    };
    let count = parts.len();
    if !(least..=most).contains(&count) {
        let (word, wanted) = if count < least { ("at least", least) } else { ("at most", most) };
        let word = if least == most { "exactly" } else { word };
        return Err(vm.type_error(format!("function takes {word} {wanted} arguments ({count} given)")));
    }
    Ok(parts.items().to_vec())
}

/// Places that a state tells, each at most `last`.
fn state_places(vm: &mut Vm, state: &Value, count: usize, last: impl Fn(usize) -> usize) -> Res<Vec<usize>> {
    let parts = Vm::unwrap_native(state).get::<Tuple>().map(|parts| parts.items().to_vec());
    let Some(parts) = parts.filter(|parts| parts.len() == count) else {
        return Err(vm.value_error("invalid arguments"));
    };
    let mut places = Vec::with_capacity(count);
    for (at, part) in parts.iter().enumerate() {
        let place = vm.to_index(part)?;
        places.push((place.max(0) as usize).min(last(at)));
    }
    Ok(places)
}

fn places_value(places: &[usize]) -> Value {
    Value::tuple(places.iter().map(|&place| Value::size(place)).collect())
}

fn is_iterator(vm: &mut Vm, value: &Value) -> Res<()> {
    match vm.is_iterator(value) {
        true => Ok(()),
        false => Err(vm.type_error("Arguments must be iterators.")),
    }
}

pub struct Count {
    pub value: Value,
    pub step: Value,
}

impl Tool for Count {
    fn type_name(&self) -> &'static str {
        "count"
    }

    fn next(&mut self, vm: &mut Vm) -> Item {
        let next = match (self.value.as_small_int(), self.step.as_small_int()) {
            (Some(value), Some(step)) if value.checked_add(step).is_some() => Value::int(value + step),
            _ => vm.binary(BinaryOp::Add, &self.value, &self.step)?,
        };
        Ok(Some(std::mem::replace(&mut self.value, next)))
    }

    fn trace(&self, visit: Visit) {
        visit(&self.value);
        visit(&self.step);
    }

    fn shown(&self) -> Vec<Value> {
        let is_plain = self.step.as_small_int() == Some(1);
        if is_plain { vec![self.value.clone()] } else { vec![self.value.clone(), self.step.clone()] }
    }

    fn reduce(&self, _vm: &mut Vm, class: &Value) -> Reduced {
        Ok(Some(made(class.clone(), self.shown())))
    }
}

pub struct Cycle {
    /// The items, until they have ended.
    pub items: Option<Value>,
    pub saved: Vec<Value>,
    pub at: usize,
    /// The saved items are those of the whole pass: what the iterator still gives is among them.
    pub is_saved: bool,
}

impl Tool for Cycle {
    fn type_name(&self) -> &'static str {
        "cycle"
    }

    fn next(&mut self, vm: &mut Vm) -> Item {
        if let Some(items) = &self.items {
            if let Some(item) = vm.next(items)? {
                if !self.is_saved {
                    self.saved.push(item.clone());
                }
                return Ok(Some(item));
            }
            self.items = None;
        }
        let Some(item) = self.saved.get(self.at).cloned() else { return Ok(None) };
        self.at = (self.at + 1) % self.saved.len();
        Ok(Some(item))
    }

    fn trace(&self, visit: Visit) {
        self.items.iter().chain(&self.saved).for_each(visit);
    }

    fn reduce(&self, _vm: &mut Vm, class: &Value) -> Reduced {
        let saved = Value::list(self.saved.clone());
        Ok(Some(match &self.items {
            Some(items) => {
                let state = Value::tuple(vec![saved, Value::bool(self.is_saved)]);
                made_with(class.clone(), vec![items.clone()], state)
            }
            None => {
                let items = Iter::new(IterState::List { list: saved.clone(), index: self.at }).into();
                made_with(class.clone(), vec![items], Value::tuple(vec![saved, Value::TRUE]))
            }
        }))
    }

    fn set_state(&mut self, vm: &mut Vm, state: &Value) -> Res<()> {
        let parts = state_parts(vm, state, 2, 2)?;
        let Some(saved) = Vm::unwrap_native(&parts[0]).get::<List>() else {
            let got = vm.type_name(&parts[0]);
            return Err(vm.type_error(format!("argument 1 must be list, not {got}")));
        };
        self.is_saved = vm.to_index(&parts[1])? != 0;
        self.saved = saved.to_vec();
        self.at = 0;
        Ok(())
    }
}

pub struct Repeat {
    pub object: Value,
    /// How often it still comes; nothing if there is no end.
    pub left: Option<i64>,
}

impl Tool for Repeat {
    fn type_name(&self) -> &'static str {
        "repeat"
    }

    fn next(&mut self, _vm: &mut Vm) -> Item {
        match &mut self.left {
            // The object is still needed to show the iterator at its end, so the end is no `None` here.
            Some(left) if *left <= 0 => return Ok(None),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(Some(self.object.clone()))
    }

    fn trace(&self, visit: Visit) {
        visit(&self.object);
    }

    fn shown(&self) -> Vec<Value> {
        std::iter::once(self.object.clone()).chain(self.left.map(Value::int)).collect()
    }

    fn left(&self) -> Option<i64> {
        self.left
    }

    fn is_kept_at_end(&self) -> bool {
        true
    }

    fn reduce(&self, _vm: &mut Vm, class: &Value) -> Reduced {
        Ok(Some(made(class.clone(), self.shown())))
    }
}

pub struct Accumulate {
    pub items: Value,
    pub function: Option<Value>,
    pub total: Option<Value>,
    pub initial: Option<Value>,
}

impl Tool for Accumulate {
    fn type_name(&self) -> &'static str {
        "accumulate"
    }

    fn next(&mut self, vm: &mut Vm) -> Item {
        if let Some(initial) = self.initial.take() {
            self.total = Some(initial.clone());
            return Ok(Some(initial));
        }
        let Some(item) = vm.next(&self.items)? else { return Ok(None) };
        let total = match (&self.total, &self.function) {
            (None, _) => item,
            (Some(total), None) => vm.binary(BinaryOp::Add, total, &item)?,
            (Some(total), Some(function)) => vm.call(function, &[total.clone(), item])?,
        };
        self.total = Some(total.clone());
        Ok(Some(total))
    }

    fn trace(&self, visit: Visit) {
        visit(&self.items);
        self.function.iter().chain(&self.total).chain(&self.initial).for_each(visit);
    }

    fn reduce(&self, vm: &mut Vm, class: &Value) -> Reduced {
        let function = self.function.clone().unwrap_or(Value::NONE);
        let total = match (&self.initial, &self.total) {
            (Some(initial), _) => {
                // What comes first is put before the items.
                let chain: Value = vm.types.named("chain", Tag::Iter).into();
                let first = Value::tuple(vec![initial.clone()]);
                let items = vm.call(&chain, &[first, self.items.clone()])?;
                return Ok(Some(made(class.clone(), vec![items, function])));
            }
            (None, total) => total.clone(),
        };
        Ok(Some(match total {
            None => made(class.clone(), vec![self.items.clone(), function]),
            Some(total) if total.is_none() => {
                // A state of none would be no state at all: the total becomes the first item, which is left out.
                let chain: Value = vm.types.named("chain", Tag::Iter).into();
                let items = vm.call(&chain, &[Value::tuple(vec![total]), self.items.clone()])?;
                let whole = vm.call(class, &[items, function])?;
                let islice = vm.types.named("islice", Tag::Iter).into();
                made(islice, vec![whole, Value::int(1), Value::NONE])
            }
            Some(total) => made_with(class.clone(), vec![self.items.clone(), function], total),
        }))
    }

    fn set_state(&mut self, _vm: &mut Vm, state: &Value) -> Res<()> {
        self.total = Some(state.clone());
        Ok(())
    }
}

pub struct Batched {
    pub items: Value,
    pub size: usize,
}

impl Tool for Batched {
    fn type_name(&self) -> &'static str {
        "batched"
    }

    fn next(&mut self, vm: &mut Vm) -> Item {
        let mut batch = Vec::new();
        while batch.len() < self.size {
            match vm.next(&self.items)? {
                Some(item) => batch.push(item),
                None => break,
            }
        }
        Ok((!batch.is_empty()).then(|| Value::tuple(batch)))
    }

    fn trace(&self, visit: Visit) {
        visit(&self.items);
    }
}

pub struct Chain {
    /// An iterator over the iterables.
    pub sources: Value,
    pub active: Option<Value>,
}

impl Tool for Chain {
    fn type_name(&self) -> &'static str {
        "chain"
    }

    fn next(&mut self, vm: &mut Vm) -> Item {
        loop {
            if let Some(active) = &self.active {
                if let Some(item) = vm.next(active)? {
                    return Ok(Some(item));
                }
                self.active = None;
            }
            let Some(source) = vm.next(&self.sources)? else { return Ok(None) };
            self.active = Some(vm.iter(&source)?);
        }
    }

    fn trace(&self, visit: Visit) {
        visit(&self.sources);
        self.active.iter().for_each(visit);
    }

    fn reduce(&self, _vm: &mut Vm, class: &Value) -> Reduced {
        let mut state = vec![self.sources.clone()];
        state.extend(self.active.clone());
        Ok(Some(made_with(class.clone(), vec![], Value::tuple(state))))
    }

    fn set_state(&mut self, vm: &mut Vm, state: &Value) -> Res<()> {
        let parts = state_parts(vm, state, 1, 2)?;
        for part in &parts {
            is_iterator(vm, part)?;
        }
        self.sources = parts[0].clone();
        self.active = parts.get(1).cloned();
        Ok(())
    }
}

pub struct Compress {
    pub data: Value,
    pub selectors: Value,
}

impl Tool for Compress {
    fn type_name(&self) -> &'static str {
        "compress"
    }

    fn next(&mut self, vm: &mut Vm) -> Item {
        loop {
            let Some(item) = vm.next(&self.data)? else { return Ok(None) };
            let Some(selector) = vm.next(&self.selectors)? else { return Ok(None) };
            if vm.truth(&selector)? {
                return Ok(Some(item));
            }
        }
    }

    fn trace(&self, visit: Visit) {
        visit(&self.data);
        visit(&self.selectors);
    }

    fn reduce(&self, _vm: &mut Vm, class: &Value) -> Reduced {
        Ok(Some(made(class.clone(), vec![self.data.clone(), self.selectors.clone()])))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    TakeWhile,
    DropWhile,
    /// `dropwhile` after its first item.
    Rest,
    /// `takewhile` after its last item.
    Stopped,
    WhereFalse,
}

/// Items chosen by a predicate.
pub struct Filtered {
    predicate: Value,
    items: Value,
    choice: Choice,
}

impl Filtered {
    pub fn take_while(predicate: Value, items: Value) -> Filtered {
        Filtered { predicate, items, choice: Choice::TakeWhile }
    }

    pub fn drop_while(predicate: Value, items: Value) -> Filtered {
        Filtered { predicate, items, choice: Choice::DropWhile }
    }

    pub fn where_false(predicate: Value, items: Value) -> Filtered {
        Filtered { predicate, items, choice: Choice::WhereFalse }
    }

    fn test(&self, vm: &mut Vm, item: &Value) -> Res<bool> {
        if self.predicate.is_none() && self.choice == Choice::WhereFalse {
            return vm.truth(item);
        }
        let answer = vm.call(&self.predicate, std::slice::from_ref(item))?;
        vm.truth(&answer)
    }
}

impl Tool for Filtered {
    fn type_name(&self) -> &'static str {
        match self.choice {
            Choice::TakeWhile | Choice::Stopped => "takewhile",
            Choice::DropWhile | Choice::Rest => "dropwhile",
            Choice::WhereFalse => "filterfalse",
        }
    }

    fn next(&mut self, vm: &mut Vm) -> Item {
        if self.choice == Choice::Stopped {
            return Ok(None);
        }
        while let Some(item) = vm.next(&self.items)? {
            match self.choice {
                Choice::Stopped => return Ok(None),
                Choice::Rest => return Ok(Some(item)),
                Choice::TakeWhile => return Ok(if self.test(vm, &item)? { Some(item) } else { None }),
                Choice::DropWhile | Choice::WhereFalse => {
                    if !self.test(vm, &item)? {
                        if self.choice == Choice::DropWhile {
                            self.choice = Choice::Rest;
                        }
                        return Ok(Some(item));
                    }
                }
            }
        }
        Ok(None)
    }

    fn trace(&self, visit: Visit) {
        visit(&self.predicate);
        visit(&self.items);
    }

    fn reduce(&self, _vm: &mut Vm, class: &Value) -> Reduced {
        let args = vec![self.predicate.clone(), self.items.clone()];
        let is_past = match self.choice {
            Choice::WhereFalse => return Ok(Some(made(class.clone(), args))),
            choice => choice == Choice::Rest || choice == Choice::Stopped,
        };
        Ok(Some(made_with(class.clone(), args, Value::int(is_past as i64))))
    }

    fn set_state(&mut self, vm: &mut Vm, state: &Value) -> Res<()> {
        let is_past = vm.truth(state)?;
        self.choice = match (self.choice, is_past) {
            (Choice::TakeWhile | Choice::Stopped, true) => Choice::Stopped,
            (Choice::TakeWhile | Choice::Stopped, false) => Choice::TakeWhile,
            (Choice::DropWhile | Choice::Rest, true) => Choice::Rest,
            (Choice::DropWhile | Choice::Rest, false) => Choice::DropWhile,
            (Choice::WhereFalse, _) => Choice::WhereFalse,
        };
        Ok(())
    }
}

pub struct Islice {
    /// The items, until the slice has ended.
    pub items: Option<Value>,
    /// The place of the next item to give.
    pub next: u64,
    pub stop: Option<u64>,
    pub step: u64,
    /// How many items were read.
    pub taken: u64,
}

impl Tool for Islice {
    fn type_name(&self) -> &'static str {
        "islice"
    }

    fn next(&mut self, vm: &mut Vm) -> Item {
        let Some(items) = &self.items else { return Ok(None) };
        // Just as many items are read as the slice names: the iterator may be used afterwards.
        let wanted = self.stop.map_or(self.next, |stop| stop.min(self.next));
        while self.taken < wanted {
            if vm.next(items)?.is_none() {
                self.items = None;
                return Ok(None);
            }
            self.taken += 1;
        }
        if self.stop.is_some_and(|stop| self.taken >= stop) {
            self.items = None;
            return Ok(None);
        }
        let item = vm.next(items)?;
        self.taken += 1;
        self.next = self.next.saturating_add(self.step);
        Ok(item)
    }

    fn trace(&self, visit: Visit) {
        self.items.iter().for_each(visit);
    }

    fn reduce(&self, _vm: &mut Vm, class: &Value) -> Reduced {
        let Some(items) = &self.items else {
            return Ok(Some(made_with(class.clone(), vec![nothing(), Value::int(0)], Value::int(0))));
        };
        let number = |number: u64| Value::big(number.into());
        let stop = self.stop.map_or(Value::NONE, number);
        let args = vec![items.clone(), number(self.next), stop, number(self.step)];
        Ok(Some(made_with(class.clone(), args, number(self.taken))))
    }

    fn set_state(&mut self, vm: &mut Vm, state: &Value) -> Res<()> {
        self.taken = vm.to_index(state)?.max(0) as u64;
        Ok(())
    }
}

pub struct Pairwise {
    pub items: Value,
    pub before: Option<Value>,
}

impl Tool for Pairwise {
    fn type_name(&self) -> &'static str {
        "pairwise"
    }

    fn next(&mut self, vm: &mut Vm) -> Item {
        let before = match self.before.take() {
            Some(before) => before,
            None => match vm.next(&self.items)? {
                Some(first) => first,
                None => return Ok(None),
            },
        };
        let Some(item) = vm.next(&self.items)? else { return Ok(None) };
        self.before = Some(item.clone());
        Ok(Some(Value::tuple(vec![before, item])))
    }

    fn trace(&self, visit: Visit) {
        visit(&self.items);
        self.before.iter().for_each(visit);
    }
}

pub struct Starmap {
    pub function: Value,
    pub items: Value,
}

impl Tool for Starmap {
    fn type_name(&self) -> &'static str {
        "starmap"
    }

    fn next(&mut self, vm: &mut Vm) -> Item {
        let Some(item) = vm.next(&self.items)? else { return Ok(None) };
        let args = vm.collect(&item)?;
        vm.call(&self.function, &args).map(Some)
    }

    fn trace(&self, visit: Visit) {
        visit(&self.function);
        visit(&self.items);
    }

    fn reduce(&self, _vm: &mut Vm, class: &Value) -> Reduced {
        Ok(Some(made(class.clone(), vec![self.function.clone(), self.items.clone()])))
    }
}

pub struct Longest {
    /// The iterators; nothing for those that have ended.
    pub inner: Vec<Option<Value>>,
    pub active: usize,
    pub fill: Value,
}

impl Tool for Longest {
    fn type_name(&self) -> &'static str {
        "zip_longest"
    }

    fn next(&mut self, vm: &mut Vm) -> Item {
        if self.active == 0 {
            return Ok(None);
        }
        let mut row = Vec::with_capacity(self.inner.len());
        for slot in &mut self.inner {
            let item = match slot {
                Some(iterator) => match vm.next(iterator) {
                    Ok(item) => item,
                    Err(raised) => {
                        self.active = 0;
                        return Err(raised);
                    }
                },
                None => None,
            };
            if item.is_none() && slot.is_some() {
                *slot = None;
                self.active -= 1;
                if self.active == 0 {
                    return Ok(None);
                }
            }
            row.push(item.unwrap_or_else(|| self.fill.clone()));
        }
        Ok(Some(Value::tuple(row)))
    }

    fn trace(&self, visit: Visit) {
        self.inner.iter().flatten().for_each(&mut *visit);
        visit(&self.fill);
    }

    fn reduce(&self, _vm: &mut Vm, class: &Value) -> Reduced {
        let empty = || Value::tuple(vec![]);
        let args = self.inner.iter().map(|inner| inner.clone().unwrap_or_else(empty)).collect();
        Ok(Some(made_with(class.clone(), args, self.fill.clone())))
    }

    fn set_state(&mut self, _vm: &mut Vm, state: &Value) -> Res<()> {
        self.fill = state.clone();
        Ok(())
    }
}

pub struct Product {
    pub pools: Vec<Vec<Value>>,
    /// The place in each pool of the row that was given last.
    pub places: Vec<usize>,
    pub has_started: bool,
}

impl Tool for Product {
    fn type_name(&self) -> &'static str {
        "product"
    }

    fn next(&mut self, _vm: &mut Vm) -> Item {
        if !self.has_started {
            self.has_started = true;
            if self.pools.iter().any(Vec::is_empty) {
                return Ok(None);
            }
        } else {
            let mut at = self.places.len();
            loop {
                if at == 0 {
                    return Ok(None);
                }
                at -= 1;
                self.places[at] += 1;
                if self.places[at] < self.pools[at].len() {
                    break;
                }
                self.places[at] = 0;
            }
        }
        let row = self.pools.iter().zip(&self.places).map(|(pool, place)| pool[*place].clone());
        Ok(Some(Value::tuple(row.collect())))
    }

    fn trace(&self, visit: Visit) {
        self.pools.iter().flatten().for_each(visit);
    }

    fn reduce(&self, _vm: &mut Vm, class: &Value) -> Reduced {
        let pools = self.pools.iter().map(|pool| Value::tuple(pool.clone())).collect();
        Ok(Some(match self.has_started {
            true => made_with(class.clone(), pools, places_value(&self.places)),
            false => made(class.clone(), pools),
        }))
    }

    fn set_state(&mut self, vm: &mut Vm, state: &Value) -> Res<()> {
        let pools = &self.pools;
        let places = state_places(vm, state, pools.len(), |at| pools[at].len().saturating_sub(1))?;
        if self.pools.iter().any(Vec::is_empty) {
            return Ok(());
        }
        self.places = places;
        self.has_started = true;
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Permutations,
    Combinations,
    WithReplacement,
}

/// Tuples of places of a pool.
pub struct Arranged {
    pool: Vec<Value>,
    /// How many places a row has; `usize::MAX` if there are no rows.
    size: usize,
    asked: usize,
    /// The places of the row that was given last; of permutations, all places.
    places: Vec<usize>,
    /// Of permutations: how many turns each place has left.
    turns: Vec<usize>,
    order: Order,
    has_started: bool,
}

impl Arranged {
    pub fn new(pool: Vec<Value>, size: usize, order: Order) -> Arranged {
        let count = pool.len();
        let fits = match order {
            Order::WithReplacement => count > 0 || size == 0,
            _ => size <= count,
        };
        let (places, turns) = match order {
            _ if !fits => (Vec::new(), Vec::new()),
            Order::Permutations => ((0..count).collect(), (0..size).map(|at| count - at).collect()),
            Order::Combinations => ((0..size).collect(), Vec::new()),
            Order::WithReplacement => (vec![0; size], Vec::new()),
        };
        Arranged {
            pool,
            size: if fits { size } else { usize::MAX },
            asked: size,
            places,
            turns,
            order,
            has_started: false,
        }
    }

    /// Goes on to the next places; whether there are any.
    fn advance(&mut self) -> bool {
        let (count, size) = (self.pool.len(), self.size);
        match self.order {
            Order::Permutations => {
                for at in (0..size).rev() {
                    self.turns[at] -= 1;
                    if self.turns[at] > 0 {
                        self.places.swap(at, count - self.turns[at]);
                        return true;
                    }
                    self.places[at..].rotate_left(1);
                    self.turns[at] = count - at;
                }
                false
            }
            Order::Combinations => {
                let Some(at) = (0..size).rev().find(|at| self.places[*at] != at + count - size) else {
                    return false;
                };
                let first = self.places[at] + 1;
                for (offset, place) in self.places[at..].iter_mut().enumerate() {
                    *place = first + offset;
                }
                true
            }
            Order::WithReplacement => {
                let Some(at) = (0..size).rev().find(|at| self.places[*at] != count - 1) else { return false };
                let place = self.places[at] + 1;
                self.places[at..].fill(place);
                true
            }
        }
    }
}

impl Tool for Arranged {
    fn type_name(&self) -> &'static str {
        match self.order {
            Order::Permutations => "permutations",
            Order::Combinations => "combinations",
            Order::WithReplacement => "combinations_with_replacement",
        }
    }

    fn next(&mut self, _vm: &mut Vm) -> Item {
        if self.size == usize::MAX {
            return Ok(None);
        }
        let has_more = !std::mem::replace(&mut self.has_started, true) || self.advance();
        let row = || self.places[..self.size].iter().map(|place| self.pool[*place].clone()).collect();
        Ok(has_more.then(|| Value::tuple(row())))
    }

    fn trace(&self, visit: Visit) {
        self.pool.iter().for_each(visit);
    }

    fn reduce(&self, _vm: &mut Vm, class: &Value) -> Reduced {
        let pool = Value::tuple(self.pool.clone());
        let args = vec![pool, Value::size(self.asked)];
        if !self.has_started || self.size == usize::MAX {
            return Ok(Some(made(class.clone(), args)));
        }
        let places = places_value(&self.places);
        let state = match self.order {
            Order::Permutations => Value::tuple(vec![places, places_value(&self.turns)]),
            _ => places,
        };
        Ok(Some(made_with(class.clone(), args, state)))
    }

    fn set_state(&mut self, vm: &mut Vm, state: &Value) -> Res<()> {
        if self.size == usize::MAX {
            return Ok(());
        }
        let (count, size) = (self.pool.len(), self.size);
        match self.order {
            Order::Permutations => {
                let parts = state_parts(vm, state, 2, 2)?;
                let places = state_places(vm, &parts[0], count, |_| count.saturating_sub(1))?;
                let turns = state_places(vm, &parts[1], size, |at| count - at)?;
                self.places = places;
                self.turns = turns.into_iter().map(|turn| turn.max(1)).collect();
            }
            Order::Combinations => self.places = state_places(vm, state, size, |at| at + count - size)?,
            Order::WithReplacement => {
                self.places = state_places(vm, state, size, |_| count.saturating_sub(1))?
            }
        }
        self.has_started = true;
        Ok(())
    }
}

/// The parts of a `groupby` that its runs share: a list, because the runs outlive the step that made them.
const ITEMS: usize = 0;
const KEY: usize = 1;
/// The item that was read last, and its key; unbound before the first and when it was given out.
const ITEM: usize = 2;
const ITEM_KEY: usize = 3;
/// The key of the run that was given out last.
const RUN_KEY: usize = 4;
/// Which run that is.
const RUN: usize = 5;

pub struct Groupby {
    shared: Value,
}

impl Groupby {
    pub fn new(items: Value, key: Value) -> Groupby {
        let unbound = || Value::default();
        Groupby { shared: Value::list(vec![items, key, unbound(), unbound(), unbound(), Value::int(0)]) }
    }
}

fn part(shared: &Value, index: usize) -> Value {
    shared.get::<List>().and_then(|list| list.at(index)).unwrap_or_default()
}

fn set_part(shared: &Value, index: usize, value: Value) {
    if let Some(list) = shared.get::<List>() {
        let _ = list.set_at(index, value);
    }
}

/// Reads an item and its key; whether there was one.
fn read(vm: &mut Vm, shared: &Value) -> Res<bool> {
    let Some(item) = vm.next(&part(shared, ITEMS))? else { return Ok(false) };
    let key = part(shared, KEY);
    let item_key = if key.is_none() { item.clone() } else { vm.call(&key, std::slice::from_ref(&item))? };
    set_part(shared, ITEM, item);
    set_part(shared, ITEM_KEY, item_key);
    Ok(true)
}

impl Tool for Groupby {
    fn type_name(&self) -> &'static str {
        "groupby"
    }

    fn next(&mut self, vm: &mut Vm) -> Item {
        let shared = &self.shared;
        let run = part(shared, RUN).as_small_int().unwrap_or(0) + 1;
        set_part(shared, RUN, Value::int(run));
        loop {
            let (key, run_key) = (part(shared, ITEM_KEY), part(shared, RUN_KEY));
            if !key.is_unbound() && (run_key.is_unbound() || !vm.eq(&run_key, &key)?) {
                break;
            }
            if !read(vm, shared)? {
                return Ok(None);
            }
        }
        let key = part(shared, ITEM_KEY);
        set_part(shared, RUN_KEY, key.clone());
        let items = Grouper { shared: shared.clone(), key: key.clone(), run };
        let items = Iter::new(IterState::Tool(Box::new(items))).into();
        Ok(Some(Value::tuple(vec![key, items])))
    }

    fn trace(&self, visit: Visit) {
        visit(&self.shared);
    }

    fn reduce(&self, _vm: &mut Vm, class: &Value) -> Reduced {
        let shared = |index| part(&self.shared, index);
        let args = vec![shared(ITEMS), shared(KEY)];
        let state = vec![shared(ITEM), shared(RUN_KEY), shared(ITEM_KEY)];
        Ok(Some(match state.iter().any(Value::is_unbound) {
            true => made(class.clone(), args),
            false => made_with(class.clone(), args, Value::tuple(state)),
        }))
    }

    fn set_state(&mut self, vm: &mut Vm, state: &Value) -> Res<()> {
        let parts = state_parts(vm, state, 3, 3)?;
        for (index, value) in [ITEM, RUN_KEY, ITEM_KEY].into_iter().zip(parts) {
            set_part(&self.shared, index, value);
        }
        Ok(())
    }

    fn shared(&self) -> Option<Value> {
        Some(self.shared.clone())
    }
}

/// One run of a `groupby`.
pub struct Grouper {
    shared: Value,
    key: Value,
    run: i64,
}

impl Grouper {
    /// The run that is under way.
    pub fn new(shared: Value, key: Value) -> Grouper {
        let run = part(&shared, RUN).as_small_int().unwrap_or(0);
        Grouper { shared, key, run }
    }
}

impl Tool for Grouper {
    fn type_name(&self) -> &'static str {
        "_grouper"
    }

    fn next(&mut self, vm: &mut Vm) -> Item {
        let shared = &self.shared;
        if part(shared, RUN).as_small_int() != Some(self.run) {
            return Ok(None);
        }
        if part(shared, ITEM).is_unbound() && !read(vm, shared)? {
            return Ok(None);
        }
        if !vm.eq(&self.key, &part(shared, ITEM_KEY))? {
            return Ok(None);
        }
        let item = part(shared, ITEM);
        set_part(shared, ITEM, Value::default());
        Ok(Some(item))
    }

    fn trace(&self, visit: Visit) {
        visit(&self.shared);
        visit(&self.key);
    }

    fn reduce(&self, vm: &mut Vm, class: &Value) -> Reduced {
        if part(&self.shared, RUN).as_small_int() != Some(self.run) {
            return Ok(Some(made(crate::value::reduce::builtin(vm, "iter"), vec![Value::tuple(vec![])])));
        }
        let groupby = Groupby { shared: self.shared.clone() };
        let groupby = Iter::new(IterState::Tool(Box::new(groupby))).into();
        Ok(Some(made(class.clone(), vec![groupby, self.key.clone()])))
    }
}

/// One of several iterators over the same items. Items that were read are links, lists of an item and the next
/// link; a link goes when the slowest has passed it.
pub struct Tee {
    pub items: Value,
    pub link: Value,
}

impl Tee {
    pub fn new(items: Value) -> Tee {
        Tee { items, link: Value::list(Vec::new()) }
    }
}

impl Tool for Tee {
    fn type_name(&self) -> &'static str {
        "_tee"
    }

    fn next(&mut self, vm: &mut Vm) -> Item {
        let Some(link) = self.link.get::<List>() else { return Ok(None) };
        if link.is_empty() {
            // Whoever asks meanwhile finds a link that is half done.
            link.borrow_mut().push(Value::ELLIPSIS);
            let result = vm.next(&self.items);
            link.borrow_mut().clear();
            let Some(item) = result? else { return Ok(None) };
            link.borrow_mut().extend([item, Value::list(Vec::new())]);
        }
        if link.len() != 2 {
            return Err(vm.runtime_error("cannot re-enter the tee iterator"));
        }
        let (item, next) = (part(&self.link, 0), part(&self.link, 1));
        self.link = next;
        Ok(Some(item))
    }

    fn trace(&self, visit: Visit) {
        visit(&self.items);
        visit(&self.link);
    }

    fn twin(&self) -> Option<Box<dyn Tool>> {
        Some(Box::new(Tee { items: self.items.clone(), link: self.link.clone() }))
    }

    fn is_kept_at_end(&self) -> bool {
        true
    }

    /// The links are lists, so iterators in one pickle go on sharing them.
    fn reduce(&self, _vm: &mut Vm, class: &Value) -> Reduced {
        let state = Value::tuple(vec![self.link.clone(), self.items.clone()]);
        Ok(Some(made_with(class.clone(), vec![Value::tuple(vec![])], state)))
    }

    fn set_state(&mut self, vm: &mut Vm, state: &Value) -> Res<()> {
        let parts = state_parts(vm, state, 2, 2)?;
        if !parts[0].is::<List>() {
            return Err(vm.type_error("state of a tee is a list of items and an iterator"));
        }
        is_iterator(vm, &parts[1])?;
        self.link = parts[0].clone();
        self.items = parts[1].clone();
        Ok(())
    }
}
