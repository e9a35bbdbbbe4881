//! The error of the formatting mini-languages: which Python exception to raise, and with which words.

use std::fmt;

/// The Python exception a [`FormatError`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    ValueError,
    OverflowError,
    TypeError,
}

/// Why a format could not be parsed or applied, worded as Python words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    pub kind: ErrorKind,
    pub message: String,
}

impl FormatError {
    /// A ValueError with this text.
    pub fn value(message: impl Into<String>) -> FormatError {
        FormatError { kind: ErrorKind::ValueError, message: message.into() }
    }

    /// An OverflowError with this text.
    pub fn overflow(message: impl Into<String>) -> FormatError {
        FormatError { kind: ErrorKind::OverflowError, message: message.into() }
    }

    /// A TypeError with this text.
    pub fn wrong_type(message: impl Into<String>) -> FormatError {
        FormatError { kind: ErrorKind::TypeError, message: message.into() }
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FormatError {}
