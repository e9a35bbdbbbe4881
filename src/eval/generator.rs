//! Running generators.
//!
//! A generator's tree is walked like any other until a `yield`. Then each statement on the way out notes
//! in the generator's path where it was, innermost first, and the slots move to the heap. Going on walks
//! the path back in: every statement takes its note off the end of the path and continues there. Only
//! statements with a `yield` inside ([`Stmt::Resumable`]) are walked here; all others run as always.
//! `yield` inside an expression was made a statement of its own by `resolve/lift.rs`.

use super::code::*;
use super::{Exc, Flow, Vm};
use crate::value::generator::{After, StarHandling, Status, Step};
use crate::value::{Exception, Function, Generator, Raised, Ref, Res, Str, Value};

/// What a generator is resumed with.
enum Resume {
    Send(Value),
    Throw(Ref<Exception>),
}

/// The generator that is running in the innermost generator frame.
pub(super) struct Running {
    /// Steps still to walk in, outermost last.
    path: Vec<Step>,
    /// What waits at the `yield` that the path leads to; `None` once delivered.
    resume: Option<Resume>,
    /// The exception that whoever resumed it is handling.
    handled_outside: Value,
    yielded: Value,
}

macro_rules! attempt {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(Raised) => return Flow::Raise,
        }
    };
}

impl Vm {
    /// A generator from a function whose parameter slots, from `start`, are all filled.
    pub(super) fn make_generator(&mut self, function: &Function, start: *mut Value) -> Res {
        let slots = self.pop_many(self.stack_len(start));
        let function = Ref::new(function.clone_handle());
        Ok(Generator::new(function, slots).into())
    }

    /// `generator.send(value)`: what it yields next, or `None` when it ends, its result in `returned`.
    pub fn resume_generator(&mut self, generator: &Ref<Generator>, sent: Value) -> Res<Option<Value>> {
        if generator.status.get() == Status::Created && !sent.is_none() {
            return Err(self.type_error("can't send non-None value to a just-started generator"));
        }
        self.run_generator(generator, Resume::Send(sent))
    }

    /// `generator.throw(exception)`.
    pub fn throw_into_generator(
        &mut self,
        generator: &Ref<Generator>,
        exception: Ref<Exception>,
    ) -> Res<Option<Value>> {
        match generator.status.get() {
            Status::Created | Status::Ended => {
                let has_started = generator.status.replace(Status::Ended) == Status::Ended;
                let slots = generator.slots.take();
                drop(slots);
                let raised = self.raise_as_is(exception);
                if !has_started {
                    self.record_place(&generator.function.code.clone());
                }
                Err(raised)
            }
            _ => self.run_generator(generator, Resume::Throw(exception)),
        }
    }

    /// `generator.close()`.
    pub fn close_generator(&mut self, generator: &Ref<Generator>) -> Res {
        match generator.status.get() {
            Status::Ended => return Ok(Value::NONE),
            Status::Created => {
                generator.status.set(Status::Ended);
                let slots = generator.slots.take();
                drop(slots);
                return Ok(Value::NONE);
            }
            _ => {}
        }
        let class = self.types.exception(Exc::GeneratorExit);
        match self.throw_into_generator(generator, Exception::new(class, Vec::new())) {
            Ok(Some(_)) => Err(self.runtime_error("generator ignored GeneratorExit")),
            Ok(None) => Ok(self.returned.take()),
            Err(_) if self.is_raised(Exc::GeneratorExit) || self.is_raised(Exc::StopIteration) => {
                self.take_raised();
                Ok(Value::NONE)
            }
            Err(raised) => Err(raised),
        }
    }

    /// The value a generator that just ended returned.
    pub fn take_returned(&mut self) -> Value {
        match self.returned.take() {
            value if value.is_unbound() => Value::NONE,
            value => value,
        }
    }

