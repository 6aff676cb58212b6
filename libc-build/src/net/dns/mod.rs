//! The stub resolver: questions to name servers (RFC 1035, RFC 3596, RFC 5452).
//!
//! What a server sends is not trusted: every read is bounded, a name's pointers must lead backwards, and an answer counts only if it
//! repeats the question that was asked.

pub mod compress;
pub(crate) mod config;
pub(crate) mod message;
pub(crate) mod name;
pub mod nameser;
pub(crate) mod query;
pub mod resolver;
pub mod state;
#[cfg(test)]
mod tests;
