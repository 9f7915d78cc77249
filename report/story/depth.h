/* Figures of a hypervisor in a hypervisor, by name, as figure.h has those of all else. */
#ifndef VT_REPORT_STORY_DEPTH_H
#define VT_REPORT_STORY_DEPTH_H

#include "report/depth.h"
#include "report/story/value.h"

/* Both tolls of a case, on the engine that the story tells both depths of. */
bool vt_depth_told(const struct vt_table *table, const char *name, struct vt_depths *depths);

bool vt_depth_figure_exists(const char *name);

/* False: it is none of these, or the results do not tell it. */
bool vt_depth_figure_find(const struct vt_table *table, const char *name, struct vt_figure *figure);

#endif
