/* Segment registers and what may be asked of a selector (Intel SDM 3A chapters 3 and 5; AMD APM 2 chapter 4).
 */
#include "vcpu/emulate/emulate.h"
#include "vcpu/emulate/internal.h"

static uint32_t limit_of(const struct vt_descriptor *descriptor)
{
    uint32_t limit = (descriptor->low & 0xffff) | (descriptor->low >> 32 & 0xf0000);

    return descriptor->low >> 55 & 1 ? limit << 12 | 0xfff : limit;
}

/* `high` is 0 for the 8-byte descriptors. */
uint64_t vt_descriptor_base(const struct vt_descriptor *descriptor)
{
    return (descriptor->low >> 16 & 0xffffff) | (descriptor->low >> 32 & 0xff000000) | descriptor->high << 32;
}

struct vt_segment vt_descriptor_segment(const struct vt_descriptor *descriptor, uint16_t selector)
{
    return (struct vt_segment){
        .selector = selector,
        .rights = descriptor->low >> 40 & 0xf0ff,
        .limit = limit_of(descriptor),
        .base = vt_descriptor_base(descriptor),
    };
}

enum vt_descriptor_result vt_emulate_descriptor(struct vt_emulation *e, uint16_t selector, unsigned size,
                                                struct vt_descriptor *descriptor)
{
    const struct vt_vcpu *vcpu = e->vcpu;
    const struct vt_segment *ldtr = &vcpu->segment[VT_LDTR];
    bool local = selector & 4;
    uint64_t base = local ? ldtr->base : vcpu->gdtr.base;
    uint64_t limit = local ? ldtr->limit : vcpu->gdtr.limit;
    uint64_t offset = selector & 0xfff8;

    *descriptor = (struct vt_descriptor){.address = base + offset};
    if (vt_selector_is_null(selector) || (local && !ldtr->rights) || offset + size - 1 > limit)
        return VT_DESCRIPTOR_OUTSIDE;
    if (!vt_emulate_load_system(e, base + offset, &descriptor->low, 8))
        return VT_DESCRIPTOR_FAULT;
    if (size == 16 && !vt_emulate_load_system(e, base + offset + 8, &descriptor->high, 8))
        return VT_DESCRIPTOR_FAULT;
    return VT_DESCRIPTOR_FOUND;
}

bool vt_emulate_fill_segment(struct vt_emulation *e, unsigned name, uint16_t selector,
                             struct vt_descriptor *descriptor)
{
    if (!(vt_descriptor_type(descriptor) & VT_TYPE_ACCESSED)) {
        descriptor->low |= (uint64_t)VT_TYPE_ACCESSED << 40;
        if (!vt_emulate_store_system(e, descriptor->address, &descriptor->low, 8))
            return false;
    }
    e->vcpu->segment[name] = vt_descriptor_segment(descriptor, selector);
    return true;
}

static bool load_null(struct vt_emulation *e, unsigned name, uint16_t selector)
{
    struct vt_vcpu *vcpu = e->vcpu;
    uint64_t base = vcpu->segment[name].base;

    /* SS may be null in 64-bit mode below CPL 3, when RPL is CPL. */
    if (name == VT_SS && (vcpu->cpl == 3 || (selector & 3) != vcpu->cpl))
        return vt_emulate_refuse(e, VT_EXCEPTION_GP, 0);
    vcpu->segment[name] = (struct vt_segment){.selector = selector};
    /* AMD keeps the base of FS and GS when a null selector is loaded (APM 2 4.5.3), until CPUID
     * Fn8000_0021_EAX[6] says that it is cleared. */
    if (vcpu->limits.vendor == VT_VENDOR_AMD && !vt_vcpu_has(vcpu, VT_FEATURE_NULL_BASE) &&
        (name == VT_FS || name == VT_GS))
        vcpu->segment[name].base = base;
    return true;
}

static bool fits_stack(const struct vt_vcpu *vcpu, uint16_t selector, const struct vt_descriptor *descriptor)
{
    unsigned type = vt_descriptor_type(descriptor);

    return vt_descriptor_is_memory(descriptor) &&
           (type & (VT_TYPE_CODE | VT_TYPE_WRITABLE)) == VT_TYPE_WRITABLE && (selector & 3) == vcpu->cpl &&
           vt_descriptor_dpl(descriptor) == vcpu->cpl;
}

static bool is_privileged_enough(const struct vt_vcpu *vcpu, uint16_t selector,
                                 const struct vt_descriptor *descriptor)
{
    unsigned dpl = vt_descriptor_dpl(descriptor);

    return vcpu->cpl <= dpl && (selector & 3) <= dpl;
}

static bool is_conforming(const struct vt_descriptor *descriptor)
{
    unsigned type = vt_descriptor_type(descriptor);

    return vt_descriptor_is_memory(descriptor) && type & VT_TYPE_CODE && type & VT_TYPE_CONFORMING;
}

