//! Semaphores: sem_init(3), sem_open(3), sem_wait(3). A `sem_t` is a pointer to the semaphore; they are this process's own, the named ones
//! too.

use super::cancel;
use crate::clock::Timespec;
use crate::errno::{
    self, EAGAIN, EBUSY, EEXIST, EINTR, EINVAL, ENAMETOOLONG, ENOENT, ENOSPC, EOVERFLOW, ETIMEDOUT, fail,
};
use crate::lock::Lock;
use crate::malloc;
use crate::park::{self, Outcome, Wait};
use core::ffi::{CStr, c_char, c_int, c_uint};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicU32, Ordering};

/// A semaphore.
#[repr(C)]
pub struct Semaphore {
    magic: u32,
    value: AtomicU32,
    /// Threads that wait or are about to.
    waiting: AtomicU32,
    /// How often a named one is open; 0 for others.
    open: u32,
    /// The next named one.
    next: *mut Semaphore,
    /// Its name, without the slash; empty once it is unlinked.
    name: [u8; 16],
    /// What sem_open(3) returns the address of.
    handle: *mut Semaphore,
}

const MAGIC: u32 = 0x90af_0421;
/// SEM_VALUE_MAX.
const VALUE_MAX: u32 = i32::MAX as u32;

struct Named(*mut Semaphore);
// SAFETY: reached only under the lock.
unsafe impl Send for Named {}
static NAMED: Lock<Named> = Lock::new(Named(null_mut()));

/// Makes a semaphore; null without memory.
fn make(value: c_uint) -> *mut Semaphore {
    // SAFETY: malloc has no conditions; the memory holds a semaphore.
    unsafe {
        let semaphore = malloc::malloc(size_of::<Semaphore>()).cast::<Semaphore>();
        if !semaphore.is_null() {
            semaphore.write(Semaphore {
                magic: MAGIC,
                value: AtomicU32::new(value),
                waiting: AtomicU32::new(0),
                open: 0,
                next: null_mut(),
                name: [0; 16],
                handle: semaphore,
            });
        }
        semaphore
    }
}

/// The semaphore behind a handle; `None` if it is none.
unsafe fn get<'a>(handle: *mut *mut Semaphore) -> Option<&'a Semaphore> {
    // SAFETY: the caller has a handle that was initialised once.
    unsafe { (*handle).as_ref().filter(|semaphore| semaphore.magic == MAGIC) }
}

impl Semaphore {
    fn try_wait(&self) -> bool {
        self.value.try_update(Ordering::Acquire, Ordering::Relaxed, |value| value.checked_sub(1)).is_ok()
    }

    fn wait(&self, wait: &Wait) -> c_int {
        cancel::test();
        loop {
            if self.try_wait() {
                return 0;
            }
            self.waiting.fetch_add(1, Ordering::SeqCst);
            let address = self.value.as_ptr().addr();
            let outcome = park::wait_on(address, wait, || self.value.load(Ordering::SeqCst) == 0, || 0);
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            match outcome {
                Outcome::Woken | Outcome::Changed => {}
                Outcome::TimedOut => return fail(ETIMEDOUT),
                Outcome::Invalid => return fail(EINVAL),
                Outcome::Interrupted => {
                    cancel::test();
                    return fail(EINTR);
                }
            }
        }
    }
}

/// sem_init(3).
///
/// # Safety
/// `handle` points to memory for a sem_t that is not in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sem_init(handle: *mut *mut Semaphore, _shared: c_int, value: c_uint) -> c_int {
    if value > VALUE_MAX {
        return fail(EINVAL);
    }
    let semaphore = make(value);
    if semaphore.is_null() {
        return fail(ENOSPC);
    }
    // SAFETY: this function's contract.
    unsafe { *handle = semaphore };
    0
}

/// sem_destroy(3).
///
/// # Safety
/// `handle` is initialised and not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sem_destroy(handle: *mut *mut Semaphore) -> c_int {
    // SAFETY: this function's contract.
    unsafe {
        match get(handle) {
            None => return fail(EINVAL),
            Some(semaphore) if semaphore.waiting.load(Ordering::Relaxed) != 0 => return fail(EBUSY),
            Some(semaphore) if semaphore.open != 0 => return fail(EINVAL),
            Some(_) => {}
        }
        (**handle).magic = 0;
        malloc::free((*handle).cast());
        *handle = null_mut();
    }
    0
}

/// sem_wait(3).
///
/// # Safety
/// `handle` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sem_wait(handle: *mut *mut Semaphore) -> c_int {
    // SAFETY: this function's contract.
    match unsafe { get(handle) } {
        Some(semaphore) => semaphore.wait(&Wait { interruptible: true, ..Wait::FOREVER }),
        None => fail(EINVAL),
    }
}

/// sem_timedwait(3): the deadline is on the realtime clock.
///
/// # Safety
/// `handle` is initialised, `deadline` a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sem_timedwait(handle: *mut *mut Semaphore, deadline: *const Timespec) -> c_int {
    // SAFETY: this function's contract.
    let (semaphore, deadline) = unsafe { (get(handle), *deadline) };
    match semaphore {
        None => fail(EINVAL),
        Some(semaphore) if semaphore.try_wait() => 0,
        Some(_) if !deadline.is_valid() => fail(EINVAL),
        Some(semaphore) => semaphore.wait(&Wait { clock: 0, deadline: Some(deadline), interruptible: true }),
    }
}

