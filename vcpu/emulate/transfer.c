/* Control transfers that go through descriptors, gates or their MSRs. 64-bit code segments alone. */
#include "vcpu/emulate/emulate.h"
#include "vcpu/emulate/internal.h"

#define SELECTOR_CODE3 3

/* INT3 and INT1 are exceptions with a vector of their own; INT1 does not ask the gate (Intel SDM
 * 3A 6.12.1.2). */
enum vt_step vt_emulate_int_n(struct vt_emulation *e)
{
    struct vt_delivery delivery = {
        .vector = (uint8_t)e->instruction->immediate,
        .event = VT_EVENT_SOFTWARE,
        .checks_gate = true,
        .rip = e->next,
    };

    if (e->instruction->operation == VT_OP_INT3)
        delivery.vector = VT_EXCEPTION_BP;
    if (e->instruction->operation == VT_OP_INT1) {
        delivery.vector = VT_EXCEPTION_DB;
        delivery.event = VT_EVENT_TRAP;
        delivery.checks_gate = false;
    }
    return vt_emulate_enter(e, &delivery) ? VT_STEP_DONE : VT_STEP_FAULT;
}

/* What IRET and far RET find on the stack. */
struct frame {
    uint64_t rip, cs, rflags, rsp, ss;
};

static bool read_words(struct vt_emulation *e, uint64_t address, unsigned size, unsigned count,
                       uint64_t *words)
{
    for (unsigned i = 0; i < count; i++) {
        words[i] = 0;
        if (!vt_emulate_load(e, address + (uint64_t)i * size, VT_SS, &words[i], size))
            return false;
    }
    return true;
}

/* The code segment a return leads to: at the same level or further out (Intel SDM 2B RET and IRET). */
static bool return_code(struct vt_emulation *e, uint16_t selector, struct vt_descriptor *descriptor)
{
    uint32_t error = selector & 0xfffc;
    unsigned rpl = selector & 3, type, dpl;
    enum vt_descriptor_result result;

    if (vt_selector_is_null(selector))
        return vt_emulate_refuse(e, VT_EXCEPTION_GP, 0);
    result = vt_emulate_descriptor(e, selector, 8, descriptor);
    if (result == VT_DESCRIPTOR_FAULT)
        return false;
    type = vt_descriptor_type(descriptor);
    dpl = vt_descriptor_dpl(descriptor);
    if (result == VT_DESCRIPTOR_OUTSIDE || !vt_descriptor_is_memory(descriptor) || !(type & VT_TYPE_CODE) ||
        rpl < e->vcpu->cpl || !vt_descriptor_is_long(descriptor))
        return vt_emulate_refuse(e, VT_EXCEPTION_GP, error);
    if (type & VT_TYPE_CONFORMING ? dpl > rpl : dpl != rpl)
        return vt_emulate_refuse(e, VT_EXCEPTION_GP, error);
    return vt_descriptor_is_present(descriptor) ? true : vt_emulate_refuse(e, VT_EXCEPTION_NP, error);
}

/* The stack segment a return loads; null is allowed below CPL 3. A null one has no descriptor. */
static bool return_stack(struct vt_emulation *e, uint16_t selector, unsigned cpl,
                         struct vt_descriptor *descriptor)
{
    uint32_t error = selector & 0xfffc;
    enum vt_descriptor_result result;
    unsigned type;

    *descriptor = (struct vt_descriptor){0};
    if (vt_selector_is_null(selector))
        return cpl != 3 && (selector & 3) == cpl ? true : vt_emulate_refuse(e, VT_EXCEPTION_GP, 0);
    result = vt_emulate_descriptor(e, selector, 8, descriptor);
    if (result == VT_DESCRIPTOR_FAULT)
        return false;
    type = vt_descriptor_type(descriptor);
    if (result == VT_DESCRIPTOR_OUTSIDE || (selector & 3) != cpl || !vt_descriptor_is_memory(descriptor) ||
        (type & (VT_TYPE_CODE | VT_TYPE_WRITABLE)) != VT_TYPE_WRITABLE ||
        vt_descriptor_dpl(descriptor) != cpl)
        return vt_emulate_refuse(e, VT_EXCEPTION_GP, error);
    return vt_descriptor_is_present(descriptor) ? true : vt_emulate_refuse(e, VT_EXCEPTION_SS, error);
}

