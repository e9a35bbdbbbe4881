//! Files as scripts see them: `open`, the methods of file objects, and the three standard streams.
//!
//! A file's state is never borrowed while script code may run: each step takes what it needs, lets go, and
//! only then decodes, raises or calls.

mod codec;
mod methods;
mod open;
mod raw;
mod wrap;

pub use methods::{BYTES_IO, METHODS, STRING_IO};
pub use open::{MODULE, OPEN, open, path_bytes};
pub use raw::FILE_IO;
pub use wrap::{BUFFERED_RANDOM, BUFFERED_READER, BUFFERED_WRITER, TEXT_WRAPPER};

use crate::eval::{Exc, Vm};
use crate::text::codec::Codec;
use crate::value::file::{Backend, Newline, Settings, State};
use crate::value::{File, Raised, Ref, Res, Str, Value};
use std::cell::Cell;
use std::io::{BufRead, ErrorKind};

/// Which standard stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Standard {
    In,
    Out,
    Err,
}

/// The file object of a standard stream: always the same one.
pub fn standard(vm: &mut Vm, which: Standard) -> Value {
    let slot = which as usize;
    if let Some(made) = &vm.state.standard[slot] {
        return made.clone();
    }
    let made: Value = new_standard(which, false).into();
    vm.state.standard[slot] = Some(made.clone());
    made
}

/// Which standard stream a file is, if any.
fn standard_of(file: &File) -> Option<Standard> {
    match file.state.borrow().backend {
        Backend::Stdin => Some(Standard::In),
        Backend::Stdout => Some(Standard::Out),
        Backend::Stderr => Some(Standard::Err),
        _ => None,
    }
}

fn new_standard(which: Standard, binary: bool) -> Ref<File> {
    let (name, backend) = match which {
        Standard::In => ("<stdin>", Backend::Stdin),
        Standard::Out => ("<stdout>", Backend::Stdout),
        Standard::Err => ("<stderr>", Backend::Stderr),
    };
    let is_input = which == Standard::In;
    let settings = Settings {
        binary,
        readable: is_input,
        writable: !is_input,
        newline: Cell::new(Newline::Exactly("\n")),
        encoding: "utf-8".to_string(),
        codec: Codec::Utf8,
        errors: if which == Standard::Err { "backslashreplace" } else { "surrogateescape" }.to_string(),
        line_buffered: Cell::new(false),
        unbuffered: false,
        close_descriptor: false,
        mode: if is_input { "r" } else { "w" }.to_string(),
    };
    File::new(Value::str(name), settings, backend)
}

/// The stream behind `sys.stdout` and the like as a script may have replaced it; `None` if it is still ours.
pub fn replaced(vm: &Vm, which: Standard) -> Option<Value> {
    let variable = vm.state.stream_variables[which as usize].as_ref()?;
    let value = variable.get();
    let is_ours = vm.state.standard[which as usize].as_ref().is_some_and(|ours| ours.same(&value));
    (!is_ours && !value.is_unbound()).then_some(value)
}

/// Raises `io.UnsupportedOperation`.
#[cold]
pub fn unsupported(vm: &mut Vm, message: &str) -> Raised {
    let class = match open::unsupported_class(vm) {
        Ok(class) => class,
        Err(raised) => return raised,
    };
    vm.raise(crate::value::Exception::new(class, vec![Value::str(message)]))
}

/// Refuses a closed file.
pub fn check_open(vm: &mut Vm, file: &File) -> Res<()> {
    match file.is_closed() {
        true if file.is_raw() => Err(vm.value_error("I/O operation on closed file")),
        true => Err(vm.value_error("I/O operation on closed file.")),
        false => Ok(()),
    }
}

pub fn check_readable(vm: &mut Vm, file: &File) -> Res<()> {
    check_open(vm, file)?;
    if file.settings.readable { Ok(()) } else { Err(unsupported(vm, refusal(file, "read", "not readable"))) }
}

pub fn check_writable(vm: &mut Vm, file: &File) -> Res<()> {
    check_open(vm, file)?;
    if file.settings.writable { Ok(()) } else { Err(unsupported(vm, refusal(file, "write", "not writable"))) }
}

fn refusal(file: &File, method: &'static str, text: &'static str) -> &'static str {
    match (file.settings.binary, method) {
        (true, "read") if file.is_raw() => "File not open for reading",
        (true, _) if file.is_raw() => "File not open for writing",
        (false, _) => text,
        (true, "read") => "read",
        (true, _) => "write",
    }
}

