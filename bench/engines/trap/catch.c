#include "bench/engines/trap/catch.h"

#include "vcpu/decode.h"

#include <asm/prctl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALTERNATE_STACK 65536
#define PAGE            4096

/* asm/hwcap2.h: the kernel lets ring 3 use RDFSBASE and its kin. */
#define HWCAP2_FSGSBASE_BIT 2

static const int caught[VT_TRAP_SIGNALS] = {SIGSEGV, SIGILL, SIGBUS, SIGFPE, SIGTRAP, SIGSYS};

/*
 * A signal handler has no argument of ours. Not thread-local: the guest may have
 * moved the FS base, and with it all thread-local storage.
 */
static struct vt_trap_catcher *volatile current;

/* Nothing that runs before the process's bases are back may look for its thread's storage. */
#define BARE __attribute__((no_stack_protector))

/*
 * Where FS and GS lie. Where programs may not use RDFSBASE and its kin the kernel is asked, which forgets the
 * selector. There a guest that moves a base itself may lose it to another thread.
 */
struct bases {
    uint64_t fs, gs;
    uint16_t fs_selector, gs_selector; /* without RDFSBASE only */
};

static BARE void take_bases(const struct vt_trap_catcher *catcher, struct bases *bases)
{
    if (catcher->has_base_instructions) {
        __asm__ volatile("rdfsbase %0\n\trdgsbase %1" : "=r"(bases->fs), "=r"(bases->gs));
        return;
    }
    __asm__ volatile("mov %%fs, %0\n\tmov %%gs, %1" : "=r"(bases->fs_selector), "=r"(bases->gs_selector));
    syscall(SYS_arch_prctl, ARCH_GET_FS, &bases->fs);
    syscall(SYS_arch_prctl, ARCH_GET_GS, &bases->gs);
}

static BARE void give_bases(const struct vt_trap_catcher *catcher, const struct bases *bases)
{
    if (catcher->has_base_instructions) {
        __asm__ volatile("wrfsbase %0\n\twrgsbase %1" : : "r"(bases->fs), "r"(bases->gs) : "memory");
        return;
    }
    syscall(SYS_arch_prctl, ARCH_SET_FS, bases->fs);
    syscall(SYS_arch_prctl, ARCH_SET_GS, bases->gs);
    if (bases->gs_selector)
        __asm__ volatile("mov %0, %%gs" : : "r"(bases->gs_selector) : "memory");
    if (bases->fs_selector)
        __asm__ volatile("mov %0, %%fs" : : "r"(bases->fs_selector) : "memory");
}

/* ucontext index of each general register, in the order of enum vt_gpr. */
static const uint8_t places[VT_GPRS] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                        REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                        REG_R12, REG_R13, REG_R14, REG_R15};

static void take_registers(struct vt_trap_catcher *catcher, const greg_t *registers)
{
    struct vt_vcpu *vcpu = &catcher->machine->vcpu;

    for (unsigned i = 0; i < VT_GPRS; i++)
        vcpu->gpr[i] = (uint64_t)registers[places[i]];
    vcpu->rip = (uint64_t)registers[REG_RIP];
    vcpu->rflags = ((uint64_t)registers[REG_EFL] & VT_FLAGS_USER) | VT_FLAG_ONE;
}

static void give_registers(const struct vt_trap_catcher *catcher, greg_t *registers)
{
    const struct vt_vcpu *vcpu = &catcher->machine->vcpu;

    for (unsigned i = 0; i < VT_GPRS; i++)
        registers[places[i]] = (greg_t)vcpu->gpr[i];
    registers[REG_RIP] = (greg_t)vcpu->rip;
    registers[REG_EFL] = (greg_t)(vcpu->rflags | VT_FLAG_IF);
}

/* The kernel restores only what the program may have: registers are set so that vt_trap_leave goes on. */
static void end_run(struct vt_trap_catcher *catcher, greg_t *registers, enum vt_trap_end end)
{
    catcher->end = end;
    registers[REG_RIP] = (greg_t)(uintptr_t)vt_trap_leave;
    registers[REG_RSP] = (greg_t)catcher->call.host_rsp;
    registers[REG_EFL] = (greg_t)(VT_FLAG_ONE | VT_FLAG_IF);
}

