//! Arrays as sequences: indexing, slices, operators, comparisons, iteration.

use super::items::{item, packed};
use super::methods::{extend_by, find, multiplied, replace_bytes};
use super::{Array, array_of, check_resizable, like, this};
use crate::call::Call;
use crate::eval::code::CompareOp;
use crate::eval::{Exc, Vm};
use crate::value::iterator::{IterState, Tool};
use crate::value::{Instance, Iter, Res, Slice, Value};

pub fn len(call: &mut Call) -> Res {
    Ok(Value::size(this(call)?.len()))
}

pub fn contains(call: &mut Call) -> Res {
    let array = this(call)?;
    Ok(Value::bool(find(call.vm, &array, call.arg(1), 0, usize::MAX)?.is_some()))
}

// ---- indexing ----

/// The place that an index means.
fn place(call: &mut Call, array: &Array, outside: &str) -> Res<usize> {
    let index = match call.vm.to_index(call.arg(1)) {
        Ok(index) => index,
        Err(raised) => {
            if !call.vm.is_raised(Exc::TypeError) {
                return Err(raised);
            }
            call.vm.take_raised();
            return Err(call.vm.type_error("array indices must be integers"));
        }
    };
    let len = array.len() as i64;
    let place = if index < 0 { index.saturating_add(len) } else { index };
    if (0..len).contains(&place) { Ok(place as usize) } else { Err(call.vm.index_error(outside)) }
}

const ASSIGNMENT: &str = "array assignment index out of range";

pub fn get_item(call: &mut Call) -> Res {
    let array = this(call)?;
    if let Some(slice) = call.arg(1).get::<Slice>() {
        let bounds = call.vm.slice_bounds(slice, array.len())?;
        let size = array.format.size();
        let data = {
            let data = array.bytes.data.borrow();
            bounds.positions().flat_map(|place| data[place * size..(place + 1) * size].to_vec()).collect()
        };
        return Ok(like(call, &array, data));
    }
    let place = place(call, &array, "array index out of range")?;
    Ok(Value::opt(item(&array, place)))
}

pub fn set_item(call: &mut Call) -> Res {
    let array = this(call)?;
    if let Some(slice) = call.arg(1).get::<Slice>() {
        set_slice(call, &array, slice)?;
        return Ok(Value::NONE);
    }
    let place = place(call, &array, ASSIGNMENT)?;
    let bytes = packed(call.vm, &array, call.arg(2))?;
    let at = place * array.format.size();
    match array.bytes.data.borrow_mut().get_mut(at..at + bytes.len()) {
        Some(slot) => slot.copy_from_slice(&bytes),
        None => return Err(call.vm.index_error(ASSIGNMENT)),
    }
    Ok(Value::NONE)
}

fn set_slice(call: &mut Call, array: &Array, slice: &Slice) -> Res<()> {
    let Some(other) = array_of(call.arg(2)) else {
        let got = call.vm.type_name(call.arg(2));
        return Err(call.vm.type_error(format!("can only assign array (not \"{got}\") to array slice")));
    };
    if other.code != array.code {
        return Err(call.vm.type_error("bad argument type for built-in operation"));
    }
    let bounds = call.vm.slice_bounds(slice, array.len())?;
    let size = array.format.size();
    let items = other.bytes.data.borrow().clone();
    let given = items.len() / size;
    if bounds.step == 1 {
        if given != bounds.count {
            check_resizable(call.vm, array)?;
        }
        let start = bounds.start as usize * size;
        array.bytes.data.borrow_mut().splice(start..start + bounds.count * size, items);
        return Ok(());
    }
    if given != bounds.count {
        let count = bounds.count;
        return Err(call.vm.value_error(format!(
            "attempt to assign array of size {given} to extended slice of size {count}"
        )));
    }
    let mut data = array.bytes.data.borrow_mut();
    for (place, bytes) in bounds.positions().zip(items.chunks_exact(size)) {
        data[place * size..(place + 1) * size].copy_from_slice(bytes);
    }
    Ok(())
}

pub fn delete_item(call: &mut Call) -> Res {
    let array = this(call)?;
    let size = array.format.size();
    let mut places: Vec<usize> = match call.arg(1).get::<Slice>() {
        Some(slice) => call.vm.slice_bounds(slice, array.len())?.positions().collect(),
        None => vec![place(call, &array, ASSIGNMENT)?],
    };
    if places.is_empty() {
        return Ok(Value::NONE);
    }
    check_resizable(call.vm, &array)?;
    places.sort_unstable();
    let mut gone = places.into_iter().peekable();
    let mut data = array.bytes.data.borrow_mut();
    let mut kept = Vec::with_capacity(data.len());
    for (place, bytes) in data.chunks_exact(size).enumerate() {
        if gone.next_if_eq(&place).is_none() {
            kept.extend_from_slice(bytes);
        }
    }
    *data = kept;
    Ok(Value::NONE)
}

