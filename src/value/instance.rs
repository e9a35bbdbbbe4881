//! Instances of classes, and `super` objects.

use super::table::Table;
use super::{Dict, Heap, Ref, Tag, Type, Value};
use std::cell::{Cell, OnceCell, RefCell};

/// An object of a class that a script defined (or of `object`).
pub struct Instance {
    pub class: RefCell<Ref<Type>>,
    /// Attribute table, made when first needed.
    pub attributes: Table,
    /// Values of `__slots__` by name, made when first needed.
    pub slots: OnceCell<Ref<Dict>>,
    /// For a class derived from a built-in type: the built-in value inside (`Unbound` otherwise).
    pub native: RefCell<Value>,
    /// `__del__` has run.
    pub is_finalized: Cell<bool>,
}

impl Instance {
    pub fn new(class: Ref<Type>) -> Ref<Instance> {
        Instance::with_native(class, Value::UNBOUND)
    }

    pub fn with_native(class: Ref<Type>, native: Value) -> Ref<Instance> {
        Ref::new(Instance {
            class: RefCell::new(class),
            attributes: Table::default(),
            slots: OnceCell::new(),
            native: RefCell::new(native),
            is_finalized: Cell::new(false),
        })
    }

    #[inline]
    pub fn class(&self) -> Ref<Type> {
        self.class.borrow().clone()
    }

    pub fn attributes(&self) -> Ref<Dict> {
        self.attributes.get_or_make()
    }

    pub fn slots(&self) -> &Ref<Dict> {
        self.slots.get_or_init(|| Dict::new(Default::default()))
    }

    /// The built-in value inside an instance of a class derived from a built-in type.
    #[inline]
    pub fn native(&self) -> Option<&Value> {
        // SAFETY: `native` is replaced only while the instance is being constructed, before any
        // reference to the old value can have been handed out.
        let native = unsafe { &*self.native.as_ptr() };
        (!native.is_unbound()).then_some(native)
    }
}

impl Instance {
    /// Whether `__del__` must run before the instance goes.
    pub fn has_finalizer(&self) -> bool {
        self.class.borrow().has_del.get() && !self.is_finalized.get()
    }
}

/// `super(class, object)`: attribute look-up that starts after `class` in the object's resolution order.
pub struct Super {
    pub class: Ref<Type>,
    /// An instance, or the class itself inside a class method.
    pub object: Value,
    /// The class whose resolution order is followed.
    pub object_class: Ref<Type>,
}

impl Heap for Instance {
    const TAG: Tag = Tag::Instance;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.class().into());
        self.attributes.trace(visit);
        if let Some(slots) = self.slots.get() {
            visit(&slots.clone().into());
        }
        visit(&self.native.borrow());
    }
}

impl Heap for Super {
    const TAG: Tag = Tag::Super;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.class.clone().into());
        visit(&self.object);
        visit(&self.object_class.clone().into());
    }
}
