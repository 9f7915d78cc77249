#include "report/format.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One value of a row, as a metric family. */
struct family {
    const char *name, *help;
    const char *unit; /* rows of this unit only; NULL: of any */
    double factor;    /* to the base unit */
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
    {"vmtoll_toll_seconds",        "Net cost of one operation, median.",                             "ns", 1e-9, median},
    {"vmtoll_toll_low_seconds",    "Lower end of the 95 % interval of the median.",                  "ns", 1e-9, low   },
    {"vmtoll_toll_high_seconds",   "Upper end of the 95 % interval of the median.",                  "ns", 1e-9, high  },
    {"vmtoll_toll_instructions",   "Net cost of one operation in instructions executed, simulated.",
     "instructions",                                                                                       1,    median},
    {"vmtoll_exits_per_operation", "VM exits, or signals, per operation.",                           NULL, 1,    exits },
};

static void put_label(const char *name, const char *value, bool first, FILE *stream)
{
    fprintf(stream, "%s%s=\"", first ? "{" : ",", name);
    for (; value && *value; value++) {
        if (*value == '\\' || *value == '"')
            putc('\\', stream);
        putc(*value == '\n' ? ' ' : *value, stream);
    }
    putc('"', stream);
}

/* Its name; where it has none, the place it was read from. */
static const char *host_of(const struct vt_result *result, char *text, size_t size)
{
    const char *name = vt_result_host_text(result, "system.hostname");
    snprintf(text, size, result->line > 1 ? "%.400s:%zu" : "%.400s", result->file ? result->file : "",
             result->line);
    return name ? name : text;
}

static void put_row(const struct vt_report *report, const struct vt_result *result,
                    const struct vt_result_row *row, FILE *stream)
{
    char cpl[16] = "", host[480];
    if (row->cpl >= 0)
        snprintf(cpl, sizeof cpl, "%d", row->cpl);
    put_label("case", row->name, true, stream);
    put_label("class", row->class, false, stream);
    put_label("engine", row->engine, false, stream);
    put_label("path", row->path, false, stream);
    put_label("cpl", cpl, false, stream);
    put_label("crossing", row->crossing, false, stream);
    put_label("status", vt_status_name(row->status), false, stream);
    if (report->table->result_count > 1)
        put_label("host", host_of(result, host, sizeof host), false, stream);
    fputs("} ", stream);
}

static bool belongs(const struct family *family, const struct vt_result_row *row)
{
    return vt_result_has_toll(row) && (!family->unit || strcmp(family->unit, row->unit) == 0) &&
           isfinite(family->value(row));
}

static void put_family(const struct vt_report *report, const struct family *family, FILE *stream)
{
    bool headed = false;
    for (size_t r = 0; r < report->table->result_count; r++) {
        const struct vt_result *result = report->table->results[r];
        for (size_t i = 0; i < result->count; i++) {
            const struct vt_result_row *row = &result->rows[i];
            if (!belongs(family, row))
                continue;
            if (!headed)
                fprintf(stream, "# HELP %s %s\n# TYPE %s gauge\n", family->name, family->help, family->name);
            headed = true;
            fputs(family->name, stream);
            put_row(report, result, row, stream);
            fprintf(stream, "%.6g\n", family->value(row) * family->factor);
        }
    }
}

/* Seconds since 1970 of "2026-11-22T15:00:00Z"; NaN: no such text. */
static double seconds_of(const char *started)
{
    struct tm utc = {0};
    if (!started || !strptime(started, "%Y-%m-%dT%H:%M:%SZ", &utc))
        return NAN;
    return (double)timegm(&utc);
}

static void put_info(const struct vt_report *report, FILE *stream)
{
    char host[480];
    fputs("# HELP vmtoll_result_info What was measured on, and with which version.\n# TYPE "
          "vmtoll_result_info gauge\n",
          stream);
    for (size_t r = 0; r < report->table->result_count; r++) {
        const struct vt_result *result = report->table->results[r];
        fputs("vmtoll_result_info", stream);
        put_label("version", result->version, true, stream);
        put_label("cpu", vt_result_host_text(result, "cpu.brand"), false, stream);
        put_label("kernel", vt_result_host_text(result, "system.kernel"), false, stream);
        put_label("kvm_backend", vt_result_host_text(result, "kvm.backend"), false, stream);
        if (report->table->result_count > 1)
            put_label("host", host_of(result, host, sizeof host), false, stream);
        fputs("} 1\n", stream);
    }
}

static void put_start(const struct vt_report *report, FILE *stream)
{
    char host[480];
    bool headed = false;
    for (size_t r = 0; r < report->table->result_count; r++) {
        const struct vt_result *result = report->table->results[r];
        double seconds = seconds_of(result->started);
        if (isnan(seconds))
            continue;
        if (!headed)
            fputs("# HELP vmtoll_started_timestamp_seconds When the measurement began.\n"
                  "# TYPE vmtoll_started_timestamp_seconds gauge\n",
                  stream);
        headed = true;
        fputs("vmtoll_started_timestamp_seconds", stream);
        if (report->table->result_count > 1) {
            put_label("host", host_of(result, host, sizeof host), true, stream);
            putc('}', stream);
        }
        fprintf(stream, " %.0f\n", seconds);
    }
}

/* Valid both as OpenMetrics and as the older text format that node_exporter's textfile collector reads. */
int vt_format_openmetrics(const struct vt_report *report, FILE *stream, struct vt_error *error)
{
    (void)error;
    put_info(report, stream);
    put_start(report, stream);
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        put_family(report, &families[i], stream);
    fputs("# EOF\n", stream);
    return 0;
}
