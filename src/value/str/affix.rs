//! Methods of `str` that take something off the ends or put something there: strip, padding, tabs.

use super::Str;
use super::methods::{made, part_of_receiver, with_room};
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::text::unicode::white_space;
use crate::value::Res;

pub const ROWS: &[Native] = &[
    Native {
        name: "strip",
        params: "self, chars=None, /",
        doc: "The text without white space at both ends, or without the characters in `chars`.",
        run: strip,
    },
    Native {
        name: "lstrip",
        params: "self, chars=None, /",
        doc: "The text without white space at its start, or without the characters in `chars`.",
        run: lstrip,
    },
    Native {
        name: "rstrip",
        params: "self, chars=None, /",
        doc: "The text without white space at its end, or without the characters in `chars`.",
        run: rstrip,
    },
    Native {
        name: "removeprefix",
        params: "self, prefix, /",
        doc: "The text without `prefix` at its start, if it is there.",
        run: removeprefix,
    },
    Native {
        name: "removesuffix",
        params: "self, suffix, /",
        doc: "The text without `suffix` at its end, if it is there.",
        run: removesuffix,
    },
    Native {
        name: "center",
        params: "self, width, fillchar=' ', /",
        doc: "The text in the middle of `width` characters.",
        run: center,
    },
    Native {
        name: "ljust",
        params: "self, width, fillchar=' ', /",
        doc: "The text at the left of `width` characters.",
        run: ljust,
    },
    Native {
        name: "rjust",
        params: "self, width, fillchar=' ', /",
        doc: "The text at the right of `width` characters.",
        run: rjust,
    },
    Native {
        name: "zfill",
        params: "self, width, /",
        doc: "The text filled with zeros on the left up to `width` characters, behind a sign if there is one.",
        run: zfill,
    },
    Native {
        name: "expandtabs",
        params: "self, tabsize=8",
        doc: "The text with tabs replaced by spaces up to the next multiple of `tabsize` columns.",
        run: expandtabs,
    },
];

fn strip(call: &mut Call) -> Res {
    stripped(call, true, true)
}

fn lstrip(call: &mut Call) -> Res {
    stripped(call, true, false)
}

fn rstrip(call: &mut Call) -> Res {
    stripped(call, false, true)
}

fn stripped(call: &mut Call, left: bool, right: bool) -> Res {
    let text = call.this::<Str>()?.as_str();
    let part = match call.opt_not_none(1) {
        None => strip_ends(text, left, right, white_space),
        Some(chars) => {
            let Some(chars) = Vm::unwrap_native(chars).as_str() else {
                let name = call.native.name;
                return Err(call.vm.type_error(format!("{name} arg must be None or str")));
            };
            strip_ends(text, left, right, |c| chars.contains(c))
        }
    };
    Ok(part_of_receiver(call, part))
}

fn strip_ends(text: &str, left: bool, right: bool, test: impl Fn(char) -> bool) -> &str {
    let text = if left { text.trim_start_matches(&test) } else { text };
    if right { text.trim_end_matches(&test) } else { text }
}

fn removeprefix(call: &mut Call) -> Res {
    let text = call.this::<Str>()?.as_str();
    let prefix = call.str(1)?;
    Ok(part_of_receiver(call, text.strip_prefix(prefix).unwrap_or(text)))
}

fn removesuffix(call: &mut Call) -> Res {
    let text = call.this::<Str>()?.as_str();
    let suffix = call.str(1)?;
    Ok(part_of_receiver(call, text.strip_suffix(suffix).unwrap_or(text)))
}

fn center(call: &mut Call) -> Res {
    // Where the space cannot be shared evenly, the left side gets more in even widths.
    padded(call, |missing, width| missing / 2 + (missing & width & 1))
}

fn ljust(call: &mut Call) -> Res {
    padded(call, |_, _| 0)
}

fn rjust(call: &mut Call) -> Res {
    padded(call, |missing, _| missing)
}

/// Fills up to the width; `left` says how many of the missing characters go before the text.
fn padded(call: &mut Call, left: fn(usize, usize) -> usize) -> Res {
    let text = call.this::<Str>()?;
    let width = usize::try_from(call.int(1)?).unwrap_or(0);
    let fill = fill_char(call)?;
    let missing = width.saturating_sub(text.len());
    if missing == 0 {
        return Ok(part_of_receiver(call, text.as_str()));
    }
    let before = left(missing, width);
    let room = missing.checked_mul(fill.len_utf8()).and_then(|n| n.checked_add(text.as_str().len()));
    let mut out = with_room(call.vm, room)?;
    out.extend(std::iter::repeat_n(fill, before));
    out.push_str(text.as_str());
    out.extend(std::iter::repeat_n(fill, missing - before));
    Ok(made(out))
}

fn fill_char(call: &mut Call) -> Res<char> {
    let Some(value) = call.opt(2) else { return Ok(' ') };
    let Some(fill) = Vm::unwrap_native(value).as_str() else {
        let got = call.vm.type_name(value);
        return Err(call.vm.type_error(format!("The fill character must be a unicode character, not {got}")));
    };
    let mut chars = fill.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(c),
        _ => Err(call.vm.type_error("The fill character must be exactly one character long")),
    }
}

fn zfill(call: &mut Call) -> Res {
    let text = call.this::<Str>()?;
    let width = usize::try_from(call.int(1)?).unwrap_or(0);
    let missing = width.saturating_sub(text.len());
    let text = text.as_str();
    if missing == 0 {
        return Ok(part_of_receiver(call, text));
    }
    let (sign, digits) = text.split_at(text.starts_with(['+', '-']) as usize);
    let mut out = with_room(call.vm, missing.checked_add(text.len()))?;
    out.push_str(sign);
    out.extend(std::iter::repeat_n('0', missing));
    out.push_str(digits);
    Ok(made(out))
}

fn expandtabs(call: &mut Call) -> Res {
    let text = call.this::<Str>()?.as_str();
    let size = usize::try_from(call.int_or(1, 8)?).unwrap_or(0);
    let tabs = text.bytes().filter(|&b| b == b'\t').count();
    if tabs == 0 {
        return Ok(part_of_receiver(call, text));
    }
    let mut out = with_room(call.vm, tabs.checked_mul(size).and_then(|n| n.checked_add(text.len())))?;
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' => {
                let spaces = if size == 0 { 0 } else { size - column % size };
                out.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
            }
            _ => {
                out.push(c);
                column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
            }
        }
    }
    Ok(made(out))
}
