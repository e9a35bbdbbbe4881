//! Classes: the `class` statement, and what `type(name, bases, namespace)` makes.

use super::Vm;
use super::code::ClassStmt;
use crate::value::types::Flags;
use crate::value::{
    Cell, ClassMethod, Dict, Function, Raised, Ref, Res, StaticMethod, Str, Type, Value, View,
};
use std::cell::{OnceCell, RefCell};

/// Where a class body leaves the cell of `__class__` for `type.__new__`.
const CLASS_CELL: &str = "__classcell__";

impl Vm {
    pub(super) fn make_class(&mut self, c: &ClassStmt) -> Res {
        let start = self.stack_top();
        let mut keywords = Vec::new();
        let pushed = self.push_spread_args(&Value::str("__build_class__()"), &c.args, &mut keywords);
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
        if c.has_class_cell {
            self.set_item(&namespace, Str::new(CLASS_CELL).into(), class_cell.clone().into())?;
        }
        if original.len() != bases.len() || original.iter().zip(&bases).any(|(a, b)| !a.same(b)) {
            let key: Value = Str::new("__orig_bases__").into();
            self.set_item(&namespace, key, Value::tuple(original))?;
        }
        let args = [c.name.clone().into(), Value::tuple(bases), namespace];
        let class = self.call_with_keywords(&metaclass, &args, &named)?;
        if c.has_class_cell && class.is::<Type>() {
            self.check_class_cell(c, &class_cell, &class)?;
        }
        Ok(class)
    }

    /// Whether the metaclass passed the cell of `__class__` on to `type.__new__`, and nobody changed it.
    fn check_class_cell(&mut self, c: &ClassStmt, cell: &Cell, class: &Value) -> Res<()> {
        let held = cell.get();
        if held.same(class) {
            return Ok(());
        }
        let (name, shown) = (c.name.as_str(), self.repr_of(class)?);
        if held.is_unbound() {
            return Err(self.runtime_error(format!(
                "__class__ not set defining '{name}' as {shown}. Was __classcell__ propagated to type.__new__?"
            )));
        }
        let held = self.repr_of(&held)?;
        Err(self.type_error(format!("__class__ set to {held} defining '{name}' as {shown}")))
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
    pub(crate) fn choose_metaclass(&mut self, given: Option<Value>, bases: &[Value]) -> Res {
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
            attributes: crate::value::table::Table::default(),
            fields: OnceCell::new(),
        };
        let start = self.stack_top();
        self.push(namespace.clone())?;
        self.push(class_cell.clone().into())?;
        self.run_frame(&function, start).map(drop)
    }

    /// `type(name, bases, namespace)`: makes a class whose class is `metaclass`.
    ///
    /// # Errors
    /// `TypeError`, `ValueError`: the bases do not fit, or the namespace holds what a class cannot have.
    pub fn new_class(
        &mut self,
        metaclass: &Value,
        name: Ref<Str>,
        bases: &[Value],
        namespace: &Dict,
        named: &[(Ref<Str>, Value)],
    ) -> Res {
        let bases = self.base_types(bases)?;
        let best = self.best_base(&bases)?;
        let slots = self.slots_of(&name, &bases, &best, namespace)?;
        let flags = Flags {
            is_user: true,
            is_base: true,
            is_slotted: !slots.has_table,
            has_weakrefs: slots.has_weakrefs,
        };
        let class = Ref::new(Type::new(name.as_str(), bases.clone(), best.kind, flags));
        if !metaclass.same(&self.types.type_.clone().into()) {
            *class.metaclass.borrow_mut() = metaclass.clone();
        }
        self.fill_class(&class, namespace)?;
        self.add_slots(&class, &slots)?;
        let value: Value = class.clone().into();
        self.fill_class_cell(&value, namespace)?;
        let order = self.resolution_order(&class)?;
        *class.mro.borrow_mut() = order;
        // A metaclass's `mro` may have asked for attributes that were not there yet.
        class.touch();
        for base in &bases {
            base.subclasses.borrow_mut().push(class.as_ptr());
        }
        self.tell_names(&value, namespace)?;
        self.init_subclass(&class, &value, named)?;
        Ok(value)
    }

