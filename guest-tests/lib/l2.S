// The code that runs in L2, copied to its address 0x5000. See l2.h.

    .code64
    .section .rodata
    .globl l2_code, l2_code_end
l2_code:
    mov $0x7ff0, %esp
    mov 0x6000, %rbx
    mov 0x203000, %rbp
    movabs $0x78637220324c, %rcx  // "L2 rcx"
    movabs $0x69737220324c, %rsi  // "L2 rsi"
    movabs $0x69647220324c, %rdi  // "L2 rdi"
    movabs $0x387220324c, %r8  // "L2 r8"
    movabs $0x397220324c, %r9  // "L2 r9"
    movabs $0x30317220324c, %r10  // "L2 r10"
    movabs $0x31317220324c, %r11  // "L2 r11"
    movabs $0x32317220324c, %r12  // "L2 r12"
    movabs $0x33317220324c, %r13  // "L2 r13"
    movabs $0x34317220324c, %r14  // "L2 r14"
    movabs $0x35317220324c, %r15  // "L2 r15"
    cmpl $1, 0x6008
    je 1f
    ja 2f
    mov $0x505, %edx
    mov $1, %eax
    jmp l2_panic
1:  vmcall
    jmp 1b
2:  vmmcall
    jmp 2b
    .org l2_code + 0xff
l2_panic:
    out %al, %dx
3:  hlt
    jmp 3b
l2_code_end:

    .section .note.GNU-stack, "", @progbits
