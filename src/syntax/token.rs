//! The words of the language: every kind of token, how it is spelled, and what to call it.
//!
//! A token carries no text: together with its [`Span`](crate::source::Span) it points into the source.
//! The `logos` attributes below describe tokens that can be recognised by a regular expression alone; the
//! rest of strings, numbers and f-strings is finished by hand in `lexer`. Tokens without an attribute are
//! made by `layout` (`Newline`, `Indent`, `Dedent`), by `soft_keywords` or by `parse`.

use logos::Logos;

#[derive(Logos, Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[logos(skip r"[ \t\x0C]+")]
pub enum Token {
    // Raw material for `layout`, which removes all three.
    #[regex(r"#[^\r\n]*", allow_greedy = true)]
    Comment,
    #[regex(r"\r\n|\r|\n")]
    LineEnd,
    #[token("\\")]
    Backslash,

    // Layout.
    Newline,
    Indent,
    Dedent,

    // Words and literals.
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
    Name,
    #[regex(r"0(_?0)*|[1-9](_?[0-9])*")]
    #[regex(r"0[xX](_?[0-9a-fA-F])+|0[oO](_?[0-7])+|0[bB](_?[01])+")]
    Int,
    #[regex(r"([0-9](_?[0-9])*\.([0-9](_?[0-9])*)?|\.[0-9](_?[0-9])*)([eE][+-]?[0-9](_?[0-9])*)?")]
    #[regex(r"[0-9](_?[0-9])*[eE][+-]?[0-9](_?[0-9])*")]
    Float,
    #[regex(r"([0-9](_?[0-9])*\.([0-9](_?[0-9])*)?|\.[0-9](_?[0-9])*)([eE][+-]?[0-9](_?[0-9])*)?[jJ]")]
    #[regex(r"[0-9](_?[0-9])*([eE][+-]?[0-9](_?[0-9])*)?[jJ]")]
    Imaginary,
    /// The regular expression stops after the opening quote.
    #[regex(r#"([rRuUbB]|[bB][rR]|[rR][bB])?('|"|'''|""")"#)]
    String,
    #[regex(r#"([fF]|[fF][rR]|[rR][fF])('|"|'''|""")"#)]
    FStringStart,
    /// Text between the fields of an f-string, still with its escapes and doubled braces.
    FStringMiddle,
    /// The same in a raw f-string, where a backslash is just a backslash.
    FStringRawMiddle,
    FStringEnd,

    // Keywords.
    #[token("and")]
    And,
    #[token("as")]
    As,
    #[token("assert")]
    Assert,
    #[token("async")]
    Async,
    #[token("await")]
    Await,
    #[token("break")]
    Break,
    #[token("class")]
    Class,
    #[token("continue")]
    Continue,
    #[token("def")]
    Def,
    #[token("del")]
    Del,
    #[token("elif")]
    Elif,
    #[token("else")]
    Else,
    #[token("except")]
    Except,
    #[token("False")]
    #[token("false")]
    False,
    #[token("finally")]
    Finally,
    #[token("for")]
    For,
    #[token("from")]
    From,
    #[token("global")]
    Global,
    #[token("if")]
    If,
    #[token("import")]
    Import,
    #[token("in")]
    In,
    #[token("is")]
    Is,
    #[token("lambda")]
    Lambda,
    #[token("None")]
    #[token("none")]
    None,
    #[token("nonlocal")]
    Nonlocal,
    #[token("not")]
    Not,
    #[token("or")]
    Or,
    #[token("pass")]
    Pass,
    #[token("raise")]
    Raise,
    #[token("return")]
    Return,
    #[token("True")]
    #[token("true")]
    True,
    #[token("try")]
    Try,
    #[token("while")]
    While,
    #[token("with")]
    With,
    #[token("yield")]
    Yield,

    // Names that are keywords only where `soft_keywords` finds them to be.
    Case,
    Match,
    Type,
    /// The `(` of `with (a as b, c as d):`.
    WithParen,

    // Brackets and punctuation.
    #[token("(")]
    LParen,
    #[token(")")]
    RParen,
    #[token("[")]
    LBracket,
    #[token("]")]
    RBracket,
    #[token("{")]
    LBrace,
    #[token("}")]
    RBrace,
    #[token(",")]
    Comma,
    #[token(":")]
    Colon,
    #[token(";")]
    Semicolon,
    #[token(".")]
    Dot,
    #[token("...")]
    Ellipsis,
    #[token("->")]
    Arrow,
    #[token("@")]
    At,
    #[token("!")]
    Exclamation,

