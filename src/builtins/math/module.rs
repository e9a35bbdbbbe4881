//! Python's module `math`: domain errors raise ValueError, results beyond floats OverflowError.

use super::{c, exact};
use crate::call::{Call, Native, NativeModule};
use crate::eval::Vm;
use crate::value::{Int, Raised, Res, Value};
use num_traits::ToPrimitive;

const fn row(
    name: &'static str,
    params: &'static str,
    run: crate::call::NativeFn,
    doc: &'static str,
) -> Native {
    Native { name, params, doc, run }
}

pub static MODULE: NativeModule = NativeModule {
    name: "math",
    doc: "Mathematical functions of floats, and of ints where they make sense.",
    functions: &[
        row("acos", "x, /", |c| unary(c, f64::acos), "The arc cosine in radians."),
        row("acosh", "x, /", |c| unary(c, super::hyperbolic::acosh), "The inverse hyperbolic cosine."),
        row("asin", "x, /", |c| unary(c, f64::asin), "The arc sine in radians."),
        row("asinh", "x, /", |c| unary(c, super::hyperbolic::asinh), "The inverse hyperbolic sine."),
        row("atan", "x, /", |c| unary(c, f64::atan), "The arc tangent in radians."),
        row("atan2", "y, x, /", |c| binary(c, f64::atan2), "The angle of the point (x, y), in radians."),
        row("atanh", "x, /", |c| unary(c, super::hyperbolic::atanh), "The inverse hyperbolic tangent."),
        row("cbrt", "x, /", |c| unary(c, f64::cbrt), "The cube root."),
        row("ceil", "x, /", ceil, "The smallest int that is not less than x."),
        row("comb", "n, k, /", exact::comb, "How many ways to choose k of n items."),
        row("copysign", "x, y, /", |c| binary(c, f64::copysign), "x with the sign of y."),
        row("cos", "x, /", |c| unary(c, f64::cos), "The cosine of an angle in radians."),
        row("cosh", "x, /", |c| growing(c, f64::cosh), "The hyperbolic cosine."),
        row("degrees", "x, /", |c| unary(c, |x| x * (180.0 / std::f64::consts::PI)), "Radians as degrees."),
        row("dist", "p, q, /", exact::dist, "The distance of two points given as sequences of coordinates."),
        row("erf", "x, /", |c| unary(c, |x| c::erf(x)), "The error function."),
        row("erfc", "x, /", |c| unary(c, |x| c::erfc(x)), "1 - erf(x), exact for large x."),
        row("exp", "x, /", |c| growing(c, f64::exp), "e to the power x."),
        row("exp2", "x, /", |c| growing(c, f64::exp2), "2 to the power x."),
        row("expm1", "x, /", |c| growing(c, f64::exp_m1), "exp(x) - 1, exact near 0."),
        row("fabs", "x, /", |c| unary(c, f64::abs), "The value without its sign, as a float."),
        row("factorial", "n, /", exact::factorial, "n! of an int."),
        row("floor", "x, /", floor, "The largest int that is not more than x."),
        row("fmod", "x, y, /", fmod, "The remainder of x / y with the sign of x."),
        row("frexp", "x, /", frexp, "The tuple `(m, e)` with x == m * 2**e and 0.5 <= abs(m) < 1."),
        row("fsum", "seq, /", exact::fsum, "The exact sum of floats, rounded once."),
        row("gamma", "x, /", gamma, "The gamma function."),
        row("gcd", "*integers", exact::gcd, "The greatest common divisor."),
        row("hypot", "*coordinates", exact::hypot, "The length of a vector."),
        row(
            "isclose",
            "a, b, *, rel_tol=1e-09, abs_tol=0.0",
            isclose,
            "Whether two numbers are nearly equal.",
        ),
        row("isfinite", "x, /", |c| test(c, f64::is_finite), "Whether x is neither an infinity nor NaN."),
        row("isinf", "x, /", |c| test(c, f64::is_infinite), "Whether x is an infinity."),
        row("isnan", "x, /", |c| test(c, f64::is_nan), "Whether x is NaN."),
        row("isqrt", "n, /", exact::isqrt, "The whole part of the square root of an int."),
        row("lcm", "*integers", exact::lcm, "The least common multiple."),
        row("ldexp", "x, i, /", ldexp, "x * 2**i."),
        row("lgamma", "x, /", lgamma, "The natural logarithm of the absolute value of the gamma function."),
        row(
            "log",
            "x, base=None, /",
            log,
            "The logarithm to a base, e if none is given. Ints may be of any size.",
        ),
        row("log10", "x, /", |c| log_to(c, 10), "The logarithm to base 10."),
        row("log1p", "x, /", |c| unary(c, f64::ln_1p), "log(1 + x), exact near 0."),
        row("log2", "x, /", |c| log_to(c, 2), "The logarithm to base 2."),
        row("modf", "x, /", modf, "The tuple `(fraction, whole part)`, both with the sign of x."),
        row(
            "nextafter",
            "x, y, /",
            |c| binary(c, |x, y| c::nextafter(x, y)),
            "The next float after x towards y.",
        ),
        row("perm", "n, k=None, /", exact::perm, "How many ways to choose k of n items in order."),
        row("pow", "x, y, /", pow, "x to the power y, as floats."),
        row("prod", "iterable, /, *, start=1", exact::prod, "The product of `start` and all items."),
        row("radians", "x, /", |c| unary(c, |x| x * (std::f64::consts::PI / 180.0)), "Degrees as radians."),
        row("remainder", "x, y, /", remainder, "x - n*y for the int n nearest to x / y."),
        row("sin", "x, /", |c| unary(c, f64::sin), "The sine of an angle in radians."),
        row("sinh", "x, /", |c| growing(c, f64::sinh), "The hyperbolic sine."),
        row("sqrt", "x, /", |c| unary(c, f64::sqrt), "The square root."),
        row("sumprod", "p, q, /", exact::sumprod, "The sum of the products of items of two sequences."),
        row("tan", "x, /", |c| unary(c, f64::tan), "The tangent of an angle in radians."),
        row("tanh", "x, /", |c| unary(c, f64::tanh), "The hyperbolic tangent."),
        row("trunc", "x, /", trunc, "The whole part as an int."),
        row("ulp", "x, /", ulp, "The value of the last bit of x."),
    ],
    constants: &[
        ("pi", |_| Value::float(std::f64::consts::PI)),
        ("e", |_| Value::float(std::f64::consts::E)),
        ("tau", |_| Value::float(std::f64::consts::TAU)),
        ("inf", |_| Value::float(f64::INFINITY)),
        ("nan", |_| Value::float(f64::NAN)),
    ],
};

