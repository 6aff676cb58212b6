//! scandir(3), alphasort(3).

use super::{__opendir30, __readdir30, Dirent, closedir};
use crate::errno;
use crate::stdlib::array::Array;
use crate::stdlib::heap::{free, malloc};
use crate::stdlib::sort::{Comparison, qsort};
use crate::string::compare::strcmp;
use crate::string::copy::memcpy;
use core::ffi::{c_char, c_int, c_void};

/// Which entries are wanted: not 0.
pub type Select = unsafe extern "C" fn(*const Dirent) -> c_int;

/// Copies of a directory's entries that `select` wants, sorted; their number, or -1.
///
/// # Safety
/// `path` is a C string, `list` is writable; the comparison gets pointers to pointers to entries.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __scandir30(
    path: *const c_char,
    list: *mut *mut *mut Dirent,
    select: Option<Select>,
    compare: Option<Comparison>,
) -> c_int {
    // SAFETY: as this function's own; a copy has as many bytes as its entry.
    unsafe {
        let dir = __opendir30(path);
        if dir.is_null() {
            return -1;
        }
        let mut found: Array<*mut Dirent> = Array::new();
        let mut complete = true;
        loop {
            let entry = __readdir30(dir);
            if entry.is_null() {
                break;
            }
            if select.is_some_and(|select| select(entry) == 0) {
                continue;
            }
            let length = usize::from((*entry).reclen);
            let copy = malloc(length).cast::<Dirent>();
            if copy.is_null() || found.push(copy).is_err() {
                free(copy.cast());
                complete = false;
                break;
            }
            memcpy(copy.cast(), entry.cast_const().cast(), length);
        }
        closedir(dir);
        // The list is a block even where it is empty: the caller frees it.
        if !complete || found.is_empty() && found.push(core::ptr::null_mut()).is_err() {
            for &entry in found.iter() {
                free(entry.cast());
            }
            return errno::fail(errno::ENOMEM);
        }
        let count = found.iter().filter(|entry| !entry.is_null()).count();
        let start = found.into_raw();
        if let Some(compare) = compare {
            qsort(start.cast(), count, size_of::<*mut Dirent>(), compare);
        }
        *list = start;
        count as c_int
    }
}

/// Compares the names of two entries.
///
/// # Safety
/// Both are pointers to entries.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __alphasort30(left: *const c_void, right: *const c_void) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let (left, right) = (*left.cast::<*const Dirent>(), *right.cast::<*const Dirent>());
        strcmp((&raw const (*left).name).cast(), (&raw const (*right).name).cast())
    }
}
