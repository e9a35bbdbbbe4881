//! The engine: an interpreter for a host program, with streams, search paths and modules of the host's.
//!
//! [`Engine`] wraps [`Vm`] for hosts: it puts evaluation on a machine stack of its own, so that deep recursion
//! in a script is an error and not a crash, and turns exceptions into [`Error`]s. The command line uses
//! the `Vm` directly. What both need is at the end of this file.

pub use crate::streams::{Buffering, Output, Streams};

use crate::call::{NativeModule, Signature};
use crate::convert::{IntoArgs, IntoValue};
use crate::error::Error;
use crate::eval::import::folder_of;
use crate::eval::{Exc, Vm};
use crate::resolve::Expressions;
use crate::source::SourceFile;
use crate::value::{Exception, Module, Ref, Str, Value, View};
use std::any::Any;
use std::io::{BufReader, Read, Write};
use std::path::Path;
use std::rc::Rc;

/// An interpreter inside a host program.
///
/// Variables last from one call to the next. An engine and its values stay in one thread; several
/// engines, in one thread or in many, share nothing but the table of child processes, which the system keeps per
/// process. Scripts can import the embedded modules, those of the host ([`Engine::register`]) and files from
/// folders the host names ([`Engine::with_path`]).
///
/// A script may start processes. Those that run ZPy code are started as a program, by default this very one;
/// a host names the `zpy` binary with [`set_interpreter`](crate::mp::set_interpreter).
pub struct Engine {
    vm: Vm,
    main: Ref<Module>,
}

impl Default for Engine {
    fn default() -> Engine {
        Engine::new()
    }
}

impl Engine {
    /// An engine with the streams of the process, no folders to import from, and no arguments.
    pub fn new() -> Engine {
        let mut vm = Vm::new(Streams::of_process());
        let main = vm.new_main(None);
        Engine { vm, main }
    }

    /// What `input()` and `sys.stdin` read.
    pub fn with_stdin(mut self, reader: impl Read + 'static) -> Engine {
        self.vm.streams.stdin = Box::new(BufReader::new(reader));
        self
    }

    /// Where `print` writes. Each write arrives at once.
    pub fn with_stdout(mut self, writer: impl Write + 'static) -> Engine {
        self.vm.streams.stdout = Output::new(writer);
        self
    }

    /// Where `sys.stderr` writes. Uncaught exceptions are returned, not written.
    pub fn with_stderr(mut self, writer: impl Write + 'static) -> Engine {
        self.vm.streams.stderr = Output::new(writer);
        self
    }

    /// Adds a folder in which `import` looks for files.
    pub fn with_path(mut self, folder: impl AsRef<Path>) -> Engine {
        self.add_path(&folder.as_ref().to_string_lossy());
        self
    }

    /// `sys.argv`.
    pub fn with_args<T: IntoValue>(mut self, args: impl IntoIterator<Item = T>) -> Engine {
        self.vm.argv = Value::list(args.into_iter().map(T::into_value).collect());
        self
    }

    /// How deep functions may call each other before `RecursionError`; 10,000 if nothing is said.
    pub fn with_recursion_limit(mut self, depth: usize) -> Engine {
        self.vm.recursion_limit = depth;
        self
    }

    /// Something of the host's that its native functions reach with [`Call::data`](crate::Call::data).
    pub fn with_data(mut self, data: impl Any) -> Engine {
        self.vm.host_data = Box::new(data);
        self
    }

    /// Makes a native module importable by its name, before all others of that name but the built-in ones.
    ///
    /// # Panics
    /// A row's parameters are no parameter list.
    pub fn register(&mut self, module: &'static NativeModule) -> &mut Engine {
        for native in module.functions {
            if let Err(piece) = Signature::parse(native.params) {
                panic!("{}.{}: bad parameter '{piece}'", module.name, native.name);
            }
        }
        self.vm.host_modules.insert(module.name, module);
        self
    }

    /// Runs a text. The value is that of its last statement if that is an expression, else none.
    ///
    /// # Errors
    /// A syntax error, before anything runs, or the exception that ended it.
    pub fn eval(&mut self, text: &str) -> Result<Value, Error> {
        self.eval_named("<string>", text)
    }

    /// As [`Engine::eval`], with the name that tracebacks show for the text.
    ///
    /// # Errors
    /// As for [`Engine::eval`].
    pub fn eval_named(&mut self, name: &str, text: &str) -> Result<Value, Error> {
        let source = Rc::new(SourceFile::new(name, text));
        let main = self.main.clone();
        self.enter(|vm| match vm.compile(&source, &main, Expressions::LastReturned) {
            Ok(code) => vm.run_module(code, &main).map_err(|_| pending(vm)),
            Err(error) => Err(Error::of_syntax(&error, &source)),
        })
    }

