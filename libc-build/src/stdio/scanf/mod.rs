//! Formatted input: scanf(3) and its relatives.

mod engine;
mod input;
mod number;
mod set;
mod target;

pub mod narrow;

pub(crate) use engine::{Pattern, scan};
pub(crate) use input::Source;

#[cfg(test)]
mod tests;
