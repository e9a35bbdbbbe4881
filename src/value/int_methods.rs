//! Methods of ints and bools, and what `int(...)` makes of other values.

use super::bytes::methods::contents;
use super::special_rows::{self, ARITHMETIC, BITWISE, DIVISION, SHIFTS, UNARY, itself};
use super::{BigInt, Int, Raised, Res, Tag, Value, View};
use crate::call::{Call, Native};
use crate::eval::code::{BinaryOp, UnaryOp};
use crate::eval::{Exc, Vm};
use crate::text;
use num_bigint::Sign;
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};

pub const INT: &[Native] =
    crate::rows![OWN, &[INVERT, DIVMOD, REFLECTED_DIVMOD], ARITHMETIC, DIVISION, SHIFTS, BITWISE, UNARY];

pub const BOOL: &[Native] = &[Native {
    name: "__new__",
    params: "cls, value=False, /",
    run: new_bool,
    doc: "Whether a value counts as true.",
}];

const OWN: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, value=0, /, base=10",
        run: new,
        doc: "The int that a text in some base stands for, or a number without its fraction. ValueError for other texts.",
    },
    Native { name: ".real", params: "self", run: itself, doc: "The number itself." },
    Native {
        name: ".imag",
        params: "self",
        run: |_| Ok(Value::int(0)),
        doc: "0: ints have no imaginary part.",
    },
    Native { name: ".numerator", params: "self", run: itself, doc: "The number itself." },
    Native {
        name: ".denominator",
        params: "self",
        run: |_| Ok(Value::int(1)),
        doc: "1: ints have no fraction.",
    },
    Native {
        name: "as_integer_ratio",
        params: "self, /",
        run: as_integer_ratio,
        doc: "Numerator and denominator in lowest terms: the number and 1.",
    },
    Native {
        name: "is_integer",
        params: "self, /",
        run: |_| Ok(Value::TRUE),
        doc: "True: an int has no fraction.",
    },
    Native {
        name: "bit_count",
        params: "self, /",
        run: bit_count,
        doc: "How many bits of the magnitude are 1.",
    },
    Native {
        name: "bit_length",
        params: "self, /",
        run: bit_length,
        doc: "How many bits the magnitude needs.",
    },
    Native { name: "conjugate", params: "self, /", run: itself, doc: "The number itself." },
    Native {
        name: "to_bytes",
        params: "self, length=1, byteorder='big', *, signed=False",
        run: to_bytes,
        doc: "The number in `length` bytes, 'big' or 'little' end first. OverflowError if it does not fit.",
    },
    Native {
        name: "from_bytes",
        params: "cls, bytes, byteorder='big', *, signed=False",
        run: from_bytes,
        doc: "The number that bytes stand for, 'big' or 'little' end first.",
    },
    Native { name: "__int__", params: "self, /", run: itself, doc: "`int(self)`." },
    Native { name: "__index__", params: "self, /", run: itself, doc: "The number as an index." },
    Native { name: "__trunc__", params: "self, /", run: itself, doc: "The number itself." },
    Native { name: "__floor__", params: "self, /", run: itself, doc: "The number itself." },
    Native { name: "__ceil__", params: "self, /", run: itself, doc: "The number itself." },
    Native { name: "__float__", params: "self, /", run: to_float, doc: "`float(self)`." },
    Native { name: "__abs__", params: "self, /", run: absolute, doc: "`abs(self)`." },
    Native {
        name: "__round__",
        params: "self, ndigits=<absent>, /",
        run: round,
        doc: "Rounded to a multiple of ten to the power of `-ndigits`, half to even.",
    },
    Native {
        name: "__pow__",
        params: "self, exponent, modulus=None, /",
        run: power,
        doc: "`self ** exponent`, modulo `modulus` if it is given.",
    },
    Native {
        name: "__rpow__",
        params: "self, base, modulus=None, /",
        run: reflected_power,
        doc: "`base ** self`.",
    },
    Native {
        name: "__getnewargs__",
        params: "self, /",
        run: new_args,
        doc: "What `__new__` needs to make an equal one.",
    },
];

const INVERT: Native = Native {
    name: "__invert__",
    params: "self, /",
    run: |call| special_rows::unary(call, UnaryOp::Invert),
    doc: "`~self`.",
};

