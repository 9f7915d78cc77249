/*
 * The trials: one row per instruction and situation. A row says what to execute, with
 * which inputs, and how to read what comes back; the outcome is never in it.
 */
#ifndef VT_AUDIT_CATALOGUE_H
#define VT_AUDIT_CATALOGUE_H

#include "audit/audit.h"

/* Where a CPU announces the instruction; leaf 0: it always has it. */
struct vt_audit_feature {
    uint32_t leaf, subleaf;
    uint8_t reg, bit; /* 0 EAX, 1 EBX, 2 ECX, 3 EDX */
};

struct vt_audit_trial {
    const char *instruction; /* mnemonic; rows of the same follow one another */
    enum vt_audit_group group;
    const struct vt_audit_stub *stub;
    const char *with;      /* the inputs that matter, for a person; may be NULL */
    const char *effect;    /* what it does at ring 0, in a few words */
    const char *reference; /* manuals */
    uint64_t rax, rcx, rdx;
    uint64_t expected; /* value a guest kernel expects, where `judge` compares one */
    uint64_t limit;    /* and the limit of a table */
    enum vt_audit_assist assist;
    const struct vt_audit_stub *witness; /* with UMIP: stores to a read-only page, which tells who stores */
    struct vt_audit_feature feature;
    /* Inputs that depend on the host; may be NULL. */
    void (*prepare)(const struct vt_audit_arena *arena, struct vt_audit_run *run);
    /* Called when the instruction ran to its end: fill seen, expected and outcome. */
    void (*judge)(const struct vt_audit_trial *trial, const struct vt_audit_run *run,
                  struct vt_audit_finding *finding);
};

const struct vt_audit_trial *vt_audit_trials(size_t *count);

#endif
