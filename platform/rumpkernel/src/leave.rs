//! The end of the program: its descriptors are closed, and what its sockets have still to send is sent, as the kernel of a machine that goes on would do.
//!
//! Layer 1 knows nothing of a rump kernel's connections. So each socket is told to linger (SO_LINGER): then close(2) returns when the other end has everything.

use rump_abi::fcntl::{F_MAXFD, F_SETFL};
use rump_abi::socket::{SO_LINGER, SOL_SOCKET};
use rump_abi::syscall::{SYS_close, SYS_fcntl, SYS_setsockopt};
use rump_hypercall::time;
use rump_kern::clock::NS_PER_S;
use rump_kern::exit::before_exit;

use crate::call::own;

/// How long all of them may take, and one; seconds.
const ALL_S: u64 = 3;
const ONE_S: i32 = 1;
/// The console is not the rump kernel's.
const FIRST: u64 = 3;

fn close_all() {
    let end_ns = time::monotonic_ns().saturating_add(ALL_S * NS_PER_S);
    let last = own(SYS_fcntl, [0, F_MAXFD as u64, 0, 0, 0, 0]).unwrap_or(0);
    for fd in FIRST..=last {
        // `struct linger`.
        let linger = [i32::from(time::monotonic_ns() < end_ns), ONE_S];
        let (at, len) = (linger.as_ptr().expose_provenance() as u64, size_of_val(&linger) as u64);
        let told = own(SYS_setsockopt, [fd, SOL_SOCKET as u64, SO_LINGER as u64, at, len, 0]);
        if told.is_ok() {
            // One that does not block would not linger.
            let _ = own(SYS_fcntl, [fd, F_SETFL as u64, 0, 0, 0, 0]);
        }
        let _ = own(SYS_close, [fd, 0, 0, 0, 0, 0]);
    }
}

/// Has that done from now on.
pub fn init() {
    before_exit(close_all);
}
