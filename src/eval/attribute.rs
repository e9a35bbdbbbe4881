//! Attributes: finding, binding, setting and deleting them.
//!
//! Look-up follows Python: data descriptors of the class, the object's own table, other class attributes
//! (functions become bound methods), then `__getattr__`. Native methods are poured from their rows into
//! the type's table when that table is first searched; a row named `.x` is a computed attribute `x`, a row
//! whose first parameter is `cls` a class method, and one without `self` a static method.

use super::{Exc, Vm};
use crate::call::{Native, Signature};
use crate::value::{
    BoundMethod, ClassMethod, Dict, Exception, Function, Instance, Module, NativeFunction, Property, Raised,
    Ref, Res, StaticMethod, Str, Super, Tag, Type, Value, View,
};
use std::rc::Rc;

impl Vm {
    /// An attribute of a class or of one of its bases, as it is stored.
    pub fn lookup(&mut self, class: &Ref<Type>, name: &Str) -> Option<Value> {
        let mro = class.mro.borrow();
        for t in mro.iter() {
            if !t.pending.get().is_empty() {
                pour(t);
            }
            if let Some(found) = t.attributes.get_str(name) {
                return Some(found);
            }
        }
        None
    }

    /// As `lookup`, starting after `after` in the resolution order.
    fn lookup_after(&mut self, class: &Ref<Type>, after: &Type, name: &Str) -> Option<Value> {
        let mro = class.mro.borrow().clone();
        let position = mro.iter().position(|t| std::ptr::eq(&**t, after))?;
        for t in &mro[position + 1..] {
            if !t.pending.get().is_empty() {
                pour(t);
            }
            if let Some(found) = t.attributes.get_str(name) {
                return Some(found);
            }
        }
        None
    }

    /// A special method of the object's class, bound to the object; `None` if the class has none.
    pub fn special_method(&mut self, object: &Value, name: &str) -> Res<Option<Value>> {
        let class = self.type_of(object);
        let name = self.intern(name);
        let Some(found) = self.lookup(&class, &name) else { return Ok(None) };
        // Where Python says in words of its own that `none` refuses something, the caller does; elsewhere calling
        // `none` is the error.
        if found.is_none()
            && matches!(name.as_str(), "__hash__" | "__iter__" | "__contains__" | "__reversed__")
        {
            return Ok(None);
        }
        self.bind(found, object, &class).map(Some)
    }

    /// Whether the object's class has `none` in place of a special method: it refuses what a base or another
    /// method would do.
    pub(crate) fn refuses(&mut self, object: &Value, name: &str) -> bool {
        let class = self.type_of(object);
        let name = self.intern(name);
        self.lookup(&class, &name).is_some_and(|found| found.is_none())
    }

    /// What a class attribute means for an object: descriptors are applied.
    fn bind(&mut self, found: Value, object: &Value, class: &Ref<Type>) -> Res {
        match found.view() {
            View::Function(_) => Ok(bound(found, object.clone())),
            View::NativeFunction(f) if f.owner.is_some() => Ok(bound(found, object.clone())),
            View::StaticMethod(method) => Ok(method.function.clone()),
            View::ClassMethod(method) => {
                let function = method.function.clone();
                Ok(bound(function, class.clone().into()))
            }
            View::Property(property) => {
                if property.get.is_none() {
                    return Err(self.property_lacks(property, object, "getter"));
                }
                let getter = property.get.clone();
                self.call(&getter, std::slice::from_ref(object))
            }
            View::Instance(_) => match self.special_method(&found, "__get__")? {
                Some(getter) => self.call(&getter, &[object.clone(), class.clone().into()]),
                None => Ok(found),
            },
            _ => Ok(found),
        }
    }

    /// The error of a property that has no function for what is asked of it.
    #[cold]
    pub(crate) fn property_lacks(&mut self, property: &Property, object: &Value, what: &str) -> Raised {
        let class = self.type_of(object);
        let name = property.name.borrow().clone();
        let shown = match name.is_none() {
            true => String::new(),
            false => match self.repr_of(&name) {
                Ok(name) => format!("{name} "),
                Err(raised) => return raised,
            },
        };
        let owner = class.qualname.borrow().as_str().to_string();
        self.error(Exc::AttributeError, format!("property {shown}of '{owner}' object has no {what}"))
    }

    /// Whether a class attribute wins over the object's own table.
    fn is_data_descriptor(&mut self, found: &Value) -> bool {
        match found.view() {
            View::Property(_) => true,
            View::Instance(instance) => {
                let class = instance.class();
                self.lookup(&class, &Str::new("__set__")).is_some()
                    || self.lookup(&class, &Str::new("__delete__")).is_some()
            }
            _ => false,
        }
    }

