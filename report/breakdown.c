#include "report/breakdown.h"
#include "show/quantity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * Crossings worth taking apart. The twin is the same operation answered one step
 * earlier: by the kernel where the case itself is answered by a process.
 */
static const struct {
    const char *name, *twin;
} subjects[] = {
    {"cpuid", NULL},
    {"rdtsc", NULL},
    {"mov-to-cr3", NULL},
    {"vmcall", NULL},
    {"vmmcall", NULL},
    {"out-user", "out-kernel"},
    {"mmio-write-user", "mmio-write-eventfd"},
    {"rdmsr-user", "rdmsr-kernel"},
};

/* Who does the first step: the CPU, leaving the guest, or an emulator that never lets it run. */
struct ground {
    const struct vt_table *table;
    size_t column;
    bool interpreted;
    const struct vt_line *cheapest; /* case whose toll is the first step; NULL: none */
};

const char *vt_breakdown_title(enum vt_part part)
{
    static const char *const titles[VT_PARTS] = {
        [VT_PART_BARE] = "the bare crossing there and back",
        [VT_PART_EMULATION] = "decoding and emulating",
        [VT_PART_KERNEL] = "handling in the hypervisor's kernel",
        [VT_PART_USER] = "the round trip to user space",
    };
    return titles[part];
}

const char *vt_breakdown_name(enum vt_part part)
{
    static const char *const names[VT_PARTS] = {
        [VT_PART_BARE] = "bare crossing",
        [VT_PART_EMULATION] = "emulation",
        [VT_PART_KERNEL] = "handling",
        [VT_PART_USER] = "user space",
    };
    return names[part];
}

static bool has_parts(const struct vt_result_row *row)
{
    for (int part = 0; part < VT_PARTS; part++)
        if (isfinite(row->breakdown[part].median))
            return true;
    return false;
}

const char *vt_breakdown_absence(void)
{
    return "Not measured here, because no row tells the parts apart: it takes a proved exit that the kernel "
           "answers, or a trap that the engine took apart itself (cases out-kernel and out-user tell most).";
}

static const struct vt_result_row *cell_of(const struct ground *ground, const struct vt_line *line)
{
    return line ? line->cells[ground->column] : NULL;
}

static bool is_proved(const struct vt_result_row *cell)
{
    return cell && cell->status == VT_STATUS_OK && vt_result_has_toll(cell) && cell->crossing;
}

static double evidence_of(const struct vt_result_row *cell, const char *name)
{
    for (size_t i = 0; i < cell->evidence_count; i++)
        if (strcmp(cell->evidence[i].name, name) == 0)
            return cell->evidence[i].per_operation;
    return 0;
}

/* A counter that says another number than one speaks of something else than one crossing. */
static bool is_one(double count)
{
    return !isfinite(count) || fabs(count - 1) < 0.05;
}

static bool is_answered_by_process(const struct vt_result_row *cell)
{
    return cell->known.crossing == VT_CROSSING_EXIT_USER ||
           (cell->known.crossing == VT_CROSSING_INTERPRETED &&
            fabs(evidence_of(cell, "user_exits") - 1) < 0.05);
}

static bool is_answered_by_kernel(const struct ground *ground, const struct vt_result_row *cell)
{
    if (!is_proved(cell) || !(cell->toll.median > 0))
        return false;
    if (ground->interpreted)
        return cell->known.crossing == VT_CROSSING_INTERPRETED && evidence_of(cell, "user_exits") < 0.05 &&
               is_one(evidence_of(cell, "insn_emulation"));
    return (cell->known.crossing == VT_CROSSING_EXIT_KERNEL ||
            cell->known.crossing == VT_CROSSING_HYPERCALL) &&
           is_one(cell->exits_per_op);
}

static bool is_control(const struct vt_line *line)
{
    return line->known == VT_CLASS_CONTROL || line->known == VT_CLASS_COMPUTE;
}

static void survey(struct ground *ground)
{
    for (size_t i = 0; i < ground->table->line_count; i++) {
        const struct vt_result_row *cell = ground->table->lines[i].cells[ground->column];
        if (is_proved(cell) && (cell->known.crossing == VT_CROSSING_EXIT_KERNEL ||
                                cell->known.crossing == VT_CROSSING_EXIT_USER))
            ground->interpreted = false;
        else if (is_proved(cell) && cell->known.crossing == VT_CROSSING_INTERPRETED)
            ground->interpreted = true;
        else
            continue;
        break;
    }
    for (size_t i = 0; i < ground->table->line_count; i++) {
        const struct vt_line *line = &ground->table->lines[i];
        if (!is_control(line) && is_answered_by_kernel(ground, cell_of(ground, line)) &&
            (!ground->cheapest ||
             cell_of(ground, line)->toll.median < cell_of(ground, ground->cheapest)->toll.median))
            ground->cheapest = line;
    }
}

static struct vt_share unknown(const char *format, const char *name)
{
    struct vt_share share = {.asked = true, .median = NAN, .half = NAN};
    snprintf(share.source, sizeof share.source, format, name);
    return share;
}

