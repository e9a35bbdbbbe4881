//! Writing pickles.
//!
//! Plain values are written here; every other object says by `__reduce_ex__` (or a function registered for its type)
//! which callable makes it anew. An object that was written before is fetched from the memo, which is also what makes
//! cycles possible: containers are remembered before their items are written. From protocol 4 on the text is cut into
//! frames, so that a reader knows how much to read at once.

use super::opcode::*;
use super::{names, pickling_error};
use crate::eval::{Exc, Vm};
use crate::text::surrogate;
use crate::value::{BigInt, Dict, List, Ref, Res, Set, Str, Tag, Tuple, Type, Value, View};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A frame that has reached this size is closed; longer bytes stand outside of frames.
const FRAME_SIZE: usize = 64 * 1024;
/// Shorter frames are not worth a header.
const LEAST_FRAME: usize = 4;
/// The opcode and the length of a frame.
const FRAME_HEADER: usize = 9;
/// How many items are added to a container at once.
const BATCH: usize = 1000;

type Numbers = HashMap<u64, u64, foldhash::fast::FixedState>;

/// Which objects have been written, and the number of each.
#[derive(Default)]
pub struct SaveMemo {
    numbers: Numbers,
    /// Keeps the objects alive, so that no other object gets the identity of one.
    objects: Vec<(u64, Value)>,
}

impl SaveMemo {
    pub fn put(&mut self, object: &Value, number: u64) {
        self.numbers.insert(object.identity(), number);
        self.objects.push((number, object.clone()));
    }

    /// Numbers and objects by identity.
    pub fn items(&self) -> Vec<(Value, Value)> {
        let entry = |(number, object): &(u64, Value)| {
            let pair = Value::tuple(vec![Value::int(*number as i64), object.clone()]);
            (Value::int(object.identity() as i64), pair)
        };
        self.objects.iter().map(entry).collect()
    }
}

pub struct Options {
    pub protocol: i64,
    /// Names of modules as Python 2 had them, for protocols that Python 2 can read.
    pub fix_imports: bool,
    /// Remember nothing.
    pub fast: bool,
    pub buffer_callback: Option<Value>,
}

/// What a class derived from `Pickler` wants to be asked.
#[derive(Default)]
pub struct Hooks {
    persistent_id: Option<Value>,
    reducer_override: Option<Value>,
    dispatch_table: Option<Value>,
}

impl Hooks {
    pub fn of(vm: &mut Vm, pickler: &Value) -> Res<Hooks> {
        let mut find = |name: &str| {
            let result = vm.get_attribute(pickler, &Str::new(name));
            vm.catch(result, Exc::AttributeError)
        };
        Ok(Hooks {
            persistent_id: find("persistent_id")?,
            reducer_override: find("reducer_override")?,
            dispatch_table: find("dispatch_table")?,
        })
    }
}

/// Writes one object; what was not handed to `write` yet is returned.
pub fn dump(
    vm: &mut Vm,
    object: &Value,
    options: Options,
    memo: Rc<RefCell<SaveMemo>>,
    write: Option<Value>,
    hooks: Hooks,
) -> Res<Vec<u8>> {
    let copyreg = vm.import_module("copyreg")?;
    let mut saver =
        Saver { vm, options, memo, out: Vec::new(), frame: None, is_framing: false, write, hooks, copyreg };
    saver.whole(object)?;
    Ok(saver.out)
}

struct Saver<'a> {
    vm: &'a mut Vm,
    options: Options,
    memo: Rc<RefCell<SaveMemo>>,
    out: Vec<u8>,
    /// Where the open frame starts in `out`.
    frame: Option<usize>,
    is_framing: bool,
    write: Option<Value>,
    hooks: Hooks,
    copyreg: Value,
}

/// The parts of what `__reduce_ex__` gives.
struct Reduced {
    function: Value,
    args: Value,
    state: Value,
    items: Value,
    pairs: Value,
    set_state: Value,
}

