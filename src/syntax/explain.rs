//! Puts in words what the grammar refused.
//!
//! The parser knows one token that does not fit and which tokens would. Python's messages say more, so this
//! file looks at the tokens around that place for the usual causes: a forgotten colon, comma or bracket, a
//! missing block, half a conditional expression, and so on. Each cause is a method of [`Scene`] that returns
//! an error if it applies; [`Scene::cause`] is the list of them. If none applies, it is "invalid syntax".

use super::error::{SyntaxError, SyntaxErrorKind};
use super::parse::expression_prefix;
use super::token::Token;
use crate::source::{SourceFile, Span};

/// The place where the parser stopped.
pub struct Failure {
    /// Index of the token that does not fit; the number of tokens if the file ended.
    pub at: usize,
    /// Names of tokens that would fit.
    pub expected: Vec<String>,
}

pub fn explain(source: &SourceFile, tokens: &[(Token, Span)], failure: Failure) -> SyntaxError {
    let scene = Scene::new(source, tokens, &failure);
    let mut error = scene.cause().unwrap_or_else(|| match tokens.get(failure.at) {
        Some((Token::Dedent, _)) => SyntaxError::indentation("unexpected unindent", scene.span),
        _ => SyntaxError::new("invalid syntax", scene.span),
    });
    if scene.field.is_some() && !error.message.starts_with("f-string: ") {
        error.message.insert_str(0, "f-string: ");
    }
    error.is_incomplete = scene.is_end;
    error
}

/// Of a mistake that the parser found and the unfinished bracket or string at the end of the file, the one
/// to report.
pub fn prefer(source: &SourceFile, found: SyntaxError, unfinished: SyntaxError) -> SyntaxError {
    let is_bracket = unfinished.message.ends_with("was never closed");
    let is_later = source.line_of(found.span.end) > source.line_of(unfinished.span.start);
    let is_same = found.span == unfinished.span;
    match overrides(&found, &unfinished) && (!is_bracket || is_later || is_same) {
        true => SyntaxError { is_incomplete: false, ..unfinished },
        false => SyntaxError { is_incomplete: false, ..found },
    }
}

/// Whether a mistake in the tokens is reported instead of one that the parser found before it. That is
/// Python's rule, made for the sake of open strings and brackets, which upset all that follows them.
pub fn overrides(found: &SyntaxError, lexical: &SyntaxError) -> bool {
    found.message != UNEXPECTED_INDENT
        && lexical.kind == SyntaxErrorKind::Syntax
        && !lexical.message.starts_with("unexpected EOF")
}

const UNEXPECTED_INDENT: &str = "unexpected indent";

/// What is open at some place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opening {
    Bracket,
    FString,
    /// The expression of an f-string's field.
    Field,
    /// The format spec of a field.
    Spec,
}

/// What can be seen at the place of a failure.
struct Scene<'s> {
    source: &'s SourceFile,
    tokens: &'s [(Token, Span)],
    expected: &'s [String],
    at: usize,
    /// The token that does not fit. At the end of the file: `Dedent`, shown at the end of the last line.
    token: Token,
    span: Span,
    /// Only dedents are left: the text is fine so far, but a block or a definition is missing.
    is_end: bool,
    /// The token before it.
    before: Token,
    /// Index of the innermost bracket that is open here.
    bracket: Option<usize>,
    /// The same, if that bracket is the `{` of an f-string's field.
    field: Option<usize>,
    /// Index of the first token of the line that the failure is in.
    line: usize,
}

