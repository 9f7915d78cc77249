#include "base/text.h"
#include "report/story/tell.h"
#include "show/asset.h"
#include "show/pen/markup.h"

#include <math.h>
#include <string.h>

enum { MOST_BARS = 8 };

static const struct {
    const char *name, *drawing;
    const size_t *size;
} pictures[] = {
    {"rings", vt_asset_picture_rings, &vt_asset_picture_rings_size},
    {"trap", vt_asset_picture_trap, &vt_asset_picture_trap_size},
    {"hardware", vt_asset_picture_hardware, &vt_asset_picture_hardware_size},
};

/* A drawing is ours; what stands in it in braces is a figure's name or, behind a colon, a label's. */
static void draw(const struct vt_teller *teller, const char *drawing, size_t size)
{
    for (const char *at = drawing, *end = drawing + size; at < end;) {
        const char *open = memchr(at, '{', (size_t)(end - at)), *close;
        fwrite(at, 1, (size_t)((open ? open : end) - at), teller->stream);
        if (!open || !(close = memchr(open, '}', (size_t)(end - open))))
            return;
        char name[64];
        struct vt_figure figure;
        snprintf(name, sizeof name, "%.*s", (int)(close - open - 1), open + 1);
        if (*name == ':')
            vt_tell_label(teller, name + 1);
        else if (vt_figure_find(teller->table, name, &figure))
            vt_tell_figure(teller, &figure, teller->stream);
        at = close + 1;
    }
}

void vt_tell_picture(const struct vt_teller *teller, struct vt_directive *directive)
{
    char name[32];
    vt_directive_word(directive, name, sizeof name);
    for (size_t i = 0; i < sizeof pictures / sizeof pictures[0]; i++) {
        if (strcmp(pictures[i].name, name) != 0)
            continue;
        fputs("<figure class=\"scene\"><svg aria-hidden=\"true\" ", teller->stream);
        draw(teller, pictures[i].drawing, *pictures[i].size);
        vt_markup(teller->stream, "</svg><figcaption>%.*s</figcaption></figure>\n", directive->length,
                  directive->text);
    }
}

struct bar {
    struct vt_directive text;
    struct vt_figure figure;
};

/* The known ones of the .bar directives from `at` on. */
static size_t collect(const struct vt_teller *teller, size_t at, struct bar bars[MOST_BARS])
{
    struct vt_directive directive;
    size_t count = 0;
    char name[64];
    while (count < MOST_BARS && vt_language_next(teller->language, &at, &directive) &&
           vt_directive_is(&directive, ".bar")) {
        vt_directive_word(&directive, name, sizeof name);
        bars[count].text = directive;
        count += vt_figure_find(teller->table, name, &bars[count].figure);
    }
    return count;
}

/* Lengths are of one unit, or they say nothing. */
static double longest(const struct bar *bars, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        if (bars[i].figure.unit != bars[0].figure.unit)
            return 0;
        most = fmax(most, bars[i].figure.value);
    }
    return most;
}

void vt_tell_bars(const struct vt_teller *teller, const struct vt_directive *caption, size_t at)
{
    struct bar bars[MOST_BARS];
    size_t count = collect(teller, at, bars);
    double most = longest(bars, count);
    if (count < 2 || most <= 0)
        return;
    vt_markup(teller->stream, "<figure class=\"bars\"><figcaption>%.*s</figcaption><ul>\n", caption->length,
              caption->text);
    for (size_t i = 0; i < count; i++) {
        double share = 100 * fmax(bars[i].figure.value, 0) / most;
        vt_markup(teller->stream, "<li><span>%.*s</span> <i style=\"width:%.2f%%\"></i> ",
                  bars[i].text.length, bars[i].text.text, share);
        vt_tell_figure(teller, &bars[i].figure, teller->stream);
        fputs("</li>\n", teller->stream);
    }
    fputs("</ul></figure>\n", teller->stream);
}
