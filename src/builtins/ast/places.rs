//! Places of nodes as Python counts them, found with the tokens of the text.
//!
//! The syntax tree keeps few places besides those of expressions and statements. Where Python's nodes begin
//! or end at a word or bracket that the tree does not mention (`elif`, the `*` of an argument, brackets around
//! an annotation), the tokens tell.

use crate::source::{SourceFile, Span};
use crate::syntax::token::Token;
use std::rc::Rc;

pub struct Places {
    pub source: Rc<SourceFile>,
    tokens: Vec<(Token, Span)>,
    /// For each bracket the number of the one it belongs to, for all else 0.
    partners: Vec<usize>,
    /// How many bytes of the first line are not part of the text that the user knows.
    hidden: u32,
}

impl Places {
    pub fn new(source: Rc<SourceFile>, mut tokens: Vec<(Token, Span)>) -> Places {
        tokens.retain(|(token, _)| !matches!(token, Token::Newline | Token::Indent | Token::Dedent));
        let mut partners = vec![0; tokens.len()];
        let mut open = Vec::new();
        for (at, (token, _)) in tokens.iter().enumerate() {
            if token.opens_bracket() || *token == Token::WithParen {
                open.push(at);
            } else if token.closes_bracket()
                && let Some(partner) = open.pop()
            {
                partners[at] = partner;
                partners[partner] = at;
            }
        }
        let hidden = if source.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() as u32 } else { 0 };
        Places { source, tokens, partners, hidden }
    }

    /// The same, where the text begins with some bytes that the user does not know.
    pub fn behind(self, hidden: u32) -> Places {
        Places { hidden, ..self }
    }

    /// Line, and column in bytes.
    pub fn line_and_column(&self, offset: u32) -> (usize, usize) {
        let line = self.source.line_of(offset);
        let hidden = if line == 1 { self.hidden } else { 0 };
        let start = self.source.line_start(line) + hidden;
        (line, offset.saturating_sub(start) as usize)
    }

    /// A place without blanks at its end.
    pub fn trimmed(&self, span: Span) -> Span {
        let before = self.tokens.partition_point(|(_, token)| token.end <= span.end);
        let end = before.checked_sub(1).map_or(span.end, |last| self.tokens[last].1.end);
        Span::new(span.start, end.max(span.start))
    }

    /// The place of a compound statement: a semicolon at its very end belongs to it.
    pub fn compound(&self, span: Span) -> Span {
        match self.token(self.token_from(span.end)) {
            Some((Token::Semicolon, semicolon)) => Span::new(span.start, semicolon.end),
            _ => span,
        }
    }

    /// Number of the first token that begins at an offset or behind it.
    pub fn token_from(&self, offset: u32) -> usize {
        self.tokens.partition_point(|(_, span)| span.start < offset)
    }

    pub fn token(&self, number: usize) -> Option<(Token, Span)> {
        self.tokens.get(number).copied()
    }

    pub fn partner(&self, number: usize) -> usize {
        self.partners[number]
    }

    /// Where the first token of a kind behind an offset begins.
    pub fn start_of_next(&self, wanted: &[Token], offset: u32) -> u32 {
        let behind = &self.tokens[self.token_from(offset).min(self.tokens.len())..];
        behind.iter().find(|(token, _)| wanted.contains(token)).map_or(offset, |(_, span)| span.start)
    }

    /// Where the nearest token of a kind before an offset begins.
    pub fn start_of_last(&self, wanted: Token, offset: u32) -> u32 {
        let before = &self.tokens[..self.token_from(offset)];
        before.iter().rev().find(|(token, _)| *token == wanted).map_or(offset, |(_, span)| span.start)
    }

    /// The place from `start` to `end`, and the brackets behind it that were opened in it.
    pub fn with_brackets(&self, start: u32, mut end: u32) -> Span {
        let mut at = self.token_from(end);
        while let Some((token, span)) = self.token(at)
            && token == Token::RParen
            && self.tokens[self.partners[at]].1.start >= start
        {
            end = span.end;
            at += 1;
        }
        Span::new(start, end)
    }

    /// The place of a generator, which for `f(x for x in y)` is that of the brackets of the call.
    pub fn generator(&self, span: Span) -> Span {
        let at = self.token_from(span.start);
        let has_brackets = matches!(self.token(at), Some((Token::LParen, _)))
            && self.token(self.partners[at]).is_some_and(|(_, closing)| closing.end == span.end);
        if has_brackets {
            return span;
        }
        let start = self.start_of_last(Token::LParen, span.start);
        let closing = self.partners[self.token_from(start)];
        Span::new(start, self.token(closing).map_or(span.end, |(_, closing)| closing.end))
    }
}