// ---- operators ----

pub fn add(call: &mut Call) -> Res {
    let array = this(call)?;
    let Some(other) = array_of(call.arg(1)) else {
        let got = call.vm.type_name(call.arg(1));
        return Err(call.vm.type_error(format!("can only append array (not \"{got}\") to array")));
    };
    if other.code != array.code {
        return Err(call.vm.type_error("bad argument type for built-in operation"));
    }
    let data = [&array.bytes.data.borrow()[..], &other.bytes.data.borrow()[..]].concat();
    Ok(like(call, &array, data))
}

pub fn add_in_place(call: &mut Call) -> Res {
    let array = this(call)?;
    if array_of(call.arg(1)).is_none() {
        let got = call.vm.type_name(call.arg(1));
        return Err(call.vm.type_error(format!("can only extend array with array (not \"{got}\")")));
    }
    extend_by(call.vm, &array, call.arg(1))?;
    Ok(call.arg(0).clone())
}

/// How often to repeat; nothing if the other operand, which is no int, may know.
fn times(call: &mut Call) -> Res<Option<i64>> {
    let other = call.arg(1);
    if crate::value::Int::of(other).is_none() && call.vm.special_method(other, "__index__")?.is_none() {
        if other.is::<Instance>() && call.vm.special_method(other, "__rmul__")?.is_some() {
            return Ok(None);
        }
        let got = call.vm.type_name(other);
        return Err(call.vm.type_error(format!("can't multiply sequence by non-int of type '{got}'")));
    }
    call.vm.to_index(other).map(Some)
}

pub fn multiply(call: &mut Call) -> Res {
    this(call)?;
    let Some(n) = times(call)? else { return Ok(Value::NOT_IMPLEMENTED) };
    let (array, data) = multiplied(call, n)?;
    Ok(like(call, &array, data))
}

pub fn multiply_in_place(call: &mut Call) -> Res {
    this(call)?;
    let Some(n) = times(call)? else { return Ok(Value::NOT_IMPLEMENTED) };
    let (_, data) = multiplied(call, n)?;
    replace_bytes(call, data)?;
    Ok(call.arg(0).clone())
}

// ---- comparisons ----

/// How the receiver compares; nothing if the other is no array.
fn compare(call: &mut Call, op: CompareOp) -> Res {
    let array = this(call)?;
    let Some(other) = array_of(call.arg(1)) else { return Ok(Value::NOT_IMPLEMENTED) };
    if matches!(op, CompareOp::Eq | CompareOp::NotEq) && array.len() != other.len() {
        return Ok(Value::bool(op == CompareOp::NotEq));
    }
    let mut place = 0;
    while let (Some(a), Some(b)) = (item(&array, place), item(&other, place)) {
        if !call.vm.equals(&a, &b)? {
            return match op {
                CompareOp::Eq => Ok(Value::FALSE),
                CompareOp::NotEq => Ok(Value::TRUE),
                _ => call.vm.compare_value(op, &a, &b),
            };
        }
        place += 1;
    }
    call.vm.compare_value(op, &Value::size(array.len()), &Value::size(other.len()))
}

pub fn eq(call: &mut Call) -> Res {
    compare(call, CompareOp::Eq)
}

pub fn ne(call: &mut Call) -> Res {
    compare(call, CompareOp::NotEq)
}

pub fn lt(call: &mut Call) -> Res {
    compare(call, CompareOp::Lt)
}

pub fn le(call: &mut Call) -> Res {
    compare(call, CompareOp::LtE)
}

pub fn gt(call: &mut Call) -> Res {
    compare(call, CompareOp::Gt)
}

pub fn ge(call: &mut Call) -> Res {
    compare(call, CompareOp::GtE)
}

// ---- iteration ----

pub fn iter(call: &mut Call) -> Res {
    this(call)?;
    Ok(Iter::new(IterState::Tool(Box::new(Walk { array: call.arg(0).clone(), place: 0 }))).into())
}

/// An iterator over an array, which may grow meanwhile.
struct Walk {
    array: Value,
    place: usize,
}

impl Tool for Walk {
    fn type_name(&self) -> &'static str {
        "arrayiterator"
    }

    fn next(&mut self, _: &mut Vm) -> Res<Option<Value>> {
        let found = array_of(&self.array).and_then(|array| item(&array, self.place));
        self.place += 1;
        Ok(found)
    }

    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.array);
    }
}
