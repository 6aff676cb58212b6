//! open(2), openat(2), and the calls that make special files.

use alloc::rc::Rc;
use alloc::vec::Vec;

use rump_abi::fcntl::{
    O_ACCMODE, O_CREAT, O_DIRECTORY, O_EXCL, O_EXEC, O_EXLOCK, O_NOFOLLOW, O_REGULAR, O_SHLOCK, O_TRUNC,
};
use rump_kern::devsw;
use rump_kern::errno::Errno;
use rump_kern::file::flag::{FEXEC, FMASK, FNONBLOCK, FREAD, FWRITE};
use rump_kern::file::{File, FileOps, FileRef, LockKind, Wait};
use rump_kern::filedesc::fd_flags;
use rump_kern::uvm::fault::memory_is_short;
use rump_kern::{curproc, prot, syscall};

use super::AT_FDCWD;
use crate::access::{self, Access};
use crate::cwd;
use crate::file::{VnodeFile, opened_as};
use crate::namei::{self, Follow, Found, Last};
use crate::note::{NOTE_OPEN, NOTE_WRITE, note};
use crate::vnode::{Kind, New, NewAttr, VnodeRef};

/// Permissions that a new file can have.
const ALLPERMS: u32 = 0o7777;

/// What a new file of this mode gets.
#[must_use]
pub fn new_attr(mode: u32) -> NewAttr {
    let (uid, gid) = prot::effective();
    NewAttr { mode: mode & ALLPERMS & !cwd::umask(), uid, gid }
}

/// Makes a file where a path leads to nothing yet.
///
/// # Errors
/// EEXIST; ENOSPC if memory is short; EACCES; what the file system says.
pub fn make(found: &Found, new: &New<'_>, mode: u32) -> Result<VnodeRef, Errno> {
    if found.node.is_some() {
        return Err(Errno::EEXIST);
    }
    if found.trailing_slash && !matches!(new, New::Directory) {
        return Err(Errno::ENOENT);
    }
    access::check(&*found.dir, Access::WRITE | Access::EXEC)?;
    if memory_is_short() {
        return Err(Errno::ENOSPC);
    }
    let node = found.dir.create(&found.name, new, new_attr(mode))?;
    note(&*found.dir, NOTE_WRITE);
    Ok(node)
}

/// FREAD, FWRITE and FEXEC from the access mode of open(2).
fn access_flags(oflags: i32) -> Result<u32, Errno> {
    if oflags & O_EXEC != 0 {
        return if oflags & O_ACCMODE == 0 { Ok(FEXEC) } else { Err(Errno::EINVAL) };
    }
    match oflags & O_ACCMODE {
        0 => Ok(FREAD),
        1 => Ok(FWRITE),
        2 => Ok(FREAD | FWRITE),
        _ => Err(Errno::EINVAL),
    }
}

fn check_existing(vnode: &VnodeRef, oflags: i32, access_flags: u32) -> Result<(), Errno> {
    let writes = access_flags & FWRITE != 0 || oflags & O_TRUNC != 0;
    match vnode.kind() {
        Kind::Link => return Err(Errno::EFTYPE),
        Kind::Socket => return Err(Errno::EOPNOTSUPP),
        Kind::Directory if writes => return Err(Errno::EISDIR),
        _ => {}
    }
    if oflags & O_DIRECTORY != 0 && vnode.kind() != Kind::Directory {
        return Err(Errno::ENOTDIR);
    }
    if oflags & O_REGULAR != 0 && vnode.kind() != Kind::Regular {
        return Err(Errno::EFTYPE);
    }
    let mut asked = Access::empty();
    if access_flags & FREAD != 0 {
        asked |= Access::READ;
    }
    if writes {
        asked |= Access::WRITE;
    }
    if access_flags & FEXEC != 0 {
        asked |= Access::EXEC;
    }
    access::check(&**vnode, asked)
}

/// Opens what was found.
fn open_vnode(vnode: VnodeRef, name: Option<(VnodeRef, Vec<u8>)>, fflags: u32) -> Result<FileRef, Errno> {
    match vnode.kind() {
        Kind::Char | Kind::Block => {
            let device = devsw::find(vnode.attr().rdev).ok_or(Errno::ENXIO)?;
            (device.open)(device, fflags)
        }
        Kind::Fifo => crate::fifo::open(vnode, fflags),
        _ => Ok(File::new(fflags, VnodeFile::new(vnode, name)) as Rc<File<dyn FileOps>>),
    }
}

