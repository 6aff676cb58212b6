//! Formatted output: printf(3) and its relatives.

mod args;
mod engine;
mod field;
mod float;
mod integer;
mod out;
mod spec;
mod text;

pub mod stream;
pub mod string;

pub(crate) use engine::{Mode, format};
pub(crate) use out::Out;

#[cfg(test)]
mod tests;
