//! The console: HYPERVISOR_console_io (Xen's public header xen.h) for the guest that holds the machine; for others the rings that they share with the
//! tool stack's console (io/console.h).

use alloc::collections::VecDeque;

use rump_hypercall::Giant;
use rump_hypercall::time::monotonic_ns;
use rumpbake_drivers::xen::ring::{self, Ring};
use rumpbake_platform::cpu::Local;

use crate::events;
use crate::hypercall::{self, Number};

/// CONSOLEIO_write
const WRITE: u64 = 0;
/// CONSOLEIO_read
const READ: u64 = 1;
/// Typed bytes kept for a kernel that does not read. Xen keeps 128 and drops what comes after, so they are taken at once.
const INPUT_MAX: usize = 1 << 16;
/// A console that takes nothing for so long is given up, with what was to be written.
const PATIENCE_NS: u64 = 1_000_000_000;

static INPUT: Giant<VecDeque<u8>> = Giant::new(VecDeque::new());

/// A guest's console.
#[derive(Clone, Copy)]
struct Rings {
    input: Ring,
    output: Ring,
    port: u32,
}

static RINGS: Local<Option<Rings>> = Local::new(None);

fn rings() -> Option<Rings> {
    // SAFETY: written once at boot.
    unsafe { *RINGS.get() }
}

/// Uses the rings in a page, and their event channel. Until then a guest without privileges is silent.
///
/// # Safety
/// The page is mapped for good, and nobody else's.
pub unsafe fn init(page: *mut u8, port: u32) {
    // SAFETY: the caller's promise.
    let (input, output) = unsafe { ring::console(page) };
    // SAFETY: boot, one processor.
    unsafe { *RINGS.get() = Some(Rings { input, output, port }) };
}

/// Takes bytes that have come; how many.
fn take(buffer: &mut [u8]) -> usize {
    if let Some(rings) = rings() {
        let count = rings.input.take(buffer);
        if count > 0 {
            // There is room again.
            events::notify(rings.port);
        }
        return count;
    }
    // SAFETY: Xen writes at most as many bytes as the buffer has.
    let count = unsafe {
        hypercall::call(Number::ConsoleIo, [READ, buffer.len() as u64, buffer.as_mut_ptr() as u64, 0])
    };
    usize::try_from(count).unwrap_or(0).min(buffer.len())
}

/// Takes bytes in; true if there were any.
fn receive(input: &mut VecDeque<u8>) -> bool {
    let mut came = false;
    let mut buffer = [0_u8; 128];
    while input.len() < INPUT_MAX {
        let count = take(&mut buffer);
        if count == 0 {
            break;
        }
        input.extend(&buffer[..count]);
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

/// Writes bytes; what a console that takes nothing does not take is lost.
pub fn write(mut bytes: &[u8]) {
    let Some(rings) = rings() else {
        // SAFETY: Xen reads the bytes. A guest that may not is silent.
        unsafe { hypercall::call(Number::ConsoleIo, [WRITE, bytes.len() as u64, bytes.as_ptr() as u64, 0]) };
        return;
    };
    let mut end_ns = monotonic_ns().saturating_add(PATIENCE_NS);
    loop {
        let count = rings.output.put(bytes);
        bytes = &bytes[count..];
        events::notify(rings.port);
        if bytes.is_empty() {
            return;
        }
        let now_ns = monotonic_ns();
        if count > 0 {
            end_ns = now_ns.saturating_add(PATIENCE_NS);
        } else if now_ns >= end_ns {
            return;
        }
        events::wait(rings.port, end_ns);
    }
}

/// Waits until what was written has been taken.
pub fn drain() {
    let end_ns = monotonic_ns().saturating_add(PATIENCE_NS);
    while let Some(rings) = rings()
        && !rings.output.is_empty()
        && monotonic_ns() < end_ns
    {
        events::wait(rings.port, end_ns);
    }
}

/// Takes bytes that were typed; how many.
pub fn read(buf: &mut [u8]) -> usize {
    let mut input = INPUT.borrow_mut();
    receive(&mut input);
    let count = buf.len().min(input.len());
    for (slot, byte) in buf.iter_mut().zip(input.drain(..count)) {
        *slot = byte;
    }
    count
}
