/*
 * The descriptors this process can see, found with LAR, which never faults in 64-bit mode.
 */
#ifndef VT_AUDIT_DESCRIPTOR_H
#define VT_AUDIT_DESCRIPTOR_H

#include <stdint.h>

uint16_t vt_audit_code_selector(void);
uint16_t vt_audit_stack_selector(void);

/* A 32-bit code segment of DPL 3, or 0. */
uint16_t vt_audit_find_code32(void);

#endif
