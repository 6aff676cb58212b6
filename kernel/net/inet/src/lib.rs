//! The internet protocols (components `net_inet` and `net_inet6`).
//!
//! | module | what |
//! |---|---|
//! | [`addr`] | addresses and endpoints |
//! | [`wire`] | headers as they are on the wire, checksums |
//! | [`ifnet`], [`ether`] | interfaces, and Ethernet below IP |
//! | [`arp`], [`nd`], [`neighbor`] | neighbours' hardware addresses |
//! | [`route`] | which way packets go |
//! | [`output`], [`ipv4`], [`ipv6`], [`input`], [`reassembly`] | IP out and in |
//! | [`icmp`], [`icmp6`], [`multicast`] | ICMP, groups |
//! | [`udp`], [`tcp`], [`raw`], [`pcb`] | the protocols that programs use |
//! | [`sockaddr`], [`sockopt`] | addresses and options as programs see them |
//! | [`netisr`] | who processes packets, and when |
//! | [`config`], [`dhcp`], [`sntp`] | where addresses come from, and the time |
//! | [`ioctl`], [`rtsock`] | interfaces and routes as programs see them |
//!
//! What other hosts send is never trusted: every length is checked before it is used, every table that they can fill is bounded.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod addr;
pub mod arp;
pub mod component;
pub mod config;
pub mod dhcp;
pub mod ether;
pub mod icmp;
pub mod icmp6;
pub mod ifnet;
pub mod input;
pub mod ioctl;
pub mod ipv4;
pub mod ipv6;
pub mod multicast;
pub mod nd;
pub mod neighbor;
pub mod netisr;
pub mod output;
pub mod pcb;
pub mod raw;
pub mod reassembly;
pub mod route;
pub mod rtsock;
pub mod sntp;
pub mod sockaddr;
pub mod sockopt;
pub mod tcp;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod udp;
pub mod wire;

/// Runs every timer of this crate; returns when there is something to do next.
fn timer(now_ns: u64) -> u64 {
    let mut next_ns = neighbor::timer(now_ns);
    next_ns = next_ns.min(nd::timer(now_ns));
    next_ns = next_ns.min(route::timer(now_ns));
    next_ns = next_ns.min(reassembly::timer(now_ns));
    next_ns = next_ns.min(multicast::timer(now_ns));
    next_ns = next_ns.min(sntp::timer(now_ns));
    next_ns.min(config::timer(now_ns))
}
