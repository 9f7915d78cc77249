#include "tests/difference/tcg.h"

#include "tests/unit/vcpu/emulator.h"

#include <stdio.h>
#include <string.h>

#define SLOTS (JUDGE_HALVES * JUDGE_HALF)
#define SVME  (UINT64_C(1) << 12)

#define PTE_ALL UINT64_C(7) /* present, writable, user */

static void lay_tables(struct judge_slot *slot, uint64_t at)
{
    uint64_t tables = at + offsetof(struct judge_slot, tables),
             world = at + offsetof(struct judge_slot, world);

    for (unsigned i = 0; i < 2; i++)
        slot->tables[i][0] = (tables + 4096 * (i + 1)) | PTE_ALL;
    slot->tables[2][WORLD_MEMORY >> 21] = (tables + 4096 * 3) | PTE_ALL;
    for (unsigned i = 0; i < JUDGE_PAGES; i++)
        slot->tables[3][(WORLD_MEMORY >> 12 & 511) + i] = (world + 4096 * i) | PTE_ALL;
}

bool tcg_open(struct tcg *tcg, char *reason, size_t size)
{
    *tcg = (struct tcg){.image = {.pid = -1}};
    if (!shared_image_open(&tcg->image, "judge.elf", JUDGE_MEMORY,
                           JUDGE_CONTROL + offsetof(struct judge_control, ready), reason, size))
        return false;
    tcg->control = (struct judge_control *)(void *)(tcg->image.memory + JUDGE_CONTROL);
    tcg->slots = (struct judge_slot *)(void *)(tcg->image.memory + JUDGE_SLOTS);
    if (tcg->control->ready != 1) {
        snprintf(reason, size, "QEMU's processor has no SVM");
        tcg_close(tcg);
        return false;
    }
    for (unsigned i = 0; i < SLOTS; i++)
        lay_tables(&tcg->slots[i], JUDGE_SLOTS + i * sizeof(struct judge_slot));
    return true;
}

void tcg_close(struct tcg *tcg)
{
    shared_image_close(&tcg->image);
}

void tcg_fill_cpuid(const struct tcg *tcg, struct vt_vcpu *vcpu)
{
    vcpu->cpuid_count = 0;
    for (uint32_t i = 0; i < tcg->control->leaves && i < VT_CPUID_LEAVES; i++) {
        const uint32_t *row = tcg->control->cpuid[i];
        bool indexed = row[0] == 4 || row[0] == 7 || row[0] == 0xb || row[0] == 0xd;

        vcpu->cpuid[vcpu->cpuid_count++] =
            (struct vt_cpuid_leaf){row[0], row[1], {row[2], row[3], row[4], row[5]}, !indexed, 0};
    }
}

/* Where the VMCB holds what a virtual CPU holds. */
#define WORD(place, member)                                                                                  \
    {                                                                                                        \
        place, offsetof(struct vt_vcpu, member)                                                              \
    }
static const struct {
    uint16_t place, member;
} words[] = {
    WORD(VMCB_CR0, cr[0]),
    WORD(VMCB_CR2, cr[2]),
    WORD(VMCB_CR3, cr[3]),
    WORD(VMCB_CR4, cr[4]),
    WORD(VMCB_DR6, dr[6]),
    WORD(VMCB_DR7, dr[7]),
    WORD(VMCB_RIP, rip),
    WORD(VMCB_RSP, gpr[VT_RSP]),
    WORD(VMCB_RAX, gpr[VT_RAX]),
    WORD(VMCB_STAR, msr[VT_MSR_STAR]),
    WORD(VMCB_LSTAR, msr[VT_MSR_LSTAR]),
    WORD(VMCB_CSTAR, msr[VT_MSR_CSTAR]),
    WORD(VMCB_SFMASK, msr[VT_MSR_FMASK]),
    WORD(VMCB_KERNEL_GS, msr[VT_MSR_KERNEL_GS_BASE]),
    WORD(VMCB_SYSENTER_CS, msr[VT_MSR_SYSENTER_CS]),
    WORD(VMCB_SYSENTER_SP, msr[VT_MSR_SYSENTER_ESP]),
    WORD(VMCB_SYSENTER_IP, msr[VT_MSR_SYSENTER_EIP]),
};

/* As the VMCB has them: attributes without the hole at bits 8-11. */
struct vmcb_segment {
    uint16_t selector, attributes;
    uint32_t limit;
    uint64_t base;
};
static const uint8_t segment_places[VT_SEGMENTS] = {0, 1, 2, 3, 4, 5, 7, 9};
#define PLACE_GDTR 6
#define PLACE_IDTR 8

static void put_word(struct judge_slot *slot, unsigned place, uint64_t value)
{
    memcpy(slot->vmcb + place, &value, sizeof value);
}

