//! Methods of `bytes` and `bytearray` that turn other things into data and data into other things: the
//! constructors, hexadecimal text, decoding, translation tables.

use super::methods::{contents, like, made, receiver};
use super::{ByteArray, Bytes};
use crate::call::{Call, Native};
use crate::eval::{Exc, Vm};
use crate::value::str::methods::{made as text_made, no_memory};
use crate::value::{Int, Raised, Res, Tag, Type, Value};

pub const BYTES_ROWS: &[Native] = &[Native {
    name: "__new__",
    params: "cls, source=b'', encoding=None, errors=None",
    doc: "Bytes from an iterable of ints, another bytes-like object, a text and its encoding, or that many zeros.",
    run: new_bytes,
}];

pub const BYTEARRAY_ROWS: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, source=b'', encoding=None, errors=None",
        doc: "A changeable array of bytes, from what `bytes` takes.",
        run: new_bytearray,
    },
    Native {
        name: "__init__",
        params: "self, source=b'', encoding=None, errors=None",
        doc: "Fills the array anew, with what `bytes` takes.",
        run: fill,
    },
];

pub const ROWS: &[Native] = &[
    Native {
        name: "fromhex",
        params: "cls, string, /",
        doc: "Data from pairs of hexadecimal digits, with white space between pairs allowed.",
        run: fromhex,
    },
    Native {
        name: "hex",
        params: "self, sep=None, bytes_per_sep=1",
        doc: "The data as hexadecimal digits, with `sep` between groups of bytes, counted from the right (or from the \
              left if negative).",
        run: hex,
    },
    Native {
        name: "decode",
        params: "self, encoding='utf-8', errors='strict'",
        doc: "The data as text. `errors` says what becomes of bytes that mean nothing: `strict` \
              (UnicodeDecodeError), `ignore`, `replace`, `backslashreplace`, `surrogateescape`, `surrogatepass`.",
        run: decode,
    },
    Native {
        name: "maketrans",
        params: "frm, to, /",
        doc: "A table for `translate`: 256 bytes, those in `frm` replaced by those in `to`.",
        run: maketrans,
    },
    Native {
        name: "translate",
        params: "self, table, /, delete=b''",
        doc: "The data without the bytes in `delete`, the others replaced by what the table (256 bytes, or none) has.",
        run: translate,
    },
];

fn new_bytes(call: &mut Call) -> Res {
    Ok(Bytes::new(source(call, "bytes")?).into())
}

fn new_bytearray(call: &mut Call) -> Res {
    Ok(ByteArray::new(source(call, "bytearray")?).into())
}

fn fill(call: &mut Call) -> Res {
    let data = source(call, "bytearray")?;
    let array = call.this::<ByteArray>()?;
    if !array.data.borrow().is_empty() {
        call.vm.resizable(array)?;
    }
    *array.data.borrow_mut() = data;
    Ok(Value::NONE)
}

/// The data that the arguments of a constructor describe.
fn source(call: &mut Call, kind: &str) -> Res<Vec<u8>> {
    let encoding = named(call, kind, 2, "encoding")?;
    let errors = named(call, kind, 3, "errors")?;
    let Some(value) = call.opt(1) else {
        if encoding.is_some() || errors.is_some() {
            let given = if encoding.is_some() { "encoding" } else { "errors" };
            return Err(call.vm.type_error(format!("{given} without a string argument")));
        }
        return Ok(Vec::new());
    };
    let inside = Vm::unwrap_native(value);
    if kind == "bytes"
        && encoding.is_none()
        && errors.is_none()
        && let Some(data) = call.vm.bytes_by_method(value)?
    {
        return Ok(data);
    }
    if let Some(text) = inside.as_str() {
        let Some(encoding) = encoding else {
            return Err(call.vm.type_error("string argument without an encoding"));
        };
        return call.vm.encode(text, encoding, errors.unwrap_or("strict"));
    }
    if encoding.is_some() || errors.is_some() {
        let given = if encoding.is_some() { "encoding" } else { "errors" };
        return Err(call.vm.type_error(format!("{given} without a string argument")));
    }
    if let Some(data) = contents(inside) {
        return Ok(data.into_owned());
    }
    if Int::of(value).is_some()
        || value.tag() == Tag::Instance && call.vm.special_method(value, "__index__")?.is_some()
    {
        return zeros(call, value);
    }
    from_items(call, value, kind)
}

