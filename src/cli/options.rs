//! What the arguments of `zpy` ask for. Options end where the program begins: everything after the script's
//! name, after the text of `-c` and after `-` is the script's own business.

use crate::eval::suggest;
use crate::text::surrogate::decode_utf8_surrogateescape;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

pub const USAGE: &str = "usage: zpy [-i] [-W FILTER] [FILE | -c CODE | -m MODULE | - | repl] [ARGUMENT...]";

pub const HELP: &str = "\
Runs ZPy programs: Python's syntax, made for processes.

usage: zpy [OPTION...] FILE [ARGUMENT...]      run a script
       zpy [OPTION...] -c CODE [ARGUMENT...]   run a text
       zpy [OPTION...] -m MODULE [ARGUMENT...] run a module, as 'zpy -m unittest'
       zpy [OPTION...] - [ARGUMENT...]         run the program on standard input
       zpy                                     talk, or run what is piped in
       zpy repl                                talk, also over a pipe

options:
  -c, --code CODE     run CODE; also -c=CODE and --code=CODE
  -m, --module MODULE run a module that is found as by import
  -W FILTER           what to do with warnings: error, ignore, always, default, module or once,
                      or ACTION:MESSAGE:CATEGORY:MODULE:LINE; may be given several times
  -i, --interactive   talk after the program, with its variables
      --tokens        show the words of the program instead of running it
      --ast           show the syntax tree of the program instead of running it
  -B -b -d -E -I -O -P -q -R -s -S -u -X VALUE
                      taken for Python's sake; they change nothing
  -h, --help          show this text
  -v, --version       show the version

environment:
  ZPYPATH       folders to import from, separated by colons
  ZPY_HISTORY   file that keeps what was typed; empty for none
  NO_COLOR      if set, nothing is coloured

exit codes: 0; 1 uncaught exception; 2 usage, unreadable program, syntax error; 70 a bug in zpy;
            130 Ctrl-C; 141 reader of stdout gone; or what the program passed to sys.exit
";

/// The long options without their dashes, for the hint after a misspelt one.
const KNOWN: &[&str] = &["code", "module", "interactive", "tokens", "ast", "help", "version"];

/// Where the program comes from.
#[derive(PartialEq, Eq, Debug)]
pub enum Program {
    File(OsString),
    Code(OsString),
    /// A module by its dotted name.
    Module(String),
    Stdin,
    /// The interactive session, because someone asked for it.
    Session,
    /// Nobody said: a session at a terminal, else standard input.
    Unsaid,
}

/// What to show of the program instead of running it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dump {
    Tokens,
    Tree,
}

#[derive(PartialEq, Eq, Debug)]
pub struct Options {
    pub program: Program,
    pub interactive: bool,
    pub dump: Option<Dump>,
    /// `sys.warnoptions`: what the `-W` say.
    pub warnings: Vec<String>,
    /// `sys.argv`: the name of the program, then its arguments.
    pub argv: Vec<String>,
}

#[derive(PartialEq, Eq, Debug)]
pub enum Request {
    Help,
    Version,
    Run(Options),
}

/// Reads the arguments, those after the program's own name.
///
/// # Errors
/// A sentence for the user about an option that does not exist or lacks its value.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, String> {
    let mut arguments = arguments.into_iter();
    let mut options = Options {
        program: Program::Unsaid,
        interactive: false,
        dump: None,
        warnings: Vec::new(),
        argv: vec![String::new()],
    };
    while let Some(argument) = arguments.next() {
        let text = decode_utf8_surrogateescape(argument.as_bytes());
        match text.as_str() {
            "-h" | "--help" => return Ok(Request::Help),
            "-v" | "--version" => return Ok(Request::Version),
            "-i" | "--interactive" => options.interactive = true,
            "--tokens" => options.dump = Some(Dump::Tokens),
            "--ast" => options.dump = Some(Dump::Tree),
            "-c" | "--code" => {
                let code = arguments.next().ok_or_else(|| format!("option '{text}' needs a text to run"))?;
                options.begin(Program::Code(code), "-c", arguments);
                break;
            }
            "-m" | "--module" => {
                let name =
                    arguments.next().ok_or_else(|| format!("option '{text}' needs a module to run"))?;
                let name = decode_utf8_surrogateescape(name.as_bytes());
                options.begin(Program::Module(name), "-m", arguments);
                break;
            }
            "-W" => {
                let filter = arguments.next().ok_or("option '-W' needs a filter, as in '-W error'")?;
                options.warnings.push(decode_utf8_surrogateescape(filter.as_bytes()));
            }
            "-" => {
                options.begin(Program::Stdin, "-", arguments);
                break;
            }
            "--" => {
                if let Some(file) = arguments.next() {
                    options.begin_file(file, arguments);
                }
                break;
            }
            "repl" => {
                options.begin(Program::Session, "", arguments);
                break;
            }
            "-X" => {
                arguments.next().ok_or("option '-X' needs a value, as in '-X dev'")?;
            }
            _ if text.starts_with("-X") || is_ignored(&text) => {}
            _ if text.starts_with("-W") => options.warnings.push(text[2..].to_string()),
            _ if text.starts_with('-') => {
                let Some(code) = joined_code(&argument) else { return Err(unknown_option(&text)) };
                options.begin(Program::Code(code), "-c", arguments);
                break;
            }
            _ => {
                options.begin_file(argument, arguments);
                break;
            }
        }
    }
    Ok(Request::Run(options))
}

