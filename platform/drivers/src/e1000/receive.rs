//! The receive queue: 256 descriptors in a page, each with a cluster.

use core::sync::atomic::{Ordering, fence};

use alloc::boxed::Box;

use rump_hypercall::memory::{self, PAGE_SIZE, Page};
use rump_hypercall::net::{Buf, Checksum, Counters, Packet, Size};

use super::registers as reg;
use crate::mmio::Registers;

/// Descriptors.
const COUNT: usize = PAGE_SIZE / size_of::<Descriptor>();
/// Bytes that the device writes into a cluster at most, as the control register's default has it: more than the largest packet without jumbo frames.
const MAX_LEN: usize = 2048;
/// Bytes of an Ethernet header.
const MIN_PACKET: usize = 14;

/// The descriptor that all cards know ("legacy").
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Descriptor {
    addr: u64,
    len: u16,
    checksum: u16,
    status: u8,
    errors: u8,
    special: u16,
}

/// The queue.
pub struct Receive {
    page: Page,
    descriptors: *mut Descriptor,
    bufs: Box<[Option<Buf>]>,
    /// The descriptor that is filled next, the one that is given next, those that are with the device.
    next: usize,
    give: usize,
    given: usize,
    /// The descriptor before did not end its packet.
    continues: bool,
}

// SAFETY: drivers run on the one virtual CPU.
unsafe impl Send for Receive {}

impl Receive {
    /// Sets the queue up and lets the device fill it.
    pub fn start(registers: &Registers) -> Option<Self> {
        let page = memory::page_alloc().ok()?;
        let mut queue = Self {
            page,
            descriptors: memory::page_ptr(page).cast(),
            bufs: (0..COUNT).map(|_| None).collect(),
            next: 0,
            give: 0,
            given: 0,
            continues: false,
        };
        registers.write64(reg::RDBAL, page.0 * PAGE_SIZE as u64);
        registers.write32(reg::RDLEN, PAGE_SIZE as u32);
        registers.write32(reg::RDH, 0);
        registers.write32(reg::RDT, 0);
        registers.write32(reg::RXCSUM, reg::RXCSUM_ON);
        registers.write32(reg::RCTL, reg::RCTL_EN | reg::RCTL_MPE | reg::RCTL_BAM | reg::RCTL_SECRC);
        queue.refill(registers);
        Some(queue)
    }

    /// Whether few descriptors are with the device.
    pub fn is_low(&self) -> bool {
        self.given < COUNT / 2
    }

    /// Gives the device clusters as long as there are any; one descriptor stays free, or full would look like empty.
    pub fn refill(&mut self, registers: &Registers) {
        let before = self.give;
        while self.given < COUNT - 1 {
            // Half a page would do for what comes over a cable, but not for the 2048 bytes that the device may write.
            let Some(buf) = Buf::alloc(Size::Page) else { break };
            debug_assert!(buf.capacity() >= MAX_LEN);
            let fresh = Descriptor { addr: buf.machine_addr(), ..Descriptor::default() };
            // SAFETY: the index is below `COUNT`, and the device does not have the descriptor.
            unsafe { self.descriptors.add(self.give).write_volatile(fresh) };
            self.bufs[self.give] = Some(buf);
            self.give = (self.give + 1) % COUNT;
            self.given += 1;
        }
        if self.give != before {
            fence(Ordering::Release);
            registers.write32(reg::RDT, self.give as u32);
        }
    }

    fn peek(&self) -> Descriptor {
        // SAFETY: the index is below `COUNT`; the device may write the descriptor meanwhile, which a volatile read allows for.
        let status = unsafe { (&raw const (*self.descriptors.add(self.next)).status).read_volatile() };
        if status & reg::RXD_DD == 0 {
            return Descriptor::default();
        }
        fence(Ordering::Acquire);
        // SAFETY: as above; it is the driver's again.
        unsafe { self.descriptors.add(self.next).read_volatile() }
    }

    /// Whether a packet is there.
    pub fn has_packet(&self) -> bool {
        self.given > 0 && self.peek().status & reg::RXD_DD != 0
    }

    /// The next packet. A packet that does not fit a cluster, which the device should not have taken, is dropped.
    pub fn next(&mut self, counters: &mut Counters) -> Option<Packet> {
        while self.given > 0 {
            let done = self.peek();
            if done.status & reg::RXD_DD == 0 {
                return None;
            }
            let buf = self.bufs[self.next].take()?;
            let ends = done.status & reg::RXD_EOP != 0;
            let continued = core::mem::replace(&mut self.continues, !ends);
            let is_whole = ends && !continued;
            self.next = (self.next + 1) % COUNT;
            self.given -= 1;
            let len = usize::from(done.len);
            let damaged = done.errors & !reg::RXD_CHECKSUM_ERRORS != 0;
            match buf.filled(0, len).filter(|_| is_whole && !damaged && (MIN_PACKET..=MAX_LEN).contains(&len))
            {
                Some(slice) => {
                    let mut packet = Packet::new(slice);
                    let looked = done.status & reg::RXD_IXSM == 0
                        && done.status & (reg::RXD_TCPCS | reg::RXD_UDPCS) != 0;
                    if looked && done.errors & reg::RXD_CHECKSUM_ERRORS == 0 {
                        packet.checksum = Checksum::Verified;
                    }
                    return Some(packet);
                }
                None => counters.rx_errors += 1,
            }
        }
        None
    }
}

impl Drop for Receive {
    fn drop(&mut self) {
        // SAFETY: the queue's own page; whoever drops it has reset the device.
        unsafe { memory::page_free(self.page) };
    }
}
