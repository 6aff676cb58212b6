//! Faction net: sockets (socket(2), uipc_socket(9)), their buffers, their system calls.
//!
//! | module | what |
//! |---|---|
//! | [`protocol`] | what a protocol offers: the contract that AF_LOCAL, IP and TCP implement |
//! | [`socket`] | a socket, its state, and what protocols tell it |
//! | [`sockbuf`] | data on its way: a stream of bytes or a queue of records |
//! | [`sockaddr`], [`control`], [`rights`] | addresses, control messages, descriptors in flight |
//! | [`mod@send`], [`mod@receive`], [`connect`], [`options`] | the operations |
//! | [`file`](mod@file) | a socket behind a descriptor |
//! | [`calls`] | the system calls |
//!
//! # Who calls whom
//! A system call finds the socket, this layer checks, sleeps and copies, the protocol ([`protocol::Protocol`], one object per socket) does the
//! rest. A protocol never sleeps on behalf of a caller and never touches the application's memory but through the [`rump_kern::uio::Uio`] that
//! it is handed. It reports by the methods of [`socket::Socket`]: `connected`, `disconnected`, `set_error`, `wake_readers` …, which wake whoever waits.
//!
//! No cell of a socket or a buffer is borrowed while another is told of a change.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod calls;
pub mod connect;
pub mod control;
pub mod file;
pub mod options;
pub mod protocol;
pub mod receive;
pub mod rights;
pub mod send;
pub mod sockaddr;
pub mod sockbuf;
pub mod socket;

pub use control::Control;
pub use protocol::{Domain, Outgoing, PrFlags, ProtoSw, Protocol};
pub use sockaddr::SockAddr;
pub use sockbuf::SockBuf;
pub use socket::Socket;

rump_kern::component! {
    name: "net",
    faction: "net",
    needs: "kern",
    when: "",
    about: "sockets and their system calls",
    init: init
}

fn init() {}
