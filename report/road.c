#include "report/road.h"
#include "base/statistics.h"
#include "guest/catalogue.h"

#include <stdlib.h>
#include <string.h>

/* Over fewer operations a median says little of a road. */
enum { FEWEST = 3 };

/* What makes a row one of a road. Roads in time and roads in instructions are never one. */
static const struct {
    const char *engine; /* NULL: any */
    enum vt_path path;
    enum vt_unit unit;
    const char *title;
    bool deprivileged; /* the guest's kernel runs at ring 3: what does not fault there does as it likes */
} roads[VT_ROADS] = {
    [VT_ROAD_TRAP] = {"trap", VT_PATH_EMULATED, VT_UNIT_NS, "trapped and emulated", true},
    [VT_ROAD_TRANSLATED] = {"translate", VT_PATH_TRANSLATED, VT_UNIT_NS, "translated", false},
    [VT_ROAD_INTERPRETED] = {"kvm", VT_PATH_EMULATED, VT_UNIT_NS, "interpreted", false},
    [VT_ROAD_HARDWARE] = {"kvm", VT_PATH_HARDWARE, VT_UNIT_NS, "on hardware", false},
    [VT_ROAD_XEN_TRAP] = {"xen-pv", VT_PATH_EMULATED, VT_UNIT_INSTRUCTIONS, "trapped by Xen", true},
    [VT_ROAD_XEN_CALL] = {"xen-pv", VT_PATH_PARAVIRTUAL, VT_UNIT_INSTRUCTIONS, "asked of Xen", false},
    [VT_ROAD_HARDWARE_LAB] = {NULL, VT_PATH_HARDWARE, VT_UNIT_INSTRUCTIONS, "on hardware", false},
    [VT_ROAD_MONITOR_TRAP] = {"monitor-trap", VT_PATH_EMULATED, VT_UNIT_INSTRUCTIONS,
                              "trapped by a small monitor", true},
};

/* Xen's own use of the hardware is another road than KVM's, and so is a small monitor's; a guest of a guest
 * goes by two of them. */
static bool is_of(const struct vt_column *column, enum vt_road road)
{
    if (column->depth != 1 || column->unit != roads[road].unit || !column->path ||
        strcmp(column->path, vt_path_name(roads[road].path)) != 0)
        return false;
    if (roads[road].engine)
        return strcmp(column->engine, roads[road].engine) == 0;
    return strncmp(column->engine, "xen", 3) != 0 && strncmp(column->engine, "monitor", 7) != 0;
}

/* Where ring 0 runs on hardware or is interpreted is asked of ring 0; a guest's programs are another matter.
 */
static bool is_level(const struct vt_column *column, enum vt_road road)
{
    return (road != VT_ROAD_INTERPRETED && road != VT_ROAD_HARDWARE) || column->cpl == 0;
}

const struct vt_result_row *vt_road_row(const struct vt_table *table, enum vt_road road,
                                        const struct vt_line *line)
{
    for (size_t k = 0; line && k < table->column_count; k++) {
        const struct vt_result_row *cell = line->cells[k];
        if (cell && cell->status == VT_STATUS_OK && vt_result_has_toll(cell) &&
            is_of(&table->columns[k], road) && is_level(&table->columns[k], road))
            return cell;
    }
    return NULL;
}

const char *vt_road_title(enum vt_road road)
{
    return roads[road].title;
}

enum vt_unit vt_road_unit(enum vt_road road)
{
    return roads[road].unit;
}

bool vt_road_lies(enum vt_road road, const struct vt_result_row *row)
{
    const struct vt_case *c = vt_guest_find_case(row->name);
    return roads[road].deprivileged && row->known.crossing == VT_CROSSING_NONE && c &&
           c->sensitivity == VT_SENSITIVE;
}

bool vt_road_counts(const struct vt_line *line)
{
    return line->known != VT_CLASS_CONTROL && line->known != VT_CLASS_COMPUTE;
}

