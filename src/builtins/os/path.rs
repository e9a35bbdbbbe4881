//! `os.path`: paths as text, by the rules of POSIX, and a few questions about what is there.

use super::row;
use crate::builtins::io::path_bytes;
use crate::builtins::mapping::text_of;
use crate::call::{Call, NativeModule};
use crate::eval::{Exc, Vm};
use crate::value::{Bytes, Int, Res, Value};
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

pub static MODULE: NativeModule = NativeModule {
    name: "os.path",
    doc: "Paths as text, and what is there.",
    functions: &[
        row("join", "a, /, *p", join, "Joins parts with `/`; an absolute part starts anew."),
        row("split", "p", split, "The tuple `(dirname, basename)`."),
        row(
            "splitext",
            "p",
            splitext,
            "The tuple `(root, ending)`; the ending starts with a dot or is empty.",
        ),
        row("splitdrive", "p", splitdrive, "The tuple `('', p)`: there are no drives."),
        row("basename", "p", basename, "What follows the last `/`."),
        row("dirname", "p", dirname, "What precedes the last `/`."),
        row(
            "normpath",
            "path",
            normpath,
            "Without double `/`, `.` and `..` that can be resolved in the text.",
        ),
        row("normcase", "s", normcase, "The path itself."),
        row("abspath", "path", abspath, "The normalised absolute path."),
        row(
            "realpath",
            "filename, *, strict=False",
            realpath,
            "The absolute path with all symbolic links resolved.",
        ),
        row(
            "relpath",
            "path, start=None",
            relpath,
            "The path as seen from `start`, the current folder if none is given.",
        ),
        row("isabs", "s", isabs, "Whether the path starts with `/`."),
        row(
            "exists",
            "path",
            |c| Ok(Value::bool(metadata(c, true)?.is_some())),
            "Whether there is something; false for a broken link.",
        ),
        row(
            "lexists",
            "path",
            |c| Ok(Value::bool(metadata(c, false)?.is_some())),
            "Whether there is something, be it a broken link.",
        ),
        row(
            "isfile",
            "path",
            |c| Ok(Value::bool(metadata(c, true)?.is_some_and(|m| m.is_file()))),
            "Whether it is a file.",
        ),
        row(
            "isdir",
            "s",
            |c| Ok(Value::bool(metadata(c, true)?.is_some_and(|m| m.is_dir()))),
            "Whether it is a folder.",
        ),
        row(
            "islink",
            "path",
            |c| Ok(Value::bool(metadata(c, false)?.is_some_and(|m| m.is_symlink()))),
            "Whether it is a symbolic link.",
        ),
        row("ismount", "path", ismount, "Whether another file system begins there."),
        row("getsize", "filename", |c| known(c, |m| Value::int(m.size() as i64)), "The size in bytes."),
        row(
            "getmtime",
            "filename",
            |c| known(c, |m| seconds(m.mtime(), m.mtime_nsec())),
            "When the content last changed, in seconds since 1970.",
        ),
        row(
            "getatime",
            "filename",
            |c| known(c, |m| seconds(m.atime(), m.atime_nsec())),
            "When it was last read, in seconds since 1970.",
        ),
        row(
            "getctime",
            "filename",
            |c| known(c, |m| seconds(m.ctime(), m.ctime_nsec())),
            "When its description last changed, in seconds since 1970.",
        ),
        row("samefile", "f1, f2", samefile, "Whether two paths are the same file."),
        row("expanduser", "path", expanduser, "With a leading `~` replaced by the home folder."),
        row("expandvars", "path", expandvars, "With `$NAME` and `${NAME}` replaced from the environment."),
        row("commonprefix", "m", commonprefix, "The longest common start of texts."),
        row("commonpath", "paths", commonpath, "The longest common path."),
    ],
    constants: &[
        ("sep", |_| Value::str("/")),
        ("altsep", |_| Value::NONE),
        ("extsep", |_| Value::str(".")),
        ("pathsep", |_| Value::str(":")),
        ("curdir", |_| Value::str(".")),
        ("pardir", |_| Value::str("..")),
        ("defpath", |_| Value::str("/bin:/usr/bin")),
        ("devnull", |_| Value::str("/dev/null")),
        ("supports_unicode_filenames", |_| Value::FALSE),
    ],
};

