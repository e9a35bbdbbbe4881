//! Calling a type: `__new__`, then `__init__`.

use super::{Exc, Vm};
use crate::value::{
    Dict, Exception, Instance, NativeFunction, Raised, Ref, Res, Str, Tag, Type, Value, View,
};

impl Vm {
    /// Calls a type: makes an object and initialises it.
    pub(super) fn invoke_type(&mut self, function: &Value, start: *mut Value, keywords: &[Ref<Str>]) -> Res {
        let Some(class) = function.get_ref::<Type>() else {
            self.truncate(start);
            return Err(Raised);
        };
        if self.is_stack_low() {
            self.truncate(start);
            return Err(self.too_deep(""));
        }
        let is_type_itself = Ref::ptr_eq(&class, &self.types.type_);
        if is_type_itself && self.stack_len(start) == 1 && keywords.is_empty() {
            let value = self.pop_many(1).remove(0);
            return Ok(self.type_of(&value).into());
        }
        let metaclass = self.type_of(function);
        if metaclass.flags.is_user
            && let Some(found) = self.lookup(&metaclass, &Str::new("__call__"))
            && !found.is::<NativeFunction>()
        {
            self.insert_first(start, function.clone())?;
            return self.invoke(&found, start, keywords);
        }
        self.construct(&class, start, keywords)
    }

    /// What `type.__call__` does.
    pub(crate) fn construct(&mut self, class: &Ref<Type>, start: *mut Value, keywords: &[Ref<Str>]) -> Res {
        let name = self.names.new.clone();
        let new = self.lookup_again(class, &name);
        let new = match &new {
            Some(found) => match found.view() {
                View::StaticMethod(method) => Some(method.function()),
                _ => Some(found.clone()),
            },
            None => None,
        };
        let is_native_new = new.as_ref().is_none_or(|f| f.is::<NativeFunction>());
        if !class.flags.is_user {
            return match new {
                Some(_) if class.kind == Tag::Exception => self.construct_user(class, None, start, keywords),
                // A module is made without a name; a property without functions.
                Some(_) if matches!(class.kind, Tag::Module | Tag::Property) => {
                    self.construct_user(class, None, start, keywords)
                }
                Some(new) => {
                    self.insert_first(start, class.clone().into())?;
                    self.invoke(&new, start, keywords)
                }
                None if class.kind == Tag::Exception => self.construct_user(class, None, start, keywords),
                None => {
                    self.truncate(start);
                    let shown = class.name();
                    Err(self.type_error(format!("cannot create '{}' instances", shown.as_str())))
                }
            };
        }
        self.construct_user(class, if is_native_new { None } else { new }, start, keywords)
    }

    /// `__new__` (the class's own, or the built-in one), then `__init__`.
    fn construct_user(
        &mut self,
        class: &Ref<Type>,
        new: Option<Value>,
        start: *mut Value,
        keywords: &[Ref<Str>],
    ) -> Res {
        let name = self.names.init.clone();
        let mut init = self.lookup_again(class, &name);
        let has_own_new = new.is_some();
        let object = match new {
            Some(new) => {
                let made = self.call_copied(&new, class, start, keywords, 0);
                match made {
                    Ok(object) if self.is_instance(&object, class) => {
                        let own = self.type_of(&object);
                        if !Ref::ptr_eq(&own, class) {
                            init = self.lookup_again(&own, &name);
                        }
                        object
                    }
                    other => {
                        self.truncate(start);
                        return other;
                    }
                }
            }
            None => match self.new_object(class, start, keywords, init.as_ref()) {
                Ok(object) => object,
                Err(raised) => {
                    self.truncate(start);
                    return Err(raised);
                }
            },
        };
        // The `__init__` of `object` would only look at the arguments, which `__new__` has done.
        let Some(init) = init.filter(|init| !self.is_object_init(init)) else {
            self.truncate(start);
            return Ok(object);
        };
        let is_native = init.is::<NativeFunction>();
        self.insert_first(start, object.clone())?;
        let init = match init.view() {
            View::Function(_) | View::NativeFunction(_) => init.clone(),
            _ => {
                // A descriptor in the place of `__init__`.
                let values = self.pop_many(self.stack_len(start));
                let Some(bound) = self.special_method(&object, "__init__")? else { return Ok(object) };
                for value in values.into_iter().skip(1) {
                    self.push(value)?;
                }
                bound
            }
        };
        // What is for `__new__` of the script is no affair of a list.
        let is_deaf = is_native && has_own_new && class.kind == Tag::List;
        let keywords = if is_deaf {
            drop(self.pop_many(keywords.len()));
            &[]
        } else {
            keywords
        };
        let result = self.invoke(&init, start, keywords)?;
        if !result.is_none() && !is_native {
            let got = self.type_name(&result);
            return Err(self.type_error(format!("__init__() should return None, not '{got}'")));
        }
        Ok(object)
    }

