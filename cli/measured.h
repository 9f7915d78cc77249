/*
 * What `bench` and `lab` do alike: what they are asked for, how they are stopped,
 * and what they do once there is a result document: show it and decide the exit status.
 */
#ifndef VT_CLI_MEASURED_H
#define VT_CLI_MEASURED_H

#include "bench/select.h"
#include "cli/options.h"
#include "result/result.h"

#include <stdbool.h>

struct vt_cli_asked {
    struct vt_selection selection;
    struct vt_words engines, paths, cases, levels; /* of lists given more than once */
    const char *output;                            /* NULL: no document; "-": on standard output */
    const char *format;                            /* of what goes to standard output: vt_options_format */
    bool quiet;
};

/* Entries of a table of options. */
struct vt_option vt_cli_option_cases(struct vt_cli_asked *asked);
struct vt_option vt_cli_option_levels(struct vt_cli_asked *asked, const char *help);
struct vt_option vt_cli_option_output(struct vt_cli_asked *asked);
struct vt_option vt_cli_option_quiet(struct vt_cli_asked *asked);

/*
 * Check what was asked for before anything takes time: the selection goes into `plan`, and the document can
 * be written. Returns VT_OPTIONS_PROCEED, or the exit status after one line. Release the plan in any case.
 */
int vt_cli_select(const struct vt_cli_asked *asked, struct vt_plan *plan);

/*
 * From now on SIGINT, SIGTERM and SIGHUP set what this returns, and the command ends in order. `insist`: a
 * second one ends the process at once; not where that would leave something behind.
 */
const volatile int *vt_cli_stop(bool insist);

/* ISO 8601, UTC: what a result document says of when it started. */
struct vt_cli_moment {
    char text[32];
};

struct vt_cli_moment vt_cli_now(void);

/*
 * Save the result as asked; print it in `asked->format`, as text only unless that is quiet,
 * if the document did not go to standard output already. Returns the exit status: 1 when
 * a measurement failed or timed out.
 */
int vt_cli_deliver(struct vt_result *result, const struct vt_cli_asked *asked);

#endif
