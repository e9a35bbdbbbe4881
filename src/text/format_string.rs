//! Templates of `str.format`: `"{0.name!r:>{width}}"`.
//!
//! The idea: three small readers, one inside the other. [`Segments`] cuts a template into literal text and
//! fields, [`Field::resolve`] reads the start of a field's name and numbers it, [`Accessors`] reads
//! `.attribute` and `[item]` after it. Each is lazy, because Python evaluates what it has read before it
//! reads on, and the first failure wins. [`expand`] puts them together for any [`Source`] of values;
//! `string.Formatter().parse` needs `Segments` alone. The rules are those of CPython's
//! `Objects/stringlib/unicode_format.h`.

use super::error::FormatError;
use super::{surrogate, unicode};

/// How deep fields may stand in format specifications of fields: a template, and the specifications in it.
const MAX_DEPTH: usize = 2;

/// Literal text and the field behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Doubled braces are single here; they end a segment.
    pub literal: &'a str,
    pub field: Option<Field<'a>>,
}

/// A replacement field, `{name!conversion:spec}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// What comes before `!` and `:`, accessors included.
    pub name: &'a str,
    pub conversion: Option<char>,
    pub spec: &'a str,
    /// Whether the specification contains fields itself.
    pub nested: bool,
}

/// The segments of a template; after an error there are no more.
///
/// ```
/// # use zpy::text::format_string::Segments;
/// let segments: Vec<_> = Segments::new("a{{b{x!r:>5}").collect::<Result<_, _>>()?;
/// assert_eq!((segments[0].literal, segments[1].literal), ("a{", "b"));
/// assert_eq!(segments[1].field.map(|f| (f.name, f.conversion, f.spec)), Some(("x", Some('r'), ">5")));
/// # Ok::<(), zpy::text::FormatError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Segments<'a> {
    rest: &'a str,
}

impl<'a> Segments<'a> {
    pub fn new(template: &'a str) -> Segments<'a> {
        Segments { rest: template }
    }

    /// What is not read yet.
    pub fn rest(&self) -> &'a str {
        self.rest
    }

    fn segment(&mut self) -> Result<Segment<'a>, FormatError> {
        let text = self.rest;
        let Some(at) = text.find(['{', '}']) else {
            self.rest = "";
            return Ok(Segment { literal: text, field: None });
        };
        let brace = &text[at..at + 1];
        let after = &text[at + 1..];
        if let Some(rest) = after.strip_prefix(brace) {
            self.rest = rest;
            return Ok(Segment { literal: &text[..at + 1], field: None });
        }
        if brace == "}" || after.is_empty() {
            return Err(FormatError::value(format!("Single '{brace}' encountered in format string")));
        }
        self.rest = after;
        Ok(Segment { literal: &text[..at], field: Some(self.field()?) })
    }

    /// Reads a field behind its opening brace.
    fn field(&mut self) -> Result<Field<'a>, FormatError> {
        let text = self.rest;
        let (name, mark) = self.field_name(text)?;
        let mut field = Field { name, conversion: None, spec: "", nested: false };
        if mark == '}' {
            return Ok(field);
        }
        if mark == '!' {
            let mut chars = self.rest.chars();
            let conversion = chars.next();
            field.conversion =
                Some(conversion.ok_or_else(|| {
                    FormatError::value("end of string while looking for conversion specifier")
                })?);
            match chars.next() {
                Some('}') => {
                    self.rest = chars.as_str();
                    return Ok(field);
                }
                Some(':') | None => self.rest = chars.as_str(),
                Some(_) => return Err(FormatError::value("expected ':' after conversion specifier")),
            }
        }
        let mut depth = 1;
        for (at, byte) in self.rest.bytes().enumerate() {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => continue,
            }
            field.nested |= byte == b'{';
            if depth == 0 {
                field.spec = &self.rest[..at];
                self.rest = &self.rest[at + 1..];
                return Ok(field);
            }
        }
        Err(FormatError::value("unmatched '{' in format spec"))
    }

    /// The name and the character that ends it; brackets hide everything in them.
    fn field_name(&mut self, text: &'a str) -> Result<(&'a str, char), FormatError> {
        let mut bracket = false;
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b']' => bracket = false,
                _ if bracket => {}
                b'[' => bracket = true,
                b'{' => return Err(FormatError::value("unexpected '{' in field name")),
                b'}' | b':' | b'!' => {
                    self.rest = &text[at + 1..];
                    return Ok((&text[..at], byte.into()));
                }
                _ => {}
            }
        }
        Err(FormatError::value("expected '}' before end of string"))
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Result<Segment<'a>, FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let segment = self.segment();
        if segment.is_err() {
            self.rest = "";
        }
        Some(segment)
    }
}