fn text(call: &mut Call, index: usize) -> Res<String> {
    call.vm.path_text(call.arg(index))
}

/// A path as the kind of text argument 0 is.
fn like(call: &mut Call, path: impl AsRef<str>) -> Res {
    if Vm::unwrap_native(call.arg(0)).is::<Bytes>() {
        return Ok(Value::bytes(call.vm.encode_escaped(path.as_ref())?));
    }
    Ok(Value::str(path))
}

/// Appends a part to a path.
pub fn push(path: &mut String, part: &str) {
    if part.starts_with('/') {
        path.clear();
    } else if !path.is_empty() && !path.ends_with('/') {
        path.push('/');
    }
    path.push_str(part);
}

fn join(call: &mut Call) -> Res {
    let mut parts = vec![call.arg(0)];
    parts.extend(call.rest());
    let mut path = String::new();
    for (i, part) in parts.into_iter().enumerate() {
        let text = call.vm.path_text(part);
        if text.is_err() && call.vm.is_raised(Exc::TypeError) {
            if i == 0 {
                return Err(crate::value::Raised);
            }
            call.vm.take_raised();
            let got = call.vm.type_name(part);
            return Err(call.vm.type_error(format!(
                "join() argument must be str, bytes, or os.PathLike object, not '{got}'"
            )));
        }
        let text = text?;
        if i == 0 { path = text } else { push(&mut path, &text) }
    }
    like(call, path)
}

/// Head and tail around the last `/`.
pub fn parts(path: &str) -> (&str, &str) {
    let at = path.rfind('/').map_or(0, |at| at + 1);
    let (head, tail) = path.split_at(at);
    let stripped = head.trim_end_matches('/');
    (if stripped.is_empty() { head } else { stripped }, tail)
}

/// Root and ending; leading dots of a name belong to the root.
pub fn ending(path: &str) -> (&str, &str) {
    let name = path.rfind('/').map_or(0, |at| at + 1);
    let first = path[name..].find(|c| c != '.').map_or(path.len(), |at| name + at);
    match path.rfind('.') {
        Some(dot) if dot > first => path.split_at(dot),
        _ => (path, ""),
    }
}

/// `normpath` of a text.
pub fn normal(path: &str) -> String {
    let slashes = path.len() - path.trim_start_matches('/').len();
    // Two slashes, and only two, mean something of their own in POSIX.
    let root = match slashes {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if kept.last().is_some_and(|last| *last != "..") => {
                kept.pop();
            }
            ".." if !root.is_empty() => {}
            part => kept.push(part),
        }
    }
    let joined = format!("{root}{}", kept.join("/"));
    if joined.is_empty() { ".".to_string() } else { joined }
}

/// `abspath` of a text.
pub fn absolute(path: &str) -> std::io::Result<String> {
    if path.starts_with('/') {
        return Ok(normal(path));
    }
    let mut whole = text_of(std::env::current_dir()?.as_os_str().as_bytes());
    push(&mut whole, path);
    Ok(normal(&whole))
}

fn absolute_text(call: &mut Call, path: &str) -> Res<String> {
    absolute(path).map_err(|error| call.vm.os_error(&error, None))
}

fn split(call: &mut Call) -> Res {
    let path = text(call, 0)?;
    let (head, tail) = parts(&path);
    Ok(Value::tuple(vec![like(call, head)?, like(call, tail)?]))
}

fn splitext(call: &mut Call) -> Res {
    let path = text(call, 0)?;
    let (root, ending) = ending(&path);
    Ok(Value::tuple(vec![like(call, root)?, like(call, ending)?]))
}

fn splitdrive(call: &mut Call) -> Res {
    let path = text(call, 0)?;
    Ok(Value::tuple(vec![like(call, "")?, like(call, path)?]))
}

fn basename(call: &mut Call) -> Res {
    let path = text(call, 0)?;
    like(call, parts(&path).1)
}

fn dirname(call: &mut Call) -> Res {
    let path = text(call, 0)?;
    like(call, parts(&path).0)
}

fn normpath(call: &mut Call) -> Res {
    let path = text(call, 0)?;
    like(call, normal(&path))
}

