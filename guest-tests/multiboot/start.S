// The entry of a 32-bit multiboot guest, and the code of its other CPUs.

    .set MAGIC, 0x1badb002
#ifdef OWN_ADDRESSES
    .set FLAGS, 0x10000
#else
    .set FLAGS, 0  // as kvm-unit-tests' images
#endif

    .section .text.start, "ax"
    .balign 4
header:
    .long MAGIC, FLAGS, -(MAGIC + FLAGS)
#ifdef OWN_ADDRESSES
    .long header, header, data_end, bss_end, _start
#endif

    .code32
    .globl _start
_start:
    mov $stack_top, %esp
    push %ebx  // the information
    push %eax  // the magic number
    call guest_main
1:  hlt
    jmp 1b

// A CPU that gets a SIPI with vector 0 finds this at address 0, in real mode. It counts itself and sleeps.
    .text
    .code16
    .globl ap_code, ap_code_end
ap_code:
    cli
    lock incl %cs:(ap_count - ap_code)
1:  hlt
    jmp 1b
    .balign 4
ap_count:
    .long 0
ap_code_end:

    .bss
    .balign 16
    .skip 16384
stack_top:

    .section .note.GNU-stack, "", @progbits
