//! Files of tmpfs, and what can be done with them.

use alloc::boxed::Box;
use alloc::rc::{Rc, Weak};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::cell::{Cell, RefCell};

use rump_kern::clock::{Timespec, nanotime};
use rump_kern::errno::Errno;
use rump_kern::file::Attr;
use rump_kern::pagestore::PageStore;
use rump_kern::uio::Uio;
use rump_kern::uvm::{PAGE_SIZE, UvmObject};
use rump_vfs::mount::Mount;
use rump_vfs::vnode::{DirEntry, Kind, Listing, New, NewAttr, SetAttr, Vnode, VnodeRef, VnodeState};

use crate::dir::{Dir, FIRST_COOKIE};

/// Most names of a file.
const LINK_MAX: u32 = 32767;

/// What the files of one file system share.
pub struct Shared {
    /// `st_dev`.
    pub dev: u64,
    /// The number of the next file.
    pub next_ino: Cell<u64>,
    /// Where it is mounted.
    pub mount: RefCell<Weak<Mount>>,
    /// How many files there are.
    pub nodes: Cell<u64>,
}

/// What a file is made of.
pub enum Body {
    /// A regular file's content.
    Regular(Arc<PageStore>),
    /// A directory's entries.
    Directory(RefCell<Dir>),
    /// A symbolic link's path.
    Link(Box<[u8]>),
    /// A device's number.
    Char(u64),
    /// A fifo, whose bytes are faction vfs's.
    Fifo,
    /// A socket, which is faction net's.
    Socket,
}

/// What can be changed of a file besides its content.
#[derive(Clone, Copy)]
pub struct Meta {
    /// Permissions.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Names; a directory's own entry and those of its subdirectories count.
    pub nlink: u32,
    /// chflags(2).
    pub flags: u32,
    /// Last read.
    pub atime: Timespec,
    /// Last change of content.
    pub mtime: Timespec,
    /// Last change of anything.
    pub ctime: Timespec,
    /// Made.
    pub birthtime: Timespec,
}

/// A file.
pub struct Node {
    shared: Rc<Shared>,
    this: Weak<Node>,
    ino: u64,
    meta: RefCell<Meta>,
    /// It was read since `atime` was last looked at: what it costs to read a clock is not spent in every read(2).
    accessed: Cell<bool>,
    body: Body,
    state: VnodeState,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.shared.nodes.set(self.shared.nodes.get() - 1);
        let Body::Directory(dir) = &mut self.body else { return };
        // What is in it goes with it, however deep it is: one directory after the other, as the kernel's stack is small.
        let mut doomed = Vec::new();
        doomed.extend(dir.get_mut().take_all());
        while let Some(entries) = doomed.pop() {
            for mut node in entries.into_values().filter_map(|(_, node)| Rc::into_inner(node)) {
                if let Body::Directory(dir) = &mut node.body {
                    doomed.extend(dir.get_mut().take_all());
                }
            }
        }
    }
}

impl Node {
    /// A file without a name.
    #[must_use]
    pub fn new(shared: &Rc<Shared>, body: Body, attr: NewAttr) -> Rc<Self> {
        let ino = shared.next_ino.get();
        shared.next_ino.set(ino + 1);
        shared.nodes.set(shared.nodes.get() + 1);
        let now = nanotime();
        let meta = Meta {
            mode: attr.mode,
            uid: attr.uid,
            gid: attr.gid,
            nlink: if matches!(body, Body::Directory(_)) { 1 } else { 0 },
            flags: 0,
            atime: now,
            mtime: now,
            ctime: now,
            birthtime: now,
        };
        Rc::new_cyclic(|this| Self {
            shared: Rc::clone(shared),
            this: Weak::clone(this),
            ino,
            meta: RefCell::new(meta),
            accessed: Cell::new(false),
            body,
            state: VnodeState::default(),
        })
    }

