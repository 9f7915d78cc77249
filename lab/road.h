/*
 * The roads an image may have beside ring 0 as it stands (guest/image/road.h), each an engine of its own:
 * what its rows are called and how its counters are read.
 */
#ifndef VT_LAB_ROAD_H
#define VT_LAB_ROAD_H

#include "bench/measurement.h"

#define VT_LAB_ROAD_PROOFS 3

struct vt_lab_road {
    const char *engine; /* of its rows, and the word they are said with; static */
    enum vt_path path;  /* of what crosses, or may */
    int cpl;            /* that the code believes to run at */
    enum vt_rows rows;
    enum vt_crossing bare; /* whose cost it knows with nothing done: a row that crosses so is taken apart */
    /* What one of these per operation says; the first that holds decides, and it is the row's exits unless it
     * is inline. */
    struct {
        enum vt_counter count;
        enum vt_crossing crossing; /* VT_CROSSING_UNKNOWN: there are no more */
    } proof[VT_LAB_ROAD_PROOFS];
};

/* All roads, in the order their rows come; *count receives how many. */
const struct vt_lab_road *vt_lab_roads(size_t *count);

/* The road of that word, or NULL. */
const struct vt_lab_road *vt_lab_road_find(const char *word);

/* What it crossed, from the counters of the row; and what exceptions did it, as the reason. */
void vt_lab_road_judge(const struct vt_lab_road *road, struct vt_measurement *m);

/* How a batch on a road ended without coming back, the machine going on: "timeout", "halted" or "broken". */
struct vt_lab_road_end {
    const char *word;
    enum vt_status status;
    const char *reason; /* one that ends with a blank is followed by the exception's name */
};

/* Of that word, or NULL. */
const struct vt_lab_road_end *vt_lab_road_find_end(const char *word);

/* The row's status and reason; `vector`: of the exception. */
void vt_lab_road_fail(struct vt_measurement *m, const struct vt_lab_road_end *end, uint64_t vector);

/* One exception vector's occurrences among its crossings, of all bodies and baselines: into the reason. */
void vt_lab_road_note_vector(struct vt_measurement *m, unsigned vector, double body, double baseline);

/* `ticks` of so many bare crossings: the same beside each pair. -ENOMEM. */
int vt_lab_road_take_bare(struct vt_measurement *m, double ticks, double crossings);

#endif
