/*
 * Roads: ways to run a case in this image other than where it stands, at ring 0. The image knows what a road
 * must offer; whoever is linked with it brings some (monitor/roads.c), or none (xenroads.c).
 *
 * Owns: measuring a case on a road and saying so. Does not own: what a road does.
 */
#ifndef VT_GUEST_IMAGE_ROAD_H
#define VT_GUEST_IMAGE_ROAD_H

#include "guest/catalogue.h"
#include "guest/image/choice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a batch on a road ended. */
enum vt_road_end {
    VT_ROAD_DONE,
    VT_ROAD_FAULT,   /* an exception that nobody handles: `vector` */
    VT_ROAD_TIMEOUT, /* it did not return */
    VT_ROAD_HALTED,  /* with no interrupt to wake it */
    VT_ROAD_BROKEN,  /* the road itself failed: `vector` of its own exception */
};

#define VT_ROAD_COUNTS  8
#define VT_ROAD_VECTORS 32

/* What a batch took and what its road saw of it. */
struct vt_road_batch {
    enum vt_road_end end;
    uint64_t vector;
    uint64_t tsc[2];
    uint64_t count[VT_ROAD_COUNTS];    /* of vt_image_road.counts */
    uint64_t vectors[VT_ROAD_VECTORS]; /* crossings that were exceptions, by vector */
};

struct vt_image_road {
    const char *name;                   /* of its engine: "monitor-trap" */
    const char *counts[VT_ROAD_COUNTS]; /* names (base/counter.h) of what it counts; the rest NULL */
    /* Why the road does not exist on this machine; NULL: it does. Asked once, before anything else. */
    const char *(*refuse)(void);
    enum vt_rows rows;
    /* Why this case cannot take it; NULL: it can. */
    const char *(*why_not)(const struct vt_case *c);
    /* Run one twin from a fresh world. The image's own world is as it was afterwards. */
    void (*batch)(const struct vt_case *c, bool body, uint64_t iterations, struct vt_road_batch *out);
    /* Ticks that `crossings` bare crossings take, with nothing done on the other side; 0: unknown. */
    uint64_t (*bare)(uint64_t *crossings);
};

/* All of them; *count receives how many. */
const struct vt_image_road *const *vt_image_roads(size_t *count);

/* Measure the case on every road that was asked for and say so. */
void vt_image_run_roads(const struct vt_case *c, const struct vt_image_choice *choice);

/* Bring the image's own world back, whatever a case or a road did to descriptor tables and registers. */
void vt_image_restore(void);

#endif
