//! Socket buffers (`struct sockbuf`): data that wait to be read, or to be sent.
//!
//! A buffer holds a stream of bytes or a queue of records, whichever its protocol has ([`crate::PrFlags::ATOMIC`]). Bytes lie in clusters
//! ([`rump_hypercall::net::Buf`]); what the application writes is copied into them once, what a device has received is not copied at all.
//!
//! - In a stream every cluster's view knows its position since the stream's beginning, so that TCP finds what to send again in O(log n). Control
//!   messages are marks at positions: a read ends before one, and the next one gets it.
//! - Small records share clusters: [`DENSE_MAX`] bytes or less are copied together, so that many of them do not take a page each.
//!
//! `stream` and `record` have the operations of the two.
//!
//! What is taken out may close files when it is dropped (descriptors in flight), which changes other sockets: so nothing is dropped while
//! a buffer is borrowed.

use alloc::collections::VecDeque;
use core::cell::{Cell, RefCell};

use rump_hypercall::net::Slice;
use rump_hypercall::sync::CondVar;
use rump_kern::selinfo::SelInfo;

use crate::control::Control;

mod record;
mod stream;
#[cfg(test)]
mod tests;

pub use record::{DENSE_MAX, Record, packet_from_uio, packet_to_uio};

/// Largest buffer that SO_RCVBUF and SO_SNDBUF give (kern.sbmax).
pub use rump_kern::sysctl::tree::SB_MAX;

/// A piece of a stream.
struct Chunk {
    /// Its first byte's position.
    start: u64,
    slice: Slice,
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
    /// The last piece's cluster was taken for what the application writes, so that more of that can go on in it.
    own: bool,
    /// What the records cost.
    records_cost: usize,
    /// A cluster with room for small records.
    dense: Option<Slice>,
}

/// A buffer.
pub struct SockBuf {
    queue: RefCell<Queue>,
    /// Bytes in it.
    len: Cell<usize>,
    /// Control messages at positions of the stream, and records: counts that need no borrow.
    marks: Cell<usize>,
    records: Cell<usize>,
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
            marks: Cell::new(0),
            records: Cell::new(0),
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
        self.len.get() == 0 && self.records.get() == 0
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
        self.marks.set(0);
        self.records.set(0);
        drop(queue);
        drop(old);
    }
}
