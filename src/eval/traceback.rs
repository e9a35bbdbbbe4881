//! Tracebacks: the places an exception passed, as objects and as text. The whole report is made in `report`.

use super::code::CodeKind;
use super::{Exc, Vm};
use crate::source::{SourceFile, Span};
use crate::syntax::ast::ExprKind;
use crate::value::exception::TraceEntry;
use crate::value::{Exception, Foreign, Ref, Res, Str, Value, View};
use std::cell::RefCell;

/// Identical frames in a row shown before the rest is folded into one line.
const SHOWN_REPEATS: usize = 3;

impl Vm {
    /// Raises the `NameError` for a name that means nothing.
    #[cold]
    pub(super) fn undefined_name(&mut self, name: &str) -> crate::value::Raised {
        let class = self.types.exception(Exc::NameError);
        let exception = Exception::new(class, vec![Value::str(format!("name '{name}' is not defined"))]);
        exception.set_attribute("name", Value::str(name));
        exception.set_attribute("zpy_module", self.current_module().into());
        self.raise(exception)
    }

    /// `exception.__traceback__`: an object with the entries, the same one while none are added; or `none`.
    pub(crate) fn traceback_value(&mut self, exception: &Exception) -> Value {
        let entries = exception.trace.borrow().clone();
        if entries.is_empty() {
            return Value::NONE;
        }
        let known = exception.traceback.borrow().clone();
        if Vm::traceback_entries(&known).is_some_and(|known| known.len() == entries.len()) {
            return known;
        }
        let made: Value =
            Ref::new(Foreign { type_name: "traceback", data: RefCell::new(Box::new(entries)) }).into();
        *exception.traceback.borrow_mut() = made.clone();
        made
    }

    /// The entries of a traceback object, innermost first.
    pub fn traceback_entries(value: &Value) -> Option<Vec<TraceEntry>> {
        match value.view() {
            View::Foreign(object) => object.data.borrow().downcast_ref::<Vec<TraceEntry>>().cloned(),
            _ => None,
        }
    }

    /// Adds a note that is shown below the message.
    ///
    /// # Errors
    /// `TypeError` if a script put something else in place of the list.
    pub fn add_note(&mut self, exception: &Ref<Exception>, note: &str) -> Res<()> {
        let notes = match exception.get_attribute("__notes__") {
            Some(notes) => notes,
            None => {
                let notes = Value::list(Vec::new());
                exception.set_attribute("__notes__", notes.clone());
                notes
            }
        };
        let View::List(list) = notes.view() else {
            return Err(self.type_error("Cannot add note: __notes__ is not a list"));
        };
        list.borrow_mut().push(Str::new(note).into());
        Ok(())
    }
}

/// The entries, outermost first, runs of one repeated entry folded.
pub fn write_entries(entries: &[TraceEntry], out: &mut String) {
    let mut last: Option<(*const SourceFile, usize, String)> = None;
    let mut repeats = 0;
    for entry in entries.iter().rev() {
        let line = entry.code.source.line_of(entry.span.start);
        let key = (&*entry.code.source as *const _, line, entry.code.name.as_str().to_string());
        if last.as_ref() == Some(&key) {
            repeats += 1;
            if repeats >= SHOWN_REPEATS {
                continue;
            }
        } else {
            write_folded(repeats, out);
            repeats = 0;
            last = Some(key);
        }
        write_entry(entry, out);
    }
    write_folded(repeats, out);
}

impl TraceEntry {
    /// Name of the function as reports show it.
    pub fn shown_name(&self) -> &str {
        match self.code.kind {
            CodeKind::Module => "<module>",
            _ => self.code.name.as_str(),
        }
    }
}

fn write_folded(repeats: usize, out: &mut String) {
    if repeats >= SHOWN_REPEATS {
        let more = repeats - SHOWN_REPEATS + 1;
        let plural = if more == 1 { "" } else { "s" };
        out.push_str(&format!("  [Previous line repeated {more} more time{plural}]\n"));
    }
}

fn write_entry(entry: &TraceEntry, out: &mut String) {
    let source = &entry.code.source;
    let start = source.position(entry.span.start);
    let name = entry.shown_name();
    out.push_str(&format!("  File \"{}\", line {}, in {name}\n", source.name, start.line));
    let raw = source.line_text(start.line);
    let text = raw.trim();
    if text.is_empty() {
        return;
    }
    out.push_str(&format!("    {text}\n"));
    if let Some(carets) = caret_line(entry.span, source, raw, start.line, start.column) {
        out.push_str(&format!("    {carets}\n"));
    }
}

/// The line of marks under the failing part, unless that part is the whole line: carets, or for an operator
/// or subscript carets under it and tildes under its operands.
fn caret_line(span: Span, source: &SourceFile, raw: &str, line: usize, column: usize) -> Option<String> {
    let end = source.position(span.end);
    let indent = raw.chars().count() - raw.trim_start().chars().count();
    let trimmed_end = raw.trim_end().chars().count();
    let is_one_line = end.line == line;
    let first = column.saturating_sub(1).max(indent);
    let last = if is_one_line { (end.column - 1).min(trimmed_end) } else { trimmed_end };
    let anchors = if is_one_line { anchors(source.slice(span)) } else { None };
    let is_whole_line = first == indent && last == trimmed_end;
    if last <= first || (is_whole_line && anchors.is_none()) {
        return None;
    }
    let mut marks = String::new();
    for (at, c) in raw.chars().enumerate().take(last).skip(indent) {
        let mark = match anchors {
            _ if at < first => ' ',
            Some((from, to)) if !(from..to).contains(&(at - first)) => '~',
            _ => '^',
        };
        // As many marks as the character takes columns.
        let columns = unicode_width::UnicodeWidthChar::width(c).unwrap_or(1);
        marks.extend(std::iter::repeat_n(mark, columns));
    }
    Some(marks)
}

/// Where, in characters, the operator or the subscript of an expression's text is.
fn anchors(text: &str) -> Option<(usize, usize)> {
    let source = SourceFile::new("", text);
    let tree = crate::syntax::parse_expression(&source).ok()?;
    let (from, to) = match &tree.kind {
        ExprKind::Binary { op_span, .. } => (op_span.start, op_span.end),
        ExprKind::Subscript { index, .. } => {
            let mut open = text[..index.span.start as usize].rfind('[')?;
            // A parenthesis around the index is part of it.
            while text[..open].trim_end().ends_with('[') && open > 0 {
                open = text[..open].trim_end().len() - 1;
            }
            (open as u32, text.trim_end().len() as u32)
        }
        _ => return None,
    };
    let chars = |end: u32| text.get(..end as usize).map(|t| t.chars().count());
    Some((chars(from)?, chars(to)?))
}
