#include "compare/format/table.h"
#include "base/text.h"
#include "compare/counts.h"
#include "compare/format/functions.h"
#include "compare/format/words.h"
#include "show/quantity.h"

#include <math.h>
#include <string.h>

enum { TIME_COLUMNS = 9, COUNT_COLUMNS = 7, NARROW_COLUMNS = 6, NARROW = 118 };

static const struct vt_pen_column time_columns[TIME_COLUMNS] = {
    {"case", 22, false, NULL},      {"road", 18, false, "road"}, {"old", 10, true, NULL},
    {"new", 10, true, NULL},        {"change", 9, true, NULL},   {"95 % interval", 22, false, "number"},
    {"detectable", 10, true, NULL}, {"p", 6, true, NULL},        {"verdict", 0, false, "tale"},
};

static const struct vt_pen_column count_columns[COUNT_COLUMNS] = {
    {"case", 22, false, NULL},  {"road", 25, false, "road"},         {"old", 10, true, NULL},
    {"new", 10, true, NULL},    {"difference", 29, false, "number"}, {"detectable", 10, true, NULL},
    {"note", 0, false, "tale"},
};

/* A terminal of 80 columns has room for these; what else there is to say follows the table. */
static const struct vt_pen_column narrow_times[NARROW_COLUMNS] = {
    {"case", 21, false, NULL}, {"road", 11, false, NULL},  {"old", 9, true, NULL},
    {"new", 9, true, NULL},    {"change", 10, true, NULL}, {"detectable", 10, true, NULL},
};

static const struct vt_pen_column narrow_counts[NARROW_COLUMNS] = {
    {"case", 21, false, NULL}, {"road", 10, false, NULL},      {"old", 8, true, NULL},
    {"new", 8, true, NULL},    {"difference", 13, true, NULL}, {"detectable", 10, true, NULL},
};

/* Rows of one table, in the order told. */
enum part { FINDINGS, UNCHANGED, UNCLEAR };

static enum part part_of(const struct vt_compared *row)
{
    if (vt_compare_is_finding(row))
        return FINDINGS;
    return vt_compare_answer(row) == VT_ANSWER_UNCLEAR ? UNCLEAR : UNCHANGED;
}

static bool is_shown(const struct vt_compared *row, bool counts, enum part part)
{
    return row->counts == counts && part_of(row) == part &&
           (part == FINDINGS || vt_compare_answer(row) != VT_ANSWER_NONE);
}

static size_t count_shown(const struct vt_comparison *c, bool counts, enum part part)
{
    size_t shown = 0;
    for (size_t i = 0; i < c->count; i++)
        shown += is_shown(&c->rows[i], counts, part);
    return shown;
}

static enum vt_pen_tone tone_of(const struct vt_compared *row)
{
    return !vt_compare_is_finding(row) ? VT_TONE_PLAIN : row->worse ? VT_TONE_BAD : VT_TONE_GOOD;
}

static void print_percent(double ratio, char *text, size_t size)
{
    snprintf(text, size, "%+.1f %%", vt_quantity_round((ratio - 1) * 100, 1));
}

