//! Global functions on numbers and characters.

use crate::call::{Call, Native};
use crate::eval::code::{BinaryOp, CompareOp};
use crate::text::surrogate;
use crate::value::int_methods::round_int;
use crate::value::{BigInt, Int, Res, Tag, Value, View};
use num_traits::Signed;

pub static ROWS: &[Native] = &[
    Native {
        name: "abs",
        params: "number, /",
        run: abs,
        doc: "The number without its sign; the length of a complex number.",
    },
    Native { name: "bin", params: "number, /", run: bin, doc: "An int in base 2, such as `0b101`." },
    Native {
        name: "chr",
        params: "i, /",
        run: chr,
        doc: "The character with code point `i`, from 0 to 0x10ffff; else ValueError.",
    },
    Native { name: "divmod", params: "x, y, /", run: divmod, doc: "The tuple `(x // y, x % y)`." },
    Native {
        name: "hex",
        params: "number, /",
        run: hex,
        doc: "An int in base 16, such as `0xff` or `-0xff`.",
    },
    Native { name: "oct", params: "number, /", run: oct, doc: "An int in base 8, such as `0o17`." },
    Native { name: "ord", params: "character, /", run: ord, doc: "The code point of a string of length 1." },
    Native {
        name: "pow",
        params: "base, exp, mod=None",
        run: pow,
        doc: "`base ** exp`, or with `mod` the same modulo `mod` for ints, computed fast.",
    },
    Native {
        name: "round",
        params: "number, ndigits=None",
        run: round,
        doc: "Rounded to `ndigits` places, halves to the even neighbour; without `ndigits` an int.",
    },
];

fn abs(call: &mut Call) -> Res {
    let value = call.arg(0);
    if value.tag() == Tag::Instance
        && let Some(method) = call.vm.special_method(value, "__abs__")?
    {
        return call.vm.call(&method, &[]);
    }
    let value = crate::eval::Vm::unwrap_native(value);
    match value.view() {
        View::Float(f) => Ok(Value::float(f.abs())),
        View::Complex(c) => {
            let length = c.re.hypot(c.im);
            if length.is_infinite() && c.re.is_finite() && c.im.is_finite() {
                return Err(call.vm.overflow_error("absolute value too large"));
            }
            Ok(Value::float(length))
        }
        _ => match Int::of(value) {
            Some(Int::Small(i)) => {
                Ok(i.checked_abs().map_or_else(|| Value::big(BigInt::from(i).abs()), Value::int))
            }
            Some(Int::Big(big)) => Ok(Value::big(big.abs())),
            None => {
                let name = call.vm.type_name(value);
                Err(call.vm.type_error(format!("bad operand type for abs(): '{name}'")))
            }
        },
    }
}

fn bin(call: &mut Call) -> Res {
    prefixed(call, 2)
}

fn oct(call: &mut Call) -> Res {
    prefixed(call, 8)
}

fn hex(call: &mut Call) -> Res {
    prefixed(call, 16)
}

fn prefixed(call: &mut Call, base: u32) -> Res {
    let int = call.vm.to_int_value(call.arg(0))?;
    Ok(Value::str(match Int::of(&int) {
        Some(Int::Big(big)) => crate::text::int::prefixed(big, base),
        Some(Int::Small(small)) => crate::text::int::prefixed(small, base),
        None => String::new(),
    }))
}

fn chr(call: &mut Call) -> Res {
    let int = call.vm.to_int_value(call.arg(0))?;
    let Some(code) = int.as_small_int().filter(|&i| i32::try_from(i).is_ok()) else {
        return Err(call.vm.overflow_error("Python int too large to convert to C int"));
    };
    match u32::try_from(code) {
        Ok(code) if code <= 0x10_ffff => Ok(crate::eval::char_value(surrogate::to_char(code))),
        _ => Err(call.vm.value_error("chr() arg not in range(0x110000)")),
    }
}

fn ord(call: &mut Call) -> Res {
    let value = crate::eval::Vm::unwrap_native(call.arg(0));
    let len = match value.view() {
        View::Str(text) => {
            let mut chars = text.as_str().chars();
            if let (Some(c), None) = (chars.next(), chars.next()) {
                return Ok(Value::int(surrogate::code_point(c) as i64));
            }
            text.len()
        }
        View::Bytes(_) | View::ByteArray(_) => {
            let data = call.bytes(0)?;
            if let [byte] = data[..] {
                return Ok(Value::int(byte as i64));
            }
            data.len()
        }
        _ => {
            let name = call.vm.type_name(value);
            return Err(call.vm.type_error(format!("ord() expected string of length 1, but {name} found")));
        }
    };
    Err(call.vm.type_error(format!("ord() expected a character, but string of length {len} found")))
}

