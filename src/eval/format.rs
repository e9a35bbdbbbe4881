//! Formatting templates: `"..." % values` and `"...".format(...)`.
//!
//! Reading the templates and laying out numbers is `text::percent` and `text::format_string`; here the
//! arguments are found, converted and shown.

use super::{Exc, Vm};
use crate::text::format_string::{Accessor, First, Source, expand};
use crate::text::percent::{self, Conversion, Kind, Layout, Piece, Pieces, Template};
use crate::text::repr::escape_non_ascii;
use crate::text::{FormatError, IntRef};
use crate::value::bytes::methods::is_bytes_like;
use crate::value::{ByteArray, Bytes, Dict, Int, Raised, Res, Str, Tag, Tuple, Value, View};
use num_traits::FromPrimitive;

/// The arguments of one `%`: the items of a tuple, or one value, which may be a mapping.
struct Arguments<'a> {
    all: &'a Value,
    mapping: bool,
    used: usize,
    /// What to say when some are left.
    noun: &'static str,
}

impl<'a> Arguments<'a> {
    fn new(vm: &mut Vm, all: &'a Value, noun: &'static str) -> Res<Arguments<'a>> {
        let is_text = |tag| {
            matches!(tag, Tag::Str | Tag::Tuple)
                || noun == "bytes" && matches!(tag, Tag::Bytes | Tag::ByteArray)
        };
        let inside = Vm::unwrap_native(all).tag();
        let mapping = !is_text(inside)
            && match inside {
                Tag::Dict | Tag::List | Tag::Bytes | Tag::ByteArray | Tag::Range => true,
                Tag::Instance => vm.special_method(all, "__getitem__")?.is_some(),
                _ => false,
            };
        Ok(Arguments { all, mapping, used: 0, noun })
    }

    fn next(&mut self, vm: &mut Vm) -> Res {
        let found = match Vm::unwrap_native(self.all).get::<Tuple>() {
            Some(tuple) => tuple.items().get(self.used).cloned(),
            None => (self.used == 0).then(|| self.all.clone()),
        };
        self.used += 1;
        found.ok_or_else(|| vm.type_error("not enough arguments for format string"))
    }

    /// The int that stands for a `*`.
    fn star(&mut self, vm: &mut Vm) -> Res<i64> {
        let value = self.next(vm)?;
        match Int::of(&value) {
            Some(Int::Small(size)) => Ok(size),
            Some(Int::Big(_)) => Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
            None => Err(vm.type_error("* wants int")),
        }
    }

    fn check_all_used(&self, vm: &mut Vm) -> Res<()> {
        let count = Vm::unwrap_native(self.all).get::<Tuple>().map_or(1, |tuple| tuple.items().len());
        if self.mapping || self.used >= count {
            return Ok(());
        }
        Err(vm.type_error(format!("not all arguments converted during {} formatting", self.noun)))
    }
}

impl Vm {
    /// `template % values`.
    pub(crate) fn percent_format(&mut self, template: &str, values: &Value) -> Res {
        let mut args = Arguments::new(self, values, "string")?;
        let mut out = String::with_capacity(template.len());
        for piece in Pieces::new(template, args.mapping) {
            match piece.map_err(|error| self.format_error(error))? {
                Piece::Literal(text) => out.push_str(text),
                Piece::Conversion(c) => {
                    let key = c.key.map(Value::str);
                    let (layout, value) = self.fetch(&c, key, &mut args)?;
                    let kind = c.kind().map_err(|error| self.format_error(error))?;
                    self.write_conversion(&c, kind, &layout, &value, &mut out)?;
                }
            }
        }
        args.check_all_used(self)?;
        Ok(Str::from_string(out).into())
    }

