//! How objects say what they are made of: `object.__reduce_ex__`, `__reduce__` and `__getstate__`.
//!
//! From protocol 2 on an object is made by its class's `__new__` and then gets its state, items and pairs; the
//! protocols before make it from the value of its built-in base. The functions that remake objects are those of the
//! module `copyreg`, so that what is written here can be read by Python. Built-in types that need more than this have
//! a `__reduce__` of their own.

use super::file::Newline;
use super::{Dict, File, Instance, Raised, Ref, Res, Str, Tag, Tuple, Type, Value, View};
use crate::call::{Call, Native};
use crate::eval::Vm;

/// `object.__reduce__`
pub fn reduce(call: &mut Call) -> Res {
    by_base(call.vm, call.arg(0))
}

/// `object.__reduce_ex__`
pub fn reduce_ex(call: &mut Call) -> Res {
    let protocol = call.c_int(1)?;
    let this = call.arg(0);
    let name = Str::new("__reduce__");
    let class = call.vm.type_of(this);
    let found = call.vm.lookup(&class, &name);
    let object = call.vm.types.object.clone();
    let plain = call.vm.lookup(&object, &name);
    let is_own = match (&found, &plain) {
        (Some(found), Some(plain)) => !found.same(plain),
        _ => false,
    };
    if is_own {
        return call.vm.call_method(this, "__reduce__", &[]);
    }
    reduced(call.vm, this, protocol)
}

/// What `object.__reduce_ex__` gives if the class has no `__reduce__` of its own.
fn reduced(vm: &mut Vm, object: &Value, protocol: i32) -> Res {
    if protocol >= 2 { by_new(vm, object) } else { by_base(vm, object) }
}

/// `object.__getstate__`
pub fn state(call: &mut Call) -> Res {
    default_state(call.vm, call.arg(0))
}

fn copyreg(vm: &mut Vm, name: &str) -> Res {
    let module = vm.import_module("copyreg")?;
    vm.get_attribute(&module, &Str::new(name))
}

/// Whether `__new__` and a state are all it takes to make such an object.
fn is_plain(value: &Value) -> bool {
    let inside = match value.get::<Instance>() {
        Some(instance) => match instance.native() {
            Some(native) => native,
            None => return true,
        },
        None => value,
    };
    matches!(
        inside.tag(),
        Tag::None
            | Tag::Bool
            | Tag::Int
            | Tag::BigInt
            | Tag::Float
            | Tag::Complex
            | Tag::Str
            | Tag::Bytes
            | Tag::Tuple
            | Tag::List
            | Tag::Dict
            | Tag::Ellipsis
            | Tag::NotImplemented
    )
}

/// An attribute, if the object has it.
fn attribute(vm: &mut Vm, object: &Value, name: &str) -> Res<Option<Value>> {
    let result = vm.get_attribute(object, &Str::new(name));
    vm.catch(result, crate::eval::Exc::AttributeError)
}

/// By `copyreg.__newobj__` or `__newobj_ex__`.
fn by_new(vm: &mut Vm, object: &Value) -> Res {
    let class = vm.type_of(object);
    let arguments = new_arguments(vm, object)?;
    if arguments.is_none() && !is_plain(object) {
        return Err(cannot(vm, &class));
    }
    let (args, keywords) = arguments.unwrap_or_default();
    let (function, args) = match keywords {
        Some(keywords) => {
            let function = copyreg(vm, "__newobj_ex__")?;
            (function, vec![class.into(), Value::tuple(args), keywords])
        }
        None => {
            let mut all: Vec<Value> = vec![class.into()];
            all.extend(args);
            (copyreg(vm, "__newobj__")?, all)
        }
    };
    let state = state_of(vm, object)?;
    let items = match Vm::unwrap_native(object).tag() {
        Tag::List => vm.iter(object)?,
        _ => Value::NONE,
    };
    let pairs = match Vm::unwrap_native(object).tag() {
        Tag::Dict => {
            let pairs = vm.call_method(object, "items", &[])?;
            vm.iter(&pairs)?
        }
        _ => Value::NONE,
    };
    Ok(Value::tuple(vec![function, Value::tuple(args), state, items, pairs]))
}

