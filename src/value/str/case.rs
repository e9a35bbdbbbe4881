//! Methods of `str` about single characters: upper and lower case, and what kind the characters are of.

use super::Str;
use super::methods::{made, part_of_receiver};
use crate::call::{Call, Native};
use crate::text::unicode;
use crate::value::{Res, Value};

/// A row without arguments.
const fn row(name: &'static str, run: crate::call::NativeFn, doc: &'static str) -> Native {
    Native { name, params: "self, /", doc, run }
}

pub const ROWS: &[Native] = &[
    row("upper", upper, "The text in upper case."),
    row("lower", lower, "The text in lower case."),
    row("casefold", casefold, "The text folded for comparing without regard to case; stronger than `lower`."),
    row("capitalize", capitalize, "The text with its first character in upper (title) case, the rest lower."),
    row("title", title, "The text with every word's first character in title case, the rest lower."),
    row("swapcase", swapcase, "The text with upper case turned lower and lower case upper."),
    row("isalnum", isalnum, "Whether all characters are letters or digits; false for the empty text."),
    row("isalpha", isalpha, "Whether all characters are letters; false for the empty text."),
    row("isascii", isascii, "Whether all characters are ASCII; true for the empty text."),
    row("isdecimal", isdecimal, "Whether all characters are decimal digits; false for the empty text."),
    row(
        "isdigit",
        isdigit,
        "Whether all characters are digits, superscripts included; false for the empty text.",
    ),
    row("isidentifier", isidentifier, "Whether the text is shaped like a name; key words are too."),
    row("islower", islower, "Whether all letters with case are lower, and there is one."),
    row("isnumeric", isnumeric, "Whether all characters have a number's value; false for the empty text."),
    row("isprintable", isprintable, "Whether `repr` would escape no character; true for the empty text."),
    row("isspace", isspace, "Whether all characters are white space; false for the empty text."),
    row(
        "istitle",
        istitle,
        "Whether every word starts with a capital and goes on in lower case, and there is one.",
    ),
    row("isupper", isupper, "Whether all letters with case are upper, and there is one."),
];

fn changed(call: &mut Call, ascii: Option<fn(&mut str)>, any: fn(&str) -> String) -> Res {
    let text = call.this::<Str>()?.as_str();
    match ascii {
        Some(change) if text.is_ascii() => {
            let mut out = text.to_string();
            change(&mut out);
            if out == text { Ok(part_of_receiver(call, text)) } else { Ok(made(out)) }
        }
        _ => Ok(made(any(text))),
    }
}

fn tested(call: &mut Call, test: fn(&str) -> bool) -> Res {
    Ok(Value::bool(test(call.this::<Str>()?.as_str())))
}

fn upper(call: &mut Call) -> Res {
    changed(call, Some(str::make_ascii_uppercase), unicode::upper)
}

fn lower(call: &mut Call) -> Res {
    changed(call, Some(str::make_ascii_lowercase), unicode::lower)
}

fn casefold(call: &mut Call) -> Res {
    changed(call, Some(str::make_ascii_lowercase), unicode::casefold)
}

fn capitalize(call: &mut Call) -> Res {
    changed(call, Some(capitalize_ascii), unicode::capitalize)
}

fn capitalize_ascii(text: &mut str) {
    text.make_ascii_lowercase();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
}

fn title(call: &mut Call) -> Res {
    changed(call, None, unicode::title)
}

fn swapcase(call: &mut Call) -> Res {
    changed(call, None, unicode::swap_case)
}

fn isalnum(call: &mut Call) -> Res {
    tested(call, unicode::is_alnum)
}

fn isalpha(call: &mut Call) -> Res {
    tested(call, unicode::is_alpha)
}

fn isascii(call: &mut Call) -> Res {
    tested(call, str::is_ascii)
}

fn isdecimal(call: &mut Call) -> Res {
    tested(call, unicode::is_decimal)
}

fn isdigit(call: &mut Call) -> Res {
    tested(call, unicode::is_digit)
}

fn isidentifier(call: &mut Call) -> Res {
    tested(call, unicode::is_identifier)
}

fn islower(call: &mut Call) -> Res {
    tested(call, unicode::is_lower)
}

fn isnumeric(call: &mut Call) -> Res {
    tested(call, unicode::is_numeric)
}

fn isprintable(call: &mut Call) -> Res {
    tested(call, unicode::is_printable)
}

fn isspace(call: &mut Call) -> Res {
    tested(call, unicode::is_space)
}

fn istitle(call: &mut Call) -> Res {
    tested(call, unicode::is_title)
}

fn isupper(call: &mut Call) -> Res {
    tested(call, unicode::is_upper)
}
