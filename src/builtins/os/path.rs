//! `os.path`: Python's functions on POSIX paths. The rules for texts are in `crate::text::path`.

use super::paths::{like, text_and_kind};
use crate::builtins::io::path_bytes;
use crate::call::{Call, Native, NativeModule};
use crate::eval::Vm;
use crate::text::path as rules;
use crate::value::{Int, Raised, Res, Value};
use std::ffi::CStr;
use std::fs::{self, Metadata};
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub static MODULE: NativeModule = named("os.path");

/// The same under its other name.
pub static POSIXPATH: NativeModule = named("posixpath");

const fn named(name: &'static str) -> NativeModule {
    NativeModule {
        name,
        doc: "Paths: taking them apart, putting them together, asking about what they lead to.",
        functions: FUNCTIONS,
        constants: CONSTANTS,
    }
}

const CONSTANTS: &[super::Constant] = &[
    ("sep", |_| Value::str("/")),
    ("altsep", |_| Value::NONE),
    ("extsep", |_| Value::str(".")),
    ("pathsep", |_| Value::str(":")),
    ("curdir", |_| Value::str(".")),
    ("pardir", |_| Value::str("..")),
    ("defpath", |_| Value::str("/bin:/usr/bin")),
    ("devnull", |_| Value::str("/dev/null")),
    ("supports_unicode_filenames", |_| Value::FALSE),
];

const FUNCTIONS: &[Native] = &[
    Native { name: "join", params: "a, *p", run: join, doc: "The parts joined with slashes; an absolute part drops all before it." },
    Native { name: "split", params: "p", run: split, doc: "A tuple of the part before the last slash and the part after it." },
    Native { name: "splitext", params: "p", run: split_extension, doc: "A tuple of the path without its extension, and the extension with its dot or empty." },
    Native { name: "splitdrive", params: "p", run: split_drive, doc: "A tuple of the drive, always empty here, and the path." },
    Native { name: "splitroot", params: "p", run: split_root, doc: "A tuple of the drive, always empty here, the slashes of the root and the rest." },
    Native { name: "basename", params: "p", run: basename, doc: "The part after the last slash." },
    Native { name: "dirname", params: "p", run: dirname, doc: "The part before the last slash." },
    Native { name: "isabs", params: "s", run: is_absolute, doc: "Whether the path starts with a slash." },
    Native { name: "normcase", params: "s", run: normal_case, doc: "The path as it is." },
    Native { name: "normpath", params: "path", run: normal, doc: "The path without double slashes, `.` and `..`, as text." },
    Native { name: "abspath", params: "path", run: absolute, doc: "The path from the root, normalised." },
    Native { name: "realpath", params: "filename, *, strict=False", run: real, doc: "The absolute path with all links followed. With `strict`, OSError if something is missing." },
    Native { name: "relpath", params: "path, start=None", run: relative, doc: "How to get to the path from `start`, which is the current folder by default." },
    Native { name: "commonpath", params: "paths", run: common_path, doc: "The longest path all begin with, by whole parts; ValueError for none at all or for a mix of absolute and relative ones." },
    Native { name: "commonprefix", params: "m", run: common_prefix, doc: "The longest text all begin with." },
    Native { name: "expanduser", params: "path", run: expand_user, doc: "The path with `~` or `~name` at its start replaced by that home folder." },
    Native { name: "expandvars", params: "path", run: expand_variables, doc: "The path with `$NAME` and `${NAME}` replaced by environment variables." },
    Native { name: "exists", params: "path", run: |call| ask(call, true, |_| true), doc: "Whether the path leads to something; false for a broken link." },
    Native { name: "lexists", params: "path", run: |call| ask(call, false, |_| true), doc: "Whether there is something, be it a broken link." },
    Native { name: "isfile", params: "path", run: |call| ask(call, true, Metadata::is_file), doc: "Whether the path leads to a regular file." },
    Native { name: "isdir", params: "s", run: |call| ask(call, true, Metadata::is_dir), doc: "Whether the path leads to a folder." },
    Native { name: "islink", params: "path", run: |call| ask(call, false, Metadata::is_symlink), doc: "Whether the path is a symbolic link." },
    Native { name: "isjunction", params: "path", run: is_junction, doc: "Always false: only Windows has junctions." },
    Native { name: "ismount", params: "path", run: is_mount, doc: "Whether another file system starts here." },
    Native { name: "getsize", params: "filename", run: |call| measure(call, |m| Value::int(m.size() as i64)), doc: "Size in bytes." },
    Native { name: "getmtime", params: "filename", run: |call| measure(call, |m| seconds(m.mtime(), m.mtime_nsec())), doc: "When the contents changed last, in seconds since 1970." },
    Native { name: "getatime", params: "filename", run: |call| measure(call, |m| seconds(m.atime(), m.atime_nsec())), doc: "When it was read last, in seconds since 1970." },
    Native { name: "getctime", params: "filename", run: |call| measure(call, |m| seconds(m.ctime(), m.ctime_nsec())), doc: "When its description changed last, in seconds since 1970." },
    Native { name: "samefile", params: "f1, f2", run: same_file, doc: "Whether both paths lead to the same file." },
    Native { name: "sameopenfile", params: "fp1, fp2", run: same_file, doc: "Whether both descriptors are of the same file." },
    Native { name: "samestat", params: "s1, s2", run: same_stat, doc: "Whether two results of `os.stat` are of the same file." },
];

