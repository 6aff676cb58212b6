//! Packets: a list of views with what is known of them.

use alloc::vec::Vec;

use super::buf::{Buf, Size, Slice};

/// Views that a packet holds without memory of its own.
const INLINE: usize = 3;

/// What is known of a packet's transport checksum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checksum {
    /// Nothing: received, it is to be checked; sent, it is complete.
    #[default]
    Unknown,
    /// Received: the device, or a trustworthy sender, has checked it. The field itself may hold anything.
    Verified,
    /// To be sent: the device sums from `start` to the packet's end and stores the result at `start + offset`, where the pseudo-header's sum is (folded,
    /// not complemented). Only where [`super::Info::tx_checksum`].
    Partial {
        /// Bytes from the packet's first to where the sum begins.
        start: u16,
        /// Bytes from there to the field.
        offset: u16,
    },
}

/// Which protocol's segments a large packet stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GsoKind {
    /// TCP over IPv4.
    TcpV4,
    /// TCP over IPv6.
    TcpV6,
}

/// A packet that stands for several segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gso {
    /// Of which protocol.
    pub kind: GsoKind,
    /// Payload bytes per segment, not 0.
    pub size: u16,
    /// Bytes of all headers, Ethernet's to TCP's; 0 if it was received and the device does not say.
    pub header_len: u16,
}

/// A packet: its bytes are those of its views, one after the other, from the Ethernet header on, without frame check sequence.
#[derive(Clone, Default)]
pub struct Packet {
    inline: [Option<Slice>; INLINE],
    more: Vec<Slice>,
    len: u32,
    /// The transport checksum.
    pub checksum: Checksum,
    /// Whether it stands for several segments. A packet to be sent has a [`Checksum::Partial`] then, its IP length and checksum are those of the
    /// large packet, and TCP's pseudo-header sum is that of the large packet too.
    pub gso: Option<Gso>,
}

impl Packet {
    /// A packet of one view.
    #[must_use]
    #[inline]
    pub fn new(slice: Slice) -> Self {
        let len = slice.len() as u32;
        Self { inline: [Some(slice), None, None], len, ..Self::default() }
    }

