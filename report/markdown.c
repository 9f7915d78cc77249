#include "report/audited.h"
#include "report/breakdown.h"
#include "show/crossing.h"
#include "report/format.h"
#include "report/host.h"
#include "show/quantity.h"

#include <math.h>
#include <string.h>

enum { MAX_WARNINGS = 8, MAX_HOLES = 64 };

/*
 * Text from outside must not become markup: neither Markdown's nor, since most
 * renderers pass it on, HTML's. A line break would end the cell or the list item
 * the text stands in; an address would become a link.
 */
static void put(const char *text, FILE *stream)
{
    for (; *text; text++)
        if (*text == '<')
            fputs("&lt;", stream);
        else if (*text == '&')
            fputs("&amp;", stream);
        else if ((unsigned char)*text < 0x20 || *text == 0x7f)
            putc(' ', stream);
        else if (strncmp(text, "://", 3) == 0)
            fputs("&#58;", stream);
        else if (*text == '@')
            fputs("&#64;", stream);
        else {
            if (strchr("\\`*_[]|#>~!", *text))
                putc('\\', stream);
            putc(*text, stream);
        }
}

static void put_toll(const struct vt_result_row *row, double size, FILE *stream)
{
    double half = vt_quantity_half_width(&row->toll) / size;
    int decimals = vt_quantity_decimals(row->toll.median / size, half);
    const struct vt_crossing_style *style = vt_crossing_style(row->crossing);
    fprintf(stream, "%.*f", decimals, vt_quantity_round(row->toll.median / size, decimals));
    if (isfinite(half))
        fprintf(stream, " ±%.*f", decimals, half);
    if (row->crossing)
        fprintf(stream, " `%s`", style->mark);
    if (row->status == VT_STATUS_UNVERIFIED)
        fputs(" **unverified**", stream);
}

static void put_cell(const struct vt_table *table, const struct vt_result_row *row, double size, FILE *stream)
{
    static const char *const words[VT_STATUSES] = {
        [VT_STATUS_OK] = "unknown",        [VT_STATUS_UNVERIFIED] = "unknown",  [VT_STATUS_UNSUPPORTED] = "–",
        [VT_STATUS_FAILED] = "**failed**", [VT_STATUS_TIMEOUT] = "**timeout**",
    };
    fputs(" | ", stream);
    if (!row)
        return;
    if (vt_result_has_toll(row))
        put_toll(row, strcmp(row->unit, "ns") == 0 ? size : 1, stream);
    else
        fputs(words[row->status], stream);
    size_t note = vt_table_note(table, row);
    if (note)
        fprintf(stream, " <sup>%zu</sup>", note);
}

static void put_heads(const struct vt_table *table, FILE *stream)
{
    fputs("| case | unit", stream);
    for (size_t k = 0; k < table->column_count; k++) {
        fputs(" | ", stream);
        put(table->columns[k].title, stream);
        fputs("<br>", stream);
        put(table->columns[k].subtitle, stream);
    }
    fputs(" |\n|---|---", stream);
    for (size_t k = 0; k < table->column_count; k++)
        fputs("|---:", stream);
    fputs("|\n", stream);
}

static void put_table(const struct vt_table *table, FILE *stream)
{
    put_heads(table, stream);
    for (size_t i = 0; i < table->line_count; i++) {
        const struct vt_line *line = &table->lines[i];
        struct vt_scale scale = vt_quantity_common_scale(line->cells, table->column_count);
        if (vt_table_starts_class(table, i)) {
            fputs("| **", stream);
            put(line->class, stream);
            fputs("** |", stream);
            for (size_t k = 0; k < table->column_count + 1; k++)
                fputs(" |", stream);
            putc('\n', stream);
        }
        fputs("| ", stream);
        put(line->name, stream);
        fprintf(stream, " | %s", strcmp(scale.name, "us") == 0 ? "µs" : scale.name);
        for (size_t k = 0; k < table->column_count; k++)
            put_cell(table, line->cells[k], scale.size, stream);
        fputs(" |\n", stream);
    }
}

static void put_verdict(const struct vt_verdict *verdict, FILE *stream)
{
    fputs("- ", stream);
    if (verdict->question) {
        put(verdict->question, stream);
        putc(' ', stream);
    }
    if (verdict->answer) {
        fputs("**", stream);
        put(verdict->answer, stream);
        fputs("**: ", stream);
    }
    put(verdict->text, stream);
    if (verdict->fix) {
        fputs("; what to do: ", stream);
        put(verdict->fix, stream);
    }
    putc('\n', stream);
}

static void put_host(const struct vt_result *result, FILE *stream)
{
    struct vt_fact facts[VT_FACTS];
    const char *warnings[MAX_WARNINGS];
    struct vt_verdict verdicts[VT_VERDICTS];
    size_t count = vt_host_verdict(result, verdicts);
    for (size_t i = 0; i < count; i++)
        put_verdict(&verdicts[i], stream);
    fputs(count ? "\n" : "", stream);
    count = vt_host_facts(result, facts);
    for (size_t i = 0; i < count; i++) {
        fprintf(stream, "- **%s:** ", facts[i].label);
        put(facts[i].text, stream);
        putc('\n', stream);
    }
    size_t warned = vt_host_warnings(result, warnings, MAX_WARNINGS);
    for (size_t i = 0; i < warned; i++) {
        fputs("- **Beware:** ", stream);
        put(warnings[i], stream);
        putc('\n', stream);
    }
    if (count)
        putc('\n', stream);
}

