#include "bench/engines/trap/bare.h"

#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

#define TRAPS 40

/* CLI is one byte long and faults at ring 3. A hypervisor below that looks at the instruction may take longer
 * for another: this one is a case, too. */
static void step_over(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 1;
}

double vt_trap_bare(void)
{
    struct sigaction action = {.sa_sigaction = step_over, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER},
                     previous;

    sigaction(SIGSEGV, &action, &previous);
    uint64_t start = __builtin_ia32_rdtsc();
    for (int i = 0; i < TRAPS; i++)
        __asm__ volatile("cli" : : : "memory");
    uint64_t end = __builtin_ia32_rdtsc();
    sigaction(SIGSEGV, &previous, NULL);
    return (double)(end - start) / TRAPS;
}
