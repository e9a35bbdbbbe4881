//! Methods of what stands in classes and gives meaning to attributes: `property`, `staticmethod`,
//! `classmethod`, functions, and `super`.

use super::object_methods::bound;
use super::{ClassMethod, Property, Ref, Res, StaticMethod, Str, Super, Type, Value, View};
use crate::call::{Call, Native};
use crate::eval::Vm;

pub const PROPERTY: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, fget=None, fset=None, fdel=None, doc=None",
        run: new_property,
        doc: "An attribute that is computed by functions.",
    },
    Native {
        name: "__init__",
        params: "self, fget=None, fset=None, fdel=None, doc=None",
        run: init_property,
        doc: "Keeps the description with the object, for classes that have one of their own.",
    },
    Native {
        name: "__set_name__",
        params: "self, owner, name, /",
        run: set_name,
        doc: "Notes the name under which a class holds it.",
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
        name: ".fget",
        params: "self",
        run: |call| Ok(call.this::<Property>()?.get.clone()),
        doc: "The getter, or none.",
    },
    Native {
        name: ".fset",
        params: "self",
        run: |call| Ok(call.this::<Property>()?.set.clone()),
        doc: "The setter, or none.",
    },
    Native {
        name: ".fdel",
        params: "self",
        run: |call| Ok(call.this::<Property>()?.delete.clone()),
        doc: "The deleter, or none.",
    },
    Native {
        name: ".__doc__",
        params: "self",
        run: |call| Ok(call.this::<Property>()?.doc.borrow().clone()),
        doc: "The description.",
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

pub const STATIC_METHOD: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, function, /",
        run: new_static,
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
        run: |call| Ok(call.this::<StaticMethod>()?.function.clone()),
        doc: "The function.",
    },
    Native {
        name: ".__name__",
        params: "self",
        run: |call| forwarded(call, "__name__"),
        doc: "The function's name.",
    },
    Native {
        name: ".__doc__",
        params: "self",
        run: |call| forwarded(call, "__doc__"),
        doc: "The function's description.",
    },
    Native {
        name: ".__isabstractmethod__",
        params: "self",
        run: is_abstract,
        doc: "Whether the function is abstract.",
    },
];

pub const CLASS_METHOD: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, function, /",
        run: new_class_method,
        doc: "A function whose first argument is the class.",
    },
    Native {
        name: "__get__",
        params: "self, instance, owner=None, /",
        run: get_class_method,
        doc: "The function bound to the class.",
    },
    Native {
        name: ".__name__",
        params: "self",
        run: |call| forwarded(call, "__name__"),
        doc: "The function's name.",
    },
    Native {
        name: ".__doc__",
        params: "self",
        run: |call| forwarded(call, "__doc__"),
        doc: "The function's description.",
    },
    Native {
        name: ".__isabstractmethod__",
        params: "self",
        run: is_abstract,
        doc: "Whether the function is abstract.",
    },
];

pub const FUNCTION: &[Native] = &[
    Native {
        name: "__call__",
        params: "self, /, *args, **keywords",
        run: call_itself,
        doc: "Calls the function.",
    },
    Native {
        name: "__get__",
        params: "self, instance, owner=None, /",
        run: get_function,
        doc: "The function bound to an object.",
    },
];

pub const METHOD: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, function, instance, /",
        run: new_method,
        doc: "A function bound to an object, which becomes its first argument.",
    },
    Native {
        name: "__call__",
        params: "self, /, *args, **keywords",
        run: call_itself,
        doc: "Calls the method.",
    },
    Native {
        name: "__get__",
        params: "self, instance, owner=None, /",
        run: |call| Ok(call.arg(0).clone()),
        doc: "The method itself: it is bound already.",
    },
];

pub const CELL: &[Native] = &[Native {
    name: "__new__",
    params: "cls, contents=<absent>, /",
    run: |call| Ok(super::Cell::new(call.opt(1).cloned().unwrap_or_default()).into()),
    doc: "A variable that functions share.",
}];

pub const MODULE: &[Native] = &[Native {
    name: "__new__",
    params: "cls, name, doc=None",
    run: new_module,
    doc: "A new module without variables of its own.",
}];

pub const SUPER: &[Native] = &[Native {
    name: "__new__",
    params: "cls, type=<absent>, object=<absent>, /",
    run: new_super,
    doc: "The attributes that an object has from the classes after `type`.",
}];

fn new_method(call: &mut Call) -> Res {
    if !call.vm.is_callable(call.arg(1)) {
        return Err(call.vm.type_error("first argument must be callable"));
    }
    if call.arg(2).is_none() {
        return Err(call.vm.type_error("instance must not be None"));
    }
    Ok(bound(call.arg(1).clone(), call.arg(2).clone()))
}

fn new_module(call: &mut Call) -> Res {
    let name = call.str(1)?;
    let module = super::Module::new(name, None);
    module.set_text("__name__", call.arg(1).clone());
    module.set_text("__doc__", call.opt(2).cloned().unwrap_or(Value::NONE));
    for name in ["__package__", "__loader__", "__spec__"] {
        module.set_text(name, Value::NONE);
    }
    Ok(module.into())
}

