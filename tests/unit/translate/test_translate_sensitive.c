/*
 * What sensitive instructions do translated, held against the emulator: registers, memory, faults.
 *
 * beside others
 */
#include "tests/unit/suite.h"
#include "tests/unit/translate/translated.h"
#include "translate/internal.h"
#include "vcpu/decode.h"
#include "vcpu/emulate/emulate.h"

#include <string.h>

static struct translated world;

static uint64_t address(uint32_t offset)
{
    return (uintptr_t)world.window + offset;
}

struct snippet {
    const char *name;
    const char *code;
    bool pushes; /* begins with PUSH RBX */
    bool pops;   /* POP RAX follows */
};

static const struct snippet snippets[] = {
    {"cli", "\xfa", false, false},
    {"sti", "\xfb", false, false},
    {"pushfq", "\x9c", false, true},
    {"popfq", "\x53\x9d", true, false},
    {"mov rax, cr0", "\x0f\x20\xc0", false, false},
    {"mov rsi, cr2", "\x0f\x20\xd6", false, false},
    {"mov rax, cr3", "\x0f\x20\xd8", false, false},
    {"mov r9, cr4", "\x41\x0f\x20\xe1", false, false},
    {"mov rax, cr8", "\x44\x0f\x20\xc0", false, false},
    {"mov cr0, rax", "\x0f\x22\xc0", false, false},
    {"mov cr2, rbx", "\x0f\x22\xd3", false, false},
    {"mov cr3, rcx", "\x0f\x22\xd9", false, false},
    {"mov cr4, r13", "\x41\x0f\x22\xe5", false, false},
    {"mov cr8, rdx", "\x44\x0f\x22\xc2", false, false},
    {"clts", "\x0f\x06", false, false},
    {"smsw rax", "\x48\x0f\x01\xe0", false, false},
    {"smsw cx", "\x66\x0f\x01\xe1", false, false},
    {"smsw [rbp]", "\x0f\x01\x65\x00", false, false},
    {"sgdt [rbp + 16]", "\x0f\x01\x45\x10", false, false},
    {"sidt [rbp + 16]", "\x0f\x01\x4d\x10", false, false},
    {"sldt eax", "\x0f\x00\xc0", false, false},
    {"str [rbp + 8]", "\x0f\x00\x4d\x08", false, false},
    {"str rdx", "\x48\x0f\x00\xca", false, false},
    {"mov eax, cs", "\x8c\xc8", false, false},
    {"mov [rbp], ds", "\x8c\x5d\x00", false, false},
    {"mov ax, ss", "\x66\x8c\xd0", false, false},
    {"mov rax, dr7", "\x0f\x21\xf8", false, false},
    {"mov r10, dr6", "\x41\x0f\x21\xf2", false, false},
    {"swapgs", "\x0f\x01\xf8", false, false},
    {"rdfsbase rax", "\xf3\x48\x0f\xae\xc0", false, false},
    {"rdgsbase ecx", "\xf3\x0f\xae\xc9", false, false},
    {"wrfsbase rdx", "\xf3\x48\x0f\xae\xd2", false, false},
    {"wrgsbase rcx", "\xf3\x48\x0f\xae\xd9", false, false},
    {"cpuid", "\x0f\xa2", false, false},
    {"rdmsr", "\x0f\x32", false, false},
    {"wrmsr", "\x0f\x30", false, false},
    {"rdpid rax", "\xf3\x0f\xc7\xf8", false, false},
    {"xgetbv", "\x0f\x01\xd0", false, false},
    {"xsetbv", "\x0f\x01\xd1", false, false},
    {"lmsw ax", "\x0f\x01\xf0", false, false},
};

static uint64_t random_state;

static uint64_t random_number(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return random_state >> 20 ^ random_state << 30;
}

/* Now a value that changes nothing, now one that does, now one that faults. */
static uint64_t operand_for(unsigned reg)
{
    static const uint32_t msrs[] = {0xc0000100, 0xc0000101, 0xc0000102, 0xc0000082,
                                    0xc0000084, 0x8b,       0x1d9,      0x12345};
    const struct vt_vcpu *vcpu = world.vcpu;

    switch (random_number() % 8) {
    case 0:
        return vcpu->cr[0];
    case 1:
        return vcpu->cr[4];
    case 2:
        return vcpu->cr[3];
    case 3:
        return reg == VT_RCX ? msrs[random_number() % 8] : vcpu->cr[8];
    case 4:
        return random_number() & 0x7fffffffffff;
    case 5:
        return reg == VT_RCX ? msrs[random_number() % 8] : random_number() % 8;
    case 6:
        return reg == VT_RAX ? vcpu->xcr0 : reg == VT_RCX || reg == VT_RDX ? 0 : vcpu->segment[VT_FS].base;
    default:
        return random_number();
    }
}

static void random_world(void)
{
    struct vt_vcpu *vcpu = world.vcpu;

    vt_vcpu_reset(vcpu);
    vcpu->cr[4] |= VT_CR4_FSGSBASE & vcpu->limits.cr4;
    vcpu->cr[0] |= random_number() & VT_CR0_TS;
    vcpu->cr[2] = random_number();
    vcpu->cr[8] = random_number() % 16;
    vcpu->segment[VT_FS].base = random_number() & 0x7fffffffffff;
    vcpu->segment[VT_GS].base = random_number() & 0x7fffffffffff;
    vcpu->msr[VT_MSR_KERNEL_GS_BASE] = random_number() & 0x7fffffffffff;
    vcpu->msr[VT_MSR_TSC_AUX] = (uint32_t)random_number();
    vcpu->gdtr = (struct vt_table_register){random_number() & 0x7fffffffffff, (uint16_t)random_number(), {0}};
    vcpu->idtr = (struct vt_table_register){random_number() & 0x7fffffffffff, 0, {0}};
    translated_registers(&world, random_number());
    for (unsigned reg = VT_RAX; reg < VT_GPRS; reg++)
        if (reg != VT_RSP && reg != VT_RBP)
            vcpu->gpr[reg] = operand_for(reg);
    vcpu->gpr[VT_RBX] &= ~VT_FLAG_TF; /* POPFQ's: the return would trap */
    vt_vcpu_set_rflags(vcpu, random_number() &
                                 (VT_FLAGS_STATUS | VT_FLAG_IF | VT_FLAG_IOPL | VT_FLAG_AC | VT_FLAG_ID));
}