/// Seconds and nanoseconds as a float.
pub fn seconds(whole: i64, nanoseconds: i64) -> Value {
    Value::float(whole as f64 + nanoseconds as f64 * 1e-9)
}

/// The text of a path argument, and whether it is `bytes`.
fn text(call: &mut Call, index: usize) -> Res<(String, bool)> {
    Ok(text_and_kind(&call.vm.fspath(call.arg(index))?))
}

/// A text made from a path argument.
fn transformed(call: &mut Call, change: impl FnOnce(&str) -> String) -> Res {
    let (path, is_bytes) = text(call, 0)?;
    like(call.vm, is_bytes, &change(&path))
}

fn pair(call: &mut Call, parts: impl FnOnce(&str) -> (&str, &str)) -> Res {
    let (path, is_bytes) = text(call, 0)?;
    let (first, second) = parts(&path);
    let items = vec![like(call.vm, is_bytes, first)?, like(call.vm, is_bytes, second)?];
    Ok(Value::tuple(items))
}

fn join(call: &mut Call) -> Res {
    let (mut path, is_bytes) = text(call, 0)?;
    for part in call.rest() {
        let Some(part) = call.vm.try_fspath(part)? else {
            let got = call.vm.type_name(part);
            let message = format!("join() argument must be str, bytes, or os.PathLike object, not '{got}'");
            return Err(call.vm.type_error(message));
        };
        let (part, part_is_bytes) = text_and_kind(&part);
        if part_is_bytes != is_bytes {
            return Err(mixed(call.vm));
        }
        rules::join(&mut path, &part);
    }
    like(call.vm, is_bytes, &path)
}

fn mixed(vm: &mut Vm) -> Raised {
    vm.type_error("Can't mix strings and bytes in path components")
}

fn split(call: &mut Call) -> Res {
    pair(call, rules::split)
}

fn split_extension(call: &mut Call) -> Res {
    pair(call, rules::split_extension)
}

fn split_drive(call: &mut Call) -> Res {
    pair(call, |path| ("", path))
}

fn split_root(call: &mut Call) -> Res {
    let (path, is_bytes) = text(call, 0)?;
    let (root, rest) = rules::split_root(&path);
    let mut items = Vec::new();
    for part in ["", root, rest] {
        items.push(like(call.vm, is_bytes, part)?);
    }
    Ok(Value::tuple(items))
}

fn basename(call: &mut Call) -> Res {
    transformed(call, |path| rules::split(path).1.to_string())
}

fn dirname(call: &mut Call) -> Res {
    transformed(call, |path| rules::split(path).0.to_string())
}

fn is_absolute(call: &mut Call) -> Res {
    Ok(Value::bool(text(call, 0)?.0.starts_with('/')))
}

fn normal_case(call: &mut Call) -> Res {
    call.vm.fspath(call.arg(0))
}

fn normal(call: &mut Call) -> Res {
    transformed(call, rules::normal)
}

/// The current folder as text.
pub fn current_folder(vm: &mut Vm) -> Res<String> {
    match std::env::current_dir() {
        Ok(path) => Ok(shown(&path)),
        Err(error) => Err(vm.os_error(&error, None)),
    }
}

/// A path of the system as text.
pub fn shown(path: &Path) -> String {
    crate::builtins::mapping::text_of(path.as_os_str().as_bytes())
}

/// A path from the root, normalised.
pub fn absolute_text(vm: &mut Vm, path: &str) -> Res<String> {
    if path.starts_with('/') {
        return Ok(rules::normal(path));
    }
    let mut whole = current_folder(vm)?;
    rules::join(&mut whole, path);
    Ok(rules::normal(&whole))
}

fn absolute(call: &mut Call) -> Res {
    let (path, is_bytes) = text(call, 0)?;
    let absolute = absolute_text(call.vm, &path)?;
    like(call.vm, is_bytes, &absolute)
}

