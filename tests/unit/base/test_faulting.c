#include "base/faulting.h"
#include "tests/unit/suite.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void execute(enum vt_faulting which)
{
    if (which == VT_FAULTING_CPUID)
        __asm__ volatile("cpuid" : : "a"(0), "c"(0) : "ebx", "edx", "memory");
    else
        __asm__ volatile("rdtsc" : : : "eax", "edx", "memory");
}

/* What becomes of a process that asked for it, as the kernel tells its parent. */
static int try_in_a_process(enum vt_faulting which)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGSEGV, SIG_DFL);
        if (vt_faulting_switch(which, true) != 0)
            _exit(2);
        execute(which);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) == SIGSEGV : WEXITSTATUS(status) == 2 ? -1 : 0;
}

START_TEST(what_is_tried_is_what_a_process_meets)
{
    for (int which = VT_FAULTING_CPUID; which <= VT_FAULTING_TSC; which++) {
        int found = vt_faulting_try((enum vt_faulting)which);

        ck_assert_int_eq(found < 0 ? -1 : found, try_in_a_process((enum vt_faulting)which));
    }
}
END_TEST

static void never(int number)
{
    (void)number;
}

START_TEST(everything_is_as_it_was)
{
    struct sigaction action;
    int before[] = {vt_faulting_is_on(VT_FAULTING_CPUID), vt_faulting_is_on(VT_FAULTING_TSC)};

    signal(SIGSEGV, never);
    for (int which = VT_FAULTING_CPUID; which <= VT_FAULTING_TSC; which++) {
        vt_faulting_try((enum vt_faulting)which);
        ck_assert_int_eq(vt_faulting_is_on((enum vt_faulting)which), before[which]);
        execute((enum vt_faulting)which);
    }
    sigaction(SIGSEGV, NULL, &action);
    signal(SIGSEGV, SIG_DFL);
    ck_assert_ptr_eq(action.sa_handler, never);
}
END_TEST

VT_SUITE(what_is_tried_is_what_a_process_meets, everything_is_as_it_was)
