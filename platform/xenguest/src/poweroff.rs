//! The end of a guest: how the program ended to whoever made the guest, then sched_op's shutdown (Xen's public header sched.h).

use crate::hypercall::{self, Number};
use crate::{console, store};

/// SCHEDOP_shutdown
const SHUTDOWN: u64 = 2;

/// Why a guest ends (SHUTDOWN_*).
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Reason {
    /// It is done.
    PowerOff = 0,
    /// It asks to be started anew.
    Reboot = 1,
}

/// Says how the program ended, in xenstore and as the console's last line, and ends the guest as it was asked to. What the program wrote comes first: the store
/// would have to be waited for.
pub fn end(line: &str) -> ! {
    console::drain();
    store::say_status(line);
    rump_hypercall::console::write(b"rumpbake: ");
    rump_hypercall::console::write(line.as_bytes());
    console::drain();
    shut_down(if store::reboot_wanted() { Reason::Reboot } else { Reason::PowerOff })
}

/// Ends the guest.
pub fn shut_down(reason: Reason) -> ! {
    let mut reason = reason as u32;
    loop {
        // SAFETY: the command takes the reason; it does not come back.
        unsafe { hypercall::command(Number::SchedOp, SHUTDOWN, &mut reason) };
    }
}
