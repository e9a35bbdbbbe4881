//! The native module table: every native module in one list, and how scripts reach them.
//!
//! The flat builtins (`mp_run`, `math_sqrt`, ...) are the rows of the tables in `FLAT`; a row's name is
//! the whole flat name, which messages then show. `import mp` gives the same rows without the prefix. Where
//! Python has a module of that name too, it is in `MODULES` and `import` looks there first. Builtins
//! become objects when a script first mentions them, so that starting an interpreter does not pay for them.

pub mod array;
pub mod ast;
mod atexit;
pub mod binascii;
pub mod code;
pub mod codecs;
pub mod core;
pub mod deque;
mod errno;
mod frame;
pub mod functools;
mod generator;
pub mod hashlib;
mod heapq;
pub mod hooks;
mod imp;
pub mod io;
mod itertools;
mod json;
pub mod mapping;
mod math;
pub mod methods;
pub mod mp;
mod os;
mod pickle;
pub mod random;
pub mod re;
mod select;
mod signal;
mod string;
pub mod struct_;
mod structs;
mod subprocess;
mod sys;
mod time;
pub mod traceback;
pub mod unicodedata;
pub mod weakref;
pub mod zlib;

use crate::call::{Native, NativeModule, Signature};
use crate::eval::Vm;
use crate::value::{File, GlobalVar, Module, NativeFunction, Property, Ref, Res, Str, Type, Value, file};
use std::cell::RefCell;
use std::rc::{Rc, Weak};

/// What native modules keep between calls, one for each interpreter.
#[derive(Default)]
pub struct State {
    /// File objects of stdin, stdout and stderr, once anybody asks.
    pub standard: [Option<Value>; 3],
    /// The variables `sys.stdin`, `sys.stdout` and `sys.stderr`, once anybody asks.
    pub stream_variables: [Option<Ref<GlobalVar>>; 3],
    /// `io.UnsupportedOperation`
    pub unsupported_operation: Option<Ref<Type>>,
    /// `json.JSONDecodeError`
    json_decode_error: Option<Ref<Type>>,
    /// Classes of named tuples, once anybody asks.
    struct_classes: Vec<(&'static str, Ref<Type>)>,
    pub re: re::State,
    /// Classes of syntax tree nodes, once anybody asks.
    ast_classes: Option<Rc<ast::Classes>>,
    pub codecs: codecs::State,
    /// `struct.error`
    pub struct_error: Option<Ref<Type>>,
    /// Handlers that scripts gave to `signal.signal`, by signal number.
    pub signal_handlers: std::collections::HashMap<i32, Value>,
    /// `binascii.Error`
    pub binascii_error: Option<Ref<Type>>,
    /// `array.array`
    array_class: Option<Ref<Type>>,
    /// What `atexit` runs at the end; forgotten ones leave a gap.
    pub exit_callbacks: Vec<Option<atexit::Callback>>,
    /// Buffers of the files that scripts have opened.
    files: Vec<Weak<RefCell<file::State>>>,
}

impl State {
    /// Notes a file, so that its buffer is written at the end even if nobody closes it.
    pub fn remember_file(&mut self, opened: &File) {
        // Files that are gone are forgotten each time the list would grow.
        if self.files.len() == self.files.capacity() {
            self.files.retain(|state| state.strong_count() > 0);
        }
        self.files.push(opened.weak_state());
    }

