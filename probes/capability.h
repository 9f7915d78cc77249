/*
 * Features that are capabilities by themselves, from the tables of their
 * detectors.
 */
#ifndef VT_PROBES_CAPABILITY_H
#define VT_PROBES_CAPABILITY_H

#include "probes/document.h"

#include <stddef.h>

/* Key of feature `index` in vt_x.features or amd_v.features, and what it means; NULL past the last one. */
const char *vt_capability_vt_x(size_t index, const char **meaning);
const char *vt_capability_amd_v(size_t index, const char **meaning);

#endif
