//! The format specification mini-language: `format(x, ">+012,.2f")`.
//!
//! The idea: [`Spec::parse`] reads the text for one kind of value and settles everything that depends on the
//! kind alone, defaults and unknown type codes included. Formatting a number then means cutting its text into
//! sign, prefix, whole digits and the rest, and laying these out in `Number::write`, the only place that
//! knows how width, zero padding and grouping combine. The order of the checks is CPython's
//! (`Python/formatter_unicode.c`), so that of two mistakes the same one is reported.

use super::digits::{self, Options, Style};
use super::error::FormatError;
use super::int::{self, IntRef};
use super::{surrogate, unicode};
use std::iter::Peekable;
use std::str::Chars;

/// Widths and precisions are accepted up to this many characters; more would fill the memory.
pub const MAX_FIELD: usize = 1 << 29;

/// The kind of value a specification is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Str,
    Int,
    Float,
    Complex,
}

/// Where the padding goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
    Center,
    /// `=`: between the sign and the digits.
    AfterSign,
}

/// What stands in front of numbers that are not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Minus,
    Plus,
    Space,
}

/// A parsed specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    pub fill: char,
    pub align: Align,
    /// None if the text says nothing.
    pub sign: Option<Sign>,
    /// `z`: no sign on what rounds to zero.
    pub no_negative_zero: bool,
    /// `#`
    pub alternate: bool,
    pub width: Option<usize>,
    /// `,` or `_`
    pub grouping: Option<char>,
    pub precision: Option<usize>,
    /// The type code; None if the text has none.
    pub code: Option<char>,
}

impl Target {
    fn default_align(self) -> Align {
        if self == Target::Str { Align::Left } else { Align::Right }
    }

    fn allows(self, code: char) -> bool {
        match self {
            Target::Str => code == 's',
            Target::Int => {
                matches!(code, 'b' | 'c' | 'd' | 'o' | 'x' | 'X' | 'n') || Target::Float.allows(code)
            }
            Target::Float => code == '%' || Target::Complex.allows(code) || code == 'n',
            Target::Complex => matches!(code, 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'n'),
        }
    }
}

impl Spec {
    /// Reads `[[fill]align][sign][z][#][0][width][grouping][.precision][type]`.
    ///
    /// `type_name` is what Python calls the type of the value (`int`, `str`, a class's name); only errors
    /// show it. Errors: ValueError.
    ///
    /// ```
    /// # use zpy::text::spec::{format_float, format_int, Spec, Target};
    /// let spec = Spec::parse("*^+12,.1f", Target::Float, "float")?;
    /// assert_eq!(format_float(1234.56, &spec)?, "**+1,234.6**");
    /// assert_eq!(format_int(-255, &Spec::parse("#06x", Target::Int, "int")?)?, "-0x0ff");
    /// # Ok::<(), zpy::text::FormatError>(())
    /// ```
    pub fn parse(text: &str, target: Target, type_name: &str) -> Result<Spec, FormatError> {
        let mut spec = Spec {
            fill: ' ',
            align: target.default_align(),
            sign: None,
            no_negative_zero: false,
            alternate: false,
            width: None,
            grouping: None,
            precision: None,
            code: None,
        };
        let mut rest = spec.parse_front(text, target).peekable();
        spec.width = parse_number(&mut rest)?;
        spec.parse_grouping(&mut rest)?;
        if rest.next_if_eq(&'.').is_some() {
            let precision = parse_number(&mut rest)?;
            spec.precision =
                Some(precision.ok_or_else(|| FormatError::value("Format specifier missing precision"))?);
        }
        // CPython keeps NUL for "no type code", so the character NUL means that too.
        spec.code = rest.next().filter(|&code| code != '\0' || matches!(target, Target::Int | Target::Str));
        if rest.next().is_some() {
            let message = format!("Invalid format specifier '{text}' for object of type '{type_name}'");
            return Err(FormatError::value(message));
        }
        spec.check_grouping(target)?;
        match spec.code {
            Some(code) if !target.allows(code) => Err(unknown_code(code, type_name)),
            _ => Ok(spec),
        }
    }

