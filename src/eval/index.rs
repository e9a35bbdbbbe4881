//! Subscripts: reading, storing and deleting items and slices.

use super::{Exc, Vm};
use crate::value::bytes::methods::contents;
use crate::value::{BigInt, Instance, Int, List, Raised, Range, Res, Slice, Str, Tag, Type, Value, View};
use num_traits::{Signed, ToPrimitive};

/// A slice applied to a length: `count` items from `start`, `step` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub start: i64,
    pub stop: i64,
    pub step: i64,
    pub count: usize,
}

impl Bounds {
    /// Positions of the items.
    pub fn positions(self) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.count as i64).map(move |i| (self.start + i * self.step) as usize)
    }

    fn of<T: Clone>(self, items: &[T]) -> Vec<T> {
        if self.step == 1 {
            return items[self.start as usize..self.start as usize + self.count].to_vec();
        }
        self.positions().map(|i| items[i].clone()).collect()
    }
}

impl Vm {
    /// A slice's bounds for a sequence of `len` items, as `slice.indices` gives them.
    pub fn slice_bounds(&mut self, slice: &Slice, len: usize) -> Res<Bounds> {
        let step = match self.slice_part(&slice.step)? {
            Some(0) => return Err(self.value_error("slice step cannot be zero")),
            Some(step) => step.max(-i64::MAX),
            None => 1,
        };
        let len = len as i64;
        let (low, high) = if step < 0 { (-1, len - 1) } else { (0, len) };
        let clamp = |part: Option<i64>, default: i64| match part {
            None => default,
            Some(i) if i < 0 => (i.saturating_add(len)).max(low),
            Some(i) => i.min(high),
        };
        let start = clamp(self.slice_part(&slice.start)?, if step < 0 { high } else { low });
        let stop = clamp(self.slice_part(&slice.stop)?, if step < 0 { low } else { high });
        let count = crate::value::range::small_len(start, stop, step);
        Ok(Bounds { start, stop, step, count })
    }

    /// Start, stop and step of a slice for a sequence of any length, as `slice.indices` gives them.
    pub(crate) fn big_slice_bounds(&mut self, slice: &Slice, len: &BigInt) -> Res<[BigInt; 3]> {
        let step = self.big_slice_part(&slice.step)?.unwrap_or_else(|| BigInt::from(1));
        if step == BigInt::ZERO {
            return Err(self.value_error("slice step cannot be zero"));
        }
        let is_down = step.is_negative();
        let (low, high) = match is_down {
            true => (BigInt::from(-1), len - 1),
            false => (BigInt::ZERO, len.clone()),
        };
        let clamp = |part: Option<BigInt>, default: &BigInt| match part {
            None => default.clone(),
            Some(i) if i.is_negative() => (i + len).max(low.clone()),
            Some(i) => i.min(high.clone()),
        };
        let start = clamp(self.big_slice_part(&slice.start)?, if is_down { &high } else { &low });
        let stop = clamp(self.big_slice_part(&slice.stop)?, if is_down { &low } else { &high });
        Ok([start, stop, step])
    }

    fn big_slice_part(&mut self, part: &Value) -> Res<Option<BigInt>> {
        if self.slice_part(part)?.is_none() {
            return Ok(None);
        }
        let int = self.to_int_value(part)?;
        Ok(Int::of(&int).map(|int| int.to_big().into_owned()))
    }

    /// A slice of a range that 64 bits may not hold.
    fn big_range_slice(&mut self, range: &Range, slice: &Slice) -> Res {
        let bounds = self.big_slice_bounds(slice, &range.length())?;
        let big = |value: Value| Int::of(&value).map(|int| int.to_big().into_owned()).unwrap_or_default();
        let (start, step) = (big(range.start_value()), big(range.step_value()));
        let parts = [&start + &step * &bounds[0], &start + &step * &bounds[1], &step * &bounds[2]];
        let [start, stop, step] = parts.map(Value::big);
        Ok(crate::value::range_methods::make_range(&start, &stop, &step))
    }