    fn run_generator(&mut self, generator: &Ref<Generator>, resume: Resume) -> Res<Option<Value>> {
        let is_first = match generator.status.get() {
            Status::Running => return Err(self.value_error("generator already executing")),
            Status::Ended => {
                self.returned = Value::NONE;
                return match resume {
                    Resume::Send(_) => Ok(None),
                    Resume::Throw(exception) => Err(self.raise_as_is(exception)),
                };
            }
            Status::Created => true,
            Status::Suspended => false,
        };
        let function = generator.function.clone();
        let start = self.stack_top();
        let size = function.code.slot_names.len();
        if self.depth >= self.recursion_limit || self.ensure_room(size + 64).is_err() || self.is_stack_low() {
            self.take_pending();
            return Err(self.too_deep(""));
        }
        for value in generator.slots.take() {
            self.push(value)?;
        }
        while self.stack_len(start) < size {
            self.push(Value::UNBOUND)?;
        }
        generator.status.set(Status::Running);
        let running = Running {
            path: generator.path.take(),
            resume: (!is_first).then_some(resume),
            handled_outside: self.handling.clone(),
            yielded: Value::UNBOUND,
        };
        let outer = self.running_generator.replace(Box::new(running));
        let saved = self.enter_frame(&function, start);
        self.outer = &saved;
        if is_first {
            self.enter_cells_of(&function);
        }
        let flow = self.gen_block(&function.code.body);
        let result = self.leave_generator(generator, &function, flow, start);
        self.leave_frame(saved);
        self.running_generator = outer;
        result
    }

    /// Puts a generator that yielded or ended away.
    fn leave_generator(
        &mut self,
        generator: &Ref<Generator>,
        function: &Function,
        flow: Flow,
        start: *mut Value,
    ) -> Res<Option<Value>> {
        if flow == Flow::Yield {
            let slots = self.pop_many(self.stack_len(start));
            let Some(running) = self.running_generator.as_mut() else {
                unreachable!("a generator is running")
            };
            *generator.slots.borrow_mut() = slots;
            *generator.path.borrow_mut() = std::mem::take(&mut running.path);
            generator.status.set(Status::Suspended);
            return Ok(Some(running.yielded.take()));
        }
        generator.status.set(Status::Ended);
        let result = match flow {
            Flow::Raise => {
                self.record_place(&function.code);
                Err(self.stop_iteration_is_an_error())
            }
            Flow::Return => Ok(self.returned.take()),
            _ => Ok(Value::NONE),
        };
        self.truncate(start);
        match result {
            Ok(value) => {
                self.returned = value;
                Ok(None)
            }
            Err(raised) => Err(raised),
        }
    }

    /// A `StopIteration` that leaves a generator is a `RuntimeError`, so that no loop ends by mistake.
    fn stop_iteration_is_an_error(&mut self) -> Raised {
        if !self.is_raised(Exc::StopIteration) {
            return Raised;
        }
        let cause = self.take_raised();
        let class = self.types.exception(Exc::RuntimeError);
        let error = Exception::new(class, vec![Value::str("generator raised StopIteration")]);
        *error.cause.borrow_mut() = cause.clone().into();
        *error.context.borrow_mut() = cause.clone().into();
        error.suppress_context.set(true);
        error.copy_trace(&cause);
        self.reraise(error);
        self.error_place = super::raise::ErrorPlace::Unknown;
        Raised
    }

    fn take_pending(&mut self) {
        if self.pending_exception().is_some() {
            self.take_raised();
        }
    }

    fn running(&mut self) -> &mut Running {
        match &mut self.running_generator {
            Some(running) => running,
            None => unreachable!("resumable statements run only inside generators"),
        }
    }

    /// The note for the statement that is being walked into, if the generator is on its way back in.
    fn step_in(&mut self) -> Option<Step> {
        let running = self.running();
        if running.resume.is_some() { running.path.pop() } else { None }
    }

    fn step_out(&mut self, step: Step) -> Flow {
        self.running().path.push(step);
        Flow::Yield
    }

