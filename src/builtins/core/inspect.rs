//! Global functions that look at objects: attributes, types, identity, text.

use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::value::{BigInt, Module, Property, PropertyKind, Ref, Res, Str, Tag, Tuple, Type, Value, View};

pub static ROWS: &[Native] = &[
    Native {
        name: "isinstance",
        params: "obj, class_or_tuple, /",
        run: isinstance,
        doc: "Whether the object is an instance of the class, of one of a tuple of classes, or of a union.",
    },
    Native {
        name: "issubclass",
        params: "cls, class_or_tuple, /",
        run: issubclass,
        doc: "Whether a class is derived from the class, from one of a tuple of classes, or from a member of a union.",
    },
    Native {
        name: "getattr",
        params: "object, name, default=None, /",
        run: getattr,
        doc: "`object.name`; `default`, if given, where there is no such attribute.",
    },
    Native { name: "hasattr", params: "object, name, /", run: hasattr, doc: "Whether `object.name` exists." },
    Native { name: "setattr", params: "object, name, value, /", run: setattr, doc: "`object.name = value`." },
    Native { name: "delattr", params: "object, name, /", run: delattr, doc: "`del object.name`." },
    Native { name: "callable", params: "obj, /", run: callable, doc: "Whether the object can be called." },
    Native {
        name: "dir",
        params: "object=None, /",
        run: dir,
        doc: "The names of the object's attributes, sorted; without an object the names in the running module.",
    },
    Native {
        name: "vars",
        params: "object=None, /",
        run: vars,
        doc: "The object's `__dict__`; without an object the local variables.",
    },
    Native {
        name: "id",
        params: "obj, /",
        run: id,
        doc: "A number that tells the object from every other live one.",
    },
    Native {
        name: "hash",
        params: "obj, /",
        run: hash,
        doc: "The hash of a value; TypeError if it has none.",
    },
    Native {
        name: "repr",
        params: "obj, /",
        run: repr,
        doc: "The text of a value as it would be written in a program.",
    },
    Native {
        name: "ascii",
        params: "obj, /",
        run: ascii,
        doc: "As `repr`, with all characters beyond ASCII escaped.",
    },
    Native {
        name: "format",
        params: "value, format_spec='', /",
        run: format,
        doc: "The value as text, laid out as the format spec says.",
    },
    Native {
        name: "help",
        params: "object=None, /",
        run: help,
        doc: "Prints what is known about a function, type or module.",
    },
];

const NO_CLASS: &str = "isinstance() arg 2 must be a type, a tuple of types, or a union";
const NO_BASE: &str = "issubclass() arg 2 must be a class, a tuple of classes, or a union";

fn isinstance(call: &mut Call) -> Res {
    Ok(Value::bool(call.vm.instance_test(call.arg(0), call.arg(1))?))
}

fn issubclass(call: &mut Call) -> Res {
    Ok(Value::bool(call.vm.subclass_test(call.arg(0), call.arg(1))?))
}

impl Vm {
    /// `isinstance(object, wanted)`.
    pub fn instance_test(&mut self, object: &Value, wanted: &Value) -> Res<bool> {
        let own = self.type_of(object);
        if let Some(class) = wanted.get::<Type>()
            && std::ptr::eq(&*own, class)
        {
            return Ok(true);
        }
        if !wanted.is::<Type>()
            && let Some(answer) = self.test_members(wanted, |vm, member| vm.instance_test(object, member))?
        {
            return Ok(answer);
        }
        match self.ask_metaclass(wanted, "__instancecheck__", object)? {
            Some(answer) => Ok(answer),
            None => self.plain_instance_test(object, wanted),
        }
    }

    /// What `type.__instancecheck__` says.
    pub(crate) fn plain_instance_test(&mut self, object: &Value, wanted: &Value) -> Res<bool> {
        self.refuse_parameterized(wanted, "isinstance")?;
        let own = self.type_of(object);
        if let Some(class) = wanted.get::<Type>() {
            if own.is_subtype_of(class) {
                return Ok(true);
            }
            // An object may claim another class.
            let claimed = self.claimed_class(object, &own)?.and_then(|claimed| claimed.get_ref::<Type>());
            return Ok(claimed.is_some_and(|claimed| claimed.is_subtype_of(class)));
        }
        self.check_class_like(wanted, NO_CLASS)?;
        let claimed = self.find_attribute(object, &Str::new("__class__"));
        match self.catch(claimed, crate::eval::Exc::AttributeError)?.flatten() {
            Some(claimed) => self.is_derived(&claimed, wanted),
            None => Ok(false),
        }
    }

    /// `issubclass(class, wanted)`.
    pub fn subclass_test(&mut self, class: &Value, wanted: &Value) -> Res<bool> {
        if !wanted.is::<Type>()
            && let Some(answer) = self.test_members(wanted, |vm, member| vm.subclass_test(class, member))?
        {
            return Ok(answer);
        }
        match self.ask_metaclass(wanted, "__subclasscheck__", class)? {
            Some(answer) => Ok(answer),
            None => self.plain_subclass_test(class, wanted),
        }
    }

