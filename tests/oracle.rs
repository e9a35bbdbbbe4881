//! Checks that the stored expectations are still Python's: `tests/oracle.py --check` under the Python of this machine.
//!
//! Without a Python 3.11 or newer there is nothing to check, and the test says so and passes.

mod support;

use std::process::{Command, Stdio};
use std::time::Duration;

/// All scripts run in one Python process; this is for slow machines.
const DEADLINE: Duration = Duration::from_secs(300);

#[test]
fn expectations_are_pythons() {
    let Some(python) = find_python() else {
        println!("skipped: there is no python3 of version 3.11 or newer");
        return;
    };
    let mut command = Command::new(python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle.py")).arg("--check").stdin(Stdio::null());
    let outcome = support::run_within(command, None, DEADLINE).unwrap_or_else(|late| panic!("{late}"));
    println!("{}", outcome.out());
    assert_eq!(
        outcome.code(),
        0,
        "Python disagrees with stored expectations\n{}\n{}",
        outcome.out(),
        outcome.err()
    );
}

/// The traceback expectations are those of Python 3.11, so that version is preferred.
fn find_python() -> Option<&'static str> {
    ["python3.11", "/usr/bin/python3.11", "python3"].into_iter().find(|python| {
        Command::new(python)
            .args(["-c", "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })
}
