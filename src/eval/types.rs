//! The built-in types of one interpreter, and which type a value has.

use super::{Exc, Vm};
use crate::call::Native;
use crate::value::types::Flags;
use crate::value::{NativeFunction, NativeKind, PropertyKind, Ref, Tag, Type, Value, View, dict};

/// Built-in type objects, by the tag of their values and by name.
pub struct Types {
    by_tag: Vec<Ref<Type>>,
    exceptions: Vec<Ref<Type>>,
    pub object: Ref<Type>,
    pub type_: Ref<Type>,
    /// Kinds of iterator, made when first asked for.
    iterators: std::cell::RefCell<Vec<(&'static str, Ref<Type>)>>,
}

/// Python name, ZPy name where it differs, tag, whether it can be a base class, methods.
type Row = (&'static str, Option<&'static str>, Tag, bool, &'static [Native]);

fn rows() -> Vec<Row> {
    use crate::builtins::methods as m;
    vec![
        ("NoneType", Some("none"), Tag::None, false, m::NONE),
        ("int", None, Tag::Int, true, m::INT),
        ("float", None, Tag::Float, true, m::FLOAT),
        ("complex", None, Tag::Complex, true, m::COMPLEX),
        ("ellipsis", None, Tag::Ellipsis, false, m::ELLIPSIS),
        ("NotImplementedType", None, Tag::NotImplemented, false, m::NOT_IMPLEMENTED),
        ("str", Some("string"), Tag::Str, true, m::STR),
        ("bytes", None, Tag::Bytes, true, m::BYTES),
        ("bytearray", None, Tag::ByteArray, true, m::BYTEARRAY),
        ("memoryview", None, Tag::MemoryView, false, m::MEMORY_VIEW),
        ("mappingproxy", None, Tag::MappingProxy, false, m::MAPPING_PROXY),
        ("list", None, Tag::List, true, m::LIST),
        ("tuple", None, Tag::Tuple, true, m::TUPLE),
        ("dict", None, Tag::Dict, true, m::DICT),
        ("set", None, Tag::Set, true, m::SET),
        ("frozenset", None, Tag::FrozenSet, true, m::FROZENSET),
        ("range", None, Tag::Range, false, m::RANGE),
        ("slice", None, Tag::Slice, false, m::SLICE),
        ("cell", None, Tag::Cell, false, m::CELL),
        ("function", None, Tag::Function, false, m::FUNCTION),
        ("builtin_function_or_method", Some("function"), Tag::NativeFunction, false, m::BUILTIN),
        ("method", None, Tag::BoundMethod, false, m::METHOD),
        ("property", None, Tag::Property, true, m::PROPERTY),
        ("staticmethod", None, Tag::StaticMethod, true, m::STATIC_METHOD),
        ("classmethod", None, Tag::ClassMethod, true, m::CLASS_METHOD),
        ("super", None, Tag::Super, true, m::SUPER),
        ("module", None, Tag::Module, true, m::MODULE),
        ("TextIOWrapper", None, Tag::File, false, m::FILE),
        ("foreign", None, Tag::Foreign, false, &[]),
        ("global", None, Tag::GlobalVar, false, &[]),
        ("iterator", None, Tag::Iter, false, m::ITERATOR),
        ("generator", None, Tag::Generator, false, m::GENERATOR),
    ]
}

impl Types {
    pub fn new() -> Types {
        let base = |is_base| Flags { is_base, is_slotted: true, ..Flags::default() };
        let object_flags = base(true);
        let object = finish(Type::new("object", vec![], Tag::Instance, object_flags));
        object.pending.set(crate::builtins::methods::OBJECT);
        let type_ = finish(Type::new("type", vec![object.clone()], Tag::Type, base(true)));
        type_.pending.set(crate::builtins::methods::TYPE);
        let mut by_tag = vec![object.clone(); Tag::COUNT];
        by_tag[Tag::Type as usize] = type_.clone();
        for (name, display, tag, is_base, methods) in rows() {
            by_tag[tag as usize] = builtin(name, display, vec![object.clone()], tag, base(is_base), methods);
        }
        let int = by_tag[Tag::Int as usize].clone();
        by_tag[Tag::BigInt as usize] = int.clone();
        by_tag[Tag::Bool as usize] =
            builtin("bool", None, vec![int], Tag::Bool, base(false), crate::builtins::methods::BOOL);
        let mut exceptions: Vec<Ref<Type>> = Vec::with_capacity(Exc::ALL.len());
        for &(_, name, parent) in Exc::ALL {
            let bases = match parent {
                Some(Exc::BaseExceptionGroup) => {
                    vec![
                        exceptions[Exc::BaseExceptionGroup as usize].clone(),
                        exceptions[Exc::Exception as usize].clone(),
                    ]
                }
                Some(parent) => vec![exceptions[parent as usize].clone()],
                None => vec![object.clone()],
            };
            let methods = crate::builtins::methods::of_exception(name);
            let flags = Flags { is_base: true, ..Flags::default() };
            exceptions.push(builtin(name, None, bases, Tag::Exception, flags, methods));
        }
        by_tag[Tag::Exception as usize] = exceptions[Exc::Exception as usize].clone();
        Types { by_tag, exceptions, object, type_, iterators: Default::default() }
    }

    #[inline(always)]
    pub fn of_tag(&self, tag: Tag) -> &Ref<Type> {
        &self.by_tag[tag as usize]
    }

    pub fn exception(&self, kind: Exc) -> Ref<Type> {
        self.exceptions[kind as usize].clone()
    }

    /// Whether this is the built-in exception class of that kind.
    pub fn is_exception(&self, class: &Ref<Type>, kind: Exc) -> bool {
        Ref::ptr_eq(class, &self.exceptions[kind as usize])
    }

    /// A type by the name scripts call it, if it is a builtin.
    pub fn builtin(&self, name: &str) -> Option<Ref<Type>> {
        match name {
            "object" => return Some(self.object.clone()),
            "type" => return Some(self.type_.clone()),
            "IOError" | "EnvironmentError" => return Some(self.exception(Exc::OSError)),
            "enumerate" => return Some(self.named("enumerate", Tag::Iter)),
            "zip" => return Some(self.named("zip", Tag::Iter)),
            "map" => return Some(self.named("map", Tag::Iter)),
            "filter" => return Some(self.named("filter", Tag::Iter)),
            "reversed" => return Some(self.named("reversed", Tag::Iter)),
            _ => {}
        }
        const HIDDEN: &[Tag] = &[
            Tag::None,
            Tag::Ellipsis,
            Tag::NotImplemented,
            Tag::Cell,
            Tag::Function,
            Tag::NativeFunction,
            Tag::BoundMethod,
            Tag::Module,
            Tag::File,
            Tag::Foreign,
            Tag::GlobalVar,
            Tag::Iter,
            Tag::Generator,
            Tag::DictView,
            Tag::MappingProxy,
        ];
        let plain = self
            .by_tag
            .iter()
            .chain(&self.exceptions)
            .find(|t| t.name.borrow().as_str() == name && !HIDDEN.contains(&t.kind));
        plain.cloned()
    }

    /// Every name `builtin` knows.
    pub fn builtin_names(&self) -> Vec<String> {
        let all = self.by_tag.iter().chain(&self.exceptions).map(|t| t.name().as_str().to_string());
        let more = [
            "object",
            "type",
            "IOError",
            "EnvironmentError",
            "enumerate",
            "zip",
            "map",
            "filter",
            "reversed",
        ];
        all.chain(more.map(String::from)).filter(|n| self.builtin(n).is_some()).collect()
    }

    /// The type of a kind of iterator or view, by Python's name for it.
    pub(crate) fn named(&self, name: &'static str, tag: Tag) -> Ref<Type> {
        if let Some((_, found)) = self.iterators.borrow().iter().find(|(n, _)| *n == name) {
            return found.clone();
        }
        let methods = match name {
            "dict_keys" => crate::builtins::methods::DICT_KEYS,
            "dict_values" => crate::builtins::methods::DICT_VALUES,
            "dict_items" => crate::builtins::methods::DICT_ITEMS,
            "getset_descriptor" | "member_descriptor" => crate::builtins::methods::MEMBER,
            _ if matches!(tag, Tag::NativeFunction | Tag::BoundMethod) => {
                crate::builtins::methods::DESCRIPTOR
            }
            "classmethod_descriptor" => crate::builtins::methods::CLASS_METHOD,
            _ if tag == Tag::File => crate::builtins::methods::FILE,
            _ if tag == Tag::Foreign => crate::builtins::methods::of_foreign(name),
            _ => crate::builtins::methods::ITERATOR,
        };
        use crate::value::{generic_alias, weak};
        let is_base = !crate::builtins::methods::constructor_of(name).is_empty()
            || [weak::TYPE_NAME, generic_alias::TYPE_NAME].contains(&name);
        let flags = Flags { is_slotted: true, is_base, ..Flags::default() };
        let made = builtin(name, None, vec![self.object.clone()], tag, flags, methods);
        if matches!(tag, Tag::Iter | Tag::File) {
            super::pour::pour(&made);
            made.pending.set(crate::builtins::methods::constructor_of(name));
        }
        if tag == Tag::File && !matches!(name, "StringIO" | "BytesIO") {
            // What derives from files over other files closes in its own way when it dies.
            made.has_del.set(true);
        }
        self.iterators.borrow_mut().push((name, made.clone()));
        made
    }
}

fn builtin(
    name: &'static str,
    display: Option<&'static str>,
    bases: Vec<Ref<Type>>,
    kind: Tag,
    flags: Flags,
    methods: &'static [Native],
) -> Ref<Type> {
    let mut made = Type::new(name, bases, kind, flags);
    made.display = display;
    made.pending.set(methods);
    finish(made)
}

/// Fills in the resolution order of a type with at most one line of bases.
fn finish(made: Type) -> Ref<Type> {
    let made = Ref::new(made);
    let mut mro = vec![made.clone()];
    let bases = made.bases.borrow().clone();
    let lines: Vec<_> = bases.iter().map(|base| base.mro.borrow().clone()).collect();
    for line in &lines {
        for t in line {
            // A base shared by several lines goes after all of them.
            mro.retain(|m| !Ref::ptr_eq(m, t));
            mro.push(t.clone());
        }
    }
    for base in &bases {
        base.subclasses.borrow_mut().push(made.as_ptr());
    }
    *made.mro.borrow_mut() = mro;
    made
}

/// Python's name of a value's type, for code that has no interpreter at hand.
pub fn python_name(value: &Value) -> String {
    match value.view() {
        View::Instance(instance) => instance.class().name().as_str().to_string(),
        View::Exception(exception) => exception.class().name().as_str().to_string(),
        View::Iter(iter) => iter.type_name().to_string(),
        View::Foreign(object) => object.type_name.to_string(),
        View::Bool(_) => "bool".to_string(),
        View::BigInt(_) => "int".to_string(),
        View::Type(_) => "type".to_string(),
        _ => match rows().iter().find(|row| row.2 == value.tag()) {
            Some(row) => row.0.to_string(),
            None => format!("{:?}", value.tag()),
        },
    }
}

impl Vm {
    /// The type of a value.
    #[inline]
    pub fn type_of(&self, value: &Value) -> Ref<Type> {
        match value.view() {
            View::Instance(instance) => instance.class(),
            View::Exception(exception) => exception.class(),
            View::Iter(iter) => self.types.named(iter.type_name(), Tag::Iter),
            View::DictView(view) => self.types.named(
                match view.kind {
                    dict::ViewKind::Keys => "dict_keys",
                    dict::ViewKind::Values => "dict_values",
                    dict::ViewKind::Items => "dict_items",
                },
                Tag::DictView,
            ),
            View::Type(class) => match class.metaclass.borrow().get_ref::<Type>() {
                Some(metaclass) => metaclass,
                None => self.types.type_.clone(),
            },
            View::Module(module) => match module.class.borrow().get_ref::<Type>() {
                Some(class) => class,
                None => self.types.of_tag(Tag::Module).clone(),
            },
            View::File(file) => self.types.named(file.type_name(), Tag::File),
            // As in Python, a method of a built-in value is a builtin and not a `method`.
            View::BoundMethod(method) if method.function.is::<NativeFunction>() => {
                match method.function.get::<NativeFunction>().map(|f| f.kind) {
                    Some(NativeKind::Slot) => self.types.named("method-wrapper", Tag::BoundMethod),
                    _ => self.types.of_tag(Tag::NativeFunction).clone(),
                }
            }
            View::NativeFunction(function) => match function.kind {
                NativeKind::Function => self.types.of_tag(Tag::NativeFunction).clone(),
                NativeKind::Method => self.types.named("method_descriptor", Tag::NativeFunction),
                NativeKind::Slot => self.types.named("wrapper_descriptor", Tag::NativeFunction),
            },
            View::Property(property) => match property.kind() {
                PropertyKind::Property => self.types.of_tag(Tag::Property).clone(),
                PropertyKind::Computed => self.types.named("getset_descriptor", Tag::Property),
                PropertyKind::Member => self.types.named("member_descriptor", Tag::Property),
            },
            View::ClassMethod(method) if method.function.borrow().is::<NativeFunction>() => {
                self.types.named("classmethod_descriptor", Tag::ClassMethod)
            }
            View::Foreign(object) => self.types.named(object.type_name, Tag::Foreign),
            _ => self.types.of_tag(value.tag()).clone(),
        }
    }

    /// Python's name of a value's type, as in messages.
    pub fn type_name(&self, value: &Value) -> String {
        self.type_of(value).name().as_str().to_string()
    }

    /// Whether a value is an instance of a type (or of one derived from it), by its class alone.
    pub fn is_instance(&self, value: &Value, class: &Type) -> bool {
        self.type_of(value).is_subtype_of(class)
    }
}
