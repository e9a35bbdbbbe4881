//! Lines and blocks: turns raw tokens into tokens with `Newline`, `Indent` and `Dedent`.
//!
//! A logical line is what Python calls a statement's worth of text. Its end is a `Newline` token. Line ends
//! inside brackets, after a backslash, after a comment on its own line or on a blank line do not end it, so
//! they vanish here together with the comments. When a logical line starts further right than the one before
//! it, an `Indent` comes first; when it starts further left, one `Dedent` for each block that it leaves.
//! The text between the beginning of the line and its first token is the indentation.
//!
//! Tabs: a tab reaches to the next multiple of eight. As CPython does, every column is also counted with tabs
//! of width one; if the two ways of counting disagree about how two lines compare, that is a TabError.

use super::error::{SyntaxError, SyntaxErrorKind};
use super::token::Token;
use crate::source::{SourceFile, Span};

/// CPython's limit for brackets inside brackets.
const MAX_BRACKETS: usize = 200;
/// CPython's limit for blocks inside blocks.
const MAX_INDENTS: usize = 100;
const TAB_WIDTH: u32 = 8;

/// How far right a line starts, counted in both ways.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Column {
    wide: u32,
    narrow: u32,
}

type Item = Result<(Token, Span), SyntaxError>;

/// The adapter over an iterator of raw tokens. It ends after the first error.
pub struct Layout<'s, I> {
    source: &'s SourceFile,
    raw: I,
    brackets: Vec<(Token, Span)>,
    /// Columns of the blocks we are in, the outermost (column 0) left out.
    indents: Vec<Column>,
    /// Offset at which the current physical line starts, if no token of it has been seen.
    line_start: Option<u32>,
    /// A token read but not passed on, because indents or dedents must come before it.
    held: Option<(Token, Span)>,
    dedents: usize,
    /// Where the last token ended.
    last_end: u32,
    /// Some token came since the last `Newline`.
    in_line: bool,
    finished: bool,
}

