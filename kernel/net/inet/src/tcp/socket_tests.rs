//! Sockets over the loopback interface: what programs see of TCP.

extern crate std;

use std::rc::Rc;
use std::vec;
use std::vec::Vec;

use rump_abi::socket::{
    AF_INET, AF_INET6, IPPROTO_TCP, SO_LINGER, SO_REUSEADDR, SOCK_STREAM, TCP_INFO, TCP_KEEPIDLE, TCP_NODELAY,
};
use rump_hypercall::sync::CondVar;
use rump_hypercall::time;
use rump_kern::Errno;
use rump_net::protocol::Direction;
use rump_net::socket::State;
use rump_net::{Domain, PrFlags, ProtoSw, Socket};

use super::glue::{reset, settle, with_conn};
use super::usrreq::{self, RECV_SPACE, SEND_SPACE, TcpProtocol};
use crate::addr::{Addr, Endpoint};
use crate::output;
use crate::sockaddr::{Family, encode};
use crate::testing::configured;

const STREAM: ProtoSw = ProtoSw {
    kind: SOCK_STREAM,
    protocol: IPPROTO_TCP,
    flags: PrFlags::CONNREQUIRED.union(PrFlags::WANTRCVD).union(PrFlags::LISTEN),
    send_space: SEND_SPACE,
    recv_space: RECV_SPACE,
    attach: usrreq::attach4,
};

/// Domains of their own: other tests register theirs under the families' numbers.
static INET: Domain = Domain { family: 1000 + AF_INET, name: "internet", protocols: &[STREAM] };
static INET6: Domain = Domain {
    family: 1000 + AF_INET6,
    name: "internet6",
    protocols: &[ProtoSw { attach: usrreq::attach6, ..STREAM }],
};

fn on_loopback(body: impl FnOnce() + Send) {
    configured(|_| {
        reset();
        crate::input::set_tcp(super::input, super::ctlinput);
        rump_net::protocol::register(&INET);
        rump_net::protocol::register(&INET6);
        body();
        reset();
    });
}

fn socket() -> Rc<Socket> {
    Socket::create(1000 + AF_INET, SOCK_STREAM, 0).unwrap()
}

fn at(port: u16) -> rump_net::SockAddr {
    encode(Endpoint { addr: Addr::LOOPBACK_V4, port }, Family::V4)
}

fn listening(port: u16, backlog: usize) -> Rc<Socket> {
    let so = socket();
    so.proto().bind(&so, &at(port)).unwrap();
    so.proto().listen(&so).unwrap();
    so.set_listening(backlog);
    so
}

fn connected(port: u16) -> Rc<Socket> {
    let so = socket();
    so.proto().connect(&so, &at(port)).unwrap();
    so
}

/// As send(2), without a program's memory to copy from.
fn write(so: &Rc<Socket>, bytes: &[u8]) -> usize {
    let protocol = so.proto().as_any().downcast_ref::<TcpProtocol>().unwrap();
    let count = so.proto().send_space(so).min(bytes.len());
    with_conn(protocol.conn.get().unwrap(), |tcb, cx| {
        tcb.snd.append(&bytes[..count]).unwrap();
        tcb.output(cx);
    });
    settle();
    output::flush();
    count
}

fn read(so: &Rc<Socket>) -> Vec<u8> {
    let mut bytes = vec![0; so.rcv.len()];
    so.rcv.copy_bytes(0, &mut bytes);
    so.rcv.drop_front(bytes.len());
    so.proto().received(so);
    bytes
}

fn close(so: &Rc<Socket>) {
    if so.has(State::CONNECTED) {
        so.proto().disconnect(so).unwrap();
    }
    so.proto().detach(so);
}

fn pair(listener: &Rc<Socket>, port: u16) -> (Rc<Socket>, Rc<Socket>) {
    let client = connected(port);
    let server = listener.take_connection().expect("a connection");
    server.proto().accept(&server).unwrap();
    (client, server)
}

#[test]
fn there_and_back() {
    on_loopback(|| {
        let listener = listening(80, 5);
        let (client, server) = pair(&listener, 80);
        assert!(client.has(State::CONNECTED) && server.has(State::CONNECTED));
        assert_eq!(server.proto().peer_name(&server), client.proto().sock_name(&client));
        assert_eq!(server.proto().sock_name(&server), Ok(at(80)));
        assert_eq!(write(&client, b"request"), 7);
        assert_eq!(read(&server), b"request");
        write(&server, b"response");
        assert_eq!(read(&client), b"response");
        server.proto().shutdown(&server, Direction::Write).unwrap();
        assert!(client.has(State::CANTRCVMORE) && !client.has(State::CANTSENDMORE));
        write(&client, b"more");
        assert_eq!(read(&server), b"more");
        close(&client);
        assert!(server.has(State::CANTRCVMORE));
        close(&server);
        close(&listener);
    });
}

