#include "result/profile.h"
#include "base/memory.h"
#include "result/load/state.h"

#include <math.h>
#include <string.h>

static int count(struct vt_loader *loader)
{
    if (++loader->profiled <= VT_LOAD_MAX_PROFILED)
        return 1;
    return vt_load_refuse(loader, "expected at most %d functions and stacks in a document",
                          VT_LOAD_MAX_PROFILED);
}

struct vt_profile *vt_load_open_profile(struct vt_loader *loader)
{
    loader->function_count = loader->stack_count = 0;
    return vt_arena_take(&loader->result->arena, sizeof(struct vt_profile));
}

struct vt_profile_function *vt_load_open_function(struct vt_loader *loader)
{
    if (!count(loader))
        return NULL;
    struct vt_profile_function *more =
        vt_memory_grow(loader->functions, loader->function_count, 1, sizeof *more);
    if (!more) {
        vt_load_lacks_memory(loader);
        return NULL;
    }
    loader->functions = more;
    more[loader->function_count] = (struct vt_profile_function){0};
    return &more[loader->function_count++];
}

static int add_stack(struct vt_loader *loader)
{
    if (!count(loader))
        return 0;
    struct vt_profile_stack *more = vt_memory_grow(loader->stacks, loader->stack_count, 1, sizeof *more);
    if (!more)
        return vt_load_lacks_memory(loader);
    loader->stacks = more;
    more[loader->stack_count++] = (struct vt_profile_stack){0};
    return 1;
}

/* Parent, function, self, and the next one's. */
int vt_load_add_stack(struct vt_loader *loader, struct vt_load_frame *frame, const struct vt_token *token)
{
    enum { PARENT, FUNCTION, SELF, NUMBERS };
    size_t which = frame->index++ % NUMBERS;
    int64_t whole;

    if (!vt_load_field(token, VT_KIND_WHOLE, &whole) || (which != SELF && (whole < -1 || whole > INT32_MAX)))
        return vt_load_refuse_value(loader, vt_load_expectation(VT_KIND_WHOLE), token);
    if (which == PARENT && !add_stack(loader))
        return 0;
    struct vt_profile_stack *stack = &loader->stacks[loader->stack_count - 1];
    if (which == PARENT)
        stack->parent = (int32_t)whole;
    else if (which == FUNCTION)
        stack->function = (int32_t)whole;
    else
        stack->self = whole;
    return 1;
}

static void *keep(struct vt_loader *loader, const void *from, size_t size)
{
    void *copy = vt_arena_take(&loader->result->arena, size + 1);
    if (copy && size)
        memcpy(copy, from, size);
    return copy;
}

int vt_load_close_profile(struct vt_loader *loader, struct vt_profile *profile)
{
    profile->function_count = loader->function_count;
    profile->stack_count = loader->stack_count;
    profile->functions = keep(loader, loader->functions, loader->function_count * sizeof *loader->functions);
    profile->stacks = keep(loader, loader->stacks, loader->stack_count * sizeof *loader->stacks);
    if (!profile->functions || !profile->stacks)
        return vt_load_lacks_memory(loader);
    if (!vt_result_profile_is_sound(profile))
        return vt_load_refuse(loader, "expected a profile whose stacks and functions add up to its sum");
    return 1;
}