static bool fill_stack(struct vt_emulation *e, uint16_t selector, struct vt_descriptor *descriptor)
{
    if (!vt_selector_is_null(selector))
        return vt_emulate_fill_segment(e, VT_SS, selector, descriptor);
    e->vcpu->segment[VT_SS] = (struct vt_segment){.selector = selector};
    return true;
}

/* Data segments that the outer level may not use become null (Intel SDM 2B IRET,
 * RETURN-TO-OUTER-PRIVILEGE-LEVEL). */
static void drop_inner_segments(struct vt_vcpu *vcpu)
{
    static const uint8_t names[] = {VT_ES, VT_DS, VT_FS, VT_GS};

    for (unsigned i = 0; i < sizeof(names); i++) {
        struct vt_segment *segment = &vcpu->segment[names[i]];
        bool conforming =
            (segment->rights & (VT_TYPE_CODE | VT_TYPE_CONFORMING)) == (VT_TYPE_CODE | VT_TYPE_CONFORMING);

        if (segment->rights && !conforming && (segment->rights >> 5 & 3) < vcpu->cpl) {
            segment->selector = 0;
            segment->rights = 0;
        }
    }
}

/* Load CS, SS, RSP and CPL of a checked frame. */
static bool go_out(struct vt_emulation *e, const struct frame *frame, struct vt_descriptor *code,
                   struct vt_descriptor *stack, bool loads_stack)
{
    struct vt_vcpu *vcpu = e->vcpu;
    unsigned cpl = frame->cs & 3, before = vcpu->cpl;

    if (!vt_emulate_fill_segment(e, VT_CS, frame->cs, code))
        return false;
    if (loads_stack && !fill_stack(e, frame->ss, stack))
        return false;
    vcpu->cpl = cpl;
    vcpu->gpr[VT_RSP] = frame->rsp;
    e->next = frame->rip;
    if (cpl > before)
        drop_inner_segments(vcpu);
    return true;
}

/* Bits IRET may change: decided by the level it is executed at (Intel SDM 2A IRET). */
static uint64_t iret_mask(const struct vt_vcpu *vcpu, unsigned size)
{
    uint64_t mask = VT_FLAGS_USER | VT_FLAG_RF;

    if (vcpu->cpl <= (vcpu->system_flags & VT_FLAG_IOPL) >> 12)
        mask |= VT_FLAG_IF;
    if (vcpu->cpl == 0)
        mask |= VT_FLAG_IOPL | VT_FLAG_VIF | VT_FLAG_VIP;
    return size == 2 ? mask & 0xffff : mask;
}

/* In 64-bit mode IRET always pops SS:RSP. */
enum vt_step vt_emulate_iret(struct vt_emulation *e)
{
    struct vt_vcpu *vcpu = e->vcpu;
    struct vt_descriptor code, stack;
    uint64_t words[5], mask;
    struct frame frame;

