//! Statements.
//!
//! A statement yields a one-byte [`Flow`]. Where a statement can fail, the exception is already waiting in
//! the interpreter when it answers `Flow::Raise`.

use super::code::*;
use super::interrupt;
use super::{Exc, Flow, Vm};
use crate::source::Span;
use crate::value::{Exception, List, Raised, Range, Ref, Res, Tag, Value, View};

/// Unwraps a result, or leaves the statement with `Flow::Raise`.
macro_rules! attempt {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(Raised) => return Flow::Raise,
        }
    };
}

/// Runs a loop body; leaves the loop as its flow says.
macro_rules! run_body {
    ($vm:expr, $body:expr) => {
        match $vm.exec_block($body) {
            Flow::Next | Flow::Continue => {}
            Flow::Break => return Flow::Next,
            flow => return flow,
        }
        if interrupt::wants_attention() {
            attempt!($vm.attend());
        }
    };
}

impl Vm {
    #[inline]
    pub(super) fn exec_block(&mut self, block: &[Stmt]) -> Flow {
        for stmt in block {
            let flow = self.exec(stmt);
            if flow != Flow::Next {
                return flow;
            }
        }
        Flow::Next
    }

    pub(super) fn exec(&mut self, stmt: &Stmt) -> Flow {
        match stmt {
            Stmt::Pass => Flow::Next,
            Stmt::Break => Flow::Break,
            Stmt::Continue => Flow::Continue,
            Stmt::Expr(expr) => match self.eval(expr) {
                Ok(_) => Flow::Next,
                Err(_) => Flow::Raise,
            },
            Stmt::Echo(expr) => self.exec_echo(expr),
            Stmt::SetLocal(slot, expr) => match self.operand(expr) {
                Ok(value) => {
                    self.set_slot(*slot, value);
                    Flow::Next
                }
                Err(_) => Flow::Raise,
            },
            Stmt::SetGlobal(variable, expr) => match self.operand(expr) {
                Ok(value) => {
                    variable.set(value);
                    Flow::Next
                }
                Err(_) => Flow::Raise,
            },
            Stmt::Assign(a) => self.exec_assign(a),
            Stmt::AugLocal(a) => self.exec_aug_local(a),
            Stmt::AugAssign(a) => match self.aug_assign(a) {
                Ok(()) => Flow::Next,
                Err(_) => Flow::Raise,
            },
            Stmt::Return(expr) => match self.operand(expr) {
                Ok(value) => {
                    self.returned = value;
                    Flow::Return
                }
                Err(_) => Flow::Raise,
            },
            Stmt::If(i) => self.exec_if(i),
            Stmt::While(w) => self.exec_while(w),
            Stmt::For(f) => self.exec_for(f),
            Stmt::Delete(d) => match self.delete(&d.0, d.1) {
                Ok(()) => Flow::Next,
                Err(_) => Flow::Raise,
            },
            Stmt::Assert(a) => self.exec_assert(a),
            Stmt::Raise(r) => self.exec_raise(r),
            Stmt::Try(t) => self.exec_try(t),
            Stmt::With(w) => self.exec_with(w),
            Stmt::Import(i) => self.exec_import(i),
            Stmt::ImportFrom(i) => self.exec_import_from(i),
            Stmt::Function(f) => self.exec_function(f),
            Stmt::Class(c) => self.exec_class(c),
            Stmt::Match(m) => self.exec_match(m),
            Stmt::TryStar(t) => self.exec_try_star(t),
            Stmt::RenewCells(slots) => {
                self.renew_cells(slots);
                Flow::Next
            }
            Stmt::Resumable(_) => unreachable!("resumable statements run only inside generators"),
        }
    }

    fn exec_echo(&mut self, expr: &Expr) -> Flow {
        let value = attempt!(self.eval(expr));
        match self.echo(value) {
            Ok(()) => Flow::Next,
            Err(_) => Flow::Raise,
        }
    }

    fn exec_assign(&mut self, a: &Assign) -> Flow {
        let value = attempt!(self.operand(&a.value));
        let (last, first) = a.targets.split_last().expect("an assignment has targets");
        for target in first {
            attempt!(self.assign(target, value.clone()));
        }
        match self.assign(last, value) {
            Ok(()) => Flow::Next,
            Err(_) => Flow::Raise,
        }
    }

    fn exec_if(&mut self, i: &If) -> Flow {
        for (test, body) in &i.branches {
            if attempt!(self.test(test)) {
                return self.exec_block(body);
            }
        }
        self.exec_block(&i.orelse)
    }

