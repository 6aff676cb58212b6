//! Descriptors (filedesc(9)): a process's table of open files, and the system calls that work on any open file.
//!
//! - [`dup`] makes and unmakes descriptors, [`fcntl`] changes them; [`rw`] transfers; [`attr`] asks and sets what a file is.
//!
//! The lowest free number is found through a two-level bit map: two tests in the common case, one step for 4,096
//! descriptors otherwise. The table grows by doubling up to RLIMIT_NOFILE, whose hard limit is [`FD_MAX`].

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use crate::errno::Errno;
use crate::file::FileRef;

pub mod attr;
pub mod dup;
pub mod fcntl;
pub mod rw;

/// Most descriptors of a process.
pub const FD_MAX: usize = 1 << 17;

/// FD_CLOEXEC.
pub const FD_CLOEXEC: u8 = 1;
/// FD_CLOFORK.
pub const FD_CLOFORK: u8 = 2;

const WORD_BITS: usize = 64;

/// Something that is attached to a descriptor and has to know when that is closed: a knote.
pub trait FdWatcher {
    /// The descriptor is being closed. Must not touch the table.
    fn fd_closed(&self);
}

/// A descriptor in use.
struct Slot {
    file: FileRef,
    /// FD_CLOEXEC and FD_CLOFORK.
    flags: u8,
    watchers: Vec<Rc<dyn FdWatcher>>,
}

#[derive(Default)]
struct Inner {
    slots: Vec<Option<Slot>>,
    /// Bit set: the descriptor is in use.
    low: Vec<u64>,
    /// Bit set: all 64 descriptors of a word of `low` are in use.
    high: Vec<u64>,
    /// How many are in use.
    count: usize,
}

impl Inner {
    fn mark(&mut self, fd: usize) {
        let word = fd / WORD_BITS;
        self.low[word] |= 1 << (fd % WORD_BITS);
        if self.low[word] == u64::MAX {
            self.high[word / WORD_BITS] |= 1 << (word % WORD_BITS);
        }
        self.count += 1;
    }

    fn clear(&mut self, fd: usize) {
        let word = fd / WORD_BITS;
        self.low[word] &= !(1 << (fd % WORD_BITS));
        self.high[word / WORD_BITS] &= !(1 << (word % WORD_BITS));
        self.count -= 1;
    }

    /// The lowest free number that is at least `from`; it may lie after the end of the table.
    fn lowest_free(&self, from: usize) -> usize {
        let mut word = from / WORD_BITS;
        let Some(&bits) = self.low.get(word) else { return from };
        let free = !bits & (u64::MAX << (from % WORD_BITS));
        if free != 0 {
            return word * WORD_BITS + free.trailing_zeros() as usize;
        }
        word += 1;
        while word < self.low.len() {
            let free = !self.high[word / WORD_BITS] & (u64::MAX << (word % WORD_BITS));
            if free == 0 {
                word = (word / WORD_BITS + 1) * WORD_BITS;
                continue;
            }
            word = word / WORD_BITS * WORD_BITS + free.trailing_zeros() as usize;
            return match self.low.get(word) {
                Some(&bits) => word * WORD_BITS + (!bits).trailing_zeros() as usize,
                None => word * WORD_BITS,
            };
        }
        word.min(self.low.len()) * WORD_BITS
    }

    /// Makes the table reach to `fd`.
    fn grow(&mut self, fd: usize) -> Result<(), Errno> {
        if fd < self.slots.len() {
            return Ok(());
        }
        let len = (fd + 1).next_power_of_two().clamp(WORD_BITS, FD_MAX);
        let words = len.div_ceil(WORD_BITS);
        let high = words.div_ceil(WORD_BITS);
        self.slots.try_reserve_exact(len - self.slots.len()).map_err(|_| Errno::ENOMEM)?;
        self.low.try_reserve_exact(words - self.low.len()).map_err(|_| Errno::ENOMEM)?;
        self.high.try_reserve_exact(high - self.high.len()).map_err(|_| Errno::ENOMEM)?;
        self.slots.resize_with(len, || None);
        self.low.resize(words, 0);
        self.high.resize(high, 0);
        Ok(())
    }

