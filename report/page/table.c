#include "show/pen/markup.h"
#include "report/page/page.h"
#include "show/quantity.h"

#include <math.h>
#include <string.h>

enum { RARE = 4 }; /* cells that one note is of */

/* A column in which nothing could be measured takes no width of the page: its reasons are among the notes. */
static void put_left_out(const struct vt_html *page)
{
    const struct vt_table *table = page->report->table;
    size_t said = 0;
    for (size_t k = 0; k < table->column_count; k++)
        if (!table->columns[k].measured)
            vt_markup(
                page->stream, "%s%s",
                said++ ? ", " : "<p class=\"caption\">No figure could be had on: ", table->columns[k].title);
    fputs(said ? "; the notes say why.</p>\n" : "", page->stream);
}

static bool is_usual_before(const struct vt_table *table, size_t column)
{
    for (size_t k = 0; k < column; k++)
        if (table->columns[k].measured && table->columns[k].usual == table->columns[column].usual)
            return true;
    return false;
}

/* What most cells of a column lack is said here and not in each: a paravirtual form, above all. */
static void put_usual(const struct vt_html *page)
{
    const struct vt_table *table = page->report->table;
    for (size_t i = 0; i < table->column_count; i++) {
        size_t usual = table->columns[i].measured ? table->columns[i].usual : 0;
        if (!usual || is_usual_before(table, i))
            continue;
        fputs("<p class=\"caption\">Empty under ", page->stream);
        for (size_t k = i, said = 0; k < table->column_count; k++)
            if (table->columns[k].measured && table->columns[k].usual == usual)
                vt_markup(page->stream, "%s%s", said++ ? ", " : "", table->columns[k].title);
        vt_markup(page->stream, ": %s.</p>\n", table->notes[usual - 1].text);
    }
}

static void put_heads(const struct vt_html *page)
{
    const struct vt_table *table = page->report->table;
    fputs("<thead><tr><th scope=\"col\">Case</th><th scope=\"col\" class=\"unit\">Unit</th>", page->stream);
    for (size_t k = 0; k < table->column_count; k++) {
        if (!table->columns[k].measured)
            continue;
        vt_markup(page->stream,
                  "<th scope=\"col\" class=\"number\"><span class=\"title\">%s</span> <small>%s</small></th>",
                  table->columns[k].title, table->columns[k].subtitle);
    }
    fputs("</tr></thead>\n", page->stream);
}

static void put_note(const struct vt_html *page, const struct vt_result_row *cell)
{
    size_t note = vt_table_note(page->report->table, cell);
    if (note)
        fprintf(page->stream, " <a href=\"#note%zu\">[%zu]</a>", note, note);
}

static void put_measured(const struct vt_html *page, const struct vt_result_row *cell, double size)
{
    const struct vt_crossing_style *style = vt_crossing_style(cell->crossing);
    double half = vt_quantity_half_width(&cell->toll) / size;
    int decimals = vt_quantity_decimals(cell->toll.median / size, half);
    bool unverified = cell->status == VT_STATUS_UNVERIFIED;
    fprintf(page->stream, "<td%s data-x=\"%s\">", unverified ? " class=\"unverified\"" : "",
            vt_page_mark_class(cell->crossing));
    if (cell->crossing)
        fprintf(page->stream, "<i aria-hidden=\"true\">%s</i>", style->mark);
    fprintf(page->stream, "<b>%.*f</b>", decimals, vt_quantity_round(cell->toll.median / size, decimals));
    if (half > 0)
        fprintf(page->stream, " <small>±%.*f</small>", decimals, half);
    put_note(page, cell);
    if (cell->crossing)
        fprintf(page->stream, "<span> %s</span>", style->title);
    if (unverified)
        fputs(" <span class=\"flag\">unverified</span>", page->stream);
    fputs("</td>", page->stream);
}

static void put_cell(const struct vt_html *page, const struct vt_result_row *cell, double size, size_t usual)
{
    static const char *const words[VT_STATUSES] = {
        [VT_STATUS_OK] = "unknown",    [VT_STATUS_UNVERIFIED] = "unknown", [VT_STATUS_UNSUPPORTED] = "–",
        [VT_STATUS_FAILED] = "failed", [VT_STATUS_TIMEOUT] = "timeout",
    };
    if (cell && vt_result_has_toll(cell)) {
        put_measured(page, cell, cell->unit == VT_UNIT_NS ? size : 1);
    } else if (!cell || (usual && vt_table_note(page->report->table, cell) == usual)) {
        fputs("<td></td>", page->stream);
    } else {
        bool unsupported = cell->status == VT_STATUS_UNSUPPORTED;
        fprintf(page->stream,
                unsupported ? "<td class=\"absent\">%s<span> unsupported</span>"
                            : "<td class=\"absent\"><span class=\"flag\">%s</span>",
                words[cell->status]);
        put_note(page, cell);
        fputs("</td>", page->stream);
    }
}

