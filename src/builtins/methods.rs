//! Which rows are the methods of which built-in type. The rows themselves are beside their type.

use crate::call::Native;
use crate::value::{
    complex_methods, descriptor_methods, dict_methods, dict_view_methods, exception_methods, float_methods,
    function_methods, generic_alias, int_methods, iterator_methods, list_methods, module_methods,
    object_methods, range_methods, set_methods, tuple_methods, type_methods, union,
};

pub static NONE: &[Native] = object_methods::NONE;
pub static ELLIPSIS: &[Native] = object_methods::ELLIPSIS;
pub static NOT_IMPLEMENTED: &[Native] = object_methods::NOT_IMPLEMENTED;
pub static INT: &[Native] = int_methods::INT;
pub static BOOL: &[Native] = int_methods::BOOL;
pub static FLOAT: &[Native] = float_methods::FLOAT;
pub static COMPLEX: &[Native] = complex_methods::COMPLEX;
pub use crate::value::bytes::methods::BYTEARRAY;
pub use crate::value::bytes::methods::BYTES;
pub use crate::value::mapping_proxy::ROWS as MAPPING_PROXY;
pub use crate::value::memoryview::methods::ROWS as MEMORY_VIEW;
pub use crate::value::str::methods::METHODS as STR;
pub static LIST: &[Native] = list_methods::LIST;
pub static TUPLE: &[Native] = tuple_methods::TUPLE;
pub static DICT: &[Native] = dict_methods::DICT;
pub static SET: &[Native] = set_methods::SET;
pub static FROZENSET: &[Native] = set_methods::FROZENSET;
pub static RANGE: &[Native] = range_methods::RANGE;
pub static SLICE: &[Native] = range_methods::SLICE;
pub static PROPERTY: &[Native] = descriptor_methods::PROPERTY;
pub static STATIC_METHOD: &[Native] = descriptor_methods::STATIC_METHOD;
pub static CLASS_METHOD: &[Native] = descriptor_methods::CLASS_METHOD;
pub static FUNCTION: &[Native] = function_methods::FUNCTION;
pub static METHOD: &[Native] = function_methods::METHOD;
pub static BUILTIN: &[Native] = function_methods::BUILTIN;
pub static DESCRIPTOR: &[Native] = function_methods::DESCRIPTOR;
pub static CELL: &[Native] = function_methods::CELL;
pub static MEMBER: &[Native] = descriptor_methods::MEMBER;
pub static MODULE: &[Native] = module_methods::MODULE;
pub static SUPER: &[Native] = descriptor_methods::SUPER;
pub use super::io::METHODS as FILE;
pub static ITERATOR: &[Native] = iterator_methods::ITERATOR;
pub use super::generator::METHODS as GENERATOR;
pub static DICT_KEYS: &[Native] = dict_view_methods::SET_VIEW;
pub static DICT_VALUES: &[Native] = dict_view_methods::VALUES_VIEW;
pub static DICT_ITEMS: &[Native] = dict_view_methods::SET_VIEW;
pub static OBJECT: &[Native] = object_methods::OBJECT;
pub static TYPE: &[Native] = type_methods::TYPE;

/// Methods of an exception class beyond those of its base.
pub fn of_exception(name: &str) -> &'static [Native] {
    exception_methods::of(name)
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
        "TextIOWrapper" => super::io::TEXT_WRAPPER,
        "BufferedReader" => super::io::BUFFERED_READER,
        "BufferedWriter" => super::io::BUFFERED_WRITER,
        "BufferedRandom" => super::io::BUFFERED_RANDOM,
        "FileIO" => super::io::FILE_IO,
        super::deque::ITERATOR => super::deque::ITERATOR_ROWS,
        super::deque::REVERSE_ITERATOR => super::deque::REVERSE_ITERATOR_ROWS,
        _ => super::itertools::rows_of(name),
    }
}

/// Methods of the objects of native modules, by the name of their type.
pub fn of_foreign(name: &str) -> &'static [Native] {
    match name {
        "dict" | "_Environ" => super::mapping::METHODS,
        crate::value::weak::TYPE_NAME => super::weakref::METHODS,
        super::functools::KEY_TYPE => super::functools::KEY_ROWS,
        super::hashlib::TYPE_NAME => super::hashlib::METHODS,
        super::zlib::DEFLATER => super::zlib::DEFLATER_ROWS,
        super::zlib::INFLATER => super::zlib::INFLATER_ROWS,
        super::struct_::TYPE_NAME => super::struct_::METHODS,
        super::struct_::ITERATOR_TYPE => super::struct_::ITERATOR,
        super::random::TYPE_NAME => super::random::METHODS,
        super::traceback::TRACEBACK_TYPE => super::traceback::TRACEBACK,
        super::frame::TYPE_NAME => super::frame::ROWS,
        super::code::TYPE_NAME => super::code::ROWS,
        super::re::PATTERN_TYPE => super::re::PATTERN,
        super::re::MATCH_TYPE => super::re::MATCH,
        super::re::ITERATOR_TYPE => super::re::ITERATOR,
        union::TYPE_NAME => union::UNION,
        generic_alias::TYPE_NAME => generic_alias::GENERIC_ALIAS,
        _ => &[],
    }
}
