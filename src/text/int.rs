//! Integers as text and back, and their hash.
//!
//! The idea: a number that fits an i64 never touches BigInt. Reading adds digits up in a u64 and only starts
//! over with big numbers when that overflows; writing takes [`IntRef`], which is either kind.

use super::float::{HASH_MODULUS, trim};
use super::repr::repr_str;
use super::unicode;
use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{Pow, Signed};
use std::fmt::{self, Write};

/// An integer just read: small if it fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Int {
    Small(i64),
    Big(BigInt),
}

/// An integer of either size, to be shown.
#[derive(Clone, Copy, Debug)]
pub enum IntRef<'a> {
    Small(i64),
    Big(&'a BigInt),
}

impl From<i64> for IntRef<'_> {
    fn from(value: i64) -> Self {
        IntRef::Small(value)
    }
}

impl<'a> From<&'a BigInt> for IntRef<'a> {
    fn from(value: &'a BigInt) -> Self {
        IntRef::Big(value)
    }
}

impl<'a> From<&'a Int> for IntRef<'a> {
    fn from(value: &'a Int) -> Self {
        match value {
            Int::Small(small) => IntRef::Small(*small),
            Int::Big(big) => IntRef::Big(big),
        }
    }
}

impl From<BigInt> for Int {
    fn from(value: BigInt) -> Self {
        match i64::try_from(&value) {
            Ok(small) => Int::Small(small),
            Err(_) => Int::Big(value),
        }
    }
}

impl IntRef<'_> {
    /// Whether it is below zero.
    pub fn is_negative(self) -> bool {
        match self {
            IntRef::Small(value) => value < 0,
            IntRef::Big(value) => value.is_negative(),
        }
    }

    /// The nearest float; None if it is too large.
    pub fn to_f64(self) -> Option<f64> {
        match self {
            IntRef::Small(value) => Some(value as f64),
            IntRef::Big(value) => super::float::big_to_f64(value),
        }
    }

    /// The value as an i64, if it fits.
    pub fn to_i64(self) -> Option<i64> {
        match self {
            IntRef::Small(value) => Some(value),
            IntRef::Big(value) => i64::try_from(value).ok(),
        }
    }
}

/// Why text is not an integer. Both are ValueErrors; [`ParseIntError::message`] has the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseIntError {
    /// The base is not 0 or 2..=36.
    Base,
    /// The text is not a number in this base.
    Literal,
}

impl ParseIntError {
    /// What Python says of this text; the text is cut at 200 characters of its repr.
    pub fn message(self, text: &str, base: u32) -> String {
        match self {
            ParseIntError::Base => "int() base must be >= 2 and <= 36, or 0".into(),
            ParseIntError::Literal => {
                let shown: String = repr_str(text).chars().take(200).collect();
                format!("invalid literal for int() with base {base}: {shown}")
            }
        }
    }
}

/// `int(text, base)`: white space around, a sign, `_` between digits, prefixes where the base allows them,
/// digits of any script. Base 0 reads the prefix like source code does.
///
/// ```
/// # use zpy::text::int::{parse, Int, ParseIntError};
/// assert_eq!(parse(" -1_000 ", 10), Ok(Int::Small(-1000)));
/// assert_eq!(parse("0xff", 0), Ok(Int::Small(255)));
/// assert_eq!(parse("12.5", 10), Err(ParseIntError::Literal));
/// ```
pub fn parse(text: &str, base: u32) -> Result<Int, ParseIntError> {
    if base == 1 || base > 36 {
        return Err(ParseIntError::Base);
    }
    let text = unicode::to_ascii_number(text);
    let text = trim(&text);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, actual) = split_prefix(digits, base);
    let number = parse_digits(digits.as_bytes(), actual).ok_or(ParseIntError::Literal)?;
    // In source code 007 is an error, and 00 is zero.
    let leading_zero = base == 0 && actual == 10 && digits.starts_with('0');
    if leading_zero && number != Magnitude::Small(0) {
        return Err(ParseIntError::Literal);
    }
    Ok(number.signed(negative))
}

/// Removes `0x`, `0o`, `0b` and an underscore behind it, if the base has them; the base to read in.
fn split_prefix(digits: &str, base: u32) -> (&str, u32) {
    let prefixed = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => 0,
    };
    if prefixed != 0 && (base == 0 || base == prefixed) {
        let rest = &digits[2..];
        return (rest.strip_prefix('_').unwrap_or(rest), prefixed);
    }
    (digits, if base == 0 { 10 } else { base })
}

