//! The components `net_inet` and `net_inet6`: what begins at boot, and the address families that sockets find here.

use rump_abi::socket::{AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM};
use rump_kern::sysctl::tree;
use rump_net::{Domain, PrFlags, ProtoSw, protocol};

use crate::{config, raw, rtsock, tcp, udp};

const RECORDS: PrFlags = PrFlags::ATOMIC.union(PrFlags::ADDR);
const STREAM: PrFlags = PrFlags::CONNREQUIRED.union(PrFlags::WANTRCVD).union(PrFlags::LISTEN);

static INET: Domain = Domain {
    family: AF_INET,
    name: "internet",
    protocols: &[
        ProtoSw {
            kind: SOCK_STREAM,
            protocol: IPPROTO_TCP,
            flags: STREAM,
            send_space: tcp::SEND_SPACE,
            recv_space: tcp::RECV_SPACE,
            attach: tcp::attach4,
        },
        ProtoSw {
            kind: SOCK_DGRAM,
            protocol: IPPROTO_UDP,
            flags: RECORDS,
            send_space: udp::SEND_SPACE,
            recv_space: udp::RECV_SPACE,
            attach: udp::attach4,
        },
        ProtoSw {
            kind: SOCK_RAW,
            protocol: 0,
            flags: RECORDS,
            send_space: raw::SPACE,
            recv_space: raw::SPACE,
            attach: raw::attach4,
        },
    ],
};

static INET6: Domain = Domain {
    family: AF_INET6,
    name: "internet6",
    protocols: &[
        ProtoSw {
            kind: SOCK_STREAM,
            protocol: IPPROTO_TCP,
            flags: STREAM,
            send_space: tcp::SEND_SPACE,
            recv_space: tcp::RECV_SPACE,
            attach: tcp::attach6,
        },
        ProtoSw {
            kind: SOCK_DGRAM,
            protocol: IPPROTO_UDP,
            flags: RECORDS,
            send_space: udp::SEND_SPACE,
            recv_space: udp::RECV_SPACE,
            attach: udp::attach6,
        },
        ProtoSw {
            kind: SOCK_RAW,
            protocol: 0,
            flags: RECORDS,
            send_space: raw::SPACE,
            recv_space: raw::SPACE,
            attach: raw::attach6,
        },
    ],
};

/// Component `net_inet`.
pub mod inet {
    rump_kern::component! {
        name: "net_inet",
        faction: "net",
        needs: "net",
        when: "__socket30",
        about: "IPv4, ICMP, UDP, TCP, DHCP",
        init: init
    }

    fn init() {
        super::config::begin();
        super::tree::set_network(super::rtsock::sysctl);
        super::protocol::register(&super::INET);
        crate::input::set_tcp(super::tcp::input, super::tcp::ctlinput);
        super::config::require();
    }
}

/// Component `net_inet6`.
pub mod inet6 {
    rump_kern::component! {
        name: "net_inet6",
        faction: "net",
        needs: "net_inet",
        when: "__socket30",
        about: "IPv6, neighbour discovery, addresses from routers",
        init: init
    }

    fn init() {
        super::config::begin6();
        super::protocol::register(&super::INET6);
        crate::input::set_tcp(super::tcp::input, super::tcp::ctlinput);
    }
}
