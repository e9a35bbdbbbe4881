//! The methods of arrays by name; those of sequences are in `sequence`.

use super::items::{item, items, packed};
use super::{Array, array_of, check_resizable, like, resizable, sequence, this};
use crate::call::{Call, Native};
use crate::eval::{Exc, Vm};
use crate::text::surrogate;
use crate::value::memoryview::MemoryView;
use crate::value::{List, Res, Value};

pub static ROWS: &[Native] = &[
    Native { name: ".typecode", params: "self", run: typecode, doc: "The letter of the kind." },
    Native { name: ".itemsize", params: "self", run: itemsize, doc: "How many bytes an item has." },
    Native { name: "append", params: "self, v, /", run: append, doc: "Adds an item at the end." },
    Native {
        name: "extend",
        params: "self, bb, /",
        run: extend,
        doc: "Adds the items of an iterable; an array must be of the same kind.",
    },
    Native {
        name: "fromlist",
        params: "self, list, /",
        run: from_list,
        doc: "Adds the items of a list, or none of them if one is wrong.",
    },
    Native {
        name: "frombytes",
        params: "self, buffer, /",
        run: from_bytes,
        doc: "Adds the items whose bytes these are. ValueError if the last one is incomplete.",
    },
    Native {
        name: "fromfile",
        params: "self, f, n, /",
        run: from_file,
        doc: "Adds `n` items read from a binary file. EOFError if there are fewer, which are added.",
    },
    Native {
        name: "fromunicode",
        params: "self, ustr, /",
        run: from_unicode,
        doc: "Adds the characters of a text.",
    },
    Native { name: "insert", params: "self, i, v, /", run: insert, doc: "Puts an item before a place." },
    Native {
        name: "pop",
        params: "self, i=-1, /",
        run: pop,
        doc: "Removes the item in a place and returns it. IndexError if there is none.",
    },
    Native {
        name: "remove",
        params: "self, v, /",
        run: remove,
        doc: "Removes the first item that is equal. ValueError if there is none.",
    },
    Native { name: "reverse", params: "self, /", run: reverse, doc: "Reverses the order in place." },
    Native { name: "byteswap", params: "self, /", run: byteswap, doc: "Reverses the bytes of each item." },
    Native { name: "count", params: "self, v, /", run: count, doc: "How many items are equal." },
    Native {
        name: "index",
        params: "self, v, start=0, stop=sys.maxsize, /",
        run: index,
        doc: "The place of the first item that is equal. ValueError if there is none.",
    },
    Native {
        name: "buffer_info",
        params: "self, /",
        run: buffer_info,
        doc: "Where the items are in memory, and how many there are.",
    },
    Native { name: "tolist", params: "self, /", run: to_list, doc: "The items as a list." },
    Native { name: "tobytes", params: "self, /", run: to_bytes, doc: "The bytes of all items." },
    Native {
        name: "tofile",
        params: "self, f, /",
        run: to_file,
        doc: "Writes the bytes of all items to a binary file.",
    },
    Native { name: "tounicode", params: "self, /", run: to_unicode, doc: "The characters as text." },
    Native { name: "__copy__", params: "self, /", run: copy, doc: "A new array with the same items." },
    Native {
        name: "__deepcopy__",
        params: "self, memo, /",
        run: copy,
        doc: "A new array with the same items.",
    },
    Native { name: "__buffer__", params: "self, flags, /", run: buffer, doc: "A view onto the items." },
    Native {
        name: "__release_buffer__",
        params: "self, view, /",
        run: release_buffer,
        doc: "Releases a view that `__buffer__` gave.",
    },
    Native { name: "__sizeof__", params: "self, /", run: sizeof, doc: "How many bytes of memory it takes." },
    Native { name: "__repr__", params: "self, /", run: repr, doc: "How to make it." },
    Native { name: "__len__", params: "self, /", run: sequence::len, doc: "How many items there are." },
    Native { name: "__iter__", params: "self, /", run: sequence::iter, doc: "An iterator over the items." },
    Native {
        name: "__contains__",
        params: "self, v, /",
        run: sequence::contains,
        doc: "Whether an item is equal.",
    },
    Native {
        name: "__getitem__",
        params: "self, key, /",
        run: sequence::get_item,
        doc: "The item in a place, or an array of the items of a slice.",
    },
    Native {
        name: "__setitem__",
        params: "self, key, value, /",
        run: sequence::set_item,
        doc: "Stores an item in a place, or the items of an array in a slice.",
    },
    Native {
        name: "__delitem__",
        params: "self, key, /",
        run: sequence::delete_item,
        doc: "Removes the item in a place, or those of a slice.",
    },
    Native { name: "__add__", params: "self, other, /", run: sequence::add, doc: "The items of both." },
    Native {
        name: "__iadd__",
        params: "self, other, /",
        run: sequence::add_in_place,
        doc: "Adds the items of another array.",
    },
    Native { name: "__mul__", params: "self, n, /", run: sequence::multiply, doc: "The items `n` times." },
    Native { name: "__rmul__", params: "self, n, /", run: sequence::multiply, doc: "The items `n` times." },
    Native {
        name: "__imul__",
        params: "self, n, /",
        run: sequence::multiply_in_place,
        doc: "Repeats the items `n` times.",
    },
    Native {
        name: "__eq__",
        params: "self, other, /",
        run: sequence::eq,
        doc: "Whether the items are equal.",
    },
    Native { name: "__ne__", params: "self, other, /", run: sequence::ne, doc: "Whether an item differs." },
    Native {
        name: "__lt__",
        params: "self, other, /",
        run: sequence::lt,
        doc: "Order by the first difference.",
    },
    Native {
        name: "__le__",
        params: "self, other, /",
        run: sequence::le,
        doc: "Order by the first difference.",
    },
    Native {
        name: "__gt__",
        params: "self, other, /",
        run: sequence::gt,
        doc: "Order by the first difference.",
    },
    Native {
        name: "__ge__",
        params: "self, other, /",
        run: sequence::ge,
        doc: "Order by the first difference.",
    },
];

