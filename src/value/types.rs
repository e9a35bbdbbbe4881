//! Type objects: built-in types and classes alike.
//!
//! A type has a Python name (`str`), which messages and `__name__` use, and a display name (`string`),
//! which it prints as and equals as a string. Methods of built-in types are rows that are poured into the
//! attribute table when first asked for, so that starting an interpreter does not pay for them.

use super::{Dict, Heap, Ref, Str, Tag, Value, dict};
use crate::call::Native;
use std::cell::{Cell, RefCell};

pub struct Type {
    /// Python's name; may be set by scripts.
    pub name: RefCell<Ref<Str>>,
    /// ZPy's name, where it differs.
    pub display: Option<&'static str>,
    pub qualname: RefCell<Ref<Str>>,
    pub bases: RefCell<Vec<Ref<Type>>>,
    /// Method resolution order, this type first.
    pub mro: RefCell<Vec<Ref<Type>>>,
    pub attributes: Ref<Dict>,
    /// Rows not poured into `attributes` yet.
    pub pending: Cell<&'static [Native]>,
    /// Which kind of value its instances are (or, for a class, carry inside).
    pub kind: Tag,
    pub flags: Flags,
    /// Changes whenever attributes of this type or of a base change; never the same for two types.
    pub version: Cell<u64>,
    /// Names of the slots that this class adds.
    pub slots: RefCell<Vec<Ref<Str>>>,
    /// This class or a base of it defines `__del__`.
    pub has_del: Cell<bool>,
    /// The class of this class; `Unbound` means `type`.
    pub metaclass: RefCell<Value>,
    /// Classes derived from this one, for telling them about changes.
    pub subclasses: RefCell<Vec<WeakType>>,
}

/// A pointer that does not keep its class alive. A dying class removes itself from its bases.
pub type WeakType = *const Type;

#[derive(Clone, Copy, Default, Debug)]
pub struct Flags {
    /// Defined by a `class` statement or `type(...)`.
    pub is_user: bool,
    /// May be used as a base class.
    pub is_base: bool,
    /// Instances of a script's class can have weak references.
    pub has_weakrefs: bool,
    /// Instances have no attribute table (`__slots__` without `__dict__`, built-in values).
    pub is_slotted: bool,
}

thread_local! {
    static NEXT_VERSION: Cell<u64> = const { Cell::new(1) };
}

/// A number no type has used as its version on this thread.
pub fn fresh_version() -> u64 {
    NEXT_VERSION.replace(NEXT_VERSION.get() + 1)
}

impl Type {
    pub fn new(name: &str, bases: Vec<Ref<Type>>, kind: Tag, flags: Flags) -> Type {
        Type {
            name: RefCell::new(Str::new(name)),
            display: None,
            qualname: RefCell::new(Str::new(name)),
            bases: RefCell::new(bases),
            mro: RefCell::new(Vec::new()),
            attributes: Dict::new(dict::Map::default()),
            pending: Cell::new(&[]),
            kind,
            flags,
            version: Cell::new(fresh_version()),
            slots: RefCell::new(Vec::new()),
            has_del: Cell::new(false),
            metaclass: RefCell::new(Value::UNBOUND),
            subclasses: RefCell::new(Vec::new()),
        }
    }

    /// Python's name, as in messages.
    pub fn name(&self) -> Ref<Str> {
        self.name.borrow().clone()
    }

    /// What it prints as and equals as a string.
    pub fn display_name(&self) -> String {
        match self.display {
            Some(name) => name.to_string(),
            None => self.name.borrow().as_str().to_string(),
        }
    }

    /// Whether `other` is this type or one of its bases.
    #[inline]
    pub fn is_subtype_of(&self, other: &Type) -> bool {
        std::ptr::eq(self, other) || self.mro.borrow().iter().any(|t| std::ptr::eq(&**t, other))
    }

    /// The classes derived from this one directly.
    pub fn derived(&self) -> Vec<Ref<Type>> {
        // SAFETY: a class removes itself from its bases' lists before it is freed.
        self.subclasses.borrow().iter().map(|&class| unsafe { Ref::from_payload(class) }).collect()
    }

    /// Notes that attributes changed, here and in every derived class.
    pub fn touch(&self) {
        self.version.set(fresh_version());
        for &subclass in self.subclasses.borrow().iter() {
            // SAFETY: a class removes itself from its bases' lists before it is freed.
            unsafe { &*subclass }.touch();
        }
    }
}

impl Drop for Type {
    fn drop(&mut self) {
        let this: WeakType = self;
        for base in self.bases.get_mut() {
            base.subclasses.borrow_mut().retain(|&subclass| subclass != this);
        }
    }
}

impl Heap for Type {
    const TAG: Tag = Tag::Type;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        for base in self.bases.borrow().iter().chain(self.mro.borrow().iter()) {
            visit(&base.clone().into());
        }
        visit(&self.attributes.clone().into());
        visit(&self.metaclass.borrow());
    }
}
