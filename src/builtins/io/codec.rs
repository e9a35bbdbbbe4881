//! Bytes to text and back for files, with the error handlers Python knows.

use crate::eval::{Exc, Vm};
use crate::text::surrogate;
use crate::value::file::Encoding;
use crate::value::{Raised, Res, Value};

/// The encoding a script names.
pub fn encoding_named(name: &str) -> Option<Encoding> {
    let name: String = name.chars().map(|c| if c == '-' || c == ' ' { '_' } else { c.to_ascii_lowercase() }).collect();
    match name.as_str() {
        "utf_8" | "utf8" | "u8" | "utf" | "cp65001" | "locale" => Some(Encoding::Utf8),
        "utf_8_sig" | "utf8_sig" => Some(Encoding::Utf8Sig),
        "ascii" | "us_ascii" | "646" => Some(Encoding::Ascii),
        "latin_1" | "latin1" | "iso_8859_1" | "iso8859_1" | "8859" | "l1" | "latin" => Some(Encoding::Latin1),
        _ => None,
    }
}

pub fn is_error_handler(name: &str) -> bool {
    matches!(
        name,
        "strict" | "ignore" | "replace" | "surrogateescape" | "surrogatepass" | "backslashreplace" | "xmlcharrefreplace"
            | "namereplace"
    )
}

fn codec_name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 | Encoding::Utf8Sig => "utf-8",
        Encoding::Ascii => "ascii",
        Encoding::Latin1 => "latin-1",
    }
}

impl Vm {
    /// Text from bytes.
    ///
    /// # Errors
    /// `UnicodeDecodeError` under the handler `strict`.
    pub fn decode_bytes(&mut self, bytes: &[u8], encoding: Encoding, errors: &str) -> Res<String> {
        match encoding {
            Encoding::Latin1 => return Ok(bytes.iter().map(|&b| b as char).collect()),
            Encoding::Ascii if bytes.is_ascii() => return Ok(bytes.iter().map(|&b| b as char).collect()),
            Encoding::Utf8 | Encoding::Utf8Sig => {
                if let Ok(text) = std::str::from_utf8(bytes)
                    && !surrogate::has_surrogates(text)
                {
                    return Ok(text.to_string());
                }
                if errors == "surrogateescape" {
                    return Ok(surrogate::decode_utf8_surrogateescape(bytes));
                }
            }
            Encoding::Ascii => {}
        }
        self.decode_with_errors(bytes, encoding, errors)
    }

    fn decode_with_errors(&mut self, bytes: &[u8], encoding: Encoding, errors: &str) -> Res<String> {
        let mut out = String::new();
        let mut at = 0;
        while at < bytes.len() {
            let (valid, bad) = match encoding {
                Encoding::Utf8 | Encoding::Utf8Sig => match std::str::from_utf8(&bytes[at..]) {
                    Ok(_) => (bytes.len() - at, 0),
                    Err(error) => {
                        let rest = bytes.len() - at - error.valid_up_to();
                        (error.valid_up_to(), error.error_len().unwrap_or(rest))
                    }
                },
                _ => {
                    let valid = bytes[at..].iter().take_while(|b| b.is_ascii()).count();
                    (valid, (at + valid < bytes.len()) as usize)
                }
            };
            out.push_str(std::str::from_utf8(&bytes[at..at + valid]).unwrap_or_default());
            at += valid;
            if bad > 0 {
                self.decode_bad(bytes, at, bad, encoding, errors, &mut out)?;
                at += bad;
            }
        }
        Ok(out)
    }

    /// What an error handler makes of bytes that are no text.
    fn decode_bad(
        &mut self,
        bytes: &[u8],
        at: usize,
        len: usize,
        encoding: Encoding,
        errors: &str,
        out: &mut String,
    ) -> Res<()> {
        let bad = &bytes[at..at + len];
        match errors {
            "ignore" => {}
            "replace" => out.push('\u{fffd}'),
            "surrogateescape" => out.extend(bad.iter().map(|&b| surrogate::to_char(0xDC00 + b as u32))),
            "backslashreplace" => bad.iter().for_each(|b| out.push_str(&format!("\\x{b:02x}"))),
            _ => {
                let reason = match (encoding, bad[0]) {
                    (Encoding::Ascii, _) => "ordinal not in range(128)",
                    (_, 0xC2..=0xF4) if at + len == bytes.len() => "unexpected end of data",
                    (_, 0xC2..=0xF4) => "invalid continuation byte",
                    _ => "invalid start byte",
                };
                let args = vec![
                    Value::str(codec_name(encoding)),
                    Value::bytes(bytes),
                    Value::size(at),
                    Value::size(at + len),
                    Value::str(reason),
                ];
                return Err(self.error_with(Exc::UnicodeDecodeError, args));
            }
        }
        Ok(())
    }

    /// Bytes of a text.
    ///
    /// # Errors
    /// `UnicodeEncodeError` under the handler `strict`.
    pub fn encode_text(&mut self, text: &str, encoding: Encoding, errors: &str) -> Res<Vec<u8>> {
        let is_utf8 = matches!(encoding, Encoding::Utf8 | Encoding::Utf8Sig);
        if (is_utf8 && !surrogate::has_surrogates(text)) || text.is_ascii() {
            return Ok(text.as_bytes().to_vec());
        }
        let mut out = Vec::with_capacity(text.len());
        for (position, c) in text.chars().enumerate() {
            let code = surrogate::code_point(c);
            let is_surrogate = surrogate::from_char(c).is_some();
            match encoding {
                Encoding::Ascii if code < 0x80 => out.push(code as u8),
                Encoding::Latin1 if code < 0x100 => out.push(code as u8),
                Encoding::Utf8 | Encoding::Utf8Sig if !is_surrogate => {
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => match errors {
                    "ignore" => {}
                    "replace" => out.push(b'?'),
                    "surrogateescape" if (0xDC80..=0xDCFF).contains(&code) => out.push((code - 0xDC00) as u8),
                    "surrogatepass" if is_surrogate && is_utf8 => {
                        out.extend_from_slice(&surrogate::encode_utf8_surrogatepass(&c.to_string()));
                    }
                    "backslashreplace" => out.extend_from_slice(escaped(code).as_bytes()),
                    "xmlcharrefreplace" => out.extend_from_slice(format!("&#{code};").as_bytes()),
                    _ => return Err(self.cannot_encode(text, position, encoding)),
                },
            }
        }
        Ok(out)
    }

    fn cannot_encode(&mut self, text: &str, position: usize, encoding: Encoding) -> Raised {
        let reason = match encoding {
            Encoding::Ascii => "ordinal not in range(128)",
            Encoding::Latin1 => "ordinal not in range(256)",
            _ => "surrogates not allowed",
        };
        let args = vec![
            Value::str(codec_name(encoding)),
            Value::str(text),
            Value::size(position),
            Value::size(position + 1),
            Value::str(reason),
        ];
        self.error_with(Exc::UnicodeEncodeError, args)
    }
}

fn escaped(code: u32) -> String {
    match code {
        0..=0xff => format!("\\x{code:02x}"),
        0x100..=0xffff => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    }
}
