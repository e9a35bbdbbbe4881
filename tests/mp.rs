//! The process layer as a host sees it.
//!
//! Each test runs in a process of its own, started by [`alone`]: this same test binary with one test
//! selected. So each has an empty table, its own signals and descriptors, and a deadline from outside
//! that turns a hang into a failure. At the end it must have left no child, zombie or descriptor. Children
//! that need more than a shell are this binary again, playing a [`role`].

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use zpy::mp::{self, Command, Handle, Interrupt, Kind, Never, Started, Stdio, WaitError};

const DEADLINE: Duration = Duration::from_secs(120);
const INNER: &str = "ZPY_MP_TEST_INNER";
const ROLE: &str = "ZPY_MP_TEST_ROLE";
const FOREVER: &str = "exec sleep 1000";

/// Runs the body in a fresh process, under a deadline, and checks what it leaves behind.
fn alone(test: &str, body: fn()) {
    if std::env::var_os(INNER).is_some() {
        return inside(body);
    }
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(INNER, "1")
        .process_group(0)
        .spawn()
        .unwrap();
    let group = child.id() as i32;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > DEADLINE {
            end_group(group);
            child.wait().unwrap();
            panic!("{test} hangs");
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    end_group(group);
    assert!(status.success(), "{test}: {status}");
}

/// A failed test may leave processes behind, which would hold our output open.
fn end_group(group: i32) {
    // SAFETY: no memory is involved.
    unsafe { libc::kill(-group, libc::SIGKILL) };
}

fn inside(body: fn()) {
    // What is made once per process (the self-pipe of some systems) is not a leak.
    mp::sleep(Duration::ZERO, &mut Never).unwrap();
    mp::sys::seal_descriptors();
    let before = open_descriptors();
    body();
    assert_eq!(mp::handles(None), [], "handles left in the table");
    assert_eq!(children(), Vec::<i32>::new(), "children or zombies left");
    assert_eq!(open_descriptors(), before, "descriptors left open");
}

/// Children of this process, zombies included.
fn children() -> Vec<i32> {
    let mut pids = Vec::new();
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let listing = fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default();
        pids.extend(listing.split_whitespace().map(|pid| pid.parse::<i32>().unwrap()));
    }
    pids
}

