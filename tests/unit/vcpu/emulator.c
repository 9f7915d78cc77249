#include "tests/unit/vcpu/emulator.h"

#include "guest/catalogue.h"

#include <string.h>

static bool is_memory(uint64_t address, unsigned size)
{
    return address >= WORLD_MEMORY && address - WORLD_MEMORY <= WORLD_SIZE - size;
}

static void touch(struct emulator *e, uint64_t address)
{
    e->touched |= UINT32_C(1) << (address - WORLD_MEMORY) / 4096;
}

static enum vt_access load(void *context, uint64_t address, void *value, unsigned size, uint32_t *error)
{
    struct emulator *e = context;

    *error = 0;
    if (address >> 12 == WORLD_DEVICE >> 12)
        return VT_ACCESS_MMIO;
    if (!is_memory(address, size))
        return VT_ACCESS_FAULT;
    memcpy(value, e->memory + (address - WORLD_MEMORY), size);
    return VT_ACCESS_DONE;
}

static enum vt_access store(void *context, uint64_t address, const void *value, unsigned size,
                            uint32_t *error)
{
    struct emulator *e = context;

    *error = 0;
    if (address >> 12 == WORLD_DEVICE >> 12)
        return VT_ACCESS_MMIO;
    if (!is_memory(address, size))
        return VT_ACCESS_FAULT;
    touch(e, address);
    touch(e, address + size - 1);
    memcpy(e->memory + (address - WORLD_MEMORY), value, size);
    return VT_ACCESS_DONE;
}

static uint64_t mmio_read(void *context, uint64_t address, unsigned size)
{
    struct emulator *e = context;

    e->device_reads++;
    e->device_address = address;
    e->device_size = size;
    return e->device_value;
}

static void mmio_write(void *context, uint64_t address, unsigned size, uint64_t value)
{
    struct emulator *e = context;

    e->device_writes++;
    e->device_address = address;
    e->device_size = size;
    e->device_value = value;
}

static uint32_t port_read(void *context, uint16_t port, unsigned size)
{
    struct emulator *e = context;

    e->port_reads++;
    e->port = port;
    e->port_size = size;
    return e->port_value;
}

static void port_write(void *context, uint16_t port, unsigned size, uint32_t value)
{
    struct emulator *e = context;

    e->port_writes++;
    e->port = port;
    e->port_size = size;
    e->port_value = value;
}

static enum vt_access msr_read(void *context, uint32_t index, uint64_t *value)
{
    (void)context;
    *value = 0x1122334455667788;
    return index == 0x4d544f4c ? VT_ACCESS_DONE : VT_ACCESS_FAULT;
}

static enum vt_access msr_write(void *context, uint32_t index, uint64_t value)
{
    (void)context, (void)value;
    return index == 0x4d544f4c ? VT_ACCESS_DONE : VT_ACCESS_FAULT;
}

static uint64_t read_clock(void *context)
{
    return ((struct emulator *)context)->clock;
}

static uint64_t counter(void *context, uint32_t index)
{
    return ((struct emulator *)context)->clock + index;
}

static void flush(void *context, uint64_t address)
{
    struct emulator *e = context;

    e->flushes++;
    e->flushed = address;
}

static void write_back(void *context)
{
    ((struct emulator *)context)->write_backs++;
}

static void hypercall(void *context, uint64_t gpr[16])
{
    ((struct emulator *)context)->hypercalls++;
    gpr[VT_RAX] = -1000;
}

/* A CPU with every feature the emulator knows, so that no test depends on the machine. */
static const struct vt_cpuid_leaf leaves[] = {
    {0, 0, {13, 0x756e6547, 0x6c65746e, 0x49656e69}, 1, 0},
    {1, 0, {0x000906ea, 0x00010800, 0x063a2203 | 1u << 17 | 1u << 21, 0x178bfbff}, 1, 0},
    {7, 0, {0, 1u << 0 | 1u << 7 | 1u << 10 | 1u << 20, 1u << 2 | 1u << 3 | 1u << 16 | 1u << 22, 0}, 0, 0},
    {10, 0, {4 << 8 | 2, 0, 0, 0}, 1, 0},
    {13, 0, {0xe7, 0x988, 0x988, 0}, 0, 0},
    {0x80000000, 0, {0x80000008, 0, 0, 0}, 1, 0},
    {0x80000001, 0, {0, 0, 0, 1u << 11 | 1u << 20 | 1u << 27 | 1u << 29}, 1, 0},
    {0x80000008, 0, {0x3930, 0, 0, 0}, 1, 0},
};

void *emulator_at(struct emulator *e, uint64_t address)
{
    touch(e, address);
    return e->memory + (address - WORLD_MEMORY);
}

void emulator_put_descriptor(struct emulator *e, uint16_t selector, uint64_t descriptor)
{
    memcpy(emulator_at(e, WORLD_GDT + (selector & 0xfff8)), &descriptor, 8);
}