    pub(crate) fn slice_part(&mut self, part: &Value) -> Res<Option<i64>> {
        if part.is_none() {
            return Ok(None);
        }
        let is_int = Int::of(part).is_some() || self.special_method(part, "__index__")?.is_some();
        if !is_int {
            return Err(self.type_error("slice indices must be integers or None or have an __index__ method"));
        }
        let int = self.to_int_value(part)?;
        Ok(Some(match Int::of(&int) {
            Some(Int::Small(i)) => i,
            Some(Int::Big(big)) if big.is_negative() => i64::MIN / 2,
            _ => i64::MAX / 2,
        }))
    }

    /// An index without `__index__` methods left to call, for containers that those could change; `None` if it
    /// has none anyway.
    fn settled(&mut self, index: &Value) -> Res<Option<Value>> {
        match index.view() {
            View::Instance(_) if self.special_method(index, "__index__")?.is_some() => {
                self.to_int_value(index).map(Some)
            }
            View::Slice(slice) => {
                let parts = [&slice.start, &slice.stop, &slice.step];
                if parts.iter().all(|part| part.tag() != Tag::Instance) {
                    return Ok(None);
                }
                let mut settled = [Value::NONE, Value::NONE, Value::NONE];
                for (part, settled) in parts.into_iter().zip(&mut settled) {
                    *settled = self.slice_part(part)?.map_or(Value::NONE, Value::int);
                }
                let [start, stop, step] = settled;
                Ok(Some(crate::value::Ref::new(Slice { start, stop, step }).into()))
            }
            _ => Ok(None),
        }
    }

    /// A position in a sequence of `len` items, or `None` if the index is outside.
    fn position(&mut self, index: &Value, len: usize, what: &str) -> Res<Option<usize>> {
        let int = match Int::of(index) {
            Some(int) => int.to_value(),
            None => {
                if index.tag() != Tag::Instance || self.special_method(index, "__index__")?.is_none() {
                    let name = self.type_name(index);
                    let message = match what {
                        "string" => format!("string indices must be integers, not '{name}'"),
                        _ => format!("{what} indices must be integers or slices, not {name}"),
                    };
                    return Err(self.type_error(message));
                }
                self.to_int_value(index)?
            }
        };
        let Some(i) = int.as_small_int() else {
            return Err(self.index_error("cannot fit 'int' into an index-sized integer"));
        };
        let at = if i < 0 { i.saturating_add(len as i64) } else { i };
        Ok((0..len as i64).contains(&at).then_some(at as usize))
    }

    /// `object[index]`.
    pub fn get_item(&mut self, object: &Value, index: &Value) -> Res {
        match object.view() {
            View::List(list) => match index.view() {
                View::Slice(slice) => {
                    if let Some(index) = self.settled(index)? {
                        return self.get_item(object, &index);
                    }
                    let bounds = self.slice_bounds(slice, list.len())?;
                    Ok(Value::list(bounds.of(&list.borrow())))
                }
                _ => match self.position(index, list.len(), "list")?.and_then(|i| list.at(i)) {
                    Some(item) => Ok(item),
                    None => Err(self.index_error("list index out of range")),
                },
            },
            View::Tuple(tuple) => match index.view() {
                View::Slice(slice) => {
                    let bounds = self.slice_bounds(slice, tuple.len())?;
                    if bounds.count == tuple.len() && bounds.step == 1 {
                        return Ok(object.clone());
                    }
                    Ok(Value::tuple(bounds.of(tuple.items())))
                }
                _ => match self.position(index, tuple.len(), "tuple")? {
                    Some(i) => Ok(tuple.items()[i].clone()),
                    None => Err(self.index_error("tuple index out of range")),
                },
            },
            View::Dict(dict) => match self.dict_get(dict, index)? {
                Some(value) => Ok(value),
                None => Err(self.key_error(index.clone())),
            },
            View::Str(text) => self.str_item(object, text, index),
            View::Bytes(bytes) => self.bytes_item(bytes.data(), index, false),
            View::ByteArray(bytes) => {
                if let Some(i) = index.as_int()
                    && let Ok(i) = usize::try_from(i)
                    && let Some(&byte) = bytes.data.borrow().get(i)
                {
                    return Ok(Value::int(byte.into()));
                }
                let data = bytes.data.borrow().clone();
                self.bytes_item(&data, index, true)
            }
            View::Range(range) => self.range_item(range, index),
            _ => self.object_item(object, index),
        }
    }

