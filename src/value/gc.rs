//! The cycle collector: finds groups of objects that only refer to each other.
//!
//! Reference counts free everything but cycles. A cycle can become garbage only when a count in it goes
//! down and does not reach zero, so exactly those containers are remembered as *suspects* (each once; its
//! header's collector word holds its place in the list). When enough have gathered, a collection walks
//! from them, counts the references it finds inside, and compares with the real counts: an object with
//! more references than were found is held from outside, and so is everything it reaches. The rest is
//! garbage; its contents are taken out, and the counts do the freeing.
//!
//! Modules are not walked into: what a module holds is alive until it goes. A collection runs only at safe
//! points of the evaluator, where no container is borrowed.

use super::{Tag, Value, View};
use std::cell::{Cell, RefCell};

/// Suspects that start a collection, at first; grows with the heap (see [`collect`]).
const FIRST_THRESHOLD: usize = 10_000;

#[derive(Default)]
struct Suspects {
    /// Tag and payload word; `None` where a suspect was freed meanwhile.
    list: Vec<Option<(Tag, u64)>>,
    free: Vec<u32>,
}

thread_local! {
    static SUSPECTS: RefCell<Suspects> = const { RefCell::new(Suspects { list: Vec::new(), free: Vec::new() }) };
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static THRESHOLD: Cell<usize> = const { Cell::new(FIRST_THRESHOLD) };
    static IS_ENABLED: Cell<bool> = const { Cell::new(true) };
    static IS_COLLECTING: Cell<bool> = const { Cell::new(false) };
    /// The collector's own references come and go; they make nobody suspect.
    static IS_WALKING: Cell<bool> = const { Cell::new(false) };
}

/// Remembers a container whose count went down to something above zero; its place for the header (0: not).
#[cold]
pub(super) fn suspect(tag: Tag, bits: u64) -> u32 {
    if IS_WALKING.get() {
        return 0;
    }
    let noted = SUSPECTS.try_with(|s| {
        let s = &mut *s.borrow_mut();
        match s.free.pop() {
            Some(place) => {
                s.list[place as usize] = Some((tag, bits));
                place
            }
            None => {
                s.list.push(Some((tag, bits)));
                s.list.len() as u32 - 1
            }
        }
    });
    // A thread that ends may have lost the list; nothing is collected any more.
    let Ok(place) = noted else { return 0 };
    let count = COUNT.get() + 1;
    COUNT.set(count);
    if count >= THRESHOLD.get() && IS_ENABLED.get() {
        crate::eval::interrupt::request_collection();
    }
    place + 1
}

/// Forgets a suspect that is being freed.
#[cold]
pub(super) fn forget(place: u32) {
    // During thread shutdown the list may be gone, and then nothing needs forgetting.
    let _ = SUSPECTS.try_with(|s| {
        let mut s = s.borrow_mut();
        s.list[place as usize - 1] = None;
        s.free.push(place - 1);
    });
    COUNT.set(COUNT.get().saturating_sub(1));
}

pub fn set_enabled(enabled: bool) {
    IS_ENABLED.set(enabled);
}

pub fn is_enabled() -> bool {
    IS_ENABLED.get()
}

/// How many objects wait to be looked at.
pub fn suspects() -> usize {
    COUNT.get()
}

/// How many suspects start a collection.
pub fn threshold() -> usize {
    THRESHOLD.get()
}

pub fn set_threshold(count: usize) {
    THRESHOLD.set(count);
}

/// What a walk knows of an object: an owning reference, and how many references were not found inside. While the
/// walk lasts, the collector word of the object holds its place in the list of these, from 1.
struct Seen {
    value: Value,
    outside: i64,
    is_alive: bool,
}

/// Whether the collector looks into values of this kind.
fn is_walked(value: &Value) -> bool {
    value.tag().is_container()
        && !matches!(value.tag(), Tag::Module | Tag::GlobalVar | Tag::Foreign | Tag::File)
}

/// Frees all garbage cycles; how many objects they had. `finalize` runs the `__del__` of each first.
pub fn collect(finalize: &mut dyn FnMut(&Value)) -> usize {
    if IS_COLLECTING.replace(true) {
        return 0;
    }
    IS_WALKING.set(true);
    let garbage = find_garbage();
    IS_WALKING.set(false);
    let count = garbage.len();
    garbage.iter().for_each(Value::clear_weak_references);
    for value in &garbage {
        finalize(value);
    }
    for value in &garbage {
        value.clear_contents();
    }
    drop(garbage);
    IS_COLLECTING.set(false);
    count
}

