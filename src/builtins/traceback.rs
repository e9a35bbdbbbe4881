//! `_traceback`: what `stdlib/traceback.zpy` needs to know of exceptions, and the attributes of traceback,
//! frame and code objects.
//!
//! A traceback object holds its entries innermost first; the first of Python's chain is the outermost.

use crate::call::{Call, Native, NativeModule};
use crate::eval::Vm;
use crate::eval::code::{Code, CodeKind};
use crate::value::exception::TraceEntry;
use crate::value::{Dict, Exception, Foreign, Ref, Res, Str, Value};
use std::cell::RefCell;
use std::rc::Rc;

/// Type names of the foreign objects.
pub const TRACEBACK_TYPE: &str = "traceback";
pub const FRAME_TYPE: &str = "frame";
pub const CODE_TYPE: &str = "code";

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
            params: "exception, /",
            run: report,
            doc: "The whole report with causes and contexts.",
        },
        Native { name: "handled", params: "", run: handled, doc: "The exception being handled, or none." },
    ],
    constants: &[],
};

pub static TRACEBACK: &[Native] = &[
    Native { name: ".tb_lineno", params: "self", run: line, doc: "The line in the outermost frame." },
    Native { name: ".tb_lasti", params: "self", run: zero, doc: "Always 0: there are no instructions." },
    Native {
        name: ".tb_next",
        params: "self",
        run: next,
        doc: "The traceback without the outermost frame, none at the end.",
    },
    Native { name: ".tb_frame", params: "self", run: frame, doc: "The outermost frame." },
];

pub static FRAME: &[Native] = &[
    Native { name: ".f_lineno", params: "self", run: line, doc: "The line that was running." },
    Native { name: ".f_code", params: "self", run: code, doc: "The code that was running." },
    Native { name: ".f_back", params: "self", run: none, doc: "Always none: callers are not kept." },
    Native { name: ".f_locals", params: "self", run: empty, doc: "Always empty: variables are not kept." },
    Native { name: ".f_globals", params: "self", run: empty, doc: "Always empty: variables are not kept." },
];

