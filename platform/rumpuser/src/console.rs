//! The console: rumpuser_putchar, rumpuser_dprintf.

use core::ffi::{c_char, c_int};

use rump_hypercall::console;

use crate::va::VaList;
use crate::{bytes, printf};

pub use crate::va::rumpuser_dprintf;

/// rumpuser_putchar: writes a character to the console.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_putchar(ch: c_int) {
    console::write(&[ch as u8]);
}

/// What rumpuser_dprintf does with its arguments.
///
/// # Safety
/// `format` is a string, and the list has the arguments that it announces.
pub(crate) unsafe extern "C" fn print(format: *const c_char, args: *mut VaList) {
    // SAFETY: the caller's promise.
    unsafe { printf::format(bytes(format), &mut *args, &mut console::write) };
}
