//! Classes: the `class` statement, and what calling a type does.

use super::code::ClassStmt;
use super::{Exc, Vm};
use crate::value::types::Flags;
use crate::value::{
    Cell, ClassMethod, Dict, Exception, Function, Instance, NativeFunction, Raised, Ref, Res, StaticMethod,
    Str, Tag, Type, Value, View,
};
use std::cell::{OnceCell, RefCell};

impl Vm {
    pub(super) fn make_class(&mut self, c: &ClassStmt) -> Res {
        let start = self.stack_top();
        let mut keywords = Vec::new();
        let pushed = self.push_spread_args(&Value::NONE, &c.args, &mut keywords);
        let values = self.pop_many(self.stack_len(start));
        pushed?;
        let (bases, named) = values.split_at(values.len() - keywords.len());
        let mut named: Vec<(Ref<Str>, Value)> = keywords.into_iter().zip(named.iter().cloned()).collect();
        let metaclass =
            named.iter().position(|(name, _)| name.as_str() == "metaclass").map(|i| named.remove(i).1);
        let original = bases.to_vec();
        let bases = self.resolve_bases(bases)?;
        let metaclass = self.choose_metaclass(metaclass, &bases)?;
        let namespace = self.prepare_namespace(&metaclass, c, &bases, &named)?;
        let class_cell = Cell::new(Value::UNBOUND);
        self.run_class_body(c, &namespace, &class_cell)?;
        if original.len() != bases.len() || original.iter().zip(&bases).any(|(a, b)| !a.same(b)) {
            let key: Value = Str::new("__orig_bases__").into();
            self.set_item(&namespace, key, Value::tuple(original))?;
        }
        let args = [c.name.clone().into(), Value::tuple(bases), namespace];
        let class = self.call_with_keywords(&metaclass, &args, &named)?;
        if class_cell.get().is_unbound() {
            class_cell.set(class.clone());
        }
        Ok(class)
    }

    /// Replaces bases that are not classes by what their `__mro_entries__` gives.
    fn resolve_bases(&mut self, bases: &[Value]) -> Res<Vec<Value>> {
        let mut resolved = Vec::with_capacity(bases.len());
        for base in bases {
            if !base.is::<Type>()
                && let Some(entries) = self.special_method(base, "__mro_entries__")?
            {
                let more = self.call(&entries, &[Value::tuple(bases.to_vec())])?;
                self.extend_from(&mut resolved, &more)?;
                continue;
            }
            resolved.push(base.clone());
        }
        Ok(resolved)
    }

    /// The most derived of the given metaclass and those of the bases.
    fn choose_metaclass(&mut self, given: Option<Value>, bases: &[Value]) -> Res {
        let mut winner: Value = match given {
            Some(given) if !given.is::<Type>() => return Ok(given),
            Some(given) => given,
            None => self.types.type_.clone().into(),
        };
        for base in bases {
            if !base.is::<Type>() {
                continue;
            }
            let candidate: Value = self.type_of(base).into();
            let (Some(w), Some(c)) = (winner.get::<Type>(), candidate.get::<Type>()) else { continue };
            if w.is_subtype_of(c) {
                continue;
            }
            if !c.is_subtype_of(w) {
                return Err(self.type_error(
                    "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the metaclasses of all its bases",
                ));
            }
            winner = candidate;
        }
        Ok(winner)
    }

    fn prepare_namespace(
        &mut self,
        metaclass: &Value,
        c: &ClassStmt,
        bases: &[Value],
        named: &[(Ref<Str>, Value)],
    ) -> Res {
        let may_prepare = metaclass.get::<Type>().is_none_or(|class| class.flags.is_user);
        if may_prepare && let Some(prepare) = self.find_attribute(metaclass, &Str::new("__prepare__"))? {
            let args = [c.name.clone().into(), Value::tuple(bases.to_vec())];
            return self.call_with_keywords(&prepare, &args, named);
        }
        Ok(Dict::new(Default::default()).into())
    }

    /// Runs the body with its namespace in slot 0 and the cell of `__class__` in slot 1.
    fn run_class_body(&mut self, c: &ClassStmt, namespace: &Value, class_cell: &Ref<Cell>) -> Res<()> {
        let module = self.current_module();
        let module_name = module.get(&self.names.name.clone()).unwrap_or(module.name.clone().into());
        let preset = [("__module__", module_name), ("__qualname__", c.code.qualname.clone().into())];
        for (name, value) in preset {
            self.set_item(namespace, Str::new(name).into(), value)?;
        }
        if let Some(doc) = &c.code.doc {
            self.set_item(namespace, Str::new("__doc__").into(), doc.clone().into())?;
        }
        let captured = c.captures.iter().map(|&slot| self.cell(slot)).collect();
        let function = Function {
            code: c.code.clone(),
            captured,
            defaults: RefCell::new([].into()),
            keyword_defaults: RefCell::new([].into()),
            module,
            name: RefCell::new(c.name.clone()),
            qualname: RefCell::new(c.code.qualname.clone()),
            attributes: OnceCell::new(),
        };
        let start = self.stack_top();
        self.push(namespace.clone())?;
        self.push(class_cell.clone().into())?;
        self.run_frame(&function, start).map(drop)
    }