    pub(super) fn gen_block(&mut self, block: &[Stmt]) -> Flow {
        let first = match self.step_in() {
            Some(Step::Block(index)) => index as usize,
            _ => 0,
        };
        for (index, stmt) in block.iter().enumerate().skip(first) {
            let flow = match stmt {
                Stmt::Resumable(stmt) => self.gen_stmt(stmt),
                stmt => self.exec(stmt),
            };
            match flow {
                Flow::Next => {}
                Flow::Yield => return self.step_out(Step::Block(index as u32)),
                flow => return flow,
            }
        }
        Flow::Next
    }

    fn gen_stmt(&mut self, stmt: &Resumable) -> Flow {
        match stmt {
            Resumable::Yield(y) => self.gen_yield(y),
            Resumable::YieldFrom(y) => self.gen_yield_from(y),
            Resumable::If(i) => self.gen_if(i),
            Resumable::While(w) => self.gen_while(w),
            Resumable::For(f) => self.gen_for(f),
            Resumable::Try(t) => self.gen_try(t),
            Resumable::TryStar(t) => self.gen_try_star(t),
            Resumable::With(w) => self.gen_with(w),
            Resumable::Match(m) => self.gen_match(m),
        }
    }

    fn gen_yield(&mut self, y: &Yield) -> Flow {
        let sent = match self.running().resume.take() {
            None => {
                let value = attempt!(self.operand(&y.value));
                self.running().yielded = value;
                return Flow::Yield;
            }
            Some(Resume::Send(value)) => value,
            Some(Resume::Throw(exception)) => {
                self.raise_as_is(exception);
                self.link_to_own_handled();
                self.at(y.span);
                return Flow::Raise;
            }
        };
        self.finish_yield(y, sent)
    }

    fn finish_yield(&mut self, y: &Yield, sent: Value) -> Flow {
        match &y.target {
            Some(target) => match self.assign(target, sent) {
                Ok(()) => Flow::Next,
                Err(_) => Flow::Raise,
            },
            None => Flow::Next,
        }
    }

    fn gen_yield_from(&mut self, y: &Yield) -> Flow {
        let (iterator, resume) = match self.step_in() {
            Some(Step::Delegate(iterator)) => (iterator, self.running().resume.take()),
            _ => {
                let iterable = attempt!(self.operand(&y.value));
                let Ok(iterator) = self.iter(&iterable) else {
                    self.at(y.span);
                    return Flow::Raise;
                };
                (iterator, Some(Resume::Send(Value::NONE)))
            }
        };
        let next = match resume {
            Some(Resume::Throw(exception)) => {
                let thrown = self.delegate_throw(&iterator, exception);
                if thrown.is_err() {
                    self.link_to_own_handled();
                }
                thrown
            }
            Some(Resume::Send(value)) => self.delegate_send(&iterator, value),
            None => self.delegate_send(&iterator, Value::NONE),
        };
        match next {
            Ok(Some(value)) => {
                self.running().yielded = value;
                self.step_out(Step::Delegate(iterator))
            }
            Ok(None) => {
                let result = self.take_returned();
                self.finish_yield(y, result)
            }
            Err(_) => {
                self.at(y.span);
                Flow::Raise
            }
        }
    }

    /// The context of an exception thrown in may be what the generator handles itself, not what its caller does.
    fn link_to_own_handled(&mut self) {
        let outside = self.running().handled_outside.clone();
        if !self.handling.same(&outside)
            && let Some(exception) = self.pending_exception().cloned()
        {
            self.set_context(&exception);
        }
    }

    /// Passes a sent value on; at the end the result is in `returned`.
    fn delegate_send(&mut self, iterator: &Value, value: Value) -> Res<Option<Value>> {
        if let Some(generator) = iterator.get_ref::<Generator>() {
            return self.run_generator(&generator, Resume::Send(value));
        }
        let result = if value.is_none() {
            match iterator.get::<crate::value::Iter>() {
                Some(_) => {
                    self.returned = Value::NONE;
                    return self.next(iterator);
                }
                None => {
                    let Some(method) = self.special_method(iterator, "__next__")? else {
                        let name = self.type_name(iterator);
                        return Err(self.type_error(format!("'{name}' object is not an iterator")));
                    };
                    self.call(&method, &[])
                }
            }
        } else {
            self.call_method(iterator, "send", &[value])
        };
        self.until_stop(result)
    }

