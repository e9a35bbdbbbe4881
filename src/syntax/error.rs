//! What can be wrong with a source text before anything runs.

use crate::source::{SourceFile, Span};

/// Which exception class a script would see for the mistake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyntaxErrorKind {
    Syntax,
    Indentation,
    Tab,
}

/// A mistake in a source text, with its place.
#[derive(Clone, Debug)]
pub struct SyntaxError {
    pub kind: SyntaxErrorKind,
    pub message: String,
    pub span: Span,
    /// The text is a correct beginning that merely ended too early: more input could mend it.
    pub is_incomplete: bool,
}

impl SyntaxError {
    pub fn new(message: impl Into<String>, span: Span) -> SyntaxError {
        SyntaxError { kind: SyntaxErrorKind::Syntax, message: message.into(), span, is_incomplete: false }
    }

    pub fn indentation(message: impl Into<String>, span: Span) -> SyntaxError {
        SyntaxError { kind: SyntaxErrorKind::Indentation, ..SyntaxError::new(message, span) }
    }

    /// A SyntaxError in a text that is a correct beginning.
    pub fn incomplete(message: impl Into<String>, span: Span) -> SyntaxError {
        SyntaxError { is_incomplete: true, ..SyntaxError::new(message, span) }
    }

    /// Name of the exception class.
    pub fn class_name(&self) -> &'static str {
        match self.kind {
            SyntaxErrorKind::Syntax => "SyntaxError",
            SyntaxErrorKind::Indentation => "IndentationError",
            SyntaxErrorKind::Tab => "TabError",
        }
    }

    /// The report as Python prints it: file and line, the source line, a caret line, the message. There are no
    /// carets when the place is the indentation, which is not shown.
    pub fn render(&self, source: &SourceFile) -> String {
        let start = source.position(self.span.start);
        let raw = source.line_text(start.line);
        let text = raw.trim_start();
        let indent = raw.chars().count() - text.chars().count();
        let mut out = format!("  File \"{}\", line {}\n", source.name, start.line);
        if !text.trim().is_empty() {
            let text = text.trim_end();
            let end = source.position(self.span.end.max(self.span.start));
            let first = start.column.saturating_sub(1).max(indent) - indent;
            let last = if end.line == start.line { end.column - 1 } else { raw.chars().count() };
            let width = last.saturating_sub(indent).saturating_sub(first).max(1);
            out.push_str(&format!("    {text}\n"));
            if start.column > indent {
                out.push_str(&format!("    {}{}\n", " ".repeat(first), "^".repeat(width)));
            }
        }
        out.push_str(&format!("{}: {}\n", self.class_name(), self.message));
        out
    }
}