fn typecode(call: &mut Call) -> Res {
    let code = this(call)?.code;
    Ok(Value::str(code.encode_utf8(&mut [0; 4])))
}

fn itemsize(call: &mut Call) -> Res {
    Ok(Value::size(this(call)?.format.size()))
}

// ---- adding ----

fn append(call: &mut Call) -> Res {
    let array = this(call)?;
    let bytes = packed(call.vm, &array, call.arg(1))?;
    check_resizable(call.vm, &array)?;
    array.bytes.data.borrow_mut().extend(bytes);
    Ok(Value::NONE)
}

fn extend(call: &mut Call) -> Res {
    let array = this(call)?;
    extend_by(call.vm, &array, call.arg(1))?;
    Ok(Value::NONE)
}

/// Adds the items of an iterable.
pub fn extend_by(vm: &mut Vm, array: &Array, more: &Value) -> Res<()> {
    if let Some(other) = array_of(more) {
        if other.code != array.code {
            return Err(vm.type_error("can only extend with array of same kind"));
        }
        let data = other.bytes.data.borrow().clone();
        if !data.is_empty() {
            check_resizable(vm, array)?;
        }
        array.bytes.data.borrow_mut().extend(data);
        return Ok(());
    }
    let items = vm.iter(more)?;
    while let Some(item) = vm.next(&items)? {
        let bytes = packed(vm, array, &item)?;
        check_resizable(vm, array)?;
        array.bytes.data.borrow_mut().extend(bytes);
    }
    Ok(())
}

fn from_list(call: &mut Call) -> Res {
    let array = this(call)?;
    let Some(list) = Vm::unwrap_native(call.arg(1)).get::<List>() else {
        return Err(call.vm.type_error("arg must be list"));
    };
    let len = list.len();
    let mut more = Vec::with_capacity(len * array.format.size());
    for place in 0..len {
        let item = list.at(place).filter(|_| list.len() == len);
        let Some(item) = item else {
            return Err(call.vm.runtime_error("list changed size during iteration"));
        };
        more.extend(packed(call.vm, &array, &item)?);
    }
    if list.len() != len {
        return Err(call.vm.runtime_error("list changed size during iteration"));
    }
    if !more.is_empty() {
        check_resizable(call.vm, &array)?;
    }
    array.bytes.data.borrow_mut().extend(more);
    Ok(Value::NONE)
}

fn from_bytes(call: &mut Call) -> Res {
    let array = this(call)?;
    let data = call.vm.bytes_of(call.arg(1))?;
    add_bytes(call.vm, &array, data)?;
    Ok(Value::NONE)
}

fn add_bytes(vm: &mut Vm, array: &Array, data: Vec<u8>) -> Res<()> {
    if !data.len().is_multiple_of(array.format.size()) {
        return Err(vm.value_error("bytes length not a multiple of item size"));
    }
    if !data.is_empty() {
        check_resizable(vm, array)?;
    }
    array.bytes.data.borrow_mut().extend(data);
    Ok(())
}

