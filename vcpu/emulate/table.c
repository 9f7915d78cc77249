/* Descriptor-table registers (Intel SDM 3A 2.4; AMD APM 2 4.6). */
#include "vcpu/emulate/emulate.h"
#include "vcpu/emulate/internal.h"

static bool is_hidden(const struct vt_vcpu *vcpu)
{
    return vcpu->cpl && vcpu->cr[4] & VT_CR4_UMIP;
}

enum vt_step vt_emulate_store_table(struct vt_emulation *e)
{
    const struct vt_table_register *table =
        e->instruction->operation == VT_OP_SGDT ? &e->vcpu->gdtr : &e->vcpu->idtr;
    uint8_t image[10] = {table->limit & 0xff, table->limit >> 8};

    if (is_hidden(e->vcpu))
        return vt_emulate_gp(e, 0);
    __builtin_memcpy(image + 2, &table->base, 8);
    return vt_emulate_store(e, vt_vcpu_linear_address(e->vcpu, e->instruction), e->instruction->segment,
                            image, sizeof(image))
               ? VT_STEP_DONE
               : VT_STEP_FAULT;
}

enum vt_step vt_emulate_load_table(struct vt_emulation *e)
{
    struct vt_table_register table = {0};
    uint8_t image[10];

    if (!vt_emulate_load(e, vt_vcpu_linear_address(e->vcpu, e->instruction), e->instruction->segment, image,
                         sizeof(image)))
        return VT_STEP_FAULT;
    table.limit = image[0] | image[1] << 8;
    __builtin_memcpy(&table.base, image + 2, 8);
    if (!vt_vcpu_is_loadable(e->vcpu, table.base))
        return vt_emulate_gp(e, 0);
    if (e->instruction->operation == VT_OP_LGDT)
        e->vcpu->gdtr = table;
    else
        e->vcpu->idtr = table;
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_store_selector(struct vt_emulation *e)
{
    unsigned name = e->instruction->operation == VT_OP_STR ? VT_TR : VT_LDTR;

    if (is_hidden(e->vcpu))
        return vt_emulate_gp(e, 0);
    return vt_emulate_write_operand(e, e->instruction->size, e->vcpu->segment[name].selector) ? VT_STEP_DONE
                                                                                              : VT_STEP_FAULT;
}

/* The 16-byte system descriptor of an LDT or TSS, in the GDT and of the right type. False: a fault was
 * raised. */
static bool system_descriptor(struct vt_emulation *e, uint16_t selector, unsigned type,
                              struct vt_descriptor *descriptor)
{
    uint32_t error = selector & 0xfffc;
    enum vt_descriptor_result result = VT_DESCRIPTOR_OUTSIDE;

    if (!(selector & 4))
        result = vt_emulate_descriptor(e, selector, 16, descriptor);
    if (result == VT_DESCRIPTOR_FAULT)
        return false;
    if (result == VT_DESCRIPTOR_OUTSIDE || vt_descriptor_is_memory(descriptor) ||
        vt_descriptor_type(descriptor) != type)
        return vt_emulate_refuse(e, VT_EXCEPTION_GP, error);
    if (!vt_descriptor_is_present(descriptor))
        return vt_emulate_refuse(e, VT_EXCEPTION_NP, error);
    /* The second half must not look like a descriptor of its own (SDM 3A 7.2.3). */
    if (descriptor->high >> 40 & 0x1f || !vt_vcpu_is_loadable(e->vcpu, vt_descriptor_base(descriptor)))
        return vt_emulate_refuse(e, VT_EXCEPTION_GP, error);
    return true;
}

enum vt_step vt_emulate_lldt(struct vt_emulation *e)
{
    struct vt_descriptor descriptor;
    uint64_t selector;

    if (!vt_emulate_read_operand(e, 2, &selector))
        return VT_STEP_FAULT;
    if (vt_selector_is_null(selector)) {
        e->vcpu->segment[VT_LDTR] = (struct vt_segment){.selector = selector};
        return VT_STEP_DONE;
    }
    if (!system_descriptor(e, selector, VT_TYPE_LDT, &descriptor))
        return VT_STEP_FAULT;
    e->vcpu->segment[VT_LDTR] = vt_descriptor_segment(&descriptor, selector);
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_ltr(struct vt_emulation *e)
{
    struct vt_descriptor descriptor;
    uint64_t selector;

    if (!vt_emulate_read_operand(e, 2, &selector))
        return VT_STEP_FAULT;
    if (vt_selector_is_null(selector))
        return vt_emulate_gp(e, 0);
    if (!system_descriptor(e, selector, VT_TYPE_TSS, &descriptor))
        return VT_STEP_FAULT;
    descriptor.low |= UINT64_C(2) << 40; /* busy */
    if (!vt_emulate_store_system(e, descriptor.address, &descriptor.low, 8))
        return VT_STEP_FAULT;
    e->vcpu->segment[VT_TR] = vt_descriptor_segment(&descriptor, selector);
    return VT_STEP_DONE;
}
