//! `_collections`: the methods of `collections.deque` that are worth being fast.
//!
//! The class itself is written in ZPy (`stdlib/collections`); `install` gives it these rows. Each object carries
//! its items in a native value, made by `_start`.

use crate::call::{Call, Native, NativeModule};
use crate::eval::pour::add_rows;
use crate::eval::{Exc, Vm};
use crate::value::iterator::{IterState, Tool};
use crate::value::{Foreign, Instance, Iter, Raised, Ref, Res, Tag, Type, Value};
use std::cell::RefCell;
use std::collections::VecDeque;

pub static MODULE: NativeModule = NativeModule {
    name: "_collections",
    doc: "Fast parts; `collections` is the module to import.",
    functions: &[Native {
        name: "install",
        params: "cls, /",
        run: install,
        doc: "Gives the class `deque` its fast methods.",
    }],
    constants: &[
        (ITERATOR, |vm| vm.types.named(ITERATOR, Tag::Iter).into()),
        (REVERSE_ITERATOR, |vm| vm.types.named(REVERSE_ITERATOR, Tag::Iter).into()),
    ],
};

/// Python's names of the types of iterators.
pub const ITERATOR: &str = "_deque_iterator";
pub const REVERSE_ITERATOR: &str = "_deque_reverse_iterator";

pub const ITERATOR_ROWS: &[Native] = &[Native {
    name: "__new__",
    params: "cls, deque, index=0, /",
    run: |call| new_iterator(call, false),
    doc: "An iterator over a deque, some items after its beginning.",
}];
pub const REVERSE_ITERATOR_ROWS: &[Native] = &[Native {
    name: "__new__",
    params: "cls, deque, index=0, /",
    run: |call| new_iterator(call, true),
    doc: "An iterator over a deque from the right, some items before its end.",
}];

fn new_iterator(call: &mut Call, reversed: bool) -> Res {
    let deque = Vm::unwrap_native(call.arg(1)).clone();
    let index = call.int_or(2, 0)?;
    let Some((version, len)) = with(&deque, |deque| (deque.version, deque.items.len())) else {
        let got = call.vm.type_name(call.arg(1));
        let name = if reversed { REVERSE_ITERATOR } else { ITERATOR };
        return Err(call.vm.type_error(format!("{name}() argument 1 must be collections.deque, not {got}")));
    };
    let (object, given) = (call.arg(1).clone(), index.clamp(0, len as i64) as usize);
    Ok(Iter::new(IterState::Tool(Box::new(Walk { object, deque, version, given, reversed }))).into())
}

pub static METHODS: &[Native] = &[
    Native {
        name: "_start",
        params: "self, maxlen, /",
        run: start,
        doc: "Empties the deque; `maxlen` is an int or none.",
    },
    Native { name: "append", params: "self, item, /", run: append, doc: "Adds an item on the right." },
    Native {
        name: "appendleft",
        params: "self, item, /",
        run: append_left,
        doc: "Adds an item on the left.",
    },
    Native {
        name: "pop",
        params: "self, /",
        run: pop,
        doc: "Removes and returns the last item. IndexError if there is none.",
    },
    Native {
        name: "popleft",
        params: "self, /",
        run: pop_left,
        doc: "Removes and returns the first item. IndexError if there is none.",
    },
    Native { name: "extend", params: "self, iterable, /", run: extend, doc: "Adds items on the right." },
    Native {
        name: "extendleft",
        params: "self, iterable, /",
        run: extend_left,
        doc: "Adds items on the left, one after the other.",
    },
    Native { name: "clear", params: "self, /", run: clear, doc: "Removes all items." },
    Native {
        name: "rotate",
        params: "self, n=1, /",
        run: rotate,
        doc: "Moves `n` items from the right end to the left; from left to right if `n` is negative.",
    },
    Native { name: "_listed", params: "self, /", run: listed, doc: "The items as a list." },
    Native { name: ".maxlen", params: "self", run: max_len, doc: "The greatest number of items, or none." },
    Native { name: "__len__", params: "self, /", run: len, doc: "How many items there are." },
    Native {
        name: "__iter__",
        params: "self, /",
        run: |call| iterator(call, false),
        doc: "An iterator over the items. RuntimeError if the deque changes meanwhile.",
    },
    Native {
        name: "__reversed__",
        params: "self, /",
        run: |call| iterator(call, true),
        doc: "As `iter`, from the right.",
    },
    Native { name: "__getitem__", params: "self, index, /", run: get_item, doc: "The item at a place." },
    Native {
        name: "__setitem__",
        params: "self, index, item, /",
        run: set_item,
        doc: "Puts an item in a place that exists.",
    },
    Native { name: "__delitem__", params: "self, index, /", run: delete_item, doc: "Removes an item." },
];

