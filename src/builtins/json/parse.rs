//! The JSON parser: recursive descent over the bytes of the text, guarded against deep nesting.

use crate::eval::Vm;
use crate::text::surrogate;
use crate::value::{Dict, Raised, Ref, Str, Value, dict::Map};
use std::collections::HashMap;

/// Functions that make values, and how strict to be.
#[derive(Default)]
pub struct Options {
    pub object_hook: Option<Value>,
    pub object_pairs_hook: Option<Value>,
    pub parse_float: Option<Value>,
    pub parse_int: Option<Value>,
    pub parse_constant: Option<Value>,
    /// Control characters in strings are refused.
    pub strict: bool,
    /// `NaN`, `Infinity` and `-Infinity` are numbers.
    pub constants: bool,
}

pub enum Failure {
    /// The text is wrong, at this byte.
    Wrong { message: &'static str, at: usize },
    /// An exception of a hook, or nesting too deep.
    Raised,
}

impl From<Raised> for Failure {
    fn from(_: Raised) -> Failure {
        Failure::Raised
    }
}

type Parsed<T = Value> = Result<T, Failure>;

pub struct Parser<'a> {
    vm: &'a mut Vm,
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    options: &'a Options,
    /// Keys seen so far: equal ones become one object.
    keys: HashMap<&'a str, Ref<Str>>,
}

fn wrong<T>(message: &'static str, at: usize) -> Parsed<T> {
    Err(Failure::Wrong { message, at })
}

impl<'a> Parser<'a> {
    pub fn new(vm: &'a mut Vm, text: &'a str, options: &'a Options) -> Parser<'a> {
        Parser { vm, text, bytes: text.as_bytes(), at: 0, options, keys: HashMap::new() }
    }

    /// One value and nothing after it.
    pub fn document(&mut self) -> Parsed {
        self.skip_blanks();
        let value = self.value()?;
        self.skip_blanks();
        if self.at < self.bytes.len() {
            return wrong("Extra data", self.at);
        }
        Ok(value)
    }

    /// The value that starts at a byte, and the byte after it.
    pub fn value_at(&mut self, at: usize) -> Result<(Value, usize), Failure> {
        self.at = at;
        let value = self.value()?;
        Ok((value, self.at))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Parsed {
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                let text = self.string()?;
                Ok(match text {
                    Text::Plain(start, end) => Str::new(&self.text[start..end]).into(),
                    Text::Built(text) => Str::from_string(text).into(),
                })
            }
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'n') => self.word("null", Value::NONE),
            Some(b't') => self.word("true", Value::TRUE),
            Some(b'f') => self.word("false", Value::FALSE),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'N') => self.constant("NaN", f64::NAN),
            Some(b'I') => self.constant("Infinity", f64::INFINITY),
            _ => wrong("Expecting value", self.at),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Parsed {
        if !self.text[self.at..].starts_with(word) {
            return wrong("Expecting value", self.at);
        }
        self.at += word.len();
        Ok(value)
    }

