/*
 * What `compare` and `ab` do alike: how a comparison is asked for, shown and judged.
 */
#ifndef VT_CLI_COMPARED_H
#define VT_CLI_COMPARED_H

#include "cli/options.h"
#include "compare/load.h"
#include "show/format.h"

struct vt_cli_compared {
    const char *format, *output, *fail_on;
    double threshold, resolution; /* per cent; NaN: what is usual */
    bool all;
    char format_help[192];
    const char *formats[VT_FORMATS + 1];
};

/* Nothing was asked for yet. */
struct vt_cli_compared vt_cli_compared_usual(const char *fail_on);

/* Entries of a table of options. */
struct vt_option vt_cli_option_threshold(struct vt_cli_compared *asked, const char *help);
struct vt_option vt_cli_option_resolution(struct vt_cli_compared *asked, const char *help);
struct vt_option vt_cli_option_fail_on(struct vt_cli_compared *asked, const char *help);
struct vt_option vt_cli_option_all(struct vt_cli_compared *asked);
struct vt_option vt_cli_option_format(struct vt_cli_compared *asked);
struct vt_option vt_cli_option_to(struct vt_cli_compared *asked);

/* The format that was asked for. VT_OPTIONS_PROCEED, or the exit status after one line. */
int vt_cli_choose_format(const struct vt_cli_compared *asked, enum vt_format *format);

/*
 * Compare the runs of both sides, warn, show and judge. The runs are pooled into the first of each side.
 * Returns the exit status. `command` is its name, for messages.
 */
int vt_cli_compare(struct vt_compare_side sides[2], const struct vt_cli_compared *asked,
                   enum vt_format format, const char *command);

#endif
