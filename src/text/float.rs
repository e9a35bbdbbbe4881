//! Floats as scripts meet them: `repr`, `float("...")`, `hash`, `round`.
//!
//! The idea: the shortest digits that read back come from Rust, and only Python's layout is made here, on the
//! stack. What needs big integers or hexadecimal lives in [`super::float_exact`], formats with a precision in
//! [`super::digits`].

use super::digits::{self, Options, Stack, Style};
use super::unicode;
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Pow, Signed, Zero};
use std::fmt::{self, Write};

pub use super::float_exact::{as_integer_ratio, big_to_f64, cmp_big, div_big, from_hex, hex, to_big};

/// The Mersenne prime by which numbers hash, as CPython's `_PyHASH_MODULUS`.
pub const HASH_MODULUS: u64 = (1 << 61) - 1;
const HASH_INFINITY: i64 = 314_159;
/// Integral floats below this are written as integers: they have no more digits than a float carries.
const PLAIN_INTEGER: f64 = 1e15;
/// Every float from here on is integral.
const INTEGRAL: f64 = 4_503_599_627_370_496.0;
/// With more places than this `round` changes nothing, with fewer than minus `MAX_PLACES_LEFT` nothing is
/// left.
const MAX_PLACES: i32 = 323;
const MAX_PLACES_LEFT: i32 = 308;

/// `repr(value)`: the shortest text that reads back as the same float.
///
/// ```
/// # use zpy::text::float::repr;
/// assert_eq!((repr(4.0), repr(1e22), repr(1e-7)), ("4.0".into(), "1e+22".into(), "1e-07".into()));
/// ```
pub fn repr(value: f64) -> String {
    let mut out = String::with_capacity(24);
    // Writing to a String cannot fail.
    let _ = write_repr(value, &mut out);
    out
}

/// [`repr`] into any writer. Errors: the writer's.
pub fn write_repr(value: f64, out: &mut impl Write) -> fmt::Result {
    let magnitude = value.abs();
    if magnitude < PLAIN_INTEGER && magnitude.fract() == 0.0 && (magnitude != 0.0 || value.is_sign_positive())
    {
        return write!(out, "{}.0", value as i64);
    }
    if !value.is_finite() {
        return out.write_str(if value.is_nan() {
            "nan"
        } else if value > 0.0 {
            "inf"
        } else {
            "-inf"
        });
    }
    let mut text = Stack::<32>::new();
    digits::write_shortest(value, &mut text)?;
    let text = text.as_str();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // At most a sign, 17 digits, a point and an exponent, or zeros in their place: 24 characters.
    let mut shown = Stack::<32>::new();
    layout(mantissa, exponent, &mut shown)?;
    out.write_str(shown.as_str())
}

/// Shows `-1.25` and a power of ten as Python does. Pieces are copied one by one, which is faster than
/// formatting them.
fn layout(mantissa: &str, exponent: i32, out: &mut Stack<32>) -> fmt::Result {
    if !(-4..16).contains(&exponent) {
        out.write_str(mantissa)?;
        return write!(out, "e{exponent:+03}");
    }
    let unsigned = mantissa.trim_start_matches('-');
    let (first, rest) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    out.write_str(&mantissa[..mantissa.len() - unsigned.len()])?;
    // 1.25e-2: the point moves left.
    let Ok(places) = usize::try_from(exponent) else {
        out.write_str("0.")?;
        out.write_str(&"000"[..(-exponent - 1).clamp(0, 3) as usize])?;
        out.write_str(first)?;
        return out.write_str(rest);
    };
    // 1.25e1: the point moves right, past zeros if the digits run out.
    let (whole, fraction) = rest.split_at(places.min(rest.len()));
    out.write_str(first)?;
    out.write_str(whole)?;
    out.write_str(&"0000000000000000"[..(places - whole.len()).min(16)])?;
    out.write_str(".")?;
    out.write_str(if fraction.is_empty() { "0" } else { fraction })
}

/// `str(complex)` and `repr(complex)`: `(1+2j)`, `-0j`, `(nan+infj)`.
pub fn complex_repr(re: f64, im: f64) -> String {
    let mut out = String::new();
    let show =
        |value, out: &mut String| digits::write_float(value, Style::Shortest, 0, Options::default(), out);
    if re == 0.0 && re.is_sign_positive() {
        show(im, &mut out);
        out.push('j');
        return out;
    }
    out.push('(');
    show(re, &mut out);
    if im.is_nan() || im.is_sign_positive() {
        out.push('+');
    }
    show(im, &mut out);
    out.push_str("j)");
    out
}

/// What `float(text)` gives: white space around, digits of any script, `_` between digits, `inf`, `nan`; not
/// hex.
///
/// None means ValueError, "could not convert string to float: " and the repr of the text.
///
/// ```
/// # use zpy::text::float::parse;
/// assert_eq!((parse(" 1_0.5e1 "), parse("0x1p3"), parse("1__0")), (Some(105.0), None, None));
/// ```
pub fn parse(text: &str) -> Option<f64> {
    let text = unicode::to_ascii_number(text);
    let text = trim(&text);
    if !text.contains('_') {
        return parse_plain(text);
    }
    let bytes = text.as_bytes();
    let is_digit = |index: Option<usize>| index.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_digit);
    let misplaced = |&(at, &byte): &(usize, &u8)| {
        byte == b'_' && !(is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)))
    };
    if bytes.iter().enumerate().any(|pair| misplaced(&pair)) {
        return None;
    }
    parse_plain(&text.replace('_', ""))
}

