//! The driver of Xen's network devices against a back end that the test plays, and that may lie.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use rump_hypercall::memory::{self, PAGE_SIZE, Page};
use rump_hypercall::net::{Checksum, Gso, GsoKind, Packet, Size, Slice, pool_counts};
use rumpbake_drivers::nic::{Interrupt, Nic};
use rumpbake_drivers::xen::grant::GrantRef;
use rumpbake_drivers::xen::netfront::negotiate::Offer;
use rumpbake_drivers::xen::netfront::{Netfront, Port, RingGrants};
use rumpbake_posix::{run, take_console};

/// Words of the rings' pages before the first place.
const FIRST: usize = 16;
const PLACES: u32 = 256;

/// The other domain: what it may reach, and what it has been told.
#[derive(Default)]
struct Domain {
    granted: BTreeMap<u32, (u64, bool)>,
    in_use: BTreeSet<u32>,
    last: u32,
    most: usize,
    told: usize,
}

struct Wire(Rc<RefCell<Domain>>);

impl Port for Wire {
    fn grant(&mut self, address: u64, readonly: bool) -> Option<GrantRef> {
        let mut domain = self.0.borrow_mut();
        if domain.granted.len() >= domain.most {
            return None;
        }
        domain.last += 1;
        let number = domain.last;
        domain.granted.insert(number, (address & !4095, readonly));
        Some(GrantRef(number))
    }

    fn end(&mut self, grant: GrantRef) -> bool {
        let mut domain = self.0.borrow_mut();
        if domain.in_use.contains(&grant.0) {
            return false;
        }
        domain.granted.remove(&grant.0).expect("what is ended was granted");
        true
    }

    fn notify(&mut self) {
        self.0.borrow_mut().told += 1;
    }
}

/// The back end.
struct Backend {
    domain: Rc<RefCell<Domain>>,
    transmit: u64,
    receive: u64,
    /// Requests taken.
    sent: u32,
    wanted: u32,
}

/// A packet that was sent: its bytes, the first request's flags and the first extra's words.
#[derive(Debug)]
struct Sent {
    bytes: Vec<u8>,
    flags: u16,
    extra: Option<[u32; 2]>,
    views: usize,
}

