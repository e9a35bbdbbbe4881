//! Hashing, and dict and set operations whose keys may have script-defined equality.

use super::Vm;
use super::code::BinaryOp;
use crate::value::dict::{Found, ViewKind};
use crate::value::set::Items;
use crate::value::{Dict, FrozenSet, Int, Raised, Ref, Res, Set, Str, Value, View};

impl Vm {
    /// The hash of a value; equal values have equal hashes.
    ///
    /// # Errors
    /// `TypeError` for changeable built-in containers; whatever `__hash__` raises.
    pub fn hash(&mut self, value: &Value) -> Res<u64> {
        Ok(match value.view() {
            View::Str(text) => text.hash(),
            View::Int(int) => crate::text::int::hash_small(int) as u64,
            View::Bool(flag) => flag as u64,
            View::Float(float) if float.is_nan() => value.identity(),
            View::Float(float) => crate::text::float::hash(float) as u64,
            View::BigInt(big) => crate::text::int::hash_big(big) as u64,
            View::Complex(c) => {
                let re = crate::text::float::hash(c.re) as u64;
                let im = crate::text::float::hash(c.im) as u64;
                re.wrapping_add(im.wrapping_mul(1_000_003))
            }
            View::None => 0xfca8_6420,
            View::Bytes(bytes) => crate::value::str::hash_bytes(bytes.data()),
            View::Tuple(tuple) => {
                self.check_depth("")?;
                self.hash_tuple(tuple.items())?
            }
            View::FrozenSet(set) => self.hash_frozen_set(set)?,
            View::Range(range) => {
                let len = range.len().unwrap_or(usize::MAX);
                let first = if len > 0 { range.start_value() } else { Value::NONE };
                let step = if len > 1 { range.step_value() } else { Value::NONE };
                self.hash_tuple(&[Value::size(len), first, step])?
            }
            // A type equals its name as a string, so it hashes like it.
            View::Type(class) => crate::value::str::hash_text(&class.display_name()),
            View::Instance(_) => return self.hash_instance(value),
            View::BoundMethod(method) => {
                method.receiver.identity() ^ self.hash(&method.function)?.rotate_left(1)
            }
            View::List(_) | View::Dict(_) | View::Set(_) | View::ByteArray(_) | View::Slice(_) => {
                return Err(self.unhashable(value));
            }
            View::DictView(view) if view.kind != ViewKind::Values => return Err(self.unhashable(value)),
            View::Foreign(_) | View::MemoryView(_) | View::MappingProxy(_) => {
                return self.hash_foreign(value);
            }
            _ => value.identity().rotate_right(4),
        })
    }

    fn unhashable(&mut self, value: &Value) -> Raised {
        let name = self.type_name(value);
        self.type_error(format!("unhashable type: '{name}'"))
    }

    /// An object of a native module: by its type's own `__hash__` row if there is one.
    fn hash_foreign(&mut self, value: &Value) -> Res<u64> {
        let name = Str::new("__hash__");
        let class = self.type_of(value);
        // Looking it up fills the type's table with its rows.
        self.lookup(&class, &name);
        match class.attributes.get_str(&name) {
            Some(row) if row.is_none() => Err(self.unhashable(value)),
            Some(row) => {
                let result = self.call(&row, std::slice::from_ref(value))?;
                self.to_index(&result).map(|hash| hash as u64)
            }
            None => Ok(value.identity().rotate_right(4)),
        }
    }

    fn hash_instance(&mut self, value: &Value) -> Res<u64> {
        let class = self.type_of(value);
        match self.lookup(&class, &Str::new("__hash__")) {
            Some(found) if found.is_none() => {
                let name = class.name();
                Err(self.type_error(format!("unhashable type: '{}'", name.as_str())))
            }
            Some(found) if !found.is::<crate::value::NativeFunction>() => {
                let Some(method) = self.special_method(value, "__hash__")? else {
                    return Ok(value.identity());
                };
                let result = self.call(&method, &[])?;
                match Int::of(&result) {
                    Some(Int::Small(int)) => Ok(if int == -1 { -2i64 as u64 } else { int as u64 }),
                    Some(Int::Big(big)) => Ok(crate::text::int::hash_big(big) as u64),
                    None => Err(self.type_error("__hash__ method should return an integer")),
                }
            }
            _ => match Vm::unwrap_native(value) {
                native if native.same(value) => Ok(self.identity_hash(value)),
                native => self.hash(&native.clone()),
            },
        }
    }

