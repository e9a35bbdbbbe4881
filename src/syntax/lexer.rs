//! Source text to raw tokens, comments and line ends included; what lines mean is left to `layout`.
//!
//! `logos` finds the tokens that a regular expression can describe. This file drives it and finishes by hand
//! what it cannot: the rest of a string after its opening quote, names with letters beyond ASCII, the check
//! that a number really ends where it seems to, and f-strings. An f-string is a mode: between its quotes
//! text is scanned up to the next `{`, then ordinary tokens follow up to the matching `}`. Since fields hold
//! f-strings that hold fields, the modes form a stack.

use super::error::SyntaxError;
use super::literals;
use super::token::Token;
use crate::source::{SourceFile, Span};
use logos::Logos;
use unicode_normalization::UnicodeNormalization;

/// CPython's limit for f-strings inside the fields of f-strings.
const MAX_FSTRING_NESTING: usize = 150;
/// CPython's limit for fields inside the format specs of fields.
const MAX_SPEC_NESTING: usize = 3;

/// An f-string being read.
struct FString {
    start: Span,
    quote: u8,
    is_triple: bool,
    is_raw: bool,
    /// The fields we are in, outermost first: a field inside another's format spec is on top of it.
    fields: Vec<Field>,
}

/// A replacement field `{...}` being read.
struct Field {
    /// Brackets opened inside it and not yet closed.
    depth: usize,
    /// Past the `:`, where text is format spec rather than expression.
    in_spec: bool,
}

impl FString {
    /// Whether the next thing to read is text rather than a token of an expression.
    fn in_text(&self) -> bool {
        self.fields.last().is_none_or(|field| field.in_spec)
    }
}

/// An iterator over raw tokens. It ends after the first error.
pub struct Lexer<'s> {
    text: &'s str,
    raw: logos::Lexer<'s, Token>,
    fstrings: Vec<FString>,
    failed: bool,
}

type Lexed = Result<(Token, Span), SyntaxError>;

impl<'s> Lexer<'s> {
    pub fn new(source: &'s SourceFile) -> Lexer<'s> {
        let text: &str = &source.text;
        let mut raw = Token::lexer(text);
        if text.starts_with('\u{feff}') {
            raw.bump('\u{feff}'.len_utf8());
        }
        Lexer { text, raw, fstrings: Vec::new(), failed: false }
    }

    /// Offset just past what has been read.
    fn offset(&self) -> usize {
        self.raw.span().end
    }

    fn byte_at(&self, offset: usize) -> Option<u8> {
        self.text.as_bytes().get(offset).copied()
    }

    fn line_of(&self, offset: usize) -> usize {
        let bytes = &self.text.as_bytes()[..offset];
        let ends = |i: usize| bytes[i] == b'\n' || bytes[i] == b'\r' && self.byte_at(i + 1) != Some(b'\n');
        1 + (0..bytes.len()).filter(|&i| ends(i)).count()
    }

    fn span_from(&self, start: usize) -> Span {
        Span::new(start as u32, self.offset() as u32)
    }

    fn next_token(&mut self) -> Option<Lexed> {
        if self.fstrings.last().is_some_and(FString::in_text) {
            return self.fstring_text();
        }
        let result = self.raw.next()?;
        let span = self.raw.span();
        Some(match result {
            Ok(token) => self.finish(token, span.start),
            Err(()) => self.unrecognised(span.start),
        })
    }

    /// Completes a token whose beginning `logos` has found.
    fn finish(&mut self, token: Token, start: usize) -> Lexed {
        match token {
            Token::String => return self.string(start),
            Token::FStringStart => return self.fstring_start(start),
            Token::Int | Token::Float | Token::Imaginary => {
                literals::check_number_end(self.text, start, self.offset())?;
            }
            Token::Backslash => return self.line_continuation(start),
            Token::Name => return self.name(token, start),
            _ if token.is_keyword() => return self.name(token, start),
            _ => {}
        }
        if !self.fstrings.is_empty() {
            return self.in_field(token, start);
        }
        Ok((token, self.span_from(start)))
    }

    /// `logos` knows only ASCII names; one that goes on with other letters is completed here.
    fn name(&mut self, token: Token, start: usize) -> Lexed {
        if self.byte_at(self.offset()).is_none_or(|byte| byte.is_ascii()) {
            return Ok((token, self.span_from(start)));
        }
        self.unicode_name(start)
    }

    fn unicode_name(&mut self, start: usize) -> Lexed {
        // As Python does, take everything that might belong to the name, then judge the whole.
        let rest = &self.text[start..];
        let length =
            rest.find(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let word = &rest[..length];
        self.raw.bump(start + length - self.offset());
        let is_valid = |word: &str| {
            let mut chars = word.chars();
            chars.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c))
                && chars.all(unicode_ident::is_xid_continue)
        };
        // Python judges the spelling after normalisation, except for reporting the first bad letter.
        if is_valid(word) && is_valid(&word.nfkc().collect::<String>()) {
            return Ok((Token::Name, self.span_from(start)));
        }
        let is_bad = |&(i, c): &(usize, char)| {
            !(unicode_ident::is_xid_continue(c) && (i > 0 || c == '_' || unicode_ident::is_xid_start(c)))
        };
        let (at, bad) = word.char_indices().find(is_bad).unwrap_or((0, '\u{fffd}'));
        Err(invalid_character(bad, start + at))
    }

