//! From a path to a file (namei(9), path_resolution of POSIX.1, 4.16).
//!
//! One loop serves all callers: it goes through the path name by name, and stops before the last one with everything a caller may want
//! to know: the directory, the name, the file if there is one. Symbolic links put their path before the rest; there is no recursion.

use alloc::rc::Rc;
use alloc::vec::Vec;

use rump_abi::limits::PATH_MAX;
use rump_kern::copy::copyinstr;
use rump_kern::errno::Errno;
use rump_kern::filedesc;

use crate::access::{self, Access};
use crate::cwd;
use crate::file::VnodeFile;
use crate::vnode::{Kind, VnodeRef, same};

/// Most symbolic links in one path (MAXSYMLINKS).
const SYMLINKS_MAX: usize = 32;

/// Longest path with its NUL, bytes.
pub const PATH_ROOM: usize = PATH_MAX as usize;

/// Longest name, bytes (KERNEL_NAME_MAX of NetBSD, whose NAME_MAX is what a structure has room for).
pub const NAME_LEN_MAX: usize = 255;

/// AT_FDCWD: paths that do not begin with a slash are below the working directory.
const AT_FDCWD: i32 = rump_abi::fcntl::AT_FDCWD;

/// Whether a symbolic link at the end of the path is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// It is.
    Yes,
    /// It is the file that is meant.
    No,
}

/// The last name of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// A name.
    Name,
    /// There is none: the path is made of slashes.
    Root,
    /// `.`
    Dot,
    /// `..`
    DotDot,
}

/// How far a path leads.
pub struct Found {
    /// The directory that holds the last name.
    pub dir: VnodeRef,
    /// The last name, if it is one.
    pub name: Vec<u8>,
    /// What the last name is.
    pub last: Last,
    /// The file, if there is one.
    pub node: Option<VnodeRef>,
    /// A slash follows: it has to be a directory.
    pub trailing_slash: bool,
}

impl Found {
    /// The file.
    ///
    /// # Errors
    /// ENOENT if there is none.
    pub fn file(self) -> Result<VnodeRef, Errno> {
        self.node.ok_or(Errno::ENOENT)
    }
}

/// The path at `addr`.
///
/// # Errors
/// ENAMETOOLONG, EFAULT, ENOMEM.
pub fn copyin_path(addr: usize) -> Result<Vec<u8>, Errno> {
    copyinstr(addr, PATH_ROOM)
}

/// The directory in which a path begins that is given with a descriptor (the *at calls).
///
/// # Errors
/// EBADF, ENOTDIR.
pub fn start(fd: i32, path: &[u8]) -> Result<VnodeRef, Errno> {
    if path.first() == Some(&b'/') {
        return cwd::root();
    }
    if fd == AT_FDCWD {
        return cwd::dir();
    }
    let file = filedesc::getfile(fd)?;
    let vnode = file.ops.as_any().downcast_ref::<VnodeFile>().ok_or(Errno::ENOTDIR)?.vnode();
    if vnode.kind() == Kind::Directory { Ok(Rc::clone(vnode)) } else { Err(Errno::ENOTDIR) }
}

/// What is mounted on a directory, or else the directory.
fn down(mut vnode: VnodeRef) -> VnodeRef {
    loop {
        let above = vnode.state().mounted_here.borrow().as_ref().map(|mount| Rc::clone(&mount.root));
        match above {
            Some(root) => vnode = root,
            None => return vnode,
        }
    }
}

/// The directory above, which at the process's root is the root.
///
/// # Errors
/// ENOENT if there is no file system.
pub fn parent(dir: &VnodeRef) -> Result<VnodeRef, Errno> {
    let root = cwd::root()?;
    let mut at = Rc::clone(dir);
    loop {
        if same(&at, &root) {
            return Ok(root);
        }
        // The root of a mounted file system: go on from what it covers.
        let covered =
            at.mount().filter(|mount| same(&mount.root, &at)).and_then(|mount| mount.covered.clone());
        match covered {
            Some(vnode) => at = vnode,
            None => return at.parent(),
        }
    }
}

/// The next name of a path: it, and what follows it from its slash on.
fn next_name(path: &[u8]) -> (&[u8], &[u8]) {
    let start = path.iter().position(|&byte| byte != b'/').unwrap_or(path.len());
    let path = &path[start..];
    path.split_at(path.iter().position(|&byte| byte == b'/').unwrap_or(path.len()))
}

