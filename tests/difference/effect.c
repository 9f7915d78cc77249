#include "tests/difference/effect.h"
#include "tests/difference/effect_code.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* Words of the scratch block the recorder fills (test_effects.c). */
#define RECORD_FLAGS  6 /* of sink */
#define RECORD_DELTA  7
#define RECORD_RDI(s) ((s)->hypercall)
#define RECORD_RSI(s) ((s)->pv_clock)
#define RECORD_TOP(s) ((s)->pv_eoi)
#define RECORD_RBP(s) ((s)->pv_steal)
#define RECORD_R10(s) ((s)->pv_priority)

#define CODE_SIZE 4096 /* more than any body has */

const char *effect_engine_name(enum effect_engine engine)
{
    switch (engine) {
    case EFFECT_TRAP:
        return "trap";
    case EFFECT_TRANSLATE:
        return "translate";
    case EFFECT_KVM:
        return "kvm";
    case EFFECT_SVM:
        return "monitor-svm";
    case EFFECT_SVM_KVM:
        return "monitor-svm-kvm";
    case EFFECT_VMX:
        return "monitor-vmx";
    case EFFECT_VMX_KVM:
        return "monitor-vmx-kvm";
    case EFFECT_TRANSLATION:
        return "monitor-translate";
    case EFFECT_TRANSLATION_AGAIN:
        return "monitor-translate, second time";
    default:
        return "monitor-trap";
    }
}

bool effect_patch(const struct effect_code *code)
{
    uintptr_t first = (uintptr_t)vt_guest_code_start & ~(uintptr_t)4095;
    size_t cases;

    if (mprotect((void *)first, (uintptr_t)vt_guest_code_end - first, PROT_READ | PROT_WRITE | PROT_EXEC) !=
        0)
        return false;
    for (const struct vt_case *c = vt_guest_cases(&cases); cases; c++, cases--)
        if (!effect_patch_body((uint8_t *)(uintptr_t)c->body, vt_guest_code_end, code->record))
            return false;
    return true;
}

void effect_note(struct effect *e, enum effect_device device, bool write, unsigned size, uint64_t where,
                 uint64_t value)
{
    if (e->accesses < EFFECT_ACCESSES)
        e->access[e->accesses] =
            (struct effect_access){device, write, (uint8_t)size, (uint32_t)where,
                                   size < 8 ? value & ((UINT64_C(1) << 8 * size) - 1) : value};
    e->accesses++;
}

void effect_begin(struct effect *e, const struct vt_case *c, const struct effect_setup *setup,
                  struct vt_vcpu *vcpu, struct vt_scratch *scratch)
{
    effect_state(c, setup, vcpu, scratch);
    e->before = *vcpu;
    e->scratch_before = *scratch;
}

static void fact(struct effect *e, enum effect_fact name, uint64_t value, uint64_t size)
{
    e->fact[name] = value;
    e->fact_size[name] = size;
}

void effect_facts(struct effect *e, const struct vt_scratch *scratch, uint64_t code, uint64_t at)
{
    const struct vt_vcpu *vcpu = &e->before;

    fact(e, FACT_CODE, code - CODE_SIZE, 2 * CODE_SIZE);
    fact(e, FACT_SCRATCH, at, sizeof *scratch);
    fact(e, FACT_GDT, vcpu->gdtr.base, VT_GDT_SIZE);
    fact(e, FACT_IDT, vcpu->idtr.base, 16 * VT_VECTORS);
    fact(e, FACT_TSS, vcpu->segment[VT_TR].base, 1);
    fact(e, FACT_TSS_LIMIT, vcpu->segment[VT_TR].limit, 1);
    fact(e, FACT_CS, vcpu->segment[VT_CS].selector, 1);
    fact(e, FACT_SS, vcpu->segment[VT_SS].selector, 1);
    fact(e, FACT_ABSENT, scratch->absent, 4096);
    fact(e, FACT_TOUCH, scratch->touch, 4096);
    fact(e, FACT_DEVICES, scratch->mmio_user, 0x3000);
    fact(e, FACT_XAPIC, scratch->xapic, 4096);
    fact(e, FACT_CR4, vcpu->cr[4], 1);
    fact(e, FACT_CR4_TO_BE, scratch->cr4, 1);
    fact(e, FACT_CR4_FLIPPED, scratch->cr4 ^ 0x80, 1);
    fact(e, FACT_FS_BASE, vcpu->segment[VT_FS].base, 1);
    fact(e, FACT_FS_BASE_LOW, (uint32_t)vcpu->segment[VT_FS].base, 1);
    fact(e, FACT_FS_BASE_HIGH, vcpu->segment[VT_FS].base >> 32, 1);
    fact(e, FACT_XCR0, vcpu->xcr0, 1);
}

void effect_redirect(uint8_t *idt, uint8_t vector, uint64_t handler)
{
    uint64_t gate[2];

    memcpy(gate, idt + 16 * vector, sizeof gate);
    gate[0] = (gate[0] & UINT64_C(0x0000ffffffff0000)) | (handler & 0xffff) | (handler >> 16 & 0xffff) << 48;
    gate[1] = handler >> 32;
    memcpy(idt + 16 * vector, gate, sizeof gate);
}

