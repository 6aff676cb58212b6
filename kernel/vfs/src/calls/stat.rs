//! What a file is, by path: stat(2), access(2).

use rump_abi::fcntl::{AT_EACCESS, AT_SYMLINK_NOFOLLOW};
use rump_kern::errno::Errno;
use rump_kern::filedesc::attr::copyout_stat;
use rump_kern::{prot, syscall};

use super::AT_FDCWD;
use crate::access::{self, Access};
use crate::namei::{self, Follow};

syscall! {
    /// stat(2).
    fn sys___stat50(path: usize, addr: usize) -> Result<(), Errno> {
        copyout_stat(&namei::lookup_at(AT_FDCWD, path, Follow::Yes)?.attr(), addr)
    }
}

syscall! {
    /// lstat(2).
    fn sys___lstat50(path: usize, addr: usize) -> Result<(), Errno> {
        copyout_stat(&namei::lookup_at(AT_FDCWD, path, Follow::No)?.attr(), addr)
    }
}

/// Whether the flags of an *at call follow a symbolic link at the end.
///
/// # Errors
/// EINVAL if there are other flags than `more`.
pub(super) fn follow(flags: i32, more: i32) -> Result<Follow, Errno> {
    if flags & !(AT_SYMLINK_NOFOLLOW | more) != 0 {
        return Err(Errno::EINVAL);
    }
    Ok(if flags & AT_SYMLINK_NOFOLLOW != 0 { Follow::No } else { Follow::Yes })
}

syscall! {
    /// fstatat(2).
    fn sys_fstatat(fd: i32, path: usize, addr: usize, flags: i32) -> Result<(), Errno> {
        copyout_stat(&namei::lookup_at(fd, path, follow(flags, 0)?)?.attr(), addr)
    }
}

fn may(fd: i32, path: usize, asked: i32, follow: Follow, who: (u32, u32)) -> Result<(), Errno> {
    // R_OK, W_OK and X_OK are the bits of a mode.
    let asked = u32::try_from(asked).ok().and_then(Access::from_bits).ok_or(Errno::EINVAL)?;
    let vnode = namei::lookup_at(fd, path, follow)?;
    access::check_as(&*vnode, asked, who)
}

syscall! {
    /// access(2): by the real user and group.
    fn sys_access(path: usize, asked: i32) -> Result<(), Errno> {
        may(AT_FDCWD, path, asked, Follow::Yes, prot::real())
    }
}

syscall! {
    /// faccessat(2).
    fn sys_faccessat(fd: i32, path: usize, asked: i32, flags: i32) -> Result<(), Errno> {
        let who = if flags & AT_EACCESS != 0 { prot::effective() } else { prot::real() };
        may(fd, path, asked, follow(flags, AT_EACCESS)?, who)
    }
}