fn open_descriptors() -> Vec<String> {
    let listing = fs::read_dir("/proc/self/fd").unwrap();
    let mut names: Vec<String> =
        listing.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Repeats until true; only the deadline of the whole test ends it otherwise.
fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn sh(script: &str) -> Command {
    Command::program("/bin/sh", ["-c", script])
}

fn spawn(command: Command) -> Handle {
    mp::spawn(command).unwrap().handle
}

fn run(command: Command) -> mp::Output {
    mp::run(command, &mut Never).unwrap()
}

fn wait(handle: Handle) -> i32 {
    mp::wait(handle, None, &mut Never).unwrap().unwrap()
}

/// This binary again, as one of the roles below.
fn as_role(role: &str) -> Command {
    let command = Command::interpreter(["role", "--exact", "--nocapture", "--test-threads=1"]);
    let env = std::env::vars_os().chain([(OsString::from(ROLE), OsString::from(role))]).collect();
    Command { env: Some(env), ..command }
}

/// Starts it with its stdout as a pipe and waits for its first line.
fn spawn_until_line(command: Command) -> (Handle, String, OwnedFd) {
    let started = mp::spawn(Command { stdout: Some(Stdio::Pipe), ..command }).unwrap();
    let mut pipe = fs::File::from(started.stdout.unwrap());
    let mut line = Vec::new();
    let mut byte = [0];
    while pipe.read(&mut byte).unwrap() == 1 && byte != *b"\n" {
        line.push(byte[0]);
    }
    (started.handle, String::from_utf8(line).unwrap(), OwnedFd::from(pipe))
}

#[test]
fn role() {
    let Ok(role) = std::env::var(ROLE) else { return };
    match role.as_str() {
        "exit 42" => exit(42),
        "interleave" => interleave(),
        "lose the binary" => lose_the_binary(),
        "helper" => helper(),
        "parent of a helper" => parent_of_a_helper(),
        other => panic!("no role {other}"),
    }
}

// Starting and waiting

#[test]
fn a_thousand_children_leave_nothing() {
    alone("a_thousand_children_leave_nothing", || {
        for _ in 0..1000 {
            assert_eq!(wait(spawn(Command::program("true", [""; 0]))), 0);
        }
    });
}

#[test]
fn many_children_at_once() {
    alone("many_children_at_once", || {
        let handles: Vec<Handle> = (0..300).map(|i| spawn(sh(&format!("exit {}", i % 256)))).collect();
        for (i, handle) in handles.into_iter().enumerate().rev() {
            assert_eq!(wait(handle), (i % 256) as i32);
        }
    });
}

#[test]
fn handles_count_from_one_within_their_kind() {
    alone("handles_count_from_one_within_their_kind", || {
        let first = spawn(sh("exit 1"));
        run(sh("true"));
        let second = spawn(sh("exit 2"));
        let script = spawn(Command { kind: Kind::Script, ..sh("exit 3") });
        assert_eq!([first.number, second.number, script.number], [1, 2, 1]);
        assert_eq!(mp::handles(None).len(), 3);
        assert_eq!(mp::handles(Some(Kind::Script)), [script]);
        assert_eq!([wait(script), wait(second), wait(first)], [3, 2, 1]);
        let third = spawn(sh("exit 4"));
        assert_eq!((third.number, wait(third)), (3, 4));
    });
}

#[test]
fn info_tells_pid_and_command() {
    alone("info_tells_pid_and_command", || {
        let handle = spawn(sh(FOREVER));
        let info = mp::info(handle).unwrap();
        assert_eq!(info.command, "/bin/sh -c 'exec sleep 1000'");
        assert_eq!(info.exit_code, None);
        assert_eq!(mp::pid(handle), Ok(info.pid));
        assert_eq!(children(), [info.pid as i32]);
        assert!(mp::kill(handle, &mut Never));
    });
}

#[test]
fn poll_keeps_the_handle_and_wait_removes_it() {
    alone("poll_keeps_the_handle_and_wait_removes_it", || {
        let command = Command { stdin: Some(Stdio::Pipe), ..sh("read x; exit 7") };
        let Started { handle, stdin, .. } = mp::spawn(command).unwrap();
        assert_eq!(mp::poll(handle), Ok(None));
        drop(stdin);
        until(|| mp::poll(handle).unwrap().is_some());
        assert_eq!(mp::poll(handle), Ok(Some(7)));
        assert_eq!(mp::info(handle).unwrap().exit_code, Some(7));
        assert_eq!(children(), Vec::<i32>::new(), "ended and polled, but still a zombie");
        assert_eq!(wait(handle), 7);
        assert_eq!(mp::poll(handle), Err(mp::UnknownHandle(handle)));
        let again = mp::wait(handle, None, &mut Never);
        assert_eq!(again, Err(WaitError::UnknownHandle(mp::UnknownHandle(handle))));
        assert!(!mp::kill(handle, &mut Never));
        assert!(mp::pid(handle).is_err() && mp::info(handle).is_err());
    });
}

#[test]
fn a_timeout_keeps_the_handle() {
    alone("a_timeout_keeps_the_handle", || {
        let handle = spawn(sh(FOREVER));
        assert_eq!(mp::wait(handle, Some(Duration::from_millis(20)), &mut Never), Ok(None));
        assert_eq!(mp::wait(handle, Some(Duration::ZERO), &mut Never), Ok(None));
        assert!(mp::send_signal(handle, libc::SIGKILL).unwrap());
        assert_eq!(mp::wait(handle, Some(Duration::MAX), &mut Never), Ok(Some(-9)));
    });
}

#[test]
fn signals_are_negative_exit_codes() {
    alone("signals_are_negative_exit_codes", || {
        for signal in [1, 2, 6, 9, 15, 40] {
            assert_eq!(wait(spawn(sh(&format!("kill -{signal} $$; {FOREVER}")))), -signal);
            assert_eq!(run(sh(&format!("kill -{signal} $$; {FOREVER}"))).exit_code, -signal);
        }
        assert_eq!(wait(spawn(sh("exit 255"))), 255);
    });
}

// Ending

#[test]
fn kill_ends_a_child_that_ignores_sigterm() {
    alone("kill_ends_a_child_that_ignores_sigterm", || {
        let (handle, line, _pipe) = spawn_until_line(sh(&format!("trap '' TERM; echo ready; {FOREVER}")));
        assert_eq!(line, "ready");
        assert!(mp::kill(handle, &mut Never));
        assert_eq!(children(), Vec::<i32>::new());
        assert!(!mp::kill(handle, &mut Never));
    });
}

#[test]
fn kill_lets_a_child_clean_up() {
    alone("kill_lets_a_child_clean_up", || {
        let script = "trap 'echo cleaned; exit' TERM; echo ready; while :; do sleep 0.01; done";
        let (handle, _, pipe) = spawn_until_line(sh(script));
        assert!(mp::kill(handle, &mut Never));
        let mut rest = String::new();
        fs::File::from(pipe).read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "cleaned\n");
    });
}

