//! `struct`: values packed into bytes and back, by a format text as in Python.
//!
//! A format is parsed into fields with their places; packing and unpacking walk over the same fields.
//! Formats without a prefix (or with `@`) have the sizes and alignment of C on this machine.

use crate::call::{Call, Native, NativeModule};
use crate::eval::{Exc, Vm};
use crate::value::bytes::methods::contents;
use crate::value::memoryview::Writable;
use crate::value::{BigInt, Foreign, Int, Raised, Ref, Res, Tag, Type, Value, View};
use num_traits::ToPrimitive;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Type names of the foreign objects.
pub const TYPE_NAME: &str = "Struct";
pub const ITERATOR_TYPE: &str = "unpack_iterator";

pub static MODULE: NativeModule = NativeModule {
    name: "struct",
    doc: "Values packed into bytes and back.",
    functions: &[
        Native {
            name: "calcsize",
            params: "format, /",
            run: calc_size,
            doc: "How many bytes a format takes.",
        },
        Native { name: "pack", params: "format, /, *values", run: pack, doc: "The values as bytes." },
        Native {
            name: "pack_into",
            params: "format, buffer, offset, /, *values",
            run: pack_into,
            doc: "Packs the values into a bytearray from `offset` on.",
        },
        Native {
            name: "unpack",
            params: "format, buffer, /",
            run: unpack,
            doc: "A tuple of the values in bytes of exactly the format's size.",
        },
        Native {
            name: "unpack_from",
            params: "format, /, buffer, offset=0",
            run: unpack_from,
            doc: "A tuple of the values that start at `offset`.",
        },
        Native {
            name: "iter_unpack",
            params: "format, buffer, /",
            run: iter_unpack,
            doc: "An iterator over tuples, as many as the bytes hold.",
        },
    ],
    constants: &[
        ("error", |vm| error_class(vm).into()),
        ("Struct", |vm| vm.types.named(TYPE_NAME, Tag::Foreign).into()),
    ],
};

/// Methods of `Struct`.
pub static METHODS: &[Native] = &[
    Native { name: "__new__", params: "cls, format", run: new, doc: "A format parsed once." },
    Native { name: "pack", params: "self, /, *values", run: pack_by, doc: "The values as bytes." },
    Native {
        name: "pack_into",
        params: "self, buffer, offset, /, *values",
        run: pack_into_by,
        doc: "Packs the values into a bytearray from `offset` on.",
    },
    Native {
        name: "unpack",
        params: "self, buffer, /",
        run: unpack_by,
        doc: "A tuple of the values in bytes of exactly the format's size.",
    },
    Native {
        name: "unpack_from",
        params: "self, buffer, offset=0",
        run: unpack_from_by,
        doc: "A tuple of the values that start at `offset`.",
    },
    Native {
        name: "iter_unpack",
        params: "self, buffer, /",
        run: iter_unpack_by,
        doc: "An iterator over tuples, as many as the bytes hold.",
    },
    Native { name: ".format", params: "self", run: format, doc: "The format text." },
    Native { name: ".size", params: "self", run: size, doc: "How many bytes the format takes." },
    Native { name: "__repr__", params: "self, /", run: repr, doc: "How to make it." },
];

/// Methods of what `iter_unpack` gives.
pub static ITERATOR: &[Native] = &[
    Native { name: "__iter__", params: "self, /", run: same, doc: "The iterator itself." },
    Native {
        name: "__next__",
        params: "self, /",
        run: next,
        doc: "The next tuple; StopIteration at the end.",
    },
];

/// `struct.error`
fn error_class(vm: &mut Vm) -> Ref<Type> {
    if let Some(class) = &vm.state.struct_error {
        return class.clone();
    }
    let base = vm.types.exception(Exc::Exception);
    let class = vm.new_exception_class("error", "struct", &[base.clone().into()]).unwrap_or(base);
    vm.state.struct_error = Some(class.clone());
    class
}

