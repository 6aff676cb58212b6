//! Component net_local: AF_LOCAL (unix(4)): stream, datagram and record sockets within the machine, found by names in the file system.
//!
//! - [`pcb`] is what a socket has here, and who is connected with whom; [`name`] binds and finds;
//! - [`transfer`] moves data; [`creds`] are credentials and options.
//!
//! # Flow control
//! What is sent lies in the receiver's buffer at once: it is copied once in and once out. The room to send is the room in that buffer. A stream or a
//! seqpacket socket waits for it; a datagram that finds no room fails with ENOBUFS, as in NetBSD. Writers are woken when there is as much room as their
//! low-water mark, and only if one was turned away.
//!
//! # Not here
//! LOCAL_OCREDS, the credentials of NetBSD before 8, is refused with ENOPROTOOPT.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod creds;
mod name;
mod pcb;
#[cfg(test)]
mod tests;
mod transfer;

use rump_abi::socket::{AF_LOCAL, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM};
use rump_net::{Domain, PrFlags, ProtoSw, protocol};

rump_kern::component! {
    name: "net_local",
    faction: "net",
    needs: "net vfs tmpfs",
    when: "__socket30 socketpair",
    about: "AF_LOCAL sockets",
    init: init
}

/// Room of a connection in each direction, bytes.
const STREAM_SPACE: usize = 64 << 10;
/// Longest datagram at first, bytes.
const DATAGRAM_SEND_SPACE: usize = 64 << 10;
/// Room for datagrams, bytes.
const DATAGRAM_RECV_SPACE: usize = 256 << 10;

const CONNECTED: PrFlags =
    PrFlags::CONNREQUIRED.union(PrFlags::WANTRCVD).union(PrFlags::RIGHTS).union(PrFlags::LISTEN);

static DOMAIN: Domain = Domain {
    family: AF_LOCAL,
    name: "local",
    protocols: &[
        ProtoSw {
            kind: SOCK_STREAM,
            protocol: 0,
            flags: CONNECTED,
            send_space: STREAM_SPACE,
            recv_space: STREAM_SPACE,
            attach: pcb::attach,
        },
        ProtoSw {
            kind: SOCK_DGRAM,
            protocol: 0,
            flags: PrFlags::ATOMIC.union(PrFlags::ADDR).union(PrFlags::RIGHTS),
            send_space: DATAGRAM_SEND_SPACE,
            recv_space: DATAGRAM_RECV_SPACE,
            attach: pcb::attach,
        },
        ProtoSw {
            kind: SOCK_SEQPACKET,
            protocol: 0,
            flags: CONNECTED.union(PrFlags::ATOMIC),
            send_space: STREAM_SPACE,
            recv_space: STREAM_SPACE,
            attach: pcb::attach,
        },
    ],
};

/// Registers the address family.
pub fn init() {
    protocol::register(&DOMAIN);
}
