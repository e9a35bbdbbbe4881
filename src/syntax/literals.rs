//! What numbers and strings mean: from the text of a literal to its value, and Python's words when there is
//! none. Strings keep their place in the source only for error messages; values are plain.

use super::ast::ExprKind;
use super::error::SyntaxError;
use crate::source::Span;
use num_bigint::BigInt;
use std::rc::Rc;

/// The stand-in for a lone surrogate code point (U+D800 to U+DFFF), which a Rust `char` cannot hold: a
/// private-use character far away from everything in use.
pub fn surrogate_char(code_point: u32) -> char {
    char::from_u32(0x10E000 + code_point.wrapping_sub(0xD800)).unwrap_or('\u{fffd}')
}

/// A code point as a `char`, surrogates included; `None` beyond U+10FFFF.
fn char_of(code_point: u32) -> Option<char> {
    match code_point {
        0xD800..=0xDFFF => Some(surrogate_char(code_point)),
        _ => char::from_u32(code_point),
    }
}

// ---- numbers ----

/// Checks that the number at `start..end`, as far as a regular expression took it, is all there is:
/// `1abc`, `0x`, `1__0` and `012` are mistakes.
pub fn check_number_end(text: &str, start: usize, end: usize) -> Result<(), SyntaxError> {
    let rest = &text[end..];
    let Some(next) = rest.chars().next() else { return Ok(()) };
    if !(next == '_' || next.is_ascii_digit() || unicode_ident::is_xid_start(next)) {
        return Ok(());
    }
    // `1if x else y` is allowed, with a frown.
    let has_keyword =
        ["and", "else", "for", "if", "in", "is", "not", "or"].iter().any(|word| rest.starts_with(word));
    // `0or` begins an octal number.
    if has_keyword && !(&text[start..end] == "0" && rest.starts_with("or")) {
        return Ok(());
    }
    Err(number_error(text, start, end, next))
}

fn number_error(text: &str, start: usize, end: usize, next: char) -> SyntaxError {
    let number = &text[start..end];
    let bytes = &text.as_bytes()[start..];
    // Where Python's caret stands: at the last character it accepted, or at a bad digit.
    let last = Span::new(end as u32 - 1, end as u32);
    let bad = Span::new(end as u32, (end + next.len_utf8()) as u32);
    let base = match bytes.get(1).map(u8::to_ascii_lowercase) {
        Some(b'x') if bytes[0] == b'0' => Some("hexadecimal"),
        Some(b'o') if bytes[0] == b'0' => Some("octal"),
        Some(b'b') if bytes[0] == b'0' => Some("binary"),
        _ => None,
    };
    if let Some(base) = base {
        // The `x` itself may not have been taken: then what follows it is what is wrong.
        let after = if number.len() == 1 { start + 2 } else { end };
        let after = if text[after..].starts_with('_') { after + 1 } else { after };
        let digit = text[after..].chars().next().filter(char::is_ascii_digit);
        if let Some(digit) = digit.filter(|_| base != "hexadecimal") {
            let place = Span::new(after as u32, after as u32 + 1);
            return SyntaxError::new(format!("invalid digit '{digit}' in {base} literal"), place);
        }
        let place = Span::new(after as u32 - 1, after as u32);
        return SyntaxError::new(format!("invalid {base} literal"), place);
    }
    let is_zero = number.bytes().all(|b| b == b'0' || b == b'_');
    if is_zero && next.is_ascii_digit() {
        let digits = text[end..].bytes().take_while(|b| b.is_ascii_digit() || *b == b'_').count();
        let zeros = Span::new(start as u32, (end + digits) as u32);
        return SyntaxError::new(
            "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers",
            Span::new(zeros.start, last.end.max(zeros.start + 1)),
        );
    }
    if number.ends_with(['j', 'J']) {
        return SyntaxError::new("invalid imaginary literal", last);
    }
    let has_sign = matches!(bytes.get(end - start..), Some([b'e' | b'E', b'+' | b'-', ..]));
    let place = match next {
        '_' if !number.ends_with('.') => bad,
        _ if has_sign => Span::new(end as u32 + 1, end as u32 + 2),
        _ => last,
    };
    SyntaxError::new("invalid decimal literal", place)
}