    fn unrecognised(&mut self, start: usize) -> Lexed {
        match self.text[start..].chars().next() {
            Some(c) if !c.is_ascii() => self.unicode_name(start),
            Some(c) => Err(invalid_character(c, start)),
            None => Err(SyntaxError::new("invalid syntax", self.span_from(start))),
        }
    }

    /// A backslash joins lines when nothing but the line end follows it.
    fn line_continuation(&mut self, start: usize) -> Lexed {
        let rest = &self.text.as_bytes()[self.offset()..];
        let length = match rest {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            [] => 0,
            _ => {
                let span = Span::new(start as u32 + 1, start as u32 + 2);
                return Err(SyntaxError::new("unexpected character after line continuation character", span));
            }
        };
        if rest.len() == length {
            let span = Span::new(start as u32 + 1, start as u32 + 1);
            return Err(SyntaxError::incomplete("unexpected EOF while parsing", span));
        }
        self.raw.bump(length);
        Ok((Token::Backslash, self.span_from(start)))
    }

    /// The rest of a string that is not an f-string.
    fn string(&mut self, start: usize) -> Lexed {
        let bytes = self.text.as_bytes();
        let (quote, is_triple) = self.opening_quote();
        let content = self.offset();
        let mut at = content;
        while let Some(&byte) = bytes.get(at) {
            if byte == quote && (!is_triple || bytes[at..].starts_with(&[quote; 3])) {
                self.raw.bump(at + if is_triple { 3 } else { 1 } - content);
                return Ok((Token::String, self.span_from(start)));
            }
            match byte {
                b'\n' | b'\r' if !is_triple => break,
                // CRLF after a backslash is one line end.
                b'\\' if bytes[at + 1..].starts_with(b"\r\n") => at += 3,
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        Err(self.unterminated_string(start, quote, is_triple))
    }

    /// The quote that `logos` has just read, and whether it was a triple one.
    fn opening_quote(&self) -> (u8, bool) {
        let bytes = self.raw.slice().as_bytes();
        let quote = bytes.last().copied().unwrap_or(b'"');
        (quote, bytes.ends_with(&[quote; 3]))
    }

    fn unterminated_string(&self, start: usize, quote: u8, is_triple: bool) -> SyntaxError {
        let place = Span::new(start as u32, start as u32 + 1);
        if let Some(outer) = self.fstrings.last()
            && outer.quote == quote
            && outer.is_triple == is_triple
        {
            return SyntaxError::new("f-string: expecting '}'", place);
        }
        self.unterminated("string", is_triple, start)
    }

    fn unterminated(&self, what: &str, is_triple: bool, start: usize) -> SyntaxError {
        let place = Span::new(start as u32, start as u32 + 1);
        if is_triple {
            let last = self.line_of(self.end_of_last_line());
            let message = format!("unterminated triple-quoted {what} literal (detected at line {last})");
            return SyntaxError::incomplete(message, place);
        }
        let message = format!("unterminated {what} literal (detected at line {})", self.last_line(start));
        SyntaxError::new(message, place)
    }

    /// The line on which a one-line string that starts at `start` stops: backslashes may carry it further.
    fn last_line(&self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = start;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'\\' if bytes[at + 1..].starts_with(b"\r\n") => at += 3,
                b'\\' => at += 2,
                b'\n' | b'\r' => break,
                _ => at += 1,
            }
        }
        self.line_of(at.min(self.end_of_last_line()))
    }

