//! Reading the arguments of a native call: each accessor checks the kind and raises a `TypeError` that
//! names the function, what it wanted and what it got.

use super::Call;
use crate::convert::FromValue;
use crate::eval::Vm;
use crate::value::bytes::methods::contents;
use crate::value::{Dict, Heap, Instance, Int, List, Raised, Ref, Res, Str, Tag, Type, Value, View};
use num_traits::ToPrimitive;
use std::borrow::Cow;

impl<'a> Call<'a> {
    /// A required argument.
    #[inline]
    pub fn arg(&self, index: usize) -> &'a Value {
        &self.args[index]
    }

    /// An optional argument, if it was given.
    #[inline]
    pub fn opt(&self, index: usize) -> Option<&'a Value> {
        self.args.get(index).filter(|value| !value.is_unbound())
    }

    /// As `opt`, and `none` counts as not given.
    pub fn opt_not_none(&self, index: usize) -> Option<&'a Value> {
        self.opt(index).filter(|value| !value.is_none())
    }

    /// What `*rest` received.
    pub fn rest(&self) -> &'a [Value] {
        let from = self.signature.positional.len().min(self.args.len());
        let after = self.signature.keyword_only.len() + self.signature.keywords.is_some() as usize;
        &self.args[from..self.args.len() - after]
    }

    /// A keyword-only argument by its position among them, if it was given.
    pub fn keyword(&self, index: usize) -> Option<&'a Value> {
        let after = self.signature.keyword_only.len() + self.signature.keywords.is_some() as usize;
        self.opt(self.args.len() - after + index)
    }

    /// What `**keywords` received.
    pub fn keywords(&self) -> Option<&'a Dict> {
        self.signature.keywords?;
        self.args.last().and_then(|value| value.get::<Dict>())
    }

    /// The name of an attribute, interned.
    pub fn attribute_name(&mut self, index: usize) -> Res<Ref<Str>> {
        match Vm::unwrap_native(self.arg(index)).as_str() {
            Some(text) => Ok(self.vm.intern(text)),
            None => {
                let got = self.vm.type_name(self.arg(index));
                Err(self.vm.type_error(format!("attribute name must be string, not '{got}'")))
            }
        }
    }

    /// A `TypeError` for an argument of the wrong kind.
    pub fn wrong_type(&mut self, index: usize, wanted: &str) -> Raised {
        let got = self.vm.type_name(&self.args[index]);
        let name = match self.owner {
            Some(owner) if matches!(self.native.name, "__new__" | "__init__") => {
                owner.name().as_str().to_string()
            }
            _ => self.native.name.to_string(),
        };
        let method = self.signature.positional.first().is_some_and(|p| matches!(p.name, "self" | "cls"));
        let shown = if method { index } else { index + 1 };
        let count = self.signature.positional.len() - method as usize;
        let place = if count > 1 { format!(" {shown}") } else { String::new() };
        self.vm.type_error(format!("{name}() argument{place} must be {wanted}, not {got}"))
    }

    /// The payload of an argument of kind `T`, looking inside instances of derived classes.
    fn native<T: Heap>(&mut self, index: usize, wanted: &str) -> Res<&'a T> {
        let value = &self.args[index];
        if let Some(found) = value.get::<T>() {
            return Ok(found);
        }
        let inside = value.get::<Instance>().and_then(Instance::native).and_then(|v| v.get::<T>());
        match inside {
            Some(found) => Ok(found),
            None => Err(self.wrong_type(index, wanted)),
        }
    }

    pub fn str_object(&mut self, index: usize) -> Res<&'a Str> {
        self.native(index, "str")
    }

    /// The text of a string argument.
    pub fn str(&mut self, index: usize) -> Res<&'a str> {
        Ok(self.str_object(index)?.as_str())
    }

    pub fn list(&mut self, index: usize) -> Res<&'a List> {
        self.native(index, "list")
    }

    pub fn dict(&mut self, index: usize) -> Res<&'a Dict> {
        self.native(index, "dict")
    }

    /// The receiver of a method of kind `T`.
    #[inline]
    pub fn this<T: Heap>(&mut self) -> Res<&'a T> {
        match Vm::unwrap_native(&self.args[0]).get::<T>() {
            Some(found) => Ok(found),
            None => Err(self.wrong_receiver(T::TAG)),
        }
    }

    /// The receiver of a method of a built-in type, as the built-in value it is or carries inside.
    pub fn inner(&mut self) -> Res<&'a Value> {
        let value = Vm::unwrap_native(&self.args[0]);
        let wanted = self.owner.map_or(value.tag(), |owner| owner.kind);
        let is_int = wanted == Tag::Int && Int::of(value).is_some();
        if value.tag() == wanted || is_int { Ok(value) } else { Err(self.wrong_receiver(wanted)) }
    }

    /// The class a constructor or class method was called on.
    pub fn class(&mut self) -> Res<Ref<Type>> {
        match self.args[0].get_ref::<Type>() {
            Some(class) => Ok(class),
            None => {
                let (name, got) = (self.native.name, self.vm.type_name(&self.args[0]));
                let owner =
                    self.owner.map_or_else(String::new, |owner| format!("{}.", owner.name().as_str()));
                Err(self.vm.type_error(format!("{owner}{name}(X): X is not a type object ({got})")))
            }
        }
    }

    /// What `**keywords` received, as pairs to call something else with.
    pub fn keyword_pairs(&self) -> Vec<(Ref<Str>, Value)> {
        let pairs = self.keywords().map(Dict::pairs).unwrap_or_default();
        pairs.into_iter().filter_map(|(name, value)| Some((name.into_ref::<Str>().ok()?, value))).collect()
    }

    /// The error of a method called through its type with an object of another type.
    #[cold]
    pub fn wrong_receiver(&mut self, wanted: Tag) -> Raised {
        let name = self.native.name.trim_start_matches('.').trim_end_matches('=');
        let got = self.vm.type_name(&self.args[0]);
        let wanted = self.vm.types.of_tag(wanted).name();
        let wanted = wanted.as_str();
        self.vm.type_error(if name.starts_with("__") {
            format!("descriptor '{name}' requires a '{wanted}' object but received a '{got}'")
        } else {
            format!("descriptor '{name}' for '{wanted}' objects doesn't apply to a '{got}' object")
        })
    }

    /// The receiver of a method of a derivable built-in type: the built-in value itself.
    pub fn receiver(&self) -> &'a Value {
        Vm::unwrap_native(&self.args[0])
    }

    /// Optional `start` and `end` arguments, the first of them at `index`, as a part of `len` items; `None`
    /// if it ends before it starts.
    pub fn bounds(&mut self, index: usize, len: usize) -> Res<Option<(usize, usize)>> {
        let mut ends = [0, len as i64];
        for (end, value) in ends.iter_mut().zip([self.opt(index), self.opt(index + 1)]) {
            let Some(value) = value else { continue };
            if let Some(given) = self.vm.slice_part(value)? {
                *end = if given < 0 { given.saturating_add(len as i64).max(0) } else { given };
            }
        }
        let (start, end) = (ends[0], ends[1].min(len as i64));
        Ok((start <= end).then_some((start as usize, end as usize)))
    }

    /// An int argument of which absent and negative mean "no limit".
    pub fn limit(&mut self, index: usize) -> Res<usize> {
        Ok(usize::try_from(self.int_or(index, -1)?).unwrap_or(usize::MAX))
    }

    /// An optional `str` argument that messages call by its name, as in `encode(encoding, errors)`.
    pub fn named_str(&mut self, index: usize) -> Res<Option<&'a str>> {
        let Some(value) = self.opt(index) else { return Ok(None) };
        if let Some(text) = Vm::unwrap_native(value).as_str() {
            return Ok(Some(text));
        }
        let function = if self.native.name == "__new__" {
            Vm::unwrap_native(&self.args[0])
                .get::<Type>()
                .map_or(String::new(), |t| t.name().as_str().to_string())
        } else {
            self.native.name.to_string()
        };
        let name = self.signature.positional.get(index).map_or("", |p| p.name);
        let got = self.vm.type_name(value);
        let got = if value.is_none() { "None".to_string() } else { got };
        Err(self.vm.type_error(format!("{function}() argument '{name}' must be str, not {got}")))
    }

    /// The contents of a bytes-like object.
    pub fn bytes(&mut self, index: usize) -> Res<Cow<'a, [u8]>> {
        match contents(Vm::unwrap_native(&self.args[index])) {
            Some(data) => Ok(data),
            None => Err(self.wrong_type(index, "a bytes-like object")),
        }
    }

    /// An int argument that must fit 64 bits; objects with `__index__` count as ints.
    ///
    /// # Errors
    /// `TypeError` for anything but an int, `OverflowError` for one that is too large.
    pub fn int(&mut self, index: usize) -> Res<i64> {
        let value = &self.args[index];
        if let Some(small) = value.as_small_int() {
            return Ok(small);
        }
        self.vm.to_index(value)
    }

    /// As `int`, with a default for an absent argument.
    pub fn int_or(&mut self, index: usize, default: i64) -> Res<i64> {
        if self.opt(index).is_some() { self.int(index) } else { Ok(default) }
    }

    /// As `int`, but too large numbers become the nearest 64-bit one, as sizes and slice bounds do.
    pub fn int_clamped(&mut self, index: usize) -> Res<i64> {
        let value = &self.args[index];
        if let Some(Int::Big(big)) = Int::of(value) {
            return Ok(if big.sign() == num_bigint::Sign::Minus { i64::MIN } else { i64::MAX });
        }
        self.int(index)
    }

    /// An int argument that the system takes as a C `int`.
    ///
    /// # Errors
    /// `TypeError` for anything but an int, `OverflowError` for one that does not fit.
    pub fn c_int(&mut self, index: usize) -> Res<i32> {
        let value = self.arg(index);
        self.vm.c_int(value)
    }

    /// A float argument; ints are converted.
    pub fn float(&mut self, index: usize) -> Res<f64> {
        let value = &self.args[index];
        self.vm.to_float(value)
    }

    /// Truth of an argument, or the default for an absent one.
    pub fn truth_or(&mut self, index: usize, default: bool) -> Res<bool> {
        match self.opt(index) {
            Some(value) => self.vm.truth(value),
            None => Ok(default),
        }
    }

    /// Milliseconds or seconds given as an int or float that must not be negative.
    pub fn non_negative_number(&mut self, index: usize, what: &str) -> Res<f64> {
        let value = &self.args[index];
        let number = match value.view() {
            View::Int(i) => i as f64,
            View::Bool(b) => b as i64 as f64,
            View::Float(f) => f,
            View::BigInt(big) => big.to_f64().unwrap_or(f64::INFINITY),
            _ => return Err(self.wrong_type(index, "a number")),
        };
        if number < 0.0 || number.is_nan() {
            let name = self.native.name;
            return Err(self.vm.value_error(format!("{name}() {what} must be non-negative, not {number}")));
        }
        Ok(number)
    }

    /// An argument as a Rust value.
    ///
    /// # Errors
    /// `TypeError`, `OverflowError`, `ValueError`: the argument is nothing of that kind.
    pub fn get<T: FromValue>(&mut self, index: usize) -> Res<T> {
        self.args[index].to().map_err(|error| {
            let message = format!("{}() argument {}: {}", self.native.name, index + 1, error.message);
            match error.kind.as_str() {
                "OverflowError" => self.vm.overflow_error(message),
                "ValueError" => self.vm.value_error(message),
                _ => self.vm.type_error(message),
            }
        })
    }

    /// What the host gave with [`Engine::with_data`](crate::Engine::with_data), if it is a `T`.
    pub fn data<T: 'static>(&mut self) -> Option<&mut T> {
        self.vm.host_data.downcast_mut()
    }

    /// All items of an iterable argument.
    pub fn items(&mut self, index: usize) -> Res<Vec<Value>> {
        let value = &self.args[index];
        self.vm.collect(value)
    }
}

impl Vm {
    /// A value that the system takes as a C `int`.
    ///
    /// # Errors
    /// As for [`Call::c_int`].
    pub fn c_int(&mut self, value: &Value) -> Res<i32> {
        let value = self.to_int_value(value)?;
        match value.as_small_int().map(i32::try_from) {
            Some(Ok(number)) => Ok(number),
            Some(Err(_)) if value.as_small_int().is_some_and(|i| i < 0) => {
                Err(self.overflow_error("signed integer is less than minimum"))
            }
            Some(Err(_)) => Err(self.overflow_error("signed integer is greater than maximum")),
            None => Err(self.overflow_error("Python int too large to convert to C int")),
        }
    }
}
