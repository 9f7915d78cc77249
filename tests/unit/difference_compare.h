/* Two virtual CPUs compared register by register: the emulator's after a state, and what a judge made of it.
 */
#ifndef VT_TESTS_DIFFERENCE_COMPARE_H
#define VT_TESTS_DIFFERENCE_COMPARE_H

#include "tests/unit/difference.h"

/* Bits a judge does not show as the architecture has them. */
struct difference_ignored {
    const char *judge; /* its name, for the text */
    uint64_t rflags, dr6, dr7, efer;
    bool pat;
};

/* True, and the text says what, when the two are not equal. */
bool difference_value(const struct difference_ignored *judge, const char *what, uint64_t ours,
                      uint64_t theirs);

bool difference_registers(const struct difference_ignored *judge, const struct vt_vcpu *ours,
                          const struct vt_vcpu *theirs);
bool difference_segments(const struct difference_ignored *judge, const struct vt_vcpu *ours,
                         const struct vt_vcpu *theirs);
bool difference_control(const struct difference_ignored *judge, const struct vt_vcpu *ours,
                        const struct vt_vcpu *theirs);

/* The text of the last difference. */
const char *difference_verdict(void);

/* What follows the instruction is HLT, which ends the judge's run at CPL 0 and faults in its turn elsewhere.
 */
enum vt_step difference_go_on(struct difference *d, enum vt_step step);

/* The state after says nothing when the next instruction is single-stepped or lies outside the world. */
bool difference_is_comparable(const struct emulator *e);

#endif
