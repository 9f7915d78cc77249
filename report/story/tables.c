#include "report/audited.h"
#include "report/story/tell.h"
#include "show/crossing.h"
#include "show/page.h"
#include "show/pen/markup.h"
#include "show/quantity.h"

#include <string.h>

enum { TOLD_HOLES = 7, MOST_CODE = 12, MOST_HOST = 24 };

void vt_tell_head(const struct vt_teller *teller, const char *name, bool number)
{
    fprintf(teller->stream, "<th scope=\"col\"%s>", number ? " class=\"number\"" : "");
    vt_tell_label(teller, name);
    fputs("</th>", teller->stream);
}

void vt_tell_open_table(const struct vt_teller *teller, const char *label, const char *class)
{
    int length;
    char attributes[64], caption[128];
    const char *text = vt_language_label(teller->language, label, &length);
    snprintf(attributes, sizeof attributes, "class=\"%s\"", class);
    snprintf(caption, sizeof caption, "%.*s", length, text);
    vt_page_table(caption, attributes, teller->stream);
    fputs("<thead><tr>", teller->stream);
}

void vt_tell_close_table(const struct vt_teller *teller)
{
    fputs("</tbody></table></div>\n", teller->stream);
}

/* Those that answer something, and not only leave undone, tell most. */
static bool put_hole(const struct vt_teller *teller, const json_t *instruction)
{
    const json_t *trial = vt_audited_trial(instruction);
    const char *seen = vt_audited_word(trial, "seen"), *expected = vt_audited_word(trial, "expected");
    if (!*seen || !*expected || strcmp(seen, expected) == 0)
        return false;
    vt_markup(teller->stream, "<tr><th scope=\"row\">%s <small>%s</small></th><td>%s</td><td>%s</td></tr>\n",
              vt_audited_word(instruction, "name"), vt_audited_word(trial, "with"), seen, expected);
    return true;
}

/* Every one by its name: a number of them alone would be a riddle. */
static void put_names(const struct vt_teller *teller, const struct vt_result *audited)
{
    const json_t *instruction;
    fputs("<p class=\"caption\">", teller->stream);
    vt_tell_label(teller, "all_holes");
    for (size_t i = 0; (instruction = vt_audited_silent(audited, i)); i++)
        vt_markup(teller->stream, i ? ", %s" : " %s", vt_audited_word(instruction, "name"));
    fputs("</p>\n", teller->stream);
}

