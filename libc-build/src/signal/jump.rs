//! setjmp(3). A jmp_buf is eleven words (machine/setjmp.h): rbx, rbp, r12 to r15, rsp, rip, whether there is a signal mask, and the mask.

use core::arch::global_asm;

/// Defines functions in sections of their own.
macro_rules! functions {
    ($($first:literal $($name:literal)* => $($line:literal)+;)*) => {$(
        global_asm!(
            concat!(".pushsection .text.", $first, ",\"ax\",@progbits"),
            concat!(".globl ", $first),
            concat!(".type ", $first, ",@function"),
            $(concat!(".globl ", $name), concat!(".type ", $name, ",@function"),)*
            concat!($first, ":"),
            $(concat!($name, ":"),)*
            $($line,)+
            concat!(".size ", $first, ", . - ", $first),
            ".popsection",
        );
    )*};
}

functions! {
    "_setjmp" =>
        "mov rdx, [rsp]"
        "mov [rdi], rbx"
        "mov [rdi + 8], rbp"
        "mov [rdi + 16], r12"
        "mov [rdi + 24], r13"
        "mov [rdi + 32], r14"
        "mov [rdi + 40], r15"
        "mov [rdi + 48], rsp"
        "mov [rdi + 56], rdx"
        "mov qword ptr [rdi + 64], 0"
        "xor eax, eax"
        "ret";
    "__setjmp14" "setjmp" =>
        "mov rdx, [rsp]"
        "mov [rdi], rbx"
        "mov [rdi + 8], rbp"
        "mov [rdi + 16], r12"
        "mov [rdi + 24], r13"
        "mov [rdi + 32], r14"
        "mov [rdi + 40], r15"
        "mov [rdi + 48], rsp"
        "mov [rdi + 56], rdx"
        "mov qword ptr [rdi + 64], 1"
        "lea rdx, [rdi + 72]"
        "xor esi, esi"
        "mov edi, 1"
        "sub rsp, 8"
        "call __sigprocmask14"
        "add rsp, 8"
        "xor eax, eax"
        "ret";
    "__sigsetjmp14" "sigsetjmp" =>
        "test esi, esi"
        "je _setjmp"
        "jmp __setjmp14";
    "__longjmp14" "longjmp" "_longjmp" "__siglongjmp14" "siglongjmp" =>
        "cmp qword ptr [rdi + 64], 0"
        "je 2f"
        "push rdi"
        "push rsi"
        "sub rsp, 8"
        "lea rsi, [rdi + 72]"
        "xor edx, edx"
        "mov edi, 3"
        "call __sigprocmask14"
        "add rsp, 8"
        "pop rsi"
        "pop rdi"
        "2:"
        "mov eax, esi"
        "cmp eax, 1"
        "adc eax, 0"
        "mov rbx, [rdi]"
        "mov rbp, [rdi + 8]"
        "mov r12, [rdi + 16]"
        "mov r13, [rdi + 24]"
        "mov r14, [rdi + 32]"
        "mov r15, [rdi + 40]"
        "mov rsp, [rdi + 48]"
        "mov rdx, [rdi + 56]"
        "mov [rsp], rdx"
        "ret";
}
