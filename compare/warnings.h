/*
 * What a reader must know of two results before a difference is put down to what was meant to be compared:
 * unlike machines, labs and builds, rows without a counterpart, a core that others used. Private to this
 * room.
 */
#ifndef VT_COMPARE_WARNINGS_H
#define VT_COMPARE_WARNINGS_H

#include "compare/comparison.h"

void vt_compare_add_warnings(struct vt_comparison *comparison);

#endif
