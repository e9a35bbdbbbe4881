//! Methods of `bytes` and `bytearray` that look for bytes in bytes.

use super::methods::{contents, like, made, receiver};
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::value::str::methods::no_memory;
use crate::value::{Res, Tuple, Value};
use std::borrow::Cow;

pub const ROWS: &[Native] = &[
    Native {
        name: "find",
        params: "self, sub, start=None, end=None, /",
        doc: "The lowest index where `sub` (bytes, or one byte as an int) is found within `self[start:end]`, or -1.",
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
        doc: "The bytes with `old` replaced by `new`, everywhere or the first `count` times.",
        run: replace,
    },
    Native {
        name: "partition",
        params: "self, sep, /",
        doc: "Three parts: before the first `sep`, `sep`, after it; all and two empty parts if there is none.",
        run: partition,
    },
    Native {
        name: "rpartition",
        params: "self, sep, /",
        doc: "Three parts: before the last `sep`, `sep`, after it; two empty parts and all if there is none.",
        run: rpartition,
    },
];

/// Where `part` first occurs.
pub fn position(data: &[u8], part: &[u8]) -> Option<usize> {
    let Some((&first, rest)) = part.split_first() else { return Some(0) };
    let mut at = 0;
    while at + part.len() <= data.len() {
        let last = data.len() - part.len();
        at += data[at..=last].iter().position(|&byte| byte == first)?;
        if data[at + 1..].starts_with(rest) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Where `part` last occurs.
pub fn last_position(data: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return Some(data.len());
    }
    data.windows(part.len()).rposition(|window| window == part)
}

/// What to look for: bytes, or an int that stands for one byte.
fn wanted<'a>(call: &mut Call<'a>) -> Res<Cow<'a, [u8]>> {
    let value = call.arg(1);
    if let Some(data) = contents(Vm::unwrap_native(value)) {
        return Ok(data);
    }
    if crate::value::Int::of(value).is_none() && call.vm.special_method(value, "__index__")?.is_none() {
        let got = call.vm.type_name(value);
        let message = format!("argument should be integer or bytes-like object, not '{got}'");
        return Err(call.vm.type_error(message));
    }
    Ok(Cow::Owned(vec![call.vm.to_byte(value)?]))
}

fn search(call: &mut Call, look: fn(&[u8], &[u8]) -> Option<usize>) -> Res<Option<usize>> {
    let part = wanted(call)?;
    let data = receiver(call)?;
    let bounds = call.bounds(2, data.len())?;
    Ok(bounds.and_then(|(start, end)| look(&data[start..end], &part).map(|at| at + start)))
}

fn find(call: &mut Call) -> Res {
    Ok(search(call, position)?.map_or(Value::int(-1), Value::size))
}

fn rfind(call: &mut Call) -> Res {
    Ok(search(call, last_position)?.map_or(Value::int(-1), Value::size))
}

fn index(call: &mut Call) -> Res {
    let found = search(call, position)?;
    found.map(Value::size).ok_or_else(|| call.vm.value_error("subsection not found"))
}

fn rindex(call: &mut Call) -> Res {
    let found = search(call, last_position)?;
    found.map(Value::size).ok_or_else(|| call.vm.value_error("subsection not found"))
}

fn count(call: &mut Call) -> Res {
    let part = wanted(call)?;
    let data = receiver(call)?;
    let Some((start, end)) = call.bounds(2, data.len())? else { return Ok(Value::int(0)) };
    Ok(Value::size(occurrences(&data[start..end], &part)))
}

fn occurrences(data: &[u8], part: &[u8]) -> usize {
    if part.is_empty() {
        return data.len() + 1;
    }
    let (mut found, mut at) = (0, 0);
    while let Some(next) = position(&data[at..], part) {
        at += next + part.len();
        found += 1;
    }
    found
}

fn startswith(call: &mut Call) -> Res {
    affixed(call, |data, prefix| data.starts_with(prefix))
}

fn endswith(call: &mut Call) -> Res {
    affixed(call, |data, suffix| data.ends_with(suffix))
}

fn affixed(call: &mut Call, test: fn(&[u8], &[u8]) -> bool) -> Res {
    let data = receiver(call)?;
    let window = call.bounds(2, data.len())?.map(|(start, end)| &data[start..end]);
    let name = call.native.name;
    let given = Vm::unwrap_native(call.arg(1));
    if let Some(tuple) = given.get::<Tuple>() {
        for item in tuple.items() {
            let Some(affix) = contents(Vm::unwrap_native(item)) else {
                let got = call.vm.type_name(item);
                return Err(call.vm.type_error(format!("a bytes-like object is required, not '{got}'")));
            };
            if window.is_some_and(|part| test(part, &affix)) {
                return Ok(Value::TRUE);
            }
        }
        return Ok(Value::FALSE);
    }
    let Some(affix) = contents(given) else {
        let got = call.vm.type_name(given);
        return Err(call
            .vm
            .type_error(format!("{name} first arg must be bytes or a tuple of bytes, not {got}")));
    };
    Ok(Value::bool(window.is_some_and(|part| test(part, &affix))))
}

fn replace(call: &mut Call) -> Res {
    let data = receiver(call)?;
    let (old, new) = (like(call, 1)?, like(call, 2)?);
    let times = call.limit(3)?.min(occurrences(&data, &old));
    let growth = new.len().saturating_sub(old.len()).checked_mul(times);
    let mut out = Vec::new();
    match growth.and_then(|growth| growth.checked_add(data.len())).map(|len| out.try_reserve_exact(len)) {
        Some(Ok(())) => {}
        _ => return Err(no_memory(call.vm)),
    }
    let mut rest = &data[..];
    for _ in 0..times {
        // An empty `old` is found before every byte and at the end.
        let Some(at) = position(rest, &old) else { break };
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(&new);
        let step = usize::from(old.is_empty()).min(rest.len());
        out.extend_from_slice(&rest[at..at + step]);
        rest = &rest[at + old.len() + step..];
    }
    out.extend_from_slice(rest);
    Ok(made(call, out))
}

fn partition(call: &mut Call) -> Res {
    parts(call, position, false)
}

fn rpartition(call: &mut Call) -> Res {
    parts(call, last_position, true)
}

fn parts(call: &mut Call, look: fn(&[u8], &[u8]) -> Option<usize>, from_end: bool) -> Res {
    let data = receiver(call)?;
    let sep = like(call, 1)?;
    if sep.is_empty() {
        return Err(call.vm.value_error("empty separator"));
    }
    let (before, middle, after) = match look(&data, &sep) {
        Some(at) => (&data[..at], &sep[..], &data[at + sep.len()..]),
        None if from_end => (&[][..], &[][..], &data[..]),
        None => (&data[..], &[][..], &[][..]),
    };
    Ok(Value::tuple(vec![made(call, before), made(call, middle), made(call, after)]))
}
