//! Global functions on iterables: folding, searching, sorting, and the lazy iterators.
//!
//! `enumerate`, `zip`, `map`, `filter` and `reversed` are types whose `__new__` rows are here too.

use super::numbers::compares;
use crate::call::{Call, Native};
use crate::eval::code::{BinaryOp, CompareOp};
use crate::eval::{Exc, Vm};
use crate::value::iterator::IterState;
use crate::value::{Instance, Int, Iter, Res, Tag, Value};

pub static ROWS: &[Native] = &[
    Native { name: "len", params: "obj, /", run: len, doc: "The number of items of a container." },
    Native {
        name: "all",
        params: "iterable, /",
        run: all,
        doc: "Whether every item is true; true if there is none.",
    },
    Native {
        name: "any",
        params: "iterable, /",
        run: any,
        doc: "Whether some item is true; false if there is none.",
    },
    Native {
        name: "iter",
        params: "object, sentinel=None, /",
        run: iter,
        doc: "An iterator over `object`, or one that calls `object` until it gives `sentinel`.",
    },
    Native {
        name: "next",
        params: "iterator, default=None, /",
        run: next,
        doc: "The next item; at the end `default`, or StopIteration if none is given.",
    },
    Native {
        name: "max",
        params: "*args, key=None, default=None",
        run: max,
        doc: "The largest item of an iterable, or the largest argument; the first of equals.",
    },
    Native {
        name: "min",
        params: "*args, key=None, default=None",
        run: min,
        doc: "The smallest item of an iterable, or the smallest argument; the first of equals.",
    },
    Native {
        name: "sorted",
        params: "iterable, /, **options",
        run: sorted,
        doc: "A new sorted list: stable, by `key(item)` if given, descending with `reverse=True`.",
    },
    Native {
        name: "sum",
        params: "iterable, /, start=0",
        run: sum,
        doc: "`start` plus all items. Floats are added with the rounding errors carried along.",
    },
];

/// `__new__` of the iterator types that scripts can call.
pub static ENUMERATE: &[Native] = &[Native {
    name: "__new__",
    params: "cls, iterable=None, start=0",
    run: enumerate,
    doc: "Pairs `(number, item)`, counting from `start`.",
}];
pub static ZIP: &[Native] = &[Native {
    name: "__new__",
    params: "cls, /, *iterables, strict=False",
    run: zip,
    doc: "Tuples of the first items, the second items, ...; ends with the shortest iterable, or with `strict` demands equal lengths (ValueError).",
}];
pub static MAP: &[Native] = &[Native {
    name: "__new__",
    params: "cls, /, *args",
    run: map,
    doc: "`map(function, *iterables)`: what the function gives for each item, computed when asked for.",
}];
pub static FILTER: &[Native] = &[Native {
    name: "__new__",
    params: "cls, function, iterable, /",
    run: filter,
    doc: "The items for which the function gives a true value, or the true ones if it is none.",
}];
pub static REVERSED: &[Native] = &[Native {
    name: "__new__",
    params: "cls, sequence, /",
    run: reversed,
    doc: "The items from last to first.",
}];

fn len(call: &mut Call) -> Res {
    Ok(Value::size(call.vm.len(call.arg(0))?))
}

fn all(call: &mut Call) -> Res {
    find_truth(call, false)
}

fn any(call: &mut Call) -> Res {
    find_truth(call, true)
}

/// `wanted` as soon as an item has that truth, else its opposite.
fn find_truth(call: &mut Call, wanted: bool) -> Res {
    let iterator = call.vm.iter(call.arg(0))?;
    while let Some(item) = call.vm.next(&iterator)? {
        if call.vm.truth(&item)? == wanted {
            return Ok(Value::bool(wanted));
        }
    }
    Ok(Value::bool(!wanted))
}

fn iter(call: &mut Call) -> Res {
    let Some(sentinel) = call.opt(1) else { return call.vm.iter(call.arg(0)) };
    let function = call.arg(0);
    if !call.vm.is_callable(function) {
        return Err(call.vm.type_error("iter(v, w): v must be callable"));
    }
    Ok(Iter::new(IterState::Calls { function: function.clone(), sentinel: sentinel.clone() }).into())
}