/// What a deque keeps.
#[derive(Default)]
pub struct Deque {
    items: VecDeque<Value>,
    max_len: Option<usize>,
    /// Counts changes, for iterators to notice.
    version: u64,
}

impl Deque {
    pub fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        self.items.iter().for_each(visit);
    }

    /// Takes all items out, as the collector of cycles does.
    pub fn take(&mut self) -> VecDeque<Value> {
        self.version += 1;
        std::mem::take(&mut self.items)
    }

    /// Adds an item; gives back one that there is no room for any more.
    fn push(&mut self, item: Value, left: bool) -> Option<Value> {
        self.version += 1;
        if left {
            self.items.push_front(item);
        } else {
            self.items.push_back(item);
        }
        if self.max_len.is_none_or(|max| self.items.len() <= max) {
            return None;
        }
        if left { self.items.pop_back() } else { self.items.pop_front() }
    }
}

/// Runs a step on the items. Values it gives back are dropped when the items are free again.
fn with<T>(value: &Value, step: impl FnOnce(&mut Deque) -> T) -> Option<T> {
    let mut data = value.get::<Foreign>()?.data.try_borrow_mut().ok()?;
    data.downcast_mut::<Deque>().map(step)
}

fn native<'a>(call: &mut Call<'a>) -> Res<&'a Value> {
    let value = Vm::unwrap_native(call.arg(0));
    if value.get::<Foreign>().is_some_and(|f| f.data.try_borrow().is_ok_and(|data| data.is::<Deque>())) {
        return Ok(value);
    }
    // An object whose `__init__` has not run is empty.
    let Some(instance) = call.arg(0).get::<Instance>().filter(|instance| instance.native().is_none()) else {
        return Err(wrong_receiver(call));
    };
    let data = RefCell::new(Box::new(Deque::default()) as Box<dyn std::any::Any>);
    *instance.native.borrow_mut() = Ref::new(Foreign { type_name: "deque", data }).into();
    Ok(Vm::unwrap_native(call.arg(0)))
}

fn wrong_receiver(call: &mut Call) -> Raised {
    let (name, got) = (call.native.name, call.vm.type_name(call.arg(0)));
    let message =
        format!("descriptor '{name}' for 'collections.deque' objects doesn't apply to a '{got}' object");
    call.vm.type_error(message)
}

/// As `with`, on the receiver.
fn on<T>(call: &mut Call, step: impl FnOnce(&mut Deque) -> T) -> Res<T> {
    let value = native(call)?;
    match with(value, step) {
        Some(result) => Ok(result),
        None => Err(wrong_receiver(call)),
    }
}

fn install(call: &mut Call) -> Res {
    let Some(class) = call.arg(0).get_ref::<Type>() else { return Err(call.wrong_type(0, "a class")) };
    add_rows(&class, METHODS);
    Ok(Value::NONE)
}

fn start(call: &mut Call) -> Res {
    let max_len = match call.opt_not_none(1) {
        Some(_) => Some(call.int_clamped(1)?.max(0) as usize),
        None => None,
    };
    let old = on(call, |deque| {
        deque.max_len = max_len;
        deque.take()
    })?;
    drop(old);
    Ok(Value::NONE)
}

fn append(call: &mut Call) -> Res {
    let item = call.arg(1).clone();
    let surplus = on(call, |deque| deque.push(item, false))?;
    drop(surplus);
    Ok(Value::NONE)
}

fn append_left(call: &mut Call) -> Res {
    let item = call.arg(1).clone();
    let surplus = on(call, |deque| deque.push(item, true))?;
    drop(surplus);
    Ok(Value::NONE)
}

fn taken(call: &mut Call, step: impl FnOnce(&mut VecDeque<Value>) -> Option<Value>) -> Res {
    let found = on(call, |deque| {
        deque.version += 1;
        step(&mut deque.items)
    })?;
    found.ok_or_else(|| call.vm.error(Exc::IndexError, "pop from an empty deque"))
}

fn pop(call: &mut Call) -> Res {
    taken(call, VecDeque::pop_back)
}

fn pop_left(call: &mut Call) -> Res {
    taken(call, VecDeque::pop_front)
}

fn extend(call: &mut Call) -> Res {
    add_all(call, false)
}

fn extend_left(call: &mut Call) -> Res {
    add_all(call, true)
}

