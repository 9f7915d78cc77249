#include "compare/format/functions.h"
#include "compare/counts.h"
#include "compare/format/flame.h"
#include "compare/format/words.h"
#include "compare/functions.h"
#include "result/save.h"

#include <math.h>
#include <stdio.h>

enum { MOST = 12 /* of a row that are named one by one */ };

static const struct vt_pen_column columns[] = {
    {"function", 40, false, NULL}, {"module", 10, false, NULL},    {"old", 9, true, NULL},
    {"new", 9, true, NULL},        {"difference", 11, true, NULL}, {"note", 0, false, "tale"},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static void print_difference(double difference, char *text, size_t size)
{
    char count[32];
    vt_compare_print_count(fabs(difference), count, sizeof count);
    snprintf(text, size, "%s%s", difference > 0 ? "+" : difference < 0 ? "-" : "", count);
}

static void put_row(struct vt_pen *pen, const char *name, const char *module, const char *before,
                    const char *after, double difference, const char *note)
{
    char text[40];
    print_difference(difference, text, sizeof text);
    vt_pen_row(pen, (const struct vt_pen_cell[COLUMNS]){{.text = name},
                                                        {.text = module},
                                                        {.text = before},
                                                        {.text = after},
                                                        {.text = text},
                                                        {.text = note}});
}

static void put_change(struct vt_pen *pen, const struct vt_function_change *change)
{
    char before[32] = "", after[32] = "", note[160] = "";

    if (isfinite(change->before))
        vt_compare_print_count(change->before, before, sizeof before);
    if (isfinite(change->after))
        vt_compare_print_count(change->after, after, sizeof after);
    if (change->was)
        snprintf(note, sizeof note, "was %.120s", change->was);
    else
        snprintf(note, sizeof note, "%s", isnan(change->before) ? "new" : isnan(change->after) ? "gone" : "");
    put_row(pen, change->name, change->module, before, after, change->difference, note);
}

static void put_changes(struct vt_pen *pen, const struct vt_function_changes *changes)
{
    double sum = 0, rest = 0;
    char others[40];

    for (size_t i = 0; i < changes->count; i++) {
        sum += changes->list[i].difference;
        if (i < MOST)
            put_change(pen, &changes->list[i]);
        else
            rest += changes->list[i].difference;
    }
    if (changes->count > MOST) {
        snprintf(others, sizeof others, "%zu others", changes->count - MOST);
        put_row(pen, others, "", "", "", rest, "");
    }
    put_row(pen, "all", "", "", "", sum, "");
}

static void put_flame(const struct vt_compared *row, FILE *stream)
{
    fputs("<figure>\n", stream);
    vt_compare_flame(row, stream);
    fputs("<figcaption>One operation from left to right, callers below what they call, each as wide as on "
          "the side "
          "where it is longer. <span class=\"grew\">What grew</span> and <span class=\"shrank\">what "
          "shrank</span> "
          "say by how much, of their own; the rest is as it was.</figcaption>\n</figure>\n",
          stream);
}

static void say_row(const struct vt_compared *row, struct vt_pen *pen)
{
    struct vt_function_changes changes;
    char road[64], title[200];

    if (vt_compare_functions(row, &changes) != 0)
        return;
    vt_compare_road(row, road, sizeof road);
    snprintf(title, sizeof title, "%.60s on %.60s, by function", row->before->name, road);
    if (changes.count) {
        vt_pen_fold(pen, "%s", title);
        vt_pen_table(pen, title, columns, COLUMNS);
        put_changes(pen, &changes);
        vt_pen_end_table(pen);
        if (pen->marks == &vt_pen_html)
            put_flame(row, pen->stream);
        vt_pen_end_fold(pen);
    }
    vt_compare_release_functions(&changes);
}

void vt_compare_say_functions(const struct vt_comparison *comparison, struct vt_pen *pen)
{
    for (size_t i = 0; i < comparison->count; i++)
        if (comparison->rows[i].counts && vt_compare_is_finding(&comparison->rows[i]))
            say_row(&comparison->rows[i], pen);
}

json_t *vt_compare_functions_json(const struct vt_compared *row)
{
    struct vt_function_changes changes;
    json_t *array;

    if (!vt_compare_has_functions(row) || vt_compare_functions(row, &changes) != 0)
        return NULL;
    array = json_array();
    for (size_t i = 0; i < changes.count; i++) {
        const struct vt_function_change *change = &changes.list[i];
        json_array_append_new(array, json_pack("{s:s, s:s, s:s?, s:o, s:o, s:o}", "name", change->name,
                                               "module", change->module, "was", change->was, "before",
                                               vt_result_number(change->before), "after",
                                               vt_result_number(change->after), "difference",
                                               vt_result_number(change->difference)));
    }
    vt_compare_release_functions(&changes);
    return array;
}
