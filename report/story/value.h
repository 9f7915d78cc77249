/* What a name of the story's stands for: see figure.h. */
#ifndef VT_REPORT_STORY_VALUE_H
#define VT_REPORT_STORY_VALUE_H

#include "report/road.h"

struct vt_figure {
    double value;
    enum vt_unit unit; /* VT_UNITS: a number by itself */
    const char *name;  /* of a case, told in place of the number; NULL: the number is told */
    unsigned roads;    /* as bits, told in place of the number; 0: none */
};

#endif
