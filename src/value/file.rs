//! Open files: a descriptor or memory with buffers on both sides.
//!
//! This file moves bytes and knows no interpreter. What the bytes mean (text, lines, encodings), and the
//! three standard streams, whose bytes are the interpreter's, are in `builtins/io`.

use super::table::Table;
use super::{Heap, Ref, Tag, Value};
use crate::text::codec::Codec;
use std::cell::{Cell, RefCell};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::IntoRawFd;
use std::rc::{Rc, Weak};

/// Bytes asked for at once, and waiting at most.
const CHUNK: usize = 1 << 16;

pub enum Backend {
    Closed,
    Descriptor(std::fs::File),
    /// `io.StringIO` and `io.BytesIO`: the content and the position in it.
    Memory(Vec<u8>, usize),
    Stdin,
    Stdout,
    Stderr,
}

/// Which ends of lines a text file knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Newline {
    /// `\n`, `\r` and `\r\n`, all read as `\n`.
    Universal,
    /// The same three, read as they are.
    Any,
    /// Only this one.
    Exactly(&'static str),
}

impl Newline {
    /// The argument `newline` that says the same.
    pub fn argument(self) -> Value {
        match self {
            Newline::Universal => Value::NONE,
            Newline::Any => Value::str(""),
            Newline::Exactly(end) => Value::str(end),
        }
    }

    /// What an argument `newline` says, if it is one.
    pub fn of_argument(value: &Value) -> Option<Newline> {
        if value.is_none() {
            return Some(Newline::Universal);
        }
        match value.as_str()? {
            "" => Some(Newline::Any),
            "\n" => Some(Newline::Exactly("\n")),
            "\r" => Some(Newline::Exactly("\r")),
            "\r\n" => Some(Newline::Exactly("\r\n")),
            _ => None,
        }
    }
}

/// What was asked for when the file was opened.
pub struct Settings {
    pub binary: bool,
    pub readable: bool,
    pub writable: bool,
    /// `StringIO.__init__` sets it anew.
    pub newline: Cell<Newline>,
    /// Name of the encoding, as the script gave it.
    pub encoding: String,
    pub codec: Codec,
    /// Name of the error handler: `strict`, `replace`, ...
    pub errors: String,
    /// Written text is passed on after each newline.
    pub line_buffered: Cell<bool>,
    /// Written bytes are passed on at once.
    pub unbuffered: bool,
    pub close_descriptor: bool,
    pub mode: String,
}

/// Who does the work of a file.
#[derive(Default)]
pub enum Layer {
    #[default]
    Native,
    /// An object of a script, because the file wraps something that is no native file.
    Script(Value),
    /// Nobody yet: an object of a derived class before `__init__`.
    New,
    /// Nobody: what uses of the file are told.
    Gone(&'static str),
}

pub struct File {
    pub name: Value,
    pub settings: Settings,
    pub state: Rc<RefCell<State>>,
    pub layer: RefCell<Layer>,
    /// The file that this one wraps, with the same state; none until somebody asks.
    pub beneath: RefCell<Option<Value>>,
    /// What scripts have added.
    pub attributes: Table,
}

pub struct State {
    pub backend: Backend,
    /// Bytes read ahead; those before `at` are used up.
    pub input: Vec<u8>,
    pub at: usize,
    output: Vec<u8>,
    close_descriptor: bool,
    /// Ends of lines met while reading text: 1 for `\r`, 2 for `\n`, 4 for `\r\n`.
    pub newlines: u8,
}

impl File {
    pub fn new(name: Value, settings: Settings, backend: Backend) -> Ref<File> {
        let close_descriptor = settings.close_descriptor;
        let state =
            State { backend, input: Vec::new(), at: 0, output: Vec::new(), close_descriptor, newlines: 0 };
        Ref::new(File {
            name,
            settings,
            state: Rc::new(RefCell::new(state)),
            layer: RefCell::default(),
            beneath: RefCell::default(),
            attributes: Table::default(),
        })
    }

    /// Whether the file does its own work.
    pub fn is_plain(&self) -> bool {
        matches!(*self.layer.borrow(), Layer::Native)
    }

    /// Whether it is a `FileIO`: what scripts ask for is what the system is asked for.
    pub fn is_raw(&self) -> bool {
        self.settings.binary && self.settings.unbuffered && !self.is_standard()
    }

    /// Whether it is one of the interpreter's own streams.
    pub fn is_standard(&self) -> bool {
        matches!(self.state.borrow().backend, Backend::Stdin | Backend::Stdout | Backend::Stderr)
    }

    /// A handle for flushing that does not keep the file open.
    pub fn weak_state(&self) -> Weak<RefCell<State>> {
        Rc::downgrade(&self.state)
    }

    pub fn is_closed(&self) -> bool {
        matches!(self.state.borrow().backend, Backend::Closed)
    }

