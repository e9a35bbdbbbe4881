//! Setting and deleting attributes.
//!
//! Both go the same way, with no value for deleting: the class's own `__setattr__` or `__delattr__`, then a data
//! descriptor of the class, then the object's own table.

use super::{Exc, Vm};
use crate::value::{
    Dict, Exception, Module, NativeFunction, Property, PropertyKind, Raised, Ref, Res, Str, Type, Value, View,
};

impl Vm {
    /// `object.name = value`.
    ///
    /// # Errors
    /// `AttributeError`; whatever descriptors and `__setattr__` raise.
    pub fn set_attribute(&mut self, object: &Value, name: &Ref<Str>, value: Value) -> Res<()> {
        self.store_attribute(object, name, Some(value))
    }

    /// `del object.name`.
    ///
    /// # Errors
    /// As for `set_attribute`.
    pub fn delete_attribute(&mut self, object: &Value, name: &Ref<Str>) -> Res<()> {
        self.store_attribute(object, name, None)
    }

    fn store_attribute(&mut self, object: &Value, name: &Ref<Str>, value: Option<Value>) -> Res<()> {
        let class = self.type_of(object);
        if class.flags.is_user {
            let hook = if value.is_some() { &self.names.setattr } else { &self.names.delattr }.clone();
            if let Some(found) = self.lookup_again(&class, &hook)
                && found.get::<NativeFunction>().is_none_or(|native| native.native.name != hook.as_str())
            {
                let method = self.bind(found, object, &class)?;
                let args = [Some(name.clone().into()), value].into_iter().flatten().collect::<Vec<_>>();
                return self.call(&method, &args).map(drop);
            }
        }
        self.plain_store(object, name, value)
    }

    /// What `object.__setattr__` and `type.__setattr__` do; without a value, what `__delattr__` does.
    pub(crate) fn plain_store(&mut self, object: &Value, name: &Ref<Str>, value: Option<Value>) -> Res<()> {
        let class = self.type_of(object);
        if let View::Type(changed) = object.view()
            && !changed.flags.is_user
        {
            return Err(self.immutable_type(changed, name));
        }
        if let Some(found) = self.lookup_again(&class, name)
            && self.store_by_descriptor(&found, object, value.as_ref())?
        {
            return Ok(());
        }
        match object.view() {
            View::Instance(instance) if !class.flags.is_slotted => {
                self.store_in(&instance.attributes(), object, name, value)
            }
            View::Exception(exception) => self.store_in_exception(exception, object, name, value),
            View::Module(module) => self.store_in_module(module, object, name, value),
            View::File(file) => self.store_in(&file.attributes.get_or_make(), object, name, value),
            View::Function(f) => self.store_in(&f.attributes(), object, name, value),
            View::StaticMethod(method) => self.store_in(&method.attributes(), object, name, value),
            View::ClassMethod(method) => self.store_in(&method.attributes(), object, name, value),
            View::Type(class) => self.store_in_class(class, object, name, value),
            _ => Err(self.cannot_store(object, name)),
        }
    }

    fn store_in(&mut self, table: &Dict, object: &Value, name: &Ref<Str>, value: Option<Value>) -> Res<()> {
        match value {
            Some(value) => table.set_str(name, value),
            None if table.remove_str(name).is_some() => {}
            None => return Err(self.no_attribute(object, name)),
        }
        Ok(())
    }

    fn store_in_module(
        &mut self,
        module: &Module,
        object: &Value,
        name: &Ref<Str>,
        value: Option<Value>,
    ) -> Res<()> {
        match value {
            Some(value) => module.set(name, value),
            None if module.remove(name) => {}
            None => return Err(self.no_attribute(object, name)),
        }
        Ok(())
    }

    fn store_in_class(
        &mut self,
        class: &Type,
        object: &Value,
        name: &Ref<Str>,
        value: Option<Value>,
    ) -> Res<()> {
        let is_set = value.is_some();
        self.store_in(&class.attributes, object, name, value)?;
        if name.as_str() == "__del__" {
            let inherits = class.mro.borrow().iter().skip(1).any(|base| base.has_del.get());
            class.has_del.set(is_set || inherits);
        }
        class.touch();
        Ok(())
    }

    pub(crate) fn immutable_type(&mut self, class: &Type, name: &Str) -> Raised {
        let shown = class.name();
        self.type_error(format!(
            "cannot set '{}' attribute of immutable type '{}'",
            name.as_str(),
            shown.as_str()
        ))
    }

