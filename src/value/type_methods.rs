//! Methods of `type`, which every class has.

use super::{Dict, Ref, Res, Str, Tuple, Type, Value};
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
        name: "__setattr__",
        params: "self, name, value, /",
        run: set_attribute,
        doc: "`self.name = value`.",
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
    let made = call.vm.new_class(call.arg(0), name, bases.items(), namespace, &named)?;
    // A `class` statement says itself where it stands.
    if let Some(class) = made.get::<Type>()
        && class.attributes.get_text("__module__").is_none()
    {
        let module = call.vm.current_module();
        let name = module.get_text("__name__").unwrap_or_else(|| module.name.clone().into());
        class.attributes.set_text("__module__", name);
    }
    Ok(made)
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
    let class = call.class()?;
    if call.vm.is_instance(call.arg(1), &class) {
        return Ok(Value::TRUE);
    }
    // An object may claim another class.
    let claimed = call.vm.find_attribute(call.arg(1), &Str::new("__class__"))?;
    let claimed = claimed.as_ref().and_then(Value::get::<Type>);
    Ok(Value::bool(claimed.is_some_and(|claimed| claimed.is_subtype_of(&class))))
}

fn subclass_check(call: &mut Call) -> Res {
    let class = call.class()?;
    match call.arg(1).get::<Type>() {
        Some(subclass) => Ok(Value::bool(subclass.is_subtype_of(&class))),
        None => Err(call.vm.type_error("issubclass() arg 1 must be a class")),
    }
}

fn subclasses(call: &mut Call) -> Res {
    let class = call.class()?;
    let derived = class.subclasses.borrow();
    // SAFETY: a class removes itself from its bases' lists before it is freed.
    let own = derived.iter().filter_map(|&t| unsafe { &*t }.mro.borrow().first().cloned());
    Ok(Value::list(own.map(Value::from).collect()))
}

fn mro(call: &mut Call) -> Res {
    let class = call.class()?;
    let order = class.mro.borrow();
    Ok(Value::list(order.iter().map(|t| t.clone().into()).collect()))
}

fn repr(call: &mut Call) -> Res {
    Ok(Value::str(call.class()?.display_name()))
}

fn set_attribute(call: &mut Call) -> Res {
    let class: Ref<Type> = call.class()?;
    let Some(name) = call.arg(1).get_ref::<Str>() else { return Err(call.wrong_type(1, "str")) };
    call.vm.plain_set_class_attribute(&class, &name, call.arg(2).clone())?;
    Ok(Value::NONE)
}