impl Backend {
    fn word(page: u64, index: usize) -> &'static AtomicU32 {
        // SAFETY: a page of the simulated machine, which lives as long as the test and is touched by atomics.
        unsafe { &*memory::page_ptr(Page(page / PAGE_SIZE as u64)).cast::<AtomicU32>().add(index) }
    }

    fn get(page: u64, index: usize) -> u32 {
        Self::word(page, index).load(Ordering::SeqCst)
    }

    fn set(page: u64, index: usize, value: u32) {
        Self::word(page, index).store(value, Ordering::SeqCst);
    }

    fn place(counter: u32, words: usize) -> usize {
        FIRST + (counter % PLACES) as usize * words
    }

    fn bytes(&self, grant: u32) -> *mut u8 {
        let (address, _) = self.domain.borrow().granted[&grant];
        memory::page_ptr(Page(address / PAGE_SIZE as u64))
    }

    /// Answers a request to send.
    fn answer(&self, number: u16, status: i16) {
        let done = Self::get(self.transmit, 2);
        let word = u32::from(number) | u32::from(status.cast_unsigned()) << 16;
        Self::set(self.transmit, Self::place(done, 3), word);
        Self::set(self.transmit, 2, done.wrapping_add(1));
    }

    /// Takes the next packet that was sent, and answers.
    fn take(&mut self) -> Option<Sent> {
        if Self::get(self.transmit, 0) == self.sent {
            return None;
        }
        let mut sent = Sent { bytes: Vec::new(), flags: 0, extra: None, views: 0 };
        let (mut numbers, mut whole, mut more) = (Vec::new(), 0, true);
        while more {
            let place = Self::place(self.sent, 3);
            let [grant, second, third] = [0, 1, 2].map(|index| Self::get(self.transmit, place + index));
            self.sent += 1;
            let (offset, flags) = (second as usize & 0xffff, (second >> 16) as u16);
            let mut size = (third >> 16) as usize;
            more = flags & 4 != 0;
            numbers.push((third as u16, 0));
            if sent.views == 0 {
                (sent.flags, whole) = (flags, size);
                if flags & 8 != 0 {
                    let place = Self::place(self.sent, 3);
                    self.sent += 1;
                    sent.extra = Some([0, 1].map(|index| Self::get(self.transmit, place + index)));
                    numbers.push((u16::MAX, 1));
                }
                // The first says the size of all: its own is what the others leave.
                let mut others = 0;
                let (mut at, mut go_on) = (self.sent, more);
                while go_on {
                    let place = Self::place(at, 3);
                    go_on = Self::get(self.transmit, place + 1) >> 16 & 4 != 0;
                    others += (Self::get(self.transmit, place + 2) >> 16) as usize;
                    at += 1;
                }
                size -= others;
            }
            assert!(offset + size <= PAGE_SIZE && self.domain.borrow().granted[&grant].1);
            // SAFETY: granted, and within the page.
            sent.bytes.extend_from_slice(unsafe {
                core::slice::from_raw_parts(self.bytes(grant).add(offset), size)
            });
            sent.views += 1;
        }
        assert_eq!(sent.bytes.len(), whole);
        numbers.into_iter().for_each(|(number, status)| self.answer(number, status));
        Some(sent)
    }

    /// Writes the answer to a request for a packet.
    fn deliver_words(&mut self, low: u32, high: u32) {
        let done = Self::get(self.receive, 2);
        let place = Self::place(done, 2);
        Self::set(self.receive, place, low);
        Self::set(self.receive, place + 1, high);
        Self::set(self.receive, 2, done.wrapping_add(1));
        self.wanted += 1;
    }

    /// The next request for a packet: its number and its page.
    fn request(&self) -> Option<(u32, *mut u8)> {
        if self.wanted == Self::get(self.receive, 0) {
            return None;
        }
        let place = Self::place(self.wanted, 2);
        Some((Self::get(self.receive, place), self.bytes(Self::get(self.receive, place + 1))))
    }

    /// Delivers a packet; false if there are too few pages for it.
    fn deliver(&mut self, bytes: &[u8], flags: u16, extra: Option<[u32; 2]>) -> bool {
        let chunks = bytes.chunks(PAGE_SIZE);
        let count = chunks.len() as u32 + u32::from(extra.is_some());
        if Self::get(self.receive, 0) - self.wanted < count {
            return false;
        }
        let last = chunks.len() - 1;
        for (index, chunk) in chunks.enumerate() {
            let (number, page) = self.request().expect("enough were counted");
            // SAFETY: a page of the driver's.
            unsafe { core::ptr::copy_nonoverlapping(chunk.as_ptr(), page, chunk.len()) };
            let mut word = if index < last { 4 } else { 0 };
            if index == 0 {
                word |= flags | if extra.is_some() { 8 } else { 0 };
            }
            self.deliver_words(number, u32::from(word) | (chunk.len() as u32) << 16);
            if let Some([low, high]) = extra.filter(|_| index == 0) {
                self.deliver_words(low, high);
            }
        }
        true
    }
}

fn offer() -> Offer {
    Offer {
        device: "device/vif/0".into(),
        backend: "/local/domain/0/backend/vif/1/0".into(),
        domain: 0,
        mac: [0, 0x16, 0x3e, 1, 2, 3],
        mtu: 1500,
        checksum: true,
        tso4: true,
        tso6: true,
    }
}

fn domain(most: usize) -> Rc<RefCell<Domain>> {
    Rc::new(RefCell::new(Domain { most, ..Domain::default() }))
}

/// The back end of a card that is in use.
fn backend(domain: Rc<RefCell<Domain>>, nic: &Netfront) -> Backend {
    let RingGrants { transmit, receive } = nic.grants().expect("the card is in use");
    let page = |grant: GrantRef| domain.borrow().granted[&grant.0].0;
    let (transmit, receive) = (page(transmit), page(receive));
    Backend { domain, transmit, receive, sent: 0, wanted: 0 }
}

/// A card whose back end is connected.
fn start() -> (Backend, Netfront) {
    let domain = domain(1000);
    let mut nic = Netfront::new(Box::new(Wire(domain.clone())), offer()).expect("there is memory");
    assert!(nic.set_link(true));
    (backend(domain, &nic), nic)
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 253) as u8).collect()
}

