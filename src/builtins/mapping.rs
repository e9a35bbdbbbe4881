//! Mappings that write through: the variables of a module (`globals()`) and the environment
//! (`os.environ`). Both are foreign objects with the methods of a dict.

use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::value::{Dict, Foreign, Module, Raised, Ref, Res, Value};
use std::cell::RefCell;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What stands behind the mapping.
enum Behind {
    Module(Ref<Module>),
    Environment,
}

/// The variables of a module: a mapping that writes through, or the dict that holds them.
pub fn of_module(module: Ref<Module>) -> Value {
    if let Some(dict) = module.dict() {
        return dict.clone().into();
    }
    let behind = Behind::Module(module.clone());
    let make = || Ref::new(Foreign { type_name: "dict", data: RefCell::new(Box::new(behind)) }).into();
    module.globals.get_or_init(make).clone()
}

/// The environment of this process.
pub fn environment() -> Value {
    Ref::new(Foreign { type_name: "_Environ", data: RefCell::new(Box::new(Behind::Environment)) }).into()
}

/// The module behind a value that `globals()` gave.
pub fn module_of(value: &Value) -> Option<Ref<Module>> {
    let data = value.get::<Foreign>()?.data.borrow();
    match data.downcast_ref::<Behind>()? {
        Behind::Module(module) => Some(module.clone()),
        Behind::Environment => None,
    }
}

pub static METHODS: &[Native] = &[
    Native {
        name: "__getitem__",
        params: "self, key, /",
        run: get_item,
        doc: "The value of a key; KeyError if there is none.",
    },
    Native {
        name: "__setitem__",
        params: "self, key, value, /",
        run: set_item,
        doc: "Sets the value of a key.",
    },
    Native {
        name: "__delitem__",
        params: "self, key, /",
        run: delete_item,
        doc: "Takes a key out; KeyError if there is none.",
    },
    Native { name: "__contains__", params: "self, key, /", run: contains, doc: "Whether the key is there." },
    Native { name: "__iter__", params: "self, /", run: iter, doc: "An iterator over the keys." },
    Native { name: "__len__", params: "self, /", run: len, doc: "How many keys there are." },
    Native { name: "__repr__", params: "self, /", run: repr, doc: "Shown as a dict." },
    Native { name: "__or__", params: "self, other, /", run: or, doc: "A new dict with the pairs of both." },
    Native {
        name: "get",
        params: "self, key, default=None, /",
        run: get,
        doc: "The value of a key, or `default`.",
    },
    Native {
        name: "setdefault",
        params: "self, key, default=None, /",
        run: set_default,
        doc: "The value of a key, set to `default` first if it is missing.",
    },
    Native {
        name: "pop",
        params: "self, key, default=None, /",
        run: pop,
        doc: "Takes a key out and gives its value, or `default`; KeyError without one.",
    },
    Native { name: "keys", params: "self, /", run: keys, doc: "The keys." },
    Native { name: "values", params: "self, /", run: values, doc: "The values." },
    Native { name: "items", params: "self, /", run: items, doc: "The pairs." },
    Native { name: "copy", params: "self, /", run: copy, doc: "A new dict with the same pairs." },
    Native {
        name: "update",
        params: "self, other=(), /, **more",
        run: update,
        doc: "Sets the pairs of a mapping or of an iterable of pairs, and keyword arguments.",
    },
    Native { name: "clear", params: "self, /", run: clear, doc: "Takes all keys out." },
];

/// The module, or `None` for the environment.
fn behind(call: &Call) -> Option<Ref<Module>> {
    module_of(call.arg(0))
}

fn snapshot(call: &mut Call) -> Ref<Dict> {
    let dict = Dict::new(Default::default());
    match behind(call) {
        Some(module) => {
            // What a native module has not been asked for yet is there too.
            for name in call.vm.native_module_names(&module) {
                if let Ok(Some(value)) = variable(call.vm, &module, &name) {
                    dict.set_text(&name, value);
                }
            }
            module.pairs().into_iter().for_each(|(name, value)| dict.set_str(&name, value));
        }
        None => {
            for (name, value) in std::env::vars_os() {
                dict.set_text(&text_of(name.as_bytes()), Value::str(text_of(value.as_bytes())));
            }
        }
    }
    dict
}

fn variable(vm: &mut Vm, module: &Module, name: &str) -> Res<Option<Value>> {
    match module.get_text(name) {
        Some(value) => Ok(Some(value)),
        None => vm.native_module_item(module, name),
    }
}

/// Outside text as a string: odd bytes become surrogates.
pub fn text_of(bytes: &[u8]) -> String {
    crate::text::surrogate::decode_utf8_surrogateescape(bytes)
}

fn find(call: &mut Call, key: &Value) -> Res<Option<Value>> {
    match (behind(call), Vm::unwrap_native(key).as_str()) {
        (Some(module), Some(name)) => variable(call.vm, &module, name),
        (Some(_), None) => Ok(None),
        (None, _) => environment_value(call.vm, key),
    }
}

/// The value of an environment variable.
///
/// # Errors
/// `TypeError` for a name that is no string.
pub fn environment_value(vm: &mut Vm, name: &Value) -> Res<Option<Value>> {
    let name = outside_text(vm, name)?;
    let is_possible = !name.is_empty() && !name.as_bytes().contains(&0) && !name.as_bytes().contains(&b'=');
    let value = if is_possible { std::env::var_os(name) } else { None };
    Ok(value.map(|value| Value::str(text_of(value.as_bytes()))))
}

