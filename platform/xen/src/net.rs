//! Network interfaces (hypercall `net`): there are none, and what the internet protocols offer without one, loopback, works.

use rump_hypercall::net::{Counters, Info, Packet};

#[unsafe(export_name = "rb_net_count")]
fn count() -> usize {
    0
}

#[unsafe(export_name = "rb_net_info")]
fn info(interface: usize) -> Info {
    panic!("there is no network interface {interface}")
}

#[unsafe(export_name = "rb_net_counters")]
fn counters(_interface: usize) -> Counters {
    Counters::default()
}

#[unsafe(export_name = "rb_net_receive")]
fn receive(_interface: usize) -> Option<Packet> {
    None
}

#[unsafe(export_name = "rb_net_transmit")]
fn transmit(_interface: usize, packet: Packet) -> Result<(), Packet> {
    Err(packet)
}

#[unsafe(export_name = "rb_net_flush")]
fn flush(_interface: usize) {}

#[unsafe(export_name = "rb_net_enable_interrupt")]
fn enable_interrupt(_interface: usize) -> bool {
    false
}

#[unsafe(export_name = "rb_net_on_ready")]
fn on_ready(_ready: fn(usize)) {}
