//! Methods of `object`, which every value has.
//!
//! The evaluator shows, compares and hashes built-in values itself; these rows are what a class inherits, what
//! `super().__repr__()` reaches, and what `object.__setattr__(self, ...)` names. Where an instance carries a
//! built-in value, text, comparison and hash are those of that value.

use super::{BoundMethod, Instance, Ref, Res, Str, Tag, Tuple, Type, Value, View};
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::eval::code::CompareOp;

pub const OBJECT: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, /, *args, **keywords",
        run: new,
        doc: "A new object of a class.",
    },
    Native {
        name: "__init__",
        params: "self, /, *args, **keywords",
        run: init,
        doc: "Does nothing to a new object.",
    },
    Native {
        name: "__init_subclass__",
        params: "cls, /, **keywords",
        run: init_subclass,
        doc: "Called with each class derived from this one.",
    },
    Native {
        name: "__subclasshook__",
        params: "cls, subclass, /",
        run: |_| Ok(Value::NOT_IMPLEMENTED),
        doc: "Lets abstract classes decide what counts as derived.",
    },
    Native { name: "__repr__", params: "self, /", run: repr, doc: "`repr(self)`." },
    Native { name: "__str__", params: "self, /", run: text, doc: "`str(self)`." },
    Native {
        name: "__format__",
        params: "self, format_spec, /",
        run: format,
        doc: "`format(self, format_spec)`.",
    },
    Native { name: "__hash__", params: "self, /", run: hash, doc: "`hash(self)`." },
    Native {
        name: "__eq__",
        params: "self, value, /",
        run: |call| compare(call, CompareOp::Eq),
        doc: "`self == value`.",
    },
    Native { name: "__ne__", params: "self, value, /", run: not_equal, doc: "`self != value`." },
    Native {
        name: "__lt__",
        params: "self, value, /",
        run: |call| compare(call, CompareOp::Lt),
        doc: "`self < value`.",
    },
    Native {
        name: "__le__",
        params: "self, value, /",
        run: |call| compare(call, CompareOp::LtE),
        doc: "`self <= value`.",
    },
    Native {
        name: "__gt__",
        params: "self, value, /",
        run: |call| compare(call, CompareOp::Gt),
        doc: "`self > value`.",
    },
    Native {
        name: "__ge__",
        params: "self, value, /",
        run: |call| compare(call, CompareOp::GtE),
        doc: "`self >= value`.",
    },
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
    Native { name: "__dir__", params: "self, /", run: dir, doc: "The names of the object's attributes." },
    Native {
        name: "__reduce__",
        params: "self, /",
        run: |call| reduced(call, 0),
        doc: "How to make the object anew: a function, its arguments, and the state.",
    },
    Native {
        name: "__reduce_ex__",
        params: "self, protocol, /",
        run: reduce_ex,
        doc: "As `__reduce__`, by a protocol.",
    },
    Native { name: "__getstate__", params: "self, /", run: state, doc: "The attributes of the object." },
    Native {
        name: ".__class__",
        params: "self",
        run: |call| Ok(call.vm.type_of(call.arg(0)).into()),
        doc: "The class of the object.",
    },
    Native {
        name: ".__class__=",
        params: "self, value=<absent>, /",
        run: set_class,
        doc: "Makes the object one of another class with the same layout.",
    },
    Native {
        name: "__sizeof__",
        params: "self, /",
        run: memory_size,
        doc: "About how many bytes of memory it takes.",
    },
];

fn new(call: &mut Call) -> Res {
    let class = call.class()?;
    let shown = class.name();
    let shown = shown.as_str();
    if class.kind != Tag::Instance {
        let base = call.vm.types.of_tag(class.kind).clone();
        // Looking it up makes the rows into attributes.
        call.vm.lookup(&base, &Str::new("__new__"));
        let makes_own = base.attributes.get_text("__new__").is_some();
        let base = base.name();
        let base = base.as_str();
        return Err(call.vm.type_error(if makes_own {
            format!("object.__new__({shown}) is not safe, use {base}.__new__()")
        } else {
            format!("cannot create '{shown}' instances")
        }));
    }
    if has_extra(call) {
        if defined_in_script(call.vm, &class, "__new__") {
            return Err(call
                .vm
                .type_error("object.__new__() takes exactly one argument (the type to instantiate)"));
        }
        if !defined_in_script(call.vm, &class, "__init__") {
            return Err(call.vm.type_error(format!("{shown}() takes no arguments")));
        }
    }
    call.vm.check_abstract(&class)?;
    Ok(Instance::new(class).into())
}

/// Whether there are arguments beyond the first.
fn has_extra(call: &Call) -> bool {
    !call.rest().is_empty() || call.keywords().is_some_and(|named| !named.is_empty())
}

/// Whether a class or one of its bases in scripts has a method of that name.
fn defined_in_script(vm: &mut Vm, class: &Ref<Type>, name: &str) -> bool {
    vm.lookup(class, &Str::new(name)).is_some_and(|found| match found.view() {
        View::NativeFunction(_) => false,
        View::StaticMethod(method) => !method.function().is::<super::NativeFunction>(),
        _ => true,
    })
}

