#include "show/flame.h"
#include "bench/profile.h"
#include "show/pen/markup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 1000, ROW = 17, LETTER = 7 };

#define NARROWEST 1.0 /* of what is drawn; less is seen in the table alone */
#define FOCUSED   4.0 /* of what the keyboard stops at */

struct place {
    double all;   /* with what it calls */
    double taken; /* of its width, by what was placed above it */
    double x, width;
    int depth;
};

struct picture {
    const struct vt_flame *flame;
    struct place *places; /* by frame */
    double total, taken;  /* of all roots */
    int rows;
};

/* Callers stand before what they call. */
static void measure(struct picture *picture)
{
    for (size_t i = picture->flame->count; i-- > 0;) {
        const struct vt_flame_frame *frame = &picture->flame->frames[i];
        struct place *place = &picture->places[i];
        place->all += frame->self;
        if (frame->parent >= 0)
            picture->places[frame->parent].all += place->all;
        else
            picture->total += place->all;
    }
}

static void arrange(struct picture *picture)
{
    double scale = picture->total > 0 ? WIDTH / picture->total : 0;

    for (size_t i = 0; i < picture->flame->count; i++) {
        static const struct place ground = {.depth = -1};
        struct place *place = &picture->places[i];
        int32_t parent = picture->flame->frames[i].parent;
        const struct place *below = parent >= 0 ? &picture->places[parent] : &ground;
        double *taken = parent >= 0 ? &picture->places[parent].taken : &picture->taken;
        place->x = below->x + *taken * scale;
        place->width = place->all * scale;
        place->depth = below->depth + 1;
        *taken += place->all;
        if (place->width >= NARROWEST && place->depth >= picture->rows)
            picture->rows = place->depth + 1;
    }
}

/* Who executes it: a colour each. */
const char *vt_flame_class(const char *module)
{
    static const struct {
        const char *module, *class;
    } classes[] = {{VT_PROFILE_GUEST, "f1"}, {VT_PROFILE_UNKNOWN, "f1"}, {"kernel", "f2"}, {"kvm", "f3"},
                   {"kvm_amd", "f4"},        {"kvm_intel", "f4"},        {"xen", "f3"},    {"vmtoll", "f5"}};

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(classes[i].module, module) == 0)
            return classes[i].class;
    return "f6";
}

static double tenths(double value)
{
    return round(value * 10) / 10;
}

static void put_frame(const struct picture *picture, size_t index, FILE *stream)
{
    const struct vt_flame *flame = picture->flame;
    const struct place *place = &picture->places[index];
    double y = (picture->rows - 1 - place->depth) * ROW;
    int letters = (int)(place->width / LETTER);

    fprintf(stream, "<g class=\"%s\"%s><title>", flame->frames[index].class,
            place->width >= FOCUSED ? " tabindex=\"0\" role=\"img\"" : "");
    flame->title(flame->context, index, stream);
    fprintf(stream, "</title><rect x=\"%g\" y=\"%g\" width=\"%g\"/>", tenths(place->x), y,
            tenths(place->width));
    if (letters > 2)
        vt_markup(stream, "<text x=\"%g\" y=\"%g\">%.*s</text>", tenths(place->x + 3), y + ROW - 5, letters,
                  flame->frames[index].name);
    fputs("</g>", stream);
}

void vt_flame_draw(const struct vt_flame *flame, FILE *stream)
{
    struct picture picture = {.flame = flame};

    picture.places = calloc(flame->count + 1, sizeof *picture.places);
    if (!picture.places)
        return;
    measure(&picture);
    arrange(&picture);
    if (picture.rows > 0) {
        fprintf(stream, "<svg class=\"flame\" viewBox=\"0 0 %d %d\" role=\"group\" aria-label=\"", WIDTH,
                picture.rows * ROW);
        vt_markup(stream, "%s", flame->label);
        fputs("\">\n", stream);
        for (size_t i = 0; i < flame->count; i++)
            if (picture.places[i].width >= NARROWEST)
                put_frame(&picture, i, stream);
        fputs("</svg>\n", stream);
    }
    free(picture.places);
}