static bool is_readable(const struct vt_descriptor *descriptor)
{
    unsigned type = vt_descriptor_type(descriptor);

    return vt_descriptor_is_memory(descriptor) && (!(type & VT_TYPE_CODE) || type & VT_TYPE_WRITABLE);
}

static bool fits_data(const struct vt_vcpu *vcpu, uint16_t selector, const struct vt_descriptor *descriptor)
{
    return is_readable(descriptor) &&
           (is_conforming(descriptor) || is_privileged_enough(vcpu, selector, descriptor));
}

static bool load_segment(struct vt_emulation *e, unsigned name, uint16_t selector)
{
    uint32_t error = selector & 0xfffc;
    struct vt_descriptor descriptor;
    enum vt_descriptor_result result;

    if (vt_selector_is_null(selector))
        return load_null(e, name, selector);
    result = vt_emulate_descriptor(e, selector, 8, &descriptor);
    if (result == VT_DESCRIPTOR_FAULT)
        return false;
    if (result == VT_DESCRIPTOR_OUTSIDE ||
        !(name == VT_SS ? fits_stack : fits_data)(e->vcpu, selector, &descriptor))
        return vt_emulate_refuse(e, VT_EXCEPTION_GP, error);
    if (!vt_descriptor_is_present(&descriptor))
        return vt_emulate_refuse(e, name == VT_SS ? VT_EXCEPTION_SS : VT_EXCEPTION_NP, error);
    return vt_emulate_fill_segment(e, name, selector, &descriptor);
}

enum vt_step vt_emulate_mov_from_segment(struct vt_emulation *e)
{
    if (e->instruction->reg > VT_GS)
        return vt_emulate_ud(e);
    return vt_emulate_write_operand(e, e->instruction->size, e->vcpu->segment[e->instruction->reg].selector)
               ? VT_STEP_DONE
               : VT_STEP_FAULT;
}

enum vt_step vt_emulate_mov_to_segment(struct vt_emulation *e)
{
    unsigned name = e->instruction->reg;
    uint64_t selector;

    if (name == VT_CS || name > VT_GS)
        return vt_emulate_ud(e);
    if (!vt_emulate_read_operand(e, 2, &selector) || !load_segment(e, name, selector))
        return VT_STEP_FAULT;
    e->shadow = name == VT_SS;
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_push_segment(struct vt_emulation *e)
{
    if (e->instruction->reg != VT_FS && e->instruction->reg != VT_GS)
        return vt_emulate_ud(e);
    return vt_emulate_push(e, e->instruction->size, e->vcpu->segment[e->instruction->reg].selector)
               ? VT_STEP_DONE
               : VT_STEP_FAULT;
}

/* Intel's processors read no more than the selector, as alignment checks and the end of a page show. */
enum vt_step vt_emulate_pop_segment(struct vt_emulation *e)
{
    unsigned size = e->instruction->size, read = e->vcpu->limits.vendor == VT_VENDOR_INTEL ? 2 : size;
    uint64_t rsp = e->vcpu->gpr[VT_RSP], selector;

    if (e->instruction->reg != VT_FS && e->instruction->reg != VT_GS)
        return vt_emulate_ud(e);
    if (!vt_emulate_pop(e, read, &selector))
        return VT_STEP_FAULT;
    e->vcpu->gpr[VT_RSP] = rsp + size;
    if (!load_segment(e, e->instruction->reg, selector)) {
        e->vcpu->gpr[VT_RSP] = rsp;
        return VT_STEP_FAULT;
    }
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_load_far_pointer(struct vt_emulation *e)
{
    const struct vt_instruction *instruction = e->instruction;
    uint64_t address = vt_vcpu_linear_address(e->vcpu, instruction);
    unsigned name = instruction->operation == VT_OP_LSS   ? VT_SS
                    : instruction->operation == VT_OP_LFS ? VT_FS
                                                          : VT_GS;
    uint64_t offset = 0;
    uint16_t selector;

    if (!vt_emulate_load(e, address, instruction->segment, &offset, instruction->size) ||
        !vt_emulate_load(e, address + instruction->size, instruction->segment, &selector, 2) ||
        !load_segment(e, name, selector))
        return VT_STEP_FAULT;
    vt_emulate_put(e->vcpu, instruction->reg, instruction->size, false, offset);
    return VT_STEP_DONE;
}

static void put_zf(struct vt_vcpu *vcpu, bool value)
{
    vcpu->rflags = (vcpu->rflags & ~VT_FLAG_ZF) | (value ? VT_FLAG_ZF : 0);
}

/* Bit per system type that LAR, and LSL, accept in 64-bit mode (Intel SDM 2A tables 3-53 and 3-56). */
#define LAR_TYPES (1u << VT_TYPE_LDT | 1u << VT_TYPE_TSS | 1u << VT_TYPE_TSS_BUSY | 1u << VT_TYPE_CALL_GATE)
#define LSL_TYPES (1u << VT_TYPE_LDT | 1u << VT_TYPE_TSS | 1u << VT_TYPE_TSS_BUSY)

static bool is_visible(const struct vt_vcpu *vcpu, uint16_t selector, const struct vt_descriptor *descriptor,
                       unsigned types)
{
    if (!vt_descriptor_is_memory(descriptor) && !(types >> vt_descriptor_type(descriptor) & 1))
        return false;
    return is_conforming(descriptor) || is_privileged_enough(vcpu, selector, descriptor);
}

/* LAR and LSL up to the value: 1 found, 0 not visible, -1 a fault was raised. */
static int look_up(struct vt_emulation *e, unsigned types, struct vt_descriptor *descriptor)
{
    enum vt_descriptor_result result;
    uint64_t selector;

    if (!vt_emulate_read_operand(e, 2, &selector))
        return -1;
    result = vt_emulate_descriptor(e, selector, 8, descriptor);
    if (result == VT_DESCRIPTOR_FAULT)
        return -1;
    return result == VT_DESCRIPTOR_FOUND && is_visible(e->vcpu, selector, descriptor, types);
}

/* Limit bits 19:16 are undefined in Intel's manual and shown by AMD (SDM 2A LAR; APM 3 LAR). */
enum vt_step vt_emulate_lar(struct vt_emulation *e)
{
    struct vt_descriptor descriptor;
    uint32_t mask = e->vcpu->limits.vendor == VT_VENDOR_AMD ? 0xffff00 : 0xf0ff00;
    int found = look_up(e, LAR_TYPES, &descriptor);

