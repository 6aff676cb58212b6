//! Names: link(2), symlink(2), readlink(2), unlink(2), rename(2).

use alloc::rc::Rc;

use rump_abi::fcntl::{AT_REMOVEDIR, AT_SYMLINK_FOLLOW};
use rump_kern::copy::copyout_bytes;
use rump_kern::errno::Errno;
use rump_kern::syscall;
use rump_kern::uvm::fault::memory_is_short;

use super::AT_FDCWD;
use super::dirs::{is_mount_point, remove_dir};
use super::open::make;
use crate::access::{self, Access};
use crate::namei::{self, Follow, Found, Last};
use crate::note::{NOTE_DELETE, NOTE_LINK, NOTE_RENAME, NOTE_WRITE, note};
use crate::vnode::{Kind, New, VnodeRef, same};

/// Whether both are in the same file system.
fn same_mount(a: &VnodeRef, b: &VnodeRef) -> bool {
    let mount = |vnode: &VnodeRef| vnode.mount().map(|mount| Rc::as_ptr(&mount));
    mount(a).is_some() && mount(a) == mount(b)
}

fn make_link(fd: i32, old: usize, new_fd: i32, new: usize, follow: Follow) -> Result<(), Errno> {
    let file = namei::lookup_at(fd, old, follow)?;
    if file.kind() == Kind::Directory {
        return Err(Errno::EPERM);
    }
    let found = namei::namei_at(new_fd, new, Follow::No)?;
    if found.node.is_some() {
        return Err(Errno::EEXIST);
    }
    if found.trailing_slash {
        return Err(Errno::ENOENT);
    }
    if !same_mount(&found.dir, &file) {
        return Err(Errno::EXDEV);
    }
    access::check(&*found.dir, Access::WRITE | Access::EXEC)?;
    if memory_is_short() {
        return Err(Errno::ENOSPC);
    }
    found.dir.link(&found.name, &file)?;
    note(&*found.dir, NOTE_WRITE);
    note(&*file, NOTE_LINK);
    Ok(())
}

syscall! {
    /// link(2).
    fn sys_link(old: usize, new: usize) -> Result<(), Errno> {
        make_link(AT_FDCWD, old, AT_FDCWD, new, Follow::Yes)
    }
}

syscall! {
    /// linkat(2).
    fn sys_linkat(fd: i32, old: usize, new_fd: i32, new: usize, flags: i32) -> Result<(), Errno> {
        if flags & !AT_SYMLINK_FOLLOW != 0 {
            return Err(Errno::EINVAL);
        }
        make_link(fd, old, new_fd, new, if flags == 0 { Follow::No } else { Follow::Yes })
    }
}

fn make_symlink(target: usize, fd: i32, path: usize) -> Result<(), Errno> {
    let target = namei::copyin_path(target)?;
    if target.is_empty() {
        return Err(Errno::ENOENT);
    }
    let found = namei::namei_at(fd, path, Follow::No)?;
    make(&found, &New::Link(&target), 0o777).map(|_| ())
}

syscall! {
    /// symlink(2).
    fn sys_symlink(target: usize, path: usize) -> Result<(), Errno> {
        make_symlink(target, AT_FDCWD, path)
    }
}

syscall! {
    /// symlinkat(2).
    fn sys_symlinkat(target: usize, fd: i32, path: usize) -> Result<(), Errno> {
        make_symlink(target, fd, path)
    }
}

fn read_symlink(fd: i32, path: usize, addr: usize, len: usize) -> Result<usize, Errno> {
    let vnode = namei::lookup_at(fd, path, Follow::No)?;
    if vnode.kind() != Kind::Link {
        return Err(Errno::EINVAL);
    }
    let target = vnode.readlink()?;
    let taken = target.len().min(len);
    copyout_bytes(&target[..taken], addr)?;
    Ok(taken)
}

syscall! {
    /// readlink(2).
    fn sys_readlink(path: usize, addr: usize, len: usize) -> Result<usize, Errno> {
        read_symlink(AT_FDCWD, path, addr, len)
    }
}

syscall! {
    /// readlinkat(2).
    fn sys_readlinkat(fd: i32, path: usize, addr: usize, len: usize) -> Result<usize, Errno> {
        read_symlink(fd, path, addr, len)
    }
}

