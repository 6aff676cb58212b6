//! The end of the image: the exit status to whoever runs it, then power off.
//!
//! Two ways out carry the status. A debug console at port 0xe9 (`-device isa-debugcon`) gets a line: `exited N`, `signaled N` or `panicked`. QEMU's
//! `isa-debug-exit` at port 0xf4 ends QEMU with status 2N+1; it is used where N is not 0. Then ACPI, then a triple fault, which with `-no-reboot` ends QEMU too.

use core::arch::asm;

use rumpbake_platform::cpu::Local;
use rumpbake_platform::io::{inb, outb, outw};

use crate::acpi::{self, PowerOff};
use crate::{guest, memory};

const STATUS_PORT: u16 = 0xe9;
const DEBUG_EXIT_PORT: u16 = 0xf4;

static RSDP: Local<u64> = Local::new(0);

/// Remembers where the loader said that ACPI's root pointer is.
pub fn set_rsdp(rsdp: u64) {
    // SAFETY: boot, one processor.
    unsafe { *RSDP.get() = rsdp };
}

/// Where the loader said that ACPI's root pointer is; 0 if it did not say.
pub fn rsdp() -> u64 {
    // SAFETY: written at boot only.
    unsafe { *RSDP.get() }
}

/// Switches off; `status` goes to the debug-exit port if it is not 0.
pub fn stop(status: u8) -> ! {
    if status != 0 {
        outb(DEBUG_EXIT_PORT, status);
    }
    // SAFETY: written at boot only.
    match acpi::power_off(unsafe { *RSDP.get() }) {
        Some(PowerOff::Pm1 { a, b }) => {
            outw(a.0, a.1);
            if b.0 != 0 {
                outw(b.0, b.1);
            }
        }
        // SAFETY: firmware says that this is the register for it; it is mapped, and nothing runs afterwards.
        Some(PowerOff::SleepControl(address, value)) => unsafe {
            memory::device(address).cast::<u8>().write_volatile(value);
        },
        None => {}
    }
    let no_table = [0_u16; 5];
    // SAFETY: an empty interrupt table makes the breakpoint a triple fault, which resets the machine; nothing runs afterwards.
    unsafe {
        asm!("cli", "lidt [{}]", "int3", in(reg) &raw const no_table);
    }
    loop {
        // SAFETY: halts for good.
        unsafe { asm!("cli", "hlt") };
    }
}

#[unsafe(export_name = "rbm_end")]
fn end(line: &str, status: u8) -> ! {
    if let Some(guest) = guest::get() {
        (guest.end)(line);
    }
    if inb(STATUS_PORT) == STATUS_PORT as u8 {
        line.bytes().for_each(|byte| outb(STATUS_PORT, byte));
    }
    stop(status)
}
