//! The virtio network driver against a device that the test plays.

mod device;

use std::cell::RefCell;
use std::rc::Rc;

use device::{ALL, HEADER, Model, PLAIN, RECEIVE, TRANSMIT, Wire};
use rump_hypercall::net::{self, Checksum, Gso, GsoKind, Packet, Size, Slice};
use rumpbake_drivers::nic::{Interrupt, Nic};
use rumpbake_drivers::virtio::Causes;
use rumpbake_drivers::virtio::net::{Error, VirtioNet};
use rumpbake_posix::{run, take_console};

fn start(offered: u64) -> (Rc<RefCell<Model>>, VirtioNet) {
    let model = Model::new(offered);
    let nic = VirtioNet::new(Box::new(Wire(model.clone()))).unwrap();
    (model, nic)
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 253) as u8).collect()
}

#[test]
fn agrees_and_tells_what_it_is_like() {
    run(|| {
        let (model, nic) = start(ALL);
        let info = nic.info();
        assert_eq!((info.name, info.mac, info.mtu), ("vioif", [2, 0, 0, 0, 0, 7], 1500));
        assert!(info.tx_checksum && info.rx_checksum && info.tso4 && info.tso6 && info.link_up);
        assert_eq!(model.borrow().accepted, ALL);
        assert_eq!(model.borrow().status, 15);
        let (model, nic) = start(PLAIN);
        assert!(!nic.info().tx_checksum && !nic.info().tso4);
        assert_eq!(model.borrow().accepted, PLAIN);
        let refused = VirtioNet::new(Box::new(Wire(Model::new(1 << 5))));
        assert_eq!(refused.err(), Some(Error::Features), "a device that is neither old nor new");
        let queueless = Model::new(ALL);
        queueless.borrow_mut().queue_max = 0;
        assert_eq!(VirtioNet::new(Box::new(Wire(queueless))).err(), Some(Error::Queue));
    });
}

#[test]
fn packets_come_and_go() {
    for offered in [ALL, PLAIN, ALL & !(1 << 29), ALL & !(1 << 28)] {
        run(|| {
            let (model, mut nic) = start(offered);
            for round in 0..1000_usize {
                let frame = bytes(60 + round);
                assert!(model.borrow_mut().deliver([0; HEADER], &frame), "round {round}");
                let packet = nic.receive().unwrap();
                assert!(packet.to_vec() == frame);
                assert_eq!((packet.checksum, packet.gso), (Checksum::Unknown, None));
                assert!(nic.receive().is_none());
                nic.transmit(packet).unwrap();
                nic.flush();
                let (header, sent, _) = model.borrow_mut().sent().unwrap();
                assert_eq!(header, [0; HEADER]);
                assert!(sent == frame);
            }
            assert_eq!(nic.counters(), net::Counters::default());
        });
    }
}

#[test]
fn what_is_shorter_than_a_header_is_dropped() {
    for offered in [ALL, PLAIN] {
        run(|| {
            let (model, mut nic) = start(offered);
            for round in 0..1000_usize {
                assert!(model.borrow_mut().deliver([0; HEADER], &bytes(1 + round % 13)), "round {round}");
                assert!(model.borrow_mut().deliver([0; HEADER], &bytes(14 + round)), "round {round}");
                assert_eq!(nic.receive().map(|packet| packet.len()), Some(14 + round));
                assert!(nic.receive().is_none());
            }
            assert_eq!(nic.counters().rx_dropped, 1000);
        });
    }
}

#[test]
fn large_packets_come_in_several_clusters() {
    run(|| {
        let (model, mut nic) = start(ALL);
        let frame = bytes(65_000);
        let header = [1, 1, 54, 0, 0xb4, 5, 34, 0, 16, 0, 0, 0];
        assert!(model.borrow_mut().deliver(header, &frame));
        let packet = nic.receive().unwrap();
        assert!(packet.to_vec() == frame);
        assert_eq!(packet.checksum, Checksum::Verified);
        assert_eq!(packet.gso, Some(Gso { kind: GsoKind::TcpV4, size: 1460, header_len: 54 }));
        assert!(packet.slice_count() <= 17);
        let mut packet = packet;
        packet.checksum = Checksum::Partial { start: 34, offset: 16 };
        nic.transmit(packet).unwrap();
        nic.flush();
        let (sent_header, sent, _) = model.borrow_mut().sent().unwrap();
        assert_eq!(sent_header, header);
        assert!(sent == frame);
    });
}

