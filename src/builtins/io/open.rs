//! `open` and the module `io`.

use crate::call::{Call, NativeModule};
use crate::eval::{Exc, Vm};
use crate::text::codec::Codec;
use crate::value::file::{Backend, Newline, Settings};
use crate::value::{Dict, File, Ref, Res, Str, Tag, Type, Value, View};
use std::cell::Cell;
use std::ffi::OsStr;
use std::os::fd::FromRawFd;
use std::os::unix::ffi::OsStrExt;

pub static MODULE: NativeModule = NativeModule {
    name: "io",
    doc: "Files, and text and bytes in memory that look like files.",
    functions: &[OPEN, OPEN_CODE, TEXT_ENCODING],
    constants: &[
        ("__all__", |_| Value::list(PUBLIC.iter().map(|name| Value::str(*name)).collect())),
        ("StringIO", |vm| vm.types.named("StringIO", Tag::File).into()),
        ("BytesIO", |vm| vm.types.named("BytesIO", Tag::File).into()),
        ("TextIOWrapper", |vm| vm.types.named("TextIOWrapper", Tag::File).into()),
        ("BufferedReader", |vm| vm.types.named("BufferedReader", Tag::File).into()),
        ("BufferedWriter", |vm| vm.types.named("BufferedWriter", Tag::File).into()),
        ("BufferedRandom", |vm| vm.types.named("BufferedRandom", Tag::File).into()),
        ("FileIO", |vm| vm.types.named("FileIO", Tag::File).into()),
        ("BufferedRWPair", |vm| crate::builtins::in_zpy(vm, "_io_wrappers", "BufferedRWPair")),
        ("IncrementalNewlineDecoder", |vm| {
            crate::builtins::in_zpy(vm, "_io_wrappers", "IncrementalNewlineDecoder")
        }),
        ("UnsupportedOperation", |vm| unsupported_class(vm).map_or(Value::NONE, Value::from)),
        ("IOBase", |vm| crate::builtins::in_zpy(vm, "_io", "IOBase")),
        ("RawIOBase", |vm| crate::builtins::in_zpy(vm, "_io", "RawIOBase")),
        ("BufferedIOBase", |vm| crate::builtins::in_zpy(vm, "_io", "BufferedIOBase")),
        ("TextIOBase", |vm| crate::builtins::in_zpy(vm, "_io", "TextIOBase")),
        ("BlockingIOError", |vm| vm.types.exception(crate::eval::Exc::BlockingIOError).into()),
        ("SEEK_SET", |_| Value::int(0)),
        ("SEEK_CUR", |_| Value::int(1)),
        ("SEEK_END", |_| Value::int(2)),
        ("DEFAULT_BUFFER_SIZE", |_| Value::int(BUFFER_SIZE as i64)),
    ],
};

const PUBLIC: &[&str] = &[
    "BlockingIOError",
    "open",
    "open_code",
    "IOBase",
    "RawIOBase",
    "FileIO",
    "BytesIO",
    "StringIO",
    "BufferedIOBase",
    "BufferedReader",
    "BufferedWriter",
    "BufferedRWPair",
    "BufferedRandom",
    "TextIOBase",
    "TextIOWrapper",
    "UnsupportedOperation",
    "SEEK_SET",
    "SEEK_CUR",
    "SEEK_END",
];

/// What `io.DEFAULT_BUFFER_SIZE` says.
pub const BUFFER_SIZE: usize = 8192;

const OPEN_CODE: crate::call::Native = crate::call::Native {
    name: "open_code",
    params: "path",
    run: |call| {
        let open = crate::builtins::function_value(&OPEN, "io");
        call.vm.call(&open, &[call.arg(0).clone(), Value::str("rb")])
    },
    doc: "Opens a file of code to read its bytes.",
};

const TEXT_ENCODING: crate::call::Native = crate::call::Native {
    name: "text_encoding",
    params: "encoding, stacklevel=2, /",
    run: |call| match call.opt_not_none(0) {
        Some(encoding) => Ok(encoding.clone()),
        None => Ok(Value::str("locale")),
    },
    doc: "The encoding, or `locale` for none.",
};

