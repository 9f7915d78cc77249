/* Descriptor tables and interrupt handlers of the guest. */
#include "bench/engines/machine/internal.h"
#include "bench/engines/machine/machine.h"

#include <string.h>

/* Present, DPL 0 interrupt gate (Intel SDM 3A figure 6-8). */
#define GATE_RIGHTS 0x8e
#define GATE_DPL3   0x60

static void put(uint8_t *table, uint16_t selector, uint64_t descriptor)
{
    memcpy(table + (selector & 0xfff8), &descriptor, sizeof descriptor);
}

/* 16-byte descriptor of a TSS or LDT (Intel SDM 3A figure 7-4). */
static void put_system(uint8_t *table, uint16_t selector, uint64_t base, uint32_t size, uint8_t type)
{
    put(table, selector,
        (size - 1) | (base & 0xffffff) << 16 | (uint64_t)(0x80 | type) << 40 | (base >> 24 & 0xff) << 56);
    put(table, selector + 8, base >> 32);
}

static void put_gate(uint8_t *idt, uint8_t vector, uint64_t handler, uint8_t rights)
{
    uint64_t gate[2] = {
        (handler & 0xffff) | (uint64_t)VT_SEL_CODE0 << 16 | (uint64_t)rights << 40 |
            (handler >> 16 & 0xffff) << 48,
        handler >> 32,
    };

    memcpy(idt + 16 * vector, gate, sizeof gate);
}

static void lay_gdt(struct vt_machine *machine)
{
    uint8_t *gdt = machine->tables + TABLE_GDT;

    put(gdt, VT_SEL_CODE0, 0x00af9b000000ffff);
    put(gdt, VT_SEL_DATA0, 0x00cf93000000ffff);
    put(gdt, VT_SEL_DATA3, 0x00cff3000000ffff);
    put(gdt, VT_SEL_CODE3, 0x00affb000000ffff);
    put_system(gdt, VT_SEL_TSS, (uintptr_t)machine->tables + TABLE_TSS, TSS_SIZE, 11);
    put_system(gdt, VT_SEL_LDT, (uintptr_t)machine->tables + TABLE_LDT, LDT_SIZE, 2);
}

static struct vt_segment system_segment(uint16_t selector, const uint8_t *base, uint32_t size,
                                        uint16_t rights)
{
    return (struct vt_segment){selector, rights, size - 1, (uintptr_t)base};
}

static void load_registers(struct vt_machine *machine)
{
    struct vt_vcpu *vcpu = &machine->vcpu;

    vcpu->gdtr = (struct vt_table_register){(uintptr_t)machine->tables + TABLE_GDT, VT_GDT_SIZE - 1, {0}};
    vcpu->idtr = (struct vt_table_register){(uintptr_t)machine->tables + TABLE_IDT, 256 * 16 - 1, {0}};
    vcpu->segment[VT_TR] = system_segment(VT_SEL_TSS, machine->tables + TABLE_TSS, TSS_SIZE, 0x8b);
    vcpu->segment[VT_LDTR] = system_segment(VT_SEL_LDT, machine->tables + TABLE_LDT, LDT_SIZE, 0x82);
}

/* Machine code is laid down piece by piece; what lays a piece down returns the address it runs at. */
struct assembly {
    uint8_t *at;
    uintptr_t distance; /* from where it is written to where it runs */
};

static uint64_t here(const struct assembly *a)
{
    return (uintptr_t)a->at + a->distance;
}

static uint64_t emit(struct assembly *a, const void *code, size_t size)
{
    uint64_t start = here(a);

    memcpy(a->at, code, size);
    a->at += size;
    return start;
}
#define EMIT(a, bytes) emit(a, bytes, sizeof(bytes) - 1)

/* Vectors whose exception pushes an error code: Intel SDM 3A table 6-1. */
static bool pushes_error(uint8_t vector)
{
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21;
}

/* Moves the saved RIP over the instruction and returns. */
static uint64_t emit_skip(struct assembly *a, const struct vt_case *c)
{
    uint64_t start = here(a);

    if (pushes_error(c->skip_vector))
        EMIT(a, "\x48\x83\xc4\x08"); /* add rsp, 8 */
    EMIT(a, "\x48\x83\x04\x24");     /* add qword ptr [rsp], ... */
    emit(a, &c->skip_length, 1);
    EMIT(a, "\x48\xcf"); /* iretq */
    return start;
}

static uint64_t emit_end_of_xapic(struct assembly *a, const uint8_t *page)
{
    uint64_t eoi = (uintptr_t)page + 0xb0;
    uint64_t start = EMIT(a, "\x50\x48\xb8"); /* push rax; movabs rax, ... */

    emit(a, &eoi, sizeof eoi);
    EMIT(a, "\xc7\x00\x00\x00\x00\x00\x58\x48\xcf"); /* mov dword ptr [rax], 0; pop rax; iretq */
    return start;
}

static uint64_t emit_end_of_x2apic(struct assembly *a)
{
    return EMIT(a, "\x50\x51\x52"             /* push rax; push rcx; push rdx */
                   "\xb9\x0b\x08\x00\x00"     /* mov ecx, 0x80b */
                   "\x31\xc0\x31\xd2\x0f\x30" /* xor eax, eax; xor edx, edx; wrmsr */
                   "\x5a\x59\x58\x48\xcf");   /* pop rdx; pop rcx; pop rax; iretq */
}

static void lay_handlers(struct vt_machine *machine, const struct vt_case *c)
{
    uint8_t *idt = machine->tables + TABLE_IDT;
    uint8_t *writable = machine->handlers.writable;
    struct assembly a = {writable, (uintptr_t)machine->stubs - (uintptr_t)writable};

    memset(idt, 0, 256 * 16);
    put_gate(idt, VT_VECTOR_XAPIC, emit_end_of_xapic(&a, machine->devices + DEVICE_XAPIC * PAGE),
             GATE_RIGHTS);
    put_gate(idt, VT_VECTOR_X2APIC, emit_end_of_x2apic(&a), GATE_RIGHTS);
    if (c->needs & VT_NEED_HANDLERS)
        put_gate(idt, c->skip_vector, emit_skip(&a, c), GATE_RIGHTS | GATE_DPL3);
}

bool vt_machine_has_handler(const struct vt_machine *machine, uint8_t vector)
{
    return machine->tables[TABLE_IDT + 16 * vector + 5] & 0x80;
}

void vt_machine_lay_tables(struct vt_machine *machine, const struct vt_case *c)
{
    memset(machine->tables, 0, TABLES);
    lay_gdt(machine);
    lay_handlers(machine, c);
    load_registers(machine);
}
