//! Runs every script in `examples/`, so that none of them rots.
//!
//! A script must end with exit code 0. Where a `.out` lies beside it, stdout must be that text; if its first line is
//! `# compare: sorted`, the rest is compared line by line in sorted order, because parent and children write at the same
//! time. `wordcount.zpy` is compared with `wc`.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use support::{Outcome, TempDir};

const SORTED: &str = "# compare: sorted\n";

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

#[test]
fn every_example_runs() {
    let root = examples();
    let scripts = support::scripts_below(&root);
    assert!(!scripts.is_empty(), "there are no examples");
    let mut failures = String::new();
    for script in scripts {
        let mut command = support::zpy();
        command.arg(&script).current_dir(&root);
        let problem = match support::run_within(command, None, support::DEADLINE) {
            Ok(outcome) => judge(&root.join(&script), &outcome),
            Err(late) => Some(late),
        };
        if let Some(problem) = problem {
            failures.push_str(&format!("--- {}\n{problem}\n", script.display()));
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

fn judge(script: &Path, outcome: &Outcome) -> Option<String> {
    if outcome.code() != 0 {
        return Some(format!("exit code {}\n{}", outcome.code(), outcome.err()));
    }
    let wanted = fs::read_to_string(script.with_extension("out")).ok()?;
    let (wanted, got) = match wanted.strip_prefix(SORTED) {
        Some(wanted) => (sorted(wanted), sorted(&outcome.out())),
        None => (wanted, outcome.out()),
    };
    (wanted != got).then(|| support::difference(&wanted, &got))
}

fn sorted(text: &str) -> String {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[test]
fn wordcount_agrees_with_wc_on_the_licenses() {
    let folder = Path::new("/usr/share/common-licenses");
    if folder.is_dir() {
        check_wordcount(folder);
    }
}

#[test]
fn wordcount_agrees_with_wc_on_a_made_up_folder() {
    let folder = TempDir::new("wordcount");
    fs::create_dir_all(folder.path.join("deep/er")).unwrap();
    folder.write("empty", "");
    folder.write("a name with spaces", "one two\nthree");
    folder.write("deep/tabs", "\ta\tb\n\n\n  c\r\n");
    for number in 0..40 {
        folder.write(&format!("deep/er/{number}"), "word ".repeat(number) + "\n");
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("empty", folder.path.join("link")).unwrap();
    check_wordcount(&folder.path);
}

#[test]
fn wordcount_refuses_what_is_no_folder() {
    let mut command = support::zpy();
    command.arg(examples().join("wordcount.zpy")).arg("/no/such/folder");
    let outcome = support::run(command);
    outcome.expect_code(1);
    assert!(outcome.err().contains("/no/such/folder"), "{}", outcome.err());
}

/// Compares the three numbers of the total line.
fn check_wordcount(folder: &Path) {
    let mut wc = Command::new("sh");
    wc.arg("-c")
        .arg("find \"$1\" -type f -print0 | xargs -0 wc | tail -n 1")
        .arg("sh")
        .arg(folder)
        .stdin(Stdio::null());
    let wanted = numbers(&support::run(wc).out());
    let mut command = support::zpy();
    command.arg(examples().join("wordcount.zpy")).arg(folder);
    let outcome = support::run(command);
    outcome.expect_code(0);
    let got = numbers(outcome.out().lines().last().unwrap_or_default());
    assert_eq!(got, wanted, "lines, words and bytes\n{}", outcome.out());
}

fn numbers(line: &str) -> Vec<u64> {
    line.split_whitespace().map_while(|word| word.parse().ok()).collect()
}
