// A program that keeps a name in each general register forever: if a dump puts a register in another's place, it reads
// as the wrong word. RSP is left to Linux.
    .intel_syntax noprefix
    .globl _start
_start:
    movabs rax, 0x2020202020786172  // "rax     "
    movabs rbx, 0x2020202020786272
    movabs rcx, 0x2020202020786372
    movabs rdx, 0x2020202020786472
    movabs rsi, 0x2020202020697372
    movabs rdi, 0x2020202020696472
    movabs rbp, 0x2020202020706272
    movabs r8, 0x2020202020203872
    movabs r9, 0x2020202020203972
    movabs r10, 0x2020202020303172
    movabs r11, 0x2020202020313172
    movabs r12, 0x2020202020323172
    movabs r13, 0x2020202020333172
    movabs r14, 0x2020202020343172
    movabs r15, 0x2020202020353172
1:  jmp 1b
    .section .note.GNU-stack, "", @progbits
