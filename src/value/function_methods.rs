//! Methods and attributes of functions, of bound methods, of native functions and of cells.

use super::object_methods::bound;
use super::{Cell, Dict, Function, NativeFunction, NativeKind, Raised, Ref, Res, Str, Value, View};
use crate::call::{Call, Native};
use crate::eval::{Exc, Vm};
use std::cell::{OnceCell, RefCell};

const CALL: Native = Native {
    name: "__call__",
    params: "self, /, *args, **keywords",
    run: call_itself,
    doc: "Calls the function.",
};

pub const FUNCTION: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, code, globals, name=None, argdefs=None, closure=None",
        run: new_function,
        doc: "A function from a code object; its variables are those of the module the code was written for.",
    },
    CALL,
    Native {
        name: "__get__",
        params: "self, instance, owner=None, /",
        run: get_function,
        doc: "The function bound to an object.",
    },
    Native { name: ".__name__", params: "self", run: name, doc: "What the function was defined as." },
    Native { name: ".__name__=", params: "self, value=<absent>, /", run: set_name, doc: "Sets the name." },
    Native {
        name: ".__qualname__",
        params: "self",
        run: qualname,
        doc: "The name with those of what is around it.",
    },
    Native {
        name: ".__qualname__=",
        params: "self, value=<absent>, /",
        run: set_qualname,
        doc: "Sets the qualified name.",
    },
    Native { name: ".__module__", params: "self", run: module, doc: "Name of the module it was defined in." },
    Native {
        name: ".__module__=",
        params: "self, value=<absent>, /",
        run: |call| set_field(call, "__module__"),
        doc: "Sets the name of the module.",
    },
    Native { name: ".__doc__", params: "self", run: doc, doc: "The description." },
    Native {
        name: ".__doc__=",
        params: "self, value=<absent>, /",
        run: |call| set_field(call, "__doc__"),
        doc: "Sets the description.",
    },
    Native { name: ".__dict__", params: "self", run: dict, doc: "The attributes that scripts gave it." },
    Native {
        name: ".__dict__=",
        params: "self, value=<absent>, /",
        run: set_dict,
        doc: "Replaces the attributes.",
    },
    Native { name: ".__code__", params: "self", run: code, doc: "The code object." },
    Native {
        name: ".__defaults__",
        params: "self",
        run: defaults,
        doc: "Defaults of positional parameters.",
    },
    Native {
        name: ".__defaults__=",
        params: "self, value=<absent>, /",
        run: set_defaults,
        doc: "Sets the defaults of the last positional parameters.",
    },
    Native {
        name: ".__kwdefaults__",
        params: "self",
        run: kwdefaults,
        doc: "Defaults of keyword-only parameters.",
    },
    Native {
        name: ".__kwdefaults__=",
        params: "self, value=<absent>, /",
        run: set_kwdefaults,
        doc: "Sets the defaults of keyword-only parameters.",
    },
    Native { name: ".__annotations__", params: "self", run: annotations, doc: "Annotations by parameter." },
    Native {
        name: ".__annotations__=",
        params: "self, value=<absent>, /",
        run: set_annotations,
        doc: "Sets the annotations.",
    },
    Native {
        name: ".__type_params__",
        params: "self",
        run: type_params,
        doc: "Type parameters, as in `def f[T]`.",
    },
    Native {
        name: ".__type_params__=",
        params: "self, value=<absent>, /",
        run: set_type_params,
        doc: "Sets the type parameters.",
    },
    Native {
        name: ".__closure__",
        params: "self",
        run: closure,
        doc: "Cells of variables of functions around it.",
    },
    Native { name: ".__closure__=", params: "self, value=<absent>, /", run: read_only, doc: "Refused." },
    Native { name: ".__globals__", params: "self", run: globals, doc: "The variables of its module." },
    Native { name: ".__globals__=", params: "self, value=<absent>, /", run: read_only, doc: "Refused." },
    Native { name: ".__builtins__", params: "self", run: builtins, doc: "The names every module knows." },
    Native { name: ".__builtins__=", params: "self, value=<absent>, /", run: read_only, doc: "Refused." },
];

