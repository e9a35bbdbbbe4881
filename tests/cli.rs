//! The command line: how a program is given, what it sees of its arguments, how it ends.

mod support;

use std::process::Command;
use support::{Outcome, TempDir, run_code};

fn zpy(arguments: &[&str]) -> Outcome {
    let mut command = support::zpy();
    command.args(arguments);
    support::run(command)
}

fn with_input(arguments: &[&str], input: &str) -> Outcome {
    let mut command = support::zpy();
    command.args(arguments);
    support::run_with_input(command, input.as_bytes())
}

/// Runs a text as a script file in a folder of its own, where it is called `script.zpy`.
fn run_script(text: impl AsRef<[u8]>, arguments: &[&str]) -> Outcome {
    let folder = TempDir::new("cli");
    folder.write("script.zpy", text);
    let mut command = support::zpy();
    command.current_dir(&folder.path).arg("script.zpy").args(arguments);
    support::run(command)
}

// --- ways to give a program -------------------------------------------------------------------------------------------

#[test]
fn a_file() {
    run_script("print('from a file')\n", &[]).expect(0, "from a file\n");
}

#[test]
fn a_text_after_dash_c() {
    zpy(&["-c", "print('one')\nprint('two')"]).expect(0, "one\ntwo\n");
}

#[test]
fn the_long_and_joined_forms_of_dash_c() {
    zpy(&["--code", "print(1)"]).expect(0, "1\n");
    zpy(&["--code=print(2)"]).expect(0, "2\n");
    zpy(&["-c=print(3)"]).expect(0, "3\n");
}

#[test]
fn a_module_by_dash_m() {
    let folder = TempDir::new("dash_m");
    folder.write("tool.zpy", "import sys\nprint(__name__, sys.argv[1:], sys.argv[0].endswith('tool.zpy'))\n");
    std::fs::create_dir(folder.path.join("pack")).unwrap();
    folder.write("pack/__init__.zpy", "print('package')\n");
    folder.write("pack/__main__.zpy", "from . import part\nprint('main of', __package__, part.value)\n");
    folder.write("pack/part.zpy", "value = 7\n");
    let run = |arguments: &[&str]| {
        let mut command = support::zpy();
        command.current_dir(&folder.path).args(arguments);
        support::run(command)
    };
    run(&["-m", "tool", "-x", "y"]).expect(0, "__main__ ['-x', 'y'] true\n");
    run(&["-m", "pack"]).expect(0, "package\nmain of pack 7\n");
    let missing = run(&["-m", "pack.nothing"]);
    assert_eq!(missing.expect_code(2).out(), "package\n");
    assert_eq!(missing.err(), "zpy: cannot run module 'pack.nothing': No module named 'pack.nothing'\n");
}

#[test]
fn unittest_runs_tests_of_files() {
    let folder = TempDir::new("unittest");
    let text = "import unittest\nclass T(unittest.TestCase):\n  def test_a(self): self.assertEqual(1, 1)\n";
    folder.write("test_one.zpy", text);
    for arguments in [&["-m", "unittest"][..], &["-m", "unittest", "test_one.T.test_a"]] {
        let mut command = support::zpy();
        command.current_dir(&folder.path).args(arguments);
        let outcome = support::run(command);
        outcome.expect_code(0);
        assert!(outcome.err().contains("Ran 1 test"), "{}", outcome.err());
    }
}

#[test]
fn async_is_refused_before_the_start_or_where_it_is_reached() {
    let refused = zpy(&["-c", "print(1)\nasync def f():\n  pass"]);
    assert_eq!(refused.expect_code(2).out(), "");
    assert!(refused.err().ends_with("SyntaxError: not supported yet: async\n"), "{}", refused.err());
    zpy(&["-c", "def f():\n  async def g(): pass\nprint(1)"]).expect(0, "1\n");
    let reached = zpy(&["-c", "def f():\n  async def g(): pass\nf()"]);
    assert!(reached.expect_code(1).err().ends_with("NotImplementedError: not supported yet: async\n"));
}

