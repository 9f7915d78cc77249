#include "report/finding.h"
#include "base/statistics.h"
#include "base/text.h"
#include "report/breakdown.h"
#include "report/road.h"
#include "show/crossing.h"
#include "show/quantity.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_GROUPS = 64 };

static bool counts(const struct vt_line *line, const struct vt_result_row *cell)
{
    return cell && cell->status == VT_STATUS_OK && vt_result_has_toll(cell) &&
           line->known != VT_CLASS_CONTROL && line->known != VT_CLASS_COMPUTE;
}

static void note_extremes(struct vt_group *group, const struct vt_line *line, double toll)
{
    if (!group->cheapest || toll < group->low) {
        group->low = toll;
        group->cheapest = line->name;
    }
    if (!group->dearest || toll > group->high) {
        group->high = toll;
        group->dearest = line->name;
    }
}

/* Median over the group's cases of one part of their tolls. */
static double summarize_part(const struct vt_table *table, const struct vt_group *group, enum vt_part part,
                             double *work)
{
    size_t count = 0;
    for (size_t i = 0; i < table->line_count; i++) {
        const struct vt_result_row *cell = table->lines[i].cells[group->column];
        if (counts(&table->lines[i], cell) && cell->known.crossing == group->crossing &&
            isfinite(cell->breakdown[part].median))
            work[count++] = cell->breakdown[part].median;
    }
    return count ? vt_statistics_median(work, count) : NAN;
}

static struct vt_group summarize(const struct vt_table *table, size_t column, enum vt_crossing crossing)
{
    struct vt_group group = {.column = column, .crossing = crossing, .median = NAN};
    double *tolls = calloc(table->line_count + 1, sizeof *tolls);
    for (size_t i = 0; i < table->line_count; i++) {
        const struct vt_result_row *cell = table->lines[i].cells[column];
        if (!counts(&table->lines[i], cell) || cell->known.crossing != crossing)
            continue;
        note_extremes(&group, &table->lines[i], cell->toll.median);
        if (tolls)
            tolls[group.count++] = cell->toll.median;
    }
    if (tolls && group.count)
        group.median = vt_statistics_median(tolls, group.count);
    for (int part = 0; part < VT_PARTS; part++)
        group.parts[part] = tolls ? summarize_part(table, &group, part, tolls) : NAN;
    free(tolls);
    return group;
}

size_t vt_finding_groups(const struct vt_table *table, struct vt_group *groups, size_t room)
{
    size_t styles, count = 0;
    const struct vt_crossing_style *style = vt_crossing_styles(&styles);
    for (size_t k = 0; k < table->column_count; k++)
        for (size_t i = 0; i < styles && count < room; i++) {
            groups[count] = summarize(table, k, style[i].crossing);
            count += groups[count].count > 0;
        }
    return count;
}

/* The largest group of a crossing on real machines, or on simulated ones. */
static const struct vt_group *find_group(const struct vt_table *table, const struct vt_group *groups,
                                         size_t count, enum vt_crossing crossing, bool simulated)
{
    const struct vt_group *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (groups[i].crossing == crossing && table->columns[groups[i].column].simulated == simulated &&
            (!best || groups[i].count > best->count))
            best = &groups[i];
    return best;
}

/* An emulated machine speaks for a real one only where no real one was measured. */
static bool all_simulated(const struct vt_table *table)
{
    for (size_t k = 0; k < table->column_count; k++)
        if (!table->columns[k].simulated)
            return false;
    return true;
}

static const char *cost(const struct vt_table *table, const struct vt_group *group, double value,
                        char text[32])
{
    vt_quantity_print(value, table->columns[group->column].unit, "µs", text, 32);
    return text;
}