    /// Turns `StopIteration` into the end, its value in `returned`.
    pub(super) fn until_stop(&mut self, result: Res) -> Res<Option<Value>> {
        self.end_at_stop(result.map(Some))
    }

    /// `StopIteration` out of a step of an iterator is its end, the value in `returned`.
    pub(super) fn end_at_stop(&mut self, result: Res<Option<Value>>) -> Res<Option<Value>> {
        match result {
            Err(_) if self.is_raised(Exc::StopIteration) => {
                let stop = self.take_raised();
                self.returned = stop.args().first().cloned().unwrap_or(Value::NONE);
                Ok(None)
            }
            result => result,
        }
    }

    /// `next(iterator)` as an expression: the end is `StopIteration` with the value that an inner
    /// generator or function ended with.
    pub fn next_or_stop(&mut self, iterator: &Value) -> Res {
        self.returned = Value::NONE;
        if let Some(item) = self.next(iterator)? {
            return Ok(item);
        }
        Err(self.stop_iteration())
    }

    /// `StopIteration` for an iterator that just ended, with the value in `returned`.
    pub fn stop_iteration(&mut self) -> Raised {
        let args = match self.take_returned() {
            value if value.is_none() => Vec::new(),
            value => vec![value],
        };
        self.error_with(Exc::StopIteration, args)
    }

    fn delegate_throw(&mut self, iterator: &Value, exception: Ref<Exception>) -> Res<Option<Value>> {
        let is_exit = exception.class().is_subtype_of(&self.types.exception(Exc::GeneratorExit));
        if let Some(generator) = iterator.get_ref::<Generator>() {
            if is_exit {
                self.close_generator(&generator)?;
                return Err(self.raise(exception));
            }
            return self.throw_into_generator(&generator, exception);
        }
        if is_exit {
            match self.find_attribute(iterator, &Str::new("close")) {
                Ok(Some(close)) => drop(self.call(&close, &[])?),
                Ok(None) => {}
                // The generator has to end all the same.
                Err(_) => self.report_unraisable("generator", iterator.clone()),
            }
            return Err(self.raise(exception));
        }
        match self.find_attribute(iterator, &Str::new("throw"))? {
            Some(throw) => {
                let result = self.call(&throw, &[exception.into()]);
                self.until_stop(result)
            }
            None => Err(self.raise(exception)),
        }
    }

    fn gen_if(&mut self, i: &If) -> Flow {
        let branch = match self.step_in() {
            Some(Step::Branch(branch)) => branch as usize,
            _ => {
                let mut chosen = i.branches.len();
                for (number, (test, _)) in i.branches.iter().enumerate() {
                    if attempt!(self.test(test)) {
                        chosen = number;
                        break;
                    }
                }
                chosen
            }
        };
        let block = i.branches.get(branch).map_or(&i.orelse, |(_, body)| body);
        match self.gen_block(block) {
            Flow::Yield => self.step_out(Step::Branch(branch as u32)),
            flow => flow,
        }
    }

    /// Runs a loop's `else` block.
    fn gen_loop_else(&mut self, orelse: &[Stmt]) -> Flow {
        match self.gen_block(orelse) {
            Flow::Yield => self.step_out(Step::LoopElse),
            flow => flow,
        }
    }

    fn gen_while(&mut self, w: &While) -> Flow {
        let mut inside = match self.step_in() {
            Some(Step::LoopElse) => return self.gen_loop_else(&w.orelse),
            Some(_) => true,
            None => false,
        };
        while inside || attempt!(self.test(&w.test)) {
            inside = false;
            match self.gen_block(&w.body) {
                Flow::Next | Flow::Continue => {}
                Flow::Break => return Flow::Next,
                Flow::Yield => return self.step_out(Step::While),
                flow => return flow,
            }
            if super::interrupt::wants_attention() {
                attempt!(self.attend());
            }
        }
        self.gen_loop_else(&w.orelse)
    }

