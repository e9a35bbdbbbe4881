//! Reading pickles: a small machine with a stack, marks on it, and a numbered memo.
//!
//! Its instructions may call anything that a global name means, so a pickle is a program; yet no text whatever makes
//! the machine itself fail. Lengths are checked against what is there before memory is taken for them.

use super::opcode::*;
use super::{names, unpickling_error};
use crate::eval::{Exc, Vm};
use crate::text::surrogate;
use crate::value::set::Items;
use crate::value::{
    BigInt, Dict, FrozenSet, Instance, List, Raised, Ref, Res, Set, Str, Tag, Tuple, Type, Value,
};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

/// How much is asked of a file at once, whatever length the pickle claims.
const PIECE: usize = 1 << 20;

/// Objects by number. Numbers may be any; those that come one after the other are kept in a vector.
#[derive(Default)]
pub struct Memo {
    dense: Vec<Option<Value>>,
    sparse: HashMap<u64, Value>,
    count: u64,
    /// The protocol of the pickle that was read last.
    pub protocol: i64,
}

impl Memo {
    /// Puts an object in; gives back what was there.
    pub fn put(&mut self, number: u64, object: Value) -> Option<Value> {
        let len = self.dense.len() as u64;
        let old = if number < len {
            self.dense[number as usize].replace(object)
        } else if number < len + 1024 {
            self.dense.resize(number as usize, None);
            self.dense.push(Some(object));
            self.sparse.remove(&number)
        } else {
            self.sparse.insert(number, object)
        };
        if old.is_none() {
            self.count += 1;
        }
        old
    }

    fn get(&self, number: u64) -> Option<Value> {
        match self.dense.get(number as usize) {
            Some(Some(object)) => Some(object.clone()),
            _ => self.sparse.get(&number).cloned(),
        }
    }

    /// Objects by number.
    pub fn items(&self) -> Vec<(Value, Value)> {
        let dense = self.dense.iter().enumerate();
        let dense = dense.filter_map(|(number, object)| Some((Value::size(number), object.clone()?)));
        let sparse = self.sparse.iter().map(|(number, object)| (Value::int(*number as i64), object.clone()));
        dense.chain(sparse).collect()
    }
}

pub struct Options {
    pub fix_imports: bool,
    /// How texts of Python 2 are decoded.
    pub encoding: String,
    pub errors: String,
    /// An iterator over buffers that were sent apart.
    pub buffers: Option<Value>,
}

/// What a class derived from `Unpickler` wants to be asked.
#[derive(Default)]
pub struct Hooks {
    find_class: Option<Value>,
    persistent_load: Option<Value>,
}

impl Hooks {
    pub fn of(vm: &mut Vm, unpickler: &Value) -> Res<Hooks> {
        let name = Str::new("find_class");
        let class = vm.type_of(unpickler);
        let own = vm.lookup(&class, &name);
        let plain = match super::super::in_zpy(vm, "pickle", "Unpickler").into_ref::<Type>() {
            Ok(base) => vm.lookup(&base, &name),
            Err(_) => None,
        };
        let is_plain = matches!((own, plain), (Some(own), Some(plain)) if own.same(&plain));
        let find_class = if is_plain { None } else { Some(vm.get_attribute(unpickler, &name)?) };
        let result = vm.get_attribute(unpickler, &Str::new("persistent_load"));
        let persistent_load = vm.catch(result, Exc::AttributeError)?;
        Ok(Hooks { find_class, persistent_load })
    }
}

/// Where a pickle is read from: bytes, or a file of which no more is read than needed.
pub struct Source<'a> {
    data: Cow<'a, [u8]>,
    at: usize,
    file: Option<File>,
}

struct File {
    read: Value,
    read_line: Value,
}

impl<'a> Source<'a> {
    pub fn bytes(data: &'a [u8]) -> Source<'a> {
        Source { data: Cow::Borrowed(data), at: 0, file: None }
    }

    pub fn file(vm: &mut Vm, file: &Value) -> Res<Source<'a>> {
        let mut method = |name: &str| {
            let result = vm.get_attribute(file, &Str::new(name));
            vm.catch(result, Exc::AttributeError)
        };
        let (read, read_line) = (method("read")?, method("readline")?);
        let (Some(read), Some(read_line)) = (read, read_line) else {
            return Err(vm.type_error("file must have 'read' and 'readline' attributes"));
        };
        Ok(Source { data: Cow::Owned(Vec::new()), at: 0, file: Some(File { read, read_line }) })
    }

