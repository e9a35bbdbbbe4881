//! `_subprocess`: what `stdlib/subprocess.zpy` needs from the system: starting programs, waiting for them, and moving
//! bytes through their pipes.
//!
//! Children are in the one process table (`crate::mp`), which collects them as they end even if nobody waits. Scripts
//! hold the number of the handle.

use super::mp::OnInterrupt;
use crate::call::{Call, Native, NativeModule};
use crate::eval::Vm;
use crate::mp::sys::{DIE_WITH_PARENT, ForkExec, NotStarted, STARTED_BY, Stage, fork_exec};
use crate::mp::{self, Handle, Kind, WaitError};
use crate::value::bytes::ByteArray;
use crate::value::{Raised, Res, Value};
use std::ffi::{CStr, CString, OsString};
use std::io;
use std::os::fd::RawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::time::{Duration, Instant};

pub static MODULE: NativeModule = NativeModule {
    name: "_subprocess",
    doc: "Programs started from here; `subprocess` is the module to import.",
    functions: &[
        Native {
            name: "fork_exec",
            params: "args, programs, env, cwd, streams, close_fds, pass_fds, restore_signals, start_new_session, process_group, groups, gid, uid, umask, preexec_fn, /",
            run: start,
            doc: "Starts a program. The pair of its pid and its handle, or none, how far it came, and the number of the error.",
        },
        Native {
            name: "wait",
            params: "handle, timeout, /",
            run: wait,
            doc: "Waits for a child: its exit code, or none after `timeout` seconds. ChildProcessError if somebody else waited for it.",
        },
        Native {
            name: "forget",
            params: "handle, /",
            run: forget,
            doc: "Nobody will ask for this child any more; it is collected when it ends.",
        },
        Native {
            name: "send_signal",
            params: "handle, signal, /",
            run: send_signal,
            doc: "Sends a signal to a child, if it still runs.",
        },
        Native {
            name: "user_id",
            params: "name, /",
            run: |call| id_of(call, "getpwnam", user_id),
            doc: "The number of a user. KeyError for a name that the system does not know.",
        },
        Native {
            name: "group_id",
            params: "name, /",
            run: |call| id_of(call, "getgrnam", group_id),
            doc: "The number of a group. KeyError for a name that the system does not know.",
        },
        Native {
            name: "set_pipe_size",
            params: "fd, size, /",
            run: set_pipe_size,
            doc: "Makes a pipe hold so many bytes, if the system allows.",
        },
        Native {
            name: "exchange",
            params: "stdin, data, written, stdout, output, stderr, errors, timeout, /",
            run: exchange,
            doc: "Writes bytes to one descriptor and appends what two others give to bytearrays, until one of them is done or time is up. How many bytes are written, and a tuple of the descriptors that are done.",
        },
    ],
    constants: &[],
};

/// Bytes that a pipe which can be written takes without waiting; at least so many everywhere.
const WRITE_SIZE: usize = libc::PIPE_BUF;
const READ_SIZE: usize = 1 << 16;

/// A bytes object as the system takes it.
fn os_bytes(vm: &mut Vm, value: &Value) -> Res<OsString> {
    let bytes = vm.bytes_of(value)?;
    if bytes.contains(&0) {
        return Err(vm.value_error("embedded null byte"));
    }
    Ok(OsString::from_vec(bytes))
}

fn texts(call: &mut Call, index: usize) -> Res<Vec<OsString>> {
    let items = call.items(index)?;
    items.iter().map(|item| os_bytes(call.vm, item)).collect()
}

/// The environment for the child: what was given or our own.
fn environment(call: &mut Call, index: usize) -> Res<Vec<OsString>> {
    let mut env = match call.opt_not_none(index) {
        Some(_) => texts(call, index)?,
        None => own_environment(),
    };
    hide_private(&mut env);
    Ok(env)
}

fn own_environment() -> Vec<OsString> {
    std::env::vars_os()
        .map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            name
        })
        .collect()
}