    /// Writes what waits in all open files, as before a fork and at the end.
    pub fn flush_files(&mut self) {
        for state in self.files.iter().filter_map(Weak::upgrade) {
            if let Ok(mut state) = state.try_borrow_mut() {
                // There is nobody to tell about errors.
                let _ = state.flush();
            }
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.flush_files();
    }
}

/// Modules that `import` finds.
static MODULES: &[&NativeModule] = &[
    &array::MODULE,
    &atexit::MODULE,
    &deque::MODULE,
    &errno::MODULE,
    &functools::MODULE,
    &heapq::MODULE,
    &imp::MODULE,
    &itertools::MODULE,
    &io::MODULE,
    &json::MODULE,
    &math::MODULE,
    &os::MODULE,
    &os::PATH,
    &pickle::MODULE,
    &signal::MODULE,
    &sys::MODULE,
    &time::MODULE,
    &re::MODULE,
    &string::MODULE,
    &struct_::MODULE,
    &binascii::MODULE,
    &zlib::MODULE,
    &select::MODULE,
    &subprocess::MODULE,
    &hashlib::MODULE,
    &random::MODULE,
    &traceback::MODULE,
    &codecs::MODULE,
    &unicodedata::MODULE,
    &weakref::GC,
    &weakref::MODULE,
];

/// Tables of flat builtins; `import` finds them too, under the table's name and without the prefix.
static FLAT: &[&NativeModule] = &[&os::DIR, &os::FILE, &json::FLAT, &math::FLAT, &mp::MODULE, &os::FLAT];

/// The row that `import` gives for a name: `run` is `mp_run`.
fn flat_row(table: &NativeModule, name: &str) -> Option<&'static Native> {
    table.functions.iter().find(|row| short_name(table, row) == name)
}

/// A flat row's name without the prefix.
fn short_name(table: &NativeModule, row: &Native) -> &'static str {
    row.name.strip_prefix(table.name).and_then(|rest| rest.strip_prefix('_')).unwrap_or(row.name)
}

include!(concat!(env!("OUT_DIR"), "/stdlib.rs"));

/// Whether a kind of iterator is one of `itertools`.
pub fn is_of_itertools(name: &str) -> bool {
    !itertools::rows_of(name).is_empty() || matches!(name, "_tee" | "_grouper")
}

/// The text of an embedded stdlib module.
pub fn embedded_source(name: &str) -> Option<&'static str> {
    STDLIB.iter().find(|(n, _, _)| *n == name).map(|(_, _, text)| *text)
}

/// Whether an embedded module is a package.
pub fn is_embedded_package(name: &str) -> bool {
    STDLIB.iter().any(|(n, is_package, _)| *n == name && *is_package)
}

/// What a module written in ZPy defines, for a native module to pass on; none if that fails.
fn in_zpy(vm: &mut Vm, module: &str, name: &str) -> Value {
    let Ok(module) = vm.import_module(module) else { return Value::NONE };
    vm.get_attribute(&module, &Str::new(name)).unwrap_or(Value::NONE)
}

fn flat_table(name: &str) -> Option<&'static NativeModule> {
    FLAT.iter().find(|table| table.name == name).copied()
}

fn is_flat(table: &NativeModule) -> bool {
    FLAT.iter().any(|flat| std::ptr::eq(*flat, table))
}

/// Names that `import` finds without looking at files, sorted.
pub fn module_names(vm: &Vm) -> Vec<String> {
    let mut names: Vec<String> = MODULES.iter().chain(FLAT).map(|m| m.name.to_string()).collect();
    names.extend(STDLIB.iter().map(|(name, _, _)| name.to_string()));
    names.extend(vm.host_modules.keys().map(|name| name.to_string()));
    names.push("builtins".to_string());
    names.sort();
    names.dedup();
    names
}

