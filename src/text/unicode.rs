//! What the Unicode database says about characters, as the methods of Python's str ask it.
//!
//! Functions on `char` answer for one character, functions on `&str` are the str methods of the same name.
//! The idea to read it with: Rust's own tables already know upper, lower, alphabetic and white space; only
//! what they lack is added here. That is the general category (crate unicode-properties), decimal and other
//! digit values (tables below, Unicode 15.0 as in Python 3.12), titlecase and case folding (a few rules on
//! top of Rust's case mapping).

use std::borrow::Cow;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Where each run of ten decimal digits begins (general category Nd), in order.
#[rustfmt::skip]
const DECIMAL_ZEROS: &[u32] = &[
    0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
    0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50,
    0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0,
    0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730,
    0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x11F50, 0x16A60, 0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8,
    0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E950, 0x1FBF0,
];

/// Ranges of characters that are digits but not decimal: superscripts, circled digits and their like, in
/// order.
#[rustfmt::skip]
const OTHER_DIGITS: &[(u32, u32)] = &[
    (0x00B2, 0x00B3), (0x00B9, 0x00B9), (0x1369, 0x1371), (0x19DA, 0x19DA), (0x2070, 0x2070), (0x2074,
    0x2079), (0x2080, 0x2089), (0x2460, 0x2468), (0x2474, 0x247C), (0x2488, 0x2490), (0x24EA, 0x24EA),
    (0x24F5, 0x24FD), (0x24FF, 0x24FF), (0x2776, 0x277E), (0x2780, 0x2788), (0x278A, 0x2792), (0x10A40,
    0x10A43), (0x10E60, 0x10E68), (0x11052, 0x1105A), (0x1F100, 0x1F10A),
];

/// Ideographs with a numeric value: numeric though their category is a letter, in order.
#[rustfmt::skip]
const NUMERIC_LETTERS: &[u32] = &[
    0x3405, 0x3483, 0x382A, 0x3B4D, 0x4E00, 0x4E03, 0x4E07, 0x4E09, 0x4E5D, 0x4E8C, 0x4E94, 0x4E96, 0x4EBF,
    0x4EC0, 0x4EDF, 0x4EE8, 0x4F0D, 0x4F70, 0x5104, 0x5146, 0x5169, 0x516B, 0x516D, 0x5341, 0x5343, 0x5344,
    0x5345, 0x534C, 0x53C1, 0x53C2, 0x53C3, 0x53C4, 0x56DB, 0x58F1, 0x58F9, 0x5E7A, 0x5EFE, 0x5EFF, 0x5F0C,
    0x5F0D, 0x5F0E, 0x5F10, 0x62FE, 0x634C, 0x67D2, 0x6F06, 0x7396, 0x767E, 0x8086, 0x842C, 0x8CAE, 0x8CB3,
    0x8D30, 0x9621, 0x9646, 0x964C, 0x9678, 0x96F6, 0xF96B, 0xF973, 0xF978, 0xF9B2, 0xF9D1, 0xF9D3, 0xF9FD,
    0x20001, 0x20064, 0x200E2, 0x20121, 0x2092A, 0x20983, 0x2098C, 0x2099C, 0x20AEA, 0x20AFD, 0x20B19,
    0x22390, 0x22998, 0x23B1B, 0x2626D, 0x2F890,
];

/// The value of a decimal digit of any script.
///
/// ```
/// # use zpy::text::unicode::decimal_value;
/// assert_eq!((decimal_value('7'), decimal_value('٣'), decimal_value('²')), (Some(7), Some(3), None));
/// ```
pub fn decimal_value(c: char) -> Option<u32> {
    if c.is_ascii() {
        return c.to_digit(10);
    }
    let cp = c as u32;
    let after = DECIMAL_ZEROS.partition_point(|&zero| zero <= cp);
    let zero = DECIMAL_ZEROS[after.checked_sub(1)?];
    (cp - zero < 10).then_some(cp - zero)
}

/// Whether `str.isprintable` accepts `c`: not control, format, surrogate, private, unassigned or a separator
/// but space.
pub fn printable(c: char) -> bool {
    use GeneralCategory as G;
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    !matches!(
        c.general_category(),
        G::Control
            | G::Format
            | G::Surrogate
            | G::PrivateUse
            | G::Unassigned
            | G::LineSeparator
            | G::ParagraphSeparator
            | G::SpaceSeparator
    )
}

/// Whether `str.isspace` accepts `c`: Rust's white space and the four ASCII separators U+001C..U+001F.
pub fn white_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// Whether `c` is a letter in Python's sense (category L), which leaves out the marks Rust counts as
/// alphabetic.
pub fn letter(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphabetic();
    }
    c.general_category_group() == GeneralCategoryGroup::Letter
}

