//! Methods of file objects.

use super::wrap::{binary_settings, detach, sharing, through};
use super::{
    check_open, check_readable, check_writable, decode, fill, fill_at_most, flush, line_bytes, put, put_text,
};
use crate::call::{Call, Native};
use crate::eval::{Exc, Vm};
use crate::text::codec::Codec;
use crate::value::file::{Backend, Newline, Settings};
use crate::value::memoryview::Writable;
use crate::value::{File, Raised, Ref, Res, Tag, Value};
use std::cell::Cell;
use std::io::SeekFrom;
use std::os::fd::AsRawFd;

pub static METHODS: &[Native] = &[
    Native {
        name: "read",
        params: "self, size=-1, /",
        run: |call| through(call, read),
        doc: "The next `size` characters or bytes; all that is left if `size` is negative or none.",
    },
    Native {
        name: "read1",
        params: "self, size=-1, /",
        run: |call| through(call, read_once),
        doc: "As `read`.",
    },
    Native {
        name: "readline",
        params: "self, size=-1, /",
        run: |call| through(call, read_line),
        doc: "The next line with its end, at most `size` characters of it; empty at the end of the file.",
    },
    Native {
        name: "readlines",
        params: "self, hint=-1, /",
        run: |call| through(call, read_lines),
        doc: "The rest of the file as a list of lines; stops after `hint` characters if that is positive.",
    },
    Native {
        name: "readinto",
        params: "self, buffer, /",
        run: |call| through(call, read_into),
        doc: "Reads bytes into a bytearray; how many.",
    },
    Native {
        name: "write",
        params: "self, text, /",
        run: |call| through(call, write),
        doc: "Writes text (or bytes to a binary file); how many characters or bytes.",
    },
    Native {
        name: "writelines",
        params: "self, lines, /",
        run: |call| through(call, write_lines),
        doc: "Writes each item of an iterable; adds no line ends.",
    },
    Native {
        name: "flush",
        params: "self, /",
        run: |call| through(call, flush_method),
        doc: "Passes on what waits to be written.",
    },
    Native {
        name: "close",
        params: "self, /",
        run: |call| through(call, close),
        doc: "Flushes and closes; closing twice does nothing.",
    },
    Native {
        name: "seek",
        params: "self, offset, whence=0, /",
        run: |call| through(call, seek),
        doc: "Goes to a position: from the start (0), from here (1), from the end (2); the new position.",
    },
    Native {
        name: "tell",
        params: "self, /",
        run: |call| through(call, tell),
        doc: "The position, in bytes.",
    },
    Native {
        name: "truncate",
        params: "self, size=None, /",
        run: |call| through(call, truncate),
        doc: "Cuts the file at `size` bytes, or here; the new size.",
    },
    Native {
        name: "fileno",
        params: "self, /",
        run: |call| through(call, fileno),
        doc: "The number of the file's descriptor.",
    },
    Native {
        name: "isatty",
        params: "self, /",
        run: |call| through(call, isatty),
        doc: "Whether it is a terminal.",
    },
    Native {
        name: "readable",
        params: "self, /",
        run: |call| through(call, readable),
        doc: "Whether it can be read.",
    },
    Native {
        name: "writable",
        params: "self, /",
        run: |call| through(call, writable),
        doc: "Whether it can be written.",
    },
    Native {
        name: "seekable",
        params: "self, /",
        run: |call| through(call, seekable),
        doc: "Whether `seek` works.",
    },
    Native {
        name: "detach",
        params: "self, /",
        run: |call| through(call, detach),
        doc: "The file of bytes beneath, which goes on without its wrapper.",
    },
    Native {
        name: "getbuffer",
        params: "self, /",
        run: |call| through(call, get_buffer),
        doc: "The content of a `BytesIO` as it is now, as a read-only `memoryview`.",
    },
    Native {
        name: "getvalue",
        params: "self, /",
        run: |call| through(call, get_value),
        doc: "Everything in a StringIO or BytesIO.",
    },
    Native {
        name: "__del__",
        params: "self, /",
        run: super::wrap::finalize,
        doc: "Closes the file, for objects of derived classes.",
    },
    Native {
        name: "__enter__",
        params: "self, /",
        run: |call| through(call, enter),
        doc: "The file itself.",
    },
    Native { name: "__exit__", params: "self, *exception", run: exit, doc: "Closes the file." },
    Native {
        name: "__iter__",
        params: "self, /",
        run: |call| through(call, enter),
        doc: "The file itself: it iterates over its lines.",
    },
    Native { name: "__next__", params: "self, /", run: |call| through(call, next), doc: "The next line." },
    Native {
        name: ".name=",
        params: "self, value=<absent>, /",
        run: set_name,
        doc: "Gives a file another name to show.",
    },
    Native {
        name: ".mode=",
        params: "self, value, /",
        run: |call| through(call, set_mode),
        doc: "Gives a file of text another mode to show.",
    },
    Native {
        name: ".closed",
        params: "self",
        run: |call| through(call, closed),
        doc: "Whether the file is closed.",
    },
    Native { name: ".name", params: "self", run: |call| through(call, name), doc: "What was opened." },
    Native {
        name: ".mode",
        params: "self",
        run: |call| through(call, mode),
        doc: "The mode it was opened with.",
    },
    Native {
        name: ".encoding",
        params: "self",
        run: |call| through(call, encoding),
        doc: "Name of the encoding of a text file.",
    },
    Native {
        name: ".errors",
        params: "self",
        run: |call| through(call, errors),
        doc: "Name of the error handler of a text file.",
    },
    Native {
        name: ".newlines",
        params: "self",
        run: |call| through(call, newlines),
        doc: "Which ends of lines were met: none, one, or a tuple.",
    },
    Native {
        name: ".line_buffering",
        params: "self",
        run: |call| through(call, line_buffering),
        doc: "Whether each line is passed on at once.",
    },
];

