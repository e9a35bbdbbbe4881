//! What a host program learns of a failure: plain data that outlives the engine and may go to other threads.

use crate::eval::code::CodeKind;
use crate::eval::{Exc, Vm};
use crate::source::{SourceFile, Span};
use crate::syntax::SyntaxError;
use crate::value::exception::TraceEntry;
use crate::value::{Exception, List, Ref, Value};
use std::fmt;
use std::ops::Deref;

/// An exception that a script did not catch. It prints as the traceback that `zpy` would show; what it is
/// made of are the fields of [`ErrorData`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<ErrorData>);

/// What is known of an exception.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorData {
    /// Name of the exception's class: `ValueError`.
    pub kind: String,
    /// What `str(exception)` gives.
    pub message: String,
    /// The places it passed, outermost first. A syntax error has the place of the mistake.
    pub trace: Vec<Frame>,
    /// What `add_note` added.
    pub notes: Vec<String>,
    /// What it was raised from, or else what was being handled when it was raised.
    pub cause: Option<Error>,
    /// The exit code if it is `SystemExit`: the script wants to end.
    pub exit_code: Option<i32>,
    report: String,
}

/// One place on the way of an exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The file as given, or a name such as `<string>`.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters; the first that belongs to the failing part.
    pub column: usize,
    /// The first column after the failing part, or after the line if that part goes on.
    pub end_column: usize,
    /// The function's name, `<module>` outside functions.
    pub function: String,
    /// The line as it stands in the file.
    pub source_line: String,
}

impl Error {
    /// An error that no script raised.
    pub(crate) fn new(kind: &str, message: impl Into<String>) -> Error {
        Error(Box::new(ErrorData::new(kind, message)))
    }

    pub(crate) fn of_syntax(error: &SyntaxError, source: &SourceFile) -> Error {
        Error(Box::new(ErrorData {
            trace: vec![frame(source, error.span, "")],
            report: error.render(source),
            ..ErrorData::new(error.class_name(), &error.message)
        }))
    }

    /// The data of an exception; its own code may run for its text.
    pub(crate) fn of_exception(vm: &mut Vm, exception: &Ref<Exception>) -> Error {
        let report = vm.format_exception(exception);
        let mut error = without_report(vm, exception, &mut Vec::new());
        error.0.report = report;
        error
    }
}

impl ErrorData {
    fn new(kind: &str, message: impl Into<String>) -> ErrorData {
        let message = message.into();
        ErrorData {
            report: format!("{kind}: {message}\n"),
            kind: kind.to_string(),
            message,
            trace: Vec::new(),
            notes: Vec::new(),
            cause: None,
            exit_code: None,
        }
    }
}

impl Deref for Error {
    type Target = ErrorData;

    fn deref(&self) -> &ErrorData {
        &self.0
    }
}

/// `seen` holds the addresses of the exceptions this one is the cause of: causes may form a circle.
fn without_report(vm: &mut Vm, exception: &Ref<Exception>, seen: &mut Vec<usize>) -> Error {
    seen.push(exception.address());
    let kind = exception.class().name().as_str().to_string();
    let message = text_of(vm, &exception.clone().into());
    let notes = exception.get_attribute("__notes__").and_then(|notes| notes.get_ref());
    let notes: Vec<Value> = notes.map_or(Vec::new(), |list: Ref<List>| list.to_vec());
    let cause = cause_of(exception).filter(|cause| !seen.contains(&cause.address()));
    Error(Box::new(ErrorData {
        trace: exception.trace.borrow().iter().rev().map(frame_of).collect(),
        notes: notes.iter().map(|note| text_of(vm, note)).collect(),
        cause: cause.map(|cause| without_report(vm, &cause, seen)),
        exit_code: exit_code(vm, exception),
        ..ErrorData::new(&kind, message)
    }))
}

fn text_of(vm: &mut Vm, value: &Value) -> String {
    vm.str_of(value).unwrap_or_else(|_| {
        vm.take_raised();
        "<exception str() failed>".to_string()
    })
}

fn cause_of(exception: &Exception) -> Option<Ref<Exception>> {
    let cause = exception.cause.borrow().get_ref::<Exception>();
    let context =
        || exception.context.borrow().get_ref::<Exception>().filter(|_| !exception.suppress_context.get());
    cause.or_else(context)
}

fn exit_code(vm: &mut Vm, exception: &Ref<Exception>) -> Option<i32> {
    if !exception.class().is_subtype_of(&vm.types.exception(Exc::SystemExit)) {
        return None;
    }
    let value = vm.exit_value(exception);
    Some(crate::engine::exit_code(&value).unwrap_or(1))
}

fn frame_of(entry: &TraceEntry) -> Frame {
    let function = match entry.code.kind {
        CodeKind::Module => "<module>",
        _ => entry.code.name.as_str(),
    };
    frame(&entry.code.source, entry.span, function)
}

fn frame(source: &SourceFile, span: Span, function: &str) -> Frame {
    let (start, end) = (source.position(span.start), source.position(span.end));
    let source_line = source.line_text(start.line).to_string();
    let after_line = source_line.chars().count() + 1;
    Frame {
        file: source.name.to_string(),
        line: start.line,
        column: start.column,
        end_column: if end.line == start.line { end.column } else { after_line },
        function: function.to_string(),
        source_line,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.report.trim_end())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}
