//! Iteration: making an iterator from a value, and advancing one.

use super::{Exc, Vm};
use crate::value::dict::ViewKind;
use crate::value::iterator::IterState;
use crate::value::{Dict, Instance, Int, Iter, List, Raised, Ref, Res, Str, Tag, Tuple, Value, View};
use num_bigint::BigInt;
use num_traits::Zero;

/// What a `for` over something yields next.
pub type Iteration = Res<Option<Value>>;

impl Vm {
    /// `iter(value)`.
    ///
    /// # Errors
    /// `TypeError` if the value is not iterable.
    pub fn iter(&mut self, value: &Value) -> Res {
        let state = match value.view() {
            View::Iter(_) | View::Generator(_) => return Ok(value.clone()),
            View::List(_) => IterState::List { list: value.clone(), index: 0 },
            View::Tuple(_) => IterState::Tuple { tuple: value.clone(), index: 0 },
            View::Str(_) => IterState::Str { text: value.clone(), offset: 0 },
            View::Bytes(_) | View::ByteArray(_) => IterState::Bytes { bytes: value.clone(), index: 0 },
            View::Range(range) => match &range.big {
                None => IterState::Range {
                    next: range.start,
                    left: range.len().unwrap_or(0) as u64,
                    step: range.step,
                },
                Some(big) => {
                    IterState::BigRange { next: big.start.clone(), left: big.len(), step: big.step.clone() }
                }
            },
            View::Dict(dict) => dict_state(value.get_ref::<Dict>(), dict.len(), ViewKind::Keys),
            View::DictView(view) => dict_state(Some(view.dict.clone()), view.dict.len(), view.kind),
            View::Set(set) => IterState::Set { set: value.clone(), slot: 0, len: set.len() },
            View::FrozenSet(set) => IterState::Set { set: value.clone(), slot: 0, len: set.items.len() },
            _ => return self.iter_object(value),
        };
        Ok(Iter::new(state).into())
    }

    fn iter_object(&mut self, value: &Value) -> Res {
        if let Some(method) = self.special_method(value, "__iter__")? {
            let iterator = self.call(&method, &[])?;
            if self.is_iterator(&iterator) {
                return Ok(iterator);
            }
            let name = self.type_name(&iterator);
            return Err(self.type_error(format!("iter() returned non-iterator of type '{name}'")));
        }
        if self.refuses(value, "__iter__") {
            let name = self.type_name(value);
            return Err(self.type_error(format!("'{name}' object is not iterable")));
        }
        if let Some(native) = value.get::<Instance>().and_then(Instance::native) {
            return self.iter(&native.clone());
        }
        if matches!(value.tag(), Tag::Instance | Tag::Type | Tag::Foreign)
            && self.special_method(value, "__getitem__")?.is_some()
        {
            return Ok(Iter::new(IterState::Items { object: value.clone(), index: 0, step: 1 }).into());
        }
        Err(self.not_iterable(value))
    }

    #[cold]
    fn not_iterable(&mut self, value: &Value) -> Raised {
        let name = self.type_name(value);
        self.type_error(format!("'{name}' object is not iterable"))
    }

    /// Whether the pending exception says that `value` is not iterable.
    pub(crate) fn is_not_iterable(&mut self, value: &Value) -> bool {
        let message = format!("'{}' object is not iterable", self.type_name(value));
        self.pending_exception()
            .is_some_and(|e| e.args().first().and_then(Value::as_str) == Some(message.as_str()))
            && self.is_raised(Exc::TypeError)
    }

    pub fn is_iterator(&mut self, value: &Value) -> bool {
        match value.view() {
            View::Iter(_) | View::File(_) | View::Generator(_) => true,
            View::Instance(instance) => {
                let class = instance.class();
                self.lookup(&class, &Str::new("__next__")).is_some()
            }
            View::Foreign(_) => {
                let class = self.type_of(value);
                self.lookup(&class, &Str::new("__next__")).is_some()
            }
            _ => false,
        }
    }

    /// `next(iterator)`; `None` at the end.
    pub fn next(&mut self, iterator: &Value) -> Res<Option<Value>> {
        // Native loops over endless iterators have no other place where Ctrl-C is noticed.
        if super::interrupt::is_pending() {
            self.handle_interrupt()?;
        }
        match iterator.view() {
            View::Iter(iter) => self.advance(iter),
            View::Generator(_) => self.next_of_generator(iterator),
            _ => self.next_object(iterator),
        }
    }