pub static STRING_IO: &[Native] = crate::rows![crate::value::reduce::MEMORY_FILE, STRING_IO_OWN];

const STRING_IO_OWN: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, initial_value='', newline='\\n'",
        run: new_string_io,
        doc: "Text in memory that looks like a file.",
    },
    Native {
        name: "__init__",
        params: "self, initial_value='', newline='\\n'",
        run: |call| fill_string_io(call, call.arg(0)).map(|()| Value::NONE),
        doc: "Replaces the text.",
    },
];
pub static BYTES_IO: &[Native] =
    crate::rows![crate::value::reduce::MEMORY_FILE, BYTES_IO_OWN, READ_INTO_ONCE];

pub const READ_INTO_ONCE: &[Native] = &[Native {
    name: "readinto1",
    params: "self, buffer, /",
    run: |call| through(call, |call| read_into_buffer(call, true)),
    doc: "As `readinto`, reading from the system at most once.",
}];

const BYTES_IO_OWN: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, initial_bytes=b''",
        run: new_bytes_io,
        doc: "Bytes in memory that look like a file.",
    },
    Native {
        name: "__init__",
        params: "self, initial_bytes=b''",
        run: |call| fill_bytes_io(call, call.arg(0)).map(|()| Value::NONE),
        doc: "Replaces the bytes.",
    },
];
/// The file that is or is inside a value.
pub fn file_of(call: &mut Call, value: &Value) -> Res<Ref<File>> {
    match Vm::unwrap_native(value).get_ref::<File>() {
        Some(file) => Ok(file),
        None => Err(call.wrong_receiver(Tag::File)),
    }
}

fn new_string_io(call: &mut Call) -> Res {
    let made = in_memory(Vec::new(), false);
    fill_string_io(call, &made)?;
    Ok(made)
}

