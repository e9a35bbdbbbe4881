//! `memoryview.cast`: the same bytes read as items of another kind or in another shape.

use super::items::alive;
use super::{Format, Layout, MemoryView};
use crate::call::Call;
use crate::value::{Int, Res, Value, View};

const MAX_DIMENSIONS: usize = 64;

pub fn cast(call: &mut Call) -> Res {
    let view = call.this::<MemoryView>()?;
    alive(call.vm, view)?;
    let Some(text) = crate::eval::Vm::unwrap_native(call.arg(1)).as_str() else {
        let got = call.vm.type_name(call.arg(1));
        return Err(call.vm.type_error(format!("cast() argument 'format' must be str, not {got}")));
    };
    let shape = shape(call)?;
    let layout = &view.layout;
    if !layout.is_c_contiguous() {
        return Err(call.vm.type_error("memoryview: casts are restricted to C-contiguous views"));
    }
    let dimensions = layout.shape.len();
    if (shape.is_some() || dimensions != 1) && layout.shape.contains(&0) {
        return Err(call.vm.type_error("memoryview: cannot cast view with zeros in shape or strides"));
    }
    if dimensions != 1 && shape.as_ref().is_some_and(|shape| shape.len() != 1) {
        return Err(call.vm.type_error("memoryview: cast must be 1D -> ND or ND -> 1D"));
    }
    let Some(format) = Format::parse(text) else {
        return Err(call.vm.value_error(
            "memoryview: destination format must be a native single character format prefixed with an optional '@'",
        ));
    };
    if !format.is_bytes() && !layout.format.is_bytes() {
        return Err(call.vm.type_error("memoryview: cannot cast between two non-byte formats"));
    }
    let size = layout.size();
    if size % format.size() != 0 {
        return Err(call.vm.type_error("memoryview: length is not a multiple of itemsize"));
    }
    let shape = shape.unwrap_or_else(|| vec![size / format.size()]);
    let product = shape.iter().try_fold(format.size(), |total, len| total.checked_mul(*len));
    if product != Some(size) {
        return Err(call.vm.type_error("memoryview: product(shape) * itemsize != buffer size"));
    }
    Ok(view.part(Layout::packed(layout.offset, shape, format)).into())
}

/// The `shape` argument, if it is given.
fn shape(call: &mut Call) -> Res<Option<Vec<usize>>> {
    let Some(value) = call.opt(2) else { return Ok(None) };
    let lengths: Vec<Value> = match value.view() {
        View::List(list) => list.to_vec(),
        View::Tuple(tuple) => tuple.items().to_vec(),
        _ => return Err(call.vm.type_error("shape must be a list or a tuple")),
    };
    if lengths.len() > MAX_DIMENSIONS {
        let message = format!("memoryview: number of dimensions must not exceed {MAX_DIMENSIONS}");
        return Err(call.vm.value_error(message));
    }
    let mut shape = Vec::with_capacity(lengths.len());
    for length in &lengths {
        let Some(length) = Int::of(length) else {
            return Err(call.vm.type_error("memoryview.cast(): elements of shape must be integers"));
        };
        match length.to_i64().and_then(|length| usize::try_from(length).ok()).filter(|&length| length > 0) {
            Some(length) => shape.push(length),
            None => {
                let message = "memoryview.cast(): elements of shape must be integers > 0";
                return Err(call.vm.value_error(message));
            }
        }
    }
    Ok(Some(shape))
}
