//! Single items and slices of a memoryview: reading, storing, comparing.

use super::{Layout, MemoryView};
use crate::builtins::struct_::{Kind, pack_value, unpack_value};
use crate::eval::{Exc, Vm};
use crate::value::{Int, Raised, Ref, Res, Slice, Tag, Tuple, Value, View};

/// What an index picks.
pub enum Picked {
    /// The item that starts at this byte.
    Item(usize),
    Part(Layout),
}

/// Whether the bytes of numbers are stored from the lowest on.
const IS_LITTLE: bool = cfg!(target_endian = "little");

/// Finds what `view[key]` means.
///
/// # Errors
/// `IndexError` outside of the view, `TypeError` for other keys, `NotImplementedError` for parts of views with
/// several dimensions.
pub fn picked(vm: &mut Vm, view: &MemoryView, key: &Value) -> Res<Picked> {
    let dimensions = view.layout.shape.len();
    match key.view() {
        View::Ellipsis if dimensions == 0 => Ok(Picked::Part(view.layout.clone())),
        View::Tuple(keys) => picked_by_tuple(vm, view, keys),
        _ if dimensions == 0 => Err(vm.type_error("invalid indexing of 0-dim memory")),
        View::Slice(slice) => match dimensions {
            1 => sliced(vm, view, slice).map(Picked::Part),
            _ => Err(vm.error(Exc::NotImplementedError, "multi-dimensional slicing is not implemented")),
        },
        _ if is_index(vm, key)? => {
            let index = vm.to_index(key)?;
            match dimensions {
                1 => place(vm, view, view.layout.offset, index, 0).map(Picked::Item),
                _ => {
                    Err(vm.error(Exc::NotImplementedError, "multi-dimensional sub-views are not implemented"))
                }
            }
        }
        _ => Err(vm.type_error("memoryview: invalid slice key")),
    }
}

fn is_index(vm: &mut Vm, key: &Value) -> Res<bool> {
    Ok(Int::of(key).is_some() || vm.special_method(key, "__index__")?.is_some())
}

fn picked_by_tuple(vm: &mut Vm, view: &MemoryView, keys: &Tuple) -> Res<Picked> {
    let keys = keys.items();
    let dimensions = view.layout.shape.len();
    for key in keys {
        if !is_index(vm, key)? {
            let is_slices = keys.iter().all(|key| key.is::<Slice>());
            return Err(match is_slices {
                true => vm.error(Exc::NotImplementedError, "multi-dimensional slicing is not implemented"),
                false => vm.type_error("memoryview: invalid slice key"),
            });
        }
    }
    if keys.len() > dimensions {
        let given = keys.len();
        return Err(
            vm.type_error(format!("cannot index {dimensions}-dimension view with {given}-element tuple"))
        );
    }
    if keys.len() < dimensions {
        return Err(vm.error(Exc::NotImplementedError, "sub-views are not implemented"));
    }
    let mut at = view.layout.offset;
    for (dimension, key) in keys.iter().enumerate() {
        let index = vm.to_index(key)?;
        at = place(vm, view, at, index, dimension)?;
    }
    Ok(Picked::Item(at))
}

/// Where an index of one dimension leads from `start`.
fn place(vm: &mut Vm, view: &MemoryView, start: usize, index: i64, dimension: usize) -> Res<usize> {
    let len = view.layout.shape[dimension] as i64;
    let at = if index < 0 { index.saturating_add(len) } else { index };
    if !(0..len).contains(&at) {
        let number = dimension + 1;
        return Err(vm.index_error(format!("index out of bounds on dimension {number}")));
    }
    Ok((start as isize + at as isize * view.layout.strides[dimension]) as usize)
}

/// The part of a view with one dimension that a slice picks.
fn sliced(vm: &mut Vm, view: &MemoryView, slice: &Slice) -> Res<Layout> {
    let bounds = vm.slice_bounds(slice, view.len())?;
    let stride = view.layout.strides[0];
    let mut part = view.layout.clone();
    part.shape[0] = bounds.count;
    part.strides[0] = stride.saturating_mul(bounds.step as isize);
    if bounds.count > 0 {
        part.offset = (view.layout.offset as isize + bounds.start as isize * stride) as usize;
    }
    Ok(part)
}

/// The item that starts at a byte.
pub fn item(view: &MemoryView, at: usize) -> Value {
    let field = &view.layout.format.field;
    view.with_data(|data| unpack_value(field, &data[at..at + field.size], IS_LITTLE))
}

