//! Methods of complex numbers, and what `complex(...)` makes of other values.

use super::special_rows::{ARITHMETIC, POWER, REFLECTED_POWER, UNARY, itself};
use super::{Complex, Int, Raised, Ref, Res, Tag, Value, View};
use crate::call::{Call, Native};
use crate::eval::{Exc, Vm};
use crate::text;

pub const COMPLEX: &[Native] = crate::rows![OWN, ARITHMETIC, UNARY];

const OWN: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, real=0, imag=0",
        run: new,
        doc: "The number that a text such as `1+2j` stands for, or `real + imag * 1j`.",
    },
    Native {
        name: ".real",
        params: "self",
        run: |call| Ok(Value::float(this(call)?.re)),
        doc: "The real part.",
    },
    Native {
        name: ".imag",
        params: "self",
        run: |call| Ok(Value::float(this(call)?.im)),
        doc: "The imaginary part.",
    },
    Native { name: "conjugate", params: "self, /", run: conjugate, doc: "With the imaginary part negated." },
    Native { name: "__complex__", params: "self, /", run: itself, doc: "`complex(self)`." },
    Native { name: "__abs__", params: "self, /", run: absolute, doc: "The distance from zero." },
    POWER,
    REFLECTED_POWER,
    Native {
        name: "__getnewargs__",
        params: "self, /",
        run: new_args,
        doc: "What `__new__` needs to make an equal one.",
    },
];

/// The receiver as a number.
fn this(call: &mut Call) -> Res<Complex> {
    Ok(*call.this::<Complex>()?)
}

fn value(re: f64, im: f64) -> Value {
    Ref::new(Complex { re, im }).into()
}

fn new(call: &mut Call) -> Res {
    let (first, second) = (call.opt(1), call.opt(2));
    if let (Some(first), None) = (first, second)
        && first.is::<Complex>()
    {
        return Ok(first.clone());
    }
    let text = first.and_then(|f| Vm::unwrap_native(f).as_str());
    if let Some(text) = text {
        if second.is_some() {
            return Err(call.vm.type_error("complex() can't take second arg if first is a string"));
        }
        return match parse(text) {
            Some(Complex { re, im }) => Ok(value(re, im)),
            None => Err(call.vm.value_error("complex() arg is a malformed string")),
        };
    }
    if second.is_some_and(|s| Vm::unwrap_native(s).as_str().is_some()) {
        return Err(call.vm.type_error("complex() second arg can't be a string"));
    }
    let first_wrong = "complex() first argument must be a string or a number, not";
    let second_wrong = "complex() second argument must be a number, not";
    let real = part(call, first, first_wrong)?;
    let Some(second) = second else { return Ok(value(real.re, real.im)) };
    let imag = part(call, Some(second), second_wrong)?;
    // real + imag * 1j
    Ok(value(real.re - imag.im, if imag.im == 0.0 && real.im == 0.0 { imag.re } else { real.im + imag.re }))
}

/// An argument as a complex number; `wrong` begins the message for one that is no number.
fn part(call: &mut Call, given: Option<&Value>, wrong: &str) -> Res<Complex> {
    let Some(given) = given else { return Ok(Complex { re: 0.0, im: 0.0 }) };
    let vm = &mut *call.vm;
    if given.tag() == Tag::Instance
        && let Some(method) = vm.special_method(given, "__complex__")?
    {
        let result = vm.call(&method, &[])?;
        return match Vm::unwrap_native(&result).get::<Complex>() {
            Some(complex) => {
                let complex = *complex;
                if !result.is::<Complex>() {
                    let got = vm.type_name(&result);
                    vm.warn_of_derived("__complex__", "complex", &got)?;
                }
                Ok(complex)
            }
            None => {
                let name = vm.type_name(&result);
                Err(vm.type_error(format!("__complex__ returned non-complex (type {name})")))
            }
        };
    }
    let inner = Vm::unwrap_native(given);
    if let View::Complex(complex) = inner.view() {
        return Ok(*complex);
    }
    let is_real = inner.as_float().is_some() || Int::of(inner).is_some();
    if !is_real && given.tag() != Tag::Instance {
        return Err(not_a_number(vm, given, wrong));
    }
    let result = vm.to_float(given);
    if result.is_err() && vm.is_raised(Exc::TypeError) {
        vm.take_raised();
        return Err(not_a_number(vm, given, wrong));
    }
    Ok(Complex { re: result?, im: 0.0 })
}

fn not_a_number(vm: &mut Vm, given: &Value, wrong: &str) -> Raised {
    let name = vm.type_name(given);
    vm.type_error(format!("{wrong} '{name}'"))
}

/// Reads `1`, `2j`, `1+2j`, `-j`, with parentheses and white space around.
fn parse(text: &str) -> Option<Complex> {
    let text = text.trim();
    let text = match text.strip_prefix('(') {
        Some(inside) => inside.strip_suffix(')')?.trim(),
        None => text,
    };
    if let Some((re, rest)) = take_float(text) {
        if rest.is_empty() {
            return Some(Complex { re, im: 0.0 });
        }
        if is_unit(rest) {
            return Some(Complex { re: 0.0, im: re });
        }
        if !rest.starts_with(['+', '-']) {
            return None;
        }
        return imaginary(rest).map(|im| Complex { re, im });
    }
    imaginary(text).map(|im| Complex { re: 0.0, im })
}

fn is_unit(text: &str) -> bool {
    matches!(text, "j" | "J")
}

/// Reads `+2j` or `-j` to its end.
fn imaginary(text: &str) -> Option<f64> {
    if let Some((im, rest)) = take_float(text) {
        return is_unit(rest).then_some(im);
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    is_unit(rest).then_some(sign)
}

/// The longest float a text starts with, and what follows it.
fn take_float(text: &str) -> Option<(f64, &str)> {
    let bytes = text.as_bytes();
    let mut at = bytes.first().is_some_and(|b| matches!(b, b'+' | b'-')) as usize;
    let lower = text[at..].to_ascii_lowercase();
    let word = ["infinity", "inf", "nan"].into_iter().find(|word| lower.starts_with(word));
    if let Some(word) = word {
        let end = at + word.len();
        return Some((text::float::parse(&text[..end])?, &text[end..]));
    }
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(|b| b.is_ascii_digit() || *b == b'_') {
            at += 1;
        }
        at
    };
    at = digits(at);
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1);
    }
    if bytes.get(at).is_some_and(|b| matches!(b, b'e' | b'E')) {
        let sign = bytes.get(at + 1).is_some_and(|b| matches!(b, b'+' | b'-')) as usize;
        let end = digits(at + 1 + sign);
        if end > at + 1 + sign {
            at = end;
        }
    }
    Some((text::float::parse(&text[..at])?, &text[at..]))
}

fn conjugate(call: &mut Call) -> Res {
    let this = this(call)?;
    Ok(value(this.re, -this.im))
}

fn absolute(call: &mut Call) -> Res {
    let this = this(call)?;
    let length = this.re.hypot(this.im);
    if length.is_infinite() && this.re.is_finite() && this.im.is_finite() {
        return Err(call.vm.overflow_error("absolute value too large"));
    }
    Ok(Value::float(length))
}

fn new_args(call: &mut Call) -> Res {
    let this = this(call)?;
    Ok(Value::tuple(vec![Value::float(this.re), Value::float(this.im)]))
}
