//! printf-style formats: `"%-5d %(name)s" % values`, for str and for bytes.
//!
//! The idea: [`Pieces`] only reads the template, one piece at a time, because Python also fetches arguments
//! between reading two conversions and reports whichever fails first. For each [`Conversion`] the caller
//! 1. looks its [`kind`](Conversion::kind) up after fetching the argument: that is when Python complains,
//! 2. lets [`resolve`](Conversion::resolve) ask for the numbers that stand for `*`,
//! 3. turns the argument into a number or text and hands it to the `write_` function of that kind.

use super::digits::{self, Options, Style};
use super::error::FormatError;
use super::int::{self, IntRef};
use super::spec::{self, MAX_FIELD};
use super::surrogate;
use std::ops::Range;

/// The largest precision a template may spell out, a C int.
const MAX_PRECISION: usize = i32::MAX as usize;

/// What a template can be: `str` or `[u8]`. All marks of the language are ASCII, so it is read byte by byte.
pub trait Template {
    /// Whether this is the language of bytes, which has `%b`.
    const BYTES: bool;
    fn bytes(&self) -> &[u8];
    /// A part whose ends are next to ASCII characters.
    fn part(&self, range: Range<usize>) -> &Self;
    /// The character that begins at a byte, and its length in bytes.
    fn char_at(&self, at: usize) -> Option<(char, usize)>;
    /// What error messages call the position of a byte.
    fn position(&self, at: usize) -> usize;
}

impl Template for str {
    const BYTES: bool = false;

    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }

    fn part(&self, range: Range<usize>) -> &str {
        self.get(range).unwrap_or_default()
    }

    fn char_at(&self, at: usize) -> Option<(char, usize)> {
        self.get(at..)?.chars().next().map(|c| (c, c.len_utf8()))
    }

    fn position(&self, at: usize) -> usize {
        self.part(0..at).chars().count()
    }
}

impl Template for [u8] {
    const BYTES: bool = true;

    fn bytes(&self) -> &[u8] {
        self
    }

    fn part(&self, range: Range<usize>) -> &[u8] {
        self.get(range).unwrap_or_default()
    }

    fn char_at(&self, at: usize) -> Option<(char, usize)> {
        self.get(at).map(|&byte| (byte.into(), 1))
    }

    fn position(&self, at: usize) -> usize {
        at
    }
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a, T: ?Sized> {
    Literal(&'a T),
    Conversion(Conversion<'a, T>),
}

/// One `%` conversion as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversion<'a, T: ?Sized> {
    /// The text between parentheses.
    pub key: Option<&'a T>,
    pub flags: Flags,
    pub width: Option<Size>,
    pub precision: Option<Size>,
    /// The type code, known or not.
    pub code: char,
    /// Where the type code stands, for error messages.
    pub index: usize,
}

/// The flags of a conversion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `-`
    pub left: bool,
    /// `+`
    pub plus: bool,
    /// a space
    pub space: bool,
    /// `0`
    pub zero: bool,
    /// `#`
    pub alternate: bool,
}

/// A width or precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Fixed(usize),
    /// `*`: the next argument says it.
    Star,
}

/// What a conversion wants to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `s`
    Str,
    /// `r`
    Repr,
    /// `a`, and in bytes also `r`
    Ascii,
    /// `b`, and in bytes also `s`
    Bytes,
    /// `d i u`: an integer, or a float to be truncated
    Decimal,
    /// `o x X`: an integer
    Radix,
    /// `e E f F g G`
    Float,
    /// `c`: a character or its code point
    Char,
}

/// A conversion whose sizes are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub flags: Flags,
    pub width: Option<usize>,
    pub precision: Option<usize>,
    pub code: char,
}

/// The pieces of a template, read one by one; after an error there are no more.
///
/// ```
/// # use zpy::text::percent::{Piece, Pieces};
/// let pieces: Vec<_> = Pieces::new("100%% of %d", false).collect::<Result<_, _>>()?;
/// assert_eq!((&pieces[0], &pieces[1]), (&Piece::Literal("100"), &Piece::Literal("%")));
/// assert!(matches!(&pieces[3], Piece::Conversion(c) if c.code == 'd' && c.index == 10));
/// # Ok::<(), zpy::text::FormatError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pieces<'a, T: ?Sized> {
    template: &'a T,
    at: usize,
    mapping: bool,
}