    fn put(&mut self, fd: usize, file: FileRef, flags: u8) {
        self.mark(fd);
        self.slots[fd] = Some(Slot { file, flags, watchers: Vec::new() });
    }

    fn slot(&self, fd: i32) -> Result<&Slot, Errno> {
        let slot = usize::try_from(fd).ok().and_then(|fd| self.slots.get(fd));
        slot.and_then(Option::as_ref).ok_or(Errno::EBADF)
    }

    fn slot_mut(&mut self, fd: i32) -> Result<&mut Slot, Errno> {
        let slot = usize::try_from(fd).ok().and_then(|fd| self.slots.get_mut(fd));
        slot.and_then(Option::as_mut).ok_or(Errno::EBADF)
    }

    fn take(&mut self, fd: usize) -> Option<Slot> {
        let slot = self.slots.get_mut(fd)?.take()?;
        self.clear(fd);
        Some(slot)
    }
}

/// Closes what a descriptor stood for. The table is not borrowed meanwhile: the file's close operation may wait.
fn release(slot: Slot) {
    for watcher in &slot.watchers {
        watcher.fd_closed();
    }
    drop(slot);
}

/// The number as the application sees it.
fn number(fd: usize) -> i32 {
    // At most FD_MAX.
    fd as i32
}

/// A process's table of open files.
#[derive(Default)]
pub struct FileDescTable {
    inner: RefCell<Inner>,
}

impl FileDescTable {
    /// A table without open files.
    #[must_use]
    pub const fn new() -> Self {
        Self { inner: RefCell::new(Inner { slots: Vec::new(), low: Vec::new(), high: Vec::new(), count: 0 }) }
    }

    /// fd_getfile(9): the open file behind a descriptor.
    ///
    /// # Errors
    /// EBADF.
    #[inline]
    pub fn get(&self, fd: i32) -> Result<FileRef, Errno> {
        Ok(Rc::clone(&self.inner.borrow().slot(fd)?.file))
    }

    /// fd_alloc(9) and fd_affix(9): gives the file the lowest free number that is at least `from`.
    ///
    /// # Errors
    /// EMFILE if RLIMIT_NOFILE (`limit`) is reached, ENOMEM.
    pub fn install_from(&self, file: FileRef, flags: u8, from: usize, limit: usize) -> Result<i32, Errno> {
        let mut inner = self.inner.borrow_mut();
        let fd = inner.lowest_free(from);
        if fd >= limit.min(FD_MAX) {
            return Err(Errno::EMFILE);
        }
        inner.grow(fd)?;
        inner.put(fd, file, flags);
        Ok(number(fd))
    }

    /// Gives the file the lowest free number.
    ///
    /// # Errors
    /// EMFILE, ENOMEM.
    pub fn install(&self, file: FileRef, flags: u8) -> Result<i32, Errno> {
        self.install_from(file, flags, 0, crate::rlimit::nofile())
    }

    /// Makes sure that the next [`FileDescTable::install`] will succeed.
    ///
    /// # Errors
    /// EMFILE, ENOMEM.
    pub fn check_room(&self) -> Result<(), Errno> {
        let mut inner = self.inner.borrow_mut();
        let fd = inner.lowest_free(0);
        if fd >= crate::rlimit::nofile().min(FD_MAX) { Err(Errno::EMFILE) } else { inner.grow(fd) }
    }

    /// Puts the file at this number, which closes what was there (dup2(2)).
    ///
    /// # Errors
    /// EBADF if the number is out of range, ENOMEM.
    pub fn install_at(&self, file: FileRef, flags: u8, fd: i32, limit: usize) -> Result<(), Errno> {
        let fd = usize::try_from(fd).ok().filter(|&fd| fd < limit.min(FD_MAX)).ok_or(Errno::EBADF)?;
        let old = {
            let mut inner = self.inner.borrow_mut();
            inner.grow(fd)?;
            let old = inner.take(fd);
            inner.put(fd, file, flags);
            old
        };
        if let Some(old) = old {
            release(old);
        }
        Ok(())
    }

