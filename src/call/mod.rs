//! How native code is called.
//!
//! A native function is one row: name, parameters, doc, Rust function ([`Native`]). The parameters are
//! written as in Python (`"handle, timeout=None"`, `"self, item, /"`, `"*values, sep=' '"`) and parsed
//! once into a [`Signature`]; arity checks, keyword arguments, `help()` and completion all read it.
//! The function receives a [`Call`]: its arguments already in parameter order, and the interpreter.
//!
//! Order of `Call::args`: the positional parameters (absent ones `Unbound`), the items of `*rest`, the
//! keyword-only parameters, and last a dict for `**keywords` if the signature has one.

mod args;
mod bind;
mod signature;

pub use signature::{Param, Signature};

use crate::eval::Vm;
use crate::value::{Ref, Res, Type, Value};

pub type NativeFn = fn(&mut Call) -> Res;

/// A row of the native module table.
#[derive(Clone, Copy)]
pub struct Native {
    pub name: &'static str,
    /// As between the parentheses of a Python `def`.
    pub params: &'static str,
    /// One sentence, then details: types, units, errors.
    pub doc: &'static str,
    pub run: NativeFn,
}

/// How many rows several tables have together: the `N` of [`join_rows`].
pub const fn count_rows(tables: &[&[Native]]) -> usize {
    let (mut count, mut i) = (0, 0);
    while i < tables.len() {
        count += tables[i].len();
        i += 1;
    }
    count
}

/// Several tables as one, so that the rows of a large type can stand beside their functions.
pub const fn join_rows<const N: usize>(tables: &[&[Native]]) -> [Native; N] {
    let mut joined = [tables[0][0]; N];
    let (mut at, mut i) = (0, 0);
    while i < tables.len() {
        let mut row = 0;
        while row < tables[i].len() {
            joined[at] = tables[i][row];
            at += 1;
            row += 1;
        }
        i += 1;
    }
    joined
}

/// A native module: what `import NAME` gives, and whether its functions are flat builtins too.
pub struct NativeModule {
    pub name: &'static str,
    pub doc: &'static str,
    pub functions: &'static [Native],
    /// Values that are not functions: name and how to make it.
    pub constants: &'static [(&'static str, fn(&mut Vm) -> Value)],
}

/// One call of a native function.
pub struct Call<'a> {
    pub vm: &'a mut Vm,
    /// In the order described at the head of this file.
    pub args: &'a [Value],
    pub native: &'static Native,
    pub signature: &'a Signature,
    /// The type whose method this is.
    pub owner: Option<&'a Ref<Type>>,
}

/// Several tables of rows as one; what [`rows!`](crate::rows) calls.
pub const fn joined<const N: usize>(tables: &[&[Native]]) -> [Native; N] {
    let mut all = [tables[0][0]; N];
    let (mut table, mut filled) = (0, 0);
    while table < tables.len() {
        let mut row = 0;
        while row < tables[table].len() {
            all[filled] = tables[table][row];
            filled += 1;
            row += 1;
        }
        table += 1;
    }
    all
}

/// One table of rows made of several: `rows![OWN, CONTAINER]`.
#[macro_export]
macro_rules! rows {
    ($($table:expr),+ $(,)?) => {{
        const COUNT: usize = 0 $(+ $table.len())+;
        const ALL: [$crate::call::Native; COUNT] = $crate::call::joined(&[$($table),+]);
        &ALL
    }};
}