    /// Its content, if it is a regular file.
    #[must_use]
    pub fn store(&self) -> Option<&Arc<PageStore>> {
        match &self.body {
            Body::Regular(store) => Some(store),
            _ => None,
        }
    }

    /// Keeps a file without a name, a root, from counting as removed.
    pub fn keep(&self) {
        self.add_links(1);
    }

    /// Sets the times of a file that came with the image.
    pub fn set_times(&self, time: Timespec) {
        let mut meta = self.meta.borrow_mut();
        (meta.atime, meta.mtime, meta.ctime, meta.birthtime) = (time, time, time, time);
    }

    fn dir(&self) -> Result<&RefCell<Dir>, Errno> {
        match &self.body {
            Body::Directory(dir) => Ok(dir),
            _ => Err(Errno::ENOTDIR),
        }
    }

    fn regular(&self) -> Result<&Arc<PageStore>, Errno> {
        self.store().ok_or(Errno::EINVAL)
    }

    fn is_dir(&self) -> bool {
        matches!(self.body, Body::Directory(_))
    }

    /// The content changed.
    fn modified(&self) {
        let now = nanotime();
        let mut meta = self.meta.borrow_mut();
        (meta.mtime, meta.ctime) = (now, now);
    }

    /// Something else changed.
    fn changed(&self) {
        self.meta.borrow_mut().ctime = nanotime();
    }

    fn add_links(&self, count: u32) {
        self.meta.borrow_mut().nlink += count;
    }

    fn drop_links(&self, count: u32) {
        let mut meta = self.meta.borrow_mut();
        meta.nlink = meta.nlink.saturating_sub(count);
    }

    /// The same file as tmpfs sees it.
    fn of(vnode: &VnodeRef) -> Result<Rc<Self>, Errno> {
        let node = vnode.as_any().downcast_ref::<Self>().ok_or(Errno::EXDEV)?;
        node.this.upgrade().ok_or(Errno::ENOENT)
    }

    /// Puts a file into this directory.
    ///
    /// # Errors
    /// ENOTDIR, EEXIST, ENOENT, EMLINK.
    pub fn insert(&self, name: &[u8], node: Rc<Self>) -> Result<(), Errno> {
        let dir = self.dir()?;
        if node.meta.borrow().nlink >= LINK_MAX || node.is_dir() && self.meta.borrow().nlink >= LINK_MAX {
            return Err(Errno::EMLINK);
        }
        dir.borrow_mut().insert(name, Rc::clone(&node))?;
        node.add_links(1);
        if let Body::Directory(child) = &node.body {
            child.borrow_mut().parent = Weak::clone(&self.this);
            self.add_links(1);
        }
        self.modified();
        Ok(())
    }

    /// Takes a file out of this directory.
    fn take(&self, name: &[u8]) -> Result<Rc<Self>, Errno> {
        let node = self.dir()?.borrow_mut().remove(name).ok_or(Errno::ENOENT)?;
        node.drop_links(1);
        if node.is_dir() {
            self.drop_links(1);
        }
        self.modified();
        node.changed();
        Ok(node)
    }

    /// The end of a directory that was taken out and will not come back.
    fn retire(&self) {
        if let Body::Directory(dir) = &self.body {
            let mut dir = dir.borrow_mut();
            (dir.removed, dir.parent) = (true, Weak::new());
            drop(dir);
            self.drop_links(1);
        }
    }

    fn child(&self, name: &[u8]) -> Result<Rc<Self>, Errno> {
        self.dir()?.borrow().get(name).cloned().ok_or(Errno::ENOENT)
    }

    /// The file of this name, if this is a directory that has one.
    #[must_use]
    pub fn entry(&self, name: &[u8]) -> Option<Rc<Self>> {
        self.child(name).ok()
    }

    /// Makes a file in this directory. It gets the directory's group, as on every BSD.
    ///
    /// # Errors
    /// As [`Node::insert`].
    pub fn make(&self, name: &[u8], body: Body, attr: NewAttr) -> Result<Rc<Self>, Errno> {
        let gid = self.meta.borrow().gid;
        let node = Self::new(&self.shared, body, NewAttr { gid, ..attr });
        self.insert(name, Rc::clone(&node))?;
        Ok(node)
    }
}

