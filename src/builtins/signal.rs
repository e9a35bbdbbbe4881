//! `signal`: handlers written in ZPy, timers, and names of signals.
//!
//! The system's handler only notes that a signal came (`crate::mp::sys`, `crate::eval::interrupt`); the
//! script's handler runs at the next safe point: a loop, a call, or a blocking function.

use crate::call::{Call, Native, NativeModule};
use crate::eval::{Exc, Vm, interrupt};
use crate::mp::sys::{Disposition, disposition_of, set_disposition};
use crate::mp::{self, Interrupt};
use crate::value::{Raised, Res, Value};
use std::ffi::CStr;
use std::io;
use std::time::Duration;

macro_rules! signals {
    ($($name:ident)*) => {
        pub static MODULE: NativeModule = NativeModule {
            name: "signal",
            doc: "Signals: sending them, and handlers for those that come.",
            functions: FUNCTIONS,
            constants: &[
                $((stringify!($name), |_| Value::int(libc::$name as i64)),)*
                ("SIGCLD", |_| Value::int(libc::SIGCHLD as i64)),
                ("SIGRTMIN", |_| Value::int(real_time().0 as i64)),
                ("SIGRTMAX", |_| Value::int(real_time().1 as i64)),
                ("SIG_DFL", |_| Value::int(DEFAULT)),
                ("SIG_IGN", |_| Value::int(IGNORE)),
                ("NSIG", |_| Value::int(END as i64)),
                ("ItimerError", |vm| vm.types.exception(Exc::OSError).into()),
            ],
        };
    };
}

signals! {
    SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM
    SIGTERM SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH
    SIGIO SIGSYS
    SIG_BLOCK SIG_UNBLOCK SIG_SETMASK
    ITIMER_REAL ITIMER_VIRTUAL ITIMER_PROF
}

/// `SIG_DFL` and `SIG_IGN`, as the system has them too.
const DEFAULT: i64 = 0;
const IGNORE: i64 = 1;
/// One more than the highest signal number.
const END: i32 = 65;

const FUNCTIONS: &[Native] = &[
    Native {
        name: "signal",
        params: "signalnum, handler, /",
        run: set_handler,
        doc: "Says what happens when a signal comes: a function of the number and none, `SIG_IGN` or `SIG_DFL`. Gives what was said before.",
    },
    Native {
        name: "getsignal",
        params: "signalnum, /",
        run: get_handler,
        doc: "The handler of a signal, `SIG_IGN` or `SIG_DFL`.",
    },
    Native {
        name: "default_int_handler",
        params: "signalnum, frame, /",
        run: default_int_handler,
        doc: "The handler of SIGINT: raises KeyboardInterrupt.",
    },
    Native {
        name: "raise_signal",
        params: "signalnum, /",
        run: raise_signal,
        doc: "Sends a signal to this process.",
    },
    Native {
        name: "alarm",
        params: "seconds, /",
        run: alarm,
        doc: "Has SIGALRM come after so many seconds; 0 calls that off. How many seconds the last one had left.",
    },
    Native {
        name: "setitimer",
        params: "which, seconds, interval=0.0, /",
        run: set_timer,
        doc: "Has a signal come after so many seconds and then at intervals. What was left of the timer, and its interval.",
    },
    Native {
        name: "getitimer",
        params: "which, /",
        run: get_timer,
        doc: "What is left of a timer in seconds, and its interval.",
    },
    Native { name: "pause", params: "", run: pause, doc: "Waits until a signal came and its handler ran." },
    Native {
        name: "strsignal",
        params: "signalnum, /",
        run: describe,
        doc: "What the system calls a signal, such as `Terminated`; none for an unknown number.",
    },
    Native { name: "valid_signals", params: "", run: valid_signals, doc: "The set of all signal numbers." },
    Native {
        name: "pthread_sigmask",
        params: "how, mask, /",
        run: set_mask,
        doc: "Holds signals back or lets them in again (`SIG_BLOCK`, `SIG_UNBLOCK`, `SIG_SETMASK`); which were held back before.",
    },
    Native { name: "sigpending", params: "", run: pending, doc: "Signals that came and are held back." },
    Native {
        name: "sigwait",
        params: "sigset, /",
        run: wait_for,
        doc: "Waits for one of some signals that are held back; its number.",
    },
    Native {
        name: "siginterrupt",
        params: "signalnum, flag, /",
        run: do_not_restart,
        doc: "Does nothing: blocking calls go on by themselves after a handler ran.",
    },
];

