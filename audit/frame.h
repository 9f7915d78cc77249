/*
 * What the code that enters and leaves a stub shares with C: registers before and
 * after the instruction, and the way back. Included by the assembler too.
 */
#ifndef VT_AUDIT_FRAME_H
#define VT_AUDIT_FRAME_H

/* Offsets into struct vt_audit_frame. */
#define VT_FRAME_IN             0x00
#define VT_FRAME_OUT            0x40
#define VT_FRAME_OUT_RFLAGS     0x80
#define VT_FRAME_TARGET         0x88
#define VT_FRAME_FAR_TARGET     0x90
#define VT_FRAME_BACK           0x98
#define VT_FRAME_IS_FAR         0xa0
#define VT_FRAME_HOST_RSP       0xa8
#define VT_FRAME_HOST_SELECTORS 0xb0
#define VT_FRAME_HOST_FS_BASE   0xc0

/* Index of a register in `in` and `out`, of a selector in `host_selectors`. */
#define VT_FRAME_RAX 0
#define VT_FRAME_RCX 1
#define VT_FRAME_RDX 2
#define VT_FRAME_RBX 3
#define VT_FRAME_RSP 4
#define VT_FRAME_RBP 5
#define VT_FRAME_RSI 6
#define VT_FRAME_RDI 7
#define VT_FRAME_ES  0
#define VT_FRAME_SS  1
#define VT_FRAME_DS  2
#define VT_FRAME_FS  3
#define VT_FRAME_GS  4

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

/* The operand of a far jump. */
struct vt_audit_pointer {
    uint32_t offset;
    uint16_t selector;
    uint16_t reserved;
};

/* Lies below 4 GiB: 32-bit stubs find it through EBP. */
struct vt_audit_frame {
    uint64_t in[8], out[8];
    uint64_t out_rflags;
    uint64_t target;                    /* of a 64-bit stub */
    struct vt_audit_pointer far_target; /* of a 32-bit stub */
    struct vt_audit_pointer back;       /* from a 32-bit stub */
    uint64_t is_far;
    uint64_t host_rsp;
    uint16_t host_selectors[8];
    uint64_t host_fs_base;
};

_Static_assert(offsetof(struct vt_audit_frame, out) == VT_FRAME_OUT, "the assembler counts on it");
_Static_assert(offsetof(struct vt_audit_frame, out_rflags) == VT_FRAME_OUT_RFLAGS,
               "the assembler counts on it");
_Static_assert(offsetof(struct vt_audit_frame, target) == VT_FRAME_TARGET, "the assembler counts on it");
_Static_assert(offsetof(struct vt_audit_frame, far_target) == VT_FRAME_FAR_TARGET,
               "the assembler counts on it");
_Static_assert(offsetof(struct vt_audit_frame, back) == VT_FRAME_BACK, "the assembler counts on it");
_Static_assert(offsetof(struct vt_audit_frame, is_far) == VT_FRAME_IS_FAR, "the assembler counts on it");
_Static_assert(offsetof(struct vt_audit_frame, host_rsp) == VT_FRAME_HOST_RSP, "the assembler counts on it");
_Static_assert(offsetof(struct vt_audit_frame, host_selectors) == VT_FRAME_HOST_SELECTORS,
               "the assembler counts on it");
_Static_assert(offsetof(struct vt_audit_frame, host_fs_base) == VT_FRAME_HOST_FS_BASE,
               "the assembler counts on it");
#endif

#endif
