//! From Python's pattern syntax to that of the engine, in one pass.
//!
//! The order of things and the messages are those of Python's own parser (`re/_parser.py`). Each item is
//! written for the engine as soon as it is read, with all flags spelled out, so that only case folding is
//! left to an inline flag; its width is kept for the check of look-behinds. Groups keep their numbers and
//! lose their names.

use super::set::{Mode, Set, SetItem, write_char};
use super::{ASCII, DEBUG, DOTALL, IGNORECASE, LOCALE, MULTILINE, TEMPLATE, UNICODE, VERBOSE};
use crate::text::surrogate;

/// Stands for `$` in the text for the engine; no literal is ever written as this character.
pub const DOLLAR: char = '\u{1}';
/// Stands for `\B`, which is nowhere in an empty text.
pub const NO_BOUNDARY: char = '\u{2}';
/// The engine refuses deeper nesting.
const MAX_NESTING: usize = 28;
const MAX_REPEAT: u64 = 4_294_967_295;
const MAX_GROUPS: u64 = 1_073_741_823;
/// Widths beyond any text.
const MAX_WIDTH: u64 = u64::MAX;

const GLOBAL_FLAGS: i64 = DEBUG | TEMPLATE;
const TYPE_FLAGS: i64 = ASCII | LOCALE | UNICODE;

/// What is wrong with a pattern.
pub enum Problem {
    /// `re.error`, with the place as an index of characters.
    Syntax(String, Option<usize>),
    Overflow(&'static str),
    Value(&'static str),
    TooDeep,
}

type Parsed<T> = Result<T, Problem>;

/// A pattern written for the engine.
pub struct Translated {
    pub text: String,
    pub flags: i64,
    /// How many groups there are, the whole match not counted.
    pub groups: usize,
    /// Group names in order of their numbers.
    pub names: Vec<(String, usize)>,
    /// For each group, how many groups were closed before it.
    pub closing: Vec<usize>,
    /// `$` is in it.
    pub has_dollar: bool,
}

/// A character of the pattern, with the one after it if it is a backslash.
#[derive(Clone, Copy, PartialEq)]
struct Token {
    first: char,
    escaped: Option<char>,
}

impl Token {
    fn is(self, c: char) -> bool {
        self.first == c && self.escaped.is_none()
    }

    fn len(self) -> usize {
        1 + self.escaped.is_some() as usize
    }
}

/// The characters of a pattern or template, read token by token.
pub struct Source<'a> {
    chars: &'a [char],
    /// Where the token after `next` starts.
    index: usize,
    next: Option<Token>,
    is_text: bool,
}

impl<'a> Source<'a> {
    fn new(chars: &'a [char], is_text: bool) -> Parsed<Source<'a>> {
        let mut source = Source { chars, index: 0, next: None, is_text };
        source.advance()?;
        Ok(source)
    }

    fn advance(&mut self) -> Parsed<()> {
        let Some(&first) = self.chars.get(self.index) else {
            self.next = None;
            return Ok(());
        };
        let mut token = Token { first, escaped: None };
        if first == '\\' {
            token.escaped = self.chars.get(self.index + 1).copied();
            if token.escaped.is_none() {
                let place = self.chars.len() - 1;
                return Err(Problem::Syntax("bad escape (end of pattern)".into(), Some(place)));
            }
        }
        self.index += token.len();
        self.next = Some(token);
        Ok(())
    }

    fn get(&mut self) -> Parsed<Option<Token>> {
        let this = self.next;
        self.advance()?;
        Ok(this)
    }

    fn take(&mut self, c: char) -> Parsed<bool> {
        let found = self.next_is(c);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn next_is(&self, c: char) -> bool {
        self.next.is_some_and(|t| t.is(c))
    }

    /// The next character if it is a plain one that passes a test.
    fn next_if(&self, test: impl Fn(char) -> bool) -> Option<char> {
        self.next.filter(|t| t.escaped.is_none() && test(t.first)).map(|t| t.first)
    }

    /// Up to `count` characters that pass a test.
    fn get_while(&mut self, count: usize, test: impl Fn(char) -> bool) -> Parsed<String> {
        let mut found = String::new();
        for _ in 0..count {
            let Some(c) = self.next_if(&test) else { break };
            found.push(c);
            self.advance()?;
        }
        Ok(found)
    }

    /// The text up to a terminator, which is read as well.
    fn get_until(&mut self, terminator: char, what: &str) -> Parsed<String> {
        let mut found = String::new();
        loop {
            let Some(token) = self.next else {
                if found.is_empty() {
                    return Err(self.error(format!("missing {what}"), 0));
                }
                let length = found.chars().count();
                return Err(self.error(format!("missing {terminator}, unterminated name"), length));
            };
            self.advance()?;
            if token.is(terminator) {
                if found.is_empty() {
                    return Err(self.error(format!("missing {what}"), 1));
                }
                return Ok(found);
            }
            found.push(token.first);
            found.extend(token.escaped);
        }
    }

    fn tell(&self) -> usize {
        self.index - self.next.map_or(0, Token::len)
    }

    fn seek(&mut self, index: usize) -> Parsed<()> {
        self.index = index;
        self.advance()
    }

    /// An error `back` characters before the next token.
    fn error(&self, message: impl Into<String>, back: usize) -> Problem {
        Problem::Syntax(message.into(), Some(self.tell().saturating_sub(back)))
    }

    fn check_name(&self, name: &str, back: usize) -> Parsed<()> {
        if is_identifier(name) {
            return Ok(());
        }
        let message = format!("bad character in group name {}", quoted(name));
        Err(self.error(message, name.chars().count() + back))
    }
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c))
        && chars.all(unicode_ident::is_xid_continue)
}

fn quoted(text: &str) -> String {
    crate::text::repr_str(text)
}

/// What an item is, as far as a quantifier after it cares.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Item,
    /// `^`, `\b` and the like.
    Place,
    Repeat,
}

