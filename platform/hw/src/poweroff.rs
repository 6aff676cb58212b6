//! The end of the image: the exit status to whoever runs it, then power off.
//!
//! Two ways out carry the status. A debug console at port 0xe9 (`-device isa-debugcon`) gets a line: `exited N`, `signaled N` or `panicked`. QEMU's
//! `isa-debug-exit` at port 0xf4 ends QEMU with status 2N+1; it is used where N is not 0. Then ACPI, then a triple fault, which with `-no-reboot` ends QEMU too.

use core::arch::asm;
use core::fmt::{self, Write};

use rump_hypercall::boot::Exit;
use rumpbake_platform::cpu::Local;

use crate::acpi::{self, PowerOff};
use crate::io::{inb, outb, outw};
use crate::memory;

const STATUS_PORT: u16 = 0xe9;
const DEBUG_EXIT_PORT: u16 = 0xf4;
/// What a shell adds to a signal's number.
const SIGNAL_STATUS: u8 = 128;
/// Status of a kernel panic at the debug-exit port.
const PANIC_STATUS: u8 = 125;

static RSDP: Local<u64> = Local::new(0);

/// Remembers where the loader said that ACPI's root pointer is.
pub fn set_rsdp(rsdp: u64) {
    // SAFETY: boot, one processor.
    unsafe { *RSDP.get() = rsdp };
}

struct StatusPort;

impl Write for StatusPort {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if inb(STATUS_PORT) == STATUS_PORT as u8 {
            text.bytes().for_each(|byte| outb(STATUS_PORT, byte));
        }
        Ok(())
    }
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

/// The kernel gave up.
pub fn panicked() -> ! {
    let _ = StatusPort.write_str("panicked\n");
    stop(PANIC_STATUS)
}

#[unsafe(export_name = "rb_exit")]
fn exit(how: Exit) -> ! {
    let status = match how {
        Exit::Exited(status) => {
            let _ = writeln!(StatusPort, "exited {status}");
            status
        }
        Exit::Signaled(signal) => {
            let _ = writeln!(StatusPort, "signaled {signal}");
            SIGNAL_STATUS | signal
        }
    };
    stop(status)
}
