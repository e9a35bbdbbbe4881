//! What the integration tests share: running the `zpy` binary under a deadline, comparing texts, finding files.
//!
//! Nothing here sleeps and hopes. Output is read by threads that report through a channel, and the deadline is the time
//! `recv_timeout` waits; a process that misses it is killed and the test that started it fails.
#![allow(dead_code)] // Each test binary uses its own part.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long one script may run before it counts as hanging.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// What a finished process left behind.
#[derive(Debug)]
pub struct Outcome {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub status: ExitStatus,
}

impl Outcome {
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// The exit code, or minus the signal's number.
    pub fn code(&self) -> i32 {
        match self.status.code() {
            Some(code) => code,
            None => -signal_of(self.status),
        }
    }

    /// Asserts exit code, stdout and an empty stderr at once, showing everything on failure.
    #[track_caller]
    pub fn expect(&self, code: i32, stdout: &str) {
        assert!(
            self.code() == code && self.out() == stdout && self.stderr.is_empty(),
            "expected exit code {code} and stdout {stdout:?}, got {}\nstdout: {:?}\nstderr: {}",
            self.code(),
            self.out(),
            self.err()
        );
    }

    /// Asserts the exit code, showing the streams on failure.
    #[track_caller]
    pub fn expect_code(&self, code: i32) -> &Outcome {
        assert!(
            self.code() == code,
            "expected exit code {code}, got {}\nstdout: {}\nstderr: {}",
            self.code(),
            self.out(),
            self.err()
        );
        self
    }
}

#[cfg(unix)]
fn signal_of(status: ExitStatus) -> i32 {
    std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0)
}

#[cfg(not(unix))]
fn signal_of(_: ExitStatus) -> i32 {
    0
}

/// The binary under test.
pub fn zpy_path() -> &'static str {
    env!("CARGO_BIN_EXE_zpy")
}

/// A command that runs the binary under test, with nothing on stdin.
pub fn zpy() -> Command {
    let mut command = Command::new(zpy_path());
    command.stdin(Stdio::null());
    command
}

/// `zpy -c CODE` under the usual deadline.
pub fn run_code(code: &str) -> Outcome {
    let mut command = zpy();
    command.arg("-c").arg(code);
    run(command)
}

/// Runs a command to its end under the usual deadline.
pub fn run(command: Command) -> Outcome {
    run_within(command, None, DEADLINE).unwrap_or_else(|late| panic!("{late}"))
}

/// The same with a text on stdin.
pub fn run_with_input(mut command: Command, input: &[u8]) -> Outcome {
    command.stdin(Stdio::piped());
    run_within(command, Some(input.to_vec()), DEADLINE).unwrap_or_else(|late| panic!("{late}"))
}

/// Runs a command to its end or kills it; an error says what it had written when its time was up.
pub fn run_within(mut command: Command, input: Option<Vec<u8>>, limit: Duration) -> Result<Outcome, String> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let shown = format!("{command:?}");
    let mut child = command.spawn().map_err(|error| format!("cannot start {shown}: {error}"))?;
    if let Some(input) = input {
        let mut stdin = child.stdin.take().expect("stdin is piped");
        // A reader that goes away early is its own business, so a failed write is not an error here.
        thread::spawn(move || drop(stdin.write_all(&input)));
    }
    collect(child, &shown, limit)
}

/// Reads both streams of a child to their ends and waits for it, or kills it when the time is up.
pub fn collect(mut child: Child, shown: &str, limit: Duration) -> Result<Outcome, String> {
    let until = Instant::now() + limit;
    let stdout = read_in_background(child.stdout.take().expect("stdout is piped"));
    let stderr = read_in_background(child.stderr.take().expect("stderr is piped"));
    let left = || until.saturating_duration_since(Instant::now());
    let (out, err) = (stdout.recv_timeout(left()), stderr.recv_timeout(left()));
    match (out, err) {
        (Ok(stdout), Ok(stderr)) => {
            let status = child.wait().map_err(|error| format!("cannot wait for {shown}: {error}"))?;
            Ok(Outcome { stdout, stderr, status })
        }
        _ => {
            drop(child.kill());
            drop(child.wait());
            Err(format!("{shown} did not end within {limit:?}"))
        }
    }
}

fn read_in_background(mut stream: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        drop(stream.read_to_end(&mut bytes));
        drop(send.send(bytes));
    });
    receive
}

/// Every script below a folder, relative to it, sorted; folders and files named `lib_...` are modules, not scripts.
pub fn scripts_below(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![PathBuf::new()];
    while let Some(folder) = todo.pop() {
        let Ok(entries) = fs::read_dir(root.join(&folder)) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = folder.join(&name);
            if name.starts_with("lib_") || name.starts_with("__") {
                continue;
            }
            if entry.path().is_dir() {
                todo.push(path);
            } else if name.ends_with(".zpy") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A short line-by-line comparison: the first differing lines with one line of context before them.
pub fn difference(wanted: &str, got: &str) -> String {
    const SHOWN: usize = 6;
    let (wanted, got): (Vec<_>, Vec<_>) = (wanted.lines().collect(), got.lines().collect());
    let Some(first) = (0..wanted.len().max(got.len())).find(|&at| wanted.get(at) != got.get(at)) else {
        return "    the texts differ only in their line ends\n".to_string();
    };
    let mut text = String::new();
    if first > 0 {
        text.push_str(&format!("    {:>4}   {}\n", first, wanted[first - 1]));
    }
    for (sign, lines) in [('-', &wanted), ('+', &got)] {
        for (at, line) in lines.iter().enumerate().skip(first).take(SHOWN) {
            text.push_str(&format!("    {:>4} {sign} {line}\n", at + 1));
        }
        if lines.len() > first + SHOWN {
            text.push_str(&format!("         {sign} ... {} more lines\n", lines.len() - first - SHOWN));
        }
    }
    text
}

/// A private folder that is removed when the value is dropped.
pub struct TempDir {
    pub path: PathBuf,
}

impl TempDir {
    pub fn new(label: &str) -> TempDir {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("zpy-test-{label}-{}-{number}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).expect("the temporary folder can be made");
        TempDir { path }
    }

    /// Writes a file into the folder and gives its path.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path.join(name);
        fs::write(&path, text).expect("the temporary folder is writable");
        path
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.path));
    }
}
