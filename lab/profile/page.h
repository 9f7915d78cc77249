/*
 * A page by which a machine hands text to the plugin that watches it: it executes the page, and the plugin
 * takes what lies behind the code when the emulator translates that. At a port each byte is a system call of
 * the emulator's.
 */
#ifndef VT_LAB_PROFILE_PAGE_H
#define VT_LAB_PROFILE_PAGE_H

#include <stdint.h>

/* A NOP of eight bytes, the last four of them a displacement that no compiler chooses (Intel SDM 2B NOP), and
 * RET. */
#define VT_PAGE_CODE                                                                                         \
    {                                                                                                        \
        0x0f, 0x1f, 0x84, 0x00, 0x76, 0x74, 0x70, 0x67, 0xc3                                                 \
    }

enum { VT_PAGE = 4096, VT_PAGE_NOP = 8, VT_PAGE_HEAD = 12 };

/* At the beginning of a page. */
struct vt_page {
    uint8_t code[VT_PAGE_NOP + 1], unused;
    uint16_t size;
    char text[VT_PAGE - VT_PAGE_HEAD];
};

_Static_assert(sizeof(struct vt_page) == VT_PAGE, "it is one page");

#endif