fn init(call: &mut Call) -> Res {
    if has_extra(call) {
        let class = call.vm.type_of(call.arg(0));
        if defined_in_script(call.vm, &class, "__init__") {
            return Err(call
                .vm
                .type_error("object.__init__() takes exactly one argument (the instance to initialize)"));
        }
        let makes_itself = class.kind != Tag::Instance || defined_in_script(call.vm, &class, "__new__");
        if !makes_itself {
            let shown = class.name();
            return Err(call.vm.type_error(format!(
                "{}.__init__() takes exactly one argument (the instance to initialize)",
                shown.as_str()
            )));
        }
    }
    Ok(Value::NONE)
}

fn init_subclass(call: &mut Call) -> Res {
    if has_extra(call) {
        let shown = call.class()?.name();
        let message = format!("{}.__init_subclass__() takes no keyword arguments", shown.as_str());
        return Err(call.vm.type_error(message));
    }
    Ok(Value::NONE)
}

fn repr(call: &mut Call) -> Res {
    let this = call.arg(0);
    let inner = Vm::unwrap_native(this);
    match inner.tag() {
        Tag::Instance | Tag::Exception | Tag::Foreign => Ok(Value::str(call.vm.plain_repr(this))),
        Tag::Type => Ok(Value::str(inner.get::<Type>().map(Type::display_name).unwrap_or_default())),
        Tag::Set | Tag::FrozenSet if this.is::<Instance>() => derived_set_repr(call, inner),
        _ => Ok(Value::str(call.vm.repr_of(inner)?)),
    }
}

