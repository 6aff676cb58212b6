//! search.h: linear search, binary trees, hash tables, linked lists.

pub mod hash;
pub mod linear;
pub mod tree;
