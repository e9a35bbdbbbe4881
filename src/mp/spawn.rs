//! Starting a child process.
//!
//! The standard library does the starting: on Linux, macOS and the BSDs it uses `posix_spawn`, which
//! does not copy the parent's page tables, so a start costs the same whatever the size of the parent.
//! It also empties the child's signal mask and reports a failed exec as an error here. What is
//! added is the choice of program, the table, and errors that name the path.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, PoisonError};

use super::child;
use super::pause::Never;
use super::sys;
use super::table::{self, Handle, Kind};

/// The longest command line kept for showing, in characters.
const SHOWN_COMMAND: usize = 200;

static INTERPRETER: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Which program a child runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Program {
    /// The interpreter: this very binary, also if its file was replaced or deleted since it started,
    /// unless [`set_interpreter`] named another.
    Interpreter,
    /// Any program; a name without a slash is looked up in `PATH`.
    Path(PathBuf),
}

/// Names the `zpy` binary, for hosts that embed the engine and are not `zpy` themselves. `None` goes back to
/// this process's own binary.
pub fn set_interpreter(path: Option<PathBuf>) {
    *INTERPRETER.lock().unwrap_or_else(PoisonError::into_inner) = path;
}

/// Where a standard stream of a child leads.
#[derive(Debug)]
pub enum Stdio {
    Inherit,
    Null,
    Pipe,
    Fd(OwnedFd),
}

impl From<Stdio> for process::Stdio {
    fn from(stdio: Stdio) -> process::Stdio {
        match stdio {
            Stdio::Inherit => process::Stdio::inherit(),
            Stdio::Null => process::Stdio::null(),
            Stdio::Pipe => process::Stdio::piped(),
            Stdio::Fd(descriptor) => process::Stdio::from(descriptor),
        }
    }
}

/// What to start and with what around it.
#[derive(Debug)]
pub struct Command {
    pub program: Program,
    pub args: Vec<OsString>,
    /// The whole environment; `None` is that of this process.
    pub env: Option<Vec<(OsString, OsString)>>,
    pub cwd: Option<PathBuf>,
    /// A stream left `None` is inherited by [`spawn`]; [`run`](super::run) gives an empty stdin and collects
    /// the other two.
    pub stdin: Option<Stdio>,
    pub stdout: Option<Stdio>,
    pub stderr: Option<Stdio>,
    /// What [`run`](super::run) writes to the child's stdin.
    pub input: Vec<u8>,
    /// Whose handles it is counted with; `run` does not look at it.
    pub kind: Kind,
    /// Tells the child, if it is an interpreter, to end when this process does, however that happens
    /// (see [`sys::die_with_parent_if_asked`]).
    pub die_with_parent: bool,
}

impl Command {
    /// This interpreter with these arguments.
    pub fn interpreter<A: Into<OsString>>(args: impl IntoIterator<Item = A>) -> Command {
        Command::with(Program::Interpreter, Kind::Script, args)
    }

    /// Any other program.
    pub fn program<A: Into<OsString>>(
        path: impl Into<PathBuf>,
        args: impl IntoIterator<Item = A>,
    ) -> Command {
        Command::with(Program::Path(path.into()), Kind::Command, args)
    }

    fn with<A: Into<OsString>>(program: Program, kind: Kind, args: impl IntoIterator<Item = A>) -> Command {
        Command {
            program,
            args: args.into_iter().map(Into::into).collect(),
            env: None,
            cwd: None,
            stdin: None,
            stdout: None,
            stderr: None,
            input: Vec::new(),
            kind,
            die_with_parent: false,
        }
    }
}

/// A child that was just started, with our ends of the streams that are pipes.
#[derive(Debug)]
pub struct Started {
    pub handle: Handle,
    pub stdin: Option<OwnedFd>,
    pub stdout: Option<OwnedFd>,
    pub stderr: Option<OwnedFd>,
}

/// A program that could not be started, or the directory it should have started in.
#[derive(Debug)]
pub struct StartError {
    pub path: PathBuf,
    /// What the system said; its kind and `raw_os_error` tell the causes apart.
    pub error: io::Error,
}

impl fmt::Display for StartError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "cannot start '{}': {}", self.path.display(), self.error)
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Starts the child and returns at once.
pub fn spawn(command: Command) -> Result<Started, StartError> {
    let resolved = Resolved::find(&command.program)?;
    let shown = show(&resolved.shown, &command.args);
    let kind = command.kind;
    let cwd = command.cwd.clone();
    let fail = |error| StartError { path: resolved.shown.clone(), error };

    let place = table::reserve().ok_or_else(|| fail(io::Error::from_raw_os_error(libc::EAGAIN)))?;
    let mut child =
        prepare(command, &resolved).spawn().map_err(|error| blame(cwd, &resolved.shown, error))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let handle = place
        .enter(child.id(), kind, shown)
        .ok_or_else(|| fail(io::Error::from_raw_os_error(libc::EAGAIN)))?;
    Ok(Started {
        handle,
        stdin: stdin.map(OwnedFd::from),
        stdout: stdout.map(OwnedFd::from),
        stderr: stderr.map(OwnedFd::from),
    })
}