/* Bytes that may be read at `address`, at least 1, at most 15: up to the end of what is mapped. */
static size_t readable(const struct vt_machine *machine, uint64_t address, uint8_t bytes[15])
{
    uint32_t error;
    size_t here = PAGE - address % PAGE;

    if (here >= 15 &&
        machine->environment.load(machine->environment.context, address, bytes, 15, &error) == VT_ACCESS_DONE)
        return 15;
    for (size_t count = 0; count < 15; count++)
        if (machine->environment.load(machine->environment.context, address + count, bytes + count, 1,
                                      &error) != VT_ACCESS_DONE)
            return count;
    return 15;
}

static const struct vt_instruction *look_up(struct vt_trap_catcher *catcher, uint64_t address)
{
    struct vt_trap_set *set = &catcher->cache[(address ^ address >> 8) % VT_TRAP_CACHE_SETS];
    uint8_t bytes[15];

    for (unsigned i = 0; i < VT_TRAP_CACHE_WAYS; i++)
        if (set->ways[i].address == address)
            return &set->ways[i].instruction;
    struct vt_trap_cached *cached = &set->ways[set->next++ % VT_TRAP_CACHE_WAYS];
    cached->address = address;
    if (vt_vcpu_decode(bytes, readable(catcher->machine, address, bytes), &cached->instruction) != 0)
        cached->instruction = (struct vt_instruction){.operation = VT_OP_UNDEFINED, .length = 1};
    return &cached->instruction;
}

/* The exception the processor raised, as the guest's: at the virtual CPL, which need not be ring 3. */
static enum vt_step reflect(struct vt_trap_catcher *catcher, const greg_t *registers)
{
    struct vt_vcpu *vcpu = &catcher->machine->vcpu;
    uint8_t vector = (uint8_t)registers[REG_TRAPNO];
    uint32_t error = (uint32_t)registers[REG_ERR];

    if (vector == VT_EXCEPTION_PF)
        return vt_vcpu_raise_page_fault(vcpu, (uint64_t)registers[REG_CR2],
                                        vcpu->cpl == 3 ? error : error & ~UINT32_C(4));
    vt_vcpu_raise_error(vcpu, vector, error);
    if (vector == VT_EXCEPTION_BP)
        vcpu->fault.event = VT_EVENT_SOFTWARE;
    if (vector == VT_EXCEPTION_DB) {
        vcpu->fault.event = VT_EVENT_TRAP;
        vcpu->dr[6] |= UINT64_C(1) << 14;
    }
    return VT_STEP_FAULT;
}

static enum vt_step emulate(struct vt_trap_catcher *catcher, const greg_t *registers)
{
    struct vt_machine *machine = catcher->machine;
    const struct vt_instruction *instruction = look_up(catcher, machine->vcpu.rip);
    enum vt_step step;

    do
        step = vt_vcpu_execute(&machine->vcpu, &machine->environment, instruction);
    while (step == VT_STEP_AGAIN && !catcher->expired);
    return step == VT_STEP_UNHANDLED ? reflect(catcher, registers) : step;
}

/* What the guest's instruction comes to. */
static enum vt_step answer(struct vt_trap_catcher *catcher, int number, const greg_t *registers)
{
    if (number == SIGSYS) {
        catcher->machine->vcpu.rip -=
            2; /* INT 80h and SYSCALL are two bytes long; the kernel saw them through */
        return emulate(catcher, registers);
    }
    switch (registers[REG_TRAPNO]) {
    case VT_EXCEPTION_UD:
    case VT_EXCEPTION_GP:
        return emulate(catcher, registers);
    case VT_EXCEPTION_PF:
        if (vt_machine_is_device(catcher->machine, (uint64_t)registers[REG_CR2]))
            return emulate(catcher, registers);
        return reflect(catcher, registers);
    default:
        return reflect(catcher, registers);
    }
}

