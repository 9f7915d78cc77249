#include "report/crossing.h"
#include "report/format.h"
#include "report/host.h"
#include "report/quantity.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2, NAME_LEAST = 12, WIDTH = 120, MAX_WARNINGS = 8 };

enum paint { PLAIN, BOLD, DIM, GOOD, WARM, HOT, ALERT };

/* One cell, taken apart so that its parts can be aligned. */
struct cell {
    char mark[4], value[24], error[24], tail[32];
    bool measured;
    enum paint paint;
};

struct layout {
    int value, error, tail, width;
};

struct page {
    const struct vt_report *report;
    FILE *stream;
    struct cell *cells; /* line by line */
    struct layout *layouts;
    int name, unit;
};

static const char *paint_code(enum paint paint)
{
    static const char *const codes[] = {
        [PLAIN] = "",        [BOLD] = "\033[1m", [DIM] = "\033[2m",      [GOOD] = "\033[32m",
        [WARM] = "\033[33m", [HOT] = "\033[31m", [ALERT] = "\033[1;33m",
    };
    return codes[paint];
}

static void put(const struct page *page, enum paint paint, const char *text)
{
    bool coloured = page->report->screen.colour && paint != PLAIN && *text;
    fprintf(page->stream, "%s%s%s", coloured ? paint_code(paint) : "", text, coloured ? "\033[0m" : "");
}

/* Characters on the screen, taking each code point for one. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void pad(const struct page *page, int width)
{
    if (width > 0)
        fprintf(page->stream, "%*s", width, "");
}

static void put_left(const struct page *page, enum paint paint, const char *text, int width)
{
    put(page, paint, text);
    pad(page, width - width_of(text));
}

static void put_right(const struct page *page, enum paint paint, const char *text, int width)
{
    pad(page, width - width_of(text));
    put(page, paint, text);
}

/* ---- cells */

static enum paint paint_of(const struct vt_result_row *row)
{
    if (row->status == VT_STATUS_UNVERIFIED)
        return ALERT;
    const char *mark = vt_crossing_style(row->crossing)->mark;
    return strchr("KU", *mark) ? HOT : strchr("TIH", *mark) ? WARM : strchr("ic.", *mark) ? GOOD : PLAIN;
}

static void fill_toll(struct cell *cell, const struct vt_result_row *row, double size)
{
    double half = vt_quantity_half_width(&row->toll) / size;
    int decimals = vt_quantity_decimals(row->toll.median / size, half);
    double value = vt_quantity_round(row->toll.median / size, decimals);
    snprintf(cell->mark, sizeof cell->mark, "%s%s", vt_crossing_style(row->crossing)->mark,
             row->status == VT_STATUS_UNVERIFIED ? "?" : "");
    snprintf(cell->value, sizeof cell->value, "%.*f", decimals, value);
    if (isfinite(half))
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
    cell->paint = row->status == VT_STATUS_UNSUPPORTED ? DIM : ALERT;
}

static void fill_cell(struct cell *cell, const struct vt_table *table, const struct vt_result_row *row,
                      const struct vt_scale *scale)
{
    if (!row)
        return;
    if (vt_result_has_toll(row))
        fill_toll(cell, row, strcmp(row->unit, "ns") == 0 ? scale->size : 1);
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
    layout->tail = max(layout->tail, cell->measured ? width_of(cell->tail) : 0);
    if (!cell->measured)
        return;
    layout->value = max(layout->value, width_of(cell->value));
    layout->error = max(layout->error, width_of(cell->error));
}

static void lay_out_column(struct page *page, size_t column)
{
    const struct vt_table *table = page->report->table;
    struct layout *layout = &page->layouts[column];
    for (size_t i = 0; i < table->line_count; i++)
        widen(layout, &page->cells[i * table->column_count + column]);
    layout->width = 3 + layout->value + (layout->error ? 1 + layout->error : 0) + layout->tail;
    for (size_t i = 0; i < table->line_count; i++) {
        const struct cell *cell = &page->cells[i * table->column_count + column];
        if (!cell->measured)
            layout->width = max(layout->width, width_of(cell->value) + width_of(cell->tail));
    }
    layout->width = max(layout->width, width_of(table->columns[column].title));
    layout->width = max(layout->width, width_of(table->columns[column].subtitle));
}

static void fill_cells(struct page *page)
{
    const struct vt_table *table = page->report->table;
    page->name = NAME_LEAST;
    page->unit = 2;
    for (size_t i = 0; i < table->line_count; i++) {
        const struct vt_line *line = &table->lines[i];
        struct vt_scale scale = vt_quantity_common_scale(line->cells, table->column_count);
        page->name = max(page->name, width_of(line->name) + 2);
        page->unit = max(page->unit, width_of(scale.name));
        for (size_t k = 0; k < table->column_count; k++)
            fill_cell(&page->cells[i * table->column_count + k], table, line->cells[k], &scale);
    }
    for (size_t k = 0; k < table->column_count; k++)
        lay_out_column(page, k);
}

/* ---- the table */

