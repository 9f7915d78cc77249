#include "report/story/figure.h"
#include "report/audited.h"
#include "show/quantity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What makes a row one of a road. Roads in time and roads in instructions are never one. */
static const struct {
    const char *engine; /* NULL: any */
    enum vt_path path;
    enum vt_unit unit;
} roads[VT_STORY_ROADS] = {
    [VT_ROAD_NATIVE] = {"native", VT_PATH_NATIVE, VT_UNIT_NS},
    [VT_ROAD_TRAP] = {"trap", VT_PATH_EMULATED, VT_UNIT_NS},
    [VT_ROAD_TRANSLATED] = {"translate", VT_PATH_TRANSLATED, VT_UNIT_NS},
    [VT_ROAD_INTERPRETED] = {"kvm", VT_PATH_EMULATED, VT_UNIT_NS},
    [VT_ROAD_HARDWARE] = {"kvm", VT_PATH_HARDWARE, VT_UNIT_NS},
    [VT_ROAD_XEN_TRAP] = {"xen-pv", VT_PATH_EMULATED, VT_UNIT_INSTRUCTIONS},
    [VT_ROAD_XEN_CALL] = {"xen-pv", VT_PATH_PARAVIRTUAL, VT_UNIT_INSTRUCTIONS},
    [VT_ROAD_HARDWARE_LAB] = {NULL, VT_PATH_HARDWARE, VT_UNIT_INSTRUCTIONS},
};

/* Xen's own use of the hardware is another road than KVM's. */
static bool is_of(const struct vt_column *column, enum vt_story_road road)
{
    if (column->unit != roads[road].unit || strcmp(column->path, vt_path_name(roads[road].path)) != 0)
        return false;
    if (roads[road].engine)
        return strcmp(column->engine, roads[road].engine) == 0;
    return strncmp(column->engine, "xen", 3) != 0;
}

/* Where ring 0 runs on hardware or is interpreted is asked of ring 0; a guest's programs are another matter. */
static bool is_level(const struct vt_column *column, enum vt_story_road road)
{
    return (road != VT_ROAD_INTERPRETED && road != VT_ROAD_HARDWARE) || column->cpl == 0;
}

const struct vt_result_row *vt_figure_road(const struct vt_table *table, enum vt_story_road road,
                                           const char *name)
{
    const struct vt_line *line = vt_table_find_line(table, name);
    for (size_t k = 0; line && k < table->column_count; k++) {
        const struct vt_result_row *cell = line->cells[k];
        if (cell && cell->status == VT_STATUS_OK && vt_result_has_toll(cell) &&
            is_of(&table->columns[k], road) && is_level(&table->columns[k], road))
            return cell;
    }
    return NULL;
}

enum part { WHOLE = VT_PARTS }; /* of a toll, beside enum vt_part */

/* A toll, or a part of one, that crossed as the sentence around it says. */
static const struct {
    const char *name;
    enum vt_story_road road;
    const char *of;
    enum vt_crossing crossing;
    int part;
} tolls[] = {
    {"fault", VT_ROAD_TRAP, "mov-to-cr3", VT_CROSSING_TRAP, VT_PART_BARE},
    {"trap_work", VT_ROAD_TRAP, "mov-to-cr3", VT_CROSSING_TRAP, VT_PART_EMULATION},
    {"trap", VT_ROAD_TRAP, "mov-to-cr3", VT_CROSSING_TRAP, WHOLE},
    {"trap_out", VT_ROAD_TRAP, "out-kernel", VT_CROSSING_TRAP, WHOLE},
    {"plain", VT_ROAD_NATIVE, "nop", VT_CROSSING_NONE, WHOLE},
    {"popf", VT_ROAD_TRAP, "popf", VT_CROSSING_NONE, WHOLE},
    {"translated", VT_ROAD_TRANSLATED, "mov-to-cr3", VT_CROSSING_INLINE, WHOLE},
    {"callout", VT_ROAD_TRANSLATED, "out-kernel", VT_CROSSING_CALLOUT, WHOLE},
    {"interpreted", VT_ROAD_INTERPRETED, "mov-to-cr3", VT_CROSSING_INTERPRETED, WHOLE},
    {"xen_trap", VT_ROAD_XEN_TRAP, "mov-to-cr3", VT_CROSSING_EXIT_KERNEL, WHOLE},
    {"xen_call", VT_ROAD_XEN_CALL, "mov-to-cr3", VT_CROSSING_HYPERCALL, WHOLE},
    {"xen_cli_trap", VT_ROAD_XEN_TRAP, "cli", VT_CROSSING_EXIT_KERNEL, WHOLE},
    {"xen_cli_call", VT_ROAD_XEN_CALL, "cli", VT_CROSSING_NONE, WHOLE},
    {"exit_time", VT_ROAD_HARDWARE, "cpuid", VT_CROSSING_EXIT_KERNEL, WHOLE},
    {"user_time", VT_ROAD_HARDWARE, "out-user", VT_CROSSING_EXIT_USER, WHOLE},
    {"exit_lab", VT_ROAD_HARDWARE_LAB, "cpuid", VT_CROSSING_EXIT_KERNEL, WHOLE},
    {"user_lab", VT_ROAD_HARDWARE_LAB, "out-user", VT_CROSSING_EXIT_USER, WHOLE},
    {"cr3_lab", VT_ROAD_HARDWARE_LAB, "mov-to-cr3", VT_CROSSING_NONE, WHOLE},
};

