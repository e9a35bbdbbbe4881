//! What happens to values at the prompt, to exceptions that nobody caught, and at a breakpoint: `sys.displayhook`,
//! `sys.excepthook`, `sys.unraisablehook`, `sys.breakpointhook`. A script may put functions of its own in their place.

use super::io::{self, Standard};
use crate::call::{Call, Native};
use crate::eval::code::CodeKind;
use crate::eval::{Exc, Vm};
use crate::value::{Dict, Exception, Module, NativeFunction, Ref, Res, Str, Value};

pub const DISPLAY: Native = Native {
    name: "displayhook",
    params: "object, /",
    run: display,
    doc: "Prints the repr of a value that is not none and keeps it as `_`: what the prompt does with each value.",
};

pub const EXCEPT: Native = Native {
    name: "excepthook",
    params: "type, value, traceback, /",
    run: except,
    doc: "Prints the report of an exception to stderr: what is done with one that nobody caught.",
};

pub const UNRAISABLE: Native = Native {
    name: "unraisablehook",
    params: "unraisable, /",
    run: unraisable,
    doc: "Prints the report of an exception that has nowhere to go, as one from `__del__`.",
};

pub const BREAKPOINT: Native = Native {
    name: "breakpointhook",
    params: "*args, **keywords",
    run: stop,
    doc: "Talks about the function that called `breakpoint`, with copies of its variables, until the input ends.",
};

/// What a script put in place of a hook.
fn replaced(vm: &Vm, hook: &Native) -> Option<Value> {
    let sys = vm.modules.get_text("sys")?;
    let value = sys.get::<Module>()?.get_text(hook.name)?;
    let is_it = |function: &NativeFunction| function.module == "sys" && function.native.name == hook.name;
    let is_ours = value.get::<NativeFunction>().is_some_and(is_it);
    (!is_ours).then_some(value)
}

/// Writes to `sys.stdout` or `sys.stderr`, whatever that is now.
fn write(vm: &mut Vm, which: Standard, text: &str) -> Res<()> {
    match (io::replaced(vm, which), which) {
        (Some(stream), _) if stream.is_none() => Ok(()),
        (Some(stream), _) => vm.call_method(&stream, "write", &[Value::str(text)]).map(drop),
        (None, Standard::Err) => {
            let _ = vm.streams.stdout.flush();
            vm.write_stderr(text);
            Ok(())
        }
        (None, _) => vm.write_stdout(text),
    }
}

impl Vm {
    /// Shows the value of a statement at the prompt.
    pub fn echo(&mut self, value: Value) -> Res<()> {
        match replaced(self, &DISPLAY) {
            Some(hook) => self.call(&hook, &[value]).map(drop),
            None => self.show_value(&value),
        }
    }

    fn show_value(&mut self, value: &Value) -> Res<()> {
        if value.is_none() {
            return Ok(());
        }
        let shown = self.repr_of(value)?;
        write(self, Standard::Out, &format!("{shown}\n"))?;
        let underscore = self.intern("_");
        self.builtins.set(&underscore, value.clone());
        Ok(())
    }

    /// Tells of an exception that nobody caught; an exception of the script's own hook as well.
    pub fn report_uncaught(&mut self, exception: &Ref<Exception>) {
        if let Some(hook) = replaced(self, &EXCEPT) {
            let traceback = self.traceback_value(exception);
            let args = [exception.class().into(), exception.clone().into(), traceback];
            if self.call(&hook, &args).is_ok() {
                return;
            }
            let second = self.take_raised();
            let text = format!(
                "Error in sys.excepthook:\n{}\nOriginal exception was:\n",
                self.format_exception(&second)
            );
            let _ = self.streams.stdout.flush();
            self.write_stderr(&text);
        }
        let text = self.format_exception(exception);
        let _ = self.streams.stdout.flush();
        self.write_stderr(&text);
    }

