//! `binascii`: bytes as text and back, and checksums.
//!
//! `base64` is written in ZPy on top of this (`stdlib/base64.zpy`).

use crate::call::{Call, Native, NativeModule};
use crate::eval::{Exc, Vm};
use crate::value::{Exception, Raised, Ref, Res, Type, Value};

pub static MODULE: NativeModule = NativeModule {
    name: "binascii",
    doc: "Bytes as text and back.",
    functions: &[
        Native {
            name: "hexlify",
            params: "data, sep=None, bytes_per_sep=1",
            run: hexlify,
            doc: "Two hexadecimal digits for each byte.",
        },
        Native {
            name: "b2a_hex",
            params: "data, sep=None, bytes_per_sep=1",
            run: hexlify,
            doc: "Two hexadecimal digits for each byte.",
        },
        Native {
            name: "unhexlify",
            params: "hexstr, /",
            run: unhexlify,
            doc: "The bytes of hexadecimal digits.",
        },
        Native {
            name: "a2b_hex",
            params: "hexstr, /",
            run: unhexlify,
            doc: "The bytes of hexadecimal digits.",
        },
        Native {
            name: "b2a_base64",
            params: "data, /, *, newline=True",
            run: to_base64,
            doc: "A line of Base64.",
        },
        Native {
            name: "a2b_base64",
            params: "data, /, *, strict_mode=False",
            run: from_base64,
            doc: "The bytes of Base64 text; characters that are not of it are skipped unless `strict_mode`.",
        },
        Native {
            name: "crc32",
            params: "data, crc=0, /",
            run: crc32,
            doc: "The CRC-32 of bytes, going on from `crc`.",
        },
        Native {
            name: "crc_hqx",
            params: "data, crc, /",
            run: crc_hqx,
            doc: "The CRC of 16 bits with the polynomial 0x1021, going on from `crc`.",
        },
        Native {
            name: "b2a_uu",
            params: "data, /, *, backtick=False",
            run: to_uu,
            doc: "A line of uuencoded text; at most 45 bytes fit.",
        },
        Native {
            name: "a2b_uu",
            params: "data, /",
            run: from_uu,
            doc: "The bytes of a line of uuencoded text.",
        },
        Native {
            name: "b2a_qp",
            params: "data, quotetabs=False, istext=True, header=False",
            run: to_quoted,
            doc: "Quoted-printable text. `quotetabs` quotes white space too, `istext` keeps ends of lines, `header` writes blanks as `_`.",
        },
        Native {
            name: "a2b_qp",
            params: "data, header=False",
            run: from_quoted,
            doc: "The bytes of quoted-printable text; in a `header`, `_` is a blank.",
        },
    ],
    constants: &[("Error", |vm| error_class(vm).into()), ("Incomplete", |vm| error_class(vm).into())],
};

/// `binascii.Error`
fn error_class(vm: &mut Vm) -> Ref<Type> {
    if let Some(class) = &vm.state.binascii_error {
        return class.clone();
    }
    let base = vm.types.exception(Exc::ValueError);
    let class = vm.new_exception_class("Error", "binascii", &[base.clone().into()]).unwrap_or(base);
    vm.state.binascii_error = Some(class.clone());
    class
}

fn error(vm: &mut Vm, message: impl AsRef<str>) -> Raised {
    let class = error_class(vm);
    vm.raise(Exception::new(class, vec![Value::str(message)]))
}

/// Bytes, or text of ASCII characters.
fn ascii_of(call: &mut Call) -> Res<Vec<u8>> {
    let value = &call.arg(0).clone();
    if let Some(text) = Vm::unwrap_native(value).as_str() {
        if !text.is_ascii() {
            return Err(call.vm.value_error("string argument should contain only ASCII characters"));
        }
        return Ok(text.as_bytes().to_vec());
    }
    match call.vm.buffer_of(value)? {
        Some(data) => Ok(data),
        None => {
            let got = call.vm.type_name(value);
            let message = format!("argument should be bytes, buffer or ASCII string, not '{got}'");
            Err(call.vm.type_error(message))
        }
    }
}

