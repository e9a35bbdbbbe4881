//! The `mp_` functions, seen from outside: scripts that start children, and what is left afterwards.
//!
//! Every script runs under a deadline. Scripts do not sleep and hope: they poll for an event and the deadline of the test
//! bounds the wait. Where it matters the test checks that nothing of the process tree is alive at the end.
#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use support::{TempDir, run_code};

/// Runs a text with `zpy -c` and expects exit code 0, this stdout and an empty stderr.
#[track_caller]
fn check(code: &str, stdout: &str) {
    run_code(code).expect(0, stdout);
}

// --- mp_run_code and mp_run -------------------------------------------------------------------------------------------

#[test]
fn run_code_captures_output() {
    check(
        "print(mp_run_code('print(2 + 3)'))",
        "{'ok': true, 'exit_code': 0, 'stdout': '5\\n', 'stderr': '', 'output': '5\\n'}\n",
    );
}

#[test]
fn run_code_reports_an_exception() {
    check(
        r#"
r = mp_run_code("x = 1 / 0")
print(r["ok"], r["exit_code"], repr(r["stdout"]))
print(r["output"].startswith("Traceback (most recent call last):"))
print(r["output"].endswith("ZeroDivisionError: division by zero\n"), r["stderr"] == r["output"])
"#,
        "false 1 ''\ntrue\ntrue true\n",
    );
}

#[test]
fn run_code_reports_a_syntax_error() {
    check(
        "r = mp_run_code('x = = 1')\nprint(r['ok'], r['exit_code'], 'SyntaxError' in r['stderr'])",
        "false 2 true\n",
    );
}

#[test]
fn run_code_passes_on_the_exit_code() {
    check(
        r#"
for code in ["0", "7", "255", "'text'", "none", ""]:
    r = mp_run_code("import sys\nsys.exit(" + code + ")")
    print(r["ok"], r["exit_code"], repr(r["stderr"]))
"#,
        "true 0 ''\nfalse 7 ''\nfalse 255 ''\nfalse 1 'text\\n'\ntrue 0 ''\ntrue 0 ''\n",
    );
}

#[test]
fn run_missing_script_is_exit_code_2() {
    check(
        "r = mp_run('/no/such/script.zpy')\nprint(r['ok'], r['exit_code'], repr(r['stdout']), 'script.zpy' in r['stderr'])",
        "false 2 '' true\n",
    );
}

#[test]
fn arguments_arrive_even_if_they_look_like_options() {
    let folder = TempDir::new("arguments");
    let script = folder.write("show.zpy", "import sys\nprint(sys.argv[1:])\n");
    check(
        &format!(
            "print(mp_run({:?}, ['-c', '--', '-h', '--version', '', 'a b', 'é', '*'])['stdout'], end='')",
            script.display().to_string()
        ),
        "['-c', '--', '-h', '--version', '', 'a b', 'é', '*']\n",
    );
    check(
        "print(mp_run_code('import sys; print(sys.argv)', ['-i', '-c', 'x'])['stdout'], end='')",
        "['-c', '-i', '-c', 'x']\n",
    );
}

#[test]
fn a_path_that_starts_with_a_dash_is_a_path() {
    let folder = TempDir::new("dash");
    folder.write("-v", "print('ran')\n");
    let mut command = support::zpy();
    command
        .current_dir(&folder.path)
        .args(["-c", "print(mp_run('-v')['stdout'], end='')\nprint(mp_wait(mp_spawn('-v')))"]);
    support::run(command).expect(0, "ran\nran\n0\n");
}

#[test]
fn children_get_an_empty_stdin_when_captured() {
    let mut command = support::zpy();
    command.args([
        "-c",
        "print(mp_run_code('import sys; print(repr(sys.stdin.read()))')['stdout'], end='')\nprint(input())",
    ]);
    support::run_with_input(command, b"for the parent\n").expect(0, "''\nfor the parent\n");
}

#[test]
fn spawned_children_inherit_stdin() {
    let mut command = support::zpy();
    command.args(["-c", "print(mp_wait(mp_spawn('-c', 'print(input())')))"]);
    support::run_with_input(command, b"for the child\n").expect(0, "for the child\n0\n");
}