fn fill_string_io(call: &mut Call, made: &Value) -> Res<()> {
    let text = match call.opt_not_none(1) {
        Some(value) => match Vm::unwrap_native(value).as_str() {
            Some(text) => text,
            None => {
                let got = call.vm.type_name(value);
                return Err(call.vm.type_error(format!("initial_value must be str or None, not {got}")));
            }
        },
        None => "",
    };
    let newline = match call.opt(2) {
        Some(value) => super::open::newline_of(call, value)?,
        None => Newline::Exactly("\n"),
    };
    let file = file_of(call, made)?;
    file.settings.newline.set(newline);
    file.state.borrow_mut().refill(Vec::new());
    put_text(call.vm, &file, text)?;
    // Memory can go anywhere.
    let _ = file.state.borrow_mut().seek(SeekFrom::Start(0));
    Ok(())
}

fn new_bytes_io(call: &mut Call) -> Res {
    let made = in_memory(Vec::new(), true);
    fill_bytes_io(call, &made)?;
    Ok(made)
}

fn fill_bytes_io(call: &mut Call, made: &Value) -> Res<()> {
    let data = match call.opt_not_none(1) {
        Some(value) => call.vm.bytes_of(value)?,
        None => Vec::new(),
    };
    file_of(call, made)?.state.borrow_mut().refill(data);
    Ok(())
}

fn in_memory(data: Vec<u8>, binary: bool) -> Value {
    let settings = Settings {
        binary,
        readable: true,
        writable: true,
        newline: Cell::new(Newline::Exactly("\n")),
        encoding: "utf-8".to_string(),
        codec: Codec::Utf8,
        errors: "surrogatepass".to_string(),
        line_buffered: Cell::new(false),
        unbuffered: false,
        close_descriptor: true,
        mode: String::new(),
    };
    File::new(Value::NONE, settings, Backend::Memory(data, 0)).into()
}

/// A size argument: `None` for negative, none and absent.
pub fn size(call: &mut Call, index: usize) -> Res<Option<usize>> {
    if call.opt_not_none(index).is_none() {
        return Ok(None);
    }
    Ok(usize::try_from(call.int_clamped(index)?).ok())
}

/// Room is made for so many bytes at once at most.
const LARGEST_READ: usize = 1 << 26;

fn read(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    check_readable(call.vm, file)?;
    let size = size(call, 1)?;
    if let Some(size) = size
        && file.is_raw()
    {
        return super::raw::read(call, file, size);
    }
    let Some(size) = size else {
        while fill(call.vm, file)? {}
        let bytes = take_all(file);
        return decode(call.vm, file, &bytes);
    };
    if file.settings.unbuffered && file.settings.binary {
        // One read of the system's, which may give less.
        if size > 0 && file.state.borrow().unread().is_empty() {
            fill_at_most(call.vm, file, size.min(LARGEST_READ))?;
        }
        let mut state = file.state.borrow_mut();
        let count = state.unread().len().min(size);
        let bytes = state.take(count);
        drop(state);
        return decode(call.vm, file, &bytes);
    }
    loop {
        let taken = {
            let mut state = file.state.borrow_mut();
            let end = if file.settings.binary {
                (state.unread().len() >= size).then_some(size)
            } else {
                end_of_chars(state.unread(), size, file)
            };
            end.map(|end| state.take(end))
        };
        if let Some(bytes) = taken {
            return decode(call.vm, file, &bytes);
        }
        if !fill(call.vm, file)? {
            // Fewer than asked for are left.
            let bytes = take_all(file);
            return decode(call.vm, file, &bytes);
        }
    }
}

fn take_all(file: &File) -> Vec<u8> {
    let mut state = file.state.borrow_mut();
    let count = state.unread().len();
    state.take(count)
}

