//! This process, its relatives and the machine.

use super::paths::{Also, like, text_and_kind};
use super::{none_or_error, retried};
use crate::builtins::structs::StructType;
use crate::builtins::{io::path_bytes, mapping};
use crate::call::{Call, Native};
use crate::eval::Exc;
use crate::value::{List, Res, Tuple, Value};
use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::process::CommandExt;

pub const ROWS: &[Native] = &[
    Native { name: "getpid", params: "", run: |_| Ok(Value::int(std::process::id() as i64)), doc: "The number of this process." },
    Native { name: "getppid", params: "", run: |_| Ok(Value::int(std::os::unix::process::parent_id() as i64)), doc: "The number of the process that started this one." },
    Native { name: "getuid", params: "", run: |_| Ok(Value::int(nix::unistd::getuid().as_raw() as i64)), doc: "The user this process belongs to." },
    Native { name: "geteuid", params: "", run: |_| Ok(Value::int(nix::unistd::geteuid().as_raw() as i64)), doc: "The user whose rights this process has." },
    Native { name: "getgid", params: "", run: |_| Ok(Value::int(nix::unistd::getgid().as_raw() as i64)), doc: "The group this process belongs to." },
    Native { name: "getegid", params: "", run: |_| Ok(Value::int(nix::unistd::getegid().as_raw() as i64)), doc: "The group whose rights this process has." },
    Native { name: "getgroups", params: "", run: groups, doc: "All groups this process belongs to." },
    Native { name: "getlogin", params: "", run: login, doc: "The name of the user at the terminal; OSError without one." },
    Native { name: "getpgrp", params: "", run: |_| Ok(Value::int(nix::unistd::getpgrp().as_raw() as i64)), doc: "The process group of this process." },
    Native { name: "getpgid", params: "pid", run: |call| of_process(call, libc::getpgid), doc: "The process group of a process; 0 is this one." },
    Native { name: "getsid", params: "pid, /", run: |call| of_process(call, libc::getsid), doc: "The session of a process; 0 is this one." },
    Native { name: "setpgid", params: "pid, pgrp, /", run: set_group, doc: "Puts a process into a process group." },
    Native { name: "setsid", params: "", run: set_session, doc: "Begins a new session." },
    Native { name: "getpriority", params: "which, who", run: priority, doc: "How nice a process, group or user is." },
    Native { name: "setpriority", params: "which, who, priority", run: set_priority, doc: "Says how nice a process, group or user is." },
    Native { name: "nice", params: "increment, /", run: nice, doc: "Makes this process nicer; how nice it is then." },
    Native { name: "kill", params: "pid, signal, /", run: kill, doc: "Sends a signal to a process; 0 only asks whether that could be done." },
    Native { name: "killpg", params: "pgid, signal, /", run: kill_group, doc: "Sends a signal to a process group." },
    Native { name: "fork", params: "", run: fork, doc: "Not supported yet." },
    Native { name: "system", params: "command", run: system, doc: "Runs a command in a shell; its wait status, which `waitstatus_to_exitcode` reads." },
    Native { name: "_popen", params: "command, mode, /", run: popen, doc: "Starts a shell command whose stdout (`r`) or stdin (`w`) is a pipe; descriptor and pid." },
    Native { name: "execv", params: "path, argv, /", run: |call| exec(call, false, None), doc: "Becomes another program. Never comes back, except with an OSError." },
    Native { name: "execve", params: "path, argv, env", run: |call| exec(call, false, Some(2)), doc: "As `execv`, with another environment." },
    Native { name: "execvp", params: "file, args, /", run: |call| exec(call, true, None), doc: "As `execv`; looks the program up in PATH." },
    Native { name: "execvpe", params: "file, args, env, /", run: |call| exec(call, true, Some(2)), doc: "As `execvp`, with another environment." },
    Native { name: "waitpid", params: "pid, options, /", run: wait_for, doc: "Waits for a child; its pid and wait status, or (0, 0) with `WNOHANG` while it runs." },
    Native { name: "wait", params: "", run: wait, doc: "Waits for any child; its pid and wait status." },
    Native { name: "waitstatus_to_exitcode", params: "status", run: exit_code, doc: "The exit code a wait status means; minus the signal number if one ended the child." },
    Native { name: "WIFEXITED", params: "status", run: |call| status(call, |s| Value::bool(libc::WIFEXITED(s))), doc: "Whether the child ended by itself." },
    Native { name: "WEXITSTATUS", params: "status", run: |call| status(call, |s| Value::int(libc::WEXITSTATUS(s) as i64)), doc: "The exit code of a child that ended by itself." },
    Native { name: "WIFSIGNALED", params: "status", run: |call| status(call, |s| Value::bool(libc::WIFSIGNALED(s))), doc: "Whether a signal ended the child." },
    Native { name: "WTERMSIG", params: "status", run: |call| status(call, |s| Value::int(libc::WTERMSIG(s) as i64)), doc: "The signal that ended the child." },
    Native { name: "WIFSTOPPED", params: "status", run: |call| status(call, |s| Value::bool(libc::WIFSTOPPED(s))), doc: "Whether the child is stopped." },
    Native { name: "WSTOPSIG", params: "status", run: |call| status(call, |s| Value::int(libc::WSTOPSIG(s) as i64)), doc: "The signal that stopped the child." },
    Native { name: "WIFCONTINUED", params: "status", run: |call| status(call, |s| Value::bool(libc::WIFCONTINUED(s))), doc: "Whether the child goes on after a stop." },
    Native { name: "WCOREDUMP", params: "status, /", run: |call| status(call, |s| Value::bool(libc::WCOREDUMP(s))), doc: "Whether the child left a core dump." },
    Native { name: "_exit", params: "status", run: exit_now, doc: "Ends the process at once: nothing is flushed or cleaned up." },
    Native { name: "abort", params: "", run: |_| std::process::abort(), doc: "Ends the process at once with SIGABRT." },
    Native { name: "umask", params: "mask, /", run: umask, doc: "Sets which permission bits new files do not get; what it was." },
    Native { name: "times", params: "", run: times, doc: "Seconds of CPU time, of this process and its children, and a clock." },
    Native { name: "uname", params: "", run: uname, doc: "Names of the system and the machine." },
    Native { name: "cpu_count", params: "", run: cpu_count, doc: "The number of CPUs of the machine." },
    Native { name: "process_cpu_count", params: "", run: |_| Ok(Value::size(crate::mp::cpu_count())), doc: "The number of CPUs this process may use." },
    Native { name: "getloadavg", params: "", run: load, doc: "How many processes wanted a CPU in the last 1, 5 and 15 minutes, on average." },
    Native { name: "urandom", params: "size, /", run: random, doc: "That many bytes nobody can foretell." },
    Native { name: "strerror", params: "code, /", run: error_text, doc: "The message of an error number." },
    Native { name: "getenv", params: "key, default=None", run: get_variable, doc: "An environment variable, or `default`." },
    Native { name: "putenv", params: "name, value, /", run: put_variable, doc: "Sets an environment variable, here and for children." },
    Native { name: "unsetenv", params: "name, /", run: unset_variable, doc: "Takes an environment variable out." },
    Native { name: "get_exec_path", params: "env=None", run: exec_path, doc: "The folders of PATH." },
    Native { name: "fspath", params: "path", run: |call| call.vm.fspath(call.arg(0)), doc: "A path as `str` or `bytes`; asks `__fspath__`." },
    Native { name: "fsencode", params: "filename", run: encode, doc: "A path as `bytes`." },
    Native { name: "fsdecode", params: "filename", run: decode, doc: "A path as `str`; odd bytes become surrogates." },
];

