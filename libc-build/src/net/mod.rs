//! netdb.h, resolv.h, arpa/inet.h, net/if.h, ifaddrs.h: names and numbers of the network, and the calls on sockets that are no system calls.
//!
//! What reads text, messages of name servers and messages of the kernel works on slices, and is tested on the host; what asks the kernel is small.

pub mod address;
pub(crate) mod buffer;
pub(crate) mod dns;
pub mod inet;
pub mod numeric;
