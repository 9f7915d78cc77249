/*
 * Formats of a report: one file each, listed in one table.
 */
#ifndef VT_REPORT_FORMAT_H
#define VT_REPORT_FORMAT_H

#include "base/error.h"
#include "report/finding.h"
#include "report/published.h"
#include "report/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What the reader's screen can show, and what the reader wants to see. */
struct vt_screen {
    bool colour; /* escape sequences may be used */
    bool utf8;
    int width;        /* columns; 0: no limit */
    const char *page; /* name of what is written, among others about the same hosts; NULL: it needs none */
    bool published;   /* published figures are wanted beside measured ones, in text, markdown and html */
};

struct vt_report {
    const struct vt_table *table;
    struct vt_findings findings;
    struct vt_screen screen;
    const struct vt_published *published; /* NULL: not asked for */
};

struct vt_format {
    const char *name;
    const char *extensions[3]; /* of files, with the dot; ended by NULL */
    /* 0, or a negative errno with `error`. A failed write need not be noticed: the caller checks the stream.
     */
    int (*print)(const struct vt_report *report, FILE *stream, struct vt_error *error);
};

/* The formats; *count receives how many. */
const struct vt_format *vt_report_formats(size_t *count);

/* By name; NULL: unknown. */
const struct vt_format *vt_report_find_format(const char *name);

/* By a file's extension; NULL: none fits. */
const struct vt_format *vt_report_format_of(const char *path);

/*
 * Print the report of some results. The results stay the caller's.
 */
int vt_report_print(const struct vt_format *format, struct vt_result *const *results, size_t count,
                    const struct vt_screen *screen, FILE *stream, struct vt_error *error);

int vt_format_text(const struct vt_report *report, FILE *stream, struct vt_error *error);
int vt_format_markdown(const struct vt_report *report, FILE *stream, struct vt_error *error);
int vt_format_csv(const struct vt_report *report, FILE *stream, struct vt_error *error);
int vt_format_json(const struct vt_report *report, FILE *stream, struct vt_error *error);
int vt_format_openmetrics(const struct vt_report *report, FILE *stream, struct vt_error *error);
int vt_format_html(const struct vt_report *report, FILE *stream, struct vt_error *error);

#endif