#[test]
fn doubtful_text_is_warned_of() {
    let outcome = zpy(&["-c", "x = 1\nprint(x is 1)"]);
    let warning = "<string>:2: SyntaxWarning: \"is\" with 'int' literal. Did you mean \"==\"?\n";
    assert_eq!((outcome.out().as_str(), outcome.err().as_str()), ("true\n", warning));
    assert_eq!(zpy(&["-W", "ignore", "-c", "assert (1, 2)"]).err(), "");
    let refused = zpy(&["-Werror", "-c", "print(1)\n'\\d'"]);
    assert_eq!(refused.expect_code(2).out(), "");
    assert!(refused.err().contains("SyntaxError: invalid escape sequence '\\d'"), "{}", refused.err());
    let odd = zpy(&["-W", "perhaps", "-c", "import warnings; warnings.warn('w')"]);
    assert!(odd.err().starts_with("Invalid -W option ignored: 'perhaps'\n"), "{}", odd.err());
}

#[test]
fn a_breakpoint_talks_about_the_function() {
    let code = "def f(a):\n  b = a * 2\n  breakpoint()\n  print('after', b)\nf(4)";
    let outcome = with_input(&["-c", code], "a + b\nb = 99\n");
    assert_eq!(outcome.expect_code(0).out(), "12\nafter 8\n");
    assert_eq!(outcome.err(), "--- stopped in f, \"<string>\", line 3; Ctrl-D goes on\n");
    assert_eq!(with_input(&["-c", "breakpoint(); print('no')"], "exit(3)\n").expect_code(3).out(), "");
}

#[test]
fn standard_input_by_a_dash() {
    with_input(&["-"], "print('from stdin')\n").expect(0, "from stdin\n");
}

#[test]
fn standard_input_when_piped_without_a_file() {
    with_input(&[], "def f():\n    return 'piped'\n\nprint(f())\n").expect(0, "piped\n");
}

#[test]
fn an_empty_text() {
    zpy(&["-c", ""]).expect(0, "");
    with_input(&[], "").expect(0, "");
}

// --- arguments --------------------------------------------------------------------------------------------------------

#[test]
fn arguments_of_a_file() {
    run_script("import sys\nprint(sys.argv)\n", &["a", "-c", "--help", "", "b c"])
        .expect(0, "['script.zpy', 'a', '-c', '--help', '', 'b c']\n");
}

#[test]
fn arguments_after_dash_c() {
    zpy(&["-c", "import sys; print(sys.argv)", "a", "-i", "-c", "x"])
        .expect(0, "['-c', 'a', '-i', '-c', 'x']\n");
}

#[test]
fn arguments_after_a_dash() {
    with_input(&["-", "a", "-v"], "import sys\nprint(sys.argv)\n").expect(0, "['-', 'a', '-v']\n");
}

#[test]
fn the_names_of_a_script() {
    run_script("print(__name__, __file__, __dir__)\n", &[]).expect(0, "__main__ script.zpy .\n");
}

#[test]
fn the_names_of_a_script_in_a_folder() {
    let folder = TempDir::new("names");
    std::fs::create_dir(folder.path.join("sub")).unwrap();
    folder.write("sub/script.zpy", "print(__file__, __dir__)\n");
    let mut command = support::zpy();
    command.current_dir(&folder.path).arg("sub/script.zpy");
    support::run(command).expect(0, "sub/script.zpy sub\n");
}

#[test]
fn there_is_no_file_under_dash_c() {
    run_code("print(__name__, '__file__' in globals(), '__dir__' in globals())")
        .expect(0, "__main__ false false\n");
}

// --- exit codes -------------------------------------------------------------------------------------------------------

#[test]
fn exit_code_of_an_exception() {
    let outcome = run_code("print('before')\n1 / 0");
    outcome.expect_code(1);
    assert_eq!(outcome.out(), "before\n");
    assert!(outcome.err().starts_with("Traceback (most recent call last):\n"), "{}", outcome.err());
    assert!(outcome.err().ends_with("ZeroDivisionError: division by zero\n"), "{}", outcome.err());
}

#[test]
fn exit_codes_of_sys_exit() {
    for (argument, code) in
        [("", 0), ("0", 0), ("3", 3), ("none", 0), ("true", 1), ("255", 255), ("256", 0), ("-1", 255)]
    {
        run_code(&format!("import sys\nsys.exit({argument})\nprint('not reached')")).expect(code, "");
    }
}

#[test]
fn sys_exit_with_a_text() {
    let outcome = run_code("import sys\nprint('out')\nsys.exit('goodbye')");
    outcome.expect_code(1);
    assert_eq!((outcome.out().as_str(), outcome.err().as_str()), ("out\n", "goodbye\n"));
}

#[test]
fn sys_exit_inside_a_function_runs_finally() {
    run_code(
        "import sys\ndef f():\n    try:\n        sys.exit(4)\n    finally:\n        print('finally')\nf()",
    )
    .expect(4, "finally\n");
}

