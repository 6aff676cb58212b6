//! A virtio network device that a test plays: honest by default, and able to lie about everything.

use std::cell::RefCell;
use std::rc::Rc;

use rump_hypercall::memory::{self, PAGE_SIZE, Page};
use rumpbake_drivers::nic::Interrupt;
use rumpbake_drivers::virtio::queue::Addresses;
use rumpbake_drivers::virtio::{Causes, EVENT_IDX, INDIRECT_DESC, Transport, VERSION_1};

/// Bytes of the header before a packet.
pub const HEADER: usize = 12;
/// Everything that a device can offer.
pub const ALL: u64 = 0b1_1001_1000_1010_1011 | 1 << 16 | INDIRECT_DESC | EVENT_IDX | VERSION_1;
/// What it offers at least.
pub const PLAIN: u64 = VERSION_1 | 1 << 5;
/// The queues.
pub const RECEIVE: usize = 0;
pub const TRANSMIT: usize = 1;

/// The device's state.
#[derive(Default)]
pub struct Model {
    pub offered: u64,
    pub accepted: u64,
    pub status: u8,
    pub config: Vec<u8>,
    pub queues: [Option<Addresses>; 2],
    /// How far it has read the available rings, and written the used ones.
    pub read: [u16; 2],
    pub used: [u16; 2],
    pub told: [usize; 2],
    pub resets: usize,
    pub queue_max: u16,
    pub causes: Causes,
}

/// Where the machine has an address; `None` if it is no memory.
fn host(addr: u64) -> *mut u8 {
    let page = memory::page_ptr(Page(addr / PAGE_SIZE as u64));
    page.wrapping_add(addr as usize % PAGE_SIZE)
}

fn get<T: Copy>(addr: u64) -> T {
    // SAFETY: the driver's memory, as it has told the device; tests are single-threaded in the kernel.
    unsafe { host(addr).cast::<T>().read_unaligned() }
}

fn put<T>(addr: u64, value: T) {
    // SAFETY: as above.
    unsafe { host(addr).cast::<T>().write_unaligned(value) };
}

