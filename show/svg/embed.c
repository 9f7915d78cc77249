#include "show/svg.h"
#include "base/stream.h"
#include "show/pen/markup.h"
#include "show/svg/path.h"
#include "show/svg/tag.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { INK = 0, GRID = -1 }; /* beside the numbers of series */

/* What the groups around an element say of it. gnuplot opens one whenever it says something else. */
struct embedding {
    vt_svg_title title;
    void *context;
    FILE *stream;
    struct vt_svg_pen grid; /* all its lines are one path, below what is drawn on them; into `lines` */
    char *lines;
    size_t lines_size;
    char width[16];           /* of lines */
    char size[16];            /* of letters, in most texts */
    struct vt_svg_tag around; /* of a text: where it stands, and how */
    long hover;               /* of the symbol that follows; -1: it has no text */
};

static void copy_value(const struct vt_svg_tag *tag, const char *name, char *text, size_t size)
{
    size_t length;
    const char *value = vt_svg_value(tag, name, &length);
    if (value)
        snprintf(text, size, "%.*s", (int)length, value);
}

static bool has_value(const struct vt_svg_tag *tag, const char *name, const char *expected)
{
    size_t length;
    const char *value = vt_svg_value(tag, name, &length);
    return value && length == strlen(expected) && strncmp(value, expected, length) == 0;
}

/* rgb(r, g, b) of the script: a series, or the grid. */
static long colour_of(const struct vt_svg_tag *tag, const char *name)
{
    size_t length;
    unsigned red, green, blue;
    const char *value = vt_svg_value(tag, name, &length);
    if (!value || sscanf(value, "rgb(%u,%u,%u)", &red, &green, &blue) != 3)
        return INK;
    return red == 0 && green == 0 ? (long)blue : GRID;
}

/* translate(x,y) in tenths, as attributes. */
static void put_place(const struct vt_svg_tag *tag, FILE *stream)
{
    size_t length;
    double x, y;
    const char *value = vt_svg_value(tag, "transform", &length);
    if (value && sscanf(value, "translate(%lf,%lf)", &x, &y) == 2)
        fprintf(stream, " x=\"%g\" y=\"%g\"", round(x * 10) / 10, round(y * 10) / 10);
}

static void put_class(long colour, FILE *stream)
{
    if (colour > 0)
        fprintf(stream, " class=\"s%ld\"", colour);
}

/* Widths that many lines have are a class of the page's style. */
static void put_stroke(long colour, double width, FILE *stream)
{
    bool known = width == 1.5 || width == 1.8 || width == 2 || width == 7;
    if (colour > 0 && known)
        fprintf(stream, " class=\"s%ld w%.0f\"", colour, width * 10);
    else
        put_class(colour, stream);
    if (width != 1 && !(colour > 0 && known))
        fprintf(stream, " stroke-width=\"%g\"", width);
}

static void put_grid(struct embedding *e)
{
    if (e->grid.stream && fclose(e->grid.stream) == 0)
        fprintf(e->stream, "<path class=\"g\" d=\"%s\"/>", e->lines);
    free(e->lines);
    e->lines = NULL;
    e->grid = (struct vt_svg_pen){NULL};
}

static void add_to_grid(struct embedding *e, const char *points, size_t length)
{
    if (!e->grid.stream)
        e->grid.stream = vt_stream_memory(&e->lines, &e->lines_size);
    if (e->grid.stream)
        vt_svg_put_path(&e->grid, points, length);
}

static void put_path(struct embedding *e, const struct vt_svg_tag *tag)
{
    size_t length;
    const char *points = vt_svg_value(tag, "d", &length);
    long colour = colour_of(tag, "stroke");
    if (!points || vt_svg_is_idle(points, length))
        return;
    if (colour == GRID) {
        add_to_grid(e, points, length);
        return;
    }
    put_grid(e);
    fputs("<path", e->stream);
    put_stroke(colour, strtod(e->width, NULL), e->stream);
    fputs(" d=\"", e->stream);
    vt_svg_put_path(&(struct vt_svg_pen){.stream = e->stream}, points, length);
    fputs("\"/>", e->stream);
}

static void put_bar(struct embedding *e, const struct vt_svg_tag *tag)
{
    size_t length;
    const char *points = vt_svg_value(tag, "points", &length);
    if (!points)
        return;
    put_grid(e);
    fputs("<polygon", e->stream);
    put_class(colour_of(tag, "fill"), e->stream);
    fprintf(e->stream, " points=\"%.*s\"/>", (int)length, points);
}

