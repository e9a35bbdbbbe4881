//! Folders, links, renaming and removing.

use super::path::shown;
use super::paths::{Also, PathArg, like};
use super::stat::{check_no_dir_fd, done, keyword_or_true};
use crate::builtins::io::path_bytes;
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::value::{Res, Value};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

pub const ROWS: &[Native] = &[
    Native { name: "getcwd", params: "", run: current_folder, doc: "The current folder." },
    Native { name: "getcwdb", params: "", run: current_folder_bytes, doc: "The current folder as `bytes`." },
    Native { name: "chdir", params: "path", run: change_folder, doc: "Changes the current folder." },
    Native { name: "fchdir", params: "fd", run: change_folder, doc: "Changes the current folder to that of a descriptor." },
    Native { name: "listdir", params: "path=None", run: list_folder, doc: "Names of what is in a folder, sorted." },
    Native { name: "mkdir", params: "path, mode=511, *, dir_fd=None", run: make_folder, doc: "Makes a folder; FileExistsError if there is something." },
    Native { name: "makedirs", params: "name, mode=511, exist_ok=False", run: make_folders, doc: "Makes a folder and those above it. With `exist_ok` one that is there already is no error." },
    Native { name: "rmdir", params: "path, *, dir_fd=None", run: remove_folder, doc: "Removes an empty folder." },
    Native { name: "remove", params: "path, *, dir_fd=None", run: remove, doc: "Removes a file or a link." },
    Native { name: "unlink", params: "path, *, dir_fd=None", run: remove, doc: "Removes a file or a link." },
    Native { name: "rename", params: "src, dst, *, src_dir_fd=None, dst_dir_fd=None", run: rename, doc: "Renames; replaces a file that is at `dst`." },
    Native { name: "replace", params: "src, dst, *, src_dir_fd=None, dst_dir_fd=None", run: rename, doc: "Renames; replaces a file that is at `dst`." },
    Native { name: "link", params: "src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True", run: link, doc: "Gives a file one more name." },
    Native { name: "symlink", params: "src, dst, target_is_directory=False, *, dir_fd=None", run: symlink, doc: "Makes a link `dst` that leads to `src`." },
    Native { name: "readlink", params: "path, *, dir_fd=None", run: read_link, doc: "Where a link leads to." },
    Native { name: "mkfifo", params: "path, mode=438, *, dir_fd=None", run: make_fifo, doc: "Makes a named pipe." },
    Native { name: "truncate", params: "path, length", run: truncate, doc: "Makes a file that many bytes long." },
];

fn current_folder(call: &mut Call) -> Res {
    super::path::current_folder(call.vm).map(Value::str)
}

fn current_folder_bytes(call: &mut Call) -> Res {
    let text = super::path::current_folder(call.vm)?;
    like(call.vm, true, &text)
}

fn change_folder(call: &mut Call) -> Res {
    let path = call.path(0, "path", Also::Descriptor)?;
    match path.descriptor {
        Some(descriptor) => {
            // SAFETY: no memory is involved.
            let result = unsafe { libc::fchdir(descriptor) };
            super::none_or_error(call.vm, result)
        }
        None => {
            let result = std::env::set_current_dir(&path.path);
            done(call, result, &path)
        }
    }
}

/// A folder's entries, sorted by name.
pub fn sorted_entries(path: &Path) -> io::Result<Vec<fs::DirEntry>> {
    let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_cached_key(fs::DirEntry::file_name);
    Ok(entries)
}

/// The folder an argument names, `.` by default, and its entries.
pub fn entries(call: &mut Call) -> Res<(PathArg, Vec<fs::DirEntry>)> {
    let mut path = call.path(0, "path", Also::DescriptorOrNone)?;
    if let Some(descriptor) = path.descriptor {
        path.path = format!("/dev/fd/{descriptor}").into();
    }
    match sorted_entries(&path.path) {
        Ok(entries) => Ok((path, entries)),
        Err(error) => Err(call.vm.path_error(&error, &path.shown)),
    }
}

fn list_folder(call: &mut Call) -> Res {
    let (path, entries) = entries(call)?;
    let mut names = Vec::with_capacity(entries.len());
    for entry in entries {
        names.push(like(call.vm, path.is_bytes, &shown(Path::new(&entry.file_name())))?);
    }
    Ok(Value::list(names))
}

fn create(path: &Path, mode: i32) -> io::Result<()> {
    fs::DirBuilder::new().mode(mode as u32).create(path)
}

fn mode_or(call: &mut Call, index: usize, default: i32) -> Res<i32> {
    if call.opt(index).is_some() { call.c_int(index) } else { Ok(default) }
}

fn make_folder(call: &mut Call) -> Res {
    check_no_dir_fd(call, 0)?;
    let path = call.path(0, "path", Also::Nothing)?;
    let mode = mode_or(call, 1, 0o777)?;
    let result = create(&path.path, mode);
    done(call, result, &path)
}