#[test]
fn the_functions_exit_and_quit() {
    run_code("exit(3)").expect(3, "");
    run_code("quit()").expect(0, "");
}

#[test]
fn raise_system_exit() {
    run_code("raise SystemExit(9)").expect(9, "");
    run_code("raise SystemExit").expect(0, "");
}

#[test]
fn keyboard_interrupt_is_130() {
    let outcome = run_code("raise KeyboardInterrupt");
    outcome.expect_code(130);
    assert!(outcome.err().contains("KeyboardInterrupt"), "{}", outcome.err());
}

#[test]
fn os_exit_ends_at_once() {
    run_code("import os\ntry:\n    os._exit(6)\nfinally:\n    print('not reached')").expect(6, "");
}

// --- usage ------------------------------------------------------------------------------------------------------------

#[test]
fn unknown_options() {
    for option in ["--nope", "-x", "--tokenss"] {
        let outcome = zpy(&[option]);
        outcome.expect_code(2);
        assert_eq!(outcome.out(), "");
        assert!(outcome.err().contains(option), "{}", outcome.err());
        assert!(outcome.err().to_lowercase().contains("usage"), "{}", outcome.err());
    }
}

#[test]
fn dash_c_without_a_text() {
    let outcome = zpy(&["-c"]);
    outcome.expect_code(2);
    assert!(!outcome.err().is_empty());
}

#[test]
fn help_goes_to_stdout() {
    for option in ["-h", "--help"] {
        let outcome = zpy(&[option]);
        outcome.expect_code(0);
        assert!(outcome.out().to_lowercase().contains("usage"), "{}", outcome.out());
        assert_eq!(outcome.err(), "");
    }
}

#[test]
fn version_goes_to_stdout() {
    for option in ["-v", "--version"] {
        let outcome = zpy(&[option]);
        outcome.expect_code(0);
        assert!(outcome.out().contains(env!("CARGO_PKG_VERSION")), "{}", outcome.out());
    }
}

#[test]
fn unreadable_files() {
    let folder = TempDir::new("unreadable");
    let folder_path = folder.path.display().to_string();
    for path in ["/no/such/file.zpy", folder_path.as_str()] {
        let outcome = zpy(&[path]);
        outcome.expect_code(2);
        assert_eq!(outcome.out(), "");
        assert!(outcome.err().contains(path), "{}", outcome.err());
        assert!(!outcome.err().contains("panicked"), "{}", outcome.err());
    }
}

#[test]
fn a_file_that_is_no_text() {
    let outcome = run_script(b"print('a')\n\xff\xfe\n", &[]);
    outcome.expect_code(2);
    assert_eq!(outcome.out(), "");
    assert!(!outcome.err().contains("panicked"), "{}", outcome.err());
}

#[test]
fn dumps_of_tokens_and_tree() {
    let folder = TempDir::new("dump");
    let script = folder.write("script.zpy", "answer = 42\nprint(answer + 1)\n").display().to_string();
    for option in ["--tokens", "--ast"] {
        let outcome = zpy(&[option, &script]);
        outcome.expect_code(0);
        assert!(outcome.out().contains("answer") && outcome.out().contains("42"), "{}", outcome.out());
        // The program itself does not run.
        assert!(outcome.out().lines().all(|line| line != "43"), "{}", outcome.out());
    }
}

// --- scripts of odd shapes --------------------------------------------------------------------------------------------

#[test]
fn a_byte_order_mark_is_skipped() {
    run_script("\u{feff}print('marked')\n", &[]).expect(0, "marked\n");
}

#[test]
fn carriage_returns_end_lines_too() {
    run_script("if true:\r\n    print('a')\r\n\r\n    print('''b\r\nc''')\r\n", &[]).expect(0, "a\nb\nc\n");
}

#[test]
fn an_empty_file() {
    run_script("", &[]).expect(0, "");
    run_script("\n\n", &[]).expect(0, "");
    run_script("# only a comment", &[]).expect(0, "");
}

#[test]
fn a_file_without_a_final_newline() {
    run_script("if true:\n    print('last')", &[]).expect(0, "last\n");
}

#[test]
fn a_first_line_for_the_shell() {
    run_script("#!/usr/bin/env zpy\nprint('ran')\n", &[]).expect(0, "ran\n");
}