fn from_file(call: &mut Call) -> Res {
    let array = this(call)?;
    let count = call.int(2)?;
    if count < 0 {
        return Err(call.vm.value_error("negative count"));
    }
    let Some(wanted) = (count as usize).checked_mul(array.format.size()) else {
        return Err(call.vm.error_with(Exc::MemoryError, Vec::new()));
    };
    let read = call.vm.get_attribute(call.arg(1), &crate::value::Str::new("read"))?;
    let data = call.vm.call(&read, &[Value::size(wanted)])?;
    let Some(data) = Vm::unwrap_native(&data).get::<crate::value::Bytes>() else {
        return Err(call.vm.type_error("read() didn't return bytes"));
    };
    let is_complete = data.data().len() == wanted;
    add_bytes(call.vm, &array, data.data().to_vec())?;
    if is_complete {
        return Ok(Value::NONE);
    }
    Err(call.vm.error(Exc::EOFError, "read() didn't return enough bytes"))
}

fn from_unicode(call: &mut Call) -> Res {
    let array = this(call)?;
    let text = call.str(1)?;
    if array.code != 'u' {
        return Err(call.vm.value_error("fromunicode() may only be called on unicode type arrays"));
    }
    let codes = text.chars().flat_map(|c| surrogate::code_point(c).to_ne_bytes()).collect();
    add_bytes(call.vm, &array, codes)?;
    Ok(Value::NONE)
}

fn insert(call: &mut Call) -> Res {
    let array = this(call)?;
    let place = call.int(1)?;
    let bytes = packed(call.vm, &array, call.arg(2))?;
    check_resizable(call.vm, &array)?;
    let len = array.len() as i64;
    let place = if place < 0 { place.saturating_add(len).max(0) } else { place.min(len) } as usize;
    let at = place * array.format.size();
    array.bytes.data.borrow_mut().splice(at..at, bytes);
    Ok(Value::NONE)
}

// ---- removing and turning around ----

fn pop(call: &mut Call) -> Res {
    let array = this(call)?;
    let place = call.int_or(1, -1)?;
    let len = array.len() as i64;
    if len == 0 {
        return Err(call.vm.index_error("pop from empty array"));
    }
    let place = if place < 0 { place.saturating_add(len) } else { place };
    if !(0..len).contains(&place) {
        return Err(call.vm.index_error("pop index out of range"));
    }
    check_resizable(call.vm, &array)?;
    let found = item(&array, place as usize);
    remove_at(&array, place as usize);
    Ok(Value::opt(found))
}

fn remove_at(array: &Array, place: usize) {
    let size = array.format.size();
    array.bytes.data.borrow_mut().drain(place * size..(place + 1) * size);
}

fn remove(call: &mut Call) -> Res {
    let array = this(call)?;
    match find(call.vm, &array, call.arg(1), 0, usize::MAX)? {
        Some(place) => {
            check_resizable(call.vm, &array)?;
            if place < array.len() {
                remove_at(&array, place);
            }
            Ok(Value::NONE)
        }
        None => Err(call.vm.value_error("array.remove(x): x not in array")),
    }
}

/// The first place of an item that is equal, from one place on and before another.
pub fn find(vm: &mut Vm, array: &Array, wanted: &Value, from: usize, before: usize) -> Res<Option<usize>> {
    let mut place = from;
    while place < before
        && let Some(item) = item(array, place)
    {
        if vm.equals(&item, wanted)? {
            return Ok(Some(place));
        }
        place += 1;
    }
    Ok(None)
}

fn reverse(call: &mut Call) -> Res {
    let array = this(call)?;
    let mut data = array.bytes.data.borrow_mut();
    data.reverse();
    for item in data.chunks_exact_mut(array.format.size()) {
        item.reverse();
    }
    Ok(Value::NONE)
}

fn byteswap(call: &mut Call) -> Res {
    let array = this(call)?;
    for item in array.bytes.data.borrow_mut().chunks_exact_mut(array.format.size()) {
        item.reverse();
    }
    Ok(Value::NONE)
}

// ---- asking ----

fn count(call: &mut Call) -> Res {
    let array = this(call)?;
    let (mut count, mut from) = (0, 0);
    while let Some(place) = find(call.vm, &array, call.arg(1), from, usize::MAX)? {
        count += 1;
        from = place + 1;
    }
    Ok(Value::size(count))
}