pub const METHOD: &[Native] = &[
    super::reduce::METHOD,
    Native {
        name: "__new__",
        params: "cls, function, instance, /",
        run: new_method,
        doc: "A function with its first argument.",
    },
    CALL,
    Native {
        name: "__get__",
        params: "self, instance, owner=None, /",
        run: |call| Ok(call.arg(0).clone()),
        doc: "The method itself: it is bound already.",
    },
    Native { name: ".__self__", params: "self", run: receiver, doc: "The object the method is bound to." },
    Native {
        name: ".__func__",
        params: "self",
        run: method_function,
        doc: "The function behind the method.",
    },
    Native {
        name: ".__doc__",
        params: "self",
        run: |call| of_function(call, "__doc__"),
        doc: "The function's description.",
    },
];

/// Attributes that all native functions have.
macro_rules! native_rows {
    ($($more:expr,)*) => {
        &[
            CALL,
            super::reduce::NATIVE_FUNCTION,
            Native { name: ".__name__", params: "self", run: native_name, doc: "The name." },
            Native { name: ".__qualname__", params: "self", run: native_qualname, doc: "The name with its type's." },
            Native { name: ".__doc__", params: "self", run: native_doc, doc: "The description." },
            Native {
                name: ".__text_signature__",
                params: "self",
                run: native_signature,
                doc: "The parameters as text.",
            },
            $($more,)*
        ]
    };
}

/// Functions of modules and methods bound to a built-in value.
pub const BUILTIN: &[Native] = native_rows! {
    Native { name: ".__module__", params: "self", run: native_module, doc: "Name of the module it belongs to." },
    Native { name: ".__self__", params: "self", run: native_receiver, doc: "The object it is bound to." },
};

/// Methods of built-in types as the type holds them, and special methods bound to a value.
pub const DESCRIPTOR: &[Native] = native_rows! {
    Native {
        name: "__get__",
        params: "self, instance, owner=None, /",
        run: get_function,
        doc: "The method bound to an object.",
    },
    Native { name: ".__objclass__", params: "self", run: owner, doc: "The type it is a method of." },
    Native { name: ".__self__", params: "self", run: native_receiver, doc: "The object it is bound to." },
};

pub const CELL: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, contents=<absent>, /",
        run: |call| Ok(Cell::new(call.opt(1).cloned().unwrap_or(Value::UNBOUND)).into()),
        doc: "A variable that functions can share.",
    },
    Native {
        name: ".cell_contents",
        params: "self",
        run: cell_contents,
        doc: "The value; ValueError if empty.",
    },
    Native {
        name: ".cell_contents=",
        params: "self, value=<absent>, /",
        run: set_cell_contents,
        doc: "Sets or empties the cell.",
    },
];

fn call_itself(call: &mut Call) -> Res {
    let named = call.keyword_pairs();
    call.vm.call_with_keywords(call.arg(0), call.rest(), &named)
}

fn get_function(call: &mut Call) -> Res {
    if call.arg(1).is_none() && call.opt_not_none(2).is_some() {
        return Ok(call.arg(0).clone());
    }
    Ok(bound(call.arg(0).clone(), call.arg(1).clone()))
}

fn must_be(call: &mut Call, what: &str, kind: &str) -> Raised {
    call.vm.type_error(format!("{what} must be set to a {kind} object"))
}

fn read_only(call: &mut Call) -> Res {
    Err(call.vm.error(Exc::AttributeError, "readonly attribute"))
}

// ---- functions of scripts ----

