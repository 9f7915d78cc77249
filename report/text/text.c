#include "show/crossing.h"
#include "base/stream.h"
#include "show/quantity.h"
#include "report/said.h"
#include "report/text/page.h"
#include "base/wrap.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2, NAME_LEAST = 12, WIDTH = 120 };

/* One cell, taken apart so that its parts can be aligned. */
struct cell {
    char mark[4], value[24], error[24], tail[32];
    bool measured;
    enum vt_text_paint paint;
};

struct layout {
    int value, error, tail, width;
};

struct vt_text_grid {
    struct cell *cells; /* line by line */
    struct layout *layouts;
    const char **units; /* line by line */
    int name, unit;
};

static enum vt_text_paint paint_of(const struct vt_result_row *row)
{
    if (row->status == VT_STATUS_UNVERIFIED)
        return VT_TEXT_ALERT;
    const char *mark = vt_crossing_style(row->crossing)->mark;
    return strchr("KU", *mark)    ? VT_TEXT_HOT
           : strchr("TIH", *mark) ? VT_TEXT_WARM
           : strchr("ic.", *mark) ? VT_TEXT_GOOD
                                  : VT_TEXT_PLAIN;
}

static void fill_toll(struct cell *cell, const struct vt_result_row *row, double size)
{
    double half = vt_quantity_half_width(&row->toll) / size;
    int decimals = vt_quantity_decimals(row->toll.median / size, half);
    double value = vt_quantity_round(row->toll.median / size, decimals);
    snprintf(cell->mark, sizeof cell->mark, "%s%s", vt_crossing_style(row->crossing)->mark,
             row->status == VT_STATUS_UNVERIFIED ? "?" : "");
    snprintf(cell->value, sizeof cell->value, "%.*f", decimals, value);
    if (half > 0)
        snprintf(cell->error, sizeof cell->error, "±%.*f", decimals, half);
    cell->measured = true;
    cell->paint = paint_of(row);
}

static void fill_status(struct cell *cell, const struct vt_result_row *row)
{
    static const char *const words[VT_STATUSES] = {
        [VT_STATUS_OK] = "unknown",    [VT_STATUS_UNVERIFIED] = "unknown", [VT_STATUS_UNSUPPORTED] = "–",
        [VT_STATUS_FAILED] = "failed", [VT_STATUS_TIMEOUT] = "timeout",
    };
    snprintf(cell->value, sizeof cell->value, "%s", words[row->status]);
    cell->paint = row->status == VT_STATUS_UNSUPPORTED ? VT_TEXT_DIM : VT_TEXT_ALERT;
}

static void fill_cell(struct cell *cell, const struct vt_table *table, const struct vt_result_row *row,
                      const struct vt_scale *scale)
{
    if (!row)
        return;
    if (vt_result_has_toll(row))
        fill_toll(cell, row, row->unit == VT_UNIT_NS ? scale->size : 1);
    else
        fill_status(cell, row);
    size_t note = vt_table_note(table, row);
    if (note)
        snprintf(cell->tail, sizeof cell->tail, " [%zu]", note);
}

static int max(int a, int b)
{
    return a > b ? a : b;
}

static void widen(struct layout *layout, const struct cell *cell)
{
    layout->tail = max(layout->tail, cell->measured ? vt_wrap_width(cell->tail) : 0);
    if (!cell->measured)
        return;
    layout->value = max(layout->value, vt_wrap_width(cell->value));
    layout->error = max(layout->error, vt_wrap_width(cell->error));
}

static void lay_out_column(struct vt_text *page, size_t column)
{
    const struct vt_table *table = page->report->table;
    struct layout *layout = &page->grid->layouts[column];
    for (size_t i = 0; i < table->line_count; i++)
        widen(layout, &page->grid->cells[i * table->column_count + column]);
    layout->width = 3 + layout->value + (layout->error ? 1 + layout->error : 0) + layout->tail;
    for (size_t i = 0; i < table->line_count; i++) {
        const struct cell *cell = &page->grid->cells[i * table->column_count + column];
        if (!cell->measured)
            layout->width = max(layout->width, vt_wrap_width(cell->value) + vt_wrap_width(cell->tail));
    }
    layout->width = max(layout->width, vt_wrap_width(table->columns[column].title));
    layout->width = max(layout->width, vt_wrap_width(table->columns[column].subtitle));
}

