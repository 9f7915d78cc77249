#include "bench/profile.h"

#include <math.h>
#include <stdlib.h>

#define DIGITS 6

double vt_profile_rounding(double number)
{
    return number == 0 ? 0 : 0.500001 * pow(10, floor(log10(fabs(number))) + 1 - DIGITS);
}

void vt_profile_release(struct vt_profile *profile)
{
    free(profile->functions);
    free(profile->stacks);
    free(profile->texts);
    *profile = (struct vt_profile){0};
}
