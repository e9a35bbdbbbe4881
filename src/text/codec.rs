//! Text to bytes and back: the encodings of `str.encode` and `bytes.decode`, and what they do about errors.
//!
//! [`Codec::find`] knows the names, [`encode`] and [`decode`] do the work. Both run through the input until a
//! place the encoding cannot express; there the error handler, asked for by its Python name, says what to
//! put instead, or that it is an error. What an encoding calls itself in messages is its affair
//! (`utf-16-le` for `utf-16`, `charmap` for `cp1252`), as in CPython.

use super::surrogate;

/// An encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    Utf8,
    /// UTF-8 that begins with a byte order mark.
    Utf8Sig,
    Ascii,
    Latin1,
    Cp1252,
    /// Bytes per unit (2 or 4) and order; without an order there is a byte order mark.
    Wide(usize, Option<Endian>),
    UnicodeEscape,
    RawUnicodeEscape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endian {
    Little,
    Big,
}

/// Why encoding or decoding failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodecError {
    /// UnicodeEncodeError or UnicodeDecodeError for the characters or bytes from `start` to `end`.
    Input { codec: &'static str, start: usize, end: usize, reason: &'static str },
    /// LookupError: no error handler has this name.
    UnknownHandler,
    /// TypeError: the handler is for encoding only.
    HandlerCannotDecode,
}

/// What cp1252 has at 0x80..=0x9F; zero where it has nothing.
const CP1252_HIGH: [u16; 32] = [
    0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
    0x017D, 0, 0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
    0x0153, 0, 0x017E, 0x0178,
];

impl Codec {
    /// The encoding of a name: case, hyphens, spaces and underscores do not matter.
    ///
    /// ```
    /// # use zpy::text::codec::Codec;
    /// assert_eq!(Codec::find("UTF-8"), Some(Codec::Utf8));
    /// assert_eq!(Codec::find("utf9"), None);
    /// ```
    pub fn find(name: &str) -> Option<Codec> {
        use Endian::{Big, Little};
        let plain: String = name
            .chars()
            .map(|c| if matches!(c, '-' | ' ' | '.') { '_' } else { c.to_ascii_lowercase() })
            .collect();
        Some(match plain.as_str() {
            "utf_8" | "utf8" | "u8" | "utf" | "cp65001" => Codec::Utf8,
            "utf_8_sig" | "utf8_sig" => Codec::Utf8Sig,
            "ascii" | "us_ascii" | "646" | "ansi_x3_4_1968" | "iso646_us" | "iso_646_irv_1991" | "us" => {
                Codec::Ascii
            }
            "latin_1" | "latin1" | "latin" | "l1" | "iso_8859_1" | "iso8859_1" | "iso8859" | "8859"
            | "cp819" => Codec::Latin1,
            "cp1252" | "windows_1252" | "1252" => Codec::Cp1252,
            "utf_16" | "utf16" | "u16" => Codec::Wide(2, None),
            "utf_16_le" | "utf_16le" | "utf16_le" | "utf16le" => Codec::Wide(2, Some(Little)),
            "utf_16_be" | "utf_16be" | "utf16_be" | "utf16be" => Codec::Wide(2, Some(Big)),
            "utf_32" | "utf32" | "u32" => Codec::Wide(4, None),
            "utf_32_le" | "utf_32le" | "utf32_le" | "utf32le" => Codec::Wide(4, Some(Little)),
            "utf_32_be" | "utf_32be" | "utf32_be" | "utf32be" => Codec::Wide(4, Some(Big)),
            "unicode_escape" | "unicodeescape" => Codec::UnicodeEscape,
            "raw_unicode_escape" | "rawunicodeescape" => Codec::RawUnicodeEscape,
            _ => return None,
        })
    }