    /// A packet with a copy of `bytes`, in as many clusters as it takes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut packet = Self::default();
        for chunk in bytes.chunks(Size::Page.capacity()) {
            packet.push(Slice::from_bytes(chunk, 0)?).ok()?;
        }
        Some(packet)
    }

    /// Bytes in it.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many views it has.
    #[must_use]
    pub fn slice_count(&self) -> usize {
        self.inline.iter().flatten().count() + self.more.len()
    }

    /// Its views.
    pub fn slices(&self) -> impl Iterator<Item = &Slice> {
        self.inline.iter().flatten().chain(&self.more)
    }

    fn slices_mut(&mut self) -> impl Iterator<Item = &mut Slice> {
        self.inline.iter_mut().flatten().chain(&mut self.more)
    }

    /// Takes it apart.
    pub fn into_slices(self) -> impl Iterator<Item = Slice> {
        self.inline.into_iter().flatten().chain(self.more)
    }

    /// The first view's bytes: at least the headers up to TCP's or UDP's fixed part in whatever an interface hands over, if the packet has them.
    #[must_use]
    #[inline]
    pub fn head(&self) -> &[u8] {
        self.inline[0].as_ref().map_or(&[], Slice::bytes)
    }

    /// The first view.
    #[must_use]
    pub fn first(&self) -> Option<&Slice> {
        self.inline[0].as_ref()
    }

    /// The first view's bytes to be changed; `None` if its cluster is shared.
    #[must_use]
    pub fn head_mut(&mut self) -> Option<&mut [u8]> {
        self.inline[0].as_mut()?.bytes_mut()
    }

    /// Appends a view. It comes back if there is no memory for the list.
    ///
    /// # Errors
    /// The view.
    pub fn push(&mut self, slice: Slice) -> Result<(), Slice> {
        let len = slice.len() as u32;
        match self.inline.iter_mut().find(|place| place.is_none()) {
            Some(place) if self.more.is_empty() => *place = Some(slice),
            _ => {
                if self.more.try_reserve(1).is_err() {
                    return Err(slice);
                }
                self.more.push(slice);
            }
        }
        self.len += len;
        Ok(())
    }

    /// Puts a view before the others. It comes back if there is no memory for the list.
    ///
    /// # Errors
    /// The view.
    pub fn push_front(&mut self, slice: Slice) -> Result<(), Slice> {
        let len = slice.len() as u32;
        if self.inline[INLINE - 1].is_some() {
            if self.more.try_reserve(1).is_err() {
                return Err(slice);
            }
            if let Some(last) = self.inline[INLINE - 1].take() {
                self.more.insert(0, last);
            }
        }
        self.inline.rotate_right(1);
        self.inline[0] = Some(slice);
        self.len += len;
        Ok(())
    }

    /// Makes the packet begin `count` bytes earlier and returns those, to be filled: in the first view's room where there is enough, in
    /// a fresh cluster otherwise. `None` without memory.
    #[must_use]
    pub fn prepend(&mut self, count: usize) -> Option<&mut [u8]> {
        if self.inline[0].as_ref().is_none_or(|first| first.room_before() < count) {
            // All the room before it, for the headers that follow.
            let capacity = Size::Half.capacity();
            self.push_front(Slice::alloc(Size::Half, capacity)?).ok()?;
        }
        let room = self.inline[0].as_mut()?.prepend(count)?;
        self.len += count as u32;
        Some(room)
    }

    /// Drops bytes from the front, at most all; the first view has the first byte afterwards.
    pub fn advance(&mut self, count: usize) {
        let mut left = count.min(self.len());
        self.len -= left as u32;
        loop {
            let is_last = self.inline[1].is_none();
            let Some(first) = &mut self.inline[0] else { return };
            if left < first.len() || is_last {
                return first.advance(left);
            }
            left -= first.len();
            self.inline[0] = None;
            self.inline.rotate_left(1);
            if !self.more.is_empty() {
                self.inline[INLINE - 1] = Some(self.more.remove(0));
            }
        }
    }

    /// Keeps the first `len` bytes: Ethernet pads short packets.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.len() {
            return;
        }
        let mut left = len;
        for slice in self.slices_mut() {
            slice.truncate(left);
            left -= slice.len();
        }
        self.len = len as u32;
        while self.more.last().is_some_and(Slice::is_empty) {
            self.more.pop();
        }
        for place in self.inline[1..].iter_mut().rev() {
            if place.as_ref().is_some_and(Slice::is_empty) {
                *place = None;
            }
        }
    }

    /// Sees to it that the first view has the first `count` bytes, and returns those; copies if it has to. `None` if the packet has fewer, they do not fit
    /// into a cluster, or there is no memory.
    #[must_use]
    pub fn pull(&mut self, count: usize) -> Option<&[u8]> {
        if count > self.len() {
            return None;
        }
        if self.head().len() < count {
            let mut front = Slice::alloc(Size::Half, 0)?;
            self.copy_to(0, front.extend(count)?);
            let (checksum, gso) = (self.checksum, self.gso);
            self.advance(count);
            self.push_front(front).ok()?;
            (self.checksum, self.gso) = (checksum, gso);
        }
        self.head().get(..count)
    }

    /// Copies bytes from `offset` on, as many as there are and fit; returns how many.
    pub fn copy_to(&self, offset: usize, out: &mut [u8]) -> usize {
        let (mut skip, mut done) = (offset, 0);
        for slice in self.slices() {
            let bytes = slice.bytes();
            let bytes = &bytes[skip.min(bytes.len())..];
            skip -= skip.min(slice.len());
            let count = bytes.len().min(out.len() - done);
            out[done..done + count].copy_from_slice(&bytes[..count]);
            done += count;
        }
        done
    }

    /// A copy of all its bytes in a heap of its own; for tests and traces.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut all = alloc::vec![0; self.len()];
        self.copy_to(0, &mut all);
        all
    }

    /// Whether every cluster of the packet is its own.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        self.slices().all(|slice| Buf::is_unique(slice.buf()))
    }
}

impl core::fmt::Debug for Packet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Packet({} bytes in {}, {:?}, {:?})", self.len, self.slice_count(), self.checksum, self.gso)
    }
}