impl Options {
    fn begin(&mut self, program: Program, name: &str, arguments: impl Iterator<Item = OsString>) {
        self.program = program;
        self.argv = vec![name.to_string()];
        self.argv.extend(arguments.map(|argument| decode_utf8_surrogateescape(argument.as_bytes())));
    }

    fn begin_file(&mut self, file: OsString, arguments: impl Iterator<Item = OsString>) {
        let name = decode_utf8_surrogateescape(file.as_bytes());
        self.begin(Program::File(file), &name, arguments);
    }
}

/// Whether these are options of Python that mean nothing here: about compiled files, site packages, the environment,
/// assertions and buffering, of all of which ZPy has its one way.
fn is_ignored(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|letters| {
        !letters.is_empty() && letters.bytes().all(|letter| b"BbdEIOPqRsSu".contains(&letter))
    })
}

/// CODE of `-c=CODE` and `--code=CODE`.
fn joined_code(argument: &OsString) -> Option<OsString> {
    let bytes = argument.as_bytes();
    let code = bytes.strip_prefix(b"-c=").or_else(|| bytes.strip_prefix(b"--code="))?;
    Some(std::ffi::OsStr::from_bytes(code).to_owned())
}

fn unknown_option(option: &str) -> String {
    let near = option.strip_prefix("--").and_then(|name| suggest::nearest(name, KNOWN.iter().copied()));
    match near {
        Some(near) => format!("unknown option '{option}'; did you mean '--{near}'?"),
        None => format!("unknown option '{option}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Options {
        match parse(arguments.iter().map(OsString::from)) {
            Ok(Request::Run(options)) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_end_where_the_program_begins() {
        let o = options(&["-i", "a.zpy", "-i", "--help"]);
        assert_eq!(o.program, Program::File("a.zpy".into()));
        assert!(o.interactive);
        assert_eq!(o.argv, ["a.zpy", "-i", "--help"]);
        let o = options(&["-c", "--help", "-v"]);
        assert_eq!((o.program, o.argv), (Program::Code("--help".into()), vec!["-c".into(), "-v".into()]));
        let o = options(&["--", "-x"]);
        assert_eq!(o.program, Program::File("-x".into()));
    }

    #[test]
    fn modules_and_warning_filters() {
        let o = options(&["-Wignore", "-W", "error", "-m", "unittest", "-W", "x"]);
        assert_eq!(o.program, Program::Module("unittest".into()));
        assert_eq!(o.warnings, ["ignore", "error"]);
        assert_eq!(o.argv, ["-m", "-W", "x"]);
    }

    #[test]
    fn options_that_mean_nothing_are_taken() {
        let o = options(&["-X", "dev", "-Xutf8", "-I", "-sE", "-OO", "-u", "-c", "1", "-I"]);
        assert_eq!((o.program, o.argv), (Program::Code("1".into()), vec!["-c".into(), "-I".into()]));
    }

    #[test]
    fn joined_values_may_hold_equal_signs() {
        assert_eq!(options(&["-c=a=1"]).program, Program::Code("a=1".into()));
        assert_eq!(options(&["--code="]).program, Program::Code("".into()));
    }

    #[test]
    fn mistakes_are_named() {
        let said = |arguments: &[&str]| parse(arguments.iter().map(OsString::from)).unwrap_err();
        assert_eq!(said(&["--tokenss"]), "unknown option '--tokenss'; did you mean '--tokens'?");
        assert_eq!(said(&["-x"]), "unknown option '-x'");
        assert_eq!(said(&["--code"]), "option '--code' needs a text to run");
        assert_eq!(said(&["-m"]), "option '-m' needs a module to run");
        assert_eq!(said(&["-W"]), "option '-W' needs a filter, as in '-W error'");
    }
}
