/*
 * The text format of Prometheus, of one result and of many: labels and heads.
 */
#ifndef VT_SHOW_METRICS_H
#define VT_SHOW_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * `{name="value"` or `,name="value"`, the value escaped, and what is not UTF-8 as `\xff` of a text: NULL is
 * empty, which is as good as absent.
 */
void vt_metrics_label(const char *name, const char *value, bool first, FILE *stream);

/* What every series of a case is told by. `cpl` < 0: unknown, and left empty. */
struct vt_metrics_case {
    const char *name, *class, *engine, *path;
    int cpl, vcpus, depth;
};
void vt_metrics_case_labels(const struct vt_metrics_case *c, bool first, FILE *stream);

/*
 * What tells the series of one page from those of any other about the same host: the name of the file
 * written, which stays from run to run; of what goes to standard output ("-") the source and a detail of it.
 * Two pages in one folder never share it.
 */
void vt_metrics_page(const char *output, const char *source, const char *detail, char *text, size_t size);

/* HELP and TYPE of a gauge. */
void vt_metrics_head(const char *name, const char *help, FILE *stream);

/* Seconds since 1970 of "2026-11-22T15:00:00Z"; NaN: no such text. */
double vt_metrics_time(const char *iso);

#endif