    /// What messages about encoding call it.
    /// The name that `codecs.lookup` shows.
    pub fn canonical_name(self) -> &'static str {
        match self {
            Codec::Utf8Sig => "utf-8-sig",
            Codec::Latin1 => "iso8859-1",
            Codec::Cp1252 => "cp1252",
            Codec::UnicodeEscape => "unicode-escape",
            Codec::RawUnicodeEscape => "raw-unicode-escape",
            _ => self.name(),
        }
    }

    /// The same encoding without a byte order mark before the text.
    pub fn without_mark(self) -> Codec {
        let native = if cfg!(target_endian = "little") { Endian::Little } else { Endian::Big };
        match self {
            Codec::Utf8Sig => Codec::Utf8,
            Codec::Wide(size, None) => Codec::Wide(size, Some(native)),
            _ => self,
        }
    }

    /// The encoding of data that may begin with a byte order mark, and the length of that mark.
    pub fn marked(self, data: &[u8]) -> (Codec, usize) {
        use Endian::{Big, Little};
        match self {
            Codec::Utf8Sig if data.starts_with(b"\xef\xbb\xbf") => (Codec::Utf8, 3),
            Codec::Wide(2, None) if data.starts_with(b"\xff\xfe") => (Codec::Wide(2, Some(Little)), 2),
            Codec::Wide(2, None) if data.starts_with(b"\xfe\xff") => (Codec::Wide(2, Some(Big)), 2),
            Codec::Wide(4, None) if data.starts_with(b"\xff\xfe\0\0") => (Codec::Wide(4, Some(Little)), 4),
            Codec::Wide(4, None) if data.starts_with(b"\0\0\xfe\xff") => (Codec::Wide(4, Some(Big)), 4),
            _ => (self.without_mark(), 0),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Codec::Utf8 | Codec::Utf8Sig => "utf-8",
            Codec::Ascii => "ascii",
            Codec::Latin1 => "latin-1",
            Codec::Cp1252 => "charmap",
            Codec::Wide(2, None) => "utf-16",
            Codec::Wide(_, None) => "utf-32",
            Codec::Wide(2, Some(Endian::Little)) => "utf-16-le",
            Codec::Wide(2, Some(Endian::Big)) => "utf-16-be",
            Codec::Wide(_, Some(Endian::Little)) => "utf-32-le",
            Codec::Wide(_, Some(Endian::Big)) => "utf-32-be",
            Codec::UnicodeEscape => "unicodeescape",
            Codec::RawUnicodeEscape => "rawunicodeescape",
        }
    }

    fn lacks(self) -> &'static str {
        match self {
            Codec::Ascii => "ordinal not in range(128)",
            Codec::Latin1 => "ordinal not in range(256)",
            Codec::Cp1252 => "character maps to <undefined>",
            _ => "surrogates not allowed",
        }
    }

    /// Appends one character; false if the encoding lacks it.
    fn push(self, c: char, out: &mut Vec<u8>) -> bool {
        let cp = surrogate::code_point(c);
        let is_surrogate = surrogate::from_char(c).is_some();
        match self {
            Codec::Utf8 | Codec::Utf8Sig if is_surrogate => return false,
            Codec::Utf8 | Codec::Utf8Sig => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Codec::Ascii if cp > 0x7F => return false,
            Codec::Latin1 if cp > 0xFF => return false,
            Codec::Ascii | Codec::Latin1 => out.push(cp as u8),
            Codec::Cp1252 if cp < 0x80 || (0xA0..=0xFF).contains(&cp) => out.push(cp as u8),
            Codec::Cp1252 => match CP1252_HIGH.iter().position(|&high| u32::from(high) == cp) {
                Some(at) => out.push(0x80 + at as u8),
                None => return false,
            },
            Codec::Wide(..) if is_surrogate => return false,
            Codec::Wide(size, endian) => push_wide(c, size, endian, out),
            Codec::UnicodeEscape => push_escaped(cp, out),
            Codec::RawUnicodeEscape if cp <= 0xFF => out.push(cp as u8),
            Codec::RawUnicodeEscape => out.extend_from_slice(escape(cp).as_bytes()),
        }
        true
    }
}

