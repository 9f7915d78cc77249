/*
 * The audit: can this CPU, as it is set up, be virtualized by trap and emulate alone?
 *
 *     struct vt_audit audit;
 *     if (vt_audit_run(&audit, &error) < 0) ...
 *     json_t *document = vt_audit_json(&audit);
 *
 * Popek and Goldberg (CACM 17(7), 1974): it can when every sensitive instruction
 * traps outside ring 0. Every finding comes from executing the instruction at ring 3
 * in a child process; the table of trials holds the code, what it means and where the
 * manuals describe it, never what will happen.
 *
 * Owns: trials, their execution and what follows from what was seen. Does not own:
 * how long the instructions take (bench/), how the document is shown (cli/, report/).
 */
#ifndef VT_AUDIT_AUDIT_H
#define VT_AUDIT_AUDIT_H

#include "audit/trial.h"
#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define VT_AUDIT_SCHEMA "vmtoll.audit/1"

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

struct vt_audit_trial;

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

/* Fill `audit`; on failure it holds nothing to free. */
int vt_audit_run(struct vt_audit *audit, struct vt_error *error);

void vt_audit_free(struct vt_audit *audit);

/* The document, schema VT_AUDIT_SCHEMA (docs/schema/audit.schema.json); NULL: memory is out. */
json_t *vt_audit_json(const struct vt_audit *audit);

/* The guest kernel whose expectations `expected` holds, in one sentence. */
const char *vt_audit_guest_text(void);

const char *vt_audit_group_name(enum vt_audit_group group);
const char *vt_audit_group_title(enum vt_audit_group group);
const char *vt_audit_outcome_name(enum vt_audit_outcome outcome);
const char *vt_audit_outcome_text(enum vt_audit_outcome outcome);
const char *vt_audit_state_name(enum vt_audit_state state);

#endif
