//! Lone surrogates inside Rust strings, and the `surrogateescape` way of carrying arbitrary bytes as text.
//!
//! Python's str may hold a lone surrogate (U+D800..U+DFFF); a Rust `str` cannot. The one idea: code point
//! `cp` of that range is stored as the private-use character U+10E000 + (cp - 0xD800), at the end of plane
//! 16. Everything that shows, counts or encodes characters asks [`code_point`] or [`from_char`] and never
//! looks at the stand-in. The real characters U+10E000..U+10E7FF have no use left, so decoding treats their
//! bytes as undecodable: they come in as four escaped bytes and leave as the same four bytes.

use std::borrow::Cow;

/// The stand-in for U+D800.
const BASE: u32 = 0x10_E000;
const FIRST: u32 = 0xD800;
const LAST: u32 = 0xDFFF;
/// The surrogate that carries the undecodable byte 0x80, as PEP 383 fixes it.
const ESCAPED_BYTE: u32 = 0xDC00;

/// The character that stores code point `cp`: itself, or the stand-in of a surrogate.
///
/// Beyond U+10FFFF there is no code point; the answer then is U+FFFD, so check the range first, as `chr`
/// does.
///
/// ```
/// # use zpy::text::surrogate::{code_point, to_char};
/// assert_eq!(to_char(0x41), 'A');
/// assert_eq!(code_point(to_char(0xD800)), 0xD800);
/// ```
pub fn to_char(cp: u32) -> char {
    let stored = if (FIRST..=LAST).contains(&cp) { BASE + (cp - FIRST) } else { cp };
    char::from_u32(stored).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The surrogate that `c` stands for, or None for an ordinary character.
pub fn from_char(c: char) -> Option<u32> {
    let offset = (c as u32).wrapping_sub(BASE);
    (offset <= LAST - FIRST).then(|| FIRST + offset)
}

/// The code point a script sees for `c`, as `ord` reports it.
pub fn code_point(c: char) -> u32 {
    from_char(c).unwrap_or(c as u32)
}

/// Whether `text` holds a lone surrogate anywhere.
pub fn has_surrogates(text: &str) -> bool {
    // Every stand-in starts with these two bytes in UTF-8; 0xF4 alone is rare enough to look no further.
    text.as_bytes().contains(&0xF4) && text.chars().any(|c| from_char(c).is_some())
}

/// Decodes UTF-8; every byte that is not part of a valid character becomes U+DC80..U+DCFF.
///
/// ```
/// # use zpy::text::surrogate::{decode_utf8_surrogateescape, encode_utf8_surrogateescape};
/// let text = decode_utf8_surrogateescape(b"caf\xe9");
/// assert_eq!(encode_utf8_surrogateescape(&text), Ok(b"caf\xe9".to_vec()));
/// ```
pub fn decode_utf8_surrogateescape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        push_valid(chunk.valid(), &mut out);
        push_escaped(chunk.invalid(), &mut out);
    }
    out
}

/// Encodes as UTF-8, giving U+DC80..U+DCFF back as the bytes they carry.
///
/// Errors: the position (in code points) of the first other surrogate, which no bytes can express.
pub fn encode_utf8_surrogateescape(text: &str) -> Result<Vec<u8>, usize> {
    if !has_surrogates(text) {
        return Ok(text.as_bytes().to_vec());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut buffer = [0; 4];
    for (position, c) in text.chars().enumerate() {
        match from_char(c) {
            None => out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes()),
            Some(cp @ 0xDC80..=0xDCFF) => out.push((cp - ESCAPED_BYTE) as u8),
            Some(_) => return Err(position),
        }
    }
    Ok(out)
}

/// Encodes as strict UTF-8.
///
/// Errors: the position (in code points) of the first surrogate.
pub fn encode_utf8(text: &str) -> Result<&[u8], usize> {
    if !has_surrogates(text) {
        return Ok(text.as_bytes());
    }
    Err(text.chars().position(|c| from_char(c).is_some()).unwrap_or(0))
}

/// Encodes surrogates as the three bytes UTF-8 would give them, as the error handler `surrogatepass` does.
pub fn encode_utf8_surrogatepass(text: &str) -> Cow<'_, [u8]> {
    if !has_surrogates(text) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut buffer = [0; 4];
    for c in text.chars() {
        match from_char(c) {
            None => out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes()),
            Some(cp) => {
                out.extend_from_slice(&[0xED, 0x80 | (cp >> 6 & 0x3F) as u8, 0x80 | (cp & 0x3F) as u8])
            }
        }
    }
    Cow::Owned(out)
}

fn push_valid(valid: &str, out: &mut String) {
    if !has_surrogates(valid) {
        return out.push_str(valid);
    }
    let mut buffer = [0; 4];
    for c in valid.chars() {
        if from_char(c).is_some() {
            push_escaped(c.encode_utf8(&mut buffer).as_bytes(), out);
        } else {
            out.push(c);
        }
    }
}

fn push_escaped(bytes: &[u8], out: &mut String) {
    out.extend(bytes.iter().map(|&byte| to_char(ESCAPED_BYTE + u32::from(byte))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_survive() {
        let all: Vec<u8> = (0..=255).chain(0..=255).collect();
        let tricky: [&[u8]; 6] = [
            &all,
            b"",
            b"\xed\xa0\x80",
            b"\xf4\x8e\x80\x80\xf4\x8e\x92\x80",
            b"\xe2\x82A",
            "é€😀".as_bytes(),
        ];
        for bytes in tricky {
            let text = decode_utf8_surrogateescape(bytes);
            assert_eq!(encode_utf8_surrogateescape(&text).as_deref(), Ok(bytes));
        }
    }

    #[test]
    fn only_escaped_bytes_encode() {
        let text: String = ['a', to_char(0xDC80), to_char(0xD800)].iter().collect();
        assert_eq!(encode_utf8_surrogateescape(&text), Err(2));
        assert_eq!(encode_utf8(&text), Err(1));
        assert_eq!(encode_utf8_surrogatepass(&text).as_ref(), b"a\xed\xb2\x80\xed\xa0\x80");
    }

    #[test]
    fn every_surrogate_maps_back() {
        for cp in FIRST..=LAST {
            assert_eq!(from_char(to_char(cp)), Some(cp));
        }
        assert_eq!((from_char('a'), from_char('\u{10DFFF}'), from_char('\u{10E800}')), (None, None, None));
        assert_eq!(to_char(0x110000), '\u{FFFD}');
    }
}
