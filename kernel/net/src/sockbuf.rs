//! Socket buffers (`struct sockbuf`): data that wait to be read, or to be sent.
//!
//! A buffer holds a stream of bytes or a queue of records, whichever its protocol has ([`crate::PrFlags::ATOMIC`]). Bytes lie in clusters
//! ([`rump_hypercall::net::Buf`]); what the application writes is copied into them once, what a device has received is not copied at all.
//!
//! - In a stream every cluster's view knows its position since the stream's beginning, so that TCP finds what to send again in O(log n). Control
//!   messages are marks at positions: a read ends before one, and the next one gets it.
//! - Small records share clusters: [`DENSE_MAX`] bytes or less are copied together, so that many of them do not take a page each.
//!
//! What is taken out may close files when it is dropped (descriptors in flight), which changes other sockets: so nothing is dropped while
//! a buffer is borrowed.

use alloc::collections::VecDeque;
use core::cell::{Cell, RefCell};

use rump_hypercall::net::{Packet, Size, Slice};
use rump_hypercall::sync::CondVar;
use rump_kern::errno::Errno;
use rump_kern::selinfo::SelInfo;
use rump_kern::uio::Uio;

use crate::control::Control;
use crate::sockaddr::SockAddr;

/// Largest buffer that SO_RCVBUF and SO_SNDBUF give (kern.sbmax).
pub const SB_MAX: usize = 4 << 20;

/// Records of at most this many bytes are copied into shared clusters.
pub const DENSE_MAX: usize = 256;

/// What a record costs beside its bytes.
const RECORD_COST: usize = size_of::<Record>();

/// A piece of a stream.
struct Chunk {
    /// Its first byte's position.
    start: u64,
    slice: Slice,
}

/// A record.
#[derive(Debug, Default)]
pub struct Record {
    /// Its sender's address, where the protocol has that.
    pub from: Option<SockAddr>,
    /// Control messages.
    pub control: Option<Control>,
    /// The data.
    pub data: Packet,
}

#[derive(Default)]
struct Queue {
    chunks: VecDeque<Chunk>,
    /// Position of the first byte.
    head: u64,
    /// Position after the last byte.
    end: u64,
    /// Control messages for what begins at these positions.
    marks: VecDeque<(u64, Control)>,
    records: VecDeque<Record>,
    /// What the records cost.
    records_cost: usize,
    /// A cluster with room for small records.
    dense: Option<Slice>,
}

impl Queue {
    /// Appends an empty piece, whose cluster has room for `wanted` bytes or as many as one has.
    fn grow(&mut self, wanted: usize) -> Result<(), Errno> {
        self.chunks.try_reserve(1).map_err(|_| Errno::ENOBUFS)?;
        let size = if wanted <= Size::Half.capacity() { Size::Half } else { Size::Page };
        let slice = Slice::alloc(size, 0).ok_or(Errno::ENOBUFS)?;
        self.chunks.push_back(Chunk { start: self.end, slice });
        Ok(())
    }

    /// The last piece and how much can be appended to it.
    fn tail(&mut self) -> Option<(&mut Slice, usize)> {
        let slice = &mut self.chunks.back_mut()?.slice;
        let room = slice.room_after();
        (room > 0).then_some((slice, room))
    }

    /// A view of `len` bytes, at most [`DENSE_MAX`], that `fill` has filled, for a small record.
    fn carve(
        &mut self,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), Errno>,
    ) -> Result<Slice, Errno> {
        if self.dense.as_ref().is_none_or(|slice| slice.room_after() < len) {
            self.dense = Some(Slice::alloc(Size::Half, 0).ok_or(Errno::ENOBUFS)?);
        }
        let dense = self.dense.as_mut().ok_or(Errno::ENOBUFS)?;
        dense.advance(dense.len());
        fill(dense.extend(len).ok_or(Errno::ENOBUFS)?)?;
        Ok(dense.clone())
    }

    /// Index of the piece that holds this position.
    fn find(&self, position: u64) -> usize {
        self.chunks.partition_point(|chunk| chunk.start + chunk.slice.len() as u64 <= position)
    }
}

