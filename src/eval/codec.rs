//! `str.encode` and `bytes.decode` for the interpreter: names looked up, errors raised.

use super::{Exc, Vm};
use crate::text::codec::{self, Codec, CodecError};
use crate::value::{Raised, Res, Str, Value};

impl Vm {
    /// The text as bytes.
    ///
    /// # Errors
    /// `LookupError` for an unknown encoding or error handler, `UnicodeEncodeError`.
    pub fn encode(&mut self, text: &str, encoding: &str, errors: &str) -> Res<Vec<u8>> {
        let codec = self.codec(encoding)?;
        codec::encode(text, codec, errors)
            .map_err(|error| self.codec_error(error, Exc::UnicodeEncodeError, errors, || Value::str(text)))
    }

    /// Bytes as text.
    ///
    /// # Errors
    /// `LookupError` for an unknown encoding or error handler, `UnicodeDecodeError`.
    pub fn decode(&mut self, data: &[u8], encoding: &str, errors: &str) -> Res {
        let codec = self.codec(encoding)?;
        match codec::decode(data, codec, errors) {
            Ok(text) => Ok(Str::from_string(text).into()),
            Err(error) => {
                // Positions were counted behind a byte order mark.
                let data = match codec {
                    Codec::Utf8Sig => data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data),
                    _ => data,
                };
                Err(self.codec_error(error, Exc::UnicodeDecodeError, errors, || Value::bytes(data)))
            }
        }
    }

    fn codec(&mut self, encoding: &str) -> Res<Codec> {
        if encoding.contains('\0') {
            return Err(self.value_error("embedded null character"));
        }
        match Codec::find(encoding) {
            Some(codec) => Ok(codec),
            None if matches!(
                encoding,
                "hex" | "base64" | "bz2" | "zlib" | "rot13" | "rot_13" | "uu" | "quopri"
            ) =>
            {
                let message = format!(
                    "'{encoding}' is not a text encoding; use codecs.encode() to handle arbitrary codecs"
                );
                Err(self.error(Exc::LookupError, message))
            }
            None => Err(self.error(Exc::LookupError, format!("unknown encoding: {encoding}"))),
        }
    }

    #[cold]
    fn codec_error(
        &mut self,
        error: CodecError,
        kind: Exc,
        errors: &str,
        object: impl FnOnce() -> Value,
    ) -> Raised {
        match error {
            CodecError::Input { codec, start, end, reason } => {
                let args = vec![
                    Value::str(codec),
                    object(),
                    Value::size(start),
                    Value::size(end),
                    Value::str(reason),
                ];
                self.error_with(kind, args)
            }
            CodecError::UnknownHandler => {
                self.error(Exc::LookupError, format!("unknown error handler name '{errors}'"))
            }
            CodecError::HandlerCannotDecode => {
                self.type_error("don't know how to handle UnicodeDecodeError in error callback")
            }
        }
    }
}
