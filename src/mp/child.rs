//! A child after its start: waiting for it, asking, signalling and ending it.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::pause::{Interrupt, Interrupted, Never, deadline_after, sleep_until};
use super::table::{self, Handle, UnknownHandle};

/// How long a child may take to obey SIGTERM before SIGKILL.
pub(super) const GRACE: Duration = Duration::from_secs(1);
/// How long to wait for the end of a child after SIGKILL. Only one stuck inside the kernel takes
/// longer, and hanging with it would help nobody; it is collected whenever it does end.
const KILL_LIMIT: Duration = Duration::from_secs(5);
/// How often to look at a child for which there is no pidfd, should SIGCHLD not reach us.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Why [`wait`] has no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitError {
    UnknownHandle(UnknownHandle),
    Interrupted,
}

impl fmt::Display for WaitError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitError::UnknownHandle(unknown) => unknown.fmt(out),
            WaitError::Interrupted => Interrupted.fmt(out),
        }
    }
}

impl std::error::Error for WaitError {}

impl From<UnknownHandle> for WaitError {
    fn from(unknown: UnknownHandle) -> WaitError {
        WaitError::UnknownHandle(unknown)
    }
}

impl From<Interrupted> for WaitError {
    fn from(_: Interrupted) -> WaitError {
        WaitError::Interrupted
    }
}

/// Sleeps until the child ends and returns its exit code; the handle is then unknown. `Ok(None)` if
/// it still runs after `timeout`, and the handle stays.
pub fn wait(
    handle: Handle,
    timeout: Option<Duration>,
    interrupt: &mut dyn Interrupt,
) -> Result<Option<i32>, WaitError> {
    let code = await_end(handle, deadline_after(timeout), interrupt)?;
    if code.is_some() {
        table::forget(handle);
    }
    Ok(code)
}

/// The exit code if the child has ended, else `None`. Never waits and keeps the handle.
pub fn poll(handle: Handle) -> Result<Option<i32>, UnknownHandle> {
    table::exit_code(handle)
}

/// Like [`wait`], but the handle stays in any case.
pub(super) fn await_end(
    handle: Handle,
    deadline: Option<Instant>,
    interrupt: &mut dyn Interrupt,
) -> Result<Option<i32>, WaitError> {
    let pidfd: Option<Arc<OwnedFd>> = table::pidfd(handle)?;
    loop {
        let look_again = if pidfd.is_none() { Some(Instant::now() + LOOK_AGAIN) } else { None };
        let next = look_again.into_iter().chain(deadline).min();
        // An error is an answer too: another thread may take the handle away while we sleep.
        let answer = sleep_until(pidfd.as_deref(), next, interrupt, || table::exit_code(handle).transpose())?;
        match answer {
            Some(code) => return Ok(Some(code?)),
            None if next == deadline => return Ok(None),
            None => {}
        }
    }
}

/// Sends a signal. False if the child had already ended or the system refused.
pub fn send_signal(handle: Handle, signal: i32) -> Result<bool, UnknownHandle> {
    Ok(table::lock().record(handle)?.send_signal(signal))
}

/// Ends the child: SIGTERM, then SIGKILL if it still runs after a second. True for any known handle, also
/// if the child had ended by itself; the handle is then unknown. An interruption cuts the second short.
pub fn kill(handle: Handle, interrupt: &mut dyn Interrupt) -> bool {
    let known = send_signal(handle, libc::SIGTERM).is_ok();
    end_after(&[handle], GRACE, interrupt);
    known
}

/// Sends SIGINT to every child in the table and returns how many got it. For an interruption that was
/// sent to this process alone: Ctrl-C in a terminal reaches the children by itself.
pub fn interrupt_all() -> usize {
    let table = table::lock();
    let all = table.records();
    all.filter(|record| record.send_signal(libc::SIGINT)).count()
}

/// Waits up to `grace` for all children in the table, then ends those that still run with SIGKILL. The
/// table is empty afterwards. An interruption cuts the waiting short.
pub fn end_all(grace: Duration, interrupt: &mut dyn Interrupt) {
    end_after(&table::handles(None), grace, interrupt);
}

/// Waits for these children until `grace` is over or an interruption comes, then kills and collects
/// the rest and removes all of them from the table.
pub(super) fn end_after(handles: &[Handle], grace: Duration, interrupt: &mut dyn Interrupt) {
    let deadline = deadline_after(Some(grace));
    for &handle in handles {
        if await_end(handle, deadline, interrupt) == Err(WaitError::Interrupted) {
            break;
        }
    }
    for &handle in handles {
        let _ = send_signal(handle, libc::SIGKILL);
    }
    let deadline = deadline_after(Some(KILL_LIMIT));
    for &handle in handles {
        let _ = await_end(handle, deadline, &mut Never);
        table::forget(handle);
    }
}