pub static CODE: &[Native] = &[
    Native {
        name: ".co_name",
        params: "self",
        run: code_name,
        doc: "Name of the function, `<module>` for a module.",
    },
    Native { name: ".co_qualname", params: "self", run: code_qualname, doc: "Dotted name of the function." },
    Native { name: ".co_filename", params: "self", run: code_file, doc: "Name of the file." },
    Native { name: ".co_firstlineno", params: "self", run: code_line, doc: "The line it starts at." },
    Native {
        name: ".co_argcount",
        params: "self",
        run: positional_count,
        doc: "How many parameters can be given by position.",
    },
    Native {
        name: ".co_posonlyargcount",
        params: "self",
        run: positional_only_count,
        doc: "How many parameters can be given by position only.",
    },
    Native {
        name: ".co_kwonlyargcount",
        params: "self",
        run: keyword_only_count,
        doc: "How many parameters can be given by name only.",
    },
    Native {
        name: ".co_nlocals",
        params: "self",
        run: local_count,
        doc: "How many local variables there are.",
    },
    Native {
        name: ".co_varnames",
        params: "self",
        run: variable_names,
        doc: "Names of the parameters, then of the other local variables.",
    },
    Native {
        name: ".co_cellvars",
        params: "self",
        run: cell_names,
        doc: "Names of the variables that inner functions use.",
    },
    Native {
        name: ".co_freevars",
        params: "self",
        run: captured_names,
        doc: "Names of the variables it uses of the functions around it.",
    },
    Native {
        name: ".co_flags",
        params: "self",
        run: flags,
        doc: "What kind of function it is, as the CO_ constants of `inspect` say.",
    },
    Native {
        name: "__eq__",
        params: "self, other, /",
        run: code_eq,
        doc: "Whether both are the code of the same definition.",
    },
    Native { name: "__hash__", params: "self, /", run: code_hash, doc: "A number for the definition." },
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

fn zero(_call: &mut Call) -> Res {
    Ok(Value::int(0))
}

fn none(_call: &mut Call) -> Res {
    Ok(Value::NONE)
}

fn empty(_call: &mut Call) -> Res {
    Ok(Dict::new(Default::default()).into())
}

fn next(call: &mut Call) -> Res {
    let mut entries = entries_of(call)?;
    entries.pop();
    Ok(if entries.is_empty() { Value::NONE } else { foreign(TRACEBACK_TYPE, entries) })
}

fn frame(call: &mut Call) -> Res {
    Ok(foreign(FRAME_TYPE, vec![outermost(call)?]))
}

fn code(call: &mut Call) -> Res {
    Ok(foreign(CODE_TYPE, vec![outermost(call)?]))
}

fn code_name(call: &mut Call) -> Res {
    Ok(Value::str(outermost(call)?.shown_name()))
}

fn code_qualname(call: &mut Call) -> Res {
    let entry = outermost(call)?;
    let is_module = entry.shown_name() == "<module>";
    Ok(if is_module { Value::str("<module>") } else { entry.code.qualname.clone().into() })
}

fn code_file(call: &mut Call) -> Res {
    Ok(Value::str(&*outermost(call)?.code.source.name))
}

fn code_line(call: &mut Call) -> Res {
    let entry = outermost(call)?;
    Ok(Value::size(entry.code.source.line_of(entry.code.span.start)))
}

/// The code object of a function.
pub fn code_object(code: &Rc<Code>) -> Value {
    foreign(CODE_TYPE, vec![TraceEntry { code: code.clone(), span: code.span }])
}

/// A frame that knows no more than its code.
pub fn frame_object(code: &Rc<Code>) -> Value {
    foreign(FRAME_TYPE, vec![TraceEntry { code: code.clone(), span: code.span }])
}

fn positional_count(call: &mut Call) -> Res {
    Ok(Value::size(outermost(call)?.code.params.positional))
}

fn positional_only_count(call: &mut Call) -> Res {
    Ok(Value::size(outermost(call)?.code.params.positional_only))
}

fn keyword_only_count(call: &mut Call) -> Res {
    Ok(Value::size(outermost(call)?.code.params.keyword_only))
}

/// Names of the slots that hold what a script calls local variables.
fn locals(code: &Code) -> Vec<Value> {
    let is_own = |slot: usize| {
        slot < code.params.count()
            || !code.captured_slots.contains(&(slot as u32))
                && !code.fresh_cells.contains(&(slot as u32))
                && !code.slot_names[slot].as_str().starts_with('.')
    };
    let slots = (0..code.slot_names.len()).filter(|slot| is_own(*slot));
    slots.map(|slot| code.slot_names[slot].clone().into()).collect()
}

fn local_count(call: &mut Call) -> Res {
    Ok(Value::size(locals(&outermost(call)?.code).len()))
}

fn variable_names(call: &mut Call) -> Res {
    Ok(Value::tuple(locals(&outermost(call)?.code)))
}

fn names_of(code: &Code, slots: impl Iterator<Item = u32>) -> Value {
    Value::tuple(slots.map(|slot| code.slot_names[slot as usize].clone().into()).collect())
}

fn cell_names(call: &mut Call) -> Res {
    let code = outermost(call)?.code;
    Ok(names_of(&code, code.cell_params.iter().chain(&code.fresh_cells).copied()))
}

fn captured_names(call: &mut Call) -> Res {
    let code = outermost(call)?.code;
    Ok(names_of(&code, code.captured_slots.iter().copied()))
}

/// Python's flags: optimized and own locals (of functions), `*rest`, `**keywords`, nested, generator.
fn flags(call: &mut Call) -> Res {
    let code = outermost(call)?.code;
    let is_function = matches!(code.kind, CodeKind::Function | CodeKind::Lambda);
    let is_nested = !code.captured_slots.is_empty();
    let bits = [
        (is_function, 3),
        (code.params.rest, 4),
        (code.params.keywords, 8),
        (is_nested, 16),
        (code.is_generator, 32),
    ];
    Ok(Value::int(bits.iter().filter(|(is_set, _)| *is_set).map(|(_, bit)| bit).sum()))
}

fn code_eq(call: &mut Call) -> Res {
    let own = outermost(call)?.code;
    let is_code = call.arg(1).get::<Foreign>().is_some_and(|other| other.type_name == CODE_TYPE);
    let other =
        is_code.then(|| Vm::traceback_entries(call.arg(1))).flatten().and_then(|mut found| found.pop());
    Ok(match other {
        Some(other) => Value::bool(Rc::ptr_eq(&own, &other.code)),
        None => Value::NOT_IMPLEMENTED,
    })
}

fn code_hash(call: &mut Call) -> Res {
    Ok(Value::size(Rc::as_ptr(&outermost(call)?.code) as usize >> 4))
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
    Ok(Str::from_string(call.vm.format_exception(&exception)).into())
}

fn handled(call: &mut Call) -> Res {
    Ok(call.vm.handled_exception())
}
