/*
 * The virtual local APIC, as far as a kernel alone on its CPU meets it: identity,
 * priorities, self-IPIs and their end.
 *
 * Owns: the registers of struct vt_apic. Does not own: where the xAPIC page lies
 * (an environment sends its MMIO accesses here), entering a handler (vcpu/emulate/emulate.h).
 */
#ifndef VT_VCPU_APIC_H
#define VT_VCPU_APIC_H

#include "vcpu/vcpu.h"

/* A 32-bit access at `offset` of the xAPIC page (Intel SDM 3A 11.4.1). Unknown registers read 0 and ignore
 * writes. */
uint32_t vt_vcpu_apic_read(const struct vt_vcpu *vcpu, uint32_t offset);
void vt_vcpu_apic_write(struct vt_vcpu *vcpu, uint32_t offset, uint32_t value);

/* The same registers as MSRs, with the side effects of writing them. False: RDMSR or WRMSR would fault. */
bool vt_vcpu_apic_read_msr(const struct vt_vcpu *vcpu, uint32_t index, uint64_t *value);
bool vt_vcpu_apic_write_msr(struct vt_vcpu *vcpu, uint32_t index, uint64_t value);

/* The vector to be served next, or -1: pending, above the processor priority. */
int vt_vcpu_apic_next(const struct vt_vcpu *vcpu);

/* Is an interrupt waiting whose priority beats the processor's? Keeps vcpu->apic.pending up to date. */
bool vt_vcpu_update_pending(struct vt_vcpu *vcpu);

/* The CPU takes `vector`: from requested to in service. */
void vt_vcpu_apic_accept(struct vt_vcpu *vcpu, uint8_t vector);

#endif