/// The error for an argument outside a function's domain.
#[cold]
pub fn domain(vm: &mut Vm) -> Raised {
    vm.value_error("math domain error")
}

#[cold]
fn range(vm: &mut Vm) -> Raised {
    vm.overflow_error("math range error")
}

/// A function whose infinite results for finite arguments are poles.
fn unary(call: &mut Call, function: fn(f64) -> f64) -> Res {
    let x = call.float(0)?;
    let result = function(x);
    if result.is_nan() && !x.is_nan() || result.is_infinite() && x.is_finite() {
        return Err(domain(call.vm));
    }
    Ok(Value::float(result))
}

/// A function whose infinite results for finite arguments are overflows.
fn growing(call: &mut Call, function: fn(f64) -> f64) -> Res {
    let x = call.float(0)?;
    let result = function(x);
    if result.is_infinite() && x.is_finite() {
        return Err(range(call.vm));
    }
    Ok(Value::float(result))
}

fn binary(call: &mut Call, function: fn(f64, f64) -> f64) -> Res {
    let (x, y) = (call.float(0)?, call.float(1)?);
    Ok(Value::float(function(x, y)))
}

fn test(call: &mut Call, function: fn(f64) -> bool) -> Res {
    Ok(Value::bool(function(call.float(0)?)))
}

