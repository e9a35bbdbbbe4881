//! The interactive session at a terminal: a pseudo-terminal with the test at the keyboard.

mod support;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::openpty;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use support::TempDir;

const DEADLINE: Duration = Duration::from_secs(20);

struct Session {
    keyboard: File,
    child: Child,
    /// What came and was not looked for yet.
    screen: String,
    folder: TempDir,
}

impl Session {
    fn start(arguments: &[&str]) -> Session {
        Session::start_in(TempDir::new("repl"), arguments)
    }

    fn start_in(folder: TempDir, arguments: &[&str]) -> Session {
        // No child of another test may inherit the terminal, or its end would not show.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let guard = ONE_AT_A_TIME.lock();
        let pty = openpty(None, None).unwrap();
        for end in [&pty.master, &pty.slave] {
            fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
        }
        let mut command = support::zpy();
        command
            .args(arguments)
            .env("ZPY_HISTORY", folder.path.join("state/history"))
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .stdin(Stdio::from(pty.slave.try_clone().unwrap()))
            .stdout(Stdio::from(pty.slave.try_clone().unwrap()))
            .stderr(Stdio::from(pty.slave.try_clone().unwrap()));
        let terminal = pty.slave.as_raw_fd();
        // SAFETY: both calls are safe between fork and exec.
        unsafe {
            command.pre_exec(move || {
                libc::setsid();
                libc::ioctl(terminal, libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
        let child = command.spawn().unwrap();
        drop((pty.slave, guard));
        Session { keyboard: File::from(pty.master), child, screen: String::new(), folder }
    }

    fn send(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the text shows up; what was on the screen before it.
    #[track_caller]
    fn expect(&mut self, text: &str) -> String {
        let until = Instant::now() + DEADLINE;
        loop {
            if let Some(at) = self.screen.find(text) {
                let before = self.screen[..at].to_string();
                self.screen.drain(..at + text.len());
                return before;
            }
            let came = self.read(until);
            assert!(came, "{text:?} did not come; the screen shows {:?}", self.screen);
        }
    }

    /// Presses the keys again and again until the text shows up.
    #[track_caller]
    fn insist(&mut self, keys: &str, text: &str) {
        let until = Instant::now() + DEADLINE;
        while !self.screen.contains(text) && Instant::now() < until {
            self.send(keys);
            while !self.screen.contains(text) && self.read(Instant::now() + Duration::from_millis(200)) {}
        }
        self.expect(text);
    }

    /// Reads what comes next; false at the end of the session or of the time.
    fn read(&mut self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        let mut ready = [PollFd::new(self.keyboard.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        if poll(&mut ready, timeout).unwrap_or(0) == 0 {
            return false;
        }
        let mut bytes = [0; 4096];
        match self.keyboard.read(&mut bytes) {
            Ok(count) if count > 0 => {
                self.screen.push_str(&String::from_utf8_lossy(&bytes[..count]));
                true
            }
            _ => false,
        }
    }

    fn end(mut self) -> (ExitStatus, String, TempDir) {
        let until = Instant::now() + DEADLINE;
        while self.read(until) {}
        if Instant::now() >= until {
            drop(self.child.kill());
        }
        let status = self.child.wait().unwrap();
        assert!(Instant::now() < until, "the session did not end; the screen shows {:?}", self.screen);
        (status, self.screen, self.folder)
    }
}

const PROMPT: &str = ">>> ";

#[test]
fn a_session() {
    let mut session = Session::start(&[]);
    session.expect("ZPy");
    session.expect(PROMPT);
    session.send("1 + 2\r");
    session.expect("\n3\r\n");
    session.expect(PROMPT);
    session.send("_ * 2\r");
    session.expect("\n6\r\n");
    session.expect(PROMPT);
    session.send("def f(x):\r");
    session.expect("... ");
    session.send("    return x + 1\r");
    session.expect("... ");
    session.send("\r");
    session.expect(PROMPT);
    session.send("f(41)\r");
    session.expect("\n42\r\n");
    session.expect(PROMPT);
    session.send("1 / 0\r");
    session.expect("ZeroDivisionError: division by zero");
    session.expect(PROMPT);
    session.send("\u{4}");
    assert!(session.end().0.success());
}

#[test]
fn keys_typed_ahead_are_not_lost() {
    let mut session = Session::start(&["-i"]);
    session.send("a = 1\rif a:\r    b = 2\r\rb + 40\rexit\r");
    session.expect("\n42\r\n");
    assert!(session.end().0.success());
}

#[test]
fn ctrl_c_cancels_the_line() {
    let mut session = Session::start(&["repl"]);
    session.expect(PROMPT);
    session.send("unfinished = (1,\r");
    session.expect("... ");
    session.send("\u{3}");
    session.expect("KeyboardInterrupt");
    session.expect(PROMPT);
    session.send("'still' + 'here'\r");
    session.expect("'stillhere'");
    session.send("quit()\r");
    assert!(session.end().0.success());
}

#[test]
fn ctrl_c_stops_what_runs() {
    let mut session = Session::start(&[]);
    session.expect(PROMPT);
    session.send("print('run' + 'ning')\rwhile true: pass\r\r");
    session.expect("running\r\n");
    session.expect("... ");
    // Only once the line editor is done does the terminal make a signal of this key.
    session.insist("\u{3}", "KeyboardInterrupt");
    // Keys that follow Ctrl-C too soon are dropped with it.
    session.insist("5 + 5\r", "\n10\r\n");
    session.insist("exit\r", "exit");
    assert!(session.end().0.success());
}

#[test]
fn exit_codes_get_out() {
    let mut session = Session::start(&[]);
    session.expect(PROMPT);
    session.send("raise SystemExit(3)\r");
    assert_eq!(session.end().0.code(), Some(3));
}

#[test]
fn tab_completes() {
    let mut session = Session::start(&[]);
    session.expect(PROMPT);
    session.send("some_long_name = 'found it'\r");
    session.expect(PROMPT);
    session.send("some_l\t\r");
    session.expect("'found it'");
    session.send("exit\r");
    assert!(session.end().0.success());
}

#[test]
fn history_lasts() {
    let mut session = Session::start(&[]);
    session.expect(PROMPT);
    session.send("for i in [1, 2]:\r    print('round', i)\r\rexit\r");
    let (status, _, folder) = session.end();
    assert!(status.success());
    let mut session = Session::start_in(folder, &[]);
    session.expect(PROMPT);
    // Past "exit" to the whole loop.
    session.send("\u{10}\u{10}\r");
    session.expect("... ");
    session.send("\r");
    session.expect("round 1\r\n");
    session.expect("round 2\r\n");
    session.send("exit\r");
    assert!(session.end().0.success());
}

#[test]
fn a_script_before_the_session() {
    let mut session = Session::start(&["-i", "-c", "made = 7\nprint('ran')"]);
    let before = session.expect("ran\r\n");
    assert!(!before.contains("ZPy"), "{before}");
    session.expect(PROMPT);
    session.send("made + 1\r");
    session.expect("\n8\r\n");
    session.send("exit\r");
    assert!(session.end().0.success());
}
