/* The core, carried inside a loader. */
    .section .rodata
    .balign 64
    .globl vt_boot_core
    .hidden vt_boot_core
vt_boot_core:
    .incbin "guest/boot/core.bin"

    .section .note.GNU-stack, "", @progbits