#[derive(PartialEq)]
enum Magnitude {
    Small(u64),
    Big(BigUint),
}

impl Magnitude {
    fn signed(self, negative: bool) -> Int {
        match self {
            Magnitude::Small(value) => match (i64::try_from(value), negative) {
                (Ok(value), _) => Int::Small(if negative { -value } else { value }),
                (Err(_), true) => Int::from(-BigInt::from(value)),
                (Err(_), false) => Int::Big(BigInt::from(value)),
            },
            Magnitude::Big(value) => {
                Int::from(BigInt::from_biguint(if negative { Sign::Minus } else { Sign::Plus }, value))
            }
        }
    }
}

/// Digits with single underscores between them; None if that is not what they are.
fn parse_digits(text: &[u8], base: u32) -> Option<Magnitude> {
    let mut small: Option<u64> = Some(0);
    let mut after_digit = false;
    for &byte in text {
        if byte == b'_' && after_digit {
            after_digit = false;
            continue;
        }
        let digit = (byte as char).to_digit(base)?;
        after_digit = true;
        small = small.and_then(|sum| sum.checked_mul(base.into())?.checked_add(digit.into()));
    }
    if !after_digit {
        return None;
    }
    if let Some(small) = small {
        return Some(Magnitude::Small(small));
    }
    let digits: Vec<u8> = text.iter().filter_map(|&b| (b as char).to_digit(base)).map(|d| d as u8).collect();
    Some(Magnitude::Big(big_from_digits(&digits, base)?))
}

/// Below this many digits num-bigint's quadratic reading is the fastest.
const DIVIDE_FROM: usize = 2048;

/// Reads digit values, the most significant first. Halves are read apart and multiplied together, which costs
/// as much as multiplication does; for powers of two num-bigint is linear by itself.
fn big_from_digits(digits: &[u8], base: u32) -> Option<BigUint> {
    if digits.len() <= DIVIDE_FROM || base.is_power_of_two() {
        return BigUint::from_radix_be(digits, base);
    }
    // powers[k] is the base to the power of DIVIDE_FROM << k.
    let mut powers = vec![BigUint::from(base).pow(DIVIDE_FROM as u32)];
    while DIVIDE_FROM << powers.len() < digits.len() {
        let last = &powers[powers.len() - 1];
        powers.push(last * last);
    }
    join_halves(digits, base, &powers)
}

fn join_halves(digits: &[u8], base: u32, powers: &[BigUint]) -> Option<BigUint> {
    let Some((power, smaller)) = powers.split_last() else { return BigUint::from_radix_be(digits, base) };
    let low = DIVIDE_FROM << smaller.len();
    if digits.len() <= low {
        return join_halves(digits, base, smaller);
    }
    let (high, low) = digits.split_at(digits.len() - low);
    Some(join_halves(high, base, smaller)? * power + join_halves(low, base, smaller)?)
}

/// `str(number)`
pub fn decimal<'a>(number: impl Into<IntRef<'a>>) -> String {
    match number.into() {
        IntRef::Small(value) => value.to_string(),
        IntRef::Big(value) => value.to_string(),
    }
}

/// The digits of the magnitude in base 2, 8, 10 or 16, without sign or prefix, in small letters.
///
/// Any other base is shown in decimal.
pub fn magnitude<'a>(number: impl Into<IntRef<'a>>, base: u32) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_magnitude(number.into(), base, &mut out);
    out
}

fn write_magnitude(number: IntRef<'_>, base: u32, out: &mut String) -> fmt::Result {
    match number {
        IntRef::Small(value) => {
            let value = value.unsigned_abs();
            match base {
                2 => write!(out, "{value:b}"),
                8 => write!(out, "{value:o}"),
                16 => write!(out, "{value:x}"),
                _ => write!(out, "{value}"),
            }
        }
        IntRef::Big(value) => {
            out.push_str(&value.magnitude().to_str_radix(if matches!(base, 2 | 8 | 16) { base } else { 10 }));
            Ok(())
        }
    }
}

