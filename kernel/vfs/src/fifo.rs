//! Open fifos (mkfifo(2)): a pipe that is found by name. Its bytes are gone when nobody has it open.

use alloc::rc::Rc;
use core::any::Any;

use rump_kern::errno::Errno;
use rump_kern::file::flag::{FNONBLOCK, FREAD, FWRITE};
use rump_kern::file::poll::{READABLE, WRITABLE};
use rump_kern::file::{Attr, File, FileHead, FileOps, FileRef, Filter, FilterState};
use rump_kern::pipe::Pipe;
use rump_kern::selinfo::SelInfo;
use rump_kern::uio::Uio;

use crate::vnode::VnodeRef;

/// An open fifo.
pub struct FifoFile {
    vnode: VnodeRef,
    pipe: Rc<Pipe>,
}

/// Opens a fifo: waits for the other side, as open(2) says, unless it is not to.
///
/// # Errors
/// ENXIO to write without waiting when nobody reads; EINTR, ERESTART.
pub fn open(vnode: VnodeRef, flags: u32) -> Result<FileRef, Errno> {
    let pipe = Rc::clone(vnode.state().fifo.borrow_mut().get_or_insert_with(|| Rc::new(Pipe::new())));
    let nonblock = flags & FNONBLOCK != 0;
    if flags & (FREAD | FWRITE) == FWRITE && nonblock && pipe.readers() == 0 {
        return Err(Errno::ENXIO);
    }
    if flags & FREAD != 0 {
        pipe.open_reader();
    }
    if flags & FWRITE != 0 {
        pipe.open_writer();
    }
    // From here on, dropping the file closes what was opened.
    let file = File::new(flags, FifoFile { vnode, pipe: Rc::clone(&pipe) });
    if !nonblock {
        match flags & (FREAD | FWRITE) {
            FREAD => pipe.wait_for_writer()?,
            FWRITE => pipe.wait_for_reader()?,
            _ => {}
        }
    }
    Ok(file)
}

impl FifoFile {
    /// The file.
    #[must_use]
    pub fn vnode(&self) -> &VnodeRef {
        &self.vnode
    }
}

impl FileOps for FifoFile {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_vnode(&self) -> bool {
        true
    }

    fn read(&self, head: &FileHead, uio: &mut Uio<'_>) -> Result<(), Errno> {
        self.pipe.read(uio, head.wait())
    }

    fn write(&self, head: &FileHead, uio: &mut Uio<'_>) -> Result<(), Errno> {
        self.pipe.write(uio, head.wait())
    }

    fn ioctl(&self, _head: &FileHead, cmd: u64, data: &mut [u8]) -> Result<i32, Errno> {
        self.pipe.ioctl(cmd, data)
    }

    fn poll(&self, head: &FileHead, events: u32) -> u32 {
        (if head.has(FREAD) { self.pipe.poll_reader(events & !WRITABLE) } else { 0 })
            | (if head.has(FWRITE) { self.pipe.poll_writer(events & !READABLE) } else { 0 })
    }

    fn selinfo(&self, filter: Filter) -> Option<&SelInfo> {
        match filter {
            Filter::Vnode => Some(&self.vnode.state().sel),
            _ => self.pipe.selinfo(filter),
        }
    }

    /// As NetBSD does, the filters look at the fifo, whichever way the descriptor was opened: programs ask for both ways of whatever
    /// descriptor they have.
    fn filter(&self, _head: &FileHead, filter: Filter) -> Result<FilterState, Errno> {
        match filter {
            Filter::Read => Ok(self.pipe.filter_reader()),
            Filter::Write => Ok(self.pipe.filter_writer()),
            Filter::Empty => Ok(self.pipe.filter_empty()),
            Filter::Vnode => Ok(FilterState::default()),
        }
    }

    fn stat(&self, _head: &FileHead) -> Result<Attr, Errno> {
        Ok(self.vnode.attr())
    }

    fn pathconf(&self, _head: &FileHead, name: i32) -> Result<i64, Errno> {
        crate::calls::attr::pathconf(&self.vnode, name)
    }

    fn close(&self, head: &FileHead) {
        if head.has(FREAD) {
            self.pipe.close_reader();
        }
        if head.has(FWRITE) {
            self.pipe.close_writer();
        }
        if self.pipe.readers() == 0 && self.pipe.writers() == 0 {
            *self.vnode.state().fifo.borrow_mut() = None;
        }
    }
}
