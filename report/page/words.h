/*
 * Links each word of the glossary, where a page says it first, to what the glossary says of it.
 */
#ifndef VT_REPORT_PAGE_WORDS_H
#define VT_REPORT_PAGE_WORDS_H

#include <stdio.h>

/* The page as it was, with its links. Texts in links, headings, heads of tables, pictures, controls and code
 * of the page itself get none. */
void vt_page_link_words(const char *page, FILE *stream);

#endif