    /// `type(name, bases, namespace)`: makes a class whose class is `metaclass`.
    pub fn new_class(
        &mut self,
        metaclass: &Value,
        name: Ref<Str>,
        bases: &[Value],
        namespace: &Dict,
        named: &[(Ref<Str>, Value)],
    ) -> Res {
        let mut base_types = Vec::with_capacity(bases.len());
        for base in bases {
            let Some(base) = base.get_ref::<Type>() else {
                return Err(self.type_error("bases must be types"));
            };
            if !base.flags.is_base {
                let shown = base.name();
                return Err(
                    self.type_error(format!("type '{}' is not an acceptable base type", shown.as_str()))
                );
            }
            base_types.push(base);
        }
        if base_types.is_empty() {
            base_types.push(self.types.object.clone());
        }
        let kind = self.layout_of(&base_types)?;
        let has_slots = namespace.get_text("__slots__");
        let inherits_table =
            base_types.iter().any(|b| b.flags.is_user && !b.flags.is_slotted) || kind == Tag::Exception;
        let slots_have_table = match &has_slots {
            Some(slots) => self.contains_text(slots, "__dict__")?,
            None => true,
        };
        let flags = Flags { is_user: true, is_base: true, is_slotted: !inherits_table && !slots_have_table };
        let made = Type::new(name.as_str(), base_types.clone(), kind, flags);
        let class = Ref::new(made);
        *class.mro.borrow_mut() = self.linearize(&class, &base_types)?;
        for base in &base_types {
            base.subclasses.borrow_mut().push(class.as_ptr());
        }
        let is_plain_type = metaclass.same(&self.types.type_.clone().into());
        if !is_plain_type {
            *class.metaclass.borrow_mut() = metaclass.clone();
        }
        self.fill_class(&class, namespace)?;
        if let Some(slots) = has_slots {
            self.add_slots(&class, &slots)?;
        }
        let value: Value = class.clone().into();
        self.tell_names(&value, namespace)?;
        self.init_subclass(&class, &value, named)?;
        Ok(value)
    }

    fn contains_text(&mut self, slots: &Value, text: &str) -> Res<bool> {
        if let Some(one) = slots.as_str() {
            return Ok(one == text);
        }
        Ok(self.collect(slots)?.iter().any(|s| s.as_str() == Some(text)))
    }

    /// Copies the namespace, making `__new__` static and `__init_subclass__`, `__class_getitem__` class
    /// methods, as Python does.
    fn fill_class(&mut self, class: &Ref<Type>, namespace: &Dict) -> Res<()> {
        for (key, value) in namespace.pairs() {
            let Ok(key) = key.into_ref::<Str>() else { continue };
            let value = match key.as_str() {
                "__qualname__" => {
                    if let Some(text) = value.get_ref::<Str>() {
                        *class.qualname.borrow_mut() = text;
                    }
                    continue;
                }
                "__new__" if value.is::<Function>() => Ref::new(StaticMethod { function: value }).into(),
                "__init_subclass__" | "__class_getitem__" if value.is::<Function>() => {
                    Ref::new(ClassMethod { function: value }).into()
                }
                _ => value,
            };
            class.attributes.set_str(&key, value);
        }
        let inherits_del = class.bases.borrow().iter().any(|base| base.has_del.get());
        class.has_del.set(inherits_del || namespace.get_text("__del__").is_some());
        // A class with its own equality and no hash is not hashable.
        let own = |name: &str| class.attributes.get_text(name).is_some();
        if own("__eq__") && !own("__hash__") {
            class.attributes.set_text("__hash__", Value::NONE);
        }
        if !own("__doc__") {
            class.attributes.set_text("__doc__", Value::NONE);
        }
        Ok(())
    }

    /// Each slot is a computed attribute that keeps its value in the instance's table under a hidden name.
    fn add_slots(&mut self, class: &Ref<Type>, slots: &Value) -> Res<()> {
        let names = match slots.as_str() {
            Some(_) => vec![slots.clone()],
            None => self.collect(slots)?,
        };
        for name in names {
            let Some(name) = name.get_ref::<Str>() else {
                let got = self.type_name(&name);
                return Err(self.type_error(format!("__slots__ items must be strings, not '{got}'")));
            };
            if matches!(name.as_str(), "__dict__" | "__weakref__") {
                continue;
            }
            if class.attributes.get_str(&name).is_some() {
                return Err(self
                    .value_error(format!("'{}' in __slots__ conflicts with class variable", name.as_str())));
            }
            let member = self.slot_member(class, &name);
            class.attributes.set_str(&name, member);
        }
        Ok(())
    }

    fn tell_names(&mut self, class: &Value, namespace: &Dict) -> Res<()> {
        for (key, value) in namespace.pairs() {
            if let View::Property(property) = value.view() {
                let old = property.name.replace(key);
                drop(old);
            } else if value.tag() == Tag::Instance
                && let Some(hook) = self.special_method(&value, "__set_name__")?
            {
                self.call(&hook, &[class.clone(), key])?;
            }
        }
        Ok(())
    }

