//! Methods of `type`, which every class has.

use super::{Dict, Ref, Res, Str, Tag, Tuple, Type, Value};
use crate::call::{Call, Native};
use crate::eval::Vm;

pub const TYPE: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, /, *args, **keywords",
        run: new,
        doc: "The type of an object, or a new class from its name, bases and namespace.",
    },
    Native {
        name: "__init__",
        params: "self, /, *args, **keywords",
        run: |_| Ok(Value::NONE),
        doc: "Does nothing to a new class.",
    },
    Native {
        name: "__call__",
        params: "self, /, *args, **keywords",
        run: construct,
        doc: "Makes an object: `__new__`, then `__init__`.",
    },
    Native {
        name: "__prepare__",
        params: "cls, /, *args, **keywords",
        run: prepare,
        doc: "The namespace in which a class body runs.",
    },
    Native {
        name: "__instancecheck__",
        params: "self, instance, /",
        run: instance_check,
        doc: "`isinstance(instance, self)`.",
    },
    Native {
        name: "__subclasscheck__",
        params: "self, subclass, /",
        run: subclass_check,
        doc: "`issubclass(subclass, self)`.",
    },
    Native {
        name: "__subclasses__",
        params: "self, /",
        run: subclasses,
        doc: "The classes derived from this one directly.",
    },
    Native {
        name: "mro",
        params: "self, /",
        run: mro,
        doc: "The classes in the order in which attributes are looked up.",
    },
    Native { name: "__repr__", params: "self, /", run: repr, doc: "`repr(self)`." },
    Native {
        name: "__getattribute__",
        params: "self, name, /",
        run: get_attribute,
        doc: "`self.name`, without `__getattr__`.",
    },
    Native {
        name: "__setattr__",
        params: "self, name, value, /",
        run: set_attribute,
        doc: "`self.name = value`.",
    },
    Native { name: "__delattr__", params: "self, name, /", run: delete_attribute, doc: "`del self.name`." },
    Native {
        name: ".__name__",
        params: "self",
        run: |call| Ok(call.class()?.name().into()),
        doc: "The name.",
    },
    Native { name: ".__name__=", params: "self, value=<absent>, /", run: set_name, doc: "Sets the name." },
    Native {
        name: ".__qualname__",
        params: "self",
        run: |call| Ok(call.class()?.qualname.borrow().clone().into()),
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
        run: |call| set_own(call, "__module__"),
        doc: "Sets the name of the module.",
    },
    Native {
        name: ".__mro__",
        params: "self",
        run: known_order,
        doc: "The classes in the order in which attributes are looked up.",
    },
    Native {
        name: ".__bases__",
        params: "self",
        run: bases,
        doc: "The classes it is derived from directly.",
    },
    Native {
        name: ".__bases__=",
        params: "self, value=<absent>, /",
        run: set_bases,
        doc: "Derives it from others.",
    },
    Native { name: ".__base__", params: "self", run: base, doc: "The base whose layout it has." },
    Native { name: ".__dict__", params: "self", run: own_dict, doc: "The attributes of the class itself." },
    Native { name: ".__doc__", params: "self", run: doc, doc: "The description." },
    Native {
        name: ".__doc__=",
        params: "self, value=<absent>, /",
        run: |call| set_own(call, "__doc__"),
        doc: "Sets the description.",
    },
    Native {
        name: ".__annotations__",
        params: "self",
        run: annotations,
        doc: "Annotations of class variables.",
    },
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
        doc: "Type parameters, as in `class C[T]`.",
    },
    Native {
        name: ".__type_params__=",
        params: "self, value=<absent>, /",
        run: |call| set_own(call, "__type_params__"),
        doc: "Sets the type parameters.",
    },
    Native {
        name: "__or__",
        params: "self, other, /",
        run: |call| super::union::unite(call.vm, call.arg(0), call.arg(1)),
        doc: "`self | other`: either type.",
    },
    Native {
        name: "__ror__",
        params: "self, other, /",
        run: |call| super::union::unite(call.vm, call.arg(1), call.arg(0)),
        doc: "`other | self`: either type.",
    },
];

