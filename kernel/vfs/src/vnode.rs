//! Vnodes (vnode(9)): files as faction vfs sees them, whatever file system they are in.

use alloc::rc::{Rc, Weak};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::cell::RefCell;

use rump_abi::stat::{S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK};
use rump_kern::clock::Timespec;
use rump_kern::errno::Errno;
use rump_kern::file::Attr;
use rump_kern::pipe::Pipe;
use rump_kern::selinfo::SelInfo;
use rump_kern::uio::Uio;
use rump_kern::uvm::UvmObject;

use crate::lockf::Locks;
use crate::mount::Mount;

/// A reference to a vnode. A file that was removed goes with the last one.
pub type VnodeRef = Rc<dyn Vnode>;

/// What a file is (`enum vtype`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A character device.
    Char,
    /// A block device.
    Block,
    /// A fifo.
    Fifo,
    /// A socket.
    Socket,
}

impl Kind {
    /// The S_IFMT part of a mode.
    #[must_use]
    pub const fn format(self) -> u32 {
        (match self {
            Self::Regular => S_IFREG,
            Self::Directory => S_IFDIR,
            Self::Link => S_IFLNK,
            Self::Char => S_IFCHR,
            Self::Block => S_IFBLK,
            Self::Fifo => S_IFIFO,
            Self::Socket => S_IFSOCK,
        }) as u32
    }

    /// From the S_IFMT part of a mode.
    #[must_use]
    pub const fn of_mode(mode: u32) -> Option<Self> {
        const FORMAT: u32 = S_IFMT as u32;
        let format = mode & FORMAT;
        let kinds =
            [Self::Regular, Self::Directory, Self::Link, Self::Char, Self::Block, Self::Fifo, Self::Socket];
        let mut index = 0;
        while index < kinds.len() {
            if kinds[index].format() == format {
                return Some(kinds[index]);
            }
            index += 1;
        }
        None
    }

    /// `d_type` of a directory entry.
    #[must_use]
    pub const fn dirent_type(self) -> u8 {
        (self.format() >> 12) as u8
    }
}

/// What a new file is to be.
pub enum New<'a> {
    /// A regular file, empty.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link to this path.
    Link(&'a [u8]),
    /// A device node.
    Char(u64),
    /// A fifo.
    Fifo,
    /// A socket: bind(2) makes it.
    Socket,
}

/// Attributes of a new file.
#[derive(Clone, Copy, Debug)]
pub struct NewAttr {
    /// Permissions, the umask applied.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// Attributes to be changed: those that are given.
#[derive(Clone, Copy, Debug, Default)]
pub struct SetAttr {
    /// Permissions.
    pub mode: Option<u32>,
    /// Owner.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
    /// chflags(2).
    pub flags: Option<u32>,
    /// Last read.
    pub atime: Option<Timespec>,
    /// Last change of content.
    pub mtime: Option<Timespec>,
}

/// An entry of a directory.
pub struct DirEntry<'a> {
    /// The file's number.
    pub ino: u64,
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: &'a [u8],
    /// Where the next call goes on after this entry.
    pub next_cookie: u64,
}

/// Whether a directory listing goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// The entry was taken.
    More,
    /// The entry was not taken.
    Full,
}

/// What every vnode has, kept by faction vfs.
#[derive(Default)]
pub struct VnodeState {
    /// Who watches the file: EVFILT_VNODE.
    pub sel: SelInfo,
    /// flock(2).
    pub locks: Locks,
    /// The bytes of a fifo that is open.
    pub fifo: RefCell<Option<Rc<Pipe>>>,
    /// The socket that is bound to this name, as long as it is open.
    pub socket: RefCell<Option<Weak<dyn Any>>>,
    /// What is mounted on this directory.
    pub mounted_here: RefCell<Option<Rc<Mount>>>,
}

/// A file of a file system. Names have been checked: not empty, not `.` or `..`, not too long, without slashes. Permissions have been
/// checked too. Files given as arguments are of the same file system.
///
/// # Errors
/// An operation that the kind of file does not have fails with the errno that its default says.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them")]
pub trait Vnode {
    /// For the file system itself.
    fn as_any(&self) -> &dyn Any;

    /// What faction vfs keeps with it.
    fn state(&self) -> &VnodeState;

    /// What it is.
    fn kind(&self) -> Kind;

    /// The file system.
    fn mount(&self) -> Option<Rc<Mount>>;

