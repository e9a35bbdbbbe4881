//! Functions written in scripts and in Rust, methods bound to an object, and the descriptors that wrap
//! functions in classes.

use super::table::Table;
use super::{Dict, Heap, Module, Ref, Str, Tag, Type, Value};
use crate::call::{Native, Signature};
use crate::eval::code::Code;
use std::cell::{Cell as Flag, OnceCell, RefCell};
use std::rc::Rc;

/// A variable shared between a function and the functions inside it.
#[derive(Default)]
pub struct Cell {
    pub value: RefCell<Value>,
}

impl Cell {
    pub fn new(value: Value) -> Ref<Cell> {
        Ref::new(Cell { value: RefCell::new(value) })
    }

    #[inline]
    pub fn get(&self) -> Value {
        self.value.borrow().clone()
    }

    #[inline]
    pub fn set(&self, value: Value) {
        let old = self.value.replace(value);
        drop(old);
    }
}

/// A function defined in a script: its code, and what it brought along from where it was defined.
pub struct Function {
    pub code: Rc<Code>,
    /// Values of the cells the code names as captured, in that order.
    pub captured: Box<[Ref<Cell>]>,
    /// Defaults of the last positional parameters, in order.
    pub defaults: RefCell<Rc<[Value]>>,
    /// Default of each keyword-only parameter; `Unbound` where there is none.
    pub keyword_defaults: RefCell<Rc<[Value]>>,
    pub module: Ref<Module>,
    pub name: RefCell<Ref<Str>>,
    pub qualname: RefCell<Ref<Str>>,
    /// `__dict__`, once anybody sets or asks.
    pub attributes: Table,
    /// `__doc__`, `__module__`, `__annotations__`, `__type_params__`, where they are not what the code says.
    pub fields: OnceCell<Ref<Dict>>,
}

impl Function {
    /// The code of a module as a function without parameters.
    pub fn of_module(code: Rc<Code>, module: Ref<Module>) -> Function {
        Function {
            name: RefCell::new(code.name.clone()),
            qualname: RefCell::new(code.qualname.clone()),
            code,
            captured: Box::default(),
            defaults: RefCell::new([].into()),
            keyword_defaults: RefCell::new([].into()),
            module,
            attributes: Table::default(),
            fields: OnceCell::new(),
        }
    }

    /// A copy that shares code and captured variables, for a generator to run on.
    pub fn clone_handle(&self) -> Function {
        Function {
            code: self.code.clone(),
            captured: self.captured.clone(),
            defaults: RefCell::new([].into()),
            keyword_defaults: RefCell::new([].into()),
            module: self.module.clone(),
            name: RefCell::new(self.name.borrow().clone()),
            qualname: RefCell::new(self.qualname.borrow().clone()),
            attributes: Table::default(),
            fields: OnceCell::new(),
        }
    }

    pub fn attributes(&self) -> Ref<Dict> {
        self.attributes.get_or_make()
    }

    pub fn fields(&self) -> &Ref<Dict> {
        self.fields.get_or_init(|| Dict::new(Default::default()))
    }
}

/// A row of the native module table as a value.
pub struct NativeFunction {
    pub native: &'static Native,
    pub signature: Rc<Signature>,
    /// The type whose method this is.
    pub owner: Option<Ref<Type>>,
    /// Name of the module it lives in, for `__module__` and messages.
    pub module: &'static str,
    pub kind: NativeKind,
}

/// What Python calls the type of a native function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NativeKind {
    /// `builtin_function_or_method`
    Function,
    /// `method_descriptor`: an ordinary method of a built-in type.
    Method,
    /// `wrapper_descriptor`: what an operator or a built-in function does for the type.
    Slot,
}

/// `object.method`: a function with its first argument.
pub struct BoundMethod {
    pub function: Value,
    pub receiver: Value,
}

/// `property(get, set, delete, doc)`; `none` where not given. Computed attributes of built-in types and slots are
/// properties as well, whose functions are native.
pub struct Property {
    pub get: RefCell<Value>,
    pub set: RefCell<Value>,
    pub delete: RefCell<Value>,
    pub doc: RefCell<Value>,
    /// What the class calls it; `none` if nobody said.
    pub name: RefCell<Value>,
    /// The description is the getter's.
    pub has_getter_doc: Flag<bool>,
}