impl<'a, T: Template + ?Sized> Pieces<'a, T> {
    /// `mapping` says whether the argument is one; without it a key is an error as soon as it is met.
    pub fn new(template: &'a T, mapping: bool) -> Pieces<'a, T> {
        Pieces { template, at: 0, mapping }
    }

    fn peek(&self) -> Option<u8> {
        self.template.bytes().get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    /// Reads what follows a `%`.
    fn conversion(&mut self) -> Result<Conversion<'a, T>, FormatError> {
        let key = self.key()?;
        let flags = self.flags();
        let width = self.size(isize::MAX as usize, "width too big")?;
        let precision = match self.take(b'.') {
            // A point alone means zero.
            true => Some(self.size(MAX_PRECISION, "precision too big")?.unwrap_or(Size::Fixed(0))),
            false => None,
        };
        if matches!(self.peek(), Some(b'h' | b'l' | b'L')) {
            self.at += 1;
        }
        let code = self.template.char_at(self.at);
        let (code, length) = code.ok_or_else(|| FormatError::value("incomplete format"))?;
        let index = self.template.position(self.at);
        self.at += length;
        Ok(Conversion { key, flags, width, precision, code, index })
    }

    /// A key may contain balanced parentheses.
    fn key(&mut self) -> Result<Option<&'a T>, FormatError> {
        if !self.take(b'(') {
            return Ok(None);
        }
        if !self.mapping {
            return Err(FormatError::wrong_type("format requires a mapping"));
        }
        let start = self.at;
        let mut depth = 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(Some(self.template.part(start..self.at - 1)));
            }
        }
        Err(FormatError::value("incomplete format key"))
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        loop {
            let flag = match self.peek() {
                Some(b'-') => &mut flags.left,
                Some(b'+') => &mut flags.plus,
                Some(b' ') => &mut flags.space,
                Some(b'0') => &mut flags.zero,
                Some(b'#') => &mut flags.alternate,
                _ => return flags,
            };
            *flag = true;
            self.at += 1;
        }
    }

    fn size(&mut self, most: usize, too_big: &str) -> Result<Option<Size>, FormatError> {
        if self.take(b'*') {
            return Ok(Some(Size::Star));
        }
        let mut size = None;
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            self.at += 1;
            let sum =
                size.unwrap_or(0usize).checked_mul(10).and_then(|sum| sum.checked_add((byte - b'0').into()));
            size = Some(sum.filter(|&sum| sum <= most).ok_or_else(|| FormatError::value(too_big))?);
        }
        Ok(size.map(Size::Fixed))
    }
}

impl<'a, T: Template + ?Sized> Iterator for Pieces<'a, T> {
    type Item = Result<Piece<'a, T>, FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at;
        let rest = self.template.bytes().get(start..).filter(|rest| !rest.is_empty())?;
        match rest.iter().position(|&byte| byte == b'%') {
            Some(0) => {}
            length => {
                self.at += length.unwrap_or(rest.len());
                return Some(Ok(Piece::Literal(self.template.part(start..self.at))));
            }
        }
        self.at += 1;
        if self.take(b'%') {
            return Some(Ok(Piece::Literal(self.template.part(start..start + 1))));
        }
        let conversion = self.conversion();
        if conversion.is_err() {
            self.at = self.template.bytes().len();
        }
        Some(conversion.map(Piece::Conversion))
    }
}

