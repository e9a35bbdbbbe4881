//! The methods and attributes of `memoryview`.

use super::MemoryView;
use super::cast::cast;
use super::items::{self, Picked, alive, equal};
use crate::call::{Call, Native};
use crate::value::bytes::convert::hex_of;
use crate::value::iterator::IterState;
use crate::value::{Iter, Res, Value};

pub static ROWS: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, object",
        doc: "A view onto the bytes of a bytes-like object; it copies nothing.",
        run: new,
    },
    Native {
        name: "tobytes",
        params: "self, order='C'",
        doc: "The bytes of all items, copied; `order` is `C` (by rows), `F` (by columns), `A` or none.",
        run: to_bytes,
    },
    Native {
        name: "tolist",
        params: "self, /",
        doc: "The items as a list, nested by dimensions.",
        run: to_list,
    },
    Native {
        name: "hex",
        params: "self, sep=None, bytes_per_sep=1",
        doc: "The bytes as hexadecimal digits, as `bytes.hex` gives them.",
        run: hex,
    },
    Native {
        name: "cast",
        params: "self, format, shape=None",
        doc: "The same bytes as items of another format (one letter of `struct`), or in another shape.",
        run: cast,
    },
    Native {
        name: "release",
        params: "self, /",
        doc: "Lets go of the object; the view is of no use afterwards.",
        run: release,
    },
    Native {
        name: "toreadonly",
        params: "self, /",
        doc: "A view that cannot change anything.",
        run: to_readonly,
    },
    Native { name: "__enter__", params: "self, /", doc: "The view itself.", run: enter },
    Native { name: "__exit__", params: "self, /, *error", doc: "Releases the view.", run: release },
    Native { name: "__len__", params: "self, /", doc: "Items of the first dimension.", run: len },
    Native { name: "__getitem__", params: "self, key, /", doc: "`self[key]`.", run: get_item },
    Native { name: "__setitem__", params: "self, key, value, /", doc: "`self[key] = value`.", run: set_item },
    Native { name: "__delitem__", params: "self, key, /", doc: "Always a TypeError.", run: delete_item },
    Native { name: "__iter__", params: "self, /", doc: "An iterator over the items.", run: iter },
    Native { name: "__reversed__", params: "self, /", doc: "The items from the last on.", run: reversed },
    Native {
        name: "__hash__",
        params: "self, /",
        doc: "The hash of the bytes; they must be fixed.",
        run: hash,
    },
    Native { name: "__eq__", params: "self, value, /", doc: "`self == value`.", run: eq },
    Native { name: "__ne__", params: "self, value, /", doc: "`self != value`.", run: ne },
    Native { name: "__repr__", params: "self, /", doc: "That it is memory, and where.", run: repr },
    Native { name: ".obj", params: "self", doc: "The object it looks at.", run: obj },
    Native { name: ".nbytes", params: "self", doc: "How many bytes the items have.", run: nbytes },
    Native { name: ".readonly", params: "self", doc: "Whether it changes nothing.", run: readonly },
    Native {
        name: ".format",
        params: "self",
        doc: "The format of an item, as `struct` has it.",
        run: format,
    },
    Native { name: ".itemsize", params: "self", doc: "Bytes of one item.", run: itemsize },
    Native { name: ".ndim", params: "self", doc: "How many dimensions it has.", run: ndim },
    Native { name: ".shape", params: "self", doc: "Items of each dimension.", run: shape },
    Native {
        name: ".strides",
        params: "self",
        doc: "Bytes from item to item in each dimension.",
        run: strides,
    },
    Native { name: ".suboffsets", params: "self", doc: "Always empty.", run: suboffsets },
    Native {
        name: ".c_contiguous",
        params: "self",
        doc: "Whether rows stand side by side.",
        run: c_contiguous,
    },
    Native {
        name: ".f_contiguous",
        params: "self",
        doc: "Whether columns stand side by side.",
        run: f_contiguous,
    },
    Native { name: ".contiguous", params: "self", doc: "Whether items stand side by side.", run: contiguous },
];

fn new(call: &mut Call) -> Res {
    let object = call.arg(1);
    if let Some(view) = object.get::<MemoryView>() {
        alive(call.vm, view)?;
    }
    match MemoryView::of(object) {
        Some(view) => Ok(view.into()),
        None => {
            if let Some(method) = call.vm.special_method(object, "__buffer__")? {
                // A view of the object behind it, not of a copy.
                let buffer = call.vm.call(&method, &[Value::int(0)])?;
                if let Some(view) = buffer.get::<MemoryView>() {
                    alive(call.vm, view)?;
                }
                if let Some(view) = MemoryView::of(&buffer) {
                    return Ok(view.into());
                }
            }
            if let Some(data) = call.vm.buffer_of(object)? {
                return Ok(MemoryView::of(&Value::bytes(data)).map_or(Value::NONE, Value::from));
            }
            let got = call.vm.type_name(object);
            Err(call.vm.type_error(format!("memoryview: a bytes-like object is required, not '{got}'")))
        }
    }
}

/// The receiver, which must not be released.
fn this<'a>(call: &mut Call<'a>) -> Res<&'a MemoryView> {
    let view = call.this::<MemoryView>()?;
    alive(call.vm, view)?;
    Ok(view)
}

fn to_bytes(call: &mut Call) -> Res {
    let view = this(call)?;
    let order = match call.opt_not_none(1) {
        Some(value) => match value.as_str() {
            Some(order) => order,
            None => {
                let got = call.vm.type_name(value);
                let message = format!("tobytes() argument 'order' must be str or None, not {got}");
                return Err(call.vm.type_error(message));
            }
        },
        None => "C",
    };
    match order {
        "C" => Ok(Value::bytes(view.to_bytes())),
        "A" if !view.layout.is_f_contiguous() => Ok(Value::bytes(view.to_bytes())),
        "F" | "A" => Ok(Value::bytes(view.gather(&view.layout.places_by_column()))),
        _ => Err(call.vm.value_error("order must be 'C', 'F' or 'A'")),
    }
}

