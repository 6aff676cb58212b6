//! Error numbers.

use std::ffi::c_int;
use std::io;

use rump_abi::errno;

/// Those that have a name on both sides.
macro_rules! known {
    ($($name:ident)*) => {
        &[$((libc::$name, errno::$name)),*]
    };
}

/// Linux' and NetBSD's.
const KNOWN: &[(c_int, c_int)] = known! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR
    EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS
    ENOTEMPTY ELOOP ENOMSG EIDRM ENOSTR ENODATA ETIME ENOSR EREMOTE ENOLINK EPROTO EMULTIHOP EBADMSG EOVERFLOW EILSEQ EUSERS ENOTSOCK
    EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE
    EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT
    ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EDQUOT ECANCELED EOWNERDEAD ENOTRECOVERABLE
};

/// An error of the host; what NetBSD has no number for is EIO.
pub(crate) fn error(error: &io::Error) -> c_int {
    let number = error.raw_os_error();
    KNOWN.iter().find(|&&(host, _)| Some(host) == number).map_or(errno::EIO, |&(_, netbsd)| netbsd)
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, error};
    use rump_abi::errno;
    use std::collections::BTreeSet;
    use std::io;

    #[test]
    fn every_error_has_its_own_number() {
        let host: BTreeSet<_> = KNOWN.iter().map(|known| known.0).collect();
        let netbsd: BTreeSet<_> = KNOWN.iter().map(|known| known.1).collect();
        assert_eq!((host.len(), netbsd.len()), (KNOWN.len(), KNOWN.len()));
    }

    #[test]
    fn what_netbsd_does_not_know_is_eio() {
        assert_eq!(error(&io::Error::from_raw_os_error(libc::EUCLEAN)), errno::EIO);
        assert_eq!(error(&io::Error::from_raw_os_error(libc::EAGAIN)), errno::EAGAIN);
    }
}
