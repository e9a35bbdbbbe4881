//! `re`: regular expressions with Python's syntax and meaning.
//!
//! A pattern is translated (`parse.rs`, `set.rs`) to the syntax of the `fancy-regex` crate, which runs it:
//! patterns without look-around and references by automata in linear time, all others by backtracking.
//! `pattern.rs` holds compiled patterns and their methods, `matched.rs` what a match found. Positions are
//! byte offsets inside and code points towards scripts.

mod matched;
mod parse;
mod pattern;
mod set;

pub use matched::METHODS as MATCH;
pub use pattern::{ITERATOR, METHODS as PATTERN};

use super::in_zpy;
use crate::call::{Call, Native, NativeModule};
use crate::eval::Vm;
use crate::value::{Exception, Raised, Ref, Res, Str, Tag, Type, Value};
use parse::Problem;
use std::collections::HashMap;

const TEMPLATE: i64 = 1;
const IGNORECASE: i64 = 2;
const LOCALE: i64 = 4;
const MULTILINE: i64 = 8;
const DOTALL: i64 = 16;
const UNICODE: i64 = 32;
const VERBOSE: i64 = 64;
const DEBUG: i64 = 128;
const ASCII: i64 = 256;

/// Compiled patterns kept; all are forgotten when there are more.
const MAX_CACHED: usize = 512;

/// Type names of the foreign objects.
pub const PATTERN_TYPE: &str = "Pattern";
pub const MATCH_TYPE: &str = "Match";
pub const ITERATOR_TYPE: &str = "match_iterator";

/// What the module keeps between calls.
#[derive(Default)]
pub struct State {
    error: Option<Ref<Type>>,
    /// Compiled patterns by kind (text or bytes), source and flags.
    cache: HashMap<(bool, Box<[u8]>, i64), Value>,
}

pub static MODULE: NativeModule = NativeModule {
    name: "re",
    doc: "Regular expressions.",
    functions: &[
        Native {
            name: "_compile",
            params: "pattern, flags",
            run: compile,
            doc: "What pickled patterns are made by.",
        },
        Native {
            name: "compile",
            params: "pattern, flags=0",
            run: compile,
            doc: "A compiled pattern. Raises `re.error` if the pattern is wrong.",
        },
        Native {
            name: "search",
            params: "pattern, string, flags=0",
            run: on_pattern_2,
            doc: "The first match anywhere in a text, or none.",
        },
        Native {
            name: "match",
            params: "pattern, string, flags=0",
            run: on_pattern_2,
            doc: "The match at the start of a text, or none.",
        },
        Native {
            name: "fullmatch",
            params: "pattern, string, flags=0",
            run: on_pattern_2,
            doc: "The match that is the whole text, or none.",
        },
        Native {
            name: "findall",
            params: "pattern, string, flags=0",
            run: on_pattern_2,
            doc: "A list of all matches: texts, or tuples of groups if the pattern has several.",
        },
        Native {
            name: "finditer",
            params: "pattern, string, flags=0",
            run: on_pattern_2,
            doc: "An iterator over the match objects of all matches.",
        },
        Native {
            name: "split",
            params: "pattern, string, maxsplit=0, flags=0",
            run: on_pattern_3,
            doc: "The parts of a text between matches, with the groups of the matches between them.",
        },
        Native {
            name: "sub",
            params: "pattern, repl, string, count=0, flags=0",
            run: on_pattern_4,
            doc: "A text with matches replaced by a template or by what a function of the match gives.",
        },
        Native {
            name: "subn",
            params: "pattern, repl, string, count=0, flags=0",
            run: on_pattern_4,
            doc: "As `sub`, as a tuple with the number of replacements.",
        },
        Native {
            name: "escape",
            params: "pattern",
            run: escape,
            doc: "The pattern that matches just this text.",
        },
        Native { name: "purge", params: "", run: purge, doc: "Forgets the compiled patterns that are kept." },
    ],
    constants: &[
        ("error", |vm| error_class(vm).into()),
        ("Scanner", |vm| in_zpy(vm, "_re_scanner", "Scanner")),
        ("Pattern", |vm| vm.types.named(PATTERN_TYPE, Tag::Foreign).into()),
        ("Match", |vm| vm.types.named(MATCH_TYPE, Tag::Foreign).into()),
        ("RegexFlag", |vm| in_zpy(vm, "_re_flags", "RegexFlag")),
        ("NOFLAG", |vm| flag(vm, "NOFLAG")),
        ("T", |vm| flag(vm, "T")),
        ("TEMPLATE", |vm| flag(vm, "TEMPLATE")),
        ("I", |vm| flag(vm, "I")),
        ("IGNORECASE", |vm| flag(vm, "IGNORECASE")),
        ("L", |vm| flag(vm, "L")),
        ("LOCALE", |vm| flag(vm, "LOCALE")),
        ("M", |vm| flag(vm, "M")),
        ("MULTILINE", |vm| flag(vm, "MULTILINE")),
        ("S", |vm| flag(vm, "S")),
        ("DOTALL", |vm| flag(vm, "DOTALL")),
        ("U", |vm| flag(vm, "U")),
        ("UNICODE", |vm| flag(vm, "UNICODE")),
        ("X", |vm| flag(vm, "X")),
        ("VERBOSE", |vm| flag(vm, "VERBOSE")),
        ("DEBUG", |vm| flag(vm, "DEBUG")),
        ("A", |vm| flag(vm, "A")),
        ("ASCII", |vm| flag(vm, "ASCII")),
    ],
};