    if (vcpu->rflags & VT_FLAG_NT)
        return vt_emulate_gp(e, 0);
    if (!read_words(e, vcpu->gpr[VT_RSP], e->instruction->size, 5, words))
        return VT_STEP_FAULT;
    frame = (struct frame){words[0], words[1] & 0xffff, words[2], words[3], words[4] & 0xffff};
    if (!return_code(e, frame.cs, &code) || !return_stack(e, frame.ss, frame.cs & 3, &stack))
        return VT_STEP_FAULT;
    if (!vt_vcpu_is_canonical(vcpu, frame.rip))
        return vt_emulate_gp(e, 0);
    mask = iret_mask(vcpu, e->instruction->size);
    if (!go_out(e, &frame, &code, &stack, true))
        return VT_STEP_FAULT;
    vt_vcpu_set_rflags(vcpu, (vt_vcpu_rflags(vcpu) & ~mask) | (frame.rflags & mask));
    e->keep_rf = true;
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_ret_far(struct vt_emulation *e)
{
    struct vt_vcpu *vcpu = e->vcpu;
    unsigned size = e->instruction->size;
    uint64_t rsp = vcpu->gpr[VT_RSP], released = (uint16_t)e->instruction->immediate, words[2], outer[2];
    struct vt_descriptor code, stack;
    struct frame frame;
    bool outward;

    if (!read_words(e, rsp, size, 2, words))
        return VT_STEP_FAULT;
    frame = (struct frame){.rip = words[0], .cs = words[1] & 0xffff, .rsp = rsp + 2 * size + released};
    if (!return_code(e, frame.cs, &code))
        return VT_STEP_FAULT;
    outward = (frame.cs & 3) > vcpu->cpl;
    if (outward) {
        if (!read_words(e, frame.rsp, size, 2, outer))
            return VT_STEP_FAULT;
        frame.rsp = outer[0] + released;
        frame.ss = outer[1] & 0xffff;
        if (!return_stack(e, frame.ss, frame.cs & 3, &stack))
            return VT_STEP_FAULT;
    }
    if (!vt_vcpu_is_canonical(vcpu, frame.rip))
        return vt_emulate_gp(e, 0);
    return go_out(e, &frame, &code, &stack, outward) ? VT_STEP_DONE : VT_STEP_FAULT;
}

/* Where a far CALL or JMP leads. */
struct target {
    uint16_t selector;
    uint64_t rip;
    struct vt_descriptor code;
    unsigned cpl;
    bool gated; /* through a call gate */
};

/* A gate names code at the same level or, for CALL, further in (Intel SDM 3A 5.8.4). */
static bool gate_code(struct vt_emulation *e, bool calls, struct target *target)
{
    unsigned cpl = e->vcpu->cpl, type, dpl;
    uint32_t error = target->selector & 0xfffc;
    enum vt_descriptor_result result;

    if (vt_selector_is_null(target->selector))
        return vt_emulate_refuse(e, VT_EXCEPTION_GP, 0);
    result = vt_emulate_descriptor(e, target->selector, 8, &target->code);
    if (result == VT_DESCRIPTOR_FAULT)
        return false;
    type = vt_descriptor_type(&target->code);
    dpl = vt_descriptor_dpl(&target->code);
    if (result == VT_DESCRIPTOR_OUTSIDE || !vt_descriptor_is_memory(&target->code) ||
        !(type & VT_TYPE_CODE) || dpl > cpl || !vt_descriptor_is_long(&target->code))
        return vt_emulate_refuse(e, VT_EXCEPTION_GP, error);
    if (!calls && !(type & VT_TYPE_CONFORMING) && dpl != cpl)
        return vt_emulate_refuse(e, VT_EXCEPTION_GP, error);
    if (!vt_descriptor_is_present(&target->code))
        return vt_emulate_refuse(e, VT_EXCEPTION_NP, error);
    target->cpl = type & VT_TYPE_CONFORMING ? cpl : dpl;
    return true;
}

static bool through_gate(struct vt_emulation *e, bool calls, struct target *target)
{
    uint32_t error = target->selector & 0xfffc;
    unsigned rpl = target->selector & 3;
    struct vt_descriptor gate;
    enum vt_descriptor_result result = vt_emulate_descriptor(e, target->selector, 16, &gate);

    if (result == VT_DESCRIPTOR_FAULT)
        return false;
    if (result == VT_DESCRIPTOR_OUTSIDE || vt_descriptor_type(&gate) != VT_TYPE_CALL_GATE ||
        gate.high >> 40 & 0x1f || vt_descriptor_dpl(&gate) < e->vcpu->cpl || vt_descriptor_dpl(&gate) < rpl)
        return vt_emulate_refuse(e, VT_EXCEPTION_GP, error);
    if (!vt_descriptor_is_present(&gate))
        return vt_emulate_refuse(e, VT_EXCEPTION_NP, error);
    target->rip = (gate.low & 0xffff) | (gate.low >> 32 & 0xffff0000) | gate.high << 32;
    target->selector = gate.low >> 16;
    return gate_code(e, calls, target);
}

/* Without a gate the level does not change. */
static bool direct_code(struct vt_emulation *e, struct target *target)
{
    unsigned cpl = e->vcpu->cpl, rpl = target->selector & 3, dpl = vt_descriptor_dpl(&target->code);
    uint32_t error = target->selector & 0xfffc;
    unsigned type = vt_descriptor_type(&target->code);

    if (!(type & VT_TYPE_CODE) || !vt_descriptor_is_long(&target->code))
        return vt_emulate_refuse(e, VT_EXCEPTION_GP, error);
    if (type & VT_TYPE_CONFORMING ? dpl > cpl : rpl > cpl || dpl != cpl)
        return vt_emulate_refuse(e, VT_EXCEPTION_GP, error);
    if (!vt_descriptor_is_present(&target->code))
        return vt_emulate_refuse(e, VT_EXCEPTION_NP, error);
    target->cpl = cpl;
    return true;
}

static bool find_target(struct vt_emulation *e, bool calls, struct target *target)
{
    const struct vt_instruction *instruction = e->instruction;
    uint64_t address = vt_vcpu_linear_address(e->vcpu, instruction);
    enum vt_descriptor_result result;

    target->rip = 0;
    if (!vt_emulate_load(e, address, instruction->segment, &target->rip, instruction->size) ||
        !vt_emulate_load(e, address + instruction->size, instruction->segment, &target->selector, 2))
        return false;
    if (vt_selector_is_null(target->selector))
        return vt_emulate_refuse(e, VT_EXCEPTION_GP, 0);
    result = vt_emulate_descriptor(e, target->selector, 8, &target->code);
    if (result == VT_DESCRIPTOR_FAULT)
        return false;
    if (result == VT_DESCRIPTOR_OUTSIDE)
        return vt_emulate_refuse(e, VT_EXCEPTION_GP, target->selector & 0xfffc);
    target->gated = !vt_descriptor_is_memory(&target->code);
    if (!(target->gated ? through_gate(e, calls, target) : direct_code(e, target)))
        return false;
    return vt_vcpu_is_canonical(e->vcpu, target->rip) ? true : vt_emulate_refuse(e, VT_EXCEPTION_GP, 0);
}

enum vt_step vt_emulate_jmp_far(struct vt_emulation *e)
{
    struct target target;