    /// Runs a file. Its folder is then one that `import` looks in.
    ///
    /// # Errors
    /// As for [`Engine::eval`]; an `OSError` if it cannot be read, a `SyntaxError` if it is no text.
    pub fn eval_file(&mut self, path: impl AsRef<Path>) -> Result<Value, Error> {
        let name = path.as_ref().to_string_lossy().into_owned();
        let bytes =
            std::fs::read(&path).map_err(|error| self.error_of(|vm| vm.os_error(&error, Some(&name))))?;
        let text = crate::text::declared::decode(bytes)
            .map_err(|error| Error::new("SyntaxError", format!("{name}: {error}")))?;
        self.add_path(folder_of(&name));
        self.main.set_text("__file__", Value::str(&name));
        self.main.set_text("__dir__", Value::str(folder_of(&name)));
        self.eval_named(&name, &text)
    }

    /// Calls a function: a value, or the name of one of the script's variables or builtins.
    ///
    /// ```
    /// # let mut engine = zpy::Engine::new();
    /// engine.eval("def area(width, height): return width * height")?;
    /// assert_eq!(engine.call("area", (3, 4))?.to::<i64>()?, 12);
    /// # Ok::<(), zpy::Error>(())
    /// ```
    ///
    /// # Errors
    /// The exception that ended it; a `NameError` if there is no such variable.
    pub fn call(&mut self, function: impl Callee, args: impl IntoArgs) -> Result<Value, Error> {
        let function = function.find(self)?;
        let args = args.into_args();
        self.enter(|vm| vm.call(&function, &args).map_err(|_| pending(vm)))
    }

    /// Sets a variable of the script.
    pub fn set_global(&mut self, name: &str, value: impl IntoValue) {
        let name = self.vm.intern(name);
        self.main.set(&name, value.into_value());
    }

    /// A variable of the script.
    pub fn get_global(&self, name: &str) -> Option<Value> {
        self.main.get_text(name)
    }

    /// What `repr(value)` gives.
    ///
    /// # Errors
    /// The exception that a `__repr__` of the script's raised.
    pub fn repr(&mut self, value: &Value) -> Result<String, Error> {
        self.enter(|vm| vm.repr_of(value).map_err(|_| pending(vm)))
    }

    fn add_path(&mut self, folder: &str) {
        if let View::List(path) = self.vm.path.view() {
            let is_there = path.borrow().iter().any(|known| known.as_str() == Some(folder));
            if !is_there {
                path.borrow_mut().push(Value::str(folder));
            }
        }
    }

    /// Runs `body` on the large stack, and passes on what it printed.
    fn enter<T>(&mut self, body: impl FnOnce(&mut Vm) -> Result<T, Error>) -> Result<T, Error> {
        let result = self.vm.on_large_stack(body);
        // The script is not to blame if the host's writer fails now.
        let _ = self.vm.streams.stdout.flush();
        result
    }

    fn error_of(&mut self, raise: impl FnOnce(&mut Vm) -> crate::value::Raised) -> Error {
        raise(&mut self.vm);
        pending(&mut self.vm)
    }
}

/// The pending exception as data.
fn pending(vm: &mut Vm) -> Error {
    let exception = vm.take_raised();
    Error::of_exception(vm, &exception)
}

/// What [`Engine::call`] can call.
pub trait Callee {
    /// The function itself.
    ///
    /// # Errors
    /// A `NameError` if there is no variable of that name.
    fn find(self, engine: &mut Engine) -> Result<Value, Error>;
}

impl Callee for &Value {
    fn find(self, _: &mut Engine) -> Result<Value, Error> {
        Ok(self.clone())
    }
}

impl Callee for &str {
    fn find(self, engine: &mut Engine) -> Result<Value, Error> {
        if let Some(value) = engine.main.get_text(self) {
            return Ok(value);
        }
        engine.vm.ensure_builtin(self);
        let builtin = engine.vm.builtins.get(&Str::new(self));
        builtin.ok_or_else(|| Error::new("NameError", format!("name '{self}' is not defined")))
    }
}

/// The exit code that the value of a `SystemExit` means, unless it is a text to show.
pub fn exit_code(value: &Value) -> Option<i32> {
    match value.view() {
        View::None | View::Unbound => Some(0),
        // The system keeps the lowest eight bits.
        View::Int(code) => Some((code & 0xff) as i32),
        View::Bool(code) => Some(code as i32),
        View::BigInt(_) => Some(0xff),
        _ => None,
    }
}

impl Vm {
    /// The attribute `code` of a `SystemExit`.
    pub fn exit_value(&mut self, exception: &Ref<Exception>) -> Value {
        debug_assert!(exception.class().is_subtype_of(&self.types.exception(Exc::SystemExit)));
        let name = self.intern("code");
        match self.find_attribute(&exception.clone().into(), &name) {
            Ok(Some(code)) => return code,
            Ok(None) => {}
            Err(_) => drop(self.take_raised()),
        }
        let mut args = exception.args();
        match args.len() {
            0 => Value::NONE,
            1 => args.remove(0),
            _ => exception.args.borrow().clone(),
        }
    }

    /// A new `__main__` module, entered in `sys.modules`.
    pub fn new_main(&mut self, file: Option<&str>) -> Ref<Module> {
        let module = self.new_module("__main__", file);
        module.set_text("__package__", Value::NONE);
        self.modules.set_text("__main__", module.clone().into());
        module
    }
}