#[test]
fn kill_of_an_ended_child_is_true() {
    alone("kill_of_an_ended_child_is_true", || {
        let handle = spawn(sh("exit 0"));
        until(|| mp::poll(handle).unwrap().is_some());
        assert!(mp::kill(handle, &mut Never));
        assert!(!mp::kill(Handle::new(Kind::Script, 99), &mut Never));
    });
}

#[test]
fn kill_ends_a_stopped_child() {
    alone("kill_ends_a_stopped_child", || {
        let handle = spawn(sh(FOREVER));
        assert_eq!(mp::send_signal(handle, libc::SIGSTOP), Ok(true));
        assert!(mp::kill(handle, &mut Never));
    });
}

#[test]
fn all_children_can_be_interrupted_and_ended() {
    alone("all_children_can_be_interrupted_and_ended", || {
        let obeys = spawn_until_line(sh("trap 'exit 5' INT; echo ready; while :; do sleep 0.01; done"));
        let ignores = spawn_until_line(sh(&format!("trap '' INT; echo ready; {FOREVER}")));
        let ended = spawn(sh("exit 0"));
        until(|| mp::poll(ended).unwrap().is_some());
        assert_eq!(mp::interrupt_all(), 2);
        assert_eq!(wait(obeys.0), 5);
        assert_eq!(mp::poll(ignores.0), Ok(None));
        mp::end_all(Duration::from_millis(20), &mut Never);
        assert!(mp::poll(ignores.0).is_err());
    });
}

// Collecting

#[test]
fn forgotten_children_are_collected_while_we_compute() {
    alone("forgotten_children_are_collected_while_we_compute", || {
        let mut gates = Vec::new();
        for number in 1..=20 {
            let command = Command { stdin: Some(Stdio::Pipe), ..sh("read x; exit 3") };
            let Started { handle, stdin, .. } = mp::spawn(command).unwrap();
            assert_eq!(handle.number, number);
            gates.push(stdin);
        }
        mp::deinit(Kind::Command);
        assert_eq!(mp::handles(None), []);
        assert_eq!(children().len(), 20, "they run on");
        drop(gates);
        // No call into the module from here on.
        while !children().is_empty() {
            std::hint::spin_loop();
        }
        let handle = spawn(sh("exit 9"));
        assert_eq!((handle.number, wait(handle)), (1, 9));
    });
}

#[test]
fn a_forgotten_child_that_had_ended_is_no_problem() {
    alone("a_forgotten_child_that_had_ended_is_no_problem", || {
        let handle = spawn(sh("exit 3"));
        until(|| mp::poll(handle).unwrap().is_some());
        assert!(mp::forget(handle));
        assert!(!mp::forget(handle));
    });
}

#[test]
fn children_of_the_host_are_left_alone() {
    alone("children_of_the_host_are_left_alone", || {
        let mut host = std::process::Command::new("/bin/sh").args(["-c", "exit 6"]).spawn().unwrap();
        let is_zombie = |pid: u32| {
            fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
        };
        until(|| is_zombie(host.id()));
        let forgotten = spawn(sh("exit 0"));
        mp::deinit(Kind::Command);
        for code in 0..20 {
            assert_eq!(wait(spawn(sh(&format!("exit {code}")))), code);
            assert_eq!(run(sh(&format!("exit {code}"))).exit_code, code);
        }
        until(|| children() == [host.id() as i32]);
        assert!(forgotten.number == 1 && is_zombie(host.id()));
        assert_eq!(host.wait().unwrap().code(), Some(6));
    });
}

