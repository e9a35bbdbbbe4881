//! Modules and their variables, and objects that a host program owns.

use super::{Dict, Heap, Ref, Str, Tag, Value, dict};
use std::any::Any;
use std::cell::{OnceCell, RefCell};

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
    /// The dict that holds the variables instead: code that `exec` runs shares them with the script.
    dict: Option<Ref<Dict>>,
    /// The class of the module; `Unbound` means `module`.
    pub class: RefCell<Value>,
    /// What `globals()` and `__globals__` give, once anybody asks.
    pub globals: OnceCell<Value>,
}

impl Module {
    pub fn new(name: &str, builtins: Option<Ref<Module>>) -> Ref<Module> {
        Ref::new(Module {
            name: Str::new(name),
            variables: RefCell::default(),
            builtins,
            dict: None,
            class: RefCell::default(),
            globals: OnceCell::new(),
        })
    }

    /// A module whose variables are the pairs of a dict.
    pub fn of_dict(dict: Ref<Dict>, builtins: Ref<Module>) -> Ref<Module> {
        let name = dict.get_text("__name__").and_then(|name| name.into_ref::<Str>().ok());
        let name = name.unwrap_or_else(|| Str::new("builtins"));
        let builtins = Some(builtins);
        Ref::new(Module {
            name,
            variables: RefCell::default(),
            builtins,
            dict: Some(dict),
            class: RefCell::default(),
            globals: OnceCell::new(),
        })
    }

    pub fn dict(&self) -> Option<&Ref<Dict>> {
        self.dict.as_ref()
    }

    pub fn is_dict(&self) -> bool {
        self.dict.is_some()
    }

    /// The script's own mapping of built-ins: what it keeps in its dict as `__builtins__`.
    pub fn own_builtins(&self) -> Option<Value> {
        self.dict.as_ref()?.get_text("__builtins__")
    }

    /// The variable of that name, made (unbound) if it is not there. Not for the module of a dict.
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
        if let Some(dict) = &self.dict {
            return dict.get_str(name);
        }
        self.existing(name).map(|v| v.get()).filter(|v| !v.is_unbound())
    }

    pub fn get_text(&self, name: &str) -> Option<Value> {
        self.get(&Str::new(name))
    }

    pub fn set(&self, name: &Ref<Str>, value: Value) {
        if let Some(dict) = &self.dict {
            dict.set_str(name, value);
            return;
        }
        self.variable(name).set(value);
    }

    pub fn set_text(&self, name: &str, value: Value) {
        self.set(&Str::new(name), value);
    }

    /// Unbinds a variable; whether it was bound.
    pub fn remove(&self, name: &Str) -> bool {
        if let Some(dict) = &self.dict {
            return dict.remove_str(name).is_some();
        }
        self.existing(name).is_some_and(|v| {
            let old = v.value.replace(Value::UNBOUND);
            !old.is_unbound()
        })
    }

    /// Names and values of the bound variables.
    pub fn pairs(&self) -> Vec<(Ref<Str>, Value)> {
        if let Some(dict) = &self.dict {
            let pairs = dict.pairs().into_iter();
            return pairs.filter_map(|(key, value)| Some((key.into_ref().ok()?, value))).collect();
        }
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
        if let Some(dict) = &self.dict {
            visit(&dict.clone().into());
        }
        visit(&self.class.borrow());
    }
}

impl Heap for Foreign {
    const TAG: Tag = Tag::Foreign;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // The kinds that hold values of any number or of the script's choice.
        let Ok(data) = self.data.try_borrow() else { return };
        match data.downcast_ref::<crate::builtins::deque::Deque>() {
            Some(deque) => deque.trace(visit),
            None => crate::builtins::functools::trace(&**data, visit),
        }
    }
}
