//! The two signal handlers of this module: that of SIGCHLD, and that of signals which scripts want to know of.
//!
//! Both save `errno`, take no lock and allocate nothing. They run on the alternate signal stack if
//! there is one (`SA_ONSTACK`), because the interrupted code may be a generator on a small stack.

use std::io;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

use nix::errno::Errno;

use super::system;
use super::unix::{check, wake};
use crate::mp::reaper;

type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);

/// The host's SIGCHLD handler from before ours: its address, or 0, and whether it takes one argument or three.
static HOST_HANDLER: AtomicUsize = AtomicUsize::new(0);
static HOST_HANDLER_TAKES_INFO: AtomicBool = AtomicBool::new(false);
/// Whether whoever notes signals wants to know of SIGCHLD too.
static NOTES_CHILDREN: AtomicBool = AtomicBool::new(false);
/// What to call with the number of a signal that came: its address, or 0.
static NOTE: AtomicUsize = AtomicUsize::new(0);
static SIGINT_FLAG: AtomicPtr<AtomicBool> = AtomicPtr::new(std::ptr::null_mut());
static SIGINT_FROM_TERMINAL: AtomicBool = AtomicBool::new(false);

/// Installs the SIGCHLD handler, once per process and before the first child. A handler that the host
/// installed before is called after ours. It restarts interrupted calls, so a host notices nothing.
///
/// If a host installs its own handler later without passing the signal on, children are collected at
/// the next call about them, or at [`reap_pending`](crate::mp::reap_pending).
pub fn watch_children() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let Ok(before) = disposition(libc::SIGCHLD) else { return };
        let mut flags = libc::SA_RESTART;
        if before.sa_sigaction == libc::SIG_DFL || before.sa_sigaction == libc::SIG_IGN {
            flags |= libc::SA_NOCLDSTOP;
        } else {
            HOST_HANDLER_TAKES_INFO.store(before.sa_flags & libc::SA_SIGINFO != 0, Ordering::Relaxed);
            HOST_HANDLER.store(before.sa_sigaction, Ordering::Release);
            flags |= before.sa_flags & libc::SA_NOCLDSTOP;
        }
        let _ = install(libc::SIGCHLD, child_ended, flags);
    });
}

extern "C" fn child_ended(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let errno = Errno::last_raw();
    reaper::sweep();
    if NOTES_CHILDREN.load(Ordering::Relaxed) {
        note(signal);
    }
    wake();
    let host = HOST_HANDLER.load(Ordering::Acquire);
    if host != 0 && HOST_HANDLER_TAKES_INFO.load(Ordering::Relaxed) {
        // SAFETY: the address was the disposition of this signal with SA_SIGINFO, hence such a function.
        let host: Handler = unsafe { std::mem::transmute(host) };
        host(signal, info, context);
    } else if host != 0 {
        // SAFETY: as above, without SA_SIGINFO.
        let host: extern "C" fn(libc::c_int) = unsafe { std::mem::transmute(host) };
        host(signal);
    }
    Errno::set_raw(errno);
}

/// From now on Ctrl-C sets `flag`, which the caller clears, and interrupts blocking calls of the calling
/// thread, whichever thread takes the signal. False if SIGINT is ignored, as for a background job
/// of a shell script; that is left as it is, as Python does.
pub fn install_sigint_handler(flag: &'static AtomicBool) -> io::Result<bool> {
    if disposition(libc::SIGINT)?.sa_sigaction == libc::SIG_IGN {
        return Ok(false);
    }
    system::claim_interrupts();
    SIGINT_FLAG.store(std::ptr::from_ref(flag).cast_mut(), Ordering::Release);
    install(libc::SIGINT, signal_came, 0)?;
    Ok(true)
}

/// As [`install_sigint_handler`], with a function that notes the signal. It runs in the signal handler.
pub fn note_sigint(note: fn(libc::c_int)) -> io::Result<bool> {
    if disposition(libc::SIGINT)?.sa_sigaction == libc::SIG_IGN {
        return Ok(false);
    }
    set_disposition(libc::SIGINT, Disposition::Noted(note))?;
    Ok(true)
}