/// `floor`, `ceil` and `trunc`: ints stay, classes may define the operation, floats are rounded.
fn rounded(call: &mut Call, special: &str, function: fn(f64) -> f64) -> Res {
    let value = call.arg(0);
    if let Some(int) = Int::of(value) {
        return Ok(int.to_value());
    }
    if value.as_float().is_none()
        && let Some(method) = call.vm.special_method(value, special)?
    {
        return call.vm.call(&method, &[]);
    }
    let x = call.float(0)?;
    call.vm.int_from_float(function(x))
}

fn floor(call: &mut Call) -> Res {
    rounded(call, "__floor__", f64::floor)
}

fn ceil(call: &mut Call) -> Res {
    rounded(call, "__ceil__", f64::ceil)
}

fn trunc(call: &mut Call) -> Res {
    let value = call.arg(0);
    let is_number = value.as_float().is_some()
        || Int::of(value).is_some()
        || call.vm.special_method(value, "__trunc__")?.is_some();
    if !is_number {
        let name = call.vm.type_name(value);
        return Err(call.vm.type_error(format!("type {name} doesn't define __trunc__ method")));
    }
    rounded(call, "__trunc__", f64::trunc)
}

fn fmod(call: &mut Call) -> Res {
    let (x, y) = (call.float(0)?, call.float(1)?);
    let result = x % y;
    if result.is_nan() && !x.is_nan() && !y.is_nan() {
        return Err(domain(call.vm));
    }
    Ok(Value::float(result))
}

fn remainder(call: &mut Call) -> Res {
    let (x, y) = (call.float(0)?, call.float(1)?);
    let result = c::remainder(x, y);
    if result.is_nan() && !x.is_nan() && !y.is_nan() {
        return Err(domain(call.vm));
    }
    Ok(Value::float(result))
}

fn pow(call: &mut Call) -> Res {
    let (x, y) = (call.float(0)?, call.float(1)?);
    let result = x.powf(y);
    if x.is_finite() && y.is_finite() {
        if result.is_nan() || result.is_infinite() && x == 0.0 {
            return Err(domain(call.vm));
        }
        if result.is_infinite() {
            return Err(range(call.vm));
        }
    }
    Ok(Value::float(result))
}

/// Fraction and whole part, both with the sign of `x`.
pub fn split(x: f64) -> (f64, f64) {
    if x.is_infinite() {
        return (0.0f64.copysign(x), x);
    }
    let whole = x.trunc();
    ((x - whole).copysign(x), whole)
}

fn modf(call: &mut Call) -> Res {
    let (fraction, whole) = split(call.float(0)?);
    Ok(Value::tuple(vec![Value::float(fraction), Value::float(whole)]))
}

/// `x == mantissa * 2**exponent` with a mantissa from 0.5 to 1.
pub fn taken_apart(x: f64) -> (f64, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    // Subnormal numbers are scaled up first.
    let (x, shift) = if x.abs() < f64::MIN_POSITIVE { (x * (1u64 << 54) as f64, 54) } else { (x, 0) };
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32 - 1022;
    (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), exponent - shift)
}

fn frexp(call: &mut Call) -> Res {
    let (mantissa, exponent) = taken_apart(call.float(0)?);
    Ok(Value::tuple(vec![Value::float(mantissa), Value::int(exponent as i64)]))
}

fn ldexp(call: &mut Call) -> Res {
    let x = call.float(0)?;
    let Some(exponent) = Int::of(call.arg(1)) else {
        return Err(call.vm.type_error("Expected an int as second argument to ldexp."));
    };
    let limit = |i: i64| i.clamp(-10_000, 10_000) as i32;
    let exponent = match exponent {
        Int::Small(i) => limit(i),
        big if big.is_negative() => limit(i64::MIN),
        _ => limit(i64::MAX),
    };
    let result = c::ldexp(x, exponent);
    if result.is_infinite() && x.is_finite() {
        return Err(range(call.vm));
    }
    Ok(Value::float(result))
}

