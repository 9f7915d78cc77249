#include "show/pen/pen.h"
#include "base/wrap.h"

#include <ctype.h>

static void put_cell(struct vt_pen *pen, size_t i, const struct vt_pen_cell *cell, bool last)
{
    const struct vt_pen_column *column = &pen->columns[i];
    int noted = cell->note && *cell->note ? vt_wrap_width(cell->note) + 3 : 0;
    int padding = column->width - vt_wrap_width(cell->text ? cell->text : "") - noted;
    padding = padding > 0 ? padding : 0;
    fputs(i ? "  " : "", pen->stream);
    fprintf(pen->stream, "%*s", column->number ? padding : 0, "");
    vt_pen_put_cell(pen, cell);
    fprintf(pen->stream, "%*s", column->number || last ? 0 : padding, "");
}

/* Nothing stands behind the last text of a row, not even blanks. */
static void put_row(struct vt_pen *pen, const struct vt_pen_cell *cells)
{
    size_t filled = pen->column_count;
    while (filled > 0 && (!cells[filled - 1].text || !*cells[filled - 1].text))
        filled--;
    for (size_t i = 0; i < filled; i++)
        put_cell(pen, i, &cells[i], i + 1 == filled);
    putc('\n', pen->stream);
}

static void open_table(struct vt_pen *pen, const char *caption)
{
    (void)caption;
    for (size_t i = 0; i < pen->column_count; i++) {
        char head[64] = "";
        for (size_t k = 0; k + 1 < sizeof head && pen->columns[i].head[k]; k++)
            head[k] = (char)toupper((unsigned char)pen->columns[i].head[k]);
        put_cell(pen, i, &(struct vt_pen_cell){.text = head}, i + 1 == pen->column_count);
    }
    putc('\n', pen->stream);
}

const struct vt_pen_marks vt_pen_text = {
    .micro = "us",
    .most = 50,
    .heading = {"\n", "\n"},
    .lead = {"", ":\n"},
    .paragraph = {"", "\n"},
    .warning = {"Warning: ", "\n"},
    .fold = {"\n", ":\n"},
    .end_fold = "",
    .list = {"", ""},
    .item = {"  · ", "\n"},
    .tones = {[VT_TONE_ADVICE] = {"; what to do: ", ""}},
    .note = {" (", ")"},
    .facts = {"", "\n", "", "", "\n", .width = 13},
    .questions = {"\n", "\n", "  · ", " ", "\n"},
    .open_table = open_table,
    .put_row = put_row,
    .close_table = "",
};