    fn is_object_init(&self, init: &Value) -> bool {
        let owner = init.get::<NativeFunction>().and_then(|f| f.owner.as_ref());
        owner.is_some_and(|owner| Ref::ptr_eq(owner, &self.types.object))
    }

    /// `class(*args, **named)` without asking the class's own class.
    pub(crate) fn construct_with(
        &mut self,
        class: &Ref<Type>,
        args: &[Value],
        named: &[(Ref<Str>, Value)],
    ) -> Res {
        let start = self.stack_top();
        for value in args.iter().chain(named.iter().map(|(_, value)| value)) {
            if self.push(value.clone()).is_err() {
                self.truncate(start);
                return Err(Raised);
            }
        }
        let keywords: Vec<Ref<Str>> = named.iter().map(|(name, _)| name.clone()).collect();
        self.construct(class, start, &keywords)
    }

    /// Calls `new(class, ...)` with a copy of the arguments, which stay for `__init__`. The last `ignored` of them are
    /// for `__init__` alone.
    fn call_copied(
        &mut self,
        new: &Value,
        class: &Ref<Type>,
        start: *mut Value,
        keywords: &[Ref<Str>],
        ignored: usize,
    ) -> Res {
        let count = self.stack_len(start) - ignored;
        let copy = self.stack_top();
        self.push(class.clone().into())?;
        for i in 0..count {
            // SAFETY: the stack holds `count` values from `start`.
            let value = unsafe { (*start.add(i)).clone() };
            self.push(value)?;
        }
        self.invoke(new, copy, keywords)
    }

