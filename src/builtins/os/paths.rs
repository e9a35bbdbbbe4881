//! Paths as arguments and results: a script may give `str`, `bytes` or an object with `__fspath__`, and
//! gets back what it gave. Text in which surrogates stand for odd bytes is the form in between.

use crate::builtins::io::path_bytes;
use crate::builtins::mapping::text_of;
use crate::call::Call;
use crate::eval::Vm;
use crate::value::{Int, Raised, Res, Type, Value, View};
use std::io;
use std::path::PathBuf;

/// A path that a script gave, or a descriptor where those are allowed too.
pub struct PathArg {
    /// What error messages show: `str` or `bytes`, or the descriptor.
    pub shown: Value,
    pub text: String,
    pub path: PathBuf,
    pub is_bytes: bool,
    pub descriptor: Option<i32>,
}

/// What a path parameter accepts besides `str`, `bytes` and path objects.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Also {
    Nothing,
    Descriptor,
    DescriptorOrNone,
}

impl Also {
    fn wanted(self) -> &'static str {
        match self {
            Also::Nothing => "string, bytes or os.PathLike",
            Also::Descriptor => "string, bytes, os.PathLike or integer",
            Also::DescriptorOrNone => "string, bytes, os.PathLike, integer or None",
        }
    }
}

impl Vm {
    /// `os.fspath`: a path as `str` or `bytes`; `None` for an object that is no path.
    ///
    /// # Errors
    /// `TypeError` if `__fspath__` gives something else; whatever it raises.
    pub fn try_fspath(&mut self, value: &Value) -> Res<Option<Value>> {
        if let plain @ (View::Str(_) | View::Bytes(_)) = Vm::unwrap_native(value).view() {
            let _ = plain;
            return Ok(Some(Vm::unwrap_native(value).clone()));
        }
        if value.is::<Type>() {
            return Ok(None);
        }
        let Some(method) = self.special_method(value, "__fspath__")? else { return Ok(None) };
        let path = self.call(&method, &[])?;
        match Vm::unwrap_native(&path).view() {
            View::Str(_) | View::Bytes(_) => Ok(Some(Vm::unwrap_native(&path).clone())),
            _ => {
                let (of, got) = (self.type_name(value), self.type_name(&path));
                let message = format!("expected {of}.__fspath__() to return str or bytes, not {got}");
                Err(self.type_error(message))
            }
        }
    }

    /// `os.fspath`, where only a path will do.
    ///
    /// # Errors
    /// `TypeError` for anything else.
    pub fn fspath(&mut self, value: &Value) -> Res {
        match self.try_fspath(value)? {
            Some(path) => Ok(path),
            None => {
                let got = self.type_name(value);
                Err(self.type_error(format!("expected str, bytes or os.PathLike object, not {got}")))
            }
        }
    }

    /// Raises the `OSError` of a failed call on a path.
    #[cold]
    pub fn path_error(&mut self, error: &io::Error, path: &Value) -> Raised {
        self.paths_error(error, std::slice::from_ref(path))
    }

    /// Raises the `OSError` of a failed call on up to two paths.
    #[cold]
    pub fn paths_error(&mut self, error: &io::Error, paths: &[Value]) -> Raised {
        let raised = self.os_error(error, None);
        if let Some(exception) = self.pending_exception() {
            for (name, path) in ["filename", "filename2"].into_iter().zip(paths) {
                exception.set_attribute(name, path.clone());
            }
        }
        raised
    }
}

/// Text of a `str` or `bytes` that `fspath` gave, and whether it is `bytes`.
pub fn text_and_kind(path: &Value) -> (String, bool) {
    match path.view() {
        View::Bytes(bytes) => (text_of(bytes.data()), true),
        _ => (path.as_str().unwrap_or_default().to_string(), false),
    }
}

/// A path as the script wants it: `bytes` if it gave those.
pub fn like(vm: &mut Vm, is_bytes: bool, text: &str) -> Res {
    if is_bytes { Ok(Value::bytes(vm.encode_escaped(text)?)) } else { Ok(Value::str(text)) }
}

impl Call<'_> {
    /// A path argument; `name` is the parameter's.
    ///
    /// # Errors
    /// `TypeError` for anything else, `ValueError` for a null byte in it.
    pub fn path(&mut self, index: usize, name: &str, also: Also) -> Res<PathArg> {
        let value = self.arg(index);
        if value.is_unbound() || value.is_none() && also == Also::DescriptorOrNone {
            return Ok(PathArg {
                shown: Value::str("."),
                text: ".".to_string(),
                path: PathBuf::from("."),
                is_bytes: false,
                descriptor: None,
            });
        }
        if also != Also::Nothing && Int::of(value).is_some() {
            let descriptor = Some(self.c_int(index)?);
            return Ok(PathArg {
                shown: value.clone(),
                text: String::new(),
                path: PathBuf::new(),
                is_bytes: false,
                descriptor,
            });
        }
        let Some(shown) = self.vm.try_fspath(value)? else {
            let (function, wanted, got) = (self.native.name, also.wanted(), self.vm.type_name(value));
            return Err(self.vm.type_error(format!("{function}: {name} should be {wanted}, not {got}")));
        };
        let (text, is_bytes) = text_and_kind(&shown);
        if text.contains('\0') {
            return Err(self.vm.value_error("embedded null byte"));
        }
        let path = path_bytes(self.vm, &text)?;
        Ok(PathArg { shown, text, path, is_bytes, descriptor: None })
    }

    /// An int argument that the system takes as a C `int`.
    ///
    /// # Errors
    /// `TypeError` for anything but an int, `OverflowError` for one that does not fit.
    pub fn c_int(&mut self, index: usize) -> Res<i32> {
        let value = self.arg(index);
        self.vm.c_int(value)
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