/// A name or value for the environment.
fn outside_text(vm: &mut Vm, value: &Value) -> Res<OsString> {
    match Vm::unwrap_native(value).as_str() {
        Some(text) => {
            let text = text.to_string();
            Ok(OsString::from_vec(vm.encode_escaped(&text)?))
        }
        None => {
            let got = vm.type_name(value);
            Err(vm.type_error(format!("str expected, not {got}")))
        }
    }
}

/// Sets an environment variable, for children too.
///
/// # Errors
/// `TypeError` for anything but strings, `ValueError` for texts an environment cannot hold.
pub fn set_environment(vm: &mut Vm, name: &Value, value: &Value) -> Res<()> {
    let (name, value) = (outside_text(vm, name)?, outside_text(vm, value)?);
    check_environment(vm, &name, &value)?;
    // SAFETY: an interpreter process has one thread.
    unsafe { std::env::set_var(name, value) };
    Ok(())
}

fn check_environment(vm: &mut Vm, name: &OsString, value: &OsString) -> Res<()> {
    if name.as_bytes().contains(&0) || value.as_bytes().contains(&0) {
        return Err(vm.value_error("embedded null byte"));
    }
    if name.is_empty() || name.as_bytes().contains(&b'=') {
        let error = std::io::Error::from_raw_os_error(libc::EINVAL);
        if name.is_empty() {
            return Err(vm.os_error(&error, None));
        }
        return Err(vm.value_error("illegal environment variable name"));
    }
    Ok(())
}

/// Takes an environment variable out; whether it was there.
pub fn unset_environment(vm: &mut Vm, name: &Value) -> Res<bool> {
    let name = outside_text(vm, name)?;
    if name.as_bytes().contains(&b'=') {
        return Err(vm.os_error(&std::io::Error::from_raw_os_error(libc::EINVAL), None));
    }
    check_environment(vm, &name, &OsString::new())?;
    let was_there = std::env::var_os(&name).is_some();
    // SAFETY: an interpreter process has one thread.
    unsafe { std::env::remove_var(name) };
    Ok(was_there)
}

fn store(call: &mut Call, key: &Value, value: Value) -> Res<()> {
    match behind(call) {
        Some(module) => {
            let Some(name) = Vm::unwrap_native(key).as_str() else {
                return Err(call.vm.type_error("names of variables must be strings"));
            };
            let name = call.vm.intern(name);
            module.set(&name, value);
            Ok(())
        }
        None => set_environment(call.vm, key, &value),
    }
}

fn remove(call: &mut Call, key: &Value) -> Res<Option<Value>> {
    let found = find(call, key)?;
    if found.is_some() {
        match (behind(call), key.get_ref()) {
            (Some(module), Some(name)) => {
                module.remove(&name);
            }
            _ => {
                unset_environment(call.vm, key)?;
            }
        }
    }
    Ok(found)
}

fn missing(call: &mut Call) -> Raised {
    call.vm.key_error(call.arg(1).clone())
}

fn get_item(call: &mut Call) -> Res {
    find(call, call.arg(1))?.ok_or_else(|| missing(call))
}

fn set_item(call: &mut Call) -> Res {
    store(call, call.arg(1), call.arg(2).clone())?;
    Ok(Value::NONE)
}

fn delete_item(call: &mut Call) -> Res {
    match remove(call, call.arg(1))? {
        Some(_) => Ok(Value::NONE),
        None => Err(missing(call)),
    }
}

fn contains(call: &mut Call) -> Res {
    Ok(Value::bool(find(call, call.arg(1))?.is_some()))
}

fn iter(call: &mut Call) -> Res {
    let names = Value::list(snapshot(call).keys());
    call.vm.iter(&names)
}

fn len(call: &mut Call) -> Res {
    Ok(Value::size(snapshot(call).len()))
}

fn repr(call: &mut Call) -> Res {
    let is_environment = behind(call).is_none();
    let dict: Value = snapshot(call).into();
    let shown = call.vm.repr_of(&dict)?;
    Ok(Value::str(if is_environment { format!("environ({shown})") } else { shown }))
}

fn or(call: &mut Call) -> Res {
    let dict = snapshot(call);
    call.vm.dict_update(&dict, call.arg(1))?;
    Ok(dict.into())
}

fn get(call: &mut Call) -> Res {
    Ok(find(call, call.arg(1))?.unwrap_or_else(|| Value::opt(call.opt(2).cloned())))
}

fn set_default(call: &mut Call) -> Res {
    if let Some(found) = find(call, call.arg(1))? {
        return Ok(found);
    }
    let value = Value::opt(call.opt(2).cloned());
    store(call, call.arg(1), value.clone())?;
    Ok(value)
}

fn pop(call: &mut Call) -> Res {
    match (remove(call, call.arg(1))?, call.opt(2)) {
        (Some(found), _) => Ok(found),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(missing(call)),
    }
}

fn keys(call: &mut Call) -> Res {
    view(call, "keys")
}

fn values(call: &mut Call) -> Res {
    view(call, "values")
}

fn items(call: &mut Call) -> Res {
    view(call, "items")
}

fn view(call: &mut Call, kind: &str) -> Res {
    let dict: Value = snapshot(call).into();
    call.vm.call_method(&dict, kind, &[])
}

fn copy(call: &mut Call) -> Res {
    Ok(snapshot(call).into())
}

fn update(call: &mut Call) -> Res {
    let merged = Dict::new(Default::default());
    if let Some(other) = call.opt(1) {
        call.vm.dict_update(&merged, other)?;
    }
    let more = call.keywords().map(|more| more.pairs()).unwrap_or_default();
    for (key, value) in merged.pairs().into_iter().chain(more) {
        store(call, &key, value)?;
    }
    Ok(Value::NONE)
}

fn clear(call: &mut Call) -> Res {
    for key in snapshot(call).keys() {
        remove(call, &key)?;
    }
    Ok(Value::NONE)
}