fn add_all(call: &mut Call, left: bool) -> Res {
    native(call)?;
    let iterable = if call.arg(1).same(call.arg(0)) { listed(call)? } else { call.arg(1).clone() };
    let items = call.vm.iter(&iterable)?;
    while let Some(item) = call.vm.next(&items)? {
        let surplus = on(call, |deque| deque.push(item, left))?;
        drop(surplus);
    }
    Ok(Value::NONE)
}

fn clear(call: &mut Call) -> Res {
    let old = on(call, Deque::take)?;
    drop(old);
    Ok(Value::NONE)
}

fn rotate(call: &mut Call) -> Res {
    let count = if call.opt(1).is_some() { call.int(1)? } else { 1 };
    on(call, |deque| {
        if deque.items.len() > 1 {
            deque.version += 1;
            deque.items.rotate_right(count.rem_euclid(deque.items.len() as i64) as usize);
        }
    })?;
    Ok(Value::NONE)
}

fn listed(call: &mut Call) -> Res {
    let items = on(call, |deque| deque.items.iter().cloned().collect())?;
    Ok(Value::list(items))
}

fn max_len(call: &mut Call) -> Res {
    Ok(on(call, |deque| deque.max_len)?.map_or(Value::NONE, Value::size))
}

fn len(call: &mut Call) -> Res {
    Ok(Value::size(on(call, |deque| deque.items.len())?))
}

/// The place that an index means.
fn place(call: &mut Call) -> Res<usize> {
    let index = call.arg(1);
    let index = match call.vm.to_index(index) {
        Ok(index) => index,
        Err(raised) => {
            if !call.vm.is_raised(Exc::TypeError) {
                return Err(raised);
            }
            call.vm.take_raised();
            let got = call.vm.type_name(index);
            return Err(call.vm.type_error(format!("sequence index must be integer, not '{got}'")));
        }
    };
    let len = on(call, |deque| deque.items.len())? as i64;
    let place = if index < 0 { index + len } else { index };
    if (0..len).contains(&place) { Ok(place as usize) } else { Err(out_of_range(call)) }
}

fn out_of_range(call: &mut Call) -> Raised {
    call.vm.error(Exc::IndexError, "deque index out of range")
}

fn get_item(call: &mut Call) -> Res {
    let place = place(call)?;
    let item = on(call, |deque| deque.items.get(place).cloned())?;
    item.ok_or_else(|| out_of_range(call))
}

fn set_item(call: &mut Call) -> Res {
    let place = place(call)?;
    let item = call.arg(2).clone();
    let old = on(call, |deque| deque.items.get_mut(place).map(|slot| std::mem::replace(slot, item)))?;
    drop(old);
    Ok(Value::NONE)
}

fn delete_item(call: &mut Call) -> Res {
    let place = place(call)?;
    let old = on(call, |deque| {
        deque.version += 1;
        deque.items.remove(place)
    })?;
    drop(old);
    Ok(Value::NONE)
}

fn iterator(call: &mut Call, reversed: bool) -> Res {
    let deque = native(call)?.clone();
    let version = on(call, |deque| deque.version)?;
    let object = call.arg(0).clone();
    Ok(Iter::new(IterState::Tool(Box::new(Walk { object, deque, version, given: 0, reversed }))).into())
}

/// An iterator over a deque.
struct Walk {
    /// The object that carries the deque.
    object: Value,
    deque: Value,
    version: u64,
    given: usize,
    reversed: bool,
}

impl Tool for Walk {
    fn type_name(&self) -> &'static str {
        if self.reversed { REVERSE_ITERATOR } else { ITERATOR }
    }

    fn next(&mut self, vm: &mut Vm) -> Res<Option<Value>> {
        let (version, given, reversed) = (self.version, self.given, self.reversed);
        let found = with(&self.deque, |deque| {
            if deque.version != version {
                return Err(());
            }
            let place = if reversed { deque.items.len().checked_sub(given + 1) } else { Some(given) };
            Ok(place.and_then(|place| deque.items.get(place).cloned()))
        });
        match found {
            Some(Ok(item)) => {
                self.given += 1;
                Ok(item)
            }
            _ => Err(vm.runtime_error("deque mutated during iteration")),
        }
    }

    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.object);
        visit(&self.deque);
    }

    fn left(&self) -> Option<i64> {
        let left = |deque: &mut Deque| {
            if deque.version == self.version { deque.items.len().saturating_sub(self.given) } else { 0 }
        };
        with(&self.deque, left).map(|left| left as i64)
    }

    fn is_kept_at_end(&self) -> bool {
        true
    }

    fn reduce(&self, _vm: &mut Vm, class: &Value) -> Res<Option<Value>> {
        let args = vec![self.object.clone(), Value::size(self.given)];
        Ok(Some(crate::value::iterator_reduce::made(class.clone(), args)))
    }
}