    fn str_item(&mut self, object: &Value, text: &Str, index: &Value) -> Res {
        let View::Slice(slice) = index.view() else {
            return match self.position(index, text.len(), "string")?.and_then(|i| text.char_at(i)) {
                Some(c) => Ok(super::iterate::char_value(c)),
                None => Err(self.index_error("string index out of range")),
            };
        };
        let bounds = self.slice_bounds(slice, text.len())?;
        if bounds.step == 1 {
            if bounds.count == text.len() {
                return Ok(object.clone());
            }
            let start = bounds.start as usize;
            return Ok(Value::str(text.substring(start, start + bounds.count)));
        }
        if text.is_ascii() {
            let bytes = text.as_str().as_bytes();
            let picked: String = bounds.positions().map(|i| bytes[i] as char).collect();
            return Ok(Str::from_string(picked).into());
        }
        let chars: Vec<char> = text.as_str().chars().collect();
        let picked: String = bounds.positions().map(|i| chars[i]).collect();
        Ok(Str::from_string(picked).into())
    }

    fn bytes_item(&mut self, data: &[u8], index: &Value, is_array: bool) -> Res {
        if let View::Slice(slice) = index.view() {
            let picked = self.slice_bounds(slice, data.len())?.of(data);
            return Ok(if is_array {
                crate::value::ByteArray::new(picked).into()
            } else {
                Value::bytes(picked)
            });
        }
        let what = if is_array { "bytearray" } else { "byte" };
        match self.position(index, data.len(), what)? {
            Some(i) => Ok(Value::int(data[i] as i64)),
            None if is_array => Err(self.index_error("bytearray index out of range")),
            None => Err(self.index_error("index out of range")),
        }
    }

    fn range_item(&mut self, range: &Range, index: &Value) -> Res {
        let Some(len) = range.len().filter(|len| i64::try_from(*len).is_ok()) else {
            return self.big_range_item(range, index);
        };
        if let View::Slice(slice) = index.view() {
            let bounds = self.slice_bounds(slice, len)?;
            let at = |i: i64| range.start as i128 + range.step as i128 * i as i128;
            let step = range.step as i128 * bounds.step as i128;
            let fits = |n: i128| i64::try_from(n).ok();
            let parts = (fits(at(bounds.start)), fits(at(bounds.stop)), fits(step));
            return match parts {
                (Some(start), Some(stop), Some(step)) if range.big.is_none() => {
                    Ok(Range::new(start, stop, step).into())
                }
                _ => self.big_range_slice(range, slice),
            };
        }
        match self.position(index, len, "range")? {
            Some(i) => Ok(range.at(i)),
            None => Err(self.index_error("range object index out of range")),
        }
    }

    fn big_range_item(&mut self, range: &Range, index: &Value) -> Res {
        if let View::Slice(slice) = index.view() {
            return self.big_range_slice(range, slice);
        }
        let int = self.to_int_value(index)?;
        let Some(int) = Int::of(&int) else {
            return Err(self.index_error("range object index out of range"));
        };
        let [start, stop, step] = [range.start, range.stop, range.step].map(BigInt::from);
        let small = crate::value::range::BigRange { start, stop, step };
        let big = range.big.as_deref().unwrap_or(&small);
        let len = big.len();
        let mut at: BigInt = int.to_big().into_owned();
        if at.is_negative() {
            at += &len;
        }
        if at.is_negative() || at >= len {
            return Err(self.index_error("range object index out of range"));
        }
        Ok(Value::big(&big.start + &big.step * at))
    }

    fn object_item(&mut self, object: &Value, index: &Value) -> Res {
        let native = object.get::<Instance>().and_then(Instance::native);
        if let Some(native) = native.filter(|native| !native.is::<crate::value::Foreign>()) {
            let class = self.type_of(object);
            let own = self.lookup(&class, &Str::new("__getitem__"));
            if own.is_none_or(|found| found.is::<crate::value::NativeFunction>()) {
                return self.native_item(object, &native.clone(), index);
            }
        }
        if let Some(method) = self.special_method(object, "__getitem__")? {
            return self.call(&method, std::slice::from_ref(index));
        }
        if object.is::<Type>() {
            return self.class_item(object, index);
        }
        let name = self.type_name(object);
        Err(self.type_error(format!("'{name}' object is not subscriptable")))
    }

