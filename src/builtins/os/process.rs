//! `os`: this process, its environment, and others.

use super::{c_int, checked, last_error, settled};
use crate::builtins::mapping;
use crate::builtins::mp::OnInterrupt;
use crate::builtins::structs::StructType;
use crate::call::Call;
use crate::eval::Vm;
use crate::mp;
use crate::value::{Raised, Res, Value};
use std::ffi::{CStr, CString};
use std::io;

static UNAME_RESULT: StructType = StructType {
    module: "posix",
    name: "uname_result",
    fields: &["sysname", "nodename", "release", "version", "machine"],
    hidden: &[],
    more: 0,
};

static TIMES_RESULT: StructType = StructType {
    module: "posix",
    name: "times_result",
    fields: &["user", "system", "children_user", "children_system", "elapsed"],
    hidden: &[],
    more: 0,
};

pub fn getenv(call: &mut Call) -> Res {
    match mapping::environment_value(call.vm, call.arg(0))? {
        Some(value) => Ok(value),
        None => Ok(Value::opt(call.opt(1).cloned())),
    }
}

pub fn putenv(call: &mut Call) -> Res {
    mapping::set_environment(call.vm, call.arg(0), call.arg(1))?;
    Ok(Value::NONE)
}

pub fn unsetenv(call: &mut Call) -> Res {
    mapping::unset_environment(call.vm, call.arg(0))?;
    Ok(Value::NONE)
}

pub fn getpid(_: &mut Call) -> Res {
    Ok(Value::int(std::process::id() as i64))
}

pub fn getppid(_: &mut Call) -> Res {
    Ok(Value::int(std::os::unix::process::parent_id() as i64))
}

pub fn getuid(_: &mut Call) -> Res {
    // SAFETY: only asks, and cannot fail; so for the next ones.
    Ok(Value::int(unsafe { libc::getuid() } as i64))
}

pub fn geteuid(_: &mut Call) -> Res {
    Ok(Value::int(unsafe { libc::geteuid() } as i64))
}

pub fn getgid(_: &mut Call) -> Res {
    Ok(Value::int(unsafe { libc::getgid() } as i64))
}

pub fn getegid(_: &mut Call) -> Res {
    Ok(Value::int(unsafe { libc::getegid() } as i64))
}

pub fn getpgrp(_: &mut Call) -> Res {
    Ok(Value::int(unsafe { libc::getpgrp() } as i64))
}

pub fn getpgid(call: &mut Call) -> Res {
    let pid = c_int(call, 0)?;
    // SAFETY: only asks; a bad number is reported.
    let result = checked(unsafe { libc::getpgid(pid) });
    Ok(Value::int(settled(call.vm, result)? as i64))
}

pub fn getsid(call: &mut Call) -> Res {
    let pid = c_int(call, 0)?;
    // SAFETY: as above.
    let result = checked(unsafe { libc::getsid(pid) });
    Ok(Value::int(settled(call.vm, result)? as i64))
}

pub fn setpgid(call: &mut Call) -> Res {
    let (pid, group) = (c_int(call, 0)?, c_int(call, 1)?);
    // SAFETY: a bad number is reported.
    let result = checked(unsafe { libc::setpgid(pid, group) });
    settled(call.vm, result)?;
    Ok(Value::NONE)
}

pub fn setsid(call: &mut Call) -> Res {
    // SAFETY: failure is reported.
    let result = checked(unsafe { libc::setsid() });
    settled(call.vm, result)?;
    Ok(Value::NONE)
}

/// A user or group number; -1 leaves one as it is.
fn id_argument(call: &mut Call, index: usize) -> Res<libc::uid_t> {
    match call.int(index)? {
        -1 => Ok(libc::uid_t::MAX),
        number => match libc::uid_t::try_from(number) {
            Ok(number) => Ok(number),
            Err(_) if number < 0 => Err(call.vm.overflow_error("uid is less than minimum")),
            Err(_) => Err(call.vm.overflow_error("uid is greater than maximum")),
        },
    }
}

