//! Open files of a file system (vn_read, vn_write … of NetBSD).

use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;

use rump_abi::ioctl::{FIONREAD, FIOSEEKDATA, FIOSEEKHOLE};
use rump_abi::unistd::{SEEK_CUR, SEEK_END, SEEK_SET};
use rump_kern::errno::Errno;
use rump_kern::file::flag::{FAPPEND, FWRITE};
use rump_kern::file::{Attr, File, FileHead, FileOps, Filter, FilterState, LockKind, Wait};
use rump_kern::ioctl::answer_int;
use rump_kern::selinfo::SelInfo;
use rump_kern::uio::Uio;
use rump_kern::uvm::UvmObject;

use crate::fifo::FifoFile;
use crate::namei;
use crate::note::{NOTE_CLOSE, NOTE_CLOSE_WRITE, NOTE_EXTEND, NOTE_READ, NOTE_WRITE, note};
use crate::vnode::{Kind, VnodeRef, same};

/// An open regular file or directory.
pub struct VnodeFile {
    vnode: VnodeRef,
    /// Under which name it was opened: fcntl(F_GETPATH).
    opened_as: Option<(VnodeRef, Vec<u8>)>,
}

impl VnodeFile {
    /// An open file, found under a name in a directory.
    #[must_use]
    pub fn new(vnode: VnodeRef, opened_as: Option<(VnodeRef, Vec<u8>)>) -> Self {
        Self { vnode, opened_as }
    }

    /// The file.
    #[must_use]
    pub fn vnode(&self) -> &VnodeRef {
        &self.vnode
    }

    fn check_not_directory(&self) -> Result<(), Errno> {
        if self.vnode.kind() == Kind::Directory { Err(Errno::EISDIR) } else { Ok(()) }
    }

    fn write_at(&self, uio: &mut Uio<'_>, offset: u64) -> Result<(), Errno> {
        self.check_not_directory()?;
        let watched = self.vnode.state().sel.is_watched();
        let size = if watched { self.vnode.attr().size } else { 0 };
        let result = self.vnode.write(uio, offset);
        if watched {
            let extended = if self.vnode.attr().size > size { NOTE_EXTEND } else { 0 };
            note(&*self.vnode, NOTE_WRITE | extended);
        }
        result
    }

    fn read_at(&self, uio: &mut Uio<'_>, offset: u64) -> Result<(), Errno> {
        self.check_not_directory()?;
        let result = self.vnode.read(uio, offset);
        note(&*self.vnode, NOTE_READ);
        result
    }
}

/// The vnode behind an open file.
///
/// # Errors
/// EINVAL if it is none of a file system.
pub fn vnode_of(file: &File<dyn FileOps>) -> Result<&VnodeRef, Errno> {
    let any = file.ops.as_any();
    if let Some(file) = any.downcast_ref::<VnodeFile>() {
        return Ok(&file.vnode);
    }
    any.downcast_ref::<FifoFile>().map(FifoFile::vnode).ok_or(Errno::EINVAL)
}

/// Moves the offset by what was transferred.
fn advance(head: &FileHead, start: i64, bytes: usize) {
    // A transfer has at most isize::MAX bytes, and files end below the largest offset.
    head.offset.set(start.saturating_add(bytes as i64));
}

fn position(head: &FileHead) -> Result<u64, Errno> {
    u64::try_from(head.offset.get()).map_err(|_| Errno::EINVAL)
}

/// What lseek(2) makes of an offset in a file of this size.
///
/// # Errors
/// EINVAL.
fn seek_to(head: &FileHead, offset: i64, whence: i32, size: i64) -> Result<i64, Errno> {
    let base = match whence {
        SEEK_SET => 0,
        SEEK_CUR => head.offset.get(),
        SEEK_END => size,
        _ => return Err(Errno::EINVAL),
    };
    base.checked_add(offset).filter(|&at| at >= 0).ok_or(Errno::EINVAL)
}

/// FIOSEEKDATA and FIOSEEKHOLE: `data` holds the offset, and then the answer.
fn seek_data(file: &VnodeFile, data: &mut [u8], wants_data: bool) -> Result<i32, Errno> {
    let slot = data.first_chunk_mut::<8>().ok_or(Errno::EINVAL)?;
    let offset = u64::try_from(i64::from_le_bytes(*slot)).map_err(|_| Errno::ENXIO)?;
    if offset >= file.vnode.attr().size.cast_unsigned() {
        return Err(Errno::ENXIO);
    }
    let found = file.vnode.seek_data(offset, wants_data)?.ok_or(Errno::ENXIO)?;
    *slot = found.to_le_bytes();
    Ok(0)
}

impl FileOps for VnodeFile {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_vnode(&self) -> bool {
        true
    }

    fn read(&self, head: &FileHead, uio: &mut Uio<'_>) -> Result<(), Errno> {
        let (start, asked) = (head.offset.get(), uio.resid());
        let result = self.read_at(uio, position(head)?);
        advance(head, start, asked - uio.resid());
        result
    }