    fn constant(&mut self, word: &'static str, value: f64) -> Parsed {
        if !self.options.constants || !self.text[self.at..].starts_with(word) {
            return wrong("Expecting value", self.at);
        }
        self.at += word.len();
        match &self.options.parse_constant {
            Some(hook) => Ok(self.vm.call(hook, &[Value::str(word)])?),
            None => Ok(Value::float(value)),
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Parsed {
        let start = self.at;
        if self.peek() == Some(b'-') {
            if self.text[start..].starts_with("-Infinity") && self.options.constants {
                return self.constant("-Infinity", f64::NEG_INFINITY);
            }
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else if self.digits() == 0 {
            self.at = start;
            return wrong("Expecting value", start);
        }
        let mut is_float = false;
        let whole = self.at;
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() > 0 { is_float = true } else { self.at = whole }
        }
        let before = self.at;
        if (self.at == whole || is_float) && matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() > 0 { is_float = true } else { self.at = before }
        }
        let text = &self.text[start..self.at];
        let hook = if is_float { &self.options.parse_float } else { &self.options.parse_int };
        if let Some(hook) = hook {
            return Ok(self.vm.call(hook, &[Value::str(text)])?);
        }
        if is_float {
            return Ok(Value::float(text.parse().unwrap_or(f64::NAN)));
        }
        match text.parse::<i64>() {
            Ok(small) => Ok(Value::int(small)),
            Err(_) => Ok(self.big(text)?),
        }
    }

    /// An int beyond 64 bits, by way of `int(text)`, which knows its limits.
    fn big(&mut self, text: &str) -> Result<Value, Raised> {
        let class: Value = self.vm.types.of_tag(crate::value::Tag::Int).clone().into();
        self.vm.call(&class, &[Value::str(text)])
    }

    fn array(&mut self) -> Parsed {
        self.vm.check_depth(" while decoding a JSON array from a unicode string")?;
        self.at += 1;
        let mut items = Vec::new();
        self.skip_blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::list(items));
        }
        loop {
            items.push(self.value()?);
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::list(items));
                }
                _ => return wrong("Expecting ',' delimiter", self.at),
            }
            self.skip_blanks();
        }
    }

    fn object(&mut self) -> Parsed {
        self.vm.check_depth(" while decoding a JSON object from a unicode string")?;
        self.at += 1;
        let mut map = Map::default();
        let mut pairs = Vec::new();
        let wants_pairs = self.options.object_pairs_hook.is_some();
        self.skip_blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return self.finish_object(map, pairs);
        }
        loop {
            if self.peek() != Some(b'"') {
                return wrong("Expecting property name enclosed in double quotes", self.at);
            }
            self.at += 1;
            let key = self.key()?;
            self.skip_blanks();
            if self.peek() != Some(b':') {
                return wrong("Expecting ':' delimiter", self.at);
            }
            self.at += 1;
            self.skip_blanks();
            let value = self.value()?;
            if wants_pairs {
                pairs.push(Value::tuple(vec![key.into(), value]));
            } else {
                map.set_str(&key, value);
            }
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return self.finish_object(map, pairs);
                }
                _ => return wrong("Expecting ',' delimiter", self.at),
            }
            self.skip_blanks();
        }
    }

    fn finish_object(&mut self, map: Map, pairs: Vec<Value>) -> Parsed {
        if let Some(hook) = &self.options.object_pairs_hook {
            return Ok(self.vm.call(hook, &[Value::list(pairs)])?);
        }
        let dict: Value = Dict::new(map).into();
        match &self.options.object_hook {
            Some(hook) => Ok(self.vm.call(hook, &[dict])?),
            None => Ok(dict),
        }
    }

    fn key(&mut self) -> Parsed<Ref<Str>> {
        match self.string()? {
            Text::Plain(start, end) => {
                let text = &self.text[start..end];
                Ok(self.keys.entry(text).or_insert_with(|| Str::new(text)).clone())
            }
            Text::Built(text) => Ok(Str::from_string(text)),
        }
    }

    /// The rest of a string after its opening quote.
    fn string(&mut self) -> Parsed<Text> {
        let open = self.at - 1;
        let start = self.at;
        let mut built: Option<String> = None;
        let mut from = start;
        loop {
            match self.peek() {
                None => return wrong("Unterminated string starting at", open),
                Some(b'"') => {
                    let end = self.at;
                    self.at += 1;
                    return Ok(match built {
                        None => Text::Plain(start, end),
                        Some(mut text) => {
                            text.push_str(&self.text[from..end]);
                            Text::Built(text)
                        }
                    });
                }
                Some(b'\\') => {
                    let mut text = built.take().unwrap_or_default();
                    text.push_str(&self.text[from..self.at]);
                    self.escape(open, &mut text)?;
                    from = self.at;
                    built = Some(text);
                }
                Some(0..=0x1f) if self.options.strict => {
                    return wrong("Invalid control character at", self.at);
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self, open: usize, out: &mut String) -> Parsed<()> {
        let backslash = self.at;
        self.at += 1;
        let Some(kind) = self.peek() else { return wrong("Unterminated string starting at", open) };
        let c = match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(out),
            _ => return wrong("Invalid \\escape", backslash),
        };
        self.at += 1;
        out.push(c);
        Ok(())
    }

    /// `\uXXXX`, or two of them for a character beyond 16 bits. The position is at the `u`.
    fn unicode_escape(&mut self, out: &mut String) -> Parsed<()> {
        let first = self.four_digits()?;
        let is_high = (0xD800..0xDC00).contains(&first);
        if is_high && self.text[self.at..].starts_with("\\u") {
            let before = self.at;
            self.at += 1;
            if let Ok(second @ 0xDC00..0xE000) = self.four_digits() {
                let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                out.push(surrogate::to_char(code));
                return Ok(());
            }
            self.at = before;
        }
        out.push(surrogate::to_char(first));
        Ok(())
    }

    fn four_digits(&mut self) -> Parsed<u32> {
        let digits = self.bytes.get(self.at + 1..self.at + 5).unwrap_or_default();
        let is_hex = digits.len() == 4 && digits.iter().all(u8::is_ascii_hexdigit);
        let code = std::str::from_utf8(digits).ok().and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match code {
            Some(code) if is_hex => {
                self.at += 5;
                Ok(code)
            }
            _ => wrong("Invalid \\uXXXX escape", self.at),
        }
    }
}

/// A string: as it stands in the text, or put together.
enum Text {
    Plain(usize, usize),
    Built(String),
}
