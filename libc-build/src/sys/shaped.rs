//! System calls whose C function differs from the call: a padding word, a second value, a result that is an error number.
//!
//! The kernel's argument lists (sys/syscall.h) have an `int` before each 64-bit offset, for machines that want pairs of registers aligned.

use super::stub::stubs;
use core::arch::global_asm;

// These return the error number instead of setting errno.
stubs! { number: "posix_spawn" }

/// Makes stubs with instructions before the call: `name "instructions" "tail"`.
macro_rules! shaped {
    ($($name:literal [$($alias:literal)*] $call:literal $kind:ident: $($instruction:literal)+;)*) => {$(
        global_asm!(
            concat!(".pushsection .text.", $name, ",\"ax\",@progbits"),
            concat!(".globl ", $name),
            concat!(".type ", $name, ",@function"),
            $(concat!(".globl ", $alias), concat!(".type ", $alias, ",@function"),)*
            concat!($name, ":"),
            $(concat!($alias, ":"),)*
            $($instruction,)+
            concat!("mov rax, offset sys_", $call),
            stubs!(@tail $kind),
            concat!(".size ", $name, ", . - ", $name),
            ".popsection",
        );
    )*};
}

shaped! {
    "pread" ["_pread" "_sys_pread"] "pread" cancel: "mov r8, rcx";
    "pwrite" ["_pwrite" "_sys_pwrite"] "pwrite" cancel: "mov r8, rcx";
    "preadv" [] "preadv" cancel: "mov r8, rcx";
    "pwritev" [] "pwritev" cancel: "mov r8, rcx";
    "mknodat" [] "mknodat" restart: "mov r8, rcx";
    "lseek" ["_lseek"] "lseek" fast: "mov rcx, rdx" "mov rdx, rsi";
    "truncate" ["_truncate"] "truncate" restart: "mov rdx, rsi";
    "ftruncate" ["_ftruncate"] "ftruncate" restart: "mov rdx, rsi";
    "fdiscard" [] "fdiscard" restart: "mov rcx, rdx" "mov rdx, rsi";
    "posix_fallocate" ["__posix_fallocate"] "posix_fallocate" number: "mov rcx, rdx" "mov rdx, rsi";
    "posix_fadvise" ["__posix_fadvise50"] "__posix_fadvise50" number: "mov r8, rcx" "mov rcx, rdx" "mov rdx, rsi";
    "clock_nanosleep" ["_clock_nanosleep" "_sys_clock_nanosleep"] "clock_nanosleep" number: "";
}

// mmap(2): seven words, the seventh on the stack above the return address.
global_asm!(
    ".pushsection .text.mmap,\"ax\",@progbits",
    ".globl mmap",
    ".globl _mmap",
    ".type mmap,@function",
    ".type _mmap,@function",
    "mmap:",
    "_mmap:",
    "push r9",
    "mov rax, offset sys_mmap",
    "call [rip + rb_gate_word]",
    "pop rcx",
    "test edx, edx",
    "jne rb_cerror",
    "ret",
    ".size mmap, . - mmap",
    ".popsection",
);

// pipe(2): two values.
global_asm!(
    ".pushsection .text.pipe,\"ax\",@progbits",
    ".globl pipe",
    ".globl _pipe",
    ".type pipe,@function",
    ".type _pipe,@function",
    "pipe:",
    "_pipe:",
    "push rdi",
    "mov rax, offset sys_pipe",
    "call [rip + rb_gate_word]",
    "pop rdi",
    "test edx, edx",
    "jne rb_cerror",
    "shr rdx, 32",
    "mov [rdi], eax",
    "mov [rdi + 4], edx",
    "xor eax, eax",
    "ret",
    ".size pipe, . - pipe",
    ".popsection",
);

// fork(2), vfork(2): the second value is 1 in the child.
macro_rules! forks {
    ($($name:literal [$($alias:literal)*] $call:literal;)*) => {$(
        global_asm!(
            concat!(".pushsection .text.", $name, ",\"ax\",@progbits"),
            concat!(".globl ", $name),
            concat!(".type ", $name, ",@function"),
            $(concat!(".globl ", $alias), concat!(".type ", $alias, ",@function"),)*
            concat!($name, ":"),
            $(concat!($alias, ":"),)*
            concat!("mov rax, offset sys_", $call),
            "call [rip + rb_gate_word]",
            "test edx, edx",
            "jne rb_cerror",
            "shr rdx, 32",
            "dec edx",
            "jne 2f",
            "xor eax, eax",
            "2:",
            "ret",
            concat!(".size ", $name, ", . - ", $name),
            ".popsection",
        );
    )*};
}

forks! {
    "__fork" ["_fork"] "fork";
    "__vfork14" ["vfork"] "__vfork14";
}

// syscall(2), __syscall(2): the number is known only now, so the `syscall` instruction makes the call. Number 0 is the indirect call: the kernel
// takes the arguments from one register further on, and those after the fifth from the stack if the call has them. To read them here
// would fault where the stack ends above the caller's frame.
macro_rules! indirect {
    ($name:literal [$($alias:literal)*] $($mark:literal)?) => {
        global_asm!(
            concat!(".pushsection .text.", $name, ",\"ax\",@progbits"),
            concat!(".globl ", $name),
            concat!(".type ", $name, ",@function"),
            $(concat!(".globl ", $alias), concat!(".type ", $alias, ",@function"),)*
            concat!($name, ":"),
            $(concat!($alias, ":"),)*
            "xor eax, eax",
            "mov r10, rcx",
            "syscall",
            "mov edx, eax",
            "jc rb_cerror",
            "ret",
            $(concat!(".reloc ., R_X86_64_NONE, ", $mark),)?
            concat!(".size ", $name, ", . - ", $name),
            ".popsection",
        );
    };
}

// The reference to the table tells the image's linker that calls are made by number, so that it brings them all. The start-up code of every
// program imports `__syscall`, to write a message; so that name reaches those calls only that are in the image for other reasons.
indirect! { "syscall" ["_syscall"] "rb_sysent" }
indirect! { "__syscall" [] }

// _exit(2).
global_asm!(
    ".pushsection .text._exit,\"ax\",@progbits",
    ".globl _exit",
    ".globl _Exit",
    ".type _exit,@function",
    ".type _Exit,@function",
    "_exit:",
    "_Exit:",
    "mov rax, offset sys_exit",
    "call [rip + rb_gate_word]",
    "ud2",
    ".size _exit, . - _exit",
    ".popsection",
);

// The kernel takes the address of semctl(2)'s union, whose value is the fourth argument.
global_asm!(
    ".pushsection .text.____semctl50,\"ax\",@progbits",
    ".globl ____semctl50",
    ".globl __semctl50",
    ".type ____semctl50,@function",
    ".type __semctl50,@function",
    "____semctl50:",
    "__semctl50:",
    "push rcx",
    "mov rcx, rsp",
    "mov rax, offset sys_____semctl50",
    "call [rip + rb_gate_word]",
    "pop rcx",
    "test edx, edx",
    "jne rb_cerror",
    "ret",
    ".size ____semctl50, . - ____semctl50",
    ".popsection",
);
