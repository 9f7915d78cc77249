#include "show/crossing.h"
#include "report/format.h"
#include "report/said.h"
#include "show/escape.h"
#include "show/quantity.h"

#include <math.h>
#include <string.h>

static void put(const char *text, FILE *stream)
{
    vt_escape_markdown(text, stream);
}

static void put_toll(const struct vt_result_row *row, double size, FILE *stream)
{
    double half = vt_quantity_half_width(&row->toll) / size;
    int decimals = vt_quantity_decimals(row->toll.median / size, half);
    const struct vt_crossing_style *style = vt_crossing_style(row->crossing);
    fprintf(stream, "%.*f", decimals, vt_quantity_round(row->toll.median / size, decimals));
    if (half > 0)
        fprintf(stream, " ±%.*f", decimals, half);
    if (row->crossing)
        fprintf(stream, " `%s`", style->mark);
    if (row->status == VT_STATUS_UNVERIFIED)
        fputs(" **unverified**", stream);
}

static void put_cell(const struct vt_table *table, const struct vt_result_row *row, double size, FILE *stream)
{
    static const char *const words[VT_STATUSES] = {
        [VT_STATUS_OK] = "unknown",        [VT_STATUS_UNVERIFIED] = "unknown",  [VT_STATUS_UNSUPPORTED] = "–",
        [VT_STATUS_FAILED] = "**failed**", [VT_STATUS_TIMEOUT] = "**timeout**",
    };
    fputs(" | ", stream);
    if (!row)
        return;
    if (vt_result_has_toll(row))
        put_toll(row, row->unit == VT_UNIT_NS ? size : 1, stream);
    else
        fputs(words[row->status], stream);
    size_t note = vt_table_note(table, row);
    if (note)
        fprintf(stream, " <sup>%zu</sup>", note);
}

static void put_heads(const struct vt_table *table, FILE *stream)
{
    fputs("| case | unit", stream);
    for (size_t k = 0; k < table->column_count; k++) {
        fputs(" | ", stream);
        put(table->columns[k].title, stream);
        fputs("<br>", stream);
        put(table->columns[k].subtitle, stream);
    }
    fputs(" |\n|---|---", stream);
    for (size_t k = 0; k < table->column_count; k++)
        fputs("|---:", stream);
    fputs("|\n", stream);
}

static void put_table(const struct vt_table *table, FILE *stream)
{
    put_heads(table, stream);
    for (size_t i = 0; i < table->line_count; i++) {
        const struct vt_line *line = &table->lines[i];
        struct vt_scale scale = vt_quantity_common_scale(line->cells, table->column_count);
        if (vt_table_starts_class(table, i)) {
            fputs("| **", stream);
            put(line->class, stream);
            fputs("** |", stream);
            for (size_t k = 0; k < table->column_count + 1; k++)
                fputs(" |", stream);
            putc('\n', stream);
        }
        fputs("| ", stream);
        put(line->name, stream);
        fprintf(stream, " | %s", strcmp(scale.name, "us") == 0 ? "µs" : scale.name);
        for (size_t k = 0; k < table->column_count; k++)
            put_cell(table, line->cells[k], scale.size, stream);
        fputs(" |\n", stream);
    }
}

static void put_legend(FILE *stream)
{
    size_t count;
    const struct vt_crossing_style *styles = vt_crossing_styles(&count);
    fputs("\nEach cell is the toll (the median net cost of one operation), half the width of its 95 % "
          "interval, and how the operation crossed:",
          stream);
    for (size_t i = 1; i < count; i++)
        fprintf(stream, "%s `%s` %s", i > 1 ? "," : "", styles[i].mark, styles[i].title);
    fputs(".\n", stream);
}

static int put_all(const struct vt_report *report, FILE *stream)
{
    putc('\n', stream);
    put_table(report->table, stream);
    put_legend(stream);
    return 0;
}

int vt_report_markdown(const struct vt_report *report, FILE *stream, struct vt_error *error)
{
    struct vt_pen pen = vt_pen_on(stream, &vt_pen_markdown, NULL);
    (void)error;
    fputs("# What crossing into the hypervisor costs\n", stream);
    pen.begun = true;
    return vt_said_report(report, &pen, put_all);
}