/* IOPL and IF are the virtual CPU's, everything else of the flags is what PUSHF saw. */
void effect_finish(struct effect *e, const struct vt_scratch *scratch)
{
    struct vt_vcpu *vcpu = &e->after;
    const uint64_t *sink = scratch->sink;
    const uint64_t gpr[VT_GPRS] = {[VT_RAX] = sink[0],
                                   [VT_RBX] = sink[1],
                                   [VT_RCX] = sink[2],
                                   [VT_RDX] = sink[3],
                                   [VT_R8] = sink[4],
                                   [VT_R9] = sink[5],
                                   [VT_RDI] = RECORD_RDI(scratch),
                                   [VT_RSI] = RECORD_RSI(scratch),
                                   [VT_R10] = RECORD_R10(scratch)};

    e->scratch_after = *scratch;
    memcpy(vcpu->gpr, gpr, sizeof gpr);
    vcpu->rflags = (sink[RECORD_FLAGS] & VT_FLAGS_USER) | VT_FLAG_ONE;
    e->stack_delta = sink[RECORD_DELTA];
    e->stack_top = (int64_t)e->stack_delta < 0 ? RECORD_TOP(scratch) : 0;
    fact(e, FACT_STACK, RECORD_RBP(scratch) - 256, 512);
}

struct comparison {
    const struct effect *a, *b;
    char *text;
    size_t size;
};

static bool same(const struct comparison *c, uint64_t x, uint64_t y)
{
    if (x == y)
        return true;
    for (unsigned i = 0; i < FACTS; i++)
        if (x - c->a->fact[i] < c->a->fact_size[i] && x - c->a->fact[i] == y - c->b->fact[i])
            return true;
    return false;
}

static bool expect(const struct comparison *c, const char *what, uint64_t x, uint64_t y)
{
    if (same(c, x, y))
        return true;
    snprintf(c->text, c->size, "%s: %s 0x%llx, %s 0x%llx", what, effect_engine_name(c->a->engine),
             (unsigned long long)x, effect_engine_name(c->b->engine), (unsigned long long)y);
    return false;
}

/* RDSEED that finds no seed clears its destination and CF, on either side by itself (SDM 2B RDSEED). */
static bool is_empty_handed(const struct effect *e, uint64_t value, uint32_t licence)
{
    return licence & EFFECT_FLAGS && value == 0 && !(e->after.rflags & VT_FLAG_CF);
}

static bool registers_equal(const struct comparison *c, uint32_t licence)
{
    static const char *const names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

    for (unsigned i = 0; i < VT_GPRS; i++) {
        uint64_t x = c->a->after.gpr[i], y = c->b->after.gpr[i];

        if (licence >> i & 1 && (is_empty_handed(c->a, x, licence) || is_empty_handed(c->b, y, licence)))
            continue;
        /* What may be another value is written on both sides with the same width. */
        if (licence >> i & 1 ? (x >> 32 != 0) != (y >> 32 != 0) : !same(c, x, y))
            return expect(c, names[i], x, y);
    }
    return licence & EFFECT_FLAGS || expect(c, "rflags", c->a->after.rflags, c->b->after.rflags);
}

#define FIELD(name, member)                                                                                  \
    {                                                                                                        \
        name, offsetof(struct vt_vcpu, member), sizeof(((struct vt_vcpu *)0)->member)                        \
    }
#define SEGMENT(name, number)                                                                                \
    FIELD(name " selector", segment[number].selector), FIELD(name " rights", segment[number].rights),        \
        FIELD(name " limit", segment[number].limit)
#define BASED(name, number) SEGMENT(name, number), FIELD(name " base", segment[number].base)

static const struct {
    const char *name;
    size_t offset, size;
} fields[] = {
    FIELD("interrupt flag", interrupt_flag),
    FIELD("system flags", system_flags),
    FIELD("cr0", cr[0]),
    FIELD("cr2", cr[2]),
    FIELD("cr3", cr[3]),
    FIELD("cr4", cr[4]),
    FIELD("cr8", cr[8]),
    FIELD("dr0", dr[0]),
    FIELD("dr1", dr[1]),
    FIELD("dr2", dr[2]),
    FIELD("dr3", dr[3]),
    FIELD("dr6", dr[6]),
    FIELD("dr7", dr[7]),
    FIELD("xcr0", xcr0),
    FIELD("efer", efer),
    FIELD("kernel gs base", msr[VT_MSR_KERNEL_GS_BASE]),
    FIELD("star", msr[VT_MSR_STAR]),
    FIELD("lstar", msr[VT_MSR_LSTAR]),
    FIELD("cstar", msr[VT_MSR_CSTAR]),
    FIELD("fmask", msr[VT_MSR_FMASK]),
    FIELD("sysenter cs", msr[VT_MSR_SYSENTER_CS]),
    FIELD("sysenter esp", msr[VT_MSR_SYSENTER_ESP]),
    FIELD("sysenter eip", msr[VT_MSR_SYSENTER_EIP]),
    FIELD("pat", msr[VT_MSR_PAT]),
    FIELD("apic base", msr[VT_MSR_APIC_BASE]),
    SEGMENT("es", VT_ES),
    SEGMENT("cs", VT_CS),
    SEGMENT("ss", VT_SS),
    SEGMENT("ds", VT_DS),
    BASED("fs", VT_FS),
    BASED("gs", VT_GS),
    BASED("ldtr", VT_LDTR),
    BASED("tr", VT_TR),
    FIELD("gdtr base", gdtr.base),
    FIELD("gdtr limit", gdtr.limit),
    FIELD("idtr base", idtr.base),
    FIELD("idtr limit", idtr.limit),
    FIELD("cpl", cpl),
    FIELD("interrupts in service", apic.isr[3]),
    FIELD("interrupts accepted", apic.sent),
};

