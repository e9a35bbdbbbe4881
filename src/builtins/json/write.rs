//! Writing values as JSON.

use super::is_function;
use crate::eval::Vm;
use crate::text::{self, surrogate};
use crate::value::{Res, Value, View};
use std::fmt::Write;

/// How JSON text is to look, and what to do about odd values.
pub struct Layout {
    pub skip_keys: bool,
    pub ascii: bool,
    pub check_circular: bool,
    pub allow_nan: bool,
    pub sort_keys: bool,
    /// What one level of nesting is set in by; `None` writes everything on one line.
    pub indent: Option<String>,
    /// Between items.
    pub between: String,
    pub after_key: String,
    /// Called for values JSON does not know.
    pub default: Option<Value>,
    pub functions_are_null: bool,
}

impl Layout {
    /// Everything on one line without spaces.
    pub fn dense() -> Layout {
        Layout {
            skip_keys: false,
            ascii: false,
            check_circular: true,
            allow_nan: true,
            sort_keys: false,
            indent: None,
            between: ",".to_string(),
            after_key: ":".to_string(),
            default: None,
            functions_are_null: false,
        }
    }
}

pub struct Writer<'a> {
    vm: &'a mut Vm,
    pub out: String,
    layout: Layout,
    /// Containers being written.
    open: Vec<u64>,
}

