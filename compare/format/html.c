#include "compare/format/table.h"
#include "base/stream.h"
#include "compare/format/format.h"
#include "compare/format/words.h"
#include "show/pen/markup.h"
#include "show/page.h"
#include "show/plot.h"
#include "show/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHART_ROWS = 50 };

struct page {
    const struct vt_comparison *comparison;
    FILE *stream;
};

static int by_interest(const void *a, const void *b)
{
    const struct vt_compared *x = *(const struct vt_compared *const *)a,
                             *y = *(const struct vt_compared *const *)b;
    int order = (int)vt_compare_is_finding(y) - (int)vt_compare_is_finding(x);
    double p = fabs(log(x->ratio)), q = fabs(log(y->ratio));
    return order ? order : (p < q) - (p > q);
}

static size_t choose_rows(const struct vt_comparison *c, const struct vt_compared **chosen)
{
    size_t count = 0;
    for (size_t i = 0; i < c->count; i++)
        if (isfinite(c->rows[i].ratio))
            chosen[count++] = &c->rows[i];
    qsort(chosen, count, sizeof *chosen, by_interest);
    return count < CHART_ROWS ? count : CHART_ROWS;
}

/* How a row is drawn: told apart by symbol and side as well as by colour. */
static const struct kind {
    const char *block, *meaning;
    int point;
    size_t series;
} kinds[] = {
    {"$same", "unchanged, within what is detectable", 6, 1},
    {"$unclear", "cannot tell", 4, 3},
    {"$worse", "slower, or crossing in a heavier way", 13, 2},
    {"$better", "faster, or crossing in a lighter way", 11, 5},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static size_t kind_of(const struct vt_compared *row)
{
    if (vt_compare_is_finding(row))
        return row->worse ? 2 : 3;
    return vt_compare_answer(row) == VT_ANSWER_UNCLEAR ? 1 : 0;
}

/* Columns: low, high, ratio, row, hover number. Returns how many points there are. */
static size_t put_points(const struct vt_compared **rows, size_t count, size_t kind, double limit,
                         FILE *stream)
{
    size_t points = 0;
    fprintf(stream, "%s << EOD\n", kinds[kind].block);
    for (size_t i = 0; i < count; i++)
        if (kind_of(rows[i]) == kind) {
            fprintf(stream, "%.5g %.5g %.5g %zu %zu\n", fmax((rows[i]->low - 1) * 100, -limit),
                    fmin((rows[i]->high - 1) * 100, limit),
                    fmax(fmin((rows[i]->ratio - 1) * 100, limit), -limit), i, i);
            points++;
        }
    fputs("EOD\n", stream);
    return points;
}

static void put_script(const struct vt_comparison *c, const struct vt_compared **rows, size_t count,
                       FILE *stream)
{
    double limit = fmax(5, 2.5 * c->threshold * 100);
    for (size_t i = 0; i < count; i++)
        limit = fmax(limit, fmin(fabs(rows[i]->ratio - 1) * 115, 300));
    fprintf(stream,
            "set terminal svg size 760,%zu dynamic noenhanced font 'sans-serif,13'\nset encoding utf8\nset "
            "output '0.svg'\n"
            "unset key\nset border 0\nset lmargin at screen 0.36\nset rmargin at screen 0.97\nset tmargin "
            "1\nset bmargin 2\n"
            "set xrange [%g:%g]\nset xtics scale 0\nset format x '%%+g %%%%'\nset yrange [%g:-0.8]\nset "
            "ytics scale 0 (",
            count * 19 + 60, -limit, limit, (double)count - 0.2);
    for (size_t i = 0; i < count; i++) {
        char road[64], text[160], label[96];
        vt_compare_road(rows[i], road, sizeof road);
        snprintf(text, sizeof text, "%.40s, %.40s", rows[i]->before->name, road);
        vt_plot_label(text, label, sizeof label);
        fprintf(stream, "%s\"%s\" %zu", i ? ", " : "", label, i);
    }
    fprintf(stream, ")\nset grid xtics ytics lt 1 lw 1 lc rgb '" VT_SVG_GRID
                    "'\nset arrow from 0,graph 0 to 0,graph 1 nohead lw 1.5 lc rgb 'black'\n");
    size_t points[KINDS];
    for (size_t k = 0; k < KINDS; k++)
        points[k] = put_points(rows, count, k, limit, stream);
    const char *separator = "plot";
    for (size_t k = 0; k < KINDS; k++)
        if (points[k]) {
            fprintf(stream,
                    "%s %s using 1:4:($2-$1):(0) with vectors nohead lw 2 lc rgb '" VT_SVG_SERIES
                    "', %s using 3:4:(sprintf('%%d',$5)) with labels hypertext point pt %d ps 0.8 lc rgb "
                    "'" VT_SVG_SERIES "'",
                    separator, kinds[k].block, kinds[k].series, kinds[k].block, kinds[k].point,
                    kinds[k].series);
            separator = ",";
        }
    fputs("\nunset output\n", stream);
}

static void put_key(FILE *stream)
{
    fputs("<ul class=\"key\" aria-label=\"Symbols\">\n", stream);
    for (size_t k = KINDS; k-- > 0;) {
        fputs("<li>", stream);
        vt_svg_key(kinds[k].series, kinds[k].point, stream);
        fprintf(stream, "%s</li>\n", kinds[k].meaning);
    }
    fputs("</ul>\n", stream);
}

static void put_hover(void *context, unsigned long number, FILE *stream)
{
    const struct vt_compared **rows = context;
    char road[64], detectable[32];
    vt_compare_road(rows[number], road, sizeof road);
    vt_compare_print_share(rows[number]->detectable, detectable, sizeof detectable);
    vt_markup(stream, "%s, %s: %+.1f %% (%+.1f to %+.1f; detectable: %s)", rows[number]->before->name, road,
              (rows[number]->ratio - 1) * 100, (rows[number]->low - 1) * 100, (rows[number]->high - 1) * 100,
              detectable);
}

static void put_chart(const struct page *page)
{
    const struct vt_comparison *c = page->comparison;
    const struct vt_compared **rows = calloc(c->count + 1, sizeof *rows);
    char *script = NULL, *picture = NULL;
    size_t size = 0, count = rows ? choose_rows(c, rows) : 0;
    struct vt_error error;
    FILE *stream = count ? vt_stream_memory(&script, &size) : NULL;
    if (stream)
        put_script(c, rows, count, stream);
    if (stream && fclose(stream) == 0) {
        fputs("<section id=\"chart\"><h2>How much</h2>\n<p>New divided by old, as per cent more or less, "
              "with 95 % "
              "intervals: left of the line is faster, right of it slower. What changed stands first, then "
              "the largest "
              "differences that chance explains.</p>\n",
              page->stream);
        put_key(page->stream);
        if (vt_plot_run(script, &picture, 1, &error) == 0 && picture) {
            fputs("<figure class=\"scroll plain\" tabindex=\"0\" role=\"region\" aria-label=\"Ratios, "
                  "scrolls sideways\">",
                  page->stream);
            vt_svg_embed(
                picture,
                "Ratio of new to old per measurement with its interval; the table holds the same numbers",
                "ratios", put_hover, rows, page->stream);
            fputs("</figure>\n", page->stream);
        } else {
            vt_markup(page->stream,
                      "<p class=\"missing\"><strong>The chart is missing:</strong> %s. The table holds its "
                      "numbers.</p>\n",
                      error.text);
        }
        fputs("</section>\n", page->stream);
    }
    free(picture);
    free(script);
    free(rows);
}

static void put_side(const char *label, const struct vt_result *result, FILE *stream)
{
    const char *brand = vt_result_host_text(result, "cpu.brand"),
               *kernel = vt_result_host_text(result, "system.kernel");
    vt_markup(stream, "<div><dt>%s</dt><dd>%s<br><small>%s", label, result->file,
              brand ? brand : "unknown processor");
    if (kernel)
        vt_markup(stream, ", kernel %s", kernel);
    if (result->started) {
        fputs(", ", stream);
        vt_page_date(result->started, stream);
    }
    fputs("</small></dd></div>\n", stream);
}

static void put_head(const struct page *page)
{
    char text[512];
    const struct vt_comparison *c = page->comparison;
    FILE *stream = page->stream;
    vt_compare_headline(c, text, sizeof text);
    vt_page_head(text, false, stream);
    vt_svg_symbols(stream);
    vt_markup(stream,
              "<header>\n<p class=\"kicker\">What crossing into the hypervisor costs: before and after</p>\n"
              "<h1>%s</h1>\n<dl class=\"facts\">\n",
              text);
    put_side("Old", c->before, stream);
    put_side("New", c->after, stream);
    fputs("</dl>\n</header>\n<main>\n", stream);
}

int vt_compare_html(const struct vt_comparison *c, const struct vt_screen *screen, FILE *stream,
                    struct vt_error *error)
{
    struct page page = {c, stream};
    struct vt_pen pen = vt_pen_on(stream, &vt_pen_html, NULL);
    (void)screen;
    (void)error;
    put_head(&page);
    fputs("<section id=\"changes\">", stream);
    vt_pen_heading(&pen, "What changed");
    for (size_t i = 0; i < c->warning_count; i++)
        vt_pen_warning(&pen, "%s", c->warnings[i]);
    vt_compare_say_basis(c, &pen);
    vt_compare_findings(c, &pen);
    fputs("</section>\n", stream);
    put_chart(&page);
    fputs("<section id=\"rest\">", stream);
    vt_pen_heading(&pen, "Everything else");
    vt_compare_rest(c, &pen);
    fputs("</section>\n", stream);
    vt_page_foot(NULL, false, stream);
    return 0;
}