impl<T: Template + ?Sized> Conversion<'_, T> {
    /// What the type code wants. Errors: ValueError for a code that does not exist.
    pub fn kind(&self) -> Result<Kind, FormatError> {
        Ok(match self.code {
            's' if T::BYTES => Kind::Bytes,
            'b' if T::BYTES => Kind::Bytes,
            'r' if T::BYTES => Kind::Ascii,
            's' => Kind::Str,
            'r' => Kind::Repr,
            'a' => Kind::Ascii,
            'd' | 'i' | 'u' => Kind::Decimal,
            'o' | 'x' | 'X' => Kind::Radix,
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => Kind::Float,
            'c' => Kind::Char,
            code => {
                let shown = if T::BYTES || ('\x1f'..'\x7f').contains(&code) { code } else { '?' };
                let (cp, index) = (surrogate::code_point(code), self.index);
                let message = format!("unsupported format character '{shown}' (0x{cp:x}) at index {index}");
                return Err(FormatError::value(message));
            }
        })
    }

    /// The TypeError for an argument of a type that [`Kind::Bytes`], a number or a character cannot be made
    /// of.
    pub fn wrong_argument(&self, kind: Kind, type_name: &str) -> FormatError {
        let code = self.code;
        FormatError::wrong_type(match kind {
            Kind::Decimal => format!("%{code} format: a real number is required, not {type_name}"),
            Kind::Radix => format!("%{code} format: an integer is required, not {type_name}"),
            Kind::Float if T::BYTES => format!("float argument required, not {type_name}"),
            Kind::Float => format!("must be real number, not {type_name}"),
            Kind::Char if T::BYTES => "%c requires an integer in range(256) or a single byte".into(),
            Kind::Char => "%c requires int or char".into(),
            Kind::Str | Kind::Repr | Kind::Ascii | Kind::Bytes => format!(
                "%b requires a bytes-like object, or an object that implements __bytes__, not '{type_name}'"
            ),
        })
    }

    /// Settles the sizes: `star` is called for each `*`, the width first, and gives the argument's integer.
    ///
    /// A negative width means left, a negative precision zero. Errors: those of `star`.
    pub fn resolve<E>(&self, mut star: impl FnMut() -> Result<i64, E>) -> Result<Layout, E> {
        let mut flags = self.flags;
        let width = match self.width {
            Some(Size::Star) => {
                let width = star()?;
                flags.left |= width < 0;
                Some(width.unsigned_abs() as usize)
            }
            Some(Size::Fixed(width)) => Some(width),
            None => None,
        };
        let precision = match self.precision {
            Some(Size::Star) => Some(star()?.max(0) as usize),
            Some(Size::Fixed(precision)) => Some(precision),
            None => None,
        };
        Ok(Layout { flags, width, precision, code: self.code })
    }
}

/// The character that `%c` shows for a number. Errors: OverflowError.
pub fn char_of<'a>(number: impl Into<IntRef<'a>>) -> Result<char, FormatError> {
    let message = "%c arg not in range(0x110000)";
    spec::char_of(number.into()).map_err(|_| FormatError::overflow(message))
}

/// The byte that `%c` stands for in bytes. Errors: OverflowError.
pub fn byte_of<'a>(number: impl Into<IntRef<'a>>) -> Result<u8, FormatError> {
    let byte = number.into().to_i64().and_then(|number| u8::try_from(number).ok());
    byte.ok_or_else(|| FormatError::overflow("%c arg not in range(256)"))
}

/// Appends text for `%s %r %a`, cut at the precision and padded.
///
/// This and the other functions that write give errors for sizes beyond [`MAX_FIELD`] only.
pub fn write_text(text: &str, layout: &Layout, out: &mut String) -> Result<(), FormatError> {
    let shown = match layout.precision {
        Some(most) if most < text.len() => {
            text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
        }
        _ => text,
    };
    let pad = layout.padding(shown.chars().count())?;
    pad_text(shown, pad, layout.flags.left, out);
    Ok(())
}

/// Appends a character for `%c`; a precision does not matter.
pub fn write_char(c: char, layout: &Layout, out: &mut String) -> Result<(), FormatError> {
    let pad = layout.padding(1)?;
    pad_text(c.encode_utf8(&mut [0; 4]), pad, layout.flags.left, out);
    Ok(())
}

/// Appends bytes for `%b` and `%s` in bytes, and for `%c` with the precision taken out.
pub fn write_bytes(bytes: &[u8], layout: &Layout, out: &mut Vec<u8>) -> Result<(), FormatError> {
    let shown = &bytes[..layout.precision.unwrap_or(bytes.len()).min(bytes.len())];
    let pad = layout.padding(shown.len())?;
    let (left, right) = if layout.flags.left { (0, pad) } else { (pad, 0) };
    out.extend(std::iter::repeat_n(b' ', left));
    out.extend_from_slice(shown);
    out.extend(std::iter::repeat_n(b' ', right));
    Ok(())
}

fn pad_text(text: &str, pad: usize, left: bool, out: &mut String) {
    let (before, after) = if left { (0, pad) } else { (pad, 0) };
    out.extend(std::iter::repeat_n(' ', before));
    out.push_str(text);
    out.extend(std::iter::repeat_n(' ', after));
}

