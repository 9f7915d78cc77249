#include "report/breakdown.h"

#include <math.h>

const char *vt_breakdown_title(enum vt_part part)
{
    static const char *const titles[VT_PARTS] = {
        [VT_PART_BARE] = "the bare crossing there and back",
        [VT_PART_EMULATION] = "decoding and emulating",
        [VT_PART_KERNEL] = "handling in the kernel",
        [VT_PART_USER] = "the round trip to user space",
    };
    return titles[part];
}

bool vt_breakdown_has(const struct vt_result_row *row)
{
    for (int part = 0; part < VT_PARTS; part++)
        if (isfinite(row->breakdown[part].median))
            return true;
    return false;
}