fn cannot(vm: &mut Vm, class: &Type) -> Raised {
    let name = class.name();
    let module = if class.flags.is_user { "builtins" } else { super::type_methods::native_module_of(class) };
    let module = if module == "builtins" { String::new() } else { format!("{module}.") };
    vm.type_error(format!("cannot pickle '{module}{}' object", name.as_str()))
}

/// Positional arguments, and keyword arguments if there are any.
type Arguments = (Vec<Value>, Option<Value>);

/// What `__getnewargs_ex__` or `__getnewargs__` says, if the object has one of them.
fn new_arguments(vm: &mut Vm, object: &Value) -> Res<Option<Arguments>> {
    if let Some(method) = vm.special_method(object, "__getnewargs_ex__")? {
        let both = vm.call(&method, &[])?;
        return new_arguments_ex(vm, &both).map(Some);
    }
    let Some(method) = vm.special_method(object, "__getnewargs__")? else { return Ok(None) };
    let args = vm.call(&method, &[])?;
    match Vm::unwrap_native(&args).get::<Tuple>() {
        Some(args) => Ok(Some((args.items().to_vec(), None))),
        None => {
            let got = vm.type_name(&args);
            Err(vm.type_error(format!("__getnewargs__ should return a tuple, not '{got}'")))
        }
    }
}

fn new_arguments_ex(vm: &mut Vm, both: &Value) -> Res<Arguments> {
    let Some(pair) = Vm::unwrap_native(both).get::<Tuple>() else {
        let got = vm.type_name(both);
        return Err(vm.type_error(format!("__getnewargs_ex__ should return a tuple, not '{got}'")));
    };
    let [args, keywords] = pair.items() else {
        let count = pair.len();
        let message = format!("__getnewargs_ex__ should return a tuple of length 2, not {count}");
        return Err(vm.value_error(message));
    };
    let Some(args) = Vm::unwrap_native(args).get::<Tuple>() else {
        let got = vm.type_name(args);
        return Err(vm.type_error(format!(
            "first item of the tuple returned by __getnewargs_ex__ must be a tuple, not '{got}'"
        )));
    };
    let Some(named) = Vm::unwrap_native(keywords).get::<Dict>() else {
        let got = vm.type_name(keywords);
        return Err(vm.type_error(format!(
            "second item of the tuple returned by __getnewargs_ex__ must be a dict, not '{got}'"
        )));
    };
    Ok((args.items().to_vec(), (!named.is_empty()).then(|| keywords.clone())))
}

/// By `copyreg._reconstructor`, as protocols 0 and 1 do.
fn by_base(vm: &mut Vm, object: &Value) -> Res {
    let class = vm.type_of(object);
    let base = class.mro.borrow().iter().find(|base| !base.flags.is_user).cloned();
    let base = base.unwrap_or_else(|| vm.types.object.clone());
    let is_object = Ref::ptr_eq(&base, &vm.types.object);
    if Ref::ptr_eq(&base, &class) && !is_object || !is_plain(object) {
        return Err(cannot(vm, &class));
    }
    let contents =
        if is_object { Value::NONE } else { vm.call(&base.clone().into(), std::slice::from_ref(object))? };
    let has_slots = attribute(vm, object, "__slots__")?;
    let has_slots = match has_slots {
        Some(slots) => vm.truth(&slots)?,
        None => false,
    };
    if has_slots && is_default_state(vm, &class) {
        let message = "a class that defines __slots__ without defining __getstate__ cannot be pickled";
        return Err(vm.type_error(message));
    }
    let state = state_of(vm, object)?;
    let function = copyreg(vm, "_reconstructor")?;
    let mut parts = vec![function, Value::tuple(vec![class.into(), base.into(), contents])];
    if vm.truth(&state)? {
        parts.push(state);
    }
    Ok(Value::tuple(parts))
}

fn is_default_state(vm: &mut Vm, class: &Ref<Type>) -> bool {
    let name = Str::new("__getstate__");
    let object = vm.types.object.clone();
    let (own, plain) = (vm.lookup(class, &name), vm.lookup(&object, &name));
    matches!((own, plain), (Some(own), Some(plain)) if own.same(&plain))
}