fn new_function(call: &mut Call) -> Res {
    let Some(code) = crate::builtins::code::part(call.arg(1)) else {
        return Err(call.wrong_type(1, "code"));
    };
    let globals = call.arg(2);
    let module = match (crate::builtins::mapping::module_of(globals), globals.get_ref::<Dict>()) {
        (Some(module), _) => module,
        (None, Some(dict)) => super::Module::of_dict(dict, call.vm.builtins.clone()),
        _ => return Err(call.wrong_type(2, "dict")),
    };
    let name = match call.opt_not_none(3) {
        None => code.name.clone(),
        Some(name) => match name.get_ref::<Str>() {
            Some(name) => name,
            None => return Err(call.vm.type_error("arg 3 (name) must be None or string")),
        },
    };
    let defaults = match call.opt_not_none(4) {
        None => Vec::new(),
        Some(defaults) => match defaults.get::<super::Tuple>() {
            Some(defaults) => defaults.items().to_vec(),
            None => return Err(call.vm.type_error("arg 4 (defaults) must be None or tuple")),
        },
    };
    let captured = closure_cells(call, code.captured_slots.len(), code.name.as_str())?;
    let missing = vec![Value::UNBOUND; code.params.keyword_only];
    Ok(Ref::new(Function {
        qualname: RefCell::new(if call.opt_not_none(3).is_some() {
            name.clone()
        } else {
            code.qualname.clone()
        }),
        name: RefCell::new(name),
        code,
        captured,
        defaults: RefCell::new(defaults.into()),
        keyword_defaults: RefCell::new(missing.into()),
        module,
        attributes: super::table::Table::default(),
        fields: OnceCell::new(),
    })
    .into())
}

/// The cells in argument 5, as many as the code names.
fn closure_cells(call: &mut Call, wanted: usize, name: &str) -> Res<Box<[Ref<Cell>]>> {
    let cells = match call.opt_not_none(5) {
        None if wanted > 0 => return Err(call.vm.type_error("arg 5 (closure) must be tuple")),
        None => Vec::new(),
        Some(cells) => match cells.get::<super::Tuple>() {
            Some(cells) => cells.items().to_vec(),
            None => return Err(call.vm.type_error("arg 5 (closure) must be None or tuple")),
        },
    };
    if cells.len() != wanted {
        let message = format!("{name} requires closure of length {wanted}, not {}", cells.len());
        return Err(call.vm.value_error(message));
    }
    let mut captured = Vec::with_capacity(wanted);
    for cell in &cells {
        let Some(cell) = cell.get_ref::<Cell>() else {
            let got = call.vm.type_name(cell);
            return Err(call.vm.type_error(format!("arg 5 (closure) expected cell, found {got}")));
        };
        captured.push(cell);
    }
    Ok(captured.into())
}

fn name(call: &mut Call) -> Res {
    Ok(call.this::<Function>()?.name.borrow().clone().into())
}

fn set_name(call: &mut Call) -> Res {
    let Some(text) = call.opt(1).and_then(|text| text.get_ref::<Str>()) else {
        return Err(must_be(call, "__name__", "string"));
    };
    *call.this::<Function>()?.name.borrow_mut() = text;
    Ok(Value::NONE)
}

fn qualname(call: &mut Call) -> Res {
    Ok(call.this::<Function>()?.qualname.borrow().clone().into())
}

fn set_qualname(call: &mut Call) -> Res {
    let Some(text) = call.opt(1).and_then(|text| text.get_ref::<Str>()) else {
        return Err(must_be(call, "__qualname__", "string"));
    };
    *call.this::<Function>()?.qualname.borrow_mut() = text;
    Ok(Value::NONE)
}

fn field(function: &Function, name: &str) -> Option<Value> {
    function.fields.get().and_then(|fields| fields.get_text(name))
}

/// Sets what Python keeps in a field of the function; deleted means none.
fn set_field(call: &mut Call, name: &str) -> Res {
    let value = call.opt(1).cloned().unwrap_or(Value::NONE);
    call.this::<Function>()?.fields().set_text(name, value);
    Ok(Value::NONE)
}

fn module(call: &mut Call) -> Res {
    let f = call.this::<Function>()?;
    if let Some(name) = field(f, "__module__") {
        return Ok(name);
    }
    Ok(f.module.get_text("__name__").unwrap_or(f.module.name.clone().into()))
}

