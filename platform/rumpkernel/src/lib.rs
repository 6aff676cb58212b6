//! Component rumpkernel: a rump kernel that somebody else built, in the place of layer 1's files, sockets and sysctl.
//!
//! The linker puts it behind the program in the application's half (`rumpbake hw --rump-libs`). [`memory`] maps it, [`start`] calls its constructors and rump_init,
//! [`call`] hands it the system calls that [`KEPT`] does not name, and [`console`] keeps descriptors 0 to 2, and copies of them, on the
//! console. [`files`] has devices and file systems there before the program, [`net`] addresses. [`older`] makes older calls where it does not have a younger one. [`map`] lets files be mapped, [`guard`] looks after pointers of the program's that lead nowhere, [`leave`] after what is still to be sent when the program ends. Its code runs as kernel code does: on the LWP's kernel stack, on the one virtual CPU, with interrupts masked; what it asks of its host is
//! in `platform/rumpuser`.
//!
//! It follows rumpuser(3) and rump(3), and NetBSD's `rump/rump.h` and `rump/rumpkern_if_pub.h`.
#![no_std]

extern crate alloc;

mod call;
mod console;
mod files;
mod guard;
mod leave;
mod lwp;
mod map;
mod memory;
mod net;
mod older;
mod start;

rump_kern::component! {
    name: "rumpkernel",
    faction: "kern",
    needs: "cons",
    when: "",
    about: "a rump kernel from --rump-libs",
    init: start::init
}

/// The system calls that stay layer 1's: memory, LWPs, signals, clocks, the process itself. All others are the rump kernel's.
#[used]
#[unsafe(link_section = ".rb.rump.kept")]
static KEPT: [u8; KEPT_TEXT.len()] = {
    let mut bytes = [0; KEPT_TEXT.len()];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = KEPT_TEXT.as_bytes()[at];
        at += 1;
    }
    bytes
};

/// Of each call its name, as in sys/syscall.h.
const KEPT_TEXT: &str = include_str!("kept.txt");