/// Goes through `path` from `at` (or from the root, if it begins with a slash).
///
/// # Errors
/// ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG.
pub fn namei(mut at: VnodeRef, mut path: Vec<u8>, follow: Follow) -> Result<Found, Errno> {
    if path.is_empty() {
        return Err(Errno::ENOENT);
    }
    if path[0] == b'/' {
        at = cwd::root()?;
    }
    let mut done = 0;
    let mut links = 0;
    loop {
        let (name, rest) = next_name(&path[done..]);
        let rest_at = path.len() - rest.len();
        let is_last = rest.iter().all(|&byte| byte == b'/');
        let trailing_slash = !rest.is_empty() && is_last;
        if name.is_empty() {
            return Ok(Found {
                dir: Rc::clone(&at),
                name: Vec::new(),
                last: Last::Root,
                node: Some(at),
                trailing_slash: true,
            });
        }
        if name.len() > NAME_LEN_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        if at.kind() != Kind::Directory {
            return Err(Errno::ENOTDIR);
        }
        access::check(&*at, Access::EXEC)?;
        let (last, node) = match name {
            b"." => (Last::Dot, Some(Rc::clone(&at))),
            b".." => (Last::DotDot, Some(parent(&at)?)),
            _ => match at.lookup(name) {
                Ok(node) => (Last::Name, Some(down(node))),
                Err(Errno::ENOENT) if is_last => (Last::Name, None),
                Err(errno) => return Err(errno),
            },
        };
        if let Some(node) = &node
            && node.kind() == Kind::Link
            && (!is_last || trailing_slash || follow == Follow::Yes)
        {
            links += 1;
            if links > SYMLINKS_MAX {
                return Err(Errno::ELOOP);
            }
            let mut target = node.readlink()?;
            if target.is_empty() {
                return Err(Errno::ENOENT);
            }
            if target.len() + rest.len() >= PATH_ROOM {
                return Err(Errno::ENAMETOOLONG);
            }
            if target[0] == b'/' {
                at = cwd::root()?;
            }
            target.extend_from_slice(rest);
            (path, done) = (target, 0);
            continue;
        }
        if !is_last {
            at = node.ok_or(Errno::ENOENT)?;
            done = rest_at;
            continue;
        }
        if trailing_slash && node.as_ref().is_some_and(|node| node.kind() != Kind::Directory) {
            return Err(Errno::ENOTDIR);
        }
        return Ok(Found { name: name.to_vec(), dir: at, last, node, trailing_slash });
    }
}

/// The file to which a path leads.
///
/// # Errors
/// As [`namei`].
pub fn lookup(at: VnodeRef, path: Vec<u8>, follow: Follow) -> Result<VnodeRef, Errno> {
    namei(at, path, follow)?.file()
}

/// The file that a path of the application's names.
///
/// # Errors
/// As [`namei`], and EFAULT, EBADF.
pub fn lookup_at(fd: i32, addr: usize, follow: Follow) -> Result<VnodeRef, Errno> {
    namei_at(fd, addr, follow)?.file()
}

/// How far a path of the application's leads.
///
/// # Errors
/// As [`namei`], and EFAULT, EBADF.
pub fn namei_at(fd: i32, addr: usize, follow: Follow) -> Result<Found, Errno> {
    let path = copyin_path(addr)?;
    if path.is_empty() {
        return Err(Errno::ENOENT);
    }
    namei(start(fd, &path)?, path, follow)
}

/// The path of a directory, below the process's root.
///
/// # Errors
/// ENOENT if it has been removed; ENAMETOOLONG.
pub fn path_of(dir: &VnodeRef) -> Result<Vec<u8>, Errno> {
    let root = cwd::root()?;
    let mut names: Vec<Vec<u8>> = Vec::new();
    let mut len = 0;
    let mut at = Rc::clone(dir);
    while !same(&at, &root) {
        let covered =
            at.mount().filter(|mount| same(&mount.root, &at)).and_then(|mount| mount.covered.clone());
        if let Some(covered) = covered {
            at = covered;
            continue;
        }
        let parent = at.parent()?;
        if same(&parent, &at) {
            // Not below the root, or removed.
            return Err(Errno::ENOENT);
        }
        let name = parent.name_of(&at)?;
        len += name.len() + 1;
        if len >= PATH_ROOM {
            return Err(Errno::ENAMETOOLONG);
        }
        names.push(name);
        at = parent;
    }
    let mut path = Vec::new();
    for name in names.iter().rev() {
        path.push(b'/');
        path.extend_from_slice(name);
    }
    if path.is_empty() {
        path.push(b'/');
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::next_name;

    #[test]
    fn names_of_a_path() {
        assert_eq!(next_name(b"//usr//bin/"), (&b"usr"[..], &b"//bin/"[..]));
        assert_eq!(next_name(b"//bin/"), (&b"bin"[..], &b"/"[..]));
        assert_eq!(next_name(b"///"), (&b""[..], &b""[..]));
        assert_eq!(next_name(b"a"), (&b"a"[..], &b""[..]));
    }
}