/// What the system does with a signal.
#[derive(Clone, Copy, Debug)]
pub enum Disposition {
    Default,
    Ignored,
    /// The function is called in the signal handler with the number of the signal, and blocking calls of
    /// the thread that asked for this are interrupted. There is one such function for all signals.
    Noted(fn(libc::c_int)),
    /// Somebody else's handler, or the one that looks after children.
    Other,
}

/// What the system does with a signal now.
pub fn disposition_of(signal: libc::c_int) -> io::Result<Disposition> {
    let address = disposition(signal)?.sa_sigaction;
    Ok(match address {
        libc::SIG_DFL => Disposition::Default,
        libc::SIG_IGN => Disposition::Ignored,
        _ => Disposition::Other,
    })
}

/// Says what the system does with a signal. Children are looked after whatever is said of SIGCHLD.
pub fn set_disposition(signal: libc::c_int, wanted: Disposition) -> io::Result<()> {
    if let Disposition::Noted(note) = wanted {
        NOTE.store(note as usize, Ordering::Release);
        system::claim_interrupts();
    }
    if signal == libc::SIGCHLD {
        let is_noted = matches!(wanted, Disposition::Noted(_));
        watch_children();
        NOTES_CHILDREN.store(is_noted, Ordering::Relaxed);
        return install(
            signal,
            child_ended,
            if is_noted { 0 } else { libc::SA_RESTART | libc::SA_NOCLDSTOP },
        );
    }
    match wanted {
        Disposition::Noted(_) => install(signal, signal_came, 0),
        Disposition::Default => set_plain(signal, libc::SIG_DFL),
        Disposition::Ignored => set_plain(signal, libc::SIG_IGN),
        Disposition::Other => Ok(()),
    }
}

/// Calls the function that notes signals, if there is one. Runs in signal handlers.
fn note(signal: libc::c_int) {
    let address = NOTE.load(Ordering::Acquire);
    if address != 0 {
        // SAFETY: the address was stored from such a function.
        let note: fn(libc::c_int) = unsafe { std::mem::transmute(address) };
        note(signal);
    }
}

/// Whether the last SIGINT was typed at the terminal, which sends it to the children as well.
pub fn is_sigint_from_terminal() -> bool {
    SIGINT_FROM_TERMINAL.load(Ordering::Relaxed)
}

extern "C" fn signal_came(signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    let errno = Errno::last_raw();
    if signal == libc::SIGINT {
        // SAFETY: with SA_SIGINFO the system passes a valid pointer. Positive codes are the system's own.
        let from_terminal = unsafe { info.as_ref() }.is_some_and(|info| info.si_code > 0);
        SIGINT_FROM_TERMINAL.store(from_terminal, Ordering::Relaxed);
    }
    // Not both here and there: the flag would be raised again after the caller has cleared it.
    if system::forward_interrupt(signal) {
        return Errno::set_raw(errno);
    }
    // SAFETY: the pointer is null or comes from a `&'static AtomicBool`.
    let flag = unsafe { SIGINT_FLAG.load(Ordering::Acquire).as_ref() };
    if let Some(flag) = flag.filter(|_| signal == libc::SIGINT) {
        flag.store(true, Ordering::Relaxed);
    }
    note(signal);
    wake();
    Errno::set_raw(errno);
}

fn disposition(signal: libc::c_int) -> io::Result<libc::sigaction> {
    // SAFETY: all zero is a valid `sigaction`; without a new action the call only fills in the old one.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        check(libc::sigaction(signal, std::ptr::null(), &mut action))?;
        Ok(action)
    }
}

fn set_plain(signal: libc::c_int, handler: libc::sighandler_t) -> io::Result<()> {
    // SAFETY: all zero is a valid `sigaction` with an empty mask, and `handler` is SIG_DFL or SIG_IGN.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        check(libc::sigaction(signal, &action, std::ptr::null_mut()))
    }
}

fn install(signal: libc::c_int, handler: Handler, flags: libc::c_int) -> io::Result<()> {
    // SAFETY: all zero is a valid `sigaction` with an empty mask; `handler` has the signature that
    // SA_SIGINFO promises and does only what is safe in a signal handler.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as libc::sighandler_t;
        action.sa_flags = flags | libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigemptyset(&mut action.sa_mask);
        check(libc::sigaction(signal, &action, std::ptr::null_mut()))
    }
}