impl<'s, I: Iterator<Item = Item>> Layout<'s, I> {
    pub fn new(source: &'s SourceFile, raw: I) -> Layout<'s, I> {
        let start = if source.text.starts_with('\u{feff}') { 3 } else { 0 };
        Layout {
            source,
            raw,
            brackets: Vec::new(),
            indents: Vec::new(),
            line_start: Some(start),
            held: None,
            dedents: 0,
            last_end: 0,
            in_line: false,
            finished: false,
        }
    }

    fn next_token(&mut self) -> Option<Item> {
        if self.dedents > 0 {
            self.dedents -= 1;
            let at = self.held.map_or(self.source.text.len() as u32, |(_, span)| span.start);
            return Some(Ok((Token::Dedent, Span::new(at, at))));
        }
        if let Some((token, span)) = self.held.take() {
            return Some(self.pass(token, span));
        }
        loop {
            let (token, span) = match self.raw.next() {
                None => return self.end_of_file(),
                Some(Err(error)) => return Some(Err(error)),
                Some(Ok(item)) => item,
            };
            match token {
                Token::Comment | Token::Backslash => {}
                Token::LineEnd if !self.brackets.is_empty() => {}
                Token::LineEnd => {
                    self.line_start = Some(span.end);
                    if self.in_line {
                        self.in_line = false;
                        return Some(Ok((Token::Newline, span)));
                    }
                }
                _ => {
                    if let Some(start) = self.line_start.take()
                        && let Some(item) = self.start_line(start, token, span)
                    {
                        return Some(item);
                    }
                    return Some(self.pass(token, span));
                }
            }
        }
    }

    /// Passes a token on, keeping track of brackets.
    fn pass(&mut self, token: Token, span: Span) -> Item {
        self.in_line = true;
        self.last_end = span.end;
        if token.opens_bracket() {
            if self.brackets.len() >= MAX_BRACKETS {
                return Err(SyntaxError::new("too many nested parentheses", span));
            }
            self.brackets.push((token, span));
        } else if token.closes_bracket() {
            self.close_bracket(token, span)?;
        }
        Ok((token, span))
    }

    fn close_bracket(&mut self, token: Token, span: Span) -> Result<(), SyntaxError> {
        let Some((open, open_span)) = self.brackets.pop() else {
            return Err(SyntaxError::new(format!("unmatched '{}'", token.name()), span));
        };
        let matches = matches!(
            (open, token),
            (Token::LParen, Token::RParen)
                | (Token::LBracket, Token::RBracket)
                | (Token::LBrace, Token::RBrace)
        );
        if matches {
            return Ok(());
        }
        let (open_line, line) = (self.source.line_of(open_span.start), self.source.line_of(span.start));
        let mut message = format!(
            "closing parenthesis '{}' does not match opening parenthesis '{}'",
            token.name(),
            open.name()
        );
        if open_line != line {
            message.push_str(&format!(" on line {open_line}"));
        }
        Err(SyntaxError::new(message, span))
    }

    /// Compares the indentation of a new logical line with the one before. What comes before the token, if
    /// anything does, is returned.
    fn start_line(&mut self, start: u32, token: Token, span: Span) -> Option<Item> {
        let column = column_of(&self.source.text.as_bytes()[start as usize..span.start as usize]);
        let top = self.indents.last().copied().unwrap_or_default();
        if column.wide == top.wide {
            return (column.narrow != top.narrow).then(|| Err(self.tab_error(span)));
        }
        if column.wide > top.wide {
            if column.narrow <= top.narrow {
                return Some(Err(self.tab_error(span)));
            }
            if self.indents.len() + 1 >= MAX_INDENTS {
                return Some(Err(self.indentation_error("too many levels of indentation", span)));
            }
            self.indents.push(column);
            self.held = Some((token, span));
            return Some(Ok((Token::Indent, Span::new(start, span.start))));
        }
        while self.indents.last().is_some_and(|indent| column.wide < indent.wide) {
            self.indents.pop();
            self.dedents += 1;
        }
        let top = self.indents.last().copied().unwrap_or_default();
        if column.wide != top.wide {
            // Python points at the end of the offending line.
            let line = self.source.line_of(span.start);
            let end = self.source.line_start(line) + self.source.line_text(line).len() as u32;
            let message = "unindent does not match any outer indentation level";
            return Some(Err(SyntaxError::indentation(message, Span::new(end, end))));
        }
        if column.narrow != top.narrow {
            return Some(Err(self.tab_error(span)));
        }
        self.held = Some((token, span));
        self.dedents -= 1;
        Some(Ok((Token::Dedent, Span::new(span.start, span.start))))
    }

    fn tab_error(&self, span: Span) -> SyntaxError {
        let message = "inconsistent use of tabs and spaces in indentation";
        SyntaxError { kind: SyntaxErrorKind::Tab, ..self.indentation_error(message, span) }
    }

    /// The whole indentation before a token is wrong.
    fn indentation_error(&self, message: &str, token: Span) -> SyntaxError {
        let start = self.source.line_start(self.source.line_of(token.start));
        SyntaxError::indentation(message, Span::new(start, token.start))
    }

    fn end_of_file(&mut self) -> Option<Item> {
        if let Some((open, span)) = self.brackets.pop() {
            return Some(Err(SyntaxError::incomplete(format!("'{}' was never closed", open.name()), span)));
        }
        if self.in_line {
            self.in_line = false;
            return Some(Ok((Token::Newline, Span::new(self.last_end, self.last_end))));
        }
        self.indents.pop()?;
        let end = self.source.text.len() as u32;
        Some(Ok((Token::Dedent, Span::new(end, end))))
    }
}

impl<I: Iterator<Item = Item>> Iterator for Layout<'_, I> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if self.finished {
            return None;
        }
        let item = self.next_token();
        self.finished = !matches!(item, Some(Ok(_)));
        item
    }
}

/// The column that follows an indentation. A form feed starts anew; after a backslash that joins lines, the
/// indentation of the first line is the one that counts.
fn column_of(indentation: &[u8]) -> Column {
    let mut column = Column::default();
    let mut joined: Option<Column> = None;
    for &byte in indentation {
        match byte {
            b' ' => {
                column.wide += 1;
                column.narrow += 1;
            }
            b'\t' => {
                column.wide = (column.wide / TAB_WIDTH + 1) * TAB_WIDTH;
                column.narrow += 1;
            }
            b'\x0C' => column = Column::default(),
            b'\\' => {
                joined = joined.filter(|first| first.wide > 0).or(Some(column));
                column = Column::default();
            }
            _ => {}
        }
    }
    joined.filter(|first| first.wide > 0).unwrap_or(column)
}
