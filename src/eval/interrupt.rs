//! What wants attention at the next safe point: a SIGINT, whose handler only sets a flag, or the cycle
//! collector. Loops, calls and blocking functions look.

use std::cell::Cell;
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

thread_local! {
    static COLLECTION: Cell<bool> = const { Cell::new(false) };
}

/// Asks for a collection at the next safe point.
pub fn request_collection() {
    COLLECTION.set(true);
}

/// Whether anything wants attention.
#[inline(always)]
pub fn wants_attention() -> bool {
    is_pending() || COLLECTION.get()
}

/// Whether a collection was asked for; the request is gone then.
pub fn take_collection() -> bool {
    COLLECTION.take()
}
