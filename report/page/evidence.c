#include "base/text.h"
#include "show/pen/markup.h"
#include "report/said.h"
#include "report/page/page.h"
#include "show/quantity.h"

#include <math.h>
#include <string.h>

static const char *count_text(double value, char text[32])
{
    if (isfinite(value))
        snprintf(text, 32, "%.*f", value == floor(value) || fabs(value) >= 10 ? 0 : 3, value);
    return isfinite(value) ? text : "unknown";
}

static void name_counters(const struct vt_result_row *cell, char *text, size_t size)
{
    char count[32];
    *text = '\0';
    for (size_t i = 0; i < cell->evidence_count; i++)
        if (fabs(cell->evidence[i].per_operation) >= 0.0005)
            vt_text_append(text, size, "%s%s %s", *text ? ", " : "", cell->evidence[i].name,
                           count_text(cell->evidence[i].per_operation, count));
    if (!*text)
        vt_text_append(text, size, cell->evidence_count ? "all counters still" : "no counter");
}

static void put_proof(const struct vt_html *page, const struct vt_result_row *cell)
{
    char counters[8192], pairs[32], marked[32];
    name_counters(cell, counters, sizeof counters);
    vt_markup(page->stream, "<td>%s", vt_crossing_style(cell->crossing)->title);
    if (cell->status == VT_STATUS_UNVERIFIED)
        fputs(" <span class=\"flag\">unverified</span>", page->stream);
    vt_markup(page->stream, "</td><td>%s</td><td>%s</td><td>%s</td></tr>\n", counters,
              count_text(cell->batches, pairs), count_text(cell->marked, marked));
}

static bool is_proved(const struct vt_result_row *cell)
{
    return cell && vt_result_has_toll(cell);
}

