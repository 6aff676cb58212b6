//! The vector state: x87, SSE, AVX and what XSAVE knows beyond (Intel SDM volume 1, chapter 13).
//!
//! Entry by an instruction saves xmm0–15 below the frame, because kernel code uses them; the upper halves and the x87 state stay in the processor until another thread is
//! switched to. Entry by the gate is a C call, which preserves nothing but MXCSR and the x87 control word.

use core::arch::asm;
use core::arch::x86_64::{__cpuid_count, _xgetbv};
use core::mem::MaybeUninit;

use rump_hypercall::user::FPU_AREA_MAX;

use crate::cpu::Local;

/// Bytes of the area in which entry code keeps xmm0–15, below the frame.
pub const XMM_AREA: usize = 256;

/// The legacy image's size: FXSAVE.
const LEGACY: usize = 512;
/// Offset of xmm0 in the legacy image.
const XMM_OFFSET: usize = 160;
/// Offset of MXCSR in the legacy image; its mask follows.
const MXCSR_OFFSET: usize = 24;
/// Offset of XSTATE_BV, with which the header behind the legacy image begins.
const BV_OFFSET: usize = 512;
/// Bytes of that header.
const HEADER: usize = 64;
/// Power-on MXCSR: all exceptions masked.
const MXCSR_DEFAULT: u32 = 0x1f80;
/// NetBSD's initial x87 control word on amd64.
const FCW_DEFAULT: u16 = 0x037f;
/// The SSE component.
const XSTATE_SSE: u64 = 2;

struct State {
    /// Bytes of a full image.
    size: usize,
    /// XCR0, or 0 where there is no XSAVE.
    features: u64,
    /// Bits that MXCSR may have set.
    mxcsr_mask: u32,
}

static STATE: Local<State> = Local::new(State { size: LEGACY, features: 0, mxcsr_mask: 0xffbf });

fn state() -> &'static State {
    // SAFETY: written once at boot, by `init`.
    unsafe { &*STATE.get() }
}

/// An image in memory that XSAVE and FXSAVE may use.
#[repr(C, align(64))]
struct Image([u8; FPU_AREA_MAX]);

/// Reads what the processor can. The machine has enabled XSAVE and set XCR0 before, if it has them.
pub fn init(has_xsave: bool) {
    let mut image = Image([0; FPU_AREA_MAX]);
    // SAFETY: the image is 64-byte aligned and long enough for FXSAVE.
    unsafe { asm!("fxsave64 [{}]", in(reg) &raw mut image) };
    let mask = u32::from_le_bytes([image.0[28], image.0[29], image.0[30], image.0[31]]);
    let mut found = State { size: LEGACY, features: 0, mxcsr_mask: if mask == 0 { 0xffbf } else { mask } };
    if has_xsave {
        // SAFETY: the caller says that CR4.OSXSAVE is set.
        found.features = unsafe { _xgetbv(0) };
        found.size = (__cpuid_count(0xd, 0).ebx as usize).clamp(LEGACY + 64, FPU_AREA_MAX);
    }
    // SAFETY: boot, one processor, nobody holds a reference.
    unsafe { *STATE.get() = found };
}

/// Saves the processor's vector registers to `area`.
///
/// # Safety
/// `area` is 64-byte aligned and has [`size`] bytes.
pub(crate) unsafe fn save(area: *mut u8) {
    let features = state().features;
    if features == 0 {
        // SAFETY: the caller's promise; 16-byte alignment is enough.
        unsafe { asm!("fxsave64 [{}]", in(reg) area) };
    } else {
        // SAFETY: the caller's promise. The header of a fresh area is zero, or was written by XSAVE, as XRSTOR wants it.
        unsafe {
            asm!("xsave64 [{}]", in(reg) area, in("eax") features as u32, in("edx") (features >> 32) as u32)
        };
    }
}

/// Loads the processor's vector registers from `area`.
///
/// # Safety
/// `area` is as [`save`] left it, or made by [`reset_image`] or checked by [`check`].
pub(crate) unsafe fn load(area: *const u8) {
    let features = state().features;
    if features == 0 {
        // SAFETY: the caller's promise.
        unsafe { asm!("fxrstor64 [{}]", in(reg) area) };
    } else {
        // SAFETY: the caller's promise.
        unsafe {
            asm!("xrstor64 [{}]", in(reg) area, in("eax") features as u32, in("edx") (features >> 32) as u32)
        };
    }
}

