#include "report/functions.h"
#include "report/assists.h"
#include "show/quantity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_FUNCTIONS = 15, /* of a row that are named one by one */
    MOST_ON_SCREEN = 6,  /* rows */
};

static const struct vt_pen_column columns[] = {
    {"function", 34, false, NULL},
    {"module", 9, false, NULL},
    {"itself", 9, true, NULL},
    {"share", 7, true, NULL},
    {"with what it calls", 18, true, NULL},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* What stays within the guest is one function, and told by its toll. */
static const struct vt_profile *profile_of(const struct vt_table *table, size_t line, size_t column)
{
    const struct vt_result_row *cell = table->lines[line].cells[column];
    return cell && cell->profile && cell->profile->function_count > 1 ? cell->profile : NULL;
}

size_t vt_functions_rows(const struct vt_table *table)
{
    size_t rows = 0;
    for (size_t i = 0; i < table->line_count; i++)
        for (size_t k = 0; k < table->column_count; k++)
            rows += profile_of(table, i, k) != NULL;
    return rows;
}

static int by_self(const void *left, const void *right)
{
    const struct vt_profile_function *a = *(const struct vt_profile_function *const *)left;
    const struct vt_profile_function *b = *(const struct vt_profile_function *const *)right;
    if (a->self != b->self)
        return a->self > b->self ? -1 : 1;
    int order = strcmp(a->name, b->name);
    return order ? order : strcmp(a->module, b->module);
}

/* A count of one operation; whole where it is. */
static void print_count(double value, char *text, size_t size)
{
    snprintf(text, size, "%.*f", value == floor(value) ? 0 : 2, vt_quantity_round(value, 2));
}

static void put_row(struct vt_pen *pen, const char *name, const char *module, double self, double share,
                    double inclusive)
{
    char texts[3][32] = {"", "", ""};
    const struct vt_pen_cell cells[COLUMNS] = {
        {.text = name}, {.text = module}, {.text = texts[0]}, {.text = texts[1]}, {.text = texts[2]}};

    print_count(self, texts[0], sizeof texts[0]);
    if (isfinite(share))
        snprintf(texts[1], sizeof texts[1], "%.1f %%", 100 * share);
    if (isfinite(inclusive))
        print_count(inclusive, texts[2], sizeof texts[2]);
    vt_pen_row(pen, cells);
}

/* Of all functions whose module begins with `prefix`. */
static int64_t self_of(const struct vt_profile *profile, const char *prefix)
{
    int64_t self = 0;

    for (size_t i = 0; i < profile->function_count; i++)
        if (strncmp(profile->functions[i].module, prefix, strlen(prefix)) == 0)
            self += profile->functions[i].self;
    return self;
}

/* Of two hypervisors, one in another, what each executed. */
static void put_depths(struct vt_pen *pen, const struct vt_profile *profile)
{
    const int64_t lower = self_of(profile, VT_PROFILE_BELOW),
                  upper = profile->sum - lower - self_of(profile, VT_PROFILE_GUEST);
    double operations = (double)profile->operations, sum = (double)profile->sum;

    if (lower == 0)
        return;
    put_row(pen, "all of the lower hypervisor", "", (double)lower / operations, (double)lower / sum, NAN);
    put_row(pen, "all of the upper one", "", (double)upper / operations, (double)upper / sum, NAN);
}

static void put_functions(struct vt_pen *pen, const struct vt_profile *profile,
                          const struct vt_profile_function **sorted)
{
    double operations = (double)profile->operations, sum = (double)profile->sum;
    int64_t rest = profile->sum;
    size_t named = profile->function_count < MOST_FUNCTIONS ? profile->function_count : MOST_FUNCTIONS;
    char others[64];

    for (size_t i = 0; i < named; i++) {
        rest -= sorted[i]->self;
        put_row(pen, sorted[i]->name, sorted[i]->module, (double)sorted[i]->self / operations,
                sum != 0 ? (double)sorted[i]->self / sum : NAN, (double)sorted[i]->inclusive / operations);
    }
    snprintf(others, sizeof others, "%zu others", profile->function_count - named);
    if (profile->function_count > named)
        put_row(pen, others, "", (double)rest / operations, sum != 0 ? (double)rest / sum : NAN, NAN);
    put_depths(pen, profile);
    put_row(pen, "all", "", sum / operations, NAN, NAN);
}

static void say_profile(const struct vt_profile *profile, struct vt_pen *pen, const char *title)
{
    const struct vt_profile_function **sorted = calloc(profile->function_count + 1, sizeof *sorted);

    if (!sorted)
        return;
    for (size_t i = 0; i < profile->function_count; i++)
        sorted[i] = &profile->functions[i];
    qsort(sorted, profile->function_count, sizeof *sorted, by_self);
    vt_pen_table(pen, title, columns, COLUMNS);
    put_functions(pen, profile, sorted);
    vt_pen_end_table(pen);
    free(sorted);
}

static void say_row(const struct vt_table *table, size_t line, size_t column, struct vt_pen *pen,
                    vt_functions_picture picture, void *context)
{
    const struct vt_profile *profile = profile_of(table, line, column);
    char title[200], count[32];

    print_count((double)profile->sum / (double)profile->operations, count, sizeof count);
    snprintf(title, sizeof title, "%.60s on %.60s: %s instructions in %zu functions", table->lines[line].name,
             table->columns[column].title, count, profile->function_count);
    vt_pen_fold(pen, "%s", title);
    say_profile(profile, pen, title);
    if (picture)
        picture(context, profile);
    vt_pen_end_fold(pen);
}

void vt_functions_say(const struct vt_table *table, struct vt_pen *pen, vt_functions_picture picture,
                      void *context)
{
    size_t rows = vt_functions_rows(table);

    if (rows == 0)
        return;
    vt_pen_heading(pen, "Which functions the instructions are of");
    if (rows > MOST_ON_SCREEN && pen->marks == &vt_pen_text) {
        vt_pen_paragraph(
            pen,
            "%zu rows are told by function: --format html shows them, --format folded hands them to "
            "flame graph tools.",
            rows);
        return;
    }
    vt_pen_paragraph(pen, "Counted, not sampled. What a compiler moved into its caller counts there.");
    vt_assists_say(table, pen);
    for (size_t i = 0; i < table->line_count; i++)
        for (size_t k = 0; k < table->column_count; k++)
            if (profile_of(table, i, k))
                say_row(table, i, k, pen, picture, context);
}