/// Takes out what concerns this process alone.
fn hide_private(env: &mut Vec<OsString>) {
    let is_private = |entry: &OsString| {
        [DIE_WITH_PARENT, STARTED_BY].iter().any(|name| {
            entry.as_bytes().strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'='))
        })
    };
    env.retain(|entry| !is_private(entry));
}

/// A descriptor; none and negative numbers mean that there is none.
fn descriptor(vm: &mut Vm, value: &Value) -> Res<Option<RawFd>> {
    if value.is_none() {
        return Ok(None);
    }
    Ok(Some(vm.c_int(value)?).filter(|&fd| fd >= 0))
}

/// The number of a user or group.
fn id(vm: &mut Vm, value: &Value, what: &str) -> Res<u32> {
    let number = vm.to_index(value)?;
    u32::try_from(number).map_err(|_| {
        let reason = if number < 0 { "less than minimum" } else { "greater than maximum" };
        vm.overflow_error(format!("{what} is {reason}"))
    })
}

/// An int; none if there is none.
fn number(call: &mut Call, index: usize) -> Res<Option<i64>> {
    if call.opt_not_none(index).is_none() { Ok(None) } else { call.int(index).map(Some) }
}

fn start(call: &mut Call) -> Res {
    let args = texts(call, 0)?;
    let programs = texts(call, 1)?;
    let env = environment(call, 2)?;
    let cwd = match call.opt_not_none(3) {
        Some(cwd) => Some(os_bytes(call.vm, cwd)?),
        None => None,
    };
    let mut streams = [None; 3];
    for (stream, item) in streams.iter_mut().zip(call.items(4)?) {
        *stream = descriptor(call.vm, &item)?;
    }
    let mut keep = Vec::new();
    for item in call.items(6)? {
        keep.extend(descriptor(call.vm, &item)?);
    }
    keep.sort_unstable();
    keep.dedup();
    let groups = match call.opt_not_none(10) {
        Some(_) => {
            let items = call.items(10)?;
            Some(items.iter().map(|item| id(call.vm, item, "gid")).collect::<Res<Vec<_>>>()?)
        }
        None => None,
    };
    let shown = args.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut plan = ForkExec {
        programs,
        args,
        env,
        cwd,
        streams,
        close: call.truth_or(5, true)?,
        keep,
        restore_signals: call.truth_or(7, true)?,
        new_session: call.truth_or(8, false)?,
        group: number(call, 9)?.map(|group| group as libc::pid_t),
        groups,
        gid: call.opt_not_none(11).map(|gid| id(call.vm, gid, "gid")).transpose()?,
        uid: call.opt_not_none(12).map(|uid| id(call.vm, uid, "uid")).transpose()?,
        umask: number(call, 13)?.map(|mask| mask as libc::mode_t),
        before: None,
    };
    call.vm.flush_output()?;
    let function = call.opt_not_none(14);
    if function.is_some() && has_threads() {
        return Err(call.vm.runtime_error("preexec_fn needs a process with one thread"));
    }
    let has_own_env = call.opt_not_none(2).is_none();
    let given = plan.env.clone();
    let vm = &mut *call.vm;
    let mut before = || {
        mp::after_fork_in_child();
        if let Some(function) = function {
            vm.call(function, &[]).ok()?;
        }
        if !has_own_env {
            return Some(given.clone());
        }
        let mut env = own_environment();
        hide_private(&mut env);
        Some(env)
    };
    if function.is_some() {
        plan.before = Some(&mut before);
    }
    match fork_exec(plan) {
        Ok(pid) => entered(call, pid, &shown),
        Err(NotStarted::Here(error)) => Err(call.vm.os_error(&error, None)),
        Err(NotStarted::InChild(stage, error)) => {
            let stage = match stage {
                Stage::Prepare => "prepare",
                Stage::ChangeDirectory => "cwd",
                Stage::Before => "preexec_fn",
                Stage::Exec => "exec",
            };
            let number = error.raw_os_error().unwrap_or(0);
            Ok(Value::tuple(vec![Value::NONE, Value::str(stage), Value::int(number.into())]))
        }
    }
}

