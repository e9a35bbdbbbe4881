//! `os`: file descriptors as numbers.

use super::{c_int, checked, last_error, path_at, settled};
use crate::builtins::structs::StructType;
use crate::call::Call;
use crate::eval::Vm;
use crate::value::{Res, Value};
use std::ffi::CString;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::os::unix::ffi::OsStrExt;

pub static TERMINAL_SIZE: StructType =
    StructType { module: "os", name: "terminal_size", fields: &["columns", "lines"], hidden: &[], more: 0 };

/// A file that uses a descriptor without owning it.
pub fn borrowed(number: i32) -> std::io::Result<ManuallyDrop<std::fs::File>> {
    // SAFETY: only asks.
    checked(unsafe { libc::fcntl(number, libc::F_GETFD) })?;
    // SAFETY: the descriptor is open, and never closed through this value.
    Ok(ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(number) }))
}

/// Repeats a system call that a signal cut short, after looking at what the signal wants.
fn retried(vm: &mut Vm, mut step: impl FnMut() -> isize) -> Res<isize> {
    loop {
        let result = step();
        if result >= 0 {
            return Ok(result);
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(vm.os_error(&error, None));
        }
        vm.handle_interrupt()?;
    }
}

pub fn open(call: &mut Call) -> Res {
    let path = path_at(call, 0, "path")?;
    let flags = c_int(call, 1)?;
    let mode = if call.opt(2).is_some() { c_int(call, 2)? } else { 0o777 };
    let Ok(name) = CString::new(path.path.as_os_str().as_bytes()) else {
        return Err(call.vm.value_error("embedded null byte"));
    };
    // SAFETY: the text ends with a null byte.
    let result = checked(unsafe { libc::open(name.as_ptr(), flags | libc::O_CLOEXEC, mode as libc::c_uint) });
    match result {
        Ok(number) => Ok(Value::int(number as i64)),
        Err(error) => Err(call.vm.os_error(&error, Some(&path.text))),
    }
}

pub fn close(call: &mut Call) -> Res {
    let number = c_int(call, 0)?;
    // SAFETY: the script says that nobody uses the descriptor any more; a bad one is reported.
    if unsafe { libc::close(number) } == -1 {
        return Err(last_error(call.vm));
    }
    Ok(Value::NONE)
}

pub fn closerange(call: &mut Call) -> Res {
    for number in c_int(call, 0)?..c_int(call, 1)? {
        // SAFETY: as for `close`; errors do not matter here.
        unsafe { libc::close(number) };
    }
    Ok(Value::NONE)
}

pub fn read(call: &mut Call) -> Res {
    let number = c_int(call, 0)?;
    let Ok(size) = usize::try_from(call.int(1)?) else {
        let error = std::io::Error::from_raw_os_error(libc::EINVAL);
        return Err(call.vm.os_error(&error, None));
    };
    let mut bytes = vec![0u8; size.min(1 << 30)];
    // SAFETY: `bytes` has that many bytes.
    let count = retried(call.vm, || unsafe { libc::read(number, bytes.as_mut_ptr().cast(), bytes.len()) })?;
    bytes.truncate(count as usize);
    Ok(Value::bytes(bytes))
}

pub fn write(call: &mut Call) -> Res {
    let number = c_int(call, 0)?;
    let bytes = call.vm.bytes_of(call.arg(1))?;
    // SAFETY: `bytes` has that many bytes.
    let count = retried(call.vm, || unsafe { libc::write(number, bytes.as_ptr().cast(), bytes.len()) })?;
    Ok(Value::int(count as i64))
}

pub fn pipe(call: &mut Call) -> Res {
    let mut ends = [0i32; 2];
    // SAFETY: there is room for two numbers.
    if unsafe { libc::pipe(ends.as_mut_ptr()) } == -1 {
        return Err(last_error(call.vm));
    }
    for end in ends {
        set_close_on_exec(call.vm, end, true)?;
    }
    Ok(Value::tuple(ends.map(|end| Value::int(end as i64)).to_vec()))
}

fn set_close_on_exec(vm: &mut Vm, number: i32, closes: bool) -> Res<()> {
    // SAFETY: only changes a flag of a descriptor; a bad one is reported.
    let result = unsafe { libc::fcntl(number, libc::F_SETFD, if closes { libc::FD_CLOEXEC } else { 0 }) };
    if result == -1 { Err(last_error(vm)) } else { Ok(()) }
}

