//! Global functions for input and output.

use crate::builtins::io::{self, Standard};
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::value::{File, Res, Value};

pub static ROWS: &[Native] = &[
    Native {
        name: "print",
        params: "*args, sep=' ', end='\\n', file=None, flush=False",
        run: print,
        doc: "Writes the values to stdout (or `file`), separated by `sep` and followed by `end`.",
    },
    Native {
        name: "input",
        params: "prompt='', /",
        run: input,
        doc: "One line from stdin without its end, after showing the prompt. EOFError at the end of the input.",
    },
    io::OPEN,
];

/// `sep` or `end`: none means the usual.
fn separator<'a>(call: &mut Call<'a>, index: usize, name: &str, usual: &'static str) -> Res<&'a str> {
    let Some(value) = call.keyword(index).filter(|value| !value.is_none()) else { return Ok(usual) };
    match Vm::unwrap_native(value).as_str() {
        Some(text) => Ok(text),
        None => {
            let got = call.vm.type_name(value);
            Err(call.vm.type_error(format!("{name} must be None or a string, not {got}")))
        }
    }
}

fn print(call: &mut Call) -> Res {
    let sep = separator(call, 0, "sep", " ")?;
    let end = separator(call, 1, "end", "\n")?;
    let flush = match call.keyword(3) {
        Some(flush) => call.vm.truth(flush)?,
        None => false,
    };
    let target = match call.keyword(2).filter(|file| !file.is_none()) {
        Some(file) => Some(file.clone()),
        None => io::replaced(call.vm, Standard::Out),
    };
    match target {
        None => print_to_stdout(call, sep, end, flush)?,
        Some(file) if file.is_none() => {}
        Some(file) => print_to(call, &file, sep, end, flush)?,
    }
    Ok(Value::NONE)
}

fn print_to_stdout(call: &mut Call, sep: &str, end: &str, flush: bool) -> Res<()> {
    let mut out = String::new();
    let written = write_joined(call, sep, end, &mut out);
    if written.is_err() {
        // What comes before a value that cannot be shown is printed.
        let exception = call.vm.take_raised();
        call.vm.write_stdout(&out)?;
        return Err(call.vm.put_back(exception));
    }
    call.vm.write_stdout(&out)?;
    if flush && let Err(error) = call.vm.streams.stdout.flush() {
        return Err(call.vm.os_error(&error, None));
    }
    Ok(())
}

fn write_joined(call: &mut Call, sep: &str, end: &str, out: &mut String) -> Res<()> {
    for (i, value) in call.rest().iter().enumerate() {
        if i > 0 {
            out.push_str(sep);
        }
        call.vm.write_str(value, out)?;
    }
    out.push_str(end);
    Ok(())
}

fn print_to(call: &mut Call, target: &Value, sep: &str, end: &str, flush: bool) -> Res<()> {
    if let Some(file) = target.get::<File>().filter(|file| file.is_plain()) {
        io::check_writable(call.vm, file)?;
        let mut out = String::new();
        write_joined(call, sep, end, &mut out)?;
        io::put_text(call.vm, file, &out)?;
        return if flush { io::flush(call.vm, file) } else { Ok(()) };
    }
    // Piece by piece, as Python does.
    let write = call.vm.get_attribute(target, &crate::value::Str::new("write"))?;
    for (i, value) in call.rest().iter().enumerate() {
        if i > 0 {
            call.vm.call(&write, &[Value::str(sep)])?;
        }
        let text = call.vm.str_of(value)?;
        call.vm.call(&write, &[Value::str(text)])?;
    }
    call.vm.call(&write, &[Value::str(end)])?;
    if flush {
        call.vm.call_method(target, "flush", &[])?;
    }
    Ok(())
}

fn input(call: &mut Call) -> Res {
    if let Some(prompt) = call.opt(0) {
        let text = call.vm.str_of(prompt)?;
        match io::replaced(call.vm, Standard::Out) {
            Some(other) => {
                call.vm.call_method(&other, "write", &[Value::str(text)])?;
            }
            None => call.vm.write_stdout(&text)?,
        }
    }
    call.vm.flush_output()?;
    Ok(Value::str(io::input_line(call.vm)?))
}
