//! Values: two machine words, a tag and a payload, returned in registers.
//!
//! Small kinds (none, bool, int, float, ...) live in the payload word; every other kind is a pointer to a
//! reference-counted [`heap::Obj`]. One file per type holds the payload, its methods (rows of
//! [`Native`](crate::call::Native)) and what Rust code needs of it. The tag has a niche, so
//! `Option<Value>` and `Result<Value, Raised>` are two words as well.
//!
//! [`Value::get`] asks for one kind (`value.get::<List>()`), [`Value::view`] matches on all of them.

pub mod bytes;
pub mod complex_methods;
pub mod descriptor_methods;
pub mod dict;
pub mod dict_methods;
pub mod dict_view_methods;
pub mod exception;
pub mod exception_group;
pub mod exception_methods;
pub mod file;
pub mod float_methods;
pub mod function;
pub mod function_methods;
pub mod gc;
pub mod generator;
pub mod generic_alias;
pub mod heap;
pub mod instance;
pub mod int;
pub mod int_methods;
pub mod iterator;
pub mod iterator_methods;
pub mod list;
pub mod list_methods;
pub mod mapping_proxy;
pub mod memoryview;
pub mod module;
pub mod module_methods;
pub mod object_methods;
pub mod range;
pub mod range_methods;
pub mod reduce;
pub mod set;
pub mod set_methods;
pub mod sort;
pub mod special_rows;
pub mod str;
pub mod tuple;
pub mod tuple_methods;
pub mod type_methods;
pub mod types;
pub mod union;
pub mod weak;

pub use bytes::{ByteArray, Bytes};
pub use dict::{Dict, DictView};
pub use exception::Exception;
pub use file::File;
pub use function::{
    BoundMethod, Cell, ClassMethod, Function, NativeFunction, NativeKind, Property, PropertyKind,
    StaticMethod,
};
pub use generator::Generator;
pub use heap::{Heap, Ref};
pub use instance::{Instance, Super};
pub use int::{Complex, Int};
pub use iterator::Iter;
pub use list::List;
pub use mapping_proxy::MappingProxy;
pub use memoryview::MemoryView;
pub use module::{Foreign, GlobalVar, Module};
pub use range::{Range, Slice};
pub use set::{FrozenSet, Set};
pub use str::Str;
pub use tuple::Tuple;
pub use types::Type;

use std::marker::PhantomData;

/// Heap kinds: name of the tag and of the payload type, and whether it can hold other values.
macro_rules! heap_kinds {
    ($($name:ident $container:literal,)*) => {
        /// What the payload word of a value means.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
        #[repr(u64)]
        pub enum Tag {
            /// No value: a variable not assigned yet, an argument not given.
            Unbound,
            None,
            Bool,
            Int,
            Float,
            Ellipsis,
            NotImplemented,
            $($name,)*
        }

        impl Tag {
            pub const COUNT: usize = [$(Tag::$name),*].len() + Tag::FIRST_HEAP as usize;

            /// Whether objects of this kind can hold other values (so that dropping one may nest).
            #[inline(always)]
            pub fn is_container(self) -> bool {
                self >= Tag::FIRST_CONTAINER
            }

            /// The same, from the table: a test compares.
            #[cfg(test)]
            fn is_listed_as_container(self) -> bool {
                match self {
                    $(Tag::$name => $container,)*
                    _ => false,
                }
            }
        }

        /// A value taken apart, for matching on every kind.
        #[derive(Clone, Copy)]
        pub enum View<'a> {
            Unbound,
            None,
            Bool(bool),
            Int(i64),
            Float(f64),
            Ellipsis,
            NotImplemented,
            $($name(&'a $name),)*
        }

        impl Value {
            #[inline]
            pub fn view(&self) -> View<'_> {
                match self.tag {
                    Tag::Unbound => View::Unbound,
                    Tag::None => View::None,
                    Tag::Bool => View::Bool(self.bits != 0),
                    Tag::Int => View::Int(self.bits as i64),
                    Tag::Float => View::Float(f64::from_bits(self.bits)),
                    Tag::Ellipsis => View::Ellipsis,
                    Tag::NotImplemented => View::NotImplemented,
                    // SAFETY: the tag says what the payload points at; it lives as long as `self`.
                    $(Tag::$name => View::$name(unsafe { heap::payload(self.bits) }),)*
                }
            }
        }

        impl Value {
            /// Calls `visit` with each value the object holds.
            pub(crate) fn trace(&self, visit: &mut dyn FnMut(&Value)) {
                match self.view() {
                    $(View::$name(object) => Heap::trace(object, visit),)*
                    _ => {}
                }
            }
        }

        /// # Safety
        /// As for `heap::free_as`, with the payload type that `tag` names.
        unsafe fn free(tag: Tag, bits: u64) {
            match tag {
                $(Tag::$name => unsafe { heap::free_as::<$name>(bits) },)*
                _ => unreachable!("{tag:?} is not a heap kind"),
            }
        }
    };
}

