/* The road by translation (guest/image/road.h). */
#ifndef VT_MONITOR_TRANSLATE_ROAD_H
#define VT_MONITOR_TRANSLATE_ROAD_H

#include "guest/image/road.h"

extern const struct vt_image_road vt_road_translate;

#endif