pub const DIVMOD: Native = Native {
    name: "__divmod__",
    params: "self, value, /",
    run: div_mod,
    doc: "`(self // value, self % value)`.",
};

pub const REFLECTED_DIVMOD: Native = Native {
    name: "__rdivmod__",
    params: "self, value, /",
    run: reflected_div_mod,
    doc: "`(value // self, value % self)`.",
};

fn new_bool(call: &mut Call) -> Res {
    match call.opt(1) {
        Some(value) => Ok(Value::bool(call.vm.truth(value)?)),
        None => Ok(Value::FALSE),
    }
}

fn new(call: &mut Call) -> Res {
    if call.class()?.kind == Tag::Bool {
        return Err(call.vm.type_error("int.__new__(bool) is not safe, use bool.__new__()"));
    }
    match (call.opt(1), call.opt(2)) {
        (None, None) => Ok(Value::int(0)),
        (None, Some(_)) => Err(call.vm.type_error("int() missing string argument")),
        (Some(value), None) => call.vm.int_from(value),
        (Some(value), Some(_)) if value.tag() == Tag::MemoryView => {
            Err(call.vm.type_error("int() can't convert non-string with explicit base"))
        }
        (Some(value), Some(base)) => {
            // One that is too large is as wrong as any other.
            let base = call.vm.to_int_value(base)?.as_small_int().unwrap_or(-1);
            call.vm.int_with_base(value, base)
        }
    }
}

impl Vm {
    /// `int(value)`.
    ///
    /// # Errors
    /// `TypeError` for what is neither number nor text, `ValueError` for text that is no number and for NaN,
    /// `OverflowError` for infinities.
    pub fn int_from(&mut self, value: &Value) -> Res {
        match value.view() {
            View::Int(_) | View::BigInt(_) => return Ok(value.clone()),
            View::Bool(flag) => return Ok(Value::int(flag as i64)),
            View::Float(float) => return self.int_from_float(float),
            View::Instance(_) => {
                for name in ["__int__", "__index__", "__trunc__"] {
                    if let Some(method) = self.special_method(value, name)? {
                        if name == "__trunc__" {
                            let message = "The delegation of int() to __trunc__ is deprecated.";
                            self.warn(Exc::DeprecationWarning, message)?;
                        }
                        let result = self.call(&method, &[])?;
                        if name == "__trunc__" {
                            return self.int_of_trunc(&result);
                        }
                        return self.checked_int(name, &result);
                    }
                }
            }
            _ => {}
        }
        match text_of_number(value) {
            Some(_) => self.int_with_base(value, 10),
            None => {
                let name = self.type_name(value);
                Err(self.type_error(format!(
                    "int() argument must be a string, a bytes-like object or a real number, not '{name}'"
                )))
            }
        }
    }

    /// What `__trunc__` gave as an int.
    fn int_of_trunc(&mut self, result: &Value) -> Res {
        if Int::of(result).is_none() && self.special_method(result, "__index__")?.is_none() {
            let name = self.type_name(result);
            return Err(self.type_error(format!("__trunc__ returned non-Integral (type {name})")));
        }
        self.to_int_value(result)
    }

    pub(crate) fn checked_int(&mut self, method: &str, result: &Value) -> Res {
        match Int::of(result) {
            Some(int) => {
                if !matches!(result.tag(), Tag::Int | Tag::BigInt) {
                    let got = self.type_name(result);
                    self.warn_of_derived(method, "int", &got)?;
                }
                Ok(int.to_value())
            }
            None => {
                let name = self.type_name(result);
                Err(self.type_error(format!("{method} returned non-int (type {name})")))
            }
        }
    }

    /// A float without its fraction.
    ///
    /// # Errors
    /// `ValueError` for NaN, `OverflowError` for infinities.
    pub fn int_from_float(&mut self, float: f64) -> Res {
        if float.is_nan() {
            return Err(self.value_error("cannot convert float NaN to integer"));
        }
        match text::float::to_big(float) {
            Some(big) => Ok(Value::big(big)),
            None => Err(self.overflow_error("cannot convert float infinity to integer")),
        }
    }

