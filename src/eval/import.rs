//! Imports: from `sys.modules`, native modules, embedded ZPy source, the folders of `sys.path`.

use super::code::{Code, ImportFrom};
use super::{Exc, Vm};
use crate::resolve::Expressions;
use crate::source::{SourceFile, Span};
use crate::value::{Exception, Module, NativeFunction, Raised, Ref, Res, Str, Value};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Where a module comes from.
enum Located {
    Native(Value),
    Embedded(SourceFile),
    /// A file, and the folder of the package if it is one.
    File(PathBuf, Option<PathBuf>),
    /// A package without code of its own: folders without `__init__`.
    Namespace(Vec<PathBuf>),
}

/// Where a module is, for scripts that ask.
pub struct FoundModule {
    pub kind: &'static str,
    pub file: Option<String>,
    /// The folder of the package that it is.
    pub package: Option<String>,
}

impl Vm {
    /// Looks for a module without running it; the packages around it are imported.
    ///
    /// # Errors
    /// Whatever a package raises while it is imported.
    pub fn find_module(&mut self, name: &str) -> Res<Option<FoundModule>> {
        let parent = match name.rsplit_once('.') {
            Some((outer, _)) => Some(self.import_module(outer)?),
            None => None,
        };
        let search = parent.as_ref().and_then(Value::get::<Module>).and_then(|m| m.get_text("__path__"));
        let last = name.rsplit('.').next().unwrap_or(name);
        let located = self.locate(name, last, search.as_ref(), parent.as_ref());
        let Some(located) = self.catch(located, Exc::ModuleNotFoundError)? else { return Ok(None) };
        let shown = |path: PathBuf| path.to_string_lossy().into_owned();
        Ok(Some(match located {
            Located::Native(_) => FoundModule { kind: "native", file: None, package: None },
            Located::Embedded(source) => {
                let package = crate::builtins::is_embedded_package(name).then(String::new);
                FoundModule { kind: "embedded", file: Some(source.name.to_string()), package }
            }
            Located::File(file, package) => {
                FoundModule { kind: "file", file: Some(shown(file)), package: package.map(shown) }
            }
            Located::Namespace(folders) => {
                let package = folders.into_iter().next().map(shown);
                FoundModule { kind: "namespace", file: None, package }
            }
        }))
    }

    /// `import a.b.c`: the last module, or the first as plain `import` binds it.
    pub(super) fn import_dotted(&mut self, name: &Ref<Str>, binds_last: bool) -> Res {
        if let Some(hook) = self.import_hook() {
            let mut module = self.call_import_hook(&hook, name, Value::NONE, 0)?;
            if binds_last {
                for part in name.as_str().split('.').skip(1) {
                    let part = Str::new(part);
                    module = self.import_name(&module, name.as_str(), &part)?;
                }
            }
            return Ok(module);
        }
        let last = self.import_module(name.as_str())?;
        if binds_last {
            return Ok(last);
        }
        let first = name.as_str().split('.').next().unwrap_or_default();
        self.import_module(first)
    }

    /// The module of a dotted name, imported if it is not yet.
    ///
    /// # Errors
    /// `ModuleNotFoundError`; whatever the module raises while it runs.
    pub fn import_module(&mut self, name: &str) -> Res {
        if let Some(found) = self.modules.get_text(name) {
            if found.is_none() {
                return Err(self.module_not_found(name));
            }
            return Ok(found);
        }
        let mut search: Option<Value> = None;
        let mut parent: Option<Value> = None;
        let mut so_far = String::new();
        let mut module = Value::NONE;
        for part in name.split('.') {
            if !so_far.is_empty() {
                so_far.push('.');
            }
            so_far.push_str(part);
            module = match self.modules.get_text(&so_far) {
                Some(found) => found,
                None => self.load_module(&so_far, part, search.as_ref(), parent.as_ref())?,
            };
            if let Some(parent) = &parent
                && let Some(parent) = parent.get::<Module>()
            {
                parent.set_text(part, module.clone());
            }
            search = module.get::<Module>().and_then(|m| m.get_text("__path__"));
            parent = Some(module.clone());
        }
        Ok(module)
    }

