/* Entering a handler through the IDT (Intel SDM 3A 6.12 and 6.14; AMD APM 2 8.9). */
#include "vcpu/apic.h"
#include "vcpu/emulate/emulate.h"
#include "vcpu/emulate/internal.h"

#define TSS_RSP0 4  /* offset in the 64-bit TSS of the stack for CPL 0; CPL 1 and 2 follow */
#define TSS_IST1 36 /* offset of the first interrupt stack; 0 in a gate means none */

struct gate {
    uint64_t offset;
    uint16_t selector;
    unsigned type, dpl, stack;
    bool present;
};

static bool refuse(struct vt_emulation *e, uint8_t vector, uint32_t error)
{
    vt_vcpu_raise_error(e->vcpu, vector, error);
    return false;
}

/* EXT says that the event came from outside the program (Intel SDM 3A 6.13). */
static uint32_t ext_bit(const struct vt_delivery *delivery)
{
    return delivery->event != VT_EVENT_SOFTWARE;
}

static bool read_gate(struct vt_emulation *e, const struct vt_delivery *delivery, struct gate *gate)
{
    uint32_t error = (uint32_t)delivery->vector << 3 | 2 | ext_bit(delivery);
    uint64_t offset = (uint64_t)delivery->vector * 16, word[2];

    if (offset + 15 > e->vcpu->idtr.limit)
        return refuse(e, VT_EXCEPTION_GP, error);
    if (!vt_emulate_load_system(e, e->vcpu->idtr.base + offset, word, sizeof(word)))
        return false;
    *gate = (struct gate){
        .offset = (word[0] & 0xffff) | (word[0] >> 32 & 0xffff0000) | word[1] << 32,
        .selector = word[0] >> 16,
        .type = word[0] >> 40 & 0x1f,
        .dpl = word[0] >> 45 & 3,
        .stack = word[0] >> 32 & 7,
        .present = word[0] >> 47 & 1,
    };
    if ((gate->type != VT_TYPE_INTERRUPT && gate->type != VT_TYPE_TRAP) || word[1] >> 40 & 0x1f ||
        (delivery->checks_gate && e->vcpu->cpl > gate->dpl))
        return refuse(e, VT_EXCEPTION_GP, error);
    return gate->present ? true : refuse(e, VT_EXCEPTION_NP, error);
}

/* The handler's code segment; *cpl receives the level it runs at. */
static bool read_code(struct vt_emulation *e, const struct gate *gate, uint32_t ext,
                      struct vt_descriptor *descriptor, unsigned *cpl)
{
    uint32_t error = (gate->selector & 0xfffc) | ext;
    enum vt_descriptor_result result;
    unsigned type;

    if (vt_selector_is_null(gate->selector))
        return refuse(e, VT_EXCEPTION_GP, ext);
    result = vt_emulate_descriptor(e, gate->selector, 8, descriptor);
    if (result == VT_DESCRIPTOR_FAULT)
        return false;
    type = vt_descriptor_type(descriptor);
    if (result == VT_DESCRIPTOR_OUTSIDE || !vt_descriptor_is_memory(descriptor) || !(type & VT_TYPE_CODE) ||
        vt_descriptor_dpl(descriptor) > e->vcpu->cpl)
        return refuse(e, VT_EXCEPTION_GP, error);
    if (!vt_descriptor_is_present(descriptor))
        return refuse(e, VT_EXCEPTION_NP, error);
    if (!vt_descriptor_is_long(descriptor))
        return refuse(e, VT_EXCEPTION_GP, error);
    *cpl = type & VT_TYPE_CONFORMING ? e->vcpu->cpl : vt_descriptor_dpl(descriptor);
    return true;
}

static bool read_stack(struct vt_emulation *e, uint32_t offset, uint32_t ext, uint64_t *rsp)
{
    const struct vt_segment *tss = &e->vcpu->segment[VT_TR];

    if (!tss->rights || offset + 7 > tss->limit)
        return refuse(e, VT_EXCEPTION_TS, (tss->selector & 0xfffc) | ext);
    return vt_emulate_load_system(e, tss->base + offset, rsp, 8);
}

static bool choose_stack(struct vt_emulation *e, const struct gate *gate, unsigned cpl, uint32_t ext,
                         uint64_t *rsp)
{
    *rsp = e->vcpu->gpr[VT_RSP];
    if (gate->stack && !read_stack(e, TSS_IST1 + 8 * (gate->stack - 1), ext, rsp))
        return false;
    if (!gate->stack && cpl != e->vcpu->cpl && !read_stack(e, TSS_RSP0 + 8 * cpl, ext, rsp))
        return false;
    *rsp &= ~UINT64_C(0xf);
    return true;
}

