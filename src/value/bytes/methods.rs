//! The methods of `bytes` and `bytearray`: each subject keeps its rows beside its functions, and this joins
//! them.
//!
//! The two types share all methods that change nothing; what those give is of the receiver's type. A method
//! of `bytearray` never holds a borrow of its data while a script may run: arguments are read first.

use super::{ByteArray, Bytes, affix, array, case, convert, search, special, split};
use crate::builtins::array::array_of;
use crate::call::{Call, Native, count_rows, join_rows};
use crate::eval::Vm;
use crate::value::{Res, Tag, Value, View};
use std::borrow::Cow;

const BYTES_PARTS: &[&[Native]] =
    &[convert::BYTES_ROWS, convert::ROWS, search::ROWS, split::ROWS, affix::ROWS, case::ROWS, special::ROWS];

const BYTEARRAY_PARTS: &[&[Native]] = &[
    convert::BYTEARRAY_ROWS,
    convert::ROWS,
    search::ROWS,
    split::ROWS,
    affix::ROWS,
    case::ROWS,
    special::ROWS,
    array::ROWS,
    crate::value::reduce::BYTEARRAY,
];

/// Every method of `bytes`.
pub static BYTES: &[Native] = &join_rows::<{ count_rows(BYTES_PARTS) }>(BYTES_PARTS);

/// Every method of `bytearray`.
pub static BYTEARRAY: &[Native] = &join_rows::<{ count_rows(BYTEARRAY_PARTS) }>(BYTEARRAY_PARTS);

/// The data of the receiver.
pub fn receiver<'a>(call: &mut Call<'a>) -> Res<Cow<'a, [u8]>> {
    match contents(call.receiver()) {
        Some(data) => Ok(data),
        None => Err(call.wrong_receiver(Tag::Bytes)),
    }
}

/// The data of an argument that must be bytes-like.
pub fn like<'a>(call: &mut Call<'a>, index: usize) -> Res<Cow<'a, [u8]>> {
    let value = call.arg(index);
    match contents(Vm::unwrap_native(value)) {
        Some(data) => Ok(data),
        None => call.vm.bytes_of(value).map(Cow::Owned),
    }
}

/// Whether a value is bytes-like.
pub fn is_bytes_like(value: &Value) -> bool {
    matches!(Vm::unwrap_native(value).tag(), Tag::Bytes | Tag::ByteArray | Tag::MemoryView)
}

/// The data of a bytes-like value; a copy if it may change.
pub fn contents(value: &Value) -> Option<Cow<'_, [u8]>> {
    match value.view() {
        View::Bytes(bytes) => Some(Cow::Borrowed(bytes.data())),
        View::ByteArray(bytes) => Some(Cow::Owned(bytes.data.borrow().clone())),
        View::MemoryView(view) if !view.is_released() => Some(Cow::Owned(view.to_bytes())),
        View::Foreign(_) => array_of(value).map(|array| Cow::Owned(array.bytes.data.borrow().clone())),
        _ => None,
    }
}

/// A value of the receiver's type.
pub fn made(call: &Call, data: impl Into<Vec<u8>>) -> Value {
    let data = data.into();
    if call.receiver().is::<ByteArray>() {
        return ByteArray::new(data).into();
    }
    match call.arg(0).get::<Bytes>() {
        // What did not change is the object itself.
        Some(own) if own.data() == data => call.arg(0).clone(),
        _ => Bytes::new(data).into(),
    }
}

/// White space in the sense of bytes.
pub fn white_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