    fn base_types(&mut self, bases: &[Value]) -> Res<Vec<Ref<Type>>> {
        let mut types = Vec::with_capacity(bases.len());
        for base in bases {
            let Some(base) = base.get_ref::<Type>() else {
                return Err(match self.special_method(base, "__mro_entries__")? {
                    Some(_) => {
                        self.type_error("type() doesn't support MRO entry resolution; use types.new_class()")
                    }
                    None => self.type_error("bases must be types"),
                });
            };
            if !base.flags.is_base {
                let shown = base.name();
                return Err(
                    self.type_error(format!("type '{}' is not an acceptable base type", shown.as_str()))
                );
            }
            types.push(base);
        }
        if types.is_empty() {
            types.push(self.types.object.clone());
        }
        Ok(types)
    }

    /// Puts the class into the cell that its methods' `super()` and `__class__` read.
    fn fill_class_cell(&mut self, class: &Value, namespace: &Dict) -> Res<()> {
        let Some(cell) = namespace.get_text(CLASS_CELL) else { return Ok(()) };
        let Some(cell) = cell.get_ref::<Cell>() else {
            let got = self.type_of(&cell).display_name();
            return Err(
                self.type_error(format!("type.__new__(): __classcell__ must be a nonlocal cell, not {got}"))
            );
        };
        cell.set(class.clone());
        Ok(())
    }

    /// Copies the namespace, making `__new__` static and `__init_subclass__`, `__class_getitem__` class
    /// methods, as Python does.
    fn fill_class(&mut self, class: &Ref<Type>, namespace: &Dict) -> Res<()> {
        for (key, value) in namespace.pairs() {
            let Ok(key) = key.into_ref::<Str>() else { continue };
            let value = match key.as_str() {
                "__qualname__" => {
                    let Some(text) = Vm::unwrap_native(&value).get_ref::<Str>() else {
                        let got = self.type_name(&value);
                        return Err(self.type_error(format!("type __qualname__ must be a str, not {got}")));
                    };
                    *class.qualname.borrow_mut() = text;
                    continue;
                }
                CLASS_CELL => continue,
                "__new__" if value.is::<Function>() => Ref::new(StaticMethod::new(value)).into(),
                "__init_subclass__" | "__class_getitem__" if value.is::<Function>() => {
                    Ref::new(ClassMethod::new(value)).into()
                }
                _ => value,
            };
            class.attributes.set_str(&key, value);
        }
        if class.attributes.get_text("__module__").is_none() {
            let module = self.current_module();
            let name = module.get(&self.names.name.clone()).unwrap_or(module.name.clone().into());
            class.attributes.set_text("__module__", name);
        }
        let inherits_del = class.bases.borrow().iter().any(|base| base.has_del.get());
        class.has_del.set(inherits_del || namespace.get_text("__del__").is_some());
        // A class with its own equality and no hash is not hashable.
        let own = |name: &str| class.attributes.get_text(name).is_some();
        if own("__eq__") && !own("__hash__") {
            class.attributes.set_text("__hash__", Value::NONE);
        }
        Ok(())
    }

    fn tell_names(&mut self, class: &Value, namespace: &Dict) -> Res<()> {
        for (key, value) in namespace.pairs() {
            match value.view() {
                View::Property(property) => drop(property.name.replace(key)),
                View::Instance(_) | View::Type(_) => self.tell_name(class, key, &value)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn tell_name(&mut self, class: &Value, key: Value, value: &Value) -> Res<()> {
        let Some(hook) = self.special_method(value, "__set_name__")? else { return Ok(()) };
        if self.call(&hook, &[class.clone(), key.clone()]).is_ok() {
            return Ok(());
        }
        let exception: Value = self.take_raised().into();
        let (kind, key) = (self.type_name(value), self.repr_of(&key)?);
        let owner = class.get::<Type>().map_or_else(String::new, |class| class.name().as_str().to_string());
        let note = format!("Error calling __set_name__ on '{kind}' instance {key} in '{owner}'");
        self.call_method(&exception, "add_note", &[Value::str(note)])?;
        let Ok(exception) = exception.into_ref::<crate::value::Exception>() else { return Err(Raised) };
        Err(self.reraise(exception))
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
}
