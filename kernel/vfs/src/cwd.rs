//! Where a process is: working directory, root directory, umask (cwdi of NetBSD's struct proc).

use alloc::rc::Rc;
use alloc::string::String;

use rump_hypercall::Giant;
use rump_kern::errno::Errno;
use rump_kern::proc::Proc;

use crate::mount;
use crate::namei::{self, Follow};
use crate::vnode::{Kind, VnodeRef};

struct Cwd {
    dir: Option<VnodeRef>,
    root: Option<VnodeRef>,
    umask: u32,
}

static CWD: Giant<Cwd> = Giant::new(Cwd { dir: None, root: None, umask: 0o022 });

/// The process's root directory.
///
/// # Errors
/// ENOENT if there is no file system.
pub fn root() -> Result<VnodeRef, Errno> {
    if let Some(root) = &CWD.borrow().root {
        return Ok(Rc::clone(root));
    }
    mount::root().ok_or(Errno::ENOENT)
}

/// The process's working directory.
///
/// # Errors
/// ENOENT if there is no file system.
pub fn dir() -> Result<VnodeRef, Errno> {
    if let Some(dir) = &CWD.borrow().dir {
        return Ok(Rc::clone(dir));
    }
    mount::root().ok_or(Errno::ENOENT)
}

/// Changes the working directory.
pub fn set_dir(dir: VnodeRef) {
    let old = CWD.borrow_mut().dir.replace(dir);
    drop(old);
}

/// Changes the root directory.
pub fn set_root(root: VnodeRef) {
    let old = CWD.borrow_mut().root.replace(root);
    drop(old);
}

/// Permissions that new files do not get.
#[must_use]
pub fn umask() -> u32 {
    CWD.borrow().umask
}

/// Sets the umask; gives the old one back.
pub fn set_umask(mask: u32) -> u32 {
    core::mem::replace(&mut CWD.borrow_mut().umask, mask & 0o777)
}

/// The kernel's own chdir(2), for the configuration's `cwd`.
///
/// # Errors
/// As chdir(2).
pub fn chdir(_proc: &'static Proc, path: &str) -> Result<(), Errno> {
    let path = String::from(path).into_bytes();
    let vnode = namei::lookup(root()?, path, Follow::Yes)?;
    if vnode.kind() != Kind::Directory {
        return Err(Errno::ENOTDIR);
    }
    set_dir(vnode);
    Ok(())
}