fn next(call: &mut Call) -> Res {
    let iterator = call.arg(0);
    if !iterator.is::<Iter>()
        && let Some(method) = call.vm.special_method(iterator, "__next__")?
    {
        // As it is, so that the value of a StopIteration stays.
        let result = call.vm.call(&method, &[]);
        let Some(default) = call.opt(1) else { return result };
        return Ok(call.vm.catch(result, Exc::StopIteration)?.unwrap_or_else(|| default.clone()));
    }
    match call.opt(1) {
        Some(default) => Ok(call.vm.next(iterator)?.unwrap_or_else(|| default.clone())),
        None => call.vm.next_or_stop(iterator),
    }
}

fn max(call: &mut Call) -> Res {
    extreme(call, CompareOp::Gt)
}

fn min(call: &mut Call) -> Res {
    extreme(call, CompareOp::Lt)
}

fn extreme(call: &mut Call, better: CompareOp) -> Res {
    let name = call.native.name;
    let (key, default) = (call.keyword(0).filter(|key| !key.is_none()), call.keyword(1));
    let args = call.rest();
    let iterator = match args {
        [] => return Err(call.vm.type_error(format!("{name} expected at least 1 argument, got 0"))),
        [iterable] => call.vm.iter(iterable)?,
        _ if default.is_some() => {
            return Err(call.vm.type_error(format!(
                "Cannot specify a default for {name}() with multiple positional arguments"
            )));
        }
        _ => call.vm.iter(&Value::tuple(args.to_vec()))?,
    };
    let mut best: Option<(Value, Value)> = None;
    while let Some(item) = call.vm.next(&iterator)? {
        let rank = match key {
            Some(key) => call.vm.call(key, std::slice::from_ref(&item))?,
            None => item.clone(),
        };
        let is_better = match &best {
            Some((_, best_rank)) => compares(call, better, &rank, best_rank)?,
            None => true,
        };
        if is_better {
            best = Some((item, rank));
        }
    }
    match (best, default) {
        (Some((item, _)), _) => Ok(item),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(call.vm.value_error(format!("{name}() iterable argument is empty"))),
    }
}

fn sorted(call: &mut Call) -> Res {
    let (mut key, mut reverse) = (None, false);
    for (name, value) in call.keywords().map(|options| options.pairs()).unwrap_or_default() {
        match name.as_str() {
            Some("key") => key = Some(value).filter(|key| !key.is_none()),
            Some("reverse") => reverse = call.vm.truth(&value)?,
            _ => {
                // The keywords are those of `list.sort`, and Python says so.
                let name = name.as_str().unwrap_or_default();
                return Err(call
                    .vm
                    .type_error(format!("'{name}' is an invalid keyword argument for sort()")));
            }
        }
    }
    let items = call.items(0)?;
    let items = call.vm.sort_values(items, key.as_ref(), reverse)?;
    Ok(Value::list(items))
}

fn sum(call: &mut Call) -> Res {
    let start = call.opt(1).cloned().unwrap_or(Value::int(0));
    let refused = match start.tag() {
        Tag::Str => Some("sum() can't sum strings [use ''.join(seq) instead]"),
        Tag::Bytes => Some("sum() can't sum bytes [use b''.join(seq) instead]"),
        Tag::ByteArray => Some("sum() can't sum bytearray [use b''.join(seq) instead]"),
        _ => None,
    };
    if let Some(message) = refused {
        return Err(call.vm.type_error(message));
    }
    let iterator = call.vm.iter(call.arg(0))?;
    let mut total = start;
    while let Some(item) = call.vm.next(&iterator)? {
        let small = total.as_int().zip(item.as_small_int()).and_then(|(a, b)| a.checked_add(b));
        total = match small {
            Some(sum) => Value::int(sum),
            None if total.as_float().is_some() => match sum_floats(call.vm, &iterator, total, item)? {
                (total, None) => return Ok(total),
                (total, Some(item)) => call.vm.binary(BinaryOp::Add, &total, &item)?,
            },
            None => call.vm.binary(BinaryOp::Add, &total, &item)?,
        };
    }
    Ok(total)
}