    /// `template % values` for bytes; the result is of the template's type.
    pub(crate) fn percent_format_bytes(&mut self, template: &Value, values: &Value) -> Res {
        let data = self.bytes_of(template)?;
        let mut args = Arguments::new(self, values, "bytes")?;
        let mut out = Vec::with_capacity(data.len());
        for piece in Pieces::new(&data[..], args.mapping) {
            match piece.map_err(|error| self.format_error(error))? {
                Piece::Literal(bytes) => out.extend_from_slice(bytes),
                Piece::Conversion(c) => {
                    let key = c.key.map(Value::bytes);
                    let (layout, value) = self.fetch(&c, key, &mut args)?;
                    let kind = c.kind().map_err(|error| self.format_error(error))?;
                    self.write_bytes_conversion(&c, kind, &layout, &value, &mut out)?;
                }
            }
        }
        args.check_all_used(self)?;
        Ok(if template.is::<ByteArray>() { ByteArray::new(out).into() } else { Bytes::new(out).into() })
    }

    /// The sizes and the argument of a conversion.
    fn fetch<T: Template + ?Sized>(
        &mut self,
        c: &Conversion<T>,
        key: Option<Value>,
        args: &mut Arguments,
    ) -> Res<(Layout, Value)> {
        let Some(key) = key else {
            let layout = c.resolve(|| args.star(self))?;
            return Ok((layout, args.next(self)?));
        };
        let value = self.get_item(args.all, &key)?;
        // The value found is now the one argument: a star would take it and leave none.
        let mut found = Arguments { all: &value, mapping: true, used: 0, noun: args.noun };
        let layout = c.resolve(|| found.star(self))?;
        if found.used > 0 {
            return Err(self.type_error("not enough arguments for format string"));
        }
        // A mapping that was asked by key has nothing left for conversions without one.
        args.used = args.used.max(1);
        Ok((layout, value))
    }

    fn write_conversion(
        &mut self,
        c: &Conversion<str>,
        kind: Kind,
        layout: &Layout,
        value: &Value,
        out: &mut String,
    ) -> Res<()> {
        let text = match kind {
            Kind::Str | Kind::Bytes if layout.width.is_none() && layout.precision.is_none() => {
                return self.write_str(value, out);
            }
            Kind::Str | Kind::Bytes => self.str_of(value)?,
            Kind::Repr => self.repr_of(value)?,
            Kind::Ascii => escape_non_ascii(&self.repr_of(value)?),
            Kind::Decimal | Kind::Radix | Kind::Float => {
                return self.write_number(c, kind, layout, value, out);
            }
            Kind::Char => {
                let shown = self.percent_char(c, value)?;
                return percent::write_char(shown, layout, out).map_err(|error| self.format_error(error));
            }
        };
        percent::write_text(&text, layout, out).map_err(|error| self.format_error(error))
    }

    /// `%d`, `%x`, `%f` and their like.
    fn write_number<T: Template + ?Sized>(
        &mut self,
        c: &Conversion<T>,
        kind: Kind,
        layout: &Layout,
        value: &Value,
        out: &mut String,
    ) -> Res<()> {
        let written = if kind == Kind::Float {
            let number = match self.to_float(value) {
                Ok(number) => number,
                Err(_) if T::BYTES && self.is_raised(Exc::TypeError) => {
                    self.take_raised();
                    return Err(self.wrong_argument(c, kind, value));
                }
                Err(raised) => return Err(raised),
            };
            percent::write_float(number, layout, out)
        } else {
            let result = if kind == Kind::Decimal { self.truncated(value) } else { self.to_int_value(value) };
            let int = match result {
                Ok(int) => int,
                Err(_) if self.is_raised(Exc::TypeError) => {
                    self.take_raised();
                    return Err(self.wrong_argument(c, kind, value));
                }
                Err(raised) => return Err(raised),
            };
            match Int::of(&int) {
                Some(Int::Big(big)) => {
                    if kind == Kind::Decimal {
                        self.check_length(big)?;
                    }
                    percent::write_int(IntRef::from(big), layout, out)
                }
                Some(Int::Small(small)) => percent::write_int(IntRef::from(small), layout, out),
                None => return Err(self.wrong_argument(c, kind, value)),
            }
        };
        written.map_err(|error| self.format_error(error))
    }

