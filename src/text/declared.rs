//! The encoding of a source file: UTF-8, or what a comment in its first two lines declares
//! (`# -*- coding: latin-1 -*-`).

use super::codec::{self, Codec, CodecError};
use std::fmt;

/// Why a source file is no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undecodable {
    /// The declaration names no encoding of text.
    Unknown(String),
    /// A byte at an offset, in a line counted from 1, that the encoding does not have.
    Byte { encoding: &'static str, byte: u8, at: usize, line: usize, reason: &'static str },
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Undecodable::Unknown(name) => write!(f, "unknown encoding: {name}"),
            Undecodable::Byte { encoding, byte, at, reason, .. } => {
                let what = if *encoding == "utf-8" { "(unicode error) " } else { "" };
                write!(
                    f,
                    "{what}'{encoding}' codec can't decode byte 0x{byte:02x} in position {at}: {reason}"
                )
            }
        }
    }
}

/// The text of a source file.
///
/// ```
/// # use zpy::text::declared::decode;
/// assert_eq!(decode(b"# coding: latin-1\n'\xe9'".to_vec()).unwrap(), "# coding: latin-1\n'é'");
/// assert!(decode(b"'\xe9'".to_vec()).is_err());
/// ```
///
/// # Errors
/// The declared encoding is unknown, or does not have one of the bytes.
pub fn decode(bytes: Vec<u8>) -> Result<String, Undecodable> {
    let codec = match declaration(&bytes) {
        Some(name) => match Codec::find(&name) {
            Some(Codec::Wide(..) | Codec::UnicodeEscape | Codec::RawUnicodeEscape) | None => {
                return Err(Undecodable::Unknown(name));
            }
            Some(codec) => codec,
        },
        None => Codec::Utf8,
    };
    if matches!(codec, Codec::Utf8 | Codec::Utf8Sig)
        && let Ok(text) = std::str::from_utf8(&bytes)
    {
        return Ok(text.to_string());
    }
    codec::decode(&bytes, codec, "strict").map_err(|error| {
        let CodecError::Input { codec: encoding, start, reason, .. } = error else {
            return Undecodable::Unknown(codec.canonical_name().to_string());
        };
        let line = bytes[..start].iter().filter(|&&byte| byte == b'\n').count() + 1;
        Undecodable::Byte { encoding, byte: bytes[start], at: start, line, reason }
    })
}

/// The name in `coding: NAME` or `coding=NAME` of a comment; the second line counts if the first is a
/// comment or empty.
fn declaration(bytes: &[u8]) -> Option<String> {
    for line in bytes.split(|&byte| byte == b'\n').take(2) {
        let line = line.trim_ascii_start();
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        if !line.starts_with(b"#") {
            if line.is_empty() {
                continue;
            }
            return None;
        }
        let found = line.windows(7).position(|at| at == b"coding:" || at == b"coding=");
        if let Some(at) = found {
            let rest = line[at + 7..].trim_ascii_start();
            let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
            let name: String = rest.iter().take_while(|byte| is_part(byte)).map(|&b| char::from(b)).collect();
            if !name.is_empty() {
                return Some(name);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_is_found_in_the_first_two_lines_only() {
        assert_eq!(declaration(b"#!/usr/bin/zpy\n# -*- coding: ascii -*-\n").as_deref(), Some("ascii"));
        assert_eq!(declaration(b"\n# vim: set fileencoding=latin-1 :").as_deref(), Some("latin-1"));
        assert_eq!(declaration(b"x = 1\n# coding: ascii"), None);
        assert_eq!(declaration(b"\n\n# coding: ascii"), None);
        assert_eq!(declaration(b"# coding:"), None);
    }

    #[test]
    fn errors_tell_the_byte_and_its_line() {
        let error = decode(b"# coding: ascii\nx\n'\xc3'".to_vec()).unwrap_err();
        assert_eq!(
            error,
            Undecodable::Byte {
                encoding: "ascii",
                byte: 0xc3,
                at: 19,
                line: 3,
                reason: "ordinal not in range(128)"
            }
        );
        assert_eq!(decode(b"# coding: xyz".to_vec()).unwrap_err().to_string(), "unknown encoding: xyz");
    }
}
