//! Numbers and their texts: exact conversion between binary floating point and decimal or hexadecimal digits.
//!
//! Nothing here knows of streams, formats or errno; printf, scanf and the strtod family stand on it. Every result is correctly rounded
//! (to nearest, ties to even), as ISO C recommends in 7.23.6.1 and 7.24.1.3.

pub(crate) mod big;
pub(crate) mod binary;
pub(crate) mod digits;
pub(crate) mod parse;
pub mod strtod;
#[cfg(test)]
mod tests;