#[test]
fn a_status_taken_by_somebody_else_is_reported_not_waited_for() {
    alone("a_status_taken_by_somebody_else_is_reported_not_waited_for", || {
        let mut chld = nix::sys::signal::SigSet::empty();
        chld.add(nix::sys::signal::Signal::SIGCHLD);
        chld.thread_block().unwrap();
        let handle = spawn(sh("exit 3"));
        let pid = nix::unistd::Pid::from_raw(mp::pid(handle).unwrap() as i32);
        // The start of a child sweeps once, so the thief may come second; then the code is known.
        let stolen = nix::sys::wait::waitpid(pid, None).is_ok();
        assert_eq!(wait(handle), if stolen { 255 } else { 3 });
    });
}

static HOST_SIGNALS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn host_handler(_: libc::c_int) {
    HOST_SIGNALS.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn the_handler_of_the_host_is_still_called() {
    alone("the_handler_of_the_host_is_still_called", || {
        // SAFETY: the handler only adds to an atomic.
        unsafe { libc::signal(libc::SIGCHLD, host_handler as *const () as libc::sighandler_t) };
        assert_eq!(wait(spawn(sh("exit 1"))), 1);
        until(|| HOST_SIGNALS.load(Ordering::Relaxed) > 0);
    });
}

#[test]
fn waiting_works_without_our_signal_handler() {
    alone("waiting_works_without_our_signal_handler", || {
        assert_eq!(wait(spawn(sh("exit 1"))), 1);
        // SAFETY: no handler runs.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
        assert_eq!(wait(spawn(sh("sleep 0.05; exit 2"))), 2);
        assert_eq!(run(sh("sleep 0.05; exit 3")).exit_code, 3);
        let handle = spawn(sh("exit 4"));
        until(|| mp::poll(handle).unwrap().is_some());
        mp::forget(handle);
        mp::forget(spawn(sh("exit 5")));
        until(|| {
            mp::reap_pending();
            children().is_empty()
        });
    });
}

#[test]
fn several_threads_may_wait() {
    alone("several_threads_may_wait", || {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for code in 0..50 {
                        assert_eq!(wait(spawn(sh(&format!("exit {code}")))), code);
                    }
                });
            }
        });
        let handle = spawn(sh(FOREVER));
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| mp::wait(handle, None, &mut Never));
            assert!(mp::kill(handle, &mut Never));
            // It sees the end, or that the handle is gone; it does not hang.
            let seen = waiter.join().unwrap();
            assert!(matches!(seen, Ok(Some(-15)) | Err(WaitError::UnknownHandle(_))), "{seen:?}");
        });
    });
}

#[test]
fn a_forked_child_starts_with_an_empty_table() {
    alone("a_forked_child_starts_with_an_empty_table", || {
        let before = open_descriptors().len();
        let sibling = spawn(sh(FOREVER));
        // SAFETY: the child only runs code of this module and leaves by `_exit`.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            mp::after_fork_in_child();
            let fresh = mp::handles(None).is_empty() && open_descriptors().len() <= before;
            let handle = spawn(sh("exit 8"));
            let works = handle.number == 1 && wait(handle) == 8 && run(sh("exit 9")).exit_code == 9;
            take_interrupts();
            let handle = spawn(sh(&format!("kill -INT $PPID; {FOREVER}")));
            let stops = mp::wait(handle, None, &mut &INTERRUPTED) == Err(WaitError::Interrupted);
            let ends = mp::kill(handle, &mut Never);
            let code = i32::from(!(fresh && works && stops && ends && children().is_empty()));
            // SAFETY: ends the process.
            unsafe { libc::_exit(code) };
        }
        let forked = mp::adopt(pid as u32, Kind::Worker, "a copy").unwrap();
        assert_eq!(mp::info(forked).unwrap().command, "a copy");
        assert_eq!(wait(forked), 0);
        assert_eq!(mp::poll(sibling), Ok(None), "the sibling was not touched");
        assert!(mp::kill(sibling, &mut Never));
    });
}

// Capturing

#[test]
fn a_hundred_megabytes_on_both_streams() {
    alone("a_hundred_megabytes_on_both_streams", || {
        const SIZE: usize = 100_000_000;
        let script = format!("yes o | head -c {SIZE} & yes e | head -c {SIZE} >&2; wait");
        let output = run(sh(&script));
        assert_eq!((output.exit_code, output.output.len()), (0, 2 * SIZE));
        assert!(output.stdout().len() == SIZE && output.stdout().chunks(2).all(|pair| pair == b"o\n"));
        assert!(output.stderr().len() == SIZE && output.stderr().chunks(2).all(|pair| pair == b"e\n"));
    });
}

