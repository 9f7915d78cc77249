#include "bench/engines/trap/assist.h"
#include "base/faulting.h"

#include <sys/prctl.h>
#include <unistd.h>

/* linux/prctl.h of kernels newer than the headers at hand. */
#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

/* RIP is already behind the instruction when the kernel compares it: a call from the last one would be let
 * through. */
static bool switch_syscall(bool on, uintptr_t code_end)
{
    uintptr_t first = code_end + 16;

    return prctl(PR_SET_SYSCALL_USER_DISPATCH, on, on ? first : 0, on ? UINTPTR_MAX - first : 0, 0) == 0;
}

/* Our own way into the kernel must lie above the guest's code, or every call of ours would be caught. */
static bool spares_us(uintptr_t code_end)
{
    return (uintptr_t)&syscall > code_end + 16 && (uintptr_t)&prctl > code_end + 16;
}

uint32_t vt_assist_find(uintptr_t code_end)
{
    uint32_t found = 0;

    if (vt_faulting_try(VT_FAULTING_CPUID) == 1)
        found |= VT_ASSIST_CPUID;
    if (vt_faulting_try(VT_FAULTING_TSC) == 1)
        found |= VT_ASSIST_TSC;
    if (spares_us(code_end) && switch_syscall(true, code_end) && switch_syscall(false, code_end))
        found |= VT_ASSIST_SYSCALL;
    return found;
}

void vt_assist_switch(uint32_t assists, bool on, uintptr_t code_end)
{
    if (assists & VT_ASSIST_CPUID)
        vt_faulting_switch(VT_FAULTING_CPUID, on);
    if (assists & VT_ASSIST_TSC)
        vt_faulting_switch(VT_FAULTING_TSC, on);
    if (assists & VT_ASSIST_SYSCALL)
        switch_syscall(on, code_end);
}