heap_kinds! {
    BigInt false,
    Complex false,
    Str false,
    Bytes false,
    ByteArray false,
    Range false,
    List true,
    Tuple true,
    Dict true,
    Set true,
    FrozenSet true,
    Slice true,
    DictView true,
    MemoryView true,
    MappingProxy true,
    Cell true,
    Function true,
    NativeFunction true,
    BoundMethod true,
    Property true,
    StaticMethod true,
    ClassMethod true,
    Type true,
    Instance true,
    Super true,
    Exception true,
    Module true,
    GlobalVar true,
    Iter true,
    Generator true,
    File true,
    Foreign true,
}

/// An int outside the 64-bit range. Ints that fit are always `Tag::Int`.
pub type BigInt = num_bigint::BigInt;

impl Tag {
    pub const FIRST_HEAP: Tag = Tag::BigInt;
    /// Kinds from here on hold other values: dropping one may nest, and they may be in cycles.
    pub const FIRST_CONTAINER: Tag = Tag::List;

    /// Whether comparisons and operators ask the methods of a type of this kind.
    #[inline]
    pub fn asks_methods(self) -> bool {
        matches!(self, Tag::Instance | Tag::Type | Tag::Exception | Tag::Foreign | Tag::MappingProxy)
    }

    #[inline(always)]
    pub fn is_heap(self) -> bool {
        self >= Tag::FIRST_HEAP
    }
}

/// Any ZPy value. `Clone` copies a reference, not the object. A value stays in the thread that made it:
///
/// ```compile_fail
/// let value = zpy::Value::int(1);
/// std::thread::spawn(move || value);
/// ```
#[repr(C)]
pub struct Value {
    tag: Tag,
    bits: u64,
    /// Neither `Send` nor `Sync`: reference counts are not atomic.
    thread: PhantomData<*const ()>,
}

/// An exception is on its way; the exception itself waits in the interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raised;

/// What evaluation yields.
pub type Res<T = Value> = Result<T, Raised>;

const _: () = assert!(size_of::<Value>() == 16);
const _: () = assert!(size_of::<Res>() == 16);
const _: () = assert!(size_of::<Option<Value>>() == 16);
const _: () = assert!(size_of::<Res<Option<Value>>>() == 16);

impl Value {
    #[inline(always)]
    const fn raw(tag: Tag, bits: u64) -> Value {
        Value { tag, bits, thread: PhantomData }
    }

    pub const UNBOUND: Value = Value::raw(Tag::Unbound, 0);
    pub const NONE: Value = Value::raw(Tag::None, 0);
    pub const TRUE: Value = Value::raw(Tag::Bool, 1);
    pub const FALSE: Value = Value::raw(Tag::Bool, 0);
    pub const ELLIPSIS: Value = Value::raw(Tag::Ellipsis, 0);
    pub const NOT_IMPLEMENTED: Value = Value::raw(Tag::NotImplemented, 0);

    #[inline(always)]
    pub const fn int(value: i64) -> Value {
        Value::raw(Tag::Int, value as u64)
    }

    #[inline(always)]
    pub const fn float(value: f64) -> Value {
        Value::raw(Tag::Float, value.to_bits())
    }