/// `Class({1, 2})`: sets alone show their class.
fn derived_set_repr(call: &mut Call, inner: &Value) -> Res {
    let name = call.vm.type_name(call.arg(0));
    if call.vm.len(inner)? == 0 {
        return Ok(Value::str(format!("{name}()")));
    }
    let shown = call.vm.repr_of(inner)?;
    let items = shown.strip_prefix("frozenset(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(&shown);
    Ok(Value::str(format!("{name}({items})")))
}

impl Vm {
    /// `<module.Class object at 0x...>`, whatever methods the class has.
    pub(crate) fn plain_repr(&mut self, value: &Value) -> String {
        let class = self.type_of(value);
        let qualname = class.qualname.borrow().clone();
        let module = class.attributes.get_text("__module__");
        let module = match module.as_ref().and_then(Value::as_str) {
            Some("builtins") | None => String::new(),
            Some(module) => format!("{module}."),
        };
        format!("<{module}{} object at {:#x}>", qualname.as_str(), value.identity())
    }
}

fn text(call: &mut Call) -> Res {
    let this = call.arg(0);
    let inner = Vm::unwrap_native(this);
    if inner.is::<Str>() {
        return Ok(inner.clone());
    }
    let shown = if this.is::<Instance>() { call.vm.repr_of(this)? } else { call.vm.str_of(this)? };
    Ok(Value::str(shown))
}

fn format(call: &mut Call) -> Res {
    let this = call.arg(0);
    let spec = call.str(1)?;
    let mut out = String::new();
    if spec.is_empty() {
        call.vm.write_str(this, &mut out)?;
    } else {
        let inner = Vm::unwrap_native(this);
        call.vm.format_builtin(inner, spec, &mut out)?;
    }
    Ok(Value::str(out))
}

fn hash(call: &mut Call) -> Res {
    let this = call.arg(0);
    let inner = Vm::unwrap_native(this);
    let hash = match inner.tag() {
        Tag::Instance => call.vm.identity_hash(inner),
        _ => call.vm.hash(inner)?,
    };
    Ok(Value::int(hash as i64))
}

/// A comparison of built-in values that have one, else of identities.
fn compare(call: &mut Call, op: CompareOp) -> Res {
    let left = Vm::unwrap_native(call.arg(0));
    let right = Vm::unwrap_native(call.arg(1));
    if is_comparable(left, right, op) {
        return Ok(Value::bool(call.vm.compare_native(op, left, right)?));
    }
    if let (CompareOp::Eq, Some(answer)) = (op, crate::eval::type_equals_text(left, right)) {
        return Ok(Value::bool(answer));
    }
    let is_same = op == CompareOp::Eq && call.arg(0).same(call.arg(1));
    Ok(if is_same { Value::TRUE } else { Value::NOT_IMPLEMENTED })
}

/// Whether the two kinds of values know each other.
fn is_comparable(left: &Value, right: &Value, op: CompareOp) -> bool {
    /// Kinds that compare with each other share a number.
    fn family(value: &Value) -> Option<u8> {
        Some(match value.tag() {
            Tag::Bool | Tag::Int | Tag::BigInt | Tag::Float => 1,
            Tag::Complex => 1,
            Tag::Str => 2,
            Tag::Bytes | Tag::ByteArray => 3,
            Tag::List => 4,
            Tag::Tuple => 5,
            Tag::Dict => 6,
            Tag::Set | Tag::FrozenSet | Tag::DictView => 7,
            Tag::Range => 8,
            Tag::Slice => 9,
            Tag::BoundMethod => 10,
            _ => return None,
        })
    }
    let Some(kind) = family(left) else { return false };
    let has_no_order =
        matches!(kind, 6 | 8 | 9 | 10) || left.tag() == Tag::Complex || right.tag() == Tag::Complex;
    family(right) == Some(kind) && (op == CompareOp::Eq || !has_no_order)
}

fn not_equal(call: &mut Call) -> Res {
    // The opposite of whatever `==` the class has.
    let equal = match call.vm.special_method(call.arg(0), "__eq__")? {
        Some(method) => call.vm.call(&method, std::slice::from_ref(call.arg(1)))?,
        None => return Ok(Value::NOT_IMPLEMENTED),
    };
    if equal.is_not_implemented() {
        return Ok(equal);
    }
    Ok(Value::bool(!call.vm.truth(&equal)?))
}

fn get_attribute(call: &mut Call) -> Res {
    let name = call.attribute_name(1)?;
    let this = call.arg(0);
    let found = match this.tag() {
        Tag::Type | Tag::Super | Tag::Exception => call.vm.find_attribute(this, &name)?,
        _ => call.vm.plain_instance_attribute(this, &name)?,
    };
    match found {
        Some(value) => Ok(value),
        None => Err(call.vm.no_attribute(this, &name)),
    }
}

fn set_attribute(call: &mut Call) -> Res {
    let name = call.attribute_name(1)?;
    let (this, value) = (call.arg(0), call.arg(2).clone());
    store(call, this, &name, Some(value))
}

fn delete_attribute(call: &mut Call) -> Res {
    let name = call.attribute_name(1)?;
    store(call, call.arg(0), &name, None)
}

fn store(call: &mut Call, object: &Value, name: &Ref<Str>, value: Option<Value>) -> Res {
    if object.is::<Type>() {
        let method = call.native.name;
        let class = call.vm.type_name(object);
        return Err(call.vm.type_error(format!("can't apply this {method} to {class} object")));
    }
    call.vm.plain_store(object, name, value)?;
    Ok(Value::NONE)
}

/// A function of `copyreg`, which is written in ZPy.
fn by_copyreg(call: &mut Call, function: &str, args: &[Value]) -> Res {
    let module = call.vm.import_module("copyreg")?;
    call.vm.call_method(&module, function, args)
}

fn reduced(call: &mut Call, protocol: i64) -> Res {
    by_copyreg(call, "_object_reduce", &[call.arg(0).clone(), Value::int(protocol)])
}

fn reduce_ex(call: &mut Call) -> Res {
    let protocol = call.int(1)?;
    let class = call.vm.type_of(call.arg(0));
    let own = call.vm.lookup(&class, &Str::new("__reduce__"));
    let general = call.vm.types.object.clone();
    let general = call.vm.lookup(&general, &Str::new("__reduce__"));
    if own.zip(general).is_some_and(|(own, general)| !own.same(&general)) {
        return call.vm.call_method(call.arg(0), "__reduce__", &[]);
    }
    reduced(call, protocol)
}

fn state(call: &mut Call) -> Res {
    by_copyreg(call, "_getstate", &[call.arg(0).clone()])
}

fn set_class(call: &mut Call) -> Res {
    let Some(value) = call.opt(1) else {
        return Err(call.vm.type_error("can't delete __class__ attribute"));
    };
    call.vm.set_class(call.arg(0), value)?;
    Ok(Value::NONE)
}

fn dir(call: &mut Call) -> Res {
    let names = call.vm.attribute_names(call.arg(0));
    Ok(Value::list(names.into_iter().map(Value::str).collect()))
}

fn memory_size(call: &mut Call) -> Res {
    const HEADER: usize = 16;
    let items = match Vm::unwrap_native(call.arg(0)).view() {
        View::Str(text) => text.as_str().len(),
        View::Bytes(bytes) => bytes.data().len(),
        View::List(list) => list.len() * size_of::<Value>(),
        View::Tuple(tuple) => Tuple::len(tuple) * size_of::<Value>(),
        View::Dict(dict) => dict.len() * 40,
        View::Set(set) => set.borrow().slots() * 24,
        View::BigInt(big) => big.bits() as usize / 8,
        _ => 16,
    };
    Ok(Value::size(HEADER + items))
}

/// Methods of `none`.
pub const NONE: &[Native] = &[
    Native { name: "__new__", params: "cls, /", run: |_| Ok(Value::NONE), doc: "The one none." },
    Native { name: "__bool__", params: "self, /", run: |_| Ok(Value::FALSE), doc: "False." },
];

pub const ELLIPSIS: &[Native] =
    &[Native { name: "__new__", params: "cls, /", run: |_| Ok(Value::ELLIPSIS), doc: "The one ellipsis." }];

pub const NOT_IMPLEMENTED: &[Native] = &[Native {
    name: "__new__",
    params: "cls, /",
    run: |_| Ok(Value::NOT_IMPLEMENTED),
    doc: "The one answer of methods that know none.",
}];

/// A function bound to an object, as attribute access makes it.
pub fn bound(function: Value, receiver: Value) -> Value {
    Ref::new(BoundMethod { function, receiver }).into()
}
