/* What an instruction of x86-64 does to the flow of control, by its bytes (Intel SDM 2, appendix A). */
#ifndef VT_LAB_PROFILE_FLOW_H
#define VT_LAB_PROFILE_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vt_flow {
    VT_FLOW_NEXT, /* goes on behind it, but for exceptions */
    VT_FLOW_JUMP, /* may go elsewhere */
    VT_FLOW_CALL,
    VT_FLOW_RETURN,
    VT_FLOW_ENTER,     /* SYSCALL, SYSENTER, INT n, INT3: to the kernel, and back behind it */
    VT_FLOW_LEAVE,     /* SYSRET, SYSEXIT, IRET */
    VT_FLOW_VMRUN,     /* into a guest; AMD APM 3 VMRUN */
    VT_FLOW_UNDEFINED, /* UD0, UD1, UD2 */
    VT_FLOW_RDTSC,     /* goes on behind it */
    VT_FLOW_IO,        /* goes on behind it; whether it may is found out when it is executed */
    VT_FLOW_OVER,      /* VT_FLOW_OVER_CODE */
    VT_FLOW_SURE,      /* always goes on behind it: no exception, no intercept, no memory, no device */
    VT_FLOW_NONE,      /* there is none */
};

/*
 * Says that no batch will follow: a NOP of eight bytes, the last four of them a displacement that no compiler
 * chooses (Intel SDM 2B NOP).
 */
#define VT_FLOW_OVER_CODE ".byte 0x0f, 0x1f, 0x84, 0x00, 0x76, 0x74, 0x6f, 0x6c"

enum vt_flow vt_flow_of(const uint8_t *bytes, size_t size);

/* Goes elsewhere, and is executed for that, or is begun again: no hypervisor does it for its guest. */
static inline bool vt_flow_leads_away(uint8_t flow)
{
    return flow == VT_FLOW_JUMP || flow == VT_FLOW_CALL || flow == VT_FLOW_RETURN || flow == VT_FLOW_LEAVE;
}

#endif
