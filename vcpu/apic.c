#include "vcpu/apic.h"

/* Register offsets in the xAPIC page (Intel SDM 3A table 11-1). */
enum {
    APIC_ID = 0x20,
    APIC_VERSION = 0x30,
    APIC_TPR = 0x80,
    APIC_PPR = 0xa0,
    APIC_EOI = 0xb0,
    APIC_LDR = 0xd0,
    APIC_SVR = 0xf0,
    APIC_ISR = 0x100,
    APIC_TMR = 0x180,
    APIC_IRR = 0x200,
    APIC_ESR = 0x280,
    APIC_ICR = 0x300,
    APIC_ICR_HIGH = 0x310,
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_LINT1 = 0x360,
    APIC_SELF_IPI = 0x3f0,
};

#define VERSION         0x00050014u /* integrated APIC, six LVT entries */
#define SVR_ENABLED     0x100u
#define ESR_SEND_VECTOR 0x20u
#define ESR_REGISTER    0x80u
#define ICR_DELIVERY    0x700u /* 0: fixed */
#define ICR_SHORTHAND   0xc0000u
#define ICR_TO_SELF     0x40000u
#define ICR_TO_ALL      0x80000u
#define ICR_BITS        UINT64_C(0xffffffff000ccfff)
#define LVT_BITS        0x170ffu

static int highest(const uint64_t bitmap[4])
{
    for (int word = 3; word >= 0; word--)
        if (bitmap[word])
            return 64 * word + 63 - __builtin_clzll(bitmap[word]);
    return -1;
}

static uint8_t task_priority(const struct vt_vcpu *vcpu)
{
    return (vcpu->cr[8] & 15) << 4 | (vcpu->apic.tpr_subclass & 15);
}

/* Intel SDM 3A 11.8.3.1 */
static uint8_t processor_priority(const struct vt_vcpu *vcpu)
{
    int in_service = highest(vcpu->apic.isr);
    uint8_t service = in_service < 0 ? 0 : in_service, task = task_priority(vcpu);

    return (task >> 4) >= (service >> 4) ? task : service & 0xf0;
}

int vt_vcpu_apic_next(const struct vt_vcpu *vcpu)
{
    int vector = highest(vcpu->apic.irr);

    return vector >= 0 && vector >> 4 > processor_priority(vcpu) >> 4 ? vector : -1;
}

bool vt_vcpu_update_pending(struct vt_vcpu *vcpu)
{
    vcpu->apic.pending = vt_vcpu_apic_next(vcpu) >= 0;
    return vcpu->apic.pending;
}

static void request(struct vt_vcpu *vcpu, uint8_t vector)
{
    if (!(vcpu->apic.svr & SVR_ENABLED))
        return;
    if (vector < 16) {
        vcpu->apic.esr |= ESR_SEND_VECTOR;
        return;
    }
    vcpu->apic.irr[vector >> 6] |= UINT64_C(1) << (vector & 63);
    vcpu->apic.sent++;
    vt_vcpu_update_pending(vcpu);
}

void vt_vcpu_apic_accept(struct vt_vcpu *vcpu, uint8_t vector)
{
    uint64_t bit = UINT64_C(1) << (vector & 63);

    vcpu->apic.irr[vector >> 6] &= ~bit;
    vcpu->apic.isr[vector >> 6] |= bit;
    vt_vcpu_update_pending(vcpu);
}

static void end_of_interrupt(struct vt_vcpu *vcpu)
{
    int vector = highest(vcpu->apic.isr);

    vcpu->apic.ended++;
    if (vector < 0)
        return;
    vcpu->apic.isr[vector >> 6] &= ~(UINT64_C(1) << (vector & 63));
    vt_vcpu_update_pending(vcpu);
}

/* Only this CPU exists: a command reaches it by shorthand or by its own identity. */
static void send(struct vt_vcpu *vcpu, uint32_t low, uint32_t destination)
{
    uint32_t shorthand = low & ICR_SHORTHAND;

    vcpu->apic.icr_low = low;
    vcpu->apic.icr_high = destination;
    if (low & ICR_DELIVERY)
        return;
    if (shorthand == ICR_TO_SELF || shorthand == ICR_TO_ALL || (!shorthand && destination == vcpu->apic.id))
        request(vcpu, low & 0xff);
}

static void write_tpr(struct vt_vcpu *vcpu, uint32_t value)
{
    vcpu->cr[8] = value >> 4 & 15;
    vcpu->apic.tpr_subclass = value & 15;
    vt_vcpu_update_pending(vcpu);
}

/* One 32-bit slice of a 256-bit register; offsets are 16 bytes apart. */
static uint32_t slice(const uint64_t bitmap[4], uint32_t offset)
{
    uint32_t index = offset >> 4 & 7;

    return bitmap[index >> 1] >> (index & 1 ? 32 : 0);
}

static bool is_x2apic(const struct vt_vcpu *vcpu)
{
    const uint64_t mode = VT_APIC_BASE_ENABLE | VT_APIC_BASE_X2APIC;

    return (vcpu->msr[VT_MSR_APIC_BASE] & mode) == mode;
}

