//! Files over other files: buffers and text made from a raw file or a file of bytes.
//!
//! Over an open native file a wrapper is one more `File` that shares its state, so that reading and writing stay
//! native. Over anything else (an object of a script, a file in memory, an encoding whose line ends are not bytes) the
//! `File` hands every method to an object of a class in the ZPy module `_io_wrappers`: its *script*.

use super::methods::{READ_INTO_ONCE, bytes_behind, file_of};
use super::{check_open, flush, unsupported};
use crate::call::{Call, Native, NativeFn};
use crate::eval::Vm;
use crate::text::codec::Codec;
use crate::value::file::{Backend, Layer, Newline, Settings};
use crate::value::{File, Instance, Ref, Res, Str, Tag, Value};
use std::cell::Cell;

const UNINITIALIZED: &str = "I/O operation on uninitialized object";

pub static TEXT_WRAPPER: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, buffer=<absent>, encoding=None, errors=None, newline=None, line_buffering=False, write_through=False",
        run: new_text,
        doc: "The text in a file of bytes.",
    },
    Native {
        name: "__init__",
        params: "self, buffer, encoding=None, errors=None, newline=None, line_buffering=False, write_through=False",
        run: init_text,
        doc: "Gives the wrapper another file of bytes.",
    },
    Native {
        name: ".buffer",
        params: "self",
        run: |call| through(call, buffer),
        doc: "The file of bytes beneath.",
    },
    Native {
        name: ".write_through",
        params: "self",
        run: |call| through(call, |call| Ok(Value::bool(call.this::<File>()?.settings.unbuffered))),
        doc: "Whether written text is passed on at once.",
    },
    Native {
        name: "._CHUNK_SIZE",
        params: "self",
        run: |call| through(call, |_| Ok(Value::int(8192))),
        doc: "How many bytes are decoded at once.",
    },
    Native {
        name: "._CHUNK_SIZE=",
        params: "self, size",
        run: |call| through(call, |_| Ok(Value::NONE)),
        doc: "Without effect on native files.",
    },
    Native {
        name: "reconfigure",
        params: "self, *, encoding=None, errors=None, newline=..., line_buffering=None, write_through=None",
        run: |call| through(call, reconfigure),
        doc: "Changes how text is read and written. The standard streams stay UTF-8.",
    },
];

pub static BUFFERED_READER: &[Native] = crate::rows![READER_CONSTRUCTOR, BUFFERED, READ_INTO_ONCE];
pub static BUFFERED_WRITER: &[Native] = crate::rows![WRITER_CONSTRUCTOR, BUFFERED, READ_INTO_ONCE];
pub static BUFFERED_RANDOM: &[Native] = crate::rows![RANDOM_CONSTRUCTOR, BUFFERED, READ_INTO_ONCE];

const READER_CONSTRUCTOR: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, raw=<absent>, buffer_size=8192",
        run: |call| new_buffered(call, &READER),
        doc: "Reads ahead from a raw file of bytes.",
    },
    Native {
        name: "__init__",
        params: "self, raw, buffer_size=8192",
        run: |call| init_buffered(call, &READER),
        doc: "Gives the buffer another raw file.",
    },
];
const WRITER_CONSTRUCTOR: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, raw=<absent>, buffer_size=8192",
        run: |call| new_buffered(call, &WRITER),
        doc: "Collects what is written to a raw file of bytes.",
    },
    Native {
        name: "__init__",
        params: "self, raw, buffer_size=8192",
        run: |call| init_buffered(call, &WRITER),
        doc: "Gives the buffer another raw file.",
    },
];
const RANDOM_CONSTRUCTOR: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, raw=<absent>, buffer_size=8192",
        run: |call| new_buffered(call, &RANDOM),
        doc: "Reads ahead from a raw file of bytes and collects what is written to it.",
    },
    Native {
        name: "__init__",
        params: "self, raw, buffer_size=8192",
        run: |call| init_buffered(call, &RANDOM),
        doc: "Gives the buffer another raw file.",
    },
];

