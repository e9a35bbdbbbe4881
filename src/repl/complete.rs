//! What could be meant by the word before the cursor: names, attributes of what a dotted name leads to,
//! modules after `import`. No script code runs, except what reading an attribute runs.

use crate::builtins;
use crate::eval::Vm;
use crate::value::{Module, Ref, Value};

const INDENTATION: &str = "    ";

const KEYWORDS: &[&str] = &[
    "and", "as", "assert", "break", "class", "continue", "def", "del", "elif", "else", "except", "false",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "match", "none", "nonlocal",
    "not", "or", "pass", "raise", "return", "true", "try", "while", "with", "yield",
];

/// Where the word before the cursor starts, and what it could become. `line` ends at the cursor.
pub fn complete(vm: &mut Vm, module: &Ref<Module>, line: &str) -> (usize, Vec<String>) {
    if line.trim().is_empty() {
        return (line.len(), vec![INDENTATION.to_string()]);
    }
    let path_start = line.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_' || c == '.').len();
    let path = &line[path_start..];
    let word_start = path.rfind('.').map_or(path_start, |dot| path_start + dot + 1);
    let word = &line[word_start..];
    let owner = (word_start > path_start).then(|| &line[path_start..word_start - 1]);
    let names = match (importing(&line[..path_start]), owner) {
        (Import::Modules, None) => builtins::module_names(vm),
        (Import::Modules, Some(_)) => Vec::new(),
        (Import::NamesOf(name), None) => match vm.modules.get_text(name) {
            Some(imported) => vm.attribute_names(&imported),
            None => Vec::new(),
        },
        (_, Some(owner)) => match follow(vm, module, owner) {
            Some(value) => vm.attribute_names(&value),
            None => Vec::new(),
        },
        (Import::No, None) => known_names(vm, module),
    };
    (word_start, fitting(names, word))
}

/// Those that begin with the word, each once, sorted; hidden ones only if asked for.
fn fitting(names: Vec<String>, word: &str) -> Vec<String> {
    let is_shown =
        |name: &String| name.starts_with(word) && (word.starts_with('_') || !name.starts_with('_'));
    let mut names: Vec<String> = names.into_iter().filter(is_shown).collect();
    names.sort();
    names.dedup();
    names
}

enum Import<'a> {
    No,
    Modules,
    NamesOf(&'a str),
}

/// Which part of an import statement comes next after `before`.
fn importing(before: &str) -> Import<'_> {
    let words: Vec<&str> = before.split_whitespace().collect();
    match words.as_slice() {
        ["import", ..] | ["from"] => Import::Modules,
        ["from", name, "import", ..] => Import::NamesOf(name),
        _ => Import::No,
    }
}

fn known_names(vm: &Vm, module: &Ref<Module>) -> Vec<String> {
    let mut names = builtins::names(vm);
    names.extend(KEYWORDS.iter().map(|name| name.to_string()));
    names.extend(module.pairs().iter().map(|(name, _)| name.as_str().to_string()));
    names
}

/// The object a dotted name leads to.
fn follow(vm: &mut Vm, module: &Ref<Module>, path: &str) -> Option<Value> {
    let mut parts = path.split('.');
    let first = parts.next()?;
    let mut value = match module.get_text(first) {
        Some(value) => value,
        None => {
            vm.ensure_builtin(first);
            vm.builtins.get_text(first)?
        }
    };
    for part in parts {
        let name = vm.intern(part);
        match vm.find_attribute(&value, &name) {
            Ok(found) => value = found?,
            Err(_) => {
                vm.take_raised();
                return None;
            }
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::Expressions;
    use crate::source::SourceFile;
    use crate::streams::Streams;
    use std::rc::Rc;

    fn completions(setup: &str, line: &str) -> (usize, Vec<String>) {
        let mut vm = Vm::new(Streams::of_process());
        let module = vm.new_main(None);
        let source = Rc::new(SourceFile::new("<stdin>", setup));
        let code = vm.compile(&source, &module, Expressions::Dropped).expect("the text is a program");
        assert!(vm.run_module(code, &module).is_ok());
        complete(&mut vm, &module, line)
    }

    #[test]
    fn names_of_all_sorts() {
        assert_eq!(completions("apple = 1\napply = 2", "x = appl").1[..2], ["apple", "apply"]);
        assert_eq!(completions("", "prin"), (0, vec!["print".to_string()]));
        assert_eq!(completions("", "x = lamb"), (4, vec!["lambda".to_string()]));
        assert_eq!(completions("", "nosuchname"), (0, vec![]));
    }

    #[test]
    fn attributes() {
        let setup = "class A:\n    size = 1\n    def grow(self): pass\na = A()\na.inner = A()";
        assert_eq!(completions(setup, "f(a.").1, ["grow", "inner", "size"]);
        assert_eq!(completions(setup, "a.inner.s"), (8, vec!["size".to_string()]));
        assert_eq!(completions(setup, "a.nothing.s").1, [""; 0]);
        assert!(completions(setup, "a.__cl").1.contains(&"__class__".to_string()));
    }

    #[test]
    fn imports() {
        assert_eq!(completions("", "import builtin").1, ["builtins"]);
        assert_eq!(completions("", "from builtin").1, ["builtins"]);
        assert_eq!(completions("", "from builtins import prin").1, ["print"]);
    }

    #[test]
    fn a_tab_before_everything_indents() {
        assert_eq!(completions("", "    "), (4, vec!["    ".to_string()]));
    }

    #[test]
    fn keywords_are_words_of_the_language() {
        for keyword in KEYWORDS {
            let tokens = crate::syntax::tokens_so_far(&SourceFile::new("", format!("{keyword}\n")));
            assert!(tokens[0].0.is_keyword() || *keyword == "match", "{keyword}");
        }
    }
}