/// Whether `c` is a digit in the sense of `str.isdigit`: decimal, or a superscript, circled digit and the
/// like.
pub fn digit(c: char) -> bool {
    let cp = c as u32;
    let after = OTHER_DIGITS.partition_point(|&(first, _)| first <= cp);
    decimal_value(c).is_some() || after > 0 && cp <= OTHER_DIGITS[after - 1].1
}

/// Whether `c` has a numeric value at all: digits, fractions, Roman numerals, some ideographs.
pub fn numeric(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_digit();
    }
    c.general_category_group() == GeneralCategoryGroup::Number
        || NUMERIC_LETTERS.binary_search(&(c as u32)).is_ok()
}

/// Whether `c` is a titlecase letter (category Lt): a digraph such as ǅ, or Greek with an adscript iota.
pub fn titlecase(c: char) -> bool {
    matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ' | '\u{1F88}'..='\u{1F8F}' | '\u{1F98}'..='\u{1F9F}')
        || matches!(c, '\u{1FA8}'..='\u{1FAF}' | '\u{1FBC}' | '\u{1FCC}' | '\u{1FFC}')
}

fn cased(c: char) -> bool {
    c.is_uppercase() || c.is_lowercase() || titlecase(c)
}

fn all(text: &str, test: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(test)
}

/// `str.isalpha`
pub fn is_alpha(text: &str) -> bool {
    all(text, letter)
}

/// `str.isalnum`
pub fn is_alnum(text: &str) -> bool {
    all(text, |c| letter(c) || digit(c) || numeric(c))
}

/// `str.isdecimal`
pub fn is_decimal(text: &str) -> bool {
    all(text, |c| decimal_value(c).is_some())
}

/// `str.isdigit`
pub fn is_digit(text: &str) -> bool {
    all(text, digit)
}

/// `str.isnumeric`
pub fn is_numeric(text: &str) -> bool {
    all(text, numeric)
}

/// `str.isspace`
pub fn is_space(text: &str) -> bool {
    all(text, white_space)
}

/// `str.isprintable`, true of the empty text.
pub fn is_printable(text: &str) -> bool {
    text.chars().all(printable)
}

/// `str.isidentifier`: shaped like a name; key words are not asked about.
pub fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c))
        && chars.all(unicode_ident::is_xid_continue)
}

/// `str.isupper`: some cased character, and none that is lower or title case.
pub fn is_upper(text: &str) -> bool {
    text.chars().any(char::is_uppercase) && !text.chars().any(|c| c.is_lowercase() || titlecase(c))
}

/// `str.islower`: some cased character, and none that is upper or title case.
pub fn is_lower(text: &str) -> bool {
    text.chars().any(char::is_lowercase) && !text.chars().any(|c| c.is_uppercase() || titlecase(c))
}

/// `str.istitle`: capitals exactly where a run of cased characters begins.
pub fn is_title(text: &str) -> bool {
    let (mut inside, mut any) = (false, false);
    for c in text.chars() {
        let capital = c.is_uppercase() || titlecase(c);
        if capital && inside || !capital && !inside && c.is_lowercase() {
            return false;
        }
        inside = capital || c.is_lowercase();
        any |= inside;
    }
    any
}

/// `str.upper`
pub fn upper(text: &str) -> String {
    text.to_uppercase()
}

/// `str.lower`, with the final form of sigma where a word ends.
pub fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// `str.capitalize`: the first character in title case, the rest lower.
pub fn capitalize(text: &str) -> String {
    let mut first = true;
    map_case(
        text,
        |c, lowered, out| {
            if std::mem::take(&mut first) { push_title(c, out) } else { out.push_str(lowered) }
        },
    )
}

/// `str.title`: the first of each run of cased characters in title case, the others lower.
///
/// ```
/// # use zpy::text::unicode::title;
/// assert_eq!(title("they're bill's"), "They'Re Bill'S");
/// ```
pub fn title(text: &str) -> String {
    let mut inside = false;
    map_case(text, |c, lowered, out| {
        if inside {
            out.push_str(lowered)
        } else {
            push_title(c, out)
        }
        inside = cased(c);
    })
}

/// `str.swapcase`
pub fn swap_case(text: &str) -> String {
    map_case(text, |c, lowered, out| {
        if c.is_uppercase() {
            out.push_str(lowered);
        } else if c.is_lowercase() {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
    })
}

/// `str.casefold`: full case folding.
///
/// ```
/// # use zpy::text::unicode::casefold;
/// assert_eq!(casefold("Straße"), "strasse");
/// ```
pub fn casefold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'A'..='Z' => out.push(c.to_ascii_lowercase()),
            // Cherokee folds to its capitals, which are the older letters.
            '\u{13A0}'..='\u{13F5}' => out.push(c),
            '\u{13F8}'..='\u{13FD}' | '\u{AB70}'..='\u{ABBF}' => out.extend(c.to_uppercase()),
            'ı' => out.push(c),
            'ẞ' => out.push_str("ss"),
            // Going up and down again unites every other character with its variants (ς, ſ, ß, the
            // ligatures).
            _ if c.is_ascii() => out.push(c),
            _ => out.extend(c.to_uppercase().flat_map(char::to_lowercase)),
        }
    }
    out
}

