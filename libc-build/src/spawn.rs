//! spawn.h: what posix_spawn(2) is told, and posix_spawnp(3).
//!
//! The structures are the kernel's (sys/spawn.h), which reads them when the call is made.

use crate::errno;
use crate::stdlib::heap::{free, malloc, realloc};
use core::ffi::{CStr, c_char, c_int, c_short, c_uint};
use core::ptr::null_mut;

/// `posix_spawnattr_t`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Attributes {
    flags: c_short,
    group: c_int,
    priority: c_int,
    policy: c_int,
    defaults: [u32; 4],
    mask: [u32; 4],
}

const _: () = assert!(size_of::<Attributes>() == 48);

/// What an action does.
const OPEN: c_int = 0;
const DUP2: c_int = 1;
const CLOSE: c_int = 2;
const CHDIR: c_int = 3;
const FCHDIR: c_int = 4;

/// `posix_spawn_file_actions_entry_t`; a union's members are fields here, of which an action uses its own.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Action {
    kind: c_int,
    descriptor: c_int,
    data: Data,
}

/// The union: a path with flags and mode, or a descriptor.
#[derive(Clone, Copy)]
#[repr(C)]
union Data {
    open: Open,
    descriptor: c_int,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Open {
    path: *mut c_char,
    flags: c_int,
    mode: u32,
}

impl core::fmt::Debug for Data {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Data")
    }
}

const _: () = assert!(size_of::<Action>() == 24);

/// `posix_spawn_file_actions_t`.
#[derive(Debug)]
#[repr(C)]
pub struct Actions {
    capacity: c_uint,
    length: c_uint,
    list: *mut Action,
}

/// No actions.
///
/// # Safety
/// `actions` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn posix_spawn_file_actions_init(actions: *mut Actions) -> c_int {
    // SAFETY: as this function's own.
    unsafe { actions.write(Actions { capacity: 0, length: 0, list: null_mut() }) };
    0
}

/// Frees the actions.
///
/// # Safety
/// `actions` was initialised.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn posix_spawn_file_actions_destroy(actions: *mut Actions) -> c_int {
    // SAFETY: as this function's own; paths are the list's own copies.
    unsafe {
        for index in 0..(*actions).length as usize {
            let action = &*(*actions).list.add(index);
            if matches!(action.kind, OPEN | CHDIR) {
                free(action.data.open.path.cast());
            }
        }
        free((*actions).list.cast());
        posix_spawn_file_actions_init(actions)
    }
}

/// Appends an action; returns an error number.
///
/// # Safety
/// `actions` was initialised.
unsafe fn append(actions: *mut Actions, action: Action) -> c_int {
    // SAFETY: as this function's own; the list has room for `capacity` actions.
    unsafe {
        let actions = &mut *actions;
        if actions.length == actions.capacity {
            let capacity = actions.capacity + 16;
            let list = realloc(actions.list.cast(), capacity as usize * size_of::<Action>());
            if list.is_null() {
                return errno::ENOMEM;
            }
            (actions.list, actions.capacity) = (list.cast(), capacity);
        }
        actions.list.add(actions.length as usize).write(action);
        actions.length += 1;
    }
    0
}

/// Appends an action with a copy of a path; returns an error number.
///
/// # Safety
/// `actions` was initialised, `path` is a C string.
unsafe fn append_path(
    actions: *mut Actions,
    kind: c_int,
    descriptor: c_int,
    path: *const c_char,
    flags: c_int,
    mode: u32,
) -> c_int {
    // SAFETY: as this function's own; the copy has room for the path and its end.
    unsafe {
        let path = CStr::from_ptr(path).to_bytes_with_nul();
        let copy = malloc(path.len()).cast::<c_char>();
        if copy.is_null() {
            return errno::ENOMEM;
        }
        core::ptr::copy_nonoverlapping(path.as_ptr().cast(), copy, path.len());
        let error = append(
            actions,
            Action { kind, descriptor, data: Data { open: Open { path: copy, flags, mode } } },
        );
        if error != 0 {
            free(copy.cast());
        }
        error
    }
}

