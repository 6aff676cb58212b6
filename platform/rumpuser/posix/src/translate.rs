//! NetBSD's numbers and structures as Linux has them, and back.

mod address;
mod error;
mod flags;
mod option;

pub(crate) use address::{Address, family};
pub(crate) use error::error;
pub(crate) use flags::{events, message, message_back, revents, socket_type};
pub(crate) use option::{Value, option};