/* Into the guest's own handler, when it has one. */
static enum vt_step deliver(struct vt_trap_catcher *catcher)
{
    struct vt_machine *machine = catcher->machine;

    if (!vt_machine_has_handler(machine, machine->vcpu.fault.vector))
        return VT_STEP_FAULT;
    return vt_vcpu_deliver(&machine->vcpu, &machine->environment);
}

/*
 * A pending interrupt is taken now. The shadow of STI is kept where it matters, before HLT: that one
 * traps, and the interrupt is looked at again. No innocuous instruction can tell.
 */
static enum vt_step interrupt(struct vt_trap_catcher *catcher)
{
    struct vt_machine *machine = catcher->machine;
    struct vt_vcpu *vcpu = &machine->vcpu;
    enum vt_step step;
    bool taken;

    if (!vcpu->apic.pending || !vcpu->interrupt_flag)
        return VT_STEP_DONE;
    if (vcpu->shadow && look_up(catcher, vcpu->rip)->operation == VT_OP_HLT)
        return VT_STEP_DONE;
    vcpu->shadow = 0;
    step = vt_vcpu_interrupt(vcpu, &machine->environment, &taken);
    catcher->interrupts += taken;
    return step;
}

/* What comes next clears RF at its end (Intel SDM 3B 18.3.1.1), whether it is seen here or not. */
static void resume(struct vt_trap_catcher *catcher, greg_t *registers)
{
    catcher->machine->vcpu.system_flags &= ~VT_FLAG_RF;
    give_registers(catcher, registers);
}

static void serve(struct vt_trap_catcher *catcher, int number, greg_t *registers)
{
    enum vt_step step;

    take_registers(catcher, registers);
    step = answer(catcher, number, registers);
    if (step == VT_STEP_FAULT)
        step = deliver(catcher);
    if (step == VT_STEP_DONE)
        step = interrupt(catcher);
    if (catcher->expired)
        end_run(catcher, registers, VT_TRAP_TIMEOUT);
    else if (step == VT_STEP_DONE)
        resume(catcher, registers);
    else
        end_run(catcher, registers, step == VT_STEP_HALT ? VT_TRAP_HALTED : VT_TRAP_FAULT);
}

/* Only the thread whose guest code runs is on this stack. */
static bool is_ours(const struct vt_trap_catcher *catcher, const void *local)
{
    return catcher && catcher->inside && (uintptr_t)local - (uintptr_t)catcher->stack < ALTERNATE_STACK;
}

static void handle(struct vt_trap_catcher *catcher, int number, siginfo_t *info, ucontext_t *context)
{
    if (number == SIGRTMIN) {
        catcher->expire(number, info, context);
        return;
    }
    if (catcher->depth) {
        if (!vt_machine_fix_access(context))
            signal(number, SIG_DFL);
        return;
    }
    catcher->depth = 1;
    catcher->signals++;
    serve(catcher, number, context->uc_mcontext.gregs);
    catcher->depth = 0;
}

/* The host's FS and GS bases while a handler runs, the guest's afterwards. */
static BARE void on_signal(int number, siginfo_t *info, void *context)
{
    struct vt_trap_catcher *catcher = current;
    struct bases bases = {0};

    if (!is_ours(catcher, &catcher)) {
        /* The watchdog may strike between the guest's end and its own. */
        if (number != SIGRTMIN)
            signal(number, SIG_DFL);
        return;
    }
    take_bases(catcher, &bases);
    give_bases(catcher, &(struct bases){.fs = catcher->host_fs, .gs = catcher->host_gs});
    if (catcher->depth || number == SIGRTMIN) {
        handle(catcher, number, info, context);
    } else {
        struct vt_vcpu *vcpu = &catcher->machine->vcpu;

        vcpu->segment[VT_FS].base = bases.fs;
        vcpu->segment[VT_GS].base = bases.gs;
        handle(catcher, number, info, context);
        bases.fs = vcpu->segment[VT_FS].base;
        bases.gs = vcpu->segment[VT_GS].base;
    }
    give_bases(catcher, &bases);
}

