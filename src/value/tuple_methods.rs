//! Methods of tuples.

use super::list_methods::search_bounds;
use super::special_rows::{CONTAINER, INDEXED, SEQUENCE};
use super::{Res, Tuple, Value};
use crate::call::{Call, Native};

pub const TUPLE: &[Native] = crate::rows![OWN, CONTAINER, INDEXED, SEQUENCE];

const OWN: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, iterable=(), /",
        run: new,
        doc: "A tuple with the items of an iterable.",
    },
    Native { name: "count", params: "self, value, /", run: count, doc: "How many items equal the value." },
    Native {
        name: "index",
        params: "self, value, start=0, stop=9223372036854775807, /",
        run: index,
        doc: "Position of the first item from `start` to before `stop` that equals the value. ValueError if there is none.",
    },
    Native {
        name: "__getnewargs__",
        params: "self, /",
        run: new_args,
        doc: "What `__new__` needs to make an equal one.",
    },
];

fn new(call: &mut Call) -> Res {
    match call.opt(1) {
        None => Ok(Value::tuple(Vec::new())),
        Some(given) if given.is::<Tuple>() => Ok(given.clone()),
        Some(_) => Ok(Value::tuple(call.items(1)?)),
    }
}

fn count(call: &mut Call) -> Res {
    let mut count = 0;
    for item in call.this::<Tuple>()?.items() {
        count += call.vm.eq(item, call.arg(1))? as usize;
    }
    Ok(Value::size(count))
}

fn index(call: &mut Call) -> Res {
    let items = call.this::<Tuple>()?.items();
    let (start, stop) = search_bounds(call, items.len())?;
    for (at, item) in items.iter().enumerate().take(stop).skip(start) {
        if call.vm.eq(item, call.arg(1))? {
            return Ok(Value::size(at));
        }
    }
    Err(call.vm.value_error("tuple.index(x): x not in tuple"))
}

fn new_args(call: &mut Call) -> Res {
    let this = call.inner()?.clone();
    Ok(Value::tuple(vec![this]))
}
