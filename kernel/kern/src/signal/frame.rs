//! The signal frame (sendsig of amd64): how a handler is called.
//!
//! From the handler's stack pointer upwards lie the return address (the trampoline), a `siginfo_t`, a `ucontext_t`, and, aligned to 64
//! bytes, the whole vector state, whose address and length stand in the bytes of the FXSAVE image that amd64/mcontext.h gives to
//! them. The handler finds the signal in `%rdi`, the others in `%rsi` and `%rdx`; the trampoline finds the context in `%r15`.

use rump_hypercall::user::{self, Trapframe};

use super::action::{Disposition, SaFlags, SigAction};
use super::info::{KsigInfo, SIGINFO_SIZE};
use super::set::SigSet;
use super::state::set_mask;
use super::ucontext::{FpuArea, UC_SETSTACK, UContext, getucontext, put_fpregs, put_xsave};
use crate::copy::copyout_bytes;
use crate::errno::Errno;
use crate::lwp::Lwp;
use crate::pod;

/// Bytes below the stack pointer that belong to the interrupted function (System V ABI for AMD64, 3.2.2).
const RED_ZONE: usize = 128;

/// Flags that a handler does not inherit: direction, trap, resume, nested task, alignment check, virtual 8086.
const CLEARED_RFLAGS: u64 = 0x0400 | 0x0100 | 0x0001_0000 | 0x4000 | 0x0004_0000 | 0x0002_0000;

#[derive(Clone, Copy)]
#[repr(C)]
struct SigFrame {
    return_address: u64,
    info: [u8; SIGINFO_SIZE],
    context: UContext,
}

pod!(SigFrame);

/// Calls the handler of `action`: builds the frame, points the registers at it and blocks what is to be blocked.
///
/// # Errors
/// EFAULT if there is no stack for the frame.
pub fn sendsig(
    lwp: &'static Lwp,
    frame: &mut Trapframe,
    info: &KsigInfo,
    action: &SigAction,
) -> Result<(), Errno> {
    let Disposition::Handler(handler) = action.disposition else { return Ok(()) };
    let altstack = lwp.sig.altstack.get();
    let on_alt = altstack.contains(frame.rsp as usize);
    let top = if action.flags.contains(SaFlags::ONSTACK) && altstack.enabled && !on_alt {
        altstack.base.wrapping_add(altstack.size_bytes)
    } else {
        (frame.rsp as usize).wrapping_sub(RED_ZONE)
    };

    let fpu_len = user::fpu_size();
    let mut area = FpuArea::new();
    user::fpu_save(&mut area.0);
    let xsave_addr = top.wrapping_sub(fpu_len) & !63;
    // As after a call: 8 off a multiple of 16. The `ucontext_t` comes out at a multiple of 16.
    let sp = (xsave_addr.wrapping_sub(size_of::<SigFrame>()) & !15).wrapping_sub(8);

    let mut context = getucontext(lwp, frame);
    if on_alt {
        context.flags |= UC_SETSTACK;
    }
    put_fpregs(&mut context, &area);
    put_xsave(&mut context, xsave_addr, fpu_len);
    let old_mask = lwp.sig.mask.get();
    context.sigmask = lwp.sig.restore_mask.get().unwrap_or(old_mask).to_words();

    copyout_bytes(&area.0[..fpu_len], xsave_addr)?;
    let sigframe = SigFrame { return_address: action.trampoline as u64, info: info.to_bytes(), context };
    crate::copy::copyout(&sigframe, sp)?;

    lwp.sig.restore_mask.set(None);
    let itself = if action.flags.contains(SaFlags::NODEFER) { SigSet::EMPTY } else { SigSet::of(info.signo) };
    set_mask(lwp, old_mask.union(action.mask).union(itself));
    user::fpu_reset();
    let context_addr = (sp + core::mem::offset_of!(SigFrame, context)) as u64;
    frame.rdi = u64::from(info.signo.cast_unsigned());
    frame.rsi = (sp + core::mem::offset_of!(SigFrame, info)) as u64;
    frame.rdx = context_addr;
    frame.r15 = context_addr;
    frame.rip = handler as u64;
    frame.rsp = sp as u64;
    frame.rflags &= !CLEARED_RFLAGS;
    Ok(())
}