/// Whether this process has more threads than the one that forks: a copy of it could not run a script.
fn has_threads() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() > 1)
}

fn entered(call: &mut Call, pid: u32, shown: &str) -> Res {
    match mp::adopt(pid, Kind::Command, shown) {
        Ok(handle) => Ok(Value::tuple(vec![Value::int(pid.into()), Value::int(handle.number as i64)])),
        Err(error) => Err(call.vm.os_error(&error, None)),
    }
}

fn handle(call: &mut Call) -> Res<Handle> {
    let number = call.int(0)?;
    Ok(Handle::new(Kind::Command, u64::try_from(number).unwrap_or(0)))
}

/// Seconds; none for no end, negative ones for none at all.
fn timeout(call: &mut Call, index: usize) -> Res<Option<Duration>> {
    if call.opt_not_none(index).is_none() {
        return Ok(None);
    }
    let seconds = call.float(index)?.max(0.0);
    Ok(Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)))
}

fn lost(vm: &mut Vm) -> Raised {
    vm.os_error(&io::Error::from_raw_os_error(libc::ECHILD), None)
}

fn wait(call: &mut Call) -> Res {
    let handle = handle(call)?;
    let timeout = timeout(call, 1)?;
    if timeout != Some(Duration::ZERO) {
        call.vm.flush_if_terminal()?;
    }
    match mp::wait(handle, timeout, &mut OnInterrupt::new(call.vm)) {
        Ok(Some(code)) => Ok(Value::int(code as i64)),
        Ok(None) => Ok(Value::NONE),
        Err(WaitError::Interrupted) => Err(Raised),
        Err(WaitError::UnknownHandle(_)) => Err(lost(call.vm)),
    }
}

fn forget(call: &mut Call) -> Res {
    mp::forget(handle(call)?);
    Ok(Value::NONE)
}

fn send_signal(call: &mut Call) -> Res {
    let (handle, signal) = (handle(call)?, call.c_int(1)?);
    let is_sent = mp::send_signal(handle, signal);
    if is_sent == Ok(false) && mp::poll(handle) == Ok(None) {
        let error = io::Error::last_os_error();
        return Err(call.vm.os_error(&error, None));
    }
    call.vm.handle_interrupt()?;
    Ok(Value::NONE)
}

fn user_id(name: &CStr) -> Option<u32> {
    // SAFETY: the name ends with a null byte; the record is the C library's and read at once.
    unsafe { libc::getpwnam(name.as_ptr()).as_ref() }.map(|record| record.pw_uid)
}

fn group_id(name: &CStr) -> Option<u32> {
    // SAFETY: as above.
    unsafe { libc::getgrnam(name.as_ptr()).as_ref() }.map(|record| record.gr_gid)
}

fn id_of(call: &mut Call, function: &str, find: fn(&CStr) -> Option<u32>) -> Res {
    let name = call.str(0)?;
    let Ok(text) = CString::new(name) else { return Err(call.vm.value_error("embedded null byte")) };
    match find(&text) {
        Some(id) => Ok(Value::int(id.into())),
        None => {
            let shown = crate::text::repr_str(name);
            let message = Value::str(format!("{function}(): name not found: {shown}"));
            Err(call.vm.key_error(message))
        }
    }
}

fn set_pipe_size(call: &mut Call) -> Res {
    let (descriptor, size) = (call.c_int(0)?, call.c_int(1)?);
    #[cfg(target_os = "linux")]
    // SAFETY: no memory is involved; a bad descriptor is reported.
    if unsafe { libc::fcntl(descriptor, libc::F_SETPIPE_SZ, size) } == -1 {
        return Err(call.vm.os_error(&io::Error::last_os_error(), None));
    }
    let _ = (descriptor, size);
    Ok(Value::NONE)
}

