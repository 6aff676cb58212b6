//! Pipes (pipe(2)), and the ring of bytes that fifos use too.
//!
//! A pipe carries bytes one way. Its ring has no memory before the first write, [`SMALL_RING`] bytes then, and [`BIG_RING`] when writers fill
//! that; empty big rings go back to the heap when the reader has drained them and the pipe is closed only, since a busy pipe would fill it again.
//! Writes of at most PIPE_BUF bytes are not interleaved with others' (POSIX.1, write). A waiting side is woken once per
//! transfer, and only if it waits.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::any::Any;
use core::cell::{Cell, RefCell};

use rump_abi::fcntl::{O_CLOEXEC, O_CLOFORK};
use rump_abi::ioctl::{FIONREAD, FIONSPACE, FIONWRITE};
use rump_abi::unistd::_PC_PIPE_BUF;
use rump_hypercall::sync::CondVar;
use rump_hypercall::time::NEVER;

use crate::clock::Timespec;
use crate::copy::copyout;
use crate::curproc;
use crate::errno::Errno;
use crate::file::poll::{POLLERR, POLLHUP, READABLE, WRITABLE};
use crate::file::{Attr, File, FileHead, FileOps, FileRef, Filter, FilterState, Wait, flag};
use crate::filedesc::fd_flags;
use crate::ioctl::answer_int;
use crate::selinfo::SelInfo;
use crate::sleep::sleep_sig;
use crate::syscall;
use crate::uio::Uio;

/// Writes up to this size are atomic (sys/syslimits.h).
pub const PIPE_BUF: usize = 512;

const SMALL_RING: usize = 4096;
const BIG_RING: usize = 65536;

/// S_IFIFO.
const S_IFIFO: u32 = 0o010_000;

/// A ring of bytes.
#[derive(Default)]
struct Ring {
    bytes: Vec<u8>,
    /// Where the oldest byte is.
    head: usize,
    /// Bytes in it.
    len: usize,
}

impl Ring {
    fn free(&self) -> usize {
        BIG_RING - self.len
    }

    /// Makes room for `wanted` more bytes where that is possible.
    fn make_room(&mut self, wanted: usize) -> Result<(), Errno> {
        let size = if self.len + wanted <= SMALL_RING { SMALL_RING } else { BIG_RING };
        if self.bytes.len() >= size {
            return Ok(());
        }
        let mut bytes = Vec::new();
        if bytes.try_reserve_exact(size).is_err() {
            // What there is has to do, if there is any.
            return if self.bytes.is_empty() { Err(Errno::ENOMEM) } else { Ok(()) };
        }
        let (first, second) = self.filled();
        bytes.extend_from_slice(first);
        bytes.extend_from_slice(second);
        bytes.resize(size, 0);
        (self.bytes, self.head) = (bytes, 0);
        Ok(())
    }

    fn filled(&self) -> (&[u8], &[u8]) {
        let end = self.head + self.len;
        let size = self.bytes.len();
        if end <= size {
            (&self.bytes[self.head..end], &[])
        } else {
            (&self.bytes[self.head..], &self.bytes[..end - size])
        }
    }

    /// Takes bytes out into `uio`.
    fn read(&mut self, uio: &mut Uio<'_>) -> Result<(), Errno> {
        while self.len > 0 && uio.resid() > 0 {
            let end = (self.head + self.len).min(self.bytes.len());
            let done = uio.copy_out(&self.bytes[self.head..end])?;
            self.len -= done;
            self.head = (self.head + done) % self.bytes.len();
        }
        if self.len == 0 {
            self.head = 0;
        }
        Ok(())
    }

    /// Puts bytes from `uio` in, as far as there is room. A write that has to be whole leaves nothing behind when it faults.
    fn write(&mut self, uio: &mut Uio<'_>) -> Result<(), Errno> {
        let before = self.len;
        let whole = uio.resid() <= PIPE_BUF;
        while self.len < self.bytes.len() && uio.resid() > 0 {
            let size = self.bytes.len();
            let start = (self.head + self.len) % size;
            let end = if start < self.head { self.head } else { size };
            match uio.copy_in(&mut self.bytes[start..end]) {
                Ok(done) => self.len += done,
                Err(errno) => {
                    if whole {
                        self.len = before;
                    }
                    return Err(errno);
                }
            }
        }
        Ok(())
    }
}

/// A pipe. Both ends refer to it.
pub struct Pipe {
    ring: RefCell<Ring>,
    /// Readers wait here for bytes.
    read_cv: CondVar,
    /// Writers wait here for room.
    write_cv: CondVar,
    read_sel: SelInfo,
    write_sel: SelInfo,
    readers: Cell<u32>,
    writers: Cell<u32>,
    ino: u64,
    times: Cell<[Timespec; 3]>,
}

