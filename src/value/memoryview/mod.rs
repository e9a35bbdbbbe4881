//! `memoryview`: a window onto the bytes of another object, which copies nothing.
//!
//! Behind every view stand `bytes` or a `bytearray`. A view tells where its items are by an offset, a shape and
//! the strides (in bytes) from one item to the next in each dimension, as C programs pass arrays around. While
//! views onto a `bytearray` are alive it counts them and keeps its size.

mod cast;
pub mod items;
pub mod methods;

use super::{ByteArray, Heap, Ref, Tag, Value, View};
use crate::builtins::array;
use crate::builtins::struct_::Field;
use crate::eval::Vm;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What the bytes of one item mean.
pub struct Format {
    /// As scripts wrote it: `B`, `@i`.
    pub text: String,
    pub field: Field,
}

impl Format {
    /// The format of a native type, given as one letter which may follow an `@`.
    pub fn parse(text: &str) -> Option<Rc<Format>> {
        let mut chars = text.strip_prefix('@').unwrap_or(text).chars();
        let field = match (chars.next(), chars.next()) {
            (Some(code), None) => Field::native(code).filter(|_| !matches!(code, 'e' | 'x' | 's' | 'p'))?,
            _ => return None,
        };
        Some(Rc::new(Format { text: text.to_string(), field }))
    }

    /// The format of the items of an array, by the letter of its kind.
    pub fn of_array(code: char) -> Option<Rc<Format>> {
        match code {
            'u' => Some(Rc::new(Format { text: "w".to_string(), field: Field::native('I')? })),
            _ if array::CODES.contains(code) => Format::parse(code.encode_utf8(&mut [0; 4])),
            _ => None,
        }
    }

    pub fn code(&self) -> char {
        self.field.code
    }

    pub fn size(&self) -> usize {
        self.field.size
    }

    fn is_bytes(&self) -> bool {
        matches!(self.code(), 'B' | 'b' | 'c')
    }
}

/// Where the items are.
#[derive(Clone)]
pub struct Layout {
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<isize>,
    pub format: Rc<Format>,
}

impl Layout {
    /// Items side by side, the last dimension changing fastest.
    fn packed(offset: usize, shape: Vec<usize>, format: Rc<Format>) -> Layout {
        let mut strides = vec![0; shape.len()];
        let mut stride = format.size();
        for (i, len) in shape.iter().enumerate().rev() {
            strides[i] = stride as isize;
            stride *= len;
        }
        Layout { offset, shape, strides, format }
    }

    /// How many items there are.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// How many bytes the items have together.
    pub fn size(&self) -> usize {
        self.count() * self.format.size()
    }

    /// Whether the items stand side by side, in the order of `dimensions` (from slow to fast).
    fn is_packed(&self, dimensions: impl DoubleEndedIterator<Item = usize>) -> bool {
        if self.count() == 0 {
            return true;
        }
        let mut stride = self.format.size() as isize;
        dimensions.rev().all(|d| {
            let fits = self.shape[d] == 1 || self.strides[d] == stride;
            stride *= self.shape[d] as isize;
            fits
        })
    }

    pub fn is_c_contiguous(&self) -> bool {
        self.is_packed(0..self.shape.len())
    }

    pub fn is_f_contiguous(&self) -> bool {
        self.is_packed((0..self.shape.len()).rev())
    }

    /// Where each item starts, in order of the indices, the last changing fastest.
    pub fn places(&self) -> Vec<usize> {
        let mut places = vec![self.offset as isize];
        for (len, stride) in self.shape.iter().zip(&self.strides) {
            let each = |place: isize| (0..*len as isize).map(move |i| place + i * stride);
            places = places.into_iter().flat_map(each).collect();
        }
        places.into_iter().map(|place| place as usize).collect()
    }

    /// As `places`, the first index changing fastest.
    fn places_by_column(&self) -> Vec<usize> {
        let mut turned = self.clone();
        turned.shape.reverse();
        turned.strides.reverse();
        turned.places()
    }
}

pub struct MemoryView {
    /// What it was made of; `none` once it is released.
    object: RefCell<Value>,
    pub layout: Layout,
    pub is_readonly: bool,
    /// The hash, once anybody asked: it stays known after a release.
    pub hash: Cell<Option<u64>>,
}

/// The `bytearray` that an object is, or that an array keeps its items in.
fn byte_array(object: &Value) -> Option<Ref<ByteArray>> {
    let inside = Vm::unwrap_native(object);
    inside.get_ref().or_else(|| array::array_of(inside).map(|array| array.bytes))
}

impl MemoryView {
    fn new(object: Value, layout: Layout, is_readonly: bool) -> Ref<MemoryView> {
        if let Some(array) = byte_array(&object) {
            array.exports.set(array.exports.get() + 1);
        }
        Ref::new(MemoryView { object: RefCell::new(object), layout, is_readonly, hash: Cell::new(None) })
    }

