//! Thread-specific data: pthread_key_create(3), pthread_getspecific(3).
//!
//! A value carries the generation of its key, so that a key that is deleted and made anew starts with null in every thread.

#[cfg(not(test))]
use crate::lock::Lock;
use core::ffi::c_void;

/// A thread's value of a key.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Value {
    value: *mut c_void,
    generation: u32,
}

/// PTHREAD_KEYS_MAX of limits.h.
const KEYS_MAX: usize = 256;

type Destructor = unsafe extern "C" fn(*mut c_void);

/// A key.
#[derive(Clone, Copy)]
struct Key {
    /// Odd while the key exists.
    generation: u32,
    #[cfg_attr(
        test,
        expect(dead_code, reason = "threads that end call it, and there are none in unit tests")
    )]
    destructor: Option<Destructor>,
}

#[cfg(not(test))]
static KEYS: Lock<[Key; KEYS_MAX]> = Lock::new([Key { generation: 0, destructor: None }; KEYS_MAX]);

/// Makes a key; `None` if there are too many.
fn create(keys: &mut [Key; KEYS_MAX], destructor: Option<Destructor>) -> Option<usize> {
    let index = keys.iter().position(|key| key.generation % 2 == 0)?;
    let key = keys.get_mut(index)?;
    *key = Key { generation: key.generation.wrapping_add(1), destructor };
    Some(index)
}

/// Deletes a key; false if there is none.
fn delete(keys: &mut [Key; KEYS_MAX], index: usize) -> bool {
    match keys.get_mut(index) {
        Some(key) if key.generation % 2 == 1 => {
            *key = Key { generation: key.generation.wrapping_add(1), destructor: None };
            true
        }
        _ => false,
    }
}

#[cfg(not(test))]
mod api {
    use super::{KEYS, Value, create, delete};
    use crate::errno::{EAGAIN, EINVAL, ENOMEM};
    use crate::{malloc, thread};
    use core::ffi::{c_int, c_void};
    use core::ptr::null_mut;

    /// The generation of a key, without the lock: a word that is written whole.
    fn generation(index: usize) -> Option<u32> {
        KEYS.lock().get(index).map(|key| key.generation)
    }

    /// pthread_key_create(3).
    ///
    /// # Safety
    /// `key` points to a key; `destructor` can be called with its values.
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn __libc_thr_keycreate(
        key: *mut c_int,
        destructor: Option<unsafe extern "C" fn(*mut c_void)>,
    ) -> c_int {
        let Some(index) = create(&mut KEYS.lock(), destructor) else { return EAGAIN };
        // SAFETY: this function's contract.
        unsafe { *key = index as c_int };
        crate::pthread::life::set_at_exit(run_destructors);
        0
    }

    /// pthread_key_delete(3).
    #[unsafe(no_mangle)]
    pub extern "C" fn __libc_thr_keydelete(key: c_int) -> c_int {
        if delete(&mut KEYS.lock(), key as usize) { 0 } else { EINVAL }
    }

    /// pthread_getspecific(3).
    #[unsafe(no_mangle)]
    pub extern "C" fn __libc_thr_getspecific(key: c_int) -> *mut c_void {
        let index = key as usize;
        // SAFETY: the block is the calling thread's; the array has `specific_len` entries.
        unsafe {
            let thread = thread::current();
            if index >= (*thread).specific_len {
                return null_mut();
            }
            let value = *(*thread).specific.add(index);
            if value.value.is_null() || generation(index) != Some(value.generation) {
                return null_mut();
            }
            value.value
        }
    }

    /// pthread_setspecific(3).
    #[unsafe(no_mangle)]
    pub extern "C" fn __libc_thr_setspecific(key: c_int, value: *const c_void) -> c_int {
        let index = key as usize;
        let Some(generation) = generation(index).filter(|generation| generation % 2 == 1) else {
            return EINVAL;
        };
        // SAFETY: the block is the calling thread's; the array has `specific_len` entries, those added are zeroed.
        unsafe {
            let thread = &mut *thread::current();
            if index >= thread.specific_len {
                if value.is_null() {
                    return 0;
                }
                let len = (index + 8) & !7;
                let new = malloc::realloc(thread.specific.cast(), len * size_of::<Value>()).cast::<Value>();
                if new.is_null() {
                    return ENOMEM;
                }
                new.add(thread.specific_len).write_bytes(0, len - thread.specific_len);
                thread.specific = new;
                thread.specific_len = len;
            }
            *thread.specific.add(index) = Value { value: value.cast_mut(), generation };
        }
        0
    }

    /// The calling thread ends: calls the destructors of its values, again while they set new ones, at most four times
    /// (PTHREAD_DESTRUCTOR_ITERATIONS).
    fn run_destructors() {
        // SAFETY: the block is the calling thread's; a destructor was promised to take its key's values.
        unsafe {
            let thread = thread::current();
            for _ in 0..4 {
                let mut any = false;
                let mut index = 0;
                while index < (*thread).specific_len {
                    let at = (*thread).specific.add(index);
                    let value = core::mem::replace(&mut (*at).value, null_mut());
                    let key = KEYS.lock().get(index).copied();
                    if !value.is_null()
                        && let Some(key) = key
                        && key.generation == (*at).generation
                        && let Some(destructor) = key.destructor
                    {
                        any = true;
                        destructor(value);
                    }
                    index += 1;
                }
                if !any {
                    break;
                }
            }
            malloc::free((*thread).specific.cast());
            (*thread).specific = null_mut();
            (*thread).specific_len = 0;
        }
    }

    /// tss_delete(3).
    #[unsafe(no_mangle)]
    pub extern "C" fn tss_delete(key: c_int) {
        __libc_thr_keydelete(key);
    }

    alias! {
        /// pthread_key_create(3).
        pthread_key_create => __libc_thr_keycreate;
        /// pthread_key_delete(3).
        pthread_key_delete => __libc_thr_keydelete;
        /// pthread_getspecific(3).
        pthread_getspecific => __libc_thr_getspecific;
        /// pthread_setspecific(3).
        pthread_setspecific => __libc_thr_setspecific;
        /// tss_get(3).
        tss_get => __libc_thr_getspecific;
    }
}

#[cfg(not(test))]
pub use api::{__libc_thr_keycreate, __libc_thr_setspecific};

#[cfg(test)]
mod tests {
    use super::{KEYS_MAX, Key, create, delete};

    #[test]
    fn keys_are_reused_with_a_new_generation() {
        let mut keys = [Key { generation: 0, destructor: None }; KEYS_MAX];
        for i in 0..KEYS_MAX {
            assert_eq!(create(&mut keys, None), Some(i));
        }
        assert_eq!(create(&mut keys, None), None);
        let before = keys[7].generation;
        assert!(delete(&mut keys, 7));
        assert!(!delete(&mut keys, 7));
        assert!(!delete(&mut keys, KEYS_MAX));
        assert_eq!(create(&mut keys, None), Some(7));
        assert_ne!(keys[7].generation, before);
    }
}