    /// `object.name`.
    ///
    /// # Errors
    /// `AttributeError`; whatever properties and `__getattr__` raise.
    pub fn get_attribute(&mut self, object: &Value, name: &Ref<Str>) -> Res {
        match self.find_attribute(object, name)? {
            Some(value) => Ok(value),
            None => Err(self.no_attribute(object, name)),
        }
    }

    /// Whether `object.name` exists.
    pub fn has_attribute(&mut self, object: &Value, name: &str) -> Res<bool> {
        let result = self.find_attribute(object, &Str::new(name));
        Ok(self.catch(result, Exc::AttributeError)?.flatten().is_some())
    }

    /// `object.name`, or `None` if there is no such attribute.
    pub fn find_attribute(&mut self, object: &Value, name: &Ref<Str>) -> Res<Option<Value>> {
        match object.view() {
            View::Instance(_) => self.instance_attribute(object, name),
            View::Type(_) => self.class_attribute(object, name),
            View::Module(module) => self.module_attribute(object, module, name),
            View::Super(s) => self.super_attribute(s, name),
            View::Function(f) => self.function_attribute(object, f, name),
            View::NativeFunction(f) => self.native_function_attribute(object, f, name),
            View::BoundMethod(m) => self.method_attribute(object, m, name),
            View::Exception(e) => self.exception_attribute(object, e, name),
            _ => self.builtin_attribute(object, name),
        }
    }

    fn instance_attribute(&mut self, object: &Value, name: &Ref<Str>) -> Res<Option<Value>> {
        let class = self.type_of(object);
        if self.has_custom_getattribute(&class)
            && let Some(method) = self.special_method(object, "__getattribute__")?
        {
            let result = self.call(&method, &[name.clone().into()]);
            if result.is_ok() || !self.is_raised(Exc::AttributeError) {
                return result.map(Some);
            }
            if self.lookup(&class, &Str::new("__getattr__")).is_none() {
                return Err(Raised);
            }
            self.take_raised();
            return self.getattr_hook(object, name);
        }
        match self.plain_instance_attribute(object, name) {
            Ok(Some(value)) => Ok(Some(value)),
            Ok(None) => self.getattr_hook(object, name),
            Err(raised) => {
                if self.is_raised(Exc::AttributeError)
                    && self.lookup(&class, &Str::new("__getattr__")).is_some()
                {
                    self.take_raised();
                    return self.getattr_hook(object, name);
                }
                Err(raised)
            }
        }
    }

    /// What `object.__getattribute__` does.
    pub(crate) fn plain_instance_attribute(&mut self, object: &Value, name: &Ref<Str>) -> Res<Option<Value>> {
        let class = self.type_of(object);
        let found = self.lookup(&class, name);
        if let Some(found) = &found
            && self.is_data_descriptor(found)
        {
            return self.bind(found.clone(), object, &class).map(Some);
        }
        let own = match object.view() {
            View::Instance(instance) => instance.attributes.get().and_then(|d| d.get_str(name)),
            View::Exception(exception) => exception.attributes.get().and_then(|d| d.get_str(name)),
            _ => None,
        };
        if own.is_some() {
            return Ok(own);
        }
        if let Some(found) = found {
            return self.bind(found, object, &class).map(Some);
        }
        match (name.as_str(), object.view()) {
            ("__class__", _) => Ok(Some(class.into())),
            ("__dict__", View::Instance(instance)) if !class.flags.is_slotted => {
                Ok(Some(instance.attributes().clone().into()))
            }
            ("__dict__", View::Exception(exception)) => Ok(Some(exception.attributes().clone().into())),
            _ => Ok(None),
        }
    }

