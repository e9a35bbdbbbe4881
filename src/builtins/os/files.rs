//! `os`: files and folders.

use super::{Path, c_int, checked, done, done_two, path_argument, path_at, settled};
use crate::builtins::mapping::text_of;
use crate::builtins::structs::StructType;
use crate::call::Call;
use crate::eval::Vm;
use crate::value::{Int, Res, Value, View};
use std::ffi::CString;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::time::{Duration, SystemTime};

pub static STAT_RESULT: StructType = StructType {
    module: "os",
    name: "stat_result",
    fields: &[
        "st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid", "st_size", "st_atime", "st_mtime",
        "st_ctime",
    ],
    hidden: &["st_atime", "st_mtime", "st_ctime"],
    more: 9,
};

pub fn getcwd(call: &mut Call) -> Res {
    let result = std::env::current_dir();
    let path = settled(call.vm, result)?;
    Ok(Value::str(text_of(path.as_os_str().as_bytes())))
}

pub fn chdir(call: &mut Call) -> Res {
    let path = path_argument(call, 0, "path", "string, bytes, os.PathLike or integer")?;
    let result = std::env::set_current_dir(&path.path);
    done(call, result, &path)?;
    Ok(Value::NONE)
}

/// Names of what is in a folder.
pub fn names(path: &std::path::Path) -> std::io::Result<Vec<String>> {
    let entries = std::fs::read_dir(path)?;
    entries.map(|entry| entry.map(|entry| text_of(entry.file_name().as_bytes()))).collect()
}

pub fn listdir(call: &mut Call) -> Res {
    let path = match call.opt_not_none(0) {
        Some(_) => path_argument(call, 0, "path", "string, bytes, os.PathLike, integer or None")?,
        None => Path { text: ".".into(), path: ".".into() },
    };
    let result = names(&path.path);
    let names = done(call, result, &path)?;
    // A path of bytes gives names of bytes.
    if call.opt(0).is_some_and(|path| Vm::unwrap_native(path).is::<crate::value::Bytes>()) {
        let mut encoded = Vec::new();
        for name in &names {
            let bytes = crate::builtins::io::path_bytes(call.vm, name)?;
            encoded.push(Value::bytes(bytes.as_os_str().as_bytes().to_vec()));
        }
        return Ok(Value::list(encoded));
    }
    Ok(Value::list(names.iter().map(Value::str).collect()))
}

pub static STATVFS_RESULT: StructType = StructType {
    module: "os",
    name: "statvfs_result",
    fields: &[
        "f_bsize",
        "f_frsize",
        "f_blocks",
        "f_bfree",
        "f_bavail",
        "f_files",
        "f_ffree",
        "f_favail",
        "f_flag",
        "f_namemax",
    ],
    hidden: &[],
    more: 1,
};

pub fn statvfs(call: &mut Call) -> Res {
    let path = path_argument(call, 0, "path", "string, bytes, os.PathLike or integer")?;
    let result = nix::sys::statvfs::statvfs(&path.path).map_err(std::io::Error::from);
    let found = done(call, result, &path)?;
    let numbers = [
        found.block_size() as u64,
        found.fragment_size() as u64,
        found.blocks() as u64,
        found.blocks_free() as u64,
        found.blocks_available() as u64,
        found.files() as u64,
        found.files_free() as u64,
        found.files_available() as u64,
        found.flags().bits() as u64,
        found.name_max() as u64,
    ];
    let items = numbers.iter().map(|number| Value::int(*number as i64)).collect();
    Ok(call.vm.struct_value(&STATVFS_RESULT, items)?.into())
}

pub fn chown(call: &mut Call) -> Res {
    let path = path_at(call, 0, "path")?;
    let mut ids = [None; 2];
    for (index, id) in ids.iter_mut().enumerate() {
        let given = call.int(index + 1)?;
        // -1 leaves it as it is.
        *id = if given == -1 { None } else { Some(given as u32) };
    }
    let result = std::os::unix::fs::chown(&path.path, ids[0], ids[1]);
    done(call, result, &path)?;
    Ok(Value::NONE)
}

fn mode(call: &mut Call, index: usize) -> Res<u32> {
    Ok(if call.opt(index).is_some() { c_int(call, index)? as u32 } else { 0o777 })
}

pub fn mkdir(call: &mut Call) -> Res {
    let path = path_at(call, 0, "path")?;
    let mode = mode(call, 1)?;
    let result = std::fs::DirBuilder::new().mode(mode).create(&path.path);
    done(call, result, &path)?;
    Ok(Value::NONE)
}