fn normcase(call: &mut Call) -> Res {
    let path = text(call, 0)?;
    like(call, path)
}

fn abspath(call: &mut Call) -> Res {
    let path = text(call, 0)?;
    let path = absolute_text(call, &path)?;
    like(call, path)
}

fn realpath(call: &mut Call) -> Res {
    let path = text(call, 0)?;
    let strict = match call.keyword(0) {
        Some(strict) => call.vm.truth(strict)?,
        None => false,
    };
    let absolute = absolute_text(call, &path)?;
    let real = path_bytes(call.vm, &path)?;
    match std::fs::canonicalize(if path.is_empty() { ".".into() } else { real }) {
        Ok(real) => like(call, text_of(real.as_os_str().as_bytes())),
        Err(error) if strict => Err(call.vm.os_error(&error, Some(&path))),
        // What exists is resolved, the rest stays as it is.
        Err(_) => {
            let resolved = resolve_existing(&absolute);
            like(call, resolved)
        }
    }
}

fn resolve_existing(path: &str) -> String {
    let mut above = path;
    loop {
        let (head, _) = parts(above);
        if head == above || head.is_empty() {
            return path.to_string();
        }
        if let Ok(real) = std::fs::canonicalize(head) {
            let mut whole = text_of(real.as_os_str().as_bytes());
            push(&mut whole, path[head.len()..].trim_start_matches('/'));
            return whole;
        }
        above = head;
    }
}

fn relpath(call: &mut Call) -> Res {
    let path = text(call, 0)?;
    if path.is_empty() {
        return Err(call.vm.value_error("no path specified"));
    }
    let start = match call.opt_not_none(1) {
        Some(_) => text(call, 1)?,
        None => ".".to_string(),
    };
    let (path, start) = (absolute_text(call, &path)?, absolute_text(call, &start)?);
    let pieces =
        |path: &str| -> Vec<String> { path.split('/').filter(|p| !p.is_empty()).map(String::from).collect() };
    let (path, start) = (pieces(&path), pieces(&start));
    let common = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let mut result = vec!["..".to_string(); start.len() - common];
    result.extend_from_slice(&path[common..]);
    like(call, if result.is_empty() { ".".to_string() } else { result.join("/") })
}

fn isabs(call: &mut Call) -> Res {
    Ok(Value::bool(text(call, 0)?.starts_with('/')))
}

/// What is at argument 0; `None` if there is nothing or it cannot be asked.
fn metadata(call: &mut Call, follow: bool) -> Res<Option<Metadata>> {
    if let Some(int) = Int::of(call.arg(0)) {
        let number = int.to_i64().and_then(|i| i32::try_from(i).ok()).unwrap_or(-1);
        return Ok(super::descriptors::borrowed(number).and_then(|file| file.metadata()).ok());
    }
    let path = call.vm.path_text(call.arg(0));
    if path.is_err() {
        if call.vm.is_raised(Exc::ValueError) {
            // A path with a null byte is nowhere.
            call.vm.take_raised();
            return Ok(None);
        }
        if call.vm.is_raised(Exc::TypeError) {
            call.vm.take_raised();
            let got = call.vm.type_name(call.arg(0));
            let name = if follow { "stat" } else { "lstat" };
            return Err(call.vm.type_error(format!(
                "{name}: path should be string, bytes, os.PathLike or integer, not {got}"
            )));
        }
    }
    let path = path_bytes(call.vm, &path?)?;
    Ok(if follow { std::fs::metadata(path) } else { std::fs::symlink_metadata(path) }.ok())
}

/// Something about what is at a path, which must be there.
fn known(call: &mut Call, ask: fn(&Metadata) -> Value) -> Res {
    let path = text(call, 0)?;
    let file = path_bytes(call.vm, &path)?;
    match std::fs::metadata(file) {
        Ok(metadata) => Ok(ask(&metadata)),
        Err(error) => Err(call.vm.os_error(&error, Some(&path))),
    }
}

fn seconds(seconds: i64, nanoseconds: i64) -> Value {
    Value::float(seconds as f64 + nanoseconds as f64 * 1e-9)
}

