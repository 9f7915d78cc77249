/* Between one instruction and the next: the trap flag and the shadow of STI, in translated code. */
#include "tests/unit/suite.h"
#include "tests/unit/translate/translated.h"
#include "vcpu/apic.h"
#include "vcpu/emulate/emulate.h"
#include "vcpu/vcpu.h"

#include <string.h>

#define VECTOR_DB     1
#define VECTOR_APIC   0x40
#define HANDLER_DB    0x800 /* offsets in the code */
#define HANDLER_APIC  0x900
#define IDT           0x3000 /* offsets in the data */
#define GDT           0x3800
#define CODE_SELECTOR 8

static struct translated world;

static uint64_t address(uint32_t offset)
{
    return (uintptr_t)world.window + offset;
}

static void put_gate(uint8_t vector, uint64_t handler)
{
    uint64_t gate[2] = {(handler & 0xffff) | CODE_SELECTOR << 16 | UINT64_C(0x8e00) << 32 |
                            (handler >> 16 & 0xffff) << 48,
                        handler >> 32};
    memcpy(world.window + TRANSLATED_DATA + IDT + vector * sizeof gate, gate, sizeof gate);
}

/* A machine that takes #DB and one interrupt. */
static void lay_tables(void)
{
    static const uint64_t gdt[] = {0, UINT64_C(0x00af9b000000ffff)}; /* 64-bit code, ring 0, accessed */

    memset(world.window + TRANSLATED_DATA + IDT, 0, GDT - IDT);
    memcpy(world.window + TRANSLATED_DATA + GDT, gdt, sizeof gdt);
    put_gate(VECTOR_DB, address(HANDLER_DB));
    put_gate(VECTOR_APIC, address(HANDLER_APIC));
    world.vcpu->idtr = (struct vt_table_register){address(TRANSLATED_DATA + IDT), 0x7ff, {0}};
    world.vcpu->gdtr = (struct vt_table_register){address(TRANSLATED_DATA + GDT), sizeof gdt - 1, {0}};
    world.vcpu->segment[VT_CS].selector = CODE_SELECTOR;
    world.vcpu->segment[VT_SS].selector = 0;
}

static void begin(void)
{
    translated_open(&world, 0);
    translated_registers(&world, 1);
}

struct step {
    const char *name;
    const char *code;
    unsigned size;
    unsigned next; /* where the trap finds RIP, from the start */
};
#define STEP(name, code, next)                                                                               \
    {                                                                                                        \
        name, code, sizeof(code) - 1, next                                                                   \
    }

/* RAX leads to offset 0x20; flags are those of XOR EAX, EAX. */
static const struct step steps[] = {
    STEP("nop", "\x90\x90\xc3", 1),
    STEP("mov", "\x48\x8b\x5d\x00\xc3", 4),
    STEP("jmp", "\xeb\x05\x90\xc3", 7),
    STEP("jz, taken", "\x74\x05\x90\xc3", 7),
    STEP("jnz, not taken", "\x75\x05\x90\xc3", 2),
    STEP("loop", "\xe2\x05\x90\xc3", 7),
    STEP("call", "\xe8\x03\x00\x00\x00\xc3", 8),
    STEP("call of what could be in line", "\xe8\x01\x00\x00\x00\xc3\xc3", 6),
    STEP("jmp rax", "\xff\xe0", 0x20),
    STEP("call rax", "\xff\xd0", 0x20),
    STEP("call [rsp + 8]", "\xff\x54\x24\x08", 0x20),
    STEP("cli, inline", "\xfa\xc3", 1),
    STEP("mov rax, cr0, inline", "\x0f\x20\xc0\xc3", 3),
    STEP("wbinvd, called out", "\x0f\x09\xc3", 2),
    STEP("gs: mov", "\x65\x48\x8b\x5d\x00\xc3", 5),
};

START_TEST(each_instruction_traps_behind_it)
{
    begin();
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const struct step *s = &steps[i];
        uint64_t target = address(TRANSLATED_CODE + 0x20), rsp = address(TRANSLATED_STACK) - 8;

        translated_registers(&world, 1);
        world.vcpu->gpr[VT_RAX] = target;
        world.vcpu->gpr[VT_RCX] = 9;
        world.vcpu->gpr[VT_RSP] = rsp;
        memcpy((void *)(uintptr_t)rsp, &target, sizeof target);
        world.vcpu->dr[6] = 0;
        vt_vcpu_set_rflags(world.vcpu, VT_FLAG_TF | VT_FLAG_ZF);
        ck_assert_msg(translated_run(&world, s->code, s->size, 1000) == VT_TRANSLATE_FAULT, "%s: no trap",
                      s->name);
        ck_assert_msg(world.vcpu->fault.vector == VECTOR_DB, "%s: #%u", s->name, world.vcpu->fault.vector);
        ck_assert_msg(world.vcpu->rip == address(TRANSLATED_CODE + s->next), "%s: at 0x%llx", s->name,
                      (unsigned long long)(world.vcpu->rip - address(TRANSLATED_CODE)));
        ck_assert_msg(world.vcpu->dr[6] >> 14 & 1, "%s: DR6.BS", s->name);
    }
    translated_close(&world);
}
END_TEST

