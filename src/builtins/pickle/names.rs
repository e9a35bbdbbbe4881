//! Global names in pickles: which module an object is found in, and which object a name means.
//!
//! Python 2 called some modules and functions otherwise; protocols that it can read use its names. Python also keeps
//! some functions in private modules (`_operator`, `_io`, ...) that are not there under ZPy; what they hold is found in
//! the public ones.

use super::{pickling_error, unpickling_error};
use crate::eval::{Exc, Vm};
use crate::value::{Dict, Module, Res, Str, Value};

/// Where an object was found.
pub struct Located {
    pub module: String,
    /// For a name with dots: the object that holds it, and the last part of the name.
    pub parent: Option<(Value, String)>,
}

/// Finds the module an object of that name lives in, and makes sure that the name means this object.
pub fn locate(vm: &mut Vm, object: &Value, name: &str) -> Res<Located> {
    if name.split('.').any(|part| part == "<locals>") {
        return Err(vm.error(Exc::AttributeError, format!("Can't pickle local object '{name}'")));
    }
    let module_name = module_of(vm, object, name)?;
    let imported = vm.import_module(&module_name);
    let Some(module) = vm.catch(imported, Exc::ImportError)? else {
        let shown = vm.repr_of(object)?;
        return Err(pickling_error(
            vm,
            format!("Can't pickle {shown}: import of module '{module_name}' failed"),
        ));
    };
    let mut place = dotted(vm, &module, name)?;
    if let (None, Some(public)) = (&place, module_name.strip_prefix('_')) {
        let imported = vm.import_module(public);
        if let Some(public) = vm.catch(imported, Exc::ImportError)? {
            place = dotted(vm, &public, name)?.map(|(found, _)| (found, module.clone()));
        }
    }
    let (found, parent) = match place {
        Some(both) => both,
        None => {
            let shown = vm.repr_of(object)?;
            let message = format!("Can't pickle {shown}: attribute lookup {name} on {module_name} failed");
            return Err(pickling_error(vm, message));
        }
    };
    if !found.same(object) && !is_same_native(&found, object) {
        let shown = vm.repr_of(object)?;
        let message = format!("Can't pickle {shown}: it's not the same object as {module_name}.{name}");
        return Err(pickling_error(vm, message));
    }
    // Where Python's own functions for codecs live.
    let is_codec = module_name == "codecs" && matches!(name, "encode" | "decode");
    let module_name = if is_codec { "_codecs".to_string() } else { module_name };
    let last = name.rsplit('.').next().unwrap_or(name);
    let parent = (!parent.same(&module)).then(|| (parent, last.to_string()));
    Ok(Located { module: module_name, parent })
}

/// Native functions become objects each time a table is asked for them.
fn is_same_native(a: &Value, b: &Value) -> bool {
    use crate::value::NativeFunction;
    matches!(
        (a.get::<NativeFunction>(), b.get::<NativeFunction>()),
        (Some(a), Some(b)) if std::ptr::eq(a.native, b.native)
    )
}

/// The object of a name with dots, and the object that holds it.
fn dotted(vm: &mut Vm, module: &Value, name: &str) -> Res<Option<(Value, Value)>> {
    let (mut found, mut parent) = (module.clone(), module.clone());
    for part in name.split('.') {
        let result = vm.get_attribute(&found, &Str::new(part));
        let Some(next) = vm.catch(result, Exc::AttributeError)? else { return Ok(None) };
        parent = std::mem::replace(&mut found, next);
    }
    Ok(Some((found, parent)))
}

/// The name of the module that says it holds the object, else of the first that does.
fn module_of(vm: &mut Vm, object: &Value, name: &str) -> Res<String> {
    let result = vm.get_attribute(object, &Str::new("__module__"));
    if let Some(module) = vm.catch(result, Exc::AttributeError)?
        && !module.is_none()
    {
        return vm.text_of(&module, "__module__");
    }
    let modules: Vec<(Value, Value)> = vm.modules.pairs();
    for (module_name, module) in modules {
        let Some(module_name) = module_name.as_str() else { continue };
        if matches!(module_name, "__main__" | "__mp_main__") || !module.is::<Module>() {
            continue;
        }
        if let Some((found, _)) = dotted(vm, &module, name)?
            && found.same(object)
        {
            return Ok(module_name.to_string());
        }
    }
    Ok("__main__".to_string())
}