/// How many bytes the first `count` characters have; `None` if more bytes are needed to tell.
fn end_of_chars(bytes: &[u8], count: usize, file: &File) -> Option<usize> {
    let is_universal = file.settings.newline.get() == Newline::Universal;
    let is_utf8 = super::codec::is_utf8(file.settings.codec);
    let mut at = 0;
    for _ in 0..count {
        let lead = *bytes.get(at)?;
        at += match lead {
            b'\r' if is_universal => match bytes.get(at + 1)? {
                b'\n' => 2,
                _ => 1,
            },
            0xC2..=0xF4 if is_utf8 => {
                let len = if lead < 0xE0 {
                    2
                } else if lead < 0xF0 {
                    3
                } else {
                    4
                };
                let rest = bytes.get(at + 1..at + len)?;
                if rest.iter().all(|b| b & 0xC0 == 0x80) { len } else { 1 }
            }
            _ => 1,
        };
    }
    Some(at)
}

fn read_line(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    check_readable(call.vm, file)?;
    let limit = size(call, 1)?;
    if let Some(limit) = limit
        && !file.settings.binary
    {
        return limited_line(call, file, limit);
    }
    let bytes = line_bytes(call.vm, file, limit)?;
    decode(call.vm, file, &bytes)
}

/// At most `limit` characters of the next line.
fn limited_line(call: &mut Call, file: &File, limit: usize) -> Res {
    let bytes = line_bytes(call.vm, file, None)?;
    let mut end = bytes.len();
    if let Some(cut) = end_of_chars(&bytes, limit, file) {
        end = cut;
    }
    let mut state = file.state.borrow_mut();
    let at = state.at;
    state.input.splice(..at, bytes[end..].iter().copied());
    state.at = 0;
    drop(state);
    decode(call.vm, file, &bytes[..end])
}

fn read_lines(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    check_readable(call.vm, file)?;
    let hint = size(call, 1)?.filter(|&hint| hint > 0);
    let (mut lines, mut total) = (Vec::new(), 0);
    loop {
        let bytes = line_bytes(call.vm, file, None)?;
        if bytes.is_empty() {
            break;
        }
        total += bytes.len();
        lines.push(decode(call.vm, file, &bytes)?);
        if hint.is_some_and(|hint| total >= hint) {
            break;
        }
    }
    Ok(Value::list(lines))
}

fn read_into(call: &mut Call) -> Res {
    read_into_buffer(call, false)
}

/// What was read ahead, or else what one read of the system gives.
fn read_once(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    check_readable(call.vm, file)?;
    let size = size(call, 1)?;
    if matches!(file.state.borrow().backend, Backend::Memory(..))
        || file.is_standard()
        || !file.settings.binary
    {
        return read(call);
    }
    flush(call.vm, file)?;
    let size = size.unwrap_or(super::open::BUFFER_SIZE);
    if size > 0 && file.state.borrow().unread().is_empty() {
        fill(call.vm, file)?;
    }
    let mut state = file.state.borrow_mut();
    let count = size.min(state.unread().len());
    Ok(Value::bytes(state.take(count)))
}

fn read_into_now(call: &mut Call, file: &File, buffer: &Writable) -> Res {
    let piece = super::raw::read(call, file, buffer.len)?;
    if piece.is_none() {
        return Ok(piece);
    }
    let bytes = call.vm.bytes_of(&piece)?;
    buffer.write(0, &bytes);
    Ok(Value::size(bytes.len()))
}

fn read_into_buffer(call: &mut Call, is_once: bool) -> Res {
    let file = call.this::<File>()?;
    check_readable(call.vm, file)?;
    let Some(buffer) = Writable::of(call.arg(1)) else {
        return Err(call.wrong_type(1, "read-write bytes-like object"));
    };
    let wanted = buffer.len;
    let is_memory = matches!(file.state.borrow().backend, Backend::Memory(..));
    if file.is_raw() || is_once && !is_memory {
        return read_into_now(call, file, &buffer);
    }
    while file.state.borrow().unread().len() < wanted && fill(call.vm, file)? {}
    let bytes = {
        let mut state = file.state.borrow_mut();
        let count = wanted.min(state.unread().len());
        state.take(count)
    };
    buffer.write(0, &bytes);
    Ok(Value::size(bytes.len()))
}

