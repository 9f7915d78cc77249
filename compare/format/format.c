#include "compare/format/format.h"
#include "compare/format/words.h"
#include "compare/format/counts.h"
#include "show/escape.h"
#include "show/quantity.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <strings.h>

static int (*const printers[VT_FORMATS])(const struct vt_comparison *, const struct vt_screen *, FILE *,
                                         struct vt_error *) = {
    [VT_FORMAT_TEXT] = vt_compare_text,
    [VT_FORMAT_MARKDOWN] = vt_compare_markdown,
    [VT_FORMAT_JSON] = vt_compare_json,
    [VT_FORMAT_HTML] = vt_compare_html,
};

bool vt_compare_has_format(enum vt_format format)
{
    return printers[format];
}

int vt_compare_print(enum vt_format format, const struct vt_comparison *comparison,
                     const struct vt_screen *screen, FILE *stream, struct vt_error *error)
{
    return printers[format](comparison, screen, stream, error);
}

static void print_percent(double ratio, char *text, size_t size)
{
    snprintf(text, size, "%+.1f %%", (ratio - 1) * 100);
}

static void print_p(double p, char *text, size_t size)
{
    if (isnan(p))
        snprintf(text, size, "-");
    else if (p < 0.001)
        snprintf(text, size, "<0.001");
    else
        snprintf(text, size, "%.3f", p);
}

struct line {
    char road[64], before[32], after[32], change[32], interval[80], p[16];
};

static void fill_line(const struct vt_compared *row, struct line *line)
{
    char low[32], high[32];
    *line = (struct line){{0}, {0}, {0}, {0}, {0}, {0}};
    vt_compare_road(row, line->road, sizeof line->road);
    vt_quantity_print(row->before->toll.median, row->before->unit, "us", line->before, sizeof line->before);
    vt_quantity_print(row->after->toll.median, row->after->unit, "us", line->after, sizeof line->after);
    if (!isfinite(row->ratio))
        return;
    print_percent(row->ratio, line->change, sizeof line->change);
    print_percent(row->low, low, sizeof low);
    print_percent(row->high, high, sizeof high);
    snprintf(line->interval, sizeof line->interval, "%s to %s", low, high);
    print_p(fmax(row->p_runs, isnan(row->p_samples) ? 0 : row->p_samples), line->p, sizeof line->p);
}

static void print_row(const struct vt_compared *row, const struct vt_screen *screen, FILE *stream)
{
    struct line line;
    char tale[256];
    bool timed = row->change == VT_CHANGE_SLOWER || row->change == VT_CHANGE_FASTER;
    fill_line(row, &line);
    vt_compare_explain(row, tale, sizeof tale);
    const char *paint = screen->colour ? (row->worse ? "\033[31m" : "\033[32m") : "",
               *plain = screen->colour ? "\033[0m" : "";
    if (timed)
        fprintf(stream, "%-22s %-18s %10s %10s  %s%9s%s  %-22s %-7s %s%s%s\n", row->before->name, line.road,
                line.before, line.after, paint, line.change, plain, line.interval, line.p, paint, tale,
                plain);
    else
        fprintf(stream, "%-22s %-18s %10s %10s  %s%s%s\n", row->before->name, line.road, line.before,
                line.after, paint, tale, plain);
}

int vt_compare_text(const struct vt_comparison *c, const struct vt_screen *screen, FILE *stream,
                    struct vt_error *error)
{
    char text[512];
    bool headed = false;
    (void)error;
    vt_compare_headline(c, text, sizeof text);
    fprintf(stream, "%s%s%s\n", screen->colour ? "\033[1m" : "", text, screen->colour ? "\033[0m" : "");
    vt_compare_basis(c, text, sizeof text);
    fprintf(stream, "%s\n", text);
    for (size_t i = 0; i < c->count; i++) {
        if (c->rows[i].counts || !vt_compare_is_finding(&c->rows[i]))
            continue;
        if (!headed)
            fprintf(stream, "\n%-22s %-18s %10s %10s  %9s  %-22s %-7s\n", "CASE", "ROAD", "OLD", "NEW",
                    "CHANGE", "95 % INTERVAL", "P");
        headed = true;
        print_row(&c->rows[i], screen, stream);
    }
    vt_compare_counts_text(c, screen, stream);
    return 0;
}

static void put_markdown_row(const struct vt_compared *row, FILE *stream)
{
    struct line line;
    char tale[256];
    fill_line(row, &line);
    vt_compare_explain(row, tale, sizeof tale);
    fputs("| ", stream);
    vt_escape_markdown(row->before->name, stream);
    fputs(" | ", stream);
    vt_escape_markdown(line.road, stream);
    fprintf(stream, " | %s | %s | %s | %s | %s | ", line.before, line.after,
            vt_compare_is_finding(row) || !isfinite(row->ratio) ? line.change : "~", line.interval, line.p);
    if (vt_compare_is_finding(row))
        fputs(row->worse ? "**" : "", stream);
    vt_escape_markdown(tale, stream);
    if (vt_compare_is_finding(row))
        fputs(row->worse ? "**" : "", stream);
    fputs(" |\n", stream);
}

static bool has_times(const struct vt_comparison *c, bool findings)
{
    for (size_t i = 0; i < c->count; i++)
        if (!c->rows[i].counts && vt_compare_is_finding(&c->rows[i]) == findings)
            return true;
    return false;
}

static void put_markdown_table(const struct vt_comparison *c, bool findings, FILE *stream)
{
    if (!has_times(c, findings))
        return;
    fputs("\n| case | road | old | new | change | 95 % interval | p | verdict "
          "|\n|---|---|---:|---:|---:|---|---:|---|\n",
          stream);
    for (size_t i = 0; i < c->count; i++)
        if (!c->rows[i].counts && vt_compare_is_finding(&c->rows[i]) == findings &&
            (findings || isfinite(c->rows[i].ratio)))
            put_markdown_row(&c->rows[i], stream);
}

int vt_compare_markdown(const struct vt_comparison *c, const struct vt_screen *screen, FILE *stream,
                        struct vt_error *error)
{
    char text[512];
    (void)screen;
    (void)error;
    vt_compare_headline(c, text, sizeof text);
    fprintf(stream, "### What crossing into the hypervisor costs: %s\n\n", text);
    for (size_t i = 0; i < c->warning_count; i++) {
        fputs("> ", stream);
        vt_escape_markdown(c->warnings[i], stream);
        fputs("\n\n", stream);
    }
    put_markdown_table(c, true, stream);
    vt_compare_counts_markdown(c, true, stream);
    fprintf(stream, "\n<details><summary>Everything else%s</summary>\n",
            c->counts < c->count ? " (~: no change beyond chance)" : "");
    put_markdown_table(c, false, stream);
    vt_compare_counts_markdown(c, false, stream);
    vt_compare_basis(c, text, sizeof text);
    fprintf(stream, "\n</details>\n\n%s\n", text);
    return 0;
}
