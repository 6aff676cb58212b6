//! Streams and formats: stdio.h.

pub mod buffer;
pub mod checked;
mod descriptor;
pub mod file;
pub(crate) mod heap;
pub mod lines;
pub mod lock;
pub mod memory;
pub mod misc;
pub mod open;
pub mod printf;
pub mod read;
pub mod scanf;
pub mod seek;
pub mod state;
pub mod streams;
pub mod temporary;
pub mod write;

#[cfg(test)]
mod tests;

/// Where `byte` stands in `bytes` first.
pub(crate) fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    bytes.iter().position(|&it| it == byte)
}
