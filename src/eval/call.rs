//! Calls: evaluating arguments onto the value stack and finding what to run.

use super::Vm;
use super::code::{Call, Expr, MethodCall, SpreadArg, SpreadCall};
use crate::value::{
    BoundMethod, Dict, Function, Instance, NativeFunction, Raised, Ref, Res, Str, Tag, Type, Value, View,
};

impl Vm {
    pub(super) fn eval_call(&mut self, c: &Call) -> Res {
        let function = self.operand(&c.function)?;
        let start = self.stack_top();
        self.push_args(&c.args, start)?;
        self.call_span = c.span;
        let result = match function.get::<Function>() {
            Some(f) if f.code.params.positional == c.args.len() && c.keywords.is_empty() => {
                if f.code.params.is_simple() {
                    self.run_frame(f, start)
                } else {
                    self.invoke_function(f, start, &c.keywords)
                }
            }
            _ => self.invoke(&function, start, &c.keywords),
        };
        match result {
            Ok(value) => Ok(value),
            Err(_) => Err(self.at(c.span)),
        }
    }

    /// Evaluates arguments onto the stack; on failure removes those that are there from `start` on.
    #[inline(always)]
    fn push_args(&mut self, args: &[Expr], start: *mut Value) -> Res<()> {
        for arg in args {
            let pushed = match self.operand(arg) {
                Ok(value) => self.push(value),
                Err(raised) => Err(raised),
            };
            if pushed.is_err() {
                self.truncate(start);
                return Err(Raised);
            }
        }
        Ok(())
    }

    pub(super) fn eval_method_call(&mut self, c: &MethodCall) -> Res {
        let object = self.operand(&c.object)?;
        let start = self.stack_top();
        let function = match self.find_method(c, &object) {
            Ok(Some(function)) => {
                self.push(object)?;
                function
            }
            Ok(None) => match self.get_attribute(&object, &c.name) {
                Ok(function) => function,
                Err(_) => return Err(self.at(c.attribute_span)),
            },
            Err(_) => return Err(self.at(c.attribute_span)),
        };
        self.push_args(&c.args, start)?;
        self.call_span = c.span;
        match self.invoke(&function, start, &c.keywords) {
            Ok(value) => Ok(value),
            Err(_) => Err(self.at(c.span)),
        }
    }

    /// The function that `object.name(...)` calls with the object as first argument; `None` if the name
    /// is found some other way (an attribute of the object itself, a property, ...).
    #[inline]
    fn find_method(&mut self, c: &MethodCall, object: &Value) -> Res<Option<Value>> {
        let version = match object.view() {
            View::Instance(instance) => {
                if instance.attributes.get().is_some_and(|d| d.borrow().find_str(&c.name).is_some()) {
                    return Ok(None);
                }
                let class = instance.class.borrow();
                if class.kind == Tag::Super {
                    return Ok(None);
                }
                class.version.get()
            }
            View::Module(_) | View::Type(_) | View::Super(_) | View::Exception(_) | View::Function(_) => {
                return Ok(None);
            }
            View::File(file) => {
                if file.attributes.get().is_some_and(|d| d.borrow().find_str(&c.name).is_some()) {
                    return Ok(None);
                }
                self.type_of(object).version.get()
            }
            // Types that share a tag.
            View::Iter(_)
            | View::DictView(_)
            | View::Foreign(_)
            | View::NativeFunction(_)
            | View::BoundMethod(_)
            | View::Property(_)
            | View::ClassMethod(_) => self.type_of(object).version.get(),
            _ => self.types.of_tag(object.tag()).version.get(),
        };
        if c.cache.version.get() == version {
            return Ok(Some(c.cache.function.borrow().clone()));
        }
        let class = self.type_of(object);
        self.find_method_slowly(c, &class)
    }

    #[cold]
    fn find_method_slowly(&mut self, c: &MethodCall, class: &Ref<Type>) -> Res<Option<Value>> {
        if self.has_custom_getattribute(class) {
            return Ok(None);
        }
        match self.lookup(class, &c.name) {
            Some(found)
                if found.is::<Function>()
                    || found.get::<NativeFunction>().is_some_and(|f| f.owner.is_some()) =>
            {
                c.cache.version.set(class.version.get());
                let old = c.cache.function.replace(found.clone());
                drop(old);
                Ok(Some(found))
            }
            _ => Ok(None),
        }
    }

    pub(super) fn eval_spread_call(&mut self, c: &SpreadCall) -> Res {
        let function = self.operand(&c.function)?;
        let start = self.stack_top();
        let mut keywords = Vec::new();
        if self.push_spread_args(&function, &c.args, &mut keywords).is_err() {
            self.truncate(start);
            return Err(self.at(c.span));
        }
        self.call_span = c.span;
        match self.invoke(&function, start, &keywords) {
            Ok(value) => Ok(value),
            Err(_) => Err(self.at(c.span)),
        }
    }

