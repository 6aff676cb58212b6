//! Mounted file systems: statvfs(2), getvfsstat(2), mount(2), unmount(2), sync(2).

use alloc::rc::Rc;
use alloc::vec::Vec;

use rump_abi::mount::{MNT_GETARGS, MNT_NOATIME, MNT_NOEXEC, MNT_NOSUID, MNT_RDONLY, MNT_UPDATE};
use rump_abi::types::{Fsid, Statvfs};
use rump_kern::copy::{copyinstr, copyout};
use rump_kern::errno::Errno;
use rump_kern::filedesc::getfile;
use rump_kern::{prot, syscall};

use super::AT_FDCWD;
use crate::file::vnode_of;
use crate::mount::{self, Mount};
use crate::namei::{self, Follow};
use crate::vnode::{Kind, VnodeRef, same};

/// Longest name of a kind of file system, with its NUL.
const FSTYPE_ROOM: usize = 32;

/// Copies a name into a field that ends with a NUL.
fn fill(field: &mut [u8], name: &[u8]) {
    let len = name.len().min(field.len() - 1);
    field[..len].copy_from_slice(&name[..len]);
}

fn statvfs(mount: &Mount) -> Statvfs {
    let usage = mount.fs.usage();
    let mut answer = Statvfs {
        f_flag: u64::from(mount.flags.get()),
        f_bsize: usage.block_bytes,
        f_frsize: usage.block_bytes,
        f_iosize: usage.block_bytes,
        f_blocks: usage.blocks,
        f_bfree: usage.free_blocks,
        f_bavail: usage.free_blocks,
        f_files: usage.files,
        f_ffree: usage.free_files,
        f_favail: usage.free_files,
        // Device numbers count from 1 and stay small.
        f_fsidx: Fsid { __fsid_val: [mount.dev as i32, 0] },
        f_fsid: mount.dev,
        f_namemax: usage.name_max,
        ..Statvfs::ZERO
    };
    fill(&mut answer.f_fstypename, mount.fs.name().as_bytes());
    fill(&mut answer.f_mntonname, &mount.path);
    fill(&mut answer.f_mntfromname, &mount.from);
    answer
}

fn answer(vnode: &VnodeRef, addr: usize) -> Result<(), Errno> {
    let mount = vnode.mount().ok_or(Errno::ENOENT)?;
    copyout(&statvfs(&mount), addr)
}

syscall! {
    /// statvfs(2).
    fn sys___statvfs190(path: usize, addr: usize, _flags: i32) -> Result<(), Errno> {
        answer(&namei::lookup_at(AT_FDCWD, path, Follow::Yes)?, addr)
    }
}

syscall! {
    /// fstatvfs(2).
    fn sys___fstatvfs190(fd: i32, addr: usize, _flags: i32) -> Result<(), Errno> {
        let file = getfile(fd)?;
        answer(vnode_of(&file)?, addr)
    }
}

syscall! {
    /// getvfsstat(2): how many there are, or how many were written.
    fn sys___getvfsstat90(addr: usize, size: usize, _flags: i32) -> Result<usize, Errno> {
        let mounts = mount::all();
        if addr == 0 {
            return Ok(mounts.len());
        }
        let count = mounts.len().min(size / size_of::<Statvfs>());
        for (index, mount) in mounts[..count].iter().enumerate() {
            let at = addr.checked_add(index * size_of::<Statvfs>()).ok_or(Errno::EFAULT)?;
            copyout(&statvfs(mount), at)?;
        }
        Ok(count)
    }
}

/// What the application asks mount(2) for.
struct Request {
    dir: VnodeRef,
    path: Vec<u8>,
    kind: Vec<u8>,
    flags: i32,
    args: usize,
    args_len: usize,
}

/// Flags of mount(2) that are remembered and reported.
const KEPT: i32 = MNT_RDONLY | MNT_NOEXEC | MNT_NOSUID | MNT_NOATIME;

fn do_mount(request: Request) -> Result<(), Errno> {
    if prot::effective().0 != 0 {
        return Err(Errno::EPERM);
    }
    if request.dir.kind() != Kind::Directory {
        return Err(Errno::ENOTDIR);
    }
    if request.flags & (MNT_UPDATE | MNT_GETARGS | MNT_RDONLY) != 0 {
        return Err(Errno::EOPNOTSUPP);
    }
    let kind = mount::find_type(&request.kind).ok_or(Errno::ENODEV)?;
    let fs = (kind.make)(request.args, request.args_len)?;
    let dev = fs.root().attr().dev;
    mount::mount(
        fs,
        dev,
        Some(request.dir),
        request.path,
        request.kind,
        (request.flags & KEPT).cast_unsigned(),
    )
}

syscall! {
    /// mount(2).
    fn sys___mount50(kind: usize, path: usize, flags: i32, args: usize, args_len: usize) -> Result<(), Errno> {
        let kind = copyinstr(kind, FSTYPE_ROOM)?;
        let dir = namei::lookup_at(AT_FDCWD, path, Follow::Yes)?;
        let path = namei::path_of(&dir).or_else(|_| namei::copyin_path(path))?;
        do_mount(Request { dir, path, kind, flags, args, args_len })
    }
}

syscall! {
    /// unmount(2).
    fn sys_unmount(path: usize, _flags: i32) -> Result<(), Errno> {
        if prot::effective().0 != 0 {
            return Err(Errno::EPERM);
        }
        let vnode = namei::lookup_at(AT_FDCWD, path, Follow::Yes)?;
        let mount = vnode.mount().filter(|mount| same(&mount.root, &vnode)).ok_or(Errno::EINVAL)?;
        // Beside this reference and the mount's own, a root that is in use has others.
        const OWN: usize = 3;
        if Rc::strong_count(&vnode) > OWN {
            return Err(Errno::EBUSY);
        }
        mount::unmount(&mount)
    }
}

syscall! {
    /// sync(2).
    fn sys_sync() -> Result<(), Errno> {
        for mount in mount::all() {
            mount.fs.sync()?;
        }
        Ok(())
    }
}
