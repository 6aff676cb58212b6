//! The network contract on the host: clusters and their views, packets, wires.

use rump_hypercall::net::{self, Buf, Checksum, Packet, Size, Slice};
use rump_hypercall::sync::CondVar;
use rump_hypercall::{Giant, memory, time};
use rumpbake_posix::{Faults, Link, net_pair, net_reset, net_set_faults, net_wire, run};

#[test]
fn views_claim_room_that_nobody_has() {
    run(|| {
        let mut one = Slice::alloc(Size::Half, 40).unwrap();
        assert_eq!(one.append(b"hello"), 5);
        let mut two = one.clone();
        assert_eq!(one.append(b" world"), 6);
        assert_eq!((one.bytes(), two.bytes()), (&b"hello world"[..], &b"hello"[..]));
        assert_eq!((two.append(b"!"), two.room_after()), (0, 0), "the room behind it is the other's");
        two.prepend(4).unwrap().copy_from_slice(b"and ");
        assert!(one.prepend(1).is_none(), "the room before it is the other's");
        assert!(one.bytes_mut().is_none());
        drop(two);
        one.bytes_mut().unwrap()[0] = b'H';
        assert_eq!(one.room_before(), 40, "the only view has all the room");
        assert_eq!(one.split_to(5).bytes(), b"Hello");
        assert_eq!(one.bytes(), b" world");
        assert_eq!(one.extend(Size::Half.capacity()), None);
    });
}

#[test]
fn clusters_lie_in_a_page_and_go_back() {
    run(|| {
        let before = memory::page_counts().free;
        for size in [Size::Half, Size::Page] {
            let bufs: Vec<Buf> = (0..2000).map(|_| Buf::alloc(size).unwrap()).collect();
            for buf in &bufs {
                let first = buf.machine_addr();
                assert_eq!(first / 4096, (first + buf.capacity() as u64 - 1) / 4096);
            }
            drop(bufs);
        }
        let counts = net::pool_counts();
        assert!(counts.pages <= 3 * 128, "{counts:?}");
        assert_eq!(counts.pages, counts.free_pages + counts.free_halves / 2);
        assert!(before - memory::page_counts().free <= counts.pages as u64);
    });
}

#[test]
fn the_pool_is_bounded() {
    run(|| {
        let bufs: Vec<Buf> = std::iter::from_fn(|| Buf::alloc(Size::Page)).collect();
        let counts = net::pool_counts();
        assert_eq!(counts.pages, counts.pages_max);
        assert_eq!(counts.pages_max as u64, memory::page_counts().total / 2);
        assert!(Buf::alloc(Size::Page).is_none());
        drop(bufs);
        assert!(Buf::alloc(Size::Page).is_some());
    });
}

#[test]
fn packets_are_cut_and_joined() {
    run(|| {
        let bytes: Vec<u8> = (0..20_000_u32).map(|i| (i % 251) as u8).collect();
        let mut packet = Packet::from_bytes(&bytes).unwrap();
        assert_eq!((packet.len(), packet.slice_count()), (20_000, 5));
        packet.prepend(14).unwrap().fill(9);
        assert_eq!((packet.len(), packet.slice_count()), (20_014, 6));
        packet.prepend(20).unwrap().fill(8);
        assert_eq!(packet.slice_count(), 6);
        assert_eq!(packet.pull(100).unwrap()[34..], bytes[..66]);
        packet.advance(34);
        assert!(packet.to_vec() == bytes);
        packet.advance(9_999);
        packet.truncate(5_001);
        assert!(packet.to_vec() == bytes[9_999..15_000]);
        assert_eq!(packet.pull(5_002), None);
        let mut out = [0; 10];
        assert_eq!(packet.copy_to(4_996, &mut out), 5);
        assert_eq!(out[..5], bytes[14_995..15_000]);
        packet.advance(usize::MAX);
        assert!(packet.is_empty() && packet.head().is_empty());
    });
}

#[test]
fn a_pair_is_wired_and_tells() {
    static TOLD: Giant<Vec<usize>> = Giant::new(Vec::new());
    static CV: CondVar = CondVar::new();
    run(|| {
        net_reset();
        let (one, two) = net_pair(Link { rx_checksum: true, scatter_bytes: 100, ..Link::default() });
        assert_eq!(net::count(), 2);
        net::on_ready(|interface| {
            TOLD.borrow_mut().push(interface);
            CV.broadcast();
        });
        assert!(!net::enable_interrupt(two));
        let frame: Vec<u8> = (0..500_u32).map(|i| i as u8).collect();
        net::transmit(one, Packet::from_bytes(&frame).unwrap()).unwrap();
        net::flush(one);
        CV.wait();
        assert_eq!(*TOLD.borrow(), [two]);
        assert!(net::receive(one).is_none());
        let packet = net::receive(two).unwrap();
        assert_eq!((packet.to_vec(), packet.slice_count()), (frame.clone(), 5));
        assert_eq!(packet.checksum, Checksum::Verified);
        net::transmit(two, packet).unwrap();
        assert!(net::enable_interrupt(one), "a packet is there already");
        assert_eq!(net::receive(one).unwrap().to_vec(), frame);
    });
}

#[test]
fn faults_happen_as_often_as_they_should() {
    run(|| {
        net_reset();
        let (interface, wire) = net_wire(Link { queue_len: 20_000, ..Link::default() });
        let count = |faults| {
            net_set_faults(interface, faults);
            for number in 0..10_000_u32 {
                net::transmit(interface, Packet::from_bytes(&number.to_be_bytes()).unwrap()).unwrap();
            }
            let end = time::monotonic_ns() + 5_000_000;
            while time::monotonic_ns() < end {}
            std::iter::from_fn(|| wire.receive()).collect::<Vec<_>>()
        };
        let lossy = Faults { seed: 1, lost_permille: 50, ..Faults::default() };
        let first = count(lossy);
        assert!((9_300..9_700).contains(&first.len()), "{}", first.len());
        assert!(first == count(lossy), "the same seed loses the same frames");
        assert!(
            (10_300..10_700).contains(&count(Faults { doubled_permille: 50, ..Faults::default() }).len())
        );
        let late = count(Faults { late_permille: 50, ..Faults::default() });
        assert_eq!(late.len(), 10_000);
        assert!(!late.is_sorted());
    });
}

#[test]
fn a_full_queue_makes_the_sender_wait() {
    static ROOM: CondVar = CondVar::new();
    run(|| {
        net_reset();
        let (interface, wire) = net_wire(Link { queue_len: 2, backpressure: true, ..Link::default() });
        net::on_ready(|_| {
            ROOM.broadcast();
        });
        for _ in 0..2 {
            net::transmit(interface, Packet::from_bytes(b"x").unwrap()).unwrap();
        }
        let back = net::transmit(interface, Packet::from_bytes(b"y").unwrap()).unwrap_err();
        assert!(wire.receive().is_some());
        ROOM.wait();
        net::transmit(interface, back).unwrap();
    });
}
