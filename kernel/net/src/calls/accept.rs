//! accept(2), paccept(2).

use rump_kern::errno::Errno;
use rump_kern::file::FileRef;
use rump_kern::file::flag::{FNONBLOCK, FNOSIGPIPE};
use rump_kern::signal::{SigSet, sigsuspend_setup, sigsuspend_teardown};
use rump_kern::{curlwp, curproc, syscall};

use super::open::{fd_flags, file_flags};
use crate::connect;
use crate::file::{SocketFile, getsock, socket_of};
use crate::sockaddr::copyout_name_and_len;

/// Accepts a connection; `flags` are those of its file, `fd_flags` those of its descriptor.
fn accept(listener: &FileRef, addr: usize, len: usize, flags: u32, fd_flags: u8) -> Result<i32, Errno> {
    let so = socket_of(listener)?;
    loop {
        connect::wait_for_connection(so, listener.head.wait())?;
        // A connection that finds no descriptor can still be accepted later.
        curproc().fd.check_room()?;
        let Some(connection) = so.take_connection() else { continue };
        // From here on, dropping the file closes the connection.
        let file = SocketFile::open(connection.clone(), flags);
        let name = connection.proto().accept(&connection)?;
        copyout_name_and_len(Some(&name), addr, len)?;
        return curproc().fd.install(file, fd_flags);
    }
}

syscall! {
    /// accept(2): the new descriptor waits if this one does.
    fn sys_accept(fd: i32, addr: usize, len: usize) -> Result<i32, Errno> {
        let listener = getsock(fd)?;
        let flags = listener.head.flags.get() & (FNONBLOCK | FNOSIGPIPE);
        accept(&listener, addr, len, flags, 0)
    }
}

syscall! {
    /// paccept(2): accept(2) with another signal mask while it waits, and with flags.
    fn sys_paccept(fd: i32, addr: usize, len: usize, mask: usize, flags: i32) -> Result<i32, Errno> {
        let mask = if mask == 0 { None } else { Some(SigSet::copyin(mask)?) };
        let listener = getsock(fd)?;
        let lwp = curlwp();
        if let Some(mask) = &mask {
            sigsuspend_setup(lwp, mask.as_mask());
        }
        let kept = listener.head.flags.get() & FNOSIGPIPE;
        let result = accept(&listener, addr, len, kept | file_flags(flags), fd_flags(flags));
        if mask.is_some() {
            sigsuspend_teardown(lwp);
        }
        result
    }
}
