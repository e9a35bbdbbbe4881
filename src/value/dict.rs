//! Dicts: insertion-ordered hash tables, and the views over them.
//!
//! [`Map`] is a list of entries in insertion order plus an index of 32-bit entry numbers probed by hash;
//! up to eight entries are searched without an index. A removed entry leaves a hole, so that iterators keep
//! their place; the next growth squeezes it out. Equality of most keys needs no script code ([`plain_eq`]);
//! where it might, look-up goes through the interpreter (`Vm::dict_get` and friends), which asks this file
//! for the candidates.

use super::{Heap, Ref, Str, Tag, Value, View};
use std::cell::{Ref as Borrow, RefCell, RefMut};

#[derive(Clone)]
pub struct Entry {
    pub hash: u64,
    /// `Unbound` marks a removed entry.
    pub key: Value,
    pub value: Value,
}

/// The table itself.
#[derive(Clone, Default)]
pub struct Map {
    entries: Vec<Entry>,
    /// Empty while there are at most `LINEAR` entries; a power of two in size otherwise.
    index: Box<[u32]>,
    /// Slots of the index that are not `FREE`.
    used: usize,
    live: usize,
    /// Counts changes of the set of keys, so that iterators and re-entrant look-ups notice.
    version: u32,
}

const LINEAR: usize = 8;
const FREE: u32 = u32::MAX;
/// The entry was removed; probing goes on past it.
const REMOVED: u32 = u32::MAX - 1;

/// Whether two keys are equal, if that can be told without running script code.
#[inline]
pub fn plain_eq(a: &Value, b: &Value) -> Option<bool> {
    if a.same(b) {
        // NaN is not equal to itself, but as a key it is found by identity, as in Python.
        return Some(true);
    }
    match (a.view(), b.view()) {
        (View::Str(a), View::Str(b)) => Some(a.hash() == b.hash() && a.as_str() == b.as_str()),
        (View::Int(_), View::Int(_)) => Some(false),
        (View::Int(a), View::Float(b)) | (View::Float(b), View::Int(a)) => Some(int_eq_float(a, b)),
        (View::Float(a), View::Float(b)) => Some(a == b),
        (View::Bool(a), View::Int(b)) | (View::Int(b), View::Bool(a)) => Some(a as i64 == b),
        (View::Bool(a), View::Float(b)) | (View::Float(b), View::Bool(a)) => Some(a as i64 as f64 == b),
        (View::BigInt(a), View::BigInt(b)) => Some(a == b),
        (View::Bytes(a), View::Bytes(b)) => Some(a.data() == b.data()),
        (View::Tuple(a), View::Tuple(b)) => {
            if a.len() != b.len() {
                return Some(false);
            }
            let mut all_known = true;
            for (x, y) in a.items().iter().zip(b.items()) {
                match plain_eq(x, y) {
                    Some(true) => {}
                    Some(false) if all_known => return Some(false),
                    _ => all_known = false,
                }
            }
            all_known.then_some(true)
        }
        _ if is_plain(a) && is_plain(b) => match (a.tag(), b.tag()) {
            // Mixed big numbers: leave to the interpreter.
            (Tag::BigInt | Tag::Complex, _) | (_, Tag::BigInt | Tag::Complex) => None,
            _ => Some(false),
        },
        // A type equals the string that is its name.
        _ => None,
    }
}

/// Kinds whose equality with each other never runs script code.
fn is_plain(value: &Value) -> bool {
    matches!(
        value.tag(),
        Tag::None
            | Tag::Bool
            | Tag::Int
            | Tag::Float
            | Tag::Ellipsis
            | Tag::Str
            | Tag::BigInt
            | Tag::Bytes
            | Tag::Tuple
            | Tag::Complex
    )
}

pub fn int_eq_float(a: i64, b: f64) -> bool {
    a as f64 == b && (b.abs() < 9_007_199_254_740_992.0 || b as i128 == a as i128)
}

/// What a look-up without script code can tell.
pub enum Found {
    At(usize),
    Absent,
    /// These entries have the same hash, and script code must decide.
    Perhaps(Vec<usize>),
}

impl Map {
    pub fn with_capacity(capacity: usize) -> Map {
        Map { entries: Vec::with_capacity(capacity), ..Map::default() }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.live
    }

    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    pub fn version(&self) -> u32 {
        self.version
    }

