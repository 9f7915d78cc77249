/*
 * The outer loop: enter translated code, and when it leaves, do what it could not do
 * by itself.
 */
#include "bench/engines/translate/build.h"

#include "vcpu/emulate/emulate.h"

#include <errno.h>
#include <stdlib.h>

#define VECTOR_PF 14
#define VECTOR_SS 12

static int incomplete(struct vt_translate *t, struct vt_error *error)
{
    vt_translate_destroy(t);
    return vt_error_memory(error, "the translator");
}

/* Masked exceptions, all else 0 (Intel SDM 1 13.6). */
void vt_translate_reset_vectors(struct vt_translate *t)
{
    struct vt_translate_context *context = t->context;
    uint16_t control = 0x37f;
    uint32_t mxcsr = 0x1f80;

    memset(context->vector_state, 0, sizeof context->vector_state);
    memcpy(context->vector_state, &control, sizeof control);
    memcpy(context->vector_state + 24, &mxcsr, sizeof mxcsr);
}

int vt_translate_create(struct vt_translate **out, const struct vt_translate_settings *settings,
                        struct vt_error *error)
{
    struct vt_translate *t = calloc(1, sizeof *t);
    if (!t)
        return vt_error_memory(error, "the translator");
    t->memfd = -1;
    t->environment = settings->environment;
    t->fix_fault = settings->fix_fault;
    int status = vt_translate_map(t, settings, error);
    if (status != 0) {
        vt_translate_destroy(t);
        return status;
    }
    t->decoder = vt_translate_new_decoder();
    t->build = malloc(sizeof(struct vt_build));
    t->signal_stack = malloc(VT_SIGNAL_STACK);
    if (!t->decoder || !t->build || !t->signal_stack)
        return incomplete(t, error);
    vt_translate_emit_stubs(t);
    vt_vcpu_reset(&t->context->vcpu);
    vt_translate_reset_vectors(t);
    t->mode = vt_translate_mode(&t->context->vcpu);
    *out = t;
    return 0;
}

void vt_translate_destroy(struct vt_translate *t)
{
    if (!t)
        return;
    vt_translate_unmap(t);
    free(t->decoder);
    free(t->build);
    free(t->signal_stack);
    free(t);
}

struct vt_vcpu *vt_translate_vcpu(struct vt_translate *t)
{
    return &t->context->vcpu;
}

uint8_t *vt_translate_memory(struct vt_translate *t, size_t *size)
{
    *size = t->window_size - PAGE; /* the gate's page is not for the guest */
    return t->window;
}

struct vt_translate_counts vt_translate_counts(const struct vt_translate *t)
{
    struct vt_translate_counts counts = t->counts;
    counts.inline_hits = t->context->hits;
    return counts;
}

void vt_translate_count(struct vt_translate *t, bool on)
{
    if (t->counting != on)
        vt_translate_flush(t);
    t->counting = on;
}

uint64_t vt_translate_mode(const struct vt_vcpu *vcpu)
{
    const uint64_t bits = VT_CR4_TSD | VT_CR4_UMIP | VT_CR4_LA57 | VT_CR4_FSGSBASE | VT_CR4_OSXSAVE |
                          UINT64_C(1) << 22 | VT_CR4_PCE;
    bool general_detect = vcpu->dr[7] >> 13 & 1;
    bool apic = vcpu->msr[VT_MSR_APIC_BASE] & VT_APIC_BASE_ENABLE;

    return (vcpu->cr[4] & bits) | (uint64_t)vcpu->cpl << 32 | (uint64_t)general_detect << 34 |
           (uint64_t)(vcpu->tsc_offset != 0) << 35 | (uint64_t)apic << 36 |
           (uint64_t)vcpu->limits.features << 40;
}

/* Code made for another mode is useless now. */
static void follow_mode(struct vt_translate *t)
{
    uint64_t mode = vt_translate_mode(&t->context->vcpu);

    if (mode == t->mode)
        return;
    t->mode = mode;
    vt_translate_flush(t);
}