fn error(vm: &mut Vm, message: impl AsRef<str>) -> Raised {
    let class = error_class(vm);
    vm.raise(crate::value::Exception::new(class, vec![Value::str(message)]))
}

/// What a value is made of.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Pad,
    Char,
    Bool,
    Int {
        is_signed: bool,
    },
    Float,
    /// `count` bytes as one value.
    Bytes,
    /// As `Bytes`, the first byte telling how many are used.
    Pascal,
}

/// A letter of a format, and where its values are.
pub struct Field {
    pub code: char,
    pub kind: Kind,
    offset: usize,
    /// Bytes of one value.
    pub size: usize,
    /// How many values (for `Pad`: bytes).
    count: usize,
}

impl Field {
    /// One value of a native type, by its letter.
    pub fn native(code: char) -> Option<Field> {
        let (kind, size) = kind_of(code, true)?;
        Some(Field { code, kind, offset: 0, size, count: 1 })
    }
}

/// A parsed format.
struct Layout {
    text: String,
    fields: Vec<Field>,
    size: usize,
    values: usize,
    is_little: bool,
}

impl Layout {
    fn parse(vm: &mut Vm, format: &Value) -> Res<Layout> {
        let text = match Vm::unwrap_native(format).view() {
            View::Str(text) => text.as_str().to_string(),
            View::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into_owned(),
            _ => {
                let got = vm.type_name(format);
                return Err(
                    vm.type_error(format!("Struct() argument 1 must be a str or bytes object, not {got}"))
                );
            }
        };
        let (is_native, is_little, rest) = match text.chars().next() {
            Some('@') => (true, cfg!(target_endian = "little"), &text[1..]),
            Some('=') => (false, cfg!(target_endian = "little"), &text[1..]),
            Some('<') => (false, true, &text[1..]),
            Some('>' | '!') => (false, false, &text[1..]),
            _ => (true, cfg!(target_endian = "little"), text.as_str()),
        };
        let mut layout = Layout { text: text.clone(), fields: Vec::new(), size: 0, values: 0, is_little };
        let mut count: Option<usize> = None;
        for c in rest.chars() {
            if let Some(digit) = c.to_digit(10) {
                let grown = count.unwrap_or(0).checked_mul(10).and_then(|n| n.checked_add(digit as usize));
                count = Some(match grown {
                    Some(grown) => grown,
                    None => return Err(error(vm, "overflow in item count")),
                });
                continue;
            }
            if c.is_ascii_whitespace() {
                if count.is_some() {
                    return Err(error(vm, "repeat count given without format specifier"));
                }
                continue;
            }
            layout.add(vm, c, count.take(), is_native)?;
        }
        if count.is_some() {
            return Err(error(vm, "repeat count given without format specifier"));
        }
        Ok(layout)
    }

    fn add(&mut self, vm: &mut Vm, code: char, count: Option<usize>, is_native: bool) -> Res<()> {
        let Some((kind, size)) = kind_of(code, is_native) else {
            return Err(error(vm, "bad char in struct format"));
        };
        let count = count.unwrap_or(1);
        let (size, count) = match kind {
            Kind::Bytes | Kind::Pascal => (count, 1),
            _ => (size, count),
        };
        let align = if is_native && matches!(kind, Kind::Int { .. } | Kind::Float) { size } else { 1 };
        let total = self.size.checked_next_multiple_of(align).and_then(|offset| {
            self.size = offset;
            offset.checked_add(size.checked_mul(count)?).filter(|&total| total <= isize::MAX as usize)
        });
        let Some(total) = total else { return Err(error(vm, "total struct size too long")) };
        let offset = self.size;
        self.size = total;
        if kind != Kind::Pad {
            self.values += count;
        }
        self.fields.push(Field { code, kind, offset, size, count });
        Ok(())
    }
}

