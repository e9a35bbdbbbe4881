//! Reference-counted heap objects: the header, the pointer, and how objects die.
//!
//! A heap object is an [`Obj<T>`]: a header of two 32-bit words (reference count and collector word)
//! before the payload. [`Ref<T>`] is an owning pointer to one, `Rc` without weak counts or threads.
//! The kind of an object is not in its header: it is in the tag of every [`Value`] that points at it.
//!
//! Dropping must not recurse without bound (a list may be a million lists deep), so a drop that happens
//! inside too many other drops only queues the object, and the outermost drop empties the queue.

use super::{Tag, Value};
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;

/// Payload types of heap objects; ties each to its tag.
pub trait Heap: Sized + 'static {
    const TAG: Tag;
    /// Calls `visit` with each value the object holds; what the cycle collector follows.
    fn trace(&self, _visit: &mut dyn FnMut(&Value)) {}
}

#[repr(C)]
pub struct Obj<T> {
    count: Cell<u32>,
    /// Place among the collector's suspects, from 1; 0 if it is none. The top bit is [`HAS_WEAK`].
    gc: Cell<u32>,
    data: T,
}

/// Bit of the collector word: the object is in the table of weak references.
pub(super) const HAS_WEAK: u32 = 1 << 31;
/// Bits of the collector word that are the place among the suspects.
pub(super) const PLACE: u32 = HAS_WEAK - 1;

/// Owning pointer to a heap object.
pub struct Ref<T: Heap>(NonNull<Obj<T>>);

impl<T: Heap> Ref<T> {
    #[inline]
    pub fn new(data: T) -> Ref<T> {
        let obj = Box::new(Obj { count: Cell::new(1), gc: Cell::new(0), data });
        Ref(NonNull::from(Box::leak(obj)))
    }

    #[inline(always)]
    pub fn ptr_eq(a: &Ref<T>, b: &Ref<T>) -> bool {
        a.0 == b.0
    }

    #[inline(always)]
    pub fn address(&self) -> usize {
        self.0.as_ptr() as usize
    }

    #[inline(always)]
    pub fn count(&self) -> u32 {
        // SAFETY: a Ref always points at a live object.
        unsafe { self.0.as_ref() }.count.get()
    }

    /// The payload for writing, if this is the only pointer to it.
    #[inline]
    pub fn get_mut(this: &mut Ref<T>) -> Option<&mut T> {
        // SAFETY: with a count of one and `this` borrowed mutably nobody else can reach the payload.
        (this.count() == 1).then(|| unsafe { &mut (*this.0.as_ptr()).data })
    }

    #[inline(always)]
    pub(super) fn into_raw(self) -> u64 {
        let bits = self.0.as_ptr() as usize as u64;
        std::mem::forget(self);
        bits
    }

    /// # Safety
    /// `bits` must come from `into_raw` of the same `T`, and one count must be owed to the caller.
    #[inline(always)]
    pub(super) unsafe fn from_raw(bits: u64) -> Ref<T> {
        Ref(unsafe { NonNull::new_unchecked(bits as usize as *mut Obj<T>) })
    }

    /// A new pointer to the object that holds a payload.
    ///
    /// # Safety
    /// `payload` must come from `as_ptr`, and the object must be alive.
    pub unsafe fn from_payload(payload: *const T) -> Ref<T> {
        let obj = unsafe { payload.byte_sub(std::mem::offset_of!(Obj<T>, data)) }.cast::<Obj<T>>().cast_mut();
        let made = std::mem::ManuallyDrop::new(Ref(unsafe { NonNull::new_unchecked(obj) }));
        (*made).clone()
    }

    /// A pointer that counts no reference, for caches compared by identity only.
    #[inline(always)]
    pub fn as_ptr(&self) -> *const T {
        &**self
    }
}

impl<T: Heap> Deref for Ref<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: a Ref always points at a live object.
        unsafe { &self.0.as_ref().data }
    }
}

impl<T: Heap> Clone for Ref<T> {
    #[inline(always)]
    fn clone(&self) -> Ref<T> {
        // SAFETY: a Ref always points at a live object.
        let count = unsafe { &self.0.as_ref().count };
        count.set(count.get() + 1);
        Ref(self.0)
    }
}

impl<T: Heap> Drop for Ref<T> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: this Ref owns one count; the object is alive until that count is given back.
        let count = unsafe { &self.0.as_ref().count };
        let left = count.get() - 1;
        count.set(left);
        if left == 0 {
            // SAFETY: the count just reached zero, so nobody else can reach the object.
            unsafe { die(T::TAG, self.0.as_ptr() as usize as u64) }
        } else if T::TAG.is_container() {
            // SAFETY: the object is alive.
            unsafe { note_suspect(T::TAG, self.0.as_ptr() as usize as u64) }
        }
    }
}

