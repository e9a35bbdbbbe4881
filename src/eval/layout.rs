//! Bases of classes: layouts that fit together, resolution orders, and changing `__bases__` and `__class__`.
//!
//! The layout of a class is the built-in value its instances carry and the slots they have. A class that adds
//! either is "solid": of several bases one must be derived from the solid class of every other.

use super::Vm;
use crate::value::types::WeakType;
use crate::value::{NativeFunction, Raised, Ref, Res, Str, Tag, Tuple, Type, Value, View};

impl Vm {
    /// The class nearest to `class` that gives instances their layout.
    fn solid(&self, class: &Ref<Type>) -> Ref<Type> {
        let mut at = class.clone();
        loop {
            if !at.flags.is_user {
                return match at.kind {
                    Tag::Instance => self.types.object.clone(),
                    Tag::Exception => self.types.exception(super::Exc::BaseException),
                    _ => at,
                };
            }
            if !at.slots.borrow().is_empty() {
                return at;
            }
            let Some(next) = self.nearest_base(&at) else { return at };
            at = next;
        }
    }

    /// `__base__`: the base whose layout the class has.
    pub(crate) fn nearest_base(&self, class: &Type) -> Option<Ref<Type>> {
        let bases = class.bases.borrow().clone();
        self.find_best_base(&bases).or_else(|| bases.first().cloned())
    }

    /// The base whose layout fits all others.
    fn find_best_base(&self, bases: &[Ref<Type>]) -> Option<Ref<Type>> {
        let mut best: Option<(Ref<Type>, Ref<Type>)> = None;
        for base in bases {
            let solid = self.solid(base);
            match &best {
                Some((_, known)) if known.is_subtype_of(&solid) => {}
                Some((_, known)) if !solid.is_subtype_of(known) => return None,
                _ => best = Some((base.clone(), solid)),
            }
        }
        best.map(|(base, _)| base)
    }

    /// # Errors
    /// `TypeError` if the layouts of the bases do not fit together.
    pub(super) fn best_base(&mut self, bases: &[Ref<Type>]) -> Res<Ref<Type>> {
        match self.find_best_base(bases) {
            Some(best) => Ok(best),
            None => Err(self.type_error("multiple bases have instance lay-out conflict")),
        }
    }

    /// Whether instances of one class can become instances of the other.
    fn has_same_layout(&self, one: &Ref<Type>, other: &Ref<Type>) -> bool {
        one.kind == other.kind
            && one.flags.is_slotted == other.flags.is_slotted
            && one.flags.has_weakrefs == other.flags.has_weakrefs
            && self.all_slots(one) == self.all_slots(other)
    }

