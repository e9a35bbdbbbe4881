//! `unicodedata`: names, categories, values and normal forms of characters.

use crate::call::{Call, Native, NativeModule};
use crate::eval::{Exc, Vm};
use crate::text::surrogate;
use crate::text::unicode::decimal_value;
use crate::text::unicode_tables as tables;
use crate::value::{Raised, Res, Str, Value};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;
use unicode_properties::{GeneralCategory as Category, UnicodeGeneralCategory};

pub static MODULE: NativeModule = NativeModule {
    name: "unicodedata",
    doc: "Properties of characters.",
    functions: &[
        Native {
            name: "name",
            params: "chr, default=<absent>, /",
            run: name,
            doc: "The name of a character, or the default. ValueError if there is neither.",
        },
        Native {
            name: "lookup",
            params: "name, /",
            run: lookup,
            doc: "The character of a name. KeyError if there is none.",
        },
        Native {
            name: "category",
            params: "chr, /",
            run: category,
            doc: "The general category of a character, as `Lu`.",
        },
        Native {
            name: "bidirectional",
            params: "chr, /",
            run: bidirectional,
            doc: "The bidirectional class of a character, empty if it has none.",
        },
        Native {
            name: "combining",
            params: "chr, /",
            run: combining,
            doc: "The canonical combining class of a character, 0 if it does not combine.",
        },
        Native {
            name: "east_asian_width",
            params: "chr, /",
            run: east_asian_width,
            doc: "The East Asian width of a character: W, F, H, Na, A or N.",
        },
        Native {
            name: "mirrored",
            params: "chr, /",
            run: mirrored,
            doc: "1 for a character that is mirrored in text from right to left, else 0.",
        },
        Native {
            name: "decimal",
            params: "chr, default=<absent>, /",
            run: decimal,
            doc: "The value of a decimal digit, or the default. ValueError if there is neither.",
        },
        Native {
            name: "digit",
            params: "chr, default=<absent>, /",
            run: digit,
            doc: "The value of a digit, or the default. ValueError if there is neither.",
        },
        Native {
            name: "numeric",
            params: "chr, default=<absent>, /",
            run: numeric,
            doc: "The numeric value of a character as a float, or the default. ValueError if there is neither.",
        },
        Native {
            name: "normalize",
            params: "form, unistr, /",
            run: normalize,
            doc: "Text in the normal form NFC, NFKC, NFD or NFKD.",
        },
        Native {
            name: "is_normalized",
            params: "form, unistr, /",
            run: is_normalized,
            doc: "Whether text is in a normal form.",
        },
    ],
    constants: &[("unidata_version", |_| {
        let (major, minor, patch) = unicode_properties::UNICODE_VERSION;
        Value::str(format!("{major}.{minor}.{patch}"))
    })],
};

/// The only character of the first argument.
fn character(call: &mut Call) -> Res<char> {
    let value = Vm::unwrap_native(call.arg(0));
    let name = call.native.name;
    let place = if call.signature.positional.len() > 1 { " 1" } else { "" };
    let Some(text) = value.as_str() else {
        let got = call.vm.type_name(value);
        return Err(call
            .vm
            .type_error(format!("{name}() argument{place} must be a unicode character, not {got}")));
    };
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(c),
        _ => {
            Err(call.vm.type_error(format!("{name}() argument{place} must be a unicode character, not str")))
        }
    }
}

/// The default, or a `ValueError`.
fn missing(call: &mut Call, message: &str) -> Res {
    match call.opt(1) {
        Some(default) => Ok(default.clone()),
        None => Err(call.vm.value_error(message)),
    }
}