#[test]
fn packets_come_and_go() {
    run(|| {
        let (mut backend, mut nic) = start();
        let granted = backend.domain.borrow().granted.len();
        assert_eq!((nic.info().name, nic.info().link_up), ("xennet", true));
        assert!(nic.set_link(false) && !nic.info().link_up && nic.set_link(true) && !nic.set_link(true));
        for round in 0..1000_usize {
            let frame = bytes(60 + round);
            assert!(backend.deliver(&frame, 0, None), "round {round}");
            let packet = nic.receive().expect("one has come");
            assert!(packet.to_vec() == frame);
            assert_eq!(packet.checksum, Checksum::Unknown);
            assert!(nic.receive().is_none());
            nic.transmit(packet).expect("there is room");
            nic.flush();
            let sent = backend.take().expect("one was sent");
            assert!(sent.bytes == frame && sent.flags == 0 && sent.extra.is_none());
        }
        assert!(nic.receive().is_none());
        assert_eq!(nic.counters(), rump_hypercall::net::Counters::default());
        assert_eq!(backend.domain.borrow().granted.len(), granted);
    });
}

#[test]
fn large_packets_come_and_go_in_pieces() {
    run(|| {
        let (mut backend, mut nic) = start();
        let extra = [1 | 1448 << 16, 1];
        for len in [4096, 4097, 20_000, 65_534] {
            let frame = bytes(len);
            assert!(backend.deliver(&frame, 3, Some(extra)));
            let mut packet = nic.receive().expect("one has come");
            assert!(packet.to_vec() == frame);
            assert!(nic.receive().is_none());
            assert_eq!(packet.checksum, Checksum::Verified);
            assert_eq!(packet.gso, Some(Gso { kind: GsoKind::TcpV4, size: 1448, header_len: 0 }));
            packet.checksum = Checksum::Partial { start: 34, offset: 16 };
            nic.transmit(packet).expect("there is room");
            nic.flush();
            let sent = backend.take().expect("one was sent");
            assert!(sent.bytes == frame && sent.flags & 3 == 3 && sent.views <= 18);
            assert_eq!(sent.extra, Some(extra));
        }
        // More pieces than the back end takes, the first without its header.
        let mut packet = Packet::default();
        for chunk in bytes(300).chunks(10) {
            packet.push(Slice::from_bytes(chunk, 0).unwrap()).unwrap();
            packet.push(Slice::alloc(Size::Half, 5).unwrap()).unwrap();
        }
        nic.transmit(packet).expect("there is room");
        nic.flush();
        assert!(backend.take().expect("one was sent").bytes == bytes(300));
    });
}

#[test]
fn checksums_that_no_back_end_completes_are_completed_here() {
    run(|| {
        let (mut backend, mut nic) = start();
        let mut packet = Packet::from_bytes(&bytes(71)).unwrap();
        packet.checksum = Checksum::Partial { start: 54, offset: 2 };
        nic.transmit(packet).expect("there is room");
        nic.flush();
        let sent = backend.take().expect("one was sent");
        assert_eq!((sent.flags & 3, sent.bytes.len()), (0, 71));
        let mut all = bytes(71);
        let mut sum: u32 = all[54..]
            .chunks(2)
            .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
            .sum();
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        all[56..58].copy_from_slice(&(!(sum as u16)).to_be_bytes());
        assert!(sent.bytes == all);
    });
}

#[test]
fn a_full_ring_tells_when_there_is_room() {
    run(|| {
        let (mut backend, mut nic) = start();
        let packet = || Packet::from_bytes(&bytes(60)).unwrap();
        let mut count = 0;
        while nic.transmit(packet()).is_ok() {
            count += 1;
        }
        assert_eq!(count, PLACES);
        assert!(!nic.interrupt(Interrupt::Queues));
        while backend.take().is_some() {}
        assert!(nic.interrupt(Interrupt::Queues) && !nic.interrupt(Interrupt::Queues));
        nic.transmit(packet()).expect("there is room");
        // Grants can be used up as well.
        let domain = backend.domain.clone();
        nic.flush();
        backend.take().expect("one was sent");
        domain.borrow_mut().most = 0;
        assert!(nic.transmit(packet()).is_err());
        domain.borrow_mut().most = 1000;
        nic.transmit(packet()).expect("there is room");
    });
}

