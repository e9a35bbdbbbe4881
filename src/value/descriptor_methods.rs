//! Methods of what stands in classes and gives meaning to attributes: `property`, `staticmethod`,
//! `classmethod` and `super`.

use super::{ClassMethod, Property, Ref, Res, StaticMethod, Str, Super, Type, Value, View};
use crate::call::{Call, Native};
use crate::eval::{Exc, Vm, WRAPPED};

pub const PROPERTY: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, /, *args, **keywords",
        run: |_| Ok(Ref::new(Property::new(Value::NONE, Value::NONE, Value::NONE, Value::NONE)).into()),
        doc: "An attribute that is computed by functions.",
    },
    Native {
        name: "__init__",
        params: "self, fget=None, fset=None, fdel=None, doc=None",
        run: init_property,
        doc: "Sets the functions; the description is the getter's if there is no other.",
    },
    Native {
        name: "getter",
        params: "self, fget, /",
        run: |call| changed(call, 0),
        doc: "The same property with another getter.",
    },
    Native {
        name: "setter",
        params: "self, fset, /",
        run: |call| changed(call, 1),
        doc: "The same property with another setter.",
    },
    Native {
        name: "deleter",
        params: "self, fdel, /",
        run: |call| changed(call, 2),
        doc: "The same property with another deleter.",
    },
    Native {
        name: "__set_name__",
        params: "self, /, *args",
        run: set_name,
        doc: "Notes what the class calls the property.",
    },
    Native {
        name: ".fget",
        params: "self",
        run: |call| Ok(call.this::<Property>()?.getter()),
        doc: "The getter, or none.",
    },
    Native { name: ".fget=", params: "self, value=<absent>, /", run: read_only, doc: "Refused." },
    Native {
        name: ".fset",
        params: "self",
        run: |call| Ok(call.this::<Property>()?.setter()),
        doc: "The setter, or none.",
    },
    Native { name: ".fset=", params: "self, value=<absent>, /", run: read_only, doc: "Refused." },
    Native {
        name: ".fdel",
        params: "self",
        run: |call| Ok(call.this::<Property>()?.deleter()),
        doc: "The deleter, or none.",
    },
    Native { name: ".fdel=", params: "self, value=<absent>, /", run: read_only, doc: "Refused." },
    Native {
        name: ".__doc__",
        params: "self",
        run: |call| Ok(call.this::<Property>()?.doc.borrow().clone()),
        doc: "The description.",
    },
    Native {
        name: ".__doc__=",
        params: "self, value=<absent>, /",
        run: set_doc,
        doc: "Sets the description.",
    },
    Native {
        name: ".__isabstractmethod__",
        params: "self",
        run: is_abstract,
        doc: "Whether one of its functions is abstract.",
    },
    Native { name: "__get__", params: "self, instance, owner=None, /", run: get, doc: "Calls the getter." },
    Native { name: "__set__", params: "self, instance, value, /", run: set, doc: "Calls the setter." },
    Native { name: "__delete__", params: "self, instance, /", run: delete, doc: "Calls the deleter." },
];

/// Computed attributes of built-in types, and slots.
pub const MEMBER: &[Native] = &[
    super::reduce::MEMBER,
    Native {
        name: "__get__",
        params: "self, instance, owner=None, /",
        run: get,
        doc: "Reads the attribute.",
    },
    Native { name: "__set__", params: "self, instance, value, /", run: set, doc: "Sets the attribute." },
    Native { name: "__delete__", params: "self, instance, /", run: delete, doc: "Deletes the attribute." },
    Native {
        name: ".__name__",
        params: "self",
        run: |call| Ok(call.this::<Property>()?.name.borrow().clone()),
        doc: "The name.",
    },
    Native { name: ".__qualname__", params: "self", run: member_qualname, doc: "The name with its type's." },
    Native {
        name: ".__objclass__",
        params: "self",
        run: |call| Ok(call.this::<Property>()?.owner().map_or(Value::NONE, Value::from)),
        doc: "The type it belongs to.",
    },
    Native {
        name: ".__doc__",
        params: "self",
        run: |call| Ok(call.this::<Property>()?.doc.borrow().clone()),
        doc: "The description.",
    },
];

