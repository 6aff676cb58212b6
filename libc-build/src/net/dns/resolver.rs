//! resolver(3): questions that programs ask the name servers themselves.

use super::config::Config;
use super::message::{HEADER_BYTES, Question};
use super::name::{Name, dots};
use super::query::{Failure, Wire, ask, search, send};
use super::state::{__res_ndestroy, __res_ninit, RES_DEFNAMES, RES_DNSRCH, RES_INIT, State};
use crate::errno;
use crate::lock::RawLock;
use crate::net::error::set;
use crate::net::kernel::Network;
use crate::stdlib::array::Array;
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_int};

/// The state of the functions that are given none. Programs change it through `_res`, one thread at a time.
#[repr(transparent)]
struct Default(UnsafeCell<State>);
// SAFETY: it is filled in under a lock, and read afterwards; who changes it takes care of other threads, as resolver(3) asks.
unsafe impl Sync for Default {}

/// What the macro `_res` stands for.
static DEFAULT: Default = Default(UnsafeCell::new(State::NEW));
static LOCK: RawLock = RawLock::new();

/// The state of the functions that are given none.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __res_state() -> *mut State {
    DEFAULT.0.get()
}

/// The state of the functions that are given none, filled in.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __res_get_state() -> *mut State {
    let state = DEFAULT.0.get();
    LOCK.acquire();
    // SAFETY: it is zero or filled in; one thread at a time fills it in.
    unsafe {
        if (*state).options & RES_INIT == 0 {
            __res_ninit(state);
        }
    }
    LOCK.release();
    state
}

/// Gives back what `__res_get_state` gave.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __res_put_state(_state: *mut State) {}

/// Reads resolv.conf(5) again.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn res_init() -> c_int {
    LOCK.acquire();
    // SAFETY: as above.
    let result = unsafe { __res_ninit(DEFAULT.0.get()) };
    LOCK.release();
    result
}

/// Forgets what was read of resolv.conf(5).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __res_close() {
    LOCK.acquire();
    // SAFETY: as above.
    unsafe { __res_ndestroy(DEFAULT.0.get()) };
    LOCK.release();
}

/// Sets h_errno, in the state too.
///
/// # Safety
/// `state` points to a state.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __h_errno_set(state: *mut State, number: c_int) {
    // SAFETY: as this function's own.
    unsafe { (*state).error = number };
    set(number);
}

/// Hands an answer to the caller, cut where there is no room; returns its length.
///
/// # Safety
/// `state` points to a state, `answer` has `size` bytes.
unsafe fn hand_over(
    state: *mut State,
    result: Result<(), Failure>,
    reply: &[u8],
    answer: *mut u8,
    size: c_int,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let failure = match (result, c_int::try_from(reply.len())) {
            (Ok(()), Ok(length)) => {
                let part = reply.len().min(usize::try_from(size).unwrap_or(0));
                core::ptr::copy_nonoverlapping(reply.as_ptr(), answer, part);
                __h_errno_set(state, 0);
                return length;
            }
            (Err(failure), _) => failure,
            (Ok(()), Err(_)) => Failure::NoRecovery,
        };
        if failure == Failure::Silence {
            errno::set(errno::ETIMEDOUT);
        }
        __h_errno_set(state, failure.number());
    }
    -1
}

/// The configuration of a state, which is filled in first where it is not.
///
/// # Safety
/// `state` points to a state, which is zero or filled in.
unsafe fn config_of(state: *mut State) -> Config {
    // SAFETY: as this function's own.
    unsafe {
        if (*state).options & RES_INIT == 0 {
            __res_ninit(state);
        }
        (*state).config()
    }
}

/// A type or class; None where there is none with this number.
fn number(value: c_int) -> Option<u16> {
    u16::try_from(value).ok()
}

/// Asks for the records of a whole name; None is what is no name.
///
/// # Safety
/// As `hand_over`; the state is zero or filled in.
unsafe fn query(
    state: *mut State,
    name: Option<Name>,
    class: c_int,
    kind: c_int,
    answer: *mut u8,
    size: c_int,
) -> c_int {
    let mut reply = Array::new();
    // SAFETY: as this function's own.
    unsafe {
        let config = config_of(state);
        let result = match (name, number(kind), number(class)) {
            (Some(name), Some(kind), Some(class)) => {
                ask(&config, &mut Network, &name, kind, class, &mut reply)
            }
            _ => Err(Failure::NoRecovery),
        };
        hand_over(state, result, &reply, answer, size)
    }
}