static void fill_cells(struct vt_text *page)
{
    const struct vt_table *table = page->report->table;
    page->grid->name = NAME_LEAST;
    page->grid->unit = 2;
    for (size_t i = 0; i < table->line_count; i++) {
        const struct vt_line *line = &table->lines[i];
        struct vt_scale scale = vt_quantity_common_scale(line->cells, table->column_count);
        page->grid->name = max(page->grid->name, vt_wrap_width(line->name) + 2);
        page->grid->units[i] = scale.name;
        page->grid->unit = max(page->grid->unit, vt_wrap_width(scale.name));
        for (size_t k = 0; k < table->column_count; k++)
            fill_cell(&page->grid->cells[i * table->column_count + k], table, line->cells[k], &scale);
    }
    for (size_t k = 0; k < table->column_count; k++)
        lay_out_column(page, k);
}

/* Returns the width printed: what follows the last cell of a line would be trailing blanks. */
static int print_cell(const struct vt_text *page, const struct cell *cell, const struct layout *layout)
{
    if (!cell->measured) {
        vt_text_put(page, cell->paint, cell->value);
        vt_text_put(page, VT_TEXT_DIM, cell->tail);
        return vt_wrap_width(cell->value) + vt_wrap_width(cell->tail);
    }
    vt_text_left(page, cell->paint, cell->mark, 3);
    vt_text_right(page, VT_TEXT_PLAIN, cell->value, layout->value);
    if (!*cell->error && !*cell->tail)
        return 3 + layout->value;
    vt_text_pad(page, 1);
    vt_text_left(page, VT_TEXT_DIM, cell->error, *cell->tail ? layout->error : 0);
    vt_text_put(page, VT_TEXT_DIM, cell->tail);
    return 4 + layout->value +
           (*cell->tail ? layout->error + vt_wrap_width(cell->tail) : vt_wrap_width(cell->error));
}

static void print_heads(const struct vt_text *page, size_t first, size_t last)
{
    const struct vt_column *columns = page->report->table->columns;
    for (int row = 0; row < 2; row++) {
        vt_text_left(page, VT_TEXT_BOLD, row ? "" : "CASE", page->grid->name + 1);
        vt_text_left(page, VT_TEXT_BOLD, row ? "" : "in", page->grid->unit);
        for (size_t k = first; k < last; k++) {
            vt_text_pad(page, GAP);
            bool end = k + 1 == last;
            vt_text_left(page, row ? VT_TEXT_DIM : VT_TEXT_BOLD, row ? columns[k].subtitle : columns[k].title,
                         end ? 0 : page->grid->layouts[k].width);
        }
        putc('\n', page->stream);
    }
}

static bool is_empty(const struct vt_line *line, size_t first, size_t last)
{
    for (size_t k = first; k < last; k++)
        if (line->cells[k])
            return false;
    return true;
}

static size_t last_filled(const struct vt_line *line, size_t first, size_t last)
{
    while (last > first && !line->cells[last - 1])
        last--;
    return last;
}

static void print_line(const struct vt_text *page, size_t i, size_t first, size_t last)
{
    const struct vt_table *table = page->report->table;
    const struct vt_line *line = &table->lines[i];
    fputs("  ", page->stream);
    vt_text_left(page, VT_TEXT_PLAIN, line->name, page->grid->name - 1);
    vt_text_left(page, VT_TEXT_DIM, page->grid->units[i], page->grid->unit);
    last = last_filled(line, first, last);
    for (size_t k = first; k < last; k++) {
        vt_text_pad(page, GAP);
        int used = print_cell(page, &page->grid->cells[i * table->column_count + k], &page->grid->layouts[k]);
        vt_text_pad(page, k + 1 < last ? page->grid->layouts[k].width - used : 0);
    }
    putc('\n', page->stream);
}

static void print_block(const struct vt_text *page, size_t first, size_t last)
{
    const struct vt_table *table = page->report->table;
    const char *class = NULL;
    print_heads(page, first, last);
    for (size_t i = 0; i < table->line_count; i++) {
        if (is_empty(&table->lines[i], first, last))
            continue;
        if (!class || strcmp(class, table->lines[i].class) != 0) {
            class = table->lines[i].class;
            vt_text_put(page, VT_TEXT_BOLD, class);
            putc('\n', page->stream);
        }
        print_line(page, i, first, last);
    }
    putc('\n', page->stream);
}