    /// What stat(2) tells.
    fn attr(&self) -> Attr;

    /// Changes attributes.
    fn set_attr(&self, change: &SetAttr) -> Result<(), Errno>;

    /// A regular file: copies from `offset` on to the application.
    fn read(&self, _uio: &mut Uio<'_>, _offset: u64) -> Result<(), Errno> {
        Err(Errno::EINVAL)
    }

    /// A regular file: copies from the application.
    fn write(&self, _uio: &mut Uio<'_>, _offset: u64) -> Result<(), Errno> {
        Err(Errno::EINVAL)
    }

    /// A regular file: sets its length.
    fn truncate(&self, _length: u64) -> Result<(), Errno> {
        Err(Errno::EINVAL)
    }

    /// A regular file: makes sure that a range has memory.
    fn allocate(&self, _offset: u64, _len: u64) -> Result<(), Errno> {
        Err(Errno::ENODEV)
    }

    /// A regular file: frees a range.
    fn discard(&self, _offset: u64, _len: u64) -> Result<(), Errno> {
        Err(Errno::ENODEV)
    }

    /// A regular file: the first offset from here on that holds data (`data`) or lies in a hole; `None` if there is no more data.
    fn seek_data(&self, _offset: u64, _data: bool) -> Result<Option<u64>, Errno> {
        Err(Errno::EINVAL)
    }

    /// A regular file: what supplies the pages of mappings.
    fn object(&self) -> Result<Arc<dyn UvmObject>, Errno> {
        Err(Errno::ENODEV)
    }

    /// A symbolic link: the path.
    fn readlink(&self) -> Result<Vec<u8>, Errno> {
        Err(Errno::EINVAL)
    }

    /// A directory: the file of this name; ENOENT if there is none.
    fn lookup(&self, _name: &[u8]) -> Result<VnodeRef, Errno> {
        Err(Errno::ENOTDIR)
    }

    /// A directory: the directory above it; itself at the file system's root, or when it has been removed.
    fn parent(&self) -> Result<VnodeRef, Errno> {
        Err(Errno::ENOTDIR)
    }

    /// A directory: the name under which `child` is in it.
    fn name_of(&self, _child: &VnodeRef) -> Result<Vec<u8>, Errno> {
        Err(Errno::ENOTDIR)
    }

    /// A directory: makes a file.
    fn create(&self, _name: &[u8], _new: &New<'_>, _attr: NewAttr) -> Result<VnodeRef, Errno> {
        Err(Errno::ENOTDIR)
    }

    /// A directory: gives a file that is no directory another name.
    fn link(&self, _name: &[u8], _file: &VnodeRef) -> Result<(), Errno> {
        Err(Errno::ENOTDIR)
    }

    /// A directory: takes the name of a file that is no directory away.
    fn remove(&self, _name: &[u8]) -> Result<(), Errno> {
        Err(Errno::ENOTDIR)
    }

    /// A directory: removes an empty directory.
    fn rmdir(&self, _name: &[u8]) -> Result<(), Errno> {
        Err(Errno::ENOTDIR)
    }

    /// A directory: moves `from` in it to `to` in `to_dir`, replacing what is there (an empty directory by a directory, another file
    /// by another file).
    fn rename(&self, _from: &[u8], _to_dir: &VnodeRef, _to: &[u8]) -> Result<(), Errno> {
        Err(Errno::ENOTDIR)
    }

    /// A directory: hands entries to `sink`, from the one that `cookie` (0 at first) says, until it has enough.
    fn readdir(&self, _cookie: u64, _sink: &mut dyn FnMut(&DirEntry<'_>) -> Listing) -> Result<(), Errno> {
        Err(Errno::ENOTDIR)
    }
}

/// Whether both are the same file.
#[must_use]
pub fn same(a: &VnodeRef, b: &VnodeRef) -> bool {
    Rc::as_ptr(a).cast::<()>() == Rc::as_ptr(b).cast::<()>()
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn modes_and_kinds() {
        assert_eq!(Kind::of_mode(0o100_644), Some(Kind::Regular));
        assert_eq!(Kind::of_mode(0o040_755), Some(Kind::Directory));
        assert_eq!(Kind::of_mode(0o000_755), None);
        assert_eq!(Kind::Directory.dirent_type(), 4);
        assert_eq!(Kind::Link.dirent_type(), 10);
    }
}