    fn load_module(&mut self, full: &str, last: &str, search: Option<&Value>, parent: Option<&Value>) -> Res {
        match self.locate(full, last, search, parent)? {
            Located::Native(module) => Ok(module),
            Located::Embedded(source) => {
                let module = self.new_module(full, None);
                if crate::builtins::is_embedded_package(full) {
                    module.set_text("__path__", Value::list(Vec::new()));
                }
                self.run_loaded(full, source, module)
            }
            Located::File(file, package) => self.load_file(full, &file, package),
            Located::Namespace(folders) => {
                let module = self.new_module(full, None);
                let folders = folders.iter().map(|folder| Value::str(folder.to_string_lossy())).collect();
                module.set_text("__path__", Value::list(folders));
                module.set_text("__package__", Value::str(full));
                self.modules.set_text(full, module.clone().into());
                Ok(module.into())
            }
        }
    }

    /// Where the module of a dotted name is, whose last part is `last` and whose parent package looks for its
    /// modules in `search`.
    fn locate(
        &mut self,
        full: &str,
        last: &str,
        search: Option<&Value>,
        parent: Option<&Value>,
    ) -> Res<Located> {
        let outer = full.rsplit_once('.').map(|(outer, _)| outer);
        if search.is_none() || outer.is_some_and(crate::builtins::is_embedded_package) {
            if let Some(native) = self.native_module(full) {
                return Ok(Located::Native(native));
            }
            if let Some(text) = crate::builtins::embedded_source(full) {
                let name = format!("<stdlib>/{}.zpy", full.replace('.', "/"));
                return Ok(Located::Embedded(SourceFile::new(name, text)));
            }
        }
        if parent.is_some() && search.is_none() {
            let class = self.types.exception(Exc::ModuleNotFoundError);
            let outer = outer.unwrap_or_default();
            let message = format!("No module named '{full}'; '{outer}' is not a package");
            return Err(self.raise_import(class, message, full));
        }
        let folders = match search {
            Some(path) => self.collect(path)?,
            None => {
                let path = self.path.clone();
                self.collect(&path)?
            }
        };
        let mut portions = Vec::new();
        for folder in folders {
            let Some(folder) = folder.as_str() else { continue };
            let folder = absolute(Path::new(folder));
            if let Some((file, package)) = find_file(&folder, last) {
                return Ok(Located::File(file, package));
            }
            let portion = folder.join(last);
            if portion.is_dir() {
                portions.push(portion);
            }
        }
        if portions.is_empty() { Err(self.module_not_found(full)) } else { Ok(Located::Namespace(portions)) }
    }

    /// The text of the module that `zpy -m NAME` runs as the program, and its package. Packages around it are
    /// imported; of a package itself it is that of its module `__main__`.
    ///
    /// # Errors
    /// `ModuleNotFoundError`, `ImportError` if it is no program; whatever a package raises while it is imported.
    pub fn module_program(&mut self, name: &str) -> Res<(SourceFile, String)> {
        let parent = match name.rsplit_once('.') {
            Some((outer, _)) => Some(self.import_module(outer)?),
            None => None,
        };
        let search = parent.as_ref().and_then(Value::get::<Module>).and_then(|m| m.get_text("__path__"));
        let (package, last) = name.rsplit_once('.').unwrap_or(("", name));
        match self.locate(name, last, search.as_ref(), parent.as_ref())? {
            Located::Native(_) => {
                let class = self.types.exception(Exc::ImportError);
                Err(self.raise_import(class, format!("module '{name}' is native: it is no program"), name))
            }
            Located::File(_, Some(_)) | Located::Namespace(_) => {
                self.module_program(&format!("{name}.__main__"))
            }
            Located::File(file, None) => Ok((self.read_source(&file)?, package.to_string())),
            Located::Embedded(_) if crate::builtins::is_embedded_package(name) => {
                self.module_program(&format!("{name}.__main__"))
            }
            Located::Embedded(source) => Ok((source, package.to_string())),
        }
    }

    fn load_file(&mut self, full: &str, file: &Path, package: Option<PathBuf>) -> Res {
        let source = self.read_source(file)?;
        let module = self.new_module(full, Some(&source.name));
        if let Some(folder) = package {
            let folder = Value::str(folder.to_string_lossy());
            module.set_text("__path__", Value::list(vec![folder]));
        }
        self.run_loaded(full, source, module)
    }

    fn read_source(&mut self, file: &Path) -> Res<SourceFile> {
        let shown = file.to_string_lossy().into_owned();
        let bytes = std::fs::read(file).map_err(|error| self.os_error(&error, Some(&shown)))?;
        match crate::text::declared::decode(bytes) {
            Ok(text) => Ok(SourceFile::new(shown, text)),
            Err(error) => Err(self.error(Exc::SyntaxError, format!("{error} ({shown})"))),
        }
    }