fn write(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    write_value(call, file, call.arg(1))
}

fn write_value(call: &mut Call, file: &File, value: &Value) -> Res {
    check_writable(call.vm, file)?;
    let inside = crate::eval::Vm::unwrap_native(value);
    if file.settings.binary {
        let bytes = call.vm.bytes_of(inside)?;
        if file.is_raw() {
            return super::raw::write(call, file, &bytes);
        }
        put(call.vm, file, &bytes)?;
        return Ok(Value::size(bytes.len()));
    }
    let Some(text) = inside.get::<crate::value::Str>() else {
        let got = call.vm.type_name(value);
        let what = if file.settings.mode.is_empty() { "string argument expected, got" } else { "" };
        return Err(call.vm.type_error(match what {
            "" => format!("write() argument must be str, not {got}"),
            what => format!("{what} '{got}'"),
        }));
    };
    put_text(call.vm, file, text.as_str())?;
    Ok(Value::size(text.len()))
}

fn write_lines(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    check_writable(call.vm, file)?;
    let iterator = call.vm.iter(call.arg(1))?;
    while let Some(line) = call.vm.next(&iterator)? {
        write_value(call, file, &line)?;
    }
    Ok(Value::NONE)
}

fn flush_method(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    check_open(call.vm, file)?;
    flush(call.vm, file)?;
    Ok(Value::NONE)
}

fn close(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    if file.is_closed() {
        return Ok(Value::NONE);
    }
    let has_own_flush = !call.arg(0).is::<File>() || own(file, "flush").is_some();
    let flushed = match has_own_flush {
        true => call.vm.call_method(call.arg(0), "flush", &[]).map(drop),
        false => flush(call.vm, file),
    };
    let closed = file.state.borrow_mut().close();
    flushed?;
    match closed {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(call.vm.os_error(&error, None)),
    }
}

fn seek(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    check_open(call.vm, file)?;
    let (offset, whence) = (call.int(1)?, call.int_or(2, 0)?);
    let is_text = !file.settings.binary;
    if is_text && whence == 1 && offset != 0 {
        return Err(super::unsupported(call.vm, "can't do nonzero cur-relative seeks"));
    }
    if is_text && whence == 2 && offset != 0 {
        return Err(super::unsupported(call.vm, "can't do nonzero end-relative seeks"));
    }
    let is_memory = file.settings.mode.is_empty();
    let to = match (whence, u64::try_from(offset)) {
        (0, Ok(offset)) if is_memory && is_text => {
            SeekFrom::Start(file.state.borrow().byte_of_char(offset as usize) as u64)
        }
        (0, Ok(offset)) => SeekFrom::Start(offset),
        (0, Err(_)) if is_memory => {
            let what = if is_text { "Negative seek position" } else { "negative seek value" };
            return Err(call.vm.value_error(format!("{what} {offset}")));
        }
        (0, Err(_)) if is_text => {
            return Err(call.vm.value_error(format!("negative seek position {offset}")));
        }
        (0, Err(_)) => {
            let error = std::io::Error::from_raw_os_error(libc::EINVAL);
            return Err(call.vm.os_error(&error, None));
        }
        (1, _) => SeekFrom::Current(offset),
        (2, _) => SeekFrom::End(offset),
        _ => return Err(call.vm.value_error(format!("invalid whence ({whence}, should be 0, 1 or 2)"))),
    };
    flush(call.vm, file)?;
    let result = file.state.borrow_mut().seek(to);
    position(call, result.map(|at| shown_place(file, at)))
}

fn tell(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    check_open(call.vm, file)?;
    flush(call.vm, file)?;
    let result = file.state.borrow_mut().position();
    position(call, result.map(|at| shown_place(file, at)))
}