/// Kind and size of a format character.
fn kind_of(code: char, is_native: bool) -> Option<(Kind, usize)> {
    let int = |is_signed, size| Some((Kind::Int { is_signed }, size));
    let long = if is_native { size_of::<libc::c_long>() } else { 4 };
    match code {
        'x' => Some((Kind::Pad, 1)),
        'c' => Some((Kind::Char, 1)),
        'b' => int(true, 1),
        'B' => int(false, 1),
        '?' => Some((Kind::Bool, 1)),
        'h' => int(true, 2),
        'H' => int(false, 2),
        'i' => int(true, 4),
        'I' => int(false, 4),
        'l' => int(true, long),
        'L' => int(false, long),
        'q' => int(true, 8),
        'Q' => int(false, 8),
        'n' if is_native => int(true, size_of::<usize>()),
        'N' | 'P' if is_native => int(false, size_of::<usize>()),
        'e' => Some((Kind::Float, 2)),
        'f' => Some((Kind::Float, 4)),
        'd' => Some((Kind::Float, 8)),
        's' => Some((Kind::Bytes, 1)),
        'p' => Some((Kind::Pascal, 1)),
        _ => None,
    }
}

// ---- packing ----

fn packed(vm: &mut Vm, layout: &Layout, values: &[Value], name: &str) -> Res<Vec<u8>> {
    if values.len() != layout.values {
        let (wanted, got) = (layout.values, values.len());
        return Err(error(vm, format!("{name} expected {wanted} items for packing (got {got})")));
    }
    let mut out = Vec::new();
    if out.try_reserve_exact(layout.size).is_err() {
        return Err(vm.error_with(Exc::MemoryError, Vec::new()));
    }
    out.resize(layout.size, 0);
    let mut values = values.iter();
    for field in layout.fields.iter().filter(|field| field.kind != Kind::Pad) {
        for i in 0..field.count {
            let Some(value) = values.next() else { break };
            let start = field.offset + i * field.size;
            pack_value(vm, field, value, layout.is_little, &mut out[start..start + field.size])?;
        }
    }
    Ok(out)
}

pub fn pack_value(vm: &mut Vm, field: &Field, value: &Value, is_little: bool, out: &mut [u8]) -> Res<()> {
    match field.kind {
        Kind::Pad => {}
        Kind::Char => match bytes_value(value).as_deref() {
            Some([byte]) => out[0] = *byte,
            _ => return Err(error(vm, "char format requires a bytes object of length 1")),
        },
        Kind::Bool => out[0] = vm.truth(value)? as u8,
        Kind::Int { is_signed } => pack_int(vm, field, value, is_signed, is_little, out)?,
        Kind::Float => pack_float(vm, field, value, is_little, out)?,
        Kind::Bytes => {
            let data = text_bytes(vm, field, value)?;
            let len = data.len().min(out.len());
            out[..len].copy_from_slice(&data[..len]);
        }
        Kind::Pascal => {
            let data = text_bytes(vm, field, value)?;
            if let Some((first, rest)) = out.split_first_mut() {
                let len = data.len().min(rest.len());
                rest[..len].copy_from_slice(&data[..len]);
                *first = len.min(255) as u8;
            }
        }
    }
    Ok(())
}

fn bytes_value(value: &Value) -> Option<Vec<u8>> {
    contents(Vm::unwrap_native(value)).map(Cow::into_owned)
}

fn text_bytes(vm: &mut Vm, field: &Field, value: &Value) -> Res<Vec<u8>> {
    match bytes_value(value) {
        Some(data) => Ok(data),
        None => Err(error(vm, format!("argument for '{}' must be a bytes object", field.code))),
    }
}