fn gamma(call: &mut Call) -> Res {
    let x = call.float(0)?;
    let is_pole = x == f64::NEG_INFINITY || x <= 0.0 && x == x.floor();
    if is_pole {
        return Err(domain(call.vm));
    }
    // The product is exact here, and the C library's answer may not be.
    if x == x.floor() && x <= 23.0 {
        return Ok(Value::float((1..x as u64).map(|i| i as f64).product()));
    }
    let result = c::tgamma(x);
    if result.is_infinite() && x.is_finite() {
        return Err(range(call.vm));
    }
    Ok(Value::float(result))
}

fn lgamma(call: &mut Call) -> Res {
    let x = call.float(0)?;
    if x <= 0.0 && x == x.floor() && x.is_finite() {
        return Err(domain(call.vm));
    }
    let result = c::lgamma(x);
    if result.is_infinite() && x.is_finite() {
        return Err(range(call.vm));
    }
    Ok(Value::float(result))
}

fn isclose(call: &mut Call) -> Res {
    let (a, b) = (call.float(0)?, call.float(1)?);
    let tolerance = |call: &mut Call, index: usize, usual: f64| match call.keyword(index) {
        Some(value) => call.vm.to_float(value),
        None => Ok(usual),
    };
    let (relative, absolute) = (tolerance(call, 0, 1e-9)?, tolerance(call, 1, 0.0)?);
    if relative < 0.0 || absolute < 0.0 {
        return Err(call.vm.value_error("tolerances must be non-negative"));
    }
    if a == b {
        return Ok(Value::TRUE);
    }
    if a.is_infinite() || b.is_infinite() {
        return Ok(Value::FALSE);
    }
    let difference = (a - b).abs();
    let is_close =
        difference <= (relative * b).abs() || difference <= (relative * a).abs() || difference <= absolute;
    Ok(Value::bool(is_close))
}

fn ulp(call: &mut Call) -> Res {
    let x = call.float(0)?.abs();
    if !x.is_finite() {
        return Ok(Value::float(x));
    }
    let next = c::nextafter(x, f64::INFINITY);
    Ok(Value::float(if next.is_infinite() { x - c::nextafter(x, 0.0) } else { next - x }))
}

/// A logarithm of a number that may be an int beyond the floats.
fn logarithm(vm: &mut Vm, value: &Value, function: fn(f64) -> f64) -> Res<f64> {
    let inside = Vm::unwrap_native(value);
    if let Some(Int::Big(big)) = Int::of(inside) {
        if big.sign() == num_bigint::Sign::Minus {
            return Err(domain(vm));
        }
        // log(m * 2**e) = log(m) + e * log(2), with m from 0.5 to 1.
        let shift = big.bits().saturating_sub(64);
        let mantissa = (big >> shift).to_f64().unwrap_or(f64::INFINITY) / (1u128 << 64) as f64;
        return Ok(function(mantissa) + function(2.0) * (shift + 64) as f64);
    }
    let x = vm.to_float(value)?;
    if x.is_nan() {
        return Ok(x);
    }
    if x <= 0.0 {
        return Err(domain(vm));
    }
    Ok(function(x))
}

fn log(call: &mut Call) -> Res {
    let top = logarithm(call.vm, call.arg(0), f64::ln)?;
    let Some(base) = call.opt(1) else { return Ok(Value::float(top)) };
    let bottom = logarithm(call.vm, base, f64::ln)?;
    if bottom == 0.0 {
        return Err(call.vm.zero_division("float division by zero"));
    }
    Ok(Value::float(top / bottom))
}

fn log_to(call: &mut Call, base: u32) -> Res {
    let function = if base == 2 { f64::log2 } else { f64::log10 };
    Ok(Value::float(logarithm(call.vm, call.arg(0), function)?))
}