#[test]
fn a_huge_script() {
    let mut text = String::from("total = 0\n");
    for number in 0..50_000 {
        text.push_str(&format!("total += {number}  # line {number}\n"));
    }
    text.push_str("print(total)\n");
    run_script(text, &[]).expect(0, "1249975000\n");
}

#[test]
fn a_huge_expression() {
    let sum = vec!["1"; 1000].join(" + ");
    let list = (0..50_000).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    run_script(format!("print({sum})\nprint(len([{list}]))\n"), &[]).expect(0, "1000\n50000\n");
}

#[test]
fn absurd_nesting_is_an_error_and_no_crash() {
    for text in [
        format!("x = {}{}\n", "(".repeat(20_000), ")".repeat(20_000)),
        format!("x = {}1\n", "-".repeat(100_000)),
        format!("x = {}1\n", "not ".repeat(100_000)),
        format!("x = {}\n", "[".repeat(100_000)),
        format!("x = 1{}\n", " if 1 else 1".repeat(20_000)),
        format!("x = 1{}\n", "[0]".repeat(20_000)),
        format!("x = 1{}\n", " + 1".repeat(50_000)),
    ] {
        let outcome = run_script(&text, &[]);
        let code = outcome.code();
        assert!((0..=2).contains(&code), "exit code {code} for {:.20}...\n{:.500}", text, outcome.err());
        assert!(!outcome.err().contains("panicked"), "{:.500}", outcome.err());
    }
}

#[test]
fn a_script_beside_its_modules() {
    let folder = TempDir::new("modules");
    folder.write("main.zpy", "import helper, other\nprint(helper.name, other.name)\n");
    folder.write("helper.zpy", "name = 'zpy'\n");
    folder.write("other.py", "name = 'py'\n");
    let mut command = support::zpy();
    command.current_dir("/").arg(folder.path.join("main.zpy"));
    support::run(command).expect(0, "zpy py\n");
}

#[test]
fn modules_from_zpypath() {
    let folder = TempDir::new("zpypath");
    folder.write("from_path.zpy", "value = 7\n");
    let mut command = support::zpy();
    command.env("ZPYPATH", &folder.path).args(["-c", "import from_path\nprint(from_path.value)"]);
    support::run(command).expect(0, "7\n");
}

#[test]
fn a_module_with_a_syntax_error() {
    let folder = TempDir::new("bad-module");
    folder.write("main.zpy", "try:\n    import bad\nexcept SyntaxError as e:\n    print(type(e).__name__)\n");
    folder.write("bad.zpy", "x = = 1\n");
    let mut command = support::zpy();
    command.arg(folder.path.join("main.zpy"));
    support::run(command).expect(0, "SyntaxError\n");
}

// --- syntax errors ----------------------------------------------------------------------------------------------------

#[test]
fn nothing_runs_before_a_syntax_error() {
    let outcome = run_script("print('must not be seen')\nx = = 1\n", &[]);
    outcome.expect_code(2);
    assert_eq!(outcome.out(), "");
    let err = outcome.err();
    assert!(err.contains("script.zpy") && err.contains("line 2"), "{err}");
    assert!(err.contains("x = = 1") && err.contains('^') && err.contains("SyntaxError"), "{err}");
}

