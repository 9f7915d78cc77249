/*
 * Executing one instruction on the virtual CPU.
 *
 * Owns: what the architecture says an emulated instruction does, and the
 * delivery of exceptions and interrupts through the virtual IDT. No library, no
 * allocation, no signals; no state but its arguments.
 */
#ifndef VT_VCPU_EMULATE_EMULATE_H
#define VT_VCPU_EMULATE_EMULATE_H

#include "vcpu/environment.h"
#include "vcpu/instruction.h"
#include "vcpu/raise.h"

/*
 * Execute the instruction, which lies at vcpu->rip. All guest state the instruction
 * uses is in *vcpu, GPRs and arithmetic flags included.
 * Never delivers anything by itself: on VT_STEP_FAULT the caller calls vt_vcpu_deliver or gives
 * up; after VT_STEP_DONE it may call vt_vcpu_interrupt.
 */
enum vt_step vt_vcpu_execute(struct vt_vcpu *vcpu, const struct vt_environment *environment,
                             const struct vt_instruction *instruction);

/*
 * Enter the guest's handler for vcpu->fault through the virtual IDT (Intel SDM 3A 6.14; AMD APM 2 8.9). A
 * fault while doing so becomes a double fault (6.15, vector 8) and is delivered instead; a third one returns
 * VT_STEP_FAULT with vcpu->fault of the double fault: the CPU would shut down.
 */
enum vt_step vt_vcpu_deliver(struct vt_vcpu *vcpu, const struct vt_environment *environment);

/*
 * Accept the highest pending interrupt when IF is set, no shadow holds it off and its priority
 * allows, and enter its handler. *taken (may be NULL) says whether one was. VT_STEP_FAULT as from
 * vt_vcpu_deliver.
 */
enum vt_step vt_vcpu_interrupt(struct vt_vcpu *vcpu, const struct vt_environment *environment, bool *taken);

/* The linear address of the memory operand. Does not check that it is canonical. */
uint64_t vt_vcpu_linear_address(const struct vt_vcpu *vcpu, const struct vt_instruction *instruction);

#endif
