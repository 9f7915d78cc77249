#include "show/escape.h"
#include "report/format.h"

#include <math.h>

/* An unknown number is an empty field. */
static void put_number(double value, FILE *stream)
{
    putc(',', stream);
    if (isfinite(value))
        fprintf(stream, "%.10g", value);
}

static void put_row(const struct vt_result *result, const struct vt_result_row *row, FILE *stream)
{
    const char *const texts[] = {
        result->file, result->started, vt_result_host_text(result, "cpu.brand"), row->name, row->class,
        row->path,    row->engine,
    };
    const char *const more[] = {row->crossing, vt_status_name(row->status), row->reason,
                                row->simulated ? "true" : "false", vt_unit_name(row->unit)};
    const struct vt_summary *t = &row->toll;
    const double numbers[] = {row->iterations,
                              row->batches,
                              row->marked,
                              t->median,
                              t->ci_low,
                              t->ci_high,
                              t->min,
                              t->p05,
                              t->p25,
                              t->p75,
                              t->p95,
                              t->p99,
                              t->mad,
                              row->toll_cycles.median,
                              row->exits_per_op,
                              row->breakdown[VT_PART_BARE].median,
                              row->breakdown[VT_PART_EMULATION].median,
                              row->breakdown[VT_PART_KERNEL].median,
                              row->breakdown[VT_PART_USER].median,
                              vt_result_vcpus(row),
                              vt_result_depth(row),
                              row->outer_exits};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (i)
            putc(',', stream);
        vt_escape_csv(texts[i], stream);
    }
    put_number(row->cpl < 0 ? NAN : row->cpl, stream);
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        putc(',', stream);
        vt_escape_csv(more[i], stream);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        put_number(numbers[i], stream);
    fputs("\r\n", stream);
}

int vt_report_csv(const struct vt_report *report, FILE *stream, struct vt_error *error)
{
    (void)error;
    fputs("file,started,cpu,case,class,path,engine,cpl,crossing,status,reason,simulated,unit,iterations,"
          "batches,marked,median,ci95_low,ci95_high,min,p05,p25,p75,p95,p99,mad,median_cycles,exits_per_op,"
          "bare,emulation,kernel,user,vcpus,depth,outer_exits\r\n",
          stream);
    for (size_t r = 0; r < report->table->result_count; r++)
        for (size_t i = 0; i < report->table->results[r]->count; i++)
            put_row(report->table->results[r], &report->table->results[r]->rows[i], stream);
    return 0;
}
