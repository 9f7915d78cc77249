#include "compare/functions.h"
#include "base/text.h"
#include "compare/counts.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A function on one side or both, while they are matched. */
struct pair {
    const struct vt_profile_function *before, *after;
};

struct pairs {
    const struct vt_profile *before, *after;
    struct pair *list;
    size_t count;
};

bool vt_compare_has_functions(const struct vt_compared *row)
{
    return row->before->profile && row->after->profile;
}

static int by_name(const struct vt_profile_function *a, const struct vt_profile_function *b)
{
    int order = strcmp(a->module, b->module);
    return order ? order : strcmp(a->name, b->name);
}

static int compare_pointers(const void *left, const void *right)
{
    return by_name(*(const struct vt_profile_function *const *)left,
                   *(const struct vt_profile_function *const *)right);
}

static const struct vt_profile_function **sort(const struct vt_profile *profile)
{
    const struct vt_profile_function **sorted = calloc(profile->function_count + 1, sizeof *sorted);
    for (size_t i = 0; sorted && i < profile->function_count; i++)
        sorted[i] = &profile->functions[i];
    if (sorted)
        qsort(sorted, profile->function_count, sizeof *sorted, compare_pointers);
    return sorted;
}

static void merge(struct pairs *pairs, const struct vt_profile_function **before,
                  const struct vt_profile_function **after)
{
    size_t a = 0, b = 0;

    while (a < pairs->before->function_count || b < pairs->after->function_count) {
        int order = a == pairs->before->function_count  ? 1
                    : b == pairs->after->function_count ? -1
                                                        : by_name(before[a], after[b]);
        pairs->list[pairs->count++] =
            (struct pair){order <= 0 ? before[a++] : NULL, order >= 0 ? after[b++] : NULL};
    }
}

static double per_operation(int64_t count, const struct vt_profile *profile)
{
    return (double)count / (double)profile->operations;
}

/* Does what went and what came have the same place and length, with all it calls? */
static bool is_renamed(const struct pairs *pairs, const struct pair *gone, const struct pair *come)
{
    return gone->before && !gone->after && come->after && !come->before &&
           strcmp(gone->before->module, come->after->module) == 0 &&
           per_operation(gone->before->inclusive, pairs->before) ==
               per_operation(come->after->inclusive, pairs->after);
}

/* The only one of all that fits; NULL: none does, or several. */
static struct pair *find_only(const struct pairs *pairs, const struct pair *pair, bool gone)
{
    struct pair *only = NULL;

    for (size_t i = 0; i < pairs->count; i++) {
        struct pair *other = &pairs->list[i];
        if (!(gone ? is_renamed(pairs, pair, other) : is_renamed(pairs, other, pair)))
            continue;
        if (only)
            return NULL;
        only = other;
    }
    return only;
}

/* Between kernels some hundred come and go; of a document that has more of them none is looked for. */
#define MOST_UNMATCHED 4096

static size_t count_unmatched(const struct pairs *pairs)
{
    size_t count = 0;
    for (size_t i = 0; i < pairs->count; i++)
        count += !pairs->list[i].before || !pairs->list[i].after;
    return count;
}

static void join_renamed(struct pairs *pairs)
{
    if (count_unmatched(pairs) > MOST_UNMATCHED)
        return;
    for (size_t i = 0; i < pairs->count; i++) {
        struct pair *gone = &pairs->list[i];
        struct pair *come = gone->before && !gone->after ? find_only(pairs, gone, true) : NULL;
        if (come && find_only(pairs, come, false) == gone) {
            gone->after = come->after;
            come->after = NULL;
        }
    }
}

static struct vt_function_change change_of(const struct pairs *pairs, const struct pair *pair)
{
    const struct vt_profile_function *named = pair->after ? pair->after : pair->before;
    struct vt_function_change change = {
        .name = named->name,
        .module = named->module,
        .before = pair->before ? per_operation(pair->before->self, pairs->before) : NAN,
        .after = pair->after ? per_operation(pair->after->self, pairs->after) : NAN,
    };

    if (pair->before && pair->after && strcmp(pair->before->name, pair->after->name) != 0)
        change.was = pair->before->name;
    change.difference = (pair->after ? change.after : 0) - (pair->before ? change.before : 0);
    return change;
}

