/* Gives the rows of a lab's result their profiles. */
#ifndef VT_CLI_LAB_PROFILE_H
#define VT_CLI_LAB_PROFILE_H

#include "lab/lab.h"
#include "result/result.h"

/* Each row with a toll: its profile, or `unverified` with the reason why it has none. 0, -ENOMEM, or -EINTR
 * where it was asked to end; the time that `stop` has is the lab's. */
int vt_cli_profile_rows(struct vt_lab_outcome *outcome, const struct vt_lab_stop *stop,
                        struct vt_result *result, struct vt_error *error);

#endif
