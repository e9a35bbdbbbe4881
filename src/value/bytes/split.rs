//! Methods of `bytes` and `bytearray` that cut data into a list, and `join`, which undoes it.

use super::methods::{contents, like, made, receiver, white_space};
use super::search::{last_position, position};
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::value::{Raised, Res, Value};

pub const ROWS: &[Native] = &[
    Native {
        name: "split",
        params: "self, sep=None, maxsplit=-1",
        doc: "The parts between `sep`, or between runs of ASCII white space, as a list; at most `maxsplit` cuts.",
        run: split,
    },
    Native {
        name: "rsplit",
        params: "self, sep=None, maxsplit=-1",
        doc: "As `split`, but the cuts are made from the end.",
        run: rsplit,
    },
    Native {
        name: "splitlines",
        params: "self, keepends=False",
        doc: "The lines (ended by `\\n`, `\\r` or `\\r\\n`) as a list, with their ends if `keepends`.",
        run: splitlines,
    },
    Native {
        name: "join",
        params: "self, iterable_of_bytes, /",
        doc: "The bytes-like objects of an iterable, with these bytes between them.",
        run: join,
    },
];

fn split(call: &mut Call) -> Res {
    let limit = call.limit(2)?;
    let data = receiver(call)?;
    let parts = match call.opt_not_none(1) {
        None => words(&data, limit),
        Some(_) => {
            let sep = like(call, 1)?;
            if sep.is_empty() {
                return Err(call.vm.value_error("empty separator"));
            }
            cut(&data, &sep, limit)
        }
    };
    Ok(list_of(call, parts))
}

fn rsplit(call: &mut Call) -> Res {
    let limit = call.limit(2)?;
    let data = receiver(call)?;
    let mut parts = match call.opt_not_none(1) {
        None => words_from_end(&data, limit),
        Some(_) => {
            let sep = like(call, 1)?;
            if sep.is_empty() {
                return Err(call.vm.value_error("empty separator"));
            }
            cut_from_end(&data, &sep, limit)
        }
    };
    parts.reverse();
    Ok(list_of(call, parts))
}

fn list_of(call: &Call, parts: Vec<&[u8]>) -> Value {
    Value::list(parts.into_iter().map(|part| made(call, part)).collect())
}

fn cut<'a>(mut rest: &'a [u8], sep: &[u8], limit: usize) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    while parts.len() < limit
        && let Some(at) = position(rest, sep)
    {
        parts.push(&rest[..at]);
        rest = &rest[at + sep.len()..];
    }
    parts.push(rest);
    parts
}

fn cut_from_end<'a>(mut rest: &'a [u8], sep: &[u8], limit: usize) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    while parts.len() < limit
        && let Some(at) = last_position(rest, sep)
    {
        parts.push(&rest[at + sep.len()..]);
        rest = &rest[..at];
    }
    parts.push(rest);
    parts
}

/// The data from the first byte that is not white space.
fn trimmed_start(data: &[u8]) -> &[u8] {
    let start = data.iter().position(|&byte| !white_space(byte)).unwrap_or(data.len());
    &data[start..]
}

fn trimmed_end(data: &[u8]) -> &[u8] {
    let end = data.iter().rposition(|&byte| !white_space(byte)).map_or(0, |at| at + 1);
    &data[..end]
}

fn words(data: &[u8], limit: usize) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = trimmed_start(data);
    while !rest.is_empty() {
        if parts.len() == limit {
            // What is left is one part; only the white space before it is gone.
            parts.push(rest);
            break;
        }
        let end = rest.iter().position(|&byte| white_space(byte)).unwrap_or(rest.len());
        parts.push(&rest[..end]);
        rest = trimmed_start(&rest[end..]);
    }
    parts
}

fn words_from_end(data: &[u8], limit: usize) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = trimmed_end(data);
    while !rest.is_empty() {
        if parts.len() == limit {
            parts.push(rest);
            break;
        }
        let start = rest.iter().rposition(|&byte| white_space(byte)).map_or(0, |at| at + 1);
        parts.push(&rest[start..]);
        rest = trimmed_end(&rest[..start]);
    }
    parts
}

fn splitlines(call: &mut Call) -> Res {
    let keep = call.truth_or(1, false)?;
    let data = receiver(call)?;
    let mut lines = Vec::new();
    let mut rest = &data[..];
    while !rest.is_empty() {
        let end = rest.iter().position(|&byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
        let length = if rest[end..].starts_with(b"\r\n") { 2 } else { usize::from(end < rest.len()) };
        lines.push(made(call, if keep { &rest[..end + length] } else { &rest[..end] }));
        rest = &rest[end + length..];
    }
    Ok(Value::list(lines))
}

fn join(call: &mut Call) -> Res {
    let iterable = call.arg(1);
    let Ok(items) = call.vm.collect(iterable) else {
        if call.vm.is_not_iterable(iterable) {
            call.vm.take_raised();
            call.vm.type_error("can only join an iterable");
        }
        return Err(Raised);
    };
    let separator = receiver(call)?;
    let mut out = Vec::new();
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(&separator);
        }
        let Some(part) = contents(Vm::unwrap_native(item)) else {
            let got = call.vm.type_name(item);
            let message = format!("sequence item {i}: expected a bytes-like object, {got} found");
            return Err(call.vm.type_error(message));
        };
        out.extend_from_slice(&part);
    }
    Ok(made(call, out))
}