static int by_difference(const void *left, const void *right)
{
    const struct vt_function_change *a = left, *b = right;
    double x = fabs(a->difference), y = fabs(b->difference);

    if (x != y)
        return x > y ? -1 : 1;
    int order = strcmp(a->name, b->name);
    return order ? order : strcmp(a->module, b->module);
}

static void keep_changes(const struct pairs *pairs, struct vt_function_changes *changes)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (!pairs->list[i].before && !pairs->list[i].after)
            continue;
        struct vt_function_change change = change_of(pairs, &pairs->list[i]);
        if (change.difference != 0)
            changes->list[changes->count++] = change;
    }
    qsort(changes->list, changes->count, sizeof *changes->list, by_difference);
}

/* pairs->list is the caller's. */
static int pair_functions(const struct vt_compared *row, struct pairs *pairs)
{
    *pairs = (struct pairs){row->before->profile, row->after->profile, NULL, 0};
    const struct vt_profile_function **before = sort(pairs->before), **after = sort(pairs->after);

    pairs->list =
        calloc(pairs->before->function_count + pairs->after->function_count + 1, sizeof *pairs->list);
    int status = before && after && pairs->list ? 0 : -ENOMEM;
    if (status == 0) {
        merge(pairs, before, after);
        join_renamed(pairs);
    }
    free(before);
    free(after);
    return status;
}

int vt_compare_match_functions(const struct vt_compared *row, struct vt_function_matches *matches)
{
    struct pairs pairs;
    int status = pair_functions(row, &pairs);

    *matches = (struct vt_function_matches){0};
    if (status == 0)
        matches->list = calloc(pairs.count + 1, sizeof *matches->list);
    for (size_t i = 0; matches->list && i < pairs.count; i++) {
        const struct pair *pair = &pairs.list[i];
        if (pair->before || pair->after)
            matches->list[matches->count++] = (struct vt_function_match){
                .before = pair->before ? (int32_t)(pair->before - pairs.before->functions) : -1,
                .after = pair->after ? (int32_t)(pair->after - pairs.after->functions) : -1,
            };
    }
    free(pairs.list);
    return matches->list ? 0 : -ENOMEM;
}

void vt_compare_release_matches(struct vt_function_matches *matches)
{
    free(matches->list);
    *matches = (struct vt_function_matches){0};
}

int vt_compare_functions(const struct vt_compared *row, struct vt_function_changes *changes)
{
    struct pairs pairs;

    *changes = (struct vt_function_changes){0};
    if (!vt_compare_has_functions(row))
        return 0;
    int status = pair_functions(row, &pairs);
    if (status == 0)
        changes->list = calloc(pairs.count + 1, sizeof *changes->list);
    if (changes->list)
        keep_changes(&pairs, changes);
    free(pairs.list);
    return changes->list ? 0 : -ENOMEM;
}

void vt_compare_release_functions(struct vt_function_changes *changes)
{
    free(changes->list);
    *changes = (struct vt_function_changes){0};
}

static void append(const struct vt_function_change *change, char *text, size_t size)
{
    char count[32];

    vt_compare_print_count(fabs(change->difference), count, sizeof count);
    vt_text_append(text, size, "%s%.80s %c%s%s", *text ? ", " : "", change->name,
                   change->difference < 0 ? '-' : '+', count,
                   isnan(change->before)  ? " (new)"
                   : isnan(change->after) ? " (gone)"
                   : change->was          ? " (renamed)"
                                          : "");
}

void vt_compare_print_functions(const struct vt_compared *row, size_t most, char *text, size_t size)
{
    struct vt_function_changes changes;
    double rest = 0;
    char name[40];

    *text = '\0';
    if (vt_compare_functions(row, &changes) != 0)
        return;
    for (size_t i = 0; i < changes.count; i++)
        if (i < most)
            append(&changes.list[i], text, size);
        else
            rest += changes.list[i].difference;
    if (changes.count > most) {
        snprintf(name, sizeof name, "%zu other%s", changes.count - most,
                 changes.count - most == 1 ? "" : "s");
        append(&(struct vt_function_change){.name = name, .difference = rest}, text, size);
    }
    vt_compare_release_functions(&changes);
}