/* What a step of the loop decided. */
enum next {
    NEXT_GO_ON, /* find the code at vcpu->rip */
    NEXT_ENTER, /* context->target is set */
    NEXT_FAULT, /* vcpu->fault is to be delivered */
    NEXT_RETURNED,
    NEXT_HALTED,
    NEXT_SHUTDOWN, /* vcpu->fault has no handler */
    NEXT_UNHANDLED,
    NEXT_STOPPED,
};

static const enum vt_translate_end ends[] = {
    [NEXT_RETURNED] = VT_TRANSLATE_RETURNED, [NEXT_HALTED] = VT_TRANSLATE_HALTED,
    [NEXT_SHUTDOWN] = VT_TRANSLATE_FAULT,    [NEXT_UNHANDLED] = VT_TRANSLATE_UNHANDLED,
    [NEXT_STOPPED] = VT_TRANSLATE_STOPPED,
};

static void enter(struct vt_translate *t)
{
    struct vt_translate_context *context = t->context;
    bool backward = context->vcpu.rflags & VT_FLAG_DF;
    uint32_t stub = backward ? t->stubs.enter_backward : t->stubs.enter;

    vt_translate_enter_flags(context);
    ((void (*)(void))(uintptr_t)stub)();
    vt_translate_leave_flags(context);
}

static enum next link_exit(struct vt_translate *t)
{
    struct vt_vcpu *vcpu = &t->context->vcpu;
    struct vt_translate_exit record =
        *(struct vt_translate_exit *)pool_at(&t->exits, t->context->index, sizeof record);
    uint64_t flushes = t->counts.flushes;

    vcpu->rip = record.guest;
    t->counts.chain_misses++;
    uint32_t host = vt_translate_block(t, record.guest);
    if (!host)
        return NEXT_GO_ON;
    if (flushes == t->counts.flushes && record.displacement)
        vt_translate_link(t, record.displacement, host);
    t->context->target = host;
    return NEXT_ENTER;
}

static enum next resolve(struct vt_translate *t, bool stepped)
{
    uint64_t guest = t->context->target;

    t->context->vcpu.rip = guest;
    if (stepped)
        return NEXT_GO_ON;
    t->counts.lookup_misses++;
    uint32_t host = guest == gate_of(t) ? 0 : vt_translate_landing(t, guest, t->context->index);
    if (!host)
        return NEXT_GO_ON;
    t->context->target = host;
    return NEXT_ENTER;
}

static enum next after_step(enum vt_step step)
{
    switch (step) {
    case VT_STEP_DONE:
    case VT_STEP_AGAIN:
        return NEXT_GO_ON;
    case VT_STEP_FAULT:
        return NEXT_FAULT;
    case VT_STEP_HALT:
        return NEXT_HALTED;
    default:
        return NEXT_UNHANDLED;
    }
}

static enum next call_out(struct vt_translate *t)
{
    struct vt_vcpu *vcpu = &t->context->vcpu;
    struct vt_translate_site *site = pool_at(&t->sites, t->context->index, sizeof *site);
    uint64_t before[VT_RDX + 1], flushes = t->counts.flushes;

    memcpy(before, vcpu->gpr, sizeof before);
    vcpu->rip = site->guest;
    t->counts.callouts++;
    enum vt_step step = vt_vcpu_execute(vcpu, t->environment, &site->instruction);
    if (step != VT_STEP_DONE)
        return after_step(step);
    if (site->host && flushes == t->counts.flushes)
        vt_translate_specialize(t, site, before);
    follow_mode(t);
    if (flushes != t->counts.flushes || !site->resume || vcpu->shadow || vcpu->apic.pending ||
        (vcpu->rflags & VT_FLAG_TF) || vcpu->rip != site->guest + site->instruction.length)
        return NEXT_GO_ON;
    t->context->target = site->resume;
    return NEXT_ENTER;
}

/* As the CPU would have reported it to ring 0: the kernel saw a user access. */
static enum next raise_trap(struct vt_translate *t)
{
    struct vt_vcpu *vcpu = &t->context->vcpu;
    const struct vt_translate_trap *trap = &t->trap;