fn named<'a>(call: &mut Call<'a>, kind: &str, index: usize, name: &str) -> Res<Option<&'a str>> {
    let Some(value) = call.opt(index) else { return Ok(None) };
    match Vm::unwrap_native(value).as_str() {
        Some(text) => Ok(Some(text)),
        None => {
            let got = if value.is_none() { "None".to_string() } else { call.vm.type_name(value) };
            Err(call.vm.type_error(format!("{kind}() argument '{name}' must be str, not {got}")))
        }
    }
}

fn zeros(call: &mut Call, count: &Value) -> Res<Vec<u8>> {
    let int = call.vm.to_int_value(count)?;
    let Some(count) = int.as_small_int() else {
        return Err(call.vm.overflow_error("cannot fit 'int' into an index-sized integer"));
    };
    let Ok(count) = usize::try_from(count) else { return Err(call.vm.value_error("negative count")) };
    let mut data = Vec::new();
    if data.try_reserve_exact(count).is_err() {
        return Err(no_memory(call.vm));
    }
    data.resize(count, 0);
    Ok(data)
}

fn from_items(call: &mut Call, value: &Value, kind: &str) -> Res<Vec<u8>> {
    if let Some(data) = call.vm.buffer_of(value)? {
        return Ok(data);
    }
    let Ok(iterator) = call.vm.iter(value) else {
        if call.vm.is_not_iterable(value) {
            call.vm.take_raised();
            let got = call.vm.type_name(value);
            call.vm.type_error(format!("cannot convert '{got}' object to {kind}"));
        }
        return Err(Raised);
    };
    let mut data = Vec::new();
    while let Some(item) = call.vm.next(&iterator)? {
        data.push(byte_of(call, &item, kind)?);
    }
    Ok(data)
}

/// An item of an iterable as a byte; the message for one out of range differs between the two types.
fn byte_of(call: &mut Call, item: &Value, kind: &str) -> Res<u8> {
    let int = call.vm.to_int_value(item)?;
    match int.as_small_int().and_then(|i| u8::try_from(i).ok()) {
        Some(byte) => Ok(byte),
        None if kind == "bytes" => Err(call.vm.value_error("bytes must be in range(0, 256)")),
        None => Err(call.vm.value_error("byte must be in range(0, 256)")),
    }
}

fn fromhex(call: &mut Call) -> Res {
    let text = call.str(1)?;
    let mut data = Vec::with_capacity(text.len() / 2);
    let mut chars =
        text.chars().enumerate().filter(|(_, c)| !c.is_ascii_whitespace() && *c != '\x0b').peekable();
    let bad = |at: usize| format!("non-hexadecimal number found in fromhex() arg at position {at}");
    while let Some((at, c)) = chars.next() {
        let Some(high) = c.to_digit(16) else { return Err(call.vm.value_error(bad(at))) };
        // The second digit must follow at once.
        match chars.next_if(|(next, _)| *next == at + 1).map(|(_, c)| c.to_digit(16)) {
            Some(Some(low)) => data.push((high << 4 | low) as u8),
            _ => return Err(call.vm.value_error(bad(at + 1))),
        }
    }
    let class = call.arg(0).get_ref::<Type>();
    let made: Value = match &class {
        Some(class) if class.kind == Tag::ByteArray => ByteArray::new(data).into(),
        _ => Bytes::new(data).into(),
    };
    match class {
        Some(class) if class.flags.is_user => call.vm.call(&class.into(), &[made]),
        _ => Ok(made),
    }
}

fn hex(call: &mut Call) -> Res {
    let data = receiver(call)?;
    hex_of(call, &data)
}