fn groups(call: &mut Call) -> Res {
    let mut all = vec![0; 256];
    // SAFETY: there is room for as many groups as is said.
    let count = unsafe { libc::getgroups(all.len() as i32, all.as_mut_ptr()) };
    if count < 0 {
        return Err(call.vm.last_os_error());
    }
    all.truncate(count as usize);
    Ok(Value::list(all.into_iter().map(|group: libc::gid_t| Value::int(group as i64)).collect()))
}

fn login(call: &mut Call) -> Res {
    // SAFETY: the text is the C library's and is copied at once.
    let name = unsafe {
        let name = libc::getlogin();
        (!name.is_null()).then(|| super::path::c_text(std::ffi::CStr::from_ptr(name)))
    };
    match name {
        Some(name) => Ok(Value::str(name)),
        None => Err(call.vm.last_os_error()),
    }
}

fn of_process(call: &mut Call, ask: unsafe extern "C" fn(libc::pid_t) -> libc::pid_t) -> Res {
    let pid = call.c_int(0)?;
    // SAFETY: no memory is involved.
    let answer = unsafe { ask(pid) };
    if answer < 0 { Err(call.vm.last_os_error()) } else { Ok(Value::int(answer as i64)) }
}

fn set_group(call: &mut Call) -> Res {
    let (pid, group) = (call.c_int(0)?, call.c_int(1)?);
    // SAFETY: no memory is involved.
    let result = unsafe { libc::setpgid(pid, group) };
    none_or_error(call.vm, result)
}