/// Enters a child that somebody else started, by `fork` for example. It must be a child of this
/// process that nobody has waited for; it may have ended already.
pub fn adopt(pid: u32, kind: Kind, command: &str) -> io::Result<Handle> {
    let full = || io::Error::from_raw_os_error(libc::EAGAIN);
    let place = table::reserve().ok_or_else(full)?;
    place.enter(pid, kind, command.chars().take(SHOWN_COMMAND).collect()).ok_or_else(full)
}

/// Ends a child that was started together with others of which one failed to start.
pub(super) fn undo(started: &[Handle]) {
    for &handle in started {
        let _ = child::send_signal(handle, libc::SIGTERM);
    }
    child::end_after(started, child::GRACE, &mut Never);
}

/// A program as the system is told, and as people are told.
struct Resolved {
    exec: PathBuf,
    shown: PathBuf,
    /// `argv[0]` if it is not simply the path.
    name: Option<OsString>,
}

impl Resolved {
    fn find(program: &Program) -> Result<Resolved, StartError> {
        let named = match program {
            Program::Path(path) => Some(path.clone()),
            Program::Interpreter => INTERPRETER.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        };
        match named {
            Some(path) => Ok(Resolved { exec: path.clone(), shown: path, name: None }),
            None => Resolved::own_binary(),
        }
    }

    fn own_binary() -> Result<Resolved, StartError> {
        let name = std::env::args_os().next().filter(|name| !name.is_empty()).unwrap_or("zpy".into());
        let shown = PathBuf::from(&name);
        match sys::own_binary() {
            Ok(exec) => Ok(Resolved { exec, shown, name: Some(name) }),
            Err(error) => Err(StartError { path: shown, error }),
        }
    }
}

fn prepare(command: Command, resolved: &Resolved) -> process::Command {
    let mut prepared = process::Command::new(&resolved.exec);
    prepared.args(command.args);
    if let Some(name) = &resolved.name {
        prepared.arg0(name);
    }
    if let Some(env) = command.env {
        prepared.env_clear().envs(env);
    }
    if command.program == Program::Interpreter {
        prepared.env(sys::STARTED_BY, process::id().to_string());
    }
    if command.die_with_parent {
        prepared.env(sys::DIE_WITH_PARENT, process::id().to_string());
    } else if std::env::var_os(sys::DIE_WITH_PARENT).is_some() {
        // Our parent's wish concerns us, not our children.
        prepared.env_remove(sys::DIE_WITH_PARENT);
    }
    if let Some(cwd) = command.cwd {
        prepared.current_dir(cwd);
    }
    prepared.stdin(command.stdin.unwrap_or(Stdio::Inherit));
    prepared.stdout(command.stdout.unwrap_or(Stdio::Inherit));
    prepared.stderr(command.stderr.unwrap_or(Stdio::Inherit));
    prepared
}

/// The system does not say whether it missed the program or the directory, so look.
fn blame(cwd: Option<PathBuf>, program: &Path, error: io::Error) -> StartError {
    match cwd {
        Some(cwd) if !cwd.is_dir() => {
            let error = match std::fs::metadata(&cwd) {
                Ok(_) => io::Error::from_raw_os_error(libc::ENOTDIR),
                Err(missing) => missing,
            };
            StartError { path: cwd, error }
        }
        _ => StartError { path: program.to_path_buf(), error },
    }
}

/// The command line for people: quoted where a shell would need it, cut when long.
fn show(program: &Path, args: &[OsString]) -> String {
    let mut shown = String::new();
    let words = std::iter::once(program.as_os_str()).chain(args.iter().map(OsString::as_os_str));
    for word in words {
        if !shown.is_empty() {
            shown.push(' ');
        }
        shown.push_str(&quote(word));
        if shown.len() > SHOWN_COMMAND {
            let cut: String = shown.chars().take(SHOWN_COMMAND - 3).collect();
            return cut + "...";
        }
    }
    shown
}

fn quote(word: &OsStr) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,@%+".contains(c);
    let text = word.to_string_lossy();
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(args: &[&str]) -> String {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        show(Path::new("zpy"), &args)
    }

    #[test]
    fn command_lines_are_quoted_and_cut() {
        assert_eq!(shown(&["a.zpy", "x y", ""]), "zpy a.zpy 'x y' ''");
        assert_eq!(shown(&["-c", "it's"]), r"zpy -c 'it'\''s'");
        let long = shown(&["-c", &"é".repeat(100_000)]);
        assert!(long.ends_with("...") && long.chars().count() == SHOWN_COMMAND);
    }

    #[test]
    fn the_missing_directory_is_blamed() {
        let error = blame(Some("/nowhere/x".into()), Path::new("zpy"), io::Error::from_raw_os_error(2));
        assert_eq!(error.path, Path::new("/nowhere/x"));
        let error = blame(Some("/".into()), Path::new("zpy"), io::Error::from_raw_os_error(2));
        assert_eq!(error.path, Path::new("zpy"));
    }
}
