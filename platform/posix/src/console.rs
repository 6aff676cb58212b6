//! The console: two buffers.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use rump_hypercall::time;

use crate::{thread, user};

static OUTPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static INPUT: Mutex<VecDeque<u8>> = Mutex::new(VecDeque::new());

/// What was written since the last call.
pub fn take_console() -> Vec<u8> {
    std::mem::take(&mut OUTPUT.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Types `bytes`, from a kernel thread or from outside; the kernel is told, as by an interrupt.
pub fn type_console(bytes: &[u8]) {
    INPUT.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
    let Some(upcalls) = user::upcalls() else { return };
    if thread::is_kernel_thread() {
        (upcalls.console_input)();
    } else {
        time::callout(0, |_| user::upcalls().map_or((), |upcalls| (upcalls.console_input)()), 0);
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

#[cfg(test)]
mod tests {
    use rump_hypercall::console;

    #[test]
    fn what_is_typed_is_read_and_what_is_written_is_taken() {
        super::type_console(b"abc");
        let mut buf = [0; 2];
        assert_eq!(console::read(&mut buf), 2);
        assert_eq!(&buf, b"ab");
        assert_eq!(console::read(&mut buf), 1);
        assert_eq!(console::read(&mut buf), 0);
        console::write(b"out");
        assert!(super::take_console().ends_with(b"out"));
    }
}
