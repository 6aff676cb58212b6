//! stdlib.h.

pub mod arithmetic;
pub mod array;
pub mod base64;
pub mod convert;
pub(crate) mod heap;
pub mod humanize;
pub mod insist;
pub mod quote;
pub mod random;
pub mod sort;
pub mod text;
