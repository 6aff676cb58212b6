//! stdlib.h.

pub mod arithmetic;
pub mod array;
pub mod convert;
pub(crate) mod heap;
pub mod random;
pub mod sort;
pub mod text;