    /// Everything in front of the width; what follows it is returned.
    fn parse_front<'a>(&mut self, text: &'a str, target: Target) -> Chars<'a> {
        let mut rest = text.chars();
        let mut ahead = text.chars();
        let (first, second) = (ahead.next(), ahead.next());
        let filled = second.and_then(align_of);
        let aligned = filled.or(first.and_then(align_of));
        if let (Some(_), Some(fill)) = (filled, first) {
            self.fill = fill;
            rest = ahead;
        } else if aligned.is_some() {
            rest.next();
        }
        self.align = aligned.unwrap_or(self.align);
        self.sign = match rest.clone().next() {
            Some('-') => Some(Sign::Minus),
            Some('+') => Some(Sign::Plus),
            Some(' ') => Some(Sign::Space),
            _ => None,
        };
        if self.sign.is_some() {
            rest.next();
        }
        let mut take = |wanted| {
            let found = rest.clone().next() == Some(wanted);
            if found {
                rest.next();
            }
            found
        };
        self.no_negative_zero = take('z');
        self.alternate = take('#');
        // A zero in front of the width is zero padding, unless a fill character was given; then it is a
        // digit.
        if filled.is_none() && take('0') {
            self.fill = '0';
            if aligned.is_none() && target != Target::Str {
                self.align = Align::AfterSign;
            }
        }
        rest
    }

    fn parse_grouping(&mut self, rest: &mut Peekable<Chars<'_>>) -> Result<(), FormatError> {
        let comma = rest.next_if_eq(&',').is_some();
        let underscore = rest.next_if_eq(&'_').is_some();
        if underscore && (comma || rest.peek() == Some(&',')) {
            return Err(FormatError::value("Cannot specify both ',' and '_'."));
        }
        self.grouping = if comma { Some(',') } else { underscore.then_some('_') };
        Ok(())
    }

    fn check_grouping(&self, target: Target) -> Result<(), FormatError> {
        let Some(separator) = self.grouping else { return Ok(()) };
        let default = if target == Target::Str { Some('s') } else { None };
        match self.code.or(default) {
            None | Some('\0' | 'd' | 'e' | 'f' | 'g' | 'E' | 'G' | '%' | 'F') => Ok(()),
            Some('b' | 'o' | 'x' | 'X') if separator == '_' => Ok(()),
            Some(code) => {
                Err(FormatError::value(format!("Cannot specify '{separator}' with '{}'.", show_code(code))))
            }
        }
    }

    /// Digits per group: four in bases that are powers of two, three otherwise; zero without grouping.
    fn group_size(&self) -> usize {
        match (self.grouping, self.code) {
            (None, _) => 0,
            (_, Some('b' | 'o' | 'x' | 'X')) => 4,
            _ => 3,
        }
    }
}

fn align_of(c: char) -> Option<Align> {
    match c {
        '<' => Some(Align::Left),
        '>' => Some(Align::Right),
        '^' => Some(Align::Center),
        '=' => Some(Align::AfterSign),
        _ => None,
    }
}

/// A run of decimal digits, of any script as in Python; None if there is none.
fn parse_number(rest: &mut Peekable<Chars<'_>>) -> Result<Option<usize>, FormatError> {
    let mut number: Option<usize> = None;
    while let Some(value) = rest.peek().and_then(|&c| unicode::decimal_value(c)) {
        rest.next();
        let next = number.unwrap_or(0).checked_mul(10).and_then(|sum| sum.checked_add(value as usize));
        number = Some(next.filter(|&sum| isize::try_from(sum).is_ok()).ok_or_else(too_many_digits)?);
    }
    Ok(number)
}

fn too_many_digits() -> FormatError {
    FormatError::value("Too many decimal digits in format string")
}

fn show_code(code: char) -> String {
    if ('!'..='\x7f').contains(&code) { code.into() } else { format!("\\x{:x}", surrogate::code_point(code)) }
}

fn unknown_code(code: char, type_name: &str) -> FormatError {
    FormatError::value(format!("Unknown format code '{}' for object of type '{type_name}'", show_code(code)))
}