static void print_interval(const struct vt_compared *row, char *text, size_t size)
{
    char low[32], high[32];
    print_percent(row->low, low, sizeof low);
    print_percent(row->high, high, sizeof high);
    snprintf(text, size, "%s to %s", low, high);
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

static void print_toll(const struct vt_result_row *row, const char *micro, char *text, size_t size)
{
    if (vt_result_has_toll(row))
        vt_quantity_print(row->toll.median, row->unit, micro, text, size);
    else
        snprintf(text, size, "%s", vt_status_name(row->status));
}

static struct vt_pen_cell toll_cell(const struct vt_result_row *row, const char *text)
{
    return (struct vt_pen_cell){.text = text, .value = row->toll.median, .sorted = vt_result_has_toll(row)};
}

/* What cannot be compared says why in a word. */
static void print_detectable(const struct vt_comparison *c, const struct vt_compared *row, char *text,
                             size_t size)
{
    const char *why = vt_compare_unclear_name(row->unclear);
    if (vt_compare_counts_exactly(c, row))
        snprintf(text, size, "any");
    else if (isfinite(row->detectable))
        vt_compare_print_share(row->detectable, text, size);
    else
        snprintf(text, size, "%s", why ? why : "");
}

/* The texts of a row that both widths show. */
struct shown {
    char road[80], before[32], after[32], change[32], detectable[32], tale[256];
};

static void show_time(struct shown *shown, const struct vt_comparison *c, const struct vt_compared *row,
                      const char *micro)
{
    *shown = (struct shown){0};
    print_toll(row->before, micro, shown->before, sizeof shown->before);
    print_toll(row->after, micro, shown->after, sizeof shown->after);
    if (isfinite(row->ratio))
        print_percent(row->ratio, shown->change, sizeof shown->change);
    print_detectable(c, row, shown->detectable, sizeof shown->detectable);
    vt_compare_explain(row, shown->tale, sizeof shown->tale);
}

static void put_time(const struct vt_comparison *c, const struct vt_compared *row, struct vt_pen *pen)
{
    struct shown shown;
    char interval[80] = "", p[16] = "";
    show_time(&shown, c, row, pen->marks->micro);
    vt_compare_road(row, shown.road, sizeof shown.road);
    if (isfinite(row->ratio)) {
        print_interval(row, interval, sizeof interval);
        print_p(vt_compare_p(c, row), p, sizeof p);
    }
    vt_pen_row(
        pen,
        (const struct vt_pen_cell[TIME_COLUMNS]){
            {.text = row->before->name},
            {.text = shown.road},
            toll_cell(row->before, shown.before),
            toll_cell(row->after, shown.after),
            {.text = shown.change, .tone = tone_of(row), .value = row->ratio, .sorted = isfinite(row->ratio)},
            {.text = interval},
            {.text = shown.detectable, .value = row->detectable, .sorted = isfinite(row->detectable)},
            {.text = p},
            {.text = row->change == VT_CHANGE_NONE ? "~" : shown.tale, .tone = tone_of(row)},
        });
}

/* "kvm/3" */
static void print_short_road(const struct vt_compared *row, char *text, size_t size)
{
    snprintf(text, size, row->before->cpl < 0 ? "%.9s" : "%.9s/%d", row->before->engine, row->before->cpl);
}

static void put_narrow(const struct vt_compared *row, const struct shown *shown, struct vt_pen *pen)
{
    vt_pen_row(pen, (const struct vt_pen_cell[NARROW_COLUMNS]){
                        {.text = row->before->name},
                        {.text = shown->road},
                        {.text = shown->before},
                        {.text = shown->after},
                        {.text = shown->change, .tone = tone_of(row)},
                        {.text = shown->detectable},
                    });
}

static void put_narrow_time(const struct vt_comparison *c, const struct vt_compared *row, struct vt_pen *pen)
{
    struct shown shown;
    show_time(&shown, c, row, pen->marks->micro);
    print_short_road(row, shown.road, sizeof shown.road);
    put_narrow(row, &shown, pen);
}

/* A difference explains itself; what does not follow from it is told. */
static void tell(const struct vt_compared *row, char *text, size_t size)
{
    *text = '\0';
    if (row->change == VT_CHANGE_CROSSING || row->change == VT_CHANGE_STATUS ||
        row->change == VT_CHANGE_UNCLEAR)
        vt_compare_explain(row, text, size);
    else if (row->change == VT_CHANGE_NONE && row->difference != 0)
        snprintf(text, size, "too little to count as a change");
}

static void show_count(struct shown *shown, const struct vt_comparison *c, const struct vt_compared *row)
{
    *shown = (struct shown){0};
    vt_compare_print_count(row->before->toll.median, shown->before, sizeof shown->before);
    vt_compare_print_count(row->after->toll.median, shown->after, sizeof shown->after);
    print_detectable(c, row, shown->detectable, sizeof shown->detectable);
    tell(row, shown->tale, sizeof shown->tale);
}

static bool is_paravirtual(const struct vt_compared *row)
{
    return row->before->known.path == VT_PATH_PARAVIRTUAL;
}

static void put_count(const struct vt_comparison *c, const struct vt_compared *row, struct vt_pen *pen)
{
    struct shown shown;
    char difference[64];
    show_count(&shown, c, row);
    vt_compare_road(row, shown.road, sizeof shown.road);
    vt_text_append(shown.road, sizeof shown.road, "%s", is_paravirtual(row) ? " paravirtual" : "");
    vt_compare_print_difference(row, difference, sizeof difference);
    vt_pen_row(pen, (const struct vt_pen_cell[COUNT_COLUMNS]){
                        {.text = row->before->name},
                        {.text = shown.road},
                        toll_cell(row->before, shown.before),
                        toll_cell(row->after, shown.after),
                        {.text = difference, .tone = tone_of(row)},
                        {.text = shown.detectable},
                        {.text = shown.tale, .tone = tone_of(row)},
                    });
}

static void put_narrow_count(const struct vt_comparison *c, const struct vt_compared *row, struct vt_pen *pen)
{
    struct shown shown;
    double percent = (vt_compare_count_ratio(row) - 1) * 100;
    show_count(&shown, c, row);
    print_short_road(row, shown.road, sizeof shown.road);
    vt_text_append(shown.road, sizeof shown.road, "%s", is_paravirtual(row) ? " pv" : "");
    if (isfinite(row->difference))
        vt_compare_print_count(row->difference, shown.change, sizeof shown.change);
    if (isfinite(percent) && row->difference != 0)
        vt_text_append(shown.change, sizeof shown.change, fabs(percent) < 10 ? " %+.2g %%" : " %+.0f %%",
                       percent);
    put_narrow(row, &shown, pen);
}

/* How a table is laid out where there is room, and where there is not. */
static const struct layout {
    const struct vt_pen_column *columns;
    size_t count;
    void (*put)(const struct vt_comparison *, const struct vt_compared *, struct vt_pen *);
} layouts[2][2] = {
    {{time_columns, TIME_COLUMNS, put_time}, {narrow_times, NARROW_COLUMNS, put_narrow_time}},
    {{count_columns, COUNT_COLUMNS, put_count}, {narrow_counts, NARROW_COLUMNS, put_narrow_count}},
};

/* What a narrow table has no column for, and its figures do not tell. */
static void tell_beside(const struct vt_comparison *c, bool counts, enum part part, struct vt_pen *pen)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct vt_compared *row = &c->rows[i];
        char road[64], tale[256];
        if (!is_shown(row, counts, part) ||
            !(row->change == VT_CHANGE_CROSSING || row->change == VT_CHANGE_STATUS))
            continue;
        vt_compare_road(row, road, sizeof road);
        vt_compare_explain(row, tale, sizeof tale);
        vt_pen_item(pen, 1);
        vt_pen_say(pen, "%s, %s: %s", row->before->name, road, tale);
    }
    vt_pen_end(pen);
}

