#include "show/svg.h"
#include "base/stream.h"
#include "show/pen/markup.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Attributes every group repeats; the page's style says them once. */
static const char *const dropped[] = {
    "stroke=\"black\"",
    "stroke=\"currentColor\"",
    "stroke-width=\"1\"",
    "stroke-width=\"1.00\"",
    "stroke=\"none\" fill=\"black\"",
    "stroke-linecap=\"butt\"",
    "stroke-linejoin=\"miter\"",
    "color=\"black\"",
    "color=\"white\"",
    "color=\"gray\"",
    "fill=\"none\"",
    "font-family=\"sans-serif\"",
    "class=\"gridline\"",
};

static const struct {
    const char *from, *to;
} replaced[] = {
    {"stroke='black'", "stroke='currentColor'"},
    {"fill=\"black\"", "fill=\"currentColor\""},
    {"fill = 'black'", "fill='currentColor'"},
    {"xlink:href=", "href="},
    {"font-family=\"sans-serif:Bold\"", "font-weight=\"600\""},
};

enum { DEEPEST = 64 };

struct embedding {
    vt_svg_title title;
    void *context;
    FILE *stream;
    bool idle[DEEPEST]; /* of the groups open: it says nothing, and was not written */
    int depth;
};

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* rgb(r, g, b) of the script: a series, or the grid. Returns what follows, or NULL. */
static const char *put_colour(const char *at, FILE *stream)
{
    char *end;
    unsigned long part[3];
    if (!starts(at, "rgb("))
        return NULL;
    at += 4;
    for (int i = 0; i < 3; i++) {
        part[i] = strtoul(at, &end, 10);
        if (end == at)
            return NULL;
        at = end + (*end == ',' || *end == ')');
    }
    if (part[0] == 0 && part[1] == 0)
        fprintf(stream, "var(--s%lu)", part[2]);
    else
        fputs("var(--grid)", stream);
    return at;
}

static bool is_coordinate(const char *text, const char *at)
{
    return at > text && *at == '.' && isdigit((unsigned char)at[-1]) && isdigit((unsigned char)at[1]) &&
           isdigit((unsigned char)at[2]);
}

/* Closer than this, in units of the picture, is the same place. */
#define SAME 0.4

struct point {
    double x, y;
};

/* Nothing is lost without `middle`: a line between its neighbours passes it as close as that, on the way. */
static bool is_between(struct point before, struct point middle, struct point after)
{
    double x = after.x - before.x, y = after.y - before.y, length = hypot(x, y);
    double off = (middle.x - before.x) * y - (middle.y - before.y) * x;
    double on = (middle.x - before.x) * x + (middle.y - before.y) * y;
    return length > 0 && fabs(off) < SAME * length && on >= 0 && on <= length * length;
}

static void put_number(double value, FILE *stream)
{
    char text[32];
    size_t length = (size_t)snprintf(text, sizeof text, "%.1f", value);
    fprintf(stream, "%.*s", (int)(text[length - 1] == '0' ? length - 2 : length), text);
}

static void put_point(char letter, struct point point, FILE *stream)
{
    putc(letter, stream);
    put_number(point.x, stream);
    putc(',', stream);
    put_number(point.y, stream);
}

static const char *read_point(const char *at, struct point *point)
{
    char *end;
    point->x = strtod(at, &end);
    if (end == at || *end != ',')
        return NULL;
    at = end + 1;
    point->y = strtod(at, &end);
    return end == at ? NULL : end + strspn(end, " \t\n\r");
}

/* The points of a path behind d=' of moves and lines alone, those that a line goes through anyway left out.
 * Returns its closing quote. */
static const char *put_path(const char *at, FILE *stream)
{
    struct point kept = {0, 0}, held = kept, point;
    bool holds = false;
    while (*at == 'M' || *at == 'L') {
        bool moves = *at++ == 'M';
        const char *next = read_point(at, &point);
        if (!next)
            break;
        if (holds && (moves || !is_between(kept, held, point)))
            put_point(' ', kept = held, stream);
        holds = !moves;
        if (moves)
            put_point('M', kept = point, stream);
        else
            held = point;
        at = next;
    }
    if (holds)
        put_point(' ', held, stream);
    return strchr(at, '\'');
}

