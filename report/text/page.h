/*
 * The text report's paper: paint, padding, wrapping. Private to this folder.
 */
#ifndef VT_REPORT_TEXT_PAGE_H
#define VT_REPORT_TEXT_PAGE_H

#include "report/format.h"

enum vt_text_paint {
    VT_TEXT_PLAIN,
    VT_TEXT_BOLD,
    VT_TEXT_DIM,
    VT_TEXT_GOOD,
    VT_TEXT_WARM,
    VT_TEXT_HOT,
    VT_TEXT_ALERT
};

struct vt_text {
    const struct vt_report *report;
    FILE *stream;
    struct vt_text_grid *grid; /* of the table; text.c's own */
};

/* Text may come from a file: control characters, a terminal's escapes among them, become '?'. */
void vt_text_put(const struct vt_text *page, enum vt_text_paint paint, const char *text);
void vt_text_left(const struct vt_text *page, enum vt_text_paint paint, const char *text, int width);
void vt_text_right(const struct vt_text *page, enum vt_text_paint paint, const char *text, int width);
void vt_text_pad(const struct vt_text *page, int width);

/* Breaks at blanks; lines after the first are indented. Ends the line. */
void vt_text_wrap(const struct vt_text *page, enum vt_text_paint paint, const char *text, int indent);

/* Characters on the screen, taking each code point for one. */
int vt_text_width(const char *text);

/* What stands around the table. */
void vt_text_host(const struct vt_text *page, const struct vt_result *result);
void vt_text_breakdown(const struct vt_text *page);
void vt_text_audit(const struct vt_text *page);
void vt_text_warnings(const struct vt_text *page, const struct vt_result *result);
void vt_text_published(const struct vt_text *page);

#endif
