#include "tests/difference/tcg_errors.h"

#include <string.h>

#define CR0_BITS                                                                                             \
    (VT_CR0_PE | VT_CR0_MP | VT_CR0_EM | VT_CR0_TS | VT_CR0_ET | VT_CR0_NE | VT_CR0_WP | VT_CR0_AM |         \
     VT_CR0_NW | VT_CR0_CD | VT_CR0_PG)
/* SYSRET takes VIF and VIP from R11, and neither RF nor VM (Intel SDM 2B SYSRET); QEMU the other way round.
 */
#define ODD_FLAGS (VT_FLAG_RF | VT_FLAG_VM | VT_FLAG_VIF | VT_FLAG_VIP)
#define HANDLERS  (WORLD_CODE + 0x400)

/* QEMU does not look at what is written to control registers, and would leave 64-bit mode. */
static bool is_safe_control(const struct vt_vcpu *vcpu, const struct vt_instruction *i)
{
    uint64_t value = vcpu->gpr[i->rm], paging = VT_CR0_PE | VT_CR0_PG | VT_CR0_ET;

    switch (i->reg) {
    case 0:
        return (value & paging) == paging && !(value & ~CR0_BITS) &&
               (value & VT_CR0_CD || !(value & VT_CR0_NW));
    case 3:
        return !((value ^ vcpu->cr[3]) & ~UINT64_C(0x18));
    case 4:
        return value & VT_CR4_PAE && !(value & ~vcpu->limits.cr4);
    case 8:
        return value < 16;
    default:
        return true;
    }
}

/*
 * QEMU checks CPL before it looks whether DR4 and DR5 exist (SDM 3B 18.2.2 and KVM the other way round), and
 * dies of breakpoints that were set inside an SVM guest.
 */
static bool is_debug_excepted(const struct vt_vcpu *vcpu, const struct vt_instruction *i)
{
    if (vcpu->cpl == 3)
        return i->reg == 4 || i->reg == 5;
    return i->operation == VT_OP_MOV_TO_DR && (i->reg == 5 || i->reg == 7) && vcpu->gpr[i->rm] & 0xff;
}

static bool has_prefix(const struct difference *d, uint8_t prefix)
{
    return memchr(d->code, prefix, d->length) != NULL;
}

/* In an SVM guest EFER has SVME and PAT is the host's; of SYSENTER_CS 16 bits are kept. */
static bool is_odd_msr(uint32_t index)
{
    return index == 0xc0000080 || index == 0x277 || index == 0x174;
}

/* States QEMU is no judge of (target/i386/tcg): what it leaves out, and why. */
bool tcg_errs(const struct difference *d)
{
    const struct vt_instruction *i = &d->instruction;
    const struct vt_vcpu *vcpu = &d->world.vcpu;

    /* Alignment checks do not exist there. */
    if (vcpu->cpl == 3 && vcpu->rflags & VT_FLAG_AC)
        return true;
    switch (i->operation) {
    case VT_OP_MOV_TO_CR:
        return !is_safe_control(vcpu, i);
    case VT_OP_MOV_FROM_DR:
    case VT_OP_MOV_TO_DR:
        return is_debug_excepted(vcpu, i);
    case VT_OP_WRFSBASE: /* an operand-size prefix makes it take 64 bits */
    case VT_OP_WRGSBASE:
        return has_prefix(d, 0x66);
    case VT_OP_RDMSR:
    case VT_OP_WRMSR:
        return is_odd_msr((uint32_t)vcpu->gpr[VT_RCX]);
    case VT_OP_LSS: /* offsets have 32 bits, as on AMD's processors */
    case VT_OP_LFS:
    case VT_OP_LGS:
        return i->size == 8;
    case VT_OP_SYSRET: /* #GP behind the return, as on AMD's processors; compatibility mode is not the
                          emulator's */
        return i->size != 8 || !vt_vcpu_is_canonical(vcpu, vcpu->gpr[VT_RCX]) ||
               vcpu->gpr[VT_R11] & ODD_FLAGS;
    case VT_OP_XSETBV: /* CPL before OSXSAVE */
        return vcpu->cpl == 3;
    case VT_OP_RET_FAR: /* the immediate is taken as signed */
        return i->immediate & 0x8000;
    default:
        return false;
    }
}

/* Of the selector in an error code, which lies in a table. */
static uint64_t descriptor_of(const struct difference *d, uint32_t error, unsigned half)
{
    uint64_t table = error & 4 ? WORLD_LDT : WORLD_GDT, descriptor = 0;

    if ((error & 0xfff8) + 8 * half < 0x1000)
        memcpy(&descriptor, d->world.memory + table - WORLD_MEMORY + (error & 0xfff8) + 8 * (size_t)half, 8);
    return descriptor;
}

/* LLDT and LTR do not look at the second half of a descriptor, and LTR takes a 16-bit TSS. */
static bool is_odd_system(const struct difference *d, uint32_t error)
{
    uint64_t low = descriptor_of(d, error, 0), high = descriptor_of(d, error, 1);
    uint64_t address = (low >> 32 & 0xff000000) | high << 32;

    return high >> 40 & 0x1f || !vt_vcpu_is_canonical(&d->world.vcpu, address) || (low >> 40 & 0x1f) == 1;
}

/* Code of 16 or 32 bits, which the emulator does not have. */
static bool is_legacy_code(const struct difference *d, uint32_t error)
{
    uint64_t low = descriptor_of(d, error, 0);

    return (low >> 43 & 3) == 3 && !(low >> 53 & 1);
}