/// The kernel's own open(2): of a path below `at`.
///
/// # Errors
/// open(2)'s.
pub fn vn_open(at: VnodeRef, path: Vec<u8>, oflags: i32, mode: u32) -> Result<FileRef, Errno> {
    let access_flags = access_flags(oflags)?;
    let exclusive = oflags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL;
    let follow = if exclusive || oflags & O_NOFOLLOW != 0 { Follow::No } else { Follow::Yes };
    let mut found = namei::namei(at, path, follow)?;
    let vnode = match found.node.take() {
        Some(_) if exclusive => return Err(Errno::EEXIST),
        Some(vnode) => {
            if oflags & O_CREAT != 0 && vnode.kind() == Kind::Directory {
                return Err(Errno::EISDIR);
            }
            check_existing(&vnode, oflags, access_flags)?;
            if oflags & O_TRUNC != 0 && vnode.kind() == Kind::Regular {
                vnode.truncate(0)?;
                note(&*vnode, NOTE_WRITE);
            }
            vnode
        }
        None if oflags & O_CREAT != 0 => {
            if found.last != Last::Name || found.trailing_slash {
                return Err(Errno::EISDIR);
            }
            if oflags & O_DIRECTORY != 0 {
                return Err(Errno::EINVAL);
            }
            make(&found, &New::Regular, mode)?
        }
        None => return Err(Errno::ENOENT),
    };
    note(&*vnode, NOTE_OPEN);
    let fflags = access_flags | oflags.cast_unsigned() & FMASK & !(FREAD | FWRITE | FEXEC);
    let name = opened_as(&found.dir, found.name);
    let file = open_vnode(vnode, name, fflags)?;
    if oflags & (O_SHLOCK | O_EXLOCK) != 0 && file.ops.is_vnode() {
        let kind = if oflags & O_EXLOCK != 0 { LockKind::Exclusive } else { LockKind::Shared };
        let wait = if fflags & FNONBLOCK != 0 { Wait::No } else { Wait::Yes };
        file.ops.lock(&file.head, file.head.id(), kind, wait)?;
        file.head.has_lock.set(true);
    }
    Ok(file)
}

fn open_at(fd: i32, addr: usize, oflags: i32, mode: u32) -> Result<i32, Errno> {
    let path = namei::copyin_path(addr)?;
    if path.is_empty() {
        return Err(Errno::ENOENT);
    }
    rump_kern::etc::before_open(&path);
    let file = vn_open(namei::start(fd, &path)?, path, oflags, mode)?;
    curproc().fd.install(file, fd_flags(oflags))
}

syscall! {
    /// open(2).
    fn sys_open(path: usize, oflags: i32, mode: u32) -> Result<i32, Errno> {
        open_at(AT_FDCWD, path, oflags, mode)
    }
}

syscall! {
    /// openat(2).
    fn sys_openat(fd: i32, path: usize, oflags: i32, mode: u32) -> Result<i32, Errno> {
        open_at(fd, path, oflags, mode)
    }
}

fn make_node(fd: i32, addr: usize, mode: u32, rdev: u64) -> Result<(), Errno> {
    let new = match Kind::of_mode(mode) {
        Some(Kind::Fifo) => New::Fifo,
        Some(Kind::Regular) => New::Regular,
        Some(Kind::Char) if prot::effective().0 == 0 => New::Char(rdev),
        Some(Kind::Char | Kind::Block) => return Err(Errno::EPERM),
        _ => return Err(Errno::EINVAL),
    };
    let found = namei::namei_at(fd, addr, Follow::No)?;
    make(&found, &new, mode).map(|_| ())
}

syscall! {
    /// mknod(2).
    fn sys___mknod50(path: usize, mode: u32, rdev: u64) -> Result<(), Errno> {
        make_node(AT_FDCWD, path, mode, rdev)
    }
}

syscall! {
    /// mknodat(2).
    fn sys_mknodat(fd: i32, path: usize, mode: u32, _pad: i32, rdev: u64) -> Result<(), Errno> {
        make_node(fd, path, mode, rdev)
    }
}

syscall! {
    /// mkfifo(2).
    fn sys_mkfifo(path: usize, mode: u32) -> Result<(), Errno> {
        make_node(AT_FDCWD, path, mode & ALLPERMS | Kind::Fifo.format(), 0)
    }
}

syscall! {
    /// mkfifoat(2).
    fn sys_mkfifoat(fd: i32, path: usize, mode: u32) -> Result<(), Errno> {
        make_node(fd, path, mode & ALLPERMS | Kind::Fifo.format(), 0)
    }
}

syscall! {
    /// umask(2).
    fn sys_umask(mask: u32) -> Result<u32, Errno> {
        Ok(cwd::set_umask(mask))
    }
}
