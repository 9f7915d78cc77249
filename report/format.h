/*
 * Formats of a report: one file each, listed in one table.
 */
#ifndef VT_REPORT_FORMAT_H
#define VT_REPORT_FORMAT_H

#include "base/error.h"
#include "report/finding.h"
#include "report/published.h"
#include "report/table.h"
#include "show/format.h"
#include "show/screen.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct vt_report {
    const struct vt_table *table;
    struct vt_findings findings;
    struct vt_screen screen;
    const struct vt_published *published; /* NULL: not asked for */
};

bool vt_report_has_format(enum vt_format format);

/*
 * Print the report of some results. The results stay the caller's.
 */
int vt_report_print(enum vt_format format, struct vt_result *const *results, size_t count,
                    const struct vt_screen *screen, FILE *stream, struct vt_error *error);

/* The formats: 0, or a negative errno with `error`. A failed write need not be noticed: the caller checks the
 * stream. */
int vt_report_text(const struct vt_report *report, FILE *stream, struct vt_error *error);
int vt_report_markdown(const struct vt_report *report, FILE *stream, struct vt_error *error);
int vt_report_csv(const struct vt_report *report, FILE *stream, struct vt_error *error);
int vt_report_json(const struct vt_report *report, FILE *stream, struct vt_error *error);
int vt_report_openmetrics(const struct vt_report *report, FILE *stream, struct vt_error *error);
int vt_report_folded(const struct vt_report *report, FILE *stream, struct vt_error *error);
int vt_report_html(const struct vt_report *report, FILE *stream, struct vt_error *error);

#endif
