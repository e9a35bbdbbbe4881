//! `os.stat` and its relatives, and what they give.

use super::path::{metadata, metadata_of_descriptor};
use super::paths::{Also, PathArg};
use crate::builtins::structs::StructType;
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::value::{BigInt, Res, Str, Value};
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;

pub const ROWS: &[Native] = &[
    Native { name: "stat", params: "path, *, dir_fd=None, follow_symlinks=True", run: stat, doc: "What the system knows of a file: a `stat_result` with `st_mode`, `st_size`, `st_mtime` and more." },
    Native { name: "lstat", params: "path, *, dir_fd=None", run: lstat, doc: "As `stat`, of a link itself." },
    Native { name: "fstat", params: "fd", run: fstat, doc: "As `stat`, of an open descriptor." },
    Native { name: "access", params: "path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True", run: access, doc: "Whether this process may: `F_OK` there at all, `R_OK` read, `W_OK` write, `X_OK` run." },
    Native { name: "chmod", params: "path, mode, *, dir_fd=None, follow_symlinks=True", run: chmod, doc: "Sets the permission bits." },
    Native { name: "fchmod", params: "fd, mode", run: fchmod, doc: "Sets the permission bits of an open file." },
    Native { name: "chown", params: "path, uid, gid, *, dir_fd=None, follow_symlinks=True", run: chown, doc: "Sets owner and group; -1 leaves one as it is." },
    Native { name: "utime", params: "path, times=None, *, ns=None, dir_fd=None, follow_symlinks=True", run: utime, doc: "Sets the times of reading and changing: `times` in seconds, `ns` in nanoseconds, neither is now." },
];

pub static STAT_RESULT: StructType = StructType {
    module: "os",
    name: "stat_result",
    fields: &[
        "st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid", "st_size", "st_atime", "st_mtime", "st_ctime",
    ],
};

/// The class `os.stat_result`. As items its times are ints, as attributes floats.
pub fn stat_class(vm: &mut Vm) -> Res {
    let class = vm.struct_class(&STAT_RESULT)?;
    for name in &STAT_RESULT.fields[7..] {
        if class.attributes.remove_str(&Str::new(name)).is_some() {
            class.touch();
        }
    }
    Ok(class.into())
}

/// A `stat_result`.
pub fn stat_value(vm: &mut Vm, m: &Metadata) -> Res {
    stat_class(vm)?;
    let unsigned = |number: u64| Value::big(BigInt::from(number));
    let items = vec![
        Value::int(m.mode() as i64),
        unsigned(m.ino()),
        unsigned(m.dev()),
        unsigned(m.nlink()),
        Value::int(m.uid() as i64),
        Value::int(m.gid() as i64),
        unsigned(m.size()),
        Value::int(m.atime()),
        Value::int(m.mtime()),
        Value::int(m.ctime()),
    ];
    let result = vm.struct_value(&STAT_RESULT, items)?;
    let attributes = result.attributes();
    let times = [
        ("st_atime", m.atime(), m.atime_nsec()),
        ("st_mtime", m.mtime(), m.mtime_nsec()),
        ("st_ctime", m.ctime(), m.ctime_nsec()),
    ];
    for (name, seconds, nanoseconds) in times {
        attributes.set_text(name, super::path::seconds(seconds, nanoseconds));
        let all = BigInt::from(seconds) * 1_000_000_000 + nanoseconds;
        attributes.set_text(&format!("{name}_ns"), Value::big(all));
    }
    attributes.set_text("st_blksize", unsigned(m.blksize()));
    attributes.set_text("st_blocks", unsigned(m.blocks()));
    attributes.set_text("st_rdev", unsigned(m.rdev()));
    Ok(result.into())
}

/// Refuses a `dir_fd`, the keyword-only argument of that number.
pub fn check_no_dir_fd(call: &mut Call, keyword: usize) -> Res<()> {
    match call.keyword(keyword) {
        Some(given) if !given.is_none() => {
            let name = call.native.name;
            let message = format!("not supported yet: os.{name} with dir_fd");
            Err(call.vm.error(crate::eval::Exc::NotImplementedError, message))
        }
        _ => Ok(()),
    }
}

/// Truth of a keyword-only argument, which is true by default.
pub fn keyword_or_true(call: &mut Call, keyword: usize) -> Res<bool> {
    match call.keyword(keyword) {
        Some(value) => call.vm.truth(value),
        None => Ok(true),
    }
}

fn stat_of(call: &mut Call, path: &PathArg, follow: bool) -> Res {
    let result = match path.descriptor {
        Some(descriptor) => metadata_of_descriptor(descriptor),
        None => metadata(&path.path, follow),
    };
    match result {
        Ok(found) => stat_value(call.vm, &found),
        Err(error) => Err(call.vm.path_error(&error, &path.shown)),
    }
}

fn stat(call: &mut Call) -> Res {
    check_no_dir_fd(call, 0)?;
    let follow = keyword_or_true(call, 1)?;
    let path = call.path(0, "path", Also::Descriptor)?;
    stat_of(call, &path, follow)
}

fn lstat(call: &mut Call) -> Res {
    check_no_dir_fd(call, 0)?;
    let path = call.path(0, "path", Also::Nothing)?;
    stat_of(call, &path, false)
}

