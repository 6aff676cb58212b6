//! The driver for Intel's cards against registers and descriptors that the test plays.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use rump_hypercall::memory::{self, PAGE_SIZE, Page};
use rump_hypercall::net::{self, Checksum, Gso, GsoKind, Packet, Slice};
use rumpbake_drivers::e1000::{E1000, Error};
use rumpbake_drivers::mmio::Registers;
use rumpbake_drivers::nic::{Interrupt, Nic};
use rumpbake_posix::run;

const CTRL: usize = 0x0000;
const STATUS: usize = 0x0008;
const ICR: usize = 0x00c0;
const IMS: usize = 0x00d0;
const RDBAL: usize = 0x2800;
const RDT: usize = 0x2818;
const TDBAL: usize = 0x3800;
const TDT: usize = 0x3818;
const RAL: usize = 0x5400;
const RESET: u32 = 1 << 26;
const COUNT: usize = 256;

/// The card: its registers, and how far it has come in its queues.
struct Card {
    registers: &'static [AtomicU32],
    receive: usize,
    transmit: usize,
    stop: Arc<AtomicBool>,
}

fn host(addr: u64) -> *mut u8 {
    memory::page_ptr(Page(addr / PAGE_SIZE as u64)).wrapping_add(addr as usize % PAGE_SIZE)
}

fn get<T: Copy>(addr: u64) -> T {
    // SAFETY: the driver's memory, as it has told the card; nobody else runs meanwhile.
    unsafe { host(addr).cast::<T>().read_unaligned() }
}

fn put<T>(addr: u64, value: T) {
    // SAFETY: as above.
    unsafe { host(addr).cast::<T>().write_unaligned(value) };
}

impl Card {
    /// Registers in memory, and a thread that ends resets.
    fn new() -> Self {
        let registers: &'static [AtomicU32] = Vec::leak((0..0x8000).map(|_| AtomicU32::new(0)).collect());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                registers[CTRL / 4].fetch_and(!RESET, Ordering::Relaxed);
                std::thread::yield_now();
            }
        });
        let card = Self { registers, receive: 0, transmit: 0, stop };
        card.write(RAL, 0x0504_0302);
        card.write(RAL + 4, 0x0706);
        card.write(STATUS, 2);
        card
    }

    fn start() -> (Self, E1000) {
        let card = Self::new();
        let nic = E1000::new(card.window()).unwrap();
        (card, nic)
    }

    fn window(&self) -> Registers {
        let base = self.registers.as_ptr().cast_mut().cast();
        // SAFETY: the words are leaked, and both sides access them whole.
        unsafe { Registers::new(base, self.registers.len() * 4) }
    }

    fn read(&self, register: usize) -> u32 {
        self.registers[register / 4].load(Ordering::Relaxed)
    }

    fn write(&self, register: usize, value: u32) {
        self.registers[register / 4].store(value, Ordering::Relaxed);
    }

    fn descriptor(&self, queue: usize, index: usize) -> u64 {
        u64::from(self.read(queue)) | u64::from(self.read(queue + 4)) << 32 | (index * 16) as u64
    }

    /// Writes a received packet with a status and errors; false if there is no room.
    fn deliver(&mut self, bytes: &[u8], status: u8, errors: u8) -> bool {
        if self.receive == self.read(RDT) as usize {
            return false;
        }
        let at = self.descriptor(RDBAL, self.receive);
        let addr: u64 = get(at);
        bytes.iter().enumerate().for_each(|(offset, &byte)| put(addr + offset as u64, byte));
        put(at + 8, bytes.len() as u16);
        put(at + 13, errors);
        put(at + 12, status);
        self.receive = (self.receive + 1) % COUNT;
        true
    }

    /// Takes what was queued up to the next packet's end: the context before it, and its bytes.
    fn sent(&mut self) -> Option<(Option<[u64; 2]>, Vec<u8>)> {
        let (mut context, mut bytes) = (None, Vec::new());
        while self.transmit != self.read(TDT) as usize {
            let at = self.descriptor(TDBAL, self.transmit);
            let words: [u64; 2] = [get(at), get(at + 8)];
            let command = words[1] as u32;
            let is_extended = command & 1 << 29 != 0;
            if is_extended && command >> 20 & 0xf == 0 {
                context = Some(words);
            } else {
                let len = if is_extended { words[1] & 0xf_ffff } else { words[1] & 0xffff };
                bytes.extend((0..len).map(|offset| get::<u8>(words[0] + offset)));
            }
            if command & 1 << 27 != 0 {
                put(at + 12, get::<u8>(at + 12) | 1);
            }
            self.transmit = (self.transmit + 1) % COUNT;
            if (!is_extended || command >> 20 & 0xf == 1) && command & 1 << 24 != 0 {
                return Some((context, bytes));
            }
        }
        None
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 253) as u8).collect()
}

#[test]
fn starts_and_tells_what_it_is_like() {
    run(|| {
        let (_card, nic) = Card::start();
        let info = nic.info();
        assert_eq!((info.name, info.mac, info.link_up), ("wm", [2, 3, 4, 5, 6, 7], true));
        let dead = Card::new();
        dead.stop.store(true, Ordering::Relaxed);
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert_eq!(E1000::new(dead.window()).err(), Some(Error::Reset));
    });
}

