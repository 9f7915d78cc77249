#include "show/escape.h"
#include "show/page.h"
#include "show/pen/markup.h"
#include "show/pen/pen.h"

#include <ctype.h>

static void put_class(struct vt_pen *pen, size_t i)
{
    const char *class = pen->columns[i].number ? "number" : pen->columns[i].class;
    if (class)
        vt_markup(pen->stream, " class=\"%s\"", class);
}

static void open_table(struct vt_pen *pen, const char *caption)
{
    vt_page_table(caption, "class=\"told\"", pen->stream);
    fputs("<thead><tr>", pen->stream);
    for (size_t i = 0; i < pen->column_count; i++) {
        const char *head = pen->columns[i].head;
        fputs("<th scope=\"col\"", pen->stream);
        put_class(pen, i);
        vt_markup(pen->stream, ">%c%s</th>", toupper((unsigned char)*head), *head ? head + 1 : "");
    }
    fputs("</tr></thead>\n<tbody>\n", pen->stream);
}

static void put_cell(struct vt_pen *pen, size_t i, const struct vt_pen_cell *cell)
{
    fputs(i ? "<td" : "<th scope=\"row\"", pen->stream);
    put_class(pen, i);
    if (cell->sorted)
        fprintf(pen->stream, " data-v=\"%.6g\"", cell->value);
    putc('>', pen->stream);
    vt_pen_put_cell(pen, cell);
    fputs(i ? "</td>" : "</th>", pen->stream);
}

static void put_row(struct vt_pen *pen, const struct vt_pen_cell *cells)
{
    fputs("<tr>", pen->stream);
    for (size_t i = 0; i < pen->column_count; i++)
        put_cell(pen, i, &cells[i]);
    fputs("</tr>\n", pen->stream);
}

const struct vt_pen_marks vt_pen_html = {
    .escape = vt_escape_html,
    .micro = "µs",
    .most = 200,
    .heading = {"<h2>", "</h2>\n"},
    .lead = {"<h3>", "</h3>\n"},
    .paragraph = {"<p>", "</p>\n"},
    .warning = {"<p class=\"missing\">", "</p>\n"},
    .fold = {"<details><summary>", "</summary>\n"},
    .end_fold = "</details>\n",
    .tones = {[VT_TONE_STRONG] = {"<b>", "</b>"},
              [VT_TONE_GOOD] = {"<b>", "</b>"},
              [VT_TONE_BAD] = {"<span class=\"flag\">", "</span>"},
              [VT_TONE_ADVICE] = {"<br><span class=\"fix\">What to do: ", "</span>"},
              [VT_TONE_CODE] = {"<code>", "</code>"}},
    .note = {" <small>", "</small>"},
    .facts = {"<dl class=\"facts\">\n", "</dl>\n", "<div><dt>", "</dt><dd>", "</dd></div>\n"},
    .questions = {"<dl class=\"verdicts\">\n", "</dl>\n", "<div><dt>", "</dt><dd>", "</dd></div>\n"},
    .list = {"<ul class=\"told\">\n", "</ul>\n"},
    .item = {"<li>", "</li>\n"},
    .nested = true,
    .marks = true,
    .open_table = open_table,
    .put_row = put_row,
    .close_table = "</tbody></table></div>\n",
};