    #[inline(always)]
    pub const fn bool(value: bool) -> Value {
        Value::raw(Tag::Bool, value as u64)
    }

    /// An int of any size, stored in the payload word if it fits.
    pub fn big(value: BigInt) -> Value {
        match i64::try_from(&value) {
            Ok(small) => Value::int(small),
            Err(_) => Ref::new(value).into(),
        }
    }

    /// A count or length.
    #[inline]
    pub fn size(value: usize) -> Value {
        Value::int(value as i64)
    }

    pub fn str(text: impl AsRef<str>) -> Value {
        Str::new(text.as_ref()).into()
    }

    pub fn bytes(data: impl Into<Vec<u8>>) -> Value {
        Bytes::new(data.into()).into()
    }

    pub fn list(items: Vec<Value>) -> Value {
        List::new(items).into()
    }

    pub fn tuple(items: Vec<Value>) -> Value {
        Tuple::new(items).into()
    }

    pub fn opt(value: Option<Value>) -> Value {
        value.unwrap_or(Value::NONE)
    }

    #[inline(always)]
    pub fn tag(&self) -> Tag {
        self.tag
    }

    #[inline(always)]
    pub fn is_unbound(&self) -> bool {
        self.tag == Tag::Unbound
    }

    #[inline(always)]
    pub fn is_none(&self) -> bool {
        self.tag == Tag::None
    }

    #[inline(always)]
    pub fn is_not_implemented(&self) -> bool {
        self.tag == Tag::NotImplemented
    }

    /// The payload if this is a 64-bit int (not a bool, not a big int).
    #[inline(always)]
    pub fn as_int(&self) -> Option<i64> {
        (self.tag == Tag::Int).then_some(self.bits as i64)
    }

    #[inline(always)]
    pub fn as_float(&self) -> Option<f64> {
        (self.tag == Tag::Float).then_some(f64::from_bits(self.bits))
    }

    #[inline(always)]
    pub fn as_bool(&self) -> Option<bool> {
        (self.tag == Tag::Bool).then_some(self.bits != 0)
    }

    /// The text if this is exactly a string.
    #[inline]
    pub fn as_str(&self) -> Option<&str> {
        self.get::<Str>().map(Str::as_str)
    }

    /// Int or bool as a number; big ints are `None`.
    #[inline]
    pub fn as_small_int(&self) -> Option<i64> {
        matches!(self.tag, Tag::Int | Tag::Bool).then_some(self.bits as i64)
    }

    /// The payload if this is a heap value of kind `T`.
    #[inline(always)]
    pub fn get<T: Heap>(&self) -> Option<&T> {
        // SAFETY: the tag says what the payload points at; it lives as long as `self`.
        (self.tag == T::TAG).then(|| unsafe { heap::payload(self.bits) })
    }

    #[inline(always)]
    pub fn is<T: Heap>(&self) -> bool {
        self.tag == T::TAG
    }

    /// An owning pointer to the payload if this is a heap value of kind `T`.
    #[inline]
    pub fn get_ref<T: Heap>(&self) -> Option<Ref<T>> {
        self.clone().into_ref().ok()
    }

    /// Turns a heap value of kind `T` into its owning pointer.
    #[inline]
    pub fn into_ref<T: Heap>(self) -> Result<Ref<T>, Value> {
        if self.tag != T::TAG {
            return Err(self);
        }
        let bits = self.bits;
        std::mem::forget(self);
        // SAFETY: the tag says what the payload points at, and this value's count moves to the Ref.
        Ok(unsafe { Ref::from_raw(bits) })
    }

    /// Whether both are the very same object (`is`). Small kinds are the same when equal.
    #[inline(always)]
    pub fn same(&self, other: &Value) -> bool {
        self.tag == other.tag && self.bits == other.bits
    }

    /// A number that tells this object from every other live one: what `id()` gives.
    pub fn identity(&self) -> u64 {
        if self.tag.is_heap() { self.bits } else { (self.bits << 5) ^ ((self.tag as u64) << 1) | 1 }
    }

