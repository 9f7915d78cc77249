#include "compare/parts.h"
#include "compare/statistics.h"
#include "base/statistics.h"

#include <math.h>
#include <stdlib.h>

enum {
    STRETCHES = 8,     /* of samples whose rounds are not known */
    STRETCH_LEAST = 3, /* samples of each */
    PARTS_LEAST = 3,   /* with a quiet pair, that say how far parts disagree */
};

/* A core that is shared is slower by half or more (bench/quiet.h). */
static const double shaken = 1.15;
static const double quiet_quantile = 0.05;
/* Of the body: below that a baseline is too short to meet what shakes the body. */
static const double telling_share = 0.05;

static double quantile_of(const double *values, size_t count, double q)
{
    double *sorted = vt_compare_sorted(values, count);
    double value = sorted ? vt_statistics_quantile(sorted, count, q) : NAN;
    free(sorted);
    return value;
}

/* Rows of other tools may have samples of the toll only: they stand for the body of a baseline of nothing. */
static bool is_paired(const struct vt_result_row *row)
{
    return row->samples_body.count == row->samples.count && row->samples_baseline.count == row->samples.count;
}

static void mark(bool *marked, size_t count, const struct vt_result_series *indices)
{
    for (size_t i = 0; i < indices->count; i++)
        if (indices->values[i] >= 0 && indices->values[i] < (double)count)
            marked[(size_t)indices->values[i]] = true;
}

/* Above which baseline a pair is shaken; infinite where baselines do not tell. */
static double baseline_limit(const struct vt_result_row *row)
{
    if (!is_paired(row))
        return INFINITY;
    double baseline = quantile_of(row->samples_baseline.values, row->samples.count, quiet_quantile);
    double body = quantile_of(row->samples_body.values, row->samples.count, quiet_quantile);
    return baseline > telling_share * body ? shaken * baseline : INFINITY;
}

/* Which pairs something shook; NULL without memory. */
static bool *find_shaken(const struct vt_result_row *row)
{
    size_t count = row->samples.count;
    bool *marked = calloc(count + 1, sizeof *marked);
    if (!marked)
        return NULL;
    mark(marked, count, &row->marks);
    mark(marked, count, &row->shared);
    double limit = baseline_limit(row);
    for (size_t i = 0; i < count && isfinite(limit); i++)
        marked[i] |= row->samples_baseline.values[i] > limit;
    return marked;
}

/* Ends grow and reach the last sample, or they are no ends of this row's. */
static bool are_ends(const struct vt_result_series *ends, size_t samples)
{
    double last = 0;
    for (size_t i = 0; i < ends->count; i++) {
        if (!(ends->values[i] > last))
            return false;
        last = ends->values[i];
    }
    return last == (double)samples;
}

static size_t stretches_for(size_t samples)
{
    size_t stretches = STRETCHES;
    while (stretches > 2 && samples / stretches < STRETCH_LEAST)
        stretches /= 2;
    return stretches;
}

/* Where the row's samples are cut: `count` places, the last behind the last sample. */
struct cut {
    enum vt_compare_kind kind;
    const struct vt_result_series *ends; /* of the row; NULL: equal stretches */
    size_t count, samples;
};

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

static struct cut choose_cut(const struct vt_result_row *row, bool by_runs, size_t most)
{
    size_t samples = row->samples.count;
    if (by_runs && row->runs.count > 1 && are_ends(&row->runs, samples))
        return (struct cut){VT_CUT_RUNS, &row->runs, least_of(row->runs.count, VT_COMPARE_PARTS_MOST),
                            samples};
    if (row->rounds.count >= least_of(most, STRETCHES) && are_ends(&row->rounds, samples))
        return (struct cut){VT_CUT_ROUNDS, &row->rounds, least_of(row->rounds.count, most), samples};
    return (struct cut){VT_CUT_STRETCHES, NULL, least_of(stretches_for(samples), most), samples};
}

