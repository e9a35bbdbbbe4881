//! The classes of nodes, and the nodes there is only one of.

use crate::eval::Vm;
use crate::value::{Instance, Module, Ref, Res, Type, Value};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// The module that defines the classes.
pub const MODULE: &str = "_ast";

pub struct Classes {
    by_name: HashMap<String, Ref<Type>>,
    /// Their names, by identity.
    names: HashMap<u64, String>,
    /// Operators and contexts.
    singles: RefCell<HashMap<&'static str, Value>>,
}

impl Classes {
    /// The classes of an interpreter, made when they are first needed.
    pub fn of(vm: &mut Vm) -> Res<Rc<Classes>> {
        if let Some(known) = &vm.state.ast_classes {
            return Ok(known.clone());
        }
        let module = vm.import_module(MODULE)?;
        let mut by_name = HashMap::new();
        let mut names = HashMap::new();
        if let Some(module) = module.get::<Module>() {
            for (name, value) in module.pairs() {
                if let Some(class) = value.get_ref::<Type>() {
                    let name = name.as_str().to_string();
                    names.insert(value.identity(), name.clone());
                    by_name.insert(name, class);
                }
            }
        }
        let made = Rc::new(Classes { by_name, names, singles: RefCell::default() });
        vm.state.ast_classes = Some(made.clone());
        Ok(made)
    }

    pub fn get(&self, name: &str) -> Option<Ref<Type>> {
        self.by_name.get(name).cloned()
    }

    /// The one node of a class without fields.
    pub fn single(&self, name: &'static str) -> Value {
        if let Some(known) = self.singles.borrow().get(name) {
            return known.clone();
        }
        let made: Value = self.get(name).map_or(Value::NONE, |class| Instance::new(class).into());
        self.singles.borrow_mut().insert(name, made.clone());
        made
    }

    /// Which node a value is; that of a derived class is its base's.
    pub fn kind_of(&self, value: &Value) -> Option<&str> {
        let class = value.get::<Instance>()?.class();
        let mro = class.mro.borrow();
        mro.iter()
            .find_map(|class| self.names.get(&Value::from(class.clone()).identity()))
            .map(String::as_str)
    }

    /// Whether a value is a node of a class or of one derived from it.
    pub fn is(&self, value: &Value, name: &str) -> bool {
        let Some(instance) = value.get::<Instance>() else { return false };
        self.by_name.get(name).is_some_and(|class| instance.class().is_subtype_of(class))
    }
}