/// A part of a pattern in the engine's syntax.
struct Piece {
    text: String,
    min: u64,
    max: u64,
    kind: Kind,
    /// A quantifier may follow the text as it is.
    is_atom: bool,
}

impl Piece {
    fn item(text: String, min: u64, max: u64) -> Piece {
        Piece { text, min, max, kind: Kind::Item, is_atom: true }
    }

    fn place(text: &str) -> Piece {
        Piece { text: text.to_string(), min: 0, max: 0, kind: Kind::Place, is_atom: true }
    }

    fn lookaround(text: String) -> Piece {
        Piece { text, min: 0, max: 0, kind: Kind::Item, is_atom: false }
    }
}

/// Parses a pattern; `flags` are those given beside it.
pub fn parse(pattern: &[char], is_text: bool, flags: i64) -> Parsed<Translated> {
    let mut parser = Parser {
        source: Source::new(pattern, is_text)?,
        flags,
        global_flags: flags,
        names: Vec::new(),
        widths: vec![None],
        closed: Vec::new(),
        lookbehind_groups: None,
        conditions: Vec::new(),
        has_dollar: false,
    };
    let whole = parser.alternation(0)?;
    let global = fix_flags(parser.global_flags, is_text)?;
    if parser.source.next.is_some() {
        return Err(parser.source.error("unbalanced parenthesis", 0));
    }
    for &(group, place) in &parser.conditions {
        if group as usize >= parser.widths.len() {
            return Err(Problem::Syntax(format!("invalid group reference {group}"), Some(place)));
        }
    }
    let folds = folds(global, is_text);
    let mut closing = vec![0; parser.widths.len()];
    for (order, group) in parser.closed.iter().enumerate() {
        closing[*group] = order;
    }
    Ok(Translated {
        text: if folds { format!("(?i){}", whole.text) } else { whole.text },
        flags: global,
        groups: parser.widths.len() - 1,
        names: parser.names,
        closing,
        has_dollar: parser.has_dollar,
    })
}

/// Whether the engine folds case; text under `re.A` is folded by hand.
fn folds(flags: i64, is_text: bool) -> bool {
    flags & IGNORECASE != 0 && (!is_text || flags & ASCII == 0)
}

fn fix_flags(flags: i64, is_text: bool) -> Parsed<i64> {
    if is_text {
        if flags & LOCALE != 0 {
            return Err(Problem::Value("cannot use LOCALE flag with a str pattern"));
        }
        if flags & ASCII == 0 {
            return Ok(flags | UNICODE);
        }
        if flags & UNICODE != 0 {
            return Err(Problem::Value("ASCII and UNICODE flags are incompatible"));
        }
    } else {
        if flags & UNICODE != 0 {
            return Err(Problem::Value("cannot use UNICODE flag with a bytes pattern"));
        }
        if flags & LOCALE != 0 && flags & ASCII != 0 {
            return Err(Problem::Value("ASCII and LOCALE flags are incompatible"));
        }
    }
    Ok(flags)
}

struct Parser<'a> {
    source: Source<'a>,
    /// In force here.
    flags: i64,
    global_flags: i64,
    names: Vec<(String, usize)>,
    /// Least and greatest width of each group; `None` while it is open.
    widths: Vec<Option<(u64, u64)>>,
    /// Groups in the order in which they were closed.
    closed: Vec<usize>,
    /// How many groups there were where the outermost look-behind started.
    lookbehind_groups: Option<usize>,
    /// Groups that conditions ask about, with the place of the question.
    conditions: Vec<(u64, usize)>,
    has_dollar: bool,
}

