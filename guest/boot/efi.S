/*
 * The header of a PE32+ application (Microsoft's PE format; UEFI 2.10, 2.1.1) by hand: two sections whose place in the file is
 * their place in memory (the image is linked at 0), and relocations that relocate nothing, without which firmware would not move it.
 */
    .intel_syntax noprefix

    .section .header, "a", @progbits
dos:
    .ascii "MZ"
    .skip 58
    .long pe
pe:
    .ascii "PE\0\0"
    .short 0x8664                  /* x86-64 */
    .short 3                       /* sections */
    .long 0, 0, 0
    .short sections - optional
    .short 0x0206                  /* executable, no line numbers, no debug information */
optional:
    .short 0x020b                  /* PE32+ */
    .byte 2, 20
    .long vt_efi_text_size
    .long vt_efi_data_size
    .long 0
    .long vt_efi_entry
    .long vt_efi_text
    .quad 0                        /* preferred place */
    .long 0x1000, 0x1000           /* alignment in memory, in the file */
    .short 0, 0, 0, 0, 0, 0
    .long 0
    .long vt_efi_end
    .long vt_efi_text        /* size of headers */
    .long 0
    .short 10                      /* subsystem: EFI application */
    .short 0
    .quad 0, 0, 0, 0
    .long 0
    .long 6                        /* directories */
    .quad 0, 0, 0, 0, 0
    .long vt_efi_reloc
    .long 12
sections:
    .ascii ".text\0\0\0"
    .long vt_efi_text_size, vt_efi_text, vt_efi_text_size, vt_efi_text
    .long 0, 0
    .short 0, 0
    .long 0x60000020               /* code, execute, read */
    .ascii ".data\0\0\0"
    .long vt_efi_data_size, vt_efi_data, vt_efi_data_size, vt_efi_data
    .long 0, 0
    .short 0, 0
    .long 0xc0000040               /* data, read, write */
    .ascii ".reloc\0\0"
    .long 0x1000, vt_efi_reloc, 0x1000, vt_efi_reloc
    .long 0, 0
    .short 0, 0
    .long 0x42000040               /* data, discardable, read */

    .section .reloc, "a", @progbits
    .long vt_efi_text, 12    /* a page, the size of this */
    .short 0, 0                    /* two of no effect */

    .section .note.GNU-stack, "", @progbits