    if (found < 0)
        return VT_STEP_FAULT;
    put_zf(e->vcpu, found);
    if (found)
        vt_emulate_put(e->vcpu, e->instruction->reg, e->instruction->size, false,
                       descriptor.low >> 32 & mask);
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_lsl(struct vt_emulation *e)
{
    struct vt_descriptor descriptor;
    int found = look_up(e, LSL_TYPES, &descriptor);

    if (found < 0)
        return VT_STEP_FAULT;
    put_zf(e->vcpu, found);
    if (found)
        vt_emulate_put(e->vcpu, e->instruction->reg, e->instruction->size, false, limit_of(&descriptor));
    return VT_STEP_DONE;
}

static bool is_writable(const struct vt_descriptor *descriptor)
{
    unsigned type = vt_descriptor_type(descriptor);

    return vt_descriptor_is_memory(descriptor) &&
           (type & (VT_TYPE_CODE | VT_TYPE_WRITABLE)) == VT_TYPE_WRITABLE;
}

enum vt_step vt_emulate_verify(struct vt_emulation *e)
{
    bool writes = e->instruction->operation == VT_OP_VERW;
    struct vt_descriptor descriptor;
    enum vt_descriptor_result result;
    uint64_t selector;

    if (!vt_emulate_read_operand(e, 2, &selector))
        return VT_STEP_FAULT;
    result = vt_emulate_descriptor(e, selector, 8, &descriptor);
    if (result == VT_DESCRIPTOR_FAULT)
        return VT_STEP_FAULT;
    put_zf(e->vcpu, result == VT_DESCRIPTOR_FOUND && (writes ? is_writable : is_readable)(&descriptor) &&
                        is_visible(e->vcpu, selector, &descriptor, 0));
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_swapgs(struct vt_emulation *e)
{
    uint64_t *shadow = &e->vcpu->msr[VT_MSR_KERNEL_GS_BASE], *base = &e->vcpu->segment[VT_GS].base;
    uint64_t value = *base;

    *base = *shadow;
    *shadow = value;
    return VT_STEP_DONE;
}

static unsigned based_segment(const struct vt_instruction *instruction)
{
    return instruction->operation == VT_OP_RDFSBASE || instruction->operation == VT_OP_WRFSBASE ? VT_FS
                                                                                                : VT_GS;
}

enum vt_step vt_emulate_read_base(struct vt_emulation *e)
{
    if (!vt_vcpu_has(e->vcpu, VT_FEATURE_FSGSBASE) || !(e->vcpu->cr[4] & VT_CR4_FSGSBASE))
        return vt_emulate_ud(e);
    vt_emulate_put(e->vcpu, e->instruction->rm, e->instruction->size, false,
                   e->vcpu->segment[based_segment(e->instruction)].base);
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_write_base(struct vt_emulation *e)
{
    uint64_t base = vt_emulate_get(e->vcpu, e->instruction->rm, e->instruction->size, false);

    if (!vt_vcpu_has(e->vcpu, VT_FEATURE_FSGSBASE) || !(e->vcpu->cr[4] & VT_CR4_FSGSBASE))
        return vt_emulate_ud(e);
    if (!vt_vcpu_is_canonical(e->vcpu, base))
        return vt_emulate_gp(e, 0);
    e->vcpu->segment[based_segment(e->instruction)].base = base;
    return VT_STEP_DONE;
}