    /// Visits the entry numbers whose hash is `hash`, in probe order, until `check` says stop.
    #[inline(always)]
    fn probe(&self, hash: u64, mut check: impl FnMut(usize, &Entry) -> bool) {
        if self.index.is_empty() {
            for (i, entry) in self.entries.iter().enumerate() {
                if entry.hash == hash && !entry.key.is_unbound() && check(i, entry) {
                    return;
                }
            }
            return;
        }
        let mask = self.index.len() - 1;
        let mut at = hash as usize & mask;
        let mut perturb = hash;
        loop {
            let number = self.index[at];
            if number == FREE {
                return;
            }
            if number != REMOVED {
                let entry = &self.entries[number as usize];
                if entry.hash == hash && check(number as usize, entry) {
                    return;
                }
            }
            perturb >>= 5;
            at = (at.wrapping_mul(5).wrapping_add(perturb as usize).wrapping_add(1)) & mask;
        }
    }

    /// Looks for a key without running script code.
    pub fn find(&self, key: &Value, hash: u64) -> Found {
        let mut found = Found::Absent;
        self.probe(hash, |i, entry| match plain_eq(&entry.key, key) {
            Some(true) => {
                // An exact answer beats the uncertain ones before it only if there were none.
                if let Found::Absent = found {
                    found = Found::At(i);
                    return true;
                }
                if let Found::Perhaps(list) = &mut found {
                    list.push(i);
                }
                false
            }
            Some(false) => false,
            None => {
                match &mut found {
                    Found::Perhaps(list) => list.push(i),
                    other => *other = Found::Perhaps(vec![i]),
                }
                false
            }
        });
        found
    }

    /// Entry number of a string key.
    #[inline]
    pub fn find_str(&self, key: &Str) -> Option<usize> {
        let mut at = None;
        self.probe(key.hash(), |i, entry| {
            let is_it =
                entry.key.get::<Str>().is_some_and(|k| std::ptr::eq(k, key) || k.as_str() == key.as_str());
            if is_it {
                at = Some(i);
            }
            is_it
        });
        at
    }

    pub fn get_str(&self, key: &Str) -> Option<&Value> {
        self.find_str(key).map(|i| &self.entries[i].value)
    }

    /// As `get_str` for a text that is not a string object.
    pub fn get_text(&self, key: &str) -> Option<&Value> {
        let mut at = None;
        self.probe(super::str::hash_text(key), |i, entry| {
            let is_it = entry.key.as_str() == Some(key);
            if is_it {
                at = Some(i);
            }
            is_it
        });
        at.map(|i| &self.entries[i].value)
    }

    #[inline]
    pub fn entry(&self, number: usize) -> Option<&Entry> {
        self.entries.get(number).filter(|e| !e.key.is_unbound())
    }

    #[inline]
    pub fn value_mut(&mut self, number: usize) -> &mut Value {
        &mut self.entries[number].value
    }

    /// Number of entry slots, holes included: the bound of entry numbers.
    pub fn slots(&self) -> usize {
        self.entries.len()
    }

