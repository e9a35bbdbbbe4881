//! `list[int]`: a built-in type with parameters, for annotations. Calling it calls the type.

use super::{Foreign, Ref, Res, Str, Type, Value, View};
use crate::call::{Call, Native};
use crate::eval::Vm;
use std::cell::RefCell;

/// Python's name of the type of these.
pub const TYPE_NAME: &str = "GenericAlias";

pub const GENERIC_ALIAS: &[Native] = &[
    super::reduce::GENERIC_ALIAS,
    Native {
        name: "__new__",
        params: "cls, origin, args, /",
        run: |call| Ok(new(call.arg(1), call.arg(2))),
        doc: "A type with parameters, a tuple if there are several.",
    },
    Native {
        name: "__new__",
        params: "cls, origin, args, /",
        run: |call| Ok(new(call.arg(1), call.arg(2))),
        doc: "A type with parameters: a tuple of them, or a single one.",
    },
    Native {
        name: ".__origin__",
        params: "self",
        run: |call| Ok(this(call)?.0),
        doc: "The type without parameters.",
    },
    Native {
        name: ".__args__",
        params: "self",
        run: |call| Ok(Value::tuple(this(call)?.1)),
        doc: "The parameters, as a tuple.",
    },
    Native {
        name: ".__parameters__",
        params: "self",
        run: |call| {
            let (_, args) = this(call)?;
            Ok(Value::tuple(variables(call.vm, &args)?))
        },
        doc: "Type variables among the parameters.",
    },
    Native {
        name: ".__unpacked__",
        params: "self",
        run: |call| Ok(Value::bool(is_unpacked(call.arg(0)))),
        doc: "Whether it stands for its parameters, as in `*tuple[int, ...]`.",
    },
    Native { name: "__iter__", params: "self, /", run: unpack, doc: "The alias as `*` of it." },
    Native { name: "__call__", params: "self, /, *args, **keywords", run: make, doc: "Calls the type." },
    Native {
        name: "__getitem__",
        params: "self, key, /",
        run: substitute,
        doc: "The alias with types in the place of its type variables.",
    },
    Native {
        name: "__getattr__",
        params: "self, name, /",
        run: of_origin,
        doc: "An attribute of the type without parameters.",
    },
    Native {
        name: "__mro_entries__",
        params: "self, bases, /",
        run: |call| Ok(Value::tuple(vec![this(call)?.0])),
        doc: "The type, as the base it stands for.",
    },
    Native {
        name: "__or__",
        params: "self, other, /",
        run: |call| super::union::unite(call.vm, call.arg(0), call.arg(1)),
        doc: "`self | other`.",
    },
    Native {
        name: "__ror__",
        params: "self, other, /",
        run: |call| super::union::unite(call.vm, call.arg(1), call.arg(0)),
        doc: "`other | self`.",
    },
    Native {
        name: "__eq__",
        params: "self, other, /",
        run: equals,
        doc: "Whether both are the same type with equal parameters.",
    },
    Native { name: "__hash__", params: "self, /", run: hash, doc: "`hash(self)`." },
    Native { name: "__repr__", params: "self, /", run: repr, doc: "`repr(self)`." },
];

/// What an alias holds.
#[derive(Clone)]
struct Alias {
    origin: Value,
    args: Vec<Value>,
    /// It stands for its parameters, as in `*tuple[int, ...]`.
    is_unpacked: bool,
}

impl Alias {
    fn into_value(self) -> Value {
        Ref::new(Foreign { type_name: TYPE_NAME, data: RefCell::new(Box::new(self)) }).into()
    }
}

/// `origin[key]`.
pub fn new(origin: &Value, key: &Value) -> Value {
    let args = match key.view() {
        View::Tuple(args) => args.items().to_vec(),
        _ => vec![key.clone()],
    };
    Alias { origin: origin.clone(), args, is_unpacked: false }.into_value()
}

fn alias_of(value: &Value) -> Option<Alias> {
    match Vm::unwrap_native(value).view() {
        View::Foreign(object) if object.type_name == TYPE_NAME => {
            object.data.borrow().downcast_ref::<Alias>().cloned()
        }
        _ => None,
    }
}

/// Type and parameters; `None` if the value is no alias.
pub fn parts(value: &Value) -> Option<(Value, Vec<Value>)> {
    alias_of(value).map(|alias| (alias.origin, alias.args))
}

fn is_unpacked(value: &Value) -> bool {
    alias_of(value).is_some_and(|alias| alias.is_unpacked)
}

/// What `*alias` gives: one alias that stands for its parameters.
fn unpack(call: &mut Call) -> Res {
    let Some(alias) = alias_of(call.arg(0)) else { return Err(call.wrong_type(0, TYPE_NAME)) };
    let unpacked = Alias { is_unpacked: true, ..alias }.into_value();
    call.vm.iter(&Value::tuple(vec![unpacked]))
}

fn this(call: &mut Call) -> Res<(Value, Vec<Value>)> {
    match parts(call.arg(0)) {
        Some(parts) => Ok(parts),
        None => Err(call.wrong_type(0, TYPE_NAME)),
    }
}