    /// How many references there are to the object; 0 for small kinds.
    pub fn reference_count(&self) -> u32 {
        if !self.tag.is_heap() {
            return 0;
        }
        // SAFETY: the header is the first word of every heap object.
        unsafe { &*(self.bits as usize as *const std::cell::Cell<u32>) }.get()
    }

    /// One more reference to a live heap object.
    ///
    /// # Safety
    /// `bits` must be the payload word of a live heap value of kind `tag`.
    unsafe fn revive(tag: Tag, bits: u64) -> Value {
        unsafe { heap::retain(bits) };
        Value { tag, bits, thread: PhantomData }
    }

    fn reset_collector_word(&self) {
        if self.tag.is_heap() {
            // SAFETY: a heap value points at a live object.
            let word = unsafe { heap::collector_word(self.bits) };
            word.set(word.get() & heap::HAS_WEAK);
        }
    }

    /// What the collector wrote in the object's header: its place in a list, 0 if it is in none.
    fn place(&self) -> u32 {
        // SAFETY: the collector asks of heap values only, which point at a live object.
        unsafe { heap::collector_word(self.bits) }.get() & heap::PLACE
    }

    fn set_place(&self, place: u32) {
        // SAFETY: as for `place`.
        let word = unsafe { heap::collector_word(self.bits) };
        word.set(word.get() & heap::HAS_WEAK | place);
    }

    /// Empties the weak references to a garbage object and runs their callbacks.
    fn clear_weak_references(&self) {
        if !self.tag.is_heap() {
            return;
        }
        // SAFETY: a heap value points at a live object.
        let word = unsafe { heap::collector_word(self.bits) };
        if word.get() & heap::HAS_WEAK != 0 {
            word.set(word.get() & !heap::HAS_WEAK);
            weak::clear(self.bits);
        }
    }

    /// Takes the value out, leaving `Unbound`.
    #[inline(always)]
    pub fn take(&mut self) -> Value {
        std::mem::replace(self, Value::UNBOUND)
    }
}

impl<T: Heap> From<Ref<T>> for Value {
    #[inline(always)]
    fn from(pointer: Ref<T>) -> Value {
        Value::raw(T::TAG, pointer.into_raw())
    }
}

impl Clone for Value {
    #[inline(always)]
    fn clone(&self) -> Value {
        if self.tag.is_heap() {
            // SAFETY: a heap value points at a live object.
            unsafe { heap::retain(self.bits) }
        }
        Value::raw(self.tag, self.bits)
    }
}

impl Drop for Value {
    #[inline(always)]
    fn drop(&mut self) {
        if self.tag.is_heap() {
            // SAFETY: this value owns one count, given up here.
            unsafe { heap::release(self.tag, self.bits) }
        }
    }
}

impl Default for Value {
    fn default() -> Value {
        Value::UNBOUND
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.view() {
            View::Int(value) => write!(f, "{value}"),
            View::Float(value) => write!(f, "{value:?}"),
            View::Bool(value) => write!(f, "{value}"),
            View::Str(text) => write!(f, "{:?}", text.as_str()),
            View::BigInt(value) => write!(f, "{value}"),
            View::None => write!(f, "none"),
            _ => write!(f, "<{:?}>", self.tag),
        }
    }
}

impl Heap for BigInt {
    const TAG: Tag = Tag::BigInt;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_come_last_among_the_tags() {
        let values = [Value::list(vec![]), Value::tuple(vec![]), Value::str("a"), Value::bytes(vec![1])];
        for value in values {
            assert_eq!(value.tag().is_container(), value.tag().is_listed_as_container());
        }
        for tag in [Tag::BigInt, Tag::Range, Tag::ByteArray, Tag::Slice, Tag::Instance, Tag::Foreign] {
            assert_eq!(tag.is_container(), tag.is_listed_as_container(), "{tag:?}");
        }
    }

    #[test]
    fn a_million_lists_deep_drop_without_recursion() {
        let mut value = Value::list(vec![]);
        for _ in 0..1_000_000 {
            value = Value::list(vec![value]);
        }
        drop(value);
    }
}
