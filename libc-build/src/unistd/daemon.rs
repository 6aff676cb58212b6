//! daemon(3).

use crate::sys;
use core::ffi::{c_char, c_int};

unsafe extern "C" {
    safe fn setsid() -> c_int;
    fn chdir(path: *const c_char) -> c_int;
}

/// Goes on in a child that has a session of its own: in the root directory unless `stays` is not 0, with /dev/null for the standard streams unless
/// `keeps` is not 0. Where there can be no child, it fails as fork(2) does.
#[unsafe(no_mangle)]
pub extern "C" fn daemon(stays: c_int, keeps: c_int) -> c_int {
    // SAFETY: C strings.
    unsafe {
        match crate::process::fork::fork() {
            -1 => return -1,
            0 => {}
            _ => sys::_exit(0),
        }
        if setsid() == -1 {
            return -1;
        }
        if stays == 0 {
            // The root directory is always there.
            chdir(c"/".as_ptr());
        }
        if keeps == 0 {
            let null = sys::open(c"/dev/null".as_ptr(), rump_abi::fcntl::O_RDWR);
            if null >= 0 {
                for standard in 0..3 {
                    sys::dup2(null, standard);
                }
                if null > 2 {
                    sys::close(null);
                }
            }
        }
    }
    0
}
