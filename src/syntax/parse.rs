//! Runs the generated parser. Its types stay in this file; everyone else sees trees and `SyntaxError`s.
//!
//! The whole text is turned into tokens before any of it is parsed, because some decisions look far ahead
//! (see `soft_keywords`) and because a mistake in the tokens is reported even if the grammar is violated
//! earlier, as Python does.

use super::actions::{Context, Parsed};
use super::ast::{Expr, Module};
use super::doubts;
use super::error::SyntaxError;
use super::explain::{self, Failure};
use super::layout::Layout;
use super::lexer::Lexer;
use super::soft_keywords;
use super::token::Token;
use super::validate;
use crate::source::{SourceFile, Span};
use lalrpop_util::ParseError;
use std::cell::Cell;

#[allow(clippy::all, unused, missing_debug_implementations)]
mod grammar {
    include!(concat!(env!("OUT_DIR"), "/zpy.rs"));
}

thread_local! {
    /// The generated parser owns nothing that depends on its input.
    static PARSER: grammar::StartParser = grammar::StartParser::new();
}

/// The tokens of a text, and the tree they make up.
pub type WithTokens<T> = (T, Vec<(Token, Span)>);

/// Parses a whole file.
pub fn parse(source: &SourceFile) -> Result<Module, SyntaxError> {
    let (module, _) = parse_unchecked(source)?;
    validate::module(source, &module)?;
    Ok(module)
}

/// Parses one expression, as for `eval`. Blanks around it do not matter.
pub fn parse_expression(source: &SourceFile) -> Result<Expr, SyntaxError> {
    let (value, _) = parse_expression_unchecked(source)?;
    validate::expression(source, &value)?;
    Ok(value)
}

/// As `parse`, but what only the surroundings of a node show to be wrong is let through.
pub fn parse_unchecked(source: &SourceFile) -> Result<WithTokens<Module>, SyntaxError> {
    let (tokens, error) = lex(source);
    match run(source, Token::StartFile, &tokens, error)? {
        Parsed::File(module) => {
            doubts::in_tokens(source, &tokens);
            Ok((module, tokens))
        }
        Parsed::Expression(value) => Err(SyntaxError::new("invalid syntax", value.span)),
    }
}

/// As `parse_expression`, but what only the surroundings of a node show to be wrong is let through.
pub fn parse_expression_unchecked(source: &SourceFile) -> Result<WithTokens<Expr>, SyntaxError> {
    let (mut tokens, error) = lex(source);
    if tokens.first().is_some_and(|first| first.0 == Token::Indent) {
        tokens.remove(0);
        while tokens.last().is_some_and(|last| last.0 == Token::Dedent) {
            tokens.pop();
        }
    }
    match run(source, Token::StartExpression, &tokens, error)? {
        Parsed::Expression(value) => {
            doubts::in_tokens(source, &tokens);
            Ok((value, tokens))
        }
        Parsed::File(_) => Err(SyntaxError::new("invalid syntax", Span::default())),
    }
}

/// All tokens, up to the first error if there is one.
pub fn lex(source: &SourceFile) -> (Vec<(Token, Span)>, Option<SyntaxError>) {
    if let Some(at) = source.text.bytes().position(|byte| byte == 0) {
        let span = Span::new(at as u32, at as u32 + 1);
        return (Vec::new(), Some(SyntaxError::new("source code cannot contain null bytes", span)));
    }
    let mut tokens = Vec::with_capacity(source.text.len() / 4);
    let mut error = None;
    for item in Layout::new(source, Lexer::new(source)) {
        match item {
            Ok(token) => tokens.push(token),
            Err(failure) => error = Some(failure),
        }
    }
    soft_keywords::settle(source, &mut tokens);
    (tokens, error)
}

/// Parses tokens that may end in an error.
fn run(
    source: &SourceFile,
    start: Token,
    tokens: &[(Token, Span)],
    error: Option<SyntaxError>,
) -> Result<Parsed, SyntaxError> {
    let found = match run_parser(source, start, tokens, error.clone()) {
        Ok(parsed) => return Ok(parsed),
        Err(Outcome::Lexical) => None,
        Err(Outcome::Said(said)) => Some(*said),
        Err(Outcome::Refused(failure)) => Some(explain::explain(source, tokens, failure)),
    };
    let found = found.or_else(|| mistake_in_open_bracket(source, start, tokens, error.as_ref()));
    Err(match (found, error) {
        (Some(found), None) => found,
        (Some(found), Some(error)) if error.is_incomplete => explain::prefer(source, found, error),
        (Some(found), Some(error)) if !explain::overrides(&found, &error) => found,
        (_, Some(error)) => error,
        (None, None) => SyntaxError::new("invalid syntax", Span::default()),
    })
}

