#include "report/audited.h"
#include "base/text.h"
#include "report/breakdown.h"
#include "report/host.h"
#include "show/quantity.h"
#include "report/text/page.h"

#include <math.h>
#include <string.h>

enum { MAX_WARNINGS = 8, MAX_HOLES = 64 };

static void print_verdict(const struct vt_text *page, const struct vt_verdict *verdict)
{
    char line[2048];
    snprintf(line, sizeof line, "%s%s%s%s%s%s%s", verdict->question ? verdict->question : "",
             verdict->question ? " " : "", verdict->answer ? verdict->answer : "",
             verdict->answer ? ": " : "", verdict->text, verdict->fix ? "; what to do: " : "",
             verdict->fix ? verdict->fix : "");
    fputs("  · ", page->stream);
    vt_text_wrap(page, VT_TEXT_PLAIN, line, 4);
}

void vt_text_host(const struct vt_text *page, const struct vt_result *result)
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
        vt_text_wrap(page, VT_TEXT_BOLD, result->file, 0);
    for (size_t i = 0; i < count; i++) {
        vt_text_left(page, VT_TEXT_DIM, facts[i].label, 13);
        vt_text_wrap(page, VT_TEXT_PLAIN, facts[i].text, 13);
    }
    putc('\n', page->stream);
}

/* What the document itself says stood in the way of clean figures. */
void vt_text_warnings(const struct vt_text *page, const struct vt_result *result)
{
    const char *warnings[MAX_WARNINGS];
    size_t count = vt_host_warnings(result, warnings, MAX_WARNINGS);
    for (size_t i = 0; i < count; i++) {
        fputs(i == 0 ? "\nTake with care\n  · " : "  · ", page->stream);
        vt_text_wrap(page, VT_TEXT_PLAIN, warnings[i], 4);
    }
}

void vt_text_published(const struct vt_text *page)
{
    const struct vt_published *published = page->report->published;
    const char *source = "";
    for (size_t i = 0; published && i < published->count; i++) {
        const struct vt_published_row *row = &published->rows[i];
        char line[1024];
        if (i == 0)
            fputs("\nPublished figures: read in the sources named, other machines, never part of what is "
                  "above\n",
                  page->stream);
        if (strcmp(source, row->source) != 0) {
            source = row->source;
            putc('\n', page->stream);
            vt_text_wrap(page, VT_TEXT_PLAIN, source, 0);
        }
        snprintf(line, sizeof line, "%s (%s%s%s): %s%s%s", row->operation, row->cpu ? row->cpu : "",
                 row->cpu ? ", " : "", row->unit, row->figures, *row->here ? "; measured here: " : "",
                 row->here);
        fputs("  · ", page->stream);
        vt_text_wrap(page, VT_TEXT_PLAIN, line, 4);
    }
}

static void print_parts(const struct vt_text *page, const struct vt_crossing_parts *parts)
{
    const struct vt_table *table = page->report->table;
    const struct vt_line *line = &table->lines[parts->line];
    const char *unit = table->columns[parts->column].unit, *joint = ": ";
    char text[1024], amount[64];
    vt_quantity_print(line->cells[parts->column]->toll.median, unit, "µs", amount, sizeof amount);
    snprintf(text, sizeof text, "%.40s %s", line->name, amount);
    for (int part = 0; part < VT_PARTS; part++) {
        const struct vt_share *share = &parts->shares[part];
        if (!share->asked || !isfinite(share->median))
            continue;
        vt_quantity_print(share->median, unit, "µs", amount, sizeof amount);
        vt_text_append(text, sizeof text, "%s%s %s%s%s%s", joint, vt_breakdown_name(part), amount,
                       share->common ? "" : " (", share->common ? "" : share->source,
                       share->common ? "" : ")");
        joint = " + ";
    }
    fputs("  · ", page->stream);
    vt_text_wrap(page, VT_TEXT_PLAIN, text, 6);
}

static void print_column(const struct vt_text *page, size_t column)
{
    const struct vt_column *c = &page->report->table->columns[column];
    char text[200];
    snprintf(text, sizeof text, "%s, %s", c->title, c->subtitle);
    fputs("  ", page->stream);
    vt_text_put(page, VT_TEXT_BOLD, text);
    putc('\n', page->stream);
}

/* What holds for the whole column: where its first step comes from, and what was not measured. */
static void print_sources(const struct vt_text *page, const struct vt_breakdown *breakdown, size_t column)
{
    const char *said = "";
    for (int part = 0; part < VT_PARTS; part++)
        for (size_t i = 0; i < breakdown->count; i++) {
            const struct vt_share *share = &breakdown->list[i].shares[part];
            char text[320];
            if (breakdown->list[i].column != column || !share->asked ||
                (isfinite(share->median) && !share->common) || strcmp(said, share->source) == 0)
                continue;
            said = share->source;
            snprintf(text, sizeof text, "%s: %s", vt_breakdown_name(part), said);
            fputs("    ", page->stream);
            vt_text_wrap(page, VT_TEXT_DIM, text, 6);
        }
}

void vt_text_breakdown(const struct vt_text *page)
{
    struct vt_breakdown breakdown;
    vt_breakdown_collect(&breakdown, page->report->table);
    fputs("\nWhere the cost of one crossing goes\n", page->stream);
    if (breakdown.count == 0) {
        fputs("  ", page->stream);
        vt_text_wrap(page, VT_TEXT_PLAIN, vt_breakdown_absence(), 2);
    }
    for (size_t i = 0; i < breakdown.count; i++) {
        size_t column = breakdown.list[i].column;
        if (i == 0 || column != breakdown.list[i - 1].column)
            print_column(page, column);
        print_parts(page, &breakdown.list[i]);
        if (i + 1 == breakdown.count || column != breakdown.list[i + 1].column)
            print_sources(page, &breakdown, column);
    }
}

static void print_hole(const struct vt_text *page, const struct vt_audited_hole *hole)
{
    char text[64];
    snprintf(text, sizeof text, "%s%s%s%s", hole->operation, *hole->with ? " (" : "", hole->with,
             *hole->with ? ")" : "");
    fputs("  ", page->stream);
    vt_text_left(page, VT_TEXT_PLAIN, hole->name, 14);
    vt_text_left(page, VT_TEXT_PLAIN, text, 33);
    vt_text_left(page, VT_TEXT_PLAIN, hole->seen, 41);
    vt_text_put(page, VT_TEXT_PLAIN, hole->expected);
    putc('\n', page->stream);
}

void vt_text_audit(const struct vt_text *page)
{
    const struct vt_result *result = vt_audited_find(page->report->table);
    struct vt_audited_hole holes[MAX_HOLES];
    size_t count = result ? vt_audited_holes(result, holes, MAX_HOLES) : 0;
    if (!result)
        return;
    fputs("\nCould it be virtualized without help from the CPU?\n  ", page->stream);
    vt_text_wrap(page, VT_TEXT_PLAIN, vt_audited_verdict(result), 2);
    if (page->report->table->result_count > 1 && result->file) {
        fputs("  This is about the machine of ", page->stream);
        vt_text_wrap(page, VT_TEXT_PLAIN, result->file, 2);
    }
    if (count) {
        print_hole(page,
                   &(struct vt_audited_hole){"HOLE", "TRIED AS", "", "AT RING 3, HERE", "A GUEST EXPECTS"});
    }
    for (size_t i = 0; i < count; i++)
        print_hole(page, &holes[i]);
}