/// Turns a system error into an exception; a plain interruption into another try.
fn settle<T>(vm: &mut Vm, result: std::io::Result<T>) -> Res<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::Interrupted => {
            vm.handle_interrupt()?;
            Ok(None)
        }
        Err(error) => Err(vm.os_error(&error, None)),
    }
}

/// Reads some more bytes ahead; whether there were any.
pub fn fill(vm: &mut Vm, file: &File) -> Res<bool> {
    fill_with(vm, file, |state| state.fill())
}

/// Reads at most so many bytes more, for files without a buffer.
pub fn fill_at_most(vm: &mut Vm, file: &File, most: usize) -> Res<bool> {
    fill_with(vm, file, |state| state.fill_at_most(most))
}

fn fill_with(vm: &mut Vm, file: &File, step: impl Fn(&mut State) -> std::io::Result<bool>) -> Res<bool> {
    flush(vm, file)?;
    loop {
        let is_stdin = matches!(file.state.borrow().backend, Backend::Stdin);
        let result = if is_stdin { fill_from_stdin(vm, file) } else { step(&mut file.state.borrow_mut()) };
        if let Some(got) = settle(vm, result)? {
            return Ok(got);
        }
    }
}

/// Takes at most one line, so that nothing after it is kept from others who read stdin.
fn fill_from_stdin(vm: &mut Vm, file: &File) -> std::io::Result<bool> {
    let available = vm.streams.stdin.fill_buf()?;
    let count = available.iter().position(|&b| b == b'\n').map_or(available.len(), |i| i + 1);
    file.state.borrow_mut().input.extend_from_slice(&available[..count]);
    vm.streams.stdin.consume(count);
    Ok(count > 0)
}

/// Passes on what waits to be written.
pub fn flush(vm: &mut Vm, file: &File) -> Res<()> {
    loop {
        let mut state = file.state.borrow_mut();
        let result = match state.backend {
            Backend::Stdout => vm.streams.stdout.flush(),
            Backend::Stderr => vm.streams.stderr.flush(),
            _ => state.flush(),
        };
        drop(state);
        if settle(vm, result)?.is_some() {
            return Ok(());
        }
    }
}

/// Writes bytes, now or with what comes later.
pub fn put(vm: &mut Vm, file: &File, bytes: &[u8]) -> Res<()> {
    let mut state = file.state.borrow_mut();
    let result = match state.backend {
        Backend::Stdout => vm.streams.stdout.write(bytes),
        Backend::Stderr => vm.streams.stderr.write(bytes),
        _ => {
            let moved = state.drop_input();
            let settings = &file.settings;
            let must_flush = state.put(bytes)
                || settings.unbuffered
                || settings.line_buffered.get() && bytes.contains(&b'\n');
            drop(state);
            if let Err(error) = moved {
                return Err(vm.os_error(&error, None));
            }
            return if must_flush { flush(vm, file) } else { Ok(()) };
        }
    };
    drop(state);
    // What was not taken because of a signal waits in the stream.
    settle(vm, result).map(drop)
}

/// Writes text, encoded as the file is.
pub fn put_text(vm: &mut Vm, file: &File, text: &str) -> Res<()> {
    let settings = &file.settings;
    if settings.mode.is_empty() && !settings.binary {
        let plain = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
        let text = match settings.newline.get() {
            Newline::Universal => plain(text),
            Newline::Exactly(end) if end != "\n" => text.replace('\n', end),
            _ => text.to_string(),
        };
        let mut state = file.state.borrow_mut();
        // What was read ahead lies behind the place where the script is.
        let _ = state.drop_input();
        state.put_chars(&text);
        return Ok(());
    }
    match settings.newline.get() {
        Newline::Exactly(end) if end != "\n" && text.contains('\n') => {
            let text = text.replace('\n', end);
            let bytes = codec::encode(vm, settings, &text)?;
            put(vm, file, &bytes)
        }
        _ => {
            let bytes = codec::encode(vm, settings, text)?;
            put(vm, file, &bytes)
        }
    }
}