/// `find_class` of an unpickler.
pub fn find(vm: &mut Vm, module: &str, name: &str, protocol: i64, fix_imports: bool) -> Res {
    let (module, name) = match protocol < 3 && fix_imports {
        true => from_python_2(module, name),
        false => (module.to_string(), name.to_string()),
    };
    let public = module.strip_prefix('_').filter(|public| !public.starts_with('_'));
    let imported = vm.import_module(&module);
    let found = match (imported, public) {
        (Ok(found), _) => found,
        (Err(raised), None) => return Err(raised),
        (Err(raised), Some(public)) => {
            if !vm.is_raised(Exc::ImportError) {
                return Err(raised);
            }
            let missing = vm.take_raised();
            match vm.import_module(public) {
                Ok(found) => found,
                Err(_) => {
                    vm.take_raised();
                    return Err(vm.put_back(missing));
                }
            }
        }
    };
    let result = by_name(vm, &found, &name, protocol);
    let (Some(public), Err(raised)) = (public, &result) else { return result };
    if !vm.is_raised(Exc::AttributeError) {
        return Err(*raised);
    }
    let missing = vm.take_raised();
    let retried = match vm.import_module(public) {
        Ok(found) => by_name(vm, &found, &name, protocol),
        Err(raised) => Err(raised),
    };
    if retried.is_err() {
        vm.take_raised();
        return Err(vm.put_back(missing));
    }
    retried
}

fn by_name(vm: &mut Vm, module: &Value, name: &str, protocol: i64) -> Res {
    let found = if protocol < 4 || !name.contains('.') {
        let result = vm.get_attribute(module, &Str::new(name));
        vm.catch(result, Exc::AttributeError)?
    } else {
        dotted(vm, module, name)?.map(|(found, _)| found)
    };
    match found {
        Some(found) => Ok(found),
        None => {
            let shown = vm.repr_of(module)?;
            Err(vm.error(Exc::AttributeError, format!("Can't get attribute '{name}' on {shown}")))
        }
    }
}

/// The object that a registered number names.
pub fn extension(vm: &mut Vm, code: i64, find: impl FnOnce(&mut Vm, &str, &str) -> Res) -> Res {
    if code <= 0 {
        return Err(unpickling_error(vm, "EXT specifies code <= 0"));
    }
    let copyreg = vm.import_module("copyreg")?;
    let key = Value::int(code);
    let cache = vm.get_attribute(&copyreg, &Str::new("_extension_cache"))?;
    if let Some(cache) = cache.get::<Dict>()
        && let Some(known) = vm.dict_get(cache, &key)?
    {
        return Ok(known);
    }
    let registry = vm.get_attribute(&copyreg, &Str::new("_inverted_registry"))?;
    let pair = match registry.get::<Dict>() {
        Some(registry) => vm.dict_get(registry, &key)?,
        None => None,
    };
    let Some(pair) = pair else {
        return Err(vm.value_error(format!("unregistered extension code {code}")));
    };
    let parts = vm.collect(&pair)?;
    let [Some(module), Some(name)] = [0, 1].map(|at| parts.get(at).and_then(Value::as_str)) else {
        let message = format!("_inverted_registry[{code}] isn't a 2-tuple of strings");
        return Err(vm.value_error(message));
    };
    let found = find(vm, module, name)?;
    if let Some(cache) = cache.get::<Dict>() {
        vm.dict_set(cache, key, found.clone())?;
    }
    Ok(found)
}

/// Modules that Python 2 called otherwise: its name first.
const MODULES: &[(&str, &str)] = &[
    ("__builtin__", "builtins"),
    ("copy_reg", "copyreg"),
    ("Queue", "queue"),
    ("SocketServer", "socketserver"),
    ("ConfigParser", "configparser"),
    ("repr", "reprlib"),
    ("Tkinter", "tkinter"),
    ("anydbm", "dbm"),
    ("HTMLParser", "html.parser"),
    ("htmlentitydefs", "html.entities"),
    ("httplib", "http.client"),
    ("cookielib", "http.cookiejar"),
    ("Cookie", "http.cookies"),
    ("BaseHTTPServer", "http.server"),
    ("xmlrpclib", "xmlrpc.client"),
    ("SimpleXMLRPCServer", "xmlrpc.server"),
    ("robotparser", "urllib.robotparser"),
    ("urllib2", "urllib.request"),
    ("urlparse", "urllib.parse"),
    ("thread", "_thread"),
    ("dummy_thread", "_dummy_thread"),
    ("dumbdbm", "dbm.dumb"),
    ("gdbm", "dbm.gnu"),
    ("dbhash", "dbm.bsd"),
];

