//! The crash report: registers and a backtrace with function names.
//!
//! The walk follows frame pointers while they make sense. Code built without them gives a scan of the stack instead: words that point behind a call
//! instruction, marked with a question mark, since some may be left over from earlier calls.

use core::fmt::{self, Write};
use core::panic::PanicInfo;

use rump_hypercall::console;
use rump_hypercall::memory::USER_MAX;
use rump_hypercall::user::Trapframe;
use rump_image::SymbolTable;

use crate::cpu::Local;
use crate::{exit, pmap};

/// Lines of a backtrace at most.
const MAX_FRAMES: usize = 48;
/// Stack words that a scan looks at.
const SCAN_WORDS: usize = 512;

static SYMBOLS: Local<&'static [u8]> = Local::new(&[]);

/// Says where the image's symbol table lies.
pub fn set_symbols(bytes: &'static [u8]) {
    // SAFETY: boot, one processor.
    unsafe { *SYMBOLS.get() = bytes };
}

/// Formatted text straight to the console.
pub struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        console::write(text.as_bytes());
        Ok(())
    }
}

/// Reads a word if all of it is mapped.
fn word(addr: usize) -> Option<usize> {
    let aligned = addr.is_multiple_of(8);
    if !aligned || !pmap::is_mapped(addr) {
        return None;
    }
    // SAFETY: an aligned word within one mapped page.
    Some(unsafe { core::ptr::with_exposed_provenance::<usize>(addr).read() })
}

fn byte(addr: usize) -> Option<u8> {
    if !pmap::is_mapped(addr) {
        return None;
    }
    // SAFETY: a mapped byte.
    Some(unsafe { core::ptr::with_exposed_provenance::<u8>(addr).read() })
}

/// Whether a call instruction ends right before `addr` (Intel SDM volume 2, CALL).
fn follows_call(addr: usize) -> bool {
    if !pmap::is_executable(addr.wrapping_sub(1)) || !pmap::is_executable(addr) {
        return false;
    }
    if byte(addr.wrapping_sub(5)) == Some(0xe8) {
        return true;
    }
    (2..=7).any(|len| {
        byte(addr.wrapping_sub(len)) == Some(0xff)
            && byte(addr.wrapping_sub(len) + 1).is_some_and(|modrm| modrm >> 3 & 7 == 2)
    })
}

fn line(number: usize, address: usize, mark: &str) {
    // SAFETY: written at boot only.
    let symbols = SymbolTable::new(unsafe { *SYMBOLS.get() });
    // A return address may be the first byte of the next function; the call is before it.
    let lookup = if number == 0 { address } else { address.wrapping_sub(1) };
    let _ = match symbols.and_then(|table| table.lookup(lookup as u64)) {
        Some((name, offset)) => writeln!(Console, "  #{number:<2} {address:#018x} {name}+{offset:#x}{mark}"),
        None => writeln!(Console, "  #{number:<2} {address:#018x}{mark}"),
    };
}

/// Prints a backtrace from a program counter, a stack pointer and a frame pointer.
pub fn print(rip: usize, rsp: usize, rbp: usize) {
    let _ = writeln!(Console, "backtrace:");
    line(0, rip, "");
    let mut number = 1;
    let (mut frame, mut floor) = (rbp, rsp);
    while number < MAX_FRAMES && frame >= floor {
        let (Some(next), Some(back)) = (word(frame), frame.checked_add(8).and_then(word)) else { break };
        // Start-up code clears the frame pointer: what lies behind the outermost frame is no return address.
        if next == 0 || !follows_call(back) {
            break;
        }
        line(number, back, "");
        number += 1;
        floor = frame + 16;
        frame = next;
    }
    if number > 1 {
        return;
    }
    for index in 0..SCAN_WORDS {
        let Some(value) = rsp.checked_add(index * 8).and_then(word) else { break };
        if number < MAX_FRAMES && follows_call(value) {
            line(number, value, " ?");
            number += 1;
        }
    }
}

/// Prints registers and backtrace of a frame.
pub fn report(reason: &str, frame: &Trapframe) {
    let f = frame;
    let _ = write!(
        Console,
        "\n{reason}\n\
         rip {:016x}  rsp {:016x}  rflags {:016x}  trap {:#x} error {:#x}\n\
         rax {:016x}  rbx {:016x}  rcx {:016x}  rdx {:016x}\n\
         rsi {:016x}  rdi {:016x}  rbp {:016x}  r8  {:016x}\n\
         r9  {:016x}  r10 {:016x}  r11 {:016x}  r12 {:016x}\n\
         r13 {:016x}  r14 {:016x}  r15 {:016x}\n",
        f.rip,
        f.rsp,
        f.rflags,
        f.trapno,
        f.err,
        f.rax,
        f.rbx,
        f.rcx,
        f.rdx,
        f.rsi,
        f.rdi,
        f.rbp,
        f.r8,
        f.r9,
        f.r10,
        f.r11,
        f.r12,
        f.r13,
        f.r14,
        f.r15,
    );
    print(f.rip as usize, f.rsp as usize, f.rbp as usize);
}

/// The kernel panics: says where, and ends the image.
#[inline(never)]
pub fn panicked(info: &PanicInfo<'_>) -> ! {
    let (rsp, rbp): (usize, usize);
    // SAFETY: reads two registers.
    unsafe {
        core::arch::asm!("mov {}, rsp", "mov {}, rbp", out(reg) rsp, out(reg) rbp, options(nomem, nostack, preserves_flags))
    };
    let _ =
        writeln!(Console, "\nrumpbake: the kernel {info}\nThis is a defect of rumpbake, please report it.");
    print(panicked as *const () as usize, rsp, rbp);
    exit::panicked()
}

/// The kernel's own code caused an exception: says where, and ends the image.
pub fn kernel_fault(frame: &Trapframe, address: usize) -> ! {
    report(
        "rumpbake: the kernel itself caused an exception; this is a defect of rumpbake, please report it",
        frame,
    );
    let _ = writeln!(Console, "cr2 {address:#018x}");
    exit::panicked()
}

#[unsafe(export_name = "rb_crash_report")]
fn crash_report(reason: &str, frame: &Trapframe) {
    let from_user = (frame.rip as usize) < USER_MAX;
    report(reason, frame);
    if !from_user {
        let _ = writeln!(Console, "(this is the kernel's own code)");
    }
}
