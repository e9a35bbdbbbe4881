//! The methods of `str`: each subject keeps its rows beside its functions, and this joins them.
//!
//! Strings are sequences of code points; what a method finds by byte offset it reports as a code point
//! index. Where a method changes nothing and the receiver is exactly a `str`, it gives the receiver back.

use super::{Str, affix, case, convert, search, special, split};
use crate::call::{Call, Native, count_rows, join_rows};
use crate::eval::Vm;
use crate::value::{Raised, Res, Value};

const PARTS: &[&[Native]] =
    &[convert::ROWS, search::ROWS, split::ROWS, affix::ROWS, case::ROWS, special::ROWS];

/// Every method of `str`.
pub static METHODS: &[Native] = &join_rows::<{ count_rows(PARTS) }>(PARTS);

/// A string from text just made.
pub fn made(text: String) -> Value {
    Str::from_string(text).into()
}

/// A part of the receiver as a value: the receiver itself if the part is all of it.
pub fn part_of_receiver(call: &Call, part: &str) -> Value {
    match call.arg(0).get::<Str>() {
        Some(whole) if whole.as_str().len() == part.len() => call.arg(0).clone(),
        _ => Value::str(part),
    }
}

/// An argument that must be a string, for methods whose message names no argument.
pub fn must_be_str<'a>(call: &mut Call<'a>, index: usize) -> Res<&'a str> {
    match Vm::unwrap_native(call.arg(index)).as_str() {
        Some(text) => Ok(text),
        None => {
            let got = call.vm.type_name(call.arg(index));
            Err(call.vm.type_error(format!("must be str, not {got}")))
        }
    }
}

/// An empty text with room for `len` bytes.
///
/// # Errors
/// `MemoryError` if there is no such room.
pub fn with_room(vm: &mut Vm, len: Option<usize>) -> Res<String> {
    let mut text = String::new();
    match len.map(|len| text.try_reserve_exact(len)) {
        Some(Ok(())) => Ok(text),
        _ => Err(no_memory(vm)),
    }
}

pub fn no_memory(vm: &mut Vm) -> Raised {
    vm.error_with(crate::eval::Exc::MemoryError, Vec::new())
}
