//! A pair of queues with the clusters and packets that are in them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use rump_hypercall::memory::{self, PAGE_SIZE, Page};
use rump_hypercall::net::{Buf, Counters, Packet, Size, Slice};

use super::super::Transport;
use super::super::queue::{Broken, Descriptor, Queue};
use super::{Error, header};

/// Bytes of an Ethernet header: no packet is shorter.
const MIN_PACKET: usize = 14;
/// Descriptors of a packet that is sent as a chain; longer ones go through a table where the device takes them.
const MAX_CHAIN: usize = 4;
/// Entries of a table.
const TABLE_LEN: usize = 64;
/// Tables in a page.
const TABLES: usize = PAGE_SIZE / (TABLE_LEN * size_of::<Descriptor>());
/// Clusters that the device gets at first. It gets more when it has used most of them before anybody looked, so an idle interface takes little memory.
const FEW: u16 = 64;
/// Pages of tables at most.
const MAX_TABLE_PAGES: usize = 8;

/// What was agreed on.
#[derive(Clone, Copy)]
pub struct Setup {
    pub legacy: bool,
    pub event_index: bool,
    pub indirect: bool,
    pub mergeable: bool,
    pub long_header: bool,
    pub large_receive: bool,
    pub first_queue: u16,
}

impl Setup {
    fn header_len(self) -> usize {
        if self.long_header { header::LONG } else { header::SHORT }
    }
}

/// A pair.
pub struct Rings {
    pub receive: Receive,
    pub transmit: Transmit,
}

impl Rings {
    pub fn new(transport: &mut dyn Transport, setup: Setup) -> Result<Self, Error> {
        let mut queue = |number| {
            let max = transport.queue_max(number);
            if max < 2 {
                return Err(Error::Queue);
            }
            let mut queue = Queue::new(max, setup.legacy, setup.event_index).ok_or(Error::Memory)?;
            if !transport.set_queue(number, &queue.addresses()) {
                return Err(Error::Queue);
            }
            queue.silence();
            Ok(queue)
        };
        Ok(Self {
            receive: Receive::new(queue(setup.first_queue)?, setup),
            transmit: Transmit::new(queue(setup.first_queue + 1)?, setup)?,
        })
    }
}

/// The queue of clusters that the device fills.
pub struct Receive {
    pub queue: Queue,
    pub number: u16,
    /// By descriptor.
    bufs: Box<[Option<Buf>]>,
    /// How many clusters the device is to have.
    target: u16,
    size: Size,
    header_len: usize,
    mergeable: bool,
}

impl Receive {
    fn new(queue: Queue, setup: Setup) -> Self {
        Self {
            bufs: (0..queue.size()).map(|_| None).collect(),
            target: queue.size().min(FEW),
            queue,
            number: setup.first_queue,
            size: if setup.large_receive { Size::Page } else { Size::Half },
            header_len: setup.header_len(),
            mergeable: setup.mergeable,
        }
    }

    /// Clusters that are with the device.
    #[inline]
    fn given(&self) -> u16 {
        self.queue.size() - self.queue.free()
    }

    /// Whether the device has few clusters left.
    #[inline]
    pub fn is_low(&self) -> bool {
        self.given() < self.target / 2
    }

    /// Gives the device what it is to have, and more than before if it had nearly run out.
    pub fn refill(&mut self) {
        if self.given() < self.target / 4 {
            self.target = (self.target * 2).min(self.queue.size());
        }
        self.fill();
    }

    /// Gives the device clusters as long as there are any and it is to have more.
    pub fn fill(&mut self) {
        while self.given() < self.target {
            let Some(buf) = Buf::alloc(self.size) else { return };
            let descriptor = Descriptor::writable(buf.machine_addr(), buf.capacity() as u32);
            let Some(index) = self.queue.add(descriptor) else { return };
            self.bufs[usize::from(index)] = Some(buf);
        }
    }

    /// Takes a filled cluster: the bytes that the device has written.
    #[inline]
    fn take(&mut self) -> Result<Option<Slice>, Broken> {
        let Some(used) = self.queue.take_used()? else { return Ok(None) };
        let buf = self.bufs[usize::from(used.head)].take().ok_or(Broken::Descriptor)?;
        buf.filled(0, used.len as usize).ok_or(Broken::Length).map(Some)
    }

    /// The next packet.
    pub fn next(&mut self, counters: &mut Counters) -> Result<Option<Packet>, Broken> {
        loop {
            let Some(mut first) = self.take()? else { return Ok(None) };
            if first.len() < self.header_len {
                return Err(Broken::Length);
            }
            let received = header::read(&first.bytes()[..self.header_len]);
            first.advance(self.header_len);
            let mut packet = Packet::new(first);
            let more =
                if self.mergeable { received.buffers.checked_sub(1).ok_or(Broken::Length)? } else { 0 };
            let mut lost = false;
            for _ in 0..more {
                // All of a packet's buffers are used before the device tells of the first (5.1.6.4).
                let part = self.take()?.ok_or(Broken::Length)?;
                lost |= packet.push(part).is_err();
            }
            // A frame that is too short is not the device's fault: QEMU hands on what comes over the cable.
            if lost || packet.len() < MIN_PACKET {
                counters.rx_dropped += 1;
                continue;
            }
            packet.checksum = received.checksum;
            packet.gso = received.gso;
            return Ok(Some(packet));
        }
    }
}

/// A packet that is with the device.
#[expect(dead_code, reason = "what it holds is let go when the device has sent it")]
struct Sent {
    packet: Packet,
    /// Its header, where it had no room before its first view.
    header: Option<Slice>,
    /// The table through which it was described.
    table: Option<u16>,
}

