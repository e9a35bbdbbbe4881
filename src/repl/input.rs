//! Whether what was typed so far is complete.
//!
//! As in Python: a statement with a block ends with an empty line, brackets and triple-quoted strings end
//! with themselves and may hold empty lines, everything else ends with its line. A mistake ends the input at once, so that
//! it is reported where it was made.

use crate::source::SourceFile;
use crate::syntax;
use crate::syntax::ast::{Module, StmtKind};

/// Whether a further line belongs to the statement. `text` ends with a line end.
pub fn is_unfinished(text: &str) -> bool {
    let source = SourceFile::new("<stdin>", text);
    match syntax::parse(&source) {
        Ok(tree) => ends_with_block(&tree) && !ends_with_blank_line(text),
        Err(error) if error.is_incomplete => {
            // The words themselves are unfinished only inside brackets and strings.
            syntax::tokens(&source).is_err() || !ends_with_blank_line(text)
        }
        Err(_) => false,
    }
}

fn ends_with_blank_line(text: &str) -> bool {
    text.lines().next_back().is_some_and(|line| line.trim().is_empty())
}

fn ends_with_block(tree: &Module) -> bool {
    let Some(last) = tree.body.last() else { return false };
    matches!(
        last.kind,
        StmtKind::If { .. }
            | StmtKind::While { .. }
            | StmtKind::For { .. }
            | StmtKind::With { .. }
            | StmtKind::Try { .. }
            | StmtKind::FunctionDef(_)
            | StmtKind::ClassDef(_)
            | StmtKind::Match { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::is_unfinished;

    #[test]
    fn simple_statements_end_with_their_line() {
        for text in ["1\n", "x = (1,\n2)\n", "a; b\n", "# comment\n", "x = '''a\n\nb'''\n", "\n"] {
            assert!(!is_unfinished(text), "{text:?}");
        }
    }

    #[test]
    fn blocks_end_with_an_empty_line() {
        for text in
            ["if x:\n", "if x:\n    a\n", "if x: a\n", "@d\ndef f():\n    pass\n", "try:\n    a\n", "@d\n"]
        {
            assert!(is_unfinished(text), "{text:?}");
            assert!(!is_unfinished(&format!("{text}\n")) || text == "@d\n", "{text:?} and an empty line");
        }
        assert!(!is_unfinished("if x:\n    a\nb\n"));
        assert!(!is_unfinished("if x:\n    a\n   \n"));
    }

    #[test]
    fn brackets_and_strings_go_on_over_empty_lines() {
        for text in ["f(\n", "f(\n\n", "[1,\n", "x = '''a\n", "x = '''a\n\n", "def f(\n\n", "x = 1 + \\\n"] {
            assert!(is_unfinished(text), "{text:?}");
        }
    }

    #[test]
    fn mistakes_end_the_input() {
        for text in ["x = = 1\n", "x = = (1,\n", ")\n", "if x\n", "'abc\n", "if x:\n    a = = 1\n"] {
            assert!(!is_unfinished(text), "{text:?}");
        }
    }
}