impl<'s> Scene<'s> {
    fn new(source: &'s SourceFile, tokens: &'s [(Token, Span)], failure: &'s Failure) -> Scene<'s> {
        let at = failure.at.min(tokens.len());
        let token = tokens.get(at).map_or(Token::Dedent, |token| token.0);
        let (before, before_span) =
            at.checked_sub(1).map_or((Token::Newline, Span::default()), |i| tokens[i]);
        let is_end = tokens[at..].iter().all(|&(token, _)| token == Token::Dedent);
        let span = match tokens.get(at) {
            Some(&(_, span)) if !is_end => span,
            _ => Span::new(before_span.start, before_span.start),
        };
        let mut open: Vec<(usize, Opening)> = Vec::new();
        let mut line = 0;
        for (i, &(token, _)) in tokens[..at].iter().enumerate() {
            let inside = open.last().map(|&(_, opening)| opening);
            match token {
                Token::FStringStart => open.push((i, Opening::FString)),
                Token::LBrace if matches!(inside, Some(Opening::FString | Opening::Spec)) => {
                    open.push((i, Opening::Field));
                }
                Token::Colon if inside == Some(Opening::Field) => {
                    if let Some(field) = open.last_mut() {
                        field.1 = Opening::Spec;
                    }
                }
                Token::Newline | Token::Indent | Token::Dedent => line = i + 1,
                _ if token.opens_bracket() => open.push((i, Opening::Bracket)),
                _ if token.closes_bracket() || token == Token::FStringEnd => drop(open.pop()),
                _ => {}
            }
        }
        let is_field = |opening: Opening| matches!(opening, Opening::Field | Opening::Spec);
        let bracket = open.iter().rev().find(|open| open.1 != Opening::FString).map(|open| open.0);
        let field = open.iter().rev().find(|open| is_field(open.1)).map(|open| open.0);
        let expected = &failure.expected;
        Scene { source, tokens, expected, at, token, span, is_end, before, bracket, field, line }
    }

    fn expects(&self, name: &str) -> bool {
        self.expected.iter().any(|expected| expected == name)
    }

    fn text(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |&(_, span)| self.source.slice(span))
    }

    fn token_at(&self, index: usize) -> Option<Token> {
        self.tokens.get(index).map(|&(token, _)| token)
    }

    fn here(&self, message: impl Into<String>) -> Option<SyntaxError> {
        Some(SyntaxError::new(message, self.span))
    }

    fn range(&self, message: &str, first: usize, last: usize) -> Option<SyntaxError> {
        let span = self.tokens.get(first)?.1.to(self.tokens.get(last)?.1);
        Some(SyntaxError::new(message, span))
    }

    /// The causes, in the order in which they are tried.
    fn cause(&self) -> Option<SyntaxError> {
        self.block()
            .or_else(|| self.handlers())
            .or_else(|| self.legacy_statement())
            .or_else(|| self.half_conditional())
            .or_else(|| self.parameters())
            .or_else(|| self.dict())
            .or_else(|| self.fstring_lambda())
            .or_else(|| self.empty_field())
            .or_else(|| self.forgotten_comma())
            .or_else(|| self.field())
            .or_else(|| self.forced())
            .or_else(|| self.colon_after_no_target())
    }

    /// Blocks that are missing or unexpected.
    fn block(&self) -> Option<SyntaxError> {
        if self.token == Token::Indent {
            return Some(SyntaxError::indentation(UNEXPECTED_INDENT, self.span));
        }
        if self.expected.len() != 1 || !self.expects("indent") {
            return None;
        }
        // The header is the line that the last `Newline` ends.
        let newline = self.at.checked_sub(1)?;
        let start = self.tokens[..newline]
            .iter()
            .rposition(|&(token, _)| matches!(token, Token::Newline | Token::Indent | Token::Dedent))
            .map_or(0, |i| i + 1);
        let line = self.source.line_of(self.tokens[start].1.start);
        let what = match self.tokens[start].0 {
            Token::Def => "function definition".to_string(),
            Token::Class => "class definition".to_string(),
            Token::Except if self.token_at(start + 1) == Some(Token::Star) => {
                "'except*' statement".to_string()
            }
            token => format!("'{}' statement", token.name()),
        };
        let message = format!("expected an indented block after {what} on line {line}");
        Some(SyntaxError::indentation(message, self.span))
    }

    /// `try` without `except`, and `except` beside `except*`.
    fn handlers(&self) -> Option<SyntaxError> {
        if self.expected.len() == 2 && self.expects("except") && self.expects("finally") {
            return self.here("expected 'except' or 'finally' block");
        }
        let after_except = self.before == Token::Except;
        if after_except && (self.token == Token::Star || self.expected.len() == 1 && self.expects("*")) {
            let last = if self.token == Token::Star { self.at } else { self.at - 1 };
            let message = "cannot have both 'except' and 'except*' on the same 'try'";
            return self.range(message, self.at - 1, last);
        }
        None
    }

    /// `print "x"`.
    fn legacy_statement(&self) -> Option<SyntaxError> {
        let name = self.at.checked_sub(1)?;
        let word = self.text(name);
        if self.before != Token::Name || !matches!(word, "print" | "exec") || !self.token.starts_expression()
        {
            return None;
        }
        if name > 0 && self.token_at(name - 1) == Some(Token::Dot) {
            return None;
        }
        let mut last = self.expression_end(self.at)?;
        while self.token_at(last + 1) == Some(Token::Comma) {
            match self.expression_end(last + 2) {
                Some(end) => last = end,
                None => break,
            }
        }
        let message = format!("Missing parentheses in call to '{word}'. Did you mean {word}(...)?");
        self.range(&message, name, last)
    }