static uint64_t get_word(const struct judge_slot *slot, unsigned place)
{
    uint64_t value;

    memcpy(&value, slot->vmcb + place, sizeof value);
    return value;
}

static void put_segments(struct judge_slot *slot, const struct vt_vcpu *vcpu)
{
    struct vmcb_segment *out = (void *)(slot->vmcb + VMCB_SEGMENTS);

    for (unsigned i = 0; i < VT_SEGMENTS; i++) {
        const struct vt_segment *s = &vcpu->segment[i];

        out[segment_places[i]] = (struct vmcb_segment){
            s->selector, (uint16_t)((s->rights & 0xff) | (s->rights >> 4 & 0xf00)), s->limit, s->base};
    }
    out[PLACE_GDTR] = (struct vmcb_segment){0, 0, vcpu->gdtr.limit, vcpu->gdtr.base};
    out[PLACE_IDTR] = (struct vmcb_segment){0, 0, vcpu->idtr.limit, vcpu->idtr.base};
}

static void get_segments(const struct judge_slot *slot, struct vt_vcpu *vcpu)
{
    const struct vmcb_segment *in = (const void *)(slot->vmcb + VMCB_SEGMENTS);

    for (unsigned i = 0; i < VT_SEGMENTS; i++) {
        const struct vmcb_segment *s = &in[segment_places[i]];

        vcpu->segment[i] = (struct vt_segment){
            s->selector, (uint16_t)((s->attributes & 0xff) | (s->attributes & 0xf00) << 4), s->limit,
            s->base};
    }
    vcpu->gdtr = (struct vt_table_register){in[PLACE_GDTR].base, (uint16_t)in[PLACE_GDTR].limit, {0}};
    vcpu->idtr = (struct vt_table_register){in[PLACE_IDTR].base, (uint16_t)in[PLACE_IDTR].limit, {0}};
}

uint64_t tcg_tables(const struct judge_slot *slot)
{
    return (slot->tables[2][WORLD_MEMORY >> 21] & ~UINT64_C(0xfff)) - 3 * 4096;
}

void tcg_put(struct judge_slot *slot, const struct vt_vcpu *vcpu, const uint8_t code[16])
{
    memset(slot->vmcb, 0, sizeof slot->vmcb);
    put_word(slot, VMCB_INTERCEPT, 1 | UINT64_C(1) << 24 | UINT64_C(1) << 31);
    slot->vmcb[VMCB_INTERCEPT2] = 1;
    slot->vmcb[VMCB_ASID] = 1;
    put_word(slot, VMCB_INT_CONTROL, (vcpu->cr[8] & 15) | UINT64_C(1) << 24);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        put_word(slot, words[i].place,
                 *(const uint64_t *)(const void *)((const uint8_t *)vcpu + words[i].member));
    put_word(slot, VMCB_EFER, vcpu->efer | SVME);
    put_word(slot, VMCB_RFLAGS, vt_vcpu_rflags(vcpu));
    slot->vmcb[VMCB_CPL] = vcpu->cpl;
    put_segments(slot, vcpu);
    memcpy(slot->registers.gpr, vcpu->gpr, sizeof slot->registers.gpr);
    memcpy(slot->registers.dr, vcpu->dr, sizeof slot->registers.dr);
    memcpy(slot->registers.code, code, sizeof slot->registers.code);
    slot->registers.xcr0 = vcpu->xcr0;
    slot->registers.pkru = vcpu->pkru;
    slot->registers.used = 1;
}

uint64_t tcg_get(const struct judge_slot *slot, struct vt_vcpu *vcpu)
{
    memcpy(vcpu->gpr, slot->registers.gpr, sizeof vcpu->gpr);
    memcpy(vcpu->dr, slot->registers.dr, sizeof slot->registers.dr);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        *(uint64_t *)(void *)((uint8_t *)vcpu + words[i].member) = get_word(slot, words[i].place);
    vcpu->xcr0 = slot->registers.xcr0;
    vcpu->pkru = (uint32_t)slot->registers.pkru;
    vcpu->cr[8] = get_word(slot, VMCB_INT_CONTROL) & 15;
    vcpu->efer = get_word(slot, VMCB_EFER) & ~SVME;
    vcpu->cpl = slot->vmcb[VMCB_CPL];
    vt_vcpu_set_rflags(vcpu, get_word(slot, VMCB_RFLAGS));
    get_segments(slot, vcpu);
    return get_word(slot, VMCB_EXIT_CODE);
}

void tcg_start(struct tcg *tcg, unsigned half)
{
    __atomic_fetch_add(&tcg->control->go[half], 1, __ATOMIC_SEQ_CST);
}

bool tcg_wait(struct tcg *tcg, unsigned half)
{
    return shared_image_wait(&tcg->image, &tcg->control->go[half], &tcg->control->done[half]);
}
