//! search.h: linear search, binary trees, hash tables, linked lists; and the trees of sys/rbtree.h.

pub mod hash;
pub mod linear;
pub mod red_black;
pub mod tree;
