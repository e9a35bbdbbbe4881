//! System calls that any unix has. What runs in a signal handler says so.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};

/// What the system says about a child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    Running,
    /// It was a zombie and is gone now. Negative is minus a signal number.
    Ended(i32),
    NoSuchChild,
}

/// Collects the child if it has ended. Never waits. Runs in signal handlers.
pub fn ask_child(pid: i32) -> Asked {
    match wait_id(libc::P_PID, pid as libc::id_t, libc::WEXITED | libc::WNOHANG) {
        Err(_) => Asked::NoSuchChild,
        Ok(None) => Asked::Running,
        Ok(Some(info)) => {
            // SAFETY: `waitid` reported a child, so the fields of the SIGCHLD variant are filled in.
            let status = unsafe { info.si_status() };
            Asked::Ended(if info.si_code == libc::CLD_EXITED { status } else { -status })
        }
    }
}

/// The pid of a child of this process, ours or the host's, that has ended and was not collected.
/// Leaves it as it is. Runs in signal handlers.
pub fn any_ended_child() -> Option<i32> {
    let info = wait_id(libc::P_ALL, 0, libc::WEXITED | libc::WNOHANG | libc::WNOWAIT).ok()??;
    // SAFETY: as in `ask_child`.
    Some(unsafe { info.si_pid() })
}

/// `Ok(None)` if no child has changed; `Err` if there is no such child.
fn wait_id(kind: libc::idtype_t, id: libc::id_t, options: i32) -> Result<Option<libc::siginfo_t>, Errno> {
    loop {
        // SAFETY: all zero is a valid `siginfo_t`; with WNOHANG a pid of zero in it means "nothing".
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // SAFETY: `info` is a valid place for the answer.
        let result = unsafe { libc::waitid(kind, id, &mut info, options) };
        match Errno::result(result) {
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
            // SAFETY: zeroed above, or filled in by `waitid`.
            Ok(_) if unsafe { info.si_pid() } == 0 => return Ok(None),
            Ok(_) => return Ok(Some(info)),
        }
    }
}

/// For signal handlers outside this module: makes a sleep of this module look at its
/// [`Interrupt`](crate::mp::Interrupt) even where signals cannot be held back. Costs nothing on Linux.
pub fn wake() {
    super::system::wake();
}

/// How far a read or a write on a pipe got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transfer {
    /// So many, at least one.
    Bytes(usize),
    NotNow,
    /// End of file, or nobody reads any more, or an error, which on a pipe comes to the same.
    End,
}

impl Transfer {
    fn from(result: isize) -> Transfer {
        match Errno::result(result) {
            Ok(0) => Transfer::End,
            Ok(length) => Transfer::Bytes(length as usize),
            Err(Errno::EAGAIN | Errno::EINTR) => Transfer::NotNow,
            Err(_) => Transfer::End,
        }
    }
}

/// One read of up to `size` bytes, appended to `buffer`.
pub fn read_append(descriptor: &OwnedFd, buffer: &mut Vec<u8>, size: usize) -> Transfer {
    buffer.reserve(size);
    let room = buffer.spare_capacity_mut();
    let length = size.min(room.len());
    // SAFETY: `room` is writable for `length` bytes; `read` needs no initialised memory.
    let result = unsafe { libc::read(descriptor.as_raw_fd(), room.as_mut_ptr().cast(), length) };
    let transfer = Transfer::from(result);
    if let Transfer::Bytes(length) = transfer {
        // SAFETY: the system has just filled in `length` bytes after the old end, within the capacity.
        unsafe { buffer.set_len(buffer.len() + length) };
    }
    transfer
}

/// One write. If nobody reads any more, this does not raise SIGPIPE, whatever the disposition of that
/// signal is in this process.
pub fn write_quietly(descriptor: &OwnedFd, bytes: &[u8]) -> Transfer {
    let broken_pipe = SigSet::from(Signal::SIGPIPE);
    let pending_before = is_pending(Signal::SIGPIPE);
    let mask = broken_pipe.thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let result = nix::unistd::write(descriptor, bytes);
    if result == Err(Errno::EPIPE) && !pending_before && is_pending(Signal::SIGPIPE) {
        let _ = broken_pipe.wait();
    }
    if let Ok(mask) = mask {
        let _ = mask.thread_set_mask();
    }
    match result {
        Ok(0) | Err(Errno::EAGAIN | Errno::EINTR) => Transfer::NotNow,
        Ok(length) => Transfer::Bytes(length),
        Err(_) => Transfer::End,
    }
}

fn is_pending(signal: Signal) -> bool {
    // SAFETY: all zero is a valid place for `sigpending` to write a set into.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` is valid, and initialised by `sigpending` before it is read.
    unsafe { libc::sigpending(&mut set) == 0 && libc::sigismember(&set, signal as i32) == 1 }
}

/// How many bytes a pipe holds now.
pub fn bytes_waiting(descriptor: &OwnedFd) -> usize {
    let mut count: libc::c_int = 0;
    // SAFETY: FIONREAD writes one int.
    let result = unsafe { libc::ioctl(descriptor.as_raw_fd(), libc::FIONREAD, &mut count) };
    if result == 0 { usize::try_from(count).unwrap_or(0) } else { 0 }
}

/// Affects only our end of a pipe; the child's end has flags of its own.
pub fn set_nonblocking(descriptor: &OwnedFd) {
    if let Ok(flags) = fcntl(descriptor.as_fd(), FcntlArg::F_GETFL) {
        let flags = OFlag::from_bits_retain(flags) | OFlag::O_NONBLOCK;
        let _ = fcntl(descriptor.as_fd(), FcntlArg::F_SETFL(flags));
    }
}

/// Sends a signal by pid. The caller has made sure that the child was not collected.
pub fn kill_by_pid(pid: i32, signal: i32) -> bool {
    // SAFETY: no memory is involved.
    unsafe { libc::kill(pid, signal) == 0 }
}

/// The error the last system call left, as an `io::Result` of nothing.
pub fn check(result: libc::c_int) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
