#include "show/asset.h"
#include "show/escape.h"
#include "report/page/page.h"
#include "show/quantity.h"

#include <string.h>

void vt_html_head(const char *title, bool scripts, FILE *stream)
{
    /* The policy makes the promise that no request leaves the file one the browser keeps. */
    fprintf(stream,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
            "'unsafe-inline'; %simg-src data:\">\n"
            "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n"
            "<title>",
            scripts ? "script-src 'unsafe-inline'; " : "");
    vt_escape_html(title, stream);
    fputs("</title>\n<style>\n", stream);
    fwrite(vt_asset_style, 1, vt_asset_style_size, stream);
    fputs("</style>\n</head>\n<body>\n", stream);
}

void vt_html_foot(const char *version, bool scripts, FILE *stream)
{
    fprintf(stream, "</main>\n<footer><p>Made by vmtoll%s", version ? " " : "");
    vt_escape_html(version, stream);
    fputs(". This file stands alone: it loads nothing and sends nothing.</p></footer>\n", stream);
    if (scripts) {
        fputs("<script>\n", stream);
        fwrite(vt_asset_script, 1, vt_asset_script_size, stream);
        fputs("</script>\n", stream);
    }
    fputs("</body>\n</html>\n", stream);
}

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