    /// fd_close(9).
    ///
    /// # Errors
    /// EBADF.
    pub fn close(&self, fd: i32) -> Result<(), Errno> {
        let fd = usize::try_from(fd).map_err(|_| Errno::EBADF)?;
        let slot = self.inner.borrow_mut().take(fd).ok_or(Errno::EBADF)?;
        release(slot);
        Ok(())
    }

    /// The highest descriptor in use; -1 if there is none.
    #[must_use]
    pub fn highest(&self) -> i32 {
        let inner = self.inner.borrow();
        let word = inner.low.iter().rposition(|&bits| bits != 0);
        word.map_or(-1, |word| {
            number(word * WORD_BITS + WORD_BITS - 1 - inner.low[word].leading_zeros() as usize)
        })
    }

    /// How many descriptors are in use.
    #[must_use]
    pub fn count(&self) -> usize {
        self.inner.borrow().count
    }

    /// FD_CLOEXEC and FD_CLOFORK of a descriptor.
    ///
    /// # Errors
    /// EBADF.
    pub fn flags(&self, fd: i32) -> Result<u8, Errno> {
        Ok(self.inner.borrow().slot(fd)?.flags)
    }

    /// Sets FD_CLOEXEC and FD_CLOFORK of a descriptor.
    ///
    /// # Errors
    /// EBADF.
    pub fn set_flags(&self, fd: i32, flags: u8) -> Result<(), Errno> {
        self.inner.borrow_mut().slot_mut(fd)?.flags = flags;
        Ok(())
    }

    /// Tells `watcher` when the descriptor is closed.
    ///
    /// # Errors
    /// EBADF, ENOMEM.
    pub fn watch(&self, fd: i32, watcher: Rc<dyn FdWatcher>) -> Result<(), Errno> {
        let mut inner = self.inner.borrow_mut();
        let watchers = &mut inner.slot_mut(fd)?.watchers;
        watchers.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        watchers.push(watcher);
        Ok(())
    }

    /// Takes that back.
    pub fn unwatch(&self, fd: i32, watcher: *const ()) {
        if let Ok(slot) = self.inner.borrow_mut().slot_mut(fd)
            && let Some(at) = slot.watchers.iter().position(|other| Rc::as_ptr(other).cast() == watcher)
        {
            slot.watchers.swap_remove(at);
        }
    }
}

/// The open file behind a descriptor of the calling process.
///
/// # Errors
/// EBADF.
#[inline]
pub fn getfile(fd: i32) -> Result<FileRef, Errno> {
    crate::curproc().fd.get(fd)
}

/// The same, which must be open for this ([`crate::file::flag::FREAD`], [`crate::file::flag::FWRITE`]).
///
/// # Errors
/// EBADF.
#[inline]
pub fn getfile_for(fd: i32, access: u32) -> Result<FileRef, Errno> {
    let file = getfile(fd)?;
    if file.head.has(access) { Ok(file) } else { Err(Errno::EBADF) }
}

/// Descriptor flags from the O_CLOEXEC and O_CLOFORK of open(2) and its like.
#[must_use]
pub fn fd_flags(oflags: i32) -> u8 {
    const O_CLOEXEC: i32 = 0x0040_0000;
    const O_CLOFORK: i32 = 0x0800_0000;
    (if oflags & O_CLOEXEC != 0 { FD_CLOEXEC } else { 0 })
        | (if oflags & O_CLOFORK != 0 { FD_CLOFORK } else { 0 })
}

/// Makes descriptors 0, 1 and 2 of a new process stand for `console`.
///
/// # Errors
/// ENOMEM.
pub fn install_stdio(table: &FileDescTable, console: &FileRef) -> Result<(), Errno> {
    for fd in 0..3 {
        table.install_at(Rc::clone(console), 0, fd, FD_MAX)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
