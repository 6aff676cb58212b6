//! Receiving (io/netif.h, "Guest receive"): the back end copies packets into pages that it was granted for good, and from there they are copied into clusters.
//!
//! The copy is what makes this safe: a page that was granted may be changed at any time, and a cluster has a header before its data.

use alloc::vec::Vec;

use rump_hypercall::memory::{self, PAGE_SIZE, Page};
use rump_hypercall::net::{Checksum, Counters, Gso, GsoKind, Packet, Size, Slice};

use super::ring::Ring;
use super::{Broken, GSO, GSO_TCPV4, GSO_TCPV6, Port};
use crate::xen::grant::GrantRef;

/// NETRXF_data_validated or NETRXF_csum_blank: the packet's checksum is as it should be, or would be once somebody completes it.
const VALIDATED: u16 = 1 | 2;
/// NETRXF_more_data
const MORE_DATA: u16 = 4;
/// NETRXF_extra_info
const EXTRA_INFO: u16 = 8;
/// XEN_NETIF_EXTRA_FLAG_MORE
const EXTRA_MORE: u8 = 1;
/// Most pages of a packet, with some that only describe it.
const PARTS: u32 = 24;
/// The longest packet with all headers.
const LONGEST: usize = 65_535 + 14;
/// Pages for packets: at least those of the largest packet.
const LEAST: u32 = 32;
/// And at most; a power of two, like those in between.
const MOST: u32 = 128;

/// A page that the back end fills.
struct Filled {
    page: Page,
    grant: GrantRef,
}

/// The ring of packets that are received.
pub struct Receive {
    pub ring: Ring<2>,
    pages: Vec<Filled>,
}

/// A packet as its answers describe it.
#[derive(Default)]
struct Described {
    /// Answers that it has.
    answers: u32,
    len: usize,
    flags: u16,
    gso: Option<Gso>,
    /// Pages, and the bytes in each.
    parts: Vec<(Page, usize, usize)>,
    /// The back end has failed, or contradicts itself.
    wrong: bool,
}

impl Receive {
    /// The ring with its pages; `None` without memory or grants.
    pub fn new(port: &mut dyn Port) -> Option<Self> {
        let share = u32::try_from(memory::page_counts().total / 128).unwrap_or(MOST);
        let count = 1 << share.clamp(LEAST, MOST).ilog2();
        let mut pages = Vec::new();
        pages.try_reserve_exact(count).ok()?;
        let mut receive = Self { ring: Ring::new(port)?, pages };
        while receive.pages.len() < count {
            if receive.add(port).is_none() {
                // Nobody has been told of any of it.
                receive.close(port);
                return None;
            }
        }
        receive.refill();
        Some(receive)
    }

    /// Adds a page.
    fn add(&mut self, port: &mut dyn Port) -> Option<()> {
        let page = memory::page_alloc().ok()?;
        let Some(grant) = port.grant(page.0 * PAGE_SIZE as u64, false) else {
            // SAFETY: just allocated, and nobody knows of it.
            unsafe { memory::page_free(page) };
            return None;
        };
        self.pages.push(Filled { page, grant });
        Some(())
    }

    /// The number of the page that a request's place has, since answers come in the order of requests.
    fn number(&self, counter: u32) -> usize {
        counter as usize % self.pages.len()
    }

    /// Requests as many packets as there are pages that wait for none.
    pub fn refill(&mut self) {
        while self.ring.requested().wrapping_sub(self.ring.answered()) < self.pages.len() as u32 {
            let number = self.number(self.ring.requested());
            self.ring.request([number as u32, self.pages[number].grant.0]);
        }
    }

    /// Whether many pages wait for nothing.
    pub fn is_low(&self) -> bool {
        self.ring.requested().wrapping_sub(self.ring.answered()) < self.pages.len() as u32 * 3 / 4
    }

