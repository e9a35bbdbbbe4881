//! Descriptors: what is below file objects. No descriptor made here reaches children by itself.

use super::paths::Also;
use super::stat::check_no_dir_fd;
use super::{none_or_error, retried};
use crate::builtins::structs::StructType;
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::value::{Res, Value};
use std::io;
use std::os::unix::ffi::OsStrExt;

pub const ROWS: &[Native] = &[
    Native { name: "open", params: "path, flags, mode=511, *, dir_fd=None", run: open, doc: "Opens a file with flags such as `O_RDWR | O_CREAT`; its descriptor." },
    Native { name: "fdopen", params: "fd, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None", run: fd_open, doc: "A file object on a descriptor; parameters as for `open`." },
    Native { name: "close", params: "fd", run: close, doc: "Closes a descriptor." },
    Native { name: "closerange", params: "fd_low, fd_high, /", run: close_range, doc: "Closes the descriptors from the first up to before the second; errors are ignored." },
    Native { name: "read", params: "fd, length, /", run: read, doc: "At most that many bytes; empty at the end. Waits for the first." },
    Native { name: "write", params: "fd, data, /", run: write, doc: "Writes bytes; how many were taken." },
    Native { name: "pread", params: "fd, length, offset, /", run: read_at, doc: "As `read`, from a place in the file." },
    Native { name: "pwrite", params: "fd, data, offset, /", run: write_at, doc: "As `write`, to a place in the file." },
    Native { name: "lseek", params: "fd, position, whence, /", run: seek, doc: "Moves to a place in the file; where that is." },
    Native { name: "dup", params: "fd, /", run: duplicate, doc: "A new descriptor of the same file." },
    Native { name: "dup2", params: "fd, fd2, inheritable=True", run: duplicate_to, doc: "Makes `fd2` a descriptor of the same file; closes first what it was." },
    Native { name: "pipe", params: "", run: pipe, doc: "A tuple of the reading and the writing end of a new pipe." },
    Native { name: "isatty", params: "fd, /", run: is_terminal, doc: "Whether the descriptor is a terminal." },
    Native { name: "ttyname", params: "fd, /", run: terminal_name, doc: "The path of a terminal." },
    Native { name: "get_terminal_size", params: "fd=1, /", run: terminal_size, doc: "Columns and lines of a terminal; OSError if it is none." },
    Native { name: "fsync", params: "fd", run: |call| on_descriptor(call, libc::fsync), doc: "Waits until what was written is on the disk." },
    Native { name: "fdatasync", params: "fd", run: |call| on_descriptor(call, libc::fsync), doc: "Waits until what was written is on the disk." },
    Native { name: "ftruncate", params: "fd, length, /", run: truncate, doc: "Makes an open file that many bytes long." },
    Native { name: "get_inheritable", params: "fd, /", run: is_inheritable, doc: "Whether children get the descriptor." },
    Native { name: "set_inheritable", params: "fd, inheritable, /", run: set_inheritable, doc: "Says whether children get the descriptor." },
    Native { name: "get_blocking", params: "fd, /", run: is_blocking, doc: "Whether reading and writing wait." },
    Native { name: "set_blocking", params: "fd, blocking, /", run: set_blocking, doc: "Says whether reading and writing wait." },
];

pub static TERMINAL_SIZE: StructType =
    StructType { module: "os", name: "terminal_size", fields: &["columns", "lines"] };

/// What a call that gives a number or -1 gave.
fn number_or_error(call: &mut Call, number: i64) -> Res {
    if number < 0 { Err(call.vm.last_os_error()) } else { Ok(Value::int(number)) }
}

fn open(call: &mut Call) -> Res {
    check_no_dir_fd(call, 0)?;
    let path = call.path(0, "path", Also::Nothing)?;
    let flags = call.c_int(1)? | libc::O_CLOEXEC;
    let mode = if call.opt(2).is_some() { call.c_int(2)? } else { 0o777 };
    let Ok(name) = std::ffi::CString::new(path.path.as_os_str().as_bytes()) else {
        return Err(call.vm.value_error("embedded null byte"));
    };
    let opened = retried(call.vm, || {
        // SAFETY: the name ends with a zero byte.
        checked(unsafe { libc::open(name.as_ptr(), flags, mode as libc::c_uint) } as i64)
    })?;
    match opened {
        Ok(descriptor) => Ok(Value::int(descriptor)),
        Err(error) => Err(call.vm.path_error(&error, &path.shown)),
    }
}

