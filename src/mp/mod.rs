//! Starting processes and looking after them: ordinary Rust, no interpreter types.
//!
//! The operating system gives children to a process, not to an engine or a thread, so there is one
//! table of them per process. Everything here is a function over that table:
//!
//! - [`Command`] says what to start; [`spawn()`] starts it and returns a [`Handle`] at once, [`run`] and
//!   [`run_all`] start it, collect what it prints and wait for it; [`adopt`] enters a child that was
//!   forked elsewhere.
//! - [`wait`], [`poll`], [`kill`] and [`send_signal`] work on a handle. Exit codes are as in Python:
//!   negative is minus the number of the signal that ended the child.
//! - Each kind of child counts its handles from 1 on its own ([`Kind`]), so `deinit` of one kind
//!   never pulls a handle from under another.
//!
//! **No zombies.** A `SIGCHLD` handler collects the exit status of every child in the table the moment
//! it ends, whatever the interpreter is doing; it never touches a child that a host program started
//! itself (file `reaper.rs` has the reasoning).
//!
//! **No missed interruption.** Whatever can block takes an [`Interrupt`] and sleeps in a way that a
//! signal cannot slip past (file `pause.rs`).
//!
//! **No inherited leftovers.** Every descriptor made here closes on exec. A child gets an empty signal
//! mask, `SIGPIPE` at its default although Rust programs ignore it, and otherwise the dispositions any
//! child gets: handlers reset, ignored signals stay ignored, so `nohup` and background jobs keep
//! their meaning.
//!
//! No function here starts a thread, prints or panics. A host with threads may call any of them from
//! any thread.

mod capture;
mod child;
mod pause;
mod reaper;
mod spawn;
pub mod sys;
mod table;

pub use capture::{Output, RunError, communicate, run, run_all};
pub use child::{WaitError, end_all, interrupt_all, kill, poll, send_signal, wait};
pub use pause::{Interrupt, Interrupted, Never, poll_events, sleep};
pub use spawn::{Command, Program, StartError, Started, Stdio, adopt, set_interpreter, spawn};
pub use table::{
    Handle, Info, Kind, UnknownHandle, after_fork_in_child, deinit, forget, handle_of, handles, info, pid,
    pidfd,
};

/// The number of CPUs this process may use, at least 1; affinity and container limits count.
pub fn cpu_count() -> usize {
    num_cpus::get().max(1)
}

/// Collects the status of children that have ended. Happens by itself on `SIGCHLD`; for a host that
/// took that signal for itself and does not pass it on.
pub fn reap_pending() {
    reaper::sweep();
}