/// `format(text, spec)`; `spec` must be parsed for [`Target::Str`].
///
/// Errors: ValueError for what only numbers have, or for a width beyond [`MAX_FIELD`].
///
/// ```
/// # use zpy::text::spec::{format_str, Spec, Target};
/// assert_eq!(format_str("naïve", &Spec::parse(".^7.3", Target::Str, "str")?)?, "..naï..");
/// # Ok::<(), zpy::text::FormatError>(())
/// ```
pub fn format_str(text: &str, spec: &Spec) -> Result<String, FormatError> {
    let mut out = String::new();
    write_str(text, spec, &mut out)?;
    Ok(out)
}

/// [`format_str`], appended.
pub fn write_str(text: &str, spec: &Spec, out: &mut String) -> Result<(), FormatError> {
    match spec.sign {
        Some(Sign::Space) => return not_for_text("Space"),
        Some(_) => return not_for_text("Sign"),
        None => {}
    }
    if spec.no_negative_zero {
        return not_for_text("Negative zero coercion (z)");
    }
    if spec.alternate {
        return not_for_text("Alternate form (#)");
    }
    if spec.align == Align::AfterSign {
        return not_for_text("'=' alignment");
    }
    let shown = match spec.precision {
        Some(most) if most < text.len() => {
            text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
        }
        _ => text,
    };
    match spec.width {
        None => out.push_str(shown),
        Some(width) => {
            let (left, right) = padding(width, shown.chars().count(), spec.align)?;
            push_fill(left, spec.fill, out);
            out.push_str(shown);
            push_fill(right, spec.fill, out);
        }
    }
    Ok(())
}

fn not_for_text(what: &str) -> Result<(), FormatError> {
    Err(FormatError::value(format!("{what} not allowed in string format specifier")))
}

/// How much to put before and after `length` characters.
fn padding(width: usize, length: usize, align: Align) -> Result<(usize, usize), FormatError> {
    if width <= length {
        return Ok((0, 0));
    }
    if width > MAX_FIELD {
        return Err(too_many_digits());
    }
    let total = width - length;
    Ok(match align {
        Align::Left => (0, total),
        Align::Center => (total / 2, total - total / 2),
        Align::Right | Align::AfterSign => (total, 0),
    })
}

fn push_fill(count: usize, fill: char, out: &mut String) {
    out.extend(std::iter::repeat_n(fill, count));
}

/// The parts of a number's text.
struct Number<'a> {
    negative: bool,
    prefix: &'a str,
    /// The digits before the point, which grouping and zero padding are about; empty for `inf` and
    /// characters.
    whole: &'a str,
    /// Point, fraction, exponent, percent sign; or the name of a value that has no digits.
    rest: &'a str,
}

impl Number<'_> {
    /// Takes a number's text apart.
    fn of(text: &str) -> Number<'_> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(unsigned) => (true, unsigned),
            None => (false, text),
        };
        let end = unsigned.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(unsigned.len());
        let (whole, rest) = unsigned.split_at(end);
        Number { negative, prefix: "", whole, rest }
    }

    /// Lays the number out:
    /// `padding sign prefix padding grouped-digits rest padding`, where only one padding is not empty.
    fn write(&self, spec: &Spec, out: &mut String) -> Result<(), FormatError> {
        let sign = match spec.sign {
            _ if self.negative => "-",
            Some(Sign::Plus) => "+",
            Some(Sign::Space) => " ",
            _ => "",
        };
        let fixed = sign.len() + self.prefix.len() + self.rest.chars().count();
        let width = spec.width.unwrap_or(0);
        let zero_padded = spec.fill == '0' && spec.align == Align::AfterSign;
        let least = if zero_padded { width.saturating_sub(fixed) } else { 0 };
        if least > MAX_FIELD {
            return Err(too_many_digits());
        }
        let grouped = if self.whole.is_empty() || least <= self.whole.len() && spec.grouping.is_none() {
            None
        } else {
            Some(group(self.whole, spec.group_size(), spec.grouping.unwrap_or(','), least))
        };
        let whole = grouped.as_deref().unwrap_or(self.whole);
        let (mut left, right) = padding(width, fixed + whole.len(), spec.align)?;
        let inside = if spec.align == Align::AfterSign { std::mem::take(&mut left) } else { 0 };
        push_fill(left, spec.fill, out);
        out.push_str(sign);
        out.push_str(self.prefix);
        push_fill(inside, spec.fill, out);
        out.push_str(whole);
        out.push_str(self.rest);
        push_fill(right, spec.fill, out);
        Ok(())
    }
}