    // Operators.
    #[token("=")]
    Equal,
    #[token(":=")]
    ColonEqual,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("**")]
    DoubleStar,
    #[token("/")]
    Slash,
    #[token("//")]
    DoubleSlash,
    #[token("%")]
    Percent,
    #[token("<<")]
    LeftShift,
    #[token(">>")]
    RightShift,
    #[token("&")]
    Ampersand,
    #[token("|")]
    Bar,
    #[token("^")]
    Caret,
    #[token("~")]
    Tilde,
    #[token("<")]
    Less,
    #[token("<=")]
    LessEqual,
    #[token(">")]
    Greater,
    #[token(">=")]
    GreaterEqual,
    #[token("==")]
    EqualEqual,
    #[token("!=")]
    NotEqual,
    #[token("+=")]
    PlusEqual,
    #[token("-=")]
    MinusEqual,
    #[token("*=")]
    StarEqual,
    #[token("**=")]
    DoubleStarEqual,
    #[token("/=")]
    SlashEqual,
    #[token("//=")]
    DoubleSlashEqual,
    #[token("%=")]
    PercentEqual,
    #[token("@=")]
    AtEqual,
    #[token("<<=")]
    LeftShiftEqual,
    #[token(">>=")]
    RightShiftEqual,
    #[token("&=")]
    AmpersandEqual,
    #[token("|=")]
    BarEqual,
    #[token("^=")]
    CaretEqual,

    /// Printable ASCII that means nothing: `$`, `?`, a backquote, `<>`.
    #[regex(r"[$?`]|<>")]
    Unknown,

    // What to parse: `parse` puts one of these before the first token.
    StartFile,
    StartExpression,
}