pub const OPEN: crate::call::Native = crate::call::Native {
    name: "open",
    params: "file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None",
    run: open,
    doc: "Opens a file: mode `r w a x` with `+`, `b` or `t`. Text is UTF-8 unless `encoding` says `ascii` or `latin-1`.",
};

/// The class `io.UnsupportedOperation`, made once.
pub fn unsupported_class(vm: &mut Vm) -> Res<Ref<Type>> {
    if let Some(class) = &vm.state.unsupported_operation {
        return Ok(class.clone());
    }
    let bases = [vm.types.exception(Exc::OSError), vm.types.exception(Exc::ValueError)].map(Value::from);
    let class = vm.new_exception_class("UnsupportedOperation", "io", &bases)?;
    vm.state.unsupported_operation = Some(class.clone());
    Ok(class)
}

impl Vm {
    /// A class for exceptions that a native module defines.
    pub fn new_exception_class(&mut self, name: &str, module: &str, bases: &[Value]) -> Res<Ref<Type>> {
        let namespace = Dict::from_pairs([("__module__", Value::str(module))]);
        let metaclass: Value = self.types.type_.clone().into();
        let class = self.new_class(&metaclass, Str::new(name), bases, &namespace, &[])?;
        class.into_ref::<Type>().map_err(|_| crate::value::Raised)
    }

    /// A path given as `str`, `bytes` or an object with `__fspath__`, as text.
    ///
    /// # Errors
    /// `TypeError` for anything else, `ValueError` for a null byte.
    pub fn path_text(&mut self, value: &Value) -> Res<String> {
        let text = match Vm::unwrap_native(value).view() {
            View::Str(text) => text.as_str().to_string(),
            View::Bytes(bytes) => crate::builtins::mapping::text_of(bytes.data()),
            _ => match self.special_method(value, "__fspath__")? {
                Some(method) if !value.is::<Type>() => {
                    let path = self.call(&method, &[])?;
                    match Vm::unwrap_native(&path).view() {
                        View::Str(text) => text.as_str().to_string(),
                        View::Bytes(bytes) => crate::builtins::mapping::text_of(bytes.data()),
                        _ => {
                            let (of, got) = (self.type_name(value), self.type_name(&path));
                            return Err(self.type_error(format!(
                                "expected {of}.__fspath__() to return str or bytes, not {got}"
                            )));
                        }
                    }
                }
                _ => {
                    let got = self.type_name(value);
                    return Err(
                        self.type_error(format!("expected str, bytes or os.PathLike object, not {got}"))
                    );
                }
            },
        };
        if text.contains('\0') {
            return Err(self.value_error("embedded null byte"));
        }
        Ok(text)
    }
}

/// A path text as the system wants it: escaped bytes are bytes again.
pub fn path_bytes(vm: &mut Vm, text: &str) -> Res<std::path::PathBuf> {
    let bytes = vm.encode_escaped(text)?;
    Ok(std::path::PathBuf::from(OsStr::from_bytes(&bytes)))
}

pub fn open(call: &mut Call) -> Res {
    let mode = match call.opt(1) {
        Some(_) => call.str(1)?,
        None => "r",
    };
    let settings = settings(call, mode)?;
    let target = call.arg(0);
    let (file, name) =
        (open_target(call, target, mode, settings.close_descriptor, call.opt_not_none(7))?, target.clone());
    let adds_mark = settings.codec.without_mark() != settings.codec
        && settings.writable
        && !settings.binary
        && file.metadata().is_ok_and(|m| m.len() == 0);
    if !super::codec::is_supported(settings.codec) && !settings.binary {
        let mode = format!("{}b", mode.replace('t', ""));
        let binary = Settings { mode, ..super::wrap::binary_settings(&settings) };
        let bytes = File::new(name, binary, Backend::Descriptor(file));
        call.vm.state.remember_file(&bytes);
        return super::wrap::encoded(call.vm, bytes, &settings);
    }
    let mark = crate::text::codec::encode("", settings.codec, "strict").unwrap_or_default();
    let made = File::new(name, settings, Backend::Descriptor(file));
    if adds_mark {
        super::put(call.vm, &made, &mark)?;
    }
    call.vm.state.remember_file(&made);
    Ok(made.into())
}

