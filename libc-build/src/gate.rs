//! The gate: how layer 2 calls layer 1.
//!
//! `rb_gate_word` holds the address of the platform's gate, filled in when the image is linked. A call passes the address of the
//! system call's entry in rax and its arguments in the C registers. The gate runs the entry on the LWP's kernel stack and returns its
//! [`Ret`]. All caller-saved registers, the vector registers among them, are lost, as in any C call; signals may be handled before it returns.

use core::arch::asm;

/// A system call's outcome: layer 1's `Ret`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ret {
    /// The value, where `errno` is 0.
    pub value: i64,
    /// 0 or the error number.
    pub errno: i32,
    /// The second value of pipe(2) and fork(2).
    pub value2: i32,
}

/// The call is to be made again: a signal was handled whose handler had SA_RESTART.
pub const RESTART: i32 = -3;

/// The address of the platform's gate, written when the image is linked or, to trace, at boot.
#[cfg_attr(test, expect(non_upper_case_globals, reason = "the linker knows it by this name"))]
#[cfg_attr(not(test), unsafe(no_mangle))]
#[cfg_attr(not(test), unsafe(link_section = ".data.rb_gate_word"))]
pub static rb_gate_word: core::sync::atomic::AtomicUsize = core::sync::atomic::AtomicUsize::new(0);

/// Calls the system call whose entry lies at `entry`, again for as long as it asks for that.
///
/// # Safety
/// `entry` is the address of a layer 1 system call entry, and the arguments are what that call demands of its caller's memory.
#[inline]
pub unsafe fn call(entry: usize, args: [u64; 6]) -> Ret {
    loop {
        // SAFETY: as this function's own.
        let ret = unsafe { call_once(entry, args) };
        if ret.errno != RESTART {
            return ret;
        }
    }
}

/// Calls the system call whose entry lies at `entry` once.
///
/// # Safety
/// As [`call`].
#[inline]
pub unsafe fn call_once(entry: usize, args: [u64; 6]) -> Ret {
    let (value, second): (i64, u64);
    // SAFETY: the gate follows the C calling convention (module documentation), which `clobber_abi` describes; it
    // switches stacks, so only the return address is pushed here.
    unsafe {
        asm!(
            "call [rip + {gate}]",
            gate = sym rb_gate_word,
            inout("rax") entry => value,
            inout("rdi") args[0] => _,
            inout("rsi") args[1] => _,
            inout("rdx") args[2] => second,
            inout("rcx") args[3] => _,
            inout("r8") args[4] => _,
            inout("r9") args[5] => _,
            clobber_abi("C"),
        );
    }
    Ret { value, errno: second as u32 as i32, value2: (second >> 32) as i32 }
}
