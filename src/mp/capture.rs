//! Running children to their end while collecting what they print.
//!
//! One loop serves all pipes of all children at once: it sleeps until any of them is ready, so no child
//! ever waits for a pipe that nobody reads, at any size. Both streams go into one buffer in the
//! order in which they were read, with a list of which piece came from where; each stream alone is cut
//! from that when asked for, so nothing is stored twice. Two streams that became readable between two
//! looks have no order that anybody could know; stdout is then taken first.
//!
//! **When is a child done?** When it has ended and its pipes hold nothing more. A pipe may stay open
//! longer, because a process that the child left behind still holds it; waiting for that one could take
//! forever, so what lies in the pipes at the moment the end of the child is noticed is read, which is all
//! that the child itself wrote, and then they are closed.

use std::borrow::Cow;
use std::fmt;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use nix::poll::{PollFd, PollFlags};

use super::child::LOOK_AGAIN;
use super::pause::{Interrupt, Interrupted};
use super::spawn::{self, Command, StartError, Started, Stdio, spawn};
use super::sys::{self, Quiet, Transfer};
use super::table::{self, Handle, Kind};

/// The room offered to the first read, the usual capacity of a pipe.
const READ_SIZE: usize = 64 << 10;
/// The capacity asked for, and the room offered, once a child has filled a pipe; the system's usual limit.
const BIG_READ_SIZE: usize = 1 << 20;

/// What a child printed and how it ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Output {
    /// Negative is minus the number of the signal that ended it.
    pub exit_code: i32,
    /// Both streams in the order in which they were read.
    pub output: Vec<u8>,
    pieces: Vec<Piece>,
}

impl Output {
    pub fn stdout(&self) -> Cow<'_, [u8]> {
        self.only(Stream::Stdout)
    }

    pub fn stderr(&self) -> Cow<'_, [u8]> {
        self.only(Stream::Stderr)
    }

    /// Copies only if both streams were used.
    fn only(&self, stream: Stream) -> Cow<'_, [u8]> {
        let total: usize =
            self.pieces.iter().filter(|piece| piece.stream == stream).map(|piece| piece.length).sum();
        if total == 0 {
            return Cow::Borrowed(&[]);
        }
        if total == self.output.len() {
            return Cow::Borrowed(&self.output);
        }
        let mut alone = Vec::with_capacity(total);
        let mut rest = self.output.as_slice();
        for piece in &self.pieces {
            let (bytes, after) = rest.split_at(piece.length);
            if piece.stream == stream {
                alone.extend_from_slice(bytes);
            }
            rest = after;
        }
        Cow::Owned(alone)
    }

    /// The last `length` bytes of `output` came from `stream`.
    fn note(&mut self, stream: Stream, length: usize) {
        match self.pieces.last_mut() {
            Some(last) if last.stream == stream => last.length += length,
            _ => self.pieces.push(Piece { stream, length }),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stream {
    Stdout,
    Stderr,
}

/// So many bytes in a row from one stream. Neighbours are from different streams, none is empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Piece {
    stream: Stream,
    length: usize,
}

/// Why there is no [`Output`].
#[derive(Debug)]
pub enum RunError {
    Start(StartError),
    Interrupted,
}

impl fmt::Display for RunError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Start(error) => error.fmt(out),
            RunError::Interrupted => Interrupted.fmt(out),
        }
    }
}

impl std::error::Error for RunError {}

/// Starts a child, collects what it prints and waits for its end. Streams the command leaves open are
/// an empty stdin (or `input`), and pipes for the other two. After an interruption the child has been
/// ended: SIGTERM, after a second SIGKILL.
pub fn run(command: Command, interrupt: &mut dyn Interrupt) -> Result<Output, RunError> {
    let mut outputs = run_all(vec![command], interrupt)?;
    Ok(outputs.pop().unwrap_or_default())
}

/// Like [`run`] for several children at once, all started first. If one cannot start, the others are ended.
pub fn run_all(commands: Vec<Command>, interrupt: &mut dyn Interrupt) -> Result<Vec<Output>, RunError> {
    let mut captures: Vec<Capture> = Vec::with_capacity(commands.len());
    for command in commands {
        match start(command) {
            Ok(capture) => captures.push(capture),
            Err(error) => {
                spawn::undo(&abandon(captures));
                return Err(RunError::Start(error));
            }
        }
    }
    finish(captures, interrupt).map_err(|_| RunError::Interrupted)
}

