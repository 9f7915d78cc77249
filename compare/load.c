#include "compare/load.h"
#include "base/memory.h"
#include "result/load/load.h"
#include "result/pool.h"

#include <errno.h>
#include <stdlib.h>

struct loading {
    struct vt_compare_side *side;
    struct vt_error *error;
};

/* In numbers, as which rows and runs count beside their series: some 300 MB. */
enum { RUN_WEIGHT = 4000, ROW_WEIGHT = 100, MAX_WEIGHT = 1 << 25 };

static size_t weigh(const struct vt_result *run)
{
    size_t weight = RUN_WEIGHT + run->count * ROW_WEIGHT;
    for (size_t i = 0; i < run->count; i++)
        weight += run->rows[i].samples.count + run->rows[i].samples_body.count +
                  run->rows[i].samples_baseline.count + run->rows[i].marks.count + run->rows[i].rounds.count +
                  run->rows[i].shared.count;
    return weight;
}

/* Told at the run that is one too many: a file of a fleet may be of any size. */
static int check(struct vt_compare_side *side, struct vt_error *error)
{
    const struct vt_result *first = side->runs[0], *last = side->runs[side->count - 1];
    if (vt_result_pool_check(first, last, error) != 0)
        return -EINVAL;
    side->weight += weigh(last);
    if (side->count == 1 || side->weight <= MAX_WEIGHT)
        return 0;
    return vt_error_set(
        error, VT_EXIT_USAGE, E2BIG,
        "%s holds more than can be compared at once (%zu runs were read): compare fewer of its runs",
        first->file, side->count);
}

static int keep(struct vt_result *result, void *context)
{
    const struct loading *loading = context;
    struct vt_compare_side *side = loading->side;
    struct vt_result **grown = vt_memory_grow(side->runs, side->count, 1, sizeof *grown);
    if (!grown) {
        vt_result_free(result);
        return -ENOMEM;
    }
    side->runs = grown;
    side->runs[side->count++] = result;
    return check(side, loading->error);
}

void vt_compare_unload(struct vt_compare_side *side)
{
    for (size_t i = 0; i < side->count; i++)
        vt_result_free(side->runs[i]);
    free(side->runs);
}

int vt_compare_load(struct vt_compare_side *side, const char *file, struct vt_error *error)
{
    struct vt_load_options options = {.samples = true};
    struct loading loading = {side, error};
    int status = vt_result_load(file, &options, keep, &loading, error);
    return status ? status : vt_result_pool(side->runs, side->count, error);
}
