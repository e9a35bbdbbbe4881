//! Methods of `module`, for modules that scripts make.

use super::{Dict, Module, Ref, Res, Str, Type, Value};
use crate::call::{Call, Native};

pub const MODULE: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, /, *args, **keywords",
        run: new,
        doc: "A module without variables.",
    },
    Native {
        name: "__init__",
        params: "self, name, doc=None",
        run: init,
        doc: "Names and describes the module.",
    },
    Native { name: "__dir__", params: "self, /", run: dir, doc: "The names of the module's variables." },
];

fn new(call: &mut Call) -> Res {
    let class: Ref<Type> = call.class()?;
    let module = Module::of_dict(Dict::new(Default::default()), call.vm.builtins.clone());
    if class.flags.is_user {
        *module.class.borrow_mut() = class.into();
    }
    Ok(module.into())
}

fn init(call: &mut Call) -> Res {
    let name: Ref<Str> = match call.arg(1).get_ref::<Str>() {
        Some(name) => name,
        None => return Err(call.wrong_type(1, "str")),
    };
    let module = call.this::<Module>()?;
    let doc = call.opt(2).cloned().unwrap_or(Value::NONE);
    module.set_text("__name__", name.into());
    module.set_text("__doc__", doc);
    for name in ["__package__", "__loader__", "__spec__"] {
        module.set_text(name, Value::NONE);
    }
    Ok(Value::NONE)
}

fn dir(call: &mut Call) -> Res {
    let module = call.this::<Module>()?;
    if let Some(hook) = module.get_text("__dir__").filter(|hook| !hook.is::<Str>()) {
        return call.vm.call(&hook, &[]);
    }
    let names = call.vm.attribute_names(call.arg(0));
    Ok(Value::list(names.into_iter().map(Value::str).collect()))
}