fn set_session(call: &mut Call) -> Res {
    match nix::unistd::setsid() {
        Ok(_) => Ok(Value::NONE),
        Err(error) => Err(call.vm.os_error(&error.into(), None)),
    }
}

/// What a call gave for which -1 is a proper answer.
fn number_unless_error(call: &mut Call, ask: impl FnOnce() -> i32) -> Res {
    nix::errno::Errno::clear();
    let answer = ask();
    if answer == -1 && nix::errno::Errno::last_raw() != 0 {
        return Err(call.vm.last_os_error());
    }
    Ok(Value::int(answer as i64))
}

fn priority(call: &mut Call) -> Res {
    let (which, who) = (call.c_int(0)?, call.c_int(1)?);
    // SAFETY: no memory is involved.
    number_unless_error(call, || unsafe { libc::getpriority(which as _, who as libc::id_t) })
}

fn set_priority(call: &mut Call) -> Res {
    let (which, who, priority) = (call.c_int(0)?, call.c_int(1)?, call.c_int(2)?);
    // SAFETY: no memory is involved.
    let result = unsafe { libc::setpriority(which as _, who as libc::id_t, priority) };
    none_or_error(call.vm, result)
}

fn nice(call: &mut Call) -> Res {
    let increment = call.c_int(0)?;
    // SAFETY: no memory is involved.
    number_unless_error(call, || unsafe { libc::nice(increment) })
}

fn kill(call: &mut Call) -> Res {
    send(call, libc::kill)
}

fn kill_group(call: &mut Call) -> Res {
    send(call, libc::killpg)
}

/// Sends a signal. One to ourselves is attended to before the call is over.
fn send(call: &mut Call, send: unsafe extern "C" fn(libc::pid_t, i32) -> i32) -> Res {
    let (target, signal) = (call.c_int(0)?, call.c_int(1)?);
    // SAFETY: no memory is involved.
    let result = unsafe { send(target, signal) };
    let done = none_or_error(call.vm, result)?;
    call.vm.handle_interrupt()?;
    Ok(done)
}

fn fork(call: &mut Call) -> Res {
    Err(call.vm.error(Exc::NotImplementedError, "not supported yet: os.fork"))
}

/// A shell command as the system wants it.
fn command_text(call: &mut Call, index: usize) -> Res<CString> {
    let (text, _) = text_and_kind(&call.vm.fspath(call.arg(index))?);
    let bytes = call.vm.encode_escaped(&text)?;
    CString::new(bytes).map_err(|_| call.vm.value_error("embedded null byte"))
}

fn system(call: &mut Call) -> Res {
    let command = command_text(call, 0)?;
    call.vm.flush_output()?;
    // SAFETY: the command ends with a zero byte.
    let status = unsafe { libc::system(command.as_ptr()) };
    call.vm.handle_interrupt()?;
    Ok(Value::int(status as i64))
}

fn popen(call: &mut Call) -> Res {
    use std::os::fd::IntoRawFd;
    use std::os::unix::ffi::OsStringExt;
    use std::process::{Command, Stdio};
    let text = OsString::from_vec(command_text(call, 0)?.into_bytes());
    let reads = call.str(1)? == "r";
    call.vm.flush_output()?;
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(text);
    if reads { command.stdout(Stdio::piped()) } else { command.stdin(Stdio::piped()) };
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Err(call.vm.os_error(&error, None)),
    };
    let end = match (child.stdout.take(), child.stdin.take()) {
        (Some(end), _) => end.into_raw_fd(),
        (None, Some(end)) => end.into_raw_fd(),
        (None, None) => -1,
    };
    Ok(Value::tuple(vec![Value::int(end as i64), Value::int(child.id() as i64)]))
}