/// Which type a property shows as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PropertyKind {
    Property,
    /// `getset_descriptor`: a computed attribute of a built-in type.
    Computed,
    /// `member_descriptor`: a slot.
    Member,
}

impl Property {
    pub fn new(get: Value, set: Value, delete: Value, doc: Value) -> Property {
        Property {
            get: RefCell::new(get),
            set: RefCell::new(set),
            delete: RefCell::new(delete),
            doc: RefCell::new(doc),
            name: RefCell::new(Value::NONE),
            has_getter_doc: Flag::new(false),
        }
    }

    pub fn getter(&self) -> Value {
        self.get.borrow().clone()
    }

    pub fn setter(&self) -> Value {
        self.set.borrow().clone()
    }

    pub fn deleter(&self) -> Value {
        self.delete.borrow().clone()
    }

    pub fn kind(&self) -> PropertyKind {
        match self.get.borrow().view() {
            super::View::NativeFunction(f) if f.native.name.starts_with('.') => PropertyKind::Computed,
            super::View::BoundMethod(method) if method.function.is::<NativeFunction>() => {
                PropertyKind::Member
            }
            _ => PropertyKind::Property,
        }
    }

    /// The type that a computed attribute of a built-in type or a slot belongs to.
    pub fn owner(&self) -> Option<Ref<Type>> {
        match self.get.borrow().view() {
            super::View::NativeFunction(f) => f.owner.clone(),
            super::View::BoundMethod(method) => {
                method.receiver.get::<super::Tuple>()?.items().first()?.get_ref::<Type>()
            }
            _ => None,
        }
    }
}

/// `staticmethod(function)`
pub struct StaticMethod {
    pub function: RefCell<Value>,
    pub attributes: Table,
}

/// `classmethod(function)`
pub struct ClassMethod {
    pub function: RefCell<Value>,
    pub attributes: Table,
}

impl StaticMethod {
    pub fn new(function: Value) -> StaticMethod {
        StaticMethod { function: RefCell::new(function), attributes: Table::default() }
    }

    pub fn function(&self) -> Value {
        self.function.borrow().clone()
    }

    pub fn attributes(&self) -> Ref<Dict> {
        self.attributes.get_or_make()
    }
}

impl ClassMethod {
    pub fn new(function: Value) -> ClassMethod {
        ClassMethod { function: RefCell::new(function), attributes: Table::default() }
    }

    pub fn function(&self) -> Value {
        self.function.borrow().clone()
    }

    pub fn attributes(&self) -> Ref<Dict> {
        self.attributes.get_or_make()
    }
}

impl Heap for Cell {
    const TAG: Tag = Tag::Cell;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.value.borrow());
    }
}

impl Heap for Function {
    const TAG: Tag = Tag::Function;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        for cell in &self.captured {
            visit(&cell.clone().into());
        }
        self.defaults.borrow().iter().for_each(&mut *visit);
        self.keyword_defaults.borrow().iter().for_each(&mut *visit);
        visit(&self.module.clone().into());
        self.attributes.trace(visit);
        if let Some(fields) = self.fields.get() {
            visit(&fields.clone().into());
        }
    }
}

impl Heap for NativeFunction {
    const TAG: Tag = Tag::NativeFunction;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        if let Some(owner) = &self.owner {
            visit(&owner.clone().into());
        }
    }
}

impl Heap for BoundMethod {
    const TAG: Tag = Tag::BoundMethod;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.function);
        visit(&self.receiver);
    }
}

impl Heap for Property {
    const TAG: Tag = Tag::Property;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        [&self.get, &self.set, &self.delete, &self.doc, &self.name]
            .iter()
            .for_each(|part| visit(&part.borrow()));
    }
}

impl Heap for StaticMethod {
    const TAG: Tag = Tag::StaticMethod;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.function.borrow());
        self.attributes.trace(visit);
    }
}

impl Heap for ClassMethod {
    const TAG: Tag = Tag::ClassMethod;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.function.borrow());
        self.attributes.trace(visit);
    }
}