fn make_folders(call: &mut Call) -> Res {
    let name = call.vm.fspath(call.arg(0))?;
    let (text, is_bytes) = super::paths::text_and_kind(&name);
    if text.contains('\0') {
        return Err(call.vm.value_error("embedded null byte"));
    }
    let mode = mode_or(call, 1, 0o777)?;
    let exist_ok = call.truth_or(2, false)?;
    match make_with_parents(call.vm, &text, mode, exist_ok)? {
        Ok(()) => Ok(Value::NONE),
        Err((error, at)) => {
            let at = like(call.vm, is_bytes, &at)?;
            Err(call.vm.path_error(&error, &at))
        }
    }
}

/// Makes a folder and the missing ones above it; the error comes with the folder it is about.
fn make_with_parents(
    vm: &mut Vm,
    text: &str,
    mode: i32,
    exist_ok: bool,
) -> Res<Result<(), (io::Error, String)>> {
    let mut missing = vec![text.to_string()];
    let mut current = text.to_string();
    loop {
        // A slash at the end means the same folder.
        let (mut head, mut tail) = crate::text::path::split(&current);
        if tail.is_empty() {
            (head, tail) = crate::text::path::split(head);
        }
        if head.is_empty() || tail.is_empty() || path_bytes(vm, head)?.exists() {
            break;
        }
        current = head.to_string();
        missing.push(current.clone());
    }
    let last = missing.len() - 1;
    for (number, folder) in missing.into_iter().rev().enumerate() {
        let is_wanted = number == last;
        if !is_wanted && matches!(crate::text::path::split(&folder).1, "" | ".") {
            continue;
        }
        let path = path_bytes(vm, &folder)?;
        match create(&path, if is_wanted { mode } else { 0o777 }) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !is_wanted => {}
            Err(_) if exist_ok && path.is_dir() => {}
            Err(error) => return Ok(Err((error, folder))),
        }
    }
    Ok(Ok(()))
}

fn remove_folder(call: &mut Call) -> Res {
    check_no_dir_fd(call, 0)?;
    let path = call.path(0, "path", Also::Nothing)?;
    let result = fs::remove_dir(&path.path);
    done(call, result, &path)
}

fn remove(call: &mut Call) -> Res {
    check_no_dir_fd(call, 0)?;
    let path = call.path(0, "path", Also::Nothing)?;
    let result = fs::remove_file(&path.path);
    done(call, result, &path)
}

/// Two path arguments and what became of a call on them.
fn with_two(call: &mut Call, act: impl FnOnce(&Path, &Path) -> io::Result<()>) -> Res {
    let from = call.path(0, "src", Also::Nothing)?;
    let to = call.path(1, "dst", Also::Nothing)?;
    match act(&from.path, &to.path) {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(call.vm.paths_error(&error, &[from.shown, to.shown])),
    }
}

fn rename(call: &mut Call) -> Res {
    check_no_dir_fd(call, 0)?;
    check_no_dir_fd(call, 1)?;
    with_two(call, |from, to| fs::rename(from, to))
}

fn link(call: &mut Call) -> Res {
    check_no_dir_fd(call, 0)?;
    check_no_dir_fd(call, 1)?;
    keyword_or_true(call, 2)?;
    with_two(call, |from, to| fs::hard_link(from, to))
}

fn symlink(call: &mut Call) -> Res {
    check_no_dir_fd(call, 0)?;
    with_two(call, |from, to| std::os::unix::fs::symlink(from, to))
}

fn read_link(call: &mut Call) -> Res {
    check_no_dir_fd(call, 0)?;
    let path = call.path(0, "path", Also::Nothing)?;
    match fs::read_link(&path.path) {
        Ok(target) => like(call.vm, path.is_bytes, &shown(&target)),
        Err(error) => Err(call.vm.path_error(&error, &path.shown)),
    }
}

fn make_fifo(call: &mut Call) -> Res {
    check_no_dir_fd(call, 0)?;
    let path = call.path(0, "path", Also::Nothing)?;
    let mode = mode_or(call, 1, 0o666)?;
    let mode = nix::sys::stat::Mode::from_bits_truncate(mode as libc::mode_t);
    match nix::unistd::mkfifo(&path.path, mode) {
        Ok(()) => Ok(Value::NONE),
        // Python names no file here.
        Err(error) => Err(call.vm.os_error(&error.into(), None)),
    }
}

fn truncate(call: &mut Call) -> Res {
    let path = call.path(0, "path", Also::Descriptor)?;
    let length = call.int(1)?;
    match path.descriptor {
        Some(descriptor) => {
            // SAFETY: no memory is involved.
            let result = unsafe { libc::ftruncate(descriptor, length) };
            super::none_or_error(call.vm, result)
        }
        None => {
            let result = nix::unistd::truncate(&path.path, length);
            done(call, result, &path)
        }
    }
}

/// A path below a folder, as `os.scandir` and `os.walk` show it.
pub fn below(folder: &str, name: &std::ffi::OsStr) -> String {
    let mut path = folder.to_string();
    crate::text::path::join(&mut path, &crate::builtins::mapping::text_of(name.as_bytes()));
    path
}
