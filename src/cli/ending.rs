//! How a program ends: what its last exception says on stderr, which exit code it means, and what must
//! still be done before the process may go.

use crate::builtins::mp::OnInterrupt;
use crate::engine::exit_code;
use crate::eval::interrupt::OnCtrlC;
use crate::eval::{Exc, Vm};
use crate::mp;
use crate::value::{Exception, Module, Ref, Value};
use std::io::{self, ErrorKind};
use std::panic::PanicHookInfo;
use std::time::{Duration, Instant};

/// Exit codes.
pub mod exit {
    pub const SUCCESS: i32 = 0;
    /// An exception that nobody caught.
    pub const FAILURE: i32 = 1;
    /// Wrong usage, an unreadable program, a syntax error: nothing ran.
    pub const USAGE: i32 = 2;
    /// A bug in ZPy; the number is `EX_SOFTWARE` of sysexits.h.
    pub const BUG: i32 = 70;
    /// The output could not be written to its end; the number is Python's.
    pub const LOST_OUTPUT: i32 = 120;
    /// Ended by Ctrl-C: what a shell reports for SIGINT.
    pub const INTERRUPTED: i32 = 130;
    /// The reader of stdout went away: what a shell reports for SIGPIPE.
    pub const BROKEN_PIPE: i32 = 141;
}

/// Reports the pending exception, which nobody caught, on stderr; the exit code it means.
pub fn of_exception(vm: &mut Vm) -> i32 {
    let exception = vm.take_raised();
    let is = |vm: &Vm, kind| exception.class().is_subtype_of(&vm.types.exception(kind));
    if is(vm, Exc::SystemExit) {
        return of_system_exit(vm, &exception);
    }
    if is(vm, Exc::BrokenPipeError) && vm.streams.stdout.is_broken {
        // `zpy script.zpy | head` is no error.
        return exit::BROKEN_PIPE;
    }
    if !is(vm, Exc::KeyboardInterrupt) {
        vm.report_uncaught(&exception);
        return exit::FAILURE;
    }
    // One Ctrl-C, one traceback: that of the first interpreter in the tree.
    if !mp::sys::is_child_of_interpreter() {
        vm.report_uncaught(&exception);
    }
    end_children();
    exit::INTERRUPTED
}

/// The exit code of `SystemExit`: its number, 0 for none; anything else is a last word for stderr.
pub fn of_system_exit(vm: &mut Vm, exception: &Ref<Exception>) -> i32 {
    let value = vm.exit_value(exception);
    exit_code(&value).unwrap_or_else(|| {
        let text = vm.str_of(&value).unwrap_or_default();
        let _ = vm.streams.stdout.flush();
        vm.write_stderr(&format!("{text}\n"));
        exit::FAILURE
    })
}

/// What every end has in common: the functions of `atexit` run, children that still run are waited for, the variables
/// die, so that open files are written out and `__del__` runs, and the rest of stdout is written. The exit code, changed
/// if that failed.
pub fn finish(vm: &mut Vm, code: i32) -> i32 {
    vm.run_exit_callbacks();
    let code = join_children(vm, code);
    clear_modules(vm);
    vm.collect_garbage();
    // Nobody can be told that stderr does not work.
    let _ = vm.streams.stderr.flush();
    match vm.streams.stdout.flush() {
        Err(error) if code == exit::SUCCESS => of_failed_stdout(&error),
        _ => code,
    }
}

/// Waits for the children that `mp_spawn` started and nobody waited for: they are part of the program.
/// Ctrl-C ends them and the waiting.
fn join_children(vm: &mut Vm, code: i32) -> i32 {
    let children = mp::handles(Some(mp::Kind::Script));
    if children.is_empty() {
        return code;
    }
    let _ = vm.streams.stdout.flush();
    for child in children {
        if let Err(mp::WaitError::Interrupted) = mp::wait(child, None, &mut OnInterrupt::new(vm)) {
            vm.take_raised();
            end_children();
            return exit::INTERRUPTED;
        }
    }
    code
}

/// Empties the modules in the reverse order of their import, the main program first.
fn clear_modules(vm: &mut Vm) {
    let modules: Vec<Value> = vm.modules.borrow().iter().map(|entry| entry.value.clone()).collect();
    let (main, others): (Vec<_>, Vec<_>) =
        modules.iter().filter_map(Value::get::<Module>).partition(|m| m.name.as_str() == "__main__");
    for module in main.into_iter().chain(others.into_iter().rev()) {
        for (name, value) in module.pairs() {
            if module.name.as_str() != "builtins" {
                module.remove(&name);
            }
            drop(value);
        }
    }
}

/// The exit code when stdout cannot be written.
pub fn of_failed_stdout(error: &io::Error) -> i32 {
    match error.kind() {
        ErrorKind::BrokenPipe => exit::BROKEN_PIPE,
        ErrorKind::Interrupted => exit::INTERRUPTED,
        _ => {
            super::complain(&format!("cannot write to stdout: {error}"));
            exit::LOST_OUTPUT
        }
    }
}

/// After Ctrl-C: how long children may take by themselves, after SIGINT, and after SIGTERM.
const TAKE_THE_HINT: Duration = Duration::from_millis(100);
const OBEY_INTERRUPT: Duration = Duration::from_secs(2);
const OBEY_TERMINATION: Duration = Duration::from_secs(3);

/// Ends every child after Ctrl-C. In a terminal they got it too; a signal sent to this process alone is
/// passed on. Whoever does not go is asked with SIGTERM and then made to with SIGKILL; another Ctrl-C cuts
/// the waiting short.
fn end_children() {
    await_children(TAKE_THE_HINT);
    if mp::handles(None).is_empty() {
        return;
    }
    if !mp::sys::is_sigint_from_terminal() {
        mp::interrupt_all();
    }
    await_children(OBEY_INTERRUPT);
    for handle in mp::handles(None) {
        let _ = mp::send_signal(handle, libc::SIGTERM);
    }
    mp::end_all(OBEY_TERMINATION, &mut OnCtrlC);
}

/// Waits until all children have ended, or the time is up, or Ctrl-C comes again.
fn await_children(limit: Duration) {
    let until = Instant::now() + limit;
    for handle in mp::handles(None) {
        let left = until.saturating_duration_since(Instant::now());
        let _ = mp::wait(handle, Some(left), &mut OnCtrlC);
    }
}

/// What a panic, which is a bug in ZPy, says.
pub fn internal_error(info: &PanicHookInfo) -> String {
    let payload = info.payload();
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let message = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("panic");
    let place =
        info.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
    format!(
        "internal error: {message}{place}. This is a bug in ZPy, not in your program; please report it with \
         the program that led to it."
    )
}
