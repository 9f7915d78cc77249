/* A process hears of its faults by signals. */
#include "translate/process/parts.h"

#include <signal.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define SIGNALS 5
static const int signals[SIGNALS] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};

struct caught {
    struct vt_translate_process *process;
    struct sigaction previous[SIGNALS];
    stack_t stack;
    sigset_t mask;
};

/* A handler has no argument of ours: what this thread runs. */
static _Thread_local struct caught current;

static const int registers[VT_GPRS] = {
    [VT_RAX] = REG_RAX, [VT_RCX] = REG_RCX, [VT_RDX] = REG_RDX, [VT_RBX] = REG_RBX,
    [VT_RSP] = REG_RSP, [VT_RBP] = REG_RBP, [VT_RSI] = REG_RSI, [VT_RDI] = REG_RDI,
    [VT_R8] = REG_R8,   [VT_R9] = REG_R9,   [VT_R10] = REG_R10, [VT_R11] = REG_R11,
    [VT_R12] = REG_R12, [VT_R13] = REG_R13, [VT_R14] = REG_R14, [VT_R15] = REG_R15,
};

bool vt_process_peek(const struct vt_translate *t, uint64_t address, uint64_t *value)
{
    struct iovec from = {(void *)(uintptr_t)address, sizeof *value}, to = {value, sizeof *value};

    (void)t;
    return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)sizeof *value;
}

/* The machine as the signal found it; `gpr` has room for all registers. */
static struct vt_translate_machine machine_of(const greg_t *gregs, uint64_t *gpr)
{
    for (unsigned reg = 0; reg < VT_GPRS; reg++)
        gpr[reg] = (uint64_t)gregs[registers[reg]];
    return (struct vt_translate_machine){
        .gpr = gpr,
        .rip = (uint64_t)gregs[REG_RIP],
        .flags = (uint64_t)gregs[REG_EFL],
        .vector = (uint8_t)gregs[REG_TRAPNO],
        .error = (uint32_t)gregs[REG_ERR],
        .address = (uint64_t)gregs[REG_CR2],
    };
}

static void go_on(greg_t *gregs, const struct vt_translate_machine *machine)
{
    gregs[REG_RIP] = (greg_t)machine->rip;
    gregs[REG_EFL] = (greg_t)machine->flags;
}

static bool take(struct vt_translate *t, greg_t *gregs)
{
    uint64_t gpr[VT_GPRS];
    struct vt_translate_machine machine = machine_of(gregs, gpr);

    if (!vt_translate_take(t, &machine))
        return false;
    go_on(gregs, &machine);
    return true;
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    ucontext_t *ucontext = context;
    struct vt_translate_process *process = current.process;

    (void)info;
    if (process && take(&process->t, ucontext->uc_mcontext.gregs))
        return;
    if (process && process->fix_fault && process->fix_fault(ucontext))
        return;
    signal(number, SIG_DFL); /* ours: let it take its course */
}

/* A handler that is not made for it must not run on a guest's stack: standard signals wait. */
static void hold_signals(void)
{
    sigset_t held;

    sigemptyset(&held);
    for (int number = 1; number < 32; number++)
        sigaddset(&held, number);
    for (int i = 0; i < SIGNALS; i++)
        sigdelset(&held, signals[i]);
    pthread_sigmask(SIG_BLOCK, &held, &current.mask);
}

void vt_process_catch(struct vt_translate_process *process)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t stack = {.ss_sp = process->signal_stack, .ss_size = VT_SIGNAL_STACK};

    sigaltstack(&stack, &current.stack);
    sigfillset(&action.sa_mask);
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &action, &current.previous[i]);
    current.process = process;
    hold_signals();
}

void vt_process_release(void)
{
    pthread_sigmask(SIG_SETMASK, &current.mask, NULL);
    current.process = NULL;
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &current.previous[i], NULL);
    sigaltstack(&current.stack, NULL);
}

void vt_translate_stop(struct vt_translate *t, void *ucontext)
{
    greg_t *gregs = ((ucontext_t *)ucontext)->uc_mcontext.gregs;
    uint64_t gpr[VT_GPRS];
    struct vt_translate_machine machine = machine_of(gregs, gpr);

    vt_translate_interrupt(t, &machine);
    go_on(gregs, &machine);
}