/// Where scripts see a place: text in memory is counted in characters.
fn shown_place(file: &File, at: u64) -> u64 {
    match file.settings.mode.is_empty() && !file.settings.binary {
        true => file.state.borrow().char_of_byte(at as usize) as u64,
        false => at,
    }
}

fn position(call: &mut Call, result: std::io::Result<u64>) -> Res {
    match result {
        Ok(position) => Ok(Value::int(position as i64)),
        Err(error) if error.raw_os_error() == Some(libc::ESPIPE) => {
            Err(super::unsupported(call.vm, "underlying stream is not seekable"))
        }
        Err(error) => Err(call.vm.os_error(&error, None)),
    }
}

fn truncate(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    check_writable(call.vm, file)?;
    flush(call.vm, file)?;
    let size = match call.opt_not_none(1) {
        Some(_) => {
            let size = call.int(1)?;
            if size < 0 && file.settings.mode.is_empty() {
                let what = if file.settings.binary { "negative" } else { "Negative" };
                return Err(call.vm.value_error(format!("{what} size value {size}")));
            }
            size.max(0) as u64
        }
        None => {
            let result = file.state.borrow_mut().position();
            position(call, result)?.as_int().unwrap_or(0) as u64
        }
    };
    let bytes = match file.settings.mode.is_empty() && !file.settings.binary {
        true if call.opt_not_none(1).is_some() => file.state.borrow().byte_of_char(size as usize) as u64,
        _ => size,
    };
    let result = file.state.borrow_mut().set_len(bytes);
    match result {
        Ok(()) => Ok(Value::int(size as i64)),
        Err(error) => Err(call.vm.os_error(&error, None)),
    }
}

/// The descriptor behind a file, if there is one.
fn descriptor(call: &Call, file: &File) -> Option<i32> {
    match &file.state.borrow().backend {
        Backend::Descriptor(file) => Some(file.as_raw_fd()),
        Backend::Stdin => Some(0),
        Backend::Stdout => call.vm.streams.stdout.descriptor,
        Backend::Stderr => call.vm.streams.stderr.descriptor,
        Backend::Memory(..) | Backend::Closed => None,
    }
}

fn fileno(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    check_open(call.vm, file)?;
    match descriptor(call, file) {
        Some(number) => Ok(Value::int(number as i64)),
        None => Err(super::unsupported(call.vm, "fileno")),
    }
}

fn isatty(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    check_open(call.vm, file)?;
    // SAFETY: only asks about a number.
    let answer = descriptor(call, file).is_some_and(|number| unsafe { libc::isatty(number) } == 1);
    Ok(Value::bool(answer))
}

fn readable(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    check_open(call.vm, file)?;
    Ok(Value::bool(file.settings.readable))
}

fn writable(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    check_open(call.vm, file)?;
    Ok(Value::bool(file.settings.writable))
}

fn seekable(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    check_open(call.vm, file)?;
    let answer = file.state.borrow_mut().position().is_ok();
    Ok(Value::bool(answer))
}

fn get_value(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    check_open(call.vm, file)?;
    let data = match &file.state.borrow().backend {
        Backend::Memory(data, _) => data.clone(),
        _ => {
            let shown = file.type_name();
            let message = format!("'{shown}' object has no attribute 'getvalue'");
            return Err(call.vm.error(Exc::AttributeError, message));
        }
    };
    decode(call.vm, file, &data)
}

fn get_buffer(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    if file.type_name() != "BytesIO" {
        let shown = file.type_name();
        let message = format!("'{shown}' object has no attribute 'getbuffer'");
        return Err(call.vm.error(Exc::AttributeError, message));
    }
    let data = get_value(call)?;
    Ok(crate::value::MemoryView::of(&data).map_or(Value::NONE, Value::from))
}

