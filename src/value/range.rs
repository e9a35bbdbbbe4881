//! `range` and `slice` objects.

use super::{BigInt, Heap, Int, Ref, Tag, Value};
use num_integer::Integer;
use num_traits::{Signed, Zero};

/// An arithmetic progression. Bounds beyond 64 bits are kept in `big` and the small fields are unused.
pub struct Range {
    pub start: i64,
    pub stop: i64,
    pub step: i64,
    pub big: Option<Box<BigRange>>,
}

pub struct BigRange {
    pub start: BigInt,
    pub stop: BigInt,
    pub step: BigInt,
}

impl Range {
    pub fn new(start: i64, stop: i64, step: i64) -> Ref<Range> {
        Ref::new(Range { start, stop, step, big: None })
    }

    /// Number of items as 64 bits, if it fits.
    pub fn len(&self) -> Option<usize> {
        match &self.big {
            None => Some(small_len(self.start, self.stop, self.step)),
            Some(big) => usize::try_from(&big.len()).ok(),
        }
    }

    /// Number of items.
    pub fn length(&self) -> BigInt {
        match &self.big {
            None => BigInt::from(small_len(self.start, self.stop, self.step)),
            Some(big) => big.len(),
        }
    }

    /// The item at an index that is inside the range.
    pub fn at(&self, index: usize) -> Value {
        match &self.big {
            None => Value::int((self.start as i128 + self.step as i128 * index as i128) as i64),
            Some(big) => Value::big(&big.start + &big.step * BigInt::from(index)),
        }
    }

    /// The last item of a small range that has `len` of them, at least one.
    pub fn last_small(&self, len: usize) -> i64 {
        (self.start as i128 + self.step as i128 * (len as i128 - 1)) as i64
    }

    /// The position of a number in the range.
    pub fn position_of(&self, number: Int) -> Option<BigInt> {
        if let (None, Int::Small(number)) = (&self.big, number) {
            let (start, stop, step) = (self.start as i128, self.stop as i128, self.step as i128);
            let number = number as i128;
            let inside =
                if step > 0 { (start..stop).contains(&number) } else { number <= start && number > stop };
            return (inside && (number - start) % step == 0).then(|| BigInt::from((number - start) / step));
        }
        let big = self.big.as_ref()?;
        let distance = number.to_big().as_ref() - &big.start;
        let (position, rest) = distance.div_mod_floor(&big.step);
        (rest.is_zero() && !position.is_negative() && position < big.len()).then_some(position)
    }

    pub fn start_value(&self) -> Value {
        self.big.as_ref().map_or(Value::int(self.start), |b| Value::big(b.start.clone()))
    }

    pub fn stop_value(&self) -> Value {
        self.big.as_ref().map_or(Value::int(self.stop), |b| Value::big(b.stop.clone()))
    }

    pub fn step_value(&self) -> Value {
        self.big.as_ref().map_or(Value::int(self.step), |b| Value::big(b.step.clone()))
    }
}

/// How many items `range(start, stop, step)` has; `step` is not zero.
pub fn small_len(start: i64, stop: i64, step: i64) -> usize {
    let (start, stop, step) = (start as i128, stop as i128, step as i128);
    let distance = if step > 0 { stop - start } else { start - stop };
    if distance <= 0 { 0 } else { ((distance - 1) / step.abs() + 1) as usize }
}

impl BigRange {
    pub fn len(&self) -> BigInt {
        let distance =
            if self.step.is_positive() { &self.stop - &self.start } else { &self.start - &self.stop };
        if !distance.is_positive() {
            BigInt::zero()
        } else {
            (distance - 1u32).div_floor(&self.step.abs()) + 1u32
        }
    }
}

/// `start:stop:step` as written; absent parts are `none`.
pub struct Slice {
    pub start: Value,
    pub stop: Value,
    pub step: Value,
}

impl Heap for Range {
    const TAG: Tag = Tag::Range;
}

impl Heap for Slice {
    const TAG: Tag = Tag::Slice;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        [&self.start, &self.stop, &self.step].into_iter().for_each(visit);
    }
}
