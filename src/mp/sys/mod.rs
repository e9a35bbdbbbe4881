//! Everything that differs between systems, and every direct system call.
//!
//! `start.rs`, `signals.rs` and `unix.rs` work on any unix. What Linux does better is in `linux.rs`;
//! `portable.rs` has the same functions for the rest. Building with `--cfg mp_portable` uses the latter on Linux too,
//! so that it can be tested there.
//!
//! | | Linux | elsewhere |
//! |---|---|---|
//! | waking when a child ends | pidfd | self-pipe written by the SIGCHLD handler |
//! | a signal just before a sleep | held back by the mask, let in by `ppoll` | leaves a byte in the self-pipe |
//! | SIGINT taken by another thread | passed on to the one that installed the handler | leaves a byte in the self-pipe |
//! | descriptors that others left open | closed in the child | inherited unless they close on exec |
//! | this very binary | `/proc/self/exe`, whatever became of the file | the path it was started from |
//! | ending with the parent | parent death signal | not offered; use a lifeline pipe |

use std::sync::atomic::{AtomicU32, Ordering};

mod fork_exec;
mod signals;
mod start;
mod unix;

#[cfg(all(target_os = "linux", not(mp_portable)))]
#[path = "linux.rs"]
mod system;
#[cfg(not(all(target_os = "linux", not(mp_portable))))]
#[path = "portable.rs"]
mod system;

pub use fork_exec::{ForkExec, NotStarted, Stage, fork_exec};
pub(super) use signals::watch_children;
pub use signals::{
    Disposition, disposition_of, install_sigint_handler, is_sigint_from_terminal, note_sigint,
    set_disposition,
};
pub(super) use start::{Image, look_up, null, start};
pub(super) use system::{Quiet, after_fork_in_child, grow_pipe, open_pidfd, own_binary, send_signal};
pub use system::{name_process, seal_descriptors};
pub use unix::wake;
pub(super) use unix::{
    Asked, Transfer, any_ended_child, ask_child, bytes_waiting, read_append, set_nonblocking, write_quietly,
};

/// The environment variable by which [`Command::die_with_parent`](super::Command) reaches the child.
/// It holds the pid of the parent.
pub const DIE_WITH_PARENT: &str = "ZPY_DIE_WITH_PARENT";

/// The environment variable by which an interpreter tells one it starts that it did. It holds the pid of the parent.
pub const STARTED_BY: &str = "ZPY_STARTED_BY";

/// The pid of the interpreter that started this one, or 0.
static INTERPRETER_PARENT: AtomicU32 = AtomicU32::new(0);

/// For the start of the interpreter: notes whether another interpreter started this one.
pub fn note_interpreter_parent() {
    let Some(pid) = std::env::var_os(STARTED_BY) else { return };
    // SAFETY: the interpreter process has one thread. Scripts and other children need not see the variable.
    unsafe { std::env::remove_var(STARTED_BY) };
    let pid = pid.to_str().and_then(|pid| pid.parse().ok()).unwrap_or(0);
    INTERPRETER_PARENT.store(pid, Ordering::Relaxed);
}

/// Whether an interpreter that is still there started this one. It then reports Ctrl-C for both.
pub fn is_child_of_interpreter() -> bool {
    let noted = INTERPRETER_PARENT.load(Ordering::Relaxed);
    noted != 0 && noted == std::os::unix::process::parent_id()
}

/// Arranges that this process is ended by SIGKILL when its parent ends. False if the parent had
/// ended already, or was not `expected_parent`; the caller should exit then. On Linux "the parent ends"
/// means the thread of the parent that started this process.
pub fn die_with_parent(expected_parent: u32) -> std::io::Result<bool> {
    system::ask_for_death_signal()?;
    // Only now: a parent that ended before the request was made sends no signal.
    Ok(std::os::unix::process::parent_id() == expected_parent)
}

/// For the start of the interpreter: obeys `die_with_parent` of the command that started it. False means
/// exit now.
pub fn die_with_parent_if_asked() -> std::io::Result<bool> {
    match std::env::var(DIE_WITH_PARENT).ok().and_then(|pid| pid.parse().ok()) {
        Some(parent) => die_with_parent(parent),
        None => Ok(true),
    }
}
