//! The decimal digits of a float, and how `e`, `f`, `g` and `repr` lay them out.
//!
//! The idea: digits come from Rust's formatter, which is exact (`{:.p$}`, `{:.p$e}` round the true binary
//! value half to even) and shortest (`{:e}` reads back as the same float). What remains is layout, and the
//! same layout serves all four styles: a digit string, the place of the decimal point in it, and how far to
//! pad with zeros. The rules are those of `format_float_short` in CPython's `Python/pystrtod.c`.

use std::fmt::{self, Write};

/// More digits after the point than any float has (2^-1074 has 1074); beyond them are zeros.
const MAX_FRACTION: usize = 1100;
/// More significant digits than any float has (767).
const MAX_SIGNIFICANT: usize = 800;
/// Where `repr` changes to exponents: more than this many digits before the point, or more than three zeros
/// after it.
const REPR_LIMIT: i64 = 16;

/// How digits are chosen and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `e`: one digit, the point, as many digits as the precision says, an exponent.
    Exponent,
    /// `f`: as many digits after the point as the precision says.
    Fixed,
    /// `g`: as many significant digits as the precision says, an exponent if the number is large or small.
    General,
    /// The shortest digits that read back as the same float; the precision is not looked at.
    Shortest,
}

/// The switches of a layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `E`, `INF`, `NAN` instead of `e`, `inf`, `nan`.
    pub upper: bool,
    /// `#`: keep a trailing point, and in `g` the trailing zeros.
    pub alternate: bool,
    /// Finite numbers without an exponent get at least one digit after the point.
    pub add_dot_0: bool,
    /// `z`: no sign on what rounds to zero.
    pub no_negative_zero: bool,
}

/// Significant digits with a decimal point: the number is 0.DIGITS times ten to the power of `point`.
///
/// There are no trailing zeros, but zero itself is the digit 0 with point 1.
pub struct Decimal {
    bytes: Stack<MAX_SIGNIFICANT>,
    pub point: i64,
}