static uint64_t field_of(const struct vt_vcpu *vcpu, size_t i)
{
    uint64_t value = 0;

    memcpy(&value, (const uint8_t *)vcpu + fields[i].offset, fields[i].size);
    return value;
}

/* What stays on both sides as it was is equal, whatever it was. With a licence: it changes on both. */
static bool state_equal(const struct comparison *c, bool licensed)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        uint64_t x = field_of(&c->a->after, i), y = field_of(&c->b->after, i);

        if (!licensed && (x != field_of(&c->a->before, i) || y != field_of(&c->b->before, i)) &&
            !expect(c, fields[i].name, x, y))
            return false;
    }
    return expect(c, "doorbells", c->a->doorbells, c->b->doorbells) &&
           expect(c, "8259A mask", c->a->mask, c->b->mask);
}

static uint64_t word_of(const struct vt_scratch *scratch, size_t offset)
{
    uint64_t word;

    memcpy(&word, (const uint8_t *)scratch + offset, sizeof word);
    return word;
}

static bool is_written(const struct effect *e, size_t offset)
{
    return word_of(&e->scratch_after, offset) != word_of(&e->scratch_before, offset);
}

/* A 10-byte table register at the start of the buffer: its base begins in the middle of a word. */
static bool is_table_register(const struct comparison *c, size_t offset)
{
    uint64_t x = word_of(&c->a->scratch_after, offset), y = word_of(&c->b->scratch_after, offset);

    return offset == offsetof(struct vt_scratch, buffer) && (uint16_t)x == (uint16_t)y &&
           same(c, word_of(&c->a->scratch_after, offset + 2), word_of(&c->b->scratch_after, offset + 2));
}

/* Up to the recorder's own words; the sink holds registers. */
static bool memory_equal(const struct comparison *c, bool licensed)
{
    for (size_t i = 0; i < offsetof(struct vt_scratch, hypercall); i += 8) {
        uint64_t x = word_of(&c->a->scratch_after, i), y = word_of(&c->b->scratch_after, i);
        char what[32];

        if (i - offsetof(struct vt_scratch, sink) < sizeof c->a->scratch_after.sink ||
            (!is_written(c->a, i) && !is_written(c->b, i)))
            continue;
        snprintf(what, sizeof what, "scratch+0x%zx", i);
        if (licensed ? !expect(c, what, is_written(c->a, i), is_written(c->b, i))
                     : !is_table_register(c, i) && !expect(c, what, x, y))
            return false;
    }
    return true;
}

static bool devices_equal(const struct comparison *c)
{
    if (!expect(c, "device accesses", c->a->accesses, c->b->accesses))
        return false;
    for (unsigned i = 0; i < c->a->accesses && i < EFFECT_ACCESSES; i++) {
        const struct effect_access *x = &c->a->access[i], *y = &c->b->access[i];

        if (!expect(c, "device", x->device, y->device) || !expect(c, "direction", x->write, y->write) ||
            !expect(c, "access size", x->size, y->size) ||
            !expect(c, "port, page or MSR", x->where, y->where) || !expect(c, "value", x->value, y->value))
            return false;
    }
    return true;
}

static bool stack_equal(const struct comparison *c, bool licensed)
{
    return expect(c, "stack pointer", c->a->stack_delta, c->b->stack_delta) &&
           (licensed || expect(c, "pushed", c->a->stack_top, c->b->stack_top));
}

bool effect_equal(const struct effect *a, const struct effect *b, uint32_t licence, char *text, size_t size)
{
    struct comparison c = {a, b, text, size};

    if (a->end != b->end && licence & EFFECT_END)
        return true;
    if (a->end != b->end || a->end == EFFECT_FAULT)
        return expect(&c, "end", a->end, b->end) && expect(&c, "vector", a->vector, b->vector);
    return registers_equal(&c, licence) && stack_equal(&c, licence & EFFECT_STACK) &&
           state_equal(&c, licence & EFFECT_STATE) && memory_equal(&c, licence & EFFECT_MEMORY) &&
           devices_equal(&c);
}