    /// The hash of an object that is equal only to itself.
    pub(crate) fn identity_hash(&self, value: &Value) -> u64 {
        value.identity().rotate_right(4)
    }

    /// CPython's tuple hash (xxHash with 64-bit primes), so that sets of tuples look the same.
    fn hash_tuple(&mut self, items: &[Value]) -> Res<u64> {
        const PRIME_1: u64 = 11_400_714_785_074_694_791;
        const PRIME_2: u64 = 14_029_467_366_897_019_727;
        const PRIME_5: u64 = 2_870_177_450_012_600_261;
        let mut acc = PRIME_5;
        for item in items {
            let lane = self.hash(item)?;
            acc = acc.wrapping_add(lane.wrapping_mul(PRIME_2));
            acc = acc.rotate_left(31).wrapping_mul(PRIME_1);
        }
        acc = acc.wrapping_add(items.len() as u64 ^ (PRIME_5 ^ 3_527_539));
        Ok(if acc == u64::MAX { 1_546_275_796 } else { acc })
    }

    fn hash_frozen_set(&mut self, set: &FrozenSet) -> Res<u64> {
        if let Some(known) = set.hash.get() {
            return Ok(known);
        }
        let mut hash = 0u64;
        for (_, h) in set.items.iter() {
            hash ^= (h ^ 89_869_747 ^ (h << 16)).wrapping_mul(3_644_798_167);
        }
        hash ^= (set.items.len() as u64 + 1).wrapping_mul(1_927_868_237);
        hash ^= (hash >> 11) ^ (hash >> 25);
        hash = hash.wrapping_mul(69_069).wrapping_add(907_133_923);
        set.hash.set(Some(hash));
        Ok(hash)
    }

    /// Entry number of a key in a dict.
    pub(crate) fn dict_find(&mut self, dict: &Dict, key: &Value, hash: u64) -> Res<Option<usize>> {
        loop {
            let (found, version) = {
                let map = dict.borrow();
                (map.find(key, hash), map.version())
            };
            let candidates = match found {
                Found::At(number) => return Ok(Some(number)),
                Found::Absent => return Ok(None),
                Found::Perhaps(candidates) => candidates,
            };
            let mut changed = false;
            for number in candidates {
                let Some(other) = dict.borrow().entry(number).map(|e| e.key.clone()) else {
                    changed = true;
                    break;
                };
                let equal = self.eq(&other, key)?;
                if dict.borrow().version() != version {
                    changed = true;
                    break;
                }
                if equal {
                    return Ok(Some(number));
                }
            }
            if !changed {
                return Ok(None);
            }
        }
    }

    pub fn dict_get(&mut self, dict: &Dict, key: &Value) -> Res<Option<Value>> {
        let hash = self.hash(key)?;
        let number = self.dict_find(dict, key, hash)?;
        Ok(number.and_then(|n| dict.borrow().entry(n).map(|e| e.value.clone())))
    }

    pub fn dict_set(&mut self, dict: &Dict, key: Value, value: Value) -> Res<()> {
        let hash = self.hash(&key)?;
        match self.dict_find(dict, &key, hash)? {
            Some(number) => {
                let old = std::mem::replace(dict.borrow_mut().value_mut(number), value);
                drop(old); // after the borrow: its destructor may run script code
            }
            None => dict.borrow_mut().insert_new(key, hash, value),
        }
        Ok(())
    }

    /// Takes a key out; its value if it was there.
    pub fn dict_remove(&mut self, dict: &Dict, key: &Value) -> Res<Option<Value>> {
        let hash = self.hash(key)?;
        let number = self.dict_find(dict, key, hash)?;
        Ok(number.map(|n| {
            let entry = dict.borrow_mut().remove_at(n);
            entry.value
        }))
    }