fn divmod(call: &mut Call) -> Res {
    let (x, y) = (call.arg(0), call.arg(1));
    for (object, name, other) in [(x, "__divmod__", y), (y, "__rdivmod__", x)] {
        if object.tag() == Tag::Instance
            && let Some(method) = call.vm.special_method(object, name)?
        {
            let result = call.vm.call(&method, std::slice::from_ref(other))?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
    }
    let (x, y) = (crate::eval::Vm::unwrap_native(x), crate::eval::Vm::unwrap_native(y));
    if let Some(both) = call.vm.number_divmod(x, y)? {
        return Ok(both);
    }
    let (l, r) = (call.vm.type_name(x), call.vm.type_name(y));
    Err(call.vm.type_error(format!("unsupported operand type(s) for divmod(): '{l}' and '{r}'")))
}

fn pow(call: &mut Call) -> Res {
    let (base, exponent) = (call.arg(0), call.arg(1));
    let Some(modulus) = call.opt_not_none(2) else {
        return call.vm.binary(BinaryOp::Pow, base, exponent);
    };
    if Int::of(modulus).is_some()
        && base.tag() != Tag::Instance
        && let Some(power) = call.vm.int_power_modulo(base, exponent, modulus)?
    {
        return Ok(power);
    }
    if base.tag() == Tag::Instance
        && let Some(method) = call.vm.special_method(base, "__pow__")?
    {
        let result = call.vm.call(&method, &[exponent.clone(), modulus.clone()])?;
        if !result.is_not_implemented() {
            return Ok(result);
        }
    }
    if let Some(power) = call.vm.int_power_modulo(base, exponent, modulus)? {
        return Ok(power);
    }
    let is_number = |v: &Value| matches!(v.tag(), Tag::Float | Tag::Complex) || Int::of(v).is_some();
    if [base, exponent, modulus].iter().any(|v| v.is::<crate::value::Complex>()) {
        return Err(call.vm.value_error("complex modulo"));
    }
    if is_number(base) && is_number(exponent) && is_number(modulus) {
        return Err(call.vm.type_error("pow() 3rd argument not allowed unless all arguments are integers"));
    }
    let (b, e, m) = (call.vm.type_name(base), call.vm.type_name(exponent), call.vm.type_name(modulus));
    Err(call.vm.type_error(format!("unsupported operand type(s) for ** or pow(): '{b}', '{e}', '{m}'")))
}

fn round(call: &mut Call) -> Res {
    let number = call.arg(0);
    let digits = call.opt_not_none(1);
    if number.tag() == Tag::Instance
        && let Some(method) = call.vm.special_method(number, "__round__")?
    {
        let args: Vec<Value> = call.opt(1).cloned().into_iter().collect();
        return call.vm.call(&method, &args);
    }
    let number = crate::eval::Vm::unwrap_native(number);
    let digits = match digits {
        Some(digits) => Some(call.vm.to_int_value(digits)?),
        None => None,
    };
    let places = digits.as_ref().and_then(Int::of).map(|digits| match digits {
        Int::Small(small) => small,
        Int::Big(_) if digits.is_negative() => i64::MIN,
        Int::Big(_) => i64::MAX,
    });
    match (number.as_float(), places) {
        (Some(float), None) => call.vm.int_from_float(float.round_ties_even()),
        (Some(float), Some(places)) => call.vm.round_float(float, places),
        (None, places) => match Int::of(number) {
            Some(int) => Ok(round_int(int, places.unwrap_or(0))),
            None => {
                let name = call.vm.type_name(number);
                Err(call.vm.type_error(format!("type {name} doesn't define __round__ method")))
            }
        },
    }
}

/// `left > right` or `left < right` as `max` and `min` ask.
pub fn compares(call: &mut Call, op: CompareOp, left: &Value, right: &Value) -> Res<bool> {
    let answer = call.vm.compare_value(op, left, right)?;
    call.vm.truth(&answer)
}
