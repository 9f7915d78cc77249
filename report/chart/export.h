/*
 * The charts of a report as files: a PDF for a paper and a PNG for a slide of each.
 *
 *     roads.pdf                   every case on every road, in time
 *     roads-<class>.pdf           the cases of one class
 *     breakdown.pdf               what crossings are made of
 *     distribution-<case>.pdf     what one run differs from the next
 *
 * and with "-instructions" where instructions were counted. Owns: names, folders
 * and renaming. Does not own: what is drawn (chart.h).
 */
#ifndef VT_REPORT_CHART_EXPORT_H
#define VT_REPORT_CHART_EXPORT_H

#include "base/error.h"
#include "result/result.h"

#include <stddef.h>

/*
 * Draw everything into `folder`, which is made if only its last part is missing.
 * All or nothing: the folder gets its files when all are complete, and files of
 * the same names are replaced. Results stay the caller's. 0, or a negative errno
 * with `error`; *files receives how many were written.
 */
int vt_chart_export(struct vt_result *const *results, size_t count, const char *folder, size_t *files,
                    struct vt_error *error);

#endif
