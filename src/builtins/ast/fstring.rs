//! F-strings as nodes: the pieces of the tree, which know no places, beside the tokens, which know no values.

use super::places::Places;
use super::to_script::Converter;
use crate::source::Span;
use crate::syntax::ast::{Conversion, FStringPart};
use crate::syntax::token::Token;
use crate::value::Value;

/// A stretch of an f-string as its tokens show it.
#[derive(Clone, Copy)]
enum Piece {
    Text(Span),
    /// Numbers of the braces.
    Field(usize, usize),
}

pub fn convert(to: &mut Converter, parts: &[FStringPart], span: Span) -> Value {
    let first = to.places.token_from(span.start);
    let last = to.places.token_from(span.end);
    let values = values(to, parts, first, last);
    to.node("JoinedStr", &[("values", values)], span)
}

/// The pieces in some tokens.
fn pieces(places: &Places, mut from: usize, to: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    while from < to {
        let Some((token, span)) = places.token(from) else { break };
        match token {
            Token::String | Token::FStringMiddle | Token::FStringRawMiddle => pieces.push(Piece::Text(span)),
            Token::LBrace => {
                let end = places.partner(from);
                pieces.push(Piece::Field(from, end));
                from = end.max(from);
            }
            _ => {}
        }
        from += 1;
    }
    pieces
}

/// Text that is not a node yet, because more may follow.
#[derive(Default)]
struct Pending {
    text: String,
    span: Option<Span>,
}

impl Pending {
    fn add(&mut self, text: &str, span: Span) {
        self.text.push_str(text);
        self.span = Some(self.span.map_or(span, |so_far| so_far.to(span)));
    }

    fn flush(&mut self, to: &mut Converter, values: &mut Vec<Value>) {
        if let Some(span) = self.span.take() {
            let text = std::mem::take(&mut self.text);
            values.push(to.constant(Value::str(text), span));
        }
    }
}

/// The values of an f-string or format spec.
fn values(to: &mut Converter, parts: &[FStringPart], first: usize, last: usize) -> Value {
    let pieces = pieces(&to.places, first, last);
    let mut pieces = pieces.into_iter().peekable();
    let mut values = Vec::new();
    let mut pending = Pending::default();
    let mut place = Span::default();
    for part in parts {
        match part {
            FStringPart::Text(text) => {
                // Neighbouring texts are one part.
                let mut span: Option<Span> = None;
                while let Some(&Piece::Text(next)) = pieces.peek() {
                    span = Some(span.map_or(next, |so_far| so_far.to(next)));
                    pieces.next();
                }
                place = span.unwrap_or(place);
                pending.add(text, place);
            }
            FStringPart::Field { value, debug_text, conversion, spec } => {
                let field = pieces.by_ref().find_map(|piece| match piece {
                    Piece::Field(open, close) => Some((open, close)),
                    Piece::Text(_) => None,
                });
                let Some((open, close)) = field else { continue };
                let tail = Tail::new(&to.places, value.span.end, close);
                let start = to.places.token(open).map_or(0, |(_, span)| span.start);
                let end = to.places.token(close).map_or(start, |(_, span)| span.end);
                if let Some(text) = debug_text {
                    pending.add(text, Span::new(start + 1, tail.start_of_spec.unwrap_or(end - 1)));
                }
                pending.flush(to, &mut values);
                let value = to.expr(value);
                let has_own_form = conversion.is_some() || spec.is_some();
                let conversion = conversion_code(*conversion, debug_text.is_some() && !has_own_form);
                let spec = match (spec, tail.colon) {
                    (Some(spec), Some(colon)) => {
                        let values = self::values(to, spec, colon + 1, close);
                        let start = to.places.token(colon).map_or(start, |(_, span)| span.start);
                        to.node("JoinedStr", &[("values", values)], Span::new(start, end - 1))
                    }
                    _ => Value::NONE,
                };
                let fields =
                    [("value", value), ("conversion", Value::int(conversion)), ("format_spec", spec)];
                values.push(to.node("FormattedValue", &fields, Span::new(start, end)));
            }
        }
    }
    pending.flush(to, &mut values);
    Value::list(values)
}

/// What follows the expression of a field.
struct Tail {
    /// The token that begins the format spec.
    colon: Option<usize>,
    /// Where the conversion or format spec begins.
    start_of_spec: Option<u32>,
}

impl Tail {
    fn new(places: &Places, end_of_value: u32, close: usize) -> Tail {
        let mut tail = Tail { colon: None, start_of_spec: None };
        for at in places.token_from(end_of_value)..close {
            match places.token(at) {
                Some((Token::Exclamation, span)) => tail.start_of_spec = Some(span.start),
                Some((Token::Colon, span)) => {
                    tail.colon = Some(at);
                    tail.start_of_spec.get_or_insert(span.start);
                    break;
                }
                _ => {}
            }
        }
        tail
    }
}

/// The letter of a conversion as a number, -1 for none.
fn conversion_code(conversion: Option<Conversion>, is_repr: bool) -> i64 {
    match conversion {
        Some(Conversion::Str) => b's'.into(),
        Some(Conversion::Repr) => b'r'.into(),
        Some(Conversion::Ascii) => b'a'.into(),
        None if is_repr => b'r'.into(),
        None => -1,
    }
}