static void put_system(struct emulator *e, uint16_t selector, uint64_t base, uint32_t limit, unsigned type)
{
    emulator_put_descriptor(e, selector,
                            (limit & 0xffff) | (base & 0xffffff) << 16 | (uint64_t)(0x80 | type) << 40 |
                                (base >> 24 & 0xff) << 56);
    emulator_put_descriptor(e, selector + 8, base >> 32);
}

static void put_gate(struct emulator *e, uint64_t address, uint16_t selector, uint64_t target, unsigned type,
                     unsigned dpl)
{
    uint64_t words[2] = {(target & 0xffff) | (uint64_t)selector << 16 |
                             (uint64_t)(0x80 | dpl << 5 | type) << 40 | (target >> 16 & 0xffff) << 48,
                         target >> 32};

    memcpy(emulator_at(e, address), words, sizeof words);
}

static void lay_tables(struct emulator *e)
{
    static const struct {
        uint16_t selector;
        uint64_t descriptor;
    } rows[] = {
        {WORLD_CODE0, 0x00af9b000000ffff},      {WORLD_DATA0, 0x00cf93000000ffff},
        {WORLD_DATA3, 0x00cff3000000ffff},      {WORLD_CODE3, 0x00affb000000ffff},
        {WORLD_CONFORMING, 0x00af9f000000ffff}, {WORLD_ABSENT, 0x00cf13000000ffff},
        {WORLD_READONLY, 0x0040911234560fff},   {WORLD_CODE32, 0x00cf9b000000ffff},
    };
    uint64_t stack = WORLD_STACK0;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        emulator_put_descriptor(e, rows[i].selector, rows[i].descriptor);
    put_system(e, WORLD_TSS_SEL, WORLD_TSS, 0x67, 9);
    put_system(e, WORLD_LDT_SEL, WORLD_LDT, 0xff, 2);
    put_gate(e, WORLD_GDT + WORLD_GATE, WORLD_CODE0, WORLD_CODE + 0x800, 12, 3);
    memset(emulator_at(e, WORLD_CODE), 0xf4, 0x1000); /* handlers halt */
    for (unsigned vector = 0; vector < 256; vector++)
        put_gate(e, WORLD_IDT + 16 * vector, WORLD_CODE0, WORLD_CODE + 0x400 + vector, 14,
                 vector >= 0x80 ? 3 : 0);
    memcpy(emulator_at(e, WORLD_TSS + 4), &stack, 8);
    memcpy(emulator_at(e, WORLD_TSS + 102), "\x68", 2); /* the permission map lies beyond the limit */
}

void emulator_fill_cpuid(struct vt_vcpu *vcpu)
{
    memcpy(vcpu->cpuid, leaves, sizeof leaves);
    vcpu->cpuid_count = sizeof leaves / sizeof leaves[0];
}

void emulator_open(struct emulator *e)
{
    memset(e, 0, sizeof *e);
    e->environment = (struct vt_environment){
        .context = e,
        .load = load,
        .store = store,
        .mmio_read = mmio_read,
        .mmio_write = mmio_write,
        .port_read = port_read,
        .port_write = port_write,
        .msr_read = msr_read,
        .msr_write = msr_write,
        .clock = read_clock,
        .counter = counter,
        .flush = flush,
        .write_back = write_back,
        .hypercall = hypercall,
    };
    emulator_fill_cpuid(&e->vcpu);
    vt_vcpu_apply_cpuid(&e->vcpu);
    vt_vcpu_reset(&e->vcpu);
    lay_tables(e);
    e->vcpu.gdtr = (struct vt_table_register){WORLD_GDT, WORLD_GDT_LIMIT, {0}};
    e->vcpu.idtr = (struct vt_table_register){WORLD_IDT, 0xfff, {0}};
    e->vcpu.gpr[VT_RSP] = WORLD_STACK;
    e->vcpu.rip = WORLD_CODE;
}

void emulator_go_user(struct emulator *e)
{
    static const uint8_t ltr[] = {0x0f, 0x00, 0xd8}; /* ltr ax */

    e->vcpu.gpr[VT_RAX] = WORLD_TSS_SEL;
    emulator_step(e, ltr, sizeof ltr);
    e->vcpu.gpr[VT_RAX] = 0;
    e->vcpu.cpl = 3;
    e->vcpu.segment[VT_CS] = (struct vt_segment){WORLD_CODE3, 0xa0fb, UINT32_MAX, 0};
    e->vcpu.segment[VT_SS] = (struct vt_segment){WORLD_DATA3, 0xc0f3, UINT32_MAX, 0};
}

enum vt_step emulator_step(struct emulator *e, const void *code, size_t size)
{
    struct vt_instruction instruction;

    if (vt_vcpu_decode(code, size, &instruction) != 0)
        return VT_STEP_UNHANDLED;
    e->vcpu.rip = WORLD_CODE;
    return vt_vcpu_execute(&e->vcpu, &e->environment, &instruction);
}
