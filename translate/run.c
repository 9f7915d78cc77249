/*
 * The outer loop: enter translated code, and when it leaves, do what it could not do
 * by itself.
 */
#include "translate/build.h"

#include "vcpu/emulate/emulate.h"

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

void vt_translate_start(struct vt_translate *t)
{
    t->lookup_span = ~UINT64_C(0);
    t->host_of = t->lookup[0];
    vt_translate_emit_stubs(t);
    for (unsigned i = 0; i < 2; i++)
        t->enter[i] =
            t->platform->enter ? t->platform->enter : (void (*)(uint64_t))(uintptr_t)t->stubs.enter[i];
    vt_vcpu_reset(&t->context->vcpu);
    vt_translate_reset_vectors(t);
    t->mode = vt_translate_mode(&t->context->vcpu);
}

struct vt_vcpu *vt_translate_vcpu(struct vt_translate *t)
{
    return &t->context->vcpu;
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

    return (vcpu->cr[4] & bits) | (uint64_t)general_detect << 34 | (uint64_t)(vcpu->tsc_offset != 0) << 35 |
           (uint64_t)apic << 36 | (uint64_t)vcpu->limits.features << 40;
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

    vt_translate_enter_flags(context, t->host_flags);
    t->enter[backward](t->stubs.enter[backward]);
    vt_translate_leave_flags(context);
}

/* The index comes from the context, which a guest may reach that goes wrong. */
static bool is_known(const struct vt_translate_pool *pool, uint32_t index)
{
    return index < pool->count;
}

static enum next link_exit(struct vt_translate *t)
{
    struct vt_vcpu *vcpu = &t->context->vcpu;

    if (!is_known(&t->exits, t->context->index))
        return NEXT_STOPPED;
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

static uint64_t entry_of(const struct vt_translate *t, unsigned branch, uint64_t target)
{
    return target * 8 + branch * t->table_size;
}

/*
 * A target outside the window may have its entry in another register's table, whose miss then takes that
 * register for the branch's. Where it does not lead into the window, it was another: the one whose entry is
 * there. None branches by RSP.
 */
static void correct_branch(struct vt_translate *t)
{
    struct vt_translate_context *context = t->context;
    uint64_t *gpr = context->vcpu.gpr, first = entry_of(t, context->index, (uintptr_t)t->window);

    if (in_window(t, context->target) && context->index != VT_RSP)
        return;
    if (context->index == BY_MEMORY)
        gpr[VT_RCX] = context->target; /* if it is none, nobody put RCX away */
    for (unsigned reg = 0; reg < VT_GPRS; reg++) {
        if (reg == VT_RSP || reg == context->index || entry_of(t, reg, gpr[reg]) - first >= t->table_size)
            continue;
        context->target = gpr[reg];
        context->index = reg;
        return;
    }
    if (context->index == BY_MEMORY) {
        gpr[VT_RCX] = context->save[VT_RCX];
    } else if (entry_of(t, BY_MEMORY, gpr[VT_RCX]) - first < t->table_size) {
        context->target = gpr[VT_RCX];
        context->index = BY_MEMORY;
        gpr[VT_RCX] = context->save[VT_RCX];
    }
}

static enum next resolve(struct vt_translate *t, bool stepped)
{
    if (t->context->index >= BRANCHES)
        return NEXT_STOPPED;
    if (!stepped && !is_program(t) && t->context->reason == EXIT_INDIRECT)
        correct_branch(t);
    uint64_t guest = t->context->target;

    t->context->vcpu.rip = guest;
    if (stepped)
        return NEXT_GO_ON;
    t->counts.lookup_misses++;
    uint32_t host = guest == t->gate ? 0 : vt_translate_landing(t, guest, t->context->index);
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

    if (!is_known(&t->sites, t->context->index))
        return NEXT_STOPPED;
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

    if (trap->vector == VT_EXCEPTION_PF)
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

    if (trap->vector != VT_EXCEPTION_PF || (trap->error & 3) != 3 || !in_window(t, trap->address) ||
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

    if (t->trap.vector != VT_EXCEPTION_PF || !in_window(t, rip) || in_window(t, t->trap.address) ||
        !t->platform->is_emulated(t, t->trap.address))
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
    if (!is_known(&t->exits, t->context->index))
        return NEXT_STOPPED;
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
    case EXIT_WILD:
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

    if (vcpu->rip == t->gate)
        return NEXT_RETURNED;
    if (vcpu->apic.pending && !vcpu->shadow &&
        vt_vcpu_interrupt(vcpu, t->environment, &taken) == VT_STEP_FAULT)
        return NEXT_FAULT;
    t->counts.interrupts += taken;
    if ((vcpu->apic.pending && vcpu->shadow) || (vcpu->rflags & VT_FLAG_TF))
        t->step = true;
    follow_mode(t);
    /* A kernel and its programs take turns: each has its own. */
    t->host_of = t->lookup[is_program(t)];
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
    if (!traced || (t->context->reason != EXIT_STEP && t->context->reason != EXIT_INDIRECT &&
                    t->context->reason != EXIT_WILD))
        return next;
    vt_vcpu_raise_step(vcpu);
    return NEXT_FAULT;
}

enum vt_translate_end vt_translate_run(struct vt_translate *t, uint64_t exits)
{
    enum next next = NEXT_GO_ON;

    t->stop = 0;
    t->step = false;
    t->host_flags = t->platform->flags();
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