    fn next_of_generator(&mut self, iterator: &Value) -> Res<Option<Value>> {
        let Some(generator) = iterator.get_ref::<crate::value::Generator>() else { return Ok(None) };
        self.resume_generator(&generator, Value::NONE)
    }

    fn next_object(&mut self, iterator: &Value) -> Res<Option<Value>> {
        if let View::File(file) = iterator.view()
            && file.is_plain()
        {
            return crate::builtins::io::next_line(self, file);
        }
        let Some(method) = self.special_method(iterator, "__next__")? else {
            let name = self.type_name(iterator);
            return Err(self.type_error(format!("'{name}' object is not an iterator")));
        };
        let result = self.call(&method, &[]);
        self.until_stop(result)
    }

    /// Advances a built-in iterator. States that need script code are taken out of the cell meanwhile.
    #[inline]
    fn advance(&mut self, iter: &Iter) -> Res<Option<Value>> {
        let mut state = iter.state.borrow_mut();
        let item = match &mut *state {
            IterState::Range { next, left, step } => {
                if *left == 0 {
                    return Ok(None);
                }
                let value = Value::int(*next);
                *left -= 1;
                *next = next.wrapping_add(*step);
                return Ok(Some(value));
            }
            IterState::List { list, index } => match list.get::<List>().and_then(|l| l.at(*index)) {
                Some(item) => {
                    *index += 1;
                    return Ok(Some(item));
                }
                None => None,
            },
            IterState::Tuple { tuple, index } => {
                match tuple.get::<Tuple>().and_then(|t| t.items().get(*index)) {
                    Some(item) => {
                        *index += 1;
                        return Ok(Some(item.clone()));
                    }
                    None => None,
                }
            }
            IterState::Str { text, offset } => {
                let rest = text.as_str().and_then(|s| s.get(*offset..));
                match rest.and_then(|r| r.chars().next()) {
                    Some(c) => {
                        *offset += c.len_utf8();
                        return Ok(Some(char_value(c)));
                    }
                    None => None,
                }
            }
            IterState::Dict { .. } => return self.advance_dict(&mut state),
            IterState::Done => return Ok(None),
            _ => {
                drop(state);
                return self.advance_slowly(iter);
            }
        };
        if item.is_none() {
            let name = state.type_name();
            let old = std::mem::replace(&mut *state, IterState::Ended(name));
            drop(state);
            drop(old);
        }
        Ok(item)
    }

    fn advance_dict(&mut self, state: &mut IterState) -> Res<Option<Value>> {
        let IterState::Dict { dict, kind, slot, len, left, reversed } = state else { return Ok(None) };
        let map = dict.borrow();
        if map.len() != *len {
            drop(map);
            *len = usize::MAX; // stays in error
            return Err(self.runtime_error("dictionary changed size during iteration"));
        }
        let mut at = *slot;
        let entry = loop {
            let number = if *reversed {
                if at == 0 {
                    break None;
                }
                at - 1
            } else {
                if at >= map.slots() {
                    break None;
                }
                at
            };
            at = if *reversed { number } else { number + 1 };
            if let Some(entry) = map.entry(number) {
                break Some(entry);
            }
        };
        *slot = at;
        let item = entry.map(|e| match kind {
            ViewKind::Keys => e.key.clone(),
            ViewKind::Values => e.value.clone(),
            ViewKind::Items => Value::tuple(vec![e.key.clone(), e.value.clone()]),
        });
        drop(map);
        if item.is_none() {
            *state = IterState::Ended(state.type_name());
        } else if *left == 0 {
            return Err(self.runtime_error("dictionary keys changed during iteration"));
        } else {
            *left -= 1;
        }
        Ok(item)
    }

    /// Kinds that are rare or call scripts.
    fn advance_slowly(&mut self, iter: &Iter) -> Res<Option<Value>> {
        if matches!(&*iter.state.borrow(), IterState::Tool(_)) {
            return self.advance_tool(iter);
        }
        let mut state = iter.state.replace(IterState::Ended(iter.type_name()));
        let result = self.advance_state(&mut state);
        if matches!(result, Ok(Some(_)) | Err(_)) {
            let ended = iter.state.replace(state);
            drop(ended);
        }
        self.end_at_stop(result)
    }