/// Opens a path, or takes over a descriptor: one that is given, or one that `opener` gives.
pub fn open_target(
    call: &mut Call,
    target: &Value,
    mode: &str,
    closes: bool,
    opener: Option<&Value>,
) -> Res<std::fs::File> {
    let file = if let Some(int) = crate::value::Int::of(target) {
        if int.is_negative() && call.native.name != "open" {
            return Err(call.vm.value_error("negative file descriptor"));
        }
        let descriptor = int.to_i64().and_then(|i| i32::try_from(i).ok()).unwrap_or(-1);
        taken_over(call, descriptor)?
    } else if !closes {
        return Err(call.vm.value_error("Cannot use closefd=False with file name"));
    } else if let Some(opener) = opener {
        let args = [target.clone(), Value::int(flags(mode) as i64)];
        let answer = call.vm.call(opener, &args)?;
        let Some(descriptor) = crate::value::Int::of(&answer).and_then(|int| int.to_i64()) else {
            return Err(call.vm.type_error("expected integer from opener"));
        };
        if descriptor < 0 {
            return Err(call.vm.value_error(format!("opener returned {descriptor}")));
        }
        taken_over(call, i32::try_from(descriptor).unwrap_or(-1))?
    } else {
        let shown = call.vm.path_text(target)?;
        let path = path_bytes(call.vm, &shown)?;
        match options(mode).open(path).and_then(not_a_folder) {
            Ok(file) => file,
            Err(error) => return Err(call.vm.os_error(&error, Some(&shown))),
        }
    };
    if mode.contains('a') {
        // So that `tell` says where writing goes on; pipes have no position.
        let _ = std::io::Seek::seek(&mut &file, std::io::SeekFrom::End(0));
    }
    Ok(file)
}

fn taken_over(call: &mut Call, descriptor: i32) -> Res<std::fs::File> {
    // SAFETY: only asks; a bad descriptor is reported.
    if descriptor < 0 || unsafe { libc::fcntl(descriptor, libc::F_GETFD) } < 0 {
        let error = std::io::Error::from_raw_os_error(libc::EBADF);
        return Err(call.vm.os_error(&error, None));
    }
    // SAFETY: the script hands the descriptor over, or keeps it with closefd=False. If it is refused, it stays open.
    let file = std::mem::ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(descriptor) });
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        let error = std::io::Error::from_raw_os_error(libc::EISDIR);
        return Err(call.vm.os_error(&error, None));
    }
    Ok(std::mem::ManuallyDrop::into_inner(file))
}

/// What `os.open` is told for a mode.
fn flags(mode: &str) -> i32 {
    let access = match (mode.contains('+'), mode.contains('r')) {
        (true, _) => libc::O_RDWR,
        (false, true) => libc::O_RDONLY,
        (false, false) => libc::O_WRONLY,
    };
    let creation = match mode.chars().find(|c| "wax".contains(*c)) {
        Some('w') => libc::O_CREAT | libc::O_TRUNC,
        Some('a') => libc::O_CREAT | libc::O_APPEND,
        Some('x') => libc::O_CREAT | libc::O_EXCL,
        _ => 0,
    };
    access | creation | libc::O_CLOEXEC
}

fn not_a_folder(file: std::fs::File) -> std::io::Result<std::fs::File> {
    if file.metadata()?.is_dir() {
        return Err(std::io::Error::from_raw_os_error(libc::EISDIR));
    }
    Ok(file)
}