/// A buffer.
pub struct SockBuf {
    queue: RefCell<Queue>,
    /// Bytes in it.
    len: Cell<usize>,
    /// How many there may be: SO_RCVBUF, SO_SNDBUF.
    pub limit: Cell<usize>,
    /// SO_RCVLOWAT, SO_SNDLOWAT: how many bytes, or how much room, make it ready.
    pub low_water: Cell<usize>,
    /// SO_RCVTIMEO, SO_SNDTIMEO; 0 for none.
    pub timeout_ns: Cell<u64>,
    /// The size was set by the application, so the protocol leaves it alone.
    pub fixed_size: Cell<bool>,
    /// Somebody found no room, and wants to hear when there is.
    pub wanted: Cell<bool>,
    /// A transfer that takes several steps is under way: others wait for its end.
    pub busy: Cell<bool>,
    /// Who sleeps for the buffer.
    pub cv: CondVar,
    /// Who watches it.
    pub sel: SelInfo,
}

impl SockBuf {
    /// An empty buffer.
    #[must_use]
    pub fn new(limit: usize, low_water: usize) -> Self {
        Self {
            queue: RefCell::default(),
            len: Cell::new(0),
            limit: Cell::new(limit),
            low_water: Cell::new(low_water),
            timeout_ns: Cell::new(0),
            fixed_size: Cell::new(false),
            wanted: Cell::new(false),
            busy: Cell::new(false),
            cv: CondVar::new(),
            sel: SelInfo::new(),
        }
    }

