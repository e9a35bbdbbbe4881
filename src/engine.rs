//! x
pub use crate::streams::{Buffering, Output, Streams};

use crate::eval::Vm;
use crate::source::SourceFile;
use crate::value::{Module, Ref, Res, Value};
use std::rc::Rc;

impl Vm {
    /// Shows the value of an expression typed at the prompt.
    pub fn echo(&mut self, value: Value) -> Res<()> {
        if value.is_none() {
            return Ok(());
        }
        let shown = self.repr_of(&value)?;
        self.write_stdout(&shown)?;
        self.write_stdout("\n")?;
        let underscore = self.intern("_");
        self.builtins.set(&underscore, value);
        Ok(())
    }

    /// A new `__main__` module, entered in `sys.modules`.
    pub fn new_main(&mut self, file: Option<&str>) -> Ref<Module> {
        let module = self.new_module("__main__", file);
        module.set_text("__package__", Value::NONE);
        self.modules.set_text("__main__", module.clone().into());
        module
    }

    /// Runs a script text in a module.
    pub fn run_text(&mut self, name: &str, text: &str, module: &Ref<Module>) -> Res<()> {
        self.run_source(Rc::new(SourceFile::new(name, text)), module)
    }
}