fn real_time() -> (i32, i32) {
    #[cfg(target_os = "linux")]
    return (libc::SIGRTMIN(), libc::SIGRTMAX());
    #[cfg(not(target_os = "linux"))]
    (END - 1, END - 1)
}

/// A signal number.
fn number(call: &mut Call, index: usize) -> Res<i32> {
    let number = call.c_int(index)?;
    check_number(call.vm, number)
}

fn check_number(vm: &mut Vm, number: i32) -> Res<i32> {
    if (1..END).contains(&number) { Ok(number) } else { Err(vm.value_error("signal number out of range")) }
}

fn none_or_error(vm: &mut Vm, result: io::Result<()>) -> Res {
    match result {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(vm.os_error(&error, None)),
    }
}

/// What `getsignal` gives.
fn handler(vm: &mut Vm, signal: i32) -> Res {
    if let Some(handler) = vm.state.signal_handlers.get(&signal) {
        return Ok(handler.clone());
    }
    match disposition_of(signal) {
        Ok(Disposition::Ignored) => Ok(Value::int(IGNORE)),
        Ok(Disposition::Other | Disposition::Noted(_)) if signal == libc::SIGINT => {
            let module = vm.import_module("signal")?;
            let name = vm.intern("default_int_handler");
            vm.get_attribute(&module, &name)
        }
        // The handler that looks after children, or that reports a machine stack that ran out.
        _ => Ok(Value::int(DEFAULT)),
    }
}

fn get_handler(call: &mut Call) -> Res {
    let signal = number(call, 0)?;
    handler(call.vm, signal)
}

fn set_handler(call: &mut Call) -> Res {
    let wanted = call.arg(1).clone();
    let disposition = match wanted.as_small_int() {
        Some(DEFAULT) => Disposition::Default,
        Some(IGNORE) => Disposition::Ignored,
        _ if call.vm.is_callable(&wanted) => Disposition::Noted(interrupt::note),
        _ => {
            let message = "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object";
            return Err(call.vm.type_error(message));
        }
    };
    let signal = number(call, 0)?;
    // What came before the change is for the old handler.
    call.vm.handle_interrupt()?;
    let before = handler(call.vm, signal)?;
    let result = set_disposition(signal, disposition);
    none_or_error(call.vm, result)?;
    // The old one is dropped after the change of the table, because its end may run script code.
    let old = match disposition {
        Disposition::Noted(_) => call.vm.state.signal_handlers.insert(signal, wanted),
        _ => call.vm.state.signal_handlers.remove(&signal),
    };
    drop(old);
    Ok(before)
}

fn default_int_handler(call: &mut Call) -> Res {
    Err(call.vm.error_with(Exc::KeyboardInterrupt, Vec::new()))
}

fn raise_signal(call: &mut Call) -> Res {
    let signal = call.c_int(0)?;
    // SAFETY: no memory is involved.
    let result = unsafe { libc::raise(signal) };
    let done = system_result(call.vm, result)?;
    call.vm.handle_interrupt()?;
    Ok(done)
}

fn alarm(call: &mut Call) -> Res {
    let seconds = call.c_int(0)?;
    // SAFETY: no memory is involved.
    Ok(Value::int(unsafe { libc::alarm(seconds as libc::c_uint) } as i64))
}

fn time_value(call: &mut Call, index: usize) -> Res<libc::timeval> {
    let seconds = if call.opt(index).is_some() { call.float(index)? } else { 0.0 };
    if seconds < 0.0 || !seconds.is_finite() {
        return Err(call.vm.os_error(&io::Error::from_raw_os_error(libc::EINVAL), None));
    }
    // Rounded up to a microsecond: a timer of 0 would be none at all.
    let micros = (seconds * 1e6).ceil() as i64;
    Ok(libc::timeval {
        tv_sec: (micros / 1_000_000) as libc::time_t,
        tv_usec: (micros % 1_000_000) as libc::suseconds_t,
    })
}

fn timer_pair(timer: &libc::itimerval) -> Value {
    let seconds = |t: libc::timeval| Value::float(t.tv_sec as f64 + t.tv_usec as f64 * 1e-6);
    Value::tuple(vec![seconds(timer.it_value), seconds(timer.it_interval)])
}

fn set_timer(call: &mut Call) -> Res {
    let which = call.c_int(0)?;
    let wanted = libc::itimerval { it_value: time_value(call, 1)?, it_interval: time_value(call, 2)? };
    // SAFETY: both timers are valid; all zero is one.
    let (result, before) = unsafe {
        let mut before: libc::itimerval = std::mem::zeroed();
        (libc::setitimer(which as _, &wanted, &mut before), before)
    };
    system_result(call.vm, result)?;
    Ok(timer_pair(&before))
}

