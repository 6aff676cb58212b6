//! shm_open(3), shm_unlink(3): named objects of shared memory, which are files below /tmp.

use crate::net::buffer::Text;
use crate::{errno, sys};
use core::ffi::{CStr, c_char, c_int};
use rump_abi::fcntl::{O_CLOEXEC, O_NOFOLLOW};

/// The file of an object: its name has one slash, the first of it.
fn path(name: &[u8]) -> Option<Text<1024>> {
    let [b'/', rest @ ..] = name else { return None };
    if rest.is_empty() || rest.contains(&b'/') {
        return None;
    }
    let mut path = Text::new();
    path.extend(b"/tmp/.shmobj_");
    path.extend(rest);
    path.push(0);
    path.is_whole().then_some(path)
}

/// Opens an object.
///
/// # Safety
/// `name` is a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shm_open(name: *const c_char, flags: c_int, mode: u32) -> c_int {
    // SAFETY: this function's contract; the path has its end.
    unsafe {
        let Some(path) = path(CStr::from_ptr(name).to_bytes()) else { return errno::fail(errno::EINVAL) };
        sys::open(path.as_bytes().as_ptr().cast(), flags | O_CLOEXEC | O_NOFOLLOW, mode)
    }
}

/// Removes an object's name.
///
/// # Safety
/// `name` is a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shm_unlink(name: *const c_char) -> c_int {
    // SAFETY: as above.
    unsafe {
        let Some(path) = path(CStr::from_ptr(name).to_bytes()) else { return errno::fail(errno::ENOENT) };
        sys::unlink(path.as_bytes().as_ptr().cast())
    }
}

/// The mounted file systems, in memory that the next call reuses; returns how many there are, 0 where it fails.
///
/// # Safety
/// `list` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __getmntinfo90(list: *mut *mut rump_abi::types::Statvfs, flags: c_int) -> c_int {
    use rump_abi::types::Statvfs;
    static LIST: crate::lock::Lock<(usize, usize)> = crate::lock::Lock::new((0, 0));
    unsafe extern "C" {
        fn __getvfsstat90(list: *mut Statvfs, size: usize, flags: c_int) -> c_int;
    }
    /// MNT_NOWAIT of sys/statvfs.h.
    const NOWAIT: c_int = 2;
    let mut kept = LIST.lock();
    // SAFETY: the block has the size that is given; this function's contract.
    unsafe {
        loop {
            let count = __getvfsstat90(core::ptr::null_mut(), 0, NOWAIT);
            let Ok(wanted) = usize::try_from(count) else { return 0 };
            let (address, capacity) = *kept;
            if capacity < wanted + 1 {
                // The block before may still be looked at in part, as the manual page forbids: it moves.
                let block: *mut core::ffi::c_void = core::ptr::with_exposed_provenance_mut(address);
                let larger = crate::stdlib::heap::realloc(block, (wanted + 1) * size_of::<Statvfs>());
                if larger.is_null() {
                    return 0;
                }
                *kept = (larger.expose_provenance(), wanted + 1);
            }
            let (address, capacity) = *kept;
            let block: *mut Statvfs = core::ptr::with_exposed_provenance_mut(address);
            let count = __getvfsstat90(block, capacity * size_of::<Statvfs>(), flags);
            if count < 0 {
                return 0;
            }
            // As many as there is room for: there may be more.
            if (count as usize) < capacity {
                list.write(block);
                return count;
            }
        }
    }
}