    fn gen_for(&mut self, f: &For) -> Flow {
        let mut inside = false;
        let iterator = match self.step_in() {
            Some(Step::LoopElse) => return self.gen_loop_else(&f.orelse),
            Some(Step::For(iterator)) => {
                inside = true;
                iterator
            }
            _ => {
                let iterable = attempt!(self.operand(&f.iter));
                if f.is_iterator {
                    iterable
                } else if let Ok(iterator) = self.iter(&iterable) {
                    iterator
                } else {
                    self.at(f.iter_span);
                    return Flow::Raise;
                }
            }
        };
        loop {
            if !inside {
                let item = match self.next(&iterator) {
                    Ok(Some(item)) => item,
                    Ok(None) => break,
                    Err(_) => {
                        self.at(f.iter_span);
                        return Flow::Raise;
                    }
                };
                attempt!(self.assign(&f.target, item));
            }
            inside = false;
            match self.gen_block(&f.body) {
                Flow::Next | Flow::Continue => {}
                Flow::Break => return Flow::Next,
                Flow::Yield => return self.step_out(Step::For(iterator)),
                flow => return flow,
            }
            if super::interrupt::wants_attention() {
                attempt!(self.attend());
            }
        }
        self.gen_loop_else(&f.orelse)
    }

    fn gen_try(&mut self, t: &Try) -> Flow {
        let step = self.step_in();
        let flow = match step {
            Some(Step::Finally(after)) => return self.gen_finally(t, after),
            Some(Step::Handler(number, exception)) => self.gen_handler(t, number as usize, exception, true),
            Some(Step::TryElse) => self.gen_try_else(t),
            _ => self.gen_try_body(t),
        };
        self.after_try(t, flow)
    }

    fn gen_try_star(&mut self, t: &Try) -> Flow {
        let flow = match self.step_in() {
            Some(Step::Finally(after)) => return self.gen_finally(t, after),
            Some(Step::StarHandler(handling)) => self.gen_star_handlers(t, handling, true),
            Some(Step::TryElse) => self.gen_try_else(t),
            _ => match self.gen_block(&t.body) {
                Flow::Yield => self.step_out(Step::TryBody),
                Flow::Next => self.gen_try_else(t),
                Flow::Raise => {
                    let exception = self.catch_here();
                    let handling = self.begin_star(&exception);
                    self.gen_star_handlers(t, Box::new(handling), false)
                }
                flow => flow,
            },
        };
        self.after_try(t, flow)
    }

    /// Runs the handlers of `except*` from where they are; `is_inside` one that yielded.
    fn gen_star_handlers(&mut self, t: &Try, mut handling: Box<StarHandling>, mut is_inside: bool) -> Flow {
        let outer = std::mem::replace(&mut self.handling, handling.exception.clone().into());
        let result = loop {
            if is_inside {
                self.handling = handling.taken.clone().map_or(Value::NONE, Value::from);
            } else {
                match self.next_star_handler(t, &mut handling) {
                    Ok(Some(_)) => {}
                    Ok(None) => break self.finish_star(*handling),
                    Err(raised) => break Err(raised),
                }
            }
            is_inside = false;
            let flow = self.gen_block(&t.handlers[handling.next - 1].body);
            if flow == Flow::Yield {
                self.handling = outer;
                return self.step_out(Step::StarHandler(handling));
            }
            if let Some(leaves) = self.end_star_handler(t, &mut handling, flow) {
                break Ok(leaves);
            }
        };
        self.handling = outer;
        result.unwrap_or(Flow::Raise)
    }

    /// The `finally` block, if there is one, after the rest of the statement ended with `flow`.
    fn after_try(&mut self, t: &Try, flow: Flow) -> Flow {
        if t.finally.is_empty() || flow == Flow::Yield {
            return flow;
        }
        let after = match flow {
            Flow::Raise => After::Raise(self.catch_here()),
            Flow::Return => After::Return(self.returned.take()),
            Flow::Break => After::Break,
            Flow::Continue => After::Continue,
            Flow::Next | Flow::Yield => After::Next,
        };
        self.gen_finally(t, after)
    }