fn remove_name(fd: i32, path: usize) -> Result<(), Errno> {
    let found = namei::namei_at(fd, path, Follow::No)?;
    let node = found.node.ok_or(Errno::ENOENT)?;
    if node.kind() == Kind::Directory || found.last != Last::Name {
        return Err(Errno::EPERM);
    }
    access::check_delete(&*found.dir, &*node)?;
    found.dir.remove(&found.name)?;
    note(&*found.dir, NOTE_WRITE);
    note(&*node, if node.attr().nlink == 0 { NOTE_DELETE } else { NOTE_LINK });
    Ok(())
}

syscall! {
    /// unlink(2).
    fn sys_unlink(path: usize) -> Result<(), Errno> {
        remove_name(AT_FDCWD, path)
    }
}

syscall! {
    /// unlinkat(2).
    fn sys_unlinkat(fd: i32, path: usize, flags: i32) -> Result<(), Errno> {
        match flags {
            0 => remove_name(fd, path),
            AT_REMOVEDIR => remove_dir(namei::namei_at(fd, path, Follow::No)?),
            _ => Err(Errno::EINVAL),
        }
    }
}

/// Whether `dir` is `above` or below it.
fn is_within(dir: &VnodeRef, above: &VnodeRef) -> Result<bool, Errno> {
    let mut at = Rc::clone(dir);
    loop {
        if same(&at, above) {
            return Ok(true);
        }
        let parent = at.parent()?;
        if same(&parent, &at) {
            return Ok(false);
        }
        at = parent;
    }
}

/// Checks what can be wrong with the name that a file is to get.
fn check_target(node: &VnodeRef, to: &Found) -> Result<(), Errno> {
    let is_dir = node.kind() == Kind::Directory;
    let Some(existing) = &to.node else {
        return if to.trailing_slash && !is_dir { Err(Errno::ENOENT) } else { Ok(()) };
    };
    match (is_dir, existing.kind() == Kind::Directory) {
        (true, false) => return Err(Errno::ENOTDIR),
        (false, true) => return Err(Errno::EISDIR),
        _ => {}
    }
    if is_mount_point(existing) {
        return Err(Errno::EBUSY);
    }
    access::check_delete(&*to.dir, &**existing)
}

fn rename(from_fd: i32, from: usize, to_fd: i32, to: usize) -> Result<(), Errno> {
    let from = namei::namei_at(from_fd, from, Follow::No)?;
    let node = from.node.ok_or(Errno::ENOENT)?;
    let to = namei::namei_at(to_fd, to, Follow::No)?;
    if from.last != Last::Name || to.last != Last::Name {
        return Err(Errno::EINVAL);
    }
    if is_mount_point(&node) {
        return Err(Errno::EBUSY);
    }
    if !same_mount(&from.dir, &to.dir) {
        return Err(Errno::EXDEV);
    }
    if to.node.as_ref().is_some_and(|existing| same(existing, &node)) {
        return Ok(());
    }
    access::check_delete(&*from.dir, &*node)?;
    access::check(&*to.dir, Access::WRITE | Access::EXEC)?;
    check_target(&node, &to)?;
    if node.kind() == Kind::Directory && is_within(&to.dir, &node)? {
        return Err(Errno::EINVAL);
    }
    if memory_is_short() {
        return Err(Errno::ENOSPC);
    }
    from.dir.rename(&from.name, &to.dir, &to.name)?;
    note(&*from.dir, NOTE_WRITE);
    note(&*to.dir, NOTE_WRITE);
    note(&*node, NOTE_RENAME);
    if let Some(replaced) = &to.node {
        note(&**replaced, NOTE_DELETE);
    }
    Ok(())
}

syscall! {
    /// rename(2).
    fn sys_rename(from: usize, to: usize) -> Result<(), Errno> {
        rename(AT_FDCWD, from, AT_FDCWD, to)
    }
}

syscall! {
    /// rename(2), by the name that POSIX programs use for it.
    fn sys___posix_rename(from: usize, to: usize) -> Result<(), Errno> {
        rename(AT_FDCWD, from, AT_FDCWD, to)
    }
}

syscall! {
    /// renameat(2).
    fn sys_renameat(from_fd: i32, from: usize, to_fd: i32, to: usize) -> Result<(), Errno> {
        rename(from_fd, from, to_fd, to)
    }
}
