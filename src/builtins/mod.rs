//! The native module table: every native module in one list, and how scripts reach them.
//!
//! The flat builtins (`mp_run`, `math_sqrt`, ...) are the rows of the modules in [`FLAT`], under their
//! module's name and an underscore; `import mp` gives the same rows without the prefix. Builtins become
//! objects when a script first mentions them, so that starting an interpreter does not pay for them.

mod core;
mod generator;
pub mod methods;
pub mod mp;

use crate::call::{Native, NativeModule, Signature};
use crate::eval::Vm;
use crate::value::{Module, NativeFunction, Property, Ref, Res, Str, Type, Value};
use std::rc::Rc;

/// What native modules keep between calls, one for each interpreter.
#[derive(Default)]
pub struct State {}

/// Modules that `import` finds.
static MODULES: &[&NativeModule] = &[&mp::MODULE];

/// Modules whose functions are builtins under `name_function`.
static FLAT: &[&NativeModule] = &[&mp::MODULE];

include!(concat!(env!("OUT_DIR"), "/stdlib.rs"));

/// The text of an embedded stdlib module.
pub fn embedded_source(name: &str) -> Option<&'static str> {
    STDLIB.iter().find(|(n, _, _)| *n == name).map(|(_, _, text)| *text)
}

/// Whether an embedded module is a package.
pub fn is_embedded_package(name: &str) -> bool {
    STDLIB.iter().any(|(n, is_package, _)| *n == name && *is_package)
}

/// Names that `import` finds without looking at files, sorted.
pub fn module_names(vm: &Vm) -> Vec<String> {
    let mut names: Vec<String> = MODULES.iter().map(|m| m.name.to_string()).collect();
    names.extend(STDLIB.iter().map(|(name, _, _)| name.to_string()));
    names.extend(vm.host_modules.keys().map(|name| name.to_string()));
    names.push("builtins".to_string());
    names.sort();
    names
}

/// Names of all builtins.
pub fn names(vm: &Vm) -> Vec<String> {
    let mut names: Vec<String> = core::FUNCTIONS.iter().map(|f| f.name.to_string()).collect();
    for module in FLAT {
        names.extend(module.functions.iter().map(|f| format!("{}_{}", module.name, f.name)));
    }
    names.extend(vm.types.builtin_names());
    names.extend(["NotImplemented", "Ellipsis", "__debug__"].map(String::from));
    names
}

/// A native row as a function value.
pub fn function_value(native: &'static Native, module: &'static str) -> Value {
    let signature = match Signature::parse(native.params) {
        Ok(signature) => signature,
        Err(piece) => unreachable!("row {}: bad parameter {piece:?}; a test checks every row", native.name),
    };
    Ref::new(NativeFunction { native, signature: Rc::new(signature), owner: None, module }).into()
}

impl Vm {
    /// Makes the builtin of that name, if there is one and it is not made yet.
    pub fn ensure_builtin(&mut self, name: &str) {
        if self.builtins.get_text(name).is_some() {
            return;
        }
        if let Some(value) = self.make_builtin(name) {
            let name = self.intern(name);
            self.builtins.set(&name, value);
        }
    }

    fn make_builtin(&mut self, name: &str) -> Option<Value> {
        if let Some(native) = core::FUNCTIONS.iter().find(|f| f.name == name) {
            return Some(function_value(native, "builtins"));
        }
        if let Some(class) = self.types.builtin(name) {
            return Some(class.into());
        }
        match name {
            "NotImplemented" => return Some(Value::NOT_IMPLEMENTED),
            "Ellipsis" => return Some(Value::ELLIPSIS),
            "__debug__" => return Some(Value::TRUE),
            _ => {}
        }
        for module in FLAT {
            let Some(rest) = name.strip_prefix(module.name).and_then(|rest| rest.strip_prefix('_')) else {
                continue;
            };
            if let Some(native) = module.functions.iter().find(|f| f.name == rest) {
                return Some(function_value(native, module.name));
            }
        }
        None
    }

    fn native_table(&self, name: &str) -> Option<&'static NativeModule> {
        let own = MODULES.iter().find(|m| m.name == name).copied();
        own.or_else(|| self.host_modules.get(name).copied())
    }

    /// The native module of that name, as `import` gives it.
    pub(crate) fn native_module(&mut self, name: &str) -> Option<Value> {
        let table = self.native_table(name)?;
        let module = self.new_module(name, None);
        module.set_text("__doc__", Value::str(table.doc));
        let value: Value = module.into();
        self.modules.set_text(name, value.clone());
        Some(value)
    }

    /// A function or constant of a native module that nobody has asked for before.
    pub(crate) fn native_module_item(&mut self, module: &Module, name: &str) -> Res<Option<Value>> {
        if module.name.as_str() == "builtins" {
            self.ensure_builtin(name);
            return Ok(self.builtins.get_text(name));
        }
        let Some(table) = self.native_table(module.name.as_str()) else { return Ok(None) };
        let value = if let Some(native) = table.functions.iter().find(|f| f.name == name) {
            function_value(native, table.name)
        } else if let Some((_, make)) = table.constants.iter().find(|(n, _)| *n == name) {
            make(self)
        } else {
            return Ok(None);
        };
        let name = self.intern(name);
        module.set(&name, value.clone());
        Ok(Some(value))
    }

    /// Names a native module has, asked for or not.
    pub(crate) fn native_module_names(&self, module: &Module) -> Vec<String> {
        if module.name.as_str() == "builtins" {
            return names(self);
        }
        let Some(table) = self.native_table(module.name.as_str()) else { return Vec::new() };
        let functions = table.functions.iter().map(|f| f.name.to_string());
        functions.chain(table.constants.iter().map(|(name, _)| name.to_string())).collect()
    }

    /// The function behind variable annotations: gives a namespace's `__annotations__`, made if needed.
    pub(crate) fn annotations_function(&mut self) -> Value {
        function_value(&core::ANNOTATIONS, "builtins")
    }

    /// The computed attribute for one name of `__slots__`.
    pub(crate) fn slot_member(&mut self, _class: &Ref<Type>, name: &Ref<Str>) -> Value {
        let get = core::slot_function(&core::SLOT_GET, name);
        let set = core::slot_function(&core::SLOT_SET, name);
        let delete = core::slot_function(&core::SLOT_DELETE, name);
        Ref::new(Property { get, set, delete, doc: Value::NONE }).into()
    }
}
