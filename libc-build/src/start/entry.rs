//! The entry itself.

use super::auxv::{self, Auxv};
use super::tls::{self, Template};
use crate::sys;
use crate::thread::Thread;
use core::arch::naked_asm;
use core::ffi::c_void;

/// Where the kernel starts the first LWP of a dynamic program.
///
/// # Safety
/// Called by the kernel only, once.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn rb_libc_start() -> ! {
    naked_asm!(
        "mov r12, rsp",
        "mov r13, rdx",
        "xor ebp, ebp",
        "mov rdi, rsp",
        "and rsp, -16",
        "call {prepare}",
        "mov rsp, r12",
        "mov rdx, r13",
        "jmp rax",
        prepare = sym prepare,
    )
}

/// A program header (elf(5)).
#[repr(C)]
struct Phdr {
    kind: u32,
    flags: u32,
    offset: u64,
    vaddr: u64,
    paddr: u64,
    file_len: u64,
    mem_len: u64,
    align: u64,
}

const PT_TLS: u32 = 7;

/// An indirect function (R_X86_64_IRELATIVE): where the address that the resolver returns is stored.
#[repr(C)]
struct Irelative {
    place: *mut usize,
    resolver: extern "C" fn() -> usize,
}

unsafe extern "C" {
    /// The indirect functions of the program; the linker defines both ends.
    static rb_irelative_start: [Irelative; 0];
    static rb_irelative_end: [Irelative; 0];
}

/// Room for the first thread's storage and block; larger storage is mapped.
#[repr(C, align(64))]
struct Room([u8; 2048]);

static mut ROOM: Room = Room([0; 2048]);

/// Does what has to be done before the program runs; returns its entry.
///
/// # Safety
/// `stack` is the stack as the kernel left it.
unsafe extern "C" fn prepare(stack: *const usize) -> usize {
    // SAFETY: argc, argv with its null, envp with its null, then the vector.
    let vector = unsafe {
        let mut at = stack.add(*stack + 2);
        while *at != 0 {
            at = at.add(1);
        }
        at.add(1)
    };
    auxv::set(vector.cast_mut().cast());
    // SAFETY: the vector is writable and ends with a NULL entry. A program whose crt0 finds AT_BASE 0 takes itself for a static one
    // and applies its relocations once more; so the place of ld.elf_so is this function's.
    unsafe {
        let mut at = vector.cast_mut().cast::<Auxv>();
        while (*at).kind != Auxv::NULL {
            if (*at).kind == Auxv::BASE && (*at).value == 0 {
                (*at).value = rb_libc_start as *const () as usize as u64;
            }
            at = at.add(1);
        }
    }
    let (mut phdr, mut phnum, mut entry) = (0, 0, 0);
    for Auxv { kind, value } in auxv::auxv() {
        match kind {
            Auxv::PHDR => phdr = value as usize,
            Auxv::PHNUM => phnum = value as usize,
            Auxv::ENTRY => entry = value as usize,
            _ => {}
        }
    }
    let headers = core::ptr::with_exposed_provenance::<Phdr>(phdr);
    let mut template = Template::new(0, 0, 0, 1);
    for i in 0..if phdr == 0 { 0 } else { phnum } {
        // SAFETY: the kernel says that there are `phnum` headers.
        let header = unsafe { &*headers.add(i) };
        if header.kind == PT_TLS {
            template = Template::new(
                header.vaddr as usize,
                header.file_len as usize,
                header.mem_len as usize,
                header.align as usize,
            );
        }
    }
    tls::set(template);
    // SAFETY: nothing else runs yet; the memory is fresh and large enough.
    let thread = unsafe { template.place(room(template.space())) };
    // SAFETY: the block was just made and becomes this thread's.
    unsafe {
        sys::_lwp_setprivate(thread.cast());
        (*thread).lwp = sys::_lwp_self();
        resolve();
    }
    guard(vector.addr() as u64);
    entry
}

/// The end of zeroed memory of at least `len` bytes for the first thread.
fn room(len: usize) -> *mut u8 {
    if len <= size_of::<Room>() {
        return (&raw mut ROOM).wrapping_add(1).cast();
    }
    // SAFETY: a fresh mapping touches nothing.
    let map =
        unsafe { sys::mmap(core::ptr::null_mut(), len, sys::PROT_READ_WRITE, sys::MAP_PRIVATE_ANON, -1, 0) };
    if map == sys::MAP_FAILED {
        super::trap();
    }
    map.cast::<u8>().wrapping_add(len)
}

/// Binds the indirect functions.
///
/// # Safety
/// The thread's block is in place: the resolvers are the program's own code.
unsafe fn resolve() {
    let (mut at, end) = (&raw const rb_irelative_start, &raw const rb_irelative_end);
    while at != end {
        // SAFETY: the linker made the entries between its two symbols.
        unsafe {
            let entry = &*at.cast::<Irelative>();
            *entry.place = (entry.resolver)();
        }
        at = at.cast::<Irelative>().wrapping_add(1).cast();
    }
}

/// The value that functions built with a stack protector compare (`-fstack-protector`).
#[unsafe(no_mangle)]
pub static mut __stack_chk_guard: u64 = 0;

/// Makes a stack guard that differs from run to run. Its lowest byte is 0, so that a string function cannot copy it.
///
/// It comes from the time stamp counter and, where the processor has one, its random number generator.
fn guard(seed: u64) {
    let mut value = seed;
    let cpuid = core::arch::x86_64::__cpuid(1);
    if cpuid.ecx & (1 << 30) != 0 {
        let mut random = 0_u64;
        // SAFETY: CPUID says that the instruction is there.
        unsafe { core::arch::asm!("rdrand {}", out(reg) random, options(nomem, nostack)) };
        value ^= random;
    }
    // SAFETY: reading the counter has no conditions.
    value ^= unsafe { core::arch::x86_64::_rdtsc() }.rotate_left(32);
    for _ in 0..2 {
        value = (value ^ (value >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    // SAFETY: no other thread runs yet.
    unsafe { __stack_chk_guard = value & !0xff };
}

/// The first thing that crt0 calls; all is done by then.
#[unsafe(no_mangle)]
pub extern "C" fn _libc_init() {}

/// A function found its stack guard changed: the program's memory is corrupt.
#[unsafe(no_mangle)]
pub extern "C" fn __stack_chk_fail() -> ! {
    const TEXT: &[u8] = b"stack overflow detected; terminated\n";
    // SAFETY: the text is a constant.
    let _ = unsafe { sys::write(2, TEXT.as_ptr().cast::<c_void>(), TEXT.len()) };
    crate::process::abort()
}

const _: () = assert!(size_of::<Thread>() <= 1024);
