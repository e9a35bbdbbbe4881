//! Starting a child process.
//!
//! What is decided here: which program, with which streams, and which path an error names. The system
//! calls are in `sys/start.rs`; the place in the table is taken before the start, so that no child
//! ever runs without one.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::child;
use super::pause::Never;
use super::sys::{self, Image};
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

/// The child's end of a stream, `None` if it inherits ours, and our end if it is a pipe.
type Ends = (Option<OwnedFd>, Option<OwnedFd>);

impl Stdio {
    fn open(self, read_by_child: bool) -> io::Result<Ends> {
        Ok(match self {
            Stdio::Inherit => (None, None),
            Stdio::Null => (Some(sys::null()?), None),
            Stdio::Fd(descriptor) => (Some(descriptor), None),
            Stdio::Pipe => {
                let (reader, writer) = io::pipe()?;
                if read_by_child {
                    (Some(reader.into()), Some(writer.into()))
                } else {
                    (Some(writer.into()), Some(reader.into()))
                }
            }
        })
    }
}

/// What to start and with what around it.
#[derive(Debug)]
pub struct Command {
    pub program: Program,
    pub args: Vec<OsString>,
    /// The whole environment, of two assignments to one name the last; `None` is that of this process.
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
pub fn spawn(mut command: Command) -> Result<Started, StartError> {
    let target = Target::find(&command.program)?;
    let fail = |error| StartError { path: target.shown.clone(), error };
    let full = || fail(io::Error::from_raw_os_error(libc::EAGAIN));

    let place = table::reserve().ok_or_else(full)?;
    let streams =
        [(command.stdin.take(), true), (command.stdout.take(), false), (command.stderr.take(), false)];
    let [stdin, stdout, stderr] =
        streams.map(|(stream, read)| stream.unwrap_or(Stdio::Inherit).open(read).map_err(fail));
    let (stdin, stdout, stderr) = (stdin?, stdout?, stderr?);
    let pid = start(&command, &target, [stdin.0, stdout.0, stderr.0])?;
    let handle = place.enter(pid, command.kind, show(&target.shown, &command.args)).ok_or_else(full)?;
    Ok(Started { handle, stdin: stdin.1, stdout: stdout.1, stderr: stderr.1 })
}

fn start(command: &Command, target: &Target, streams: [Option<OwnedFd>; 3]) -> Result<u32, StartError> {
    let env = environment(command);
    let path = env.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str());
    let name = target.name.as_os_str();
    let started = sys::look_up(target.exec.as_os_str(), path).and_then(|program| {
        let argv = std::iter::once(name).chain(command.args.iter().map(OsString::as_os_str)).collect();
        let cwd = command.cwd.as_deref();
        sys::start(Image { program: &program, argv, env, cwd, streams })
    });
    started.map_err(|error| blame(command.cwd.as_deref(), &target.shown, error))
}

fn environment(command: &Command) -> Vec<(OsString, OsString)> {
    let mut env: Vec<(OsString, OsString)> = match &command.env {
        // Through a map: programs would read the first of two assignments, people mean the last.
        Some(given) => given.iter().cloned().collect::<BTreeMap<_, _>>().into_iter().collect(),
        None => std::env::vars_os().collect(),
    };
    // What our own parent wished concerns us, not our children.
    env.retain(|(name, _)| name != sys::DIE_WITH_PARENT && name != sys::STARTED_BY);
    if command.program == Program::Interpreter {
        env.push((sys::STARTED_BY.into(), std::process::id().to_string().into()));
    }
    if command.die_with_parent {
        env.push((sys::DIE_WITH_PARENT.into(), std::process::id().to_string().into()));
    }
    env
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
struct Target {
    exec: PathBuf,
    shown: PathBuf,
    /// `argv[0]`.
    name: OsString,
}

impl Target {
    fn find(program: &Program) -> Result<Target, StartError> {
        let named = match program {
            Program::Path(path) => Some(path.clone()),
            Program::Interpreter => INTERPRETER.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        };
        match named {
            Some(path) => Ok(Target { exec: path.clone(), name: path.clone().into(), shown: path }),
            None => Target::own_binary(),
        }
    }

    /// Under the name this process was called by, not that of the link that leads to the binary.
    fn own_binary() -> Result<Target, StartError> {
        let name = std::env::args_os().next().filter(|name| !name.is_empty()).unwrap_or("zpy".into());
        let shown = PathBuf::from(&name);
        match sys::own_binary() {
            Ok(exec) => Ok(Target { exec, shown, name }),
            Err(error) => Err(StartError { path: shown, error }),
        }
    }
}

/// The system does not say whether it missed the program or the directory, so look.
fn blame(cwd: Option<&Path>, program: &Path, error: io::Error) -> StartError {
    match cwd {
        Some(cwd) if !cwd.is_dir() => {
            let error = match std::fs::metadata(cwd) {
                Ok(_) => io::Error::from_raw_os_error(libc::ENOTDIR),
                Err(missing) => missing,
            };
            StartError { path: cwd.to_path_buf(), error }
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
        let error = blame(Some(Path::new("/nowhere/x")), Path::new("zpy"), io::Error::from_raw_os_error(2));
        assert_eq!(error.path, Path::new("/nowhere/x"));
        let error = blame(Some(Path::new("/")), Path::new("zpy"), io::Error::from_raw_os_error(2));
        assert_eq!(error.path, Path::new("zpy"));
    }
}
