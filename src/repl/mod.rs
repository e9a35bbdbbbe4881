//! The interactive session: reads a statement, runs it, shows what came of it, until told to stop.
//!
//! Lines come from a terminal, with editing, history, completion and colours (`terminal`), or from
//! anything else as they are and without prompts (`plain`). `input` decides when a statement is complete. Results
//! go to stdout; errors and the banner to stderr. An error ends the statement, never the session.

mod complete;
mod highlight;
mod input;
mod plain;
mod terminal;

use crate::cli::ending::{self, exit};
use crate::eval::{Exc, Vm, interrupt};
use crate::resolve::Expressions;
use crate::source::SourceFile;
use crate::value::{Module, Ref};
use std::io::IsTerminal;
use std::rc::Rc;

const PROMPT: &str = ">>> ";
const CONTINUATION_PROMPT: &str = "... ";

/// The words that end a session, unless the user has made variables of them.
const LEAVING: &[&str] = &["exit", "quit", "exit()", "quit()"];

/// Where the lines of a session come from.
trait Lines {
    /// Asks for a line; `before` is what was typed of the statement so far.
    fn next(&mut self, prompt: &str, before: &str) -> Line;

    /// Remembers a whole statement.
    fn remember(&mut self, _text: &str) {}

    fn vm(&mut self) -> &mut Vm;
}

enum Line {
    /// Without the line end.
    Text(String),
    Interrupted,
    End,
}

/// Says who is talking.
pub fn greet(vm: &mut Vm) {
    vm.write_stderr(&format!(
        "ZPy {} - Interactive REPL\nType 'exit' or press Ctrl-D to leave.\n",
        env!("CARGO_PKG_VERSION")
    ));
}

/// Talks until the end of the input or until the user leaves; the exit code.
pub fn run(vm: &mut Vm, module: &Ref<Module>) -> i32 {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        match terminal::Terminal::new(vm, module) {
            Ok(mut terminal) => return converse(&mut terminal, module),
            Err((vm, error)) => {
                vm.write_stderr(&format!("zpy: no line editing here: {error}\n"));
                return converse(&mut plain::Plain::new(vm), module);
            }
        }
    }
    converse(&mut plain::Plain::new(vm), module)
}

fn converse(lines: &mut dyn Lines, module: &Ref<Module>) -> i32 {
    let mut text = String::new();
    loop {
        let prompt = if text.is_empty() { PROMPT } else { CONTINUATION_PROMPT };
        match lines.next(prompt, &text) {
            Line::Text(line) => {
                text.push_str(&line);
                text.push('\n');
                if input::is_unfinished(&text) {
                    continue;
                }
            }
            Line::Interrupted => {
                lines.vm().write_stderr("KeyboardInterrupt\n");
                text.clear();
                continue;
            }
            Line::End if text.is_empty() => return exit::SUCCESS,
            Line::End => {}
        }
        let statement = std::mem::take(&mut text);
        if statement.trim().is_empty() {
            continue;
        }
        lines.remember(statement.trim_end());
        if is_farewell(&statement, module) {
            return exit::SUCCESS;
        }
        if let Some(code) = execute(lines.vm(), module, &statement) {
            return code;
        }
    }
}

fn is_farewell(statement: &str, module: &Ref<Module>) -> bool {
    let words = statement.trim();
    LEAVING.contains(&words) && module.get_text(words.trim_end_matches("()")).is_none()
}

/// Runs a statement; an exit code if the session is over.
fn execute(vm: &mut Vm, module: &Ref<Module>, statement: &str) -> Option<i32> {
    interrupt::forget_sigint();
    let source = Rc::new(SourceFile::new("<stdin>", statement));
    let over = match vm.compile(&source, module, Expressions::Echoed) {
        Err(error) => {
            vm.write_stderr(&error.render(&source));
            None
        }
        Ok(code) => match vm.run_module(code, module) {
            Ok(_) => None,
            Err(_) => after_exception(vm),
        },
    };
    let _ = vm.streams.stdout.flush();
    if vm.streams.stdout.is_broken { over.or(Some(exit::BROKEN_PIPE)) } else { over }
}

fn after_exception(vm: &mut Vm) -> Option<i32> {
    let exception = vm.take_raised();
    if exception.class().is_subtype_of(&vm.types.exception(Exc::SystemExit)) {
        return Some(ending::of_system_exit(vm, &exception));
    }
    if !vm.streams.stdout.is_broken {
        vm.report_uncaught(&exception);
    }
    None
}