/* Registers that both modes show at the same place. False: there is none. */
static bool read_common(const struct vt_vcpu *vcpu, uint32_t offset, uint32_t *value)
{
    const struct vt_apic *apic = &vcpu->apic;
    uint32_t row = offset & ~UINT32_C(0x7f);

    if (row == APIC_ISR || row == APIC_TMR || row == APIC_IRR) {
        *value = row == APIC_ISR ? slice(apic->isr, offset) : row == APIC_IRR ? slice(apic->irr, offset) : 0;
        return true;
    }
    switch (offset) {
    case APIC_VERSION:
        *value = VERSION;
        return true;
    case APIC_TPR:
        *value = task_priority(vcpu);
        return true;
    case APIC_PPR:
        *value = processor_priority(vcpu);
        return true;
    case APIC_SVR:
        *value = apic->svr;
        return true;
    case APIC_ESR:
        *value = apic->esr;
        return true;
    case APIC_LVT_TIMER:
        *value = apic->lvt_timer;
        return true;
    case APIC_LVT_LINT0:
        *value = apic->lvt_lint0;
        return true;
    case APIC_LVT_LINT1:
        *value = apic->lvt_lint1;
        return true;
    default:
        return false;
    }
}

uint32_t vt_vcpu_apic_read(const struct vt_vcpu *vcpu, uint32_t offset)
{
    uint32_t value = 0;

    switch (offset) {
    case APIC_ID:
        return vcpu->apic.id << 24;
    case APIC_LDR:
        return 0;
    case APIC_ICR:
        return vcpu->apic.icr_low;
    case APIC_ICR_HIGH:
        return vcpu->apic.icr_high << 24;
    default:
        read_common(vcpu, offset, &value);
        return value;
    }
}

static bool write_common(struct vt_vcpu *vcpu, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case APIC_TPR:
        write_tpr(vcpu, value);
        return true;
    case APIC_EOI:
        end_of_interrupt(vcpu);
        return true;
    case APIC_SVR:
        vcpu->apic.svr = value & 0x1ff;
        return true;
    case APIC_ESR:
        vcpu->apic.esr = 0;
        return true;
    case APIC_LVT_TIMER:
        vcpu->apic.lvt_timer = value & LVT_BITS;
        return true;
    case APIC_LVT_LINT0:
        vcpu->apic.lvt_lint0 = value & LVT_BITS;
        return true;
    case APIC_LVT_LINT1:
        vcpu->apic.lvt_lint1 = value & LVT_BITS;
        return true;
    default:
        return false;
    }
}

void vt_vcpu_apic_write(struct vt_vcpu *vcpu, uint32_t offset, uint32_t value)
{
    if (offset == APIC_ICR)
        send(vcpu, value, vcpu->apic.icr_high);
    else if (offset == APIC_ICR_HIGH)
        vcpu->apic.icr_high = value >> 24;
    else if (!write_common(vcpu, offset, value))
        vcpu->apic.esr |= ESR_REGISTER;
}

static uint32_t logical_id(const struct vt_vcpu *vcpu)
{
    return (vcpu->apic.id >> 4) << 16 | UINT32_C(1) << (vcpu->apic.id & 15);
}

bool vt_vcpu_apic_read_msr(const struct vt_vcpu *vcpu, uint32_t index, uint64_t *value)
{
    uint32_t offset = (index & 0xff) << 4, word = 0;
    bool known = true;

    if (!is_x2apic(vcpu))
        return false;
    *value = 0;
    switch (offset) {
    case APIC_ID:
        *value = vcpu->apic.id;
        return true;
    case APIC_LDR:
        *value = logical_id(vcpu);
        return true;
    case APIC_ICR:
        *value = (uint64_t)vcpu->apic.icr_high << 32 | vcpu->apic.icr_low;
        return true;
    default:
        known = read_common(vcpu, offset, &word);
        *value = word;
        return known;
    }
}

/* Reserved bits and registers are #GP in this mode; EOI and ESR take nothing but 0 (Intel SDM 3A 11.12.1.3).
 */
bool vt_vcpu_apic_write_msr(struct vt_vcpu *vcpu, uint32_t index, uint64_t value)
{
    uint32_t offset = (index & 0xff) << 4;

    if (!is_x2apic(vcpu))
        return false;
    switch (offset) {
    case APIC_SELF_IPI:
        if (value > 0xff)
            return false;
        request(vcpu, value);
        return true;
    case APIC_ICR:
        if (value & ~ICR_BITS)
            return false;
        send(vcpu, value, value >> 32);
        return true;
    case APIC_EOI:
    case APIC_ESR:
        return value == 0 && write_common(vcpu, offset, 0);
    case APIC_TPR:
        return value <= 0xff && write_common(vcpu, offset, value);
    case APIC_SVR:
        return value <= 0x1ff && write_common(vcpu, offset, value);
    default:
        return value <= UINT32_MAX && !(value & ~(uint64_t)LVT_BITS) && write_common(vcpu, offset, value);
    }
}
