//! Names of sockets: bind(2) makes a file of type socket, connect(2) finds the socket behind one.

use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use core::any::Any;

use rump_abi::socket::AF_LOCAL;
use rump_kern::errno::Errno;
use rump_net::{SockAddr, Socket};
use rump_vfs::access::{self, Access};
use rump_vfs::calls::open::make;
use rump_vfs::cwd;
use rump_vfs::namei::{self, Follow, Last};
use rump_vfs::vnode::{Kind, New, VnodeRef};

/// Permissions of a socket's file before the umask (ACCESSPERMS).
const MODE: u32 = 0o777;

/// The file that stands for a socket.
pub(crate) struct Bound(VnodeRef);

/// The path in an address: up to its end or a NUL.
fn path(addr: &SockAddr) -> Result<Vec<u8>, Errno> {
    if addr.family() != AF_LOCAL {
        return Err(Errno::EAFNOSUPPORT);
    }
    let data = addr.data();
    let len = data.iter().position(|&byte| byte == 0).unwrap_or(data.len());
    let mut path = Vec::new();
    path.try_reserve_exact(len).map_err(|_| Errno::ENOMEM)?;
    path.extend_from_slice(&data[..len]);
    Ok(path)
}

/// Makes a file that stands for a socket.
///
/// # Errors
/// EADDRINUSE if there is a file of that name, open or not; what a path can be wrong in.
pub(crate) fn bind(so: &Rc<Socket>, addr: &SockAddr) -> Result<Bound, Errno> {
    let found = namei::namei(cwd::dir()?, path(addr)?, Follow::No)?;
    if found.node.is_some() || found.last != Last::Name {
        return Err(Errno::EADDRINUSE);
    }
    let vnode = make(&found, &New::Socket, MODE)?;
    let weak: Weak<dyn Any> = Rc::downgrade(so) as Weak<dyn Any>;
    *vnode.state().socket.borrow_mut() = Some(weak);
    Ok(Bound(vnode))
}

impl Bound {
    /// The socket is closed: its file stays behind, and stands for nothing.
    pub(crate) fn unbind(&self) {
        let old = self.0.state().socket.borrow_mut().take();
        drop(old);
    }
}

/// The socket that is bound to a name.
///
/// # Errors
/// ENOTSOCK if the file is something else, EACCES, ECONNREFUSED if the socket is closed; what a path can be wrong in.
pub(crate) fn find(addr: &SockAddr) -> Result<Rc<Socket>, Errno> {
    let vnode = namei::lookup(cwd::dir()?, path(addr)?, Follow::Yes)?;
    if vnode.kind() != Kind::Socket {
        return Err(Errno::ENOTSOCK);
    }
    access::check(&*vnode, Access::WRITE)?;
    let bound = vnode.state().socket.borrow().as_ref().and_then(Weak::upgrade);
    bound.and_then(|any| any.downcast().ok()).ok_or(Errno::ECONNREFUSED)
}
