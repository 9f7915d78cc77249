#include "result/pool.h"
#include "base/statistics.h"
#include "result/match.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct members {
    const struct vt_result_row **rows;
    size_t count;
};

enum series { TOLL, BODY, BASELINE, MARKS, SHARED, SERIES };

static const struct vt_result_series *series_of(const struct vt_result_row *row, enum series which)
{
    const struct vt_result_series *const series[SERIES] = {[TOLL] = &row->samples,
                                                           [BODY] = &row->samples_body,
                                                           [BASELINE] = &row->samples_baseline,
                                                           [MARKS] = &row->marks,
                                                           [SHARED] = &row->shared};
    return series[which];
}

/* Marks are indices of pairs: those of a later run count on from the runs before. */
static void append(const struct vt_result_row *row, enum series which, double offset, double *place)
{
    const struct vt_result_series *series = series_of(row, which);
    for (size_t i = 0; i < series->count; i++)
        place[i] = series->values[i] + (which == MARKS || which == SHARED ? offset : 0);
}

static int join_series(const struct members *members, enum series which, struct vt_arena *arena,
                       struct vt_result_series *joined)
{
    size_t total = 0, used = 0;
    double pairs = 0;
    for (size_t i = 0; i < members->count; i++)
        total += series_of(members->rows[i], which)->count;
    double *values = vt_arena_take(arena, (total + 1) * sizeof *values);
    if (!values)
        return -ENOMEM;
    for (size_t i = 0; i < members->count; i++) {
        append(members->rows[i], which, pairs, values + used);
        used += series_of(members->rows[i], which)->count;
        pairs += (double)members->rows[i]->samples.count;
    }
    *joined = (struct vt_result_series){values, total};
    return 0;
}

static int note_runs(const struct members *members, struct vt_arena *arena, struct vt_result_series *runs)
{
    double *ends = vt_arena_take(arena, members->count * sizeof *ends), end = 0;
    if (!ends)
        return -ENOMEM;
    for (size_t i = 0; i < members->count; i++)
        ends[i] = end += (double)members->rows[i]->samples.count;
    *runs = (struct vt_result_series){ends, members->count};
    return 0;
}

static int compare_medians(const void *a, const void *b)
{
    double x = (*(const struct vt_result_row *const *)a)->toll.median,
           y = (*(const struct vt_result_row *const *)b)->toll.median;
    return (x > y) - (x < y);
}

/* Without samples the run in the middle stands for all. */
static struct vt_summary middle_run(struct members *members)
{
    qsort(members->rows, members->count, sizeof *members->rows, compare_medians);
    return members->rows[members->count / 2]->toll;
}

static int join(struct vt_result_row *row, struct members *members, struct vt_arena *arena)
{
    struct vt_result_row joined = *row;
    struct vt_result_series *const places[SERIES] = {[TOLL] = &joined.samples,
                                                     [BODY] = &joined.samples_body,
                                                     [BASELINE] = &joined.samples_baseline,
                                                     [MARKS] = &joined.marks,
                                                     [SHARED] = &joined.shared};
    joined.batches = joined.marked = 0;
    for (size_t i = 0; i < members->count; i++) {
        joined.batches += members->rows[i]->batches;
        joined.marked += members->rows[i]->marked;
    }
    joined.rounds = (struct vt_result_series){0};
    int status = note_runs(members, arena, &joined.runs);
    for (int i = 0; i < SERIES && status == 0; i++)
        status = join_series(members, (enum series)i, arena, places[i]);
    double *work = status == 0 ? malloc((joined.samples.count + 1) * sizeof *work) : NULL;
    if (!work)
        return -ENOMEM;
    joined.toll = joined.samples.count
                      ? vt_statistics_summarize(joined.samples.values, joined.samples.count, work)
                      : middle_run(members);
    joined.toll_cycles = vt_result_unknown_summary();
    free(work);
    *row = joined;
    return 0;
}

static bool same_crossing(const struct vt_result_row *a, const struct vt_result_row *b)
{
    return !a->crossing || !b->crossing || strcmp(a->crossing, b->crossing) == 0;
}

static const char *keep_text(struct vt_arena *arena, const char *text, bool *lost)
{
    const char *kept = text ? vt_arena_text(arena, text, strlen(text)) : NULL;
    *lost |= text && !kept;
    return kept;
}

/* The first run in which a row is ok stands for what all runs have in common; the others may go. */
static int adopt(struct vt_result_row *row, const struct vt_result_row *first, struct vt_arena *arena)
{
    bool lost = false;
    if (first == row)
        return 0;
    row->status = first->status;
    row->iterations = first->iterations;
    row->exits_per_op = first->exits_per_op;
    row->path = keep_text(arena, first->path, &lost);
    row->crossing = keep_text(arena, first->crossing, &lost);
    row->reason = keep_text(arena, first->reason, &lost);
    row->known = first->known;
    return lost ? -ENOMEM : 0;
}

static int pool_row(struct vt_result_row *row, struct vt_result *const *runs, size_t count,
                    struct vt_result_matcher *matchers, struct members *members)
{
    members->count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct vt_result_row *other = row;
        if (i && !(other = vt_result_match(&matchers[i], row)))
            continue;
        if (other->status != VT_STATUS_OK || !vt_result_has_toll(other))
            continue;
        if (members->count && !same_crossing(members->rows[0], other)) {
            row->status = VT_STATUS_UNVERIFIED;
            row->reason = "the runs crossed differently";
            return 0;
        }
        members->rows[members->count++] = other;
    }
    if (members->count == 0 || (members->count == 1 && members->rows[0] == row))
        return 0;
    int status = adopt(row, members->rows[0], &runs[0]->arena);
    return status ? status : join(row, members, &runs[0]->arena);
}

/* Runs of several machines are a fleet, which a report is for. */
int vt_result_pool_check(const struct vt_result *first, const struct vt_result *other, struct vt_error *error)
{
    static const char *const facts[] = {"cpu.brand", "kvm.backend", "system.hostname"};
    for (size_t k = 0; k < sizeof facts / sizeof facts[0]; k++) {
        const char *a = vt_result_host_text(first, facts[k]), *b = vt_result_host_text(other, facts[k]);
        if (a && b && strcmp(a, b) != 0)
            return vt_error_set(error, VT_EXIT_USAGE, EINVAL,
                                "%.200s holds runs of different machines (%s is \"%.60s\" and \"%.60s\"): "
                                "compare runs of one, or see vmtoll report for many",
                                first->file ? first->file : "a result", facts[k], a, b);
    }
    return 0;
}

int vt_result_pool(struct vt_result *const *runs, size_t count, struct vt_error *error)
{
    if (count < 2)
        return 0;
    for (size_t i = 1; i < count; i++)
        if (vt_result_pool_check(runs[0], runs[i], error) != 0)
            return -EINVAL;
    struct members members = {calloc(count, sizeof *members.rows), 0};
    struct vt_result_matcher *matchers = calloc(count, sizeof *matchers);
    int status = members.rows && matchers ? 0 : -ENOMEM;
    for (size_t i = 1; i < count && status == 0; i++)
        status = vt_result_match_start(&matchers[i], runs[i]);
    for (size_t i = 0; i < runs[0]->count && status == 0; i++)
        status = pool_row(&runs[0]->rows[i], runs, count, matchers, &members);
    for (size_t i = 1; matchers && i < count; i++)
        vt_result_match_end(&matchers[i]);
    free(members.rows);
    free(matchers);
    return status ? vt_error_memory(error, "the pooled runs") : 0;
}
