//! Open files (file(9)): what a descriptor stands for.
//!
//! An open file is a [`File`]: the state that every kind has (flags, offset) beside the kind's own, whose operations are [`FileOps`]. The
//! kinds are pipes, kqueues, devices and, in faction vfs, vnodes. Descriptors that dup(2) made share one.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::any::Any;
use core::cell::Cell;

use alloc::sync::Arc;

use crate::clock::Timespec;
use crate::errno::Errno;
use crate::selinfo::SelInfo;
use crate::uio::Uio;
use crate::uvm::UvmObject;

/// What an open file allows, and how it behaves (`f_flag`, sys/fcntl.h): FREAD and FWRITE, and the O_ flags.
#[expect(missing_docs, reason = "the flags' own names")]
pub mod flag {
    pub const FREAD: u32 = 0x1;
    pub const FWRITE: u32 = 0x2;
    pub const FNONBLOCK: u32 = 0x4;
    pub const FAPPEND: u32 = 0x8;
    pub const FASYNC: u32 = 0x40;
    pub const FFSYNC: u32 = 0x80;
    pub const FDSYNC: u32 = 0x0001_0000;
    pub const FRSYNC: u32 = 0x0002_0000;
    pub const FALTIO: u32 = 0x0004_0000;
    pub const FDIRECT: u32 = 0x0008_0000;
    pub const FNOSIGPIPE: u32 = 0x0100_0000;
    pub const FEXEC: u32 = 0x0400_0000;
    /// Those that fcntl(F_SETFL) sets.
    pub const FCNTLFLAGS: u32 =
        FAPPEND | FASYNC | FFSYNC | FNONBLOCK | FDSYNC | FRSYNC | FALTIO | FDIRECT | FNOSIGPIPE;
    /// Those that are kept after open(2).
    pub const FMASK: u32 = FREAD | FWRITE | FCNTLFLAGS | FEXEC;
}

/// Readiness (poll(2)).
#[expect(missing_docs, reason = "the events' own names")]
pub mod poll {
    pub const POLLIN: u32 = 0x001;
    pub const POLLPRI: u32 = 0x002;
    pub const POLLOUT: u32 = 0x004;
    pub const POLLERR: u32 = 0x008;
    pub const POLLHUP: u32 = 0x010;
    pub const POLLNVAL: u32 = 0x020;
    pub const POLLRDNORM: u32 = 0x040;
    pub const POLLRDBAND: u32 = 0x080;
    pub const POLLWRBAND: u32 = 0x100;
    /// What a file that can always be read shows.
    pub const READABLE: u32 = POLLIN | POLLRDNORM;
    /// What a file that can always be written shows.
    pub const WRITABLE: u32 = POLLOUT | POLLWRBAND;
}

/// What stat(2) tells of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attr {
    /// The file system.
    pub dev: u64,
    /// The file in it.
    pub ino: u64,
    /// Kind and permissions (S_IFMT and the rest).
    pub mode: u32,
    /// Hard links.
    pub nlink: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Which device a device node stands for.
    pub rdev: u64,
    /// Bytes.
    pub size: i64,
    /// Blocks of 512 bytes in use.
    pub blocks: i64,
    /// The size for efficient transfers, bytes.
    pub blksize: u32,
    /// chflags(2).
    pub flags: u32,
    /// How often the number has been reused.
    pub generation: u32,
    /// Last read.
    pub atime: Timespec,
    /// Last change of content.
    pub mtime: Timespec,
    /// Last change of anything.
    pub ctime: Timespec,
    /// Made.
    pub birthtime: Timespec,
}

/// Which filter a knote uses (kqueue(2)), of those that look at an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// EVFILT_READ.
    Read,
    /// EVFILT_WRITE.
    Write,
    /// EVFILT_VNODE.
    Vnode,
    /// EVFILT_EMPTY: what was written has all been taken.
    Empty,
}

/// What a filter says of an open file now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilterState {
    /// Bytes that can be read or written.
    pub data: i64,
    /// The other side is gone.
    pub eof: bool,
    /// Worth an event (where the knote does not set a low-water mark of its own).
    pub ready: bool,
}

