//! Signal sets: sigsetops(3). A `sigset_t` is four words, signal 1 the lowest bit of the first.

use crate::errno;
use core::ffi::c_int;

/// `sigset_t`.
pub type SignalSet = [u32; 4];

/// The word and the bit of a signal; `None` if there is no such signal.
#[inline]
fn place(signal: c_int) -> Option<(usize, u32)> {
    (1..=63).contains(&signal).then(|| ((signal as usize - 1) / 32, 1 << ((signal - 1) % 32)))
}

/// Applies `change` to the word of a signal.
unsafe fn change(set: *mut SignalSet, signal: c_int, change: impl FnOnce(&mut u32, u32)) -> c_int {
    let Some((word, bit)) = place(signal) else { return errno::fail(errno::EINVAL) };
    // SAFETY: the caller has a set; the word is 0 or 1.
    change(unsafe { (*set).get_unchecked_mut(word) }, bit);
    0
}

/// sigaddset(3).
///
/// # Safety
/// `set` points to a set.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __sigaddset14(set: *mut SignalSet, signal: c_int) -> c_int {
    // SAFETY: this function's contract.
    unsafe { change(set, signal, |word, bit| *word |= bit) }
}

/// sigdelset(3).
///
/// # Safety
/// `set` points to a set.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __sigdelset14(set: *mut SignalSet, signal: c_int) -> c_int {
    // SAFETY: this function's contract.
    unsafe { change(set, signal, |word, bit| *word &= !bit) }
}

/// sigemptyset(3).
///
/// # Safety
/// `set` points to memory for a set.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __sigemptyset14(set: *mut SignalSet) -> c_int {
    // SAFETY: this function's contract.
    unsafe { set.write([0; 4]) };
    0
}

/// sigfillset(3).
///
/// # Safety
/// `set` points to memory for a set.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __sigfillset14(set: *mut SignalSet) -> c_int {
    // SAFETY: this function's contract.
    unsafe { set.write([u32::MAX; 4]) };
    0
}

/// sigismember(3).
///
/// # Safety
/// `set` points to a set.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __sigismember14(set: *const SignalSet, signal: c_int) -> c_int {
    let Some((word, bit)) = place(signal) else { return errno::fail(errno::EINVAL) };
    // SAFETY: this function's contract; the word is 0 or 1.
    c_int::from(unsafe { (*set).get_unchecked(word) } & bit != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members() {
        let mut set = [7; 4];
        // SAFETY: a set of the test's own.
        unsafe {
            __sigemptyset14(&raw mut set);
            for signal in [1, 32, 33, 63] {
                assert_eq!(__sigismember14(&raw const set, signal), 0);
                assert_eq!(__sigaddset14(&raw mut set, signal), 0);
                assert_eq!(__sigismember14(&raw const set, signal), 1);
            }
            assert_eq!(set, [0x8000_0001, 0x4000_0001, 0, 0]);
            assert_eq!(__sigdelset14(&raw mut set, 32), 0);
            assert_eq!(set[0], 1);
            for signal in [-1, 0, 64] {
                assert_eq!(__sigaddset14(&raw mut set, signal), -1);
            }
            __sigfillset14(&raw mut set);
            assert_eq!(__sigismember14(&raw const set, 63), 1);
        }
    }
}