/// The child opens a file as a descriptor.
///
/// # Safety
/// `actions` was initialised, `path` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn posix_spawn_file_actions_addopen(
    actions: *mut Actions,
    descriptor: c_int,
    path: *const c_char,
    flags: c_int,
    mode: u32,
) -> c_int {
    if descriptor < 0 {
        return errno::EBADF;
    }
    // SAFETY: as this function's own.
    unsafe { append_path(actions, OPEN, descriptor, path, flags, mode) }
}

/// The child changes its directory.
///
/// # Safety
/// `actions` was initialised, `path` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn posix_spawn_file_actions_addchdir(
    actions: *mut Actions,
    path: *const c_char,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { append_path(actions, CHDIR, -1, path, 0, 0) }
}

/// The child duplicates a descriptor.
///
/// # Safety
/// `actions` was initialised.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn posix_spawn_file_actions_adddup2(
    actions: *mut Actions,
    from: c_int,
    to: c_int,
) -> c_int {
    if from < 0 || to < 0 {
        return errno::EBADF;
    }
    // SAFETY: as this function's own.
    unsafe { append(actions, Action { kind: DUP2, descriptor: from, data: Data { descriptor: to } }) }
}

/// The child closes a descriptor.
///
/// # Safety
/// `actions` was initialised.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn posix_spawn_file_actions_addclose(
    actions: *mut Actions,
    descriptor: c_int,
) -> c_int {
    if descriptor < 0 {
        return errno::EBADF;
    }
    // SAFETY: as this function's own.
    unsafe { append(actions, Action { kind: CLOSE, descriptor, data: Data { descriptor: 0 } }) }
}

/// The child changes its directory to that of a descriptor.
///
/// # Safety
/// `actions` was initialised.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn posix_spawn_file_actions_addfchdir(
    actions: *mut Actions,
    descriptor: c_int,
) -> c_int {
    if descriptor < 0 {
        return errno::EBADF;
    }
    // SAFETY: as this function's own.
    unsafe { append(actions, Action { kind: FCHDIR, descriptor, data: Data { descriptor: 0 } }) }
}

/// Attributes that change nothing.
///
/// # Safety
/// `attributes` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn posix_spawnattr_init(attributes: *mut Attributes) -> c_int {
    let new = Attributes { flags: 0, group: 0, priority: 0, policy: 0, defaults: [0; 4], mask: [0; 4] };
    // SAFETY: as this function's own.
    unsafe { attributes.write(new) };
    0
}

/// Nothing is to be freed.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn posix_spawnattr_destroy(_attributes: *mut Attributes) -> c_int {
    0
}

macro_rules! attributes {
    ($($get:ident $set:ident $field:ident: $type:ty, $value:ty, $convert:expr, $about:literal;)*) => {$(
        #[doc = concat!("Reads ", $about, ".")]
        ///
        /// # Safety
        /// Both are valid.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $get(attributes: *const Attributes, value: *mut $type) -> c_int {
            // SAFETY: as this function's own.
            unsafe { value.write((*attributes).$field) };
            0
        }

        #[doc = concat!("Sets ", $about, ".")]
        ///
        /// # Safety
        /// Both are valid.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $set(attributes: *mut Attributes, value: $value) -> c_int {
            // SAFETY: as this function's own.
            unsafe { (*attributes).$field = ($convert)(value) };
            0
        }
    )*};
}

/// The value behind a pointer.
///
/// # Safety
/// It is valid.
unsafe fn behind<T: Copy>(value: *const T) -> T {
    // SAFETY: as this function's own.
    unsafe { *value }
}

attributes! {
    posix_spawnattr_getflags posix_spawnattr_setflags flags: c_short, c_short, core::convert::identity, "which attributes count";
    posix_spawnattr_getpgroup posix_spawnattr_setpgroup group: c_int, c_int, core::convert::identity, "the process group";
    posix_spawnattr_getschedparam posix_spawnattr_setschedparam priority: c_int, *const c_int, behind, "the priority";
    posix_spawnattr_getschedpolicy posix_spawnattr_setschedpolicy policy: c_int, c_int, core::convert::identity, "the scheduling policy";
    posix_spawnattr_getsigdefault posix_spawnattr_setsigdefault defaults: [u32; 4], *const [u32; 4], behind, "the signals that get their default action";
    posix_spawnattr_getsigmask posix_spawnattr_setsigmask mask: [u32; 4], *const [u32; 4], behind, "the signals that are blocked";
}

