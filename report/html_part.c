#include "report/escape.h"
#include "report/html.h"
#include "report/quantity.h"

#include <string.h>

const char *vt_html_mark_class(const char *crossing)
{
    static const char *const known[] = {"none",        "inline",    "callout",     "trap",
                                        "interpreted", "hypercall", "exit-kernel", "exit-user"};
    for (size_t i = 0; crossing && i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i], crossing) == 0)
            return known[i];
    return "other";
}

void vt_html_date(const char *iso, FILE *stream)
{
    fputs("<time datetime=\"", stream);
    vt_escape_html(iso, stream);
    fputs("\">", stream);
    if (strlen(iso) == 20 && iso[10] == 'T' && iso[19] == 'Z') {
        char text[32];
        snprintf(text, sizeof text, "%.10s, %.5s UTC", iso, iso + 11);
        vt_escape_html(text, stream);
    } else {
        vt_escape_html(iso, stream);
    }
    fputs("</time>", stream);
}

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