    /// The end of the text, without the line end that is its last character.
    fn end_of_last_line(&self) -> usize {
        let text = self.text.strip_suffix('\n').unwrap_or(self.text);
        text.strip_suffix('\r').unwrap_or(text).len()
    }

    fn fstring_start(&mut self, start: usize) -> Lexed {
        let (quote, is_triple) = self.opening_quote();
        let is_raw = self.raw.slice().contains(['r', 'R']);
        let span = self.span_from(start);
        if self.fstrings.len() >= MAX_FSTRING_NESTING {
            return Err(SyntaxError::new("too many nested f-strings", span));
        }
        self.fstrings.push(FString { start: span, quote, is_triple, is_raw, fields: Vec::new() });
        Ok((Token::FStringStart, span))
    }

    /// Reads text of an f-string, or the quote or brace that ends it.
    fn fstring_text(&mut self) -> Option<Lexed> {
        let bytes = self.text.as_bytes();
        let start = self.offset();
        let fstring = self.fstrings.last_mut()?;
        let in_spec = !fstring.fields.is_empty();
        let token = if fstring.is_raw { Token::FStringRawMiddle } else { Token::FStringMiddle };
        let end = text_end(bytes, start, fstring, in_spec);
        match bytes.get(end).copied() {
            _ if end > start => {
                self.raw.bump(end - start);
                Some(Ok((token, self.span_from(start))))
            }
            Some(b'{') => {
                self.raw.bump(1);
                let span = Span::new(start as u32, start as u32 + 1);
                if fstring.fields.len() >= MAX_SPEC_NESTING {
                    return Some(Err(SyntaxError::new("f-string: expressions nested too deeply", span)));
                }
                fstring.fields.push(Field { depth: 0, in_spec: false });
                Some(Ok((Token::LBrace, span)))
            }
            Some(b'}') => {
                self.raw.bump(1);
                let span = Span::new(start as u32, start as u32 + 1);
                if fstring.fields.pop().is_none() {
                    return Some(Err(SyntaxError::new("f-string: single '}' is not allowed", span)));
                }
                Some(Ok((Token::RBrace, span)))
            }
            Some(byte) if byte == fstring.quote => {
                let length = if fstring.is_triple { 3 } else { 1 };
                self.raw.bump(length);
                if in_spec {
                    let message = "f-string: expecting '}', or format specs";
                    return Some(Err(SyntaxError::new(message, self.span_from(start))));
                }
                self.fstrings.pop();
                Some(Ok((Token::FStringEnd, self.span_from(start))))
            }
            _ => {
                let (at, is_triple) = (fstring.start.start as usize, fstring.is_triple);
                Some(Err(self.unterminated("f-string", is_triple, at)))
            }
        }
    }

