/*
 * Text from outside: what a terminal may be shown of it, and how it stays text inside
 * HTML, Markdown and CSV.
 */
#ifndef VT_SHOW_ESCAPE_H
#define VT_SHOW_ESCAPE_H

#include <stddef.h>
#include <stdio.h>

/* Print text so that it stays text, in content and in quoted attributes alike. NULL prints nothing. */
void vt_escape_html(const char *text, FILE *stream);

/* Print text so that it stays text in a line or a table cell of Markdown. */
void vt_escape_markdown(const char *text, FILE *stream);

/*
 * Print text as a field of RFC 4180; NULL prints nothing. A spreadsheet takes what starts with a sign or '@'
 * for a formula, and runs it, quoted or not; an apostrophe before it makes it the text it is.
 */
void vt_escape_csv(const char *text, FILE *stream);

#endif