const BUFFERED: &[Native] = &[
    Native { name: ".raw", params: "self", run: |call| through(call, raw), doc: "The raw file beneath." },
    Native {
        name: "peek",
        params: "self, size=0, /",
        run: |call| through(call, peek),
        doc: "The bytes that were read ahead, at least one unless at the end, without using them up.",
    },
];

/// What is particular to one of the three kinds of buffers.
struct Kind {
    name: &'static str,
    script: &'static str,
    reads: bool,
    writes: bool,
}

static READER: Kind = Kind { name: "BufferedReader", script: "Reader", reads: true, writes: false };
static WRITER: Kind = Kind { name: "BufferedWriter", script: "Writer", reads: false, writes: true };
static RANDOM: Kind = Kind { name: "BufferedRandom", script: "Random", reads: true, writes: true };

/// Runs a method of a file: natively, or by the file's script.
pub fn through(call: &mut Call, native: NativeFn) -> Res {
    let file = call.this::<File>()?;
    if file.is_plain() {
        return native(call);
    }
    match script_of(call.vm, file)? {
        Some(script) => by_script(call, &script),
        None => native(call),
    }
}

/// The script of a file, if it has one.
///
/// # Errors
/// `ValueError` for a file that is detached or not initialized.
pub fn script_of(vm: &mut Vm, file: &File) -> Res<Option<Value>> {
    let gone = match &*file.layer.borrow() {
        Layer::Native => return Ok(None),
        Layer::Script(script) => return Ok(Some(script.clone())),
        Layer::New => UNINITIALIZED,
        Layer::Gone(message) => *message,
    };
    Err(vm.value_error(gone))
}

fn by_script(call: &mut Call, script: &Value) -> Res {
    let name = call.native.name;
    if let Some(name) = name.strip_prefix('.') {
        return match name.strip_suffix('=') {
            Some(name) => {
                let value = call.arg(1).clone();
                call.vm.set_attribute(script, &Str::new(name), value).map(|()| Value::NONE)
            }
            None => call.vm.get_attribute(script, &Str::new(name)),
        };
    }
    match name {
        "__iter__" | "__enter__" => {
            call.vm.call_method(script, "_check_closed", &[])?;
            return Ok(call.arg(0).clone());
        }
        "close" => {
            let flush = call.vm.get_attribute(call.arg(0), &Str::new("flush"))?;
            return call.vm.call_method(script, "close", &[flush]);
        }
        _ => {}
    }
    let count = call.signature.positional.len().min(call.args.len());
    let given = call.args[1..count].iter().take_while(|value| !value.is_unbound()).cloned();
    let args: Vec<Value> = given.collect();
    let names = call.signature.keyword_only.iter().map(|param| Str::new(param.name));
    let named: Vec<(Ref<Str>, Value)> = names
        .zip(&call.args[count..])
        .filter(|(_, value)| !value.is_unbound())
        .map(|(n, v)| (n, v.clone()))
        .collect();
    let method = call.vm.get_attribute(script, &Str::new(name))?;
    call.vm.call_with_keywords(&method, &args, &named)
}

/// An object of a class in `_io_wrappers`.
pub fn new_script(vm: &mut Vm, class: &str, args: &[Value]) -> Res {
    let module = vm.import_module("_io_wrappers")?;
    let class = vm.get_attribute(&module, &Str::new(class))?;
    vm.call(&class, args)
}

/// A file that a script does the work of, or nobody yet.
pub fn file_with(layer: Layer, binary: bool, reads: bool, writes: bool) -> Ref<File> {
    let settings = Settings {
        binary,
        readable: reads,
        writable: writes,
        newline: Cell::new(Newline::Universal),
        encoding: "UTF-8".to_string(),
        codec: Codec::Utf8,
        errors: "strict".to_string(),
        line_buffered: Cell::new(false),
        unbuffered: false,
        close_descriptor: true,
        mode: "r".to_string(),
    };
    let file = File::new(Value::NONE, settings, Backend::Closed);
    *file.layer.borrow_mut() = layer;
    file
}