/// Appends an integer for `%d %i %u %o %x %X`; the precision is the least number of digits.
///
/// ```
/// # use zpy::text::percent::{write_int, Flags, Layout};
/// let flags = Flags { alternate: true, ..Flags::default() };
/// let mut out = String::new();
/// write_int(-255, &Layout { flags, width: Some(8), precision: Some(4), code: 'x' }, &mut out)?;
/// assert_eq!(out, " -0x00ff");
/// # Ok::<(), zpy::text::FormatError>(())
/// ```
pub fn write_int<'a>(
    number: impl Into<IntRef<'a>>,
    layout: &Layout,
    out: &mut String,
) -> Result<(), FormatError> {
    let number = number.into();
    let base = match layout.code {
        'o' => 8,
        'x' | 'X' => 16,
        _ => 10,
    };
    let least = layout.precision.unwrap_or(0);
    if least > MAX_FIELD {
        return Err(FormatError::overflow("precision too large"));
    }
    let mut digits = int::magnitude(number, base);
    if digits.len() < least {
        let mut longer = String::with_capacity(least);
        digits::push_zeros(least - digits.len(), &mut longer);
        longer.push_str(&digits);
        digits = longer;
    }
    let mut prefix = if layout.flags.alternate { int::prefix(base) } else { "" };
    if layout.code == 'X' {
        digits.make_ascii_uppercase();
        prefix = if prefix.is_empty() { "" } else { "0X" };
    }
    layout.write_number(number.is_negative(), prefix, &digits, out)
}

/// Appends a float for `%e %E %f %F %g %G`; the precision is six if there is none.
pub fn write_float(value: f64, layout: &Layout, out: &mut String) -> Result<(), FormatError> {
    let style = match layout.code {
        'e' | 'E' => Style::Exponent,
        'f' | 'F' => Style::Fixed,
        _ => Style::General,
    };
    let precision = layout.precision.unwrap_or(6);
    if precision > MAX_FIELD {
        return Err(FormatError::value("precision too big"));
    }
    let options = Options {
        upper: layout.code.is_ascii_uppercase(),
        alternate: layout.flags.alternate,
        ..Options::default()
    };
    let mut text = String::new();
    digits::write_float(value, style, precision, options, &mut text);
    match text.strip_prefix('-') {
        Some(unsigned) => layout.write_number(true, "", unsigned, out),
        None => layout.write_number(false, "", &text, out),
    }
}

impl Layout {
    /// How many characters are missing at this length.
    fn padding(&self, length: usize) -> Result<usize, FormatError> {
        match self.width.unwrap_or(0).saturating_sub(length) {
            missing if missing > MAX_FIELD => Err(FormatError::value("width too big")),
            missing => Ok(missing),
        }
    }

    fn write_number(
        &self,
        negative: bool,
        prefix: &str,
        digits: &str,
        out: &mut String,
    ) -> Result<(), FormatError> {
        let sign = match self.flags {
            _ if negative => "-",
            Flags { plus: true, .. } => "+",
            Flags { space: true, .. } => " ",
            _ => "",
        };
        let pad = self.padding(sign.len() + prefix.len() + digits.len())?;
        let (left, zeros, right) = match self.flags {
            Flags { left: true, .. } => (0, 0, pad),
            Flags { zero: true, .. } => (0, pad, 0),
            _ => (pad, 0, 0),
        };
        out.extend(std::iter::repeat_n(' ', left));
        out.push_str(sign);
        out.push_str(prefix);
        digits::push_zeros(zeros, out);
        out.push_str(digits);
        out.extend(std::iter::repeat_n(' ', right));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(template: &str) -> Result<Vec<Piece<'_, str>>, FormatError> {
        Pieces::new(template, true).collect()
    }

    fn one(template: &str) -> Layout {
        match read(template).unwrap_or_default().first() {
            Some(Piece::Conversion(c)) => c.resolve(|| Err(())).unwrap_or_else(|()| panic!("a star")),
            _ => panic!("no conversion in {template}"),
        }
    }

    fn int(template: &str, value: i64) -> String {
        let mut out = String::new();
        write_int(value, &one(template), &mut out).map_or_else(|e| e.message, |()| out)
    }

    fn float(template: &str, value: f64) -> String {
        let mut out = String::new();
        write_float(value, &one(template), &mut out).map_or_else(|e| e.message, |()| out)
    }

    fn message(template: &str) -> String {
        read(template).map_or_else(|e| e.message, |_| "no error".into())
    }