pub fn dup(call: &mut Call) -> Res {
    let number = c_int(call, 0)?;
    // SAFETY: makes a new descriptor; a bad one is reported.
    let result = checked(unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 0) });
    Ok(Value::int(settled(call.vm, result)? as i64))
}

pub fn dup2(call: &mut Call) -> Res {
    let (from, to) = (c_int(call, 0)?, c_int(call, 1)?);
    let inheritable = call.truth_or(2, true)?;
    if matches!(to, 1 | 2) {
        // What is waiting belongs to the old file.
        let streams = &mut call.vm.streams;
        let _ = if to == 1 { streams.stdout.flush() } else { streams.stderr.flush() };
    }
    // SAFETY: the script says what is to become of the descriptor; a bad one is reported.
    let result = checked(unsafe { libc::dup2(from, to) });
    let number = settled(call.vm, result)?;
    set_close_on_exec(call.vm, number, !inheritable)?;
    Ok(Value::int(number as i64))
}

pub fn lseek(call: &mut Call) -> Res {
    let (number, position, whence) = (c_int(call, 0)?, call.int(1)?, c_int(call, 2)?);
    // SAFETY: only moves a position; a bad descriptor is reported.
    let result = unsafe { libc::lseek(number, position, whence) };
    if result == -1 { Err(last_error(call.vm)) } else { Ok(Value::int(result)) }
}

pub fn ftruncate(call: &mut Call) -> Res {
    let (number, length) = (c_int(call, 0)?, call.int(1)?);
    // SAFETY: a bad descriptor is reported.
    let result = checked(unsafe { libc::ftruncate(number, length) });
    settled(call.vm, result)?;
    Ok(Value::NONE)
}

pub fn fsync(call: &mut Call) -> Res {
    let value = call.arg(0);
    let number = if value.is::<crate::value::File>() {
        let number = call.vm.call_method(value, "fileno", &[])?;
        crate::builtins::sys::descriptor(call.vm, &number)?
    } else {
        c_int(call, 0)?
    };
    // SAFETY: a bad descriptor is reported.
    let result = checked(unsafe { libc::fsync(number) });
    settled(call.vm, result)?;
    Ok(Value::NONE)
}

pub fn isatty(call: &mut Call) -> Res {
    let number = c_int(call, 0)?;
    // SAFETY: only asks.
    Ok(Value::bool(unsafe { libc::isatty(number) } == 1))
}

pub fn get_inheritable(call: &mut Call) -> Res {
    let number = c_int(call, 0)?;
    // SAFETY: only asks.
    let result = checked(unsafe { libc::fcntl(number, libc::F_GETFD) });
    Ok(Value::bool(settled(call.vm, result)? & libc::FD_CLOEXEC == 0))
}

pub fn set_inheritable(call: &mut Call) -> Res {
    let number = c_int(call, 0)?;
    let inheritable = call.truth_or(1, false)?;
    set_close_on_exec(call.vm, number, !inheritable)?;
    Ok(Value::NONE)
}

fn status_flags(call: &mut Call) -> Res<(i32, i32)> {
    let number = c_int(call, 0)?;
    // SAFETY: only asks.
    let result = checked(unsafe { libc::fcntl(number, libc::F_GETFL) });
    Ok((number, settled(call.vm, result)?))
}

pub fn get_blocking(call: &mut Call) -> Res {
    let (_, flags) = status_flags(call)?;
    Ok(Value::bool(flags & libc::O_NONBLOCK == 0))
}

pub fn set_blocking(call: &mut Call) -> Res {
    let (number, flags) = status_flags(call)?;
    let blocking = call.truth_or(1, true)?;
    let flags = if blocking { flags & !libc::O_NONBLOCK } else { flags | libc::O_NONBLOCK };
    // SAFETY: only changes a flag.
    let result = checked(unsafe { libc::fcntl(number, libc::F_SETFL, flags) });
    settled(call.vm, result)?;
    Ok(Value::NONE)
}

pub fn get_terminal_size(call: &mut Call) -> Res {
    let number = if call.opt(0).is_some() { c_int(call, 0)? } else { 1 };
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: `size` is what this request writes.
    if unsafe { libc::ioctl(number, libc::TIOCGWINSZ, &mut size) } == -1 {
        return Err(last_error(call.vm));
    }
    let items = vec![Value::int(size.ws_col as i64), Value::int(size.ws_row as i64)];
    Ok(call.vm.struct_value(&TERMINAL_SIZE, items)?.into())
}