/* As many columns side by side as the screen is wide, at least one. */
static void print_table(const struct vt_text *page)
{
    const struct vt_table *table = page->report->table;
    int limit = page->report->screen.width > 0 ? page->report->screen.width : WIDTH;
    for (size_t first = 0, last; first < table->column_count; first = last) {
        int used = page->grid->name + 1 + page->grid->unit;
        for (last = first; last < table->column_count; last++) {
            used += GAP + page->grid->layouts[last].width;
            if (used > limit && last > first)
                break;
        }
        print_block(page, first, last);
    }
}

static bool mark_is_used(const struct vt_table *table, const struct vt_crossing_style *style)
{
    for (size_t i = 0; i < table->line_count; i++)
        for (size_t k = 0; k < table->column_count; k++) {
            const struct vt_result_row *cell = table->lines[i].cells[k];
            if (cell && vt_result_has_toll(cell) && vt_crossing_style(cell->crossing) == style)
                return true;
        }
    return false;
}

static void print_legend(const struct vt_text *page)
{
    size_t count;
    const struct vt_crossing_style *styles = vt_crossing_styles(&count);
    char text[256];
    int width = page->report->screen.width > 0 ? page->report->screen.width : 100;
    fputs("Each cell: how the operation crossed, its toll (the median net cost of one operation), and half "
          "the\n"
          "width of the median's 95 % interval.\n",
          page->stream);
    for (size_t i = 0; i < count; i++)
        if (styles[i].name && mark_is_used(page->report->table, &styles[i])) {
            fprintf(page->stream, "  %s   ", styles[i].mark);
            snprintf(text, sizeof text, "%s: %s", styles[i].title, styles[i].meaning);
            vt_wrap(text, width, 6, 6, page->stream);
            putc('\n', page->stream);
        }
    fputs("  ?   unverified: the counters contradict what must have happened; do not use the figure\n"
          "  –   unsupported here; the note says why\n",
          page->stream);
}

/* Where the screen cannot show UTF-8, the few characters beyond ASCII that reports use get a stand-in. */
static void transliterate(const char *text, FILE *stream)
{
    static const struct {
        const char *from, *to;
    } table[] = {{"µ", "u"}, {"±", "+-"}, {"–", "-"}, {"·", "*"}, {"×", "x"}, {"…", "..."}};
    while (*text) {
        size_t i = 0, count = sizeof table / sizeof table[0];
        while (i < count && strncmp(text, table[i].from, strlen(table[i].from)) != 0)
            i++;
        if (i < count) {
            fputs(table[i].to, stream);
            text += strlen(table[i].from);
        } else if (((unsigned char)*text & 0xc0) == 0x80) {
            text++;
        } else {
            putc((unsigned char)*text < 0x80 ? *text : '?', stream);
            text++;
        }
    }
}

static int print_grid(const struct vt_report *report, FILE *stream)
{
    const struct vt_table *table = report->table;
    struct vt_text_grid grid = {0};
    struct vt_text page = {.report = report, .stream = stream, .grid = &grid};
    grid.cells = calloc(table->line_count * table->column_count + 1, sizeof *grid.cells);
    grid.layouts = calloc(table->column_count + 1, sizeof *grid.layouts);
    grid.units = calloc(table->line_count + 1, sizeof *grid.units);
    int status = grid.cells && grid.layouts && grid.units ? 0 : -ENOMEM;
    if (status == 0) {
        fill_cells(&page);
        print_table(&page);
        print_legend(&page);
    }
    free(grid.cells);
    free(grid.units);
    free(grid.layouts);
    return status;
}

int vt_report_text(const struct vt_report *report, FILE *stream, struct vt_error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = vt_stream_memory(&text, &size);
    struct vt_pen pen = vt_pen_on(memory, &vt_pen_text, &report->screen);
    int status = memory ? vt_said_report(report, &pen, print_grid) : -ENOMEM;
    if (memory && fclose(memory) != 0)
        status = -ENOMEM;
    if (status)
        vt_error_memory(error, "the report");
    else if (report->screen.utf8)
        fwrite(text, 1, size, stream);
    else
        transliterate(text, stream);
    free(text);
    return status;
}