/// `object.__getstate__()`, whoever defines it.
fn state_of(vm: &mut Vm, object: &Value) -> Res {
    let class = vm.type_of(object);
    let is_overridden = object.get::<Instance>().is_some_and(|instance| {
        instance.attributes.get().is_some_and(|own| own.get_text("__getstate__").is_some())
    });
    if is_default_state(vm, &class) && !is_overridden {
        return default_state(vm, object);
    }
    vm.call_method(object, "__getstate__", &[])
}

/// The attribute table and the slots of an object; none if there is nothing to tell.
fn default_state(vm: &mut Vm, object: &Value) -> Res {
    let attributes = match object.view() {
        View::Instance(instance)
            if !instance.class().flags.is_slotted || instance.attributes.get().is_some() =>
        {
            attribute(vm, object, "__dict__")?
        }
        View::Exception(_) | View::Function(_) | View::Module(_) => attribute(vm, object, "__dict__")?,
        _ => None,
    };
    let attributes = match attributes {
        Some(dict) if dict.get::<Dict>().is_some_and(Dict::is_empty) => Value::NONE,
        Some(dict) => dict,
        None => Value::NONE,
    };
    let slots = slot_values(vm, object)?;
    Ok(match slots {
        Some(slots) => Value::tuple(vec![attributes, slots.into()]),
        None => attributes,
    })
}

/// The slots of an object that have values.
fn slot_values(vm: &mut Vm, object: &Value) -> Res<Option<Ref<Dict>>> {
    let class = vm.type_of(object);
    let Some(names) = slot_names(vm, &class)? else { return Ok(None) };
    let values = Dict::new(Default::default());
    for name in names {
        let Some(name) = Vm::unwrap_native(&name).get_ref::<Str>() else { continue };
        let result = vm.get_attribute(object, &name);
        if let Some(value) = vm.catch(result, crate::eval::Exc::AttributeError)? {
            values.set_str(&name, value);
        }
    }
    Ok((!values.is_empty()).then_some(values))
}

/// The names of all slots of a class; nothing for a class without.
fn slot_names(vm: &mut Vm, class: &Ref<Type>) -> Res<Option<Vec<Value>>> {
    let known = class.attributes.get_text("__slotnames__");
    let names = match known {
        Some(known) => known,
        None => {
            let has_slots = class.mro.borrow().iter().any(|base| !base.slots.borrow().is_empty());
            if !has_slots {
                return Ok(None);
            }
            let function = copyreg(vm, "_slotnames")?;
            let names = vm.call(&function, &[class.clone().into()])?;
            if !names.is_none() && !names.is::<super::List>() {
                return Err(vm.type_error("copyreg._slotnames didn't return a list or None"));
            }
            names
        }
    };
    if names.is_none() {
        return Ok(None);
    }
    match names.get::<super::List>() {
        Some(names) => Ok(Some(names.to_vec())),
        None => {
            let (shown, got) = (class.name(), vm.type_name(&names));
            let shown = shown.as_str();
            Err(vm.type_error(format!("{shown}.__slotnames__ should be a list or None, not {got}")))
        }
    }
}

// ---- rows of built-in types ----

const fn row(run: crate::call::NativeFn) -> Native {
    Native { name: "__reduce__", params: "self, /", run, doc: "How to make an equal object." }
}

pub const SET: &[Native] = &[row(set)];
pub const RANGE: &[Native] = &[row(range)];
pub const SLICE: &[Native] = &[row(slice)];
pub const ELLIPSIS: Native = row(|_| Ok(Value::str("Ellipsis")));
pub const NOT_IMPLEMENTED: Native = row(|_| Ok(Value::str("NotImplemented")));
pub const BYTEARRAY: &[Native] = &[
    row(|call| byte_array(call, 0)),
    Native {
        name: "__reduce_ex__",
        params: "self, protocol=0, /",
        run: |call| {
            let protocol = call.int_or(1, 0)?;
            byte_array(call, protocol)
        },
        doc: "As `__reduce__`, by a protocol.",
    },
];
/// Native functions and methods by their name or by `getattr`.
pub const NATIVE_FUNCTION: Native = row(native_function);
/// Methods bound to an object, by `getattr`.
pub const METHOD: Native = row(method);
pub const GENERIC_ALIAS: Native = row(generic_alias);
/// Computed attributes, by `getattr`.
pub const MEMBER: Native = row(member);

