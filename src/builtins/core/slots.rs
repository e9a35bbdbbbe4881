//! Functions the evaluator itself hands out: `__annotations__` of a namespace and the accessors of
//! `__slots__`.

use crate::call::{Call, Native};
use crate::value::{BoundMethod, Dict, Instance, Module, Ref, Res, Str, Value};

/// The function behind annotations of module and class variables.
pub static ANNOTATIONS: Native = Native {
    name: "__annotations__",
    params: "namespace, /",
    run: annotations,
    doc: "The annotations of a class namespace; of the running module if that is none. Made if needed.",
};

fn annotations(call: &mut Call) -> Res {
    if call.arg(0).is_none() {
        return Ok(module_annotations(&call.vm.current_module()));
    }
    let key: Value = Str::new("__annotations__").into();
    if let Some(found) = call.vm.get_item_if_present(call.arg(0), key.clone())? {
        return Ok(found);
    }
    let made: Value = Dict::new(Default::default()).into();
    call.vm.set_item(call.arg(0), key, made.clone())?;
    Ok(made)
}

/// `__annotations__` of a module, made if needed.
pub fn module_annotations(module: &Module) -> Value {
    module.get_text("__annotations__").unwrap_or_else(|| {
        let made = Value::from(Dict::new(Default::default()));
        module.set_text("__annotations__", made.clone());
        made
    })
}

// ---- `__slots__` ----

/// Values of slots live in the instance's table under a key no attribute can have.
fn slot_key(name: &str) -> Ref<Str> {
    Str::new(&format!("<slot {name}>"))
}

/// One of the three functions of a slot, with the slot's name as first argument.
pub fn slot_function(native: &'static Native, name: &Ref<Str>) -> Value {
    let function = crate::builtins::function_value(native, "builtins");
    Ref::new(BoundMethod { function, receiver: name.clone().into() }).into()
}

pub static SLOT_GET: Native =
    Native { name: "slot", params: "name, object, /", run: slot_get, doc: "Reads a slot." };
pub static SLOT_SET: Native =
    Native { name: "slot", params: "name, object, value, /", run: slot_set, doc: "Sets a slot." };
pub static SLOT_DELETE: Native =
    Native { name: "slot", params: "name, object, /", run: slot_delete, doc: "Empties a slot." };

fn slot_get(call: &mut Call) -> Res {
    let name = call.str(0)?;
    let value = call.arg(1).get::<Instance>().and_then(|i| i.attributes().get_str(&slot_key(name)));
    match value {
        Some(value) => Ok(value),
        None => Err(no_slot(call, name)),
    }
}

fn no_slot(call: &mut Call, name: &str) -> crate::value::Raised {
    let shown = call.vm.type_name(call.arg(1));
    let message = format!("'{shown}' object has no attribute '{name}'");
    call.vm.error(crate::eval::Exc::AttributeError, message)
}

fn slot_set(call: &mut Call) -> Res {
    let name = call.str(0)?;
    if let Some(instance) = call.arg(1).get::<Instance>() {
        instance.attributes().set_str(&slot_key(name), call.arg(2).clone());
    }
    Ok(Value::NONE)
}

fn slot_delete(call: &mut Call) -> Res {
    let name = call.str(0)?;
    let removed = call.arg(1).get::<Instance>().and_then(|i| i.attributes().remove_str(&slot_key(name)));
    match removed {
        Some(_) => Ok(Value::NONE),
        None => Err(no_slot(call, name)),
    }
}
