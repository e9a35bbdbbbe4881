//! SIGINT: the handler only sets a flag; loops and blocking calls look at it.

use std::sync::atomic::{AtomicBool, Ordering};

/// Set by the signal handler, cleared by whoever raises `KeyboardInterrupt`.
pub static PENDING: AtomicBool = AtomicBool::new(false);

#[inline(always)]
pub fn is_pending() -> bool {
    PENDING.load(Ordering::Relaxed)
}

/// Clears the flag; whether it was set.
pub fn take() -> bool {
    PENDING.swap(false, Ordering::Relaxed)
}
