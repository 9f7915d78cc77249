/* The image with the monitor inside, as judges of effects and of misdeeds use it. */
#ifndef VT_TESTS_DIFFERENCE_EFFECT_MONITOR_H
#define VT_TESTS_DIFFERENCE_EFFECT_MONITOR_H

#include "tests/difference/effect.h"
#include "tests/difference/shared_image.h"
#include "tests/monitor/shared.h"

struct effect_monitor {
    struct shared_image image;
    struct monitor_control *control;
};

/* False: `reason` says why, and nothing is left. */
bool effect_monitor_open(struct effect_monitor *monitor, char *reason, size_t size);
void effect_monitor_close(struct effect_monitor *monitor);

/* Do it, and wait until it is done. */
void effect_monitor_order(struct effect_monitor *monitor, enum monitor_order order, uint64_t number,
                          enum monitor_road road);

/* A road's name as an engine; and the other way round. */
enum effect_engine effect_engine_of(enum monitor_road road);
enum monitor_road effect_road_of(enum effect_engine engine);

/* What came of the turn that an image told, which ran on Bochs. */
void effect_take_told(struct effect *e, const struct monitor_told *told);

/* One turn of the case, at CPL 0, on a road of the monitor's. */
void effect_run_monitor(struct effect *e, enum effect_engine engine, struct effect_monitor *monitor,
                        const struct vt_case *c, const struct effect_setup *setup);

#endif
