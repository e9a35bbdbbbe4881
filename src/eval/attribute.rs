//! Attributes: finding and binding them. Those of classes are in `class_attribute`, setting in `store_attribute`.
//!
//! Look-up follows Python: data descriptors of the class, the object's own table, other class attributes
//! (functions become bound methods), then `__getattr__`.

use super::pour::pour;
use super::{Exc, Vm};
use crate::value::object_methods::bound;
use crate::value::{
    Dict, Exception, Function, Instance, Module, NativeFunction, Property, Raised, Ref, Res, Str, Super, Tag,
    Type, Value, View,
};

impl Vm {
    /// As `lookup`, starting after `after` in the resolution order.
    pub(super) fn lookup_after(&mut self, class: &Ref<Type>, after: &Type, name: &Str) -> Option<Value> {
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
        let Some(found) = self.lookup_again(&class, &name) else { return Ok(None) };
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
        self.lookup_again(&class, &name).is_some_and(|found| found.is_none())
    }

    /// What a class attribute means for an object: descriptors are applied.
    pub(super) fn bind(&mut self, found: Value, object: &Value, class: &Ref<Type>) -> Res {
        match found.view() {
            View::Function(_) => Ok(bound(found, object.clone())),
            View::NativeFunction(f) if f.owner.is_some() => Ok(bound(found, object.clone())),
            View::StaticMethod(method) => Ok(method.function()),
            View::ClassMethod(method) => self.bind_class_method(method.function(), class),
            View::Property(property) => self.get_by_property(property, object),
            View::Super(s) if s.object.is_none() => self.super_of(&s.class.clone(), object),
            View::Instance(_) => match self.special_method(&found, "__get__")? {
                Some(getter) => self.call(&getter, &[object.clone(), class.clone().into()]),
                None => Ok(found),
            },
            _ => Ok(found),
        }
    }

    /// What a class method's function gives for a class; it may be a descriptor itself.
    pub(crate) fn bind_class_method(&mut self, function: Value, class: &Ref<Type>) -> Res {
        let receiver: Value = class.clone().into();
        match function.view() {
            View::Function(_) | View::NativeFunction(_) | View::BoundMethod(_) | View::Type(_) => {
                Ok(bound(function, receiver))
            }
            View::Instance(_) if self.special_method(&function, "__get__")?.is_none() => {
                Ok(bound(function, receiver))
            }
            View::ClassMethod(_) | View::StaticMethod(_) | View::Property(_) | View::Instance(_) => {
                self.bind(function, &receiver, class)
            }
            _ => Ok(bound(function, receiver)),
        }
    }

    /// Calls the getter of a property.
    pub(crate) fn get_by_property(&mut self, property: &Property, object: &Value) -> Res {
        let getter = property.getter();
        if getter.is_none() {
            return Err(self.no_accessor(property, object, "getter"));
        }
        self.call(&getter, std::slice::from_ref(object))
    }

