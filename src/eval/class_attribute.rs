//! Attributes of classes and of `super` objects.
//!
//! A class is an object of its metaclass: a data descriptor of the metaclass wins over what the class and its bases
//! hold, which wins over everything else of the metaclass.

use super::Vm;
use crate::value::{Dict, Ref, Res, Str, Super, Tag, Type, Value, View};

impl Vm {
    pub(super) fn class_attribute(&mut self, object: &Value, name: &Ref<Str>) -> Res<Option<Value>> {
        let Some(class) = object.get_ref::<Type>() else { return Ok(None) };
        let metaclass = self.type_of(object);
        if !metaclass.flags.is_user {
            return self.plain_class_attribute(&class, name);
        }
        let found = match self.special_method(object, "__getattribute__")? {
            Some(method) if self.has_custom_getattribute(&metaclass) => {
                self.call(&method, &[name.clone().into()]).map(Some)
            }
            _ => self.plain_class_attribute(&class, name),
        };
        match found {
            Ok(Some(value)) => Ok(Some(value)),
            Ok(None) => self.getattr_hook(object, name),
            Err(raised) => {
                let is_missing = self.is_raised(super::Exc::AttributeError);
                if !is_missing || self.lookup(&metaclass, &Str::new("__getattr__")).is_none() {
                    return Err(raised);
                }
                self.take_raised();
                self.getattr_hook(object, name)
            }
        }
    }

    /// What `type.__getattribute__` does.
    pub(crate) fn plain_class_attribute(&mut self, class: &Ref<Type>, name: &Ref<Str>) -> Res<Option<Value>> {
        let object: Value = class.clone().into();
        let metaclass = self.type_of(&object);
        let of_meta = self.lookup(&metaclass, name);
        if let Some(found) = &of_meta
            && self.is_data_descriptor(found)
        {
            return self.bind(found.clone(), &object, &metaclass).map(Some);
        }
        if let Some(found) = self.lookup(class, name) {
            return self.bind_to_class(found, class).map(Some);
        }
        match of_meta {
            Some(found) => self.bind(found, &object, &metaclass).map(Some),
            None => Ok(None),
        }
    }

    /// What a class attribute means when it is asked of the class itself.
    pub(crate) fn bind_to_class(&mut self, found: Value, class: &Ref<Type>) -> Res {
        match found.view() {
            View::StaticMethod(method) => Ok(method.function()),
            View::ClassMethod(method) => self.bind_class_method(method.function(), class),
            View::Instance(_) => match self.special_method(&found, "__get__")? {
                Some(getter) => self.call(&getter, &[Value::NONE, class.clone().into()]),
                None => Ok(found),
            },
            _ => Ok(found),
        }
    }

    /// `__dict__` of a class.
    pub(crate) fn class_dict(&mut self, class: &Ref<Type>) -> Value {
        super::pour::pour(class);
        crate::value::mapping_proxy::of(class.attributes.clone().into())
    }

    pub(super) fn super_attribute(
        &mut self,
        object: &Value,
        s: &Super,
        name: &Ref<Str>,
    ) -> Res<Option<Value>> {
        if let Some(value) = self.beyond_super(s, name)? {
            return Ok(Some(value));
        }
        let class = self.types.of_tag(Tag::Super).clone();
        match self.lookup(&class, name) {
            Some(found) => self.bind(found, object, &class).map(Some),
            None => Ok(None),
        }
    }

    /// An attribute from the classes after that of a `super` object.
    pub(super) fn beyond_super(&mut self, s: &Super, name: &Ref<Str>) -> Res<Option<Value>> {
        if s.object.is_none() || name.as_str() == "__class__" {
            return Ok(None);
        }
        let Some(found) = self.lookup_after(&s.object_class, &s.class, name) else { return Ok(None) };
        let class = s.object_class.clone();
        if s.object.same(&class.clone().into()) {
            // Inside a class method or `__new__` functions stay unbound.
            return self.bind_to_class(found, &class).map(Some);
        }
        self.bind(found, &s.object.clone(), &class).map(Some)
    }

    /// `super(class, object)`.
    ///
    /// # Errors
    /// `TypeError` if the object is no instance of the class and no class derived from it.
    pub(crate) fn super_of(&mut self, class: &Ref<Type>, object: &Value) -> Res {
        let object_class = self.super_start(class, object)?;
        Ok(Ref::new(Super { class: class.clone(), object: object.clone(), object_class }).into())
    }

    /// The class whose resolution order `super(class, object)` follows.
    pub(crate) fn super_start(&mut self, class: &Ref<Type>, object: &Value) -> Res<Ref<Type>> {
        if let Some(itself) = object.get_ref::<Type>()
            && itself.is_subtype_of(class)
        {
            return Ok(itself);
        }
        let own = self.type_of(object);
        if own.is_subtype_of(class) {
            return Ok(own);
        }
        // A proxy claims another class.
        let claimed = self.find_attribute(object, &Str::new("__class__"))?;
        match claimed.and_then(|claimed| claimed.get_ref::<Type>()) {
            Some(claimed) if claimed.is_subtype_of(class) => Ok(claimed),
            _ => Err(self.type_error("super(type, obj): obj must be an instance or subtype of type")),
        }
    }

    /// Copies what describes a function into the table of the static or class method around it, the first time
    /// somebody looks.
    pub(super) fn copy_wrapped(&mut self, wrapper: &Value, function: &Value, known: Option<&Ref<Dict>>) {
        if known.is_some() {
            return;
        }
        let table = match wrapper.view() {
            View::StaticMethod(method) => method.attributes(),
            View::ClassMethod(method) => method.attributes(),
            _ => return,
        };
        for name in WRAPPED {
            match self.find_attribute(function, &Str::new(name)) {
                Ok(Some(value)) => table.set_text(name, value),
                Ok(None) => {}
                Err(_) => drop(self.take_raised()),
            }
        }
    }
}

/// What a static or class method takes over from its function.
pub(crate) const WRAPPED: [&str; 5] =
    ["__module__", "__name__", "__qualname__", "__doc__", "__annotations__"];
