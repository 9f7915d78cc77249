/* QEMU with the judging image inside (tests/judge): started, filled, waited for, ended. */
#ifndef VT_TESTS_DIFFERENCE_TCG_H
#define VT_TESTS_DIFFERENCE_TCG_H

#include "tests/difference/shared_image.h"
#include "tests/judge/judge.h"
#include "vcpu/vcpu.h"

struct tcg {
    struct shared_image image;
    struct judge_control *control;
    struct judge_slot *slots; /* JUDGE_HALVES * JUDGE_HALF */
};

/* False: `reason` says why, and nothing is left. The image lies beside the running program. */
bool tcg_open(struct tcg *tcg, char *reason, size_t size);
void tcg_close(struct tcg *tcg);

/* The rows of CPUID as its processor shows them. */
void tcg_fill_cpuid(const struct tcg *tcg, struct vt_vcpu *vcpu);

/* What CR3 is in a slot. */
uint64_t tcg_tables(const struct judge_slot *slot);

/* A state into a slot, memory apart. */
void tcg_put(struct judge_slot *slot, const struct vt_vcpu *vcpu, const uint8_t code[16]);

/* The state a slot ended with, and why it ended: SVM_EXIT_HLT, SVM_EXIT_SHUTDOWN, ... */
uint64_t tcg_get(const struct judge_slot *slot, struct vt_vcpu *vcpu);

/* Let a half be run, and wait until it has been; false when QEMU is gone or too slow. */
void tcg_start(struct tcg *tcg, unsigned half);
bool tcg_wait(struct tcg *tcg, unsigned half);

#endif
