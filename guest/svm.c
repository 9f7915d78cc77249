#include "guest/svm.h"
#include "guest/abi.h"

#include <stddef.h>
#include <string.h>

_Static_assert(offsetof(struct vt_vmcb, ports) == 0x040, "AMD APM 2 B-1");
_Static_assert(offsetof(struct vt_vmcb, asid) == 0x058, "AMD APM 2 B-1");
_Static_assert(offsetof(struct vt_vmcb, exit_code) == 0x070, "AMD APM 2 B-1");
_Static_assert(offsetof(struct vt_vmcb, nested_control) == 0x090, "AMD APM 2 B-1");
_Static_assert(offsetof(struct vt_vmcb, interrupt_control) == 0x060, "AMD APM 2 B-1");
_Static_assert(offsetof(struct vt_vmcb, injected) == 0x0a8, "AMD APM 2 B-1");
_Static_assert(offsetof(struct vt_vmcb, nested_cr3) == 0x0b0, "AMD APM 2 B-1");
_Static_assert(offsetof(struct vt_vmcb, es) == 0x400, "AMD APM 2 B-2");
_Static_assert(offsetof(struct vt_vmcb, cpl) == 0x4cb, "AMD APM 2 B-2");
_Static_assert(offsetof(struct vt_vmcb, efer) == 0x4d0, "AMD APM 2 B-2");
_Static_assert(offsetof(struct vt_vmcb, cr4) == 0x548, "AMD APM 2 B-2");
_Static_assert(offsetof(struct vt_vmcb, rsp) == 0x5d8, "AMD APM 2 B-2");
_Static_assert(offsetof(struct vt_vmcb, rax) == 0x5f8, "AMD APM 2 B-2");
_Static_assert(offsetof(struct vt_vmcb, pat) == 0x668, "AMD APM 2 B-2");
_Static_assert(sizeof(struct vt_vmcb) == 4096, "a control block is a page");

/* Words of `intercepts` and their bits. */
enum { MISCELLANEOUS = 3, INSTRUCTIONS = 4 };
#define SHUTDOWN (UINT32_C(1) << 31)
#define VMRUN    (UINT32_C(1) << 0) /* the processor refuses a guest without it (15.5.1) */
#define VMMCALL  (UINT32_C(1) << 1)
/* INTR, NMI, SMI, INIT; CPUID, INVD, HLT, INVLPGA, ports and MSRs by their bitmaps. VMLOAD, VMSAVE, STGI,
 * CLGI. */
#define MISCELLANEOUS_OF_KVM (UINT32_C(0x3d44000f))
#define INSTRUCTIONS_OF_KVM  (UINT32_C(0x3c))

#define NESTED_PAGING UINT64_C(1)

#define PAGE_ALL   UINT64_C(0x007) /* nested walks are user's (15.25.5) */
#define PAGE_LARGE UINT64_C(0x080)
#define ENTRIES    512

#define DR6_RESET UINT64_C(0xffff0ff0)
#define DR7_RESET UINT64_C(0x400)
#define PAT_RESET UINT64_C(0x0007040600070406)

/* Attributes as in a descriptor, its bits 55:52 and 47:40 joined (15.5.1). */
static struct vt_vmcb_segment segment(const struct kvm_segment *s)
{
    unsigned attributes = s->type | (unsigned)s->s << 4 | (unsigned)s->dpl << 5 | (unsigned)s->present << 7 |
                          (unsigned)s->avl << 8 | (unsigned)s->l << 9 | (unsigned)s->db << 10 |
                          (unsigned)s->g << 11;
    return (struct vt_vmcb_segment){s->selector, (uint16_t)attributes, s->limit, s->base};
}

static struct vt_vmcb_segment table(const struct kvm_dtable *t)
{
    return (struct vt_vmcb_segment){.limit = t->limit, .base = t->base};
}