#[test]
fn output_is_in_order_of_arrival() {
    alone("output_is_in_order_of_arrival", || {
        let output = run(as_role("interleave"));
        assert_eq!(output.exit_code, 0);
        let expected: String = (0..50).map(|i| format!("o{i} e{i} ")).collect();
        assert!(output.output.ends_with(expected.as_bytes()), "{output:?}");
        let expected: String = (0..50).map(|i| format!("e{i} ")).collect();
        assert_eq!(&*output.stderr(), expected.as_bytes());
    });
}

/// Writes to both streams in turn, each time when the reader has taken the piece before.
fn interleave() {
    let taken = |stream: &dyn AsRawFd| {
        let mut left: libc::c_int = 0;
        // SAFETY: FIONREAD writes one int.
        unsafe { libc::ioctl(stream.as_raw_fd(), libc::FIONREAD, &mut left) };
        left == 0
    };
    let (mut out, mut err) = (io::stdout(), io::stderr());
    for i in 0..50 {
        write!(out, "o{i} ").and_then(|()| out.flush()).unwrap();
        until(|| taken(&out));
        write!(err, "e{i} ").unwrap();
        until(|| taken(&err));
    }
    exit(0);
}

#[test]
fn stdin_is_empty_or_what_was_given() {
    alone("stdin_is_empty_or_what_was_given", || {
        assert_eq!(&*run(sh("cat; echo end")).stdout(), b"end\n");
        let input: Vec<u8> = (0..10_000_000u32).map(|i| (i % 251) as u8).collect();
        let output = run(Command { input: input.clone(), ..sh("cat; echo end >&2") });
        assert!(*output.stdout() == input && *output.stderr() == *b"end\n");
    });
}

#[test]
fn a_child_that_does_not_read_its_input_is_no_broken_pipe() {
    alone("a_child_that_does_not_read_its_input_is_no_broken_pipe", || {
        // SAFETY: no handler runs.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        for _ in 0..50 {
            let output = run(Command { input: vec![b'x'; 1 << 20], ..sh("exec <&-; echo done") });
            assert_eq!((output.exit_code, &*output.stdout()), (0, &b"done\n"[..]));
        }
    });
}

