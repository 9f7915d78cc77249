/*
 * Results of unlike builds of vmtoll: what is warned of before a difference is put down to the machine.
 */
#ifndef VT_COMPARE_BUILD_H
#define VT_COMPARE_BUILD_H

#include "compare/comparison.h"

void vt_compare_warn_of_builds(struct vt_comparison *comparison);

#endif