static bool push_frame(struct vt_emulation *e, const struct vt_delivery *delivery, uint32_t ext,
                       uint64_t *rsp)
{
    const struct vt_vcpu *vcpu = e->vcpu;
    uint64_t rflags = vt_vcpu_rflags(vcpu);
    uint64_t frame[6] = {delivery->error, delivery->rip,     vcpu->segment[VT_CS].selector,
                         rflags,          vcpu->gpr[VT_RSP], vcpu->segment[VT_SS].selector};
    unsigned skipped = delivery->has_error ? 0 : 1;
    uint64_t top = *rsp - 8 * (6 - skipped);

    /* A fault's handler may return to the instruction past its breakpoint (SDM 3B 18.3.1.1). */
    if (delivery->event == VT_EVENT_FAULT)
        frame[3] |= VT_FLAG_RF;
    else if (delivery->event != VT_EVENT_INTERRUPT)
        frame[3] &= ~VT_FLAG_RF;
    if (!vt_vcpu_is_canonical(vcpu, top) || !vt_vcpu_is_canonical(vcpu, *rsp - 1))
        return refuse(e, VT_EXCEPTION_SS, ext);
    for (unsigned i = skipped; i < 6; i++)
        if (!vt_emulate_store_system(e, top + 8 * (i - skipped), &frame[i], 8))
            return false;
    *rsp = top;
    return true;
}

bool vt_emulate_enter(struct vt_emulation *e, const struct vt_delivery *delivery)
{
    struct vt_vcpu *vcpu = e->vcpu;
    struct vt_descriptor code;
    uint32_t ext = ext_bit(delivery);
    struct gate gate;
    unsigned cpl;
    uint64_t rsp;

    if (!read_gate(e, delivery, &gate) || !read_code(e, &gate, ext, &code, &cpl) ||
        !choose_stack(e, &gate, cpl, ext, &rsp))
        return false;
    if (!vt_vcpu_is_canonical(vcpu, gate.offset))
        return refuse(e, VT_EXCEPTION_GP, ext);
    if (!push_frame(e, delivery, ext, &rsp) ||
        !vt_emulate_fill_segment(e, VT_CS, (gate.selector & 0xfffc) | cpl, &code))
        return false;
    if (cpl != vcpu->cpl)
        vcpu->segment[VT_SS] = (struct vt_segment){.selector = cpl};
    vcpu->cpl = cpl;
    vcpu->gpr[VT_RSP] = rsp;
    vcpu->rflags &= ~(VT_FLAG_TF | VT_FLAG_NT);
    vcpu->system_flags &= ~(VT_FLAG_RF | VT_FLAG_VM);
    if (gate.type == VT_TYPE_INTERRUPT)
        vcpu->interrupt_flag = 0;
    e->next = gate.offset;
    return true;
}

static bool is_contributory(const struct vt_fault *fault)
{
    return fault->vector == VT_EXCEPTION_DE ||
           (fault->vector >= VT_EXCEPTION_TS && fault->vector <= VT_EXCEPTION_GP);
}

/* Intel SDM 3A table 6-5: which second fault makes a double fault. */
static bool doubles(const struct vt_fault *first, const struct vt_fault *second)
{
    if (first->vector == VT_EXCEPTION_PF)
        return second->vector == VT_EXCEPTION_PF || is_contributory(second);
    return is_contributory(first) && is_contributory(second);
}

static bool enter_fault(struct vt_emulation *e, const struct vt_fault *fault)
{
    struct vt_delivery delivery = {
        .vector = fault->vector,
        .event = fault->event,
        .has_error = fault->has_error,
        .checks_gate = fault->event == VT_EVENT_SOFTWARE,
        .error = fault->error,
        .rip = e->vcpu->rip,
    };

    if (fault->vector == VT_EXCEPTION_PF)
        e->vcpu->cr[2] = fault->address;
    return vt_emulate_enter(e, &delivery);
}

static enum vt_step arrive(struct vt_emulation *e)
{
    e->vcpu->rip = e->next;
    e->vcpu->halted = e->vcpu->shadow = 0;
    return VT_STEP_DONE;
}

enum vt_step vt_vcpu_deliver(struct vt_vcpu *vcpu, const struct vt_environment *environment)
{
    struct vt_emulation e = {.vcpu = vcpu, .environment = environment, .next = vcpu->rip};

    /* Each failed attempt is a fault of its own; two benign ones in a row cannot be followed by a third. */
    for (unsigned attempt = 0; attempt < 4; attempt++) {
        struct vt_fault fault = vcpu->fault;

        if (enter_fault(&e, &fault))
            return arrive(&e);
        if (fault.vector == VT_EXCEPTION_DF) {
            vcpu->fault = fault;
            return VT_STEP_FAULT;
        }
        if (doubles(&fault, &vcpu->fault))
            vt_vcpu_raise_error(vcpu, VT_EXCEPTION_DF, 0);
    }
    return VT_STEP_FAULT;
}

enum vt_step vt_vcpu_interrupt(struct vt_vcpu *vcpu, const struct vt_environment *environment, bool *taken)
{
    struct vt_emulation e = {.vcpu = vcpu, .environment = environment, .next = vcpu->rip};
    struct vt_delivery delivery = {.event = VT_EVENT_INTERRUPT, .rip = vcpu->rip};
    int vector = vcpu->interrupt_flag && !vcpu->shadow ? vt_vcpu_apic_next(vcpu) : -1;

    if (taken)
        *taken = vector >= 0;
    if (vector < 0)
        return VT_STEP_DONE;
    vt_vcpu_apic_accept(vcpu, vector);
    delivery.vector = vector;
    if (vt_emulate_enter(&e, &delivery))
        return arrive(&e);
    return vt_vcpu_deliver(vcpu, environment);
}
