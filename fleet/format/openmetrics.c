#include "fleet/format/format.h"
#include "fleet/format/words.h"
#include "show/metrics.h"

#include <math.h>
#include <string.h>

/* One statistic of a cell, as a value of the label `statistic`. */
static const struct {
    const char *name;
    size_t offset;
} statistics[] = {
    {"median", offsetof(struct vt_fleet_cell, median)}, {"p25", offsetof(struct vt_fleet_cell, p25)},
    {"p75", offsetof(struct vt_fleet_cell, p75)},       {"min", offsetof(struct vt_fleet_cell, low)},
    {"max", offsetof(struct vt_fleet_cell, high)},
};

/* The last label of every series. */
static void put_page(const struct vt_fleet *fleet, bool first, FILE *stream)
{
    vt_metrics_label("report", fleet->page, first, stream);
    fputs("} ", stream);
}

static void put_labels(const struct vt_fleet_cell *cell, FILE *stream)
{
    const struct vt_metrics_case c = {cell->name, cell->class, cell->engine, cell->path,
                                      cell->cpl,  cell->vcpus, cell->depth};
    vt_metrics_label("group", cell->group, true, stream);
    vt_metrics_case_labels(&c, false, stream);
    vt_metrics_label("crossing", cell->crossing, false, stream);
    vt_metrics_label("status", vt_status_name(cell->status), false, stream);
    vt_metrics_label("simulated", cell->simulated ? "true" : "false", false, stream);
}

static void put_tolls(const struct vt_fleet *fleet, const char *name, const char *help, enum vt_unit unit,
                      double factor, FILE *stream)
{
    bool headed = false;
    for (size_t i = 0; i < fleet->cell_count; i++) {
        const struct vt_fleet_cell *cell = &fleet->cells[i];
        if (cell->unit != unit)
            continue;
        if (!headed)
            vt_metrics_head(name, help, stream);
        headed = true;
        for (size_t k = 0; k < sizeof statistics / sizeof statistics[0]; k++) {
            const double *value = (const double *)(const void *)((const char *)cell + statistics[k].offset);
            fputs(name, stream);
            put_labels(cell, stream);
            vt_metrics_label("statistic", statistics[k].name, false, stream);
            put_page(fleet, false, stream);
            fprintf(stream, "%.6g\n", *value * factor);
        }
    }
}

/* A case that hosts cross in different ways has a series for each. */
static void put_members(const struct vt_fleet *fleet, FILE *stream)
{
    if (fleet->cell_count)
        vt_metrics_head("vmtoll_fleet_toll_hosts", "Hosts whose medians a toll is of.", stream);
    for (size_t i = 0; i < fleet->cell_count; i++) {
        fputs("vmtoll_fleet_toll_hosts", stream);
        put_labels(&fleet->cells[i], stream);
        vt_metrics_label("unit", vt_unit_name(fleet->cells[i].unit), false, stream);
        put_page(fleet, false, stream);
        fprintf(stream, "%zu\n", fleet->cells[i].count);
    }
}

static void put_hosts(const struct vt_fleet *fleet, FILE *stream)
{
    if (vt_fleet_outliers(fleet) == 0)
        return;
    vt_metrics_head("vmtoll_fleet_outlier_ratio", "Hosts that stand out: the middle of their cases' ratios.",
                    stream);
    for (size_t i = 0; i < fleet->host_count; i++) {
        if (!fleet->hosts[i].outlier)
            continue;
        fputs("vmtoll_fleet_outlier_ratio", stream);
        vt_metrics_label("host", fleet->hosts[i].name, true, stream);
        vt_metrics_label("group", fleet->hosts[i].group, false, stream);
        put_page(fleet, false, stream);
        fprintf(stream, "%.6g\n", exp(fleet->hosts[i].deviation));
    }
}

static void put_count(const struct vt_fleet *fleet, const char *name, const char *help, size_t count,
                      FILE *stream)
{
    vt_metrics_head(name, help, stream);
    fputs(name, stream);
    put_page(fleet, true, stream);
    fprintf(stream, "%zu\n", count);
}

void vt_fleet_print_metrics(const struct vt_fleet *fleet, FILE *stream)
{
    put_count(fleet, "vmtoll_fleet_hosts", "Hosts whose results were read.", fleet->host_count, stream);
    put_count(fleet, "vmtoll_fleet_outliers", "Hosts that stand out as a whole.", vt_fleet_outliers(fleet),
              stream);
    put_count(fleet, "vmtoll_fleet_differences",
              "Cases and classes that cost some hosts otherwise than the rest.", fleet->oddity_count, stream);
    put_count(fleet, "vmtoll_fleet_split_cases", "Cases that hosts cross in different ways.",
              vt_fleet_split_cases(fleet), stream);
    put_hosts(fleet, stream);
    put_members(fleet, stream);
    put_tolls(fleet, "vmtoll_fleet_toll_seconds", "Net cost of one operation, over the medians of hosts.",
              VT_UNIT_NS, 1e-9, stream);
    put_tolls(fleet, "vmtoll_fleet_toll_instructions",
              "Net cost of one operation in instructions executed, simulated, over the medians of hosts.",
              VT_UNIT_INSTRUCTIONS, 1, stream);
    fputs("# EOF\n", stream);
}
