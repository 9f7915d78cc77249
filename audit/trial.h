/*
 * Executes one stub at ring 3 in a child process of its own and says what happened.
 * Whatever the instruction does to registers, assists or the process ends with the child.
 */
#ifndef VT_AUDIT_TRIAL_H
#define VT_AUDIT_TRIAL_H

#include "audit/assist.h"
#include "audit/frame.h"
#include "audit/stub.h"
#include "base/code.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum vt_audit_end {
    VT_AUDIT_LOST,      /* nothing is known: the child could not be made or followed */
    VT_AUDIT_COMPLETED, /* the instruction ran to its end */
    VT_AUDIT_FAULTED,   /* it raised an exception that became a signal */
    VT_AUDIT_KILLED,    /* the process died of `signal`, which no handler may catch */
    VT_AUDIT_STUCK,     /* it did not come back in time */
    VT_AUDIT_REFUSED,   /* the assist could not be switched on: `refusal` */
};

enum { VT_AUDIT_STACK = 64, VT_AUDIT_STACK_TOP = 48 };

/* Written by the child into shared memory below 4 GiB, read by the parent afterwards. */
struct vt_audit_run {
    struct vt_audit_frame frame;
    uint8_t memory[64];             /* RDI points here */
    uint64_t stack[VT_AUDIT_STACK]; /* RSP points to stack[VT_AUDIT_STACK_TOP] */
    uint32_t end;                   /* enum vt_audit_end */
    int32_t signal, signal_code;
    int32_t refusal;  /* errno */
    int64_t trap;     /* exception vector; -1: the kernel does not tell */
    uint64_t error;   /* its error code */
    uint64_t address; /* si_addr */
    uint64_t rip;     /* where the exception was reported */
    double ns;        /* of one execution, frame and all; NaN: not timed */
};

/* The memory trials run in. */
struct vt_audit_arena {
    uint8_t *code;            /* the block of stubs, read and executed; below 4 GiB */
    struct vt_code written;   /* the same, where it is written */
    struct vt_audit_run *run; /* shared with the child */
    uint8_t *readonly;        /* a page that is mapped and cannot be written */
    uint8_t *signal_stack;
    uint16_t code_selector;   /* of 64-bit code, as this process has it */
    uint16_t code32_selector; /* of 32-bit code; 0: there is none */
};

int vt_audit_arena_open(struct vt_audit_arena *arena, struct vt_error *error);
void vt_audit_arena_close(struct vt_audit_arena *arena);

/* Address of a part of the block as copied. */
uint32_t vt_audit_arena_address(const struct vt_audit_arena *arena, const uint8_t *linked);

/* Clear arena->run and fill in what every stub needs; the caller may then change inputs. */
void vt_audit_trial_begin(struct vt_audit_arena *arena, const struct vt_audit_stub *stub);

/*
 * Run it, with `assist` switched on when it is switchable. The answer is in arena->run. Fails only when no
 * child process can be made.
 */
int vt_audit_trial_run(struct vt_audit_arena *arena, const struct vt_audit_stub *stub,
                       enum vt_audit_assist assist, struct vt_error *error);

#endif
