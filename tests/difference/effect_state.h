/*
 * The state a turn of a case starts from, the same on every engine; for engines in this process and for
 * images.
 */
#ifndef VT_TESTS_DIFFERENCE_EFFECT_STATE_H
#define VT_TESTS_DIFFERENCE_EFFECT_STATE_H

#include "guest/abi.h"
#include "guest/catalogue.h"
#include "vcpu/vcpu.h"

#include <stdbool.h>
#include <string.h>

#define EFFECT_MASK          0x5a                         /* of the 8259A before the case */
#define EFFECT_FS_BASE_TO_BE UINT64_C(0x00007e0000012340) /* what WRMSR is to write */

struct effect_setup {
    int level; /* of the selectors in the scratch block, and of kvm's vCPU */
    bool iopl3;
    bool marked; /* flags, TS, priority and addresses set, instead of clear */
};

static inline void effect_mark(struct vt_vcpu *vcpu)
{
    vt_vcpu_set_rflags(vcpu, vt_vcpu_rflags(vcpu) | VT_FLAG_IF | VT_FLAG_ID);
    vcpu->cr[0] |= VT_CR0_TS;
    vcpu->cr[2] = UINT64_C(0x0000123456789000);
    vcpu->cr[8] = 3;
    vcpu->dr[0] = 0x1000;
    vcpu->dr[3] = 0x4000;
    vcpu->msr[VT_MSR_KERNEL_GS_BASE] = UINT64_C(0x00007d0000005670);
}

/* Registers that are written back get another value than they have: an operation without effect would show.
 */
static inline void effect_suit(struct vt_vcpu *vcpu, struct vt_scratch *scratch,
                               const struct effect_setup *setup)
{
    scratch->cr0 = vcpu->cr[0] ^ VT_CR0_TS;
    scratch->cr3 = vcpu->cr[3] ^ 0x18; /* PWT and PCD */
    scratch->cr4 = vcpu->cr[4] ^ VT_CR4_DE;
    scratch->cr8 = 5;
    scratch->dr7 = 0x700; /* LE and GE, which select nothing */
    scratch->xcr0 = 3;
    scratch->fs_base = EFFECT_FS_BASE_TO_BE;
    scratch->code_selector = setup->level ? VT_SEL_CODE3 : VT_SEL_CODE0;
    scratch->data_selector = setup->level ? VT_SEL_DATA3 : VT_SEL_DATA0;
    memset(scratch->buffer, 0xa5, sizeof scratch->buffer);
}

static inline void effect_unload(struct vt_vcpu *vcpu)
{
    vcpu->gdtr.limit = 0xff;
    vcpu->idtr.limit = 0xfff8 | 7;
    vcpu->segment[VT_ES] = (struct vt_segment){0};
    vcpu->segment[VT_LDTR] = (struct vt_segment){0};
    vcpu->segment[VT_TR].selector = VT_SEL_TSS + 8;
}

static inline void effect_state(const struct vt_case *c, const struct effect_setup *setup,
                                struct vt_vcpu *vcpu, struct vt_scratch *scratch)
{
    vcpu->cr[0] = VT_CR0_PE | VT_CR0_MP | VT_CR0_ET | VT_CR0_NE | VT_CR0_WP | VT_CR0_PG;
    vcpu->cr[2] = vcpu->cr[8] = 0;
    vcpu->cr[3] = VT_GUEST_TABLES;
    vcpu->dr[0] = vcpu->dr[3] = 0;
    vcpu->msr[VT_MSR_KERNEL_GS_BASE] = 0;
    vt_vcpu_set_rflags(vcpu, setup->iopl3 ? VT_FLAG_IOPL : 0);
    vcpu->msr[VT_MSR_APIC_BASE] =
        VT_GUEST_XAPIC | VT_APIC_BASE_ENABLE | 0x100 | (c->needs & VT_NEED_XAPIC ? 0 : VT_APIC_BASE_X2APIC);
    effect_unload(vcpu);
    if (setup->marked)
        effect_mark(vcpu);
    effect_suit(vcpu, scratch, setup);
    if (c->needs & VT_NEED_HANDLERS) { /* the handler reads what to skip */
        const uint64_t words[2] = {c->skip_length, c->skip_vector == VT_EXCEPTION_PF ? 8 : 0};

        memcpy(scratch->buffer, words, sizeof words);
    }
}

#endif