#[test]
fn children_inherit_folder_and_environment() {
    check(
        r#"
os_chdir("/usr")
os_setenv("ZPY_TEST_X", "y=z é")
os_unsetenv("HOME")
print(mp_run_code("print(os_getcwd(), os_getenv('ZPY_TEST_X'), os_getenv('HOME'))")["stdout"], end="")
"#,
        "/usr y=z é none\n",
    );
}

#[test]
fn large_outputs_on_both_streams() {
    // 100 MB to each stream, written in turns: a reader that drains one stream first would hang.
    let code = r#"
child = """
import sys
block = "x" * (1024 * 1024)
for i in range(100):
    sys.stdout.write(block)
    sys.stderr.write(block)
"""
r = mp_run_code(child)
print(r["ok"], len(r["stdout"]), len(r["stderr"]), len(r["output"]))
"#;
    let mut command = support::zpy();
    command.arg("-c").arg(code);
    let outcome = support::run_within(command, None, Duration::from_secs(120)).unwrap();
    outcome.expect(0, "true 104857600 104857600 209715200\n");
}

#[test]
fn bytes_that_are_not_utf8_survive() {
    check(
        r#"
r = mp_run_code("import sys\nsys.stdout.buffer.write(bytes(range(256)))\nsys.stdout.buffer.flush()")
print(r["ok"], r["stdout"].encode("utf-8", "surrogateescape") == bytes(range(256)))
r = mp_run_code("import sys\nprint(repr(sys.argv[1]))", [b"a\xff".decode("utf-8", "surrogateescape")])
print(r["stdout"], end="")
"#,
        "true true\n'a\\udcff'\n",
    );
}

#[test]
fn output_order_is_kept_around_children() {
    // Buffered lines of the parent come before those of a child started later.
    check(
        "print('before')\nmp_wait(mp_spawn('-c', 'print(\"child\")'))\nprint('after')",
        "before\nchild\nafter\n",
    );
}

// --- handles ----------------------------------------------------------------------------------------------------------

#[test]
fn handles_count_from_one_and_are_not_reused() {
    check(
        r#"
a = mp_spawn("-c", "pass")
b = mp_spawn("-c", "pass")
print(a, b)
mp_wait(a)
print(mp_spawn("-c", "pass"))
mp_wait(b)
mp_wait(3)
"#,
        "1 2\n3\n",
    );
}

#[test]
fn unknown_handles() {
    check(
        r#"
for f in [mp_wait, mp_poll]:
    for bad in [1, 0, -1, 10 ** 30]:
        try:
            f(bad)
            print("accepted", bad)
        except ValueError as e:
            print(type(e).__name__, end=" ")
    for bad in ["1", none, 1.0]:
        try:
            f(bad)
            print("accepted", bad)
        except TypeError as e:
            print(type(e).__name__, end=" ")
    print()
print(mp_kill(1), mp_kill(-5))
"#,
        "ValueError ValueError ValueError ValueError TypeError TypeError TypeError \n\
         ValueError ValueError ValueError ValueError TypeError TypeError TypeError \nfalse false\n",
    );
}

#[test]
fn poll_then_wait_then_value_error() {
    let folder = TempDir::new("poll");
    let gate = folder.path.join("gate").display().to_string();
    check(
        &format!(
            r#"
child = """
import sys
while not file_exists({gate:?}):
    mp_sleep(1)
sys.exit(5)
"""
h = mp_spawn("-c", child)
print(mp_poll(h), mp_poll(h))
file_write({gate:?}, "")
while mp_poll(h) is none:
    mp_sleep(1)
print(mp_poll(h), mp_poll(h), mp_wait(h))
for f in [mp_poll, mp_wait]:
    try:
        f(h)
    except ValueError:
        print("ValueError")
print(mp_kill(h))
"#
        ),
        "none none\n5 5 5\nValueError\nValueError\nfalse\n",
    );
}

