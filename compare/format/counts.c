#include "compare/format/counts.h"
#include "compare/format/words.h"
#include "show/escape.h"

#include <math.h>
#include <string.h>

struct line {
    char road[80], before[32], after[32], difference[64], tale[256];
};

/* Rows without a count on either side say nothing, unless that is new. */
static bool is_shown(const struct vt_compared *row, bool findings)
{
    return row->counts && vt_compare_is_finding(row) == findings && (findings || isfinite(row->difference));
}

static bool any_shown(const struct vt_comparison *c, bool findings)
{
    for (size_t i = 0; i < c->count; i++)
        if (is_shown(&c->rows[i], findings))
            return true;
    return false;
}

/* A difference explains itself; what does not follow from it is told. */
static void tell(const struct vt_compared *row, char *text, size_t size)
{
    *text = '\0';
    if (row->change == VT_CHANGE_CROSSING || row->change == VT_CHANGE_STATUS)
        vt_compare_explain(row, text, size);
    else if (row->change == VT_CHANGE_UNCLEAR)
        snprintf(text, size, "unverified");
    else if (row->change == VT_CHANGE_NONE && row->difference != 0)
        snprintf(text, size, "too little to count as a change");
}

static void fill_line(const struct vt_compared *row, struct line *line)
{
    char road[64];
    *line = (struct line){.road = ""};
    bool paravirtual = row->before->path && strcmp(row->before->path, "paravirtual") == 0;
    vt_compare_road(row, road, sizeof road);
    snprintf(line->road, sizeof line->road, "%s%s", road, paravirtual ? " paravirtual" : "");
    vt_compare_print_count(row->before->toll.median, line->before, sizeof line->before);
    vt_compare_print_count(row->after->toll.median, line->after, sizeof line->after);
    vt_compare_print_difference(row, line->difference, sizeof line->difference);
    tell(row, line->tale, sizeof line->tale);
}

static void print_row(const struct vt_compared *row, const struct vt_screen *screen, FILE *stream)
{
    struct line line;
    bool finding = vt_compare_is_finding(row), paint = finding && screen->colour;
    fill_line(row, &line);
    fprintf(stream, "%-22s %-25s %10s %10s  %s%s%s%s%s\n", row->before->name, line.road, line.before,
            line.after, paint ? (row->worse ? "\033[31m" : "\033[32m") : "", line.difference,
            *line.tale && *line.difference ? ", " : "", line.tale, paint ? "\033[0m" : "");
}

void vt_compare_counts_text(const struct vt_comparison *c, const struct vt_screen *screen, FILE *stream)
{
    for (int findings = 1; findings >= 0; findings--) {
        if (!any_shown(c, findings))
            continue;
        fprintf(stream, "\n%-22s %-25s %10s %10s  %s\n", findings ? "CHANGED" : "SAME", "ROAD", "OLD", "NEW",
                "DIFFERENCE");
        for (size_t i = 0; i < c->count; i++)
            if (is_shown(&c->rows[i], findings))
                print_row(&c->rows[i], screen, stream);
    }
}

static void put_markdown_row(const struct vt_compared *row, FILE *stream)
{
    struct line line;
    const char *strong = vt_compare_is_finding(row) && row->worse ? "**" : "";
    fill_line(row, &line);
    fputs("| ", stream);
    vt_escape_markdown(row->before->name, stream);
    fputs(" | ", stream);
    vt_escape_markdown(line.road, stream);
    fprintf(stream, " | %s | %s | %s%s%s | ", line.before, line.after, *line.difference ? strong : "",
            line.difference, *line.difference ? strong : "");
    vt_escape_markdown(line.tale, stream);
    fputs(" |\n", stream);
}

void vt_compare_counts_markdown(const struct vt_comparison *c, bool findings, FILE *stream)
{
    if (!any_shown(c, findings))
        return;
    fputs("\n| case | road | old | new | difference | |\n|---|---|---:|---:|---:|---|\n", stream);
    for (size_t i = 0; i < c->count; i++)
        if (is_shown(&c->rows[i], findings))
            put_markdown_row(&c->rows[i], stream);
}

static void put_html_row(const struct vt_compared *row, FILE *stream)
{
    struct line line;
    bool finding = vt_compare_is_finding(row);
    fill_line(row, &line);
    fputs("<tr><th scope=\"row\">", stream);
    vt_escape_html(row->before->name, stream);
    fputs("</th><td>", stream);
    vt_escape_html(line.road, stream);
    fprintf(stream,
            "</td><td class=\"number\">%s</td><td class=\"number\">%s</td><td class=\"number\">%s%s%s</td>"
            "<td>%s",
            line.before, line.after, finding ? "<b>" : "", line.difference, finding ? "</b>" : "",
            finding && row->worse && *line.tale ? "<span class=\"flag\">" : "");
    vt_escape_html(line.tale, stream);
    fputs(finding && row->worse && *line.tale ? "</span></td></tr>\n" : "</td></tr>\n", stream);
}

void vt_compare_counts_html(const struct vt_comparison *c, bool findings, FILE *stream)
{
    if (!any_shown(c, findings))
        return;
    fputs("<div class=\"scroll\" role=\"region\" aria-label=\"Instruction counts, scrolls sideways\" "
          "tabindex=\"0\">\n<table><thead><tr><th scope=\"col\">Case</th><th scope=\"col\">Road</th>"
          "<th scope=\"col\" class=\"number\">Old</th><th scope=\"col\" class=\"number\">New</th>"
          "<th scope=\"col\" class=\"number\">Difference</th><th scope=\"col\">Note</th></tr></thead>\n"
          "<tbody>\n",
          stream);
    for (size_t i = 0; i < c->count; i++)
        if (is_shown(&c->rows[i], findings))
            put_html_row(&c->rows[i], stream);
    fputs("</tbody></table></div>\n", stream);
}
