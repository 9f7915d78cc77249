/* The flame graph of one operation. */
#ifndef VT_REPORT_PAGE_FLAME_H
#define VT_REPORT_PAGE_FLAME_H

#include "bench/profile.h"

#include <stdio.h>

void vt_page_flame(const struct vt_profile *profile, FILE *stream);

#endif
