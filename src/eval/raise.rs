//! Raising: how an error is made, where it waits, and how it learns its place.
//!
//! Code that fails says what went wrong (`vm.type_error("...")`), not where. The innermost node with a
//! span notes its span once (`Vm::at`); each frame the exception leaves adds an entry with it
//! (`Vm::record_place`). A re-raise (`raise` alone, the end of `finally`) adds no second entry for the
//! frame it happens in.

use super::Vm;
use super::code::Code;
use crate::source::Span;
use crate::value::exception::TraceEntry;
use crate::value::{Exception, Raised, Ref, Res, Type, Value};
use std::rc::Rc;

/// What is known about where in the running frame the pending exception arose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorPlace {
    Unknown,
    At(Span),
    /// The frame is in the trace already.
    Recorded,
}

macro_rules! exceptions {
    ($($name:ident : $parent:ident,)*) => {
        /// The built-in exception classes.
        #[allow(clippy::enum_variant_names, reason = "these are the names scripts use")]
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Exc {
            BaseException,
            $($name,)*
        }

        impl Exc {
            /// Every class with the name of its base, bases first.
            pub const ALL: &'static [(Exc, &'static str, Option<Exc>)] = &[
                (Exc::BaseException, "BaseException", None),
                $((Exc::$name, stringify!($name), Some(Exc::$parent)),)*
            ];
        }
    };
}

exceptions! {
    SystemExit: BaseException,
    KeyboardInterrupt: BaseException,
    GeneratorExit: BaseException,
    BaseExceptionGroup: BaseException,
    Exception: BaseException,
    StopIteration: Exception,
    StopAsyncIteration: Exception,
    ArithmeticError: Exception,
    FloatingPointError: ArithmeticError,
    OverflowError: ArithmeticError,
    ZeroDivisionError: ArithmeticError,
    AssertionError: Exception,
    AttributeError: Exception,
    BufferError: Exception,
    EOFError: Exception,
    ImportError: Exception,
    ModuleNotFoundError: ImportError,
    LookupError: Exception,
    IndexError: LookupError,
    KeyError: LookupError,
    MemoryError: Exception,
    NameError: Exception,
    UnboundLocalError: NameError,
    OSError: Exception,
    BlockingIOError: OSError,
    ChildProcessError: OSError,
    ConnectionError: OSError,
    BrokenPipeError: ConnectionError,
    ConnectionAbortedError: ConnectionError,
    ConnectionRefusedError: ConnectionError,
    ConnectionResetError: ConnectionError,
    FileExistsError: OSError,
    FileNotFoundError: OSError,
    InterruptedError: OSError,
    IsADirectoryError: OSError,
    NotADirectoryError: OSError,
    PermissionError: OSError,
    ProcessLookupError: OSError,
    TimeoutError: OSError,
    ReferenceError: Exception,
    RuntimeError: Exception,
    NotImplementedError: RuntimeError,
    RecursionError: RuntimeError,
    SyntaxError: Exception,
    IndentationError: SyntaxError,
    TabError: IndentationError,
    SystemError: Exception,
    TypeError: Exception,
    ValueError: Exception,
    UnicodeError: ValueError,
    UnicodeDecodeError: UnicodeError,
    UnicodeEncodeError: UnicodeError,
    UnicodeTranslateError: UnicodeError,
    Warning: Exception,
    BytesWarning: Warning,
    DeprecationWarning: Warning,
    EncodingWarning: Warning,
    FutureWarning: Warning,
    ImportWarning: Warning,
    PendingDeprecationWarning: Warning,
    ResourceWarning: Warning,
    RuntimeWarning: Warning,
    SyntaxWarning: Warning,
    UnicodeWarning: Warning,
    UserWarning: Warning,
    ExceptionGroup: BaseExceptionGroup,
}

impl Vm {
    /// Raises a built-in exception with a message.
    #[cold]
    pub fn error(&mut self, kind: Exc, message: impl AsRef<str>) -> Raised {
        self.error_with(kind, vec![Value::str(message)])
    }

    /// Raises a built-in exception with these arguments.
    #[cold]
    pub fn error_with(&mut self, kind: Exc, args: Vec<Value>) -> Raised {
        let class = self.types.exception(kind);
        self.raise(Exception::new(class, args))
    }

