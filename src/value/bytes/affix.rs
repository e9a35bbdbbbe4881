//! Methods of `bytes` and `bytearray` that take something off the ends or put something there.

use super::methods::{contents, like, made, receiver, white_space};
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::value::Res;
use crate::value::str::methods::no_memory;

pub const ROWS: &[Native] = &[
    Native {
        name: "strip",
        params: "self, bytes=None, /",
        doc: "The data without ASCII white space at both ends, or without the given bytes.",
        run: strip,
    },
    Native {
        name: "lstrip",
        params: "self, bytes=None, /",
        doc: "The data without ASCII white space at its start, or without the given bytes.",
        run: lstrip,
    },
    Native {
        name: "rstrip",
        params: "self, bytes=None, /",
        doc: "The data without ASCII white space at its end, or without the given bytes.",
        run: rstrip,
    },
    Native {
        name: "removeprefix",
        params: "self, prefix, /",
        doc: "The data without `prefix` at its start, if it is there.",
        run: removeprefix,
    },
    Native {
        name: "removesuffix",
        params: "self, suffix, /",
        doc: "The data without `suffix` at its end, if it is there.",
        run: removesuffix,
    },
    Native {
        name: "center",
        params: "self, width, fillchar=b' ', /",
        doc: "The data in the middle of `width` bytes.",
        run: center,
    },
    Native {
        name: "ljust",
        params: "self, width, fillchar=b' ', /",
        doc: "The data at the left of `width` bytes.",
        run: ljust,
    },
    Native {
        name: "rjust",
        params: "self, width, fillchar=b' ', /",
        doc: "The data at the right of `width` bytes.",
        run: rjust,
    },
    Native {
        name: "zfill",
        params: "self, width, /",
        doc: "The data filled with zeros on the left up to `width` bytes, behind a sign if there is one.",
        run: zfill,
    },
    Native {
        name: "expandtabs",
        params: "self, tabsize=8",
        doc: "The data with tabs replaced by spaces up to the next multiple of `tabsize` columns.",
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
    let data = receiver(call)?;
    let chars = match call.opt_not_none(1) {
        Some(_) => Some(like(call, 1)?),
        None => None,
    };
    let goes = |byte: &u8| chars.as_ref().map_or_else(|| white_space(*byte), |chars| chars.contains(byte));
    let mut part = &data[..];
    while left && part.first().is_some_and(goes) {
        part = &part[1..];
    }
    while right && part.last().is_some_and(goes) {
        part = &part[..part.len() - 1];
    }
    Ok(made(call, part))
}

fn removeprefix(call: &mut Call) -> Res {
    let data = receiver(call)?;
    let prefix = like(call, 1)?;
    Ok(made(call, data.strip_prefix(&prefix[..]).unwrap_or(&data)))
}

fn removesuffix(call: &mut Call) -> Res {
    let data = receiver(call)?;
    let suffix = like(call, 1)?;
    Ok(made(call, data.strip_suffix(&suffix[..]).unwrap_or(&data)))
}

fn center(call: &mut Call) -> Res {
    // As for str: where the space cannot be shared evenly, the left side gets more in even widths.
    padded(call, |missing, width| missing / 2 + (missing & width & 1))
}

fn ljust(call: &mut Call) -> Res {
    padded(call, |_, _| 0)
}

fn rjust(call: &mut Call) -> Res {
    padded(call, |missing, _| missing)
}

fn padded(call: &mut Call, left: fn(usize, usize) -> usize) -> Res {
    let width = usize::try_from(call.int(1)?).unwrap_or(0);
    let fill = fill_byte(call)?;
    let data = receiver(call)?;
    let missing = width.saturating_sub(data.len());
    let before = left(missing, width);
    let mut out = with_room(call, missing.checked_add(data.len()))?;
    out.resize(before, fill);
    out.extend_from_slice(&data);
    out.resize(data.len() + missing, fill);
    Ok(made(call, out))
}

fn fill_byte(call: &mut Call) -> Res<u8> {
    let Some(value) = call.opt(2) else { return Ok(b' ') };
    match contents(Vm::unwrap_native(value)).as_deref() {
        Some([byte]) => Ok(*byte),
        _ => {
            let (name, got) = (call.native.name, call.vm.type_name(value));
            let message = format!("{name}() argument 2 must be a byte string of length 1, not {got}");
            Err(call.vm.type_error(message))
        }
    }
}

fn with_room(call: &mut Call, len: Option<usize>) -> Res<Vec<u8>> {
    let mut out = Vec::new();
    match len.map(|len| out.try_reserve_exact(len)) {
        Some(Ok(())) => Ok(out),
        _ => Err(no_memory(call.vm)),
    }
}

fn zfill(call: &mut Call) -> Res {
    let width = usize::try_from(call.int(1)?).unwrap_or(0);
    let data = receiver(call)?;
    let missing = width.saturating_sub(data.len());
    let sign = usize::from(matches!(data.first(), Some(b'+' | b'-')));
    let mut out = with_room(call, missing.checked_add(data.len()))?;
    out.extend_from_slice(&data[..sign]);
    out.resize(sign + missing, b'0');
    out.extend_from_slice(&data[sign..]);
    Ok(made(call, out))
}

fn expandtabs(call: &mut Call) -> Res {
    let size = usize::try_from(call.int_or(1, 8)?).unwrap_or(0);
    let data = receiver(call)?;
    let tabs = data.iter().filter(|&&byte| byte == b'\t').count();
    let mut out = with_room(call, tabs.checked_mul(size).and_then(|n| n.checked_add(data.len())))?;
    let mut column = 0;
    for &byte in data.iter() {
        if byte == b'\t' {
            let spaces = if size == 0 { 0 } else { size - column % size };
            out.resize(out.len() + spaces, b' ');
            column += spaces;
        } else {
            out.push(byte);
            column = if matches!(byte, b'\n' | b'\r') { 0 } else { column + 1 };
        }
    }
    Ok(made(call, out))
}