#[test]
fn programs_that_are_none() {
    // Each text, the class of its error and the line it is reported for.
    const MISTAKES: &[(&str, &str, usize)] = &[
        ("x = (1,\n", "SyntaxError", 1),
        ("x = )\n", "SyntaxError", 1),
        ("x = (1]\n", "SyntaxError", 1),
        ("x = 'open\n", "SyntaxError", 1),
        ("x = '''open\n\n", "SyntaxError", 1),
        ("x = 007\n", "SyntaxError", 1),
        ("x = 1__0\n", "SyntaxError", 1),
        ("x = 0b12\n", "SyntaxError", 1),
        ("x = 5y\n", "SyntaxError", 1),
        ("x = 1 y = 2\n", "SyntaxError", 1),
        ("if true\n    pass\n", "SyntaxError", 1),
        ("if true:\npass\n", "IndentationError", 2),
        ("x = 1\n    y = 2\n", "IndentationError", 2),
        ("if true:\n        x = 1\n    y = 2\n", "IndentationError", 3),
        ("if true:\n\tx = 1\n        y = 2\n", "TabError", 3),
        ("def f():\n", "IndentationError", 1),
        ("break\n", "SyntaxError", 1),
        ("continue\n", "SyntaxError", 1),
        ("return 1\n", "SyntaxError", 1),
        ("while true:\n    def f():\n        break\n", "SyntaxError", 3),
        ("none = 1\n", "SyntaxError", 1),
        ("true = 1\n", "SyntaxError", 1),
        ("None = 1\n", "SyntaxError", 1),
        ("def true(): pass\n", "SyntaxError", 1),
        ("1 = x\n", "SyntaxError", 1),
        ("f() = 1\n", "SyntaxError", 1),
        ("a + b = 1\n", "SyntaxError", 1),
        ("'a' += 1\n", "SyntaxError", 1),
        ("(a, b) += 1\n", "SyntaxError", 1),
        ("*a = 1\n", "SyntaxError", 1),
        ("*a, *b = 1\n", "SyntaxError", 1),
        ("del f()\n", "SyntaxError", 1),
        ("del 1\n", "SyntaxError", 1),
        ("for 1 in x: pass\n", "SyntaxError", 1),
        ("def f(a, a): pass\n", "SyntaxError", 1),
        ("def f(a=1, b): pass\n", "SyntaxError", 1),
        ("def f(*): pass\n", "SyntaxError", 1),
        ("def f(**k, a): pass\n", "SyntaxError", 1),
        ("f(a=1, 2)\n", "SyntaxError", 1),
        ("f(a=1, a=2)\n", "SyntaxError", 1),
        ("f(**k, *a)\n", "SyntaxError", 1),
        ("x = 1\ndef f():\n    x = 2\n    global x\n", "SyntaxError", 4),
        ("nonlocal x\n", "SyntaxError", 1),
        ("def f():\n    nonlocal missing\n", "SyntaxError", 2),
        ("def f(x):\n    global x\n", "SyntaxError", 2),
        ("try:\n    pass\nx = 1\n", "SyntaxError", 3),
        ("try:\n    pass\nexcept:\n    pass\nexcept ValueError:\n    pass\n", "SyntaxError", 3),
        ("else:\n    pass\n", "SyntaxError", 1),
        ("f'{'\n", "SyntaxError", 1),
        ("f'{}'\n", "SyntaxError", 1),
        ("f'}'\n", "SyntaxError", 1),
        ("f'{a!x}'\n", "SyntaxError", 1),
        ("b'é'\n", "SyntaxError", 1),
        ("'\\x4'\n", "SyntaxError", 1),
        ("'\\N{no such name}'\n", "SyntaxError", 1),
        ("x = 'a' b'b'\n", "SyntaxError", 1),
        ("x = 1 +\n", "SyntaxError", 1),
        ("x = a b\n", "SyntaxError", 1),
        ("x = $\n", "SyntaxError", 1),
        ("x = a ? b\n", "SyntaxError", 1),
        ("x = 1 \\ \n2\n", "SyntaxError", 1),
        ("if x = 1:\n    pass\n", "SyntaxError", 1),
        ("print 'hello'\n", "SyntaxError", 1),
        ("lambda: (yield)\n)\n", "SyntaxError", 2),
        ("import\n", "SyntaxError", 1),
        ("from x import\n", "SyntaxError", 1),
        ("def f():\n    from os import *\n", "SyntaxError", 2),
        ("[x for x in 1, 2]\n", "SyntaxError", 1),
        ("{1: 2, 3}\n", "SyntaxError", 1),
        ("{1, 2: 3}\n", "SyntaxError", 1),
        ("class = 1\n", "SyntaxError", 1),
        ("x: int: 5\n", "SyntaxError", 1),
        ("assert\n", "SyntaxError", 1),
        ("raise from x\n", "SyntaxError", 1),
        ("async def f(): pass\n", "SyntaxError", 1),
    ];
    let mut wrong = String::new();
    for (text, class, line) in MISTAKES {
        let outcome = run_script(text, &[]);
        let err = outcome.err();
        let last = err.trim_end().lines().last().unwrap_or_default();
        if outcome.code() != 2
            || !err.contains(&format!("{class}:"))
            || !err.contains(&format!("line {line}\n"))
            || !outcome.out().is_empty()
        {
            wrong.push_str(&format!(
                "{text:?}: exit code {}, {last:?}, wanted {class} on line {line}\n",
                outcome.code()
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

// --- streams ----------------------------------------------------------------------------------------------------------

#[test]
fn input_reads_lines() {
    with_input(&["-c", "print(repr(input()), repr(input()), repr(input()))"], "one\n two \nlast")
        .expect(0, "'one' ' two ' 'last'\n");
}

#[test]
fn input_at_the_end_is_eof_error() {
    zpy(&["-c", "try:\n    input()\nexcept EOFError as e:\n    print(type(e).__name__, e)"])
        .expect(0, "EOFError EOF when reading a line\n");
    let outcome = zpy(&["-c", "input()"]);
    outcome.expect_code(1);
    assert!(outcome.err().ends_with("EOFError: EOF when reading a line\n"), "{}", outcome.err());
}

#[test]
fn input_keeps_odd_line_ends_and_bytes() {
    let mut command = support::zpy();
    command.args(["-c", "print(repr(input()), repr(input()), repr(input()))"]);
    support::run_with_input(command, b"a\r\n\xff\n\n").expect(0, "'a\\r' '\\udcff' ''\n");
}

#[test]
fn prints_to_stderr_stay_there() {
    let outcome = run_code("import sys\nprint('e', file=sys.stderr)\nprint('o')\nsys.stderr.write('w\\n')");
    outcome.expect_code(0);
    assert_eq!((outcome.out().as_str(), outcome.err().as_str()), ("o\n", "e\nw\n"));
}

#[test]
fn buffered_output_precedes_the_traceback() {
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" -c 'print(1)\nprint(2, end=\"\")\n1/0' 2>&1", support::zpy_path()]);
    let outcome = support::run(command);
    assert!(outcome.out().starts_with("1\n2Traceback"), "{}", outcome.out());
}

#[test]
fn output_without_final_newline() {
    run_code("print('no newline', end='')").expect(0, "no newline");
}

#[test]
fn a_lone_surrogate_cannot_be_printed() {
    run_code("try:\n    print('\\ud800')\nexcept UnicodeEncodeError as e:\n    print(type(e).__name__)")
        .expect(0, "UnicodeEncodeError\n");
}

// --- the interactive mode ---------------------------------------------------------------------------------------------

/// A session over pipes: prompts go only to a terminal, so stdout holds results alone.
fn talk(input: &str) -> Outcome {
    with_input(&["-i"], input)
}

#[test]
fn expressions_are_echoed() {
    let outcome = talk("1 + 2\n'text'\nnone\nx = 5\nx * 2\n_ + 1\ntype([])\n[1, true]\n");
    outcome.expect_code(0);
    assert_eq!(outcome.out(), "3\n'text'\n10\n11\nlist\n[1, true]\n", "{}", outcome.err());
}

#[test]
fn blocks_are_read_to_their_end() {
    let outcome = talk(
        "def f(n):\n    if n:\n        return n * 2\n    return 'zero'\n\nf(4)\nf(0)\nfor i in range(2):\n    print(i)\n\n",
    );
    outcome.expect_code(0);
    assert_eq!(outcome.out(), "8\n'zero'\n0\n1\n", "{}", outcome.err());
}

#[test]
fn brackets_and_long_strings_go_on() {
    let outcome = talk("a = [\n1,\n\n2]\na\ns = '''x\n\ny'''\ns\n");
    outcome.expect_code(0);
    assert_eq!(outcome.out(), "[1, 2]\n'x\\n\\ny'\n", "{}", outcome.err());
}

#[test]
fn an_error_does_not_end_the_session() {
    let outcome = talk("1 / 0\nx = = 1\n'still here'\n");
    outcome.expect_code(0);
    assert_eq!(outcome.out(), "'still here'\n");
    assert!(
        outcome.err().contains("ZeroDivisionError") && outcome.err().contains("SyntaxError"),
        "{}",
        outcome.err()
    );
}

#[test]
fn the_session_is_left_by_words_and_calls() {
    for word in ["exit", "quit", "exit()", "quit()"] {
        let outcome = talk(&format!("1\n{word}\n2\n"));
        outcome.expect_code(0);
        assert_eq!(outcome.out(), "1\n", "{word}");
    }
    talk("exit(3)\n").expect_code(3);
}

#[test]
fn a_script_before_the_session_keeps_its_variables() {
    let folder = TempDir::new("interactive");
    let script = folder.write("script.zpy", "made = 7\nprint('ran')\n").display().to_string();
    let outcome = with_input(&["-i", &script], "made + 1\n");
    outcome.expect_code(0);
    assert_eq!(outcome.out(), "ran\n8\n", "{}", outcome.err());
}

#[test]
fn the_word_repl_talks_too() {
    let outcome = with_input(&["repl"], "6 * 7\n");
    outcome.expect_code(0);
    assert_eq!(outcome.out(), "42\n", "{}", outcome.err());
}