/// `bin`, `oct` and `hex`, for base 2, 8 and 16: sign, prefix, digits.
///
/// ```
/// # use zpy::text::int::prefixed;
/// assert_eq!((prefixed(-255, 16), prefixed(5, 2)), ("-0xff".into(), "0b101".into()));
/// ```
pub fn prefixed<'a>(number: impl Into<IntRef<'a>>, base: u32) -> String {
    let number = number.into();
    let mut out = String::new();
    if number.is_negative() {
        out.push('-');
    }
    out.push_str(prefix(base));
    let _ = write_magnitude(number, base, &mut out);
    out
}

/// `0b`, `0o`, `0x`, or nothing for any other base.
pub fn prefix(base: u32) -> &'static str {
    match base {
        2 => "0b",
        8 => "0o",
        16 => "0x",
        _ => "",
    }
}

/// `hash(value)` as CPython computes it: the remainder by 2^61 - 1 with the sign of the value, -1 becoming
/// -2.
pub fn hash_small(value: i64) -> i64 {
    finish_hash(value.unsigned_abs() % HASH_MODULUS, value < 0)
}

/// [`hash_small`] of a big integer.
pub fn hash_big(value: &BigInt) -> i64 {
    // 2^64 is 8 by this modulus.
    let modulus = u128::from(HASH_MODULUS);
    let step = |hash: u128, digit: u64| (hash * 8 + u128::from(digit)) % modulus;
    finish_hash(value.magnitude().iter_u64_digits().rev().fold(0, step) as u64, value.is_negative())
}

fn finish_hash(remainder: u64, negative: bool) -> i64 {
    let hash = remainder as i64;
    match if negative { -hash } else { hash } {
        -1 => -2,
        hash => hash,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(text: &str, base: u32) -> Option<i64> {
        match parse(text, base) {
            Ok(Int::Small(value)) => Some(value),
            _ => None,
        }
    }

    #[test]
    fn reading() {
        assert_eq!(small("9223372036854775807", 10), Some(i64::MAX));
        assert_eq!(small("-9223372036854775808", 10), Some(i64::MIN));
        assert_eq!(parse("9223372036854775808", 10), Ok(Int::Big(BigInt::from(1u64 << 63))));
        assert_eq!(
            (small("0x_f", 16), small("0b1", 16), small("-0b11", 0)),
            (Some(15), Some(0xb1), Some(-3))
        );
        assert_eq!((small("00_0", 0), small("٤٢", 10), small("zZ", 36)), (Some(0), Some(42), Some(1295)));
        for (text, base) in
            [("", 10), ("+", 10), ("0x", 16), ("1__0", 10), ("_1", 10), ("1_", 10), ("0_7", 0)]
        {
            assert_eq!(parse(text, base), Err(ParseIntError::Literal), "{text:?}");
        }
        assert_eq!(parse("1", 1), Err(ParseIntError::Base));
        assert_eq!(parse("1", 37), Err(ParseIntError::Base));
        let message = "invalid literal for int() with base 10: '1.5'";
        assert_eq!(ParseIntError::Literal.message("1.5", 10), message);
    }

    #[test]
    fn long_digits() {
        let text = "1234567890".repeat(1000);
        let Ok(Int::Big(big)) = parse(&text, 10) else { panic!("not big") };
        assert_eq!(decimal(&big), text);
        assert_eq!(BigUint::parse_bytes(text.as_bytes(), 7), None);
        let sevens = "6543210".repeat(3000);
        assert_eq!(
            parse(&sevens, 7),
            Ok(Int::Big(BigInt::parse_bytes(sevens.as_bytes(), 7).unwrap_or_default()))
        );
    }

    #[test]
    fn writing() {
        assert_eq!(prefixed(i64::MIN, 16), "-0x8000000000000000");
        assert_eq!(prefixed(&(BigInt::from(1) << 64), 8), "0o2000000000000000000000");
        assert_eq!(
            (prefixed(0, 2), magnitude(-10, 10), decimal(-5)),
            ("0b0".into(), "10".into(), "-5".into())
        );
    }

    #[test]
    fn hashes() {
        assert_eq!((hash_small(-1), hash_small(i64::MIN), hash_small(1 << 61)), (-2, -4, 1));
        assert_eq!(hash_big(&BigInt::from(-1)), -2);
        assert_eq!(
            hash_big(&(BigInt::from(10).pow(30u32))),
            hash_big(&(BigInt::from(10).pow(30u32) % HASH_MODULUS))
        );
    }
}
