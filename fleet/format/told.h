/*
 * What stands out in a fleet, in the words of every format that is read by people.
 */
#ifndef VT_FLEET_FORMAT_TOLD_H
#define VT_FLEET_FORMAT_TOLD_H

#include "fleet/fleet.h"
#include "show/pen/pen.h"

/* Outliers, kinds, crossings that differ, odd cases and what is missing; nothing where nothing stands out. */
void vt_fleet_tell(const struct vt_fleet *fleet, struct vt_pen *pen);

#endif
