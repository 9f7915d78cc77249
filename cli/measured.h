/*
 * What `bench` and `lab` do alike once there is a result document: show it and
 * decide the exit status.
 */
#ifndef VT_CLI_MEASURED_H
#define VT_CLI_MEASURED_H

#include "result/result.h"

#include <stdbool.h>

/* ISO 8601, UTC: what a result document says of when it started. */
struct vt_cli_moment {
    char text[32];
};

struct vt_cli_moment vt_cli_now(void);

/*
 * Save the result under `output` (NULL: do not; "-": standard output), print it in
 * `format` (vt_options_format), as text only unless `quiet`, if the document did not go
 * to standard output already.
 * Returns the exit status: 1 when a measurement failed or timed out.
 */
int vt_cli_deliver(struct vt_result *result, const char *output, const char *format, bool quiet);

#endif
