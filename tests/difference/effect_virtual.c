/* A case's effect on the engines that keep a virtual CPU in this process. */
#include "bench/engines/machine/inside.h"
#include "tests/difference/effect.h"

#include <asm/prctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The machine's own environment with a recorder in front. One machine runs at a time. */
static struct {
    struct effect *effect;
    struct vt_environment below;
} tap;

static uint32_t port_read(void *context, uint16_t port, unsigned size)
{
    if (!EFFECT_IS_PORT(port))
        return tap.below.port_read(context, port, size);
    effect_note(tap.effect, DEVICE_PORT, false, size, port, EFFECT_PORT);
    return EFFECT_PORT;
}

static void port_write(void *context, uint16_t port, unsigned size, uint32_t value)
{
    if (EFFECT_IS_PORT(port))
        effect_note(tap.effect, DEVICE_PORT, true, size, port, value);
    tap.below.port_write(context, port, size, value);
}

/* Offset in the device pages the user answers for, or ~0: the doorbell's page and the APIC's. */
static uint64_t device_offset(const struct vt_machine *machine, uint64_t address)
{
    uint64_t offset = address - machine->scratch.mmio_user;

    return offset < 0x3000 && offset / 0x1000 != VT_MMIO_EVENTFD / 0x1000 ? offset : UINT64_MAX;
}

static uint64_t mmio_read(void *context, uint64_t address, unsigned size)
{
    uint64_t offset = device_offset(context, address);

    if (offset == UINT64_MAX)
        return tap.below.mmio_read(context, address, size);
    effect_note(tap.effect, DEVICE_MMIO, false, size, offset, EFFECT_MMIO);
    return EFFECT_MMIO;
}

static void mmio_write(void *context, uint64_t address, unsigned size, uint64_t value)
{
    uint64_t offset = device_offset(context, address);

    if (offset != UINT64_MAX)
        effect_note(tap.effect, DEVICE_MMIO, true, size, offset, value);
    tap.below.mmio_write(context, address, size, value);
}

static enum vt_access msr_read(void *context, uint32_t index, uint64_t *value)
{
    enum vt_access result = tap.below.msr_read(context, index, value);

    if (result == VT_ACCESS_DONE)
        effect_note(tap.effect, DEVICE_MSR, false, 8, index, *value = EFFECT_MSR);
    return result;
}

static enum vt_access msr_write(void *context, uint32_t index, uint64_t value)
{
    enum vt_access result = tap.below.msr_write(context, index, value);

    if (result == VT_ACCESS_DONE)
        effect_note(tap.effect, DEVICE_MSR, true, 8, index, value);
    return result;
}

static void attach(struct effect *e, struct vt_machine *machine)
{
    tap.effect = e;
    tap.below = machine->environment;
    machine->environment.port_read = port_read;
    machine->environment.port_write = port_write;
    machine->environment.mmio_read = mmio_read;
    machine->environment.mmio_write = mmio_write;
    machine->environment.msr_read = msr_read;
    machine->environment.msr_write = msr_write;
}

/* An engine as this file needs it. */
struct inside {
    const struct vt_engine *engine;
    void *state;
    struct vt_machine *machine;
    struct vt_vcpu *vcpu;
};

static struct inside look(enum effect_engine engine, void *state)
{
    struct inside in = {vt_bench_find_engine(effect_engine_name(engine)), state, NULL, NULL};
    struct vt_translate *translate;

    if (engine == EFFECT_TRAP) {
        in.machine = vt_trap_inside(state);
        in.vcpu = &in.machine->vcpu;
    } else {
        in.machine = vt_translate_inside(state, &translate);
        in.vcpu = vt_translate_vcpu(translate);
    }
    return in;
}

static uint64_t address_of(const struct effect *e, void *state, const void *code)
{
    return e->engine == EFFECT_TRAP ? (uintptr_t)code : vt_translate_inside_address(state, code);
}

#define OTHER_FS_BASE UINT64_C(0x00007c0000002340)

/* At ring 3 a guest has the process's. */
static uint64_t own_fs_base(void)
{
    unsigned long base = 0;

    syscall(SYS_arch_prctl, ARCH_GET_FS, &base);
    return base;
}