static void put_legend(FILE *stream)
{
    size_t count;
    const struct vt_crossing_style *styles = vt_crossing_styles(&count);
    fputs("\nEach cell is the toll (the median net cost of one operation), half the width of its 95 % "
          "interval, and how "
          "the operation crossed:",
          stream);
    for (size_t i = 1; i < count; i++)
        fprintf(stream, "%s `%s` %s", i > 1 ? "," : "", styles[i].mark, styles[i].title);
    fputs(".\n", stream);
}

static void put_published(const struct vt_published *published, FILE *stream)
{
    if (!published || published->count == 0)
        return;
    fputs("\n## Published figures\n\nRead in the sources named; other machines, never part of what is "
          "above.\n\n"
          "| operation | published | unit | source | measured here |\n|---|---|---|---|---|\n",
          stream);
    for (size_t i = 0; i < published->count; i++) {
        const struct vt_published_row *row = &published->rows[i];
        const char *const cells[] = {row->operation, row->figures, row->unit, row->source, row->here};
        for (size_t k = 0; k < sizeof cells / sizeof cells[0]; k++) {
            fputs("| ", stream);
            put(cells[k], stream);
            putc(' ', stream);
        }
        fputs("|\n", stream);
    }
}

static void put_audit(const struct vt_table *table, FILE *stream)
{
    const struct vt_result *result = vt_audited_find(table);
    struct vt_audited_hole holes[MAX_HOLES];
    size_t count = result ? vt_audited_holes(result, holes, MAX_HOLES) : 0;
    if (!result)
        return;
    fputs("\n## Could it be virtualized without help from the CPU?\n\n", stream);
    put(vt_audited_verdict(result), stream);
    fputs(count ? "\n\n| hole | tried as | at ring 3, here | a guest kernel expects |\n|---|---|---|---|\n"
                : "\n",
          stream);
    for (size_t i = 0; i < count; i++) {
        const char *const cells[] = {holes[i].name, holes[i].operation, holes[i].seen, holes[i].expected};
        for (size_t k = 0; k < sizeof cells / sizeof cells[0]; k++) {
            fputs("| ", stream);
            put(cells[k], stream);
            if (k == 1 && *holes[i].with) {
                fputs(" (", stream);
                put(holes[i].with, stream);
                putc(')', stream);
            }
            putc(' ', stream);
        }
        fputs("|\n", stream);
    }
}

static void put_part(const struct vt_share *share, const char *unit, FILE *stream)
{
    char amount[64];
    fputs(" | ", stream);
    if (!share->asked)
        return;
    if (isfinite(share->median)) {
        vt_quantity_print_interval(share->median, share->half, unit, "µs", amount, sizeof amount);
        fprintf(stream, "%s: ", amount);
    }
    put(share->source, stream);
}

static void put_crossing(const struct vt_table *table, const struct vt_crossing_parts *parts, FILE *stream)
{
    const struct vt_column *column = &table->columns[parts->column];
    char amount[64];
    vt_quantity_print(table->lines[parts->line].cells[parts->column]->toll.median, column->unit, "µs", amount,
                      sizeof amount);
    fputs("| ", stream);
    put(table->lines[parts->line].name, stream);
    fputs(" | ", stream);
    put(column->title, stream);
    fprintf(stream, " | %s", amount);
    for (int part = 0; part < VT_PARTS; part++)
        put_part(&parts->shares[part], column->unit, stream);
    fputs(" |\n", stream);
}

static void put_crossings(const struct vt_table *table, const struct vt_breakdown *breakdown,
                          const char *unit, FILE *stream)
{
    size_t shown = 0;
    for (size_t i = 0; i < breakdown->count; i++) {
        if (strcmp(table->columns[breakdown->list[i].column].unit, unit) != 0)
            continue;
        fputs(shown++ ? "" : "\n| case | road | toll", stream);
        for (int part = 0; part < VT_PARTS && shown == 1; part++)
            fprintf(stream, " | %s", vt_breakdown_name(part));
        fputs(shown > 1 ? "" : " |\n|---|---|---:|---|---|---|---|\n", stream);
        put_crossing(table, &breakdown->list[i], stream);
    }
}

/* Times and instructions never share a column. */
static void put_breakdown(const struct vt_table *table, FILE *stream)
{
    struct vt_breakdown breakdown;
    vt_breakdown_collect(&breakdown, table);
    fputs("\n## Where the cost of one crossing goes\n", stream);
    if (breakdown.count == 0)
        fprintf(stream, "\n%s\n", vt_breakdown_absence());
    put_crossings(table, &breakdown, "ns", stream);
    put_crossings(table, &breakdown, "instructions", stream);
}

int vt_report_markdown(const struct vt_report *report, FILE *stream, struct vt_error *error)
{
    const struct vt_table *table = report->table;
    (void)error;
    fputs("# What crossing into the hypervisor costs\n\n**", stream);
    put(report->findings.headline, stream);
    fputs("**\n\n", stream);
    for (size_t i = 0; i < report->findings.count; i++) {
        fputs("- ", stream);
        put(report->findings.lines[i], stream);
        putc('\n', stream);
    }
    putc('\n', stream);
    for (size_t i = 0; i < table->result_count; i++)
        put_host(table->results[i], stream);
    if (table->line_count == 0)
        return 0;
    put_table(table, stream);
    put_legend(stream);
    for (size_t i = 0; i < table->note_count; i++) {
        fprintf(stream, "\n<sup>%zu</sup> ", i + 1);
        put(table->notes[i].text, stream);
        putc('\n', stream);
    }
    put_breakdown(table, stream);
    put_audit(table, stream);
    put_published(report->published, stream);
    return 0;
}