/// `str.strip()`: the text without white space at both ends.
pub fn strip(text: &str) -> &str {
    text.trim_matches(white_space)
}

/// Text as `int()` and `float()` read it: decimal digits of every script become ASCII ones, white space
/// beyond ASCII becomes spaces, and any other character a `?`, which no number contains. ASCII text comes
/// back as it is.
pub fn to_ascii_number(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let plain = |c: char| match c {
        _ if c.is_ascii() => c,
        _ if white_space(c) => ' ',
        _ => decimal_value(c).and_then(|value| char::from_digit(value, 10)).unwrap_or('?'),
    };
    Cow::Owned(text.chars().map(plain).collect())
}

/// Calls `each(character, its lowercase, out)` along the text.
///
/// Only Σ is lowered by its surroundings, and `str::to_lowercase` knows that rule: the text is lowered once
/// and walked beside the original, each character taking as many characters as it has on its own.
fn map_case(text: &str, mut each: impl FnMut(char, &str, &mut String)) -> String {
    let lowered = text.to_lowercase();
    let mut rest = lowered.as_str();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let length = rest.chars().take(c.to_lowercase().count()).map(char::len_utf8).sum();
        let (mine, others) = rest.split_at_checked(length).unwrap_or((rest, ""));
        rest = others;
        each(c, mine, &mut out);
    }
    out
}

/// Appends the title case of one character.
fn push_title(c: char, out: &mut String) {
    match c {
        _ if c.is_ascii() => out.push(c.to_ascii_uppercase()),
        'Ǆ'..='ǆ' => out.push('ǅ'),
        'Ǉ'..='ǉ' => out.push('ǈ'),
        'Ǌ'..='ǌ' => out.push('ǋ'),
        'Ǳ'..='ǳ' => out.push('ǲ'),
        'ŉ' => out.push_str("ʼN"),
        // Georgian has no title case: Mkhedruli stays as it is although it has capitals.
        '\u{10D0}'..='\u{10FA}' | '\u{10FD}'..='\u{10FF}' => out.push(c),
        // Greek with iota: bit 3 tells capitals from small letters in these blocks.
        '\u{1F80}'..='\u{1FAF}' => out.extend(char::from_u32(c as u32 | 8)),
        '\u{1FB3}' | '\u{1FBC}' => out.push('\u{1FBC}'),
        '\u{1FC3}' | '\u{1FCC}' => out.push('\u{1FCC}'),
        '\u{1FF3}' | '\u{1FFC}' => out.push('\u{1FFC}'),
        _ => {
            // Where upper case is several characters, title case is the first of them and the others in lower
            // case; combining marks have no case, and an iota that stood below the letter goes back there.
            let below = ('\u{1FB2}'..='\u{1FF7}').contains(&c);
            for (index, upper) in c.to_uppercase().enumerate() {
                match upper {
                    _ if index == 0 => out.push(upper),
                    'Ι' if below => out.push('\u{345}'),
                    _ => out.extend(upper.to_lowercase()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(DECIMAL_ZEROS.is_sorted() && OTHER_DIGITS.is_sorted() && NUMERIC_LETTERS.is_sorted());
    }

    #[test]
    fn classes() {
        assert!(is_digit("1²") && !is_decimal("1²") && is_numeric("½一") && !is_digit("½"));
        assert!(is_alpha("éß一") && !is_alpha("a1") && is_alnum("a1²") && !is_alpha(""));
        assert!(is_space(" \x1c\u{2003}") && !is_space("") && is_printable("") && !is_printable("\u{a0}"));
        assert!(is_identifier("_é1") && !is_identifier("1a") && !is_identifier(""));
    }

    #[test]
    fn cases() {
        assert_eq!(title("hello wORLD ǆ ﬁn"), "Hello World ǅ Fin");
        assert_eq!(capitalize("ΑΣ ΑΣ"), "Ας ας");
        assert_eq!(swap_case("aBΣß"), "AbσSS");
        assert_eq!(casefold("ΣςσİI"), "σσσi\u{307}i");
        assert!(is_title("Ab Cd1E") && !is_title("AB") && !is_title("") && !is_title("ab"));
        assert!(is_upper("AB1") && !is_upper("1") && is_lower("ab1") && !is_lower("aB"));
    }

    #[test]
    fn number_text() {
        assert_eq!(to_ascii_number("\u{2003}٣.१"), " 3.1");
        assert_eq!(to_ascii_number("é1"), "?1");
    }
}
