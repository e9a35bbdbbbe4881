//! Methods of exceptions, and what their constructors make of their arguments.

use super::{Exception, Ref, Res, Tag, Type, Value, View};
use crate::call::{Call, Native};
use crate::eval::{Exc, Vm};

pub const BASE_EXCEPTION: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, /, *args, **keywords",
        run: new,
        doc: "A new exception with these arguments.",
    },
    Native { name: "__init__", params: "self, /, *args, **keywords", run: init, doc: "Sets the arguments." },
    Native { name: "__str__", params: "self, /", run: text, doc: "The message." },
    Native { name: "__repr__", params: "self, /", run: repr, doc: "`repr(self)`." },
    Native {
        name: "add_note",
        params: "self, note, /",
        run: add_note,
        doc: "Adds a line that is shown below the message.",
    },
    Native {
        name: "with_traceback",
        params: "self, traceback, /",
        run: with_traceback,
        doc: "Sets `__traceback__` and gives the exception back.",
    },
    Native {
        name: "__reduce__",
        params: "self, /",
        run: reduce,
        doc: "How to make an equal exception: its class, arguments and attributes.",
    },
    Native {
        name: "__setstate__",
        params: "self, state, /",
        run: set_state,
        doc: "Sets attributes from a dict.",
    },
];

pub const OS_ERROR: &[Native] = &[Native {
    name: "__init__",
    params: "self, /, *args",
    run: init_os_error,
    doc: "Sets the arguments: errno, message and up to two file names.",
}];

pub const IMPORT_ERROR: &[Native] = &[Native {
    name: "__init__",
    params: "self, /, *args, name=None, path=None",
    run: |call| init_named(call, &["name", "path"]),
    doc: "Sets the arguments, the module's name and its path.",
}];

pub const NAME_ERROR: &[Native] = &[Native {
    name: "__init__",
    params: "self, /, *args, name=None",
    run: |call| init_named(call, &["name"]),
    doc: "Sets the arguments and the name that was not found.",
}];

pub const ATTRIBUTE_ERROR: &[Native] = &[Native {
    name: "__init__",
    params: "self, /, *args, name=None, obj=None",
    run: |call| init_named(call, &["name", "obj"]),
    doc: "Sets the arguments, the name that was not found and the object that lacks it.",
}];

pub const SYNTAX_ERROR: &[Native] = &[Native {
    name: "__init__",
    params: "self, /, *args",
    run: init_syntax_error,
    doc: "Sets the message, and the place from a tuple of file name, line, column and text.",
}];

pub const UNICODE_ERROR: &[Native] = &[Native {
    name: "__init__",
    params: "self, /, *args",
    run: init_unicode_error,
    doc: "Sets the encoding, the whole object, the range that is wrong and the reason.",
}];

/// Rows of an exception class beyond those of its base.
pub fn of(name: &str) -> &'static [Native] {
    match name {
        "BaseException" => BASE_EXCEPTION,
        "OSError" => OS_ERROR,
        "ImportError" => IMPORT_ERROR,
        "NameError" => NAME_ERROR,
        "AttributeError" => ATTRIBUTE_ERROR,
        "SyntaxError" => SYNTAX_ERROR,
        "UnicodeDecodeError" | "UnicodeEncodeError" => UNICODE_ERROR,
        "BaseExceptionGroup" => super::exception_group::BASE_EXCEPTION_GROUP,
        _ => &[],
    }
}

impl Vm {
    /// A new exception of a class with these arguments, before `__init__`.
    ///
    /// # Errors
    /// For exception groups, whatever is wrong with the arguments.
    pub(crate) fn make_exception(&mut self, class: &Ref<Type>, args: Vec<Value>) -> Res<Ref<Exception>> {
        if class.is_subtype_of(&self.types.exception(Exc::BaseExceptionGroup)) {
            return self.make_exception_group(class, args);
        }
        if class.is_subtype_of(&self.types.exception(Exc::OSError)) {
            return Ok(self.make_os_error(class, args));
        }
        Ok(Exception::new(class.clone(), args))
    }
}

fn new(call: &mut Call) -> Res {
    let class = call.class()?;
    if class.kind != Tag::Exception {
        let shown = class.name();
        let message =
            format!("BaseException.__new__({0}): {0} is not a subtype of BaseException", shown.as_str());
        return Err(call.vm.type_error(message));
    }
    Ok(call.vm.make_exception(&class, call.rest().to_vec())?.into())
}

fn set_args(exception: &Exception, args: &[Value]) {
    let old = exception.args.replace(Value::tuple(args.to_vec()));
    drop(old);
}

fn init(call: &mut Call) -> Res {
    if call.keywords().is_some_and(|named| !named.is_empty()) {
        let name = call.vm.type_name(call.arg(0));
        return Err(call.vm.type_error(format!("{name}() takes no keyword arguments")));
    }
    set_args(call.this::<Exception>()?, call.rest());
    Ok(Value::NONE)
}

fn init_os_error(call: &mut Call) -> Res {
    let exception = call.this::<Exception>()?;
    call.vm.set_os_error_args(exception, call.rest());
    Ok(Value::NONE)
}

fn init_named(call: &mut Call, names: &[&str]) -> Res {
    let exception = call.this::<Exception>()?;
    set_args(exception, call.rest());
    for (i, name) in names.iter().enumerate() {
        exception.set_attribute(name, call.keyword(i).cloned().unwrap_or(Value::NONE));
    }
    Ok(Value::NONE)
}

