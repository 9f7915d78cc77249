#include "report/story/figure.h"
#include "report/audited.h"
#include "report/story/choice.h"
#include "report/story/cited.h"
#include "report/story/depth.h"
#include "report/story/names.h"
#include "show/quantity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum part { WHOLE = VT_PARTS }; /* of a toll, beside enum vt_part */

/* One that crosses on every road: what it costs on each can be compared. */
#define SAME "rdmsr-kernel"

/* A toll, or a part of one, that crossed as the sentence around it says. */
static const struct {
    const char *name;
    enum vt_road road;
    const char *of;
    enum vt_crossing crossing;
    int part;
} tolls[] = {
    {"fault", VT_ROAD_TRAP, "mov-to-cr3", VT_CROSSING_TRAP, VT_PART_BARE},
    {"trap_work", VT_ROAD_TRAP, "mov-to-cr3", VT_CROSSING_TRAP, VT_PART_EMULATION},
    {"trap", VT_ROAD_TRAP, "mov-to-cr3", VT_CROSSING_TRAP, WHOLE},
    {"trap_out", VT_ROAD_TRAP, "out-kernel", VT_CROSSING_TRAP, WHOLE},
    {"trap_cpuid", VT_ROAD_TRAP, "cpuid", VT_CROSSING_TRAP, WHOLE},
    {"trap_int", VT_ROAD_TRAP, "int-n", VT_CROSSING_TRAP, WHOLE},
    {"popf", VT_ROAD_TRAP, "popf", VT_CROSSING_NONE, WHOLE},
    {"trap_cli", VT_ROAD_TRAP, "cli", VT_CROSSING_TRAP, WHOLE},
    {"translated", VT_ROAD_TRANSLATED, "popf", VT_CROSSING_INLINE, WHOLE},
    {"translated_cli", VT_ROAD_TRANSLATED, "cli", VT_CROSSING_INLINE, WHOLE},
    {"callout", VT_ROAD_TRANSLATED, "out-kernel", VT_CROSSING_CALLOUT, WHOLE},
    {"trap_same_way", VT_ROAD_TRAP, SAME, VT_CROSSING_TRAP, VT_PART_BARE},
    {"interpreted_nop", VT_ROAD_INTERPRETED, "nop", VT_CROSSING_INTERPRETED, WHOLE},
    {"xen_ask", VT_ROAD_XEN_CALL, "vmcall", VT_CROSSING_HYPERCALL, WHOLE},
    {"interpreted", VT_ROAD_INTERPRETED, "mov-to-cr3", VT_CROSSING_INTERPRETED, WHOLE},
    {"xen_trap", VT_ROAD_XEN_TRAP, "mov-to-cr3", VT_CROSSING_EXIT_KERNEL, WHOLE},
    {"xen_call", VT_ROAD_XEN_CALL, "mov-to-cr3", VT_CROSSING_HYPERCALL, WHOLE},
    {"xen_cli_trap", VT_ROAD_XEN_TRAP, "cli", VT_CROSSING_EXIT_KERNEL, WHOLE},
    {"xen_cli_call", VT_ROAD_XEN_CALL, "cli", VT_CROSSING_NONE, WHOLE},
    {"exit_time", VT_ROAD_HARDWARE, "cpuid", VT_CROSSING_EXIT_KERNEL, WHOLE},
    {"user_time", VT_ROAD_HARDWARE, "out-user", VT_CROSSING_EXIT_USER, WHOLE},
    {"exit_lab", VT_ROAD_HARDWARE_LAB, "cpuid", VT_CROSSING_EXIT_KERNEL, WHOLE},
    {"user_lab", VT_ROAD_HARDWARE_LAB, "out-user", VT_CROSSING_EXIT_USER, WHOLE},
    {"trap_same", VT_ROAD_TRAP, SAME, VT_CROSSING_TRAP, WHOLE},
    {"callout_same", VT_ROAD_TRANSLATED, SAME, VT_CROSSING_CALLOUT, WHOLE},
    {"interpreted_same", VT_ROAD_INTERPRETED, SAME, VT_CROSSING_INTERPRETED, WHOLE},
    {"exit_same", VT_ROAD_HARDWARE, SAME, VT_CROSSING_EXIT_KERNEL, WHOLE},
    {"exit_same_lab", VT_ROAD_HARDWARE_LAB, SAME, VT_CROSSING_EXIT_KERNEL, WHOLE},
    {"xen_same_trap", VT_ROAD_XEN_TRAP, SAME, VT_CROSSING_EXIT_KERNEL, WHOLE},
    {"xen_same_call", VT_ROAD_XEN_CALL, SAME, VT_CROSSING_HYPERCALL, WHOLE},
    {"monitor_trap", VT_ROAD_MONITOR_TRAP, "mov-to-cr3", VT_CROSSING_TRAP, WHOLE},
    {"monitor_way", VT_ROAD_MONITOR_TRAP, "mov-to-cr3", VT_CROSSING_TRAP, VT_PART_BARE},
    {"monitor_same", VT_ROAD_MONITOR_TRAP, SAME, VT_CROSSING_TRAP, WHOLE},
    {"monitor_same_way", VT_ROAD_MONITOR_TRAP, SAME, VT_CROSSING_TRAP, VT_PART_BARE},
    {"cr3_translated", VT_ROAD_TRANSLATED, "mov-to-cr3", VT_CROSSING_INLINE, WHOLE},
    {"cr3_time", VT_ROAD_HARDWARE, "mov-to-cr3", VT_CROSSING_NONE, WHOLE},
    {"pte_lab", VT_ROAD_HARDWARE_LAB, "write-pte", VT_CROSSING_NONE, WHOLE},
    {"cr3_lab", VT_ROAD_HARDWARE_LAB, "mov-to-cr3", VT_CROSSING_NONE, WHOLE},
};