fn new_property(call: &mut Call) -> Res {
    let part = |index: usize| call.opt(index).cloned().unwrap_or(Value::NONE);
    let (get, set, delete) = (part(1), part(2), part(3));
    let doc = match call.opt_not_none(4) {
        Some(doc) => doc.clone(),
        None if get.is_none() => Value::NONE,
        None => call.vm.find_attribute(&get, &Str::new("__doc__"))?.unwrap_or(Value::NONE),
    };
    Ok(Property::new(get, set, delete, doc).into())
}

fn init_property(call: &mut Call) -> Res {
    let property = call.this::<Property>()?;
    let doc = property.doc.borrow().clone();
    if let Some(instance) = call.arg(0).get::<super::Instance>()
        && !instance.class().flags.is_slotted
    {
        instance.attributes().set_text("__doc__", doc);
    }
    Ok(Value::NONE)
}

fn set_name(call: &mut Call) -> Res {
    let old = call.this::<Property>()?.name.replace(call.arg(2).clone());
    drop(old);
    Ok(Value::NONE)
}

/// A copy of a property with one of its three functions replaced, made by the property's own class.
fn changed(call: &mut Call, which: usize) -> Res {
    let old = call.this::<Property>()?;
    let mut parts = [old.get.clone(), old.set.clone(), old.delete.clone()];
    parts[which] = call.arg(1).clone();
    let [get, set, delete] = parts;
    let class = call.vm.type_of(call.arg(0));
    if class.flags.is_user {
        return call.vm.call(&class.into(), &[get, set, delete]);
    }
    let doc = match which {
        0 => call.vm.find_attribute(&get, &Str::new("__doc__"))?.unwrap_or(Value::NONE),
        _ => old.doc.borrow().clone(),
    };
    let made = Property::new(get, set, delete, doc);
    *made.name.borrow_mut() = old.name.borrow().clone();
    Ok(made.into())
}

fn missing(call: &mut Call, what: &str) -> Res {
    let property = call.this::<Property>()?;
    Err(call.vm.property_lacks(property, call.arg(1), what))
}

fn get(call: &mut Call) -> Res {
    if call.arg(1).is_none() {
        return Ok(call.arg(0).clone());
    }
    let getter = &call.this::<Property>()?.get;
    if getter.is_none() {
        return missing(call, "getter");
    }
    call.vm.call(getter, std::slice::from_ref(call.arg(1)))
}

fn set(call: &mut Call) -> Res {
    let setter = &call.this::<Property>()?.set;
    if setter.is_none() {
        return missing(call, "setter");
    }
    call.vm.call(setter, &[call.arg(1).clone(), call.arg(2).clone()])?;
    Ok(Value::NONE)
}

fn delete(call: &mut Call) -> Res {
    let deleter = &call.this::<Property>()?.delete;
    if deleter.is_none() {
        return missing(call, "deleter");
    }
    call.vm.call(deleter, std::slice::from_ref(call.arg(1)))?;
    Ok(Value::NONE)
}

/// The functions inside a descriptor.
fn functions(call: &mut Call) -> Vec<Value> {
    match Vm::unwrap_native(call.arg(0)).view() {
        View::Property(p) => vec![p.get.clone(), p.set.clone(), p.delete.clone()],
        View::StaticMethod(m) => vec![m.function.clone()],
        View::ClassMethod(m) => vec![m.function.clone()],
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

/// An attribute of the function inside.
fn forwarded(call: &mut Call, name: &str) -> Res {
    match functions(call).first() {
        Some(function) => call.vm.get_attribute(function, &Str::new(name)),
        None => Ok(Value::NONE),
    }
}

fn new_static(call: &mut Call) -> Res {
    Ok(Ref::new(StaticMethod { function: call.arg(1).clone() }).into())
}

fn new_class_method(call: &mut Call) -> Res {
    Ok(Ref::new(ClassMethod { function: call.arg(1).clone() }).into())
}

fn call_static(call: &mut Call) -> Res {
    let function = &call.this::<StaticMethod>()?.function;
    let named = call.keyword_pairs();
    call.vm.call_with_keywords(function, call.rest(), &named)
}

fn call_itself(call: &mut Call) -> Res {
    let named = call.keyword_pairs();
    call.vm.call_with_keywords(call.arg(0), call.rest(), &named)
}

fn get_class_method(call: &mut Call) -> Res {
    let function = call.this::<ClassMethod>()?.function.clone();
    let class = match call.opt_not_none(2) {
        Some(class) => class.clone(),
        None => call.vm.type_of(call.arg(1)).into(),
    };
    Ok(bound(function, class))
}

fn get_function(call: &mut Call) -> Res {
    if call.arg(1).is_none() && call.opt_not_none(2).is_some() {
        return Ok(call.arg(0).clone());
    }
    Ok(bound(call.arg(0).clone(), call.arg(1).clone()))
}

fn new_super(call: &mut Call) -> Res {
    let Some(class) = call.opt(1) else {
        return Err(call.vm.runtime_error("super(): no arguments"));
    };
    let Some(class) = class.get_ref::<Type>() else { return Err(call.wrong_type(1, "a type")) };
    let Some(object) = call.opt(2) else {
        return Err(call.vm.type_error("super() with one argument is not supported"));
    };
    let object_class = match object.get_ref::<Type>() {
        Some(of_class) if of_class.is_subtype_of(&class) => of_class,
        _ => call.vm.type_of(object),
    };
    if !object_class.is_subtype_of(&class) {
        return Err(call.vm.type_error("super(type, obj): obj must be an instance or subtype of type"));
    }
    Ok(Ref::new(Super { class, object: object.clone(), object_class }).into())
}