/* Of what a reader would stumble over, the sentence stands beside the figure: nobody was asked, and it takes
 * microseconds; asked, and interpreted. What many cells have in common stays among the notes. */
static const char *remark_of(const struct vt_table *table, const struct vt_line *line, size_t k)
{
    const struct vt_result_row *cell = line->cells[k];
    if (!cell || !vt_result_has_toll(cell) || line->known == VT_CLASS_CONTROL)
        return NULL;
    size_t note = vt_table_note(table, cell);
    if (note && cell->known.crossing <= VT_CROSSING_NONE && table->notes[note - 1].uses <= RARE)
        return table->notes[note - 1].text;
    return vt_html_remark(&table->columns[k], cell->known.crossing);
}

static void put_remarks(const struct vt_html *page, const struct vt_line *line)
{
    const struct vt_table *table = page->report->table;
    for (size_t k = 0; k < table->column_count; k++) {
        const char *remark = remark_of(table, line, k);
        if (remark)
            vt_markup(page->stream, "<small>%s: %s</small>", table->columns[k].title, remark);
    }
}

static void put_line(const struct vt_html *page, const struct vt_line *line)
{
    const struct vt_table *table = page->report->table;
    struct vt_scale scale = vt_quantity_common_scale(line->cells, table->column_count);
    vt_markup(page->stream, "<tr><th scope=\"row\">%s", line->name);
    if (line->operation && strcmp(line->operation, line->name) != 0) {
        vt_markup(page->stream, "<code>%s</code>", line->operation);
    }
    put_remarks(page, line);
    fprintf(page->stream, "</th><td>%s</td>", strcmp(scale.name, "us") == 0 ? "µs" : scale.name);
    for (size_t k = 0; k < table->column_count; k++)
        if (table->columns[k].measured)
            put_cell(page, line->cells[k], scale.size, table->columns[k].usual);
    fputs("</tr>\n", page->stream);
}

static void put_body(const struct vt_html *page)
{
    const struct vt_table *table = page->report->table;
    for (size_t i = 0; i < table->line_count; i++) {
        if (vt_table_starts_class(table, i)) {
            fputs(i ? "</tbody>\n" : "", page->stream);
            vt_markup(page->stream,
                      "<tbody><tr class=\"class\"><th scope=\"rowgroup\" "
                      "colspan=\"%zu\"><span>%s</span></th></tr>\n",
                      vt_table_shown(table) + 2, table->lines[i].class);
        }
        put_line(page, &table->lines[i]);
    }
    fputs(table->line_count ? "</tbody>\n" : "", page->stream);
}

static void put_legend(const struct vt_html *page)
{
    size_t count;
    const struct vt_crossing_style *styles = vt_crossing_styles(&count);
    fputs("<dl class=\"legend\">\n", page->stream);
    for (size_t i = 1; i < count; i++)
        fprintf(page->stream, "<div><dt><span class=\"mark m-%s\">%s</span> %s</dt><dd>%s</dd></div>\n",
                styles[i].name, styles[i].mark, styles[i].title, styles[i].meaning);
    fputs("<div><dt><span class=\"flag\">unverified</span></dt><dd>measured, but the counters contradict "
          "what must have happened: do not use the figure</dd></div>\n"
          "<div><dt><span class=\"dash\">–</span> unsupported</dt><dd>cannot be asked here; the note says "
          "why</dd></div>\n"
          "</dl>\n",
          page->stream);
}

static void put_notes(const struct vt_html *page)
{
    const struct vt_table *table = page->report->table;
    if (table->note_count == 0)
        return;
    fputs("<h3>Notes</h3>\n<ol class=\"notes\">\n", page->stream);
    for (size_t i = 0; i < table->note_count; i++) {
        vt_markup(page->stream, "<li id=\"note%zu\">%s", i + 1, table->notes[i].text);
        if (table->notes[i].uses > 1)
            fprintf(page->stream, " <small>(%zu cells)</small>", table->notes[i].uses);
        fputs("</li>\n", page->stream);
    }
    fputs("</ol>\n", page->stream);
}

void vt_html_table(const struct vt_html *page)
{
    fputs("<section id=\"table\"><h2>Every number</h2>\n"
          "<p>The toll is the net cost of one operation: a loop with it minus the same loop without it. The "
          "number is the median, ± half the width of its 95 % interval.</p>\n",
          page->stream);
    if (page->report->table->line_count == 0) {
        fputs("<p>The result holds no measurements.</p></section>\n", page->stream);
        return;
    }
    put_legend(page);
    fputs("<div id=\"controls\"></div>\n", page->stream);
    vt_page_table("Toll of each case on each road", "id=\"tolls\"", page->stream);
    put_heads(page);
    put_body(page);
    fputs("</table>\n</div>\n", page->stream);
    put_left_out(page);
    put_usual(page);
    put_notes(page);
    fputs("</section>\n", page->stream);
}