/// The bytes of an argument.
fn data_of(call: &mut Call) -> Res<Vec<u8>> {
    let value = call.arg(0).clone();
    call.vm.bytes_of(&value)
}

pub fn hex(data: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    data.iter().flat_map(|b| [DIGITS[(b >> 4) as usize], DIGITS[(b & 15) as usize]]).map(char::from).collect()
}

fn hexlify(call: &mut Call) -> Res {
    let data = data_of(call)?;
    if call.opt_not_none(1).is_none() {
        return Ok(Value::bytes(hex(&data).into_bytes()));
    }
    let digits = call.vm.call_method(&Value::bytes(data), "hex", &call.args[1..])?;
    call.vm.call_method(&digits, "encode", &[])
}

fn unhexlify(call: &mut Call) -> Res {
    let text = ascii_of(call)?;
    if text.len() % 2 != 0 {
        return Err(error(call.vm, "Odd-length string"));
    }
    let digit = |c: u8| (c as char).to_digit(16);
    let mut out = Vec::with_capacity(text.len() / 2);
    for pair in text.chunks_exact(2) {
        match (digit(pair[0]), digit(pair[1])) {
            (Some(high), Some(low)) => out.push((high << 4 | low) as u8),
            _ => return Err(error(call.vm, "Non-hexadecimal digit found")),
        }
    }
    Ok(Value::bytes(out))
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn to_base64(call: &mut Call) -> Res {
    let data = data_of(call)?;
    let newline = match call.keyword(0) {
        Some(newline) => call.vm.truth(newline)?,
        None => true,
    };
    let mut out = Vec::with_capacity(data.len().div_ceil(3) * 4 + 1);
    for group in data.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, &b| bits << 8 | b as u32) << (8 * (3 - group.len()));
        for i in 0..4 {
            let is_padding = i > group.len();
            out.push(if is_padding { b'=' } else { BASE64[(bits >> (18 - 6 * i) & 63) as usize] });
        }
    }
    if newline {
        out.push(b'\n');
    }
    Ok(Value::bytes(out))
}

fn from_base64(call: &mut Call) -> Res {
    let text = ascii_of(call)?;
    let strict = match call.keyword(0) {
        Some(strict) => call.vm.truth(strict)?,
        None => false,
    };
    match decode_base64(&text, strict) {
        Ok(data) => Ok(Value::bytes(data)),
        Err(message) => Err(error(call.vm, message)),
    }
}

/// Decodes as CPython does, quirks with padding included.
fn decode_base64(text: &[u8], strict: bool) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut quad, mut left, mut pads, mut started_padding) = (0, 0u8, 0, false);
    if strict && text.first() == Some(&b'=') {
        return Err("Leading padding not allowed".into());
    }
    for (i, &c) in text.iter().enumerate() {
        if c == b'=' {
            started_padding = true;
            if quad >= 2 {
                pads += 1;
                if quad + pads >= 4 {
                    if strict && i + 1 < text.len() {
                        return Err("Excess data after padding".into());
                    }
                    return Ok(out);
                }
            }
            continue;
        }
        let Some(value) = BASE64.iter().position(|&known| known == c) else {
            if strict {
                return Err("Only base64 data is allowed".into());
            }
            continue;
        };
        if strict && started_padding {
            return Err("Discontinuous padding not allowed".into());
        }
        pads = 0;
        let value = value as u8;
        match quad {
            0 => left = value,
            1 => {
                out.push(left << 2 | value >> 4);
                left = value & 15;
            }
            2 => {
                out.push(left << 4 | value >> 2);
                left = value & 3;
            }
            _ => out.push(left << 6 | value),
        }
        quad = (quad + 1) % 4;
    }
    match quad {
        0 => Ok(out),
        1 => {
            let count = out.len() / 3 * 4 + 1;
            Err(format!(
                "Invalid base64-encoded string: number of data characters ({count}) cannot be 1 more than a multiple of 4"
            ))
        }
        _ => Err("Incorrect padding".into()),
    }
}

