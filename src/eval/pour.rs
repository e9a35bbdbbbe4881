//! From rows to attributes: what the table of a built-in type holds.
//!
//! Rows wait until the table is first searched. A row named `.x` is a computed attribute `x` and `.x=` its setter
//! (called without a value, it deletes); a row whose first parameter is `cls` is a class method, one without `self` a
//! static method.

use crate::call::{Native, Signature};
use crate::value::{ClassMethod, NativeFunction, NativeKind, Property, Ref, StaticMethod, Tag, Type, Value};
use std::rc::Rc;

/// Turns the rows waiting in a type into attributes.
pub(super) fn pour(class: &Ref<Type>) {
    let rows = class.pending.replace(&[]);
    for native in rows.iter().filter(|native| !is_setter(native)) {
        class.attributes.set_text(native.name.trim_start_matches('.'), method_value(native, rows, class));
    }
    if !class.flags.is_user && !class.bases.borrow().is_empty() {
        for native in shared_rows(class.kind) {
            if class.attributes.get_text(native.name).is_none() {
                class.attributes.set_text(native.name, method_value(native, &[], class));
            }
        }
    }
    let is_changeable = matches!(class.kind, Tag::List | Tag::Dict | Tag::Set | Tag::ByteArray | Tag::Slice);
    let is_key = class.kind == Tag::Foreign && class.name().as_str() == crate::builtins::functools::KEY_TYPE;
    if (is_changeable || is_key) && !class.flags.is_user {
        class.attributes.set_text("__hash__", Value::NONE);
    }
}

/// Gives a class native methods.
pub(crate) fn add_rows(class: &Ref<Type>, rows: &'static [Native]) {
    class.pending.set(rows);
    pour(class);
    class.touch();
}

fn is_setter(native: &Native) -> bool {
    native.name.starts_with('.') && native.name.ends_with('=')
}

/// Methods of `object` that a built-in type has for itself: in a class derived from it and a script's class, they come
/// before those of the script's class.
fn shared_rows(kind: Tag) -> impl Iterator<Item = &'static Native> {
    let names: &[&str] = match kind {
        Tag::Int | Tag::Float | Tag::Complex | Tag::Str => &[
            "__repr__",
            "__format__",
            "__hash__",
            "__eq__",
            "__ne__",
            "__lt__",
            "__le__",
            "__gt__",
            "__ge__",
        ],
        Tag::Bytes | Tag::ByteArray | Tag::List | Tag::Tuple | Tag::Dict | Tag::Set | Tag::FrozenSet => {
            &["__repr__", "__hash__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"]
        }
        _ => &[],
    };
    crate::builtins::methods::OBJECT.iter().filter(move |native| names.contains(&native.name))
}

/// A row as a function of its type.
fn function(native: &'static Native, owner: &Ref<Type>) -> Value {
    let mut signature = match Signature::parse(native.params) {
        Ok(signature) => signature,
        Err(piece) => unreachable!("row {}: bad parameter {piece:?}; a test checks every row", native.name),
    };
    signature.is_constructor = native.name == "__new__";
    let is_bound = matches!(signature.positional.first().map(|p| p.name), Some("self" | "cls"));
    let kind = kind_of(native, signature.positional.first().map(|p| p.name));
    let owner = is_bound.then(|| owner.clone());
    Ref::new(NativeFunction { native, signature: Rc::new(signature), owner, module: "builtins", kind }).into()
}

/// Special methods that Python's built-in types define as ordinary methods.
const ORDINARY: &[&str] = &[
    "__bytes__",
    "__ceil__",
    "__class_getitem__",
    "__complex__",
    "__copy__",
    "__deepcopy__",
    "__dir__",
    "__enter__",
    "__exit__",
    "__floor__",
    "__format__",
    "__getnewargs__",
    "__getstate__",
    "__instancecheck__",
    "__length_hint__",
    "__missing__",
    "__prepare__",
    "__reduce__",
    "__reduce_ex__",
    "__reversed__",
    "__round__",
    "__setstate__",
    "__set_name__",
    "__sizeof__",
    "__subclasscheck__",
    "__subclasses__",
    "__trunc__",
];

fn kind_of(native: &Native, first: Option<&str>) -> NativeKind {
    let is_special = native.name.starts_with("__") && native.name.ends_with("__");
    match first {
        Some("self") if is_special && !ORDINARY.contains(&native.name) => NativeKind::Slot,
        Some("self") => NativeKind::Method,
        _ => NativeKind::Function,
    }
}

/// What a type holds for a row; `rows` are searched for the setter of a computed attribute.
pub(super) fn method_value(native: &'static Native, rows: &'static [Native], owner: &Ref<Type>) -> Value {
    let made = function(native, owner);
    if let Some(name) = native.name.strip_prefix('.') {
        let setter = rows.iter().find(|row| is_setter(row) && row.name[1..row.name.len() - 1] == *name);
        let set = setter.map_or(Value::NONE, |setter| function(setter, owner));
        let property = Property::new(made, set.clone(), set, Value::str(native.doc));
        *property.name.borrow_mut() = Value::str(name);
        return Ref::new(property).into();
    }
    match made.get::<NativeFunction>().and_then(|f| f.signature.positional.first()).map(|p| p.name) {
        Some("self") => made,
        Some("cls") if native.name != "__new__" => Ref::new(ClassMethod::new(made)).into(),
        _ => Ref::new(StaticMethod::new(made)).into(),
    }
}