impl Vnode for Node {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn state(&self) -> &VnodeState {
        &self.state
    }

    fn kind(&self) -> Kind {
        match self.body {
            Body::Regular(_) => Kind::Regular,
            Body::Directory(_) => Kind::Directory,
            Body::Link(_) => Kind::Link,
            Body::Char(_) => Kind::Char,
            Body::Fifo => Kind::Fifo,
            Body::Socket => Kind::Socket,
        }
    }

    fn mount(&self) -> Option<Rc<Mount>> {
        self.shared.mount.borrow().upgrade()
    }

    fn attr(&self) -> Attr {
        const BLOCK: u64 = 512;
        if self.accessed.take() {
            self.meta.borrow_mut().atime = nanotime();
        }
        let meta = *self.meta.borrow();
        let (size, blocks) = match &self.body {
            Body::Regular(store) => (store.size(), store.resident_pages() * (PAGE_SIZE as u64 / BLOCK)),
            Body::Directory(dir) => (dir.borrow().len() as u64 * 32 + 64, 1),
            Body::Link(path) => (path.len() as u64, 1),
            Body::Char(_) | Body::Fifo | Body::Socket => (0, 0),
        };
        Attr {
            dev: self.shared.dev,
            ino: self.ino,
            mode: self.kind().format() | meta.mode,
            nlink: meta.nlink,
            uid: meta.uid,
            gid: meta.gid,
            rdev: if let Body::Char(rdev) = self.body { rdev } else { 0 },
            size: size.cast_signed(),
            blocks: blocks.cast_signed(),
            blksize: PAGE_SIZE as u32,
            flags: meta.flags,
            generation: 0,
            atime: meta.atime,
            mtime: meta.mtime,
            ctime: meta.ctime,
            birthtime: meta.birthtime,
        }
    }

    fn set_attr(&self, change: &SetAttr) -> Result<(), Errno> {
        let mut meta = self.meta.borrow_mut();
        meta.mode = change.mode.unwrap_or(meta.mode);
        meta.uid = change.uid.unwrap_or(meta.uid);
        meta.gid = change.gid.unwrap_or(meta.gid);
        meta.flags = change.flags.unwrap_or(meta.flags);
        if let Some(atime) = change.atime {
            self.accessed.set(false);
            meta.atime = atime;
        }
        if let Some(mtime) = change.mtime {
            meta.mtime = mtime;
            // A file is not younger than its content.
            if (mtime.sec, mtime.nsec) < (meta.birthtime.sec, meta.birthtime.nsec) {
                meta.birthtime = mtime;
            }
        }
        meta.ctime = nanotime();
        Ok(())
    }

    fn read(&self, uio: &mut Uio<'_>, offset: u64) -> Result<(), Errno> {
        self.accessed.set(true);
        self.regular()?.read(uio, offset)
    }

    fn write(&self, uio: &mut Uio<'_>, offset: u64) -> Result<(), Errno> {
        let asked = uio.resid();
        let result = self.regular()?.write(uio, offset);
        if uio.resid() < asked {
            self.modified();
        }
        result
    }

    fn truncate(&self, length: u64) -> Result<(), Errno> {
        self.regular()?.set_size(length)?;
        self.modified();
        Ok(())
    }

    fn allocate(&self, offset: u64, len: u64) -> Result<(), Errno> {
        self.regular()?.allocate(offset, len)?;
        self.modified();
        Ok(())
    }

    fn discard(&self, offset: u64, len: u64) -> Result<(), Errno> {
        self.regular()?.discard(offset, len)?;
        self.modified();
        Ok(())
    }

    fn seek_data(&self, offset: u64, data: bool) -> Result<Option<u64>, Errno> {
        Ok(self.regular()?.seek_data(offset, data))
    }

