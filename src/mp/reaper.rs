//! Collecting ended children the moment they end, without a thread.
//!
//! A child that has ended stays a zombie until its parent asks for its status. A script may start a
//! child, forget it and compute for hours, so asking at the next call of this module is not enough, and
//! a flag that the evaluator looks at is not enough inside a long native call. Hence the `SIGCHLD`
//! handler itself asks, and everything it touches must be safe in a signal handler: no lock, no
//! allocation, only atomics and `waitid`.
//!
//! The children live in *slots*, one atomic word each, holding pid, state and exit code:
//!
//! ```text
//! free -> reserved -> running -> ended -> free      the usual life
//!                        \-> forgotten -> free      nobody wants the code any more
//! ```
//!
//! The table (under its lock) makes the transitions of ownership, the sweeper those of ending. Slots
//! sit in chunks that are allocated before a child is started and never freed, so the handler may walk
//! them at any time.
//!
//! **Only our own children are collected.** The sweeper first peeks at any ended child; if it is in a
//! slot it is collected by its pid and the peek repeats. If it is not, it belongs to the host program
//! and may lie there for long, so each slot is asked instead. A pid in a running slot cannot be reused
//! by the system, because until it is collected here it is a zombie. Should somebody else collect it
//! (a host that waits for "any child"), its code is lost and reported as [`LOST`].
//!
//! **One sweeper at a time.** Signal handlers and threads may want to sweep while a sweep runs. They
//! never wait; they leave a mark that makes the running sweep go round again. So whoever sees "no such
//! child" knows that it was not merely a concurrent sweep that has yet to record the code.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU64, AtomicUsize};

use super::sys::{self, Asked};

/// The exit code of a child whose status somebody else collected; asyncio in Python reports the same.
pub const LOST: i32 = 255;

const CHUNK_SLOTS: usize = 256;
/// Times [`CHUNK_SLOTS`] makes a million children, four times what Linux allows by default on a big machine.
const CHUNKS: usize = 4096;

type Chunk = [AtomicU64; CHUNK_SLOTS];

static SLOTS: [AtomicPtr<Chunk>; CHUNKS] = [const { AtomicPtr::new(std::ptr::null_mut()) }; CHUNKS];
/// One past the highest slot ever in use.
static USED: AtomicUsize = AtomicUsize::new(0);

static GATE: Gate = Gate(AtomicU8::new(IDLE));

/// What a slot holds, decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Free,
    Reserved,
    Running(i32),
    Forgotten(i32),
    Ended(i32),
}

impl State {
    /// Packed: a tag in the high half; the pid or the exit code, both of which may use 32 bits, in the low.
    fn pack(self) -> u64 {
        let (tag, payload) = match self {
            State::Free => (0, 0),
            State::Reserved => (1, 0),
            State::Running(pid) => (2, pid),
            State::Forgotten(pid) => (3, pid),
            State::Ended(code) => (4, code),
        };
        (tag << 32) | u64::from(payload as u32)
    }

    fn unpack(word: u64) -> State {
        let payload = word as u32 as i32;
        match word >> 32 {
            1 => State::Reserved,
            2 => State::Running(payload),
            3 => State::Forgotten(payload),
            4 => State::Ended(payload),
            _ => State::Free,
        }
    }
}