    /// `int(text, base)`.
    fn int_with_base(&mut self, value: &Value, base: i64) -> Res {
        let Some(digits) = text_of_number(value) else {
            return Err(self.type_error("int() can't convert non-string with explicit base"));
        };
        let Ok(base) = u32::try_from(base) else {
            return Err(self.value_error("int() base must be >= 2 and <= 36, or 0"));
        };
        self.check_digits(&digits, base)?;
        match text::int::parse(&digits, base) {
            Ok(text::Int::Small(small)) => Ok(Value::int(small)),
            Ok(text::Int::Big(big)) => Ok(Value::big(big)),
            Err(error @ text::int::ParseIntError::Base) => {
                Err(self.value_error(error.message(&digits, base)))
            }
            Err(text::int::ParseIntError::Literal) => {
                let shown: String = self.repr_of(Vm::unwrap_native(value))?.chars().take(200).collect();
                Err(self.value_error(format!("invalid literal for int() with base {base}: {shown}")))
            }
        }
    }

    /// Refuses texts so long that reading them would take unreasonably long.
    fn check_digits(&mut self, digits: &str, base: u32) -> Res<()> {
        let limit = self.int_max_str_digits;
        if limit == 0 || digits.len() <= limit || base.is_power_of_two() {
            return Ok(());
        }
        let is_prefixed = base == 0 && digits.trim_start().trim_start_matches(['+', '-']).starts_with("0x");
        let count = digits.chars().filter(|c| c.is_alphanumeric()).count();
        // What is no number is told as such, however long it is.
        let is_number =
            digits.trim().trim_start_matches(['+', '-']).chars().all(|c| c.is_numeric() || c == '_');
        if count <= limit || is_prefixed || base <= 10 && !is_number {
            return Ok(());
        }
        Err(self.value_error(format!(
            "Exceeds the limit ({limit} digits) for integer string conversion: value has {count} digits; \
             use sys.set_int_max_str_digits() to increase the limit"
        )))
    }

    /// `pow(base, exponent, modulus)` of ints; `none` as modulus means there is none. `None` if one of
    /// them is no int.
    ///
    /// # Errors
    /// `ValueError` for a modulus of 0 and for a negative exponent of a base that has no inverse.
    pub fn int_power_modulo(
        &mut self,
        base: &Value,
        exponent: &Value,
        modulus: &Value,
    ) -> Res<Option<Value>> {
        if modulus.is_none() {
            return self.binary_builtin(BinaryOp::Pow, base, exponent);
        }
        let (Some(base), Some(exponent), Some(modulus)) =
            (Int::of(base), Int::of(exponent), Int::of(modulus))
        else {
            return Ok(None);
        };
        if modulus.is_zero() {
            return Err(self.value_error("pow() 3rd argument cannot be 0"));
        }
        let (base, exponent, modulus) = (base.to_big(), exponent.to_big(), modulus.to_big());
        let modulus = modulus.as_ref();
        if !exponent.is_negative() {
            // A power no longer than the modulus is cheap by itself, however long the modulus is.
            if let Some(small) = exponent.to_u32()
                && base.bits().saturating_mul(small.into()) <= modulus.bits()
            {
                return Ok(Some(Value::big(base.pow(small).mod_floor(modulus))));
            }
            return Ok(Some(Value::big(base.modpow(&exponent, modulus))));
        }
        match base.mod_floor(modulus).modinv(modulus) {
            Some(inverse) => Ok(Some(Value::big(inverse.modpow(&-exponent.as_ref(), modulus)))),
            None => Err(self.value_error("base is not invertible for the given modulus")),
        }
    }

    /// `divmod(left, right)` of built-in numbers; `None` if one is no number with an order.
    ///
    /// # Errors
    /// `ZeroDivisionError`.
    pub fn number_divmod(&mut self, left: &Value, right: &Value) -> Res<Option<Value>> {
        let is_int = Int::of(left).is_some() && Int::of(right).is_some();
        if !is_int && [left, right].iter().any(|v| Int::of(v).is_none() && v.as_float().is_none()) {
            return Ok(None);
        }
        if Int::of(right).is_some_and(Int::is_zero) || right.as_float() == Some(0.0) {
            let message = if is_int { "integer division or modulo by zero" } else { "float divmod()" };
            return Err(self.zero_division(message));
        }
        let quotient = self.binary(BinaryOp::FloorDiv, left, right)?;
        let rest = self.binary(BinaryOp::Mod, left, right)?;
        Ok(Some(Value::tuple(vec![quotient, rest])))
    }