static const struct vt_result_row *honest_row(const struct vt_table *table, enum vt_road road,
                                              const struct vt_line *line)
{
    const struct vt_result_row *row = vt_road_row(table, road, line);
    return row && !vt_road_lies(road, row) ? row : NULL;
}

const struct vt_result_row *vt_road_cheapest(const struct vt_table *table, const struct vt_line *line,
                                             enum vt_unit unit, unsigned *found)
{
    const struct vt_result_row *best = NULL;
    size_t count = 0;
    *found = 0;
    for (enum vt_road road = 0; road < VT_ROADS; road++) {
        const struct vt_result_row *row = roads[road].unit == unit ? honest_row(table, road, line) : NULL;
        if (!row)
            continue;
        count++;
        if (!best || row->toll.median < best->toll.median) {
            best = row;
            *found = 0;
        }
        *found |= row->toll.median <= best->toll.median ? 1U << road : 0;
    }
    return count > 1 ? best : NULL;
}

const struct vt_result_row *vt_road_shortest(const struct vt_table *table, enum vt_road road,
                                             unsigned crossings)
{
    const struct vt_result_row *best = NULL;
    for (size_t i = 0; i < table->line_count; i++) {
        const struct vt_result_row *row =
            vt_road_counts(&table->lines[i]) ? vt_road_row(table, road, &table->lines[i]) : NULL;
        if (row && crossings & 1U << row->known.crossing && (!best || row->toll.median < best->toll.median))
            best = row;
    }
    return best;
}

static bool is_on_all(const struct vt_table *table, const bool there[VT_ROADS], const struct vt_line *line)
{
    for (enum vt_road road = 0; road < VT_ROADS; road++)
        if (there[road] && !honest_row(table, road, line))
            return false;
    return vt_road_counts(line);
}

static size_t count_common(const struct vt_table *table, const bool there[VT_ROADS])
{
    size_t count = 0;
    for (size_t i = 0; i < table->line_count; i++)
        count += is_on_all(table, there, &table->lines[i]);
    return count;
}

/* A road joins where enough operations stay common to all. */
static void choose(const struct vt_table *table, enum vt_unit unit, struct vt_road_medians *medians)
{
    for (enum vt_road road = 0; road < VT_ROADS; road++) {
        if (roads[road].unit != unit)
            continue;
        medians->there[road] = true;
        size_t cases = count_common(table, medians->there);
        medians->there[road] = cases >= FEWEST;
        medians->roads += cases >= FEWEST;
    }
    medians->cases = count_common(table, medians->there);
}

static void summarize(const struct vt_table *table, enum vt_road road, struct vt_road_medians *medians,
                      double *work)
{
    size_t count = 0, seen[VT_CROSSINGS + 1] = {0}; /* the last: words that this version does not know */
    for (size_t i = 0; i < table->line_count; i++)
        if (is_on_all(table, medians->there, &table->lines[i])) {
            const struct vt_result_row *row = honest_row(table, road, &table->lines[i]);
            work[count++] = row->toll.median;
            seen[row->known.crossing]++;
        }
    medians->median[road] = vt_statistics_median(work, count);
    for (enum vt_crossing crossing = 0; crossing < VT_CROSSINGS; crossing++)
        if (seen[crossing] > seen[medians->crossing[road]])
            medians->crossing[road] = crossing;
}

bool vt_road_compare(const struct vt_table *table, enum vt_unit unit, struct vt_road_medians *medians)
{
    *medians = (struct vt_road_medians){.roads = 0};
    choose(table, unit, medians);
    double *work = medians->roads < 2 ? NULL : calloc(medians->cases, sizeof *work);
    if (!work)
        return false;
    for (enum vt_road road = 0; road < VT_ROADS; road++)
        if (medians->there[road])
            summarize(table, road, medians, work);
    free(work);
    return true;
}

bool vt_road_is_common(const struct vt_table *table, const struct vt_road_medians *medians,
                       const struct vt_line *line)
{
    return is_on_all(table, medians->there, line);
}
