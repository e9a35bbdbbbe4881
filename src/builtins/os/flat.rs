//! The flat functions `os_*` and `os_path_*`: a failure is a value (false, none, an empty list), a wrong
//! type raises.

use super::files::sorted_entries;
use super::path::{absolute_text, shown};
use crate::builtins::mapping;
use crate::call::{Call, Native, NativeModule};
use crate::text::{path as rules, surrogate};
use crate::value::{Dict, Res, Value};
use std::ffi::OsStr;
use std::fs::{self, FileTimes};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub static FLAT: NativeModule = NativeModule {
    name: "os",
    doc: "Files, folders and the environment; failures are reported by value.",
    functions: &[
        Native { name: "os_getcwd", params: "", run: current_folder, doc: "The current folder, or none if it is gone." },
        Native { name: "os_chdir", params: "path", run: |call| succeeds(call, |p| std::env::set_current_dir(p)), doc: "Changes the current folder; whether that worked." },
        Native { name: "os_rename", params: "old, new", run: rename, doc: "Renames a file or folder; whether that worked. Replaces a file that is there." },
        Native { name: "os_copy", params: "src, dst", run: copy, doc: "Copies a file with its mode and times; whether that worked. Makes missing folders on the way; a folder gives false." },
        Native { name: "os_stat", params: "path", run: stat, doc: "A dict with `size`, `mtime` (whole seconds), `is_dir` and `is_file`, or none. Follows links." },
        Native { name: "os_remove", params: "path", run: |call| succeeds(call, |p| fs::remove_file(p)), doc: "Removes a file; whether that worked." },
        Native { name: "os_mkdir", params: "path", run: make_folder, doc: "Makes a folder, but none above it: none, or false if that failed." },
        Native { name: "os_rmdir", params: "path", run: |call| succeeds(call, |p| fs::remove_dir(p)), doc: "Removes an empty folder; whether that worked." },
        Native { name: "os_walk", params: "path", run: walk, doc: "A list of dicts `dirpath`, `dirs`, `files`: the folder, then those below. Names are sorted; links to folders are listed, not entered." },
        Native { name: "os_path_join", params: "part, /, *parts", run: join, doc: "The parts joined with slashes; an absolute part drops all before it." },
        Native { name: "os_path_exists", params: "path", run: |call| ask(call, |_| true), doc: "Whether the path leads to something." },
        Native { name: "os_path_isdir", params: "path", run: |call| ask(call, fs::Metadata::is_dir), doc: "Whether the path leads to a folder." },
        Native { name: "os_path_isfile", params: "path", run: |call| ask(call, fs::Metadata::is_file), doc: "Whether the path leads to a regular file." },
        Native { name: "os_path_basename", params: "path", run: |call| transformed(call, |p| rules::split(p).1.to_string()), doc: "The part after the last slash." },
        Native { name: "os_path_dirname", params: "path", run: |call| transformed(call, |p| rules::split(p).0.to_string()), doc: "The part before the last slash." },
        Native { name: "os_path_split", params: "path", run: |call| pair(call, rules::split), doc: "A list of the part before the last slash and the part after it." },
        Native { name: "os_path_splitext", params: "path", run: |call| pair(call, rules::split_extension), doc: "A list of the path without its extension, and the extension with its dot or empty." },
        Native { name: "os_path_abspath", params: "path", run: absolute, doc: "The path from the root, normalised; none if the current folder is gone." },
        Native { name: "os_path_normpath", params: "path", run: |call| transformed(call, rules::normal), doc: "The path without double slashes, `.` and `..`, as text." },
        Native { name: "os_getenv", params: "name", run: get_variable, doc: "An environment variable, or none." },
        Native { name: "os_setenv", params: "name, value", run: set_variable, doc: "Sets an environment variable, for children too; false for a name that cannot be one." },
        Native { name: "os_unsetenv", params: "name", run: unset_variable, doc: "Takes an environment variable out; false for a name that cannot be one." },
        Native { name: "os_environ", params: "", run: environment, doc: "A dict copy of the environment." },
    ],
    constants: &[],
};

/// Text of an argument that is a path or another outside text.
fn text(call: &mut Call, index: usize) -> Res<String> {
    match call.vm.try_fspath(call.arg(index))? {
        Some(path) => Ok(super::paths::text_and_kind(&path).0),
        None => Err(call.wrong_type(index, "str")),
    }
}

/// A path for the system; `None` for one no file can have.
fn system_path(text: &str) -> Option<PathBuf> {
    let bytes = surrogate::encode_utf8_surrogateescape(text).ok()?;
    (!bytes.contains(&0)).then(|| PathBuf::from(OsStr::from_bytes(&bytes)))
}

fn path(call: &mut Call, index: usize) -> Res<Option<PathBuf>> {
    Ok(system_path(&text(call, index)?))
}

fn succeeds(call: &mut Call, act: fn(&Path) -> io::Result<()>) -> Res {
    let path = path(call, 0)?;
    Ok(Value::bool(path.is_some_and(|path| act(&path).is_ok())))
}

fn ask(call: &mut Call, question: fn(&fs::Metadata) -> bool) -> Res {
    let path = path(call, 0)?;
    let found = path.and_then(|path| fs::metadata(path).ok());
    Ok(Value::bool(found.is_some_and(|found| question(&found))))
}

fn transformed(call: &mut Call, change: fn(&str) -> String) -> Res {
    Ok(Value::str(change(&text(call, 0)?)))
}

