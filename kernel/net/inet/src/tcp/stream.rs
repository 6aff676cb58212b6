//! A stream of bytes held in views of clusters: what is to be sent and may have to be sent again, and what was received and not read.
//!
//! Bytes are never moved: segments refer to the views of the send queue, and the receive queue takes the views that a packet came in. Only small
//! pieces are copied together, since each view keeps a whole cluster from the pool.

use alloc::collections::VecDeque;

use rump_hypercall::net::{Packet, Size, Slice};

/// Received pieces smaller than this are copied behind each other: a queue of them would otherwise hold many times its bytes in memory.
pub const DENSE: usize = 512;

/// The stream.
#[derive(Default)]
pub struct Stream {
    slices: VecDeque<Slice>,
    len: usize,
    /// Where the last look ended: a view, and the offset of its first byte.
    cursor: (usize, usize),
}

/// There was no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoBufs;

impl Stream {
    /// Bytes in it.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether it is empty.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a view as it is.
    ///
    /// # Errors
    /// [`NoBufs`] if there is no memory for the list.
    pub fn push(&mut self, slice: Slice) -> Result<(), NoBufs> {
        if slice.is_empty() {
            return Ok(());
        }
        self.slices.try_reserve(1).map_err(|_| NoBufs)?;
        self.len += slice.len();
        self.slices.push_back(slice);
        Ok(())
    }

    /// Appends a received view: a small one by copying.
    ///
    /// # Errors
    /// [`NoBufs`]; some of its bytes may have been appended.
    pub fn push_dense(&mut self, slice: Slice) -> Result<(), NoBufs> {
        if slice.len() >= DENSE { self.push(slice) } else { self.append(slice.bytes()) }
    }

    /// Appends a copy of bytes.
    ///
    /// # Errors
    /// [`NoBufs`]; some of the bytes may have been appended.
    pub fn append(&mut self, mut bytes: &[u8]) -> Result<(), NoBufs> {
        if let Some(last) = self.slices.back_mut() {
            let done = last.append(bytes);
            self.len += done;
            bytes = &bytes[done..];
        }
        while !bytes.is_empty() {
            let size = if bytes.len() > Size::Half.capacity() { Size::Page } else { Size::Half };
            let mut slice = Slice::alloc(size, 0).ok_or(NoBufs)?;
            let done = slice.append(bytes);
            bytes = &bytes[done..];
            self.push(slice)?;
        }
        Ok(())
    }

    /// Room to write up to `wanted` bytes at the end, at least one; they are part of the stream at once. What is not filled is taken back with
    /// [`Stream::truncate`].
    ///
    /// # Errors
    /// [`NoBufs`].
    pub fn extend(&mut self, wanted: usize) -> Result<&mut [u8], NoBufs> {
        let room = self.slices.back().map_or(0, Slice::room_after);
        if room == 0 {
            let size = if wanted > Size::Half.capacity() { Size::Page } else { Size::Half };
            self.slices.try_reserve(1).map_err(|_| NoBufs)?;
            self.slices.push_back(Slice::alloc(size, 0).ok_or(NoBufs)?);
        }
        let last = self.slices.back_mut().ok_or(NoBufs)?;
        let count = wanted.min(last.room_after());
        let bytes = last.extend(count).ok_or(NoBufs)?;
        self.len += count;
        Ok(bytes)
    }