/* Medians of independent runs: their uncertainties add as squares. */
static struct vt_share difference(const struct ground *ground, const struct vt_line *more,
                                  const struct vt_line *less)
{
    const struct vt_summary *a = &cell_of(ground, more)->toll, *b = &cell_of(ground, less)->toll;
    struct vt_share share = {.asked = true,
                             .median = a->median - b->median,
                             .half = hypot(vt_quantity_half_width(a), vt_quantity_half_width(b))};
    snprintf(share.source, sizeof share.source, "%.60s minus %.60s", more->name, less->name);
    if (share.median < 0) {
        share.median = share.half = NAN;
        snprintf(share.source, sizeof share.source, "not measured here, because %.60s cost less than %.60s",
                 more->name, less->name);
    }
    return share;
}

/* The first step: at most what the cheapest crossing of the column costs, whatever little it does there. */
static void take_first_step(const struct ground *ground, struct vt_share *shares)
{
    const struct vt_summary *toll = &cell_of(ground, ground->cheapest)->toll;
    struct vt_share share = {
        .asked = true, .common = true, .median = toll->median, .half = vt_quantity_half_width(toll)};
    snprintf(share.source, sizeof share.source, "at most: %.60s, the cheapest %s", ground->cheapest->name,
             ground->interpreted ? "of this road" : "exit of this road");
    shares[ground->interpreted ? VT_PART_EMULATION : VT_PART_BARE] = share;
    if (ground->interpreted)
        shares[VT_PART_BARE] = unknown("not measured here, because the kernel interprets this privilege "
                                       "level: the CPU never ran the instruction, so it left nothing%s",
                                       "");
}

static struct vt_share handling(const struct ground *ground, const struct vt_line *line)
{
    if (line == ground->cheapest)
        return unknown("not measured here, because %.60s is itself the cheapest: its handling is inside the "
                       "part before",
                       line->name);
    return difference(ground, line, ground->cheapest);
}

static void take_answer(const struct ground *ground, const struct vt_line *line, const char *twin,
                        struct vt_share *shares)
{
    const struct vt_line *other = twin ? vt_table_find_line(ground->table, twin) : NULL;
    const struct vt_result_row *cell = cell_of(ground, line);
    if (!is_answered_by_process(cell)) {
        shares[VT_PART_KERNEL] = handling(ground, line);
        return;
    }
    if (other && is_answered_by_kernel(ground, cell_of(ground, other))) {
        shares[VT_PART_KERNEL] = handling(ground, other);
        shares[VT_PART_USER] = difference(ground, line, other);
        return;
    }
    static const char missing[] = "not measured here, because %.60s has no proved figure on this road";
    shares[VT_PART_KERNEL] = unknown(missing, twin ? twin : "its twin in the kernel");
    shares[VT_PART_USER] = shares[VT_PART_KERNEL];
}

static void take_measured(const struct vt_result_row *cell, struct vt_share *shares)
{
    for (int part = 0; part < VT_PARTS; part++)
        if (isfinite(cell->breakdown[part].median)) {
            shares[part] = (struct vt_share){.asked = true,
                                             .common = true,
                                             .median = cell->breakdown[part].median,
                                             .half = vt_quantity_half_width(&cell->breakdown[part])};
            snprintf(shares[part].source, sizeof shares[part].source, "%s",
                     part == VT_PART_BARE ? "measured beside each batch"
                                          : "the toll less its bare crossing, pair by pair");
        }
}

static bool take_apart(const struct ground *ground, const struct vt_line *line, const char *twin,
                       struct vt_share *shares)
{
    const struct vt_result_row *cell = cell_of(ground, line);
    if (!is_proved(cell))
        return false;
    if (has_parts(cell)) {
        take_measured(cell, shares);
        return true;
    }
    if (!ground->cheapest || !(is_answered_by_process(cell) || is_answered_by_kernel(ground, cell)) ||
        !(cell->toll.median > 0) || (line == ground->cheapest && !twin))
        return false;
    take_first_step(ground, shares);
    take_answer(ground, line, twin, shares);
    return true;
}

static void collect_column(struct vt_breakdown *breakdown, const struct vt_table *table, size_t column)
{
    struct ground ground = {.table = table, .column = column};
    survey(&ground);
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        const struct vt_line *line = vt_table_find_line(table, subjects[i].name);
        if (!line || breakdown->count == VT_BREAKDOWN_MOST)
            continue;
        struct vt_crossing_parts *parts = &breakdown->list[breakdown->count];
        *parts = (struct vt_crossing_parts){.line = (size_t)(line - table->lines), .column = column};
        breakdown->count += take_apart(&ground, line, subjects[i].twin, parts->shares);
    }
}

void vt_breakdown_collect(struct vt_breakdown *breakdown, const struct vt_table *table)
{
    breakdown->count = 0;
    for (size_t k = 0; k < table->column_count; k++)
        collect_column(breakdown, table, k);
}
