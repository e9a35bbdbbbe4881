//! The one table of child processes: what is known about each, by handle.
//!
//! The table never waits for anything: its lock is held for moments only, and whoever wants to sleep
//! until a child ends takes a copy of its pidfd and sleeps outside. The exit code is not kept here but
//! in the child's slot (`reaper.rs`), where a signal handler can put it.

use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::reaper::{self, Slot};
use super::sys;

/// Who looks after a child. Each kind numbers its handles from 1, as scripts see them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Kind {
    /// An interpreter started on a script or a code string.
    Script,
    /// Any other program.
    Command,
    /// A child whose output is being collected; gone from the table when the call that does so returns.
    Captured,
    /// A copy of this process, or a helper, started by the modules above this one.
    Worker,
}

const KINDS: usize = 4;

/// Names one child: `number` counts from 1 within `kind` and is not used again before [`deinit`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Handle {
    pub kind: Kind,
    pub number: u64,
}

impl Handle {
    pub const fn new(kind: Kind, number: u64) -> Handle {
        Handle { kind, number }
    }
}

/// The handle was never given out, or its child was waited for, killed or forgotten.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownHandle(pub Handle);

impl fmt::Display for UnknownHandle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "no process with handle {} (never started, or already waited for)", self.0.number)
    }
}

impl std::error::Error for UnknownHandle {}

/// What the table knows about one child.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Info {
    pub handle: Handle,
    pub pid: u32,
    pub started: SystemTime,
    /// The command line as a person would like to read it; long ones are cut.
    pub command: String,
    /// `None` while it runs.
    pub exit_code: Option<i32>,
}

pub(super) struct Record {
    pub pid: u32,
    pub pidfd: Option<Arc<OwnedFd>>,
    started: SystemTime,
    command: String,
    slot: Slot,
}

impl Record {
    /// The exit code if the child has ended, asking the system if need be; never waits.
    pub fn exit_code(&self) -> Option<i32> {
        if self.slot.exit_code().is_none() {
            self.slot.refresh();
        }
        self.slot.exit_code()
    }

    /// False if the child has ended. Safe against pids used again: an ended child is found out first.
    pub fn send_signal(&self, signal: i32) -> bool {
        self.exit_code().is_none() && sys::send_signal(self.pid as i32, self.pidfd.as_deref(), signal)
    }
}

pub(super) struct Table {
    records: BTreeMap<Handle, Record>,
    last: [u64; KINDS],
}

static TABLE: Mutex<Table> = Mutex::new(Table { records: BTreeMap::new(), last: [0; KINDS] });

/// A panic elsewhere cannot leave the table half changed, so a poisoned lock is as good as any.
pub(super) fn lock() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place in the table for a child about to be started; given back if that fails.
pub(super) struct Place(Option<Slot>);

/// `None` only with a million children.
pub(super) fn reserve() -> Option<Place> {
    sys::watch_children();
    let _one_at_a_time = lock();
    reaper::reserve().map(|slot| Place(Some(slot)))
}

impl Place {
    /// Enters the child. Its pid must be that of a child of this process that nobody has waited for.
    pub fn enter(mut self, pid: u32, kind: Kind, command: String) -> Option<Handle> {
        let slot = self.0.take()?;
        let pidfd = sys::open_pidfd(pid as i32).map(Arc::new);
        slot.fill(pid as i32);
        let handle = {
            let mut table = lock();
            let last = &mut table.last[kind as usize];
            *last += 1;
            let handle = Handle::new(kind, *last);
            table.records.insert(handle, Record { pid, pidfd, started: SystemTime::now(), command, slot });
            handle
        };
        // It may have ended before it was in its slot, and then its SIGCHLD went by unused.
        reaper::sweep();
        Some(handle)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            slot.release();
        }
    }
}

impl Table {
    pub fn record(&self, handle: Handle) -> Result<&Record, UnknownHandle> {
        self.records.get(&handle).ok_or(UnknownHandle(handle))
    }

    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// Forgets the child; if it still runs it is collected when it ends.
    pub fn remove(&mut self, handle: Handle) -> bool {
        let removed = self.records.remove(&handle);
        if let Some(record) = &removed {
            record.slot.release();
        }
        removed.is_some()
    }
}

/// The exit code of the child, or `None` while it runs.
pub(super) fn exit_code(handle: Handle) -> Result<Option<i32>, UnknownHandle> {
    Ok(lock().record(handle)?.exit_code())
}

/// The exit code if the SIGCHLD handler or an earlier question found it out; asks nobody.
pub(super) fn noticed_exit_code(handle: Handle) -> Result<Option<i32>, UnknownHandle> {
    Ok(lock().record(handle)?.slot.exit_code())
}

/// The process id of the child, ended or not.
pub fn pid(handle: Handle) -> Result<u32, UnknownHandle> {
    Ok(lock().record(handle)?.pid)
}

/// The child of that process id, if it is in the table.
pub fn handle_of(pid: u32) -> Option<Handle> {
    lock().records.iter().find(|(_, record)| record.pid == pid).map(|(handle, _)| *handle)
}

/// A descriptor that is readable once the child has ended, to wait for many things at once; `None` where
/// the system has no such thing.
pub fn pidfd(handle: Handle) -> Result<Option<Arc<OwnedFd>>, UnknownHandle> {
    Ok(lock().record(handle)?.pidfd.clone())
}

/// What is known about a child.
pub fn info(handle: Handle) -> Result<Info, UnknownHandle> {
    let table = lock();
    let record = table.record(handle)?;
    let exit_code = record.exit_code();
    Ok(Info { handle, pid: record.pid, started: record.started, command: record.command.clone(), exit_code })
}

/// The handles in the table, of one kind or of all, oldest first within a kind.
pub fn handles(kind: Option<Kind>) -> Vec<Handle> {
    lock().records.keys().filter(|handle| kind.is_none_or(|kind| handle.kind == kind)).copied().collect()
}

/// Drops one handle; the child runs on and is collected when it ends. False if unknown.
pub fn forget(handle: Handle) -> bool {
    lock().remove(handle)
}

/// Drops all handles of a kind and numbers from 1 again. The children run on and are still collected
/// as they end.
pub fn deinit(kind: Kind) {
    let mut table = lock();
    table.last[kind as usize] = 0;
    let gone: Vec<Handle> = table.records.keys().filter(|handle| handle.kind == kind).copied().collect();
    for handle in gone {
        table.remove(handle);
    }
}

/// To be called first in a process made by `fork`: the children in the table are its siblings now, so
/// they are forgotten and their descriptors closed. The process that forked had one thread, hence
/// nobody holds the lock.
pub fn after_fork_in_child() {
    let mut table = lock();
    reaper::after_fork_in_child();
    table.records.clear();
    table.last = [0; KINDS];
    sys::after_fork_in_child();
}
