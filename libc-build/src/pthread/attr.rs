//! Thread attributes: pthread_attr(3).

use super::stack::{DEFAULT_GUARD_LEN, DEFAULT_LEN, Given};
use crate::errno::{EINVAL, ENOMEM, ENOTSUP};
use crate::thread::Thread;
use crate::{malloc, sys};
use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use core::ptr::null_mut;

/// `pthread_attr_t`.
#[repr(C)]
pub struct Attr {
    magic: c_uint,
    flags: c_int,
    private: *mut Private,
}

const MAGIC: c_uint = 0x1111_0001;
const DEAD: c_uint = 0xdead_0001;

const DETACHED: c_int = 1;
const SUSPENDED: c_int = 2;
const EXPLICIT_SCHED: c_int = 4;
const SCOPE_SYSTEM: c_int = 16;

/// What most attributes never need.
#[derive(Clone, Copy)]
struct Private {
    stack: *mut c_void,
    stack_len: usize,
    guard_len: usize,
    policy: c_int,
    priority: c_int,
    name: [u8; 32],
}

const DEFAULT: Private = Private {
    stack: null_mut(),
    stack_len: DEFAULT_LEN,
    guard_len: DEFAULT_GUARD_LEN,
    policy: 0,
    priority: 0,
    name: [0; 32],
};

/// What a thread is to be made with.
pub struct Wish {
    /// The program's own stack.
    pub given: Option<Given>,
    /// Otherwise a stack of this size,
    pub stack_len: usize,
    /// with this guard.
    pub guard_len: usize,
    /// Nobody will join it.
    pub detached: bool,
    /// It waits for pthread_resume_np(3).
    pub suspended: bool,
    /// Its name, NUL-terminated.
    pub name: [u8; 32],
}

/// What an attribute, which may be null, asks for.
///
/// # Safety
/// `attr` is null or initialised.
pub unsafe fn wish(attr: *const Attr) -> Wish {
    // SAFETY: this function's contract.
    let (flags, private) = unsafe {
        match attr.as_ref() {
            None => (0, DEFAULT),
            Some(attr) => (attr.flags, attr.private.as_ref().copied().unwrap_or(DEFAULT)),
        }
    };
    Wish {
        given: (!private.stack.is_null()).then_some(Given { base: private.stack, len: private.stack_len }),
        stack_len: private.stack_len,
        guard_len: private.guard_len,
        detached: flags & DETACHED != 0,
        suspended: flags & SUSPENDED != 0,
        name: private.name,
    }
}

impl Attr {
    fn get(&self) -> Private {
        // SAFETY: the pointer is null or to this attribute's own.
        unsafe { self.private.as_ref().copied().unwrap_or(DEFAULT) }
    }

    fn change(&mut self, change: impl FnOnce(&mut Private)) -> c_int {
        if self.private.is_null() {
            // SAFETY: malloc has no conditions; the memory holds a `Private`.
            unsafe {
                let new = malloc::malloc(size_of::<Private>()).cast::<Private>();
                if new.is_null() {
                    return ENOMEM;
                }
                new.write(DEFAULT);
                self.private = new;
            }
        }
        // SAFETY: the pointer is to this attribute's own.
        change(unsafe { &mut *self.private });
        0
    }
}

/// pthread_attr_init(3).
///
/// # Safety
/// `attr` points to memory for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_attr_init(attr: *mut Attr) -> c_int {
    // SAFETY: this function's contract.
    unsafe { attr.write(Attr { magic: MAGIC, flags: 0, private: null_mut() }) };
    0
}

/// pthread_attr_destroy(3).
///
/// # Safety
/// `attr` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_attr_destroy(attr: *mut Attr) -> c_int {
    // SAFETY: this function's contract.
    unsafe {
        malloc::free((*attr).private.cast());
        attr.write(Attr { magic: DEAD, flags: 0, private: null_mut() });
    }
    0
}

