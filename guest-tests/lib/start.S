// The entry of a guest, on its first CPU and on the others, and its interrupt entry.

    .code64
    .section .text.start, "ax"
    .globl _start
// The first CPU: 64-bit long mode, RSI = boot_params, no stack.
_start:
    cli
    cld
    lea cpu0_stack_top(%rip), %rsp
    xor %ebp, %ebp
    mov %rsi, %rdi
    call guest_start
1:  hlt
    jmp 1b

    .text
    .globl ap_start
// Every other CPU comes here from the trampoline, in long mode. The first CPU has left this CPU's stack in ap_stack,
// and starts the next CPU only after this one has left this code.
ap_start:
    mov $0x18, %eax
    mov %eax, %ss
    mov %eax, %ds
    mov %eax, %es
    mov ap_stack(%rip), %rsp
    xor %ebp, %ebp
    call ap_main
1:  hlt
    jmp 1b

// From real mode to long mode. start_cpus() copies this code to 0x8000, and writes the first CPU's CR3, CR4 and EFER
// after it, so that all CPUs have the same paging mode.
#define AT(label) (label - ap_trampoline + 0x8000)
    .code16
    .globl ap_trampoline, ap_trampoline_end, ap_cr3, ap_cr4, ap_efer
ap_trampoline:
    cli
    xor %ax, %ax
    mov %ax, %ds
    lgdtl AT(trampoline_gdtr)
    mov AT(ap_cr4), %eax
    mov %eax, %cr4
    mov AT(ap_cr3), %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx  // EFER
    rdmsr
    mov AT(ap_efer), %eax
    wrmsr
    mov %cr0, %eax
    or $0x80000001, %eax   // PG, PE: into long mode in one step
    and $0x9fffffff, %eax  // caches on
    mov %eax, %cr0
    ljmpl $0x10, $ap_start
    .balign 8
trampoline_gdt:
    .quad 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff
trampoline_gdtr:
    .word 31
    .long AT(trampoline_gdt)
    .balign 8
ap_cr3:  .quad 0
ap_cr4:  .quad 0
ap_efer: .quad 0
ap_trampoline_end:

    .code64
// One 16-byte entry for each vector. If the processor pushes no error code, the entry pushes a 0 instead.
    .globl interrupt_entries
    .balign 16
interrupt_entries:
    .set vector, 0
    .rept 256
    .balign 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
    push $0
    .endif
    pushq $vector
    jmp interrupt_common
    .set vector, vector + 1
    .endr

// The stack is now a struct interrupt_frame from its `vector` on; push the rest below.
interrupt_common:
    push %rax
    push %rcx
    push %rdx
    push %rbx
    push %rbp
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    cld
    mov %rsp, %rdi
    mov %rsp, %rbp
    and $-16, %rsp
    call handle_interrupt
    mov %rbp, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rbp
    pop %rbx
    pop %rdx
    pop %rcx
    pop %rax
    add $16, %rsp
    iretq

// uint64_t enter_user(function, stack top, TSS's RSP0): runs `function` at CPL 3 with interrupts on. Returns its result
// after it has returned.
    .globl enter_user
enter_user:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdx)       // interrupts at CPL 3 use the stack from here down
    mov %rsp, user_exit_stack(%rip)
    sub $16, %rsi
    lea user_return(%rip), %rax
    mov %rax, 8(%rsi)
    add $8, %rsi
    pushq $0x23            // SS
    pushq %rsi             // RSP
    pushq $0x202           // RFLAGS: IF
    pushq $0x2b            // CS
    pushq %rdi             // RIP
    iretq

// At CPL 3: an instruction that is forbidden here (#GP) is the way out. INT n would be plainer, but not every host's
// KVM supports it.
    .globl user_return
user_return:
    hlt

// leave_user() sends that fault's frame here, on the stack that enter_user() left.
    .globl user_exit
user_exit:
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .bss
    .balign 16
    .skip 16384
cpu0_stack_top:
    .globl user_exit_stack, ap_stack
    .balign 8
user_exit_stack: .skip 8
ap_stack:        .skip 8

    .section .note.GNU-stack, "", @progbits