/// What is not an attribute of the alias is one of its type, except for what copying looks for.
fn of_origin(call: &mut Call) -> Res {
    const OWN: [&str; 3] = ["__copy__", "__deepcopy__", "__typing_unpacked_tuple_args__"];
    let name = call.str_object(1)?.as_str();
    let name = Str::new(name);
    if OWN.contains(&name.as_str()) {
        return Err(call.vm.no_attribute(call.arg(0), &name));
    }
    let (origin, _) = this(call)?;
    call.vm.get_attribute(&origin, &name)
}

/// The type variables in a list of parameters, each once.
pub fn variables(vm: &mut Vm, args: &[Value]) -> Res<Vec<Value>> {
    let mut found: Vec<Value> = Vec::new();
    for arg in args.iter().filter(|arg| !arg.is::<Type>()) {
        let inner = match vm.type_name(arg).as_str() {
            "TypeVar" | "ParamSpec" | "TypeVarTuple" => vec![arg.clone()],
            _ => parameters_of(vm, arg)?,
        };
        for variable in inner {
            if !found.iter().any(|known| known.same(&variable)) {
                found.push(variable);
            }
        }
    }
    Ok(found)
}

fn parameters_of(vm: &mut Vm, value: &Value) -> Res<Vec<Value>> {
    let parameters = vm.find_attribute(value, &Str::new("__parameters__"))?;
    Ok(parameters.and_then(|p| p.get::<super::Tuple>().map(|p| p.items().to_vec())).unwrap_or_default())
}

/// `alias[types]`
fn substitute(call: &mut Call) -> Res {
    let (origin, args) = this(call)?;
    let filled = fill_in(call.vm, call.arg(0), &args, call.arg(1))?;
    Ok(new(&origin, &Value::tuple(filled)))
}

/// The parameters of `generic` with types in the place of their type variables: `given` is one or a tuple of them.
///
/// # Errors
/// `TypeError`: there are no type variables, or not as many.
pub fn fill_in(vm: &mut Vm, generic: &Value, args: &[Value], given: &Value) -> Res<Vec<Value>> {
    let parameters = variables(vm, args)?;
    if parameters.is_empty() {
        let shown = vm.repr_of(generic)?;
        return Err(vm.type_error(format!("{shown} is not a generic class")));
    }
    let given = match given.get::<super::Tuple>() {
        Some(tuple) => tuple.items().to_vec(),
        None => vec![given.clone()],
    };
    if given.len() != parameters.len() {
        let what = if given.len() > parameters.len() { "many" } else { "few" };
        let shown = vm.repr_of(generic)?;
        return Err(vm.type_error(format!(
            "Too {what} arguments for {shown}; actual {}, expected {}",
            given.len(),
            parameters.len()
        )));
    }
    let of = |variable: &Value| parameters.iter().position(|p| p.same(variable)).map(|i| given[i].clone());
    let mut filled = Vec::with_capacity(args.len());
    for arg in args {
        if let Some(value) = of(arg) {
            filled.push(value);
            continue;
        }
        let inner = if arg.is::<Type>() { Vec::new() } else { parameters_of(vm, arg)? };
        filled.push(match inner.is_empty() {
            true => arg.clone(),
            false => {
                let values = inner.iter().filter_map(of).collect();
                vm.get_item(arg, &Value::tuple(values))?
            }
        });
    }
    Ok(filled)
}

fn make(call: &mut Call) -> Res {
    let (origin, _) = this(call)?;
    let named = call.keyword_pairs();
    call.vm.call_with_keywords(&origin, call.rest(), &named)
}

fn equals(call: &mut Call) -> Res {
    let (origin, args) = this(call)?;
    let Some((other_origin, other_args)) = parts(call.arg(1)) else { return Ok(Value::NOT_IMPLEMENTED) };
    let same = is_unpacked(call.arg(0)) == is_unpacked(call.arg(1))
        && origin.same(&other_origin)
        && call.vm.eq(&Value::tuple(args), &Value::tuple(other_args))?;
    Ok(Value::bool(same))
}

fn hash(call: &mut Call) -> Res {
    let (origin, args) = this(call)?;
    let hash = call.vm.hash(&Value::tuple(args))? ^ origin.identity();
    Ok(Value::int(hash as i64))
}

fn repr(call: &mut Call) -> Res {
    let (origin, args) = this(call)?;
    let origin = origin.get::<Type>().map(Type::display_name).unwrap_or_default();
    let mut shown = Vec::with_capacity(args.len());
    for arg in &args {
        shown.push(parameter_text(call.vm, arg)?);
    }
    let shown = if shown.is_empty() { "()".to_string() } else { shown.join(", ") };
    let star = if is_unpacked(call.arg(0)) { "*" } else { "" };
    Ok(Value::str(format!("{star}{origin}[{shown}]")))
}

fn parameter_text(vm: &mut Vm, value: &Value) -> Res<String> {
    match value.view() {
        View::Ellipsis => Ok("...".to_string()),
        _ => vm.repr_of(value),
    }
}