static struct vt_figure number(double value)
{
    return (struct vt_figure){.value = value, .unit = VT_UNITS};
}

/* Sensitive operations proved on a road; with `free`, those that crossed nothing. */
static double count_cases(const struct vt_table *table, enum vt_story_road road, bool free)
{
    size_t count = 0;
    for (size_t i = 0; i < table->line_count; i++) {
        const struct vt_line *line = &table->lines[i];
        if (line->known == VT_CLASS_CONTROL || line->known == VT_CLASS_COMPUTE)
            continue;
        const struct vt_result_row *row = vt_figure_road(table, road, line->name);
        count += row && (!free || row->known.crossing == VT_CROSSING_NONE);
    }
    return count ? (double)count : NAN;
}

static struct vt_figure time_cases(const struct vt_table *table)
{
    return number(count_cases(table, VT_ROAD_HARDWARE, false));
}

static struct vt_figure time_free(const struct vt_table *table)
{
    return number(count_cases(table, VT_ROAD_HARDWARE, true));
}

static struct vt_figure lab_cases(const struct vt_table *table)
{
    return number(count_cases(table, VT_ROAD_HARDWARE_LAB, false));
}

static struct vt_figure lab_free(const struct vt_table *table)
{
    return number(count_cases(table, VT_ROAD_HARDWARE_LAB, true));
}

static struct vt_figure lies(const struct vt_table *table)
{
    struct vt_audited_hole holes[64];
    const struct vt_result *audited = vt_audited_find(table);
    size_t count = audited ? vt_audited_holes(audited, holes, sizeof holes / sizeof holes[0]) : 0;
    return number(count ? (double)count : NAN);
}

/* A number of the translator's own account, in the first result that has one. */
static double translation(const struct vt_table *table, const char *key)
{
    for (size_t i = 0; i < table->result_count; i++) {
        const json_t *value =
            json_object_get(json_object_get(table->results[i]->translation, "cost"), key);
        if (json_is_number(value) && json_number_value(value) > 0)
            return json_number_value(value);
    }
    return NAN;
}

static struct vt_figure translate_new(const struct vt_table *table)
{
    return (struct vt_figure){translation(table, "ns") / translation(table, "instructions"), VT_UNIT_NS};
}

static struct vt_figure translate_grows(const struct vt_table *table)
{
    return number(translation(table, "host_bytes") / translation(table, "guest_bytes"));
}

static const struct {
    const char *name;
    struct vt_figure (*find)(const struct vt_table *table);
} counts[] = {
    {"lies", lies},
    {"hw_time_cases", time_cases},
    {"hw_time_free", time_free},
    {"hw_lab_cases", lab_cases},
    {"hw_lab_free", lab_free},
    {"translate_new", translate_new},
    {"translate_grows", translate_grows},
};

enum { TOLLS = sizeof tolls / sizeof tolls[0], COUNTS = sizeof counts / sizeof counts[0] };

static size_t toll_by(const char *name)
{
    size_t i = 0;
    while (i < TOLLS && strcmp(tolls[i].name, name) != 0)
        i++;
    return i;
}

static size_t count_by(const char *name)
{
    size_t i = 0;
    while (i < COUNTS && strcmp(counts[i].name, name) != 0)
        i++;
    return i;
}

bool vt_figure_exists(const char *name)
{
    return toll_by(name) < TOLLS || count_by(name) < COUNTS;
}

bool vt_figure_find(const struct vt_table *table, const char *name, struct vt_figure *figure)
{
    size_t i = toll_by(name), k = count_by(name);
    *figure = k < COUNTS ? counts[k].find(table) : number(NAN);
    const struct vt_result_row *row = i < TOLLS ? vt_figure_road(table, tolls[i].road, tolls[i].of) : NULL;
    if (row && row->known.crossing == tolls[i].crossing)
        *figure = (struct vt_figure){
            tolls[i].part == WHOLE ? row->toll.median : row->breakdown[tolls[i].part].median, row->unit};
    return isfinite(figure->value);
}

void vt_figure_print(const struct vt_figure *figure, const struct vt_figure_words *words, char *text,
                     size_t size)
{
    bool whole = figure->value == floor(figure->value);
    int decimals = whole || fabs(figure->value) >= 100 ? 0 : 1;
    if (figure->unit == VT_UNIT_NS)
        vt_quantity_print(figure->value, figure->unit, "µs", text, size);
    else
        snprintf(text, size, "%.*f%s%s", decimals, figure->value, figure->unit == VT_UNITS ? "" : " ",
                 figure->unit == VT_UNITS ? ""
                 : figure->value == 1     ? words->instruction
                                          : words->instructions);
}