pub fn int(text: &str) -> ExprKind {
    let digits: std::borrow::Cow<str> = match text.contains('_') {
        true => text.replace('_', "").into(),
        false => text.into(),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        _ => (10, &digits[..]),
    };
    let value = match i64::from_str_radix(digits, radix) {
        Ok(small) => BigInt::from(small),
        Err(_) => BigInt::parse_bytes(digits.as_bytes(), radix).unwrap_or_default(),
    };
    ExprKind::Int(value)
}

/// A float, or the number of an imaginary literal without its `j`.
pub fn float(text: &str) -> f64 {
    text.trim_end_matches(['j', 'J']).replace('_', "").parse().unwrap_or(0.0)
}

// ---- strings ----

/// The value of one string literal that is not an f-string.
pub enum StringValue {
    Text(String),
    Bytes(Vec<u8>),
}

/// Decodes a string literal, prefix and quotes included.
pub fn string(literal: &str, span: Span) -> Result<StringValue, SyntaxError> {
    let prefix_length = literal.find(['\'', '"']).unwrap_or(0);
    let (prefix, quoted) = literal.split_at(prefix_length);
    let is_raw = prefix.contains(['r', 'R']);
    let quotes =
        if quoted.len() >= 6 && (quoted.starts_with("'''") || quoted.starts_with("\"\"\"")) { 3 } else { 1 };
    let content = quoted.get(quotes..quoted.len() - quotes).unwrap_or("");
    let content = universal_newlines(content);
    if prefix.contains(['b', 'B']) {
        if !content.is_ascii() {
            return Err(SyntaxError::new("bytes can only contain ASCII literal characters", span));
        }
        let bytes = if is_raw { content.as_bytes().to_vec() } else { unescape_bytes(&content, span)? };
        return Ok(StringValue::Bytes(bytes));
    }
    let text = if is_raw { content.into_owned() } else { unescape(&content, span)? };
    Ok(StringValue::Text(text))
}

/// Decodes a stretch of f-string text. A stretch with doubled braces is outside any format spec.
pub fn fstring_text(text: &str, is_raw: bool, span: Span) -> Result<Rc<str>, SyntaxError> {
    let text = universal_newlines(text);
    // Split at doubled braces: they must not be found in what an escape stands for.
    if !text.contains(['{', '}']) {
        return Ok(if is_raw { text.into() } else { unescape(&text, span)?.into() });
    }
    let mut out = String::new();
    let mut start = 0;
    let mut at = 0;
    let bytes = text.as_bytes();
    let flush = |out: &mut String, piece: &str| -> Result<(), SyntaxError> {
        if is_raw {
            out.push_str(piece);
        } else {
            out.push_str(&unescape(piece, span)?);
        }
        Ok(())
    };
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if !is_raw && bytes[at + 1..].starts_with(b"N{") => {
                at += bytes[at..].iter().position(|&b| b == b'}').map_or(2, |length| length + 1);
            }
            b'\\' if !is_raw && !matches!(bytes.get(at + 1), Some(b'{' | b'}')) => at += 2,
            b'{' | b'}' if bytes.get(at + 1) == Some(&bytes[at]) => {
                flush(&mut out, &text[start..=at])?;
                at += 2;
                start = at;
            }
            _ => at += 1,
        }
    }
    flush(&mut out, text.get(start..).unwrap_or(""))?;
    Ok(out.into())
}

/// Line ends inside a literal count as `\n`, however the file writes them.
fn universal_newlines(text: &str) -> std::borrow::Cow<'_, str> {
    match text.contains('\r') {
        true => text.replace("\r\n", "\n").replace('\r', "\n").into(),
        false => text.into(),
    }
}