fn new(call: &mut Call) -> Res {
    let named = call.keyword_pairs();
    let (name, bases, namespace) = match call.rest() {
        [object] if named.is_empty() => return Ok(call.vm.type_of(object).into()),
        [name, bases, namespace] => (name, bases, namespace),
        _ => return Err(call.vm.type_error("type() takes 1 or 3 arguments")),
    };
    let Some(name) = Vm::unwrap_native(name).get_ref::<Str>() else { return wrong(call, 1, "str") };
    let Some(bases) = bases.get::<Tuple>() else { return wrong(call, 2, "tuple") };
    let Some(namespace) = Vm::unwrap_native(namespace).get::<Dict>() else { return wrong(call, 3, "dict") };
    if name.as_str().contains('\0') {
        return Err(call.vm.value_error("type name must not contain null characters"));
    }
    let winner = call.vm.choose_metaclass(Some(call.arg(0).clone()), bases.items())?;
    if !winner.same(call.arg(0))
        && let Some(made) = made_by(call, &winner, &named)?
    {
        return Ok(made);
    }
    call.vm.new_class(&winner, name, bases.items(), namespace, &named)
}

/// What the `__new__` of a more derived metaclass makes, if it has one of its own.
fn made_by(call: &mut Call, metaclass: &Value, named: &[(Ref<Str>, Value)]) -> Res<Option<Value>> {
    let new = call.vm.get_attribute(metaclass, &Str::new("__new__"))?;
    if new.is::<super::NativeFunction>() {
        return Ok(None);
    }
    let args: Vec<Value> = std::iter::once(metaclass).chain(call.rest()).cloned().collect();
    call.vm.call_with_keywords(&new, &args, named).map(Some)
}

fn wrong(call: &mut Call, number: usize, wanted: &str) -> Res {
    let got = call.vm.type_name(call.arg(number));
    Err(call.vm.type_error(format!("type.__new__() argument {number} must be {wanted}, not {got}")))
}

fn construct(call: &mut Call) -> Res {
    let class = call.class()?;
    let named = call.keyword_pairs();
    call.vm.construct_with(&class, call.rest(), &named)
}

fn prepare(_: &mut Call) -> Res {
    Ok(Dict::new(Default::default()).into())
}

fn instance_check(call: &mut Call) -> Res {
    Ok(Value::bool(call.vm.plain_instance_test(call.arg(1), call.arg(0))?))
}

fn subclass_check(call: &mut Call) -> Res {
    Ok(Value::bool(call.vm.plain_subclass_test(call.arg(1), call.arg(0))?))
}

fn subclasses(call: &mut Call) -> Res {
    let class = call.class()?;
    Ok(Value::list(class.derived().into_iter().map(Value::from).collect()))
}

fn mro(call: &mut Call) -> Res {
    let class = call.class()?;
    let bases = class.bases.borrow().clone();
    let order = call.vm.linearize(&class, &bases)?;
    Ok(Value::list(order.into_iter().map(Value::from).collect()))
}

fn repr(call: &mut Call) -> Res {
    Ok(Value::str(call.class()?.display_name()))
}

fn get_attribute(call: &mut Call) -> Res {
    let (class, name) = (this(call)?, call.attribute_name(1)?);
    match call.vm.plain_class_attribute(&class, &name)? {
        Some(value) => Ok(value),
        None => Err(call.vm.no_attribute(call.arg(0), &name)),
    }
}

fn set_attribute(call: &mut Call) -> Res {
    let name = call.attribute_name(1)?;
    this(call)?;
    call.vm.plain_store(call.arg(0), &name, Some(call.arg(2).clone()))?;
    Ok(Value::NONE)
}

fn delete_attribute(call: &mut Call) -> Res {
    let name = call.attribute_name(1)?;
    this(call)?;
    call.vm.plain_store(call.arg(0), &name, None)?;
    Ok(Value::NONE)
}

// ---- attributes ----

fn own_dict(call: &mut Call) -> Res {
    let class = call.class()?;
    Ok(call.vm.class_dict(&class))
}

fn this(call: &mut Call) -> Res<Ref<Type>> {
    match call.arg(0).get_ref::<Type>() {
        Some(class) => Ok(class),
        None => Err(call.wrong_receiver(super::Tag::Type)),
    }
}

/// The class, if its attribute `name` may be set to what argument 1 gives.
fn changeable(call: &mut Call, name: &str) -> Res<Ref<Type>> {
    let class = this(call)?;
    if !class.flags.is_user {
        return Err(call.vm.immutable_type(&class, &Str::new(name)));
    }
    if call.opt(1).is_none() {
        let shown = class.name();
        let message = format!("cannot delete '{name}' attribute of immutable type '{}'", shown.as_str());
        return Err(call.vm.type_error(message));
    }
    Ok(class)
}