    fn wrong_argument<T: Template + ?Sized>(
        &mut self,
        c: &Conversion<T>,
        kind: Kind,
        value: &Value,
    ) -> Raised {
        let name = self.type_name(value);
        self.format_error(c.wrong_argument(kind, &name))
    }

    /// A number without its fraction, as `%d` shows it.
    fn truncated(&mut self, value: &Value) -> Res {
        if Int::of(value).is_none() {
            if let Some(float) = Vm::unwrap_native(value).as_float() {
                return match num_bigint::BigInt::from_f64(float.trunc()) {
                    Some(int) => Ok(Value::big(int)),
                    None if float.is_nan() => Err(self.value_error("cannot convert float NaN to integer")),
                    None => Err(self.overflow_error("cannot convert float infinity to integer")),
                };
            }
            if value.tag() == Tag::Instance
                && let Some(method) = self.special_method(value, "__int__")?
            {
                return self.call(&method, &[]);
            }
        }
        self.to_int_value(value)
    }

    fn percent_char(&mut self, c: &Conversion<str>, value: &Value) -> Res<char> {
        if let Some(text) = Vm::unwrap_native(value).as_str() {
            let mut chars = text.chars();
            return match (chars.next(), chars.next()) {
                (Some(c), None) => Ok(c),
                _ => Err(self.wrong_argument(c, Kind::Char, value)),
            };
        }
        let int = match self.to_int_value(value) {
            Ok(int) => int,
            Err(_) if self.is_raised(Exc::TypeError) => {
                self.take_raised();
                return Err(self.wrong_argument(c, Kind::Char, value));
            }
            Err(raised) => return Err(raised),
        };
        let number = int_ref(&int);
        percent::char_of(number).map_err(|error| self.format_error(error))
    }

