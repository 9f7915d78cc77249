/*
 * Figures that others published (report/published.h), by name, as figure.h has those of the results: told as
 * what they are, with their source beside them, where a machine cannot measure the road itself.
 */
#ifndef VT_REPORT_STORY_CITED_H
#define VT_REPORT_STORY_CITED_H

#include "report/story/value.h"

bool vt_cited_exists(const char *name);

/* False: it is none of these, or there is no memory to look. */
bool vt_cited_find(const char *name, struct vt_figure *figure);

#endif