/// Modules of Python 2 that went into others.
const OLD_MODULES: &[(&str, &str)] = &[
    ("cPickle", "pickle"),
    ("_elementtree", "xml.etree.ElementTree"),
    ("StringIO", "io"),
    ("cStringIO", "io"),
    ("exceptions", "builtins"),
    ("UserList", "collections"),
    ("UserString", "collections"),
    ("whichdb", "dbm"),
    ("commands", "subprocess"),
    ("FileDialog", "tkinter.filedialog"),
    ("SimpleHTTPServer", "http.server"),
    ("CGIHTTPServer", "http.server"),
];

/// A module and a name in it.
type Name = (&'static str, &'static str);

/// Functions and classes that Python 2 had elsewhere: its module and name first.
const NAMES: &[(Name, Name)] = &[
    (("__builtin__", "xrange"), ("builtins", "range")),
    (("__builtin__", "reduce"), ("functools", "reduce")),
    (("__builtin__", "intern"), ("sys", "intern")),
    (("__builtin__", "unichr"), ("builtins", "chr")),
    (("__builtin__", "unicode"), ("builtins", "str")),
    (("__builtin__", "long"), ("builtins", "int")),
    (("itertools", "izip"), ("builtins", "zip")),
    (("itertools", "imap"), ("builtins", "map")),
    (("itertools", "ifilter"), ("builtins", "filter")),
    (("itertools", "ifilterfalse"), ("itertools", "filterfalse")),
    (("itertools", "izip_longest"), ("itertools", "zip_longest")),
    (("UserDict", "IterableUserDict"), ("collections", "UserDict")),
    (("UserList", "UserList"), ("collections", "UserList")),
    (("UserString", "UserString"), ("collections", "UserString")),
    (("whichdb", "whichdb"), ("dbm", "whichdb")),
    (("multiprocessing.process", "Process"), ("multiprocessing.context", "Process")),
];

/// Names of Python 2 that have none of their own now.
const OLD_NAMES: &[(Name, Name)] = &[
    (("__builtin__", "basestring"), ("builtins", "str")),
    (("exceptions", "StandardError"), ("builtins", "Exception")),
    (("UserDict", "UserDict"), ("collections", "UserDict")),
    (("socket", "_socketobject"), ("socket", "SocketType")),
];

/// Exceptions that Python 2 had in its module `exceptions`.
const EXCEPTIONS: &[&str] = &[
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BaseException",
    "BufferError",
    "BytesWarning",
    "DeprecationWarning",
    "EOFError",
    "EnvironmentError",
    "Exception",
    "FloatingPointError",
    "FutureWarning",
    "GeneratorExit",
    "IOError",
    "ImportError",
    "ImportWarning",
    "IndentationError",
    "IndexError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "MemoryError",
    "NameError",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PendingDeprecationWarning",
    "ReferenceError",
    "RuntimeError",
    "RuntimeWarning",
    "StopIteration",
    "SyntaxError",
    "SyntaxWarning",
    "SystemError",
    "SystemExit",
    "TabError",
    "TypeError",
    "UnboundLocalError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeError",
    "UnicodeTranslateError",
    "UnicodeWarning",
    "UserWarning",
    "ValueError",
    "Warning",
    "ZeroDivisionError",
];

/// Kinds of `OSError` that Python 2 did not tell apart.
const OS_ERRORS: &[&str] = &[
    "BrokenPipeError",
    "ChildProcessError",
    "ConnectionAbortedError",
    "ConnectionError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "FileExistsError",
    "FileNotFoundError",
    "InterruptedError",
    "IsADirectoryError",
    "NotADirectoryError",
    "PermissionError",
    "ProcessLookupError",
    "TimeoutError",
];

fn owned((module, name): Name) -> (String, String) {
    (module.to_string(), name.to_string())
}

pub fn from_python_2(module: &str, name: &str) -> (String, String) {
    let moved = NAMES.iter().chain(OLD_NAMES).find(|(old, _)| *old == (module, name));
    if let Some((_, new)) = moved {
        return owned(*new);
    }
    let renamed = MODULES.iter().chain(OLD_MODULES).find(|(old, _)| *old == module);
    (renamed.map_or(module, |(_, new)| new).to_string(), name.to_string())
}

pub fn to_python_2(module: &str, name: &str) -> (String, String) {
    if let Some((old, _)) = NAMES.iter().find(|(_, new)| *new == (module, name)) {
        return owned(*old);
    }
    if module == "builtins" {
        if EXCEPTIONS.contains(&name) {
            return ("exceptions".to_string(), name.to_string());
        }
        if OS_ERRORS.contains(&name) {
            return owned(("exceptions", "OSError"));
        }
        if name == "ModuleNotFoundError" {
            return owned(("exceptions", "ImportError"));
        }
    }
    let renamed = MODULES.iter().find(|(_, new)| *new == module);
    (renamed.map_or(module, |(old, _)| old).to_string(), name.to_string())
}
