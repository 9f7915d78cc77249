#include "show/asset.h"
#include "show/escape.h"
#include "report/page/page.h"
#include "show/quantity.h"

#include <string.h>

void vt_html_toll(const struct vt_result_row *cell, FILE *stream)
{
    char text[64];
    vt_quantity_print_interval(cell->toll.median, vt_quantity_half_width(&cell->toll), cell->unit, "µs", text,
                               sizeof text);
    fputs(text, stream);
}

void vt_html_hover(void *context, unsigned long number, FILE *stream)
{
    const struct vt_html *page = context;
    const struct vt_table *table = page->report->table;
    if (table->column_count == 0 || number / table->column_count >= table->line_count)
        return;
    const struct vt_line *line = &table->lines[number / table->column_count];
    const struct vt_column *column = &table->columns[number % table->column_count];
    const struct vt_result_row *cell = line->cells[number % table->column_count];
    if (!cell)
        return;
    vt_escape_html(line->name, stream);
    fputs(" on ", stream);
    vt_escape_html(column->title, stream);
    fputs(": ", stream);
    vt_html_toll(cell, stream);
    fprintf(stream, ", %s%s", vt_crossing_style(cell->crossing)->title,
            cell->status == VT_STATUS_UNVERIFIED ? ", unverified" : "");
}