    /// Tells of an exception that has nowhere to go, which `from` raised.
    pub(crate) fn report_unraisable(&mut self, from: &str, object: Value) {
        self.report_ignored(&format!("Exception ignored in: {from}"), Value::NONE, object);
    }

    /// As `report_unraisable`, the report starting with `heading`; hooks see `message` as `err_msg`.
    pub(crate) fn report_ignored(&mut self, heading: &str, message: Value, object: Value) {
        let exception = self.take_raised();
        if let Some(hook) = replaced(self, &UNRAISABLE) {
            let argument = unraisable_argument(self, &exception, message, object);
            if self.call(&hook, &[argument]).is_ok() {
                return;
            }
            self.take_raised();
        }
        let report = self.format_exception(&exception);
        let text = format!("{heading}\n{report}");
        if write(self, Standard::Err, &text).is_err() {
            self.take_raised(); // Nobody is left to tell.
        }
    }
}

fn unraisable_argument(vm: &mut Vm, exception: &Ref<Exception>, message: Value, object: Value) -> Value {
    let attributes = [
        ("exc_type", exception.class().into()),
        ("exc_value", exception.clone().into()),
        ("exc_traceback", vm.traceback_value(exception)),
        ("err_msg", message),
        ("object", object),
    ];
    super::sys::object(vm, "UnraisableHookArgs", &attributes)
}

fn display(call: &mut Call) -> Res {
    call.vm.show_value(call.arg(0))?;
    Ok(Value::NONE)
}

fn except(call: &mut Call) -> Res {
    let Some(exception) = call.arg(1).get_ref::<Exception>() else {
        return Err(call.wrong_type(1, "an exception"));
    };
    let text = call.vm.format_exception(&exception);
    write(call.vm, Standard::Err, &text)?;
    Ok(Value::NONE)
}

fn unraisable(call: &mut Call) -> Res {
    let value = call.vm.get_attribute(call.arg(0), &Str::new("exc_value"))?;
    let text = match value.get_ref::<Exception>() {
        Some(exception) => format!("Exception ignored:\n{}", call.vm.format_exception(&exception)),
        None => "Exception ignored\n".to_string(),
    };
    write(call.vm, Standard::Err, &text)?;
    Ok(Value::NONE)
}

/// `breakpoint(...)`: whatever `sys.breakpointhook` does.
pub fn breakpoint(call: &mut Call) -> Res {
    let sys = call.vm.import_module("sys")?;
    let hook = call.vm.get_attribute(&sys, &Str::new("breakpointhook"))?;
    let named: Vec<_> = match call.args.last().and_then(Value::get::<Dict>) {
        Some(named) => named
            .pairs()
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_ref().ok()?, value)))
            .collect(),
        None => Vec::new(),
    };
    let args = call.rest().to_vec();
    call.vm.call_with_keywords(&hook, &args, &named)
}

fn stop(call: &mut Call) -> Res {
    let vm = &mut *call.vm;
    let Some(frame) = vm.frame_at(vm.depth()) else { return Ok(Value::NONE) };
    let module = match frame.code.kind {
        CodeKind::Module => frame.module.clone(),
        _ => {
            let variables = Dict::from_pairs([]);
            for (name, value) in frame.module.pairs() {
                variables.set_str(&name, value);
            }
            let own = vm.frame_variables(&frame);
            vm.dict_merge(&variables, &own, "the variables of a frame are a mapping")?;
            Module::of_dict(variables, vm.builtins.clone())
        }
    };
    let (source, name) = (&frame.code.source, frame.code.name.as_str());
    let line = source.line_of(frame.span.start);
    let place = format!("--- stopped in {name}, \"{}\", line {line}; Ctrl-D goes on\n", source.name);
    let _ = vm.streams.stdout.flush();
    vm.write_stderr(&place);
    match crate::repl::run(vm, &module) {
        0 => Ok(Value::NONE),
        code => Err(vm.error_with(Exc::SystemExit, vec![Value::int(code.into())])),
    }
}
