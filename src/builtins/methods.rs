//! Which rows are the methods of which built-in type. The rows themselves are beside their type.

use crate::call::Native;

pub static NONE: &[Native] = &[];
pub static INT: &[Native] = &[];
pub static FLOAT: &[Native] = &[];
pub static COMPLEX: &[Native] = &[];
pub use crate::value::str::methods::METHODS as STR;
pub use crate::value::bytes::methods::BYTES;
pub use crate::value::bytes::methods::BYTEARRAY;
pub static LIST: &[Native] = &[];
pub static TUPLE: &[Native] = &[];
pub static DICT: &[Native] = &[];
pub static SET: &[Native] = &[];
pub static FROZENSET: &[Native] = &[];
pub static RANGE: &[Native] = &[];
pub static SLICE: &[Native] = &[];
pub static PROPERTY: &[Native] = &[];
pub static FILE: &[Native] = &[];
pub static ITERATOR: &[Native] = &[];
pub static DICT_KEYS: &[Native] = &[];
pub static DICT_VALUES: &[Native] = &[];
pub static DICT_ITEMS: &[Native] = &[];
pub static OBJECT: &[Native] = &[];
pub static TYPE: &[Native] = &[];

/// Methods of an exception class beyond those of its base.
pub fn of_exception(name: &str) -> &'static [Native] {
    match name {
        _ => &[],
    }
}
