//! The console: HYPERVISOR_console_io (Xen's public header xen.h), which a privileged guest may use.

use alloc::collections::VecDeque;

use rump_hypercall::Giant;

use crate::hypercall::{self, Number};

/// CONSOLEIO_write
const WRITE: u64 = 0;
/// CONSOLEIO_read
const READ: u64 = 1;
/// Typed bytes kept for a kernel that does not read. Xen keeps 128 and drops what comes after, so they are taken at once.
const INPUT_MAX: usize = 1 << 16;

static INPUT: Giant<VecDeque<u8>> = Giant::new(VecDeque::new());

/// Takes bytes from Xen; true if there were any.
fn receive(input: &mut VecDeque<u8>) -> bool {
    let mut came = false;
    let mut buffer = [0_u8; 128];
    while input.len() < INPUT_MAX {
        // SAFETY: Xen writes at most as many bytes as the buffer has.
        let count = unsafe {
            hypercall::call(Number::ConsoleIo, [READ, buffer.len() as u64, buffer.as_mut_ptr() as u64, 0])
        };
        let Some(bytes) = usize::try_from(count).ok().and_then(|count| buffer.get(..count)) else { break };
        if bytes.is_empty() {
            break;
        }
        input.extend(bytes);
        came = true;
    }
    came
}

/// Bytes have come in.
pub fn interrupt() {
    let came = receive(&mut INPUT.borrow_mut());
    if came {
        rumpbake_platform::trap::console_input();
    }
}

#[unsafe(export_name = "rb_console_write")]
fn write(bytes: &[u8]) {
    // SAFETY: Xen reads the bytes. A guest that may not is silent.
    unsafe { hypercall::call(Number::ConsoleIo, [WRITE, bytes.len() as u64, bytes.as_ptr() as u64, 0]) };
}

#[unsafe(export_name = "rb_console_read")]
fn read(buf: &mut [u8]) -> usize {
    let mut input = INPUT.borrow_mut();
    receive(&mut input);
    let count = buf.len().min(input.len());
    for (slot, byte) in buf.iter_mut().zip(input.drain(..count)) {
        *slot = byte;
    }
    count
}
