//! The flat `os_` functions: failures are answered with false, none or an empty list; only wrong types of
//! arguments raise.

use super::{path, row};
use crate::builtins::io::path_bytes;
use crate::builtins::mapping::{self, text_of};
use crate::call::{Call, NativeModule};
use crate::eval::Exc;
use crate::value::{Dict, Res, Value};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub static FLAT: NativeModule = NativeModule {
    name: "os",
    doc: "The operating system, with failures reported by value.",
    functions: &[
        row("os_getcwd", "", getcwd, "The current folder, or none."),
        row(
            "os_chdir",
            "path",
            |c| attempt(c, |p| std::env::set_current_dir(p)),
            "Changes the current folder; whether that worked.",
        ),
        row("os_rename", "old, new", rename, "Renames or moves a file or folder; whether that worked."),
        row(
            "os_copy",
            "src, dst",
            copy,
            "Copies a file with its mode and times, making folders for it; whether that worked.",
        ),
        row(
            "os_stat",
            "path",
            stat,
            "A dict with `size`, `mtime` (int seconds), `is_dir` and `is_file`, or none.",
        ),
        row(
            "os_remove",
            "path",
            |c| attempt(c, |p| std::fs::remove_file(p)),
            "Deletes a file; whether that worked.",
        ),
        row("os_mkdir", "path", mkdir, "Makes a folder: none, or false if that failed."),
        row(
            "os_rmdir",
            "path",
            |c| attempt(c, |p| std::fs::remove_dir(p)),
            "Deletes an empty folder; whether that worked.",
        ),
        row(
            "os_walk",
            "path",
            walk,
            "A list of dicts `dirpath`, `dirs`, `files` for a folder and all folders in it, outer ones first, names sorted. Links to folders are not entered.",
        ),
        row("os_path_join", "part, *parts", path_join, "Joins parts with `/`; an absolute part starts anew."),
        row("os_path_exists", "path", |c| ask(c, |p| p.exists()), "Whether there is something."),
        row("os_path_isdir", "path", |c| ask(c, |p| p.is_dir()), "Whether it is a folder."),
        row("os_path_isfile", "path", |c| ask(c, |p| p.is_file()), "Whether it is a file."),
        row(
            "os_path_basename",
            "path",
            |c| Ok(Value::str(path::parts(&text(c, 0)?).1)),
            "What follows the last `/`.",
        ),
        row(
            "os_path_dirname",
            "path",
            |c| Ok(Value::str(path::parts(&text(c, 0)?).0)),
            "What precedes the last `/`.",
        ),
        row("os_path_split", "path", path_split, "The list `[dirname, basename]`."),
        row("os_path_splitext", "path", path_splitext, "The list `[root, ending]`."),
        row("os_path_abspath", "path", path_abspath, "The normalised absolute path, or none."),
        row(
            "os_path_normpath",
            "path",
            |c| Ok(Value::str(path::normal(&text(c, 0)?))),
            "Without double `/`, `.` and `..` that can be resolved in the text.",
        ),
        row("os_getenv", "name", getenv, "The value of an environment variable, or none."),
        row(
            "os_setenv",
            "name, value",
            setenv,
            "Sets an environment variable, for children too; false for a bad name.",
        ),
        row("os_unsetenv", "name", unsetenv, "Takes an environment variable out; false for a bad name."),
        row("os_environ", "", environ, "The environment as a new dict."),
    ],
    constants: &[],
};

/// A path argument as text: a string or bytes.
pub fn text(call: &mut Call, index: usize) -> Res<String> {
    let value = call.arg(index);
    let text = call.vm.path_text(value);
    if text.is_err() && call.vm.is_raised(Exc::TypeError) {
        call.vm.take_raised();
        return Err(call.wrong_type(index, "a string"));
    }
    text
}

/// A path argument; `None` for one that no file can have.
pub fn file(call: &mut Call, index: usize) -> Res<Option<PathBuf>> {
    let text = text(call, index);
    if text.is_err() && call.vm.is_raised(Exc::ValueError) {
        call.vm.take_raised();
        return Ok(None);
    }
    let text = text?;
    path_bytes(call.vm, &text).map(Some)
}

/// Whether a step worked.
pub fn attempt(call: &mut Call, step: fn(&Path) -> std::io::Result<()>) -> Res {
    Ok(Value::bool(file(call, 0)?.is_some_and(|path| step(&path).is_ok())))
}

/// A question about a path.
pub fn ask(call: &mut Call, question: fn(&Path) -> bool) -> Res {
    Ok(Value::bool(file(call, 0)?.is_some_and(|path| question(&path))))
}

fn getcwd(_: &mut Call) -> Res {
    Ok(match std::env::current_dir() {
        Ok(path) => Value::str(text_of(path.as_os_str().as_bytes())),
        Err(_) => Value::NONE,
    })
}

fn rename(call: &mut Call) -> Res {
    let (Some(from), Some(to)) = (file(call, 0)?, file(call, 1)?) else { return Ok(Value::FALSE) };
    Ok(Value::bool(std::fs::rename(from, to).is_ok()))
}

fn copy(call: &mut Call) -> Res {
    let (Some(from), Some(to)) = (file(call, 0)?, file(call, 1)?) else { return Ok(Value::FALSE) };
    Ok(Value::bool(copy_file(&from, &to).is_ok()))
}