fn pair(call: &mut Call, parts: fn(&str) -> (&str, &str)) -> Res {
    let path = text(call, 0)?;
    let (first, second) = parts(&path);
    Ok(Value::list(vec![Value::str(first), Value::str(second)]))
}

fn current_folder(_call: &mut Call) -> Res {
    Ok(std::env::current_dir().map_or(Value::NONE, |path| Value::str(shown(&path))))
}

fn absolute(call: &mut Call) -> Res {
    let path = text(call, 0)?;
    let absolute = absolute_text(call.vm, &path);
    let absolute = call.vm.catch(absolute, crate::eval::Exc::OSError)?;
    Ok(absolute.map_or(Value::NONE, Value::str))
}

fn join(call: &mut Call) -> Res {
    let mut path = text(call, 0)?;
    for index in 1..=call.rest().len() {
        let part = text(call, index)?;
        rules::join(&mut path, &part);
    }
    Ok(Value::str(path))
}

fn rename(call: &mut Call) -> Res {
    let (Some(from), Some(to)) = (path(call, 0)?, path(call, 1)?) else { return Ok(Value::FALSE) };
    Ok(Value::bool(fs::rename(from, to).is_ok()))
}

fn copy(call: &mut Call) -> Res {
    let (Some(from), Some(to)) = (path(call, 0)?, path(call, 1)?) else { return Ok(Value::FALSE) };
    Ok(Value::bool(copy_file(&from, &to).is_ok()))
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let found = fs::metadata(from)?;
    if found.is_dir() {
        return Err(io::Error::from_raw_os_error(libc::EISDIR));
    }
    if fs::metadata(to).is_ok_and(|there| there.dev() == found.dev() && there.ino() == found.ino()) {
        // Copying a file onto itself would empty it.
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to)?;
    let times = FileTimes::new().set_accessed(found.accessed()?).set_modified(found.modified()?);
    // The copy is there; a file system that keeps no times, or a read-only copy, does not undo that.
    let _ = fs::File::open(to).and_then(|file| file.set_times(times));
    Ok(())
}

fn stat(call: &mut Call) -> Res {
    let path = path(call, 0)?;
    let Some(found) = path.and_then(|path| fs::metadata(path).ok()) else { return Ok(Value::NONE) };
    let pairs = [
        ("size", Value::int(found.size() as i64)),
        ("mtime", Value::int(found.mtime())),
        ("is_dir", Value::bool(found.is_dir())),
        ("is_file", Value::bool(found.is_file())),
    ];
    Ok(Dict::from_pairs(pairs).into())
}

fn make_folder(call: &mut Call) -> Res {
    let path = path(call, 0)?;
    let made = path.is_some_and(|path| fs::create_dir(path).is_ok());
    Ok(if made { Value::NONE } else { Value::FALSE })
}

fn walk(call: &mut Call) -> Res {
    let mut waiting = vec![text(call, 0)?];
    let mut all = Vec::new();
    while let Some(folder) = waiting.pop() {
        let Some(entries) = system_path(&folder).and_then(|path| sorted_entries(&path).ok()) else { continue };
        let (mut folders, mut files, mut below) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries {
            let name = mapping::text_of(entry.file_name().as_bytes());
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            if !fs::metadata(entry.path()).is_ok_and(|found| found.is_dir()) {
                files.push(Value::str(name));
                continue;
            }
            if !is_link {
                let mut path = folder.clone();
                rules::join(&mut path, &name);
                below.push(path);
            }
            folders.push(Value::str(name));
        }
        waiting.extend(below.into_iter().rev());
        let pairs =
            [("dirpath", Value::str(&folder)), ("dirs", Value::list(folders)), ("files", Value::list(files))];
        all.push(Dict::from_pairs(pairs).into());
    }
    Ok(Value::list(all))
}

/// The text of an argument of the environment, which must be a string.
fn check_text(call: &mut Call, index: usize) -> Res<()> {
    call.str(index).map(drop)
}

fn get_variable(call: &mut Call) -> Res {
    check_text(call, 0)?;
    let found = mapping::environment_value(call.vm, call.arg(0));
    let found = call.vm.catch(found, crate::eval::Exc::ValueError)?;
    Ok(Value::opt(found.flatten()))
}

/// Whether a change of the environment worked; names and values that cannot be are no errors here.
fn changed<T>(call: &mut Call, result: Res<T>) -> Res {
    let result = call.vm.catch(result, crate::eval::Exc::ValueError);
    let result = match result {
        Ok(done) => Ok(done.is_some()),
        Err(raised) => call.vm.catch(Err(raised), crate::eval::Exc::OSError).map(|done: Option<bool>| done.is_some()),
    };
    result.map(Value::bool)
}

fn set_variable(call: &mut Call) -> Res {
    check_text(call, 0)?;
    check_text(call, 1)?;
    let result = mapping::set_environment(call.vm, call.arg(0), call.arg(1));
    changed(call, result)
}

fn unset_variable(call: &mut Call) -> Res {
    check_text(call, 0)?;
    let result = mapping::unset_environment(call.vm, call.arg(0));
    changed(call, result)
}

fn environment(_call: &mut Call) -> Res {
    let dict = Dict::new(Default::default());
    for (name, value) in std::env::vars_os() {
        let text = |text: &OsStr| mapping::text_of(text.as_bytes());
        dict.set_text(&text(&name), Value::str(text(&value)));
    }
    Ok(dict.into())
}