    /// Whether an attribute of the class is a descriptor that has taken the value.
    fn store_by_descriptor(&mut self, found: &Value, object: &Value, value: Option<&Value>) -> Res<bool> {
        match found.view() {
            View::Property(property) => self.store_by_property(property, object, value).map(|()| true),
            View::Instance(instance) => {
                let class = instance.class();
                let [set, delete] =
                    ["__set__", "__delete__"].map(|name| self.lookup(&class, &Str::new(name)).is_some());
                if !set && !delete {
                    return Ok(false);
                }
                let hook = if value.is_some() { "__set__" } else { "__delete__" };
                let Some(method) = self.special_method(found, hook)? else {
                    return Err(self.error(Exc::AttributeError, hook));
                };
                let args: Vec<Value> = std::iter::once(object).chain(value).cloned().collect();
                self.call(&method, &args)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Sets or deletes through a property.
    pub(crate) fn store_by_property(
        &mut self,
        property: &Property,
        object: &Value,
        value: Option<&Value>,
    ) -> Res<()> {
        let function = if value.is_some() { property.setter() } else { property.deleter() };
        if function.is_none() {
            return Err(self.no_accessor(
                property,
                object,
                if value.is_some() { "setter" } else { "deleter" },
            ));
        }
        let args: Vec<Value> = std::iter::once(object).chain(value).cloned().collect();
        self.call(&function, &args).map(drop)
    }

    /// The error of a property without the function that is needed.
    #[cold]
    pub(crate) fn no_accessor(&mut self, property: &Property, object: &Value, what: &str) -> Raised {
        let name = property.name.borrow().clone();
        let name = match &name {
            name if name.is_none() => None,
            name => Some(self.repr_of(name).unwrap_or_default()),
        };
        let message = match (property.kind(), name) {
            (PropertyKind::Member, _) => "readonly attribute".to_string(),
            (PropertyKind::Computed, Some(name)) => {
                let owner = property
                    .owner()
                    .map_or_else(|| self.type_name(object), |owner| owner.name().as_str().to_string());
                format!("attribute {name} of '{owner}' objects is not writable")
            }
            (_, name) => {
                let class = self.type_of(object).qualname.borrow().clone();
                let name = name.map_or_else(String::new, |name| format!(" {name}"));
                format!("property{name} of '{}' object has no {what}", class.as_str())
            }
        };
        self.error(Exc::AttributeError, message)
    }

    fn store_in_exception(
        &mut self,
        exception: &Exception,
        object: &Value,
        name: &Ref<Str>,
        value: Option<Value>,
    ) -> Res<()> {
        let Some(value) = value else {
            return match name.as_str() {
                "args" | "__cause__" | "__context__" | "__traceback__" | "__suppress_context__" => {
                    Err(self.type_error(format!("{} may not be deleted", name.as_str())))
                }
                _ => self.store_in(&exception.attributes(), object, name, None),
            };
        };
        match name.as_str() {
            "args" => {
                let items = self.collect(&value)?;
                *exception.args.borrow_mut() = Value::tuple(items);
            }
            "__cause__" | "__context__" if !value.is_none() && !value.is::<Exception>() => {
                let what = name.as_str().trim_matches('_');
                return Err(
                    self.type_error(format!("exception {what} must be None or derive from BaseException"))
                );
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
            "__dict__" => {
                let Some(given) = Vm::unwrap_native(&value).get::<Dict>() else {
                    let got = self.type_name(&value);
                    return Err(
                        self.type_error(format!("__dict__ must be set to a dictionary, not a '{got}'"))
                    );
                };
                // The table also has what the exception itself keeps, so it stays.
                for (name, value) in given.pairs() {
                    self.dict_set(&exception.attributes(), name, value)?;
                }
            }
            "message" | "exceptions" if self.group_members(exception).is_some() => {
                return Err(self.error(Exc::AttributeError, "readonly attribute"));
            }
            _ => exception.attributes().set_str(name, value),
        }
        Ok(())
    }

    #[cold]
    fn cannot_store(&mut self, object: &Value, name: &Ref<Str>) -> Raised {
        let shown = self.type_name(object);
        let class = self.type_of(object);
        if self.lookup(&class, name).is_none() {
            return self.no_attribute(object, name);
        }
        let message = format!("'{shown}' object attribute '{}' is read-only", name.as_str());
        self.error(Exc::AttributeError, message)
    }
}
