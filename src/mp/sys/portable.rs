//! The same as `linux.rs` for other unix systems, with a self-pipe instead of pidfd and `ppoll`.
//!
//! The handlers of SIGCHLD and SIGINT write a byte into a pipe that is part of every sleep. The pipe
//! is emptied before the flags are looked at, so a signal in between leaves a byte and the sleep ends
//! at once. Signal handlers from elsewhere call [`wake`] for the same effect. With several threads one
//! may take the byte meant for another, and so no sleep is longer than [`LONGEST_PARK`].

use std::ffi::CStr;
use std::io;
use std::os::fd::{BorrowedFd, IntoRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::unix::{kill_by_pid, set_nonblocking};

const LONGEST_PARK: Duration = Duration::from_millis(100);
const AFTER_FAILURE: Duration = Duration::from_millis(10);

/// The self-pipe, made at first use and open until the process ends; -1 before. The write end is set last.
static READ_END: AtomicI32 = AtomicI32::new(-1);
static WRITE_END: AtomicI32 = AtomicI32::new(-1);

/// While this lives, a signal leaves a byte that ends the next [`Quiet::park`] at once.
pub struct Quiet {
    wake: Option<BorrowedFd<'static>>,
}

impl Quiet {
    pub fn begin() -> Quiet {
        let wake = self_pipe();
        if let Some(wake) = wake {
            let mut bytes = [0; 64];
            while nix::unistd::read(wake, &mut bytes).is_ok_and(|length| length == bytes.len()) {}
        }
        Quiet { wake }
    }

    /// Sleeps until a descriptor is ready, a signal was handled, or time is up.
    pub fn park(&self, wanted: &mut [PollFd<'_>], limit: Option<Duration>) {
        let limit = limit.map_or(LONGEST_PARK, |limit| limit.min(LONGEST_PARK));
        // Rounded up, else the last part of a millisecond would be spent spinning.
        let limit = PollTimeout::try_from(limit.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::ZERO);
        let mut all: Vec<PollFd<'_>> =
            self.wake.iter().map(|wake| PollFd::new(*wake, PollFlags::POLLIN)).collect();
        all.extend(wanted.iter().cloned());
        let result = poll(&mut all, limit);
        let own = all.len() - wanted.len();
        wanted.clone_from_slice(&all[own..]);
        if result.is_err_and(|error| error != nix::errno::Errno::EINTR) {
            std::thread::sleep(AFTER_FAILURE);
        }
    }

    /// Nothing to do: signals were let in all the time.
    pub fn end(self) {}
}

fn self_pipe() -> Option<BorrowedFd<'static>> {
    static MAKING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if WRITE_END.load(Ordering::Acquire) == -1 {
        let (read_end, write_end) = nix::unistd::pipe().ok()?;
        for end in [&read_end, &write_end] {
            set_nonblocking(end);
            let _ = fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC));
        }
        READ_END.store(read_end.into_raw_fd(), Ordering::Release);
        WRITE_END.store(write_end.into_raw_fd(), Ordering::Release);
    }
    // SAFETY: the descriptor was taken out of its owner above and is closed only in a forked child,
    // before anything can borrow it there.
    Some(unsafe { BorrowedFd::borrow_raw(READ_END.load(Ordering::Acquire)) })
}

/// Ends the sleep of the moment, or the next one. Runs in signal handlers.
pub fn wake() {
    let write_end = WRITE_END.load(Ordering::Acquire);
    if write_end != -1 {
        // SAFETY: one byte is readable. A full pipe is fine: the sleeper will wake.
        unsafe { libc::write(write_end, [0u8].as_ptr().cast(), 1) };
    }
}

/// A pipe shared with the parent would carry each other's bytes.
pub fn after_fork_in_child() {
    for end in [&WRITE_END, &READ_END] {
        let descriptor = end.swap(-1, Ordering::AcqRel);
        if descriptor != -1 {
            let _ = nix::unistd::close(descriptor);
        }
    }
}

/// Every sleep is ended by the self-pipe, whichever thread sleeps.
pub fn claim_interrupts() {}

/// See [`claim_interrupts`].
pub fn forward_interrupt(_signal: i32) -> bool {
    false
}

/// Close-on-exec has to do.
pub fn close_the_rest(_actions: &mut libc::posix_spawn_file_actions_t) -> io::Result<()> {
    Ok(())
}

pub fn open_pidfd(_pid: i32) -> Option<OwnedFd> {
    None
}

/// Sends a signal to a child, which the caller has just seen running. In a process with several threads the
/// SIGCHLD handler of another could collect it in between; with one thread that takes a signal at
/// the very instruction and the pid given out again by then.
pub fn send_signal(pid: i32, _pidfd: Option<&OwnedFd>, signal: i32) -> bool {
    kill_by_pid(pid, signal)
}

pub fn own_binary() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// Pipes keep the size they have.
pub fn grow_pipe(_pipe: &OwnedFd, _capacity: usize) {}

pub fn ask_for_death_signal() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The name is that of the binary already.
pub fn name_process(_name: &CStr) {}

/// For the start of the interpreter: no child will inherit the descriptors above 2 that this process
/// was given itself. Not for embedded engines, whose host may have plans for its descriptors.
pub fn seal_descriptors() {
    let Ok(listing) = std::fs::read_dir("/dev/fd") else { return };
    let open: Vec<i32> =
        listing.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for descriptor in open.into_iter().filter(|&descriptor| descriptor > 2) {
        // SAFETY: borrowed for one call; a number that is no longer open is refused by the system.
        let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
        let _ = fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC));
    }
}