    /// A module with the variables every module has.
    pub fn new_module(&mut self, name: &str, file: Option<&str>) -> Ref<Module> {
        let module = Module::new(name, Some(self.builtins.clone()));
        module.set(&self.names.name.clone(), Value::str(name));
        module.set(&self.names.doc.clone(), Value::NONE);
        let package = name.rsplit_once('.').map_or("", |(package, _)| package);
        module.set_text("__package__", Value::str(package));
        if let Some(file) = file {
            module.set(&self.names.file.clone(), Value::str(file));
            module.set(&self.names.dir.clone(), Value::str(folder_of(file)));
        }
        module
    }

    fn run_loaded(&mut self, full: &str, source: SourceFile, module: Ref<Module>) -> Res {
        if module.get_text("__path__").is_some() {
            module.set_text("__package__", Value::str(full));
        }
        self.modules.set_text(full, module.clone().into());
        let result = self.run_source(Rc::new(source), &module);
        if let Err(raised) = result {
            drop(self.modules.remove_str(&Str::new(full)));
            return Err(raised);
        }
        // A module may have put something else in its place.
        Ok(self.modules.get_text(full).unwrap_or_else(|| module.into()))
    }

    /// Parses, resolves and runs a source text in a module.
    pub fn run_source(&mut self, source: Rc<SourceFile>, module: &Ref<Module>) -> Res<()> {
        match self.compile(&source, module, Expressions::Dropped) {
            Ok(code) => self.run_module(code, module).map(drop),
            Err(error) => Err(self.raise_syntax_error(&error, &source)),
        }
    }

    /// Parses and resolves a source text as code of a module.
    ///
    /// # Errors
    /// What is wrong with the text. Nothing is raised.
    pub fn compile(
        &mut self,
        source: &Rc<SourceFile>,
        module: &Ref<Module>,
        expressions: Expressions,
    ) -> Result<Rc<Code>, crate::syntax::SyntaxError> {
        let mut tree = crate::syntax::parse(source)?;
        self.warn_of(source)?;
        crate::resolve::module(self, &mut tree, source.clone(), module.into(), expressions)
    }

    /// Tells what the parser found doubtful in a text.
    ///
    /// # Errors
    /// The first warning, if the script wants them to be errors.
    pub fn warn_of(&mut self, source: &SourceFile) -> Result<(), crate::syntax::SyntaxError> {
        for (message, span) in source.take_doubts() {
            if self.issue_syntax_warning(source, &message, span).is_ok() {
                continue;
            }
            let exception = self.take_raised();
            if exception.class().is_subtype_of(&self.types.exception(Exc::SyntaxWarning)) {
                return Err(crate::syntax::SyntaxError::new(message, span));
            }
        }
        Ok(())
    }

    fn issue_syntax_warning(&mut self, source: &SourceFile, message: &str, span: Span) -> Res<()> {
        let warnings = self.import_module("warnings")?;
        let args = [
            Value::str(message),
            self.types.exception(Exc::SyntaxWarning).into(),
            Value::str(&*source.name),
            Value::size(source.line_of(span.start)),
        ];
        self.call_method(&warnings, "warn_explicit", &args).map(drop)
    }

    /// Warns of what the running code does.
    ///
    /// # Errors
    /// The warning, where it counts as an error.
    pub fn warn(&mut self, category: Exc, message: &str) -> Res<()> {
        let warnings = self.import_module("warnings")?;
        let args = [Value::str(message), self.types.exception(category).into()];
        self.call_method(&warnings, "warn", &args).map(drop)
    }

    /// Warns of a method that should give a number and gives one of a derived class.
    pub(crate) fn warn_of_derived(&mut self, method: &str, wanted: &str, got: &str) -> Res<()> {
        let message = format!(
            "{method} returned non-{wanted} (type {got}).  The ability to return an instance of a strict subclass \
             of {wanted} is deprecated, and may be removed in a future version of Python."
        );
        self.warn(Exc::DeprecationWarning, &message)
    }