fn to_list(call: &mut Call) -> Res {
    Ok(items::to_list(this(call)?))
}

fn hex(call: &mut Call) -> Res {
    let data = this(call)?.to_bytes();
    hex_of(call, &data)
}

fn release(call: &mut Call) -> Res {
    call.this::<MemoryView>()?.release();
    Ok(Value::NONE)
}

fn to_readonly(call: &mut Call) -> Res {
    let view = this(call)?;
    Ok(MemoryView::new(view.object(), view.layout.clone(), true).into())
}

fn enter(call: &mut Call) -> Res {
    this(call)?;
    Ok(call.arg(0).clone())
}

fn len(call: &mut Call) -> Res {
    let view = this(call)?;
    match view.layout.shape.is_empty() {
        true => Err(call.vm.type_error("0-dim memory has no length")),
        false => Ok(Value::size(view.len())),
    }
}

fn get_item(call: &mut Call) -> Res {
    let view = this(call)?;
    let picked = items::picked(call.vm, view, call.arg(1))?;
    alive(call.vm, view)?;
    Ok(match picked {
        Picked::Item(at) => items::item(view, at),
        Picked::Part(layout) => view.part(layout).into(),
    })
}

fn set_item(call: &mut Call) -> Res {
    let view = this(call)?;
    items::store(call.vm, view, call.arg(1), call.arg(2))?;
    Ok(Value::NONE)
}

fn delete_item(call: &mut Call) -> Res {
    let view = this(call)?;
    let message = if view.is_readonly { "cannot modify read-only memory" } else { "cannot delete memory" };
    Err(call.vm.type_error(message))
}

fn iter(call: &mut Call) -> Res {
    let view = this(call)?;
    match view.layout.shape.len() {
        1 => Ok(Iter::new(IterState::Items { object: call.receiver().clone(), index: 0, step: 1 }).into()),
        0 => Err(call.vm.type_error("invalid indexing of 0-dim memory")),
        _ => Err(call
            .vm
            .error(crate::eval::Exc::NotImplementedError, "multi-dimensional sub-views are not implemented")),
    }
}

fn reversed(call: &mut Call) -> Res {
    let index = this(call)?.len() as i64 - 1;
    Ok(Iter::new(IterState::Items { object: call.receiver().clone(), index, step: -1 }).into())
}

fn hash(call: &mut Call) -> Res {
    let view = call.this::<MemoryView>()?;
    if let Some(hash) = view.hash.get() {
        return Ok(Value::int(hash as i64));
    }
    alive(call.vm, view)?;
    if !view.is_readonly {
        return Err(call.vm.value_error("cannot hash writable memoryview object"));
    }
    if !view.layout.format.is_bytes() {
        let message = "memoryview: hashing is restricted to formats 'B', 'b' or 'c'";
        return Err(call.vm.value_error(message));
    }
    // A class derived from bytes may have no hash.
    call.vm.hash(&view.object())?;
    let hash = crate::value::str::hash_bytes(&view.to_bytes());
    view.hash.set(Some(hash));
    Ok(Value::int(hash as i64))
}

fn eq(call: &mut Call) -> Res {
    call.this::<MemoryView>()?;
    let answer = equal(call.vm, call.arg(0), call.arg(1))?;
    Ok(answer.map_or(Value::NOT_IMPLEMENTED, Value::bool))
}

fn ne(call: &mut Call) -> Res {
    call.this::<MemoryView>()?;
    let answer = equal(call.vm, call.arg(0), call.arg(1))?;
    Ok(answer.map_or(Value::NOT_IMPLEMENTED, |answer| Value::bool(!answer)))
}

fn repr(call: &mut Call) -> Res {
    let is_released = call.this::<MemoryView>()?.is_released();
    let what = if is_released { "released memory" } else { "memory" };
    Ok(Value::str(format!("<{what} at {:#x}>", call.receiver().identity())))
}

fn obj(call: &mut Call) -> Res {
    Ok(this(call)?.object())
}

fn nbytes(call: &mut Call) -> Res {
    Ok(Value::size(this(call)?.layout.size()))
}

fn readonly(call: &mut Call) -> Res {
    Ok(Value::bool(this(call)?.is_readonly))
}

fn format(call: &mut Call) -> Res {
    Ok(Value::str(&this(call)?.layout.format.text))
}

fn itemsize(call: &mut Call) -> Res {
    Ok(Value::size(this(call)?.layout.format.size()))
}

fn ndim(call: &mut Call) -> Res {
    Ok(Value::size(this(call)?.layout.shape.len()))
}

fn shape(call: &mut Call) -> Res {
    Ok(Value::tuple(this(call)?.layout.shape.iter().map(|&len| Value::size(len)).collect()))
}

fn strides(call: &mut Call) -> Res {
    Ok(Value::tuple(this(call)?.layout.strides.iter().map(|&stride| Value::int(stride as i64)).collect()))
}

fn suboffsets(call: &mut Call) -> Res {
    this(call)?;
    Ok(Value::tuple(Vec::new()))
}

fn c_contiguous(call: &mut Call) -> Res {
    Ok(Value::bool(this(call)?.layout.is_c_contiguous()))
}

fn f_contiguous(call: &mut Call) -> Res {
    Ok(Value::bool(this(call)?.layout.is_f_contiguous()))
}

fn contiguous(call: &mut Call) -> Res {
    let layout = &this(call)?.layout;
    Ok(Value::bool(layout.is_c_contiguous() || layout.is_f_contiguous()))
}