    #[cold]
    pub fn type_error(&mut self, message: impl AsRef<str>) -> Raised {
        self.error(Exc::TypeError, message)
    }

    #[cold]
    pub fn value_error(&mut self, message: impl AsRef<str>) -> Raised {
        self.error(Exc::ValueError, message)
    }

    #[cold]
    pub fn index_error(&mut self, message: impl AsRef<str>) -> Raised {
        self.error(Exc::IndexError, message)
    }

    #[cold]
    pub fn key_error(&mut self, key: Value) -> Raised {
        self.error_with(Exc::KeyError, vec![key])
    }

    #[cold]
    pub fn overflow_error(&mut self, message: impl AsRef<str>) -> Raised {
        self.error(Exc::OverflowError, message)
    }

    #[cold]
    pub fn zero_division(&mut self, message: impl AsRef<str>) -> Raised {
        self.error(Exc::ZeroDivisionError, message)
    }

    #[cold]
    pub fn runtime_error(&mut self, message: impl AsRef<str>) -> Raised {
        self.error(Exc::RuntimeError, message)
    }

    /// Raises the `OSError` subclass that fits, with `errno`, `strerror` and `filename`.
    #[cold]
    pub fn os_error(&mut self, error: &std::io::Error, path: Option<&str>) -> Raised {
        let Some(code) = error.raw_os_error() else {
            return self.error(Exc::OSError, error.to_string());
        };
        let mut args = vec![Value::int(code as i64), Value::str(os_message(code))];
        let path = path.map(Value::str);
        args.extend(path.clone());
        let class = self.types.exception(os_error_class(code));
        let exception = self.new_os_error(class, args);
        self.raise(exception)
    }

    /// An `OSError` whose arguments are errno, message and up to two paths.
    pub fn new_os_error(&mut self, class: Ref<Type>, args: Vec<Value>) -> Ref<Exception> {
        let exception = Exception::new(class, Vec::new());
        self.set_os_error_args(&exception, &args);
        exception
    }

    /// Reads errno, message and paths from the arguments of an `OSError`.
    pub(crate) fn set_os_error_args(&mut self, exception: &Exception, args: &[Value]) {
        if !(2..=5).contains(&args.len()) {
            *exception.args.borrow_mut() = Value::tuple(args.to_vec());
            return;
        }
        let count = args.get(2).filter(|count| count.as_int().is_some());
        let counts = exception.class().is_subtype_of(&self.types.exception(Exc::BlockingIOError));
        let count = count.filter(|_| counts);
        *exception.args.borrow_mut() = Value::tuple(args[..if count.is_some() { 3 } else { 2 }].to_vec());
        exception.set_attribute("errno", args[0].clone());
        exception.set_attribute("strerror", args[1].clone());
        if let Some(count) = count {
            exception.set_attribute("characters_written", count.clone());
        } else if let Some(path) = args.get(2) {
            exception.set_attribute("filename", path.clone());
        }
        if let Some(path) = args.get(4) {
            exception.set_attribute("filename2", path.clone());
        }
    }

    /// Sets an exception on its way. What is being handled becomes its context.
    #[cold]
    pub fn raise(&mut self, exception: Ref<Exception>) -> Raised {
        self.set_context(&exception);
        self.raised = Some(exception);
        self.error_place = ErrorPlace::Unknown;
        Raised
    }

    /// As `raise`, the context staying as it is: an exception thrown into a generator is not raised anew.
    pub fn raise_as_is(&mut self, exception: Ref<Exception>) -> Raised {
        self.raised = Some(exception);
        self.error_place = ErrorPlace::Unknown;
        Raised
    }

    /// Links `exception` to the one being handled, avoiding cycles.
    pub(super) fn set_context(&mut self, exception: &Ref<Exception>) {
        let Some(handled) = self.handling.get_ref::<Exception>() else { return };
        if Ref::ptr_eq(&handled, exception) {
            return;
        }
        // A script may have made a cycle of its own. `slow` takes every second step, so the walk meets it there.
        let (mut link, mut slow) = (handled.clone(), handled.clone());
        let mut is_even = true;
        while let Some(next) = link.next_context() {
            if Ref::ptr_eq(&next, exception) {
                *link.context.borrow_mut() = Value::NONE;
                break;
            }
            link = next;
            is_even = !is_even;
            if is_even {
                slow = slow.next_context().unwrap_or(slow);
            }
            if Ref::ptr_eq(&slow, &link) {
                break;
            }
        }
        *exception.context.borrow_mut() = handled.into();
    }

