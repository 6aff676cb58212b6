//! The stubs' common tails, and the macro that makes stubs.

use core::arch::global_asm;
use core::sync::atomic::AtomicUsize;

/// The function that acts upon a pending pthread_cancel(3), once one was made in this program; else 0.
///
/// A stub looks here before and after it sleeps; a program that never cancels threads so does not carry the code for it.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".data.rb_cancel_hook")]
pub static rb_cancel_hook: AtomicUsize = AtomicUsize::new(0);

// Sets errno (`Thread::ERRNO_OFFSET`) to edx and returns -1.
global_asm!(
    ".pushsection .text.rb_cerror,\"ax\",@progbits",
    ".globl rb_cerror",
    ".hidden rb_cerror",
    ".type rb_cerror,@function",
    "rb_cerror:",
    "mov fs:[24], edx",
    "mov rax, -1",
    "ret",
    ".size rb_cerror, . - rb_cerror",
    ".popsection",
);

// Makes the call whose entry is in rax, again for as long as it answers ERESTART (-3). Seven words are pushed, so the arguments
// survive; the gate wants no alignment, since it switches stacks.
global_asm!(
    ".pushsection .text.rb_call_restart,\"ax\",@progbits",
    ".globl rb_call_restart",
    ".hidden rb_call_restart",
    ".type rb_call_restart,@function",
    "rb_call_restart:",
    "push rax",
    "push r9",
    "push r8",
    "push rcx",
    "push rdx",
    "push rsi",
    "push rdi",
    "call [rip + rb_gate_word]",
    "test edx, edx",
    "jne 2f",
    "3:",
    "add rsp, 56",
    "ret",
    "2:",
    "cmp edx, -3",
    "jne 4f",
    "pop rdi",
    "pop rsi",
    "pop rdx",
    "pop rcx",
    "pop r8",
    "pop r9",
    "pop rax",
    "jmp rb_call_restart",
    "4:",
    "add rsp, 56",
    "jmp rb_cerror",
    ".size rb_call_restart, . - rb_call_restart",
    ".popsection",
);

// The same for a cancellation point: the hook, if there is one, runs before the call and after one that was interrupted (EINTR, 4).
global_asm!(
    ".pushsection .text.rb_call_cancel,\"ax\",@progbits",
    ".globl rb_call_cancel",
    ".hidden rb_call_cancel",
    ".type rb_call_cancel,@function",
    "rb_call_cancel:",
    "cmp qword ptr [rip + rb_cancel_hook], 0",
    "je 5f",
    "push rax",
    "push r9",
    "push r8",
    "push rcx",
    "push rdx",
    "push rsi",
    "push rdi",
    "call [rip + rb_cancel_hook]",
    "pop rdi",
    "pop rsi",
    "pop rdx",
    "pop rcx",
    "pop r8",
    "pop r9",
    "pop rax",
    "5:",
    "call rb_call_restart",
    "cmp rax, -1",
    "je 6f",
    "ret",
    "6:",
    "cmp dword ptr fs:[24], 4",
    "jne 7f",
    "cmp qword ptr [rip + rb_cancel_hook], 0",
    "je 7f",
    "push rax",
    "call [rip + rb_cancel_hook]",
    "pop rax",
    "mov dword ptr fs:[24], 4",
    "7:",
    "ret",
    ".size rb_call_cancel, . - rb_call_cancel",
    ".popsection",
);

/// Makes stubs: `stubs! { kind: "name" as "alias" = "call", … }`. The system call has the name of the stub unless one is given.
macro_rules! stubs {
    ($kind:ident: $($name:literal $(as $($alias:literal)+)? $(= $call:literal)?),* $(,)?) => {
        $(stubs!(@one $kind $name [$($($alias)+)?] $($call)? );)*
    };
    (@one $kind:ident $name:literal [$($alias:literal)*]) => { stubs!(@one $kind $name [$($alias)*] $name); };
    (@one $kind:ident $name:literal [$($alias:literal)*] $call:literal) => {
        core::arch::global_asm!(
            concat!(".pushsection .text.", $name, ",\"ax\",@progbits"),
            concat!(".globl ", $name),
            concat!(".type ", $name, ",@function"),
            $(concat!(".globl ", $alias), concat!(".type ", $alias, ",@function"),)*
            concat!($name, ":"),
            $(concat!($alias, ":"),)*
            concat!("mov rax, offset sys_", $call),
            stubs!(@tail $kind),
            concat!(".size ", $name, ", . - ", $name),
            ".popsection",
        );
    };
    (@tail fast) => { "call [rip + rb_gate_word]\ntest edx, edx\njne rb_cerror\nret" };
    (@tail restart) => { "jmp rb_call_restart" };
    (@tail cancel) => { "jmp rb_call_cancel" };
    (@tail number) => { "call [rip + rb_gate_word]\ntest edx, edx\ncmovne eax, edx\nret" };
}
pub(super) use stubs;