fn ismount(call: &mut Call) -> Res {
    let Some(own) = metadata(call, false)?.filter(|m| m.is_dir()) else { return Ok(Value::FALSE) };
    let path = text(call, 0)?;
    let above = path_bytes(call.vm, &format!("{path}/.."))?;
    let Ok(above) = std::fs::symlink_metadata(above) else { return Ok(Value::FALSE) };
    Ok(Value::bool(own.dev() != above.dev() || own.ino() == above.ino()))
}

fn samefile(call: &mut Call) -> Res {
    let mut found = Vec::new();
    for index in 0..2 {
        let path = text(call, index)?;
        let file = path_bytes(call.vm, &path)?;
        match std::fs::metadata(file) {
            Ok(metadata) => found.push((metadata.dev(), metadata.ino())),
            Err(error) => return Err(call.vm.os_error(&error, Some(&path))),
        }
    }
    Ok(Value::bool(found[0] == found[1]))
}

fn expanduser(call: &mut Call) -> Res {
    let path = text(call, 0)?;
    let Some(rest) = path.strip_prefix('~') else { return like(call, path) };
    let (user, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let home = if user.is_empty() {
        std::env::var_os("HOME").map(|home| text_of(home.as_bytes())).or_else(|| home_of(None))
    } else {
        home_of(Some(user))
    };
    match home {
        Some(home) => {
            let whole = format!("{}{rest}", home.trim_end_matches('/'));
            like(call, if whole.is_empty() { "/" } else { &whole })
        }
        None => like(call, path),
    }
}

/// The home folder of a user, or of the one this process runs as.
fn home_of(name: Option<&str>) -> Option<String> {
    let user = match name {
        Some(name) => nix::unistd::User::from_name(name),
        None => nix::unistd::User::from_uid(nix::unistd::getuid()),
    };
    Some(text_of(user.ok()??.dir.as_os_str().as_bytes()))
}

fn expandvars(call: &mut Call) -> Res {
    let path = text(call, 0)?;
    let mut out = String::new();
    let mut rest = path.as_str();
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, len) = match after.strip_prefix('{') {
            Some(inner) => match inner.find('}') {
                Some(end) => (&inner[..end], end + 2),
                None => ("", 0),
            },
            None => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                (&after[..end], end)
            }
        };
        let value = if name.is_empty() || name.contains(['=', '\0']) { None } else { std::env::var_os(name) };
        match value {
            Some(value) => out.push_str(&text_of(value.as_bytes())),
            None => out.push_str(&rest[at..at + 1 + len]),
        }
        rest = &after[len..];
    }
    out.push_str(rest);
    like(call, out)
}

fn commonprefix(call: &mut Call) -> Res {
    let items = call.items(0)?;
    let mut common: Option<String> = None;
    for item in &items {
        let text = call.vm.path_text(item)?;
        common = Some(match common {
            None => text,
            Some(so_far) => {
                let same = so_far.chars().zip(text.chars()).take_while(|(a, b)| a == b);
                same.map(|(a, _)| a).collect()
            }
        });
    }
    Ok(Value::str(common.unwrap_or_default()))
}

fn commonpath(call: &mut Call) -> Res {
    let items = call.items(0)?;
    if items.is_empty() {
        return Err(call.vm.value_error("commonpath() arg is an empty sequence"));
    }
    let mut common: Option<(bool, Vec<String>)> = None;
    for item in &items {
        let text = call.vm.path_text(item)?;
        let is_absolute = text.starts_with('/');
        let pieces: Vec<String> =
            text.split('/').filter(|p| !p.is_empty() && *p != ".").map(String::from).collect();
        common = Some(match common {
            None => (is_absolute, pieces),
            Some((other, _)) if other != is_absolute => {
                return Err(call.vm.value_error("Can't mix absolute and relative paths"));
            }
            Some((_, so_far)) => {
                let same = so_far.iter().zip(&pieces).take_while(|(a, b)| a == b).count();
                (is_absolute, so_far[..same].to_vec())
            }
        });
    }
    let (is_absolute, pieces) = common.unwrap_or_default();
    Ok(Value::str(format!("{}{}", if is_absolute { "/" } else { "" }, pieces.join("/"))))
}