/* What a page says in its table already, its script says again beside the symbol; a page without one has it
 * in the file. */
static void put_symbol(struct embedding *e, const struct vt_svg_tag *tag)
{
    char name[24] = "#gpPt0";
    bool titled = e->title && e->hover >= 0;
    put_grid(e);
    copy_value(tag, "xlink:href", name, sizeof name);
    if (titled) {
        fputs("<g><title>", e->stream);
        e->title(e->context, (unsigned long)e->hover, e->stream);
        fputs("</title>", e->stream);
    }
    fputs("<use", e->stream);
    put_class(colour_of(tag, "color"), e->stream);
    fprintf(e->stream, " href=\"#p%d\"", atoi(name + strcspn(name, "0123456789")));
    put_place(tag, e->stream);
    if (e->hover >= 0 && !titled)
        fprintf(e->stream, " data-n=\"%ld\"", e->hover);
    fputs(titled ? "/></g>" : "/>", e->stream);
}

/* Returns what follows the text. */
static const char *put_text(struct embedding *e, const char *at)
{
    char size[16] = "";
    const char *end = strstr(at, "</text>");
    if (!end)
        return at + strlen(at);
    copy_value(&e->around, "font-size", size, sizeof size);
    fputs("<text", e->stream);
    put_place(&e->around, e->stream);
    if (has_value(&e->around, "text-anchor", "end"))
        fputs(" class=\"e\"", e->stream);
    else if (has_value(&e->around, "text-anchor", "middle"))
        fputs(" class=\"m\"", e->stream);
    if (has_value(&e->around, "font-family", "sans-serif:Bold"))
        fputs(" font-weight=\"600\"", e->stream);
    if (strcmp(size, e->size) != 0)
        fprintf(e->stream, " font-size=\"%g\"", strtod(size, NULL));
    fprintf(e->stream, ">%.*s", (int)(end - at), at);
    return end;
}

static void enter(struct embedding *e, const struct vt_svg_tag *tag)
{
    size_t length;
    const char *shows = vt_svg_value(tag, "onmousemove", &length),
               *number = shows ? strchr(shows, '\'') : NULL;
    copy_value(tag, "stroke-width", e->width, sizeof e->width);
    if (vt_svg_value(tag, "transform", &length))
        e->around = *tag;
    if (number)
        e->hover = strtol(number + 1, NULL, 10);
}

static const char *put_element(struct embedding *e, const char *at)
{
    struct vt_svg_tag tag;
    const char *next = vt_svg_read_tag(at, &tag), *end;
    if (!next)
        return at + strlen(at);
    if (vt_svg_is(&tag, "text"))
        return tag.closes ? (fputs("</text>", e->stream), next) : put_text(e, next);
    if (vt_svg_is(&tag, "title") && !tag.closes && (end = strstr(next, "</title>")))
        return end;
    if (vt_svg_is(&tag, "g") && tag.closes)
        e->hover = -1;
    else if (vt_svg_is(&tag, "g"))
        enter(e, &tag);
    else if (vt_svg_is(&tag, "path"))
        put_path(e, &tag);
    else if (vt_svg_is(&tag, "polygon"))
        put_bar(e, &tag);
    else if (vt_svg_is(&tag, "use"))
        put_symbol(e, &tag);
    return next;
}

void vt_svg_embed(const char *picture, const char *label, const char *class, vt_svg_title title,
                  void *context, FILE *stream)
{
    struct embedding e = {.title = title, .context = context, .stream = stream, .width = "1", .hover = -1};
    const char *box = strstr(picture, "viewBox=\""), *at = strstr(picture, "</defs>");
    if (!box || !at)
        return;
    box += strlen("viewBox=\"");
    const char *size = strstr(at, "font-size=\"");
    if (size)
        snprintf(e.size, sizeof e.size, "%.*s", (int)strcspn(size + strlen("font-size=\""), "\""),
                 size + strlen("font-size=\""));
    vt_markup(stream,
              "<svg class=\"chart%s%s\" role=\"img\" viewBox=\"%.*s\" font-size=\"%g\" aria-label=\"%s",
              *class ? " " : "", class, (int)strcspn(box, "\""), box, strtod(e.size, NULL), label);
    fputs("\">", stream);
    for (at += strlen("</defs>"); *at && !(at[0] == '<' && at[1] == '/' && at[2] == 's');) {
        const char *next = strchr(at, '<');
        if (!next)
            break;
        at = put_element(&e, next);
        at += strcspn(at, "<");
    }
    put_grid(&e);
    fputs("</svg>\n", stream);
}
