//! Methods of lists.

use super::special_rows::{CHANGEABLE, CONTAINER, INDEXED, REVERSIBLE, SEQUENCE, SEQUENCE_IN_PLACE};
use super::{List, Res, Value};
use crate::call::{Call, Native};

pub const LIST: &[Native] =
    crate::rows![OWN, CONTAINER, INDEXED, CHANGEABLE, REVERSIBLE, SEQUENCE, SEQUENCE_IN_PLACE];

const OWN: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, iterable=(), /",
        run: new,
        doc: "A new list with the items of an iterable.",
    },
    Native {
        name: "__init__",
        params: "self, iterable=(), /",
        run: init,
        doc: "Replaces all items by those of an iterable.",
    },
    Native { name: "append", params: "self, object, /", run: append, doc: "Adds an object at the end." },
    Native { name: "clear", params: "self, /", run: clear, doc: "Removes all items." },
    Native { name: "copy", params: "self, /", run: copy, doc: "A new list with the same items." },
    Native { name: "count", params: "self, value, /", run: count, doc: "How many items equal the value." },
    Native {
        name: "extend",
        params: "self, iterable, /",
        run: extend,
        doc: "Adds the items of an iterable at the end.",
    },
    Native {
        name: "index",
        params: "self, value, start=0, stop=9223372036854775807, /",
        run: index,
        doc: "Position of the first item from `start` to before `stop` that equals the value. ValueError if there is none.",
    },
    Native {
        name: "insert",
        params: "self, index, object, /",
        run: insert,
        doc: "Puts an object before the item at a position; positions outside are moved to the nearer end.",
    },
    Native {
        name: "pop",
        params: "self, index=-1, /",
        run: pop,
        doc: "Takes out the item at a position, the last if none is given. IndexError if there is no such item.",
    },
    Native {
        name: "remove",
        params: "self, value, /",
        run: remove,
        doc: "Takes out the first item that equals the value. ValueError if there is none.",
    },
    Native {
        name: "reverse",
        params: "self, /",
        run: reverse,
        doc: "Turns the order of the items round, in place.",
    },
    Native {
        name: "sort",
        params: "self, /, *, key=None, reverse=False",
        run: sort,
        doc: "Sorts the items in place, equal ones staying in order; `key` gives what is compared of each item.",
    },
];

fn new(call: &mut Call) -> Res {
    // An object of a derived class starts empty and is filled by `__init__`.
    if call.class()?.flags.is_user || call.opt(1).is_none() {
        return Ok(Value::list(Vec::new()));
    }
    Ok(Value::list(call.items(1)?))
}

fn init(call: &mut Call) -> Res {
    let list = call.this::<List>()?;
    let items = if call.opt(1).is_some() { call.items(1)? } else { Vec::new() };
    replace(list, items);
    Ok(Value::NONE)
}

fn replace(list: &List, items: Vec<Value>) {
    let old = std::mem::replace(&mut *list.borrow_mut(), items);
    drop(old); // after the borrow: destructors may run script code
}

fn append(call: &mut Call) -> Res {
    call.this::<List>()?.borrow_mut().push(call.arg(1).clone());
    Ok(Value::NONE)
}

fn clear(call: &mut Call) -> Res {
    replace(call.this::<List>()?, Vec::new());
    Ok(Value::NONE)
}

fn copy(call: &mut Call) -> Res {
    Ok(Value::list(call.this::<List>()?.to_vec()))
}

fn count(call: &mut Call) -> Res {
    let list = call.this::<List>()?;
    let (mut count, mut at) = (0, 0);
    while let Some(item) = list.at(at) {
        count += call.vm.eq(&item, call.arg(1))? as usize;
        at += 1;
    }
    Ok(Value::size(count))
}

fn extend(call: &mut Call) -> Res {
    let list = call.this::<List>()?;
    let mut more = Vec::new();
    let result = call.vm.extend_from(&mut more, call.arg(1));
    // What an iterator gave before it failed stays.
    list.borrow_mut().append(&mut more);
    result.map(|()| Value::NONE)
}

/// Start and stop arguments of `index` as positions in a sequence of `len` items.
pub(super) fn search_bounds(call: &mut Call, len: usize) -> Res<(usize, usize)> {
    let mut bound = |index: usize, default: i64| -> Res<usize> {
        let given = if call.opt(index).is_some() { call.int_clamped(index)? } else { default };
        let at = if given < 0 { given.saturating_add(len as i64).max(0) } else { given };
        Ok(at as usize)
    };
    Ok((bound(2, 0)?, bound(3, i64::MAX)?))
}

fn index(call: &mut Call) -> Res {
    let list = call.this::<List>()?;
    let (start, stop) = search_bounds(call, list.len())?;
    let mut at = start;
    while at < stop
        && let Some(item) = list.at(at)
    {
        if call.vm.eq(&item, call.arg(1))? {
            return Ok(Value::size(at));
        }
        at += 1;
    }
    let shown = call.vm.repr_of(call.arg(1))?;
    Err(call.vm.value_error(format!("{shown} is not in list")))
}

fn insert(call: &mut Call) -> Res {
    let list = call.this::<List>()?;
    let index = call.int(1)?;
    let len = list.len() as i64;
    let at = if index < 0 { index.saturating_add(len).max(0) } else { index.min(len) };
    list.borrow_mut().insert(at as usize, call.arg(2).clone());
    Ok(Value::NONE)
}

fn pop(call: &mut Call) -> Res {
    let list = call.this::<List>()?;
    if call.opt(1).is_none() {
        let last = list.borrow_mut().pop();
        return last.ok_or_else(|| call.vm.index_error("pop from empty list"));
    }
    let index = call.int(1)?;
    let len = list.len() as i64;
    if len == 0 {
        return Err(call.vm.index_error("pop from empty list"));
    }
    let at = if index < 0 { index.saturating_add(len) } else { index };
    if !(0..len).contains(&at) {
        return Err(call.vm.index_error("pop index out of range"));
    }
    Ok(list.borrow_mut().remove(at as usize))
}

fn remove(call: &mut Call) -> Res {
    let list = call.this::<List>()?;
    let mut at = 0;
    while let Some(item) = list.at(at) {
        if call.vm.eq(&item, call.arg(1))? {
            let is_there = at < list.len();
            let gone = is_there.then(|| list.borrow_mut().remove(at));
            drop(gone);
            return Ok(Value::NONE);
        }
        at += 1;
    }
    Err(call.vm.value_error("list.remove(x): x not in list"))
}

fn reverse(call: &mut Call) -> Res {
    call.this::<List>()?.borrow_mut().reverse();
    Ok(Value::NONE)
}

/// The list is empty while its items are being sorted, so that nobody sees them half sorted.
fn sort(call: &mut Call) -> Res {
    let list = call.this::<List>()?;
    let key = call.keyword(0).filter(|key| !key.is_none());
    let reverse = match call.keyword(1) {
        Some(flag) => call.vm.truth(flag)?,
        None => false,
    };
    let mut items = std::mem::take(&mut *list.borrow_mut());
    let result = super::sort::sort_in_place(call.vm, &mut items, key, reverse);
    let others = std::mem::replace(&mut *list.borrow_mut(), items);
    let is_changed = !others.is_empty() || others.capacity() > 0;
    drop(others);
    result?;
    if is_changed {
        return Err(call.vm.value_error("list modified during sort"));
    }
    Ok(Value::NONE)
}