/// What is wrong with `(a = 1` shows only at what follows, since a rule of the grammar must be complete to
/// be refused. To see it where a bracket stays open, the brackets are closed.
fn mistake_in_open_bracket(
    source: &SourceFile,
    start: Token,
    tokens: &[(Token, Span)],
    error: Option<&SyntaxError>,
) -> Option<SyntaxError> {
    if !error?.message.ends_with("was never closed") {
        return None;
    }
    let mut closing = Vec::new();
    for &(token, _) in tokens {
        match token {
            Token::LParen | Token::WithParen => closing.push(Token::RParen),
            Token::LBracket => closing.push(Token::RBracket),
            Token::LBrace => closing.push(Token::RBrace),
            _ if token.closes_bracket() => drop(closing.pop()),
            _ => {}
        }
    }
    let end = tokens.last()?.1.end;
    let mut closed = tokens.to_vec();
    closed
        .extend(closing.into_iter().rev().chain([Token::Newline]).map(|token| (token, Span::new(end, end))));
    match run_parser(source, start, &closed, None) {
        Err(Outcome::Said(said)) if said.message.contains("instead of '='") => Some(*said),
        _ => None,
    }
}

/// Why there is no tree.
enum Outcome {
    /// The tokens end in an error, and the parser came that far.
    Lexical,
    /// An action said why.
    Said(Box<SyntaxError>),
    /// The grammar does not allow a token.
    Refused(Failure),
}

fn run_parser(
    source: &SourceFile,
    start: Token,
    tokens: &[(Token, Span)],
    error: Option<SyntaxError>,
) -> Result<Parsed, Outcome> {
    let context = Context::new(source);
    let read = Cell::new(0);
    let first = tokens.first().map_or(0, |first| first.1.start);
    let mark = std::iter::once(Ok((first, start, first)));
    let rest = tokens.iter().map(|&(token, span)| {
        read.set(read.get() + 1);
        Ok((span.start, token, span.end))
    });
    let came_to_error = Cell::new(false);
    let last = error.into_iter().map(|error| {
        came_to_error.set(true);
        Err(error)
    });
    let input = mark.chain(rest).chain(last);
    PARSER.with(|parser| parser.parse(&context, input)).map_err(|error| match error {
        ParseError::User { .. } if came_to_error.get() => Outcome::Lexical,
        ParseError::User { error } => Outcome::Said(Box::new(error)),
        ParseError::UnrecognizedToken { expected, .. } => {
            Outcome::Refused(Failure { at: read.get() - 1, expected: unquoted(expected) })
        }
        ParseError::UnrecognizedEof { expected, .. } => {
            Outcome::Refused(Failure { at: tokens.len(), expected: unquoted(expected) })
        }
        ParseError::InvalidToken { .. } | ParseError::ExtraToken { .. } => {
            Outcome::Refused(Failure { at: read.get() - 1, expected: Vec::new() })
        }
    })
}

/// LALRPOP names tokens as the grammar writes them, in double quotes.
fn unquoted(expected: Vec<String>) -> Vec<String> {
    expected.into_iter().map(|name| name.trim_matches('"').to_string()).collect()
}

/// How many of the tokens, counted from the first, make up one expression; 0 if they do not begin with one.
pub fn expression_prefix(source: &SourceFile, tokens: &[(Token, Span)]) -> usize {
    let mut length = tokens.len();
    while length > 0 {
        let mut candidate = tokens[..length].to_vec();
        let end = candidate[length - 1].1.end;
        candidate.push((Token::Newline, Span::new(end, end)));
        match run_parser(source, Token::StartExpression, &candidate, None) {
            Ok(_) => return length,
            // What comes before the token that does not fit may be whole.
            Err(Outcome::Refused(failure)) => length = failure.at.min(length - 1),
            Err(Outcome::Said(_) | Outcome::Lexical) => return 0,
        }
    }
    0
}
