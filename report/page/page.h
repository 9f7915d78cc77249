/*
 * Parts of the HTML page, private to html*.c. Every text that came from a file
 * passes vt_escape_html.
 */
#ifndef VT_REPORT_PAGE_PAGE_H
#define VT_REPORT_PAGE_PAGE_H

#include "report/chart/draw.h"
#include "show/crossing.h"
#include "report/format.h"
#include "show/page.h"

#include <stdbool.h>
#include <stdio.h>

struct vt_html {
    const struct vt_report *report;
    FILE *stream;
    struct vt_charts charts;
    bool drawn;
    struct vt_error missing; /* why not, when not drawn */
};

/* Sections of the page. */
void vt_html_findings(const struct vt_html *page);
void vt_html_roads(const struct vt_html *page);
void vt_html_breakdown(const struct vt_html *page);
void vt_html_functions(const struct vt_html *page); /* nothing where no row has a profile */
void vt_html_table(const struct vt_html *page);
void vt_html_distributions(const struct vt_html *page);
void vt_html_evidence(const struct vt_html *page);
void vt_html_audit(const struct vt_html *page); /* nothing where no result holds an audit */
bool vt_html_is_audited(const struct vt_html *page);

/* One chart with its text alternative; nothing where it was not drawn. */
void vt_html_picture(const struct vt_html *page, const struct vt_chart *chart, const char *class,
                     const char *label);

/* What a reader would not expect of a crossing on that column: one sentence, or NULL. */
const char *vt_html_remark(const struct vt_column *column, enum vt_crossing crossing);

/* "7.21 ±0.03 µs": the toll by itself, with its interval. */
void vt_html_toll(const struct vt_result_row *cell, FILE *stream);

#endif