static struct vt_figure number(double value)
{
    return (struct vt_figure){.value = value, .unit = VT_UNITS};
}

/* Operations proved on a road; with `free`, those that crossed nothing. */
static double count_cases(const struct vt_table *table, enum vt_road road, bool free)
{
    size_t count = 0;
    for (size_t i = 0; i < table->line_count; i++) {
        const struct vt_line *line = &table->lines[i];
        const struct vt_result_row *row = vt_road_counts(line) ? vt_road_row(table, road, line) : NULL;
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
    const struct vt_result *audited = vt_audited_find(table);
    size_t count = 0;
    while (audited && vt_audited_silent(audited, count))
        count++;
    return number(count ? (double)count : NAN);
}

/* A number of the translator's own account, in the first result that has one. */
static double translation(const struct vt_table *table, const char *key)
{
    for (size_t i = 0; i < table->result_count; i++) {
        const json_t *value = json_object_get(json_object_get(table->results[i]->translation, "cost"), key);
        if (json_is_number(value) && json_number_value(value) > 0)
            return json_number_value(value);
    }
    return NAN;
}

static struct vt_figure translate_new(const struct vt_table *table)
{
    return (struct vt_figure){.value = translation(table, "ns") / translation(table, "instructions"),
                              .unit = VT_UNIT_NS};
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
    return toll_by(name) < TOLLS || count_by(name) < COUNTS || vt_choice_exists(name) ||
           vt_depth_figure_exists(name) || vt_names_exist(name) || vt_cited_exists(name);
}

bool vt_figure_find(const struct vt_table *table, const char *name, struct vt_figure *figure)
{
    size_t i = toll_by(name), k = count_by(name);
    *figure = k < COUNTS ? counts[k].find(table) : number(NAN);
    const struct vt_result_row *row =
        i < TOLLS ? vt_road_row(table, tolls[i].road, vt_table_find_line(table, tolls[i].of)) : NULL;
    if (row && row->known.crossing == tolls[i].crossing)
        *figure = (struct vt_figure){.value = tolls[i].part == WHOLE ? row->toll.median
                                                                     : row->breakdown[tolls[i].part].median,
                                     .unit = row->unit};
    return isfinite(figure->value) || vt_choice_find(table, name, figure) ||
           vt_depth_figure_find(table, name, figure) || vt_names_find(table, name, figure) ||
           vt_cited_find(name, figure);
}

void vt_figure_print(const struct vt_figure *figure, const struct vt_figure_words *words, char *text,
                     size_t size)
{
    bool whole = figure->value == floor(figure->value);
    int decimals = whole || fabs(figure->value) >= 100 ? 0 : 1;
    if (*figure->names) {
        snprintf(text, size, "%s", figure->names);
        return;
    }
    if (figure->unit == VT_UNIT_NS) {
        vt_quantity_print(figure->value, figure->unit, "µs", text, size);
        return;
    }
    const char *word = figure->unit == VT_UNITS ? figure->cited ? words->cycles : "#"
                       : figure->value == 1     ? words->instruction
                                                : words->instructions;
    size_t before = strcspn(word, "#");
    snprintf(text, size, "%.*s%.*f%s", (int)before, word, decimals, figure->value,
             word[before] ? word + before + 1 : "");
}
