//! Generators: a function that stopped in the middle, and where.
//!
//! A suspended generator is its slots and a path: for each statement around the `yield`, innermost first,
//! what is needed to go on in it. How it runs is in `eval/generator.rs`.

use super::{Exception, Function, Heap, Ref, Str, Tag, Value};
use std::cell::{Cell, RefCell};

pub struct Generator {
    pub function: Ref<Function>,
    pub status: Cell<Status>,
    /// Slots of the frame while it is suspended; empty while it runs and when it has ended.
    pub slots: RefCell<Vec<Value>>,
    pub path: RefCell<Vec<Step>>,
    /// `__name__` and `__qualname__`, if they are not those of its function.
    pub names: RefCell<Option<Box<[Ref<Str>; 2]>>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Made, not started.
    Created,
    Suspended,
    Running,
    Ended,
}

/// Where a suspended generator is inside one statement.
pub enum Step {
    /// At this statement of a block.
    Block(u32),
    /// In this branch of an `if`; the number of branches means `else`.
    Branch(u32),
    /// In the body of a `while`.
    While,
    /// In the body of a `for`, with the iterator.
    For(Value),
    /// In the `else` block of a loop.
    LoopElse,
    /// In the body of a `try`.
    TryBody,
    /// In a handler of a `try`, with its number and the exception.
    Handler(u32, Ref<Exception>),
    TryElse,
    /// In a handler of a `try` with `except*`.
    StarHandler(Box<StarHandling>),
    /// In a `finally` block, with what goes on after it.
    Finally(After),
    /// In the body of a `with`, with the bound `__exit__`.
    With(Value),
    /// In a `yield from`, with the iterator.
    Delegate(Value),
    /// In a case of a `match`.
    Case(u32),
}

/// How far the handlers of a `try` with `except*` have come.
pub struct StarHandling {
    pub exception: Ref<Exception>,
    /// It is a group; else the one handler that takes it gets a group made for it.
    pub is_group: bool,
    /// What no handler has taken yet.
    pub rest: Option<Ref<Exception>>,
    /// Parts that handlers raised again.
    pub again: Vec<Ref<Exception>>,
    /// Other exceptions that they raised.
    pub raised: Vec<Value>,
    /// Number of the handler to look at next; the one before it is running.
    pub next: usize,
    /// The part that the running handler has, and how many places it had passed by then.
    pub taken: Option<Ref<Exception>>,
    pub places: usize,
}

impl StarHandling {
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.exception.clone().into());
        let parts = self.rest.iter().chain(&self.again).chain(&self.taken);
        parts.for_each(|part| visit(&part.clone().into()));
        self.raised.iter().for_each(visit);
    }
}

/// What happens after a `finally` block.
pub enum After {
    Next,
    Break,
    Continue,
    Return(Value),
    Raise(Ref<Exception>),
}

impl Generator {
    pub fn new(function: Ref<Function>, slots: Vec<Value>) -> Ref<Generator> {
        Ref::new(Generator {
            function,
            status: Cell::new(Status::Created),
            slots: RefCell::new(slots),
            path: RefCell::new(Vec::new()),
            names: RefCell::new(None),
        })
    }

    /// `__name__` and `__qualname__`.
    pub fn names(&self) -> [Ref<Str>; 2] {
        match &*self.names.borrow() {
            Some(names) => (**names).clone(),
            None => [self.function.name.borrow().clone(), self.function.qualname.borrow().clone()],
        }
    }

    /// The iterator that its `yield from` waits for, if it does.
    pub fn delegate(&self) -> Option<Value> {
        if self.status.get() != Status::Suspended {
            return None;
        }
        self.path.borrow().iter().find_map(|step| match step {
            Step::Delegate(iterator) => Some(iterator.clone()),
            _ => None,
        })
    }

    /// Whether ending it must run code: it waits inside a `try` or `with`, or in another generator.
    pub fn needs_closing(&self) -> bool {
        self.status.get() == Status::Suspended
            && self.path.borrow().iter().any(|step| {
                matches!(
                    step,
                    Step::TryBody
                        | Step::Handler(..)
                        | Step::StarHandler(_)
                        | Step::TryElse
                        | Step::With(_)
                        | Step::Delegate(_)
                )
            })
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        if !self.needs_closing() {
            return;
        }
        // The object is dying, so its state moves to a new one, which is closed.
        let revived = Generator::new(self.function.clone(), std::mem::take(self.slots.get_mut()));
        *revived.path.borrow_mut() = std::mem::take(self.path.get_mut());
        revived.status.set(Status::Suspended);
        self.status.set(Status::Ended);
        crate::eval::finalize::close_generator(&revived);
    }
}

impl Step {
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        match self {
            Step::For(value) | Step::With(value) | Step::Delegate(value) => visit(value),
            Step::Handler(_, exception) | Step::Finally(After::Raise(exception)) => {
                visit(&exception.clone().into());
            }
            Step::Finally(After::Return(value)) => visit(value),
            Step::StarHandler(handling) => handling.trace(visit),
            _ => {}
        }
    }
}

impl Heap for Generator {
    const TAG: Tag = Tag::Generator;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.function.clone().into());
        self.slots.borrow().iter().for_each(&mut *visit);
        self.path.borrow().iter().for_each(|step| step.trace(visit));
    }
}