fn real(call: &mut Call) -> Res {
    let given = call.vm.fspath(call.arg(0))?;
    let (path, is_bytes) = text_and_kind(&given);
    let strict = match call.keyword(0) {
        Some(strict) => call.vm.truth(strict)?,
        None => false,
    };
    if path.contains('\0') {
        return Err(call.vm.value_error("embedded null byte"));
    }
    let start = if path.starts_with('/') { "/".to_string() } else { current_folder(call.vm)? };
    let (start, path) = (path_bytes(call.vm, &start)?, path_bytes(call.vm, &path)?);
    match resolve(start.clone(), &path, strict) {
        Ok(real) => like(call.vm, is_bytes, &shown(&real)),
        Err((error, at)) => {
            let at = at.strip_prefix(if path.is_absolute() { Path::new("") } else { &start }).unwrap_or(&at);
            let at = like(call.vm, is_bytes, &shown(at))?;
            Err(call.vm.path_error(&error, &at))
        }
    }
}

/// As many links as Linux follows.
const MOST_LINKS: usize = 40;

/// Follows every link on the way from `place`. Unless `strict`, what is missing or goes in circles stays as it is.
fn resolve(mut place: PathBuf, path: &Path, strict: bool) -> Result<PathBuf, (io::Error, PathBuf)> {
    let parts_of = |path: &Path| -> Vec<Vec<u8>> {
        path.as_os_str().as_bytes().split(|&b| b == b'/').rev().map(<[u8]>::to_vec).collect()
    };
    let mut parts = parts_of(path);
    let mut links = 0;
    while let Some(part) = parts.pop() {
        match part.as_slice() {
            b"" | b"." => continue,
            b".." => {
                place.pop();
                continue;
            }
            _ => {}
        }
        let next = place.join(std::ffi::OsStr::from_bytes(&part));
        match fs::read_link(&next) {
            Ok(_) if links == MOST_LINKS => {
                if strict {
                    return Err((io::Error::from_raw_os_error(libc::ELOOP), next));
                }
                place = next;
            }
            Ok(target) => {
                links += 1;
                if target.is_absolute() {
                    place = PathBuf::from("/");
                }
                parts.extend(parts_of(&target));
            }
            Err(error) if strict && error.raw_os_error() != Some(libc::EINVAL) => return Err((error, next)),
            Err(_) => place = next,
        }
    }
    Ok(place)
}

fn relative(call: &mut Call) -> Res {
    let (path, is_bytes) = if call.arg(0).is_none() { Default::default() } else { text(call, 0)? };
    if path.is_empty() {
        return Err(call.vm.value_error("no path specified"));
    }
    let start = match call.opt_not_none(1) {
        None => current_folder(call.vm)?,
        Some(_) => {
            let (start, start_is_bytes) = text(call, 1)?;
            if start_is_bytes != is_bytes {
                return Err(mixed(call.vm));
            }
            absolute_text(call.vm, &start)?
        }
    };
    let path = absolute_text(call.vm, &path)?;
    like(call.vm, is_bytes, &rules::relative(&path, &start))
}

/// Texts of the paths in an iterable argument, and whether they are `bytes`.
fn texts(call: &mut Call) -> Res<(Vec<String>, bool)> {
    let (mut all, mut is_bytes) = (Vec::new(), None);
    for item in call.items(0)? {
        let (text, kind) = text_and_kind(&call.vm.fspath(&item)?);
        if *is_bytes.get_or_insert(kind) != kind {
            return Err(mixed(call.vm));
        }
        all.push(text);
    }
    Ok((all, is_bytes.unwrap_or(false)))
}

fn common_path(call: &mut Call) -> Res {
    let (paths, is_bytes) = texts(call)?;
    let Some(first) = paths.first() else {
        return Err(call.vm.value_error("commonpath() arg is an empty sequence"));
    };
    if paths.iter().any(|path| path.starts_with('/') != first.starts_with('/')) {
        return Err(call.vm.value_error("Can't mix absolute and relative paths"));
    }
    like(call.vm, is_bytes, &rules::common(&paths))
}

fn common_prefix(call: &mut Call) -> Res {
    let (paths, is_bytes) = texts(call)?;
    like(call.vm, is_bytes, rules::common_prefix(&paths))
}

