//! The evaluator: walks the code tree.
//!
//! [`Vm`] is the state of one interpreter. Expressions yield a [`Value`] or `Raised`, in two registers;
//! a raised exception waits in `Vm::raised`, a returned value in `Vm::returned`, and statements yield a
//! one-byte [`Flow`]. Locals live in slots of one value stack that never moves; arguments are evaluated
//! straight into the slots of the function they are for (`frame.rs`).

mod assign;
mod attribute;
mod call;
mod class;
mod class_attribute;
mod class_slots;
pub(crate) use class_attribute::WRAPPED;
pub mod code;
mod codec;
mod compare;
mod comprehension;
mod construct;
mod expr;
pub mod finalize;
mod format;
pub mod frame;
mod generator;
mod groups;
mod hash;
pub mod import;
mod index;
pub mod interrupt;
mod iterate;
mod layout;
mod lookup;
mod operators;
mod pattern;
pub(crate) mod pour;
pub mod raise;
mod report;
mod stmt;
mod store_attribute;
pub mod suggest;
mod text;
mod traceback;
pub mod types;

pub use compare::{Order, type_equals_text};
pub use iterate::{Iteration, char_value};
pub use operators::float_divmod;
pub use raise::Exc;
pub use traceback::write_entries as write_trace_entries;

use crate::engine::Streams;
use crate::value::{Dict, Exception, Module, Ref, Res, Str, Value};
use code::Code;
use raise::ErrorPlace;
use std::collections::HashMap;
use std::rc::Rc;
use types::Types;

/// How a statement ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Flow {
    Next,
    Break,
    Continue,
    /// The value waits in `Vm::returned`.
    Return,
    /// The exception waits in `Vm::raised`.
    Raise,
    /// A generator stopped; what it yields waits in its running state.
    Yield,
}

/// One interpreter.
pub struct Vm {
    /// Slot 0 of the running frame.
    base: *mut Value,
    /// First free entry of the value stack.
    sp: *mut Value,
    /// Entries from here on are kept for error handling.
    stack_end: *mut Value,
    /// Code of the running frame; null between runs.
    code: *const Rc<Code>,
    /// The call that is under way in the running frame.
    call_span: crate::source::Span,
    /// What `run_frame` keeps of the frame around the running one.
    outer: *const frame::Saved,
    /// Module of the running function; null between runs.
    module: *const Ref<Module>,
    depth: usize,
    /// Frames of script functions allowed at once (`sys.setrecursionlimit`).
    pub recursion_limit: usize,
    /// Most digits of an int that is read from or written as decimal text (`sys.set_int_max_str_digits`);
    /// 0 is no limit.
    pub int_max_str_digits: usize,
    /// Machine stack addresses below this are kept for error handling.
    native_floor: usize,
    returned: Value,
    raised: Option<Ref<Exception>>,
    error_place: ErrorPlace,
    /// The exception being handled (`except`, `finally`), or `none`.
    handling: Value,
    /// The innermost generator that is running.
    running_generator: Option<Box<generator::Running>>,
    pub types: Types,
    pub builtins: Ref<Module>,
    /// `sys.modules`.
    pub modules: Ref<Dict>,
    /// `sys.path`.
    pub path: Value,
    /// `sys.argv`.
    pub argv: Value,
    /// `sys.warnoptions`.
    pub warn_options: Value,
    pub streams: Streams,
    /// Native modules the host registered, by name.
    pub host_modules: HashMap<&'static str, &'static crate::call::NativeModule>,
    /// What the host gave for its native functions.
    pub host_data: Box<dyn std::any::Any>,
    /// State that native modules keep between calls.
    pub state: crate::builtins::State,
    pub(crate) names: Names,
    lookups: lookup::Lookups,
    interned: HashMap<Box<str>, Ref<Str>>,
    stack: frame::ValueStack,
}

