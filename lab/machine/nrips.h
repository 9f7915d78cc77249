/*
 * What AMD-V without NRIPS adds to a path: the processor does not say where the next instruction
 * is, and KVM decodes the one that exited to step over it.
 */
#ifndef VT_LAB_MACHINE_NRIPS_H
#define VT_LAB_MACHINE_NRIPS_H

#include "bench/measurement.h"

#include <stddef.h>

/*
 * Say so in the reason of each row to which it is true: those on which KVM decoded an instruction
 * (VT_INSN_EMULATION) that it would only have stepped over. For a machine where kvm_amd.nrips is 0.
 */
void vt_lab_nrips_note(struct vt_measurement *measurements, size_t count);

#endif