impl Token {
    /// What the token is called in a token dump: the spelling where there is one, else a description.
    pub fn name(self) -> &'static str {
        use Token::*;
        match self {
            Comment => "comment",
            LineEnd => "line end",
            Backslash => "\\",
            Newline => "newline",
            Indent => "indent",
            Dedent => "dedent",
            Name => "name",
            Int => "integer",
            Float => "float",
            Imaginary => "imaginary",
            String => "string",
            FStringStart => "f-string start",
            FStringMiddle => "f-string text",
            FStringRawMiddle => "f-string raw text",
            FStringEnd => "f-string end",
            And => "and",
            As => "as",
            Assert => "assert",
            Async => "async",
            Await => "await",
            Break => "break",
            Class => "class",
            Continue => "continue",
            Def => "def",
            Del => "del",
            Elif => "elif",
            Else => "else",
            Except => "except",
            False => "False",
            Finally => "finally",
            For => "for",
            From => "from",
            Global => "global",
            If => "if",
            Import => "import",
            In => "in",
            Is => "is",
            Lambda => "lambda",
            None => "None",
            Nonlocal => "nonlocal",
            Not => "not",
            Or => "or",
            Pass => "pass",
            Raise => "raise",
            Return => "return",
            True => "True",
            Try => "try",
            While => "while",
            With => "with",
            Yield => "yield",
            Case => "case",
            Match => "match",
            Type => "type",
            WithParen => "( of with",
            LParen => "(",
            RParen => ")",
            LBracket => "[",
            RBracket => "]",
            LBrace => "{",
            RBrace => "}",
            Comma => ",",
            Colon => ":",
            Semicolon => ";",
            Dot => ".",
            Ellipsis => "...",
            Arrow => "->",
            At => "@",
            Exclamation => "!",
            Equal => "=",
            ColonEqual => ":=",
            Plus => "+",
            Minus => "-",
            Star => "*",
            DoubleStar => "**",
            Slash => "/",
            DoubleSlash => "//",
            Percent => "%",
            LeftShift => "<<",
            RightShift => ">>",
            Ampersand => "&",
            Bar => "|",
            Caret => "^",
            Tilde => "~",
            Less => "<",
            LessEqual => "<=",
            Greater => ">",
            GreaterEqual => ">=",
            EqualEqual => "==",
            NotEqual => "!=",
            PlusEqual => "+=",
            MinusEqual => "-=",
            StarEqual => "*=",
            DoubleStarEqual => "**=",
            SlashEqual => "/=",
            DoubleSlashEqual => "//=",
            PercentEqual => "%=",
            AtEqual => "@=",
            LeftShiftEqual => "<<=",
            RightShiftEqual => ">>=",
            AmpersandEqual => "&=",
            BarEqual => "|=",
            CaretEqual => "^=",
            Unknown => "unknown",
            StartFile => "start of file",
            StartExpression => "start of expression",
        }
    }

    /// `(`, `[` or `{`, the last also where it opens a field of an f-string.
    pub fn opens_bracket(self) -> bool {
        matches!(self, Token::LParen | Token::WithParen | Token::LBracket | Token::LBrace)
    }

    pub fn closes_bracket(self) -> bool {
        matches!(self, Token::RParen | Token::RBracket | Token::RBrace)
    }

    /// A reserved word (not a soft keyword).
    pub fn is_keyword(self) -> bool {
        (Token::And as u8..=Token::Yield as u8).contains(&(self as u8))
    }

    /// Whether an expression can begin with this token.
    pub fn starts_expression(self) -> bool {
        use Token::*;
        matches!(
            self,
            Name | Int
                | Float
                | Imaginary
                | String
                | FStringStart
                | True
                | False
                | None
                | Not
                | Lambda
                | LParen
                | LBracket
                | LBrace
                | Ellipsis
                | Plus
                | Minus
                | Tilde
        )
    }

    /// Whether an expression can end with this token.
    pub fn ends_expression(self) -> bool {
        use Token::*;
        matches!(
            self,
            Name | Int
                | Float
                | Imaginary
                | String
                | FStringEnd
                | True
                | False
                | None
                | RParen
                | RBracket
                | RBrace
                | Ellipsis
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spellings of tokens that are not called by their spelling.
    const OTHERS: &[(&str, &str)] = &[
        ("# text", "comment"),
        ("\n", "line end"),
        ("\r\n", "line end"),
        ("\r", "line end"),
        ("name", "name"),
        ("_", "name"),
        ("0", "integer"),
        ("0_0", "integer"),
        ("12_3", "integer"),
        ("0xfF", "integer"),
        ("0O17", "integer"),
        ("0b1_0", "integer"),
        ("1.", "float"),
        (".5", "float"),
        ("1_0.5e-1_0", "float"),
        ("1E5", "float"),
        ("1j", "imaginary"),
        ("1.5e3J", "imaginary"),
        ("'", "string"),
        ("Rb\"\"\"", "string"),
        ("u'", "string"),
        ("f'", "f-string start"),
        ("rF\"\"\"", "f-string start"),
        ("true", "True"),
        ("false", "False"),
        ("none", "None"),
        ("$", "unknown"),
        ("<>", "unknown"),
    ];

    /// Made by hand, without a spelling of their own.
    const MADE: &[&str] = &[
        "newline",
        "indent",
        "dedent",
        "f-string text",
        "f-string raw text",
        "f-string end",
        "case",
        "match",
        "type",
        "( of with",
        "start of file",
        "start of expression",
    ];

    fn all() -> Vec<Token> {
        // Every token has a rule in the grammar or a pattern above; walk the enum by its discriminants.
        let last = Token::StartExpression as u8;
        let mut found: Vec<Token> = Vec::new();
        for name in OTHERS.iter().map(|(spelling, _)| *spelling).chain(SPELLED.iter().copied()) {
            found.extend(Token::lexer(name).filter_map(Result::ok));
        }
        found.sort_by_key(|token| *token as u8);
        found.dedup();
        assert_eq!(found.len() + MADE.len(), last as usize + 1, "a token has no spelling in these tests");
        found
    }

    /// Tokens that are called by their spelling.
    const SPELLED: &[&str] = &[
        "\\", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
        "else", "except", "False", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda",
        "None", "nonlocal", "not", "or", "pass", "raise", "return", "True", "try", "while", "with", "yield",
        "(", ")", "[", "]", "{", "}", ",", ":", ";", ".", "...", "->", "@", "!", "=", ":=", "+", "-", "*",
        "**", "/", "//", "%", "<<", ">>", "&", "|", "^", "~", "<", "<=", ">", ">=", "==", "!=", "+=", "-=",
        "*=", "**=", "/=", "//=", "%=", "@=", "<<=", ">>=", "&=", "|=", "^=",
    ];

    #[test]
    fn every_spelling_gives_the_token_of_that_name() {
        let own = SPELLED.iter().map(|spelling| (*spelling, *spelling));
        for (spelling, name) in OTHERS.iter().copied().chain(own) {
            let mut lexer = Token::lexer(spelling);
            assert_eq!(lexer.next().map(|token| token.map(Token::name)), Some(Ok(name)), "{spelling:?}");
            assert_eq!(lexer.slice(), spelling);
            assert_eq!(lexer.next(), None, "{spelling:?}");
        }
    }

    #[test]
    fn every_token_is_tested() {
        let names: std::collections::HashSet<&str> = all().into_iter().map(Token::name).collect();
        assert!(MADE.iter().all(|made| !names.contains(made)));
    }

    #[test]
    fn the_grammar_calls_tokens_by_their_names() {
        let grammar = include_str!("../../grammar/zpy.lalrpop");
        for token in all() {
            let is_raw = matches!(token, Token::Comment | Token::LineEnd | Token::Backslash);
            if is_raw || matches!(token, Token::Async | Token::Await | Token::Unknown) {
                continue;
            }
            let line = format!("\"{}\" => Token::{token:?},", token.name());
            assert!(grammar.contains(&line), "{line}");
        }
    }
}
