//! What a text may say but hardly means: the warnings Python gives while it compiles.
//!
//! Those that single tokens show are found here; those that expressions show, on the walk of `validate`.

use super::ast::{CompareOp, Expr, ExprKind};
use super::token::Token;
use crate::source::{SourceFile, Span};

/// Notes what is doubtful in tokens: escapes that mean nothing, numbers that run into a word.
pub fn in_tokens(source: &SourceFile, tokens: &[(Token, Span)]) {
    for pair in tokens.windows(2) {
        let [(token, span), (next, after)] = pair else { continue };
        match token {
            Token::String => in_literal(source, *span),
            Token::FStringMiddle => in_escapes(source, *span, false),
            Token::Int | Token::Float | Token::Imaginary if after.start == span.end && next.is_keyword() => {
                in_number(source, *span);
            }
            _ => {}
        }
    }
}

fn in_number(source: &SourceFile, span: Span) {
    let text = source.slice(span);
    let kind = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => "hexadecimal",
        [b'0', b'o' | b'O', ..] => "octal",
        [b'0', b'b' | b'B', ..] => "binary",
        [.., b'j' | b'J'] => "imaginary",
        _ => "decimal",
    };
    source.doubt(format!("invalid {kind} literal"), span);
}

fn in_literal(source: &SourceFile, span: Span) {
    let text = source.slice(span);
    let prefix = text.find(['\'', '"']).unwrap_or(0);
    let has = |letters: [char; 2]| text[..prefix].contains(letters);
    if !has(['r', 'R']) {
        in_escapes(source, span, has(['b', 'B']));
    }
}

fn in_escapes(source: &SourceFile, span: Span, is_bytes: bool) {
    let bytes = source.slice(span).as_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &bytes[at..]) {
        let start = at + found;
        let Some(&letter) = bytes.get(start + 1) else { return };
        at = start + 2;
        let place =
            |length: usize| Span::new(span.start + start as u32, span.start + (start + length) as u32);
        match letter {
            b'\n' | b'\r' | b'\\' | b'\'' | b'"' | b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'x' => {}
            b'N' | b'u' | b'U' if !is_bytes => {}
            b'0'..=b'7' => {
                let digits =
                    bytes[start + 1..].iter().take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
                if digits == 3 && letter > b'3' {
                    let text = source.slice(place(4));
                    source.doubt(format!("invalid octal escape sequence '{text}'"), place(4));
                }
            }
            _ if letter.is_ascii() => {
                let message = format!("invalid escape sequence '\\{}'", letter as char);
                source.doubt(message, place(2));
            }
            _ => {
                let letter = source.slice(span)[start + 1..].chars().next().unwrap_or_default();
                source.doubt(format!("invalid escape sequence '\\{letter}'"), place(1 + letter.len_utf8()));
            }
        }
    }
}

/// Python's name of the type of a literal, if the expression is one.
fn literal_type(value: &Expr) -> Option<&'static str> {
    Some(match &value.kind {
        ExprKind::Int(_) => "int",
        ExprKind::Float(_) => "float",
        ExprKind::Imaginary(_) => "complex",
        ExprKind::Str(_) | ExprKind::FString(_) => "str",
        ExprKind::Bytes(_) => "bytes",
        ExprKind::Tuple(_) => "tuple",
        _ => return None,
    })
}

/// `x is 1`: whether it is true says nothing of the values.
pub fn in_comparison(source: &SourceFile, left: &Expr, op: CompareOp, right: &Expr, span: Span) {
    let (word, better) = match op {
        CompareOp::Is => ("is", "=="),
        CompareOp::IsNot => ("is not", "!="),
        _ => return,
    };
    // Of tuples only those without variables are constants.
    let literal = |value: &Expr| match &value.kind {
        ExprKind::FString(_) => None,
        ExprKind::Tuple(items) if !items.iter().all(|item| literal_type(item).is_some()) => None,
        _ => literal_type(value),
    };
    if let Some(kind) = literal(left).or_else(|| literal(right)) {
        source.doubt(format!("\"{word}\" with '{kind}' literal. Did you mean \"{better}\"?"), span);
    }
}

/// `assert (test, "message")` is always true.
pub fn in_assertion(source: &SourceFile, test: &Expr) {
    if matches!(&test.kind, ExprKind::Tuple(items) if !items.is_empty()) {
        source.doubt("assertion is always true, perhaps remove parentheses?", test.span);
    }
}

/// The type of a display or literal, which is no function.
fn fixed_type(value: &Expr) -> Option<&'static str> {
    Some(match &value.kind {
        ExprKind::List(_) | ExprKind::ListComp { .. } => "list",
        ExprKind::Dict(_) | ExprKind::DictComp { .. } => "dict",
        ExprKind::Set(_) | ExprKind::SetComp { .. } => "set",
        ExprKind::Generator { .. } => "generator",
        ExprKind::None => "NoneType",
        ExprKind::True | ExprKind::False => "bool",
        ExprKind::Ellipsis => "ellipsis",
        _ => return literal_type(value),
    })
}

/// `(1, 2)(3)`: nothing that can be called.
pub fn in_call(source: &SourceFile, function: &Expr, span: Span) {
    if let Some(kind) = fixed_type(function) {
        source.doubt(format!("'{kind}' object is not callable; perhaps you missed a comma?"), span);
    }
}

/// `{1}[2]` and `"text"["key"]`: nothing that has items, or not such ones.
pub fn in_subscript(source: &SourceFile, value: &Expr, index: &Expr, span: Span) {
    let Some(kind) = fixed_type(value) else {
        if matches!(value.kind, ExprKind::Lambda { .. }) {
            source.doubt("'function' object is not subscriptable; perhaps you missed a comma?", span);
        }
        return;
    };
    match kind {
        "dict" => {}
        "list" | "tuple" | "str" | "bytes" => {
            let by = match fixed_type(index) {
                _ if matches!(index.kind, ExprKind::Lambda { .. }) => "function",
                Some("int" | "bool") | None => return,
                Some(by) => by,
            };
            let message =
                format!("{kind} indices must be integers or slices, not {by}; perhaps you missed a comma?");
            source.doubt(message, span);
        }
        _ => source.doubt(format!("'{kind}' object is not subscriptable; perhaps you missed a comma?"), span),
    }
}