fn expand_user(call: &mut Call) -> Res {
    transformed(call, |path| {
        let Some(rest) = path.strip_prefix('~') else { return path.to_string() };
        let (name, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        match home(name) {
            None => path.to_string(),
            Some(home) => {
                let whole = format!("{}{rest}", home.trim_end_matches('/'));
                if whole.is_empty() { "/".to_string() } else { whole }
            }
        }
    })
}

/// The home folder of a user, or of this one for an empty name.
fn home(name: &str) -> Option<String> {
    if name.is_empty()
        && let Some(home) = std::env::var_os("HOME")
    {
        return Some(shown(Path::new(&home)));
    }
    let user = match name {
        "" => nix::unistd::User::from_uid(nix::unistd::getuid()),
        name => nix::unistd::User::from_name(name),
    };
    user.ok().flatten().map(|user| shown(&user.dir))
}

fn expand_variables(call: &mut Call) -> Res {
    transformed(call, |path| {
        rules::expand_variables(path, |name| {
            let is_possible = !name.contains(['=', '\0']);
            let value = if is_possible { std::env::var_os(name) } else { None };
            value.map(|value| shown(Path::new(&value)))
        })
    })
}

/// What the system says about an open descriptor.
pub fn metadata_of_descriptor(descriptor: i32) -> io::Result<Metadata> {
    if descriptor < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: the file is never dropped, so the descriptor stays with its owner; a bad one is reported.
    ManuallyDrop::new(unsafe { fs::File::from_raw_fd(descriptor) }).metadata()
}

/// What the system says about a path.
pub fn metadata(path: &Path, follow: bool) -> io::Result<Metadata> {
    if follow { fs::metadata(path) } else { fs::symlink_metadata(path) }
}

/// A question about a path; false where there is nothing to ask.
fn ask(call: &mut Call, follow: bool, question: fn(&Metadata) -> bool) -> Res {
    if follow && Int::of(call.arg(0)).is_some() {
        let descriptor = call.c_int(0)?;
        return Ok(Value::bool(metadata_of_descriptor(descriptor).is_ok_and(|m| question(&m))));
    }
    let Some(path) = call.vm.try_fspath(call.arg(0))? else {
        let (function, got) = (if follow { "stat" } else { "lstat" }, call.vm.type_name(call.arg(0)));
        let wanted = if follow { "string, bytes, os.PathLike or integer" } else { "string, bytes or os.PathLike" };
        return Err(call.vm.type_error(format!("{function}: path should be {wanted}, not {got}")));
    };
    Ok(Value::bool(lookup(&path, follow).is_some_and(|m| question(&m))))
}

/// What is at a path that `fspath` gave, if anything.
fn lookup(path: &Value, follow: bool) -> Option<Metadata> {
    let (text, _) = text_and_kind(path);
    let bytes = crate::text::surrogate::encode_utf8_surrogateescape(&text).ok()?;
    metadata(Path::new(std::ffi::OsStr::from_bytes(&bytes)), follow).ok()
}

fn is_junction(call: &mut Call) -> Res {
    call.vm.fspath(call.arg(0))?;
    Ok(Value::FALSE)
}

fn is_mount(call: &mut Call) -> Res {
    let path = call.vm.fspath(call.arg(0))?;
    let Some(own) = lookup(&path, false).filter(|m| !m.is_symlink()) else { return Ok(Value::FALSE) };
    let (mut above, _) = text_and_kind(&path);
    rules::join(&mut above, "..");
    let above = lookup(&Value::str(above), false);
    Ok(Value::bool(above.is_some_and(|above| above.dev() != own.dev() || above.ino() == own.ino())))
}

/// What is at a path or behind a descriptor.
fn existing(call: &mut Call, index: usize) -> Res<Metadata> {
    let (result, shown) = if Int::of(call.arg(index)).is_some() {
        (metadata_of_descriptor(call.c_int(index)?), call.arg(index).clone())
    } else {
        let shown = call.vm.fspath(call.arg(index))?;
        let (text, _) = text_and_kind(&shown);
        if text.contains('\0') {
            return Err(call.vm.value_error("embedded null byte"));
        }
        (metadata(&path_bytes(call.vm, &text)?, true), shown)
    };
    result.map_err(|error| call.vm.path_error(&error, &shown))
}

fn measure(call: &mut Call, value: fn(&Metadata) -> Value) -> Res {
    Ok(value(&existing(call, 0)?))
}

fn same_file(call: &mut Call) -> Res {
    let (first, second) = (existing(call, 0)?, existing(call, 1)?);
    Ok(Value::bool(first.dev() == second.dev() && first.ino() == second.ino()))
}

fn same_stat(call: &mut Call) -> Res {
    for name in ["st_ino", "st_dev"] {
        let name = call.vm.intern(name);
        let first = call.vm.get_attribute(call.arg(0), &name)?;
        let second = call.vm.get_attribute(call.arg(1), &name)?;
        if !call.vm.eq(&first, &second)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

/// Text of a C string of the system.
pub fn c_text(text: &CStr) -> String {
    crate::builtins::mapping::text_of(text.to_bytes())
}