    fn gen_try_body(&mut self, t: &Try) -> Flow {
        match self.gen_block(&t.body) {
            Flow::Yield => self.step_out(Step::TryBody),
            Flow::Next => self.gen_try_else(t),
            Flow::Raise if !t.handlers.is_empty() => {
                let exception = self.catch_here();
                match self.find_handler(t, &exception) {
                    Ok(Some(number)) => self.gen_handler(t, number, exception, false),
                    Ok(None) => {
                        self.reraise(exception);
                        Flow::Raise
                    }
                    Err(_) => Flow::Raise,
                }
            }
            flow => flow,
        }
    }

    fn gen_try_else(&mut self, t: &Try) -> Flow {
        match self.gen_block(&t.orelse) {
            Flow::Yield => self.step_out(Step::TryElse),
            flow => flow,
        }
    }

    fn gen_handler(&mut self, t: &Try, number: usize, exception: Ref<Exception>, is_inside: bool) -> Flow {
        let handler = &t.handlers[number];
        let outer = std::mem::replace(&mut self.handling, exception.clone().into());
        let bound = match &handler.target {
            Some(target) if !is_inside => self.assign(target, exception.clone().into()),
            _ => Ok(()),
        };
        let flow = match bound {
            Ok(()) => self.gen_block(&handler.body),
            Err(_) => Flow::Raise,
        };
        self.handling = outer;
        if flow == Flow::Yield {
            return self.step_out(Step::Handler(number as u32, exception));
        }
        if let Some(target) = &handler.target {
            self.unbind(target);
        }
        flow
    }

    fn gen_finally(&mut self, t: &Try, after: After) -> Flow {
        let exception = match &after {
            After::Raise(exception) => Some(exception.clone()),
            _ => None,
        };
        let outer = match exception {
            Some(exception) => Some(std::mem::replace(&mut self.handling, exception.into())),
            None => None,
        };
        let flow = self.gen_block(&t.finally);
        if let Some(outer) = outer {
            self.handling = outer;
        }
        match flow {
            Flow::Yield => self.step_out(Step::Finally(after)),
            Flow::Next => match after {
                After::Next => Flow::Next,
                After::Break => Flow::Break,
                After::Continue => Flow::Continue,
                After::Return(value) => {
                    self.returned = value;
                    Flow::Return
                }
                After::Raise(exception) => {
                    self.reraise(exception);
                    Flow::Raise
                }
            },
            flow => flow,
        }
    }

    fn gen_with(&mut self, w: &With) -> Flow {
        let exit = match self.step_in() {
            Some(Step::With(exit)) => exit,
            _ => match self.enter_context(w) {
                Ok((exit, Ok(()))) => exit,
                Ok((exit, Err(_))) => return self.leave_context(w, &exit, Flow::Raise),
                Err(_) => return Flow::Raise,
            },
        };
        match self.gen_block(&w.body) {
            Flow::Yield => self.step_out(Step::With(exit)),
            flow => self.leave_context(w, &exit, flow),
        }
    }

    fn gen_match(&mut self, m: &Match) -> Flow {
        let number = match self.step_in() {
            Some(Step::Case(number)) => number as usize,
            _ => match attempt!(self.choose_case(m)) {
                Some(number) => number,
                None => return Flow::Next,
            },
        };
        match self.gen_block(&m.cases[number].body) {
            Flow::Yield => self.step_out(Step::Case(number as u32)),
            flow => flow,
        }
    }

    /// `(element for ...)`: the generator over an iterator made here and now.
    pub(super) fn eval_generator(&mut self, g: &GeneratorExpr) -> Res {
        let iterable = self.operand(&g.iter)?;
        let Ok(iterator) = self.iter(&iterable) else { return Err(self.at(g.iter_span)) };
        let function = self.make_function(&g.make)?;
        let Ok(function) = function.into_ref::<Function>() else { return Err(Raised) };
        Ok(Generator::new(function, vec![iterator]).into())
    }
}
