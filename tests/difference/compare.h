/* Two virtual CPUs compared register by register: the emulator's after a state, and what a judge made of it.
 */
#ifndef VT_TESTS_DIFFERENCE_COMPARE_H
#define VT_TESTS_DIFFERENCE_COMPARE_H

#include "tests/difference/difference.h"

/* Bits a judge does not show as the architecture has them. */
struct difference_ignored {
    const char *judge; /* its name, for the text */
    uint64_t rflags, dr6, dr7, efer;
    uint64_t sysenter; /* of SYSENTER_ESP and SYSENTER_EIP */
    uint64_t sysenter_cs;
    uint64_t rights;   /* of segments other than CS */
    uint64_t reg_bits; /* of the general register `reg` */
    uint8_t reg;
    bool pat;
};

/*
 * Bits of the register named by ModRM.reg that the manual leaves undefined: 19:16 of what LAR gives, where
 * AMD shows the limit and Intel promises nothing (SDM 2A LAR).
 */
uint64_t difference_undefined(const struct difference *d);

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
