//! Exceptions of the application, as signals (trap of amd64; vectors: Intel SDM volume 3, 6.15).

use alloc::format;

use rump_hypercall::boot::{self, Exit};
use rump_hypercall::memory::PAGE_SIZE;
use rump_hypercall::upcall::Access;
use rump_hypercall::user::{self, Trapframe};

use super::deliver::{call_handler, catches};
use super::info::code::*;
use super::info::{KsigInfo, Reason};
use super::number::*;
use super::ucontext::FpuArea;
use crate::lwp::curlwp_opt;
use crate::uvm::fault::FaultError;

/// The vector of a page fault.
const PAGE_FAULT: u64 = 14;

/// Bits of a page fault's error code.
const PF_WRITE: u64 = 2;
const PF_EXEC: u64 = 16;

/// The upcall: the application caused an exception.
pub fn trap(frame: &mut Trapframe, va: usize) {
    crate::uvm::fault::end_if_killed();
    let (signo, code, addr) = classify(frame, va);
    let info = KsigInfo {
        signo,
        code,
        errno: 0,
        reason: Reason::Fault { addr, trap: netbsd_trap(frame.trapno), error: frame.err as i32 },
    };
    let Some(lwp) = curlwp_opt() else {
        user::crash_report("an exception in a thread that is no LWP", frame);
        boot::exit(Exit::Signaled(signo as u8));
    };
    if catches(lwp, signo) {
        let action = lwp.proc.sig.action(signo);
        call_handler(lwp, frame, &info, &action);
        return;
    }
    let what = if signo == SIGSEGV && code == SEGV_ACCERR && is_near_stack(frame, va) {
        "the stack is full"
    } else {
        describe(signo, code)
    };
    let reason = format!("{} ({}) at {addr:#x}, LWP {}", super::name(signo), what, lwp.lid);
    user::crash_report(&reason, frame);
    crate::exit::end(Exit::Signaled(signo as u8))
}

/// Whether an address that may not be touched is where the stack pointer is: a guard below a stack.
fn is_near_stack(frame: &Trapframe, va: usize) -> bool {
    frame.trapno == PAGE_FAULT && frame.rip as usize != va && va.abs_diff(frame.rsp as usize) < 2 * PAGE_SIZE
}

/// Signal, code and address of an exception.
fn classify(frame: &Trapframe, va: usize) -> (i32, i32, u64) {
    match frame.trapno {
        0 => (SIGFPE, FPE_INTDIV, frame.rip),
        1 => (SIGTRAP, TRAP_TRACE, frame.rip),
        3 => (SIGTRAP, TRAP_BRKPT, frame.rip),
        4 => (SIGFPE, FPE_INTOVF, frame.rip),
        5 => (SIGFPE, FPE_FLTSUB, frame.rip),
        6 => (SIGILL, ILL_ILLOPC, frame.rip),
        7 => (SIGILL, ILL_PRVOPC, frame.rip),
        11 | 12 => (SIGBUS, BUS_ADRERR, frame.rip),
        PAGE_FAULT => page_fault(frame, va),
        16 => (SIGFPE, x87_code(), frame.rip),
        17 => (SIGBUS, BUS_ADRALN, va as u64),
        19 => (SIGFPE, simd_code(), frame.rip),
        // General protection (a non-canonical address, a privileged instruction) and what is left.
        _ => (SIGSEGV, SEGV_ACCERR, va as u64),
    }
}

fn page_fault(frame: &Trapframe, va: usize) -> (i32, i32, u64) {
    let access = if frame.err & PF_EXEC != 0 {
        Access::Exec
    } else if frame.err & PF_WRITE != 0 {
        Access::Write
    } else {
        Access::Read
    };
    let reason =
        crate::proc::proc0().map_or(FaultError::NotMapped, |proc| proc.vm.borrow().fault_reason(va, access));
    let (signo, code) = match reason {
        FaultError::NotMapped => (SIGSEGV, SEGV_MAPERR),
        FaultError::Protection => (SIGSEGV, SEGV_ACCERR),
        FaultError::Bus | FaultError::OutOfMemory => (SIGBUS, BUS_ADRERR),
    };
    (signo, code, va as u64)
}

/// The code of the first exception in the bits that the x87 and SSE status words share.
fn fpe_code(exceptions: u32) -> i32 {
    const CODES: [(u32, i32); 6] = [
        (0x01, FPE_FLTINV),
        (0x04, FPE_FLTDIV),
        (0x02, FPE_FLTUND),
        (0x08, FPE_FLTOVF),
        (0x10, FPE_FLTUND),
        (0x20, FPE_FLTRES),
    ];
    CODES.iter().find(|(bit, _)| exceptions & bit != 0).map_or(FPE_FLTINV, |&(_, code)| code)
}

fn x87_code() -> i32 {
    let mut area = FpuArea::new();
    user::fpu_save(&mut area.0);
    let control = u16::from_le_bytes([area.0[0], area.0[1]]);
    let status = u16::from_le_bytes([area.0[2], area.0[3]]);
    fpe_code(u32::from(status & !control & 0x3f))
}

fn simd_code() -> i32 {
    let mut area = FpuArea::new();
    user::fpu_save(&mut area.0);
    let mxcsr = u32::from_le_bytes([area.0[24], area.0[25], area.0[26], area.0[27]]);
    fpe_code(mxcsr & !(mxcsr >> 7) & 0x3f)
}

/// NetBSD's own number of an exception (machine/trap.h), for `si_trap`.
const fn netbsd_trap(vector: u64) -> i32 {
    match vector {
        0 => 8,
        1 => 5,
        2 => 9,
        3 => 1,
        4 => 10,
        5 => 11,
        6 => 0,
        7 => 12,
        8 => 13,
        9 => 14,
        10 => 15,
        11 => 16,
        12 => 17,
        13 => 4,
        14 => 6,
        16 => 2,
        17 => 7,
        18 => 18,
        19 => 19,
        _ => 20,
    }
}

fn describe(signo: i32, code: i32) -> &'static str {
    match (signo, code) {
        (SIGSEGV, SEGV_MAPERR) => "nothing is mapped there",
        (SIGSEGV, _) => "the mapping does not allow it",
        (SIGBUS, BUS_ADRALN) => "the address is not aligned",
        (SIGBUS, _) => "there is no memory behind the mapping",
        (SIGFPE, FPE_INTDIV) => "division by zero",
        (SIGFPE, _) => "arithmetic exception",
        (SIGILL, _) => "illegal instruction",
        (SIGTRAP, _) => "breakpoint or trace trap",
        _ => "exception",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_unmasked_exception_names_the_code() {
        assert_eq!(fpe_code(0x04 | 0x20), FPE_FLTDIV);
        assert_eq!(fpe_code(0x20), FPE_FLTRES);
    }

    #[test]
    fn a_division_by_zero_is_told_by_its_instruction() {
        let frame = Trapframe { trapno: 0, rip: 0x1234, ..Trapframe::default() };
        assert_eq!(classify(&frame, 0), (SIGFPE, FPE_INTDIV, 0x1234));
    }
}
