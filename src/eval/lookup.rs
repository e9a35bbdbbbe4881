//! Finding names in classes: along the resolution order, and remembered for names that are asked for again and again.

use super::Vm;
use super::pour::pour;
use crate::value::{Ref, Str, Tag, Type, Value};

/// Look-ups that are remembered; a power of two.
const REMEMBERED: usize = 512;

/// What a class had for a name at one version of the class.
struct Remembered {
    version: u64,
    /// Kept, so that no other string gets its address.
    name: Ref<Str>,
    found: Option<Value>,
}

/// The last look-ups, found by class version and address of the name.
#[derive(Default)]
pub struct Lookups {
    slots: Vec<Option<Remembered>>,
}

impl Lookups {
    /// Takes everything out, so that classes nobody uses can be freed. Dropping it may run finalizers, which look
    /// things up.
    pub fn take(&mut self) -> Lookups {
        std::mem::take(self)
    }

    fn slot(version: u64, name: &Ref<Str>) -> usize {
        (version as usize).wrapping_mul(31).wrapping_add(name.address() >> 4) % REMEMBERED
    }
}

impl Vm {
    /// What a class or the first of its bases that has it calls by this name.
    pub fn lookup(&mut self, class: &Ref<Type>, name: &Str) -> Option<Value> {
        let mro = class.mro.borrow();
        for t in mro.iter() {
            if !t.pending.get().is_empty() {
                pour(t);
            }
            if let Some(found) = t.attributes.get_str(name) {
                return Some(found);
            }
        }
        None
    }

    /// As `lookup`, for an interned name: the answer is remembered as long as the class stays as it is.
    pub(super) fn lookup_again(&mut self, class: &Ref<Type>, name: &Ref<Str>) -> Option<Value> {
        let version = class.version.get();
        let slot = Lookups::slot(version, name);
        if let Some(Some(known)) = self.lookups.slots.get(slot)
            && known.version == version
            && Ref::ptr_eq(&known.name, name)
        {
            return known.found.clone();
        }
        let found = self.lookup(class, name);
        // Objects of scripts must go when the class lets go of them.
        let may_keep = found.as_ref().is_none_or(|found| {
            matches!(
                found.tag(),
                Tag::Function
                    | Tag::NativeFunction
                    | Tag::Property
                    | Tag::StaticMethod
                    | Tag::ClassMethod
                    | Tag::None
            )
        });
        if may_keep {
            if self.lookups.slots.is_empty() {
                self.lookups.slots.resize_with(REMEMBERED, || None);
            }
            let known = Remembered { version, name: name.clone(), found: found.clone() };
            let old = self.lookups.slots[slot].replace(known);
            drop(old);
        }
        found
    }
}