/* Returns the width printed: what follows the last cell of a line would be trailing blanks. */
static int print_cell(const struct page *page, const struct cell *cell, const struct layout *layout)
{
    if (!cell->measured) {
        put(page, cell->paint, cell->value);
        put(page, DIM, cell->tail);
        return width_of(cell->value) + width_of(cell->tail);
    }
    put_left(page, cell->paint, cell->mark, 3);
    put_right(page, PLAIN, cell->value, layout->value);
    if (!*cell->error && !*cell->tail)
        return 3 + layout->value;
    pad(page, 1);
    put_left(page, DIM, cell->error, *cell->tail ? layout->error : 0);
    put(page, DIM, cell->tail);
    return 4 + layout->value + (*cell->tail ? layout->error + width_of(cell->tail) : width_of(cell->error));
}

static void print_heads(const struct page *page, size_t first, size_t last)
{
    const struct vt_column *columns = page->report->table->columns;
    for (int row = 0; row < 2; row++) {
        put_left(page, BOLD, row ? "" : "CASE", page->name + 1);
        put_left(page, BOLD, row ? "" : "in", page->unit);
        for (size_t k = first; k < last; k++) {
            pad(page, GAP);
            bool end = k + 1 == last;
            put_left(page, row ? DIM : BOLD, row ? columns[k].subtitle : columns[k].title,
                     end ? 0 : page->layouts[k].width);
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

static void print_line(const struct page *page, size_t i, size_t first, size_t last)
{
    const struct vt_table *table = page->report->table;
    const struct vt_line *line = &table->lines[i];
    struct vt_scale scale = vt_quantity_common_scale(line->cells, table->column_count);
    fputs("  ", page->stream);
    put_left(page, PLAIN, line->name, page->name - 1);
    put_left(page, DIM, scale.name, page->unit);
    last = last_filled(line, first, last);
    for (size_t k = first; k < last; k++) {
        pad(page, GAP);
        int used = print_cell(page, &page->cells[i * table->column_count + k], &page->layouts[k]);
        pad(page, k + 1 < last ? page->layouts[k].width - used : 0);
    }
    putc('\n', page->stream);
}

static void print_block(const struct page *page, size_t first, size_t last)
{
    const struct vt_table *table = page->report->table;
    const char *class = NULL;
    print_heads(page, first, last);
    for (size_t i = 0; i < table->line_count; i++) {
        if (is_empty(&table->lines[i], first, last))
            continue;
        if (!class || strcmp(class, table->lines[i].class) != 0) {
            class = table->lines[i].class;
            put(page, BOLD, class);
            putc('\n', page->stream);
        }
        print_line(page, i, first, last);
    }
    putc('\n', page->stream);
}

/* As many columns side by side as the screen is wide, at least one. */
static void print_table(const struct page *page)
{
    const struct vt_table *table = page->report->table;
    int limit = page->report->screen.width > 0 ? page->report->screen.width : WIDTH;
    for (size_t first = 0, last; first < table->column_count; first = last) {
        int used = page->name + 1 + page->unit;
        for (last = first; last < table->column_count; last++) {
            used += GAP + page->layouts[last].width;
            if (used > limit && last > first)
                break;
        }
        print_block(page, first, last);
    }
}

/* ---- around the table */

/* Breaks at blanks; lines after the first are indented. */
static void print_wrapped(const struct page *page, enum paint paint, const char *text, int indent)
{
    int limit = page->report->screen.width > 0 ? page->report->screen.width : 100, used = indent;
    while (*text) {
        size_t length = strcspn(text, " ");
        char word[128];
        snprintf(word, sizeof word, "%.*s", (int)length, text);
        if (used > indent && used + 1 + width_of(word) > limit) {
            putc('\n', page->stream);
            pad(page, indent);
            used = indent;
        } else if (used > indent) {
            putc(' ', page->stream);
            used++;
        }
        put(page, paint, word);
        used += width_of(word);
        text += length < sizeof word ? length : sizeof word - 1;
        text += *text == ' ';
    }
    putc('\n', page->stream);
}

static void print_verdict(const struct page *page, const struct vt_verdict *verdict)
{
    char line[2048];
    snprintf(line, sizeof line, "%s%s%s%s%s%s%s", verdict->question ? verdict->question : "",
             verdict->question ? " " : "", verdict->answer ? verdict->answer : "",
             verdict->answer ? ": " : "", verdict->text, verdict->fix ? "; what to do: " : "",
             verdict->fix ? verdict->fix : "");
    fputs("  · ", page->stream);
    print_wrapped(page, PLAIN, line, 4);
}

static void print_host(const struct page *page, const struct vt_result *result)
{
    struct vt_fact facts[VT_FACTS];
    struct vt_verdict verdicts[VT_VERDICTS];
    size_t count = vt_host_verdict(result, verdicts);
    for (size_t i = 0; i < count; i++)
        print_verdict(page, &verdicts[i]);
    if (count)
        putc('\n', page->stream);
    count = vt_host_facts(result, facts);
    if (page->report->table->result_count > 1 && result->file)
        print_wrapped(page, BOLD, result->file, 0);
    for (size_t i = 0; i < count; i++) {
        put_left(page, DIM, facts[i].label, 13);
        print_wrapped(page, PLAIN, facts[i].text, 13);
    }
    putc('\n', page->stream);
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

static void print_legend(const struct page *page)
{
    size_t count;
    const struct vt_crossing_style *styles = vt_crossing_styles(&count);
    char text[256];
    fputs("Each cell: how the operation crossed, its toll (the median net cost of one operation), and half "
          "the\n"
          "width of the median's 95 % interval.\n",
          page->stream);
    for (size_t i = 0; i < count; i++)
        if (styles[i].name && mark_is_used(page->report->table, &styles[i])) {
            fprintf(page->stream, "  %s   ", styles[i].mark);
            snprintf(text, sizeof text, "%s: %s", styles[i].title, styles[i].meaning);
            print_wrapped(page, PLAIN, text, 6);
        }
    fputs("  ?   unverified: the counters contradict what must have happened; do not use the figure\n"
          "  –   unsupported here; the note says why\n",
          page->stream);
}

static void print_notes(const struct page *page)
{
    const struct vt_table *table = page->report->table;
    for (size_t i = 0; i < table->note_count; i++) {
        char number[32];
        snprintf(number, sizeof number, "[%zu]", i + 1);
        fputs(i == 0 ? "\nNotes\n  " : "  ", page->stream);
        put_left(page, DIM, number, 6);
        print_wrapped(page, PLAIN, table->notes[i].text, 8);
    }
}

/* What the document itself says stood in the way of clean figures. */
static void print_warnings(const struct page *page, const struct vt_result *result)
{
    const char *warnings[MAX_WARNINGS];
    size_t count = vt_host_warnings(result, warnings, MAX_WARNINGS);
    for (size_t i = 0; i < count; i++) {
        fputs(i == 0 ? "\nTake with care\n  · " : "  · ", page->stream);
        print_wrapped(page, PLAIN, warnings[i], 4);
    }
}

static void print_published(const struct page *page)
{
    const struct vt_published *published = page->report->published;
    const char *source = "";
    for (size_t i = 0; published && i < published->count; i++) {
        const struct vt_published_row *row = &published->rows[i];
        char line[1024];
        if (i == 0)
            put(page, BOLD,
                "\nPublished figures: read in the sources named, other machines, never part of what is "
                "above\n");
        if (strcmp(source, row->source) != 0) {
            source = row->source;
            putc('\n', page->stream);
            print_wrapped(page, PLAIN, source, 0);
        }
        snprintf(line, sizeof line, "%s (%s%s%s): %s%s%s", row->operation, row->cpu ? row->cpu : "",
                 row->cpu ? ", " : "", row->unit, row->figures, *row->here ? "; measured here: " : "",
                 row->here);
        fputs("  · ", page->stream);
        print_wrapped(page, PLAIN, line, 4);
    }
}

static void print_page(const struct page *page)
{
    const struct vt_report *report = page->report;
    print_wrapped(page, BOLD, report->findings.headline, 0);
    for (size_t i = 0; i < report->findings.count; i++) {
        fputs("  · ", page->stream);
        print_wrapped(page, PLAIN, report->findings.lines[i], 4);
    }
    putc('\n', page->stream);
    for (size_t i = 0; i < report->table->result_count; i++)
        print_host(page, report->table->results[i]);
    if (report->table->line_count == 0)
        return;
    print_table(page);
    print_legend(page);
    print_notes(page);
    for (size_t i = 0; i < report->table->result_count; i++)
        print_warnings(page, report->table->results[i]);
    print_published(page);
}

/* Where the screen cannot show UTF-8, the few characters beyond ASCII that reports use get a stand-in. */
static void transliterate(const char *text, FILE *stream)
{
    static const struct {
        const char *from, *to;
    } table[] = {
        {"µ",  "u"  },
        {"±",  "+-" },
        {"–", "-"  },
        {"·",  "*"  },
        {"×",  "x"  },
        {"…", "..."}
    };
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

static int print_to(const struct vt_report *report, FILE *stream)
{
    const struct vt_table *table = report->table;
    struct page page = {.report = report, .stream = stream};
    page.cells = calloc(table->line_count * table->column_count + 1, sizeof *page.cells);
    page.layouts = calloc(table->column_count + 1, sizeof *page.layouts);
    if (page.cells && page.layouts) {
        fill_cells(&page);
        print_page(&page);
    }
    int status = page.cells && page.layouts ? 0 : -ENOMEM;
    free(page.cells);
    free(page.layouts);
    return status;
}

int vt_format_text(const struct vt_report *report, FILE *stream, struct vt_error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    int status = memory ? print_to(report, memory) : -ENOMEM;
    if (memory && fclose(memory) != 0)
        status = -ENOMEM;
    if (status)
        vt_error_set(error, VT_EXIT_INTERNAL, ENOMEM, "not enough memory for the report");
    else if (report->screen.utf8)
        fwrite(text, 1, size, stream);
    else
        transliterate(text, stream);
    free(text);
    return status;
}