    /// Makes the next `count` bytes available and goes past them; `None` if there are fewer.
    fn take(&mut self, vm: &mut Vm, count: usize) -> Res<Option<Range<usize>>> {
        if self.data.len() - self.at < count {
            if self.file.is_none() {
                return Ok(None);
            }
            self.fill(vm, count)?;
            if self.data.len() - self.at < count {
                return Ok(None);
            }
        }
        let start = self.at;
        self.at += count;
        Ok(Some(start..self.at))
    }

    /// Reads from the file until `count` bytes are there, or all.
    fn fill(&mut self, vm: &mut Vm, count: usize) -> Res<()> {
        let mut data = self.data[self.at..].to_vec();
        if let Some(file) = &self.file {
            while data.len() < count {
                let wanted = (count - data.len()).min(PIECE);
                let piece = vm.call(&file.read, &[Value::size(wanted)])?;
                if !append_piece(vm, &mut data, &piece, "read")? {
                    break;
                }
            }
        }
        self.data = Cow::Owned(data);
        self.at = 0;
        Ok(())
    }

    /// The next line without its end; `None` if there is no whole line.
    fn line(&mut self, vm: &mut Vm) -> Res<Option<Range<usize>>> {
        let rest = &self.data[self.at..];
        if let Some(len) = rest.iter().position(|&byte| byte == b'\n') {
            let start = self.at;
            self.at += len + 1;
            return Ok(Some(start..start + len));
        }
        let Some(file) = &self.file else { return Ok(None) };
        let mut data = rest.to_vec();
        let piece = vm.call(&file.read_line, &[])?;
        append_piece(vm, &mut data, &piece, "readline")?;
        let is_whole = data.last() == Some(&b'\n');
        self.data = Cow::Owned(data);
        self.at = 0;
        if !is_whole {
            return Ok(None);
        }
        self.at = self.data.len();
        Ok(Some(0..self.at - 1))
    }
}

/// Adds what a file gave; whether it was anything.
fn append_piece(vm: &mut Vm, data: &mut Vec<u8>, piece: &Value, method: &str) -> Res<bool> {
    match crate::value::bytes::methods::contents(Vm::unwrap_native(piece)) {
        Some(more) => {
            data.extend_from_slice(&more);
            Ok(!more.is_empty())
        }
        None => {
            let shown = vm.repr_of(piece)?;
            Err(vm.value_error(format!("{method}() returned non-bytes object ({shown})")))
        }
    }
}

/// Reads one object.
pub fn load(vm: &mut Vm, source: Source, options: Options, memo: Rc<RefCell<Memo>>, hooks: Hooks) -> Res {
    memo.borrow_mut().protocol = 0;
    let mut loader =
        Loader { vm, source, options, memo, hooks, stack: Vec::new(), marks: Vec::new(), protocol: 0 };
    loader.run()
}

struct Loader<'v, 's> {
    vm: &'v mut Vm,
    source: Source<'s>,
    options: Options,
    memo: Rc<RefCell<Memo>>,
    hooks: Hooks,
    stack: Vec<Value>,
    /// Heights of the stack.
    marks: Vec<usize>,
    protocol: i64,
}

impl Loader<'_, '_> {
    fn run(&mut self) -> Res {
        loop {
            let Some(place) = self.source.take(self.vm, 1)? else {
                return Err(self.vm.error(Exc::EOFError, "Ran out of input"));
            };
            let code = self.source.data[place.start];
            if code == STOP {
                return self.pop();
            }
            self.step(code)?;
        }
    }