/// Adds one to the count of the object at `bits`.
///
/// # Safety
/// `bits` must be the payload word of a live heap value.
#[inline(always)]
pub(super) unsafe fn retain(bits: u64) {
    let count = unsafe { &*(bits as usize as *const Cell<u32>) };
    count.set(count.get() + 1);
}

/// Takes one from the count of the object at `bits` and frees it at zero.
///
/// # Safety
/// `bits` must be the payload word of a live heap value of kind `tag`, whose count the caller gives up.
#[inline(always)]
pub(super) unsafe fn release(tag: Tag, bits: u64) {
    let count = unsafe { &*(bits as usize as *const Cell<u32>) };
    let left = count.get() - 1;
    count.set(left);
    if left == 0 {
        unsafe { die(tag, bits) }
    } else if tag.is_container() {
        unsafe { note_suspect(tag, bits) }
    }
}

/// The collector word of the object at `bits`.
///
/// # Safety
/// `bits` must be the payload word of a live heap value, which outlives `'a`.
#[inline(always)]
pub(super) unsafe fn collector_word<'a>(bits: u64) -> &'a Cell<u32> {
    unsafe { &*(bits as usize as *const Cell<u32>).add(1) }
}

/// Remembers a container whose count went down without reaching zero, once.
///
/// # Safety
/// As for `collector_word`.
#[inline(always)]
unsafe fn note_suspect(tag: Tag, bits: u64) {
    let word = unsafe { collector_word(bits) };
    if word.get() & PLACE == 0 {
        word.set(word.get() | super::gc::suspect(tag, bits));
    }
}

/// Drops nested deeper than this are queued. Each level costs a few hundred bytes of machine stack.
const MAX_NESTED_DROPS: u32 = 200;

thread_local! {
    static NESTED_DROPS: Cell<u32> = const { Cell::new(0) };
    /// Objects that wait to be freed. It outlives the values of a thread that ends, as it needs no destructor:
    /// it owns memory only while it is in use.
    static WAITING: RefCell<ManuallyDrop<Vec<(Tag, u64)>>> = const { RefCell::new(ManuallyDrop::new(Vec::new())) };
}

/// Frees a dead object, now or as soon as the drops it is nested in are done.
///
/// # Safety
/// The object's count must be zero and nobody may touch it again.
#[cold]
#[inline(never)]
unsafe fn die(tag: Tag, bits: u64) {
    if !tag.is_container() {
        return unsafe { super::free(tag, bits) };
    }
    if tag == Tag::Instance && unsafe { finalize(bits) } {
        return;
    }
    let word = unsafe { collector_word(bits) };
    if word.get() != 0 {
        let old = word.replace(0);
        if old & PLACE != 0 {
            super::gc::forget(old & PLACE);
        }
        if old & HAS_WEAK != 0 {
            super::weak::clear(bits);
        }
    }
    let depth = NESTED_DROPS.get();
    if depth >= MAX_NESTED_DROPS {
        return WAITING.with_borrow_mut(|queue| queue.push((tag, bits)));
    }
    NESTED_DROPS.set(depth + 1);
    unsafe { super::free(tag, bits) };
    if depth == 0 && WAITING.with_borrow(|queue| !queue.is_empty()) {
        free_waiting();
    }
    NESTED_DROPS.set(depth);
}

/// Runs the `__del__` of a dying instance, if it has one that has not run yet. The instance lives again meanwhile, and
/// dies, if `__del__` left it to nobody, when that is done.
///
/// # Safety
/// `bits` must point at an instance whose count is zero.
unsafe fn finalize(bits: u64) -> bool {
    use super::Instance;
    let instance = unsafe { payload::<Instance>(bits) };
    if !instance.has_finalizer() {
        return false;
    }
    instance.is_finalized.set(true);
    unsafe { retain(bits) };
    // SAFETY: the count that `retain` added belongs to this pointer.
    let revived = unsafe { Ref::<Instance>::from_raw(bits) };
    crate::eval::finalize::finalize_instance(&revived);
    true
}

#[cold]
fn free_waiting() {
    while let Some((tag, bits)) = WAITING.with_borrow_mut(|queue| queue.pop()) {
        // SAFETY: only dead objects are queued, each once.
        unsafe { super::free(tag, bits) };
    }
    WAITING.with_borrow_mut(|queue| drop(std::mem::take(&mut **queue)));
}

/// Frees the memory of an object of payload type `T`, running its destructor.
///
/// # Safety
/// As for [`die`]; `bits` must point at an `Obj<T>`.
pub(super) unsafe fn free_as<T: Heap>(bits: u64) {
    drop(unsafe { Box::from_raw(bits as usize as *mut Obj<T>) });
}

/// The payload of the object at `bits`.
///
/// # Safety
/// `bits` must point at a live `Obj<T>` that outlives `'a`.
#[inline(always)]
pub(super) unsafe fn payload<'a, T: Heap>(bits: u64) -> &'a T {
    unsafe { &(*(bits as usize as *const Obj<T>)).data }
}