    /// Raises the error for an int with more digits than may be shown.
    pub(crate) fn too_many_digits(&mut self) -> Raised {
        let limit = self.int_max_str_digits;
        self.error(
            Exc::ValueError,
            format!(
                "Exceeds the limit ({limit} digits) for integer string conversion; \
                 use sys.set_int_max_str_digits() to increase the limit"
            ),
        )
    }
}

/// The text in which a number may stand: that of a string or of bytes.
pub(super) fn text_of_number(value: &Value) -> Option<String> {
    match Vm::unwrap_native(value).view() {
        View::Str(text) => Some(text.as_str().to_string()),
        _ => Some(contents(Vm::unwrap_native(value))?.iter().map(|&b| ascii_or_wrong(b)).collect()),
    }
}

/// Bytes beyond ASCII are part of no number.
fn ascii_or_wrong(byte: u8) -> char {
    if byte.is_ascii() { byte as char } else { '?' }
}

/// The receiver as a number.
fn this<'a>(call: &mut Call<'a>) -> Res<Int<'a>> {
    let this = call.inner()?;
    Int::of(this).ok_or(Raised)
}

fn as_integer_ratio(call: &mut Call) -> Res {
    Ok(Value::tuple(vec![this(call)?.to_value(), Value::int(1)]))
}

fn bit_count(call: &mut Call) -> Res {
    Ok(Value::int(match this(call)? {
        Int::Small(small) => small.unsigned_abs().count_ones() as i64,
        Int::Big(big) => big.magnitude().count_ones() as i64,
    }))
}

fn bit_length(call: &mut Call) -> Res {
    Ok(Value::int(match this(call)? {
        Int::Small(small) => 64 - small.unsigned_abs().leading_zeros() as i64,
        Int::Big(big) => big.bits() as i64,
    }))
}

/// Whether the byte order argument says that the little end is first.
fn is_little(call: &mut Call, index: usize) -> Res<bool> {
    match call.opt(index) {
        None => Ok(false),
        Some(_) => match call.str(index)? {
            "big" => Ok(false),
            "little" => Ok(true),
            _ => Err(call.vm.value_error("byteorder must be either 'little' or 'big'")),
        },
    }
}

fn is_signed(call: &mut Call) -> Res<bool> {
    match call.keyword(0) {
        Some(flag) => call.vm.truth(flag),
        None => Ok(false),
    }
}

fn to_bytes(call: &mut Call) -> Res {
    let number = this(call)?.to_big();
    let length = call.int_or(1, 1)?;
    let is_little = is_little(call, 2)?;
    let is_signed = is_signed(call)?;
    let Ok(length) = usize::try_from(length) else {
        return Err(call.vm.value_error("length argument must be non-negative"));
    };
    if number.is_negative() && !is_signed {
        return Err(call.vm.overflow_error("can't convert negative int to unsigned"));
    }
    let mut bytes = match (number.is_zero(), is_signed) {
        (true, _) => Vec::new(),
        (_, true) => number.to_signed_bytes_le(),
        (_, false) => number.magnitude().to_bytes_le(),
    };
    if bytes.len() > length {
        return Err(call.vm.overflow_error("int too big to convert"));
    }
    bytes.resize(length, if number.is_negative() { 0xff } else { 0 });
    if !is_little {
        bytes.reverse();
    }
    Ok(Value::bytes(bytes))
}