    /// Raises a `SyntaxError` with the place in its attributes.
    pub fn raise_syntax_error(&mut self, error: &crate::syntax::SyntaxError, source: &SourceFile) -> Raised {
        use crate::syntax::SyntaxErrorKind as Kind;
        let kind = match error.kind {
            Kind::Syntax => Exc::SyntaxError,
            Kind::Indentation => Exc::IndentationError,
            Kind::Tab => Exc::TabError,
        };
        let class = self.types.exception(kind);
        let start = source.position(error.span.start);
        let end = source.position(error.span.end);
        let text = source.line_text(start.line);
        let place = Value::tuple(vec![
            Value::str(&*source.name),
            Value::size(start.line),
            Value::size(start.column),
            Value::str(text),
        ]);
        let exception = Exception::new(class, vec![Value::str(&error.message), place]);
        let attributes = [
            ("msg", Value::str(&error.message)),
            ("filename", Value::str(&*source.name)),
            ("lineno", Value::size(start.line)),
            ("offset", Value::size(start.column)),
            ("text", Value::str(text)),
            ("end_lineno", Value::size(end.line)),
            ("end_offset", Value::size(end.column)),
        ];
        for (name, value) in attributes {
            exception.set_attribute(name, value);
        }
        self.raise(exception)
    }

    fn module_not_found(&mut self, name: &str) -> Raised {
        let mut message = format!("No module named '{name}'");
        let known = crate::builtins::module_names(self);
        if let Some(near) = super::suggest::nearest(name, known.iter().map(String::as_str)) {
            message.push_str(&format!(". Did you mean: '{near}'?"));
        }
        let class = self.types.exception(Exc::ModuleNotFoundError);
        self.raise_import(class, message, name)
    }

    fn raise_import(&mut self, class: Ref<crate::value::Type>, message: String, name: &str) -> Raised {
        let exception = Exception::new(class, vec![Value::str(message)]);
        exception.set_attribute("name", Value::str(name));
        self.raise(exception)
    }

    /// `builtins.__import__`, if a script has put its own there.
    fn import_hook(&mut self) -> Option<Value> {
        let hook = self.builtins.get(&self.names.import)?;
        (!hook.is::<NativeFunction>()).then_some(hook)
    }

    fn call_import_hook(&mut self, hook: &Value, name: &Ref<Str>, names: Value, level: u32) -> Res {
        let globals: Value = crate::builtins::mapping::of_module(self.current_module());
        let locals = match self.text_namespace() {
            Some(namespace) => namespace,
            None => globals.clone(),
        };
        self.call(hook, &[name.clone().into(), globals, locals, names, Value::int(level.into())])
    }

    pub(super) fn import_from(&mut self, i: &ImportFrom) -> Res<()> {
        let (name, module) = match self.import_hook() {
            Some(hook) => {
                let names = match i.star {
                    true => vec![Value::str("*")],
                    false => i.names.iter().map(|(name, _)| name.clone().into()).collect(),
                };
                let module = self.call_import_hook(&hook, &i.module, Value::tuple(names), i.level)?;
                (i.module.as_str().to_string(), module)
            }
            None => {
                let name = self.absolute_name(i.module.as_str(), i.level)?;
                let module = self.import_module(&name)?;
                (name, module)
            }
        };
        if i.star {
            return self.import_star(&module);
        }
        for (wanted, target) in &i.names {
            let value = self.import_name(&module, &name, wanted)?;
            self.assign(target, value)?;
        }
        Ok(())
    }

    /// A name of a module: a variable, or a module of the package.
    fn import_name(&mut self, module: &Value, name: &str, wanted: &Ref<Str>) -> Res {
        match self.imported_name(module, name, wanted)? {
            Some(value) => Ok(value),
            None => Err(self.no_such_name(module, name, wanted)),
        }
    }

    fn imported_name(&mut self, module: &Value, name: &str, wanted: &Ref<Str>) -> Res<Option<Value>> {
        let found = self.find_attribute(module, wanted);
        match self.catch(found, Exc::AttributeError)? {
            Some(Some(value)) => Ok(Some(value)),
            _ => self.import_submodule(module, name, wanted),
        }
    }

    /// Imports those modules among the names of a `fromlist` that a package has not imported yet.
    ///
    /// # Errors
    /// Whatever a module raises while it runs; a name that is no module is left alone.
    pub fn import_names(&mut self, module: &Value, name: &str, names: &Value) -> Res<()> {
        if module.get::<Module>().is_none_or(|m| m.get_text("__path__").is_none()) {
            return Ok(());
        }
        for wanted in self.collect(names)? {
            let Some(wanted) = wanted.get_ref::<Str>() else {
                let got = self.type_name(&wanted);
                return Err(self.type_error(format!("Item in ``from list'' must be str, not {got}")));
            };
            if wanted.as_str() != "*" {
                self.imported_name(module, name, &wanted)?;
            }
        }
        Ok(())
    }