/// MXCSR and the x87 control word.
#[derive(Clone, Copy)]
pub(crate) struct Control {
    mxcsr: u32,
    fcw: u16,
}

/// Reads the control words, all that a C call preserves.
pub(crate) fn control() -> Control {
    let mut words = Control { mxcsr: 0, fcw: 0 };
    // SAFETY: both instructions store into our own words.
    unsafe { asm!("stmxcsr [{}]", "fnstcw [{}]", in(reg) &raw mut words.mxcsr, in(reg) &raw mut words.fcw) };
    words
}

/// Loads the control words. Clears the x87 register stack, which is empty at a C call.
pub(crate) fn set_control(words: Control) {
    // SAFETY: the words came from `control`, so no reserved bit of MXCSR is set.
    unsafe {
        asm!("fninit", "ldmxcsr [{}]", "fldcw [{}]", in(reg) &raw const words.mxcsr, in(reg) &raw const words.fcw)
    };
}

/// Writes the state that a new program finds to `area`.
///
/// # Safety
/// `area` has [`size`] bytes.
pub(crate) unsafe fn reset_image(area: *mut u8) {
    // SAFETY: the caller's promise; unaligned stores of plain numbers.
    unsafe {
        area.write_bytes(0, size());
        area.cast::<u16>().write_unaligned(FCW_DEFAULT);
        area.add(MXCSR_OFFSET).cast::<u32>().write_unaligned(MXCSR_DEFAULT);
        if state().features != 0 {
            area.add(BV_OFFSET).cast::<u64>().write_unaligned(XSTATE_SSE | 1);
        }
    }
}

/// Bytes of a full image.
pub fn size() -> usize {
    state().size
}

/// Saves the running thread's state as the application left it into `out`, aligned to 64 bytes and at least [`size`] long. `xmm` is what entry
/// code saved, where it did.
pub(crate) fn save_user(out: &mut [u8], xmm: Option<&[u8; XMM_AREA]>) {
    let out = &mut out[..size()];
    assert!(out.as_ptr().addr().is_multiple_of(64), "the contract of fpu_save");
    if let Some(header) = out.get_mut(BV_OFFSET..BV_OFFSET + HEADER) {
        // XSAVE writes XSTATE_BV alone.
        header.fill(0);
    }
    // SAFETY: aligned and large enough, as was just seen.
    unsafe { save(out.as_mut_ptr()) };
    if let Some(xmm) = xmm {
        out[XMM_OFFSET..XMM_OFFSET + XMM_AREA].copy_from_slice(xmm);
        if state().features != 0 {
            out[BV_OFFSET] |= XSTATE_SSE as u8;
        }
    }
}

/// Loads a state that came from the application: a full image or an FXSAVE image. Returns the xmm registers in it, for entry code's area.
pub(crate) fn restore_user(bytes: &[u8]) -> Option<[u8; XMM_AREA]> {
    if bytes.len() < LEGACY {
        return None;
    }
    let mut image = MaybeUninit::<Image>::uninit();
    let full = bytes.len() >= size();
    let len = if full { size() } else { LEGACY };
    // SAFETY: an image has at least `size()` bytes, and all of these are written here; the rest is not looked at.
    let image = unsafe {
        let start = image.as_mut_ptr().cast::<u8>();
        start.copy_from_nonoverlapping(bytes.as_ptr(), len);
        start.add(len).write_bytes(0, size() - len);
        core::slice::from_raw_parts_mut(start, size())
    };
    let mxcsr = &mut image[MXCSR_OFFSET..MXCSR_OFFSET + 4];
    let clean = u32::from_le_bytes([mxcsr[0], mxcsr[1], mxcsr[2], mxcsr[3]]) & state().mxcsr_mask;
    mxcsr.copy_from_slice(&clean.to_le_bytes());
    if state().features != 0 {
        // XRSTOR faults on components that are not enabled and on any bit of the rest of the header (SDM 1, 13.8).
        let bv = &mut image[BV_OFFSET..BV_OFFSET + 8];
        let present = if full {
            u64::from_le_bytes(bv.try_into().unwrap_or_default()) | XSTATE_SSE
        } else {
            XSTATE_SSE | 1
        };
        bv.copy_from_slice(&(present & state().features).to_le_bytes());
        image[BV_OFFSET + 8..BV_OFFSET + HEADER].fill(0);
    }
    // SAFETY: aligned, and everything that could fault was masked above.
    unsafe { load(image.as_ptr()) };
    image[XMM_OFFSET..XMM_OFFSET + XMM_AREA].try_into().ok()
}