fn push_unit(unit: u32, size: usize, endian: Option<Endian>, out: &mut Vec<u8>) {
    let bytes = unit.to_le_bytes();
    match endian {
        Some(Endian::Big) => out.extend(bytes[..size].iter().rev()),
        _ => out.extend_from_slice(&bytes[..size]),
    }
}

fn push_wide(c: char, size: usize, endian: Option<Endian>, out: &mut Vec<u8>) {
    if size == 4 {
        return push_unit(c as u32, size, endian, out);
    }
    for &mut unit in c.encode_utf16(&mut [0; 2]) {
        push_unit(unit.into(), size, endian, out);
    }
}

/// `\xe9`, `\u20ac`, `\U0001f600`.
fn escape(cp: u32) -> String {
    match cp {
        0..=0xFF => format!("\\x{cp:02x}"),
        0x100..=0xFFFF => format!("\\u{cp:04x}"),
        _ => format!("\\U{cp:08x}"),
    }
}

fn push_escaped(cp: u32, out: &mut Vec<u8>) {
    match cp {
        0x5C => out.extend_from_slice(b"\\\\"),
        0x09 => out.extend_from_slice(b"\\t"),
        0x0A => out.extend_from_slice(b"\\n"),
        0x0D => out.extend_from_slice(b"\\r"),
        0x20..=0x7E => out.push(cp as u8),
        _ => out.extend_from_slice(escape(cp).as_bytes()),
    }
}

/// The encoding that the text of a program says it has: a comment `coding: NAME` in its first two lines.
pub fn declared_encoding(data: &[u8]) -> Option<&str> {
    let mut lines = data.split(|&byte| byte == b'\n').take(2);
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | 0x0c | b'\r');
    let in_line = |line: &'_ [u8]| -> Option<(usize, usize)> {
        let start = line.iter().position(|byte| !is_blank(byte))?;
        let word = memchr::memmem::find(line, b"coding").filter(|_| line[start] == b'#')?;
        let mark = word + b"coding".len();
        if !matches!(line.get(mark), Some(b':' | b'=')) {
            return None;
        }
        let from = mark + 1 + line[mark + 1..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let length = line[from..].iter().take_while(is_name).count();
        (length > 0).then_some((from, from + length))
    };
    let first = lines.next()?;
    let (line, (from, to)) = match in_line(first) {
        Some(found) => (first, found),
        // The second line counts only behind a comment or blanks.
        None => {
            let starts = first.iter().find(|byte| !is_blank(byte));
            let second = lines.next().filter(|_| starts.is_none_or(|&byte| byte == b'#'))?;
            (second, in_line(second)?)
        }
    };
    std::str::from_utf8(&line[from..to]).ok()
}

/// The text as bytes.
///
/// Errors: as the handler `errors` wants; an unknown handler is one only when it is needed.
///
/// ```
/// # use zpy::text::codec::{encode, Codec};
/// assert_eq!(encode("é€", Codec::Latin1, "replace"), Ok(b"\xe9?".to_vec()));
/// ```
pub fn encode(text: &str, codec: Codec, errors: &str) -> Result<Vec<u8>, CodecError> {
    let is_plain = match codec {
        Codec::Utf8 => !surrogate::has_surrogates(text),
        Codec::Ascii | Codec::Latin1 | Codec::Cp1252 => text.is_ascii(),
        _ => false,
    };
    if is_plain {
        return Ok(text.as_bytes().to_vec());
    }
    let mut out = Vec::with_capacity(text.len());
    match codec {
        Codec::Utf8Sig => out.extend_from_slice(b"\xef\xbb\xbf"),
        Codec::Wide(size, None) => push_unit(0xFEFF, size, None, &mut out),
        _ => {}
    }
    let mut chars = text.chars().enumerate().peekable();
    while let Some((start, c)) = chars.next() {
        if codec.push(c, &mut out) {
            continue;
        }
        let mut lacking = vec![c];
        // UTF-16 and UTF-32 report one character at a time, the others a run of them.
        while !matches!(codec, Codec::Wide(..))
            && let Some(&(_, c)) = chars.peek()
            && !codec.push(c, &mut Vec::new())
        {
            lacking.push(c);
            chars.next();
        }
        replace_lacking(codec, &lacking, start, errors, &mut out)?;
    }
    Ok(out)
}

