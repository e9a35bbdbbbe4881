//! Lists.

use super::{Heap, Ref, Tag, Value};
use std::cell::{Ref as Borrow, RefCell, RefMut};

/// A growable array. Never hold a borrow while calling back into scripts: they may change the list.
pub struct List {
    items: RefCell<Vec<Value>>,
}

impl List {
    pub fn new(items: Vec<Value>) -> Ref<List> {
        Ref::new(List { items: RefCell::new(items) })
    }

    pub fn borrow(&self) -> Borrow<'_, Vec<Value>> {
        self.items.borrow()
    }

    pub fn borrow_mut(&self) -> RefMut<'_, Vec<Value>> {
        self.items.borrow_mut()
    }

    pub fn len(&self) -> usize {
        self.raw().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at a position counted from the front, if there is one.
    #[inline(always)]
    pub fn at(&self, index: usize) -> Option<Value> {
        self.raw().get(index).cloned()
    }

    /// A copy of all items.
    pub fn to_vec(&self) -> Vec<Value> {
        self.borrow().clone()
    }

    /// Stores at a position that exists; gives the value back if it does not.
    #[inline(always)]
    pub fn set_at(&self, index: usize, value: Value) -> Result<(), Value> {
        let old = match self.borrow_mut().get_mut(index) {
            Some(slot) => std::mem::replace(slot, value),
            None => return Err(value),
        };
        drop(old); // after the borrow: its destructor may run script code
        Ok(())
    }

    #[inline(always)]
    fn raw(&self) -> &Vec<Value> {
        // SAFETY: no mutable borrow is held across a call into this type's other methods, and the
        // reference returned here never leaves the method that asked for it.
        unsafe { &*self.items.as_ptr() }
    }
}

impl Heap for List {
    const TAG: Tag = Tag::List;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        self.raw().iter().for_each(visit);
    }
}
