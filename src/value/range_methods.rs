//! Methods of `range` and `slice` objects.

use super::range::{BigRange, Range, Slice};
use super::special_rows::{CONTAINER, INDEXED, REVERSIBLE};
use super::{Int, Ref, Res, Value};
use crate::call::{Call, Native};
use crate::eval::Vm;

pub const RANGE: &[Native] = crate::rows![RANGE_OWN, CONTAINER, INDEXED, REVERSIBLE];

const RANGE_OWN: &[Native] = &[
    super::reduce::RANGE,
    Native {
        name: "__new__",
        params: "cls, start, stop=<absent>, step=1, /",
        run: new_range,
        doc: "The ints from `start` (0 if only one argument is given) to before `stop`, `step` apart.",
    },
    Native { name: ".start", params: "self", run: range_start, doc: "The first number." },
    Native { name: ".stop", params: "self", run: range_stop, doc: "The end, which is not in the range." },
    Native { name: ".step", params: "self", run: range_step, doc: "The distance between two numbers." },
    Native { name: "count", params: "self, value, /", run: count, doc: "How often a value occurs: 0 or 1." },
    Native {
        name: "index",
        params: "self, value, /",
        run: index,
        doc: "The position of a value. ValueError if it is not in the range.",
    },
    Native { name: "__bool__", params: "self, /", run: is_not_empty, doc: "Whether it has any numbers." },
];

pub const SLICE: &[Native] = &[
    super::reduce::SLICE,
    Native {
        name: "__new__",
        params: "cls, /, *args",
        run: crate::builtins::core::flat::slice,
        doc: "`slice(sequence, start, end)` is that part of the sequence; without a sequence Python's slice object.",
    },
    Native {
        name: ".start",
        params: "self",
        run: |call| Ok(call.this::<Slice>()?.start.clone()),
        doc: "Where it starts, or none.",
    },
    Native {
        name: ".stop",
        params: "self",
        run: |call| Ok(call.this::<Slice>()?.stop.clone()),
        doc: "Where it ends, or none.",
    },
    Native {
        name: ".step",
        params: "self",
        run: |call| Ok(call.this::<Slice>()?.step.clone()),
        doc: "The step, or none.",
    },
    Native {
        name: "indices",
        params: "self, len, /",
        run: indices,
        doc: "Start, stop and step for a sequence of that length, as a tuple.",
    },
];

fn new_range(call: &mut Call) -> Res {
    let (start, stop, step) = match (call.opt(1), call.opt(2), call.opt(3)) {
        (Some(stop), None, _) => (Value::int(0), call.vm.to_int_value(stop)?, Value::int(1)),
        (start, stop, step) => {
            let mut part = |given: Option<&Value>, otherwise: i64| match given {
                Some(value) => call.vm.to_int_value(value),
                None => Ok(Value::int(otherwise)),
            };
            (part(start, 0)?, part(stop, 0)?, part(step, 1)?)
        }
    };
    if step.as_small_int() == Some(0) {
        return Err(call.vm.value_error("range() arg 3 must not be zero"));
    }
    Ok(make_range(&start, &stop, &step))
}

pub fn make_range(start: &Value, stop: &Value, step: &Value) -> Value {
    if let (Some(start), Some(stop), Some(step)) =
        (start.as_small_int(), stop.as_small_int(), step.as_small_int())
    {
        return Range::new(start, stop, step).into();
    }
    let big = |value: &Value| Int::of(value).map(|int| int.to_big().into_owned()).unwrap_or_default();
    let big = BigRange { start: big(start), stop: big(stop), step: big(step) };
    Ref::new(Range { start: 0, stop: 0, step: 1, big: Some(Box::new(big)) }).into()
}

fn range_start(call: &mut Call) -> Res {
    Ok(call.this::<Range>()?.start_value())
}

fn range_stop(call: &mut Call) -> Res {
    Ok(call.this::<Range>()?.stop_value())
}

fn range_step(call: &mut Call) -> Res {
    Ok(call.this::<Range>()?.step_value())
}

fn is_not_empty(call: &mut Call) -> Res {
    let this = call.inner()?;
    Ok(Value::bool(call.vm.truth(this)?))
}

/// An int whose class has no say in what it equals.
fn plain_int(value: &Value) -> Option<Int<'_>> {
    if value.is::<super::Instance>() { None } else { Int::of(value) }
}

/// The position of the first number equal to a value that may be no int.
fn position(vm: &mut Vm, range: &Value, value: &Value) -> Res<Option<Value>> {
    if let (Some(range), Some(number)) = (range.get::<Range>(), plain_int(value)) {
        return Ok(range.position_of(number).map(Value::big));
    }
    let iterator = vm.iter(range)?;
    let mut at = 0;
    while let Some(item) = vm.next(&iterator)? {
        if vm.eq(&item, value)? {
            return Ok(Some(Value::int(at)));
        }
        at += 1;
    }
    Ok(None)
}

fn count(call: &mut Call) -> Res {
    let this = call.inner()?;
    if plain_int(call.arg(1)).is_some() {
        let found = position(call.vm, this, call.arg(1))?;
        return Ok(Value::int(found.is_some() as i64));
    }
    let iterator = call.vm.iter(this)?;
    let mut count = 0;
    while let Some(item) = call.vm.next(&iterator)? {
        count += call.vm.eq(&item, call.arg(1))? as i64;
    }
    Ok(Value::int(count))
}

fn index(call: &mut Call) -> Res {
    let this = call.inner()?;
    if let Some(at) = position(call.vm, this, call.arg(1))? {
        return Ok(at);
    }
    let message = match Int::of(call.arg(1)) {
        Some(_) => format!("{} is not in range", call.vm.repr_of(call.arg(1))?),
        None => "sequence.index(x): x not in sequence".to_string(),
    };
    Err(call.vm.value_error(message))
}

fn indices(call: &mut Call) -> Res {
    let slice = call.this::<Slice>()?;
    let len = call.vm.to_int_value(call.arg(1))?;
    let len = Int::of(&len).map(|len| len.to_big().into_owned()).unwrap_or_default();
    if len.sign() == num_bigint::Sign::Minus {
        return Err(call.vm.value_error("length should not be negative"));
    }
    let parts = call.vm.big_slice_bounds(slice, &len)?;
    Ok(Value::tuple(parts.map(Value::big).to_vec()))
}
