//! Component mem: devices that are all content and no hardware (null(4), zero(4), full(4), rnd(4)).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::rc::Rc;
use alloc::sync::Arc;
use core::any::Any;

use rump_hypercall::time;
use rump_kern::devsw::{self, Device, makedev};
use rump_kern::errno::Errno;
use rump_kern::file::{Attr, File, FileHead, FileOps, FileRef, Filter, FilterState};
use rump_kern::uio::Uio;
use rump_kern::uvm::{AnonObject, PAGE_SIZE, UvmObject};

rump_kern::component! {
    name: "mem",
    faction: "dev",
    needs: "vfs",
    when: "open openat",
    about: "null, zero, full, random and urandom",
    init: init
}

/// The major number of null and its like.
const MEM: u32 = 2;
/// The major number of random and urandom.
const RND: u32 = 46;

static DEVICES: [Device; 5] = [
    Device::new("null", makedev(MEM, 2), 0o666, open),
    Device::new("zero", makedev(MEM, 12), 0o666, open),
    Device::new("full", makedev(MEM, 11), 0o666, open),
    Device::new("random", makedev(RND, 0), 0o644, open),
    Device::new("urandom", makedev(RND, 1), 0o644, open),
];

fn init() {
    for device in &DEVICES {
        devsw::attach(device);
    }
}

/// What a device holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Nothing.
    Null,
    /// Zeros without end.
    Zero,
    /// The same, and no room.
    Full,
    /// Random bytes without end.
    Random,
}

struct MemFile {
    device: &'static Device,
    content: Content,
}

fn open(device: &'static Device, flags: u32) -> Result<FileRef, Errno> {
    let content = match device.name {
        "null" => Content::Null,
        "zero" => Content::Zero,
        "full" => Content::Full,
        _ => Content::Random,
    };
    Ok(File::new(flags, MemFile { device, content }) as Rc<File<dyn FileOps>>)
}

/// Random bytes are made this many at a time.
const CHUNK: usize = 512;

fn random(uio: &mut Uio<'_>) -> Result<(), Errno> {
    let mut chunk = [0; CHUNK];
    while uio.resid() > 0 {
        let len = uio.resid().min(CHUNK);
        time::random(&mut chunk[..len]);
        uio.copy_out(&chunk[..len])?;
    }
    Ok(())
}

impl FileOps for MemFile {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn read(&self, _head: &FileHead, uio: &mut Uio<'_>) -> Result<(), Errno> {
        match self.content {
            Content::Null => Ok(()),
            Content::Zero | Content::Full => uio.zero_out(usize::MAX).map(|_| ()),
            Content::Random => random(uio),
        }
    }

    fn write(&self, _head: &FileHead, uio: &mut Uio<'_>) -> Result<(), Errno> {
        if self.content == Content::Full && uio.resid() > 0 {
            return Err(Errno::ENOSPC);
        }
        // Random numbers come from the platform; what an application adds to them is as good as nothing.
        uio.discard();
        Ok(())
    }

    fn pread(&self, head: &FileHead, uio: &mut Uio<'_>, _offset: u64) -> Result<(), Errno> {
        self.read(head, uio)
    }

    fn pwrite(&self, head: &FileHead, uio: &mut Uio<'_>, _offset: u64) -> Result<(), Errno> {
        self.write(head, uio)
    }

    fn seek(&self, _head: &FileHead, _offset: i64, _whence: i32) -> Result<i64, Errno> {
        Ok(0)
    }

    fn filter(&self, _head: &FileHead, filter: Filter) -> Result<FilterState, Errno> {
        match filter {
            Filter::Read => Ok(FilterState { data: 0, eof: self.content == Content::Null, ready: true }),
            Filter::Write => Ok(FilterState { data: 0, eof: false, ready: true }),
            Filter::Vnode | Filter::Empty => Err(Errno::EINVAL),
        }
    }

    fn sync(&self, _head: &FileHead) -> Result<(), Errno> {
        // Everything has been written.
        Ok(())
    }

    fn stat(&self, _head: &FileHead) -> Result<Attr, Errno> {
        Ok(self.device.attr())
    }

    fn mmap(&self, _head: &FileHead, offset: u64, len: u64) -> Result<Arc<dyn UvmObject>, Errno> {
        if self.content != Content::Zero {
            return Err(Errno::ENODEV);
        }
        let end = offset.checked_add(len).and_then(|end| end.checked_next_multiple_of(PAGE_SIZE as u64));
        Ok(AnonObject::new(end.ok_or(Errno::EOVERFLOW)?))
    }
}
