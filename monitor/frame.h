/* What the gates leave on the monitor's stack, and what C and assembly agree on beside it. */
#ifndef VT_MONITOR_FRAME_H
#define VT_MONITOR_FRAME_H

#define VT_MONITOR_GATES    256
#define VT_MONITOR_TIMER    0xfc /* vector of the timer that ends a run */
#define VT_MONITOR_SPURIOUS 0xff

#ifndef __ASSEMBLER__
#include <stdint.h>

struct vt_monitor_frame {
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};
#endif

#endif
