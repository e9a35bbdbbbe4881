//! Byte strings: `bytes` (fixed) and `bytearray` (changeable).

mod affix;
mod array;
mod case;
pub mod convert;
pub mod methods;
mod search;
mod special;
mod split;

use super::{Heap, Ref, Tag};
use std::cell::{Cell, RefCell};

pub struct Bytes {
    data: Box<[u8]>,
}

impl Bytes {
    pub fn new(data: impl Into<Box<[u8]>>) -> Ref<Bytes> {
        Ref::new(Bytes { data: data.into() })
    }

    pub fn data(&self) -> &[u8] {
        &self.data
    }
}

pub struct ByteArray {
    pub data: RefCell<Vec<u8>>,
    /// How many memoryviews look at it: meanwhile its length is fixed.
    pub exports: Cell<u32>,
}

impl ByteArray {
    pub fn new(data: Vec<u8>) -> Ref<ByteArray> {
        Ref::new(ByteArray { data: RefCell::new(data), exports: Cell::new(0) })
    }
}

impl Heap for Bytes {
    const TAG: Tag = Tag::Bytes;
}

impl Heap for ByteArray {
    const TAG: Tag = Tag::ByteArray;
}
