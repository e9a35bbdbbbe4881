//! The report of an exception: what it says when nobody catches it.
//!
//! Causes and contexts come first, then the traceback, then the message with hints and notes. The exceptions of
//! a group follow in numbered boxes, indented by two columns a level; a group inside a group opens further boxes.

use super::traceback::write_entries;
use super::{Exc, Vm};
use crate::value::{Exception, Ref, Value};

/// Names that a hint is searched among; with more of them there is none.
const MAX_KNOWN: usize = 750;
/// Exceptions of one group that are shown.
const GROUP_WIDTH: usize = 15;
/// Groups inside each other that are shown.
const GROUP_DEPTH: usize = 10;

const CAUSE: &str = "\nThe above exception was the direct cause of the following exception:\n\n";
const CONTEXT: &str = "\nDuring handling of the above exception, another exception occurred:\n\n";

/// A report being written.
#[derive(Default)]
struct Report {
    out: String,
    /// How many groups are around what is being written.
    depth: usize,
    /// The last box of the innermost group still lacks its bottom.
    is_open: bool,
    /// Addresses of the exceptions shown so far.
    seen: Vec<usize>,
    /// Without causes and contexts.
    is_alone: bool,
}

impl Report {
    fn indent(&self) -> String {
        "  ".repeat(self.depth)
    }

    /// Writes lines, with a margin inside a group.
    fn emit(&mut self, text: &str, margin: char) {
        if self.depth == 0 {
            self.out.push_str(text);
            return;
        }
        let indent = self.indent();
        for line in text.split_inclusive('\n') {
            self.out.push_str(&format!("{indent}{margin} {line}"));
        }
    }
}

impl Vm {
    /// The whole report of an exception.
    pub fn format_exception(&mut self, exception: &Ref<Exception>) -> String {
        let mut report = Report::default();
        self.write_chain(exception, &mut report);
        report.out
    }

    /// The report without causes and contexts.
    pub fn format_exception_alone(&mut self, exception: &Ref<Exception>) -> String {
        let mut report = Report { is_alone: true, ..Report::default() };
        self.write_chain(exception, &mut report);
        report.out
    }

    /// An exception after those it came from.
    fn write_chain(&mut self, exception: &Ref<Exception>, report: &mut Report) {
        let mut chain = vec![(exception.clone(), "")];
        report.seen.push(exception.address());
        while let Some((last, _)) = chain.last().filter(|_| !report.is_alone) {
            let cause = last.cause.borrow().get_ref::<Exception>();
            let context = last.next_context().filter(|_| !last.suppress_context.get());
            let (next, link) = match (cause, context) {
                (Some(cause), _) => (cause, CAUSE),
                (None, Some(context)) => (context, CONTEXT),
                (None, None) => break,
            };
            if report.seen.contains(&next.address()) {
                break;
            }
            report.seen.push(next.address());
            chain.push((next, link));
        }
        for (exception, link) in chain.into_iter().rev() {
            self.write_one(&exception, report);
            if !link.is_empty() {
                report.emit(link, '|');
            }
        }
    }

    fn write_one(&mut self, exception: &Ref<Exception>, report: &mut Report) {
        let members = self.group_members(exception);
        let is_outermost = members.is_some() && report.depth == 0;
        if members.is_some() && report.depth > GROUP_DEPTH {
            report.emit(&format!("... (max_group_depth is {GROUP_DEPTH})\n"), '|');
            return;
        }
        report.depth += usize::from(is_outermost);
        let entries = exception.trace.borrow().clone();
        if !entries.is_empty() {
            let margin = if is_outermost { '+' } else { '|' };
            let kind = if members.is_some() { "Exception Group Traceback" } else { "Traceback" };
            report.emit(&format!("{kind} (most recent call last):\n"), margin);
            let mut text = String::new();
            write_entries(&entries, &mut text);
            report.emit(&text, '|');
        }
        let message = self.exception_lines(exception);
        report.emit(&message, '|');
        if let Some(members) = members {
            self.write_members(&members, report);
        }
        report.depth -= usize::from(is_outermost);
    }

    /// The boxes of a group's exceptions.
    fn write_members(&mut self, members: &[Value], report: &mut Report) {
        let shown = members.len().min(GROUP_WIDTH + 1);
        for (number, member) in members.iter().enumerate().take(shown) {
            let is_rest = number == GROUP_WIDTH;
            let title = if is_rest { "...".to_string() } else { (number + 1).to_string() };
            let corner = if number == 0 { "+-" } else { "  " };
            let indent = report.indent();
            report.out.push_str(&format!("{indent}{corner}+---------------- {title} ----------------\n"));
            report.is_open = number + 1 == shown;
            report.depth += 1;
            if is_rest {
                let more = members.len() - GROUP_WIDTH;
                let plural = if more == 1 { "" } else { "s" };
                report.emit(&format!("and {more} more exception{plural}\n"), '|');
            } else if let Some(member) = member.get_ref::<Exception>() {
                self.write_chain(&member, report);
            }
            if number + 1 == shown && std::mem::take(&mut report.is_open) {
                let indent = report.indent();
                report.out.push_str(&format!("{indent}+------------------------------------\n"));
            }
            report.depth -= 1;
        }
    }