    /// `from package import submodule`; `None` if there is no such module.
    fn import_submodule(&mut self, module: &Value, name: &str, wanted: &Ref<Str>) -> Res<Option<Value>> {
        let full = format!("{name}.{}", wanted.as_str());
        if let Some(found) = self.modules.get_text(&full) {
            return Ok(Some(found));
        }
        let is_package = module.get::<Module>().is_some_and(|m| m.get_text("__path__").is_some());
        if !is_package {
            return Ok(None);
        }
        match self.import_module(&full) {
            Ok(found) => Ok(Some(found)),
            // A module that the submodule misses is another matter.
            Err(raised) if !self.is_missing_module(&full) => Err(raised),
            Err(_) => {
                drop(self.take_raised());
                Ok(None)
            }
        }
    }

    fn no_such_name(&mut self, module: &Value, name: &str, wanted: &Ref<Str>) -> Raised {
        let file = module.get::<Module>().and_then(|m| m.get_text("__file__"));
        let place = match file.as_ref().and_then(Value::as_str) {
            Some(file) => file.to_string(),
            None => "unknown location".to_string(),
        };
        let mut message = format!("cannot import name '{}' from '{name}' ({place})", wanted.as_str());
        let known = self.attribute_names(module);
        if let Some(near) = super::suggest::nearest(wanted.as_str(), known.iter().map(String::as_str)) {
            message.push_str(&format!(". Did you mean: '{near}'?"));
        }
        let class = self.types.exception(Exc::ImportError);
        self.raise_import(class, message, name)
    }

    /// Whether the exception on its way says that there is no module of that name.
    fn is_missing_module(&self, name: &str) -> bool {
        let Some(exception) = self.pending_exception().filter(|_| self.is_raised(Exc::ModuleNotFoundError))
        else {
            return false;
        };
        exception.get_attribute("name").is_some_and(|found| found.as_str() == Some(name))
    }

    fn import_star(&mut self, module: &Value) -> Res<()> {
        let all = self.find_attribute(module, &Str::new("__all__"))?;
        let names = match all {
            Some(all) => self.collect(&all)?,
            None => {
                let names = self.attribute_names(module);
                names.iter().filter(|n| !n.starts_with('_')).map(Value::str).collect()
            }
        };
        for name in names {
            let Some(name) = name.get_ref::<Str>() else {
                return Err(self.type_error("items in __all__ must be strings"));
            };
            let value = self.get_attribute(module, &name)?;
            match self.text_namespace() {
                Some(namespace) => self.set_item(&namespace, name.into(), value)?,
                None => self.current_module().set(&self.intern(name.as_str()), value),
            }
        }
        Ok(())
    }

    /// The absolute name that `level` leading dots and `name` mean here.
    pub fn absolute_name(&mut self, name: &str, level: u32) -> Res<String> {
        if level == 0 {
            return Ok(name.to_string());
        }
        let here = self.current_module();
        let package = here.get_text("__package__");
        let mut package = package.as_ref().and_then(Value::as_str).unwrap_or("").to_string();
        if package.is_empty() {
            return Err(
                self.error(Exc::ImportError, "attempted relative import with no known parent package")
            );
        }
        for _ in 1..level {
            match package.rsplit_once('.') {
                Some((outer, _)) => package = outer.to_string(),
                None => {
                    return Err(
                        self.error(Exc::ImportError, "attempted relative import beyond top-level package")
                    );
                }
            }
        }
        Ok(if name.is_empty() { package } else { format!("{package}.{name}") })
    }
}

/// The directory part of a path, `.` if it has none.
pub fn folder_of(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) => "/",
        Some(at) => &path[..at],
        None => ".",
    }
}

/// A folder of `sys.path` from the root on, without `.` steps; the empty text is the working directory.
fn absolute(folder: &Path) -> PathBuf {
    match std::env::current_dir() {
        Ok(here) if folder.is_relative() => here.join(folder).components().collect(),
        _ => folder.to_path_buf(),
    }
}

/// A module's file in a folder, and the package folder if it is a package.
fn find_file(folder: &Path, name: &str) -> Option<(PathBuf, Option<PathBuf>)> {
    let package = folder.join(name);
    for file in ["__init__.zpy", "__init__.py"] {
        let file = package.join(file);
        if file.is_file() {
            return Some((file, Some(package)));
        }
    }
    for ending in ["zpy", "py"] {
        let file = folder.join(format!("{name}.{ending}"));
        if file.is_file() {
            return Some((file, None));
        }
    }
    None
}
