//! Methods of floats, and what `float(...)` makes of other values.

use super::int_methods::{DIVMOD, REFLECTED_DIVMOD, text_of_number};
use super::special_rows::{ARITHMETIC, DIVISION, POWER, REFLECTED_POWER, UNARY, itself};
use super::{Res, Value, View};
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::text;

pub const FLOAT: &[Native] = crate::rows![OWN, &[DIVMOD, REFLECTED_DIVMOD], ARITHMETIC, DIVISION, UNARY];

const OWN: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, value=0, /",
        run: new,
        doc: "The float that a text stands for, or a number as a float. ValueError for other texts.",
    },
    Native { name: ".real", params: "self", run: itself, doc: "The number itself." },
    Native {
        name: ".imag",
        params: "self",
        run: |_| Ok(Value::float(0.0)),
        doc: "0.0: floats have no imaginary part.",
    },
    Native {
        name: "as_integer_ratio",
        params: "self, /",
        run: as_integer_ratio,
        doc: "Numerator and denominator of the exact value, in lowest terms.",
    },
    Native { name: "conjugate", params: "self, /", run: itself, doc: "The number itself." },
    Native {
        name: "fromhex",
        params: "cls, string, /",
        run: from_hex,
        doc: "The float that a hexadecimal text such as `0x1.8p3` stands for.",
    },
    Native {
        name: "__getformat__",
        params: "cls, typestr, /",
        run: format_of,
        doc: "How the machine keeps a `double` or a `float`: IEEE 754, and its byte order.",
    },
    Native { name: "hex", params: "self, /", run: hex, doc: "The exact value as hexadecimal text." },
    Native { name: "is_integer", params: "self, /", run: is_integer, doc: "Whether it has no fraction." },
    Native { name: "__float__", params: "self, /", run: itself, doc: "`float(self)`." },
    Native { name: "__int__", params: "self, /", run: truncate, doc: "`int(self)`." },
    Native {
        name: "__trunc__",
        params: "self, /",
        run: truncate,
        doc: "The number without its fraction, as an int.",
    },
    Native {
        name: "__floor__",
        params: "self, /",
        run: |call| to_int(call, f64::floor),
        doc: "The nearest int below.",
    },
    Native {
        name: "__ceil__",
        params: "self, /",
        run: |call| to_int(call, f64::ceil),
        doc: "The nearest int above.",
    },
    Native { name: "__abs__", params: "self, /", run: absolute, doc: "`abs(self)`." },
    Native {
        name: "__round__",
        params: "self, ndigits=None, /",
        run: round,
        doc: "Rounded to `ndigits` places, half to even; to an int without `ndigits`.",
    },
    POWER,
    REFLECTED_POWER,
    Native {
        name: "__getnewargs__",
        params: "self, /",
        run: new_args,
        doc: "What `__new__` needs to make an equal one.",
    },
];

fn new(call: &mut Call) -> Res {
    match call.opt(1) {
        None => Ok(Value::float(0.0)),
        Some(value) => Ok(Value::float(call.vm.float_from(value)?)),
    }
}

impl Vm {
    /// `float(value)`.
    ///
    /// # Errors
    /// `TypeError` for what is neither number nor text, `ValueError` for text that is no number,
    /// `OverflowError` for ints that are too large.
    pub fn float_from(&mut self, value: &Value) -> Res<f64> {
        if let View::Instance(_) = value.view() {
            let is_number = self.special_method(value, "__float__")?.is_some()
                || self.special_method(value, "__index__")?.is_some();
            if is_number {
                return self.to_float(value);
            }
        }
        if let Some(digits) = text_of_number(value) {
            if let Some(float) = text::float::parse(&digits) {
                return Ok(if float.is_nan() { new_nan().copysign(float) } else { float });
            }
            let shown = self.repr_of(Vm::unwrap_native(value))?;
            return Err(self.value_error(format!("could not convert string to float: {shown}")));
        }
        match Vm::unwrap_native(value).view() {
            View::Float(_) | View::Int(_) | View::BigInt(_) | View::Bool(_) => self.to_float(value),
            _ => {
                let name = self.type_name(value);
                Err(self
                    .type_error(format!("float() argument must be a string or a real number, not '{name}'")))
            }
        }
    }
}

/// A NaN that is not the same object as any other: its payload counts up. Containers find a NaN by
/// identity, so two `float("nan")` must differ.
fn new_nan() -> f64 {
    thread_local! {
        static NEXT: std::cell::Cell<u64> = const { std::cell::Cell::new(1) };
    }
    const QUIET: u64 = 0x7ff8_0000_0000_0000;
    const PAYLOAD: u64 = (1 << 50) - 1;
    f64::from_bits(QUIET | (NEXT.replace(NEXT.get() + 1) & PAYLOAD))
}

fn format_of(call: &mut Call) -> Res {
    if !matches!(call.str(1)?, "double" | "float") {
        let message = "__getformat__() argument 1 must be 'double' or 'float'";
        return Err(call.vm.value_error(message));
    }
    let order = if cfg!(target_endian = "big") { "big" } else { "little" };
    Ok(Value::str(format!("IEEE, {order}-endian")))
}

/// The receiver as a number.
fn this(call: &mut Call) -> Res<f64> {
    Ok(call.inner()?.as_float().unwrap_or(0.0))
}

fn as_integer_ratio(call: &mut Call) -> Res {
    match text::float::as_integer_ratio(this(call)?) {
        Ok((numerator, denominator)) => {
            Ok(Value::tuple(vec![Value::big(numerator), Value::big(denominator)]))
        }
        Err(error) => Err(call.vm.format_error(error)),
    }
}

fn from_hex(call: &mut Call) -> Res {
    let class = call.class()?;
    let float = match text::float::from_hex(call.str(1)?) {
        Ok(float) => Value::float(float),
        Err(error) => return Err(call.vm.format_error(error)),
    };
    if class.flags.is_user { call.vm.call(&class.into(), &[float]) } else { Ok(float) }
}

fn hex(call: &mut Call) -> Res {
    Ok(Value::str(text::float::hex(this(call)?)))
}

fn is_integer(call: &mut Call) -> Res {
    let this = this(call)?;
    Ok(Value::bool(this.is_finite() && this.fract() == 0.0))
}

fn truncate(call: &mut Call) -> Res {
    to_int(call, f64::trunc)
}

fn to_int(call: &mut Call, rounded: fn(f64) -> f64) -> Res {
    let this = this(call)?;
    call.vm.int_from_float(rounded(this))
}

fn absolute(call: &mut Call) -> Res {
    Ok(Value::float(this(call)?.abs()))
}

fn round(call: &mut Call) -> Res {
    let this = this(call)?;
    match call.opt_not_none(1) {
        None => call.vm.int_from_float(this.round_ties_even()),
        Some(digits) => {
            let digits = call.vm.to_int_value(digits)?;
            let places = digits.as_small_int().unwrap_or(i64::MAX);
            call.vm.round_float(this, places)
        }
    }
}

impl Vm {
    /// `round(float, places)`.
    ///
    /// # Errors
    /// `OverflowError` if the result is too large.
    pub fn round_float(&mut self, float: f64, places: i64) -> Res {
        // Beyond these bounds all digits stay or none does.
        let rounded = text::float::round_to(float, places.clamp(-400, 400) as i32);
        if rounded.is_infinite() && float.is_finite() {
            return Err(self.overflow_error("rounded value too large to represent"));
        }
        Ok(Value::float(rounded))
    }
}

fn new_args(call: &mut Call) -> Res {
    Ok(Value::tuple(vec![Value::float(this(call)?)]))
}
