/*
 * A stub: one instruction as machine code, with its text. The code of all stubs is
 * one position-independent block that is copied below 4 GiB before it runs.
 */
#ifndef VT_AUDIT_STUB_H
#define VT_AUDIT_STUB_H

#include <stddef.h>
#include <stdint.h>

/* stubs.S knows these by number. */
enum vt_audit_mode {
    VT_AUDIT_64 = 0,
    VT_AUDIT_32 = 1,        /* compatibility mode */
    VT_AUDIT_32_DIRECT = 2, /* the same, and the instruction ends in a far pointer to be filled in */
};

struct vt_audit_stub {
    const uint8_t *code; /* in the block as linked */
    const char *text;    /* assembler text of the instruction */
    uint32_t length;     /* of the instruction, in bytes */
    uint32_t mode;       /* enum vt_audit_mode */
};

/* The block. */
extern const uint8_t vt_audit_code_start[] __asm__("__start_vt_audit");
extern const uint8_t vt_audit_code_end[] __asm__("__stop_vt_audit");

/* Where a part of the block lies in it; of its end, the size of the block. */
static inline size_t vt_audit_code_offset(const uint8_t *linked)
{
    return (uintptr_t)linked - (uintptr_t)vt_audit_code_start;
}

/* Within it: void enter(struct vt_audit_frame *), and where stubs of either mode return to it. */
extern const uint8_t vt_audit_enter[];
extern const uint8_t vt_audit_leave[];
extern const uint8_t vt_audit_leave32[];

#endif