/// Asks for the records that a name, which is whole, has.
///
/// # Safety
/// `state` points to a state, `name` is a C string, `answer` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __res_nquery(
    state: *mut State,
    name: *const c_char,
    class: c_int,
    kind: c_int,
    answer: *mut u8,
    size: c_int,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { query(state, Name::from_text(CStr::from_ptr(name).to_bytes()), class, kind, answer, size) }
}

/// Asks for the records that a name has, which may be in one of the domains.
///
/// # Safety
/// As `__res_nquery`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __res_nsearch(
    state: *mut State,
    name: *const c_char,
    class: c_int,
    kind: c_int,
    answer: *mut u8,
    size: c_int,
) -> c_int {
    let mut reply = Array::new();
    // SAFETY: as this function's own.
    unsafe {
        let mut config = config_of(state);
        let name = CStr::from_ptr(name).to_bytes();
        let has_dots = dots(name).0 > 0;
        let wanted = if has_dots { RES_DNSRCH } else { RES_DNSRCH | RES_DEFNAMES };
        if (*state).options & wanted == 0 {
            config.set_domains(core::iter::empty());
        }
        let result = match (number(kind), number(class)) {
            (Some(kind), Some(class)) => {
                search(&config, name, |name| ask(&config, &mut Network, name, kind, class, &mut reply))
            }
            _ => Err(Failure::NoRecovery),
        };
        hand_over(state, result, &reply, answer, size)
    }
}

/// Asks for the records that a name in a domain has.
///
/// # Safety
/// As `__res_nquery`; `domain` is null or a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __res_nquerydomain(
    state: *mut State,
    name: *const c_char,
    domain: *const c_char,
    class: c_int,
    kind: c_int,
    answer: *mut u8,
    size: c_int,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let mut whole = Name::from_text(CStr::from_ptr(name).to_bytes());
        if !domain.is_null() {
            let domain = Name::from_text(CStr::from_ptr(domain).to_bytes());
            whole = whole.and_then(|name| name.within(&domain?));
        }
        query(state, whole, class, kind, answer, size)
    }
}

/// Writes a question; returns its length.
///
/// # Safety
/// `name` is a C string, `target` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __res_nmkquery(
    _state: *mut State,
    operation: c_int,
    name: *const c_char,
    class: c_int,
    kind: c_int,
    _data: *const u8,
    _data_len: c_int,
    _new: *const u8,
    target: *mut u8,
    size: c_int,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let name = Name::from_text(CStr::from_ptr(name).to_bytes());
        let (Some(name), Some(kind), Some(class), 0) = (name, number(kind), number(class), operation) else {
            return -1;
        };
        let id = Network.random() as u16;
        let question = Question::new(id, super::message::FLAG_RECURSION_DESIRED, &name, kind, class);
        let bytes = question.as_bytes();
        if usize::try_from(size).unwrap_or(0) < bytes.len() {
            return -1;
        }
        core::ptr::copy_nonoverlapping(bytes.as_ptr(), target, bytes.len());
        bytes.len() as c_int
    }
}

/// Sends a message to the servers; returns the length of the answer.
///
/// # Safety
/// `state` points to a state, `query` has `query_len` bytes and `answer` has `size`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __res_nsend(
    state: *mut State,
    query: *const u8,
    query_len: c_int,
    answer: *mut u8,
    size: c_int,
) -> c_int {
    let mut reply = Array::new();
    // SAFETY: as this function's own.
    unsafe {
        let config = config_of(state);
        let query = core::slice::from_raw_parts(query, usize::try_from(query_len).unwrap_or(0));
        let result = if query.len() < HEADER_BYTES {
            errno::set(errno::EINVAL);
            Err(Failure::Internal)
        } else {
            send(&config, &mut Network, query, &mut reply)
        };
        hand_over(state, result, &reply, answer, size)
    }
}