    /// `x if y` without `else`.
    fn half_conditional(&self) -> Option<SyntaxError> {
        let is_layout = matches!(self.before, Token::Newline | Token::Dedent);
        if !self.expects("else") || is_layout || matches!(self.token, Token::Colon | Token::Else) {
            return None;
        }
        let mut depth = 0;
        let condition = (0..self.at).rev().find(|&i| {
            match self.tokens[i].0 {
                token if token.closes_bracket() => depth += 1,
                token if token.opens_bracket() => depth -= 1,
                Token::If if depth == 0 => return true,
                _ => {}
            }
            false
        })?;
        let start = self.expression_start(condition)?;
        self.range("expected 'else' after 'if' expression", start, self.at - 1)
    }

    /// Mistakes in the parameters of a `def` or `lambda`.
    fn parameters(&self) -> Option<SyntaxError> {
        let in_def = self.bracket.is_some_and(|open| self.is_def_bracket(open));
        let in_lambda = !in_def && self.in_lambda_parameters();
        if !in_def && !in_lambda {
            return None;
        }
        let ends =
            matches!(self.token, Token::Comma | Token::RParen) || in_lambda && self.token == Token::Colon;
        if self.before == Token::Equal && ends {
            return self.range("expected default value expression", self.at - 1, self.at - 1);
        }
        let is_open = matches!(self.before, Token::Comma | Token::LParen | Token::Lambda);
        if self.token == Token::LParen && is_open {
            let mut close = self.at + 1;
            while matches!(self.token_at(close), Some(Token::Name | Token::Comma)) {
                close += 1;
            }
            if self.token_at(close) == Some(Token::RParen) && close > self.at + 1 {
                let what = if in_def { "Function" } else { "Lambda expression" };
                let message = format!("{what} parameters cannot be parenthesized");
                return self.range(&message, self.at, close);
            }
        }
        None
    }

