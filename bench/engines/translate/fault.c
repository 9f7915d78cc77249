/*
 * Faults of translated code. The processor stops precisely; from the host address follow
 * the guest's, and which registers a sequence had put away. What is found goes
 * to the virtual CPU, and the thread leaves translated code as if by an exit.
 */
#include "bench/engines/translate/internal.h"

#include <string.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#define SIGNALS 5
static const int signals[SIGNALS] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};

struct caught {
    struct vt_translate *t;
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

static const struct vt_translate_block *block_at(const struct vt_translate *t, uint32_t host)
{
    const struct vt_translate_block *blocks = t->blocks.items;
    uint32_t low = 0, high = t->blocks.count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (blocks[middle].host <= host)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && host < blocks[low - 1].host_end ? &blocks[low - 1] : NULL;
}

static uint32_t points_end(const struct vt_translate *t, const struct vt_translate_block *block)
{
    uint32_t index = (uint32_t)(block - (const struct vt_translate_block *)t->blocks.items);
    return index + 1 < t->blocks.count ? block[1].first_point : t->points.count;
}

static const struct vt_translate_point *point_at(const struct vt_translate *t,
                                                 const struct vt_translate_block *block, uint32_t host)
{
    const struct vt_translate_point *points = t->points.items;
    uint32_t low = block->first_point, high = points_end(t, block);

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (points[middle].host <= host - block->host)
            low = middle + 1;
        else
            high = middle;
    }
    return low > block->first_point ? &points[low - 1] : NULL;
}

static uint64_t guest_at(const struct vt_translate_block *block, const struct vt_translate_point *point,
                         uint32_t host)
{
    uint32_t advance = point->kind == POINT_COPY ? host - block->host - point->host : 0;
    return block->guest + (uint32_t)point->guest + advance;
}

/* Everything the guest has goes to the virtual CPU; `saved` registers come from where they were put. */
static void take_state(struct vt_translate *t, const greg_t *gregs, unsigned saved)
{
    struct vt_translate_context *context = t->context;

    for (unsigned reg = 0; reg < VT_GPRS; reg++)
        context->vcpu.gpr[reg] = saved >> reg & 1 ? context->save[reg] : (uint64_t)gregs[registers[reg]];
    context->flags_leave = (uint64_t)gregs[REG_EFL];
}

static void unwind(struct vt_translate *t, greg_t *gregs, enum vt_translate_reason reason)
{
    t->context->reason = reason;
    gregs[REG_RIP] = t->stubs.unwind;
    gregs[REG_EFL] &= ~(greg_t)(VT_FLAG_DF | VT_FLAG_AC | VT_FLAG_TF);
}

static bool is_code(const struct vt_translate *t, uint64_t rip)
{
    return rip - (uintptr_t)t->code < t->code_size;
}

/* A jump through a table: a chunk that is not there yet is filled, and the jump tried again. */
static bool take_indirect(struct vt_translate *t, greg_t *gregs, unsigned branch, unsigned saved)
{
    if (gregs[REG_TRAPNO] == 14 && vt_translate_fill_table(t, (uint64_t)gregs[REG_CR2]))
        return true;
    t->context->target = (uint64_t)gregs[registers[branch == BY_MEMORY ? VT_RCX : branch]];
    t->context->index = branch;
    take_state(t, gregs, saved);
    unwind(t, gregs, EXIT_INDIRECT);
    return true;
}

static bool take_fault(struct vt_translate *t, greg_t *gregs, uint64_t guest, unsigned saved)
{
    take_state(t, gregs, saved);
    t->context->vcpu.rip = guest;
    t->trap = (struct vt_translate_trap){
        .vector = (uint8_t)gregs[REG_TRAPNO],
        .error = (uint32_t)gregs[REG_ERR],
        .address = (uint64_t)gregs[REG_CR2],
    };
    unwind(t, gregs, EXIT_FAULT);
    return true;
}