#[test]
fn events_are_asked_for() {
    run(|| {
        let (mut backend, mut nic) = start();
        assert!(!nic.interrupt(Interrupt::Queues), "nobody has asked");
        assert!(!nic.enable_interrupt());
        assert_eq!(Backend::get(backend.receive, 3), 1);
        assert!(backend.deliver(&bytes(60), 0, None));
        assert!(nic.interrupt(Interrupt::Queues) && !nic.interrupt(Interrupt::Queues));
        assert!(nic.enable_interrupt(), "one has come already");
        assert_eq!(Backend::get(backend.receive, 3), 0, "an event would be in vain");
        assert!(nic.receive().is_some() && !nic.enable_interrupt());
    });
}

#[test]
fn what_is_wrong_with_a_packet_concerns_that_packet() {
    run(|| {
        let (mut backend, mut nic) = start();
        // (offset, flags, length): failed, beyond the page, nothing, the rest is missing.
        for (offset, flags, len) in [(0, 0, -1_i16), (4000, 0, 97), (0, 0, 0), (0, 4, 60), (0, 8, 60)] {
            let (number, _) = backend.request().expect("pages are given back");
            backend.deliver_words(number | offset << 16, flags | u32::from(len.cast_unsigned()) << 16);
            let before = nic.counters().rx_errors;
            assert!(nic.receive().is_none());
            assert_eq!(nic.counters().rx_errors, before + 1, "{offset} {flags} {len}");
            assert!(backend.deliver(&bytes(77), 0, None));
            assert!(nic.receive().expect("the next is good").to_vec() == bytes(77));
            assert!(nic.receive().is_none());
        }
        // Too many pieces.
        for _ in 0..30 {
            let (number, _) = backend.request().expect("there are more");
            backend.deliver_words(number, 4 | 4096 << 16);
        }
        assert!(nic.receive().is_none());
        assert!(backend.deliver(&bytes(77), 0, None));
        assert!(nic.receive().is_some());
    });
}

/// Lets a back end lie, and sees that it is given up and that nothing is lost but what it keeps.
fn lies(how: impl Fn(&mut Backend, &mut Netfront) + Sync) {
    run(|| {
        let (mut backend, mut nic) = start();
        let free = |nic: &mut Netfront| nic.receive().is_none();
        how(&mut backend, &mut nic);
        assert!(free(&mut nic));
        let said = String::from_utf8(take_console()).unwrap();
        assert!(said.contains("a network device of Xen is given up: it "), "{said}");
        assert!(!nic.info().link_up && !nic.enable_interrupt() && !nic.interrupt(Interrupt::Queues));
        assert!(!nic.set_link(true));
        nic.transmit(Packet::from_bytes(&bytes(60)).unwrap()).expect("it is taken and lost");
        assert_eq!(nic.counters().tx_errors, 1);
        let granted = backend.domain.borrow().granted.len();
        assert_eq!(granted, backend.domain.borrow().in_use.len());
    });
}

#[test]
fn a_back_end_that_lies_is_given_up() {
    let send = |nic: &mut Netfront| {
        for _ in 0..3 {
            nic.transmit(Packet::from_bytes(&bytes(60)).unwrap()).expect("there is room");
        }
        nic.flush();
    };
    lies(|backend, nic| {
        send(nic);
        Backend::set(backend.transmit, 2, 4);
    });
    lies(|backend, _| Backend::set(backend.receive, 2, 1000));
    lies(|backend, _| Backend::set(backend.receive, 2, u32::MAX));
    lies(|backend, _| backend.deliver_words(77, 60 << 16));
    for (number, status) in [(9, 0), (256, 0), (u16::MAX, -1), (0, 1)] {
        lies(|backend, nic| {
            send(nic);
            backend.answer(number, status);
        });
    }
    lies(|backend, nic| {
        send(nic);
        backend.answer(0, 0);
        backend.answer(0, 0);
    });
    // It says that it has sent a packet, and keeps its page.
    lies(|backend, nic| {
        send(nic);
        let grant = Backend::get(backend.transmit, FIRST);
        backend.domain.borrow_mut().in_use.insert(grant);
        backend.answer(0, 0);
    });
}