pub fn makedirs(call: &mut Call) -> Res {
    let text = call.vm.path_text(call.arg(0))?;
    let path = crate::builtins::io::path_bytes(call.vm, &text)?;
    let mode = mode(call, 1)?;
    let may_exist = call.truth_or(2, false)?;
    let path = Path { text, path };
    if let Some(above) = path.path.parent()
        && !above.as_os_str().is_empty()
        && !above.exists()
    {
        let result = std::fs::create_dir_all(above);
        done(call, result, &path)?;
    }
    match std::fs::DirBuilder::new().mode(mode).create(&path.path) {
        Err(_) if may_exist && path.path.is_dir() => {}
        result => done(call, result, &path)?,
    }
    Ok(Value::NONE)
}

pub fn remove(call: &mut Call) -> Res {
    let path = path_at(call, 0, "path")?;
    let result = std::fs::remove_file(&path.path);
    done(call, result, &path)?;
    Ok(Value::NONE)
}

pub fn rmdir(call: &mut Call) -> Res {
    let path = path_at(call, 0, "path")?;
    let result = std::fs::remove_dir(&path.path);
    done(call, result, &path)?;
    Ok(Value::NONE)
}

/// Deletes the folders above a path as long as they are empty.
fn prune(path: &std::path::Path) {
    let mut above = path.parent();
    while let Some(folder) = above {
        if folder.as_os_str().is_empty() || std::fs::remove_dir(folder).is_err() {
            return;
        }
        above = folder.parent();
    }
}

pub fn removedirs(call: &mut Call) -> Res {
    let path = path_at(call, 0, "path")?;
    let result = std::fs::remove_dir(&path.path);
    done(call, result, &path)?;
    prune(&path.path);
    Ok(Value::NONE)
}

pub fn rename(call: &mut Call) -> Res {
    let (from, to) = (path_at(call, 0, "src")?, path_at(call, 1, "dst")?);
    let result = std::fs::rename(&from.path, &to.path);
    done_two(call, result, &from, &to)
}

pub fn renames(call: &mut Call) -> Res {
    let (from, to) = (path_at(call, 0, "src")?, path_at(call, 1, "dst")?);
    if let Some(above) = to.path.parent() {
        let result = std::fs::create_dir_all(above);
        done(call, result, &to)?;
    }
    let result = std::fs::rename(&from.path, &to.path);
    done_two(call, result, &from, &to)?;
    prune(&from.path);
    Ok(Value::NONE)
}

pub fn link(call: &mut Call) -> Res {
    let (from, to) = (path_at(call, 0, "src")?, path_at(call, 1, "dst")?);
    let result = std::fs::hard_link(&from.path, &to.path);
    done_two(call, result, &from, &to)
}

pub fn symlink(call: &mut Call) -> Res {
    let (from, to) = (path_at(call, 0, "src")?, path_at(call, 1, "dst")?);
    let result = std::os::unix::fs::symlink(&from.path, &to.path);
    done_two(call, result, &from, &to)
}

pub fn readlink(call: &mut Call) -> Res {
    let path = path_at(call, 0, "path")?;
    let result = std::fs::read_link(&path.path);
    let target = done(call, result, &path)?;
    Ok(Value::str(text_of(target.as_os_str().as_bytes())))
}

fn stat_result(vm: &mut Vm, m: &Metadata) -> Res {
    let items = [
        m.mode() as i64,
        m.ino() as i64,
        m.dev() as i64,
        m.nlink() as i64,
        m.uid() as i64,
        m.gid() as i64,
        m.size() as i64,
        m.atime(),
        m.mtime(),
        m.ctime(),
    ];
    let made = vm.struct_value(&STAT_RESULT, items.map(Value::int).to_vec())?;
    let times = [
        ("atime", m.atime(), m.atime_nsec()),
        ("mtime", m.mtime(), m.mtime_nsec()),
        ("ctime", m.ctime(), m.ctime_nsec()),
    ];
    for (name, seconds, nanoseconds) in times {
        let exact = seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds);
        let key = vm.intern(&format!("st_{name}"));
        made.attributes().set_str(&key, Value::float(seconds as f64 + nanoseconds as f64 * 1e-9));
        let key = vm.intern(&format!("st_{name}_ns"));
        made.attributes().set_str(&key, Value::int(exact));
    }
    for (name, number) in [("st_blocks", m.blocks()), ("st_blksize", m.blksize()), ("st_rdev", m.rdev())] {
        let key = vm.intern(name);
        made.attributes().set_str(&key, Value::int(number as i64));
    }
    Ok(made.into())
}

