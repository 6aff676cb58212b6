//! Sending (io/netif.h, "Guest transmit"): a packet is a request for each of its views, and one more that says how it is to be cut.
//!
//! The back end reads the views where they lie, each of which is in one page; they are granted for reading until it has answered.

use alloc::boxed::Box;
use alloc::vec::Vec;

use rump_hypercall::memory::PAGE_SIZE;
use rump_hypercall::net::{Checksum, Counters, Gso, GsoKind, Packet, Size, Slice};

use super::ring::{PLACES, Ring};
use super::{Broken, GSO, GSO_TCPV4, GSO_TCPV6, Port};
use crate::xen::grant::GrantRef;

/// NETTXF_csum_blank and NETTXF_data_validated: the checksum is to be completed.
const CSUM_BLANK: u16 = 1 | 2;
/// NETTXF_more_data
const MORE_DATA: u16 = 4;
/// NETTXF_extra_info
const EXTRA_INFO: u16 = 8;
/// NETIF_RSP_OKAY
const OKAY: i16 = 0;
/// NETIF_RSP_NULL: the answer to a request that was no view.
const NULL: i16 = 1;
/// Most views of a packet (XEN_NETIF_NR_SLOTS_MIN).
const VIEWS: usize = 18;
/// Bytes of an Ethernet header, which the first view has to hold.
const ETHERNET: usize = 14;
/// The longest packet: its length has 16 bits.
const LONGEST: usize = 65_535;

/// A view on its way.
struct Sent {
    grant: GrantRef,
    /// Stays where the back end reads it.
    _slice: Slice,
}

/// The ring of packets to be sent.
pub struct Transmit {
    pub ring: Ring<3>,
    /// By the requests' numbers.
    sent: Box<[Option<Sent>]>,
    /// Numbers that no request has.
    numbers: Vec<u16>,
    /// Requests on their way that are no views.
    extras: u32,
}

impl Transmit {
    pub fn new(port: &mut dyn Port) -> Option<Self> {
        let mut sent = Vec::new();
        sent.try_reserve_exact(PLACES as usize).ok()?;
        sent.resize_with(PLACES as usize, || None);
        let mut numbers = Vec::new();
        numbers.try_reserve_exact(PLACES as usize).ok()?;
        numbers.extend((0..PLACES as u16).rev());
        Some(Self { ring: Ring::new(port)?, sent: sent.into(), numbers, extras: 0 })
    }

    /// Takes back what has been sent.
    pub fn reclaim(&mut self, port: &mut dyn Port, counters: &mut Counters) -> Result<(), Broken> {
        for _ in 0..self.ring.available()? {
            let [word, ..] = self.ring.answer(0);
            self.ring.take(1);
            let (number, status) = (word as u16, (word >> 16) as i16);
            if status == NULL {
                self.extras = self.extras.checked_sub(1).ok_or(Broken::Number)?;
                continue;
            }
            let place = self.sent.get_mut(usize::from(number)).ok_or(Broken::Number)?;
            let sent = place.take().ok_or(Broken::Number)?;
            if status != OKAY {
                counters.tx_errors += 1;
            }
            if !port.end(sent.grant) {
                *place = Some(sent);
                return Err(Broken::Keeps);
            }
            self.numbers.push(number);
        }
        Ok(())
    }

    /// Queues a packet; it stays in its place if there is no room for it.
    pub fn send(&mut self, place: &mut Option<Packet>, port: &mut dyn Port, counters: &mut Counters) {
        let Some(packet) = place.take() else { return };
        let Some(packet) = fitting(packet) else {
            counters.tx_errors += 1;
            return;
        };
        let count = packet.slices().filter(|slice| !slice.is_empty()).count();
        let extra = u32::from(packet.gso.is_some());
        if self.numbers.len() < count || self.ring.room() < count as u32 + extra {
            *place = Some(packet);
            return;
        }
        let mut grants = [GrantRef(0); VIEWS];
        let views = packet.slices().filter(|slice| !slice.is_empty());
        let granted = views.zip(&mut grants).map_while(|(slice, place)| {
            *place = port.grant(slice.machine_addr(), true)?;
            Some(())
        });
        let granted = granted.count();
        if granted < count {
            // Nobody was told of the grants, so they end.
            grants[..granted].iter().for_each(|&grant| _ = port.end(grant));
            *place = Some(packet);
            return;
        }
        self.request(packet, &grants, count);
    }

    fn request(&mut self, packet: Packet, grants: &[GrantRef], count: usize) {
        let (len, gso) = (packet.len(), packet.gso);
        let mut first = if matches!(packet.checksum, Checksum::Partial { .. }) { CSUM_BLANK } else { 0 };
        if gso.is_some() {
            first |= EXTRA_INFO;
        }
        let slices = packet.into_slices().filter(|slice| !slice.is_empty());
        for (index, (slice, &grant)) in slices.zip(grants).enumerate() {
            let Some(number) = self.numbers.pop() else { return };
            let offset = slice.machine_addr() as usize % PAGE_SIZE;
            let mut flags = if index == 0 { first } else { 0 };
            if index + 1 < count {
                flags |= MORE_DATA;
            }
            // The first says how long all of it is.
            let size = if index == 0 { len } else { slice.len() };
            self.ring.request([
                grant.0,
                offset as u32 | u32::from(flags) << 16,
                u32::from(number) | (size as u32) << 16,
            ]);
            self.sent[usize::from(number)] = Some(Sent { grant, _slice: slice });
            if let Some(gso) = gso.filter(|_| index == 0) {
                self.ring.request(extra(gso));
                self.extras += 1;
            }
        }
    }

    /// Whether a packet of one view could be sent.
    pub fn has_room(&self) -> bool {
        !self.numbers.is_empty() && self.ring.room() > 1
    }

    /// Nothing is sent any more: what was on its way is let go, as far as the other end lets it go. Whether that was all.
    pub fn close(&mut self, port: &mut dyn Port) -> bool {
        for place in &mut self.sent {
            place.take_if(|sent| port.end(sent.grant));
        }
        self.ring.close(port) && self.sent.iter().all(Option::is_none)
    }
}

/// `struct netif_extra_info` of a large packet.
fn extra(gso: Gso) -> [u32; 3] {
    let kind = match gso.kind {
        GsoKind::TcpV4 => GSO_TCPV4,
        GsoKind::TcpV6 => GSO_TCPV6,
    };
    [u32::from(GSO) | u32::from(gso.size) << 16, u32::from(kind), 0]
}

/// The packet in so many views that the other end takes it; `None` if it is no packet, or without memory.
fn fitting(mut packet: Packet) -> Option<Packet> {
    if !(ETHERNET..=LONGEST).contains(&packet.len()) {
        return None;
    }
    if packet.slices().filter(|slice| !slice.is_empty()).count() > VIEWS {
        let mut whole = Packet::default();
        let mut done = 0;
        while done < packet.len() {
            let mut slice = Slice::alloc(Size::Page, 0)?;
            let count = (packet.len() - done).min(Size::Page.capacity());
            packet.copy_to(done, slice.extend(count)?);
            whole.push(slice).ok()?;
            done += count;
        }
        (whole.checksum, whole.gso) = (packet.checksum, packet.gso);
        packet = whole;
    }
    // An empty first view would not be sent, so the first that is has to have the header.
    if packet.head().len() < ETHERNET {
        packet.pull(ETHERNET)?;
    }
    Some(packet)
}