/// Digits with separators every `size` places, and zeros in front until there are `least` characters.
///
/// A separator never comes first, so there may be one character more. A size of zero means no separators.
fn group(digits: &str, size: usize, separator: char, least: usize) -> String {
    if size == 0 {
        let mut out = String::with_capacity(least.max(digits.len()));
        digits::push_zeros(least.saturating_sub(digits.len()), &mut out);
        out.push_str(digits);
        return out;
    }
    // Separators take up room too: with n digits there are (n - 1) / size of them.
    let separators = |count: usize| count.saturating_sub(1) / size;
    let mut count = digits.len().max(least - least / (size + 1));
    while count + separators(count) < least {
        count += 1;
    }
    let mut out = String::with_capacity(count + separators(count));
    let zeros = std::iter::repeat_n('0', count - digits.len());
    for (index, digit) in zeros.chain(digits.chars()).enumerate() {
        if index > 0 && (count - index).is_multiple_of(size) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

/// `format(number, spec)`; `spec` must be parsed for [`Target::Int`].
///
/// Errors: ValueError for what integers do not have, OverflowError if `c` or a float code cannot take the
/// number.
pub fn format_int<'a>(number: impl Into<IntRef<'a>>, spec: &Spec) -> Result<String, FormatError> {
    let mut out = String::new();
    write_int(number, spec, &mut out)?;
    Ok(out)
}

/// [`format_int`], appended.
pub fn write_int<'a>(
    number: impl Into<IntRef<'a>>,
    spec: &Spec,
    out: &mut String,
) -> Result<(), FormatError> {
    let number = number.into();
    let base = match spec.code {
        None | Some('d' | 'n') => 10,
        Some('b') => 2,
        Some('o') => 8,
        Some('x' | 'X') => 16,
        Some('c') => 0,
        Some(_) => {
            let value = number.to_f64();
            let value = value.ok_or_else(|| FormatError::overflow("int too large to convert to float"))?;
            return write_float(value, spec, out);
        }
    };
    if spec.precision.is_some() {
        return Err(FormatError::value("Precision not allowed in integer format specifier"));
    }
    if spec.no_negative_zero {
        let message = "Negative zero coercion (z) not allowed in integer format specifier";
        return Err(FormatError::value(message));
    }
    if base == 0 {
        return write_char(number, spec, out);
    }
    let prefix = if spec.alternate { int::prefix(base) } else { "" };
    let whole = int::magnitude(number, base);
    let number = Number { negative: number.is_negative(), prefix, whole: &whole, rest: "" };
    if spec.code != Some('X') {
        return number.write(spec, out);
    }
    let (prefix, whole) = (prefix.to_ascii_uppercase(), whole.to_ascii_uppercase());
    Number { prefix: &prefix, whole: &whole, ..number }.write(spec, out)
}

fn write_char(number: IntRef<'_>, spec: &Spec, out: &mut String) -> Result<(), FormatError> {
    let refused = if spec.sign.is_some() {
        "Sign"
    } else if spec.alternate {
        "Alternate form (#)"
    } else {
        let c = char_of(number)?;
        let mut buffer = [0; 4];
        let rest = c.encode_utf8(&mut buffer);
        return Number { negative: false, prefix: "", whole: "", rest }.write(spec, out);
    };
    Err(FormatError::value(format!("{refused} not allowed with integer format specifier 'c'")))
}