    fn write(&self, head: &FileHead, uio: &mut Uio<'_>) -> Result<(), Errno> {
        if head.has(FAPPEND) {
            head.offset.set(self.vnode.attr().size);
        }
        let (start, asked) = (head.offset.get(), uio.resid());
        let result = self.write_at(uio, position(head)?);
        advance(head, start, asked - uio.resid());
        result
    }

    fn pread(&self, _head: &FileHead, uio: &mut Uio<'_>, offset: u64) -> Result<(), Errno> {
        self.read_at(uio, offset)
    }

    fn pwrite(&self, head: &FileHead, uio: &mut Uio<'_>, offset: u64) -> Result<(), Errno> {
        let offset = if head.has(FAPPEND) { self.vnode.attr().size.cast_unsigned() } else { offset };
        self.write_at(uio, offset)
    }

    fn seek(&self, head: &FileHead, offset: i64, whence: i32) -> Result<i64, Errno> {
        let size = if whence == SEEK_END { self.vnode.attr().size } else { 0 };
        let at = seek_to(head, offset, whence, size)?;
        head.offset.set(at);
        Ok(at)
    }

    fn ioctl(&self, head: &FileHead, cmd: u64, data: &mut [u8]) -> Result<i32, Errno> {
        match cmd {
            FIONREAD => {
                let left = self.vnode.attr().size.saturating_sub(head.offset.get()).max(0);
                answer_int(data, i32::try_from(left).unwrap_or(i32::MAX))
            }
            FIOSEEKDATA => seek_data(self, data, true),
            FIOSEEKHOLE => seek_data(self, data, false),
            _ => Err(Errno::ENOTTY),
        }
    }

    fn selinfo(&self, filter: Filter) -> Option<&SelInfo> {
        match filter {
            Filter::Read | Filter::Vnode => Some(&self.vnode.state().sel),
            Filter::Write | Filter::Empty => None,
        }
    }

    fn filter(&self, head: &FileHead, filter: Filter) -> Result<FilterState, Errno> {
        match filter {
            Filter::Read => {
                let data = self.vnode.attr().size.saturating_sub(head.offset.get());
                Ok(FilterState { data, eof: false, ready: data != 0 })
            }
            Filter::Write => Ok(FilterState { data: 0, eof: false, ready: true }),
            Filter::Vnode => Ok(FilterState::default()),
            Filter::Empty => Err(Errno::EINVAL),
        }
    }

    fn stat(&self, _head: &FileHead) -> Result<Attr, Errno> {
        Ok(self.vnode.attr())
    }

    fn truncate(&self, _head: &FileHead, length: u64) -> Result<(), Errno> {
        self.check_not_directory()?;
        self.vnode.truncate(length)?;
        note(&*self.vnode, NOTE_ATTRIB_AND_EXTEND);
        Ok(())
    }

    fn allocate(&self, _head: &FileHead, offset: u64, len: u64) -> Result<(), Errno> {
        self.vnode.allocate(offset, len)
    }

    fn discard(&self, _head: &FileHead, offset: u64, len: u64) -> Result<(), Errno> {
        self.vnode.discard(offset, len)
    }

    fn sync(&self, _head: &FileHead) -> Result<(), Errno> {
        self.vnode.mount().map_or(Ok(()), |mount| mount.fs.sync())
    }

    fn pathconf(&self, _head: &FileHead, name: i32) -> Result<i64, Errno> {
        crate::calls::attr::pathconf(&self.vnode, name)
    }

    fn path(&self, _head: &FileHead) -> Result<Vec<u8>, Errno> {
        if self.vnode.kind() == Kind::Directory {
            return namei::path_of(&self.vnode);
        }
        let (dir, name) = self.opened_as.as_ref().ok_or(Errno::ENOENT)?;
        if !same(&dir.lookup(name)?, &self.vnode) {
            return Err(Errno::ENOENT);
        }
        let mut path = namei::path_of(dir)?;
        if path.last() != Some(&b'/') {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        Ok(path)
    }

    fn lock(&self, _head: &FileHead, id: usize, kind: LockKind, wait: Wait) -> Result<(), Errno> {
        self.vnode.state().locks.lock(id, kind, wait)
    }

    fn unlock(&self, _head: &FileHead, id: usize) {
        self.vnode.state().locks.unlock(id);
    }

    fn mmap(&self, _head: &FileHead, _offset: u64, _len: u64) -> Result<Arc<dyn UvmObject>, Errno> {
        self.vnode.object()
    }

    fn close(&self, head: &FileHead) {
        if head.has_lock.get() {
            self.vnode.state().locks.unlock(head.id());
        }
        note(&*self.vnode, if head.has(FWRITE) { NOTE_CLOSE_WRITE } else { NOTE_CLOSE });
    }
}

const NOTE_ATTRIB_AND_EXTEND: u32 = crate::note::NOTE_ATTRIB | NOTE_EXTEND;

/// For [`VnodeFile::new`]: the name under which a file was found.
#[must_use]
pub fn opened_as(dir: &VnodeRef, name: Vec<u8>) -> Option<(VnodeRef, Vec<u8>)> {
    if name.is_empty() { None } else { Some((Rc::clone(dir), name)) }
}