    /// What `type.__subclasscheck__` says.
    pub(crate) fn plain_subclass_test(&mut self, class: &Value, wanted: &Value) -> Res<bool> {
        self.refuse_parameterized(wanted, "issubclass")?;
        if let (Some(own), Some(wanted)) = (class.get::<Type>(), wanted.get::<Type>()) {
            return Ok(own.is_subtype_of(wanted));
        }
        self.check_class_like(class, "issubclass() arg 1 must be a class")?;
        self.check_class_like(wanted, NO_BASE)?;
        self.is_derived(class, wanted)
    }

    /// Refuses what is no class and does not look like one, which takes a tuple `__bases__`.
    fn check_class_like(&mut self, object: &Value, complaint: &str) -> Res<()> {
        if object.is::<Type>() || self.bases_of(object)?.is_some() {
            return Ok(());
        }
        Err(self.type_error(complaint))
    }

    /// `list[int]` has attributes of `list`, but is no class to test with.
    fn refuse_parameterized(&mut self, wanted: &Value, function: &str) -> Res<()> {
        if crate::value::generic_alias::parts(wanted).is_none() {
            return Ok(());
        }
        Err(self.type_error(format!("{function}() argument 2 cannot be a parameterized generic")))
    }

    fn bases_of(&mut self, object: &Value) -> Res<Option<Value>> {
        let bases = self.find_attribute(object, &Str::new("__bases__"));
        let bases = self.catch(bases, crate::eval::Exc::AttributeError)?.flatten();
        Ok(bases.filter(|bases| bases.is::<Tuple>()))
    }

    /// Whether `__bases__` leads from one object that looks like a class to another.
    fn is_derived(&mut self, class: &Value, wanted: &Value) -> Res<bool> {
        self.check_depth(" in __subclasscheck__")?;
        let mut class = class.clone();
        loop {
            if class.same(wanted) {
                return Ok(true);
            }
            let Some(bases) = self.bases_of(&class)? else { return Ok(false) };
            let bases = bases.get::<Tuple>().map(|tuple| tuple.items().to_vec()).unwrap_or_default();
            match &bases[..] {
                [] => return Ok(false),
                [base] => class = base.clone(),
                bases => {
                    for base in bases {
                        if self.is_derived(base, wanted)? {
                            return Ok(true);
                        }
                    }
                    return Ok(false);
                }
            }
        }
    }

    /// What a script's `__instancecheck__` or `__subclasscheck__` says.
    fn ask_metaclass(&mut self, wanted: &Value, name: &str, object: &Value) -> Res<Option<bool>> {
        let metaclass = self.type_of(wanted);
        if !metaclass.flags.is_user {
            return Ok(None);
        }
        match self.lookup(&metaclass, &Str::new(name)) {
            Some(found) if !found.is::<crate::value::NativeFunction>() => {}
            _ => return Ok(None),
        }
        let Some(method) = self.special_method(wanted, name)? else { return Ok(None) };
        let answer = self.call(&method, std::slice::from_ref(object))?;
        self.truth(&answer).map(Some)
    }

    /// Whether the test holds for a member of a tuple or union; `None` if `wanted` is neither.
    fn test_members(
        &mut self,
        wanted: &Value,
        test: impl Fn(&mut Vm, &Value) -> Res<bool>,
    ) -> Res<Option<bool>> {
        let members = match wanted.view() {
            View::Tuple(tuple) => tuple.items().to_vec(),
            _ if self.type_name(wanted) == "UnionType" => {
                match self.find_attribute(wanted, &Str::new("__args__"))? {
                    Some(members) => members.get::<Tuple>().map_or(Vec::new(), |t| t.items().to_vec()),
                    None => return Ok(None),
                }
            }
            _ => return Ok(None),
        };
        self.check_depth(" in __instancecheck__")?;
        for member in &members {
            let member = if member.is_none() { self.type_of(member).into() } else { member.clone() };
            if test(self, &member)? {
                return Ok(Some(true));
            }
        }
        Ok(Some(false))
    }

    /// What an object whose class does something about it claims as its `__class__`.
    fn claimed_class(&mut self, object: &Value, own: &Ref<Type>) -> Res<Option<Value>> {
        let name = self.names.class.clone();
        let is_plain =
            |found: &Value| found.get::<Property>().is_some_and(|p| p.kind() == PropertyKind::Computed);
        if !own.flags.is_user
            || self.lookup(own, &name).is_some_and(|found| is_plain(&found))
                && !self.has_custom_getattribute(own)
        {
            return Ok(None);
        }
        let claimed = self.find_attribute(object, &name);
        Ok(self.catch(claimed, crate::eval::Exc::AttributeError)?.flatten())
    }
}

fn getattr(call: &mut Call) -> Res {
    let name = call.attribute_name(1)?;
    let Some(default) = call.opt(2) else { return call.vm.get_attribute(call.arg(0), &name) };
    let found = call.vm.find_attribute(call.arg(0), &name);
    let found = call.vm.catch(found, crate::eval::Exc::AttributeError)?;
    Ok(found.flatten().unwrap_or_else(|| default.clone()))
}