    /// Whether a class attribute wins over the object's own table.
    pub(super) fn is_data_descriptor(&mut self, found: &Value) -> bool {
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
        match self.find_attribute(object, name) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(self.no_attribute(object, name)),
            Err(raised) => {
                self.tell_attribute(object, name);
                Err(raised)
            }
        }
    }

    /// Notes in an `AttributeError` of a script, as from `__getattr__`, what was looked for, so that its report can
    /// name something near.
    #[cold]
    fn tell_attribute(&mut self, object: &Value, name: &Ref<Str>) {
        let Some(exception) = self.pending_exception().filter(|_| self.is_raised(Exc::AttributeError)) else {
            return;
        };
        let is_told = |field| exception.get_attribute(field).is_some_and(|known| !known.is_none());
        if !is_told("name") && !is_told("obj") {
            exception.set_attribute("name", name.clone().into());
            exception.set_attribute("obj", object.clone());
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
            View::Type(_) => self.class_attribute(object, name),
            View::Module(module) if module.class.borrow().is_unbound() => {
                self.module_attribute(object, module, name)
            }
            View::Super(s) => self.super_attribute(object, s, name),
            View::Exception(e) => self.exception_attribute(object, e, name),
            _ => self.instance_attribute(object, name),
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
        if class.kind == Tag::Super
            && let Some(s) = Vm::unwrap_native(object).get::<Super>()
            && let Some(value) = self.beyond_super(s, name)?
        {
            return Ok(Some(value));
        }
        let found = self.lookup_again(&class, name);
        if let Some(found) = &found
            && self.is_data_descriptor(found)
            && (found.is::<Property>() || self.special_method(found, "__get__")?.is_some())
        {
            return self.bind(found.clone(), object, &class).map(Some);
        }
        let own = self.own_attribute(object, name);
        if own.is_some() {
            return Ok(own);
        }
        if let Some(found) = found {
            return self.bind(found, object, &class).map(Some);
        }
        match (name.as_str(), object.view()) {
            ("__dict__", View::Exception(exception)) => Ok(Some(exception.attributes().into())),
            ("__dict__", View::File(file)) => Ok(Some(file.attributes.get_or_make().into())),
            ("__doc__", _) => Ok(Some(Value::NONE)),
            (_, View::BoundMethod(method)) => self.find_attribute(&method.function.clone(), name),
            (_, View::Module(module)) => self.module_attribute(object, module, name),
            _ => Ok(None),
        }
    }

    /// An attribute in the object's own table.
    fn own_attribute(&mut self, object: &Value, name: &Str) -> Option<Value> {
        let table = match object.view() {
            View::Instance(instance) => instance.attributes.get(),
            View::Exception(exception) => exception.attributes.get(),
            View::Function(function) => function.attributes.get(),
            View::File(file) => file.attributes.get(),
            View::StaticMethod(method) => {
                self.copy_wrapped(object, &method.function(), method.attributes.get().as_ref());
                Some(method.attributes())
            }
            View::ClassMethod(method) => {
                self.copy_wrapped(object, &method.function(), method.attributes.get().as_ref());
                Some(method.attributes())
            }
            View::Module(module) => return module.get(name),
            _ => None,
        };
        table.and_then(|table| table.get_str(name))
    }

    pub(super) fn getattr_hook(&mut self, object: &Value, name: &Ref<Str>) -> Res<Option<Value>> {
        match self.special_method(object, "__getattr__")? {
            Some(hook) => self.call(&hook, &[name.clone().into()]).map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn has_custom_getattribute(&mut self, class: &Ref<Type>) -> bool {
        let name = self.names.getattribute.clone();
        class.flags.is_user && self.lookup_again(class, &name).is_some_and(|f| !f.is::<NativeFunction>())
    }

    fn module_attribute(&mut self, object: &Value, module: &Module, name: &Ref<Str>) -> Res<Option<Value>> {
        if let Some(value) = module.get(name) {
            return Ok(Some(value));
        }
        if let Some(value) = self.native_module_item(module, name.as_str())? {
            return Ok(Some(value));
        }
        match name.as_str() {
            "__name__" if !module.is_dict() => Ok(Some(module.name.clone().into())),
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
            _ => {
                let class = self.type_of(object);
                if let Some(found) = self.lookup(&class, name) {
                    return self.bind(found, object, &class).map(Some);
                }
                match module.get_text("__getattr__") {
                    Some(hook) => self.call(&hook, &[name.clone().into()]).map(Some),
                    None => Ok(None),
                }
            }
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
            View::Module(module) => match shown_name(module) {
                Some(name) => format!("module '{name}' has no attribute '{text}'"),
                None => format!("module has no attribute '{text}'"),
            },
            View::File(file) => format!("'_io.{}' object has no attribute '{text}'", file.type_name()),
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
                    add(&mut names, &own);
                }
            }
            View::Exception(exception) => {
                if let Some(own) = exception.attributes.get() {
                    add(&mut names, &own);
                }
                names.extend(["args".to_string(), "with_traceback".into(), "add_note".into()]);
            }
            View::Function(f) => {
                if let Some(own) = f.attributes.get() {
                    add(&mut names, &own);
                }
            }
            View::BoundMethod(method) if method.function.is::<Function>() => {
                names = self.attribute_names(&method.function.clone());
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
    let own = instance.attributes.get()?;
    let own = own.borrow();
    let entry = own.entry(a.cache.entry.get() as usize)?;
    let is_it = entry.key.get::<Str>().is_some_and(|key| std::ptr::eq(key, &*a.name));
    is_it.then(|| entry.value.clone())
}

/// The name of a module for messages, if it has any.
fn shown_name(module: &Module) -> Option<String> {
    if !module.is_dict() {
        return Some(module.name.as_str().to_string());
    }
    module.get_text("__name__")?.as_str().map(str::to_string)
}
