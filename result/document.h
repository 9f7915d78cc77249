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
#include "bench/measurement.h"
#include "result/result.h"

#include <jansson.h>

/* Everything stays the caller's. */
struct vt_document {
    const char *started; /* ISO 8601, UTC */
    json_t *host;        /* the probe document; NULL: unknown */
    json_t *settings;    /* NULL: unknown */
    json_t *audit;       /* the audit document; NULL: unknown */
    const struct vt_measurement *measurements;
    size_t count;
    bool interrupted;
};

/* The document as a value of its own, to be freed with vt_result_free; NULL: memory is out, error filled. */
struct vt_result *vt_result_make(const struct vt_document *document, struct vt_error *error);

/* Make it, write it to `path` ("-": standard output) all or nothing, forget it. */
int vt_result_write(const struct vt_document *document, const char *path, struct vt_error *error);

#endif
