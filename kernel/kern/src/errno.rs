//! Error numbers, and how a system call's result becomes the two registers of [`Ret`] (errno(2)).

use rump_hypercall::upcall::Ret;

pub use rump_abi::errno::Errno;

/// ERESTART, which only the kernel sees: the call is to be made again after the signal's handler.
pub const ERESTART: Errno = Errno(Ret::RESTART);

/// What a system call may return.
pub trait IntoRet {
    /// The registers.
    fn into_ret(self) -> Ret;
}

/// What a system call may return on success.
pub trait IntoValue {
    /// The registers, with `errno` 0.
    fn into_value(self) -> Ret;
}

impl IntoRet for Ret {
    #[inline]
    fn into_ret(self) -> Ret {
        self
    }
}

impl<T: IntoValue> IntoRet for Result<T, Errno> {
    #[inline]
    fn into_ret(self) -> Ret {
        match self {
            Ok(value) => value.into_value(),
            Err(errno) => Ret::err(errno.0),
        }
    }
}

impl IntoValue for () {
    #[inline]
    fn into_value(self) -> Ret {
        Ret::ok(0)
    }
}

impl IntoValue for i32 {
    #[inline]
    fn into_value(self) -> Ret {
        Ret::ok(i64::from(self))
    }
}

impl IntoValue for u32 {
    #[inline]
    fn into_value(self) -> Ret {
        Ret::ok(i64::from(self))
    }
}

impl IntoValue for i64 {
    #[inline]
    fn into_value(self) -> Ret {
        Ret::ok(self)
    }
}

impl IntoValue for u64 {
    #[inline]
    fn into_value(self) -> Ret {
        Ret::ok(self.cast_signed())
    }
}

impl IntoValue for usize {
    #[inline]
    fn into_value(self) -> Ret {
        Ret::ok(self.cast_signed() as i64)
    }
}

/// Two values: pipe(2), fork(2).
impl IntoValue for (i32, i32) {
    #[inline]
    fn into_value(self) -> Ret {
        Ret { value: i64::from(self.0), errno: 0, value2: self.1 }
    }
}
