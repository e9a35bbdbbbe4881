//! `io.FileIO`: a file of bytes without buffers, where each read and write is one call of the system.

use super::open::open_target;
use super::settle;
use super::wrap::through;
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::text::codec::Codec;
use crate::value::file::{Backend, Layer, Newline, Settings};
use crate::value::{File, Instance, Res, Value};
use std::cell::Cell;

pub static FILE_IO: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, file=<absent>, mode='r', closefd=True, opener=None",
        run: new,
        doc: "Opens a file of bytes, each use of which asks the system.",
    },
    Native {
        name: "__init__",
        params: "self, file, mode='r', closefd=True, opener=None",
        run: init,
        doc: "Opens another file.",
    },
    Native {
        name: "readall",
        params: "self, /",
        run: |call| through(call, read_all),
        doc: "All bytes to the end of the file.",
    },
    Native {
        name: ".closefd",
        params: "self",
        run: |call| through(call, |call| Ok(Value::bool(call.this::<File>()?.settings.close_descriptor))),
        doc: "Whether closing the file closes the descriptor.",
    },
];

fn new(call: &mut Call) -> Res {
    if call.class()?.flags.is_user {
        return Ok(super::wrap::file_with(Layer::New, true, true, true).into());
    }
    if call.opt(1).is_some() {
        return opened(call);
    }
    Err(call.vm.type_error("FileIO() missing required argument 'file' (pos 1)"))
}

fn init(call: &mut Call) -> Res {
    let file = super::methods::file_of(call, call.arg(0))?;
    let made = opened(call)?;
    let is_new = matches!(*file.layer.borrow(), Layer::New);
    match call.arg(0).get::<Instance>() {
        // Before its first use no method can be running on the file inside.
        Some(instance) if is_new => drop(instance.native.replace(made)),
        _ => return Err(super::unsupported(call.vm, "a FileIO is opened once")),
    }
    Ok(Value::NONE)
}

fn opened(call: &mut Call) -> Res {
    let mode = if call.opt(2).is_some() { call.str(2)? } else { "r" };
    check_mode(call.vm, mode)?;
    let closes = call.truth_or(3, true)?;
    let target = call.arg(1).clone();
    let file = open_target(call, &target, mode, closes, call.opt_not_none(4))?;
    let (reads, plus) = (mode.contains('r'), mode.contains('+'));
    let kind = mode.chars().find(|c| if plus { "ax" } else { "wax" }.contains(*c)).unwrap_or('r');
    let settings = Settings {
        binary: true,
        readable: reads || plus,
        writable: !reads || plus,
        newline: Cell::new(Newline::Exactly("\n")),
        encoding: String::new(),
        codec: Codec::Utf8,
        errors: String::new(),
        line_buffered: Cell::new(false),
        unbuffered: true,
        close_descriptor: closes,
        mode: format!("{kind}b{}", if plus { "+" } else { "" }),
    };
    Ok(File::new(target, settings, Backend::Descriptor(file)).into())
}

fn check_mode(vm: &mut Vm, mode: &str) -> Res<()> {
    if mode.chars().any(|c| !"rwaxb+".contains(c)) {
        return Err(vm.value_error(format!("invalid mode: {mode}")));
    }
    let kinds = mode.chars().filter(|c| "rwax".contains(*c)).count();
    if kinds != 1 || mode.matches('+').count() > 1 {
        let message = "Must have exactly one of create/read/write/append mode and at most one plus";
        return Err(vm.value_error(message));
    }
    Ok(())
}

/// At most `count` bytes; none if there are none yet.
pub fn read(call: &mut Call, file: &File, count: usize) -> Res {
    loop {
        let result = file.state.borrow_mut().read_once(count);
        if would_block(&result) {
            return Ok(Value::NONE);
        }
        if let Some(bytes) = settle(call.vm, result)? {
            return Ok(Value::bytes(bytes));
        }
    }
}

/// How many of the bytes were written; none if none can be yet.
pub fn write(call: &mut Call, file: &File, bytes: &[u8]) -> Res {
    let moved = file.state.borrow_mut().drop_input();
    if let Err(error) = moved {
        return Err(call.vm.os_error(&error, None));
    }
    loop {
        let result = file.state.borrow_mut().write_once(bytes);
        if would_block(&result) {
            return Ok(Value::NONE);
        }
        if let Some(count) = settle(call.vm, result)? {
            return Ok(Value::size(count));
        }
    }
}

fn would_block<T>(result: &std::io::Result<T>) -> bool {
    result.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

fn read_all(call: &mut Call) -> Res {
    let file = call.this::<File>()?;
    super::check_readable(call.vm, file)?;
    let mut found = Vec::new();
    loop {
        let piece = read(call, file, 1 << 16)?;
        if piece.is_none() && found.is_empty() {
            return Ok(piece);
        }
        let bytes = if piece.is_none() { Vec::new() } else { call.vm.bytes_of(&piece)? };
        if bytes.is_empty() {
            return Ok(Value::bytes(found));
        }
        found.extend(bytes);
    }
}

/// What `repr` shows.
pub fn describe(file: &File, name: &str) -> String {
    if file.is_closed() {
        return "<_io.FileIO [closed]>".to_string();
    }
    let closes = file.settings.close_descriptor;
    let closes = if closes { "True" } else { "False" };
    format!("<_io.FileIO name={name} mode='{}' closefd={closes}>", super::methods::shown_mode(file))
}
