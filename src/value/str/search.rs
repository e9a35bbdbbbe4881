//! Methods of `str` that look for text in text: find, count, replace, startswith, partition.

use super::Str;
use super::methods::{made, must_be_str, no_memory, part_of_receiver};
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::value::{Res, Tuple, Value};
use memchr::memmem;

pub const ROWS: &[Native] = &[
    Native {
        name: "find",
        params: "self, sub, start=None, end=None, /",
        doc: "The lowest index where `sub` is found within `self[start:end]`, or -1.",
        run: find,
    },
    Native {
        name: "rfind",
        params: "self, sub, start=None, end=None, /",
        doc: "The highest index where `sub` is found within `self[start:end]`, or -1.",
        run: rfind,
    },
    Native {
        name: "index",
        params: "self, sub, start=None, end=None, /",
        doc: "As `find`, but a missing `sub` is a ValueError.",
        run: index,
    },
    Native {
        name: "rindex",
        params: "self, sub, start=None, end=None, /",
        doc: "As `rfind`, but a missing `sub` is a ValueError.",
        run: rindex,
    },
    Native {
        name: "count",
        params: "self, sub, start=None, end=None, /",
        doc: "How often `sub` occurs in `self[start:end]`, without overlaps.",
        run: count,
    },
    Native {
        name: "contains",
        params: "self, sub, /",
        doc: "Whether `sub` occurs in the text: `sub in self` as a method.",
        run: contains,
    },
    Native {
        name: "startswith",
        params: "self, prefix, start=None, end=None, /",
        doc: "Whether `self[start:end]` starts with `prefix`, or with one of a tuple of prefixes.",
        run: startswith,
    },
    Native {
        name: "endswith",
        params: "self, suffix, start=None, end=None, /",
        doc: "Whether `self[start:end]` ends with `suffix`, or with one of a tuple of suffixes.",
        run: endswith,
    },
    Native {
        name: "replace",
        params: "self, old, new, count=-1, /",
        doc: "The text with `old` replaced by `new`, everywhere or the first `count` times.",
        run: replace,
    },
    Native {
        name: "partition",
        params: "self, sep, /",
        doc: "Three parts: before the first `sep`, `sep`, after it; the text and two empty strings if there is none.",
        run: partition,
    },
    Native {
        name: "rpartition",
        params: "self, sep, /",
        doc: "Three parts: before the last `sep`, `sep`, after it; two empty strings and the text if there is none.",
        run: rpartition,
    },
];

/// The part of the receiver that the `start` and `end` arguments select, and the index it begins at.
fn window<'a>(call: &mut Call<'a>) -> Res<Option<(&'a str, usize)>> {
    let text = call.this::<Str>()?;
    if call.opt(2).is_none() {
        return Ok(Some((text.as_str(), 0)));
    }
    let bounds = call.bounds(2, text.len())?;
    Ok(bounds.map(|(start, end)| (text.substring(start, end), start)))
}

/// Code point index of a byte offset in a part that begins at `start`.
fn index_at(part: &str, offset: usize, start: usize, is_ascii: bool) -> usize {
    start + if is_ascii { offset } else { part[..offset].chars().count() }
}

fn search(call: &mut Call, look: fn(&str, &str) -> Option<usize>) -> Res<Option<usize>> {
    let window = window(call)?;
    let sub = must_be_str(call, 1)?;
    let is_ascii = call.this::<Str>()?.is_ascii();
    Ok(window.and_then(|(part, start)| look(part, sub).map(|at| index_at(part, at, start, is_ascii))))
}

/// Byte offset of the first occurrence.
fn find_text(text: &str, sub: &str) -> Option<usize> {
    memmem::find(text.as_bytes(), sub.as_bytes())
}

fn find(call: &mut Call) -> Res {
    Ok(search(call, find_text)?.map_or(Value::int(-1), Value::size))
}

fn rfind(call: &mut Call) -> Res {
    Ok(search(call, |text, sub| text.rfind(sub))?.map_or(Value::int(-1), Value::size))
}

fn index(call: &mut Call) -> Res {
    let found = search(call, find_text)?;
    found.map(Value::size).ok_or_else(|| call.vm.value_error("substring not found"))
}

fn rindex(call: &mut Call) -> Res {
    let found = search(call, |text, sub| text.rfind(sub))?;
    found.map(Value::size).ok_or_else(|| call.vm.value_error("substring not found"))
}

