//! Lines from a pipe or file, as they are. There are no prompts, unless a person sits at the keyboard and
//! only the output goes elsewhere.

use super::{Line, Lines};
use crate::eval::{Vm, interrupt};
use crate::text::surrogate::decode_utf8_surrogateescape;
use std::io::{ErrorKind, IsTerminal};

pub struct Plain<'a> {
    vm: &'a mut Vm,
    prompts: bool,
}

impl<'a> Plain<'a> {
    pub fn new(vm: &'a mut Vm) -> Plain<'a> {
        let prompts = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        Plain { vm, prompts }
    }
}

impl Lines for Plain<'_> {
    fn next(&mut self, prompt: &str, _before: &str) -> Line {
        if self.prompts {
            self.vm.write_stderr(prompt);
            let _ = self.vm.streams.stderr.flush();
        }
        match self.vm.streams.read_line() {
            Ok(line) if line.is_empty() => Line::End,
            Ok(line) => {
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                Line::Text(decode_utf8_surrogateescape(line))
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                interrupt::forget_sigint();
                if self.prompts {
                    self.vm.write_stderr("\n"); // after the terminal's ^C
                }
                Line::Interrupted
            }
            Err(error) => {
                self.vm.write_stderr(&format!("zpy: cannot read standard input: {error}\n"));
                Line::End
            }
        }
    }

    fn vm(&mut self) -> &mut Vm {
        self.vm
    }
}