    fn init_subclass(&mut self, class: &Ref<Type>, value: &Value, named: &[(Ref<Str>, Value)]) -> Res<()> {
        let parent =
            crate::value::Super { class: class.clone(), object: value.clone(), object_class: class.clone() };
        let parent: Value = Ref::new(parent).into();
        match self.find_attribute(&parent, &Str::new("__init_subclass__"))? {
            Some(hook) => self.call_with_keywords(&hook, &[], named).map(drop),
            None if named.is_empty() => Ok(()),
            None => {
                let shown = class.name();
                Err(self
                    .type_error(format!("{}.__init_subclass__() takes no keyword arguments", shown.as_str())))
            }
        }
    }

    /// Which built-in value instances carry: that of the one base that has any.
    fn layout_of(&mut self, bases: &[Ref<Type>]) -> Res<Tag> {
        let mut kind = Tag::Instance;
        for base in bases {
            if base.kind == Tag::Instance || base.kind == kind {
                continue;
            }
            if kind != Tag::Instance {
                return Err(self.type_error("multiple bases have instance lay-out conflict"));
            }
            kind = base.kind;
        }
        Ok(kind)
    }

    /// The C3 method resolution order.
    fn linearize(&mut self, class: &Ref<Type>, bases: &[Ref<Type>]) -> Res<Vec<Ref<Type>>> {
        let mut lists: Vec<Vec<Ref<Type>>> = bases.iter().map(|b| b.mro.borrow().clone()).collect();
        lists.push(bases.to_vec());
        for (i, base) in bases.iter().enumerate() {
            if bases[..i].iter().any(|b| Ref::ptr_eq(b, base)) {
                let shown = base.name();
                return Err(self.type_error(format!("duplicate base class {}", shown.as_str())));
            }
        }
        let mut order = vec![class.clone()];
        loop {
            lists.retain(|list| !list.is_empty());
            if lists.is_empty() {
                return Ok(order);
            }
            let in_a_tail =
                |t: &Ref<Type>| lists.iter().any(|list| list[1..].iter().any(|other| Ref::ptr_eq(other, t)));
            let Some(next) = lists.iter().map(|list| &list[0]).find(|t| !in_a_tail(t)).cloned() else {
                let names: Vec<String> = bases.iter().map(|b| b.name().as_str().to_string()).collect();
                return Err(self.type_error(format!(
                    "Cannot create a consistent method resolution\norder (MRO) for bases {}",
                    names.join(", ")
                )));
            };
            for list in &mut lists {
                if Ref::ptr_eq(&list[0], &next) {
                    list.remove(0);
                }
            }
            order.push(next);
        }
    }

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
        let new = self.lookup(class, &Str::new("__new__"));
        let new = match &new {
            Some(found) => match found.view() {
                View::StaticMethod(method) => Some(method.function.clone()),
                _ => Some(found.clone()),
            },
            None => None,
        };
        let is_native_new = new.as_ref().is_none_or(|f| f.is::<NativeFunction>());
        if !class.flags.is_user {
            return match new {
                Some(_) if class.kind == Tag::Exception => self.construct_user(class, None, start, keywords),
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
        let init = self.lookup(class, &Str::new("__init__"));
        let has_own_new = new.is_some();
        let object = match new {
            Some(new) => {
                let made = self.call_copied(&new, class, start, keywords, 0);
                match made {
                    Ok(object) if self.is_instance(&object, class) => object,
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
            Tag::Set => {
                let empty = crate::value::Set::new(Default::default());
                Ok(Instance::with_native(class.clone(), empty.into()).into())
            }
            _ => {
                // Of a file or an iterator the kind does not tell the type.
                let base = match class.kind {
                    Tag::File | Tag::Iter => class.clone(),
                    kind => self.types.of_tag(kind).clone(),
                };
                // Files in memory are filled by `__init__`.
                let is_empty_first = class.kind == Tag::File
                    && class
                        .mro
                        .borrow()
                        .iter()
                        .any(|t| matches!(t.name.borrow().as_str(), "StringIO" | "BytesIO"));
                // What is for `__init__` of the script is no affair of these.
                let is_deaf = matches!(class.kind, Tag::Float | Tag::Tuple | Tag::FrozenSet)
                    && init.is_some_and(|init| !init.is::<NativeFunction>());
                let ignored = if is_deaf { keywords.len() } else { 0 };
                match self.lookup(&base, &Str::new("__new__")) {
                    Some(found) => {
                        let new = match found.view() {
                            View::StaticMethod(method) => method.function.clone(),
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
        let Some(names) = class.attributes.get_text("__abstractmethods__") else { return Ok(()) };
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
                    && class.kind != Tag::Exception
                    && !made.is::<Instance>()
                    && !made.is::<Type>() =>
            {
                Instance::with_native(class, made).into()
            }
            _ => made,
        }
    }
}
