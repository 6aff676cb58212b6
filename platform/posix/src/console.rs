//! The console: two buffers.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

static OUTPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static INPUT: Mutex<VecDeque<u8>> = Mutex::new(VecDeque::new());

/// What was written since the last call.
pub fn take_console() -> Vec<u8> {
    std::mem::take(&mut OUTPUT.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Types `bytes`. Call it in a kernel thread ([`crate::run`]): it tells the kernel.
pub fn type_console(bytes: &[u8]) {
    INPUT.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
    if let Some(upcalls) = crate::user::upcalls() {
        (upcalls.console_input)();
    }
}

#[unsafe(export_name = "rb_console_write")]
fn write(bytes: &[u8]) {
    OUTPUT.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
}

#[unsafe(export_name = "rb_console_read")]
fn read(buf: &mut [u8]) -> usize {
    let mut input = INPUT.lock().unwrap_or_else(PoisonError::into_inner);
    let count = buf.len().min(input.len());
    for (slot, byte) in buf.iter_mut().zip(input.drain(..count)) {
        *slot = byte;
    }
    count
}
