/* The state a turn starts from below the monitor, for the image and for the test outside of it. */
#ifndef VT_TESTS_MONITOR_BEGIN_H
#define VT_TESTS_MONITOR_BEGIN_H

#include "tests/difference/effect_state.h"
#include "tests/monitor/shared.h"

#define MONITOR_FS_BASE UINT64_C(0x00007a0000002340)

static inline void monitor_begin(struct monitor_control *control, const struct vt_case *c,
                                 const struct effect_setup *setup)
{
    control->vcpu.segment[VT_FS].base = MONITOR_FS_BASE;
    effect_state(c, setup, &control->vcpu, &control->scratch);
    vt_vcpu_refresh(&control->vcpu);
    control->mask = EFFECT_MASK;
    control->redirected = c->needs & VT_NEED_HANDLERS ? c->skip_vector + 1u : 0;
}

#endif
