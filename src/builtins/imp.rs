//! `_imp`: what `stdlib/importlib` needs to know of modules: where they are, and running files as modules.

use crate::call::{Call, Native, NativeModule};
use crate::source::SourceFile;
use crate::value::{Module, Res, Value};
use std::rc::Rc;

pub static MODULE: NativeModule = NativeModule {
    name: "_imp",
    doc: "Parts of imports; `importlib` is the module to import.",
    functions: &[
        Native {
            name: "find",
            params: "name, /",
            run: find,
            doc: "Where a module is: its kind, `native`, `embedded` or `file`; the name of its file, or none; the folder of the package that it is, or none. None if there is no such module. Packages around it are imported.",
        },
        Native {
            name: "new_module",
            params: "name, file=None, /",
            run: new_module,
            doc: "An empty module with the variables every module has.",
        },
        Native {
            name: "run",
            params: "source, file, module, /",
            run: run_source,
            doc: "Runs the text of a file in a module.",
        },
        Native {
            name: "_override_frozen_modules_for_tests",
            params: "value, /",
            run: |_| Ok(Value::NONE),
            doc: "Nothing: whether modules come from the program itself is not for scripts to say.",
        },
        Native {
            name: "source",
            params: "name, /",
            run: source,
            doc: "The text of a module that is in the program itself, or none.",
        },
    ],
    constants: &[],
};

fn find(call: &mut Call) -> Res {
    let name = call.str(0)?;
    let Some(found) = call.vm.find_module(name)? else { return Ok(Value::NONE) };
    let text = |text: Option<String>| text.map_or(Value::NONE, Value::str);
    Ok(Value::tuple(vec![Value::str(found.kind), text(found.file), text(found.package)]))
}

fn new_module(call: &mut Call) -> Res {
    let name = call.str(0)?;
    let file = match call.opt_not_none(1) {
        Some(_) => Some(call.str(1)?),
        None => None,
    };
    Ok(call.vm.new_module(name, file).into())
}

fn run_source(call: &mut Call) -> Res {
    let source = SourceFile::new(call.str(1)?.to_string(), call.str(0)?);
    let Some(module) = call.arg(2).get_ref::<Module>() else { return Err(call.wrong_type(2, "a module")) };
    call.vm.run_source(Rc::new(source), &module)?;
    Ok(Value::NONE)
}

fn source(call: &mut Call) -> Res {
    let name = call.str(0)?;
    Ok(super::embedded_source(name).map_or(Value::NONE, Value::str))
}