/// What an error handler makes of characters the encoding lacks.
fn replace_lacking(
    codec: Codec,
    lacking: &[char],
    start: usize,
    errors: &str,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    let failed = |at: usize| CodecError::Input {
        codec: codec.name(),
        start: start + at,
        end: start + lacking.len(),
        reason: codec.lacks(),
    };
    let mut replacement = String::new();
    for (at, &c) in lacking.iter().enumerate() {
        let cp = surrogate::code_point(c);
        match errors {
            "strict" => return Err(failed(0)),
            "ignore" => {}
            "replace" => replacement.push('?'),
            "backslashreplace" => replacement.push_str(&escape(cp)),
            "xmlcharrefreplace" => replacement.push_str(&format!("&#{cp};")),
            "namereplace" => match unicode_names2::name(c).filter(|_| surrogate::from_char(c).is_none()) {
                Some(name) => replacement.push_str(&format!("\\N{{{name}}}")),
                None => replacement.push_str(&escape(cp)),
            },
            "surrogateescape" => match (codec, cp) {
                // Single bytes would tear the units of these apart.
                (Codec::Wide(..), _) => return Err(failed(0)),
                (_, 0xDC80..=0xDCFF) => out.push((cp - 0xDC00) as u8),
                _ if at == 0 => return Err(failed(0)),
                _ => return Err(failed(at)),
            },
            "surrogatepass" => match codec {
                Codec::Utf8 | Codec::Utf8Sig => {
                    out.extend_from_slice(&[0xED, 0x80 | (cp >> 6 & 0x3F) as u8, 0x80 | (cp & 0x3F) as u8]);
                }
                Codec::Wide(size, endian) => push_unit(cp, size, endian, out),
                _ => return Err(failed(0)),
            },
            _ => return Err(CodecError::UnknownHandler),
        }
    }
    for c in replacement.chars() {
        if !codec.push(c, out) {
            return Err(failed(0));
        }
    }
    Ok(())
}

/// Bytes as text.
///
/// Errors: as the handler `errors` wants; an unknown handler is one only when it is needed.
///
/// ```
/// # use zpy::text::codec::{decode, Codec};
/// assert_eq!(decode(b"a\xff", Codec::Utf8, "replace").as_deref(), Ok("a\u{FFFD}"));
/// ```
pub fn decode(data: &[u8], codec: Codec, errors: &str) -> Result<String, CodecError> {
    match codec {
        Codec::Utf8 => decode_utf8(data, 0, errors),
        Codec::Utf8Sig => decode_utf8(data, if data.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }, errors),
        Codec::Latin1 => Ok(data.iter().map(|&byte| char::from(byte)).collect()),
        Codec::Ascii => {
            decode_single(data, errors, codec, |byte| byte.is_ascii().then_some(char::from(byte)))
        }
        Codec::Cp1252 => decode_single(data, errors, codec, |byte| match byte {
            0x80..=0x9F => match CP1252_HIGH[usize::from(byte - 0x80)] {
                0 => None,
                high => char::from_u32(high.into()),
            },
            _ => Some(char::from(byte)),
        }),
        Codec::Wide(size, endian) => decode_wide(data, size, endian, errors),
        Codec::UnicodeEscape => decode_escapes(data, false, errors),
        Codec::RawUnicodeEscape => decode_escapes(data, true, errors),
    }
}