static void put_table(const struct vt_comparison *c, bool counts, enum part part, struct vt_pen *pen)
{
    bool narrow = pen->room && pen->room < NARROW;
    const struct layout *layout = &layouts[counts][narrow];
    if (count_shown(c, counts, part) == 0)
        return;
    vt_pen_table(pen, counts ? "Instruction counts" : "Times", layout->columns, layout->count);
    for (size_t i = 0; i < c->count; i++)
        if (is_shown(&c->rows[i], counts, part))
            layout->put(c, &c->rows[i], pen);
    vt_pen_end_table(pen);
    if (narrow)
        tell_beside(c, counts, part, pen);
}

void vt_compare_findings(const struct vt_comparison *comparison, struct vt_pen *pen)
{
    put_table(comparison, false, FINDINGS, pen);
    put_table(comparison, true, FINDINGS, pen);
    vt_compare_say_functions(comparison, pen);
}

size_t vt_compare_count_rest(const struct vt_comparison *c)
{
    return count_shown(c, false, UNCHANGED) + count_shown(c, false, UNCLEAR);
}

void vt_compare_told(const struct vt_comparison *c, bool times, struct vt_pen *pen)
{
    static const struct {
        enum part part;
        const char *heading;
    } parts[] = {{UNCHANGED, "Unchanged:"}, {UNCLEAR, "Cannot tell:"}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t shown = times ? count_shown(c, false, parts[i].part) : 0;
        if (shown + count_shown(c, true, parts[i].part) == 0)
            continue;
        vt_pen_heading(pen, "%s", parts[i].heading);
        if (times)
            put_table(c, false, parts[i].part, pen);
        put_table(c, true, parts[i].part, pen);
    }
}

static void put_folded(const struct vt_comparison *c, enum part part, const char *state, struct vt_pen *pen)
{
    size_t shown = count_shown(c, false, part) + count_shown(c, true, part);
    if (shown == 0)
        return;
    vt_pen_fold(pen, "%zu measurement%s %s", shown, shown == 1 ? "" : "s", state);
    put_table(c, false, part, pen);
    put_table(c, true, part, pen);
    vt_pen_end_fold(pen);
}

void vt_compare_rest(const struct vt_comparison *c, struct vt_pen *pen)
{
    put_folded(c, UNCHANGED, "unchanged, each within what is detectable", pen);
    put_folded(c, UNCLEAR, "that cannot tell", pen);
}