    /// Bytes in it.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.len.get()
    }

    /// Whether there is nothing to be taken out: no byte, and no record, which may be empty.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len.get() == 0 && self.queue.borrow().records.is_empty()
    }

    /// Bytes that there is room for (sbspace).
    #[must_use]
    #[inline]
    pub fn space(&self) -> usize {
        self.limit.get().saturating_sub(self.len.get())
    }

    /// Wakes who sleeps for the buffer, and tells who watches it.
    #[inline]
    pub fn wake(&self) {
        self.wanted.set(false);
        if self.cv.has_waiters() {
            self.cv.broadcast();
        }
        self.sel.notify(0);
    }

    /// sbflush: empties it.
    pub fn flush(&self) {
        let mut queue = self.queue.borrow_mut();
        let (head, end) = (queue.end, queue.end);
        let old = core::mem::replace(&mut *queue, Queue { head, end, ..Queue::default() });
        self.len.set(0);
        drop(queue);
        drop(old);
    }

    // Streams.

    /// Appends up to `max` bytes of the application's to the stream; returns how many.
    ///
    /// # Errors
    /// EFAULT, ENOBUFS; nothing but whole pieces were appended then, and `uio` says how much that is.
    pub fn append_uio(&self, uio: &mut Uio<'_>, max: usize) -> Result<usize, Errno> {
        let queue = &mut *self.queue.borrow_mut();
        let total = max.min(uio.resid());
        let mut done = 0;
        while done < total {
            if queue.tail().is_none() {
                queue.grow(total - done)?;
            }
            let Some((slice, room)) = queue.tail() else { return Err(Errno::ENOBUFS) };
            let (before, count) = (slice.len(), room.min(total - done));
            let bytes = slice.extend(count).ok_or(Errno::ENOBUFS)?;
            if let Err(errno) = uio.copy_in(bytes) {
                slice.truncate(before);
                if before == 0 {
                    queue.chunks.pop_back();
                }
                return Err(errno);
            }
            queue.end += count as u64;
            self.len.set(self.len.get() + count);
            done += count;
        }
        Ok(done)
    }

    /// Appends a copy of `bytes` to the stream, into the last cluster if there is room.
    ///
    /// # Errors
    /// ENOBUFS, with nothing appended.
    pub fn append_bytes(&self, bytes: &[u8]) -> Result<(), Errno> {
        let queue = &mut *self.queue.borrow_mut();
        let (old_end, mut rest) = (queue.end, bytes);
        while !rest.is_empty() {
            if queue.tail().is_none()
                && let Err(errno) = queue.grow(rest.len())
            {
                // What was appended is taken back.
                let mut surplus = (queue.end - old_end) as usize;
                queue.end = old_end;
                while surplus > 0 {
                    let Some(last) = queue.chunks.back_mut() else { break };
                    let cut = surplus.min(last.slice.len());
                    last.slice.truncate(last.slice.len() - cut);
                    surplus -= cut;
                    if last.slice.is_empty() {
                        queue.chunks.pop_back();
                    }
                }
                return Err(errno);
            }
            let Some((slice, _)) = queue.tail() else { return Err(Errno::ENOBUFS) };
            let count = slice.append(rest);
            queue.end += count as u64;
            rest = &rest[count..];
        }
        self.len.set(self.len.get() + bytes.len());
        Ok(())
    }

    /// Appends a view to the stream, without a copy.
    ///
    /// # Errors
    /// ENOBUFS.
    pub fn append_slice(&self, slice: Slice) -> Result<(), Errno> {
        if slice.is_empty() {
            return Ok(());
        }
        let queue = &mut *self.queue.borrow_mut();
        queue.chunks.try_reserve(1).map_err(|_| Errno::ENOBUFS)?;
        self.len.set(self.len.get() + slice.len());
        let start = queue.end;
        queue.end += slice.len() as u64;
        queue.chunks.push_back(Chunk { start, slice });
        Ok(())
    }

    /// Attaches control messages to what is appended to the stream next.
    ///
    /// # Errors
    /// ENOBUFS.
    pub fn append_mark(&self, control: Control) -> Result<(), Errno> {
        let mut queue = self.queue.borrow_mut();
        if queue.marks.try_reserve(1).is_err() {
            drop(queue);
            return Err(Errno::ENOBUFS);
        }
        let end = queue.end;
        queue.marks.push_back((end, control));
        Ok(())
    }

    /// Takes back the control messages at the stream's end, to which nothing was appended after all.
    pub fn remove_mark(&self) {
        let mut queue = self.queue.borrow_mut();
        let at_end = queue.marks.back().is_some_and(|(at, _)| *at == queue.end);
        let mark = if at_end { queue.marks.pop_back() } else { None };
        drop(queue);
        drop(mark);
    }

    /// sbdrop: takes bytes off the stream's front.
    pub fn drop_front(&self, count: usize) {
        let queue = &mut *self.queue.borrow_mut();
        let count = count.min(self.len.get());
        let mut left = count;
        while left > 0 {
            let Some(first) = queue.chunks.front_mut() else { break };
            if left < first.slice.len() {
                first.slice.advance(left);
                first.start += left as u64;
                break;
            }
            left -= first.slice.len();
            queue.chunks.pop_front();
        }
        queue.head += count as u64;
        self.len.set(self.len.get() - count);
    }

    /// Appends views of the stream's bytes `offset..offset + len` to a packet, as far as there are any; returns how many.
    ///
    /// # Errors
    /// ENOBUFS.
    pub fn gather(&self, offset: usize, len: usize, packet: &mut Packet) -> Result<usize, Errno> {
        let queue = self.queue.borrow();
        let len = len.min(self.len.get().saturating_sub(offset));
        let position = queue.head + offset as u64;
        let mut index = queue.find(position);
        let mut done = 0;
        while done < len {
            let Some(chunk) = queue.chunks.get(index) else { break };
            // At most the length of a piece.
            let skip = (position + done as u64 - chunk.start) as usize;
            let part = chunk.slice.part(skip, len - done);
            done += part.len();
            packet.push(part).map_err(|_| Errno::ENOBUFS)?;
            index += 1;
        }
        Ok(done)
    }

    /// Copies the stream's bytes from `offset` on to `out`, as far as there are any; returns how many.
    pub fn copy_bytes(&self, offset: usize, out: &mut [u8]) -> usize {
        let queue = self.queue.borrow();
        let len = out.len().min(self.len.get().saturating_sub(offset));
        let position = queue.head + offset as u64;
        let mut done = 0;
        for chunk in queue.chunks.range(queue.find(position)..) {
            if done == len {
                break;
            }
            let skip = (position + done as u64 - chunk.start) as usize;
            let bytes = &chunk.slice.bytes()[skip..];
            let count = bytes.len().min(len - done);
            out[done..done + count].copy_from_slice(&bytes[..count]);
            done += count;
        }
        done
    }

    /// Bytes that one read may take from the stream: up to the next control messages that are not at its front.
    #[must_use]
    pub fn run_len(&self) -> usize {
        let queue = self.queue.borrow();
        let next = queue.marks.iter().map(|(at, _)| *at).find(|&at| at > queue.head);
        next.map_or(self.len.get(), |at| (at - queue.head) as usize)
    }

    /// Takes the control messages at the stream's front.
    #[must_use]
    pub fn take_mark(&self) -> Option<Control> {
        let mut queue = self.queue.borrow_mut();
        let at_front = queue.marks.front().is_some_and(|(at, _)| *at == queue.head);
        if at_front { queue.marks.pop_front().map(|(_, control)| control) } else { None }
    }

    /// Looks at the control messages at the stream's front: a copy without descriptors.
    #[must_use]
    pub fn peek_mark(&self) -> Option<Control> {
        let queue = self.queue.borrow();
        queue.marks.front().filter(|(at, _)| *at == queue.head).map(|(_, control)| control.without_rights())
    }

    /// Moves up to `max` bytes of the stream to the application.
    ///
    /// # Errors
    /// EFAULT; what `uio` says was moved is.
    pub fn read(&self, uio: &mut Uio<'_>, max: usize) -> Result<(), Errno> {
        let queue = &mut *self.queue.borrow_mut();
        let mut left = max.min(uio.resid());
        let mut result = Ok(());
        while left > 0 {
            let Some(first) = queue.chunks.front_mut() else { break };
            let bytes = first.slice.bytes();
            let before = uio.resid();
            let copied = uio.copy_out(&bytes[..bytes.len().min(left)]);
            let count = before - uio.resid();
            first.slice.advance(count);
            first.start += count as u64;
            if first.slice.is_empty() {
                queue.chunks.pop_front();
            }
            queue.head += count as u64;
            self.len.set(self.len.get() - count);
            left -= count;
            if let Err(errno) = copied {
                result = Err(errno);
                break;
            }
        }
        result
    }

    /// Copies up to `max` bytes of the stream to the application and leaves them there.
    ///
    /// # Errors
    /// EFAULT.
    pub fn peek(&self, uio: &mut Uio<'_>, max: usize) -> Result<(), Errno> {
        let queue = self.queue.borrow();
        let mut left = max.min(uio.resid());
        for chunk in &queue.chunks {
            if left == 0 {
                break;
            }
            let bytes = chunk.slice.bytes();
            left -= uio.copy_out(&bytes[..bytes.len().min(left)])?;
        }
        Ok(())
    }

    // Records.

    /// Whether a record of this length finds room.
    #[must_use]
    pub fn takes_record(&self, len: usize) -> bool {
        let cost = self.queue.borrow().records_cost;
        // Headers of small records cost memory, too: they get as much as the data may have.
        len <= self.space() && cost <= self.limit.get().saturating_mul(2)
    }

    fn push_record(&self, record: Record) -> Result<(), Errno> {
        let mut queue = self.queue.borrow_mut();
        if queue.records.try_reserve(1).is_err() {
            // The buffer first, then the record.
            drop(queue);
            return Err(Errno::ENOBUFS);
        }
        queue.records_cost += record.data.len() + RECORD_COST;
        self.len.set(self.len.get() + record.data.len());
        queue.records.push_back(record);
        Ok(())
    }

    /// sbappendaddr, sbappendrecord: appends a record. The caller wakes the readers.
    ///
    /// # Errors
    /// ENOBUFS if there is no room for it; then it is lost.
    pub fn append_record(&self, mut record: Record) -> Result<(), Errno> {
        let len = record.data.len();
        if !self.takes_record(len) {
            return Err(Errno::ENOBUFS);
        }
        // The first one is about to be read; those that have to wait are put together.
        let waits = !self.queue.borrow().records.is_empty();
        if waits && (1..=DENSE_MAX).contains(&len) {
            let copied = self.queue.borrow_mut().carve(len, |bytes| {
                record.data.copy_to(0, bytes);
                Ok(())
            });
            if let Ok(slice) = copied {
                record.data = Packet::new(slice);
            }
        }
        self.push_record(record)
    }

    /// Appends a record with all that is left of the application's data. The caller wakes the readers.
    ///
    /// # Errors
    /// EFAULT; ENOBUFS if there is no room.
    pub fn append_record_uio(
        &self,
        uio: &mut Uio<'_>,
        from: Option<SockAddr>,
        control: Option<Control>,
    ) -> Result<(), Errno> {
        let len = uio.resid();
        if !self.takes_record(len) {
            return Err(Errno::ENOBUFS);
        }
        let data = match len {
            0 => Packet::default(),
            1..=DENSE_MAX => {
                let fill = |bytes: &mut [u8]| uio.copy_in(bytes).map(|_| ());
                Packet::new(self.queue.borrow_mut().carve(len, fill)?)
            }
            _ => packet_from_uio(uio, 0)?,
        };
        self.push_record(Record { from, control, data })
    }

    /// Takes the first record.
    #[must_use]
    pub fn take_record(&self) -> Option<Record> {
        let mut queue = self.queue.borrow_mut();
        let record = queue.records.pop_front()?;
        queue.records_cost -= record.data.len() + RECORD_COST;
        if queue.records.is_empty() {
            queue.dense = None;
        }
        self.len.set(self.len.get() - record.data.len());
        Some(record)
    }

    /// Looks at the first record: a copy without descriptors, which shares the data.
    #[must_use]
    pub fn peek_record(&self) -> Option<Record> {
        let queue = self.queue.borrow();
        let record = queue.records.front()?;
        Some(Record {
            from: record.from.clone(),
            control: record.control.as_ref().map(Control::without_rights),
            data: record.data.clone(),
        })
    }

    /// Length of the first record; `None` if there is none.
    #[must_use]
    pub fn first_record_len(&self) -> Option<usize> {
        self.queue.borrow().records.front().map(|record| record.data.len())
    }

    /// How many records there are.
    #[must_use]
    pub fn record_count(&self) -> usize {
        self.queue.borrow().records.len()
    }

    /// Shows all control messages that wait in the buffer.
    pub fn each_control(&self, see: &mut dyn FnMut(&Control)) {
        let queue = self.queue.borrow();
        queue.marks.iter().for_each(|(_, control)| see(control));
        queue.records.iter().filter_map(|record| record.control.as_ref()).for_each(see);
    }
}

/// A packet with all that is left of the application's data, copied once, after `headroom` bytes of room for headers.
///
/// # Errors
/// EFAULT, ENOBUFS.
pub fn packet_from_uio(uio: &mut Uio<'_>, headroom: usize) -> Result<Packet, Errno> {
    let mut packet = Packet::default();
    let mut room_before = headroom;
    loop {
        let wanted = room_before + uio.resid();
        let size = if wanted <= Size::Half.capacity() { Size::Half } else { Size::Page };
        let mut slice = Slice::alloc(size, room_before).ok_or(Errno::ENOBUFS)?;
        let count = slice.room_after().min(uio.resid());
        uio.copy_in(slice.extend(count).ok_or(Errno::ENOBUFS)?)?;
        packet.push(slice).map_err(|_| Errno::ENOBUFS)?;
        if uio.resid() == 0 {
            return Ok(packet);
        }
        room_before = 0;
    }
}

/// Copies a packet's first bytes to the application, as many as it asks for.
///
/// # Errors
/// EFAULT.
pub fn packet_to_uio(packet: &Packet, uio: &mut Uio<'_>) -> Result<(), Errno> {
    for slice in packet.slices() {
        uio.copy_out(slice.bytes())?;
    }
    Ok(())
}
