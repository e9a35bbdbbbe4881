//! Characters and sets of characters in the engine's syntax.

use crate::text::surrogate;
use std::fmt::Write;

/// What decides how characters are written.
#[derive(Clone, Copy)]
pub struct Mode {
    pub is_text: bool,
    /// `\d`, `\s` and `\w` mean ASCII only.
    pub is_ascii: bool,
    /// Case is ignored for ASCII letters only, which the engine cannot do with text.
    pub folds_ascii: bool,
}

/// A member of a set: code points from the first to the last, or a category or what is not in it.
#[derive(Clone, Copy, PartialEq)]
pub enum SetItem {
    Range(u32, u32),
    Digit(bool),
    Space(bool),
    Word(bool),
}

pub struct Set {
    pub items: Vec<SetItem>,
    pub negated: bool,
}

impl Set {
    /// The one character the set has, if it has just one.
    pub fn single(&self) -> Option<u32> {
        match self.items[..] {
            [SetItem::Range(low, high)] if low == high && !self.negated => Some(low),
            _ => None,
        }
    }

    pub fn text(&self, mode: Mode) -> String {
        let mut out = String::from(if self.negated { "[^" } else { "[" });
        for &item in &self.items {
            match item {
                SetItem::Range(low, high) => write_range(low, high, mode, &mut out),
                SetItem::Digit(yes) => {
                    write_category(if mode.is_ascii { "0-9" } else { r"\d" }, yes, &mut out)
                }
                SetItem::Space(yes) => {
                    // Python counts the four separators of ASCII as white space, the engine does not.
                    let space = if mode.is_ascii { r"\x{9}-\x{D}\x{20}" } else { r"\s\x{1C}-\x{1F}" };
                    write_category(space, yes, &mut out);
                }
                SetItem::Word(yes) => {
                    let word = if mode.is_ascii { "0-9A-Za-z_" } else { r"\p{L}\p{N}_" };
                    write_category(word, yes, &mut out);
                }
            }
        }
        out.push(']');
        out
    }
}

fn write_category(members: &str, is_in: bool, out: &mut String) {
    if is_in {
        out.push_str(members);
    } else {
        out.push_str("[^");
        out.push_str(members);
        out.push(']');
    }
}

const SURROGATES: (u32, u32) = (0xD800, 0xDFFF);

fn write_range(low: u32, high: u32, mode: Mode, out: &mut String) {
    // Surrogates are stored elsewhere, so a range may have a hole.
    let parts = [(low, high.min(SURROGATES.0 - 1)), (low.max(SURROGATES.1 + 1), high)];
    for (low, high) in parts {
        if low <= high {
            write_ends(low, high, mode.is_text, out);
        }
    }
    let (low_surrogate, high_surrogate) = (low.max(SURROGATES.0), high.min(SURROGATES.1));
    if low_surrogate <= high_surrogate {
        let stored = |code| surrogate::to_char(code) as u32;
        write_ends(stored(low_surrogate), stored(high_surrogate), mode.is_text, out);
    }
    if mode.folds_ascii {
        let swapped = |first: char, last: char, other: char, out: &mut String| {
            let (from, to) = (low.max(first as u32), high.min(last as u32));
            if from <= to {
                let shift = |code: u32| code - first as u32 + other as u32;
                write_ends(shift(from), shift(to), true, out);
            }
        };
        swapped('a', 'z', 'A', out);
        swapped('A', 'Z', 'a', out);
    }
}

fn write_ends(low: u32, high: u32, is_text: bool, out: &mut String) {
    let c = |code: u32| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    write_char(c(low), is_text, out);
    if high > low {
        out.push('-');
        write_char(c(high), is_text, out);
    }
}

/// Writes a character so that it means itself, in a set and outside.
pub fn write_char(c: char, is_text: bool, out: &mut String) {
    if c.is_ascii_alphanumeric() || is_text && !c.is_ascii() && c.is_alphanumeric() {
        out.push(c);
    } else {
        // Writing to a string cannot fail.
        let _ = write!(out, "\\x{{{:X}}}", c as u32);
    }
}
