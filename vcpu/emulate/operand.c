/* Registers, memory and stack as the emulated instructions see them. */
#include "vcpu/emulate/emulate.h"
#include "vcpu/emulate/internal.h"

#define PF_PRESENT 1
#define PF_WRITE   2
#define PF_USER    4

static uint64_t mask_of(unsigned size)
{
    return size >= 8 ? ~UINT64_C(0) : (UINT64_C(1) << (8 * size)) - 1;
}

uint64_t vt_emulate_get(const struct vt_vcpu *vcpu, unsigned reg, unsigned size, bool high)
{
    uint64_t value = vcpu->gpr[reg & 15];

    return (high ? value >> 8 : value) & mask_of(size);
}

void vt_emulate_put(struct vt_vcpu *vcpu, unsigned reg, unsigned size, bool high, uint64_t value)
{
    uint64_t *gpr = &vcpu->gpr[reg & 15];
    uint64_t mask = mask_of(size);

    if (size >= 4)
        *gpr = value & mask;
    else if (high)
        *gpr = (*gpr & ~UINT64_C(0xff00)) | (value & 0xff) << 8;
    else
        *gpr = (*gpr & ~mask) | (value & mask);
}

uint64_t vt_emulate_get_pair(const struct vt_vcpu *vcpu)
{
    return (vcpu->gpr[VT_RAX] & UINT32_MAX) | vcpu->gpr[VT_RDX] << 32;
}

void vt_emulate_put_pair(struct vt_vcpu *vcpu, uint64_t value)
{
    vcpu->gpr[VT_RAX] = value & UINT32_MAX;
    vcpu->gpr[VT_RDX] = value >> 32;
}

static uint64_t register_or_zero(const struct vt_vcpu *vcpu, const struct vt_instruction *instruction,
                                 unsigned reg)
{
    if (reg == VT_NO_REGISTER)
        return 0;
    if (reg == VT_BASE_RIP)
        return vcpu->rip + instruction->length;
    return vcpu->gpr[reg & 15];
}

uint64_t vt_vcpu_linear_address(const struct vt_vcpu *vcpu, const struct vt_instruction *instruction)
{
    uint64_t address = register_or_zero(vcpu, instruction, instruction->base) +
                       (register_or_zero(vcpu, instruction, instruction->index) << (instruction->scale & 3)) +
                       (uint64_t)instruction->displacement;

    if (instruction->flags & VT_INSN_ADDRESS32)
        address &= UINT32_MAX;
    if (instruction->segment == VT_FS || instruction->segment == VT_GS)
        address += vcpu->segment[instruction->segment].base;
    return address;
}

/* A device's registers are read and written in pieces of at most 8 bytes. */
static void mmio_load(struct vt_emulation *e, uint64_t address, uint8_t *value, unsigned size)
{
    while (size) {
        unsigned piece = size >= 8 ? 8 : size >= 4 ? 4 : size >= 2 ? 2 : 1;
        uint64_t word = e->environment->mmio_read(e->environment->context, address, piece);

        for (unsigned i = 0; i < piece; i++)
            *value++ = word >> (8 * i);
        address += piece;
        size -= piece;
    }
}

static void mmio_store(struct vt_emulation *e, uint64_t address, const uint8_t *value, unsigned size)
{
    while (size) {
        unsigned piece = size >= 8 ? 8 : size >= 4 ? 4 : size >= 2 ? 2 : 1;
        uint64_t word = 0;

        for (unsigned i = 0; i < piece; i++)
            word |= (uint64_t)*value++ << (8 * i);
        e->environment->mmio_write(e->environment->context, address, piece, word);
        address += piece;
        size -= piece;
    }
}

/* CR2 gets the first byte that is not there: of an access across two pages it may lie in the second one. */
static bool page_fault(struct vt_emulation *e, uint64_t address, unsigned size, uint32_t error)
{
    uint64_t last = address + size - 1;
    uint32_t ignored;
    uint8_t first;

    if ((address ^ last) >> 12 && !(error & PF_PRESENT) &&
        e->environment->load(e->environment->context, address, &first, 1, &ignored) == VT_ACCESS_DONE)
        address = last & ~UINT64_C(0xfff);
    vt_vcpu_raise_page_fault(e->vcpu, address, error);
    return false;
}

static bool load(struct vt_emulation *e, uint64_t address, void *value, unsigned size, uint32_t kind)
{
    uint32_t error = 0;
    enum vt_access access = e->environment->load(e->environment->context, address, value, size, &error);

    if (access == VT_ACCESS_FAULT)
        return page_fault(e, address, size, error | kind);
    if (access == VT_ACCESS_MMIO)
        mmio_load(e, address, value, size);
    return true;
}

