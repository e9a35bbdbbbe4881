//! Methods of `bytes` and `bytearray` about single bytes as ASCII characters: case, and what kind they are of.

use super::methods::{made, receiver, white_space};
use crate::call::{Call, Native, NativeFn};
use crate::value::{Res, Value};

/// A row without arguments.
const fn row(name: &'static str, run: NativeFn, doc: &'static str) -> Native {
    Native { name, params: "self, /", doc, run }
}

pub const ROWS: &[Native] = &[
    row("upper", upper, "The data with ASCII letters in upper case."),
    row("lower", lower, "The data with ASCII letters in lower case."),
    row(
        "capitalize",
        capitalize,
        "The data with its first byte in upper case and the rest in lower case, as ASCII.",
    ),
    row("title", title, "The data with every ASCII word's first letter in upper case, the rest lower."),
    row(
        "swapcase",
        swapcase,
        "The data with upper case ASCII letters turned lower and lower case ones upper.",
    ),
    row("isalnum", isalnum, "Whether all bytes are ASCII letters or digits; false for no bytes."),
    row("isalpha", isalpha, "Whether all bytes are ASCII letters; false for no bytes."),
    row("isascii", isascii, "Whether all bytes are ASCII; true for no bytes."),
    row("isdigit", isdigit, "Whether all bytes are ASCII digits; false for no bytes."),
    row("islower", islower, "Whether all ASCII letters are lower case, and there is one."),
    row("isspace", isspace, "Whether all bytes are ASCII white space; false for no bytes."),
    row(
        "istitle",
        istitle,
        "Whether every ASCII word starts with a capital and goes on in lower case, and there is one.",
    ),
    row("isupper", isupper, "Whether all ASCII letters are upper case, and there is one."),
];

fn changed(call: &mut Call, mut change: impl FnMut(u8) -> u8) -> Res {
    let data = receiver(call)?;
    Ok(made(call, data.iter().map(|&byte| change(byte)).collect::<Vec<u8>>()))
}

fn upper(call: &mut Call) -> Res {
    changed(call, |byte| byte.to_ascii_uppercase())
}

fn lower(call: &mut Call) -> Res {
    changed(call, |byte| byte.to_ascii_lowercase())
}

fn capitalize(call: &mut Call) -> Res {
    let mut first = true;
    changed(call, |byte| {
        if std::mem::take(&mut first) { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() }
    })
}

fn title(call: &mut Call) -> Res {
    let mut inside = false;
    changed(call, |byte| {
        let shown = if inside { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() };
        inside = byte.is_ascii_alphabetic();
        shown
    })
}

fn swapcase(call: &mut Call) -> Res {
    changed(call, |byte| if byte.is_ascii_alphabetic() { byte ^ 0x20 } else { byte })
}

/// Whether there are bytes and all pass.
fn all(call: &mut Call, test: fn(u8) -> bool) -> Res {
    let data = receiver(call)?;
    Ok(Value::bool(!data.is_empty() && data.iter().all(|&byte| test(byte))))
}

fn isalnum(call: &mut Call) -> Res {
    all(call, |byte| byte.is_ascii_alphanumeric())
}

fn isalpha(call: &mut Call) -> Res {
    all(call, |byte| byte.is_ascii_alphabetic())
}

fn isascii(call: &mut Call) -> Res {
    Ok(Value::bool(receiver(call)?.is_ascii()))
}

fn isdigit(call: &mut Call) -> Res {
    all(call, |byte| byte.is_ascii_digit())
}

fn isspace(call: &mut Call) -> Res {
    all(call, white_space)
}

fn islower(call: &mut Call) -> Res {
    let data = receiver(call)?;
    Ok(Value::bool(data.iter().any(u8::is_ascii_lowercase) && !data.iter().any(u8::is_ascii_uppercase)))
}

fn isupper(call: &mut Call) -> Res {
    let data = receiver(call)?;
    Ok(Value::bool(data.iter().any(u8::is_ascii_uppercase) && !data.iter().any(u8::is_ascii_lowercase)))
}

fn istitle(call: &mut Call) -> Res {
    let data = receiver(call)?;
    let (mut inside, mut any) = (false, false);
    for byte in data.iter() {
        if byte.is_ascii_uppercase() == inside && byte.is_ascii_alphabetic() {
            return Ok(Value::FALSE);
        }
        inside = byte.is_ascii_alphabetic();
        any |= inside;
    }
    Ok(Value::bool(any))
}