    /// Python's name for the type of such a file.
    pub fn type_name(&self) -> &'static str {
        let s = &self.settings;
        match (s.mode.is_empty(), s.binary) {
            (true, true) => "BytesIO",
            (true, false) => "StringIO",
            (false, false) => "TextIOWrapper",
            (false, true) if s.unbuffered => "FileIO",
            (false, true) => match (s.readable, s.writable) {
                (true, true) => "BufferedRandom",
                (false, true) => "BufferedWriter",
                _ => "BufferedReader",
            },
        }
    }
}

impl State {
    /// Bytes read ahead and not used yet.
    pub fn unread(&self) -> &[u8] {
        &self.input[self.at..]
    }

    /// Takes `count` bytes of what was read ahead.
    pub fn take(&mut self, count: usize) -> Vec<u8> {
        let taken = self.input[self.at..self.at + count].to_vec();
        self.at += count;
        if self.at == self.input.len() {
            self.input.clear();
            self.at = 0;
        }
        taken
    }

    /// Reads some more; whether there was any.
    ///
    /// # Errors
    /// Those of the system, `Interrupted` included.
    pub fn fill(&mut self) -> std::io::Result<bool> {
        self.fill_at_most(CHUNK)
    }

    /// As `fill`, with a limit, for files that must not be read ahead.
    ///
    /// # Errors
    /// As for `fill`.
    pub fn fill_at_most(&mut self, most: usize) -> std::io::Result<bool> {
        if self.at > CHUNK {
            self.input.drain(..self.at);
            self.at = 0;
        }
        match &mut self.backend {
            Backend::Descriptor(file) => {
                let old = self.input.len();
                self.input.resize(old + most, 0);
                let result = file.read(&mut self.input[old..]);
                self.input.truncate(old + result.as_ref().unwrap_or(&0));
                result.map(|count| count > 0)
            }
            Backend::Memory(data, position) => {
                let rest = data.get(*position..).unwrap_or_default();
                self.input.extend_from_slice(rest);
                let got = !rest.is_empty();
                *position = (*position).max(data.len());
                Ok(got)
            }
            _ => Ok(false),
        }
    }

    /// Forgets what was read ahead, so that the position is where the reader thinks it is.
    pub fn drop_input(&mut self) -> std::io::Result<()> {
        let unread = (self.input.len() - self.at) as i64;
        self.input.clear();
        self.at = 0;
        if unread > 0 {
            self.move_to(SeekFrom::Current(-unread))?;
        }
        Ok(())
    }

    /// Takes bytes to write; whether so many wait that a flush is due.
    pub fn put(&mut self, bytes: &[u8]) -> bool {
        if let Backend::Memory(data, position) = &mut self.backend {
            if bytes.is_empty() {
                return false;
            }
            data.resize(data.len().max(*position), 0);
            let overlap = bytes.len().min(data.len() - *position);
            data[*position..*position + overlap].copy_from_slice(&bytes[..overlap]);
            data.extend_from_slice(&bytes[overlap..]);
            *position += bytes.len();
            return false;
        }
        self.output.extend_from_slice(bytes);
        self.output.len() >= CHUNK
    }

    /// Notes which ends of lines text that was read has.
    pub fn note_newlines(&mut self, bytes: &[u8]) {
        if memchr::memchr(b'\r', bytes).is_none() {
            self.newlines |= if memchr::memchr(b'\n', bytes).is_some() { 2 } else { 0 };
            return;
        }
        for (i, &byte) in bytes.iter().enumerate() {
            self.newlines |= match byte {
                b'\r' if bytes.get(i + 1) == Some(&b'\n') => 4,
                b'\r' => 1,
                b'\n' if i == 0 || bytes[i - 1] != b'\r' => 2,
                _ => 0,
            };
        }
    }

    /// Other content for a file in memory, read from its beginning.
    pub fn refill(&mut self, content: Vec<u8>) {
        self.input.clear();
        self.at = 0;
        self.backend = Backend::Memory(content, 0);
    }

    /// Writes text into memory, over as many characters as it has.
    pub fn put_chars(&mut self, text: &str) {
        let Backend::Memory(data, position) = &mut self.backend else { return };
        if text.is_empty() {
            return;
        }
        data.resize(data.len().max(*position), 0);
        let old = data[*position..].utf8_chunks().flat_map(|chunk| chunk.valid().chars());
        let gone: usize = old.take(text.chars().count()).map(char::len_utf8).sum();
        data.splice(*position..*position + gone, text.bytes());
        *position += text.len();
    }

    /// The byte at which a character of text in memory starts; behind the end, characters are bytes.
    pub fn byte_of_char(&self, number: usize) -> usize {
        let Backend::Memory(data, _) = &self.backend else { return number };
        let text = String::from_utf8_lossy(data);
        match text.char_indices().nth(number) {
            Some((at, _)) => at,
            None => data.len() + (number - text.chars().count()),
        }
    }

