//! Modules and their variables, and objects that a host program owns.

use super::{Heap, Ref, Str, Tag, Value, dict};
use std::any::Any;
use std::cell::RefCell;

/// A module variable: one heap cell that every mention of the name in the module points at.
pub struct GlobalVar {
    pub value: RefCell<Value>,
    pub name: Ref<Str>,
    /// The built-in of that name, looked at while the variable itself is unbound.
    pub builtin: Option<Ref<GlobalVar>>,
}

impl GlobalVar {
    #[inline(always)]
    pub fn get(&self) -> Value {
        // SAFETY: the reference lives only until the clone; no borrow is ever held elsewhere.
        unsafe { &*self.value.as_ptr() }.clone()
    }

    #[inline]
    pub fn set(&self, value: Value) {
        let old = self.value.replace(value);
        drop(old); // after the replacement: its destructor may look at this variable
    }
}

pub struct Module {
    pub name: Ref<Str>,
    /// Name to `GlobalVar`, in the order the names were first mentioned. Unbound ones do not exist for
    /// scripts.
    variables: RefCell<dict::Map>,
    /// Where names that the module does not define are looked up.
    builtins: Option<Ref<Module>>,
}

impl Module {
    pub fn new(name: &str, builtins: Option<Ref<Module>>) -> Ref<Module> {
        Ref::new(Module { name: Str::new(name), variables: RefCell::default(), builtins })
    }

    /// The variable of that name, made (unbound) if it is not there.
    pub fn variable(&self, name: &Ref<Str>) -> Ref<GlobalVar> {
        if let Some(found) = self.existing(name) {
            return found;
        }
        let builtin = self.builtins.as_ref().map(|b| b.variable(name));
        let variable =
            Ref::new(GlobalVar { value: RefCell::new(Value::UNBOUND), name: name.clone(), builtin });
        self.variables.borrow_mut().set_str(name, variable.clone().into());
        variable
    }

    fn existing(&self, name: &Str) -> Option<Ref<GlobalVar>> {
        self.variables.borrow().get_str(name).and_then(Value::get_ref::<GlobalVar>)
    }

    /// Value of a variable, if it is bound.
    pub fn get(&self, name: &Str) -> Option<Value> {
        self.existing(name).map(|v| v.get()).filter(|v| !v.is_unbound())
    }

    pub fn get_text(&self, name: &str) -> Option<Value> {
        self.get(&Str::new(name))
    }

    pub fn set(&self, name: &Ref<Str>, value: Value) {
        self.variable(name).set(value);
    }

    pub fn set_text(&self, name: &str, value: Value) {
        self.set(&Str::new(name), value);
    }

    /// Unbinds a variable; whether it was bound.
    pub fn remove(&self, name: &Str) -> bool {
        self.existing(name).is_some_and(|v| {
            let old = v.value.replace(Value::UNBOUND);
            !old.is_unbound()
        })
    }

    /// Names and values of the bound variables.
    pub fn pairs(&self) -> Vec<(Ref<Str>, Value)> {
        let variables = self.variables.borrow();
        let all = variables.iter().filter_map(|e| e.value.get::<GlobalVar>());
        all.map(|v| (v.name.clone(), v.get())).filter(|(_, value)| !value.is_unbound()).collect()
    }
}

/// An object of the host program or of a native module.
pub struct Foreign {
    pub type_name: &'static str,
    pub data: RefCell<Box<dyn Any>>,
}

impl Heap for GlobalVar {
    const TAG: Tag = Tag::GlobalVar;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.value.borrow());
    }
}

impl Heap for Module {
    const TAG: Tag = Tag::Module;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        for entry in self.variables.borrow().iter() {
            visit(&entry.value);
        }
    }
}

impl Heap for Foreign {
    const TAG: Tag = Tag::Foreign;
}