/// All items, nested as deep as there are dimensions.
pub fn to_list(view: &MemoryView) -> Value {
    let mut values: Vec<Value> = view.layout.places().into_iter().map(|at| item(view, at)).collect();
    let shape = &view.layout.shape;
    if shape.is_empty() {
        return values.pop().unwrap_or_default();
    }
    for &len in shape[1..].iter().rev() {
        values = match len {
            0 => Vec::new(),
            _ => values.chunks(len).map(|row| Value::list(row.to_vec())).collect(),
        };
    }
    Value::list(values)
}

/// `view[key] = value`
pub fn store(vm: &mut Vm, view: &MemoryView, key: &Value, value: &Value) -> Res<()> {
    if view.is_readonly {
        return Err(vm.type_error("cannot modify read-only memory"));
    }
    match picked(vm, view, key)? {
        Picked::Item(at) => {
            let bytes = packed(vm, view, value)?;
            alive(vm, view)?;
            view.scatter(&[at], &bytes);
        }
        Picked::Part(part) => {
            let Some(source) = MemoryView::of(value) else {
                let got = vm.type_name(value);
                return Err(vm.type_error(format!("a bytes-like object is required, not '{got}'")));
            };
            let is_same =
                source.layout.shape == part.shape && source.layout.format.code() == part.format.code();
            if !is_same {
                let message = "memoryview assignment: lvalue and rvalue have different structures";
                return Err(vm.value_error(message));
            }
            let bytes = source.to_bytes();
            view.scatter(&part.places(), &bytes);
        }
    }
    Ok(())
}

/// `ValueError` for a view that was released.
pub fn alive(vm: &mut Vm, view: &MemoryView) -> Res<()> {
    match view.is_released() {
        true => Err(vm.value_error("operation forbidden on released memoryview object")),
        false => Ok(()),
    }
}

/// A value as the bytes of one item.
fn packed(vm: &mut Vm, view: &MemoryView, value: &Value) -> Res<Vec<u8>> {
    let format = &view.layout.format;
    let wrong = |vm: &mut Vm, what: &str| {
        let text = &format.text;
        match what {
            "type" => vm.type_error(format!("memoryview: invalid type for format '{text}'")),
            _ => vm.value_error(format!("memoryview: invalid value for format '{text}'")),
        }
    };
    let value = match format.field.kind {
        Kind::Int { .. } => match is_index(vm, value)? {
            true => vm.to_int_value(value)?,
            false => return Err(wrong(vm, "type")),
        },
        Kind::Float => match vm.to_float(value) {
            Ok(number) => Value::float(number),
            Err(Raised) if vm.is_raised(Exc::TypeError) => {
                vm.take_raised();
                return Err(wrong(vm, "type"));
            }
            Err(raised) => return Err(raised),
        },
        Kind::Char if value.tag() != Tag::Bytes => return Err(wrong(vm, "type")),
        _ => value.clone(),
    };
    let mut bytes = vec![0; format.size()];
    match pack_value(vm, &format.field, &value, IS_LITTLE, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(Raised) if format.field.kind != Kind::Bool => {
            vm.take_raised();
            Err(wrong(vm, "value"))
        }
        Err(raised) => Err(raised),
    }
}

/// Whether two bytes-like objects, at least one of them a memoryview, have the same shape and equal items.
/// `None` if either is no such object.
pub fn equal(vm: &mut Vm, left: &Value, right: &Value) -> Res<Option<bool>> {
    if left.same(right) {
        return Ok(Some(true));
    }
    let released = |v: &Value| Vm::unwrap_native(v).get::<MemoryView>().is_some_and(MemoryView::is_released);
    if released(left) || released(right) {
        return Ok(Some(false));
    }
    let (Some(a), Some(b)) = (MemoryView::of(left), MemoryView::of(right)) else { return Ok(None) };
    if a.layout.shape != b.layout.shape {
        return Ok(Some(false));
    }
    let (x, y) = (&a.layout.format, &b.layout.format);
    if x.code() == y.code() && x.field.kind != Kind::Float && x.field.kind != Kind::Bool {
        return Ok(Some(a.to_bytes() == b.to_bytes()));
    }
    let (a, b): (Ref<MemoryView>, Ref<MemoryView>) = (a, b);
    for (i, j) in a.layout.places().into_iter().zip(b.layout.places()) {
        if !vm.equals(&item(&a, i), &item(&b, j))? {
            return Ok(Some(false));
        }
    }
    Ok(Some(true))
}