fn doc(call: &mut Call) -> Res {
    let f = call.this::<Function>()?;
    let of_code = || f.code.doc.as_ref().map_or(Value::NONE, |doc| doc.clone().into());
    Ok(field(f, "__doc__").unwrap_or_else(of_code))
}

fn dict(call: &mut Call) -> Res {
    Ok(call.this::<Function>()?.attributes().into())
}

fn set_dict(call: &mut Call) -> Res {
    let f = call.this::<Function>()?;
    let Some(value) = call.opt(1) else { return Err(call.vm.type_error("cannot delete __dict__")) };
    call.vm.replace_attributes(&f.attributes, value)?;
    Ok(Value::NONE)
}

fn code(call: &mut Call) -> Res {
    Ok(crate::builtins::code::of(call.this::<Function>()?.code.clone()))
}

fn defaults(call: &mut Call) -> Res {
    let defaults = call.this::<Function>()?.defaults.borrow().clone();
    Ok(if defaults.is_empty() { Value::NONE } else { Value::tuple(defaults.to_vec()) })
}

fn set_defaults(call: &mut Call) -> Res {
    let f = call.this::<Function>()?;
    let defaults = match call.opt_not_none(1) {
        None => Vec::new(),
        Some(value) => match Vm::unwrap_native(value).get::<super::Tuple>() {
            Some(tuple) => tuple.items().to_vec(),
            None => return Err(must_be(call, "__defaults__", "tuple")),
        },
    };
    let old = f.defaults.replace(defaults.into());
    drop(old);
    Ok(Value::NONE)
}

/// Names of the keyword-only parameters.
fn keyword_names(f: &Function) -> &[Ref<Str>] {
    let params = &f.code.params;
    &f.code.slot_names[params.positional..params.positional + params.keyword_only]
}

fn kwdefaults(call: &mut Call) -> Res {
    let f = call.this::<Function>()?;
    let defaults = f.keyword_defaults.borrow().clone();
    let dict = Dict::new(Default::default());
    for (name, value) in keyword_names(f).iter().zip(defaults.iter()).filter(|(_, value)| !value.is_unbound())
    {
        dict.set_str(name, value.clone());
    }
    Ok(if dict.is_empty() { Value::NONE } else { dict.into() })
}

fn set_kwdefaults(call: &mut Call) -> Res {
    let f = call.this::<Function>()?;
    let given = match call.opt_not_none(1) {
        None => None,
        Some(value) => match Vm::unwrap_native(value).get_ref::<Dict>() {
            Some(dict) => Some(dict),
            None => return Err(must_be(call, "__kwdefaults__", "dict")),
        },
    };
    let of = |name: &Str| given.as_ref().and_then(|dict| dict.get_str(name)).unwrap_or(Value::UNBOUND);
    let defaults: Vec<Value> = keyword_names(f).iter().map(|name| of(name)).collect();
    let old = f.keyword_defaults.replace(defaults.into());
    drop(old);
    Ok(Value::NONE)
}

fn annotations(call: &mut Call) -> Res {
    let f = call.this::<Function>()?;
    if let Some(known) = field(f, "__annotations__") {
        return Ok(known);
    }
    let made: Value = Dict::new(Default::default()).into();
    f.fields().set_text("__annotations__", made.clone());
    Ok(made)
}

fn set_annotations(call: &mut Call) -> Res {
    let f = call.this::<Function>()?;
    let value = match call.opt_not_none(1) {
        None => Dict::new(Default::default()).into(),
        Some(value) if Vm::unwrap_native(value).is::<Dict>() => value.clone(),
        Some(_) => return Err(must_be(call, "__annotations__", "dict")),
    };
    f.fields().set_text("__annotations__", value);
    Ok(Value::NONE)
}

fn type_params(call: &mut Call) -> Res {
    let known = field(call.this::<Function>()?, "__type_params__");
    Ok(known.unwrap_or_else(|| Value::tuple(Vec::new())))
}

fn set_type_params(call: &mut Call) -> Res {
    match call.opt(1) {
        Some(value) if value.is::<super::Tuple>() => set_field(call, "__type_params__"),
        _ => Err(call.vm.type_error("__type_params__ must be set to a tuple")),
    }
}

