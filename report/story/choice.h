/*
 * Figures that are found by choosing among rows: a road's shortest crossing, an operation's cheapest road.
 * Behind "_of" and "_road" stand the names of what was chosen.
 */
#ifndef VT_REPORT_STORY_CHOICE_H
#define VT_REPORT_STORY_CHOICE_H

#include "report/story/value.h"

/* As vt_figure_find and vt_figure_exists, which ask these two. */
bool vt_choice_find(const struct vt_table *table, const char *name, struct vt_figure *figure);
bool vt_choice_exists(const char *name);

#endif