/// The checksum to go on from, as an unsigned number of 32 bits.
fn seed(call: &mut Call, default: u32) -> Res<u32> {
    if call.opt(1).is_none() {
        return Ok(default);
    }
    let wide = call.vm.to_int_value(call.arg(1))?;
    let low = crate::value::BigInt::from(u32::MAX);
    Ok(match crate::value::Int::of(&wide) {
        Some(int) => u32::try_from(int.to_big().as_ref() & low).unwrap_or(0),
        None => default,
    })
}

/// The register of 16 bits is fed from the top, bit by bit.
fn crc_hqx(call: &mut Call) -> Res {
    let data = data_of(call)?;
    let mut crc = (seed(call, 0)? & 0xffff) as u16;
    for &byte in &data {
        crc ^= (byte as u16) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 };
        }
    }
    Ok(Value::int(crc as i64))
}

/// Bytes in a line of uuencoded text.
const UU_LINE: usize = 45;

fn to_uu(call: &mut Call) -> Res {
    let data = data_of(call)?;
    let backtick = match call.keyword(0) {
        Some(backtick) => call.vm.truth(backtick)?,
        None => false,
    };
    if data.len() > UU_LINE {
        return Err(error(call.vm, "At most 45 bytes at once"));
    }
    let letter = |six: u32| if six == 0 && backtick { b'`' } else { b' ' + six as u8 };
    let mut out = vec![letter(data.len() as u32)];
    for group in data.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, &b| bits << 8 | b as u32) << (8 * (3 - group.len()));
        out.extend((0..4).map(|i| letter(bits >> (18 - 6 * i) & 63)));
    }
    out.push(b'\n');
    Ok(Value::bytes(out))
}

fn from_uu(call: &mut Call) -> Res {
    let text = ascii_of(call)?;
    match decode_uu(&text) {
        Ok(data) => Ok(Value::bytes(data)),
        Err(message) => Err(error(call.vm, message)),
    }
}

fn decode_uu(text: &[u8]) -> Result<Vec<u8>, &'static str> {
    let wanted = text.first().map_or(32, |&c| c.wrapping_sub(b' ') & 63) as usize;
    let mut rest = text.iter().skip(1);
    let mut out = Vec::with_capacity(wanted);
    let (mut bits, mut held) = (0u32, 0);
    while out.len() < wanted {
        // White space at the end of a line may have been cut off.
        let six = match rest.next() {
            None | Some(b'\n' | b'\r') => 0,
            Some(&c) => {
                if !(b' '..=b' ' + 64).contains(&c) {
                    return Err("Illegal char");
                }
                (c - b' ') & 63
            }
        };
        bits = bits << 6 | six as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    match rest.all(|c| matches!(c, b' ' | b'`' | b'\n' | b'\r')) {
        true => Ok(out),
        false => Err("Trailing garbage"),
    }
}

/// Characters in a line of quoted-printable text, with the `=` that says it goes on.
const QUOTED_LINE: usize = 76;

fn to_quoted(call: &mut Call) -> Res {
    let data = data_of(call)?;
    let mut flags = [false, true, false];
    for (i, flag) in flags.iter_mut().enumerate() {
        *flag = call.truth_or(i + 1, *flag)?;
    }
    let [quote_tabs, is_text, header] = flags;
    Ok(Value::bytes(encode_quoted(&data, quote_tabs, is_text, header)))
}

