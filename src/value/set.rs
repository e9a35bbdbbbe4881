//! Sets and frozen sets: one open-addressing table that iterates in slot order.
//!
//! The table follows CPython's (probe by runs of ten slots, then perturb; grow fourfold when three fifths
//! full, twofold when large), so that a set of ints is shown in the same order as there.

use super::dict::{Found, plain_eq};
use super::{Heap, Ref, Tag, Value};
use std::cell::{Cell, Ref as Borrow, RefCell, RefMut};

#[derive(Clone)]
enum Slot {
    Free,
    /// Removed; probing goes on past it.
    Dummy,
    Item {
        hash: u64,
        key: Value,
    },
}

#[derive(Clone)]
pub struct Items {
    slots: Vec<Slot>,
    live: usize,
    /// Live items and dummies.
    fill: usize,
    version: u32,
    /// Where `pop` looks next, so that popping everything stays linear.
    finger: usize,
}

const MIN_SLOTS: usize = 8;
const LINEAR_PROBES: usize = 9;

impl Default for Items {
    fn default() -> Items {
        Items { slots: vec![Slot::Free; MIN_SLOTS], live: 0, fill: 0, version: 0, finger: 0 }
    }
}

impl Items {
    pub fn len(&self) -> usize {
        self.live
    }

    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    pub fn version(&self) -> u32 {
        self.version
    }

    /// Visits slots in probe order until one is free or `check` says stop; the slot it ended on.
    fn probe(&self, hash: u64, mut check: impl FnMut(usize, u64, &Value) -> bool) -> usize {
        let mask = self.slots.len() - 1;
        let mut perturb = hash;
        let mut start = hash as usize & mask;
        loop {
            let run = if start + LINEAR_PROBES <= mask { LINEAR_PROBES } else { 0 };
            for at in start..=start + run {
                match &self.slots[at] {
                    Slot::Free => return at,
                    Slot::Dummy => {}
                    Slot::Item { hash: h, key } => {
                        if *h == hash && check(at, *h, key) {
                            return at;
                        }
                    }
                }
            }
            perturb >>= 5;
            start = (start.wrapping_mul(5).wrapping_add(1).wrapping_add(perturb as usize)) & mask;
        }
    }

    /// Looks for a key without running script code.
    pub fn find(&self, key: &Value, hash: u64) -> Found {
        let mut found = Found::Absent;
        self.probe(hash, |at, _, candidate| match plain_eq(candidate, key) {
            Some(true) => {
                match &mut found {
                    Found::Perhaps(list) => list.push(at),
                    other => {
                        *other = Found::At(at);
                        return true;
                    }
                }
                false
            }
            Some(false) => false,
            None => {
                match &mut found {
                    Found::Perhaps(list) => list.push(at),
                    other => *other = Found::Perhaps(vec![at]),
                }
                false
            }
        });
        found
    }

    /// Adds a key that is known to be absent.
    pub fn insert_new(&mut self, key: Value, hash: u64) {
        let at = self.probe(hash, |_, _, _| false);
        self.slots[at] = Slot::Item { hash, key };
        self.live += 1;
        self.fill += 1;
        self.version = self.version.wrapping_add(1);
        if self.fill * 5 >= (self.slots.len() - 1) * 3 {
            let wanted = if self.live > 50_000 { self.live * 2 } else { self.live * 4 };
            self.resize(wanted);
        }
    }

    fn resize(&mut self, wanted: usize) {
        let mut size = MIN_SLOTS;
        while size <= wanted {
            size *= 2;
        }
        let old = std::mem::replace(&mut self.slots, vec![Slot::Free; size]);
        self.fill = self.live;
        for slot in old {
            if let Slot::Item { hash, key } = slot {
                let at = self.place(hash);
                self.slots[at] = Slot::Item { hash, key };
            }
        }
    }

    /// The free slot where a new key belongs in a table without dummies.
    fn place(&self, hash: u64) -> usize {
        self.probe(hash, |_, _, _| false)
    }

    /// Makes room as CPython does before merging `more` items.
    pub fn reserve_for_merge(&mut self, more: usize) {
        if (self.fill + more) * 5 >= (self.slots.len() - 1) * 3 {
            self.resize((self.live + more) * 2);
        }
    }

    pub fn remove_at(&mut self, at: usize) -> Value {
        self.version = self.version.wrapping_add(1);
        self.live -= 1;
        match std::mem::replace(&mut self.slots[at], Slot::Dummy) {
            Slot::Item { key, .. } => key,
            _ => unreachable!("find() gave the number of a live slot"),
        }
    }

    /// Takes out any item.
    pub fn pop(&mut self) -> Option<Value> {
        if self.live == 0 {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut at = self.finger & mask;
        while !matches!(self.slots[at], Slot::Item { .. }) {
            at = (at + 1) & mask;
        }
        self.finger = at + 1;
        Some(self.remove_at(at))
    }

    /// The item in a slot, if there is one.
    pub fn slot(&self, at: usize) -> Option<(&Value, u64)> {
        match self.slots.get(at) {
            Some(Slot::Item { hash, key }) => Some((key, *hash)),
            _ => None,
        }
    }

    /// Number of slots: the bound of slot numbers.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Value, u64)> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Item { hash, key } => Some((key, *hash)),
            _ => None,
        })
    }

    pub fn clear(&mut self) -> Items {
        let version = self.version.wrapping_add(1);
        let old = std::mem::take(self);
        self.version = version;
        old
    }
}

/// A changeable set. Never hold a borrow while calling back into scripts: they may change the set.
#[derive(Default)]
pub struct Set {
    items: RefCell<Items>,
}

impl Set {
    pub fn new(items: Items) -> Ref<Set> {
        Ref::new(Set { items: RefCell::new(items) })
    }

    pub fn borrow(&self) -> Borrow<'_, Items> {
        self.items.borrow()
    }

    pub fn borrow_mut(&self) -> RefMut<'_, Items> {
        self.items.borrow_mut()
    }

    pub fn len(&self) -> usize {
        self.borrow().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

pub struct FrozenSet {
    pub items: Items,
    /// Once computed.
    pub hash: Cell<Option<u64>>,
}

impl FrozenSet {
    pub fn new(items: Items) -> Ref<FrozenSet> {
        Ref::new(FrozenSet { items, hash: Cell::new(None) })
    }
}

impl Heap for Set {
    const TAG: Tag = Tag::Set;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        self.borrow().iter().for_each(|(key, _)| visit(key));
    }
}

impl Heap for FrozenSet {
    const TAG: Tag = Tag::FrozenSet;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        self.items.iter().for_each(|(key, _)| visit(key));
    }
}
