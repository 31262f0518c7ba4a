# A guest whose first act is to be heard: it writes a byte to the debug console, and then 0 to the
# debug-exit port. The same bytes are 32-bit code, as QEMU enters it by its PVH note, and 64-bit
# code, as vmm enters it.
        .section .note.pvh, "a", @note
        .long   4, 4, 18                # XEN_ELFNOTE_PHYS32_ENTRY: the entry's physical address
        .asciz  "Xen"
        .long   _start

        .text
        .globl  _start
_start:
        .byte   0xb0, 0x21              # mov $'!', %al
        .byte   0xe6, 0xe9              # out %al, $0xe9
        .byte   0xb0, 0x00              # mov $0, %al
        .byte   0xe6, 0xf4              # out %al, $0xf4
1:      .byte   0xf4, 0xeb, 0xfd        # hlt; jmp 1b