static bool is_same_count(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* Would their rows say the same? */
static bool is_same_proof(const struct vt_result_row *a, const struct vt_result_row *b)
{
    char first[8192], second[8192];
    if (a->status != b->status ||
        strcmp(vt_crossing_style(a->crossing)->title, vt_crossing_style(b->crossing)->title) != 0 ||
        !is_same_count(a->batches, b->batches) || !is_same_count(a->marked, b->marked))
        return false;
    name_counters(a, first, sizeof first);
    name_counters(b, second, sizeof second);
    return strcmp(first, second) == 0;
}

/* Is column k the first to say what it says? */
static bool is_first(const struct vt_line *line, size_t k)
{
    if (!is_proved(line->cells[k]))
        return false;
    for (size_t i = 0; i < k; i++)
        if (is_proved(line->cells[i]) && is_same_proof(line->cells[i], line->cells[k]))
            return false;
    return true;
}

/* The columns that say what column k says, from it on. */
static void put_roads(const struct vt_html *page, const struct vt_line *line, size_t k)
{
    const struct vt_table *table = page->report->table;
    vt_markup(page->stream, "<td>%s %s", table->columns[k].title, vt_column_path(&table->columns[k]));
    for (size_t i = k + 1; i < table->column_count; i++)
        if (is_proved(line->cells[i]) && is_same_proof(line->cells[k], line->cells[i]))
            vt_markup(page->stream, ", %s %s", table->columns[i].title, vt_column_path(&table->columns[i]));
    fputs("</td>", page->stream);
}

/* The case is said once, before its first row; roads of one proof share a row. */
static void put_proofs_of(const struct vt_html *page, const struct vt_line *line)
{
    const struct vt_table *table = page->report->table;
    size_t count = 0, said = 0;
    for (size_t k = 0; k < table->column_count; k++)
        count += is_first(line, k);
    if (count)
        vt_markup(page->stream, "<tbody><tr><th scope=\"rowgroup\" rowspan=\"%zu\">%s</th>", count,
                  line->name);
    for (size_t k = 0; k < table->column_count; k++)
        if (is_first(line, k)) {
            fputs(said++ ? "<tr>" : "", page->stream);
            put_roads(page, line, k);
            put_proof(page, line->cells[k]);
        }
    fputs(count ? "</tbody>\n" : "", page->stream);
}

static void put_proofs(const struct vt_html *page)
{
    const struct vt_table *table = page->report->table;
    fputs("<details><summary>The counters behind every crossing, per operation</summary>\n", page->stream);
    vt_page_table("Counters", "class=\"proofs\"", page->stream);
    fputs("<thead><tr><th scope=\"col\">Case</th><th scope=\"col\">Road</th><th "
          "scope=\"col\">Crossing</th><th scope=\"col\">Counted per operation</th><th "
          "scope=\"col\">Pairs</th><th scope=\"col\">Disturbed</th></tr></thead>\n",
          page->stream);
    for (size_t i = 0; i < table->line_count; i++)
        put_proofs_of(page, &table->lines[i]);
    fputs("</table>\n</div>\n</details>\n", page->stream);
}

static void put_controls(const struct vt_html *page)
{
    const struct vt_table *table = page->report->table;
    for (size_t i = 0; i < table->line_count; i++) {
        if (strcmp(table->lines[i].name, "empty") != 0)
            continue;
        fputs("<li>The case <code>empty</code> does nothing, so its toll is what the method reports for no "
              "work: ",
              page->stream);
        for (size_t k = 0, shown = 0; k < table->column_count; k++)
            if (table->lines[i].cells[k] && vt_result_has_toll(table->lines[i].cells[k])) {
                fputs(shown++ ? "; " : "", page->stream);
                vt_html_toll(table->lines[i].cells[k], page->stream);
                vt_markup(page->stream, " on %s", table->columns[k].title);
            }
        fputs(".</li>\n", page->stream);
    }
}

static void put_marked(const struct vt_html *page)
{
    const struct vt_table *table = page->report->table;
    double pairs = 0, marked = 0;
    size_t precise = 0, measured = 0;
    for (size_t i = 0; i < table->line_count; i++)
        for (size_t k = 0; k < table->column_count; k++) {
            const struct vt_result_row *cell = table->lines[i].cells[k];
            if (!cell || !vt_result_has_toll(cell))
                continue;
            pairs += isfinite(cell->batches) ? cell->batches : 0;
            marked += isfinite(cell->marked) ? cell->marked : 0;
            measured++;
            precise += cell->stopped && strcmp(cell->stopped, "precision") == 0;
        }
    if (measured == 0)
        return;
    fprintf(page->stream,
            "<li>%.0f pairs of batches were taken. %.0f of them were hit by a preemption, as the counters of "
            "this process show; they are kept and marked, never dropped.</li>\n"
            "<li>%zu of %zu measurements reached an interval of 1 %% of the median; the others ended with "
            "their share of the time, and their interval says how far they got.</li>\n",
            pairs, marked, precise, measured);
}

static void put_settings(const struct vt_html *page, json_t *settings)
{
    json_t *cpu = json_object_get(settings, "cpu"), *steal = json_object_get(settings, "steal_s");
    json_t *elapsed = json_object_get(settings, "elapsed_s");
    if (json_is_integer(cpu))
        fprintf(page->stream, "<li>The run was pinned to CPU %lld.</li>\n",
                (long long)json_integer_value(cpu));
    else if (settings)
        fputs("<li>The run was not pinned to one CPU.</li>\n", page->stream);
    if (json_is_number(steal) && json_is_number(elapsed))
        fprintf(page->stream,
                "<li>The hypervisor around this machine took %.2f s of the run's %.1f s away from this CPU "
                "(steal time).</li>\n",
                json_number_value(steal), json_number_value(elapsed));
}

static void put_timing(const struct vt_html *page, const struct vt_result *result)
{
    json_t *timing = json_object_get(result->host, "timing");
    if (json_is_false(json_object_get(timing, "invariant_tsc")))
        fputs("<li><strong>The time-stamp counter of this machine is not invariant:</strong> its rate "
              "follows the clock frequency, so times are doubtful.</li>\n",
              page->stream);
    if (json_is_true(json_object_get(json_object_get(result->host, "hypervisor"), "present")))
        fputs(
            "<li>The machine is itself a virtual machine. What looks native here may leave to the hypervisor "
            "around it, and its neighbours share the hardware.</li>\n",
            page->stream);
}

void vt_html_evidence(const struct vt_html *page)
{
    const struct vt_table *table = page->report->table;
    fputs(
        "<section id=\"trust\"><h2>Why you can believe it</h2>\n"
        "<p>Every crossing is proved: counters of the hypervisor, of the signal handler or of the "
        "translator are read before and after each batch, and the difference per operation decides which "
        "road the instruction "
        "took. Where the counters contradict what must have happened, the figure is marked unverified.</p>\n"
        "<ul class=\"findings\">\n",
        page->stream);
    put_controls(page);
    put_marked(page);
    if (table->result_count) {
        put_settings(page, vt_table_subject(table)->settings);
        put_timing(page, vt_table_subject(table));
    }
    fputs("</ul>\n", page->stream);
    struct vt_pen pen = vt_pen_on(page->stream, &vt_pen_html, NULL);
    if (table->result_count)
        vt_said_warnings(vt_table_subject(table), &pen);
    vt_pen_end(&pen);
    put_proofs(page);
    fputs("</section>\n", page->stream);
}
