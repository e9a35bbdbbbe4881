//! Floats beside big integers, ratios and hexadecimal: whatever must be exact or rounded only once.
//!
//! The idea: a float is an integer times a power of two, so every conversion *to* integers is exact, and
//! every conversion *from* them ends in `round_scaled`, the only place where bits are dropped (half to
//! even).

use super::error::FormatError;
use super::float::{decompose, trim};
use num_bigint::{BigInt, BigUint};
use num_integer::Integer;
use num_traits::{FromPrimitive, One, Signed, ToPrimitive, Zero};
use std::cmp::Ordering;

/// Bits in a float's mantissa.
const PRECISION: i64 = 53;
/// The exponent of the smallest float above zero.
const MIN_EXPONENT: i64 = -1074;
/// Magnitudes from two to this power on are infinite.
const MAX_EXPONENT: i64 = 1024;

/// The integer part of `value`; None for infinities and NaN.
pub fn to_big(value: f64) -> Option<BigInt> {
    BigInt::from_f64(value)
}

/// The nearest float, half to even; None if there is none: OverflowError, "int too large to convert to
/// float".
pub fn big_to_f64(value: &BigInt) -> Option<f64> {
    let magnitude = round_scaled(value.magnitude(), 0, false)?;
    Some(if value.is_negative() { -magnitude } else { magnitude })
}

/// Compares exactly, as `value < integer` does; None for NaN.
pub fn cmp_big(value: f64, integer: &BigInt) -> Option<Ordering> {
    if value.is_nan() {
        return None;
    }
    let Some(whole) = to_big(value) else { return 0.0f64.partial_cmp(&-value) };
    // Truncation only loses a fraction with the sign of the value, so it decides nothing but a tie.
    Some(whole.cmp(integer).then(value.fract().partial_cmp(&0.0)?))
}

/// `a / b` as the nearest float, half to even; None if too large, or if `b` is zero, so ask that first.
///
/// The caller raises OverflowError, "integer division result too large for a float".
pub fn div_big(a: &BigInt, b: &BigInt) -> Option<f64> {
    if b.is_zero() {
        return None;
    }
    // As in CPython the signs decide even for zero: 0 / -5 is -0.0.
    let negative = a.is_negative() != b.is_negative();
    let magnitude = div_magnitudes(a.magnitude(), b.magnitude())?;
    Some(if negative { -magnitude } else { magnitude })
}

fn div_magnitudes(a: &BigUint, b: &BigUint) -> Option<f64> {
    let distance = a.bits() as i64 - b.bits() as i64;
    if distance > MAX_EXPONENT + 1 {
        return None;
    }
    if a.is_zero() || distance < MIN_EXPONENT - 2 {
        return Some(0.0);
    }
    // A quotient of at least 65 bits, whose remainder is only asked whether it is zero.
    let shift = PRECISION + 13 - distance;
    let (quotient, remainder) =
        if shift >= 0 { (a << shift as u64).div_rem(b) } else { a.div_rem(&(b << shift.unsigned_abs())) };
    round_scaled(&quotient, -shift, !remainder.is_zero())
}

/// `magnitude` times two to the power of `exponent`, rounded half to even; None if that is infinite.
///
/// With `more` the true magnitude is larger by less than one; it must then have more bits than a float.
fn round_scaled(magnitude: &BigUint, exponent: i64, more: bool) -> Option<f64> {
    let bits = magnitude.bits() as i64;
    let top = bits.saturating_add(exponent);
    if bits == 0 || top < MIN_EXPONENT {
        return Some(0.0);
    }
    if top > MAX_EXPONENT {
        return None;
    }
    // The weight of the result's last bit, which subnormal numbers cannot have smaller.
    let last = (top - PRECISION).max(MIN_EXPONENT);
    let dropped = last - exponent;
    let mantissa = if dropped <= 0 {
        (magnitude << dropped.unsigned_abs()).to_u64()?
    } else {
        let dropped = dropped as u64;
        let kept = (magnitude >> dropped).to_u64()?;
        let half = magnitude.bit(dropped - 1);
        let beyond = more || magnitude.trailing_zeros().is_some_and(|zeros| zeros < dropped - 1);
        kept + u64::from(half && (beyond || kept & 1 == 1))
    };
    let value = times_power_of_two(mantissa as f64, last as i32);
    value.is_finite().then_some(value)
}

