/*
 * Turns measurements into a result document.
 *
 *     struct vt_document document = {.started = "2026-11-22T15:00:00Z", .host = probe, ...};
 *     struct vt_result *result = vt_result_make(&document, &error);
 *     vt_result_save(result, "out/result.json", &error);
 *     vt_report_print(..., result, ...);
 *     vt_result_free(result);
 */
#ifndef VT_RESULT_DOCUMENT_H
#define VT_RESULT_DOCUMENT_H

#include "base/error.h"
#include "bench/runner.h"
#include "bench/select.h"
#include "result/result.h"

#include <jansson.h>

/* Everything stays the caller's. */
struct vt_document {
    const char *started; /* ISO 8601, UTC */
    json_t *host;        /* the probe document; NULL: unknown */
    json_t *settings;    /* NULL: unknown */
    json_t *audit;       /* the audit document; NULL: unknown */
    json_t
        *translation; /* the translator's account (bench/engines/translate/account.h); NULL: it did not run */
    const struct vt_measurement *measurements;
    size_t count;
    bool interrupted;
};

/* The document as a value of its own, to be freed with vt_result_free; NULL: memory is out, error filled. */
struct vt_result *vt_result_make(const struct vt_document *document, struct vt_error *error);

/* The settings of a run on this machine: what was asked for and how it went. A new value; NULL: no memory. */
json_t *vt_result_settings(const struct vt_selection *selection, double budget, const struct vt_run *run);

/* A text under its key; NULL and "" are what is not known. */
struct vt_setting {
    const char *key, *text;
};

/* Add when it started (ISO 8601, UTC) and texts, which end with a key of NULL. 0, or -ENOMEM. */
int vt_result_describe(struct vt_result *result, const char *started, const struct vt_setting *settings,
                       struct vt_error *error);

#endif