/// The bytes of the next line with its end; empty at the end of the file.
pub fn line_bytes(vm: &mut Vm, file: &File, limit: Option<usize>) -> Res<Vec<u8>> {
    let newline = if file.settings.binary { Newline::Exactly("\n") } else { file.settings.newline.get() };
    let mut seen = 0;
    loop {
        {
            let mut state = file.state.borrow_mut();
            let unread = state.unread();
            if let Some(end) = line_end(unread, seen, newline, false) {
                let end = limit.map_or(end, |limit| end.min(limit));
                return Ok(state.take(end));
            }
            if let Some(limit) = limit
                && unread.len() >= limit
            {
                return Ok(state.take(limit));
            }
            // A `\r` at the end may be half of `\r\n`.
            seen = unread.len().saturating_sub(1);
        }
        let more = if file.settings.unbuffered { fill_at_most(vm, file, 1)? } else { fill(vm, file)? };
        if !more {
            let mut state = file.state.borrow_mut();
            let unread = state.unread();
            let end = line_end(unread, seen, newline, true).unwrap_or(unread.len());
            return Ok(state.take(end));
        }
    }
}

/// Number of bytes up to and with the first end of line.
fn line_end(bytes: &[u8], from: usize, newline: Newline, is_last: bool) -> Option<usize> {
    let rest = &bytes[from..];
    match newline {
        Newline::Exactly("\n") => rest.iter().position(|&b| b == b'\n').map(|i| from + i + 1),
        Newline::Exactly(end) => {
            let end = end.as_bytes();
            rest.windows(end.len()).position(|w| w == end).map(|i| from + i + end.len())
        }
        Newline::Universal | Newline::Any => {
            let at = from + rest.iter().position(|&b| b == b'\n' || b == b'\r')?;
            match (bytes[at], bytes.get(at + 1)) {
                (b'\r', Some(b'\n')) => Some(at + 2),
                (b'\r', None) if !is_last => None,
                _ => Some(at + 1),
            }
        }
    }
}

/// Text of bytes that were read, line ends translated.
pub fn decode(vm: &mut Vm, file: &File, bytes: &[u8]) -> Res {
    let settings = &file.settings;
    if settings.binary {
        return Ok(Value::bytes(bytes));
    }
    if matches!(settings.newline.get(), Newline::Universal | Newline::Any) {
        file.state.borrow_mut().note_newlines(bytes);
    }
    if settings.mode.is_empty() {
        // Text in memory is kept as strings are; see `put_text`.
        return Ok(Str::from_string(String::from_utf8_lossy(bytes).into_owned()).into());
    }
    let text = codec::decode(vm, settings, bytes)?;
    Ok(if settings.newline.get() == Newline::Universal { codec::with_plain_ends(text) } else { text })
}

/// The next line, or `None` at the end of the file.
pub fn next_line(vm: &mut Vm, file: &File) -> Res<Option<Value>> {
    check_readable(vm, file)?;
    let bytes = line_bytes(vm, file, None)?;
    if bytes.is_empty() { Ok(None) } else { decode(vm, file, &bytes).map(Some) }
}

/// What `repr` shows.
pub fn describe(vm: &mut Vm, file: &File) -> Res<String> {
    let kind = file.type_name();
    if let Some(script) = wrap::script_of(vm, file)? {
        let shown = vm.call_method(&script, "describe", &[Value::str(format!("_io.{kind}"))])?;
        return Ok(shown.as_str().unwrap_or_default().to_string());
    }
    if file.settings.mode.is_empty() {
        return Ok(format!("<_io.{kind} object>"));
    }
    let name = vm.repr_of(&file.name)?;
    Ok(if kind == "FileIO" {
        raw::describe(file, &name)
    } else if file.settings.binary {
        format!("<_io.{kind} name={name}>")
    } else {
        format!(
            "<_io.{kind} name={name} mode='{}' encoding='{}'>",
            file.settings.mode, file.settings.encoding
        )
    })
}

/// One line from stdin without its end, for `input()`.
///
/// # Errors
/// `EOFError` at the end of the input.
pub fn input_line(vm: &mut Vm) -> Res<String> {
    if let Some(other) = replaced(vm, Standard::In) {
        let line = vm.call_method(&other, "readline", &[])?;
        let line = vm.text_of(&line, "object.readline() returned non-string; it")?;
        if line.is_empty() {
            return Err(vm.error(Exc::EOFError, "EOF when reading a line"));
        }
        return Ok(line.strip_suffix('\n').unwrap_or(&line).to_string());
    }
    let stdin = standard(vm, Standard::In);
    let Some(file) = stdin.get::<File>() else { return Ok(String::new()) };
    match next_line(vm, file)? {
        Some(line) => {
            let line = line.as_str().unwrap_or_default();
            Ok(line.strip_suffix('\n').unwrap_or(line).to_string())
        }
        None => Err(vm.error(Exc::EOFError, "EOF when reading a line")),
    }
}
