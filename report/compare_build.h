/*
 * Results of unlike builds of vmtoll: what is warned of before a difference is put down to the machine.
 */
#ifndef VT_REPORT_COMPARE_BUILD_H
#define VT_REPORT_COMPARE_BUILD_H

#include "report/compare.h"

void vt_compare_warn_of_builds(struct vt_comparison *comparison);

#endif