    if (trap->vector == VECTOR_PF)
        vt_vcpu_raise_page_fault(vcpu, trap->address, vcpu->cpl == 3 ? trap->error : trap->error & ~4u);
    else
        vt_vcpu_raise_error(vcpu, trap->vector, trap->error);
    if (trap->vector == 3 || trap->vector == 4 || trap->vector == 1)
        vcpu->fault.event = VT_EVENT_TRAP;
    return NEXT_FAULT;
}

/* A write to a page that holds translated code: forget it, then let that one instruction have its way. */
static bool take_modification(struct vt_translate *t)
{
    const struct vt_translate_trap *trap = &t->trap;

    if (trap->vector != VECTOR_PF || (trap->error & 3) != 3 || !in_window(t, trap->address) ||
        !t->watched[offset_of(t, trap->address) / PAGE])
        return false;
    t->counts.modifications++;
    vt_translate_flush(t);
    t->step = true;
    return true;
}

/* The access of a device's page: from now on that instruction is the emulator's. */
static bool take_device(struct vt_translate *t)
{
    uint64_t rip = t->context->vcpu.rip;
    uint8_t byte;
    uint32_t error;

    if (t->trap.vector != VECTOR_PF || !in_window(t, rip) || in_window(t, t->trap.address) ||
        t->environment->load(t->environment->context, t->trap.address, &byte, 1, &error) != VT_ACCESS_MMIO)
        return false;
    uint32_t offset = offset_of(t, rip);
    if (t->by_emulator[offset / 8] >> (offset % 8) & 1)
        return false;
    t->by_emulator[offset / 8] |= (uint8_t)(1u << offset % 8);
    vt_translate_flush(t);
    return true;
}

static enum next take_trap(struct vt_translate *t)
{
    t->counts.signals++;
    if (take_modification(t) || take_device(t))
        return NEXT_GO_ON;
    return raise_trap(t);
}

static enum next step_done(struct vt_translate *t)
{
    const struct vt_translate_exit *record = pool_at(&t->exits, t->context->index, sizeof *record);
    t->context->vcpu.rip = record->guest;
    return NEXT_GO_ON;
}

static enum next leave_reason(struct vt_translate *t, bool stepped)
{
    switch ((enum vt_translate_reason)t->context->reason) {
    case EXIT_CHAIN:
        return link_exit(t);
    case EXIT_STEP:
        return step_done(t);
    case EXIT_CALLOUT:
        return call_out(t);
    case EXIT_INDIRECT:
        return resolve(t, stepped);
    case EXIT_FAULT:
        return take_trap(t);
    default:
        return NEXT_STOPPED;
    }
}

/* The code at vcpu->rip; where none can be, the fetch is what faults. */
static enum next find(struct vt_translate *t)
{
    struct vt_vcpu *vcpu = &t->context->vcpu;
    uint32_t host = vt_translate_block(t, vcpu->rip);

    if (!host) {
        vt_vcpu_raise_page_fault(vcpu, vcpu->rip, vcpu->cpl == 3 ? 0x14 : 0x10);
        return NEXT_FAULT;
    }
    t->context->target = host;
    return NEXT_ENTER;
}

/*
 * Between instructions. While the shadow of STI or MOV SS holds an interrupt off, and while TF is set, one
 * instruction is translated and run by itself.
 */
static enum next go_on(struct vt_translate *t)
{
    struct vt_vcpu *vcpu = &t->context->vcpu;
    bool taken = false;

    if (vcpu->rip == gate_of(t))
        return NEXT_RETURNED;
    if (vcpu->apic.pending && !vcpu->shadow &&
        vt_vcpu_interrupt(vcpu, t->environment, &taken) == VT_STEP_FAULT)
        return NEXT_FAULT;
    t->counts.interrupts += taken;
    if ((vcpu->apic.pending && vcpu->shadow) || (vcpu->rflags & VT_FLAG_TF))
        t->step = true;
    follow_mode(t);
    return find(t);
}

/* On failure the caller wants to know of the first fault, not of the double fault it led to. */
static enum next deliver(struct vt_translate *t)
{
    struct vt_vcpu *vcpu = &t->context->vcpu;
    struct vt_fault first = vcpu->fault;

    if (vt_vcpu_deliver(vcpu, t->environment) != VT_STEP_FAULT)
        return NEXT_GO_ON;
    vcpu->fault = first;
    return NEXT_SHUTDOWN;
}

