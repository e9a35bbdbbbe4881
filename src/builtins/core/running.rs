//! Global functions that run text: `eval`, `exec`, and what belongs to them.
//!
//! Code runs in a module. Given dicts, `eval` and `exec` run in a module made for the purpose: its
//! variables are copied from the dicts and, after `exec`, back to them. What differs from Python: functions
//! that the code defines keep that module as their globals, so later changes to the dict do not reach them.

use crate::builtins::mapping;
use crate::call::{Call, Native};
use crate::eval::{Exc, Vm};
use crate::source::SourceFile;
use crate::value::{Dict, Module, Ref, Res, Str, Value, View};
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
        run: compile,
        doc: "Not supported yet.",
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
    Native { name: "breakpoint", params: "*args, **keywords", run: breakpoint, doc: "Not supported yet." },
];

/// Text that `eval` and `exec` accept.
fn source_text(call: &mut Call) -> Res<String> {
    let value = Vm::unwrap_native(call.arg(0));
    match value.view() {
        View::Str(text) => Ok(text.as_str().to_string()),
        View::Bytes(_) | View::ByteArray(_) => match String::from_utf8(call.bytes(0)?.into_owned()) {
            Ok(text) => Ok(text),
            Err(_) => {
                Err(call.vm.error(Exc::SyntaxError, "(unicode error) 'utf-8' codec can't decode the source"))
            }
        },
        _ => {
            let name = call.native.name;
            Err(call.vm.type_error(format!("{name}() arg 1 must be a string, bytes or code object")))
        }
    }
}

/// Where code runs, and where its variables go afterwards.
struct Place {
    module: Ref<Module>,
    copied: Option<Copied>,
}

/// What `copy_back` needs to know.
struct Copied {
    /// Variables before the run.
    before: Vec<(Ref<Str>, Value)>,
    /// The mapping that receives changes.
    target: Value,
}

fn place(call: &mut Call) -> Res<Place> {
    let (globals, locals) = (call.opt_not_none(1), call.opt_not_none(2));
    if let Some(globals) = globals {
        let is_dict = Vm::unwrap_native(globals).is::<Dict>() || mapping::module_of(globals).is_some();
        if !is_dict {
            let (name, got) = (call.native.name, call.vm.type_name(globals));
            return Err(call.vm.type_error(match name {
                "eval" => "globals must be a dict".to_string(),
                _ => format!("{name}() globals must be a dict, not {got}"),
            }));
        }
    }
    let here = call.vm.current_module();
    let module = globals.map_or(Some(here.clone()), mapping::module_of);
    let frame = if globals.is_none() { call.vm.local_variables() } else { None };
    if let (Some(module), None, None) = (&module, locals, &frame) {
        return Ok(Place { module: module.clone(), copied: None });
    }
    let made = call.vm.new_module("__main__", None);
    match (module, globals) {
        (Some(module), _) => module.pairs().into_iter().for_each(|(name, value)| made.set(&name, value)),
        (None, Some(globals)) => copy_variables(call.vm, globals, &made)?,
        (None, None) => {}
    }
    for (name, value) in frame.into_iter().flatten() {
        made.set(&name, value);
    }
    if let Some(locals) = locals {
        copy_variables(call.vm, locals, &made)?;
    }
    let before = made.pairs();
    let target = match (locals, globals) {
        (Some(locals), _) => locals.clone(),
        (None, Some(globals)) => globals.clone(),
        // Changes to the variables of a running function are lost, as in Python.
        (None, None) => Dict::new(Default::default()).into(),
    };
    Ok(Place { module: made, copied: Some(Copied { before, target }) })
}

fn copy_variables(vm: &mut Vm, mapping: &Value, module: &Module) -> Res<()> {
    let copy = Dict::new(Default::default());
    vm.dict_merge(&copy, mapping, "locals must be a mapping")?;
    for (name, value) in copy.pairs() {
        if let Some(name) = name.as_str() {
            let name = vm.intern(name);
            module.set(&name, value);
        }
    }
    Ok(())
}

/// Brings changed, new and deleted variables to the mapping.
fn copy_back(vm: &mut Vm, place: &Place) -> Res<()> {
    let Some(Copied { before, target }) = &place.copied else { return Ok(()) };
    let after = place.module.pairs();
    for (name, value) in &after {
        let is_known = before.iter().any(|(n, v)| n.as_str() == name.as_str() && v.same(value));
        if !is_known {
            vm.set_item(target, name.clone().into(), value.clone())?;
        }
    }
    for (name, _) in before {
        if !after.iter().any(|(n, _)| n.as_str() == name.as_str()) {
            let key: Value = name.clone().into();
            if vm.contains(target, &key)? {
                vm.delete_item(target, &key)?;
            }
        }
    }
    Ok(())
}

fn eval(call: &mut Call) -> Res {
    let text = source_text(call)?;
    let place = place(call)?;
    let source = Rc::new(SourceFile::new("<string>", text.trim_start_matches([' ', '\t'])));
    let code = match crate::syntax::parse_expression(&source) {
        Ok(tree) => crate::resolve::expression(call.vm, &tree, source.clone(), &place.module),
        Err(error) => Err(error),
    };
    let value = match code {
        Ok(code) => call.vm.run_module(code, &place.module),
        Err(error) => return Err(call.vm.raise_syntax_error(&error, &source)),
    }?;
    copy_back(call.vm, &place)?;
    Ok(value)
}

fn exec(call: &mut Call) -> Res {
    let text = source_text(call)?;
    let place = place(call)?;
    let result = call.vm.run_source(Rc::new(SourceFile::new("<string>", text)), &place.module);
    if result.is_err() {
        // What ran before the error counts.
        let exception = call.vm.take_raised();
        copy_back(call.vm, &place)?;
        return Err(call.vm.put_back(exception));
    }
    copy_back(call.vm, &place)?;
    Ok(Value::NONE)
}

fn compile(call: &mut Call) -> Res {
    Err(call
        .vm
        .error(Exc::NotImplementedError, "compile() is not supported yet; give the text to eval() or exec()"))
}

fn globals(call: &mut Call) -> Res {
    Ok(mapping::of_module(call.vm.current_module()))
}

pub fn locals(call: &mut Call) -> Res {
    let Some(variables) = call.vm.local_variables() else { return globals(call) };
    let dict = Dict::new(Default::default());
    for (name, value) in variables {
        dict.set_str(&name, value);
    }
    Ok(dict.into())
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
    let wants_last = match call.opt_not_none(3) {
        Some(names) => call.vm.truth(names)?,
        None => false,
    };
    match full.split_once('.') {
        Some((first, _)) if !wants_last => call.vm.import_module(first),
        _ => Ok(last),
    }
}

fn exit(call: &mut Call) -> Res {
    let args = call.opt_not_none(0).cloned().into_iter().collect();
    Err(call.vm.error_with(Exc::SystemExit, args))
}

fn breakpoint(call: &mut Call) -> Res {
    Err(call.vm.error(Exc::NotImplementedError, "breakpoint() is not supported yet"))
}
