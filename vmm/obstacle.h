/*
 * What is in the way of a call on KVM's descriptors, told from its errno and
 * from what the kernel says of this process's limits.
 */
#ifndef VT_VMM_OBSTACLE_H
#define VT_VMM_OBSTACLE_H

#include "base/error.h"

struct vt_obstacle {
    const char *code; /* stable word: "busy", "no-threads", …; NULL: nothing is in the way */
    char reason[448];
    char fix[448]; /* what to do about it; "" when nothing helps */
};

void __attribute__((format(printf, 2, 3)))
vt_obstacle_reason(struct vt_obstacle *obstacle, const char *format, ...);
void __attribute__((format(printf, 2, 3)))
vt_obstacle_fix(struct vt_obstacle *obstacle, const char *format, ...);

/* `call` is "KVM_CREATE_VM" or what else was tried, `number` its errno. */
void vt_vmm_explain(const char *call, int number, struct vt_obstacle *obstacle);

/* "reason: fix" as an error of the environment. Returns the negative errno. */
int vt_obstacle_error(const struct vt_obstacle *obstacle, int number, struct vt_error *error);

#endif