fn fstat(call: &mut Call) -> Res {
    match metadata_of_descriptor(call.c_int(0)?) {
        Ok(found) => stat_value(call.vm, &found),
        Err(error) => Err(call.vm.os_error(&error, None)),
    }
}

fn access(call: &mut Call) -> Res {
    check_no_dir_fd(call, 0)?;
    let path = call.path(0, "path", Also::Nothing)?;
    let mode = nix::unistd::AccessFlags::from_bits_truncate(call.c_int(1)?);
    Ok(Value::bool(nix::unistd::access(&path.path, mode).is_ok()))
}

/// Turns the result of a call on a path into `none` or its `OSError`.
pub fn done<E: Into<io::Error>>(call: &mut Call, result: Result<(), E>, path: &PathArg) -> Res {
    match result {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(call.vm.path_error(&error.into(), &path.shown)),
    }
}

fn chmod(call: &mut Call) -> Res {
    use std::os::unix::fs::PermissionsExt;
    check_no_dir_fd(call, 0)?;
    let mode = call.c_int(1)?;
    let path = call.path(0, "path", Also::Descriptor)?;
    if let Some(descriptor) = path.descriptor {
        return change_mode(call, descriptor, mode);
    }
    let permissions = std::fs::Permissions::from_mode(mode as u32);
    let result = std::fs::set_permissions(&path.path, permissions);
    done(call, result, &path)
}

fn fchmod(call: &mut Call) -> Res {
    let (descriptor, mode) = (call.c_int(0)?, call.c_int(1)?);
    change_mode(call, descriptor, mode)
}

fn change_mode(call: &mut Call, descriptor: i32, mode: i32) -> Res {
    // SAFETY: no memory is involved.
    let result = unsafe { libc::fchmod(descriptor, mode as libc::mode_t) };
    super::none_or_error(call.vm, result)
}

fn chown(call: &mut Call) -> Res {
    check_no_dir_fd(call, 0)?;
    let follow = keyword_or_true(call, 1)?;
    let path = call.path(0, "path", Also::Nothing)?;
    let owner = |number: i32| u32::try_from(number).ok();
    let (user, group) = (owner(call.c_int(1)?), owner(call.c_int(2)?));
    let change = if follow { std::os::unix::fs::chown } else { std::os::unix::fs::lchown };
    let result = change(&path.path, user, group);
    done(call, result, &path)
}

fn utime(call: &mut Call) -> Res {
    use nix::sys::stat::{UtimensatFlags, utimensat};
    use nix::sys::time::TimeSpec;
    check_no_dir_fd(call, 1)?;
    let nanoseconds = call.keyword(0).filter(|ns| !ns.is_none());
    let [accessed, modified] = match (call.opt_not_none(1), nanoseconds) {
        (Some(_), Some(_)) => {
            let message = "utime: you may specify either 'times' or 'ns' but not both";
            return Err(call.vm.value_error(message));
        }
        (Some(times), None) => time_pair(call, times, "utime: 'times' must be either a tuple of two ints or None", seconds_of)?,
        (None, Some(ns)) => time_pair(call, ns, "utime: 'ns' must be a tuple of two ints", nanoseconds_of)?,
        (None, None) => [TimeSpec::UTIME_NOW, TimeSpec::UTIME_NOW],
    };
    let follow = keyword_or_true(call, 2)?;
    let path = call.path(0, "path", Also::Nothing)?;
    let flag = if follow { UtimensatFlags::FollowSymlink } else { UtimensatFlags::NoFollowSymlink };
    match utimensat(nix::fcntl::AT_FDCWD, &path.path, &accessed, &modified, flag) {
        Ok(()) => Ok(Value::NONE),
        // Python names no file here.
        Err(error) => Err(call.vm.os_error(&error.into(), None)),
    }
}

type Spec = nix::sys::time::TimeSpec;

type Convert = fn(&mut Vm, &Value) -> Res<Spec>;

fn time_pair(call: &mut Call, pair: &Value, wanted: &str, convert: Convert) -> Res<[Spec; 2]> {
    let items = Vm::unwrap_native(pair).get::<crate::value::Tuple>().map(|pair| pair.items().to_vec());
    match items.as_deref() {
        Some([first, second]) => Ok([convert(call.vm, first)?, convert(call.vm, second)?]),
        _ => Err(call.vm.type_error(wanted)),
    }
}

fn seconds_of(vm: &mut Vm, value: &Value) -> Res<Spec> {
    if value.as_float().is_none() {
        return Ok(Spec::new(vm.to_index(value)? as libc::time_t, 0));
    }
    let seconds = vm.to_float(value)?;
    if seconds.is_nan() {
        return Err(vm.value_error("Invalid value NaN (not a number)"));
    }
    if seconds.abs() > i64::MAX as f64 {
        return Err(vm.overflow_error("timestamp out of range for platform time_t"));
    }
    // Rounded down, as Python does.
    let whole = seconds.floor();
    Ok(Spec::new(whole as libc::time_t, ((seconds - whole) * 1e9) as libc::c_long))
}

fn nanoseconds_of(vm: &mut Vm, value: &Value) -> Res<Spec> {
    let all = vm.to_index(value)?;
    Ok(Spec::new(all.div_euclid(1_000_000_000) as libc::time_t, all.rem_euclid(1_000_000_000) as libc::c_long))
}