static void say_exits(char *text, size_t size, const struct vt_table *table, const struct vt_group *kernel,
                      const struct vt_group *user)
{
    char a[32], b[32];
    if (kernel && user)
        snprintf(text, size,
                 "Leaving the guest and coming back costs about %s here, and %s when a process in user space "
                 "must answer.",
                 cost(table, kernel, kernel->median, a), cost(table, user, user->median, b));
    else if (kernel)
        snprintf(text, size, "Leaving the guest and coming back costs about %s here.",
                 cost(table, kernel, kernel->median, a));
    else
        snprintf(text, size,
                 "Leaving the guest for a process in user space and coming back costs about %s here.",
                 cost(table, user, user->median, b));
}

/* No group: only controls, only figures without proof, or no figure at all. */
static const char *say_nothing(const struct vt_table *table)
{
    size_t proved = 0, unverified = 0, kernels = 0;
    for (size_t i = 0; i < table->line_count; i++)
        for (size_t k = 0; k < table->column_count; k++) {
            const struct vt_result_row *cell = table->lines[i].cells[k];
            bool measured = cell && vt_result_has_toll(cell);
            proved += measured && cell->status == VT_STATUS_OK;
            kernels += measured && table->lines[i].known == VT_CLASS_COMPUTE;
            unverified += measured && cell->status == VT_STATUS_UNVERIFIED;
        }
    if (proved && kernels)
        return "No sensitive instruction was measured here: only computing, which crosses nothing.";
    if (proved)
        return "Only controls were measured here: they show what the method itself adds, and cross nothing.";
    if (unverified)
        return "Nothing can be concluded: no measurement here is proved by its counters; the notes say why.";
    return table->line_count ? "Nothing could be measured here; the notes say why."
                             : "The result holds no measurements.";
}

/* One exit by name, never a median over exits of different kinds. */
static bool say_exit(char *text, size_t size, const struct vt_table *table, enum vt_unit unit)
{
    static const struct {
        const char *name, *words;
        enum vt_crossing crossing;
    } exits[] = {{"cpuid", "to the kernel (CPUID)", VT_CROSSING_EXIT_KERNEL},
                 {"out-user", "to a process (OUT)", VT_CROSSING_EXIT_USER}};
    char amount[32];
    size_t said = 0, without = 0; /* of those on a processor that shows no mode for guests */
    for (size_t i = 0; i < sizeof exits / sizeof exits[0]; i++) {
        const struct vt_line *line = vt_table_find_line(table, exits[i].name);
        for (size_t k = 0; line && k < table->column_count; k++) {
            const struct vt_result_row *cell = line->cells[k];
            if (!cell || cell->status != VT_STATUS_OK || cell->unit != unit ||
                cell->known.crossing != exits[i].crossing)
                continue;
            vt_quantity_print(cell->toll.median, cell->unit, "µs", amount, sizeof amount);
            vt_text_append(text, size, "%s %s %s", said++ ? "," : " An exit and the way back takes" + !*text,
                           amount, exits[i].words);
            without += cell->known.path == VT_PATH_EMULATED;
            break;
        }
    }
    if (said)
        vt_text_append(text, size, "%s.",
                       without == said ? ", for a program in a guest of a KVM without VT-x or AMD-V" : "");
    return said > 0;
}

/* What roads cost over the same operations. */
static bool say_roads(char *text, size_t size, const struct vt_table *table)
{
    struct vt_road_medians medians;
    enum vt_unit unit = VT_UNIT_NS;
    char amount[32];
    size_t said = 0;
    if (!vt_road_compare(table, unit, &medians) &&
        !(all_simulated(table) && vt_road_compare(table, unit = VT_UNIT_INSTRUCTIONS, &medians)))
        return false;
    snprintf(text, size, "%s an operation of a guest's kernel costs",
             unit == VT_UNIT_NS ? "On this machine" : "In the lab");
    for (enum vt_road road = 0; road < VT_ROADS; road++)
        if (medians.there[road]) {
            vt_quantity_print(medians.median[road], unit, "µs", amount, sizeof amount);
            vt_text_append(text, size, "%s %s %s",
                           said == 0                   ? ""
                           : said + 1 == medians.roads ? " and"
                                                       : ",",
                           amount, vt_road_title(road));
            said++;
        }
    vt_text_append(text, size, ".");
    if (unit == VT_UNIT_NS)
        say_exit(text, size, table, unit);
    return true;
}

