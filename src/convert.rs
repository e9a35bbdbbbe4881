//! Between Rust's values and scripts' values: [`IntoValue`] and [`FromValue`].
//!
//! Numbers, texts, `Option`, `Vec`, maps with text keys and tuples convert by themselves, nested as deep as
//! the Rust type says. What comes back is copied; to share an object with a script, keep the [`Value`].

use crate::error::Error;
use crate::eval::Vm;
use crate::eval::types::python_name;
use crate::text::surrogate;
use crate::value::{BigInt, Dict, Int, Str, Value, View};
use num_traits::ToPrimitive;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

/// Rust values that scripts can be given.
pub trait IntoValue {
    fn into_value(self) -> Value;
}

/// Rust values that can be made of a script's value.
pub trait FromValue: Sized {
    /// # Errors
    /// A `TypeError` or `OverflowError` that says what was wanted and what came.
    fn from_value(value: &Value) -> Result<Self, Error>;
}

impl Value {
    /// This value as a Rust value.
    ///
    /// ```
    /// # use zpy::Engine;
    /// let sizes = Engine::new().eval("[1, 2, 3]")?.to::<Vec<u8>>()?;
    /// assert_eq!(sizes, [1, 2, 3]);
    /// # Ok::<(), zpy::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`FromValue::from_value`].
    pub fn to<T: FromValue>(&self) -> Result<T, Error> {
        T::from_value(self)
    }
}

fn mismatch(wanted: &str, got: &Value) -> Error {
    Error::new("TypeError", format!("wanted {wanted}, got {}", python_name(got)))
}

impl IntoValue for Value {
    fn into_value(self) -> Value {
        self
    }
}

impl FromValue for Value {
    fn from_value(value: &Value) -> Result<Value, Error> {
        Ok(value.clone())
    }
}

impl IntoValue for &Value {
    fn into_value(self) -> Value {
        self.clone()
    }
}

impl IntoValue for () {
    fn into_value(self) -> Value {
        Value::NONE
    }
}

impl FromValue for () {
    fn from_value(value: &Value) -> Result<(), Error> {
        if value.is_none() { Ok(()) } else { Err(mismatch("none", value)) }
    }
}

impl IntoValue for bool {
    fn into_value(self) -> Value {
        Value::bool(self)
    }
}

impl FromValue for bool {
    fn from_value(value: &Value) -> Result<bool, Error> {
        value.as_bool().ok_or_else(|| mismatch("bool", value))
    }
}

macro_rules! ints {
    ($($int:ident)*) => {$(
        impl IntoValue for $int {
            fn into_value(self) -> Value {
                match i64::try_from(self) {
                    Ok(small) => Value::int(small),
                    Err(_) => Value::big(BigInt::from(self)),
                }
            }
        }

        impl FromValue for $int {
            fn from_value(value: &Value) -> Result<$int, Error> {
                let number = match Int::of(Vm::unwrap_native(value)) {
                    Some(Int::Small(small)) => $int::try_from(small).ok(),
                    Some(Int::Big(big)) => $int::try_from(big.clone()).ok(),
                    None => return Err(mismatch("int", value)),
                };
                let does_not_fit = || format!("int does not fit into Rust's {}", stringify!($int));
                number.ok_or_else(|| Error::new("OverflowError", does_not_fit()))
            }
        }
    )*};
}

ints! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

impl IntoValue for f64 {
    fn into_value(self) -> Value {
        Value::float(self)
    }
}

impl FromValue for f64 {
    fn from_value(value: &Value) -> Result<f64, Error> {
        match Vm::unwrap_native(value).view() {
            View::Float(number) => Ok(number),
            View::Int(number) => Ok(number as f64),
            View::Bool(truth) => Ok(truth as i64 as f64),
            View::BigInt(big) => Ok(big.to_f64().unwrap_or(f64::INFINITY)),
            _ => Err(mismatch("float", value)),
        }
    }
}

impl IntoValue for &str {
    fn into_value(self) -> Value {
        Value::str(self)
    }
}

