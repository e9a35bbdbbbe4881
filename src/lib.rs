//! ZPy: a small scripting language with Python's syntax whose reason to exist is processes.

pub mod builtins;
pub mod call;
pub mod cli;
pub mod engine;
pub mod eval;
pub mod mp;
mod repl;
pub mod resolve;
pub mod source;
pub mod streams;
pub mod syntax;
pub mod text;
pub mod value;
