/* The emulator's plugin, carried inside the program. */
    .section .rodata
    .balign 64
    .globl vt_plugin_file, vt_plugin_file_end
vt_plugin_file:
    .incbin "lab/profile/plugin.so"
vt_plugin_file_end:

    .section .note.GNU-stack, "", @progbits
