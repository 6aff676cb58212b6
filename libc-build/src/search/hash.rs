//! hsearch(3): hash tables with string keys, one for the program and any number through `struct hsearch_data`.
//!
//! Open addressing in a power of two of slots, doubled at three quarters: the number that hcreate(3) is told is a hint, the table grows.

use crate::errno;
use crate::lock::Lock;
use crate::stdlib::heap::{calloc, free};
use crate::string::compare::strcmp;
use core::ffi::{c_char, c_int, c_void};
use core::ptr;

/// `ENTRY`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Entry {
    key: *mut c_char,
    data: *mut c_void,
}

/// `struct hsearch_data`. The table holds pointers, so that an entry stays where it is when the table grows.
#[derive(Debug)]
#[repr(C)]
pub struct Table {
    slots: *mut *mut Entry,
    size: usize,
    filled: usize,
}

/// ENTER.
const ENTER: c_int = 1;

/// FNV-1a.
///
/// # Safety
/// `key` is a C string.
unsafe fn hash(mut key: *const c_char) -> usize {
    let mut value = 0xcbf2_9ce4_8422_2325_u64;
    loop {
        // SAFETY: no byte before was the end.
        let byte = unsafe { *key } as u8;
        if byte == 0 {
            return (value ^ value >> 32) as usize;
        }
        value = (value ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        key = key.wrapping_add(1);
    }
}

impl Table {
    /// The slot of `key`, or the free one where it belongs.
    ///
    /// # Safety
    /// The table has slots, one of them free.
    unsafe fn slot(&self, key: *const c_char) -> *mut *mut Entry {
        // SAFETY: indices are below `size`.
        unsafe {
            let mut index = hash(key) & (self.size - 1);
            loop {
                let slot = self.slots.add(index);
                if (*slot).is_null() || strcmp((**slot).key, key) == 0 {
                    return slot;
                }
                index = (index + 1) & (self.size - 1);
            }
        }
    }

    /// Goes over to a table of `size` slots.
    ///
    /// # Safety
    /// `size` is a power of two and larger than `filled`.
    unsafe fn resize(&mut self, size: usize) -> bool {
        // SAFETY: new slots; the old ones are read once.
        unsafe {
            let slots = calloc(size, size_of::<*mut Entry>()).cast::<*mut Entry>();
            if slots.is_null() {
                return false;
            }
            let old = Self { slots: self.slots, size: self.size, filled: 0 };
            (self.slots, self.size) = (slots, size);
            for index in 0..old.size {
                let entry = *old.slots.add(index);
                if !entry.is_null() {
                    *self.slot((*entry).key) = entry;
                }
            }
            free(old.slots.cast());
            true
        }
    }
}

/// Makes a table for about `count` entries.
///
/// # Safety
/// `table` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn hcreate_r(count: usize, table: *mut Table) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        table.write(Table { slots: ptr::null_mut(), size: 0, filled: 0 });
        let size = (count.min(1 << 40) * 4 / 3 + 1).next_power_of_two().max(16);
        let made = (*table).resize(size);
        if !made {
            errno::set(errno::ENOMEM);
        }
        made.into()
    }
}

/// Finds the entry with `item`'s key, or puts `item` in.
///
/// # Safety
/// `table` is from hcreate_r(3), the key is a C string that stays, `found` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn hsearch_r(
    item: Entry,
    action: c_int,
    found: *mut *mut Entry,
    table: *mut Table,
) -> c_int {
    // SAFETY: as this function's own; a quarter of the slots is always free.
    unsafe {
        let table = &mut *table;
        *found = ptr::null_mut();
        if table.size == 0 {
            errno::set(errno::EINVAL);
            return 0;
        }
        let mut slot = table.slot(item.key);
        if (*slot).is_null() {
            if action != ENTER {
                errno::set(errno::ESRCH);
                return 0;
            }
            if table.filled + 1 > table.size / 4 * 3 {
                if !table.resize(table.size * 2) {
                    errno::set(errno::ENOMEM);
                    return 0;
                }
                slot = table.slot(item.key);
            }
            let entry = calloc(1, size_of::<Entry>()).cast::<Entry>();
            if entry.is_null() {
                errno::set(errno::ENOMEM);
                return 0;
            }
            *entry = item;
            *slot = entry;
            table.filled += 1;
        }
        *found = *slot;
        1
    }
}

