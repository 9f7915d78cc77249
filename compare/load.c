#include "compare/load.h"
#include "base/memory.h"
#include "base/text.h"
#include "result/load/load.h"
#include "result/path.h"
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
    return vt_result_load(file, &options, keep, &loading, error);
}

/* Number of the pair that a run of `vmtoll ab` belongs to; 0: it is none. */
static json_int_t pair_of(const struct vt_result *run)
{
    return json_integer_value(vt_result_at(run->settings, "ab.pair"));
}

static const char *setting_of(const struct vt_result *run)
{
    return json_string_value(vt_result_at(run->settings, "ab.setting"));
}

/* Run by run the two settings of one pair. */
static bool are_turns(const struct vt_compare_side sides[2])
{
    bool turns =
        sides[0].count == sides[1].count && sides[0].count > 1 && sides[0].count <= VT_COMPARE_PAIRS_MOST;
    for (size_t i = 0; i < sides[0].count && turns; i++) {
        const struct vt_result *a = sides[0].runs[i], *b = sides[1].runs[i];
        turns = pair_of(a) > 0 && pair_of(a) == pair_of(b) && !vt_text_same(setting_of(a), setting_of(b));
    }
    return turns;
}

int vt_compare_join(struct vt_compare_side sides[2], struct vt_compare_pairs *pairs, struct vt_error *error)
{
    int status = 0;
    *pairs = (struct vt_compare_pairs){0};
    if (are_turns(sides) &&
        vt_compare_collect_pairs(pairs, sides[0].runs, sides[1].runs, sides[0].count) != 0)
        return vt_error_memory(error, "the pairs");
    for (int i = 0; i < 2 && status == 0; i++)
        status = vt_result_pool(sides[i].runs, sides[i].count, error);
    if (status != 0)
        vt_compare_release_pairs(pairs);
    return status;
}
