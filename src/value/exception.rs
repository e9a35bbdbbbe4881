//! Exception objects: what scripts raise and catch.

use super::table::Table;
use super::{Dict, Heap, Ref, Tag, Type, Value};
use crate::eval::code::Code;
use crate::source::Span;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

pub struct Exception {
    pub class: RefCell<Ref<Type>>,
    /// A tuple.
    pub args: RefCell<Value>,
    /// `raise ... from cause`: an exception or `none`.
    pub cause: RefCell<Value>,
    /// The exception that was being handled when this one was raised, or `none`.
    pub context: RefCell<Value>,
    /// `raise ... from` was given: the context is not shown.
    pub suppress_context: Cell<bool>,
    /// Places it passed, innermost first.
    pub trace: RefCell<Vec<TraceEntry>>,
    /// The traceback object that was made of the places, or `none`; a new place makes it outdated.
    pub traceback: RefCell<Value>,
    /// Attributes set by scripts or by the kind of error (`errno`, `code`, `__notes__`, ...).
    pub attributes: Table,
}

/// One place on the way of an exception.
#[derive(Clone)]
pub struct TraceEntry {
    pub code: Rc<Code>,
    pub span: Span,
}

impl Exception {
    pub fn new(class: Ref<Type>, args: Vec<Value>) -> Ref<Exception> {
        Ref::new(Exception {
            class: RefCell::new(class),
            args: RefCell::new(Value::tuple(args)),
            cause: RefCell::new(Value::NONE),
            context: RefCell::new(Value::NONE),
            suppress_context: Cell::new(false),
            trace: RefCell::new(Vec::new()),
            traceback: RefCell::new(Value::NONE),
            attributes: Table::default(),
        })
    }

    pub fn class(&self) -> Ref<Type> {
        self.class.borrow().clone()
    }

    /// A copy of the arguments it was made with.
    pub fn args(&self) -> Vec<Value> {
        match self.args.borrow().get::<super::Tuple>() {
            Some(tuple) => tuple.items().to_vec(),
            None => Vec::new(),
        }
    }

    pub fn next_context(&self) -> Option<Ref<Exception>> {
        self.context.borrow().get_ref()
    }

    /// Takes over the places and the traceback object of another exception.
    pub fn copy_trace(&self, other: &Exception) {
        *self.trace.borrow_mut() = other.trace.borrow().clone();
        *self.traceback.borrow_mut() = other.traceback.borrow().clone();
    }

    pub fn attributes(&self) -> Ref<Dict> {
        self.attributes.get_or_make()
    }

    pub fn get_attribute(&self, name: &str) -> Option<Value> {
        self.attributes.get().and_then(|d| d.get_text(name))
    }

    pub fn set_attribute(&self, name: &str, value: Value) {
        self.attributes().set_text(name, value);
    }
}

impl Heap for Exception {
    const TAG: Tag = Tag::Exception;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.class().into());
        visit(&self.args.borrow());
        visit(&self.cause.borrow());
        visit(&self.context.borrow());
        self.attributes.trace(visit);
    }
}
