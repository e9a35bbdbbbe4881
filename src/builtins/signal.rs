//! `signal`: numbers and names of signals. Handlers of scripts are not supported yet.

use crate::call::{Call, Native, NativeModule};
use crate::eval::Exc;
use crate::value::{Res, Value};
use std::ffi::CStr;

macro_rules! signals {
    ($($name:ident)*) => {
        pub static MODULE: NativeModule = NativeModule {
            name: "signal",
            doc: "Signals between processes.",
            functions: FUNCTIONS,
            constants: &[
                $((stringify!($name), |_| Value::int(libc::$name as i64)),)*
                ("SIG_DFL", |_| Value::int(0)),
                ("SIG_IGN", |_| Value::int(1)),
                ("NSIG", |_| Value::int(65)),
            ],
        };
    };
}

signals! {
    SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM
    SIGTERM SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH
    SIGIO SIGSYS
}

static FUNCTIONS: &[Native] = &[
    Native {
        name: "strsignal",
        params: "signalnum, /",
        run: describe,
        doc: "What the system calls a signal, such as `Terminated`; none for an unknown number.",
    },
    Native {
        name: "raise_signal",
        params: "signalnum, /",
        run: raise,
        doc: "Sends a signal to this process.",
    },
    Native { name: "signal", params: "signalnum, handler, /", run: not_yet, doc: "Not supported yet." },
    Native { name: "getsignal", params: "signalnum, /", run: not_yet, doc: "Not supported yet." },
    Native { name: "alarm", params: "seconds, /", run: not_yet, doc: "Not supported yet." },
    Native {
        name: "setitimer",
        params: "which, seconds, interval=0.0, /",
        run: not_yet,
        doc: "Not supported yet.",
    },
    Native { name: "pause", params: "", run: not_yet, doc: "Not supported yet." },
];

fn number(call: &mut Call) -> Res<i32> {
    let number = super::sys::descriptor(call.vm, call.arg(0))?;
    if !(1..65).contains(&number) {
        return Err(call.vm.value_error("signal number out of range"));
    }
    Ok(number)
}

fn describe(call: &mut Call) -> Res {
    let number = number(call)?;
    // SAFETY: the text is the C library's and is copied at once; the process has one thread.
    let text = unsafe { libc::strsignal(number) };
    if text.is_null() {
        return Ok(Value::NONE);
    }
    // SAFETY: as above.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    Ok(if text.starts_with("Unknown") { Value::NONE } else { Value::str(text) })
}

fn raise(call: &mut Call) -> Res {
    let number = number(call)?;
    // SAFETY: only sends a signal.
    if unsafe { libc::raise(number) } != 0 {
        let error = std::io::Error::last_os_error();
        return Err(call.vm.os_error(&error, None));
    }
    call.vm.handle_interrupt()?;
    Ok(Value::NONE)
}

fn not_yet(call: &mut Call) -> Res {
    let name = call.native.name;
    Err(call.vm.error(Exc::NotImplementedError, format!("signal.{name}() is not supported yet")))
}