/// The value of the run that a character is in.
fn in_runs(table: &[(u32, u8)], names: &[&'static str], c: char) -> &'static str {
    let after = table.partition_point(|&(first, _)| first <= surrogate::code_point(c));
    names[table[after.max(1) - 1].1 as usize]
}

fn name(call: &mut Call) -> Res {
    let c = character(call)?;
    let is_named = surrogate::from_char(c).is_none();
    match unicode_names2::name(c).filter(|_| is_named) {
        Some(name) => Ok(Value::str(name.to_string())),
        None => missing(call, "no such name"),
    }
}

fn lookup(call: &mut Call) -> Res {
    let name = call.str(0)?;
    match unicode_names2::character(name) {
        Some(c) => Ok(Str::from_string(c.into()).into()),
        None => {
            let message = Value::str(format!("undefined character name '{name}'"));
            Err(call.vm.error_with(Exc::KeyError, vec![message]))
        }
    }
}

fn category(call: &mut Call) -> Res {
    let c = character(call)?;
    if surrogate::from_char(c).is_some() {
        return Ok(Value::str("Cs"));
    }
    Ok(Value::str(match c.general_category() {
        Category::UppercaseLetter => "Lu",
        Category::LowercaseLetter => "Ll",
        Category::TitlecaseLetter => "Lt",
        Category::ModifierLetter => "Lm",
        Category::OtherLetter => "Lo",
        Category::NonspacingMark => "Mn",
        Category::SpacingMark => "Mc",
        Category::EnclosingMark => "Me",
        Category::DecimalNumber => "Nd",
        Category::LetterNumber => "Nl",
        Category::OtherNumber => "No",
        Category::ConnectorPunctuation => "Pc",
        Category::DashPunctuation => "Pd",
        Category::OpenPunctuation => "Ps",
        Category::ClosePunctuation => "Pe",
        Category::InitialPunctuation => "Pi",
        Category::FinalPunctuation => "Pf",
        Category::OtherPunctuation => "Po",
        Category::MathSymbol => "Sm",
        Category::CurrencySymbol => "Sc",
        Category::ModifierSymbol => "Sk",
        Category::OtherSymbol => "So",
        Category::SpaceSeparator => "Zs",
        Category::LineSeparator => "Zl",
        Category::ParagraphSeparator => "Zp",
        Category::Control => "Cc",
        Category::Format => "Cf",
        Category::Surrogate => "Cs",
        Category::PrivateUse => "Co",
        Category::Unassigned => "Cn",
    }))
}

fn bidirectional(call: &mut Call) -> Res {
    let c = character(call)?;
    Ok(Value::str(in_runs(tables::DIRECTIONS, tables::DIRECTION_NAMES, c)))
}

fn combining(call: &mut Call) -> Res {
    Ok(Value::int(canonical_combining_class(character(call)?).into()))
}

fn east_asian_width(call: &mut Call) -> Res {
    let c = character(call)?;
    Ok(Value::str(in_runs(tables::WIDTHS, tables::WIDTH_NAMES, c)))
}

fn mirrored(call: &mut Call) -> Res {
    let cp = surrogate::code_point(character(call)?);
    let bounds = tables::MIRRORED.partition_point(|&bound| bound <= cp);
    Ok(Value::int((bounds % 2) as i64))
}

fn decimal(call: &mut Call) -> Res {
    match decimal_value(character(call)?) {
        Some(value) => Ok(Value::int(value.into())),
        None => missing(call, "not a decimal"),
    }
}

fn digit(call: &mut Call) -> Res {
    let c = character(call)?;
    let cp = c as u32;
    let other = tables::OTHER_DIGITS.iter().find(|&&(first, last, _)| (first..=last).contains(&cp));
    match decimal_value(c).or_else(|| other.map(|(first, _, value)| value + cp - first)) {
        Some(value) => Ok(Value::int(value.into())),
        None => missing(call, "not a digit"),
    }
}

fn numeric(call: &mut Call) -> Res {
    let c = character(call)?;
    let cp = c as u32;
    let after = tables::NUMBERS.partition_point(|&(first, ..)| first <= cp);
    let run = after.checked_sub(1).map(|i| tables::NUMBERS[i]).filter(|&(_, last, ..)| cp <= last);
    match (run, decimal_value(c)) {
        (Some((first, _, over, under)), _) => {
            Ok(Value::float((over as f64 + f64::from(cp - first)) / f64::from(under)))
        }
        (None, Some(value)) => Ok(Value::float(value.into())),
        (None, None) => missing(call, "not a numeric character"),
    }
}

/// The second argument in the form that the first names.
fn in_form(call: &mut Call) -> Res<(String, String)> {
    let form = call.str(0)?;
    let text = call.str(1)?;
    let normal = match form {
        "NFC" => text.nfc().collect(),
        "NFKC" => text.nfkc().collect(),
        "NFD" => text.nfd().collect(),
        "NFKD" => text.nfkd().collect(),
        _ => return Err(unknown_form(call)),
    };
    Ok((text.to_string(), normal))
}

fn unknown_form(call: &mut Call) -> Raised {
    call.vm.value_error("invalid normalization form")
}

fn normalize(call: &mut Call) -> Res {
    Ok(Str::from_string(in_form(call)?.1).into())
}

fn is_normalized(call: &mut Call) -> Res {
    let (text, normal) = in_form(call)?;
    Ok(Value::bool(text == normal))
}