    /// A token inside a replacement field: notices where the field's expression ends.
    fn in_field(&mut self, token: Token, start: usize) -> Lexed {
        let mut span = self.span_from(start);
        let mut token = token;
        let Some(fstring) = self.fstrings.last_mut() else { return Ok((token, span)) };
        let Some(field) = fstring.fields.last_mut() else { return Ok((token, span)) };
        match token {
            _ if token.opens_bracket() => field.depth += 1,
            Token::RBrace if field.depth == 0 => {
                fstring.fields.pop();
            }
            _ if token.closes_bracket() && field.depth == 0 => {
                return Err(SyntaxError::new(format!("f-string: unmatched '{}'", token.name()), span));
            }
            _ if token.closes_bracket() => field.depth -= 1,
            Token::Colon if field.depth == 0 => field.in_spec = true,
            Token::ColonEqual if field.depth == 0 => {
                // `{x:=5}` is the format spec `=5`. Go back behind the colon.
                field.in_spec = true;
                token = Token::Colon;
                span.end = span.start + 1;
                let mut raw = Token::lexer(self.text);
                raw.bump(span.end as usize);
                self.raw = raw;
            }
            _ => {}
        }
        Ok((token, span))
    }
}

impl Iterator for Lexer<'_> {
    type Item = Lexed;

    fn next(&mut self) -> Option<Lexed> {
        if self.failed {
            return None;
        }
        let item = self.next_token();
        self.failed = matches!(item, Some(Err(_)));
        item
    }
}

/// Where text of an f-string that starts at `start` ends: at its closing quote, at a brace that is neither
/// doubled nor part of `\N{...}`, at a line end that may not be there, or at the end of the file.
fn text_end(bytes: &[u8], start: usize, fstring: &FString, in_spec: bool) -> usize {
    let mut at = start;
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        match byte {
            b'{' | b'}' if !in_spec && next == Some(byte) => at += 2,
            b'{' | b'}' => break,
            b'\n' | b'\r' if !fstring.is_triple => break,
            b'\\' if !fstring.is_raw && next == Some(b'N') && bytes.get(at + 2) == Some(&b'{') => {
                // Up to the brace that closes the character name, which cannot lie beyond a quote.
                let stop = |&b: &u8| b == b'}' || b == fstring.quote || b == b'\n';
                match bytes[at..].iter().position(stop) {
                    Some(length) if bytes[at + length] == b'}' => at += length + 1,
                    Some(length) => at += length,
                    None => at = bytes.len(),
                }
            }
            b'\\' if matches!(next, Some(b'{' | b'}')) => at += 1,
            b'\\' if bytes[at + 1..].starts_with(b"\r\n") => at += 3,
            b'\\' => at += 2,
            _ if byte == fstring.quote && (!fstring.is_triple || bytes[at..].starts_with(&[byte; 3])) => {
                break;
            }
            _ => at += 1,
        }
    }
    // A backslash before the end of the file, or before a letter of several bytes.
    let mut at = at.min(bytes.len());
    while at < bytes.len() && bytes[at] & 0xC0 == 0x80 {
        at += 1;
    }
    at
}

fn invalid_character(c: char, at: usize) -> SyntaxError {
    let span = Span::new(at as u32, (at + c.len_utf8()) as u32);
    let code = c as u32;
    let message = match c {
        '\0' => "source code cannot contain null bytes".to_string(),
        _ if is_printable(c) => format!("invalid character '{c}' (U+{code:04X})"),
        _ => format!("invalid non-printable character U+{code:04X}"),
    };
    SyntaxError::new(message, span)
}

/// Close to Python's `str.isprintable`: no control, format, separator (but space) or unassigned character.
fn is_printable(c: char) -> bool {
    !(c.is_control()
        || c.is_whitespace() && c != ' '
        || matches!(c as u32, 0xAD | 0x600..=0x605 | 0x61C | 0x6DD | 0x70F | 0x180E | 0x200B..=0x200F
            | 0x202A..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xFFF0..=0xFFFB | 0xE000..=0xF8FF | 0xE0000..=0xE0FFF
            | 0xF0000..=0x10FFFF))
}