/// What Python says of a bad escape: where it is in its own working copy of the literal, and why.
fn unicode_error(position: usize, length: usize, why: &str, span: Span) -> SyntaxError {
    let last = position + length - 1;
    let message = format!(
        "(unicode error) 'unicodeescape' codec can't decode bytes in position {position}-{last}: {why}"
    );
    SyntaxError::new(message, span)
}

fn unescape(text: &str, span: Span) -> Result<String, SyntaxError> {
    let Some(first) = text.find('\\') else { return Ok(text.to_string()) };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut next = Some(first);
    // Python writes letters beyond ASCII as ten-byte escapes before it decodes: its positions count so.
    let width = |text: &str| text.chars().map(|c| if c.is_ascii() { 1 } else { 10 }).sum::<usize>();
    while let Some(at) = next {
        out.push_str(&rest[..at]);
        let position = || width(&text[..text.len() - rest.len() + at]);
        let escape = &rest[at + 1..];
        let used = simple_escape(escape, &mut out);
        let used = match used {
            Some(used) => used,
            None => long_escape(escape, &mut out, position, span)?,
        };
        rest = &escape[used..];
        next = rest.find('\\');
    }
    out.push_str(rest);
    Ok(out)
}

/// Escapes that cannot fail, after the backslash. Returns how many bytes they take, if it is one of them.
fn simple_escape(escape: &str, out: &mut String) -> Option<usize> {
    let bytes = escape.as_bytes();
    let c = match bytes.first()? {
        b'\n' => return Some(1),
        b'\\' => '\\',
        b'\'' => '\'',
        b'"' => '"',
        b'a' => '\x07',
        b'b' => '\x08',
        b'f' => '\x0C',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'v' => '\x0B',
        b'0'..=b'7' => {
            let (value, used) = octal(bytes);
            out.push(char::from_u32(value)?);
            return Some(used);
        }
        _ => return None,
    };
    out.push(c);
    Some(1)
}

fn octal(bytes: &[u8]) -> (u32, usize) {
    let digits = bytes.iter().take(3).take_while(|b| matches!(b, b'0'..=b'7'));
    digits.fold((0, 0), |(value, used), &b| (value * 8 + u32::from(b - b'0'), used + 1))
}

/// `\x`, `\u`, `\U` and `\N`, which can be wrong, and everything that is no escape at all.
fn long_escape(
    escape: &str,
    out: &mut String,
    position: impl Fn() -> usize,
    span: Span,
) -> Result<usize, SyntaxError> {
    let (digits, name) = match escape.as_bytes().first() {
        Some(b'x') => (2, "truncated \\xXX escape"),
        Some(b'u') => (4, "truncated \\uXXXX escape"),
        Some(b'U') => (8, "truncated \\UXXXXXXXX escape"),
        Some(b'N') => return named_escape(escape, out, position, span),
        _ => {
            out.push('\\');
            return Ok(0);
        }
    };
    let found = escape[1..].bytes().take(digits).take_while(u8::is_ascii_hexdigit).count();
    if found < digits {
        return Err(unicode_error(position(), 2 + found, name, span));
    }
    let value = u32::from_str_radix(&escape[1..1 + digits], 16).unwrap_or(u32::MAX);
    match char_of(value) {
        Some(c) => out.push(c),
        None => return Err(unicode_error(position(), 2 + digits, "illegal Unicode character", span)),
    }
    Ok(1 + digits)
}