fn index(call: &mut Call) -> Res {
    let array = this(call)?;
    let start = if call.opt(2).is_some() { call.int_clamped(2)? } else { 0 };
    let stop = if call.opt(3).is_some() { call.int_clamped(3)? } else { i64::MAX };
    let len = array.len() as i64;
    let bound = |place: i64| if place < 0 { place.saturating_add(len).max(0) } else { place } as usize;
    match find(call.vm, &array, call.arg(1), bound(start), bound(stop))? {
        Some(place) => Ok(Value::size(place)),
        None => Err(call.vm.value_error("array.index(x): x not in array")),
    }
}

fn buffer_info(call: &mut Call) -> Res {
    let array = this(call)?;
    let address = array.bytes.data.borrow().as_ptr() as usize;
    Ok(Value::tuple(vec![Value::size(address), Value::size(array.len())]))
}

fn to_list(call: &mut Call) -> Res {
    Ok(Value::list(items(&this(call)?)))
}

fn to_bytes(call: &mut Call) -> Res {
    let array = this(call)?;
    let data = array.bytes.data.borrow().clone();
    Ok(Value::bytes(data))
}

fn to_file(call: &mut Call) -> Res {
    let data = to_bytes(call)?;
    let write = call.vm.get_attribute(call.arg(1), &crate::value::Str::new("write"))?;
    call.vm.call(&write, &[data])?;
    Ok(Value::NONE)
}

/// The characters of an array of kind `u`.
fn text(vm: &mut Vm, array: &Array) -> Res<String> {
    let data = array.bytes.data.borrow();
    let mut text = String::new();
    for bytes in data.chunks_exact(4) {
        let code = u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        if code > char::MAX as u32 {
            return Err(vm.value_error(format!("character U+{code:x} is not in range [U+0000; U+10ffff]")));
        }
        text.push(surrogate::to_char(code));
    }
    Ok(text)
}

fn to_unicode(call: &mut Call) -> Res {
    let array = this(call)?;
    if array.code != 'u' {
        return Err(call.vm.value_error("tounicode() may only be called on unicode type arrays"));
    }
    Ok(Value::str(text(call.vm, &array)?))
}

fn copy(call: &mut Call) -> Res {
    let array = this(call)?;
    let data = array.bytes.data.borrow().clone();
    Ok(like(call, &array, data))
}

fn buffer(call: &mut Call) -> Res {
    this(call)?;
    Ok(MemoryView::of(call.arg(0)).map_or(Value::NONE, Value::from))
}

fn release_buffer(call: &mut Call) -> Res {
    this(call)?;
    let release = call.vm.get_attribute(call.arg(1), &crate::value::Str::new("release"))?;
    call.vm.call(&release, &[])
}

fn sizeof(call: &mut Call) -> Res {
    let array = this(call)?;
    let len = array.bytes.data.borrow().len();
    Ok(Value::size(size_of::<Array>() + len))
}

fn repr(call: &mut Call) -> Res {
    let array = this(call)?;
    let (name, code) = (call.vm.type_name(call.arg(0)), array.code);
    if array.len() == 0 {
        return Ok(Value::str(format!("{name}('{code}')")));
    }
    let shown = if code == 'u' { Value::str(text(call.vm, &array)?) } else { Value::list(items(&array)) };
    let shown = call.vm.repr_of(&shown)?;
    Ok(Value::str(format!("{name}('{code}', {shown})")))
}

/// The receiver, with as many items as `n` times its items have, which it is to hold next.
pub fn multiplied(call: &mut Call, n: i64) -> Res<(Array, Vec<u8>)> {
    let array = this(call)?;
    let data = array.bytes.data.borrow().clone();
    let n = n.max(0) as usize;
    match data.len().checked_mul(n).filter(|&total| total <= isize::MAX as usize / 2) {
        Some(0) => Ok((array, Vec::new())),
        Some(total) if total <= MAX_BYTES => Ok((array, data.repeat(n))),
        _ => Err(call.vm.error_with(Exc::MemoryError, Vec::new())),
    }
}

/// More bytes than this are not even tried.
const MAX_BYTES: usize = 1 << 40;

/// Gives the receiver other bytes.
pub fn replace_bytes(call: &mut Call, data: Vec<u8>) -> Res<()> {
    let array = this(call)?;
    if array.bytes.data.borrow().len() != data.len() {
        resizable(call)?;
    }
    *array.bytes.data.borrow_mut() = data;
    Ok(())
}