fn count(call: &mut Call) -> Res {
    let window = window(call)?;
    let sub = must_be_str(call, 1)?;
    Ok(Value::size(match window {
        None => 0,
        Some((part, _)) if sub.is_empty() => part.chars().count() + 1,
        Some((part, _)) => memmem::find_iter(part.as_bytes(), sub).count(),
    }))
}

fn contains(call: &mut Call) -> Res {
    Ok(Value::bool(call.vm.contains(call.receiver(), call.arg(1))?))
}

fn startswith(call: &mut Call) -> Res {
    affixed(call, |text, prefix| text.starts_with(prefix))
}

fn endswith(call: &mut Call) -> Res {
    affixed(call, |text, suffix| text.ends_with(suffix))
}

fn affixed(call: &mut Call, test: fn(&str, &str) -> bool) -> Res {
    let window = window(call)?;
    let name = call.native.name;
    let wanted = Vm::unwrap_native(call.arg(1));
    let Some(tuple) = wanted.get::<Tuple>() else {
        let Some(affix) = wanted.as_str() else {
            let got = call.vm.type_name(wanted);
            return Err(call
                .vm
                .type_error(format!("{name} first arg must be str or a tuple of str, not {got}")));
        };
        return Ok(Value::bool(window.is_some_and(|(part, _)| test(part, affix))));
    };
    for item in tuple.items() {
        let Some(affix) = Vm::unwrap_native(item).as_str() else {
            let got = call.vm.type_name(item);
            return Err(call.vm.type_error(format!("tuple for {name} must only contain str, not {got}")));
        };
        if window.is_some_and(|(part, _)| test(part, affix)) {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

fn replace(call: &mut Call) -> Res {
    let text = call.this::<Str>()?.as_str();
    let (old, new) = (call.str(1)?, call.str(2)?);
    let limit = call.limit(3)?;
    if limit == 0 || old.len() > text.len() || find_text(text, old).is_none() {
        return Ok(part_of_receiver(call, text));
    }
    // Only growth can exhaust the memory, and only then is counting worth its time.
    if new.len() > old.len() {
        let times = text.matches(old).count().min(limit);
        let growth = times.checked_mul(new.len() - old.len());
        if growth.is_none_or(|growth| growth > isize::MAX as usize / 2) {
            return Err(no_memory(call.vm));
        }
        let mut out = super::methods::with_room(call.vm, growth.map(|growth| growth + text.len()))?;
        replace_into(text, old, new, times, &mut out);
        return Ok(made(out));
    }
    let mut out = String::with_capacity(text.len());
    replace_into(text, old, new, limit, &mut out);
    Ok(made(out))
}

fn replace_into(text: &str, old: &str, new: &str, limit: usize, out: &mut String) {
    let mut done = 0;
    let mut replace_at = |at: usize| {
        out.push_str(&text[done..at]);
        out.push_str(new);
        done = at + old.len();
    };
    if old.is_empty() {
        text.match_indices(old).take(limit).for_each(|(at, _)| replace_at(at));
    } else {
        memmem::find_iter(text.as_bytes(), old).take(limit).for_each(replace_at);
    }
    out.push_str(&text[done..]);
}

fn partition(call: &mut Call) -> Res {
    let text = call.this::<Str>()?.as_str();
    let sep = separator(call)?;
    Ok(Value::tuple(match text.split_once(sep) {
        Some((before, after)) => vec![Value::str(before), call.arg(1).clone(), Value::str(after)],
        None => vec![part_of_receiver(call, text), Value::str(""), Value::str("")],
    }))
}

fn rpartition(call: &mut Call) -> Res {
    let text = call.this::<Str>()?.as_str();
    let sep = separator(call)?;
    Ok(Value::tuple(match text.rsplit_once(sep) {
        Some((before, after)) => vec![Value::str(before), call.arg(1).clone(), Value::str(after)],
        None => vec![Value::str(""), Value::str(""), part_of_receiver(call, text)],
    }))
}

fn separator<'a>(call: &mut Call<'a>) -> Res<&'a str> {
    let sep = must_be_str(call, 1)?;
    if sep.is_empty() {
        return Err(call.vm.value_error("empty separator"));
    }
    Ok(sep)
}