void vt_svm_fill_state(struct vt_vmcb *vmcb, const struct kvm_sregs *sregs)
{
    vmcb->es = segment(&sregs->es);
    vmcb->cs = segment(&sregs->cs);
    vmcb->ss = segment(&sregs->ss);
    vmcb->ds = segment(&sregs->ds);
    vmcb->fs = segment(&sregs->fs);
    vmcb->gs = segment(&sregs->gs);
    vmcb->ldtr = segment(&sregs->ldt);
    vmcb->tr = segment(&sregs->tr);
    vmcb->gdtr = table(&sregs->gdt);
    vmcb->idtr = table(&sregs->idt);
    vmcb->cpl = sregs->ss.dpl;
    vmcb->efer = sregs->efer;
    vmcb->cr0 = sregs->cr0;
    vmcb->cr3 = sregs->cr3;
    vmcb->cr4 = sregs->cr4;
    vmcb->dr6 = DR6_RESET;
    vmcb->dr7 = DR7_RESET;
    vmcb->rflags = 2;
    vmcb->pat = PAT_RESET;
}

/*
 * One gibibyte, each address itself. Not the tables that the guest walks: a hypervisor below watches over
 * these, and the processor writes accessed bits into those.
 */
static void nested_tables(uint8_t *memory, uint64_t base)
{
    const uint64_t pml4 = VT_GUEST_NESTED + VT_NESTED_TABLES, pdpt = pml4 + 0x1000, directory = pdpt + 0x1000;
    uint64_t *entries = (uint64_t *)(void *)(memory + directory);

    *(uint64_t *)(void *)(memory + pml4) = (base + pdpt) | PAGE_ALL;
    *(uint64_t *)(void *)(memory + pdpt) = (base + directory) | PAGE_ALL;
    for (uint64_t i = 0; i < ENTRIES; i++)
        entries[i] = i << 21 | PAGE_ALL | PAGE_LARGE;
}

/* What each hypervisor does that lets its guest have no port and no MSR but by the bitmaps. */
static void intercept_as_kvm(struct vt_vmcb *guest, uint8_t *memory, uint64_t base)
{
    memset(memory + VT_GUEST_NESTED + VT_NESTED_BITMAP, 0xff, VT_NESTED_BITMAP_SIZE);
    guest->intercepts[MISCELLANEOUS] |= MISCELLANEOUS_OF_KVM;
    guest->intercepts[INSTRUCTIONS] |= INSTRUCTIONS_OF_KVM;
    guest->ports = guest->msrs = base + VT_GUEST_NESTED + VT_NESTED_BITMAP;
}

void vt_svm_fill(uint8_t *memory, uint64_t base, const struct kvm_sregs *sregs,
                 const struct vt_svm_inner *inner)
{
    struct vt_vmcb *guest = (void *)(memory + VT_GUEST_NESTED + VT_NESTED_INNER);
    struct vt_vmcb *own = (void *)(memory + VT_GUEST_NESTED + VT_NESTED_OWN);

    memset(memory + VT_GUEST_NESTED, 0, VT_NESTED_SIZE);
    vt_svm_fill_state(own, sregs);
    vt_svm_fill_state(guest, sregs);
    guest->intercepts[MISCELLANEOUS] = SHUTDOWN;
    guest->intercepts[INSTRUCTIONS] = VMRUN | (inner->kind == VT_INNER_RUNS ? 0 : VMMCALL);
    guest->asid = inner->kind == VT_INNER_REFUSED ? 0 : VT_NESTED_ASID;
    if (inner->kind == VT_INNER_AS_KVM)
        intercept_as_kvm(guest, memory, base);
    guest->rip = inner->rip;
    guest->rsp = inner->rsp;
    if (inner->kind == VT_INNER_SHADOWED)
        return;
    nested_tables(memory, base);
    guest->nested_control = NESTED_PAGING;
    guest->nested_cr3 = base + VT_GUEST_NESTED + VT_NESTED_TABLES;
}
