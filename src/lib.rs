//! ZPy: a small scripting language with Python's syntax whose reason to exist is processes.
//!
//! The program `zpy` runs scripts; this crate puts the same interpreter into a host program:
//!
//! ```
//! use zpy::Engine;
//!
//! let mut engine = Engine::new();
//! engine.set_global("names", vec!["Ada", "Grace"]);
//! engine.eval("def greet(name): return f'Hello, {name}!'")?;
//! let all = engine.eval("[greet(name) for name in names]")?.to::<Vec<String>>()?;
//! assert_eq!(all, ["Hello, Ada!", "Hello, Grace!"]);
//! let error = engine.call("greet", ()).unwrap_err();
//! assert_eq!(error.kind, "TypeError");
//! # Ok::<(), zpy::Error>(())
//! ```
//!
//! [`Engine`] has the streams, search paths and variables; [`IntoValue`] and [`FromValue`] convert between Rust's
//! values and scripts'; [`Native`] and [`NativeModule`] make Rust functions callable from scripts, see
//! `examples/embed.rs`; an [`Error`] is an exception as plain data. [`mp`] starts and supervises processes.

mod convert;
mod error;
mod repl;
pub mod streams;

pub mod call;
pub mod engine;
pub mod mp;
pub mod text;
pub mod value;

#[doc(hidden)]
pub mod builtins;
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod eval;
#[doc(hidden)]
pub mod resolve;
#[doc(hidden)]
pub mod source;
#[doc(hidden)]
pub mod syntax;

pub use call::{Call, Native, NativeModule};
pub use convert::{FromValue, IntoArgs, IntoValue};
pub use engine::{Callee, Engine};
pub use error::{Error, ErrorData, Frame};
pub use value::{Raised, Res, Value};

/// The programs on the page about embedding run as doc tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/embedding.md")]
struct EmbeddingPage;
