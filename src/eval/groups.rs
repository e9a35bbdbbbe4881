//! `except*`: handlers that each take their part of an exception group.

use super::code::Try;
use super::{Exc, Flow, Vm};
use crate::value::exception_group::{Condition, Parts};
use crate::value::generator::StarHandling;
use crate::value::{Exception, Raised, Ref, Res, Tuple, Type, Value};
use std::collections::HashSet;

impl Vm {
    pub(super) fn exec_try_star(&mut self, t: &Try) -> Flow {
        let flow = match self.exec_block(&t.body) {
            Flow::Next => self.exec_block(&t.orelse),
            Flow::Raise => self.handle_group(t),
            flow => flow,
        };
        if t.finally.is_empty() { flow } else { self.exec_finally(t, flow) }
    }

    fn handle_group(&mut self, t: &Try) -> Flow {
        let exception = self.catch_here();
        let outer = std::mem::replace(&mut self.handling, exception.clone().into());
        let flow = match self.run_star_handlers(t, &exception) {
            Ok(flow) => flow,
            Err(Raised) => Flow::Raise,
        };
        self.handling = outer;
        flow
    }

    /// Offers the exception to each handler in turn; what none took, and what they raised, goes on.
    fn run_star_handlers(&mut self, t: &Try, exception: &Ref<Exception>) -> Res<Flow> {
        let mut handling = self.begin_star(exception);
        while let Some(number) = self.next_star_handler(t, &mut handling)? {
            let flow = self.exec_block(&t.handlers[number].body);
            if let Some(leaves) = self.end_star_handler(t, &mut handling, flow) {
                return Ok(leaves);
            }
        }
        self.finish_star(handling)
    }

    pub(super) fn begin_star(&mut self, exception: &Ref<Exception>) -> StarHandling {
        StarHandling {
            exception: exception.clone(),
            is_group: self.group_members(exception).is_some(),
            rest: Some(exception.clone()),
            again: Vec::new(),
            raised: Vec::new(),
            next: 0,
            taken: None,
            places: 0,
        }
    }

    /// The next handler that takes something; its part is being handled from now on, and bound.
    pub(super) fn next_star_handler(&mut self, t: &Try, handling: &mut StarHandling) -> Res<Option<usize>> {
        while let (Some(handler), Some(remaining)) = (t.handlers.get(handling.next), handling.rest.clone()) {
            let number = handling.next;
            handling.next += 1;
            let Some(expr) = &handler.exception else { continue };
            let wanted = self.operand(expr)?;
            self.check_wanted(&wanted)?;
            let (taken, left) = self.split_exception(&remaining, &wanted, handling.is_group)?;
            handling.rest = left;
            let Some(taken) = taken else { continue };
            handling.places = taken.trace.borrow().len();
            handling.taken = Some(taken.clone());
            self.handling = taken.clone().into();
            if let Some(target) = &handler.target {
                self.assign(target, taken.into())?;
            }
            return Ok(Some(number));
        }
        Ok(None)
    }

    /// Notes what a handler did; how it leaves the statement, if it does.
    pub(super) fn end_star_handler(
        &mut self,
        t: &Try,
        handling: &mut StarHandling,
        flow: Flow,
    ) -> Option<Flow> {
        if let Some(target) = &t.handlers[handling.next - 1].target {
            self.unbind(target);
        }
        let taken = handling.taken.take();
        match flow {
            Flow::Next => None,
            Flow::Raise => {
                let new = self.catch_here();
                // `raise` alone adds no place, `raise e` does: it is a new exception that has the old one.
                let is_again = taken.is_some_and(|taken| Ref::ptr_eq(&new, &taken))
                    && new.trace.borrow().len() == handling.places;
                if is_again {
                    handling.again.push(new)
                } else {
                    handling.raised.push(Value::from(new))
                }
                None
            }
            flow => Some(flow),
        }
    }

    /// What goes on after all handlers.
    pub(super) fn finish_star(&mut self, handling: StarHandling) -> Res<Flow> {
        let StarHandling { exception, rest, mut again, mut raised, .. } = handling;
        again.extend(rest);
        let again = self.left_of(&exception, again)?;
        if raised.is_empty() {
            return Ok(self.go_on(again));
        }
        raised.extend(again.map(Value::from));
        if raised.len() == 1 {
            return Ok(self.go_on(raised.pop().and_then(|one| one.into_ref().ok())));
        }
        let class: Value = self.types.exception(Exc::BaseExceptionGroup).into();
        let group = self.call(&class, &[Value::str(""), Value::list(raised)])?;
        if let Ok(group) = group.into_ref::<Exception>() {
            self.raise(group);
        }
        Ok(Flow::Raise)
    }

    fn go_on(&mut self, exception: Option<Ref<Exception>>) -> Flow {
        match exception {
            Some(exception) => {
                self.reraise(exception);
                Flow::Raise
            }
            None => Flow::Next,
        }
    }

    /// The parts of an exception as one: a group of the same shape with only the exceptions that are in them.
    fn left_of(&mut self, whole: &Ref<Exception>, parts: Vec<Ref<Exception>>) -> Res<Option<Ref<Exception>>> {
        if parts.len() < 2 {
            return Ok(parts.into_iter().next());
        }
        let mut leaves = HashSet::new();
        parts.iter().for_each(|part| self.group_leaves(part, &mut leaves));
        Ok(self.split_group(whole, &Condition::Leaves(&leaves))?.0)
    }

    /// What `except*` can catch: exception classes, but not groups.
    fn check_wanted(&mut self, wanted: &Value) -> Res<()> {
        let (any, group) =
            (self.types.exception(Exc::BaseException), self.types.exception(Exc::BaseExceptionGroup));
        let classes = match wanted.get::<Tuple>() {
            Some(tuple) => tuple.items().to_vec(),
            None => vec![wanted.clone()],
        };
        for class in &classes {
            let Some(class) = class.get::<Type>().filter(|class| class.is_subtype_of(&any)) else {
                return Err(self.no_exception_class());
            };
            if class.is_subtype_of(&group) {
                let message = "catching ExceptionGroup with except* is not allowed. Use except instead.";
                return Err(self.type_error(message));
            }
        }
        Ok(())
    }

    /// The part of an exception that matches, always as a group, and the rest.
    fn split_exception(&mut self, exception: &Ref<Exception>, wanted: &Value, is_group: bool) -> Res<Parts> {
        if !is_group {
            if !self.exception_matches(exception, wanted)? {
                return Ok((None, Some(exception.clone())));
            }
            let class: Value = self.types.exception(Exc::BaseExceptionGroup).into();
            let members = Value::tuple(vec![exception.clone().into()]);
            let group = self.call(&class, &[Value::str(""), members])?;
            let group = group.into_ref::<Exception>().ok();
            if let Some(group) = &group {
                self.traceback_value(exception);
                group.copy_trace(exception);
            }
            return Ok((group, None));
        }
        let parts = self.call_method(&exception.clone().into(), "split", std::slice::from_ref(wanted))?;
        let class = exception.class();
        let Some(tuple) = parts.get::<Tuple>() else {
            let message = format!(
                "{}.split must return a tuple, not {}",
                class.name().as_str(),
                self.type_name(&parts)
            );
            return Err(self.type_error(message));
        };
        let [taken, rest, ..] = tuple.items() else {
            let message = format!(
                "{}.split must return a 2-tuple, got tuple of size {}",
                class.name().as_str(),
                tuple.items().len()
            );
            return Err(self.type_error(message));
        };
        Ok((taken.get_ref(), rest.get_ref()))
    }
}