    /// Keeps the first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        while self.len > len {
            let Some(last) = self.slices.back_mut() else { return };
            let surplus = self.len - len;
            if surplus < last.len() {
                last.truncate(last.len() - surplus);
                self.len = len;
            } else {
                self.len -= last.len();
                self.slices.pop_back();
            }
        }
        self.cursor = (0, 0);
    }

    /// Drops bytes from the front, at most all.
    pub fn advance(&mut self, count: usize) {
        let mut left = count.min(self.len);
        self.len -= left;
        self.cursor.1 = self.cursor.1.saturating_sub(left);
        while left > 0 {
            let Some(first) = self.slices.front_mut() else { return };
            if left < first.len() {
                first.advance(left);
                if self.cursor.0 == 0 {
                    self.cursor.1 = 0;
                }
                return;
            }
            left -= first.len();
            self.slices.pop_front();
            self.cursor.0 = self.cursor.0.saturating_sub(1);
        }
        if self.slices.is_empty() {
            self.cursor = (0, 0);
            if self.slices.capacity() > 8 {
                // An idle connection is to be small.
                self.slices = VecDeque::new();
            }
        }
    }

    /// The first piece of bytes.
    #[inline]
    #[must_use]
    pub fn front(&self) -> &[u8] {
        self.slices.front().map_or(&[], Slice::bytes)
    }

    /// The pieces.
    pub fn slices(&self) -> impl Iterator<Item = &Slice> {
        self.slices.iter()
    }

    /// Takes the first view out.
    pub fn pop(&mut self) -> Option<Slice> {
        let slice = self.slices.front()?.clone();
        self.advance(slice.len());
        Some(slice)
    }

    /// Calls `f` with views of `len` bytes from `offset` on, as far as the stream has them. Looking at one range after the other costs nothing for what lies before.
    pub fn gather(&mut self, offset: usize, len: usize, mut f: impl FnMut(&Slice, usize, usize)) {
        if offset < self.cursor.1 || self.cursor.0 >= self.slices.len() {
            self.cursor = (0, 0);
        }
        let (mut index, mut start) = self.cursor;
        let mut at = offset;
        let end = (offset + len).min(self.len);
        while at < end {
            let Some(slice) = self.slices.get(index) else { return };
            if at >= start + slice.len() {
                start += slice.len();
                index += 1;
                continue;
            }
            let count = (end - at).min(start + slice.len() - at);
            f(slice, at - start, count);
            at += count;
            self.cursor = (index, start);
        }
    }

    /// Puts views of `len` bytes from `offset` on into a packet; few bytes are copied into it where its first view has room.
    ///
    /// # Errors
    /// [`NoBufs`].
    pub fn fill(&mut self, offset: usize, len: usize, packet: &mut Packet) -> Result<(), NoBufs> {
        let mut result = Ok(());
        self.gather(offset, len, |slice, from, count| {
            if result.is_ok() {
                result = packet.push(slice.part(from, count)).map_err(|_| NoBufs);
            }
        });
        result
    }

    /// Moves everything from another stream to the end of this one.
    ///
    /// # Errors
    /// [`NoBufs`]; then some of it may have been moved.
    pub fn take(&mut self, other: &mut Self) -> Result<(), NoBufs> {
        while let Some(slice) = other.pop() {
            self.push_dense(slice)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn contents(stream: &mut Stream, offset: usize, len: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        stream.gather(offset, len, |slice, from, count| bytes.extend(&slice.bytes()[from..from + count]));
        bytes
    }

    vcpu_tests! {
        fn against_a_vector() {
            let mut stream = Stream::default();
            let mut model: Vec<u8> = Vec::new();
            let mut state = 5_u64;
            for step in 0..3000_u32 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let count = (state >> 40) as usize % 3000;
                match state >> 61 {
                    0 => {
                        let bytes: Vec<u8> = (0..count as u32).map(|i| (i * 7 + step) as u8).collect();
                        stream.append(&bytes).unwrap();
                        model.extend(bytes);
                    }
                    1 => {
                        let slice = Slice::from_bytes(&model[..model.len().min(count)], 3).unwrap();
                        model.extend_from_within(..model.len().min(count));
                        stream.push_dense(slice).unwrap();
                    }
                    2 => {
                        let room = stream.extend(count.max(1)).unwrap();
                        room.fill(step as u8);
                        let filled = room.len();
                        model.resize(model.len() + filled, step as u8);
                        if state & 1 == 0 {
                            stream.truncate(model.len() - filled / 2);
                            model.truncate(model.len() - filled / 2);
                        }
                    }
                    3 | 4 => {
                        stream.advance(count);
                        model.drain(..count.min(model.len()));
                    }
                    _ => {
                        let offset = (state >> 8) as usize % (model.len() + 1);
                        let end = (offset + count).min(model.len());
                        assert_eq!(contents(&mut stream, offset, count), &model[offset..end]);
                    }
                }
                assert_eq!(stream.len(), model.len());
            }
            let all = stream.len();
            assert_eq!(contents(&mut stream, 0, all), model);
        }

        fn small_pieces_share_a_cluster() {
            let mut stream = Stream::default();
            for i in 0..100_u8 {
                stream.push_dense(Slice::from_bytes(&[i; 10], 0).unwrap()).unwrap();
            }
            assert_eq!((stream.len(), stream.slices().count()), (1000, 1));
        }
    }
}
