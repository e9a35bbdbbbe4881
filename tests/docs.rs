//! Runs the code in the documentation: every fenced block of `README.md` and `docs/**/*.md`.
//!
//! A block marked `zpy` or `python` is a program and must end with exit code 0. If the next block is marked `text` and
//! only blank lines or one line of prose stand between, it is the program's stdout. Further words after the language:
//!
//! - `no-run`: the program is an excerpt, or waits for something; it is not run.
//! - `fails`: the program must end with exit code 1, and the following `text` block is its stderr.
//! - `continues`: the program goes on with the variables of the runnable block before it on the same page.
//!
//! Blocks marked `sh` are listed, and run only when marked `sh run`: with `sh`, and `zpy` in the PATH.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use support::TempDir;

/// How many lines may stand between a program and its output for the two to belong together.
const NEAR: usize = 3;

struct Block {
    line: usize,
    end: usize,
    words: Vec<String>,
    text: String,
}

impl Block {
    fn is(&self, language: &str) -> bool {
        self.words.first().is_some_and(|word| word == language)
    }

    fn has(&self, mark: &str) -> bool {
        self.words.iter().skip(1).any(|word| word == mark)
    }
}

#[test]
fn every_program_in_the_documentation_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut failures = String::new();
    let mut ran = 0;
    for page in pages(root) {
        let text = fs::read_to_string(&page).expect("a page is UTF-8 text");
        let name = page.strip_prefix(root).unwrap_or(&page).display().to_string();
        let blocks = blocks(&text);
        let mut before = String::new();
        for (at, block) in blocks.iter().enumerate() {
            let output = blocks.get(at + 1).filter(|next| next.is("text") && next.line <= block.end + NEAR);
            let place = format!("{name}:{}", block.line);
            let result = if (block.is("zpy") || block.is("python")) && !block.has("no-run") {
                if !block.has("continues") {
                    before.clear();
                }
                let result = run_program(&before, block, output);
                if !block.has("fails") {
                    before.push_str(&block.text);
                }
                result
            } else if block.is("sh") && block.has("run") {
                run_commands(block, output)
            } else {
                if block.is("sh") {
                    println!("not run: {place} (sh)");
                }
                continue;
            };
            ran += 1;
            if let Err(problem) = result {
                failures.push_str(&format!("--- {place}\n{problem}\n"));
            }
        }
    }
    println!("{ran} blocks ran");
    assert!(failures.is_empty(), "\n{failures}");
}

fn pages(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![root.join("README.md")];
    let mut todo = vec![root.join("docs")];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.retain(|path| path.is_file());
    found.sort();
    found
}

/// The fenced blocks of a page. Indented fences count; their indentation is taken off their lines.
fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<(String, usize, Block)> = None;
    for (at, line) in page.lines().enumerate() {
        let indentation = line.len() - line.trim_start().len();
        let content = line.trim();
        match &mut open {
            None => {
                let fence: String = content.chars().take_while(|&c| c == '`').collect();
                if fence.len() >= 3 {
                    let words = content[fence.len()..]
                        .split([' ', ','])
                        .filter(|word| !word.is_empty())
                        .map(String::from)
                        .collect();
                    open = Some((
                        fence,
                        indentation,
                        Block { line: at + 1, end: 0, words, text: String::new() },
                    ));
                }
            }
            Some((fence, ..)) if content == fence.as_str() => {
                let (_, _, mut block) = open.take().expect("just matched");
                block.end = at + 1;
                found.push(block);
            }
            Some((_, indentation, block)) => {
                let blank = line.len() - line.trim_start().len();
                block.text.push_str(&line[blank.min(*indentation)..]);
                block.text.push('\n');
            }
        }
    }
    found
}

/// Runs a program after the programs it continues; only what it prints itself is compared.
fn run_program(before: &str, block: &Block, output: Option<&Block>) -> Result<(), String> {
    const SEAM: &str = "--- the block begins ---\n";
    let folder = TempDir::new("docs");
    let program = if before.is_empty() {
        block.text.clone()
    } else {
        format!("{before}print({:?})\n{}", SEAM.trim_end(), block.text)
    };
    folder.write("example.zpy", program);
    let mut command = support::zpy();
    command.current_dir(&folder.path).arg("example.zpy");
    let outcome = support::run_within(command, None, support::DEADLINE)?;
    let code = if block.has("fails") { 1 } else { 0 };
    if outcome.code() != code {
        return Err(format!(
            "exit code {} instead of {code}\n{}{}",
            outcome.code(),
            outcome.out(),
            outcome.err()
        ));
    }
    let got = if block.has("fails") { outcome.err() } else { outcome.out() };
    let got = got.split_once(SEAM).map_or(got.as_str(), |(_, rest)| rest);
    compare(output, got)
}

fn run_commands(block: &Block, output: Option<&Block>) -> Result<(), String> {
    let folder = TempDir::new("docs-sh");
    let binaries = Path::new(support::zpy_path()).parent().expect("the binary lies in a folder");
    let mut path = binaries.as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command.arg("-ec").arg(&block.text).current_dir(&folder.path).env("PATH", path).stdin(Stdio::null());
    let outcome = support::run_within(command, None, support::DEADLINE)?;
    if outcome.code() != 0 {
        return Err(format!("exit code {}\n{}{}", outcome.code(), outcome.out(), outcome.err()));
    }
    compare(output, &outcome.out())
}

fn compare(output: Option<&Block>, got: &str) -> Result<(), String> {
    match output {
        Some(wanted) if wanted.text.trim_end() != got.trim_end() => {
            Err(support::difference(&wanted.text, got))
        }
        _ => Ok(()),
    }
}

#[test]
fn blocks_are_found() {
    let page = "text\n```zpy no-run\na\n```\n\n  ````sh run\n  ```\n  b\n  ````\n```\nplain\n```\n";
    let found = blocks(page);
    assert_eq!(found.len(), 3);
    assert!(
        found[0].is("zpy")
            && found[0].has("no-run")
            && found[0].text == "a\n"
            && found[0].line == 2
            && found[0].end == 4
    );
    assert!(found[1].is("sh") && found[1].has("run") && found[1].text == "```\nb\n");
    assert!(found[2].words.is_empty() && found[2].text == "plain\n");
}