static void begin(struct effect *e, const struct inside *in, const struct vt_case *c,
                  const struct effect_setup *setup, const struct effect_code *code)
{
    struct vt_machine *machine = in->machine;

    in->vcpu->cr[4] |= UINT64_C(0x700); /* PCE, OSFXSR, OSXMMEXCPT: as kvm's guest has them */
    in->vcpu->cr[4] &= in->vcpu->limits.cr4;
    in->vcpu->segment[VT_FS].base = e->engine == EFFECT_TRAP ? own_fs_base() : OTHER_FS_BASE;
    e->fact[FACT_LDT] = in->vcpu->segment[VT_LDTR].base;
    e->fact[FACT_LDT_LIMIT] = in->vcpu->segment[VT_LDTR].limit;
    e->fact_size[FACT_LDT] = e->fact_size[FACT_LDT_LIMIT] = 1;
    effect_begin(e, c, setup, in->vcpu, &machine->scratch);
    effect_facts(e, &machine->scratch, address_of(e, in->state, (const void *)(uintptr_t)c->body),
                 (uintptr_t)&machine->scratch);
    vt_vcpu_refresh(in->vcpu);
    machine->port_latch = EFFECT_MASK;
    machine->traffic = (struct vt_machine_traffic){0};
    if (c->needs & VT_NEED_HANDLERS)
        effect_redirect((uint8_t *)(uintptr_t)machine->vcpu.idtr.base, c->skip_vector,
                        address_of(e, in->state, code->handler));
}

static void end_badly(struct effect *e, enum vt_batch_end end, const struct vt_vcpu *vcpu, const char *why)
{
    e->end = end == VT_BATCH_FAULT || end == VT_BATCH_ABSENT ? EFFECT_FAULT : EFFECT_UNSUPPORTED;
    e->vector = vcpu->fault.vector;
    snprintf(e->reason, sizeof e->reason, "%.200s", why);
}

/* Flags of ring 3 are the guest's own there; this one no code in between touches. */
static void flip_id(bool on)
{
    uint64_t flags = __builtin_ia32_readeflags_u64();

    __builtin_ia32_writeeflags_u64(on ? flags | VT_FLAG_ID : flags & ~VT_FLAG_ID);
}

static void run_trap(struct effect *e, const struct inside *in)
{
    struct vt_batch batch = {0};
    struct vt_error error = {0};
    enum vt_batch_end end;

    flip_id((e->before.rflags & VT_FLAG_ID) != 0);
    end = in->engine->batch(in->state, VT_BODY, 1, &batch, &error);
    flip_id(false);
    e->crossed = batch.counters.value[VT_SIGNALS] > 0 && batch.counters.value[VT_HOST_EMULATIONS] == 0;
    if (end != VT_BATCH_DONE)
        end_badly(e, end, in->vcpu, error.text);
}

static void run_translate(struct effect *e, const struct inside *in)
{
    enum vt_translate_end end = vt_translate_inside_run(in->state, 1);

    e->crossed = true;
    if (end == VT_TRANSLATE_FAULT)
        end_badly(e, VT_BATCH_FAULT, in->vcpu, "a fault nobody handled");
    else if (end != VT_TRANSLATE_RETURNED)
        end_badly(e, VT_BATCH_BROKEN, in->vcpu,
                  end == VT_TRANSLATE_UNHANDLED ? "neither translated nor emulated" : "it did not return");
}

static void run_once(struct effect *e, const struct inside *in)
{
    attach(e, in->machine);
    if (e->engine == EFFECT_TRAP)
        run_trap(e, in);
    else
        run_translate(e, in);
    in->machine->environment = tap.below;
}

static void begin_again(struct effect *e, const struct inside *in)
{
    *in->vcpu = e->before;
    in->machine->scratch = e->scratch_before;
    in->machine->port_latch = EFFECT_MASK;
    in->machine->traffic = (struct vt_machine_traffic){0};
    in->machine->tables[VT_SEL_TSS + 5] |= 2;
    e->accesses = 0;
}

/* On the processor itself it may run all the same: a hypervisor can hide what it cannot take away. */
static bool is_announced(const struct inside *in, const struct vt_cpuid_bit *bit)
{
    const struct vt_cpuid_leaf *row = vt_vcpu_find_cpuid(in->vcpu, bit->leaf, bit->subleaf);

    return bit->leaf == 0 || (row && row->value[bit->reg] >> bit->bit & 1);
}

void effect_run_virtual(struct effect *e, enum effect_engine engine, void *state, const struct vt_case *c,
                        const struct effect_setup *setup, const struct effect_code *code, int turn)
{
    struct inside in = look(engine, state);
    struct vt_error error;

    *e = (struct effect){.engine = engine, .end = EFFECT_UNSUPPORTED};
    if (!in.engine->supports(state, c, 0, e->reason, sizeof e->reason) ||
        in.engine->prepare(state, c, 0, &error) != 0)
        return;
    if (!is_announced(&in, &c->feature)) {
        snprintf(e->reason, sizeof e->reason, "the virtual processor does not announce it");
        return;
    }
    e->end = EFFECT_DONE;
    begin(e, &in, c, setup, code);
    for (int i = 0; i <= turn && e->end == EFFECT_DONE; i++) {
        if (i)
            begin_again(e, &in);
        run_once(e, &in);
    }
    e->after = *in.vcpu;
    e->doorbells = in.machine->traffic.doorbells;
    e->mask = in.machine->port_latch;
    effect_finish(e, &in.machine->scratch);
}