/// The character with this code point. Errors: OverflowError.
pub(super) fn char_of(number: IntRef<'_>) -> Result<char, FormatError> {
    let number = number.to_i64();
    let number = number.ok_or_else(|| FormatError::overflow("Python int too large to convert to C long"))?;
    match u32::try_from(number) {
        Ok(cp @ 0..=0x10FFFF) => Ok(surrogate::to_char(cp)),
        _ => Err(FormatError::overflow("%c arg not in range(0x110000)")),
    }
}

/// The text of a float under a specification, before it is laid out; `add_dot_0` as floats have it, complex
/// not.
fn float_text(value: f64, spec: &Spec, add_dot_0: bool, out: &mut String) -> Result<(), FormatError> {
    let (style, percent) = match (spec.code, spec.precision) {
        (Some('e' | 'E'), _) => (Style::Exponent, false),
        (Some('f' | 'F'), _) => (Style::Fixed, false),
        (Some('%'), _) => (Style::Fixed, true),
        (Some(_), _) | (None, Some(_)) => (Style::General, false),
        (None, None) => (Style::Shortest, false),
    };
    let precision = spec.precision.unwrap_or(6);
    if precision > MAX_FIELD {
        return Err(FormatError::value("precision too big"));
    }
    let options = Options {
        upper: matches!(spec.code, Some('E' | 'F' | 'G')),
        alternate: spec.alternate,
        add_dot_0: add_dot_0 && spec.code.is_none(),
        no_negative_zero: spec.no_negative_zero,
    };
    digits::write_float(if percent { value * 100.0 } else { value }, style, precision, options, out);
    if percent {
        out.push('%');
    }
    Ok(())
}

/// `format(value, spec)`; `spec` must be parsed for [`Target::Float`].
///
/// Errors: ValueError for a width or precision that is too big.
pub fn format_float(value: f64, spec: &Spec) -> Result<String, FormatError> {
    let mut out = String::new();
    write_float(value, spec, &mut out)?;
    Ok(out)
}

/// [`format_float`], appended.
pub fn write_float(value: f64, spec: &Spec, out: &mut String) -> Result<(), FormatError> {
    let plain_sign = matches!(spec.sign, None | Some(Sign::Minus));
    if plain_sign && spec.width.is_none() && spec.grouping.is_none() {
        return float_text(value, spec, true, out);
    }
    let mut text = String::new();
    float_text(value, spec, true, &mut text)?;
    Number::of(&text).write(spec, out)
}

