//! Words and brackets that mean something special only in some places, settled by looking ahead.
//!
//! `match`, `case` and `type` are ordinary names unless they begin their statement, and a bracket after
//! `with` may hold an expression or a list of items. An LR(1) grammar cannot look far enough, but the whole
//! logical line tells:
//!
//! - `match` is a keyword if its line ends with a colon outside brackets, since no other statement that begins
//!   with a name does. It is taken for one, too, if a word follows that could not follow a name; this is for
//!   the sake of the error message.
//! - `case` is a keyword where a statement begins directly inside the block of such a `match`.
//! - `type` is a keyword if a name follows.
//! - The bracket of `with (...):` holds items if something in it, outside inner brackets, is an `as` or a
//!   comma, and nothing is a `:=`, `yield`, `for` or a leading `*`.

use super::token::Token;
use crate::source::{SourceFile, Span};

/// Rewrites the tokens of a whole file in place.
pub fn settle(source: &SourceFile, tokens: &mut [(Token, Span)]) {
    // For each open block: whether it is the body of a `match`.
    let mut blocks: Vec<bool> = Vec::new();
    let mut after_match_header = false;
    let mut previous = Token::Newline;
    for at in 0..tokens.len() {
        let (token, span) = tokens[at];
        let starts_line = matches!(previous, Token::Newline | Token::Indent | Token::Dedent);
        if starts_line && token != Token::Indent {
            after_match_header = false;
        }
        match token {
            Token::Indent => blocks.push(std::mem::take(&mut after_match_header)),
            Token::Dedent => drop(blocks.pop()),
            Token::Name if starts_line || matches!(previous, Token::Semicolon | Token::Colon) => {
                let in_match = blocks.last() == Some(&true);
                match source.slice(span) {
                    "match" if starts_line && is_match(source, tokens, at) => {
                        tokens[at].0 = Token::Match;
                        after_match_header = true;
                    }
                    "case" if starts_line && in_match => tokens[at].0 = Token::Case,
                    "type" if tokens.get(at + 1).is_some_and(|next| next.0 == Token::Name) => {
                        tokens[at].0 = Token::Type;
                    }
                    _ => {}
                }
            }
            Token::With if starts_items(tokens, at + 1) => tokens[at + 1].0 = Token::WithParen,
            _ => {}
        }
        previous = token;
    }
}

/// Whether the name `match` at this index is the keyword.
fn is_match(source: &SourceFile, tokens: &[(Token, Span)], at: usize) -> bool {
    let rest = &tokens[at + 1..];
    let length = rest.iter().position(|&(token, _)| token == Token::Newline).unwrap_or(rest.len());
    let line = &rest[..length];
    let Some(&(first, first_span)) = line.first() else { return false };
    if line.len() > 1 && line.last().is_some_and(|last| last.0 == Token::Colon) {
        return first != Token::Dot && first != Token::Equal;
    }
    match first {
        Token::Name => !matches!(source.slice(first_span), "match"),
        Token::Int | Token::Float | Token::Imaginary | Token::String | Token::FStringStart => true,
        Token::True | Token::False | Token::None | Token::Lambda | Token::LBrace | Token::Tilde => true,
        Token::Not => line.get(1).is_some_and(|next| next.0 != Token::In),
        _ => false,
    }
}

/// Whether the token at this index, which follows `with`, is a `(` that opens a list of items.
fn starts_items(tokens: &[(Token, Span)], at: usize) -> bool {
    if tokens.get(at).is_none_or(|first| first.0 != Token::LParen) {
        return false;
    }
    let mut depth = 0;
    let mut has_comma = false;
    let mut has_as = false;
    let mut previous = Token::LParen;
    for (index, &(token, _)) in tokens.iter().enumerate().skip(at) {
        if token.opens_bracket() {
            depth += 1;
        } else if token.closes_bracket() {
            depth -= 1;
            if depth == 0 {
                let next = tokens.get(index + 1).map(|next| next.0);
                return (has_comma && next == Some(Token::Colon)) || has_as;
            }
        } else if depth == 1 {
            match token {
                Token::As => has_as = true,
                Token::Comma => has_comma = true,
                Token::ColonEqual | Token::Yield | Token::For => return has_as,
                Token::Star if matches!(previous, Token::LParen | Token::Comma) => return has_as,
                _ => {}
            }
        }
        previous = token;
    }
    has_as
}
