/* A PV domain has no ring 0 to put a monitor in. */
#include "guest/image/road.h"

const struct vt_image_road *const *vt_image_roads(size_t *count)
{
    *count = 0;
    return NULL;
}

void vt_image_restore(void)
{
}