/// The kinds of advisory lock that flock(2) sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// LOCK_SH.
    Shared,
    /// LOCK_EX.
    Exclusive,
}

/// Whether an operation waits for what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// It sleeps.
    Yes,
    /// It fails with EWOULDBLOCK.
    No,
}

/// What every open file has.
pub struct FileHead {
    /// See [`flag`].
    pub flags: Cell<u32>,
    /// Where the next read or write begins, where the kind has a place for that.
    pub offset: Cell<i64>,
    /// flock(2) holds a lock through this file.
    pub has_lock: Cell<bool>,
}

impl FileHead {
    /// Whether all of `flags` are set.
    #[inline]
    #[must_use]
    pub fn has(&self, flags: u32) -> bool {
        self.flags.get() & flags == flags
    }

    /// What tells this open file from others.
    #[must_use]
    pub fn id(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Whether the file waits for data or room.
    #[inline]
    #[must_use]
    pub fn wait(&self) -> Wait {
        if self.has(flag::FNONBLOCK) { Wait::No } else { Wait::Yes }
    }
}

/// An open file.
pub struct File<T: ?Sized + FileOps = dyn FileOps> {
    /// What every kind has.
    pub head: FileHead,
    /// The kind's own.
    pub ops: T,
}

/// A reference to an open file; the last one closes it.
pub type FileRef = Rc<File<dyn FileOps>>;

impl<T: FileOps + 'static> File<T> {
    /// An open file with these flags.
    pub fn new(flags: u32, ops: T) -> Rc<Self> {
        let head = FileHead { flags: Cell::new(flags), offset: Cell::new(0), has_lock: Cell::new(false) };
        Rc::new(Self { head, ops })
    }
}

impl<T: ?Sized + FileOps> Drop for File<T> {
    fn drop(&mut self) {
        self.ops.close(&self.head);
    }
}

/// What can be done with an open file. The layer above has checked that the file is open for reading or writing, that offsets are
/// not negative, and that the transfer is not empty where that matters.
pub trait FileOps {
    /// For those who know the kind.
    fn as_any(&self) -> &dyn Any;

    /// Whether it is a file of a file system: record locks and flock(2) are for those.
    fn is_vnode(&self) -> bool {
        false
    }

