/*
 * The story: how a guest's kernel lives without ring 0, in seven steps with the figures of the results shown,
 * as the first chapter of the page. Every number in it is taken from the documents.
 */
#ifndef VT_REPORT_STORY_STORY_H
#define VT_REPORT_STORY_STORY_H

#include "report/table.h"

#include <stdio.h>

/* `code`: a language's (language.h), NULL for the first. */
void vt_story_tell(const struct vt_table *table, const char *code, FILE *stream);

/* What the roads are, in a paragraph that stands above all figures; `code` as above. */
void vt_story_lead(const struct vt_table *table, const char *code, FILE *stream);

#endif
