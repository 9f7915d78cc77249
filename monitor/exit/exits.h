/*
 * What an exit comes to on either vendor's hardware: the instruction behind it, and what of the guest's state
 * that shares with the processor.
 *
 * The virtual CPU holds what is intercepted, the control structure what the guest may change itself; each
 * exit moves what its instruction needs. Owns: what that is. Does not own: control structures (svmexits.c,
 * vmxexits.c).
 *
 * What every exit passes through stands here, to be built into either way.
 */
#ifndef VT_MONITOR_EXIT_EXITS_H
#define VT_MONITOR_EXIT_EXITS_H

#include "monitor/monitor.h"
#include "monitor/timer.h"

#define VT_EXIT_REPEATS 16     /* turns of a repeated string instruction */
#define VT_EXIT_LOOK    0x4000 /* exits from one look at the timer to the next */

enum vt_exit_share {
    VT_SHARE_NONE,
    VT_SHARE_CONTROL,  /* control and debug registers */
    VT_SHARE_TABLES,   /* GDTR, IDTR */
    VT_SHARE_REST,     /* LDTR, TR, and the MSRs that the processor keeps */
    VT_SHARE_EXTENDED, /* XCR0 */
};

/* MSRs that are the guest's own in the processor, so that its use of them goes past the monitor. */
static inline bool vt_exit_is_kept(uint32_t msr)
{
    return msr - 0xc0000081 < 4 || msr - 0xc0000100 < 3 || msr - 0x174 < 3;
}

static inline enum vt_exit_share vt_exit_share_of(const struct vt_instruction *instruction)
{
    switch (instruction->operation) {
    case VT_OP_MOV_FROM_CR:
    case VT_OP_MOV_TO_CR:
    case VT_OP_MOV_FROM_DR:
    case VT_OP_MOV_TO_DR:
    case VT_OP_CLTS:
    case VT_OP_LMSW:
    case VT_OP_SMSW:
        return VT_SHARE_CONTROL;
    case VT_OP_LGDT:
    case VT_OP_LIDT:
        return VT_SHARE_TABLES;
    case VT_OP_LLDT:
    case VT_OP_LTR:
        return VT_SHARE_REST;
    case VT_OP_XSETBV:
        return VT_SHARE_EXTENDED;
    case VT_OP_RDMSR:
    case VT_OP_WRMSR:
        return vt_exit_is_kept((uint32_t)vt_monitor.vcpu.gpr[VT_RCX]) ? VT_SHARE_REST : VT_SHARE_NONE;
    default:
        return VT_SHARE_NONE;
    }
}

static inline enum vt_step vt_exit_execute(const struct vt_instruction *instruction)
{
    enum vt_step step = VT_STEP_AGAIN;

    for (unsigned i = 0; i < VT_EXIT_REPEATS && step == VT_STEP_AGAIN; i++)
        step = vt_vcpu_execute(&vt_monitor.vcpu, &vt_monitor.environment, instruction);
    return step;
}

/* A guest that does nothing but leave is seen by the timer's own register, now and then. */
static inline bool vt_exit_is_late(void)
{
    return (vt_monitor.exits & (VT_EXIT_LOOK - 1)) == 0 && vt_timer_is_over();
}

/* The run ends by an exception. */
enum vt_monitor_end vt_exit_fail(unsigned vector);

/* A page of a device's, whose accesses are emulated. */
bool vt_exit_is_device(uint64_t address);

/* Run `inside` with the guest's own XCR0, which no control keeps from it on every processor. */
enum vt_monitor_end vt_exit_with_xcr0(enum vt_monitor_end (*inside)(void));

#endif
