//! The attribute table of an object: a dict that is made when it is first needed, and another one when a script
//! assigns `__dict__`, as in `self.__dict__ = self`.

use super::{Dict, Ref, Value};
use std::cell::UnsafeCell;

/// An attribute table, or none yet.
#[derive(Default)]
pub struct Table(UnsafeCell<Option<Ref<Dict>>>);

impl Table {
    /// The table, if there is one. It is held by who asks, as a script may put another one in its place.
    #[inline]
    pub fn get(&self) -> Option<Ref<Dict>> {
        // SAFETY: no reference into the cell outlives a method of this type, and none of them runs other code
        // while it has one: counting a reference up does not.
        unsafe { &*self.0.get() }.clone()
    }

    pub fn get_or_make(&self) -> Ref<Dict> {
        self.get().unwrap_or_else(|| {
            let made = Dict::new(Default::default());
            self.replace(Some(made.clone()));
            made
        })
    }

    pub fn replace(&self, table: Option<Ref<Dict>>) {
        // SAFETY: as for `get`; the old table dies after the cell has the new one.
        let old = std::mem::replace(unsafe { &mut *self.0.get() }, table);
        drop(old);
    }

    pub fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        if let Some(table) = self.get() {
            visit(&table.into());
        }
    }
}