fn pack_int(
    vm: &mut Vm,
    field: &Field,
    value: &Value,
    is_signed: bool,
    is_little: bool,
    out: &mut [u8],
) -> Res<()> {
    let int = match Int::of(value) {
        Some(_) => value.clone(),
        None => {
            if vm.special_method(value, "__index__")?.is_none() {
                return Err(error(vm, "required argument is not an integer"));
            }
            vm.to_int_value(value)?
        }
    };
    let wide = match Int::of(&int) {
        Some(Int::Small(small)) => Some(small as i128),
        Some(Int::Big(big)) => big.to_i128(),
        None => None,
    };
    let bits = out.len() as u32 * 8;
    let (low, high) = match is_signed {
        true => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        false => (0, (1i128 << bits) - 1),
    };
    let Some(number) = wide.filter(|number| (low..=high).contains(number)) else {
        return Err(out_of_range(vm, field, wide, low, high));
    };
    let bytes = number.to_le_bytes();
    out.copy_from_slice(&bytes[..out.len()]);
    if !is_little {
        out.reverse();
    }
    Ok(())
}

fn out_of_range(vm: &mut Vm, field: &Field, number: Option<i128>, low: i128, high: i128) -> Raised {
    // As in CPython, numbers that no C long of the same signedness holds are told of in another way.
    let code = field.code;
    let is_short = matches!(code, 'b' | 'B' | 'h' | 'H');
    let is_long = match number {
        Some(number) if low < 0 || is_short => i64::try_from(number).is_ok(),
        Some(number) => u64::try_from(number).is_ok(),
        None => false,
    };
    if code == 'P' {
        return error(vm, "int too large to convert");
    }
    if !is_long {
        return error(vm, "argument out of range");
    }
    let name = match code {
        'b' => "byte format",
        'B' => "ubyte format",
        'h' => "short format",
        'H' => "ushort format",
        _ => return error(vm, format!("'{code}' format requires {low} <= number <= {high}")),
    };
    error(vm, format!("{name} requires {low} <= number <= {high}"))
}

fn pack_float(vm: &mut Vm, field: &Field, value: &Value, is_little: bool, out: &mut [u8]) -> Res<()> {
    let number = match vm.to_float(value) {
        Ok(number) => number,
        Err(_) if vm.is_raised(Exc::TypeError) => {
            vm.take_raised();
            return Err(error(vm, "required argument is not a float"));
        }
        Err(raised) => return Err(raised),
    };
    match field.size {
        2 => match half_bits(number) {
            Some(bits) => out.copy_from_slice(&bits.to_le_bytes()),
            None => return Err(vm.overflow_error("float too large to pack with e format")),
        },
        4 => {
            let narrow = number as f32;
            if narrow.is_infinite() && number.is_finite() {
                return Err(vm.overflow_error("float too large to pack with f format"));
            }
            out.copy_from_slice(&narrow.to_le_bytes());
        }
        _ => out.copy_from_slice(&number.to_le_bytes()),
    }
    if !is_little {
        out.reverse();
    }
    Ok(())
}

/// The nearest 16-bit float, ties to even; `None` if it is too large.
fn half_bits(number: f64) -> Option<u16> {
    let sign = ((number.to_bits() >> 63) as u16) << 15;
    if number.is_nan() {
        return Some(sign | 0x7e00);
    }
    if number.is_infinite() {
        return Some(sign | 0x7c00);
    }
    let size = number.abs();
    if size == 0.0 {
        return Some(sign);
    }
    // The unit in the last place: 2^-24 below 2^-14, else 2^(exponent - 10).
    let exponent = (((size.to_bits() >> 52) & 0x7ff) as i32 - 1023).max(-14);
    let units = (size * 2f64.powi(10 - exponent)).round_ties_even() as u32;
    let bits = units + ((exponent + 14) as u32) * 1024;
    (bits < 0x7c00).then_some(sign | bits as u16)
}

fn half_value(bits: u16) -> f64 {
    let sign = if bits & 0x8000 != 0 { -1.0 } else { 1.0 };
    let (exponent, fraction) = ((bits >> 10) & 0x1f, (bits & 0x3ff) as f64);
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent as i32 - 15),
    }
}

// ---- unpacking ----

