//! Numbers and text: everything that turns one into the other, with no interpreter types in sight.
//!
//! The files stand on their own and know Rust's `i64`, `f64`, `BigInt` and `str` only; each promises exactly
//! what Python 3.12 does, and `tests/text_oracle.rs` lets Python check that.
//!
//! | file | what it answers |
//! |---|---|
//! | `repr` | `repr` and `ascii` of text and bytes |
//! | `float` | `repr`, `float()`, `hash`, `round` of floats; `float_exact` adds big integers and hex |
//! | `digits` | the decimal digits of a float laid out with a precision, under all `e f g` formats |
//! | `int` | `int()`, `bin oct hex`, `hash` of integers |
//! | `spec` | `format(x, ">+08,.2f")` |
//! | `percent` | `"%-5d" % x` |
//! | `format_string` | `"{0.name!r:>{width}}".format(...)` |
//! | `surrogate` | lone surrogates in strings, bytes that are not UTF-8 |
//! | `codec` | encodings, and what they do about errors |
//! | `declared` | the encoding that a source file declares |
//! | `unicode` | character classes and case, as the methods of str ask |
//! | `unicode_tables` | widths, directions and numeric values, for `unicodedata` |

pub mod codec;
pub mod declared;
pub mod digits;
pub mod error;
pub mod float;
pub mod float_exact;
pub mod format_string;
pub mod int;
pub mod percent;
pub mod repr;
pub mod spec;
pub mod surrogate;
pub mod unicode;
pub mod unicode_tables;

pub use error::{ErrorKind, FormatError};
pub use int::{Int, IntRef};
pub use repr::{ascii_str, repr_bytes, repr_str};
pub use spec::{Spec, Target};