/* The emulator's answer; the translator's is in world. True: it faulted. */
static bool emulate(const struct snippet *s, struct vt_vcpu *vcpu)
{
    const uint8_t *code = (const uint8_t *)s->code;
    struct vt_instruction in;

    vcpu->gpr[VT_RSP] -= 8; /* the return address of the call */
    if (s->pushes) {
        vcpu->gpr[VT_RSP] -= 8;
        memcpy((void *)(uintptr_t)vcpu->gpr[VT_RSP], &vcpu->gpr[VT_RBX], 8);
        code++;
    }
    vcpu->rip = address(TRANSLATED_CODE) + s->pushes;
    ck_assert_int_eq(vt_vcpu_decode(code, 15, &in), 0);
    enum vt_step step = vt_vcpu_execute(vcpu, &world.environment, &in);
    ck_assert_int_ne(step, VT_STEP_UNHANDLED);
    if (s->pops) {
        memcpy(&vcpu->gpr[VT_RAX], (void *)(uintptr_t)vcpu->gpr[VT_RSP], 8);
        vcpu->gpr[VT_RSP] += 8;
    }
    if (step == VT_STEP_DONE)
        vcpu->gpr[VT_RSP] += 8;
    return step == VT_STEP_FAULT;
}

/* What the two may differ in and be right: where they stand, and what the engine keeps for itself. */
static void forget_place(struct vt_vcpu *vcpu)
{
    vcpu->rip = vcpu->shadow = 0;
    memset(&vcpu->fault, 0, sizeof vcpu->fault);
    memset(vcpu->engine, 0, sizeof vcpu->engine);
    vcpu->gpr[VT_RSP] &= ~UINT64_C(15);
}

static void lay(const struct snippet *s)
{
    uint8_t code[16];
    size_t size = strlen(s->code);

    /* A snippet may hold a zero: XGETBV and the like are found by length of their own decoding. */
    struct vt_instruction in;
    if (vt_vcpu_decode((const uint8_t *)s->code + s->pushes, 15, &in) == 0)
        size = in.length + s->pushes;
    memcpy(code, s->code, size); /* NOLINT(bugprone-not-null-terminated-result): machine code, not text */
    if (s->pops)
        code[size++] = 0x58;
    code[size] = 0xc3;
    vt_translate_forget(world.translate);
    memcpy(world.window + TRANSLATED_CODE, code, size + 1);
}

static void compare_snippet(const struct snippet *s, uint64_t seed)
{
    static struct vt_vcpu before, theirs, ours;
    static uint8_t memory[TRANSLATED_STACK - TRANSLATED_DATA], our_memory[sizeof memory];
    uint8_t *data = world.window + TRANSLATED_DATA;

    before = *world.vcpu;
    memcpy(memory, data, sizeof memory);
    enum vt_translate_end end = vt_translate_call(world.translate, address(TRANSLATED_CODE), 1000);
    ours = *world.vcpu;
    memcpy(our_memory, data, sizeof memory - 8);
    *world.vcpu = before;
    memcpy(data, memory, sizeof memory);
    theirs = before;
    bool faulted = emulate(s, &theirs);

    ck_assert_msg(faulted == (end == VT_TRANSLATE_FAULT), "%s, seed %llu: ended %d, emulator %s", s->name,
                  (unsigned long long)seed, end, faulted ? "faults" : "goes on");
    if (faulted)
        ck_assert_msg(ours.fault.vector == theirs.fault.vector || ours.fault.vector == 8,
                      "%s: #%u instead of #%u", s->name, ours.fault.vector, theirs.fault.vector);
    forget_place(&ours);
    forget_place(&theirs);
    for (size_t i = 0; i < sizeof ours; i += 8)
        ck_assert_msg(memcmp((uint8_t *)&ours + i, (uint8_t *)&theirs + i, 8) == 0,
                      "%s, seed %llu: offset 0x%zx of the CPU: 0x%llx instead of 0x%llx", s->name,
                      (unsigned long long)seed, i, *(unsigned long long *)((uint8_t *)&ours + i),
                      *(unsigned long long *)((uint8_t *)&theirs + i));
    ck_assert_msg(memcmp(our_memory, data, sizeof memory - 16) == 0, "%s, seed %llu: memory differs", s->name,
                  (unsigned long long)seed);
}

START_TEST(sensitive_instructions_do_what_the_emulator_does)
{
    translated_kernel(&world);
    for (size_t i = 0; i < sizeof snippets / sizeof snippets[0]; i++) {
        lay(&snippets[i]);
        for (uint64_t seed = 0; seed < 400; seed++) {
            random_state = seed;
            random_world();
            compare_snippet(&snippets[i], seed);
        }
    }
    translated_close(&world);
}
END_TEST

VT_SUITE(sensitive_instructions_do_what_the_emulator_does)
