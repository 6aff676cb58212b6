//! The application's registers and memory.

/// The registers of interrupted application code, in the order in which the platform's entry code pushes them.
///
/// The platform is amd64 for layer 1's purposes: NetBSD's `mcontext_t` for this port names the same registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
#[expect(missing_docs, reason = "the registers' own names")]
pub struct Trapframe {
    pub rdi: u64,
    pub rsi: u64,
    pub rdx: u64,
    pub r10: u64,
    pub r8: u64,
    pub r9: u64,
    pub rcx: u64,
    pub r11: u64,
    pub rax: u64,
    pub rbx: u64,
    pub rbp: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    /// Exception vector, or [`Trapframe::SYSCALL`].
    pub trapno: u64,
    /// The exception's error code, or 0.
    pub err: u64,
    pub rip: u64,
    pub cs: u64,
    pub rflags: u64,
    pub rsp: u64,
    pub ss: u64,
}

impl Trapframe {
    /// `trapno` of a frame that a system call made.
    pub const SYSCALL: u64 = 0x100;
    /// `trapno` of a frame that an interrupt made.
    pub const INTERRUPT: u64 = 0x101;
}

/// An address that cannot be read or written as asked: EFAULT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault;

/// Size of [`fpu_save`]'s area at most, bytes.
pub const FPU_AREA_MAX: usize = 2816;

unsafe extern "Rust" {
    /// Enters application code with these registers, dropping nothing on the kernel stack; the vector state stays
    /// as it is. `cs`, `ss` and the privileged bits of `rflags` are the platform's own, whatever the frame says.
    /// A pending AST is handled first.
    #[link_name = "rb_user_enter"]
    pub safe fn enter(frame: &Trapframe) -> !;

    /// The registers with which the application entered the kernel, where it did so by an instruction (`syscall`, a fault, an interrupt);
    /// `None` where it called through the gate, or in a thread that runs no application code. Changes take effect on return.
    #[link_name = "rb_user_frame"]
    pub safe fn frame() -> Option<&'static mut Trapframe>;

    /// The stack pointer with which the application entered the kernel. The seventh and later arguments of a system
    /// call lie at this plus 8 (after the return address).
    #[link_name = "rb_user_sp"]
    pub safe fn sp() -> usize;

    /// Sets the base address of the calling thread's `%fs`.
    #[link_name = "rb_set_fsbase"]
    pub safe fn set_fsbase(base: usize);

    /// The base address of the calling thread's `%fs`.
    #[link_name = "rb_fsbase"]
    pub safe fn fsbase() -> usize;

    /// Bytes that [`fpu_save`] writes, 512 to [`FPU_AREA_MAX`].
    #[link_name = "rb_fpu_size"]
    pub safe fn fpu_size() -> usize;

    /// Saves the calling thread's whole vector state as the application left it into `area` (at least [`fpu_size`] bytes,
    /// 64-byte aligned): the first 512 bytes are an FXSAVE image.
    #[link_name = "rb_fpu_save"]
    pub safe fn fpu_save(area: &mut [u8]);

    /// Replaces the calling thread's vector state by `area`: [`fpu_size`] bytes for all of it, 512 bytes for an FXSAVE image (the
    /// rest is then reset). Reserved bits are masked, never a fault.
    #[link_name = "rb_fpu_restore"]
    pub safe fn fpu_restore(area: &[u8]);

    /// Resets the calling thread's vector state to what a new program finds.
    #[link_name = "rb_fpu_reset"]
    pub safe fn fpu_reset();

    /// copyin(9): reads the application's memory.
    #[link_name = "rb_copyin"]
    pub safe fn copyin(src: usize, dst: &mut [u8]) -> Result<(), Fault>;

    /// copyout(9): writes the application's memory.
    #[link_name = "rb_copyout"]
    pub safe fn copyout(src: &[u8], dst: usize) -> Result<(), Fault>;

    /// Zeroes the application's memory.
    #[link_name = "rb_zeroout"]
    pub safe fn zeroout(dst: usize, len: usize) -> Result<(), Fault>;

    /// ucas(9): compares and swaps an aligned 32-bit word of the application; returns the word that was there.
    #[link_name = "rb_ucas32"]
    pub safe fn ucas32(addr: usize, expected: u32, new: u32) -> Result<u32, Fault>;

    /// Has `hook` be asked when code in the application's half that runs as kernel code, a rump kernel's, faults on memory that layer 1 does not map, with the frame and
    /// the address: true if the code is to go on with the frame as it is then. It must not wait. Without it, or if it says false, that is
    /// a fault of the kernel's own.
    #[link_name = "rb_on_foreign_fault"]
    pub safe fn on_foreign_fault(hook: fn(&mut Trapframe, usize) -> bool);

    /// Prints what a debugger would show first, on the console: the reason (a sentence, given), registers, a backtrace with
    /// function names.
    #[link_name = "rb_crash_report"]
    pub safe fn crash_report(reason: &str, frame: &Trapframe);
}