fn copy_file(from: &Path, to: &Path) -> std::io::Result<()> {
    let known = std::fs::metadata(from)?;
    if known.is_dir() || to.is_dir() {
        return Err(std::io::Error::from_raw_os_error(libc::EISDIR));
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let is_same =
        std::fs::metadata(to).is_ok_and(|other| (other.dev(), other.ino()) == (known.dev(), known.ino()));
    if is_same {
        return Ok(());
    }
    std::fs::copy(from, to)?;
    let times = std::fs::FileTimes::new().set_accessed(known.accessed()?).set_modified(known.modified()?);
    // A copy without the times is still a copy.
    let _ = std::fs::OpenOptions::new().write(true).open(to).and_then(|file| file.set_times(times));
    Ok(())
}

fn stat(call: &mut Call) -> Res {
    let Some(Ok(known)) = file(call, 0)?.map(std::fs::metadata) else { return Ok(Value::NONE) };
    Ok(Dict::from_pairs([
        ("size", Value::int(known.size() as i64)),
        ("mtime", Value::int(known.mtime())),
        ("is_dir", Value::bool(known.is_dir())),
        ("is_file", Value::bool(known.is_file())),
    ])
    .into())
}

/// None for success, false for failure: how the functions that make things report.
pub fn made(result: std::io::Result<()>) -> Value {
    if result.is_ok() { Value::NONE } else { Value::FALSE }
}

fn mkdir(call: &mut Call) -> Res {
    let Some(path) = file(call, 0)? else { return Ok(Value::FALSE) };
    Ok(made(std::fs::create_dir(path)))
}

fn walk(call: &mut Call) -> Res {
    let Some(top) = file(call, 0)? else { return Ok(Value::list(Vec::new())) };
    let shown = text(call, 0)?;
    let mut found = Vec::new();
    // Folders still to visit, the next one last.
    let mut waiting = vec![(top, shown)];
    while let Some((folder, shown)) = waiting.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        let (mut folders, mut files) = (Vec::new(), Vec::new());
        for entry in entries.flatten() {
            let name = text_of(entry.file_name().as_bytes());
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            if entry.path().is_dir() {
                folders.push((name, is_link));
            } else {
                files.push(name);
            }
        }
        folders.sort();
        files.sort();
        for (name, _) in folders.iter().rev().filter(|(_, is_link)| !is_link) {
            let mut below = shown.clone();
            path::push(&mut below, name);
            waiting.push((path_bytes(call.vm, &below)?, below));
        }
        let list = |names: Vec<&String>| Value::list(names.into_iter().map(Value::str).collect());
        let entry = Dict::from_pairs([
            ("dirpath", Value::str(&shown)),
            ("dirs", list(folders.iter().map(|(name, _)| name).collect())),
            ("files", list(files.iter().collect())),
        ]);
        found.push(entry.into());
    }
    Ok(Value::list(found))
}

fn path_join(call: &mut Call) -> Res {
    let mut joined = text(call, 0)?;
    for (i, part) in call.rest().iter().enumerate() {
        let part = match call.vm.path_text(part) {
            Ok(part) => part,
            Err(raised) if !call.vm.is_raised(Exc::TypeError) => return Err(raised),
            Err(_) => {
                call.vm.take_raised();
                let got = call.vm.type_name(part);
                return Err(call
                    .vm
                    .type_error(format!("os_path_join() argument {} must be a string, not {got}", i + 2)));
            }
        };
        path::push(&mut joined, &part);
    }
    Ok(Value::str(joined))
}

fn path_split(call: &mut Call) -> Res {
    let path = text(call, 0)?;
    let (head, tail) = path::parts(&path);
    Ok(Value::list(vec![Value::str(head), Value::str(tail)]))
}

fn path_splitext(call: &mut Call) -> Res {
    let path = text(call, 0)?;
    let (root, ending) = path::ending(&path);
    Ok(Value::list(vec![Value::str(root), Value::str(ending)]))
}

fn path_abspath(call: &mut Call) -> Res {
    let path = text(call, 0)?;
    Ok(path::absolute(&path).map_or(Value::NONE, Value::str))
}

fn getenv(call: &mut Call) -> Res {
    text(call, 0)?;
    Ok(Value::opt(mapping::environment_value(call.vm, call.arg(0))?))
}

/// False where the environment refuses a name or value.
fn unless_refused(call: &mut Call, result: Res<()>) -> Res {
    match result {
        Ok(()) => Ok(Value::TRUE),
        Err(_) if call.vm.is_raised(Exc::ValueError) || call.vm.is_raised(Exc::OSError) => {
            call.vm.take_raised();
            Ok(Value::FALSE)
        }
        Err(raised) => Err(raised),
    }
}

fn setenv(call: &mut Call) -> Res {
    let result = mapping::set_environment(call.vm, call.arg(0), call.arg(1));
    unless_refused(call, result)
}

fn unsetenv(call: &mut Call) -> Res {
    let result = mapping::unset_environment(call.vm, call.arg(0)).map(drop);
    unless_refused(call, result)
}

fn environ(call: &mut Call) -> Res {
    let environment = mapping::environment();
    call.vm.call_method(&environment, "copy", &[])
}
