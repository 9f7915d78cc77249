/*
 * Several runs of one machine, taken as one result: what differs from run to run
 * is then known and need not be estimated.
 */
#ifndef VT_REPORT_POOL_H
#define VT_REPORT_POOL_H

#include "base/error.h"
#include "report/result.h"

#include <stddef.h>

/*
 * Pool `count` >= 1 runs into the first: samples one run after the other, summaries
 * of them all, and in each row where a run ends (`runs`). A run in which a row is not
 * ok does not count for it; runs that crossed differently make it unverified. The
 * other runs stay the caller's and may go. 0, -EINVAL for runs of different machines, or
 * -ENOMEM.
 */
int vt_report_pool(struct vt_result *const *runs, size_t count, struct vt_error *error);

#endif
