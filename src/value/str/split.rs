//! Methods of `str` that cut text into a list, and `join`, which undoes it.

use super::Str;
use super::methods::{made, with_room};
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::text::unicode::white_space;
use crate::value::{Raised, Res, Value};

pub const ROWS: &[Native] = &[
    Native {
        name: "split",
        params: "self, sep=None, maxsplit=-1",
        doc: "The words of the text as a list, cut at `sep`, or at runs of white space; at most `maxsplit` cuts.",
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
        doc: "The lines of the text as a list, with their line ends if `keepends`.",
        run: splitlines,
    },
    Native {
        name: "join",
        params: "self, iterable, /",
        doc: "The strings of an iterable, with this text between them.",
        run: join,
    },
];

/// How the first two arguments of `split` and `rsplit` say to cut; no separator means white space.
fn cuts<'a>(call: &mut Call<'a>) -> Res<(Option<&'a str>, usize)> {
    let limit = call.limit(2)?;
    let Some(sep) = call.opt_not_none(1) else { return Ok((None, limit)) };
    let Some(sep) = Vm::unwrap_native(sep).as_str() else {
        let got = call.vm.type_name(sep);
        return Err(call.vm.type_error(format!("must be str or None, not {got}")));
    };
    if sep.is_empty() {
        return Err(call.vm.value_error("empty separator"));
    }
    Ok((Some(sep), limit))
}

fn split(call: &mut Call) -> Res {
    let text = call.this::<Str>()?.as_str();
    let (sep, limit) = cuts(call)?;
    let parts: Vec<Value> = match sep {
        Some(sep) => match sep.as_bytes() {
            &[byte] => split_at_byte(text, byte, limit),
            _ => text.splitn(limit.saturating_add(1), sep).map(Value::str).collect(),
        },
        None => words(text, limit).map(Value::str).collect(),
    };
    Ok(Value::list(parts))
}

/// The parts between single-byte separators, the usual ones.
fn split_at_byte(text: &str, separator: u8, limit: usize) -> Vec<Value> {
    let mut parts = Vec::new();
    let mut start = 0;
    for at in memchr::memchr_iter(separator, text.as_bytes()).take(limit) {
        parts.push(Value::str(&text[start..at]));
        start = at + 1;
    }
    parts.push(Value::str(&text[start..]));
    parts
}

fn rsplit(call: &mut Call) -> Res {
    let text = call.this::<Str>()?.as_str();
    let (sep, limit) = cuts(call)?;
    let mut parts: Vec<Value> = match sep {
        Some(sep) => text.rsplitn(limit.saturating_add(1), sep).map(Value::str).collect(),
        None => words_from_end(text, limit).map(Value::str).collect(),
    };
    parts.reverse();
    Ok(Value::list(parts))
}

/// Words between white space; after `limit` of them the rest, trailing white space included, is the last one.
fn words(text: &str, limit: usize) -> impl Iterator<Item = &str> {
    let mut rest = text.trim_start_matches(white_space);
    let mut left = limit;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = if left == 0 { rest.len() } else { rest.find(white_space).unwrap_or(rest.len()) };
        let (word, after) = rest.split_at(end);
        rest = after.trim_start_matches(white_space);
        left = left.saturating_sub(1);
        Some(word)
    })
}

fn words_from_end(text: &str, limit: usize) -> impl Iterator<Item = &str> {
    let mut rest = text.trim_end_matches(white_space);
    let mut left = limit;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let last_space = if left == 0 { None } else { rest.char_indices().rfind(|&(_, c)| white_space(c)) };
        let start = last_space.map_or(0, |(at, c)| at + c.len_utf8());
        let (before, word) = rest.split_at(start);
        rest = before.trim_end_matches(white_space);
        left = left.saturating_sub(1);
        Some(word)
    })
}

fn splitlines(call: &mut Call) -> Res {
    let text = call.this::<Str>()?.as_str();
    let keep = call.truth_or(1, false)?;
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (end, length) = match rest.char_indices().find(|&(_, c)| ends_line(c)) {
            Some((at, '\r')) if rest[at + 1..].starts_with('\n') => (at, 2),
            Some((at, c)) => (at, c.len_utf8()),
            None => (rest.len(), 0),
        };
        lines.push(Value::str(if keep { &rest[..end + length] } else { &rest[..end] }));
        rest = &rest[end + length..];
    }
    Ok(Value::list(lines))
}

fn ends_line(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn join(call: &mut Call) -> Res {
    let separator = call.this::<Str>()?.as_str();
    let iterable = call.arg(1);
    let Ok(items) = call.vm.collect(iterable) else {
        if call.vm.is_not_iterable(iterable) {
            call.vm.take_raised();
            call.vm.type_error("can only join an iterable");
        }
        return Err(Raised);
    };
    if let [only] = &items[..]
        && only.is::<Str>()
    {
        return Ok(only.clone());
    }
    let mut len = items.len().saturating_sub(1).checked_mul(separator.len());
    for (i, item) in items.iter().enumerate() {
        let Some(text) = Vm::unwrap_native(item).as_str() else {
            let got = call.vm.type_name(item);
            return Err(call.vm.type_error(format!("sequence item {i}: expected str instance, {got} found")));
        };
        len = len.and_then(|len| len.checked_add(text.len()));
    }
    let mut out = with_room(call.vm, len)?;
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push_str(separator);
        }
        out.push_str(Vm::unwrap_native(item).as_str().unwrap_or_default());
    }
    Ok(made(out))
}
