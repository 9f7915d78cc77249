/*
 * Several runs of one machine, taken as one result: what differs from run to run
 * is then known and need not be estimated.
 */
#ifndef VT_RESULT_POOL_H
#define VT_RESULT_POOL_H

#include "base/error.h"
#include "result/result.h"

#include <stddef.h>

/* Can these be runs of one machine? 0, or -EINVAL with the fact they differ in. */
int vt_result_pool_check(const struct vt_result *first, const struct vt_result *other,
                         struct vt_error *error);

/*
 * Pool `count` >= 1 runs into the first: samples one run after the other, summaries
 * of them all, and in each row where a run ends (`runs`). A run in which a row is not
 * ok does not count for it; runs that crossed differently make it unverified. The
 * other runs stay the caller's and may go. 0, -EINVAL for runs that vt_result_pool_check
 * refuses, or -ENOMEM.
 */
int vt_result_pool(struct vt_result *const *runs, size_t count, struct vt_error *error);

#endif