/// Cuts what C's `isspace` accepts, which is what `int()` and `float()` cut.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c'])
}

/// Rust's grammar of floats is Python's, once white space and underscores are gone.
fn parse_plain(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// `hash(value)`: that of the equal integer if there is one. CPython hashes NaN by identity; here it is 0.
pub fn hash(value: f64) -> i64 {
    if value.is_nan() {
        return 0;
    }
    if value.is_infinite() {
        return if value > 0.0 { HASH_INFINITY } else { -HASH_INFINITY };
    }
    let (mantissa, exponent) = decompose(value);
    // Two to the power of 61 is 1 by this modulus, so multiplying by a power of two rotates 61 bits.
    let rotation = exponent.rem_euclid(61) as u32;
    let rotated = (mantissa << rotation & HASH_MODULUS) | (mantissa >> (61 - rotation));
    let hash = (rotated % HASH_MODULUS) as i64;
    match if value < 0.0 { -hash } else { hash } {
        -1 => -2,
        hash => hash,
    }
}

/// The magnitude of a finite float as mantissa (53 bits) and exponent of two, exactly.
pub(super) fn decompose(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let stored = (bits >> 52 & 0x7FF) as i32;
    let fraction = bits & ((1 << 52) - 1);
    if stored == 0 { (fraction, -1074) } else { (fraction | 1 << 52, stored - 1075) }
}

/// `round(value, places)`, rounding the exact binary value half to even.
///
/// The result is infinite for a finite value when rounding overflows: then OverflowError, "rounded value too
/// large to represent".
///
/// ```
/// # use zpy::text::float::round_to;
/// assert_eq!((round_to(2.675, 2), round_to(0.5, 0), round_to(1250.0, -2)), (2.67, 0.0, 1200.0));
/// ```
pub fn round_to(value: f64, places: i32) -> f64 {
    if !value.is_finite() || places > MAX_PLACES {
        return value;
    }
    if places < -MAX_PLACES_LEFT {
        return 0.0 * value;
    }
    if places < 0 {
        return round_left(value, places.unsigned_abs());
    }
    if value.abs() >= INTEGRAL {
        return value;
    }
    let mut text = Stack::<360>::new();
    // At most 16 digits before the point and `MAX_PLACES` after it.
    match write!(text, "{value:.*}", places as usize) {
        Ok(()) => text.as_str().parse().unwrap_or(value),
        Err(fmt::Error) => value,
    }
}

/// Rounds to a multiple of a power of ten.
fn round_left(value: f64, places: u32) -> f64 {
    let Some(whole) = to_big(value.abs()) else { return value };
    let unit = BigInt::from(10).pow(places);
    let (mut count, rest) = whole.div_rem(&unit);
    let doubled: BigInt = rest << 1;
    let beyond = doubled > unit || doubled == unit && (value.fract() != 0.0 || count.is_odd());
    if beyond {
        count += 1;
    }
    let rounded =
        if count.is_zero() { 0.0 } else { big_to_f64(&(count * unit).abs()).unwrap_or(f64::INFINITY) };
    rounded.copysign(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortest_text() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (123456789012345680.0, "1.2345678901234568e+17"),
            (9999999999999998.0, "9999999999999998.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (0.0001, "0.0001"),
            (0.00012345, "0.00012345"),
            (0.00001, "1e-05"),
            (-1.5e-7, "-1.5e-07"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
            (100.25, "100.25"),
            (1234567890123456.8, "1234567890123456.8"),
        ];
        for (value, text) in cases {
            assert_eq!(repr(value), text);
        }
    }

    #[test]
    fn reading() {
        for text in
            ["", " ", ".", "e5", "1e", "1_", "_1", "1_.5", "0x1", "infin", "1 2", "--1", "1e5_", "\x1c1"]
        {
            assert_eq!(parse(text), None, "{text:?}");
        }
        let cases = [
            ("+.5e-1", 0.05),
            ("-INFINITY", f64::NEG_INFINITY),
            ("١٢.٥\u{2003}", 12.5),
            ("1.", 1.0),
            ("1_0", 10.0),
        ];
        for (text, value) in cases {
            assert_eq!(parse(text), Some(value), "{text:?}");
        }
        assert!(parse("-nAn").is_some_and(f64::is_nan));
    }

    #[test]
    fn hashes() {
        assert_eq!((hash(0.0), hash(-0.0), hash(1.0), hash(-1.0)), (0, 0, 1, -2));
        assert_eq!(
            (hash(0.5), hash(1e300), hash(-2.5)),
            (1152921504606846976, 1224995262755759164, -1152921504606846978)
        );
        assert_eq!((hash(f64::INFINITY), hash(f64::NEG_INFINITY), hash(f64::NAN)), (314159, -314159, 0));
    }

    #[test]
    fn rounding() {
        assert_eq!(round_to(15.0, -1), 20.0);
        assert_eq!(round_to(25.0, -1), 20.0);
        assert_eq!(round_to(25.5, -1), 30.0);
        assert_eq!(round_to(-4.0, -1).to_bits(), (-0.0f64).to_bits());
        assert!(round_to(1.7e308, -308).is_infinite());
        assert_eq!(round_to(1e-320, 322), 1e-320);
        assert_eq!(round_to(5.0, i32::MIN), 0.0);
    }
}