/// One child's place. Obtained from [`reserve`]; whoever holds it must end with [`Slot::release`].
#[derive(Clone, Copy)]
pub struct Slot(&'static AtomicU64);

impl Slot {
    fn state(self) -> State {
        State::unpack(self.0.load(Acquire))
    }

    /// From now on the child `pid` belongs to this slot. It may have ended before; sweep afterwards.
    pub fn fill(self, pid: i32) {
        self.0.store(State::Running(pid).pack(), Release);
    }

    /// The exit code, if the end of the child has been noticed.
    pub fn exit_code(self) -> Option<i32> {
        match self.state() {
            State::Ended(code) => Some(code),
            _ => None,
        }
    }

    /// Nobody will ask for the code any more. A child that still runs is collected when it ends.
    pub fn release(self) {
        self.change(|state| match state {
            State::Running(pid) => State::Forgotten(pid),
            _ => State::Free,
        });
    }

    /// Asks the system about this one child, without waiting, and records its end. The end may also be
    /// recorded a moment later by a sweep that is running in another thread.
    pub fn refresh(self) {
        GATE.exclusively(|| self.ask(), collect);
    }

    /// To be called by the one sweeper only.
    fn ask(self) {
        let (State::Running(pid) | State::Forgotten(pid)) = self.state() else { return };
        let code = match sys::ask_child(pid) {
            Asked::Running => return,
            Asked::Ended(code) => code,
            Asked::NoSuchChild => LOST,
        };
        self.change(|state| match state {
            State::Running(_) => State::Ended(code),
            State::Forgotten(_) => State::Free,
            other => other,
        });
    }

    fn change(self, next: impl Fn(State) -> State) {
        let _ = self.0.fetch_update(AcqRel, Acquire, |word| Some(next(State::unpack(word)).pack()));
    }
}

/// A free slot, found before the child is started so that no child ever lacks one. `None` when all are
/// taken. Callers hold the table's lock, which keeps two of them from choosing the same slot.
pub fn reserve() -> Option<Slot> {
    let index = (0..CHUNKS * CHUNK_SLOTS).find(|&index| match slot(index) {
        Some(slot) => slot.state() == State::Free,
        None => true,
    })?;
    let chunk = &SLOTS[index / CHUNK_SLOTS];
    if chunk.load(Acquire).is_null() {
        let fresh: Box<Chunk> = Box::new([const { AtomicU64::new(0) }; CHUNK_SLOTS]);
        chunk.store(Box::into_raw(fresh), Release);
    }
    let slot = slot(index)?;
    slot.0.store(State::Reserved.pack(), Release);
    USED.fetch_max(index + 1, AcqRel);
    Some(slot)
}

fn slot(index: usize) -> Option<Slot> {
    let chunk = SLOTS[index / CHUNK_SLOTS].load(Acquire);
    // SAFETY: a chunk pointer is null or comes from `Box::into_raw` in `reserve` and is never freed.
    let chunk: &'static Chunk = unsafe { chunk.as_ref()? };
    Some(Slot(&chunk[index % CHUNK_SLOTS]))
}

fn slots_in_use() -> impl Iterator<Item = Slot> {
    (0..USED.load(Acquire)).filter_map(slot)
}

/// Collects every child of ours that has ended. Never waits; safe in a signal handler.
pub fn sweep() {
    GATE.exclusively(collect, collect);
}

fn collect() {
    while let Some(pid) = sys::any_ended_child() {
        let ours = slots_in_use().find(|slot| match slot.state() {
            State::Running(own) | State::Forgotten(own) => own == pid,
            _ => false,
        });
        match ours {
            Some(slot) => slot.ask(),
            None => return slots_in_use().for_each(Slot::ask),
        }
    }
}

/// Lets in one sweeper at a time, and makes nobody wait.
struct Gate(AtomicU8);

const IDLE: u8 = 0;
const SWEEPING: u8 = 1;
const SWEEP_AGAIN: u8 = 2;

impl Gate {
    /// Does `work`, and then `again` as often as somebody came meanwhile. If somebody is inside, leaves
    /// it to them.
    fn exclusively(&self, work: impl FnOnce(), again: impl Fn()) {
        if !self.enter() {
            return;
        }
        work();
        while self.0.compare_exchange(SWEEPING, IDLE, AcqRel, Acquire).is_err() {
            self.0.store(SWEEPING, Release);
            again();
        }
    }

    /// True if the caller is now the one inside; else that one will go round again.
    fn enter(&self) -> bool {
        let next = |gate| Some(if gate == IDLE { SWEEPING } else { SWEEP_AGAIN });
        self.0.fetch_update(AcqRel, Acquire, next) == Ok(IDLE)
    }
}

/// In a forked child: the slots describe the parent's children, so all of them become free.
pub fn after_fork_in_child() {
    slots_in_use().for_each(|slot| slot.0.store(State::Free.pack(), Relaxed));
    USED.store(0, Release);
    GATE.0.store(IDLE, Release);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_survive_packing() {
        let all = [
            State::Free,
            State::Reserved,
            State::Running(i32::MAX),
            State::Forgotten(1),
            State::Ended(0),
            State::Ended(255),
            State::Ended(-64),
        ];
        for state in all {
            assert_eq!(State::unpack(state.pack()), state);
        }
        assert_eq!(State::Free.pack(), 0, "fresh chunks are zero");
    }

    #[test]
    fn a_released_slot_of_a_running_child_is_freed_when_it_ends() {
        let word: &'static AtomicU64 = Box::leak(Box::new(AtomicU64::new(0)));
        let slot = Slot(word);
        slot.fill(7);
        slot.release();
        assert_eq!(slot.state(), State::Forgotten(7));
        slot.release();
        assert_eq!(slot.state(), State::Free);
    }

    #[test]
    fn a_request_during_a_sweep_makes_it_go_round_again() {
        let gate = Gate(AtomicU8::new(IDLE));
        let rounds = AtomicUsize::new(0);
        let nested = || panic!("entered twice");
        let work = || gate.exclusively(nested, || {});
        gate.exclusively(work, || {
            rounds.fetch_add(1, Relaxed);
        });
        assert_eq!(rounds.load(Relaxed), 1);
        assert_eq!(gate.0.load(Relaxed), IDLE);
    }
}
