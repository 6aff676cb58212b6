//! C's variable arguments: `va_list`, and how a function that has some is made (System V ABI, AMD64 supplement, 3.5.7).
//!
//! Stable Rust cannot define such a function. A few instructions store the argument registers, make the list and call a function that takes its address.
//! Kernel code formats no floating-point numbers, so vector registers are not stored.

use core::arch::naked_asm;

/// The element of a `va_list`.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct VaList {
    /// Offset of the next general register in the save area, 48 when there are no more.
    gp_offset: u32,
    fp_offset: u32,
    /// The next argument on the stack.
    overflow: *const u64,
    /// Six general registers.
    registers: *const u64,
}

impl VaList {
    /// The next argument, an integer or a pointer.
    ///
    /// # Safety
    /// There is one.
    pub(crate) unsafe fn next(&mut self) -> u64 {
        let at = if self.gp_offset < 48 {
            let at = self.registers.wrapping_byte_add(self.gp_offset as usize);
            self.gp_offset += 8;
            at
        } else {
            let at = self.overflow;
            self.overflow = at.wrapping_add(1);
            at
        };
        // SAFETY: there is an argument (this function's contract), so `at` lies in one of the two areas.
        unsafe { at.read() }
    }
}

/// rumpuser_dprintf: output as printf(3) formats it, to the console.
///
/// The frame: the `va_list` at rsp, the registers at rsp+24, 72 bytes in all, so that the stack is aligned at the call; the arguments on the stack begin at rsp+80.
///
/// # Safety
/// As with printf(3): arguments of the types that the format, a string, announces.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn rumpuser_dprintf() {
    naked_asm!(
        "sub rsp, 72",
        "mov [rsp + 24], rdi",
        "mov [rsp + 32], rsi",
        "mov [rsp + 40], rdx",
        "mov [rsp + 48], rcx",
        "mov [rsp + 56], r8",
        "mov [rsp + 64], r9",
        "mov dword ptr [rsp], 8",
        "mov dword ptr [rsp + 4], 176",
        "lea rax, [rsp + 80]",
        "mov [rsp + 8], rax",
        "lea rax, [rsp + 24]",
        "mov [rsp + 16], rax",
        "mov rsi, rsp",
        "call {print}",
        "add rsp, 72",
        "ret",
        print = sym crate::console::print,
    )
}