#[test]
fn small_packets_take_one_descriptor() {
    run(|| {
        let (model, mut nic) = start(ALL);
        let with_room = Packet::new(Slice::from_bytes(&bytes(60), 32).unwrap());
        let without = Packet::new(Slice::from_bytes(&bytes(60), 0).unwrap());
        nic.transmit(with_room).unwrap();
        nic.transmit(without).unwrap();
        nic.flush();
        let mut model = model.borrow_mut();
        assert_eq!(model.sent().unwrap().2, 1);
        assert_eq!(model.sent().unwrap().2, 2);
        assert_eq!(model.told[TRANSMIT], 1, "told once");
    });
}

#[test]
fn packets_of_many_pieces_and_empty_ones() {
    run(|| {
        for offered in [ALL, ALL & !(1 << 28)] {
            let (model, mut nic) = start(offered);
            let mut packet = Packet::default();
            for piece in bytes(300).chunks(1) {
                packet.push(Slice::from_bytes(piece, 0).unwrap()).unwrap();
                packet.push(Slice::alloc(Size::Half, 5).unwrap()).unwrap();
            }
            nic.transmit(packet).unwrap();
            nic.flush();
            assert!(model.borrow_mut().sent().unwrap().1 == bytes(300));
        }
    });
}

#[test]
fn a_full_queue_tells_when_there_is_room() {
    run(|| {
        let (model, mut nic) = start(ALL);
        let packet = || Packet::new(Slice::from_bytes(&bytes(60), 32).unwrap());
        let mut queued = 0;
        while nic.transmit(packet()).is_ok() {
            queued += 1;
        }
        assert_eq!(queued, 256);
        assert!(nic.transmit(packet()).is_err());
        model.borrow_mut().causes = Causes { queues: true, config: false };
        assert!(!nic.interrupt(Interrupt::Line), "nothing was sent yet");
        let told = (0..256).filter(|_| {
            model.borrow_mut().sent().unwrap();
            model.borrow().wants_interrupt(TRANSMIT)
        });
        assert_eq!(told.count(), 1);
        model.borrow_mut().causes = Causes { queues: true, config: false };
        assert!(nic.interrupt(Interrupt::Line));
        nic.transmit(packet()).unwrap();
    });
}

#[test]
fn interrupts_are_asked_for_once() {
    run(|| {
        let (model, mut nic) = start(ALL);
        let deliver = || assert!(model.borrow_mut().deliver([0; HEADER], &bytes(60)));
        deliver();
        assert!(nic.enable_interrupt(), "a packet is there");
        assert!(nic.receive().is_some());
        assert!(!nic.enable_interrupt());
        deliver();
        assert!(model.borrow().wants_interrupt(RECEIVE));
        model.borrow_mut().causes = Causes { queues: true, config: false };
        assert!(nic.interrupt(Interrupt::Line));
        deliver();
        assert!(!model.borrow().wants_interrupt(RECEIVE));
        model.borrow_mut().causes = Causes { queues: true, config: false };
        assert!(!nic.interrupt(Interrupt::Line), "told already");
        model.borrow_mut().config[6] = 0;
        model.borrow_mut().causes = Causes { queues: false, config: true };
        assert!(nic.interrupt(Interrupt::Line));
        assert!(!nic.info().link_up);
    });
}

#[test]
fn a_watched_card_needs_no_interrupt() {
    for offered in [ALL, ALL & !(1 << 29)] {
        run(|| {
            let (model, mut nic) = start(offered);
            assert!(!nic.watch(), "nobody listens");
            assert!(!nic.enable_interrupt());
            assert!(nic.watch() && !nic.has_received());
            assert!(!nic.watched(), "nothing came");
            assert!(model.borrow_mut().deliver([0; HEADER], &bytes(60)));
            assert!(model.borrow().wants_interrupt(RECEIVE), "nobody watches any more");
            assert!(nic.interrupt(Interrupt::Line) && nic.receive().is_some() && nic.receive().is_none());
            assert!(!nic.enable_interrupt());
            assert!(nic.watch());
            assert!(model.borrow_mut().deliver([0; HEADER], &bytes(60)));
            assert!(!model.borrow().wants_interrupt(RECEIVE), "who watches is not told");
            assert!(nic.has_received() && nic.watched());
            assert!(nic.receive().is_some() && !nic.watched(), "told already");
        });
    }
}

