/*
 * Single instructions on the emulator. A test that includes this keeps its world in
 * `w`; each check names what one step must have done to it.
 */
#ifndef VT_TESTS_UNIT_VCPU_STEP_H
#define VT_TESTS_UNIT_VCPU_STEP_H

#include "tests/unit/vcpu/emulator.h"

#include <check.h>

#define reg(number) (&w->vcpu.gpr[number])

#define ck_done(step)  ck_assert_int_eq(step, VT_STEP_DONE)
#define ck_rip(offset) ck_assert_uint_eq(w->vcpu.rip, WORLD_CODE + (offset))

/* A fault leaves RIP at the instruction. */
#define ck_fault(step, number, code)                                                                         \
    do {                                                                                                     \
        ck_assert_int_eq(step, VT_STEP_FAULT);                                                               \
        ck_assert_uint_eq(w->vcpu.fault.vector, number);                                                     \
        ck_assert_uint_eq(w->vcpu.fault.error, code);                                                        \
        ck_rip(0);                                                                                           \
    } while (0)

#endif