    /// An item of the built-in value inside an instance; a dict asks `__missing__`.
    pub(crate) fn native_item(&mut self, object: &Value, native: &Value, index: &Value) -> Res {
        let View::Dict(dict) = native.view() else { return self.get_item(native, index) };
        if let Some(value) = self.dict_get(dict, index)? {
            return Ok(value);
        }
        match self.special_method(object, "__missing__")? {
            Some(missing) => self.call(&missing, std::slice::from_ref(index)),
            None => Err(self.key_error(index.clone())),
        }
    }

    /// `Class[item]`: `__class_getitem__`, or a generic alias of a built-in, which is the type itself.
    fn class_item(&mut self, object: &Value, index: &Value) -> Res {
        let name = Str::new("__class_getitem__");
        if let Some(method) = self.find_attribute(object, &name)?.filter(|method| !method.is_none()) {
            return self.call(&method, std::slice::from_ref(index));
        }
        match object.get::<Type>() {
            Some(class)
                if matches!(
                    class.kind,
                    Tag::List | Tag::Dict | Tag::Tuple | Tag::Set | Tag::FrozenSet | Tag::Type
                ) =>
            {
                Ok(crate::value::generic_alias::new(object, index))
            }
            // `ExceptionGroup[ValueError]`.
            Some(class) if class.is_subtype_of(&self.types.exception(Exc::BaseExceptionGroup)) => {
                Ok(crate::value::generic_alias::new(object, index))
            }
            Some(class) => {
                let shown = class.name();
                Err(self.type_error(format!("type '{}' is not subscriptable", shown.as_str())))
            }
            None => Err(Raised),
        }
    }

    /// `object[index]`, or `None` for a missing key.
    pub(crate) fn get_item_if_present(&mut self, object: &Value, key: Value) -> Res<Option<Value>> {
        if let View::Dict(dict) = object.view() {
            return self.dict_get(dict, &key);
        }
        let result = self.get_item(object, &key);
        self.catch(result, Exc::KeyError)
    }

    /// `object[index] = value`.
    pub fn set_item(&mut self, object: &Value, index: Value, value: Value) -> Res<()> {
        if matches!(object.tag(), Tag::List | Tag::ByteArray)
            && matches!(index.tag(), Tag::Instance | Tag::Slice)
            && let Some(index) = self.settled(&index)?
        {
            return self.set_item(object, index, value);
        }
        match object.view() {
            View::Dict(dict) => self.dict_set(dict, index, value),
            View::List(list) => match index.view() {
                View::Slice(slice) => self.set_list_slice(object, list, slice, &value),
                _ => match self.position(&index, list.len(), "list")? {
                    Some(i) => list.set_at(i, value).map_err(|_| Raised),
                    None => Err(self.index_error("list assignment index out of range")),
                },
            },
            View::ByteArray(bytes) => self.set_byte(object, bytes, &index, &value),
            _ => {
                if let Some(method) = self.special_method(object, "__setitem__")? {
                    return self.call(&method, &[index, value]).map(drop);
                }
                if let Some(native) = object.get::<Instance>().and_then(Instance::native) {
                    return self.set_item(&native.clone(), index, value);
                }
                let name = self.type_name(object);
                Err(self.type_error(format!("'{name}' object does not support item assignment")))
            }
        }
    }

