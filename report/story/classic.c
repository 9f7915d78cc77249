/*
 * The comparison that Adams and Agesen made in 2006 (ASPLOS, figure 3): the same operations on each road,
 * here, beside what they published. Their cycles share no column with anything measured now.
 */
#include "report/published.h"
#include "report/story/tell.h"
#include "show/page.h"
#include "show/pen/markup.h"
#include "show/quantity.h"

#include <jansson.h>
#include <string.h>

static const char source_id[] = "adams-agesen-2006";

/* Where a road of theirs is measured now; `other`: elsewhere, with the same counts. */
static const struct {
    const char *label, *engine, *other, *path;
    bool simulated;
} columns[] = {
    {"native_road", "native", "", "native", false},
    {"trap_road", "trap", "", "emulated", false},
    {"translated_road", "translate", "", "translated", false},
    {"hardware_road", "kvm", "", "hardware", false},
    {"native_road", "tcg", "bochs", "native", true},
    {"monitor_trap_road", "monitor-trap", "", "emulated", true},
    {"monitor_translate_road", "monitor-translate", "", "translated", true},
    {"monitor_call_road", "monitor-call", "", "paravirtual", true},
    {"monitor_hardware_road", "monitor-svm-kvm", "", "hardware", true},
    {"monitor_vtx_road", "monitor-vmx-kvm", "", "hardware", true},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static const struct {
    const char *label, *key;
} published[] = {{"native_road", "native"}, {"translated_road", "translated"}, {"hardware_road", "hardware"}};
enum { PUBLISHED = sizeof published / sizeof published[0] };

/* Their modification of a page-table entry has a case of another name. */
static const char *case_of(const json_t *row)
{
    const char *name = json_string_value(json_object_get(row, "case"));
    const char *operation = json_string_value(json_object_get(row, "operation"));

    return name ? name : operation && strcmp(operation, "pte modification") == 0 ? "write-pte" : NULL;
}

static bool is_of(const struct vt_column *c, size_t column)
{
    return c->path && c->cpl == 0 && c->simulated == columns[column].simulated &&
           (strcmp(c->engine, columns[column].engine) == 0 ||
            strcmp(c->engine, columns[column].other) == 0) &&
           strcmp(c->path, columns[column].path) == 0;
}

static const struct vt_result_row *find(const struct vt_table *table, const char *name, size_t column)
{
    const struct vt_line *line = name ? vt_table_find_line(table, name) : NULL;

    for (size_t k = 0; line && k < table->column_count; k++) {
        const struct vt_result_row *row = line->cells[k];
        if (row && row->status == VT_STATUS_OK && vt_result_has_toll(row) &&
            is_of(&table->columns[k], column))
            return row;
    }
    return NULL;
}

static bool has_native(const json_t *row)
{
    return json_object_get(row, "native") != NULL;
}

static size_t find_columns(const struct vt_table *table, const json_t *rows, bool shown[COLUMNS])
{
    size_t count = 0, i;
    json_t *row;

    for (size_t k = 0; k < COLUMNS; k++) {
        shown[k] = false;
        json_array_foreach(rows, i, row)
        {
            shown[k] |= has_native(row) && find(table, case_of(row), k);
        }
        count += shown[k];
    }
    return count;
}

static void put_head(const struct vt_teller *teller, const char *label)
{
    fputs("<th scope=\"col\" class=\"number\">", teller->stream);
    vt_tell_label(teller, label);
    fputs("</th>", teller->stream);
}

static void put_group(const struct vt_teller *teller, size_t span, const char *label)
{
    if (span == 0)
        return;
    fprintf(teller->stream, "<th scope=\"colgroup\" class=\"number\" colspan=\"%zu\">", span);
    vt_tell_label(teller, label);
    fputs("</th>", teller->stream);
}

static void put_heads(const struct vt_teller *teller, const bool shown[COLUMNS])
{
    size_t spans[2] = {0};

    for (size_t k = 0; k < COLUMNS; k++)
        spans[columns[k].simulated] += shown[k];
    fputs("<td></td>", teller->stream);
    put_group(teller, spans[false], "time");
    put_group(teller, spans[true], "instructions");
    put_group(teller, PUBLISHED, "cycles_2006");
    fputs("</tr>\n<tr><th scope=\"col\">", teller->stream);
    vt_tell_label(teller, "operation");
    fputs("</th>", teller->stream);
    for (size_t k = 0; k < COLUMNS; k++)
        if (shown[k])
            put_head(teller, columns[k].label);
    for (size_t k = 0; k < PUBLISHED; k++)
        put_head(teller, published[k].label);
    fputs("</tr></thead>\n<tbody>\n", teller->stream);
}

static void put_measured(const struct vt_teller *teller, const struct vt_result_row *row)
{
    char text[64] = "–";

    if (row && row->unit == VT_UNIT_NS)
        vt_quantity_print(row->toll.median, row->unit, "µs", text, sizeof text);
    else if (row)
        snprintf(text, sizeof text, "%.0f", row->toll.median);
    vt_markup(teller->stream, "<td class=\"number\">%s</td>", text);
}

static void put_row(const struct vt_teller *teller, const json_t *row, const bool shown[COLUMNS])
{
    const char *name = case_of(row);

    vt_markup(teller->stream, "<tr><th scope=\"row\">%s<code>%s</code></th>",
              json_string_value(json_object_get(row, "operation")), name ? name : "");
    for (size_t k = 0; k < COLUMNS; k++)
        if (shown[k])
            put_measured(teller, find(teller->table, name, k));
    for (size_t k = 0; k < PUBLISHED; k++)
        fprintf(teller->stream, "<td class=\"number\">%.0f</td>",
                json_number_value(json_object_get(row, published[k].key)));
    fputs("</tr>\n", teller->stream);
}

static void put_table(const struct vt_teller *teller, const json_t *rows, const bool shown[COLUMNS])
{
    int length;
    char caption[128];
    const char *text = vt_language_label(teller->language, "classic", &length);
    json_t *row;
    size_t i;

    snprintf(caption, sizeof caption, "%.*s", length, text);
    vt_page_table(caption, "class=\"roads\"", teller->stream);
    fputs("<thead><tr>", teller->stream);
    put_heads(teller, shown);
    json_array_foreach(rows, i, row)
    {
        if (has_native(row))
            put_row(teller, row, shown);
    }
    fputs("</tbody></table></div>\n", teller->stream);
}

/* The monitor's figures are what makes it that comparison; without them it would be another table of roads.
 */
static bool has_monitor(const bool shown[COLUMNS])
{
    for (size_t k = 0; k < COLUMNS; k++)
        if (shown[k] && strncmp(columns[k].engine, "monitor", 7) == 0)
            return true;
    return false;
}

void vt_tell_classic(const struct vt_teller *teller, const struct vt_directive *directive)
{
    json_t *document = vt_published_document();
    const json_t *rows = json_object_get(vt_published_source(document, source_id), "rows");
    bool shown[COLUMNS];

    if (find_columns(teller->table, rows, shown) && has_monitor(shown)) {
        vt_tell_paragraph(teller, directive);
        put_table(teller, rows, shown);
    }
    json_decref(document);
}
