//! The application's registers and memory, as far as there is an application.

use std::cell::Cell;
use std::sync::OnceLock;

use rump_hypercall::Upcalls;
use rump_hypercall::memory::{PAGE_SIZE, Prot, USER_MAX, USER_MIN};
use rump_hypercall::upcall::{Access, Ret, SysEntry};
use rump_hypercall::user::{Fault, Trapframe};

use crate::memory::{memory, page_ptr};
use crate::thread::{Outcome, state, stop};

static UPCALLS: OnceLock<&'static Upcalls> = OnceLock::new();

thread_local! {
    static FRAME: Cell<*mut Trapframe> = const { Cell::new(std::ptr::null_mut()) };
}

pub(crate) fn upcalls() -> Option<&'static Upcalls> {
    UPCALLS.get().copied()
}

/// Makes the calling thread look as if it had entered the kernel by an instruction with this frame.
pub fn set_frame(frame: Trapframe) {
    FRAME.set(Box::leak(Box::new(frame)));
}

#[unsafe(export_name = "rb_register_upcalls")]
fn register(upcalls: &'static Upcalls) {
    // The first stays: a test process starts one kernel.
    let _ = UPCALLS.set(upcalls);
}

#[unsafe(export_name = "rb_trace_gate")]
fn trace_gate(_hook: Option<fn(entry: SysEntry, args: &[u64; 6]) -> Ret>) {
    // No application code runs here, so nothing comes through a gate.
}

#[unsafe(export_name = "rb_user_enter")]
fn enter(frame: &Trapframe) -> ! {
    stop(Outcome::Entered(Box::new(*frame)))
}

#[unsafe(export_name = "rb_user_frame")]
fn frame() -> Option<&'static mut Trapframe> {
    // SAFETY: frames are leaked and belong to one thread.
    unsafe { FRAME.get().as_mut() }
}

#[unsafe(export_name = "rb_user_sp")]
fn sp() -> usize {
    frame().map_or(0, |frame| frame.rsp as usize)
}

#[unsafe(export_name = "rb_set_fsbase")]
fn set_fsbase(base: usize) {
    state().fsbase.set(base);
}

#[unsafe(export_name = "rb_fsbase")]
fn fsbase() -> usize {
    state().fsbase.get()
}

/// An FXSAVE image: there is no vector state to keep, but its size is asked for.
const FPU_SIZE: usize = 512;

#[unsafe(export_name = "rb_fpu_size")]
fn fpu_size() -> usize {
    FPU_SIZE
}

#[unsafe(export_name = "rb_fpu_save")]
fn fpu_save(area: &mut [u8]) {
    area[..FPU_SIZE].fill(0);
}

#[unsafe(export_name = "rb_fpu_restore")]
fn fpu_restore(_area: &[u8]) {}

#[unsafe(export_name = "rb_fpu_reset")]
fn fpu_reset() {}

#[unsafe(export_name = "rb_crash_report")]
fn crash_report(reason: &str, frame: &Trapframe) {
    rump_hypercall::console::write(format!("{reason}\n{frame:x?}\n").as_bytes());
}

/// Where the kernel sees `va`, for `need`: the mapping as it is, or after one call of the fault upcall.
fn translate(va: usize, need: Prot, access: Access) -> Result<*mut u8, Fault> {
    let look = || {
        let memory = memory();
        let &(page, prot) = memory.mapped.get(&(va & !(PAGE_SIZE - 1)))?;
        // SAFETY: the offset stays in the page.
        prot.contains(need).then(|| unsafe { page_ptr(page).add(va % PAGE_SIZE) })
    };
    if let Some(pointer) = look() {
        return Ok(pointer);
    }
    match upcalls() {
        Some(upcalls) if (upcalls.fault)(va, access) => look().ok_or(Fault),
        _ => Err(Fault),
    }
}

/// Calls `work` for each part of `va..va+len` that lies in one page: the offset from `va`, the kernel's pointer, the length.
fn by_page(
    va: usize,
    len: usize,
    access: Access,
    mut work: impl FnMut(usize, *mut u8, usize),
) -> Result<(), Fault> {
    match va.checked_add(len) {
        Some(end) if va >= USER_MIN && end <= USER_MAX => {}
        _ => return Err(Fault),
    }
    let need = if access == Access::Write { Prot::WRITE } else { Prot::READ };
    let mut done = 0;
    while done < len {
        let here = va + done;
        let part = (PAGE_SIZE - here % PAGE_SIZE).min(len - done);
        work(done, translate(here, need, access)?, part);
        done += part;
    }
    Ok(())
}

#[unsafe(export_name = "rb_copyin")]
fn copyin(src: usize, dst: &mut [u8]) -> Result<(), Fault> {
    by_page(src, dst.len(), Access::Read, |offset, from, len| {
        // SAFETY: `len` bytes of one page; the kernel's buffer is none of the application's pages.
        unsafe { std::ptr::copy_nonoverlapping(from, dst[offset..].as_mut_ptr(), len) };
    })
}

#[unsafe(export_name = "rb_copyout")]
fn copyout(src: &[u8], dst: usize) -> Result<(), Fault> {
    by_page(dst, src.len(), Access::Write, |offset, to, len| {
        // SAFETY: as above.
        unsafe { std::ptr::copy_nonoverlapping(src[offset..].as_ptr(), to, len) };
    })
}

#[unsafe(export_name = "rb_zeroout")]
fn zeroout(dst: usize, len: usize) -> Result<(), Fault> {
    // SAFETY: as above.
    by_page(dst, len, Access::Write, |_, to, len| unsafe { to.write_bytes(0, len) })
}

#[unsafe(export_name = "rb_ucas32")]
fn ucas32(addr: usize, expected: u32, new: u32) -> Result<u32, Fault> {
    if addr % 4 != 0 {
        return Err(Fault);
    }
    let mut old = 0;
    by_page(addr, 4, Access::Write, |_, word, _| {
        let word = word.cast::<u32>();
        // SAFETY: an aligned word in one page, touched under the virtual CPU only.
        unsafe {
            old = word.read();
            if old == expected {
                word.write(new);
            }
        }
    })?;
    Ok(old)
}