/// Puts the file that the arguments describe in the place of what an object was.
fn reinitialize(
    call: &mut Call,
    make: impl FnOnce(&mut Call) -> Res<Ref<File>>,
    script: impl FnOnce(&mut Call) -> Res,
) -> Res {
    let file = file_of(call, call.arg(0))?;
    let is_new = matches!(*file.layer.borrow(), Layer::New);
    // A failed attempt leaves an object that can do nothing.
    let gone = if is_new { Layer::New } else { Layer::Gone(UNINITIALIZED) };
    if let Layer::Script(old) = file.layer.replace(gone) {
        // What it wrapped stays open.
        call.vm.set_attribute(&old, &Str::new("_file"), Value::NONE)?;
    }
    // The file inside an object is replaced only before its first use, when no method can be running on it.
    if is_new && let Some(instance) = call.arg(0).get::<Instance>() {
        let made = make(call)?;
        drop(instance.native.replace(made.into()));
        return Ok(Value::NONE);
    }
    let script = script(call)?;
    drop(file.layer.replace(Layer::Script(script)));
    Ok(Value::NONE)
}

/// The error of a constructor of `name` called without its first argument.
fn missing(call: &mut Call, name: &str, argument: &str) -> Res {
    Err(call.vm.type_error(format!("{name}() missing required argument '{argument}' (pos 1)")))
}

/// The native file that a value is, as long as it does its own work.
fn native_file(value: &Value) -> Option<Ref<File>> {
    value.get_ref::<File>().filter(|file| file.is_plain() && !file.is_closed())
}

fn new_buffered(call: &mut Call, kind: &'static Kind) -> Res {
    match call.opt(1) {
        _ if call.class()?.flags.is_user => Ok(file_with(Layer::New, true, kind.reads, kind.writes).into()),
        Some(_) => buffered(call, kind).map(Value::from),
        None => missing(call, kind.name, "raw"),
    }
}

fn init_buffered(call: &mut Call, kind: &'static Kind) -> Res {
    reinitialize(call, |call| buffered(call, kind), |call| buffered_script(call, kind))
}

fn buffered_script(call: &mut Call, kind: &Kind) -> Res {
    let args: Vec<Value> = call.args[1..].iter().filter(|value| !value.is_unbound()).cloned().collect();
    new_script(call.vm, kind.script, &args)
}

fn buffered(call: &mut Call, kind: &Kind) -> Res<Ref<File>> {
    let raw = call.arg(1).clone();
    let size = call.int_or(2, 8192)?;
    match native_file(&raw).filter(|file| file.type_name() == "FileIO") {
        Some(file) if size > 0 => buffered_natively(call, kind, &file, raw),
        _ => {
            let script = buffered_script(call, kind)?;
            Ok(file_with(Layer::Script(script), true, kind.reads, kind.writes))
        }
    }
}

fn buffered_natively(call: &mut Call, kind: &Kind, file: &File, raw: Value) -> Res<Ref<File>> {
    let is_both = kind.reads && kind.writes;
    if is_both && file.state.borrow_mut().position().is_err() {
        return Err(unsupported(call.vm, "File or stream is not seekable."));
    }
    if kind.reads && !file.settings.readable {
        return Err(unsupported(call.vm, "File or stream is not readable."));
    }
    if kind.writes && !file.settings.writable {
        return Err(unsupported(call.vm, "File or stream is not writable."));
    }
    let settings = Settings {
        readable: kind.reads,
        writable: kind.writes,
        unbuffered: false,
        ..binary_settings(&file.settings)
    };
    let made = sharing(file, settings, Some(raw));
    call.vm.state.remember_file(&made);
    Ok(made)
}