impl Parser<'_> {
    fn mode(&self) -> Mode {
        Mode {
            is_text: self.source.is_text,
            is_ascii: !self.source.is_text || self.flags & ASCII != 0,
            folds_ascii: self.source.is_text && self.flags & ASCII != 0 && self.flags & IGNORECASE != 0,
        }
    }

    fn has(&self, flag: i64) -> bool {
        self.flags & flag != 0
    }

    /// `a|b|c`; the text has no alternation outside parentheses unless it is the whole pattern.
    fn alternation(&mut self, nested: usize) -> Parsed<Piece> {
        if nested > MAX_NESTING {
            return Err(Problem::TooDeep);
        }
        let mut branches = vec![self.sequence(nested, nested == 0)?];
        while self.source.take('|')? {
            branches.push(self.sequence(nested, false)?);
        }
        let min = branches.iter().map(|b| b.min).min().unwrap_or(0);
        let max = branches.iter().map(|b| b.max).max().unwrap_or(0);
        let texts: Vec<String> = branches.into_iter().map(|b| b.text).collect();
        Ok(Piece::item(texts.join("|"), min, max))
    }

    /// Items one after the other.
    fn sequence(&mut self, nested: usize, is_first: bool) -> Parsed<Piece> {
        let mut items: Vec<Piece> = Vec::new();
        while let Some(token) = self.source.next {
            if token.is('|') || token.is(')') {
                break;
            }
            self.source.advance()?;
            if self.has(VERBOSE) && token.escaped.is_none() {
                if matches!(token.first, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c') {
                    continue;
                }
                if token.first == '#' {
                    while self.source.get()?.is_some_and(|t| !t.is('\n')) {}
                    continue;
                }
            }
            if let Some(escaped) = token.escaped {
                items.push(self.escape(escaped)?);
                continue;
            }
            match token.first {
                '[' => items.push(self.set()?),
                '(' => items.extend(self.group(nested, is_first && items.is_empty())?),
                '?' | '*' | '+' | '{' => self.quantifier(token.first, &mut items)?,
                '.' => items.push(self.dot()),
                '^' if self.has(MULTILINE) => items.push(Piece::place("(?m:^)")),
                '^' => items.push(Piece::place(r"\A")),
                '$' if self.has(MULTILINE) => items.push(Piece::place("(?m:$)")),
                '$' => {
                    self.has_dollar = true;
                    items.push(Piece::place(&DOLLAR.to_string()));
                }
                c => items.push(self.literal(surrogate::code_point(c))),
            }
        }
        let min = items.iter().fold(0u64, |sum, p| sum.saturating_add(p.min));
        let max = items.iter().fold(0u64, |sum, p| sum.saturating_add(p.max));
        Ok(Piece::item(items.into_iter().map(|p| p.text).collect(), min, max))
    }

    fn literal(&self, code: u32) -> Piece {
        let mut text = String::new();
        let c = surrogate::to_char(code);
        if self.mode().folds_ascii && c.is_ascii_alphabetic() {
            text = format!("[{}{}]", c.to_ascii_lowercase(), c.to_ascii_uppercase());
        } else {
            write_char(c, self.source.is_text, &mut text);
        }
        Piece::item(text, 1, 1)
    }

    fn dot(&self) -> Piece {
        let any = if self.has(DOTALL) { "(?s:.)" } else { r"[^\n]" };
        Piece::item(any.to_string(), 1, 1)
    }

    // ---- escapes ----

    /// `\d`, `\W`, ...
    fn category(c: char) -> Option<SetItem> {
        Some(match c {
            'd' => SetItem::Digit(true),
            'D' => SetItem::Digit(false),
            's' => SetItem::Space(true),
            'S' => SetItem::Space(false),
            'w' => SetItem::Word(true),
            'W' => SetItem::Word(false),
            _ => return None,
        })
    }

    fn escape(&mut self, c: char) -> Parsed<Piece> {
        if let Some(category) = Parser::category(c) {
            let text = Set { items: vec![category], negated: false }.text(self.mode());
            return Ok(Piece::item(text, 1, 1));
        }
        match c {
            'A' => return Ok(Piece::place(r"\A")),
            'Z' => return Ok(Piece::place(r"\z")),
            'b' | 'B' => return Ok(self.boundary(c == 'b')),
            _ => {}
        }
        if let Some(code) = simple_escape(c) {
            return Ok(self.literal(code));
        }
        if let Some(code) = self.numeric_escape(c)? {
            return Ok(self.literal(code));
        }
        if c == '0' {
            let more = self.source.get_while(2, is_octal)?;
            return Ok(self.literal(octal(&more)));
        }
        if c.is_ascii_digit() {
            return self.group_or_octal(c);
        }
        if c.is_ascii_alphabetic() {
            return Err(self.source.error(format!("bad escape \\{c}"), 2));
        }
        Ok(self.literal(surrogate::code_point(c)))
    }

    /// `\xhh`, `\uhhhh`, `\Uhhhhhhhh` and `\N{name}`.
    fn numeric_escape(&mut self, c: char) -> Parsed<Option<u32>> {
        let count = match c {
            'x' => 2,
            'u' if self.source.is_text => 4,
            'U' if self.source.is_text => 8,
            'N' if self.source.is_text => return self.named_character().map(Some),
            _ => return Ok(None),
        };
        let digits = self.source.get_while(count, |c| c.is_ascii_hexdigit())?;
        let length = digits.len() + 2;
        if digits.len() != count {
            return Err(self.source.error(format!("incomplete escape \\{c}{digits}"), length));
        }
        match u32::from_str_radix(&digits, 16) {
            Ok(code) if code <= 0x10_FFFF => Ok(Some(code)),
            _ => Err(self.source.error(format!("bad escape \\{c}{digits}"), length)),
        }
    }

    fn named_character(&mut self) -> Parsed<u32> {
        if !self.source.take('{')? {
            return Err(self.source.error("missing {", 0));
        }
        let name = self.source.get_until('}', "character name")?;
        match unicode_names2::character(&name) {
            Some(c) => Ok(c as u32),
            None => {
                let back = name.chars().count() + 4;
                Err(self.source.error(format!("undefined character name {}", quoted(&name)), back))
            }
        }
    }

    /// `\1` and so on: a group, or a character by three octal digits.
    fn group_or_octal(&mut self, first: char) -> Parsed<Piece> {
        let mut digits = first.to_string();
        if let Some(second) = self.source.next_if(|c| c.is_ascii_digit()) {
            digits.push(second);
            self.source.advance()?;
            if is_octal(first)
                && is_octal(second)
                && let Some(third) = self.source.next_if(is_octal)
            {
                digits.push(third);
                self.source.advance()?;
                let code = octal(&digits);
                if code > 0o377 {
                    return Err(self.bad_octal(&digits));
                }
                return Ok(self.literal(code));
            }
        }
        let length = digits.len() + 1;
        let group: usize = digits.parse().unwrap_or(usize::MAX);
        if group >= self.widths.len() {
            return Err(self.source.error(format!("invalid group reference {group}"), length - 1));
        }
        self.reference(group, length)
    }

    fn bad_octal(&self, digits: &str) -> Problem {
        let message = format!("octal escape value \\{digits} outside of range 0-0o377");
        self.source.error(message, digits.len() + 1)
    }

    /// What group `group` matched, once more.
    fn reference(&mut self, group: usize, back: usize) -> Parsed<Piece> {
        let Some((min, max)) = self.widths[group] else {
            return Err(self.source.error("cannot refer to an open group", back));
        };
        self.check_lookbehind_group(group)?;
        let text = if self.mode().folds_ascii { format!("(?i:\\{group})") } else { format!("(?:\\{group})") };
        Ok(Piece::item(text, min, max))
    }

    fn check_lookbehind_group(&self, group: usize) -> Parsed<()> {
        let Some(count) = self.lookbehind_groups else { return Ok(()) };
        if self.widths.get(group).copied().flatten().is_none() {
            return Err(self.source.error("cannot refer to an open group", 0));
        }
        if group >= count {
            let message = "cannot refer to group defined in the same lookbehind subpattern";
            return Err(self.source.error(message, 0));
        }
        Ok(())
    }

    fn boundary(&self, is_positive: bool) -> Piece {
        let mode = self.mode();
        if !mode.is_text || !mode.is_ascii {
            return Piece::place(&if is_positive { r"\b".to_string() } else { NO_BOUNDARY.to_string() });
        }
        const WORD: &str = "[0-9A-Za-z_]";
        Piece::place(&if is_positive {
            format!("(?:(?<={WORD})(?!{WORD})|(?<!{WORD})(?={WORD}))")
        } else {
            format!(r"(?:(?<={WORD})(?={WORD})|(?<!{WORD})(?!{WORD})(?!\A\z))")
        })
    }

    // ---- sets ----

    fn set(&mut self) -> Parsed<Piece> {
        let here = self.source.tell() - 1;
        let negated = self.source.take('^')?;
        let mut items = Vec::new();
        loop {
            let Some(token) = self.source.get()? else { return Err(self.open_set(here)) };
            if token.is(']') && !items.is_empty() {
                break;
            }
            let start = self.set_member(token)?;
            if !self.source.take('-')? {
                items.push(start);
                continue;
            }
            let Some(last) = self.source.get()? else { return Err(self.open_set(here)) };
            if last.is(']') {
                items.push(start);
                items.push(SetItem::Range('-' as u32, '-' as u32));
                break;
            }
            let end = self.set_member(last)?;
            items.push(self.range(start, end, token, last)?);
        }
        let set = Set { items, negated };
        let text = match set.single() {
            Some(code) => return Ok(self.literal(code)),
            None => set.text(self.mode()),
        };
        Ok(Piece::item(text, 1, 1))
    }

    fn open_set(&self, here: usize) -> Problem {
        self.source.error("unterminated character set", self.source.tell() - here)
    }

    fn range(&self, start: SetItem, end: SetItem, first: Token, last: Token) -> Parsed<SetItem> {
        match (start, end) {
            (SetItem::Range(low, _), SetItem::Range(high, _)) if low <= high => Ok(SetItem::Range(low, high)),
            _ => {
                let shown = format!("{}-{}", first.text(), last.text());
                Err(self.source.error(format!("bad character range {shown}"), shown.chars().count()))
            }
        }
    }

    /// One character or category inside `[]`.
    fn set_member(&mut self, token: Token) -> Parsed<SetItem> {
        let one = |code: u32| Ok(SetItem::Range(code, code));
        let Some(c) = token.escaped else { return one(surrogate::code_point(token.first)) };
        if let Some(category) = Parser::category(c) {
            return Ok(category);
        }
        if c == 'b' {
            return one(8);
        }
        if let Some(code) = simple_escape(c) {
            return one(code);
        }
        if let Some(code) = self.numeric_escape(c)? {
            return one(code);
        }
        if is_octal(c) {
            let digits = format!("{c}{}", self.source.get_while(2, is_octal)?);
            let code = octal(&digits);
            return if code > 0o377 { Err(self.bad_octal(&digits)) } else { one(code) };
        }
        if c.is_ascii_alphanumeric() {
            return Err(self.source.error(format!("bad escape \\{c}"), 2));
        }
        one(surrogate::code_point(c))
    }

    // ---- quantifiers ----

    fn quantifier(&mut self, sign: char, items: &mut Vec<Piece>) -> Parsed<()> {
        let here = self.source.tell();
        let (min, max) = match sign {
            '?' => (0, Some(1)),
            '*' => (0, None),
            '+' => (1, None),
            _ => match self.counts(here)? {
                Some(counts) => counts,
                None => {
                    items.push(self.literal('{' as u32));
                    return Ok(());
                }
            },
        };
        let back = self.source.tell() - here + 1;
        let Some(item) = items.last_mut().filter(|item| item.kind != Kind::Place) else {
            return Err(self.source.error("nothing to repeat", back));
        };
        if item.kind == Kind::Repeat {
            return Err(self.source.error("multiple repeat", back));
        }
        if item.max == 0 {
            return self.repeat_nothing(min, max, items);
        }
        let atom = if item.is_atom { std::mem::take(&mut item.text) } else { format!("(?:{})", item.text) };
        let counts = match (min, max) {
            (0, Some(1)) => "?".to_string(),
            (0, None) => "*".to_string(),
            (1, None) => "+".to_string(),
            (min, None) => format!("{{{min},}}"),
            (min, Some(max)) if min == max => format!("{{{min}}}"),
            (min, Some(max)) => format!("{{{min},{max}}}"),
        };
        item.min = item.min.saturating_mul(min);
        item.max = match max {
            Some(max) => item.max.saturating_mul(max),
            None if item.max == 0 => 0,
            None => MAX_WIDTH,
        };
        item.kind = Kind::Repeat;
        item.text = if self.source.take('?')? {
            format!("{atom}{counts}?")
        } else if self.source.take('+')? {
            format!("(?>{atom}{counts})")
        } else {
            format!("{atom}{counts}")
        };
        Ok(())
    }

    /// A quantifier after what takes no room: once is as good as many times, and the engine wants it so.
    fn repeat_nothing(&mut self, min: u64, max: Option<u64>, items: &mut [Piece]) -> Parsed<()> {
        let is_lazy = self.source.take('?')?;
        let is_possessive = !is_lazy && self.source.take('+')?;
        let Some(item) = items.last_mut() else { return Ok(()) };
        let text = std::mem::take(&mut item.text);
        item.text = match (min, max) {
            (_, Some(0)) => format!("(?:(?:{text}){{0}})"),
            (0, _) if is_lazy => format!("(?:|{text})"),
            (0, _) if is_possessive => format!("(?>{text}|)"),
            (0, _) => format!("(?:{text}|)"),
            _ => format!("(?:{text})"),
        };
        item.kind = Kind::Repeat;
        item.is_atom = true;
        Ok(())
    }

    /// The counts of `{m,n}`; `None` if the brace is just a character.
    fn counts(&mut self, here: usize) -> Parsed<Option<(u64, Option<u64>)>> {
        if self.source.next_is('}') {
            return Ok(None);
        }
        let low = self.source.get_while(usize::MAX, |c| c.is_ascii_digit())?;
        let mut high = low.clone();
        if self.source.take(',')? {
            high = self.source.get_while(usize::MAX, |c| c.is_ascii_digit())?;
        }
        if !self.source.take('}')? {
            self.source.seek(here)?;
            return Ok(None);
        }
        let count = |digits: &str| match digits.parse::<u64>() {
            Ok(count) if count < MAX_REPEAT => Ok(count),
            _ => Err(Problem::Overflow("the repetition number is too large")),
        };
        let min = if low.is_empty() { 0 } else { count(&low)? };
        let max = if high.is_empty() { None } else { Some(count(&high)?) };
        if max.is_some_and(|max| max < min) {
            let back = self.source.tell() - here;
            return Err(self.source.error("min repeat greater than max repeat", back));
        }
        Ok(Some((min, max)))
    }

    // ---- groups ----

    /// What an opening parenthesis starts; nothing for comments and flags.
    fn group(&mut self, nested: usize, is_first: bool) -> Parsed<Option<Piece>> {
        let start = self.source.tell() - 1;
        if !self.source.take('?')? {
            return self.capture(nested, start, None).map(Some);
        }
        let Some(token) = self.source.get()? else {
            return Err(self.source.error("unexpected end of pattern", 0));
        };
        match token.first {
            _ if token.escaped.is_some() => {
                let message = format!("unknown extension ?{}", token.text());
                Err(self.source.error(message, token.len() + 1))
            }
            'P' => self.python_extension(nested, start).map(Some),
            ':' => self.plain_group("(?:", nested, start).map(Some),
            '>' => self.plain_group("(?>", nested, start).map(Some),
            '#' => self.comment(start),
            '=' => self.lookaround("(?=", false, nested, start).map(Some),
            '!' => self.lookaround("(?!", false, nested, start).map(Some),
            '<' => self.lookbehind(nested, start).map(Some),
            '(' => self.conditional(nested, start).map(Some),
            c if c == '-' || flag(c).is_some() => self.flag_group(c, nested, start, is_first),
            c => Err(self.source.error(format!("unknown extension ?{c}"), 2)),
        }
    }

    fn close(&mut self, start: usize) -> Parsed<()> {
        if self.source.take(')')? {
            return Ok(());
        }
        let back = self.source.tell() - start;
        Err(self.source.error("missing ), unterminated subpattern", back))
    }

    fn capture(&mut self, nested: usize, start: usize, name: Option<String>) -> Parsed<Piece> {
        let group = self.widths.len();
        self.widths.push(None);
        if group as u64 > MAX_GROUPS {
            return Err(self.source.error("too many groups", 0));
        }
        if let Some(name) = name {
            if let Some((_, other)) = self.names.iter().find(|(n, _)| *n == name) {
                let shown = quoted(&name);
                let message =
                    format!("redefinition of group name {shown} as group {group}; was group {other}");
                return Err(self.source.error(message, name.chars().count() + 1));
            }
            self.names.push((name, group));
        }
        let inside = self.alternation(nested + 1)?;
        self.close(start)?;
        self.widths[group] = Some((inside.min, inside.max));
        self.closed.push(group);
        Ok(Piece::item(format!("({})", inside.text), inside.min, inside.max))
    }

    fn plain_group(&mut self, open: &str, nested: usize, start: usize) -> Parsed<Piece> {
        let inside = self.alternation(nested + 1)?;
        self.close(start)?;
        Ok(Piece::item(format!("{open}{})", inside.text), inside.min, inside.max))
    }

    /// `(?P<name>...)` and `(?P=name)`
    fn python_extension(&mut self, nested: usize, start: usize) -> Parsed<Piece> {
        if self.source.take('<')? {
            let name = self.source.get_until('>', "group name")?;
            self.source.check_name(&name, 1)?;
            return self.capture(nested, start, Some(name));
        }
        if self.source.take('=')? {
            let name = self.source.get_until(')', "group name")?;
            self.source.check_name(&name, 1)?;
            let group = self.group_of(&name)?;
            return self.reference(group, name.chars().count() + 1);
        }
        match self.source.get()? {
            None => Err(self.source.error("unexpected end of pattern", 0)),
            Some(token) => {
                let message = format!("unknown extension ?P{}", token.text());
                Err(self.source.error(message, token.len() + 2))
            }
        }
    }

    fn group_of(&self, name: &str) -> Parsed<usize> {
        match self.names.iter().find(|(n, _)| n == name) {
            Some((_, group)) => Ok(*group),
            None => {
                let message = format!("unknown group name {}", quoted(name));
                Err(self.source.error(message, name.chars().count() + 1))
            }
        }
    }

    fn comment(&mut self, start: usize) -> Parsed<Option<Piece>> {
        loop {
            match self.source.get()? {
                None => {
                    let back = self.source.tell() - start;
                    return Err(self.source.error("missing ), unterminated comment", back));
                }
                Some(token) if token.is(')') => return Ok(None),
                Some(_) => {}
            }
        }
    }

    fn lookaround(&mut self, open: &str, is_behind: bool, nested: usize, start: usize) -> Parsed<Piece> {
        let outer = self.lookbehind_groups;
        if is_behind && outer.is_none() {
            self.lookbehind_groups = Some(self.widths.len());
        }
        let inside = self.alternation(nested + 1)?;
        self.lookbehind_groups = outer;
        self.close(start)?;
        if is_behind && inside.min != inside.max {
            return Err(Problem::Syntax("look-behind requires fixed-width pattern".into(), None));
        }
        Ok(Piece::lookaround(format!("{open}{})", inside.text)))
    }

    fn lookbehind(&mut self, nested: usize, start: usize) -> Parsed<Piece> {
        match self.source.get()? {
            None => Err(self.source.error("unexpected end of pattern", 0)),
            Some(token) if token.is('=') => self.lookaround("(?<=", true, nested, start),
            Some(token) if token.is('!') => self.lookaround("(?<!", true, nested, start),
            Some(token) => {
                let message = format!("unknown extension ?<{}", token.text());
                Err(self.source.error(message, token.len() + 2))
            }
        }
    }

    /// `(?(group)yes|no)`
    fn conditional(&mut self, nested: usize, start: usize) -> Parsed<Piece> {
        let name = self.source.get_until(')', "group name")?;
        let length = name.chars().count() + 1;
        let group = if is_identifier(&name) {
            self.group_of(&name)?
        } else {
            let Ok(number) = name.parse::<u64>() else {
                let message = format!("bad character in group name {}", quoted(&name));
                return Err(self.source.error(message, length));
            };
            if number == 0 {
                return Err(self.source.error("bad group number", length));
            }
            if number >= MAX_GROUPS {
                return Err(self.source.error(format!("invalid group reference {number}"), length));
            }
            self.conditions.push((number, self.source.tell() - length));
            number as usize
        };
        self.check_lookbehind_group(group)?;
        if nested > MAX_NESTING {
            return Err(Problem::TooDeep);
        }
        let yes = self.sequence(nested + 1, false)?;
        let mut no = Piece::item(String::new(), 0, 0);
        if self.source.take('|')? {
            no = self.sequence(nested + 1, false)?;
            if self.source.next_is('|') {
                return Err(self.source.error("conditional backref with more than two branches", 0));
            }
        }
        self.close(start)?;
        let text = format!("(?({group}){}|{})", yes.text, no.text);
        Ok(Piece::item(text, yes.min.min(no.min), yes.max.max(no.max)))
    }

    // ---- flags ----

    /// `(?i)` and `(?i-s:...)`
    fn flag_group(
        &mut self,
        first: char,
        nested: usize,
        start: usize,
        is_first: bool,
    ) -> Parsed<Option<Piece>> {
        let Some((add, remove)) = self.inline_flags(first)? else {
            if !is_first {
                let back = self.source.tell() - start;
                return Err(self.source.error("global flags not at the start of the expression", back));
            }
            return Ok(None);
        };
        let outer = self.flags;
        if add & TYPE_FLAGS != 0 {
            self.flags &= !TYPE_FLAGS;
        }
        self.flags = (self.flags | add) & !remove;
        let is_text = self.source.is_text;
        let open = match (folds(outer, is_text), folds(self.flags, is_text)) {
            (false, true) => "(?i:",
            (true, false) => "(?-i:",
            _ => "(?:",
        };
        let inside = self.plain_group(open, nested, start);
        self.flags = outer;
        inside.map(Some)
    }

    /// Flags to add and to remove; `None` if they are for the whole pattern, which then has them.
    fn inline_flags(&mut self, first: char) -> Parsed<Option<(i64, i64)>> {
        let (mut add, mut remove) = (0, 0);
        let mut c = first;
        if c != '-' {
            loop {
                let bit = flag(c).unwrap_or(0);
                self.check_type_flag(c)?;
                add |= bit;
                if bit & TYPE_FLAGS != 0 && add & TYPE_FLAGS != bit {
                    let message = "bad inline flags: flags 'a', 'u' and 'L' are incompatible";
                    return Err(self.source.error(message, 0));
                }
                c = self.flag_character("missing -, : or )", &[')', '-', ':'])?;
                if matches!(c, ')' | '-' | ':') {
                    break;
                }
            }
        }
        if c == ')' {
            self.global_flags |= add;
            self.flags |= add;
            return Ok(None);
        }
        if add & GLOBAL_FLAGS != 0 {
            return Err(self.source.error("bad inline flags: cannot turn on global flag", 1));
        }
        if c == '-' {
            c = self.flag_character("missing flag", &[])?;
            loop {
                let bit = flag(c).unwrap_or(0);
                if bit & TYPE_FLAGS != 0 {
                    let message = "bad inline flags: cannot turn off flags 'a', 'u' and 'L'";
                    return Err(self.source.error(message, 0));
                }
                remove |= bit;
                c = self.flag_character("missing :", &[':'])?;
                if c == ':' {
                    break;
                }
            }
        }
        if remove & GLOBAL_FLAGS != 0 {
            return Err(self.source.error("bad inline flags: cannot turn off global flag", 1));
        }
        if add & remove != 0 {
            return Err(self.source.error("bad inline flags: flag turned on and off", 1));
        }
        Ok(Some((add, remove)))
    }

    fn check_type_flag(&self, c: char) -> Parsed<()> {
        let message = match (self.source.is_text, c) {
            (true, 'L') => "bad inline flags: cannot use 'L' flag with a str pattern",
            (false, 'u') => "bad inline flags: cannot use 'u' flag with a bytes pattern",
            _ => return Ok(()),
        };
        Err(self.source.error(message, 0))
    }

    /// The next flag letter, or one of `ends`.
    fn flag_character(&mut self, missing: &str, ends: &[char]) -> Parsed<char> {
        let Some(token) = self.source.get()? else { return Err(self.source.error(missing, 0)) };
        if token.escaped.is_none() && (ends.contains(&token.first) || flag(token.first).is_some()) {
            return Ok(token.first);
        }
        let is_letter = token.escaped.is_none() && token.first.is_alphabetic();
        Err(self.source.error(if is_letter { "unknown flag" } else { missing }, token.len()))
    }
}

