#include "result/profile.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A domain of Xen's reads a time-stamp counter that Xen computes: each of the two readings may be a tick
 * early or late, whatever was executed.
 */
static double doubt_of_clock(const struct vt_result_row *row, const struct vt_profile *profile)
{
    return row->engine && strncmp(row->engine, "xen-", 4) == 0 ? 2.000001 / (double)profile->operations : 0;
}

double vt_result_profile_gap(const struct vt_result_row *row, const struct vt_profile *profile)
{
    double mean = profile->operations ? (double)profile->sum / (double)profile->operations : NAN;
    double gap = row->toll.median - mean;

    return fabs(gap) <= fmax(vt_profile_rounding(row->toll.median), doubt_of_clock(row, profile)) ? 0 : gap;
}

/* Deeper than any kernel's stack is. */
#define DEEPEST 600

static bool stacks_are_sound(const struct vt_profile *profile, int32_t *depths)
{
    int64_t sum = 0;

    for (size_t i = 0; i < profile->stack_count; i++) {
        const struct vt_profile_stack *stack = &profile->stacks[i];
        if (stack->parent < -1 || stack->parent >= (int64_t)i || stack->function < 0 ||
            stack->function >= (int64_t)profile->function_count)
            return false;
        depths[i] = stack->parent < 0 ? 0 : depths[stack->parent] + 1;
        if (depths[i] > DEEPEST || __builtin_add_overflow(sum, stack->self, &sum))
            return false;
    }
    return sum == profile->sum;
}

static bool functions_are_sound(const struct vt_profile *profile)
{
    int64_t sum = 0;

    for (size_t i = 0; i < profile->function_count; i++) {
        const struct vt_profile_function *function = &profile->functions[i];
        if (!function->name || !function->module || __builtin_add_overflow(sum, function->self, &sum))
            return false;
    }
    return sum == profile->sum;
}

bool vt_result_profile_is_sound(const struct vt_profile *profile)
{
    int32_t *depths = calloc(profile->stack_count + 1, sizeof *depths);
    bool sound = depths && profile->operations > 0 && functions_are_sound(profile) &&
                 stacks_are_sound(profile, depths);

    free(depths);
    return sound;
}

static int doubt(struct vt_result *result, struct vt_result_row *row, double gap)
{
    char text[200];

    snprintf(text, sizeof text, "its functions add up to %.9g instructions, which is %.6g %s than the toll",
             row->toll.median - gap, fabs(gap), gap > 0 ? "less" : "more");
    row->reason = vt_arena_text(&result->arena, text, strlen(text));
    row->status = VT_STATUS_UNVERIFIED;
    return row->reason ? 0 : -ENOMEM;
}

static void *copy(struct vt_result *result, const void *from, size_t size)
{
    void *to = vt_arena_take(&result->arena, size + 1);
    if (to && size)
        memcpy(to, from, size);
    return to;
}

static int copy_names(struct vt_result *result, const struct vt_profile *profile)
{
    for (size_t i = 0; i < profile->function_count; i++) {
        struct vt_profile_function *function = &profile->functions[i];
        function->name = vt_arena_text(&result->arena, function->name, strlen(function->name));
        function->module = vt_arena_text(&result->arena, function->module, strlen(function->module));
        if (!function->name || !function->module)
            return -ENOMEM;
    }
    return 0;
}

int vt_result_set_profile(struct vt_result *result, struct vt_result_row *row,
                          const struct vt_profile *profile)
{
    struct vt_profile *kept = copy(result, profile, sizeof *profile);

    if (!kept)
        return -ENOMEM;
    kept->texts = NULL;
    kept->functions = copy(result, profile->functions, profile->function_count * sizeof *kept->functions);
    kept->stacks = copy(result, profile->stacks, profile->stack_count * sizeof *kept->stacks);
    if (!kept->functions || !kept->stacks || copy_names(result, kept) != 0)
        return -ENOMEM;
    row->profile = kept;
    double gap = vt_result_profile_gap(row, kept);
    return row->status == VT_STATUS_OK && gap != 0 ? doubt(result, row, gap) : 0;
}

static json_t *functions_json(const struct vt_profile *profile)
{
    json_t *array = json_array();

    for (size_t i = 0; i < profile->function_count; i++) {
        const struct vt_profile_function *function = &profile->functions[i];
        json_array_append_new(array, json_pack("{s:s, s:s, s:I, s:I}", "name", function->name, "module",
                                               function->module, "self", (json_int_t)function->self,
                                               "inclusive", (json_int_t)function->inclusive));
    }
    return array;
}

/* Three numbers each: parent, function, self. */
static json_t *stacks_json(const struct vt_profile *profile)
{
    json_t *array = json_array();

    for (size_t i = 0; i < profile->stack_count; i++) {
        const struct vt_profile_stack *stack = &profile->stacks[i];
        json_array_append_new(array, json_integer(stack->parent));
        json_array_append_new(array, json_integer(stack->function));
        json_array_append_new(array, json_integer((json_int_t)stack->self));
    }
    return array;
}

json_t *vt_result_profile_json(const struct vt_profile *profile)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:o}", "unit", vt_unit_name(VT_UNIT_INSTRUCTIONS),
                     "operations", (json_int_t)profile->operations, "sum", (json_int_t)profile->sum,
                     "unattributed", (json_int_t)profile->unattributed, "interrupts_dropped",
                     (json_int_t)profile->interrupts_dropped, "functions", functions_json(profile), "stacks",
                     stacks_json(profile));
}