static bool store(struct vt_emulation *e, uint64_t address, const void *value, unsigned size, uint32_t user)
{
    uint32_t error = 0;
    enum vt_access access = e->environment->store(e->environment->context, address, value, size, &error);

    if (access == VT_ACCESS_FAULT)
        return page_fault(e, address, size, error | user | PF_WRITE);
    if (access == VT_ACCESS_MMIO)
        mmio_store(e, address, value, size);
    return true;
}

/* A non-canonical address on the stack segment is #SS(0), elsewhere #GP(0) (Intel SDM 1 3.3.7.1). */
static bool is_accessible(struct vt_emulation *e, uint64_t address, unsigned segment, unsigned size)
{
    struct vt_vcpu *vcpu = e->vcpu;

    if (!vt_vcpu_is_canonical(vcpu, address) || !vt_vcpu_is_canonical(vcpu, address + size - 1)) {
        vt_vcpu_raise_error(vcpu, segment == VT_SS ? VT_EXCEPTION_SS : VT_EXCEPTION_GP, 0);
        return false;
    }
    if (vcpu->cpl == 3 && vcpu->cr[0] & VT_CR0_AM && vcpu->rflags & VT_FLAG_AC && size <= 8 &&
        address & (size - 1)) {
        vt_vcpu_raise_error(vcpu, VT_EXCEPTION_AC, 0);
        return false;
    }
    return true;
}

bool vt_emulate_load(struct vt_emulation *e, uint64_t address, unsigned segment, void *value, unsigned size)
{
    return is_accessible(e, address, segment, size) &&
           load(e, address, value, size, e->vcpu->cpl == 3 ? PF_USER : 0);
}

bool vt_emulate_store(struct vt_emulation *e, uint64_t address, unsigned segment, const void *value,
                      unsigned size)
{
    return is_accessible(e, address, segment, size) &&
           store(e, address, value, size, e->vcpu->cpl == 3 ? PF_USER : 0);
}

bool vt_emulate_load_system(struct vt_emulation *e, uint64_t address, void *value, unsigned size)
{
    return load(e, address, value, size, 0);
}

bool vt_emulate_store_system(struct vt_emulation *e, uint64_t address, const void *value, unsigned size)
{
    return store(e, address, value, size, 0);
}

bool vt_emulate_read_operand(struct vt_emulation *e, unsigned size, uint64_t *value)
{
    const struct vt_instruction *instruction = e->instruction;

    *value = 0;
    if (instruction->flags & VT_INSN_MEMORY)
        return vt_emulate_load(e, vt_vcpu_linear_address(e->vcpu, instruction), instruction->segment, value,
                               size);
    *value = vt_emulate_get(e->vcpu, instruction->rm, size, instruction->flags & VT_INSN_HIGH_RM);
    return true;
}

bool vt_emulate_read_for_write(struct vt_emulation *e, unsigned size, uint64_t *value)
{
    uint64_t address = vt_vcpu_linear_address(e->vcpu, e->instruction);

    *value = 0;
    return is_accessible(e, address, e->instruction->segment, size) &&
           load(e, address, value, size, PF_WRITE | (e->vcpu->cpl == 3 ? PF_USER : 0));
}

bool vt_emulate_write_operand(struct vt_emulation *e, unsigned size, uint64_t value)
{
    const struct vt_instruction *instruction = e->instruction;

    if (instruction->flags & VT_INSN_MEMORY)
        return vt_emulate_store(e, vt_vcpu_linear_address(e->vcpu, instruction), instruction->segment, &value,
                                size);
    vt_emulate_put(e->vcpu, instruction->rm, size, instruction->flags & VT_INSN_HIGH_RM, value);
    return true;
}

bool vt_emulate_push(struct vt_emulation *e, unsigned size, uint64_t value)
{
    uint64_t top = e->vcpu->gpr[VT_RSP] - size;

    if (!vt_emulate_store(e, top, VT_SS, &value, size))
        return false;
    e->vcpu->gpr[VT_RSP] = top;
    return true;
}

bool vt_emulate_pop(struct vt_emulation *e, unsigned size, uint64_t *value)
{
    *value = 0;
    if (!vt_emulate_load(e, e->vcpu->gpr[VT_RSP], VT_SS, value, size))
        return false;
    e->vcpu->gpr[VT_RSP] += size;
    return true;
}