static NEXT_INO: rump_hypercall::Giant<u64> = rump_hypercall::Giant::new(1);

impl Default for Pipe {
    fn default() -> Self {
        Self::new()
    }
}

impl Pipe {
    /// An empty pipe without ends.
    #[must_use]
    pub fn new() -> Self {
        let ino = NEXT_INO.get();
        NEXT_INO.set(ino + 1);
        let now = crate::clock::nanotime();
        Self {
            ring: RefCell::default(),
            read_cv: CondVar::new(),
            write_cv: CondVar::new(),
            read_sel: SelInfo::new(),
            write_sel: SelInfo::new(),
            readers: Cell::new(0),
            writers: Cell::new(0),
            ino,
            times: Cell::new([now; 3]),
        }
    }

    /// Opens the end to read from.
    pub fn open_reader(&self) {
        self.readers.set(self.readers.get() + 1);
        self.write_changed();
    }

    /// Opens the end to write to.
    pub fn open_writer(&self) {
        self.writers.set(self.writers.get() + 1);
        self.read_changed();
    }

    /// Closes the end to read from.
    pub fn close_reader(&self) {
        self.readers.set(self.readers.get() - 1);
        if self.readers.get() == 0 {
            self.write_changed();
        }
        self.closed();
    }

    /// Closes the end to write to.
    pub fn close_writer(&self) {
        self.writers.set(self.writers.get() - 1);
        if self.writers.get() == 0 {
            self.read_changed();
        }
        self.closed();
    }

    fn closed(&self) {
        if self.readers.get() == 0 && self.writers.get() == 0 {
            *self.ring.borrow_mut() = Ring::default();
        }
    }

    /// How many have it open to read.
    #[must_use]
    pub fn readers(&self) -> u32 {
        self.readers.get()
    }

    /// How many have it open to write.
    #[must_use]
    pub fn writers(&self) -> u32 {
        self.writers.get()
    }

    /// Something for readers: bytes, or the end.
    fn read_changed(&self) {
        if self.read_cv.has_waiters() {
            self.read_cv.broadcast();
        }
        self.read_sel.notify(0);
    }

    /// Something for writers: room, or the end.
    fn write_changed(&self) {
        if self.write_cv.has_waiters() {
            self.write_cv.broadcast();
        }
        self.write_sel.notify(0);
    }

    /// Waits until somebody has the other end open (a fifo's open(2)).
    ///
    /// # Errors
    /// EINTR, ERESTART.
    pub fn wait_for_writer(&self) -> Result<(), Errno> {
        while self.writers.get() == 0 && self.ring.borrow().len == 0 {
            sleep_sig(&self.read_cv, NEVER)?;
        }
        Ok(())
    }

    /// Waits until somebody reads (a fifo's open(2)).
    ///
    /// # Errors
    /// EINTR, ERESTART.
    pub fn wait_for_reader(&self) -> Result<(), Errno> {
        while self.readers.get() == 0 {
            sleep_sig(&self.write_cv, NEVER)?;
        }
        Ok(())
    }

    /// Reads what there is; waits for the first byte.
    ///
    /// # Errors
    /// EWOULDBLOCK, EINTR, ERESTART, EFAULT.
    pub fn read(&self, uio: &mut Uio<'_>, wait: Wait) -> Result<(), Errno> {
        if uio.resid() == 0 {
            return Ok(());
        }
        loop {
            let mut ring = self.ring.borrow_mut();
            if ring.len > 0 {
                let result = ring.read(uio);
                drop(ring);
                self.write_changed();
                return result;
            }
            drop(ring);
            if self.writers.get() == 0 {
                return Ok(());
            }
            if wait == Wait::No {
                return Err(Errno::EWOULDBLOCK);
            }
            sleep_sig(&self.read_cv, NEVER)?;
        }
    }

    /// Writes everything, waiting for room.
    ///
    /// # Errors
    /// EPIPE, EWOULDBLOCK, EINTR, ERESTART, EFAULT, ENOMEM.
    pub fn write(&self, uio: &mut Uio<'_>, wait: Wait) -> Result<(), Errno> {
        // A short write is whole or not there.
        let least = if uio.resid() <= PIPE_BUF { uio.resid() } else { 1 };
        while uio.resid() > 0 {
            if self.readers.get() == 0 {
                return Err(Errno::EPIPE);
            }
            let mut ring = self.ring.borrow_mut();
            if ring.free() >= least {
                ring.make_room(uio.resid())?;
            }
            let before = ring.len;
            if ring.bytes.len() - ring.len >= least {
                let result = ring.write(uio);
                let moved = ring.len > before;
                drop(ring);
                if moved {
                    self.read_changed();
                }
                result?;
                continue;
            }
            drop(ring);
            if wait == Wait::No {
                return Err(Errno::EWOULDBLOCK);
            }
            sleep_sig(&self.write_cv, NEVER)?;
        }
        Ok(())
    }