/// What an error handler makes of bytes that mean nothing.
fn replace_bytes(
    bytes: &[u8],
    start: usize,
    errors: &str,
    codec: &'static str,
    reason: &'static str,
    out: &mut String,
) -> Result<(), CodecError> {
    let failed = || CodecError::Input { codec, start, end: start + bytes.len(), reason };
    match errors {
        "strict" | "surrogatepass" => return Err(failed()),
        "ignore" => {}
        "replace" => out.push('\u{FFFD}'),
        "backslashreplace" => out.extend(bytes.iter().map(|byte| format!("\\x{byte:02x}"))),
        "surrogateescape" if bytes.iter().all(|byte| !byte.is_ascii()) => {
            out.extend(bytes.iter().map(|&byte| surrogate::to_char(0xDC00 + u32::from(byte))));
        }
        "surrogateescape" => return Err(failed()),
        "xmlcharrefreplace" | "namereplace" => return Err(CodecError::HandlerCannotDecode),
        _ => return Err(CodecError::UnknownHandler),
    }
    Ok(())
}

fn decode_utf8(data: &[u8], mut at: usize, errors: &str) -> Result<String, CodecError> {
    // Positions in messages do not count the byte order mark.
    let skipped = at;
    let mut out = String::with_capacity(data.len());
    while at < data.len() {
        let rest = &data[at..];
        let (valid, invalid) = match std::str::from_utf8(rest) {
            Ok(text) => (text, 0),
            Err(error) => {
                let valid = std::str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or_default();
                (valid, error.error_len().unwrap_or(rest.len() - valid.len()))
            }
        };
        if surrogate::has_surrogates(valid) {
            // Characters that store surrogates cannot come from outside.
            let before =
                valid.chars().take_while(|&c| surrogate::from_char(c).is_none()).map(char::len_utf8).sum();
            out.push_str(&valid[..before]);
            at += before;
            replace_bytes(
                &data[at..at + 4],
                at - skipped,
                errors,
                "utf-8",
                "invalid continuation byte",
                &mut out,
            )?;
            at += 4;
            continue;
        }
        out.push_str(valid);
        at += valid.len();
        if invalid == 0 {
            break;
        }
        let bad = &data[at..at + invalid];
        if errors == "surrogatepass"
            && let [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, ..] = data[at..]
        {
            out.push(surrogate::to_char(0xD000 | u32::from(second & 0x3F) << 6 | u32::from(third & 0x3F)));
            at += 3;
            continue;
        }
        let reason = match bad[0] {
            0x80..=0xC1 | 0xF5..=0xFF => "invalid start byte",
            _ if at + invalid == data.len() => "unexpected end of data",
            _ => "invalid continuation byte",
        };
        replace_bytes(bad, at - skipped, errors, "utf-8", reason, &mut out)?;
        at += invalid;
    }
    Ok(out)
}

fn decode_single(
    data: &[u8],
    errors: &str,
    codec: Codec,
    read: impl Fn(u8) -> Option<char>,
) -> Result<String, CodecError> {
    let mut out = String::with_capacity(data.len());
    for (at, &byte) in data.iter().enumerate() {
        match read(byte) {
            Some(c) => out.push(c),
            None => replace_bytes(&[byte], at, errors, codec.name(), codec.lacks(), &mut out)?,
        }
    }
    Ok(out)
}