    fn write_bytes_conversion(
        &mut self,
        c: &Conversion<[u8]>,
        kind: Kind,
        layout: &Layout,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Res<()> {
        let written = match kind {
            Kind::Bytes | Kind::Str => {
                let data = self.percent_bytes(c, value)?;
                percent::write_bytes(&data, layout, out)
            }
            Kind::Repr | Kind::Ascii => {
                let text = escape_non_ascii(&self.repr_of(value)?);
                percent::write_bytes(text.as_bytes(), layout, out)
            }
            Kind::Char => {
                let byte = self.percent_byte(c, value)?;
                percent::write_bytes(&[byte], &Layout { precision: None, ..*layout }, out)
            }
            Kind::Decimal | Kind::Radix | Kind::Float => {
                let mut text = String::new();
                self.write_number(c, kind, layout, value, &mut text)?;
                out.extend_from_slice(text.as_bytes());
                Ok(())
            }
        };
        written.map_err(|error| self.format_error(error))
    }

    fn percent_bytes(&mut self, c: &Conversion<[u8]>, value: &Value) -> Res<Vec<u8>> {
        if is_bytes_like(value) {
            return self.bytes_of(value);
        }
        match self.bytes_by_method(value)? {
            Some(data) => Ok(data),
            None => Err(self.wrong_argument(c, Kind::Bytes, value)),
        }
    }

    /// What `__bytes__` of an object gives, if its class has it.
    pub(crate) fn bytes_by_method(&mut self, value: &Value) -> Res<Option<Vec<u8>>> {
        if value.tag() != Tag::Instance {
            return Ok(None);
        }
        let Some(method) = self.special_method(value, "__bytes__")? else { return Ok(None) };
        let result = self.call(&method, &[])?;
        match Vm::unwrap_native(&result).get::<Bytes>() {
            Some(bytes) => Ok(Some(bytes.data().to_vec())),
            None => {
                let got = self.type_name(&result);
                Err(self.type_error(format!("__bytes__ returned non-bytes (type {got})")))
            }
        }
    }

    fn percent_byte(&mut self, c: &Conversion<[u8]>, value: &Value) -> Res<u8> {
        if matches!(Vm::unwrap_native(value).tag(), Tag::Bytes | Tag::ByteArray) {
            return match self.bytes_of(value)?[..] {
                [byte] => Ok(byte),
                _ => Err(self.wrong_argument(c, Kind::Char, value)),
            };
        }
        let int = match self.to_int_value(value) {
            Ok(int) => int,
            Err(_) if self.is_raised(Exc::TypeError) => {
                self.take_raised();
                return Err(self.wrong_argument(c, Kind::Char, value));
            }
            Err(raised) => return Err(raised),
        };
        percent::byte_of(int_ref(&int)).map_err(|error| self.format_error(error))
    }

    /// `template.format(*args, **named)`.
    pub(crate) fn format_template(&mut self, template: &str, args: &[Value], named: Option<&Dict>) -> Res {
        self.expand_template(template, |vm, first| match first {
            First::Index(index) => args.get(index).cloned().ok_or_else(|| {
                let message = format!("Replacement index {index} out of range for positional args tuple");
                vm.index_error(message)
            }),
            First::Key(name) => {
                let found = named.and_then(|named| named.get_text(name));
                found.ok_or_else(|| vm.key_error(Value::str(name)))
            }
        })
    }

    /// `template.format_map(mapping)`.
    pub(crate) fn format_template_map(&mut self, template: &str, mapping: &Value) -> Res {
        self.expand_template(template, |vm, first| match first {
            First::Index(_) => Err(vm.value_error("Format string contains positional fields")),
            First::Key(name) => vm.get_item(mapping, &Value::str(name)),
        })
    }

    fn expand_template(&mut self, template: &str, find: impl FnMut(&mut Vm, First) -> Res) -> Res {
        match expand(template, &mut Fields { vm: self, find }) {
            Ok(text) => Ok(Str::from_string(text).into()),
            Err(Failure::Raised) => Err(Raised),
            Err(Failure::Format(error)) => Err(self.format_error(error)),
        }
    }
}

fn int_ref(value: &Value) -> IntRef<'_> {
    match value.view() {
        View::BigInt(big) => IntRef::from(big),
        _ => IntRef::from(value.as_small_int().unwrap_or(-1)),
    }
}

/// Where the fields of a `format` template get their values.
struct Fields<'a, F> {
    vm: &'a mut Vm,
    find: F,
}

/// An exception on its way, or an error that is not yet one.
enum Failure {
    Raised,
    Format(FormatError),
}

impl From<FormatError> for Failure {
    fn from(error: FormatError) -> Failure {
        Failure::Format(error)
    }
}

impl From<Raised> for Failure {
    fn from(_: Raised) -> Failure {
        Failure::Raised
    }
}

impl<F: FnMut(&mut Vm, First) -> Res> Source for Fields<'_, F> {
    type Value = Value;
    type Error = Failure;

    fn argument(&mut self, first: First<'_>) -> Result<Value, Failure> {
        Ok((self.find)(self.vm, first)?)
    }

    fn access(&mut self, value: Value, accessor: Accessor<'_>) -> Result<Value, Failure> {
        Ok(match accessor {
            Accessor::Attribute(name) => self.vm.get_attribute(&value, &Str::new(name)),
            Accessor::Index(index) => self.vm.get_item(&value, &Value::size(index)),
            Accessor::Key(key) => self.vm.get_item(&value, &Value::str(key)),
        }?)
    }

    fn convert(&mut self, value: Value, conversion: char) -> Result<Value, Failure> {
        let text = match conversion {
            'r' => self.vm.repr_of(&value)?,
            'a' => escape_non_ascii(&self.vm.repr_of(&value)?),
            _ => self.vm.str_of(&value)?,
        };
        Ok(Str::from_string(text).into())
    }

    fn format(&mut self, value: Value, spec: &str, out: &mut String) -> Result<(), Failure> {
        Ok(self.vm.format_into(&value, spec, out)?)
    }
}