    /// read(2): at the file's offset, which it moves.
    ///
    /// # Errors
    /// The call's; what was transferred before is what `uio` says.
    fn read(&self, head: &FileHead, uio: &mut Uio<'_>) -> Result<(), Errno>;

    /// write(2): at the file's offset, which it moves.
    ///
    /// # Errors
    /// The call's; what was transferred before is what `uio` says.
    fn write(&self, head: &FileHead, uio: &mut Uio<'_>) -> Result<(), Errno>;

    /// pread(2).
    ///
    /// # Errors
    /// ESPIPE where there is no offset.
    fn pread(&self, _head: &FileHead, _uio: &mut Uio<'_>, _offset: u64) -> Result<(), Errno> {
        Err(Errno::ESPIPE)
    }

    /// pwrite(2).
    ///
    /// # Errors
    /// ESPIPE where there is no offset.
    fn pwrite(&self, _head: &FileHead, _uio: &mut Uio<'_>, _offset: u64) -> Result<(), Errno> {
        Err(Errno::ESPIPE)
    }

    /// lseek(2): the new offset.
    ///
    /// # Errors
    /// ESPIPE where there is no offset.
    fn seek(&self, _head: &FileHead, _offset: i64, _whence: i32) -> Result<i64, Errno> {
        Err(Errno::ESPIPE)
    }

    /// ioctl(2): `data` holds the argument, and is where the answer goes; its length is what `cmd` says.
    ///
    /// # Errors
    /// ENOTTY if the file knows no such request.
    fn ioctl(&self, _head: &FileHead, _cmd: u64, _data: &mut [u8]) -> Result<i32, Errno> {
        Err(Errno::ENOTTY)
    }

    /// poll(2): which of `events`, and which of POLLERR, POLLHUP and POLLNVAL, hold now.
    fn poll(&self, _head: &FileHead, events: u32) -> u32 {
        events & (poll::READABLE | poll::WRITABLE)
    }

    /// Whom to ask to be told when that changes; `None` if it never does.
    fn selinfo(&self, _filter: Filter) -> Option<&SelInfo> {
        None
    }

    /// kqueue(2): what the filter says now.
    ///
    /// # Errors
    /// EINVAL if the filter does not fit this kind.
    fn filter(&self, _head: &FileHead, filter: Filter) -> Result<FilterState, Errno> {
        match filter {
            Filter::Read | Filter::Write => Ok(FilterState { data: 0, eof: false, ready: true }),
            Filter::Vnode | Filter::Empty => Err(Errno::EINVAL),
        }
    }

    /// kqueue(2): `fflags` of an event with EV_EOF: a socket's error.
    fn filter_fflags(&self) -> u32 {
        0
    }

    /// fstat(2).
    ///
    /// # Errors
    /// The call's.
    fn stat(&self, head: &FileHead) -> Result<Attr, Errno>;

    /// ftruncate(2).
    ///
    /// # Errors
    /// EINVAL where there is no length.
    fn truncate(&self, _head: &FileHead, _length: u64) -> Result<(), Errno> {
        Err(Errno::EINVAL)
    }

    /// posix_fallocate(2): makes sure that the range has memory.
    ///
    /// # Errors
    /// ESPIPE, ENODEV where there is no such thing.
    fn allocate(&self, _head: &FileHead, _offset: u64, _len: u64) -> Result<(), Errno> {
        Err(Errno::ENODEV)
    }

    /// fdiscard(2): frees the range, which reads as zeros from then on.
    ///
    /// # Errors
    /// ENODEV where there is no such thing.
    fn discard(&self, _head: &FileHead, _offset: u64, _len: u64) -> Result<(), Errno> {
        Err(Errno::ENODEV)
    }

    /// fsync(2).
    ///
    /// # Errors
    /// EINVAL where there is nothing to be written back to.
    fn sync(&self, _head: &FileHead) -> Result<(), Errno> {
        Err(Errno::EINVAL)
    }

    /// fpathconf(2).
    ///
    /// # Errors
    /// EINVAL if the name means nothing here.
    fn pathconf(&self, _head: &FileHead, _name: i32) -> Result<i64, Errno> {
        Err(Errno::EINVAL)
    }

    /// fcntl(F_GETPATH).
    ///
    /// # Errors
    /// EOPNOTSUPP where there is no path.
    fn path(&self, _head: &FileHead) -> Result<Vec<u8>, Errno> {
        Err(Errno::EOPNOTSUPP)
    }

    /// flock(2): takes the lock for this file, or changes its kind. `id` tells open files apart.
    ///
    /// # Errors
    /// EOPNOTSUPP where there are no locks, EWOULDBLOCK.
    fn lock(&self, _head: &FileHead, _id: usize, _kind: LockKind, _wait: Wait) -> Result<(), Errno> {
        Err(Errno::EOPNOTSUPP)
    }

    /// flock(LOCK_UN).
    fn unlock(&self, _head: &FileHead, _id: usize) {}

    /// mmap(2): what supplies the pages, for a mapping that shows `len` bytes from `offset` on.
    ///
    /// # Errors
    /// ENODEV where it cannot be mapped.
    fn mmap(&self, _head: &FileHead, _offset: u64, _len: u64) -> Result<Arc<dyn UvmObject>, Errno> {
        Err(Errno::ENODEV)
    }

    /// The flags are about to become `flags` (fcntl(F_SETFL), ioctl(FIONBIO)).
    ///
    /// # Errors
    /// EINVAL if the file cannot do that.
    fn set_flags(&self, _head: &FileHead, _flags: u32) -> Result<(), Errno> {
        Ok(())
    }

    /// The last descriptor went.
    fn close(&self, _head: &FileHead) {}
}