    if (!find_target(e, false, &target) ||
        !vt_emulate_fill_segment(e, VT_CS, (target.selector & 0xfffc) | target.cpl, &target.code))
        return VT_STEP_FAULT;
    e->next = target.rip;
    return VT_STEP_DONE;
}

/* Entering a more privileged level takes that level's stack from the TSS and leaves SS null. */
static bool switch_stack(struct vt_emulation *e, unsigned cpl, uint64_t *rsp)
{
    const struct vt_segment *tss = &e->vcpu->segment[VT_TR];
    uint32_t offset = 4 + 8 * cpl;
    uint64_t old[2] = {e->vcpu->gpr[VT_RSP], e->vcpu->segment[VT_SS].selector};

    if (!tss->rights || offset + 7 > tss->limit)
        return vt_emulate_refuse(e, VT_EXCEPTION_TS, tss->selector & 0xfffc);
    if (!vt_emulate_load_system(e, tss->base + offset, rsp, 8))
        return false;
    if (!vt_vcpu_is_canonical(e->vcpu, *rsp) || !vt_vcpu_is_canonical(e->vcpu, *rsp - 32))
        return vt_emulate_refuse(e, VT_EXCEPTION_SS, 0);
    *rsp -= 16;
    return vt_emulate_store_system(e, *rsp, old, sizeof(old));
}

static bool push_return(struct vt_emulation *e, unsigned size, uint64_t *rsp)
{
    uint64_t words[2] = {e->next, e->vcpu->segment[VT_CS].selector};

    for (unsigned i = 0; i < 2; i++) {
        *rsp -= size;
        if (!vt_emulate_store(e, *rsp, VT_SS, &words[1 - i], size))
            return false;
    }
    return true;
}

enum vt_step vt_emulate_call_far(struct vt_emulation *e)
{
    struct vt_vcpu *vcpu = e->vcpu;
    uint64_t rsp = vcpu->gpr[VT_RSP];
    struct target target;
    unsigned size;

