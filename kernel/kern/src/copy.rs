//! The application's memory, by value (copyin(9)).
//!
//! Nothing in the kernel dereferences an application's pointer: it is a `usize` that goes through these functions, and an
//! address that does not do what it is asked for is EFAULT.

use alloc::vec::Vec;
use core::mem::{MaybeUninit, size_of};

use rump_hypercall::user::{self, Fault};

use crate::errno::Errno;

/// Values that are nothing but their bytes.
///
/// # Safety
/// Any bit pattern is a value of the type, and the type has no padding that a copy to the application would leak
/// uninitialised (structures of C with holes name the holes as fields).
pub unsafe trait Pod: Copy + 'static {}

/// Declares types to be [`Pod`]; the caller of the macro argues for it.
#[macro_export]
macro_rules! pod {
    ($($type:ty),* $(,)?) => {
        $(
            // SAFETY: a repr(C) structure or primitive of integers, arrays of them and other such structures, without holes.
            unsafe impl $crate::copy::Pod for $type {}
        )*
    };
}

pod!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);
rump_abi::for_each_type!(pod);

// SAFETY: an array of such values is such a value.
unsafe impl<T: Pod, const N: usize> Pod for [T; N] {}

/// The bytes of a value.
pub fn bytes_of<T: Pod>(value: &T) -> &[u8] {
    // SAFETY: `Pod` says that all of the value's bytes are initialised; the slice covers exactly the value.
    unsafe { core::slice::from_raw_parts(core::ptr::from_ref(value).cast(), size_of::<T>()) }
}

/// A value whose bytes are all zero.
pub fn zeroed<T: Pod>() -> T {
    // SAFETY: `Pod` says that any bit pattern is a value.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

fn efault(_: Fault) -> Errno {
    Errno::EFAULT
}

/// Reads a value at `addr`.
#[inline]
pub fn copyin<T: Pod>(addr: usize) -> Result<T, Errno> {
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: the slice covers exactly the value, which the zeroing initialised.
    let bytes = unsafe { core::slice::from_raw_parts_mut(value.as_mut_ptr().cast::<u8>(), size_of::<T>()) };
    user::copyin(addr, bytes).map_err(efault)?;
    // SAFETY: all bytes are initialised, and `Pod` says that any bit pattern is a value.
    Ok(unsafe { value.assume_init() })
}

/// Writes a value at `addr`.
#[inline]
pub fn copyout<T: Pod>(value: &T, addr: usize) -> Result<(), Errno> {
    user::copyout(bytes_of(value), addr).map_err(efault)
}

/// Writes a value at `addr` unless that is a null pointer.
#[inline]
pub fn copyout_opt<T: Pod>(value: &T, addr: usize) -> Result<(), Errno> {
    if addr == 0 { Ok(()) } else { copyout(value, addr) }
}

/// Fills `dst` from `addr`.
#[inline]
pub fn copyin_bytes(addr: usize, dst: &mut [u8]) -> Result<(), Errno> {
    user::copyin(addr, dst).map_err(efault)
}

/// Writes `src` at `addr`.
#[inline]
pub fn copyout_bytes(src: &[u8], addr: usize) -> Result<(), Errno> {
    user::copyout(src, addr).map_err(efault)
}

/// Zeroes `len` bytes at `addr`.
#[inline]
pub fn zeroout(addr: usize, len: usize) -> Result<(), Errno> {
    user::zeroout(addr, len).map_err(efault)
}

/// Reads `count` values at `addr`; EINVAL if there are more than `max_count`, ENOMEM if the kernel has no room for them.
pub fn copyin_slice<T: Pod>(addr: usize, count: usize, max_count: usize) -> Result<Vec<T>, Errno> {
    if count > max_count {
        return Err(Errno::EINVAL);
    }
    let mut values: Vec<T> = Vec::new();
    values.try_reserve_exact(count).map_err(|_| Errno::ENOMEM)?;
    values.resize(count, zeroed());
    // SAFETY: the slice covers exactly the vector's values, which are initialised, and any bit pattern is a value.
    let bytes =
        unsafe { core::slice::from_raw_parts_mut(values.as_mut_ptr().cast::<u8>(), count * size_of::<T>()) };
    user::copyin(addr, bytes).map_err(efault)?;
    Ok(values)
}

/// Writes `values` one after the other at `addr`.
pub fn copyout_slice<T: Pod>(values: &[T], addr: usize) -> Result<(), Errno> {
    // SAFETY: `Pod` says that all bytes are initialised; the slice covers exactly the values.
    let bytes = unsafe { core::slice::from_raw_parts(values.as_ptr().cast::<u8>(), size_of_val(values)) };
    user::copyout(bytes, addr).map_err(efault)
}

/// copyinstr(9): reads the string at `addr` without its NUL; ENAMETOOLONG if it takes more than `max_len` bytes with it.
pub fn copyinstr(addr: usize, max_len: usize) -> Result<Vec<u8>, Errno> {
    const CHUNK: usize = 256;
    let mut string = Vec::new();
    let mut buf = [0; CHUNK];
    while string.len() < max_len {
        let at = addr.checked_add(string.len()).ok_or(Errno::EFAULT)?;
        // Chunks end at multiples of their size, so that the read never touches a page after the string's last one.
        let len = (CHUNK - at % CHUNK).min(max_len - string.len());
        copyin_bytes(at, &mut buf[..len])?;
        let end = buf[..len].iter().position(|&byte| byte == 0);
        string.try_reserve(end.unwrap_or(len)).map_err(|_| Errno::ENOMEM)?;
        string.extend_from_slice(&buf[..end.unwrap_or(len)]);
        if end.is_some() {
            return Ok(string);
        }
    }
    Err(Errno::ENAMETOOLONG)
}