/// A small text that is built without touching the heap; what does not fit is refused.
pub struct Stack<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Stack<N> {
    pub fn new() -> Stack<N> {
        Stack { bytes: [0; N], len: 0 }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The text; all writers here are given text, so it is never cut inside a character.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl<const N: usize> Default for Stack<N> {
    fn default() -> Stack<N> {
        Stack::new()
    }
}

impl<const N: usize> Write for Stack<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

impl Decimal {
    /// The digits of `value` (finite; its sign is not looked at) rounded to `significant` digits, at least
    /// one.
    pub fn rounded(value: f64, significant: usize) -> Decimal {
        let mut text = Stack::<{ MAX_SIGNIFICANT + 16 }>::new();
        let precision = significant.clamp(1, MAX_SIGNIFICANT) - 1;
        // The buffer has room for the digits, the point and an exponent of three digits.
        let _ = write!(text, "{:.precision$e}", value.abs());
        Decimal::from_exponent_form(text.as_bytes())
    }

    /// The fewest digits that read back as `value` (finite; its sign is not looked at).
    pub fn shortest(value: f64) -> Decimal {
        let mut text = Stack::<32>::new();
        let _ = write_shortest(value.abs(), &mut text);
        Decimal::from_exponent_form(text.as_bytes())
    }

    /// Reads Rust's `1.234e-5`.
    fn from_exponent_form(text: &[u8]) -> Decimal {
        let mut decimal = Decimal { bytes: Stack::new(), point: 1 };
        let (mantissa, exponent) = match text.iter().position(|&b| b == b'e') {
            Some(at) => (&text[..at], &text[at + 1..]),
            None => (text, &b"0"[..]),
        };
        for &digit in mantissa.iter().filter(|b| b.is_ascii_digit()).take(MAX_SIGNIFICANT) {
            decimal.bytes.bytes[decimal.bytes.len] = digit;
            decimal.bytes.len += 1;
        }
        while decimal.bytes.len > 1 && decimal.bytes.bytes[decimal.bytes.len - 1] == b'0' {
            decimal.bytes.len -= 1;
        }
        let magnitude = exponent.iter().filter(|b| b.is_ascii_digit());
        let magnitude = magnitude.fold(0, |sum, b| sum * 10 + i64::from(b - b'0'));
        decimal.point = 1 + if exponent.first() == Some(&b'-') { -magnitude } else { magnitude };
        decimal
    }

    /// The digits, as ASCII.
    pub fn digits(&self) -> &str {
        self.bytes.as_str()
    }
}

/// Writes the fewest digits that read back as `value`, in Rust's form `-1.25e-7`. Errors: the buffer is too
/// small.
///
/// Of two candidates equally near Rust takes the larger one and Python the even one. That happens only if the
/// exact value has one digit more than the candidates, 18 at most, so only a mantissa times a small power of
/// one half has to be rounded again.
pub(super) fn write_shortest(value: f64, text: &mut Stack<32>) -> fmt::Result {
    write!(text, "{value:e}")?;
    let places = text.as_bytes().iter().position(|&b| b == b'e').unwrap_or(0).saturating_sub(2);
    let places = places - usize::from(value.is_sign_negative() && places > 0);
    if places < 15 {
        return Ok(());
    }
    let (mantissa, exponent) = super::float::decompose(value);
    let exponent = exponent + mantissa.trailing_zeros() as i32;
    if (-25..0).contains(&exponent) {
        let mut even = Stack::new();
        write!(even, "{value:.places$e}")?;
        // Below a power of two floats are closer together, and the even candidate may belong to the
        // neighbour.
        if even.as_str().parse() == Ok(value) {
            *text = even;
        }
    }
    Ok(())
}

/// Appends `value` in a style. Never fails; a huge precision gives that many zeros, so bound it first.
///
/// ```
/// # use zpy::text::digits::{write_float, Options, Style};
/// let mut out = String::new();
/// write_float(1234.5, Style::Exponent, 2, Options::default(), &mut out);
/// assert_eq!(out, "1.23e+03");
/// ```
pub fn write_float(value: f64, style: Style, precision: usize, options: Options, out: &mut String) {
    if !value.is_finite() {
        return write_special(value, options.upper, out);
    }
    if style == Style::Fixed {
        return write_fixed(value, precision, options, out);
    }
    let precision = if style == Style::General { precision.max(1) } else { precision };
    let decimal = match style {
        Style::Shortest => Decimal::shortest(value),
        Style::Exponent => Decimal::rounded(value, precision.saturating_add(1)),
        _ => Decimal::rounded(value, precision),
    };
    if value.is_sign_negative() && !(options.no_negative_zero && decimal.digits() == "0") {
        out.push('-');
    }
    let wanted = i64::try_from(precision).unwrap_or(i64::MAX);
    let use_exponent = match style {
        Style::Exponent => true,
        Style::General => decimal.point <= -4 || decimal.point > wanted - i64::from(options.add_dot_0),
        _ => decimal.point <= -4 || decimal.point > REPR_LIMIT,
    };
    // How many places the digits and the zeros behind them take, counted from the first digit.
    let end = match style {
        Style::Exponent => wanted.saturating_add(1),
        Style::General if options.alternate => wanted,
        _ => 0,
    };
    write_layout(&decimal, use_exponent, end, options, out);
}

fn write_special(value: f64, upper: bool, out: &mut String) {
    if value.is_nan() {
        return out.push_str(if upper { "NAN" } else { "nan" });
    }
    if value < 0.0 {
        out.push('-');
    }
    out.push_str(if upper { "INF" } else { "inf" });
}

fn write_fixed(value: f64, precision: usize, options: Options, out: &mut String) {
    let start = out.len();
    let given = precision.min(MAX_FRACTION);
    // Writing to a String cannot fail.
    let _ = write!(out, "{value:.given$}");
    push_zeros(precision - given, out);
    if precision == 0 && options.alternate {
        out.push('.');
    }
    let negative_zero = value.is_sign_negative() && !out[start..].bytes().any(|b| matches!(b, b'1'..=b'9'));
    if options.no_negative_zero && negative_zero {
        out.remove(start);
    }
}

fn write_layout(decimal: &Decimal, use_exponent: bool, end: i64, options: Options, out: &mut String) {
    let digits = decimal.digits();
    let count = digits.len() as i64;
    let point = if use_exponent { 1 } else { decimal.point };
    let end = end.max(if !use_exponent && options.add_dot_0 { point + 1 } else { point });
    if point <= 0 {
        out.push_str("0.");
        push_zeros(point.unsigned_abs() as usize, out);
        out.push_str(digits);
        push_zeros((end - count).max(0) as usize, out);
    } else if point <= count {
        let (whole, fraction) = digits.split_at(point as usize);
        out.push_str(whole);
        out.push('.');
        out.push_str(fraction);
        push_zeros((end - count).max(0) as usize, out);
    } else {
        out.push_str(digits);
        push_zeros((point - count) as usize, out);
        out.push('.');
        push_zeros((end - point) as usize, out);
    }
    if out.ends_with('.') && !options.alternate {
        out.pop();
    }
    if use_exponent {
        let exponent = decimal.point - 1;
        let letter = if options.upper { 'E' } else { 'e' };
        let _ = write!(out, "{letter}{exponent:+03}");
    }
}

/// Appends zeros in bulk.
pub fn push_zeros(mut count: usize, out: &mut String) {
    const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
    while count > 0 {
        let step = count.min(ZEROS.len());
        out.push_str(&ZEROS[..step]);
        count -= step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(value: f64, style: Style, precision: usize, options: Options) -> String {
        let mut out = String::new();
        write_float(value, style, precision, options, &mut out);
        out
    }

    #[test]
    fn styles() {
        let plain = Options::default();
        assert_eq!(show(0.0, Style::Exponent, 3, plain), "0.000e+00");
        assert_eq!(show(2.5, Style::Fixed, 0, plain), "2");
        assert_eq!(show(1e-5, Style::General, 6, plain), "1e-05");
        assert_eq!(show(100000.0, Style::General, 6, plain), "100000");
        assert_eq!(show(1e16, Style::Shortest, 0, plain), "1e+16");
        assert_eq!(show(5e-324, Style::Exponent, 2, plain), "4.94e-324");
    }

    #[test]
    fn options() {
        let all = Options { upper: true, alternate: true, add_dot_0: false, no_negative_zero: true };
        assert_eq!(show(-0.0, Style::General, 3, all), "0.00");
        assert_eq!(show(-0.001, Style::Fixed, 2, all), "0.00");
        assert_eq!(show(1e100, Style::General, 3, all), "1.00E+100");
        assert_eq!(show(f64::NEG_INFINITY, Style::Fixed, 3, all), "-INF");
        assert_eq!(show(3.0, Style::Exponent, 0, all), "3.E+00");
        assert_eq!(show(1.0, Style::Fixed, 2000, all).len(), 2002);
    }
}
