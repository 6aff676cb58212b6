//! Saved contexts (getcontext(2), sys/ucontext.h, amd64/mcontext.h).

use rump_hypercall::memory::USER_MAX;
use rump_hypercall::user::{self, FPU_AREA_MAX, Trapframe};

use super::state::set_mask;
use crate::copy::{Pod, copyin_bytes, zeroed};
use crate::errno::Errno;
use crate::lwp::Lwp;
use crate::pod;

/// `uc_flags`: the signal mask is valid.
pub const UC_SIGMASK: u32 = 0x01;
/// The stack is valid.
pub const UC_STACK: u32 = 0x02;
/// The general registers are valid.
pub const UC_CPU: u32 = 0x04;
/// The vector registers are valid.
pub const UC_FPU: u32 = 0x08;
/// The context is on the alternate signal stack.
pub const UC_SETSTACK: u32 = 0x0001_0000;
/// The context is not on the alternate signal stack.
pub const UC_CLRSTACK: u32 = 0x0002_0000;
/// The base of `%fs` is valid.
pub const UC_TLSBASE: u32 = 0x0008_0000;
/// The FXSAVE image names an area with the whole vector state.
pub const UC_XSAVE: u32 = 0x0010_0000;

/// `ss_flags`: on the alternate stack.
pub const SS_ONSTACK: i32 = 1;
/// No alternate stack.
pub const SS_DISABLE: i32 = 4;

/// Bytes of an FXSAVE image.
pub const FXSAVE_SIZE: usize = 512;
/// Where in the FXSAVE image the address of the whole vector state is, and after it its length.
const XSAVE_PTR: usize = 464;

/// `stack_t`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Stack {
    /// Lowest address.
    pub sp: u64,
    /// Size.
    pub size: u64,
    /// [`SS_ONSTACK`], [`SS_DISABLE`].
    pub flags: i32,
    /// A hole of the C structure.
    pub pad: i32,
}

/// `ucontext_t`: 784 bytes.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct UContext {
    /// What is valid.
    pub flags: u32,
    /// A hole of the C structure.
    pub pad: u32,
    /// The context to go on with when this one's function returns.
    pub link: u64,
    /// The signal mask.
    pub sigmask: [u32; 4],
    /// The stack.
    pub stack: Stack,
    /// The general registers, in the order of amd64/frame_regs.h.
    pub gregs: [u64; 26],
    /// The base of `%fs`.
    pub tlsbase: u64,
    /// The FXSAVE image.
    pub fpregs: [u8; FXSAVE_SIZE],
}

pod!(Stack, UContext);

const _: () = assert!(size_of::<UContext>() == 784);

/// A buffer for the vector state, aligned as the processor wants it.
#[repr(C, align(64))]
pub struct FpuArea(pub [u8; FPU_AREA_MAX]);

impl FpuArea {
    /// An area of zeros.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; FPU_AREA_MAX])
    }
}

impl Default for FpuArea {
    fn default() -> Self {
        Self::new()
    }
}

/// The registers as `__gregs` has them.
#[must_use]
pub fn gregs_of(frame: &Trapframe) -> [u64; 26] {
    let f = frame;
    [
        f.rdi, f.rsi, f.rdx, f.rcx, f.r8, f.r9, f.r10, f.r11, f.r12, f.r13, f.r14, f.r15, f.rbp, f.rbx,
        f.rax, 0, 0, 0, 0, f.trapno, f.err, f.rip, f.cs, f.rflags, f.rsp, f.ss,
    ]
}

/// The registers from `__gregs`.
#[must_use]
pub fn frame_of(g: &[u64; 26]) -> Trapframe {
    Trapframe {
        rdi: g[0],
        rsi: g[1],
        rdx: g[2],
        rcx: g[3],
        r8: g[4],
        r9: g[5],
        r10: g[6],
        r11: g[7],
        r12: g[8],
        r13: g[9],
        r14: g[10],
        r15: g[11],
        rbp: g[12],
        rbx: g[13],
        rax: g[14],
        trapno: Trapframe::INTERRUPT,
        err: 0,
        rip: g[21],
        cs: g[22],
        rflags: g[23],
        rsp: g[24],
        ss: g[25],
    }
}

