/*
 * The frame of an HTML page, and the pieces every page has. Every text passes vt_escape_html here.
 */
#ifndef VT_SHOW_PAGE_H
#define VT_SHOW_PAGE_H

#include <stdbool.h>
#include <stdio.h>

/* Up to and including <body>; `title` is escaped here. Without scripts the page's policy forbids them. */
void vt_page_head(const char *title, bool scripts, FILE *stream);

/* From <footer> on; `version` (escaped here) may be NULL. */
void vt_page_foot(const char *version, bool scripts, FILE *stream);

/* Colour class of a crossing: a word safe inside class="". */
const char *vt_page_mark_class(const char *crossing);

/* The mark of a crossing, which its name follows; nothing for NULL. */
void vt_page_mark(const char *crossing, FILE *stream);

/* "2026-11-22T15:00:00Z" as a <time> element a person reads. */
void vt_page_date(const char *iso, FILE *stream);

/* `text` as text, between markup. */
void vt_page_text(const char *before, const char *text, const char *after, FILE *stream);

/* A table that scrolls sideways by itself; the caller closes table and div. */
void vt_page_table(const char *label, const char *attributes, FILE *stream);

#endif