    fn exec_while(&mut self, w: &While) -> Flow {
        while attempt!(self.test(&w.test)) {
            run_body!(self, &w.body);
        }
        self.exec_block(&w.orelse)
    }

    fn exec_for(&mut self, f: &For) -> Flow {
        let iterable = attempt!(self.operand(&f.iter));
        match iterable.view() {
            View::Range(range) if range.big.is_none() => self.for_range(f, range),
            View::List(list) => self.for_list(f, list),
            _ => self.for_iterator(f, &iterable),
        }
    }

    fn for_range(&mut self, f: &For, range: &Range) -> Flow {
        let count = range.len().unwrap_or(0);
        let mut next = range.start;
        for _ in 0..count {
            match &f.target {
                Target::Local(slot) => self.set_slot(*slot, Value::int(next)),
                target => attempt!(self.assign(target, Value::int(next))),
            }
            next = next.wrapping_add(range.step);
            run_body!(self, &f.body);
        }
        self.exec_block(&f.orelse)
    }

    fn for_list(&mut self, f: &For, list: &List) -> Flow {
        let mut index = 0;
        while let Some(item) = list.at(index) {
            index += 1;
            match &f.target {
                Target::Local(slot) => self.set_slot(*slot, item),
                target => attempt!(self.assign(target, item)),
            }
            run_body!(self, &f.body);
        }
        self.exec_block(&f.orelse)
    }

    fn for_iterator(&mut self, f: &For, iterable: &Value) -> Flow {
        let Ok(iterator) = self.iter(iterable) else {
            self.at(f.iter_span);
            return Flow::Raise;
        };
        loop {
            let item = match self.next(&iterator) {
                Ok(Some(item)) => item,
                Ok(None) => break,
                Err(_) => {
                    self.at(f.iter_span);
                    return Flow::Raise;
                }
            };
            attempt!(self.assign(&f.target, item));
            run_body!(self, &f.body);
        }
        self.exec_block(&f.orelse)
    }

    /// Does what waits for a safe point: collects cycles, attends to signals.
    #[cold]
    #[inline(never)]
    pub(super) fn attend(&mut self) -> Res<()> {
        if interrupt::take_collection() {
            self.collect_garbage();
        }
        self.handle_interrupt()
    }

