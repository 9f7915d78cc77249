#include "audit/trial.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum {
    SIGNAL_STACK = 64 * 1024,
    LIMIT_SECONDS = 3,
    TIMED = 32, /* executions per round */
    ROUNDS = 3,
    FAR_POINTER = 6, /* bytes of ptr16:32 */
};
static const uint64_t iopl_mask = 0x3000;

/* Of the child alone: a handler is told nothing but the fault. */
static struct vt_audit_run *observed;

uint32_t vt_audit_arena_address(const struct vt_audit_arena *arena, const uint8_t *linked)
{
    return (uint32_t)((uintptr_t)arena->code + vt_audit_code_offset(linked));
}

/* An exception other than a trap is reported at the instruction; INT3 behind it (Intel SDM 3A 6.5). */
static void record_fault(int number, siginfo_t *info, void *ucontext)
{
    const greg_t *registers = ((ucontext_t *)ucontext)->uc_mcontext.gregs;
    if (observed->end == VT_AUDIT_COMPLETED)
        _exit(0);
    observed->signal = number;
    observed->signal_code = info->si_code;
    observed->trap = registers[REG_TRAPNO];
    observed->error = (uint64_t)registers[REG_ERR];
    observed->address = (uint64_t)(uintptr_t)info->si_addr;
    observed->rip = (uint64_t)registers[REG_RIP];
    observed->end = VT_AUDIT_FAULTED;
    _exit(0);
}

static void catch_faults(const struct vt_audit_arena *arena)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
    stack_t stack = {.ss_sp = arena->signal_stack, .ss_size = SIGNAL_STACK};
    struct sigaction action = {.sa_sigaction = record_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigset_t none;

    sigaltstack(&stack, NULL);
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &action, NULL);
    signal(SIGALRM, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A deprivileged guest runs at IOPL 0; a process may have inherited more. */
static void drop_io_privilege(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq\n\tpop %0" : "=r"(flags));
    if (flags & iopl_mask)
        iopl(0);
}

static void enter(const struct vt_audit_arena *arena)
{
    void (*function)(struct vt_audit_frame *);
    uintptr_t address = vt_audit_arena_address(arena, vt_audit_enter);
    memcpy(&function, &address, sizeof function);
    function(&arena->run->frame);
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double time_it(const struct vt_audit_arena *arena)
{
    double best = INFINITY;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ns();
        for (int i = 0; i < TIMED; i++)
            enter(arena);
        best = fmin(best, (now_ns() - start) / TIMED);
    }
    return best;
}

/* Stubs consume their stack and memory: timing runs on what the first execution left, its observation is
 * kept. */
static void time_after(const struct vt_audit_arena *arena)
{
    struct vt_audit_run *run = arena->run;
    struct vt_audit_run first = *run;
    double ns = time_it(arena);
    *run = first;
    run->ns = ns;
}

static void be_child(const struct vt_audit_arena *arena, enum vt_audit_assist assist)
{
    static const struct rlimit no_core = {0, 0};
    struct vt_audit_run *run = observed = arena->run;
    bool assisted = vt_audit_assist_is_switchable(assist);

    setrlimit(RLIMIT_CORE, &no_core);
    catch_faults(arena);
    alarm(LIMIT_SECONDS);
    drop_io_privilege();
    /* Present in this process too, so that a write to it is a protection violation. */
    (void)*(volatile uint8_t *)arena->readonly;
    if (assisted && (run->refusal = -vt_audit_assist_switch(assist, true)) != 0) {
        run->end = VT_AUDIT_REFUSED;
        _exit(0);
    }
    enter(arena);
    run->end = VT_AUDIT_COMPLETED;
    if (assisted)
        vt_audit_assist_switch(assist, false);
    else
        time_after(arena);
    _exit(0);
}

/* The pointer is the end of the instruction, offset first (Intel SDM 2A 2.1.5). */
static void fill_pointer(const struct vt_audit_arena *arena, const struct vt_audit_stub *stub)
{
    if (stub->mode != VT_AUDIT_32_DIRECT)
        return;
    const struct vt_audit_pointer *pointer =
        (const struct vt_audit_pointer *)(const void *)arena->run->memory;
    uint8_t *place = arena->written.writable + vt_audit_code_offset(stub->code) + stub->length - FAR_POINTER;
    memcpy(place, &pointer->offset, sizeof pointer->offset);
    memcpy(place + sizeof pointer->offset, &pointer->selector, sizeof pointer->selector);
}

/* Where SIGCHLD is ignored there is no status to wait for: what the child wrote has to do. */
static void follow(pid_t child, struct vt_audit_run *run)
{
    int status;
    pid_t ended;
    while ((ended = waitpid(child, &status, 0)) < 0 && errno == EINTR)
        ;
    if (ended != child || !WIFSIGNALED(status) || run->end == VT_AUDIT_COMPLETED)
        return;
    run->signal = WTERMSIG(status);
    run->end = run->signal == SIGALRM ? VT_AUDIT_STUCK : VT_AUDIT_KILLED;
}

int vt_audit_trial_run(struct vt_audit_arena *arena, const struct vt_audit_stub *stub,
                       enum vt_audit_assist assist, struct vt_error *error)
{
    fill_pointer(arena, stub);
    pid_t child = fork();
    if (child < 0)
        return vt_error_set(
            error, VT_EXIT_ENVIRONMENT, errno,
            "audit: cannot start a process to try %s in: %s; allow fork and raise the limit of processes",
            stub->text, strerror(errno));
    if (child == 0)
        be_child(arena, assist);
    follow(child, arena->run);
    return 0;
}

void vt_audit_trial_begin(struct vt_audit_arena *arena, const struct vt_audit_stub *stub)
{
    struct vt_audit_run *run = arena->run;
    struct vt_audit_frame *frame = &run->frame;
    uint32_t code = vt_audit_arena_address(arena, stub->code);

    memset(run, 0, sizeof *run);
    run->ns = NAN;
    frame->in[VT_FRAME_RDI] = (uintptr_t)run->memory;
    frame->in[VT_FRAME_RSI] = (uintptr_t)run->memory;
    frame->in[VT_FRAME_RBP] = (uintptr_t)frame;
    frame->in[VT_FRAME_RSP] = (uintptr_t)&run->stack[VT_AUDIT_STACK_TOP];
    frame->target = code;
    frame->far_target = (struct vt_audit_pointer){code, arena->code32_selector, 0};
    frame->back =
        (struct vt_audit_pointer){vt_audit_arena_address(arena, vt_audit_leave), arena->code_selector, 0};
    frame->is_far = stub->mode != VT_AUDIT_64;
}