/// What static and class methods share.
macro_rules! wrapper_rows {
    ($($more:expr,)*) => {
        &[
            Native { name: "__init__", params: "self, function, /", run: init_wrapper, doc: "Sets the function." },
            Native { name: ".__func__", params: "self", run: wrapped, doc: "The function inside." },
            Native { name: ".__wrapped__", params: "self", run: wrapped, doc: "The function inside." },
            Native {
                name: ".__isabstractmethod__",
                params: "self",
                run: is_abstract,
                doc: "Whether the function is abstract.",
            },
            Native { name: ".__dict__", params: "self", run: wrapper_dict, doc: "What describes the function." },
            $($more,)*
        ]
    };
}

pub const STATIC_METHOD: &[Native] = wrapper_rows! {
    Native {
        name: "__new__",
        params: "cls, /, *args, **keywords",
        run: |call| Ok(Ref::new(StaticMethod::new(given_function(call)?)).into()),
        doc: "A function that a class holds without binding it.",
    },
    Native {
        name: "__call__",
        params: "self, /, *args, **keywords",
        run: call_static,
        doc: "Calls the function.",
    },
    Native {
        name: "__get__",
        params: "self, instance, owner=None, /",
        run: |call| Ok(call.this::<StaticMethod>()?.function()),
        doc: "The function.",
    },
};

pub const CLASS_METHOD: &[Native] = wrapper_rows! {
    Native {
        name: "__new__",
        params: "cls, /, *args, **keywords",
        run: |call| Ok(Ref::new(ClassMethod::new(given_function(call)?)).into()),
        doc: "A function whose first argument is the class.",
    },
    Native {
        name: "__get__",
        params: "self, instance, owner=None, /",
        run: get_class_method,
        doc: "The function bound to the class.",
    },
};

pub const SUPER: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, /, *args, **keywords",
        run: new_super,
        doc: "The attributes that an object has from the classes after `type`.",
    },
    Native {
        name: "__init__",
        params: "self, type=<absent>, object=<absent>, /",
        run: init_super,
        doc: "Sets class and object.",
    },
    Native {
        name: "__get__",
        params: "self, instance, owner=None, /",
        run: get_super,
        doc: "The same for an object, if there is none yet.",
    },
    Native {
        name: ".__thisclass__",
        params: "self",
        run: |call| Ok(call.this::<Super>()?.class.clone().into()),
        doc: "The class after which attributes are looked up.",
    },
    Native {
        name: ".__self__",
        params: "self",
        run: |call| Ok(call.this::<Super>()?.object.clone()),
        doc: "The object, or none.",
    },
    Native {
        name: ".__self_class__",
        params: "self",
        run: self_class,
        doc: "The class of the object, or none.",
    },
];

fn read_only(call: &mut Call) -> Res {
    Err(call.vm.error(Exc::AttributeError, "readonly attribute"))
}

// ---- property ----

fn init_property(call: &mut Call) -> Res {
    let part = |index: usize| call.opt(index).cloned().unwrap_or(Value::NONE);
    let (get, set, delete, given) = (part(1), part(2), part(3), part(4));
    let property = call.this::<Property>()?;
    let has_own_doc = !given.is_none();
    let doc = match has_own_doc || get.is_none() {
        true => given,
        false => call.vm.find_attribute(&get, &Str::new("__doc__"))?.unwrap_or(Value::NONE),
    };
    property.has_getter_doc.set(!has_own_doc && !doc.is_none());
    for (place, value) in [(&property.get, get), (&property.set, set), (&property.delete, delete)] {
        drop(place.replace(value));
    }
    if call.arg(0).is::<Property>() {
        drop(property.doc.replace(doc));
    } else {
        // The class has a `__doc__` of its own, which must not hide that of the property.
        call.vm.set_attribute(call.arg(0), &Str::new("__doc__"), doc)?;
    }
    Ok(Value::NONE)
}

