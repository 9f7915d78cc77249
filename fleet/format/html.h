/*
 * The page of a fleet: what its parts share. Private to this folder.
 */
#ifndef VT_FLEET_FORMAT_HTML_H
#define VT_FLEET_FORMAT_HTML_H

#include "fleet/fleet.h"

#include <stdio.h>

/* The section of what stands out. */
void vt_fleet_html_told(const struct vt_fleet *fleet, FILE *stream);

#endif