pub fn setuid(call: &mut Call) -> Res {
    let id = id_argument(call, 0)?;
    // SAFETY: failure is reported; so for the next ones.
    let result = checked(unsafe { libc::setuid(id) });
    settled(call.vm, result)?;
    Ok(Value::NONE)
}

pub fn setgid(call: &mut Call) -> Res {
    let id = id_argument(call, 0)?;
    let result = checked(unsafe { libc::setgid(id) });
    settled(call.vm, result)?;
    Ok(Value::NONE)
}

pub fn setreuid(call: &mut Call) -> Res {
    let (real, effective) = (id_argument(call, 0)?, id_argument(call, 1)?);
    let result = checked(unsafe { libc::setreuid(real, effective) });
    settled(call.vm, result)?;
    Ok(Value::NONE)
}

pub fn setregid(call: &mut Call) -> Res {
    let (real, effective) = (id_argument(call, 0)?, id_argument(call, 1)?);
    let result = checked(unsafe { libc::setregid(real, effective) });
    settled(call.vm, result)?;
    Ok(Value::NONE)
}

pub fn getgroups(call: &mut Call) -> Res {
    // SAFETY: with no room the call only counts.
    let count = checked(unsafe { libc::getgroups(0, std::ptr::null_mut()) });
    let mut groups = vec![0; settled(call.vm, count)?.max(0) as usize];
    // SAFETY: there is room for as many as said.
    let count = checked(unsafe { libc::getgroups(groups.len() as i32, groups.as_mut_ptr()) });
    groups.truncate(settled(call.vm, count)?.max(0) as usize);
    Ok(Value::list(groups.into_iter().map(|group| Value::int(group.into())).collect()))
}

pub fn setgroups(call: &mut Call) -> Res {
    let mut groups = Vec::new();
    for item in call.items(0)? {
        match libc::gid_t::try_from(call.vm.to_index(&item)?) {
            Ok(group) => groups.push(group),
            Err(_) => return Err(call.vm.overflow_error("gid is out of range")),
        }
    }
    // SAFETY: the list is as long as said; failure is reported.
    let result = checked(unsafe { libc::setgroups(groups.len() as _, groups.as_ptr()) });
    settled(call.vm, result)?;
    Ok(Value::NONE)
}

pub fn getlogin(call: &mut Call) -> Res {
    // SAFETY: the text is the C library's and is copied at once; the process has one thread.
    let name = unsafe { libc::getlogin() };
    if name.is_null() {
        return Err(last_error(call.vm));
    }
    // SAFETY: as above.
    Ok(Value::str(mapping::text_of(unsafe { CStr::from_ptr(name) }.to_bytes())))
}

pub fn kill(call: &mut Call) -> Res {
    let (pid, signal) = (c_int(call, 0)?, c_int(call, 1)?);
    // SAFETY: only sends a signal; bad numbers are reported.
    let result = checked(unsafe { libc::kill(pid, signal) });
    settled(call.vm, result)?;
    call.vm.handle_interrupt()?;
    Ok(Value::NONE)
}

pub fn killpg(call: &mut Call) -> Res {
    let (group, signal) = (c_int(call, 0)?, c_int(call, 1)?);
    // SAFETY: as above.
    let result = checked(unsafe { libc::killpg(group, signal) });
    settled(call.vm, result)?;
    call.vm.handle_interrupt()?;
    Ok(Value::NONE)
}

pub fn nice(call: &mut Call) -> Res {
    let increment = c_int(call, 0)?;
    // SAFETY: failure shows as -1, which may be a niceness too; the priority is asked for afterwards.
    unsafe { libc::nice(increment) };
    Ok(Value::int(unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) } as i64))
}

pub fn cpu_count(_: &mut Call) -> Res {
    // SAFETY: only asks.
    let count = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    Ok(if count > 0 { Value::int(count) } else { Value::NONE })
}

