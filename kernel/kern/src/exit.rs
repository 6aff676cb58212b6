//! The end of the program (exit(2)), and waiting for children that there are none of (wait(2)).

use alloc::vec::Vec;

use rump_hypercall::Giant;
use rump_hypercall::boot::{self, Exit};

use crate::component::hook;
use crate::errno::Errno;
use crate::syscall;

/// What is done before the machine goes off.
static AT_EXIT: Giant<Vec<fn()>> = Giant::new(Vec::new());

/// Has `f` called when the program ends, in whatever way. It must not wait: nothing else runs any more.
pub fn at_exit(f: fn()) {
    AT_EXIT.borrow_mut().push(f);
}

/// What is done when the program ends itself, before that.
static BEFORE_EXIT: Giant<Option<fn()>> = Giant::new(None);

/// Has `f` called by exit(2), in the LWP that makes the call, with all others still there. It may wait, though not for long.
pub fn before_exit(f: fn()) {
    BEFORE_EXIT.set(Some(hook(f)));
}

/// Ends the program, and with it the image.
pub fn end(exit: Exit) -> ! {
    // Taken out first: what is called must not be called again if it ends the program itself.
    let calls = core::mem::take(&mut *AT_EXIT.borrow_mut());
    for call in calls {
        call();
    }
    boot::exit(exit)
}

/// Ends the program.
pub fn exit1(status: i32) -> ! {
    end(Exit::Exited((status & 0xff) as u8))
}

syscall! {
    /// exit(2).
    fn sys_exit(status: i32) -> Result<(), Errno> {
        if let Some(before) = BEFORE_EXIT.get() {
            before();
        }
        exit1(status)
    }
}

syscall! {
    /// wait4(2).
    fn sys___wait450(_pid: i32, _status: usize, _options: i32, _usage: usize) -> Result<i32, Errno> {
        Err(Errno::ECHILD)
    }
}

syscall! {
    /// wait6(2).
    fn sys_wait6(_kind: i32, _id: i64, _status: usize, _options: i32, _usage: usize, _info: usize) -> Result<i32, Errno> {
        Err(Errno::ECHILD)
    }
}