/// As posix_spawn(2), of a program that is looked for in PATH; returns an error number.
///
/// # Safety
/// As posix_spawn(2).
#[cfg(not(test))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_spawnp(
    pid: *mut c_int,
    file: *const c_char,
    actions: *const Actions,
    attributes: *const Attributes,
    arguments: *const *const c_char,
    environment: *const *const c_char,
) -> c_int {
    unsafe extern "C" {
        fn posix_spawn(
            pid: *mut c_int,
            path: *const c_char,
            actions: *const Actions,
            attributes: *const Attributes,
            arguments: *const *const c_char,
            environment: *const *const c_char,
        ) -> c_int;
    }
    // SAFETY: as this function's own; the path has its end.
    unsafe {
        let name = CStr::from_ptr(file).to_bytes();
        if name.contains(&b'/') {
            return posix_spawn(pid, file, actions, attributes, arguments, environment);
        }
        let search = crate::env::get(c"PATH").map_or(b"/usr/bin:/bin".as_slice(), CStr::to_bytes);
        let mut error = errno::ENOENT;
        for directory in search.split(|&byte| byte == b':') {
            let mut path = crate::net::buffer::Text::<1024>::new();
            path.extend(if directory.is_empty() { b"." } else { directory });
            path.push(b'/');
            path.extend(name);
            path.push(0);
            if !path.is_whole() {
                continue;
            }
            error = posix_spawn(
                pid,
                path.as_bytes().as_ptr().cast(),
                actions,
                attributes,
                arguments,
                environment,
            );
            if !matches!(error, errno::ENOENT | errno::ENOTDIR | errno::EACCES) {
                break;
            }
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_kept() {
        let mut actions = core::mem::MaybeUninit::uninit();
        // SAFETY: initialised first, destroyed last.
        unsafe {
            let it = actions.as_mut_ptr();
            posix_spawn_file_actions_init(it);
            for descriptor in 0..40 {
                assert_eq!(
                    posix_spawn_file_actions_addopen(it, descriptor, c"/dev/null".as_ptr(), 2, 0o600),
                    0
                );
            }
            assert_eq!(posix_spawn_file_actions_adddup2(it, 3, 4), 0);
            assert_eq!(posix_spawn_file_actions_addchdir(it, c"/tmp".as_ptr()), 0);
            assert_eq!(posix_spawn_file_actions_addclose(it, -1), errno::EBADF);
            assert_eq!((*it).length, 42);
            let first = &*(*it).list;
            assert_eq!(
                (first.kind, CStr::from_ptr(first.data.open.path), first.data.open.mode),
                (OPEN, c"/dev/null", 0o600)
            );
            let dup = &*(*it).list.add(40);
            assert_eq!((dup.kind, dup.descriptor, dup.data.descriptor), (DUP2, 3, 4));
            posix_spawn_file_actions_destroy(it);
            assert!((*it).list.is_null());
        }
    }

    #[test]
    fn attributes_are_kept() {
        let mut attributes = core::mem::MaybeUninit::uninit();
        let (mut flags, mut mask) = (0, [0; 4]);
        // SAFETY: initialised first; valid values.
        unsafe {
            let it = attributes.as_mut_ptr();
            posix_spawnattr_init(it);
            assert_eq!(posix_spawnattr_setflags(it, 0x20), 0);
            assert_eq!(posix_spawnattr_setsigmask(it, &[1, 2, 3, 4]), 0);
            posix_spawnattr_getflags(it, &raw mut flags);
            posix_spawnattr_getsigmask(it, &raw mut mask);
        }
        assert_eq!((flags, mask), (0x20, [1, 2, 3, 4]));
    }
}