/// The text to set a name to.
fn new_text(call: &mut Call, name: &str) -> Res<(Ref<Type>, Ref<Str>)> {
    let class = changeable(call, name)?;
    match Vm::unwrap_native(call.arg(1)).get_ref::<Str>() {
        Some(text) => Ok((class, text)),
        None => {
            let (shown, got) = (class.name(), call.vm.type_name(call.arg(1)));
            let message = format!("can only assign string to {}.{name}, not '{got}'", shown.as_str());
            Err(call.vm.type_error(message))
        }
    }
}

fn set_name(call: &mut Call) -> Res {
    let (class, text) = new_text(call, "__name__")?;
    if text.as_str().contains('\0') {
        return Err(call.vm.value_error("type name must not contain null characters"));
    }
    *class.name.borrow_mut() = text;
    Ok(Value::NONE)
}

fn set_qualname(call: &mut Call) -> Res {
    let (class, text) = new_text(call, "__qualname__")?;
    *class.qualname.borrow_mut() = text;
    Ok(Value::NONE)
}

fn set_own(call: &mut Call, name: &str) -> Res {
    let class = changeable(call, name)?;
    class.attributes.set_text(name, call.arg(1).clone());
    class.touch();
    Ok(Value::NONE)
}

fn module(call: &mut Call) -> Res {
    let class = call.class()?;
    // Types of functions hold the computed attribute of their objects under that name.
    let own = class.attributes.get_text("__module__").filter(|own| class.flags.is_user || own.is::<Str>());
    Ok(own.unwrap_or_else(|| Value::str(native_module_of(&class))))
}

/// The module in which Python has a native type.
pub fn native_module_of(class: &Type) -> &'static str {
    let name = class.name.borrow();
    match (class.kind, name.as_str()) {
        (Tag::Iter, name) if crate::builtins::is_of_itertools(name) => "itertools",
        (Tag::Iter, "_deque_iterator" | "_deque_reverse_iterator") => "_collections",
        (Tag::File, _) => "_io",
        (Tag::Foreign, "GenericAlias" | "UnionType") => "types",
        (Tag::Foreign, "KeyWrapper") => "functools",
        (Tag::Foreign, "Pattern" | "Match") => "re",
        (Tag::Foreign, "Struct" | "unpack_iterator") => "_struct",
        (Tag::Foreign, "ReferenceType") => "weakref",
        (Tag::Foreign, "Random") => "_random",
        (Tag::Foreign, "HASH") => "_hashlib",
        _ => "builtins",
    }
}

fn types(list: &[Ref<Type>]) -> Value {
    Value::tuple(list.iter().map(|t| t.clone().into()).collect())
}

fn known_order(call: &mut Call) -> Res {
    let class = call.class()?;
    let order = class.mro.borrow();
    Ok(if order.is_empty() { Value::NONE } else { types(&order) })
}

fn bases(call: &mut Call) -> Res {
    Ok(types(&call.class()?.bases.borrow()))
}

fn set_bases(call: &mut Call) -> Res {
    let class = changeable(call, "__bases__")?;
    call.vm.set_bases(&class, call.arg(1))?;
    Ok(Value::NONE)
}

fn base(call: &mut Call) -> Res {
    let class = call.class()?;
    Ok(call.vm.nearest_base(&class).map_or(Value::NONE, Value::from))
}

fn doc(call: &mut Call) -> Res {
    let class = call.class()?;
    match class.attributes.get_text("__doc__") {
        Some(doc) if doc.is::<super::Property>() => Ok(Value::NONE),
        Some(doc) => call.vm.bind_to_class(doc, &class),
        None => Ok(Value::NONE),
    }
}

fn annotations(call: &mut Call) -> Res {
    let class = call.class()?;
    if !class.flags.is_user {
        return Err(call.vm.no_attribute(call.arg(0), &Str::new("__annotations__")));
    }
    if let Some(known) = class.attributes.get_text("__annotations__") {
        return call.vm.bind_to_class(known, &class);
    }
    let made: Value = Dict::new(Default::default()).into();
    class.attributes.set_text("__annotations__", made.clone());
    class.touch();
    Ok(made)
}

fn set_annotations(call: &mut Call) -> Res {
    if call.opt(1).is_some() {
        return set_own(call, "__annotations__");
    }
    let class = this(call)?;
    if class.attributes.remove_str(&Str::new("__annotations__")).is_none() {
        return Err(call.vm.error(crate::eval::Exc::AttributeError, "__annotations__"));
    }
    class.touch();
    Ok(Value::NONE)
}

fn type_params(call: &mut Call) -> Res {
    let own = call.class()?.attributes.get_text("__type_params__");
    Ok(own.unwrap_or_else(|| Value::tuple(Vec::new())))
}
