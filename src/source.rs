//! Source text and places in it: a file, a byte range, and how to show that range to a person.
//!
//! Everything before evaluation speaks of places as a [`Span`], two byte offsets into the text of one
//! [`SourceFile`]. Lines and columns exist only here, computed when something must be shown.

use std::cell::RefCell;
use std::rc::Rc;

/// A half-open byte range of a source text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub const fn new(start: u32, end: u32) -> Span {
        Span { start, end }
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A place as people count it: line from 1, column from 1 in code points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// A source text with its display name (a path as typed, `<string>`, `<stdin>`).
#[derive(Debug)]
pub struct SourceFile {
    pub name: Rc<str>,
    pub text: Rc<str>,
    line_starts: Vec<u32>,
    /// What the parser found doubtful, until it is told: warnings.
    doubts: RefCell<Vec<(String, Span)>>,
}

impl SourceFile {
    pub fn new(name: impl Into<Rc<str>>, text: impl Into<Rc<str>>) -> SourceFile {
        let text: Rc<str> = text.into();
        let mut line_starts = vec![0];
        let bytes = text.as_bytes();
        for (i, &b) in bytes.iter().enumerate() {
            let ends_line = b == b'\n' || (b == b'\r' && bytes.get(i + 1) != Some(&b'\n'));
            if ends_line {
                line_starts.push(i as u32 + 1);
            }
        }
        SourceFile { name: name.into(), text, line_starts, doubts: RefCell::default() }
    }

    /// Notes a warning.
    pub fn doubt(&self, message: impl Into<String>, span: Span) {
        self.doubts.borrow_mut().push((message.into(), span));
    }

    /// The warnings, in the order of their places. They are told once.
    pub fn take_doubts(&self) -> Vec<(String, Span)> {
        let mut doubts = self.doubts.take();
        doubts.sort_by_key(|(_, span)| span.start);
        doubts
    }

    /// Line number (from 1) of a byte offset.
    pub fn line_of(&self, offset: u32) -> usize {
        self.line_starts.partition_point(|&start| start <= offset)
    }

    pub fn position(&self, offset: u32) -> Position {
        let line = self.line_of(offset);
        let start = self.line_starts[line - 1] as usize;
        let end = (offset as usize).min(self.text.len());
        let column = self.text.get(start..end).map_or(0, |s| s.chars().count()) + 1;
        Position { line, column }
    }

    /// The text of a line (from 1), without its line ending.
    pub fn line_text(&self, line: usize) -> &str {
        let Some(&start) = self.line_starts.get(line.wrapping_sub(1)) else { return "" };
        let end = self.line_starts.get(line).map_or(self.text.len(), |&e| e as usize);
        self.text[start as usize..end].trim_end_matches(['\n', '\r'])
    }

    /// Byte offset at which a line (from 1) starts; the length of the text past the last line.
    pub fn line_start(&self, line: usize) -> u32 {
        self.line_starts.get(line.wrapping_sub(1)).copied().unwrap_or(self.text.len() as u32)
    }

    pub fn line_count(&self) -> usize {
        self.line_starts.len()
    }

    /// The text a span covers.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }
}
