//! Strings: text indexed by code point.
//!
//! The text is a Rust string. A lone surrogate (which Python strings may hold and Rust's may not) is kept
//! as the private-use character `text::surrogate` maps it to. The hash and the number of code points are
//! computed once; a string whose byte and code point counts agree is ASCII and indexed directly.

mod affix;
mod case;
mod convert;
pub mod methods;
mod search;
pub mod special;
mod split;

use super::{Heap, Ref, Tag};
use crate::text::surrogate::code_point;
use compact_str::CompactString;
use std::cell::Cell;
use std::cmp::Ordering;
use std::hash::BuildHasher;

pub struct Str {
    text: CompactString,
    /// 0 while not computed.
    hash: Cell<u64>,
    /// `UNKNOWN` while not counted.
    chars: Cell<usize>,
    /// A code point index and its byte offset, where the last look-up of a non-ASCII string ended.
    hint: Cell<(u32, u32)>,
}

const UNKNOWN: usize = usize::MAX;

impl Str {
    pub fn new(text: &str) -> Ref<Str> {
        Str::from_compact(CompactString::new(text))
    }

    pub fn from_string(text: String) -> Ref<Str> {
        Str::from_compact(CompactString::from(text))
    }

    pub fn from_compact(text: CompactString) -> Ref<Str> {
        Ref::new(Str { text, hash: Cell::new(0), chars: Cell::new(UNKNOWN), hint: Cell::new((0, 0)) })
    }

    #[inline]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Number of code points.
    #[inline]
    pub fn len(&self) -> usize {
        let known = self.chars.get();
        if known != UNKNOWN {
            return known;
        }
        let count = self.text.chars().count();
        self.chars.set(count);
        count
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    #[inline]
    pub fn is_ascii(&self) -> bool {
        self.len() == self.text.len()
    }

    /// Never 0.
    #[inline]
    pub fn hash(&self) -> u64 {
        let known = self.hash.get();
        if known != 0 {
            return known;
        }
        let hash = hash_text(&self.text);
        self.hash.set(hash);
        hash
    }

    /// The character at a code point index.
    pub fn char_at(&self, index: usize) -> Option<char> {
        if self.is_ascii() {
            return self.text.as_bytes().get(index).map(|&b| b as char);
        }
        if index >= self.len() {
            return None;
        }
        self.text[self.byte_offset(index)..].chars().next()
    }

    /// Byte offset of a code point index; the byte length for indexes past the end.
    pub fn byte_offset(&self, index: usize) -> usize {
        if self.is_ascii() {
            return index.min(self.text.len());
        }
        let (hint_index, hint_offset) = self.hint.get();
        let (from_index, from_offset) =
            if hint_index as usize <= index { (hint_index as usize, hint_offset as usize) } else { (0, 0) };
        let rest = &self.text[from_offset..];
        let offset = match rest.char_indices().nth(index - from_index) {
            Some((at, _)) => from_offset + at,
            None => return self.text.len(),
        };
        if let (Ok(i), Ok(o)) = (u32::try_from(index), u32::try_from(offset)) {
            self.hint.set((i, o));
        }
        offset
    }

    /// Code point index of a byte offset.
    pub fn char_index(&self, offset: usize) -> usize {
        if self.is_ascii() {
            return offset;
        }
        let (hint_index, hint_offset) = self.hint.get();
        let (from_index, from_offset) =
            if hint_offset as usize <= offset { (hint_index as usize, hint_offset as usize) } else { (0, 0) };
        let index = from_index + self.text[from_offset..offset].chars().count();
        if let (Ok(i), Ok(o)) = (u32::try_from(index), u32::try_from(offset)) {
            self.hint.set((i, o));
        }
        index
    }

    /// The part between two code point indexes.
    pub fn substring(&self, start: usize, end: usize) -> &str {
        if start >= end {
            return "";
        }
        let from = self.byte_offset(start);
        let to = self.byte_offset(end);
        &self.text[from..to]
    }

    /// Order by code points. UTF-8 sorts like that, but for the characters that store lone surrogates.
    pub fn order(&self, other: &Str) -> Ordering {
        let plain = self.text.cmp(&other.text);
        if plain == Ordering::Equal || self.is_ascii() || other.is_ascii() {
            return plain;
        }
        let differ = self.text.chars().zip(other.text.chars()).find(|(a, b)| a != b);
        differ.map_or(plain, |(a, b)| code_point(a).cmp(&code_point(b)))
    }

    /// Appends in place; only for a string nobody else can see.
    pub fn push_str(&mut self, more: &str) {
        let known = self.chars.get();
        if known != UNKNOWN {
            let added = if more.is_ascii() { more.len() } else { more.chars().count() };
            self.chars.set(known + added);
        }
        self.text.push_str(more);
        self.hash.set(0);
    }
}

/// The hash of a text as dictionaries and `hash()` use it. Never 0.
pub fn hash_text(text: &str) -> u64 {
    hash_bytes(text.as_bytes())
}

pub fn hash_bytes(bytes: &[u8]) -> u64 {
    let hash = foldhash::fast::FixedState::with_seed(0x5a50_7921).hash_one(bytes);
    if hash == 0 { 1 } else { hash }
}

impl Heap for Str {
    const TAG: Tag = Tag::Str;
}