#[test]
fn wait_with_timeout_gives_none_and_keeps_the_handle() {
    check(
        r#"
h = mp_spawn("-c", "mp_sleep(60000)")
print(mp_wait(h, timeout=0.01), mp_wait(h, 0), mp_poll(h))
print(mp_kill(h), mp_kill(h))
"#,
        "none none none\ntrue false\n",
    );
}

#[test]
fn kill_ends_children_in_every_state() {
    check(
        r#"
h = mp_spawn("-c", "mp_sleep(60000)")
print(mp_kill(h))

h = mp_spawn("-c", "pass")
while mp_poll(h) is none:
    mp_sleep(1)
print(mp_kill(h), mp_kill(h))
"#,
        "true\ntrue false\n",
    );
}

#[test]
fn kill_ends_a_child_that_ignores_sigterm() {
    let folder = TempDir::new("stubborn");
    let ready = folder.path.join("ready").display().to_string();
    check(
        &format!(
            r#"
child = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
file_write({ready:?}, "")
while true:
    mp_sleep(1000)
"""
h = mp_spawn("-c", child)
while not file_exists({ready:?}):
    mp_sleep(1)
print(mp_kill(h))
"#
        ),
        "true\n",
    );
}

#[test]
fn death_by_signal_is_a_negative_exit_code() {
    check(
        r#"
for number in [9, 15, 10]:
    code = "import os\nos.kill(os.getpid(), " + str(number) + ")\nmp_sleep(60000)"
    r = mp_run_code(code)
    print(r["ok"], r["exit_code"], mp_wait(mp_spawn("-c", code)))
"#,
        "false -9 -9\nfalse -15 -15\nfalse -10 -10\n",
    );
}

#[test]
fn deinit_forgets_handles_and_still_reaps() {
    check(
        r#"
import os
for i in range(3):
    mp_spawn("-c", "pass")
print(mp_deinit(), mp_spawn("-c", "pass"))
try:
    mp_wait(2)
except ValueError:
    print("forgotten")
print(mp_wait(1))
# The forgotten ones are reaped as they end.
path = f"/proc/{os.getpid()}/task/{os.getpid()}/children"
while file_read(path).strip():
    mp_sleep(1)
print("none left")
"#,
        "none 1\nforgotten\n0\nnone left\n",
    );
}

#[test]
fn wrong_arguments_raise_before_anything_starts() {
    check(
        r#"
import os
for call in [lambda: mp_run(), lambda: mp_run(5), lambda: mp_run("x", "y"), lambda: mp_run("x", [1]), lambda: mp_run("x", [], 3),
             lambda: mp_run_code(none), lambda: mp_run_code("pass", ["a", none]), lambda: mp_spawn(5), lambda: mp_spawn("x", 5),
             lambda: mp_sleep("1"), lambda: mp_sleep(none), lambda: mp_cpu_count(1), lambda: mp_kill("x")]:
    try:
        call()
        print("accepted")
    except TypeError:
        print("TypeError", end=" ")
print()
try:
    mp_sleep(-1)
except ValueError:
    print("ValueError")
print(repr(file_read(f"/proc/{os.getpid()}/task/{os.getpid()}/children")), mp_spawn("-c", "pass"))
mp_wait(1)
"#,
        "TypeError TypeError TypeError TypeError TypeError TypeError TypeError TypeError TypeError TypeError TypeError TypeError TypeError \n\
         ValueError\n'' 1\n",
    );
}

// --- leftovers --------------------------------------------------------------------------------------------------------

#[test]
fn a_thousand_children_leave_nothing() {
    let code = r#"
import os
me = os.getpid()
children = f"/proc/{me}/task/{me}/children"
mp_wait(mp_spawn("-c", "pass"))
fds = len(dir_list("/proc/self/fd"))
for turn in range(50):
    handles = [mp_spawn("-c", "pass") for i in range(20)]
    print(sum([mp_wait(h) for h in handles]), end="")
print()
print(repr(file_read(children)), len(dir_list("/proc/self/fd")) - fds)
"#;
    let mut command = support::zpy();
    command.arg("-c").arg(code);
    let outcome = support::run_within(command, None, Duration::from_secs(120)).unwrap();
    outcome.expect(0, &format!("{}\n'' 0\n", "0".repeat(50)));
}

#[test]
fn captured_runs_leave_no_file_open() {
    check(
        r#"
mp_run_code("pass")
fds = dir_list("/proc/self/fd")
for i in range(50):
    mp_run_code("print(1)")
    mp_run("/no/such/script")
print(len(dir_list("/proc/self/fd")) - len(fds))
"#,
        "0\n",
    );
}

#[test]
fn children_inherit_only_the_three_streams() {
    check(
        "print(mp_run_code(\"print([n for n in dir_list('/proc/self/fd') if int(n) < 3])\")['stdout'], end='')",
        "['0', '1', '2']\n",
    );
}

#[test]
fn children_end_although_nobody_waits() {
    // A child nobody asks about is reaped as it ends: it must not show up as a zombie.
    let folder = TempDir::new("reaped");
    let gate = folder.path.join("gate").display().to_string();
    check(
        &format!(
            r#"
import os
me = os.getpid()
h = mp_spawn("-c", 'while not file_exists({gate:?}):\n    mp_sleep(1)')
pid = file_read(f"/proc/{{me}}/task/{{me}}/children").split()[0]
file_write({gate:?}, "")
while file_read(f"/proc/{{pid}}/stat") is not none:
    mp_sleep(1)
print("gone")
print(mp_wait(h))
"#
        ),
        "gone\n0\n",
    );
}

// --- signals, pipes, the binary itself --------------------------------------------------------------------------------

#[test]
fn ctrl_c_ends_the_whole_tree_with_one_traceback() {
    let folder = TempDir::new("ctrl-c");
    let ready = folder.path.join("ready").display().to_string();
    let code = r#"
import os
grandchild = """
file_append(os_getenv("READY"), "g")
while true:
    mp_sleep(1000)
"""
child = f"""
mp_spawn("-c", {grandchild!r})
file_append(os_getenv("READY"), "c")
while true:
    mp_sleep(1000)
"""
mp_spawn("-c", child)
mp_spawn("-c", child)
while true:
    mp_sleep(1000)
"#;
    let mut command = support::zpy();
    command
        .env("READY", &ready)
        .arg("-c")
        .arg(code)
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let group = child.id() as libc::pid_t;
    wait_until(|| fs::read_to_string(&ready).is_ok_and(|text| text.len() == 4));
    // SAFETY: kill takes no pointers; the group is that of the child started above, which has not been reaped.
    assert_eq!(unsafe { libc::kill(-group, libc::SIGINT) }, 0);
    let outcome = support::collect(child, "the tree", support::DEADLINE).unwrap();
    outcome.expect_code(130);
    assert_eq!(outcome.err().matches("KeyboardInterrupt").count(), 1, "{}", outcome.err());
    assert_eq!(outcome.err().matches("Traceback").count(), 1, "{}", outcome.err());
    wait_until(|| !is_group_alive(group));
}

#[test]
fn ctrl_c_can_be_caught() {
    let folder = TempDir::new("caught");
    let ready = folder.path.join("ready").display().to_string();
    let code = format!(
        "try:\n    file_write({ready:?}, '')\n    while true:\n        mp_sleep(1000)\nexcept KeyboardInterrupt:\n    print('caught')"
    );
    let mut command = support::zpy();
    command.arg("-c").arg(code).process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let group = child.id() as libc::pid_t;
    wait_until(|| fs::metadata(&ready).is_ok());
    // SAFETY: as above.
    assert_eq!(unsafe { libc::kill(-group, libc::SIGINT) }, 0);
    support::collect(child, "the script", support::DEADLINE).unwrap().expect(0, "caught\n");
}

#[test]
fn captured_children_die_with_their_parent() {
    let folder = TempDir::new("orphans");
    let ready = folder.path.join("ready").display().to_string();
    let child_code =
        format!("import os\nfile_write({ready:?}, str(os.getpid()))\nwhile true:\n    mp_sleep(1000)");
    let mut command = support::zpy();
    command
        .arg("-c")
        .arg(format!("mp_run_code({child_code:?})"))
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut parent = command.spawn().unwrap();
    let group = parent.id() as libc::pid_t;
    wait_until(|| fs::read_to_string(&ready).is_ok_and(|text| !text.is_empty()));
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_until(|| !is_group_alive(group));
}

#[test]
fn a_closed_pipe_ends_the_script_quietly() {
    let folder = TempDir::new("pipe");
    let script = folder.write("endless.zpy", "i = 0\nwhile true:\n    print('line', i)\n    i += 1\n");
    let mut command = support::zpy();
    command.arg(script).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut first = [0; 7];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    assert_eq!(&first, b"line 0\n");
    let mut text = String::new();
    let mut stderr = child.stderr.take().unwrap();
    let reader = thread::spawn(move || {
        stderr.read_to_string(&mut text).unwrap();
        text
    });
    wait_until(|| child.try_wait().unwrap().is_some());
    assert_eq!(reader.join().unwrap(), "");
}

#[test]
fn a_replaced_or_deleted_binary_still_starts_children() {
    let folder = TempDir::new("binary");
    let copy = folder.path.join("zpy-copy");
    // By another process: a child that this one starts meanwhile would inherit the file, open for writing, and until
    // it runs its own program the copy could not be run ("Text file busy").
    assert!(Command::new("cp").arg(support::zpy_path()).arg(&copy).status().unwrap().success());
    let name = copy.display().to_string();
    let code = format!(
        r#"
print(mp_run_code("print('first')")["stdout"], end="")
os_rename({name:?}, {name:?} + ".old")
print(mp_run_code("print('renamed')")["stdout"], end="")
file_write({name:?}, "not a program")
print(mp_run_code("print('replaced')")["stdout"], end="")
os_remove({name:?} + ".old")
os_remove({name:?})
print(mp_run_code("print('deleted')")["stdout"], end="")
h = mp_spawn("-c", "print('spawned')")
print(mp_wait(h))
"#
    );
    let mut command = Command::new(&copy);
    command.arg("-c").arg(code).stdin(Stdio::null());
    support::run(command).expect(0, "first\nrenamed\nreplaced\ndeleted\nspawned\n0\n");
}

#[test]
fn children_start_children() {
    check(
        r#"
code = "print('leaf')"
for i in range(3):
    code = f"print('level {i}', mp_run_code({code!r})['stdout'], sep='|', end='')"
exec(code)
"#,
        "level 2|level 1|level 0|leaf\n",
    );
}

#[test]
fn a_seed_page_loop_runs_to_its_end() {
    check(
        r#"
handles = []
for i in range(4):
    append(handles, mp_spawn("-c", "import sys\nsys.exit(" + str(i) + ")"))
print([mp_wait(h) for h in handles])
"#,
        "[0, 1, 2, 3]\n",
    );
}

#[test]
fn cpu_count_is_what_the_process_may_use() {
    let allowed = thread::available_parallelism().unwrap().get();
    let outcome = run_code("print(mp_cpu_count())");
    let count: usize = outcome.out().trim().parse().unwrap();
    assert!(count >= 1 && count >= allowed, "{count} of {allowed}");
}

/// Waits for an event, under the usual deadline.
#[track_caller]
fn wait_until(mut is_true: impl FnMut() -> bool) {
    let until = Instant::now() + support::DEADLINE;
    while !is_true() {
        assert!(Instant::now() < until, "the event did not come within {:?}", support::DEADLINE);
        thread::sleep(Duration::from_millis(2));
    }
}

/// Whether any process of a group is alive; zombies waiting for somebody else do not count.
fn is_group_alive(group: libc::pid_t) -> bool {
    let Ok(entries) = fs::read_dir("/proc") else { return false };
    entries.flatten().any(|entry| {
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { return false };
        // pid (name) state parent group ...; the name may hold anything, so the last parenthesis counts.
        let mut fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        let state = fields.next().unwrap_or_default();
        fields.nth(1).and_then(|field| field.parse().ok()) == Some(group) && state != "Z" && state != "X"
    })
}