impl IntoValue for String {
    fn into_value(self) -> Value {
        Value::str(self)
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Result<String, Error> {
        let text = Vm::unwrap_native(value).get::<Str>().ok_or_else(|| mismatch("str", value))?.as_str();
        if surrogate::has_surrogates(text) {
            return Err(Error::new("ValueError", "a str with lone surrogates is no Rust String"));
        }
        Ok(text.to_string())
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Value {
        self.map_or(Value::NONE, T::into_value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Result<Option<T>, Error> {
        if value.is_none() { Ok(None) } else { T::from_value(value).map(Some) }
    }
}

impl<T: IntoValue> IntoValue for Vec<T> {
    fn into_value(self) -> Value {
        Value::list(self.into_iter().map(T::into_value).collect())
    }
}

impl<T: IntoValue, const N: usize> IntoValue for [T; N] {
    fn into_value(self) -> Value {
        Value::list(self.into_iter().map(T::into_value).collect())
    }
}

impl<T: IntoValue + Clone> IntoValue for &[T] {
    fn into_value(self) -> Value {
        Value::list(self.iter().cloned().map(T::into_value).collect())
    }
}

/// From a list, tuple, set or frozenset; `bytes` count as ints.
impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: &Value) -> Result<Vec<T>, Error> {
        let items = match Vm::unwrap_native(value).view() {
            View::List(list) => list.to_vec(),
            View::Tuple(tuple) => tuple.items().to_vec(),
            View::Set(set) => set.borrow().iter().map(|(item, _)| item.clone()).collect(),
            View::FrozenSet(set) => set.items.iter().map(|(item, _)| item.clone()).collect(),
            View::Bytes(bytes) => bytes.data().iter().map(|&byte| Value::int(byte.into())).collect(),
            _ => return Err(mismatch("list", value)),
        };
        items.iter().map(T::from_value).collect()
    }
}

impl<V: IntoValue, S> IntoValue for HashMap<String, V, S> {
    fn into_value(self) -> Value {
        dict(self)
    }
}

impl<V: IntoValue> IntoValue for BTreeMap<String, V> {
    fn into_value(self) -> Value {
        dict(self)
    }
}

fn dict<V: IntoValue>(pairs: impl IntoIterator<Item = (String, V)>) -> Value {
    let dict = Dict::new(Default::default());
    for (key, value) in pairs {
        dict.set_text(&key, value.into_value());
    }
    dict.into()
}

impl<V: FromValue, S: BuildHasher + Default> FromValue for HashMap<String, V, S> {
    fn from_value(value: &Value) -> Result<Self, Error> {
        pairs(value)
    }
}

impl<V: FromValue> FromValue for BTreeMap<String, V> {
    fn from_value(value: &Value) -> Result<Self, Error> {
        pairs(value)
    }
}

fn pairs<V: FromValue, M: FromIterator<(String, V)>>(value: &Value) -> Result<M, Error> {
    let dict = Vm::unwrap_native(value).get::<Dict>().ok_or_else(|| mismatch("dict", value))?;
    dict.pairs().iter().map(|(key, value)| Ok((String::from_value(key)?, V::from_value(value)?))).collect()
}

macro_rules! tuples {
    ($($name:ident $index:tt),+; $count:literal) => {
        impl<$($name: IntoValue),+> IntoValue for ($($name,)+) {
            fn into_value(self) -> Value {
                Value::tuple(vec![$(self.$index.into_value()),+])
            }
        }

        impl<$($name: FromValue),+> FromValue for ($($name,)+) {
            fn from_value(value: &Value) -> Result<Self, Error> {
                let items: Vec<Value> = match Vm::unwrap_native(value).view() {
                    View::Tuple(tuple) => tuple.items().to_vec(),
                    View::List(list) => list.to_vec(),
                    _ => return Err(mismatch("tuple", value)),
                };
                if items.len() != $count {
                    let message = format!("wanted {} items, got {}", $count, items.len());
                    return Err(Error::new("ValueError", message));
                }
                Ok(($($name::from_value(&items[$index])?,)+))
            }
        }

        impl<$($name: IntoValue),+> IntoArgs for ($($name,)+) {
            fn into_args(self) -> Vec<Value> {
                vec![$(self.$index.into_value()),+]
            }
        }
    };
}

/// Arguments of a call: a tuple, or any number of values of one type in a `Vec` or array.
pub trait IntoArgs {
    fn into_args(self) -> Vec<Value>;
}

tuples!(A 0; 1);
tuples!(A 0, B 1; 2);
tuples!(A 0, B 1, C 2; 3);
tuples!(A 0, B 1, C 2, D 3; 4);
tuples!(A 0, B 1, C 2, D 3, E 4; 5);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5; 6);

impl IntoArgs for () {
    fn into_args(self) -> Vec<Value> {
        Vec::new()
    }
}

impl<T: IntoValue> IntoArgs for Vec<T> {
    fn into_args(self) -> Vec<Value> {
        self.into_iter().map(T::into_value).collect()
    }
}

impl<T: IntoValue, const N: usize> IntoArgs for [T; N] {
    fn into_args(self) -> Vec<Value> {
        self.into_iter().map(T::into_value).collect()
    }
}
