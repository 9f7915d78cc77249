#include "compare/resolution.h"
#include "compare/counts.h"
#include "compare/floor.h"
#include "compare/statistics.h"

#include <math.h>

/* Of a standard normal, one-sided: what 95 of 100 stay below. */
static const double power = 1.645;
/* The same of what the quiet pairs saw, of which the figure counts that moved less (found with
 * tests/data/compare). */
static const double lesser_power = 2.6;

static double largest(const double *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, values[i]);
    return most;
}

/*
 * Each witness asks for a shift of its own; the smallest that all confirm is the largest of these. Holm's
 * first step is the hardest and is what a change that stands alone must pass.
 */
static double detectable_of(const struct vt_comparison *comparison, struct vt_compared *row, size_t tests)
{
    double lasting = vt_compare_lasting_shift(row);
    double level = comparison->level / (double)tests;
    double medians =
        hypot(vt_compare_interval_error(&row->before->toll), vt_compare_interval_error(&row->after->toll));
    const double shifts[] = {
        log1p(comparison->threshold) + lesser_power * fmax(row->error, medians),
        row->error * (vt_compare_student_limit(level, row->freedom) + lesser_power),
        vt_compare_rank_shift(&row->before->samples, &row->after->samples,
                              vt_compare_normal_limit(level) + power),
        lasting + lesser_power * row->error,
    };
    if (isinf(lasting))
        row->unclear = VT_UNCLEAR_PASSING;
    return expm1(largest(shifts, sizeof shifts / sizeof shifts[0]));
}

static bool is_tested(const struct vt_compared *row)
{
    return isfinite(row->ratio) && isfinite(row->p_runs);
}

void vt_compare_measure_resolution(struct vt_comparison *comparison)
{
    size_t tests = 0;
    for (size_t i = 0; i < comparison->count; i++)
        tests += is_tested(&comparison->rows[i]);
    for (size_t i = 0; i < comparison->count; i++) {
        struct vt_compared *row = &comparison->rows[i];
        row->detectable = row->counts      ? vt_compare_count_resolution(comparison, row)
                          : is_tested(row) ? detectable_of(comparison, row, tests)
                                           : NAN;
    }
}
