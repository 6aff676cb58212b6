//! getentropy(3).

use crate::{errno, sys};
use core::ffi::{c_int, c_void};

/// getentropy(3).
///
/// # Safety
/// `buf` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getentropy(buf: *mut c_void, len: usize) -> c_int {
    if len > 256 {
        return errno::fail(errno::EINVAL);
    }
    let mut have = 0;
    while have < len {
        // SAFETY: this function's contract.
        let got = unsafe { sys::getrandom(buf.cast::<u8>().add(have).cast(), len - have, 0) };
        if got > 0 {
            have += got as usize;
        } else if errno::get() != errno::EINTR {
            return -1;
        }
    }
    0
}
