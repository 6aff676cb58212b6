//! File systems and where they are mounted (vfsops(9), mount(2)).

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;

use rump_hypercall::Giant;
use rump_kern::errno::Errno;

use crate::vnode::VnodeRef;

/// How much a file system holds (statvfs(2)), in units of [`Usage::block_bytes`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Bytes of a block.
    pub block_bytes: u64,
    /// Blocks in all.
    pub blocks: u64,
    /// Free blocks.
    pub free_blocks: u64,
    /// Files that there can be.
    pub files: u64,
    /// Files that there can be besides those that there are.
    pub free_files: u64,
    /// Longest name, bytes.
    pub name_max: u64,
}

/// A file system.
pub trait FileSystem {
    /// Its kind: "tmpfs".
    fn name(&self) -> &'static str;

    /// Its uppermost directory.
    fn root(&self) -> VnodeRef;

    /// How much it holds.
    fn usage(&self) -> Usage;

    /// Writes back what has not been written.
    ///
    /// # Errors
    /// EIO and its like.
    fn sync(&self) -> Result<(), Errno> {
        Ok(())
    }

    /// Tells the file system its mount, which its vnodes answer with.
    fn set_mount(&self, mount: &Rc<Mount>);
}

/// A kind of file system that mount(2) can make.
pub struct FsType {
    /// Its name.
    pub name: &'static str,
    /// Makes one; `args` is the address of the application's arguments, of `args_len` bytes.
    pub make: fn(args: usize, args_len: usize) -> Result<Rc<dyn FileSystem>, Errno>,
}

/// A mounted file system.
pub struct Mount {
    /// The file system.
    pub fs: Rc<dyn FileSystem>,
    /// Its root.
    pub root: VnodeRef,
    /// The directory that it covers; `None` for the root file system.
    pub covered: Option<VnodeRef>,
    /// The path on which it was mounted.
    pub path: Vec<u8>,
    /// From what.
    pub from: Vec<u8>,
    /// MNT_ flags.
    pub flags: Cell<u32>,
    /// `st_dev` of its files.
    pub dev: u64,
}

/// Most mounts at one time.
const MOUNTS_MAX: usize = 256;

static MOUNTS: Giant<Vec<Rc<Mount>>> = Giant::new(Vec::new());
static TYPES: Giant<Vec<&'static FsType>> = Giant::new(Vec::new());
static NEXT_DEV: Giant<u64> = Giant::new(1);

/// The number of a file system that is about to be mounted: `st_dev` of its files.
#[must_use]
pub fn next_dev() -> u64 {
    let dev = NEXT_DEV.get();
    NEXT_DEV.set(dev + 1);
    dev
}

/// Offers a kind of file system.
pub fn attach(kind: &'static FsType) {
    TYPES.borrow_mut().push(kind);
}

/// The kind of file system of this name.
#[must_use]
pub fn find_type(name: &[u8]) -> Option<&'static FsType> {
    TYPES.borrow().iter().copied().find(|kind| kind.name.as_bytes() == name)
}

/// Mounts a file system on `covered`, or as the root.
///
/// # Errors
/// EBUSY if something is mounted there already, ENOMEM if there are too many mounts.
pub fn mount(
    fs: Rc<dyn FileSystem>,
    dev: u64,
    covered: Option<VnodeRef>,
    path: Vec<u8>,
    from: Vec<u8>,
    flags: u32,
) -> Result<(), Errno> {
    if MOUNTS.borrow().len() >= MOUNTS_MAX {
        return Err(Errno::ENOMEM);
    }
    match &covered {
        Some(vnode) if vnode.state().mounted_here.borrow().is_some() => return Err(Errno::EBUSY),
        None if root().is_some() => return Err(Errno::EBUSY),
        _ => {}
    }
    let root = fs.root();
    let mount = Rc::new(Mount { fs, root, covered, path, from, flags: Cell::new(flags), dev });
    mount.fs.set_mount(&mount);
    if let Some(vnode) = &mount.covered {
        *vnode.state().mounted_here.borrow_mut() = Some(Rc::clone(&mount));
    }
    MOUNTS.borrow_mut().push(mount);
    Ok(())
}

/// Takes a mounted file system away.
///
/// # Errors
/// EBUSY for the root file system, or if another is mounted in it.
pub fn unmount(mount: &Rc<Mount>) -> Result<(), Errno> {
    let Some(covered) = &mount.covered else { return Err(Errno::EBUSY) };
    let within = |other: &Rc<Mount>| {
        other.covered.as_ref().and_then(|vnode| vnode.mount()).is_some_and(|under| Rc::ptr_eq(&under, mount))
    };
    if MOUNTS.borrow().iter().any(within) {
        return Err(Errno::EBUSY);
    }
    mount.fs.sync()?;
    *covered.state().mounted_here.borrow_mut() = None;
    MOUNTS.borrow_mut().retain(|other| !Rc::ptr_eq(other, mount));
    Ok(())
}

/// All mounts, the root file system first.
#[must_use]
pub fn all() -> Vec<Rc<Mount>> {
    MOUNTS.borrow().clone()
}

/// The uppermost directory; `None` before a root file system is mounted.
#[must_use]
pub fn root() -> Option<VnodeRef> {
    MOUNTS.borrow().first().map(|mount| Rc::clone(&mount.root))
}
