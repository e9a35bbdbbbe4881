//! Frame objects: what `sys._getframe` and tracebacks tell of running functions.
//!
//! A frame object is a picture of the moment it was made: the line and the variables are those of then. The
//! frames around it are looked up when they are asked for, as long as they run.

use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::eval::code::Code;
use crate::eval::frame::FrameView;
use crate::source::Span;
use crate::value::exception::TraceEntry;
use crate::value::{Dict, Foreign, Generator, Ref, Res, Value};
use std::cell::RefCell;
use std::rc::Rc;

/// Name of the type of frame objects.
pub const TYPE_NAME: &str = "frame";

struct Frame {
    code: Rc<Code>,
    span: Span,
    globals: Value,
    locals: Value,
    /// How many frames it lies on; nothing if it ran long ago.
    depth: Option<usize>,
}

pub const GET_FRAME: Native = Native {
    name: "_getframe",
    params: "depth=0, /",
    run: get_frame,
    doc: "The frame of the running function, or of the one that called it, and so on. Raises ValueError beyond the outermost.",
};

pub static ROWS: &[Native] = &[
    Native { name: ".f_lineno", params: "self", run: line, doc: "The line that was running." },
    Native {
        name: ".f_lasti",
        params: "self",
        run: last_instruction,
        doc: "Always 0: there are no instructions.",
    },
    Native { name: ".f_code", params: "self", run: code, doc: "The code that was running." },
    Native {
        name: ".f_back",
        params: "self",
        run: back,
        doc: "The frame that called it; none if that has ended.",
    },
    Native { name: ".f_locals", params: "self", run: locals, doc: "The variables as they were." },
    Native { name: ".f_globals", params: "self", run: globals, doc: "The variables of the module." },
    Native { name: ".f_builtins", params: "self", run: builtins, doc: "The built-in names." },
    Native { name: ".f_trace", params: "self", run: none, doc: "Always none: there is no tracing." },
    Native { name: "clear", params: "self, /", run: none, doc: "Does nothing: the frame holds copies." },
];

fn value(frame: Frame) -> Value {
    Ref::new(Foreign { type_name: TYPE_NAME, data: RefCell::new(Box::new(Rc::new(frame))) }).into()
}

fn of_view(vm: &mut Vm, view: &FrameView) -> Value {
    value(Frame {
        code: view.code.clone(),
        span: view.span,
        globals: super::mapping::of_module(view.module.clone()),
        locals: vm.frame_variables(view),
        depth: Some(view.depth),
    })
}

/// The frame that an exception passed. Its variables are gone.
pub fn of_trace(entry: &TraceEntry) -> Value {
    let empty = || Value::from(Dict::new(Default::default()));
    value(Frame {
        code: entry.code.clone(),
        span: entry.span,
        globals: empty(),
        locals: empty(),
        depth: None,
    })
}

/// The frame of a generator that has not ended.
pub fn of_generator(generator: &Generator) -> Value {
    let function = &generator.function;
    let slots = generator.slots.borrow();
    let locals = function.code.variables(|number| slots.get(number));
    value(Frame {
        code: function.code.clone(),
        span: function.code.span,
        globals: super::mapping::of_module(function.module.clone()),
        locals: locals.into(),
        depth: None,
    })
}

fn get_frame(call: &mut Call) -> Res {
    let up = usize::try_from(call.int_or(0, 0)?).unwrap_or(0);
    let depth = call.vm.depth().checked_sub(up).filter(|&depth| depth > 0);
    match depth.and_then(|depth| call.vm.frame_at(depth)) {
        Some(view) => Ok(of_view(call.vm, &view)),
        None => Err(call.vm.value_error("call stack is not deep enough")),
    }
}

fn this(call: &mut Call) -> Res<Rc<Frame>> {
    let found = match call.arg(0).get::<Foreign>() {
        Some(foreign) => foreign.data.borrow().downcast_ref::<Rc<Frame>>().cloned(),
        None => None,
    };
    found.ok_or_else(|| call.wrong_type(0, "a frame"))
}

fn line(call: &mut Call) -> Res {
    let frame = this(call)?;
    Ok(Value::size(frame.code.source.line_of(frame.span.start)))
}

fn last_instruction(_call: &mut Call) -> Res {
    Ok(Value::int(0))
}

fn none(_call: &mut Call) -> Res {
    Ok(Value::NONE)
}

fn code(call: &mut Call) -> Res {
    Ok(super::code::of(this(call)?.code.clone()))
}

fn back(call: &mut Call) -> Res {
    let frame = this(call)?;
    let Some(depth) = frame.depth else { return Ok(Value::NONE) };
    let still_runs = call.vm.frame_at(depth).is_some_and(|view| Rc::ptr_eq(&view.code, &frame.code));
    match call.vm.frame_at(depth - 1).filter(|_| still_runs && depth > 1) {
        Some(view) => Ok(of_view(call.vm, &view)),
        None => Ok(Value::NONE),
    }
}

fn locals(call: &mut Call) -> Res {
    Ok(this(call)?.locals.clone())
}

fn globals(call: &mut Call) -> Res {
    Ok(this(call)?.globals.clone())
}

fn builtins(call: &mut Call) -> Res {
    Ok(super::mapping::of_module(call.vm.builtins.clone()))
}