    /// Readiness of the end to read from.
    #[must_use]
    pub fn poll_reader(&self, events: u32) -> u32 {
        let mut ready = if self.ring.borrow().len > 0 { events & READABLE } else { 0 };
        if self.writers.get() == 0 {
            // Readable too: read(2) returns at once.
            ready |= POLLHUP | events & READABLE;
        }
        ready
    }

    /// Readiness of the end to write to.
    #[must_use]
    pub fn poll_writer(&self, events: u32) -> u32 {
        if self.readers.get() == 0 {
            return POLLERR | POLLHUP | events & WRITABLE;
        }
        if self.ring.borrow().free() >= PIPE_BUF { events & WRITABLE } else { 0 }
    }

    /// Whom to ask for changes.
    #[must_use]
    pub fn selinfo(&self, filter: Filter) -> Option<&SelInfo> {
        match filter {
            Filter::Read => Some(&self.read_sel),
            Filter::Write | Filter::Empty => Some(&self.write_sel),
            Filter::Vnode => None,
        }
    }

    /// EVFILT_READ of the end to read from.
    #[must_use]
    pub fn filter_reader(&self) -> FilterState {
        let (data, eof) = (self.ring.borrow().len, self.writers.get() == 0);
        FilterState { data: data as i64, eof, ready: data > 0 || eof }
    }

    /// EVFILT_WRITE of the end to write to.
    #[must_use]
    pub fn filter_writer(&self) -> FilterState {
        let (data, eof) = (self.ring.borrow().free(), self.readers.get() == 0);
        FilterState { data: data as i64, eof, ready: data >= PIPE_BUF || eof }
    }

    /// EVFILT_EMPTY of the end to write to.
    #[must_use]
    pub fn filter_empty(&self) -> FilterState {
        FilterState { data: 0, eof: self.readers.get() == 0, ready: self.ring.borrow().len == 0 }
    }

    /// EVFILT_READ or EVFILT_WRITE of an end whose direction that is not: pipes of NetBSD go both ways as far as kqueue(2) is
    /// concerned, so it may be asked for, but there is never anything to read or room to write until the `others` are gone.
    fn filter_other_way(others: u32) -> FilterState {
        FilterState { data: 0, eof: others == 0, ready: others == 0 }
    }

    /// FIONREAD and its like.
    ///
    /// # Errors
    /// ENOTTY.
    pub fn ioctl(&self, cmd: u64, data: &mut [u8]) -> Result<i32, Errno> {
        let ring = self.ring.borrow();
        // At most 64 KiB.
        match cmd {
            FIONREAD | FIONWRITE => answer_int(data, ring.len as i32),
            FIONSPACE => answer_int(data, ring.free() as i32),
            _ => Err(Errno::ENOTTY),
        }
    }

    fn attr(&self) -> Attr {
        let [atime, mtime, birthtime] = self.times.get();
        Attr {
            ino: self.ino,
            mode: S_IFIFO | 0o600,
            nlink: 1,
            blksize: BIG_RING as u32,
            size: self.ring.borrow().len as i64,
            atime,
            mtime,
            ctime: mtime,
            birthtime,
            ..Attr::default()
        }
    }
}

/// The end to read from.
pub struct ReadEnd(Rc<Pipe>);

/// The end to write to.
pub struct WriteEnd(Rc<Pipe>);

fn pathconf(name: i32) -> Result<i64, Errno> {
    if name == _PC_PIPE_BUF { Ok(PIPE_BUF as i64) } else { Err(Errno::EINVAL) }
}

impl FileOps for ReadEnd {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn read(&self, head: &FileHead, uio: &mut Uio<'_>) -> Result<(), Errno> {
        self.0.read(uio, head.wait())
    }

    fn write(&self, _head: &FileHead, _uio: &mut Uio<'_>) -> Result<(), Errno> {
        Err(Errno::EBADF)
    }

    fn ioctl(&self, _head: &FileHead, cmd: u64, data: &mut [u8]) -> Result<i32, Errno> {
        self.0.ioctl(cmd, data)
    }