/// Like [`run`] for a child that was started with pipes: writes `input` to it, collects what it prints,
/// waits for its end and removes its handle. After an interruption the child has been ended.
pub fn communicate(
    started: Started,
    input: Vec<u8>,
    interrupt: &mut dyn Interrupt,
) -> Result<Output, Interrupted> {
    let mut outputs = finish(vec![Capture::new(started, input)], interrupt)?;
    Ok(outputs.pop().unwrap_or_default())
}

fn start(mut command: Command) -> Result<Capture, StartError> {
    let input = std::mem::take(&mut command.input);
    let stdin = if input.is_empty() { Stdio::Null } else { Stdio::Pipe };
    command.kind = Kind::Captured;
    command.stdin.get_or_insert(stdin);
    command.stdout.get_or_insert(Stdio::Pipe);
    command.stderr.get_or_insert(Stdio::Pipe);
    Ok(Capture::new(spawn(command)?, input))
}

fn finish(mut captures: Vec<Capture>, interrupt: &mut dyn Interrupt) -> Result<Vec<Output>, Interrupted> {
    while captures.iter().any(|capture| !capture.done) {
        if let Err(interrupted) = step(&mut captures, interrupt) {
            spawn::undo(&abandon(captures));
            return Err(interrupted);
        }
    }
    Ok(captures.into_iter().map(Capture::into_output).collect())
}

/// Closes all pipes, so that no child lives on only because it waits for one.
fn abandon(captures: Vec<Capture>) -> Vec<Handle> {
    captures.into_iter().map(|capture| capture.handle).collect()
}

/// Sleeps until something is ready and serves it.
fn step(captures: &mut [Capture], interrupt: &mut dyn Interrupt) -> Result<(), Interrupted> {
    let quiet = Quiet::begin();
    if interrupt.pending() {
        quiet.end();
        return if interrupt.attend() { Err(Interrupted) } else { Ok(()) };
    }
    let mut noticed = false;
    for capture in captures.iter_mut() {
        noticed |= capture.notice_end();
    }
    if noticed {
        return Ok(());
    }
    let ready = sleep_until_ready(captures, &quiet);
    quiet.end();
    for (index, source) in ready {
        captures[index].serve(source);
    }
    Ok(())
}

/// The captures, by index, and which of their sources can be served.
fn sleep_until_ready(captures: &[Capture], quiet: &Quiet) -> Vec<(usize, Source)> {
    let mut sources = Vec::with_capacity(4 * captures.len());
    let mut wanted = Vec::with_capacity(4 * captures.len());
    let mut limit = None;
    for (index, capture) in captures.iter().enumerate().filter(|(_, capture)| !capture.done) {
        for (source, descriptor) in capture.sources() {
            let flags = if source == Source::Stdin { PollFlags::POLLOUT } else { PollFlags::POLLIN };
            sources.push((index, source));
            wanted.push(PollFd::new(descriptor.as_fd(), flags));
        }
        if capture.pidfd.is_none() {
            limit = Some(LOOK_AGAIN);
        }
    }
    quiet.park(&mut wanted, limit);
    // A hang-up or an error counts as ready too: the next read or write finds out.
    let ready = wanted.iter().map(|entry| entry.revents().is_some_and(|events| !events.is_empty()));
    sources.iter().zip(ready).filter(|(_, ready)| *ready).map(|(source, _)| *source).collect()
}

/// What a capture can be woken by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Source {
    Stdin,
    Output(Stream),
    End,
}

/// One child on its way to an [`Output`].
struct Capture {
    handle: Handle,
    pidfd: Option<Arc<OwnedFd>>,
    stdin: Option<OwnedFd>,
    input: Vec<u8>,
    written: usize,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    read_size: usize,
    output: Output,
    done: bool,
}

impl Capture {
    fn new(started: Started, input: Vec<u8>) -> Capture {
        let Started { handle, stdin, stdout, stderr } = started;
        for pipe in [&stdin, &stdout, &stderr].into_iter().flatten() {
            sys::set_nonblocking(pipe);
        }
        Capture {
            handle,
            pidfd: table::pidfd(handle).ok().flatten(),
            // Without input the pipe is closed at once: the child finds its stdin empty.
            stdin: stdin.filter(|_| !input.is_empty()),
            input,
            written: 0,
            stdout,
            stderr,
            read_size: READ_SIZE,
            output: Output::default(),
            done: false,
        }
    }

    fn sources(&self) -> impl Iterator<Item = (Source, &OwnedFd)> {
        let stdin = self.stdin.as_ref().map(|pipe| (Source::Stdin, pipe));
        let stdout = self.stdout.as_ref().map(|pipe| (Source::Output(Stream::Stdout), pipe));
        let stderr = self.stderr.as_ref().map(|pipe| (Source::Output(Stream::Stderr), pipe));
        let end = self.pidfd.as_deref().map(|pidfd| (Source::End, pidfd));
        [stdin, stdout, stderr, end].into_iter().flatten()
    }

