#include "show/svg.h"
#include "show/pen/markup.h"

#include <ctype.h>
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

struct embedding {
    vt_svg_title title;
    void *context;
    FILE *stream;
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

static const char *put_element(const struct embedding *e, const char *at)
{
    const char *end = strchr(at, '>'), *after = skip_empty_group(at);
    if (!after)
        after = skip_idle_path(at);
    if (after)
        return after;
    if (starts(at, "<g onmousemove=") && (after = put_hover(e, at)))
        return after;
    if (starts(at, "<g id=\"gnuplot_plot")) {
        fputs("<g>", e->stream);
        after = strstr(at, "</title>");
        return after ? after + strlen("</title>") : end + 1;
    }
    if (!end)
        return at + strlen(at);
    put_tag(at, (size_t)(end + 1 - at), e->stream);
    return end + 1;
}

void vt_svg_embed(const char *picture, const char *label, const char *class, vt_svg_title title,
                  void *context, FILE *stream)
{
    struct embedding e = {title, context, stream};
    const char *box = strstr(picture, "viewBox=\""), *at = strstr(picture, "</defs>");
    if (!box || !at)
        return;
    box += strlen("viewBox=\"");
    vt_markup(stream, "<svg class=\"chart %s\" role=\"img\" viewBox=\"%.*s\" aria-label=\"%s", class,
              (int)strcspn(box, "\""), box, label);
    fputs("\"><g>", stream); /* closed by the end of gnuplot's canvas group */
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