/// How the fields of one `format` call are numbered: by hand or by themselves, but not both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbering {
    #[default]
    Undecided,
    /// The number of the next field.
    Automatic(usize),
    Manual,
}

/// Which argument a field means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First<'a> {
    Index(usize),
    Key(&'a str),
}

/// One step from a value to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accessor<'a> {
    /// `.name`
    Attribute(&'a str),
    /// `[3]`
    Index(usize),
    /// `[key]`
    Key(&'a str),
}

/// The accessors of a field name, read one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accessors<'a> {
    rest: &'a str,
}

/// Splits a field name: the text before the first `.` or `[`, and the rest.
///
/// The first part is None if it is empty, which means automatic numbering. Errors: ValueError for a huge
/// index.
pub fn split_name(name: &str) -> Result<(Option<First<'_>>, Accessors<'_>), FormatError> {
    let (first, rest) = name.split_at(name.find(['.', '[']).unwrap_or(name.len()));
    let first = match index_of(first)? {
        Some(index) => Some(First::Index(index)),
        None if first.is_empty() => None,
        None => Some(First::Key(first)),
    };
    Ok((first, Accessors { rest }))
}

impl<'a> Field<'a> {
    /// Which argument the field means and what to do with it, numbering it if it has no name.
    ///
    /// Errors: ValueError, also for changing between manual and automatic numbers.
    pub fn resolve(&self, numbering: &mut Numbering) -> Result<(First<'a>, Accessors<'a>), FormatError> {
        let (first, accessors) = split_name(self.name)?;
        let (next, first) = match (*numbering, first) {
            (state, Some(key @ First::Key(_))) => (state, key),
            (Numbering::Manual, None) => {
                let message = "cannot switch from manual field specification to automatic field numbering";
                return Err(FormatError::value(message));
            }
            (Numbering::Automatic(_), Some(First::Index(_))) => {
                let message = "cannot switch from automatic field numbering to manual field specification";
                return Err(FormatError::value(message));
            }
            (_, Some(index)) => (Numbering::Manual, index),
            (Numbering::Undecided, None) => (Numbering::Automatic(1), First::Index(0)),
            (Numbering::Automatic(number), None) => (Numbering::Automatic(number + 1), First::Index(number)),
        };
        *numbering = next;
        Ok((first, accessors))
    }
}

impl<'a> Accessors<'a> {
    /// What is not read yet.
    pub fn rest(&self) -> &'a str {
        self.rest
    }

    fn accessor(&mut self) -> Result<Accessor<'a>, FormatError> {
        let empty = || FormatError::value("Empty attribute in format string");
        if let Some(after) = self.rest.strip_prefix('.') {
            let (name, rest) = after.split_at(after.find(['.', '[']).unwrap_or(after.len()));
            self.rest = rest;
            return if name.is_empty() { Err(empty()) } else { Ok(Accessor::Attribute(name)) };
        }
        let Some(after) = self.rest.strip_prefix('[') else {
            let message = "Only '.' or '[' may follow ']' in format field specifier";
            return Err(FormatError::value(message));
        };
        let (key, rest) =
            after.split_once(']').ok_or_else(|| FormatError::value("Missing ']' in format string"))?;
        self.rest = rest;
        match index_of(key)? {
            Some(index) => Ok(Accessor::Index(index)),
            None if key.is_empty() => Err(empty()),
            None => Ok(Accessor::Key(key)),
        }
    }
}