fn get_timer(call: &mut Call) -> Res {
    let which = call.c_int(0)?;
    // SAFETY: all zero is a valid timer, which the call fills in.
    let (result, timer) = unsafe {
        let mut timer: libc::itimerval = std::mem::zeroed();
        (libc::getitimer(which as _, &mut timer), timer)
    };
    system_result(call.vm, result)?;
    Ok(timer_pair(&timer))
}

/// Ends a sleep after any signal that has a handler.
struct AnySignal<'a> {
    vm: &'a mut Vm,
    has_raised: bool,
}

impl Interrupt for AnySignal<'_> {
    fn pending(&self) -> bool {
        interrupt::is_pending()
    }

    fn attend(&mut self) -> bool {
        self.has_raised = self.vm.handle_interrupt().is_err();
        true
    }
}

fn pause(call: &mut Call) -> Res {
    call.vm.flush_if_terminal()?;
    let mut until = AnySignal { vm: call.vm, has_raised: false };
    // `Err` says that it was interrupted, which is the only way out.
    let _ = mp::sleep(Duration::MAX, &mut until);
    if until.has_raised { Err(Raised) } else { Ok(Value::NONE) }
}

fn describe(call: &mut Call) -> Res {
    let signal = number(call, 0)?;
    // SAFETY: the text is the C library's and is copied at once; the process has one thread.
    let text = unsafe {
        let text = libc::strsignal(signal);
        if text.is_null() { return Ok(Value::NONE) } else { CStr::from_ptr(text).to_string_lossy() }
    };
    Ok(if text.starts_with("Unknown") { Value::NONE } else { Value::str(text) })
}

fn valid_signals(call: &mut Call) -> Res {
    // SAFETY: all zero is a valid place for a set, which `sigfillset` fills in.
    let all = unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        all
    };
    set_value(call.vm, &all)
}

/// A set of signal numbers.
fn set_value(vm: &mut Vm, set: &libc::sigset_t) -> Res {
    // SAFETY: the set is valid.
    let is_in = |signal: &i32| unsafe { libc::sigismember(set, *signal) } == 1;
    let numbers = (1..END).filter(is_in).map(|signal| Value::int(signal as i64)).collect();
    Ok(vm.set_from(numbers)?.into())
}

/// The signals in an iterable argument.
fn set_of(call: &mut Call, index: usize) -> Res<libc::sigset_t> {
    // SAFETY: all zero is a valid place for a set, which `sigemptyset` fills in.
    let mut set = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        set
    };
    for item in call.items(index)? {
        let signal = call.vm.c_int(&item)?;
        let signal = check_number(call.vm, signal)?;
        // SAFETY: the set is valid.
        unsafe { libc::sigaddset(&mut set, signal) };
    }
    Ok(set)
}

fn set_mask(call: &mut Call) -> Res {
    let how = call.c_int(0)?;
    let wanted = set_of(call, 1)?;
    // SAFETY: both sets are valid.
    let (error, before) = unsafe {
        let mut before: libc::sigset_t = std::mem::zeroed();
        (libc::pthread_sigmask(how, &wanted, &mut before), before)
    };
    if error != 0 {
        return Err(call.vm.os_error(&io::Error::from_raw_os_error(error), None));
    }
    call.vm.handle_interrupt()?;
    set_value(call.vm, &before)
}

fn pending(call: &mut Call) -> Res {
    // SAFETY: all zero is a valid place for a set, which the call fills in.
    let set = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigpending(&mut set);
        set
    };
    set_value(call.vm, &set)
}

fn wait_for(call: &mut Call) -> Res {
    let wanted = set_of(call, 0)?;
    call.vm.flush_if_terminal()?;
    let mut signal = 0;
    // SAFETY: the set is valid, and there is a place for the answer.
    let error = unsafe { libc::sigwait(&wanted, &mut signal) };
    if error != 0 {
        return Err(call.vm.os_error(&io::Error::from_raw_os_error(error), None));
    }
    Ok(Value::int(signal as i64))
}

fn do_not_restart(call: &mut Call) -> Res {
    number(call, 0)?;
    Ok(Value::NONE)
}

/// What a call that gives 0 or -1 means.
fn system_result(vm: &mut Vm, result: i32) -> Res {
    if result < 0 { Err(vm.os_error(&io::Error::last_os_error(), None)) } else { Ok(Value::NONE) }
}
