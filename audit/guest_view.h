/*
 * The guest kernel whose expectations the audit compares with: a 64-bit kernel that has
 * set up its own tables and executed CLI. Its selectors differ from those of the host on purpose:
 * a guest is free to choose them, and equal numbers would prove nothing.
 */
#ifndef VT_AUDIT_GUEST_VIEW_H
#define VT_AUDIT_GUEST_VIEW_H

#include "guest/abi.h"

#define VT_VIEW_CODE        VT_SEL_CODE0
#define VT_VIEW_DATA        VT_SEL_DATA0
#define VT_VIEW_TSS         0x38
#define VT_VIEW_LDT         0x48
#define VT_VIEW_GDT         VT_GUEST_GDT
#define VT_VIEW_GDT_LIMIT   0x57
#define VT_VIEW_IDT         VT_GUEST_IDT
#define VT_VIEW_IDT_LIMIT   0xfff
#define VT_VIEW_CR0         0x80010033 /* PE MP ET NE WP PG */
#define VT_VIEW_CODE_RIGHTS 0x00a09b00 /* 64-bit code, DPL 0, as LAR shows it */
#define VT_VIEW_CODE_LIMIT  0xffffffff
#define VT_VIEW_XCR0        0x1 /* after reset: Intel SDM 3A 10.1, table 10-1 */
#define VT_VIEW_SOFTWARE    0x80

#define VT_VIEW_TEXT                                                                                         \
    "a 64-bit kernel with CS 0x8, data segments 0x10, TR 0x38, LDTR 0x48, a GDT of 0x58 bytes at 0x18000, "  \
    "an IDT at 0x19000 and CR0 0x80010033, that has executed CLI"

#endif
