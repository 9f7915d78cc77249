#include "show/escape.h"
#include "show/pen/pen.h"

static void open_table(struct vt_pen *pen, const char *caption)
{
    (void)caption;
    fputs("\n|", pen->stream);
    for (size_t i = 0; i < pen->column_count; i++)
        fprintf(pen->stream, " %s |", pen->columns[i].head);
    fputs("\n|", pen->stream);
    for (size_t i = 0; i < pen->column_count; i++)
        fputs(pen->columns[i].number ? " ---: |" : " --- |", pen->stream);
    putc('\n', pen->stream);
}

static void put_row(struct vt_pen *pen, const struct vt_pen_cell *cells)
{
    putc('|', pen->stream);
    for (size_t i = 0; i < pen->column_count; i++) {
        putc(' ', pen->stream);
        vt_pen_put_cell(pen, &cells[i]);
        fputs(" |", pen->stream);
    }
    putc('\n', pen->stream);
}

const struct vt_pen_marks vt_pen_markdown = {
    .escape = vt_escape_markdown,
    .micro = "µs",
    .most = 50,
    .heading = {"\n## ", "\n"},
    .lead = {"\n", ":\n"},
    .paragraph = {"\n", "\n"},
    .warning = {"\n> ", "\n"},
    .fold = {"\n<details><summary>", "</summary>\n"},
    .end_fold = "\n</details>\n",
    .tones = {[VT_TONE_STRONG] = {"**", "**"},
              [VT_TONE_BAD] = {"**", "**"},
              [VT_TONE_ADVICE] = {"; what to do: ", ""}},
    .note = {" (", ")"},
    .facts = {"\n", "", "- **", ":** ", "\n"},
    .questions = {"\n", "", "- ", " ", "\n"},
    .list = {"\n", ""},
    .item = {"- ", "\n"},
    .open_table = open_table,
    .put_row = put_row,
    .close_table = "",
};