    fn is_def_bracket(&self, open: usize) -> bool {
        let mut i = open;
        if i > 0 && self.token_at(i - 1) == Some(Token::RBracket) {
            // Behind the type parameters.
            let mut depth = 0;
            while i > 0 {
                i -= 1;
                match self.tokens[i].0 {
                    token if token.closes_bracket() => depth += 1,
                    token if token.opens_bracket() => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        }
        i >= 2 && self.tokens[i - 1].0 == Token::Name && self.tokens[i - 2].0 == Token::Def
    }

    fn in_lambda_parameters(&self) -> bool {
        let mut depth = 0;
        for i in (0..self.at).rev() {
            match self.tokens[i].0 {
                token if token.closes_bracket() => depth += 1,
                token if token.opens_bracket() && depth == 0 => return false,
                token if token.opens_bracket() => depth -= 1,
                Token::Lambda if depth == 0 => return true,
                Token::Colon | Token::Newline if depth == 0 => return false,
                _ => {}
            }
        }
        false
    }

    /// Mistakes around the colon of a dict display.
    fn dict(&self) -> Option<SyntaxError> {
        let open =
            self.bracket.filter(|&open| self.tokens[open].0 == Token::LBrace && Some(open) != self.field)?;
        let ends = matches!(self.token, Token::Comma | Token::RBrace);
        if self.before == Token::Colon && ends {
            return self.range("expression expected after dictionary key and ':'", self.at - 1, self.at - 1);
        }
        if self.before == Token::Colon && self.token == Token::Star {
            let last = self.expression_end(self.at + 1).unwrap_or(self.at);
            return self.range("cannot use a starred expression in a dictionary value", self.at, last);
        }
        let has_pair = (open..self.at).any(|i| self.tokens[i].0 == Token::Colon);
        if has_pair && ends && self.expects(":") && self.before.ends_expression() {
            return self.range("':' expected after dictionary key", self.at - 1, self.at - 1);
        }
        None
    }

    /// Two expressions side by side within brackets.
    fn forgotten_comma(&self) -> Option<SyntaxError> {
        self.bracket?;
        // After `a not`, it is the `not` that begins a second expression.
        let is_not = self.before == Token::Not && self.at >= 2;
        let second = if is_not { self.at - 1 } else { self.at };
        let first_ends = second > 0 && self.tokens[second - 1].0.ends_expression();
        if !first_ends || !self.token.starts_expression() {
            return None;
        }
        let start = self.expression_start(second)?;
        // What follows these words is not a whole expression, and no place for a comma.
        let introduced_by = start.checked_sub(1).map(|i| self.tokens[i].0);
        if matches!(introduced_by, Some(Token::In | Token::If | Token::Exclamation)) {
            return None;
        }
        let is_parameter = self.bracket.is_some_and(|open| self.is_def_bracket(open))
            && !matches!(introduced_by, Some(Token::Equal | Token::Colon));
        if is_parameter || matches!(self.token_at(self.line), Some(Token::From | Token::Case)) {
            return None;
        }
        let is_soft_keyword = matches!(self.text(start), "match" | "case" | "type" | "_");
        let is_prefixed = self.tokens[start].0 == Token::Name
            && matches!(self.token_at(start + 1), Some(Token::String | Token::FStringStart));
        if is_soft_keyword
            || is_prefixed
            || second == start + 1 && matches!(self.text(start), "print" | "exec")
        {
            return None;
        }
        let end = self.expression_end(second)?;
        self.range("invalid syntax. Perhaps you forgot a comma?", start, end)
    }

    /// A token that Python insists on: the colon of a header, the bracket after a function's name.
    fn forced(&self) -> Option<SyntaxError> {
        if self.expected.len() <= 2 && self.expects("(") && self.line_keyword() == Some(Token::Def) {
            let is_name =
                self.before == Token::Name && self.at >= 2 && self.tokens[self.at - 2].0 == Token::Def;
            if is_name || self.before == Token::RBracket {
                return self.here("expected '('");
            }
        }
        if !self.expects(":") || self.bracket.is_some() {
            return None;
        }
        let insists = match self.line_keyword()? {
            Token::Def | Token::Else | Token::Try | Token::Finally => true,
            Token::If
            | Token::Elif
            | Token::While
            | Token::For
            | Token::With
            | Token::Class
            | Token::Except
            | Token::Match
            | Token::Case => self.token == Token::Newline,
            _ => false,
        };
        if insists && !self.in_lambda_parameters() {
            return self.here("expected ':'");
        }
        None
    }

    /// `function(x):` looks like an annotation up to its colon, but only a name, an attribute or a subscript
    /// can have one: it is the colon that is wrong.
    fn colon_after_no_target(&self) -> Option<SyntaxError> {
        let colon =
            self.at.checked_sub(1).filter(|_| self.before == Token::Colon && self.bracket.is_none())?;
        let mut depth = 0;
        for &(token, _) in &self.tokens[self.line..colon] {
            match token {
                Token::LParen | Token::LBrace if depth == 0 => {
                    return self.range("invalid syntax", colon, colon);
                }
                _ if token.opens_bracket() => depth += 1,
                _ if token.closes_bracket() => depth -= 1,
                Token::Name | Token::Dot => {}
                // A header, or several statements.
                _ if token.is_keyword()
                    && !matches!(token, Token::And | Token::Or | Token::Not | Token::In) =>
                {
                    return None;
                }
                Token::Semicolon | Token::Colon | Token::Equal | Token::Match | Token::Case => return None,
                _ if depth == 0 => return self.range("invalid syntax", colon, colon),
                _ => {}
            }
        }
        None
    }

    /// The keyword that begins the line, if no colon outside brackets has ended its header.
    fn line_keyword(&self) -> Option<Token> {
        let mut depth = 0;
        for i in self.line..self.at {
            match self.tokens[i].0 {
                token if token.opens_bracket() => depth += 1,
                token if token.closes_bracket() => depth -= 1,
                Token::Colon if depth == 0 && !self.is_lambda_colon(i) => return None,
                _ => {}
            }
        }
        self.token_at(self.line)
    }

    fn is_lambda_colon(&self, colon: usize) -> bool {
        let lambdas = (self.line..colon).filter(|&i| self.tokens[i].0 == Token::Lambda).count();
        let colons = (self.line..colon).filter(|&i| self.tokens[i].0 == Token::Colon).count();
        lambdas > colons
    }

    /// `f"{}"` and `f"{!r}"`.
    fn empty_field(&self) -> Option<SyntaxError> {
        if self.field? + 1 != self.at {
            return None;
        }
        match self.token {
            Token::Equal | Token::Exclamation | Token::Colon | Token::RBrace => {
                let sign = self.token.name();
                self.here(format!("f-string: valid expression required before '{sign}'"))
            }
            _ => self.here("f-string: expecting a valid expression after '{'"),
        }
    }

    /// A lambda in an f-string, whose colon begins a format spec.
    fn fstring_lambda(&self) -> Option<SyntaxError> {
        let field = self.field?;
        let mut depth = 0;
        let mut lambda = None;
        for i in field + 1..self.at {
            match self.tokens[i].0 {
                token if token.opens_bracket() => depth += 1,
                token if token.closes_bracket() => depth -= 1,
                Token::Lambda if depth == 0 => lambda = Some(i),
                Token::Colon if depth == 0 => {
                    let message = "f-string: lambda expressions are not allowed without parentheses";
                    return self.range(message, lambda?, i);
                }
                _ => {}
            }
        }
        None
    }

    /// What follows the expression in a field of an f-string.
    fn field(&self) -> Option<SyntaxError> {
        if self.field != self.bracket || !self.expects("}") && self.before != Token::Exclamation {
            return None;
        }
        if self.before == Token::Exclamation {
            return match self.token {
                Token::Colon | Token::RBrace => self.here("f-string: missing conversion character"),
                _ => self.here("f-string: invalid conversion character"),
            };
        }
        let message = if self.expects("=") {
            "f-string: expecting '=', or '!', or ':', or '}'"
        } else if self.expects("!") {
            "f-string: expecting '!', or ':', or '}'"
        } else if self.expects(":") {
            "f-string: expecting ':' or '}'"
        } else {
            "f-string: expecting '}'"
        };
        self.here(message)
    }

    /// Index at which the operand (no conditional, no lambda) that ends before `end` begins.
    fn expression_start(&self, end: usize) -> Option<usize> {
        let mut depth = 0;
        let mut start = end;
        while start > 0 {
            let token = self.tokens[start - 1].0;
            if token.closes_bracket() || token == Token::FStringEnd {
                depth += 1;
            } else if token.opens_bracket() || token == Token::FStringStart {
                if depth == 0 {
                    break;
                }
                depth -= 1;
            } else if depth == 0 && (separates(token) || token == Token::In && self.is_for_in(start - 1)) {
                break;
            }
            start -= 1;
        }
        let operand = self.tokens.get(start..end).filter(|operand| !operand.is_empty())?;
        (expression_prefix(self.source, operand) == operand.len()).then_some(start)
    }

    /// Whether this `in` belongs to a `for`.
    fn is_for_in(&self, at: usize) -> bool {
        let mut depth = 0;
        for i in (0..at).rev() {
            match self.tokens[i].0 {
                token if token.closes_bracket() => depth += 1,
                token if token.opens_bracket() && depth == 0 => return false,
                token if token.opens_bracket() => depth -= 1,
                Token::For if depth == 0 => return true,
                Token::In | Token::Newline if depth == 0 => return false,
                _ => {}
            }
        }
        false
    }

    /// Index of the last token of the longest expression that begins at `start`.
    fn expression_end(&self, start: usize) -> Option<usize> {
        let mut depth = 0;
        let rest = self.tokens.get(start..)?;
        let length = rest
            .iter()
            .position(|&(token, _)| {
                if token.opens_bracket() || token == Token::FStringStart {
                    depth += 1;
                } else if token.closes_bracket() || token == Token::FStringEnd {
                    depth -= 1;
                }
                depth < 0 || depth == 0 && matches!(token, Token::Comma | Token::Newline | Token::Equal)
            })
            .unwrap_or(rest.len());
        let length = expression_prefix(self.source, &rest[..length]);
        (length > 0).then(|| start + length - 1)
    }
}

/// Tokens that no operand contains outside brackets.
fn separates(token: Token) -> bool {
    use Token::*;
    matches!(
        token,
        Newline
            | Indent
            | Dedent
            | Comma
            | Colon
            | Semicolon
            | Equal
            | ColonEqual
            | Exclamation
            | Arrow
            | Lambda
    ) || matches!(
        token,
        If | Elif | Else | For | While | With | As | From | Import | Return | Yield | Assert | Del | Raise
    ) || matches!(
        token,
        PlusEqual
            | MinusEqual
            | StarEqual
            | DoubleStarEqual
            | SlashEqual
            | DoubleSlashEqual
            | PercentEqual
            | AtEqual
            | LeftShiftEqual
            | RightShiftEqual
            | AmpersandEqual
            | BarEqual
            | CaretEqual
    ) || matches!(token, FStringMiddle | FStringRawMiddle | Match | Case | Except)
}