/// `\N{NAME}`; `escape` begins at the `N`.
fn named_escape(
    escape: &str,
    out: &mut String,
    position: impl Fn() -> usize,
    span: Span,
) -> Result<usize, SyntaxError> {
    let malformed = |length| unicode_error(position(), length, "malformed \\N character escape", span);
    let Some(name) = escape[1..].strip_prefix('{') else { return Err(malformed(2)) };
    let Some(end) = name.find('}') else { return Err(malformed(3 + name.len())) };
    let name = &name[..end];
    if name.is_empty() {
        return Err(malformed(3));
    }
    let Some(c) = unicode_names2::character(name).filter(|c| is_exact_name(*c, name)) else {
        return Err(unicode_error(position(), 4 + name.len(), "unknown Unicode character name", span));
    };
    out.push(c);
    Ok(3 + name.len())
}

/// The table of names forgives blanks and hyphens; Python does not. Aliases are fine.
fn is_exact_name(c: char, name: &str) -> bool {
    let Some(canonical) = unicode_names2::name(c).map(|name| name.to_string()) else { return true };
    let is_letter = |c: &char| c.is_ascii_alphanumeric();
    let letters = |text: &str| text.chars().filter(is_letter).collect::<String>().to_ascii_uppercase();
    canonical.eq_ignore_ascii_case(name) || letters(&canonical) != letters(name)
}

fn unescape_bytes(text: &str, span: Span) -> Result<Vec<u8>, SyntaxError> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = &text[at + 1..];
        if bytes[at] != b'\\' {
            out.push(bytes[at]);
            at += 1;
        } else if let Some(b'x') = escape.as_bytes().first() {
            let digits = escape.get(1..3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
            let Some(byte) = digits.filter(|_| !escape[1..].starts_with(['+', '-'])) else {
                let message = format!("(value error) invalid \\x escape at position {at}");
                return Err(SyntaxError::new(message, span));
            };
            out.push(byte);
            at += 4;
        } else if let Some(b'0'..=b'7') = escape.as_bytes().first() {
            let (value, used) = octal(escape.as_bytes());
            out.push(value as u8);
            at += 1 + used;
        } else {
            let mut simple = String::new();
            match simple_escape(escape, &mut simple) {
                Some(used) => {
                    out.extend_from_slice(simple.as_bytes());
                    at += 1 + used;
                }
                None => {
                    out.push(b'\\');
                    at += 1;
                }
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(literal: &str) -> String {
        match string(literal, Span::default()) {
            Ok(StringValue::Text(text)) => text,
            Ok(StringValue::Bytes(bytes)) => format!("{bytes:?}"),
            Err(error) => error.message,
        }
    }

    #[test]
    fn escapes() {
        assert_eq!(text(r#"'a\n\x41\u00e9\U0001F600\N{DIGIT ONE}\101'"#), "a\nA\u{e9}\u{1F600}1A");
        assert_eq!(text(r#"'\q\8\/'"#), r"\q\8\/");
        assert_eq!(text("'a\\\nb'"), "ab");
        assert_eq!(text("'''a\r\nb\rc'''"), "a\nb\nc");
        assert_eq!(text(r#"r'\n\''"#), r"\n\'");
        assert_eq!(text(r#"b'\x00\377\u'"#), "[0, 255, 92, 117]");
    }

    #[test]
    fn lone_surrogates_have_stand_ins() {
        assert_eq!(text(r"'\ud800\udfff'"), "\u{10E000}\u{10E7FF}");
        assert_eq!(surrogate_char(0xDC80), '\u{10E480}');
    }

    #[test]
    fn doubled_braces() {
        let decode =
            |text: &str, is_raw| fstring_text(text, is_raw, Span::default()).map_err(|error| error.message);
        assert_eq!(decode("{{a}}\\n", false).as_deref(), Ok("{a}\n"));
        assert_eq!(decode("{{a}}\\n", true).as_deref(), Ok("{a}\\n"));
        assert_eq!(decode("\\N{DIGIT ONE}{{", false).as_deref(), Ok("1{"));
        assert_eq!(decode("\\x7b\\x7b", false).as_deref(), Ok("{{"));
        assert_eq!(decode("\\{{", false).as_deref(), Ok("\\{"));
    }
}
