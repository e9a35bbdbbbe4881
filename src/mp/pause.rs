//! Sleeping until something happens, without missing an interruption.
//!
//! The classic mistake is to look at the "Ctrl-C was pressed" flag and then to sleep: a signal that
//! arrives between the two sets a flag that nobody looks at until the sleep is over. Every sleep of
//! this module therefore goes through [`Quiet`]: signals are held back, the flag and the awaited
//! condition are looked at, and the sleep itself lets the signals in, atomically.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags};

use super::sys::Quiet;

/// How a blocking call learns that it should stop. A signal handler sets something; this reads it.
pub trait Interrupt {
    /// Whether a signal wants attention. Called while signals are held back, so it must only look.
    fn pending(&self) -> bool;

    /// Called with signals let in again after [`Interrupt::pending`] was true: the place to run a
    /// script's own signal handler. True stops the blocking call; false resumes it, and then
    /// `pending` must have become false.
    fn attend(&mut self) -> bool {
        true
    }
}

impl Interrupt for &AtomicBool {
    fn pending(&self) -> bool {
        self.load(Ordering::Relaxed)
    }
}

/// For callers that have no interruptions.
#[derive(Clone, Copy, Debug)]
pub struct Never;

impl Interrupt for Never {
    fn pending(&self) -> bool {
        false
    }
}

/// The [`Interrupt`] said stop before the awaited thing happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("interrupted by a signal")
    }
}

impl std::error::Error for Interrupted {}

/// Sleeps for `duration`, to the nanosecond as far as the system goes.
pub fn sleep(duration: Duration, interrupt: &mut dyn Interrupt) -> Result<(), Interrupted> {
    sleep_until(None, deadline_after(Some(duration)), interrupt, || None::<()>).map(|_| ())
}

/// When a timeout ends; `None` is never, also for one so long that the clock cannot express its end.
pub(super) fn deadline_after(timeout: Option<Duration>) -> Option<Instant> {
    timeout.and_then(|timeout| Instant::now().checked_add(timeout))
}

/// Sleeps until `done` yields something, which is worth asking again when `wake` becomes readable or
/// a signal came. `Ok(None)` when time ran out first.
pub(super) fn sleep_until<T>(
    wake: Option<&OwnedFd>,
    deadline: Option<Instant>,
    interrupt: &mut dyn Interrupt,
    mut done: impl FnMut() -> Option<T>,
) -> Result<Option<T>, Interrupted> {
    loop {
        let quiet = Quiet::begin();
        if let Some(result) = done() {
            return Ok(Some(result));
        }
        if interrupt.pending() {
            quiet.end();
            if interrupt.attend() {
                return Err(Interrupted);
            }
            continue;
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Ok(None);
        }
        let mut wanted: Vec<PollFd> =
            wake.iter().map(|wake| PollFd::new(wake.as_fd(), PollFlags::POLLIN)).collect();
        quiet.park(&mut wanted, left);
    }
}

/// As the system's `poll`: sleeps until one of the descriptors has an event and notes what has happened in `revents`.
/// How many have one; 0 when time ran out. Signals that are attended to do not end the sleep.
///
/// # Errors
/// Too many descriptors, or the system is out of memory.
pub fn poll_events(
    wanted: &mut [libc::pollfd],
    timeout: Option<Duration>,
    interrupt: &mut dyn Interrupt,
) -> Result<io::Result<usize>, Interrupted> {
    let deadline = deadline_after(timeout);
    loop {
        let quiet = Quiet::begin();
        // Asked without sleeping, here and after each sleep, because a sleep does not tell.
        match look(wanted) {
            Ok(0) => {}
            answer => return Ok(answer),
        }
        if interrupt.pending() {
            quiet.end();
            if interrupt.attend() {
                return Err(Interrupted);
            }
            continue;
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Ok(Ok(0));
        }
        // Negative descriptors are there to be passed over.
        let open = wanted.iter().filter(|entry| entry.fd >= 0);
        let mut parked: Vec<PollFd> = open
            .map(|entry| {
                // SAFETY: used for the sleep only; the system reports a descriptor that is not open.
                let descriptor = unsafe { BorrowedFd::borrow_raw(entry.fd) };
                PollFd::new(descriptor, PollFlags::from_bits_retain(entry.events))
            })
            .collect();
        quiet.park(&mut parked, left);
    }
}

/// One look at descriptors.
fn look(wanted: &mut [libc::pollfd]) -> io::Result<usize> {
    // SAFETY: the slice is as long as said.
    let count = unsafe { libc::poll(wanted.as_mut_ptr(), wanted.len() as libc::nfds_t, 0) };
    match count {
        0.. => Ok(count as usize),
        _ => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            error => Err(error),
        },
    }
}
