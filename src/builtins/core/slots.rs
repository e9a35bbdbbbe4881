//! Functions the evaluator itself hands out: `__annotations__` of a namespace and the accessors of
//! `__slots__`.

use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::value::table::Table;
use crate::value::{BoundMethod, Dict, Instance, Module, Raised, Ref, Res, Str, Tuple, Type, Value, weak};

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

/// One of the three functions of a slot, with its class and name as first argument.
pub fn slot_function(native: &'static Native, class: &Ref<Type>, name: &Ref<Str>) -> Value {
    let function = crate::builtins::function_value(native, "builtins");
    let receiver = Value::tuple(vec![class.clone().into(), name.clone().into()]);
    Ref::new(BoundMethod { function, receiver }).into()
}

pub static SLOT_GET: Native =
    Native { name: "slot", params: "member, object, /", run: slot_get, doc: "Reads a slot." };
pub static SLOT_SET: Native =
    Native { name: "slot", params: "member, object, value, /", run: slot_set, doc: "Sets a slot." };
pub static SLOT_DELETE: Native =
    Native { name: "slot", params: "member, object, /", run: slot_delete, doc: "Empties a slot." };

/// The name of the slot, and the instance, which must be of the slot's class.
fn slot<'a>(call: &mut Call<'a>) -> Res<(&'a Str, &'a Instance)> {
    let (member, object) = (call.arg(0), call.arg(1));
    let parts = member.get::<Tuple>().map(Tuple::items).unwrap_or_default();
    let [class, name] = parts else { return Err(call.wrong_type(0, "a slot")) };
    let (Some(class), Some(name)) = (class.get::<Type>(), name.get::<Str>()) else {
        return Err(call.wrong_type(0, "a slot"));
    };
    match object.get::<Instance>() {
        Some(instance) if instance.class().is_subtype_of(class) => Ok((name, instance)),
        _ => {
            let (class, got) = (class.name(), call.vm.type_name(object));
            Err(call.vm.type_error(format!(
                "descriptor '{}' for '{}' objects doesn't apply to a '{got}' object",
                name.as_str(),
                class.as_str()
            )))
        }
    }
}

fn no_slot(call: &mut Call, name: &Str) -> Raised {
    call.vm.no_attribute(call.arg(1), &Str::new(name.as_str()))
}

fn slot_get(call: &mut Call) -> Res {
    let (name, instance) = slot(call)?;
    match instance.slots.get().and_then(|slots| slots.get_str(name)) {
        Some(value) => Ok(value),
        None => Err(no_slot(call, name)),
    }
}

fn slot_set(call: &mut Call) -> Res {
    let (name, instance) = slot(call)?;
    instance.slots().set_text(name.as_str(), call.arg(2).clone());
    Ok(Value::NONE)
}

fn slot_delete(call: &mut Call) -> Res {
    let (name, instance) = slot(call)?;
    match instance.slots.get().and_then(|slots| slots.remove_str(name)) {
        Some(_) => Ok(Value::NONE),
        None => Err(no_slot(call, name)),
    }
}

// ---- `__dict__` and `__weakref__` ----

pub static INSTANCE_DICT: &[Native] = &[
    Native { name: ".__dict__", params: "self", run: instance_dict, doc: "The attributes of the object." },
    Native {
        name: ".__dict__=",
        params: "self, value=<absent>, /",
        run: set_instance_dict,
        doc: "Replaces the attributes of the object.",
    },
];

pub static INSTANCE_WEAKREF: &[Native] = &[Native {
    name: ".__weakref__",
    params: "self",
    run: |call| Ok(weak::references(call.arg(0)).into_iter().next().unwrap_or(Value::NONE)),
    doc: "A weak reference to the object, if there is one.",
}];

fn table<'a>(call: &mut Call<'a>) -> Res<&'a Table> {
    match call.arg(0).get::<Instance>() {
        Some(instance) => Ok(&instance.attributes),
        None => Err(call.vm.no_attribute(call.arg(0), &Str::new("__dict__"))),
    }
}

fn instance_dict(call: &mut Call) -> Res {
    if let Some(module) = call.arg(0).get_ref::<Module>() {
        return Ok(crate::builtins::mapping::of_module(module));
    }
    if let Some(class) = call.arg(0).get_ref::<Type>() {
        return Ok(call.vm.class_dict(&class));
    }
    Ok(table(call)?.get_or_make().into())
}

fn set_instance_dict(call: &mut Call) -> Res {
    let table = table(call)?;
    match call.opt(1) {
        Some(value) => call.vm.replace_attributes(table, value)?,
        None => table.replace(None),
    }
    Ok(Value::NONE)
}

impl Vm {
    /// Makes a dict the table of an object or function: what changes the one changes the other.
    pub(crate) fn replace_attributes(&mut self, table: &Table, value: &Value) -> Res<()> {
        let Some(dict) = Vm::unwrap_native(value).get_ref::<Dict>() else {
            let got = self.type_name(value);
            return Err(self.type_error(format!("__dict__ must be set to a dictionary, not a '{got}'")));
        };
        table.replace(Some(dict));
        Ok(())
    }
}
