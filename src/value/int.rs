//! Ints without limit, and complex numbers.
//!
//! An int that fits 64 bits lives in the value itself (`Tag::Int`), any other in a heap `BigInt`; no int
//! has two representations. Arithmetic tries 64 bits first and falls back to [`Int`].

use super::{BigInt, Heap, Tag, Value, View};
use num_traits::ToPrimitive;
use std::borrow::Cow;

/// Either size of int, borrowed from a value.
#[derive(Clone, Copy)]
pub enum Int<'a> {
    Small(i64),
    Big(&'a BigInt),
}

impl<'a> Int<'a> {
    /// The int in a value, bools included.
    #[inline]
    pub fn of(value: &'a Value) -> Option<Int<'a>> {
        if let Some(small) = value.as_small_int() {
            return Some(Int::Small(small));
        }
        match value.view() {
            View::BigInt(big) => Some(Int::Big(big)),
            View::Instance(instance) => instance.native().and_then(Int::of),
            _ => None,
        }
    }

    pub fn to_big(self) -> Cow<'a, BigInt> {
        match self {
            Int::Small(small) => Cow::Owned(BigInt::from(small)),
            Int::Big(big) => Cow::Borrowed(big),
        }
    }

    pub fn to_i64(self) -> Option<i64> {
        match self {
            Int::Small(small) => Some(small),
            Int::Big(_) => None,
        }
    }

    pub fn is_negative(self) -> bool {
        match self {
            Int::Small(small) => small < 0,
            Int::Big(big) => big.sign() == num_bigint::Sign::Minus,
        }
    }

    pub fn is_zero(self) -> bool {
        matches!(self, Int::Small(0))
    }

    /// Nearest float; `None` when it is too large.
    pub fn to_f64(self) -> Option<f64> {
        match self {
            Int::Small(small) => Some(small as f64),
            Int::Big(big) => big.to_f64().filter(|f| f.is_finite()),
        }
    }

    pub fn to_value(self) -> Value {
        match self {
            Int::Small(small) => Value::int(small),
            Int::Big(big) => Value::big(big.clone()),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
pub struct Complex {
    pub re: f64,
    pub im: f64,
}

impl Heap for Complex {
    const TAG: Tag = Tag::Complex;
}