    /// Runs the script's handlers of the signals that came in; a SIGINT without one raises `KeyboardInterrupt`.
    ///
    /// # Errors
    /// Whatever a handler raises. Signals that came in besides that one wait for the next safe point.
    #[cold]
    #[inline(never)]
    pub fn handle_interrupt(&mut self) -> Res<()> {
        while let Some(signal) = interrupt::next_signal() {
            match self.state.signal_handlers.get(&signal).cloned() {
                Some(handler) => drop(self.call(&handler, &[Value::int(signal as i64), Value::NONE])?),
                None if signal == libc::SIGINT => {
                    return Err(self.error_with(Exc::KeyboardInterrupt, Vec::new()));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn exec_assert(&mut self, a: &Assert) -> Flow {
        if attempt!(self.test(&a.test)) {
            return Flow::Next;
        }
        let args = match &a.message {
            Some(message) => vec![attempt!(self.operand(message))],
            None => Vec::new(),
        };
        let _ = self.error_with(Exc::AssertionError, args);
        self.at(a.span);
        Flow::Raise
    }

    fn exec_raise(&mut self, r: &Raise) -> Flow {
        let Some(expr) = &r.exception else {
            return match self.handling.get_ref::<Exception>() {
                Some(exception) => {
                    self.reraise(exception);
                    Flow::Raise
                }
                None => {
                    self.runtime_error("No active exception to reraise");
                    self.at(r.span);
                    Flow::Raise
                }
            };
        };
        let value = attempt!(self.operand(expr));
        let cause = match &r.cause {
            Some(cause) => Some(attempt!(self.operand(cause))),
            None => None,
        };
        let _ = self.raise_value(value, cause);
        self.at(r.span);
        Flow::Raise
    }

    /// `raise value from cause`: the value may be an exception or an exception class.
    pub fn raise_value(&mut self, value: Value, cause: Option<Value>) -> Raised {
        let exception = match self.to_exception(value, "exceptions must derive from BaseException") {
            Ok(exception) => exception,
            Err(raised) => return raised,
        };
        if let Some(cause) = cause {
            let cause = if cause.is_none() {
                cause
            } else {
                match self.to_exception(cause, "exception causes must derive from BaseException") {
                    Ok(cause) => cause.into(),
                    Err(raised) => return raised,
                }
            };
            *exception.cause.borrow_mut() = cause;
            exception.suppress_context.set(true);
        }
        self.raise(exception)
    }

    /// The exception that raising this value means.
    pub(crate) fn to_exception(&mut self, value: Value, otherwise: &str) -> Res<Ref<Exception>> {
        match value.view() {
            View::Exception(_) => {}
            View::Type(class) if class.kind == Tag::Exception => {
                let made = self.call(&value, &[])?;
                return match made.into_ref::<Exception>() {
                    Ok(exception) => Ok(exception),
                    Err(made) => {
                        let (shown, got) = (self.repr_of(&value)?, self.type_name(&made));
                        Err(self.type_error(format!(
                            "calling {shown} should have returned an instance of BaseException, not {got}"
                        )))
                    }
                };
            }
            _ => return Err(self.type_error(otherwise)),
        }
        value.into_ref::<Exception>().or(Err(Raised))
    }

    fn exec_try(&mut self, t: &Try) -> Flow {
        let flow = self.exec_handlers(t);
        if t.finally.is_empty() { flow } else { self.exec_finally(t, flow) }
    }

    fn exec_handlers(&mut self, t: &Try) -> Flow {
        let flow = self.exec_block(&t.body);
        match flow {
            Flow::Next => self.exec_block(&t.orelse),
            Flow::Raise if !t.handlers.is_empty() => self.handle(t),
            flow => flow,
        }
    }

    /// Notes the running frame in the pending exception's trace and takes the exception.
    pub(super) fn catch_here(&mut self) -> Ref<Exception> {
        let code = self.current_code_handle().cloned();
        if let Some(code) = code {
            self.record_place(&code);
        }
        self.take_raised()
    }

    #[inline(never)]
    fn handle(&mut self, t: &Try) -> Flow {
        let exception = self.catch_here();
        let outer = std::mem::replace(&mut self.handling, exception.clone().into());
        let flow = self.run_handler(t, &exception);
        self.handling = outer;
        flow
    }

    fn run_handler(&mut self, t: &Try, exception: &Ref<Exception>) -> Flow {
        let Some(number) = attempt!(self.find_handler(t, exception)) else {
            self.reraise(exception.clone());
            return Flow::Raise;
        };
        let handler = &t.handlers[number];
        let Some(target) = &handler.target else {
            return self.exec_block(&handler.body);
        };
        attempt!(self.assign(target, exception.clone().into()));
        let flow = self.exec_block(&handler.body);
        self.unbind(target);
        flow
    }

    /// Number of the first handler that catches the exception.
    pub(super) fn find_handler(&mut self, t: &Try, exception: &Ref<Exception>) -> Res<Option<usize>> {
        for (number, handler) in t.handlers.iter().enumerate() {
            let Some(expr) = &handler.exception else { return Ok(Some(number)) };
            let wanted = self.operand(expr)?;
            match self.exception_matches(exception, &wanted) {
                Ok(true) => return Ok(Some(number)),
                Ok(false) => {}
                Err(_) => return Err(self.at(handler.span)),
            }
        }
        Ok(None)
    }

    /// Whether `except wanted` catches the exception.
    pub fn exception_matches(&mut self, exception: &Ref<Exception>, wanted: &Value) -> Res<bool> {
        match wanted.view() {
            View::Type(class) if class.kind == Tag::Exception => Ok(exception.class().is_subtype_of(class)),
            View::Tuple(classes) => {
                let own = exception.class();
                let mut is_one = false;
                // All of them are looked at: a wrong one is an error whatever comes before it.
                for class in classes.items() {
                    match class.view() {
                        View::Type(class) if class.kind == Tag::Exception => {
                            is_one |= own.is_subtype_of(class)
                        }
                        _ => return Err(self.no_exception_class()),
                    }
                }
                Ok(is_one)
            }
            _ => Err(self.no_exception_class()),
        }
    }

    pub(super) fn no_exception_class(&mut self) -> Raised {
        self.type_error("catching classes that do not inherit from BaseException is not allowed")
    }

    #[inline(never)]
    pub(super) fn exec_finally(&mut self, t: &Try, flow: Flow) -> Flow {
        match flow {
            Flow::Raise => {
                let exception = self.catch_here();
                let outer = std::mem::replace(&mut self.handling, exception.clone().into());
                let flow = self.exec_block(&t.finally);
                self.handling = outer;
                if flow == Flow::Next {
                    self.reraise(exception);
                    return Flow::Raise;
                }
                flow
            }
            _ => {
                let returned = self.returned.take();
                let last = self.exec_block(&t.finally);
                if last == Flow::Next {
                    self.returned = returned;
                    return flow;
                }
                last
            }
        }
    }

    fn exec_with(&mut self, w: &With) -> Flow {
        let (exit, entered) = attempt!(self.enter_context(w));
        let flow = match entered {
            Ok(()) => self.exec_block(&w.body),
            Err(_) => Flow::Raise,
        };
        self.leave_context(w, &exit, flow)
    }

    /// Enters a context manager: its bound `__exit__`, and whether the target could be assigned.
    #[allow(clippy::type_complexity, reason = "a failure before and one after entering differ")]
    pub(super) fn enter_context(&mut self, w: &With) -> Res<(Value, Res<()>)> {
        let manager = self.operand(&w.context)?;
        let Ok((enter, exit)) = self.context_methods(&manager) else { return Err(self.at(w.span)) };
        let Ok(entered) = self.call(&enter, &[]) else { return Err(self.at(w.span)) };
        let bound = match &w.target {
            Some(target) => self.assign(target, entered),
            None => Ok(()),
        };
        Ok((exit, bound))
    }

    /// Calls `__exit__` after a body that ended with `flow`.
    pub(super) fn leave_context(&mut self, w: &With, exit: &Value, flow: Flow) -> Flow {
        if flow == Flow::Raise {
            let exception = self.catch_here();
            let outer = std::mem::replace(&mut self.handling, exception.clone().into());
            let class = exception.class().into();
            let value: Value = exception.clone().into();
            let trace = self.traceback_value(&exception);
            let answer = self.call(exit, &[class, value, trace]).and_then(|v| self.truth(&v));
            self.handling = outer;
            return match answer {
                Ok(true) => Flow::Next,
                Ok(false) => {
                    self.reraise(exception);
                    Flow::Raise
                }
                Err(_) => {
                    self.at(w.span);
                    Flow::Raise
                }
            };
        }
        let returned = self.returned.take();
        if self.call(exit, &[Value::NONE, Value::NONE, Value::NONE]).is_err() {
            self.at(w.span);
            return Flow::Raise;
        }
        self.returned = returned;
        flow
    }

    /// Bound `__enter__` and `__exit__` of a context manager.
    fn context_methods(&mut self, manager: &Value) -> Res<(Value, Value)> {
        let name = self.type_name(manager);
        let missing =
            |what: &str| format!("'{name}' object does not support the context manager protocol{what}");
        let enter = self.special_method(manager, "__enter__")?;
        let Some(enter) = enter else { return Err(self.type_error(missing(""))) };
        let exit = self.special_method(manager, "__exit__")?;
        let Some(exit) = exit else { return Err(self.type_error(missing(" (missed __exit__ method)"))) };
        Ok((enter, exit))
    }

    fn exec_import(&mut self, i: &Import) -> Flow {
        let Ok(module) = self.import_dotted(&i.name, i.binds_last) else {
            self.at(i.span);
            return Flow::Raise;
        };
        match self.assign(&i.target, module) {
            Ok(()) => Flow::Next,
            Err(_) => Flow::Raise,
        }
    }

    fn exec_import_from(&mut self, i: &ImportFrom) -> Flow {
        match self.import_from(i) {
            Ok(()) => Flow::Next,
            Err(_) => {
                self.at(i.span);
                Flow::Raise
            }
        }
    }

    fn exec_function(&mut self, f: &FunctionStmt) -> Flow {
        let mut decorators = Vec::with_capacity(f.decorators.len());
        for (decorator, _) in &f.decorators {
            decorators.push(attempt!(self.operand(decorator)));
        }
        let function = attempt!(self.make_function(&f.make));
        match self.decorate_and_assign(function, decorators, &f.decorators, &f.target) {
            Ok(()) => Flow::Next,
            Err(_) => Flow::Raise,
        }
    }

    fn decorate_and_assign(
        &mut self,
        mut value: Value,
        decorators: Vec<Value>,
        places: &[(Expr, Span)],
        target: &Target,
    ) -> Res<()> {
        for (decorator, (_, span)) in decorators.into_iter().zip(places).rev() {
            value = match self.call(&decorator, &[value]) {
                Ok(value) => value,
                Err(_) => return Err(self.at(*span)),
            };
        }
        self.assign(target, value)
    }

    fn exec_class(&mut self, c: &ClassStmt) -> Flow {
        let mut decorators = Vec::with_capacity(c.decorators.len());
        for (decorator, _) in &c.decorators {
            decorators.push(attempt!(self.operand(decorator)));
        }
        let Ok(class) = self.make_class(c) else {
            self.at(c.span);
            return Flow::Raise;
        };
        match self.decorate_and_assign(class, decorators, &c.decorators, &c.target) {
            Ok(()) => Flow::Next,
            Err(_) => Flow::Raise,
        }
    }
}