    fn set_list_slice(&mut self, object: &Value, list: &List, slice: &Slice, value: &Value) -> Res<()> {
        let Ok(items) = (if value.same(object) { Ok(list.to_vec()) } else { self.collect(value) }) else {
            if self.is_not_iterable(value) {
                self.take_raised();
                self.type_error("can only assign an iterable");
            }
            return Err(Raised);
        };
        let bounds = self.slice_bounds(slice, list.len())?;
        if bounds.step == 1 {
            let start = bounds.start as usize;
            let end = start + bounds.count;
            let old: Vec<Value> = list.borrow_mut().splice(start..end, items).collect();
            drop(old);
            return Ok(());
        }
        if items.len() != bounds.count {
            let (n, m) = (items.len(), bounds.count);
            return Err(self.value_error(format!(
                "attempt to assign sequence of size {n} to extended slice of size {m}"
            )));
        }
        for (position, item) in bounds.positions().zip(items) {
            let _ = list.set_at(position, item);
        }
        Ok(())
    }

    fn set_byte(
        &mut self,
        array: &Value,
        bytes: &crate::value::ByteArray,
        index: &Value,
        value: &Value,
    ) -> Res<()> {
        if let View::Slice(slice) = index.view() {
            let more = self.bytes_to_assign(value)?;
            let len = bytes.data.borrow().len();
            let bounds = self.slice_bounds(slice, len)?;
            if bounds.step == 1 {
                let start = bounds.start as usize;
                if more.len() != bounds.count {
                    self.resizable(bytes)?;
                }
                bytes.data.borrow_mut().splice(start..start + bounds.count, more);
                return Ok(());
            }
            if more.is_empty() {
                return self.delete_item(&array.clone(), index);
            }
            if more.len() != bounds.count {
                let (n, m) = (more.len(), bounds.count);
                return Err(self.value_error(format!(
                    "attempt to assign bytes of size {n} to extended slice of size {m}"
                )));
            }
            for (position, byte) in bounds.positions().zip(more) {
                bytes.data.borrow_mut()[position] = byte;
            }
            return Ok(());
        }
        if Int::of(index).is_none() && index.tag() != Tag::Instance {
            // What the index is matters before what the value is.
            self.position(index, 0, "bytearray")?;
        }
        let byte = self.to_byte(value)?;
        let len = bytes.data.borrow().len();
        let Some(at) = self.position(index, len, "bytearray")? else {
            return Err(self.index_error("bytearray index out of range"));
        };
        bytes.data.borrow_mut()[at] = byte;
        Ok(())
    }

    /// Lets the length of a `bytearray` change.
    ///
    /// # Errors
    /// `BufferError` while memoryviews look at it.
    pub(crate) fn resizable(&mut self, bytes: &crate::value::ByteArray) -> Res<()> {
        if bytes.exports.get() == 0 {
            return Ok(());
        }
        Err(self.error(Exc::BufferError, "Existing exports of data: object cannot be re-sized"))
    }

    /// What can be stored in a slice of a `bytearray`.
    fn bytes_to_assign(&mut self, value: &Value) -> Res<Vec<u8>> {
        match Vm::unwrap_native(value).tag() {
            Tag::Bytes | Tag::ByteArray | Tag::MemoryView => return self.bytes_of(value),
            Tag::Str | Tag::Int | Tag::Bool | Tag::BigInt | Tag::Float => {
                let message = "can assign only bytes, buffers, or iterables of ints in range(0, 256)";
                return Err(self.type_error(message));
            }
            _ => {}
        }
        let Ok(iterator) = self.iter(value) else {
            if self.is_not_iterable(value) {
                self.take_raised();
                let got = self.type_name(value);
                self.type_error(format!("cannot convert '{got}' object to bytearray"));
            }
            return Err(Raised);
        };
        let mut data = Vec::new();
        while let Some(item) = self.next(&iterator)? {
            data.push(self.to_byte(&item)?);
        }
        Ok(data)
    }

    /// An int from 0 to 255.
    pub(crate) fn to_byte(&mut self, value: &Value) -> Res<u8> {
        let int = self.to_int_value(value)?;
        match Int::of(&int).and_then(|i| i.to_big().to_u8()) {
            Some(byte) => Ok(byte),
            None => Err(self.value_error("byte must be in range(0, 256)")),
        }
    }

    /// Contents of a bytes-like object.
    pub(crate) fn bytes_of(&mut self, value: &Value) -> Res<Vec<u8>> {
        match self.buffer_of(value)? {
            Some(data) => Ok(data),
            None => {
                let name = self.type_name(value);
                Err(self.type_error(format!("a bytes-like object is required, not '{name}'")))
            }
        }
    }