/// The items of an argument list, as `str`, `bytes` or path objects.
fn exec_arguments(call: &mut Call) -> Res<Vec<std::path::PathBuf>> {
    let list = call.arg(1);
    if !list.is::<List>() && !list.is::<Tuple>() {
        let name = call.native.name;
        return Err(call.vm.type_error(format!("{name}() arg 2 must be a tuple or list")));
    }
    let mut all = Vec::new();
    for item in call.items(1)? {
        let (text, _) = text_and_kind(&call.vm.fspath(&item)?);
        if text.contains('\0') {
            return Err(call.vm.value_error("embedded null byte"));
        }
        all.push(path_bytes(call.vm, &text)?);
    }
    if all.is_empty() {
        let name = call.native.name;
        return Err(call.vm.value_error(format!("{name}() arg 2 must not be empty")));
    }
    Ok(all)
}

/// Becomes another program.
fn exec(call: &mut Call, look_up: bool, environment: Option<usize>) -> Res {
    let path = call.path(0, "path", Also::Nothing)?;
    let arguments = exec_arguments(call)?;
    let mut program = path.path.clone();
    if !look_up && !path.text.contains('/') {
        // Without a slash the system would look in PATH.
        program = std::path::Path::new(".").join(program);
    }
    let mut command = std::process::Command::new(program);
    command.arg0(&arguments[0]).args(&arguments[1..]);
    if let Some(index) = environment {
        command.env_clear();
        let pairs = crate::value::Dict::new(Default::default());
        call.vm.dict_update(&pairs, call.arg(index))?;
        for (name, value) in pairs.pairs() {
            let mut texts = Vec::new();
            for item in [name, value] {
                let (text, _) = text_and_kind(&call.vm.fspath(&item)?);
                texts.push(path_bytes(call.vm, &text)?);
            }
            command.env(&texts[0], &texts[1]);
        }
    }
    call.vm.flush_output()?;
    let error = command.exec();
    Err(call.vm.os_error(&error, None))
}

fn wait_on(call: &mut Call, pid: i32, options: i32) -> Res {
    call.vm.flush_if_terminal()?;
    let mut status = 0;
    let waited = retried(call.vm, || {
        // SAFETY: the status is a valid place for the answer.
        match unsafe { libc::waitpid(pid, &mut status, options) } {
            -1 => Err(io::Error::last_os_error()),
            pid => Ok(pid),
        }
    })?;
    match waited {
        Ok(pid) => {
            let status = if pid == 0 { 0 } else { status };
            Ok(Value::tuple(vec![Value::int(pid as i64), Value::int(status as i64)]))
        }
        Err(error) => Err(call.vm.os_error(&error, None)),
    }
}

fn wait_for(call: &mut Call) -> Res {
    let (pid, options) = (call.c_int(0)?, call.c_int(1)?);
    wait_on(call, pid, options)
}

fn wait(call: &mut Call) -> Res {
    wait_on(call, -1, 0)
}

fn status(call: &mut Call, read: fn(i32) -> Value) -> Res {
    Ok(read(call.c_int(0)?))
}

fn exit_code(call: &mut Call) -> Res {
    let status = call.c_int(0)?;
    if libc::WIFEXITED(status) {
        Ok(Value::int(libc::WEXITSTATUS(status) as i64))
    } else if libc::WIFSIGNALED(status) {
        Ok(Value::int(-libc::WTERMSIG(status) as i64))
    } else if libc::WIFSTOPPED(status) {
        let signal = libc::WSTOPSIG(status);
        Err(call.vm.value_error(format!("process stopped by delivery of signal {signal}")))
    } else {
        Err(call.vm.value_error(format!("invalid wait status: {status}")))
    }
}

fn exit_now(call: &mut Call) -> Res {
    let status = call.c_int(0)?;
    // SAFETY: ends the process without running anything else, as asked.
    unsafe { libc::_exit(status) }
}

fn umask(call: &mut Call) -> Res {
    let mask = call.c_int(0)?;
    // SAFETY: no memory is involved.
    Ok(Value::int(unsafe { libc::umask(mask as libc::mode_t) } as i64))
}

pub static TIMES: StructType = StructType {
    module: "posix",
    name: "times_result",
    fields: &["user", "system", "children_user", "children_system", "elapsed"],
};