fn hasattr(call: &mut Call) -> Res {
    let name = call.attribute_name(1)?;
    Ok(Value::bool(call.vm.has_attribute(call.arg(0), name.as_str())?))
}

fn setattr(call: &mut Call) -> Res {
    let name = call.attribute_name(1)?;
    call.vm.set_attribute(call.arg(0), &name, call.arg(2).clone())?;
    Ok(Value::NONE)
}

fn delattr(call: &mut Call) -> Res {
    let name = call.attribute_name(1)?;
    call.vm.delete_attribute(call.arg(0), &name)?;
    Ok(Value::NONE)
}

fn callable(call: &mut Call) -> Res {
    Ok(Value::bool(call.vm.is_callable(call.arg(0))))
}

fn dir(call: &mut Call) -> Res {
    let Some(object) = call.opt(0) else {
        let variables = super::running::locals(call)?;
        let names = call.vm.collect(&variables)?;
        return Ok(Value::list(call.vm.sort_values(names, None, false)?));
    };
    let method = match object.view() {
        // A script's `__dir__` is the folder it is in.
        View::Module(module) => module.get_text("__dir__").filter(|hook| !hook.is::<Str>()),
        _ => own_dir(call.vm, object)?,
    };
    if let Some(method) = method {
        let names = call.vm.call(&method, &[])?;
        let names = call.vm.collect(&names)?;
        return Ok(Value::list(call.vm.sort_values(names, None, false)?));
    }
    Ok(Value::list(call.vm.attribute_names(object).iter().map(Value::str).collect()))
}

/// A `__dir__` that a script's class defines.
fn own_dir(vm: &mut Vm, object: &Value) -> Res<Option<Value>> {
    let class = vm.type_of(object);
    match vm.lookup(&class, &Str::new("__dir__")) {
        Some(found) if !found.is::<crate::value::NativeFunction>() => vm.special_method(object, "__dir__"),
        _ => Ok(None),
    }
}

fn vars(call: &mut Call) -> Res {
    let Some(object) = call.opt(0) else { return super::running::locals(call) };
    if let Some(module) = object.get_ref::<Module>() {
        return Ok(crate::builtins::mapping::of_module(module));
    }
    let found = call.vm.find_attribute(object, &Str::new("__dict__"));
    match call.vm.catch(found, crate::eval::Exc::AttributeError)?.flatten() {
        Some(dict) => Ok(dict),
        None => Err(call.vm.type_error("vars() argument must have __dict__ attribute")),
    }
}

fn id(call: &mut Call) -> Res {
    Ok(Value::big(BigInt::from(call.arg(0).identity())))
}

fn hash(call: &mut Call) -> Res {
    Ok(Value::int(call.vm.hash(call.arg(0))? as i64))
}

fn repr(call: &mut Call) -> Res {
    Ok(Value::str(call.vm.repr_of(call.arg(0))?))
}

fn ascii(call: &mut Call) -> Res {
    let shown = call.vm.repr_of(call.arg(0))?;
    Ok(Value::str(crate::text::repr::escape_non_ascii(&shown)))
}

fn format(call: &mut Call) -> Res {
    let spec = match call.opt(1) {
        Some(spec) => match Vm::unwrap_native(spec).as_str() {
            Some(spec) => spec,
            None => {
                let got = call.vm.type_name(spec);
                return Err(call.vm.type_error(format!("format() argument 2 must be str, not {got}")));
            }
        },
        None => "",
    };
    let mut out = String::new();
    call.vm.format_into(call.arg(0), spec, &mut out)?;
    Ok(Value::str(out))
}

fn help(call: &mut Call) -> Res {
    let Some(object) = call.opt(0) else {
        call.vm.write_stdout("help(x) tells what is known about x; dir(x) lists its attributes.\n")?;
        return Ok(Value::NONE);
    };
    let shown = describe(call, object)?;
    call.vm.write_stdout(&shown)?;
    Ok(Value::NONE)
}

fn describe(call: &mut Call, object: &Value) -> Res<String> {
    let head = match object.view() {
        View::NativeFunction(f) => format!("{}({})", f.native.name.trim_start_matches('.'), f.native.params),
        View::Function(f) => {
            let params = &f.code.params;
            let names: Vec<&str> = f.code.slot_names[..params.count()].iter().map(|n| n.as_str()).collect();
            format!("{}({})", f.name.borrow().as_str(), names.join(", "))
        }
        View::BoundMethod(m) => {
            let function = m.function.clone();
            return describe(call, &function);
        }
        _ => call.vm.repr_of(object)?,
    };
    let doc = call.vm.find_attribute(object, &Str::new("__doc__"))?;
    let mut out = head;
    out.push('\n');
    if let Some(doc) = doc.as_ref().and_then(Value::as_str) {
        doc.lines().for_each(|line| out.push_str(&format!("    {}\n", line.trim())));
    }
    if matches!(object.tag(), Tag::Type | Tag::Module) {
        let names = call.vm.attribute_names(object);
        let names: Vec<&str> = names.iter().map(String::as_str).filter(|n| !n.starts_with('_')).collect();
        out.push_str(&format!("    {}\n", names.join(" ")));
    }
    Ok(out)
}