    /// Sends an exception on again without a new entry for the running frame.
    pub(super) fn reraise(&mut self, exception: Ref<Exception>) -> Raised {
        self.raised = Some(exception);
        self.error_place = ErrorPlace::Recorded;
        Raised
    }

    /// Puts back an exception that was taken with `take_raised` only to look at it or to clean up.
    pub fn put_back(&mut self, exception: Ref<Exception>) -> Raised {
        self.raised = Some(exception);
        Raised
    }

    /// Notes the span of a node that failed, unless a node inside it has.
    #[cold]
    #[inline(never)]
    pub(super) fn at(&mut self, span: Span) -> Raised {
        if self.error_place == ErrorPlace::Unknown {
            self.error_place = ErrorPlace::At(span);
        }
        Raised
    }

    /// Adds the running frame to the trace of the pending exception.
    pub(super) fn record_place(&mut self, code: &Rc<Code>) {
        let place = std::mem::replace(&mut self.error_place, ErrorPlace::Unknown);
        let span = match place {
            ErrorPlace::At(span) => span,
            ErrorPlace::Unknown => code.span,
            ErrorPlace::Recorded => return,
        };
        if let Some(exception) = &self.raised {
            exception.trace.borrow_mut().push(TraceEntry { code: code.clone(), span });
        }
    }

    /// Takes the pending exception: whoever asks is handling it now.
    pub fn take_raised(&mut self) -> Ref<Exception> {
        self.error_place = ErrorPlace::Unknown;
        match self.raised.take() {
            Some(exception) => exception,
            None => {
                let class = self.types.exception(Exc::SystemError);
                Exception::new(class, vec![Value::str("error return without exception set")])
            }
        }
    }

    /// Whether the pending exception is of a built-in class.
    pub fn is_raised(&self, kind: Exc) -> bool {
        let class = self.types.exception(kind);
        self.raised.as_ref().is_some_and(|e| e.class().is_subtype_of(&class))
    }

    /// Turns a pending exception of class `kind` into `None`; others stay on their way.
    pub fn catch<T>(&mut self, result: Res<T>, kind: Exc) -> Res<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(_) if self.is_raised(kind) => {
                self.take_raised();
                Ok(None)
            }
            Err(raised) => Err(raised),
        }
    }

    /// The exception being handled, or `none`.
    pub fn handled_exception(&self) -> Value {
        self.handling.clone()
    }
}

/// The system's text for an error number, as Python shows it.
pub fn os_message(code: i32) -> String {
    let text = std::io::Error::from_raw_os_error(code).to_string();
    match text.rfind(" (os error ") {
        Some(at) => text[..at].to_string(),
        None => text,
    }
}

pub(super) fn os_error_class(code: i32) -> Exc {
    match code {
        libc::EAGAIN | libc::EALREADY | libc::EINPROGRESS => Exc::BlockingIOError,
        libc::ECHILD => Exc::ChildProcessError,
        libc::EPIPE | libc::ESHUTDOWN => Exc::BrokenPipeError,
        libc::ECONNABORTED => Exc::ConnectionAbortedError,
        libc::ECONNREFUSED => Exc::ConnectionRefusedError,
        libc::ECONNRESET => Exc::ConnectionResetError,
        libc::EEXIST => Exc::FileExistsError,
        libc::ENOENT => Exc::FileNotFoundError,
        libc::EINTR => Exc::InterruptedError,
        libc::EISDIR => Exc::IsADirectoryError,
        libc::ENOTDIR => Exc::NotADirectoryError,
        libc::EACCES | libc::EPERM => Exc::PermissionError,
        libc::ESRCH => Exc::ProcessLookupError,
        libc::ETIMEDOUT => Exc::TimeoutError,
        _ => Exc::OSError,
    }
}