/// Exact as long as the result is a float.
fn times_power_of_two(value: f64, exponent: i32) -> f64 {
    let power = |exponent: i32| f64::from_bits(((exponent + 1023) as u64) << 52);
    let half = exponent / 2;
    value * power(half) * power(exponent - half)
}

/// `value.as_integer_ratio()`: numerator and denominator in lowest terms.
///
/// Errors: OverflowError for infinities, ValueError for NaN.
pub fn as_integer_ratio(value: f64) -> Result<(BigInt, BigInt), FormatError> {
    if value.is_nan() {
        return Err(FormatError::value("cannot convert NaN to integer ratio"));
    }
    if value.is_infinite() {
        return Err(FormatError::overflow("cannot convert Infinity to integer ratio"));
    }
    if value == 0.0 {
        return Ok((BigInt::zero(), BigInt::one()));
    }
    let (mantissa, exponent) = decompose(value);
    let even = mantissa.trailing_zeros();
    let exponent = exponent + even as i32;
    let numerator = BigInt::from(mantissa >> even) * if value < 0.0 { -1 } else { 1 };
    let power = BigInt::one() << exponent.unsigned_abs();
    Ok(if exponent >= 0 { (numerator * power, BigInt::one()) } else { (numerator, power) })
}

/// `value.hex()`
///
/// ```
/// # use zpy::text::float::{from_hex, hex};
/// assert_eq!(hex(-0.1), "-0x1.999999999999ap-4");
/// assert_eq!(from_hex("0x.8p1"), Ok(1.0));
/// ```
pub fn hex(value: f64) -> String {
    if !value.is_finite() {
        return super::float::repr(value);
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value == 0.0 {
        return format!("{sign}0x0.0p+0");
    }
    let (mantissa, exponent) = decompose(value);
    let (whole, fraction) = (mantissa >> 52, mantissa & ((1 << 52) - 1));
    format!("{sign}0x{whole}.{fraction:013x}p{:+}", exponent + 52)
}

/// `float.fromhex(text)`: an optional `0x`, hexadecimal digits with an optional point, an optional exponent
/// `p`.
///
/// Errors: ValueError, or OverflowError if there is no such float.
pub fn from_hex(text: &str) -> Result<f64, FormatError> {
    let invalid = || FormatError::value("invalid hexadecimal floating-point string");
    let text = trim(text);
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = unsigned.to_ascii_lowercase();
    let magnitude = match lower.as_str() {
        "inf" | "infinity" => f64::INFINITY,
        "nan" => f64::NAN,
        _ => {
            let HexNumber { digits, exponent, complete } = hex_number(&lower).ok_or_else(invalid)?;
            let mantissa = BigUint::from_radix_be(&digits, 16).ok_or_else(invalid)?;
            let too_large = "hexadecimal value too large to represent as a float";
            let value = round_scaled(&mantissa, exponent, false);
            let value = value.ok_or_else(|| FormatError::overflow(too_large))?;
            // Like CPython, what follows the number is looked at last.
            if !complete {
                return Err(invalid());
            }
            value
        }
    };
    Ok(if negative { -magnitude } else { magnitude })
}

/// The number in `0x1.8p3`.
struct HexNumber {
    /// Digit values, without the point.
    digits: Vec<u8>,
    /// The power of two that belongs to the last digit.
    exponent: i64,
    /// Whether nothing follows.
    complete: bool,
}

/// Reads small letters; None if there are no digits, or none after `p`.
fn hex_number(text: &str) -> Option<HexNumber> {
    let text = text.strip_prefix("0x").unwrap_or(text);
    let split = |text: &str, test: fn(&u8) -> bool| {
        let end = text.bytes().position(|b| !test(&b)).unwrap_or(text.len());
        (text[..end].to_owned(), end)
    };
    let (mut digits, end) = split(text, u8::is_ascii_hexdigit);
    let mut rest = &text[end..];
    let mut exponent = 0;
    if let Some(after) = rest.strip_prefix('.') {
        let (fraction, end) = split(after, u8::is_ascii_hexdigit);
        exponent = -4 * fraction.len() as i64;
        digits.push_str(&fraction);
        rest = &after[end..];
    }
    if digits.is_empty() {
        return None;
    }
    if let Some(after) = rest.strip_prefix('p') {
        let (negative, after) = match after.strip_prefix('-') {
            Some(after) => (true, after),
            None => (false, after.strip_prefix('+').unwrap_or(after)),
        };
        let (power, end) = split(after, u8::is_ascii_digit);
        if power.is_empty() {
            return None;
        }
        exponent += if negative { -clamped(&power) } else { clamped(&power) };
        rest = &after[end..];
    }
    let digits = digits.chars().filter_map(|c| c.to_digit(16)).map(|value| value as u8).collect();
    Some(HexNumber { digits, exponent, complete: rest.is_empty() })
}

/// A decimal number, kept far from the limits of i64: it only has to be decisively large.
fn clamped(digits: &str) -> i64 {
    const LIMIT: i64 = 1 << 50;
    digits.bytes().fold(0, |sum: i64, b| (sum * 10 + i64::from(b - b'0')).min(LIMIT))
}

/// The integer equal to `value`, if there is one.
pub fn exact_integer(value: f64) -> Option<BigInt> {
    if value.is_finite() && value.fract() == 0.0 { to_big(value) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn big(text: &str) -> BigInt {
        text.parse().unwrap_or_default()
    }

    #[test]
    fn nearest() {
        assert_eq!(big_to_f64(&big("9007199254740993")), Some(9007199254740992.0));
        assert_eq!(big_to_f64(&big("-9007199254740995")), Some(-9007199254740996.0));
        assert_eq!(big_to_f64(&(BigInt::one() << 1024)), None);
        assert_eq!(big_to_f64(&((BigInt::one() << 1024) - 1)), None);
        assert_eq!(big_to_f64(&BigInt::zero()), Some(0.0));
        assert_eq!(div_big(&big("1"), &big("3")), Some(1.0 / 3.0));
        assert_eq!(div_big(&big("-7"), &(BigInt::one() << 1076)), Some(-1e-323));
        assert_eq!(div_big(&big("1"), &(BigInt::one() << 1075)), Some(0.0));
        assert_eq!(div_big(&(BigInt::one() << 2000), &(BigInt::one() << 1000)), Some(2f64.powi(1000)));
        assert_eq!(
            (div_big(&(BigInt::one() << 2000), &big("3")), div_big(&big("1"), &big("0"))),
            (None, None)
        );
    }

    #[test]
    fn comparing() {
        use Ordering::{Equal, Greater, Less};
        let big53 = big("9007199254740993");
        assert_eq!(cmp_big(9007199254740992.0, &big53), Some(Less));
        assert_eq!(cmp_big(-0.5, &big("0")), Some(Less));
        assert_eq!(cmp_big(0.5, &big("0")), Some(Greater));
        assert_eq!(cmp_big(-0.0, &big("0")), Some(Equal));
        assert_eq!(cmp_big(f64::INFINITY, &big53), Some(Greater));
        assert_eq!(cmp_big(f64::NEG_INFINITY, &-big53), Some(Less));
        assert_eq!(cmp_big(f64::NAN, &big("0")), None);
    }

    #[test]
    fn hexadecimal() {
        assert_eq!(hex(5e-324), "0x0.0000000000001p-1022");
        assert_eq!(hex(-0.0), "-0x0.0p+0");
        assert_eq!(from_hex(" -0X1.8P+1\n"), Ok(-3.0));
        assert_eq!(from_hex("0x1p-99999999999999999999"), Ok(0.0));
        assert_eq!(from_hex("0x0p99999999999999999999"), Ok(0.0));
        assert_eq!(from_hex("1.00000000000008"), Ok(1.0));
        for text in ["", "0x", "0x.", "p3", "1p", "0x1p1.5", "1 2", "é", "0x1.2.3"] {
            assert!(from_hex(text).is_err(), "{text:?}");
        }
        assert!(from_hex("0x1p1024").is_err_and(|e| e.message.starts_with("hexadecimal value too large")));
    }

    #[test]
    fn ratios() {
        assert_eq!(as_integer_ratio(-0.75), Ok((big("-3"), big("4"))));
        assert_eq!(as_integer_ratio(1e22), Ok((big("10000000000000000000000"), big("1"))));
        assert_eq!(as_integer_ratio(-0.0), Ok((big("0"), big("1"))));
        assert!(as_integer_ratio(f64::NAN).is_err() && as_integer_ratio(f64::INFINITY).is_err());
    }
}
