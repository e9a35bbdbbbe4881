//! Weak references: who wants to know when an object dies.
//!
//! A table maps the address of an object to its weak references. The top bit of the collector word in the
//! object's header says that there is an entry, so that objects without one die as fast as ever. When an
//! object dies its references are emptied first, then their callbacks run.

use super::heap::{self, HAS_WEAK};
use super::{Foreign, Instance, Ref, Tag, Type, Value, View};
use crate::eval::Vm;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

/// What a weak reference object carries.
pub struct WeakRef {
    /// Tag and payload word of the object while it lives.
    target: Cell<Option<(Tag, u64)>>,
    /// Tag and payload word of the reference object itself while it lives, to hand it to the callback.
    own: Cell<Option<(Tag, u64)>>,
    pub callback: RefCell<Value>,
    /// Hash of the object, once asked for; it outlives the object.
    pub hash: Cell<Option<u64>>,
}

/// What the native value of a reference object holds: when it goes, the object has gone.
struct Handle(Rc<WeakRef>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.own.set(None);
    }
}

type Table = HashMap<u64, Vec<Weak<WeakRef>>, foldhash::fast::FixedState>;

thread_local! {
    static TABLE: RefCell<Table> = RefCell::default();
}

/// Name of the type of weak reference objects.
pub const TYPE_NAME: &str = "ReferenceType";

impl WeakRef {
    /// A reference object for `target`: one that is there already if neither has a callback. Those of a `class`
    /// that a script derived are not shared.
    pub fn object(target: &Value, callback: Value, class: Option<Ref<Type>>) -> Value {
        if class.is_none()
            && callback.is_none()
            && let Some(known) = references(target).into_iter().find(has_no_callback)
        {
            return known;
        }
        let weak = Rc::new(WeakRef {
            target: Cell::new(Some((target.tag, target.bits))),
            own: Cell::new(None),
            callback: RefCell::new(callback),
            hash: Cell::new(None),
        });
        let data = RefCell::new(Box::new(Handle(weak.clone())) as Box<dyn std::any::Any>);
        let native: Value = Ref::new(Foreign { type_name: TYPE_NAME, data }).into();
        let value = match class {
            Some(class) => Instance::with_native(class, native).into(),
            None => native,
        };
        weak.own.set(Some((value.tag, value.bits)));
        TABLE.with_borrow_mut(|table| {
            let entry = table.entry(target.bits).or_default();
            entry.retain(|weak| weak.strong_count() > 0);
            entry.push(Rc::downgrade(&weak));
        });
        // SAFETY: `target` is alive.
        let word = unsafe { heap::collector_word(target.bits) };
        word.set(word.get() | HAS_WEAK);
        value
    }

    /// What a reference object carries, if the value is one.
    pub fn of(value: &Value) -> Option<Rc<WeakRef>> {
        let data = Vm::unwrap_native(value).get::<Foreign>()?.data.borrow();
        data.downcast_ref::<Handle>().map(|handle| handle.0.clone())
    }

    /// The object, if it still lives.
    pub fn target(&self) -> Option<Value> {
        let (tag, bits) = self.target.get()?;
        // SAFETY: the reference is emptied before its object is freed.
        unsafe { revive(tag, bits) }
    }

    /// The reference object, if it is not dying itself.
    fn own(&self) -> Option<Value> {
        let (tag, bits) = self.own.get()?;
        // SAFETY: the object owns the handle, which forgets the address before the object is freed.
        unsafe { revive(tag, bits) }
    }
}

/// One more reference to an object unless its count is zero already.
///
/// # Safety
/// `bits` must be the payload word of a heap object of kind `tag` that is not freed.
unsafe fn revive(tag: Tag, bits: u64) -> Option<Value> {
    let count = unsafe { &*(bits as usize as *const Cell<u32>) };
    // SAFETY: with a count above zero the object is alive.
    (count.get() > 0).then(|| unsafe { Value::revive(tag, bits) })
}

fn has_no_callback(value: &Value) -> bool {
    value.is::<Foreign>() && WeakRef::of(value).is_some_and(|weak| weak.callback.borrow().is_none())
}

/// The weak reference objects of an object, the one that is shared first.
pub fn references(target: &Value) -> Vec<Value> {
    let known = TABLE.with_borrow(|table| table.get(&target.bits).cloned().unwrap_or_default());
    let mut all: Vec<Value> = known.iter().filter_map(Weak::upgrade).filter_map(|weak| weak.own()).collect();
    all.sort_by_key(|value| !has_no_callback(value));
    all
}

/// Whether the kind of an object allows weak references (classes with `__slots__` aside).
pub fn is_allowed(value: &Value) -> bool {
    match value.view() {
        View::Instance(instance) => !matches!(
            instance.native().map(Value::tag),
            Some(Tag::Int | Tag::BigInt | Tag::Bool | Tag::Tuple | Tag::Bytes)
        ),
        View::Exception(exception) => exception.class().flags.is_user,
        View::Function(_) | View::NativeFunction(_) | View::BoundMethod(_) | View::Type(_) => true,
        View::Set(_) | View::FrozenSet(_) | View::Generator(_) | View::Module(_) | View::File(_) => true,
        View::Foreign(_) | View::MemoryView(_) => true,
        View::Iter(iter) => iter.type_name() == "_tee",
        _ => false,
    }
}

/// Empties the references of a dying object and runs their callbacks.
#[cold]
pub(super) fn clear(bits: u64) {
    // During thread shutdown the table may be gone, and then nobody can ask any more.
    let Ok(entry) = TABLE.try_with(|table| table.borrow_mut().remove(&bits)) else { return };
    let weak: Vec<Rc<WeakRef>> = entry.unwrap_or_default().iter().filter_map(Weak::upgrade).collect();
    for reference in &weak {
        reference.target.set(None);
    }
    // The youngest first, as Python calls them.
    for reference in weak.iter().rev() {
        let callback = reference.callback.replace(Value::NONE);
        if !callback.is_none()
            && let Some(own) = reference.own()
        {
            crate::eval::finalize::call_weak_callback(&callback, own);
        }
    }
}