/*
 * A guest that traces itself: the handler keeps where it was called, 12 times, then clears TF in its frame.
 *
 *     0: pushfq; 1: or dword [rsp], 100h; 8: popfq
 *     9: mov ecx, 2; 14: dec ecx; 16: jnz 14; 18: call 24; 23: ret; 24: mov eax, [rbp]; 27: inc ebx; 29: ret
 */
START_TEST(a_guest_traces_itself)
{
    static const char code[] =
        "\x9c\x81\x0c\x24\x00\x01\x00\x00\x9d"
        "\xb9\x02\x00\x00\x00\xff\xc9\x75\xfc\xe8\x01\x00\x00\x00\xc3\x8b\x45\x00\xff\xc3\xc3";
    /* push rax; push rcx; mov rax, [rsp + 16]; mov rcx, [rbp + 8]; mov [rbp + rcx * 8 + 16], rax; inc rcx;
     * mov [rbp + 8], rcx; cmp rcx, 8; jb 1f; and dword [rsp + 32], ~100h; 1: pop rcx; pop rax; iretq */
    static const char handler[] =
        "\x50\x51\x48\x8b\x44\x24\x10\x48\x8b\x4d\x08\x48\x89\x44\xcd\x10\x48\xff\xc1"
        "\x48\x89\x4d\x08\x48\x83\xf9\x08\x72\x08\x81\x64\x24\x20\xff\xfe\xff\xff"
        "\x59\x58\x48\xcf";
    static const uint8_t expected[] = {14, 16, 14, 16, 18, 24, 27, 29};
    uint64_t seen[1 + sizeof expected];

    begin();
    lay_tables();
    memset(world.window + TRANSLATED_DATA, 0, 256);
    memcpy(world.window + HANDLER_DB, handler, sizeof handler - 1);
    vt_vcpu_set_rflags(world.vcpu, 0);
    ck_assert_msg(translated_run(&world, code, sizeof code - 1, 10000) == VT_TRANSLATE_RETURNED,
                  "#%u at 0x%llx", world.vcpu->fault.vector,
                  (unsigned long long)(world.vcpu->rip - address(0)));
    memcpy(seen, world.window + TRANSLATED_DATA + 8, sizeof seen);
    ck_assert_uint_eq(seen[0], sizeof expected);
    for (size_t i = 0; i < sizeof expected; i++)
        ck_assert_msg(seen[1 + i] == address(TRANSLATED_CODE + expected[i]), "trap %zu: at 0x%llx, not %u", i,
                      (unsigned long long)(seen[1 + i] - address(TRANSLATED_CODE)), expected[i]);
    translated_close(&world);
}
END_TEST

/* sti; ret, as kernels open interrupts: the one that waits comes behind the return, before what follows it.
 */
START_TEST(an_interrupt_waits_for_one_instruction_behind_sti)
{
    /* mov ecx, 1; 5: call 1f; 10: mov esi, [rbp]; mov [rbp + 8], esi; dec ecx; jnz 5; ret; 1: sti; ret */
    static const char code[] =
        "\xb9\x01\x00\x00\x00\xe8\x0b\x00\x00\x00\x8b\x75\x00\x89\x75\x08\xff\xc9\x75\xf1"
        "\xc3\xfb\xc3";
    /* inc dword [rbp]; iretq */
    static const char handler[] = "\xff\x45\x00\x48\xcf";
    uint32_t seen[3];

    begin();
    for (int run = 0; run < 2; run++) {
        vt_vcpu_reset(world.vcpu);
        translated_registers(&world, 1);
        lay_tables();
        memset(world.window + TRANSLATED_DATA, 0, 256);
        vt_translate_flush(world.translate);
        memcpy(world.window + HANDLER_APIC, handler, sizeof handler - 1);
        vt_vcpu_set_rflags(world.vcpu, 0);
        world.vcpu->interrupt_flag = 0;
        world.vcpu->apic.svr = 0x1ff;
        world.vcpu->apic.irr[VECTOR_APIC / 64] = UINT64_C(1) << VECTOR_APIC % 64;
        vt_vcpu_update_pending(world.vcpu);
        ck_assert(world.vcpu->apic.pending);
        ck_assert_msg(translated_run(&world, code, sizeof code - 1, 10000) == VT_TRANSLATE_RETURNED,
                      "#%u at 0x%llx", world.vcpu->fault.vector,
                      (unsigned long long)(world.vcpu->rip - address(0)));
        memcpy(seen, world.window + TRANSLATED_DATA, sizeof seen);
        ck_assert_uint_eq(seen[0], 1);
        ck_assert_uint_eq(seen[2], 1); /* the handler had run before the caller went on */
    }
    translated_close(&world);
}
END_TEST

VT_SUITE(each_instruction_traps_behind_it, a_guest_traces_itself,
         an_interrupt_waits_for_one_instruction_behind_sti)