    /// A new object by the built-in `__new__` of the class's layout.
    fn new_object(
        &mut self,
        class: &Ref<Type>,
        start: *mut Value,
        keywords: &[Ref<Str>],
        init: Option<&Value>,
    ) -> Res {
        match class.kind {
            Tag::Instance => {
                let has_own_init = init.is_some_and(|i| !i.is::<NativeFunction>());
                if !has_own_init && self.stack_len(start) > 0 {
                    let shown = class.name();
                    return Err(self.type_error(format!("{}() takes no arguments", shown.as_str())));
                }
                self.check_abstract(class)?;
                Ok(Instance::new(class.clone()).into())
            }
            Tag::Exception => {
                let count = self.stack_len(start) - keywords.len();
                // SAFETY: the stack holds at least `count` values from `start`.
                let args = (0..count).map(|i| unsafe { (*start.add(i)).clone() }).collect::<Vec<_>>();
                Ok(self.make_exception(class, args)?.into())
            }
            // Containers are filled by `__init__`.
            Tag::List => Ok(Instance::with_native(class.clone(), Value::list(Vec::new())).into()),
            Tag::Dict => {
                Ok(Instance::with_native(class.clone(), Dict::new(Default::default()).into()).into())
            }
            Tag::ByteArray => {
                let empty = crate::value::ByteArray::new(Vec::new());
                Ok(Instance::with_native(class.clone(), empty.into()).into())
            }
            Tag::Property if class.flags.is_user => {
                let empty = crate::value::Property::new(Value::NONE, Value::NONE, Value::NONE, Value::NONE);
                Ok(Instance::with_native(class.clone(), Ref::new(empty).into()).into())
            }
            Tag::Set => {
                let empty = crate::value::Set::new(Default::default());
                Ok(Instance::with_native(class.clone(), empty.into()).into())
            }
            _ => {
                // Of a file or an iterator the kind does not tell the type.
                let base = match class.kind {
                    Tag::File | Tag::Iter | Tag::Foreign => class.clone(),
                    kind => self.types.of_tag(kind).clone(),
                };
                // Files in memory are filled by `__init__`.
                let is_empty_first = class.kind == Tag::File
                    && class.mro.borrow().iter().any(|t| t.kind == Tag::File && !t.flags.is_user);
                // What is for `__init__` of the script is no affair of these.
                let is_deaf = matches!(class.kind, Tag::Float | Tag::Tuple | Tag::FrozenSet)
                    && init.is_some_and(|init| !init.is::<NativeFunction>());
                let has_own_init = init.is_some_and(|init| !init.is::<NativeFunction>());
                let found = self.lookup(&base, &Str::new("__new__"));
                let is_deaf =
                    is_deaf || class.kind == Tag::Iter && has_own_init && takes_no_names(found.as_ref());
                let ignored = if is_deaf { keywords.len() } else { 0 };
                match found {
                    Some(found) => {
                        let new = match found.view() {
                            View::StaticMethod(method) => method.function(),
                            _ => found.clone(),
                        };
                        if is_empty_first {
                            return self.call(&new, &[class.clone().into()]);
                        }
                        self.call_copied(&new, class, start, &keywords[ignored..], ignored)
                    }
                    None => Ok(Instance::new(class.clone()).into()),
                }
            }
        }
    }

    /// `OSError(errno, message)` becomes the subclass for that number.
    pub(crate) fn make_os_error(&mut self, class: &Ref<Type>, args: Vec<Value>) -> Ref<Exception> {
        let is_base = self.types.is_exception(class, Exc::OSError);
        let class = match args.first().and_then(Value::as_int) {
            Some(code) if is_base && args.len() >= 2 => {
                self.types.exception(super::raise::os_error_class(code as i32))
            }
            _ => class.clone(),
        };
        self.new_os_error(class, args)
    }

    /// Refuses to make an object of a class with abstract methods left.
    pub(crate) fn check_abstract(&mut self, class: &Ref<Type>) -> Res<()> {
        let Some(names) = class.attributes.get_str(&self.names.abstract_methods) else { return Ok(()) };
        let mut names: Vec<String> =
            self.collect(&names)?.iter().filter_map(|n| n.as_str().map(str::to_string)).collect();
        if names.is_empty() {
            return Ok(());
        }
        names.sort();
        let shown = class.name();
        let plural = if names.len() == 1 { "" } else { "s" };
        Err(self.type_error(format!(
            "Can't instantiate abstract class {} with abstract method{plural} {}",
            shown.as_str(),
            names.join(", ")
        )))
    }

    /// Wraps what a built-in `__new__` made in an instance of a class derived from that type.
    pub(crate) fn wrap_new(&mut self, class: &Value, made: Value) -> Value {
        match class.get_ref::<Type>() {
            Some(class)
                if class.flags.is_user
                    && !matches!(class.kind, Tag::Exception | Tag::Module)
                    && !made.is::<Instance>()
                    && !made.is::<Type>() =>
            {
                Instance::with_native(class, made).into()
            }
            _ => made,
        }
    }
}

/// Whether a native constructor has no parameter that could be given by name.
fn takes_no_names(new: Option<&Value>) -> bool {
    let Some(View::StaticMethod(method)) = new.map(Value::view) else { return false };
    let function = method.function();
    let Some(function) = function.get::<NativeFunction>() else { return false };
    let signature = &function.signature;
    let has_names = signature.positional_only < signature.positional.len();
    !has_names && signature.keyword_only.is_empty() && signature.keywords.is_none()
}
