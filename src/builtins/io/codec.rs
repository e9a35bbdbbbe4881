//! Bytes to text and back for files.

use crate::eval::Vm;
use crate::text::codec::Codec;
use crate::text::surrogate;
use crate::value::file::Settings;
use crate::value::{Res, Str, Value};
use std::borrow::Cow;

/// Encodings whose line ends are the bytes of ASCII, so that lines can be found before decoding.
pub fn is_supported(codec: Codec) -> bool {
    matches!(codec, Codec::Utf8 | Codec::Utf8Sig | Codec::Ascii | Codec::Latin1 | Codec::Cp1252)
}

/// Whether characters are the byte sequences of UTF-8.
pub fn is_utf8(codec: Codec) -> bool {
    matches!(codec, Codec::Utf8 | Codec::Utf8Sig)
}

/// Text of bytes that were read.
pub fn decode(vm: &mut Vm, settings: &Settings, bytes: &[u8]) -> Res {
    if is_utf8(settings.codec)
        && let Ok(text) = std::str::from_utf8(bytes)
        && !surrogate::has_surrogates(text)
        && !text.starts_with('\u{feff}')
    {
        return Ok(Str::new(text).into());
    }
    vm.decode(bytes, &settings.encoding, &settings.errors)
}

/// Bytes of a text to write.
pub fn encode<'a>(vm: &mut Vm, settings: &Settings, text: &'a str) -> Res<Cow<'a, [u8]>> {
    if is_utf8(settings.codec) && !surrogate::has_surrogates(text) {
        return Ok(Cow::Borrowed(text.as_bytes()));
    }
    // A byte order mark is written once, when the file is opened.
    let plain = settings.codec.without_mark();
    let encoding = if plain == settings.codec { &settings.encoding } else { plain.canonical_name() };
    vm.encode(text, encoding, &settings.errors).map(Cow::Owned)
}

/// The same text with every end of line as `\n`.
pub fn with_plain_ends(value: Value) -> Value {
    match value.as_str() {
        Some(text) if text.contains('\r') => {
            Str::from_string(text.replace("\r\n", "\n").replace('\r', "\n")).into()
        }
        _ => value,
    }
}
