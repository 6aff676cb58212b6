//! Error numbers, from sys/errno.h.

/// `EPERM`.
pub const EPERM: i32 = 1;
/// `ENOENT`.
pub const ENOENT: i32 = 2;
/// `ESRCH`.
pub const ESRCH: i32 = 3;
/// `EINTR`.
pub const EINTR: i32 = 4;
/// `EIO`.
pub const EIO: i32 = 5;
/// `ENXIO`.
pub const ENXIO: i32 = 6;
/// `E2BIG`.
pub const E2BIG: i32 = 7;
/// `ENOEXEC`.
pub const ENOEXEC: i32 = 8;
/// `EBADF`.
pub const EBADF: i32 = 9;
/// `ECHILD`.
pub const ECHILD: i32 = 10;
/// `EDEADLK`.
pub const EDEADLK: i32 = 11;
/// `ENOMEM`.
pub const ENOMEM: i32 = 12;
/// `EACCES`.
pub const EACCES: i32 = 13;
/// `EFAULT`.
pub const EFAULT: i32 = 14;
/// `ENOTBLK`.
pub const ENOTBLK: i32 = 15;
/// `EBUSY`.
pub const EBUSY: i32 = 16;
/// `EEXIST`.
pub const EEXIST: i32 = 17;
/// `EXDEV`.
pub const EXDEV: i32 = 18;
/// `ENODEV`.
pub const ENODEV: i32 = 19;
/// `ENOTDIR`.
pub const ENOTDIR: i32 = 20;
/// `EISDIR`.
pub const EISDIR: i32 = 21;
/// `EINVAL`.
pub const EINVAL: i32 = 22;
/// `ENFILE`.
pub const ENFILE: i32 = 23;
/// `EMFILE`.
pub const EMFILE: i32 = 24;
/// `ENOTTY`.
pub const ENOTTY: i32 = 25;
/// `ETXTBSY`.
pub const ETXTBSY: i32 = 26;
/// `EFBIG`.
pub const EFBIG: i32 = 27;
/// `ENOSPC`.
pub const ENOSPC: i32 = 28;
/// `ESPIPE`.
pub const ESPIPE: i32 = 29;
/// `EROFS`.
pub const EROFS: i32 = 30;
/// `EMLINK`.
pub const EMLINK: i32 = 31;
/// `EPIPE`.
pub const EPIPE: i32 = 32;
/// `EDOM`.
pub const EDOM: i32 = 33;
/// `ERANGE`.
pub const ERANGE: i32 = 34;
/// `EAGAIN`.
pub const EAGAIN: i32 = 35;
/// `EINPROGRESS`.
pub const EINPROGRESS: i32 = 36;
/// `EALREADY`.
pub const EALREADY: i32 = 37;
/// `ENOTSOCK`.
pub const ENOTSOCK: i32 = 38;
/// `EDESTADDRREQ`.
pub const EDESTADDRREQ: i32 = 39;
/// `EMSGSIZE`.
pub const EMSGSIZE: i32 = 40;
/// `EPROTOTYPE`.
pub const EPROTOTYPE: i32 = 41;
/// `ENOPROTOOPT`.
pub const ENOPROTOOPT: i32 = 42;
/// `EPROTONOSUPPORT`.
pub const EPROTONOSUPPORT: i32 = 43;
/// `ESOCKTNOSUPPORT`.
pub const ESOCKTNOSUPPORT: i32 = 44;
/// `EOPNOTSUPP`.
pub const EOPNOTSUPP: i32 = 45;
/// `EPFNOSUPPORT`.
pub const EPFNOSUPPORT: i32 = 46;
/// `EAFNOSUPPORT`.
pub const EAFNOSUPPORT: i32 = 47;
/// `EADDRINUSE`.
pub const EADDRINUSE: i32 = 48;
/// `EADDRNOTAVAIL`.
pub const EADDRNOTAVAIL: i32 = 49;
/// `ENETDOWN`.
pub const ENETDOWN: i32 = 50;
/// `ENETUNREACH`.
pub const ENETUNREACH: i32 = 51;
/// `ENETRESET`.
pub const ENETRESET: i32 = 52;
/// `ECONNABORTED`.
pub const ECONNABORTED: i32 = 53;
/// `ECONNRESET`.
pub const ECONNRESET: i32 = 54;
/// `ENOBUFS`.
pub const ENOBUFS: i32 = 55;
/// `EISCONN`.
pub const EISCONN: i32 = 56;
/// `ENOTCONN`.
pub const ENOTCONN: i32 = 57;
/// `ESHUTDOWN`.
pub const ESHUTDOWN: i32 = 58;
/// `ETOOMANYREFS`.
pub const ETOOMANYREFS: i32 = 59;
/// `ETIMEDOUT`.
pub const ETIMEDOUT: i32 = 60;
/// `ECONNREFUSED`.
pub const ECONNREFUSED: i32 = 61;
/// `ELOOP`.
pub const ELOOP: i32 = 62;
/// `ENAMETOOLONG`.
pub const ENAMETOOLONG: i32 = 63;
/// `EHOSTDOWN`.
pub const EHOSTDOWN: i32 = 64;
/// `EHOSTUNREACH`.
pub const EHOSTUNREACH: i32 = 65;
/// `ENOTEMPTY`.
pub const ENOTEMPTY: i32 = 66;
/// `EPROCLIM`.
pub const EPROCLIM: i32 = 67;
/// `EUSERS`.
pub const EUSERS: i32 = 68;
/// `EDQUOT`.
pub const EDQUOT: i32 = 69;
/// `ESTALE`.
pub const ESTALE: i32 = 70;
/// `EREMOTE`.
pub const EREMOTE: i32 = 71;
/// `EBADRPC`.
pub const EBADRPC: i32 = 72;
/// `ERPCMISMATCH`.
pub const ERPCMISMATCH: i32 = 73;
/// `EPROGUNAVAIL`.
pub const EPROGUNAVAIL: i32 = 74;
/// `EPROGMISMATCH`.
pub const EPROGMISMATCH: i32 = 75;
/// `EPROCUNAVAIL`.
pub const EPROCUNAVAIL: i32 = 76;
/// `ENOLCK`.
pub const ENOLCK: i32 = 77;
/// `ENOSYS`.
pub const ENOSYS: i32 = 78;
/// `EFTYPE`.
pub const EFTYPE: i32 = 79;
/// `EAUTH`.
pub const EAUTH: i32 = 80;
/// `ENEEDAUTH`.
pub const ENEEDAUTH: i32 = 81;
/// `EIDRM`.
pub const EIDRM: i32 = 82;
/// `ENOMSG`.
pub const ENOMSG: i32 = 83;
/// `EOVERFLOW`.
pub const EOVERFLOW: i32 = 84;
/// `EILSEQ`.
pub const EILSEQ: i32 = 85;
/// `ENOTSUP`.
pub const ENOTSUP: i32 = 86;
/// `ECANCELED`.
pub const ECANCELED: i32 = 87;
/// `EBADMSG`.
pub const EBADMSG: i32 = 88;
/// `ENODATA`.
pub const ENODATA: i32 = 89;
/// `ENOSR`.
pub const ENOSR: i32 = 90;
/// `ENOSTR`.
pub const ENOSTR: i32 = 91;
/// `ETIME`.
pub const ETIME: i32 = 92;
/// `ENOATTR`.
pub const ENOATTR: i32 = 93;
/// `EMULTIHOP`.
pub const EMULTIHOP: i32 = 94;
/// `ENOLINK`.
pub const ENOLINK: i32 = 95;
/// `EPROTO`.
pub const EPROTO: i32 = 96;
/// `EOWNERDEAD`.
pub const EOWNERDEAD: i32 = 97;
/// `ENOTRECOVERABLE`.
pub const ENOTRECOVERABLE: i32 = 98;