static void say_headline(struct vt_findings *findings, const struct vt_table *table,
                         const struct vt_group *groups, size_t count)
{
    bool simulated = all_simulated(table);
    const struct vt_group *kernel = find_group(table, groups, count, VT_CROSSING_EXIT_KERNEL, simulated);
    const struct vt_group *user = find_group(table, groups, count, VT_CROSSING_EXIT_USER, simulated);
    const struct vt_group *interpreted = find_group(table, groups, count, VT_CROSSING_INTERPRETED, simulated);
    const struct vt_group *trap = find_group(table, groups, count, VT_CROSSING_TRAP, simulated);
    char a[32];
    char *text = findings->headline;
    size_t size = sizeof findings->headline;
    *text = '\0';
    if (say_roads(text, size, table) ||
        say_exit(text, size, table, simulated ? VT_UNIT_INSTRUCTIONS : VT_UNIT_NS))
        return;
    if (kernel || user)
        say_exits(text, size, table, kernel, user);
    else if (interpreted)
        snprintf(text, size,
                 "No crossing was needed: the hypervisor interprets the guest's code, at about %s per "
                 "instruction.",
                 cost(table, interpreted, interpreted->median, a));
    else if (trap)
        snprintf(text, size, "A sensitive instruction caught as a fault costs about %s here.",
                 cost(table, trap, trap->median, a));
    else if (count)
        snprintf(text, size,
                 "No crossing into a hypervisor was observed here; what was measured stands below.");
    else
        snprintf(text, size, "%s", say_nothing(table));
}

static void say(struct vt_findings *findings, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct vt_findings *findings, const char *format, ...)
{
    if (findings->count == VT_FINDINGS)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(findings->lines[findings->count++], sizeof findings->lines[0], format, arguments);
    va_end(arguments);
}

/* "; of it the bare crossing 2.53 µs, ..." or nothing. */
static void say_parts(char *text, size_t size, const struct vt_table *table, const struct vt_group *group)
{
    char amount[32];
    *text = 0;
    for (int part = 0; part < VT_PARTS; part++)
        if (isfinite(group->parts[part]))
            vt_text_append(text, size, "%s%s %s", *text ? ", " : "; of it ", vt_breakdown_title(part),
                           cost(table, group, group->parts[part], amount));
}

/* Where two columns have one name, their paths tell them apart. */
static void name_road(char *text, size_t size, const struct vt_table *table, size_t k)
{
    bool shared = false;
    for (size_t i = 0; i < table->column_count; i++)
        shared |= i != k && strcmp(table->columns[i].title, table->columns[k].title) == 0;
    snprintf(text, size, "%s%s%.64s", table->columns[k].title, shared ? ", " : "",
             shared && table->columns[k].path ? table->columns[k].path : "");
}

static bool has_native(const struct vt_table *table)
{
    for (size_t k = 0; k < table->column_count; k++)
        if (strcmp(table->columns[k].engine, "native") == 0)
            return true;
    return false;
}

static void say_group(struct vt_findings *findings, const struct vt_table *table,
                      const struct vt_group *group)
{
    char low[32], median[32], high[32], parts[160], title[256];
    if (group->crossing <= VT_CROSSING_NONE)
        return;
    cost(table, group, group->median, median);
    say_parts(parts, sizeof parts, table, group);
    name_road(title, sizeof title, table, group->column);
    if (group->count == 1)
        say(findings, "%s, %s: %s (%s)%s.", title,
            vt_crossing_style(vt_crossing_name(group->crossing))->title, median, group->cheapest, parts);
    else
        say(findings, "%s, %s: median %s over %zu cases, from %s (%s) to %s (%s)%s.", title,
            vt_crossing_style(vt_crossing_name(group->crossing))->title, median, group->count,
            cost(table, group, group->low, low), group->cheapest, cost(table, group, group->high, high),
            group->dearest, parts);
}

