//! Exception groups: several exceptions raised as one, and taking them apart.
//!
//! A group is an exception whose arguments are a message and the exceptions; both are kept as attributes.
//! `split` and `subgroup` keep the shape of nested groups and leave out empty ones.

use super::{Exception, Ref, Res, Str, Tag, Tuple, Type, Value, View};
use crate::call::{Call, Native};
use crate::eval::{Exc, Vm};
use std::collections::HashSet;

pub const BASE_EXCEPTION_GROUP: &[Native] = &[
    Native {
        name: "derive",
        params: "self, exceptions, /",
        run: derive,
        doc: "A group with the same message and other exceptions.",
    },
    Native {
        name: "split",
        params: "self, condition, /",
        run: split,
        doc: "The part that matches a class, classes or function, and the rest; none for an empty one.",
    },
    Native {
        name: "subgroup",
        params: "self, condition, /",
        run: subgroup,
        doc: "The part that matches a class, classes or function, or none.",
    },
];

/// What of an exception matches a condition, and the rest.
pub type Parts = (Option<Ref<Exception>>, Option<Ref<Exception>>);

/// Which exceptions to take out of a group.
pub enum Condition<'a> {
    /// A class, a tuple of classes or a function.
    Script(&'a Value),
    /// These very exceptions, by identity.
    Leaves(&'a HashSet<u64>),
}

impl Vm {
    /// A new group. One of `BaseExceptionGroup` whose exceptions are all `Exception`s is an `ExceptionGroup`.
    pub(crate) fn make_exception_group(
        &mut self,
        class: &Ref<Type>,
        args: Vec<Value>,
    ) -> Res<Ref<Exception>> {
        let [message, list] = &args[..] else {
            let count = args.len();
            let message = format!("BaseExceptionGroup.__new__() takes exactly 2 arguments ({count} given)");
            return Err(self.type_error(message));
        };
        if message.as_str().is_none() {
            let got = self.type_name(message);
            return Err(
                self.type_error(format!("BaseExceptionGroup.__new__() argument 1 must be str, not {got}"))
            );
        }
        let exceptions = match list.view() {
            View::List(list) => list.to_vec(),
            View::Tuple(tuple) => tuple.items().to_vec(),
            _ => return Err(self.type_error("second argument (exceptions) must be a sequence")),
        };
        if exceptions.is_empty() {
            return Err(self.value_error("second argument (exceptions) must be a non-empty sequence"));
        }
        if let Some(at) = exceptions.iter().position(|e| e.tag() != Tag::Exception) {
            let message = format!("Item {at} of second argument (exceptions) is not an exception");
            return Err(self.value_error(message));
        }
        let plain = self.types.exception(Exc::Exception);
        let all_plain = exceptions.iter().all(|e| self.is_instance(e, &plain));
        let class = if all_plain && self.types.is_exception(class, Exc::BaseExceptionGroup) {
            self.types.exception(Exc::ExceptionGroup)
        } else {
            class.clone()
        };
        if !all_plain && class.is_subtype_of(&plain) {
            let message = if self.types.is_exception(&class, Exc::ExceptionGroup) {
                "Cannot nest BaseExceptions in an ExceptionGroup".to_string()
            } else {
                format!("Cannot nest BaseExceptions in '{}'", class.name().as_str())
            };
            return Err(self.type_error(message));
        }
        let group = Exception::new(class, args.clone());
        group.set_attribute("message", message.clone());
        group.set_attribute("exceptions", Value::tuple(exceptions));
        Ok(group)
    }

    /// The exceptions of a group; `None` for any other exception.
    pub fn group_members(&self, exception: &Exception) -> Option<Vec<Value>> {
        let is_group = exception.class().is_subtype_of(&self.types.exception(Exc::BaseExceptionGroup));
        let members = exception.get_attribute("exceptions").filter(|_| is_group)?;
        members.get::<Tuple>().map(|tuple| tuple.items().to_vec())
    }

    /// The exceptions in a group and the groups inside it; of any other exception itself.
    pub fn group_leaves(&self, exception: &Ref<Exception>, leaves: &mut HashSet<u64>) {
        match self.group_members(exception) {
            None => {
                leaves.insert(Value::from(exception.clone()).identity());
            }
            Some(members) => {
                for member in members.into_iter().filter_map(|member| member.into_ref().ok()) {
                    self.group_leaves(&member, leaves);
                }
            }
        }
    }

    /// The part of an exception (a group or not) that matches `condition`, and the rest: what
    /// `group.split` gives and `except*` needs.
    ///
    /// # Errors
    /// Whatever a condition function or `derive` raises.
    pub fn split_group(&mut self, exception: &Ref<Exception>, condition: &Condition) -> Res<Parts> {
        self.check_depth(" in exceptiongroup")?;
        if self.group_condition(exception, condition)? {
            return Ok((Some(exception.clone()), None));
        }
        let Some(members) = self.group_members(exception) else { return Ok((None, Some(exception.clone()))) };
        let (mut matched, mut rest) = (Vec::new(), Vec::new());
        for member in members {
            let Ok(member) = member.into_ref::<Exception>() else { continue };
            let (yes, no) = self.split_group(&member, condition)?;
            matched.extend(yes.map(Value::from));
            rest.extend(no.map(Value::from));
        }
        Ok((self.derived_group(exception, matched)?, self.derived_group(exception, rest)?))
    }

    fn group_condition(&mut self, exception: &Ref<Exception>, condition: &Condition) -> Res<bool> {
        let condition = match condition {
            Condition::Script(condition) => *condition,
            Condition::Leaves(leaves) => {
                let is_leaf = self.group_members(exception).is_none();
                return Ok(is_leaf && leaves.contains(&Value::from(exception.clone()).identity()));
            }
        };
        if matches!(condition.tag(), Tag::Type | Tag::Tuple) {
            return self.exception_matches(exception, condition);
        }
        let answer = self.call(condition, &[exception.clone().into()])?;
        self.truth(&answer)
    }

    /// A group like `original` with other exceptions; `None` if there are none.
    fn derived_group(
        &mut self,
        original: &Ref<Exception>,
        members: Vec<Value>,
    ) -> Res<Option<Ref<Exception>>> {
        if members.is_empty() {
            return Ok(None);
        }
        let made = self.call_method(&original.clone().into(), "derive", &[Value::list(members)])?;
        let is_group = made.get::<Exception>().is_some_and(|e| self.group_members(e).is_some());
        let made = match made.into_ref::<Exception>() {
            Ok(made) if is_group => made,
            _ => return Err(self.type_error("derive must return an instance of BaseExceptionGroup")),
        };
        *made.cause.borrow_mut() = original.cause.borrow().clone();
        *made.context.borrow_mut() = original.context.borrow().clone();
        made.suppress_context.set(original.suppress_context.get());
        self.traceback_value(original); // made now, so that both share it
        made.copy_trace(original);
        let notes = match original.get_attribute("__notes__").as_ref().map(Value::view) {
            Some(View::List(list)) => Some(list.to_vec()),
            Some(View::Tuple(tuple)) => Some(tuple.items().to_vec()),
            // What is no sequence is no list of notes.
            _ => None,
        };
        if let Some(notes) = notes {
            made.set_attribute("__notes__", Value::list(notes));
        }
        Ok(Some(made))
    }
}

fn derive(call: &mut Call) -> Res {
    let group = call.this::<Exception>()?;
    let message = group.get_attribute("message").unwrap_or(Value::NONE);
    let class = call.vm.types.exception(Exc::BaseExceptionGroup);
    let args = vec![message, call.arg(1).clone()];
    Ok(call.vm.make_exception_group(&class, args)?.into())
}

/// Splits the receiver by the condition argument.
fn parts(call: &mut Call) -> Res<(Value, Value)> {
    let condition = call.arg(1);
    let is_class = |vm: &mut Vm, value: &Value| {
        let base = vm.types.exception(Exc::BaseException);
        value.get::<Type>().is_some_and(|class| class.is_subtype_of(&base))
    };
    let fits = match condition.view() {
        View::Tuple(classes) => classes.items().iter().all(|class| is_class(call.vm, class)),
        View::Type(_) => is_class(call.vm, condition),
        _ => call.vm.is_callable(condition),
    };
    let Some(group) = call.arg(0).get_ref::<Exception>().filter(|_| fits) else {
        return Err(call.vm.type_error("expected a function, exception type or tuple of exception types"));
    };
    let (matched, rest) = call.vm.split_group(&group, &Condition::Script(condition))?;
    Ok((Value::opt(matched.map(Value::from)), Value::opt(rest.map(Value::from))))
}

fn split(call: &mut Call) -> Res {
    let (matched, rest) = parts(call)?;
    Ok(Value::tuple(vec![matched, rest]))
}

fn subgroup(call: &mut Call) -> Res {
    Ok(parts(call)?.0)
}

/// `message (2 sub-exceptions)`.
pub(crate) fn group_text(message: &Value, count: usize) -> Ref<Str> {
    let plural = if count == 1 { "" } else { "s" };
    Str::from_string(format!("{} ({count} sub-exception{plural})", message.as_str().unwrap_or_default()))
}
