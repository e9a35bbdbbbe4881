//! Global functions that run text: `eval`, `exec`, and what belongs to them.
//!
//! Code runs in a module; given a dict, in a module whose variables are the pairs of that dict. With a
//! namespace besides, names are bound there, as in the body of a class.

use crate::builtins::code::{self, Mode};
use crate::builtins::hooks;
use crate::builtins::mapping;
use crate::call::{Call, Native};
use crate::eval::code::CodeKind;
use crate::eval::{Exc, Vm};
use crate::resolve::Home;
use crate::source::SourceFile;
use crate::value::{Dict, Module, Ref, Res, Value};
use std::rc::Rc;

pub static ROWS: &[Native] = &[
    Native {
        name: "eval",
        params: "source, globals=None, locals=None, /",
        run: eval,
        doc: "The value of an expression given as text.",
    },
    Native {
        name: "exec",
        params: "source, globals=None, locals=None, /",
        run: exec,
        doc: "Runs statements given as text.",
    },
    Native {
        name: "compile",
        params: "source, filename, mode, flags=0, dont_inherit=False, optimize=-1",
        run: code::compile,
        doc: "A code object for `eval` and `exec`. `mode` is 'exec' for a program, 'eval' for an expression, 'single' for what is typed at a prompt. Raises SyntaxError.",
    },
    Native {
        name: "globals",
        params: "",
        run: globals,
        doc: "The variables of the running module as a mapping that writes through.",
    },
    Native {
        name: "locals",
        params: "",
        run: locals,
        doc: "A new dict of the local variables; in a module the same as `globals()`.",
    },
    Native {
        name: "__import__",
        params: "name, globals=None, locals=None, fromlist=(), level=0",
        run: import,
        doc: "Imports a module by its dotted name; the first module of it, or the last with a `fromlist`.",
    },
    Native {
        name: "exit",
        params: "code=None",
        run: exit,
        doc: "Ends the program: none and 0 mean success, another int is the exit code, anything else is printed to stderr and means 1.",
    },
    Native { name: "quit", params: "code=None", run: exit, doc: "As `exit`." },
    Native {
        name: "breakpoint",
        params: "*args, **keywords",
        run: hooks::breakpoint,
        doc: "Stops to look around: calls `sys.breakpointhook`.",
    },
];

/// Where code runs: its module, and the namespace of its own variables if that is not the module.
struct Place {
    module: Ref<Module>,
    namespace: Option<Value>,
}

impl Place {
    fn home(&self) -> Home<'_> {
        Home { module: &self.module, has_namespace: self.namespace.is_some() }
    }
}

fn place(call: &mut Call) -> Res<Place> {
    let (globals, locals) = (call.opt_not_none(1).cloned(), call.opt_not_none(2).cloned());
    let Some(globals) = globals else {
        let module = call.vm.current_module();
        let namespace = locals.or_else(|| call.vm.local_namespace());
        return Ok(Place { module, namespace });
    };
    let module = match (mapping::module_of(&globals), Vm::unwrap_native(&globals).get_ref::<Dict>()) {
        (Some(module), _) => module,
        (None, Some(dict)) => Module::of_dict(dict, call.vm.builtins.clone()),
        (None, None) => {
            let (name, got) = (call.native.name, call.vm.type_name(&globals));
            return Err(call.vm.type_error(match name {
                "eval" => "globals must be a dict".to_string(),
                _ => format!("{name}() globals must be a dict, not {got}"),
            }));
        }
    };
    let is_module = |locals: &Value| {
        locals.same(&globals) || mapping::module_of(locals).is_some_and(|m| m.as_ptr() == module.as_ptr())
    };
    let namespace = locals.filter(|locals| !is_module(locals));
    if let Some(namespace) = &namespace
        && !call.vm.has_attribute(namespace, "__getitem__")?
    {
        let (name, got) = (call.native.name, call.vm.type_name(namespace));
        return Err(call.vm.type_error(match name {
            "eval" => "locals must be a mapping".to_string(),
            _ => format!("locals must be a mapping or None, not {got}"),
        }));
    }
    Ok(Place { module, namespace })
}

fn eval(call: &mut Call) -> Res {
    run(call, Mode::Eval)
}

fn exec(call: &mut Call) -> Res {
    run(call, Mode::Exec)?;
    Ok(Value::NONE)
}

/// Runs the text or the code object in the first argument.
fn run(call: &mut Call, mode: Mode) -> Res {
    let place = place(call)?;
    let code = match code::code_in(call.vm, call.arg(0), place.home())? {
        Some(code) => code,
        None => {
            let text = code::text_argument(call, 0, "string, bytes or code object")?;
            let text =
                if mode == Mode::Eval { text.trim_start_matches([' ', '\t']).to_string() } else { text };
            let source = Rc::new(SourceFile::new("<string>", text));
            match code::resolve(call.vm, &source, mode, place.home()) {
                Ok(code) => code,
                Err(error) => return Err(call.vm.raise_syntax_error(&error, &source)),
            }
        }
    };
    match place.namespace {
        Some(namespace) if code.kind == CodeKind::Class => {
            call.vm.run_in_namespace(code, &place.module, namespace)
        }
        _ => call.vm.run_module(code, &place.module),
    }
}

fn globals(call: &mut Call) -> Res {
    Ok(mapping::of_module(call.vm.current_module()))
}

pub fn locals(call: &mut Call) -> Res {
    match call.vm.local_namespace() {
        Some(namespace) => Ok(namespace),
        None => globals(call),
    }
}

fn import(call: &mut Call) -> Res {
    let name = call.str(0)?;
    let level = call.int_or(4, 0)?;
    let Ok(level) = u32::try_from(level) else { return Err(call.vm.value_error("level must be >= 0")) };
    if name.is_empty() && level == 0 {
        return Err(call.vm.value_error("Empty module name"));
    }
    let full = call.vm.absolute_name(name, level)?;
    let last = call.vm.import_module(&full)?;
    let names = match call.opt_not_none(3).cloned() {
        Some(names) if call.vm.truth(&names)? => names,
        _ => {
            // The first module of the name, in the package that the dots mean.
            let first = name.split('.').next().unwrap_or_default();
            return call.vm.import_module(&full[..full.len() - name.len() + first.len()]);
        }
    };
    call.vm.import_names(&last, &full, &names)?;
    Ok(last)
}

fn exit(call: &mut Call) -> Res {
    let args = call.opt_not_none(0).cloned().into_iter().collect();
    Err(call.vm.error_with(Exc::SystemExit, args))
}
