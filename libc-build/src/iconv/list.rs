//! The encodings that iconv_open(3) knows: __iconv_get_list, __iconv_free_list (iconv.h).

use crate::errno;
use crate::stdlib::heap::{calloc, free};
use core::ffi::{c_char, c_int};

/// A name of each encoding.
const NAMES: [&[u8]; 12] = [
    b"UTF-8",
    b"US-ASCII",
    b"ISO-8859-1",
    b"UTF-16",
    b"UTF-16BE",
    b"UTF-16LE",
    b"UTF-32",
    b"UTF-32BE",
    b"UTF-32LE",
    b"UCS-2",
    b"UCS-2LE",
    b"UCS-4",
];

/// Lists the encodings; -1 with ENOMEM without memory.
///
/// # Safety
/// Both are writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __iconv_get_list(list: *mut *mut *mut c_char, count: *mut usize) -> c_int {
    let pointers = NAMES.len() * size_of::<*mut c_char>();
    let size = pointers + NAMES.iter().map(|name| name.len() + 1).sum::<usize>();
    // SAFETY: as this function's own; the names lie behind the pointers in the same block, with zeros behind them.
    unsafe {
        let block = calloc(1, size).cast::<u8>();
        if block.is_null() {
            return errno::fail(errno::ENOMEM);
        }
        let mut at = block.add(pointers);
        for (index, name) in NAMES.into_iter().enumerate() {
            core::ptr::copy_nonoverlapping(name.as_ptr(), at, name.len());
            block.cast::<*mut c_char>().add(index).write(at.cast());
            at = at.add(name.len() + 1);
        }
        list.write(block.cast());
        count.write(NAMES.len());
    }
    0
}

/// Frees the list.
///
/// # Safety
/// It is from `__iconv_get_list`, and not used again.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __iconv_free_list(list: *mut *mut c_char, _count: usize) {
    // SAFETY: as this function's own; the names are in the same block.
    unsafe { free(list.cast()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iconv::convert::{iconv_close, iconv_open};

    #[test]
    fn every_encoding_can_be_opened() {
        let (mut list, mut count) = (core::ptr::null_mut(), 0);
        // SAFETY: writable results; the list is freed once.
        unsafe {
            assert_eq!(__iconv_get_list(&raw mut list, &raw mut count), 0);
            for index in 0..count {
                let conversion = iconv_open(*list.add(index), c"UTF-8".as_ptr());
                assert!(conversion.addr() != usize::MAX);
                iconv_close(conversion);
            }
            __iconv_free_list(list, count);
        }
    }
}
