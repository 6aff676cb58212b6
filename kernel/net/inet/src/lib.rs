//! The internet protocols (components `net_inet` and `net_inet6`).
//!
//! | module | what |
//! |---|---|
//! | [`addr`] | addresses and endpoints |
//! | [`wire`] | headers as they are on the wire, checksums |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod addr;
pub mod wire;
