#include "result/match.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_paravirtual(const struct vt_result_row *row)
{
    return row->known.path == VT_PATH_PARAVIRTUAL;
}

static int compare_roads(const struct vt_result_row *a, const struct vt_result_row *b)
{
    int order = strcmp(a->name, b->name);
    order = order ? order : strcmp(a->engine, b->engine);
    order = order ? order : a->cpl - b->cpl;
    order = order ? order : vt_result_vcpus(a) - vt_result_vcpus(b);
    order = order ? order : vt_result_depth(a) - vt_result_depth(b);
    order = order ? order : (int)a->simulated - (int)b->simulated;
    order = order ? order : (int)a->unit - (int)b->unit;
    return order ? order : (int)is_paravirtual(a) - (int)is_paravirtual(b);
}

static int compare_rows(const void *a, const void *b)
{
    const struct vt_result_row *const *x = a, *const *y = b;
    int order = compare_roads(*x, *y);
    return order ? order : (*x > *y) - (*x < *y);
}

int vt_result_match_start(struct vt_result_matcher *matcher, const struct vt_result *result)
{
    *matcher = (struct vt_result_matcher){result,
                                          calloc(result->count + 1, sizeof(const struct vt_result_row *)), 0};
    if (!matcher->rows)
        return -ENOMEM;
    for (size_t i = 0; i < result->count; i++)
        matcher->rows[i] = &result->rows[i];
    qsort(matcher->rows, result->count, sizeof *matcher->rows, compare_rows);
    return 0;
}

void vt_result_match_end(struct vt_result_matcher *matcher)
{
    free(matcher->rows);
    *matcher = (struct vt_result_matcher){0};
}

/* The first of the sorted rows that is not before `row` at place `at` of the result. */
static size_t lower_bound(const struct vt_result_matcher *matcher, const struct vt_result_row *row, size_t at)
{
    size_t low = 0, high = matcher->result->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct vt_result_row *other = matcher->rows[middle];
        int order = compare_roads(other, row);
        if (order < 0 || (order == 0 && (size_t)(other - matcher->result->rows) < at))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct vt_result_row *vt_result_match(struct vt_result_matcher *matcher,
                                            const struct vt_result_row *row)
{
    size_t count = matcher->result->count, i = lower_bound(matcher, row, matcher->next);
    if (i == count || compare_roads(matcher->rows[i], row) != 0)
        i = lower_bound(matcher, row, 0);
    if (i == count || compare_roads(matcher->rows[i], row) != 0)
        return NULL;
    matcher->next = (size_t)(matcher->rows[i] - matcher->result->rows) + 1;
    return matcher->rows[i];
}