    #[test]
    fn numbers() {
        assert_eq!(int("%05d", -3), "-0003");
        assert_eq!(int("%-+05d", 3), "+3   ");
        assert_eq!(int("%+.3d", 7), "+007");
        assert_eq!(int("%#08X", 255), "0X0000FF");
        assert_eq!(int("%# x", 255), " 0xff");
        assert_eq!(float("%.2e", 1234.5), "1.23e+03");
        assert_eq!(float("%06.1f", -2.25), "-002.2");
        assert_eq!(float("%G", 1e-10), "1E-10");
        assert_eq!(float("%05f", f64::NAN), "00nan");
    }

    #[test]
    fn text() {
        let show = |template: &str, text: &str| {
            let mut out = String::new();
            write_text(text, &one(template), &mut out).map_or_else(|e| e.message, |()| out)
        };
        assert_eq!(show("%-6.2s", "éàü"), "éà    ");
        assert_eq!(show("%05s", "a"), "    a");
        let mut out = Vec::new();
        assert_eq!(write_bytes(b"abc", &one("%5.2s"), &mut out), Ok(()));
        assert_eq!(out, b"   ab");
        let mut out = String::new();
        assert_eq!(write_char('é', &one("%3.0c"), &mut out), Ok(()));
        assert_eq!(out, "  é");
    }

    #[test]
    fn templates() {
        let pieces = read("a%(k(1))-*.*ls%%").unwrap_or_default();
        let Piece::Conversion(c) = &pieces[1] else { panic!("{pieces:?}") };
        assert_eq!(
            (c.key, c.width, c.precision, c.code),
            (Some("k(1)"), Some(Size::Star), Some(Size::Star), 's')
        );
        let mut stars = [-7, -1].into_iter();
        let layout = c.resolve(|| stars.next().ok_or(()));
        let flags = Flags { left: true, ..Flags::default() };
        assert_eq!(layout, Ok(Layout { flags, width: Some(7), precision: Some(0), code: 's' }));
        assert_eq!(pieces[2], Piece::Literal("%"));
    }

    #[test]
    fn bytes_have_their_own_codes() {
        let pieces: Result<Vec<_>, _> = Pieces::new(&b"\xff%(k\xe9)b%r%\xe9"[..], true).collect();
        let pieces = pieces.unwrap_or_default();
        assert_eq!(pieces[0], Piece::Literal(&b"\xff"[..]));
        let kinds: Vec<_> = pieces[1..]
            .iter()
            .map(|piece| match piece {
                Piece::Conversion(c) => (c.key, c.kind().map_err(|e| e.message)),
                Piece::Literal(_) => panic!("{piece:?}"),
            })
            .collect();
        assert_eq!(kinds[0], (Some(&b"k\xe9"[..]), Ok(Kind::Bytes)));
        assert_eq!((byte_of(255).ok(), byte_of(256).ok(), byte_of(-1).ok()), (Some(255), None, None));
        assert_eq!(kinds[1], (None, Ok(Kind::Ascii)));
        assert_eq!(kinds[2].1, Err("unsupported format character 'é' (0xe9) at index 10".into()));
    }

    #[test]
    fn mistakes() {
        for template in ["%", "%5", "%.", "%-", "%l", "%(a)"] {
            assert_eq!(message(template), "incomplete format", "{template}");
        }
        assert_eq!(message("%(a(b)"), "incomplete format key");
        assert_eq!(message("%99999999999999999999d"), "width too big");
        assert_eq!(message("%.99999999999d"), "precision too big");
        assert!(Pieces::new("%(a)s", false).next().is_some_and(|piece| piece.is_err()));
        let unsupported = |template: &str| match read(template).unwrap_or_default().last() {
            Some(Piece::Conversion(c)) => c.kind().map_or_else(|e| e.message, |_| "no error".into()),
            other => panic!("{other:?}"),
        };
        assert_eq!(unsupported("é%q"), "unsupported format character 'q' (0x71) at index 2");
        assert_eq!(unsupported("%é"), "unsupported format character '?' (0xe9) at index 1");
        assert_eq!(unsupported("%5%"), "unsupported format character '%' (0x25) at index 2");
        assert_eq!(int("%9999999999d", 1), "width too big");
        assert_eq!(int("%.2147483647d", 1), "precision too large");
        assert_eq!(float("%.2147483647f", 1.0), "precision too big");
    }
}
