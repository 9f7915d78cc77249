/*
 * A view into open engines that work on a machine inside this process, for tests that compare what
 * a case did there with what it did elsewhere. `state` is what the engine's open returned.
 */
#ifndef VT_MACHINE_INSIDE_H
#define VT_MACHINE_INSIDE_H

#include "bench/engines/machine/machine.h"
#include "translate/process/process.h"

struct vt_machine *vt_trap_inside(void *state);

struct vt_machine *vt_translate_inside(void *state, struct vt_translate **translate);

/* Where code of the cases' section lies for the translated guest. */
uint64_t vt_translate_inside_address(void *state, const void *code);

/* The prepared case's body once, `iterations` long, without the runs that warm up and count. */
enum vt_translate_end vt_translate_inside_run(void *state, uint64_t iterations);

#endif
