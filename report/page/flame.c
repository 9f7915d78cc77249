#include "report/page/flame.h"
#include "show/flame.h"
#include "show/pen/markup.h"

#include <stdlib.h>

struct picture {
    const struct vt_profile *profile;
    int64_t *inclusive; /* by stack; owned */
    struct vt_flame_frame *frames;
};

static void put_title(const void *context, size_t index, FILE *stream)
{
    const struct picture *picture = context;
    const struct vt_profile_stack *stack = &picture->profile->stacks[index];
    const struct vt_profile_function *function = &picture->profile->functions[stack->function];
    double operations = (double)picture->profile->operations;

    vt_markup(stream, "%s (%s): %.10g instructions", function->name, function->module,
              (double)picture->inclusive[index] / operations);
    if (stack->self != picture->inclusive[index])
        fprintf(stream, ", %.10g itself", (double)stack->self / operations);
}

/* Where the baseline executed more there is no width. */
static void fill(struct picture *picture)
{
    const struct vt_profile *profile = picture->profile;

    for (size_t i = profile->stack_count; i-- > 0;) {
        const struct vt_profile_stack *stack = &profile->stacks[i];
        const struct vt_profile_function *function = &profile->functions[stack->function];
        int64_t self = stack->self > 0 ? stack->self : 0;
        picture->frames[i] = (struct vt_flame_frame){stack->parent, function->name,
                                                     vt_flame_class(function->module), (double)self};
        picture->inclusive[i] += self;
        if (stack->parent >= 0)
            picture->inclusive[stack->parent] += picture->inclusive[i];
    }
}

void vt_page_flame(const struct vt_profile *profile, FILE *stream)
{
    struct picture picture = {.profile = profile,
                              .inclusive = calloc(profile->stack_count + 1, sizeof *picture.inclusive),
                              .frames = calloc(profile->stack_count + 1, sizeof *picture.frames)};
    struct vt_flame flame = {
        .frames = picture.frames,
        .count = profile->stack_count,
        .label = "Flame graph: callers below what they call; the table holds the same functions",
        .title = put_title,
        .context = &picture,
    };

    if (picture.inclusive && picture.frames) {
        fill(&picture);
        vt_flame_draw(&flame, stream);
    }
    free(picture.inclusive);
    free(picture.frames);
}