pub fn usable_cpus(_: &mut Call) -> Res {
    Ok(Value::size(crate::mp::cpu_count()))
}

#[cfg(target_os = "linux")]
pub fn affinity(call: &mut Call) -> Res {
    let pid = c_int(call, 0)?;
    // SAFETY: all-zero bytes are an empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` is as large as said.
    let result = checked(unsafe { libc::sched_getaffinity(pid, size_of::<libc::cpu_set_t>(), &mut set) });
    settled(call.vm, result)?;
    let total = 8 * size_of::<libc::cpu_set_t>();
    // SAFETY: the numbers are inside the set.
    let cpus = (0..total).filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &set) });
    Ok(call.vm.set_from(cpus.map(Value::size).collect())?.into())
}

#[cfg(not(target_os = "linux"))]
pub fn affinity(call: &mut Call) -> Res {
    let cpus = (0..crate::mp::cpu_count()).map(Value::size).collect();
    Ok(call.vm.set_from(cpus)?.into())
}

pub fn getloadavg(call: &mut Call) -> Res {
    let mut loads = [0.0f64; 3];
    // SAFETY: there is room for three numbers.
    if unsafe { libc::getloadavg(loads.as_mut_ptr(), 3) } != 3 {
        return Err(call.vm.error(crate::eval::Exc::OSError, "Load averages are unobtainable"));
    }
    Ok(Value::tuple(loads.map(Value::float).to_vec()))
}

pub fn times(call: &mut Call) -> Res {
    // SAFETY: all-zero bytes are a valid `tms`, which the call fills.
    let mut tms: libc::tms = unsafe { std::mem::zeroed() };
    let elapsed = unsafe { libc::times(&mut tms) };
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) }.max(1) as f64;
    let counts = [tms.tms_utime, tms.tms_stime, tms.tms_cutime, tms.tms_cstime, elapsed];
    let items = counts.map(|count| Value::float(count as f64 / ticks)).to_vec();
    Ok(call.vm.struct_value(&TIMES_RESULT, items)?.into())
}

pub fn uname(call: &mut Call) -> Res {
    // SAFETY: all-zero bytes are a valid `utsname`, which the call fills.
    let mut names: libc::utsname = unsafe { std::mem::zeroed() };
    if unsafe { libc::uname(&mut names) } == -1 {
        return Err(last_error(call.vm));
    }
    let parts = [
        names.sysname.as_ptr(),
        names.nodename.as_ptr(),
        names.release.as_ptr(),
        names.version.as_ptr(),
        names.machine.as_ptr(),
    ];
    // SAFETY: the system ended each text with a null byte.
    let items = parts.map(|part| Value::str(mapping::text_of(unsafe { CStr::from_ptr(part) }.to_bytes())));
    Ok(call.vm.struct_value(&UNAME_RESULT, items.to_vec())?.into())
}

/// Passes on what waits to be written, so that a child's output comes after it.
fn flush(vm: &mut Vm) -> Res<()> {
    let result = vm.streams.stdout.flush();
    settled(vm, result)?;
    vm.state.flush_files();
    Ok(())
}

pub fn system(call: &mut Call) -> Res {
    let text = call.vm.path_text(call.arg(0))?;
    let bytes = call.vm.encode_escaped(&text)?;
    let Ok(command) = CString::new(bytes) else { return Err(call.vm.value_error("embedded null byte")) };
    flush(call.vm)?;
    // SAFETY: the text ends with a null byte; the C library starts and awaits a child of its own.
    let status = unsafe { libc::system(command.as_ptr()) };
    if status == -1 { Err(last_error(call.vm)) } else { Ok(Value::int(status as i64)) }
}