pub fn stat(call: &mut Call) -> Res {
    let follows = match call.keyword(0) {
        Some(follows) => call.vm.truth(follows)?,
        None => true,
    };
    if Int::of(call.arg(0)).is_some() {
        return fstat(call);
    }
    let path = path_argument(call, 0, "path", "string, bytes, os.PathLike or integer")?;
    let result = if follows { std::fs::metadata(&path.path) } else { std::fs::symlink_metadata(&path.path) };
    let metadata = done(call, result, &path)?;
    stat_result(call.vm, &metadata)
}

pub fn lstat(call: &mut Call) -> Res {
    let path = path_at(call, 0, "path")?;
    let result = std::fs::symlink_metadata(&path.path);
    let metadata = done(call, result, &path)?;
    stat_result(call.vm, &metadata)
}

pub fn fstat(call: &mut Call) -> Res {
    let number = c_int(call, 0)?;
    let result = super::descriptors::borrowed(number).and_then(|file| file.metadata());
    let metadata = settled(call.vm, result)?;
    stat_result(call.vm, &metadata)
}

pub fn chmod(call: &mut Call) -> Res {
    let path = path_argument(call, 0, "path", "string, bytes, os.PathLike or integer")?;
    let mode = c_int(call, 1)? as u32;
    let result = std::fs::set_permissions(&path.path, std::fs::Permissions::from_mode(mode));
    done(call, result, &path)?;
    Ok(Value::NONE)
}

pub fn utime(call: &mut Call) -> Res {
    let path = path_argument(call, 0, "path", "string, bytes, os.PathLike or integer")?;
    let (accessed, changed) = match call.opt_not_none(1) {
        Some(_) => match &call.items(1)?[..] {
            [accessed, changed] => (moment(call.vm, accessed)?, moment(call.vm, changed)?),
            _ => return Err(call.vm.type_error("utime: 'times' must be either a tuple of two ints or None")),
        },
        None => match call.keyword(0).filter(|pair| !pair.is_none()) {
            Some(pair) => match &call.vm.collect(pair)?[..] {
                [accessed, changed] => (exact_moment(call.vm, accessed)?, exact_moment(call.vm, changed)?),
                _ => return Err(call.vm.type_error("utime: 'ns' must be a tuple of two ints")),
            },
            None => (SystemTime::now(), SystemTime::now()),
        },
    };
    let times = std::fs::FileTimes::new().set_accessed(accessed).set_modified(changed);
    let result = std::fs::File::open(&path.path).and_then(|file| file.set_times(times));
    done(call, result, &path)?;
    Ok(Value::NONE)
}

/// A moment given in nanoseconds.
fn exact_moment(vm: &mut Vm, value: &Value) -> Res<SystemTime> {
    let since = Duration::from_nanos(vm.to_index(value)?.max(0) as u64);
    Ok(SystemTime::UNIX_EPOCH + since)
}

fn moment(vm: &mut Vm, value: &Value) -> Res<SystemTime> {
    let seconds = vm.to_float(value)?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(since) => Ok(SystemTime::UNIX_EPOCH + since),
        Err(_) => Err(vm.overflow_error("timestamp out of range for platform time_t")),
    }
}

pub fn truncate(call: &mut Call) -> Res {
    let path = path_argument(call, 0, "path", "string, bytes, os.PathLike or integer")?;
    let length = call.int(1)?.max(0) as u64;
    let result =
        std::fs::OpenOptions::new().write(true).open(&path.path).and_then(|file| file.set_len(length));
    done(call, result, &path)?;
    Ok(Value::NONE)
}

pub fn access(call: &mut Call) -> Res {
    let path = path_argument(call, 0, "path", "string, bytes, os.PathLike or integer")?;
    let mode = c_int(call, 1)?;
    let Ok(name) = CString::new(path.path.as_os_str().as_bytes()) else { return Ok(Value::FALSE) };
    // SAFETY: the text ends with a null byte.
    Ok(Value::bool(checked(unsafe { libc::access(name.as_ptr(), mode) }).is_ok()))
}

pub fn umask(call: &mut Call) -> Res {
    let mask = c_int(call, 0)?;
    // SAFETY: only sets a number.
    Ok(Value::int(unsafe { libc::umask(mask as libc::mode_t) } as i64))
}

pub fn fspath(call: &mut Call) -> Res {
    match Vm::unwrap_native(call.arg(0)).view() {
        View::Str(_) | View::Bytes(_) => Ok(call.arg(0).clone()),
        _ => Ok(Value::str(call.vm.path_text(call.arg(0))?)),
    }
}

pub fn fsencode(call: &mut Call) -> Res {
    let text = call.vm.path_text(call.arg(0))?;
    Ok(Value::bytes(call.vm.encode_escaped(&text)?))
}

pub fn fsdecode(call: &mut Call) -> Res {
    Ok(Value::str(call.vm.path_text(call.arg(0))?))
}
