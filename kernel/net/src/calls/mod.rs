//! The system calls of sockets.

pub mod accept;
pub mod message;
pub mod multi;
pub mod name;
pub mod open;
pub mod option;
