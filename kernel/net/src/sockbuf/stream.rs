//! Streams of bytes in a socket buffer.

use rump_hypercall::net::{Packet, Size, Slice};
use rump_kern::errno::Errno;
use rump_kern::uio::Uio;

use super::{Chunk, Queue, SockBuf};
use crate::control::Control;

impl Queue {
    /// Appends an empty piece, whose cluster has room for `wanted` bytes or as many as one has.
    fn grow(&mut self, wanted: usize) -> Result<(), Errno> {
        self.chunks.try_reserve(1).map_err(|_| Errno::ENOBUFS)?;
        let size = if wanted <= Size::Half.capacity() { Size::Half } else { Size::Page };
        let slice = Slice::alloc(size, 0).ok_or(Errno::ENOBUFS)?;
        if self.chunks.back().is_some_and(|last| last.slice.is_empty()) {
            self.chunks.pop_back();
        }
        self.chunks.push_back(Chunk { start: self.end, slice });
        Ok(())
    }

    /// Whether the first piece, which was read, is kept since it is the only one and what is written next fits its cluster. Small messages need a new
    /// cluster once in some hundred, that way.
    fn keeps_last(&self) -> bool {
        let small = |chunk: &Chunk| chunk.slice.buf().capacity() == Size::Half.capacity();
        self.own && self.chunks.len() == 1 && self.chunks.front().is_some_and(small)
    }

    /// The last piece and how much can be appended to it.
    fn tail(&mut self) -> Option<(&mut Slice, usize)> {
        let slice = &mut self.chunks.back_mut()?.slice;
        let room = slice.room_after();
        (room > 0).then_some((slice, room))
    }

    /// Index of the piece that holds this position.
    fn find(&self, position: u64) -> usize {
        self.chunks.partition_point(|chunk| chunk.start + chunk.slice.len() as u64 <= position)
    }
}

impl SockBuf {
    /// Appends up to `max` bytes of the application's to the stream; returns how many.
    ///
    /// # Errors
    /// EFAULT, ENOBUFS; nothing but whole pieces were appended then, and `uio` says how much that is.
    pub fn append_uio(&self, uio: &mut Uio<'_>, max: usize) -> Result<usize, Errno> {
        let queue = &mut *self.queue.borrow_mut();
        queue.own = true;
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
        queue.own = false;
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
        queue.own = false;
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
        self.marks.set(queue.marks.len());
        Ok(())
    }

    /// Takes back the control messages at the stream's end, to which nothing was appended after all.
    pub fn remove_mark(&self) {
        let mut queue = self.queue.borrow_mut();
        let at_end = queue.marks.back().is_some_and(|(at, _)| *at == queue.end);
        let mark = if at_end { queue.marks.pop_back() } else { None };
        self.marks.set(queue.marks.len());
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
    #[inline]
    pub fn run_len(&self) -> usize {
        if self.marks.get() == 0 {
            return self.len.get();
        }
        let queue = self.queue.borrow();
        let next = queue.marks.iter().map(|(at, _)| *at).find(|&at| at > queue.head);
        next.map_or(self.len.get(), |at| (at - queue.head) as usize)
    }

    /// Takes the control messages at the stream's front.
    #[must_use]
    #[inline]
    pub fn take_mark(&self) -> Option<Control> {
        if self.marks.get() == 0 {
            return None;
        }
        let mut queue = self.queue.borrow_mut();
        let at_front = queue.marks.front().is_some_and(|(at, _)| *at == queue.head);
        let mark = if at_front { queue.marks.pop_front() } else { None };
        self.marks.set(queue.marks.len());
        mark.map(|(_, control)| control)
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
            if first.slice.is_empty() && !queue.keeps_last() {
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
}
