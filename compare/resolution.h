/*
 * What a comparison could have seen: the smallest change of each row that all its witnesses would have
 * confirmed in 95 of 100 comparisons like this one. Private to this room.
 */
#ifndef VT_COMPARE_RESOLUTION_H
#define VT_COMPARE_RESOLUTION_H

#include "compare/comparison.h"

/* Fills detectable of every row that has a ratio or counts, once its error is known, and finds unclear those
 * whose runs have a part that says nothing. */
void vt_compare_measure_resolution(struct vt_comparison *comparison);

#endif