    fn serve(&mut self, source: Source) {
        match source {
            Source::Stdin => self.write(),
            Source::Output(stream) => self.read(stream),
            // The pidfd alone does not bring the exit code; fetch it here, act on it in the next round.
            Source::End => drop(table::exit_code(self.handle)),
        }
    }

    /// If the child has ended, takes what its pipes still hold. True if that happened just now.
    fn notice_end(&mut self) -> bool {
        if self.done {
            return false;
        }
        // With a pidfd the system is asked only once that is readable, not in every round.
        let known = match self.pidfd {
            Some(_) => table::noticed_exit_code(self.handle),
            None => table::exit_code(self.handle),
        };
        let code = match known {
            Ok(None) => return false,
            Ok(Some(code)) => code,
            // Only somebody who went behind our back can have removed it.
            Err(_) => super::reaper::LOST,
        };
        self.output.exit_code = code;
        self.drain(Stream::Stdout);
        self.drain(Stream::Stderr);
        table::forget(self.handle);
        self.stdin = None;
        self.pidfd = None;
        self.done = true;
        true
    }

    fn pipe(&mut self, stream: Stream) -> &mut Option<OwnedFd> {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    /// One read; closes the pipe at its end.
    fn read(&mut self, stream: Stream) {
        let size = self.read_size;
        self.read_at_most(stream, size);
    }

    fn read_at_most(&mut self, stream: Stream, size: usize) -> usize {
        let Some(pipe) = self.pipe(stream).take() else { return 0 };
        let transfer = sys::read_append(&pipe, &mut self.output.output, size);
        if let Transfer::Bytes(READ_SIZE) = transfer {
            // A child with much to say: fewer and larger reads from now on.
            sys::grow_pipe(&pipe, BIG_READ_SIZE);
            self.read_size = BIG_READ_SIZE;
        }
        if let Transfer::Bytes(_) | Transfer::NotNow = transfer {
            *self.pipe(stream) = Some(pipe);
        }
        let Transfer::Bytes(length) = transfer else { return 0 };
        self.output.note(stream, length);
        length
    }

    /// Reads what lies in the pipe now, not what somebody else goes on writing, and closes it.
    fn drain(&mut self, stream: Stream) {
        let Some(pipe) = self.pipe(stream) else { return };
        let mut left = sys::bytes_waiting(pipe);
        while left > 0 {
            match self.read_at_most(stream, left) {
                0 => break,
                length => left -= length.min(left),
            }
        }
        *self.pipe(stream) = None;
    }

    fn write(&mut self) {
        let Some(pipe) = &self.stdin else { return };
        match sys::write_quietly(pipe, &self.input[self.written..]) {
            Transfer::Bytes(length) => self.written += length,
            Transfer::NotNow => {}
            // The child does not want the rest.
            Transfer::End => self.written = self.input.len(),
        }
        if self.written == self.input.len() {
            self.stdin = None;
        }
    }

    fn into_output(mut self) -> Output {
        self.output.output.shrink_to_fit();
        self.output
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mp::Never;

    #[test]
    fn streams_are_cut_from_the_common_buffer() {
        let mut output = Output::default();
        for (stream, text) in
            [(Stream::Stdout, "a"), (Stream::Stderr, "bb"), (Stream::Stderr, "c"), (Stream::Stdout, "dd")]
        {
            output.output.extend_from_slice(text.as_bytes());
            output.note(stream, text.len());
        }
        assert_eq!(output.pieces.len(), 3);
        assert_eq!(&*output.stdout(), b"add");
        assert_eq!(&*output.stderr(), b"bbc");
    }

    #[test]
    fn one_stream_alone_is_not_copied() {
        let mut output = Output { output: b"abc".to_vec(), ..Output::default() };
        output.note(Stream::Stderr, 3);
        assert!(matches!(output.stderr(), Cow::Borrowed(b"abc")));
        assert!(matches!(output.stdout(), Cow::Borrowed(b"")));
    }

    #[test]
    fn a_captured_child_needs_no_signals() {
        let command = Command::program("/bin/sh", ["-c", "cat; echo err >&2; exit 3"]);
        let output = run(Command { input: b"in".to_vec(), ..command }, &mut Never).unwrap();
        assert_eq!((output.exit_code, &*output.stdout(), &*output.stderr()), (3, &b"in"[..], &b"err\n"[..]));
    }
}