fn set_doc(call: &mut Call) -> Res {
    let doc = call.opt(1).cloned().unwrap_or(Value::NONE);
    drop(call.this::<Property>()?.doc.replace(doc));
    Ok(Value::NONE)
}

fn set_name(call: &mut Call) -> Res {
    let [_, name] = call.rest() else {
        let count = call.rest().len();
        return Err(call
            .vm
            .type_error(format!("__set_name__() takes 2 positional arguments but {count} were given")));
    };
    drop(call.this::<Property>()?.name.replace(name.clone()));
    Ok(Value::NONE)
}

/// A copy of a property with one of its three functions replaced, made by the property's own class.
fn changed(call: &mut Call, which: usize) -> Res {
    let old = call.this::<Property>()?;
    let mut parts = [old.getter(), old.setter(), old.deleter()];
    if !call.arg(1).is_none() {
        parts[which] = call.arg(1).clone();
    }
    let [get, set, delete] = parts;
    let doc = match old.has_getter_doc.get() && !get.is_none() {
        true => Value::NONE,
        false => old.doc.borrow().clone(),
    };
    let class = call.vm.type_of(call.arg(0));
    let made = call.vm.call(&class.into(), &[get, set, delete, doc])?;
    if let Some(property) = Vm::unwrap_native(&made).get::<Property>() {
        drop(property.name.replace(old.name.borrow().clone()));
    }
    Ok(made)
}

fn get(call: &mut Call) -> Res {
    if call.arg(1).is_none() {
        return Ok(call.arg(0).clone());
    }
    let property = call.this::<Property>()?;
    call.vm.get_by_property(property, call.arg(1))
}

fn set(call: &mut Call) -> Res {
    let property = call.this::<Property>()?;
    call.vm.store_by_property(property, call.arg(1), Some(call.arg(2)))?;
    Ok(Value::NONE)
}

fn delete(call: &mut Call) -> Res {
    let property = call.this::<Property>()?;
    call.vm.store_by_property(property, call.arg(1), None)?;
    Ok(Value::NONE)
}

fn member_qualname(call: &mut Call) -> Res {
    let property = call.this::<Property>()?;
    let name = property.name.borrow().clone();
    let name = name.as_str().unwrap_or_default();
    Ok(Value::str(match property.owner() {
        Some(owner) => format!("{}.{name}", owner.qualname.borrow().as_str()),
        None => name.to_string(),
    }))
}

// ---- static and class methods ----

/// The functions inside a descriptor.
fn functions(call: &mut Call) -> Vec<Value> {
    match Vm::unwrap_native(call.arg(0)).view() {
        View::Property(p) => vec![p.getter(), p.setter(), p.deleter()],
        View::StaticMethod(m) => vec![m.function()],
        View::ClassMethod(m) => vec![m.function()],
        _ => Vec::new(),
    }
}