static enum next run_code(struct vt_translate *t)
{
    struct vt_vcpu *vcpu = &t->context->vcpu;
    bool stepped = t->step, traced = vcpu->rflags & VT_FLAG_TF;

    vcpu->shadow = 0;
    vcpu->system_flags &= ~VT_FLAG_RF;
    enter(t);
    t->step = false;
    enum next next = leave_reason(t, stepped);
    if (!traced || (t->context->reason != EXIT_STEP && t->context->reason != EXIT_INDIRECT))
        return next;
    vt_vcpu_raise_step(vcpu);
    return NEXT_FAULT;
}

static enum vt_translate_end loop(struct vt_translate *t, uint64_t exits)
{
    enum next next = NEXT_GO_ON;

    for (uint64_t entered = 0; !t->stop;) {
        switch (next) {
        case NEXT_GO_ON:
            next = go_on(t);
            break;
        case NEXT_FAULT:
            next = deliver(t);
            break;
        case NEXT_ENTER:
            if (exits && entered++ == exits)
                return VT_TRANSLATE_FULL;
            next = run_code(t);
            break;
        default:
            return ends[next];
        }
    }
    return VT_TRANSLATE_STOPPED;
}

/* Control words of the host's floating point, which the C ABI preserves. */
struct host_control {
    uint32_t mxcsr;
    uint16_t x87;
};

static struct host_control keep_control(void)
{
    struct host_control control;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(control.mxcsr), "=m"(control.x87));
    return control;
}

static void put_back_control(const struct vt_translate *t, const struct host_control *control)
{
    if (t->context->vectors)
        __asm__ volatile("fninit\n\tldmxcsr %0\n\tfldcw %1" : : "m"(control->mxcsr), "m"(control->x87));
}

/* The frame of the call: a return address that ends the run. False: the stack is not in the window. */
static bool push_gate(struct vt_translate *t)
{
    struct vt_vcpu *vcpu = &t->context->vcpu;
    uint64_t slot = vcpu->gpr[VT_RSP] - 8, gate = gate_of(t);

    if (!in_window(t, slot) || !in_window(t, slot + 7) || t->watched[offset_of(t, slot) / PAGE])
        return false;
    vcpu->gpr[VT_RSP] = slot;
    memcpy((void *)(uintptr_t)slot, &gate, sizeof gate);
    return true;
}

enum vt_translate_end vt_translate_call(struct vt_translate *t, uint64_t function, uint64_t exits)
{
    struct host_control control = keep_control();

    t->stop = 0;
    t->step = false;
    t->context->vcpu.rip = function;
    if (!push_gate(t)) {
        vt_vcpu_raise_error(&t->context->vcpu, VECTOR_SS, 0);
        return VT_TRANSLATE_FAULT;
    }
    vt_translate_catch(t);
    enum vt_translate_end end = loop(t, exits);
    vt_translate_release(t);
    put_back_control(t, &control);
    return end;
}

bool vt_translate_prepare(struct vt_translate *t, uint64_t address)
{
    return vt_translate_block(t, address) != 0;
}

bool vt_translate_load(const struct vt_translate *t, uint64_t address, void *value, unsigned size)
{
    if (!in_window(t, address) || !in_window(t, address + size - 1))
        return false;
    memcpy(value, (const void *)(uintptr_t)address, size);
    return true;
}

bool vt_translate_store(struct vt_translate *t, uint64_t address, const void *value, unsigned size)
{
    if (!in_window(t, address) || !in_window(t, address + size - 1))
        return false;
    if (t->watched[offset_of(t, address) / PAGE] || t->watched[offset_of(t, address + size - 1) / PAGE]) {
        t->counts.modifications++;
        vt_translate_flush(t);
    }
    memcpy((void *)(uintptr_t)address, value, size);
    return true;
}

size_t vt_translate_own(const struct vt_translate *t, struct vt_own *own)
{
    const void *parts[] = {t,          t->build,       t->decoder,     t->signal_stack,
                           t->watched, t->by_emulator, t->table_filled};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        own[i] = (struct vt_own){parts[i], 0};
    return sizeof parts / sizeof parts[0];
}