/// A file with the same state as another, which it may hold as the one beneath it.
pub fn sharing(file: &File, settings: Settings, beneath: Option<Value>) -> Ref<File> {
    Ref::new(File {
        name: file.name.clone(),
        settings,
        state: file.state.clone(),
        layer: Default::default(),
        beneath: std::cell::RefCell::new(beneath),
        attributes: Default::default(),
    })
}

/// The settings of a file of bytes with the same state.
pub fn binary_settings(from: &Settings) -> Settings {
    Settings {
        binary: true,
        readable: from.readable,
        writable: from.writable,
        newline: Cell::new(Newline::Exactly("\n")),
        encoding: from.encoding.clone(),
        codec: from.codec,
        errors: from.errors.clone(),
        line_buffered: Cell::new(false),
        unbuffered: false,
        close_descriptor: from.close_descriptor,
        mode: from.mode.clone(),
    }
}

fn new_text(call: &mut Call) -> Res {
    match call.opt(1) {
        _ if call.class()?.flags.is_user => Ok(file_with(Layer::New, false, true, true).into()),
        Some(_) => text(call).map(Value::from),
        None => missing(call, "TextIOWrapper", "buffer"),
    }
}

fn init_text(call: &mut Call) -> Res {
    reinitialize(call, text, text_script)
}

fn text_script(call: &mut Call) -> Res {
    let args: Vec<Value> = call.args[1..]
        .iter()
        .map(|value| if value.is_unbound() { Value::NONE } else { value.clone() })
        .collect();
    new_script(call.vm, "Text", &args)
}

fn text(call: &mut Call) -> Res<Ref<File>> {
    let beneath = call.arg(1).clone();
    let encoding = match call.opt_not_none(2) {
        Some(name) => name.as_str().unwrap_or_default(),
        None => "UTF-8",
    };
    let codec = Codec::find(encoding)
        .filter(|codec| super::codec::is_supported(*codec) && codec.without_mark() == *codec);
    let file = native_file(&beneath)
        .filter(|file| file.settings.binary && !matches!(file.state.borrow().backend, Backend::Memory(..)));
    match (codec, file) {
        (Some(codec), Some(file)) if call.opt_not_none(3).is_none_or(|value| value.as_str().is_some()) => {
            let made = text_natively(call, &file, encoding, codec, beneath)?;
            call.vm.state.remember_file(&made);
            Ok(made)
        }
        _ => {
            let script = text_script(call)?;
            Ok(file_with(Layer::Script(script), false, true, true))
        }
    }
}

fn text_natively(
    call: &mut Call,
    file: &File,
    encoding: &str,
    codec: Codec,
    beneath: Value,
) -> Res<Ref<File>> {
    let newline = match call.opt(4) {
        Some(value) => super::open::newline_of(call, value)?,
        None => Newline::Universal,
    };
    let errors = if call.opt_not_none(3).is_some() { call.str(3)? } else { "strict" };
    let (readable, writable) = (file.settings.readable, file.settings.writable);
    let settings = Settings {
        binary: false,
        newline: Cell::new(newline),
        encoding: encoding.to_string(),
        codec,
        errors: errors.to_string(),
        line_buffered: Cell::new(call.truth_or(5, false)?),
        unbuffered: call.truth_or(6, false)?,
        mode: match (readable, writable) {
            (true, true) => "r+",
            (false, true) => "w",
            _ => "r",
        }
        .to_string(),
        ..binary_settings(&file.settings)
    };
    Ok(sharing(file, settings, Some(beneath)))
}

