// A whole guest for a bare PC: a BIOS loads it from a CD to 0x7c00 ("no emulation" boot of El Torito). Brings the
// processor into long mode and the guest's image to 1 MiB, and enters it in the same state as vmm: RSI = boot_params,
// CS 0x10, other segments 0x18.

#define TABLES 0x70000       // three page tables, then boot_params
#define BOOT_PARAMS 0x73000  // all zeros: no command line, no memory map
#define GUEST 0x100000
#define GUEST_ROOM 0x700000  // the image and its .bss

    .code16
    .section .text
    .globl _start
_start:
    cli
    cld
    ljmp $0, $1f
1:  xor %ax, %ax
    mov %ax, %ds
    in $0x92, %al            // A20
    or $2, %al
    and $0xfe, %al
    out %al, $0x92
    lgdtl gdtr
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $0x08, $protected_mode

    .code32
protected_mode:
    mov $0x18, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss

    xor %eax, %eax
    mov $TABLES, %edi
    mov $0x4000 / 4, %ecx
    rep stosl
    mov $GUEST, %edi
    mov $GUEST_ROOM / 4, %ecx
    rep stosl
    mov $image, %esi
    mov $GUEST, %edi
    mov $image_end - image, %ecx
    rep movsb

    // Maps the first GiB one to one.
    movl $TABLES + 0x1000 + 3, TABLES
    movl $TABLES + 0x2000 + 3, TABLES + 0x1000
    mov $TABLES + 0x2000, %edi
    mov $0x83, %eax
    mov $512, %ecx
1:  mov %eax, (%edi)
    add $8, %edi
    add $0x200000, %eax
    loop 1b

    // The first serial port: 115200 baud, 8 bits. The guest prints to it.
    mov $0x3fb, %edx
    mov $0x80, %al
    out %al, %dx
    mov $0x3f8, %edx
    mov $1, %al
    out %al, %dx
    inc %edx
    xor %eax, %eax
    out %al, %dx
    mov $0x3fb, %edx
    mov $3, %al
    out %al, %dx

    mov %cr4, %eax
    or $0x20, %eax           // PAE
    mov %eax, %cr4
    mov $TABLES, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx    // EFER.LME
    rdmsr
    or $0x100, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80000000, %eax
    and $0x9fffffff, %eax    // caches on
    mov %eax, %cr0
    ljmp $0x10, $long_mode

    .code64
long_mode:
    mov $BOOT_PARAMS, %esi
    mov $GUEST, %eax
    jmp *%rax

    .balign 8
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00af9b000000ffff, 0x00cf93000000ffff
gdtr:
    .word 31
    .long gdt

    .balign 16
image:
    .incbin GUEST_IMAGE
image_end:

    .section .note.GNU-stack, "", @progbits