static const uint8_t *gate_of(const struct difference *d)
{
    unsigned vector = d->instruction.operation == VT_OP_INT3 ? 3 : d->instruction.immediate & 0xff;

    return d->world.memory + (WORLD_IDT - WORLD_MEMORY) + 16 * (size_t)vector;
}

bool tcg_loses_stack(const struct difference *d, const struct tcg_first *first)
{
    uint16_t operation = d->instruction.operation;
    bool stays = d->world.vcpu.cpl == (first->level == LEVEL_USER ? 3 : 0);

    return (operation == VT_OP_INT || operation == VT_OP_INT3) && first->fault < 0 && gate_of(d)[4] & 7 &&
           stays;
}

/* The error code of a gate that INT may not use has the vector doubled; an offset that is not canonical
 * faults behind the gate. At CPL 3 the HLT in the handler faults, and saves the SS that is lost. */
static bool mistakes_gate(const struct difference *d, const struct tcg_first *first)
{
    const uint8_t *gate = gate_of(d);
    uint16_t code;
    bool stays;

    memcpy(&code, gate + 2, sizeof code);
    stays = first->level == LEVEL_USER && code != WORLD_CODE0;
    return (first->fault >= 0 && (first->error & 2 || gate[11] & 0x80)) ||
           (first->fault < 0 && gate[4] & 7 && stays);
}

/* A fault QEMU does not raise, or as another: seen when the emulator has raised it. */
bool tcg_lets_through(const struct difference *d, const struct tcg_first *first)
{
    bool refused = first->fault == VT_EXCEPTION_GP;

    /* Addresses through the stack that are not canonical, and a stack that is not present: #GP and #NP. */
    if (first->fault == VT_EXCEPTION_SS || d->world.vcpu.fault.vector == VT_EXCEPTION_DF)
        return true;
    switch (d->instruction.operation) {
    case VT_OP_INVD: /* QEMU 10 does not look at CPL, which Intel SDM 2A INVD and 2D WBINVD want */
    case VT_OP_WBINVD:
        return first->level == LEVEL_USER;
    case VT_OP_LGDT: /* bases that are not canonical, reserved bits, unknown MSRs */
    case VT_OP_LIDT:
    case VT_OP_RDMSR:
    case VT_OP_WRMSR:
        return refused && first->level == LEVEL_KERNEL;
    case VT_OP_WRFSBASE:
    case VT_OP_WRGSBASE:
        return refused;
    case VT_OP_LLDT:
        return refused && first->error && is_odd_system(d, first->error);
    case VT_OP_LTR: /* and a null selector */
        return refused && first->level == LEVEL_KERNEL && (!first->error || is_odd_system(d, first->error));
    case VT_OP_MOV_TO_SEGMENT: /* a null SS whose RPL is not CPL */
    case VT_OP_LSS:
        return refused && first->error == 0;
    case VT_OP_IRET: /* an address to return to that is not canonical: #GP behind the return */
    case VT_OP_RET_FAR:
        return refused && (first->error == 0 || is_legacy_code(d, first->error));
    case VT_OP_INT:
    case VT_OP_INT3:
        return mistakes_gate(d, first);
    case VT_OP_JMP_FAR: /* a target that is not canonical: #GP behind the jump (Intel SDM 2A, JMP and CALL) */
    case VT_OP_CALL_FAR:
        return refused && (first->error == 0 ? d->instruction.size == 8 : is_legacy_code(d, first->error));
    default:
        return false;
    }
}

/* QEMU 7.2 does not set RF in the flags it pushes for a fault; Intel SDM 3B 18.3.1.1 and APM 2 13.1.1 want
 * it, and QEMU 10 does. */
void tcg_forget_rf(struct emulator *e, const uint8_t *theirs)
{
    unsigned offset = e->vcpu.fault.has_error ? 24 : 16;
    uint64_t flags, pushed, rsp = e->vcpu.gpr[VT_RSP];

    if (e->vcpu.rip - HANDLERS > 0x100 || rsp - WORLD_MEMORY > WORLD_SIZE - 64)
        return;
    memcpy(&pushed, theirs + (rsp + offset - WORLD_MEMORY), sizeof pushed);
    memcpy(&flags, emulator_at(e, rsp + offset), sizeof flags);
    flags &= pushed | ~VT_FLAG_RF;
    memcpy(emulator_at(e, rsp + offset), &flags, sizeof flags);
}

/* LAR and LSL know 16-bit TSSs, call gates and task gates there, which do not exist in 64-bit mode. */
bool tcg_shows_legacy(const struct difference *d, const struct vt_vcpu *theirs)
{
    bool asks = d->instruction.operation == VT_OP_LAR || d->instruction.operation == VT_OP_LSL;

    return asks && !(d->world.vcpu.rflags & VT_FLAG_ZF) && theirs->rflags & VT_FLAG_ZF;
}

void tcg_mark_null(struct vt_vcpu *theirs)
{
    static const uint8_t names[] = {VT_ES, VT_DS, VT_FS, VT_GS, VT_LDTR};

    for (size_t i = 0; i < sizeof names; i++) {
        struct vt_segment *segment = &theirs->segment[names[i]];

        if (segment->selector < 4 && (names[i] == VT_LDTR || !(segment->rights & 0x80)))
            segment->rights = 0;
    }
}
