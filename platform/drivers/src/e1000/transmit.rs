//! The transmit queue: 256 descriptors in a page; a packet takes one for each of its pieces, and one before them where checksums are to be completed in
//! another way than before.
//!
//! `sent[i]` holds the packet whose last descriptor is `i`, which the device marks when it is done; with it all descriptors before are done.

use core::sync::atomic::{Ordering, fence};

use alloc::boxed::Box;

use rump_hypercall::memory::{self, PAGE_SIZE, Page};
use rump_hypercall::net::{Checksum, Counters, Gso, GsoKind, Packet, Slice};

use super::registers as reg;
use crate::mmio::Registers;

/// Descriptors.
const COUNT: usize = PAGE_SIZE / 16;
/// Bytes of an Ethernet header.
const ETHERNET: usize = 14;
/// Pieces beyond which a packet is copied first.
const MAX_PIECES: usize = 64;

/// How the device is to complete checksums and cut packets: a context descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Context {
    /// IP header: start, checksum field, last byte; TCP's or UDP's: start, checksum field.
    ip: [u8; 3],
    transport: [u8; 2],
    command: u32,
    header_len: u8,
    segment: u16,
}

/// A packet with the number of descriptors that it took.
struct Sent {
    #[expect(dead_code, reason = "what it holds is let go when the device has sent it")]
    packet: Packet,
    descriptors: usize,
}

/// The queue.
pub struct Transmit {
    page: Page,
    /// Two words each: address; length with commands, status with options.
    descriptors: *mut [u64; 2],
    sent: Box<[Option<Sent>]>,
    /// The descriptor that is given next, the one that is done next, those that are with the device, what it was told.
    give: usize,
    done: usize,
    given: usize,
    told: usize,
    context: Context,
}

// SAFETY: drivers run on the one virtual CPU.
unsafe impl Send for Transmit {}

impl Transmit {
    /// Sets the queue up.
    pub fn start(registers: &Registers) -> Option<Self> {
        let page = memory::page_alloc().ok()?;
        registers.write64(reg::TDBAL, page.0 * PAGE_SIZE as u64);
        registers.write32(reg::TDLEN, PAGE_SIZE as u32);
        registers.write32(reg::TDH, 0);
        registers.write32(reg::TDT, 0);
        registers.write32(reg::TIPG, reg::TIPG_STANDARD);
        registers.write32(reg::TCTL, reg::TCTL_EN | reg::TCTL_PSP | reg::TCTL_COLLISIONS);
        Some(Self {
            page,
            descriptors: memory::page_ptr(page).cast(),
            sent: (0..COUNT).map(|_| None).collect(),
            give: 0,
            done: 0,
            given: 0,
            told: 0,
            context: Context::default(),
        })
    }

    fn is_done(&self, index: usize) -> bool {
        // SAFETY: the index is below `COUNT`; the device may write meanwhile, which a volatile read allows for.
        let word = unsafe { (&raw const (*self.descriptors.add(index))[1]).read_volatile() };
        (word >> 32) as u32 & reg::TXD_DD != 0
    }

    /// The last descriptor of the oldest packet.
    fn oldest(&self) -> Option<usize> {
        (0..self.given).map(|offset| (self.done + offset) % COUNT).find(|&index| self.sent[index].is_some())
    }

    /// Whether the device has sent something that was not let go of yet.
    pub fn has_sent(&self) -> bool {
        self.oldest().is_some_and(|index| self.is_done(index))
    }

    /// Lets go of what the device has sent.
    pub fn reclaim(&mut self) {
        while let Some(index) = self.oldest() {
            if !self.is_done(index) {
                return;
            }
            if let Some(sent) = self.sent[index].take() {
                self.given -= sent.descriptors;
                self.done = (index + 1) % COUNT;
            }
        }
    }

    fn put(&mut self, words: [u64; 2]) -> usize {
        let index = self.give;
        // SAFETY: the index is below `COUNT`, and the device does not have the descriptor.
        unsafe { self.descriptors.add(index).write_volatile(words) };
        self.give = (index + 1) % COUNT;
        self.given += 1;
        index
    }

    /// Tells the device of what was queued.
    pub fn flush(&mut self, registers: &Registers) {
        if self.told != self.give {
            fence(Ordering::Release);
            registers.write32(reg::TDT, self.give as u32);
            self.told = self.give;
        }
    }

    /// Queues the packet and leaves `None` in its place, unless there is no room.
    pub fn send(&mut self, place: &mut Option<Packet>, counters: &mut Counters) {
        if self.given > COUNT / 2 {
            self.reclaim();
        }
        let Some(packet) = place.as_mut() else { return };
        let pieces = packet.slices().filter(|piece| !piece.is_empty()).count();
        if pieces > MAX_PIECES {
            let copy = Packet::from_bytes(&packet.to_vec()).filter(|copy| copy.slice_count() < pieces);
            let Some(mut copy) = copy else {
                counters.tx_errors += 1;
                *place = None;
                return;
            };
            (copy.checksum, copy.gso) = (packet.checksum, packet.gso);
            *packet = copy;
            return self.send(place, counters);
        }
        // A context, headers of its own, and one that always stays free, or full would look like empty.
        if self.given + pieces + 3 > COUNT {
            return;
        }
        let Some(mut packet) = place.take() else { return };
        if pieces == 0 || !self.describe(&mut packet) {
            counters.tx_errors += 1;
            return;
        }
        let last = (self.give + COUNT - 1) % COUNT;
        let descriptors = (self.give + COUNT - self.begun(last)) % COUNT;
        self.sent[last] = Some(Sent { packet, descriptors });
    }

