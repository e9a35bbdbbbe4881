//! `mp`: children that run ZPy code. Thin rows over the process table in `crate::mp`.
//!
//! A child is this very binary, started anew. `run` and `run_code` capture what it prints, `spawn` lets it
//! share this process's streams and gives an int handle. Children end when this process does, however
//! that happens; those still running when a script is done are waited for.

use crate::call::{Call, Native, NativeModule};
use crate::eval::{Vm, interrupt};
use crate::mp::{self, Command, Handle, Interrupt, Kind, Output, RunError, StartError, WaitError};
use crate::text::surrogate;
use crate::value::{Dict, List, Raised, Res, Str, Tuple, Value, View};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

pub static MODULE: NativeModule = NativeModule {
    name: "mp",
    doc: "Start processes that run ZPy code, and look after them.",
    functions: &[
        Native {
            name: "mp_run",
            params: "script_path, args=None",
            run,
            doc: "Runs a script in a new interpreter and waits for it. `args` is a list of strings. Gives a dict with \
                  `ok`, `exit_code` (minus the signal number if one ended it), `stdout`, `stderr` and `output`, which is \
                  both in order of arrival.",
        },
        Native {
            name: "mp_run_code",
            params: "code_string, args=None",
            run: run_code,
            doc: "Runs a text of ZPy code in a new interpreter and waits for it; the same dict as `mp_run`.",
        },
        Native {
            name: "mp_spawn",
            params: "script_path, args=None",
            run: spawn,
            doc: "Starts a script in a new interpreter that shares this one's streams, and gives its handle at once. \
                  `mp_spawn(\"-c\", code)` starts a text of code.",
        },
        Native {
            name: "mp_wait",
            params: "handle, timeout=None",
            run: wait,
            doc: "Waits for a child and gives its exit code; the handle is gone then. After `timeout` seconds gives none \
                  and keeps the handle. Raises ValueError for a handle that is not known.",
        },
        Native {
            name: "mp_poll",
            params: "handle, /",
            run: poll,
            doc: "The exit code of a child that has ended, none while it runs. Never waits and keeps the handle.",
        },
        Native {
            name: "mp_kill",
            params: "handle, /",
            run: kill,
            doc: "Ends a child: SIGTERM, then SIGKILL if it still runs after a second. True for any known handle, which is \
                  gone then; false otherwise.",
        },
        Native {
            name: "mp_cpu_count",
            params: "",
            run: cpu_count,
            doc: "The number of CPUs this process may use.",
        },
        Native {
            name: "mp_sleep",
            params: "milliseconds, /",
            run: sleep,
            doc: "Sleeps for that many milliseconds, int or float.",
        },
        Native {
            name: "mp_deinit",
            params: "",
            run: deinit,
            doc: "Forgets all handles; the children go on, and numbering starts again at 1.",
        },
    ],
    constants: &[],
};

/// Attends to signals that come while a call blocks. If a handler raises, which Ctrl-C does without one, the
/// call ends and the exception is on its way; otherwise it goes on.
pub struct OnInterrupt<'a> {
    vm: &'a mut Vm,
    /// An exception is on its way.
    pub has_raised: bool,
}

impl OnInterrupt<'_> {
    pub fn new(vm: &mut Vm) -> OnInterrupt<'_> {
        OnInterrupt { vm, has_raised: false }
    }
}

impl Interrupt for OnInterrupt<'_> {
    fn pending(&self) -> bool {
        interrupt::is_pending()
    }

    fn attend(&mut self) -> bool {
        self.has_raised = self.vm.handle_interrupt().is_err();
        self.has_raised
    }
}

/// A string argument as bytes for the system; surrogates that stand for bytes become those bytes.
fn os_text(call: &mut Call, text: &str) -> Res<OsString> {
    let bytes = call.vm.encode_escaped(text)?;
    if bytes.contains(&0) {
        return Err(call.vm.value_error("embedded null byte"));
    }
    Ok(OsString::from_vec(bytes))
}

/// The strings of an `args` parameter.
fn arguments(call: &mut Call, index: usize) -> Res<Vec<OsString>> {
    let items = match call.opt_not_none(index).map(Value::view) {
        None => return Ok(Vec::new()),
        Some(View::List(list)) => List::to_vec(list),
        Some(View::Tuple(tuple)) => Tuple::items(tuple).to_vec(),
        Some(_) => return Err(call.wrong_type(index, "a list of strings")),
    };
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        let Some(text) = item.as_str() else {
            let (name, got) = (call.native.name, call.vm.type_name(&item));
            return Err(call.vm.type_error(format!("{name}() args must be strings, not {got}")));
        };
        texts.push(os_text(call, text)?);
    }
    Ok(texts)
}

/// A script path that cannot be taken for an option.
fn script_argument(call: &mut Call) -> Res<OsString> {
    let path = call.str(0)?;
    let path = if path.starts_with('-') { format!("./{path}") } else { path.to_string() };
    os_text(call, &path)
}

fn start_error(vm: &mut Vm, error: &StartError) -> Raised {
    vm.os_error(&error.error, Some(&error.path.to_string_lossy()))
}

