//! Methods that change a `bytearray`.

use super::ByteArray;
use super::convert::extension;
use super::methods::made;
use crate::call::{Call, Native};
use crate::eval::Vm;
use crate::eval::code::BinaryOp;
use crate::value::{Res, Value};

pub const ROWS: &[Native] = &[
    Native {
        name: "append",
        params: "self, item, /",
        doc: "Adds one byte (an int) at the end.",
        run: append,
    },
    Native {
        name: "extend",
        params: "self, iterable_of_ints, /",
        doc: "Adds all bytes of an iterable of ints or of a bytes-like object at the end.",
        run: extend,
    },
    Native {
        name: "insert",
        params: "self, index, item, /",
        doc: "Puts one byte (an int) before a position.",
        run: insert,
    },
    Native {
        name: "pop",
        params: "self, index=-1, /",
        doc: "Takes out the byte at a position, the last one if none is given. IndexError if there is none.",
        run: pop,
    },
    Native {
        name: "remove",
        params: "self, value, /",
        doc: "Takes out the first byte of that value. ValueError if there is none.",
        run: remove,
    },
    Native { name: "clear", params: "self, /", doc: "Takes out all bytes.", run: clear },
    Native { name: "copy", params: "self, /", doc: "A new array with the same bytes.", run: copy },
    Native { name: "reverse", params: "self, /", doc: "Turns the order of the bytes around.", run: reverse },
    Native { name: "__setitem__", params: "self, key, value, /", doc: "`self[key] = value`.", run: setitem },
    Native { name: "__delitem__", params: "self, key, /", doc: "`del self[key]`.", run: delitem },
    Native { name: "__iadd__", params: "self, value, /", doc: "`self += value`.", run: iadd },
    Native { name: "__imul__", params: "self, value, /", doc: "`self *= value`.", run: imul },
];

/// The receiver, whose length may change.
fn resizable<'a>(call: &mut Call<'a>) -> Res<&'a ByteArray> {
    let array = call.this::<ByteArray>()?;
    call.vm.resizable(array)?;
    Ok(array)
}

fn append(call: &mut Call) -> Res {
    let byte = call.vm.to_byte(call.arg(1))?;
    resizable(call)?.data.borrow_mut().push(byte);
    Ok(Value::NONE)
}

fn extend(call: &mut Call) -> Res {
    let more = extension(call, call.arg(1))?;
    if !more.is_empty() {
        resizable(call)?.data.borrow_mut().extend(more);
    }
    Ok(Value::NONE)
}

fn insert(call: &mut Call) -> Res {
    let index = call.int(1)?;
    let byte = call.vm.to_byte(call.arg(2))?;
    let mut data = resizable(call)?.data.borrow_mut();
    let len = data.len() as i64;
    let at = if index < 0 { (index.saturating_add(len)).max(0) } else { index.min(len) };
    data.insert(at as usize, byte);
    Ok(Value::NONE)
}

fn pop(call: &mut Call) -> Res {
    let index = call.int_or(1, -1)?;
    let array = call.this::<ByteArray>()?;
    let len = array.data.borrow().len() as i64;
    if len == 0 {
        return Err(call.vm.index_error("pop from empty bytearray"));
    }
    let at = if index < 0 { index.saturating_add(len) } else { index };
    if !(0..len).contains(&at) {
        return Err(call.vm.index_error("pop index out of range"));
    }
    Ok(Value::int(resizable(call)?.data.borrow_mut().remove(at as usize).into()))
}

fn remove(call: &mut Call) -> Res {
    let byte = call.vm.to_byte(call.arg(1))?;
    let array = call.this::<ByteArray>()?;
    let found = array.data.borrow().iter().position(|&other| other == byte);
    match found {
        Some(at) => {
            resizable(call)?.data.borrow_mut().remove(at);
            Ok(Value::NONE)
        }
        None => Err(call.vm.value_error("value not found in bytearray")),
    }
}

fn clear(call: &mut Call) -> Res {
    resizable(call)?.data.borrow_mut().clear();
    Ok(Value::NONE)
}

fn copy(call: &mut Call) -> Res {
    let data = call.this::<ByteArray>()?.data.borrow().clone();
    Ok(made(call, data))
}

fn reverse(call: &mut Call) -> Res {
    call.this::<ByteArray>()?.data.borrow_mut().reverse();
    Ok(Value::NONE)
}

fn setitem(call: &mut Call) -> Res {
    call.this::<ByteArray>()?;
    call.vm.set_item(call.receiver(), call.arg(1).clone(), call.arg(2).clone())?;
    Ok(Value::NONE)
}

fn delitem(call: &mut Call) -> Res {
    call.this::<ByteArray>()?;
    call.vm.delete_item(call.receiver(), call.arg(1))?;
    Ok(Value::NONE)
}

fn iadd(call: &mut Call) -> Res {
    call.this::<ByteArray>()?;
    call.vm.inplace(BinaryOp::Add, call.receiver(), Vm::unwrap_native(call.arg(1)))?;
    Ok(call.arg(0).clone())
}

fn imul(call: &mut Call) -> Res {
    let array = call.this::<ByteArray>()?;
    let count = call.vm.to_int_value(call.arg(1))?;
    let repeated = call.vm.binary(BinaryOp::Mul, call.receiver(), &count)?;
    if let Some(repeated) = repeated.get::<ByteArray>() {
        let data = repeated.data.borrow().clone();
        if data.len() != array.data.borrow().len() {
            call.vm.resizable(array)?;
        }
        *array.data.borrow_mut() = data;
    }
    Ok(call.arg(0).clone())
}