void vt_tell_holes(const struct vt_teller *teller, const struct vt_directive *directive)
{
    const struct vt_result *audited = vt_audited_find(teller->table);
    const json_t *instruction = audited ? vt_audited_silent(audited, 0) : NULL;
    if (!instruction)
        return;
    vt_tell_paragraph(teller, directive);
    vt_tell_open_table(teller, "holes", "told");
    vt_tell_head(teller, "instruction", false);
    vt_tell_head(teller, "at_ring_3", false);
    vt_tell_head(teller, "at_ring_0", false);
    fputs("</tr></thead>\n<tbody>\n", teller->stream);
    for (size_t i = 0, told = 0; instruction && told < TOLD_HOLES;
         instruction = vt_audited_silent(audited, ++i))
        told += put_hole(teller, instruction);
    vt_tell_close_table(teller);
    put_names(teller, audited);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* One instruction of the guest, and the lines of what runs in its place. */
static void put_instruction(const struct vt_teller *teller, const json_t *instruction)
{
    const json_t *host = json_object_get(instruction, "host"), *line;
    size_t i;
    vt_markup(teller->stream, "<tr%s><td><code>%s</code> <small>%s</small></td><td>",
              json_is_true(json_object_get(instruction, "copied")) ? "" : " class=\"changed\"",
              text_of(instruction, "text"), text_of(instruction, "bytes"));
    json_array_foreach(host, i, line)
    {
        if (i < MOST_HOST)
            vt_markup(teller->stream, "%s<code>%s</code> <small>%s</small>", "", text_of(line, "text"),
                      text_of(line, "bytes"));
        fputs(i + 1 < json_array_size(host) ? "<br>" : "", teller->stream);
    }
    fputs("</td></tr>\n", teller->stream);
}

static void put_case(const struct vt_teller *teller, const json_t *shown)
{
    const json_t *instructions = json_object_get(shown, "instructions"), *instruction;
    size_t i;
    vt_markup(teller->stream, "<tr class=\"class\"><th colspan=\"2\" scope=\"rowgroup\">%s</th></tr>\n",
              text_of(shown, "case"));
    json_array_foreach(instructions, i, instruction)
    {
        if (i < MOST_CODE)
            put_instruction(teller, instruction);
    }
}

void vt_tell_code(const struct vt_teller *teller, const struct vt_directive *directive)
{
    const json_t *cases = NULL, *shown;
    size_t i;
    for (i = 0; i < teller->table->result_count && !json_array_size(cases); i++)
        cases = json_object_get(teller->table->results[i]->translation, "cases");
    if (!json_array_size(cases))
        return;
    vt_tell_paragraph(teller, directive);
    vt_tell_open_table(teller, "translated_code", "code");
    vt_tell_head(teller, "guest_code", false);
    vt_tell_head(teller, "translated_code", false);
    fputs("</tr></thead>\n<tbody>\n", teller->stream);
    json_array_foreach(cases, i, shown)
    {
        put_case(teller, shown);
    }
    vt_tell_close_table(teller);
}

/* The operations of the last step: of each kind that a kernel needs one. */
static const char *const operations[] = {
    "mov-from-cr0", "mov-to-cr3",   "cli",    "popf",       "iret",     "cpuid",
    "rdmsr-kernel", "wrmsr-kernel", "invlpg", "out-kernel", "out-user", "mmio-write-user",
    "page-fault",   "int-n",        "hlt",    "vmcall",     "vmmcall"};

enum { OPERATIONS = sizeof operations / sizeof operations[0] };

/* Does the road have a figure in this table? */
static bool is_there(const struct vt_teller *teller, enum vt_road road)
{
    for (size_t i = 0; i < OPERATIONS; i++)
        if (vt_road_row(teller->table, road, vt_table_find_line(teller->table, operations[i])))
            return true;
    return false;
}

static void put_cell(const struct vt_teller *teller, const struct vt_result_row *row, bool best, bool lies)
{
    char text[64] = "–";
    fputs("<td class=\"number\">", teller->stream);
    if (row) {
        if (row->unit == VT_UNIT_NS)
            vt_quantity_print(row->toll.median, row->unit, "µs", text, sizeof text);
        else
            snprintf(text, sizeof text, "%.0f", row->toll.median);
        vt_page_mark(vt_crossing_name(row->known.crossing), teller->stream);
    }
    vt_markup(teller->stream, best ? "<b>%s</b>" : "%s", text);
    if (lies) {
        fputs("<small class=\"flag\">", teller->stream);
        vt_tell_label(teller, "lies");
        fputs("</small>", teller->stream);
    }
    fputs("</td>", teller->stream);
}

static void put_operation(const struct vt_teller *teller, const char *name, const bool shown[VT_ROADS])
{
    const struct vt_line *line = vt_table_find_line(teller->table, name);
    unsigned best = 0, roads;
    size_t known = 0;
    for (enum vt_unit unit = 0; unit < VT_UNITS; unit++)
        best |= vt_road_cheapest(teller->table, line, unit, &roads) ? roads : 0;
    for (enum vt_road road = 0; road < VT_ROADS; road++)
        known += vt_road_row(teller->table, road, line) != NULL;
    if (!line || known < 2)
        return;
    vt_markup(teller->stream, "<tr><th scope=\"row\">%s<code>%s</code></th>", name,
              line->operation ? line->operation : "");
    for (enum vt_road road = 0; road < VT_ROADS; road++) {
        const struct vt_result_row *row = vt_road_row(teller->table, road, line);
        if (shown[road])
            put_cell(teller, row, best >> road & 1, row && vt_road_lies(road, row));
    }
    fputs("</tr>\n", teller->stream);
}

/* Over the columns of one unit. */
static void put_unit(const struct vt_teller *teller, const bool shown[VT_ROADS], enum vt_unit unit,
                     const char *label)
{
    int span = 0;
    for (enum vt_road road = 0; road < VT_ROADS; road++)
        span += shown[road] && vt_road_unit(road) == unit;
    if (span == 0)
        return;
    fprintf(teller->stream, "<th scope=\"colgroup\" class=\"number\" colspan=\"%d\">", span);
    vt_tell_label(teller, label);
    fputs("</th>", teller->stream);
}

/* Does an operation of the table cross so? */
static bool has_crossing(const struct vt_teller *teller, const char *name)
{
    for (size_t i = 0; i < OPERATIONS; i++) {
        const struct vt_line *line = vt_table_find_line(teller->table, operations[i]);
        for (enum vt_road road = 0; line && road < VT_ROADS; road++) {
            const struct vt_result_row *row = vt_road_row(teller->table, road, line);
            if (row && strcmp(vt_crossing_name(row->known.crossing), name) == 0)
                return true;
        }
    }
    return false;
}

/* What the letters before the figures stand for. */
static void put_letters(const struct vt_teller *teller)
{
    size_t count;
    const struct vt_crossing_style *styles = vt_crossing_styles(&count);
    fputs("<p class=\"caption letters\">", teller->stream);
    vt_tell_label(teller, "letters");
    for (size_t i = 0; i < count; i++) {
        int length = 0;
        bool used = styles[i].name && has_crossing(teller, styles[i].name);
        const char *title = used ? vt_language_label(teller->language, styles[i].name, &length) : "";
        if (used)
            vt_markup(teller->stream, " <span><span class=\"mark m-%s\">%s</span> %.*s%s</span>",
                      styles[i].name, styles[i].mark, length, title, length ? "" : styles[i].title);
    }
    fputs("</p>\n", teller->stream);
}

void vt_tell_roads(const struct vt_teller *teller, const struct vt_directive *directive)
{
    bool shown[VT_ROADS], any = false;
    for (enum vt_road road = 0; road < VT_ROADS; road++)
        any |= shown[road] = is_there(teller, road);
    if (!any)
        return;
    vt_tell_paragraph(teller, directive);
    vt_tell_open_table(teller, "operation", "roads");
    fputs("<td></td>", teller->stream);
    put_unit(teller, shown, VT_UNIT_NS, "time");
    put_unit(teller, shown, VT_UNIT_INSTRUCTIONS, "instructions");
    fputs("</tr>\n<tr>", teller->stream);
    vt_tell_head(teller, "operation", false);
    for (enum vt_road road = 0; road < VT_ROADS; road++)
        if (shown[road])
            vt_tell_head(teller, vt_tell_road(road), true);
    fputs("</tr></thead>\n<tbody>\n", teller->stream);
    for (size_t i = 0; i < OPERATIONS; i++)
        put_operation(teller, operations[i], shown);
    vt_tell_close_table(teller);
    put_letters(teller);
}
