/*
 * The verdict on each row, from what was found of all: changed, unchanged, or not to be told, and why not.
 * Private to this room.
 */
#ifndef VT_COMPARE_JUDGE_H
#define VT_COMPARE_JUDGE_H

#include "compare/comparison.h"

/* Fills change, worse, with_group and unclear of each row, and what the comparison counts. */
void vt_compare_judge(struct vt_comparison *comparison);

#endif