fn run(call: &mut Call) -> Res {
    let mut args = vec![script_argument(call)?];
    args.extend(arguments(call, 1)?);
    capture(call, args)
}

fn run_code(call: &mut Call) -> Res {
    let code = call.str(0)?;
    let mut args = vec![OsString::from("-c"), os_text(call, code)?];
    args.extend(arguments(call, 1)?);
    capture(call, args)
}

fn capture(call: &mut Call, args: Vec<OsString>) -> Res {
    call.vm.flush_output()?;
    let mut command = Command::interpreter(args);
    command.die_with_parent = true;
    match mp::run(command, &mut OnInterrupt::new(call.vm)) {
        Ok(output) => Ok(result_dict(&output)),
        Err(RunError::Interrupted) => Err(Raised),
        Err(RunError::Start(error)) => Err(start_error(call.vm, &error)),
    }
}

/// What a finished child did, as scripts see it.
fn result_dict(output: &Output) -> Value {
    let text =
        |bytes: &[u8]| -> Value { Str::from_string(surrogate::decode_utf8_surrogateescape(bytes)).into() };
    Dict::from_pairs([
        ("ok", Value::bool(output.exit_code == 0)),
        ("exit_code", Value::int(output.exit_code as i64)),
        ("stdout", text(&output.stdout())),
        ("stderr", text(&output.stderr())),
        ("output", text(&output.output)),
    ])
    .into()
}

fn spawn(call: &mut Call) -> Res {
    let path = call.str(0)?;
    let args = if path == "-c" {
        let code = match call.opt(1) {
            Some(_) => call.str(1)?,
            None => return Err(call.vm.type_error("mp_spawn() wants the code after '-c'")),
        };
        vec![OsString::from("-c"), os_text(call, code)?]
    } else {
        let mut args = vec![script_argument(call)?];
        args.extend(arguments(call, 1)?);
        args
    };
    call.vm.flush_output()?;
    let mut command = Command::interpreter(args);
    command.die_with_parent = true;
    match mp::spawn(command) {
        Ok(started) => Ok(Value::int(started.handle.number as i64)),
        Err(error) => Err(start_error(call.vm, &error)),
    }
}

/// The handle argument; numbers that cannot be handles are just not known.
fn handle(call: &mut Call) -> Res<Handle> {
    if let View::BigInt(_) = call.arg(0).view() {
        return Ok(Handle::new(Kind::Script, 0));
    }
    if call.arg(0).as_small_int().is_none() {
        return Err(call.wrong_type(0, "int"));
    }
    let number = call.int(0)?;
    Ok(Handle::new(Kind::Script, u64::try_from(number).unwrap_or(0)))
}

/// A timeout in seconds, if one was given.
fn timeout(call: &mut Call, index: usize) -> Res<Option<Duration>> {
    if call.opt_not_none(index).is_none() {
        return Ok(None);
    }
    let seconds = call.non_negative_number(index, "timeout")?;
    Ok(Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)))
}

fn wait(call: &mut Call) -> Res {
    let handle = handle(call)?;
    let timeout = timeout(call, 1)?;
    call.vm.flush_output()?;
    match mp::wait(handle, timeout, &mut OnInterrupt::new(call.vm)) {
        Ok(Some(code)) => Ok(Value::int(code as i64)),
        Ok(None) => Ok(Value::NONE),
        Err(WaitError::Interrupted) => Err(Raised),
        Err(WaitError::UnknownHandle(unknown)) => Err(call.vm.value_error(unknown.to_string())),
    }
}

fn poll(call: &mut Call) -> Res {
    match mp::poll(handle(call)?) {
        Ok(Some(code)) => Ok(Value::int(code as i64)),
        Ok(None) => Ok(Value::NONE),
        Err(unknown) => Err(call.vm.value_error(unknown.to_string())),
    }
}

fn kill(call: &mut Call) -> Res {
    let handle = handle(call)?;
    let mut interrupt = OnInterrupt::new(call.vm);
    let known = mp::kill(handle, &mut interrupt);
    if interrupt.has_raised { Err(Raised) } else { Ok(Value::bool(known)) }
}

fn cpu_count(_call: &mut Call) -> Res {
    Ok(Value::size(mp::cpu_count()))
}

fn sleep(call: &mut Call) -> Res {
    let milliseconds = call.non_negative_number(0, "milliseconds")?;
    call.vm.flush_if_terminal()?;
    pause(call.vm, milliseconds / 1000.0)
}

/// Sleeps, or until a SIGINT raises `KeyboardInterrupt`. Handlers of other signals run meanwhile.
pub fn sleep_for(vm: &mut Vm, duration: Duration) -> Res {
    match mp::sleep(duration, &mut OnInterrupt::new(vm)) {
        Ok(()) => Ok(Value::NONE),
        Err(_) => Err(Raised),
    }
}

/// Sleeps for so many seconds, as [`sleep_for`].
pub fn pause(vm: &mut Vm, seconds: f64) -> Res {
    let duration = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    sleep_for(vm, duration)
}

fn deinit(_call: &mut Call) -> Res {
    mp::deinit(Kind::Script);
    Ok(Value::NONE)
}
