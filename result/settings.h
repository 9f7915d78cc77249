/*
 * What a document says of how it was measured.
 */
#ifndef VT_RESULT_SETTINGS_H
#define VT_RESULT_SETTINGS_H

#include "base/error.h"
#include "bench/runner.h"
#include "bench/select.h"
#include "result/result.h"

/* Of a run on this machine: what was asked for and how it went. A new value; NULL: no memory. */
json_t *vt_settings_run(const struct vt_selection *selection, double budget, const struct vt_run *run);

/* A text under its key; NULL and "" are what is not known. */
struct vt_setting {
    const char *key, *text;
};

/* Add when it started (ISO 8601, UTC) and texts, which end with a key of NULL. 0, or -ENOMEM. */
int vt_settings_add(struct vt_result *result, const char *started, const struct vt_setting *settings,
                    struct vt_error *error);

#endif