#[test]
fn a_process_left_behind_does_not_hold_up_run() {
    alone("a_process_left_behind_does_not_hold_up_run", || {
        let quiet = run(sh("sleep 1000 & echo $!; exit 3"));
        let chatty = run(sh("yes & echo $! >&2; exit 4"));
        assert_eq!((quiet.exit_code, chatty.exit_code), (3, 4));
        for pid in [quiet.stdout(), chatty.stderr()] {
            let pid: i32 = std::str::from_utf8(&pid).unwrap().trim().parse().unwrap();
            // SAFETY: no memory is involved. The second may have met SIGPIPE already.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
    });
}

#[test]
fn run_waits_for_a_child_that_closed_its_streams() {
    alone("run_waits_for_a_child_that_closed_its_streams", || {
        assert_eq!(run(sh("exec >&- 2>&-; sleep 0.05; exit 6")).exit_code, 6);
    });
}

#[test]
fn several_children_are_captured_at_once() {
    alone("several_children_are_captured_at_once", || {
        // Each needs the other to make progress: they are fed and drained together.
        let (ours, theirs) = io::pipe().unwrap();
        let first =
            Command { stdout: Some(Stdio::Fd(theirs.into())), ..sh("yes x | head -c 3000000; echo e >&2") };
        let second = Command { stdin: Some(Stdio::Fd(ours.into())), ..sh("cat; exit 2") };
        let outputs = mp::run_all(vec![first, second], &mut Never).unwrap();
        assert_eq!((&*outputs[0].stdout(), &*outputs[0].stderr()), (&b""[..], &b"e\n"[..]));
        assert_eq!((outputs[1].exit_code, outputs[1].stdout().len()), (2, 3_000_000));
        assert!(mp::run_all(vec![], &mut Never).unwrap().is_empty());
    });
}

#[test]
fn one_that_cannot_start_ends_the_others() {
    alone("one_that_cannot_start_ends_the_others", || {
        let commands = vec![sh(FOREVER), sh(FOREVER), Command::program("/nowhere/x", [""; 0])];
        let error = mp::run_all(commands, &mut Never).unwrap_err();
        assert!(error.to_string().starts_with("cannot start '/nowhere/x': "), "{error}");
    });
}

#[test]
fn a_child_with_pipes_can_be_talked_to_later() {
    alone("a_child_with_pipes_can_be_talked_to_later", || {
        let all = || Some(Stdio::Pipe);
        let command = Command { stdin: all(), stdout: all(), stderr: all(), ..sh("cat; cat >&2; exit 5") };
        let started = mp::spawn(command).unwrap();
        let handle = started.handle;
        let output = mp::communicate(started, b"hello".to_vec(), &mut Never).unwrap();
        assert_eq!((output.exit_code, &*output.stdout(), &*output.stderr()), (5, &b"hello"[..], &b""[..]));
        assert!(mp::poll(handle).is_err());
    });
}

// Interruptions

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

fn take_interrupts() {
    assert!(mp::sys::install_sigint_handler(&INTERRUPTED).unwrap());
}

#[test]
fn wait_is_interrupted_whenever_the_signal_comes() {
    alone("wait_is_interrupted_whenever_the_signal_comes", || {
        take_interrupts();
        for _ in 0..300 {
            let handle = spawn(sh(&format!("kill -INT $PPID; {FOREVER}")));
            assert_eq!(mp::wait(handle, None, &mut &INTERRUPTED), Err(WaitError::Interrupted));
            assert_eq!(mp::poll(handle), Ok(None), "an interruption keeps the handle");
            INTERRUPTED.store(false, Ordering::Relaxed);
            assert!(mp::kill(handle, &mut &INTERRUPTED));
        }
    });
}

#[test]
fn sleep_is_interrupted() {
    alone("sleep_is_interrupted", || {
        take_interrupts();
        for _ in 0..300 {
            let handle = spawn(sh("kill -INT $PPID"));
            assert_eq!(mp::sleep(Duration::MAX, &mut &INTERRUPTED), Err(mp::Interrupted));
            INTERRUPTED.store(false, Ordering::Relaxed);
            wait(handle);
        }
        let before = Instant::now();
        mp::sleep(Duration::from_millis(5), &mut &INTERRUPTED).unwrap();
        assert!(before.elapsed() >= Duration::from_millis(5));
    });
}

#[test]
fn run_is_interrupted_and_ends_its_child() {
    alone("run_is_interrupted_and_ends_its_child", || {
        take_interrupts();
        for script in ["", "trap '' TERM; "] {
            let command = sh(&format!("{script} yes | head -c 200000; kill -INT $PPID; {FOREVER}"));
            let result = mp::run(command, &mut &INTERRUPTED);
            assert!(matches!(result, Err(mp::RunError::Interrupted)), "{result:?}");
            INTERRUPTED.store(false, Ordering::Relaxed);
            assert_eq!(children(), Vec::<i32>::new());
        }
    });
}

#[test]
fn an_interruption_shortens_the_grace_of_kill() {
    alone("an_interruption_shortens_the_grace_of_kill", || {
        take_interrupts();
        let (handle, _, _pipe) = spawn_until_line(sh(&format!("trap '' TERM; echo ready; {FOREVER}")));
        INTERRUPTED.store(true, Ordering::Relaxed);
        assert!(mp::kill(handle, &mut &INTERRUPTED));
        assert_eq!(children(), Vec::<i32>::new());
    });
}

/// Takes the first signal as the sign to let the child end, and goes on.
struct LetItEnd(Option<io::PipeWriter>);

impl Interrupt for LetItEnd {
    fn pending(&self) -> bool {
        INTERRUPTED.load(Ordering::Relaxed)
    }

    fn attend(&mut self) -> bool {
        INTERRUPTED.store(false, Ordering::Relaxed);
        self.0 = None;
        false
    }
}

#[test]
fn a_signal_that_was_attended_to_resumes_the_call() {
    alone("a_signal_that_was_attended_to_resumes_the_call", || {
        take_interrupts();
        let command = |gate: io::PipeReader| {
            let stdin = Some(Stdio::Fd(gate.into()));
            Command { stdin, ..sh("kill -INT $PPID; read x; echo x >&2; exit 5") }
        };
        let (reader, writer) = io::pipe().unwrap();
        let handle = spawn(Command { stderr: Some(Stdio::Null), ..command(reader) });
        assert_eq!(mp::wait(handle, None, &mut LetItEnd(Some(writer))), Ok(Some(5)));
        let (reader, writer) = io::pipe().unwrap();
        let output = mp::run(command(reader), &mut LetItEnd(Some(writer))).unwrap();
        assert_eq!((output.exit_code, &*output.stderr()), (5, &b"x\n"[..]));
    });
}

#[test]
fn an_ignored_sigint_stays_ignored() {
    alone("an_ignored_sigint_stays_ignored", || {
        // SAFETY: no handler runs.
        unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
        assert!(!mp::sys::install_sigint_handler(&INTERRUPTED).unwrap());
    });
}

// What a child gets

#[test]
fn a_child_gets_three_descriptors_only() {
    alone("a_child_gets_three_descriptors_only", || {
        let other = spawn(Command { stdin: Some(Stdio::Pipe), ..sh(FOREVER) });
        let (kept, _, pipe) = spawn_until_line(sh(&format!("echo ready; {FOREVER}")));
        let careless = fs::File::open("/").unwrap();
        if cfg!(not(mp_portable)) {
            nix::fcntl::fcntl(&careless, nix::fcntl::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
        }
        // The fourth is the directory being listed.
        assert_eq!(&*run(sh("cd /proc/self/fd; echo *")).stdout(), b"0 1 2 3\n");
        drop(pipe);
        assert!(mp::kill(other, &mut Never) && mp::kill(kept, &mut Never));
    });
}

#[test]
fn a_child_gets_default_signals() {
    alone("a_child_gets_default_signals", || {
        take_interrupts();
        nix::sys::signal::SigSet::all().thread_block().unwrap();
        let output = run(Command::program("cat", ["/proc/self/status"]));
        let status = String::from_utf8(output.stdout().into_owned()).unwrap();
        let mask = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap()
        };
        assert_eq!(mask("SigBlk"), 0);
        assert_eq!(mask("SigCgt"), 0);
        assert_eq!(mask("SigIgn") & (1 << (libc::SIGPIPE - 1)), 0);
    });
}

#[test]
fn environment_and_directory_can_be_given() {
    alone("environment_and_directory_can_be_given", || {
        let command = Command {
            env: Some(vec![("A".into(), "1".into())]),
            cwd: Some("/usr".into()),
            ..sh("echo $A $HOME.; pwd")
        };
        assert_eq!(&*run(command).stdout(), b"1 .\n/usr\n");
    });
}

#[test]
fn what_cannot_start_is_named() {
    alone("what_cannot_start_is_named", || {
        let fails = |command: Command| mp::spawn(command).unwrap_err();
        let missing = fails(Command::program("/nowhere/x", ["a"]));
        assert_eq!(missing.error.raw_os_error(), Some(libc::ENOENT));
        assert_eq!(missing.to_string(), "cannot start '/nowhere/x': No such file or directory (os error 2)");
        assert_eq!(fails(Command::program("no-such-program-at-all", [""; 0])).error.raw_os_error(), Some(2));
        let forbidden = fails(Command::program("/etc/passwd", [""; 0]));
        assert_eq!(forbidden.error.raw_os_error(), Some(libc::EACCES));
        let long = fails(Command::interpreter(vec!["x".repeat(3 << 20)]));
        assert_eq!(long.error.raw_os_error(), Some(libc::E2BIG));
        assert_eq!(long.path, PathBuf::from(std::env::args_os().next().unwrap()));
        assert_eq!(fails(Command::program("", [""; 0])).error.raw_os_error(), Some(libc::ENOENT));
        let nowhere = fails(Command { cwd: Some("/nowhere".into()), ..sh("true") });
        assert_eq!((nowhere.path.as_path(), nowhere.error.raw_os_error()), (Path::new("/nowhere"), Some(2)));
        let file = fails(Command { cwd: Some("/etc/passwd".into()), ..sh("true") });
        assert_eq!(file.error.raw_os_error(), Some(libc::ENOTDIR));
        assert_eq!(fails(sh("a\0b")).error.kind(), io::ErrorKind::InvalidInput);
        let handle = spawn(sh("exit 0"));
        assert_eq!((handle.number, wait(handle)), (1, 0), "a failed start uses no handle");
    });
}

#[test]
fn closed_standard_streams_do_not_mix_up_those_of_a_child() {
    alone("closed_standard_streams_do_not_mix_up_those_of_a_child", || {
        let saved: Vec<OwnedFd> =
            vec![nix::unistd::dup(io::stdin()).unwrap(), nix::unistd::dup(io::stdout()).unwrap()];
        // SAFETY: copied back below; nothing prints in between.
        unsafe { (libc::close(0), libc::close(1)) };
        let output = run(Command { input: b"in".to_vec(), ..sh("cat; echo err >&2") });
        for (number, stream) in saved.iter().enumerate() {
            // SAFETY: no memory is involved.
            unsafe { libc::dup2(stream.as_raw_fd(), number as i32) };
        }
        assert_eq!((&*output.stdout(), &*output.stderr()), (&b"in"[..], &b"err\n"[..]));
    });
}

// Which interpreter

#[test]
fn this_binary_starts_itself() {
    alone("this_binary_starts_itself", || {
        assert_eq!(run(as_role("exit 42")).exit_code, 42);
    });
}

#[test]
#[cfg_attr(any(not(target_os = "linux"), mp_portable), ignore = "needs /proc/self/exe")]
fn a_deleted_or_replaced_binary_starts_itself() {
    alone("a_deleted_or_replaced_binary_starts_itself", || {
        let copy = std::env::temp_dir().join(format!("zpy-mp-test-{}", std::process::id()));
        fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
        mp::set_interpreter(Some(copy.clone()));
        let output = run(as_role("lose the binary"));
        mp::set_interpreter(None);
        assert_eq!(output.exit_code, 42, "{}", String::from_utf8_lossy(&output.output));
        fs::remove_file(copy).unwrap();
    });
}

fn lose_the_binary() {
    let own = std::env::current_exe().unwrap();
    fs::remove_file(&own).unwrap();
    let deleted = run(as_role("exit 42")).exit_code;
    fs::write(&own, "#!/bin/sh\nexit 1\n").unwrap();
    let replaced = run(as_role("exit 42")).exit_code;
    exit(if deleted == 42 { replaced } else { deleted });
}

#[test]
fn a_host_may_name_the_interpreter() {
    alone("a_host_may_name_the_interpreter", || {
        mp::set_interpreter(Some("/bin/sh".into()));
        assert_eq!(run(Command::interpreter(["-c", "exit 12"])).exit_code, 12);
    });
}

#[test]
fn there_is_a_cpu() {
    assert!(mp::cpu_count() >= 1);
}

// Ending with the parent

#[test]
#[cfg_attr(any(not(target_os = "linux"), mp_portable), ignore = "needs the parent death signal")]
fn a_helper_ends_with_its_parent() {
    alone("a_helper_ends_with_its_parent", || {
        let started =
            mp::spawn(Command { stdout: Some(Stdio::Pipe), ..as_role("parent of a helper") }).unwrap();
        // The helper has a copy of the pipe: it ends when both have ended.
        let mut said = String::new();
        fs::File::from(started.stdout.unwrap()).read_to_string(&mut said).unwrap();
        assert!(said.contains("helper is there"), "{said}");
        assert_eq!(wait(started.handle), -9);
    });
}

fn parent_of_a_helper() {
    let go = Command { stdin: Some(Stdio::Pipe), die_with_parent: true, ..as_role("helper") };
    let _helper = mp::spawn(go).unwrap();
    mp::sleep(Duration::MAX, &mut Never).unwrap();
}

fn helper() {
    assert!(mp::sys::die_with_parent_if_asked().unwrap());
    println!("helper is there");
    let parent = std::os::unix::process::parent_id();
    // SAFETY: no memory is involved.
    unsafe { libc::kill(parent as i32, libc::SIGKILL) };
    mp::sleep(Duration::MAX, &mut Never).unwrap();
}

#[test]
#[cfg_attr(any(not(target_os = "linux"), mp_portable), ignore = "needs the parent death signal")]
fn a_helper_whose_parent_is_gone_is_told() {
    alone("a_helper_whose_parent_is_gone_is_told", || {
        assert!(!mp::sys::die_with_parent(1 << 30).unwrap());
    });
}