fn fd_open(call: &mut Call) -> Res {
    if crate::value::Int::of(call.arg(0)).is_none() {
        let got = call.vm.type_name(call.arg(0));
        return Err(call.vm.type_error(format!("invalid fd type ({got}, expected integer)")));
    }
    crate::builtins::io::open(call)
}

/// The number a call gave, or the error it left.
fn checked(number: i64) -> io::Result<i64> {
    if number < 0 { Err(io::Error::last_os_error()) } else { Ok(number) }
}

fn close(call: &mut Call) -> Res {
    on_descriptor(call, libc::close)
}

fn close_range(call: &mut Call) -> Res {
    let (low, high) = (call.c_int(0)?.max(0), call.c_int(1)?);
    for descriptor in low..high {
        // SAFETY: no memory is involved; the script owns its descriptors.
        unsafe { libc::close(descriptor) };
    }
    Ok(Value::NONE)
}

fn on_descriptor(call: &mut Call, act: unsafe extern "C" fn(i32) -> i32) -> Res {
    let descriptor = call.c_int(0)?;
    // SAFETY: `close` and `fsync` involve no memory.
    let result = unsafe { act(descriptor) };
    none_or_error(call.vm, result)
}

/// As much as Linux moves at once.
const LARGEST_TRANSFER: usize = 0x7fff_f000;

fn read_with(call: &mut Call, mut read: impl FnMut(i32, &mut [u8]) -> isize) -> Res {
    let descriptor = call.c_int(0)?;
    let Ok(length) = usize::try_from(call.int(1)?) else {
        return Err(call.vm.os_error(&io::Error::from_raw_os_error(libc::EINVAL), None));
    };
    let length = length.min(LARGEST_TRANSFER);
    let mut buffer = Vec::new();
    if buffer.try_reserve_exact(length).is_err() {
        return Err(call.vm.error_with(crate::eval::Exc::MemoryError, Vec::new()));
    }
    buffer.resize(length, 0);
    match retried(call.vm, || checked(read(descriptor, &mut buffer) as i64))? {
        Ok(count) => {
            buffer.truncate(count as usize);
            Ok(Value::bytes(buffer))
        }
        Err(error) => Err(call.vm.os_error(&error, None)),
    }
}

fn read(call: &mut Call) -> Res {
    read_with(call, |descriptor, buffer| {
        // SAFETY: the buffer is valid for its length.
        unsafe { libc::read(descriptor, buffer.as_mut_ptr().cast(), buffer.len()) }
    })
}

fn read_at(call: &mut Call) -> Res {
    let offset = call.int(2)?;
    read_with(call, |descriptor, buffer| {
        // SAFETY: the buffer is valid for its length.
        unsafe { libc::pread(descriptor, buffer.as_mut_ptr().cast(), buffer.len(), offset) }
    })
}

fn write_with(call: &mut Call, mut write: impl FnMut(i32, &[u8]) -> isize) -> Res {
    let descriptor = call.c_int(0)?;
    if Vm::unwrap_native(call.arg(1)).as_str().is_some() {
        return Err(call.vm.type_error("a bytes-like object is required, not 'str'"));
    }
    let data = call.bytes(1)?;
    let data = &data[..data.len().min(LARGEST_TRANSFER)];
    match retried(call.vm, || checked(write(descriptor, data) as i64))? {
        Ok(count) => Ok(Value::int(count)),
        Err(error) => Err(call.vm.os_error(&error, None)),
    }
}

fn write(call: &mut Call) -> Res {
    write_with(call, |descriptor, data| {
        // SAFETY: the data is valid for its length.
        unsafe { libc::write(descriptor, data.as_ptr().cast(), data.len()) }
    })
}

fn write_at(call: &mut Call) -> Res {
    let offset = call.int(2)?;
    write_with(call, |descriptor, data| {
        // SAFETY: the data is valid for its length.
        unsafe { libc::pwrite(descriptor, data.as_ptr().cast(), data.len(), offset) }
    })
}

fn seek(call: &mut Call) -> Res {
    let (descriptor, position, whence) = (call.c_int(0)?, call.int(1)?, call.c_int(2)?);
    // SAFETY: no memory is involved.
    let place = unsafe { libc::lseek(descriptor, position, whence) };
    number_or_error(call, place)
}

fn duplicate(call: &mut Call) -> Res {
    let descriptor = call.c_int(0)?;
    // SAFETY: no memory is involved.
    let made = unsafe { libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 0) };
    number_or_error(call, made as i64)
}

