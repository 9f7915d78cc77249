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

/* Texts from outside were cleaned where they were read (result/load). */
void vt_text_put(const struct vt_text *page, enum vt_text_paint paint, const char *text);
void vt_text_left(const struct vt_text *page, enum vt_text_paint paint, const char *text, int width);
void vt_text_right(const struct vt_text *page, enum vt_text_paint paint, const char *text, int width);
void vt_text_pad(const struct vt_text *page, int width);

#endif