    /// The end of a report: `Type: message`, for a syntax error its place before that, hints and notes.
    pub fn exception_lines(&mut self, exception: &Ref<Exception>) -> String {
        let class = exception.class();
        let module = class.attributes.get_text("__module__");
        let qualname = class.qualname.borrow().clone();
        let name = match module.as_ref().and_then(Value::as_str) {
            Some("builtins" | "__main__") | None => qualname.as_str().to_string(),
            Some(module) => format!("{module}.{}", qualname.as_str()),
        };
        let mut out = String::new();
        let message = if class.is_subtype_of(&self.types.exception(Exc::SyntaxError)) {
            self.write_syntax_error(exception, &mut out)
        } else {
            self.text_of_part(&exception.clone().into(), "<exception str() failed>")
        };
        match message.is_empty() {
            true => out.push_str(&name),
            false => out.push_str(&format!("{name}: {message}")),
        }
        out.push_str(&self.name_hint(exception).unwrap_or_default());
        out.push('\n');
        self.write_notes(exception, &mut out);
        out
    }

    /// `str` of something that may refuse.
    fn text_of_part(&mut self, value: &Value, otherwise: &str) -> String {
        self.str_of(value).unwrap_or_else(|_| {
            self.take_raised();
            otherwise.to_string()
        })
    }

    fn write_notes(&mut self, exception: &Ref<Exception>, out: &mut String) {
        let Some(notes) = exception.get_attribute("__notes__") else { return };
        let is_sequence = notes.is::<crate::value::List>() || notes.is::<crate::value::Tuple>();
        if !is_sequence {
            let text = self.repr_of(&notes).unwrap_or_else(|_| {
                self.take_raised();
                "<__notes__ repr() failed>".to_string()
            });
            out.push_str(&format!("{text}\n"));
            return;
        }
        for note in self.collect(&notes).unwrap_or_default() {
            let text = self.text_of_part(&note, "<note str() failed>");
            out.push_str(&format!("{text}\n"));
        }
    }

    /// The place of a syntax error, from its attributes; its message.
    fn write_syntax_error(&mut self, error: &Ref<Exception>, out: &mut String) -> String {
        let text_of = |name: &str| error.get_attribute(name).and_then(|v| v.as_str().map(str::to_string));
        let number_of = |name: &str| error.get_attribute(name).and_then(|v| v.as_int());
        let message = error.get_attribute("msg").or_else(|| error.args().first().cloned());
        let message = match message.filter(|message| !message.is_none()) {
            Some(message) => self.text_of_part(&message, "<exception str() failed>"),
            None => "<no detail available>".to_string(),
        };
        let file = text_of("filename");
        let Some(line) = number_of("lineno") else {
            return match file {
                Some(file) => format!("{message} ({file})"),
                None => message,
            };
        };
        out.push_str(&format!("  File \"{}\", line {line}\n", file.as_deref().unwrap_or("<string>")));
        let Some(text) = text_of("text") else { return message };
        let text = text.trim_end_matches('\n');
        let shown = text.trim_start_matches([' ', '\t', '\n', '\x0c']);
        let indent = (text.chars().count() - shown.chars().count()) as i64;
        if !shown.trim().is_empty() {
            out.push_str(&format!("    {}\n", shown.trim_end()));
        }
        let Some(offset) = number_of("offset").filter(|_| !shown.trim().is_empty()) else { return message };
        let end = match number_of("end_offset") {
            // It ends on a later line: all of this one is meant.
            Some(_) if number_of("end_lineno").is_some_and(|end| end > line) => {
                text.chars().count() as i64 + 1
            }
            Some(end) if end > offset => end.min(text.chars().count() as i64 + 1),
            _ => offset + 1,
        };
        let (first, last) = (offset - 1 - indent, end - 1 - indent);
        if first >= 0 {
            let blanks = shown.chars().chain(std::iter::repeat(' ')).take(first as usize);
            out.push_str("    ");
            out.extend(blanks.map(|c| if c.is_whitespace() { c } else { ' ' }));
            out.push_str(&"^".repeat((last - first).max(1) as usize));
            out.push('\n');
        }
        message
    }

    /// `. Did you mean: 'x'?` after the report of an uncaught `NameError` or `AttributeError`.
    fn name_hint(&mut self, exception: &Ref<Exception>) -> Option<String> {
        if exception.class().is_subtype_of(&self.types.exception(Exc::AttributeError)) {
            return self.attribute_hint(exception);
        }
        if !self.types.is_exception(&exception.class(), Exc::NameError) {
            return None;
        }
        let name = exception.get_attribute("name")?;
        let name = name.as_str()?.to_string();
        let entry = exception.trace.borrow().first().cloned()?;
        let mut known: Vec<String> = entry
            .code
            .slot_names
            .iter()
            .map(|n| n.as_str().to_string())
            .filter(|n| !n.starts_with('<'))
            .collect();
        if let Some(module) = exception.get_attribute("zpy_module") {
            known.extend(self.attribute_names(&module));
        }
        known.extend(crate::builtins::names(self));
        // Where so much is known, nearness says little.
        let near = match known.len() <= MAX_KNOWN {
            true => super::suggest::nearest(&name, known.iter().map(String::as_str)),
            false => None,
        };
        if let Some(near) = near {
            return Some(format!(". Did you mean: '{near}'?"));
        }
        let is_module = crate::builtins::module_names(self).contains(&name);
        is_module.then(|| format!(". Did you forget to import '{name}'?"))
    }

    fn attribute_hint(&mut self, exception: &Ref<Exception>) -> Option<String> {
        let (name, object) = (exception.get_attribute("name")?, exception.get_attribute("obj")?);
        let known = self.attribute_names(&object);
        if known.len() > MAX_KNOWN {
            return None;
        }
        let near = super::suggest::nearest(name.as_str()?, known.iter().map(String::as_str))?;
        Some(format!(". Did you mean: '{near}'?"))
    }
}