static void say_unverified(struct vt_findings *findings, const struct vt_table *table)
{
    size_t unverified = 0, broken = 0;
    for (size_t i = 0; i < table->line_count; i++)
        for (size_t k = 0; k < table->column_count; k++) {
            const struct vt_result_row *cell = table->lines[i].cells[k];
            unverified += cell && cell->status == VT_STATUS_UNVERIFIED;
            broken += cell && (cell->status == VT_STATUS_FAILED || cell->status == VT_STATUS_TIMEOUT);
        }
    if (unverified)
        say(findings,
            "%zu measurement%s unverified: the counters contradict what must have happened. %s marked ?.",
            unverified, unverified == 1 ? " is" : "s are", unverified == 1 ? "It is" : "They are");
    if (broken)
        say(findings, "%zu measurement%s failed or did not return; the notes say why.", broken,
            broken == 1 ? "" : "s");
}

static void say_documents(struct vt_findings *findings, const struct vt_table *table)
{
    for (size_t i = 0; i < table->result_count; i++) {
        const struct vt_result *result = table->results[i];
        if (result->interrupted)
            say(findings, "%s: the run was interrupted; what was measured until then is shown.",
                result->file ? result->file : "This result");
        if (has_native(table) &&
            json_is_true(json_object_get(json_object_get(result->host, "hypervisor"), "present"))) {
            say(findings, "This machine is itself a guest: native figures contain the exits of the "
                          "hypervisor around it.");
            break;
        }
    }
    for (size_t k = 0; k < table->column_count; k++)
        if (table->columns[k].simulated) {
            say(findings, "Simulated columns count instructions on an emulated CPU; they are not times.");
            break;
        }
}

/* The paths on which the operation has a proved figure, as bits. */
static unsigned paths_of(const struct vt_table *table, const struct vt_line *line)
{
    unsigned found = 0;
    for (size_t k = 0; k < table->column_count; k++)
        for (enum vt_path path = 0; path < VT_PATHS; path++)
            if (counts(line, line->cells[k]) && table->columns[k].path &&
                strcmp(table->columns[k].path, vt_path_name(path)) == 0)
                found |= 1U << path;
    return found;
}

/* What one page can set side by side: of no use where a path is not there at all. */
static void say_paths(struct vt_findings *findings, const struct vt_table *table)
{
    size_t on_all = 0, on[VT_PATHS] = {0};
    char text[200] = "";
    for (size_t i = 0; i < table->line_count; i++) {
        unsigned found = paths_of(table, &table->lines[i]);
        on_all += found == (1U << VT_PATHS) - 1;
        for (enum vt_path path = 0; path < VT_PATHS; path++)
            on[path] += found >> path & 1;
    }
    for (enum vt_path path = 0; path < VT_PATHS; path++)
        vt_text_append(text, sizeof text, "%s%s %zu", *text ? ", " : "", vt_path_name(path), on[path]);
    if (on_all)
        say(findings, "%zu operation%s a proved figure on all %d roads (%s).", on_all,
            on_all == 1 ? " has" : "s have", VT_PATHS, text);
}

void vt_finding_collect(struct vt_findings *findings, const struct vt_table *table)
{
    struct vt_group groups[MAX_GROUPS];
    size_t count = vt_finding_groups(table, groups, MAX_GROUPS);
    findings->count = 0;
    say_headline(findings, table, groups, count);
    for (size_t i = 0; i < count && findings->count < VT_FINDINGS - 5; i++)
        say_group(findings, table, &groups[i]);
    findings->remarks = findings->count;
    say_paths(findings, table);
    say_unverified(findings, table);
    say_documents(findings, table);
}