fn encode_quoted(data: &[u8], quote_tabs: bool, is_text: bool, header: bool) -> Vec<u8> {
    // Text whose first line ends in \r\n has all its lines end so.
    let is_crlf = data.iter().position(|&c| c == b'\n').is_some_and(|i| i > 0 && data[i - 1] == b'\r');
    let mut out = Vec::with_capacity(data.len() + data.len() / 8);
    let mut width = 0;
    let mut i = 0;
    while i < data.len() {
        let c = data[i];
        let next = data.get(i + 1).copied();
        let ends_line = |at: usize| match data.get(at) {
            Some(b'\n') => true,
            Some(b'\r') => data.get(at + 1) == Some(&b'\n'),
            _ => false,
        };
        if is_text && ends_line(i) {
            if let Some(&last @ (b' ' | b'\t')) = out.last() {
                out.pop();
                push_quoted(&mut out, last);
            }
            out.extend_from_slice(if is_crlf { b"\r\n" } else { b"\n" });
            width = 0;
            i += if c == b'\r' { 2 } else { 1 };
            continue;
        }
        let is_lone_dot = c == b'.' && width == 0 && matches!(next, None | Some(b'\n' | b'\r' | 0));
        let is_white = matches!(c, b' ' | b'\t');
        let must_quote = c > 126
            || c == b'='
            || header && c == b'_'
            || is_lone_dot
            || !is_text && matches!(c, b'\r' | b'\n')
            || is_white && next.is_none()
            || c < 33 && !matches!(c, b'\r' | b'\n') && (!is_white || quote_tabs);
        let size = if must_quote { 3 } else { 1 };
        let is_last = !must_quote && matches!(next, None | Some(b'\n'));
        if !is_last && width + size >= QUOTED_LINE {
            out.extend_from_slice(if is_crlf { b"=\r\n" } else { b"=\n" });
            width = 0;
        }
        if must_quote {
            push_quoted(&mut out, c);
        } else {
            out.push(if header && c == b' ' { b'_' } else { c });
        }
        width += size;
        i += 1;
    }
    out
}

fn push_quoted(out: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.extend([b'=', DIGITS[(byte >> 4) as usize], DIGITS[(byte & 15) as usize]]);
}

fn from_quoted(call: &mut Call) -> Res {
    let text = ascii_of(call)?;
    let header = call.truth_or(1, false)?;
    Ok(Value::bytes(decode_quoted(&text, header)))
}

fn decode_quoted(text: &[u8], header: bool) -> Vec<u8> {
    let digit = |at: usize| text.get(at).and_then(|&c| (c as char).to_digit(16));
    let mut out = Vec::with_capacity(text.len());
    let mut i = 0;
    while let Some(&c) = text.get(i) {
        i += 1;
        if c != b'=' {
            out.push(if header && c == b'_' { b' ' } else { c });
            continue;
        }
        match text.get(i) {
            None => break,
            Some(b'\n' | b'\r') => {
                // The rest of the line is dropped, and the line goes on.
                i += text[i..].iter().position(|&c| c == b'\n').map_or(text.len() - i, |at| at + 1);
            }
            Some(b'=') => {
                out.push(b'=');
                i += 1;
            }
            Some(_) => match (digit(i), digit(i + 1)) {
                (Some(high), Some(low)) => {
                    out.push((high << 4 | low) as u8);
                    i += 2;
                }
                _ => out.push(b'='),
            },
        }
    }
    out
}

pub fn crc32(call: &mut Call) -> Res {
    let data = data_of(call)?;
    let mut hasher = crc32fast::Hasher::new_with_initial(seed(call, 0)?);
    hasher.update(&data);
    Ok(Value::int(hasher.finalize() as i64))
}

pub fn adler32(call: &mut Call) -> Res {
    let data = data_of(call)?;
    let seed = seed(call, 1)?;
    let (mut a, mut b) = (seed & 0xffff, seed >> 16);
    for &byte in &data {
        a = (a + byte as u32) % 65521;
        b = (b + a) % 65521;
    }
    Ok(Value::int((b << 16 | a) as i64))
}