#[test]
fn another_back_end_in_its_place_is_taken_up() {
    run(|| {
        let (mut before, mut nic) = start();
        let domain = before.domain.clone();
        let (halves, pages) = (halves_in_use(), memory::page_counts().free);
        for round in 0..20 {
            assert!(before.deliver(&bytes(60), 0, None));
            assert!(nic.receive().is_some() && !nic.enable_interrupt());
            for _ in 0..50 {
                nic.transmit(Packet::from_bytes(&bytes(60)).unwrap()).expect("there is room");
            }
            nic.flush();
            // It is about to end, with the rings mapped and a packet in its hands.
            let RingGrants { transmit, receive } = nic.grants().expect("the card is in use");
            let packet = GrantRef(Backend::get(before.transmit, FIRST));
            domain.borrow_mut().in_use.extend([transmit.0, receive.0, packet.0]);
            assert!(!nic.close() && !nic.info().link_up && nic.grants().is_none());
            assert!(!nic.reopen(Box::new(Wire(domain.clone()))), "it keeps what it was lent");
            assert_eq!(domain.borrow().granted.len(), 3, "round {round}");
            let lost = nic.counters().tx_errors;
            nic.transmit(Packet::from_bytes(&bytes(60)).unwrap()).expect("it is taken and lost");
            assert_eq!(nic.counters().tx_errors, lost + 1);
            assert!(!nic.set_link(true) && !nic.enable_interrupt() && nic.receive().is_none());
            domain.borrow_mut().in_use.clear();
            assert!(nic.close() && domain.borrow().granted.is_empty());
            // Grants may be short just now.
            domain.borrow_mut().most = 20;
            assert!(!nic.reopen(Box::new(Wire(domain.clone()))) && domain.borrow().granted.is_empty());
            domain.borrow_mut().most = 1000;
            assert!(nic.reopen(Box::new(Wire(domain.clone()))) && nic.set_link(true));
            before = backend(domain.clone(), &nic);
        }
        assert_eq!((halves_in_use(), memory::page_counts().free), (halves, pages));
        // Somebody still waits for packets.
        assert!(before.deliver(&bytes(60), 0, None) && nic.interrupt(Interrupt::Queues));
    });
}

#[test]
fn packets_are_shown_to_a_back_end_that_is_connected() {
    run(|| {
        let (mut backend, mut nic) = start();
        assert!(nic.set_link(false));
        let frames = 1..=PLACES as usize;
        for round in frames.clone() {
            nic.transmit(Packet::from_bytes(&bytes(60 + round)).unwrap()).expect("there is room");
            nic.flush();
        }
        let more = nic.transmit(Packet::from_bytes(&bytes(60)).unwrap()).expect_err("there is no room");
        assert!(backend.take().is_none() && backend.domain.borrow().told == 0);
        assert!(nic.set_link(true));
        assert_eq!(backend.domain.borrow().told, 1);
        for round in frames {
            assert!(backend.take().expect("it waited").bytes == bytes(60 + round));
        }
        // Who could not send is told that there is room.
        assert!(nic.interrupt(Interrupt::Queues));
        nic.transmit(more).expect("there is room");
        nic.flush();
        assert!(backend.take().expect("one was sent").bytes == bytes(60));
    });
}

#[test]
fn without_grants_there_is_no_card_and_nothing_is_lost() {
    run(|| {
        let before = memory::page_counts().free;
        for most in 0..60 {
            let domain = domain(most);
            let Some(mut nic) = Netfront::new(Box::new(Wire(domain.clone())), offer()) else {
                assert!(domain.borrow().granted.is_empty());
                continue;
            };
            assert!(nic.close() && domain.borrow().granted.is_empty());
        }
        assert_eq!(memory::page_counts().free, before);
    });
}

/// Clusters that somebody has, counted in half pages.
fn halves_in_use() -> usize {
    let counts = pool_counts();
    (counts.pages - counts.free_pages) * 2 - counts.free_halves
}

#[test]
fn nonsense_without_end_neither_panics_nor_leaks() {
    run(|| {
        let mut state = 1_u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u32
        };
        let before = halves_in_use();
        for _ in 0..200 {
            let (backend, mut nic) = start();
            for _ in 0..100 {
                let page = if random() % 2 == 0 { backend.transmit } else { backend.receive };
                for _ in 0..random() % 20 {
                    Backend::set(page, FIRST + random() as usize % 768, random() & 0x0fff_00ff);
                }
                let done = Backend::get(page, 2);
                Backend::set(page, 2, done.wrapping_add(random() % 4));
                drop(nic.receive());
                let _ = nic.transmit(Packet::from_bytes(&bytes(60)).unwrap());
                nic.flush();
                nic.interrupt(Interrupt::Queues);
            }
            assert!(nic.close());
            drop(nic);
            assert!(backend.domain.borrow().granted.is_empty());
        }
        assert_eq!(halves_in_use(), before);
        drop(take_console());
    });
}
