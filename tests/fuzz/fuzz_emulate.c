/*
 * The decoder and the emulator on arbitrary state and arbitrary code: a guest's errors become a guest's
 * faults, and no access leaves the world. `make fuzz` builds it.
 *
 * Input: one byte of switches, then 8-byte words that go over the state, 64 of them, then code.
 */
#include "tests/unit/vcpu/emulator.h"

#include <stdlib.h>
#include <string.h>

#define WORDS 64
#define STEPS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SWITCH_USER = 1, SWITCH_AMD = 2, SWITCH_X2APIC = 4, SWITCH_INTERRUPTS = 8 };

static uint64_t take_word(const uint8_t **data, size_t *size)
{
    uint64_t value = 0;
    size_t count = *size < 8 ? *size : 8;

    memcpy(&value, *data, count);
    *data += count;
    *size -= count;
    return value;
}

/* A word of 0 leaves the state as it was: a short input is a plain kernel. */
static void put(uint64_t *place, uint64_t value)
{
    if (value)
        *place = value;
}

static void take_state(struct vt_vcpu *vcpu, const uint8_t **data, size_t *size)
{
    uint64_t words[WORDS];
    unsigned next = 0;

    for (unsigned i = 0; i < WORDS; i++)
        words[i] = take_word(data, size);
    for (unsigned i = 0; i < VT_GPRS; i++)
        put(&vcpu->gpr[i], words[next++]);
    vt_vcpu_set_rflags(vcpu, words[next++]);
    for (unsigned i = 0; i < 9; i++)
        put(&vcpu->cr[i], words[next++]);
    for (unsigned i = 0; i < 8; i++)
        put(&vcpu->dr[i], words[next++]);
    for (unsigned i = 0; i < VT_SEGMENTS; i++)
        put(&vcpu->segment[i].base, words[next++]);
    for (unsigned i = 0; i < 4; i++)
        put(&vcpu->apic.irr[i], words[next++]);
    put(&vcpu->gdtr.base, words[next++]);
    put(&vcpu->idtr.base, words[next++]);
    put(&vcpu->efer, words[next++]);
    put(&vcpu->xcr0, words[next++]);
    for (unsigned i = 0; i < VT_MSR_SLOTS && next < WORDS; i++)
        put(&vcpu->msr[i], words[next++]);
}

static bool fetch(struct emulator *e, struct vt_instruction *instruction)
{
    uint64_t offset = e->vcpu.rip - WORLD_MEMORY;

    return offset < WORLD_SIZE && vt_vcpu_decode(e->memory + offset, WORLD_SIZE - offset, instruction) == 0;
}

/* False: the CPU stopped. */
static bool step(struct emulator *e)
{
    struct vt_instruction instruction;
    enum vt_step step;

    if (!fetch(e, &instruction))
        return false;
    if (instruction.length < 1 || instruction.length > 15 || instruction.operation >= VT_OPERATIONS)
        abort();
    step = vt_vcpu_execute(&e->vcpu, &e->environment, &instruction);
    if (step == VT_STEP_UNHANDLED)
        e->vcpu.rip += instruction.length;
    if (step == VT_STEP_FAULT && vt_vcpu_deliver(&e->vcpu, &e->environment) != VT_STEP_DONE)
        return false;
    if (e->vcpu.cpl > 3 || (e->vcpu.interrupt_flag & ~VT_FLAG_IF))
        abort();
    return vt_vcpu_interrupt(&e->vcpu, &e->environment, NULL) == VT_STEP_DONE && step != VT_STEP_HALT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct emulator world;
    uint8_t switches;

    if (size < 2)
        return 0;
    emulator_open(&world);
    switches = *data++;
    size--;
    take_state(&world.vcpu, &data, &size);
    if (switches & SWITCH_USER)
        emulator_go_user(&world);
    if (switches & SWITCH_AMD)
        world.vcpu.limits.vendor = VT_VENDOR_AMD;
    if (switches & SWITCH_X2APIC)
        world.vcpu.msr[VT_MSR_APIC_BASE] |= VT_APIC_BASE_X2APIC | VT_APIC_BASE_ENABLE;
    if (switches & SWITCH_INTERRUPTS)
        world.vcpu.interrupt_flag = VT_FLAG_IF;
    memcpy(emulator_at(&world, WORLD_CODE), data, size < 0x400 ? size : 0x400);
    world.vcpu.rip = WORLD_CODE;
    for (unsigned i = 0; i < STEPS && step(&world); i++)
        ;
    return 0;
}