fn times(call: &mut Call) -> Res {
    // SAFETY: all zero is a valid `tms`, which the call fills in; `sysconf` involves no memory.
    let (elapsed, t, ticks) = unsafe {
        let mut t: libc::tms = std::mem::zeroed();
        (libc::times(&mut t), t, libc::sysconf(libc::_SC_CLK_TCK) as f64)
    };
    let all = [t.tms_utime, t.tms_stime, t.tms_cutime, t.tms_cstime, elapsed];
    let items = all.iter().map(|&part| Value::float(part as f64 / ticks)).collect();
    Ok(call.vm.struct_value(&TIMES, items)?.into())
}

pub static UNAME: StructType = StructType {
    module: "posix",
    name: "uname_result",
    fields: &["sysname", "nodename", "release", "version", "machine"],
};

fn uname(call: &mut Call) -> Res {
    // SAFETY: all zero is a valid `utsname`, which the call fills in with texts that end with zero bytes.
    let (result, names) = unsafe {
        let mut names: libc::utsname = std::mem::zeroed();
        (libc::uname(&mut names), names)
    };
    if result < 0 {
        return Err(call.vm.last_os_error());
    }
    let text = |field: &[libc::c_char]| {
        let bytes: Vec<u8> = field.iter().take_while(|&&c| c != 0).map(|&c| c as u8).collect();
        Value::str(mapping::text_of(&bytes))
    };
    let items = vec![
        text(&names.sysname),
        text(&names.nodename),
        text(&names.release),
        text(&names.version),
        text(&names.machine),
    ];
    Ok(call.vm.struct_value(&UNAME, items)?.into())
}

fn cpu_count(_call: &mut Call) -> Res {
    // SAFETY: no memory is involved.
    let count = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    Ok(if count < 1 { Value::NONE } else { Value::int(count) })
}

fn load(call: &mut Call) -> Res {
    let mut averages = [0.0; 3];
    // SAFETY: there is room for three.
    if unsafe { libc::getloadavg(averages.as_mut_ptr(), 3) } != 3 {
        return Err(call.vm.error(Exc::OSError, "Load averages are unobtainable"));
    }
    Ok(Value::tuple(averages.into_iter().map(Value::float).collect()))
}

fn random(call: &mut Call) -> Res {
    let Ok(size) = usize::try_from(call.int(0)?) else {
        return Err(call.vm.value_error("negative argument not allowed"));
    };
    let mut bytes = Vec::new();
    if bytes.try_reserve_exact(size).is_err() {
        return Err(call.vm.error_with(Exc::MemoryError, Vec::new()));
    }
    bytes.resize(size, 0);
    let filled = std::fs::File::open("/dev/urandom").and_then(|mut source| io::Read::read_exact(&mut source, &mut bytes));
    match filled {
        Ok(()) => Ok(Value::bytes(bytes)),
        Err(error) => Err(call.vm.os_error(&error, None)),
    }
}

fn error_text(call: &mut Call) -> Res {
    let code = call.c_int(0)?;
    Ok(Value::str(crate::eval::raise::os_message(code)))
}

fn get_variable(call: &mut Call) -> Res {
    let found = mapping::environment_value(call.vm, call.arg(0))?;
    Ok(found.unwrap_or_else(|| Value::opt(call.opt(1).cloned())))
}

fn put_variable(call: &mut Call) -> Res {
    mapping::set_environment(call.vm, call.arg(0), call.arg(1))?;
    Ok(Value::NONE)
}

fn unset_variable(call: &mut Call) -> Res {
    mapping::unset_environment(call.vm, call.arg(0))?;
    Ok(Value::NONE)
}

fn exec_path(call: &mut Call) -> Res {
    let path = match call.opt_not_none(0) {
        Some(environment) => call.vm.call_method(environment, "get", &[Value::str("PATH")])?,
        None => mapping::environment_value(call.vm, &Value::str("PATH"))?.unwrap_or(Value::NONE),
    };
    let path = path.as_str().unwrap_or("/bin:/usr/bin").to_string();
    Ok(Value::list(path.split(':').map(Value::str).collect()))
}

fn encode(call: &mut Call) -> Res {
    let (text, _) = text_and_kind(&call.vm.fspath(call.arg(0))?);
    like(call.vm, true, &text)
}

fn decode(call: &mut Call) -> Res {
    let (text, _) = text_and_kind(&call.vm.fspath(call.arg(0))?);
    Ok(Value::str(text))
}
