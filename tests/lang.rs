//! Runs the golden scripts.
//!
//! `tests/lang/FEATURE/CASE.zpy` must end with exit code 0 and write `CASE.out` to stdout. `tests/lang_errors/CASE.zpy`
//! must end with exit code 1, write `CASE.err` to stderr, and write `CASE.out`, or nothing if there is no such file, to
//! stdout. A file that exists is a test that runs, except modules, whose names start with `lib_`.
//!
//! Each script runs with its root (`tests/lang`, `tests/lang_errors`) as the current folder and with its path relative to
//! that, so the paths in tracebacks are the same everywhere.
//!
//! Environment:
//! - `ZPY_FILTER=text` runs only scripts whose path contains the text.
//! - `ZPY_BLESS=1` rewrites the expectations of scripts marked `# zpy-only`; all others are Python's (`tests/oracle.py`).
//! - `ZPY_NEXT=1` also runs `tests/next`, the scripts of parts of the language that are still being built.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Two: enough to keep a small machine busy without starving the child processes some scripts start.
const WORKERS: usize = 2;

/// How a folder of scripts is judged.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Succeeds,
    Fails,
}

struct Case {
    root: PathBuf,
    script: PathBuf,
    kind: Kind,
}

impl Case {
    fn path(&self) -> PathBuf {
        self.root.join(&self.script)
    }

    fn expectation(&self, extension: &str) -> PathBuf {
        self.path().with_extension(extension)
    }

    fn name(&self) -> String {
        format!("{}/{}", self.root.file_name().unwrap_or_default().to_string_lossy(), self.script.display())
    }

    fn is_ours_alone(&self) -> bool {
        fs::read_to_string(self.path())
            .is_ok_and(|text| text.trim_start_matches('\u{feff}').starts_with("# zpy-only"))
    }
}

#[test]
fn scripts_print_what_they_should() {
    let cases = gather();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(report) = judge(case) {
                        failures.lock().unwrap().push((case.name(), report));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    for (name, report) in &failures {
        println!("--- {name}\n{report}");
    }
    println!("{} passed, {} failed", cases.len() - failures.len(), failures.len());
    assert!(!cases.is_empty(), "no script matches the filter");
    assert!(failures.is_empty(), "{} of {} scripts failed", failures.len(), cases.len());
}

fn gather() -> Vec<Case> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    // Links resolved, so that the folder's name can be cut off the absolute paths in tracebacks.
    let tests = tests.canonicalize().expect("the folder of this file exists");
    let filter = std::env::var("ZPY_FILTER").unwrap_or_default();
    let mut folders = vec![("lang", Kind::Succeeds), ("lang_errors", Kind::Fails)];
    if is_set("ZPY_NEXT") {
        folders.push(("next", Kind::Succeeds));
    }
    let mut cases = Vec::new();
    for (folder, kind) in folders {
        let root = tests.join(folder);
        for script in support::scripts_below(&root) {
            let case = Case { root: root.clone(), script, kind };
            if case.name().contains(&filter) {
                cases.push(case);
            }
        }
    }
    cases
}

fn is_set(variable: &str) -> bool {
    std::env::var(variable).is_ok_and(|value| !value.is_empty() && value != "0")
}

/// Runs one script; the error is a report for people.
fn judge(case: &Case) -> Result<(), String> {
    let mut command = support::zpy();
    command.arg(&case.script).current_dir(&case.root).env_remove("ZPYPATH");
    let outcome = support::run_within(command, None, support::DEADLINE)?;
    let mut report = String::new();
    let (code, stream) = match case.kind {
        Kind::Succeeds => (0, "out"),
        Kind::Fails => (1, "err"),
    };
    if outcome.code() != code {
        report.push_str(&format!("    exit code {} instead of {code}\n", outcome.code()));
    }
    // Modules may be shown with an absolute path; the expectations have the relative one.
    let folder = format!("{}/", case.root.display());
    let texts = [("out", outcome.out()), ("err", outcome.err().replace(&folder, ""))];
    if is_set("ZPY_BLESS") && case.is_ours_alone() && report.is_empty() {
        for (extension, text) in &texts {
            if *extension == stream || case.expectation(extension).exists() {
                fs::write(case.expectation(extension), text).map_err(|error| error.to_string())?;
            }
        }
        return Ok(());
    }
    for (extension, got) in &texts {
        let expected = fs::read_to_string(case.expectation(extension));
        match expected {
            Ok(wanted) if wanted == *got => {}
            Ok(wanted) => {
                report.push_str(&format!(
                    "    std{extension} differs (- wanted, + got)\n{}",
                    support::difference(&wanted, got)
                ));
            }
            Err(_) if *extension == stream => {
                report.push_str(&format!("    there is no .{extension} file\n"))
            }
            Err(_) if case.kind == Kind::Fails && !got.is_empty() => {
                report.push_str(&format!("    unexpected std{extension}\n{}", support::difference("", got)));
            }
            Err(_) => {}
        }
    }
    if case.kind == Kind::Succeeds && outcome.code() != 0 {
        report.push_str(&support::difference("", &outcome.err()));
    }
    if report.is_empty() { Ok(()) } else { Err(report) }
}
