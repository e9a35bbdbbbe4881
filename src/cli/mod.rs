//! The command line: which program to run, with which arguments, and what its end means for the process.
//!
//! `options` reads the arguments, `program` fetches the text, `ending` turns what came of it into messages
//! and an exit code. Starting takes about a millisecond and must stay so: nothing happens here that the
//! program at hand does not need.

pub(crate) mod ending;
mod options;
mod program;

use crate::eval::{Vm, interrupt};
use crate::mp;
use crate::resolve::Expressions;
use crate::source::SourceFile;
use crate::streams::Streams;
use crate::syntax;
use crate::value::{List, Module, Ref, Value};
use ending::exit;
use options::{Dump, Options, Program, Request};
use program::{Text, Unread};
use std::io::{IsTerminal, Write};
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;

/// Runs the program as the arguments of the process say; the exit code.
pub fn main() -> i32 {
    match options::parse(std::env::args_os().skip(1)) {
        Ok(Request::Help) => say(options::HELP),
        Ok(Request::Version) => say(&format!("ZPy {}\n", env!("CARGO_PKG_VERSION"))),
        Ok(Request::Run(options)) => start(&options),
        Err(mistake) => {
            complain(&format!("{mistake}\n{}\nTry 'zpy --help' for more.", options::USAGE));
            exit::USAGE
        }
    }
}

fn say(text: &str) -> i32 {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => exit::SUCCESS,
        Err(error) => ending::of_failed_stdout(&error),
    }
}

/// Says what is wrong before there is an interpreter to say it.
fn complain(text: &str) {
    // Nobody can be told that stderr does not work.
    let _ = std::io::stderr().write_all(format!("zpy: {text}\n").as_bytes());
}

fn start(options: &Options) -> i32 {
    if let Ok(false) = mp::sys::die_with_parent_if_asked() {
        return exit::FAILURE; // The process that wanted us is gone already.
    }
    mp::sys::note_interpreter_parent();
    mp::sys::name_process(c"zpy");
    mp::sys::seal_descriptors();
    panic::set_hook(Box::new(|info| complain(&ending::internal_error(info))));
    let mut vm = Vm::new(Streams::of_process());
    let code = guarded(&mut vm, |vm| run(vm, options));
    // The system takes the memory back faster than we could.
    std::mem::forget(vm);
    code
}

/// Runs `body` on the large stack. A panic, which the hook has told of, becomes an exit code.
fn guarded(vm: &mut Vm, body: impl FnOnce(&mut Vm) -> i32) -> i32 {
    let result = panic::catch_unwind(AssertUnwindSafe(|| vm.on_large_stack(body)));
    result.unwrap_or_else(|_| {
        let _ = vm.streams.stdout.flush();
        exit::BUG
    })
}

fn run(vm: &mut Vm, options: &Options) -> i32 {
    let talks = match options.program {
        Program::Session => true,
        Program::Unsaid => options.interactive || std::io::stdin().is_terminal(),
        _ => false,
    };
    if talks && options.dump.is_none() {
        return talk(vm, options);
    }
    prepare(vm, options);
    let Text { source, package } = match program::read(vm, &options.program) {
        Ok(text) => text,
        Err(Unread::Said(error)) => {
            // A package around the program may have printed something.
            let _ = vm.streams.stdout.flush();
            complain(&format!("{error:#}"));
            return ending::finish(vm, exit::USAGE);
        }
        Err(Unread::Raised(_)) => {
            let code = ending::of_exception(vm);
            return ending::finish(vm, code);
        }
    };
    if let Some(dump) = options.dump {
        return show(vm, &source, dump);
    }
    let source = Rc::new(source);
    let module = main_module(vm, &options.program, &source, package);
    let mut code = run_program(vm, &source, &module);
    if options.interactive {
        code = crate::repl::run(vm, &module);
    }
    ending::finish(vm, code)
}

/// An interactive session that follows no program.
fn talk(vm: &mut Vm, options: &Options) -> i32 {
    prepare(vm, options);
    let module = vm.new_main(None);
    crate::repl::greet(vm);
    let code = crate::repl::run(vm, &module);
    ending::finish(vm, code)
}

/// The module `__main__` of a program.
fn main_module(vm: &mut Vm, program: &Program, source: &SourceFile, package: Option<String>) -> Ref<Module> {
    let has_file = matches!(program, Program::File(_) | Program::Module(_));
    let module = vm.new_main(has_file.then_some(&*source.name));
    if let Some(package) = package {
        module.set_text("__package__", Value::str(package));
        if let Some(argv) = vm.argv.get::<List>()
            && let Some(first) = argv.borrow_mut().first_mut()
        {
            *first = Value::str(&*source.name);
        }
    }
    module
}

/// Sets up what the program sees of the world.
fn prepare(vm: &mut Vm, options: &Options) {
    vm.warn_options = Value::list(options.warnings.iter().map(Value::str).collect());
    vm.argv = Value::list(options.argv.iter().map(Value::str).collect());
    let folder = match &options.program {
        Program::File(path) => program::folder(path),
        Program::Module(_) => program::folder_of_the_process(),
        _ => String::new(),
    };
    let mut path = vec![Value::str(folder)];
    path.extend(program::zpypath().map(Value::str));
    vm.path = Value::list(path);
    // An error means there is no Ctrl-C to be had, which is no reason not to run.
    let _ = mp::sys::note_sigint(interrupt::note);
}

fn run_program(vm: &mut Vm, source: &Rc<SourceFile>, module: &Ref<Module>) -> i32 {
    match vm.compile(source, module, Expressions::Dropped) {
        Ok(code) => match vm.run_module(code, module) {
            Ok(_) => exit::SUCCESS,
            Err(_) => ending::of_exception(vm),
        },
        Err(error) => {
            vm.write_stderr(&error.render(source));
            exit::USAGE
        }
    }
}

/// `--tokens` and `--ast`.
fn show(vm: &mut Vm, source: &SourceFile, dump: Dump) -> i32 {
    let text = match dump {
        Dump::Tokens => syntax::dump_tokens(source),
        Dump::Tree => syntax::parse(source).map(|tree| format!("{tree:#?}\n")),
    };
    match text {
        Ok(text) => {
            let _ = vm.write_stdout(&text);
            ending::finish(vm, exit::SUCCESS)
        }
        Err(error) => {
            vm.write_stderr(&error.render(source));
            exit::USAGE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_exit_code() {
        let mut vm = Vm::new(Streams::of_process());
        assert_eq!(guarded(&mut vm, |_| panic!("on purpose")), exit::BUG);
        assert_eq!(guarded(&mut vm, |_| 3), 3);
    }
}
