//! What wants attention at the next safe point: signals, whose handler only notes them, or the cycle
//! collector. Loops, calls and blocking functions look.

use crate::mp::Interrupt;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// Signals that came in and were not attended to yet: bit 0 is signal 1.
static PENDING: AtomicU64 = AtomicU64::new(0);

const SIGINT: u64 = bit(libc::SIGINT);

const fn bit(signal: i32) -> u64 {
    1 << ((signal - 1) & 63)
}

/// Notes a signal. Runs in signal handlers.
pub fn note(signal: i32) {
    PENDING.fetch_or(bit(signal), Ordering::Relaxed);
}

/// Whether a signal came in.
#[inline(always)]
pub fn is_pending() -> bool {
    PENDING.load(Ordering::Relaxed) != 0
}

/// Whether a SIGINT came in.
pub fn is_sigint_pending() -> bool {
    PENDING.load(Ordering::Relaxed) & SIGINT != 0
}

/// Forgets a SIGINT that came in.
pub fn forget_sigint() {
    PENDING.fetch_and(!SIGINT, Ordering::Relaxed);
}

/// Takes the signal with the lowest number among those that came in.
pub fn next_signal() -> Option<i32> {
    let pending = PENDING.load(Ordering::Relaxed);
    let signal = pending.trailing_zeros() as i32 + 1;
    if pending == 0 {
        return None;
    }
    PENDING.fetch_and(!bit(signal), Ordering::Relaxed);
    Some(signal)
}

/// Lets a blocking call end on Ctrl-C where no script can run any more.
pub struct OnCtrlC;

impl Interrupt for OnCtrlC {
    fn pending(&self) -> bool {
        is_sigint_pending()
    }
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