    /// Contents of a bytes-like object, an object with a method `__buffer__` among them; `None` for any other.
    pub(crate) fn buffer_of(&mut self, value: &Value) -> Res<Option<Vec<u8>>> {
        if let Some(data) = contents(Vm::unwrap_native(value)) {
            return Ok(Some(data.into_owned()));
        }
        if value.tag() != Tag::Instance {
            return Ok(None);
        }
        let Some(method) = self.special_method(value, "__buffer__")? else { return Ok(None) };
        const SIMPLE: i64 = 0;
        let buffer = self.call(&method, &[Value::int(SIMPLE)])?;
        Ok(contents(Vm::unwrap_native(&buffer)).map(|data| data.into_owned()))
    }

    /// `del object[index]`.
    pub fn delete_item(&mut self, object: &Value, index: &Value) -> Res<()> {
        if matches!(object.tag(), Tag::List | Tag::ByteArray)
            && matches!(index.tag(), Tag::Instance | Tag::Slice)
            && let Some(index) = self.settled(index)?
        {
            return self.delete_item(object, &index);
        }
        match object.view() {
            View::Dict(dict) => match self.dict_remove(dict, index)? {
                Some(_) => Ok(()),
                None => Err(self.key_error(index.clone())),
            },
            View::List(list) => {
                if let View::Slice(slice) = index.view() {
                    let bounds = self.slice_bounds(slice, list.len())?;
                    self.delete_list_slice(list, bounds);
                    return Ok(());
                }
                match self.position(index, list.len(), "list")? {
                    Some(i) => {
                        let old = list.borrow_mut().remove(i);
                        drop(old);
                        Ok(())
                    }
                    None => Err(self.index_error("list assignment index out of range")),
                }
            }
            View::ByteArray(bytes) => {
                let len = bytes.data.borrow().len();
                if let View::Slice(slice) = index.view() {
                    let bounds = self.slice_bounds(slice, len)?;
                    if bounds.count == 0 {
                        return Ok(());
                    }
                    self.resizable(bytes)?;
                    let gone: std::collections::HashSet<usize> = bounds.positions().collect();
                    let mut at = 0;
                    bytes.data.borrow_mut().retain(|_| {
                        at += 1;
                        !gone.contains(&(at - 1))
                    });
                    return Ok(());
                }
                match self.position(index, len, "bytearray")? {
                    Some(i) => {
                        self.resizable(bytes)?;
                        bytes.data.borrow_mut().remove(i);
                        Ok(())
                    }
                    None => Err(self.index_error("bytearray index out of range")),
                }
            }
            _ => {
                if let Some(method) = self.special_method(object, "__delitem__")? {
                    return self.call(&method, std::slice::from_ref(index)).map(drop);
                }
                if let Some(native) = object.get::<Instance>().and_then(Instance::native) {
                    return self.delete_item(&native.clone(), index);
                }
                let name = self.type_name(object);
                let is_sequence = matches!(
                    object.tag(),
                    Tag::Str
                        | Tag::Bytes
                        | Tag::Tuple
                        | Tag::Range
                        | Tag::DictView
                        | Tag::Set
                        | Tag::FrozenSet
                        | Tag::Instance
                        | Tag::MappingProxy
                );
                let denied = if is_sequence && Int::of(index).is_some() { "doesn't" } else { "does not" };
                Err(self.type_error(format!("'{name}' object {denied} support item deletion")))
            }
        }
    }

    fn delete_list_slice(&mut self, list: &List, bounds: Bounds) {
        let mut positions: Vec<usize> = bounds.positions().collect();
        positions.sort_unstable();
        let mut gone = Vec::with_capacity(positions.len());
        {
            let mut items = list.borrow_mut();
            let mut kept = Vec::with_capacity(items.len() - positions.len());
            let mut next = positions.iter().copied().peekable();
            for (i, item) in items.drain(..).enumerate() {
                if next.peek() == Some(&i) {
                    next.next();
                    gone.push(item);
                } else {
                    kept.push(item);
                }
            }
            *items = kept;
        }
        drop(gone); // after the borrow: destructors may run script code
    }
}