/// Writes bytes, which lie in one page.
fn put_bytes(addr: u64, bytes: &[u8]) {
    // SAFETY: as above; clusters do not cross a page.
    unsafe { host(addr).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
}

/// Bytes that lie in one page.
fn get_bytes(addr: u64, len: usize) -> Vec<u8> {
    // SAFETY: as above.
    unsafe { std::slice::from_raw_parts(host(addr), len).to_vec() }
}

/// A descriptor: address, length, flags, next.
type Descriptor = (u64, u32, u16, u16);

impl Model {
    pub fn new(offered: u64) -> Rc<RefCell<Self>> {
        let config = vec![2, 0, 0, 0, 0, 7, 1, 0, 1, 0, 0xdc, 5];
        Rc::new(RefCell::new(Self { offered, config, queue_max: 256, ..Self::default() }))
    }

    fn queue(&self, queue: usize) -> Addresses {
        self.queues[queue].expect("the queue was set up")
    }

    fn descriptor(table: u64, index: u16) -> Descriptor {
        let at = table + 16 * u64::from(index);
        (get(at), get(at + 8), get(at + 12), get(at + 14))
    }

    /// The next chain that the driver has made available: its head and buffers.
    pub fn take(&mut self, queue: usize) -> Option<(u16, Vec<Descriptor>)> {
        let at = self.queue(queue);
        if get::<u16>(at.available + 2) == self.read[queue] {
            return None;
        }
        let slot = u64::from(self.read[queue] & (at.size - 1));
        let head: u16 = get(at.available + 4 + 2 * slot);
        self.read[queue] = self.read[queue].wrapping_add(1);
        let mut chain = Vec::new();
        let (mut table, mut index) = (at.descriptors, head);
        loop {
            let descriptor = Self::descriptor(table, index);
            let (addr, len, flags, next) = descriptor;
            if flags & 4 != 0 {
                assert_eq!((len % 16, flags & 1), (0, 0));
                (table, index) = (addr, 0);
                continue;
            }
            assert!(len > 0, "an empty buffer");
            chain.push(descriptor);
            if flags & 1 == 0 {
                return Some((head, chain));
            }
            index = next;
        }
    }

    /// Writes an entry of a used ring without telling.
    pub fn write_used(&mut self, queue: usize, id: u32, len: u32) {
        let at = self.queue(queue);
        let slot = u64::from(self.used[queue] & (at.size - 1));
        put(at.used + 4 + 8 * slot, id);
        put(at.used + 8 + 8 * slot, len);
        self.used[queue] = self.used[queue].wrapping_add(1);
    }

    /// Lets the driver see what was written.
    pub fn publish(&mut self, queue: usize) {
        put(self.queue(queue).used + 2, self.used[queue]);
    }

    /// Whether the driver wants to be told of the entry that was used last.
    pub fn wants_interrupt(&self, queue: usize) -> bool {
        let at = self.queue(queue);
        let event: u16 = get(at.available + 4 + 2 * u64::from(at.size));
        event == self.used[queue].wrapping_sub(1)
    }

    /// Delivers a packet as a device with mergeable buffers does; false if there is no room.
    pub fn deliver(&mut self, header: [u8; HEADER], packet: &[u8]) -> bool {
        let mut bytes = header.to_vec();
        bytes.extend_from_slice(packet);
        let (mut rest, mut parts, mut first) = (&bytes[..], 0_u16, 0);
        while !rest.is_empty() {
            let Some((head, chain)) = self.take(RECEIVE) else { return false };
            let (addr, len, flags, _) = chain[0];
            assert_eq!((chain.len(), flags), (1, 2));
            if parts == 0 {
                first = addr;
            }
            let count = rest.len().min(len as usize);
            put_bytes(addr, &rest[..count]);
            rest = &rest[count..];
            parts += 1;
            self.write_used(RECEIVE, head.into(), count as u32);
        }
        put(first + 10, parts);
        self.publish(RECEIVE);
        true
    }

    /// Takes the next packet that the driver has sent: header, bytes, number of buffers.
    pub fn sent(&mut self) -> Option<(Vec<u8>, Vec<u8>, usize)> {
        let (head, chain) = self.take(TRANSMIT)?;
        let mut bytes = Vec::new();
        for &(addr, len, flags, _) in &chain {
            assert_eq!(flags & 2, 0);
            bytes.extend(get_bytes(addr, len as usize));
        }
        self.write_used(TRANSMIT, head.into(), 0);
        self.publish(TRANSMIT);
        let packet = bytes.split_off(HEADER);
        Some((bytes, packet, chain.len()))
    }
}

/// The driver's way to the model.
pub struct Wire(pub Rc<RefCell<Model>>);

impl Transport for Wire {
    fn is_legacy(&self) -> bool {
        false
    }

    fn reset(&mut self) {
        let mut model = self.0.borrow_mut();
        model.status = 0;
        model.queues = [None; 2];
        (model.read, model.used) = ([0; 2], [0; 2]);
        model.resets += 1;
    }

    fn status(&self) -> u8 {
        self.0.borrow().status
    }

    fn add_status(&mut self, bits: u8) {
        self.0.borrow_mut().status |= bits;
    }

    fn device_features(&mut self) -> u64 {
        self.0.borrow().offered
    }

    fn set_driver_features(&mut self, features: u64) {
        self.0.borrow_mut().accepted = features;
    }

    fn queue_max(&mut self, queue: u16) -> u16 {
        if queue < 2 { self.0.borrow().queue_max } else { 0 }
    }

    fn set_queue(&mut self, queue: u16, addresses: &Addresses) -> bool {
        self.0.borrow_mut().queues[usize::from(queue)] = Some(*addresses);
        true
    }

    fn notify(&self, queue: u16) {
        self.0.borrow_mut().told[usize::from(queue)] += 1;
    }

    fn config8(&self, offset: usize) -> u8 {
        self.0.borrow().config.get(offset).copied().unwrap_or(0)
    }

    fn config_generation(&self) -> u8 {
        0
    }

    fn causes(&mut self, _: Interrupt) -> Causes {
        std::mem::take(&mut self.0.borrow_mut().causes)
    }
}
