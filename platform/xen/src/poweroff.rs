//! The end of the image: the exit status to whoever runs it, then sched_op's shutdown (Xen's public header sched.h).
//!
//! A privileged guest may use ports. Then the words go to QEMU's debug console at port 0xe9, as on bare metal, and QEMU's `isa-debug-exit` is left
//! alone: Xen sends the console's last bytes only on an orderly end. A guest that holds the machine asks for a reboot, on which QEMU ends (`-no-reboot`); any other for power-off.

use rumpbake_platform::cpu::Local;
use rumpbake_platform::io::{inb, outb};
use rumpbake_xenguest::poweroff::{self, Reason};

use crate::hypercall::{self, Number};

/// PHYSDEVOP_set_iopl
const SET_IOPL: u64 = 6;

const STATUS_PORT: u16 = 0xe9;

static HOLDS_MACHINE: Local<bool> = Local::new(false);

/// Makes ports usable, where the guest is the one that holds the machine.
pub fn init(privileged: bool) {
    let mut iopl: u32 = 1;
    // SAFETY: the command takes an I/O privilege level; guest-kernel mode is level 1.
    let allowed = privileged && unsafe { hypercall::command(Number::PhysdevOp, SET_IOPL, &mut iopl) } == 0;
    // SAFETY: boot, one processor.
    unsafe { *HOLDS_MACHINE.get() = allowed };
    say("booted\n");
}

/// Tells whoever runs the machine. The first words mean that input is the guest's from now on.
fn say(line: &str) {
    // SAFETY: written once at boot.
    if unsafe { *HOLDS_MACHINE.get() } && inb(STATUS_PORT) == STATUS_PORT as u8 {
        line.bytes().for_each(|byte| outb(STATUS_PORT, byte));
    }
}

#[unsafe(export_name = "rbm_end")]
fn end(line: &str, _status: u8) -> ! {
    // SAFETY: written once at boot.
    let holds_machine = unsafe { *HOLDS_MACHINE.get() };
    // Guest-user mode may not use ports.
    hypercall::use_kernel_mode();
    say(line);
    if holds_machine {
        poweroff::shut_down(Reason::Reboot)
    }
    poweroff::end(line)
}