    fn step(&mut self, code: u8) -> Res<()> {
        match code {
            PROTO => self.proto(),
            FRAME => self.frame(),
            MARK => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            POP => self.drop_one(),
            POP_MARK => self.take_from_mark().map(drop),
            DUP => {
                let top = self.top()?;
                self.push(top)
            }
            NONE => self.push(Value::NONE),
            NEWTRUE => self.push(Value::TRUE),
            NEWFALSE => self.push(Value::FALSE),
            INT => self.int_line(),
            BININT => self.number::<4>(|bytes| i32::from_le_bytes(bytes) as i64),
            BININT1 => self.number::<1>(|bytes| bytes[0] as i64),
            BININT2 => self.number::<2>(|bytes| u16::from_le_bytes(bytes) as i64),
            LONG => self.long_line(),
            LONG1 => {
                let [len] = self.array::<1>()?;
                self.long(len as usize)
            }
            LONG4 => self.long4(),
            FLOAT => self.float_line(),
            BINFLOAT => {
                let bytes = self.array::<8>()?;
                self.push(Value::float(f64::from_be_bytes(bytes)))
            }
            STRING => self.string_line(),
            BINSTRING => self.binary_string(),
            SHORT_BINSTRING => {
                let [len] = self.array::<1>()?;
                self.old_string(len as usize)
            }
            UNICODE => self.unicode_line(),
            SHORT_BINUNICODE => {
                let [len] = self.array::<1>()?;
                self.unicode(len as usize)
            }
            BINUNICODE => {
                let len = u32::from_le_bytes(self.array()?);
                self.unicode(len as usize)
            }
            BINUNICODE8 => {
                let len = self.length8("BINUNICODE8")?;
                self.unicode(len)
            }
            SHORT_BINBYTES => {
                let [len] = self.array::<1>()?;
                self.bytes(len as usize)
            }
            BINBYTES => {
                let len = u32::from_le_bytes(self.array()?);
                self.bytes(len as usize)
            }
            BINBYTES8 => {
                let len = self.length8("BINBYTES8")?;
                self.bytes(len)
            }
            BYTEARRAY8 => {
                let len = self.length8("BYTEARRAY8")?;
                let data = self.take(len)?.to_vec();
                self.push(crate::value::ByteArray::new(data).into())
            }
            NEXT_BUFFER => self.next_buffer(),
            READONLY_BUFFER => self.read_only_buffer(),
            EMPTY_TUPLE => self.push(Value::tuple(vec![])),
            TUPLE1 => self.short_tuple(1),
            TUPLE2 => self.short_tuple(2),
            TUPLE3 => self.short_tuple(3),
            TUPLE => {
                let items = self.take_from_mark()?;
                self.push(Value::tuple(items))
            }
            EMPTY_LIST => self.push(Value::list(vec![])),
            LIST => {
                let items = self.take_from_mark()?;
                self.push(Value::list(items))
            }
            EMPTY_DICT => self.push(Dict::new(Default::default()).into()),
            DICT => self.dict_from_mark(),
            EMPTY_SET => self.push(Set::new(Items::default()).into()),
            FROZENSET => self.frozen_set(),
            APPEND => {
                let item = self.pop()?;
                self.append_to_top(vec![item])
            }
            APPENDS => {
                let items = self.take_from_mark()?;
                self.append_to_top(items)
            }
            SETITEM => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set_in_top(vec![key, value])
            }
            SETITEMS => {
                let items = self.take_from_mark()?;
                self.set_in_top(items)
            }
            ADDITEMS => self.add_items(),
            GLOBAL => self.global(),
            STACK_GLOBAL => self.stack_global(),
            REDUCE => self.reduce(),
            NEWOBJ => self.new_object(),
            NEWOBJ_EX => self.new_object_ex(),
            INST => self.instance(),
            OBJ => self.object(),
            BUILD => self.build(),
            EXT1 => {
                let [code] = self.array::<1>()?;
                self.extension(code as i64)
            }
            EXT2 => {
                let code = u16::from_le_bytes(self.array()?);
                self.extension(code as i64)
            }
            EXT4 => {
                let code = i32::from_le_bytes(self.array()?);
                self.extension(code as i64)
            }
            PERSID => self.persistent_line(),
            BINPERSID => {
                let id = self.pop()?;
                self.persistent(id)
            }
            GET => {
                let number = self.number_line()?;
                self.get(number)
            }
            BINGET => {
                let [number] = self.array::<1>()?;
                self.get(number as i64)
            }
            LONG_BINGET => {
                let number = u32::from_le_bytes(self.array()?);
                self.get(number as i64)
            }
            PUT => {
                let number = self.number_line()?;
                self.top()?;
                match u64::try_from(number) {
                    Ok(number) => self.put(number),
                    Err(_) => Err(self.vm.value_error("negative PUT argument")),
                }
            }
            BINPUT => {
                let [number] = self.array::<1>()?;
                self.put(number as u64)
            }
            LONG_BINPUT => {
                let number = u32::from_le_bytes(self.array()?);
                self.put(number as u64)
            }
            MEMOIZE => {
                let number = self.memo.borrow().count;
                self.put(number)
            }
            0x20..=0x7e if code != b'\'' => {
                Err(unpickling_error(self.vm, format!("invalid load key, '{}'.", code as char)))
            }
            _ => Err(unpickling_error(self.vm, format!("invalid load key, '\\x{code:02x}'."))),
        }
    }

    // ---- reading ----

    fn truncated(&mut self) -> Raised {
        unpickling_error(self.vm, "pickle data was truncated")
    }

    fn take(&mut self, count: usize) -> Res<&[u8]> {
        match self.source.take(self.vm, count)? {
            Some(place) => Ok(&self.source.data[place]),
            None => Err(self.truncated()),
        }
    }

    fn array<const N: usize>(&mut self) -> Res<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn line(&mut self) -> Res<&[u8]> {
        match self.source.line(self.vm)? {
            Some(place) => Ok(&self.source.data[place]),
            None => Err(self.truncated()),
        }
    }

    /// A length of eight bytes.
    fn length8(&mut self, name: &str) -> Res<usize> {
        let len = u64::from_le_bytes(self.array()?);
        match usize::try_from(len) {
            Ok(len) if len <= isize::MAX as usize => Ok(len),
            _ => {
                let most = isize::MAX;
                let message = format!("{name} exceeds system's maximum size of {most} bytes");
                Err(self.vm.overflow_error(message))
            }
        }
    }

    fn proto(&mut self) -> Res<()> {
        let [protocol] = self.array::<1>()?;
        if protocol as i64 > super::HIGHEST_PROTOCOL {
            return Err(self.vm.value_error(format!("unsupported pickle protocol: {protocol}")));
        }
        self.protocol = protocol as i64;
        self.memo.borrow_mut().protocol = self.protocol;
        Ok(())
    }

    /// A frame must be there as a whole; what is in it is read as anything else.
    fn frame(&mut self) -> Res<()> {
        let len = u64::from_le_bytes(self.array()?);
        let Some(len) = usize::try_from(len).ok().filter(|len| *len <= isize::MAX as usize) else {
            let most = isize::MAX;
            let message = format!("FRAME length exceeds system's maximum of {most} bytes");
            return Err(self.vm.overflow_error(message));
        };
        self.take(len)?;
        self.source.at -= len;
        Ok(())
    }

    // ---- the stack ----

    fn push(&mut self, value: Value) -> Res<()> {
        self.stack.push(value);
        Ok(())
    }

    /// The height below which the stack belongs to what is around the innermost mark.
    fn fence(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn underflow(&mut self) -> Raised {
        let message =
            if self.marks.is_empty() { "unpickling stack underflow" } else { "unexpected MARK found" };
        unpickling_error(self.vm, message)
    }

    fn pop(&mut self) -> Res {
        if self.stack.len() > self.fence()
            && let Some(value) = self.stack.pop()
        {
            return Ok(value);
        }
        Err(self.underflow())
    }

    fn top(&mut self) -> Res {
        match self.stack.last() {
            Some(top) if self.stack.len() > self.fence() => Ok(top.clone()),
            _ => Err(self.underflow()),
        }
    }

    fn take_from_mark(&mut self) -> Res<Vec<Value>> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.split_off(mark.min(self.stack.len()))),
            None => Err(unpickling_error(self.vm, "could not find MARK")),
        }
    }

    /// Takes the top away, be it a value or a mark.
    fn drop_one(&mut self) -> Res<()> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(drop)
    }

    // ---- numbers ----

    fn number<const N: usize>(&mut self, read: impl FnOnce([u8; N]) -> i64) -> Res<()> {
        let number = read(self.array()?);
        self.push(Value::int(number))
    }

    fn text_line(&mut self) -> Res<String> {
        Ok(self.line()?.iter().map(|&byte| byte as char).collect())
    }

    fn int_of(&mut self, text: &str) -> Res {
        let class = self.vm.types.of_tag(Tag::Int).clone().into();
        self.vm.call(&class, &[Value::str(text), Value::int(0)])
    }

    fn int_line(&mut self) -> Res<()> {
        let text = self.text_line()?;
        let value = match text.as_str() {
            "00" => Value::FALSE,
            "01" => Value::TRUE,
            _ => {
                let result = match text.trim().parse::<i64>() {
                    Ok(number) => Ok(Value::int(number)),
                    Err(_) => self.int_of(&text),
                };
                match self.vm.catch(result, Exc::ValueError)? {
                    Some(value) => value,
                    None => return Err(self.vm.value_error("could not convert string to int")),
                }
            }
        };
        self.push(value)
    }

    fn long_line(&mut self) -> Res<()> {
        let text = self.text_line()?;
        let value = self.int_of(text.strip_suffix('L').unwrap_or(&text))?;
        self.push(value)
    }

    fn number_line(&mut self) -> Res<i64> {
        let text = self.text_line()?;
        let value = self.int_of(&text)?;
        self.vm.to_index(&value)
    }

    fn long4(&mut self) -> Res<()> {
        let len = i32::from_le_bytes(self.array()?);
        match usize::try_from(len) {
            Ok(len) => self.long(len),
            Err(_) => Err(unpickling_error(self.vm, "LONG pickle has negative byte count")),
        }
    }

    fn long(&mut self, len: usize) -> Res<()> {
        let big = BigInt::from_signed_bytes_le(self.take(len)?);
        self.push(Value::big(big))
    }

    fn float_line(&mut self) -> Res<()> {
        let text = self.text_line()?;
        let class = self.vm.types.of_tag(Tag::Float).clone().into();
        let result = self.vm.call(&class, &[Value::str(&text)]);
        match self.vm.catch(result, Exc::ValueError)? {
            Some(value) => self.push(value),
            None => Err(self.vm.value_error(format!("could not convert string to float: '{text}\n'"))),
        }
    }

    // ---- text and bytes ----

    fn unicode(&mut self, len: usize) -> Res<()> {
        let data = self.take(len)?;
        if let Ok(text) = std::str::from_utf8(data)
            && !surrogate::has_surrogates(text)
        {
            let value = Value::str(text);
            return self.push(value);
        }
        let data = data.to_vec();
        let value = self.vm.decode(&data, "utf-8", "surrogatepass")?;
        self.push(value)
    }

    fn unicode_line(&mut self) -> Res<()> {
        let data = self.line()?.to_vec();
        let value = self.vm.decode(&data, "raw-unicode-escape", "strict")?;
        self.push(value)
    }

    fn bytes(&mut self, len: usize) -> Res<()> {
        let value = Value::bytes(self.take(len)?);
        self.push(value)
    }

    fn binary_string(&mut self) -> Res<()> {
        let len = u32::from_le_bytes(self.array()?);
        self.old_string(len as usize)
    }

    /// A `str` of Python 2.
    fn old_string(&mut self, len: usize) -> Res<()> {
        let data = self.take(len)?.to_vec();
        self.push_old_string(data)
    }

    fn push_old_string(&mut self, data: Vec<u8>) -> Res<()> {
        let value = match self.options.encoding.as_str() {
            "bytes" => Value::bytes(data),
            encoding => self.vm.decode(&data, encoding, &self.options.errors)?,
        };
        self.push(value)
    }

    fn string_line(&mut self) -> Res<()> {
        let line = self.line()?;
        let inner = match line {
            [first @ (b'"' | b'\''), inner @ .., last] if first == last => inner.to_vec(),
            _ => {
                let message = "the STRING opcode argument must be quoted";
                return Err(unpickling_error(self.vm, message));
            }
        };
        let codecs = self.vm.import_module("codecs")?;
        let decoded = self.vm.call_method(&codecs, "escape_decode", &[Value::bytes(inner)])?;
        let data = self.vm.get_item(&decoded, &Value::int(0))?;
        let data = self.vm.bytes_of(&data)?;
        self.push_old_string(data)
    }

    fn next_buffer(&mut self) -> Res<()> {
        let Some(buffers) = self.options.buffers.clone() else {
            let message = "pickle stream refers to out-of-band data but no *buffers* argument was given";
            return Err(unpickling_error(self.vm, message));
        };
        match self.vm.next(&buffers)? {
            Some(buffer) => self.push(buffer),
            None => Err(unpickling_error(self.vm, "not enough out-of-band buffers")),
        }
    }

    fn read_only_buffer(&mut self) -> Res<()> {
        let buffer = self.pop()?;
        let class = self.vm.types.of_tag(Tag::MemoryView).clone().into();
        let view = self.vm.call(&class, std::slice::from_ref(&buffer))?;
        let is_read_only = self.vm.get_attribute(&view, &Str::new("readonly"))?;
        let fixed = match self.vm.truth(&is_read_only)? {
            true => buffer,
            false => self.vm.call_method(&view, "toreadonly", &[])?,
        };
        self.push(fixed)
    }

    // ---- containers ----

    fn short_tuple(&mut self, count: usize) -> Res<()> {
        if self.stack.len() < self.fence() + count {
            return Err(self.underflow());
        }
        let items = self.stack.split_off(self.stack.len() - count);
        self.push(Value::tuple(items))
    }

    fn dict_from_mark(&mut self) -> Res<()> {
        let items = self.take_from_mark()?;
        if !items.len().is_multiple_of(2) {
            return Err(unpickling_error(self.vm, "odd number of items for DICT"));
        }
        let dict = Dict::new(Default::default());
        for pair in items.chunks_exact(2) {
            self.vm.dict_set(&dict, pair[0].clone(), pair[1].clone())?;
        }
        self.push(dict.into())
    }

    fn frozen_set(&mut self) -> Res<()> {
        let mut items = Items::default();
        for item in self.take_from_mark()? {
            self.vm.items_add(&mut items, item)?;
        }
        self.push(FrozenSet::new(items).into())
    }

    fn append_to_top(&mut self, items: Vec<Value>) -> Res<()> {
        let target = self.top()?;
        if let Some(list) = target.get::<List>() {
            list.borrow_mut().extend(items);
            return Ok(());
        }
        if items.is_empty() {
            return Ok(());
        }
        let result = self.vm.get_attribute(&target, &Str::new("extend"));
        if let Some(extend) = self.vm.catch(result, Exc::AttributeError)? {
            self.vm.call(&extend, &[Value::list(items)])?;
            return Ok(());
        }
        let append = self.vm.get_attribute(&target, &Str::new("append"))?;
        for item in items {
            self.vm.call(&append, &[item])?;
        }
        Ok(())
    }

    fn set_in_top(&mut self, items: Vec<Value>) -> Res<()> {
        let target = self.top()?;
        if !items.len().is_multiple_of(2) {
            return Err(unpickling_error(self.vm, "odd number of items for SETITEMS"));
        }
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            match target.get::<Dict>() {
                Some(dict) => self.vm.dict_set(dict, key, value)?,
                None => self.vm.set_item(&target, key, value)?,
            }
        }
        Ok(())
    }

    fn add_items(&mut self) -> Res<()> {
        let items = self.take_from_mark()?;
        let target = self.top()?;
        if let Some(set) = target.get::<Set>() {
            for item in items {
                self.vm.set_add(set, item)?;
            }
            return Ok(());
        }
        let add = self.vm.get_attribute(&target, &Str::new("add"))?;
        for item in items {
            self.vm.call(&add, &[item])?;
        }
        Ok(())
    }

    // ---- memo ----

    fn get(&mut self, number: i64) -> Res<()> {
        let found = u64::try_from(number).ok().and_then(|number| self.memo.borrow().get(number));
        match found {
            Some(value) => self.push(value),
            None => {
                let message = format!("Memo value not found at index {number}");
                Err(unpickling_error(self.vm, message))
            }
        }
    }

    fn put(&mut self, number: u64) -> Res<()> {
        let top = self.top()?;
        let old = self.memo.borrow_mut().put(number, top);
        drop(old);
        Ok(())
    }

    // ---- names and objects ----

    fn find_class(&mut self, module: &str, name: &str) -> Res {
        match self.hooks.find_class.clone() {
            Some(find) => self.vm.call(&find, &[Value::str(module), Value::str(name)]),
            None => names::find(self.vm, module, name, self.protocol, self.options.fix_imports),
        }
    }

    fn name_line(&mut self) -> Res<String> {
        let data = self.line()?.to_vec();
        let text = self.vm.decode(&data, "utf-8", "strict")?;
        self.vm.text_of(&text, "name")
    }

    fn global(&mut self) -> Res<()> {
        let module = self.name_line()?;
        let name = self.name_line()?;
        let found = self.find_class(&module, &name)?;
        self.push(found)
    }

    fn stack_global(&mut self) -> Res<()> {
        let name = self.pop()?;
        let module = self.pop()?;
        let (Some(module), Some(name)) = (module.as_str(), name.as_str()) else {
            return Err(unpickling_error(self.vm, "STACK_GLOBAL requires str"));
        };
        let found = self.find_class(module, name)?;
        self.push(found)
    }

    fn extension(&mut self, code: i64) -> Res<()> {
        let find = self.hooks.find_class.clone();
        let (protocol, fix_imports) = (self.protocol, self.options.fix_imports);
        let found = names::extension(self.vm, code, |vm, module, name| match &find {
            Some(find) => vm.call(find, &[Value::str(module), Value::str(name)]),
            None => names::find(vm, module, name, protocol, fix_imports),
        })?;
        self.push(found)
    }

    fn reduce(&mut self) -> Res<()> {
        let args = self.pop()?;
        let function = self.pop()?;
        let Some(args) = Vm::unwrap_native(&args).get::<Tuple>() else {
            return Err(self.vm.type_error("argument list must be a tuple"));
        };
        let made = self.vm.call(&function, args.items())?;
        self.push(made)
    }

    /// `class.__new__(class, *args, **keywords)`
    fn new_instance(&mut self, class: &Value, args: &[Value], named: &[(Ref<Str>, Value)]) -> Res<()> {
        let new = self.vm.get_attribute(class, &Str::new("__new__"))?;
        let mut all = vec![class.clone()];
        all.extend_from_slice(args);
        let made = self.vm.call_with_keywords(&new, &all, named)?;
        self.push(made)
    }

    fn must_be_class(&mut self, class: &Value, code: &str) -> Res<()> {
        if class.is::<Type>() {
            return Ok(());
        }
        let got = self.vm.type_name(class);
        Err(unpickling_error(self.vm, format!("{code} class argument must be a type, not {got}")))
    }

    fn new_object(&mut self) -> Res<()> {
        let args = self.pop()?;
        let class = self.pop()?;
        let Some(args) = Vm::unwrap_native(&args).get::<Tuple>() else {
            let got = self.vm.type_name(&args);
            return Err(unpickling_error(self.vm, format!("NEWOBJ expected an arg tuple, got {got}")));
        };
        self.must_be_class(&class, "NEWOBJ")?;
        self.new_instance(&class, args.items(), &[])
    }

    fn new_object_ex(&mut self) -> Res<()> {
        let named = self.pop()?;
        let args = self.pop()?;
        let class = self.pop()?;
        self.must_be_class(&class, "NEWOBJ_EX")?;
        let Some(args) = Vm::unwrap_native(&args).get::<Tuple>() else {
            let got = self.vm.type_name(&args);
            let message = format!("NEWOBJ_EX args argument must be a tuple, not {got}");
            return Err(unpickling_error(self.vm, message));
        };
        let Some(named) = Vm::unwrap_native(&named).get::<Dict>() else {
            let got = self.vm.type_name(&named);
            let message = format!("NEWOBJ_EX kwargs argument must be a dict, not {got}");
            return Err(unpickling_error(self.vm, message));
        };
        let mut pairs = Vec::new();
        for (name, value) in named.pairs() {
            match name.into_ref::<Str>() {
                Ok(name) => pairs.push((name, value)),
                Err(_) => return Err(self.vm.type_error("keywords must be strings")),
            }
        }
        self.new_instance(&class, args.items(), &pairs)
    }

    /// An instance of an old-style class, or whatever calling it gives.
    fn instantiate(&mut self, class: &Value, args: &[Value]) -> Res<()> {
        if args.is_empty() && class.is::<Type>() && !self.vm.has_attribute(class, "__getinitargs__")? {
            return self.new_instance(class, &[], &[]);
        }
        let made = self.vm.call(class, args)?;
        self.push(made)
    }

    fn instance(&mut self) -> Res<()> {
        if self.marks.is_empty() {
            return Err(unpickling_error(self.vm, "could not find MARK"));
        }
        let module = self.name_line()?;
        let name = self.name_line()?;
        let class = self.find_class(&module, &name)?;
        let args = self.take_from_mark()?;
        self.instantiate(&class, &args)
    }

    fn object(&mut self) -> Res<()> {
        let items = self.take_from_mark()?;
        match items.split_first() {
            Some((class, args)) => self.instantiate(class, args),
            None => Err(self.underflow()),
        }
    }

    fn build(&mut self) -> Res<()> {
        let state = self.pop()?;
        let object = self.top()?;
        let result = self.vm.get_attribute(&object, &Str::new("__setstate__"));
        if let Some(method) = self.vm.catch(result, Exc::AttributeError)? {
            self.vm.call(&method, &[state])?;
            return Ok(());
        }
        let pair = state.get::<Tuple>().map(Tuple::items);
        let (attributes, slots) = match pair {
            Some([attributes, slots]) => (attributes.clone(), slots.clone()),
            _ => (state.clone(), Value::NONE),
        };
        if !attributes.is_none() {
            self.set_attributes(&object, &attributes)?;
        }
        if !slots.is_none() {
            let Some(slots) = slots.get::<Dict>() else {
                return Err(unpickling_error(self.vm, "slot state is not a dictionary"));
            };
            for (name, value) in slots.pairs() {
                let name = self.vm.text_of(&name, "attribute name")?;
                let name = self.vm.intern(&name);
                self.vm.set_attribute(&object, &name, value)?;
            }
        }
        Ok(())
    }

    fn set_attributes(&mut self, object: &Value, attributes: &Value) -> Res<()> {
        let Some(attributes) = attributes.get::<Dict>() else {
            return Err(unpickling_error(self.vm, "state is not a dictionary"));
        };
        let own = match object.get::<Instance>() {
            Some(instance) if !instance.class().flags.is_slotted && !has_own_dict(self.vm, object) => {
                instance.attributes().clone().into()
            }
            _ => self.vm.get_attribute(object, &Str::new("__dict__"))?,
        };
        for (name, value) in attributes.pairs() {
            let name = match name.as_str() {
                Some(text) => self.vm.intern(text).into(),
                None => name,
            };
            match own.get::<Dict>() {
                Some(own) => self.vm.dict_set(own, name, value)?,
                None => self.vm.set_item(&own, name, value)?,
            }
        }
        Ok(())
    }

    fn persistent_line(&mut self) -> Res<()> {
        let line = self.line()?;
        if !line.is_ascii() {
            let message = "persistent IDs in protocol 0 must be ASCII strings";
            return Err(unpickling_error(self.vm, message));
        }
        let id = String::from_utf8_lossy(line).into_owned();
        self.persistent(Value::str(id))
    }

    fn persistent(&mut self, id: Value) -> Res<()> {
        let Some(load) = self.hooks.persistent_load.clone() else {
            let message = "A load persistent id instruction was encountered,\nbut no persistent_load function was specified.";
            return Err(unpickling_error(self.vm, message));
        };
        let object = self.vm.call(&load, &[id])?;
        self.push(object)
    }
}

/// Whether the class computes `__dict__` itself.
fn has_own_dict(vm: &mut Vm, object: &Value) -> bool {
    let class = vm.type_of(object);
    class.mro.borrow().iter().any(|base| base.flags.is_user && base.attributes.get_text("__dict__").is_some())
}
