//! Text of values: `str`, `repr`, `format`, and the two older ways to format.

use super::Vm;
use crate::text::{self, FormatError, IntRef, Spec, Target};
use crate::value::{Complex, Exception, Instance, Raised, Res, Str, Value, View};
use std::cell::RefCell;

/// Most digits of an int in decimal text, as in CPython: reading and writing take quadratic time.
pub(super) const DEFAULT_INT_DIGITS: usize = 4300;

thread_local! {
    /// Containers whose `repr` is being made, so that one inside itself is shown as `[...]`.
    static OPEN: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

impl Vm {
    /// `str(value)`.
    pub fn str_of(&mut self, value: &Value) -> Res<String> {
        let mut out = String::new();
        self.write_str(value, &mut out)?;
        Ok(out)
    }

    /// `repr(value)`.
    pub fn repr_of(&mut self, value: &Value) -> Res<String> {
        let mut out = String::new();
        self.write_repr(value, &mut out)?;
        Ok(out)
    }

    /// Appends `str(value)`.
    pub fn write_str(&mut self, value: &Value, out: &mut String) -> Res<()> {
        match value.view() {
            View::Str(text) => {
                out.push_str(text.as_str());
                Ok(())
            }
            View::Instance(_) => self.write_special(value, "__str__", out),
            View::MappingProxy(proxy) => self.write_str(&proxy.mapping, out),
            View::Exception(exception) => {
                let class = exception.class();
                if class.flags.is_user
                    && self
                        .lookup(&class, &Str::new("__str__"))
                        .is_some_and(|f| f.is::<crate::value::Function>())
                {
                    return self.write_special(value, "__str__", out);
                }
                let text = self.exception_text(exception)?;
                out.push_str(&text);
                Ok(())
            }
            _ => self.write_repr(value, out),
        }
    }

    /// Appends `repr(value)`.
    pub fn write_repr(&mut self, value: &Value, out: &mut String) -> Res<()> {
        match value.view() {
            View::None => out.push_str("none"),
            View::Bool(flag) => out.push_str(if flag { "true" } else { "false" }),
            View::Int(int) => out.push_str(&text::int::decimal(int)),
            View::BigInt(big) => {
                let shown = self.big_text(big)?;
                out.push_str(&shown);
            }
            View::Float(float) => {
                let _ = text::float::write_repr(float, out);
            }
            View::Complex(c) => out.push_str(&text::float::complex_repr(c.re, c.im)),
            View::Ellipsis => out.push_str("Ellipsis"),
            View::NotImplemented => out.push_str("NotImplemented"),
            View::Str(s) => {
                let _ = text::repr::write_repr_str(s.as_str(), out);
            }
            View::Bytes(b) => {
                let _ = text::repr::write_repr_bytes(b.data(), out);
            }
            View::ByteArray(b) => {
                let shown = text::repr_bytes(&b.data.borrow());
                out.push_str(&format!("bytearray({shown})"));
            }
            View::List(list) => {
                let items = list.to_vec();
                return self.write_open(value, "[...]", out, |vm, out| vm.write_items("[", &items, "]", out));
            }
            View::Tuple(tuple) => {
                let items = tuple.items().to_vec();
                let close = if items.len() == 1 { ",)" } else { ")" };
                return self
                    .write_open(value, "(...)", out, |vm, out| vm.write_items("(", &items, close, out));
            }
            View::Dict(dict) => {
                let pairs = dict.pairs();
                return self.write_open(value, "{...}", out, |vm, out| vm.write_pairs(&pairs, out));
            }
            View::Set(set) => {
                let items: Vec<Value> = set.borrow().iter().map(|(k, _)| k.clone()).collect();
                if items.is_empty() {
                    out.push_str("set()");
                    return Ok(());
                }
                return self
                    .write_open(value, "set(...)", out, |vm, out| vm.write_items("{", &items, "}", out));
            }
            View::FrozenSet(set) => {
                let items: Vec<Value> = set.items.iter().map(|(k, _)| k.clone()).collect();
                if items.is_empty() {
                    out.push_str("frozenset()");
                    return Ok(());
                }
                return self.write_open(value, "frozenset(...)", out, |vm, out| {
                    vm.write_items("frozenset({", &items, "})", out)
                });
            }
            View::DictView(view) => {
                let items = match view.kind {
                    crate::value::dict::ViewKind::Keys => view.dict.keys(),
                    crate::value::dict::ViewKind::Values => view.dict.values(),
                    crate::value::dict::ViewKind::Items => {
                        view.dict.pairs().into_iter().map(|(k, v)| Value::tuple(vec![k, v])).collect()
                    }
                };
                let open = format!("{}([", Vm::view_kind_name(view.kind));
                return self
                    .write_open(value, "...", out, |vm, out| vm.write_items(&open, &items, "])", out));
            }
            View::Instance(_) => return self.write_special(value, "__repr__", out),
            View::Iter(iter) => {
                let (name, shown) = iter.shown();
                if shown.is_empty() {
                    return self.write_object(value, out);
                }
                return self.write_items(&format!("{name}("), &shown, ")", out);
            }
            View::Exception(e) => {
                let class = e.class();
                if class.flags.is_user
                    && self
                        .lookup(&class, &Str::new("__repr__"))
                        .is_some_and(|f| f.is::<crate::value::Function>())
                {
                    return self.write_special(value, "__repr__", out);
                }
                return self.write_exception(e, out);
            }
            _ => return self.write_object(value, out),
        }
        Ok(())
    }

    /// Kinds whose text is little more than a name.
    fn write_object(&mut self, value: &Value, out: &mut String) -> Res<()> {
        let shown = match value.view() {
            View::Range(range) => {
                let parts = [range.start_value(), range.stop_value(), range.step_value()];
                let texts = [self.repr_of(&parts[0])?, self.repr_of(&parts[1])?, self.repr_of(&parts[2])?];
                if parts[2].as_int() == Some(1) {
                    format!("range({}, {})", texts[0], texts[1])
                } else {
                    format!("range({})", texts.join(", "))
                }
            }
            View::Slice(slice) => {
                let parts = [slice.start.clone(), slice.stop.clone(), slice.step.clone()];
                let texts = [self.repr_of(&parts[0])?, self.repr_of(&parts[1])?, self.repr_of(&parts[2])?];
                format!("slice({})", texts.join(", "))
            }
            View::Function(f) => format!("<function {}>", f.qualname.borrow().as_str()),
            View::NativeFunction(f) => match &f.owner {
                Some(owner) => format!("<method '{}' of '{}' objects>", f.native.name, owner.name().as_str()),
                None => format!("<built-in function {}>", f.native.name),
            },
            View::BoundMethod(m) => {
                let (function, receiver) = (m.function.clone(), m.receiver.clone());
                match function.view() {
                    View::NativeFunction(f) => {
                        format!("<built-in method {} of {} object>", f.native.name, self.type_name(&receiver))
                    }
                    View::Function(f) => {
                        let name = f.qualname.borrow().clone();
                        format!("<bound method {} of {}>", name.as_str(), self.repr_of(&receiver)?)
                    }
                    _ => format!("<bound method of {}>", self.repr_of(&receiver)?),
                }
            }
            View::Type(class) => {
                let metaclass = self.type_of(value);
                if metaclass.flags.is_user
                    && self
                        .lookup(&metaclass, &Str::new("__repr__"))
                        .is_some_and(|f| f.is::<crate::value::Function>())
                {
                    return self.write_special(value, "__repr__", out);
                }
                class.display_name()
            }
            View::Module(module) if module.is_dict() => self.made_module_text(module)?,
            View::Module(module) => {
                let file = module.get_text("__file__");
                match file.as_ref().and_then(Value::as_str) {
                    Some(file) => format!("<module '{}' from '{file}'>", module.name.as_str()),
                    None => format!("<module '{}' (built-in)>", module.name.as_str()),
                }
            }
            View::Super(s) if s.object.is_none() => format!("<super: {}, NULL>", s.class.display_name()),
            View::Super(s) => {
                format!("<super: {}, <{} object>>", s.class.display_name(), s.object_class.display_name())
            }
            View::Property(property) => match property.getter().get::<crate::value::NativeFunction>() {
                Some(getter) => {
                    let owner =
                        getter.owner.as_ref().map_or_else(|| Str::new("object"), |owner| owner.name());
                    let name = getter.native.name.trim_start_matches('.');
                    format!("<attribute '{name}' of '{}' objects>", owner.as_str())
                }
                None => self.plain_repr(value),
            },
            View::StaticMethod(method) => format!("<staticmethod({})>", self.repr_of(&method.function())?),
            View::ClassMethod(method) => format!("<classmethod({})>", self.repr_of(&method.function())?),
            View::Cell(_) => "<cell>".to_string(),
            View::Generator(g) => format!("<generator object {}>", g.names()[1].as_str()),
            View::File(file) => crate::builtins::io::describe(self, file)?,
            View::Foreign(_) | View::MappingProxy(_) | View::MemoryView(_) => {
                if let Some(method) = self.special_method(value, "__repr__")? {
                    let shown = self.call(&method, &[])?;
                    return self.write_str(&shown, out);
                }
                format!("<{} object>", self.type_name(value))
            }
            _ => self.plain_repr(value),
        };
        out.push_str(&shown);
        Ok(())
    }

    /// A module that a script made has the name, file and loader that the script gave it.
    fn made_module_text(&mut self, module: &crate::value::Module) -> Res<String> {
        let name = match module.get_text("__name__") {
            Some(name) => self.repr_of(&name)?,
            None => "'?'".to_string(),
        };
        let from = match (module.get_text("__file__"), module.get_text("__loader__")) {
            (Some(file), _) => format!(" from {}", self.repr_of(&file)?),
            (None, Some(loader)) if !loader.is_none() => format!(" ({})", self.repr_of(&loader)?),
            _ => String::new(),
        };
        Ok(format!("<module {name}{from}>"))
    }

    /// The text that `__str__` or `__repr__` of a class gives.
    fn write_special(&mut self, value: &Value, name: &str, out: &mut String) -> Res<()> {
        self.check_depth(" while getting the repr of an object")?;
        let Some(method) = self.special_method(value, name)? else {
            out.push_str(&format!("<{} object>", self.type_name(value)));
            return Ok(());
        };
        let result = self.call(&method, &[])?;
        match Vm::unwrap_native(&result).get::<Str>() {
            Some(text) => {
                out.push_str(text.as_str());
                Ok(())
            }
            None => {
                let got = self.type_name(&result);
                Err(self.type_error(format!("{name} returned non-string (type {got})")))
            }
        }
    }

    fn write_items(&mut self, open: &str, items: &[Value], close: &str, out: &mut String) -> Res<()> {
        out.push_str(open);
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            self.write_repr(item, out)?;
        }
        out.push_str(close);
        Ok(())
    }

    fn write_pairs(&mut self, pairs: &[(Value, Value)], out: &mut String) -> Res<()> {
        out.push('{');
        for (i, (key, value)) in pairs.iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            self.write_repr(key, out)?;
            out.push_str(": ");
            self.write_repr(value, out)?;
        }
        out.push('}');
        Ok(())
    }

    /// Runs `body` unless the container is being shown already.
    fn write_open(
        &mut self,
        container: &Value,
        otherwise: &str,
        out: &mut String,
        body: impl FnOnce(&mut Vm, &mut String) -> Res<()>,
    ) -> Res<()> {
        let id = container.identity();
        if OPEN.with_borrow(Vec::len) >= self.recursion_limit {
            return Err(self.too_deep(" while getting the repr of an object"));
        }
        if OPEN.with_borrow(|open| open.contains(&id)) {
            out.push_str(otherwise);
            return Ok(());
        }
        if OPEN.with_borrow(Vec::len) >= self.recursion_limit {
            return Err(self.too_deep(" while getting the repr of an object"));
        }
        self.check_depth(" while getting the repr of an object")?;
        OPEN.with_borrow_mut(|open| open.push(id));
        let result = body(self, out);
        OPEN.with_borrow_mut(|open| open.pop());
        result
    }

    /// What `print(exception)` shows.
    pub fn exception_text(&mut self, exception: &Exception) -> Res<String> {
        let class = exception.class();
        let args = exception.args();
        if class.is_subtype_of(&self.types.exception(super::Exc::OSError))
            && let (Some(code), Some(message)) =
                (exception.get_attribute("errno"), exception.get_attribute("strerror"))
        {
            let (code, message) = (self.str_of(&code)?, self.str_of(&message)?);
            let mut shown = format!("[Errno {code}] {message}");
            if let Some(path) = exception.get_attribute("filename") {
                shown.push_str(&format!(": {}", self.repr_of(&path)?));
            }
            if let Some(path) = exception.get_attribute("filename2") {
                shown.push_str(&format!(" -> {}", self.repr_of(&path)?));
            }
            return Ok(shown);
        }
        if let Some(members) = self.group_members(exception) {
            let message = exception.get_attribute("message").unwrap_or(Value::NONE);
            return Ok(crate::value::exception_group::group_text(&message, members.len())
                .as_str()
                .to_string());
        }
        if class.is_subtype_of(&self.types.exception(super::Exc::SyntaxError))
            && let Some(place) = self.syntax_error_place(exception, &args)?
        {
            let message = exception.get_attribute("msg").or(args.first().cloned()).unwrap_or(Value::NONE);
            return Ok(format!("{} ({place})", self.str_of(&message)?));
        }
        if let Some(shown) = self.unicode_error_text(exception, &args)? {
            return Ok(shown);
        }
        match &args[..] {
            [] => Ok(String::new()),
            [key] if class.is_subtype_of(&self.types.exception(super::Exc::KeyError)) => self.repr_of(key),
            [one] => self.str_of(one),
            _ => {
                let args = exception.args.borrow().clone();
                self.repr_of(&args)
            }
        }
    }

    /// `file, line 1` of a `SyntaxError`, by its attributes or its second argument.
    fn syntax_error_place(&mut self, exception: &Exception, args: &[Value]) -> Res<Option<String>> {
        let place = args.get(1).and_then(|place| place.get::<crate::value::Tuple>());
        let part = |name: &str, index: usize| {
            let given = || place.and_then(|place| place.items().get(index).cloned());
            exception.get_attribute(name).or_else(given).filter(|value| !value.is_none())
        };
        let file = part("filename", 0)
            .and_then(|f| f.as_str().map(|f| f.rsplit('/').next().unwrap_or(f).to_string()));
        let line = match part("lineno", 1) {
            Some(line) if line.as_int().is_some() => Some(format!("line {}", self.str_of(&line)?)),
            _ => None,
        };
        Ok(match (file, line) {
            (Some(file), Some(line)) => Some(format!("{file}, {line}")),
            (file, line) => file.or(line),
        })
    }

    fn unicode_error_text(&mut self, exception: &Exception, args: &[Value]) -> Res<Option<String>> {
        let class = exception.class();
        let is_decode = class.is_subtype_of(&self.types.exception(super::Exc::UnicodeDecodeError));
        let is_encode = class.is_subtype_of(&self.types.exception(super::Exc::UnicodeEncodeError));
        let [codec, object, start, end, reason] = args else { return Ok(None) };
        let (Some(start), Some(end)) = (start.as_int(), end.as_int()) else { return Ok(None) };
        let (codec, reason) = (self.str_of(codec)?, self.str_of(reason)?);
        let verb = if is_decode { "decode" } else { "encode" };
        if !is_decode && !is_encode {
            return Ok(None);
        }
        let what = if end - start == 1 {
            let item = self.get_item(object, &Value::int(start))?;
            match (item.as_int(), item.as_str()) {
                (Some(byte), _) => format!("byte {byte:#04x} in position {start}"),
                (_, Some(c)) => {
                    let code = c.chars().next().map_or(0, text::surrogate::code_point);
                    let escaped = match code {
                        0..=0xff => format!("\\x{code:02x}"),
                        0x100..=0xffff => format!("\\u{code:04x}"),
                        _ => format!("\\U{code:08x}"),
                    };
                    format!("character '{escaped}' in position {start}")
                }
                _ => format!("position {start}"),
            }
        } else {
            let noun = if is_decode { "bytes" } else { "characters" };
            format!("{noun} in position {start}-{}", end - 1)
        };
        Ok(Some(format!("'{codec}' codec can't {verb} {what}: {reason}")))
    }

    pub(crate) fn write_exception(&mut self, exception: &Exception, out: &mut String) -> Res<()> {
        out.push_str(exception.class().name().as_str());
        let args = exception.args();
        match &args[..] {
            [one] => self.write_items("(", std::slice::from_ref(one), ")", out),
            _ => self.write_items("(", &args, ")", out),
        }
    }

    /// `format(value, spec)`, appended.
    pub fn format_into(&mut self, value: &Value, spec: &str, out: &mut String) -> Res<()> {
        let is_decimal = !spec.ends_with(['b', 'o', 'x', 'X', 'c', 'e', 'E', 'f', 'F', 'g', 'G', '%']);
        if let View::BigInt(big) = value.view()
            && is_decimal
        {
            self.check_length(big)?;
        }
        if let View::Instance(_) | View::Foreign(_) = value.view()
            && let Some(method) = self.special_method(value, "__format__")?
        {
            let result = self.call(&method, &[Value::str(spec)])?;
            return match Vm::unwrap_native(&result).as_str() {
                Some(text) => {
                    out.push_str(text);
                    Ok(())
                }
                None => {
                    let name = self.type_name(&result);
                    Err(self.type_error(format!("__format__ must return a str, not {name}")))
                }
            };
        }
        if spec.is_empty() {
            return self.write_str(value, out);
        }
        self.format_builtin(value, spec, out)
    }

    /// Formatting of built-in kinds with a spec that is not empty.
    pub(crate) fn format_builtin(&mut self, value: &Value, spec: &str, out: &mut String) -> Res<()> {
        let name = self.type_name(value);
        let done = match value.view() {
            View::Str(s) => Spec::parse(spec, Target::Str, &name)
                .and_then(|spec| text::spec::write_str(s.as_str(), &spec, out)),
            View::Int(i) => Spec::parse(spec, Target::Int, &name)
                .and_then(|spec| text::spec::write_int(IntRef::from(i), &spec, out)),
            View::Bool(b) => Spec::parse(spec, Target::Int, &name)
                .and_then(|spec| text::spec::write_int(IntRef::from(b as i64), &spec, out)),
            View::BigInt(big) => Spec::parse(spec, Target::Int, &name)
                .and_then(|spec| text::spec::write_int(IntRef::from(big), &spec, out)),
            View::Float(f) => Spec::parse(spec, Target::Float, &name)
                .and_then(|spec| text::spec::write_float(f, &spec, out)),
            View::Complex(Complex { re, im }) => Spec::parse(spec, Target::Complex, &name)
                .and_then(|spec| text::spec::format_complex(*re, *im, &spec))
                .map(|shown| out.push_str(&shown)),
            // A type stands for its name.
            View::Type(class) => {
                let shown = class.display_name();
                Spec::parse(spec, Target::Str, &name)
                    .and_then(|spec| text::spec::write_str(&shown, &spec, out))
            }
            _ => {
                return Err(self.type_error(format!("unsupported format string passed to {name}.__format__")));
            }
        };
        done.map_err(|error| self.format_error(error))
    }

    /// Raises what a formatting function found wrong.
    pub(crate) fn format_error(&mut self, error: FormatError) -> Raised {
        let kind = match error.kind {
            text::ErrorKind::ValueError => super::Exc::ValueError,
            text::ErrorKind::OverflowError => super::Exc::OverflowError,
            text::ErrorKind::TypeError => super::Exc::TypeError,
        };
        self.error(kind, error.message)
    }

    /// Refuses a big int whose decimal text would be longer than the digit limit.
    pub(super) fn check_length(&mut self, big: &crate::value::BigInt) -> Res<()> {
        let limit = self.int_max_str_digits;
        // A decimal digit is worth a bit more than 3.32 bits.
        if limit != 0 && big.bits() > limit as u64 * 332 / 100 {
            let is_too_long =
                big.bits() > limit as u64 * 333 / 100 + 4 || text::int::magnitude(big, 10).len() > limit;
            if is_too_long {
                return Err(self.too_many_digits());
            }
        }
        Ok(())
    }

    /// Decimal text of a big int, within the digit limit.
    pub fn big_text(&mut self, big: &crate::value::BigInt) -> Res<String> {
        self.check_length(big)?;
        Ok(text::int::decimal(big))
    }

    /// The text of a value that must be a string.
    pub fn text_of(&mut self, value: &Value, what: &str) -> Res<String> {
        let inside = value.get::<Instance>().and_then(Instance::native).unwrap_or(value);
        match inside.as_str() {
            Some(text) => Ok(text.to_string()),
            None => {
                let name = self.type_name(value);
                Err(self.type_error(format!("{what} must be str, not {name}")))
            }
        }
    }
}
