#include "monitor/monitor.h"

/* At a fixed address: the gates move registers in and out of it. */
struct vt_monitor vt_monitor;