    /// Reads the answers that describe the next packet, at least one.
    fn describe(&self, available: u32) -> Result<Described, Broken> {
        let mut found = Described::default();
        let mut more = true;
        let mut extra = false;
        while more || extra {
            if found.answers == available || found.answers == PARTS {
                // Packets are published whole.
                found.wrong = true;
                break;
            }
            let [low, high] = self.ring.answer(found.answers);
            let number = self.number(self.ring.answered().wrapping_add(found.answers));
            found.answers += 1;
            if extra {
                extra = found.extra(low, high);
                continue;
            }
            if low as u16 as usize != number {
                return Err(Broken::Number);
            }
            let (offset, flags, len) = ((low >> 16) as usize, high as u16, (high >> 16) as i16);
            if found.answers == 1 {
                found.flags = flags;
                extra = flags & EXTRA_INFO != 0;
            }
            more = flags & MORE_DATA != 0;
            found.part(self.pages[number].page, offset, len);
        }
        Ok(found)
    }

    /// The next packet that is one.
    pub fn next(&mut self, counters: &mut Counters) -> Result<Option<Packet>, Broken> {
        loop {
            let available = self.ring.available()?;
            if available == 0 {
                return Ok(None);
            }
            let found = self.describe(available)?;
            let packet = if found.wrong || found.len == 0 {
                counters.rx_errors += 1;
                None
            } else {
                let packet = found.copied();
                counters.rx_dropped += u64::from(packet.is_none());
                packet
            };
            self.ring.take(found.answers);
            if packet.is_some() {
                return Ok(packet);
            }
            self.refill();
        }
    }

    /// Nothing is received any more: the pages go back, as far as the other end lets them go. Whether that was all.
    pub fn close(&mut self, port: &mut dyn Port) -> bool {
        self.pages.retain(|filled| {
            let ended = port.end(filled.grant);
            if ended {
                // SAFETY: from the allocator, and neither end uses it any more.
                unsafe { memory::page_free(filled.page) };
            }
            !ended
        });
        self.ring.close(port) && self.pages.is_empty()
    }
}

impl Described {
    /// Takes in `struct netif_extra_info`; whether another one follows.
    fn extra(&mut self, low: u32, high: u32) -> bool {
        let [kind, flags, ..] = low.to_le_bytes();
        let size = (low >> 16) as u16;
        if kind == GSO && size != 0 {
            self.gso = match high as u8 {
                GSO_TCPV4 => Some(Gso { kind: GsoKind::TcpV4, size, header_len: 0 }),
                GSO_TCPV6 => Some(Gso { kind: GsoKind::TcpV6, size, header_len: 0 }),
                _ => None,
            };
        }
        flags & EXTRA_MORE != 0
    }

    /// Takes in a page.
    fn part(&mut self, page: Page, offset: usize, len: i16) {
        let Ok(len) = usize::try_from(len) else {
            self.wrong = true;
            return;
        };
        self.len += len;
        self.wrong |= offset + len > PAGE_SIZE || self.len > LONGEST || self.parts.try_reserve(1).is_err();
        if !self.wrong {
            self.parts.push((page, offset, len));
        }
    }

    /// The packet in clusters; `None` without memory.
    fn copied(&self) -> Option<Packet> {
        let mut packet = Packet::default();
        let mut left = self.len;
        let mut current: Option<Slice> = None;
        for &(page, offset, len) in &self.parts {
            let mut done = 0;
            while done < len {
                if current.as_ref().is_none_or(|slice| slice.room_after() == 0) {
                    let size = if left <= Size::Half.capacity() { Size::Half } else { Size::Page };
                    if let Some(full) = current.replace(Slice::alloc(size, 0)?) {
                        packet.push(full).ok()?;
                    }
                }
                let slice = current.as_mut()?;
                let count = (len - done).min(slice.room_after());
                let room = slice.extend(count)?;
                // SAFETY: within the page, as was checked; the other end may write it meanwhile, which makes its bytes wrong and nothing else.
                unsafe {
                    let from = memory::page_ptr(page).add(offset + done);
                    core::ptr::copy_nonoverlapping(from, room.as_mut_ptr(), count);
                }
                (done, left) = (done + count, left - count);
            }
        }
        packet.push(current?).ok()?;
        if self.flags & VALIDATED != 0 {
            packet.checksum = Checksum::Verified;
        }
        packet.gso = self.gso;
        Some(packet)
    }
}