    if (!find_target(e, true, &target))
        return VT_STEP_FAULT;
    /* A 64-bit gate pushes 8-byte words whatever the operand size (Intel SDM 3A 5.8.3.1). */
    size = target.gated ? 8 : e->instruction->size;
    if (target.cpl != vcpu->cpl && !switch_stack(e, target.cpl, &rsp))
        return VT_STEP_FAULT;
    if (!push_return(e, size, &rsp) ||
        !vt_emulate_fill_segment(e, VT_CS, (target.selector & 0xfffc) | target.cpl, &target.code))
        return VT_STEP_FAULT;
    if (target.cpl != vcpu->cpl)
        vcpu->segment[VT_SS] = (struct vt_segment){.selector = target.cpl};
    vcpu->cpl = target.cpl;
    vcpu->gpr[VT_RSP] = rsp;
    e->next = target.rip;
    return VT_STEP_DONE;
}

#define RIGHTS_CODE 0xa09b /* 64-bit code, readable, accessed, present; DPL in bits 5-6 */
#define RIGHTS_DATA 0xc093

static void flat_segments(struct vt_vcpu *vcpu, uint16_t code, uint16_t stack, unsigned cpl)
{
    vcpu->segment[VT_CS] = (struct vt_segment){code, RIGHTS_CODE | cpl << 5, UINT32_MAX, 0};
    vcpu->segment[VT_SS] = (struct vt_segment){stack, RIGHTS_DATA | cpl << 5, UINT32_MAX, 0};
    vcpu->cpl = cpl;
}

enum vt_step vt_emulate_syscall(struct vt_emulation *e)
{
    struct vt_vcpu *vcpu = e->vcpu;
    uint16_t code = vcpu->msr[VT_MSR_STAR] >> 32 & 0xfffc;

    if (!(vcpu->efer & VT_EFER_SCE))
        return vt_emulate_ud(e);
    vcpu->gpr[VT_RCX] = e->next;
    vcpu->gpr[VT_R11] = vt_vcpu_rflags(vcpu) & ~VT_FLAG_RF;
    vt_vcpu_set_rflags(vcpu, vcpu->gpr[VT_R11] & ~vcpu->msr[VT_MSR_FMASK]);
    flat_segments(vcpu, code, code + 8, 0);
    e->next = vcpu->msr[VT_MSR_LSTAR];
    return VT_STEP_DONE;
}

/* Without REX.W it returns to 32-bit code, which this CPU does not have. */
enum vt_step vt_emulate_sysret(struct vt_emulation *e)
{
    struct vt_vcpu *vcpu = e->vcpu;
    uint16_t base = vcpu->msr[VT_MSR_STAR] >> 48;

    if (!(vcpu->efer & VT_EFER_SCE))
        return vt_emulate_ud(e);
    if (vcpu->cpl || e->instruction->size != 8 || !vt_vcpu_is_canonical(vcpu, vcpu->gpr[VT_RCX]))
        return vt_emulate_gp(e, 0);
    vt_vcpu_set_rflags(vcpu, vcpu->gpr[VT_R11] & ~(VT_FLAG_RF | VT_FLAG_VM));
    flat_segments(vcpu, (base + 16) | SELECTOR_CODE3, (base + 8) | SELECTOR_CODE3, 3);
    e->next = vcpu->gpr[VT_RCX];
    return VT_STEP_DONE;
}
