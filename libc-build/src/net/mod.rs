//! netdb.h, resolv.h, arpa/inet.h, net/if.h, ifaddrs.h: names and numbers of the network, and the calls on sockets that are no system calls.
//!
//! What reads text, messages of name servers and messages of the kernel works on slices, and is tested on the host; what asks the kernel is small.

pub mod address;
pub mod addrinfo;
pub(crate) mod buffer;
#[cfg(not(test))]
mod calls;
pub mod constants;
pub(crate) mod dns;
pub mod error;
pub mod hosts;
pub mod ifaddrs;
pub mod inet;
pub(crate) mod interfaces;
#[cfg(not(test))]
mod kernel;
#[cfg(test)]
#[path = "absent.rs"]
mod kernel;
pub mod link;
pub(crate) mod lookup;
pub mod nameinfo;
pub mod networks;
pub mod numeric;
pub(crate) mod order;
pub(crate) mod resolve;
pub mod services;
