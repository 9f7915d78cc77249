/* Documents of two sides, JSON Lines each, with a line "--" between them: pooled and compared in every
 * format. */
#include "compare/compare.h"
#include "compare/format/format.h"
#include "result/load/load.h"
#include "result/pool.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { MOST_RUNS = 8 };

struct side {
    struct vt_result *runs[MOST_RUNS];
    size_t count;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int keep(struct vt_result *result, void *context)
{
    struct side *side = context;
    struct vt_error error;
    if (side->count == MOST_RUNS ||
        (side->count > 0 && vt_result_pool_check(side->runs[0], result, &error) != 0)) {
        vt_result_free(result);
        return 0;
    }
    side->runs[side->count++] = result;
    return 0;
}

static bool load(struct side *side, const uint8_t *data, size_t size)
{
    const struct vt_load_options options = {.samples = true};
    struct vt_error error = {.text = ""};
    vt_result_load_memory("fuzz", data, size, &options, keep, side, &error);
    if (strchr(error.text, '\n'))
        __builtin_trap(); /* a complaint is one line */
    return side->count > 0 && vt_result_pool(side->runs, side->count, &error) == 0;
}

static void release(struct side *side)
{
    for (size_t i = 0; i < side->count; i++)
        vt_result_free(side->runs[i]);
}

static void show(const struct side *before, const struct side *after, FILE *sink)
{
    const struct vt_screen screen = {.utf8 = true, .width = 80};
    struct vt_comparison comparison;
    struct vt_error error;
    if (vt_compare(&comparison, before->runs[0], after->runs[0], &(struct vt_compare_limits){NAN, NAN, NULL},
                   &error) != 0)
        return;
    for (int i = 0; sink && i < VT_FORMATS; i++)
        if (i != VT_FORMAT_HTML && vt_compare_has_format(i)) /* gnuplot would be most of the time */
            vt_compare_print(i, &comparison, &screen, sink, &error);
    vt_compare_release(&comparison);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *sink;
    struct side sides[2] = {{.count = 0}, {.count = 0}};
    const uint8_t *cut = size ? memmem(data, size, "\n--\n", 4) : NULL;
    size_t first = cut ? (size_t)(cut - data) : size / 2;
    size_t second = cut ? first + 4 : first;
    if (!sink)
        sink = fopen("/dev/null", "we");
    bool both = load(&sides[0], data, first);
    if (load(&sides[1], data + second, size - second) && both)
        show(&sides[0], &sides[1], sink);
    release(&sides[0]);
    release(&sides[1]);
    return 0;
}