fn duplicate_to(call: &mut Call) -> Res {
    let (from, to) = (call.c_int(0)?, call.c_int(1)?);
    let inheritable = call.truth_or(2, true)?;
    let made = retried(call.vm, || {
        // SAFETY: no memory is involved; the script owns its descriptors.
        checked(unsafe { libc::dup2(from, to) } as i64)
    })?;
    match made {
        Ok(made) => {
            if !inheritable {
                seal(to);
            }
            Ok(Value::int(made))
        }
        Err(error) => Err(call.vm.os_error(&error, None)),
    }
}

/// Keeps a descriptor from children.
fn seal(descriptor: i32) {
    // SAFETY: no memory is involved.
    unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
}

fn pipe(call: &mut Call) -> Res {
    let mut ends = [0; 2];
    // SAFETY: there is room for both ends.
    if unsafe { libc::pipe(ends.as_mut_ptr()) } < 0 {
        return Err(call.vm.last_os_error());
    }
    ends.into_iter().for_each(seal);
    Ok(Value::tuple(ends.iter().map(|&end| Value::int(end as i64)).collect()))
}

fn is_terminal(call: &mut Call) -> Res {
    let descriptor = call.c_int(0)?;
    // SAFETY: no memory is involved.
    Ok(Value::bool(unsafe { libc::isatty(descriptor) } == 1))
}

fn terminal_name(call: &mut Call) -> Res {
    let descriptor = call.c_int(0)?;
    let mut name = [0 as libc::c_char; 256];
    // SAFETY: the buffer is valid for its length.
    let error = unsafe { libc::ttyname_r(descriptor, name.as_mut_ptr(), name.len()) };
    if error != 0 {
        return Err(call.vm.os_error(&io::Error::from_raw_os_error(error), None));
    }
    // SAFETY: on success the buffer holds a text that ends with a zero byte.
    Ok(Value::str(super::path::c_text(unsafe { std::ffi::CStr::from_ptr(name.as_ptr()) })))
}

fn terminal_size(call: &mut Call) -> Res {
    let descriptor = if call.opt(0).is_some() { call.c_int(0)? } else { 1 };
    // SAFETY: all zero is a valid `winsize`, and the call fills one in.
    let (result, size) = unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        (libc::ioctl(descriptor, libc::TIOCGWINSZ, &mut size), size)
    };
    if result < 0 {
        return Err(call.vm.last_os_error());
    }
    let items = vec![Value::int(size.ws_col as i64), Value::int(size.ws_row as i64)];
    Ok(call.vm.struct_value(&TERMINAL_SIZE, items)?.into())
}

fn truncate(call: &mut Call) -> Res {
    let (descriptor, length) = (call.c_int(0)?, call.int(1)?);
    // SAFETY: no memory is involved.
    let result = unsafe { libc::ftruncate(descriptor, length) };
    none_or_error(call.vm, result)
}

/// Flags of a descriptor, with `F_GETFD` or `F_GETFL`.
fn flags(call: &mut Call, which: i32) -> Res<i32> {
    let descriptor = call.c_int(0)?;
    // SAFETY: no memory is involved.
    let flags = unsafe { libc::fcntl(descriptor, which) };
    if flags < 0 { Err(call.vm.last_os_error()) } else { Ok(flags) }
}

/// Sets or clears a flag of a descriptor.
fn set_flag(call: &mut Call, get: i32, set: i32, flag: i32, on: bool) -> Res {
    let before = flags(call, get)?;
    let after = if on { before | flag } else { before & !flag };
    let descriptor = call.c_int(0)?;
    // SAFETY: no memory is involved.
    let result = unsafe { libc::fcntl(descriptor, set, after) };
    none_or_error(call.vm, result)
}

fn is_inheritable(call: &mut Call) -> Res {
    Ok(Value::bool(flags(call, libc::F_GETFD)? & libc::FD_CLOEXEC == 0))
}

fn set_inheritable(call: &mut Call) -> Res {
    let inheritable = call.truth_or(1, false)?;
    set_flag(call, libc::F_GETFD, libc::F_SETFD, libc::FD_CLOEXEC, !inheritable)
}

fn is_blocking(call: &mut Call) -> Res {
    Ok(Value::bool(flags(call, libc::F_GETFL)? & libc::O_NONBLOCK == 0))
}

fn set_blocking(call: &mut Call) -> Res {
    let blocking = call.truth_or(1, true)?;
    set_flag(call, libc::F_GETFL, libc::F_SETFL, libc::O_NONBLOCK, !blocking)
}
