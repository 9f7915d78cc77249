/* Gives the rows of a lab's result their profiles. */
#ifndef VT_CLI_LAB_PROFILE_H
#define VT_CLI_LAB_PROFILE_H

#include "lab/lab.h"
#include "result/result.h"

/* Each row with a toll: its profile, or `unverified` with the reason why it has none. 0 or -ENOMEM. */
int vt_cli_profile_rows(struct vt_lab_outcome *outcome, struct vt_result *result, struct vt_error *error);

#endif
