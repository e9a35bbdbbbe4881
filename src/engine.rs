//! The engine: an interpreter for a host program, with streams, search paths and modules of the host's.

use crate::eval::Vm;
use crate::source::SourceFile;
use crate::value::{Module, Ref, Res, Value};
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::rc::Rc;

/// When written text reaches the writer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Buffering {
    /// At once.
    None,
    /// After each newline.
    Line,
    /// When a good deal has gathered, and before forks, children and the end.
    Full,
}

/// A stream scripts write to.
pub struct Output {
    writer: Box<dyn Write>,
    waiting: Vec<u8>,
    pub buffering: Buffering,
    /// The descriptor behind it, if it is one of this process's own streams.
    pub descriptor: Option<i32>,
}

const BUFFER_SIZE: usize = 1 << 16;

impl Output {
    pub fn new(writer: impl Write + 'static) -> Output {
        Output { writer: Box::new(writer), waiting: Vec::new(), buffering: Buffering::None, descriptor: None }
    }

    /// Writes bytes, now or with what comes later.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.waiting.extend_from_slice(bytes);
        let must_flush = match self.buffering {
            Buffering::None => true,
            Buffering::Line => bytes.contains(&b'\n') || self.waiting.len() >= BUFFER_SIZE,
            Buffering::Full => self.waiting.len() >= BUFFER_SIZE,
        };
        if must_flush { self.flush() } else { Ok(()) }
    }

    /// Hands everything to the writer. What could not be written is dropped with the error.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn flush(&mut self) -> std::io::Result<()> {
        if self.waiting.is_empty() {
            return self.writer.flush();
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.writer.write_all(&waiting)?;
        self.writer.flush()
    }

    /// Forgets what is waiting: for a forked child, whose parent will write it.
    pub fn discard(&mut self) {
        self.waiting.clear();
    }
}

/// The three streams of an interpreter.
pub struct Streams {
    pub stdin: Box<dyn BufRead>,
    pub stdout: Output,
    pub stderr: Output,
}

impl Streams {
    /// The process's own streams: stdout is buffered by line on a terminal and fully elsewhere.
    pub fn of_process() -> Streams {
        let is_terminal = std::io::stdout().is_terminal();
        let stdout = Output {
            writer: Box::new(Descriptor(1)),
            waiting: Vec::new(),
            buffering: if is_terminal { Buffering::Line } else { Buffering::Full },
            descriptor: Some(1),
        };
        let stderr = Output {
            writer: Box::new(Descriptor(2)),
            waiting: Vec::new(),
            buffering: Buffering::Line,
            descriptor: Some(2),
        };
        Streams { stdin: Box::new(BufReader::new(Descriptor(0))), stdout, stderr }
    }
}

/// One of the process's descriptors, without a buffer in between. Reads end with `Interrupted` on signals.
struct Descriptor(i32);

impl Read for Descriptor {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        // SAFETY: the buffer is valid for its length.
        let count = unsafe { libc::read(self.0, buffer.as_mut_ptr().cast(), buffer.len()) };
        if count < 0 { Err(std::io::Error::last_os_error()) } else { Ok(count as usize) }
    }
}

impl Write for Descriptor {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        // SAFETY: the buffer is valid for its length.
        let count = unsafe { libc::write(self.0, buffer.as_ptr().cast(), buffer.len()) };
        if count < 0 { Err(std::io::Error::last_os_error()) } else { Ok(count as usize) }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Vm {
    /// Writes text to stdout; lone surrogates that stand for bytes become those bytes again.
    pub fn write_stdout(&mut self, text: &str) -> Res<()> {
        let done = match crate::text::surrogate::has_surrogates(text) {
            false => self.streams.stdout.write(text.as_bytes()),
            true => {
                let bytes = self.encode_escaped(text)?;
                self.streams.stdout.write(&bytes)
            }
        };
        done.map_err(|error| self.os_error(&error, None))
    }

    /// Hands what scripts have written to stdout and stderr to the system: before children start, so that
    /// lines come in order, and before anything that may wait long.
    ///
    /// # Errors
    /// The `OSError` of the stream.
    pub fn flush_output(&mut self) -> Res<()> {
        let done = self.streams.stdout.flush().and_then(|()| self.streams.stderr.flush());
        done.map_err(|error| self.os_error(&error, None))
    }

    /// As `flush_output`, if stdout is a terminal that somebody may be looking at.
    ///
    /// # Errors
    /// The `OSError` of the stream.
    pub fn flush_if_terminal(&mut self) -> Res<()> {
        if self.streams.stdout.buffering == Buffering::Line { self.flush_output() } else { Ok(()) }
    }

    /// UTF-8 bytes of a text in which surrogates stand for bytes.
    pub fn encode_escaped(&mut self, text: &str) -> Res<Vec<u8>> {
        crate::text::surrogate::encode_utf8_surrogateescape(text).map_err(|at| {
            let args = vec![
                Value::str("utf-8"),
                Value::str(text),
                Value::size(at),
                Value::size(at + 1),
                Value::str("surrogates not allowed"),
            ];
            self.error_with(crate::eval::Exc::UnicodeEncodeError, args)
        })
    }

    /// Shows the value of an expression typed at the prompt.
    pub fn echo(&mut self, value: Value) -> Res<()> {
        if value.is_none() {
            return Ok(());
        }
        let shown = self.repr_of(&value)?;
        self.write_stdout(&shown)?;
        self.write_stdout("\n")?;
        let underscore = self.intern("_");
        self.builtins.set(&underscore, value);
        Ok(())
    }

    /// A new `__main__` module, entered in `sys.modules`.
    pub fn new_main(&mut self, file: Option<&str>) -> Ref<Module> {
        let module = self.new_module("__main__", file);
        module.set_text("__package__", Value::NONE);
        self.modules.set_text("__main__", module.clone().into());
        module
    }

    /// Runs a script text in a module.
    pub fn run_text(&mut self, name: &str, text: &str, module: &Ref<Module>) -> Res<()> {
        self.run_source(Rc::new(SourceFile::new(name, text)), module)
    }
}
