#include "tests/difference/kvm_state.h"

#include <string.h>
#include <sys/ioctl.h>

const uint32_t kvm_state_msrs[] = {0xc0000100, 0xc0000101, 0xc0000102, 0xc0000081, 0xc0000082, 0xc0000083,
                                   0xc0000084, 0x174,      0x175,      0x176,      0x277};
#define MSRS (sizeof kvm_state_msrs / sizeof kvm_state_msrs[0])
const size_t kvm_state_msr_count = MSRS;

union msr_list {
    struct kvm_msrs list;
    uint8_t room[sizeof(struct kvm_msrs) + MSRS * sizeof(struct kvm_msr_entry)];
};

uint64_t *kvm_state_msr(struct vt_vcpu *vcpu, uint32_t index)
{
    const struct vt_msr_place *place = vt_vcpu_find_msr(index);

    return place ? (uint64_t *)(void *)((uint8_t *)vcpu + place->offset) : &vcpu->msr[VT_MSR_PAT];
}

static struct kvm_segment to_segment(const struct vt_segment *s)
{
    return (struct kvm_segment){
        .base = s->base,
        .limit = s->limit,
        .selector = s->selector,
        .type = s->rights & 15,
        .s = s->rights >> 4 & 1,
        .dpl = s->rights >> 5 & 3,
        .present = s->rights >> 7 & 1,
        .avl = s->rights >> 12 & 1,
        .l = s->rights >> 13 & 1,
        .db = s->rights >> 14 & 1,
        .g = s->rights >> 15 & 1,
        .unusable = !s->rights,
    };
}

static struct vt_segment from_segment(const struct kvm_segment *s)
{
    uint16_t rights = (uint16_t)(s->type | s->s << 4 | s->dpl << 5 | s->present << 7 | s->avl << 12 |
                                 s->l << 13 | s->db << 14 | s->g << 15);

    return (struct vt_segment){s->selector, s->unusable ? 0 : rights, s->limit, s->base};
}

static struct kvm_segment *segment_of(struct kvm_sregs *sregs, unsigned name)
{
    struct kvm_segment *const table[VT_SEGMENTS] = {&sregs->es, &sregs->cs, &sregs->ss,  &sregs->ds,
                                                    &sregs->fs, &sregs->gs, &sregs->ldt, &sregs->tr};
    return table[name];
}

static bool set_special(int fd, struct kvm_sregs sregs, const struct vt_vcpu *vcpu)
{
    for (unsigned i = 0; i < VT_SEGMENTS; i++)
        *segment_of(&sregs, i) = to_segment(&vcpu->segment[i]);
    sregs.gdt = (struct kvm_dtable){vcpu->gdtr.base, vcpu->gdtr.limit, {0}};
    sregs.idt = (struct kvm_dtable){vcpu->idtr.base, vcpu->idtr.limit, {0}};
    sregs.cr0 = vcpu->cr[0];
    sregs.cr2 = vcpu->cr[2];
    sregs.cr3 = vcpu->cr[3];
    sregs.cr4 = vcpu->cr[4];
    sregs.cr8 = vcpu->cr[8];
    sregs.efer = vcpu->efer;
    return ioctl(fd, KVM_SET_SREGS, &sregs) == 0;
}

static bool set_general(int fd, const struct vt_vcpu *vcpu)
{
    const uint64_t *g = vcpu->gpr;
    struct kvm_regs regs = {g[0], g[3],  g[1],  g[2],  g[6],  g[7],  g[4],  g[5],      g[8],
                            g[9], g[10], g[11], g[12], g[13], g[14], g[15], vcpu->rip, vt_vcpu_rflags(vcpu)};

    return ioctl(fd, KVM_SET_REGS, &regs) == 0;
}

static bool set_debug(int fd, const struct vt_vcpu *vcpu)
{
    struct kvm_debugregs debug = {.dr6 = vcpu->dr[6], .dr7 = vcpu->dr[7]};

    memcpy(debug.db, vcpu->dr, sizeof debug.db);
    return ioctl(fd, KVM_SET_DEBUGREGS, &debug) == 0;
}

bool kvm_state_set(int fd, const struct kvm_sregs *sregs, const struct vt_vcpu *vcpu)
{
    union msr_list msrs = {.list.nmsrs = MSRS};

    for (size_t i = 0; i < MSRS; i++)
        msrs.list.entries[i] = (struct kvm_msr_entry){
            .index = kvm_state_msrs[i], .data = *kvm_state_msr((struct vt_vcpu *)vcpu, kvm_state_msrs[i])};
    return ioctl(fd, KVM_SET_MSRS, &msrs) == MSRS && set_special(fd, *sregs, vcpu) && set_general(fd, vcpu) &&
           set_debug(fd, vcpu);
}

void kvm_state_set_xcr0(int fd, uint64_t value)
{
    struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs = {{.xcr = 0, .value = value}}};

    ioctl(fd, KVM_SET_XCRS, &xcrs);
}

uint64_t kvm_state_get_xcr0(int fd)
{
    struct kvm_xcrs xcrs = {0};

    return ioctl(fd, KVM_GET_XCRS, &xcrs) == 0 && xcrs.nr_xcrs ? xcrs.xcrs[0].value : 1;
}

static void get_general(const struct kvm_regs *r, struct vt_vcpu *vcpu)
{
    const uint64_t values[16] = {r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi,
                                 r->r8,  r->r9,  r->r10, r->r11, r->r12, r->r13, r->r14, r->r15};

    memcpy(vcpu->gpr, values, sizeof values);
    vcpu->rip = r->rip;
    vt_vcpu_set_rflags(vcpu, r->rflags);
}

static void get_special(struct kvm_sregs *sregs, struct vt_vcpu *vcpu)
{
    for (unsigned i = 0; i < VT_SEGMENTS; i++)
        vcpu->segment[i] = from_segment(segment_of(sregs, i));
    vcpu->gdtr = (struct vt_table_register){sregs->gdt.base, sregs->gdt.limit, {0}};
    vcpu->idtr = (struct vt_table_register){sregs->idt.base, sregs->idt.limit, {0}};
    vcpu->cr[0] = sregs->cr0;
    vcpu->cr[2] = sregs->cr2;
    vcpu->cr[3] = sregs->cr3;
    vcpu->cr[4] = sregs->cr4;
    vcpu->cr[8] = sregs->cr8;
    vcpu->efer = sregs->efer;
    vcpu->msr[VT_MSR_APIC_BASE] = sregs->apic_base;
    vcpu->cpl = sregs->ss.dpl;
}

bool kvm_state_get(int fd, struct vt_vcpu *vcpu)
{
    union msr_list msrs = {.list.nmsrs = MSRS};
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_debugregs debug;

    for (size_t i = 0; i < MSRS; i++)
        msrs.list.entries[i].index = kvm_state_msrs[i];
    if (ioctl(fd, KVM_GET_REGS, &regs) != 0 || ioctl(fd, KVM_GET_SREGS, &sregs) != 0 ||
        ioctl(fd, KVM_GET_DEBUGREGS, &debug) != 0 || ioctl(fd, KVM_GET_MSRS, &msrs) != MSRS)
        return false;
    get_general(&regs, vcpu);
    get_special(&sregs, vcpu);
    memcpy(vcpu->dr, debug.db, sizeof debug.db);
    vcpu->dr[6] = debug.dr6;
    vcpu->dr[7] = debug.dr7;
    for (size_t i = 0; i < MSRS; i++)
        *kvm_state_msr(vcpu, kvm_state_msrs[i]) = msrs.list.entries[i].data;
    return true;
}
