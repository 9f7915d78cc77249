/*
 * The figures of the story by name, looked up in the results: a proved row, a part of one, a ratio, a count,
 * or the name of what was cheapest.
 * What no result proves is not there, and what would have told it is left out.
 */
#ifndef VT_REPORT_STORY_FIGURE_H
#define VT_REPORT_STORY_FIGURE_H

#include "report/story/value.h"

/* False: unknown here. */
bool vt_figure_find(const struct vt_table *table, const char *name, struct vt_figure *figure);

/* The words for the units that have any: "# instructions", where the number stands for #. */
struct vt_figure_words {
    const char *instruction, *instructions, *cycles;
};

/* "1.08 µs", "2771 instructions", "13", "216 cycles", "msr, port-io". */
void vt_figure_print(const struct vt_figure *figure, const struct vt_figure_words *words, char *text,
                     size_t size);

/* Is there a figure of that name at all, whether or not this result knows it? */
bool vt_figure_exists(const char *name);

#endif
