//! Functions written in scripts and in Rust, methods bound to an object, and the descriptors that wrap
//! functions in classes.

use super::{Dict, Heap, Module, Ref, Str, Tag, Type, Value};
use crate::call::{Native, Signature};
use crate::eval::code::Code;
use std::cell::{OnceCell, RefCell};
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
    /// `__dict__`, `__doc__`, `__annotations__` and the like, once anybody sets or asks.
    pub attributes: OnceCell<Ref<Dict>>,
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
            attributes: OnceCell::new(),
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
            attributes: OnceCell::new(),
        }
    }

    pub fn attributes(&self) -> &Ref<Dict> {
        self.attributes.get_or_init(|| Dict::new(Default::default()))
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
}

/// `object.method`: a function with its first argument.
pub struct BoundMethod {
    pub function: Value,
    pub receiver: Value,
}

/// `property(get, set, delete, doc)`; `none` where not given.
pub struct Property {
    pub get: Value,
    pub set: Value,
    pub delete: Value,
    pub doc: RefCell<Value>,
    /// The name under which a class holds it, once it does.
    pub name: RefCell<Value>,
}

impl Property {
    pub fn new(get: Value, set: Value, delete: Value, doc: Value) -> Ref<Property> {
        Ref::new(Property { get, set, delete, doc: RefCell::new(doc), name: RefCell::new(Value::NONE) })
    }
}

pub struct StaticMethod {
    pub function: Value,
}

pub struct ClassMethod {
    pub function: Value,
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
        if let Some(attributes) = self.attributes.get() {
            visit(&attributes.clone().into());
        }
    }
}

impl Heap for NativeFunction {
    const TAG: Tag = Tag::NativeFunction;
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
        [&self.get, &self.set, &self.delete, &self.doc.borrow(), &self.name.borrow()]
            .into_iter()
            .for_each(visit);
    }
}

impl Heap for StaticMethod {
    const TAG: Tag = Tag::StaticMethod;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.function);
    }
}

impl Heap for ClassMethod {
    const TAG: Tag = Tag::ClassMethod;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.function);
    }
}