fn decode_wide(data: &[u8], size: usize, endian: Option<Endian>, errors: &str) -> Result<String, CodecError> {
    let mut at = 0;
    let endian = endian.unwrap_or_else(|| {
        let mark = |big| {
            let mut mark = Vec::new();
            push_unit(0xFEFF, size, Some(big), &mut mark);
            mark
        };
        match data.get(..size) {
            Some(first) if first == mark(Endian::Big) => {
                at = size;
                Endian::Big
            }
            Some(first) if first == mark(Endian::Little) => {
                at = size;
                Endian::Little
            }
            _ => Endian::Little,
        }
    });
    let name = Codec::Wide(size, Some(endian)).name();
    let unit_at = |at: usize| {
        let bytes = data.get(at..at + size)?;
        let fold = |unit: u32, &byte: &u8| unit << 8 | u32::from(byte);
        Some(match endian {
            Endian::Big => bytes.iter().fold(0, fold),
            Endian::Little => bytes.iter().rev().fold(0, fold),
        })
    };
    let mut out = String::with_capacity(data.len() / size);
    while at < data.len() {
        let Some(unit) = unit_at(at) else {
            replace_bytes(&data[at..], at, errors, name, "truncated data", &mut out)?;
            break;
        };
        let low = unit_at(at + size);
        let (read, reason, length) = match (size, unit, low) {
            (2, 0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) => {
                let cp = 0x1_0000 + ((unit & 0x3FF) << 10 | low & 0x3FF);
                (char::from_u32(cp), "illegal encoding", 4)
            }
            (2, 0xD800..=0xDBFF, None) => (None, "unexpected end of data", data.len() - at),
            (2, 0xD800..=0xDBFF, _) => (None, "illegal UTF-16 surrogate", 2),
            (2, 0xDC00..=0xDFFF, _) => (None, "illegal encoding", 2),
            (2, ..) => (char::from_u32(unit), "", 2),
            (_, 0xD800..=0xDFFF, _) => (None, "code point in surrogate code point range(0xd800, 0xe000)", 4),
            _ => (char::from_u32(unit), "code point not in range(0x110000)", 4),
        };
        match read.filter(|&c| surrogate::from_char(c).is_none()) {
            Some(c) => out.push(c),
            None if errors == "surrogatepass" && (0xD800..=0xDFFF).contains(&unit) => {
                out.push(surrogate::to_char(unit));
                at += size;
                continue;
            }
            None => replace_bytes(&data[at..at + length], at, errors, name, reason, &mut out)?,
        }
        at += length;
    }
    Ok(out)
}