#[test]
fn megabytes() {
    on_loopback(|| {
        let listener = listening(80, 5);
        let (client, server) = pair(&listener, 80);
        let data: Vec<u8> = (0..1 << 20_u32).map(|i: u32| (i ^ i >> 8) as u8).collect();
        let (mut sent, mut got) = (0, Vec::new());
        while got.len() < data.len() {
            sent += write(&client, &data[sent..]);
            let before = got.len();
            got.extend(read(&server));
            // A rest smaller than a segment may have to wait for a delayed acknowledgement (Nagle): the timers' turn.
            let deadline = time::monotonic_ns() + 10_000_000_000;
            while got.len() == before {
                assert!(time::monotonic_ns() < deadline, "stuck at {before}");
                CondVar::new().wait_until(time::monotonic_ns() + 1_000_000);
                got.extend(read(&server));
            }
        }
        assert!(got == data);
    });
}

#[test]
fn refusals_and_taken_ports() {
    on_loopback(|| {
        let so = connected(81);
        assert_eq!(so.take_error(), Some(Errno::ECONNREFUSED));
        close(&so);
        let listener = listening(80, 5);
        let other = socket();
        assert_eq!(other.proto().bind(&other, &at(80)), Err(Errno::EADDRINUSE));
        let far = encode(Endpoint { addr: Addr::v4([9, 9, 9, 9]), port: 1 }, Family::V4);
        assert_eq!(other.proto().bind(&other, &far), Err(Errno::EADDRNOTAVAIL));
        // The server closes first: its port is in TIME_WAIT afterwards, and bound again only by who asks for that.
        let (client, server) = pair(&listener, 80);
        close(&server);
        close(&client);
        close(&listener);
        assert_eq!(other.proto().bind(&other, &at(80)), Err(Errno::EADDRINUSE));
        other.set_option_bit(SO_REUSEADDR, true);
        other.proto().bind(&other, &at(80)).unwrap();
    });
}

#[test]
fn a_listener_closes_what_nobody_accepted() {
    on_loopback(|| {
        let listener = listening(80, 2);
        let clients: Vec<_> = (0..4).map(|_| connected(80)).collect();
        assert_eq!(listener.accept_queue().0, 4, "half as many more than asked for, and one");
        for waiting in listener.take_listener() {
            waiting.proto().abort(&waiting);
            waiting.proto().detach(&waiting);
        }
        close(&listener);
        for client in clients {
            assert_eq!(client.take_error(), Some(Errno::ECONNRESET));
        }
    });
}

#[test]
fn lingering_for_no_time_resets() {
    on_loopback(|| {
        let listener = listening(80, 5);
        let (client, server) = pair(&listener, 80);
        client.set_option_bit(SO_LINGER, true);
        close(&client);
        assert_eq!(server.take_error(), Some(Errno::ECONNRESET));
        assert!(server.has(State::DISCONNECTED));
    });
}

#[test]
fn both_families_at_once() {
    on_loopback(|| {
        let listener = Socket::create(1000 + AF_INET6, SOCK_STREAM, 0).unwrap();
        const IPPROTO_IPV6: i32 = rump_abi::socket::IPPROTO_IPV6;
        const IPV6_V6ONLY: i32 = rump_abi::socket::IPV6_V6ONLY;
        listener.proto().set_option(&listener, IPPROTO_IPV6, IPV6_V6ONLY, &[0; 4]).unwrap();
        let any = encode(Endpoint { addr: Addr::UNSPECIFIED_V6, port: 80 }, Family::V6);
        listener.proto().bind(&listener, &any).unwrap();
        listener.proto().listen(&listener).unwrap();
        listener.set_listening(5);
        let v4 = connected(80);
        assert!(v4.has(State::CONNECTED));
        let v6 = Socket::create(1000 + AF_INET6, SOCK_STREAM, 0).unwrap();
        let home = encode(Endpoint { addr: Addr::LOOPBACK_V6, port: 80 }, Family::V6);
        v6.proto().connect(&v6, &home).unwrap();
        assert!(v6.has(State::CONNECTED));
        assert_eq!(listener.accept_queue().0, 2);
    });
}

#[test]
fn options() {
    on_loopback(|| {
        let listener = listening(80, 5);
        let (client, _server) = pair(&listener, 80);
        let mut value = Vec::new();
        client.proto().set_option(&client, IPPROTO_TCP, TCP_NODELAY, &1_i32.to_le_bytes()).unwrap();
        client.proto().get_option(&client, IPPROTO_TCP, TCP_NODELAY, &mut value).unwrap();
        assert_eq!(value, 1_i32.to_le_bytes());
        let zero = 0_i32.to_le_bytes();
        assert_eq!(client.proto().set_option(&client, IPPROTO_TCP, TCP_KEEPIDLE, &zero), Err(Errno::EINVAL));
        assert_eq!(client.proto().set_option(&client, IPPROTO_TCP, 999, &zero), Err(Errno::ENOPROTOOPT));
        client.proto().get_option(&client, IPPROTO_TCP, TCP_INFO, &mut value).unwrap();
        assert_eq!((value.len(), value[0], value[5]), (236, 4, 7));
    });
}
