//! What the compiler and the prebuilt `core` want of a freestanding program: a panic handler and the names of unwinding.
//!
//! Unit tests have these from std, so the module exists in the kit only. C++ programs bring their own unwinder (libc++abi's, linked into
//! them); the names here are private to layer 2 and are never called, since it is built with `panic=abort`.

use core::arch::global_asm;

/// A panic in layer 2 is a bug of layer 2: it ends the program as abort(3) does. There is no message, because formatting one
/// would put some 30 KB into every image.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    crate::start::trap()
}

global_asm!(
    ".pushsection .text.rb_libc_unwind,\"ax\",@progbits",
    ".weak rust_eh_personality",
    "rust_eh_personality:",
    "ud2",
    ".popsection",
);
