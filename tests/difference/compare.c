#include "tests/difference/compare.h"

#include "tests/difference/kvm_state.h"

#include <stdio.h>

static char verdict[256];

const char *difference_verdict(void)
{
    return verdict;
}

bool difference_value(const struct difference_ignored *judge, const char *what, uint64_t ours,
                      uint64_t theirs)
{
    if (ours == theirs)
        return false;
    snprintf(verdict, sizeof verdict, "%s: emulator 0x%llx, %s 0x%llx", what, (unsigned long long)ours,
             judge->judge, (unsigned long long)theirs);
    return true;
}

uint64_t difference_undefined(const struct difference *d)
{
    bool amd = d->world.vcpu.limits.vendor == VT_VENDOR_AMD;

    return d->instruction.operation == VT_OP_LAR && !amd ? 0xf0000 : 0;
}

bool difference_registers(const struct difference_ignored *judge, const struct vt_vcpu *ours,
                          const struct vt_vcpu *theirs)
{
    static const char *const names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

    for (unsigned i = 0; i < VT_GPRS; i++) {
        uint64_t ignored = i == judge->reg ? judge->reg_bits : 0;

        if (difference_value(judge, names[i], ours->gpr[i] & ~ignored, theirs->gpr[i] & ~ignored))
            return true;
    }
    return difference_value(judge, "rflags", vt_vcpu_rflags(ours) & ~judge->rflags,
                            vt_vcpu_rflags(theirs) & ~judge->rflags);
}

/* Hypervisors give a null SS the attributes that entering the guest wants. */
static bool is_null_stack(unsigned name, const struct vt_segment *ours)
{
    return name == VT_SS && !ours->rights;
}

bool difference_segments(const struct difference_ignored *judge, const struct vt_vcpu *ours,
                         const struct vt_vcpu *theirs)
{
    static const char *const names[] = {"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"};

    for (unsigned i = 0; i < VT_SEGMENTS; i++) {
        const struct vt_segment *a = &ours->segment[i], *b = &theirs->segment[i];
        uint64_t seen = i == VT_CS ? UINT64_MAX : ~judge->rights;

        if (difference_value(judge, names[i], a->selector, b->selector))
            return true;
        if (!is_null_stack(i, a) && difference_value(judge, names[i], a->rights & seen, b->rights & seen))
            return true;
        if (a->rights && (difference_value(judge, names[i], a->limit, b->limit) ||
                          (i > VT_DS && difference_value(judge, names[i], a->base, b->base))))
            return true;
    }
    return false;
}

static uint64_t ignored_of_msr(const struct difference_ignored *judge, uint32_t index)
{
    if (index == 0x277)
        return judge->pat ? UINT64_MAX : 0;
    if (index == 0x174)
        return judge->sysenter_cs;
    return index == 0x175 || index == 0x176 ? judge->sysenter : 0;
}

static bool msrs_differ(const struct difference_ignored *judge, const struct vt_vcpu *ours,
                        const struct vt_vcpu *theirs)
{
    for (size_t i = 0; i < kvm_state_msr_count; i++) {
        uint32_t index = kvm_state_msrs[i];
        uint64_t seen = ~ignored_of_msr(judge, index);

        if (difference_value(judge, "msr", *kvm_state_msr((struct vt_vcpu *)ours, index) & seen,
                             *kvm_state_msr((struct vt_vcpu *)theirs, index) & seen))
            return true;
    }
    return difference_value(judge, "efer", ours->efer & ~judge->efer, theirs->efer & ~judge->efer);
}

static bool tables_differ(const struct difference_ignored *judge, const struct vt_vcpu *ours,
                          const struct vt_vcpu *theirs)
{
    return difference_value(judge, "gdt", ours->gdtr.base, theirs->gdtr.base) ||
           difference_value(judge, "gdt limit", ours->gdtr.limit, theirs->gdtr.limit) ||
           difference_value(judge, "idt", ours->idtr.base, theirs->idtr.base) ||
           difference_value(judge, "idt limit", ours->idtr.limit, theirs->idtr.limit);
}

bool difference_control(const struct difference_ignored *judge, const struct vt_vcpu *ours,
                        const struct vt_vcpu *theirs)
{
    for (unsigned i = 0; i < 4; i++)
        if (difference_value(judge, "debug address", ours->dr[i], theirs->dr[i]))
            return true;
    for (unsigned i = 0; i <= 8; i++)
        if (difference_value(judge, (const char *[]){"cr0", "", "cr2", "cr3", "cr4", "", "", "", "cr8"}[i],
                             ours->cr[i], theirs->cr[i]))
            return true;
    return msrs_differ(judge, ours, theirs) || tables_differ(judge, ours, theirs) ||
           difference_value(judge, "dr6", ours->dr[6] & ~judge->dr6, theirs->dr[6] & ~judge->dr6) ||
           difference_value(judge, "dr7", ours->dr[7] & ~judge->dr7, theirs->dr[7] & ~judge->dr7);
}

bool difference_is_comparable(const struct emulator *e)
{
    return !(e->vcpu.rflags & VT_FLAG_TF) && e->vcpu.rip - WORLD_CODE < 0x1000;
}

enum vt_step difference_go_on(struct difference *d, enum vt_step step)
{
    static const struct vt_instruction halt = {.operation = VT_OP_HLT, .length = 1, .size = 4};
    struct emulator *e = &d->world;

    if (step != VT_STEP_DONE || e->vcpu.cpl == 0 || !difference_is_comparable(e))
        return step;
    vt_vcpu_execute(&e->vcpu, &e->environment, &halt);
    return vt_vcpu_deliver(&e->vcpu, &e->environment);
}
