/*
 * Text from outside inside HTML and Markdown.
 */
#ifndef VT_REPORT_ESCAPE_H
#define VT_REPORT_ESCAPE_H

#include <stdio.h>

/* Print text so that it stays text, in content and in quoted attributes alike. NULL prints nothing. */
void vt_escape_html(const char *text, FILE *stream);

/* Print text so that it stays text in a line or a table cell of Markdown. */
void vt_escape_markdown(const char *text, FILE *stream);

#endif