static size_t end_of(const struct cut *cut, size_t i)
{
    if (!cut->ends)
        return (i + 1) * cut->samples / cut->count;
    return (size_t)cut->ends->values[(i + 1) * cut->ends->count / cut->count - 1];
}

static void keep_pair(struct vt_compare_parts *parts, const struct vt_result_row *row, size_t i)
{
    bool paired = is_paired(row);
    parts->toll[parts->samples] = row->samples.values[i];
    parts->body[parts->samples] = (paired ? row->samples_body : row->samples).values[i];
    parts->baseline[parts->samples] = paired ? row->samples_baseline.values[i] : 0;
    parts->samples++;
}

/* Parts without a quiet pair fall out. */
static void keep_quiet(struct vt_compare_parts *parts, const struct vt_result_row *row, const struct cut *cut,
                       const bool *marked)
{
    for (size_t part = 0, i = 0; part < cut->count; part++) {
        size_t before = parts->samples;
        for (; i < end_of(cut, part); i++)
            if (!marked[i])
                keep_pair(parts, row, i);
        if (parts->samples > before)
            parts->ends[parts->count++] = parts->samples;
    }
    parts->missing = cut->count - parts->count;
    parts->shaken = 1 - (double)parts->samples / (double)row->samples.count;
}

/* Quiet pairs of too few parts are cut anew, into equal stretches. */
static void cut_anew(struct vt_compare_parts *parts, size_t room)
{
    parts->kind = VT_CUT_STRETCHES;
    parts->count = least_of(room, least_of(parts->samples / STRETCH_LEAST, PARTS_LEAST));
    for (size_t i = 0; i < parts->count; i++)
        parts->ends[i] = (i + 1) * parts->samples / parts->count;
}

size_t vt_compare_quiet_pairs(const struct vt_result_row *row)
{
    bool *marked = find_shaken(row);
    size_t quiet = 0;
    for (size_t i = 0; marked && i < row->samples.count; i++)
        quiet += !marked[i];
    free(marked);
    return quiet;
}

bool vt_compare_cut(struct vt_compare_parts *parts, const struct vt_result_row *row, bool by_runs,
                    size_t most)
{
    size_t count = row->samples.count;
    *parts = (struct vt_compare_parts){0};
    if (count < 2 * VT_STATISTICS_MIN)
        return false;
    struct cut cut = choose_cut(row, by_runs, most);
    bool *marked = find_shaken(row);
    double *values = malloc(3 * count * sizeof *values);
    size_t *ends = malloc((cut.count + 1) * sizeof *ends);
    if (!marked || !values || !ends) {
        free(marked);
        free(values);
        free(ends);
        return false;
    }
    *parts = (struct vt_compare_parts){.toll = values,
                                       .body = values + count,
                                       .baseline = values + 2 * count,
                                       .ends = ends,
                                       .telling = isfinite(baseline_limit(row)),
                                       .kind = cut.kind};
    keep_quiet(parts, row, &cut, marked);
    free(marked);
    if (parts->samples < VT_STATISTICS_MIN) {
        vt_compare_parts_release(parts);
        return false;
    }
    if (parts->kind != VT_CUT_RUNS && parts->count < PARTS_LEAST)
        cut_anew(parts, cut.count);
    return true;
}

void vt_compare_parts_release(struct vt_compare_parts *parts)
{
    free(parts->toll);
    free(parts->ends);
    *parts = (struct vt_compare_parts){0};
}

double vt_compare_part_quantile(const struct vt_compare_parts *parts, const double *values, size_t i,
                                double q)
{
    size_t first = i ? parts->ends[i - 1] : 0;
    return quantile_of(values + first, parts->ends[i] - first, q);
}

double vt_compare_whole_quantile(const struct vt_compare_parts *parts, const double *values, double q)
{
    return quantile_of(values, parts->samples, q);
}
