#include "bench/profile.h"

#include <stdlib.h>

void vt_profile_release(struct vt_profile *profile)
{
    free(profile->functions);
    free(profile->stacks);
    free(profile->texts);
    *profile = (struct vt_profile){0};
}
