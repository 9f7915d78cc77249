/* What QEMU's processor (target/i386/tcg, versions 7.2 to 11.1) gets wrong or has not, and what the manuals
 * say. */
#ifndef VT_TESTS_DIFFERENCE_TCG_ERRORS_H
#define VT_TESTS_DIFFERENCE_TCG_ERRORS_H

#include "tests/difference/difference.h"

/* What the instruction itself raised in the emulator, before the fault was delivered. */
struct tcg_first {
    enum difference_level level; /* it ran at */
    int fault;                   /* vector, or -1 */
    uint32_t error;
};

/* Of the state before: QEMU is no judge of it. */
bool tcg_errs(const struct difference *d);

/* Of the state after: QEMU does not raise this fault, or raises another. */
bool tcg_lets_through(const struct difference *d, const struct tcg_first *first);

/* A gate that names a stack makes SS null there, though the level stays (Intel SDM 3A 6.14.4). */
bool tcg_loses_stack(const struct difference *d, const struct tcg_first *first);

/* LAR and LSL know descriptors there that do not exist in 64-bit mode. */
bool tcg_shows_legacy(const struct difference *d, const struct vt_vcpu *theirs);

/* Null segments keep attributes there: an LDTR all of them, others after a return to an outer level all but
 * the present bit. */
void tcg_mark_null(struct vt_vcpu *theirs);

/* Where the flags QEMU pushed for a fault have no RF, nor does the emulator's frame. */
void tcg_forget_rf(struct emulator *e, const uint8_t *theirs);

#endif