/// Strings the evaluator itself looks up.
pub struct Names {
    pub name: Ref<Str>,
    pub import: Ref<Str>,
    pub file: Ref<Str>,
    pub dir: Ref<Str>,
    pub dict: Ref<Str>,
    pub class: Ref<Str>,
    pub getattribute: Ref<Str>,
    pub doc: Ref<Str>,
    pub new: Ref<Str>,
    pub init: Ref<Str>,
    pub setattr: Ref<Str>,
    pub delattr: Ref<Str>,
    pub abstract_methods: Ref<Str>,
}

impl Vm {
    pub fn new(streams: Streams) -> Vm {
        let types = Types::new();
        let builtins = Module::new("builtins", None);
        let mut stack = frame::ValueStack::new();
        let (base, stack_end) = stack.bounds();
        let mut vm = Vm {
            base,
            sp: base,
            stack_end,
            code: std::ptr::null(),
            call_span: Default::default(),
            outer: std::ptr::null(),
            module: std::ptr::null(),
            depth: 0,
            recursion_limit: frame::DEFAULT_RECURSION_LIMIT,
            int_max_str_digits: text::DEFAULT_INT_DIGITS,
            native_floor: 0,
            returned: Value::UNBOUND,
            raised: None,
            error_place: ErrorPlace::Unknown,
            handling: Value::NONE,
            running_generator: None,
            types,
            builtins,
            modules: Dict::new(Default::default()),
            path: Value::list(Vec::new()),
            argv: Value::list(vec![Value::str("")]),
            warn_options: Value::list(Vec::new()),
            streams,
            host_modules: HashMap::new(),
            host_data: Box::new(()),
            state: Default::default(),
            names: Names {
                name: Str::new("__name__"),
                import: Str::new("__import__"),
                file: Str::new("__file__"),
                dir: Str::new("__dir__"),
                dict: Str::new("__dict__"),
                class: Str::new("__class__"),
                getattribute: Str::new("__getattribute__"),
                doc: Str::new("__doc__"),
                new: Str::new("__new__"),
                init: Str::new("__init__"),
                setattr: Str::new("__setattr__"),
                delattr: Str::new("__delattr__"),
                abstract_methods: Str::new("__abstractmethods__"),
            },
            lookups: Default::default(),
            interned: HashMap::new(),
            stack,
        };
        vm.modules.set_text("builtins", vm.builtins.clone().into());
        vm.set_native_floor();
        vm
    }

    /// The one string object of a name, so that equal names are mostly the same object.
    pub fn intern(&mut self, name: &str) -> Ref<Str> {
        if let Some(known) = self.interned.get(name) {
            return known.clone();
        }
        let made = Str::new(name);
        self.interned.insert(name.into(), made.clone());
        made
    }

    /// The module whose code is running; `builtins` between runs.
    pub fn current_module(&self) -> Ref<Module> {
        // SAFETY: set by `run_frame` to the module of the running function, which the call keeps alive.
        match unsafe { self.module.as_ref() } {
            Some(module) => module.clone(),
            None => self.builtins.clone(),
        }
    }

    /// How many frames there are.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The exception on its way, if there is one.
    pub fn pending_exception(&self) -> Option<&Ref<Exception>> {
        self.raised.as_ref()
    }

    /// Runs the code of a module in that module; the value it returns, which is mostly `none`.
    pub fn run_module(&mut self, code: Rc<Code>, module: &Ref<Module>) -> Res {
        let start = self.sp;
        let function = Value::from(Ref::new(crate::value::Function::of_module(code, module.clone())));
        self.invoke(&function, start, &[])
    }

    /// Runs code that looks its names up in a namespace first.
    pub fn run_in_namespace(&mut self, code: Rc<Code>, module: &Ref<Module>, namespace: Value) -> Res {
        let function = crate::value::Function::of_module(code, module.clone());
        let start = self.stack_top();
        self.push(namespace)?;
        self.push(Ref::new(crate::value::Cell::default()).into())?;
        self.run_frame(&function, start)
    }
}

/// The value of an operator on two constants, if it can be computed beforehand: cheap, and sure to succeed.
pub fn fold(op: code::BinaryOp, left: &Value, right: &Value) -> Option<Value> {
    operators::small_binary(op, left.as_int()?, right.as_int()?)
}
