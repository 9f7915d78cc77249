#include "base/faulting.h"

#include <asm/prctl.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static int cpuid_is_on(void)
{
    long enabled = syscall(SYS_arch_prctl, ARCH_GET_CPUID, 0);
    return enabled < 0 ? -errno : !enabled;
}

static int cpuid_switch(bool on)
{
    return syscall(SYS_arch_prctl, ARCH_SET_CPUID, !on) < 0 ? -errno : 0;
}

/* The handler's mark. */
static uint64_t cpuid_execute(void)
{
    register uint64_t mark __asm__("r8") = 0;
    __asm__ volatile("cpuid" : "+r"(mark) : "a"(0), "c"(0) : "ebx", "edx", "memory");
    return mark;
}

static int tsc_is_on(void)
{
    int mode = 0;
    return prctl(PR_GET_TSC, &mode) < 0 ? -errno : mode == PR_TSC_SIGSEGV;
}

static int tsc_switch(bool on)
{
    return prctl(PR_SET_TSC, on ? PR_TSC_SIGSEGV : PR_TSC_ENABLE) < 0 ? -errno : 0;
}

static uint64_t tsc_execute(void)
{
    register uint64_t mark __asm__("r8") = 0;
    __asm__ volatile("rdtsc" : "+r"(mark) : : "eax", "edx", "memory");
    return mark;
}

static const struct {
    int (*is_on)(void);
    int (*turn)(bool on);
    uint64_t (*execute)(void);
} faults[] = {
    [VT_FAULTING_CPUID] = {cpuid_is_on, cpuid_switch, cpuid_execute},
    [VT_FAULTING_TSC] = {tsc_is_on, tsc_switch, tsc_execute},
};

int vt_faulting_is_on(enum vt_faulting which)
{
    return faults[which].is_on();
}

int vt_faulting_switch(enum vt_faulting which, bool on)
{
    return faults[which].turn(on);
}

/* Each of the instructions is two bytes long. */
static void step_over(int number, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

    (void)number, (void)info;
    registers[REG_RIP] += 2;
    registers[REG_R8] = 1;
}

int vt_faulting_try(enum vt_faulting which)
{
    struct sigaction action = {.sa_sigaction = step_over, .sa_flags = SA_SIGINFO}, previous;
    int was_on = faults[which].is_on(), status;
    uint64_t mark = 0;

    sigaction(SIGSEGV, &action, &previous);
    status = faults[which].turn(true);
    if (status == 0) {
        mark = faults[which].execute();
        faults[which].turn(was_on == 1);
    }
    sigaction(SIGSEGV, &previous, NULL);
    return status != 0 ? status : mark == 1;
}