fn enter(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    check_open(call.vm, file)?;
    Ok(call.arg(0).clone())
}

fn exit(call: &mut Call) -> Res {
    match call.arg(0).tag() {
        Tag::File => through(call, close),
        // A derived class may close in its own way.
        _ => call.vm.call_method(call.arg(0), "close", &[]),
    }
}

fn next(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    match super::next_line(call.vm, file)? {
        Some(line) => Ok(line),
        None => Err(call.vm.error_with(Exc::StopIteration, Vec::new())),
    }
}

fn closed(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    Ok(Value::bool(file.is_closed()))
}

/// What a script said that an attribute is.
fn own(file: &File, name: &str) -> Option<Value> {
    file.attributes.get().and_then(|table| table.get_text(name))
}

fn set_name(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    match file.type_name() {
        "FileIO" | "BytesIO" | "StringIO" => {
            let table = file.attributes.get_or_make();
            match call.opt(1) {
                Some(name) => table.set_text("name", name.clone()),
                None => drop(table.remove_str(&crate::value::Str::new("name"))),
            }
            Ok(Value::NONE)
        }
        _ => Err(not_writable(call, file, "name")),
    }
}

fn not_writable(call: &mut Call, file: &File, name: &str) -> Raised {
    let message = format!("attribute '{name}' of '_io.{}' objects is not writable", file.type_name());
    call.vm.error(Exc::AttributeError, message)
}

fn set_mode(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    if file.settings.binary {
        return Err(not_writable(call, file, "mode"));
    }
    file.attributes.get_or_make().set_text("mode", call.arg(1).clone());
    Ok(Value::NONE)
}

fn name(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    if let Some(name) = own(file, "name") {
        return Ok(name);
    }
    if file.settings.mode.is_empty() {
        let message = format!("'_io.{}' object has no attribute 'name'", file.type_name());
        return Err(call.vm.error(Exc::AttributeError, message));
    }
    super::wrap::name_beneath(call, file)
}

fn mode(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    Ok(own(file, "mode").unwrap_or_else(|| Value::str(shown_mode(file))))
}

/// As Python: binary files say `rb+`, whatever the order was, and for `w+` too.
pub fn shown_mode(file: &File) -> String {
    let mode = &file.settings.mode;
    match file.settings.binary && mode.contains('+') {
        true => format!("{}b+", mode.chars().find(|c| "ax".contains(*c)).unwrap_or('r')),
        false => mode.clone(),
    }
}

fn encoding(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    Ok(if file.settings.binary || file.settings.mode.is_empty() {
        Value::NONE
    } else {
        Value::str(&file.settings.encoding)
    })
}

fn errors(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    Ok(if file.settings.binary || file.settings.mode.is_empty() {
        Value::NONE
    } else {
        Value::str(&file.settings.errors)
    })
}

fn newlines(call: &mut Call) -> Res {
    let seen = call.this::<File>()?.state.borrow().newlines;
    let kinds = [(1, "\r"), (2, "\n"), (4, "\r\n")];
    let kinds = kinds.into_iter().filter(|(bit, _)| seen & bit != 0).map(|(_, end)| Value::str(end));
    let kinds: Vec<Value> = kinds.collect();
    Ok(match &kinds[..] {
        [] => Value::NONE,
        [one] => one.clone(),
        _ => Value::tuple(kinds),
    })
}

fn line_buffering(call: &mut Call) -> Res {
    Ok(Value::bool(call.this::<File>()?.settings.line_buffered.get()))
}

/// The bytes of a text file as a file of their own, which shares place and content with it.
pub fn bytes_behind(file: &File) -> Ref<File> {
    let text = &file.settings;
    let is_memory = matches!(file.state.borrow().backend, Backend::Memory(..));
    let mode = if is_memory { String::new() } else { format!("{}b", text.mode.replace('t', "")) };
    sharing(file, Settings { mode, ..binary_settings(text) }, None)
}