/// A builtin by its name.
pub fn builtin(vm: &mut Vm, name: &str) -> Value {
    vm.ensure_builtin(name);
    vm.builtins.get_text(name).unwrap_or(Value::NONE)
}

fn set(call: &mut Call) -> Res {
    let items = call.inner()?;
    let items = Value::list(call.vm.collect(items)?);
    let state = state_of(call.vm, call.arg(0))?;
    let class = call.vm.type_of(call.arg(0)).into();
    Ok(Value::tuple(vec![class, Value::tuple(vec![items]), state]))
}

fn byte_array(call: &mut Call, protocol: i64) -> Res {
    let data = crate::value::bytes::methods::receiver(call)?.into_owned();
    let state = state_of(call.vm, call.arg(0))?;
    let class = call.vm.type_of(call.arg(0)).into();
    let args = match (protocol, data.is_empty()) {
        (..=2, true) => vec![],
        (..=2, false) => {
            let text: String = data.iter().map(|&byte| byte as char).collect();
            vec![Value::str(text), Value::str("latin-1")]
        }
        _ => vec![Value::bytes(data)],
    };
    Ok(Value::tuple(vec![class, Value::tuple(args), state]))
}

fn range(call: &mut Call) -> Res {
    let range = call.this::<super::Range>()?;
    let args = vec![range.start_value(), range.stop_value(), range.step_value()];
    Ok(Value::tuple(vec![call.vm.type_of(call.arg(0)).into(), Value::tuple(args)]))
}

fn slice(call: &mut Call) -> Res {
    let slice = call.this::<super::Slice>()?;
    let args = vec![slice.start.clone(), slice.stop.clone(), slice.step.clone()];
    Ok(Value::tuple(vec![call.vm.type_of(call.arg(0)).into(), Value::tuple(args)]))
}

/// `getattr(object, name)`
fn by_attribute(vm: &mut Vm, object: Value, name: &str) -> Value {
    Value::tuple(vec![builtin(vm, "getattr"), Value::tuple(vec![object, Value::str(name)])])
}

fn native_function(call: &mut Call) -> Res {
    let (function, receiver) = match call.arg(0).view() {
        View::BoundMethod(method) => (method.function.clone(), Some(method.receiver.clone())),
        _ => (call.arg(0).clone(), None),
    };
    let Some(native) = function.get::<super::NativeFunction>() else {
        return Err(call.wrong_receiver(Tag::NativeFunction));
    };
    let holder = receiver.or_else(|| native.owner.clone().map(Value::from));
    let holder = match holder {
        Some(holder) => Some(holder),
        None => type_with_static(call.vm, native),
    };
    Ok(match holder {
        Some(holder) if !holder.is::<super::Module>() => by_attribute(call.vm, holder, native.native.name),
        _ => Value::str(native.native.name),
    })
}

/// The built-in type that holds a static method, such as `str.maketrans`.
fn type_with_static(vm: &mut Vm, wanted: &super::NativeFunction) -> Option<Value> {
    let name = Str::new(wanted.native.name);
    for tag in [Tag::Str, Tag::Bytes, Tag::ByteArray, Tag::Dict, Tag::Int, Tag::Float] {
        let class = vm.types.of_tag(tag).clone();
        let Some(found) = vm.lookup(&class, &name) else { continue };
        let View::StaticMethod(method) = found.view() else { continue };
        let function = method.function();
        if function.get::<super::NativeFunction>().is_some_and(|own| std::ptr::eq(own.native, wanted.native))
        {
            return Some(class.into());
        }
    }
    None
}

fn method(call: &mut Call) -> Res {
    let method = call.this::<super::BoundMethod>()?;
    let name = call.vm.get_attribute(&method.function, &Str::new("__name__"))?;
    let name = call.vm.text_of(&name, "__name__")?;
    Ok(by_attribute(call.vm, method.receiver.clone(), &name))
}

fn generic_alias(call: &mut Call) -> Res {
    let Some((origin, args)) = super::generic_alias::parts(call.arg(0)) else {
        return Err(call.wrong_type(0, super::generic_alias::TYPE_NAME));
    };
    let class = call.vm.type_of(call.arg(0)).into();
    Ok(Value::tuple(vec![class, Value::tuple(vec![origin, Value::tuple(args)])]))
}