    fn poll(&self, _head: &FileHead, events: u32) -> u32 {
        self.0.poll_reader(events)
    }

    fn selinfo(&self, filter: Filter) -> Option<&SelInfo> {
        matches!(filter, Filter::Read | Filter::Write).then_some(&self.0.read_sel)
    }

    fn filter(&self, _head: &FileHead, filter: Filter) -> Result<FilterState, Errno> {
        match filter {
            Filter::Read => Ok(self.0.filter_reader()),
            Filter::Write => Ok(Pipe::filter_other_way(self.0.writers())),
            Filter::Empty | Filter::Vnode => Err(Errno::EINVAL),
        }
    }

    fn stat(&self, _head: &FileHead) -> Result<Attr, Errno> {
        Ok(self.0.attr())
    }

    fn pathconf(&self, _head: &FileHead, name: i32) -> Result<i64, Errno> {
        pathconf(name)
    }

    fn close(&self, _head: &FileHead) {
        self.0.close_reader();
    }
}

impl FileOps for WriteEnd {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn read(&self, _head: &FileHead, _uio: &mut Uio<'_>) -> Result<(), Errno> {
        Err(Errno::EBADF)
    }

    fn write(&self, head: &FileHead, uio: &mut Uio<'_>) -> Result<(), Errno> {
        self.0.write(uio, head.wait())
    }

    fn ioctl(&self, _head: &FileHead, cmd: u64, data: &mut [u8]) -> Result<i32, Errno> {
        self.0.ioctl(cmd, data)
    }

    fn poll(&self, _head: &FileHead, events: u32) -> u32 {
        self.0.poll_writer(events)
    }

    fn selinfo(&self, filter: Filter) -> Option<&SelInfo> {
        (filter != Filter::Vnode).then_some(&self.0.write_sel)
    }

    fn filter(&self, _head: &FileHead, filter: Filter) -> Result<FilterState, Errno> {
        match filter {
            Filter::Write => Ok(self.0.filter_writer()),
            Filter::Empty => Ok(self.0.filter_empty()),
            Filter::Read => Ok(Pipe::filter_other_way(self.0.readers())),
            Filter::Vnode => Err(Errno::EINVAL),
        }
    }

    fn stat(&self, _head: &FileHead) -> Result<Attr, Errno> {
        Ok(self.0.attr())
    }

    fn pathconf(&self, _head: &FileHead, name: i32) -> Result<i64, Errno> {
        pathconf(name)
    }

    fn close(&self, _head: &FileHead) {
        self.0.close_writer();
    }
}

/// A pipe's two ends: to read from, to write to. `flags` are those of [`flag`] that both have besides.
#[must_use]
pub fn ends(flags: u32) -> (FileRef, FileRef) {
    let pipe = Rc::new(Pipe::new());
    pipe.open_reader();
    pipe.open_writer();
    let reader = File::new(flag::FREAD | flags, ReadEnd(Rc::clone(&pipe)));
    let writer = File::new(flag::FWRITE | flags, WriteEnd(pipe));
    (reader, writer)
}

fn make(oflags: i32) -> Result<(i32, i32), Errno> {
    const TAKEN: u32 = flag::FNONBLOCK | flag::FNOSIGPIPE;
    if oflags & !(TAKEN.cast_signed() | O_CLOEXEC | O_CLOFORK) != 0 {
        return Err(Errno::EINVAL);
    }
    if crate::uvm::fault::memory_is_short() {
        return Err(Errno::ENOMEM);
    }
    let (reader, writer) = ends(oflags.cast_unsigned() & TAKEN);
    let table = &curproc().fd;
    let read_fd = table.install(reader, fd_flags(oflags))?;
    match table.install(writer, fd_flags(oflags)) {
        Ok(write_fd) => Ok((read_fd, write_fd)),
        Err(errno) => {
            table.close(read_fd)?;
            Err(errno)
        }
    }
}

syscall! {
    /// pipe(2): both descriptors come back in registers.
    fn sys_pipe() -> Result<(i32, i32), Errno> {
        make(0)
    }
}

syscall! {
    /// pipe2(2): both descriptors are written to memory.
    fn sys_pipe2(addr: usize, oflags: i32) -> Result<(), Errno> {
        let (read_fd, write_fd) = make(oflags)?;
        copyout(&[read_fd, write_fd], addr).inspect_err(|_| {
            let table = &curproc().fd;
            for fd in [read_fd, write_fd] {
                // They were opened a moment ago, and nobody else has run since.
                let _ = table.close(fd);
            }
        })
    }
}

#[cfg(test)]
mod tests;
