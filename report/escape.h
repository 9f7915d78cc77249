/*
 * Text from outside inside HTML.
 */
#ifndef VT_REPORT_ESCAPE_H
#define VT_REPORT_ESCAPE_H

#include <stdio.h>

/* Print text so that it stays text, in content and in quoted attributes alike. NULL prints nothing. */
void vt_escape_html(const char *text, FILE *stream);

#endif