fn from_bytes(call: &mut Call) -> Res {
    let class = call.class()?;
    let mut bytes = match Vm::unwrap_native(call.arg(1)).tag() {
        Tag::Bytes | Tag::ByteArray | Tag::MemoryView => call.vm.bytes_of(call.arg(1))?,
        Tag::Str | Tag::Int | Tag::Float | Tag::None => {
            let name = call.vm.type_name(call.arg(1));
            return Err(call.vm.type_error(format!("cannot convert '{name}' object to bytes")));
        }
        _ if call.vm.special_method(call.arg(1), "__bytes__")?.is_some() => {
            let made = call.vm.call_method(call.arg(1), "__bytes__", &[])?;
            if !Vm::unwrap_native(&made).is::<crate::value::Bytes>() {
                let got = call.vm.type_name(&made);
                let message = format!("__bytes__ returned non-bytes (type {got})");
                return Err(call.vm.type_error(message));
            }
            call.vm.bytes_of(&made)?
        }
        _ => {
            let items = call.items(1)?;
            let mut bytes = Vec::with_capacity(items.len());
            for item in &items {
                bytes.push(call.vm.to_byte(item)?);
            }
            bytes
        }
    };
    if is_little(call, 2)? {
        bytes.reverse();
    }
    let number = match is_signed(call)? {
        true => BigInt::from_signed_bytes_be(&bytes),
        false => BigInt::from_bytes_be(Sign::Plus, &bytes),
    };
    let number = Value::big(number);
    if class.flags.is_user || class.kind == Tag::Bool {
        call.vm.call(&class.into(), &[number])
    } else {
        Ok(number)
    }
}

fn to_float(call: &mut Call) -> Res {
    let number = this(call)?.to_value();
    Ok(Value::float(call.vm.to_float(&number)?))
}

fn absolute(call: &mut Call) -> Res {
    let this = this(call)?;
    if !this.is_negative() {
        return Ok(this.to_value());
    }
    let number = this.to_value();
    call.vm.unary(UnaryOp::Minus, &number)
}

fn round(call: &mut Call) -> Res {
    let this = this(call)?;
    let Some(digits) = call.opt(1) else { return Ok(this.to_value()) };
    let digits = call.vm.to_int_value(digits)?;
    // An int beyond 64 bits keeps all digits or none.
    let places = match Int::of(&digits) {
        Some(Int::Small(places)) => places,
        Some(big) if !big.is_negative() => 0,
        _ => i64::MIN,
    };
    Ok(round_int(this, places))
}

/// An int rounded to a multiple of ten to the power of `-digits`, half to even.
pub fn round_int(number: Int, digits: i64) -> Value {
    if digits >= 0 {
        return number.to_value();
    }
    let big = number.to_big();
    let places = digits.unsigned_abs();
    // A decimal digit is worth more than three bits: nothing is left of a number with fewer.
    if places.saturating_mul(3) > big.bits() + 3 {
        return Value::int(0);
    }
    let unit = BigInt::from(10).pow(places.to_u32().unwrap_or(u32::MAX));
    let (mut quotient, rest) = big.div_mod_floor(&unit);
    let doubled: BigInt = rest * 2;
    if doubled > unit || doubled == unit && quotient.is_odd() {
        quotient += BigInt::one();
    }
    Value::big(quotient * unit)
}

fn power(call: &mut Call) -> Res {
    let base = call.inner()?;
    let exponent = Vm::unwrap_native(call.arg(1));
    let modulus = call.opt(2).map_or(Value::NONE, |m| Vm::unwrap_native(m).clone());
    let result = call.vm.int_power_modulo(base, exponent, &modulus)?;
    Ok(result.unwrap_or(Value::NOT_IMPLEMENTED))
}

fn reflected_power(call: &mut Call) -> Res {
    let exponent = call.inner()?;
    let base = Vm::unwrap_native(call.arg(1));
    let modulus = call.opt(2).map_or(Value::NONE, |m| Vm::unwrap_native(m).clone());
    let result = call.vm.int_power_modulo(base, exponent, &modulus)?;
    Ok(result.unwrap_or(Value::NOT_IMPLEMENTED))
}

fn div_mod(call: &mut Call) -> Res {
    let left = call.inner()?;
    let right = Vm::unwrap_native(call.arg(1));
    if !special_rows::knows(left, right) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    Ok(call.vm.number_divmod(left, right)?.unwrap_or(Value::NOT_IMPLEMENTED))
}

fn reflected_div_mod(call: &mut Call) -> Res {
    let right = call.inner()?;
    let left = Vm::unwrap_native(call.arg(1));
    if !special_rows::knows(right, left) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    Ok(call.vm.number_divmod(left, right)?.unwrap_or(Value::NOT_IMPLEMENTED))
}

fn new_args(call: &mut Call) -> Res {
    Ok(Value::tuple(vec![this(call)?.to_value()]))
}
