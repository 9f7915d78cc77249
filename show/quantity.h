/*
 * Numbers for people: which unit a row of tolls reads best in, and as many digits
 * as the interval supports.
 */
#ifndef VT_SHOW_QUANTITY_H
#define VT_SHOW_QUANTITY_H

#include "result/result.h"

#include <stdbool.h>
#include <stddef.h>

struct vt_scale {
    const char
        *name;   /* "ns", "us", "ms", "s"; "instr" for instruction counts; "" where nothing was measured */
    double size; /* in the document's unit */
};

/* The unit for one value in nanoseconds. */
struct vt_scale vt_quantity_scale(double ns);

/* One unit for several cells of a line (NULL and unmeasured cells are skipped). */
struct vt_scale vt_quantity_common_scale(const struct vt_result_row *const *cells, size_t count);

/* Half the width of the toll's interval, the wider side; NaN when unknown. In the document's unit. */
double vt_quantity_half_width(const struct vt_summary *toll);

/* Digits after the point that the interval supports, at most three; none for a count that never differs. */
int vt_quantity_decimals(double value, double half_width);

/* The value as so many digits show it; a zero has no sign. */
double vt_quantity_round(double value, int decimals);

/* "33.0 us": a value by itself, three significant digits. `micro` is the text for "us", "µs" say. */
void vt_quantity_print(double value, enum vt_unit unit, const char *micro, char *text, size_t size);

/* "33.0 ±0.2 us": the same with half the width of its interval, which may be NaN. */
void vt_quantity_print_interval(double value, double half_width, enum vt_unit unit, const char *micro,
                                char *text, size_t size);

#endif
