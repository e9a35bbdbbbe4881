//! Methods of the views that `keys()`, `values()` and `items()` of a dict give.

use super::special_rows::{BITWISE, CONTAINER, DIFFERENCE, REVERSIBLE};
use super::{DictView, Res, Value};
use crate::call::{Call, Native};

/// Views whose items are all different act as sets.
pub const SET_VIEW: &[Native] = crate::rows![VALUES_VIEW, &[DISJOINT], BITWISE, DIFFERENCE];

pub const VALUES_VIEW: &[Native] = crate::rows![&[MAPPING], CONTAINER, REVERSIBLE];

const MAPPING: Native = Native {
    name: ".mapping",
    params: "self",
    run: mapping,
    doc: "A read-only view of the dict that is viewed.",
};

const DISJOINT: Native = Native {
    name: "isdisjoint",
    params: "self, other, /",
    run: is_disjoint,
    doc: "Whether no item of an iterable is in the view.",
};

fn mapping(call: &mut Call) -> Res {
    Ok(super::mapping_proxy::of(call.this::<DictView>()?.dict.clone().into()))
}

fn is_disjoint(call: &mut Call) -> Res {
    let this = call.inner()?;
    for item in call.items(1)? {
        if call.vm.contains(this, &item)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}
