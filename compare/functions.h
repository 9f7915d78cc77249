/*
 * Which functions account for a difference of instruction counts, where both sides were profiled. What they
 * differ by adds up to the difference of the tolls, always.
 */
#ifndef VT_COMPARE_FUNCTIONS_H
#define VT_COMPARE_FUNCTIONS_H

#include "compare/comparison.h"

#include <stdint.h>

/* Instructions of one operation, the function's own. */
struct vt_function_change {
    const char *name, *module; /* of the side that has it; the results' */
    const char *was;           /* its name before, of a function that was renamed; else NULL */
    double before, after;      /* NaN: it was not called there */
    double difference;
};

struct vt_function_changes {
    struct vt_function_change *list; /* the largest first; owned */
    size_t count;
};

/* The same function on both sides: indices in their profiles; -1: it is not there. */
struct vt_function_match {
    int32_t before, after;
};

struct vt_function_matches {
    struct vt_function_match *list; /* every function of both sides; owned */
    size_t count;
};

/* Are both sides profiled? */
bool vt_compare_has_functions(const struct vt_compared *row);

/* By name, and what was renamed by place and length; of rows with profiles. 0 or -ENOMEM; release on success.
 */
int vt_compare_match_functions(const struct vt_compared *row, struct vt_function_matches *matches);
void vt_compare_release_matches(struct vt_function_matches *matches);

/* Those whose own instructions differ; none where a side has no profile. 0 or -ENOMEM; release on success. */
int vt_compare_functions(const struct vt_compared *row, struct vt_function_changes *changes);
void vt_compare_release_functions(struct vt_function_changes *changes);

/* "kvm_pmu_trigger_event -110, kvm_lapic_update_cr8_intercept +108 (new), 12 others +28": the first `most`.
 * Empty where nothing is known. */
void vt_compare_print_functions(const struct vt_compared *row, size_t most, char *text, size_t size);

#endif