/// Names of all builtins.
pub fn names(vm: &Vm) -> Vec<String> {
    let mut names: Vec<String> = core::rows().map(|f| f.name.to_string()).collect();
    for table in FLAT {
        names.extend(table.functions.iter().map(|f| f.name.to_string()));
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
    Ref::new(NativeFunction {
        native,
        signature: Rc::new(signature),
        owner: None,
        module,
        kind: crate::value::NativeKind::Function,
    })
    .into()
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
        if let Some(native) = core::find(name) {
            return Some(function_value(native, "builtins"));
        }
        if let Some(class) = self.types.builtin(name) {
            return Some(class.into());
        }
        match name {
            "NotImplemented" => return Some(Value::NOT_IMPLEMENTED),
            "Ellipsis" => return Some(Value::ELLIPSIS),
            "__debug__" => return Some(Value::TRUE),
            "__builtins__" => return Some(self.builtins.clone().into()),
            _ => {}
        }
        for table in FLAT {
            if let Some(native) = table.functions.iter().find(|f| f.name == name) {
                return Some(function_value(native, "builtins"));
            }
        }
        None
    }

    fn native_table(&self, name: &str) -> Option<&'static NativeModule> {
        let own = MODULES.iter().find(|m| m.name == name).copied();
        own.or_else(|| self.host_modules.get(name).copied()).or_else(|| flat_table(name))
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
        if module.is_dict() {
            return Ok(None);
        }
        if module.name.as_str() == "builtins" {
            self.ensure_builtin(name);
            return Ok(self.builtins.get_text(name));
        }
        let Some(table) = self.native_table(module.name.as_str()) else { return Ok(None) };
        let own = if is_flat(table) {
            flat_row(table, name)
        } else {
            table.functions.iter().find(|f| f.name == name)
        };
        let value = if let Some(native) = own {
            function_value(native, if is_flat(table) { "builtins" } else { table.name })
        } else if let Some((_, make)) = table.constants.iter().find(|(n, _)| *n == name) {
            make(self)
        } else if let Some(native) = flat_table(table.name).and_then(|flat| flat_row(flat, name)) {
            function_value(native, "builtins")
        } else {
            return Ok(None);
        };
        let name = self.intern(name);
        module.set(&name, value.clone());
        Ok(Some(value))
    }

    /// Names a native module has, asked for or not.
    pub(crate) fn native_module_names(&self, module: &Module) -> Vec<String> {
        if module.is_dict() {
            return Vec::new();
        }
        if module.name.as_str() == "builtins" {
            return names(self);
        }
        let Some(table) = self.native_table(module.name.as_str()) else { return Vec::new() };
        let mut names: Vec<String> = table.constants.iter().map(|(name, _)| name.to_string()).collect();
        if !is_flat(table) {
            names.extend(table.functions.iter().map(|f| f.name.to_string()));
        }
        if let Some(flat) = flat_table(table.name) {
            names.extend(flat.functions.iter().map(|f| short_name(flat, f).to_string()));
        }
        names
    }

    /// The function behind variable annotations: gives a namespace's `__annotations__`, made if needed.
    pub(crate) fn annotations_function(&mut self) -> Value {
        function_value(&core::slots::ANNOTATIONS, "builtins")
    }

    /// The function behind type parameters and aliases.
    pub(crate) fn typing_function(&mut self) -> Value {
        function_value(&core::generics::TYPING, "builtins")
    }

    /// The computed attribute for one name of `__slots__`.
    pub(crate) fn slot_member(&mut self, class: &Ref<Type>, name: &Ref<Str>) -> Value {
        let get = core::slots::slot_function(&core::slots::SLOT_GET, class, name);
        let set = core::slots::slot_function(&core::slots::SLOT_SET, class, name);
        let delete = core::slots::slot_function(&core::slots::SLOT_DELETE, class, name);
        let property = Property::new(get, set, delete, Value::NONE);
        *property.name.borrow_mut() = name.clone().into();
        Ref::new(property).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(table: &str, rows: &[&Native]) {
        for (i, row) in rows.iter().enumerate() {
            assert!(Signature::parse(row.params).is_ok(), "{table}.{}: {:?}", row.name, row.params);
            assert!(!row.doc.is_empty(), "{table}.{} has no doc", row.name);
            assert!(
                rows[..i].iter().all(|other| other.name != row.name),
                "{table}.{} is there twice",
                row.name
            );
        }
    }

    #[test]
    fn every_row_is_sound() {
        check(
            "builtins",
            &core::rows()
                .chain([&core::generics::TYPING, &core::slots::ANNOTATIONS])
                .chain(FLAT.iter().flat_map(|table| table.functions))
                .collect::<Vec<_>>(),
        );
        for module in MODULES {
            check(module.name, &module.functions.iter().collect::<Vec<_>>());
        }
        for (name, rows) in [
            ("file", methods::FILE),
            ("mapping", mapping::METHODS),
            ("deque", deque::METHODS),
            ("array", array::ROWS),
        ]
        .into_iter()
        .chain(functools::tables())
        {
            check(name, &rows.iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn flat_rows_carry_their_prefix() {
        for table in FLAT {
            for row in table.functions {
                assert_ne!(short_name(table, row), row.name, "{} is a row of {}", row.name, table.name);
            }
        }
    }
}
