//! TCP (RFC 9293): an engine of our own.
//!
//! | module | what |
//! |---|---|
//! | [`engine`] | connections as a whole: segments, time and wishes in; segments and events out |
//! | [`tcb`] | a connection's state |
//! | [`input`], [`output`], [`timeout`] | what segments, wishes and time do to it |
//! | [`listen`], [`syn_cache`], [`time_wait`] | listeners, half-open connections, closed ones |
//! | [`congestion`], [`rtt`], [`sack`] | how fast, how long, what is lost |
//! | [`stream`], [`reassembly`] | data to be sent, received, and out of order |
//! | [`demux`], [`ports`], [`timer`], [`siphash`] | tables: by addresses, by port, by time; and the hash |
//! | [`segment`], [`seq`] | headers, sequence numbers |
//! | [`glue`], [`usrreq`], [`ctloutput`] | the engine between IP and sockets, sockets' calls, options |
//!
//! Standards: RFC 9293, 5681, 6298, 6528, 6582, 6675, 6928, 7323, 2018, 2883, 4987, 5961, 6191, 1337, 9438. Not there: urgent data (RFC 6093 advises against it; it is
//! delivered in line), ECN, Fast Open, RACK.
//!
//! The cost of a segment does not depend on the number of connections: a hash table finds the connection, a wheel its timers. An idle connection holds no buffers.

/// Tests that run as a kernel thread: they use the pool of clusters.
#[cfg(test)]
macro_rules! vcpu_tests {
    ($($(#[$meta:meta])* fn $name:ident() $body:block)*) => {$(
        #[test]
        $(#[$meta])*
        fn $name() {
            rumpbake_posix::run(|| $body);
        }
    )*};
}

pub mod congestion;
pub mod demux;
pub mod engine;
pub mod input;
pub mod listen;
pub mod loss;
pub mod output;
pub mod ports;
pub mod reassembly;
pub mod rtt;
pub mod sack;
pub mod segment;
pub mod seq;
pub mod siphash;
pub mod stream;
pub mod syn_cache;
pub mod tcb;
pub mod time_wait;
pub mod timeout;
pub mod timer;

pub mod ctloutput;
pub mod glue;
pub mod usrreq;

#[cfg(test)]
mod socket_tests;
#[cfg(test)]
mod tests;

pub use engine::{ConnId, Context, Defaults, Engine, Event, Network, Path};
pub use glue::{ctlinput, drain, input};
pub use usrreq::{RECV_SPACE, SEND_SPACE, attach4, attach6};

/// What IP remembers of the way to a peer.
pub type Route = crate::route::RouteCache;

/// Room that IP and the link want before a segment.
const HEADROOM: usize = crate::output::HEADROOM;
