//! Directories: mkdir(2), rmdir(2), getdents(2), chdir(2), getcwd(3), chroot(2).

use alloc::rc::Rc;
use alloc::vec::Vec;

use rump_kern::copy::copyout_bytes;
use rump_kern::errno::Errno;
use rump_kern::file::flag::FREAD;
use rump_kern::filedesc::{getfile, getfile_for};
use rump_kern::{prot, syscall};

use super::AT_FDCWD;
use super::open::make;
use crate::access::{self, Access};
use crate::cwd;
use crate::file::vnode_of;
use crate::namei::{self, Follow, Found, Last};
use crate::note::{NOTE_DELETE, NOTE_LINK, NOTE_WRITE, note};
use crate::vnode::{DirEntry, Kind, Listing, New, VnodeRef};

/// Bytes of entries that one call gives at most.
const LISTING_MAX: usize = 32 << 10;

/// Bytes of `struct dirent` before the name.
const DIRENT_HEADER: usize = 13;

const DIRENT_ALIGN: usize = 8;

fn make_dir(fd: i32, addr: usize, mode: u32) -> Result<(), Errno> {
    const ACCESSPERMS: u32 = 0o777;
    let found = namei::namei_at(fd, addr, Follow::No)?;
    make(&found, &New::Directory, mode & ACCESSPERMS)?;
    note(&*found.dir, NOTE_LINK);
    Ok(())
}

syscall! {
    /// mkdir(2).
    fn sys_mkdir(path: usize, mode: u32) -> Result<(), Errno> {
        make_dir(AT_FDCWD, path, mode)
    }
}

syscall! {
    /// mkdirat(2).
    fn sys_mkdirat(fd: i32, path: usize, mode: u32) -> Result<(), Errno> {
        make_dir(fd, path, mode)
    }
}

/// Whether a file system is mounted on the directory, or the directory is where one begins.
pub(super) fn is_mount_point(vnode: &VnodeRef) -> bool {
    vnode.state().mounted_here.borrow().is_some()
        || vnode.mount().is_some_and(|mount| crate::vnode::same(&mount.root, vnode))
}

/// Removes the directory that was found.
///
/// # Errors
/// rmdir(2)'s.
pub(super) fn remove_dir(found: Found) -> Result<(), Errno> {
    match found.last {
        Last::Name => {}
        Last::Root => return Err(Errno::EBUSY),
        Last::Dot => return Err(Errno::EINVAL),
        Last::DotDot => return Err(Errno::ENOTEMPTY),
    }
    let (dir, name) = (found.dir, found.name);
    let node = found.node.ok_or(Errno::ENOENT)?;
    if node.kind() != Kind::Directory {
        return Err(Errno::ENOTDIR);
    }
    if is_mount_point(&node) {
        return Err(Errno::EBUSY);
    }
    access::check_delete(&*dir, &*node)?;
    dir.rmdir(&name)?;
    note(&*dir, NOTE_WRITE | NOTE_LINK);
    note(&*node, NOTE_DELETE);
    Ok(())
}

syscall! {
    /// rmdir(2).
    fn sys_rmdir(path: usize) -> Result<(), Errno> {
        remove_dir(namei::namei_at(AT_FDCWD, path, Follow::No)?)
    }
}

/// Adds a `struct dirent`, if there is room.
fn add_entry(listing: &mut Vec<u8>, room: usize, entry: &DirEntry<'_>) -> Listing {
    let len = (DIRENT_HEADER + entry.name.len() + 1).next_multiple_of(DIRENT_ALIGN);
    let start = listing.len();
    if start + len > room {
        return Listing::Full;
    }
    listing.extend_from_slice(&entry.ino.to_le_bytes());
    // A name has at most 255 bytes.
    listing.extend_from_slice(&(len as u16).to_le_bytes());
    listing.extend_from_slice(&(entry.name.len() as u16).to_le_bytes());
    listing.push(entry.kind.dirent_type());
    listing.extend_from_slice(entry.name);
    listing.resize(start + len, 0);
    Listing::More
}

syscall! {
    /// getdents(2).
    fn sys___getdents30(fd: i32, addr: usize, len: usize) -> Result<usize, Errno> {
        let file = getfile_for(fd, FREAD)?;
        let vnode = vnode_of(&file)?;
        if vnode.kind() != Kind::Directory {
            return Err(Errno::EINVAL);
        }
        let room = len.min(LISTING_MAX);
        let mut listing = Vec::new();
        listing.try_reserve_exact(room).map_err(|_| Errno::ENOMEM)?;
        let cookie = file.head.offset.get().cast_unsigned();
        let mut next = cookie;
        let mut is_too_small = false;
        vnode.readdir(cookie, &mut |entry| {
            let outcome = add_entry(&mut listing, room, entry);
            match outcome {
                Listing::More => next = entry.next_cookie,
                Listing::Full => is_too_small = listing.is_empty(),
            }
            outcome
        })?;
        if is_too_small {
            return Err(Errno::EINVAL);
        }
        copyout_bytes(&listing, addr)?;
        file.head.offset.set(next.cast_signed());
        Ok(listing.len())
    }
}

fn change_to(vnode: &VnodeRef) -> Result<(), Errno> {
    if vnode.kind() != Kind::Directory {
        return Err(Errno::ENOTDIR);
    }
    access::check(&**vnode, Access::EXEC)
}

syscall! {
    /// chdir(2).
    fn sys_chdir(path: usize) -> Result<(), Errno> {
        let vnode = namei::lookup_at(AT_FDCWD, path, Follow::Yes)?;
        change_to(&vnode)?;
        cwd::set_dir(vnode);
        Ok(())
    }
}

syscall! {
    /// fchdir(2).
    fn sys_fchdir(fd: i32) -> Result<(), Errno> {
        let file = getfile(fd)?;
        let vnode = vnode_of(&file).map_err(|_| Errno::ENOTDIR)?;
        change_to(vnode)?;
        cwd::set_dir(Rc::clone(vnode));
        Ok(())
    }
}

fn change_root(vnode: VnodeRef) -> Result<(), Errno> {
    if prot::effective().0 != 0 {
        return Err(Errno::EPERM);
    }
    change_to(&vnode)?;
    cwd::set_root(vnode);
    Ok(())
}

syscall! {
    /// chroot(2).
    fn sys_chroot(path: usize) -> Result<(), Errno> {
        change_root(namei::lookup_at(AT_FDCWD, path, Follow::Yes)?)
    }
}

syscall! {
    /// fchroot(2).
    fn sys_fchroot(fd: i32) -> Result<(), Errno> {
        let file = getfile(fd)?;
        let vnode = vnode_of(&file).map_err(|_| Errno::ENOTDIR)?;
        change_root(Rc::clone(vnode))
    }
}

syscall! {
    /// getcwd(3)'s part: the length with the NUL.
    fn sys___getcwd(addr: usize, len: usize) -> Result<usize, Errno> {
        if len < 2 {
            return Err(if len == 0 { Errno::EINVAL } else { Errno::ERANGE });
        }
        let mut path = namei::path_of(&cwd::dir()?)?;
        path.push(0);
        if path.len() > len {
            return Err(Errno::ERANGE);
        }
        copyout_bytes(&path, addr)?;
        Ok(path.len())
    }
}