/// `format(complex(re, im), spec)`; `spec` must be parsed for [`Target::Complex`].
///
/// Errors: ValueError for zero padding, `=` alignment, or a width or precision that is too big.
pub fn format_complex(re: f64, im: f64, spec: &Spec) -> Result<String, FormatError> {
    if spec.fill == '0' {
        return Err(FormatError::value("Zero padding is not allowed in complex format specifier"));
    }
    if spec.align == Align::AfterSign {
        return Err(FormatError::value("'=' alignment flag is not allowed in complex format specifier"));
    }
    let like_str = spec.code.is_none();
    let imaginary_only = like_str && re == 0.0 && re.is_sign_positive();
    let mut part = Spec { width: None, fill: ' ', ..spec.clone() };
    let mut body = String::new();
    let mut text = String::new();
    if !imaginary_only {
        if like_str {
            body.push('(');
        }
        float_text(re, &part, false, &mut text)?;
        Number::of(&text).write(&part, &mut body)?;
        // The sign of the second part is the operator between them.
        part.sign = Some(Sign::Plus);
        text.clear();
    }
    float_text(im, &part, false, &mut text)?;
    Number::of(&text).write(&part, &mut body)?;
    body.push('j');
    if like_str && !imaginary_only {
        body.push(')');
    }
    let (left, right) = padding(spec.width.unwrap_or(0), body.len(), spec.align)?;
    let mut out = String::new();
    push_fill(left, spec.fill, &mut out);
    out.push_str(&body);
    push_fill(right, spec.fill, &mut out);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(value: i64, spec: &str) -> String {
        Spec::parse(spec, Target::Int, "int")
            .and_then(|s| format_int(value, &s))
            .unwrap_or_else(|e| e.message)
    }

    fn float(value: f64, spec: &str) -> String {
        let parsed = Spec::parse(spec, Target::Float, "float");
        parsed.and_then(|s| format_float(value, &s)).unwrap_or_else(|e| e.message)
    }

    fn text(value: &str, spec: &str) -> String {
        Spec::parse(spec, Target::Str, "str")
            .and_then(|s| format_str(value, &s))
            .unwrap_or_else(|e| e.message)
    }

    fn complex(re: f64, im: f64, spec: &str) -> String {
        let parsed = Spec::parse(spec, Target::Complex, "complex");
        parsed.and_then(|s| format_complex(re, im, &s)).unwrap_or_else(|e| e.message)
    }

    #[test]
    fn integers() {
        assert_eq!(int(1234567, "012,"), "0,001,234,567");
        assert_eq!(int(1234567, "013,"), "0,001,234,567");
        assert_eq!(int(-255, "#_X"), "-0XFF");
        assert_eq!(int(0x12345, "_x"), "1_2345");
        assert_eq!(int(5, "#010b"), "0b00000101");
        assert_eq!(int(65, "^5c"), "  A  ");
        assert_eq!(int(65, "05c"), "0000A");
        assert_eq!(int(7, "*=+5"), "+***7");
        assert_eq!(int(3, ".1%"), "300.0%");
    }

    #[test]
    fn floats() {
        assert_eq!(float(1234.5, "010,.1f"), "0,001,234.5");
        assert_eq!(float(f64::NEG_INFINITY, "010"), "-000000inf");
        assert_eq!(float(-0.0001, "z.2f"), "0.00");
        assert_eq!(float(5.0, ".0"), "5e+00");
        assert_eq!(float(5.0, ""), "5.0");
        assert_eq!(float(1e16, ","), "1e+16");
        assert_eq!(float(f64::NAN, "F"), "NAN");
        assert_eq!(float(0.25, ".1%"), "25.0%");
    }

    #[test]
    fn other_kinds() {
        assert_eq!(text("añb", "\u{20ac}^6.2"), "\u{20ac}\u{20ac}añ\u{20ac}\u{20ac}");
        assert_eq!(text("a", "03"), "a00");
        assert_eq!(complex(1.0, -2.0, "^10"), "  (1-2j)  ");
        assert_eq!(complex(0.0, 2.0, ""), "2j");
        assert_eq!(complex(1000.0, f64::NAN, "+,.1f"), "+1,000.0+nanj");
    }

    #[test]
    fn mistakes() {
        assert_eq!(int(1, "q"), "Unknown format code 'q' for object of type 'int'");
        assert_eq!(int(1, "\u{20ac}"), "Unknown format code '\\x20ac' for object of type 'int'");
        assert_eq!(int(1, ".2d"), "Precision not allowed in integer format specifier");
        assert_eq!(int(1, "+c"), "Sign not allowed with integer format specifier 'c'");
        assert_eq!(int(-1, "c"), "%c arg not in range(0x110000)");
        assert_eq!(int(1, ",_d"), "Cannot specify both ',' and '_'.");
        assert_eq!(int(1, ",x"), "Cannot specify ',' with 'x'.");
        assert_eq!(float(1.0, "5.ff"), "Format specifier missing precision");
        assert_eq!(float(1.0, "5ff"), "Invalid format specifier '5ff' for object of type 'float'");
        assert_eq!(text("", ","), "Cannot specify ',' with 's'.");
        assert_eq!(text("", "=5"), "'=' alignment not allowed in string format specifier");
        assert_eq!(text("", "+"), "Sign not allowed in string format specifier");
        assert_eq!(complex(1.0, 1.0, "05"), "Zero padding is not allowed in complex format specifier");
    }

    #[test]
    fn huge_fields_are_refused() {
        for spec in ["99999999999", "099999999999", "099999999999,"] {
            assert_eq!(int(1, spec), "Too many decimal digits in format string");
        }
        assert_eq!(text("abc", "99999999999999999999"), "Too many decimal digits in format string");
        assert_eq!(text("abc", ".99999999999"), "abc");
        assert_eq!(float(1.0, ".99999999999f"), "precision too big");
    }
}