static const char *put_path_attribute(const char *at, FILE *stream)
{
    const char *points = at + strlen("d='");
    if (points[strspn(points, "ML0123456789.,-+ \t\n\r")] != '\'')
        return NULL;
    fputs("d='", stream);
    return put_path(points, stream);
}

/* Inside a tag: attributes are mapped, coordinates keep one decimal. */
static void put_tag(const char *tag, size_t length, FILE *stream)
{
    const char *end = tag + length;
    for (const char *at = tag; at < end;) {
        size_t i;
        for (i = 0; i < sizeof dropped / sizeof dropped[0] && !starts(at, dropped[i]); i++)
            ;
        if (i < sizeof dropped / sizeof dropped[0]) {
            at += strlen(dropped[i]);
            at += strspn(at, " ");
            continue;
        }
        for (i = 0; i < sizeof replaced / sizeof replaced[0] && !starts(at, replaced[i].from); i++)
            ;
        if (i < sizeof replaced / sizeof replaced[0]) {
            fputs(replaced[i].to, stream);
            at += strlen(replaced[i].from);
            continue;
        }
        const char *after = put_colour(at, stream);
        if (after) {
            at = after;
            continue;
        }
        if (starts(at, "d='M") && (after = put_path_attribute(at, stream))) {
            at = after;
            continue;
        }
        if (*at == 'L' && at > tag &&
            isspace((unsigned char)at[-1])) { /* after M, further points are lines */
            at++;
            continue;
        }
        if (is_coordinate(tag, at)) {
            if (at[1] != '0')
                fprintf(stream, ".%c", at[1]);
            at += 2 + strspn(at + 2, "0123456789");
            continue;
        }
        if (isspace((unsigned char)*at)) {
            at += strspn(at, " \t\n\r");
            if (at < end && *at != '>' && *at != '/' && *at != '\'')
                putc(' ', stream);
            continue;
        }
        putc(*at++, stream);
    }
}

/* A path that only moves: the tick marks of an axis drawn without any. */
static const char *skip_idle_path(const char *at)
{
    const char *path = starts(at, "<path") ? strstr(at, " d='") : NULL, *end = strchr(at, '>');
    if (!path || !end || path > end || memchr(path, 'L', (size_t)(end - path)))
        return NULL;
    return end + 1;
}

/* A group that holds nothing but blanks; returns what follows it, or NULL. */
static const char *skip_empty_group(const char *at)
{
    if (!starts(at, "<g") || starts(at, "<g onmouse"))
        return NULL;
    const char *end = strchr(at, '>');
    if (!end)
        return NULL;
    end += 1 + strspn(end + 1, " \t\n\r");
    return starts(end, "</g>") ? end + 4 : NULL;
}

/* <g onmousemove="gnuplot_svg.showHypertext(evt,'12')" ...><title> </title> */
static const char *put_hover(const struct embedding *e, const char *at)
{
    const char *quote = strchr(at, '\''), *end = strstr(at, "</title>");
    if (!quote || !end || quote > end)
        return NULL;
    fputs("<g><title>", e->stream);
    e->title(e->context, strtoul(quote + 1, NULL, 10), e->stream);
    fputs("</title>", e->stream);
    return end + strlen("</title>");
}

/* A group of which all attributes are dropped says nothing. */
static bool is_idle_group(const char *tag, size_t length)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = starts(tag, "<g") ? vt_stream_memory(&text, &size) : NULL;
    if (!stream)
        return false;
    put_tag(tag, length, stream);
    bool idle = fclose(stream) == 0 && (strcmp(text, "<g>") == 0 || strcmp(text, "<g >") == 0);
    free(text);
    return idle;
}

static void open_group(struct embedding *e, bool idle)
{
    if (e->depth < DEEPEST)
        e->idle[e->depth] = idle;
    e->depth++;
}

/* Is the group that ends here one that was written? */
static bool close_group(struct embedding *e)
{
    e->depth -= e->depth > 0;
    return e->depth >= DEEPEST || !e->idle[e->depth];
}

/* A tag as it is, but for groups. Returns what follows it. */
static const char *put_any(struct embedding *e, const char *at, const char *end)
{
    size_t length = (size_t)(end + 1 - at);
    bool group = starts(at, "<g>") || starts(at, "<g "), idle = group && is_idle_group(at, length);
    if (group)
        open_group(e, idle && e->depth < DEEPEST);
    if (starts(at, "</g>") ? close_group(e) : !(idle && e->depth <= DEEPEST))
        put_tag(at, length, e->stream);
    return end + 1;
}