impl<'a> Writer<'a> {
    pub fn new(vm: &'a mut Vm, layout: Layout) -> Writer<'a> {
        Writer { vm, out: String::new(), layout, open: Vec::new() }
    }

    /// Appends a value at a level of nesting.
    pub fn write(&mut self, value: &Value, level: usize) -> Res<()> {
        let inside = Vm::unwrap_native(value);
        match inside.view() {
            View::None => self.out.push_str("null"),
            View::Bool(flag) => self.out.push_str(if flag { "true" } else { "false" }),
            View::Int(int) => {
                let _ = write!(self.out, "{int}");
            }
            View::BigInt(big) => {
                let shown = self.vm.big_text(big)?;
                self.out.push_str(&shown);
            }
            View::Float(float) => self.float(float)?,
            View::Str(text) => write_string(text.as_str(), self.layout.ascii, &mut self.out),
            View::List(list) => {
                let items = list.to_vec();
                return self.guarded(value, |w| w.array(&items, level));
            }
            View::Tuple(tuple) => return self.guarded(value, |w| w.array(tuple.items(), level)),
            View::Dict(dict) => {
                let pairs = dict.pairs();
                return self.guarded(value, |w| w.object(pairs, level));
            }
            _ => return self.other(value, level),
        }
        Ok(())
    }

    fn float(&mut self, float: f64) -> Res<()> {
        if float.is_finite() {
            let _ = text::float::write_repr(float, &mut self.out);
            return Ok(());
        }
        if !self.layout.allow_nan {
            return Err(self.vm.value_error("Out of range float values are not JSON compliant"));
        }
        self.out.push_str(float_word(float));
        Ok(())
    }

    fn other(&mut self, value: &Value, level: usize) -> Res<()> {
        if self.layout.functions_are_null && is_function(value) {
            self.out.push_str("null");
            return Ok(());
        }
        let Some(default) = self.layout.default.clone() else {
            let name = self.vm.type_name(value);
            return Err(self.vm.type_error(format!("Object of type {name} is not JSON serializable")));
        };
        self.guarded(value, |w| {
            let replacement = w.vm.call(&default, std::slice::from_ref(value))?;
            w.write(&replacement, level)
        })
    }

    /// Writes a container, unless it is inside itself.
    fn guarded(&mut self, container: &Value, body: impl FnOnce(&mut Self) -> Res<()>) -> Res<()> {
        self.vm.check_depth(" while encoding a JSON object")?;
        let id = container.identity();
        if self.layout.check_circular && self.open.contains(&id) {
            return Err(self.vm.value_error("Circular reference detected"));
        }
        self.open.push(id);
        let result = body(self);
        self.open.pop();
        result
    }

    fn new_line(&mut self, level: usize) {
        if let Some(indent) = &self.layout.indent {
            self.out.push('\n');
            for _ in 0..level {
                self.out.push_str(indent);
            }
        }
    }

    fn array(&mut self, items: &[Value], level: usize) -> Res<()> {
        if items.is_empty() {
            self.out.push_str("[]");
            return Ok(());
        }
        self.out.push('[');
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.out.push_str(&self.layout.between);
            }
            self.new_line(level + 1);
            self.write(item, level + 1)?;
        }
        self.new_line(level);
        self.out.push(']');
        Ok(())
    }

    fn object(&mut self, mut pairs: Vec<(Value, Value)>, level: usize) -> Res<()> {
        if pairs.is_empty() {
            self.out.push_str("{}");
            return Ok(());
        }
        if self.layout.sort_keys {
            pairs = self.sorted(pairs)?;
        }
        self.out.push('{');
        let mut is_first = true;
        for (key, value) in &pairs {
            let Some(key) = self.key(key)? else { continue };
            if !is_first {
                self.out.push_str(&self.layout.between);
            }
            is_first = false;
            self.new_line(level + 1);
            write_string(&key, self.layout.ascii, &mut self.out);
            self.out.push_str(&self.layout.after_key);
            self.write(value, level + 1)?;
        }
        if !is_first {
            self.new_line(level);
        }
        self.out.push('}');
        Ok(())
    }

    fn sorted(&mut self, pairs: Vec<(Value, Value)>) -> Res<Vec<(Value, Value)>> {
        let pairs = pairs.into_iter().map(|(key, value)| Value::tuple(vec![key, value])).collect();
        let sorted = self.vm.sort_values(pairs, None, false)?;
        let split = |pair: &Value| match pair.get::<crate::value::Tuple>().map(|pair| pair.items()) {
            Some([key, value]) => Some((key.clone(), value.clone())),
            _ => None,
        };
        Ok(sorted.iter().filter_map(split).collect())
    }

    /// The text of a key; `None` if it is to be skipped.
    fn key(&mut self, key: &Value) -> Res<Option<String>> {
        let inside = Vm::unwrap_native(key);
        Ok(Some(match inside.view() {
            View::Str(text) => text.as_str().to_string(),
            View::Int(int) => int.to_string(),
            View::BigInt(big) => self.vm.big_text(big)?,
            View::Bool(flag) => if flag { "true" } else { "false" }.to_string(),
            View::None => "null".to_string(),
            View::Float(float) if float.is_finite() => text::float::repr(float),
            View::Float(_) if !self.layout.allow_nan => {
                return Err(self.vm.value_error("Out of range float values are not JSON compliant"));
            }
            View::Float(float) => float_word(float).to_string(),
            _ if self.layout.skip_keys => return Ok(None),
            _ => {
                let name = self.vm.type_name(key);
                let message = format!("keys must be str, int, float, bool or None, not {name}");
                return Err(self.vm.type_error(message));
            }
        }))
    }
}

fn float_word(float: f64) -> &'static str {
    if float.is_nan() {
        "NaN"
    } else if float > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// Appends a text in quotes, with the escapes JSON demands, and all beyond ASCII escaped if `ascii`.
fn write_string(text: &str, ascii: bool, out: &mut String) {
    out.push('"');
    let mut from = 0;
    for (at, c) in text.char_indices() {
        let is_plain = match c {
            '"' | '\\' | '\0'..='\x1f' => false,
            ' '..='~' => true,
            '\x7f' => !ascii,
            _ => !ascii && surrogate::from_char(c).is_none(),
        };
        if is_plain {
            continue;
        }
        out.push_str(&text[from..at]);
        from = at + c.len_utf8();
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            _ => escape(c, ascii, out),
        }
    }
    out.push_str(&text[from..]);
    out.push('"');
}

fn escape(c: char, ascii: bool, out: &mut String) {
    let code = surrogate::code_point(c);
    if code > 0xFFFF {
        let rest = code - 0x10000;
        let _ = write!(out, "\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
    } else if ascii || code < 0x20 {
        let _ = write!(out, "\\u{code:04x}");
    } else {
        // A lone surrogate stays what it is.
        out.push(c);
    }
}
