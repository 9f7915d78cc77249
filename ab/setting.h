/*
 * One of two settings: what a command makes of the machine, a processor, or another build of vmtoll.
 */
#ifndef VT_AB_SETTING_H
#define VT_AB_SETTING_H

#include "base/error.h"
#include "bench/select.h"
#include "lab/fetch/stop.h"
#include "result/result.h"

enum vt_ab_kind { VT_AB_COMMAND, VT_AB_CPU, VT_AB_PROGRAM, VT_AB_KINDS };

extern const char *const vt_ab_kinds[VT_AB_KINDS + 1]; /* "command", ...; ended by NULL */

struct vt_ab_setting {
    enum vt_ab_kind kind;
    char name;        /* 'A' */
    const char *text; /* for the shell; a number; a path */
};

/* What a turn measures, and for how long. */
struct vt_ab_turn {
    struct vt_selection selection;
    double seconds;
    const char *file; /* where the result goes */
};

/* Bring it about. Only a command does anything. */
int vt_ab_apply(const struct vt_ab_setting *setting, const volatile int *flag, struct vt_error *error);

/* Measure under it. The result is the caller's. */
int vt_ab_measure(const struct vt_ab_setting *setting, const struct vt_ab_turn *turn,
                  const volatile int *flag, struct vt_result **result, struct vt_error *error);

#endif