/// A member of `RegexFlag`.
fn flag(vm: &mut Vm, name: &str) -> Value {
    let class = in_zpy(vm, "_re_flags", "RegexFlag");
    vm.get_attribute(&class, &Str::new(name)).unwrap_or(Value::NONE)
}

fn compile(call: &mut Call) -> Res {
    let flags = call.int_or(1, 0)?;
    compiled(call.vm, call.arg(0), flags)
}

/// The compiled pattern of a text, or the compiled pattern itself.
fn compiled(vm: &mut Vm, pattern: &Value, flags: i64) -> Res {
    if pattern::of(pattern).is_some() {
        if flags != 0 {
            return Err(vm.value_error("cannot process flags argument with a compiled pattern"));
        }
        return Ok(pattern.clone());
    }
    let Some(subject) = pattern::Subject::of(pattern) else {
        return Err(vm.type_error("first argument must be string or compiled pattern"));
    };
    let key = (subject.is_text(), subject.bytes().into(), flags);
    if let Some(found) = vm.state.re.cache.get(&key) {
        return Ok(found.clone());
    }
    let made = pattern::compile(vm, subject, flags)?;
    if vm.state.re.cache.len() >= MAX_CACHED {
        let old = std::mem::take(&mut vm.state.re.cache);
        drop(old);
    }
    vm.state.re.cache.insert(key, made.clone());
    Ok(made)
}

/// Calls the pattern's method of this function's name with `args`.
fn on_pattern(call: &mut Call, flags: usize, args: &[Value]) -> Res {
    let flags = call.int_or(flags, 0)?;
    let pattern = compiled(call.vm, call.arg(0), flags)?;
    call.vm.call_method(&pattern, call.native.name, args)
}

fn on_pattern_2(call: &mut Call) -> Res {
    let args = [call.arg(1).clone()];
    on_pattern(call, 2, &args)
}

fn on_pattern_3(call: &mut Call) -> Res {
    let args = [call.arg(1).clone(), Value::int(call.int_or(2, 0)?)];
    on_pattern(call, 3, &args)
}

fn on_pattern_4(call: &mut Call) -> Res {
    let args = [call.arg(1).clone(), call.arg(2).clone(), Value::int(call.int_or(3, 0)?)];
    on_pattern(call, 4, &args)
}

/// Characters that mean something in a pattern.
fn is_special(c: char) -> bool {
    matches!(
        c,
        '(' | ')'
            | '['
            | ']'
            | '{'
            | '}'
            | '?'
            | '*'
            | '+'
            | '-'
            | '|'
            | '^'
            | '$'
            | '\\'
            | '.'
            | '&'
            | '~'
            | '#'
    ) || matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

fn escape(call: &mut Call) -> Res {
    let Some(subject) = pattern::Subject::of(call.arg(0)) else {
        return Err(call.wrong_type(0, "str or bytes"));
    };
    if let Some(text) = subject.text() {
        let mut out = String::with_capacity(text.as_str().len() + 8);
        for c in text.as_str().chars() {
            if is_special(c) {
                out.push('\\');
            }
            out.push(c);
        }
        return Ok(Str::from_string(out).into());
    }
    let mut out = Vec::new();
    for &byte in subject.bytes() {
        if is_special(byte as char) {
            out.push(b'\\');
        }
        out.push(byte);
    }
    Ok(Value::bytes(out))
}

fn purge(call: &mut Call) -> Res {
    let old = std::mem::take(&mut call.vm.state.re.cache);
    drop(old);
    Ok(Value::NONE)
}

/// `re.error`
fn error_class(vm: &mut Vm) -> Ref<Type> {
    if let Some(class) = &vm.state.re.error {
        return class.clone();
    }
    let base = vm.types.exception(crate::eval::Exc::Exception);
    let class = vm.new_exception_class("error", "re", &[base.clone().into()]).unwrap_or(base);
    for name in ["msg", "pattern", "pos", "lineno", "colno"] {
        class.attributes.set_text(name, Value::NONE);
    }
    vm.state.re.error = Some(class.clone());
    class
}

/// Raises what is wrong with a pattern or a replacement `source`.
fn raise_problem(vm: &mut Vm, problem: Problem, source: &Value, chars: &[char]) -> Raised {
    let (message, place) = match problem {
        Problem::Syntax(message, place) => (message, place),
        Problem::Overflow(message) => return vm.overflow_error(message),
        Problem::Value(message) => return vm.value_error(message),
        Problem::TooDeep => {
            return vm.error(crate::eval::Exc::RecursionError, "regular expression is nested too deeply");
        }
    };
    let class = error_class(vm);
    let mut shown = message.clone();
    let (mut line, mut column) = (Value::NONE, Value::NONE);
    if let Some(place) = place {
        let before = &chars[..place.min(chars.len())];
        let line_number = before.iter().filter(|&&c| c == '\n').count() + 1;
        let line_start = before.iter().rposition(|&c| c == '\n').map_or(0, |at| at + 1);
        let column_number = place - line_start + 1;
        shown.push_str(&format!(" at position {place}"));
        if chars.contains(&'\n') {
            shown.push_str(&format!(" (line {line_number}, column {column_number})"));
        }
        (line, column) = (Value::size(line_number), Value::size(column_number));
    }
    let exception = Exception::new(class, vec![Value::str(shown)]);
    exception.set_attribute("msg", Value::str(message));
    exception.set_attribute("pattern", if place.is_some() { source.clone() } else { Value::NONE });
    exception.set_attribute("pos", place.map_or(Value::NONE, Value::size));
    exception.set_attribute("lineno", line);
    exception.set_attribute("colno", column);
    vm.raise(exception)
}