/// An error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Errno(pub i32);

impl Errno {
    /// `EPERM`.
    pub const EPERM: Self = Self(1);
    /// `ENOENT`.
    pub const ENOENT: Self = Self(2);
    /// `ESRCH`.
    pub const ESRCH: Self = Self(3);
    /// `EINTR`.
    pub const EINTR: Self = Self(4);
    /// `EIO`.
    pub const EIO: Self = Self(5);
    /// `ENXIO`.
    pub const ENXIO: Self = Self(6);
    /// `E2BIG`.
    pub const E2BIG: Self = Self(7);
    /// `ENOEXEC`.
    pub const ENOEXEC: Self = Self(8);
    /// `EBADF`.
    pub const EBADF: Self = Self(9);
    /// `ECHILD`.
    pub const ECHILD: Self = Self(10);
    /// `EDEADLK`.
    pub const EDEADLK: Self = Self(11);
    /// `ENOMEM`.
    pub const ENOMEM: Self = Self(12);
    /// `EACCES`.
    pub const EACCES: Self = Self(13);
    /// `EFAULT`.
    pub const EFAULT: Self = Self(14);
    /// `ENOTBLK`.
    pub const ENOTBLK: Self = Self(15);
    /// `EBUSY`.
    pub const EBUSY: Self = Self(16);
    /// `EEXIST`.
    pub const EEXIST: Self = Self(17);
    /// `EXDEV`.
    pub const EXDEV: Self = Self(18);
    /// `ENODEV`.
    pub const ENODEV: Self = Self(19);
    /// `ENOTDIR`.
    pub const ENOTDIR: Self = Self(20);
    /// `EISDIR`.
    pub const EISDIR: Self = Self(21);
    /// `EINVAL`.
    pub const EINVAL: Self = Self(22);
    /// `ENFILE`.
    pub const ENFILE: Self = Self(23);
    /// `EMFILE`.
    pub const EMFILE: Self = Self(24);
    /// `ENOTTY`.
    pub const ENOTTY: Self = Self(25);
    /// `ETXTBSY`.
    pub const ETXTBSY: Self = Self(26);
    /// `EFBIG`.
    pub const EFBIG: Self = Self(27);
    /// `ENOSPC`.
    pub const ENOSPC: Self = Self(28);
    /// `ESPIPE`.
    pub const ESPIPE: Self = Self(29);
    /// `EROFS`.
    pub const EROFS: Self = Self(30);
    /// `EMLINK`.
    pub const EMLINK: Self = Self(31);
    /// `EPIPE`.
    pub const EPIPE: Self = Self(32);
    /// `EDOM`.
    pub const EDOM: Self = Self(33);
    /// `ERANGE`.
    pub const ERANGE: Self = Self(34);
    /// `EAGAIN`.
    pub const EAGAIN: Self = Self(35);
    /// `EINPROGRESS`.
    pub const EINPROGRESS: Self = Self(36);
    /// `EALREADY`.
    pub const EALREADY: Self = Self(37);
    /// `ENOTSOCK`.
    pub const ENOTSOCK: Self = Self(38);
    /// `EDESTADDRREQ`.
    pub const EDESTADDRREQ: Self = Self(39);
    /// `EMSGSIZE`.
    pub const EMSGSIZE: Self = Self(40);
    /// `EPROTOTYPE`.
    pub const EPROTOTYPE: Self = Self(41);
    /// `ENOPROTOOPT`.
    pub const ENOPROTOOPT: Self = Self(42);
    /// `EPROTONOSUPPORT`.
    pub const EPROTONOSUPPORT: Self = Self(43);
    /// `ESOCKTNOSUPPORT`.
    pub const ESOCKTNOSUPPORT: Self = Self(44);
    /// `EOPNOTSUPP`.
    pub const EOPNOTSUPP: Self = Self(45);
    /// `EPFNOSUPPORT`.
    pub const EPFNOSUPPORT: Self = Self(46);
    /// `EAFNOSUPPORT`.
    pub const EAFNOSUPPORT: Self = Self(47);
    /// `EADDRINUSE`.
    pub const EADDRINUSE: Self = Self(48);
    /// `EADDRNOTAVAIL`.
    pub const EADDRNOTAVAIL: Self = Self(49);
    /// `ENETDOWN`.
    pub const ENETDOWN: Self = Self(50);
    /// `ENETUNREACH`.
    pub const ENETUNREACH: Self = Self(51);
    /// `ENETRESET`.
    pub const ENETRESET: Self = Self(52);
    /// `ECONNABORTED`.
    pub const ECONNABORTED: Self = Self(53);
    /// `ECONNRESET`.
    pub const ECONNRESET: Self = Self(54);
    /// `ENOBUFS`.
    pub const ENOBUFS: Self = Self(55);
    /// `EISCONN`.
    pub const EISCONN: Self = Self(56);
    /// `ENOTCONN`.
    pub const ENOTCONN: Self = Self(57);
    /// `ESHUTDOWN`.
    pub const ESHUTDOWN: Self = Self(58);
    /// `ETOOMANYREFS`.
    pub const ETOOMANYREFS: Self = Self(59);
    /// `ETIMEDOUT`.
    pub const ETIMEDOUT: Self = Self(60);
    /// `ECONNREFUSED`.
    pub const ECONNREFUSED: Self = Self(61);
    /// `ELOOP`.
    pub const ELOOP: Self = Self(62);
    /// `ENAMETOOLONG`.
    pub const ENAMETOOLONG: Self = Self(63);
    /// `EHOSTDOWN`.
    pub const EHOSTDOWN: Self = Self(64);
    /// `EHOSTUNREACH`.
    pub const EHOSTUNREACH: Self = Self(65);
    /// `ENOTEMPTY`.
    pub const ENOTEMPTY: Self = Self(66);
    /// `EPROCLIM`.
    pub const EPROCLIM: Self = Self(67);
    /// `EUSERS`.
    pub const EUSERS: Self = Self(68);
    /// `EDQUOT`.
    pub const EDQUOT: Self = Self(69);
    /// `ESTALE`.
    pub const ESTALE: Self = Self(70);
    /// `EREMOTE`.
    pub const EREMOTE: Self = Self(71);
    /// `EBADRPC`.
    pub const EBADRPC: Self = Self(72);
    /// `ERPCMISMATCH`.
    pub const ERPCMISMATCH: Self = Self(73);
    /// `EPROGUNAVAIL`.
    pub const EPROGUNAVAIL: Self = Self(74);
    /// `EPROGMISMATCH`.
    pub const EPROGMISMATCH: Self = Self(75);
    /// `EPROCUNAVAIL`.
    pub const EPROCUNAVAIL: Self = Self(76);
    /// `ENOLCK`.
    pub const ENOLCK: Self = Self(77);
    /// `ENOSYS`.
    pub const ENOSYS: Self = Self(78);
    /// `EFTYPE`.
    pub const EFTYPE: Self = Self(79);
    /// `EAUTH`.
    pub const EAUTH: Self = Self(80);
    /// `ENEEDAUTH`.
    pub const ENEEDAUTH: Self = Self(81);
    /// `EIDRM`.
    pub const EIDRM: Self = Self(82);
    /// `ENOMSG`.
    pub const ENOMSG: Self = Self(83);
    /// `EOVERFLOW`.
    pub const EOVERFLOW: Self = Self(84);
    /// `EILSEQ`.
    pub const EILSEQ: Self = Self(85);
    /// `ENOTSUP`.
    pub const ENOTSUP: Self = Self(86);
    /// `ECANCELED`.
    pub const ECANCELED: Self = Self(87);
    /// `EBADMSG`.
    pub const EBADMSG: Self = Self(88);
    /// `ENODATA`.
    pub const ENODATA: Self = Self(89);
    /// `ENOSR`.
    pub const ENOSR: Self = Self(90);
    /// `ENOSTR`.
    pub const ENOSTR: Self = Self(91);
    /// `ETIME`.
    pub const ETIME: Self = Self(92);
    /// `ENOATTR`.
    pub const ENOATTR: Self = Self(93);
    /// `EMULTIHOP`.
    pub const EMULTIHOP: Self = Self(94);
    /// `ENOLINK`.
    pub const ENOLINK: Self = Self(95);
    /// `EPROTO`.
    pub const EPROTO: Self = Self(96);
    /// `EOWNERDEAD`.
    pub const EOWNERDEAD: Self = Self(97);
    /// `ENOTRECOVERABLE`.
    pub const ENOTRECOVERABLE: Self = Self(98);
}