    /// All bytes of a bytes-like object; a view of a view looks at the same object.
    pub fn of(value: &Value) -> Option<Ref<MemoryView>> {
        let inside = Vm::unwrap_native(value);
        let (len, is_readonly) = match inside.view() {
            View::Bytes(bytes) => (bytes.data().len(), true),
            View::ByteArray(bytes) => (bytes.data.borrow().len(), false),
            View::MemoryView(view) => return Some(view.part(view.layout.clone())),
            View::Foreign(_) => {
                let array = array::array_of(inside)?;
                let count = array.bytes.data.borrow().len() / array.format.size();
                let layout = Layout::packed(0, vec![count], array.format);
                return Some(MemoryView::new(value.clone(), layout, false));
            }
            _ => return None,
        };
        let layout = Layout::packed(0, vec![len], Format::parse("B")?);
        Some(MemoryView::new(value.clone(), layout, is_readonly))
    }

    /// Another view onto the same object.
    fn part(&self, layout: Layout) -> Ref<MemoryView> {
        MemoryView::new(self.object(), layout, self.is_readonly)
    }

    /// What it was made of.
    pub fn object(&self) -> Value {
        self.object.borrow().clone()
    }

    pub fn is_released(&self) -> bool {
        self.object.borrow().is_none()
    }

    /// Lets go of the object.
    fn release(&self) {
        let object = self.object.replace(Value::NONE);
        if let Some(array) = byte_array(&object) {
            array.exports.set(array.exports.get().saturating_sub(1));
        }
    }

    /// The number of items of the first dimension.
    pub fn len(&self) -> usize {
        self.layout.shape.first().copied().unwrap_or(1)
    }

    /// Gives the bytes of the whole object to `read`.
    fn with_data<T>(&self, read: impl FnOnce(&[u8]) -> T) -> T {
        let object = self.object.borrow();
        match Vm::unwrap_native(&object).view() {
            View::Bytes(bytes) => read(bytes.data()),
            View::ByteArray(bytes) => read(&bytes.data.borrow()),
            _ => match byte_array(&object) {
                Some(bytes) => read(&bytes.data.borrow()),
                None => read(&[]),
            },
        }
    }

    /// The bytes at some places, one item at each.
    fn gather(&self, places: &[usize]) -> Vec<u8> {
        let size = self.layout.format.size();
        self.with_data(|data| places.iter().flat_map(|&at| &data[at..at + size]).copied().collect())
    }

    /// The bytes of all items in order.
    pub fn to_bytes(&self) -> Vec<u8> {
        if self.is_released() {
            return Vec::new();
        }
        if self.layout.is_c_contiguous() {
            let (start, size) = (self.layout.offset, self.layout.size());
            return self
                .with_data(|data| if size == 0 { Vec::new() } else { data[start..start + size].to_vec() });
        }
        self.gather(&self.layout.places())
    }

    /// Overwrites the items at some places.
    fn scatter(&self, places: &[usize], items: &[u8]) {
        let object = self.object.borrow();
        let Some(array) = byte_array(&object) else { return };
        let mut data = array.data.borrow_mut();
        let size = self.layout.format.size();
        for (&at, item) in places.iter().zip(items.chunks(size)) {
            data[at..at + size].copy_from_slice(item);
        }
    }
}

impl Drop for MemoryView {
    fn drop(&mut self) {
        self.release();
    }
}

impl Heap for MemoryView {
    const TAG: Tag = Tag::MemoryView;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.object.borrow());
    }
}

/// Bytes that may be overwritten: a part of a `bytearray`.
pub struct Writable {
    pub array: Ref<ByteArray>,
    pub start: usize,
    pub len: usize,
}

impl Writable {
    /// The bytes of a `bytearray` or of a view onto one, if they stand side by side.
    pub fn of(value: &Value) -> Option<Writable> {
        let inside = Vm::unwrap_native(value);
        match inside.view() {
            View::ByteArray(bytes) => {
                let len = bytes.data.borrow().len();
                Some(Writable { array: inside.get_ref()?, start: 0, len })
            }
            View::MemoryView(view) if !view.is_readonly && view.layout.is_c_contiguous() => {
                let array = byte_array(&view.object.borrow())?;
                Some(Writable { array, start: view.layout.offset, len: view.layout.size() })
            }
            View::Foreign(_) => {
                let array = byte_array(inside)?;
                let len = array.data.borrow().len();
                Some(Writable { array, start: 0, len })
            }
            _ => None,
        }
    }

    /// Overwrites the bytes from `at` on; what does not fit is left out.
    pub fn write(&self, at: usize, bytes: &[u8]) {
        let mut data = self.array.data.borrow_mut();
        let end = (self.start + self.len).min(data.len());
        let start = (self.start + at).min(end);
        let count = bytes.len().min(end - start);
        data[start..start + count].copy_from_slice(&bytes[..count]);
    }
}
