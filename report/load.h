/*
 * Reads result documents from files nobody vouches for.
 *
 * Owns: syntax, types, limits and the one line that says what is wrong where.
 * Input is streamed, so memory follows the largest document kept, not the file.
 * A file holds one document or several behind one another (JSON Lines).
 */
#ifndef VT_REPORT_LOAD_H
#define VT_REPORT_LOAD_H

#include "base/error.h"
#include "report/result.h"

#include <stdbool.h>
#include <stddef.h>

struct vt_load_options {
    bool samples; /* keep the series of each row; without, they are checked and dropped */
    /* Keep only what medians of many hosts need: tolls and facts of the host. The rest is checked as JSON
     * alone. */
    bool medians_only;
};

/* Receives each document as it is complete, and owns it. Not 0: loading ends with that value. */
typedef int (*vt_load_sink)(struct vt_result *result, void *context);

/*
 * Load every document of `path` ("-": standard input). Returns 0, the sink's value,
 * or a negative errno with "FILE:LINE:COLUMN: what was expected" in `error`;
 * documents before the bad one have reached the sink. Unknown keys are ignored;
 * what is absent is unknown. A file without any document is an error.
 */
int vt_report_load(const char *path, const struct vt_load_options *options, vt_load_sink sink, void *context,
                   struct vt_error *error);

/* The same from memory; `name` stands for the file in messages. */
int vt_report_load_memory(const char *name, const void *data, size_t size,
                          const struct vt_load_options *options, vt_load_sink sink, void *context,
                          struct vt_error *error);

#endif
