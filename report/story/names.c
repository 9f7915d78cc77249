#include "report/story/names.h"
#include "base/text.h"
#include "report/audited.h"

#include <string.h>

static void add(struct vt_figure *figure, const char *text)
{
    vt_text_append(figure->names, sizeof figure->names, "%s%.40s", *figure->names ? ", " : "", text);
}

/* What ring 3 made of an instruction: "silent", "traps", "emulated". "" where it was not tried. */
static const char *outcome_of(const struct vt_result *audited, const char *name)
{
    const json_t *instruction;
    size_t i;
    json_array_foreach(json_object_get(audited->audit, "instructions"), i, instruction)
    {
        if (strcmp(vt_audited_word(instruction, "name"), name) == 0)
            return vt_audited_word(instruction, "outcome");
    }
    return "";
}

static const json_t *covered_by_umip(const struct vt_result *audited)
{
    const json_t *assist;
    size_t i;
    json_array_foreach(json_object_get(audited->audit, "assists"), i, assist)
    {
        if (strcmp(vt_audited_word(assist, "name"), "umip") == 0)
            return json_object_get(assist, "covers");
    }
    return NULL;
}

static void list_umip(const struct vt_table *table, const char *const *outcomes, struct vt_figure *figure)
{
    const struct vt_result *audited = vt_audited_find(table);
    const json_t *covered;
    size_t i;
    if (!audited)
        return;
    json_array_foreach(covered_by_umip(audited), i, covered)
    {
        const char *name = json_string_value(covered);
        for (size_t k = 0; name && outcomes[k]; k++)
            if (strcmp(outcome_of(audited, name), outcomes[k]) == 0)
                add(figure, name);
    }
}

static void umip_closed(const struct vt_table *table, struct vt_figure *figure)
{
    list_umip(table, (const char *const[]){"traps", "emulated", NULL}, figure);
}

static void umip_answered(const struct vt_table *table, struct vt_figure *figure)
{
    list_umip(table, (const char *const[]){"emulated", NULL}, figure);
}

static void umip_open(const struct vt_table *table, struct vt_figure *figure)
{
    list_umip(table, (const char *const[]){"silent", NULL}, figure);
}

/* Each class of which kinds of operation exit, with how many: lines of a class stand together. */
static void list_exits(const struct vt_table *table, enum vt_road road, struct vt_figure *figure)
{
    size_t count = 0;
    for (size_t i = 0; i < table->line_count; i++) {
        const struct vt_line *line = &table->lines[i];
        count = vt_table_starts_class(table, i) ? 0 : count;
        const struct vt_result_row *row = vt_road_counts(line) ? vt_road_row(table, road, line) : NULL;
        count += row && row->known.crossing != VT_CROSSING_NONE;
        if (count > 0 && (i + 1 == table->line_count || vt_table_starts_class(table, i + 1))) {
            char text[64];
            snprintf(text, sizeof text, "%.30s %zu", line->class, count);
            add(figure, text);
        }
    }
}

static void time_exits(const struct vt_table *table, struct vt_figure *figure)
{
    list_exits(table, VT_ROAD_HARDWARE, figure);
}

static void lab_exits(const struct vt_table *table, struct vt_figure *figure)
{
    list_exits(table, VT_ROAD_HARDWARE_LAB, figure);
}

static const struct {
    const char *name;
    void (*list)(const struct vt_table *table, struct vt_figure *figure);
} lists[] = {
    {"umip_closed", umip_closed},  {"umip_answered", umip_answered}, {"umip_open", umip_open},
    {"hw_time_exits", time_exits}, {"hw_lab_exits", lab_exits},
};
enum { LISTS = sizeof lists / sizeof lists[0] };

static size_t list_by(const char *name)
{
    size_t i = 0;
    while (i < LISTS && strcmp(lists[i].name, name) != 0)
        i++;
    return i;
}

bool vt_names_exist(const char *name)
{
    return list_by(name) < LISTS;
}

bool vt_names_find(const struct vt_table *table, const char *name, struct vt_figure *figure)
{
    size_t i = list_by(name);
    if (i == LISTS)
        return false;
    *figure = (struct vt_figure){.unit = VT_UNITS};
    lists[i].list(table, figure);
    return *figure->names;
}
