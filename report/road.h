/*
 * The roads: what a guest's privileged operation can go along, whatever engine took it there. Rows of the
 * table by road, and what roads cost over the same operations.
 *
 * Time and instructions are never one road.
 */
#ifndef VT_REPORT_ROAD_H
#define VT_REPORT_ROAD_H

#include "report/table.h"

enum vt_road {
    VT_ROAD_TRAP,
    VT_ROAD_TRANSLATED,
    VT_ROAD_INTERPRETED,
    VT_ROAD_HARDWARE,
    VT_ROAD_XEN_TRAP,
    VT_ROAD_XEN_CALL,
    VT_ROAD_HARDWARE_LAB,
    VT_ROAD_MONITOR_TRAP, /* at ring 0 of the lab's processor */
    VT_ROADS
};

/* "trapped and emulated": to stand behind an amount. */
const char *vt_road_title(enum vt_road road);

enum vt_unit vt_road_unit(enum vt_road road);

/* Is the case one that may concern a hypervisor: neither a control nor plain computing? */
bool vt_road_counts(const struct vt_line *line);

/* The proved toll of a case (NULL: of none) on a road, or NULL: not measured, or not proved. */
const struct vt_result_row *vt_road_row(const struct vt_table *table, enum vt_road road,
                                        const struct vt_line *line);

/*
 * Did the instruction do something else than a kernel expects, and nobody was asked? So do sensitive
 * instructions that ring 3 may execute; such a row is no price of the operation.
 */
bool vt_road_lies(enum vt_road road, const struct vt_result_row *row);

/*
 * The cheapest road of a unit for the operation of a line (NULL: of none), of those that do what a kernel
 * meant; several where they cost the same. `found` gets them as bits. NULL: fewer than two roads know it.
 */
const struct vt_result_row *vt_road_cheapest(const struct vt_table *table, const struct vt_line *line,
                                             enum vt_unit unit, unsigned *found);

/* The cheapest proved toll on a road among operations of a kernel that crossed in one of these ways (a bit
 * each, by enum vt_crossing); NULL: none. */
const struct vt_result_row *vt_road_shortest(const struct vt_table *table, enum vt_road road,
                                             unsigned crossings);

/* Roads of one unit over the operations that were proved on each of them. */
struct vt_road_medians {
    bool there[VT_ROADS]; /* the road is one of them */
    double median[VT_ROADS];
    enum vt_crossing crossing[VT_ROADS]; /* the most frequent one */
    size_t roads, cases;
};

/* False: fewer than two roads, or too few operations in common to speak of. */
bool vt_road_compare(const struct vt_table *table, enum vt_unit unit, struct vt_road_medians *medians);

/* Is the line one of the operations that `medians` is over? */
bool vt_road_is_common(const struct vt_table *table, const struct vt_road_medians *medians,
                       const struct vt_line *line);

#endif
