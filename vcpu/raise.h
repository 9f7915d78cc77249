/* How an instruction of the virtual CPU ends, and raising what it may end in. */
#ifndef VT_VCPU_RAISE_H
#define VT_VCPU_RAISE_H

#include "vcpu/vcpu.h"

enum vt_step {
    VT_STEP_DONE,  /* executed; RIP is at what comes next */
    VT_STEP_FAULT, /* vcpu->fault says what was raised; registers, memory and RIP as the manual demands */
    VT_STEP_AGAIN, /* a repeated string instruction paused between two turns, as for an interrupt: execute it
                      again */
    VT_STEP_HALT,  /* HLT executed with nothing pending: RIP is behind it, vcpu->halted is set */
    VT_STEP_UNHANDLED, /* operation VT_OP_NONE: nothing changed */
};

/* Raise an exception from outside an instruction: fills vcpu->fault and returns VT_STEP_FAULT. */
enum vt_step vt_vcpu_raise(struct vt_vcpu *vcpu, uint8_t vector);
enum vt_step vt_vcpu_raise_error(struct vt_vcpu *vcpu, uint8_t vector, uint32_t error);
enum vt_step vt_vcpu_raise_page_fault(struct vt_vcpu *vcpu, uint64_t address, uint32_t error);

/* The trap of RFLAGS.TF; RIP is behind the instruction already. vt_vcpu_execute raises it by itself. */
enum vt_step vt_vcpu_raise_step(struct vt_vcpu *vcpu);

#endif