    /// Live entries in insertion order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().filter(|e| !e.key.is_unbound())
    }

    /// Adds a key that is known to be absent.
    pub fn insert_new(&mut self, key: Value, hash: u64, value: Value) {
        let is_crowded = self.used * 4 > self.index.len() * 3;
        if is_crowded || self.entries.len() + 1 > LINEAR.max(self.index.len() / 2) {
            self.rebuild();
        }
        let number = self.entries.len();
        self.entries.push(Entry { hash, key, value });
        if !self.index.is_empty() {
            self.used += Map::enter(&mut self.index, hash, number as u32) as usize;
        }
        self.live += 1;
        self.version = self.version.wrapping_add(1);
    }

    /// Stores under a string key, whether or not it is there. Gives the old value back.
    pub fn set_str(&mut self, key: &Ref<Str>, value: Value) -> Option<Value> {
        match self.find_str(key) {
            Some(i) => Some(std::mem::replace(&mut self.entries[i].value, value)),
            None => {
                self.insert_new(key.clone().into(), key.hash(), value);
                None
            }
        }
    }

    pub fn remove_str(&mut self, key: &Str) -> Option<Value> {
        self.find_str(key).map(|i| self.remove_at(i).value)
    }

    /// Takes an entry out, leaving a hole.
    pub fn remove_at(&mut self, number: usize) -> Entry {
        let slot = &mut self.entries[number];
        let hash = slot.hash;
        let entry = std::mem::replace(slot, Entry { hash, key: Value::UNBOUND, value: Value::UNBOUND });
        self.live -= 1;
        self.version = self.version.wrapping_add(1);
        if !self.index.is_empty() {
            self.forget(hash, number as u32);
        }
        entry
    }

    /// Takes out the last live entry, and the holes behind it.
    pub fn pop_last(&mut self) -> Option<Entry> {
        let number = self.entries.iter().rposition(|e| !e.key.is_unbound())?;
        let entry = self.remove_at(number);
        self.entries.truncate(number);
        Some(entry)
    }

    /// The first live entry's number.
    pub fn first(&self) -> Option<usize> {
        self.entries.iter().position(|e| !e.key.is_unbound())
    }

    pub fn clear(&mut self) -> Map {
        let version = self.version.wrapping_add(1);
        let old = std::mem::take(self);
        self.version = version;
        old
    }

    /// Squeezes out holes and makes room for as many entries again.
    #[cold]
    fn rebuild(&mut self) {
        self.entries.retain(|e| !e.key.is_unbound());
        let wanted = (self.live + 1) * 2;
        if wanted <= LINEAR {
            self.index = Box::default();
            self.used = 0;
            return;
        }
        let size = (wanted * 2).next_power_of_two();
        let mut index = vec![FREE; size].into_boxed_slice();
        for (number, entry) in self.entries.iter().enumerate() {
            Map::enter(&mut index, entry.hash, number as u32);
        }
        self.index = index;
        self.used = self.live;
    }

    /// The first slot of the index on the way of a hash for which `is_it` holds. There must be one.
    #[inline]
    fn index_slot(index: &[u32], hash: u64, is_it: impl Fn(u32) -> bool) -> usize {
        let mask = index.len() - 1;
        let mut at = hash as usize & mask;
        let mut perturb = hash;
        while !is_it(index[at]) {
            perturb >>= 5;
            at = (at.wrapping_mul(5).wrapping_add(perturb as usize).wrapping_add(1)) & mask;
        }
        at
    }

    /// Puts an entry number into the index; whether that took a free slot.
    fn enter(index: &mut [u32], hash: u64, number: u32) -> bool {
        let at = Map::index_slot(index, hash, |n| n == FREE || n == REMOVED);
        let was_free = index[at] == FREE;
        index[at] = number;
        was_free
    }

    /// Takes an entry number out of the index.
    fn forget(&mut self, hash: u64, number: u32) {
        let at = Map::index_slot(&self.index, hash, |n| n == number);
        self.index[at] = REMOVED;
    }
}

/// A dict object. Never hold a borrow while calling back into scripts: they may change the dict.
#[derive(Default)]
pub struct Dict {
    map: RefCell<Map>,
}

impl Dict {
    pub fn new(map: Map) -> Ref<Dict> {
        Ref::new(Dict { map: RefCell::new(map) })
    }

    /// A dict with string keys.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, Value)>) -> Ref<Dict> {
        let mut map = Map::default();
        for (key, value) in pairs {
            map.set_str(&Str::new(key), value);
        }
        Dict::new(map)
    }

    pub fn borrow(&self) -> Borrow<'_, Map> {
        self.map.borrow()
    }

    pub fn borrow_mut(&self) -> RefMut<'_, Map> {
        self.map.borrow_mut()
    }

    pub fn len(&self) -> usize {
        self.borrow().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get_str(&self, key: &Str) -> Option<Value> {
        self.borrow().get_str(key).cloned()
    }

    pub fn get_text(&self, key: &str) -> Option<Value> {
        self.borrow().get_text(key).cloned()
    }

    pub fn set_str(&self, key: &Ref<Str>, value: Value) {
        let old = self.borrow_mut().set_str(key, value);
        drop(old); // after the borrow: its destructor may run script code
    }

    pub fn set_text(&self, key: &str, value: Value) {
        self.set_str(&Str::new(key), value);
    }

    pub fn remove_str(&self, key: &Str) -> Option<Value> {
        self.borrow_mut().remove_str(key)
    }

    /// Copies of all keys, in order.
    pub fn keys(&self) -> Vec<Value> {
        self.borrow().iter().map(|e| e.key.clone()).collect()
    }

    /// Copies of all values, in order.
    pub fn values(&self) -> Vec<Value> {
        self.borrow().iter().map(|e| e.value.clone()).collect()
    }

    /// Copies of all entries, in order.
    pub fn pairs(&self) -> Vec<(Value, Value)> {
        self.borrow().iter().map(|e| (e.key.clone(), e.value.clone())).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ViewKind {
    Keys,
    Values,
    Items,
}

/// `d.keys()`, `d.values()`, `d.items()`: a live view of a dict.
pub struct DictView {
    pub dict: Ref<Dict>,
    pub kind: ViewKind,
}

impl Heap for Dict {
    const TAG: Tag = Tag::Dict;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        for entry in self.borrow().iter() {
            visit(&entry.key);
            visit(&entry.value);
        }
    }
}

impl Heap for DictView {
    const TAG: Tag = Tag::DictView;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.dict.clone().into());
    }
}