fn init_syntax_error(call: &mut Call) -> Res {
    let exception = call.this::<Exception>()?;
    set_args(exception, call.rest());
    if let [_, place] = call.rest() {
        let place = call.vm.collect(place)?;
        let names = ["filename", "lineno", "offset", "text", "end_lineno", "end_offset"];
        match place.len() {
            4 | 6 => {}
            5 => return Err(call.vm.type_error("end_offset must be provided when end_lineno is provided")),
            count if count < 4 => {
                let message =
                    format!("function missing required argument '{}' (pos {})", names[count], count + 1);
                return Err(call.vm.type_error(message));
            }
            count => {
                let message = format!("function takes at most 6 arguments ({count} given)");
                return Err(call.vm.type_error(message));
            }
        }
        for (name, value) in names.into_iter().zip(&place) {
            exception.set_attribute(name, value.clone());
        }
    }
    Ok(Value::NONE)
}

fn init_unicode_error(call: &mut Call) -> Res {
    let exception = call.this::<Exception>()?;
    let args = call.rest();
    if args.len() != 5 {
        let count = args.len();
        return Err(call.vm.type_error(format!("function takes exactly 5 arguments ({count} given)")));
    }
    for (i, arg) in args.iter().enumerate() {
        let wanted = match i {
            0 | 4 if arg.as_str().is_none() => "str",
            2 | 3 if arg.as_small_int().is_none() => "int",
            _ => continue,
        };
        let got = call.vm.type_name(arg);
        return Err(call.vm.type_error(format!("argument {} must be {wanted}, not {got}", i + 1)));
    }
    set_args(exception, args);
    Ok(Value::NONE)
}

fn text(call: &mut Call) -> Res {
    let exception = call.this::<Exception>()?;
    Ok(Value::str(call.vm.exception_text(exception)?))
}

fn repr(call: &mut Call) -> Res {
    let exception = call.this::<Exception>()?;
    let mut out = String::new();
    call.vm.write_exception(exception, &mut out)?;
    Ok(Value::str(out))
}

fn add_note(call: &mut Call) -> Res {
    call.this::<Exception>()?;
    if call.arg(1).as_str().is_none() {
        let got = call.vm.type_name(call.arg(1));
        return Err(call.vm.type_error(format!("note must be a str, not '{got}'")));
    }
    let note = call.str(1)?;
    if let Some(exception) = call.arg(0).get_ref::<Exception>() {
        call.vm.add_note(&exception, note)?;
    }
    Ok(Value::NONE)
}

fn with_traceback(call: &mut Call) -> Res {
    let exception = call.this::<Exception>()?;
    if !call.vm.set_traceback(exception, call.arg(1)) {
        return Err(call.vm.type_error("__traceback__ must be a traceback or None"));
    }
    Ok(call.arg(0).clone())
}

impl Vm {
    /// Sets `__traceback__` to a traceback object or `none`; whether it was one.
    pub(crate) fn set_traceback(&mut self, exception: &Exception, traceback: &Value) -> bool {
        let entries = match traceback.view() {
            View::None => Vec::new(),
            _ => match Vm::traceback_entries(traceback) {
                Some(entries) => entries,
                None => return false,
            },
        };
        *exception.trace.borrow_mut() = entries;
        *exception.traceback.borrow_mut() = traceback.clone();
        true
    }
}

fn reduce(call: &mut Call) -> Res {
    let exception = call.this::<Exception>()?;
    let class = exception.class();
    let mut args = exception.args();
    let is_a = |kind| class.is_subtype_of(&call.vm.types.exception(kind));
    if is_a(Exc::OSError) && args.len() == 2 {
        let paths = [exception.get_attribute("filename"), exception.get_attribute("filename2")];
        match paths {
            [Some(first), Some(second)] => args.extend([first, Value::NONE, second]),
            [Some(first), None] => args.push(first),
            _ => {}
        }
    }
    let mut parts: Vec<Value> = vec![class.clone().into(), Value::tuple(args)];
    let kept: &[&str] = if is_a(Exc::ImportError) { &["name", "path"] } else { &[] };
    let fields: Vec<&str> =
        FIELDS.iter().filter(|(kind, _)| is_a(*kind)).flat_map(|(_, names)| *names).copied().collect();
    let state = super::Dict::new(Default::default());
    let own = exception.attributes.get().map(|own| own.pairs()).unwrap_or_default();
    for (name, value) in own {
        let is_field = name.as_str().is_some_and(|name| fields.contains(&name));
        let is_kept = name.as_str().is_some_and(|name| kept.contains(&name)) && !value.is_none();
        if !is_field || is_kept {
            call.vm.dict_set(&state, name, value)?;
        }
    }
    if !state.is_empty() {
        parts.push(state.into());
    }
    Ok(Value::tuple(parts))
}

/// Attributes that an exception has from its arguments and not from scripts.
const FIELDS: &[(Exc, &[&str])] = &[
    (Exc::OSError, &["errno", "strerror", "filename", "filename2", "characters_written"]),
    (Exc::ImportError, &["name", "path", "name_from"]),
    (Exc::NameError, &["name"]),
    (Exc::AttributeError, &["name", "obj"]),
    (
        Exc::SyntaxError,
        &["msg", "filename", "lineno", "offset", "text", "end_lineno", "end_offset", "print_file_and_line"],
    ),
    (Exc::BaseExceptionGroup, &["message", "exceptions"]),
];

fn set_state(call: &mut Call) -> Res {
    let exception = call.this::<Exception>()?;
    if call.arg(1).is_none() {
        return Ok(Value::NONE);
    }
    for (name, value) in call.dict(1)?.pairs() {
        if let Some(name) = name.as_str() {
            exception.set_attribute(name, value);
        }
    }
    Ok(Value::NONE)
}
