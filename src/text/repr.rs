//! `repr` and `ascii` of text and bytes.
//!
//! The one idea: a run of plain printable ASCII is copied whole, everything else is decided character by
//! character. Single quotes enclose, unless the text has single quotes and no double ones. What
//! `str.isprintable` denies is written as `\xHH`, `\uHHHH` or `\UHHHHHHHH`, a lone surrogate (see
//! [`super::surrogate`]) as `\ud800`.

use super::{surrogate, unicode};
use std::fmt::{self, Write};

/// `repr(text)`.
///
/// ```
/// # use zpy::text::repr::repr_str;
/// assert_eq!(repr_str("it's\n"), r#""it's\n""#);
/// ```
pub fn repr_str(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    // Writing to a String cannot fail.
    let _ = write_repr_str(text, &mut out);
    out
}

/// `ascii(text)`: as [`repr_str`], with everything beyond ASCII escaped.
///
/// ```
/// # use zpy::text::repr::ascii_str;
/// assert_eq!(ascii_str("é€"), r"'\xe9\u20ac'");
/// ```
pub fn ascii_str(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    let _ = write_quoted(text, |c| c.is_ascii() && unicode::printable(c), &mut out);
    out
}

/// Escapes everything beyond ASCII in text that is already a repr, as `ascii(x)` does with any object's repr.
pub fn escape_non_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            let _ = write_escape(surrogate::code_point(c), &mut out);
        }
    }
    out
}

/// `repr(bytes)`.
///
/// ```
/// # use zpy::text::repr::repr_bytes;
/// assert_eq!(repr_bytes(b"a\t\x00'"), r#"b"a\t\x00'""#);
/// ```
pub fn repr_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 3);
    let _ = write_repr_bytes(bytes, &mut out);
    out
}

/// [`repr_str`] into any writer. Errors: the writer's.
pub fn write_repr_str(text: &str, out: &mut impl Write) -> fmt::Result {
    write_quoted(text, unicode::printable, out)
}

/// [`repr_bytes`] into any writer. Errors: the writer's.
pub fn write_repr_bytes(bytes: &[u8], out: &mut impl Write) -> fmt::Result {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    out.write_char('b')?;
    out.write_char(quote)?;
    for &byte in bytes {
        match byte {
            b'\\' => out.write_str("\\\\")?,
            b'\n' => out.write_str("\\n")?,
            b'\r' => out.write_str("\\r")?,
            b'\t' => out.write_str("\\t")?,
            b' '..=b'~' if byte as char == quote => write!(out, "\\{quote}")?,
            b' '..=b'~' => out.write_char(byte as char)?,
            _ => write!(out, "\\x{byte:02x}")?,
        }
    }
    out.write_char(quote)
}

fn write_quoted(text: &str, shown: impl Fn(char) -> bool, out: &mut impl Write) -> fmt::Result {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.write_char(quote)?;
    // `plain` is where the run of characters that stand for themselves begins.
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        if (c.is_ascii_graphic() || c == ' ') && c != '\\' && c != quote {
            continue;
        }
        let simple = match c {
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\'' => "\\'",
            '"' => "\\\"",
            _ if shown(c) => continue,
            _ => "",
        };
        out.write_str(&text[plain..at])?;
        plain = at + c.len_utf8();
        if simple.is_empty() {
            write_escape(surrogate::code_point(c), out)?;
        } else {
            out.write_str(simple)?;
        }
    }
    out.write_str(&text[plain..])?;
    out.write_char(quote)
}

fn write_escape(cp: u32, out: &mut impl Write) -> fmt::Result {
    match cp {
        0..=0xFF => write!(out, "\\x{cp:02x}"),
        0x100..=0xFFFF => write!(out, "\\u{cp:04x}"),
        _ => write!(out, "\\U{cp:08x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes() {
        assert_eq!(repr_str(""), "''");
        assert_eq!(repr_str("a'b"), "\"a'b\"");
        assert_eq!(repr_str("a\"b"), "'a\"b'");
        assert_eq!(repr_str("a'\"b"), "'a\\'\"b'");
        assert_eq!(repr_bytes(b"'\"\\"), "b'\\'\"\\\\'");
    }

    #[test]
    fn escapes() {
        assert_eq!(repr_str("\0\u{7f}\u{a0}\u{ad}é"), r"'\x00\x7f\xa0\xadé'");
        assert_eq!(repr_str("\u{200b}\u{e000}😀\u{e0001}"), "'\\u200b\\ue000😀\\U000e0001'");
        assert_eq!(repr_str(&surrogate::to_char(0xD800).to_string()), r"'\ud800'");
        assert_eq!(ascii_str("é😀\u{10ffff}"), r"'\xe9\U0001f600\U0010ffff'");
        assert_eq!(ascii_str(&surrogate::to_char(0xDC80).to_string()), r"'\udc80'");
        assert_eq!(escape_non_ascii("['é', 'ok']"), r"['\xe9', 'ok']");
        assert_eq!(repr_bytes(b"\xff\n\r\t~ "), r"b'\xff\n\r\t~ '");
    }
}
