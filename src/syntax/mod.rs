//! From source text to syntax tree: the whole front end.
//!
//! The text goes through `lexer` (raw tokens), `layout` (lines and blocks), `soft_keywords` (names that are
//! keywords here and there) and the parser that `grammar/zpy.lalrpop` describes, whose rules build the tree
//! with the helpers in `actions`. What the grammar lets through although it is wrong is refused by
//! `targets` and `validate`; what the grammar refuses is put in words by `explain`. Nothing here knows values
//! or runs code.

mod actions;
pub mod ast;
pub mod doubts;
mod error;
mod explain;
mod layout;
mod lexer;
mod literals;
mod parse;
mod soft_keywords;
mod targets;
pub mod token;
mod validate;

pub use actions::expr as make_expr;
pub use error::{SyntaxError, SyntaxErrorKind};
pub use literals::surrogate_char;
pub use parse::{parse, parse_expression, parse_expression_unchecked, parse_unchecked};
pub use validate::{expression as check_expression, module as check};

use crate::source::{SourceFile, Span};
use token::Token;

/// The tokens of a file, layout included.
pub fn tokens(source: &SourceFile) -> Result<Vec<(Token, Span)>, SyntaxError> {
    let (tokens, error) = parse::lex(source);
    match error {
        Some(error) => Err(error),
        None => Ok(tokens),
    }
}

/// The tokens of a text that may still be unfinished: those before the first mistake.
pub fn tokens_so_far(source: &SourceFile) -> Vec<(Token, Span)> {
    parse::lex(source).0
}

/// The tokens of a file for people to read, one on each line: line and column, name, text.
pub fn dump_tokens(source: &SourceFile) -> Result<String, SyntaxError> {
    let mut out = String::new();
    for (token, span) in tokens(source)? {
        let place = source.position(span.start);
        let text = source.slice(span);
        let is_said = text == token.name() || text.is_empty();
        let text = if is_said { String::new() } else { format!(" {text:?}") };
        out.push_str(&format!("{}:{} {}{text}\n", place.line, place.column, token.name()));
    }
    Ok(out)
}