static const char *put_element(struct embedding *e, const char *at)
{
    const char *end = strchr(at, '>'), *after = skip_empty_group(at);
    if (!after)
        after = skip_idle_path(at);
    if (after)
        return after;
    if (starts(at, "<g onmousemove=") && (after = put_hover(e, at))) {
        open_group(e, false);
        return after;
    }
    if (starts(at, "<g id=\"gnuplot_plot")) {
        after = strstr(at, "</title>");
        open_group(e, true);
        return after ? after + strlen("</title>") : end + 1;
    }
    return end ? put_any(e, at, end) : at + strlen(at);
}

void vt_svg_embed(const char *picture, const char *label, const char *class, vt_svg_title title,
                  void *context, FILE *stream)
{
    struct embedding e = {.title = title, .context = context, .stream = stream};
    const char *box = strstr(picture, "viewBox=\""), *at = strstr(picture, "</defs>");
    if (!box || !at)
        return;
    box += strlen("viewBox=\"");
    vt_markup(stream, "<svg class=\"chart %s\" role=\"img\" viewBox=\"%.*s\" aria-label=\"%s", class,
              (int)strcspn(box, "\""), box, label);
    fputs("\"><g>", stream); /* closed by the end of gnuplot's canvas group */
    open_group(&e, false);
    for (at += strlen("</defs>"); *at && !starts(at, "</svg>");) {
        if (*at == '<') {
            at = put_element(&e, at);
        } else if (isspace((unsigned char)*at)) {
            at += strspn(at, " \t\n\r");
            if (*at != '<')
                putc(' ', stream);
        } else {
            putc(*at++, stream);
        }
    }
    fputs("</svg>\n", stream);
}

void vt_svg_symbols(FILE *stream)
{
    /* gnuplot's point types 4 to 15, which its pictures refer to by these names. */
    fputs("<svg class=\"symbols\" aria-hidden=\"true\" width=\"0\" height=\"0\" focusable=\"false\"><defs>"
          "<rect id=\"gpPt4\" fill=\"currentColor\" x=\"-1\" y=\"-1\" width=\"2\" height=\"2\"/>"
          "<rect id=\"gpPt3\" stroke=\"currentColor\" stroke-width=\".3\" fill=\"none\" x=\"-.9\" y=\"-.9\" "
          "width=\"1.8\" height=\"1.8\"/>"
          "<circle id=\"gpPt6\" fill=\"currentColor\" r=\"1\"/>"
          "<circle id=\"gpPt5\" stroke=\"currentColor\" stroke-width=\".3\" fill=\"none\" r=\".9\"/>"
          "<path id=\"gpPt8\" fill=\"currentColor\" d=\"M0,-1.33 L-1.33,.67 L1.33,.67 z\"/>"
          "<path id=\"gpPt7\" stroke=\"currentColor\" stroke-width=\".3\" fill=\"none\" d=\"M0,-1.2 L-1.2,.6 "
          "L1.2,.6 z\"/>"
          "<path id=\"gpPt10\" fill=\"currentColor\" d=\"M0,1.33 L-1.33,-.67 L1.33,-.67 z\"/>"
          "<path id=\"gpPt9\" stroke=\"currentColor\" stroke-width=\".3\" fill=\"none\" d=\"M0,1.2 L-1.2,-.6 "
          "L1.2,-.6 z\"/>"
          "<path id=\"gpPt12\" fill=\"currentColor\" d=\"M0,-1.4 L1.4,0 L0,1.4 L-1.4,0 z\"/>"
          "<path id=\"gpPt11\" stroke=\"currentColor\" stroke-width=\".3\" fill=\"none\" d=\"M0,-1.25 "
          "L1.25,0 L0,1.25 L-1.25,0 z\"/>"
          "<path id=\"gpPt14\" fill=\"currentColor\" d=\"M0,1.33 L1.265,.411 L.782,-1.067 L-.782,-1.076 "
          "L-1.265,.411 z\"/>"
          "<path id=\"gpPt13\" stroke=\"currentColor\" stroke-width=\".3\" fill=\"none\" d=\"M0,1.2 L1.1,.4 "
          "L.7,-.95 L-.7,-.95 L-1.1,.4 z\"/>"
          "</defs></svg>\n",
          stream);
}