fn unpacked(layout: &Layout, data: &[u8]) -> Value {
    let mut values = Vec::with_capacity(layout.values);
    for field in layout.fields.iter().filter(|field| field.kind != Kind::Pad) {
        for i in 0..field.count {
            let start = field.offset + i * field.size;
            values.push(unpack_value(field, &data[start..start + field.size], layout.is_little));
        }
    }
    Value::tuple(values)
}

pub fn unpack_value(field: &Field, data: &[u8], is_little: bool) -> Value {
    let mut little = [0u8; 16];
    if let Kind::Int { .. } | Kind::Float = field.kind {
        little[..data.len()].copy_from_slice(data);
        if !is_little {
            little[..data.len()].reverse();
        }
    }
    match field.kind {
        Kind::Pad => Value::NONE,
        Kind::Char | Kind::Bytes => Value::bytes(data),
        Kind::Bool => Value::bool(data[0] != 0),
        Kind::Int { is_signed } => {
            let bits = 128 - data.len() as u32 * 8;
            let number = i128::from_le_bytes(little) << bits >> bits;
            let number = if is_signed { number } else { i128::from_le_bytes(little) };
            Value::big(BigInt::from(number))
        }
        Kind::Float => {
            let [a, b, c, d, e, f, g, h, ..] = little;
            Value::float(match data.len() {
                2 => half_value(u16::from_le_bytes([a, b])),
                4 => f32::from_le_bytes([a, b, c, d]) as f64,
                _ => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
            })
        }
        Kind::Pascal => {
            let used = data.first().map_or(0, |&len| (len as usize).min(data.len() - 1));
            Value::bytes(data.get(1..1 + used).unwrap_or_default())
        }
    }
}

// ---- functions and methods ----

/// The layout of a `Struct` receiver.
fn this(call: &mut Call) -> Res<Rc<Layout>> {
    let found = match call.arg(0).get::<Foreign>() {
        Some(object) => object.data.borrow().downcast_ref::<Rc<Layout>>().cloned(),
        None => None,
    };
    found.ok_or_else(|| call.wrong_type(0, "Struct"))
}

fn parsed(call: &mut Call, index: usize) -> Res<Rc<Layout>> {
    Layout::parse(call.vm, call.arg(index)).map(Rc::new)
}

fn new(call: &mut Call) -> Res {
    let layout = parsed(call, 1)?;
    Ok(Ref::new(Foreign { type_name: TYPE_NAME, data: RefCell::new(Box::new(layout)) }).into())
}

fn calc_size(call: &mut Call) -> Res {
    Ok(Value::size(parsed(call, 0)?.size))
}

fn pack(call: &mut Call) -> Res {
    let layout = parsed(call, 0)?;
    Ok(Value::bytes(packed(call.vm, &layout, call.rest(), "pack")?))
}

fn pack_by(call: &mut Call) -> Res {
    let layout = this(call)?;
    Ok(Value::bytes(packed(call.vm, &layout, call.rest(), "pack")?))
}

fn pack_into(call: &mut Call) -> Res {
    let layout = parsed(call, 0)?;
    fill(call, &layout)
}

fn pack_into_by(call: &mut Call) -> Res {
    let layout = this(call)?;
    fill(call, &layout)
}

fn fill(call: &mut Call, layout: &Layout) -> Res {
    let Some(buffer) = Writable::of(call.arg(1)) else {
        let got = call.vm.type_name(call.arg(1));
        return Err(call.vm.type_error(format!("argument must be read-write bytes-like object, not {got}")));
    };
    let offset = call.int(2)?;
    let data = packed(call.vm, layout, call.rest(), "pack_into")?;
    let start = place(call.vm, layout, offset, buffer.len, "pack_into", "packing")?;
    buffer.write(start, &data);
    Ok(Value::NONE)
}

