//! Records in a socket buffer: datagrams.

use rump_hypercall::net::{Packet, Size, Slice};
use rump_kern::errno::Errno;
use rump_kern::uio::Uio;

use super::{Queue, SockBuf};
use crate::control::Control;
use crate::sockaddr::SockAddr;

/// Records of at most this many bytes are copied into shared clusters.
pub const DENSE_MAX: usize = 256;

/// What a record costs beside its bytes.
const RECORD_COST: usize = size_of::<Record>();

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

impl Queue {
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
}

impl SockBuf {
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
        self.records.set(queue.records.len());
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
        let waits = self.records.get() > 0;
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
        self.records.set(queue.records.len());
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
        self.records.get()
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
