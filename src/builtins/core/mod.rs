//! The global functions, one file for each subject.

pub mod flat;
pub mod generics;
pub mod inspect;
pub mod iteration;
pub mod numbers;
pub mod running;
pub mod slots;
pub mod streams;

use crate::call::Native;

/// Every table of global functions.
const TABLES: &[&[Native]] =
    &[streams::ROWS, inspect::ROWS, iteration::ROWS, numbers::ROWS, running::ROWS, flat::ROWS];

/// The global function of that name.
pub fn find(name: &str) -> Option<&'static Native> {
    rows().find(|row| row.name == name)
}

/// Every global function.
pub fn rows() -> impl Iterator<Item = &'static Native> {
    TABLES.iter().copied().flatten()
}