/// Adds floats and ints with Neumaier's correction; stops at any other item and gives it back.
fn sum_floats(vm: &mut Vm, iterator: &Value, total: Value, first: Value) -> Res<(Value, Option<Value>)> {
    let mut sum = total.as_float().unwrap_or(0.0);
    let mut correction = 0.0;
    let finished = |sum: f64, correction: f64| {
        // An infinite or NaN sum would turn the correction into NaN.
        Value::float(if correction != 0.0 && f64::is_finite(correction) { sum + correction } else { sum })
    };
    let mut item = first;
    loop {
        let x = match (item.as_float(), Int::of(&item)) {
            (Some(x), _) => x,
            (None, Some(Int::Small(i))) if !item.is::<Instance>() => i as f64,
            _ => return Ok((finished(sum, correction), Some(item))),
        };
        let next = sum + x;
        correction += if sum.abs() >= x.abs() { (sum - next) + x } else { (x - next) + sum };
        sum = next;
        match vm.next(iterator)? {
            Some(next) => item = next,
            None => return Ok((finished(sum, correction), None)),
        }
    }
}

fn enumerate(call: &mut Call) -> Res {
    let count = match call.opt(2) {
        Some(start) => call.vm.to_int_value(start)?,
        None => Value::int(0),
    };
    let Some(iterable) = call.opt(1) else {
        return Err(call.vm.type_error("enumerate() missing required argument 'iterable'"));
    };
    let inner = call.vm.iter(iterable)?;
    Ok(Iter::new(IterState::Enumerate { inner, count }).into())
}

fn zip(call: &mut Call) -> Res {
    let strict = match call.keyword(0) {
        Some(strict) => call.vm.truth(strict)?,
        None => false,
    };
    let inner = iterators(call, call.rest())?;
    Ok(Iter::new(IterState::Zip { inner, strict }).into())
}

fn map(call: &mut Call) -> Res {
    let args = call.rest();
    let [function, iterables @ ..] = args else {
        return Err(call.vm.type_error("map() must have at least two arguments."));
    };
    if iterables.is_empty() {
        return Err(call.vm.type_error("map() must have at least two arguments."));
    }
    let inner = iterators(call, iterables)?;
    Ok(Iter::new(IterState::Map { function: function.clone(), inner }).into())
}

fn iterators(call: &mut Call, iterables: &[Value]) -> Res<Vec<Value>> {
    iterables.iter().map(|iterable| call.vm.iter(iterable)).collect()
}

fn filter(call: &mut Call) -> Res {
    let inner = call.vm.iter(call.arg(2))?;
    Ok(Iter::new(IterState::Filter { function: call.arg(1).clone(), inner }).into())
}

fn reversed(call: &mut Call) -> Res {
    let sequence = call.arg(1);
    if matches!(sequence.tag(), Tag::Instance | Tag::Foreign | Tag::MappingProxy | Tag::Type)
        && let Some(method) = call.vm.special_method(sequence, "__reversed__")?
    {
        return call.vm.call(&method, &[]);
    }
    if call.vm.refuses(sequence, "__reversed__") {
        return Err(not_reversible(call));
    }
    let inside = match sequence.tag() {
        Tag::Instance if call.vm.special_method(sequence, "__getitem__")?.is_some() => sequence,
        _ => Vm::unwrap_native(sequence),
    };
    if let Some(state) = crate::value::iterator::reversed_state(inside) {
        return Ok(Iter::new(state).into());
    }
    if !inside.is::<Instance>() || call.vm.special_method(inside, "__len__")?.is_none() {
        return Err(not_reversible(call));
    }
    if call.vm.special_method(inside, "__getitem__")?.is_none() {
        return Err(not_reversible(call));
    }
    let len = call.vm.len(inside)?;
    let state = IterState::Items { object: inside.clone(), index: len as i64 - 1, step: -1 };
    Ok(Iter::new(state).into())
}

fn not_reversible(call: &mut Call) -> crate::value::Raised {
    let name = call.vm.type_name(call.arg(1));
    call.vm.type_error(format!("'{name}' object is not reversible"))
}