#[test]
fn a_poll_between_packet_and_interrupt_leaves_interrupts_on() {
    run(|| {
        let (model, mut nic) = start(ALL);
        let deliver = || assert!(model.borrow_mut().deliver([0; HEADER], &bytes(60)));
        assert!(!nic.enable_interrupt());
        deliver();
        assert!(model.borrow().wants_interrupt(RECEIVE));
        assert!(nic.receive().is_some(), "taken by a poll");
        model.borrow_mut().causes = Causes { queues: true, config: false };
        assert!(!nic.interrupt(Interrupt::Line), "nothing is left to tell of");
        deliver();
        assert!(model.borrow().wants_interrupt(RECEIVE), "the next packet is told of");
    });
}

/// SplitMix64.
struct Generator(u64);

impl Generator {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// One thing that a device does, mostly something that it must not.
fn misbehave(model: &mut Model, random: &mut Generator) {
    if model.queues[RECEIVE].is_none() || model.queues[TRANSMIT].is_none() {
        return;
    }
    let queue = random.below(2) as usize;
    let number = |random: &mut Generator| match random.below(4) {
        0 => random.below(4) as u32,
        1 => random.below(300) as u32,
        2 => random.below(5000) as u32,
        _ => random.next() as u32,
    };
    match random.below(12) {
        0 => {
            let (id, len) = (number(random), number(random));
            model.write_used(queue, id, len);
            model.publish(queue);
        }
        1 => {
            model.used[queue] = random.next() as u16;
            model.publish(queue);
        }
        2 => {
            // A buffer that was given, with a length that was not written.
            if let Some((head, _)) = model.take(queue) {
                let len = number(random);
                model.write_used(queue, head.into(), len);
                model.publish(queue);
            }
        }
        3 => {
            // The same buffer twice.
            if let Some((head, _)) = model.take(queue) {
                model.write_used(queue, head.into(), 60);
                model.write_used(queue, head.into(), 60);
                model.publish(queue);
            }
        }
        4 => model.causes = Causes { queues: random.below(2) == 0, config: random.below(2) == 0 },
        5 => {
            if random.below(50) == 0 {
                model.status |= 64;
                model.causes.config = true;
            }
        }
        6 => while model.sent().is_some() {},
        _ => {
            let mut header = [0; HEADER];
            if random.below(4) == 0 {
                header.iter_mut().for_each(|byte| *byte = random.next() as u8);
            }
            let len = random.below(9000) as usize;
            model.deliver(header, &bytes(len));
        }
    }
}

#[test]
fn a_device_that_lies_does_no_harm() {
    run(|| {
        let warm = |nic: &mut VirtioNet| while nic.receive().is_some() {};
        let mut resets = 0;
        for seed in 0..30 {
            let mut random = Generator(seed);
            let (model, mut nic) = start(if seed % 3 == 0 { PLAIN } else { ALL });
            let mut kept = Vec::new();
            for _ in 0..400 {
                misbehave(&mut model.borrow_mut(), &mut random);
                match random.below(4) {
                    0 => kept.extend(nic.receive()),
                    1 => {
                        let len = random.below(3000) as usize + 1;
                        let packet = kept.pop().or_else(|| Packet::from_bytes(&bytes(len)));
                        let _ = nic.transmit(packet.unwrap());
                        nic.flush();
                    }
                    2 => {
                        nic.enable_interrupt();
                    }
                    _ => {
                        nic.interrupt(Interrupt::Line);
                    }
                }
            }
            warm(&mut nic);
            resets += nic.counters().resets;
        }
        assert!(resets > 200, "the device was not as bad as it should be: {resets}");
        let said = take_console();
        assert!(String::from_utf8_lossy(&said).contains("started anew"));
        let counts = net::pool_counts();
        assert_eq!(
            counts.pages,
            counts.free_pages + counts.free_halves / 2,
            "every cluster came back: {counts:?}"
        );
    });
}