    /// Adds the pairs of a mapping: a dict, or an object with `keys()` and `__getitem__`. `otherwise` is
    /// the message for anything else, `{}` standing for its type.
    pub(crate) fn dict_merge(&mut self, dict: &Ref<Dict>, mapping: &Value, otherwise: &str) -> Res<()> {
        // A class derived from dict that iterates in its own way is asked for its keys.
        let is_plain = mapping.is::<Dict>() || {
            let class = self.type_of(mapping);
            self.lookup(&class, &Str::new("__iter__")).is_some_and(|f| f.is::<crate::value::NativeFunction>())
        };
        if let Some(other) = Vm::unwrap_native(mapping).get::<Dict>().filter(|_| is_plain) {
            let pairs = other.pairs();
            let count = pairs.len();
            for (key, value) in pairs {
                self.dict_set(dict, key, value)?;
                if other.len() != count && !std::ptr::eq(other, &**dict) {
                    return Err(self.runtime_error("dict mutated during update"));
                }
            }
            return Ok(());
        }
        let Ok(keys) = self.get_attribute(mapping, &Str::new("keys")) else {
            if !self.is_raised(super::Exc::AttributeError) {
                return Err(crate::value::Raised);
            }
            self.take_raised();
            let name = self.type_name(mapping);
            return Err(self.type_error(otherwise.replace("{}", &name)));
        };
        let keys = self.call(&keys, &[])?;
        for key in self.collect(&keys)? {
            let value = self.get_item(mapping, &key)?;
            self.dict_set(dict, key, value)?;
        }
        Ok(())
    }

    /// `dict.update(other)`: a mapping or an iterable of pairs.
    pub(crate) fn dict_update(&mut self, dict: &Ref<Dict>, other: &Value) -> Res<()> {
        let is_mapping = Vm::unwrap_native(other).is::<Dict>() || self.has_attribute(other, "keys")?;
        if is_mapping {
            return self.dict_merge(dict, other, "'{}' object is not a mapping");
        }
        let iterator = self.iter(other)?;
        let mut number = 0;
        while let Some(item) = self.next(&iterator)? {
            let Ok(pair) = self.collect(&item) else {
                if self.is_raised(super::Exc::TypeError) {
                    self.take_raised();
                    self.type_error(format!(
                        "cannot convert dictionary update sequence element #{number} to a sequence"
                    ));
                }
                return Err(crate::value::Raised);
            };
            let [key, value] = &pair[..] else {
                let len = pair.len();
                return Err(self.value_error(format!(
                    "dictionary update sequence element #{number} has length {len}; 2 is required"
                )));
            };
            self.dict_set(dict, key.clone(), value.clone())?;
            number += 1;
        }
        Ok(())
    }

    /// Slot number of an item in a set's table.
    pub(crate) fn set_find(&mut self, set: &Set, key: &Value, hash: u64) -> Res<Option<usize>> {
        loop {
            let (found, version) = {
                let items = set.borrow();
                (items.find(key, hash), items.version())
            };
            let candidates = match found {
                Found::At(slot) => return Ok(Some(slot)),
                Found::Absent => return Ok(None),
                Found::Perhaps(candidates) => candidates,
            };
            let mut changed = false;
            for slot in candidates {
                let Some(other) = set.borrow().slot(slot).map(|(k, _)| k.clone()) else {
                    changed = true;
                    break;
                };
                let equal = self.eq(&other, key)?;
                if set.borrow().version() != version {
                    changed = true;
                    break;
                }
                if equal {
                    return Ok(Some(slot));
                }
            }
            if !changed {
                return Ok(None);
            }
        }
    }