fn member(call: &mut Call) -> Res {
    let class = call.vm.get_attribute(call.arg(0), &Str::new("__objclass__"))?;
    let name = call.vm.get_attribute(call.arg(0), &Str::new("__name__"))?;
    let name = call.vm.text_of(&name, "__name__")?;
    Ok(by_attribute(call.vm, class, &name))
}

// ---- files in memory ----

/// Files in memory by their contents and place, from protocol 2 on.
pub const MEMORY_FILE: &[Native] = &[
    Native {
        name: "__reduce_ex__",
        params: "self, protocol, /",
        run: memory_file,
        doc: "How to make an equal file, by a protocol.",
    },
    Native {
        name: "__getstate__",
        params: "self, /",
        run: |call| memory_file_state(call.vm, call.arg(0)),
        doc: "The contents, the place and the attributes.",
    },
    Native {
        name: "__setstate__",
        params: "self, state, /",
        run: set_memory_file_state,
        doc: "Takes over contents, place and attributes.",
    },
];

fn is_text_file(vm: &mut Vm, file: &Value) -> bool {
    let class = vm.type_of(file);
    let order = class.mro.borrow();
    order.iter().any(|base| base.kind == Tag::File && base.name.borrow().as_str() == "StringIO")
}

fn memory_file(call: &mut Call) -> Res {
    let class = call.vm.type_of(call.arg(0));
    if call.int(1)? < 2 {
        let name = class.name();
        return Err(call.vm.type_error(format!("cannot pickle '{}' object", name.as_str())));
    }
    let function = copyreg(call.vm, "__newobj__")?;
    let state = state_of(call.vm, call.arg(0))?;
    Ok(Value::tuple(vec![function, Value::tuple(vec![class.into()]), state]))
}

fn memory_file_state(vm: &mut Vm, file: &Value) -> Res {
    let contents = vm.call_method(file, "getvalue", &[])?;
    let place = vm.call_method(file, "tell", &[])?;
    let own = match file.view() {
        View::Instance(instance) => instance.attributes.get(),
        View::File(file) => file.attributes.get(),
        _ => None,
    };
    let own = own.map_or(Value::NONE, Value::from);
    let mut parts = vec![contents, place, own];
    if is_text_file(vm, file) {
        let newline = Vm::unwrap_native(file).get::<File>().map(|file| file.settings.newline.get());
        parts.insert(1, newline.unwrap_or(Newline::Universal).argument());
    }
    Ok(Value::tuple(parts))
}

fn set_memory_file_state(call: &mut Call) -> Res {
    let (file, state) = (call.arg(0), call.arg(1));
    let count = if is_text_file(call.vm, file) { 4 } else { 3 };
    let parts = state.get::<Tuple>().map(|parts| parts.items().to_vec()).unwrap_or_default();
    if parts.len() != count {
        let (class, got) = (call.vm.type_name(file), call.vm.type_name(state));
        let message = format!("{class}.__setstate__ argument should be {count}-tuple, got {got}");
        return Err(call.vm.type_error(message));
    }
    let inner = Vm::unwrap_native(file).get_ref::<File>();
    if let Some(inner) = &inner {
        // The contents have their ends of lines already.
        inner.settings.newline.set(Newline::Exactly("\n"));
    }
    call.vm.call_method(file, "seek", &[Value::int(0)])?;
    call.vm.call_method(file, "truncate", &[])?;
    call.vm.call_method(file, "write", &[parts[0].clone()])?;
    if let Some(inner) = &inner
        && count == 4
    {
        inner.settings.newline.set(Newline::of_argument(&parts[1]).unwrap_or(Newline::Universal));
    }
    call.vm.call_method(file, "seek", &[parts[count - 2].clone()])?;
    let own = match file.view() {
        View::Instance(instance) => Some(instance.attributes()),
        View::File(file) => Some(file.attributes.get_or_make()),
        _ => None,
    };
    if let (Some(attributes), Some(own)) = (parts[count - 1].get::<Dict>(), own) {
        for (name, value) in attributes.pairs() {
            call.vm.dict_set(&own, name, value)?;
        }
    }
    Ok(Value::NONE)
}