    fn object(&self) -> Result<Arc<dyn UvmObject>, Errno> {
        let store = self.store().ok_or(Errno::ENODEV)?;
        Ok(Arc::<PageStore>::clone(store))
    }

    fn readlink(&self) -> Result<Vec<u8>, Errno> {
        match &self.body {
            Body::Link(path) => Ok(path.to_vec()),
            _ => Err(Errno::EINVAL),
        }
    }

    fn lookup(&self, name: &[u8]) -> Result<VnodeRef, Errno> {
        Ok(self.child(name)?)
    }

    fn parent(&self) -> Result<VnodeRef, Errno> {
        let parent = self.dir()?.borrow().parent.upgrade();
        Ok(parent.or_else(|| self.this.upgrade()).ok_or(Errno::ENOENT)?)
    }

    fn name_of(&self, child: &VnodeRef) -> Result<Vec<u8>, Errno> {
        let child = Self::of(child)?;
        self.dir()?.borrow().name_of(&child).ok_or(Errno::ENOENT)
    }

    fn create(&self, name: &[u8], new: &New<'_>, attr: NewAttr) -> Result<VnodeRef, Errno> {
        let body = match new {
            New::Regular => Body::Regular(PageStore::new()),
            New::Directory => Body::Directory(RefCell::new(Dir::new(Weak::new()))),
            New::Link(path) => Body::Link(Box::from(*path)),
            New::Char(rdev) => Body::Char(*rdev),
            New::Fifo => Body::Fifo,
            New::Socket => Body::Socket,
        };
        Ok(self.make(name, body, attr)?)
    }

    fn link(&self, name: &[u8], file: &VnodeRef) -> Result<(), Errno> {
        let file = Self::of(file)?;
        self.insert(name, Rc::clone(&file))?;
        file.changed();
        Ok(())
    }

    fn remove(&self, name: &[u8]) -> Result<(), Errno> {
        if self.child(name)?.is_dir() {
            return Err(Errno::EPERM);
        }
        self.take(name).map(|_| ())
    }

    fn rmdir(&self, name: &[u8]) -> Result<(), Errno> {
        let child = self.child(name)?;
        if !child.dir()?.borrow().is_empty() {
            return Err(Errno::ENOTEMPTY);
        }
        self.take(name)?.retire();
        Ok(())
    }

    fn rename(&self, from: &[u8], to_dir: &VnodeRef, to: &[u8]) -> Result<(), Errno> {
        let to_dir = Self::of(to_dir)?;
        let node = self.child(from)?;
        match to_dir.child(to) {
            Ok(existing) => {
                if let Body::Directory(dir) = &existing.body
                    && !dir.borrow().is_empty()
                {
                    return Err(Errno::ENOTEMPTY);
                }
                to_dir.take(to)?.retire();
            }
            Err(Errno::ENOENT) if !to_dir.dir()?.borrow().removed => {}
            Err(errno) => return Err(errno),
        }
        self.take(from)?;
        // The name is free and the directory is there: both were seen to just now.
        to_dir.insert(to, node)
    }

    fn readdir(&self, cookie: u64, sink: &mut dyn FnMut(&DirEntry<'_>) -> Listing) -> Result<(), Errno> {
        self.accessed.set(true);
        let parent = self.parent()?.attr().ino;
        let dir = self.dir()?.borrow();
        if dir.removed {
            return Ok(());
        }
        for (at, name, ino) in [(0, &b"."[..], self.ino), (1, &b".."[..], parent)] {
            if at >= cookie
                && sink(&DirEntry { ino, kind: Kind::Directory, name, next_cookie: at + 1 }) == Listing::Full
            {
                return Ok(());
            }
        }
        for (at, name, node) in dir.from(cookie.max(FIRST_COOKIE)) {
            let entry = DirEntry { ino: node.ino, kind: node.kind(), name, next_cookie: at + 1 };
            if sink(&entry) == Listing::Full {
                break;
            }
        }
        Ok(())
    }
}