/// One of the three descriptors of `exchange`.
struct Pipe<'a> {
    descriptor: RawFd,
    /// Where what is read goes; none for the one that is written.
    into: Option<&'a ByteArray>,
}

fn exchange(call: &mut Call) -> Res {
    let data = if call.arg(1).is_none() { Vec::new() } else { call.vm.bytes_of(call.arg(1))? };
    let mut written = usize::try_from(call.int(2)?).unwrap_or(0).min(data.len());
    let mut pipes = Vec::new();
    if let Some(descriptor) = descriptor(call.vm, call.arg(0))? {
        pipes.push(Pipe { descriptor, into: None });
    }
    for index in [3, 5] {
        if let Some(descriptor) = descriptor(call.vm, call.arg(index))? {
            let Some(into) = call.arg(index + 1).get::<ByteArray>() else {
                return Err(call.wrong_type(index + 1, "bytearray"));
            };
            pipes.push(Pipe { descriptor, into: Some(into) });
        }
    }
    let deadline = timeout(call, 7)?.and_then(|timeout| Instant::now().checked_add(timeout));
    call.vm.flush_if_terminal()?;
    let mut scratch = vec![0; READ_SIZE];
    let done = loop {
        let mut wanted: Vec<libc::pollfd> = pipes.iter().map(Pipe::wish).collect();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let ready = match mp::poll_events(&mut wanted, left, &mut OnInterrupt::new(call.vm)) {
            Err(_) => return Err(Raised),
            Ok(Err(error)) => return Err(call.vm.os_error(&error, None)),
            Ok(Ok(ready)) => ready,
        };
        let mut done = Vec::new();
        for (pipe, wish) in pipes.iter().zip(&wanted).filter(|(_, wish)| wish.revents != 0) {
            let moved = match pipe.into {
                Some(into) => pipe.read(&mut scratch, into),
                None => pipe.write(&data, &mut written),
            };
            match moved {
                Ok(true) => done.push(Value::int(wish.fd.into())),
                Ok(false) => {}
                Err(error) => return Err(call.vm.os_error(&error, None)),
            }
        }
        if ready == 0 || !done.is_empty() {
            break done;
        }
        // A child that is always ready must not keep the time from running out.
        if left == Some(Duration::ZERO) {
            break done;
        }
    };
    Ok(Value::tuple(vec![Value::size(written), Value::tuple(done)]))
}

impl Pipe<'_> {
    fn wish(&self) -> libc::pollfd {
        let events = if self.into.is_some() { libc::POLLIN } else { libc::POLLOUT };
        libc::pollfd { fd: self.descriptor, events, revents: 0 }
    }

    /// One read; whether that was the end.
    fn read(&self, scratch: &mut [u8], into: &ByteArray) -> io::Result<bool> {
        // SAFETY: `scratch` is as long as said.
        let count = unsafe { libc::read(self.descriptor, scratch.as_mut_ptr().cast(), scratch.len()) };
        let count = match count {
            0.. => count as usize,
            _ => return not_now(io::Error::last_os_error()),
        };
        into.data.borrow_mut().extend_from_slice(&scratch[..count]);
        Ok(count == 0)
    }

    /// One write; whether all is written, or nobody wants the rest.
    fn write(&self, data: &[u8], written: &mut usize) -> io::Result<bool> {
        let piece = &data[*written..data.len().min(*written + WRITE_SIZE)];
        // SAFETY: `piece` is as long as said.
        let count = unsafe { libc::write(self.descriptor, piece.as_ptr().cast(), piece.len()) };
        match count {
            0.. => *written += count as usize,
            _ => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::BrokenPipe => return Ok(true),
                error => return not_now(error),
            },
        }
        Ok(*written == data.len())
    }
}

/// A read or write that comes to nothing for now is no error.
fn not_now(error: io::Error) -> io::Result<bool> {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(false),
        _ => Err(error),
    }
}
