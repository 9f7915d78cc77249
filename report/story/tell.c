#include "report/story/tell.h"
#include "show/pen/markup.h"

#include <string.h>

static const char *word(const struct vt_language *language, const char *name, char text[32])
{
    int length;
    const char *label = vt_language_label(language, name, &length);
    snprintf(text, 32, "%.*s", length, label);
    return text;
}

const char *vt_tell_road(enum vt_road road)
{
    static const char *const labels[VT_ROADS] = {
        [VT_ROAD_TRAP] = "trap_road",
        [VT_ROAD_TRANSLATED] = "translated_road",
        [VT_ROAD_INTERPRETED] = "interpreted_road",
        [VT_ROAD_HARDWARE] = "hardware_road",
        [VT_ROAD_XEN_TRAP] = "xen_trap_road",
        [VT_ROAD_XEN_CALL] = "xen_call_road",
        [VT_ROAD_HARDWARE_LAB] = "hardware_road",
        [VT_ROAD_MONITOR_TRAP] = "monitor_trap_road",
    };
    return labels[road];
}

void vt_tell_label(const struct vt_teller *teller, const char *name)
{
    int length;
    const char *label = vt_language_label(teller->language, name, &length);
    vt_markup(teller->stream, "%.*s", length, label);
}

/* "asked of Xen or hardware" */
static void tell_roads(const struct vt_teller *teller, unsigned roads)
{
    bool first = true;
    for (enum vt_road road = 0; road < VT_ROADS; road++) {
        if (!(roads >> road & 1))
            continue;
        if (!first) {
            fputc(' ', teller->stream);
            vt_tell_label(teller, "or");
            fputc(' ', teller->stream);
        }
        vt_tell_label(teller, vt_tell_road(road));
        first = false;
    }
}

void vt_tell_figure(const struct vt_teller *teller, const struct vt_figure *figure, FILE *stream)
{
    char text[VT_FIGURE_NAMES], singular[32], plural[32], cycles[32];
    struct vt_figure_words words = {word(teller->language, "unit_one", singular),
                                    word(teller->language, "unit", plural),
                                    word(teller->language, "unit_cycles", cycles)};
    if (figure->roads) {
        tell_roads(teller, figure->roads);
        return;
    }
    vt_figure_print(figure, &words, text, sizeof text);
    vt_markup(stream, "%s", text);
}

static const char *class_of(const struct vt_figure *figure)
{
    return figure->roads || *figure->names ? "name" : figure->cited ? "cited" : "figure";
}

/* A figure's name from `at` on, behind its brace; returns what follows it. */
static const char *put_figure(const struct vt_teller *teller, const char *at, const char *end, FILE *stream,
                              bool *known)
{
    const char *close = memchr(at, '}', (size_t)(end - at));
    char name[64];
    struct vt_figure figure;
    snprintf(name, sizeof name, "%.*s", (int)((close ? close : end) - at), at);
    *known &= vt_figure_find(teller->table, name, &figure);
    if (stream && *known) {
        vt_markup(stream, "<b class=\"%s\">", class_of(&figure));
        vt_tell_figure(teller, &figure, stream);
        fputs("</b>", stream);
    }
    return close ? close + 1 : end;
}

bool vt_tell_text(const struct vt_teller *teller, const char *text, int length, FILE *stream)
{
    const char *at = text, *end = text + length;
    bool known = true, strong = false;
    while (at < end) {
        size_t plain = 0;
        while (at + plain < end && at[plain] != '{' && at[plain] != '*')
            plain++;
        if (stream)
            vt_markup(stream, "%.*s", (int)plain, at);
        at += plain;
        if (at == end)
            break;
        if (*at++ == '{') {
            at = put_figure(teller, at, end, stream, &known);
            continue;
        }
        if (stream)
            fputs(strong ? "</em>" : "<em>", stream);
        strong = !strong;
    }
    return known;
}

void vt_tell_paragraph(const struct vt_teller *teller, const struct vt_directive *directive)
{
    if (directive->length == 0)
        return;
    fputs("<p>", teller->stream);
    vt_tell_text(teller, directive->text, directive->length, teller->stream);
    fputs("</p>\n", teller->stream);
}