    fn getattr_hook(&mut self, object: &Value, name: &Ref<Str>) -> Res<Option<Value>> {
        match self.special_method(object, "__getattr__")? {
            Some(hook) => self.call(&hook, &[name.clone().into()]).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn has_custom_getattribute(&mut self, class: &Ref<Type>) -> bool {
        class.flags.is_user
            && self.lookup(class, &Str::new("__getattribute__")).is_some_and(|f| !f.is::<NativeFunction>())
    }

    fn builtin_attribute(&mut self, object: &Value, name: &Ref<Str>) -> Res<Option<Value>> {
        let class = self.type_of(object);
        if let Some(found) = self.lookup(&class, name) {
            return self.bind(found, object, &class).map(Some);
        }
        match (name.as_str(), object.view()) {
            ("__class__", _) => Ok(Some(class.into())),
            ("__doc__", View::Property(p)) => Ok(Some(p.doc.borrow().clone())),
            ("fget", View::Property(p)) => Ok(Some(p.get.clone())),
            ("fset", View::Property(p)) => Ok(Some(p.set.clone())),
            ("fdel", View::Property(p)) => Ok(Some(p.delete.clone())),
            ("__func__" | "__wrapped__", View::StaticMethod(m)) => Ok(Some(m.function.clone())),
            ("__func__" | "__wrapped__", View::ClassMethod(m)) => Ok(Some(m.function.clone())),
            ("cell_contents", View::Cell(cell)) => Ok(Some(cell.get())),
            ("__doc__", _) => Ok(Some(Value::NONE)),
            _ => Ok(None),
        }
    }

    fn class_attribute(&mut self, object: &Value, name: &Ref<Str>) -> Res<Option<Value>> {
        let Some(class) = object.get_ref::<Type>() else { return Ok(None) };
        let metaclass = self.type_of(object);
        let of_meta = self.lookup(&metaclass, name);
        if let Some(found) = &of_meta
            && self.is_data_descriptor(found)
        {
            return self.bind(found.clone(), object, &metaclass).map(Some);
        }
        // What describes the class itself wins over what its objects have under that name.
        let is_own = matches!(
            name.as_str(),
            "__name__" | "__qualname__" | "__mro__" | "__bases__" | "__dict__" | "__class__"
        );
        if is_own && let Some(value) = self.class_special(&class, name.as_str()) {
            return Ok(Some(value));
        }
        if name.as_str() == "__annotations__" && class.flags.is_user {
            return Ok(Some(own_annotations(&class, name)));
        }
        if let Some(found) = self.lookup(&class, name) {
            return match found.view() {
                View::StaticMethod(method) => Ok(Some(method.function.clone())),
                View::ClassMethod(method) => Ok(Some(bound(method.function.clone(), object.clone()))),
                View::Instance(_) => match self.special_method(&found, "__get__")? {
                    Some(getter) => self.call(&getter, &[Value::NONE, object.clone()]).map(Some),
                    None => Ok(Some(found)),
                },
                _ => Ok(Some(found)),
            };
        }
        if let Some(value) = self.class_special(&class, name.as_str()) {
            return Ok(Some(value));
        }
        if let Some(found) = of_meta {
            return self.bind(found, object, &metaclass).map(Some);
        }
        if metaclass.flags.is_user {
            return self.getattr_hook(object, name);
        }
        Ok(None)
    }

    /// Attributes every class has without storing them.
    fn class_special(&mut self, class: &Ref<Type>, name: &str) -> Option<Value> {
        let types = |list: &[Ref<Type>]| Value::tuple(list.iter().map(|t| t.clone().into()).collect());
        Some(match name {
            "__name__" => class.name().into(),
            "__qualname__" => class.qualname.borrow().clone().into(),
            "__module__" => Value::str("builtins"),
            "__mro__" => types(&class.mro.borrow()),
            "__bases__" => types(&class.bases.borrow()),
            "__base__" => class.bases.borrow().first().map_or(Value::NONE, |b| b.clone().into()),
            "__dict__" => {
                pour(class);
                crate::value::mapping_proxy::of(class.attributes.clone().into())
            }
            "__class__" => self.type_of(&class.clone().into()).into(),
            "__doc__" => Value::NONE,
            _ => return None,
        })
    }

    fn module_attribute(&mut self, object: &Value, module: &Module, name: &Ref<Str>) -> Res<Option<Value>> {
        if let Some(value) = module.get(name) {
            return Ok(Some(value));
        }
        if let Some(value) = self.native_module_item(module, name.as_str())? {
            return Ok(Some(value));
        }
        match name.as_str() {
            "__name__" => Ok(Some(module.name.clone().into())),
            "__dict__" => {
                for name in self.attribute_names(object) {
                    let name = self.intern(&name);
                    if module.get(&name).is_none()
                        && let Some(value) = self.native_module_item(module, name.as_str())?
                    {
                        module.set(&name, value);
                    }
                }
                Ok(object.get_ref::<Module>().map(crate::builtins::mapping::of_module))
            }
            "__annotations__" => Ok(Some(crate::builtins::core::slots::module_annotations(module))),
            "__doc__" => Ok(Some(Value::NONE)),
            "__class__" => Ok(Some(self.type_of(object).into())),
            _ => match module.get_text("__getattr__") {
                Some(hook) => self.call(&hook, &[name.clone().into()]).map(Some),
                None => Ok(None),
            },
        }
    }

    fn super_attribute(&mut self, s: &Super, name: &Ref<Str>) -> Res<Option<Value>> {
        let Some(found) = self.lookup_after(&s.object_class, &s.class, name) else {
            return match name.as_str() {
                "__class__" => Ok(Some(self.types.of_tag(Tag::Super).clone().into())),
                "__thisclass__" => Ok(Some(s.class.clone().into())),
                "__self__" => Ok(Some(s.object.clone())),
                "__self_class__" => Ok(Some(s.object_class.clone().into())),
                _ => Ok(None),
            };
        };
        if s.object.is::<Type>() && !found.is::<ClassMethod>() {
            // Inside a class method (or `__new__`) functions stay unbound.
            let is_metaclass_instance = !s.object.same(&s.object_class.clone().into());
            if !is_metaclass_instance {
                return Ok(Some(match found.view() {
                    View::StaticMethod(method) => method.function.clone(),
                    _ => found,
                }));
            }
        }
        self.bind(found, &s.object.clone(), &s.object_class.clone()).map(Some)
    }

    fn function_attribute(&mut self, object: &Value, f: &Function, name: &Ref<Str>) -> Res<Option<Value>> {
        if let Some(value) = f.attributes.get().and_then(|d| d.get_str(name)) {
            return Ok(Some(value));
        }
        Ok(Some(match name.as_str() {
            "__name__" => f.name.borrow().clone().into(),
            "__qualname__" => f.qualname.borrow().clone().into(),
            "__module__" => f.module.get(&self.names.name.clone()).unwrap_or(f.module.name.clone().into()),
            "__doc__" => f.code.doc.as_ref().map_or(Value::NONE, |d| d.clone().into()),
            "__dict__" => f.attributes.get_or_init(|| Dict::new(Default::default())).clone().into(),
            "__code__" => crate::builtins::code::of(f.code.clone()),
            "__defaults__" => {
                let defaults = f.defaults.borrow();
                if defaults.is_empty() { Value::NONE } else { Value::tuple(defaults.to_vec()) }
            }
            "__kwdefaults__" => {
                let defaults = f.keyword_defaults.borrow();
                let dict = Dict::new(Default::default());
                for (name, value) in f.code.slot_names[f.code.params.positional..].iter().zip(defaults.iter())
                {
                    if !value.is_unbound() {
                        dict.set_str(name, value.clone());
                    }
                }
                if dict.is_empty() { Value::NONE } else { dict.into() }
            }
            "__annotations__" => {
                let empty = || Dict::new(Default::default());
                let table = f.attributes.get_or_init(empty);
                table.set_text("__annotations__", empty().into());
                return Ok(table.get_str(name));
            }
            "__closure__" => {
                let cells: Vec<Value> = f.captured.iter().map(|c| c.clone().into()).collect();
                if cells.is_empty() { Value::NONE } else { Value::tuple(cells) }
            }
            "__globals__" => crate::builtins::mapping::of_module(f.module.clone()),
            _ => return self.builtin_attribute(object, name),
        }))
    }

    fn native_function_attribute(
        &mut self,
        object: &Value,
        f: &NativeFunction,
        name: &Ref<Str>,
    ) -> Res<Option<Value>> {
        Ok(Some(match name.as_str() {
            "__name__" => Value::str(f.native.name),
            "__qualname__" => match &f.owner {
                Some(owner) => Value::str(format!("{}.{}", owner.name().as_str(), f.native.name)),
                None => Value::str(f.native.name),
            },
            "__doc__" => Value::str(f.native.doc),
            "__module__" => Value::str(f.module),
            "__text_signature__" => Value::str(format!("({})", f.native.params)),
            "__self__" => Value::NONE,
            _ => return self.builtin_attribute(object, name),
        }))
    }

    fn method_attribute(&mut self, object: &Value, m: &BoundMethod, name: &Ref<Str>) -> Res<Option<Value>> {
        match name.as_str() {
            "__self__" => Ok(Some(m.receiver.clone())),
            "__func__" => Ok(Some(m.function.clone())),
            "__class__" => self.builtin_attribute(object, name),
            _ => self.find_attribute(&m.function.clone(), name),
        }
    }

    fn exception_attribute(&mut self, object: &Value, e: &Exception, name: &Ref<Str>) -> Res<Option<Value>> {
        match name.as_str() {
            "args" => return Ok(Some(e.args.borrow().clone())),
            "__cause__" => return Ok(Some(e.cause.borrow().clone())),
            "__context__" => return Ok(Some(e.context.borrow().clone())),
            "__suppress_context__" => return Ok(Some(Value::bool(e.suppress_context.get()))),
            "__traceback__" => {
                let Some(exception) = object.get_ref::<Exception>() else { return Ok(None) };
                return Ok(Some(self.traceback_value(&exception)));
            }
            _ => {}
        }
        if let Some(value) = self.instance_attribute(object, name)? {
            return Ok(Some(value));
        }
        Ok(self.exception_default(e, name.as_str()))
    }

    /// Attributes that kinds of exceptions take from their arguments.
    fn exception_default(&mut self, e: &Exception, name: &str) -> Option<Value> {
        let class = e.class();
        let is = |kind| class.is_subtype_of(&self.types.exception(kind));
        let args = e.args();
        let first = || args.first().cloned().unwrap_or(Value::NONE);
        match name {
            "value" if is(Exc::StopIteration) => Some(first()),
            "code" if is(Exc::SystemExit) => Some(match args.len() {
                0 | 1 => first(),
                _ => Value::tuple(args.clone()),
            }),
            "errno" | "strerror" | "filename" | "filename2" if is(Exc::OSError) => Some(Value::NONE),
            "name" if is(Exc::NameError) || is(Exc::ImportError) || is(Exc::AttributeError) => {
                Some(Value::NONE)
            }
            "obj" if is(Exc::AttributeError) => Some(Value::NONE),
            "path" if is(Exc::ImportError) => Some(Value::NONE),
            "msg" if is(Exc::ImportError) || is(Exc::SyntaxError) => Some(first()),
            "lineno"
            | "offset"
            | "text"
            | "filename"
            | "end_lineno"
            | "end_offset"
            | "print_file_and_line"
                if is(Exc::SyntaxError) =>
            {
                Some(Value::NONE)
            }
            "encoding" if args.len() == 5 && is(Exc::UnicodeError) => Some(args[0].clone()),
            "object" if args.len() == 5 && is(Exc::UnicodeError) => Some(args[1].clone()),
            "start" if args.len() == 5 && is(Exc::UnicodeError) => Some(args[2].clone()),
            "end" if args.len() == 5 && is(Exc::UnicodeError) => Some(args[3].clone()),
            "reason" if args.len() == 5 && is(Exc::UnicodeError) => Some(args[4].clone()),
            _ => None,
        }
    }

    #[cold]
    pub(crate) fn no_attribute(&mut self, object: &Value, name: &Ref<Str>) -> Raised {
        let text = name.as_str();
        let message = match object.view() {
            View::Type(class) => format!("type object '{}' has no attribute '{text}'", class.name().as_str()),
            View::Module(module) => format!("module '{}' has no attribute '{text}'", module.name.as_str()),
            View::Super(_) => format!("'super' object has no attribute '{text}'"),
            _ => format!("'{}' object has no attribute '{text}'", self.type_name(object)),
        };
        let class = self.types.exception(Exc::AttributeError);
        let exception = Exception::new(class, vec![Value::str(message)]);
        exception.set_attribute("name", name.clone().into());
        exception.set_attribute("obj", object.clone());
        self.raise(exception)
    }

    /// Names of an object's attributes, sorted: what `dir(object)` gives.
    pub fn attribute_names(&mut self, object: &Value) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let add = |names: &mut Vec<String>, dict: &Dict| {
            names.extend(dict.borrow().iter().filter_map(|e| e.key.as_str().map(str::to_string)));
        };
        match object.view() {
            View::Module(module) => {
                names.extend(self.native_module_names(module));
                names.extend(module.pairs().iter().map(|(name, _)| name.as_str().to_string()));
                names.sort();
                names.dedup();
                return names;
            }
            View::Instance(instance) => {
                if let Some(own) = instance.attributes.get() {
                    add(&mut names, own);
                }
            }
            View::Exception(exception) => {
                if let Some(own) = exception.attributes.get() {
                    add(&mut names, own);
                }
                names.extend(["args".to_string(), "with_traceback".into(), "add_note".into()]);
            }
            View::Function(f) => {
                if let Some(own) = f.attributes.get() {
                    add(&mut names, own);
                }
            }
            _ => {}
        }
        let class = match object.get_ref::<Type>() {
            Some(class) => class,
            None => self.type_of(object),
        };
        for t in class.mro.borrow().iter() {
            pour(t);
            add(&mut names, &t.attributes);
        }
        names.push("__class__".to_string());
        names.push("__doc__".to_string());
        names.sort();
        names.dedup();
        names
    }

    /// `object.name = value`.
    pub fn set_attribute(&mut self, object: &Value, name: &Ref<Str>, value: Value) -> Res<()> {
        match object.view() {
            View::Instance(_) | View::Exception(_) => {
                let class = self.type_of(object);
                if class.flags.is_user
                    && let Some(found) = self.lookup(&class, &Str::new("__setattr__"))
                    && !found.is::<NativeFunction>()
                {
                    let method = self.bind(found, object, &class)?;
                    return self.call(&method, &[name.clone().into(), value]).map(drop);
                }
                self.plain_set_attribute(object, name, value)
            }
            View::Type(class) => self.set_class_attribute(object, class, name, value),
            View::Module(module) => {
                module.set(name, value);
                Ok(())
            }
            View::Function(f) => self.set_function_attribute(object, f, name, value),
            View::Property(property) if name.as_str() == "__doc__" => {
                let old = property.doc.replace(value);
                drop(old); // after the borrow: its destructor may run script code
                Ok(())
            }
            _ => Err(self.cannot_set(object, name)),
        }
    }

    /// What `object.__setattr__` does.
    pub(crate) fn plain_set_attribute(&mut self, object: &Value, name: &Ref<Str>, value: Value) -> Res<()> {
        let class = self.type_of(object);
        if let Some(found) = self.lookup(&class, name) {
            match found.view() {
                View::Property(property) => {
                    if property.set.is_none() {
                        return Err(self.property_lacks(property, object, "setter"));
                    }
                    let setter = property.set.clone();
                    return self.call(&setter, &[object.clone(), value]).map(drop);
                }
                View::Instance(_) => {
                    if let Some(setter) = self.special_method(&found, "__set__")? {
                        return self.call(&setter, &[object.clone(), value]).map(drop);
                    }
                }
                _ => {}
            }
        }
        match object.view() {
            View::Instance(instance) => {
                if name.as_str() == "__class__" {
                    return self.set_class(instance, value);
                }
                if name.as_str() == "__dict__" && !class.flags.is_slotted {
                    return self.replace_attributes(instance, value);
                }
                if class.flags.is_slotted {
                    return Err(self.cannot_set(object, name));
                }
                instance.attributes().set_str(name, value);
                Ok(())
            }
            View::Exception(exception) => self.set_exception_attribute(exception, name, value),
            _ => Err(self.cannot_set(object, name)),
        }
    }

    fn set_class(&mut self, instance: &Instance, value: Value) -> Res<()> {
        match value.into_ref::<Type>() {
            Ok(class) if class.flags.is_user => {
                *instance.class.borrow_mut() = class;
                Ok(())
            }
            _ => Err(self.type_error("__class__ must be set to a class")),
        }
    }

    fn replace_attributes(&mut self, instance: &Instance, value: Value) -> Res<()> {
        let Some(dict) = value.get::<Dict>() else {
            let name = self.type_name(&value);
            return Err(self.type_error(format!("__dict__ must be set to a dictionary, not a '{name}'")));
        };
        let map = dict.borrow().clone();
        let old = std::mem::replace(&mut *instance.attributes().borrow_mut(), map);
        drop(old);
        Ok(())
    }

    fn set_exception_attribute(&mut self, exception: &Exception, name: &Ref<Str>, value: Value) -> Res<()> {
        match name.as_str() {
            "args" => {
                let items = self.collect(&value)?;
                *exception.args.borrow_mut() = Value::tuple(items);
            }
            "__cause__" => {
                *exception.cause.borrow_mut() = value;
                exception.suppress_context.set(true);
            }
            "__context__" => *exception.context.borrow_mut() = value,
            "__suppress_context__" => exception.suppress_context.set(self.truth(&value)?),
            "__traceback__" => {
                if !self.set_traceback(exception, &value) {
                    return Err(self.type_error("__traceback__ must be a traceback or None"));
                }
            }
            _ => exception.attributes().set_str(name, value),
        }
        Ok(())
    }

    fn set_class_attribute(
        &mut self,
        object: &Value,
        class: &Type,
        name: &Ref<Str>,
        value: Value,
    ) -> Res<()> {
        let metaclass = self.type_of(object);
        if metaclass.flags.is_user {
            if let Some(found) = self.lookup(&metaclass, &Str::new("__setattr__"))
                && !found.is::<NativeFunction>()
            {
                let method = self.bind(found, object, &metaclass)?;
                return self.call(&method, &[name.clone().into(), value]).map(drop);
            }
            if let Some(found) = self.lookup(&metaclass, name)
                && let View::Property(property) = found.view()
                && !property.set.is_none()
            {
                let setter = property.set.clone();
                return self.call(&setter, &[object.clone(), value]).map(drop);
            }
        }
        self.plain_set_class_attribute(class, name, value)
    }

    /// What `type.__setattr__` does.
    pub(crate) fn plain_set_class_attribute(
        &mut self,
        class: &Type,
        name: &Ref<Str>,
        value: Value,
    ) -> Res<()> {
        if !class.flags.is_user {
            let shown = class.name();
            return Err(self.type_error(format!(
                "cannot set '{}' attribute of immutable type '{}'",
                name.as_str(),
                shown.as_str()
            )));
        }
        match (name.as_str(), value.get_ref::<Str>()) {
            ("__name__", Some(text)) => *class.name.borrow_mut() = text,
            ("__qualname__", Some(text)) => *class.qualname.borrow_mut() = text,
            _ => class.attributes.set_str(name, value),
        }
        if name.as_str() == "__del__" {
            class.has_del.set(true);
        }
        class.touch();
        Ok(())
    }

    fn set_function_attribute(
        &mut self,
        object: &Value,
        f: &Function,
        name: &Ref<Str>,
        value: Value,
    ) -> Res<()> {
        match (name.as_str(), value.get_ref::<Str>()) {
            ("__name__", Some(text)) => *f.name.borrow_mut() = text,
            ("__qualname__", Some(text)) => *f.qualname.borrow_mut() = text,
            ("__defaults__", _) => {
                let defaults = if value.is_none() { Vec::new() } else { self.collect(&value)? };
                *f.defaults.borrow_mut() = defaults.into();
            }
            ("__kwdefaults__" | "__closure__" | "__globals__" | "__code__", _) => {
                return Err(self.cannot_set(object, name));
            }
            _ => f.attributes.get_or_init(|| Dict::new(Default::default())).set_str(name, value),
        }
        Ok(())
    }

    #[cold]
    fn cannot_set(&mut self, object: &Value, name: &Ref<Str>) -> Raised {
        let shown = self.type_name(object);
        let exists = matches!(self.find_attribute(object, name), Ok(Some(_)));
        if self.pending_exception().is_some() {
            self.take_raised();
        }
        let class = self.type_of(object);
        let is_computed = self.lookup(&class, name).is_some_and(|found| found.is::<Property>());
        let message = if is_computed {
            format!("attribute '{}' of '{shown}' objects is not writable", name.as_str())
        } else if exists {
            format!("'{shown}' object attribute '{}' is read-only", name.as_str())
        } else {
            format!("'{shown}' object has no attribute '{}'", name.as_str())
        };
        self.error(Exc::AttributeError, message)
    }

    /// `del object.name`.
    pub fn delete_attribute(&mut self, object: &Value, name: &Ref<Str>) -> Res<()> {
        let class = self.type_of(object);
        if class.flags.is_user
            && let Some(found) = self.lookup(&class, &Str::new("__delattr__"))
            && !found.is::<NativeFunction>()
        {
            let method = self.bind(found, object, &class)?;
            return self.call(&method, &[name.clone().into()]).map(drop);
        }
        self.plain_delete_attribute(object, name)
    }

    /// What `object.__delattr__` does.
    pub(crate) fn plain_delete_attribute(&mut self, object: &Value, name: &Ref<Str>) -> Res<()> {
        let class = self.type_of(object);
        if let Some(found) = self.lookup(&class, name) {
            match found.view() {
                View::Property(property) => {
                    if property.delete.is_none() {
                        return Err(self.property_lacks(property, object, "deleter"));
                    }
                    let deleter = property.delete.clone();
                    return self.call(&deleter, std::slice::from_ref(object)).map(drop);
                }
                View::Instance(_) => {
                    if let Some(deleter) = self.special_method(&found, "__delete__")? {
                        return self.call(&deleter, std::slice::from_ref(object)).map(drop);
                    }
                }
                _ => {}
            }
        }
        let removed = match object.view() {
            View::Instance(instance) => instance.attributes.get().and_then(|d| d.remove_str(name)),
            View::Exception(exception) => exception.attributes.get().and_then(|d| d.remove_str(name)),
            View::Function(f) => f.attributes.get().and_then(|d| d.remove_str(name)),
            View::Module(module) => module.remove(name).then_some(Value::NONE),
            View::Type(class) if class.flags.is_user => {
                let removed = class.attributes.remove_str(name);
                class.touch();
                removed
            }
            _ => None,
        };
        match removed {
            Some(_) => Ok(()),
            None => Err(self.no_attribute(object, name)),
        }
    }

    pub(super) fn eval_attribute(&mut self, a: &super::code::Attribute) -> Res {
        let object = self.operand(&a.object)?;
        if let Some(value) = cached_attribute(a, &object) {
            return Ok(value);
        }
        match self.get_attribute(&object, &a.name) {
            Ok(value) => {
                self.remember_attribute(a, &object);
                Ok(value)
            }
            Err(_) => Err(self.at(a.span)),
        }
    }

    /// Notes where the instance's table has the name, if it is a plain attribute of the instance.
    fn remember_attribute(&mut self, a: &super::code::Attribute, object: &Value) {
        let Some(instance) = object.get::<Instance>() else { return };
        let Some(own) = instance.attributes.get() else { return };
        let Some(entry) = own.borrow().find_str(&a.name) else { return };
        let class = instance.class();
        let is_plain = !self.has_custom_getattribute(&class)
            && !self.lookup(&class, &a.name).is_some_and(|found| self.is_data_descriptor(&found));
        if is_plain {
            a.cache.version.set(class.version.get());
            a.cache.entry.set(entry as u32);
        }
    }
}

/// The attribute, if the cache of the node still tells where it is.
#[inline]
fn cached_attribute(a: &super::code::Attribute, object: &Value) -> Option<Value> {
    let instance = object.get::<Instance>()?;
    if instance.class.borrow().version.get() != a.cache.version.get() {
        return None;
    }
    let own = instance.attributes.get()?.borrow();
    let entry = own.entry(a.cache.entry.get() as usize)?;
    let is_it = entry.key.get::<Str>().is_some_and(|key| std::ptr::eq(key, &*a.name));
    is_it.then(|| entry.value.clone())
}

fn bound(function: Value, receiver: Value) -> Value {
    Ref::new(BoundMethod { function, receiver }).into()
}

/// Turns the rows waiting in a type into attributes.
/// Gives a class native methods.
pub(crate) fn add_rows(class: &Ref<Type>, rows: &'static [Native]) {
    class.pending.set(rows);
    pour(class);
    class.touch();
}

pub(super) fn pour(class: &Ref<Type>) {
    let rows = class.pending.replace(&[]);
    for native in rows {
        let value = method_value(native, class);
        class.attributes.set_text(native.name.trim_start_matches('.'), value);
    }
    if !class.flags.is_user && !class.bases.borrow().is_empty() {
        for native in shared_rows(class.kind) {
            if class.attributes.get_text(native.name).is_none() {
                class.attributes.set_text(native.name, method_value(native, class));
            }
        }
    }
    let is_changeable = matches!(class.kind, Tag::List | Tag::Dict | Tag::Set | Tag::ByteArray | Tag::Slice);
    if is_changeable && !class.flags.is_user {
        class.attributes.set_text("__hash__", Value::NONE);
    }
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

fn method_value(native: &'static Native, owner: &Ref<Type>) -> Value {
    let mut signature = match Signature::parse(native.params) {
        Ok(signature) => signature,
        Err(piece) => unreachable!("row {}: bad parameter {piece:?}; a test checks every row", native.name),
    };
    let first = signature.positional.first().map(|p| p.name);
    signature.is_constructor = native.name == "__new__";
    let is_bound = matches!(first, Some("self" | "cls"));
    let function: Value = Ref::new(NativeFunction {
        native,
        signature: Rc::new(signature),
        owner: is_bound.then(|| owner.clone()),
        module: "builtins",
    })
    .into();
    if native.name.starts_with('.') {
        let none = || Value::NONE;
        return Property::new(function, none(), none(), Value::str(native.doc)).into();
    }
    match first {
        Some("self") => function,
        Some("cls") if native.name != "__new__" => Ref::new(ClassMethod { function }).into(),
        _ => Ref::new(StaticMethod { function }).into(),
    }
}

/// `__annotations__` of a class itself, not of its bases; made if needed.
fn own_annotations(class: &Type, name: &Ref<Str>) -> Value {
    let known = class.attributes.borrow().get_str(name).cloned();
    known.unwrap_or_else(|| {
        let made = Value::from(Dict::new(Default::default()));
        class.attributes.borrow_mut().set_str(name, made.clone());
        made
    })
}