impl Token {
    fn text(self) -> String {
        self.escaped.map_or(self.first.to_string(), |c| format!("\\{c}"))
    }
}

fn flag(c: char) -> Option<i64> {
    Some(match c {
        'i' => IGNORECASE,
        'L' => LOCALE,
        'm' => MULTILINE,
        's' => DOTALL,
        'x' => VERBOSE,
        'a' => ASCII,
        't' => TEMPLATE,
        'u' => UNICODE,
        _ => return None,
    })
}

fn is_octal(c: char) -> bool {
    ('0'..='7').contains(&c)
}

fn octal(digits: &str) -> u32 {
    u32::from_str_radix(digits, 8).unwrap_or(0)
}

/// `\n` and its like.
fn simple_escape(c: char) -> Option<u32> {
    Some(match c {
        'a' => 7,
        'f' => 12,
        'n' => 10,
        'r' => 13,
        't' => 9,
        'v' => 11,
        '\\' => 92,
        _ => return None,
    })
}

// ---- replacement templates ----

/// A replacement: literal texts, and groups between them.
pub enum Part {
    Literal(String),
    Group(usize),
}

/// What is wrong with a replacement.
pub enum TemplateProblem {
    Problem(Problem),
    /// `IndexError: unknown group name`
    UnknownName(String),
}

