//! What a Rust image without an operating system under it must bring along: panic handler and allocator.

use core::panic::PanicInfo;

use rumpbake_platform::backtrace;
use rumpbake_platform::heap::Heap;

#[global_allocator]
static HEAP: Heap = Heap::new();

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    backtrace::panicked(info)
}