/// Where in a buffer of `len` bytes the format starts.
fn place(vm: &mut Vm, layout: &Layout, offset: i64, len: usize, name: &str, doing: &str) -> Res<usize> {
    let start = if offset < 0 { offset + len as i64 } else { offset };
    if start < 0 {
        let size = layout.size;
        let message = if offset + (size as i64) > 0 && name == "pack_into" {
            format!("no space to pack {size} bytes at offset {offset}")
        } else {
            format!("offset {offset} out of range for {len}-byte buffer")
        };
        return Err(error(vm, message));
    }
    let start = start as usize;
    if len < start || len - start < layout.size {
        let (size, needed) = (layout.size, start.saturating_add(layout.size));
        return Err(error(
            vm,
            format!(
                "{name} requires a buffer of at least {needed} bytes for {doing} {size} bytes at offset {start} (actual buffer size is {len})"
            ),
        ));
    }
    Ok(start)
}

fn unpack(call: &mut Call) -> Res {
    let layout = parsed(call, 0)?;
    take(call, &layout)
}

fn unpack_by(call: &mut Call) -> Res {
    let layout = this(call)?;
    take(call, &layout)
}

fn take(call: &mut Call, layout: &Layout) -> Res {
    let data = call.bytes(1)?;
    if data.len() != layout.size {
        let size = layout.size;
        return Err(error(call.vm, format!("unpack requires a buffer of {size} bytes")));
    }
    Ok(unpacked(layout, &data))
}

fn unpack_from(call: &mut Call) -> Res {
    let layout = parsed(call, 0)?;
    take_from(call, &layout)
}

fn unpack_from_by(call: &mut Call) -> Res {
    let layout = this(call)?;
    take_from(call, &layout)
}

fn take_from(call: &mut Call, layout: &Layout) -> Res {
    let data = call.bytes(1)?;
    let offset = call.int_or(2, 0)?;
    let start = place(call.vm, layout, offset, data.len(), "unpack_from", "unpacking")?;
    Ok(unpacked(layout, &data[start..start + layout.size]))
}

fn iter_unpack(call: &mut Call) -> Res {
    let layout = parsed(call, 0)?;
    walk(call, layout)
}

fn iter_unpack_by(call: &mut Call) -> Res {
    let layout = this(call)?;
    walk(call, layout)
}

/// What `iter_unpack` gives.
struct Walk {
    layout: Rc<Layout>,
    data: Vec<u8>,
    at: Cell<usize>,
}

fn walk(call: &mut Call, layout: Rc<Layout>) -> Res {
    let data = call.bytes(1)?.into_owned();
    if layout.size == 0 {
        return Err(error(call.vm, "cannot iteratively unpack with a struct of length 0"));
    }
    if data.len() % layout.size != 0 {
        let size = layout.size;
        return Err(error(
            call.vm,
            format!("iterative unpacking requires a buffer of a multiple of {size} bytes"),
        ));
    }
    let walk = Rc::new(Walk { layout, data, at: Cell::new(0) });
    Ok(Ref::new(Foreign { type_name: ITERATOR_TYPE, data: RefCell::new(Box::new(walk)) }).into())
}

fn same(call: &mut Call) -> Res {
    Ok(call.arg(0).clone())
}

fn next(call: &mut Call) -> Res {
    let walk = match call.arg(0).get::<Foreign>() {
        Some(object) => object.data.borrow().downcast_ref::<Rc<Walk>>().cloned(),
        None => None,
    };
    let Some(walk) = walk else { return Err(call.wrong_type(0, "an iterator over packed values")) };
    let start = walk.at.get();
    match walk.data.get(start..start + walk.layout.size) {
        Some(data) => {
            walk.at.set(start + walk.layout.size);
            Ok(unpacked(&walk.layout, data))
        }
        None => Err(call.vm.error_with(Exc::StopIteration, Vec::new())),
    }
}

fn format(call: &mut Call) -> Res {
    Ok(Value::str(&this(call)?.text))
}

fn size(call: &mut Call) -> Res {
    Ok(Value::size(this(call)?.size))
}

fn repr(call: &mut Call) -> Res {
    let text = crate::text::repr_str(&this(call)?.text);
    Ok(Value::str(format!("Struct({text})")))
}