    /// The slots that each class along the line of layouts adds, sorted.
    fn all_slots(&self, class: &Ref<Type>) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        let mut at = Some(class.clone());
        while let Some(class) = at.filter(|class| class.flags.is_user) {
            let mut own: Vec<String> =
                class.slots.borrow().iter().map(|name| name.as_str().to_string()).collect();
            own.sort();
            if !own.is_empty() {
                all.push(own);
            }
            at = self.nearest_base(&class);
        }
        all
    }

    fn layout_differs(&mut self, what: &str, new: &Type, old: &Type) -> Raised {
        let (new, old) = (new.name(), old.name());
        let (new, old) = (new.as_str(), old.as_str());
        self.type_error(format!("{what} assignment: '{new}' object layout differs from '{old}'"))
    }

    // ---- resolution order ----

    /// The method resolution order of a class: what its metaclass's `mro` says, or C3.
    pub(super) fn resolution_order(&mut self, class: &Ref<Type>) -> Res<Vec<Ref<Type>>> {
        let object: Value = class.clone().into();
        let metaclass = self.type_of(&object);
        if metaclass.flags.is_user
            && let Some(found) = self.lookup(&metaclass, &Str::new("mro"))
            && !found.is::<NativeFunction>()
        {
            let method = self.bind(found, &object, &metaclass)?;
            let order = self.call(&method, &[])?;
            return self.checked_order(class, &order);
        }
        let bases = class.bases.borrow().clone();
        self.linearize(class, &bases)
    }

    fn checked_order(&mut self, class: &Ref<Type>, order: &Value) -> Res<Vec<Ref<Type>>> {
        let items = self.collect(order)?;
        let solid = self.solid(class);
        let mut checked = Vec::with_capacity(items.len());
        for item in &items {
            let Some(base) = item.get_ref::<Type>() else {
                let got = self.type_name(item);
                return Err(self.type_error(format!("mro() returned a non-class ('{got}')")));
            };
            if !solid.is_subtype_of(&self.solid(&base)) && !Ref::ptr_eq(&base, class) {
                let shown = base.name();
                let message = format!("mro() returned base with unsuitable layout ('{}')", shown.as_str());
                return Err(self.type_error(message));
            }
            checked.push(base);
        }
        Ok(checked)
    }

    /// The C3 method resolution order.
    pub(crate) fn linearize(&mut self, class: &Ref<Type>, bases: &[Ref<Type>]) -> Res<Vec<Ref<Type>>> {
        for (i, base) in bases.iter().enumerate() {
            let shown = base.name();
            if base.mro.borrow().is_empty() {
                return Err(self.type_error(format!("Cannot extend an incomplete type '{}'", shown.as_str())));
            }
            if bases[..i].iter().any(|b| Ref::ptr_eq(b, base)) {
                return Err(self.type_error(format!("duplicate base class {}", shown.as_str())));
            }
        }
        let mut lists: Vec<Vec<Ref<Type>>> = bases.iter().map(|b| b.mro.borrow().clone()).collect();
        lists.push(bases.to_vec());
        let mut order = vec![class.clone()];
        loop {
            lists.retain(|list| !list.is_empty());
            if lists.is_empty() {
                return Ok(order);
            }
            let in_a_tail =
                |t: &Ref<Type>| lists.iter().any(|list| list[1..].iter().any(|other| Ref::ptr_eq(other, t)));
            let Some(next) = lists.iter().map(|list| &list[0]).find(|t| !in_a_tail(t)).cloned() else {
                let mut names: Vec<String> = Vec::new();
                for list in &lists {
                    let name = list[0].name().as_str().to_string();
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
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

    // ---- assignment to `__bases__` and `__class__` ----

    /// `class.__bases__ = value`.
    ///
    /// # Errors
    /// `TypeError` if that is no tuple of classes, or the class cannot be derived from them.
    pub(crate) fn set_bases(&mut self, class: &Ref<Type>, value: &Value) -> Res<()> {
        let bases = self.new_bases(class, value)?;
        let best = self.best_base(&bases)?;
        if let Some(old) = self.nearest_base(class)
            && !self.has_same_layout(&best, &old)
        {
            return Err(self.layout_differs("__bases__", &best, &old));
        }
        let old_bases = class.bases.replace(bases.clone());
        let mut changed = Vec::new();
        let reordered = self.reorder(class, &mut changed);
        // A script's `mro` may have set other bases meanwhile: then those stay.
        let is_still_mine = is_same_list(&class.bases.borrow(), &bases);
        if let Err(raised) = reordered {
            if is_still_mine {
                for (class, order) in changed.into_iter().rev() {
                    drop(class.mro.replace(order));
                }
                drop(class.bases.replace(old_bases));
            }
            return Err(raised);
        }
        if !is_still_mine {
            return Ok(());
        }
        let this: WeakType = class.as_ptr();
        for base in &old_bases {
            base.subclasses.borrow_mut().retain(|&subclass| subclass != this);
        }
        for base in &bases {
            base.subclasses.borrow_mut().push(this);
        }
        let has_del = class.mro.borrow().iter().any(|base| base.attributes.get_text("__del__").is_some());
        class.has_del.set(has_del);
        class.touch();
        Ok(())
    }

    fn new_bases(&mut self, class: &Ref<Type>, value: &Value) -> Res<Vec<Ref<Type>>> {
        let shown = class.name();
        let shown = shown.as_str();
        let Some(tuple) = Vm::unwrap_native(value).get::<Tuple>() else {
            let got = self.type_name(value);
            return Err(self.type_error(format!("can only assign tuple to {shown}.__bases__, not {got}")));
        };
        if tuple.items().is_empty() {
            let message = format!("can only assign non-empty tuple to {shown}.__bases__, not ()");
            return Err(self.type_error(message));
        }
        let mut bases = Vec::new();
        for item in tuple.items() {
            let Some(base) = item.get_ref::<Type>() else {
                let got = self.type_name(item);
                let message = format!("{shown}.__bases__ must be tuple of classes, not '{got}'");
                return Err(self.type_error(message));
            };
            // While a script's `mro` runs, the order does not tell yet.
            if base.is_subtype_of(class) || reaches(&base, class) {
                return Err(self.type_error("a __bases__ item causes an inheritance cycle"));
            }
            if !base.flags.is_base {
                let base = base.name();
                let message = format!("type '{}' is not an acceptable base type", base.as_str());
                return Err(self.type_error(message));
            }
            bases.push(base);
        }
        Ok(bases)
    }

    /// Finds the resolution orders of a class and of all derived from it anew; `changed` gets the old ones.
    fn reorder(&mut self, class: &Ref<Type>, changed: &mut Vec<(Ref<Type>, Vec<Ref<Type>>)>) -> Res<()> {
        let order = self.resolution_order(class)?;
        changed.push((class.clone(), class.mro.replace(order)));
        for derived in class.derived() {
            self.reorder(&derived, changed)?;
        }
        Ok(())
    }

    /// `object.__class__ = value`.
    ///
    /// # Errors
    /// `TypeError` if that is no class or one with another layout.
    pub(crate) fn set_class(&mut self, object: &Value, value: &Value) -> Res<()> {
        let Some(new) = value.get_ref::<Type>() else {
            let got = self.type_name(value);
            return Err(self.type_error(format!("__class__ must be set to a class, not '{got}' object")));
        };
        let old = self.type_of(object);
        let is_module = |class: &Type| class.kind == Tag::Module;
        let may_change = new.flags.is_user && old.flags.is_user || is_module(&new) && is_module(&old);
        if !may_change {
            return Err(self.type_error(
                "__class__ assignment only supported for mutable types or ModuleType subclasses",
            ));
        }
        let fits = is_module(&new) && is_module(&old) || self.has_same_layout(&new, &old);
        if !fits {
            return Err(self.layout_differs("__class__", &new, &old));
        }
        match object.view() {
            View::Instance(instance) => drop(instance.class.replace(new)),
            View::Exception(exception) => drop(exception.class.replace(new)),
            View::Module(module) => {
                let class = if new.flags.is_user { new.into() } else { Value::UNBOUND };
                drop(module.class.replace(class));
            }
            View::Type(class) => drop(class.metaclass.replace(new.into())),
            _ => return Err(self.layout_differs("__class__", &new, &old)),
        }
        Ok(())
    }
}

/// Whether `bases` lead from one class to another.
fn reaches(class: &Ref<Type>, other: &Ref<Type>) -> bool {
    Ref::ptr_eq(class, other) || class.bases.borrow().iter().any(|base| reaches(base, other))
}

fn is_same_list(one: &[Ref<Type>], other: &[Ref<Type>]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| Ref::ptr_eq(a, b))
}