/// The queue of packets that the device sends.
pub struct Transmit {
    pub queue: Queue,
    pub number: u16,
    /// By first descriptor.
    sent: Box<[Option<Sent>]>,
    header_len: usize,
    indirect: bool,
    tables: Vec<Page>,
    free_tables: Vec<u16>,
}

impl Transmit {
    fn new(queue: Queue, setup: Setup) -> Result<Self, Error> {
        let mut free_tables = Vec::new();
        free_tables.try_reserve(MAX_TABLE_PAGES * TABLES).map_err(|_| Error::Memory)?;
        Ok(Self {
            sent: (0..queue.size()).map(|_| None).collect(),
            queue,
            number: setup.first_queue + 1,
            header_len: setup.header_len(),
            indirect: setup.indirect,
            tables: Vec::with_capacity(MAX_TABLE_PAGES),
            free_tables,
        })
    }

    /// Lets go of what the device has sent.
    pub fn reclaim(&mut self) -> Result<(), Broken> {
        while let Some(used) = self.queue.take_used()? {
            let sent = self.sent[usize::from(used.head)].take().ok_or(Broken::Descriptor)?;
            if let Some(table) = sent.table {
                self.free_tables.push(table);
            }
        }
        Ok(())
    }

    /// Asks for an interrupt when there is a good deal of room. True if there is already.
    pub fn ask_for_room(&mut self) -> bool {
        let outstanding = self.sent.iter().flatten().count() as u16;
        self.queue.ask((outstanding / 2).max(1))
    }

    /// A table that is free.
    fn table(&mut self) -> Option<u16> {
        if self.free_tables.is_empty() && self.tables.len() < MAX_TABLE_PAGES {
            let page = memory::page_alloc().ok()?;
            let first = (self.tables.len() * TABLES) as u16;
            self.tables.push(page);
            self.free_tables.extend(first..first + TABLES as u16);
        }
        self.free_tables.pop()
    }

    /// Writes a table; returns the descriptor for it.
    fn fill(&mut self, table: u16, descriptors: impl Iterator<Item = Descriptor>, count: u16) -> Descriptor {
        let page = self.tables[usize::from(table) / TABLES];
        let offset = usize::from(table) % TABLES * TABLE_LEN * size_of::<Descriptor>();
        for (index, descriptor) in (0..count).zip(descriptors) {
            let descriptor = if index + 1 < count { descriptor.followed_by(index + 1) } else { descriptor };
            // SAFETY: the table lies in the page, has room for `TABLE_LEN` entries, of which there are no more, and the device does not have it.
            unsafe {
                let entries: *mut Descriptor = memory::page_ptr(page).add(offset).cast();
                entries.add(index.into()).write_volatile(descriptor);
            }
        }
        Descriptor::indirect(page.0 * PAGE_SIZE as u64 + offset as u64, count)
    }

    /// Queues the packet and leaves `None` in its place, unless there is no room.
    pub fn send(&mut self, place: &mut Option<Packet>, counters: &mut Counters) -> Result<(), Broken> {
        if self.queue.free() < self.queue.size() / 2 {
            self.reclaim()?;
        }
        let Some(packet) = place.as_mut() else { return Ok(()) };
        let views = packet.slices().filter(|view| !view.is_empty()).count();
        if views + 1 > if self.indirect { TABLE_LEN } else { usize::from(self.queue.size()) / 2 } {
            // More pieces than can be told: one copy, in as few as can be.
            let copy = Packet::from_bytes(&packet.to_vec()).filter(|copy| copy.slice_count() < views);
            let Some(mut copy) = copy else {
                counters.tx_errors += 1;
                *place = None;
                return Ok(());
            };
            (copy.checksum, copy.gso) = (packet.checksum, packet.gso);
            *packet = copy;
            return self.send(place, counters);
        }
        let count = views + 1;
        let through_table = self.indirect && count > MAX_CHAIN.min(self.queue.free().into());
        if self.queue.free() == 0 || (!through_table && count > usize::from(self.queue.free())) {
            return Ok(());
        }
        let table = if through_table { self.table() } else { None };
        if through_table && table.is_none() && count > usize::from(self.queue.free()) {
            return Ok(());
        }
        // From here on the packet goes out or is lost.
        let Some(packet) = place.take() else { return Ok(()) };
        let sent = self.describe(packet, table);
        if sent.is_none() {
            if let Some(table) = table {
                self.free_tables.push(table);
            }
            counters.tx_errors += 1;
        }
        Ok(())
    }

    /// Gives the device the packet; `None` if there is no memory for its header.
    #[inline]
    fn describe(&mut self, mut packet: Packet, table: Option<u16>) -> Option<()> {
        let bytes = header::of(&packet);
        let bytes = &bytes[..self.header_len];
        let own_room = packet.first().is_some_and(|first| first.room_before() >= bytes.len());
        let header = if own_room {
            packet.prepend(bytes.len())?.copy_from_slice(bytes);
            None
        } else {
            Some(Slice::from_bytes(bytes, 0)?)
        };
        // Nothing is no buffer for a device.
        let views = || header.iter().chain(packet.slices()).filter(|view| !view.is_empty());
        let descriptors = views().map(|view| Descriptor::readable(view.machine_addr(), view.len() as u32));
        let count = views().count() as u16;
        let head = match table {
            Some(table) => {
                let descriptor = self.fill(table, descriptors, count);
                self.queue.add(descriptor)
            }
            None if count == 1 => self.queue.add(descriptors.last()?),
            None => self.queue.add_chain(count, descriptors),
        };
        self.sent[usize::from(head?)] = Some(Sent { packet, header, table });
        Some(())
    }
}

impl Drop for Transmit {
    fn drop(&mut self) {
        for page in &self.tables {
            // SAFETY: the queue's own pages; whoever drops it has reset the device.
            unsafe { memory::page_free(*page) };
        }
    }
}