/// The calling LWP's context with these registers, without the vector state.
#[must_use]
pub fn getucontext(lwp: &Lwp, frame: &Trapframe) -> UContext {
    let altstack = lwp.sig.altstack.get();
    let on_alt = altstack.contains(frame.rsp as usize);
    let mut uc: UContext = zeroed();
    uc.flags = UC_SIGMASK | UC_CPU | UC_TLSBASE | if on_alt { UC_SETSTACK } else { UC_CLRSTACK };
    uc.sigmask = lwp.sig.mask.get().to_words();
    uc.gregs = gregs_of(frame);
    uc.tlsbase = user::fsbase() as u64;
    uc
}

/// Puts the FXSAVE image of `area` into the context.
pub fn put_fpregs(uc: &mut UContext, area: &FpuArea) {
    uc.fpregs.copy_from_slice(&area.0[..FXSAVE_SIZE]);
    uc.fpregs[XSAVE_PTR..].fill(0);
    uc.flags |= UC_FPU;
}

/// Notes in the context where the whole vector state is.
pub fn put_xsave(uc: &mut UContext, addr: usize, len: usize) {
    uc.fpregs[XSAVE_PTR..XSAVE_PTR + 8].copy_from_slice(&(addr as u64).to_le_bytes());
    uc.fpregs[XSAVE_PTR + 8..XSAVE_PTR + 16].copy_from_slice(&(len as u64).to_le_bytes());
    uc.flags |= UC_XSAVE;
}

fn word_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8].iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// Checks the registers that a context asks for.
///
/// # Errors
/// EINVAL if there cannot be code at `rip`.
pub fn validate(uc: &UContext) -> Result<(), Errno> {
    if uc.flags & UC_CPU != 0 && (uc.gregs[21] as usize >= USER_MAX || uc.gregs[24] >> 47 != 0) {
        return Err(Errno::EINVAL);
    }
    Ok(())
}

/// Restores the vector state that the context has.
///
/// # Errors
/// EFAULT if it names an area that cannot be read.
pub fn set_fpregs(uc: &UContext) -> Result<(), Errno> {
    if uc.flags & UC_FPU == 0 {
        return Ok(());
    }
    let len = word_at(&uc.fpregs, XSAVE_PTR + 8) as usize;
    let mut area = FpuArea::new();
    if uc.flags & UC_XSAVE != 0 && len == user::fpu_size() && len <= FPU_AREA_MAX {
        copyin_bytes(word_at(&uc.fpregs, XSAVE_PTR) as usize, &mut area.0[..len])?;
        user::fpu_restore(&area.0[..len]);
    } else {
        area.0[..FXSAVE_SIZE].copy_from_slice(&uc.fpregs);
        user::fpu_restore(&area.0[..FXSAVE_SIZE]);
    }
    Ok(())
}

/// Makes the context the calling LWP's, but for its general registers.
///
/// # Errors
/// EINVAL or EFAULT for a context that cannot be; nothing has changed then.
pub fn setucontext(lwp: &Lwp, uc: &UContext) -> Result<(), Errno> {
    validate(uc)?;
    set_fpregs(uc)?;
    if uc.flags & UC_TLSBASE != 0 {
        user::set_fsbase(uc.tlsbase as usize);
    }
    if uc.flags & UC_SIGMASK != 0 {
        set_mask(lwp, super::SigSet::from_words(uc.sigmask));
    }
    Ok(())
}

/// Reads a context.
///
/// # Errors
/// EFAULT.
pub fn copyin_ucontext(addr: usize) -> Result<UContext, Errno> {
    fn read<T: Pod>(addr: usize) -> Result<T, Errno> {
        crate::copy::copyin(addr)
    }
    read(addr)
}

#[cfg(test)]
mod tests {
    use super::{frame_of, gregs_of};
    use rump_hypercall::user::Trapframe;

    #[test]
    fn registers_survive_the_way_through_a_context() {
        let mut frame = Trapframe { trapno: Trapframe::INTERRUPT, ..Trapframe::default() };
        frame.rdi = 1;
        frame.r10 = 2;
        frame.rcx = 3;
        frame.rbp = 4;
        frame.rbx = 5;
        frame.rax = 6;
        frame.rip = 7;
        frame.rflags = 8;
        frame.rsp = 9;
        frame.r15 = 10;
        let gregs = gregs_of(&frame);
        // amd64/frame_regs.h: RCX is 3, R10 6, R15 11, RIP 21, RSP 24.
        assert_eq!((gregs[3], gregs[6], gregs[11], gregs[21], gregs[24]), (3, 2, 10, 7, 9));
        assert_eq!(frame_of(&gregs), frame);
    }
}