/// Gives up the file beneath, which goes on without its wrapper.
pub fn detach(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    let gone = match file.type_name() {
        "StringIO" | "BytesIO" | "FileIO" => return Err(unsupported(call.vm, "detach")),
        "TextIOWrapper" => "underlying buffer has been detached",
        _ => "raw stream has been detached",
    };
    check_open(call.vm, file)?;
    flush(call.vm, file)?;
    let beneath = if file.settings.binary { raw(call)? } else { buffer(call)? };
    file.layer.replace(Layer::Gone(gone));
    drop(file.beneath.take());
    Ok(beneath)
}

/// The file beneath a native one, made when it is first asked for.
fn beneath(file: &File, make: impl FnOnce(&File) -> Ref<File>) -> Value {
    if let Some(known) = &*file.beneath.borrow() {
        return known.clone();
    }
    let made: Value = make(file).into();
    *file.beneath.borrow_mut() = Some(made.clone());
    made
}

fn raw(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    Ok(beneath(file, |file| {
        let settings = Settings { unbuffered: true, ..binary_settings(&file.settings) };
        sharing(file, settings, None)
    }))
}

fn buffer(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    Ok(beneath(file, |file| match super::standard_of(file) {
        Some(which) => super::new_standard(which, true),
        None => bytes_behind(file),
    }))
}

fn peek(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    super::check_readable(call.vm, file)?;
    if file.state.borrow().unread().is_empty() {
        super::fill(call.vm, file)?;
    }
    let state = file.state.borrow();
    Ok(Value::bytes(state.unread()))
}

/// Cheap changes are made in place; for others the text gets a script over the same bytes.
fn reconfigure(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    check_open(call.vm, file)?;
    flush(call.vm, file)?;
    let given = |index: usize| call.keyword(index).filter(|value| !value.is_none());
    let needs_script = given(0).is_some()
        || given(1).is_some()
        || given(4).is_some()
        || call.keyword(2).is_some_and(|value| !value.same(&Value::ELLIPSIS));
    if needs_script && !file.is_standard() {
        if !file.state.borrow().unread().is_empty() {
            let message = "It is not possible to set the encoding or newline of stream after the first read";
            return Err(unsupported(call.vm, message));
        }
        let bytes = buffer(call)?;
        let script = script_over(call.vm, bytes, &file.settings)?;
        file.layer.replace(Layer::Script(script.clone()));
        return by_script(call, &script);
    }
    if let Some(value) = given(3) {
        let is_set = call.vm.truth(value)?;
        file.settings.line_buffered.set(is_set);
    }
    Ok(Value::NONE)
}

/// A script for text over a file of bytes.
fn script_over(vm: &mut Vm, bytes: Value, text: &Settings) -> Res {
    let newline = text.newline.get().argument();
    let line_buffered = Value::bool(text.line_buffered.get());
    let args = [bytes, Value::str(&text.encoding), Value::str(&text.errors), newline, line_buffered];
    let script = new_script(vm, "Text", &args)?;
    vm.set_attribute(&script, &Str::new("mode"), Value::str(&text.mode))?;
    Ok(script)
}

/// Text in an encoding whose line ends are not bytes, over an open file of bytes.
pub fn encoded(vm: &mut Vm, bytes: Ref<File>, text: &Settings) -> Res {
    let script = script_over(vm, bytes.into(), text)?;
    Ok(file_with(Layer::Script(script), false, text.readable, text.writable).into())
}

/// `name` of a wrapper that a script made is the name of what it wraps.
pub fn name_beneath(call: &mut Call, file: &File) -> Res {
    let known = file.beneath.borrow().clone();
    match known {
        Some(beneath) => call.vm.get_attribute(&beneath, &Str::new("name")),
        None => Ok(file.name.clone()),
    }
}

/// Closes a file when an object of a derived class dies; errors have nowhere to go.
pub fn finalize(call: &mut Call) -> Res {
    let object = call.arg(0).clone();
    if Vm::unwrap_native(&object).tag() == Tag::File && call.vm.call_method(&object, "close", &[]).is_err() {
        drop(call.vm.take_raised());
    }
    Ok(Value::NONE)
}
