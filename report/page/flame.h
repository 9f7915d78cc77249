/* A flame graph: what one operation executes, callers below what they call, as wide as it is long. */
#ifndef VT_REPORT_PAGE_FLAME_H
#define VT_REPORT_PAGE_FLAME_H

#include "bench/profile.h"

#include <stdio.h>

/* An SVG element that needs no script: each frame tells its name and counts when pointed at or focused. */
void vt_page_flame(const struct vt_profile *profile, FILE *stream);

#endif