fn options(mode: &str) -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    let plus = mode.contains('+');
    match mode.chars().find(|c| "rwax".contains(*c)) {
        Some('w') => options.write(true).create(true).truncate(true),
        Some('a') => options.append(true).create(true),
        Some('x') => options.write(true).create_new(true),
        _ => options.read(true).write(plus),
    };
    if plus {
        options.read(true);
    }
    options
}

fn settings(call: &mut Call, mode: &str) -> Res<Settings> {
    check_mode(call.vm, mode)?;
    let binary = mode.contains('b');
    let plus = mode.contains('+');
    let reads = mode.contains('r');
    let buffering = call.int_or(2, -1)?;
    let given = |index: usize| call.opt_not_none(index).is_some();
    if binary {
        for (index, what) in [(3, "an encoding"), (4, "an errors"), (5, "a newline")] {
            if given(index) {
                return Err(call.vm.value_error(format!("binary mode doesn't take {what} argument")));
            }
        }
    } else if buffering == 0 {
        return Err(call.vm.value_error("can't have unbuffered text I/O"));
    }
    let (encoding, codec) = encoding(call)?;
    let errors = errors(call)?;
    let newline = newline(call)?;
    Ok(Settings {
        binary,
        readable: reads || plus,
        writable: !reads || plus,
        newline: Cell::new(newline),
        encoding,
        codec,
        errors,
        line_buffered: Cell::new(buffering == 1 && !binary),
        unbuffered: buffering == 0,
        close_descriptor: call.truth_or(6, true)?,
        mode: mode.to_string(),
    })
}

fn check_mode(vm: &mut Vm, mode: &str) -> Res<()> {
    let is_odd = mode.chars().enumerate().any(|(i, c)| !"rwaxbt+".contains(c) || mode[..i].contains(c));
    if is_odd {
        return Err(vm.value_error(format!("invalid mode: {}", crate::text::repr_str(mode))));
    }
    if mode.contains('b') && mode.contains('t') {
        return Err(vm.value_error("can't have text and binary mode at once"));
    }
    match mode.chars().filter(|c| "rwax".contains(*c)).count() {
        1 => Ok(()),
        0 => {
            Err(vm.value_error("Must have exactly one of create/read/write/append mode and at most one plus"))
        }
        _ => Err(vm.value_error("must have exactly one of create/read/write/append mode")),
    }
}

/// The encoding's name, as scripts see it, and the encoding.
fn encoding(call: &mut Call) -> Res<(String, Codec)> {
    if call.opt_not_none(3).is_none() {
        return Ok(("UTF-8".to_string(), Codec::Utf8));
    }
    let name = match call.str(3)? {
        "locale" => "UTF-8",
        name => name,
    };
    match Codec::find(name) {
        Some(codec) => Ok((name.to_string(), codec)),
        None => Err(call.vm.error(Exc::LookupError, format!("unknown encoding: {name}"))),
    }
}

fn errors(call: &mut Call) -> Res<String> {
    if call.opt_not_none(4).is_none() {
        return Ok("strict".to_string());
    }
    let name = call.str(4)?;
    Ok(name.to_string())
}

fn newline(call: &mut Call) -> Res<Newline> {
    if call.opt_not_none(5).is_none() {
        return Ok(Newline::Universal);
    }
    newline_of(call, call.arg(5))
}

/// What the argument `newline` says.
pub fn newline_of(call: &mut Call, value: &Value) -> Res<Newline> {
    if value.is_none() {
        return Ok(Newline::Universal);
    }
    let is_open = call.native.name == "open";
    let Some(text) = Vm::unwrap_native(value).as_str() else {
        let got = call.vm.type_name(value);
        let what = if is_open { "open() argument 'newline'" } else { "newline" };
        return Err(call.vm.type_error(format!("{what} must be str or None, not {got}")));
    };
    match Newline::of_argument(Vm::unwrap_native(value)) {
        Some(newline) => Ok(newline),
        None if is_open => Err(call.vm.value_error(format!("illegal newline value: {text}"))),
        None => {
            let shown = call.vm.repr_of(value)?;
            Err(call.vm.value_error(format!("illegal newline value: {shown}")))
        }
    }
}
