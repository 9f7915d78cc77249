/* Is what a lab's machine sent what it was asked for? The machine is not trusted. */
#ifndef VT_CLI_LAB_SENT_H
#define VT_CLI_LAB_SENT_H

#include "bench/select.h"
#include "lab/labs.h"
#include "result/result.h"

/*
 * A document with a row for each case at each level that was asked for, none twice and none besides, each of
 * a guest `depth` hypervisors deep. Of labs that boot Linux; rows of the others are checked as they come
 * (lab/image.c).
 */
int vt_cli_check_sent(const struct vt_lab *lab, const struct vt_selection *asked, int depth,
                      const struct vt_lab_outcome *outcome, const struct vt_result *result,
                      struct vt_error *error);

#endif