static bool take_point(struct vt_translate *t, greg_t *gregs, uint32_t host)
{
    const struct vt_translate_block *block = block_at(t, host);
    const struct vt_translate_point *point = block ? point_at(t, block, host) : NULL;

    if (!point)
        return false;
    uint64_t guest = guest_at(block, point, host);
    switch ((enum vt_translate_point_kind)point->kind) {
    case POINT_INDIRECT:
        return take_indirect(t, gregs, point->reg, point->saved);
    default:
        return take_fault(t, gregs, guest, point->saved);
    }
}

/* What a jump through the table of `branch` would have read; false: nothing can be read there. */
static bool read_entry(const struct vt_translate *t, const greg_t *gregs, unsigned branch, uint64_t *entry)
{
    uint64_t target = (uint64_t)gregs[registers[branch == BY_MEMORY ? VT_RCX : branch]];
    uint64_t address = target * 8 + (uint64_t)t->table_distance + branch * t->table_size;
    struct iovec from = {(void *)(uintptr_t)address, sizeof *entry}, to = {entry, sizeof *entry};

    return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)sizeof *entry;
}

/*
 * The thread is nowhere: a target so wild that its entry lay beyond the table, in memory of the host's, and
 * led here. The register whose entry says so was the branch's.
 */
static bool take_wild(struct vt_translate *t, greg_t *gregs)
{
    uint64_t rip = (uint64_t)gregs[REG_RIP], entry;

    for (unsigned branch = 0; branch < BRANCHES; branch++) {
        unsigned saved = branch == BY_MEMORY ? 1u << VT_RCX : 0;
        if (branch != VT_RSP && read_entry(t, gregs, branch, &entry) && entry == rip)
            return take_indirect(t, gregs, branch, saved);
    }
    return take_fault(t, gregs, rip, 0);
}

/* False: not the guest's fault. */
static bool take(struct vt_translate *t, greg_t *gregs)
{
    uint64_t rip = (uint64_t)gregs[REG_RIP];

    if (!t->context->inside)
        return false;
    if (!is_code(t, rip))
        return take_wild(t, gregs);
    return take_point(t, gregs, (uint32_t)rip);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    ucontext_t *ucontext = context;

    (void)info;
    if (current.t && take(current.t, ucontext->uc_mcontext.gregs))
        return;
    if (current.t && current.t->fix_fault && current.t->fix_fault(ucontext))
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

void vt_translate_catch(struct vt_translate *t)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t stack = {.ss_sp = t->signal_stack, .ss_size = VT_SIGNAL_STACK};

    sigaltstack(&stack, &current.stack);
    sigfillset(&action.sa_mask);
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &action, &current.previous[i]);
    current.t = t;
    hold_signals();
}

void vt_translate_release(struct vt_translate *t)
{
    (void)t;
    pthread_sigmask(SIG_SETMASK, &current.mask, NULL);
    current.t = NULL;
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &current.previous[i], NULL);
    sigaltstack(&current.stack, NULL);
}

/* Between the stubs and the end of the code the thread is in guest code, and its stack is the guest's. */
void vt_translate_stop(struct vt_translate *t, void *ucontext)
{
    greg_t *gregs = ((ucontext_t *)ucontext)->uc_mcontext.gregs;
    uint64_t rip = (uint64_t)gregs[REG_RIP];

    t->stop = 1;
    if (!is_code(t, rip) || rip < (uintptr_t)t->code + t->after_stubs)
        return;
    const struct vt_translate_block *block = block_at(t, (uint32_t)rip);
    const struct vt_translate_point *point = block ? point_at(t, block, (uint32_t)rip) : NULL;
    take_state(t, gregs, point ? point->saved : 0);
    t->context->vcpu.rip = point ? guest_at(block, point, (uint32_t)rip) : 0;
    unwind(t, gregs, EXIT_STOP);
}