impl Saver<'_> {
    fn whole(&mut self, object: &Value) -> Res<()> {
        if self.options.protocol >= 2 {
            self.out.extend([PROTO, self.options.protocol as u8]);
        }
        if self.options.protocol >= 4 {
            self.is_framing = true;
            self.begin_frame();
        }
        self.save(object)?;
        self.out.push(STOP);
        self.end_frame();
        self.flush()
    }

    // ---- frames and output ----

    fn begin_frame(&mut self) {
        self.frame = Some(self.out.len());
        self.out.extend([0; FRAME_HEADER]);
    }

    fn end_frame(&mut self) {
        let Some(start) = self.frame.take() else { return };
        let len = self.out.len() - start - FRAME_HEADER;
        if len < LEAST_FRAME {
            self.out.drain(start..start + FRAME_HEADER);
            return;
        }
        self.out[start] = FRAME;
        self.out[start + 1..start + FRAME_HEADER].copy_from_slice(&(len as u64).to_le_bytes());
    }

    /// Closes a frame that is long enough. Only between two objects: no instruction may be cut.
    fn commit_frame(&mut self) -> Res<()> {
        let Some(start) = self.frame else { return Ok(()) };
        if self.out.len() - start - FRAME_HEADER < FRAME_SIZE {
            return Ok(());
        }
        self.end_frame();
        self.flush()?;
        self.begin_frame();
        Ok(())
    }

    /// Hands what is complete to the file.
    fn flush(&mut self) -> Res<()> {
        let Some(write) = self.write.clone() else { return Ok(()) };
        if !self.out.is_empty() {
            let data = std::mem::take(&mut self.out);
            self.vm.call(&write, &[Value::bytes(data)])?;
        }
        Ok(())
    }

    /// An instruction with bytes behind it; long ones stand outside of frames.
    fn with_payload(&mut self, header: &[u8], payload: &[u8]) -> Res<()> {
        if !self.is_framing || payload.len() < FRAME_SIZE {
            self.out.extend_from_slice(header);
            self.out.extend_from_slice(payload);
            return Ok(());
        }
        self.end_frame();
        self.out.extend_from_slice(header);
        if let Some(write) = self.write.clone() {
            self.flush()?;
            self.vm.call(&write, &[Value::bytes(payload)])?;
        } else {
            self.out.extend_from_slice(payload);
        }
        self.begin_frame();
        Ok(())
    }

    fn is_binary(&self) -> bool {
        self.options.protocol >= 1
    }

    // ---- memo ----

    fn number_of(&self, object: &Value) -> Option<u64> {
        self.memo.borrow().numbers.get(&object.identity()).copied()
    }

    fn fetch(&mut self, number: u64) {
        match (self.is_binary(), u8::try_from(number), u32::try_from(number)) {
            (true, Ok(small), _) => self.out.extend([BINGET, small]),
            (true, _, Ok(number)) => {
                self.out.push(LONG_BINGET);
                self.out.extend(number.to_le_bytes());
            }
            _ => {
                self.out.push(GET);
                self.out.extend(format!("{number}\n").bytes());
            }
        }
    }

    fn memoize(&mut self, object: &Value) {
        if self.options.fast {
            return;
        }
        let number = {
            let mut memo = self.memo.borrow_mut();
            let number = memo.numbers.len() as u64;
            memo.put(object, number);
            number
        };
        if self.options.protocol >= 4 {
            self.out.push(MEMOIZE);
            return;
        }
        match (self.is_binary(), u8::try_from(number), u32::try_from(number)) {
            (true, Ok(small), _) => self.out.extend([BINPUT, small]),
            (true, _, Ok(number)) => {
                self.out.push(LONG_BINPUT);
                self.out.extend(number.to_le_bytes());
            }
            _ => {
                self.out.push(PUT);
                self.out.extend(format!("{number}\n").bytes());
            }
        }
    }

    // ---- objects ----

    fn save(&mut self, object: &Value) -> Res<()> {
        self.commit_frame()?;
        if let Some(persistent_id) = self.hooks.persistent_id.clone() {
            let id = self.vm.call(&persistent_id, std::slice::from_ref(object))?;
            if !id.is_none() {
                return self.persistent(&id);
            }
        }
        self.save_itself(object)
    }

    /// As `save`, for what has no persistent identity.
    fn save_itself(&mut self, object: &Value) -> Res<()> {
        match object.view() {
            View::None => self.out.push(NONE),
            View::Bool(flag) => self.bool(flag),
            View::Int(int) => self.int(int),
            View::BigInt(big) => return self.big(big),
            View::Float(float) => self.float(float),
            _ => return self.save_heap(object),
        }
        Ok(())
    }

    fn save_heap(&mut self, object: &Value) -> Res<()> {
        if let Some(number) = self.number_of(object) {
            self.fetch(number);
            return Ok(());
        }
        match object.view() {
            View::Str(text) => return self.str(object, text.as_str()),
            View::Bytes(bytes) => return self.bytes(object, bytes.data()),
            _ => {}
        }
        self.vm.check_depth(" while pickling an object")?;
        match object.view() {
            View::Tuple(tuple) => self.tuple(object, tuple.items()),
            View::List(list) => self.list(object, list),
            View::Dict(dict) => self.dict(object, dict),
            View::Set(set) => self.set(object, set),
            View::FrozenSet(_) => self.frozen_set(object),
            View::ByteArray(bytes) => {
                let data = bytes.data.borrow().clone();
                self.byte_array(object, &data)
            }
            _ => self.other(object),
        }
    }

    fn persistent(&mut self, id: &Value) -> Res<()> {
        if self.is_binary() {
            self.save_itself(id)?;
            self.out.push(BINPERSID);
            return Ok(());
        }
        let text = self.vm.str_of(id)?;
        if !text.is_ascii() {
            return Err(pickling_error(self.vm, "persistent IDs in protocol 0 must be ASCII strings"));
        }
        self.out.push(PERSID);
        self.out.extend(text.bytes());
        self.out.push(b'\n');
        Ok(())
    }

    fn bool(&mut self, flag: bool) {
        if self.options.protocol >= 2 {
            self.out.push(if flag { NEWTRUE } else { NEWFALSE });
        } else {
            self.out.extend(if flag { b"I01\n" } else { b"I00\n" });
        }
    }

    fn int(&mut self, int: i64) {
        if let (true, Ok(int)) = (self.is_binary(), i32::try_from(int)) {
            match (u8::try_from(int), u16::try_from(int)) {
                (Ok(int), _) => self.out.extend([BININT1, int]),
                (_, Ok(int)) => {
                    self.out.push(BININT2);
                    self.out.extend(int.to_le_bytes());
                }
                _ => {
                    self.out.push(BININT);
                    self.out.extend(int.to_le_bytes());
                }
            }
        } else if self.options.protocol >= 2 {
            self.long(&BigInt::from(int));
        } else if i32::try_from(int).is_ok() {
            self.out.extend(format!("I{int}\n").bytes());
        } else {
            self.out.extend(format!("L{int}L\n").bytes());
        }
    }

    fn big(&mut self, big: &BigInt) -> Res<()> {
        if self.options.protocol >= 2 {
            self.long(big);
            return Ok(());
        }
        let digits = self.vm.big_text(big)?;
        self.out.extend(format!("L{digits}L\n").bytes());
        Ok(())
    }

    /// The fewest bytes in two's complement.
    fn long(&mut self, big: &BigInt) {
        let data = big.to_signed_bytes_le();
        match u8::try_from(data.len()) {
            Ok(len) => self.out.extend([LONG1, len]),
            Err(_) => {
                self.out.push(LONG4);
                self.out.extend((data.len() as u32).to_le_bytes());
            }
        }
        self.out.extend(data);
    }

    fn float(&mut self, float: f64) {
        if self.is_binary() {
            self.out.push(BINFLOAT);
            self.out.extend(float.to_be_bytes());
            return;
        }
        let mut text = String::new();
        let _ = crate::text::float::write_repr(float, &mut text);
        self.out.push(FLOAT);
        self.out.extend(text.bytes());
        self.out.push(b'\n');
    }

    fn str(&mut self, object: &Value, text: &str) -> Res<()> {
        if !self.is_binary() {
            self.out.push(UNICODE);
            write_escaped(text, &mut self.out);
            self.out.push(b'\n');
            self.memoize(object);
            return Ok(());
        }
        let data = surrogate::encode_utf8_surrogatepass(text);
        let len = data.len();
        let mut header = Vec::with_capacity(FRAME_HEADER);
        match (u8::try_from(len), u32::try_from(len)) {
            (Ok(len), _) if self.options.protocol >= 4 => header.extend([SHORT_BINUNICODE, len]),
            (_, Ok(len)) => {
                header.push(BINUNICODE);
                header.extend(len.to_le_bytes());
            }
            _ if self.options.protocol >= 4 => {
                header.push(BINUNICODE8);
                header.extend((len as u64).to_le_bytes());
            }
            _ => {
                let message = "serializing a string larger than 4 GiB requires pickle protocol 4 or higher";
                return Err(self.vm.overflow_error(message));
            }
        }
        self.with_payload(&header, &data)?;
        self.memoize(object);
        Ok(())
    }

    fn bytes(&mut self, object: &Value, data: &[u8]) -> Res<()> {
        if self.options.protocol < 3 {
            return self.bytes_as_text(object, data);
        }
        let len = data.len();
        let mut header = Vec::with_capacity(FRAME_HEADER);
        match (u8::try_from(len), u32::try_from(len)) {
            (Ok(len), _) => header.extend([SHORT_BINBYTES, len]),
            (_, Ok(len)) => {
                header.push(BINBYTES);
                header.extend(len.to_le_bytes());
            }
            _ if self.options.protocol >= 4 => {
                header.push(BINBYTES8);
                header.extend((len as u64).to_le_bytes());
            }
            _ => {
                let message =
                    "serializing a bytes object larger than 4 GiB requires pickle protocol 4 or higher";
                return Err(self.vm.overflow_error(message));
            }
        }
        self.with_payload(&header, data)?;
        self.memoize(object);
        Ok(())
    }

    /// Protocols before 3 have no bytes: a call makes them from text.
    fn bytes_as_text(&mut self, object: &Value, data: &[u8]) -> Res<()> {
        let (function, args) = if data.is_empty() {
            (self.vm.types.of_tag(Tag::Bytes).clone().into(), vec![])
        } else {
            let codecs = self.vm.import_module("codecs")?;
            let encode = self.vm.get_attribute(&codecs, &Str::new("encode"))?;
            (encode, vec![latin1(data), Value::str("latin1")])
        };
        self.reduced_to(function, args, object)
    }

    fn byte_array(&mut self, object: &Value, data: &[u8]) -> Res<()> {
        if self.options.protocol < 5 {
            let args = if data.is_empty() { vec![] } else { vec![Value::bytes(data)] };
            let class = self.vm.types.of_tag(Tag::ByteArray).clone().into();
            return self.reduced_to(class, args, object);
        }
        let mut header = vec![BYTEARRAY8];
        header.extend((data.len() as u64).to_le_bytes());
        self.with_payload(&header, data)?;
        self.memoize(object);
        Ok(())
    }

    /// `function(*args)` makes the object; that is all there is to it.
    fn reduced_to(&mut self, function: Value, args: Vec<Value>, object: &Value) -> Res<()> {
        let parts = Reduced {
            function,
            args: Value::tuple(args),
            state: Value::NONE,
            items: Value::NONE,
            pairs: Value::NONE,
            set_state: Value::NONE,
        };
        self.reduction(parts, Some(object))
    }

    fn tuple(&mut self, object: &Value, items: &[Value]) -> Res<()> {
        if items.is_empty() {
            match self.is_binary() {
                true => self.out.push(EMPTY_TUPLE),
                false => self.out.extend([MARK, TUPLE]),
            }
            return Ok(());
        }
        let is_short = items.len() <= 3 && self.options.protocol >= 2;
        if !is_short {
            self.out.push(MARK);
        }
        for item in items {
            self.save(item)?;
        }
        // An item may have led back here and written the tuple already.
        if let Some(number) = self.number_of(object) {
            match (is_short, self.is_binary()) {
                (true, _) => self.out.extend(vec![POP; items.len()]),
                (false, true) => self.out.push(POP_MARK),
                (false, false) => self.out.extend(vec![POP; items.len() + 1]),
            }
            self.fetch(number);
            return Ok(());
        }
        self.out.push(match (is_short, items.len()) {
            (true, 1) => TUPLE1,
            (true, 2) => TUPLE2,
            (true, _) => TUPLE3,
            _ => TUPLE,
        });
        self.memoize(object);
        Ok(())
    }

    fn list(&mut self, object: &Value, list: &List) -> Res<()> {
        match self.is_binary() {
            true => self.out.push(EMPTY_LIST),
            false => self.out.extend([MARK, LIST]),
        }
        self.memoize(object);
        if !self.is_binary() {
            let mut at = 0;
            while let Some(item) = list.at(at) {
                self.save(&item)?;
                self.out.push(APPEND);
                at += 1;
            }
            return Ok(());
        }
        if list.len() == 1 {
            let only = list.at(0).unwrap_or_default();
            self.save(&only)?;
            self.out.push(APPEND);
            return Ok(());
        }
        let mut at = 0;
        while at < list.len() {
            self.out.push(MARK);
            for _ in 0..BATCH {
                let Some(item) = list.at(at) else { break };
                self.save(&item)?;
                at += 1;
            }
            self.out.push(APPENDS);
        }
        Ok(())
    }

    fn dict(&mut self, object: &Value, dict: &Dict) -> Res<()> {
        match self.is_binary() {
            true => self.out.push(EMPTY_DICT),
            false => self.out.extend([MARK, DICT]),
        }
        self.memoize(object);
        let pairs = dict.pairs();
        let is_single = pairs.len() == 1 || !self.is_binary();
        for batch in pairs.chunks(if is_single { 1 } else { BATCH }) {
            if !is_single {
                self.out.push(MARK);
            }
            for (key, value) in batch {
                self.save(key)?;
                self.save(value)?;
                if dict.len() != pairs.len() {
                    return Err(self.vm.runtime_error("dictionary changed size during iteration"));
                }
            }
            self.out.push(if is_single { SETITEM } else { SETITEMS });
        }
        Ok(())
    }

    fn set(&mut self, object: &Value, set: &Set) -> Res<()> {
        let items = self.vm.collect(object)?;
        if self.options.protocol < 4 {
            let class = self.vm.types.of_tag(Tag::Set).clone().into();
            return self.reduced_to(class, vec![Value::list(items)], object);
        }
        self.out.push(EMPTY_SET);
        self.memoize(object);
        for batch in items.chunks(BATCH) {
            self.out.push(MARK);
            for item in batch {
                self.save(item)?;
                if set.len() != items.len() {
                    return Err(self.vm.runtime_error("set changed size during iteration"));
                }
            }
            self.out.push(ADDITEMS);
        }
        Ok(())
    }

    fn frozen_set(&mut self, object: &Value) -> Res<()> {
        let items = self.vm.collect(object)?;
        if self.options.protocol < 4 {
            let class = self.vm.types.of_tag(Tag::FrozenSet).clone().into();
            return self.reduced_to(class, vec![Value::list(items)], object);
        }
        self.out.push(MARK);
        for item in &items {
            self.save(item)?;
        }
        if let Some(number) = self.number_of(object) {
            self.out.push(POP_MARK);
            self.fetch(number);
            return Ok(());
        }
        self.out.push(FROZENSET);
        self.memoize(object);
        Ok(())
    }

    // ---- everything else ----

    fn other(&mut self, object: &Value) -> Res<()> {
        if let Some(reducer) = self.hooks.reducer_override.clone() {
            let value = self.vm.call(&reducer, std::slice::from_ref(object))?;
            if !value.is_not_implemented() {
                return self.by_reduction(object, &value);
            }
        }
        let class = self.vm.type_of(object);
        if Ref::ptr_eq(&class, &self.vm.types.type_) {
            return self.plain_type(object);
        }
        if object.is::<crate::value::Function>() {
            return self.global(object, None);
        }
        if class.name.borrow().as_str() == "PickleBuffer" && self.is_pickle_buffer(&class) {
            return self.pickle_buffer(object);
        }
        if let Some(reducer) = self.registered(&class)? {
            let value = self.vm.call(&reducer, std::slice::from_ref(object))?;
            return self.by_reduction(object, &value);
        }
        if object.is::<Type>() {
            return self.global(object, None);
        }
        let value = self.reduce(object)?;
        self.by_reduction(object, &value)
    }

    fn reduce(&mut self, object: &Value) -> Res {
        let result = self.vm.get_attribute(object, &Str::new("__reduce_ex__"));
        if let Some(method) = self.vm.catch(result, Exc::AttributeError)? {
            return self.vm.call(&method, &[Value::int(self.options.protocol)]);
        }
        let result = self.vm.get_attribute(object, &Str::new("__reduce__"));
        if let Some(method) = self.vm.catch(result, Exc::AttributeError)? {
            return self.vm.call(&method, &[]);
        }
        let (name, shown) = (self.vm.type_name(object), self.vm.repr_of(object)?);
        Err(pickling_error(self.vm, format!("can't pickle '{name}' object: {shown}")))
    }

    /// The function registered for a class.
    fn registered(&mut self, class: &Ref<Type>) -> Res<Option<Value>> {
        let table = match &self.hooks.dispatch_table {
            Some(table) => table.clone(),
            None => self.vm.get_attribute(&self.copyreg, &Str::new("dispatch_table"))?,
        };
        let class: Value = class.clone().into();
        if let Some(table) = table.get::<Dict>() {
            return self.vm.dict_get(table, &class);
        }
        let result = self.vm.get_item(&table, &class);
        self.vm.catch(result, Exc::KeyError)
    }

    /// A class whose class is `type`.
    fn plain_type(&mut self, object: &Value) -> Res<()> {
        let only = match object.get::<Type>().map(|class| class.kind) {
            Some(Tag::None) => Value::NONE,
            Some(Tag::Ellipsis) => Value::ELLIPSIS,
            Some(Tag::NotImplemented) => Value::NOT_IMPLEMENTED,
            _ => return self.global(object, None),
        };
        let type_ = self.vm.types.type_.clone().into();
        self.reduced_to(type_, vec![only], object)
    }

    fn by_reduction(&mut self, object: &Value, value: &Value) -> Res<()> {
        if value.as_str().is_some() {
            return self.global(object, Some(value.clone()));
        }
        let Some(parts) = Vm::unwrap_native(value).get::<Tuple>().map(|tuple| tuple.items().to_vec()) else {
            return Err(pickling_error(self.vm, "__reduce__ must return a string or tuple"));
        };
        if !(2..=6).contains(&parts.len()) {
            let message = "tuple returned by __reduce__ must contain 2 through 6 elements";
            return Err(pickling_error(self.vm, message));
        }
        let mut parts = parts.into_iter();
        let mut next = || parts.next().unwrap_or(Value::NONE);
        let reduced = Reduced {
            function: next(),
            args: next(),
            state: next(),
            items: next(),
            pairs: next(),
            set_state: next(),
        };
        self.check(&reduced)?;
        self.reduction(reduced, Some(object))
    }

    fn check(&mut self, reduced: &Reduced) -> Res<()> {
        if !self.vm.is_callable(&reduced.function) {
            let message = "first item of the tuple returned by __reduce__ must be callable";
            return Err(pickling_error(self.vm, message));
        }
        if !Vm::unwrap_native(&reduced.args).is::<Tuple>() {
            let message = "second item of the tuple returned by __reduce__ must be a tuple";
            return Err(pickling_error(self.vm, message));
        }
        for (place, value) in [("fourth", &reduced.items), ("fifth", &reduced.pairs)] {
            if !value.is_none() && !self.vm.is_iterator(value) {
                let got = self.vm.type_name(value);
                return Err(pickling_error(
                    self.vm,
                    format!(
                        "{place} element of the tuple returned by __reduce__ must be an iterator, not {got}"
                    ),
                ));
            }
        }
        if !reduced.set_state.is_none() && !self.vm.is_callable(&reduced.set_state) {
            let got = self.vm.type_name(&reduced.set_state);
            return Err(pickling_error(
                self.vm,
                format!("sixth element of the tuple returned by __reduce__ must be a function, not {got}"),
            ));
        }
        Ok(())
    }

    fn reduction(&mut self, parts: Reduced, object: Option<&Value>) -> Res<()> {
        let name = match self.options.protocol >= 2 {
            true => {
                let result = self.vm.get_attribute(&parts.function, &Str::new("__name__"));
                self.vm.catch(result, Exc::AttributeError)?
            }
            false => None,
        };
        match name.as_ref().and_then(Value::as_str) {
            Some("__newobj_ex__") => self.new_object_ex(&parts.args)?,
            Some("__newobj__") => self.new_object(&parts.args, object)?,
            _ => {
                self.save(&parts.function)?;
                self.save(&parts.args)?;
                self.out.push(REDUCE);
            }
        }
        if let Some(object) = object {
            // The arguments may have led back to the object.
            match self.number_of(object) {
                Some(number) => {
                    self.out.push(POP);
                    self.fetch(number);
                }
                None => self.memoize(object),
            }
        }
        if !parts.items.is_none() {
            self.append_all(&parts.items)?;
        }
        if !parts.pairs.is_none() {
            self.set_all(&parts.pairs)?;
        }
        self.save_state(&parts, object)
    }

    fn save_state(&mut self, parts: &Reduced, object: Option<&Value>) -> Res<()> {
        if parts.state.is_none() {
            return Ok(());
        }
        if parts.set_state.is_none() {
            self.save(&parts.state)?;
            self.out.push(BUILD);
            return Ok(());
        }
        self.save(&parts.set_state)?;
        self.save(object.unwrap_or(&Value::NONE))?;
        self.save(&parts.state)?;
        self.out.extend([TUPLE2, REDUCE, POP]);
        Ok(())
    }

    /// The items of the arguments, which are a tuple.
    fn arguments(args: &Value) -> Vec<Value> {
        Vm::unwrap_native(args).get::<Tuple>().map(|tuple| tuple.items().to_vec()).unwrap_or_default()
    }

    fn new_object(&mut self, args: &Value, object: Option<&Value>) -> Res<()> {
        let args = Self::arguments(args);
        let Some((class, rest)) = args.split_first() else {
            return Err(pickling_error(self.vm, "__newobj__ arglist is empty"));
        };
        if !self.vm.has_attribute(class, "__new__")? {
            return Err(pickling_error(self.vm, "args[0] from __newobj__ args has no __new__"));
        }
        if let Some(object) = object {
            let own = self.vm.get_attribute(object, &Str::new("__class__"))?;
            if !own.same(class) {
                return Err(pickling_error(self.vm, "args[0] from __newobj__ args has the wrong class"));
            }
        }
        self.save(class)?;
        self.save(&Value::tuple(rest.to_vec()))?;
        self.out.push(NEWOBJ);
        Ok(())
    }

    fn new_object_ex(&mut self, args: &Value) -> Res<()> {
        let args = Self::arguments(args);
        let [class, positional, keywords] = args.as_slice() else {
            let count = args.len();
            let message = format!("length of the NEWOBJ_EX argument tuple must be exactly 3, not {count}");
            return Err(pickling_error(self.vm, message));
        };
        let wanted = [
            (class.is::<Type>(), class, "first", "a class"),
            (Vm::unwrap_native(positional).is::<Tuple>(), positional, "second", "a tuple"),
            (Vm::unwrap_native(keywords).is::<Dict>(), keywords, "third", "a dict"),
        ];
        for (is_right, value, place, kind) in wanted {
            if !is_right {
                let got = self.vm.type_name(value);
                let message = format!("{place} item from NEWOBJ_EX argument tuple must be {kind}, not {got}");
                return Err(pickling_error(self.vm, message));
            }
        }
        if self.options.protocol >= 4 {
            self.save(class)?;
            self.save(positional)?;
            self.save(keywords)?;
            self.out.push(NEWOBJ_EX);
            return Ok(());
        }
        // Older protocols: `partial(class.__new__, class, *args, **keywords)()`
        let functools = self.vm.import_module("functools")?;
        let partial = self.vm.get_attribute(&functools, &Str::new("partial"))?;
        let new = self.vm.get_attribute(class, &Str::new("__new__"))?;
        let mut all = vec![new, class.clone()];
        all.extend(Self::arguments(positional));
        let named = Vm::unwrap_native(keywords).get::<Dict>().map(Dict::pairs).unwrap_or_default();
        let named: Vec<(Ref<Str>, Value)> =
            named.into_iter().filter_map(|(name, value)| Some((name.into_ref().ok()?, value))).collect();
        let made = self.vm.call_with_keywords(&partial, &all, &named)?;
        self.save(&made)?;
        self.save(&Value::tuple(vec![]))?;
        self.out.push(REDUCE);
        Ok(())
    }

    /// What an iterator gives next, up to a batch.
    fn batch(&mut self, iterator: &Value, limit: usize) -> Res<Vec<Value>> {
        let mut batch = Vec::new();
        while batch.len() < limit {
            match self.vm.next(iterator)? {
                Some(item) => batch.push(item),
                None => break,
            }
        }
        Ok(batch)
    }

    fn append_all(&mut self, iterator: &Value) -> Res<()> {
        let limit = if self.is_binary() { BATCH } else { 1 };
        loop {
            let batch = self.batch(iterator, limit)?;
            match batch.as_slice() {
                [] => return Ok(()),
                [only] => {
                    self.save(only)?;
                    self.out.push(APPEND);
                }
                many => {
                    self.out.push(MARK);
                    for item in many {
                        self.save(item)?;
                    }
                    self.out.push(APPENDS);
                }
            }
            if batch.len() < limit {
                return Ok(());
            }
        }
    }

    fn set_all(&mut self, iterator: &Value) -> Res<()> {
        let limit = if self.is_binary() { BATCH } else { 1 };
        loop {
            let batch = self.batch(iterator, limit)?;
            if batch.is_empty() {
                return Ok(());
            }
            let is_single = batch.len() == 1;
            if !is_single {
                self.out.push(MARK);
            }
            for item in &batch {
                let pair = Vm::unwrap_native(item).get::<Tuple>().map(|pair| pair.items().to_vec());
                let Some([key, value]) = pair.as_deref() else {
                    return Err(self.vm.type_error("dict items iterator must return 2-tuples"));
                };
                self.save(key)?;
                self.save(value)?;
            }
            self.out.push(if is_single { SETITEM } else { SETITEMS });
            if batch.len() < limit {
                return Ok(());
            }
        }
    }

    // ---- buffers ----

    fn is_pickle_buffer(&mut self, class: &Ref<Type>) -> bool {
        let own = super::super::in_zpy(self.vm, "pickle", "PickleBuffer");
        own.same(&class.clone().into())
    }

    fn pickle_buffer(&mut self, object: &Value) -> Res<()> {
        if self.options.protocol < 5 {
            let message = "PickleBuffer can only be pickled with protocol >= 5";
            return Err(pickling_error(self.vm, message));
        }
        let view = self.vm.call_method(object, "raw", &[])?;
        let is_read_only = self.vm.get_attribute(&view, &Str::new("readonly"))?;
        let is_read_only = self.vm.truth(&is_read_only)?;
        let stays_inside = match self.options.buffer_callback.clone() {
            None => true,
            Some(callback) => {
                let answer = self.vm.call(&callback, std::slice::from_ref(object))?;
                self.vm.truth(&answer)?
            }
        };
        if !stays_inside {
            self.out.push(NEXT_BUFFER);
            if is_read_only {
                self.out.push(READONLY_BUFFER);
            }
            return Ok(());
        }
        let data = self.vm.bytes_of(&view)?;
        if is_read_only { self.bytes(object, &data) } else { self.byte_array(object, &data) }
    }

    // ---- names ----

    fn global(&mut self, object: &Value, name: Option<Value>) -> Res<()> {
        let name = match name {
            Some(name) => name,
            None => {
                let result = self.vm.get_attribute(object, &Str::new("__qualname__"));
                match self.vm.catch(result, Exc::AttributeError)? {
                    Some(name) => name,
                    None => self.vm.get_attribute(object, &Str::new("__name__"))?,
                }
            }
        };
        let name = self.vm.text_of(&name, "__qualname__")?;
        let found = names::locate(self.vm, object, &name)?;
        // A module may be reached through itself.
        let name = match &found.parent {
            None => name.rsplit('.').next().unwrap_or(&name).to_string(),
            Some(_) => name,
        };
        let protocol = self.options.protocol;
        if protocol >= 2 && self.extension(&found.module, &name)? {
            return Ok(());
        }
        if protocol >= 4 {
            for text in [&found.module, &name] {
                let text = self.vm.intern(text).into();
                self.save(&text)?;
            }
            self.out.push(STACK_GLOBAL);
        } else if let Some((parent, last)) = found.parent {
            // A name with dots, which these protocols cannot look up.
            let getattr = crate::value::reduce::builtin(self.vm, "getattr");
            let parts = vec![parent, Value::str(last)];
            self.save(&getattr)?;
            self.save(&Value::tuple(parts))?;
            self.out.push(REDUCE);
        } else {
            self.global_line(&found.module, &name)?;
        }
        self.memoize(object);
        Ok(())
    }

    /// Module and name as lines of text.
    fn global_line(&mut self, module: &str, name: &str) -> Res<()> {
        let protocol = self.options.protocol;
        let (module, name) = match protocol < 3 && self.options.fix_imports {
            true => names::to_python_2(module, name),
            false => (module.to_string(), name.to_string()),
        };
        if protocol < 3 && !(module.is_ascii() && name.is_ascii()) {
            return Err(pickling_error(
                self.vm,
                format!("can't pickle global identifier '{module}.{name}' using pickle protocol {protocol}"),
            ));
        }
        self.out.push(GLOBAL);
        self.out.extend(format!("{module}\n{name}\n").bytes());
        Ok(())
    }

    /// The number registered for a name instead of the name; whether there is one.
    fn extension(&mut self, module: &str, name: &str) -> Res<bool> {
        let registry = self.vm.get_attribute(&self.copyreg, &Str::new("_extension_registry"))?;
        let Some(registry) = registry.get::<Dict>() else { return Ok(false) };
        if registry.is_empty() {
            return Ok(false);
        }
        let key = Value::tuple(vec![Value::str(module), Value::str(name)]);
        let Some(code) = self.vm.dict_get(registry, &key)? else { return Ok(false) };
        let Some(code) = code.as_small_int().and_then(|code| u32::try_from(code).ok()) else {
            return Ok(false);
        };
        match (u8::try_from(code), u16::try_from(code)) {
            (Ok(code), _) => self.out.extend([EXT1, code]),
            (_, Ok(code)) => {
                self.out.push(EXT2);
                self.out.extend(code.to_le_bytes());
            }
            _ => {
                self.out.push(EXT4);
                self.out.extend(code.to_le_bytes());
            }
        }
        Ok(true)
    }
}

/// Bytes as text of the characters with their numbers.
fn latin1(data: &[u8]) -> Value {
    Value::str(data.iter().map(|&byte| byte as char).collect::<String>())
}

/// Text as protocol 0 writes it: Latin-1, with escapes for the rest and for what would end the line.
fn write_escaped(text: &str, out: &mut Vec<u8>) {
    for c in text.chars() {
        let code = surrogate::code_point(c);
        match code {
            0 | 0x0a | 0x0d | 0x1a | 0x5c => out.extend(format!("\\u{code:04x}").bytes()),
            0..=0xff => out.push(code as u8),
            0x100..=0xffff => out.extend(format!("\\u{code:04x}").bytes()),
            _ => out.extend(format!("\\U{code:08x}").bytes()),
        }
    }
}