/// `unicode_escape` and, with fewer escapes, `raw_unicode_escape`; other bytes are Latin-1.
fn decode_escapes(data: &[u8], raw: bool, errors: &str) -> Result<String, CodecError> {
    let name = if raw { "rawunicodeescape" } else { "unicodeescape" };
    let mut out = String::with_capacity(data.len());
    let mut at = 0;
    while at < data.len() {
        if data[at] != b'\\' {
            out.push(data[at].into());
            at += 1;
            continue;
        }
        let Some(&kind) = data.get(at + 1) else {
            if raw {
                out.push('\\');
            } else {
                replace_bytes(&data[at..], at, errors, name, "\\ at end of string", &mut out)?;
            }
            break;
        };
        let digits = match kind {
            b'x' if !raw => 2,
            b'u' => 4,
            b'U' => 8,
            _ => 0,
        };
        if digits > 0 {
            let start = at + 2;
            let found = data[start..].iter().take(digits).take_while(|b| b.is_ascii_hexdigit()).count();
            let text = std::str::from_utf8(&data[start..start + found]).unwrap_or_default();
            let reason = match digits {
                _ if found == digits => "illegal Unicode character",
                2 => "truncated \\xXX escape",
                4 => "truncated \\uXXXX escape",
                _ => "truncated \\UXXXXXXXX escape",
            };
            match u32::from_str_radix(text, 16) {
                Ok(cp) if found == digits && cp < 0x11_0000 => out.push(surrogate::to_char(cp)),
                _ => replace_bytes(&data[at..start + found], at, errors, name, reason, &mut out)?,
            }
            at = start + found;
            continue;
        }
        if raw {
            out.push('\\');
            at += 1;
            continue;
        }
        at += 2;
        match kind {
            b'\n' => {}
            b'\\' | b'\'' | b'"' => out.push(kind.into()),
            b'a' => out.push('\x07'),
            b'b' => out.push('\x08'),
            b'f' => out.push('\x0C'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'v' => out.push('\x0B'),
            b'0'..=b'7' => {
                let mut cp = u32::from(kind - b'0');
                for _ in 0..2 {
                    let Some(&digit @ b'0'..=b'7') = data.get(at) else { break };
                    cp = cp * 8 + u32::from(digit - b'0');
                    at += 1;
                }
                out.push(surrogate::to_char(cp));
            }
            b'N' => at = decode_name(data, at, errors, &mut out)?,
            _ => {
                out.push('\\');
                out.push(kind.into());
            }
        }
    }
    Ok(out)
}

/// Reads `{NAME}` behind `\N`; where to go on.
fn decode_name(data: &[u8], at: usize, errors: &str, out: &mut String) -> Result<usize, CodecError> {
    let start = at - 2;
    let rest = &data[at..];
    let close = rest.iter().position(|&byte| byte == b'}').filter(|_| rest.first() == Some(&b'{'));
    let Some(close) = close else {
        let end = if rest.first() == Some(&b'{') { data.len() } else { at };
        replace_bytes(
            &data[start..end],
            start,
            errors,
            "unicodeescape",
            "malformed \\N character escape",
            out,
        )?;
        return Ok(end);
    };
    let end = at + close + 1;
    match std::str::from_utf8(&rest[1..close]).ok().and_then(unicode_names2::character) {
        Some(c) => out.push(c),
        None => {
            let reason = "unknown Unicode character name";
            replace_bytes(&data[start..end], start, errors, "unicodeescape", reason, out)?;
        }
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(codec: &'static str, start: usize, end: usize, reason: &'static str) -> CodecError {
        CodecError::Input { codec, start, end, reason }
    }

    #[test]
    fn every_encoding_comes_back() {
        let text = "aé\u{20AC}\u{1F600}\n\\";
        for name in ["utf8", "utf-8-sig", "UTF-16", "utf_16_be", "utf-32", "utf-32-le", "unicode_escape"] {
            let codec = Codec::find(name).unwrap_or_else(|| panic!("{name}"));
            let data = encode(text, codec, "strict").unwrap_or_else(|e| panic!("{e:?}"));
            assert_eq!(decode(&data, codec, "strict").as_deref(), Ok(text), "{name}");
        }
        assert_eq!(encode("é€", Codec::Cp1252, "strict"), Ok(b"\xe9\x80".to_vec()));
    }

    #[test]
    fn errors_name_their_place() {
        let lone = surrogate::to_char(0xD800).to_string();
        let both = format!("a{lone}é");
        assert_eq!(
            encode(&both, Codec::Ascii, "strict"),
            Err(error("ascii", 1, 3, "ordinal not in range(128)"))
        );
        assert_eq!(encode(&lone, Codec::Utf8, "strict"), Err(error("utf-8", 0, 1, "surrogates not allowed")));
        assert_eq!(
            decode(b"\xe2\x82A", Codec::Utf8, "strict"),
            Err(error("utf-8", 0, 2, "invalid continuation byte"))
        );
        assert_eq!(
            decode(b"a\xe2\x82", Codec::Utf8, "strict"),
            Err(error("utf-8", 1, 3, "unexpected end of data"))
        );
        assert_eq!(
            decode(b"\0", Codec::Wide(2, None), "strict"),
            Err(error("utf-16-le", 0, 1, "truncated data"))
        );
    }

    #[test]
    fn handlers() {
        let lone = surrogate::to_char(0xDCFF).to_string();
        assert_eq!(encode("é€", Codec::Ascii, "backslashreplace"), Ok(b"\\xe9\\u20ac".to_vec()));
        assert_eq!(encode("é", Codec::Ascii, "xmlcharrefreplace"), Ok(b"&#233;".to_vec()));
        assert_eq!(encode(&lone, Codec::Utf8, "surrogateescape"), Ok(b"\xff".to_vec()));
        assert_eq!(decode(b"\xff", Codec::Utf8, "surrogateescape"), Ok(lone.clone()));
        assert_eq!(encode(&lone, Codec::Utf8, "surrogatepass"), Ok(b"\xed\xb3\xbf".to_vec()));
        assert_eq!(decode(b"\xed\xb3\xbf", Codec::Utf8, "surrogatepass"), Ok(lone));
        assert_eq!(decode(b"\xffa", Codec::Ascii, "backslashreplace").as_deref(), Ok("\\xffa"));
        assert_eq!(decode(b"\xff", Codec::Ascii, "nonsense"), Err(CodecError::UnknownHandler));
    }
}
