//! The front end, file by file: every file under `tests/syntax/` is a test, named after the one behaviour
//! that it shows.
//!
//! - `errors/<name>.zpy` must be refused, with the report in `<name>.out`.
//! - `tokens/<name>.zpy` has the token dump in `<name>.out`.
//! - `incomplete/<name>.zpy` must be refused as a beginning that more input could mend.
//! - `valid/<name>.zpy` must parse.
//!
//! Run with `ZPY_BLESS=1` to write the `.out` files anew; then read the difference.

use std::path::{Path, PathBuf};
use zpy::source::SourceFile;
use zpy::syntax;

/// Trees may be a few thousand levels deep: more than the stack of a test thread allows.
fn on_large_stack(body: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(body).expect("a thread starts");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn sources(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/syntax").join(folder);
    let entries = std::fs::read_dir(&folder).expect("the folder is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "zpy"));
    paths.sort();
    assert!(!paths.is_empty(), "no tests in {}", folder.display());
    paths
}

/// The file, under its name without folders: reports must not depend on where the repository lies.
fn read(path: &Path) -> SourceFile {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).expect("it is UTF-8");
    SourceFile::new(name, text)
}

/// Compares with the `.out` file beside each source, or writes it.
fn compare(folder: &str, show: impl Fn(&SourceFile) -> Result<String, String>) {
    let mut failures = Vec::new();
    for path in sources(folder) {
        let found = match show(&read(&path)) {
            Ok(found) => found,
            Err(why) => {
                failures.push(format!("{}: {why}", path.display()));
                continue;
            }
        };
        let golden = path.with_extension("out");
        if std::env::var_os("ZPY_BLESS").is_some() {
            std::fs::write(&golden, &found).expect("the golden can be written");
            continue;
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        if found != expected {
            failures.push(format!("{}:\n-- expected\n{expected}-- found\n{found}", path.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn errors() {
    on_large_stack(|| {
        compare("errors", |source| match syntax::parse(source) {
            Ok(_) => Err("it parses".to_string()),
            Err(error) => Ok(shortened(&error.render(source))),
        });
    });
}

/// Without the middle of very long lines.
fn shortened(report: &str) -> String {
    let shorten = |line: &str| match line.chars().count() {
        0..=160 => format!("{line}\n"),
        count => format!("{}...\n", line.chars().take(count.min(60)).collect::<String>()),
    };
    report.lines().map(shorten).collect()
}

#[test]
fn tokens() {
    compare("tokens", |source| Ok(syntax::dump_tokens(source).unwrap_or_else(|error| error.render(source))));
}

#[test]
fn incomplete() {
    for path in sources("incomplete") {
        let source = read(&path);
        match syntax::parse(&source) {
            Ok(_) => panic!("{}: it parses", path.display()),
            Err(error) => assert!(error.is_incomplete, "{}:\n{}", path.display(), error.render(&source)),
        }
    }
}

#[test]
fn errors_are_not_incomplete() {
    on_large_stack(|| {
        // These are mistakes, and unfinished as well.
        let unfinished = [
            "backslash_at_end",
            "bracket_not_closed_at_end",
            "fstring_open_at_line_end",
            "fstring_triple_unterminated",
            "string_triple_unterminated",
        ];
        for path in sources("errors") {
            let source = read(&path);
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let is_incomplete = syntax::parse(&source).is_err_and(|error| error.is_incomplete);
            assert_eq!(is_incomplete, unfinished.contains(&&*name), "{}", path.display());
        }
    });
}

#[test]
fn valid() {
    for path in sources("valid") {
        let source = read(&path);
        if let Err(error) = syntax::parse(&source) {
            panic!("{}:\n{}", path.display(), error.render(&source));
        }
    }
}

/// Nesting without limit is refused, however it is spelled, and never exhausts the stack.
#[test]
fn nesting_is_limited() {
    on_large_stack(|| {
        let sources = [
            "(".repeat(100_000),
            "[".repeat(100_000) + &"]".repeat(100_000),
            "{1:".repeat(100_000),
            "f(".repeat(100_000),
            "-".repeat(100_000) + "1",
            "not ".repeat(100_000) + "x",
            "lambda: ".repeat(100_000) + "x",
            "x if y else ".repeat(100_000) + "x",
            "1 ** ".repeat(100_000) + "1",
            "x = 1".to_string() + &" + 1".repeat(100_000),
            "a".to_string() + &".a".repeat(100_000),
            "a".to_string() + &"[0]".repeat(100_000),
            "a".to_string() + &"()".repeat(100_000),
            "f'{".repeat(100_000),
            "f'{x:".repeat(100_000),
            (0..5000).map(|depth| " ".repeat(depth) + "if x:\n").collect(),
            "match x:\n case ".to_string() + &"[".repeat(100_000),
            "match x:\n case ".to_string() + &"(".repeat(100) + "a" + &")".repeat(99),
        ];
        for text in sources {
            let source = SourceFile::new("deep", text);
            let error = syntax::parse(&source).expect_err("it is too deep");
            error.render(&source);
        }
    });
}

#[test]
fn long_but_flat_is_fine() {
    let sources = [
        "x = [".to_string() + &"1, ".repeat(100_000) + "]",
        "x = 1".to_string() + &" < 1".repeat(100_000),
        "x = a".to_string() + &" and a".repeat(100_000),
        "x = 'a'".to_string() + &" 'a'".repeat(100_000),
        "x = ".repeat(100_000) + "1",
        "if x: pass\n".to_string() + &"elif y: pass\n".repeat(100_000),
        "x; ".repeat(100_000),
        "x = ".to_string() + &"1234567890".repeat(1000),
    ];
    for text in sources {
        let source = SourceFile::new("flat", text);
        if let Err(error) = syntax::parse(&source) {
            panic!("{}", error.render(&source));
        }
    }
}

#[test]
fn expression_for_eval() {
    let parse = |text: &str| syntax::parse_expression(&SourceFile::new("<string>", text));
    for text in ["1 + 2", "  x\n", "\t[\n1]  # comment\n\n", "lambda: 0", "a if b else c", "1, 2"] {
        assert!(parse(text).is_ok(), "{text:?}");
    }
    for text in ["", "x = 1", "pass", "x; y", "x\ny", "*a", "x := 1", "yield", "  x\n y"] {
        assert!(parse(text).is_err(), "{text:?}");
    }
    assert!(parse("(1,").is_err_and(|error| error.is_incomplete));
}