#[test]
fn packets_come_and_go() {
    run(|| {
        let (mut card, mut nic) = Card::start();
        for round in 0..600_usize {
            let frame = bytes(60 + round);
            let (status, checksum) = match round % 3 {
                0 => (0x03, Checksum::Unknown),
                1 => (0x23, Checksum::Verified),
                _ => (0x27, Checksum::Unknown),
            };
            assert!(card.deliver(&frame, status, 0), "round {round}");
            let packet = nic.receive().unwrap();
            assert!(packet.to_vec() == frame);
            assert_eq!(packet.checksum, checksum);
            assert!(nic.receive().is_none());
            nic.transmit(packet).unwrap();
            nic.flush();
            let (context, sent) = card.sent().unwrap();
            assert!(context.is_none() && sent == frame);
        }
    });
}

#[test]
fn checksums_and_segments_are_left_to_the_card() {
    run(|| {
        let (mut card, mut nic) = Card::start();
        let mut send = |frame: &[u8], gso| {
            let mut packet = Packet::from_bytes(frame).unwrap();
            packet.checksum = Checksum::Partial { start: 34, offset: 16 };
            packet.gso = gso;
            nic.transmit(packet).unwrap();
            nic.flush();
            card.sent().unwrap()
        };
        let (context, sent) = send(&bytes(100), None);
        assert_eq!(context, Some([14 | 24 << 8 | 33 << 16 | 34 << 32 | 50 << 40, 1 << 29]));
        assert!(sent == bytes(100));
        assert_eq!(send(&bytes(100), None).0, None, "the same is not said twice");
        let gso = Gso { kind: GsoKind::TcpV4, size: 1460, header_len: 54 };
        let mut large = bytes(20_000);
        large[50..52].copy_from_slice(&0x1234_u16.to_be_bytes());
        let (context, sent) = send(&large, Some(gso));
        let command = (1 << 29 | 1 << 26 | 1 << 25 | 1 << 24) as u64;
        assert_eq!(context.unwrap()[1], 19_946 | command | 54 << 40 | 1460 << 48);
        let length_taken_away = 0x1234 + 0xffff_u32 - (20_000 - 34);
        let folded = (length_taken_away & 0xffff) + (length_taken_away >> 16) + 0xffff;
        let folded = (folded & 0xffff) + (folded >> 16);
        assert_eq!(u32::from(u16::from_be_bytes([sent[50], sent[51]])), folded);
        assert_eq!((&sent[16..18], &sent[24..26]), (&[0, 0][..], &[0, 0][..]));
        assert!(sent[54..] == large[54..]);
    });
}

#[test]
fn a_full_queue_tells_when_there_is_room() {
    run(|| {
        let (mut card, mut nic) = Card::start();
        let packet = || Packet::new(Slice::from_bytes(&bytes(60), 0).unwrap());
        let mut queued = 0;
        while nic.transmit(packet()).is_ok() {
            queued += 1;
        }
        assert!(queued > 200);
        assert_eq!(card.read(IMS) & 1, 1, "asked to be told");
        card.write(ICR, 1);
        assert!(!nic.interrupt(Interrupt::Line), "nothing was sent yet");
        while card.sent().is_some() {}
        assert!(nic.interrupt(Interrupt::Line));
        nic.transmit(packet()).unwrap();
        assert!(!nic.enable_interrupt());
        assert!(card.deliver(&bytes(60), 3, 0));
        card.write(ICR, 0x80);
        assert!(nic.interrupt(Interrupt::Line));
        assert!(!nic.interrupt(Interrupt::Line), "told already");
    });
}

#[test]
fn a_card_that_lies_does_no_harm() {
    run(|| {
        for seed in 0..20_u64 {
            let mut state = seed;
            let mut random = move || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state >> 33
            };
            let (mut card, mut nic) = Card::start();
            let mut kept = Vec::new();
            for _ in 0..500 {
                let (at, value) = (random() as usize % COUNT, random());
                match random() % 8 {
                    0 => put(card.descriptor(RDBAL, at) + 8, value),
                    1 => put(card.descriptor(TDBAL, at) + 12, value as u32),
                    2 => card.write(ICR, value as u32),
                    3 => kept.extend(nic.receive()),
                    4 => {
                        let packet =
                            kept.pop().or_else(|| Packet::from_bytes(&bytes(1 + value as usize % 3000)));
                        let _ = nic.transmit(packet.unwrap());
                        nic.flush();
                    }
                    5 => {
                        nic.enable_interrupt();
                    }
                    6 => {
                        nic.interrupt(Interrupt::Line);
                    }
                    _ => {
                        card.deliver(&bytes(value as usize % 2000), random() as u8, random() as u8);
                    }
                }
            }
        }
        let counts = net::pool_counts();
        assert_eq!(
            counts.pages,
            counts.free_pages + counts.free_halves / 2,
            "every cluster came back: {counts:?}"
        );
    });
}