    /// The first descriptor after those of the packet before the one that ends at `last`.
    fn begun(&self, last: usize) -> usize {
        let mut first = last;
        while first != self.done {
            let before = (first + COUNT - 1) % COUNT;
            if self.sent[before].is_some() {
                break;
            }
            first = before;
        }
        first
    }

    /// Writes the packet's descriptors; false if its description does not fit it.
    fn describe(&mut self, packet: &mut Packet) -> bool {
        let (command, options) = match packet.checksum {
            Checksum::Partial { start, offset } => {
                let Some(context) = context(packet, start.into(), offset.into()) else { return false };
                if context.segment != 0 && !fix_pseudo_header(packet, start.into(), offset.into()) {
                    return false;
                }
                self.set_context(context, packet.len());
                let segment = if context.segment != 0 { reg::TXD_TSE } else { 0 };
                let ip = if context.segment != 0 { reg::TXD_IXSM } else { 0 };
                (reg::TXD_DEXT | reg::TXD_DATA | segment, reg::TXD_TXSM | ip)
            }
            Checksum::Unknown | Checksum::Verified => (0, 0),
        };
        let mut last = None;
        for piece in packet.slices().filter(|piece| !piece.is_empty()) {
            let low = piece.len() as u32 | command | reg::TXD_IFCS;
            last = Some((
                self.put([piece.machine_addr(), u64::from(options) << 32 | u64::from(low)]),
                low,
                piece,
            ));
        }
        if let Some((index, low, piece)) = last {
            let low = low | reg::TXD_EOP | reg::TXD_RS;
            let words = [piece.machine_addr(), u64::from(options) << 32 | u64::from(low)];
            // SAFETY: the index is below `COUNT`, and the device was not told of the descriptor yet.
            unsafe { self.descriptors.add(index).write_volatile(words) };
        }
        true
    }

    /// Says how the packets that follow are to be completed, if that is not what was said last.
    fn set_context(&mut self, context: Context, packet_len: usize) {
        if context == self.context && context.segment == 0 {
            return;
        }
        self.context = context;
        let [ip_start, ip_field, ip_end] = context.ip.map(u64::from);
        let [start, field] = context.transport.map(u64::from);
        let payload = if context.segment == 0 { 0 } else { packet_len - usize::from(context.header_len) };
        // The sums' ends: IP's header's last byte; 0 for the packet's end.
        let first = ip_start | ip_field << 8 | ip_end << 16 | start << 32 | field << 40;
        let second = payload as u64
            | u64::from(reg::TXD_DEXT | context.command)
            | u64::from(context.header_len) << 40
            | u64::from(context.segment) << 48;
        self.put([first, second]);
    }
}

/// What the context has to say for a packet; `None` if the device cannot do it.
fn context(packet: &Packet, start: usize, offset: usize) -> Option<Context> {
    let byte = |value: usize| u8::try_from(value).ok();
    let mut context = Context {
        ip: [byte(ETHERNET)?, byte(ETHERNET + 10)?, byte(start.checked_sub(1)?)?],
        transport: [byte(start)?, byte(start + offset)?],
        ..Context::default()
    };
    if let Some(Gso { kind, size, header_len }) = packet.gso {
        if kind != GsoKind::TcpV4 || packet.len() < usize::from(header_len) {
            return None;
        }
        context.command = reg::TXD_TSE | reg::TXC_TCP | reg::TXC_IP;
        context.header_len = byte(header_len.into())?;
        context.segment = size;
    }
    Some(context)
}

/// A packet that is to be cut has the pseudo-header's sum without a length, and no length in its IP header (317453, 3.5.6): the device puts them in for
/// each segment.
fn fix_pseudo_header(packet: &mut Packet, start: usize, offset: usize) -> bool {
    let len = (packet.len() - start) as u32;
    if packet.head().len() < start + offset + 2 {
        return false;
    }
    if packet.head_mut().is_none() {
        // The headers are shared with a packet that may be sent again: these are this packet's own.
        let headers = start + offset + 2;
        let Some(own) = packet.head().get(..headers).and_then(|bytes| Slice::from_bytes(bytes, 0)) else {
            return false;
        };
        let (checksum, gso) = (packet.checksum, packet.gso);
        packet.advance(headers);
        if packet.push_front(own).is_err() {
            return false;
        }
        (packet.checksum, packet.gso) = (checksum, gso);
    }
    let Some(head) = packet.head_mut() else { return false };
    let field = start + offset;
    let old = u32::from(u16::from_be_bytes([head[field], head[field + 1]]));
    // One's complement: taking the length away is adding its complement.
    let mut sum = old + (0xffff - (len & 0xffff)) + (0xffff - (len >> 16));
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    head[field..field + 2].copy_from_slice(&(sum as u16).to_be_bytes());
    head[ETHERNET + 2..ETHERNET + 4].fill(0);
    head[ETHERNET + 10..ETHERNET + 12].fill(0);
    true
}

impl Drop for Transmit {
    fn drop(&mut self) {
        // SAFETY: the queue's own page; whoever drops it has reset the device.
        unsafe { memory::page_free(self.page) };
    }
}
