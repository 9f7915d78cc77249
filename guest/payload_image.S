/* The payload's flat image, carried inside the program: the product is one file. */
    .section .rodata
    .balign 4096
    .globl vt_payload_image, vt_payload_image_end
vt_payload_image:
    .incbin "guest/payload.bin"
vt_payload_image_end:
    .section .note.GNU-stack, "", @progbits
