//! `except*`: handlers that each take their part of an exception group.

use super::code::Try;
use super::{Exc, Flow, Vm};
use crate::value::{Exception, Raised, Ref, Res, Str, Value};

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
        let base = self.types.exception(Exc::BaseExceptionGroup);
        let is_group = exception.class().is_subtype_of(&base);
        let mut rest: Option<Value> = Some(exception.clone().into());
        let mut raised: Vec<Value> = Vec::new();
        for handler in &t.handlers {
            let Some(remaining) = rest.clone() else { break };
            let Some(expr) = &handler.exception else { continue };
            let wanted = self.operand(expr)?;
            self.refuse_groups(&wanted)?;
            let (taken, left) = self.split_exception(&remaining, &wanted, is_group)?;
            rest = left;
            let Some(taken) = taken else { continue };
            let Some(handled) = taken.get_ref::<Exception>() else { continue };
            self.handling = taken.clone();
            if let Some(target) = &handler.target {
                self.assign(target, taken)?;
            }
            let flow = self.exec_block(&handler.body);
            if let Some(target) = &handler.target {
                self.unbind(target);
            }
            match flow {
                Flow::Next => {}
                Flow::Raise => {
                    let new = self.catch_here();
                    if Ref::ptr_eq(&new, &handled) {
                        rest = Some(self.join_groups(rest, new.into())?);
                    } else {
                        raised.push(new.into());
                    }
                }
                flow => return Ok(flow),
            }
        }
        self.finish_groups(exception, rest, raised)
    }

    fn refuse_groups(&mut self, wanted: &Value) -> Res<()> {
        let base = self.types.exception(Exc::BaseExceptionGroup);
        let classes = match wanted.get::<crate::value::Tuple>() {
            Some(tuple) => tuple.items().to_vec(),
            None => vec![wanted.clone()],
        };
        let names_group =
            classes.iter().any(|c| c.get::<crate::value::Type>().is_some_and(|t| t.is_subtype_of(&base)));
        if names_group {
            return Err(
                self.type_error("catching ExceptionGroup with except* is not allowed. Use except instead.")
            );
        }
        Ok(())
    }

    /// The part of an exception that matches, always as a group, and the rest.
    fn split_exception(
        &mut self,
        exception: &Value,
        wanted: &Value,
        is_group: bool,
    ) -> Res<(Option<Value>, Option<Value>)> {
        let Some(one) = exception.get_ref::<Exception>() else { return Ok((None, None)) };
        if !is_group {
            if !self.exception_matches(&one, wanted)? {
                return Ok((None, Some(exception.clone())));
            }
            let class: Value = self.types.exception(Exc::ExceptionGroup).into();
            let group = self.call(&class, &[Value::str(""), Value::list(vec![exception.clone()])])?;
            return Ok((Some(group), None));
        }
        let parts = self.call_method(exception, "split", std::slice::from_ref(wanted))?;
        let parts = self.collect(&parts)?;
        let part = |i: usize| parts.get(i).filter(|p| !p.is_none()).cloned();
        Ok((part(0), part(1)))
    }

    /// A part that was raised again goes back to what is left.
    fn join_groups(&mut self, rest: Option<Value>, again: Value) -> Res {
        let Some(rest) = rest else { return Ok(again) };
        let mut all = Vec::new();
        for group in [&rest, &again] {
            let members = self.get_attribute(group, &Str::new("exceptions"))?;
            self.extend_from(&mut all, &members)?;
        }
        self.call_method(&rest, "derive", &[Value::list(all)])
    }

    fn finish_groups(
        &mut self,
        original: &Ref<Exception>,
        rest: Option<Value>,
        mut raised: Vec<Value>,
    ) -> Res<Flow> {
        if raised.is_empty() {
            return Ok(match rest.and_then(|r| r.into_ref::<Exception>().ok()) {
                None => Flow::Next,
                Some(rest) => {
                    if !Ref::ptr_eq(&rest, original) && rest.trace.borrow().is_empty() {
                        *rest.trace.borrow_mut() = original.trace.borrow().clone();
                    }
                    self.reraise(rest);
                    Flow::Raise
                }
            });
        }
        raised.extend(rest);
        if let [one] = &raised[..]
            && let Some(one) = one.get_ref::<Exception>()
            && !Ref::ptr_eq(&one, original)
        {
            self.reraise(one);
            return Ok(Flow::Raise);
        }
        let class: Value = self.types.exception(Exc::ExceptionGroup).into();
        let group = self.call(&class, &[Value::str(""), Value::list(raised)])?;
        match group.into_ref::<Exception>() {
            Ok(group) => {
                self.raise(group);
                Ok(Flow::Raise)
            }
            Err(_) => Err(Raised),
        }
    }
}