    /// Whether an item is in a table that nothing else can change meanwhile.
    pub(crate) fn items_contain(&mut self, items: &Items, key: &Value, hash: u64) -> Res<bool> {
        match items.find(key, hash) {
            Found::At(_) => Ok(true),
            Found::Absent => Ok(false),
            Found::Perhaps(candidates) => {
                for slot in candidates {
                    let Some((other, _)) = items.slot(slot) else { continue };
                    if self.eq(&other.clone(), key)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    /// Adds an item to a table under construction.
    pub(crate) fn items_add(&mut self, items: &mut Items, key: Value) -> Res<()> {
        let hash = self.hash(&key)?;
        if !self.items_contain(items, &key, hash)? {
            items.insert_new(key, hash);
        }
        Ok(())
    }

    pub fn set_add(&mut self, set: &Set, key: Value) -> Res<()> {
        let hash = self.hash(&key)?;
        if self.set_find(set, &key, hash)?.is_none() {
            set.borrow_mut().insert_new(key, hash);
        }
        Ok(())
    }

    pub(crate) fn set_from(&mut self, values: Vec<Value>) -> Res<Ref<Set>> {
        let mut items = Items::default();
        for value in values {
            self.items_add(&mut items, value)?;
        }
        Ok(Set::new(items))
    }

    /// The items of any iterable as a set table; a copy for sets.
    pub(crate) fn items_of(&mut self, value: &Value) -> Res<Items> {
        match Vm::unwrap_native(value).view() {
            View::Set(set) => return Ok(rebuilt(&set.borrow())),
            View::FrozenSet(set) => return Ok(rebuilt(&set.items)),
            View::Dict(dict) if value.is::<Dict>() => {
                // The keys of a dict differ and their hashes are known.
                let mut items = Items::default();
                let map = dict.borrow();
                map.iter().for_each(|entry| items.insert_new(entry.key.clone(), entry.hash));
                return Ok(items);
            }
            _ => {}
        }
        let values = self.collect(value)?;
        let mut items = Items::default();
        for value in values {
            self.items_add(&mut items, value)?;
        }
        Ok(items)
    }

    /// `left op right` for anything set-like, as a new table.
    pub(crate) fn set_operation(&mut self, op: BinaryOp, left: &Value, right: &Value) -> Res<Items> {
        let a = self.items_of(left)?;
        let b = self.items_of(right)?;
        let mut result = Items::default();
        match op {
            BinaryOp::BitOr => {
                result = a;
                result.reserve_for_merge(b.len());
                for (key, hash) in b.iter() {
                    if !self.items_contain(&result, key, hash)? {
                        result.insert_new(key.clone(), hash);
                    }
                }
            }
            BinaryOp::BitAnd => {
                // As CPython: iterate over the smaller, look up in the larger.
                let (walk, other) = if b.len() > a.len() { (&a, &b) } else { (&b, &a) };
                for (key, hash) in walk.iter() {
                    if self.items_contain(other, key, hash)? {
                        result.insert_new(key.clone(), hash);
                    }
                }
            }
            BinaryOp::Sub => {
                for (key, hash) in a.iter() {
                    if !self.items_contain(&b, key, hash)? {
                        result.insert_new(key.clone(), hash);
                    }
                }
            }
            _ => {
                result = self.xor(a, &b)?;
            }
        }
        Ok(result)
    }

    fn xor(&mut self, a: Items, b: &Items) -> Res<Items> {
        let mut result = Items::default();
        for (key, hash) in b.iter() {
            if !self.items_contain(&a, key, hash)? {
                result.insert_new(key.clone(), hash);
            }
        }
        for (key, hash) in a.iter() {
            if !self.items_contain(b, key, hash)? {
                result.insert_new(key.clone(), hash);
            }
        }
        Ok(result)
    }

    /// Whether every item of `small` is in `large`.
    pub(crate) fn is_subset(&mut self, small: &Items, large: &Items) -> Res<bool> {
        if small.len() > large.len() {
            return Ok(false);
        }
        for (key, hash) in small.iter() {
            if !self.items_contain(large, key, hash)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Number of things in a view's dict, as `len(view)`.
    pub(crate) fn view_kind_name(kind: ViewKind) -> &'static str {
        match kind {
            ViewKind::Keys => "dict_keys",
            ViewKind::Values => "dict_values",
            ViewKind::Items => "dict_items",
        }
    }
}

/// A copy without dummies, sized as CPython sizes a copied set.
fn rebuilt(items: &Items) -> Items {
    let mut copy = Items::default();
    copy.reserve_for_merge(items.len());
    for (key, hash) in items.iter() {
        copy.insert_new(key.clone(), hash);
    }
    copy
}
