//! `_traceback`: what `stdlib/traceback.zpy` needs to know of exceptions, and the attributes of traceback
//! objects.
//!
//! A traceback object holds its entries innermost first; the first of Python's chain is the outermost.

use crate::call::{Call, Native, NativeModule};
use crate::eval::Vm;
use crate::value::exception::TraceEntry;
use crate::value::{Exception, Foreign, Ref, Res, Str, Value};
use std::cell::RefCell;

/// Name of the type of traceback objects.
pub const TRACEBACK_TYPE: &str = "traceback";

pub static MODULE: NativeModule = NativeModule {
    name: "_traceback",
    doc: "Parts of tracebacks; `traceback` is the module to import.",
    functions: &[
        Native {
            name: "entries",
            params: "traceback, /",
            run: entries,
            doc: "A list of (file, line, function, source line, text with carets) of a traceback, outermost first.",
        },
        Native {
            name: "message",
            params: "exception, /",
            run: message,
            doc: "The last lines of a report: type, message and notes.",
        },
        Native {
            name: "report",
            params: "exception, chain=True, /",
            run: report,
            doc: "The whole report, with causes and contexts unless `chain` is false.",
        },
        Native { name: "handled", params: "", run: handled, doc: "The exception being handled, or none." },
    ],
    constants: &[],
};

pub static TRACEBACK: &[Native] = &[
    Native { name: ".tb_lineno", params: "self", run: line, doc: "The line in the outermost frame." },
    Native {
        name: ".tb_lasti",
        params: "self",
        run: last_instruction,
        doc: "Always 0: there are no instructions.",
    },
    Native {
        name: ".tb_next",
        params: "self",
        run: next,
        doc: "The traceback without the outermost frame, none at the end.",
    },
    Native {
        name: "__eq__",
        params: "self, other, /",
        run: equals,
        doc: "Whether both tell of the same places.",
    },
    Native { name: ".tb_frame", params: "self", run: frame, doc: "The outermost frame." },
];

fn foreign(type_name: &'static str, entries: Vec<TraceEntry>) -> Value {
    Ref::new(Foreign { type_name, data: RefCell::new(Box::new(entries)) }).into()
}

fn entries_of(call: &mut Call) -> Res<Vec<TraceEntry>> {
    if call.arg(0).is_none() {
        return Ok(Vec::new());
    }
    match Vm::traceback_entries(call.arg(0)) {
        Some(entries) => Ok(entries),
        None => Err(call.wrong_type(0, "a traceback")),
    }
}

/// The outermost entry of the receiver.
fn outermost(call: &mut Call) -> Res<TraceEntry> {
    match entries_of(call)?.pop() {
        Some(entry) => Ok(entry),
        None => Err(call.vm.value_error("the traceback is empty")),
    }
}

fn line_of(entry: &TraceEntry) -> usize {
    entry.code.source.line_of(entry.span.start)
}

fn line(call: &mut Call) -> Res {
    Ok(Value::size(line_of(&outermost(call)?)))
}

fn next(call: &mut Call) -> Res {
    let mut entries = entries_of(call)?;
    entries.pop();
    Ok(if entries.is_empty() { Value::NONE } else { foreign(TRACEBACK_TYPE, entries) })
}

fn equals(call: &mut Call) -> Res {
    let own = entries_of(call)?;
    let Some(other) = Vm::traceback_entries(call.arg(1)) else { return Ok(Value::bool(false)) };
    let is_same =
        |(a, b): (&TraceEntry, &TraceEntry)| std::rc::Rc::ptr_eq(&a.code, &b.code) && a.span == b.span;
    Ok(Value::bool(own.len() == other.len() && own.iter().zip(&other).all(is_same)))
}

fn frame(call: &mut Call) -> Res {
    let entry = outermost(call)?;
    Ok(super::frame::of_trace(&entry))
}

fn last_instruction(_call: &mut Call) -> Res {
    Ok(Value::int(0))
}

fn entries(call: &mut Call) -> Res {
    let entries = entries_of(call)?;
    let rows = entries.iter().rev().map(|entry| {
        let line = line_of(entry);
        let mut shown = String::new();
        crate::eval::write_trace_entries(std::slice::from_ref(entry), &mut shown);
        Value::tuple(vec![
            Value::str(&*entry.code.source.name),
            Value::size(line),
            Value::str(entry.shown_name()),
            Value::str(entry.code.source.line_text(line).trim()),
            Str::from_string(shown).into(),
        ])
    });
    Ok(Value::list(rows.collect()))
}

fn exception(call: &mut Call) -> Res<Ref<Exception>> {
    match call.arg(0).get_ref::<Exception>() {
        Some(exception) => Ok(exception),
        None => Err(call.wrong_type(0, "an exception")),
    }
}

fn message(call: &mut Call) -> Res {
    let exception = exception(call)?;
    Ok(Str::from_string(call.vm.exception_lines(&exception)).into())
}

fn report(call: &mut Call) -> Res {
    let exception = exception(call)?;
    let text = match call.opt(1) {
        Some(chain) if !call.vm.truth(chain)? => call.vm.format_exception_alone(&exception),
        _ => call.vm.format_exception(&exception),
    };
    Ok(Str::from_string(text).into())
}

fn handled(call: &mut Call) -> Res {
    Ok(call.vm.handled_exception())
}
