/* What a name of the story's stands for: see figure.h. */
#ifndef VT_REPORT_STORY_VALUE_H
#define VT_REPORT_STORY_VALUE_H

#include "report/road.h"

enum { VT_FIGURE_NAMES = 320 };

struct vt_figure {
    double value;
    enum vt_unit unit;           /* VT_UNITS: a number by itself */
    char names[VT_FIGURE_NAMES]; /* of a case, instructions or classes, told in place of the number; "": it is
                                  */
    unsigned roads;              /* as bits, told in place of the number; 0: none */
    bool cited;                  /* of somebody else's publication; a number by itself is one of cycles */
};

#endif
