//! The three streams of an interpreter: the process's own, or any reader and writers of a host program.
//!
//! Nothing written is lost or doubled: what waits in a buffer is flushed before the process forks, starts
//! a child or ends, and a forked child forgets it. Ctrl-C gets through even where a read or write blocks:
//! an interrupted call is only repeated if no Ctrl-C is waiting to be noticed.

use crate::eval::{Exc, Vm, interrupt};
use crate::text::surrogate;
use crate::value::{Res, Value};
use std::io::{self, BufRead, BufReader, ErrorKind, IsTerminal, Read, Write};

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
    /// The reader at the other end has gone away.
    pub is_broken: bool,
}

const BUFFER_SIZE: usize = 1 << 16;

impl Output {
    pub fn new(writer: impl Write + 'static) -> Output {
        let writer = Box::new(writer);
        let buffering = Buffering::None;
        Output { writer, waiting: Vec::new(), buffering, descriptor: None, is_broken: false }
    }

    /// One of this process's own streams.
    fn of_descriptor(number: i32, buffering: Buffering) -> Output {
        Output { buffering, descriptor: Some(number), ..Output::new(Descriptor(number)) }
    }

    /// Writes bytes, now or with what comes later.
    ///
    /// # Errors
    /// As for [`Output::flush`].
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.waiting.extend_from_slice(bytes);
        let must_flush = match self.buffering {
            Buffering::None => true,
            Buffering::Line => bytes.contains(&b'\n') || self.waiting.len() >= BUFFER_SIZE,
            Buffering::Full => self.waiting.len() >= BUFFER_SIZE,
        };
        if must_flush { self.flush() } else { Ok(()) }
    }

    /// Hands everything to the writer.
    ///
    /// # Errors
    /// Those of the writer; what could not be written is then dropped. After `Interrupted`, which means
    /// that a signal wants attention, it goes on waiting.
    pub fn flush(&mut self) -> io::Result<()> {
        let mut done = 0;
        while done < self.waiting.len() {
            match self.writer.write(&self.waiting[done..]) {
                Ok(0) => {
                    self.waiting.clear();
                    return Err(ErrorKind::WriteZero.into());
                }
                Ok(count) => done += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {
                    if interrupt::is_pending() {
                        self.waiting.drain(..done);
                        return Err(error);
                    }
                }
                Err(error) => {
                    self.is_broken |= error.kind() == ErrorKind::BrokenPipe;
                    self.waiting.clear();
                    return Err(error);
                }
            }
        }
        self.waiting.clear();
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
        let buffering = if io::stdout().is_terminal() { Buffering::Line } else { Buffering::Full };
        Streams {
            stdin: Box::new(BufReader::new(Descriptor(0))),
            stdout: Output::of_descriptor(1, buffering),
            stderr: Output::of_descriptor(2, Buffering::Line),
        }
    }

    /// The next line of stdin with its end; empty at the end of the input.
    ///
    /// # Errors
    /// Those of the reader; `Interrupted` only if Ctrl-C was pressed. Other signals are attended to later.
    pub fn read_line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        loop {
            let available = match self.stdin.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == ErrorKind::Interrupted && !interrupt::is_sigint_pending() => {
                    continue;
                }
                Err(error) => return Err(error),
            };
            let end = available.iter().position(|&byte| byte == b'\n');
            let count = end.map_or(available.len(), |end| end + 1);
            line.extend_from_slice(&available[..count]);
            self.stdin.consume(count);
            if end.is_some() || count == 0 {
                return Ok(line);
            }
        }
    }
}

/// One of the process's descriptors, without a buffer in between. Calls end with `Interrupted` on signals.
struct Descriptor(i32);

impl Descriptor {
    /// The result of a system call. A descriptor that another process made non-blocking is waited for here:
    /// the answer is then `Interrupted`, which means try again.
    fn checked(&self, count: isize, readiness: libc::c_short) -> io::Result<usize> {
        if count >= 0 {
            return Ok(count as usize);
        }
        let error = io::Error::last_os_error();
        if error.kind() != ErrorKind::WouldBlock {
            return Err(error);
        }
        let mut wanted = libc::pollfd { fd: self.0, events: readiness, revents: 0 };
        // SAFETY: one valid entry is given.
        unsafe { libc::poll(&mut wanted, 1, -1) };
        Err(ErrorKind::Interrupted.into())
    }
}

impl Read for Descriptor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // SAFETY: the buffer is valid for its length.
        let count = unsafe { libc::read(self.0, buffer.as_mut_ptr().cast(), buffer.len()) };
        self.checked(count, libc::POLLIN)
    }
}

impl Write for Descriptor {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        // SAFETY: the buffer is valid for its length.
        let count = unsafe { libc::write(self.0, buffer.as_ptr().cast(), buffer.len()) };
        self.checked(count, libc::POLLOUT)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Vm {
    /// Hands what scripts have written to stdout and stderr to the system: before children start, so that
    /// lines come in order, and before anything that may wait long.
    ///
    /// # Errors
    /// The `OSError` of the stream.
    pub fn flush_output(&mut self) -> Res<()> {
        loop {
            let done = self.streams.stdout.flush().and_then(|()| self.streams.stderr.flush());
            if self.settle_output(done)? {
                return Ok(());
            }
        }
    }

    /// Whether the output is through; if not, a signal was attended to and it should be flushed again.
    fn settle_output(&mut self, done: io::Result<()>) -> Res<bool> {
        match done {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::Interrupted => self.handle_interrupt().map(|()| false),
            Err(error) => Err(self.os_error(&error, None)),
        }
    }

    /// As `flush_output`, if stdout is a terminal that somebody may be looking at.
    ///
    /// # Errors
    /// The `OSError` of the stream.
    pub fn flush_if_terminal(&mut self) -> Res<()> {
        if self.streams.stdout.buffering == Buffering::Line { self.flush_output() } else { Ok(()) }
    }

    /// Writes text to stdout; lone surrogates that stand for bytes become those bytes again.
    pub fn write_stdout(&mut self, text: &str) -> Res<()> {
        let mut done = match surrogate::has_surrogates(text) {
            false => self.streams.stdout.write(text.as_bytes()),
            true => {
                let bytes = self.encode_escaped(text)?;
                self.streams.stdout.write(&bytes)
            }
        };
        while !self.settle_output(done)? {
            done = self.streams.stdout.flush();
        }
        Ok(())
    }

    /// Writes text to stderr; lone surrogates are shown as escapes. There is nobody to tell about errors.
    pub fn write_stderr(&mut self, text: &str) {
        let _ = match surrogate::has_surrogates(text) {
            false => self.streams.stderr.write(text.as_bytes()),
            true => self.streams.stderr.write(escape_surrogates(text).as_bytes()),
        };
    }

    /// UTF-8 bytes of a text in which surrogates stand for bytes.
    pub fn encode_escaped(&mut self, text: &str) -> Res<Vec<u8>> {
        surrogate::encode_utf8_surrogateescape(text).map_err(|at| {
            let args = vec![
                Value::str("utf-8"),
                Value::str(text),
                Value::size(at),
                Value::size(at + 1),
                Value::str("surrogates not allowed"),
            ];
            self.error_with(Exc::UnicodeEncodeError, args)
        })
    }
}

fn escape_surrogates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match surrogate::from_char(c) {
            Some(code) => out.push_str(&format!("\\u{code:04x}")),
            None => out.push(c),
        }
    }
    out
}