/// Takes the suspects and finds the objects reachable from them that nothing outside holds.
fn find_garbage() -> Vec<Value> {
    let roots: Vec<Value> = SUSPECTS.with_borrow_mut(|s| {
        let taken = std::mem::take(&mut s.list);
        s.free.clear();
        // SAFETY: a suspect that died was removed from the list, so each of these is alive.
        taken.into_iter().flatten().map(|(tag, bits)| unsafe { Value::revive(tag, bits) }).collect()
    });
    COUNT.set(0);
    roots.iter().for_each(Value::reset_collector_word);
    let mut seen: Vec<Seen> = Vec::with_capacity(roots.len());
    for root in roots.into_iter().filter(is_walked) {
        // `root` is the one reference that is not the program's.
        let outside = root.reference_count() as i64 - 1;
        note(&mut seen, root, outside);
    }
    walk(&mut seen);
    mark_alive(&mut seen);
    THRESHOLD.set(FIRST_THRESHOLD.max(seen.len() / 2));
    seen.iter().for_each(|seen| seen.value.reset_collector_word());
    seen.into_iter().filter(|seen| !seen.is_alive).map(|seen| seen.value).collect()
}

fn note(seen: &mut Vec<Seen>, value: Value, outside: i64) {
    seen.push(Seen { value, outside, is_alive: false });
    let place = seen.len() as u32;
    if let Some(Seen { value, .. }) = seen.last() {
        value.set_place(place);
    }
}

/// Visits everything reachable, taking each reference found off its target's count.
fn walk(seen: &mut Vec<Seen>) {
    let mut next = 0;
    // Noted without a reference of their own: a count must be read when nobody else holds one for a moment.
    let mut found: Vec<(Tag, u64)> = Vec::new();
    while next < seen.len() {
        seen[next].value.trace(&mut |child| {
            if is_walked(child) {
                found.push((child.tag, child.bits));
            }
        });
        next += 1;
        for (tag, bits) in found.drain(..) {
            // SAFETY: the object just traced holds `child`, and nothing was freed since.
            let child = unsafe { Value::revive(tag, bits) };
            match child.place() {
                // `child` is one more reference than the program has, and this edge is inside.
                0 => {
                    let outside = child.reference_count() as i64 - 2;
                    note(seen, child, outside);
                }
                place => seen[place as usize - 1].outside -= 1,
            }
        }
    }
}

/// Everything reachable from an object held outside is alive.
fn mark_alive(seen: &mut [Seen]) {
    let held = |(number, seen): (usize, &Seen)| (seen.outside > 0).then_some(number as u32 + 1);
    let mut waiting: Vec<u32> = seen.iter().enumerate().filter_map(held).collect();
    while let Some(place) = waiting.pop() {
        let place = place as usize - 1;
        if std::mem::replace(&mut seen[place].is_alive, true) {
            continue;
        }
        seen[place].value.trace(&mut |child| {
            if is_walked(child)
                && let place @ 1.. = child.place()
                && !seen[place as usize - 1].is_alive
            {
                waiting.push(place);
            }
        });
    }
}

impl Value {
    /// Takes out what a garbage object holds, so that its cycle comes apart.
    fn clear_contents(&self) {
        match self.view() {
            View::List(list) => drop(std::mem::take(&mut *list.borrow_mut())),
            View::Dict(dict) => {
                let old = dict.borrow_mut().clear();
                drop(old);
            }
            View::Set(set) => {
                let old = set.borrow_mut().clear();
                drop(old);
            }
            View::Cell(cell) => cell.set(Value::UNBOUND),
            View::Instance(instance) => {
                for table in [instance.attributes.get(), instance.slots.get()].into_iter().flatten() {
                    let old = table.borrow_mut().clear();
                    drop(old);
                }
            }
            View::Exception(exception) => {
                drop(exception.cause.replace(Value::NONE));
                drop(exception.context.replace(Value::NONE));
                if let Some(attributes) = exception.attributes.get() {
                    let old = attributes.borrow_mut().clear();
                    drop(old);
                }
            }
            View::Function(function) => {
                drop(function.defaults.replace([].into()));
                for table in [function.attributes.get(), function.fields.get()].into_iter().flatten() {
                    let old = table.borrow_mut().clear();
                    drop(old);
                }
            }
            View::Type(class) => {
                let old = class.attributes.borrow_mut().clear();
                drop(old);
                drop(class.mro.take());
            }
            View::Generator(generator) => {
                generator.status.set(super::generator::Status::Ended);
                drop(generator.slots.take());
                drop(generator.path.take());
            }
            View::Foreign(object) => {
                let items = object.data.try_borrow_mut().ok().map(|mut data| {
                    let deque =
                        data.downcast_mut::<crate::builtins::deque::Deque>().map(|deque| deque.take());
                    (deque, crate::builtins::functools::take(&mut **data))
                });
                drop(items);
            }
            View::Iter(iter) => drop(iter.state.replace(super::iterator::IterState::Done)),
            _ => {}
        }
    }
}
