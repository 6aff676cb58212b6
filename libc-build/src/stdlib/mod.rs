//! stdlib.h.

pub(crate) mod heap;
