//! Network interfaces (hypercall `net`): those that the tool stack has given the guest. The guest that holds the machine has no such devices, and no
//! interface but loopback.

use rump_hypercall::net::{Counters, Info, Packet};
use rumpbake_xenguest::net;

#[unsafe(export_name = "rb_net_count")]
fn count() -> usize {
    net::count()
}

#[unsafe(export_name = "rb_net_info")]
fn info(interface: usize) -> Info {
    net::info(interface)
}

#[unsafe(export_name = "rb_net_counters")]
fn counters(interface: usize) -> Counters {
    net::counters(interface)
}

#[unsafe(export_name = "rb_net_receive")]
fn receive(interface: usize) -> Option<Packet> {
    net::receive(interface)
}

#[unsafe(export_name = "rb_net_transmit")]
fn transmit(interface: usize, packet: Packet) -> Result<(), Packet> {
    net::transmit(interface, packet)
}

#[unsafe(export_name = "rb_net_flush")]
fn flush(interface: usize) {
    net::flush(interface);
}

#[unsafe(export_name = "rb_net_enable_interrupt")]
fn enable_interrupt(interface: usize) -> bool {
    net::enable_interrupt(interface)
}

#[unsafe(export_name = "rb_net_on_ready")]
fn on_ready(ready: fn(usize)) {
    net::on_ready(ready);
}