impl From<Problem> for TemplateProblem {
    fn from(problem: Problem) -> TemplateProblem {
        TemplateProblem::Problem(problem)
    }
}

/// Parses a replacement for a pattern with these groups.
pub fn template(
    text: &[char],
    is_text: bool,
    groups: usize,
    names: &[(String, usize)],
) -> Result<Vec<Part>, TemplateProblem> {
    let mut source = Source::new(text, is_text)?;
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut add_group = |group: usize, back: usize, literal: &mut String, source: &Source| {
        if group > groups {
            return Err(source.error(format!("invalid group reference {group}"), back));
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(literal)));
        }
        parts.push(Part::Group(group));
        Ok(())
    };
    while let Some(token) = source.get()? {
        let Some(c) = token.escaped else {
            literal.push(token.first);
            continue;
        };
        match c {
            'g' => {
                let (group, length) = template_group(&mut source, names)?;
                add_group(group, length + 1, &mut literal, &source)?;
            }
            '0' => {
                let digits = source.get_while(2, is_octal)?;
                literal.push(surrogate::to_char(octal(&digits) & 0xff));
            }
            '1'..='9' => {
                let mut digits = c.to_string();
                if let Some(second) = source.next_if(|c| c.is_ascii_digit()) {
                    source.advance()?;
                    digits.push(second);
                    if is_octal(c)
                        && is_octal(second)
                        && let Some(third) = source.next_if(is_octal)
                    {
                        source.advance()?;
                        digits.push(third);
                        let code = octal(&digits);
                        if code > 0o377 {
                            let message = format!("octal escape value \\{digits} outside of range 0-0o377");
                            return Err(source.error(message, digits.len() + 1).into());
                        }
                        literal.push(surrogate::to_char(code));
                        continue;
                    }
                }
                let group = digits.parse().unwrap_or(usize::MAX);
                add_group(group, digits.len(), &mut literal, &source)?;
            }
            _ => match simple_escape(c).or((c == 'b').then_some(8)) {
                Some(code) => literal.push(surrogate::to_char(code)),
                None if c.is_ascii_alphabetic() => {
                    return Err(source.error(format!("bad escape \\{c}"), 2).into());
                }
                None => {
                    literal.push('\\');
                    literal.push(c);
                }
            },
        }
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

/// The group of `\g<name>` and the length of its name.
fn template_group(source: &mut Source, names: &[(String, usize)]) -> Result<(usize, usize), TemplateProblem> {
    if !source.take('<')? {
        return Err(source.error("missing <", 0).into());
    }
    let name = source.get_until('>', "group name")?;
    let length = name.chars().count();
    if is_identifier(&name) {
        return match names.iter().find(|(n, _)| *n == name) {
            Some((_, group)) => Ok((*group, length)),
            None => Err(TemplateProblem::UnknownName(name)),
        };
    }
    match name.parse::<u64>() {
        Ok(number) if number < MAX_GROUPS => Ok((number as usize, length)),
        Ok(number) => Err(source.error(format!("invalid group reference {number}"), length + 1).into()),
        Err(_) => {
            let message = format!("bad character in group name {}", quoted(&name));
            Err(source.error(message, length + 1).into())
        }
    }
}