    /// Advances an iterator of `itertools`; its type is known even while it runs and when it has ended.
    fn advance_tool(&mut self, iter: &Iter) -> Res<Option<Value>> {
        let name = iter.type_name();
        let IterState::Tool(mut tool) = iter.state.replace(IterState::Ended(name)) else { return Ok(None) };
        let result = tool.next(self);
        if !matches!(result, Ok(None)) || tool.is_kept_at_end() {
            let ended = iter.state.replace(IterState::Tool(tool));
            drop(ended);
        }
        if let Ok(None) = result {
            self.returned = Value::NONE;
        }
        self.end_at_stop(result)
    }

    fn advance_state(&mut self, state: &mut IterState) -> Res<Option<Value>> {
        match state {
            IterState::ListReversed { list, left } => {
                let Some(items) = list.get::<List>() else { return Ok(None) };
                if *left == 0 || *left > items.len() {
                    return Ok(None);
                }
                *left -= 1;
                Ok(items.at(*left))
            }
            IterState::Bytes { bytes, index } => {
                let byte = match bytes.view() {
                    View::Bytes(b) => b.data().get(*index).copied(),
                    View::ByteArray(b) => b.data.borrow().get(*index).copied(),
                    _ => None,
                };
                *index += 1;
                Ok(byte.map(|b| Value::int(b as i64)))
            }
            IterState::BigRange { next, left, step } => {
                if left.is_zero() {
                    return Ok(None);
                }
                let value = Value::big(next.clone());
                *next += &*step;
                *left -= BigInt::from(1);
                Ok(Some(value))
            }
            IterState::Set { set, slot, len } => self.advance_set(set, slot, len),
            IterState::Items { object, index, step } => {
                if *index < 0 {
                    return Ok(None);
                }
                let (object, at) = (object.clone(), Value::int(*index));
                *index += *step;
                let result = self.get_item(&object, &at);
                // Either ends the items; a value of StopIteration is nobody's here.
                let result = self.catch(result, Exc::StopIteration).transpose();
                result.map_or(Ok(None), |result| self.catch(result, Exc::IndexError))
            }
            IterState::Enumerate { inner, count } => {
                let Some(item) = self.next(inner)? else { return Ok(None) };
                let number = count.clone();
                *count = match count.as_int().and_then(|i| i.checked_add(1)) {
                    Some(next) => Value::int(next),
                    None => self.binary(super::code::BinaryOp::Add, &number, &Value::int(1))?,
                };
                Ok(Some(Value::tuple(vec![number, item])))
            }
            IterState::Zip { inner, strict } => self.advance_zip(inner, *strict),
            IterState::Map { function, inner } => {
                let mut args = Vec::with_capacity(inner.len());
                for iterator in inner.iter() {
                    match self.next(iterator)? {
                        Some(item) => args.push(item),
                        None => return Ok(None),
                    }
                }
                self.call(function, &args).map(Some)
            }
            IterState::Filter { function, inner } => {
                while let Some(item) = self.next(inner)? {
                    let keep = if function.is_none() {
                        self.truth(&item)?
                    } else {
                        let answer = self.call(function, std::slice::from_ref(&item))?;
                        self.truth(&answer)?
                    };
                    if keep {
                        return Ok(Some(item));
                    }
                }
                Ok(None)
            }
            IterState::Calls { function, sentinel } => {
                let result = self.call(function, &[]);
                match self.catch(result, Exc::StopIteration)? {
                    Some(value) if !self.eq(&value, sentinel)? => Ok(Some(value)),
                    _ => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    fn advance_set(&mut self, set: &Value, slot: &mut usize, len: &mut usize) -> Res<Option<Value>> {
        let step = |items: &crate::value::set::Items, slot: &mut usize| {
            while *slot < items.slots() {
                let found = items.slot(*slot).map(|(key, _)| key.clone());
                *slot += 1;
                if found.is_some() {
                    return found;
                }
            }
            None
        };
        match set.view() {
            View::Set(set) => {
                if set.len() != *len {
                    *len = usize::MAX; // stays in error
                    return Err(self.runtime_error("Set changed size during iteration"));
                }
                Ok(step(&set.borrow(), slot))
            }
            View::FrozenSet(set) => Ok(step(&set.items, slot)),
            _ => Ok(None),
        }
    }

    fn advance_zip(&mut self, inner: &[Value], strict: bool) -> Res<Option<Value>> {
        let mut items = Vec::with_capacity(inner.len());
        for (i, iterator) in inner.iter().enumerate() {
            match self.next(iterator)? {
                Some(item) => items.push(item),
                None if strict => return self.check_zip_ends(inner, i),
                None => return Ok(None),
            }
        }
        Ok((!inner.is_empty()).then(|| Value::tuple(items)))
    }

    /// `zip(strict=True)`: the others must end where argument `ended` did.
    fn check_zip_ends(&mut self, inner: &[Value], ended: usize) -> Res<Option<Value>> {
        if ended > 0 {
            let others = if ended == 1 { " ".to_string() } else { format!("s 1-{ended}") };
            let others = if ended == 1 { format!("{others}1") } else { others };
            let message = format!("zip() argument {} is shorter than argument{others}", ended + 1);
            return Err(self.value_error(message));
        }
        for (i, iterator) in inner.iter().enumerate().skip(1) {
            if self.next(iterator)?.is_some() {
                let others = if i == 1 { " 1".to_string() } else { format!("s 1-{i}") };
                let message = format!("zip() argument {} is longer than argument{others}", i + 1);
                return Err(self.value_error(message));
            }
        }
        Ok(None)
    }

    /// All items of an iterable.
    pub fn collect(&mut self, iterable: &Value) -> Res<Vec<Value>> {
        let mut items = Vec::new();
        self.extend_from(&mut items, iterable)?;
        Ok(items)
    }

    /// Appends all items of an iterable.
    pub fn extend_from(&mut self, items: &mut Vec<Value>, iterable: &Value) -> Res<()> {
        match iterable.view() {
            View::List(list) => items.extend(list.borrow().iter().cloned()),
            View::Tuple(tuple) => items.extend_from_slice(tuple.items()),
            View::Dict(dict) => items.extend(dict.keys()),
            _ => {
                let iterator = self.iter(iterable)?;
                while let Some(item) = self.next(&iterator)? {
                    items.push(item);
                }
            }
        }
        Ok(())
    }

    /// `len(value)`.
    pub fn len(&mut self, value: &Value) -> Res<usize> {
        Ok(match value.view() {
            View::Str(text) => text.len(),
            View::List(list) => list.len(),
            View::Tuple(tuple) => tuple.len(),
            View::Dict(dict) => dict.len(),
            View::Set(set) => set.len(),
            View::FrozenSet(set) => set.items.len(),
            View::Bytes(bytes) => bytes.data().len(),
            View::ByteArray(bytes) => bytes.data.borrow().len(),
            View::DictView(view) => view.dict.len(),
            View::Range(range) => match range.len() {
                Some(len) if i64::try_from(len).is_ok() => len,
                _ => return Err(self.overflow_error("Python int too large to convert to C ssize_t")),
            },
            _ => return self.len_of_object(value),
        })
    }

    fn len_of_object(&mut self, value: &Value) -> Res<usize> {
        if let Some(method) = self.special_method(value, "__len__")? {
            let result = self.call(&method, &[])?;
            let int = self.to_int_value(&result)?;
            return match int.as_small_int() {
                Some(len) if len >= 0 => Ok(len as usize),
                _ if Int::of(&int).is_some_and(Int::is_negative) => {
                    Err(self.value_error("__len__() should return >= 0"))
                }
                _ => Err(self.overflow_error("cannot fit 'int' into an index-sized integer")),
            };
        }
        match value.get::<Instance>().and_then(Instance::native) {
            Some(native) => self.len(&native.clone()),
            None => {
                let name = self.type_name(value);
                Err(self.type_error(format!("object of type '{name}' has no len()")))
            }
        }
    }
}

fn dict_state(dict: Option<Ref<Dict>>, len: usize, kind: ViewKind) -> IterState {
    match dict {
        Some(dict) => IterState::Dict { dict, kind, slot: 0, len, left: len, reversed: false },
        None => IterState::Done,
    }
}

/// A one-character string.
pub fn char_value(c: char) -> Value {
    Value::str(c.encode_utf8(&mut [0; 4]))
}
