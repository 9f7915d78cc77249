/*
 * Which functions the instructions of a toll are of: said once, for every format that people read.
 */
#ifndef VT_REPORT_FUNCTIONS_H
#define VT_REPORT_FUNCTIONS_H

#include "report/table.h"
#include "show/pen/pen.h"

/* How many rows of the table have a profile of more than one function. */
size_t vt_functions_rows(const struct vt_table *table);

/* Called behind the functions of each row, where what is said is still unfolded. */
typedef void (*vt_functions_picture)(void *context, const struct vt_profile *profile);

/* Each of them, folded away; a screen is told where they are when there are many. */
void vt_functions_say(const struct vt_table *table, struct vt_pen *pen, vt_functions_picture picture,
                      void *context);

#endif