/// Data as hexadecimal digits, by the arguments `sep` and `bytes_per_sep` of the call.
pub fn hex_of(call: &mut Call, data: &[u8]) -> Res {
    let separator = match call.opt(1) {
        Some(value) => Some(hex_separator(call, value)?),
        None => None,
    };
    let group = call.int_or(2, 1)?;
    let size = usize::try_from(group.unsigned_abs()).unwrap_or(usize::MAX);
    let mut out = String::with_capacity(data.len() * 2);
    for (i, byte) in data.iter().enumerate() {
        // Groups are counted from the right unless their size is negative.
        let counted = if group > 0 { data.len() - i } else { i };
        if let Some(separator) = separator
            && i > 0
            && counted.checked_rem(size) == Some(0)
        {
            out.push(separator);
        }
        out.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or_default());
        out.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or_default());
    }
    Ok(text_made(out))
}

fn hex_separator(call: &mut Call, value: &Value) -> Res<char> {
    let inside = Vm::unwrap_native(value);
    if let Some(text) = inside.as_str() {
        let mut chars = text.chars();
        return match (chars.next(), chars.next()) {
            (Some(c), None) if c.is_ascii() => Ok(c),
            (Some(_), None) => Err(call.vm.value_error("sep must be ASCII.")),
            _ => Err(call.vm.value_error("sep must be length 1.")),
        };
    }
    match contents(inside).as_deref() {
        Some([byte]) if byte.is_ascii() => Ok(char::from(*byte)),
        Some([_]) => Err(call.vm.value_error("sep must be ASCII.")),
        Some(_) => Err(call.vm.value_error("sep must be length 1.")),
        None => {
            call.vm.len(value)?;
            Err(call.vm.type_error("sep must be str or bytes."))
        }
    }
}

fn decode(call: &mut Call) -> Res {
    let encoding = call.named_str(1)?.unwrap_or("utf-8");
    let errors = call.named_str(2)?.unwrap_or("strict");
    let data = receiver(call)?;
    call.vm.decode(&data, encoding, errors)
}

fn maketrans(call: &mut Call) -> Res {
    let (from, to) = (like(call, 0)?, like(call, 1)?);
    if from.len() != to.len() {
        return Err(call.vm.value_error("maketrans arguments must have same length"));
    }
    let mut table: Vec<u8> = (0..=255).collect();
    for (&from, &to) in from.iter().zip(to.iter()) {
        table[usize::from(from)] = to;
    }
    Ok(Value::bytes(table))
}

fn translate(call: &mut Call) -> Res {
    let data = receiver(call)?;
    let table = match call.arg(1).is_none() {
        true => None,
        false => Some(like(call, 1)?),
    };
    if table.as_ref().is_some_and(|table| table.len() != 256) {
        return Err(call.vm.value_error("translation table must be 256 characters long"));
    }
    let mut gone = [false; 256];
    if call.opt(2).is_some() {
        for &byte in like(call, 2)?.iter() {
            gone[usize::from(byte)] = true;
        }
    }
    let kept = data.iter().filter(|&&byte| !gone[usize::from(byte)]);
    let mapped = kept.map(|&byte| table.as_ref().map_or(byte, |table| table[usize::from(byte)]));
    Ok(made(call, mapped.collect::<Vec<u8>>()))
}

/// The bytes of an iterable of ints or of a bytes-like object, as `extend` takes them.
pub fn extension(call: &mut Call, value: &Value) -> Res<Vec<u8>> {
    if let Some(data) = contents(Vm::unwrap_native(value)) {
        return Ok(data.into_owned());
    }
    let Ok(iterator) = call.vm.iter(value) else {
        if call.vm.is_not_iterable(value) && call.vm.is_raised(Exc::TypeError) {
            call.vm.take_raised();
            let got = call.vm.type_name(value);
            call.vm.type_error(format!("can't extend bytearray with {got}"));
        }
        return Err(Raised);
    };
    let mut data = Vec::new();
    while let Some(item) = call.vm.next(&iterator)? {
        data.push(byte_of(call, &item, "bytearray")?);
    }
    Ok(data)
}
