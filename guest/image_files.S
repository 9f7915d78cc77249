/* The images that boot by themselves, carried inside the program. */
    .section .rodata
    .balign 64
    .globl vt_image_pvh, vt_image_pvh_end
vt_image_pvh:
    .incbin "guest/image-pvh.elf"
vt_image_pvh_end:
    .balign 64
    .globl vt_image_xenpv, vt_image_xenpv_end
vt_image_xenpv:
    .incbin "guest/image-xenpv.elf"
vt_image_xenpv_end:

    .balign 64
    .globl vt_boot_pc_file, vt_boot_pc_file_end
vt_boot_pc_file:
    .incbin "guest/boot/pc.elf"
vt_boot_pc_file_end:
    .balign 64
    .globl vt_boot_efi_file, vt_boot_efi_file_end
vt_boot_efi_file:
    .incbin "guest/boot/vmtoll.efi"
vt_boot_efi_file_end:

    .section .note.GNU-stack, "", @progbits
