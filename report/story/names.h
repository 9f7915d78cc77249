/*
 * Figures that are names: the instructions that UMIP covers by what they did, the classes of what exits.
 * Empty lists are figures that are not known.
 */
#ifndef VT_REPORT_STORY_NAMES_H
#define VT_REPORT_STORY_NAMES_H

#include "report/story/value.h"

/* As vt_figure_exists and vt_figure_find, which ask these two. */
bool vt_names_exist(const char *name);
bool vt_names_find(const struct vt_table *table, const char *name, struct vt_figure *figure);

#endif