    /// Pushes positional arguments and then keyword values, whose names go to `keywords`.
    pub(super) fn push_spread_args(
        &mut self,
        function: &Value,
        args: &[SpreadArg],
        keywords: &mut Vec<Ref<Str>>,
    ) -> Res<()> {
        let mut named = Vec::new();
        for arg in args {
            match arg {
                SpreadArg::Positional(expr) => {
                    let value = self.operand(expr)?;
                    self.push(value)?;
                }
                SpreadArg::Spread(expr) => {
                    let iterable = self.operand(expr)?;
                    let mut items = Vec::new();
                    if self.extend_from(&mut items, &iterable).is_err() {
                        if self.is_not_iterable(&iterable) {
                            let got = self.type_name(&iterable);
                            // With other positional arguments they are collected first, for whatever function.
                            let is_alone = args.iter().filter(|arg| !arg.is_keyword()).count() == 1;
                            let shown = match is_alone {
                                true => format!("{} argument", self.callable_name(function)),
                                false => "Value".to_string(),
                            };
                            self.take_raised();
                            self.type_error(format!("{shown} after * must be an iterable, not {got}"));
                        }
                        return Err(Raised);
                    }
                    self.ensure_room(items.len())?;
                    for item in items {
                        self.push(item)?;
                    }
                }
                SpreadArg::Keyword(name, expr) => {
                    let value = self.operand(expr)?;
                    self.add_keyword(function, keywords, &mut named, name.clone(), value)?;
                }
                SpreadArg::SpreadKeywords(expr) => {
                    let mapping = self.operand(expr)?;
                    for (key, value) in self.keyword_pairs(function, &mapping)? {
                        self.add_keyword(function, keywords, &mut named, key, value)?;
                    }
                }
            }
        }
        self.ensure_room(named.len())?;
        for value in named {
            self.push(value)?;
        }
        Ok(())
    }

    fn add_keyword(
        &mut self,
        function: &Value,
        keywords: &mut Vec<Ref<Str>>,
        named: &mut Vec<Value>,
        name: Ref<Str>,
        value: Value,
    ) -> Res<()> {
        if keywords.iter().any(|k| k.as_str() == name.as_str()) {
            let shown = self.callable_name(function);
            return Err(self.type_error(format!(
                "{shown} got multiple values for keyword argument '{}'",
                name.as_str()
            )));
        }
        keywords.push(name);
        named.push(value);
        Ok(())
    }

    fn keyword_pairs(&mut self, function: &Value, mapping: &Value) -> Res<Vec<(Ref<Str>, Value)>> {
        let dict = match mapping.get_ref::<Dict>() {
            Some(dict) => dict,
            None => {
                let copy = Dict::new(Default::default());
                let shown = self.callable_name(function);
                let message = format!("{shown} argument after ** must be a mapping, not {{}}");
                self.dict_merge(&copy, mapping, &message)?;
                copy
            }
        };
        let mut pairs = Vec::with_capacity(dict.len());
        for (key, value) in dict.pairs() {
            match Vm::unwrap_native(&key).get_ref::<Str>() {
                Some(name) => pairs.push((name, value)),
                None => return Err(self.type_error("keywords must be strings")),
            }
        }
        Ok(pairs)
    }

    /// `f()`, as messages about a call name the function.
    fn callable_name(&mut self, function: &Value) -> String {
        match function.view() {
            View::Function(f) => {
                let module = f.module.name.as_str();
                let name = f.qualname.borrow().clone();
                format!("{module}.{}()", name.as_str())
            }
            View::NativeFunction(f) => match &f.owner {
                Some(owner) => format!("{}.{}()", owner.name().as_str(), f.native.name),
                None => format!("{}()", f.native.name),
            },
            View::BoundMethod(m) => self.callable_name(&m.function.clone()),
            View::Type(t) => {
                let name = t.name();
                match t.attributes.get_text("__module__") {
                    Some(module) if t.flags.is_user => {
                        format!("{}.{}()", module.as_str().unwrap_or_default(), name.as_str())
                    }
                    _ => format!("{}()", name.as_str()),
                }
            }
            _ => match self.str_of(function) {
                Ok(text) => text,
                Err(_) => {
                    self.take_raised();
                    format!("{} object", self.type_name(function))
                }
            },
        }
    }

