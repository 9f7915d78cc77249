/*
 * Executing one instruction on the virtual CPU.
 *
 * Owns: what the architecture says an emulated instruction does, and the
 * delivery of exceptions and interrupts through the virtual IDT. No library, no
 * allocation, no signals; no state but its arguments.
 */
#ifndef VT_VCPU_EMULATE_H
#define VT_VCPU_EMULATE_H

#include "vcpu/environment.h"
#include "vcpu/instruction.h"
#include "vcpu/vcpu.h"

enum vt_step {
    VT_STEP_DONE,  /* executed; RIP is at what comes next */
    VT_STEP_FAULT, /* vcpu->fault says what was raised; registers, memory and RIP as the manual demands */
    VT_STEP_AGAIN, /* a repeated string instruction paused between two turns, as for an interrupt: execute it
                      again */
    VT_STEP_HALT,  /* HLT executed with nothing pending: RIP is behind it, vcpu->halted is set */
    VT_STEP_UNHANDLED, /* operation VT_OP_NONE: nothing changed */
};

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

/* Raise an exception from outside an instruction: fills vcpu->fault and returns VT_STEP_FAULT. */
enum vt_step vt_vcpu_raise(struct vt_vcpu *vcpu, uint8_t vector);
enum vt_step vt_vcpu_raise_error(struct vt_vcpu *vcpu, uint8_t vector, uint32_t error);
enum vt_step vt_vcpu_raise_page_fault(struct vt_vcpu *vcpu, uint64_t address, uint32_t error);

/* The trap of RFLAGS.TF; RIP is behind the instruction already. vt_vcpu_execute raises it by itself. */
enum vt_step vt_vcpu_raise_step(struct vt_vcpu *vcpu);

/* The linear address of the memory operand. Does not check that it is canonical. */
uint64_t vt_vcpu_linear_address(const struct vt_vcpu *vcpu, const struct vt_instruction *instruction);

/* Is an interrupt waiting whose priority beats the processor's? Keeps vcpu->apic.pending up to date. */
bool vt_vcpu_update_pending(struct vt_vcpu *vcpu);

#endif
