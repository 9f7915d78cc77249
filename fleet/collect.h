/*
 * Results as a report takes them: a few side by side, or many as a fleet.
 */
#ifndef VT_FLEET_COLLECT_H
#define VT_FLEET_COLLECT_H

#include "fleet/fleet.h"
#include "fleet/gather.h"

#include <stdbool.h>

/* More results than fit side by side are a fleet. */
enum { VT_COLLECT_BESIDE = 8 };

struct vt_collection {
    struct vt_result *results[VT_COLLECT_BESIDE]; /* owned; all there is unless there are many */
    size_t count;
    bool many;
    struct vt_fleet fleet; /* holds everything when there are many */
};

/*
 * Read all files, as a fleet in groups of `by` where that is not NULL. What is bad is told through `complain`
 * and left out. Returns what the command ends with: VT_EXIT_DONE, VT_EXIT_NO when something was left out, and
 * what it comes to when nothing could be read. Release in any case.
 */
enum vt_exit vt_collect(struct vt_collection *collection, const struct vt_gather *gather, const char *by,
                        void (*complain)(const struct vt_error *error));
void vt_collect_release(struct vt_collection *collection);

#endif
