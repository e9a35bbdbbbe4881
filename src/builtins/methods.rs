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
pub static SLICE: &[Native] = &[Native {
    name: "__new__",
    params: "cls, /, *args",
    run: super::core::flat::slice,
    doc: "`slice(sequence, start, end)` is that part of the sequence; without a sequence Python's slice object.",
}];
pub static PROPERTY: &[Native] = &[];
pub use super::io::METHODS as FILE;
pub static ITERATOR: &[Native] = &[];
pub use super::generator::METHODS as GENERATOR;
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

/// Constructors of the iterator and file types that scripts call, beside the methods all of these have.
pub fn constructor_of(name: &str) -> &'static [Native] {
    use super::core::iteration as i;
    match name {
        "enumerate" => i::ENUMERATE,
        "zip" => i::ZIP,
        "map" => i::MAP,
        "filter" => i::FILTER,
        "reversed" => i::REVERSED,
        "StringIO" => super::io::STRING_IO,
        "BytesIO" => super::io::BYTES_IO,
        _ => &[],
    }
}

/// Methods of the objects of native modules, by the name of their type.
pub fn of_foreign(name: &str) -> &'static [Native] {
    match name {
        "dict" | "_Environ" => super::mapping::METHODS,
        _ => &[],
    }
}
