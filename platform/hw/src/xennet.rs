//! Component `xennet`: the network devices of a guest of Xen of type "pvh".

use alloc::boxed::Box;
use alloc::vec::Vec;

use rump_hypercall::net::{Counters, Info, Packet};
use rumpbake_drivers::nic::{Interrupt, Nic};
use rumpbake_xenguest::grants::PAGES;
use rumpbake_xenguest::net;

use crate::{guest, xen};

rump_kern::component! {
    name: "xennet",
    faction: "platform",
    needs: "xen",
    when: "xen+net_inet",
    about: "network devices of Xen, for guests of type pvh",
    init: init
}

/// XENMAPSPACE_grant_table
const GRANT_TABLE: u32 = 1;

/// After the component `xen`, which finds out whether this is such a guest.
fn init() {
    if guest::get().is_some() {
        crate::net::set_finder(find);
    }
}

fn find(tell: fn(usize)) -> Vec<Box<dyn Nic>> {
    net::on_ready(tell);
    (0..net::count()).map(|interface| Box::new(Device(interface)) as Box<dyn Nic>).collect()
}

/// An interface. Its events go their own way.
struct Device(usize);

impl Nic for Device {
    fn info(&self) -> Info {
        net::info(self.0)
    }

    fn counters(&self) -> Counters {
        net::counters(self.0)
    }

    fn receive(&mut self) -> Option<Packet> {
        net::receive(self.0)
    }

    fn transmit(&mut self, packet: Packet) -> Result<(), Packet> {
        net::transmit(self.0, packet)
    }

    fn flush(&mut self) {
        net::flush(self.0);
    }

    fn enable_interrupt(&mut self) -> bool {
        net::enable_interrupt(self.0)
    }

    fn interrupt(&mut self, _why: Interrupt) -> bool {
        false
    }
}

#[unsafe(export_name = "rbx_map_grants")]
unsafe fn map_grants(base: usize) -> bool {
    // SAFETY: the caller's promise.
    (0..PAGES).all(|index| unsafe { xen::place(GRANT_TABLE, index as u64, base + index * 4096) })
}

#[unsafe(export_name = "rbx_frame")]
fn frame(phys: u64) -> u64 {
    phys / 4096
}
