#include "report/page/flame.h"
#include "show/pen/markup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 1000, ROW = 17, LETTER = 7 };

#define NARROWEST 1.0 /* of what is drawn; less is seen in the table alone */
#define FOCUSED   4.0 /* of what the keyboard stops at */

struct place {
    int64_t all;   /* with what it calls */
    int64_t taken; /* of its width, by what was placed above it */
    double x, width;
    int depth;
};

struct flame {
    const struct vt_profile *profile;
    struct place *places; /* by stack */
    int64_t total, taken; /* of all roots */
    int rows;
};

/* Callers stand before what they call. Where the baseline executed more there is no width. */
static void measure(struct flame *flame)
{
    const struct vt_profile *profile = flame->profile;

    for (size_t i = profile->stack_count; i-- > 0;) {
        struct place *place = &flame->places[i];
        int64_t self = profile->stacks[i].self;
        place->all += self > 0 ? self : 0;
        if (profile->stacks[i].parent >= 0)
            flame->places[profile->stacks[i].parent].all += place->all;
        else
            flame->total += place->all;
    }
}

static void arrange(struct flame *flame)
{
    double scale = flame->total > 0 ? (double)WIDTH / (double)flame->total : 0;

    for (size_t i = 0; i < flame->profile->stack_count; i++) {
        struct place *place = &flame->places[i];
        int32_t parent = flame->profile->stacks[i].parent;
        struct place *below = parent >= 0 ? &flame->places[parent] : NULL;
        int64_t *taken = below ? &below->taken : &flame->taken;
        place->x = (below ? below->x : 0) + (double)*taken * scale;
        place->width = (double)place->all * scale;
        place->depth = below ? below->depth + 1 : 0;
        *taken += place->all;
        if (place->width >= NARROWEST && place->depth >= flame->rows)
            flame->rows = place->depth + 1;
    }
}

/* Who executes it: a colour each. */
static int colour_of(const char *module)
{
    static const struct {
        const char *module;
        int colour;
    } colours[] = {{VT_PROFILE_GUEST, 1}, {VT_PROFILE_UNKNOWN, 1}, {"kernel", 2}, {"kvm", 3},
                   {"kvm_amd", 4},        {"kvm_intel", 4},        {"xen", 3},    {"vmtoll", 5}};

    for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++)
        if (strcmp(colours[i].module, module) == 0)
            return colours[i].colour;
    return 6;
}

static double tenths(double value)
{
    return round(value * 10) / 10;
}

static void put_frame(const struct flame *flame, size_t index, FILE *stream)
{
    const struct vt_profile_stack *stack = &flame->profile->stacks[index];
    const struct vt_profile_function *function = &flame->profile->functions[stack->function];
    const struct place *place = &flame->places[index];
    double operations = (double)flame->profile->operations, y = (flame->rows - 1 - place->depth) * ROW;
    int letters = (int)(place->width / LETTER);

    fprintf(stream, "<g class=\"f%d\"%s>", colour_of(function->module),
            place->width >= FOCUSED ? " tabindex=\"0\" role=\"img\"" : "");
    vt_markup(stream, "<title>%s (%s): %.10g instructions", function->name, function->module,
              (double)place->all / operations);
    if (stack->self != place->all)
        fprintf(stream, ", %.10g itself", (double)stack->self / operations);
    fprintf(stream, "</title><rect x=\"%g\" y=\"%g\" width=\"%g\"/>", tenths(place->x), y,
            tenths(place->width));
    if (letters > 2)
        vt_markup(stream, "<text x=\"%g\" y=\"%g\">%.*s</text>", tenths(place->x + 3), y + ROW - 5, letters,
                  function->name);
    fputs("</g>", stream);
}

void vt_page_flame(const struct vt_profile *profile, FILE *stream)
{
    struct flame flame = {.profile = profile};

    flame.places = calloc(profile->stack_count + 1, sizeof *flame.places);
    if (!flame.places)
        return;
    measure(&flame);
    arrange(&flame);
    if (flame.rows > 0) {
        fprintf(stream,
                "<svg class=\"flame\" viewBox=\"0 0 %d %d\" role=\"group\" aria-label=\"Flame graph: callers "
                "below "
                "what they call; the table holds the same functions\">\n",
                WIDTH, flame.rows * ROW);
        for (size_t i = 0; i < profile->stack_count; i++)
            if (flame.places[i].width >= NARROWEST)
                put_frame(&flame, i, stream);
        fputs("</svg>\n", stream);
    }
    free(flame.places);
}
