//! What Linux offers beyond other systems: pidfds, `ppoll`, `/proc/self/exe`, the parent death signal.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollFd, ppoll};
use nix::sys::signal::{SigSet, SigmaskHow};
use nix::sys::time::TimeSpec;

use super::start::refused;
use super::unix::{check, kill_by_pid};

/// A longer sleep is slept in parts, to stay within what the system can express.
const LONGEST_PARK: Duration = Duration::from_secs(365 * 24 * 3600);
/// Pauses the caller's loop if `ppoll` fails, which takes an exhausted kernel, so that it does not spin.
const AFTER_FAILURE: Duration = Duration::from_millis(10);

/// While this lives, the thread takes no signals except inside [`Quiet::park`].
pub struct Quiet {
    before: SigSet,
}

impl Quiet {
    pub fn begin() -> Quiet {
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK);
        Quiet { before: before.unwrap_or_else(|_| SigSet::empty()) }
    }

    /// Sleeps until a descriptor is ready, a signal was handled, or time is up. A signal that came
    /// since [`Quiet::begin`] ends the sleep at once.
    pub fn park(&self, wanted: &mut [PollFd<'_>], limit: Option<Duration>) {
        let limit = limit.map(|limit| TimeSpec::from_duration(limit.min(LONGEST_PARK)));
        match ppoll(wanted, limit, Some(self.before)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => std::thread::sleep(AFTER_FAILURE),
        }
    }

    /// Lets signals in again.
    pub fn end(self) {}
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = self.before.thread_set_mask();
    }
}

/// Nothing to do: [`Quiet`] holds signals back.
pub fn wake() {}

/// The thread whose sleeps SIGINT should interrupt; 0 is none.
static INTERRUPTED_THREAD: AtomicI32 = AtomicI32::new(0);

/// The calling thread is the one to be interrupted by SIGINT.
pub fn claim_interrupts() {
    INTERRUPTED_THREAD.store(this_thread(), Ordering::Release);
}

/// The system gives a signal to any thread of a process. If it chose another than the one that
/// sleeps, this hands it on. False if the caller is the right one, or that is gone. Runs in the
/// signal handler.
pub fn forward_interrupt(signal: i32) -> bool {
    let thread = INTERRUPTED_THREAD.load(Ordering::Acquire);
    // SAFETY: no memory is involved. A thread that is gone, or not of this process, is refused.
    thread != this_thread() && unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, signal) == 0 }
}

fn this_thread() -> i32 {
    // SAFETY: no memory is involved.
    unsafe { libc::syscall(libc::SYS_gettid) as i32 }
}

/// The one thread of the new process takes over.
pub fn after_fork_in_child() {
    if INTERRUPTED_THREAD.load(Ordering::Acquire) != 0 {
        claim_interrupts();
    }
}

type CloseFrom = unsafe extern "C" fn(*mut libc::posix_spawn_file_actions_t, libc::c_int) -> libc::c_int;

/// Adds "close all above 2" where the C library can (glibc since 2.34); elsewhere there is only
/// close-on-exec. Looked up when running, so that one binary works with both.
pub fn close_the_rest(actions: &mut libc::posix_spawn_file_actions_t) -> io::Result<()> {
    static CLOSE_FROM: OnceLock<Option<CloseFrom>> = OnceLock::new();
    let close_from = CLOSE_FROM.get_or_init(|| {
        let name = c"posix_spawn_file_actions_addclosefrom_np";
        // SAFETY: the name ends with a zero byte; what has this name in a C library is such a function.
        unsafe {
            let found = libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr());
            (!found.is_null()).then(|| std::mem::transmute::<*mut libc::c_void, CloseFrom>(found))
        }
    });
    match close_from {
        // SAFETY: the actions are initialised.
        Some(close_from) => refused(unsafe { close_from(actions, 3) }),
        None => Ok(()),
    }
}

/// A descriptor that is readable once the child has ended. `None` if descriptors have run out or the
/// system is too old or too strict; SIGCHLD does then.
pub fn open_pidfd(pid: i32) -> Option<OwnedFd> {
    // SAFETY: no memory is involved; a result that is not -1 is a new descriptor, closed on exec.
    unsafe {
        let descriptor = libc::syscall(libc::SYS_pidfd_open, pid, 0);
        (descriptor >= 0).then(|| OwnedFd::from_raw_fd(descriptor as i32))
    }
}

/// Sends a signal to a child; cannot hit a stranger who got the pid later if there is a pidfd.
pub fn send_signal(pid: i32, pidfd: Option<&OwnedFd>, signal: i32) -> bool {
    let Some(pidfd) = pidfd else { return kill_by_pid(pid, signal) };
    let no_info: *const libc::siginfo_t = std::ptr::null();
    // SAFETY: a null siginfo asks the kernel to fill it in as `kill` does.
    unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, no_info, 0) == 0 }
}

/// This link leads to the file this process was started from, even if that was deleted or replaced. A child
/// made by `posix_spawn` or `fork` has the same link until it execs.
pub fn own_binary() -> io::Result<PathBuf> {
    Ok(PathBuf::from("/proc/self/exe"))
}

/// Makes a pipe hold more, if the system allows.
pub fn grow_pipe(pipe: &OwnedFd, capacity: usize) {
    let _ = fcntl(pipe.as_fd(), FcntlArg::F_SETPIPE_SZ(capacity as i32));
}

/// Asks for SIGKILL at the end of the parent.
pub fn ask_for_death_signal() -> io::Result<()> {
    // SAFETY: no memory is involved.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong) })
}

/// Sets the name that `ps` and `top` show. A process started through `/proc/self/exe` would be called
/// "exe", so the interpreter calls this at its start. At most 15 bytes are shown.
pub fn name_process(name: &CStr) {
    // SAFETY: the kernel reads a string that ends with a zero byte.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
}

/// For the start of the interpreter: no child will inherit the descriptors above 2 that this process
/// was given itself. Not for embedded engines, whose host may have plans for its descriptors.
pub fn seal_descriptors() {
    let (first, last) = (3 as libc::c_uint, libc::c_uint::MAX);
    // SAFETY: sets flags of descriptors only.
    unsafe { libc::syscall(libc::SYS_close_range, first, last, libc::CLOSE_RANGE_CLOEXEC) };
}
