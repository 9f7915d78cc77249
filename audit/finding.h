/*
 * What is tried and what was found: the types that the audit, its catalogue, its judges and its verdict
 * share.
 */
#ifndef VT_AUDIT_FINDING_H
#define VT_AUDIT_FINDING_H

#include "audit/trial.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vt_audit_group {
    VT_AUDIT_ROBIN_IRVINE, /* the sensitive, unprivileged instructions of USENIX Security 2000 */
    VT_AUDIT_LATER,        /* others that ring 3 may execute: time, identification, later extensions */
    VT_AUDIT_PRIVILEGED,
    VT_AUDIT_GROUPS
};

/* What a hypervisor that runs its guest's kernel at ring 3 makes of it; the worst first. */
enum vt_audit_outcome {
    VT_AUDIT_SILENT,   /* no trap, and not what a guest kernel expects: breaks trap and emulate */
    VT_AUDIT_EMULATED, /* the CPU faults, but the host kernel answers: only a hypervisor in the kernel sees it
                        */
    VT_AUDIT_UNKNOWN,  /* it could not be found out: `note` says why */
    VT_AUDIT_TRAPS,    /* a fault a hypervisor can emulate */
    VT_AUDIT_ABSENT,   /* it faults because the CPU does not have it */
    VT_AUDIT_OUTCOMES
};

/* Where a CPU announces the instruction; leaf 0: it always has it. */
struct vt_audit_feature {
    uint32_t leaf, subleaf;
    uint8_t reg, bit; /* 0 EAX, 1 EBX, 2 ECX, 3 EDX */
};

struct vt_audit_finding;

/* One row of the catalogue. */
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
    void (*judge)(struct vt_audit_finding *finding); /* reads what an instruction left that ran to its end */
};

/* One trial's answer. */
struct vt_audit_finding {
    const struct vt_audit_trial *trial;
    enum vt_audit_outcome outcome;
    char seen[96];                  /* at ring 3, here */
    char expected[96];              /* what a guest kernel at ring 0 gets; see vt_audit_guest_text */
    char note[160];                 /* proof or reason; may be empty */
    enum vt_audit_outcome assisted; /* with the trial's assist switched on, where a process can */
    char assisted_note[160];        /* what was seen then, or why it could not be tried */
    struct vt_audit_run run;        /* as configured */
};

/* All trials of one mnemonic: a run of findings. */
struct vt_audit_instruction {
    const char *name;
    enum vt_audit_group group;
    enum vt_audit_outcome outcome; /* the worst of its trials */
    enum vt_audit_assist assist;   /* that can close it */
    enum vt_audit_outcome assisted;
    size_t first, count; /* of its findings */
};

enum vt_audit_answer { VT_AUDIT_NO, VT_AUDIT_YES, VT_AUDIT_UNDECIDED };

enum vt_audit_state {
    VT_AUDIT_ON,
    VT_AUDIT_AVAILABLE, /* off; it was switched on for a trial and made the instruction fault */
    VT_AUDIT_INACTIVE,  /* off, and not a process's to switch */
    VT_AUDIT_REFUSED_HERE,
    VT_AUDIT_STATES
};

struct vt_audit_assist_finding {
    enum vt_audit_state state;
    char evidence[384];
};

struct vt_audit {
    struct vt_audit_finding *findings; /* owned */
    size_t finding_count;
    struct vt_audit_instruction *instructions; /* owned */
    size_t instruction_count;
    struct vt_audit_assist_finding assists[VT_AUDIT_ASSISTS];
    bool under_hypervisor, hypervisor_known;
    enum vt_audit_answer answer;
    char verdict[1024]; /* sentences for a person */
};

#endif
