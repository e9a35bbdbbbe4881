//! `atexit`: functions to run when the program ends, the last one first.
//!
//! They run before anything is torn down, and whatever one of them raises is reported and keeps none of the others
//! from running.

use crate::call::{Call, Native, NativeModule};
use crate::eval::Vm;
use crate::value::{Ref, Res, Str, Value};

pub static MODULE: NativeModule = NativeModule {
    name: "atexit",
    doc: "Functions to run when the program ends.",
    functions: &[
        Native {
            name: "register",
            params: "*args, **named",
            run: register,
            doc: "Has a function called with these arguments when the program ends; returns the function.",
        },
        Native {
            name: "unregister",
            params: "func, /",
            run: unregister,
            doc: "Forgets a function, however often it was registered.",
        },
        Native { name: "_clear", params: "", run: clear, doc: "Forgets all functions." },
        Native {
            name: "_run_exitfuncs",
            params: "",
            run: run_now,
            doc: "Runs all functions now and forgets them.",
        },
        Native { name: "_ncallbacks", params: "", run: count, doc: "How many functions are registered." },
    ],
    constants: &[],
};

/// A function and what it gets.
#[derive(Clone)]
pub struct Callback {
    function: Value,
    args: Vec<Value>,
    named: Vec<(Ref<Str>, Value)>,
}

fn register(call: &mut Call) -> Res {
    let Some((function, args)) = call.rest().split_first() else {
        return Err(call.vm.type_error("register() takes at least 1 argument (0 given)"));
    };
    if !call.vm.is_callable(function) {
        return Err(call.vm.type_error("the first argument must be callable"));
    }
    let callback = Callback { function: function.clone(), args: args.to_vec(), named: call.keyword_pairs() };
    call.vm.state.exit_callbacks.push(Some(callback));
    Ok(function.clone())
}

fn unregister(call: &mut Call) -> Res {
    let mut place = call.vm.state.exit_callbacks.len();
    while place > 0 {
        place -= 1;
        let Some(Some(callback)) = call.vm.state.exit_callbacks.get(place).cloned() else { continue };
        // Comparing may run script code that registers and forgets others.
        if call.vm.equals(&callback.function, call.arg(0))?
            && let Some(slot) = call.vm.state.exit_callbacks.get_mut(place)
        {
            let old = slot.take();
            drop(old);
        }
    }
    Ok(Value::NONE)
}

fn clear(call: &mut Call) -> Res {
    let old = std::mem::take(&mut call.vm.state.exit_callbacks);
    drop(old);
    Ok(Value::NONE)
}

fn run_now(call: &mut Call) -> Res {
    call.vm.run_exit_callbacks();
    Ok(Value::NONE)
}

fn count(call: &mut Call) -> Res {
    Ok(Value::size(call.vm.state.exit_callbacks.iter().flatten().count()))
}

impl Vm {
    /// The text of an object while an exception waits to be reported, which stays as it is.
    fn shown_while_failing(&mut self, value: &Value) -> String {
        let waiting = self.take_raised();
        let shown = self.repr_of(value);
        if shown.is_err() {
            self.take_raised();
        }
        let _ = self.raise(waiting);
        shown.unwrap_or_else(|_| "<object>".to_string())
    }

    /// Runs what `atexit` was given, the last function first.
    pub(crate) fn run_exit_callbacks(&mut self) {
        let mut place = self.state.exit_callbacks.len();
        while place > 0 {
            place -= 1;
            let Some(Some(callback)) = self.state.exit_callbacks.get(place).cloned() else { continue };
            if self.call_with_keywords(&callback.function, &callback.args, &callback.named).is_err() {
                let shown = self.shown_while_failing(&callback.function);
                const IGNORED: &str = "Exception ignored in atexit callback";
                self.report_ignored(&format!("{IGNORED}: {shown}"), Value::str(IGNORED), callback.function);
            }
        }
        let old = std::mem::take(&mut self.state.exit_callbacks);
        drop(old);
    }
}
