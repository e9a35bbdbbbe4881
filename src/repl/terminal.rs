//! Lines from a person at a terminal: rustyline's editor with our completion and colours.

use super::{Line, Lines, complete, highlight};
use crate::eval::{Vm, interrupt};
use crate::value::{Module, Ref};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Context, Editor, Helper, Hinter, Validator};
use std::borrow::Cow;
use std::cell::RefCell;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Statements kept in the history file.
const HISTORY_SIZE: usize = 10_000;

pub struct Terminal<'a> {
    editor: Editor<Assistant<'a>, FileHistory>,
    history: Option<PathBuf>,
}

/// What the editor asks while a line is typed. It owns the interpreter for that time.
#[derive(Helper, Hinter, Validator)]
pub struct Assistant<'a> {
    vm: RefCell<&'a mut Vm>,
    module: Ref<Module>,
    /// The lines of the statement before this one.
    before: String,
    has_colours: bool,
}

impl<'a> Terminal<'a> {
    /// # Errors
    /// The terminal cannot be used; the interpreter comes back.
    pub fn new(vm: &'a mut Vm, module: &Ref<Module>) -> Result<Terminal<'a>, (&'a mut Vm, ReadlineError)> {
        let mut editor = match open_editor() {
            Ok(editor) => editor,
            Err(error) => return Err((vm, error)),
        };
        let has_colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let module = module.clone();
        editor.set_helper(Some(Assistant {
            vm: RefCell::new(vm),
            module,
            before: String::new(),
            has_colours,
        }));
        let history = history_file();
        if let Some(file) = &history {
            prepare_folder(file);
            // There is none the first time.
            let _ = editor.load_history(file);
        }
        Ok(Terminal { editor, history })
    }

    fn assistant(&mut self) -> &mut Assistant<'a> {
        self.editor.helper_mut().expect("set when the editor was made")
    }
}

fn open_editor<'a>() -> rustyline::Result<Editor<Assistant<'a>, FileHistory>> {
    let config = Config::builder()
        .max_history_size(HISTORY_SIZE)?
        .history_ignore_dups(true)?
        .completion_type(CompletionType::List)
        .build();
    Editor::with_config(config)
}

/// `$ZPY_HISTORY` (empty for none), or `zpy/history` among the user's state files.
fn history_file() -> Option<PathBuf> {
    if let Some(file) = std::env::var_os("ZPY_HISTORY") {
        return (!file.is_empty()).then(|| file.into());
    }
    let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")))?;
    Some(state.join("zpy/history"))
}

/// Makes the folder of a file, for the user alone. If that fails there will be no history.
fn prepare_folder(file: &Path) {
    if let Some(folder) = file.parent() {
        let _ = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    }
}

impl Lines for Terminal<'_> {
    fn next(&mut self, prompt: &str, before: &str) -> Line {
        self.assistant().before = before.to_string();
        let line = match self.editor.readline(prompt) {
            Ok(line) => Line::Text(line),
            Err(ReadlineError::Interrupted) => Line::Interrupted,
            Err(ReadlineError::Eof) => {
                // The shell's prompt, or the answer, goes to a line of its own.
                let _ = self.vm().write_stdout("\n");
                Line::End
            }
            Err(error) => {
                self.vm().write_stderr(&format!("zpy: cannot read the terminal: {error}\n"));
                Line::End
            }
        };
        interrupt::forget_sigint();
        line
    }

    fn remember(&mut self, text: &str) {
        // A history that cannot be written is no reason to stop.
        let _ = self.editor.add_history_entry(text);
        if let Some(file) = &self.history {
            let _ = self.editor.append_history(file);
        }
    }

    fn vm(&mut self) -> &mut Vm {
        self.assistant().vm.get_mut()
    }
}

impl Completer for Assistant<'_> {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(complete::complete(&mut self.vm.borrow_mut(), &self.module, &line[..pos]))
    }
}

impl Highlighter for Assistant<'_> {
    fn highlight<'l>(&self, line: &'l str, _pos: usize) -> Cow<'l, str> {
        if self.has_colours { highlight::colour(&self.before, line).into() } else { line.into() }
    }

    fn highlight_char(&self, _line: &str, _pos: usize, kind: CmdKind) -> bool {
        self.has_colours && kind != CmdKind::MoveCursor
    }
}