fn closure(call: &mut Call) -> Res {
    let f = call.this::<Function>()?;
    let cells: Vec<Value> = f.captured.iter().map(|cell| cell.clone().into()).collect();
    Ok(if cells.is_empty() { Value::NONE } else { Value::tuple(cells) })
}

fn globals(call: &mut Call) -> Res {
    Ok(crate::builtins::mapping::of_module(call.this::<Function>()?.module.clone()))
}

fn builtins(call: &mut Call) -> Res {
    let own = call.this::<Function>()?.module.own_builtins();
    Ok(own.unwrap_or_else(|| crate::builtins::mapping::of_module(call.vm.builtins.clone())))
}

// ---- methods ----

fn new_method(call: &mut Call) -> Res {
    if !call.vm.is_callable(call.arg(1)) {
        return Err(call.vm.type_error("first argument must be callable"));
    }
    if call.arg(2).is_none() {
        return Err(call.vm.type_error("instance must not be None"));
    }
    Ok(bound(call.arg(1).clone(), call.arg(2).clone()))
}

fn receiver(call: &mut Call) -> Res {
    Ok(call.this::<super::BoundMethod>()?.receiver.clone())
}

fn method_function(call: &mut Call) -> Res {
    Ok(call.this::<super::BoundMethod>()?.function.clone())
}

fn of_function(call: &mut Call, name: &str) -> Res {
    let function = call.this::<super::BoundMethod>()?.function.clone();
    call.vm.get_attribute(&function, &Str::new(name))
}

// ---- native functions ----

/// The native function that the receiver is, or that it binds.
fn native<'a>(call: &mut Call<'a>) -> Res<&'a NativeFunction> {
    let found = match call.arg(0).view() {
        View::NativeFunction(f) => Some(f),
        View::BoundMethod(method) => method.function.get::<NativeFunction>(),
        _ => None,
    };
    found.ok_or_else(|| call.wrong_receiver(super::Tag::NativeFunction))
}

fn native_name(call: &mut Call) -> Res {
    Ok(Value::str(native(call)?.native.name))
}

fn native_qualname(call: &mut Call) -> Res {
    let f = native(call)?;
    Ok(Value::str(match &f.owner {
        Some(owner) => format!("{}.{}", owner.name().as_str(), f.native.name),
        None => f.native.name.to_string(),
    }))
}

fn native_doc(call: &mut Call) -> Res {
    Ok(Value::str(native(call)?.native.doc))
}

fn native_signature(call: &mut Call) -> Res {
    Ok(Value::str(format!("({})", native(call)?.native.params)))
}

fn native_module(call: &mut Call) -> Res {
    let f = native(call)?;
    Ok(if f.owner.is_some() { Value::NONE } else { Value::str(f.module) })
}

fn native_receiver(call: &mut Call) -> Res {
    let f = native(call)?;
    match (call.arg(0).view(), &f.owner) {
        (View::BoundMethod(method), _) => Ok(method.receiver.clone()),
        (_, Some(owner)) if f.kind == NativeKind::Function => Ok(owner.clone().into()),
        (_, None) => Ok(Value::NONE),
        _ => Err(call.vm.no_attribute(call.arg(0), &Str::new("__self__"))),
    }
}

fn owner(call: &mut Call) -> Res {
    match &native(call)?.owner {
        Some(owner) => Ok(owner.clone().into()),
        None => Err(call.vm.no_attribute(call.arg(0), &Str::new("__objclass__"))),
    }
}

// ---- cells ----

fn cell_contents(call: &mut Call) -> Res {
    let value = call.this::<Cell>()?.get();
    if value.is_unbound() {
        return Err(call.vm.value_error("Cell is empty"));
    }
    Ok(value)
}

fn set_cell_contents(call: &mut Call) -> Res {
    call.this::<Cell>()?.set(call.opt(1).cloned().unwrap_or(Value::UNBOUND));
    Ok(Value::NONE)
}
