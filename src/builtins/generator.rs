//! Methods of generators.

use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::value::generator::Status;
use crate::value::{Exception, Generator, Ref, Res, Str, Tuple, Type, Value};

pub static METHODS: &[Native] = &[
    Native { name: "__next__", params: "self, /", run: next, doc: "Implement next(self)." },
    Native { name: "__iter__", params: "self, /", run: iter, doc: "The generator itself." },
    Native {
        name: "send",
        params: "self, value, /",
        run: send,
        doc: "Goes on with `value` as what the waiting `yield` gives; the next value yielded.",
    },
    Native {
        name: "throw",
        params: "self, typ, val=None, tb=None, /",
        run: throw,
        doc: "Raises an exception at the waiting `yield`; the next value yielded.",
    },
    Native {
        name: "close",
        params: "self, /",
        run: close,
        doc: "Ends the generator: raises GeneratorExit at the waiting `yield`.",
    },
    Native { name: ".gi_running", params: "self, /", run: is_running, doc: "Whether it is running now." },
    Native {
        name: ".gi_suspended",
        params: "self, /",
        run: is_suspended,
        doc: "Whether it waits at a `yield`.",
    },
    Native { name: ".gi_code", params: "self, /", run: code, doc: "The code of its function." },
    Native {
        name: ".gi_frame",
        params: "self, /",
        run: frame,
        doc: "Its frame with the variables as they are; none when it has ended.",
    },
    Native {
        name: ".gi_yieldfrom",
        params: "self, /",
        run: delegate,
        doc: "The iterator that its `yield from` waits for, or none.",
    },
    Native { name: ".__name__", params: "self, /", run: name, doc: "Name of its function." },
    Native { name: ".__qualname__", params: "self, /", run: qualname, doc: "Dotted name of its function." },
    Native {
        name: ".__name__=",
        params: "self, value=<absent>, /",
        run: set_name,
        doc: "Gives it another name.",
    },
    Native {
        name: ".__qualname__=",
        params: "self, value=<absent>, /",
        run: set_qualname,
        doc: "Gives it another dotted name.",
    },
];

fn this(call: &mut Call) -> Res<Ref<Generator>> {
    call.this::<Generator>()?;
    call.arg(0).clone().into_ref().map_err(|_| crate::value::Raised)
}

/// What was yielded, or `StopIteration` with the result.
fn yielded(call: &mut Call, result: Res<Option<Value>>) -> Res {
    match result? {
        Some(value) => Ok(value),
        None => Err(call.vm.stop_iteration()),
    }
}

fn next(call: &mut Call) -> Res {
    let generator = this(call)?;
    let result = call.vm.resume_generator(&generator, Value::NONE);
    yielded(call, result)
}

fn iter(call: &mut Call) -> Res {
    Ok(call.arg(0).clone())
}

fn send(call: &mut Call) -> Res {
    let generator = this(call)?;
    let result = call.vm.resume_generator(&generator, call.arg(1).clone());
    yielded(call, result)
}

fn throw(call: &mut Call) -> Res {
    let generator = this(call)?;
    // A class that makes no exception is an error where the generator waits.
    let exception = match thrown(call) {
        Err(_) if call.arg(1).is::<Type>() => call.vm.take_raised(),
        thrown => thrown?,
    };
    let result = call.vm.throw_into_generator(&generator, exception);
    yielded(call, result)
}

/// The exception that `throw(type, value)` or `throw(exception)` means.
fn thrown(call: &mut Call) -> Res<Ref<Exception>> {
    let (first, second) = (call.arg(1).clone(), call.opt_not_none(2).cloned());
    let traceback = call.opt_not_none(3).cloned();
    if traceback.as_ref().is_some_and(|traceback| Vm::traceback_entries(traceback).is_none()) {
        return Err(call.vm.type_error("throw() third argument must be a traceback object"));
    }
    if first.is::<Exception>() && second.is_some() {
        return Err(call.vm.type_error("instance exception may not have a separate value"));
    }
    let message = "exceptions must be classes or instances deriving from BaseException, not ";
    let message = format!("{message}{}", call.vm.type_name(&first));
    let exception = match second {
        // A value of the class is the exception, anything else its argument.
        Some(second) if first.get_ref::<Type>().is_some_and(|class| call.vm.is_instance(&second, &class)) => {
            call.vm.to_exception(second, &message)?
        }
        Some(second) => {
            let args = match second.get::<Tuple>() {
                Some(tuple) => tuple.items().to_vec(),
                None => vec![second],
            };
            let made = call.vm.call(&first, &args)?;
            call.vm.to_exception(made, &message)?
        }
        None => call.vm.to_exception(first, &message)?,
    };
    if let Some(traceback) = traceback {
        call.vm.set_traceback(&exception, &traceback);
    }
    Ok(exception)
}

fn close(call: &mut Call) -> Res {
    let generator = this(call)?;
    call.vm.close_generator(&generator)
}

fn is_running(call: &mut Call) -> Res {
    Ok(Value::bool(call.this::<Generator>()?.status.get() == Status::Running))
}

fn is_suspended(call: &mut Call) -> Res {
    Ok(Value::bool(call.this::<Generator>()?.status.get() == Status::Suspended))
}

fn code(call: &mut Call) -> Res {
    Ok(super::code::of(call.this::<Generator>()?.function.code.clone()))
}

fn frame(call: &mut Call) -> Res {
    let generator = call.this::<Generator>()?;
    Ok(if generator.status.get() == Status::Ended {
        Value::NONE
    } else {
        super::frame::of_generator(generator)
    })
}

fn delegate(call: &mut Call) -> Res {
    let generator = call.this::<Generator>()?;
    Ok(generator.delegate().unwrap_or(Value::NONE))
}

fn name(call: &mut Call) -> Res {
    let [name, _] = call.this::<Generator>()?.names();
    Ok(name.into())
}

fn qualname(call: &mut Call) -> Res {
    let [_, qualname] = call.this::<Generator>()?.names();
    Ok(qualname.into())
}

fn set_name(call: &mut Call) -> Res {
    rename(call, 0, "__name__")
}

fn set_qualname(call: &mut Call) -> Res {
    rename(call, 1, "__qualname__")
}

fn rename(call: &mut Call, which: usize, attribute: &str) -> Res {
    let generator = call.this::<Generator>()?;
    let Some(name) = call.opt(1).and_then(Value::get_ref::<Str>) else {
        return Err(call.vm.type_error(format!("{attribute} must be set to a string object")));
    };
    let mut names = generator.names();
    names[which] = name;
    *generator.names.borrow_mut() = Some(Box::new(names));
    Ok(Value::NONE)
}
