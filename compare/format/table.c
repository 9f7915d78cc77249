#include "compare/format/table.h"
#include "base/text.h"
#include "compare/counts.h"
#include "compare/format/words.h"
#include "show/quantity.h"

#include <math.h>
#include <string.h>

enum { TIME_COLUMNS = 8, COUNT_COLUMNS = 6 };

static const struct vt_pen_column time_columns[TIME_COLUMNS] = {
    {"case", 22, false, NULL}, {"road", 18, false, "road"},   {"old", 10, true, NULL},
    {"new", 10, true, NULL},   {"change", 9, true, NULL},     {"95 % interval", 22, false, "number"},
    {"p", 6, true, NULL},      {"verdict", 0, false, "tale"},
};

static const struct vt_pen_column count_columns[COUNT_COLUMNS] = {
    {"case", 22, false, NULL}, {"road", 25, false, "road"},         {"old", 10, true, NULL},
    {"new", 10, true, NULL},   {"difference", 29, false, "number"}, {"note", 0, false, "tale"},
};

static bool is_shown(const struct vt_compared *row, bool counts, bool findings)
{
    return row->counts == counts && vt_compare_is_finding(row) == findings &&
           (findings || vt_result_has_toll(row->before) || vt_result_has_toll(row->after));
}

static size_t count_shown(const struct vt_comparison *c, bool counts, bool findings)
{
    size_t shown = 0;
    for (size_t i = 0; i < c->count; i++)
        shown += is_shown(&c->rows[i], counts, findings);
    return shown;
}

static enum vt_pen_tone tone_of(const struct vt_compared *row)
{
    return !vt_compare_is_finding(row) ? VT_TONE_PLAIN : row->worse ? VT_TONE_BAD : VT_TONE_GOOD;
}

static void print_percent(double ratio, char *text, size_t size)
{
    snprintf(text, size, "%+.1f %%", (ratio - 1) * 100);
}

static void print_interval(const struct vt_compared *row, char *text, size_t size)
{
    char low[32], high[32];
    print_percent(row->low, low, sizeof low);
    print_percent(row->high, high, sizeof high);
    snprintf(text, size, "%s to %s", low, high);
}

static void print_p(const struct vt_compared *row, char *text, size_t size)
{
    double p = fmax(row->p_runs, isnan(row->p_samples) ? 0 : row->p_samples);
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

static void put_time(const struct vt_compared *row, struct vt_pen *pen)
{
    char road[64], before[32], after[32], change[32] = "", interval[80] = "", p[16] = "", tale[256];
    bool known = isfinite(row->ratio);
    vt_compare_road(row, road, sizeof road);
    print_toll(row->before, pen->marks->micro, before, sizeof before);
    print_toll(row->after, pen->marks->micro, after, sizeof after);
    if (known) {
        print_percent(row->ratio, change, sizeof change);
        print_interval(row, interval, sizeof interval);
        print_p(row, p, sizeof p);
    }
    vt_compare_explain(row, tale, sizeof tale);
    vt_pen_row(pen, (const struct vt_pen_cell[TIME_COLUMNS]){
                        {.text = row->before->name},
                        {.text = road},
                        toll_cell(row->before, before),
                        toll_cell(row->after, after),
                        {.text = change, .tone = tone_of(row), .value = row->ratio, .sorted = known},
                        {.text = interval},
                        {.text = p},
                        {.text = row->change == VT_CHANGE_NONE ? "~" : tale, .tone = tone_of(row)},
                    });
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

static void put_count(const struct vt_compared *row, struct vt_pen *pen)
{
    char road[80], before[32], after[32], difference[64], tale[256];
    bool paravirtual = row->before->known.path == VT_PATH_PARAVIRTUAL;
    vt_compare_road(row, road, sizeof road);
    vt_text_append(road, sizeof road, "%s", paravirtual ? " paravirtual" : "");
    vt_compare_print_count(row->before->toll.median, before, sizeof before);
    vt_compare_print_count(row->after->toll.median, after, sizeof after);
    vt_compare_print_difference(row, difference, sizeof difference);
    tell(row, tale, sizeof tale);
    vt_pen_row(pen, (const struct vt_pen_cell[COUNT_COLUMNS]){
                        {.text = row->before->name},
                        {.text = road},
                        toll_cell(row->before, before),
                        toll_cell(row->after, after),
                        {.text = difference, .tone = tone_of(row)},
                        {.text = tale, .tone = tone_of(row)},
                    });
}

static void put_table(const struct vt_comparison *c, bool counts, bool findings, struct vt_pen *pen)
{
    if (count_shown(c, counts, findings) == 0)
        return;
    if (counts)
        vt_pen_table(pen, "Instruction counts", count_columns, COUNT_COLUMNS);
    else
        vt_pen_table(pen, "Times", time_columns, TIME_COLUMNS);
    for (size_t i = 0; i < c->count; i++)
        if (is_shown(&c->rows[i], counts, findings))
            (counts ? put_count : put_time)(&c->rows[i], pen);
    vt_pen_end_table(pen);
}

void vt_compare_times(const struct vt_comparison *comparison, bool findings, struct vt_pen *pen)
{
    put_table(comparison, false, findings, pen);
}

void vt_compare_counts(const struct vt_comparison *comparison, bool findings, struct vt_pen *pen)
{
    put_table(comparison, true, findings, pen);
}

void vt_compare_rest(const struct vt_comparison *c, struct vt_pen *pen)
{
    size_t rest = count_shown(c, false, false) + count_shown(c, true, false);
    if (rest == 0)
        return;
    vt_pen_fold(pen, "%zu measurement%s without a change%s", rest, rest == 1 ? "" : "s",
                c->counts < c->count ? " (~: none beyond chance)" : "");
    put_table(c, false, false, pen);
    put_table(c, true, false, pen);
    vt_pen_end_fold(pen);
}