fn is_abstract(call: &mut Call) -> Res {
    for function in functions(call) {
        let flag = call.vm.find_attribute(&function, &Str::new("__isabstractmethod__"))?;
        if let Some(flag) = flag
            && call.vm.truth(&flag)?
        {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

/// The function that a static or class method is made of. A class derived from these has an `__init__` that may take
/// other arguments.
fn given_function(call: &mut Call) -> Res {
    let class = call.class()?;
    let name = class.name();
    let name = name.as_str();
    match call.rest() {
        _ if class.flags.is_user => Ok(call.rest().first().cloned().unwrap_or(Value::NONE)),
        _ if !call.keyword_pairs().is_empty() => {
            Err(call.vm.type_error(format!("{name}() takes no keyword arguments")))
        }
        [function] => Ok(function.clone()),
        more => {
            let count = more.len();
            Err(call.vm.type_error(format!("{name} expected 1 argument, got {count}")))
        }
    }
}

fn init_wrapper(call: &mut Call) -> Res {
    let function = call.arg(1).clone();
    let this = call.arg(0);
    match Vm::unwrap_native(this).view() {
        View::StaticMethod(method) => drop(method.function.replace(function.clone())),
        View::ClassMethod(method) => drop(method.function.replace(function.clone())),
        _ => return Ok(Value::NONE),
    }
    if this.is::<super::Instance>() {
        for name in WRAPPED {
            let found = call.vm.find_attribute(&function, &Str::new(name));
            if let Some(value) = call.vm.catch(found, Exc::AttributeError)?.flatten() {
                call.vm.set_attribute(this, &Str::new(name), value)?;
            }
        }
    }
    Ok(Value::NONE)
}

fn wrapped(call: &mut Call) -> Res {
    Ok(functions(call).first().cloned().unwrap_or(Value::NONE))
}

fn wrapper_dict(call: &mut Call) -> Res {
    // Asking for anything fills the table.
    call.vm.find_attribute(call.arg(0), &Str::new("__name__"))?;
    Ok(match Vm::unwrap_native(call.arg(0)).view() {
        View::StaticMethod(method) => method.attributes().clone().into(),
        View::ClassMethod(method) => method.attributes().clone().into(),
        _ => Value::NONE,
    })
}

fn call_static(call: &mut Call) -> Res {
    let function = call.this::<StaticMethod>()?.function();
    let named = call.keyword_pairs();
    call.vm.call_with_keywords(&function, call.rest(), &named)
}

fn get_class_method(call: &mut Call) -> Res {
    let function = call.this::<ClassMethod>()?.function();
    let class = match call.opt_not_none(2).and_then(|class| class.get_ref::<Type>()) {
        Some(class) => class,
        None => call.vm.type_of(call.arg(1)),
    };
    call.vm.bind_class_method(function, &class)
}

// ---- super ----

/// `super` objects do not change: `__new__` makes them, and `__init__` replaces the one inside an instance of a
/// derived class.
fn new_super(call: &mut Call) -> Res {
    let class = call.class()?;
    if class.flags.is_user {
        let object = call.vm.types.object.clone();
        return Ok(
            Ref::new(Super { class: object.clone(), object: Value::NONE, object_class: object }).into()
        );
    }
    if !call.keyword_pairs().is_empty() {
        return Err(call.vm.type_error("super() takes no keyword arguments"));
    }
    match call.rest() {
        [] => {
            let takes_self = call.vm.current_code().is_some_and(|code| code.params.positional > 0);
            let why = if takes_self { "__class__ cell not found" } else { "no arguments" };
            Err(call.vm.runtime_error(format!("super(): {why}")))
        }
        [class] => made_super(call, class, None),
        [class, object] => made_super(call, class, Some(object)),
        more => {
            let count = more.len();
            Err(call.vm.type_error(format!("super() expected at most 2 arguments, got {count}")))
        }
    }
}

fn made_super(call: &mut Call, class: &Value, object: Option<&Value>) -> Res {
    let Some(class) = class.get_ref::<Type>() else {
        let got = call.vm.type_name(class);
        return Err(call.vm.type_error(format!("super() argument 1 must be a type, not {got}")));
    };
    match object.filter(|object| !object.is_none()) {
        Some(object) => call.vm.super_of(&class, object),
        None => Ok(Ref::new(Super { object: Value::NONE, object_class: class.clone(), class }).into()),
    }
}

fn init_super(call: &mut Call) -> Res {
    let Some(instance) = call.arg(0).get::<super::Instance>() else { return Ok(Value::NONE) };
    let Some(class) = call.opt(1) else {
        return Err(call.vm.runtime_error("super(): no arguments"));
    };
    let made = made_super(call, class, call.opt(2))?;
    drop(instance.native.replace(made));
    Ok(Value::NONE)
}

fn get_super(call: &mut Call) -> Res {
    let this = call.this::<Super>()?;
    if call.arg(1).is_none() || !this.object.is_none() {
        return Ok(call.arg(0).clone());
    }
    if call.arg(0).is::<super::Instance>() {
        let class = call.vm.type_of(call.arg(0));
        return call.vm.call(&class.into(), &[this.class.clone().into(), call.arg(1).clone()]);
    }
    call.vm.super_of(&this.class, call.arg(1))
}

fn self_class(call: &mut Call) -> Res {
    let this = call.this::<Super>()?;
    Ok(if this.object.is_none() { Value::NONE } else { this.object_class.clone().into() })
}