/// `__res_nquery` with the state of the functions that are given none.
///
/// # Safety
/// As `__res_nquery`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn res_query(
    name: *const c_char,
    class: c_int,
    kind: c_int,
    answer: *mut u8,
    size: c_int,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { __res_nquery(__res_get_state(), name, class, kind, answer, size) }
}

/// `__res_nsearch` with the state of the functions that are given none.
///
/// # Safety
/// As `__res_nsearch`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn res_search(
    name: *const c_char,
    class: c_int,
    kind: c_int,
    answer: *mut u8,
    size: c_int,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { __res_nsearch(__res_get_state(), name, class, kind, answer, size) }
}

/// `__res_nquerydomain` with the state of the functions that are given none.
///
/// # Safety
/// As `__res_nquerydomain`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __res_querydomain(
    name: *const c_char,
    domain: *const c_char,
    class: c_int,
    kind: c_int,
    answer: *mut u8,
    size: c_int,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { __res_nquerydomain(__res_get_state(), name, domain, class, kind, answer, size) }
}

/// `__res_nmkquery` with the state of the functions that are given none.
///
/// # Safety
/// As `__res_nmkquery`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn res_mkquery(
    operation: c_int,
    name: *const c_char,
    class: c_int,
    kind: c_int,
    data: *const u8,
    data_len: c_int,
    new: *const u8,
    target: *mut u8,
    size: c_int,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        __res_nmkquery(__res_get_state(), operation, name, class, kind, data, data_len, new, target, size)
    }
}

/// `__res_nsend` with the state of the functions that are given none.
///
/// # Safety
/// As `__res_nsend`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __res_send(
    query: *const u8,
    query_len: c_int,
    answer: *mut u8,
    size: c_int,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { __res_nsend(__res_get_state(), query, query_len, answer, size) }
}

/// Whether a name can be a host's.
///
/// # Safety
/// `name` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __res_hnok(name: *const c_char) -> c_int {
    // SAFETY: as this function's own.
    let name = Name::from_text(unsafe { CStr::from_ptr(name) }.to_bytes());
    c_int::from(name.is_some_and(|name| name.is_host()))
}

/// Whether a name is made of printable characters.
///
/// # Safety
/// `name` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __res_dnok(name: *const c_char) -> c_int {
    // SAFETY: as this function's own.
    c_int::from(unsafe { CStr::from_ptr(name) }.to_bytes().iter().all(u8::is_ascii_graphic))
}

/// A number that cannot be guessed.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __res_randomid() -> u32 {
    Network.random() & 0xffff
}

#[cfg(not(test))]
alias! {
    /// The name before resolv.h renames it.
    res_close => __res_close;
    /// The name before resolv.h renames it.
    res_send => __res_send;
    /// The name before resolv.h renames it.
    res_querydomain => __res_querydomain;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions() {
        let (mut query, mut answer) = ([0_u8; 64], [0_u8; 64]);
        // SAFETY: C strings, and buffers with their sizes.
        unsafe {
            let length = res_mkquery(
                0,
                c"a.b".as_ptr(),
                1,
                28,
                core::ptr::null(),
                0,
                core::ptr::null(),
                query.as_mut_ptr(),
                64,
            );
            assert_eq!(length, 12 + 5 + 4);
            assert_eq!(&query[12..21], b"\x01a\x01b\0\0\x1c\0\x01");
            assert_eq!(__res_send(query.as_ptr(), length, answer.as_mut_ptr(), 64), -1, "no server answers");
            assert_eq!(*crate::net::error::__h_errno(), rump_abi::netdb::TRY_AGAIN);
            assert_eq!(res_query(c"..".as_ptr(), 1, 1, answer.as_mut_ptr(), 64), -1);
            assert_eq!(*crate::net::error::__h_errno(), rump_abi::netdb::NO_RECOVERY);
            assert_eq!(res_search(c"a".as_ptr(), 1, 1, answer.as_mut_ptr(), 64), -1);
            assert_eq!((__res_hnok(c"a-b.c".as_ptr()), __res_hnok(c"a b".as_ptr())), (1, 0));
            assert_eq!(res_init(), 0);
            __res_close();
        }
    }
}
