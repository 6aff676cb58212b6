# An image that only prints one line and ends QEMU: what the firmware, the multiboot loader and QEMU itself take.
# It is made with `gcc -c` and `rust-lld`, at 1 MiB; the header is multiboot 1's, with the load addresses in it, as in our images.
    .code32
    .text
    .globl start
header:
    .long 0x1badb002
    .long 0x00010000
    .long -(0x1badb002 + 0x00010000)
    .long header
    .long header
    .long end
    .long end
    .long start
start:
    mov $line, %esi
    mov $0x3f8, %edx
    cld
next:
    lodsb
    test %al, %al
    jz done
    outb %al, %dx
    jmp next
done:
    xor %eax, %eax
    mov $0xf4, %edx
    outb %al, %dx
halt:
    hlt
    jmp halt
line:
    .asciz "floor\r\n"
    .balign 4
end:
