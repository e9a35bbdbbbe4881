//! `str.encode` and `bytes.decode` for the interpreter: names looked up, errors raised.

use super::{Exc, Vm};
use crate::text::codec::{self, Codec, CodecError};
use crate::value::{Raised, Res, Str, Tuple, Value, View};

impl Vm {
    /// The text as bytes.
    ///
    /// # Errors
    /// `LookupError` for an unknown encoding or error handler, `UnicodeEncodeError`.
    pub fn encode(&mut self, text: &str, encoding: &str, errors: &str) -> Res<Vec<u8>> {
        let codec = match self.codec(encoding, "encode") {
            Ok(codec) => codec,
            Err(raised) => {
                let answer = self.by_searched_codec(encoding, 0, Value::str(text), errors, raised)?;
                return self.bytes_of(&answer);
            }
        };
        let error = match codec::encode(text, codec, errors) {
            Ok(data) => return Ok(data),
            Err(error) => error,
        };
        match self.error_handler(errors) {
            Some(handler) if error == CodecError::UnknownHandler => {
                self.encode_handled(text, codec, &handler)
            }
            _ => Err(self.codec_error(error, Exc::UnicodeEncodeError, errors, || Value::str(text))),
        }
    }

    /// Bytes as text.
    ///
    /// # Errors
    /// `LookupError` for an unknown encoding or error handler, `UnicodeDecodeError`.
    pub fn decode(&mut self, data: &[u8], encoding: &str, errors: &str) -> Res {
        let codec = match self.codec(encoding, "decode") {
            Ok(codec) => codec,
            Err(raised) => return self.by_searched_codec(encoding, 1, Value::bytes(data), errors, raised),
        };
        match codec::decode(data, codec, errors) {
            Ok(text) => Ok(Str::from_string(text).into()),
            Err(error) => {
                if let Some(handler) = self.error_handler(errors)
                    && error == CodecError::UnknownHandler
                {
                    let text = self.decode_handled(data, codec, &handler)?;
                    return Ok(Str::from_string(text).into());
                }
                // Positions were counted behind a byte order mark.
                let data = match codec {
                    Codec::Utf8Sig => data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data),
                    _ => data,
                };
                Err(self.codec_error(error, Exc::UnicodeDecodeError, errors, || Value::bytes(data)))
            }
        }
    }

    /// The text of a program, in the encoding it says it has, or UTF-8.
    ///
    /// # Errors
    /// `SyntaxError` for an unknown encoding, and for bytes that are not in it.
    pub fn decode_source(&mut self, data: &[u8]) -> Res<String> {
        let declared = codec::declared_encoding(data).map(str::to_string);
        let encoding = declared.as_deref().unwrap_or("utf-8");
        let decoded = match self.decode(data, encoding, "strict") {
            Ok(text) => text,
            Err(raised) => {
                let is_unknown = self.is_raised(Exc::LookupError);
                if !is_unknown && !self.is_raised(Exc::UnicodeDecodeError) {
                    return Err(raised);
                }
                let error = self.take_raised();
                let message = match (is_unknown, self.exception_text(&error)?) {
                    (true, _) => format!("unknown encoding: {encoding}"),
                    (false, text) if declared.is_none() => format!("(unicode error) {text}"),
                    (false, text) => text,
                };
                return Err(self.error(Exc::SyntaxError, message));
            }
        };
        Ok(decoded.as_str().unwrap_or_default().to_string())
    }

    /// The error handler that a script has registered under a name.
    fn error_handler(&self, errors: &str) -> Option<Value> {
        self.state.codecs.handlers.get(errors).cloned()
    }

    /// Encodes (`part` 0) or decodes (`part` 1) by an encoding that a registered function knows.
    fn by_searched_codec(
        &mut self,
        encoding: &str,
        part: i64,
        input: Value,
        errors: &str,
        raised: Raised,
    ) -> Res {
        if self.state.codecs.searches.is_empty() || !self.is_raised(Exc::LookupError) {
            return Err(raised);
        }
        let unknown = self.take_raised();
        let Some(info) = self.searched_codec(encoding)? else {
            return Err(self.raise(unknown));
        };
        let function = self.get_item(&info, &Value::int(part))?;
        let answer = self.call(&function, &[input, Value::str(errors)])?;
        let (doing, wanted) = if part == 0 { ("encoder", "bytes") } else { ("decoder", "str") };
        let Some(parts) = answer.get::<Tuple>().filter(|parts| parts.items().len() == 2) else {
            return Err(self.type_error(format!("{doing} must return a tuple (object, integer)")));
        };
        let made = parts.items()[0].clone();
        let is_right = match Vm::unwrap_native(&made).view() {
            View::Str(_) => part == 1,
            View::Bytes(_) | View::ByteArray(_) => part == 0,
            _ => false,
        };
        if !is_right {
            let got = self.type_name(&made);
            return Err(self.type_error(format!(
                "'{encoding}' {doing} returned '{got}' instead of '{wanted}'; use codecs.{}() to \
                 {} arbitrary types",
                &doing[..6],
                if part == 0 { "encode to" } else { "decode to" },
            )));
        }
        Ok(made)
    }

    /// Encodes text; what the encoding lacks becomes what a script's function gives.
    fn encode_handled(&mut self, text: &str, codec: Codec, handler: &Value) -> Res<Vec<u8>> {
        let chars: Vec<char> = text.chars().collect();
        let plain = codec.without_mark();
        let mut out = codec::encode("", codec, "strict").unwrap_or_default();
        let mut at = 0;
        loop {
            let rest: String = chars[at..].iter().collect();
            let error = match codec::encode(&rest, plain, "strict") {
                Ok(data) => {
                    out.extend(data);
                    return Ok(out);
                }
                Err(error) => error,
            };
            let CodecError::Input { codec: name, start, end, reason } = error else {
                return Err(self.codec_error(error, Exc::UnicodeEncodeError, "", || Value::str(text)));
            };
            let good: String = chars[at..at + start].iter().collect();
            out.extend(codec::encode(&good, plain, "strict").unwrap_or_default());
            let error = CodecError::Input { codec: name, start: at + start, end: at + end, reason };
            self.codec_error(error, Exc::UnicodeEncodeError, "", || Value::str(text));
            let (replacement, next) =
                self.ask_handler(handler, chars.len(), "encoding", "(str/bytes, int)")?;
            match Vm::unwrap_native(&replacement).as_str() {
                Some(text) => out.extend(codec::encode(text, plain, "strict").map_err(|error| {
                    self.codec_error(error, Exc::UnicodeEncodeError, "", || replacement.clone())
                })?),
                None => out.extend(self.bytes_of(&replacement)?),
            }
            at = next;
        }
    }

    /// Decodes bytes; those that mean nothing become what a script's function gives.
    fn decode_handled(&mut self, data: &[u8], codec: Codec, handler: &Value) -> Res<String> {
        let (plain, mark) = codec.marked(data);
        let mut out = String::new();
        let mut at = mark;
        loop {
            let error = match codec::decode(&data[at..], plain, "strict") {
                Ok(text) => {
                    out.push_str(&text);
                    return Ok(out);
                }
                Err(error) => error,
            };
            let CodecError::Input { codec: name, start, end, reason } = error else {
                return Err(self.codec_error(error, Exc::UnicodeDecodeError, "", || Value::bytes(data)));
            };
            out.push_str(&codec::decode(&data[at..at + start], plain, "strict").unwrap_or_default());
            let error = CodecError::Input { codec: name, start: at + start, end: at + end, reason };
            self.codec_error(error, Exc::UnicodeDecodeError, "", || Value::bytes(data));
            let (replacement, next) = self.ask_handler(handler, data.len(), "decoding", "(str, int)")?;
            match Vm::unwrap_native(&replacement).as_str() {
                Some(text) => out.push_str(text),
                None => return Err(self.type_error("decoding error handler must return (str, int) tuple")),
            }
            at = next;
        }
    }

    /// What a script's error handler makes of the pending exception: a replacement, and where to go on.
    fn ask_handler(&mut self, handler: &Value, len: usize, doing: &str, wanted: &str) -> Res<(Value, usize)> {
        let error: Value = self.take_raised().into();
        let answer = self.call(handler, &[error])?;
        let parts = answer.get::<Tuple>().map(|tuple| tuple.items().to_vec()).unwrap_or_default();
        let [replacement, place] = &parts[..] else {
            return Err(self.type_error(format!("{doing} error handler must return {wanted} tuple")));
        };
        let is_str = Vm::unwrap_native(replacement).as_str().is_some();
        let is_bytes = doing == "encoding" && replacement.is::<crate::value::Bytes>();
        if !(is_str || is_bytes) {
            return Err(self.type_error(format!("{doing} error handler must return {wanted} tuple")));
        }
        let place = self.to_index(place)?;
        let at = if place < 0 { place + len as i64 } else { place };
        match usize::try_from(at) {
            Ok(at) if at <= len => Ok((replacement.clone(), at)),
            _ => Err(self.index_error(format!("position {place} from error handler out of bounds"))),
        }
    }

    fn codec(&mut self, encoding: &str, doing: &str) -> Res<Codec> {
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
                    "'{encoding}' is not a text encoding; use codecs.{doing}() to handle arbitrary codecs"
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