/// Defines a getter: `name(attr, out...) = expressions of attr`.
macro_rules! getters {
    ($($(#[$meta:meta])* $name:ident($($out:ident: $type:ty),+) |$attr:ident| $($value:expr),+;)*) => {$(
        $(#[$meta])*
        ///
        /// # Safety
        /// `attr` is initialised; the others point to what they say.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(attr: *const Attr, $($out: *mut $type),+) -> c_int {
            // SAFETY: this function's contract.
            unsafe {
                let $attr = &*attr;
                $(*$out = $value;)+
            }
            0
        }
    )*};
}

getters! {
    /// pthread_attr_getdetachstate(3).
    pthread_attr_getdetachstate(state: c_int) |a| c_int::from(a.flags & DETACHED != 0);
    /// pthread_attr_getguardsize(3).
    pthread_attr_getguardsize(len: usize) |a| a.get().guard_len;
    /// pthread_attr_getinheritsched(3).
    pthread_attr_getinheritsched(inherit: c_int) |a| c_int::from(a.flags & EXPLICIT_SCHED != 0);
    /// pthread_attr_getscope(3).
    pthread_attr_getscope(scope: c_int) |a| c_int::from(a.flags & SCOPE_SYSTEM != 0);
    /// pthread_attr_getschedpolicy(3).
    pthread_attr_getschedpolicy(policy: c_int) |a| a.get().policy;
    /// pthread_attr_getschedparam(3).
    pthread_attr_getschedparam(param: c_int) |a| a.get().priority;
    /// pthread_attr_getstack(3).
    pthread_attr_getstack(base: *mut c_void, len: usize) |a| a.get().stack, a.get().stack_len;
    /// pthread_attr_getstacksize(3).
    pthread_attr_getstacksize(len: usize) |a| a.get().stack_len;
    /// pthread_attr_getstackaddr(3).
    pthread_attr_getstackaddr(base: *mut c_void) |a| a.get().stack;
}

impl Attr {
    fn flag(&mut self, flag: c_int, value: c_int) -> c_int {
        match value {
            0 => self.flags &= !flag,
            1 => self.flags |= flag,
            _ => return EINVAL,
        }
        0
    }
}

/// Defines a setter.
macro_rules! setters {
    ($($(#[$meta:meta])* $name:ident($($argument:ident: $type:ty),*) |$attr:ident| $body:expr;)*) => {$(
        $(#[$meta])*
        ///
        /// # Safety
        /// `attr` is initialised; pointers are valid.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(attr: *mut Attr, $($argument: $type),*) -> c_int {
            // SAFETY: this function's contract.
            let $attr = unsafe { &mut *attr };
            $body
        }
    )*};
}

setters! {
    /// pthread_attr_setdetachstate(3).
    pthread_attr_setdetachstate(state: c_int) |a| a.flag(DETACHED, state);
    /// pthread_attr_setinheritsched(3).
    pthread_attr_setinheritsched(inherit: c_int) |a| a.flag(EXPLICIT_SCHED, inherit);
    /// pthread_attr_setscope(3).
    pthread_attr_setscope(scope: c_int) |a| a.flag(SCOPE_SYSTEM, scope);
    /// pthread_attr_setcreatesuspend_np(3).
    pthread_attr_setcreatesuspend_np() |a| a.flag(SUSPENDED, 1);
    /// pthread_attr_setguardsize(3).
    pthread_attr_setguardsize(len: usize) |a| a.change(|p| p.guard_len = len);
    /// pthread_attr_setstacksize(3).
    pthread_attr_setstacksize(len: usize) |a| if len < 4096 { EINVAL } else { a.change(|p| p.stack_len = len) };
    /// pthread_attr_setstackaddr(3).
    pthread_attr_setstackaddr(base: *mut c_void) |a| a.change(|p| p.stack = base);
    /// pthread_attr_setstack(3).
    pthread_attr_setstack(base: *mut c_void, len: usize) |a| if len < 4096 {
        EINVAL
    } else {
        a.change(|p| {
            p.stack = base;
            p.stack_len = len;
        })
    };
    /// pthread_attr_setschedpolicy(3).
    pthread_attr_setschedpolicy(policy: c_int) |a| if (0..=2).contains(&policy) {
        a.change(|p| p.policy = policy)
    } else {
        ENOTSUP
    };
    /// pthread_attr_setschedparam(3).
    pthread_attr_setschedparam(param: *const c_int) |a| {
        // SAFETY: as the macro says; `struct sched_param` is an int.
        let priority = unsafe { *param };
        a.change(|p| p.priority = priority)
    };
    /// pthread_attr_setname_np(3).
    pthread_attr_setname_np(name: *const c_char, _argument: *mut c_void) |a| {
        // SAFETY: as the macro says.
        let name = unsafe { CStr::from_ptr(name) };
        let mut copy = [0; 32];
        if !set_name(&mut copy, name) {
            return EINVAL;
        }
        a.change(|p| p.name = copy)
    };
}

/// Copies a name with its NUL; false if it is too long.
pub fn set_name(to: &mut [u8; 32], name: &CStr) -> bool {
    let bytes = name.to_bytes_with_nul();
    match to.get_mut(..bytes.len()) {
        Some(to) => {
            to.copy_from_slice(bytes);
            true
        }
        None => false,
    }
}

/// pthread_attr_getname_np(3).
///
/// # Safety
/// `attr` is initialised, `name` has `len` bytes, `argument` is null or a pointer's place.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_attr_getname_np(
    attr: *const Attr,
    name: *mut c_char,
    len: usize,
    argument: *mut *mut c_void,
) -> c_int {
    // SAFETY: this function's contract; the name ends with a NUL.
    unsafe {
        let own = (*attr).get().name;
        super::misc::copy_name(&own, name, len);
        if !argument.is_null() {
            *argument = null_mut();
        }
    }
    0
}

/// pthread_getattr_np(3): the attributes with which a thread runs.
///
/// # Safety
/// `thread` is a thread, `attr` points to memory for an attribute.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_getattr_np(thread: *mut Thread, attr: *mut Attr) -> c_int {
    // SAFETY: this function's contract.
    unsafe {
        pthread_attr_init(attr);
        let (mut base, mut len) = ((*thread).stack, (*thread).stack_len);
        if base.is_null() {
            // The first thread: the kernel's stack, which ends above the program's arguments, as large as its limit.
            let mut limit = [DEFAULT_LEN as u64; 2];
            const RLIMIT_STACK: c_int = 3;
            sys::getrlimit(RLIMIT_STACK, &raw mut limit);
            let end = (crate::start::stack_end() + 4095) & !4095;
            len = limit[0] as usize;
            base = core::ptr::with_exposed_provenance_mut(end.saturating_sub(len));
        }
        let (guard, name) = ((*thread).guard_len, (*thread).name);
        if super::life::is_detached(thread) {
            (*attr).flags |= DETACHED;
        }
        (*attr).change(|p| {
            p.stack = base;
            p.stack_len = len;
            p.guard_len = guard;
            p.name = name;
        })
    }
}

alias! {
    /// pthread_attr_get_np(3).
    pthread_attr_get_np => pthread_getattr_np;
    /// pthread_attr_get_np(3).
    _pthread_attr_get_np => pthread_getattr_np;
    /// pthread_attr_init(3).
    __libc_thr_attr_init => pthread_attr_init;
    /// pthread_attr_destroy(3).
    __libc_thr_attr_destroy => pthread_attr_destroy;
    /// pthread_attr_setdetachstate(3).
    __libc_thr_attr_setdetachstate => pthread_attr_setdetachstate;
}