    /// Calls anything callable with the arguments on the stack from `start`: all positional ones, then
    /// one value for each of `keywords`. The arguments are gone afterwards, however it ends.
    pub(crate) fn invoke(&mut self, function: &Value, start: *mut Value, keywords: &[Ref<Str>]) -> Res {
        match function.view() {
            View::Function(f) => self.invoke_function(f, start, keywords),
            View::NativeFunction(f) => self.invoke_native(f, start, keywords),
            View::BoundMethod(m) => self.invoke_bound(m, start, keywords),
            View::Type(_) => self.invoke_type(function, start, keywords),
            _ => self.invoke_object(function, start, keywords),
        }
    }

    pub(super) fn invoke_function(&mut self, f: &Function, start: *mut Value, keywords: &[Ref<Str>]) -> Res {
        let params = &f.code.params;
        let given = self.stack_len(start);
        if keywords.is_empty() && params.is_simple() && given <= params.positional {
            let defaults = f.defaults.borrow().clone();
            if given + defaults.len() >= params.positional {
                for value in &defaults[given + defaults.len() - params.positional..] {
                    if self.push(value.clone()).is_err() {
                        self.truncate(start);
                        return Err(Raised);
                    }
                }
                return self.run_frame(f, start);
            }
        }
        if self.bind_function(f, start, keywords).is_err() {
            self.truncate(start);
            return Err(Raised);
        }
        self.run_frame(f, start)
    }

    /// Moves the arguments up by one and puts the receiver before them.
    fn invoke_bound(&mut self, method: &BoundMethod, start: *mut Value, keywords: &[Ref<Str>]) -> Res {
        self.insert_first(start, method.receiver.clone())?;
        self.invoke(&method.function, start, keywords)
    }

    /// Puts a value before the arguments that start at `start`; on failure the arguments are gone.
    pub(super) fn insert_first(&mut self, start: *mut Value, value: Value) -> Res<()> {
        let count = self.stack_len(start);
        if self.push(Value::UNBOUND).is_err() {
            self.truncate(start);
            return Err(Raised);
        }
        // SAFETY: the stack holds `count` values from `start` and one free entry after them.
        unsafe {
            std::ptr::copy(start, start.add(1), count);
            start.write(value);
        }
        Ok(())
    }

    /// Calls an object through its class's `__call__`.
    fn invoke_object(&mut self, object: &Value, start: *mut Value, keywords: &[Ref<Str>]) -> Res {
        if self.is_stack_low() {
            self.truncate(start);
            return Err(self.too_deep(""));
        }
        match self.special_method(object, "__call__") {
            Ok(Some(method)) => self.invoke(&method, start, keywords),
            Ok(None) => {
                self.truncate(start);
                let name = self.type_name(object);
                Err(self.type_error(format!("'{name}' object is not callable")))
            }
            Err(raised) => {
                self.truncate(start);
                Err(raised)
            }
        }
    }

    /// Calls a function value from Rust code.
    pub fn call(&mut self, function: &Value, args: &[Value]) -> Res {
        let start = self.stack_top();
        for arg in args {
            if self.push(arg.clone()).is_err() {
                self.truncate(start);
                return Err(Raised);
            }
        }
        self.invoke(function, start, &[])
    }

    /// Calls a function value from Rust code, with keyword arguments.
    pub fn call_with_keywords(
        &mut self,
        function: &Value,
        args: &[Value],
        named: &[(Ref<Str>, Value)],
    ) -> Res {
        let start = self.stack_top();
        for arg in args.iter().chain(named.iter().map(|(_, value)| value)) {
            if self.push(arg.clone()).is_err() {
                self.truncate(start);
                return Err(Raised);
            }
        }
        let names: Vec<Ref<Str>> = named.iter().map(|(name, _)| name.clone()).collect();
        self.invoke(function, start, &names)
    }

    /// Calls `object.name(args)`.
    pub fn call_method(&mut self, object: &Value, name: &str, args: &[Value]) -> Res {
        let method = self.get_attribute(object, &Str::new(name))?;
        self.call(&method, args)
    }

    /// Whether `callable(value)`.
    pub fn is_callable(&mut self, value: &Value) -> bool {
        match value.view() {
            View::Function(_) | View::NativeFunction(_) | View::BoundMethod(_) | View::Type(_) => true,
            View::Instance(instance) => {
                let class = instance.class();
                self.lookup(&class, &Str::new("__call__")).is_some()
            }
            View::Foreign(_) => {
                let class = self.type_of(value);
                self.lookup(&class, &Str::new("__call__")).is_some()
            }
            View::StaticMethod(_) => true,
            _ => false,
        }
    }

    /// The value inside an instance of a class derived from a built-in type, or the value itself.
    pub fn unwrap_native(value: &Value) -> &Value {
        value.get::<Instance>().and_then(Instance::native).unwrap_or(value)
    }
}