pub fn waitpid(call: &mut Call) -> Res {
    let (pid, options) = (c_int(call, 0)?, c_int(call, 1)?);
    call.vm.flush_if_terminal()?;
    // Children in the process table are collected as they end, and the table knows how.
    if let Ok(number) = u32::try_from(pid)
        && let Some(child) = mp::handle_of(number)
    {
        return wait_for_known(call, number, child, options);
    }
    if pid == -1
        && let Some((number, code)) = ended_child()
    {
        return Ok(ended(number, code));
    }
    let mut status = 0;
    loop {
        // SAFETY: there is a place for the status.
        let found = unsafe { libc::waitpid(pid, &mut status, options) };
        if found >= 0 {
            return Ok(Value::tuple(vec![Value::int(found.into()), Value::int(status.into())]));
        }
        let error = io::Error::last_os_error();
        if pid == -1
            && let Some((number, code)) = ended_child()
        {
            return Ok(ended(number, code));
        }
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(call.vm.os_error(&error, None));
        }
        call.vm.handle_interrupt()?;
    }
}

fn wait_for_known(call: &mut Call, pid: u32, child: mp::Handle, options: i32) -> Res {
    let code = if options & libc::WNOHANG != 0 {
        mp::poll(child).ok().flatten()
    } else {
        match mp::wait(child, None, &mut OnInterrupt::new(call.vm)) {
            Ok(code) => code,
            Err(mp::WaitError::Interrupted) => return Err(Raised),
            Err(mp::WaitError::UnknownHandle(_)) => None,
        }
    };
    match code {
        Some(code) => {
            mp::forget(child);
            Ok(ended(pid, code))
        }
        None => Ok(Value::tuple(vec![Value::int(0), Value::int(0)])),
    }
}

/// A child in the process table that has ended, taken out of it.
fn ended_child() -> Option<(u32, i32)> {
    let child = mp::handles(None).into_iter().find(|&child| matches!(mp::poll(child), Ok(Some(_))))?;
    let (pid, code) = (mp::pid(child).ok()?, mp::poll(child).ok()??);
    mp::forget(child);
    Some((pid, code))
}

/// A pid and a wait status.
fn ended(pid: u32, code: i32) -> Value {
    let status = if code < 0 { -code } else { (code & 0xff) << 8 };
    Value::tuple(vec![Value::int(pid.into()), Value::int(status.into())])
}

pub fn exit_now(call: &mut Call) -> Res {
    let status = c_int(call, 0)?;
    // SAFETY: ends the process without running anything else.
    unsafe { libc::_exit(status) }
}

pub fn abort(call: &mut Call) -> Res {
    flush(call.vm)?;
    // SAFETY: ends the process.
    unsafe { libc::abort() }
}

pub fn wifexited(call: &mut Call) -> Res {
    Ok(Value::bool(libc::WIFEXITED(c_int(call, 0)?)))
}

pub fn wexitstatus(call: &mut Call) -> Res {
    Ok(Value::int(libc::WEXITSTATUS(c_int(call, 0)?) as i64))
}

pub fn wifsignaled(call: &mut Call) -> Res {
    Ok(Value::bool(libc::WIFSIGNALED(c_int(call, 0)?)))
}

pub fn wtermsig(call: &mut Call) -> Res {
    Ok(Value::int(libc::WTERMSIG(c_int(call, 0)?) as i64))
}

pub fn wifstopped(call: &mut Call) -> Res {
    Ok(Value::bool(libc::WIFSTOPPED(c_int(call, 0)?)))
}

pub fn wstopsig(call: &mut Call) -> Res {
    Ok(Value::int(libc::WSTOPSIG(c_int(call, 0)?) as i64))
}

pub fn wcoredump(call: &mut Call) -> Res {
    Ok(Value::bool(libc::WCOREDUMP(c_int(call, 0)?)))
}

pub fn exit_code(call: &mut Call) -> Res {
    let status = c_int(call, 0)?;
    if libc::WIFEXITED(status) {
        return Ok(Value::int(libc::WEXITSTATUS(status) as i64));
    }
    if libc::WIFSIGNALED(status) {
        return Ok(Value::int(-libc::WTERMSIG(status) as i64));
    }
    Err(call.vm.value_error(format!("invalid wait status: {status}")))
}
