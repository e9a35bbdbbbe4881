//! Tuples.

use super::{Heap, Ref, Tag, Value};

pub struct Tuple {
    items: Box<[Value]>,
}

impl Tuple {
    pub fn new(items: Vec<Value>) -> Ref<Tuple> {
        Ref::new(Tuple { items: items.into_boxed_slice() })
    }

    #[inline]
    pub fn items(&self) -> &[Value] {
        &self.items
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl Heap for Tuple {
    const TAG: Tag = Tag::Tuple;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        self.items.iter().for_each(visit);
    }
}
