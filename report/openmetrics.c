#include "report/format.h"
#include "base/text.h"
#include "show/metrics.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One value of a row, as a metric family. */
struct family {
    const char *name, *help;
    enum vt_unit unit; /* rows of this unit only; VT_UNITS: of any */
    double factor;     /* to the base unit */
    double (*value)(const struct vt_result_row *row);
};

static double median(const struct vt_result_row *row)
{
    return row->toll.median;
}

static double low(const struct vt_result_row *row)
{
    return row->toll.ci_low;
}

static double high(const struct vt_result_row *row)
{
    return row->toll.ci_high;
}

static double exits(const struct vt_result_row *row)
{
    return row->exits_per_op;
}

static const struct family families[] = {
    {"vmtoll_toll_seconds", "Net cost of one operation, median.", VT_UNIT_NS, 1e-9, median},
    {"vmtoll_toll_low_seconds", "Lower end of the 95 % interval of the median.", VT_UNIT_NS, 1e-9, low},
    {"vmtoll_toll_high_seconds", "Upper end of the 95 % interval of the median.", VT_UNIT_NS, 1e-9, high},
    {"vmtoll_toll_instructions", "Net cost of one operation in instructions executed, simulated.",
     VT_UNIT_INSTRUCTIONS, 1, median},
    {"vmtoll_exits_per_operation", "VM exits, or signals, per operation.", VT_UNITS, 1, exits},
};

/* What it was read from, which no other result of a page has. */
static const char *place_of(const struct vt_result *result, char *text, size_t size)
{
    snprintf(text, size, result->line > 1 ? "%s:%zu" : "%s", result->file ? result->file : "", result->line);
    return text;
}

/* Its name; where another has that too, as a name or as its place, the place it was read from. */
static const char *host_of(const struct vt_report *report, const struct vt_result *result, char *text,
                           size_t size)
{
    const char *name = vt_result_host_text(result, "system.hostname");
    for (size_t r = 0; name && r < report->table->result_count; r++) {
        const struct vt_result *other = report->table->results[r];
        if (other != result && (vt_text_same(vt_result_host_text(other, "system.hostname"), name) ||
                                strcmp(place_of(other, text, size), name) == 0))
            name = NULL;
    }
    return name ? name : place_of(result, text, size);
}

/* The last labels of every series. Two of one page differ in the first, two of one host in the second. */
static void put_origin(const struct vt_report *report, const struct vt_result *result, bool first,
                       FILE *stream)
{
    char host[PATH_MAX + 24];
    vt_metrics_label("host", host_of(report, result, host, sizeof host), first, stream);
    vt_metrics_label("report", report->screen.page, false, stream);
    fputs("} ", stream);
}

static void put_row(const struct vt_report *report, const struct vt_result *result,
                    const struct vt_result_row *row, FILE *stream)
{
    const struct vt_metrics_case c = {row->name, row->class,           row->engine,         row->path,
                                      row->cpl,  vt_result_vcpus(row), vt_result_depth(row)};
    vt_metrics_case_labels(&c, true, stream);
    vt_metrics_label("crossing", row->crossing, false, stream);
    vt_metrics_label("status", vt_status_name(row->status), false, stream);
    put_origin(report, result, false, stream);
}

static bool belongs(const struct family *family, const struct vt_result_row *row)
{
    return vt_result_has_toll(row) && (family->unit == VT_UNITS || family->unit == row->unit) &&
           isfinite(family->value(row));
}

/* A series is its labels: of rows that share them all, the first counts. */
static bool is_repeated(json_t *seen, size_t result, const struct vt_result_row *row)
{
    char key[512];
    snprintf(key, sizeof key, "%zu\n%.150s\n%.100s\n%.60s\n%.60s\n%.60s\n%d%d %d %d", result, row->name,
             row->engine, row->class ? row->class : "", row->path ? row->path : "",
             row->crossing ? row->crossing : "", row->cpl, row->status, vt_result_vcpus(row),
             vt_result_depth(row));
    if (json_object_get(seen, key))
        return true;
    json_object_set_new_nocheck(seen, key, json_true());
    return false;
}

static void put_family(const struct vt_report *report, const struct family *family, FILE *stream)
{
    bool headed = false;
    json_t *seen = json_object();
    for (size_t r = 0; r < report->table->result_count; r++) {
        const struct vt_result *result = report->table->results[r];
        for (size_t i = 0; i < result->count; i++) {
            const struct vt_result_row *row = &result->rows[i];
            if (!belongs(family, row) || is_repeated(seen, r, row))
                continue;
            if (!headed)
                vt_metrics_head(family->name, family->help, stream);
            headed = true;
            fputs(family->name, stream);
            put_row(report, result, row, stream);
            fprintf(stream, "%.6g\n", family->value(row) * family->factor);
        }
    }
    json_decref(seen);
}

static void put_info(const struct vt_report *report, FILE *stream)
{
    vt_metrics_head("vmtoll_result_info", "What was measured on, and with which version.", stream);
    for (size_t r = 0; r < report->table->result_count; r++) {
        const struct vt_result *result = report->table->results[r];
        fputs("vmtoll_result_info", stream);
        vt_metrics_label("version", result->version, true, stream);
        vt_metrics_label("cpu", vt_result_host_text(result, "cpu.brand"), false, stream);
        vt_metrics_label("kernel", vt_result_host_text(result, "system.kernel"), false, stream);
        vt_metrics_label("kvm_backend", vt_result_host_text(result, "kvm.backend"), false, stream);
        put_origin(report, result, false, stream);
        fputs("1\n", stream);
    }
}

static void put_start(const struct vt_report *report, FILE *stream)
{
    bool headed = false;
    for (size_t r = 0; r < report->table->result_count; r++) {
        const struct vt_result *result = report->table->results[r];
        double seconds = vt_metrics_time(result->started);
        if (isnan(seconds))
            continue;
        if (!headed)
            vt_metrics_head("vmtoll_started_timestamp_seconds", "When the measurement began.", stream);
        headed = true;
        fputs("vmtoll_started_timestamp_seconds", stream);
        put_origin(report, result, true, stream);
        fprintf(stream, "%.0f\n", seconds);
    }
}

/* Valid both as OpenMetrics and as the older text format that node_exporter's textfile collector reads. */
int vt_report_openmetrics(const struct vt_report *report, FILE *stream, struct vt_error *error)
{
    (void)error;
    put_info(report, stream);
    put_start(report, stream);
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        put_family(report, &families[i], stream);
    fputs("# EOF\n", stream);
    return 0;
}