/// What hdestroy1(3) calls on a key or its data.
pub type Destructor = unsafe extern "C" fn(*mut c_void);

/// Gives a table back, with `free_key` and `free_data` called on every entry where they are not null.
///
/// # Safety
/// `table` is from hcreate_r(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn hdestroy1_r(
    table: *mut Table,
    free_key: Option<Destructor>,
    free_data: Option<Destructor>,
) {
    // SAFETY: as this function's own; every entry is freed once.
    unsafe {
        let table = &mut *table;
        for index in 0..table.size {
            let entry = *table.slots.add(index);
            if entry.is_null() {
                continue;
            }
            if let Some(free_key) = free_key {
                free_key((*entry).key.cast());
            }
            if let Some(free_data) = free_data {
                free_data((*entry).data);
            }
            free(entry.cast());
        }
        free(table.slots.cast());
        *table = Table { slots: ptr::null_mut(), size: 0, filled: 0 };
    }
}

/// Gives a table back; keys and data are left alone.
///
/// # Safety
/// `table` is from hcreate_r(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn hdestroy_r(table: *mut Table) {
    // SAFETY: as this function's own.
    unsafe { hdestroy1_r(table, None, None) };
}

// SAFETY: the program's table is reached under its lock.
unsafe impl Send for Table {}
static TABLE: Lock<Table> = Lock::new(Table { slots: ptr::null_mut(), size: 0, filled: 0 });

/// Makes the program's table.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn hcreate(count: usize) -> c_int {
    // SAFETY: the table under its lock.
    unsafe { hcreate_r(count, &raw mut *TABLE.lock()) }
}

/// [`hsearch_r`] in the program's table; null where nothing was found.
///
/// # Safety
/// The key is a C string that stays.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn hsearch(item: Entry, action: c_int) -> *mut Entry {
    let mut found = ptr::null_mut();
    // SAFETY: the table under its lock.
    unsafe { hsearch_r(item, action, &raw mut found, &raw mut *TABLE.lock()) };
    found
}

/// Gives the program's table back.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn hdestroy() {
    // SAFETY: the table under its lock.
    unsafe { hdestroy_r(&raw mut *TABLE.lock()) };
}

/// Gives the program's table back, with destructors.
///
/// # Safety
/// They may be called on every key and datum.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn hdestroy1(free_key: Option<Destructor>, free_data: Option<Destructor>) {
    // SAFETY: the table under its lock.
    unsafe { hdestroy1_r(&raw mut *TABLE.lock(), free_key, free_data) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    #[test]
    fn a_table_grows_beyond_its_hint() {
        let keys: Vec<CString> =
            (0..1000).map(|number| CString::new(format!("key{number}")).expect("no zero")).collect();
        // SAFETY: the keys outlive the table.
        unsafe {
            assert_eq!(hcreate(4), 1);
            for (number, key) in keys.iter().enumerate() {
                let entry = Entry { key: key.as_ptr().cast_mut(), data: ptr::without_provenance_mut(number) };
                assert!(!hsearch(entry, ENTER).is_null());
            }
            for (number, key) in keys.iter().enumerate() {
                let found = hsearch(Entry { key: key.as_ptr().cast_mut(), data: ptr::null_mut() }, 0);
                assert_eq!((*found).data.addr(), number);
            }
            assert!(hsearch(Entry { key: c"none".as_ptr().cast_mut(), data: ptr::null_mut() }, 0).is_null());
            hdestroy();
        }
    }
}