/// sem_trywait(3).
///
/// # Safety
/// `handle` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sem_trywait(handle: *mut *mut Semaphore) -> c_int {
    // SAFETY: this function's contract.
    match unsafe { get(handle) } {
        None => fail(EINVAL),
        Some(semaphore) if semaphore.try_wait() => 0,
        Some(_) => fail(EAGAIN),
    }
}

/// sem_post(3).
///
/// # Safety
/// `handle` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sem_post(handle: *mut *mut Semaphore) -> c_int {
    // SAFETY: this function's contract.
    let Some(semaphore) = (unsafe { get(handle) }) else { return fail(EINVAL) };
    let address = semaphore.value.as_ptr().addr();
    let raised = semaphore
        .value
        .try_update(Ordering::SeqCst, Ordering::Relaxed, |value| (value < VALUE_MAX).then_some(value + 1));
    if raised.is_err() {
        return fail(EOVERFLOW);
    }
    if park::may_have_waiters(address) {
        let errno = errno::get();
        park::wake_address(address, 1);
        errno::set(errno);
    }
    0
}

/// sem_getvalue(3).
///
/// # Safety
/// `handle` is initialised, `value` points to an int.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sem_getvalue(handle: *mut *mut Semaphore, value: *mut c_int) -> c_int {
    // SAFETY: this function's contract.
    unsafe {
        match get(handle) {
            Some(semaphore) => *value = semaphore.value.load(Ordering::Relaxed) as c_int,
            None => return fail(EINVAL),
        }
    }
    0
}

/// A name without its slashes, NUL-padded.
unsafe fn name(name: *const c_char) -> Result<[u8; 16], c_int> {
    // SAFETY: the caller has a string.
    let text: &[u8] = unsafe { CStr::from_ptr(name) }.to_bytes();
    let text = text.strip_prefix(b"/").ok_or(EINVAL)?;
    if text.is_empty() || text.contains(&b'/') {
        return Err(EINVAL);
    }
    let mut own = [0; 16];
    own.get_mut(..text.len()).filter(|own| own.len() < 15).ok_or(ENAMETOOLONG)?.copy_from_slice(text);
    Ok(own)
}

/// What precedes the semaphore of a name in the list.
fn find(named: &mut Named, name: &[u8; 16]) -> *mut Semaphore {
    let mut at = named.0;
    while !at.is_null() {
        // SAFETY: the list holds live semaphores.
        let semaphore = unsafe { &*at };
        if semaphore.name == *name {
            return at;
        }
        at = semaphore.next;
    }
    null_mut()
}

const O_CREAT: c_int = 0x200;
const O_EXCL: c_int = 0x800;

/// sem_open(3) with all four arguments.
unsafe extern "C" fn open(
    text: *const c_char,
    flags: c_int,
    _mode: c_uint,
    value: c_uint,
) -> *mut *mut Semaphore {
    // SAFETY: the caller's contract.
    let name = match unsafe { name(text) } {
        Ok(name) => name,
        Err(error) => {
            errno::set(error);
            return null_mut();
        }
    };
    let mut named = NAMED.lock();
    let mut semaphore = find(&mut named, &name);
    let error = match (semaphore.is_null(), flags & O_CREAT != 0) {
        (true, false) => ENOENT,
        (true, true) if value > VALUE_MAX => EINVAL,
        (false, true) if flags & O_EXCL != 0 => EEXIST,
        _ => 0,
    };
    if error != 0 {
        errno::set(error);
        return null_mut();
    }
    // SAFETY: the semaphore is in the list or was just made.
    unsafe {
        if semaphore.is_null() {
            semaphore = make(value);
            if semaphore.is_null() {
                errno::set(ENOSPC);
                return null_mut();
            }
            (*semaphore).name = name;
            (*semaphore).next = named.0;
            named.0 = semaphore;
        }
        (*semaphore).open += 1;
        &raw mut (*semaphore).handle
    }
}

/// sem_open(3). Without O_CREAT there are two arguments; the others are then not looked at.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn sem_open() {
    core::arch::naked_asm!("jmp {open}", open = sym open)
}

/// Frees a named semaphore that is neither open nor named any more.
unsafe fn release(named: &mut Named, semaphore: *mut Semaphore) {
    // SAFETY: the semaphore is in the list; its links are live.
    unsafe {
        if (*semaphore).open != 0 || (*semaphore).name[0] != 0 {
            return;
        }
        let mut link = &raw mut named.0;
        while !(*link).is_null() {
            if *link == semaphore {
                *link = (*semaphore).next;
                break;
            }
            link = &raw mut (**link).next;
        }
        malloc::free(semaphore.cast());
    }
}

/// sem_close(3).
///
/// # Safety
/// `handle` came from sem_open and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sem_close(handle: *mut *mut Semaphore) -> c_int {
    let mut named = NAMED.lock();
    // SAFETY: this function's contract.
    unsafe {
        if get(handle).is_none_or(|semaphore| semaphore.open == 0) {
            return fail(EINVAL);
        }
        let semaphore = *handle;
        (*semaphore).open -= 1;
        release(&mut named, semaphore);
    }
    0
}

/// sem_unlink(3).
///
/// # Safety
/// `text` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sem_unlink(text: *const c_char) -> c_int {
    // SAFETY: this function's contract.
    let name = match unsafe { name(text) } {
        Ok(name) => name,
        Err(error) => return fail(error),
    };
    let mut named = NAMED.lock();
    let semaphore = find(&mut named, &name);
    if semaphore.is_null() {
        return fail(ENOENT);
    }
    // SAFETY: the semaphore is in the list.
    unsafe {
        (*semaphore).name = [0; 16];
        release(&mut named, semaphore);
    }
    0
}
