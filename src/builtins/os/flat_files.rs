//! The flat `file_` and `dir_` functions. Texts are UTF-8; other bytes survive reading and writing.

use super::flat::{ask, attempt, file, made};
use super::{files, row};
use crate::builtins::mapping::text_of;
use crate::call::{Call, NativeModule};
use crate::value::{Res, Str, Value, View};
use std::io::Write;

pub static FILE: NativeModule = NativeModule {
    name: "file",
    doc: "Whole files, read and written at once; failures are reported by value.",
    functions: &[
        row("file_read", "path", read, "The whole file as text, or none."),
        row(
            "file_write",
            "path, text",
            write,
            "Creates or empties a file and writes a text (or bytes): none, or false if that failed.",
        ),
        row(
            "file_append",
            "path, text",
            append,
            "Adds a text (or bytes) to a file, made if it is missing: none, or false if that failed.",
        ),
        row(
            "file_delete",
            "path",
            |c| attempt(c, |p| std::fs::remove_file(p)),
            "Deletes a file; false if that failed, as for folders.",
        ),
        row(
            "file_exists",
            "path",
            |c| ask(c, |p| p.exists() && !p.is_dir()),
            "Whether there is a file; false for a folder.",
        ),
    ],
    constants: &[],
};

pub static DIR: NativeModule = NativeModule {
    name: "dir",
    doc: "Folders; failures are reported by value.",
    functions: &[
        row(
            "dir_list",
            "path",
            list,
            "Names of what is in a folder, sorted; an empty list if it cannot be read.",
        ),
        row("dir_create", "path", create, "Makes a folder: none, or false if that failed."),
        row("dir_exists", "path", |c| ask(c, |p| p.is_dir()), "Whether there is a folder."),
    ],
    constants: &[],
};

fn read(call: &mut Call) -> Res {
    let Some(Ok(bytes)) = file(call, 0)?.map(std::fs::read) else { return Ok(Value::NONE) };
    Ok(match String::from_utf8(bytes) {
        Ok(text) if !crate::text::surrogate::has_surrogates(&text) => Str::from_string(text).into(),
        Ok(text) => Value::str(text_of(text.as_bytes())),
        Err(error) => Value::str(text_of(error.as_bytes())),
    })
}

/// The bytes of a text or bytes argument.
fn content(call: &mut Call, index: usize) -> Res<Vec<u8>> {
    match crate::eval::Vm::unwrap_native(call.arg(index)).view() {
        View::Str(text) => call.vm.encode_escaped(text.as_str()),
        View::Bytes(_) | View::ByteArray(_) => Ok(call.bytes(index)?.into_owned()),
        _ => Err(call.wrong_type(index, "a string")),
    }
}

fn write(call: &mut Call) -> Res {
    let (path, bytes) = (file(call, 0)?, content(call, 1)?);
    let Some(path) = path else { return Ok(Value::FALSE) };
    Ok(made(std::fs::write(path, bytes)))
}

fn append(call: &mut Call) -> Res {
    let (path, bytes) = (file(call, 0)?, content(call, 1)?);
    let Some(path) = path else { return Ok(Value::FALSE) };
    let opened = std::fs::OpenOptions::new().append(true).create(true).open(path);
    Ok(made(opened.and_then(|mut file| file.write_all(&bytes))))
}

fn list(call: &mut Call) -> Res {
    let Some(path) = file(call, 0)? else { return Ok(Value::list(Vec::new())) };
    let mut names = files::names(&path).unwrap_or_default();
    names.sort();
    Ok(Value::list(names.iter().map(Value::str).collect()))
}

fn create(call: &mut Call) -> Res {
    let Some(path) = file(call, 0)? else { return Ok(Value::FALSE) };
    Ok(made(std::fs::create_dir(path)))
}