    /// The opposite of `byte_of_char`.
    pub fn char_of_byte(&self, at: usize) -> usize {
        let Backend::Memory(data, _) = &self.backend else { return at };
        let inside = at.min(data.len());
        String::from_utf8_lossy(&data[..inside]).chars().count() + (at - inside)
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// Those of the system; what is not written yet goes on waiting after `Interrupted` and `WouldBlock` and is dropped
    /// after any other.
    pub fn flush(&mut self) -> std::io::Result<()> {
        let Backend::Descriptor(file) = &mut self.backend else { return Ok(()) };
        let mut done = 0;
        while done < self.output.len() {
            match file.write(&self.output[done..]) {
                Ok(count) => done += count,
                Err(error) => {
                    use std::io::ErrorKind::{Interrupted, WouldBlock};
                    let goes_on = matches!(error.kind(), Interrupted | WouldBlock);
                    self.output.drain(..if goes_on { done } else { self.output.len() });
                    return Err(error);
                }
            }
        }
        self.output.clear();
        Ok(())
    }

    /// Where the next byte is read or written; `flush` first.
    pub fn position(&mut self) -> std::io::Result<u64> {
        let unread = (self.input.len() - self.at) as u64;
        Ok(self.move_to(SeekFrom::Current(0))?.saturating_sub(unread))
    }

    /// Goes somewhere else; `flush` first.
    pub fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.drop_input()?;
        self.move_to(to)
    }

    fn move_to(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        match &mut self.backend {
            Backend::Descriptor(file) => file.seek(to),
            Backend::Memory(data, position) => {
                let target = match to {
                    SeekFrom::Start(at) => at as i64,
                    SeekFrom::Current(by) => *position as i64 + by,
                    SeekFrom::End(by) => data.len() as i64 + by,
                };
                *position = target.max(0) as usize;
                Ok(*position as u64)
            }
            _ => Err(std::io::Error::from_raw_os_error(libc::ESPIPE)),
        }
    }

    /// Cuts the file, or lengthens it with zeros.
    pub fn set_len(&mut self, len: u64) -> std::io::Result<()> {
        match &mut self.backend {
            Backend::Descriptor(file) => file.set_len(len),
            Backend::Memory(data, _) => {
                data.truncate(len as usize);
                Ok(())
            }
            _ => Err(std::io::Error::from_raw_os_error(libc::EINVAL)),
        }
    }

    /// Writes what waits and closes.
    fn finish(&mut self) {
        // Nobody is left to hear of an error.
        while self.flush().is_err_and(|error| error.kind() == std::io::ErrorKind::Interrupted) {}
        let _ = self.close();
    }

    /// Reads at most `count` bytes with one call of the system, unless some were read ahead.
    ///
    /// # Errors
    /// Those of the system.
    pub fn read_once(&mut self, count: usize) -> std::io::Result<Vec<u8>> {
        let ahead = count.min(self.unread().len());
        if ahead > 0 {
            return Ok(self.take(ahead));
        }
        let Backend::Descriptor(file) = &mut self.backend else { return Ok(Vec::new()) };
        let mut piece = vec![0; count];
        let got = file.read(&mut piece)?;
        piece.truncate(got);
        Ok(piece)
    }

    /// Writes with one call of the system, behind what waits; how many bytes.
    ///
    /// # Errors
    /// Those of the system.
    pub fn write_once(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.flush()?;
        match &mut self.backend {
            Backend::Descriptor(file) => file.write(bytes),
            _ => Ok(0),
        }
    }

    /// Closes without writing what waits.
    ///
    /// # Errors
    /// Those of the system: somebody else may have closed the descriptor. The file is closed all the same.
    pub fn close(&mut self) -> std::io::Result<()> {
        self.input = Vec::new();
        self.at = 0;
        self.output = Vec::new();
        let Backend::Descriptor(file) = std::mem::replace(&mut self.backend, Backend::Closed) else {
            return Ok(());
        };
        let descriptor = file.into_raw_fd();
        // SAFETY: nothing of ours uses the descriptor any more; one that is closed already is reported.
        if self.close_descriptor && unsafe { libc::close(descriptor) } < 0 {
            let error = std::io::Error::last_os_error();
            // The descriptor is gone all the same.
            return if error.kind() == std::io::ErrorKind::Interrupted { Ok(()) } else { Err(error) };
        }
        Ok(())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // What a wrapper wraps goes with it, unless it was detached.
        if self.beneath.get_mut().is_some()
            && let Ok(mut state) = self.state.try_borrow_mut()
        {
            state.finish();
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Heap for File {
    const TAG: Tag = Tag::File;
}