impl<'a> Iterator for Accessors<'a> {
    type Item = Result<Accessor<'a>, FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let accessor = self.accessor();
        if accessor.is_err() {
            self.rest = "";
        }
        Some(accessor)
    }
}

/// Text of nothing but decimal digits as a number, None for any other.
fn index_of(text: &str) -> Result<Option<usize>, FormatError> {
    let mut index: Option<usize> = None;
    for c in text.chars() {
        let Some(digit) = unicode::decimal_value(c) else { return Ok(None) };
        let sum = index.unwrap_or(0).checked_mul(10).and_then(|sum| sum.checked_add(digit as usize));
        let sum = sum.filter(|&sum| isize::try_from(sum).is_ok());
        index = Some(sum.ok_or_else(|| FormatError::value("Too many decimal digits in format string"))?);
    }
    Ok(index)
}

/// Where [`expand`] gets its values.
pub trait Source {
    type Value;
    type Error: From<FormatError>;

    /// The argument a field begins with.
    fn argument(&mut self, first: First<'_>) -> Result<Self::Value, Self::Error>;
    /// One step further.
    fn access(&mut self, value: Self::Value, accessor: Accessor<'_>) -> Result<Self::Value, Self::Error>;
    /// `!r`, `!s` or `!a`, and nothing else.
    fn convert(&mut self, value: Self::Value, conversion: char) -> Result<Self::Value, Self::Error>;
    /// Appends `format(value, spec)`.
    fn format(&mut self, value: Self::Value, spec: &str, out: &mut String) -> Result<(), Self::Error>;
}

/// `template.format(...)` with the arguments of `source`.
///
/// Errors: the source's, and ValueError for a malformed template.
pub fn expand<S: Source>(template: &str, source: &mut S) -> Result<String, S::Error> {
    let mut out = String::new();
    let mut numbering = Numbering::default();
    expand_into(template, MAX_DEPTH, source, &mut numbering, &mut out)?;
    Ok(out)
}

fn expand_into<S: Source>(
    template: &str,
    depth: usize,
    source: &mut S,
    numbering: &mut Numbering,
    out: &mut String,
) -> Result<(), S::Error> {
    if depth == 0 {
        return Err(FormatError::value("Max string recursion exceeded").into());
    }
    for segment in Segments::new(template) {
        let segment = segment?;
        out.push_str(segment.literal);
        let Some(field) = segment.field else { continue };
        let (first, accessors) = field.resolve(numbering)?;
        let mut value = source.argument(first)?;
        for accessor in accessors {
            value = source.access(value, accessor?)?;
        }
        match field.conversion {
            None => {}
            Some(known @ ('r' | 's' | 'a')) => value = source.convert(value, known)?,
            Some(unknown) => return Err(unknown_conversion(unknown).into()),
        }
        if field.nested {
            let mut spec = String::new();
            expand_into(field.spec, depth - 1, source, numbering, &mut spec)?;
            source.format(value, &spec, out)?;
        } else {
            source.format(value, field.spec, out)?;
        }
    }
    Ok(())
}

fn unknown_conversion(conversion: char) -> FormatError {
    let shown = if ('!'..'\x7f').contains(&conversion) {
        conversion.to_string()
    } else {
        format!("\\x{:x}", surrogate::code_point(conversion))
    };
    FormatError::value(format!("Unknown conversion specifier {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(template: &str) -> String {
        let segments: Result<Vec<_>, _> = Segments::new(template).collect();
        segments.map_or_else(|e| e.message, |_| "no error".into())
    }

    #[test]
    fn segments() {
        let segments: Result<Vec<_>, _> = Segments::new("x}}{a[}:!]:{b}}c").collect();
        let field = Field { name: "a[}:!]", conversion: None, spec: "{b}", nested: true };
        let expected = vec![
            Segment { literal: "x}", field: None },
            Segment { literal: "", field: Some(field) },
            Segment { literal: "c", field: None },
        ];
        assert_eq!(segments, Ok(expected));
        assert_eq!(Segments::new("").next(), None);
    }

    #[test]
    fn mistakes_in_templates() {
        assert_eq!(message("a}"), "Single '}' encountered in format string");
        assert_eq!(message("a{"), "Single '{' encountered in format string");
        assert_eq!(message("{a"), "expected '}' before end of string");
        assert_eq!(message("{a{"), "unexpected '{' in field name");
        assert_eq!(message("{a:{b}"), "unmatched '{' in format spec");
        assert_eq!(message("{a!"), "end of string while looking for conversion specifier");
        assert_eq!(message("{a!rx}"), "expected ':' after conversion specifier");
    }

    #[test]
    fn names() {
        let (first, accessors) = split_name("0.a[1][k]").unwrap_or_else(|e| panic!("{e}"));
        let accessors: Result<Vec<_>, _> = accessors.collect();
        assert_eq!(first, Some(First::Index(0)));
        assert_eq!(accessors, Ok(vec![Accessor::Attribute("a"), Accessor::Index(1), Accessor::Key("k")]));
        let message = |name| match split_name(name) {
            Ok((_, mut accessors)) => accessors.find_map(Result::err).map(|e| e.message).unwrap_or_default(),
            Err(error) => error.message,
        };
        assert_eq!(message("a."), "Empty attribute in format string");
        assert_eq!(message("a[]"), "Empty attribute in format string");
        assert_eq!(message("a[b"), "Missing ']' in format string");
        assert_eq!(message("a[b]c"), "Only '.' or '[' may follow ']' in format field specifier");
        assert_eq!(message("99999999999999999999"), "Too many decimal digits in format string");
    }

    #[test]
    fn numbering() {
        let field = |name| Field { name, conversion: None, spec: "", nested: false };
        let mut state = Numbering::default();
        assert_eq!(field("k").resolve(&mut state).map(|(first, _)| first), Ok(First::Key("k")));
        assert_eq!(field("").resolve(&mut state).map(|(first, _)| first), Ok(First::Index(0)));
        assert_eq!(field(".a").resolve(&mut state).map(|(first, _)| first), Ok(First::Index(1)));
        let error = field("0").resolve(&mut state).map_err(|e| e.message).err().unwrap_or_default();
        assert_eq!(error, "cannot switch from automatic field numbering to manual field specification");
        let mut state = Numbering::Manual;
        let error = field("").resolve(&mut state).map_err(|e| e.message).err().unwrap_or_default();
        assert_eq!(error, "cannot switch from manual field specification to automatic field numbering");
    }

    /// Formats any argument as its number and the specification.
    struct Echo;

    impl Source for Echo {
        type Value = String;
        type Error = FormatError;

        fn argument(&mut self, first: First<'_>) -> Result<String, FormatError> {
            Ok(format!("{first:?}"))
        }

        fn access(&mut self, value: String, accessor: Accessor<'_>) -> Result<String, FormatError> {
            Ok(format!("{value}.{accessor:?}"))
        }

        fn convert(&mut self, value: String, conversion: char) -> Result<String, FormatError> {
            Ok(format!("{conversion}({value})"))
        }

        fn format(&mut self, value: String, spec: &str, out: &mut String) -> Result<(), FormatError> {
            out.push_str(&format!("<{value}:{spec}>"));
            Ok(())
        }
    }

    #[test]
    fn expanding() {
        let show = |template| expand(template, &mut Echo).unwrap_or_else(|e| e.message);
        assert_eq!(show("a{{}}{!r:>{}}"), "a{}<r(Index(0)):><Index(1):>>");
        assert_eq!(show("{k[0]}"), "<Key(\"k\").Index(0):>");
        assert_eq!(show("{:{:{}}}"), "Max string recursion exceeded");
        assert_eq!(show("{!x}"), "Unknown conversion specifier x");
        assert_eq!(show("{!é}"), "Unknown conversion specifier \\xe9");
    }
}
