//! Colours for what is typed, by the words the lexer finds. The text itself stays as it is: only colour codes
//! go between its characters.

use crate::source::SourceFile;
use crate::syntax;
use crate::syntax::token::Token;

const KEYWORD: &str = "\x1b[35m";
const TEXT: &str = "\x1b[32m";
const NUMBER: &str = "\x1b[36m";
const COMMENT: &str = "\x1b[90m";
const PLAIN: &str = "\x1b[0m";

/// The line with colours; `before` holds the lines of the same statement before it.
pub fn colour(before: &str, line: &str) -> String {
    let source = SourceFile::new("<stdin>", format!("{before}{line}\n"));
    let (first, end) = (before.len(), before.len() + line.len());
    let mut out = String::with_capacity(line.len() * 2);
    let mut at = first;
    for (token, span) in syntax::tokens_so_far(&source) {
        let (from, to) = ((span.start as usize).max(at), (span.end as usize).min(end));
        if to <= from {
            continue;
        }
        push_gap(&source.text[at..from], &mut out);
        match colour_of(token) {
            Some(code) => push_coloured(code, &source.text[from..to], &mut out),
            None => out.push_str(&source.text[from..to]),
        }
        at = to;
    }
    push_gap(&source.text[at..end], &mut out);
    out
}

fn colour_of(token: Token) -> Option<&'static str> {
    match token {
        Token::Int | Token::Float | Token::Imaginary => Some(NUMBER),
        Token::String | Token::FStringStart | Token::FStringEnd => Some(TEXT),
        Token::FStringMiddle | Token::FStringRawMiddle => Some(TEXT),
        Token::Match | Token::Case | Token::Type => Some(KEYWORD),
        _ if token.is_keyword() => Some(KEYWORD),
        _ => None,
    }
}

/// What lies between tokens: blanks, and perhaps a comment.
fn push_gap(gap: &str, out: &mut String) {
    match gap.find('#') {
        Some(at) if gap[..at].trim().is_empty() => {
            out.push_str(&gap[..at]);
            push_coloured(COMMENT, &gap[at..], out);
        }
        _ => out.push_str(gap),
    }
}

fn push_coloured(code: &str, text: &str, out: &mut String) {
    out.push_str(code);
    out.push_str(text);
    out.push_str(PLAIN);
}

#[cfg(test)]
mod tests {
    use super::colour;

    /// The line without its colour codes.
    fn plain(coloured: &str) -> String {
        let mut pieces = coloured.split('\x1b');
        let first = pieces.next().unwrap_or_default().to_string();
        pieces.fold(first, |text, piece| text + piece.split_once('m').map_or("", |(_, rest)| rest))
    }

    #[test]
    fn words_have_their_colours() {
        assert_eq!(colour("", "if x: 1"), "\x1b[35mif\x1b[0m x: \x1b[36m1\x1b[0m");
        assert_eq!(colour("", "# note"), "\x1b[90m# note\x1b[0m");
        assert_eq!(colour("s = '''a\n", "b'''"), "\x1b[32mb'''\x1b[0m");
    }

    #[test]
    fn the_text_stays_as_it_is() {
        let lines = [
            "",
            "   ",
            "def f(a, *b): return f'{a!r:>{b}} é' # ünd",
            "'open",
            "'''open",
            "x = = $ ?",
            "((",
            "\\",
        ];
        for line in lines {
            for before in ["", "if x:\n", "y = (\n", "'''\n"] {
                assert_eq!(plain(&colour(before, line)), line, "{before:?}");
            }
        }
    }
}