/* The watchdog, which repeats: guest code is ended here and now, a handler at its end, and what has not been
 * entered yet has no host to go back to. */
static void on_expiry(void *context, siginfo_t *info, void *ucontext)
{
    struct vt_trap_catcher *catcher = context;

    (void)info;
    catcher->expired = 1;
    if (catcher->inside && !catcher->depth && catcher->call.host_rsp)
        end_run(catcher, ((ucontext_t *)ucontext)->uc_mcontext.gregs, VT_TRAP_TIMEOUT);
}

static void install(struct vt_trap_catcher *catcher)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    stack_t stack = {.ss_sp = catcher->stack, .ss_size = ALTERNATE_STACK};
    struct sigaction watchdog;

    sigaltstack(&stack, &catcher->previous_stack);
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < VT_TRAP_SIGNALS; i++)
        sigaction(caught[i], &action, &catcher->previous[i]);
    /* The watchdog's handler needs the host's FS base as well. */
    sigaction(SIGRTMIN, NULL, &watchdog);
    catcher->expire = watchdog.sa_sigaction;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGRTMIN, &action, NULL);
}

int vt_trap_open(struct vt_trap_catcher *catcher, struct vt_machine *machine, struct vt_error *error)
{
    int status;

    memset(catcher, 0, sizeof *catcher);
    catcher->machine = machine;
    catcher->has_base_instructions = getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT;
    catcher->stack = malloc(ALTERNATE_STACK);
    if (!catcher->stack)
        return vt_error_memory(error, "engine trap");
    catcher->watchdog.expired = on_expiry;
    catcher->watchdog.context = catcher;
    status = vt_watchdog_open(&catcher->watchdog, error);
    if (status != 0) {
        free(catcher->stack);
        return status;
    }
    install(catcher);
    return 0;
}

void vt_trap_close(struct vt_trap_catcher *catcher)
{
    for (size_t i = 0; i < VT_TRAP_SIGNALS; i++)
        sigaction(caught[i], &catcher->previous[i], NULL);
    vt_watchdog_close(&catcher->watchdog);
    sigaltstack(&catcher->previous_stack, NULL);
    free(catcher->stack);
}

size_t vt_trap_own(const struct vt_trap_catcher *catcher, struct vt_own *own)
{
    own[0] = (struct vt_own){catcher->stack, 0};
    own[1] = (struct vt_own){(const void *)&current, sizeof current};
    return 2;
}

void vt_trap_forget(struct vt_trap_catcher *catcher)
{
    memset(catcher->cache, 0, sizeof catcher->cache);
}

/* Whatever the guest did to FS and GS, this process's bases come first. */
static BARE void go(struct vt_trap_catcher *catcher)
{
    vt_trap_enter(&catcher->call);
    /* Left for good before anything else lies on the stack: the watchdog may strike from here on as well. */
    *(volatile uint64_t *)&catcher->call.host_rsp = 0;
    give_bases(catcher, &(struct bases){.fs = catcher->host_fs, .gs = catcher->host_gs});
    catcher->inside = 0;
}

enum vt_trap_end vt_trap_run(struct vt_trap_catcher *catcher, uint64_t function, const uint64_t arguments[4],
                             uint64_t limit_ns)
{
    struct bases bases = {0};

    take_bases(catcher, &bases);
    catcher->host_fs = bases.fs;
    catcher->host_gs = bases.gs;
    catcher->call =
        (struct vt_trap_call){.guest_rsp = (uintptr_t)catcher->machine->stack_top, .function = function};
    memcpy(catcher->call.arguments, arguments, sizeof catcher->call.arguments);
    catcher->end = VT_TRAP_RETURNED;
    catcher->signals = catcher->interrupts = 0;
    catcher->depth = catcher->expired = 0;
    current = catcher;
    catcher->inside = 1;
    vt_watchdog_arm(&catcher->watchdog, limit_ns);
    go(catcher);
    vt_watchdog_arm(&catcher->watchdog, 0);
    current = NULL;
    return catcher->end;
}
