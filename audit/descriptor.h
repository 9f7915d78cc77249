/*
 * The descriptors this process can see, found with LAR, which never faults in 64-bit mode.
 */
#ifndef VT_AUDIT_DESCRIPTOR_H
#define VT_AUDIT_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

/* Access rights as LAR gives them: bits 8-15 and 20-23 of the descriptor's second half (Intel SDM 2A LAR). */
bool vt_audit_rights(uint16_t selector, uint32_t *rights);

uint16_t vt_audit_code_selector(void);
uint16_t vt_audit_stack_selector(void);

/* A 32-bit code segment of DPL 3, or 0. */
uint16_t vt_audit_find_code32(void);

#endif
