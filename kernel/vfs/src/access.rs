//! Who may do what with a file (genfs_can_access of NetBSD).

use bitflags::bitflags;
use rump_kern::errno::Errno;
use rump_kern::file::Attr;
use rump_kern::prot;

use crate::vnode::{Kind, Vnode};

bitflags! {
    /// What is asked, as in the low bits of a mode.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Access: u32 {
        /// Reading.
        const READ = 4;
        /// Writing.
        const WRITE = 2;
        /// Executing, or going through a directory.
        const EXEC = 1;
    }
}

/// Whether `uid` and `gid` may.
fn allowed(attr: &Attr, kind: Kind, asked: Access, uid: u32, gid: u32) -> bool {
    if uid == 0 {
        // The superuser may everything but execute what nobody can.
        return !asked.contains(Access::EXEC) || kind == Kind::Directory || attr.mode & 0o111 != 0;
    }
    let shift = if attr.uid == uid {
        6
    } else if attr.gid == gid {
        3
    } else {
        0
    };
    attr.mode >> shift & asked.bits() == asked.bits()
}

/// Checks an access of the process's effective user.
///
/// # Errors
/// EACCES.
pub fn check(vnode: &dyn Vnode, asked: Access) -> Result<(), Errno> {
    check_as(vnode, asked, prot::effective())
}

/// Checks an access of a user and a group.
///
/// # Errors
/// EACCES.
pub fn check_as(vnode: &dyn Vnode, asked: Access, (uid, gid): (u32, u32)) -> Result<(), Errno> {
    if uid == 0 && !asked.contains(Access::EXEC) {
        return Ok(());
    }
    if allowed(&vnode.attr(), vnode.kind(), asked, uid, gid) { Ok(()) } else { Err(Errno::EACCES) }
}

/// Checks that the process's effective user owns the file, or is the superuser.
///
/// # Errors
/// EPERM.
pub fn check_owner(vnode: &dyn Vnode) -> Result<(), Errno> {
    let (uid, _) = prot::effective();
    if uid == 0 || vnode.attr().uid == uid { Ok(()) } else { Err(Errno::EPERM) }
}

/// Checks that the process's effective user may take a name away from a directory: in one with the sticky bit, only
/// the owner of the file or of the directory may.
///
/// # Errors
/// EACCES, EPERM.
pub fn check_delete(dir: &dyn Vnode, file: &dyn Vnode) -> Result<(), Errno> {
    const S_ISVTX: u32 = 0o1000;
    check(dir, Access::WRITE | Access::EXEC)?;
    let attr = dir.attr();
    let (uid, _) = prot::effective();
    if attr.mode & S_ISVTX == 0 || uid == 0 || uid == attr.uid || uid == file.attr().uid {
        Ok(())
    } else {
        Err(Errno::EPERM)
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, allowed};
    use crate::vnode::Kind;
    use rump_kern::file::Attr;

    #[test]
    fn classes_of_users() {
        let attr = Attr { mode: 0o640, uid: 10, gid: 20, ..Attr::default() };
        let may = |asked, uid, gid| allowed(&attr, Kind::Regular, asked, uid, gid);
        assert!(may(Access::READ | Access::WRITE, 10, 0));
        assert!(may(Access::READ, 11, 20) && !may(Access::WRITE, 11, 20));
        assert!(!may(Access::READ, 11, 21));
        assert!(may(Access::READ | Access::WRITE, 0, 0) && !may(Access::EXEC, 0, 0));
    }
}
